// SPDX-License-Identifier: GPL-2.0
/*
 * These tests run beside many bindings. The bindings of one user do not slow
 * down the calls of another user: the time of a call beside n bindings is
 * compared with the time beside 4n. Other tests show that bind() and listen()
 * find the same conflicts as those of TCP and UDP, whatever the addresses and
 * options of two sockets are.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <sched.h>
#include <signal.h>
#include <time.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define N	1500
/* The rounds are short, so that at least one of them is not disturbed. */
#define CALLS	4
#define ROUNDS	120

/* At most this many datagram sockets may share an address. */
#define MOST_RECEIVERS	1024

/*
 * Return the current time, ns. The CPU clock of a guest may be too coarse for a
 * round.
 */
static uint64_t crowd_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void many_files(void)
{
	struct rlimit most;

	getrlimit(RLIMIT_NOFILE, &most);
	most.rlim_cur = most.rlim_max;
	setrlimit(RLIMIT_NOFILE, &most);
}

/*
 * A crowd is a child process without privileges that binds n sockets to one
 * port.
 */
struct crowd {
	pid_t pid;
	int down[2], up[2];
};

enum crowd_what { CROWD_V4, CROWD_V6ONLY, CROWD_SAME, CROWD_PAIRS };

/* Return the size of a small crowd. A large crowd has four times that size. */
static unsigned long crowd_n(enum crowd_what what, int type)
{
	if (what != CROWD_V4 && type == SOCK_DGRAM)
		return MOST_RECEIVERS / 4;
	return at_scale(N, N / 5);
}

static int crowd_bind(enum crowd_what what, int type, unsigned int port,
		      unsigned int i)
{
	bool six = what == CROWD_V6ONLY;
	struct at_addr a;
	char ip[32] = "::";
	int fd, pair[2];

	/*
	 * The first socket is bound to the port. The rest are socketpairs,
	 * which add associations.
	 */
	if (what == CROWD_PAIRS && i)
		return at_socketpair(AT_NATIVE, type, pair);
	fd = at_socket(six ? AT_IN6 : AT_IN, type);
	if (what == CROWD_V4)
		snprintf(ip, sizeof(ip), "127.1.%u.%u", i / 250, i % 250 + 1);
	if (what == CROWD_SAME || what == CROWD_PAIRS)
		snprintf(ip, sizeof(ip), "127.0.0.9");
	at_addr_ip(&a, six ? AT_IN6 : AT_IN, ip, port);
	if (six)
		at_set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (what != CROWD_V4)
		at_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return at_bind(fd, &a);
}

static void crowd_child(struct crowd *crowd, enum crowd_what what, int type,
			unsigned int port, unsigned int n)
{
	unsigned int i;

	many_files();
	if (at_drop_privileges())
		_exit(1);
	for (i = 0; i < n; i++)
		if (crowd_bind(what, type, port, i))
			_exit(2);
	at_send_step(crowd->up[1]);
	/* Wait until the parent closes its end of the pipe. */
	while (read(crowd->down[0], &i, 1) > 0)
		;
	_exit(0);
}

static int crowd_begin(struct crowd *crowd, enum crowd_what what, int type,
		       unsigned int port, unsigned int n)
{
	if (pipe(crowd->down) || pipe(crowd->up))
		return -1;
	crowd->pid = at_fork();
	if (!crowd->pid) {
		close(crowd->down[1]);
		crowd_child(crowd, what, type, port, n);
	}
	close(crowd->down[0]);
	close(crowd->up[1]);
	return at_wait_step(crowd->up[0]);
}

static int crowd_end(struct crowd *crowd)
{
	close(crowd->down[1]);
	close(crowd->up[0]);
	return at_reap(crowd->pid);
}

/* The tests measure calls of root, while the crowd is of another user. */
FIXTURE(crowd) {
	struct at_addr a;
	int fd;
};

FIXTURE_VARIANT(crowd) {
	enum crowd_what what;
	int type;
};

#define CROWD(w, t)							\
	FIXTURE_VARIANT_ADD(crowd, w ## _ ## t) {			\
		.what = CROWD_ ## w, .type = SOCK_ ## t			\
	}
CROWD(V4, STREAM);
CROWD(V4, DGRAM);
CROWD(V6ONLY, STREAM);
CROWD(V6ONLY, DGRAM);

FIXTURE_SETUP(crowd)
{
	at_addr(&self->a, AT_IN, AT_INET);
	self->fd = at_socket(AT_IN, variant->type);
	ASSERT_EQ(0, at_err(at_bind(self->fd, &self->a)));
	if (variant->type == SOCK_STREAM)
		ASSERT_EQ(0, at_err(listen(self->fd, CALLS)));
}

FIXTURE_TEARDOWN(crowd)
{
	close(self->fd);
}

static int crowd_connect(const struct at_addr *a, int lfd)
{
	int err, i, fd;

	for (i = 0; i < CALLS; i++) {
		fd = at_client(AT_IN, SOCK_STREAM, a, &err);
		close(fd);
		if (err)
			return -1;
		close(accept(lfd, NULL, NULL));
	}
	return 0;
}

static int crowd_send(const struct at_addr *a, int rfd)
{
	int i, fd = at_socket(AT_IN, SOCK_DGRAM), err = 0;
	char c = 0;

	for (i = 0; i < CALLS && !err; i++) {
		err = sendto(fd, &c, 1, 0, &a->sa, a->len) != 1;
		err |= recv(rfd, &c, 1, 0) != 1;
	}
	close(fd);
	return err ? -1 : 0;
}

/* Bind sockets to another address of the port, and close them. */
static int crowd_bind_close(const struct at_addr *a, int type)
{
	struct at_addr other;
	int i, fd, err = 0;

	at_addr_ip(&other, AT_IN, "127.0.0.77", at_port_of(a));
	for (i = 0; i < CALLS && !err; i++) {
		fd = at_socket(AT_IN, type);
		err = at_bind(fd, &other);
		close(fd);
	}
	return err;
}

static int crowd_refused(const struct at_addr *a, int type)
{
	struct at_addr none;
	int i, fd, err = 0;
	char c = 0;

	at_addr_ip(&none, AT_IN, "127.0.0.78", at_port_of(a));
	for (i = 0; i < CALLS; i++) {
		fd = at_socket(AT_IN, type);
		if (type == SOCK_DGRAM)
			sendto(fd, &c, 1, 0, &none.sa, none.len);
		else
			err |= at_err(at_connect(fd, &none)) != ECONNREFUSED;
		close(fd);
	}
	return err ? -1 : 0;
}

static int crowd_calls(int what, const struct at_addr *a, int fd, int type)
{
	switch (what) {
	case 0:
		return type == SOCK_STREAM ? crowd_connect(a, fd) :
					     crowd_send(a, fd);
	case 1:
		return crowd_bind_close(a, type);
	default:
		return crowd_refused(a, type);
	}
}

/*
 * Return the least time of several rounds, ns, or 0 on failure. Other work of
 * the machine only adds to the time.
 */
static uint64_t crowd_cost(int what, const struct at_addr *a, int fd, int type)
{
	uint64_t best = UINT64_MAX, begin, cost;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		begin = crowd_now();
		if (crowd_calls(what, a, fd, type))
			return 0;
		cost = crowd_now() - begin;
		if (cost < best)
			best = cost;
	}
	return best;
}

/*
 * A call beside 4n sockets of another user takes at most three times as long as
 * beside n. A walk past each of the sockets would take four times as long.
 * Other work of the machine may double the time, however often the time is
 * measured.
 */
TEST_F_TIMEOUT(crowd, crowd_costs_others_nothing, AT_TIMEOUT)
{
	uint64_t cost[2][3];
	struct crowd crowd;
	int i, what;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, crowd_begin(&crowd, variant->what, variant->type,
					 at_port_of(&self->a),
					 crowd_n(variant->what, variant->type)
					 << (2 * i)));
		for (what = 0; what < 3; what++) {
			cost[i][what] = crowd_cost(what, &self->a, self->fd,
						   variant->type);
			EXPECT_LT(0, cost[i][what]);
		}
		EXPECT_EQ(0, crowd_end(&crowd));
	}
	for (what = 0; what < 3; what++) {
		TH_LOG("call %d: %llu ns beside n, %llu beside 4n", what,
		       (unsigned long long)cost[0][what] / CALLS,
		       (unsigned long long)cost[1][what] / CALLS);
		EXPECT_LE(cost[1][what], 3 * cost[0][what]);
	}
}

/*
 * When a process exits, the work to close its sockets grows in proportion to
 * their number: 4n sockets take four times the work of n.
 */
FIXTURE(leave) {
	unsigned int port;
};

FIXTURE_VARIANT(leave) {
	enum crowd_what what;
	int type;
};

FIXTURE_VARIANT_ADD(leave, other_addresses) {
	.what = CROWD_V4, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(leave, one_address) {
	.what = CROWD_SAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(leave, one_address_dgram) {
	.what = CROWD_SAME, .type = SOCK_DGRAM,
};

FIXTURE_SETUP(leave)
{
	struct at_addr a;

	at_addr(&a, AT_IN, AT_INET);
	self->port = at_port_of(&a);
}

FIXTURE_TEARDOWN(leave) {}

/*
 * Return the CPU time of a child that binds @n sockets and exits, us, or 0 on
 * failure.
 */
static uint64_t leave_cost(enum crowd_what what, int type, unsigned int port,
			   unsigned int n)
{
	struct rusage usage;
	struct crowd crowd;
	int status;

	if (crowd_begin(&crowd, what, type, port, n))
		return 0;
	close(crowd.down[1]);
	close(crowd.up[0]);
	if (wait4(crowd.pid, &status, 0, &usage) != crowd.pid || status)
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000ull +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

TEST_F_TIMEOUT(leave, work_grows_with_the_sockets, AT_TIMEOUT)
{
	unsigned long n = crowd_n(variant->what, variant->type);

	EXPECT_TRUE(at_grows(6, leave_cost(variant->what, variant->type,
					   self->port, n),
			     leave_cost(variant->what, variant->type,
					self->port, 4 * n)));
}

/*
 * A socket of another user shares the address of the socket that connects, and
 * the other user has many associations.
 */
FIXTURE(sharer) {
	struct at_addr to, own;
	int lfd;
};

FIXTURE_SETUP(sharer)
{
	self->lfd = at_listener(&self->to, AT_IN, AT_INET, SOCK_STREAM, CALLS);
	ASSERT_LE(0, self->lfd);
	at_addr(&self->own, AT_IN, AT_INET);
	at_addr_ip(&self->own, AT_IN, "127.0.0.9", at_port_of(&self->own));
}

FIXTURE_TEARDOWN(sharer)
{
	close(self->lfd);
}

/*
 * Return the time of one connect() from the shared address, ns, or 0 on
 * failure.
 */
static uint64_t sharer_connect(const FIXTURE_DATA(sharer) *self)
{
	int fd = at_socket(AT_IN, SOCK_STREAM), err;
	uint64_t begin, took;

	err = at_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	      at_bind(fd, &self->own);
	begin = crowd_now();
	err = err || at_connect(fd, &self->to);
	took = crowd_now() - begin;
	close(fd);
	close(accept(self->lfd, NULL, NULL));
	return err ? 0 : took;
}

/*
 * Return the least time of several rounds beside @n associations, ns, or 0 on
 * failure.
 */
static uint64_t sharer_cost(const FIXTURE_DATA(sharer) *self, unsigned int n)
{
	uint64_t best = UINT64_MAX, took;
	struct crowd crowd;
	int i;

	if (crowd_begin(&crowd, CROWD_PAIRS, SOCK_STREAM,
			at_port_of(&self->own), n))
		return 0;
	for (i = 0; i < ROUNDS && best; i++) {
		took = sharer_connect(self);
		best = took < best ? took : best;
	}
	return crowd_end(&crowd) ? 0 : best;
}

TEST_F_TIMEOUT(sharer, associations_cost_others_nothing, AT_TIMEOUT)
{
	unsigned long n = crowd_n(CROWD_PAIRS, SOCK_STREAM);

	EXPECT_TRUE(at_grows(2, sharer_cost(self, n),
			     sharer_cost(self, 4 * n)));
}

/*
 * Each pair of addresses, options and users is compared with TCP and UDP. The
 * address ::ffff:0.0.0.0 is missing, since bind() of TCP in Linux 6.1 does not
 * see conflicts with it.
 */
static const struct {
	const char *ip;
	bool six, only;
} conflict_addr[] = {
	{ .ip = "127.0.0.1" },
	{ .ip = "127.0.0.2" },
	{ .ip = "0.0.0.0" },
	{ .ip = "::ffff:127.0.0.1", .six = true },
	{ .ip = "::1", .six = true },
	{ .ip = "::", .six = true },
	{ .ip = "::", .six = true, .only = true },
};

#define CONFLICT_ADDRS	ARRAY_SIZE(conflict_addr)
/* The flags are SO_REUSEADDR (1), SO_REUSEPORT (2) and another user (4). */
#define CONFLICT_FLAGS	8

struct conflict_end {
	int addr, flags;
};

FIXTURE(conflict) {};

FIXTURE_VARIANT(conflict) {
	int type;
	bool listens;
};

FIXTURE_VARIANT_ADD(conflict, stream) {
	.type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(conflict, listener) {
	.type = SOCK_STREAM, .listens = true,
};
FIXTURE_VARIANT_ADD(conflict, dgram) {
	.type = SOCK_DGRAM,
};

FIXTURE_SETUP(conflict) {}
FIXTURE_TEARDOWN(conflict) {}

/*
 * Let @fd share its address by SO_REUSEPORT, or by ALTCONN_SHARE_ADDRESS where
 * the core refuses SO_REUSEPORT before the module sees the call.
 */
static int conflict_share(int fd, bool oracle)
{
	int err = at_set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);

	return err && !oracle ? at_set_option(fd, ALTCONN_SHARE_ADDRESS, 1) :
				err;
}

static int conflict_bind(const struct conflict_end *end, int type, bool oracle,
			 unsigned int port, int *fd)
{
	bool six = conflict_addr[end->addr].six;
	enum at_format format = six ? AT_IN6 : AT_IN;
	struct at_addr a;
	int err;

	if (oracle)
		format = six ? AT_ORACLE_IN6 : AT_ORACLE_IN;
	at_addr_ip(&a, format, conflict_addr[end->addr].ip, port);
	/*
	 * TCP and UDP compare the users that have made the sockets, and altconn
	 * the users that have bound them, so here one user does both.
	 */
	if (end->flags & 4 && seteuid(65534))
		return -1;
	*fd = at_socket(format, type);
	if (six)
		at_set_flag(*fd, IPPROTO_IPV6, IPV6_V6ONLY,
			    conflict_addr[end->addr].only);
	err = at_set_flag(*fd, SOL_SOCKET, SO_REUSEADDR, end->flags & 1) ||
	      (end->flags & 2 && conflict_share(*fd, oracle));
	err = err ? -2 : at_err(at_bind(*fd, &a));
	if (seteuid(0))
		return -1;
	return err;
}

/* conflict_of() could not set up the sockets, so it has compared nothing. */
#define CONFLICT_SETUP	-1000

/*
 * Bind two sockets one after the other, and let stream sockets listen. Return
 * 0, or a number that shows which of the calls in question failed and its
 * errno: the second bind(), or a listen() after it. Return CONFLICT_SETUP if
 * any other call failed.
 */
static int conflict_of(const struct conflict_end *a,
		       const struct conflict_end *b, int type, bool listens,
		       bool oracle, unsigned int port)
{
	int fd[2] = { -1, -1 }, err;

	err = conflict_bind(a, type, oracle, port, &fd[0]);
	if (!err && listens)
		err = at_err(listen(fd[0], 1));
	if (err)
		err = CONFLICT_SETUP;
	if (!err)
		err = conflict_bind(b, type, oracle, port, &fd[1]);
	if (err < 0)
		err = CONFLICT_SETUP;
	if (!err && type == SOCK_STREAM)
		err = at_err(listen(fd[1], 1)) * 1000;
	if (!err && type == SOCK_STREAM)
		err = at_err(listen(fd[0], 1)) * 1000000;
	at_close(fd, 2);
	return err;
}

static void conflict_end_of(struct conflict_end *end, unsigned int i)
{
	end->flags = i % CONFLICT_FLAGS;
	end->addr = i / CONFLICT_FLAGS;
}

TEST_F_TIMEOUT(conflict, conflicts_as_in_TCP_and_UDP, AT_TIMEOUT)
{
	unsigned int i, j, port, n = CONFLICT_ADDRS * CONFLICT_FLAGS, bad = 0;
	struct conflict_end a, b;
	struct at_addr any;
	int own, theirs;

	at_addr(&any, AT_IN, AT_INET);
	port = at_port_of(&any);
	for (i = 0; i < n; i++) {
		conflict_end_of(&a, i);
		/*
		 * The first socket is always of root: what matters is whether
		 * the users differ.
		 */
		if (a.flags & 4)
			continue;
		for (j = 0; j < n; j++) {
			conflict_end_of(&b, j);
			own = conflict_of(&a, &b, variant->type,
					  variant->listens, false, port);
			theirs = conflict_of(&a, &b, variant->type,
					     variant->listens, true, port);
			if (own == theirs && own != CONFLICT_SETUP)
				continue;
			TH_LOG("%s%s %d, then %s%s %d: %d, should be %d",
			       conflict_addr[a.addr].ip,
			       conflict_addr[a.addr].only ? " only" : "",
			       a.flags, conflict_addr[b.addr].ip,
			       conflict_addr[b.addr].only ? " only" : "",
			       b.flags, own, theirs);
			bad++;
		}
	}
	EXPECT_EQ(0, bad);
}

/*
 * A conflict lasts as long as the bindings and no longer: the counters of
 * bindings return to 0.
 */
TEST(conflict_ends_with_the_binding)
{
	struct conflict_end some = { 0, 2 }, any = { 2, 2 };
	int fd[3], port, i;
	struct at_addr a;

	at_addr(&a, AT_IN, AT_INET);
	port = at_port_of(&a);
	some.flags |= 4;
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, conflict_bind(&some, SOCK_STREAM, false, port,
					   &fd[0]));
		ASSERT_EQ(0, conflict_bind(&some, SOCK_STREAM, false, port,
					   &fd[1]));
		EXPECT_EQ(EADDRINUSE, conflict_bind(&any, SOCK_STREAM, false,
						    port, &fd[2]));
		close(fd[2]);
		/*
		 * Close the first binding, whose memory contains the place, the
		 * entry that both bindings share.
		 */
		close(fd[0]);
		EXPECT_EQ(EADDRINUSE, conflict_bind(&any, SOCK_STREAM, false,
						    port, &fd[2]));
		close(fd[2]);
		close(fd[1]);
		EXPECT_EQ(0, conflict_bind(&any, SOCK_STREAM, false, port,
					   &fd[2]));
		close(fd[2]);
	}
}

/*
 * Return a new socket that shares @port of 127.0.0.1, or -1. With port 0,
 * bind() chooses the port.
 */
static int share_bound(enum at_format format, int type, unsigned int port)
{
	int fd = at_socket(format, type);
	struct at_addr a;

	at_addr_ip(&a, format, "127.0.0.1", port);
	if (conflict_share(fd, at_is_oracle(format)) || at_bind(fd, &a))
		return -1;
	return fd;
}

/*
 * Sockets share a port that bind() has chosen for the first of them.
 * Connections and datagrams are spread over the sockets.
 */
FIXTURE(share) {
	int fd[3], clients[32];
	struct at_addr a;
};

FIXTURE_VARIANT(share) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(share, stream) { .format = AT_IN, .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(share, dgram) { .format = AT_IN, .type = SOCK_DGRAM };
FIXTURE_VARIANT_ADD(share, TCP) { .format = AT_ORACLE_IN, .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(share, UDP) { .format = AT_ORACLE_IN, .type = SOCK_DGRAM };

FIXTURE_SETUP(share)
{
	int i, port;

	self->fd[0] = share_bound(variant->format, variant->type, 0);
	ASSERT_LE(0, self->fd[0]);
	ASSERT_EQ(0, at_getsockname(self->fd[0], &self->a));
	port = at_port_of(&self->a);
	for (i = 1; i < 3; i++)
		ASSERT_LE(0, self->fd[i] = share_bound(variant->format,
						       variant->type, port));
	for (i = 0; i < 3 && variant->type == SOCK_STREAM; i++)
		ASSERT_EQ(0, at_err(listen(self->fd[i], 64)));
	for (i = 0; i < 32; i++) {
		self->clients[i] = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_err(at_connect(self->clients[i], &self->a)));
	}
}

FIXTURE_TEARDOWN(share)
{
	at_close(self->fd, 3);
	at_close(self->clients, 32);
}

/*
 * Take all connections or datagrams that have come to a socket. Return how many
 * there were.
 */
static int share_take(int fd, int type)
{
	int n = 0;
	char c;

	at_nonblock(fd, true);
	while (type == SOCK_STREAM ? accept(fd, NULL, NULL) >= 0 :
				     recv(fd, &c, 1, 0) == 1)
		n++;
	return n;
}

/*
 * Each of the three sockets gets some of the 32 clients. In one of 10^5 runs a
 * socket gets none by chance.
 */
TEST_F_TIMEOUT(share, each_socket_gets_some, AT_TIMEOUT)
{
	bool dgram = variant->type == SOCK_DGRAM;
	int i, n[3] = {}, sent = dgram ? 64 : 32, taken = 0;
	struct pollfd pfd[3];

	for (i = 0; i < 3; i++)
		pfd[i] = (struct pollfd){ self->fd[i], POLLIN };
	for (i = 0; i < sent && dgram; i++)
		ASSERT_EQ(1, send(self->clients[i / 2], "x", 1, 0));
	/* A datagram of UDP may arrive after send() has returned. */
	while (taken < sent && poll(pfd, 3, AT_DEADLINE_MS) > 0) {
		for (i = 0; i < 3; i++)
			n[i] += share_take(self->fd[i], variant->type);
		taken = n[0] + n[1] + n[2];
	}
	EXPECT_EQ(sent, taken);
	for (i = 0; i < 3; i++) {
		EXPECT_LT(0, n[i]);
		/* Both datagrams of a client go to the same socket. */
		if (dgram)
			EXPECT_EQ(0, n[i] % 2);
	}
}

TEST_HARNESS_MAIN
