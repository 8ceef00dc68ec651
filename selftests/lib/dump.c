// SPDX-License-Identifier: GPL-2.0
#include "dump.h"
#include "netlink.h"

#include <linux/altconn_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

int at_dump_begin(int cmd)
{
	return nl_request(NLM_F_DUMP, cmd, NULL);
}

int at_dump_begin_one(int cmd, uint64_t id)
{
	const struct nl_attr attrs[] = {
		{ .type = cmd == ALTCONN_CMD_ASSOC_GET ? ALTCONN_A_ASSOC_ID :
							 ALTCONN_A_SOCKET_ID,
		  .value = &id, .len = sizeof(id) },
		{ }
	};

	return nl_request(NLM_F_DUMP, cmd, attrs);
}

/* Ids of the entries of a dump */
struct dump_ids {
	uint64_t *ids;
	int n, most;
};

/* Store the id of an entry. Return 0, or -1 if there is no space for it. */
static int dump_id(const struct nlmsghdr *nlh, struct dump_ids *ids)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	int type = genl->cmd == ALTCONN_CMD_ASSOC_GET ? ALTCONN_A_ASSOC_ID :
							ALTCONN_A_SOCKET_ID;

	if (ids->n == ids->most)
		return -1;
	nl_value(nl_find((const void *)genl + GENL_HDRLEN,
			 nlh->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), type),
		 &ids->ids[ids->n++], sizeof(*ids->ids));
	return 0;
}

/*
 * Read one message. Set @marked if the dump is marked as interrupted, and add
 * the ids of the entries to @ids unless it is NULL.
 */
static int dump_some(int fd, bool *more, bool *marked, struct dump_ids *ids)
{
	uint64_t buf[8192];
	ssize_t len = recv(fd, buf, sizeof(buf), 0);
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int n = 0;

	if (len < 0)
		return -1;
	*more = len > 0;
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return -1;
		*marked |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		if (nlh->nlmsg_type == NLMSG_DONE)
			*more = false;
		if (nlh->nlmsg_type == NLMSG_DONE ||
		    nlh->nlmsg_type == NLMSG_NOOP)
			continue;
		if (ids && dump_id(nlh, ids))
			return -1;
		n++;
	}
	return n;
}

int at_dump_some(int fd, bool *more)
{
	bool marked = false;

	return dump_some(fd, more, &marked, NULL);
}

int at_dump_some_ids(int fd, bool *more, uint64_t *ids, int most)
{
	struct dump_ids some = { .ids = ids, .most = most };
	bool marked = false;

	return dump_some(fd, more, &marked, &some);
}

int at_dump_marked(int fd)
{
	bool more = true, marked = false;

	while (more)
		if (dump_some(fd, &more, &marked, NULL) < 0)
			return -1;
	return marked;
}

int at_dump_rest(int fd)
{
	bool more = true;
	int sum = 0, n;

	while (more) {
		n = at_dump_some(fd, &more);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

int at_dump(int cmd)
{
	int fd = at_dump_begin(cmd), sum;

	if (fd < 0)
		return -1;
	sum = at_dump_rest(fd);
	close(fd);
	return sum;
}
