// SPDX-License-Identifier: GPL-2.0
/*
 * net.altconn.max_associations limits the associations of each user. A user
 * that reaches the limit stops itself and no other user. Subordinate uids and
 * namespaces do not raise a user's limit. An association counts until it is
 * freed, even if its client has closed.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#define LIMIT	20
#define NOBODY	65534
#define OTHER	65533

/*
 * account_one() makes an association by a connected stream socket, a connected
 * datagram socket or a socketpair.
 */
enum account_how { BY_STREAM, BY_DGRAM, BY_PAIR };

/*
 * Return 0 if connect() has returned @want because the user has reached its
 * limit, else a number over 200.
 */
static int account_reason(int fd, int err, int want)
{
	struct altconn_connect_info info;

	if (err != want)
		return 201;
	if (at_info(fd, &info) || info.aci_reason != ALTCONN_REASON_TABLE_FULL)
		return 202;
	return 0;
}

/*
 * Make one association. A stream client closes at once. A datagram socket and a
 * pair stay open. Return 0; 1 if the user has reached its limit; or more than
 * 200 if a call fails in another way. @full is the errno of connect() at the
 * limit: EAGAIN for the limit of the client's namespace, and ECONNREFUSED for
 * the limit of another namespace, which the listener is in. socketpair() fails
 * with ENFILE at the limit.
 */
static int account_one(enum account_how how, const struct at_addr *a, int full)
{
	int fd, sv[2], err, type = how == BY_DGRAM ? SOCK_DGRAM : SOCK_STREAM;

	if (how == BY_PAIR) {
		err = at_err(at_socketpair(AT_NATIVE, SOCK_STREAM, sv));
		return !err ? 0 : err == ENFILE ? 1 : 206;
	}
	fd = at_socket(AT_NATIVE, type);
	if (fd < 0)
		return 207;
	err = at_err(at_connect(fd, a));
	if (err)
		return account_reason(fd, err, full) ? : 1;
	if (how == BY_STREAM)
		close(fd);
	return 0;
}

/*
 * Make associations until the user has reached its limit, but at most @most.
 * Return how many were made, or more than 200 if a call fails in another way.
 */
static int account_fill(enum account_how how, const struct at_addr *a, int most,
			int full)
{
	int n, ret;

	for (n = 0; n < most; n++) {
		ret = account_one(how, a, full);
		if (ret > 1)
			return ret;
		if (ret)
			break;
	}
	return n;
}

static int account_become(int uid)
{
	return setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	       setresuid(uid, uid, uid) ? -1 : 0;
}

/*
 * Run account_fill() as @uid in a child, which then exits. Return the result of
 * account_fill().
 */
static int account_by_child(int uid, enum account_how how,
			    const struct at_addr *a, int most, int full)
{
	pid_t pid = at_fork();

	if (!pid) {
		if (account_become(uid))
			_exit(203);
		_exit(account_fill(how, a, most, full));
	}
	return at_reap(pid);
}

static int account_as(int uid, enum account_how how, const struct at_addr *a,
		      int most)
{
	return account_by_child(uid, how, a, most, EAGAIN);
}

FIXTURE(account) {
	struct at_addr a;
	int fd;
};

FIXTURE_SETUP(account)
{
	ASSERT_EQ(0, at_netns());
	ASSERT_EQ(0, at_sysctl_set("altconn/max_associations", LIMIT));
	self->fd = at_listener(&self->a, AT_NATIVE, AT_PORT, SOCK_STREAM, 1000);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(account)
{
	close(self->fd);
	at_cleanup();
}

/*
 * Associations of clients that have closed, but are not accepted, stay charged
 * to the user until they are freed.
 */
TEST_F_TIMEOUT(account, limit_stops_one_user_alone, AT_TIMEOUT)
{
	int fd;

	EXPECT_EQ(LIMIT, account_as(NOBODY, BY_STREAM, &self->a, 100));
	EXPECT_EQ(0, account_as(NOBODY, BY_STREAM, &self->a, 100));
	EXPECT_EQ(0, account_as(NOBODY, BY_DGRAM, &self->a, 1));
	EXPECT_EQ(0, account_as(NOBODY, BY_PAIR, NULL, 1));
	EXPECT_EQ(LIMIT, account_as(OTHER, BY_STREAM, &self->a, 100));
	EXPECT_EQ(5, account_as(0, BY_STREAM, &self->a, 5));
	if (at_has_tool())
		EXPECT_EQ(LIMIT, at_tool("stat -H | sed -n 's/^user %d *//p'",
					 NOBODY));

	/* An association that is closed at both ends is no longer charged. */
	fd = accept(self->fd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, account_as(NOBODY, BY_STREAM, &self->a, 100));
	close(fd);
	EXPECT_EQ(1, account_as(NOBODY, BY_STREAM, &self->a, 100));
	/* When the listener closes, its associations are no longer charged. */
	close(self->fd);
	self->fd = at_socket(AT_NATIVE, SOCK_STREAM);
	ASSERT_EQ(0, at_bind(self->fd, &self->a));
	ASSERT_EQ(0, listen(self->fd, 1000));
	EXPECT_EQ(LIMIT, account_as(NOBODY, BY_STREAM, &self->a, 100));
}

/*
 * Fork a child that opens LIMIT datagram sockets as an unprivileged user,
 * writes a byte to @ready, and keeps the sockets open until @go has a byte.
 */
static pid_t account_keep(const struct at_addr *a, int ready, int go)
{
	pid_t pid = at_fork();

	if (pid)
		return pid;
	if (account_become(NOBODY) ||
	    account_fill(BY_DGRAM, a, 100, EAGAIN) != LIMIT)
		_exit(1);
	at_send_step(ready);
	_exit(at_wait_step(go));
}

TEST_F_TIMEOUT(account, datagram_sockets_and_pairs, AT_TIMEOUT)
{
	int ready[2], go[2];
	struct at_addr a;
	pid_t pid;

	at_addr(&a, AT_NATIVE, AT_PORT);
	EXPECT_EQ(LIMIT, account_as(NOBODY, BY_DGRAM, &a, 100));
	EXPECT_EQ(LIMIT, account_as(NOBODY, BY_PAIR, NULL, 100));
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pipe(go));
	pid = account_keep(&a, ready[1], go[0]);
	close(ready[1]);
	EXPECT_EQ(0, at_wait_step(ready[0]));
	EXPECT_EQ(0, account_as(NOBODY, BY_DGRAM, &a, 1));
	EXPECT_EQ(0, account_as(NOBODY, BY_PAIR, NULL, 1));
	EXPECT_EQ(3, account_as(OTHER, BY_DGRAM, &a, 3));
	EXPECT_EQ(3, account_as(OTHER, BY_PAIR, NULL, 3));
	at_send_step(go[1]);
	EXPECT_EQ(0, at_reap(pid));
}

/*
 * Make and close pairs of sockets on a CPU, with at most 8 pairs open. Fork a
 * child that does so as @uid. It exits with 0, or with 1 if a call fails.
 */
static pid_t account_churn(int uid, int cpu, int rounds)
{
	enum { OPEN = 8 };
	int sv[OPEN][2], i, n;
	pid_t pid = at_fork();

	if (pid)
		return pid;
	if (account_become(uid) || at_pin(cpu))
		_exit(2);
	for (i = 0; i < rounds; i++) {
		for (n = 0; n < OPEN; n++)
			if (at_socketpair(AT_NATIVE, SOCK_STREAM, sv[n]))
				_exit(1);
		for (n = 0; n < OPEN; n++)
			at_close(sv[n], 2);
	}
	_exit(0);
}

/*
 * Users that stay below the limit are never refused, although each CPU keeps
 * charges in reserve, for one user at a time.
 */
TEST_F_TIMEOUT(account, users_below_the_limit_are_not_refused, AT_TIMEOUT)
{
	const int uids[] = { NOBODY, OTHER, NOBODY, OTHER };
	const int rounds = at_scale(4000, 200);
	pid_t pids[4];
	int i;

	/* Two children of a user have 16 pairs open. */
	for (i = 0; i < 4; i++)
		pids[i] = account_churn(uids[i], i / 2, rounds);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, at_reap(pids[i]));
}

/*
 * Make associations as each of the uids from 0 to @uids - 1, one uid after the
 * other. Return the number of associations that were made, or more than 200 if
 * a call fails for another reason than the limit.
 */
static int account_uids(const struct at_addr *a, int uids, int full)
{
	int i, n = 0, ret;

	for (i = 0; i < uids; i++) {
		ret = account_by_child(i, BY_STREAM, a, 100, full);
		if (ret > 200)
			return ret;
		n += ret;
	}
	return n;
}

/*
 * Fork a child that creates a user namespace as an unprivileged user, and waits
 * until root has mapped subordinate uids into the namespace, as newuidmap does.
 * The child's exit status is the number of associations that five of these uids
 * make.
 */
static pid_t account_userns(const struct at_addr *a, int go[2], int flags)
{
	pid_t pid = at_fork();

	if (pid)
		return pid;
	/* The caller of unshare() owns the new user namespace. */
	if (setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY) || unshare(flags))
		_exit(204);
	at_send_step(go[1]);
	if (at_wait_step(go[0]) || setgid(0) || setuid(0))
		_exit(205);
	_exit(account_uids(a, 5, flags & CLONE_NEWNET ? ECONNREFUSED :
							EAGAIN));
}

static int account_nested(const struct at_addr *a, int flags)
{
	int go[2], ready[2], mine[2], theirs[2];
	pid_t pid;

	if (pipe(go) || pipe(ready))
		return -1;
	theirs[0] = go[0];
	theirs[1] = ready[1];
	mine[0] = ready[0];
	mine[1] = go[1];
	pid = account_userns(a, theirs, flags);
	if (at_wait_step(mine[0]) ||
	    at_proc_write(pid, "uid_map", "0 100000 10\n") ||
	    at_proc_write(pid, "gid_map", "0 100000 10\n"))
		return -2;
	at_send_step(mine[1]);
	return at_reap(pid);
}

TEST_F_TIMEOUT(account, subordinate_uids_do_not_multiply_the_limit, AT_TIMEOUT)
{
	EXPECT_EQ(LIMIT, account_nested(&self->a, CLONE_NEWUSER));
	EXPECT_EQ(0, account_as(NOBODY, BY_STREAM, &self->a, 100));
	EXPECT_EQ(0, account_nested(&self->a, CLONE_NEWUSER));
	EXPECT_EQ(LIMIT, account_as(OTHER, BY_STREAM, &self->a, 100));
}

/*
 * Associations that come in over a path from a user's own namespaces count in
 * the listener's namespace too, so a second namespace of the user gets no more
 * of them.
 */
TEST_F_TIMEOUT(account, inbound_from_namespaces_of_the_user, AT_TIMEOUT)
{
	struct at_addr a;
	int fd;

	fd = at_listener(&a, AT_NATIVE, AT_PATH, SOCK_STREAM, 1000);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, chmod(at_path_of(&a), 0777));
	EXPECT_EQ(LIMIT, account_nested(&a, CLONE_NEWUSER | CLONE_NEWNET));
	EXPECT_EQ(0, account_nested(&a, CLONE_NEWUSER | CLONE_NEWNET));
	/* Associations that begin here have an account of their own. */
	EXPECT_EQ(LIMIT, account_as(NOBODY, BY_STREAM, &a, 100));
	EXPECT_EQ(LIMIT, account_as(OTHER, BY_STREAM, &a, 100));
	close(fd);
}

TEST_HARNESS_MAIN
