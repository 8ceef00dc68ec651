// SPDX-License-Identifier: GPL-2.0
/*
 * These tests are longer scenarios with connect(): a hundred attempts that wait
 * in order, a storm of attempts at a backlog of 1, a socket that fork() and
 * dup() share, and an accepted socket that is used anew.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <signal.h>
#include <sys/resource.h>

FIXTURE(scenario) {
	struct at_addr a;
	int lfd;
};

FIXTURE_VARIANT(scenario) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

#define SCENARIO(d, k, t)						\
	FIXTURE_VARIANT_ADD(scenario, d ## _ ## k ## _ ## t) {		\
		.format = AT_ ## d, .kind = AT_ ## k,			\
		.type = SOCK_ ## t					\
	}
SCENARIO(NATIVE, PORT, STREAM);
SCENARIO(UNIX, PATH, STREAM);
SCENARIO(UNIX, NAME, SEQPACKET);
SCENARIO(IN, INET, STREAM);

FIXTURE_SETUP(scenario)
{
	struct rlimit limit = { 30000, 30000 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 1);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(scenario)
{
	at_cleanup();
}

/* Accept a connection. Return the number that its client sends, or -1. */
static int next_speaker(int lfd)
{
	int fd = accept(lfd, NULL, NULL), number = -1;

	if (fd < 0)
		return -1;
	if (recv(fd, &number, sizeof(number), 0) != sizeof(number))
		number = -1;
	close(fd);
	return number;
}

static int send_number(int fd, int number)
{
	if (!(at_poll(fd, POLLOUT) & POLLOUT) || at_so_error(fd))
		return -1;
	return send(fd, &number, sizeof(number), 0) == sizeof(number) ? 0 : -1;
}

#define QUEUE 100

/*
 * A hundred attempts are established in order of arrival. Half of them wait in
 * a blocking call.
 */
TEST_F_TIMEOUT(scenario, FIFO_of_a_hundred, AT_TIMEOUT_LONG)
{
	struct at_job jobs[QUEUE];
	int fds[QUEUE], full[2], i;

	ASSERT_EQ(0,
		  at_fill(variant->format, variant->type, &self->a, full, 2));
	for (i = 0; i < QUEUE; i++) {
		fds[i] = at_socket(variant->format, variant->type);
		if (i % 2) {
			ASSERT_EQ(0, at_nonblock(fds[i], true));
			ASSERT_EQ(EINPROGRESS,
				  at_err(at_connect(fds[i], &self->a)));
		} else {
			ASSERT_EQ(0, at_job_start(&jobs[i], fds[i], &self->a));
			ASSERT_TRUE(at_until(at_position(fds[i])));
		}
		EXPECT_EQ(i + 1, at_position(fds[i]));
	}
	for (i = 0; i < 2; i++)
		close(accept(self->lfd, NULL, NULL));
	for (i = 0; i < QUEUE; i++) {
		if (i % 2 == 0)
			EXPECT_EQ(0, at_job_end(&jobs[i]));
		ASSERT_EQ(0, send_number(fds[i], i));
		ASSERT_EQ(i, next_speaker(self->lfd));
	}
}

#define STORM 10000

/*
 * All attempts get through a backlog of 1, in order of arrival, and each
 * attempt makes one connection.
 */
TEST_F_TIMEOUT(scenario, storm, AT_TIMEOUT_LONG)
{
	static int fds[STORM];
	int n = at_scale(STORM, 1000), i, err, waiting = 0;

	for (i = 0; i < n; i++) {
		fds[i] = at_client(variant->format,
				   variant->type | SOCK_NONBLOCK, &self->a,
				   &err);
		ASSERT_LE(0, fds[i]);
		waiting += err == EINPROGRESS;
	}
	EXPECT_EQ(n - 2, waiting);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, send_number(fds[i], i));
		ASSERT_EQ(i, next_speaker(self->lfd));
		close(fds[i]);
	}
	EXPECT_EQ(0, at_poll_now(self->lfd, POLLIN));
}

/* However many descriptors and processes have a socket, it has one attempt. */
TEST_F_TIMEOUT(scenario, shared_by_fork_and_dup, AT_TIMEOUT)
{
	int full[2], fd, copy, in[2], out[2];
	pid_t pid;

	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0,
		  at_fill(variant->format, variant->type, &self->a, full, 2));
	fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);
	copy = dup(fd);
	ASSERT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(EALREADY, at_err(at_connect(copy, &self->a)));
	pid = at_fork();
	if (!pid) {
		if (at_err(at_connect(fd, &self->a)) != EALREADY)
			_exit(1);
		/*
		 * The parent still has descriptors of the socket, so the
		 * attempt goes on.
		 */
		close(fd);
		close(copy);
		at_send_step(out[1]);
		_exit(at_wait_step(in[0]));
	}
	ASSERT_EQ(0, at_wait_step(out[0]));
	close(fd);
	EXPECT_EQ(1, at_position(copy));
	ASSERT_EQ(0, at_send_step(in[1]));
	EXPECT_EQ(0, at_reap(pid));
	for (fd = 0; fd < 2; fd++)
		close(accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, send_number(copy, 7));
	EXPECT_EQ(7, next_speaker(self->lfd));
}

/* A child gets the result and the connection of its parent's attempt. */
TEST_F_TIMEOUT(scenario, finished_by_the_child, AT_TIMEOUT)
{
	int full[2], fd, i;
	pid_t pid;

	ASSERT_EQ(0,
		  at_fill(variant->format, variant->type, &self->a, full, 2));
	fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);
	ASSERT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
	pid = at_fork();
	if (!pid) {
		if (!(at_poll(fd, POLLOUT) & POLLOUT))
			_exit(1);
		/* S-DONE: connect() returns 0 once after the success. */
		if (at_connect(fd, &self->a))
			_exit(2);
		if (at_err(at_connect(fd, &self->a)) != EISCONN)
			_exit(3);
		_exit(-send_number(fd, 8));
	}
	close(fd);
	for (i = 0; i < 2; i++)
		close(accept(self->lfd, NULL, NULL));
	EXPECT_EQ(8, next_speaker(self->lfd));
	EXPECT_EQ(0, at_reap(pid));
}

/*
 * Clause S-UNSPEC: an accepted socket that connects to AF_UNSPEC can bind,
 * listen and accept.
 */
TEST_F_TIMEOUT(scenario, accepted_socket_begins_anew, AT_TIMEOUT)
{
	int fd, sfd, client, again, err;
	struct at_addr b, got;
	char c;

	fd = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_EQ(0, err);
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	ASSERT_EQ(0, at_err(at_connect_unspec(sfd)));
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
	EXPECT_EQ(0, at_getsockname(sfd, &got));
	EXPECT_TRUE(at_unnamed(&got));

	at_addr(&b, variant->format, variant->kind);
	ASSERT_EQ(0, at_err(at_bind(sfd, &b)));
	ASSERT_EQ(0, at_err(listen(sfd, 1)));
	client = at_client(variant->format, variant->type, &b, &err);
	EXPECT_EQ(0, err);
	again = accept(sfd, NULL, NULL);
	ASSERT_LE(0, again);
	EXPECT_EQ(1, send(client, "n", 1, 0));
	EXPECT_EQ(1, recv(again, &c, 1, 0));
	EXPECT_EQ('n', c);
	/* The newly accepted socket becomes a client of the first listener. */
	ASSERT_EQ(0, at_err(at_connect_unspec(again)));
	ASSERT_EQ(0, at_err(at_connect(again, &self->a)));
	EXPECT_EQ(0, send_number(again, 9));
	EXPECT_EQ(9, next_speaker(self->lfd));
}

TEST_HARNESS_MAIN
