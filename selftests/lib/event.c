// SPDX-License-Identifier: GPL-2.0
#include "event.h"
#include "netlink.h"

#include <errno.h>
#include <linux/altconn_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

int at_monitor(int *fd)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[512];
	} answer;

	*fd = nl_request(0, ALTCONN_CMD_MONITOR, NULL);
	if (*fd < 0 || recv(*fd, &answer, sizeof(answer), 0) < 0)
		return errno;
	if (answer.nlh.nlmsg_type != NLMSG_ERROR)
		return 0;
	close(*fd);
	*fd = -1;
	return -answer.err.error;
}

int at_event(int fd, struct at_event *ev)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		char attrs[2000];
	} m;
	ssize_t len = recv(fd, &m, sizeof(m), MSG_DONTWAIT);
	const struct nlattr *attr;

	if (len < 0)
		return errno == EAGAIN ? 0 : -1;
	len -= offsetof(typeof(m), attrs);
	if (len <= 0 || m.genl.cmd != ALTCONN_CMD_EVENT)
		return -1;
	nl_value(nl_find(m.attrs, len, ALTCONN_A_EVENT_SEQ), &ev->seq, 8);
	nl_value(nl_find(m.attrs, len, ALTCONN_A_EVENT_KIND), &ev->kind, 4);
	attr = nl_nested(nl_find(m.attrs, len, ALTCONN_A_EVENT_SERVER),
			 ALTCONN_A_END_ADDR);
	nl_value(nl_nested(attr, ALTCONN_A_ADDR_PORT), &ev->port, 4);
	return 1;
}
