// SPDX-License-Identifier: GPL-2.0
/*
 * Make network namespaces with nothing but lo in them. What is tried there
 * cannot leave the machine, and the program may change sysctls and routes.
 */
#include "conformance.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

static int lo_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret = -1;

	/* A kernel without IPv4 has no families that need lo. */
	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -1;
	if (!ioctl(fd, SIOCGIFFLAGS, &ifr)) {
		ifr.ifr_flags |= IFF_UP;
		ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	}
	close(fd);
	return ret;
}

static int write_file(const char *name, const char *text)
{
	ssize_t len = strlen(text), n;
	int fd = open(name, O_WRONLY);

	if (fd < 0)
		return -1;
	n = write(fd, text, len);
	close(fd);
	return n == len ? 0 : -1;
}

/* Become root in a new user namespace, in which this user is the only one. */
static int become_root(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[32];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -1;
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_file("/proc/self/uid_map", map))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return write_file("/proc/self/gid_map", map);
}

int netns_enter(void)
{
	if (unshare(CLONE_NEWNET) && become_root())
		return -1;
	return lo_up();
}

/* Set a sysctl. The case has entered a network namespace that ends with it. */
int sysctl_set(const char *name, const char *value)
{
	char file[128];

	snprintf(file, sizeof(file), "/proc/sys/net/%s", name);
	return write_file(file, value);
}

/* A request to rtnetlink for a host route, such as RTN_UNREACHABLE */
struct route_request {
	struct nlmsghdr nlh;
	struct rtmsg rtm;
	struct rtattr rta;
	char dst[16];
};

static int rtnl_talk(struct route_request *req)
{
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char more[256];
	} ack;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), ret = -1;

	if (fd < 0)
		return -1;
	if (send(fd, req, req->nlh.nlmsg_len, 0) > 0 &&
	    recv(fd, &ack, sizeof(ack), 0) > 0) {
		errno = -ack.err.error;
		ret = ack.err.error ? -1 : 0;
	}
	close(fd);
	return ret;
}

int route_add(const struct addr *to, int err)
{
	bool v6 = to->sa.sa_family == AF_INET6;
	int len = v6 ? 16 : 4;
	struct route_request req = {
		.nlh.nlmsg_type = RTM_NEWROUTE,
		.nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
		.rtm.rtm_family = to->sa.sa_family,
		.rtm.rtm_dst_len = 8 * len,
		.rtm.rtm_table = RT_TABLE_MAIN,
		.rtm.rtm_protocol = RTPROT_STATIC,
		.rtm.rtm_type = err == EHOSTUNREACH ? RTN_UNREACHABLE :
						      RTN_PROHIBIT,
		.rta.rta_type = RTA_DST,
	};

	req.rta.rta_len = RTA_LENGTH(len);
	req.nlh.nlmsg_len = offsetof(struct route_request, dst) + len;
	if (v6)
		memcpy(req.dst, &to->in6.sin6_addr, len);
	else
		memcpy(req.dst, &to->in.sin_addr, len);
	return rtnl_talk(&req);
}

/* Drop the capabilities that override file permissions. */
int drop_file_privileges(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[0].effective &= ~(1 << CAP_DAC_OVERRIDE |
			       1 << CAP_DAC_READ_SEARCH);
	return syscall(SYS_capset, &head, data);
}
