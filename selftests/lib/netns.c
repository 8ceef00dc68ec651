// SPDX-License-Identifier: GPL-2.0
#include "netns.h"
#include "child.h"
#include "file.h"
#include "netlink.h"

#include <fcntl.h>
#include <linux/altconn_netlink.h>
#include <sched.h>
#include <sys/prctl.h>

int at_netns(void)
{
	return unshare(CLONE_NEWNET);
}

int at_user_netns(void)
{
	if (at_drop_privileges() || prctl(PR_SET_DUMPABLE, 1) ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	return at_file_write("/proc/self/uid_map", "0 65534 1");
}

int at_netns_fd(void)
{
	return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

int at_netns_enter(int fd)
{
	return setns(fd, CLONE_NEWNET);
}

int at_node_add(uint32_t id, const void *ip, int netns)
{
	const struct nl_attr attrs[] = {
		{ .type = ALTCONN_A_NODE_ID, .value = &id, .len = sizeof(id) },
		{ .type = ALTCONN_A_NODE_NETNS_FD, .value = &netns,
		  .len = sizeof(netns) },
		{ .type = ALTCONN_A_NODE_IP, .value = ip, .len = ip ? 16 : 0 },
		{ }
	};

	return nl_ask(ALTCONN_CMD_NODE_ADD, attrs, NULL);
}

int at_node_del(uint32_t id)
{
	const struct nl_attr attrs[] = {
		{ .type = ALTCONN_A_NODE_ID, .value = &id, .len = sizeof(id) },
		{ }
	};

	return nl_ask(ALTCONN_CMD_NODE_DEL, attrs, NULL);
}

int at_node_set(uint32_t id, uint32_t state)
{
	const struct nl_attr attrs[] = {
		{ .type = ALTCONN_A_NODE_ID, .value = &id, .len = sizeof(id) },
		{ .type = ALTCONN_A_NODE_STATE, .value = &state,
		  .len = sizeof(state) },
		{ }
	};

	return nl_ask(ALTCONN_CMD_NODE_SET, attrs, NULL);
}

int at_node_self(uint32_t id)
{
	const struct nl_attr attrs[] = {
		{ .type = ALTCONN_A_NODE_ID, .value = &id,
		  .len = id ? sizeof(id) : 0 },
		{ }
	};

	return nl_ask(ALTCONN_CMD_NODE_SELF, attrs, NULL);
}
