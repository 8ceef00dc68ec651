// SPDX-License-Identifier: GPL-2.0
/* Test socket options of the core, of TCP and IP, and of this family. */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <linux/sock_diag.h>

FIXTURE(pair) {
	int sv[2];
};

FIXTURE_VARIANT(pair) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(pair, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pair, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pair, inet6_stream) {
	.format = AT_IN6, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pair, unix_stream) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pair, unix_seqpacket) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(pair, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pair, oracle_seqpacket) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(pair, oracle_tcp) {
	.format = AT_ORACLE_IN, .kind = AT_INET, .type = SOCK_STREAM,
};

#define ORACLE at_is_oracle(variant->format)
#define STREAM (variant->type == SOCK_STREAM)
#define TCP (variant->format == AT_ORACLE_IN)

FIXTURE_SETUP(pair)
{
	ASSERT_EQ(0, at_pair(variant->format, variant->kind, variant->type,
			     self->sv));
}

FIXTURE_TEARDOWN(pair)
{
	at_close(self->sv, 2);
	at_cleanup();
}

static int make_like(const FIXTURE_VARIANT(pair) *variant, int sv[2])
{
	at_close(sv, 2);
	return at_pair(variant->format, variant->kind, variant->type, sv);
}

static int set_int(int fd, int level, int name, int value)
{
	return at_err(setsockopt(fd, level, name, &value, sizeof(value)));
}

/* Return the value of an option, or -errno. */
static int get_int(int fd, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, level, name, &value, &len) ? -errno : value;
}

TEST_F_TIMEOUT(pair, core_options_are_kept, AT_TIMEOUT)
{
	static const int names[] = {
		SO_REUSEADDR, SO_BROADCAST, SO_KEEPALIVE, SO_DONTROUTE,
		SO_OOBINLINE, SO_TIMESTAMP,
	};
	struct timeval tv = { .tv_sec = 5 }, got;
	struct linger linger = { .l_onoff = 1, .l_linger = 7 }, linger_got;
	socklen_t len = sizeof(got);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(0, get_int(self->sv[0], SOL_SOCKET, names[i]));
		EXPECT_EQ(0, set_int(self->sv[0], SOL_SOCKET, names[i], 1));
		EXPECT_EQ(1, get_int(self->sv[0], SOL_SOCKET, names[i])) {
			TH_LOG("option %d", names[i]);
		}
	}
	EXPECT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(0, getsockopt(self->sv[0], SOL_SOCKET, SO_RCVTIMEO, &got,
				&len));
	EXPECT_EQ(5, got.tv_sec);
	len = sizeof(linger_got);
	EXPECT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger)));
	EXPECT_EQ(0, getsockopt(self->sv[0], SOL_SOCKET, SO_LINGER,
				&linger_got, &len));
	EXPECT_EQ(7, linger_got.l_linger);
	EXPECT_EQ(variant->type, get_int(self->sv[0], SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(0, get_int(self->sv[0], SOL_SOCKET, SO_ERROR));
	EXPECT_EQ(0, get_int(self->sv[0], SOL_SOCKET, SO_ACCEPTCONN));
}

/* As in TCP, poll() reports POLLIN only when SO_RCVLOWAT bytes can be read. */
TEST_F_TIMEOUT(pair, SO_RCVLOWAT_in_poll, AT_TIMEOUT)
{
	char buf[16];

	if (!STREAM || variant->format == AT_ORACLE)
		SKIP(return, "poll() of AF_UNIX ignores SO_RCVLOWAT");
	ASSERT_EQ(0, set_int(self->sv[1], SOL_SOCKET, SO_RCVLOWAT, 4));
	ASSERT_EQ(3, send(self->sv[0], "abc", 3, 0));
	/* The data has arrived, and poll() does not report it yet. */
	EXPECT_TRUE(at_until(recv(self->sv[1], buf, sizeof(buf),
				  MSG_PEEK | MSG_DONTWAIT) == 3));
	EXPECT_EQ(0, at_poll_now(self->sv[1], POLLIN));
	ASSERT_EQ(1, send(self->sv[0], "d", 1, 0));
	EXPECT_EQ(POLLIN, at_poll(self->sv[1], POLLIN));
	EXPECT_EQ(4, recv(self->sv[1], buf, sizeof(buf), 0));
	EXPECT_EQ(0, at_poll_now(self->sv[1], POLLIN));
	/* poll() always reports the end of the stream. */
	ASSERT_EQ(1, send(self->sv[0], "e", 1, 0));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	EXPECT_EQ(POLLIN, at_poll(self->sv[1], POLLIN));
}

/*
 * When the writer can send no more, poll() reports POLLIN, even if SO_RCVLOWAT
 * is more than the buffer can hold.
 */
TEST_F_TIMEOUT(pair, SO_RCVLOWAT_above_the_buffer, AT_TIMEOUT)
{
	static char buf[4096];

	if (!STREAM || ORACLE)
		SKIP(return, "streams of altconn only");
	ASSERT_EQ(0, set_int(self->sv[1], SOL_SOCKET, SO_RCVLOWAT, 1 << 30));
	while (send(self->sv[0], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(POLLIN, at_poll_now(self->sv[1], POLLIN));
}

/*
 * After the peer has closed, a send() of AF_UNIX fails at once, and a send() of
 * TCP fails from the second one on.
 */
TEST_F_TIMEOUT(pair, send_after_the_peer_closed, AT_TIMEOUT)
{
	bool as_tcp = TCP || variant->format == AT_IN ||
		      variant->format == AT_IN6;

	ASSERT_EQ(1, send(self->sv[1], "a", 1, 0));
	close(self->sv[1]);
	self->sv[1] = -1;
	EXPECT_EQ(as_tcp ? 0 : EPIPE,
		  at_err(send(self->sv[0], "b", 1, MSG_NOSIGNAL)));
	EXPECT_TRUE(at_until(at_err(send(self->sv[0], "c", 1, MSG_NOSIGNAL)) ==
			     EPIPE));
	/* After shutdown() of the socket's own end, send() fails at once. */
	ASSERT_EQ(0, make_like(variant, self->sv));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	EXPECT_EQ(EPIPE, at_err(send(self->sv[0], "d", 1, MSG_NOSIGNAL)));
}

TEST_F_TIMEOUT(pair, FASYNC_SIGIO_for_data, AT_TIMEOUT)
{
	char c;

	ASSERT_EQ(0, at_catch(SIGIO, SA_RESTART));
	ASSERT_EQ(0, fcntl(self->sv[1], F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->sv[1], F_SETFL, O_ASYNC));
	ASSERT_EQ(1, send(self->sv[0], "a", 1, 0));
	EXPECT_TRUE(at_until(atomic_load(&at_caught) > 0));
	EXPECT_EQ(1, recv(self->sv[1], &c, 1, 0));
	atomic_store(&at_caught, 0);
	/* SIGIO is sent when the peer closes, too. */
	close(self->sv[0]);
	self->sv[0] = -1;
	EXPECT_TRUE(at_until(atomic_load(&at_caught) > 0));
}

TEST_F_TIMEOUT(pair, sendmmsg_recvmmsg, AT_TIMEOUT)
{
	struct iovec out[4], in[4];
	struct mmsghdr msgs[4] = {}, got[4] = {};
	char text[4][3] = { "ab", "cd", "ef", "gh" }, buf[4][2];
	int i, n;

	for (i = 0; i < 4; i++) {
		out[i] = (struct iovec) { text[i], 2 };
		in[i] = (struct iovec) { buf[i], 2 };
		msgs[i].msg_hdr.msg_iov = &out[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		got[i].msg_hdr.msg_iov = &in[i];
		got[i].msg_hdr.msg_iovlen = 1;
	}
	ASSERT_EQ(4, sendmmsg(self->sv[0], msgs, 4, 0));
	for (n = 0; n < 4; n += i) {
		i = recvmmsg(self->sv[1], got + n, 4 - n, MSG_WAITFORONE, NULL);
		ASSERT_LT(0, i);
	}
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(2, msgs[i].msg_len);
		EXPECT_EQ(2, got[i].msg_len);
		EXPECT_EQ(0, memcmp(buf[i], text[i], 2));
	}
}

#define FILE_SIZE 300000

static int pattern_file(void)
{
	int fd = memfd_create("altconn", 0), i;
	char buf[1000];

	for (i = 0; i < FILE_SIZE; i++) {
		buf[i % 1000] = i * 7 + i / 1000;
		if (i % 1000 == 999 && write(fd, buf, 1000) != 1000)
			return -1;
	}
	return fd;
}

static bool is_pattern(const char *buf, size_t len, size_t at)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (buf[i] != (char)((at + i) * 7 + (at + i) / 1000))
			return false;
	return true;
}

struct feeder {
	pthread_t thread;
	int fd, file;
	bool splice;
	ssize_t sent;
};

static void *feed_file(void *arg)
{
	struct feeder *f = arg;
	off_t at = 0;
	loff_t off = 0;
	int p[2];
	ssize_t n, m;

	if (pipe(p))
		return NULL;
	while (at < FILE_SIZE) {
		if (!f->splice) {
			n = sendfile(f->fd, f->file, &at, FILE_SIZE - at);
			if (n <= 0)
				break;
			f->sent += n;
			continue;
		}
		n = splice(f->file, &off, p[1], NULL, 65536, 0);
		for (at = off; n > 0; n -= m) {
			m = splice(p[0], NULL, f->fd, NULL, n, 0);
			if (m <= 0)
				return NULL;
			f->sent += m;
		}
		if (n < 0)
			break;
	}
	at_close(p, 2);
	shutdown(f->fd, SHUT_WR);
	return NULL;
}

/*
 * Move a file into the socket, by splice() or sendfile(), and out of it, by
 * splice() into a pipe or by recv(). Return whether all bytes arrive.
 */
static bool moves_whole(int sv[2], bool splice_in, bool splice_out)
{
	struct feeder f = {
		.fd = sv[0], .file = pattern_file(), .splice = splice_in,
	};
	static char buf[65536];
	size_t got = 0;
	bool good = true;
	int p[2];
	ssize_t n;

	if (f.file < 0 || pipe(p) ||
	    pthread_create(&f.thread, NULL, feed_file, &f))
		return false;
	for (;;) {
		if (splice_out) {
			n = splice(sv[1], NULL, p[1], NULL, 30000, 0);
			if (n > 0)
				n = read(p[0], buf, n);
		} else {
			n = recv(sv[1], buf, sizeof(buf), 0);
		}
		if (n <= 0)
			break;
		good &= is_pattern(buf, n, got);
		got += n;
	}
	pthread_join(f.thread, NULL);
	at_close(p, 2);
	close(f.file);
	if (got != FILE_SIZE || f.sent != FILE_SIZE || !good)
		printf("# %zu received, %zd sent, %s\n", got, f.sent,
		       good ? "right" : "wrong");
	return good && got == FILE_SIZE && f.sent == FILE_SIZE;
}

TEST_F_TIMEOUT(pair, sendfile_to_a_socket, AT_TIMEOUT)
{
	if (!STREAM)
		SKIP(return, "streams only");
	EXPECT_TRUE(moves_whole(self->sv, false, false));
}

TEST_F_TIMEOUT(pair, splice_to_a_socket, AT_TIMEOUT)
{
	if (!STREAM)
		SKIP(return, "streams only");
	EXPECT_TRUE(moves_whole(self->sv, true, false));
}

TEST_F_TIMEOUT(pair, splice_from_a_socket, AT_TIMEOUT)
{
	if (!STREAM)
		SKIP(return, "streams only");
	EXPECT_TRUE(moves_whole(self->sv, true, true));
}

static const struct inet_row {
	int level, name, initial, value, result;
} inet_rows[] = {
	{ .level = IPPROTO_TCP, .name = TCP_NODELAY, .initial = 0, .value = 5,
	  .result = 1 },
	{ .level = IPPROTO_TCP, .name = TCP_CORK, .initial = 0, .value = 1,
	  .result = 1 },
	{ .level = IPPROTO_TCP, .name = TCP_KEEPIDLE, .initial = 7200,
	  .value = 60, .result = 60 },
	{ .level = IPPROTO_TCP, .name = TCP_KEEPINTVL, .initial = 75,
	  .value = 10, .result = 10 },
	{ .level = IPPROTO_TCP, .name = TCP_KEEPCNT, .initial = 9, .value = 3,
	  .result = 3 },
	{ .level = IPPROTO_TCP, .name = TCP_SYNCNT, .initial = 6, .value = 2,
	  .result = 2 },
	{ .level = IPPROTO_TCP, .name = TCP_LINGER2, .initial = 60, .value = 30,
	  .result = 30 },
	{ .level = IPPROTO_TCP, .name = TCP_USER_TIMEOUT, .initial = 0,
	  .value = 9000, .result = 9000 },
	{ .level = IPPROTO_IP, .name = IP_TOS, .initial = 0, .value = 0x10,
	  .result = 0x10 },
	{ .level = IPPROTO_IP, .name = IP_TTL, .initial = 64, .value = 32,
	  .result = 32 },
	{ .level = IPPROTO_IP, .name = IP_MTU_DISCOVER, .initial = 1,
	  .value = 0, .result = 0 },
	{ .level = IPPROTO_IP, .name = IP_RECVERR, .initial = 0, .value = 1,
	  .result = 1 },
};

/*
 * In the inet formats options of TCP and IP have the values that TCP has,
 * before and after they are set. The other formats refuse them.
 */
TEST_F_TIMEOUT(pair, options_of_TCP_and_IP, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), err;
	const struct inet_row *row;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(inet_rows); i++) {
		row = &inet_rows[i];
		if (variant->format != AT_IN && variant->format != AT_IN6 &&
		    !TCP) {
			err = variant->format == AT_NATIVE ? ENOPROTOOPT :
							    EOPNOTSUPP;
			EXPECT_EQ(err, set_int(fd, row->level, row->name, 1));
			EXPECT_EQ(-err, get_int(fd, row->level, row->name));
			continue;
		}
		EXPECT_EQ(row->initial, get_int(fd, row->level, row->name)) {
			TH_LOG("row %zu", i);
		}
		EXPECT_EQ(0, set_int(fd, row->level, row->name, row->value));
		EXPECT_EQ(row->result, get_int(fd, row->level, row->name)) {
			TH_LOG("row %zu", i);
		}
	}
	if (TCP || ORACLE)
		return;
	/* Options are refused if a program would rely on their effect. */
	err = variant->format == AT_UNIX ? EOPNOTSUPP : ENOPROTOOPT;
	EXPECT_EQ(err, set_int(fd, IPPROTO_TCP, TCP_REPAIR, 1));
	EXPECT_EQ(err, set_int(fd, IPPROTO_IP, IP_PKTINFO, 1));
	EXPECT_EQ(-err, get_int(fd, IPPROTO_TCP, TCP_INFO));
	EXPECT_EQ(err, set_int(fd, IPPROTO_UDP, 1, 1));
}

TEST_F_TIMEOUT(pair, options_of_TCP_are_inherited, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd, fd, sfd, err;

	if (variant->format != AT_IN && !TCP)
		SKIP(return, "TCP and the inet format only");
	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, set_int(lfd, IPPROTO_TCP, TCP_KEEPIDLE, 77));
	ASSERT_EQ(0, set_int(lfd, IPPROTO_TCP, TCP_NODELAY, 1));
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	sfd = accept(lfd, NULL, NULL);
	EXPECT_EQ(77, get_int(sfd, IPPROTO_TCP, TCP_KEEPIDLE));
	EXPECT_EQ(1, get_int(sfd, IPPROTO_TCP, TCP_NODELAY));
	EXPECT_EQ(0, get_int(fd, IPPROTO_TCP, TCP_NODELAY));
	at_close((int []){ fd, sfd, lfd }, 3);
}

static int peer_info(int fd, struct altconn_peer_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0xff, sizeof(*info));
	return at_err(getsockopt(fd, SOL_ALTCONN, ALTCONN_PEER_INFO, info,
				 &len));
}

static uint64_t netns_inode(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

TEST_F_TIMEOUT(pair, PEER_INFO_of_both_ends, AT_TIMEOUT)
{
	struct altconn_peer_info info;
	int i, fd;
	char comm[16] = {};

	if (ORACLE)
		SKIP(return, "altconn only");
	fd = open("/proc/self/comm", O_RDONLY);
	ASSERT_LT(0, read(fd, comm, sizeof(comm)));
	comm[strcspn(comm, "\n")] = 0;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, peer_info(self->sv[i], &info));
		EXPECT_EQ(getpid(), info.api_pid);
		EXPECT_EQ(getuid(), info.api_uid);
		EXPECT_EQ(getgid(), info.api_gid);
		EXPECT_EQ(netns_inode(), info.api_netns);
		EXPECT_EQ(0, info.api_pad);
		EXPECT_STREQ(comm, info.api_comm);
	}
	fd = at_socket(variant->format, variant->type);
	EXPECT_EQ(ENOTCONN, peer_info(fd, &info));
	fd = at_socket(variant->format, SOCK_DGRAM);
	EXPECT_EQ(ENOTCONN, peer_info(fd, &info));
}

/*
 * Over a path the two ends can be in different network namespaces.
 * ALTCONN_PEER_INFO returns the namespace of the other end.
 */
TEST_F_TIMEOUT(pair, PEER_INFO_across_namespaces, AT_TIMEOUT)
{
	struct altconn_peer_info info;
	uint64_t theirs = netns_inode(), ours;
	struct at_addr a;
	int lfd, fd, sfd, err;

	if (ORACLE || variant->kind != AT_PATH)
		SKIP(return, "paths only");
	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, at_netns());
	ours = netns_inode();
	ASSERT_NE(theirs, ours);
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, peer_info(fd, &info));
	EXPECT_EQ(theirs, info.api_netns);
	sfd = accept(lfd, NULL, NULL);
	ASSERT_EQ(0, peer_info(fd, &info));
	EXPECT_EQ(theirs, info.api_netns);
	ASSERT_EQ(0, peer_info(sfd, &info));
	EXPECT_EQ(ours, info.api_netns);
}

/*
 * ALTCONN_PEER_INFO describes the process that called connect(), as it was
 * then, even after the process has changed its name or exited.
 */
TEST_F_TIMEOUT(pair, PEER_INFO_is_of_the_time_of_connect, AT_TIMEOUT)
{
	struct altconn_peer_info info;
	struct at_addr a;
	int lfd, fd, sfd, err, step[2], go[2];
	pid_t pid;

	if (ORACLE)
		SKIP(return, "altconn only");
	ASSERT_EQ(0, pipe(step));
	ASSERT_EQ(0, pipe(go));
	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	ASSERT_LE(0, lfd);
	/* A client needs write permission on the socket file. */
	if (variant->kind == AT_PATH)
		ASSERT_EQ(0, chmod(at_path_of(&a), 0777));
	pid = at_fork();
	if (!pid) {
		prctl(PR_SET_NAME, "then");
		if (at_drop_privileges())
			_exit(1);
		fd = at_client(variant->format, variant->type, &a, &err);
		prctl(PR_SET_NAME, "later");
		if (err || peer_info(fd, &info) || info.api_pid != getppid())
			_exit(2);
		at_send_step(step[1]);
		_exit(at_wait_step(go[0]));
	}
	ASSERT_EQ(0, at_wait_step(step[0]));
	sfd = accept(lfd, NULL, NULL);
	ASSERT_EQ(0, peer_info(sfd, &info));
	EXPECT_EQ(pid, info.api_pid);
	EXPECT_EQ(65534, info.api_uid);
	EXPECT_STREQ("then", info.api_comm);
	at_send_step(go[1]);
	EXPECT_EQ(0, at_reap(pid));
	/* The client has changed its name and has exited. */
	ASSERT_EQ(0, peer_info(sfd, &info));
	EXPECT_STREQ("then", info.api_comm);
	EXPECT_EQ(pid, info.api_pid);
	EXPECT_EQ(65534, info.api_uid);
	at_close((int []){ sfd, lfd }, 2);
}

/*
 * The client sees the process that called listen() until its connection is
 * accepted, and then the process that called accept().
 */
TEST_F_TIMEOUT(pair, PEER_INFO_before_and_after_accept, AT_TIMEOUT)
{
	struct altconn_peer_info info;
	int lfd, fd, sfd, err;
	struct at_addr a;

	if (ORACLE)
		SKIP(return, "altconn only");
	prctl(PR_SET_NAME, "listens");
	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	ASSERT_LE(0, lfd);
	prctl(PR_SET_NAME, "connects");
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	prctl(PR_SET_NAME, "accepts");
	ASSERT_EQ(0, peer_info(fd, &info));
	EXPECT_STREQ("listens", info.api_comm);
	sfd = accept(lfd, NULL, NULL);
	prctl(PR_SET_NAME, "later");
	ASSERT_EQ(0, peer_info(fd, &info));
	EXPECT_STREQ("accepts", info.api_comm);
	ASSERT_EQ(0, peer_info(sfd, &info));
	EXPECT_STREQ("connects", info.api_comm);
	/* The process that called listen() last is the one that listens. */
	ASSERT_EQ(0, listen(lfd, 4));
	close(fd);
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, peer_info(fd, &info));
	EXPECT_STREQ("later", info.api_comm);
	at_close((int []){ fd, sfd, lfd }, 3);
}

/*
 * The LSMs know no label of the peer: SO_PEERSEC fails with ENOPROTOOPT, and
 * SO_PASSSEC adds no control message.
 */
TEST_F_TIMEOUT(pair, SO_PEERSEC_and_SO_PASSSEC, AT_TIMEOUT)
{
	union {
		char buf[CMSG_SPACE(256)];
		struct cmsghdr align;
	} control;
	char label[256], c = 'a';
	struct iovec iov = { &c, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	socklen_t len = sizeof(label);
	int err;

	if (ORACLE)
		SKIP(return, "altconn only");
	err = at_err(getsockopt(self->sv[0], SOL_SOCKET, SO_PEERSEC, label,
				&len));
	EXPECT_EQ(ENOPROTOOPT, err);
	err = set_int(self->sv[1], SOL_SOCKET, SO_PASSSEC, 1);
	EXPECT_TRUE(!err || err == EOPNOTSUPP);
	ASSERT_EQ(1, send(self->sv[0], &c, 1, 0));
	ASSERT_EQ(1, recvmsg(self->sv[1], &msg, 0));
	EXPECT_EQ(0, msg.msg_controllen);
	EXPECT_EQ(0, msg.msg_flags & MSG_CTRUNC);
}

/*
 * ALTCONN_PEER_INFO has no pid and no name of a process that is not visible in
 * the PID namespace of the caller.
 */
TEST_F_TIMEOUT(pair, PEER_INFO_in_another_pid_namespace, AT_TIMEOUT)
{
	struct altconn_peer_info info;
	pid_t pid;

	if (ORACLE)
		SKIP(return, "altconn only");
	ASSERT_EQ(0, peer_info(self->sv[0], &info));
	EXPECT_EQ(getpid(), info.api_pid);
	EXPECT_NE(0, info.api_comm[0]);
	ASSERT_EQ(0, unshare(CLONE_NEWPID));
	pid = fork();
	if (!pid)
		_exit(peer_info(self->sv[0], &info) || info.api_pid ||
		      info.api_comm[0] || info.api_netns != netns_inode());
	EXPECT_EQ(0, at_reap(pid));
}

FIXTURE(overflow) {
	struct at_addr a;
	int rfd, fd;
};

FIXTURE_VARIANT(overflow) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(overflow, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(overflow, unix_path) {
	.format = AT_UNIX, .kind = AT_PATH,
};
FIXTURE_VARIANT_ADD(overflow, inet) {
	.format = AT_IN, .kind = AT_INET,
};

FIXTURE_SETUP(overflow)
{
	int one = 1;

	self->rfd = at_bound(&self->a, variant->format, variant->kind,
			     SOCK_DGRAM);
	self->fd = at_socket(variant->format, SOCK_DGRAM);
	ASSERT_LE(0, self->rfd);
	ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_RCVBUF, &one,
				sizeof(one)));
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
}

/* As UDP, a receiver in an inet format drops new datagrams by default. */
#define OVERFLOW_DROPS	(variant->format == AT_IN)

FIXTURE_TEARDOWN(overflow)
{
	at_cleanup();
}

static unsigned int count_drops(int fd)
{
	unsigned int info[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len))
		return -1;
	return info[SK_MEMINFO_DROPS];
}

static int send_number(int fd, int i)
{
	return at_err(send(fd, &i, sizeof(i), MSG_DONTWAIT));
}

/* Receive a number without waiting. Return the number, or -1. */
static int recv_number(int fd)
{
	int i;

	return recv(fd, &i, sizeof(i), MSG_DONTWAIT) == sizeof(i) ? i : -1;
}

TEST_F_TIMEOUT(overflow, drop_newest, AT_TIMEOUT)
{
	int i, n = 0;

	ASSERT_EQ(0, at_set_option(self->rfd, ALTCONN_DGRAM_OVERFLOW,
				   ALTCONN_OVERFLOW_DROP_NEWEST));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(0, send_number(self->fd, i));
	EXPECT_EQ(POLLOUT, at_poll_now(self->fd, POLLOUT));
	while (recv_number(self->rfd) == n)
		n++;
	EXPECT_LT(1, n);
	EXPECT_EQ(100 - n, count_drops(self->rfd));
}

TEST_F_TIMEOUT(overflow, drop_oldest, AT_TIMEOUT)
{
	int i, first, n = 1;

	ASSERT_EQ(0, at_set_option(self->rfd, ALTCONN_DGRAM_OVERFLOW,
				   ALTCONN_OVERFLOW_DROP_OLDEST));
	for (i = 0; i < 100; i++)
		EXPECT_EQ(0, send_number(self->fd, i));
	first = recv_number(self->rfd);
	EXPECT_LT(0, first);
	while (recv_number(self->rfd) == first + n)
		n++;
	/* The newest datagrams have arrived without a gap. */
	EXPECT_EQ(100, first + n);
	EXPECT_EQ(first, count_drops(self->rfd));
}

/*
 * By default a full receiver blocks its senders, and in an inet format it drops
 * the new datagrams. Blocking can be chosen in the inet formats, too.
 */
TEST_F_TIMEOUT(overflow, default_and_block, AT_TIMEOUT)
{
	int i, n = 0, err = 0, value;
	socklen_t len = sizeof(value);

	EXPECT_EQ(0, getsockopt(self->rfd, SOL_ALTCONN, ALTCONN_DGRAM_OVERFLOW,
				&value, &len));
	EXPECT_EQ(OVERFLOW_DROPS ? ALTCONN_OVERFLOW_DROP_NEWEST :
				   ALTCONN_OVERFLOW_BLOCK, value);
	for (i = 0; i < 100 && !err; i++)
		err = send_number(self->fd, i);
	EXPECT_EQ(OVERFLOW_DROPS ? 0 : EAGAIN, err);
	while (recv_number(self->rfd) == n)
		n++;
	EXPECT_LT(1, n);
	/* The last call either dropped its datagram or sent nothing. */
	EXPECT_EQ(OVERFLOW_DROPS ? 100 - n : 0, count_drops(self->rfd));
	if (!OVERFLOW_DROPS)
		EXPECT_EQ(i - 1, n);

	ASSERT_EQ(0, at_set_option(self->rfd, ALTCONN_DGRAM_OVERFLOW,
				   ALTCONN_OVERFLOW_BLOCK));
	value = count_drops(self->rfd);
	for (i = 0; i < 100 && !send_number(self->fd, i); i++)
		;
	EXPECT_EQ(EAGAIN, send_number(self->fd, i));
	EXPECT_EQ(n, i);
	EXPECT_EQ(value, count_drops(self->rfd));
	EXPECT_EQ(EINVAL, at_err(at_set_option(self->rfd,
					       ALTCONN_DGRAM_OVERFLOW, 3)));
	value = at_socket(variant->format, SOCK_STREAM);
	EXPECT_EQ(ENOPROTOOPT, at_err(at_set_option(value,
						    ALTCONN_DGRAM_OVERFLOW,
						    0)));
}

/* A thread sends one number with a send() that may block. */
struct sender {
	pthread_t thread;
	int fd, err;
	atomic_int tid;
};

static void *run_sender(void *arg)
{
	struct sender *s = arg;
	int i = 4711;

	atomic_store(&s->tid, gettid());
	s->err = at_err(send(s->fd, &i, sizeof(i), 0));
	return NULL;
}

/* A sender that is blocked already goes on when the receiver begins to drop. */
TEST_F_TIMEOUT(overflow, set_while_a_sender_waits, AT_TIMEOUT)
{
	struct sender s = { .fd = self->fd };
	int i = 0, last = -1, n;

	ASSERT_EQ(0, at_set_blocking_receiver(self->rfd, variant->format));
	while (!send_number(self->fd, i))
		i++;
	ASSERT_EQ(0, at_start_asleep(&s.thread, run_sender, &s, &s.tid));
	ASSERT_EQ(0, at_set_option(self->rfd, ALTCONN_DGRAM_OVERFLOW,
				   ALTCONN_OVERFLOW_DROP_OLDEST));
	pthread_join(s.thread, NULL);
	EXPECT_EQ(0, s.err);
	while ((n = recv_number(self->rfd)) >= 0)
		last = n;
	EXPECT_EQ(4711, last);
}

/* The sysctl dgram_block_ms limits how long a full receiver blocks a sender. */
TEST_F_TIMEOUT(overflow, dgram_block_ms_ends_the_wait, AT_TIMEOUT)
{
	struct at_addr a;
	struct sender s;
	int rfd, fd, one = 1, i = 0;

	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	ASSERT_EQ(0, at_sysctl("altconn/dgram_block_ms"));
	ASSERT_EQ(0, at_sysctl_set("altconn/dgram_block_ms", 50));
	rfd = at_bound(&a, variant->format, variant->kind, SOCK_DGRAM);
	fd = at_socket(variant->format, SOCK_DGRAM);
	ASSERT_EQ(0, setsockopt(rfd, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one)));
	ASSERT_EQ(0, at_set_blocking_receiver(rfd, variant->format));
	ASSERT_EQ(0, at_err(at_connect(fd, &a)));
	while (!send_number(fd, i))
		i++;
	s = (struct sender) { .fd = fd };
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, run_sender, &s));
	pthread_join(s.thread, NULL);
	EXPECT_EQ(EAGAIN, s.err);
}

FIXTURE(share) {};

FIXTURE_VARIANT(share) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(share, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(share, unix_name) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(share, inet) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};

FIXTURE_SETUP(share) {}

FIXTURE_TEARDOWN(share)
{
	at_cleanup();
}

/*
 * Make a listener at @a, which shares the address if @share is true. Return its
 * descriptor, or -errno.
 */
static int listen_shared(const FIXTURE_VARIANT(share) *variant,
			 const struct at_addr *a, bool share, int backlog)
{
	int fd = at_listen_shared(variant->format, variant->type, a, share,
				  backlog);

	return fd < 0 ? -errno : fd;
}

static int accept_all(int fd)
{
	int n = 0, sfd;

	at_nonblock(fd, true);
	while ((sfd = accept(fd, NULL, NULL)) >= 0) {
		close(sfd);
		n++;
	}
	return n;
}

/* The connects of one CPU go to the listeners in turn. */
TEST_F_TIMEOUT(share, listeners_take_turns, AT_TIMEOUT)
{
	int fds[3], clients[30], i, err;
	struct at_addr a;

	ASSERT_EQ(0, at_pin(sched_getcpu()));
	at_addr(&a, variant->format, variant->kind);
	for (i = 0; i < 3; i++)
		ASSERT_LE(0, fds[i] = listen_shared(variant, &a, true, 20));
	for (i = 0; i < 30; i++) {
		clients[i] = at_client(variant->format, variant->type, &a,
				       &err);
		ASSERT_EQ(0, err);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(10, accept_all(fds[i]));
	at_close(clients, 30);
	/* After a listener has closed, the other listeners serve clients. */
	close(fds[1]);
	for (i = 0; i < 10; i++) {
		clients[i] = at_client(variant->format, variant->type, &a,
				       &err);
		ASSERT_EQ(0, err);
	}
	EXPECT_EQ(5, accept_all(fds[0]));
	EXPECT_EQ(5, accept_all(fds[2]));
	at_close(clients, 10);
	close(fds[0]);
	close(fds[2]);
	clients[0] = at_client(variant->format, variant->type, &a, &err);
	EXPECT_EQ(ECONNREFUSED, err);
}

/* Clients are served by a listener with space while another one is full. */
TEST_F_TIMEOUT(share, full_listener_is_passed_over, AT_TIMEOUT)
{
	int full, roomy, clients[20], i, err;
	struct at_addr a;

	at_addr(&a, variant->format, variant->kind);
	ASSERT_LE(0, full = listen_shared(variant, &a, true, 1));
	ASSERT_LE(0, roomy = listen_shared(variant, &a, true, 50));
	for (i = 0; i < 20; i++) {
		clients[i] = at_client(variant->format, variant->type, &a,
				       &err);
		ASSERT_EQ(0, err);
	}
	EXPECT_EQ(2, accept_all(full));
	EXPECT_EQ(18, accept_all(roomy));
	at_close(clients, 20);
}

TEST_F_TIMEOUT(share, only_with_sharing_sockets, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, value;
	socklen_t len = sizeof(value);
	pid_t pid;

	at_addr(&a, variant->format, variant->kind);
	ASSERT_LE(0, fd = listen_shared(variant, &a, true, 4));
	EXPECT_EQ(0, getsockopt(fd, SOL_ALTCONN, ALTCONN_SHARE_ADDRESS, &value,
				&len));
	EXPECT_EQ(1, value);
	EXPECT_EQ(-EADDRINUSE, listen_shared(variant, &a, false, 4));
	/* After bind() the option cannot change any more. */
	EXPECT_EQ(EINVAL, at_err(at_set_option(fd, ALTCONN_SHARE_ADDRESS, 0)));
	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges())
			_exit(1);
		_exit(listen_shared(variant, &a, true, 4) != -EADDRINUSE);
	}
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_LE(0, listen_shared(variant, &a, true, 4));
}

/*
 * connect() fails with EADDRINUSE if a socket that shares the local address is
 * connected to the same remote address (E-ADDRINUSE).
 */
TEST_F_TIMEOUT(share, E_ADDRINUSE_same_connection, AT_TIMEOUT)
{
	struct at_addr a, own;
	int lfd, fds[2], i;

	if (variant->format == AT_UNIX)
		SKIP(return, "AF_UNIX's clients share no name");
	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	ASSERT_LE(0, lfd);
	at_addr(&own, variant->format, variant->kind);
	for (i = 0; i < 2; i++) {
		fds[i] = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_err(at_set_option(fds[i], ALTCONN_SHARE_ADDRESS,
						  1)));
		ASSERT_EQ(0, at_err(at_bind(fds[i], &own)));
	}
	EXPECT_EQ(0, at_err(at_connect(fds[0], &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(fds[1], &a)));
	at_close((int []){ lfd, fds[0], fds[1] }, 3);
}

struct racer {
	pthread_t thread;
	const FIXTURE_VARIANT(share) *variant;
	struct at_addr a;
	atomic_bool *over;
	atomic_long *established, *other;
	bool listens;
};

/* Return whether the attempt failed because its listener closed. */
static bool was_closed(int fd)
{
	struct altconn_connect_info info;

	return !at_info(fd, &info) &&
	       info.aci_reason == ALTCONN_REASON_LISTENER_CLOSED;
}

/* Listen and close, or connect and close, again and again. */
static void *race_at_address(void *arg)
{
	struct racer *r = arg;
	int fd, err;

	while (!atomic_load(r->over)) {
		if (r->listens) {
			fd = listen_shared(r->variant, &r->a, true, 3);
			if (fd < 0)
				atomic_fetch_add(r->other, 1);
			accept_all(fd);
		} else {
			fd = at_client(r->variant->format, r->variant->type,
				       &r->a, &err);
			if (!err)
				atomic_fetch_add(r->established, 1);
			else if (err != ECONNRESET && !was_closed(fd))
				atomic_fetch_add(r->other, 1);
		}
		close(fd);
	}
	return NULL;
}

/*
 * Listeners open and close while clients connect. One listener stays open, so
 * only an attempt that waits at a listener that closes is refused.
 */
TEST_F_TIMEOUT(share, listeners_and_clients_race, AT_TIMEOUT)
{
	uint64_t end = at_now_ms() + at_scale(1500, 500);
	atomic_long established = 0, other = 0;
	atomic_bool over = false;
	struct racer racers[6];
	struct at_addr a;
	int i, fd;

	at_addr(&a, variant->format, variant->kind);
	ASSERT_LE(0, fd = listen_shared(variant, &a, true, 3));
	for (i = 0; i < 6; i++) {
		racers[i] = (struct racer) {
			.variant = variant, .a = a, .over = &over,
			.established = &established, .other = &other,
			.listens = i % 2,
		};
		ASSERT_EQ(0, pthread_create(&racers[i].thread, NULL,
					    race_at_address, &racers[i]));
	}
	while (at_now_ms() < end)
		accept_all(fd);
	atomic_store(&over, true);
	/* Accept until all threads have ended: a client may wait at @fd. */
	for (i = 0; i < 6; i++) {
		while (pthread_tryjoin_np(racers[i].thread, NULL))
			accept_all(fd);
	}
	EXPECT_LT(0, established);
	EXPECT_EQ(0, other);
	close(fd);
}

TEST_HARNESS_MAIN
