// SPDX-License-Identifier: GPL-2.0
/* Test what "altconn kill" ends, and what both ends of a connection see. */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <linux/altconn_netlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GONE	(POLLIN | POLLERR | POLLHUP | POLLRDHUP)

FIXTURE(kill) {
	struct at_addr a;
	int lfd;
};

FIXTURE_VARIANT(kill) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(kill, port_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(kill, path_seqpacket) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(kill, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};

FIXTURE_SETUP(kill)
{
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 0);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(kill)
{
	close(self->lfd);
	at_cleanup();
}

#define KILL(options) \
	at_tool("kill %s %s", options, at_text(&self->a, variant->kind))

/*
 * Expect a connection that was reset: recv() returns ECONNRESET once and then
 * end of file, and send() returns EPIPE.
 */
#define expect_reset(fd) do {						\
	char __c;							\
									\
	EXPECT_EQ(ECONNRESET, at_err(recv(fd, &__c, 1, MSG_DONTWAIT)));	\
	EXPECT_EQ(0, recv(fd, &__c, 1, MSG_DONTWAIT));			\
	EXPECT_EQ(EPIPE, at_err(send(fd, "x", 1, MSG_NOSIGNAL)));	\
} while (0)

TEST_F_TIMEOUT(kill, both_ends_are_reset, AT_TIMEOUT)
{
	int err, fd = at_client(variant->format, variant->type, &self->a, &err);
	int cfd = accept(self->lfd, NULL, NULL), again;

	ASSERT_EQ(0, err);
	ASSERT_LE(0, cfd);
	EXPECT_EQ(1, KILL("-c"));
	EXPECT_EQ(GONE & ~POLLERR, at_poll_now(fd, GONE) & GONE & ~POLLERR);
	EXPECT_NE(0, at_poll_now(fd, 0) & POLLERR);
	expect_reset(fd);
	expect_reset(cfd);
	/* Nothing is left to kill, and the client can connect again. */
	EXPECT_EQ(0, KILL("-c"));
	EXPECT_EQ(0, at_err(at_connect_unspec(fd)));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	again = accept(self->lfd, NULL, NULL);
	EXPECT_LE(0, again);
	close(again);
	close(cfd);
	close(fd);
}

TEST_F_TIMEOUT(kill, sent_data_is_read_first, AT_TIMEOUT)
{
	int err, fd = at_client(variant->format, variant->type, &self->a, &err);
	int cfd = accept(self->lfd, NULL, NULL);
	char c = 0;

	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(1, KILL("-c"));
	EXPECT_EQ(1, recv(cfd, &c, 1, 0));
	EXPECT_EQ('x', c);
	expect_reset(cfd);
	close(cfd);
	close(fd);
}

/* "kill -w" aborts the attempts that wait, and no established association. */
TEST_F_TIMEOUT(kill, aborts_attempts_that_wait, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	int fds[3], cfd, i, err;
	char c = 0;

	err = at_fill(variant->format, variant->type, &self->a, fds, 1);
	ASSERT_EQ(0, err);
	for (i = 1; i < 3; i++) {
		fds[i] = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_nonblock(fds[i], true));
		EXPECT_EQ(EINPROGRESS, at_err(at_connect(fds[i], &self->a)));
	}
	EXPECT_EQ(2, at_tool("kill -n -w"));
	EXPECT_EQ(2, at_position(fds[2]));
	EXPECT_EQ(2, KILL("-w"));
	for (i = 1; i < 3; i++) {
		EXPECT_NE(0, at_poll(fds[i], POLLOUT) & POLLERR);
		EXPECT_EQ(ECONNABORTED, at_so_error(fds[i]));
		ASSERT_EQ(0, at_info(fds[i], &info));
		EXPECT_EQ(ALTCONN_REASON_KILLED, info.aci_reason);
	}
	/* The established association is unchanged, and the only one. */
	ASSERT_EQ(0, at_nonblock(self->lfd, true));
	cfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, cfd);
	EXPECT_EQ(EAGAIN, at_err(accept(self->lfd, NULL, NULL)));
	EXPECT_EQ(1, send(fds[0], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(1, recv(cfd, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ('x', c);
	EXPECT_EQ(EAGAIN, at_err(recv(fds[0], &c, 1, MSG_DONTWAIT)));
	close(cfd);
	at_close(fds, 3);
}

/*
 * When an association is killed before it is accepted, an attempt that waits
 * takes its position in the accept queue.
 */
TEST_F_TIMEOUT(kill, queued_association, AT_TIMEOUT)
{
	int fd, waits, err, cfd;

	fd = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_EQ(0, err);
	waits = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_nonblock(waits, true));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(waits, &self->a)));
	EXPECT_EQ(1, KILL("--state=queued"));
	expect_reset(fd);
	EXPECT_EQ(POLLOUT, at_poll(waits, POLLOUT));
	EXPECT_EQ(0, at_so_error(waits));
	cfd = accept(self->lfd, NULL, NULL);
	EXPECT_EQ(1, send(waits, "w", 1, 0));
	EXPECT_EQ(1, recv(cfd, &err, 1, 0));
	EXPECT_EQ(0, at_nonblock(self->lfd, true));
	EXPECT_EQ(EAGAIN, at_err(accept(self->lfd, NULL, NULL)));
	close(cfd);
	close(waits);
	close(fd);
}

static void *accept_thread(void *arg)
{
	return (void *)(long)at_err(accept(*(int *)arg, NULL, NULL));
}

TEST_F_TIMEOUT(kill, listener, AT_TIMEOUT)
{
	pthread_t thread;
	void *err;
	int fd, connected;

	ASSERT_EQ(0, pthread_create(&thread, NULL, accept_thread, &self->lfd));
	EXPECT_EQ(1, KILL("-l"));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(EINVAL, (long)err);
	fd = at_client(variant->format, variant->type, &self->a, &connected);
	EXPECT_EQ(ECONNREFUSED, connected);
	/* The socket can listen again. */
	EXPECT_EQ(0, listen(self->lfd, 0));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	close(fd);
}

/* Return the id of the only association. */
static int only_id(void)
{
	return at_tool("show -ceH | sed 's/.*id:\\([0-9]*\\).*/\\1/'");
}

TEST_F_TIMEOUT(kill, by_id, AT_TIMEOUT)
{
	int err, fd = at_client(variant->format, variant->type, &self->a, &err);
	int cfd = accept(self->lfd, NULL, NULL), id = only_id();

	ASSERT_LT(0, id);
	EXPECT_EQ(1, at_tool("kill -n %d 4000000000", id));
	EXPECT_EQ(-1, at_tool("kill --all %d 2>/dev/null", id));
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_EQ(1, at_tool("kill %d %d", id, id));
	expect_reset(fd);
	/*
	 * @cfd is closed with unread data. Its peer has got ECONNRESET already,
	 * so it gets no second error.
	 */
	close(cfd);
	EXPECT_EQ(0, at_so_error(fd));
	EXPECT_EQ(-1, at_tool("kill %d 2>/dev/null", id));
	close(fd);
}

TEST_F_TIMEOUT(kill, attempt_delayed_or_dropped_by_a_rule, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), i;

	ASSERT_EQ(0, at_nonblock(fd, true));
	for (i = 0; i < 2; i++) {
		ASSERT_LT(0, at_tool("rule add %s", i ? "drop" : "delay 900s"));
		EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
		EXPECT_EQ(1, at_tool("kill -w"));
		EXPECT_EQ(POLLOUT | POLLERR | POLLHUP,
			  at_poll(fd, POLLOUT));
		EXPECT_EQ(ECONNABORTED, at_so_error(fd));
		EXPECT_EQ(0, at_tool("rule flush"));
	}
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	close(fd);
}

TEST_F_TIMEOUT(kill, needs_CAP_NET_ADMIN, AT_TIMEOUT)
{
	int err, fd = at_client(variant->format, variant->type, &self->a, &err);
	int id = only_id();
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (at_drop_privileges())
			_exit(1);
		_exit(at_tool("kill %d 2>&1 | grep -c CAP_NET_ADMIN", id) != 1);
	}
	EXPECT_EQ(0, at_reap(pid));
	/* In another network namespace no association has the id. */
	pid = fork();
	if (!pid) {
		if (at_netns())
			_exit(1);
		_exit(at_tool("kill %d 2>/dev/null", id) != -1);
	}
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	close(fd);
}

TEST_F_TIMEOUT(kill, options_that_choose, AT_TIMEOUT)
{
	int err, fd = at_client(variant->format, variant->type, &self->a, &err);
	int cfd = accept(self->lfd, NULL, NULL);

	EXPECT_EQ(3, send(fd, "xyz", 3, 0));
	EXPECT_EQ(0, at_tool("kill -n --pid=%d", getpid() + 1));
	/* The listener matches too. */
	EXPECT_EQ(2, at_tool("kill -n --pid=%d", getpid()));
	EXPECT_EQ(0, at_tool("kill -n --uid=77"));
	EXPECT_EQ(2, at_tool("kill -n --uid=root"));
	EXPECT_EQ(0, at_tool("kill -n --older=1h"));
	EXPECT_EQ(1, at_tool("kill -n --older=1ms"));
	EXPECT_EQ(1, at_tool("kill -n --queue=2"));
	EXPECT_EQ(0, at_tool("kill -n --queue=3"));
	EXPECT_EQ(0, at_tool("kill -n -t dgram"));
	EXPECT_EQ(1, at_tool("kill -n --state=established"));
	EXPECT_EQ(1, at_tool("kill -n --state=listening"));
	EXPECT_EQ(0, at_tool("kill -n --id=4000000000"));
	EXPECT_EQ(1, at_tool("kill -n --id=%d", only_id()));
	/* The tool fails if no association has the id. */
	EXPECT_EQ(-1, at_tool("kill 4000000000 2>/dev/null"));
	EXPECT_EQ(2, at_tool("kill --all"));
	expect_reset(fd);
	close(cfd);
	close(fd);
}

/*
 * The client threads share this. @connected counts the connections that they
 * made, and @ended the connections and attempts of theirs that were killed.
 */
struct storm {
	struct at_addr a;
	enum at_format format;
	int type;
	atomic_bool stop;
	atomic_int connected, ended;
};

static void *storm_client(void *arg)
{
	struct storm *s = arg;
	int fd, err;
	char c;

	while (!s->stop) {
		fd = at_client(s->format, s->type, &s->a, &err);
		s->connected += !err;
		s->ended += err == ECONNABORTED;
		if (!err && recv(fd, &c, 1, 0) < 0)
			s->ended += errno == ECONNRESET;
		close(fd);
	}
	return NULL;
}

static void *storm_server(void *arg)
{
	int fd, lfd = *(int *)arg, i;

	for (i = 0; (fd = accept(lfd, NULL, NULL)) >= 0; i++) {
		if (i % 4 == 0)
			at_poll(fd, POLLIN);
		close(fd);
	}
	return NULL;
}

/*
 * Associations can be killed while clients connect and a server accepts. No
 * thread is left blocked afterwards.
 */
TEST_F_TIMEOUT(kill, beside_connect_and_accept, AT_TIMEOUT_LONG)
{
	struct storm s = {
		.a = self->a, .format = variant->format, .type = variant->type,
	};
	pthread_t clients[4], server;
	int i;

	ASSERT_EQ(0, pthread_create(&server, NULL, storm_server, &self->lfd));
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&clients[i], NULL, storm_client,
					    &s));
	for (i = 0; i < 20 || s.ended < 20; i++)
		EXPECT_LE(0, KILL("-c"));
	s.stop = true;
	/* End the connections that clients may still wait for. */
	for (i = 0; i < 4; i++) {
		EXPECT_LE(0, KILL("-c"));
	}
	EXPECT_LT(0, s.connected);
	EXPECT_LE(0, KILL("-l"));
	pthread_join(server, NULL);
	for (i = 0; i < 4; i++)
		pthread_join(clients[i], NULL);
	EXPECT_EQ(0, at_tool("kill -n --all"));
}

static atomic_int tid;

static void *recv_thread(void *arg)
{
	char c;

	tid = gettid();
	return (void *)(long)at_err(recv(*(int *)arg, &c, 1, 0));
}

TEST(datagram_and_pair)
{
	struct at_addr a;
	pthread_t thread;
	int rx, tx, sv[2];
	void *err;
	char c;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	rx = at_bound(&a, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	tx = at_socket(AT_NATIVE, SOCK_DGRAM);
	ASSERT_EQ(0, at_err(at_connect(tx, &a)));
	ASSERT_EQ(0, at_socketpair(AT_UNIX, SOCK_STREAM, sv));
	ASSERT_EQ(0, pthread_create(&thread, NULL, recv_thread, &tx));
	EXPECT_TRUE(at_until(tid && at_sleeps(tid)));
	/*
	 * The receiver is not connected, so only the other datagram socket and
	 * the pair are killed.
	 */
	EXPECT_EQ(2, at_tool("kill --all"));
	ASSERT_EQ(0, pthread_join(thread, &err));
	EXPECT_EQ(ECONNRESET, (long)err);
	EXPECT_EQ(EDESTADDRREQ, at_err(send(tx, "x", 1, 0)));
	EXPECT_EQ(0, at_err(sendto(tx, "y", 1, 0, &a.sa, a.len)));
	EXPECT_EQ(1, recv(rx, &c, 1, 0));
	EXPECT_EQ(ECONNRESET, at_err(recv(sv[0], &c, 1, 0)));
	EXPECT_EQ(ECONNRESET, at_err(recv(sv[1], &c, 1, 0)));
	close(rx);
	close(tx);
	close(sv[0]);
	close(sv[1]);
}

TEST_HARNESS_MAIN
