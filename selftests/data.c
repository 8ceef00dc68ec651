// SPDX-License-Identifier: GPL-2.0
/*
 * These tests send bytes and records over a connection: they show flags, ends
 * and errors, and send a gibibyte, which must have the same sum on both sides.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <wchar.h>

FIXTURE(conn) {
	int sv[2];
};

FIXTURE_VARIANT(conn) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(conn, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(conn, unix_stream) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(conn, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(conn, native_seqpacket) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(conn, unix_seqpacket) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(conn, oracle_seqpacket) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};

FIXTURE_SETUP(conn)
{
	ASSERT_EQ(0, at_pair(variant->format, variant->kind, variant->type,
			     self->sv));
}

FIXTURE_TEARDOWN(conn)
{
	at_cleanup();
}

#define STREAM (variant->type == SOCK_STREAM)

static ssize_t recv_flags(int fd, void *buf, size_t len, int flags, int *out)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n = recvmsg(fd, &msg, flags);

	*out = msg.msg_flags;
	return n;
}

TEST_F_TIMEOUT(conn, boundaries, AT_TIMEOUT)
{
	char buf[16];

	ASSERT_EQ(3, send(self->sv[0], "abc", 3, 0));
	ASSERT_EQ(2, send(self->sv[0], "de", 2, 0));
	EXPECT_EQ(STREAM ? 5 : 3, recv(self->sv[1], buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));
	if (!STREAM) {
		EXPECT_EQ(2, recv(self->sv[1], buf, sizeof(buf), 0));
	}
}

TEST_F_TIMEOUT(conn, short_read, AT_TIMEOUT)
{
	char buf[16] = {};
	int flags;

	ASSERT_EQ(6, send(self->sv[0], "abcdef", 6, 0));
	ASSERT_EQ(1, send(self->sv[0], "g", 1, 0));
	EXPECT_EQ(2, recv_flags(self->sv[1], buf, 2, 0, &flags));
	EXPECT_EQ(STREAM ? 0 : MSG_TRUNC, flags & MSG_TRUNC);
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	EXPECT_EQ(STREAM ? 5 : 1, recv(self->sv[1], buf, sizeof(buf), 0));
	EXPECT_EQ(STREAM ? 'c' : 'g', buf[0]);
}

TEST_F_TIMEOUT(conn, MSG_TRUNC_asks_for_the_length, AT_TIMEOUT)
{
	char buf[16];

	if (STREAM)
		SKIP(return, "records only");
	ASSERT_EQ(6, send(self->sv[0], "abcdef", 6, 0));
	EXPECT_EQ(6, recv(self->sv[1], buf, 2, MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(6, recv(self->sv[1], buf, 2, MSG_TRUNC));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 2, MSG_DONTWAIT)));
}

TEST_F_TIMEOUT(conn, MSG_EOR_marks_records, AT_TIMEOUT)
{
	char buf[16];
	int flags;

	if (variant->format == AT_ORACLE)
		SKIP(return,
		     "AF_UNIX does not always mark the received record");
	ASSERT_EQ(3, send(self->sv[0], "abc", 3, MSG_EOR));
	EXPECT_EQ(3, recv_flags(self->sv[1], buf, sizeof(buf), 0, &flags));
	EXPECT_EQ(STREAM ? 0 : MSG_EOR, flags & MSG_EOR);
	EXPECT_EQ(0, flags & MSG_TRUNC);
}

TEST_F_TIMEOUT(conn, MSG_PEEK_leaves_the_data, AT_TIMEOUT)
{
	char buf[16];
	int i;

	ASSERT_EQ(3, send(self->sv[0], "abc", 3, 0));
	ASSERT_EQ(3, send(self->sv[0], "def", 3, 0));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(2, recv(self->sv[1], buf, 2, MSG_PEEK));
		EXPECT_EQ(0, memcmp(buf, "ab", 2));
	}
	EXPECT_EQ(3, recv(self->sv[1], buf, 3, 0));
	EXPECT_EQ(0, memcmp(buf, "abc", 3));
	EXPECT_EQ(3, recv(self->sv[1], buf, 3, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "def", 3));
}

TEST_F_TIMEOUT(conn, MSG_DONTWAIT_empty, AT_TIMEOUT)
{
	char c;

	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[0], &c, 1, MSG_DONTWAIT)));
	ASSERT_EQ(0, at_nonblock(self->sv[0], true));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[0], &c, 1, 0)));
}

TEST_F_TIMEOUT(conn, SO_RCVTIMEO_ends_the_wait, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 20000 };
	char c;

	ASSERT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[0], &c, 1, 0)));
}

TEST_F_TIMEOUT(conn, SO_SNDTIMEO_ends_the_wait, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 20000 };
	static char buf[4096];
	int i;

	ASSERT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	for (i = 0; i < 1 << 20; i++)
		if (send(self->sv[0], buf, sizeof(buf), 0) != sizeof(buf))
			break;
	EXPECT_EQ(EAGAIN, at_err(send(self->sv[0], buf, sizeof(buf), 0)));
}

TEST_F_TIMEOUT(conn, MSG_OOB_EOPNOTSUPP, AT_TIMEOUT)
{
	char c;

	if (variant->format == AT_ORACLE)
		SKIP(return, "newer AF_UNIX streams support MSG_OOB");
	EXPECT_EQ(EOPNOTSUPP, at_err(send(self->sv[0], "x", 1, MSG_OOB)));
	EXPECT_EQ(EOPNOTSUPP, at_err(recv(self->sv[0], &c, 1, MSG_OOB)));
}

TEST_F_TIMEOUT(conn, zero_bytes, AT_TIMEOUT)
{
	char buf[4];

	EXPECT_EQ(0, at_err(send(self->sv[0], buf, 0, 0)));
	if (!STREAM) {
		EXPECT_EQ(POLLIN, at_poll(self->sv[1], POLLIN));
		EXPECT_EQ(0, recv(self->sv[1], buf, 4, MSG_DONTWAIT));
	}
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 4, MSG_DONTWAIT)));
	EXPECT_EQ(1, send(self->sv[0], "x", 1, 0));
	EXPECT_EQ(1, recv(self->sv[1], buf, 4, 0));
}

TEST_F_TIMEOUT(conn, read_of_zero_bytes, AT_TIMEOUT)
{
	char buf[4];

	ASSERT_EQ(3, send(self->sv[0], "abc", 3, 0));
	EXPECT_EQ(0, recv(self->sv[1], buf, 0, 0));
	/* A read of 0 bytes consumes a record, but no byte of a stream. */
	if (STREAM) {
		EXPECT_EQ(3, recv(self->sv[1], buf, 4, 0));
	} else {
		EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 4,
					      MSG_DONTWAIT)));
	}
}

TEST_F_TIMEOUT(conn, vectors, AT_TIMEOUT)
{
	char a[2], b[3], c[8];
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdefg", 5 } };
	struct iovec in[3] = { { a, 2 }, { b, 3 }, { c, 8 } };

	EXPECT_EQ(7, writev(self->sv[0], out, 3));
	EXPECT_EQ(7, readv(self->sv[1], in, 3));
	EXPECT_EQ(0, memcmp(a, "ab", 2));
	EXPECT_EQ(0, memcmp(b, "cde", 3));
	EXPECT_EQ(0, memcmp(c, "fg", 2));
}

TEST_F_TIMEOUT(conn, SIOCINQ_SIOCOUTQ, AT_TIMEOUT)
{
	int in = -1, out = -1;
	char buf[100] = {};

	ASSERT_EQ(0, ioctl(self->sv[1], SIOCINQ, &in));
	EXPECT_EQ(0, in);
	ASSERT_EQ(0, ioctl(self->sv[0], SIOCOUTQ, &out));
	EXPECT_EQ(0, out);
	ASSERT_EQ(60, send(self->sv[0], buf, 60, 0));
	ASSERT_EQ(40, send(self->sv[0], buf, 40, 0));
	ASSERT_EQ(0, ioctl(self->sv[1], SIOCINQ, &in));
	/*
	 * SIOCINQ counts all unread bytes. For records of AF_UNIX, some kernels
	 * count the first record only.
	 */
	if (STREAM || variant->format != AT_ORACLE) {
		EXPECT_EQ(100, in);
	}
	ASSERT_EQ(0, ioctl(self->sv[0], SIOCOUTQ, &out));
	EXPECT_LE(100, out);
	while (recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	ASSERT_EQ(0, ioctl(self->sv[0], SIOCOUTQ, &out));
	EXPECT_EQ(0, out);
	EXPECT_EQ(ENOTTY, at_err(ioctl(self->sv[0], 0x89ef, &out)));
}

/* These tests end a connection, or one direction of it. */
TEST_F_TIMEOUT(conn, close_EOF_then_EPIPE, AT_TIMEOUT)
{
	char c;

	ASSERT_EQ(1, send(self->sv[1], "x", 1, 0));
	close(self->sv[1]);
	EXPECT_EQ(EPIPE, at_err(send(self->sv[0], "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(1, recv(self->sv[0], &c, 1, 0));
	EXPECT_EQ(0, recv(self->sv[0], &c, 1, 0));
	EXPECT_EQ(0, recv(self->sv[0], &c, 1, 0));
}

TEST_F_TIMEOUT(conn, SIGPIPE_unless_MSG_NOSIGNAL, AT_TIMEOUT)
{
	ASSERT_EQ(0, at_catch(SIGPIPE, 0));
	close(self->sv[1]);
	EXPECT_EQ(EPIPE, at_err(send(self->sv[0], "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(0, atomic_load(&at_caught));
	EXPECT_EQ(EPIPE, at_err(send(self->sv[0], "x", 1, 0)));
	/*
	 * In the sockaddr_un format only streams raise SIGPIPE, as with
	 * AF_UNIX. In the native format seqpacket sockets raise it too.
	 */
	EXPECT_EQ(STREAM || variant->format == AT_NATIVE,
		  atomic_load(&at_caught));
}

TEST_F_TIMEOUT(conn, unread_data_ECONNRESET_once, AT_TIMEOUT)
{
	int resets = 0, bytes = 0;
	ssize_t n;
	char c;

	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	ASSERT_EQ(1, send(self->sv[1], "y", 1, 0));
	close(self->sv[1]);
	/*
	 * AF_UNIX reports the reset of a stream after the data, and the reset
	 * of a seqpacket socket before the data.
	 */
	while ((n = recv(self->sv[0], &c, 1, 0)) && bytes + resets < 4) {
		if (n > 0)
			bytes++;
		else
			resets += errno == ECONNRESET;
	}
	EXPECT_EQ(1, resets);
	EXPECT_EQ(1, bytes);
	EXPECT_EQ(0, n);
}

TEST_F_TIMEOUT(conn, shutdown_write_half, AT_TIMEOUT)
{
	char c;

	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	EXPECT_EQ(EPIPE, at_err(send(self->sv[0], "y", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(1, recv(self->sv[1], &c, 1, 0));
	EXPECT_EQ(0, recv(self->sv[1], &c, 1, 0));
	EXPECT_EQ(1, send(self->sv[1], "z", 1, MSG_NOSIGNAL));
	EXPECT_EQ(1, recv(self->sv[0], &c, 1, 0));
	EXPECT_EQ('z', c);
}

TEST_F_TIMEOUT(conn, shutdown_read_half, AT_TIMEOUT)
{
	char c;

	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_RD));
	EXPECT_EQ(0, recv(self->sv[0], &c, 1, 0));
	EXPECT_EQ(EPIPE, at_err(send(self->sv[1], "y", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(1, send(self->sv[0], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(1, recv(self->sv[1], &c, 1, 0));
}

TEST_F_TIMEOUT(conn, shutdown_both_and_bad, AT_TIMEOUT)
{
	char c;

	EXPECT_EQ(EINVAL, at_err(shutdown(self->sv[0], 3)));
	EXPECT_EQ(EINVAL, at_err(shutdown(self->sv[0], -1)));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_RDWR));
	EXPECT_EQ(0, recv(self->sv[0], &c, 1, 0));
	EXPECT_EQ(0, recv(self->sv[1], &c, 1, 0));
	EXPECT_EQ(EPIPE, at_err(send(self->sv[0], "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(EPIPE, at_err(send(self->sv[1], "x", 1, MSG_NOSIGNAL)));
}

TEST_F_TIMEOUT(conn, sendto_with_an_address, AT_TIMEOUT)
{
	struct at_addr a;
	char buf[8];

	/* A stream refuses an address, and a seqpacket socket ignores it. */
	at_addr(&a, variant->format, AT_NAME);
	EXPECT_EQ(STREAM ? EISCONN : 0,
		  at_err(sendto(self->sv[0], "x", 1, MSG_NOSIGNAL, &a.sa,
				a.len)));
	if (!STREAM) {
		EXPECT_EQ(1, recv(self->sv[1], buf, 8, MSG_DONTWAIT));
		EXPECT_EQ('x', buf[0]);
	}
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 8, MSG_DONTWAIT)));
}

TEST_F_TIMEOUT(conn, SO_SNDBUF_bounds, AT_TIMEOUT)
{
	static const int sizes[] = { 8192, 65536, 262144 };
	long before = 0, sum;
	int i, sv[2], fd;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct at_addr a;

		fd = at_listener(&a, variant->format, AT_NAME, variant->type,
				 1);
		sv[0] = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, setsockopt(sv[0], SOL_SOCKET, SO_SNDBUFFORCE,
					&sizes[i], sizeof(int)));
		ASSERT_EQ(0, at_err(at_connect(sv[0], &a)));
		sv[1] = accept(fd, NULL, NULL);
		sum = at_fill_buffer(sv[0], 1024);
		EXPECT_LT(0, sum);
		EXPECT_LT(before, sum);
		/*
		 * The core doubles the value of the option. The buffer takes no
		 * more.
		 */
		EXPECT_GE(2L * sizes[i] + 4096, sum);
		before = sum;
		close(sv[0]);
		close(sv[1]);
		close(fd);
	}
}

TEST_F_TIMEOUT(conn, EMSGSIZE_record, AT_TIMEOUT)
{
	static char buf[1 << 20];
	int size = 16384;

	if (STREAM)
		SKIP(return, "records only");
	ASSERT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	EXPECT_EQ(EMSGSIZE, at_err(send(self->sv[0], buf, sizeof(buf),
					MSG_DONTWAIT)));
	EXPECT_EQ(8192, send(self->sv[0], buf, 8192, MSG_DONTWAIT));
	EXPECT_EQ(8192, recv(self->sv[1], buf, sizeof(buf), 0));
}

TEST_F_TIMEOUT(conn, full_then_space_loses_nothing, AT_TIMEOUT)
{
	static char buf[65536];
	long sent, got = 0;
	ssize_t n;
	int i;

	for (i = 0; i < 3; i++) {
		sent = at_fill_buffer(self->sv[0], 1000 + i);
		got = 0;
		while ((n = recv(self->sv[1], buf, sizeof(buf),
				 MSG_DONTWAIT)) > 0)
			got += n;
		EXPECT_EQ(sent, got);
	}
}

/* This thread sends, so that the two ends may wait for each other. */
struct sender {
	pthread_t thread;
	int fd, type;
	uint64_t bytes, seed;
	size_t most;
	struct at_sum sum;
	bool failed;
};

#define PATTERN (1 << 20)

static char pattern[PATTERN];

static void *send_all(void *arg)
{
	struct sender *s = arg;
	uint64_t left = s->bytes;
	size_t n, at;

	while (left) {
		n = at_random(&s->seed) % s->most + 1;
		if (n > left)
			n = left;
		at = at_random(&s->seed) % (PATTERN - n + 1);
		at_sum(&s->sum, pattern + at, n);
		if (s->type != SOCK_STREAM)
			at_sum(&s->sum, &n, sizeof(n));
		if (at_send_all(s->fd, pattern + at, n)) {
			s->failed = true;
			break;
		}
		left -= n;
	}
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

static int start_sender(struct sender *s, int fd, int type, uint64_t bytes,
			size_t most)
{
	*s = (struct sender) {
		.fd = fd, .type = type, .bytes = bytes, .most = most,
		.seed = 88172645463325252ULL,
	};
	at_random_fill(&s->seed, pattern, sizeof(pattern));
	return pthread_create(&s->thread, NULL, send_all, s) ? -1 : 0;
}

static uint64_t receive_all(int fd, int type, size_t most,
			    struct at_sum *sum)
{
	static char buf[PATTERN];
	uint64_t total = 0, seed = 4711;
	ssize_t got;
	size_t n;

	for (;;) {
		n = type == SOCK_STREAM ? at_random(&seed) % most + 1 : most;
		got = recv(fd, buf, n, 0);
		if (got <= 0)
			return got ? 0 : total;
		at_sum(sum, buf, got);
		n = got;
		if (type != SOCK_STREAM)
			at_sum(sum, &n, sizeof(n));
		total += got;
	}
}

TEST_F_TIMEOUT(conn, MSG_WAITALL_fills, AT_TIMEOUT)
{
	static char buf[200000];
	struct sender s;

	if (!STREAM)
		SKIP(return, "streams only");
	ASSERT_EQ(0, start_sender(&s, self->sv[0], variant->type,
				  sizeof(buf) + 100, 1000));
	EXPECT_EQ(sizeof(buf), recv(self->sv[1], buf, sizeof(buf),
				    MSG_WAITALL));
	/* Only the end of the stream cuts the call short. */
	EXPECT_EQ(100, recv(self->sv[1], buf, sizeof(buf), MSG_WAITALL));
	pthread_join(s.thread, NULL);
}

static uint64_t bulk_bytes(enum at_format format)
{
	return format == AT_ORACLE ? 16ULL << 20 :
				    (uint64_t)at_scale(1024, 64) << 20;
}

/*
 * Return whether the variant sends the whole gibibyte. Both address formats use
 * the same data path, so one variant of each socket type is enough.
 */
static bool moves_all(enum at_format format, int type)
{
	return type == SOCK_STREAM ? format == AT_NATIVE : format == AT_UNIX;
}

TEST_F_TIMEOUT(conn, bulk_by_checksum, AT_TIMEOUT_LONG)
{
	uint64_t bytes = bulk_bytes(variant->format);
	size_t most = STREAM ? 262144 : 100000;
	struct at_sum sum = {};
	struct sender s;

	if (variant->format != AT_ORACLE &&
	    !moves_all(variant->format, variant->type))
		bytes = 16ULL << 20;
	ASSERT_EQ(0, start_sender(&s, self->sv[0], variant->type, bytes,
				  most));
	EXPECT_EQ(bytes, receive_all(self->sv[1], variant->type, most, &sum));
	pthread_join(s.thread, NULL);
	EXPECT_FALSE(s.failed);
	EXPECT_TRUE(at_sum_eq(&s.sum, &sum));
	EXPECT_NE(0, sum.b[0]);
}

/* Both ends send and receive at once, in small pieces. */
TEST_F_TIMEOUT(conn, both_directions, AT_TIMEOUT_LONG)
{
	uint64_t bytes = at_scale(8, 1) << 20;
	struct at_sum sum[2] = {};
	struct sender s[2];
	pid_t pid;

	pid = at_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		start_sender(&s[1], self->sv[1], variant->type, bytes, 3000);
		if (receive_all(self->sv[1], variant->type, 3000, &sum[1]) !=
		    bytes)
			_exit(1);
		pthread_join(s[1].thread, NULL);
		/* Both sides use the same seed, so they send the same bytes. */
		_exit(!at_sum_eq(&s[1].sum, &sum[1]) || s[1].failed);
	}
	ASSERT_EQ(0, start_sender(&s[0], self->sv[0], variant->type, bytes,
				  3000));
	EXPECT_EQ(bytes, receive_all(self->sv[0], variant->type, 3000,
				     &sum[0]));
	pthread_join(s[0].thread, NULL);
	EXPECT_TRUE(at_sum_eq(&s[0].sum, &sum[0]));
	EXPECT_EQ(0, at_reap(pid));
}

/* This thread waits in recv() on @fd, and stores the result in @ret. */
struct reader {
	int fd, ret;
	atomic_int tid;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;
	char c;

	atomic_store(&r->tid, gettid());
	r->ret = recv(r->fd, &c, 1, 0);
	return NULL;
}

TEST_F_TIMEOUT(conn, blocked_reader_sees_close, AT_TIMEOUT)
{
	struct reader r = { .fd = self->sv[0], .ret = -1 };
	pthread_t thread;
	int tid;

	ASSERT_EQ(0, pthread_create(&thread, NULL, read_one, &r));
	ASSERT_TRUE(at_until((tid = atomic_load(&r.tid)) && at_sleeps(tid)));
	close(self->sv[1]);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, r.ret);
}

/*
 * The first blocked reader sleeps in the socket's rcuwait, and the second one
 * in its wait queue. Both are woken.
 */
TEST_F_TIMEOUT(conn, two_blocked_readers_get_one_each, AT_TIMEOUT)
{
	struct reader r[2] = {
		{ .fd = self->sv[0], .ret = -1 },
		{ .fd = self->sv[0], .ret = -1 },
	};
	pthread_t threads[2];
	int tid, i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, read_one,
					    &r[i]));
		ASSERT_TRUE(at_until((tid = atomic_load(&r[i].tid)) &&
				     at_sleeps(tid)));
	}
	ASSERT_EQ(1, send(self->sv[1], "a", 1, 0));
	ASSERT_EQ(1, send(self->sv[1], "b", 1, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_EQ(1, r[i].ret);
	}
}

/*
 * A connection still works after it was idle for longer than two scans for
 * emptied buffers, which free their memory. AF_UNIX has no such scans.
 */
TEST_F_TIMEOUT(conn, works_after_idle_time, AT_TIMEOUT)
{
	bool oracle = at_is_oracle(variant->format);
	struct timespec idle = { .tv_sec = oracle ? 0 : 3 };
	char big[3000], buf[3000];
	int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 20; i++) {
			memset(big, 'a' + i, sizeof(big));
			ASSERT_EQ(sizeof(big), send(self->sv[0], big,
						    sizeof(big), 0));
		}
		for (i = 0; i < 20; i++) {
			ASSERT_EQ(sizeof(buf), recv(self->sv[1], buf,
						    sizeof(buf), MSG_WAITALL));
			memset(big, 'a' + i, sizeof(big));
			ASSERT_EQ(0, memcmp(big, buf, sizeof(buf)));
		}
		if (!round)
			nanosleep(&idle, NULL);
	}
}

/*
 * All words of a record, or its first RECORD_FIRST words, contain the number of
 * the record.
 */
#define RECORD_WORDS	3999
#define RECORD_FIRST	64

static ssize_t send_numbered(int fd, uint32_t number, uint32_t *buf, size_t n,
			     bool whole)
{
	wmemset((wchar_t *)buf, number, whole ? n : RECORD_FIRST);
	return send(fd, buf, n * sizeof(*buf), 0);
}

/* Receive the next record. Return whether it equals the record at @sent. */
static bool recv_numbered(int fd, const uint32_t *sent, size_t n, bool whole)
{
	static uint32_t buf[RECORD_WORDS + 1];
	size_t size = (whole ? n : RECORD_FIRST) * sizeof(*buf);

	return recv(fd, buf, whole ? sizeof(buf) : size, MSG_TRUNC) ==
	       (ssize_t)(n * sizeof(*buf)) && !memcmp(buf, sent, size);
}

/*
 * Positions in a buffer have 32 bits, so they wrap around after 4 GiB. Up to
 * there one record is always unread, and the same memory serves for all
 * records. One record ends just behind the wrap, and the records after it are
 * more than that memory holds. All of these records, and the last 1000 before
 * the wrap, are written and compared as a whole. The many records before them
 * are written and compared only at their beginning.
 */
TEST_F_TIMEOUT(conn, records_wrap_at_4_gib, AT_TIMEOUT_LONG)
{
	static uint32_t buf[8][RECORD_WORDS];
	const size_t words = RECORD_WORDS, total = 4 + words * 4;
	const uint32_t n = (1ULL << 32) / total, whole = n - 1000;
	const size_t gap = (1ULL << 32) - (uint64_t)n * total;
	uint32_t i;

	if (STREAM)
		SKIP(return, "records only");
	if (variant->format != AT_NATIVE)
		SKIP(return, "one variant is enough");
	if (getenv("ALTCONN_DEBUG_KERNEL"))
		SKIP(return, "this takes half an hour on the debug kernel");
	for (i = 0; i < n; i++) {
		ASSERT_EQ(words * 4, send_numbered(self->sv[0], i, buf[i % 8],
						   words, i >= whole));
		if (i)
			ASSERT_TRUE(recv_numbered(self->sv[1],
						  buf[(i - 1) % 8], words,
						  i > whole));
	}
	ASSERT_EQ(gap + 4, send_numbered(self->sv[0], n, buf[n % 8],
					 gap / 4 + 1, true));
	for (i = n + 1; i < n + 4; i++)
		ASSERT_EQ(words * 4, send_numbered(self->sv[0], i, buf[i % 8],
						   words, true));
	for (i = n - 1; i < n + 4; i++)
		ASSERT_TRUE(recv_numbered(self->sv[1], buf[i % 8],
					  i == n ? gap / 4 + 1 : words, true)) {
			TH_LOG("record %u of %u", i, n);
		}
}

/* Send each message back, until the connection ends. */
static void *echo_messages(void *arg)
{
	int fd = *(int *)arg, n;

	while (recv(fd, &n, sizeof(n), 0) == sizeof(n))
		if (send(fd, &n, sizeof(n), 0) != sizeof(n))
			break;
	return NULL;
}

/*
 * A reader misses no message, however long it busy-polls before it sleeps, and
 * also when net.altconn.busy_poll_us changes meanwhile.
 */
TEST_F_TIMEOUT(conn, busy_poll_us_changes_meanwhile, AT_TIMEOUT)
{
	static const long us[] = { 0, 1000, 20, 100 };
	/* AF_UNIX has no such sysctl. */
	int i, n, rounds = variant->format == AT_ORACLE ? 100 :
							  at_scale(2000, 200);
	struct timeval tv = { .tv_usec = 20000 };
	pthread_t thread;

	/* The sysctl belongs to a network namespace of this test alone. */
	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	at_close(self->sv, 2);
	ASSERT_EQ(0, at_pair(variant->format, variant->kind, variant->type,
			     self->sv));
	ASSERT_EQ(0,
		  pthread_create(&thread, NULL, echo_messages, &self->sv[1]));
	for (i = 0; i < rounds; i++) {
		if (variant->format != AT_ORACLE && i % 97 == 0)
			ASSERT_EQ(0, at_sysctl_set("altconn/busy_poll_us",
						   us[i / 97 % 4]));
		ASSERT_EQ(sizeof(i), send(self->sv[0], &i, sizeof(i), 0));
		ASSERT_EQ(sizeof(n), recv(self->sv[0], &n, sizeof(n), 0));
		ASSERT_EQ(i, n);
	}
	ASSERT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[0], &n, sizeof(n), 0)));
	shutdown(self->sv[0], SHUT_WR);
	pthread_join(thread, NULL);
}

TEST_F_TIMEOUT(conn, blocked_writer_sees_close, AT_TIMEOUT)
{
	struct sender s;

	ASSERT_EQ(0, at_catch(SIGPIPE, 0));
	ASSERT_EQ(0, start_sender(&s, self->sv[0], variant->type, 1ULL << 40,
				  4096));
	ASSERT_NE(0, at_poll(self->sv[1], POLLIN));
	close(self->sv[1]);
	pthread_join(s.thread, NULL);
	EXPECT_TRUE(s.failed);
}

/*
 * A call with a bad buffer (E-FAULT) sends no data, and takes no data from a
 * stream.
 */
TEST_F_TIMEOUT(conn, E_FAULT, AT_TIMEOUT)
{
	/* AF_UNIX drops a record that it cannot copy. */
	bool keeps = STREAM || variant->format != AT_ORACLE;
	char buf[8] = {};

	EXPECT_EQ(EFAULT, at_err(send(self->sv[0], (void *)8, 4, 0)));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 8, MSG_DONTWAIT)));
	ASSERT_EQ(3, send(self->sv[0], "abc", 3, 0));
	EXPECT_EQ(EFAULT, at_err(recv(self->sv[1], (void *)8, 4, 0)));
	if (keeps) {
		EXPECT_EQ(3, recv(self->sv[1], buf, 8, MSG_DONTWAIT));
		EXPECT_STREQ("abc", buf);
	}
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 8, MSG_DONTWAIT)));
}

#define BIG_BUF		(16UL << 20)

/* Return how many pages of @buf are in memory, or -1 on failure. */
static int pages_touched(char *buf)
{
	static unsigned char in_core[BIG_BUF / 4096];
	size_t page = sysconf(_SC_PAGESIZE), i;
	int n = 0;

	if (mincore(buf, BIG_BUF, in_core))
		return -1;
	for (i = 0; i < BIG_BUF / page; i++)
		n += in_core[i] & 1;
	return n;
}

/* A read into a large buffer touches only the pages that it fills. */
TEST_F_TIMEOUT(conn, recv_touches_no_more_than_it_fills, AT_TIMEOUT)
{
	static const int flags[] = { MSG_PEEK, 0 };
	char *buf;
	size_t i;

	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		buf = mmap(NULL, BIG_BUF, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		ASSERT_NE(MAP_FAILED, buf);
		madvise(buf, BIG_BUF, MADV_NOHUGEPAGE);
		ASSERT_EQ(1, recv(self->sv[1], buf, BIG_BUF, flags[i]));
		EXPECT_EQ(1, pages_touched(buf));
		munmap(buf, BIG_BUF);
	}
}

TEST_HARNESS_MAIN
