// SPDX-License-Identifier: GPL-2.0
#include "dump.h"
#include "netlink.h"

#include <linux/altconn_netlink.h>
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

static int dump_some(int fd, bool *more, bool *marked)
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
		else
			n += nlh->nlmsg_type != NLMSG_NOOP;
	}
	return n;
}

int at_dump_some(int fd, bool *more)
{
	bool marked = false;

	return dump_some(fd, more, &marked);
}

int at_dump_marked(int fd)
{
	bool more = true, marked = false;

	while (more)
		if (dump_some(fd, &more, &marked) < 0)
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
