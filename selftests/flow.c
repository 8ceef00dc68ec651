// SPDX-License-Identifier: GPL-2.0
/*
 * These tests send datagrams to a full receiver. Blocked threads go on in the
 * order in which they began to wait: the thread that may go on next has the
 * turn. No other sender overtakes the blocked threads until half of the queue
 * is free. Pollers are woken when the blocked threads leave space. The receiver
 * gets exactly the datagrams that send() reported as sent.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <limits.h>
#include <linux/filter.h>
#include <signal.h>
#include <sys/epoll.h>

FIXTURE(full) {
	struct at_addr a;
	int rfd;
	bool rt_unlimited;
	long rt_runtime;	/* the sysctl before, with @rt_unlimited */
};

FIXTURE_VARIANT(full) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(full, native_port) { .format = AT_NATIVE, .kind = AT_PORT };
FIXTURE_VARIANT_ADD(full, inet) { .format = AT_IN, .kind = AT_INET };
FIXTURE_VARIANT_ADD(full, unix_path) { .format = AT_UNIX, .kind = AT_PATH };
FIXTURE_VARIANT_ADD(full, oracle_path) { .format = AT_ORACLE, .kind = AT_PATH };

#define RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"

#define ORACLE (variant->format == AT_ORACLE)
#define AS_UDP (variant->format == AT_IN)

FIXTURE_SETUP(full)
{
	int size = 1;

	self->rfd = at_bound(&self->a, variant->format, variant->kind,
			     SOCK_DGRAM);
	ASSERT_LE(0, self->rfd);
	ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_RCVBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, at_set_blocking_receiver(self->rfd, variant->format));
	ASSERT_EQ(0, at_catch(SIGUSR1, 0));
}

/*
 * Let real-time threads use all of the CPU's time. Return 0 or -1. The teardown
 * restores the limit, also when an assertion has failed.
 */
static int rt_unlimit(FIXTURE_DATA(full) *self)
{
	self->rt_runtime = at_file_number(RT_RUNTIME, LONG_MIN);
	if (self->rt_runtime == LONG_MIN || at_file_write(RT_RUNTIME, "-1"))
		return -1;
	self->rt_unlimited = true;
	return 0;
}

static int rt_restore(FIXTURE_DATA(full) *self)
{
	char text[32];

	if (!self->rt_unlimited)
		return 0;
	self->rt_unlimited = false;
	snprintf(text, sizeof(text), "%ld", self->rt_runtime);
	return at_file_write(RT_RUNTIME, text);
}

FIXTURE_TEARDOWN(full)
{
	EXPECT_EQ(0, rt_restore(self));
	at_cleanup();
}

static int connect_sender(FIXTURE_DATA(full) *self,
			  const FIXTURE_VARIANT(full) *v)
{
	int fd = at_socket(v->format, SOCK_DGRAM);

	return at_connect(fd, &self->a) ? -1 : fd;
}

/* Send dots until the receiver is full. Return how many were sent. */
static int fill_with_dots(int fd)
{
	int n = 0;

	while (!at_send_byte(fd, NULL, '.'))
		n++;
	return n;
}

/*
 * Receive until @want datagrams other than dots have come, or until the
 * deadline. Store the bytes of these datagrams in @buf.
 */
static void recv_letters(int fd, char *buf, size_t size, size_t want)
{
	size_t n = 0;

	memset(buf, 0, size);
	while (n < want && at_poll(fd, POLLIN) & POLLIN) {
		int c = at_recv_byte(fd);

		if (c > 0 && c != '.')
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

static void *run_sender(void *arg)
{
	struct sender *s = arg;

	atomic_store(&s->tid, gettid());
	s->err = at_err(send(s->fd, &s->c, 1, MSG_NOSIGNAL));
	return NULL;
}

static int start_sender(struct sender *s, int fd, char c)
{
	s->fd = fd;
	s->c = c;
	return fd < 0 ? -1 :
	       at_start_asleep(&s->thread, run_sender, s, &s->tid);
}

static int end_sender(struct sender *s)
{
	pthread_join(s->thread, NULL);
	return s->err;
}

/* Attach a socket filter that accepts everything. */
static int attach_open_filter(int fd)
{
	struct sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0x40000);
	struct sock_fprog prog = { .len = 1, .filter = &all };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog));
}

static void expect_order(struct __test_metadata *const _metadata,
			 FIXTURE_DATA(full) *self,
			 const FIXTURE_VARIANT(full) *variant)
{
	struct sender s[6];
	char got[8];
	int fd, i;

	fd = connect_sender(self, variant);
	EXPECT_LT(1, fill_with_dots(fd));
	EXPECT_EQ(EAGAIN, errno);
	for (i = 0; i < 6; i++)
		ASSERT_EQ(0,
			  start_sender(&s[i], connect_sender(self, variant),
				       'A' + i));
	recv_letters(self->rfd, got, sizeof(got), 6);
	EXPECT_STREQ("ABCDEF", got);
	for (i = 0; i < 6; i++)
		EXPECT_EQ(0, end_sender(&s[i]));
}

TEST_F_TIMEOUT(full, blocked_senders_keep_their_order, AT_TIMEOUT)
{
	if (ORACLE)
		SKIP(return, "AF_UNIX promises no order");
	expect_order(_metadata, self, variant);
}

TEST_F_TIMEOUT(full, blocked_senders_keep_their_order_with_a_filter, AT_TIMEOUT)
{
	if (ORACLE)
		SKIP(return, "AF_UNIX promises no order");
	ASSERT_EQ(0, attach_open_filter(self->rfd));
	expect_order(_metadata, self, variant);
}

/*
 * Show that a filter which is attached while senders wait decides about their
 * datagrams. The filter is the first one, or replaces another one.
 */
static void expect_filtered(struct __test_metadata *const _metadata,
			    FIXTURE_DATA(full) *self,
			    const FIXTURE_VARIANT(full) *variant)
{
	struct sock_filter no_b[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'B', 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, 0x40000),
	};
	struct sock_fprog prog = { ARRAY_SIZE(no_b), no_b };
	struct sender s[4];
	char got[8], seen[128] = {};
	int i;

	EXPECT_LT(1, fill_with_dots(connect_sender(self, variant)));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0,
			  start_sender(&s[i], connect_sender(self, variant),
				       'A' + i));
	ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	recv_letters(self->rfd, got, sizeof(got), 3);
	for (i = 0; got[i]; i++)
		seen[(int)got[i]]++;
	EXPECT_EQ(3, i);
	EXPECT_EQ(3, seen['A'] + seen['C'] + seen['D']);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, end_sender(&s[i]));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(full, blocked_senders_meet_a_new_filter, AT_TIMEOUT)
{
	expect_filtered(_metadata, self, variant);
}

TEST_F_TIMEOUT(full, blocked_senders_meet_a_replaced_filter, AT_TIMEOUT)
{
	ASSERT_EQ(0, attach_open_filter(self->rfd));
	expect_filtered(_metadata, self, variant);
}

TEST_F_TIMEOUT(full, no_sender_overtakes_a_blocked_sender, AT_TIMEOUT)
{
	struct sender s;
	char got[8];
	int fd, late;

	if (ORACLE)
		SKIP(return, "AF_UNIX lets a new sender overtake");
	fd = connect_sender(self, variant);
	late = connect_sender(self, variant);
	EXPECT_LT(2, fill_with_dots(fd));
	ASSERT_EQ(0, start_sender(&s, fd, 'A'));
	EXPECT_EQ('.', at_recv_byte(self->rfd));
	/* There is space, but it is kept for the blocked thread. */
	EXPECT_EQ(EAGAIN, at_send_byte(late, NULL, 'B'));
	EXPECT_EQ(0, at_poll_now(late, POLLOUT));
	recv_letters(self->rfd, got, sizeof(got), 1);
	EXPECT_STREQ("A", got);
	EXPECT_EQ(POLLOUT, at_poll(late, POLLOUT));
	EXPECT_EQ(0, at_send_byte(late, NULL, 'B'));
	EXPECT_EQ('B', at_recv_byte(self->rfd));
	EXPECT_EQ(0, end_sender(&s));
}

/* A datagram does not arrive if a signal has ended its send(). */
TEST_F_TIMEOUT(full, interrupted_sender_sends_nothing, AT_TIMEOUT)
{
	struct sender s, next;
	char got[8];
	int fd = connect_sender(self, variant);

	fill_with_dots(fd);
	ASSERT_EQ(0, start_sender(&s, connect_sender(self, variant), 'A'));
	ASSERT_EQ(0, start_sender(&next, connect_sender(self, variant), 'B'));
	pthread_kill(s.thread, SIGUSR1);
	EXPECT_EQ(EINTR, end_sender(&s));
	recv_letters(self->rfd, got, sizeof(got), 1);
	EXPECT_STREQ("B", got);
	EXPECT_EQ(0, end_sender(&next));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(full, receiver_connects_to_another_socket, AT_TIMEOUT)
{
	struct at_addr other;
	struct sender s;
	int fd = at_bound(&other, variant->format, variant->kind, SOCK_DGRAM);

	if (ORACLE)
		SKIP(return, "AF_UNIX leaves blocked senders asleep");
	ASSERT_LE(0, fd);
	fill_with_dots(connect_sender(self, variant));
	ASSERT_EQ(0, start_sender(&s, connect_sender(self, variant), 'A'));
	/*
	 * connect() of the receiver also drops the datagrams that other senders
	 * have queued (S-ONLY: a connected socket receives from its peer only).
	 */
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &other)));
	EXPECT_EQ(AS_UDP ? 0 : ECONNREFUSED, end_sender(&s));
	if (AS_UDP)
		EXPECT_EQ(ECONNREFUSED, at_send_byte(s.fd, NULL, 'B'));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

/*
 * When the receiver connects to the address of a blocked sender, the sender
 * goes on, and its datagram arrives.
 */
TEST_F_TIMEOUT(full, receiver_connects_to_a_blocked_sender, AT_TIMEOUT)
{
	struct at_addr own;
	struct sender s;
	int fd = at_bound(&own, variant->format, variant->kind, SOCK_DGRAM);
	char c = 0;

	if (ORACLE)
		SKIP(return, "AF_UNIX keeps the datagrams of other senders");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	fill_with_dots(connect_sender(self, variant));
	ASSERT_EQ(0, start_sender(&s, fd, 'A'));
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &own)));
	EXPECT_EQ(0, end_sender(&s));
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

/*
 * Send numbered messages in order. Repeat a send() that a signal has ended
 * before the message was sent.
 */
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

static void *interrupt_senders(void *arg)
{
	struct crowd *crowd = arg;
	uint64_t seed = 5;

	while (!atomic_load(crowd->over)) {
		pthread_kill(crowd[at_random(&seed) % SENDERS].thread, SIGUSR1);
		at_pause();
	}
	return NULL;
}

/*
 * Signals interrupt senders at a receiver that is always full, and no datagram
 * is lost or arrives twice.
 */
TEST_F_TIMEOUT(full, signals_lose_no_datagram, AT_TIMEOUT_LONG)
{
	int expected[SENDERS] = {}, i, rounds = at_scale(3000, 500);
	struct crowd crowd[SENDERS];
	atomic_bool over = false;
	struct message m;
	pthread_t thread;

	for (i = 0; i < SENDERS; i++) {
		crowd[i] = (struct crowd) {
			.fd = connect_sender(self, variant), .index = i,
			.rounds = rounds, .over = &over,
		};
		ASSERT_LE(0, crowd[i].fd);
		ASSERT_EQ(0, pthread_create(&crowd[i].thread, NULL,
					    send_in_order, &crowd[i]));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, interrupt_senders, crowd));
	for (i = 0; i < SENDERS * rounds; i++) {
		ASSERT_EQ(sizeof(m), TEMP_FAILURE_RETRY(recv(self->rfd, &m,
							     sizeof(m), 0)));
		ASSERT_GT(SENDERS, m.sender);
		ASSERT_EQ(expected[m.sender], m.number);
		expected[m.sender]++;
	}
	/*
	 * interrupt_senders() must not signal a thread that is joined, so its
	 * thread ends first.
	 */
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	for (i = 0; i < SENDERS; i++) {
		pthread_join(crowd[i].thread, NULL);
		EXPECT_EQ(0, crowd[i].err);
	}
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

struct pusher {
	pthread_t thread;
	int fd;
	atomic_bool *over;
};

static void *read_until_over(void *arg)
{
	struct pusher *p = arg;
	char c;

	while (!atomic_load(p->over))
		(void)!recv(p->fd, &c, 1, 0);
	return NULL;
}

/* Send a datagram of one letter, so large that one or a few fill the queue. */
static int send_large(int fd, char c, int flags)
{
	char buf[4000];

	memset(buf, c, sizeof(buf));
	return at_err(send(fd, buf, sizeof(buf), flags | MSG_NOSIGNAL));
}

static void *run_large_sender(void *arg)
{
	struct sender *s = arg;

	atomic_store(&s->tid, gettid());
	s->err = send_large(s->fd, s->c, 0);
	return NULL;
}

static int start_large_sender(struct sender *s, int fd, char c)
{
	*s = (struct sender) { .fd = fd, .c = c };
	return fd < 0 ? -1 :
	       at_start_asleep(&s->thread, run_large_sender, s, &s->tid);
}

/*
 * Wait until the thread wakes up. If it still sleeps at the deadline, end its
 * call by a signal, so that the test ends.
 */
static int end_or_wake_sender(struct sender *s)
{
	if (!at_until(!at_sleeps(atomic_load(&s->tid))))
		pthread_kill(s->thread, SIGUSR1);
	return end_sender(s);
}

/*
 * Poll a socket for @events while the queue is full, and then let a thread
 * block. Show that the thread has sent its datagram when the queue is read.
 */
static void expect_sent_after_poll(struct __test_metadata *const _metadata,
				   FIXTURE_DATA(full) *self,
				   const FIXTURE_VARIANT(full) *variant,
				   short events)
{
	int fd = connect_sender(self, variant);
	int poller = connect_sender(self, variant);
	struct sender s;
	int n;

	for (n = 0; !send_large(fd, '.', MSG_DONTWAIT); n++)
		;
	ASSERT_LT(0, n);
	ASSERT_EQ(0, at_poll_now(poller, events));
	ASSERT_EQ(0, start_large_sender(&s, fd, 'A'));
	while (n--)
		EXPECT_EQ('.', at_recv_byte(self->rfd));
	EXPECT_EQ(POLLIN, at_poll(self->rfd, POLLIN));
	EXPECT_EQ('A', at_recv_byte(self->rfd));
	EXPECT_EQ(0, end_or_wake_sender(&s));
}

TEST_F_TIMEOUT(full, blocked_sender_resumes_after_POLLOUT_poll, AT_TIMEOUT)
{
	expect_sent_after_poll(_metadata, self, variant, POLLOUT);
}

TEST_F_TIMEOUT(full, blocked_sender_resumes_after_POLLIN_poll, AT_TIMEOUT)
{
	expect_sent_after_poll(_metadata, self, variant, POLLIN);
}

/* Until half of the queue is free, all space is kept for blocked threads. */
TEST_F_TIMEOUT(full, blocked_sender_precedes_a_new_sender, AT_TIMEOUT)
{
	int fd = connect_sender(self, variant);
	int late = connect_sender(self, variant);
	struct sender s;
	int n;

	if (ORACLE)
		SKIP(return, "AF_UNIX lets a new sender overtake");
	for (n = 0; !send_large(fd, '.', MSG_DONTWAIT); n++)
		;
	ASSERT_LT(0, n);
	ASSERT_EQ(0, start_large_sender(&s, fd, 'A'));
	EXPECT_EQ(EAGAIN, at_send_byte(late, NULL, 'B'));
	while (n--)
		EXPECT_EQ('.', at_recv_byte(self->rfd));
	EXPECT_EQ(POLLIN, at_poll(self->rfd, POLLIN));
	EXPECT_EQ('A', at_recv_byte(self->rfd));
	EXPECT_EQ(0, end_or_wake_sender(&s));
	EXPECT_EQ(POLLOUT, at_poll(late, POLLOUT));
	EXPECT_EQ(0, at_send_byte(late, NULL, 'B'));
	EXPECT_EQ('B', at_recv_byte(self->rfd));
}

struct hog {
	pthread_t thread;
	atomic_bool runs, over;
};

static void *hog_cpu(void *arg)
{
	struct sched_param param = { .sched_priority = 1 };
	struct hog *hog = arg;

	at_pin(1);
	if (!sched_setscheduler(0, SCHED_FIFO, &param))
		atomic_store(&hog->runs, true);
	while (!atomic_load(&hog->over))
		;
	return NULL;
}

#define STUCK	17

/*
 * Each of these threads blocks with a datagram of 'A'. Once they all block, a
 * real-time thread keeps them from their CPU.
 */
struct stuck {
	struct sender senders[STUCK];
	struct hog hog;
	int n;
};

static int stuck_begin(struct stuck *stuck, FIXTURE_DATA(full) *self,
		       const FIXTURE_VARIANT(full) *v, int n)
{
	*stuck = (struct stuck) { .n = n };
	if (rt_unlimit(self))
		return -1;
	at_pin(1);
	while (n--)
		if (start_large_sender(&stuck->senders[n],
				       connect_sender(self, v), 'A'))
			return -1;
	at_pin(0);
	return 0;
}

static int stuck_take_cpu(struct stuck *stuck)
{
	if (pthread_create(&stuck->hog.thread, NULL, hog_cpu, &stuck->hog))
		return -1;
	return at_until(atomic_load(&stuck->hog.runs)) ? 0 : -1;
}

/* Let the threads run again. Return how many of their calls failed, or -1. */
static int stuck_end(struct stuck *stuck, FIXTURE_DATA(full) *self)
{
	int i, failed = 0;

	atomic_store(&stuck->hog.over, true);
	pthread_join(stuck->hog.thread, NULL);
	for (i = 0; i < stuck->n; i++)
		failed += !!end_sender(&stuck->senders[i]);
	return rt_restore(self) ? -1 : failed;
}

/*
 * The threads that have waited longest get no CPU. The reader gets their
 * datagrams in order all the same, and then the datagram of the thread that has
 * begun to wait after them.
 */
TEST_F_TIMEOUT(full, senders_without_CPU_time_delay_no_other, AT_TIMEOUT)
{
	int fd = connect_sender(self, variant), i, n;
	struct stuck stuck;
	struct sender next;

	if (ORACLE)
		SKIP(return, "AF_UNIX wakes one thread, which may not run");
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	for (n = 0; !send_large(fd, '.', MSG_DONTWAIT); n++)
		;
	ASSERT_EQ(0, stuck_begin(&stuck, self, variant, STUCK));
	ASSERT_EQ(0,
		  start_large_sender(&next, connect_sender(self, variant),
				     'B'));
	ASSERT_EQ(0, stuck_take_cpu(&stuck));
	while (n--)
		EXPECT_EQ('.', at_recv_byte(self->rfd));
	/*
	 * The first 'A' fills the queue. One datagram of another sender may
	 * exceed the limit.
	 */
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'C'));
	EXPECT_EQ(EAGAIN, at_send_byte(fd, NULL, 'D'));
	EXPECT_EQ('A', at_recv_byte(self->rfd));
	EXPECT_EQ('C', at_recv_byte(self->rfd));
	for (i = 1; i < STUCK; i++)
		EXPECT_EQ('A', at_recv_byte(self->rfd));
	EXPECT_EQ(POLLIN, at_poll(self->rfd, POLLIN));
	EXPECT_EQ('B', at_recv_byte(self->rfd));
	EXPECT_EQ(0, end_sender(&next));
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'E'));
	EXPECT_EQ('E', at_recv_byte(self->rfd));
	EXPECT_EQ(0, stuck_end(&stuck, self));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

/*
 * The thread that has the turn gets no CPU. The next read queues the thread's
 * datagram in the space that was promised to the thread.
 */
static void expect_turn_passed(struct __test_metadata *const _metadata,
			       FIXTURE_DATA(full) *self,
			       const FIXTURE_VARIANT(full) *variant)
{
	int fd = connect_sender(self, variant), n;
	struct stuck stuck;

	for (n = 0; !send_large(fd, '.', MSG_DONTWAIT); n++)
		;
	ASSERT_EQ(0, stuck_begin(&stuck, self, variant, 1));
	ASSERT_EQ(0, stuck_take_cpu(&stuck));
	while (n--)
		EXPECT_EQ('.', at_recv_byte(self->rfd));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'B'));
	EXPECT_EQ(EAGAIN, at_send_byte(fd, NULL, 'C'));
	EXPECT_EQ('B', at_recv_byte(self->rfd));
	EXPECT_EQ('A', at_recv_byte(self->rfd));
	for (n = 0; n < 3; n++)
		EXPECT_EQ(0, at_send_byte(fd, NULL, 'C'));
	for (n = 0; n < 3; n++)
		EXPECT_EQ('C', at_recv_byte(self->rfd));
	EXPECT_EQ(0, stuck_end(&stuck, self));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(full, turn_of_a_sender_without_CPU_time, AT_TIMEOUT)
{
	if (ORACLE)
		SKIP(return, "AF_UNIX has no turns");
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	expect_turn_passed(_metadata, self, variant);
	ASSERT_EQ(0, attach_open_filter(self->rfd));
	expect_turn_passed(_metadata, self, variant);
}

/*
 * Wait until @epfd has reported each of @n sockets, or until it reports none
 * for the time of the deadline. Return how many sockets it has reported.
 */
static int count_reported(int epfd, int n)
{
	struct epoll_event event;
	uint64_t reported = 0;

	while (__builtin_popcountll(reported) < n &&
	       epoll_wait(epfd, &event, 1, at_deadline_ms()) == 1)
		reported |= 1ULL << event.data.u32;
	return __builtin_popcountll(reported);
}

/*
 * All pollers are woken when there is space, but not for space that a blocked
 * thread takes.
 */
TEST_F_TIMEOUT(full, pollers_wake_after_blocked_senders, AT_TIMEOUT)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int fd = connect_sender(self, variant), epfd = epoll_create1(0), i;
	struct sender s;

	if (ORACLE)
		SKIP(return, "AF_UNIX promises no order");
	ASSERT_EQ(0, send_large(fd, '.', MSG_DONTWAIT));
	ASSERT_EQ(0, start_large_sender(&s, fd, 'A'));
	for (i = 0; i < 40; i++) {
		event.data.u32 = i;
		ASSERT_EQ(0, epoll_ctl(epfd, EPOLL_CTL_ADD,
				       connect_sender(self, variant), &event));
	}
	EXPECT_EQ(0, epoll_wait(epfd, &event, 1, 0));
	EXPECT_EQ('.', at_recv_byte(self->rfd));
	EXPECT_EQ(0, end_or_wake_sender(&s));
	/* The thread's datagram has filled the queue again. */
	EXPECT_EQ(0, epoll_wait(epfd, &event, 1, 0));
	EXPECT_EQ('A', at_recv_byte(self->rfd));
	EXPECT_EQ(40, count_reported(epfd, 40));
	close(epfd);
}

/*
 * Wait for space with epoll_wait(). Unlike poll(), epoll_wait() does not look
 * at the socket once more when its timeout expires, so a lost wake-up shows.
 */
static void *poll_for_space(void *arg)
{
	struct epoll_event event = { .events = EPOLLOUT };
	int epfd = epoll_create1(0);
	struct sender *s = arg;

	s->err = at_err(epoll_ctl(epfd, EPOLL_CTL_ADD, s->fd, &event));
	atomic_store(&s->tid, gettid());
	if (!s->err && count_reported(epfd, 1) != 1)
		s->err = ETIMEDOUT;
	close(epfd);
	return NULL;
}

/* This thread reads one datagram each time that @turn is incremented. */
struct taker {
	pthread_t thread;
	int fd;
	atomic_uint turn;
	atomic_bool over;
};

static void *read_in_turn(void *arg)
{
	struct taker *t = arg;
	unsigned int taken = 0, i;

	while (!atomic_load(&t->over)) {
		if (atomic_load(&t->turn) == taken) {
			sched_yield();
			continue;
		}
		taken++;
		/*
		 * The delay varies, so that the read takes place at different
		 * moments of a send() that the main thread calls.
		 */
		for (i = 0; i < taken * 37 % 1000; i++)
			atomic_load(&t->turn);
		at_recv_byte(t->fd);
	}
	return NULL;
}

/*
 * One thread sleeps in epoll_wait(), and another thread calls send() on the
 * same socket until there is space. The space may come after send() has found
 * none, and before send() looks again to add the socket to the receiver's list
 * of pollers. send() then removes the socket's entry from that list, on which
 * the sleeping thread relies, so it must wake that thread.
 */
TEST_F_TIMEOUT(full, two_threads_of_a_socket_wake, AT_TIMEOUT_LONG)
{
	int fd = connect_sender(self, variant), i, rounds = at_scale(150, 30);
	struct taker taker = { .fd = self->rfd };
	struct sender s;

	ASSERT_EQ(0, pthread_create(&taker.thread, NULL, read_in_turn, &taker));
	for (i = 0; i < rounds; i++) {
		fill_with_dots(fd);
		s = (struct sender) { .fd = fd };
		ASSERT_EQ(0, pthread_create(&s.thread, NULL, poll_for_space,
					    &s));
		EXPECT_TRUE(at_until(s.tid && at_sleeps(s.tid)));
		atomic_fetch_add(&taker.turn, 1);
		while (at_send_byte(fd, NULL, '.'))
			;
		while (at_recv_byte(self->rfd) > 0)
			;
		ASSERT_EQ(0, end_sender(&s));
	}
	atomic_store(&taker.over, true);
	pthread_join(taker.thread, NULL);
}

static void *push_nonblocking(void *arg)
{
	struct pusher *p = arg;

	while (!atomic_load(p->over))
		if (at_send_byte(p->fd, NULL, '.'))
			at_poll_now(p->fd, POLLOUT);
	return NULL;
}

#define MOST_PUSHERS	8

/* Threads that send to the receiver again and again, and a thread that reads */
struct push {
	struct pusher pushers[MOST_PUSHERS], reader;
	atomic_bool over;
	int n;
};

static int push_begin(struct push *push, FIXTURE_DATA(full) *self,
		      const FIXTURE_VARIANT(full) *variant, int n,
		      void *(*run)(void *))
{
	struct timeval tv = { .tv_usec = 100000 };
	struct pusher *p;

	atomic_init(&push->over, false);
	push->n = n;
	for (p = push->pushers; p < push->pushers + n; p++) {
		*p = (struct pusher) {
			.fd = connect_sender(self, variant),
			.over = &push->over,
		};
		if (pthread_create(&p->thread, NULL, run, p))
			return -1;
	}
	if (setsockopt(self->rfd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return -1;
	p = &push->reader;
	*p = (struct pusher) { .fd = self->rfd, .over = &push->over };
	return pthread_create(&p->thread, NULL, read_until_over, p) ? -1 : 0;
}

/* Wait until all threads have ended, after @over is set. */
static void push_join(struct push *push)
{
	int i;

	for (i = 0; i < push->n; i++)
		pthread_join(push->pushers[i].thread, NULL);
	pthread_join(push->reader.thread, NULL);
}

/* A blocking sender gets through, however many senders do not block. */
TEST_F_TIMEOUT(full, blocking_sender_is_not_starved, AT_TIMEOUT)
{
	struct push push;
	struct sender s;
	int i;

	ASSERT_EQ(0, push_begin(&push, self, variant, 4, push_nonblocking));
	s = (struct sender) { .fd = connect_sender(self, variant), .c = 'x' };
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pthread_create(&s.thread, NULL, run_sender, &s));
		EXPECT_EQ(0, end_sender(&s));
	}
	atomic_store(&push.over, true);
	push_join(&push);
}

static void *push_blocking(void *arg)
{
	struct pusher *p = arg;

	while (!atomic_load(p->over))
		send(p->fd, ".", 1, MSG_NOSIGNAL);
	return NULL;
}

/* A non-blocking sender gets through, however many threads are blocked. */
TEST_F_TIMEOUT(full, polling_sender_is_not_starved, AT_TIMEOUT)
{
	int i, fd = connect_sender(self, variant);
	struct push push;

	ASSERT_EQ(0, push_begin(&push, self, variant, MOST_PUSHERS,
				push_blocking));
	for (i = 0; i < 20; i++)
		EXPECT_TRUE(at_until(!at_send_byte(fd, NULL, 'x') ||
				     (at_poll(fd, POLLOUT), false)));
	atomic_store(&push.over, true);
	/* The last of the blocking senders may still wait for space. */
	while (at_recv_byte(self->rfd) > 0)
		;
	push_join(&push);
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

struct mixed {
	pthread_t thread;
	int fd, rounds, err;
	bool polls;
};

/* Send datagrams that fill the queue, and small ones between them. */
static void *send_mixed(void *arg)
{
	static const char buf[4000];
	struct mixed *m = arg;
	int i = 0, size;

	while (i < m->rounds && !m->err) {
		size = i % 3 ? 10 : sizeof(buf);
		if (send(m->fd, buf, size, MSG_NOSIGNAL |
			 (m->polls ? MSG_DONTWAIT : 0)) == size)
			i++;
		else if (errno != EAGAIN || !m->polls)
			m->err = errno;
		else if (at_poll(m->fd, POLLOUT) != POLLOUT)
			m->err = ETIMEDOUT;
	}
	return NULL;
}

/*
 * Blocking senders and polling senders share a receiver, and none of them stays
 * asleep.
 */
TEST_F_TIMEOUT(full, blocking_and_polling_senders_all_finish, AT_TIMEOUT_LONG)
{
	int i, n = 0, rounds = at_scale(600, 100);
	struct mixed m[8];
	char buf[4000];

	for (i = 0; i < 8; i++) {
		m[i] = (struct mixed) {
			.fd = connect_sender(self, variant), .rounds = rounds,
			.polls = i % 2,
		};
		ASSERT_LE(0, m[i].fd);
		ASSERT_EQ(0, pthread_create(&m[i].thread, NULL, send_mixed,
					    &m[i]));
	}
	while (n < 8 * rounds && at_poll(self->rfd, POLLIN) == POLLIN)
		n += recv(self->rfd, buf, sizeof(buf), MSG_DONTWAIT) > 0;
	EXPECT_EQ(8 * rounds, n);
	for (i = 0; i < 8 && n < 8 * rounds; i++)
		pthread_kill(m[i].thread, SIGUSR1);
	for (i = 0; i < 8; i++) {
		pthread_join(m[i].thread, NULL);
		EXPECT_EQ(0, m[i].err);
	}
}

/* With two readers and many senders, each datagram arrives once. */
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
				.fd = connect_sender(self, variant), .index = i,
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
		/* The readers get all datagrams before the next round. */
		EXPECT_TRUE(at_until(atomic_load(&got) == total));
	}
	/* Each reader ends when it gets an empty datagram. */
	i = connect_sender(self, variant);
	EXPECT_EQ(0, send(i, "", 0, 0));
	EXPECT_EQ(0, send(i, "", 0, 0));
	for (i = 0; i < 2; i++)
		pthread_join(readers[i].thread, NULL);
	EXPECT_EQ(total, got);
}

TEST_HARNESS_MAIN
