// SPDX-License-Identifier: GPL-2.0
/*
 * These tests put a hostile neighbour into waiting rooms. The cost of letting
 * attempts in or of refusing them grows with the number of these attempts and
 * with nothing else. An attempt keeps its position, whichever listener opens or
 * closes. One user leaves space for the attempts of other users.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FEW	50
#define MANY	(4 * FEW)
/* Four times as many attempts may take six times as long. */
#define GROWTH	6

/* Begin @n non-blocking attempts to @a. Return how many of them wait. */
static int wait_there(enum at_format format, const struct at_addr *a, int *fds,
		      int n)
{
	int i, err;

	for (i = 0; i < n; i++) {
		fds[i] = at_client(format, SOCK_STREAM | SOCK_NONBLOCK, a,
				   &err);
		if (err != EINPROGRESS)
			return i;
	}
	return n;
}

/* Make @n epoll instances that watch @fd. Return how many there are. */
static int watch_epolls(int fd, uint32_t events, int *epolls, int n)
{
	struct epoll_event ev = { .events = events };
	int i;

	for (i = 0; i < n; i++) {
		epolls[i] = epoll_create1(EPOLL_CLOEXEC);
		if (epolls[i] < 0 ||
		    epoll_ctl(epolls[i], EPOLL_CTL_ADD, fd, &ev))
			return i;
	}
	return n;
}

static int count_ready(const int *epolls, int n)
{
	struct epoll_event ev;
	int i, ready = 0;

	for (i = 0; i < n; i++)
		ready += epoll_wait(epolls[i], &ev, 1, 0) == 1;
	return ready;
}

/* Number of listeners that may share an address */
#define MOST_LISTENERS	1024

/* Make a listener with backlog 0 that shares its address. */
static int listen_sharing(enum at_format format, const struct at_addr *a)
{
	return at_listen_shared(format, SOCK_STREAM, a, true, 0);
}

FIXTURE(room) {
	struct at_addr a;
	int lfd;
};

FIXTURE_VARIANT(room) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(room, native_port) { .format = AT_NATIVE, .kind = AT_PORT };
FIXTURE_VARIANT_ADD(room, unix_name) { .format = AT_UNIX, .kind = AT_NAME };
FIXTURE_VARIANT_ADD(room, inet) { .format = AT_IN, .kind = AT_INET };

FIXTURE_SETUP(room)
{
	struct rlimit most;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &most));
	most.rlim_cur = most.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &most));
	at_addr(&self->a, variant->format, variant->kind);
	self->lfd = listen_sharing(variant->format, &self->a);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(room)
{
	close(self->lfd);
	at_cleanup();
}

/*
 * Return how long it takes to establish @n waiting attempts while @n pollers
 * watch the listener, in ns; 0 on failure.
 */
static uint64_t establish_ns(enum at_format format, const struct at_addr *a,
			     int lfd, int n)
{
	int fds[MANY], epolls[MANY], i, fd;
	uint64_t begin, took = 0;

	if (at_set_option(lfd, ALTCONN_DEFER_ACCEPT, 1) ||
	    listen(lfd, MANY) || wait_there(format, a, fds, n) != n ||
	    watch_epolls(lfd, EPOLLIN, epolls, n) != n)
		return 0;
	begin = at_now_ns();
	if (!at_set_option(lfd, ALTCONN_DEFER_ACCEPT, 0))
		took = at_now_ns() - begin;
	if (count_ready(epolls, n) != n)
		took = 0;
	for (i = 0; i < n; i++) {
		fd = accept(lfd, NULL, NULL);
		if (fd < 0)
			took = 0;
		close(fd);
	}
	at_close(fds, n);
	at_close(epolls, n);
	return took;
}

/*
 * The time to establish attempts and to wake the pollers of the listener grows
 * with the sum of attempts and pollers, and not with their product: that would
 * be so if each attempt woke all pollers.
 */
TEST_F_TIMEOUT(room, cost_is_linear_in_attempts_and_pollers, AT_TIMEOUT)
{
	EXPECT_TRUE(at_grows(GROWTH, establish_ns(variant->format, &self->a,
						  self->lfd, FEW),
			     establish_ns(variant->format, &self->a, self->lfd,
					  MANY)));
}

struct sleeper {
	int epoll;
	atomic_int tid;
	atomic_bool woken;
};

static void *sleep_in_epoll(void *arg)
{
	struct sleeper *s = arg;
	struct epoll_event ev;

	atomic_store(&s->tid, gettid());
	epoll_wait(s->epoll, &ev, 1, -1);
	atomic_store(&s->woken, true);
	return NULL;
}

#define SLEEPERS	8

static int count_woken(const struct sleeper *s)
{
	int i, n = 0;

	for (i = 0; i < SLEEPERS; i++)
		n += atomic_load(&s[i].woken);
	return n;
}

/* As many exclusive waiters are woken as there are attempts to accept. */
TEST_F_TIMEOUT(room, as_many_exclusive_waiters_wake, AT_TIMEOUT)
{
	struct sleeper s[SLEEPERS] = {};
	pthread_t threads[SLEEPERS];
	int fds[3], epolls[SLEEPERS], filler, i, err;

	ASSERT_EQ(0, listen(self->lfd, 0));
	filler = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
			   &self->a, &err);
	ASSERT_EQ(0, err);
	ASSERT_EQ(3, wait_there(variant->format, &self->a, fds, 3));
	/*
	 * One attempt can be accepted already. Each edge-triggered poller
	 * reports it here, and not again.
	 */
	ASSERT_EQ(SLEEPERS,
		  watch_epolls(self->lfd, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE,
			       epolls, SLEEPERS));
	EXPECT_EQ(SLEEPERS, count_ready(epolls, SLEEPERS));
	for (i = 0; i < SLEEPERS; i++) {
		s[i].epoll = epolls[i];
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, sleep_in_epoll,
					    &s[i]));
		ASSERT_TRUE(at_until(atomic_load(&s[i].tid) &&
				     at_sleeps(atomic_load(&s[i].tid))));
	}
	ASSERT_EQ(0, listen(self->lfd, 3));
	EXPECT_TRUE(at_until(count_woken(s) == 3));
	for (i = 0; i < SLEEPERS; i++)
		EXPECT_TRUE(atomic_load(&s[i].woken) ||
			    at_sleeps(atomic_load(&s[i].tid)));
	/* Each of the remaining sleepers gets a wake-up of its own. */
	for (i = 3; i < SLEEPERS; i++) {
		close(accept(self->lfd, NULL, NULL));
		close(at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
				&self->a, &err));
	}
	for (i = 0; i < SLEEPERS; i++)
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
	close(filler);
	at_close(fds, 3);
	at_close(epolls, SLEEPERS);
}

/*
 * Return how long it takes to close one of two listeners while @n attempts
 * wait, in ns; 0 on failure.
 */
static uint64_t close_one(enum at_format format, const struct at_addr *a, int n)
{
	uint64_t begin, took = 0;
	int fds[MANY], lfd, filler, err, i, at;

	/* The fixture's listener is full; the filler makes this one full. */
	lfd = listen_sharing(format, a);
	filler = at_client(format, SOCK_STREAM | SOCK_NONBLOCK, a, &err);
	at = wait_there(format, a, fds, n);
	if (lfd < 0 || err || at != n)
		goto out;
	begin = at_now_ns();
	close(lfd);
	took = at_now_ns() - begin;
	for (i = 0; i < n; i++)
		if ((int)at_position(fds[i]) != i + 1)
			took = 0;
out:
	at_close(fds, at);
	close(filler);
	return took;
}

/* Attempts wait at the address, so closing a listener moves no attempt. */
TEST_F_TIMEOUT(room, close_moves_no_attempt, AT_TIMEOUT)
{
	int filler, err;

	filler = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
			   &self->a, &err);
	ASSERT_EQ(0, err);
	EXPECT_TRUE(at_grows(GROWTH, close_one(variant->format, &self->a, FEW),
			     close_one(variant->format, &self->a, MANY)));
	close(filler);
}

/*
 * When one of two listeners closes, the attempts wait for the other listener,
 * in the same order.
 */
TEST_F_TIMEOUT(room, another_listener_takes_attempts_in_order, AT_TIMEOUT)
{
	int fds[10], two, filler[2], i, fd, err;

	two = listen_sharing(variant->format, &self->a);
	ASSERT_LE(0, two);
	for (i = 0; i < 2; i++) {
		filler[i] = at_client(variant->format,
				      SOCK_STREAM | SOCK_NONBLOCK, &self->a,
				      &err);
		ASSERT_EQ(0, err);
	}
	ASSERT_EQ(10, wait_there(variant->format, &self->a, fds, 10));
	close(two);
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	close(fd);
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(0, at_so_error(fds[i]));
		EXPECT_EQ(i + 1 < 10 ? 1 : 0,
			  (int)at_position(i + 1 < 10 ? fds[i + 1] : fds[i]));
		fd = accept(self->lfd, NULL, NULL);
		ASSERT_LE(0, fd);
		close(fd);
	}
	at_close(fds, 10);
	at_close(filler, 2);
}

/*
 * Attempts leave the queue in a scattered order. After each close, the
 * positions of the remaining attempts have no gap. The number of attempts is
 * prime, so the loop closes each attempt once.
 */
TEST_F_TIMEOUT(room, positions_have_no_gap, AT_TIMEOUT)
{
	enum { N = 61, STRIDE = 24 };
	int fds[N], filler, left, wrong = 0, i, at, err;

	filler = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
			   &self->a, &err);
	ASSERT_EQ(0, err);
	ASSERT_EQ(N, wait_there(variant->format, &self->a, fds, N));
	for (left = N - 1, at = 0; left; left--, at = (at + STRIDE) % N) {
		int position = 0;

		close(fds[at]);
		fds[at] = -1;
		for (i = 0; i < N; i++)
			if (fds[i] >= 0 &&
			    (int)at_position(fds[i]) != ++position)
				wrong++;
		EXPECT_EQ(left, position);
	}
	EXPECT_EQ(0, wrong);
	close(fds[at]);
	close(filler);
}

/* The sockets of the attempts that wait, in order of arrival */
struct lane {
	int fds[64];
	int n;
};

/* Let one more attempt wait; @kept sets ALTCONN_WAIT_LISTENER. */
static bool lane_join(struct lane *lane, enum at_format format,
		      const struct at_addr *a, bool kept)
{
	int fd = at_socket(format, SOCK_STREAM | SOCK_NONBLOCK);

	lane->fds[lane->n++] = fd;
	return !at_set_option(fd, ALTCONN_WAIT_LISTENER, kept) &&
	       at_err(at_connect(fd, a)) == EINPROGRESS;
}

/* Close attempt number @at. */
static void lane_leave(struct lane *lane, int at)
{
	close(lane->fds[at]);
	lane->n--;
	memmove(lane->fds + at, lane->fds + at + 1,
		(lane->n - at) * sizeof(*lane->fds));
}

/* Count the attempts that have a wrong position. */
static int lane_count_wrong(const struct lane *lane)
{
	int i, wrong = 0;

	for (i = 0; i < lane->n; i++)
		wrong += (int)at_position(lane->fds[i]) != i + 1;
	return wrong;
}

/*
 * Attempts with and without ALTCONN_WAIT_LISTENER join the queue at its end,
 * and leave the queue at any place. accept() makes space, and then the first
 * attempt leaves. After each change all positions are right. A linear
 * congruential generator with a fixed seed chooses the changes, so each run
 * makes the same changes.
 */
TEST_F_TIMEOUT(room, positions_follow_each_change, AT_TIMEOUT)
{
	struct lane lane = {};
	unsigned int random = 1;
	int filler, wrong = 0, accepted = 0, step, err, fd;

	filler = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
			   &self->a, &err);
	ASSERT_EQ(0, err);
	for (step = 0; step < 600; step++) {
		unsigned int change;

		random = random * 1103515245 + 12345;
		change = random >> 16;
		if (lane.n < 2 || (change % 8 < 4 && lane.n < 64)) {
			ASSERT_TRUE(lane_join(&lane, variant->format, &self->a,
					      change & 8));
		} else if (change % 8 < 7) {
			lane_leave(&lane, (change >> 4) % lane.n);
		} else {
			fd = accept(self->lfd, NULL, NULL);
			ASSERT_LE(0, fd);
			close(fd);
			lane_leave(&lane, 0);
			accepted++;
		}
		wrong += lane_count_wrong(&lane);
	}
	EXPECT_EQ(0, wrong);
	EXPECT_LT(20, accepted);
	at_close(lane.fds, lane.n);
	close(filler);
}

/*
 * Return how long it takes to close the last listener while @n attempts wait,
 * which refuses them, in ns; 0 on failure.
 */
static uint64_t refuse_all(enum at_format format, const struct at_addr *a,
			   int n)
{
	int fds[MANY], lfd, filler, err, i, at;
	uint64_t begin, took = 0;

	lfd = listen_sharing(format, a);
	filler = at_client(format, SOCK_STREAM | SOCK_NONBLOCK, a, &err);
	at = wait_there(format, a, fds, n);
	if (lfd >= 0 && !err && at == n) {
		begin = at_now_ns();
		close(lfd);
		took = at_now_ns() - begin;
	}
	for (i = 0; i < at; i++)
		if (at_so_error(fds[i]) != ECONNREFUSED)
			took = 0;
	at_close(fds, at);
	close(filler);
	return took;
}

/* Closing the last listener takes one step for each attempt that is refused. */
TEST_F_TIMEOUT(room, last_listener_refuses_all, AT_TIMEOUT)
{
	close(self->lfd);
	EXPECT_TRUE(at_grows(GROWTH, refuse_all(variant->format, &self->a, FEW),
			     refuse_all(variant->format, &self->a, MANY)));
	self->lfd = listen_sharing(variant->format, &self->a);
}

/*
 * When the last listener closes, attempts with ALTCONN_WAIT_LISTENER stay and
 * other attempts are refused.
 */
TEST_F_TIMEOUT(room, WAIT_LISTENER_attempts_stay, AT_TIMEOUT)
{
	int fds[6], filler, i, err, fd;

	filler = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
			   &self->a, &err);
	ASSERT_EQ(0, err);
	for (i = 0; i < 6; i++) {
		fds[i] = at_socket(variant->format,
				   SOCK_STREAM | SOCK_NONBLOCK);
		ASSERT_EQ(0, at_set_option(fds[i], ALTCONN_WAIT_LISTENER,
					   i % 2));
		ASSERT_EQ(EINPROGRESS, at_err(at_connect(fds[i], &self->a)));
	}
	EXPECT_EQ(6, at_position(fds[5]));
	close(self->lfd);
	for (i = 0; i < 6; i += 2)
		EXPECT_EQ(ECONNREFUSED, at_so_error(fds[i]));
	EXPECT_EQ(3, at_position(fds[5]));
	self->lfd = listen_sharing(variant->format, &self->a);
	ASSERT_LE(0, self->lfd);
	for (i = 1; i < 6; i += 2) {
		EXPECT_EQ(POLLOUT, at_poll(fds[i], POLLOUT));
		fd = accept(self->lfd, NULL, NULL);
		ASSERT_LE(0, fd);
		close(fd);
	}
	at_close(fds, 6);
	close(filler);
}

/* ---- locks that are held when a client is woken ---- */

/*
 * Return the preemption depth in which thread @tid was woken, as a character of
 * the trace, or -1.
 */
static int depth_of_wakeup(int tid)
{
	char line[1024], want[32], flags[16] = "";
	FILE *f = at_trace_read("trace");

	snprintf(want, sizeof(want), " pid=%d ", tid);
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "sched_waking:") && strstr(line, want))
			sscanf(strchr(line, ']') + 1, "%15s", flags);
	if (f)
		fclose(f);
	return strlen(flags) >= 4 ? flags[3] : -1;
}

struct poller {
	int fd;
	short events;
	atomic_int tid;
};

static void *sleep_in_poll(void *arg)
{
	struct poller *p = arg;
	struct pollfd pfd = { .fd = p->fd, .events = p->events };

	atomic_store(&p->tid, gettid());
	poll(&pfd, 1, -1);
	return NULL;
}

/*
 * Let a thread sleep in poll() on @fd until @wake(@arg) wakes it. Return the
 * preemption depth of the wake-up, or -1.
 */
static int depth_when_woken(int fd, short events, bool (*wake)(int arg),
			    int arg)
{
	struct poller p = { .fd = fd, .events = events };
	pthread_t thread;
	int depth = -1;

	if (pthread_create(&thread, NULL, sleep_in_poll, &p))
		return -1;
	if (!at_until(atomic_load(&p.tid) && at_sleeps(atomic_load(&p.tid))) ||
	    at_trace_put("trace", "") ||
	    at_trace_put("events/sched/sched_waking/enable", "1"))
		return -1;
	if (wake(arg) && !pthread_join(thread, NULL))
		depth = depth_of_wakeup(atomic_load(&p.tid));
	at_trace_put("events/sched/sched_waking/enable", "0");
	return depth;
}

static bool wake_by_byte(int fd)
{
	return write(fd, "x", 1) == 1;
}

static bool wake_by_accept(int fd)
{
	return !close(accept(fd, NULL, NULL));
}

static bool wake_by_refusal(int fd)
{
	return !at_set_option(fd, ALTCONN_REFUSE, 1);
}

static bool wake_by_close(int fd)
{
	return !close(fd);
}

/*
 * A client is woken under no lock: the preemption depth is the same as for a
 * pipe, which holds only the lock of the wait queue.
 */
TEST_F_TIMEOUT(room, a_client_is_woken_under_no_lock, AT_TIMEOUT)
{
	int fds[4], ends[2], pipe_depth, i, err;

	ASSERT_EQ(0, at_trace_open());
	ASSERT_EQ(0, pipe(ends));
	pipe_depth = depth_when_woken(ends[0], POLLIN, wake_by_byte, ends[1]);
	EXPECT_NE(-1, pipe_depth);
	for (i = 0; i < 4; i++)
		fds[i] = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK,
				   &self->a, &err);
	EXPECT_EQ(pipe_depth, depth_when_woken(fds[1], POLLOUT, wake_by_accept,
					       self->lfd));
	EXPECT_EQ(pipe_depth, depth_when_woken(fds[2], POLLOUT, wake_by_refusal,
					       self->lfd));
	EXPECT_EQ(pipe_depth, depth_when_woken(fds[3], POLLOUT,
					       wake_by_close, self->lfd));
	self->lfd = -1;
	EXPECT_EQ(0, at_trace_close());
	at_close(fds, 4);
	at_close(ends, 2);
}

/* ---- wildcard listeners ---- */

static int listen_at_ip(enum at_format format, const char *ip, int port,
			int backlog)
{
	int fd = at_socket(format, SOCK_STREAM), one = 1;
	struct at_addr a;

	at_addr_ip(&a, format, ip, port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	at_set_option(fd, ALTCONN_SHARE_ADDRESS, 1);
	if (at_bind(fd, &a) || listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int connect_ip(const char *ip, int port, bool waits_listener, int *err)
{
	int fd = at_socket(AT_IN, SOCK_STREAM | SOCK_NONBLOCK);
	struct at_addr a;

	at_addr_ip(&a, AT_IN, ip, port);
	at_set_option(fd, ALTCONN_WAIT_LISTENER, waits_listener);
	*err = at_err(at_connect(fd, &a));
	return fd;
}

static int a_port(void)
{
	struct at_addr a;

	at_addr(&a, AT_IN, AT_INET);
	return at_port_of(&a);
}

/* Accept a connection to 127.0.0.N. Return N, or -1. */
static int accept_from(int lfd)
{
	struct at_addr a;
	int fd = accept(lfd, NULL, NULL), n = -1;

	if (fd >= 0 && !at_getsockname(fd, &a))
		n = ntohl(a.in.sin_addr.s_addr) & 0xff;
	close(fd);
	return n;
}

/*
 * A wildcard listener accepts attempts in order of arrival, whatever addresses
 * they asked for.
 */
TEST(wildcard_listener_keeps_the_order)
{
	int port = a_port(), lfd = listen_at_ip(AT_IN, "0.0.0.0", port, 0);
	static const int order[] = { 3, 1, 2, 1, 3, 2, 2, 1 };
	int fds[ARRAY_SIZE(order) + 1], i, err;
	char ip[16];

	ASSERT_LE(0, lfd);
	fds[0] = connect_ip("127.0.0.9", port, false, &err);
	ASSERT_EQ(0, err);
	for (i = 0; i < (int)ARRAY_SIZE(order); i++) {
		snprintf(ip, sizeof(ip), "127.0.0.%d", order[i]);
		fds[i + 1] = connect_ip(ip, port, false, &err);
		ASSERT_EQ(EINPROGRESS, err);
	}
	EXPECT_EQ(9, accept_from(lfd));
	for (i = 0; i < (int)ARRAY_SIZE(order); i++)
		EXPECT_EQ(order[i], accept_from(lfd));
	at_close(fds, ARRAY_SIZE(order) + 1);
	close(lfd);
}

/*
 * A listener that is bound to the address of attempts takes them over from a
 * wildcard listener, and gives them back when it closes.
 */
TEST(a_closer_listener_comes_and_goes)
{
	int port = a_port(), any = listen_at_ip(AT_IN, "0.0.0.0", port, 0);
	int fds[4], one, i, err;

	ASSERT_LE(0, any);
	fds[0] = connect_ip("127.0.0.9", port, false, &err);
	ASSERT_EQ(0, err);
	for (i = 1; i < 4; i++) {
		fds[i] = connect_ip("127.0.0.1", port, false, &err);
		ASSERT_EQ(EINPROGRESS, err);
	}
	one = listen_at_ip(AT_IN, "127.0.0.1", port, 0);
	ASSERT_LE(0, one);
	EXPECT_EQ(0, at_so_error(fds[1]));
	EXPECT_EQ(0, at_position(fds[1]));
	EXPECT_EQ(1, at_position(fds[2]));
	/* No attempt waits for the wildcard listener now. */
	EXPECT_EQ(9, accept_from(any));
	EXPECT_EQ(EAGAIN, at_nonblock(any, true) ? -1 :
			  at_err(accept(any, NULL, NULL)));
	/*
	 * The attempts that still wait go back to the wildcard listener. The
	 * association that the closed listener had queued is reset.
	 */
	close(one);
	EXPECT_EQ(1, accept_from(any));
	EXPECT_EQ(1, accept_from(any));
	EXPECT_EQ(EAGAIN, at_err(accept(any, NULL, NULL)));
	at_close(fds, 4);
	close(any);
}

/*
 * An IPv4 attempt goes to the listener at 0.0.0.0, and to the listener at :: if
 * there is none at 0.0.0.0.
 */
TEST(attempts_at_both_wildcards)
{
	int port = a_port(), six = listen_at_ip(AT_IN6, "::", port, 0), four;
	int fds[4], i, err;

	ASSERT_LE(0, six);
	for (i = 0; i < 3; i++) {
		fds[i] = connect_ip("127.0.0.1", port, false, &err);
		ASSERT_EQ(i ? EINPROGRESS : 0, err);
	}
	EXPECT_EQ(1, at_position(fds[1]));
	four = listen_at_ip(AT_IN, "0.0.0.0", port, 0);
	ASSERT_LE(0, four);
	EXPECT_EQ(0, at_so_error(fds[1]));
	EXPECT_EQ(1, at_position(fds[2]));
	close(four);
	/*
	 * The queued association of the closed listener is reset. The attempt
	 * that still waits goes back to the listener at ::.
	 */
	close(accept(six, NULL, NULL));
	fds[3] = accept(six, NULL, NULL);
	EXPECT_LE(0, fds[3]);
	EXPECT_EQ(0, at_position(fds[2]));
	at_close(fds, 4);
	close(six);
}

/*
 * Return how long a wildcard listener takes to accept 100 attempts while @n
 * attempts wait for the listener of another IP address of the same port, in ns;
 * 0 on failure.
 */
static uint64_t accept_beside(int n)
{
	int port = a_port(), any = listen_at_ip(AT_IN, "0.0.0.0", port, 0);
	int other = listen_at_ip(AT_IN, "127.0.0.2", port, 0);
	int fds[MANY], mine[100], i, err, bad = 0;
	uint64_t begin, took;

	for (i = 0; i < n; i++) {
		fds[i] = connect_ip("127.0.0.2", port, i & 1, &err);
		bad += err != (i ? EINPROGRESS : 0);
	}
	for (i = 0; i < 100; i++) {
		mine[i] = connect_ip("127.0.0.1", port, false, &err);
		bad += err != (i ? EINPROGRESS : 0);
	}
	begin = at_now_ns();
	for (i = 0; i < 100; i++)
		bad += accept_from(any) != 1;
	took = at_now_ns() - begin;
	close(any);
	close(other);
	at_close(fds, n);
	at_close(mine, 100);
	return bad ? 0 : took;
}

/*
 * A wildcard listener does not pay for attempts that wait for other listeners
 * of its port.
 */
TEST(attempts_of_others_cost_nothing)
{
	EXPECT_TRUE(at_grows(2, accept_beside(FEW),
			     accept_beside(MANY)));
}

/* ---- races ---- */

struct flicker {
	int port;
	atomic_bool stop;
	int failed;
};

static void *flicker(void *arg)
{
	struct flicker *f = arg;
	int fd;

	while (!atomic_load(&f->stop)) {
		fd = listen_at_ip(AT_IN, "127.0.0.1", f->port, 1);
		if (fd < 0)
			f->failed++;
		close(fd);
	}
	return NULL;
}

struct accepter {
	int fd, left;
	atomic_int tid;
};

static void *accept_thread(void *arg)
{
	struct accepter *accepter = arg;
	int fd;

	atomic_store(&accepter->tid, gettid());
	while (accepter->left--) {
		fd = accept(accepter->fd, NULL, NULL);
		if (fd < 0)
			break;
		close(fd);
	}
	return NULL;
}

/*
 * Of several listeners with ALTCONN_DEFER_ACCEPT, a listener with a server that
 * sleeps in accept() is woken.
 */
TEST_F_TIMEOUT(room, an_idle_listener_is_woken_beside_busy_ones, AT_TIMEOUT)
{
	struct accepter accepter = { .left = 6 };
	int fd, i, err, busy, fds[6];
	pthread_t thread;

	busy = listen_sharing(variant->format, &self->a);
	accepter.fd = listen_sharing(variant->format, &self->a);
	ASSERT_EQ(0, at_set_option(busy, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, at_set_option(accepter.fd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, accept_thread, &accepter));
	for (i = 0; i < 6; i++) {
		ASSERT_TRUE(at_until(accepter.tid && at_sleeps(accepter.tid)));
		fd = at_socket(variant->format, SOCK_STREAM | SOCK_NONBLOCK);
		err = at_err(at_connect(fd, &self->a));
		EXPECT_TRUE(!err || err == EINPROGRESS);
		EXPECT_EQ(POLLOUT, at_poll(fd, POLLOUT) & POLLOUT);
		fds[i] = fd;
	}
	ASSERT_EQ(0, pthread_join(thread, NULL));
	at_close(fds, 6);
	close(accepter.fd);
	close(busy);
}

/* A lookup walks the listeners of an address, so their number is limited. */
TEST_F_TIMEOUT(room, listeners_that_share_are_bounded, AT_TIMEOUT)
{
	int fds[MOST_LISTENERS], fd, i, n;

	for (n = 0; n < MOST_LISTENERS - 1; n++) {
		fds[n] = listen_sharing(variant->format, &self->a);
		ASSERT_LE(0, fds[n]);
	}
	for (i = 0; i < 2; i++) {
		fd = listen_sharing(variant->format, &self->a);
		EXPECT_EQ(-1, fd);
		EXPECT_EQ(EADDRINUSE, errno);
	}
	close(fds[--n]);
	fds[n] = listen_sharing(variant->format, &self->a);
	EXPECT_LE(0, fds[n]);
	at_close(fds, n + 1);
}

/* ---- shares of users ---- */

#define MAX_WAITING	5
#define SHARE	3	/* half of max_waiting, rounded up */
#define NOBODY	65534
#define OTHER	65533

FIXTURE(share) {
	struct at_addr a;
	int lfd, full;
	int fds[4 * MAX_WAITING], n;
};

FIXTURE_VARIANT(share) {
	enum at_format format;
	enum at_kind kind;
	int type;
	/* There is no listener, and attempts have ALTCONN_WAIT_LISTENER. */
	bool waits_listener;
};

FIXTURE_VARIANT_ADD(share, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(share, unix_name) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(share, unix_path) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(share, inet) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(share, no_listener) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_STREAM,
	.waits_listener = true,
};

FIXTURE_SETUP(share)
{
	int err;

	ASSERT_EQ(0, at_netns());
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", MAX_WAITING));
	if (variant->waits_listener) {
		at_addr(&self->a, variant->format, variant->kind);
		return;
	}
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 0);
	ASSERT_LE(0, self->lfd);
	if (variant->kind == AT_PATH)
		ASSERT_EQ(0, chmod(at_path_of(&self->a), 0777));
	self->full = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(share)
{
	close(self->lfd);
	close(self->full);
	at_close(self->fds, self->n);
	at_cleanup();
}

/*
 * Begin an attempt of user @uid. Return EINPROGRESS if it waits, another errno
 * if the waiting room has no space for it, or a negative number on failure.
 */
static int share_try(int uid, const struct at_addr *a, enum at_format format,
		     int type, bool waits_listener, int *fd)
{
	struct altconn_connect_info info = {};
	int err;

	/* An attempt counts for the real user ID of the caller. */
	if (setresuid(uid, 0, 0))
		return -1;
	*fd = at_socket(format, type | SOCK_NONBLOCK);
	if (*fd < 0 ||
	    (waits_listener && at_set_option(*fd, ALTCONN_WAIT_LISTENER, 1)))
		return -2;
	err = at_err(at_connect(*fd, a));
	if (setresuid(0, 0, 0) || at_info(*fd, &info))
		return -3;
	if (err != EINPROGRESS &&
	    info.aci_reason != ALTCONN_REASON_WAITING_ROOM_FULL)
		return -4;
	return err;
}

#define TRY(uid) share_try(uid, &self->a, variant->format, variant->type, \
			   variant->waits_listener, &self->fds[self->n++])

/* One user cannot fill the room, so the attempts of other users can wait. */
TEST_F_TIMEOUT(share, one_user_leaves_space_for_others, AT_TIMEOUT)
{
	int i;

	for (i = 0; i < MAX_WAITING; i++)
		EXPECT_EQ(i < SHARE ? EINPROGRESS : ECONNREFUSED, TRY(NOBODY));
	EXPECT_EQ(EINPROGRESS, TRY(OTHER));
	EXPECT_EQ(EINPROGRESS, TRY(0));
	EXPECT_EQ(MAX_WAITING, at_position(self->fds[self->n - 1]));
	/* The room is full, though these users have less than half of it. */
	EXPECT_EQ(ECONNREFUSED, TRY(OTHER));
	EXPECT_EQ(ECONNREFUSED, TRY(0));

	/* An attempt that ends frees space, also for the same user. */
	close(self->fds[1]);
	self->fds[1] = -1;
	EXPECT_EQ(EINPROGRESS, TRY(NOBODY));
	EXPECT_EQ(ECONNREFUSED, TRY(NOBODY));
	close(self->fds[0]);
	self->fds[0] = -1;
	EXPECT_EQ(EINPROGRESS, TRY(OTHER));
	EXPECT_EQ(ECONNREFUSED, TRY(NOBODY));

	/* With a limit of one attempt, any user may have this attempt. */
	at_close(self->fds, self->n);
	self->n = 0;
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 1));
	EXPECT_EQ(EINPROGRESS, TRY(NOBODY));
	EXPECT_EQ(ECONNREFUSED, TRY(OTHER));
	close(self->fds[0]);
	self->fds[0] = -1;
	EXPECT_EQ(EINPROGRESS, TRY(OTHER));
}

/* An attempt that is established no longer counts for the user's share. */
TEST_F_TIMEOUT(share, established_attempt_frees_its_share, AT_TIMEOUT)
{
	int i, fd;

	for (i = 0; i < SHARE; i++)
		EXPECT_EQ(EINPROGRESS, TRY(NOBODY));
	EXPECT_EQ(ECONNREFUSED, TRY(NOBODY));
	if (variant->waits_listener) {
		fd = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_bind(fd, &self->a));
		ASSERT_EQ(0, listen(fd, 0));
		self->lfd = fd;
	} else {
		close(accept(self->lfd, NULL, NULL));
	}
	EXPECT_EQ(0, at_so_error(self->fds[0]));
	EXPECT_EQ(1, at_position(self->fds[1]));
	EXPECT_EQ(EINPROGRESS, TRY(NOBODY));
	EXPECT_EQ(ECONNREFUSED, TRY(NOBODY));
	EXPECT_EQ(EINPROGRESS, TRY(OTHER));
}

/*
 * The delay of a rule ends in a kernel thread, and the attempts still count for
 * their own user.
 */
TEST_F_TIMEOUT(share, delayed_attempts_count_for_their_user, AT_TIMEOUT)
{
	int i, waits = 0, refused = 0;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_LT(0, at_tool("rule add uid 0 delay 10"));
	for (i = 0; i < MAX_WAITING; i++)
		EXPECT_EQ(EINPROGRESS, TRY(NOBODY));
	for (i = 0; i < MAX_WAITING; i++) {
		EXPECT_TRUE(at_until(at_position(self->fds[i]) ||
				     at_poll_now(self->fds[i], POLLOUT)));
		if (at_position(self->fds[i]))
			waits++;
		else
			refused += at_so_error(self->fds[i]) == ECONNREFUSED;
	}
	EXPECT_EQ(SHARE, waits);
	EXPECT_EQ(MAX_WAITING - SHARE, refused);
	ASSERT_EQ(0, at_tool("rule flush"));
	EXPECT_EQ(EINPROGRESS, TRY(OTHER));
}

/* Begin attempts of user @uid. Return how many of them wait. */
static int share_count(int uid, const struct at_addr *a, enum at_format format,
		       int type)
{
	int i, fd, n = 0;

	for (i = 0; i < MAX_WAITING; i++)
		n += share_try(uid, a, format, type, false, &fd) == EINPROGRESS;
	return n;
}

/*
 * Let users 1 and 2 of one user namespace wait at a listener of that namespace.
 * Return 10 * (waiting attempts of user 1) + (waiting attempts of user 2), or
 * 201 on failure.
 */
static int share_within(void)
{
	struct at_addr a;
	int err;

	if (at_sysctl_set("altconn/max_waiting", MAX_WAITING) ||
	    at_listener(&a, AT_NATIVE, AT_PORT, SOCK_STREAM, 0) < 0 ||
	    at_client(AT_NATIVE, SOCK_STREAM, &a, &err) < 0 || err)
		return 201;
	return 10 * share_count(1, &a, AT_NATIVE, SOCK_STREAM) +
	       share_count(2, &a, AT_NATIVE, SOCK_STREAM);
}

/*
 * Count the waiting attempts of users 1 and 2 in a new user namespace, which
 * @owner owns and which maps ten user IDs, and in a new network namespace. The
 * attempts wait at a listener in these namespaces if @within, else at @a.
 */
static int share_below(int owner, const struct at_addr *a,
		       enum at_format format, int type, bool within)
{
	int go[2], ready[2];
	pid_t pid;

	if (pipe(go) || pipe(ready))
		return -1;
	pid = at_fork();
	if (!pid) {
		if (setresuid(owner, owner, owner) ||
		    unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(202);
		/* The parent is root and can write the child's uid_map now. */
		at_send_step(ready[1]);
		if (at_wait_step(go[0]) || setresuid(0, 0, 0))
			_exit(203);
		_exit(within ? share_within() :
			       share_count(1, a, format, type) +
			       share_count(2, a, format, type));
	}
	if (at_wait_step(ready[0]) ||
	    at_proc_write(pid, "uid_map", "0 100000 10\n") ||
	    at_send_step(go[1]))
		return -2;
	return at_reap(pid);
}

/*
 * User IDs of a user namespace do not multiply a share. At a listener outside
 * of the namespace they all count as the owner of the namespace. In a
 * container, which root owns, they count as one user apart from root. At a
 * listener of their own namespace they are different users.
 */
TEST_F_TIMEOUT(share, users_of_user_namespaces, AT_TIMEOUT)
{
	if (variant->kind != AT_PATH)
		SKIP(return, "only a path leads into another namespace");
	EXPECT_EQ(EINPROGRESS, TRY(0));
	EXPECT_EQ(EINPROGRESS, TRY(NOBODY));
	EXPECT_EQ(SHARE - 1, share_below(NOBODY, &self->a, variant->format,
					 variant->type, false));
	EXPECT_EQ(SHARE, share_below(0, &self->a, variant->format,
				     variant->type, false));
	EXPECT_EQ(10 * SHARE + MAX_WAITING - SHARE,
		  share_below(0, NULL, 0, 0, true));
}

/* All addresses of a port make one waiting room with one share for a user. */
TEST(a_share_is_of_all_addresses_of_a_port)
{
	int port, any, fds[MAX_WAITING], i, err;
	char ip[16];

	ASSERT_EQ(0, at_netns());
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", MAX_WAITING));
	port = a_port();
	any = listen_at_ip(AT_IN, "0.0.0.0", port, 0);
	ASSERT_LE(0, any);
	ASSERT_LE(0, connect_ip("127.0.0.9", port, false, &err));
	ASSERT_EQ(0, err);
	for (i = 0; i < MAX_WAITING; i++) {
		snprintf(ip, sizeof(ip), "127.0.0.%d", i + 1);
		fds[i] = connect_ip(ip, port, false, &err);
		EXPECT_EQ(i < SHARE ? EINPROGRESS : ECONNREFUSED, err);
	}
	ASSERT_EQ(0, setresuid(NOBODY, 0, 0));
	close(connect_ip("127.0.0.1", port, false, &err));
	EXPECT_EQ(EINPROGRESS, err);
	at_close(fds, MAX_WAITING);
	close(any);
}

FIXTURE(race) {};
FIXTURE_SETUP(race) {}
FIXTURE_TEARDOWN(race) {}

/*
 * While a listener of one address opens and closes, a wildcard listener
 * accepts. Each attempt is decided: it succeeds, or ends with ECONNRESET.
 */
TEST_F_TIMEOUT(race, no_attempt_is_forgotten, AT_TIMEOUT_LONG)
{
	struct flicker f = { .port = a_port() };
	int any = listen_at_ip(AT_IN, "0.0.0.0", f.port, 0), rounds;
	int i, j, fds[8], err, decided;
	pthread_t thread;

	ASSERT_LE(0, any);
	ASSERT_EQ(0, at_nonblock(any, true));
	ASSERT_EQ(0, pthread_create(&thread, NULL, flicker, &f));
	rounds = at_scale(300, 50);
	for (i = 0; i < rounds; i++) {
		for (j = 0; j < 8; j++) {
			fds[j] = connect_ip("127.0.0.1", f.port, j & 1, &err);
			ASSERT_TRUE(!err || err == EINPROGRESS);
		}
		for (j = 0; j < 8; j++) {
			ASSERT_TRUE(at_until((close(accept(any, NULL, NULL)),
					      at_poll_now(fds[j], POLLOUT))));
			decided = at_so_error(fds[j]);
			EXPECT_TRUE(!decided || decided == ECONNRESET);
		}
		at_close(fds, 8);
	}
	atomic_store(&f.stop, true);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, f.failed);
	close(any);
}

TEST_HARNESS_MAIN
