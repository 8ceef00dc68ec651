// SPDX-License-Identifier: GPL-2.0
/*
 * These tests show which events a user gets, how many sockets of a user may get
 * events, and what the delivery costs if a user tries to make it expensive.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"
#include "lib/kworker.h"

#include <linux/netlink.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* At most this many sockets of a user get events, over all its namespaces. */
#define MOST_MONITORS	32
#define MOST	300

FIXTURE(event) { };

FIXTURE_SETUP(event)
{
	struct rlimit files = { 20000, 20000 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
}

FIXTURE_TEARDOWN(event)
{
}

static bool becomes_user(uid_t uid)
{
	return !setgid(uid) && !setuid(uid);
}

/*
 * Open @n sockets and request events on them. Return how many sockets get
 * events. They stay open.
 */
static int open_monitors(int *fds, int n)
{
	int i, count = 0;

	for (i = 0; i < n; i++)
		count += !at_monitor(&fds[count]);
	return count;
}

/* Make @n attempts that fail. Each of them causes two events. */
static void fail_to_connect(unsigned int port, int n)
{
	struct at_addr a;
	int err;

	at_addr_port(&a, port);
	while (n--)
		close(at_client(AT_NATIVE, SOCK_STREAM, &a, &err));
}

/*
 * This child process runs a function until @stop is closed. The function writes
 * numbers to @answer.
 */
struct child {
	pid_t pid;
	int stop;
	int answer;
};

static int child_start(struct child *c, int (*body)(int stop, int answer))
{
	int stop[2], answer[2];

	if (pipe(stop) || pipe(answer))
		return -1;
	c->pid = at_fork();
	if (!c->pid) {
		close(stop[1]);
		close(answer[0]);
		_exit(body(stop[0], answer[1]));
	}
	close(stop[0]);
	close(answer[1]);
	c->stop = stop[1];
	c->answer = answer[0];
	return c->pid < 0 ? -1 : 0;
}

static int child_hear(const struct child *c)
{
	int value;

	return read(c->answer, &value, sizeof(value)) == sizeof(value) ? value :
									 -1;
}

static int child_end(struct child *c)
{
	close(c->stop);
	close(c->answer);
	return at_reap(c->pid);
}

static void send_result(int answer, int value)
{
	if (write(answer, &value, sizeof(value)) < 0)
		_exit(9);
}

static void wait_for_end(int stop)
{
	char c;

	while (read(stop, &c, 1) > 0)
		;
}

/*
 * Move to a new network namespace, and to a new user namespace in which the
 * caller is root. Return whether that has succeeded.
 */
static bool enters_namespaces(void)
{
	char uids[32], gids[32];

	snprintf(uids, sizeof(uids), "0 %d 1\n", getuid());
	snprintf(gids, sizeof(gids), "0 %d 1\n", getgid());
	return !unshare(CLONE_NEWUSER | CLONE_NEWNET) &&
	       !prctl(PR_SET_DUMPABLE, 1) &&
	       !at_proc_write(getpid(), "uid_map", uids) &&
	       !at_proc_write(getpid(), "setgroups", "deny") &&
	       !at_proc_write(getpid(), "gid_map", gids);
}

/* These tests count how many sockets of a user get events. */

/* Request events in a new namespace, and then in a nested namespace. */
static int uses_up_the_limit(int stop, int answer)
{
	int fds[MOST];

	if (!becomes_user(65534) || !enters_namespaces())
		return 1;
	send_result(answer, open_monitors(fds, MOST_MONITORS - 2));
	if (!enters_namespaces())
		return 2;
	send_result(answer, open_monitors(fds + MOST_MONITORS, 10));
	wait_for_end(stop);
	return 0;
}

static int opens_one(uid_t uid)
{
	int fd, pid = at_fork();

	if (!pid)
		_exit(!becomes_user(uid) ? 99 : at_monitor(&fd));
	return at_reap(pid);
}

TEST_F_TIMEOUT(event, limit_of_a_user_in_all_its_namespaces, AT_TIMEOUT)
{
	struct child c;
	int fd;

	ASSERT_EQ(0, child_start(&c, uses_up_the_limit));
	EXPECT_EQ(MOST_MONITORS - 2, child_hear(&c));
	EXPECT_EQ(2, child_hear(&c));
	/* The user is at its limit here too, but no other user is. */
	EXPECT_EQ(ENOSPC, opens_one(65534));
	EXPECT_EQ(0, opens_one(65533));
	EXPECT_EQ(0, at_monitor(&fd));
	close(fd);
	EXPECT_EQ(0, child_end(&c));
	EXPECT_TRUE(at_until(!opens_one(65534)));
}

static int two_users_in_one(int stop, int answer)
{
	int fds[MOST], n;
	char c;

	if (!becomes_user(65534) || unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 1;
	send_result(answer, getpid());
	/* Wait until subordinate uids are mapped into the namespace. */
	if (read(stop, &c, 1) != 1)
		return 2;
	n = open_monitors(fds, MOST_MONITORS + 8);
	if (setresuid(1, 1, 1))
		return 3;
	/* The new user namespace belongs to the subordinate uid. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 4;
	send_result(answer, n);
	send_result(answer, open_monitors(fds + n, 8));
	wait_for_end(stop);
	return 0;
}

TEST_F_TIMEOUT(event, subordinate_users_have_no_limit_of_their_own, AT_TIMEOUT)
{
	struct child c;
	int pid;

	ASSERT_EQ(0, child_start(&c, two_users_in_one));
	pid = child_hear(&c);
	/* Map subordinate uids, as newuidmap does. */
	EXPECT_EQ(0, at_proc_write(pid, "uid_map", "0 65534 1\n1 200000 10\n"));
	EXPECT_EQ(0, at_proc_write(pid, "gid_map", "0 65534 1\n"));
	EXPECT_EQ(1, write(c.stop, "!", 1));
	EXPECT_EQ(MOST_MONITORS, child_hear(&c));
	EXPECT_EQ(0, child_hear(&c));
	EXPECT_EQ(0, child_end(&c));
}

/* These tests show which events a socket gets. */

/*
 * Wait for the next event. Return 1, 0 if no event comes before the deadline,
 * or -1 if another message comes.
 */
static int wait_event(int fd, struct at_event *ev)
{
	int ret;

	return at_until((ret = at_event(fd, ev)) != 0) ? ret : 0;
}

/*
 * Wait until another user has connected, and then connect. Show that the socket
 * gets the two events of this attempt, with the numbers 1 and 2, and no other
 * event.
 */
static int gets_its_own(int stop, int answer)
{
	struct at_event ev;
	int fd, i;
	char c;

	if (!becomes_user(65534) || at_monitor(&fd))
		return 1;
	send_result(answer, 0);
	if (read(stop, &c, 1) != 1)
		return 2;
	fail_to_connect(8, 1);
	for (i = 1; i <= 2; i++)
		if (wait_event(fd, &ev) != 1 || ev.port != 8 || ev.seq != i)
			return 2 + i;
	return at_event(fd, &ev) ? 5 : 0;
}

TEST_F_TIMEOUT(event, a_user_gets_events_of_its_own_attempts, AT_TIMEOUT)
{
	struct child c;

	ASSERT_EQ(0, child_start(&c, gets_its_own));
	EXPECT_EQ(0, child_hear(&c));
	fail_to_connect(9, 10);
	EXPECT_EQ(1, write(c.stop, "!", 1));
	EXPECT_EQ(0, child_end(&c));
}

/* An administrator gets the events of all users in their order. */
TEST_F_TIMEOUT(event, an_administrator_gets_all_events, AT_TIMEOUT)
{
	unsigned int ports[] = { 8, 8, 9, 9, 8, 8 }, i;
	struct at_event ev;
	int fd, pid;

	ASSERT_EQ(0, at_monitor(&fd));
	fail_to_connect(8, 1);
	pid = at_fork();
	if (!pid) {
		if (becomes_user(65534))
			fail_to_connect(9, 1);
		_exit(0);
	}
	EXPECT_EQ(0, at_reap(pid));
	fail_to_connect(8, 1);
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(1, wait_event(fd, &ev));
		EXPECT_EQ(ports[i], ev.port);
		EXPECT_EQ(i + 1, ev.seq);
	}
	close(fd);
}

/*
 * The root of a user namespace gets all events of its own network namespace,
 * although it is no administrator of the namespace outside.
 */
TEST_F_TIMEOUT(event, root_of_a_user_namespace_gets_its_events, AT_TIMEOUT)
{
	struct at_event ev;
	int fd, pid = at_fork();

	if (!pid) {
		if (!becomes_user(65534) ||
		    unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
		    at_monitor(&fd))
			_exit(1);
		fail_to_connect(9, 1);
		if (wait_event(fd, &ev) != 1 || ev.port != 9)
			_exit(2);
		close(fd);
		_exit(0);
	}
	EXPECT_EQ(0, at_reap(pid));
}

/* These tests measure the cost of the delivery. */

static int watchers;

/*
 * Let @epolls epoll instances poll each socket. All of them are woken for each
 * event that the socket gets. Return whether that has succeeded.
 */
static bool poll_monitors(const int *fds, int n, int epolls)
{
	struct epoll_event event = { .events = EPOLLIN };
	int i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < epolls; j++)
			if (epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fds[i],
				      &event))
				return false;
	return true;
}

static int watches_in_vain(int stop, int answer)
{
	int fds[MOST], n;

	if (!becomes_user(65534))
		return 1;
	n = open_monitors(fds, watchers);
	send_result(answer, poll_monitors(fds, n, 2 * MOST_MONITORS) ? n : -1);
	wait_for_end(stop);
	return 0;
}

#define WATCHED_ATTEMPTS	at_scale(520, 160)

/*
 * Return the CPU time of kworkers for attempts of root, ns, or 0 on failure.
 * Root has one socket, which gets all events. Another user has @n sockets,
 * which get none of them.
 */
static uint64_t cost_of(int n)
{
	struct at_event ev;
	struct child c;
	uint64_t ns;
	int fd, i, j;

	watchers = n;
	if (child_start(&c, watches_in_vain) || child_hear(&c) != n ||
	    at_monitor(&fd))
		return 0;
	at_kworkers_quiet();
	for (i = 0; i < WATCHED_ATTEMPTS; i += 10) {
		fail_to_connect(9, 10);
		for (j = 0; j < 20; j++)
			if (wait_event(fd, &ev) != 1)
				return 0;
	}
	close(fd);
	ns = at_kworker_ns();
	return child_end(&c) ? 0 : ns;
}

TEST_F_TIMEOUT(event, many_monitors_cost_little_more, AT_TIMEOUT)
{
	EXPECT_TRUE(at_grows(1.5, cost_of(1), cost_of(MOST_MONITORS)));
}

#define SAVED_NS	100000000ULL

/*
 * In a new namespace, request events on as many sockets as a user may have, let
 * many epoll instances poll each of them, and make attempts. Return the CPU
 * time of kworkers in percent of the user's allowance, or -1. The allowance is
 * a quarter of a CPU, and 100 ms that were saved before.
 */
static int flood_cost(void)
{
	int fds[MOST_MONITORS], i;
	uint64_t begun;

	if (!becomes_user(65534) || unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
	    open_monitors(fds, MOST_MONITORS) != MOST_MONITORS)
		return -1;
	if (!poll_monitors(fds, MOST_MONITORS, 8 * MOST_MONITORS))
		return -1;
	at_kworkers_quiet();
	begun = at_now_ns();
	fail_to_connect(9, at_scale(4000, 800));
	for (i = 0; i < MOST_MONITORS; i++)
		close(fds[i]);
	return at_kworker_ns() * 100 / (SAVED_NS + (at_now_ns() - begun) / 4);
}

static int floods_and_tells(int stop, int answer)
{
	send_result(answer, flood_cost());
	return 0;
}

static int allowance_of_flood(void)
{
	struct child c;
	int percent;

	if (child_start(&c, floods_and_tells))
		return -1;
	percent = child_hear(&c);
	return child_end(&c) ? -1 : percent;
}

/*
 * The delivery of a flood of events takes at most twice the user's allowance.
 * Other work in the guest only adds to the time, so one good run of several is
 * enough.
 */
TEST_F_TIMEOUT(event, a_flood_costs_at_most_twice_what_a_user_is_allowed,
	       AT_TIMEOUT)
{
	int percent = allowance_of_flood(), tries;

	for (tries = 0; tries < 5 && percent > 200; tries++)
		percent = allowance_of_flood();
	TH_LOG("kworkers: %d %% of the allowance", percent);
	EXPECT_LE(0, percent);
	EXPECT_GE(200, percent);
}

/* These tests show that sockets do not disturb each other's events. */

static int floods_until_the_end(int stop, int answer)
{
	int fds[MOST_MONITORS];

	if (!becomes_user(65534) ||
	    open_monitors(fds, MOST_MONITORS) != MOST_MONITORS)
		return 1;
	send_result(answer, 0);
	while (!at_poll_now(stop, POLLIN))
		fail_to_connect(9, 50);
	return 0;
}

static int gets_every_one(void)
{
	struct at_event ev;
	uint64_t seq = 0;
	int fd, i;

	if (!becomes_user(65533) || at_monitor(&fd))
		return 1;
	for (i = 0; i < 50; i++) {
		fail_to_connect(8, 1);
		if (wait_event(fd, &ev) != 1 || ev.seq != ++seq ||
		    wait_event(fd, &ev) != 1 || ev.seq != ++seq)
			return 2;
	}
	return 0;
}

TEST_F_TIMEOUT(event, a_flood_takes_no_events_from_others, AT_TIMEOUT)
{
	struct child c;
	int pid;

	ASSERT_EQ(0, child_start(&c, floods_until_the_end));
	EXPECT_EQ(0, child_hear(&c));
	pid = at_fork();
	if (!pid)
		_exit(gets_every_one());
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_EQ(0, child_end(&c));
}

/*
 * This thread keeps all other threads from its CPU, from a byte in @pipe until
 * @over is set.
 */
struct hog {
	pthread_t thread;
	int pipe[2];
	atomic_bool runs, over;
};

static void *hog_cpu(void *arg)
{
	struct sched_param param = { .sched_priority = 1 };
	struct hog *hog = arg;
	char c;

	at_pin(1);
	sched_setscheduler(0, SCHED_FIFO, &param);
	while (read(hog->pipe[0], &c, 1) == 1) {
		atomic_store(&hog->runs, true);
		while (!atomic_load(&hog->over))
			;
		atomic_store(&hog->runs, false);
	}
	return NULL;
}

static void hog_begin(struct hog *hog)
{
	atomic_store(&hog->over, false);
	if (write(hog->pipe[1], "!", 1) == 1)
		while (!atomic_load(&hog->runs))
			;
}

static void hog_end(struct hog *hog)
{
	atomic_store(&hog->over, true);
	while (atomic_load(&hog->runs))
		;
}

/*
 * Close a socket while events are on their way to it on the other CPU. Its
 * netlink port id becomes free, and a new socket, *@next, takes the port id.
 * Return 0 or -1.
 */
static int number_passes(struct hog *hog, int attempts, int *next)
{
	struct sockaddr_nl addr;
	socklen_t len = sizeof(addr);
	bool bound;
	int fd;

	*next = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (at_monitor(&fd) || getsockname(fd, (struct sockaddr *)&addr, &len))
		return -1;
	fail_to_connect(9, attempts);
	hog_begin(hog);
	close(fd);
	bound = at_until(!bind(*next, (struct sockaddr *)&addr, len));
	hog_end(hog);
	return bound ? 0 : -1;
}

/*
 * Wait until @witness has got the two events of a new attempt. One queue
 * delivers to all sockets of a user, so earlier events have been delivered
 * before these two. Return 0 or -1.
 */
static int events_pass(int witness)
{
	struct at_event ev;
	int left = 2;

	fail_to_connect(8, 1);
	while (left) {
		if (wait_event(witness, &ev) != 1)
			return -1;
		left -= ev.port == 8;
	}
	return 0;
}

/*
 * No event reaches a socket that has taken the netlink port id of a socket that
 * has closed.
 */
TEST_F_TIMEOUT(event, no_events_for_a_reused_netlink_port, AT_TIMEOUT)
{
	int i, witness, next, rounds = at_scale(100, 15);
	struct hog hog = {};
	char buf[4096];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "one CPU");
	at_pin(0);
	ASSERT_EQ(0, pipe(hog.pipe));
	ASSERT_EQ(0, pthread_create(&hog.thread, NULL, hog_cpu, &hog));
	ASSERT_EQ(0, at_monitor(&witness));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, number_passes(&hog, 1 + i % 8, &next));
		ASSERT_EQ(0, events_pass(witness));
		ASSERT_EQ(-1, recv(next, buf, sizeof(buf), MSG_DONTWAIT));
		ASSERT_EQ(EAGAIN, errno);
		close(next);
	}
	close(hog.pipe[1]);
	pthread_join(hog.thread, NULL);
	close(witness);
}

TEST_HARNESS_MAIN
