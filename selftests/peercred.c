// SPDX-License-Identifier: GPL-2.0
/*
 * Test SO_PEERCRED: the client sees the process that called listen(), and the
 * server sees the process that called connect(). It does not matter which
 * process accepts, or holds the descriptors later.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <grp.h>
#include <sys/stat.h>

FIXTURE(cred) {
	struct at_addr a;
	int lfd;
	int up[2];	/* from the child to the test */
	int down[2];	/* from the test to the child */
};

FIXTURE_VARIANT(cred) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(cred, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(cred, native_seqpacket) {
	.format = AT_NATIVE, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(cred, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(cred, unix_stream) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(cred, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_PATH, .type = SOCK_STREAM,
};

FIXTURE_SETUP(cred)
{
	ASSERT_EQ(0, pipe(self->up));
	ASSERT_EQ(0, pipe(self->down));
	umask(0);
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 4);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(cred)
{
	at_cleanup();
}

static int get_peercred(int fd, struct ucred *cred)
{
	socklen_t len = sizeof(*cred);

	memset(cred, 0xee, sizeof(*cred));
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len);
}

TEST_F_TIMEOUT(cred, server_sees_the_client, AT_TIMEOUT)
{
	struct ucred cred;
	pid_t pid = at_fork();
	int fd, err;

	if (!pid) {
		if (at_drop_privileges())
			_exit(100);
		at_client(variant->format, variant->type, &self->a, &err);
		at_send_step(self->up[1]);
		at_wait_step(self->down[0]);
		_exit(err);
	}
	ASSERT_EQ(0, at_wait_step(self->up[0]));
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, get_peercred(fd, &cred));
	EXPECT_EQ(pid, cred.pid);
	EXPECT_EQ(65534, cred.uid);
	EXPECT_EQ(65534, cred.gid);
	at_send_step(self->down[1]);
	EXPECT_EQ(0, at_reap(pid));
}

TEST_F_TIMEOUT(cred, client_sees_the_listener, AT_TIMEOUT)
{
	pid_t parent = getpid(), pid;
	struct ucred cred;
	int fd, err;

	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges())
			_exit(100);
		fd = at_client(variant->format, variant->type, &self->a, &err);
		if (err || get_peercred(fd, &cred))
			_exit(101);
		_exit(!(cred.pid == parent && !cred.uid && !cred.gid));
	}
	EXPECT_EQ(0, at_reap(pid));
}

/*
 * The client sees the process that called listen() last, not the one that
 * called socket(), bind() or accept().
 */
TEST_F_TIMEOUT(cred, client_sees_the_last_listen, AT_TIMEOUT)
{
	struct ucred cred;
	pid_t pid;
	int fd, err, sfd;

	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges() || listen(self->lfd, 4))
			_exit(100);
		at_send_step(self->up[1]);
		at_wait_step(self->down[0]);
		_exit(0);
	}
	ASSERT_EQ(0, at_wait_step(self->up[0]));
	fd = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_EQ(0, err);
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	ASSERT_EQ(0, get_peercred(fd, &cred));
	EXPECT_EQ(pid, cred.pid);
	EXPECT_EQ(65534, cred.uid);
	ASSERT_EQ(0, get_peercred(sfd, &cred));
	EXPECT_EQ(getpid(), cred.pid);
	EXPECT_EQ(0, cred.uid);
	at_send_step(self->down[1]);
	EXPECT_EQ(0, at_reap(pid));
}

/* The server sees the process that called connect(), even after its exit. */
TEST_F_TIMEOUT(cred, lasts_after_the_client_exits, AT_TIMEOUT)
{
	struct ucred cred;
	pid_t pid = at_fork();
	int fd, err;

	if (!pid) {
		at_client(variant->format, variant->type, &self->a, &err);
		_exit(err);
	}
	EXPECT_EQ(0, at_reap(pid));
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, get_peercred(fd, &cred));
	EXPECT_EQ(pid, cred.pid);
	EXPECT_EQ(0, cred.uid);
}

TEST_F_TIMEOUT(cred, none_before_connect, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	struct ucred cred;

	ASSERT_EQ(0, get_peercred(fd, &cred));
	EXPECT_EQ(0, cred.pid);
	EXPECT_EQ(-1, (int)cred.uid);
	EXPECT_EQ(-1, (int)cred.gid);
}

/*
 * An attempt that waits has the credentials of the process that called
 * connect(), not of the process that calls accept().
 */
TEST_F_TIMEOUT(cred, E_INPROGRESS_keeps_the_client, AT_TIMEOUT)
{
	struct ucred cred;
	int full[5], fd, i;
	pid_t pid;

	if (variant->format == AT_ORACLE)
		SKIP(return, "AF_UNIX has no pending connect");
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &self->a, full,
			     5));
	pid = at_fork();
	if (!pid) {
		if (at_drop_privileges())
			_exit(100);
		at_client(variant->format, variant->type | SOCK_NONBLOCK,
			  &self->a, &i);
		at_send_step(self->up[1]);
		at_wait_step(self->down[0]);
		_exit(i);
	}
	ASSERT_EQ(0, at_wait_step(self->up[0]));
	for (i = 0; i < 5; i++)
		ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, get_peercred(fd, &cred));
	EXPECT_EQ(pid, cred.pid);
	EXPECT_EQ(65534, cred.uid);
	at_send_step(self->down[1]);
	EXPECT_EQ(EINPROGRESS, at_reap(pid));
}

/* SO_PEERGROUPS returns the groups that the client had at its connect(). */
TEST_F_TIMEOUT(cred, SO_PEERGROUPS_of_the_client, AT_TIMEOUT)
{
	gid_t groups[] = { 1234, 2345, 3456 }, got[8];
	socklen_t len = sizeof(got);
	pid_t pid = at_fork();
	int fd, err;

	if (!pid) {
		if (setgroups(3, groups))
			_exit(1);
		fd = at_client(variant->format, variant->type, &self->a, &err);
		at_send_step(self->up[1]);
		_exit(fd < 0 || err || at_wait_step(self->down[0]));
	}
	ASSERT_EQ(0, at_wait_step(self->up[0]));
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, got, &len));
	EXPECT_EQ(sizeof(groups), len);
	EXPECT_EQ(0, memcmp(groups, got, sizeof(groups)));
	len = sizeof(gid_t);
	EXPECT_EQ(ERANGE, at_err(getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, got,
					    &len)));
	at_send_step(self->down[1]);
	EXPECT_EQ(0, at_reap(pid));
}

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/*
 * SO_PEERPIDFD returns a pidfd of the client, if the kernel has the option. The
 * pidfd becomes readable when the client exits.
 */
TEST_F_TIMEOUT(cred, SO_PEERPIDFD_of_the_client, AT_TIMEOUT)
{
	socklen_t len = sizeof(int);
	int fd, err, pidfd = -1;
	pid_t pid = at_fork();

	if (!pid) {
		fd = at_client(variant->format, variant->type, &self->a, &err);
		at_send_step(self->up[1]);
		_exit(fd < 0 || err || at_wait_step(self->down[0]));
	}
	ASSERT_EQ(0, at_wait_step(self->up[0]));
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	err = at_err(getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len));
	if (!err)
		EXPECT_EQ(0, at_poll_now(pidfd, POLLIN));
	at_send_step(self->down[1]);
	EXPECT_EQ(0, at_reap(pid));
	if (err == ENOPROTOOPT)
		SKIP(return, "no SO_PEERPIDFD in this kernel");
	EXPECT_EQ(0, err);
	/* Newer kernels report POLLHUP too, since the child has been reaped. */
	EXPECT_TRUE(at_poll(pidfd, POLLIN) & POLLIN);
}

TEST_HARNESS_MAIN
