// SPDX-License-Identifier: GPL-2.0
/*
 * Test poll(), and level-triggered and edge-triggered epoll, in every state of
 * a socket. There is no POLLOUT before an attempt is decided (E-INPROGRESS).
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define ALL (POLLIN | POLLOUT | POLLRDHUP | POLLPRI)

FIXTURE(state) {};

FIXTURE_VARIANT(state) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(state, native_port_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(state, native_path_seqpacket) {
	.format = AT_NATIVE, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(state, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(state, unix_path_stream) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(state, oracle_name_stream) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_STREAM,
};

FIXTURE_SETUP(state) {}
FIXTURE_TEARDOWN(state) { at_cleanup(); }

static int bound_listener(const FIXTURE_VARIANT(state) *variant,
			  struct at_addr *a, int backlog)
{
	return at_listener(a, variant->format, variant->kind, variant->type,
			   backlog);
}

static int pair_of(const FIXTURE_VARIANT(state) *variant, int sv[2])
{
	return at_pair(variant->format, variant->kind, variant->type, sv);
}

TEST_F_TIMEOUT(state, listener_POLLIN, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd = bound_listener(variant, &a, 4), fds[2];

	ASSERT_LE(0, lfd);
	EXPECT_EQ(0, at_poll_now(lfd, POLLIN | POLLRDHUP));
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &a, fds, 2));
	EXPECT_EQ(POLLIN, at_poll(lfd, POLLIN));
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_EQ(POLLIN, at_poll_now(lfd, POLLIN));
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_EQ(0, at_poll_now(lfd, POLLIN));
}

TEST_F_TIMEOUT(state, established, AT_TIMEOUT)
{
	int sv[2], i;
	char c;

	ASSERT_EQ(0, pair_of(variant, sv));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(POLLOUT, at_poll_now(sv[i], ALL));
		ASSERT_EQ(1, send(sv[!i], "x", 1, 0));
		EXPECT_EQ(POLLIN | POLLOUT, at_poll(sv[i], ALL) &
					    (POLLIN | POLLOUT));
		ASSERT_EQ(1, recv(sv[i], &c, 1, 0));
		EXPECT_EQ(POLLOUT, at_poll_now(sv[i], ALL));
	}
}

/* Fill the buffer to the last byte. */
static void fill_buffer(int fd)
{
	at_fill_buffer(fd, 4096);
	at_fill_buffer(fd, 1);
}

static long drain_buffer(int fd)
{
	static char buf[65536];
	ssize_t n;
	long sum = 0;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += n;
	return sum;
}

TEST_F_TIMEOUT(state, full_has_no_POLLOUT, AT_TIMEOUT)
{
	int sv[2];

	ASSERT_EQ(0, pair_of(variant, sv));
	fill_buffer(sv[0]);
	EXPECT_EQ(0, at_poll_now(sv[0], POLLOUT));
	EXPECT_EQ(POLLOUT, at_poll_now(sv[1], POLLOUT));
	EXPECT_LT(0, drain_buffer(sv[1]));
	EXPECT_EQ(POLLOUT, at_poll(sv[0], POLLOUT));
}

TEST_F_TIMEOUT(state, peer_closed, AT_TIMEOUT)
{
	bool un = variant->format == AT_UNIX || variant->format == AT_ORACLE;
	short all = POLLIN | POLLRDHUP | (un ? POLLHUP : 0);
	int sv[2];
	char c;

	ASSERT_EQ(0, pair_of(variant, sv));
	ASSERT_EQ(1, send(sv[1], "x", 1, 0));
	close(sv[1]);
	EXPECT_EQ(all | POLLOUT, at_poll(sv[0], ALL));
	EXPECT_EQ(1, recv(sv[0], &c, 1, 0));
	EXPECT_EQ(all | POLLOUT, at_poll(sv[0], ALL));
	EXPECT_EQ(0, recv(sv[0], &c, 1, 0));
}

TEST_F_TIMEOUT(state, peer_shut_for_writing, AT_TIMEOUT)
{
	int sv[2];

	ASSERT_EQ(0, pair_of(variant, sv));
	ASSERT_EQ(0, shutdown(sv[1], SHUT_WR));
	EXPECT_EQ(POLLIN | POLLRDHUP, at_poll(sv[0], POLLIN | POLLRDHUP));
	EXPECT_EQ(0, at_poll_now(sv[0], ALL) & POLLHUP);
	EXPECT_EQ(POLLOUT, at_poll_now(sv[0], POLLOUT));
	EXPECT_EQ(0, at_poll_now(sv[1], POLLRDHUP));
	ASSERT_EQ(0, shutdown(sv[0], SHUT_WR));
	EXPECT_EQ(POLLHUP, at_poll(sv[1], POLLRDHUP) & POLLHUP);
}

TEST_F_TIMEOUT(state, reset_POLLERR_until_read, AT_TIMEOUT)
{
	int sv[2];

	ASSERT_EQ(0, pair_of(variant, sv));
	ASSERT_EQ(1, send(sv[0], "x", 1, 0));
	close(sv[1]);
	EXPECT_EQ(POLLERR | POLLHUP,
		  at_poll(sv[0], POLLIN) & (POLLERR | POLLHUP));
	EXPECT_EQ(ECONNRESET, at_so_error(sv[0]));
	EXPECT_EQ(0, at_so_error(sv[0]));
	EXPECT_EQ(0, at_poll_now(sv[0], POLLIN) & POLLERR);
}

TEST_F_TIMEOUT(state, E_INPROGRESS_pending, AT_TIMEOUT)
{
	int lfd, fd, err, full[1];
	struct at_addr a;

	if (variant->format == AT_ORACLE)
		SKIP(return, "AF_UNIX has no pending connect");
	lfd = bound_listener(variant, &a, 0);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &a, full, 1));
	fd = at_client(variant->format, variant->type | SOCK_NONBLOCK, &a,
		       &err);
	ASSERT_EQ(EINPROGRESS, err);
	EXPECT_EQ(0, at_poll_now(fd, ALL));
	/* accept() frees space, and the attempt is established. */
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(fd, ALL));
	EXPECT_EQ(0, at_so_error(fd));
	EXPECT_EQ(POLLOUT, at_poll_now(fd, ALL));
}

TEST_F_TIMEOUT(state, E_INPROGRESS_error_holds, AT_TIMEOUT)
{
	const short want = POLLOUT | POLLERR | POLLHUP;
	int lfd, fd, err, full[1], i;
	struct at_addr a;

	if (variant->format == AT_ORACLE)
		SKIP(return, "AF_UNIX has no pending connect");
	lfd = bound_listener(variant, &a, 0);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &a, full, 1));
	fd = at_client(variant->format, variant->type | SOCK_NONBLOCK, &a,
		       &err);
	ASSERT_EQ(EINPROGRESS, err);
	close(lfd);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(want, at_poll(fd, ALL) & want);
	EXPECT_EQ(ECONNREFUSED, at_so_error(fd));
	EXPECT_EQ(0, at_poll_now(fd, ALL) & POLLERR);
}

/* ---- epoll ---- */

static int epoll_watch(int epfd, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
}

static uint32_t epoll_event(int epfd, int timeout)
{
	struct epoll_event ev = {};

	return epoll_wait(epfd, &ev, 1, timeout) == 1 ? ev.events : 0;
}

/*
 * A program can register a socket before connect(), and gets one EPOLLOUT when
 * the attempt is established.
 */
TEST_F_TIMEOUT(state, epoll_registered_before_connect, AT_TIMEOUT)
{
	int lfd, fd, full[1], epfd;
	struct at_addr a;

	if (variant->format == AT_ORACLE)
		SKIP(return, "AF_UNIX has no pending connect");
	lfd = bound_listener(variant, &a, 0);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &a, full, 1));
	epfd = epoll_create1(0);
	fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);
	ASSERT_EQ(0, epoll_watch(epfd, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP |
				 EPOLLET));
	epoll_event(epfd, 0);
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &a)));
	EXPECT_EQ(0, epoll_event(epfd, 0));
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_EQ(EPOLLOUT, epoll_event(epfd, at_deadline_ms()));
	/* An edge-triggered event is reported once. */
	EXPECT_EQ(0, epoll_event(epfd, 0));
	EXPECT_EQ(0, at_err(at_connect(fd, &a)));
}

TEST_F_TIMEOUT(state, epoll_LT_repeats_ET_does_not, AT_TIMEOUT)
{
	int sv[2], lt = epoll_create1(0), et = epoll_create1(0), i;
	char c;

	ASSERT_EQ(0, pair_of(variant, sv));
	ASSERT_EQ(0, epoll_watch(lt, sv[0], EPOLLIN));
	ASSERT_EQ(0, epoll_watch(et, sv[0], EPOLLIN | EPOLLET));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(1, send(sv[1], "x", 1, 0));
		EXPECT_EQ(EPOLLIN, epoll_event(lt, at_deadline_ms()));
		EXPECT_EQ(EPOLLIN, epoll_event(lt, 0));
		/* Each arrival is an edge, even if the last byte is unread. */
		EXPECT_EQ(EPOLLIN, epoll_event(et, at_deadline_ms()));
		EXPECT_EQ(0, epoll_event(et, 0));
	}
	ASSERT_EQ(1, recv(sv[0], &c, 1, 0));
	if (variant->type == SOCK_STREAM || variant->type == SOCK_SEQPACKET)
		ASSERT_EQ(1, recv(sv[0], &c, 1, 0));
	EXPECT_EQ(0, epoll_event(lt, 0));
}

TEST_F_TIMEOUT(state, epoll_ET_writable_again, AT_TIMEOUT)
{
	int sv[2], et = epoll_create1(0);

	ASSERT_EQ(0, pair_of(variant, sv));
	fill_buffer(sv[0]);
	ASSERT_EQ(0, epoll_watch(et, sv[0], EPOLLOUT | EPOLLET));
	EXPECT_EQ(0, epoll_event(et, 0));
	EXPECT_LT(0, drain_buffer(sv[1]));
	EXPECT_EQ(EPOLLOUT, epoll_event(et, at_deadline_ms()));
}

/* Expect SIGIO when there is space again for a sender that found none. */
static void signals_space(struct __test_metadata *_metadata, int sv[2])
{
	ASSERT_EQ(0, at_catch(SIGIO, 0));
	ASSERT_EQ(0, fcntl(sv[0], F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(sv[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	fill_buffer(sv[0]);
	atomic_store(&at_caught, 0);
	EXPECT_LT(0, drain_buffer(sv[1]));
	EXPECT_TRUE(at_until(atomic_load(&at_caught)));
	at_close(sv, 2);
}

TEST_F_TIMEOUT(state, O_ASYNC_signals_space, AT_TIMEOUT)
{
	int sv[2];

	ASSERT_EQ(0, pair_of(variant, sv));
	signals_space(_metadata, sv);
}

TEST(O_ASYNC_signals_space_as_TCP)
{
	int sv[2];

	ASSERT_EQ(0, at_pair(AT_ORACLE_IN, AT_INET, SOCK_STREAM, sv));
	signals_space(_metadata, sv);
	at_cleanup();
}

TEST_F_TIMEOUT(state, epoll_ET_listener, AT_TIMEOUT)
{
	int et = epoll_create1(0), lfd, i, err;
	struct at_addr a;

	lfd = bound_listener(variant, &a, 8);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, epoll_watch(et, lfd, EPOLLIN | EPOLLET));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, epoll_event(et, 0));
		ASSERT_LE(0, at_client(variant->format, variant->type, &a,
				       &err));
		EXPECT_EQ(0, err);
		EXPECT_EQ(EPOLLIN, epoll_event(et, at_deadline_ms()));
	}
}

/* A thread sleeps in poll() on @fd and stores the result in @revents. */
struct sleeper {
	pthread_t thread;
	int fd;
	short events, revents;
	atomic_int tid;
};

static void *sleep_in_poll(void *arg)
{
	struct sleeper *s = arg;

	atomic_store(&s->tid, gettid());
	s->revents = at_poll(s->fd, s->events);
	return NULL;
}

static int start_sleeper(struct sleeper *s, int fd, short events)
{
	s->fd = fd;
	s->events = events;
	return at_start_asleep(&s->thread, sleep_in_poll, s, &s->tid);
}

static short join_sleeper(struct sleeper *s)
{
	pthread_join(s->thread, NULL);
	return s->revents;
}

/* A thread that sleeps in poll() is woken by data, by space and by a close. */
TEST_F_TIMEOUT(state, wakes_on_data_space_and_close, AT_TIMEOUT)
{
	struct sleeper s;
	int sv[2];

	ASSERT_EQ(0, pair_of(variant, sv));
	ASSERT_EQ(0, start_sleeper(&s, sv[0], POLLIN));
	ASSERT_EQ(1, send(sv[1], "x", 1, 0));
	EXPECT_EQ(POLLIN, join_sleeper(&s));
	fill_buffer(sv[0]);
	ASSERT_EQ(0, start_sleeper(&s, sv[0], POLLOUT));
	EXPECT_LT(0, drain_buffer(sv[1]));
	EXPECT_EQ(POLLOUT, join_sleeper(&s));
	EXPECT_LT(0, drain_buffer(sv[0]));
	ASSERT_EQ(0, start_sleeper(&s, sv[0], POLLRDHUP));
	close(sv[1]);
	EXPECT_NE(0, join_sleeper(&s) & (POLLRDHUP | POLLHUP));
}

/*
 * @fd is a socket in one of the states below. @lfd and @peer are sockets that
 * the state needs.
 */
struct stage {
	enum at_format format;
	enum at_kind kind;
	struct at_addr a;
	int lfd, fd, peer;
};

static int unconnected(struct stage *s)
{
	s->fd = at_socket(s->format, SOCK_STREAM | SOCK_NONBLOCK);
	return s->fd;
}

static int on_stage(struct stage *s, int backlog)
{
	s->lfd = at_listener(&s->a, s->format, s->kind, SOCK_STREAM, backlog);
	return s->lfd;
}

static int listening(struct stage *s)
{
	s->fd = on_stage(s, 4);
	return s->fd;
}

static int listening_with_one(struct stage *s)
{
	int err;

	if (listening(s) < 0)
		return -1;
	s->peer = at_client(s->format, SOCK_STREAM, &s->a, &err);
	return err ? -1 : at_poll(s->fd, POLLIN) - POLLIN;
}

static int pending(struct stage *s)
{
	int fd, err;

	if (on_stage(s, 0) < 0 ||
	    at_fill(s->format, SOCK_STREAM, &s->a, &fd, 1) ||
	    unconnected(s) < 0)
		return -1;
	err = at_err(at_connect(s->fd, &s->a));
	return err == EINPROGRESS ? 0 : -1;
}

static int refused(struct stage *s)
{
	if (pending(s))
		return -1;
	close(s->lfd);
	return at_poll(s->fd, POLLOUT) ? 0 : -1;
}

static int refused_and_read(struct stage *s)
{
	return refused(s) || at_so_error(s->fd) != ECONNREFUSED;
}

/*
 * Make an attempt that fails at once, at an address without a listener. TCP has
 * no other failed attempt, since TCP refuses no attempt that waits.
 */
static int refused_at_once(struct stage *s)
{
	at_addr(&s->a, s->format, s->kind);
	if (unconnected(s) < 0 || !at_connect(s->fd, &s->a))
		return -1;
	return at_poll(s->fd, POLLOUT) ? 0 : -1;
}

static int established(struct stage *s)
{
	int sv[2];

	if (at_pair(s->format, s->kind, SOCK_STREAM, sv))
		return -1;
	s->fd = sv[0];
	s->peer = sv[1];
	return 0;
}

static int readable(struct stage *s)
{
	if (established(s) || send(s->peer, "x", 1, 0) != 1)
		return -1;
	return at_poll(s->fd, POLLIN) ? 0 : -1;
}

static int peer_shut_write(struct stage *s)
{
	if (established(s) || shutdown(s->peer, SHUT_WR))
		return -1;
	return at_poll(s->fd, POLLRDHUP) ? 0 : -1;
}

static int own_shut_write(struct stage *s)
{
	return established(s) || shutdown(s->fd, SHUT_WR);
}

static int own_shut_read(struct stage *s)
{
	return established(s) || shutdown(s->fd, SHUT_RD);
}

static int both_shut_write(struct stage *s)
{
	return peer_shut_write(s) || shutdown(s->fd, SHUT_WR);
}

static int peer_is_gone(struct stage *s)
{
	if (established(s) || close(s->peer))
		return -1;
	return at_poll(s->fd, POLLRDHUP) ? 0 : -1;
}

static int peer_has_reset(struct stage *s)
{
	if (established(s) || send(s->fd, "x", 1, 0) != 1 ||
	    !at_poll(s->peer, POLLIN) || close(s->peer))
		return -1;
	return at_poll(s->fd, POLLRDHUP) ? 0 : -1;
}

static int reset_and_read(struct stage *s)
{
	return peer_has_reset(s) || at_so_error(s->fd) != ECONNRESET;
}

/*
 * The table has what poll() reports in each state: in @tcp as TCP does, and in
 * @un, for the sockaddr_un format, as AF_UNIX does where AF_UNIX has the state.
 * The test skips the oracles in the states with @ours.
 * Documentation/design/connect-semantics.rst has the same table.
 */
#define IN	POLLIN
#define OUT	POLLOUT
#define RDHUP	POLLRDHUP
#define HUP	POLLHUP
#define ERR	POLLERR
static const struct {
	const char *state;
	int (*make)(struct stage *s);
	short tcp, un;
	bool ours;
} stages[] = {
	{ .state = "unconnected", .make = unconnected, .tcp = OUT | HUP,
	  .un = OUT | HUP },
	{ .state = "listening", .make = listening, .tcp = 0, .un = 0 },
	{ .state = "listening, one to accept", .make = listening_with_one,
	  .tcp = IN, .un = IN },
	{ .state = "attempt pending", .make = pending, .tcp = 0, .un = 0,
	  .ours = true },
	{ .state = "attempt failed", .make = refused,
	  .tcp = IN | OUT | RDHUP | HUP | ERR,
	  .un = IN | OUT | RDHUP | HUP | ERR, .ours = true },
	{ .state = "attempt failed, error read", .make = refused_and_read,
	  .tcp = IN | OUT | RDHUP | HUP, .un = IN | OUT | RDHUP | HUP,
	  .ours = true },
	{ .state = "established", .make = established, .tcp = OUT, .un = OUT },
	{ .state = "something to read", .make = readable, .tcp = IN | OUT,
	  .un = IN | OUT },
	{ .state = "peer shut for writing", .make = peer_shut_write,
	  .tcp = IN | OUT | RDHUP, .un = IN | OUT | RDHUP },
	{ .state = "shut for writing", .make = own_shut_write, .tcp = OUT,
	  .un = OUT },
	{ .state = "shut for reading", .make = own_shut_read,
	  .tcp = IN | OUT | RDHUP, .un = IN | OUT | RDHUP },
	{ .state = "both shut for writing", .make = both_shut_write,
	  .tcp = IN | OUT | RDHUP | HUP, .un = IN | OUT | RDHUP | HUP },
	{ .state = "peer closed", .make = peer_is_gone, .tcp = IN | OUT | RDHUP,
	  .un = IN | OUT | RDHUP | HUP },
	{ .state = "peer reset", .make = peer_has_reset,
	  .tcp = IN | OUT | RDHUP | HUP | ERR,
	  .un = IN | OUT | RDHUP | HUP | ERR },
	{ .state = "peer reset, error read", .make = reset_and_read,
	  .tcp = IN | OUT | RDHUP | HUP, .un = IN | OUT | RDHUP | HUP },
};

FIXTURE(table) {};

FIXTURE_VARIANT(table) {
	enum at_format format;
	enum at_kind kind;
	bool un;
};

FIXTURE_VARIANT_ADD(table, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(table, inet) {
	.format = AT_IN, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(table, inet6) {
	.format = AT_IN6, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(table, tcp) {
	.format = AT_ORACLE_IN, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(table, unix_path) {
	.format = AT_UNIX, .kind = AT_PATH, .un = true,
};
FIXTURE_VARIANT_ADD(table, af_unix) {
	.format = AT_ORACLE, .kind = AT_PATH, .un = true,
};

FIXTURE_SETUP(table) {}
FIXTURE_TEARDOWN(table) { at_cleanup(); }

TEST_F_TIMEOUT(table, revents, AT_TIMEOUT)
{
	struct stage s;
	short want;
	int i;

	for (i = 0; i < ARRAY_SIZE(stages); i++) {
		if (stages[i].ours && at_is_oracle(variant->format))
			continue;
		s = (struct stage) {
			.format = variant->format, .kind = variant->kind,
			.lfd = -1, .fd = -1, .peer = -1,
		};
		EXPECT_EQ(0, stages[i].make(&s) < 0) {
			TH_LOG("cannot make: %s", stages[i].state);
		}
		want = variant->un ? stages[i].un : stages[i].tcp;
		EXPECT_EQ(want, at_poll_now(s.fd, ALL)) {
			TH_LOG("%s", stages[i].state);
		}
		close(s.fd);
		close(s.lfd);
		close(s.peer);
		at_cleanup();
	}
}

/*
 * A refused attempt of TCP is the oracle for the failed attempts of the table:
 * poll() reports the same events.
 */
TEST(failed_attempt_as_TCP)
{
	struct stage s = { .format = AT_ORACLE_IN, .kind = AT_INET };

	ASSERT_EQ(0, refused_at_once(&s));
	EXPECT_EQ(IN | OUT | RDHUP | HUP | ERR, at_poll_now(s.fd, ALL));
	EXPECT_EQ(ECONNREFUSED, at_so_error(s.fd));
	EXPECT_EQ(IN | OUT | RDHUP | HUP, at_poll_now(s.fd, ALL));
}

/*
 * select() reports a pending attempt as poll() does: not writable until the
 * attempt is established (E-INPROGRESS).
 */
TEST_F_TIMEOUT(state, select_E_INPROGRESS, AT_TIMEOUT)
{
	int lfd, fd, full[1], err;
	struct timeval tv = {};
	struct at_addr a;
	fd_set set;

	if (at_is_oracle(variant->format))
		SKIP(return, "AF_UNIX has no pending connect");
	lfd = bound_listener(variant, &a, 0);
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &a, full, 1));
	fd = at_client(variant->format, variant->type | SOCK_NONBLOCK, &a,
		       &err);
	ASSERT_EQ(EINPROGRESS, err);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	EXPECT_EQ(0, select(fd + 1, NULL, &set, NULL, &tv));
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	FD_SET(fd, &set);
	EXPECT_EQ(1, select(fd + 1, NULL, &set, NULL, NULL));
	EXPECT_NE(0, FD_ISSET(fd, &set));
	EXPECT_EQ(0, at_so_error(fd));
}

TEST_HARNESS_MAIN
