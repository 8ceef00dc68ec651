// SPDX-License-Identifier: GPL-2.0
/*
 * These tests show when accept() blocks, what it returns, and which addresses
 * getsockname() and getpeername() report at both ends of a connection.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>

FIXTURE(accept) {
	struct at_addr a;
	int lfd;
};

FIXTURE_VARIANT(accept) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

#define ACCEPT(d, k, t)							\
	FIXTURE_VARIANT_ADD(accept, d ## _ ## k ## _ ## t) {		\
		.format = AT_ ## d, .kind = AT_ ## k,			\
		.type = SOCK_ ## t					\
	}
ACCEPT(NATIVE, PORT, STREAM);
ACCEPT(NATIVE, NAME, SEQPACKET);
ACCEPT(NATIVE, PATH, STREAM);
ACCEPT(NATIVE, INET, STREAM);
ACCEPT(IN, INET, STREAM);
ACCEPT(IN6, INET, SEQPACKET);
ACCEPT(UNIX, NAME, STREAM);
ACCEPT(UNIX, PATH, SEQPACKET);
ACCEPT(ORACLE, NAME, SEQPACKET);
ACCEPT(ORACLE, PATH, STREAM);

FIXTURE_SETUP(accept)
{
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 4);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(accept)
{
	at_cleanup();
}

static int make_client(const FIXTURE_VARIANT(accept) *variant,
		       const struct at_addr *a)
{
	int err, fd = at_client(variant->format, variant->type, a, &err);

	return err ? -1 : fd;
}

static socklen_t variant_len(const FIXTURE_VARIANT(accept) *variant)
{
	struct at_addr a;

	at_addr(&a, variant->format, variant->kind);
	return a.len;
}

/*
 * Return whether @own is a valid address of a client that has not called
 * bind(): an ephemeral port, an automatic name or the unnamed address, as the
 * address format and the kind require.
 */
static bool client_address_right(const FIXTURE_VARIANT(accept) *variant,
				 const struct at_addr *own)
{
	if (variant->kind == AT_INET)
		return own->len == variant_len(variant) &&
		       at_port_of(own) >= 32768 && at_port_of(own) <= 60999;
	if (variant->format != AT_NATIVE || variant->kind == AT_PATH)
		return at_unnamed(own);
	if (own->len != sizeof(own->nat))
		return false;
	if (variant->kind == AT_NAME)
		return own->nat.sac_kind == ALTCONN_KIND_NAME &&
		       own->nat.sac_len > 0;
	return own->nat.sac_kind == ALTCONN_KIND_PORT &&
	       own->nat.sac_port >= 65536 &&
	       own->nat.sac_port <= INT_MAX;
}

TEST_F_TIMEOUT(accept, names_of_both_ends, AT_TIMEOUT)
{
	struct at_addr own, peer, from = { .len = sizeof(from.raw) };
	int fd, sfd;

	fd = make_client(variant, &self->a);
	ASSERT_LE(0, fd);
	sfd = accept(self->lfd, &from.sa, &from.len);
	ASSERT_LE(0, sfd);
	ASSERT_EQ(0, at_getpeername(fd, &peer));
	EXPECT_TRUE(at_addr_eq(&self->a, &peer));
	ASSERT_EQ(0, at_getsockname(sfd, &own));
	EXPECT_TRUE(at_addr_eq(&self->a, &own));
	ASSERT_EQ(0, at_getsockname(fd, &own));
	EXPECT_TRUE(client_address_right(variant, &own));
	ASSERT_EQ(0, at_getpeername(sfd, &peer));
	EXPECT_TRUE(at_addr_eq(&own, &peer));
	EXPECT_TRUE(at_addr_eq(&own, &from));
}

TEST_F_TIMEOUT(accept, bound_client_keeps_its_name, AT_TIMEOUT)
{
	struct at_addr own, peer, got;
	int fd, sfd;

	fd = at_bound(&own, variant->format, variant->kind, variant->type);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&own, &got));
	EXPECT_EQ(0, at_getpeername(sfd, &peer));
	EXPECT_TRUE(at_addr_eq(&own, &peer));
}

TEST_F_TIMEOUT(accept, name_outlives_the_listener, AT_TIMEOUT)
{
	struct at_addr own;
	int fd, sfd;

	fd = make_client(variant, &self->a);
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	close(self->lfd);
	EXPECT_EQ(0, at_getsockname(sfd, &own));
	EXPECT_TRUE(at_addr_eq(&self->a, &own));
	EXPECT_EQ(0, at_getpeername(fd, &own));
	EXPECT_TRUE(at_addr_eq(&self->a, &own));
	EXPECT_EQ(2, send(fd, "ok", 2, 0));
}

TEST_F_TIMEOUT(accept, accept4_flags, AT_TIMEOUT)
{
	static const int flags[] = {
		0, SOCK_NONBLOCK, SOCK_CLOEXEC, SOCK_NONBLOCK | SOCK_CLOEXEC,
	};
	int i, sfd;

	/* An accepted socket does not inherit O_NONBLOCK from the listener. */
	ASSERT_EQ(0, at_nonblock(self->lfd, true));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		ASSERT_LE(0, make_client(variant, &self->a));
		sfd = accept4(self->lfd, NULL, NULL, flags[i]);
		ASSERT_LE(0, sfd);
		EXPECT_EQ(flags[i] & SOCK_NONBLOCK ? O_NONBLOCK : 0,
			  fcntl(sfd, F_GETFL) & O_NONBLOCK);
		EXPECT_EQ(flags[i] & SOCK_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(sfd, F_GETFD));
	}
	EXPECT_EQ(EINVAL, at_err(accept4(self->lfd, NULL, NULL, 1)));
}

TEST_F_TIMEOUT(accept, empty_queue_EAGAIN, AT_TIMEOUT)
{
	ASSERT_EQ(0, at_nonblock(self->lfd, true));
	EXPECT_EQ(EAGAIN, at_err(accept(self->lfd, NULL, NULL)));
	ASSERT_LE(0, make_client(variant, &self->a));
	EXPECT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(EAGAIN, at_err(accept(self->lfd, NULL, NULL)));
}

TEST_F_TIMEOUT(accept, not_a_listener_EINVAL, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), sfd;

	EXPECT_EQ(EINVAL, at_err(accept(fd, NULL, NULL)));
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(EINVAL, at_err(accept(fd, NULL, NULL)));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(EINVAL, at_err(accept(sfd, NULL, NULL)));
}

TEST_F_TIMEOUT(accept, E_FAULT_in_the_length, AT_TIMEOUT)
{
	struct at_addr a = { .len = -1 };

	ASSERT_LE(0, make_client(variant, &self->a));
	EXPECT_EQ(EINVAL, at_err(accept(self->lfd, &a.sa, &a.len)));
	ASSERT_LE(0, make_client(variant, &self->a));
	EXPECT_EQ(EFAULT, at_err(accept(self->lfd, &a.sa, (void *)1)));
}

static int protocol_of(enum at_format format)
{
	switch (format) {
	case AT_UNIX:
		return ALTCONN_UNIX;
	case AT_IN:
		return ALTCONN_INET;
	case AT_IN6:
		return ALTCONN_INET6;
	default:
		return 0;
	}
}

TEST_F_TIMEOUT(accept, options_of_an_accepted_socket, AT_TIMEOUT)
{
	int fd = make_client(variant, &self->a), sfd, i, fds[2];

	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	fds[0] = fd;
	fds[1] = sfd;
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(variant->format == AT_ORACLE ? AF_UNIX : at_family(),
			  at_get_flag(fds[i], SOL_SOCKET, SO_DOMAIN));
		EXPECT_EQ(protocol_of(variant->format),
			  at_get_flag(fds[i], SOL_SOCKET, SO_PROTOCOL));
		EXPECT_EQ(variant->type,
			  at_get_flag(fds[i], SOL_SOCKET, SO_TYPE));
		EXPECT_EQ(0, at_get_flag(fds[i], SOL_SOCKET, SO_ACCEPTCONN));
		EXPECT_EQ(0, at_get_flag(fds[i], SOL_SOCKET, SO_ERROR));
	}
}

TEST_F_TIMEOUT(accept, S_CONN_data_before_accept, AT_TIMEOUT)
{
	char buf[8] = {};
	int fd, sfd;

	fd = make_client(variant, &self->a);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, send(fd, "early", 5, 0));
	close(fd);
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(5, recv(sfd, buf, sizeof(buf), 0));
	EXPECT_STREQ("early", buf);
	EXPECT_EQ(0, recv(sfd, buf, sizeof(buf), 0));
}

TEST_F_TIMEOUT(accept, order_of_arrival, AT_TIMEOUT)
{
	int i, sfd, got;

	for (i = 0; i < 5; i++) {
		int fd = make_client(variant, &self->a);

		ASSERT_EQ(sizeof(i), send(fd, &i, sizeof(i), 0));
	}
	for (i = 0; i < 5; i++) {
		sfd = accept(self->lfd, NULL, NULL);
		ASSERT_EQ(sizeof(i), recv(sfd, &got, sizeof(got), 0));
		EXPECT_EQ(i, got);
	}
}

TEST_F_TIMEOUT(accept, listener_closed_before_accept_ECONNRESET, AT_TIMEOUT)
{
	int fd = make_client(variant, &self->a);
	char c;

	ASSERT_LE(0, fd);
	close(self->lfd);
	EXPECT_EQ(ECONNRESET, at_err(recv(fd, &c, 1, 0)));
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
	EXPECT_EQ(EPIPE, at_err(send(fd, "x", 1, MSG_NOSIGNAL)));
}

TEST_F_TIMEOUT(accept, data_calls_on_a_listener, AT_TIMEOUT)
{
	bool inet = variant->format == AT_IN || variant->format == AT_IN6;
	bool as_unix = variant->format == AT_UNIX ||
		       variant->format == AT_ORACLE;
	char c = 0;

	EXPECT_EQ(as_unix && variant->type == SOCK_STREAM ? EINVAL : ENOTCONN,
		  at_err(recv(self->lfd, &c, 1, MSG_DONTWAIT)));
	EXPECT_EQ(inet ? EPIPE : ENOTCONN,
		  at_err(send(self->lfd, &c, 1, MSG_DONTWAIT | MSG_NOSIGNAL)));
}

/* This thread calls accept() on @lfd, and stores the result in @fd and @err. */
struct accepter {
	int lfd, fd, err;
	atomic_int tid;
};

static void *block_in_accept(void *arg)
{
	struct accepter *a = arg;

	atomic_store(&a->tid, gettid());
	a->fd = accept(a->lfd, NULL, NULL);
	a->err = at_err(a->fd);
	return NULL;
}

static bool start_accepter(struct accepter *a, int lfd, pthread_t *thread)
{
	*a = (struct accepter) { .lfd = lfd };
	return !at_start_asleep(thread, block_in_accept, a, &a->tid);
}

/*
 * shutdown() of a listener for reading acts as with AF_UNIX: accept() returns
 * EINVAL, also to a thread that is blocked in it, and no client can connect any
 * more.
 */
TEST_F_TIMEOUT(accept, shutdown_of_the_listener_wakes, AT_TIMEOUT)
{
	struct accepter a;
	pthread_t thread;

	ASSERT_TRUE(start_accepter(&a, self->lfd, &thread));
	ASSERT_EQ(0, at_err(shutdown(self->lfd, SHUT_RD)));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(-1, a.fd);
	EXPECT_EQ(EINVAL, a.err);
	EXPECT_EQ(EINVAL, at_err(accept(self->lfd, NULL, NULL)));
	EXPECT_EQ(-1, make_client(variant, &self->a));
}

TEST_F_TIMEOUT(accept, blocks_until_a_client_connects, AT_TIMEOUT)
{
	struct accepter a;
	pthread_t thread;

	ASSERT_TRUE(start_accepter(&a, self->lfd, &thread));
	ASSERT_LE(0, make_client(variant, &self->a));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_LE(0, a.fd);
}

/*
 * listen() with a larger backlog establishes all waiting attempts at once, and
 * wakes a thread that sleeps in accept() for each of them.
 */
TEST_F_TIMEOUT(accept, larger_backlog_wakes_all_accepting_threads, AT_TIMEOUT)
{
	struct sched_param urgent = { .sched_priority = 1 }, plain = {};
	struct accepter a[5];
	pthread_t threads[5];
	int i, err, fds[5];

	if (at_is_oracle(variant->format))
		SKIP(return, "no attempt waits in AF_UNIX");
	ASSERT_EQ(0, at_pin(sched_getcpu()));
	ASSERT_EQ(0, listen(self->lfd, 0));
	for (i = 0; i < 5; i++)
		ASSERT_TRUE(start_accepter(&a[i], self->lfd, &threads[i]));
	/*
	 * With SCHED_FIFO on one CPU, no woken thread runs before listen()
	 * returns.
	 */
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &urgent));
	for (i = 0; i < 5; i++) {
		fds[i] = at_client(variant->format,
				   variant->type | SOCK_NONBLOCK, &self->a,
				   &err);
		EXPECT_EQ(i ? EINPROGRESS : 0, err);
	}
	EXPECT_EQ(0, listen(self->lfd, 10));
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &plain));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		EXPECT_LE(0, a[i].fd);
		close(a[i].fd);
	}
	at_close(fds, 5);
}

TEST_F_TIMEOUT(accept, SO_RCVTIMEO_ends_the_wait, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 20000 };

	ASSERT_EQ(0, setsockopt(self->lfd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(EAGAIN, at_err(accept(self->lfd, NULL, NULL)));
}

TEST_HARNESS_MAIN
