// SPDX-License-Identifier: GPL-2.0
/*
 * A socket that has closed keeps no memory and no descriptors. Each byte that
 * was sent to it has been read, or its sender gets an error. The same tests run
 * on AF_UNIX as the oracle.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

FIXTURE(closes) {
	int p[2];
};

FIXTURE_VARIANT(closes) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(closes, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(closes, native_seqpacket) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_SEQPACKET,
};

FIXTURE_VARIANT_ADD(closes, unix_stream) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(closes, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(closes, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(closes, oracle_seqpacket) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};

#define ORACLE (variant->format == AT_ORACLE)

FIXTURE_SETUP(closes)
{
	ASSERT_EQ(0, pipe(self->p));
}

FIXTURE_TEARDOWN(closes)
{
	at_close(self->p, 2);
	at_cleanup();
}

/*
 * Send the pipe's write end with two bytes, and close it here, so that the
 * message holds the only reference to it.
 */
static int send_pipe(int fd, int p[2])
{
	if (at_send_with(fd, "xy", 2, SCM_RIGHTS, &p[1], sizeof(int), 0) != 2)
		return -1;
	close(p[1]);
	p[1] = -1;
	return 0;
}

static bool has_writer(int fd)
{
	return !(at_poll_now(fd, POLLIN) & POLLHUP);
}

TEST_F_TIMEOUT(closes, unread_descriptors, AT_TIMEOUT)
{
	int sv[2], queued = -1;

	ASSERT_EQ(0,
		  at_pair(variant->format, variant->kind, variant->type, sv));
	ASSERT_EQ(0, send_pipe(sv[0], self->p));
	EXPECT_TRUE(has_writer(self->p[0]));
	close(sv[1]);
	EXPECT_TRUE(at_until(!has_writer(self->p[0])));
	/* SIOCOUTQ does not count data that the closed peer has not read. */
	EXPECT_EQ(0, ioctl(sv[0], SIOCOUTQ, &queued));
	EXPECT_EQ(0, queued);
	close(sv[0]);
}

/*
 * Data and descriptors that a socket has sent stay for its peer when the socket
 * closes.
 */
TEST_F_TIMEOUT(closes, sent_data_stays_readable, AT_TIMEOUT)
{
	char buf[8];
	int sv[2];

	ASSERT_EQ(0,
		  at_pair(variant->format, variant->kind, variant->type, sv));
	ASSERT_EQ(1, send(sv[1], "a", 1, 0));
	ASSERT_EQ(0, send_pipe(sv[1], self->p));
	close(sv[1]);
	EXPECT_EQ(1, recv(sv[0], buf, 1, 0));
	EXPECT_EQ('a', buf[0]);
	EXPECT_EQ(2, recv(sv[0], buf, 2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(buf, "xy", 2));
	EXPECT_TRUE(has_writer(self->p[0]));
	close(sv[0]);
	EXPECT_TRUE(at_until(!has_writer(self->p[0])));
}

TEST_F_TIMEOUT(closes, unread_descriptors_after_a_read, AT_TIMEOUT)
{
	int sv[2];
	char c;

	ASSERT_EQ(0,
		  at_pair(variant->format, variant->kind, variant->type, sv));
	ASSERT_EQ(1, send(sv[0], "a", 1, 0));
	ASSERT_EQ(0, send_pipe(sv[0], self->p));
	ASSERT_EQ(1, recv(sv[1], &c, 1, 0));
	close(sv[1]);
	EXPECT_TRUE(at_until(!has_writer(self->p[0])));
	EXPECT_EQ(-1, recv(sv[0], &c, 1, 0));
	EXPECT_EQ(ECONNRESET, errno);
	close(sv[0]);
}

TEST_F_TIMEOUT(closes, never_accepted, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd, fd, err;

	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 1);
	ASSERT_LE(0, lfd);
	fd = at_client(variant->format, variant->type, &a, &err);
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, send_pipe(fd, self->p));
	EXPECT_TRUE(has_writer(self->p[0]));
	close(lfd);
	EXPECT_TRUE(at_until(!has_writer(self->p[0])));
	close(fd);
}

TEST_F_TIMEOUT(closes, unread_descriptors_dissolved, AT_TIMEOUT)
{
	int sv[2];

	if (ORACLE)
		SKIP(return, "AF_UNIX cannot dissolve");
	ASSERT_EQ(0,
		  at_pair(variant->format, variant->kind, variant->type, sv));
	ASSERT_EQ(0, send_pipe(sv[1], self->p));
	ASSERT_EQ(0, at_connect_unspec(sv[0]));
	EXPECT_TRUE(at_until(!has_writer(self->p[0])));
	at_close(sv, 2);
}

static long available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/*
 * The unread data of 800 receivers that have closed takes no memory, although
 * their senders are still open.
 */
TEST_F_TIMEOUT(closes, unread_data_is_freed_by_close, AT_TIMEOUT)
{
	static char data[32 << 10];
	struct rlimit limit = { 4096, 4096 };
	long before, sent = 0, held;
	int fds[800], i, sv[2];
	ssize_t n;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	before = available_kb();
	for (i = 0; i < 800; i++) {
		ASSERT_EQ(0, at_socketpair(variant->format, variant->type, sv));
		fds[i] = sv[0];
		while ((n = send(sv[0], data, sizeof(data), MSG_DONTWAIT)) > 0)
			sent += n >> 10;
		close(sv[1]);
	}
	held = before - available_kb();
	EXPECT_LT(80000, sent);
	EXPECT_LT(held, sent / 4);
	at_close(fds, 800);
}

/* In a round of a race, this thread closes @fd while another thread sends. */
struct round {
	pthread_t thread;
	int fd, delay;
	/*
	 * If @peer is set, the thread shuts @fd down for writing instead, and
	 * reads @arrived bytes from @peer.
	 */
	int peer;
	size_t arrived;
	atomic_int *go;
};

static char many[32 << 10];

static void shut_and_read(struct round *r)
{
	static char buf[sizeof(many)];
	ssize_t n;

	shutdown(r->fd, SHUT_WR);
	while ((n = recv(r->peer, buf, sizeof(buf), 0)) > 0)
		r->arrived += n;
}

static void *close_beside(void *arg)
{
	struct round *r = arg;
	int i;

	atomic_fetch_add(r->go, 1);
	while (atomic_load(r->go) < 2)
		sched_yield();
	for (i = 0; i < r->delay; i++)
		atomic_load(r->go);
	if (r->peer)
		shut_and_read(r);
	else
		close(r->fd);
	return NULL;
}

static ssize_t send_beside(int fd, size_t len, struct round *r, atomic_int *go)
{
	atomic_init(go, 0);
	r->go = go;
	if (pthread_create(&r->thread, NULL, close_beside, r))
		return -2;
	while (!atomic_load(go))
		sched_yield();
	atomic_fetch_add(go, 1);
	return send(fd, many, len, MSG_NOSIGNAL);
}

/*
 * A send() that races with the peer's close() fails, or its byte is read, or
 * ECONNRESET reports that the byte was not read. The sender never gets end of
 * file after a byte that was lost.
 */
TEST_F_TIMEOUT(closes, send_beside_close_is_not_lost, AT_TIMEOUT_LONG)
{
	int rounds = at_scale(500, 100), i, sv[2], lost = 0, done = 0;
	struct round r = {};
	atomic_int go;
	ssize_t n;
	char c;

	if (variant->format == AT_IN)
		SKIP(return, "as TCP: the first send() after a close succeeds");
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, at_socketpair(variant->format, variant->type, sv));
		r = (struct round) { .fd = sv[1], .delay = i % 300 };
		n = send_beside(sv[0], 1, &r, &go);
		pthread_join(r.thread, NULL);
		done += n == 1;
		if (n == 1 && !recv(sv[0], &c, 1, 0))
			lost++;
		close(sv[0]);
	}
	EXPECT_EQ(0, lost);
	TH_LOG("%d of %d were sent before", done, rounds);
}

/*
 * shutdown(SHUT_WR) runs beside a send() of data that takes a while to copy.
 * The peer reads all bytes that send() reported as sent before end of file, and
 * no byte afterwards.
 */
TEST_F_TIMEOUT(closes, send_beside_shutdown_keeps_the_order, AT_TIMEOUT_LONG)
{
	int rounds = at_scale(300, 100), i, sv[2], behind = 0, wrong = 0;
	struct round r = {};
	atomic_int go;
	ssize_t n;
	char c;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, at_socketpair(variant->format, variant->type, sv));
		r = (struct round) {
			.fd = sv[0], .peer = sv[1], .delay = i % 300,
		};
		n = send_beside(sv[0], sizeof(many), &r, &go);
		pthread_join(r.thread, NULL);
		behind += recv(sv[1], &c, 1, MSG_DONTWAIT) > 0;
		wrong += r.arrived != (n > 0 ? n : 0);
		close(sv[0]);
		close(sv[1]);
	}
	EXPECT_EQ(0, behind);
	EXPECT_EQ(0, wrong);
}

TEST_HARNESS_MAIN
