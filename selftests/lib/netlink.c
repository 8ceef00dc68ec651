// SPDX-License-Identifier: GPL-2.0
#include "netlink.h"
#include "sock.h"

#include <linux/altconn.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A message of generic netlink, as simple as these programs need it */
struct nl_message {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[NL_ATTRS_MAX];
};

size_t nl_put(char *to, const struct nl_attr *attrs)
{
	char *at = to;

	for (; attrs && attrs->len; attrs++) {
		struct nlattr *attr = (struct nlattr *)at;

		attr->nla_type = attrs->type;
		attr->nla_len = NLA_HDRLEN + attrs->len;
		memcpy(at + NLA_HDRLEN, attrs->value, attrs->len);
		at += NLA_ALIGN(attr->nla_len);
	}
	return at - to;
}

static int nl_send(int fd, int type, int flags, int cmd,
		   const struct nl_attr *attrs)
{
	struct nl_message m = {
		.nlh.nlmsg_type = type,
		.nlh.nlmsg_flags = NLM_F_REQUEST | flags,
		.genl.cmd = cmd, .genl.version = 1,
	};

	m.nlh.nlmsg_len = offsetof(struct nl_message, attrs) +
			  nl_put(m.attrs, attrs);
	return send(fd, &m, m.nlh.nlmsg_len, 0) < 0 ? -1 : 0;
}

static int nl_family_id(int fd)
{
	char buf[8192];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int at = NLMSG_LENGTH(GENL_HDRLEN);
	const struct nl_attr name[] = {
		{ .type = CTRL_ATTR_FAMILY_NAME, .value = "altconn",
		  .len = sizeof("altconn") },
		{ }
	};
	struct nlattr *attr;

	if (nl_send(fd, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, name) ||
	    recv(fd, buf, sizeof(buf), 0) < at ||
	    nlh->nlmsg_type == NLMSG_ERROR)
		return -1;
	for (; at < (int)nlh->nlmsg_len; at += NLA_ALIGN(attr->nla_len)) {
		attr = (struct nlattr *)(buf + at);
		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)((char *)attr + NLA_HDRLEN);
	}
	return -1;
}

/* Return the number in the first attribute of an answer, or 0. */
static uint32_t nl_number(const struct nl_message *m)
{
	const struct nlattr *attr = (const struct nlattr *)m->attrs;
	uint32_t value = 0;

	if (m->nlh.nlmsg_len >= offsetof(struct nl_message, attrs) +
				NLA_HDRLEN + sizeof(value))
		memcpy(&value, (const char *)attr + NLA_HDRLEN, sizeof(value));
	return value;
}

int nl_request(int flags, int cmd, const struct nl_attr *attrs)
{
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	int id = nl_family_id(fd);

	if (id < 0 || nl_send(fd, id, flags, cmd, attrs))
		return at_close_failed(fd);
	return fd;
}

int nl_ask(int cmd, const struct nl_attr *attrs, uint32_t *number)
{
	int fd = nl_request(NLM_F_ACK, cmd, attrs), err = -1;
	union {
		struct nl_message m;
		struct {
			struct nlmsghdr nlh;
			struct nlmsgerr err;
		};
	} answer;

	if (fd < 0)
		return -1;
	while (recv(fd, &answer, sizeof(answer), 0) > 0) {
		if (answer.nlh.nlmsg_type == NLMSG_ERROR) {
			err = -answer.err.error;
			break;
		}
		if (number)
			*number = nl_number(&answer.m);
	}
	close(fd);
	return err;
}

const struct nlattr *nl_find(const void *from, int len, int type)
{
	const struct nlattr *attr = from;

	while (len >= NLA_HDRLEN && attr->nla_len >= NLA_HDRLEN) {
		if ((attr->nla_type & NLA_TYPE_MASK) == type)
			return attr;
		len -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)attr + NLA_ALIGN(attr->nla_len);
	}
	return NULL;
}

const struct nlattr *nl_nested(const struct nlattr *in, int type)
{
	return in ? nl_find((const void *)in + NLA_HDRLEN,
			    in->nla_len - NLA_HDRLEN, type) : NULL;
}

void nl_value(const struct nlattr *attr, void *value, size_t len)
{
	memset(value, 0, len);
	if (attr)
		memcpy(value, (const void *)attr + NLA_HDRLEN, len);
}
