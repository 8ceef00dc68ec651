// SPDX-License-Identifier: GPL-2.0
/*
 * Datagram senders at a full receiver: they go on in the order in which they
 * came, nobody overtakes them, and what a sender was told is what the receiver got.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <signal.h>

FIXTURE(full) {
	struct at_addr a;
	int rfd;
};

FIXTURE_VARIANT(full) {
	enum at_dress dress;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(full, native_port) { AT_NATIVE, AT_PORT };
FIXTURE_VARIANT_ADD(full, inet) { AT_IN, AT_INET };
FIXTURE_VARIANT_ADD(full, unix_path) { AT_UNIX, AT_PATH };
FIXTURE_VARIANT_ADD(full, oracle_path) { AT_ORACLE, AT_PATH };

#define ORACLE (variant->dress == AT_ORACLE)

FIXTURE_SETUP(full)
{
	int size = 1;

	self->rfd = at_bound(&self->a, variant->dress, variant->kind,
			     SOCK_DGRAM);
	ASSERT_LE(0, self->rfd);
	ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_RCVBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, at_catch(SIGUSR1, 0));
}

FIXTURE_TEARDOWN(full)
{
	at_cleanup();
}

static int connected(FIXTURE_DATA(full) *self, const FIXTURE_VARIANT(full) *v)
{
	int fd = at_socket(v->dress, SOCK_DGRAM);

	return at_connect(fd, &self->a) ? -1 : fd;
}

static int give(int fd, char c)
{
	return at_err(send(fd, &c, 1, MSG_DONTWAIT | MSG_NOSIGNAL));
}

/* Fill with dots. */
static int fill(int fd)
{
	int n = 0;

	while (!give(fd, '.'))
		n++;
	return n;
}

static char take(int fd)
{
	char c;

	return recv(fd, &c, 1, MSG_DONTWAIT) == 1 ? c : 0;
}

/* What comes, without the dots. */
static void take_all(int fd, char *buf, size_t size, size_t want)
{
	size_t n = 0;

	memset(buf, 0, size);
	while (n < want && at_poll(fd, POLLIN) & POLLIN) {
		char c = take(fd);

		if (c && c != '.')
			buf[n++] = c;
	}
}

struct sender {
	pthread_t thread;
	int fd;
	char c;
	atomic_int tid;
	int err;
};

static void *send_one(void *arg)
{
	struct sender *s = arg;

	atomic_store(&s->tid, gettid());
	s->err = at_err(send(s->fd, &s->c, 1, MSG_NOSIGNAL));
	return NULL;
}

static int start(struct sender *s, int fd, char c)
{
	int tid;

	s->fd = fd;
	s->c = c;
	atomic_init(&s->tid, 0);
	if (fd < 0 || pthread_create(&s->thread, NULL, send_one, s))
		return -1;
	return at_until((tid = atomic_load(&s->tid)) && at_sleeps(tid)) ? 0 :
									  -1;
}

static int end(struct sender *s)
{
	pthread_join(s->thread, NULL);
	return s->err;
}

TEST_F_TIMEOUT(full, blocked_senders_in_their_order, AT_TIMEOUT)
{
	struct sender s[6];
	char got[8];
	int fd, i;

	if (ORACLE)
		SKIP(return, "AF_UNIX promises no order");
	fd = connected(self, variant);
	EXPECT_LT(1, fill(fd));
	EXPECT_EQ(EAGAIN, errno);
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0, start(&s[i], connected(self, variant), 'A' + i));
	take_all(self->rfd, got, sizeof(got), 6);
	EXPECT_STREQ("ABCDEF", got);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(0, end(&s[i]));
}

TEST_F_TIMEOUT(full, nobody_overtakes_who_waits, AT_TIMEOUT)
{
	struct sender s;
	char got[8];
	int fd, late;

	if (ORACLE)
		SKIP(return, "with AF_UNIX one may");
	fd = connected(self, variant);
	late = connected(self, variant);
	EXPECT_LT(2, fill(fd));
	ASSERT_EQ(0, start(&s, fd, 'A'));
	EXPECT_EQ('.', take(self->rfd));
	/* There is room, but not for him. */
	EXPECT_EQ(EAGAIN, give(late, 'B'));
	EXPECT_EQ(0, at_poll_now(late, POLLOUT));
	take_all(self->rfd, got, sizeof(got), 1);
	EXPECT_STREQ("A", got);
	EXPECT_EQ(POLLOUT, at_poll(late, POLLOUT));
	EXPECT_EQ(0, give(late, 'B'));
	EXPECT_EQ('B', take(self->rfd));
	EXPECT_EQ(0, end(&s));
}

/* What was not sent does not come. */
TEST_F_TIMEOUT(full, interrupted_sender_sent_nothing, AT_TIMEOUT)
{
	struct sender s, next;
	char got[8];
	int fd = connected(self, variant);

	fill(fd);
	ASSERT_EQ(0, start(&s, connected(self, variant), 'A'));
	ASSERT_EQ(0, start(&next, connected(self, variant), 'B'));
	pthread_kill(s.thread, SIGUSR1);
	EXPECT_EQ(EINTR, end(&s));
	take_all(self->rfd, got, sizeof(got), 1);
	EXPECT_STREQ("B", got);
	EXPECT_EQ(0, end(&next));
	EXPECT_EQ(0, take(self->rfd));
}

TEST_F_TIMEOUT(full, receiver_turns_to_another, AT_TIMEOUT)
{
	struct at_addr other;
	struct sender s;
	int fd = at_bound(&other, variant->dress, variant->kind, SOCK_DGRAM);

	if (ORACLE)
		SKIP(return, "AF_UNIX lets them sleep");
	ASSERT_LE(0, fd);
	fill(connected(self, variant));
	ASSERT_EQ(0, start(&s, connected(self, variant), 'A'));
	/* What the others had queued goes too: S-ONLY. */
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &other)));
	EXPECT_EQ(ECONNREFUSED, end(&s));
	EXPECT_EQ(0, take(self->rfd));
}

/* It turns to the one that waits: what he sends comes, and he goes on. */
TEST_F_TIMEOUT(full, receiver_turns_to_who_waits, AT_TIMEOUT)
{
	struct at_addr own;
	struct sender s;
	int fd = at_bound(&own, variant->dress, variant->kind, SOCK_DGRAM);
	char c = 0;

	if (ORACLE)
		SKIP(return, "AF_UNIX keeps what the others had queued");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	fill(connected(self, variant));
	ASSERT_EQ(0, start(&s, fd, 'A'));
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &own)));
	EXPECT_EQ(0, end(&s));
	EXPECT_EQ(1, recv(self->rfd, &c, 1, 0));
	EXPECT_EQ('A', c);
}

#define SENDERS 6

struct message {
	int sender, number;
};

struct crowd {
	pthread_t thread;
	int fd, index, rounds;
	atomic_bool *over;
	int err;
};

/* In order, and again when a signal came before it was sent. */
static void *send_in_order(void *arg)
{
	struct crowd *c = arg;
	struct message m = { .sender = c->index };

	while (m.number < c->rounds) {
		if (send(c->fd, &m, sizeof(m), MSG_NOSIGNAL) == sizeof(m)) {
			m.number++;
		} else if (errno != EINTR) {
			c->err = errno;
			break;
		}
	}
	return NULL;
}

static void *disturb(void *arg)
{
	struct crowd *crowd = arg;
	uint64_t seed = 5;

	while (!atomic_load(crowd->over)) {
		pthread_kill(crowd[at_random(&seed) % SENDERS].thread, SIGUSR1);
		at_pause();
	}
	return NULL;
}

/* Signals, and a receiver that is always full: nothing is lost or comes twice. */
TEST_F_TIMEOUT(full, raced_by_signals, AT_TIMEOUT_LONG)
{
	int expected[SENDERS] = {}, i, rounds = at_scale(3000, 500);
	struct crowd crowd[SENDERS];
	atomic_bool over = false;
	struct message m;
	pthread_t thread;

	for (i = 0; i < SENDERS; i++) {
		crowd[i] = (struct crowd) {
			.fd = connected(self, variant), .index = i,
			.rounds = rounds, .over = &over,
		};
		ASSERT_LE(0, crowd[i].fd);
		ASSERT_EQ(0, pthread_create(&crowd[i].thread, NULL,
					    send_in_order, &crowd[i]));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, disturb, crowd));
	for (i = 0; i < SENDERS * rounds; i++) {
		ASSERT_EQ(sizeof(m), TEMP_FAILURE_RETRY(recv(self->rfd, &m,
							     sizeof(m), 0)));
		ASSERT_GT(SENDERS, m.sender);
		ASSERT_EQ(expected[m.sender], m.number);
		expected[m.sender]++;
	}
	/* Threads stay until they are joined, so they may be signalled. */
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(crowd[i].thread, NULL);
		EXPECT_EQ(0, crowd[i].err);
	}
	EXPECT_EQ(0, take(self->rfd));
}

struct pusher {
	pthread_t thread;
	int fd;
	atomic_bool *over;
};

static void *push(void *arg)
{
	struct pusher *p = arg;
	static const char c = '.';

	while (!atomic_load(p->over))
		(void)!send(p->fd, &c, 1, MSG_NOSIGNAL);
	return NULL;
}

static void *read_on(void *arg)
{
	struct pusher *p = arg;
	char c;

	while (!atomic_load(p->over))
		(void)!recv(p->fd, &c, 1, 0);
	return NULL;
}

#define PUSHERS 40

/* Who does not block gets through, however many do. */
TEST_F_TIMEOUT(full, polling_sender_is_not_starved, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 100000 };
	struct pusher pushers[PUSHERS], reader;
	int i, n = 0, fd = connected(self, variant);
	uint64_t end = at_now_ms() + at_deadline_ms();
	atomic_bool over = false;

	for (i = 0; i < PUSHERS; i++) {
		pushers[i] = (struct pusher) {
			.fd = connected(self, variant), .over = &over,
		};
		/* So that all of them end. */
		ASSERT_EQ(0, setsockopt(pushers[i].fd, SOL_SOCKET, SO_SNDTIMEO,
					&tv, sizeof(tv)));
		ASSERT_EQ(0, pthread_create(&pushers[i].thread, NULL, push,
					    &pushers[i]));
	}
	ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	reader = (struct pusher) { .fd = self->rfd, .over = &over };
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, read_on, &reader));
	while (n < 20 && at_now_ms() < end) {
		if (!give(fd, 'x'))
			n++;
		else
			at_poll(fd, POLLOUT);
	}
	EXPECT_EQ(20, n);
	atomic_store(&over, true);
	for (i = 0; i < PUSHERS; i++)
		pthread_join(pushers[i].thread, NULL);
	pthread_join(reader.thread, NULL);
}

static void *push_nonblocking(void *arg)
{
	struct pusher *p = arg;

	while (!atomic_load(p->over))
		if (give(p->fd, '.'))
			at_poll_now(p->fd, POLLOUT);
	return NULL;
}

/* And who blocks gets through, however many do not. */
TEST_F_TIMEOUT(full, blocking_sender_is_not_starved, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 100000 };
	struct pusher pushers[4], reader;
	atomic_bool over = false;
	struct sender s;
	int i;

	for (i = 0; i < 4; i++) {
		pushers[i] = (struct pusher) {
			.fd = connected(self, variant), .over = &over,
		};
		ASSERT_EQ(0, pthread_create(&pushers[i].thread, NULL,
					    push_nonblocking, &pushers[i]));
	}
	ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	reader = (struct pusher) { .fd = self->rfd, .over = &over };
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, read_on, &reader));
	s = (struct sender) { .fd = connected(self, variant), .c = 'x' };
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pthread_create(&s.thread, NULL, send_one, &s));
		EXPECT_EQ(0, end(&s));
	}
	atomic_store(&over, true);
	for (i = 0; i < 4; i++)
		pthread_join(pushers[i].thread, NULL);
	pthread_join(reader.thread, NULL);
}

/* A poller has its turn and no more, though it sends whenever something is read. */
TEST_F_TIMEOUT(full, turn_of_a_poller_ends, AT_TIMEOUT)
{
	int fd, i, n, sent = 0;
	struct sender s;
	char c = 0;

	if (ORACLE)
		SKIP(return, "AF_UNIX promises no order");
	fd = connected(self, variant);
	n = fill(fd);
	/* It is the first who waits. */
	ASSERT_EQ(0, at_poll_now(fd, POLLOUT));
	ASSERT_EQ(0, start(&s, connected(self, variant), 'x'));
	for (i = 0; i < 8 * n && c != 'x'; i++) {
		ASSERT_EQ(1, recv(self->rfd, &c, 1, MSG_DONTWAIT));
		if (give(fd, '.'))
			at_poll_now(fd, POLLOUT);
		else
			sent += at_sleeps(atomic_load(&s.tid));
	}
	/* It had its turn, a quarter of the buffer, and then the other one. */
	EXPECT_LE(n / 8, sent);
	EXPECT_GE(n / 2, sent);
	EXPECT_EQ('x', c);
	while (c != 'x' && recv(self->rfd, &c, 1, 0) == 1)
		;
	EXPECT_EQ(0, end(&s));
}

struct reader {
	pthread_t thread;
	int fd;
	atomic_int *got;
};

static void *read_until_zero(void *arg)
{
	struct reader *r = arg;
	char c;

	while (recv(r->fd, &c, 1, 0) == 1)
		atomic_fetch_add(r->got, 1);
	return NULL;
}

/* Many at both ends: each datagram comes once. */
TEST_F_TIMEOUT(full, two_readers_and_many_senders, AT_TIMEOUT)
{
	int total = 0, i, j, n = at_scale(2000, 300);
	struct reader readers[2];
	struct crowd crowd[SENDERS];
	atomic_int got = 0;

	for (i = 0; i < 2; i++) {
		readers[i] = (struct reader) { .fd = self->rfd, .got = &got };
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    read_until_zero, &readers[i]));
	}
	for (j = 0; j < 5; j++) {
		for (i = 0; i < SENDERS; i++) {
			crowd[i] = (struct crowd) {
				.fd = connected(self, variant), .index = i,
				.rounds = n / 5,
			};
			ASSERT_EQ(0, pthread_create(&crowd[i].thread, NULL,
						    send_in_order, &crowd[i]));
		}
		for (i = 0; i < SENDERS; i++) {
			pthread_join(crowd[i].thread, NULL);
			EXPECT_EQ(0, crowd[i].err);
			close(crowd[i].fd);
			total += n / 5;
		}
		/* All of it, before the next come. */
		EXPECT_TRUE(at_until(atomic_load(&got) == total));
	}
	/* Each of the readers ends at one of these. */
	i = connected(self, variant);
	EXPECT_EQ(0, send(i, "", 0, 0));
	EXPECT_EQ(0, send(i, "", 0, 0));
	for (i = 0; i < 2; i++)
		pthread_join(readers[i].thread, NULL);
	EXPECT_EQ(total, got);
}

TEST_HARNESS_MAIN
