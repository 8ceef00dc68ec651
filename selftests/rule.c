// SPDX-License-Identifier: GPL-2.0
/*
 * These tests show what each verdict of a rule does to an attempt and to a
 * datagram, what each match of a rule matches, and which rule decides. Each
 * test has a network namespace of its own.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <linux/altconn_netlink.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The tool changes the rules. On the debug kernel, which is slow, at_rule()
 * sends the same request without a process.
 */
#define rule(fmt, ...)	(at_debug() ? at_rule(fmt, ##__VA_ARGS__) :	\
				      at_tool("rule " fmt, ##__VA_ARGS__))

FIXTURE(rule) {
	struct at_addr a;
	int lfd;
};

FIXTURE_VARIANT(rule) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(rule, port_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(rule, name_seqpacket) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};

FIXTURE_VARIANT_ADD(rule, path_stream) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(rule, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(rule, inet6_seqpacket) {
	.format = AT_IN6, .kind = AT_INET, .type = SOCK_SEQPACKET,
};

FIXTURE_SETUP(rule)
{
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 5);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(rule)
{
	close(self->lfd);
	at_cleanup();
}

/* Connect a blocking client, and expect @err as the errno. */
#define connects(err) ({						\
	int __err, __fd = at_client(variant->format, variant->type,	\
				    &self->a, &__err);			\
									\
	EXPECT_LE(0, __fd);						\
	EXPECT_EQ(err, __err);						\
	close(__fd);							\
})

#define ADD(fmt, ...) ({						\
	int __id = rule("add to %s " fmt,				\
			at_text(&self->a, variant->kind), ##__VA_ARGS__); \
									\
	ASSERT_LT(0, __id);						\
	__id;								\
})

/*
 * Begin a non-blocking attempt with a deadline of @timeout_ms, or without one
 * if that is 0. Return the socket or -1, and set @err to connect()'s errno.
 */
static int begin_attempt(enum at_format format, int type,
			 const struct at_addr *a, uint64_t timeout_ms, int *err)
{
	int fd = at_socket(format, type);

	if (fd < 0 || at_nonblock(fd, true) || at_set_timeout(fd, timeout_ms))
		return -1;
	*err = at_err(at_connect(fd, a));
	return fd;
}

#define BEGIN(timeout_ms) ({						\
	int __err, __fd = begin_attempt(variant->format, variant->type,	\
					&self->a, timeout_ms, &__err);	\
									\
	ASSERT_LE(0, __fd);						\
	EXPECT_EQ(EINPROGRESS, __err);					\
	__fd;								\
})

/*
 * Each verdict that decides at once gives its errno. Clause E-PERM-RULE: a rule
 * that denies gives EPERM or EACCES.
 */
TEST_F_TIMEOUT(rule, E_PERM_RULE, AT_TIMEOUT)
{
	static const struct {
		const char *verdict;
		int err;
	} rows[] = {
		{ .verdict = "deny", .err = EPERM },
		{ .verdict = "deny EPERM", .err = EPERM },
		{ .verdict = "deny EACCES", .err = EACCES },
		{ .verdict = "refuse", .err = ECONNREFUSED },
		{ .verdict = "unreachable", .err = EHOSTUNREACH },
		{ .verdict = "unreachable host", .err = EHOSTUNREACH },
		{ .verdict = "unreachable net", .err = ENETUNREACH },
	};
	int i, id, fd, err;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		id = ADD("%s", rows[i].verdict);
		fd = at_client(variant->format, variant->type, &self->a, &err);
		EXPECT_EQ(rows[i].err, err) {
			TH_LOG("%s", rows[i].verdict);
		}
		EXPECT_EQ(rows[i].err, at_info_of(fd).aci_errno);
		EXPECT_EQ(ALTCONN_REASON_RULE, at_reason(fd));
		EXPECT_EQ(id, at_info_of(fd).aci_rule);
		/* The error is reported once. The socket can try again. */
		EXPECT_EQ(0, at_so_error(fd));
		EXPECT_EQ(0, rule("del %d", id));
		EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
		EXPECT_EQ(0, at_info_of(fd).aci_rule);
		close(fd);
		close(accept(self->lfd, NULL, NULL));
	}
}

/* Rules decide before connect() finds out whether there is a listener. */
TEST_F_TIMEOUT(rule, before_the_listener, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);

	ADD("deny");
	close(self->lfd);
	self->lfd = -1;
	EXPECT_EQ(EPERM, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(0, rule("flush"));
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(fd, &self->a)));
	close(fd);
}

TEST_F_TIMEOUT(rule, drop_waits_until_the_deadline, AT_TIMEOUT)
{
	int id = ADD("drop"), fd = BEGIN(300);

	EXPECT_EQ(0, at_poll_now(fd, POLLOUT));
	EXPECT_EQ(EINPROGRESS, at_info_of(fd).aci_errno);
	EXPECT_EQ(id, at_info_of(fd).aci_rule);
	EXPECT_EQ(0, at_position(fd));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP,
		  at_poll(fd, POLLOUT) & (POLLOUT | POLLERR | POLLHUP));
	EXPECT_EQ(ETIMEDOUT, at_so_error(fd));
	EXPECT_EQ(ALTCONN_REASON_DEADLINE, at_reason(fd));
	EXPECT_EQ(id, at_info_of(fd).aci_rule);
	EXPECT_LE(300 * 1000000ULL, at_info_of(fd).aci_waited_ns);
	close(fd);
	/* The listener has got no attempt. */
	EXPECT_EQ(0, at_poll_now(self->lfd, POLLIN));
}

TEST_F_TIMEOUT(rule, dropped_attempt_ends_by_AF_UNSPEC_or_close, AT_TIMEOUT)
{
	struct at_job job;
	int fd;

	ADD("drop");
	ASSERT_EQ(0, at_catch(SIGUSR1, 0));
	fd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_set_timeout(fd, 0));
	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_until(at_job_blocked(&job)));
	at_job_signal(&job, SIGUSR1);
	EXPECT_EQ(EINTR, at_job_end(&job));
	/* The attempt goes on until connect() to AF_UNSPEC cancels it. */
	EXPECT_EQ(0, at_nonblock(fd, true));
	EXPECT_EQ(EALREADY, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(0, at_err(at_connect_unspec(fd)));
	EXPECT_EQ(0, rule("flush"));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	close(fd);
	/* close() ends a dropped attempt too. */
	ADD("drop");
	fd = BEGIN(0);
	close(fd);
}

TEST_F_TIMEOUT(rule, delayed_attempt_is_established, AT_TIMEOUT)
{
	int id = ADD("delay 150ms jitter 20ms"), fd = BEGIN(0), err;

	EXPECT_EQ(0, at_poll_now(fd, POLLOUT));
	EXPECT_EQ(POLLOUT, at_poll(fd, POLLOUT));
	EXPECT_EQ(0, at_so_error(fd));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	EXPECT_LE(150 * 1000000ULL, at_info_of(fd).aci_waited_ns);
	EXPECT_EQ(ALTCONN_REASON_ESTABLISHED, at_reason(fd));
	EXPECT_EQ(id, at_info_of(fd).aci_rule);
	close(fd);
	/* A blocking attempt is delayed in the same way. */
	fd = at_client(variant->format, variant->type, &self->a, &err);
	EXPECT_EQ(0, err);
	EXPECT_LE(150 * 1000000ULL, at_info_of(fd).aci_waited_ns);
	close(fd);
}

/*
 * Jitter is random: with a second of jitter, the waits of six attempts differ
 * by more than 50 ms. A slow machine only makes the difference larger.
 */
TEST_F_TIMEOUT(rule, jitter_is_random, AT_TIMEOUT)
{
	uint64_t waited, least = UINT64_MAX, most = 0;
	int fd[6], i;

	ADD("delay 1ms jitter 1s");
	for (i = 0; i < 6; i++)
		fd[i] = BEGIN(0);
	for (i = 0; i < 6; i++) {
		EXPECT_EQ(POLLOUT, at_poll(fd[i], POLLOUT));
		waited = at_info_of(fd[i]).aci_waited_ns;
		EXPECT_LE(1000000, waited);
		least = waited < least ? waited : least;
		most = waited > most ? waited : most;
		close(fd[i]);
	}
	EXPECT_LT(50000000, most - least);
}

/*
 * After a delay both ends report the address that the server has bound, however
 * the client wrote the address.
 */
TEST_F_TIMEOUT(rule, delayed_to_the_same_address, AT_TIMEOUT)
{
	struct at_addr peer, own;
	int fd, cfd;

	ADD("delay 20");
	fd = BEGIN(0);
	EXPECT_EQ(POLLOUT, at_poll(fd, POLLOUT));
	cfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, cfd);
	EXPECT_EQ(0, at_getsockname(cfd, &own));
	EXPECT_EQ(0, at_getpeername(fd, &peer));
	EXPECT_TRUE(at_addr_eq(&own, &self->a));
	EXPECT_TRUE(at_addr_eq(&peer, &self->a));
	close(cfd);
	close(fd);
}

/*
 * Mount a file system at the new folder @path.d, in a new mount namespace. Set
 * @dir to the path of the folder, and @a to the address of a file in it.
 */
static int mount_beside(const char *path, enum at_format format, char dir[200],
			struct at_addr *a)
{
	char file[210];

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	snprintf(dir, 200, "%s.d", path);
	snprintf(file, sizeof(file), "%s.d/s", path);
	at_addr_path(a, format, file);
	return mkdir(dir, 0755) ? : mount("none", dir, "tmpfs", 0, NULL);
}

/*
 * A delayed attempt may hold the last reference to a path. The reference is
 * dropped when the attempt ends, so the file system can be unmounted.
 */
TEST_F_TIMEOUT(rule, attempt_releases_its_path_at_the_end, AT_TIMEOUT)
{
	int lfd, fd, i, err;
	struct at_addr a;
	char dir[200];

	if (variant->kind != AT_PATH)
		SKIP(return, "paths only");
	ASSERT_EQ(0, mount_beside(at_path_of(&self->a), variant->format, dir,
				  &a));
	ASSERT_LT(0, rule("add to %s delay 1000s", at_text(&a, AT_PATH)));
	/* close() ends the first attempt, connect() to AF_UNSPEC the other. */
	for (i = 0; i < 2; i++) {
		if (i)
			ASSERT_EQ(0, mount("none", dir, "tmpfs", 0, NULL));
		lfd = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_bind(lfd, &a));
		ASSERT_EQ(0, listen(lfd, 1));
		fd = begin_attempt(variant->format, variant->type, &a, 0, &err);
		EXPECT_EQ(EINPROGRESS, err);
		close(lfd);
		EXPECT_EQ(EBUSY, at_err(umount(dir)));
		if (i) {
			EXPECT_EQ(0, at_err(at_connect_unspec(fd)));
			EXPECT_TRUE(at_until(!umount(dir)));
		}
		close(fd);
		if (!i)
			EXPECT_TRUE(at_until(!umount(dir)));
	}
	rmdir(dir);
}

/*
 * An attempt that runs into its deadline while a rule delays it releases its
 * path, so the file system can be unmounted.
 */
TEST_F_TIMEOUT(rule, attempt_releases_its_path_at_the_deadline, AT_TIMEOUT)
{
	struct at_addr a;
	char dir[200];
	int lfd, fd, err;

	if (variant->kind != AT_PATH)
		SKIP(return, "paths only");
	ASSERT_EQ(0, mount_beside(at_path_of(&self->a), variant->format, dir,
				  &a));
	ASSERT_LT(0, rule("add to %s delay 1000s", at_text(&a, AT_PATH)));
	lfd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_bind(lfd, &a));
	ASSERT_EQ(0, listen(lfd, 1));
	fd = begin_attempt(variant->format, variant->type, &a, 50, &err);
	EXPECT_EQ(EINPROGRESS, err);
	close(lfd);
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, at_poll(fd, POLLOUT));
	EXPECT_EQ(ETIMEDOUT, at_so_error(fd));
	EXPECT_TRUE(at_until(!umount(dir)));
	rmdir(dir);
	close(fd);
}

/* A delayed attempt is refused if there is no listener when the delay ends. */
TEST_F_TIMEOUT(rule, delay_then_no_listener, AT_TIMEOUT)
{
	int fd;

	ADD("delay 300");
	fd = BEGIN(0);
	close(self->lfd);
	self->lfd = -1;
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, at_poll(fd, POLLOUT));
	EXPECT_EQ(ECONNREFUSED, at_so_error(fd));
	close(fd);
}

TEST_F_TIMEOUT(rule, delay_then_a_full_backlog, AT_TIMEOUT)
{
	int delayed, fds[6], i, cfd;

	ADD("delay 200 times 1");
	delayed = BEGIN(0);
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &self->a, fds, 6));
	EXPECT_TRUE(at_until(at_position(delayed) == 1));
	EXPECT_EQ(0, at_poll_now(delayed, POLLOUT));
	for (i = 0; i < 6; i++) {
		cfd = accept(self->lfd, NULL, NULL);
		EXPECT_LE(0, cfd);
		close(cfd);
	}
	EXPECT_EQ(POLLOUT, at_poll(delayed, POLLOUT));
	EXPECT_EQ(0, at_so_error(delayed));
	at_close(fds, 6);
	close(delayed);
}

TEST_F_TIMEOUT(rule, delay_beyond_the_deadline, AT_TIMEOUT)
{
	int fd;

	ADD("delay 20s");
	fd = BEGIN(300);
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, at_poll(fd, POLLOUT));
	EXPECT_EQ(ETIMEDOUT, at_so_error(fd));
	close(fd);
}

/* An attempt stays delayed or dropped when the rule is deleted. */
TEST_F_TIMEOUT(rule, rule_is_deleted_meanwhile, AT_TIMEOUT)
{
	int delayed, dropped;

	ADD("delay 200");
	delayed = BEGIN(0);
	EXPECT_EQ(0, rule("flush"));
	ADD("drop");
	dropped = BEGIN(300);
	EXPECT_EQ(0, rule("flush"));
	connects(0);
	EXPECT_EQ(POLLOUT, at_poll(delayed, POLLOUT));
	EXPECT_EQ(0, at_so_error(delayed));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, at_poll(dropped, POLLOUT));
	EXPECT_EQ(ETIMEDOUT, at_so_error(dropped));
	close(delayed);
	close(dropped);
}

TEST_F_TIMEOUT(rule, delay_then_wait_for_a_listener, AT_TIMEOUT)
{
	int fd;

	if (variant->kind == AT_PATH)
		SKIP(return, "no attempt waits for a listener at a path");
	ADD("delay 50");
	close(self->lfd);
	self->lfd = -1;
	fd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_set_option(fd, ALTCONN_WAIT_LISTENER, 1));
	ASSERT_EQ(0, at_nonblock(fd, true));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
	/* The delay is over, and the attempt waits for a listener. */
	EXPECT_TRUE(at_until(at_position(fd) == 1));
	self->lfd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_bind(self->lfd, &self->a));
	ASSERT_EQ(0, listen(self->lfd, 1));
	EXPECT_EQ(POLLOUT, at_poll(fd, POLLOUT));
	EXPECT_EQ(0, at_so_error(fd));
	close(fd);
}

TEST_F_TIMEOUT(rule, times_limits_the_hits, AT_TIMEOUT)
{
	ADD("refuse times 2");
	connects(ECONNREFUSED);
	connects(ECONNREFUSED);
	connects(0);
	EXPECT_EQ(0, rule("zero"));
	connects(ECONNREFUSED);
}

TEST_F_TIMEOUT(rule, every_third_attempt_is_refused, AT_TIMEOUT)
{
	ADD("refuse every 3");
	connects(0);
	connects(0);
	connects(ECONNREFUSED);
	connects(0);
	connects(0);
	connects(ECONNREFUSED);
}

TEST_F_TIMEOUT(rule, probability, AT_TIMEOUT)
{
	int refused = 0, i, fd, err;

	ADD("refuse probability 0");
	connects(0);
	EXPECT_EQ(0, rule("flush"));
	ADD("refuse probability 100%%");
	connects(ECONNREFUSED);
	EXPECT_EQ(0, rule("flush"));
	ADD("refuse probability 50%%");
	for (i = 0; i < 200; i++) {
		fd = at_client(variant->format, variant->type, &self->a, &err);
		refused += err == ECONNREFUSED;
		close(fd);
		if (!err)
			close(accept(self->lfd, NULL, NULL));
	}
	/* Both limits are ten standard deviations from the mean. */
	EXPECT_LT(30, refused);
	EXPECT_GT(170, refused);
}

TEST_F_TIMEOUT(rule, first_match_by_priority, AT_TIMEOUT)
{
	ADD("deny");
	ADD("refuse");
	connects(EPERM);
	ADD("refuse priority 10");
	connects(ECONNREFUSED);
	ADD("allow priority 5 times 1");
	connects(0);
	/* A rule that has used up its times lets the next rule decide. */
	connects(ECONNREFUSED);
}

TEST_F_TIMEOUT(rule, type_matches_the_socket_type, AT_TIMEOUT)
{
	const char *own = at_type_name(variant->type);

	ADD("type %s deny", variant->type == SOCK_STREAM ? "seqpacket" :
							   "stream");
	ADD("type dgram deny");
	connects(0);
	ADD("type %s deny", own);
	connects(EPERM);
}

TEST_F_TIMEOUT(rule, uid_and_gid, AT_TIMEOUT)
{
	int err, fd;
	pid_t pid;

	ADD("uid 65534 deny");
	ADD("gid 65533 refuse");
	connects(0);
	if (variant->kind == AT_PATH)
		ASSERT_EQ(0, chmod(at_path_of(&self->a), 0666));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* The effective user ID and group ID count. */
		if (setegid(65533))
			_exit(1);
		fd = at_client(variant->format, variant->type, &self->a, &err);
		close(fd);
		if (err != ECONNREFUSED)
			_exit(2);
		if (seteuid(65534))
			_exit(3);
		fd = at_client(variant->format, variant->type, &self->a, &err);
		close(fd);
		_exit(err == EPERM ? 0 : 4);
	}
	EXPECT_EQ(0, at_reap(pid));
}

/* Rules of another network namespace do not apply in this one. */
TEST_F_TIMEOUT(rule, namespaces, AT_TIMEOUT)
{
	pid_t pid;

	ADD("deny");
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct at_addr a;
		int lfd, fd, err;

		if (at_netns())
			_exit(1);
		lfd = at_listener(&a, AT_NATIVE, AT_PORT, SOCK_STREAM, 1);
		at_addr_port(&a, at_port_of(&a));
		fd = at_client(AT_NATIVE, SOCK_STREAM, &a, &err);
		if (lfd < 0 || fd < 0 || err || rule("add deny") <= 0)
			_exit(2);
		_exit(at_err(at_connect(at_socket(AT_NATIVE, SOCK_STREAM),
					&a)) != EPERM);
	}
	EXPECT_EQ(0, at_reap(pid));
	connects(EPERM);
	/* The other namespace has ended, and its rule with it. */
	EXPECT_EQ(0, rule("flush"));
	connects(0);
}

TEST_F_TIMEOUT(rule, needs_CAP_NET_ADMIN, AT_TIMEOUT)
{
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		if (at_drop_privileges())
			_exit(1);
		_exit(at_tool("rule add deny 2>/dev/null") != -1 ||
		      at_tool("rule flush 2>/dev/null") != -1 ||
		      at_tool("rule zero 2>/dev/null") != -1 ||
		      at_tool("rule list >/dev/null"));
	}
	EXPECT_EQ(0, at_reap(pid));
	connects(0);
}

/*
 * Threads that connect while rules change. @n counts the results: success,
 * EPERM, EINPROGRESS, ETIMEDOUT, and any other errno.
 */
struct storm {
	struct at_addr a;
	enum at_format format;
	int type;
	atomic_bool stop;
	atomic_int n[5];
};

static void *storm_connects(void *arg)
{
	struct storm *s = arg;
	int fd, err, i;

	for (i = 0; !s->stop; i++) {
		fd = begin_attempt(s->format, s->type, &s->a, i % 3 ? 0 : 1,
				   &err);
		if (err == EINPROGRESS && i % 2) {
			if (at_poll(fd, POLLOUT))
				err = at_so_error(fd);
		}
		s->n[err == 0 ? 0 : err == EPERM ? 1 : err == EINPROGRESS ? 2 :
		     err == ETIMEDOUT ? 3 : 4]++;
		close(fd);
	}
	return NULL;
}

static void *storm_accepts(void *arg)
{
	int fd, lfd = *(int *)arg;

	while ((fd = accept(lfd, NULL, NULL)) >= 0)
		close(fd);
	return NULL;
}

/*
 * Rules are added and deleted while attempts begin, are delayed, time out and
 * are closed.
 */
TEST_F_TIMEOUT(rule, rules_change_meanwhile, AT_TIMEOUT_LONG)
{
	struct storm s = {
		.a = self->a, .format = variant->format, .type = variant->type,
	};
	unsigned long rounds = at_scale(100, 30), i;
	const char *to = at_text(&self->a, variant->kind);
	pthread_t clients[3], server;
	int id, id2;

	/* This rule stays, so the namespace always has a table of rules. */
	ASSERT_LT(0, at_rule("add to port:1 deny"));
	ASSERT_EQ(0, pthread_create(&server, NULL, storm_accepts, &self->lfd));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pthread_create(&clients[i], NULL, storm_connects,
					    &s));
	for (i = 0; i < rounds; i++) {
		id = at_rule("add to %s delay 1 jitter 2", to);
		ASSERT_LT(0, id);
		id2 = at_rule("add to %s deny priority 1 every 2", to);
		ASSERT_LT(0, id2);
		EXPECT_EQ(0, at_rule("del %d %d", id, id2));
	}
	/* Wait until each result has been seen. */
	EXPECT_TRUE(at_until(s.n[0]));
	id = at_rule("add to %s deny every 2", to);
	ASSERT_LT(0, id);
	EXPECT_TRUE(at_until(s.n[1]));
	EXPECT_EQ(0, at_rule("del %d", id));
	ASSERT_LT(0, at_rule("add to %s delay 5", to));
	EXPECT_TRUE(at_until(s.n[2] && s.n[3]));
	EXPECT_EQ(0, s.n[4]);
	s.stop = true;
	for (i = 0; i < 3; i++)
		pthread_join(clients[i], NULL);
	shutdown(self->lfd, SHUT_RDWR);
	pthread_join(server, NULL);
}

/* ---- what a rule matches ---- */

FIXTURE(match) {
};

FIXTURE_SETUP(match)
{
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
}

FIXTURE_TEARDOWN(match)
{
	at_cleanup();
}

/*
 * Begin a file of rules that will replace the current rules. The file is in
 * memory and the tool inherits it, because an unprivileged user may have no
 * directory to write to.
 */
static FILE *restore_begin(void)
{
	return fdopen(memfd_create("altconn-rules", 0), "w");
}

static int restore_end(FILE *f)
{
	int ret = -1;

	if (!fflush(f))
		ret = at_tool("rule restore /proc/self/fd/%d", fileno(f));
	fclose(f);
	return ret;
}

/* Group ID that only the rule for row @i of a table matches */
#define ROW_GROUP(i)	(40000 + (i))

static void restore_row(FILE *f, int i, const char *dest)
{
	fprintf(f, "to %s gid %d deny\n", dest, ROW_GROUP(i));
}

/* Return whether a rule denies a connect() to @a with EPERM. */
static bool is_denied(enum at_format format, const struct at_addr *a)
{
	int fd = at_socket(format, SOCK_STREAM);
	int err = at_err(at_connect(fd, a));

	close(fd);
	return err == EPERM;
}

TEST_F_TIMEOUT(match, names, AT_TIMEOUT)
{
	static const struct {
		const char *pattern, *name;
		int len;
		bool matches;
	} rows[] = {
		{ .pattern = "name:*", .name = "db", .len = 2,
		  .matches = true },
		{ .pattern = "port:*", .name = "db", .len = 2 },
		{ .pattern = "path:*", .name = "db", .len = 2 },
		{ .pattern = "inet:*:*", .name = "db", .len = 2 },
		{ .pattern = "name:db", .name = "db", .len = 2,
		  .matches = true },
		{ .pattern = "name:db", .name = "dba", .len = 3 },
		{ .pattern = "name:db", .name = "d", .len = 1 },
		{ .pattern = "name:db*", .name = "db", .len = 2,
		  .matches = true },
		{ .pattern = "name:db*", .name = "db-1", .len = 4,
		  .matches = true },
		{ .pattern = "name:db*", .name = "adb", .len = 3 },
		{ .pattern = "name:*db", .name = "a/db", .len = 4,
		  .matches = true },
		{ .pattern = "name:*db", .name = "dbx", .len = 3 },
		{ .pattern = "name:d?b", .name = "dxb", .len = 3,
		  .matches = true },
		{ .pattern = "name:d?b", .name = "db", .len = 2 },
		{ .pattern = "name:*a*b*", .name = "xaxbx", .len = 5,
		  .matches = true },
		{ .pattern = "name:*a*b*", .name = "xbxax", .len = 5 },
		{ .pattern = "name:**a", .name = "aaa", .len = 3,
		  .matches = true },
		{ .pattern = "name:[a-c]1", .name = "b1", .len = 2,
		  .matches = true },
		{ .pattern = "name:[a-c]1", .name = "d1", .len = 2 },
		{ .pattern = "name:[!a-c]1", .name = "d1", .len = 2,
		  .matches = true },
		{ .pattern = "name:[^a-c]1", .name = "a1", .len = 2 },
		{ .pattern = "name:[]a]", .name = "]", .len = 1,
		  .matches = true },
		{ .pattern = "name:[a-]", .name = "-", .len = 1,
		  .matches = true },
		{ .pattern = "name:[\\!a]", .name = "!", .len = 1,
		  .matches = true },
		{ .pattern = "name:[\\x21a]", .name = "!", .len = 1,
		  .matches = true },
		{ .pattern = "name:[\\x21a]", .name = "b", .len = 1 },
		{ .pattern = "name:[a\\-z]", .name = "b", .len = 1 },
		{ .pattern = "name:[a\\x2dz]", .name = "-", .len = 1,
		  .matches = true },
		{ .pattern = "name:[a\\]b]", .name = "]", .len = 1,
		  .matches = true },
		{ .pattern = "name:[\\x61-\\x63]", .name = "b", .len = 1,
		  .matches = true },
		{ .pattern = "name:[\\x61-\\x63]", .name = "d", .len = 1 },
		{ .pattern = "name:\\[a", .name = "[a", .len = 2,
		  .matches = true },
		{ .pattern = "name:*/db", .name = "x/db", .len = 4,
		  .matches = true },
		{ .pattern = "name:*#*", .name = "a#b", .len = 3,
		  .matches = true },
		{ .pattern = "name:\\x2a", .name = "*", .len = 1,
		  .matches = true },
		{ .pattern = "name:\\x2a", .name = "x", .len = 1 },
		{ .pattern = "name:\\x5c", .name = "\\", .len = 1,
		  .matches = true },
		{ .pattern = "name:a\\x00b", .name = "a\0b", .len = 3,
		  .matches = true },
		{ .pattern = "name:a\\x00b", .name = "a\0c", .len = 3 },
		{ .pattern = "name:a*", .name = "a\0c", .len = 3,
		  .matches = true },
		{ .pattern = "name:0/db", .name = "db", .len = 2,
		  .matches = true },
		{ .pattern = "name:7\\x2fdb", .name = "7/db", .len = 4,
		  .matches = true },
		{ .pattern = "name:7/db", .name = "7/db", .len = 4 },
	};
	FILE *f = restore_begin();
	struct at_addr a;
	int i;

	ASSERT_NE(NULL, f);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		restore_row(f, i, rows[i].pattern);
	ASSERT_EQ(0, restore_end(f));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		ASSERT_EQ(0, setegid(ROW_GROUP(i)));
		at_addr_name(&a, AT_UNIX, rows[i].name, rows[i].len);
		EXPECT_EQ(rows[i].matches, is_denied(AT_UNIX, &a)) {
			TH_LOG("%s: %s", rows[i].pattern, rows[i].name);
		}
	}
}

TEST_F_TIMEOUT(match, ports_and_inet, AT_TIMEOUT)
{
	static const struct {
		const char *dest, *ip;
		int port;
		bool matches;
	} rows[] = {
		{ .dest = "port:*", .ip = NULL, .port = 5, .matches = true },
		{ .dest = "port:5", .ip = NULL, .port = 5, .matches = true },
		{ .dest = "port:5", .ip = NULL, .port = 6 },
		{ .dest = "port:4-6", .ip = NULL, .port = 6, .matches = true },
		{ .dest = "port:4-6", .ip = NULL, .port = 7 },
		{ .dest = "port:0/5", .ip = NULL, .port = 5, .matches = true },
		{ .dest = "port:1/5", .ip = NULL, .port = 5 },
		{ .dest = "inet:*:5", .ip = NULL, .port = 5 },
		{ .dest = "inet:*:*", .ip = "127.0.0.1", .port = 5,
		  .matches = true },
		{ .dest = "inet:*:5", .ip = "::1", .port = 5, .matches = true },
		{ .dest = "inet:*:4-5", .ip = "127.0.0.1", .port = 5,
		  .matches = true },
		{ .dest = "inet:*:4", .ip = "127.0.0.1", .port = 5 },
		{ .dest = "inet:127.0.0.1:*", .ip = "127.0.0.1", .port = 5,
		  .matches = true },
		{ .dest = "inet:127.0.0.1:*", .ip = "127.0.0.2", .port = 5 },
		{ .dest = "inet:127.0.0.1:*", .ip = "::1", .port = 5 },
		{ .dest = "inet:127.0.0.0/8:5", .ip = "127.9.9.9", .port = 5,
		  .matches = true },
		{ .dest = "inet:127.0.0.0/30:5", .ip = "127.0.0.4", .port = 5 },
		{ .dest = "inet:0.0.0.0/0:5", .ip = "127.0.0.4", .port = 5,
		  .matches = true },
		{ .dest = "inet:0.0.0.0/0:5", .ip = "::1", .port = 5 },
		{ .dest = "inet:[::]/0:5", .ip = "::1", .port = 5,
		  .matches = true },
		{ .dest = "inet:[::1]:5", .ip = "::1", .port = 5,
		  .matches = true },
		{ .dest = "inet:[::2]:5", .ip = "::1", .port = 5 },
		/* As a destination, 0.0.0.0 is the loopback address. */
		{ .dest = "inet:127.0.0.1:5", .ip = "0.0.0.0", .port = 5,
		  .matches = true },
	};
	FILE *f = restore_begin();
	struct at_addr a;
	int i;

	ASSERT_NE(NULL, f);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		restore_row(f, i, rows[i].dest);
	ASSERT_EQ(0, restore_end(f));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		enum at_format format = AT_NATIVE;

		ASSERT_EQ(0, setegid(ROW_GROUP(i)));
		if (rows[i].ip) {
			format = strchr(rows[i].ip, ':') ? AT_IN6 : AT_IN;
			at_addr_ip(&a, format, rows[i].ip, rows[i].port);
		} else {
			at_addr_port(&a, rows[i].port);
		}
		EXPECT_EQ(rows[i].matches, is_denied(format, &a)) {
			TH_LOG("%s: %s %d", rows[i].dest,
			       rows[i].ip ? rows[i].ip : "port", rows[i].port);
		}
	}
}

/*
 * A rule matches the path of the socket file itself, however a program writes
 * the path.
 */
TEST_F_TIMEOUT(match, path_of_the_file_itself, AT_TIMEOUT)
{
	char dir[] = "/tmp/altconn-rule-XXXXXX", cwd[512];
	struct at_addr a, relative, dots, link, peer;
	int lfd, fd, err;

	ASSERT_NE(NULL, getcwd(cwd, sizeof(cwd)));
	ASSERT_NE(NULL, mkdtemp(dir));
	ASSERT_EQ(0, chdir(dir));
	ASSERT_EQ(0, mkdir("sub", 0700));
	at_addr_path(&a, AT_UNIX, "sub/sock");
	at_addr_path(&relative, AT_UNIX, "./sub/sock");
	at_addr_path(&dots, AT_UNIX, "sub/../sub//sock");
	at_addr_path(&link, AT_UNIX, "link");
	lfd = at_socket(AT_UNIX, SOCK_STREAM);
	ASSERT_EQ(0, at_bind(lfd, &a));
	ASSERT_EQ(0, listen(lfd, 9));
	ASSERT_EQ(0, symlink("sub/sock", "link"));

	EXPECT_FALSE(is_denied(AT_UNIX, &a));
	ASSERT_LT(0, rule("add to 'path:%s/sub/*' deny", dir));
	EXPECT_TRUE(is_denied(AT_UNIX, &a));
	EXPECT_TRUE(is_denied(AT_UNIX, &relative));
	EXPECT_TRUE(is_denied(AT_UNIX, &dots));
	EXPECT_TRUE(is_denied(AT_UNIX, &link));
	EXPECT_EQ(0, rule("flush"));
	/* After a delay the peer still has the address that was bound. */
	ASSERT_LT(0, rule("add to path:* delay 20"));
	fd = at_client(AT_UNIX, SOCK_STREAM, &dots, &err);
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, at_getpeername(fd, &peer));
	EXPECT_TRUE(at_addr_eq(&peer, &a));
	close(fd);
	EXPECT_EQ(0, rule("flush"));
	ASSERT_LT(0, rule("add to path:sub/sock deny"));
	EXPECT_FALSE(is_denied(AT_UNIX, &a));

	close(lfd);
	unlink("sub/sock");
	unlink("link");
	rmdir("sub");
	EXPECT_EQ(0, chdir(cwd));
	EXPECT_EQ(0, rmdir(dir));
}

/*
 * A socket file is unlinked while its server goes on, and a client reaches it
 * by a descriptor. A rule that denies the path denies this client. A rule that
 * allows the path does not allow it.
 */
TEST_F_TIMEOUT(match, path_of_an_unlinked_file, AT_TIMEOUT)
{
	char dir[] = "/tmp/altconn-rule-XXXXXX", file[64];
	struct at_addr a;
	int lfd;

	ASSERT_NE(NULL, mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/s", dir);
	at_addr_path(&a, AT_NATIVE, file);
	lfd = at_socket(AT_NATIVE, SOCK_STREAM);
	ASSERT_EQ(0, at_bind(lfd, &a));
	ASSERT_EQ(0, listen(lfd, 9));
	at_addr_path(&a, AT_NATIVE, "");
	a.nat.sac_flags = ALTCONN_PATH_FD;
	a.nat.sac_fd = open(file, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, a.nat.sac_fd);
	ASSERT_LT(0, rule("add to 'path:%s' deny", file));
	EXPECT_TRUE(is_denied(AT_NATIVE, &a));
	EXPECT_EQ(0, rule("flush"));
	ASSERT_LT(0, rule("add to 'path:%s' allow", file));
	ASSERT_LT(0, rule("add to 'path:*' deny"));
	EXPECT_FALSE(is_denied(AT_NATIVE, &a));
	ASSERT_EQ(0, unlink(file));
	EXPECT_TRUE(is_denied(AT_NATIVE, &a));
	EXPECT_EQ(0, rule("flush"));
	EXPECT_FALSE(is_denied(AT_NATIVE, &a));
	ASSERT_LT(0, rule("add to 'path:%s' deny", file));
	EXPECT_TRUE(is_denied(AT_NATIVE, &a));
	close(a.nat.sac_fd);
	close(lfd);
	EXPECT_EQ(0, rmdir(dir));
}

/* ---- what rules cost ---- */

/*
 * Replace the rules by @n rules. The pattern of each rule is a star, then @len
 * times 'a', then 'b'.
 */
static int restore_patterns(int n, int len, const char *kind)
{
	FILE *f = restore_begin();
	char text[256];
	int i;

	if (!f)
		return -1;
	memset(text, 'a', sizeof(text));
	text[len] = 0;
	for (i = 0; i < n; i++)
		fprintf(f, "to %s:*%sb deny\n", kind, text);
	return restore_end(f);
}

/*
 * Return the least time that one of several attempts to a name of @len times
 * 'a' takes, in ns.
 */
static uint64_t least_cost(int len)
{
	uint64_t begun, least = UINT64_MAX;
	char name[107];
	struct at_addr a;
	int i, fd;

	memset(name, 'a', sizeof(name));
	at_addr_name(&a, AT_NATIVE, name, len);
	fd = at_socket(AT_NATIVE, SOCK_STREAM);
	for (i = 0; i < 60; i++) {
		begun = at_now_ns();
		at_connect(fd, &a);
		begun = at_now_ns() - begun;
		least = begun < least ? begun : least;
	}
	close(fd);
	return least;
}

/*
 * Return how long an attempt takes beside @n rules with patterns of @len bytes,
 * in ns; 0 on failure.
 */
static uint64_t cost_beside(int n, int len)
{
	return restore_patterns(n, len, "name") ?
	       0 : least_cost(len + len / 12);
}

/*
 * With a pattern and a text that are both four times as long, the cost grows
 * with the sum of the two lengths, not with the product.
 */
TEST_F_TIMEOUT(match, cost_of_a_pattern, AT_TIMEOUT_LONG)
{
	EXPECT_TRUE(at_grows(6, cost_beside(200, 24), cost_beside(200, 96)));
}

TEST_F_TIMEOUT(match, cost_of_rules, AT_TIMEOUT_LONG)
{
	EXPECT_TRUE(at_grows(6, cost_beside(60, 96), cost_beside(240, 96)));
}

/*
 * In a namespace that an unprivileged user owns there may be 256 rules, which
 * is fewer than root may have.
 */
TEST_F_TIMEOUT(match, number_of_rules_of_a_user, AT_TIMEOUT)
{
	pid_t pid = at_fork();

	if (!pid) {
		if (at_user_netns())
			_exit(1);
		if (rule("add deny") <= 0)
			_exit(2);
		if (restore_patterns(256, 200, "name"))
			_exit(3);
		_exit(rule("add deny") == -1 ? 0 : 4);
	}
	EXPECT_EQ(0, at_reap(pid));
	/* The length of all patterns together is bounded for root too. */
	EXPECT_EQ(0, restore_patterns(256, 250, "name"));
	EXPECT_EQ(-1, restore_patterns(300, 250, "name"));
}

struct shared {
	struct at_addr a;
	pthread_barrier_t barrier;
	int fd[40];
	atomic_int denied;
	atomic_int connected;
};

#define N_THREADS	4

static void *shared_connects(void *arg)
{
	struct shared *s = arg;
	int i, err;

	for (i = 0; i < ARRAY_SIZE(s->fd); i++) {
		pthread_barrier_wait(&s->barrier);
		err = at_err(at_connect(s->fd[i], &s->a));
		s->denied += err == EPERM;
		s->connected += !err;
	}
	return NULL;
}

static int shared_run(struct shared *s)
{
	pthread_t threads[N_THREADS];
	int i;

	pthread_barrier_init(&s->barrier, NULL, N_THREADS);
	for (i = 0; i < ARRAY_SIZE(s->fd); i++) {
		s->fd[i] = at_socket(AT_NATIVE, SOCK_STREAM);
		if (s->fd[i] < 0)
			return -1;
	}
	for (i = 0; i < N_THREADS; i++)
		if (pthread_create(&threads[i], NULL, shared_connects, s))
			return -1;
	for (i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	at_close(s->fd, ARRAY_SIZE(s->fd));
	return 0;
}

static int hits_of_the_first(void)
{
	return at_tool("rule -j | grep -o '\"hits\": *[0-9]*' | head -n 1 |"
		       " tr -dc 0-9");
}

/*
 * A rule decides exactly as often as its times say, however many threads
 * connect at once.
 */
TEST_F_TIMEOUT(match, times_with_threads, AT_TIMEOUT)
{
	struct shared s = {};
	int lfd = at_listener(&s.a, AT_NATIVE, AT_NAME, SOCK_STREAM, 1000);

	ASSERT_LT(0, rule("add to name:* deny times 57"));
	ASSERT_EQ(0, shared_run(&s));
	EXPECT_EQ(57, s.denied);
	EXPECT_EQ(57, hits_of_the_first());
	close(lfd);
}

/*
 * A thread that loses the race for a socket makes no attempt, and does not use
 * up the times of a rule.
 */
TEST_F_TIMEOUT(match, hits_with_threads, AT_TIMEOUT)
{
	struct shared s = {};
	int lfd = at_listener(&s.a, AT_NATIVE, AT_NAME, SOCK_STREAM, 1000);

	ASSERT_LT(0, rule("add to name:* allow times 1000"));
	ASSERT_EQ(0, shared_run(&s));
	EXPECT_EQ(ARRAY_SIZE(s.fd), hits_of_the_first());
	EXPECT_LE(ARRAY_SIZE(s.fd), s.connected);
	close(lfd);
}

/*
 * A thread that makes sockets and binds them to paths, and a thread that
 * connects the same sockets
 */
struct crowd {
	char dir[32];
	struct at_addr to;
	atomic_int fd;
	atomic_bool stop;
};

static void *crowd_connects(void *arg)
{
	struct crowd *c = arg;

	while (!c->stop)
		at_connect(c->fd, &c->to);
	return NULL;
}

static void *crowd_binds(void *arg)
{
	int old = -1, fd, i = 0;
	struct crowd *c = arg;
	char path[64];
	struct at_addr a;

	while (!c->stop) {
		fd = at_socket(AT_UNIX, SOCK_STREAM);
		c->fd = fd;
		close(old);
		old = fd;
		snprintf(path, sizeof(path), "%s/s%d", c->dir, i++ % 8);
		at_addr_path(&a, AT_UNIX, path);
		at_bind(fd, &a);
		unlink(path);
	}
	close(old);
	return NULL;
}

/*
 * Return how long it takes to make files in a directory where sockets are bound
 * while @n rules are matched, in ns; 0 on failure.
 */
static uint64_t make_files(int n)
{
	struct crowd c = { .dir = "/tmp/altconn-dir-XXXXXX", .fd = -1 };
	char name[107], path[64];
	pthread_t threads[2];
	uint64_t begun;
	int i;

	if (restore_patterns(n, 96, "name") || !mkdtemp(c.dir))
		return 0;
	memset(name, 'a', sizeof(name));
	at_addr_name(&c.to, AT_UNIX, name, 104);
	pthread_create(&threads[0], NULL, crowd_binds, &c);
	pthread_create(&threads[1], NULL, crowd_connects, &c);
	at_until(c.fd >= 0);
	snprintf(path, sizeof(path), "%s/file", c.dir);
	begun = at_now_ns();
	for (i = 0; i < 40; i++) {
		close(open(path, O_CREAT | O_RDWR, 0600));
		unlink(path);
	}
	begun = at_now_ns() - begun;
	c.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	rmdir(c.dir);
	return begun;
}

/* The lock of a directory is not held while rules are matched. */
TEST_F_TIMEOUT(match, directory_is_not_locked, AT_TIMEOUT)
{
	uint64_t few = make_files(16), many = make_files(256);

	EXPECT_LT(0, few);
	EXPECT_LE(many, 6 * few) {
		TH_LOG("%lu and %lu ns", few, many);
	}
}

/* ---- datagrams ---- */

FIXTURE(datagram) {
	struct at_addr a;
	int rx, tx;
};

FIXTURE_VARIANT(datagram) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(datagram, port) { .format = AT_NATIVE, .kind = AT_PORT };
FIXTURE_VARIANT_ADD(datagram, name) { .format = AT_UNIX, .kind = AT_NAME };
FIXTURE_VARIANT_ADD(datagram, path) { .format = AT_UNIX, .kind = AT_PATH };
FIXTURE_VARIANT_ADD(datagram, inet) { .format = AT_IN, .kind = AT_INET };

FIXTURE_SETUP(datagram)
{
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	self->rx = at_bound(&self->a, variant->format, variant->kind,
			    SOCK_DGRAM);
	self->tx = at_socket(variant->format, SOCK_DGRAM);
	ASSERT_LE(0, self->rx);
	ASSERT_LE(0, self->tx);
}

FIXTURE_TEARDOWN(datagram)
{
	close(self->rx);
	close(self->tx);
	at_cleanup();
}

#define SEND(byte) \
	at_err(sendto(self->tx, byte, 1, 0, &self->a.sa, self->a.len))

/* Wait for the next datagram. Return its byte, or -EAGAIN if there is none. */
static int wait_byte(int fd)
{
	at_poll(fd, POLLIN);
	return at_recv_byte(fd);
}

TEST_F_TIMEOUT(datagram, verdicts, AT_TIMEOUT)
{
	static const struct {
		const char *verdict;
		int err;
	} rows[] = {
		{ .verdict = "deny", .err = EPERM },
		{ .verdict = "deny EACCES", .err = EACCES },
		{ .verdict = "refuse", .err = ECONNREFUSED },
		{ .verdict = "unreachable host", .err = EHOSTUNREACH },
		{ .verdict = "unreachable net", .err = ENETUNREACH },
	};
	int i, id, fd = at_socket(variant->format, SOCK_DGRAM);

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		id = ADD("type dgram %s", rows[i].verdict);
		EXPECT_EQ(rows[i].err, SEND("x")) {
			TH_LOG("%s", rows[i].verdict);
		}
		EXPECT_EQ(rows[i].err, at_err(at_connect(fd, &self->a)));
		EXPECT_EQ(ALTCONN_REASON_RULE, at_reason(fd));
		EXPECT_EQ(id, at_info_of(fd).aci_rule);
		EXPECT_EQ(0, rule("flush"));
	}
	EXPECT_EQ(0, SEND("y"));
	EXPECT_EQ('y', wait_byte(self->rx));
	close(fd);
}

TEST_F_TIMEOUT(datagram, dropped_datagram_does_not_arrive, AT_TIMEOUT)
{
	ADD("drop");
	EXPECT_EQ(0, SEND("x"));
	EXPECT_EQ(0, rule("flush"));
	EXPECT_EQ(0, SEND("y"));
	EXPECT_EQ('y', wait_byte(self->rx));
	EXPECT_EQ(0, at_poll_now(self->rx, POLLIN));
}

TEST_F_TIMEOUT(datagram, delayed_datagram_is_overtaken, AT_TIMEOUT)
{
	uint64_t begun = at_now_ms();

	ADD("delay 300 times 1");
	EXPECT_EQ(0, SEND("x"));
	/* A later datagram without a delay overtakes the first datagram. */
	EXPECT_EQ(0, SEND("y"));
	EXPECT_EQ('y', wait_byte(self->rx));
	EXPECT_EQ('x', wait_byte(self->rx));
	EXPECT_LE(300, at_now_ms() - begun);
}

TEST_F_TIMEOUT(datagram, delayed_without_its_sender, AT_TIMEOUT)
{
	char c, control[CMSG_SPACE(sizeof(struct ucred))] = {};
	struct iovec iov = { &c, 1 };
	struct at_addr from = {}, want;
	struct msghdr msg = {
		.msg_name = &from.sa, .msg_namelen = sizeof(from.raw),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct ucred cred = {};

	ADD("delay 100");
	ASSERT_EQ(0, at_set_flag(self->rx, SOL_SOCKET, SO_PASSCRED, 1));
	EXPECT_EQ(0, SEND("x"));
	ASSERT_EQ(0, at_getsockname(self->tx, &want));
	close(self->tx);
	self->tx = -1;
	EXPECT_NE(0, at_poll(self->rx, POLLIN));
	EXPECT_EQ(1, recvmsg(self->rx, &msg, 0));
	EXPECT_EQ('x', c);
	from.len = msg.msg_namelen;
	/* The credentials are the sender's, not those of a kernel worker. */
	ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
	memcpy(&cred, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(cred));
	EXPECT_EQ(getpid(), cred.pid);
	/* In other formats the sender has no name or a wildcard address. */
	if (variant->format == AT_NATIVE) {
		EXPECT_TRUE(at_addr_eq(&want, &from));
	}
}

/* A delayed datagram without a receiver is lost and frees what it holds. */
TEST_F_TIMEOUT(datagram, delayed_without_its_receiver, AT_TIMEOUT)
{
	int marker, fd;
	struct at_addr a;

	ADD("delay 50");
	EXPECT_EQ(0, SEND("x"));
	close(self->rx);
	EXPECT_EQ(0, rule("flush"));
	/* The marker has a longer delay than the first datagram. */
	marker = at_bound(&a, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	self->rx = marker;
	ASSERT_LT(0, rule("add delay 100"));
	fd = at_socket(AT_NATIVE, SOCK_DGRAM);
	EXPECT_EQ(0, at_err(sendto(fd, "m", 1, 0, &a.sa, a.len)));
	EXPECT_EQ('m', wait_byte(marker));
	close(fd);
}

/*
 * The delayed datagrams of a sender are limited, and excess datagrams are lost,
 * as in the queue of a network.
 */
TEST_F_TIMEOUT(datagram, delayed_flood, AT_TIMEOUT)
{
	int marker = at_socket(variant->format, SOCK_DGRAM);
	int i, c, sent = 200, size = 16384, received = 0;

	ASSERT_EQ(0, at_set_flag(self->tx, SOL_SOCKET, SO_SNDBUF, size));
	ADD("delay 2s times 200");
	ADD("delay 3s");
	for (i = 0; i < sent; i++)
		ASSERT_EQ(0, SEND("x"));
	/* Another socket sends the marker, which arrives last. */
	ASSERT_EQ(0, at_err(sendto(marker, "m", 1, 0, &self->a.sa,
				   self->a.len)));
	while ((c = wait_byte(self->rx)) == 'x')
		received++;
	EXPECT_EQ('m', c);
	EXPECT_LT(4, received);
	EXPECT_GT(100, received);
	close(marker);
}

/* Equal delays keep the order of datagrams, and a shorter delay overtakes. */
TEST_F_TIMEOUT(datagram, delayed_in_order, AT_TIMEOUT)
{
	char byte[2] = "a";

	ADD("delay 400 times 20");
	ADD("delay 100");
	for (; *byte < 'a' + 20; byte[0]++)
		ASSERT_EQ(0, SEND(byte));
	ASSERT_EQ(0, SEND("Z"));
	EXPECT_EQ('Z', wait_byte(self->rx));
	for (*byte = 'a'; *byte < 'a' + 20; byte[0]++)
		EXPECT_EQ(*byte, wait_byte(self->rx));
}

/*
 * For a connected socket the rules are matched in connect(), once for all
 * datagrams that the socket sends to its peer.
 */
TEST_F_TIMEOUT(datagram, connected_socket_keeps_its_verdict, AT_TIMEOUT)
{
	ADD("drop");
	EXPECT_EQ(0, at_err(at_connect(self->tx, &self->a)));
	EXPECT_EQ(0, rule("flush"));
	EXPECT_EQ(1, send(self->tx, "x", 1, 0));
	EXPECT_EQ(0, at_err(at_connect(self->tx, &self->a)));
	EXPECT_EQ(1, send(self->tx, "y", 1, 0));
	EXPECT_EQ('y', wait_byte(self->rx));
	/* A later rule does not apply to an existing association. */
	ADD("deny");
	EXPECT_EQ(1, send(self->tx, "z", 1, 0));
	EXPECT_EQ('z', wait_byte(self->rx));
	EXPECT_EQ(0, rule("flush"));
	ADD("delay 100");
	EXPECT_EQ(0, at_err(at_connect(self->tx, &self->a)));
	EXPECT_EQ(1, send(self->tx, "d", 1, 0));
	EXPECT_EQ(0, at_poll_now(self->rx, POLLIN));
	EXPECT_EQ('d', wait_byte(self->rx));
	/* The verdict is forgotten with the association. */
	EXPECT_EQ(0, at_err(at_connect_unspec(self->tx)));
	EXPECT_EQ(0, rule("flush"));
	EXPECT_EQ(0, SEND("e"));
	EXPECT_EQ('e', wait_byte(self->rx));
}

TEST_HARNESS_MAIN
