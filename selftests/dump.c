// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps over generic netlink that are read to the end, given up half-way, and
 * overtaken by what they show.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <linux/altconn_netlink.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <sched.h>

/* More than fit one message to user space. */
#define PAIRS	300

struct request {
	struct nlmsghdr		nlh;
	struct genlmsghdr	genl;
	struct nlattr		attr;
	char			name[16];
};

static int nl_open(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* The number that generic netlink gave the family, or -1. */
static int family_id(int fd)
{
	struct request r = {
		.nlh = {
			.nlmsg_len = sizeof(r), .nlmsg_type = GENL_ID_CTRL,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.genl = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
		.attr = {
			.nla_type = CTRL_ATTR_FAMILY_NAME,
			.nla_len = sizeof(r.attr) + sizeof(ALTCONN_FAMILY_NAME),
		},
		.name = ALTCONN_FAMILY_NAME,
	};
	uint64_t buf[1024];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	struct nlattr *a;
	char *end;

	if (send(fd, &r, sizeof(r), 0) != sizeof(r) ||
	    recv(fd, buf, sizeof(buf), 0) < (ssize_t)sizeof(*nlh) ||
	    nlh->nlmsg_type != GENL_ID_CTRL)
		return -1;
	end = (char *)buf + nlh->nlmsg_len;
	a = (void *)buf + NLMSG_HDRLEN + GENL_HDRLEN;
	for (; (char *)a < end; a = (void *)a + NLA_ALIGN(a->nla_len)) {
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)(a + 1);
	}
	return -1;
}

/* A socket with a dump of all associations that has begun, or -1. */
static int begin_dump(void)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
	} r = {
		.nlh = {
			.nlmsg_len = sizeof(r),
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.genl = { .cmd = ALTCONN_CMD_ASSOC_GET, .version = 1 },
	};
	int fd = nl_open();

	if (fd < 0)
		return -1;
	r.nlh.nlmsg_type = family_id(fd);
	if (send(fd, &r, sizeof(r), 0) != sizeof(r)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The associations of the next message; @more: it was not the last. */
static int read_some(int fd, bool *more)
{
	uint64_t buf[8192];
	ssize_t len = recv(fd, buf, sizeof(buf), 0);
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int n = 0;

	*more = len > 0;
	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR)
			return -1;
		if (nlh->nlmsg_type == NLMSG_DONE)
			*more = false;
		else
			n++;
	}
	return n;
}

static int read_all(int fd)
{
	bool more = true;
	int sum = 0, n;

	while (more) {
		n = read_some(fd, &more);
		if (n < 0)
			return -1;
		sum += n;
	}
	return sum;
}

FIXTURE(dump) {
	int sv[PAIRS][2];
};

FIXTURE_SETUP(dump)
{
	int i;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, socketpair(at_family(), SOCK_STREAM, AT_NATIVE,
					self->sv[i]));
}

FIXTURE_TEARDOWN(dump)
{
	int i;

	for (i = 0; i < PAIRS; i++) {
		close(self->sv[i][0]);
		close(self->sv[i][1]);
	}
}

TEST_F_TIMEOUT(dump, each_once_beside_one_that_stands_still, AT_TIMEOUT)
{
	int stands = begin_dump(), fd = begin_dump(), some;
	bool more;

	ASSERT_LE(0, stands);
	some = read_some(stands, &more);
	EXPECT_LT(0, some);
	EXPECT_TRUE(more);
	EXPECT_EQ(PAIRS, read_all(fd));
	close(fd);
	/* It goes on where it was. */
	EXPECT_EQ(PAIRS - some, read_all(stands));
	close(stands);
}

TEST_F_TIMEOUT(dump, given_up, AT_TIMEOUT)
{
	int fd = begin_dump();
	bool more;

	ASSERT_LE(0, fd);
	EXPECT_LT(0, read_some(fd, &more));
	EXPECT_TRUE(more);
	close(fd);
	fd = begin_dump();
	EXPECT_EQ(PAIRS, read_all(fd));
	close(fd);
}

TEST_F_TIMEOUT(dump, all_of_them_close_meanwhile, AT_TIMEOUT)
{
	int fd = begin_dump(), some, rest, i;
	bool more;

	some = read_some(fd, &more);
	EXPECT_LT(0, some);
	for (i = 0; i < PAIRS; i++) {
		close(self->sv[i][0]);
		close(self->sv[i][1]);
		self->sv[i][0] = -1;
		self->sv[i][1] = -1;
	}
	/* What the kernel had put into its next message already. */
	rest = read_all(fd);
	EXPECT_LE(0, rest);
	EXPECT_GT(PAIRS, some + rest);
	close(fd);
}

TEST_F_TIMEOUT(dump, what_comes_later_is_not_waited_for, AT_TIMEOUT)
{
	int fd = begin_dump(), sum, n, sv[2], i;
	bool more = true;

	sum = read_some(fd, &more);
	EXPECT_TRUE(more);
	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, socketpair(at_family(), SOCK_STREAM, AT_NATIVE,
					sv));
		close(self->sv[i][0]);
		close(self->sv[i][1]);
		self->sv[i][0] = sv[0];
		self->sv[i][1] = sv[1];
	}
	while (more) {
		n = read_some(fd, &more);
		ASSERT_LE(0, n);
		sum += n;
	}
	EXPECT_GE(PAIRS, sum);
	close(fd);
}

/* The namespace goes while a dump of it stands still. */
TEST_F_TIMEOUT(dump, namespace_ends, AT_TIMEOUT)
{
	pid_t pid = fork();
	int sv[2], fd;
	bool more;

	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(2);
		for (fd = 0; fd < PAIRS; fd++) {
			if (socketpair(at_family(), SOCK_STREAM, AT_NATIVE, sv))
				_exit(3);
		}
		fd = begin_dump();
		_exit(fd < 0 || read_some(fd, &more) <= 0 || !more);
	}
	EXPECT_EQ(0, at_reap(pid));
}

TEST_HARNESS_MAIN
