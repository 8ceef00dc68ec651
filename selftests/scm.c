// SPDX-License-Identifier: GPL-2.0
/*
 * These tests send descriptors, credentials and timestamps with data, and peek
 * with SO_PEEK_OFF. The model is AF_UNIX, except that some descriptors cannot
 * be sent.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

FIXTURE(scm) {
	int sv[2];
};

FIXTURE_VARIANT(scm) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(scm, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(scm, unix_stream) {
	.format = AT_UNIX, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(scm, oracle_stream) {
	.format = AT_ORACLE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(scm, inet_seqpacket) {
	.format = AT_IN, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(scm, unix_seqpacket) {
	.format = AT_UNIX, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(scm, oracle_seqpacket) {
	.format = AT_ORACLE, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(scm, native_dgram) {
	.format = AT_NATIVE, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(scm, unix_dgram) {
	.format = AT_UNIX, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(scm, oracle_dgram) {
	.format = AT_ORACLE, .type = SOCK_DGRAM,
};

#define STREAM (variant->type == SOCK_STREAM)
#define ORACLE (variant->format == AT_ORACLE)

FIXTURE_SETUP(scm)
{
	ASSERT_EQ(0, at_socketpair(variant->format, variant->type, self->sv));
}

FIXTURE_TEARDOWN(scm)
{
	at_close(self->sv, 2);
	at_cleanup();
}

#define MOST_FDS 300

/* Send a message with descriptors. Return 0 or the errno. */
static int send_with_flags(int fd, const char *text, const int *fds, int n,
			   int flags)
{
	return at_err(at_send_with(fd, text, strlen(text), SCM_RIGHTS, fds,
				   n * sizeof(int), flags));
}

static int send_message(int fd, const char *text, const int *fds, int n)
{
	return send_with_flags(fd, text, fds, n, 0);
}

struct got {
	char text[64];
	int len, flags, err;
	int fds[MOST_FDS], n;
	struct ucred cred;
	bool has_cred;
	int64_t stamp_ns;
	int stamp_type;
};

/* Read a timestamp, which is two values of type long or two of 64 bits. */
static void read_stamp(const struct cmsghdr *cmsg, struct got *g)
{
	bool is_new = cmsg->cmsg_type == SO_TIMESTAMP_NEW ||
		      cmsg->cmsg_type == SO_TIMESTAMPNS_NEW;
	bool is_ns = cmsg->cmsg_type == SO_TIMESTAMPNS_OLD ||
		     cmsg->cmsg_type == SO_TIMESTAMPNS_NEW;
	int64_t wide[2];
	long pair[2];

	if (is_new) {
		memcpy(wide, CMSG_DATA(cmsg), sizeof(wide));
	} else {
		memcpy(pair, CMSG_DATA(cmsg), sizeof(pair));
		wide[0] = pair[0];
		wide[1] = pair[1];
	}
	g->stamp_type = cmsg->cmsg_type;
	g->stamp_ns = wide[0] * 1000000000 + wide[1] * (is_ns ? 1 : 1000);
}

static void read_control(struct msghdr *msg, struct got *g)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET)
			continue;
		if (cmsg->cmsg_type == SCM_RIGHTS) {
			g->n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(g->fds, CMSG_DATA(cmsg), g->n * sizeof(int));
		} else if (cmsg->cmsg_type == SCM_CREDENTIALS) {
			g->has_cred = true;
			memcpy(&g->cred, CMSG_DATA(cmsg), sizeof(g->cred));
		} else {
			read_stamp(cmsg, g);
		}
	}
}

/* Receive a message, with @space bytes for control messages. */
static void recv_with_space(int fd, struct got *g, size_t len, int flags,
			    size_t space)
{
	union {
		char buf[CMSG_SPACE(MOST_FDS * sizeof(int)) + 64];
		struct cmsghdr align;
	} control;
	struct iovec iov = { g->text, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = space ? control.buf : NULL,
		.msg_controllen = space,
	};

	memset(g, 0, sizeof(*g));
	g->len = recvmsg(fd, &msg, flags);
	g->err = at_err(g->len);
	g->flags = msg.msg_flags;
	if (g->len >= 0)
		read_control(&msg, g);
}

static void recv_message(int fd, struct got *g, int flags)
{
	recv_with_space(fd, g, sizeof(g->text) - 1, flags,
			CMSG_SPACE(MOST_FDS * sizeof(int)));
}

static int some_file(void)
{
	return memfd_create("altconn", 0);
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_ino == y.st_ino &&
	       x.st_dev == y.st_dev;
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

TEST_F_TIMEOUT(scm, rights_are_the_same_file, AT_TIMEOUT)
{
	int fds[3] = { some_file(), some_file(), -1 }, before;
	struct got g;

	fds[2] = fds[0];
	before = count_fds();
	ASSERT_EQ(0, send_message(self->sv[0], "abc", fds, 3));
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(3, g.len);
	EXPECT_STREQ("abc", g.text);
	EXPECT_EQ(0, g.flags & (MSG_CTRUNC | MSG_TRUNC));
	ASSERT_EQ(3, g.n);
	EXPECT_TRUE(same_file(fds[0], g.fds[0]));
	EXPECT_TRUE(same_file(fds[1], g.fds[1]));
	EXPECT_TRUE(same_file(fds[0], g.fds[2]));
	EXPECT_EQ(0, fcntl(g.fds[0], F_GETFD) & FD_CLOEXEC);
	at_close(g.fds, 3);
	EXPECT_EQ(before, count_fds());
	/* Descriptors can be sent in both directions. */
	ASSERT_EQ(0, send_message(self->sv[1], "d", fds, 1));
	recv_message(self->sv[0], &g, MSG_CMSG_CLOEXEC);
	ASSERT_EQ(1, g.n);
	EXPECT_EQ(FD_CLOEXEC, fcntl(g.fds[0], F_GETFD) & FD_CLOEXEC);
}

/* In a stream, a read ends behind bytes with which descriptors were sent. */
TEST_F_TIMEOUT(scm, rights_keep_their_position, AT_TIMEOUT)
{
	int fd = some_file();
	struct got g;

	ASSERT_EQ(0, send_message(self->sv[0], "ab", NULL, 0));
	ASSERT_EQ(0, send_message(self->sv[0], "cd", &fd, 1));
	ASSERT_EQ(0, send_message(self->sv[0], "ef", NULL, 0));
	ASSERT_EQ(0, send_message(self->sv[0], "gh", &fd, 1));
	ASSERT_EQ(0, send_message(self->sv[0], "ij", &fd, 1));
	if (!STREAM) {
		recv_message(self->sv[1], &g, 0);
		EXPECT_STREQ("ab", g.text);
		EXPECT_EQ(0, g.n);
	}
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ(STREAM ? "abcd" : "cd", g.text);
	EXPECT_EQ(1, g.n);
	if (!STREAM) {
		recv_message(self->sv[1], &g, 0);
		EXPECT_STREQ("ef", g.text);
		EXPECT_EQ(0, g.n);
	}
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ(STREAM ? "efgh" : "gh", g.text);
	EXPECT_EQ(1, g.n);
	recv_message(self->sv[1], &g, MSG_WAITALL);
	EXPECT_STREQ("ij", g.text);
	EXPECT_EQ(1, g.n);
}

/* Descriptors arrive with the first byte of their data, not with the rest. */
TEST_F_TIMEOUT(scm, rights_come_with_the_first_byte, AT_TIMEOUT)
{
	int fd = some_file();
	struct got g;

	if (!STREAM)
		SKIP(return, "streams only");
	ASSERT_EQ(0, send_message(self->sv[0], "abc", &fd, 1));
	ASSERT_EQ(0, send_message(self->sv[0], "de", NULL, 0));
	recv_with_space(self->sv[1], &g, 1, 0, CMSG_SPACE(sizeof(int)));
	EXPECT_STREQ("a", g.text);
	EXPECT_EQ(1, g.n);
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("bcde", g.text);
	EXPECT_EQ(0, g.n);
}

TEST_F_TIMEOUT(scm, rights_peeked, AT_TIMEOUT)
{
	int fd = some_file(), i, before;
	struct got g;

	ASSERT_EQ(0, send_message(self->sv[0], "abc", &fd, 1));
	before = count_fds();
	for (i = 0; i < 3; i++) {
		recv_message(self->sv[1], &g, MSG_PEEK);
		EXPECT_STREQ("abc", g.text);
		ASSERT_EQ(1, g.n);
		EXPECT_TRUE(same_file(fd, g.fds[0]));
		close(g.fds[0]);
	}
	EXPECT_EQ(before, count_fds());
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(1, g.n);
	recv_message(self->sv[1], &g, MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, g.err);
}

TEST_F_TIMEOUT(scm, rights_without_space_MSG_CTRUNC, AT_TIMEOUT)
{
	int fds[2] = { some_file(), some_file() }, before = count_fds();
	struct got g;
	char c[8];

	ASSERT_EQ(0, send_message(self->sv[0], "a", fds, 2));
	recv_with_space(self->sv[1], &g, 8, 0, CMSG_LEN(sizeof(int)));
	EXPECT_EQ(MSG_CTRUNC, g.flags & MSG_CTRUNC);
	EXPECT_EQ(1, g.n);
	close(g.fds[0]);
	ASSERT_EQ(0, send_message(self->sv[0], "b", fds, 2));
	recv_with_space(self->sv[1], &g, 8, 0, 0);
	EXPECT_EQ(MSG_CTRUNC, g.flags & MSG_CTRUNC);
	EXPECT_EQ(0, g.n);
	/* A receive without space for control messages discards descriptors. */
	ASSERT_EQ(0, send_message(self->sv[0], "c", fds, 2));
	EXPECT_EQ(1, recv(self->sv[1], c, sizeof(c), 0));
	EXPECT_EQ(before, count_fds());
}

TEST_F_TIMEOUT(scm, rights_SCM_MAX_FD, AT_TIMEOUT)
{
	int fds[MOST_FDS], i, fd = some_file();
	struct got g;

	for (i = 0; i < MOST_FDS; i++)
		fds[i] = fd;
	EXPECT_EQ(EINVAL, send_message(self->sv[0], "a", fds, 254));
	EXPECT_EQ(0, send_message(self->sv[0], "b", fds, 253));
	recv_message(self->sv[1], &g, MSG_DONTWAIT);
	EXPECT_STREQ("b", g.text);
	EXPECT_EQ(253, g.n);
	at_close(g.fds, g.n);
}

/*
 * Closing the sockets closes the descriptors in unread messages: the other end
 * of the pipe gets POLLHUP once the last descriptor is closed.
 */
TEST_F_TIMEOUT(scm, rights_unread_are_closed, AT_TIMEOUT)
{
	int p[2];
	char c;

	ASSERT_EQ(0, pipe2(p, O_NONBLOCK));
	ASSERT_EQ(0, send_message(self->sv[0], "abc", &p[1], 1));
	ASSERT_EQ(0, send_message(self->sv[1], "def", &p[1], 1));
	close(p[1]);
	EXPECT_EQ(EAGAIN, at_err(read(p[0], &c, 1)));
	at_close(self->sv, 2);
	EXPECT_TRUE(at_poll(p[0], POLLIN) & POLLHUP);
	EXPECT_EQ(0, read(p[0], &c, 1));
}

TEST_F_TIMEOUT(scm, rights_that_do_not_travel, AT_TIMEOUT)
{
	int sv[2], p[2], none = -1, closed = 1000, fd;
	struct got g;

	ASSERT_EQ(0, pipe(p));
	EXPECT_EQ(EBADF, send_message(self->sv[0], "x", &none, 1));
	EXPECT_EQ(EBADF, send_message(self->sv[0], "x", &closed, 1));
	/* Nothing of a message that fails is sent. */
	recv_message(self->sv[1], &g, MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, g.err);
	EXPECT_EQ(0, send_message(self->sv[0], "x", p, 2));
	fd = open("/", O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(0, send_message(self->sv[0], "x", &fd, 1));
	fd = open("/dev/null", O_RDONLY);
	EXPECT_EQ(0, send_message(self->sv[0], "x", &fd, 1));
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	EXPECT_EQ(0, send_message(self->sv[0], "x", &fd, 1));
	if (ORACLE)
		return;
	fd = epoll_create1(0);
	EXPECT_EQ(EOPNOTSUPP, send_message(self->sv[0], "x", &fd, 1));
	fd = eventfd(0, 0);
	EXPECT_EQ(EOPNOTSUPP, send_message(self->sv[0], "x", &fd, 1));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT_EQ(EOPNOTSUPP, send_message(self->sv[0], "x", &fd, 1));
	EXPECT_EQ(EOPNOTSUPP, send_message(self->sv[0], "x", self->sv, 2));
	ASSERT_EQ(0, at_socketpair(variant->format, SOCK_STREAM, sv));
	EXPECT_EQ(EOPNOTSUPP, send_message(self->sv[0], "x", sv, 1));
}

/* A device cannot be sent if its driver may keep other files, or is unknown. */
TEST_F_TIMEOUT(scm, rights_of_devices, AT_TIMEOUT)
{
	static const char * const travel[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
		"/dev/urandom", "/dev/ptmx", "/dev/net/tun",
	};
	static const char * const stay[] = {
		"/dev/kmsg", "/dev/mem", "/dev/cpu_dma_latency", "/dev/fuse",
		"/dev/loop-control", "/dev/hpet", "/dev/snapshot",
	};
	int i, fd, stayed = 0;

	for (i = 0; i < 7; i++) {
		fd = open(travel[i], O_RDONLY | O_NOCTTY);
		/* The guest need not have this device. */
		if (fd < 0 && i > 4)
			continue;
		EXPECT_EQ(0, send_message(self->sv[0], "x", &fd, 1));
		close(fd);
	}
	for (i = 0; i < 7; i++) {
		fd = open(stay[i], O_RDONLY);
		if (fd < 0)
			continue;
		stayed++;
		EXPECT_EQ(ORACLE ? 0 : EOPNOTSUPP,
			  send_message(self->sv[0], "x", &fd, 1));
		close(fd);
		/* An O_PATH descriptor can be sent, whatever its file is. */
		fd = open(stay[i], O_PATH);
		EXPECT_EQ(0, send_message(self->sv[0], "x", &fd, 1));
		close(fd);
	}
	EXPECT_LT(0, stayed);
}

/* A recvmsg() on a stream without space for data gets the descriptors, once. */
TEST_F_TIMEOUT(scm, rights_without_space_for_data, AT_TIMEOUT)
{
	int fd = some_file();
	struct got g;

	if (!STREAM)
		SKIP(return, "streams only");
	ASSERT_EQ(0, send_message(self->sv[0], "abc", &fd, 1));
	recv_with_space(self->sv[1], &g, 0, MSG_PEEK, CMSG_SPACE(sizeof(int)));
	EXPECT_EQ(0, g.err);
	EXPECT_EQ(0, g.len);
	ASSERT_EQ(1, g.n);
	close(g.fds[0]);
	recv_with_space(self->sv[1], &g, 0, 0, CMSG_SPACE(sizeof(int)));
	EXPECT_EQ(0, g.len);
	ASSERT_EQ(1, g.n);
	EXPECT_TRUE(same_file(fd, g.fds[0]));
	close(g.fds[0]);
	recv_with_space(self->sv[1], &g, 0, 0, CMSG_SPACE(sizeof(int)));
	EXPECT_EQ(0, g.n);
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("abc", g.text);
	EXPECT_EQ(0, g.n);
	/* Such a recvmsg() does not take the descriptors of a later message. */
	ASSERT_EQ(0, send_message(self->sv[0], "d", NULL, 0));
	ASSERT_EQ(0, send_message(self->sv[0], "e", &fd, 1));
	recv_with_space(self->sv[1], &g, 0, 0, CMSG_SPACE(sizeof(int)));
	EXPECT_EQ(0, g.n);
	recv_with_space(self->sv[1], &g, 1, 0, CMSG_SPACE(sizeof(int)));
	EXPECT_STREQ("d", g.text);
	recv_with_space(self->sv[1], &g, 0, 0, CMSG_SPACE(sizeof(int)));
	EXPECT_EQ(1, g.n);
	close(fd);
}

/* A user may have as many descriptors in flight as a process may have open. */
TEST_F_TIMEOUT(scm, rights_ETOOMANYREFS, AT_TIMEOUT)
{
	struct rlimit limit = { 64, 64 };
	int fds[50], i, fd, err = 0;
	pid_t pid = at_fork();

	if (pid) {
		ASSERT_EQ(0, at_reap(pid));
		return;
	}
	fd = some_file();
	for (i = 0; i < 50; i++)
		fds[i] = fd;
	if (at_drop_privileges() || setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);
	for (i = 0; i < 5 && !err; i++)
		err = send_with_flags(self->sv[0], "x", fds, 50, MSG_DONTWAIT);
	if (err != ETOOMANYREFS || i > 3)
		_exit(2);
	/* The user can send again once the descriptors have arrived. */
	while (recv(self->sv[1], fds, sizeof(fds), MSG_DONTWAIT) > 0)
		;
	_exit(send_message(self->sv[0], "x", &fd, 1) ? 3 : 0);
}

#define RECEIVERS	24

/* Broadcast descriptors as a user that may have 64 descriptors in flight. */
static int broadcast_rights(int fd, const int *fds, int n)
{
	struct rlimit limit = { 64, 64 };
	pid_t pid = at_fork();

	if (!pid)
		_exit(at_drop_privileges() ||
		      setrlimit(RLIMIT_NOFILE, &limit) ||
		      send_message(fd, "x", fds, n));
	return at_reap(pid);
}

/* Return how many receivers get the descriptors of a broadcast, or -1. */
static int count_rights(void)
{
	int receivers[RECEIVERS], fds[10], fd, i, received = 0;
	struct at_addr to;
	struct got g;

	fd = at_socket(AT_NATIVE, SOCK_DGRAM);
	if (at_bind_receivers(&to, receivers, RECEIVERS) ||
	    at_set_flag(fd, SOL_SOCKET, SO_BROADCAST, 1) || at_connect(fd, &to))
		return -1;
	fds[0] = some_file();
	for (i = 1; i < 10; i++)
		fds[i] = fds[0];
	if (broadcast_rights(fd, fds, 10))
		return -1;
	for (i = 0; i < RECEIVERS; i++) {
		if (!at_poll(receivers[i], POLLIN))
			return -1;
		recv_message(receivers[i], &g, 0);
		received += g.n == 10 && same_file(g.fds[9], fds[0]);
		at_close(g.fds, g.n);
	}
	close(fds[0]);
	close(fd);
	at_close(receivers, RECEIVERS);
	return received;
}

/*
 * The copies of a broadcast share its descriptors, so these count only once for
 * the sender.
 */
TEST(broadcast_of_rights_counts_once)
{
	ASSERT_EQ(0, at_netns());
	EXPECT_EQ(RECEIVERS, count_rights());
	at_cleanup();
}

/* The copies of a delayed broadcast share its descriptors too. */
TEST(delayed_broadcast_of_rights_counts_once)
{
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	ASSERT_LT(0, at_tool("rule add type dgram delay 100"));
	EXPECT_EQ(RECEIVERS, count_rights());
	at_cleanup();
}

static int set_passcred(int fd, int on)
{
	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
}

/* Let user @uid own the files that root opens from here on. */
static int open_as(uid_t uid)
{
	return setresuid(uid, 0, 0);
}

/*
 * Make a TCP connection of another user. Its close() would wait for an hour for
 * the peer, which stays open and reads nothing. Return the descriptor, or -1,
 * and set @peer.
 */
static int make_lingering(int *peer)
{
	static const struct linger linger = { 1, 3600 };
	static char buf[65536];
	struct at_addr a;
	int lfd, fd, err;

	lfd = at_listener(&a, AT_ORACLE_IN, AT_INET, SOCK_STREAM, 1);
	if (open_as(65534))
		return -1;
	fd = at_client(AT_ORACLE_IN, SOCK_STREAM, &a, &err);
	open_as(0);
	*peer = err ? -1 : accept(lfd, NULL, NULL);
	close(lfd);
	if (*peer < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		return -1;
	while (send(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	return fd;
}

/* Return whether the end of file comes behind the data of the other end. */
static bool was_closed(int peer)
{
	static char buf[65536];
	ssize_t n;

	do {
		n = at_poll(peer, POLLIN) ?
		    recv(peer, buf, sizeof(buf), 0) : -1;
	} while (n > 0);
	return !n;
}

/*
 * Expect that the other end of @peer was closed, although its close() waits,
 * and close @peer.
 */
static void expect_closed(struct __test_metadata *const _metadata, int peer)
{
	EXPECT_TRUE(was_closed(peer));
	close(peer);
}

FIXTURE(lingering) { };
FIXTURE_SETUP(lingering) { }
FIXTURE_TEARDOWN(lingering)
{
	at_cleanup();
}

/* Let another user send @fd, the last descriptor of a file, over @sfd. */
static int send_last(int sfd, int *fd)
{
	pid_t pid = at_fork();

	if (!pid)
		_exit(at_drop_privileges() || send_message(sfd, "x", fd, 1));
	close(*fd);
	return at_reap(pid);
}

#define SLOW_FILES	at_scale(200, 20)

/*
 * Become another user. Send files that take long to close, and both ends of a
 * pipe, over the AF_UNIX socket @fd.
 */
static int send_slow_files(int fd)
{
	int fds[MOST_FDS], pipes[2], i;

	if (at_drop_privileges() || unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
	    pipe(pipes))
		return -1;
	/* Each close() waits for an RCU grace period. */
	for (i = 0; i < SLOW_FILES; i++)
		fds[i] = socket(AF_PACKET, SOCK_RAW, 0);
	return fds[SLOW_FILES - 1] < 0 ||
	       send_message(fd, "f", fds, SLOW_FILES) ||
	       send_message(fd, "p", pipes, 2);
}

/*
 * Files that one user opened and another user sends are closed by the queue of
 * the user that opened them. They hold up no file of the user that sends them.
 */
TEST_F_TIMEOUT(lingering, files_are_closed_for_their_openers, AT_TIMEOUT)
{
	int sv[2], link[2], own[2], beside[2];
	struct got files, pipes;
	pid_t dropper, opener;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "a grace period takes no time on one CPU");
	ASSERT_EQ(0, pipe(own));
	ASSERT_EQ(0, pipe(beside));
	ASSERT_EQ(0, at_socketpair(AT_NATIVE, SOCK_SEQPACKET, sv));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, link));
	dropper = at_fork();
	if (!dropper) {
		close(own[1]);
		close(beside[1]);
		/* This process is of a third user and closes no file itself. */
		_exit(setresuid(65533, 65533, 65533) || at_wait_step(link[1]));
	}
	close(sv[1]);
	opener = at_fork();
	if (!opener)
		_exit(send_slow_files(link[1]));
	if (at_reap(opener)) {
		ASSERT_EQ(0, at_send_step(link[0]));
		ASSERT_EQ(0, at_reap(dropper));
		ASSERT_EQ(-1, socket(AF_PACKET, SOCK_RAW, 0));
		SKIP(return, "no packet sockets in this kernel");
	}
	recv_message(link[0], &files, 0);
	recv_message(link[0], &pipes, 0);
	ASSERT_EQ(SLOW_FILES, files.n);
	ASSERT_EQ(2, pipes.n);
	files.fds[SLOW_FILES] = beside[1];
	ASSERT_EQ(0, send_message(sv[0], "f", files.fds, SLOW_FILES + 1));
	ASSERT_EQ(0, send_message(sv[0], "p", &pipes.fds[1], 1));
	ASSERT_EQ(0, send_message(sv[0], "o", &own[1], 1));
	at_close(files.fds, SLOW_FILES + 1);
	close(pipes.fds[1]);
	close(own[1]);
	ASSERT_EQ(0, at_send_step(link[0]));
	ASSERT_EQ(0, at_reap(dropper));
	EXPECT_EQ(POLLHUP, at_poll(own[0], POLLIN));
	EXPECT_EQ(POLLHUP, at_poll(beside[0], POLLIN));
	EXPECT_EQ(0, at_poll_now(pipes.fds[0], POLLIN));
	EXPECT_EQ(POLLHUP, at_poll(pipes.fds[0], POLLIN));
	close(pipes.fds[0]);
	close(beside[0]);
	close(own[0]);
	at_close(link, 2);
	close(sv[0]);
}

/*
 * A sender that makes the receiver drop another user's datagram does not close
 * the descriptors in the datagram.
 */
TEST_F_TIMEOUT(lingering, holds_up_no_sender, AT_TIMEOUT)
{
	int rfd, sfd, fd, peer, i;
	struct at_addr a;
	char buf[1000];

	rfd = at_bound(&a, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	ASSERT_EQ(0, at_set_option(rfd, ALTCONN_DGRAM_OVERFLOW,
				   ALTCONN_OVERFLOW_DROP_OLDEST));
	sfd = at_socket(AT_NATIVE, SOCK_DGRAM);
	ASSERT_EQ(0, at_err(at_connect(sfd, &a)));
	fd = make_lingering(&peer);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_last(sfd, &fd));
	memset(buf, 'y', sizeof(buf));
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(sizeof(buf),
			  send(sfd, buf, sizeof(buf), MSG_DONTWAIT));
	ASSERT_EQ(sizeof(buf), recv(rfd, buf, sizeof(buf), 0));
	ASSERT_EQ('y', buf[0]);
	expect_closed(_metadata, peer);
	close(sfd);
	close(rfd);
}

/*
 * Root that ends the associations of a listener does not close the descriptors
 * that were sent over them.
 */
TEST_F_TIMEOUT(lingering, holds_up_no_kill, AT_TIMEOUT)
{
	int lfd, sfd, fd, peer, err;
	struct at_addr a;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	fd = make_lingering(&peer);
	ASSERT_LE(0, fd);
	/* Only the association of this test is in the new namespace. */
	ASSERT_EQ(0, at_netns());
	lfd = at_listener(&a, AT_NATIVE, AT_PORT, SOCK_STREAM, 1);
	sfd = at_client(AT_NATIVE, SOCK_STREAM, &a, &err);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, send_last(sfd, &fd));
	EXPECT_LT(0, at_tool("kill --all"));
	expect_closed(_metadata, peer);
	close(sfd);
	close(lfd);
	at_cleanup();
}

/* A receiver without space for a descriptor does not close the descriptor. */
TEST_F_TIMEOUT(lingering, holds_up_no_receiver, AT_TIMEOUT)
{
	int sv[2], fd, peer;
	struct got g;

	ASSERT_EQ(0, at_socketpair(AT_NATIVE, SOCK_STREAM, sv));
	ASSERT_EQ(0, set_passcred(sv[1], 1));
	fd = make_lingering(&peer);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_last(sv[0], &fd));
	recv_with_space(sv[1], &g, 1, 0, CMSG_SPACE(sizeof(struct ucred)));
	EXPECT_EQ(1, g.len);
	EXPECT_EQ(0, g.n);
	EXPECT_TRUE(g.has_cred);
	EXPECT_EQ(MSG_CTRUNC, g.flags & MSG_CTRUNC);
	expect_closed(_metadata, peer);
	at_close(sv, 2);
}

/*
 * The kernel thread that closes a lingering TCP socket does not wait for it,
 * and closes the next file of the same user.
 */
TEST_F_TIMEOUT(lingering, holds_up_nothing_of_its_user, AT_TIMEOUT)
{
	int sv[2], fd, peer, pipes[2];

	ASSERT_EQ(0, at_socketpair(AT_NATIVE, SOCK_SEQPACKET, sv));
	ASSERT_EQ(0, open_as(65534));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, open_as(0));
	fd = make_lingering(&peer);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, send_last(sv[0], &fd));
	ASSERT_EQ(0, send_last(sv[0], &pipes[1]));
	close(sv[1]);
	EXPECT_EQ(POLLHUP, at_poll(pipes[0], POLLIN));
	expect_closed(_metadata, peer);
	close(pipes[0]);
	close(sv[0]);
}

/*
 * Files of other users that kernel threads close do not wait for a lingering
 * TCP socket.
 */
TEST_F_TIMEOUT(lingering, holds_up_no_delay, AT_TIMEOUT)
{
	int rfd, sfd, fd, peer, pipes[2];
	struct at_addr a;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	fd = make_lingering(&peer);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, at_netns());
	rfd = at_bound(&a, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	ASSERT_LT(0, at_tool("rule add type dgram delay 1s"));
	sfd = at_socket(AT_NATIVE, SOCK_DGRAM);
	ASSERT_EQ(0, at_err(at_connect(sfd, &a)));
	ASSERT_EQ(0, send_last(sfd, &fd));
	/* When the pipe arrives, a kernel thread is closing the TCP socket. */
	ASSERT_LE(0, at_tool("rule flush"));
	ASSERT_LT(0, at_tool("rule add type dgram delay 2s"));
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(0, send_message(sfd, "p", &pipes[1], 1));
	close(pipes[1]);
	/* The receiver closes before the delays end. */
	close(rfd);
	EXPECT_EQ(POLLHUP, at_poll(pipes[0], POLLIN));
	expect_closed(_metadata, peer);
	close(pipes[0]);
	close(sfd);
}

static bool is_me(const struct got *g)
{
	return g->has_cred && g->cred.pid == getpid() &&
	       g->cred.uid == getuid() && g->cred.gid == getgid();
}

TEST_F_TIMEOUT(scm, credentials_of_the_sender, AT_TIMEOUT)
{
	struct got g;

	ASSERT_EQ(0, send_message(self->sv[0], "a", NULL, 0));
	recv_message(self->sv[1], &g, 0);
	EXPECT_FALSE(g.has_cred);
	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	ASSERT_EQ(0, send_message(self->sv[0], "b", NULL, 0));
	recv_message(self->sv[1], &g, MSG_PEEK);
	EXPECT_TRUE(is_me(&g));
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("b", g.text);
	EXPECT_TRUE(is_me(&g));
	ASSERT_EQ(0, send_message(self->sv[0], "c", NULL, 0));
	recv_with_space(self->sv[1], &g, 8, 0, 0);
	EXPECT_EQ(MSG_CTRUNC, g.flags & MSG_CTRUNC);
	ASSERT_EQ(0, set_passcred(self->sv[1], 0));
	ASSERT_EQ(0, send_message(self->sv[0], "d", NULL, 0));
	recv_message(self->sv[1], &g, 0);
	EXPECT_FALSE(g.has_cred);
}

/*
 * As with AF_UNIX, a receive at the end of a stream gets credentials without a
 * sender, and a receive at the end of records gets no credentials.
 */
TEST_F_TIMEOUT(scm, credentials_at_the_end, AT_TIMEOUT)
{
	struct got g;

	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	ASSERT_EQ(0, shutdown(self->sv[1], SHUT_RD));
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(0, g.len);
	EXPECT_EQ(STREAM, g.has_cred);
	EXPECT_EQ(0, g.cred.pid);
	/* Without a sender, AF_UNIX reports user ID 0. */
	if (!ORACLE)
		EXPECT_EQ(STREAM ? 65534 : 0, g.cred.uid);
}

static int64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Wait until a timestamp cannot be mistaken for @then. */
static bool later_than(int64_t then)
{
	return at_until(realtime_ns() > then + 2000);
}

static const int stamp_types[] = {
	SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD,
	SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW,
};

/*
 * The timestamp of a message is the time when the message was sent. A stream
 * has no timestamps.
 */
TEST_F_TIMEOUT(scm, SO_TIMESTAMP_is_the_time_of_sending, AT_TIMEOUT)
{
	int64_t begin[2], end[2];
	unsigned int i, k;
	struct got g;
	int peek;

	for (i = 0; i < ARRAY_SIZE(stamp_types); i++) {
		ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET,
					 stamp_types[i], 1));
		for (k = 0; k < 2; k++) {
			/* Microseconds are truncated, not rounded. */
			begin[k] = realtime_ns() - 1000;
			ASSERT_EQ(0,
				  send_message(self->sv[0], k ? "b" : "a", NULL,
					       0));
			end[k] = realtime_ns();
			ASSERT_TRUE(later_than(end[k]));
		}
		for (k = 0; k < 2; k++) {
			for (peek = MSG_PEEK; peek >= 0; peek -= MSG_PEEK) {
				recv_with_space(self->sv[1], &g, 1, peek, 256);
				EXPECT_STREQ(k ? "b" : "a", g.text);
				EXPECT_EQ(STREAM ? 0 : stamp_types[i],
					  g.stamp_type);
				if (STREAM)
					continue;
				EXPECT_LE(begin[k], g.stamp_ns);
				EXPECT_GE(end[k], g.stamp_ns);
			}
		}
		ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET,
					 stamp_types[i], 0));
		ASSERT_EQ(0, send_message(self->sv[0], "c", NULL, 0));
		recv_message(self->sv[1], &g, 0);
		EXPECT_EQ(0, g.stamp_type);
	}
}

static int set_peek_off(int fd, int offset)
{
	return at_set_flag(fd, SOL_SOCKET, SO_PEEK_OFF, offset);
}

/*
 * A message that is sent while the receiver does not ask for timestamps gets
 * the time when it is read, also by a peek. An earlier message keeps the time
 * when it was sent.
 */
TEST_F_TIMEOUT(scm, SO_TIMESTAMP_asked_for_too_late, AT_TIMEOUT)
{
	int64_t sent, begin;
	struct got g;
	int i;

	if (STREAM)
		SKIP(return, "a stream has no timestamps");
	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMPNS, 1));
	ASSERT_EQ(0, send_message(self->sv[0], "x", NULL, 0));
	sent = realtime_ns();
	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMPNS, 0));
	ASSERT_EQ(0, send_message(self->sv[0], "a", NULL, 0));
	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMPNS, 1));
	ASSERT_TRUE(later_than(sent));
	begin = realtime_ns();
	ASSERT_EQ(0, set_peek_off(self->sv[1], 1));
	for (i = 0; i < 2; i++) {
		recv_message(self->sv[1], &g, i ? 0 : MSG_PEEK);
		EXPECT_STREQ(i ? "x" : "a", g.text);
		EXPECT_EQ(SO_TIMESTAMPNS, g.stamp_type);
		EXPECT_EQ(!i, begin <= g.stamp_ns);
		EXPECT_EQ(i, sent >= g.stamp_ns);
	}
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("a", g.text);
	EXPECT_LE(begin, g.stamp_ns);
	EXPECT_GE(realtime_ns(), g.stamp_ns);
}

/*
 * A thread that sends numbered messages, each with the descriptor @file if that
 * is not -1
 */
struct numbers {
	pthread_t thread;
	int fd, file, n, err;
	atomic_int tid;
};

static void *send_numbers(void *arg)
{
	struct numbers *t = arg;
	char text[32];
	int i;

	atomic_store(&t->tid, gettid());
	for (i = 0; i < t->n && !t->err; i++) {
		snprintf(text, sizeof(text), "%08d%08d", i, i);
		t->err = send_message(t->fd, text, &t->file, t->file >= 0);
	}
	return NULL;
}

/*
 * A message that waited for space in the buffer has the time when it found
 * space as its timestamp.
 */
TEST_F_TIMEOUT(scm, SO_TIMESTAMP_of_a_blocked_sender, AT_TIMEOUT)
{
	struct numbers t = { .fd = self->sv[0], .file = -1, .n = 1 };
	int64_t begin, sent;
	struct got g;
	int i, n = 0;

	if (STREAM)
		SKIP(return, "a stream has no timestamps");
	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMPNS, 1));
	while (!send_with_flags(self->sv[0], "full", NULL, 0, MSG_DONTWAIT))
		n++;
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, send_numbers, &t));
	ASSERT_TRUE(at_until((i = atomic_load(&t.tid)) && at_sleeps(i)));
	begin = realtime_ns();
	for (i = 0; i < n; i++) {
		recv_message(self->sv[1], &g, 0);
		EXPECT_STREQ("full", g.text);
		EXPECT_GE(begin, g.stamp_ns);
	}
	pthread_join(t.thread, NULL);
	EXPECT_EQ(0, t.err);
	sent = realtime_ns();
	ASSERT_TRUE(later_than(sent));
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("0000000000000000", g.text);
	EXPECT_LE(begin, g.stamp_ns);
	EXPECT_GE(sent, g.stamp_ns);
}

/*
 * A sender that waits sends more messages with descriptors and timestamps than
 * a buffer takes. Each message arrives once, with what was sent with it.
 */
TEST_F_TIMEOUT(scm, more_messages_than_a_buffer_takes, AT_TIMEOUT)
{
	struct numbers t = {
		.fd = self->sv[0], .file = some_file(), .n = 2500,
	};
	char text[32];
	struct got g;
	int i;

	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMPNS, 1));
	ASSERT_EQ(0, pthread_create(&t.thread, NULL, send_numbers, &t));
	ASSERT_TRUE(at_until((i = atomic_load(&t.tid)) && at_sleeps(i)));
	for (i = 0; i < t.n; i++) {
		snprintf(text, sizeof(text), "%08d%08d", i, i);
		recv_message(self->sv[1], &g, 0);
		ASSERT_STREQ(text, g.text);
		ASSERT_EQ(1, g.n);
		ASSERT_EQ(STREAM ? 0 : SO_TIMESTAMPNS, g.stamp_type);
		at_close(g.fds, g.n);
	}
	pthread_join(t.thread, NULL);
	EXPECT_EQ(0, t.err);
	recv_message(self->sv[1], &g, MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, g.err);
}

struct big {
	pthread_t thread;
	int fd, file;
	void *data;
	size_t len;
	ssize_t n;
	atomic_int tid;
};

static void *send_big(void *arg)
{
	struct big *b = arg;

	atomic_store(&b->tid, gettid());
	b->n = at_send_with(b->fd, b->data, b->len, SCM_RIGHTS, &b->file,
			    sizeof(b->file), 0);
	return NULL;
}

/*
 * A buffer is full when it holds the maximum number of messages with
 * descriptors. A large write that waits for such a buffer arrives whole.
 */
TEST_F_TIMEOUT(scm, large_write_without_space_for_marks, AT_TIMEOUT)
{
	static unsigned char out[200000], in[200000];
	struct big big = {
		.fd = self->sv[0], .file = some_file(), .data = out,
		.len = sizeof(out),
	};
	struct got g;
	size_t n = 0;
	int i, k;
	ssize_t r;

	if (!STREAM || ORACLE)
		SKIP(return, "streams of altconn only");
	for (i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + i / 251;
	for (k = 0;
	     !send_with_flags(self->sv[0], "x", &big.file, 1, MSG_DONTWAIT);)
		k++;
	ASSERT_EQ(0, pthread_create(&big.thread, NULL, send_big, &big));
	ASSERT_TRUE(at_until((i = atomic_load(&big.tid)) && at_sleeps(i)));
	while (k--) {
		recv_message(self->sv[1], &g, 0);
		ASSERT_EQ(1, g.n);
		at_close(g.fds, g.n);
	}
	for (; n < sizeof(in); n += r) {
		r = recv(self->sv[1], in + n, sizeof(in) - n, 0);
		ASSERT_LT(0, r);
	}
	pthread_join(big.thread, NULL);
	EXPECT_EQ(sizeof(out), big.n);
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
}

/*
 * A record can have descriptors, credentials and a timestamp at once. An empty
 * record has credentials and a timestamp too. The end of file has no timestamp.
 */
TEST_F_TIMEOUT(scm, SO_TIMESTAMP_beside_the_rest, AT_TIMEOUT)
{
	int fd = some_file();
	struct got g;

	if (STREAM)
		SKIP(return, "a stream has no timestamps");
	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMPNS, 1));
	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	ASSERT_EQ(0, send_message(self->sv[0], "ab", &fd, 1));
	ASSERT_EQ(0, send_message(self->sv[0], "", NULL, 0));
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(SO_TIMESTAMPNS, g.stamp_type);
	EXPECT_TRUE(is_me(&g));
	EXPECT_EQ(1, g.n);
	at_close(g.fds, g.n);
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(0, g.len);
	EXPECT_EQ(SO_TIMESTAMPNS, g.stamp_type);
	EXPECT_TRUE(is_me(&g));
	ASSERT_EQ(0, shutdown(self->sv[1], SHUT_RD));
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(0, g.len);
	EXPECT_EQ(0, g.stamp_type);
}

/*
 * Data that was sent while the receiver did not ask for credentials has no
 * sender: process ID 0 and the overflow user and group IDs.
 */
TEST_F_TIMEOUT(scm, credentials_asked_for_too_late, AT_TIMEOUT)
{
	struct got g;

	ASSERT_EQ(0, send_message(self->sv[0], "a", NULL, 0));
	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	ASSERT_EQ(0, send_message(self->sv[0], "b", NULL, 0));
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("a", g.text);
	EXPECT_TRUE(g.has_cred);
	EXPECT_EQ(0, g.cred.pid);
	EXPECT_EQ(65534, g.cred.uid);
	EXPECT_EQ(65534, g.cred.gid);
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("b", g.text);
	EXPECT_TRUE(is_me(&g));
}

static int send_as(int fd, const char *text, const struct ucred *cred)
{
	return at_err(at_send_with(fd, text, strlen(text), SCM_CREDENTIALS,
				   cred, sizeof(*cred), 0));
}

TEST_F_TIMEOUT(scm, credentials_claimed, AT_TIMEOUT)
{
	struct ucred claim = { getpid(), getuid(), getgid() };
	struct got g;
	pid_t pid;

	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	EXPECT_EQ(0, send_as(self->sv[0], "a", &claim));
	recv_message(self->sv[1], &g, 0);
	EXPECT_TRUE(is_me(&g));
	/* A privileged sender may claim any user and any existing process. */
	claim = (struct ucred) { 1, 1234, 4321 };
	EXPECT_EQ(0, send_as(self->sv[0], "b", &claim));
	recv_message(self->sv[1], &g, 0);
	EXPECT_EQ(1, g.cred.pid);
	EXPECT_EQ(1234, g.cred.uid);
	EXPECT_EQ(4321, g.cred.gid);
	claim.pid = 1 << 30;
	EXPECT_EQ(ESRCH, send_as(self->sv[0], "c", &claim));
	claim = (struct ucred) { getpid(), -1, 0 };
	EXPECT_EQ(EINVAL, send_as(self->sv[0], "c", &claim));
	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges())
			_exit(1);
		claim = (struct ucred) { getpid(), getuid(), getgid() };
		if (send_as(self->sv[0], "d", &claim))
			_exit(2);
		claim.uid = 0;
		if (send_as(self->sv[0], "e", &claim) != EPERM)
			_exit(3);
		claim = (struct ucred) { 1, getuid(), getgid() };
		_exit(send_as(self->sv[0], "e", &claim) != EPERM ? 4 : 0);
	}
	EXPECT_EQ(0, at_reap(pid));
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("d", g.text);
	EXPECT_EQ(pid, g.cred.pid);
}

/* With SO_PASSCRED, a read does not mix the bytes of two processes. */
TEST_F_TIMEOUT(scm, credentials_end_a_read, AT_TIMEOUT)
{
	struct got g;
	pid_t pid;

	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	ASSERT_EQ(0, send_message(self->sv[0], "a", NULL, 0));
	ASSERT_EQ(0, send_message(self->sv[0], "b", NULL, 0));
	pid = at_fork();
	if (!pid)
		_exit(send_message(self->sv[0], "c", NULL, 0));
	ASSERT_EQ(0, at_reap(pid));
	ASSERT_EQ(0, send_message(self->sv[0], "d", NULL, 0));
	recv_message(self->sv[1], &g, MSG_PEEK);
	EXPECT_STREQ(STREAM ? "ab" : "a", g.text);
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ(STREAM ? "ab" : "a", g.text);
	EXPECT_TRUE(is_me(&g));
	if (!STREAM)
		recv_message(self->sv[1], &g, 0);
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ("c", g.text);
	EXPECT_EQ(pid, g.cred.pid);
	if (STREAM) {
		ASSERT_EQ(0, set_passcred(self->sv[1], 0));
		ASSERT_EQ(0, send_message(self->sv[0], "e", NULL, 0));
	}
	recv_message(self->sv[1], &g, 0);
	EXPECT_STREQ(STREAM ? "de" : "d", g.text);
}

/*
 * SO_PASSCRED of the sender alone attaches its credentials to each copy of a
 * broadcast. A receiver gets them, even if it sets the option only after the
 * copy was queued.
 */
TEST(credentials_with_a_broadcast)
{
	int receivers[RECEIVERS], fd, i;
	struct at_addr to;
	struct got g;

	ASSERT_EQ(0, at_netns());
	fd = at_socket(AT_NATIVE, SOCK_DGRAM);
	ASSERT_EQ(0, at_bind_receivers(&to, receivers, RECEIVERS));
	ASSERT_EQ(0, at_set_flag(fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, at_connect(fd, &to));
	ASSERT_EQ(0, set_passcred(fd, 1));
	ASSERT_EQ(0, send_message(fd, "x", NULL, 0));
	for (i = 0; i < RECEIVERS; i++) {
		ASSERT_EQ(0, set_passcred(receivers[i], 1));
		recv_message(receivers[i], &g, 0);
		EXPECT_STREQ("x", g.text);
		EXPECT_TRUE(is_me(&g));
	}
	at_cleanup();
}

/*
 * An accepted socket inherits SO_PASSCRED from its listener, and data that was
 * sent before accept() has the credentials of its sender.
 */
TEST_F_TIMEOUT(scm, credentials_before_accept, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd, fd, sfd, err, on = 0;
	socklen_t len = sizeof(on);
	struct got g;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	if (variant->format == AT_IN)
		SKIP(return, "one variant is enough");
	lfd = at_listener(&a, variant->format, AT_NAME, variant->type, 4);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, set_passcred(lfd, 1));
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, send_message(fd, "a", NULL, 0));
	sfd = accept(lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	/* The newest kernels let only their own families read the option. */
	err = at_err(getsockopt(sfd, SOL_SOCKET, SO_PASSCRED, &on, &len));
	EXPECT_TRUE((!err && on == 1) || (!ORACLE && err == EOPNOTSUPP));
	recv_message(sfd, &g, 0);
	EXPECT_STREQ("a", g.text);
	EXPECT_TRUE(is_me(&g));
	ASSERT_EQ(0, send_message(fd, "b", NULL, 0));
	recv_message(sfd, &g, 0);
	EXPECT_TRUE(is_me(&g));
}

TEST_F_TIMEOUT(scm, malformed_EINVAL, AT_TIMEOUT)
{
	static const struct {
		size_t len;
		int level, type, err;
	} rows[] = {
		{ .len = 0, .level = SOL_SOCKET, .type = SCM_RIGHTS,
		  .err = EINVAL },
		{ .len = sizeof(struct cmsghdr) - 1, .level = SOL_SOCKET,
		  .type = SCM_RIGHTS, .err = EINVAL },
		{ .len = CMSG_LEN(4096), .level = SOL_SOCKET,
		  .type = SCM_RIGHTS, .err = EINVAL },
		{ .len = CMSG_LEN(4), .level = SOL_SOCKET,
		  .type = SCM_CREDENTIALS, .err = EINVAL },
		{ .len = CMSG_LEN(4), .level = SOL_SOCKET, .type = 77,
		  .err = EINVAL },
	};
	union {
		char buf[CMSG_SPACE(64)];
		struct cmsghdr hdr;
	} control;
	struct iovec iov = { "x", 1 };
	struct got g;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		struct msghdr msg = {
			.msg_iov = &iov, .msg_iovlen = 1,
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};

		memset(&control, 0, sizeof(control));
		control.hdr.cmsg_len = rows[i].len;
		control.hdr.cmsg_level = rows[i].level;
		control.hdr.cmsg_type = rows[i].type;
		EXPECT_EQ(rows[i].err, at_err(sendmsg(self->sv[0], &msg, 0))) {
			TH_LOG("row %zu", i);
		}
	}
	recv_message(self->sv[1], &g, MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, g.err);
}

static int peek_off(int fd)
{
	socklen_t len = sizeof(int);
	int off = -2;

	return getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &off, &len) ? -3 : off;
}

static const char *peek_text(int fd, struct got *g, size_t len)
{
	recv_with_space(fd, g, len, MSG_PEEK | MSG_DONTWAIT, 0);
	return g->len < 0 ? strerrorname_np(g->err) : g->text;
}

TEST_F_TIMEOUT(scm, SO_PEEK_OFF_moves_on, AT_TIMEOUT)
{
	struct got g;

	EXPECT_EQ(-1, peek_off(self->sv[1]));
	ASSERT_EQ(0, send_message(self->sv[0], "abcde", NULL, 0));
	ASSERT_EQ(0, send_message(self->sv[0], "fgh", NULL, 0));
	EXPECT_STREQ("ab", peek_text(self->sv[1], &g, 2));
	EXPECT_STREQ("ab", peek_text(self->sv[1], &g, 2));
	ASSERT_EQ(0, set_peek_off(self->sv[1], 1));
	EXPECT_STREQ("bc", peek_text(self->sv[1], &g, 2));
	EXPECT_EQ(3, peek_off(self->sv[1]));
	EXPECT_STREQ(STREAM ? "defgh" : "de", peek_text(self->sv[1], &g, 10));
	if (!STREAM)
		EXPECT_STREQ("fgh", peek_text(self->sv[1], &g, 10));
	EXPECT_EQ(8, peek_off(self->sv[1]));
	EXPECT_STREQ("EAGAIN", peek_text(self->sv[1], &g, 10));
	EXPECT_EQ(8, peek_off(self->sv[1]));
	recv_with_space(self->sv[1], &g, STREAM ? 3 : 10, 0, 0);
	EXPECT_STREQ(STREAM ? "abc" : "abcde", g.text);
	EXPECT_EQ(STREAM ? 5 : 3, peek_off(self->sv[1]));
	ASSERT_EQ(0, send_message(self->sv[0], "ij", NULL, 0));
	EXPECT_STREQ("ij", peek_text(self->sv[1], &g, 10));
	ASSERT_EQ(0, set_peek_off(self->sv[1], -1));
	EXPECT_STREQ(STREAM ? "defghij" : "fgh",
		     peek_text(self->sv[1], &g, 10));
}

struct peeker {
	pthread_t thread;
	int fd;
	atomic_int tid;
	ssize_t n;
	char c;
};

static void *peek_blocking(void *arg)
{
	struct peeker *p = arg;

	atomic_store(&p->tid, gettid());
	p->n = recv(p->fd, &p->c, 1, MSG_PEEK);
	return NULL;
}

/*
 * With SO_PEEK_OFF an empty message is peeked at only once, else no peek would
 * see the message behind it.
 */
TEST_F_TIMEOUT(scm, SO_PEEK_OFF_over_empty_records, AT_TIMEOUT)
{
	static const char * const all[] = { "", "a", "", "" };
	struct peeker p = { .fd = self->sv[1] };
	struct got g;
	int i, k;

	if (STREAM)
		SKIP(return, "a stream has no empty message");
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, send_message(self->sv[0], all[i], NULL, 0));
	/* Without an offset a peek always returns the first message. */
	for (i = 0; i < 2; i++) {
		recv_message(self->sv[1], &g, MSG_PEEK);
		EXPECT_EQ(0, g.err);
		EXPECT_EQ(0, g.len);
	}
	ASSERT_EQ(0, set_peek_off(self->sv[1], 0));
	/* The first message has been peeked at already. */
	for (i = 1; i < 4; i++) {
		recv_message(self->sv[1], &g, MSG_PEEK | MSG_DONTWAIT);
		EXPECT_EQ(0, g.err);
		EXPECT_STREQ(all[i], g.text);
	}
	recv_message(self->sv[1], &g, MSG_PEEK | MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, g.err);
	for (k = 0; k < 4; k++) {
		recv_message(self->sv[1], &g, MSG_DONTWAIT);
		EXPECT_EQ(0, g.err);
		EXPECT_STREQ(all[k], g.text);
	}
	/* A peek behind an empty message that was peeked at sleeps. */
	ASSERT_EQ(0, send_message(self->sv[0], "", NULL, 0));
	recv_message(self->sv[1], &g, MSG_PEEK | MSG_DONTWAIT);
	EXPECT_EQ(0, g.err);
	ASSERT_EQ(0, set_peek_off(self->sv[1], 0));
	ASSERT_EQ(0, pthread_create(&p.thread, NULL, peek_blocking, &p));
	ASSERT_TRUE(at_until((i = atomic_load(&p.tid)) && at_sleeps(i)));
	ASSERT_EQ(0, send_message(self->sv[0], "z", NULL, 0));
	pthread_join(p.thread, NULL);
	EXPECT_EQ(1, p.n);
	EXPECT_EQ('z', p.c);
}

/* A peek at an offset behind the data waits for more data. */
TEST_F_TIMEOUT(scm, SO_PEEK_OFF_waits_for_more, AT_TIMEOUT)
{
	struct peeker p = { .fd = self->sv[1] };
	int tid;

	if (ORACLE && STREAM)
		SKIP(return, "AF_UNIX begins at the first byte again");
	ASSERT_EQ(0, send_message(self->sv[0], "abc", NULL, 0));
	ASSERT_EQ(0, set_peek_off(self->sv[1], 3));
	ASSERT_EQ(0, pthread_create(&p.thread, NULL, peek_blocking, &p));
	ASSERT_TRUE(at_until((tid = atomic_load(&p.tid)) && at_sleeps(tid)));
	ASSERT_EQ(0, send_message(self->sv[0], "d", NULL, 0));
	pthread_join(p.thread, NULL);
	EXPECT_EQ(1, p.n);
	EXPECT_EQ('d', p.c);
	if (STREAM)
		return;
	/* An empty message ends the wait too. */
	atomic_store(&p.tid, 0);
	ASSERT_EQ(0, pthread_create(&p.thread, NULL, peek_blocking, &p));
	ASSERT_TRUE(at_until((tid = atomic_load(&p.tid)) && at_sleeps(tid)));
	ASSERT_EQ(0, send_message(self->sv[0], "", NULL, 0));
	pthread_join(p.thread, NULL);
	EXPECT_EQ(0, p.n);
}

/*
 * Changes of credentials take no bytes of a buffer. Their number is limited
 * too, and no data is lost.
 */
TEST_F_TIMEOUT(scm, credentials_that_change_with_each_byte, AT_TIMEOUT)
{
	struct ucred mine = { getpid(), getuid(), getgid() };
	struct ucred other = { getpid(), 1234, 4321 };
	int i, n = 0, err = 0;
	struct got g;

	if (!STREAM || ORACLE)
		SKIP(return, "streams of altconn only");
	ASSERT_EQ(0, set_passcred(self->sv[1], 1));
	ASSERT_EQ(0, at_nonblock(self->sv[0], true));
	while (!err && n < 10000)
		err = send_as(self->sv[0], "x", n++ % 2 ? &other : &mine);
	EXPECT_EQ(EAGAIN, err);
	EXPECT_EQ(0, at_poll_now(self->sv[0], POLLOUT));
	for (i = 0; i < n - 1; i++) {
		recv_message(self->sv[1], &g, MSG_DONTWAIT);
		ASSERT_EQ(1, g.len);
		ASSERT_EQ(i % 2 ? 1234 : getuid(), g.cred.uid);
	}
	recv_message(self->sv[1], &g, MSG_DONTWAIT);
	EXPECT_EQ(EAGAIN, g.err);
	EXPECT_EQ(POLLOUT, at_poll_now(self->sv[0], POLLOUT));
}

struct traffic {
	pthread_t thread;
	int fd, file;
	atomic_bool *over;
	atomic_long n;
};

static void *send_rights(void *arg)
{
	struct traffic *t = arg;
	uint64_t seed = 1;

	while (!atomic_load(t->over))
		t->n += !send_with_flags(t->fd, "abcdef", &t->file,
					 at_random(&seed) % 3 ? 1 : 0,
					 MSG_DONTWAIT);
	return NULL;
}

static void *recv_rights(void *arg)
{
	struct traffic *t = arg;
	uint64_t seed = 2;
	size_t len, space;
	struct got g;
	int peek;

	while (!atomic_load(t->over)) {
		len = at_random(&seed) % 9 + 1;
		peek = at_random(&seed) % 3 ? 0 : MSG_PEEK;
		space = at_random(&seed) % 3 ? CMSG_SPACE(16) + CMSG_SPACE(8) :
					       0;
		recv_with_space(t->fd, &g, len, MSG_DONTWAIT | peek, space);
		at_close(g.fds, g.n);
		t->n += g.len > 0;
	}
	return NULL;
}

/*
 * Two threads send, two threads receive and peek, and options change meanwhile.
 * No descriptor leaks.
 */
TEST_F_TIMEOUT(scm, rights_raced, AT_TIMEOUT)
{
	uint64_t end = at_now_ms() + at_scale(1000, 300);
	struct traffic t[4];
	atomic_bool over = false;
	int i, p[2], before;
	char c;

	ASSERT_EQ(0, pipe2(p, O_NONBLOCK));
	before = count_fds();
	for (i = 0; i < 4; i++) {
		t[i] = (struct traffic) {
			.fd = self->sv[i / 2], .file = p[1], .over = &over,
		};
		ASSERT_EQ(0, pthread_create(&t[i].thread, NULL,
					    i < 2 ? send_rights : recv_rights,
					    &t[i]));
	}
	/* On a busy machine it may take long until the threads run. */
	for (i = 0; at_now_ms() < end || !t[0].n || !(t[2].n + t[3].n); i++) {
		set_passcred(self->sv[1], i % 2);
		at_set_flag(self->sv[1], SOL_SOCKET, SO_TIMESTAMP, i % 3 == 0);
	}
	atomic_store(&over, true);
	for (i = 0; i < 4; i++)
		pthread_join(t[i].thread, NULL);
	EXPECT_LT(0, t[0].n);
	EXPECT_LT(0, t[2].n + t[3].n);
	EXPECT_EQ(before, count_fds());
	at_close(self->sv, 2);
	close(p[1]);
	EXPECT_TRUE(at_poll(p[0], POLLIN) & POLLHUP);
	EXPECT_EQ(0, read(p[0], &c, 1));
}

TEST_HARNESS_MAIN
