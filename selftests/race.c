// SPDX-License-Identifier: GPL-2.0
/*
 * Many threads act at once. Whatever runs against an attempt, the attempt is
 * established, refused, timed out or cancelled exactly once, so the counts of
 * both sides agree in the end. Threads that call connect() on one socket all
 * get true results (clause S-THREAD).
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <sched.h>
#include <signal.h>

struct arena {
	enum at_format format;
	int type;
	struct at_addr a;
	int lfd;
	atomic_bool over;
	atomic_long established, refused, timed_out, cancelled, reset, unknown;
	atomic_long accepted, sent, clients, finished;
	int rounds, attempts;
	bool waits_listener;
};

FIXTURE(race) {
	struct arena arena;
};

FIXTURE_VARIANT(race) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(race, native_port_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(race, unix_path_seqpacket) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};

FIXTURE_SETUP(race)
{
	struct arena *arena = &self->arena;

	arena->format = variant->format;
	arena->type = variant->type;
	arena->rounds = at_scale(300, 40);
	arena->attempts = arena->rounds;
	arena->lfd = at_listener(&arena->a, variant->format, variant->kind,
				 variant->type, 1);
	ASSERT_LE(0, arena->lfd);
	ASSERT_EQ(0, at_catch(SIGUSR1, 0));
}

FIXTURE_TEARDOWN(race)
{
	at_cleanup();
}

/*
 * Count a success and send one byte. The server must read such a byte from
 * exactly as many connections.
 */
static void count_and_send(struct arena *arena, int fd)
{
	atomic_fetch_add(&arena->established, 1);
	if (send(fd, "!", 1, MSG_NOSIGNAL) == 1)
		atomic_fetch_add(&arena->sent, 1);
}

static void count_result(struct arena *arena, int fd, int err)
{
	switch (err) {
	case 0:
		count_and_send(arena, fd);
		break;
	case ECONNREFUSED:
		atomic_fetch_add(&arena->refused, 1);
		break;
	case ETIMEDOUT:
		atomic_fetch_add(&arena->timed_out, 1);
		break;
	case ECONNRESET:
		/* The attempt was established before the listener closed. */
		atomic_fetch_add(&arena->reset, 1);
		break;
	default:
		atomic_fetch_add(&arena->unknown, 1);
	}
}

static int finish_nonblocking(int fd)
{
	if (!(at_poll(fd, POLLOUT) & POLLOUT))
		return -1;
	return at_so_error(fd);
}

static int one_blocking(struct arena *arena, int fd)
{
	int err;

	do {
		err = at_err(at_connect(fd, &arena->a));
	} while (err == EINTR);
	return err;
}

static int one_nonblocking(struct arena *arena, int fd, uint64_t dice)
{
	int err;

	at_nonblock(fd, true);
	err = at_err(at_connect(fd, &arena->a));
	if (err != EINPROGRESS)
		return err;
	switch (dice % 4) {
	case 0:
		/*
		 * This cancels the attempt, or dissolves the association if it
		 * is established by now.
		 */
		if (at_connect_unspec(fd))
			return errno;
		break;
	case 1:
		/* The caller closes the socket, early or late. */
		break;
	default:
		return finish_nonblocking(fd);
	}
	atomic_fetch_add(&arena->cancelled, 1);
	return -2;
}

static void *run_client(void *arg)
{
	struct arena *arena = arg;
	uint64_t seed = 1000 + atomic_fetch_add(&arena->clients, 1), dice;
	int i, fd, err;

	for (i = 0; i < arena->attempts; i++) {
		dice = at_random(&seed) >> 20;
		fd = at_socket(arena->format, arena->type);
		if (arena->waits_listener &&
		    at_set_option(fd, ALTCONN_WAIT_LISTENER, 1))
			atomic_fetch_add(&arena->unknown, 1);
		if (dice % 5 == 0)
			at_set_timeout(fd, dice % 3 + 1);
		err = dice % 2 ? one_blocking(arena, fd) :
				 one_nonblocking(arena, fd, dice / 2);
		if (err != -2)
			count_result(arena, fd, err);
		close(fd);
	}
	atomic_fetch_add(&arena->finished, 1);
	return NULL;
}

/*
 * Receive the byte of one connection and count '!'. The last connection sends
 * 'q', after all other connections. Return false for 'q', else true.
 */
static bool count_byte(struct arena *arena, int fd)
{
	ssize_t n;
	char c;

	n = recv(fd, &c, 1, 0);
	close(fd);
	if (n == 1 && c == '!')
		atomic_fetch_add(&arena->accepted, 1);
	return n != 1 || c != 'q';
}

/* Give the clients time until an attempt has run into its deadline. */
static void wait_for_timeouts(struct arena *arena)
{
	int i;

	for (i = 0; i < 10 && !atomic_load(&arena->timed_out) &&
	     !atomic_load(&arena->finished); i++)
		at_pause();
}

static void *run_server(void *arg)
{
	struct arena *arena = arg;
	int fd;

	do {
		wait_for_timeouts(arena);
		fd = accept(arena->lfd, NULL, NULL);
	} while (fd >= 0 && count_byte(arena, fd));
	return NULL;
}

static int stop_server(struct arena *arena, pthread_t thread)
{
	int err, fd = at_client(arena->format, arena->type, &arena->a, &err);

	if (err || send(fd, "q", 1, MSG_NOSIGNAL) != 1)
		return -1;
	pthread_join(thread, NULL);
	return close(fd);
}

#define CLIENTS 4
/* Attempts in each of the two variants: 100,000 in all on the stock kernel */
static int attempts_total(void)
{
	return at_scale(50000, 5000);
}

TEST_F_TIMEOUT(race, counts_agree, AT_TIMEOUT_LONG)
{
	struct arena *arena = &self->arena;
	pthread_t clients[CLIENTS], srv;
	int i;

	arena->attempts = attempts_total() / CLIENTS;
	ASSERT_EQ(0, pthread_create(&srv, NULL, run_server, arena));
	for (i = 0; i < CLIENTS; i++)
		ASSERT_EQ(0, pthread_create(&clients[i], NULL, run_client,
					    arena));
	/*
	 * Signals arrive at any moment of an attempt. Where an attempt takes
	 * longer, there are fewer signals.
	 */
	for (i = 0; atomic_load(&arena->finished) < CLIENTS; i++) {
		if (!(i % at_scale(1, 8)))
			pthread_kill(clients[i / at_scale(1, 8) % CLIENTS],
				     SIGUSR1);
		at_pause();
	}
	for (i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	EXPECT_EQ(0, stop_server(arena, srv));
	EXPECT_EQ(0, atomic_load(&arena->unknown));
	EXPECT_EQ(0, atomic_load(&arena->refused));
	EXPECT_EQ(0, atomic_load(&arena->reset));
	EXPECT_LT(0, atomic_load(&arena->established));
	EXPECT_EQ(atomic_load(&arena->established), atomic_load(&arena->sent));
	EXPECT_LT(0, atomic_load(&arena->cancelled));
	EXPECT_LT(0, atomic_load(&arena->timed_out));
	EXPECT_EQ(attempts_total(),
		  atomic_load(&arena->established) +
		  atomic_load(&arena->timed_out) +
		  atomic_load(&arena->cancelled));
	EXPECT_EQ(atomic_load(&arena->established),
		  atomic_load(&arena->accepted));
}

/*
 * A thread that calls accept() without blocking until all threads together have
 * accepted @n associations; the number of its calls that failed with EINTR, and
 * with another error than EAGAIN
 */
struct accepter {
	struct arena *arena;
	atomic_long *accepted;
	long n, interrupted, other_errors;
	pthread_t thread;
};

static void *accept_until_over(void *arg)
{
	struct accepter *acc = arg;

	while (atomic_load(acc->accepted) < acc->n) {
		int fd = accept(acc->arena->lfd, NULL, NULL);

		if (fd >= 0)
			atomic_fetch_add(acc->accepted, 1);
		else if (errno == EINTR)
			acc->interrupted++;
		else if (errno != EAGAIN)
			acc->other_errors++;
		close(fd);
	}
	return NULL;
}

static void *connect_and_close(void *arg)
{
	struct accepter *acc = arg;
	int err;

	while (atomic_load(acc->accepted) < acc->n)
		close(at_client(acc->arena->format, acc->arena->type,
				&acc->arena->a, &err));
	return NULL;
}

/*
 * Two threads call accept() on a non-blocking socket. Now and then, one thread
 * takes the association that the other thread has seen. The other thread gets
 * EAGAIN, even if a signal is pending.
 */
TEST_F_TIMEOUT(race, accept_without_blocking_is_not_interrupted,
	       AT_TIMEOUT_LONG)
{
	atomic_long accepted = 0;
	struct accepter acc[2] = {};
	pthread_t client;
	int i;

	ASSERT_EQ(0, at_nonblock(self->arena.lfd, true));
	for (i = 0; i < 2; i++) {
		acc[i].arena = &self->arena;
		acc[i].accepted = &accepted;
		acc[i].n = 10000;
		ASSERT_EQ(0, pthread_create(&acc[i].thread, NULL,
					    accept_until_over, &acc[i]));
	}
	ASSERT_EQ(0, pthread_create(&client, NULL, connect_and_close, acc));
	for (i = 0; atomic_load(&accepted) < acc[0].n; i++) {
		pthread_kill(acc[i % 2].thread, SIGUSR1);
		at_pause();
	}
	for (i = 0; i < 2; i++) {
		pthread_join(acc[i].thread, NULL);
		EXPECT_EQ(0, acc[i].interrupted);
		EXPECT_EQ(0, acc[i].other_errors);
	}
	/* The client may be in a connect(), and no thread accepts any more. */
	close(self->arena.lfd);
	pthread_join(client, NULL);
}

/*
 * Open and close a listener. With ALTCONN_DEFER_ACCEPT it establishes no
 * attempt, so all attempts go on waiting.
 */
static void *close_and_listen(void *arg)
{
	struct arena *arena = arg;

	at_set_option(arena->lfd, ALTCONN_DEFER_ACCEPT, 1);
	while (!atomic_load(&arena->over)) {
		listen(arena->lfd, 1);
		at_connect_unspec(arena->lfd);
	}
	return NULL;
}

static int run_clients(struct arena *arena)
{
	pthread_t clients[CLIENTS];
	int i;

	for (i = 0; i < CLIENTS; i++)
		if (pthread_create(&clients[i], NULL, run_client, arena))
			return -1;
	for (i = 0; i < CLIENTS; i++)
		pthread_join(clients[i], NULL);
	return 0;
}

/*
 * Accept connections, and every fourth time close the listener and open it
 * again with another backlog, while clients connect.
 */
static void *restart_listener(void *arg)
{
	struct arena *arena = arg;
	int fd, i;

	for (i = 0; !atomic_load(&arena->over); i++) {
		fd = accept4(arena->lfd, NULL, NULL, SOCK_NONBLOCK);
		if (fd >= 0) {
			close(fd);
			atomic_fetch_add(&arena->accepted, 1);
		}
		if (i % 4)
			continue;
		at_connect_unspec(arena->lfd);
		listen(arena->lfd, i % 3);
	}
	return NULL;
}

TEST_F_TIMEOUT(race, listener_restarts, AT_TIMEOUT_LONG)
{
	struct arena *arena = &self->arena;
	pthread_t srv;

	at_nonblock(arena->lfd, true);
	ASSERT_EQ(0, pthread_create(&srv, NULL, restart_listener, arena));
	EXPECT_EQ(0, run_clients(arena));
	atomic_store(&arena->over, true);
	pthread_join(srv, NULL);
	/* No client hangs, and each result is documented. */
	EXPECT_EQ(0, atomic_load(&arena->unknown));
	EXPECT_EQ(CLIENTS * arena->rounds,
		  atomic_load(&arena->established) +
		  atomic_load(&arena->timed_out) +
		  atomic_load(&arena->cancelled) +
		  atomic_load(&arena->refused) + atomic_load(&arena->reset));
	EXPECT_LT(0, atomic_load(&arena->established));
}

/* List all associations and sockets, again and again. */
static void *dump_all(void *arg)
{
	struct arena *arena = arg;

	while (!atomic_load(&arena->over))
		if (at_dump(ALTCONN_CMD_ASSOC_GET) < 0 ||
		    at_dump(ALTCONN_CMD_SOCKET_GET) < 0)
			atomic_fetch_add(&arena->unknown, 1);
	return NULL;
}

/*
 * While a listener opens and closes, clients that wait for a listener
 * (ALTCONN_WAIT_LISTENER) cancel their attempts or run into their deadlines. No
 * attempt is refused, and none is forgotten.
 */
TEST_F_TIMEOUT(race, wait_listener_restarts, AT_TIMEOUT_LONG)
{
	struct arena *arena = &self->arena;
	pthread_t srv, dumper;

	if (variant->kind == AT_PATH)
		SKIP(return, "no attempt waits for a listener at a path");
	arena->waits_listener = true;
	arena->attempts = at_scale(3000, 400);
	at_nonblock(arena->lfd, true);
	ASSERT_EQ(0, pthread_create(&srv, NULL, restart_listener, arena));
	ASSERT_EQ(0, pthread_create(&dumper, NULL, dump_all, arena));
	EXPECT_EQ(0, run_clients(arena));
	atomic_store(&arena->over, true);
	pthread_join(srv, NULL);
	pthread_join(dumper, NULL);
	EXPECT_EQ(0, atomic_load(&arena->unknown));
	EXPECT_EQ(0, atomic_load(&arena->refused));
	EXPECT_LT(0, atomic_load(&arena->established));
	/* A reset attempt was established before its listener closed. */
	EXPECT_EQ(CLIENTS * arena->attempts,
		  atomic_load(&arena->established) +
		  atomic_load(&arena->timed_out) +
		  atomic_load(&arena->cancelled) + atomic_load(&arena->reset));
}

#define IN_ORDER 40

/*
 * Attempts that wait for a listener keep their order of arrival while a
 * listener opens and closes. Each client connects when the client before it
 * waits, and sends its number. accept() never returns an earlier client after a
 * later one.
 */
TEST_F_TIMEOUT(race, wait_listener_keeps_the_order, AT_TIMEOUT_LONG)
{
	struct arena *arena = &self->arena;
	int fds[IN_ORDER], i, fd, last = -1, number, err;
	pthread_t srv;

	if (variant->kind == AT_PATH)
		SKIP(return, "no attempt waits for a listener at a path");
	ASSERT_EQ(0, at_err(at_connect_unspec(arena->lfd)));
	ASSERT_EQ(0, pthread_create(&srv, NULL, close_and_listen, arena));
	for (i = 0; i < IN_ORDER; i++) {
		fds[i] = at_socket(arena->format, arena->type | SOCK_NONBLOCK);
		ASSERT_EQ(0, at_set_option(fds[i], ALTCONN_WAIT_LISTENER, 1));
		err = at_err(at_connect(fds[i], &arena->a));
		ASSERT_EQ(EINPROGRESS, err);
	}
	atomic_store(&arena->over, true);
	pthread_join(srv, NULL);
	ASSERT_EQ(0, at_set_option(arena->lfd, ALTCONN_DEFER_ACCEPT, 0));
	ASSERT_EQ(0, at_err(listen(arena->lfd, IN_ORDER)));
	for (i = 0; i < IN_ORDER; i++) {
		ASSERT_NE(0, at_poll(fds[i], POLLOUT) & POLLOUT);
		ASSERT_EQ(sizeof(i), send(fds[i], &i, sizeof(i), 0));
	}
	for (i = 0; i < IN_ORDER; i++) {
		fd = accept(arena->lfd, NULL, NULL);
		ASSERT_LE(0, fd);
		ASSERT_EQ(sizeof(number), recv(fd, &number, sizeof(number), 0));
		EXPECT_LT(last, number);
		last = number;
		close(fd);
	}
}

/*
 * A thread that calls connect() on a socket that other threads connect too.
 * There is one attempt, and each call gets a true result (clause S-THREAD).
 */
struct caller {
	pthread_t thread;
	struct arena *arena;
	pthread_barrier_t *barrier;
	int fd, err;
};

static void *connect_together(void *arg)
{
	struct caller *caller = arg;

	pthread_barrier_wait(caller->barrier);
	do {
		caller->err = at_err(at_connect(caller->fd,
						&caller->arena->a));
	} while (caller->err == EINTR);
	return NULL;
}

static int call_together(struct arena *arena, struct caller *callers, int n,
			 int fd)
{
	static pthread_barrier_t barrier;
	int i;

	pthread_barrier_init(&barrier, NULL, n);
	for (i = 0; i < n; i++) {
		callers[i] = (struct caller) {
			.arena = arena, .barrier = &barrier, .fd = fd,
		};
		if (pthread_create(&callers[i].thread, NULL, connect_together,
				   &callers[i]))
			return -1;
	}
	return 0;
}

static int count_results(struct caller *callers, int n, int err)
{
	int i, sum = 0;

	for (i = 0; i < n; i++)
		sum += callers[i].err == err;
	return sum;
}

TEST_F_TIMEOUT(race, S_THREAD_established_at_once, AT_TIMEOUT_LONG)
{
	struct arena *arena = &self->arena;
	struct caller callers[CLIENTS];
	int round, i, fd, sfd;

	for (round = 0; round < arena->rounds / 4; round++) {
		fd = at_socket(arena->format, arena->type);
		ASSERT_EQ(0, call_together(arena, callers, CLIENTS, fd));
		for (i = 0; i < CLIENTS; i++)
			pthread_join(callers[i].thread, NULL);
		EXPECT_LE(1, count_results(callers, CLIENTS, 0));
		EXPECT_EQ(CLIENTS, count_results(callers, CLIENTS, 0) +
				   count_results(callers, CLIENTS, EISCONN));
		/* One attempt makes one connection. */
		sfd = accept(arena->lfd, NULL, NULL);
		ASSERT_LE(0, sfd);
		EXPECT_EQ(0, at_poll_now(arena->lfd, POLLIN));
		close(sfd);
		close(fd);
	}
}

TEST_F_TIMEOUT(race, S_THREAD_after_a_wait, AT_TIMEOUT_LONG)
{
	struct arena *arena = &self->arena;
	struct caller callers[CLIENTS];
	int round, i, fd, sfd, full[2];

	for (round = 0; round < arena->rounds / 10; round++) {
		ASSERT_EQ(0, at_fill(arena->format, arena->type, &arena->a,
				     full, 2));
		fd = at_socket(arena->format, arena->type);
		ASSERT_EQ(0, call_together(arena, callers, CLIENTS, fd));
		ASSERT_TRUE(at_until(at_position(fd) == 1));
		for (i = 0; i < 3; i++) {
			sfd = accept(arena->lfd, NULL, NULL);
			ASSERT_LE(0, sfd);
			close(sfd);
		}
		for (i = 0; i < CLIENTS; i++)
			pthread_join(callers[i].thread, NULL);
		EXPECT_LE(1, count_results(callers, CLIENTS, 0));
		EXPECT_EQ(CLIENTS, count_results(callers, CLIENTS, 0) +
				   count_results(callers, CLIENTS, EISCONN));
		EXPECT_EQ(0, at_poll_now(arena->lfd, POLLIN));
		at_close(full, 2);
		close(fd);
	}
}

/*
 * A socket whose association is established but whose peer has closed, so no
 * send() may succeed. A thread sends, until the association is dissolved and
 * the socket has a new attempt that waits.
 */
struct crossing {
	pthread_t thread;
	int fd;
	atomic_bool over, closed_peer, inside;
	atomic_long calls, taken, unknown;
};

static void crossing_send(struct crossing *c)
{
	ssize_t n = send(c->fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);

	atomic_fetch_add(&c->calls, 1);
	if (n == 1)
		atomic_fetch_add(&c->taken, 1);
	else if (errno != EPIPE && errno != ENOTCONN && errno != ECONNRESET)
		atomic_fetch_add(&c->unknown, 1);
}

static void *crossing_sender(void *arg)
{
	struct crossing *c = arg;

	while (!atomic_load(&c->over)) {
		atomic_store(&c->inside, true);
		if (atomic_load(&c->closed_peer))
			crossing_send(c);
		atomic_store(&c->inside, false);
	}
	return NULL;
}

/*
 * send() reads the state of the socket and then takes its association. If
 * another thread dissolves the association in between and begins a new attempt,
 * the attempt gets no data. Both threads have one CPU, and the thread that
 * connects preempts the sender at any instruction, where the kernel is
 * preemptible.
 */
TEST_F_TIMEOUT(race, a_new_attempt_gets_no_data, AT_TIMEOUT_LONG)
{
	struct sched_param urgent = { .sched_priority = 1 };
	struct arena *arena = &self->arena;
	int full[2], lfd, sfd, round;
	struct crossing c = {};
	struct at_addr open;
	uint64_t seed = 18;

	ASSERT_EQ(0, at_pin(sched_getcpu()));
	lfd = at_listener(&open, arena->format, variant->kind, arena->type, 1);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, at_fill(arena->format, arena->type, &arena->a, full, 2));
	c.fd = at_socket(arena->format, arena->type | SOCK_NONBLOCK);
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, crossing_sender, &c));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &urgent));
	for (round = 0; round < at_scale(4000, 1000); round++) {
		struct timespec ts = { .tv_nsec = at_random(&seed) % 100000 };

		ASSERT_EQ(0, at_err(at_connect(c.fd, &open)));
		sfd = accept(lfd, NULL, NULL);
		ASSERT_LE(0, sfd);
		close(sfd);
		atomic_store(&c.closed_peer, true);
		nanosleep(&ts, NULL);
		ASSERT_EQ(0, at_err(at_connect_unspec(c.fd)));
		ASSERT_EQ(EINPROGRESS, at_err(at_connect(c.fd, &arena->a)));
		atomic_store(&c.closed_peer, false);
		while (atomic_load(&c.inside))
			at_pause();
		ASSERT_EQ(0, at_err(at_connect_unspec(c.fd)));
	}
	atomic_store(&c.over, true);
	pthread_join(c.thread, NULL);
	EXPECT_LT(0, atomic_load(&c.calls));
	EXPECT_EQ(0, atomic_load(&c.taken));
	EXPECT_EQ(0, atomic_load(&c.unknown));
}

/* A thread that binds or connects a socket while another thread does so too */
struct binder {
	pthread_t thread;
	pthread_barrier_t *barrier;
	struct at_addr a;
	int fd, err;
};

static void *bind_it(void *arg)
{
	struct binder *b = arg;

	pthread_barrier_wait(b->barrier);
	b->err = at_err(at_bind(b->fd, &b->a));
	return NULL;
}

/*
 * Of two threads that bind two sockets to one address, one succeeds and the
 * other gets EADDRINUSE.
 */
TEST_F_TIMEOUT(race, E_ADDRINUSE_one_winner, AT_TIMEOUT)
{
	pthread_barrier_t barrier;
	struct binder b[2];
	struct at_addr a;
	int round, i;

	pthread_barrier_init(&barrier, NULL, 2);
	for (round = 0; round < self->arena.rounds / 4; round++) {
		at_addr(&a, variant->format, variant->kind);
		for (i = 0; i < 2; i++) {
			b[i].fd = at_socket(variant->format, variant->type);
			b[i].a = a;
			b[i].barrier = &barrier;
			ASSERT_EQ(0, pthread_create(&b[i].thread, NULL,
						    bind_it, &b[i]));
		}
		for (i = 0; i < 2; i++)
			pthread_join(b[i].thread, NULL);
		EXPECT_EQ(EADDRINUSE, b[0].err + b[1].err);
		EXPECT_TRUE(!b[0].err || !b[1].err);
		close(b[0].fd);
		close(b[1].fd);
		at_cleanup();
	}
}

static void *connect_it(void *arg)
{
	struct binder *b = arg;

	pthread_barrier_wait(b->barrier);
	b->err = at_err(at_connect(b->fd, &b->a));
	return NULL;
}

/* Bind two sockets to one address. The first listens, the second connects. */
static int share_port(struct at_addr *a, int fds[2])
{
	int i;

	at_addr(a, AT_NATIVE, AT_PORT);
	for (i = 0; i < 2; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_STREAM);
		if (at_set_option(fds[i], ALTCONN_SHARE_ADDRESS, 1) ||
		    at_bind(fds[i], a))
			return -1;
	}
	return listen(fds[0], 8);
}

/*
 * Two sockets connect at the same moment, each from its shared address to the
 * address of the other. At most one succeeds, and a failure is EADDRINUSE.
 */
TEST(E_ADDRINUSE_of_crossing_attempts)
{
	int round, rounds = at_scale(300, 40), fds[2][2], i;
	pthread_barrier_t barrier;
	struct binder b[2];

	pthread_barrier_init(&barrier, NULL, 2);
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, share_port(&b[!i].a, fds[i]));
			b[i].fd = fds[i][1];
			b[i].barrier = &barrier;
		}
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&b[i].thread, NULL,
						    connect_it, &b[i]));
		for (i = 0; i < 2; i++) {
			pthread_join(b[i].thread, NULL);
			EXPECT_TRUE(!b[i].err || b[i].err == EADDRINUSE);
		}
		EXPECT_TRUE(b[0].err || b[1].err);
		at_close(fds[0], 2);
		at_close(fds[1], 2);
	}
}

/* One end of a connection, and the thread that acts on it */
struct end {
	pthread_t thread;
	int fd, n;
};

static void *use_end(void *arg)
{
	struct end *end = arg;
	char buf[256] = {};

	switch (end->n % 4) {
	case 0:
		shutdown(end->fd, SHUT_RDWR);
		break;
	case 1:
		at_connect_unspec(end->fd);
		break;
	case 2:
		(void)!send(end->fd, buf, sizeof(buf), MSG_NOSIGNAL);
		break;
	case 3:
		(void)!recv(end->fd, buf, sizeof(buf), MSG_DONTWAIT);
	}
	close(end->fd);
	return NULL;
}

/* Both ends shut down, dissolve, send, receive and close at the same moment. */
TEST_F_TIMEOUT(race, both_ends_are_used_at_once, AT_TIMEOUT)
{
	struct end ends[2];
	int round, i, err;

	for (round = 0; round < self->arena.rounds; round++) {
		ends[0].fd = at_client(variant->format, variant->type,
				       &self->arena.a, &err);
		ASSERT_EQ(0, err);
		ends[1].fd = accept(self->arena.lfd, NULL, NULL);
		ASSERT_LE(0, ends[1].fd);
		ends[0].n = round;
		ends[1].n = round / 4;
		for (i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&ends[i].thread, NULL,
						    use_end, &ends[i]));
		for (i = 0; i < 2; i++)
			pthread_join(ends[i].thread, NULL);
	}
}

/*
 * Connect to a listener until arena->over is set. Count the attempts that did
 * not find the listener: an attempt that found it is established or waits.
 */
static void *connect_again_and_again(void *arg)
{
	struct arena *arena = arg;

	while (!atomic_load(&arena->over)) {
		int fd = at_socket(AT_IN, SOCK_STREAM | SOCK_NONBLOCK);
		int err = at_err(at_connect(fd, &arena->a));

		if (err && err != EINPROGRESS)
			atomic_fetch_add(&arena->refused, 1);
		atomic_fetch_add(&arena->clients, 1);
		close(fd);
	}
	return NULL;
}

static int listen_at(const char *ip)
{
	struct at_addr a;
	int fd;

	at_addr_ip(&a, AT_IN, ip, 4000);
	fd = at_socket(AT_IN, SOCK_STREAM);
	return at_bind(fd, &a) || listen(fd, 1) ? -1 : fd;
}

/*
 * Attempts find a listener while a listener at another IP address of the port
 * opens and closes. The other listener is opened before it, or after it.
 */
TEST(listener_at_another_address_comes_and_goes)
{
	struct arena arena = {};
	pthread_t thread;
	int fd, first, i;

	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	at_addr_ip(&arena.a, AT_IN, "127.0.0.2", 4000);
	for (first = 0; first < 2; first++) {
		fd = first ? listen_at("127.0.0.1") : -1;
		arena.lfd = listen_at("127.0.0.2");
		ASSERT_LE(0, arena.lfd);
		atomic_store(&arena.over, false);
		ASSERT_EQ(0, pthread_create(&thread, NULL,
					    connect_again_and_again, &arena));
		i = 0;
		while (i++ < at_scale(2000, 300) || !arena.clients) {
			close(fd);
			fd = listen_at("127.0.0.1");
			EXPECT_LE(0, fd);
		}
		atomic_store(&arena.over, true);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, atomic_load(&arena.refused));
		atomic_store(&arena.clients, 0);
		close(fd);
		close(arena.lfd);
	}
	at_cleanup();
}

/*
 * Send datagrams to an address. Count errors other than ECONNREFUSED and EAGAIN
 * as unknown.
 */
static void *send_datagrams(void *arg)
{
	struct arena *arena = arg;
	int fd = at_socket(arena->format, SOCK_DGRAM), i;
	long strange = 0;

	for (i = 0; i < arena->rounds * 10; i++)
		if (sendto(fd, "x", 1, MSG_DONTWAIT, &arena->a.sa,
			   arena->a.len) != 1)
			strange += errno != ECONNREFUSED && errno != EAGAIN;
	atomic_fetch_add(&arena->unknown, strange);
	atomic_store(&arena->over, true);
	close(fd);
	return NULL;
}

/* Datagrams arrive while their receiver is bound, connected and closed. */
TEST_F_TIMEOUT(race, dgram_receiver_comes_and_goes, AT_TIMEOUT)
{
	struct arena *arena = &self->arena;
	struct at_addr peer;
	pthread_t thread;
	int fd, err;
	char c;

	at_addr(&arena->a, AT_NATIVE, AT_NAME);
	arena->format = AT_NATIVE;
	at_addr(&peer, AT_NATIVE, AT_NAME);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_datagrams, arena));
	while (!atomic_load(&arena->over)) {
		fd = at_socket(AT_NATIVE, SOCK_DGRAM);
		err = at_err(at_bind(fd, &arena->a));
		EXPECT_EQ(0, err);
		(void)!recv(fd, &c, 1, MSG_DONTWAIT);
		EXPECT_EQ(0, at_err(at_connect(fd, &peer)));
		/* S-ONLY: connect() drops the datagrams of other senders. */
		EXPECT_EQ(EAGAIN, at_err(recv(fd, &c, 1, MSG_DONTWAIT)));
		close(fd);
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(0, atomic_load(&arena->unknown));
}

TEST_HARNESS_MAIN
