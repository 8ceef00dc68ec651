// SPDX-License-Identifier: GPL-2.0
/*
 * Test what a server and a client can choose beyond the manual of connect(2): a
 * listener that fails fast, a listener that defers, and a client that waits for
 * a listener to appear. Test the limits of a network namespace too.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <sched.h>

FIXTURE(choice) {
	struct at_addr a;
	int lfd;	/* bound; the test calls listen() */
};

FIXTURE_VARIANT(choice) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(choice, native_port_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(choice, native_name_seqpacket) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(choice, unix_name_stream) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(choice, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(choice, inet6_seqpacket) {
	.format = AT_IN6, .kind = AT_INET, .type = SOCK_SEQPACKET,
};

FIXTURE_SETUP(choice)
{
	self->lfd = at_bound(&self->a, variant->format, variant->kind,
			     variant->type);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(choice)
{
	at_cleanup();
}

/*
 * Connect a new non-blocking socket. Return 0 or the errno of connect(), or -1
 * if there is no socket.
 */
static int begin_client(const FIXTURE_VARIANT(choice) *variant,
			const struct at_addr *a, int *fd)
{
	int err;

	*fd = at_client(variant->format, variant->type | SOCK_NONBLOCK, a,
			&err);
	return *fd < 0 ? -1 : err;
}

/*
 * Connect a new non-blocking socket with ALTCONN_WAIT_LISTENER. Return 0 or the
 * errno of connect(), or -1 if the option cannot be set.
 */
static int try_waiting(const FIXTURE_VARIANT(choice) *variant,
		       const struct at_addr *a, int *fd)
{
	*fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);
	if (at_set_option(*fd, ALTCONN_WAIT_LISTENER, 1))
		return -1;
	return at_err(at_connect(*fd, a));
}

/*
 * Wait until the attempt is decided. Return 0 or its errno, or -1 if it is
 * still pending at the deadline.
 */
static int wait_outcome(int fd)
{
	if (!(at_poll(fd, POLLOUT) & POLLOUT))
		return -1;
	return at_so_error(fd);
}

/* Return whether @fd and @sfd are the two ends of one connection. */
static int are_connected(int fd, int sfd)
{
	char c;

	return send(fd, "x", 1, 0) == 1 && recv(sfd, &c, 1, 0) == 1 && c == 'x';
}

TEST_F_TIMEOUT(choice, options_of_listeners_round_trip, AT_TIMEOUT)
{
	static const int options[] = {
		ALTCONN_BACKLOG_POLICY, ALTCONN_DEFER_ACCEPT,
		ALTCONN_WAIT_LISTENER,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		EXPECT_EQ(0, at_get_flag(self->lfd, SOL_ALTCONN, options[i]));
		EXPECT_EQ(0, at_set_option(self->lfd, options[i], 1));
		EXPECT_EQ(1, at_get_flag(self->lfd, SOL_ALTCONN, options[i]));
		EXPECT_EQ(EINVAL, at_err(setsockopt(self->lfd, SOL_ALTCONN,
						    options[i], "", 1)));
		EXPECT_EQ(EFAULT, at_err(setsockopt(self->lfd, SOL_ALTCONN,
						    options[i], (void *)1,
						    4)));
		EXPECT_EQ(0, at_set_option(self->lfd, options[i], 0));
		EXPECT_EQ(0, at_get_flag(self->lfd, SOL_ALTCONN, options[i]));
	}
	EXPECT_EQ(EINVAL, at_err(at_set_option(self->lfd,
					       ALTCONN_BACKLOG_POLICY, 2)));
	EXPECT_EQ(EINVAL, at_err(at_set_option(self->lfd, ALTCONN_REFUSE, 1)));
	EXPECT_EQ(-ENOPROTOOPT,
		  at_get_flag(self->lfd, SOL_ALTCONN, ALTCONN_REFUSE));
	EXPECT_EQ(-ENOPROTOOPT, at_get_flag(self->lfd, SOL_ALTCONN, 999));
	EXPECT_EQ(ENOPROTOOPT, at_err(at_set_option(self->lfd, 999, 1)));
	EXPECT_EQ(ENOPROTOOPT, at_err(setsockopt(self->lfd, SOL_ALTCONN, 999,
						 "", 0)));
	EXPECT_EQ(ENOPROTOOPT, at_err(at_set_option(self->lfd,
						    ALTCONN_CONNECT_INFO, 0)));
}

/* A full listener that fails fast refuses an attempt (E-CONNREFUSED). */
TEST_F_TIMEOUT(choice, fail_fast_refuses_when_full, AT_TIMEOUT)
{
	int full[2], fd, err;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_BACKLOG_POLICY,
				   ALTCONN_POLICY_FAIL_FAST));
	ASSERT_EQ(0, listen(self->lfd, 1));
	ASSERT_EQ(0,
		  at_fill(variant->format, variant->type, &self->a, full, 2));
	EXPECT_EQ(ECONNREFUSED, begin_client(variant, &self->a, &fd));
	EXPECT_EQ(ALTCONN_REASON_BACKLOG_FULL, at_reason(fd));
	at_client(variant->format, variant->type, &self->a, &err);
	EXPECT_EQ(ECONNREFUSED, err);
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
}

TEST_F_TIMEOUT(choice, fail_fast_leaves_waiting_attempts, AT_TIMEOUT)
{
	int full[2], waits, fd;

	ASSERT_EQ(0, listen(self->lfd, 1));
	ASSERT_EQ(0,
		  at_fill(variant->format, variant->type, &self->a, full, 2));
	EXPECT_EQ(EINPROGRESS, begin_client(variant, &self->a, &waits));
	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_BACKLOG_POLICY, 1));
	EXPECT_EQ(ECONNREFUSED, begin_client(variant, &self->a, &fd));
	EXPECT_EQ(1, at_position(waits));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, wait_outcome(waits));
}

/*
 * With ALTCONN_DEFER_ACCEPT an attempt is established when accept() takes it,
 * not before.
 */
TEST_F_TIMEOUT(choice, defer_establishes_at_accept, AT_TIMEOUT)
{
	int fd, sfd;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(0, at_poll_now(self->lfd, POLLIN));
	EXPECT_EQ(EINPROGRESS, begin_client(variant, &self->a, &fd));
	EXPECT_EQ(0, at_poll_now(fd, POLLOUT));
	/*
	 * In the inet formats send() waits for the attempt, as in TCP, and
	 * returns EAGAIN on a non-blocking socket.
	 */
	EXPECT_EQ(variant->kind == AT_INET ? EAGAIN : ENOTCONN,
		  at_err(send(fd, "x", 1, MSG_NOSIGNAL)));
	EXPECT_EQ(POLLIN, at_poll(self->lfd, POLLIN));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(0, wait_outcome(fd));
	EXPECT_TRUE(are_connected(fd, sfd));
	EXPECT_EQ(0, at_poll_now(self->lfd, POLLIN));
}

TEST_F_TIMEOUT(choice, defer_blocks_the_client_until_accept, AT_TIMEOUT)
{
	struct at_job job;
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 8));
	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_job_end(&job));
}

struct accepter {
	int lfd, fd;
	atomic_int tid;
};

static void *block_in_accept(void *arg)
{
	struct accepter *a = arg;

	atomic_store(&a->tid, gettid());
	a->fd = accept(a->lfd, NULL, NULL);
	return NULL;
}

TEST_F_TIMEOUT(choice, defer_wakes_a_blocked_accept, AT_TIMEOUT)
{
	struct accepter a = { .lfd = self->lfd };
	pthread_t thread;
	int tid, err, fd;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 8));
	ASSERT_EQ(0, pthread_create(&thread, NULL, block_in_accept, &a));
	ASSERT_TRUE(at_until((tid = atomic_load(&a.tid)) && at_sleeps(tid)));
	fd = at_client(variant->format, variant->type, &self->a, &err);
	EXPECT_EQ(0, err);
	pthread_join(thread, NULL);
	ASSERT_LE(0, a.fd);
	EXPECT_TRUE(are_connected(fd, a.fd));
}

TEST_F_TIMEOUT(choice, defer_refuses_in_order, AT_TIMEOUT)
{
	int fds[3], i, sfd;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 8));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EINPROGRESS,
			  begin_client(variant, &self->a, &fds[i]));
	EXPECT_EQ(0, at_set_option(self->lfd, ALTCONN_REFUSE, 0));
	EXPECT_EQ(1, at_position(fds[0]));
	EXPECT_EQ(0, at_set_option(self->lfd, ALTCONN_REFUSE, 2));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(ECONNREFUSED, wait_outcome(fds[i]));
		EXPECT_EQ(ALTCONN_REASON_REFUSED, at_reason(fds[i]));
	}
	EXPECT_EQ(1, at_position(fds[2]));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(0, wait_outcome(fds[2]));
	EXPECT_TRUE(are_connected(fds[2], sfd));
	/* It is no error to refuse more attempts than wait. */
	EXPECT_EQ(0, at_set_option(self->lfd, ALTCONN_REFUSE, ~0U));
}

TEST_F_TIMEOUT(choice, defer_off_establishes, AT_TIMEOUT)
{
	int fds[3], i;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 1));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(EINPROGRESS,
			  begin_client(variant, &self->a, &fds[i]));
	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 0));
	EXPECT_EQ(0, wait_outcome(fds[0]));
	EXPECT_EQ(0, wait_outcome(fds[1]));
	EXPECT_EQ(1, at_position(fds[2]));
}

TEST_F_TIMEOUT(choice, defer_and_fail_fast, AT_TIMEOUT)
{
	int fds[3], i;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_BACKLOG_POLICY, 1));
	ASSERT_EQ(0, listen(self->lfd, 1));
	for (i = 0; i < 2; i++)
		EXPECT_EQ(EINPROGRESS,
			  begin_client(variant, &self->a, &fds[i]));
	EXPECT_EQ(ECONNREFUSED, begin_client(variant, &self->a, &fds[2]));
	EXPECT_EQ(ALTCONN_REASON_BACKLOG_FULL, at_reason(fds[2]));
}

TEST_F_TIMEOUT(choice, defer_and_the_listener_closes, AT_TIMEOUT)
{
	int fd;

	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(EINPROGRESS, begin_client(variant, &self->a, &fd));
	close(self->lfd);
	EXPECT_EQ(ECONNREFUSED, wait_outcome(fd));
	EXPECT_EQ(ALTCONN_REASON_LISTENER_CLOSED, at_reason(fd));
}

/* With ALTCONN_WAIT_LISTENER an attempt waits until a socket listens. */
TEST_F_TIMEOUT(choice, wait_listener_until_listen, AT_TIMEOUT)
{
	int fd, sfd;

	EXPECT_EQ(EINPROGRESS, try_waiting(variant, &self->a, &fd));
	EXPECT_EQ(1, at_position(fd));
	EXPECT_EQ(0, at_poll_now(fd, POLLOUT));
	EXPECT_EQ(EALREADY, at_err(at_connect(fd, &self->a)));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(0, wait_outcome(fd));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_TRUE(are_connected(fd, sfd));
}

TEST_F_TIMEOUT(choice, wait_listener_nothing_bound_yet, AT_TIMEOUT)
{
	struct at_job job;
	int fd = at_socket(variant->format, variant->type);

	close(self->lfd);
	ASSERT_EQ(0, at_set_option(fd, ALTCONN_WAIT_LISTENER, 1));
	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	self->lfd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_err(at_bind(self->lfd, &self->a)));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(0, at_job_end(&job));
}

TEST_F_TIMEOUT(choice, wait_listener_off_is_refused, AT_TIMEOUT)
{
	int fd;

	EXPECT_EQ(ECONNREFUSED, begin_client(variant, &self->a, &fd));
	EXPECT_EQ(ALTCONN_REASON_NOT_LISTENING, at_reason(fd));
}

TEST_F_TIMEOUT(choice, wait_listener_until_the_deadline, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);

	ASSERT_EQ(0, at_set_option(fd, ALTCONN_WAIT_LISTENER, 1));
	ASSERT_EQ(0, at_set_timeout(fd, 200));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(ETIMEDOUT, wait_outcome(fd));
	EXPECT_EQ(ALTCONN_REASON_DEADLINE, at_reason(fd));
	/* A later listener does not find the failed attempt. */
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(0, at_poll_now(self->lfd, POLLIN));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
}

TEST_F_TIMEOUT(choice, wait_listener_in_order, AT_TIMEOUT)
{
	int fds[4], i, sfd;
	char c;

	for (i = 0; i < 4; i++)
		EXPECT_EQ(EINPROGRESS, try_waiting(variant, &self->a, &fds[i]));
	/* close() ends one attempt, and connect() to AF_UNSPEC ends another. */
	close(fds[1]);
	EXPECT_EQ(0, at_err(at_connect_unspec(fds[2])));
	EXPECT_EQ(2, at_position(fds[3]));
	ASSERT_EQ(0, listen(self->lfd, 0));
	EXPECT_EQ(0, wait_outcome(fds[0]));
	EXPECT_EQ(1, at_position(fds[3]));
	EXPECT_EQ(1, send(fds[0], "0", 1, 0));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(1, recv(sfd, &c, 1, 0));
	EXPECT_EQ('0', c);
	EXPECT_EQ(0, wait_outcome(fds[3]));
	EXPECT_TRUE(are_connected(fds[3], accept(self->lfd, NULL, NULL)));
	EXPECT_EQ(0, at_poll_now(self->lfd, POLLIN));
}

/*
 * When the listener closes, an attempt with ALTCONN_WAIT_LISTENER keeps waiting
 * for the next listener, and an attempt without it is refused.
 */
TEST_F_TIMEOUT(choice, wait_listener_through_a_restart, AT_TIMEOUT)
{
	int full[2], fd, other;

	ASSERT_EQ(0, listen(self->lfd, 1));
	ASSERT_EQ(0,
		  at_fill(variant->format, variant->type, &self->a, full, 2));
	EXPECT_EQ(EINPROGRESS, try_waiting(variant, &self->a, &fd));
	EXPECT_EQ(EINPROGRESS, begin_client(variant, &self->a, &other));
	close(self->lfd);
	EXPECT_EQ(ECONNREFUSED, wait_outcome(other));
	EXPECT_EQ(1, at_position(fd));
	self->lfd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_err(at_bind(self->lfd, &self->a)));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(0, wait_outcome(fd));
	EXPECT_TRUE(are_connected(fd, accept(self->lfd, NULL, NULL)));
}

TEST_F_TIMEOUT(choice, wait_listener_that_fails_fast, AT_TIMEOUT)
{
	int fds[3], i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(EINPROGRESS, try_waiting(variant, &self->a, &fds[i]));
	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_BACKLOG_POLICY, 1));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(0, wait_outcome(fds[0]));
	EXPECT_EQ(0, wait_outcome(fds[1]));
	EXPECT_EQ(ECONNREFUSED, wait_outcome(fds[2]));
	EXPECT_EQ(ALTCONN_REASON_BACKLOG_FULL, at_reason(fds[2]));
}

TEST_F_TIMEOUT(choice, wait_listener_that_defers, AT_TIMEOUT)
{
	int fd, sfd;

	EXPECT_EQ(EINPROGRESS, try_waiting(variant, &self->a, &fd));
	ASSERT_EQ(0, at_set_option(self->lfd, ALTCONN_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(POLLIN, at_poll(self->lfd, POLLIN));
	EXPECT_EQ(1, at_position(fd));
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(0, wait_outcome(fd));
}

/*
 * An attempt does not wait for a listener at a path. A path names a socket by
 * its inode, and a later server would bind another inode.
 */
TEST(wait_listener_paths_are_refused)
{
	int fd = at_socket(AT_UNIX, SOCK_STREAM);
	struct at_addr a;

	at_addr(&a, AT_UNIX, AT_PATH);
	ASSERT_EQ(0, at_set_option(fd, ALTCONN_WAIT_LISTENER, 1));
	EXPECT_EQ(ENOENT, at_err(at_connect(fd, &a)));
	close(at_bound(&a, AT_UNIX, AT_PATH, SOCK_STREAM));
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(fd, &a)));
	at_cleanup();
}

/*
 * Attempts at two IP addresses of one port wait in the same waiting room. Each
 * is served by a listener of its own address, or of any address.
 */
TEST(wait_listener_by_address)
{
	struct at_addr one, two, any;
	int fd1, fd2, lfd = at_socket(AT_IN, SOCK_STREAM);

	at_addr(&one, AT_IN, AT_INET);
	at_addr_ip(&two, AT_IN, "127.0.0.2", at_port_of(&one));
	at_addr_ip(&any, AT_IN, "0.0.0.0", at_port_of(&one));
	fd1 = at_socket(AT_IN, SOCK_STREAM | SOCK_NONBLOCK);
	fd2 = at_socket(AT_IN, SOCK_STREAM | SOCK_NONBLOCK);
	ASSERT_EQ(0, at_set_option(fd1, ALTCONN_WAIT_LISTENER, 1));
	ASSERT_EQ(0, at_set_option(fd2, ALTCONN_WAIT_LISTENER, 1));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd1, &one)));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd2, &two)));

	ASSERT_EQ(0, at_err(at_bind(lfd, &two)));
	ASSERT_EQ(0, listen(lfd, 8));
	EXPECT_EQ(0, wait_outcome(fd2));
	EXPECT_EQ(1, at_position(fd1));
	close(lfd);
	lfd = at_socket(AT_IN, SOCK_STREAM);
	ASSERT_EQ(0, at_err(at_bind(lfd, &any)));
	ASSERT_EQ(0, listen(lfd, 8));
	EXPECT_EQ(0, wait_outcome(fd1));
}

/* ---- limits of a network namespace ---- */

FIXTURE(limits) {
	struct at_addr a;
	int lfd;
};

FIXTURE_SETUP(limits)
{
	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	self->lfd = at_listener(&self->a, AT_NATIVE, AT_NAME, SOCK_STREAM, 8);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(limits) {}

TEST_F_TIMEOUT(limits, wait_listener_max_waiting, AT_TIMEOUT)
{
	struct at_addr b;
	int fds[3], i;

	/* One user can have half of max_waiting, rounded up. */
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 3));
	at_addr(&b, AT_NATIVE, AT_NAME);
	for (i = 0; i < 3; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_STREAM | SOCK_NONBLOCK);
		ASSERT_EQ(0, at_set_option(fds[i], ALTCONN_WAIT_LISTENER, 1));
		EXPECT_EQ(i < 2 ? EINPROGRESS : ECONNREFUSED,
			  at_err(at_connect(fds[i], &b)));
	}
	EXPECT_EQ(ALTCONN_REASON_WAITING_ROOM_FULL, at_reason(fds[2]));
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 0));
	at_addr(&b, AT_NATIVE, AT_NAME);
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(fds[2], &b)));
	EXPECT_EQ(ALTCONN_REASON_WAITING_ROOM_FULL, at_reason(fds[2]));
}

TEST_F_TIMEOUT(limits, E_AGAIN_TABLE, AT_TIMEOUT)
{
	int fds[3], err, dgram, sv[2];
	struct at_addr b;

	ASSERT_EQ(0, at_sysctl_set("altconn/max_associations", 2));
	ASSERT_EQ(0, at_fill(AT_NATIVE, SOCK_STREAM, &self->a, fds, 2));
	fds[2] = at_client(AT_NATIVE, SOCK_STREAM, &self->a, &err);
	EXPECT_EQ(EAGAIN, err);
	EXPECT_EQ(ALTCONN_REASON_TABLE_FULL, at_reason(fds[2]));
	/*
	 * Associations of datagram sockets count too, and a socket that
	 * connects again still counts once.
	 */
	dgram = at_bound(&b, AT_NATIVE, AT_NAME, SOCK_DGRAM);
	ASSERT_LE(0, dgram);
	EXPECT_EQ(EAGAIN, at_err(at_connect(dgram, &b)));
	EXPECT_EQ(ALTCONN_REASON_TABLE_FULL, at_reason(dgram));
	EXPECT_EQ(ENFILE, at_err(socketpair(at_family(), SOCK_STREAM, 0, sv)));
	EXPECT_EQ(ENFILE, at_err(socketpair(at_family(), SOCK_DGRAM, 0, sv)));
	close(fds[0]);
	/* The association counts until the server's end is closed too. */
	close(accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_err(at_connect(dgram, &b)));
	EXPECT_EQ(0, at_err(at_connect(dgram, &b)));
	EXPECT_EQ(EAGAIN, at_err(at_connect(fds[2], &self->a)));
	EXPECT_EQ(0, at_err(at_connect_unspec(dgram)));
	/*
	 * A pair of datagram sockets counts as two associations, and only one
	 * is left.
	 */
	EXPECT_EQ(ENFILE, at_err(socketpair(at_family(), SOCK_DGRAM, 0, sv)));
	EXPECT_EQ(0, at_err(at_connect(fds[2], &self->a)));
}

/* A namespace at its max_associations does not limit another namespace. */
TEST_F_TIMEOUT(limits, E_AGAIN_TABLE_of_each_namespace, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, err, lfd;

	ASSERT_EQ(0, at_sysctl_set("altconn/max_associations", 1));
	ASSERT_EQ(0, at_fill(AT_NATIVE, SOCK_STREAM, &self->a, &fd, 1));
	at_client(AT_NATIVE, SOCK_STREAM, &self->a, &err);
	EXPECT_EQ(EAGAIN, err);
	ASSERT_EQ(0, at_netns());
	EXPECT_EQ(1 << 20, at_sysctl("altconn/max_associations"));
	lfd = at_listener(&a, AT_NATIVE, AT_PORT, SOCK_STREAM, 8);
	ASSERT_LE(0, lfd);
	EXPECT_EQ(0, at_fill(AT_NATIVE, SOCK_STREAM, &a, &fd, 1));
}

TEST_HARNESS_MAIN
