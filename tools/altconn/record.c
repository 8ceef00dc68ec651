// SPDX-License-Identifier: GPL-2.0
/*
 * What the module tells, out of netlink and into plain structs. Each set of
 * attributes is a table: its type, and the member that takes it. Attributes
 * that a newer module adds are passed over; one that does not have the form
 * the table says makes the whole message an error.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <linux/genetlink.h>

#include "altconn.h"
#include "nl.h"
#include "record.h"

/**
 * struct attr - where an attribute goes
 * @type: MNL_TYPE_*; MNL_TYPE_UNSPEC passes it over
 * @offset: of the member
 * @nested: the set inside, with MNL_TYPE_NESTED
 */
struct attr {
	enum mnl_attr_data_type type;
	size_t offset;
	const struct set *nested;
};

/**
 * struct set - a set of attributes
 * @attrs: indexed by number
 * @count: how many
 * @known: offset of the bits that say which were there, or -1
 */
struct set {
	const struct attr *attrs;
	size_t count;
	long known;
};

static const struct attr addr_attrs[] = {
	[ALTCONN_A_ADDR_KIND] = { MNL_TYPE_U32, offsetof(struct addr, kind) },
	[ALTCONN_A_ADDR_NODE] = { MNL_TYPE_U32, offsetof(struct addr, node) },
	[ALTCONN_A_ADDR_PORT] = { MNL_TYPE_U32, offsetof(struct addr, port) },
	[ALTCONN_A_ADDR_NAME] = { MNL_TYPE_BINARY, 0 },
	[ALTCONN_A_ADDR_PATH] = { MNL_TYPE_BINARY, 0 },
	[ALTCONN_A_ADDR_IP] = { MNL_TYPE_BINARY, 0 },
	[ALTCONN_A_ADDR_SCOPE] = { MNL_TYPE_U32, offsetof(struct addr, node) },
};

static const struct set addr_set = {
	.attrs = addr_attrs,
	.count = ARRAY_SIZE(addr_attrs),
	.known = -1,
};

#define END(member) offsetof(struct end, member)
static const struct attr end_attrs[] = {
	[ALTCONN_A_END_ADDR] = { MNL_TYPE_NESTED, END(addr), &addr_set },
	[ALTCONN_A_END_DRESS] = { MNL_TYPE_U32, END(dress) },
	[ALTCONN_A_END_PID] = { MNL_TYPE_U32, END(pid) },
	[ALTCONN_A_END_UID] = { MNL_TYPE_U32, END(uid) },
	[ALTCONN_A_END_RECV_QUEUE] = { MNL_TYPE_U32, END(recv_queue) },
	[ALTCONN_A_END_COMM] = { MNL_TYPE_NUL_STRING, END(comm) },
	[ALTCONN_A_END_INODE] = { MNL_TYPE_U64, END(inode) },
};

static const struct set end_set = {
	.attrs = end_attrs,
	.count = ARRAY_SIZE(end_attrs),
	.known = offsetof(struct end, known),
};

#define ASSOC(member) offsetof(struct assoc, member)
static const struct attr assoc_attrs[] = {
	[ALTCONN_A_ASSOC_ID] = { MNL_TYPE_U64, ASSOC(id) },
	[ALTCONN_A_ASSOC_TYPE] = { MNL_TYPE_U32, ASSOC(type) },
	[ALTCONN_A_ASSOC_STATE] = { MNL_TYPE_U32, ASSOC(state) },
	[ALTCONN_A_ASSOC_CLIENT] = { MNL_TYPE_NESTED, ASSOC(client), &end_set },
	[ALTCONN_A_ASSOC_SERVER] = { MNL_TYPE_NESTED, ASSOC(server), &end_set },
	[ALTCONN_A_ASSOC_AGE_MS] = { MNL_TYPE_U64, ASSOC(age_ms) },
	[ALTCONN_A_ASSOC_WAITED_MS] = { MNL_TYPE_U64, ASSOC(waited_ms) },
	[ALTCONN_A_ASSOC_PLACE] = { MNL_TYPE_U32, ASSOC(place) },
	[ALTCONN_A_ASSOC_LISTENER] = { MNL_TYPE_U64, ASSOC(listener) },
};

static const struct set assoc_set = {
	.attrs = assoc_attrs,
	.count = ARRAY_SIZE(assoc_attrs),
	.known = offsetof(struct assoc, known),
};

#define SOCKET(member) offsetof(struct sock, member)
static const struct attr socket_attrs[] = {
	[ALTCONN_A_SOCKET_ID] = { MNL_TYPE_U64, SOCKET(id) },
	[ALTCONN_A_SOCKET_TYPE] = { MNL_TYPE_U32, SOCKET(type) },
	[ALTCONN_A_SOCKET_LISTENING] = { MNL_TYPE_FLAG, SOCKET(listening) },
	[ALTCONN_A_SOCKET_OWNER] = { MNL_TYPE_NESTED, SOCKET(owner), &end_set },
	[ALTCONN_A_SOCKET_PEER] = { MNL_TYPE_NESTED, SOCKET(peer), &addr_set },
	[ALTCONN_A_SOCKET_BACKLOG] = { MNL_TYPE_U32, SOCKET(backlog) },
	[ALTCONN_A_SOCKET_QUEUED] = { MNL_TYPE_U32, SOCKET(queued) },
	[ALTCONN_A_SOCKET_WAITING] = { MNL_TYPE_U32, SOCKET(waiting) },
	[ALTCONN_A_SOCKET_ESTABLISHED] = { MNL_TYPE_U64, SOCKET(established) },
	[ALTCONN_A_SOCKET_REFUSED] = { MNL_TYPE_U64, SOCKET(refused) },
	[ALTCONN_A_SOCKET_TIMED_OUT] = { MNL_TYPE_U64, SOCKET(timed_out) },
	[ALTCONN_A_SOCKET_WAITED] = { MNL_TYPE_U64, SOCKET(waited) },
};

static const struct set socket_set = {
	.attrs = socket_attrs,
	.count = ARRAY_SIZE(socket_attrs),
	.known = offsetof(struct sock, known),
};

#define FAMILY(member) offsetof(struct family, member)
static const struct attr family_attrs[] = {
	[ALTCONN_A_FAMILY_NUMBER] = { MNL_TYPE_U32, FAMILY(number) },
	[ALTCONN_A_FAMILY_VERSION] = { MNL_TYPE_NUL_STRING, FAMILY(version) },
	[ALTCONN_A_FAMILY_ASSOCS] = { MNL_TYPE_U64, FAMILY(assocs) },
	[ALTCONN_A_FAMILY_SOCKETS] = { MNL_TYPE_U64, FAMILY(sockets) },
};

static const struct set family_set = {
	.attrs = family_attrs,
	.count = ARRAY_SIZE(family_attrs),
	.known = -1,
};

/**
 * struct reader - what the callback of a set works on
 * @set: which
 * @object: the struct that is filled in
 */
struct reader {
	const struct set *set;
	char *object;
};

static int read_attr(const struct nlattr *attr, void *data);

/* Binary occurs in addresses alone. */
static int read_bytes(const struct nlattr *attr, struct addr *addr)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len > sizeof(addr->bytes)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	addr->len = len;
	memcpy(addr->bytes, mnl_attr_get_payload(attr), len);
	return MNL_CB_OK;
}

static int read_value(const struct nlattr *attr, const struct attr *a,
		      char *object)
{
	struct reader inner = { a->nested, object + a->offset };
	uint64_t u64;
	uint32_t u32;

	switch (a->type) {
	case MNL_TYPE_U32:
		u32 = mnl_attr_get_u32(attr);
		memcpy(object + a->offset, &u32, sizeof(u32));
		return MNL_CB_OK;
	case MNL_TYPE_U64:
		u64 = mnl_attr_get_u64(attr);
		memcpy(object + a->offset, &u64, sizeof(u64));
		return MNL_CB_OK;
	case MNL_TYPE_FLAG:
		*(bool *)(object + a->offset) = true;
		return MNL_CB_OK;
	case MNL_TYPE_NUL_STRING:
		snprintf(object + a->offset, RECORD_TEXT_MAX, "%s",
			 mnl_attr_get_str(attr));
		return MNL_CB_OK;
	case MNL_TYPE_BINARY:
		return read_bytes(attr, (struct addr *)object);
	case MNL_TYPE_NESTED:
		return mnl_attr_parse_nested(attr, read_attr, &inner);
	default:
		return MNL_CB_OK;
	}
}

static int read_attr(const struct nlattr *attr, void *data)
{
	unsigned int type = mnl_attr_get_type(attr);
	struct reader *r = data;
	const struct attr *a;
	uint32_t known;

	if (type >= r->set->count)
		return MNL_CB_OK;
	a = &r->set->attrs[type];
	if (a->type == MNL_TYPE_UNSPEC)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, a->type) < 0) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (r->set->known >= 0) {
		memcpy(&known, r->object + r->set->known, sizeof(known));
		known |= 1U << type;
		memcpy(r->object + r->set->known, &known, sizeof(known));
	}
	return read_value(attr, a, r->object);
}

static int read_message(const struct nlmsghdr *nlh, const struct set *set,
			void *object)
{
	struct reader r = { set, object };

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), read_attr, &r);
}

/**
 * assoc_read - read a message of ALTCONN_CMD_ASSOC_GET
 * @nlh: the message
 * @assoc: is filled in
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int assoc_read(const struct nlmsghdr *nlh, struct assoc *assoc)
{
	memset(assoc, 0, sizeof(*assoc));
	return read_message(nlh, &assoc_set, assoc);
}

/**
 * sock_read - read a message of ALTCONN_CMD_SOCKET_GET
 * @nlh: the message
 * @sock: is filled in
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int sock_read(const struct nlmsghdr *nlh, struct sock *sock)
{
	memset(sock, 0, sizeof(*sock));
	return read_message(nlh, &socket_set, sock);
}

/**
 * family_read - read a message of ALTCONN_CMD_FAMILY_GET
 * @nlh: the message
 * @family: is filled in
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int family_read(const struct nlmsghdr *nlh, struct family *family)
{
	memset(family, 0, sizeof(*family));
	return read_message(nlh, &family_set, family);
}

static int on_family(const struct nlmsghdr *nlh, void *data)
{
	return family_read(nlh, data);
}

/**
 * family_ask - ask the module about itself
 * @family: is filled in
 *
 * Return: EXIT_OK, or EXIT_FAILED after a complaint.
 */
int family_ask(struct family *family)
{
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_FAMILY_GET, on_family, family);
	nl_close(&nl);
	return ret;
}
