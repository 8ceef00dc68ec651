// SPDX-License-Identifier: GPL-2.0
/*
 * Test the work that kernel threads do for users: deadlines, the ends of
 * delays, idle buffers, and descriptors that no process received. Such work
 * wakes as many pollers as the user has. A user that causes too much of this
 * work delays only its own work.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"
#include "lib/kworker.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define SOCKETS		16
#define EPOLLS		at_scale(4000, 800)

/* A user keeps the kernel threads busy for this time, ns. */
#define BUSY_NS		2000000000ULL

/* A user's share is 1/SHARE of a CPU. SAVED_NS is the initial budget, ns. */
#define SHARE		4
#define SAVED_NS	100000000ULL

FIXTURE(payer) { };

/*
 * A kernel thread does the work that @begin starts at a descriptor. @ended
 * returns whether this work has ended.
 */
FIXTURE_VARIANT(payer) {
	int (*prepare)(int *fds);
	int (*begin)(int fd);
	bool (*ended)(int fd);
};

FIXTURE_SETUP(payer)
{
	struct rlimit files = { 20000, 20000 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
}

FIXTURE_TEARDOWN(payer) { }

static struct at_addr server;

/* Prepare attempts at a full backlog, with deadlines that pass soon. */
static int prepare_attempts(int *fds)
{
	uint64_t ms = 10;
	int err, i;

	if (at_listener(&server, AT_NATIVE, AT_PORT, SOCK_STREAM, 0) < 0 ||
	    at_client(AT_NATIVE, SOCK_STREAM, &server, &err) < 0 || err)
		return -1;
	for (i = 0; i < SOCKETS; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_STREAM | SOCK_NONBLOCK);
		if (setsockopt(fds[i], SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT,
			       &ms, sizeof(ms)))
			return -1;
	}
	return 0;
}

static int begin_attempt(int fd)
{
	return at_err(at_connect(fd, &server)) != EINPROGRESS;
}

static bool attempt_ended(int fd)
{
	return at_so_error(fd) == ETIMEDOUT;
}

FIXTURE_VARIANT_ADD(payer, deadlines) {
	.prepare = prepare_attempts, .begin = begin_attempt,
	.ended = attempt_ended,
};

/* Prepare sockets that send to themselves, by datagrams that a rule delays. */
static int prepare_datagrams(int *fds)
{
	struct at_addr a;
	int i;

	if (at_tool("rule add type dgram delay 10ms >/dev/null"))
		return -1;
	for (i = 0; i < SOCKETS; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_DGRAM | SOCK_NONBLOCK);
		at_addr_port(&a, 5000 + i);
		if (at_bind(fds[i], &a) || at_connect(fds[i], &a))
			return -1;
	}
	return 0;
}

static int begin_datagram(int fd)
{
	return send(fd, "x", 1, 0) != 1;
}

static bool datagram_ended(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) == 1;
}

FIXTURE_VARIANT_ADD(payer, delays) {
	.prepare = prepare_datagrams, .begin = begin_datagram,
	.ended = datagram_ended,
};

/*
 * @carrier carries messages to the process of begin_dropper(). A byte in @turn
 * makes that process receive one message.
 */
static int carrier, turn;

/* Start a process, as root, that receives messages without descriptors. */
static int begin_dropper(void)
{
	int sv[2], turns[2];
	char byte;

	if (at_socketpair(AT_NATIVE, SOCK_STREAM, sv) || pipe(turns))
		return -1;
	if (!at_fork()) {
		close(sv[0]);
		close(turns[1]);
		while (read(turns[0], &byte, 1) == 1 &&
		       recv(sv[1], &byte, 1, 0) == 1)
			;
		_exit(0);
	}
	close(sv[1]);
	close(turns[0]);
	carrier = sv[0];
	turn = turns[1];
	return 0;
}

/*
 * Make pipes and keep their write ends. begin_pipe() sends a new read end to
 * the process of begin_dropper(). A pipe wakes the pollers of its write ends
 * when the last read end is closed, and not when the first one is opened.
 */
static int prepare_pipes(int *fds)
{
	int pipes[2], i;

	for (i = 0; i < SOCKETS; i++) {
		if (pipe2(pipes, O_NONBLOCK))
			return -1;
		fds[i] = pipes[1];
		close(pipes[0]);
	}
	return 0;
}

static int begin_pipe(int fd)
{
	char path[32];
	int end;
	bool sent;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	end = open(path, O_RDONLY | O_NONBLOCK);
	sent = at_send_with(carrier, "x", 1, SCM_RIGHTS, &end, sizeof(end),
			    0) == 1;
	/* The message now has the last reference to the read end. */
	close(end);
	return !sent || write(turn, "x", 1) != 1;
}

static bool pipe_ended(int fd)
{
	return at_poll_now(fd, POLLOUT) & POLLERR;
}

FIXTURE_VARIANT_ADD(payer, descriptors) {
	.prepare = prepare_pipes, .begin = begin_pipe, .ended = pipe_ended,
};

static int watch_sockets(const int *fds)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int i, j, ep;

	for (i = 0; i < EPOLLS; i++) {
		ep = epoll_create1(0);
		for (j = 0; j < SOCKETS; j++)
			if (epoll_ctl(ep, EPOLL_CTL_ADD, fds[j], &event))
				return -1;
	}
	return 0;
}

/*
 * Keep kernel threads busy for BUSY_NS. Return their CPU time in percent of the
 * user's share, or a negative value on failure. The threads always have work:
 * the work at a socket begins again once it has ended, while the threads work
 * for the other sockets.
 */
static int used_percent(int (*prepare)(int *fds), int (*begin)(int fd),
			bool (*ended)(int fd))
{
	int fds[SOCKETS], i, n;
	uint64_t begun, ns, passed;

	if (begin_dropper() || at_user_netns() || prepare(fds) ||
	    watch_sockets(fds))
		return -1;
	at_kworkers_quiet();
	begun = at_now_ns();
	for (n = 0; at_now_ns() - begun < BUSY_NS; n++) {
		i = n % SOCKETS;
		while (n >= SOCKETS && !ended(fds[i]))
			at_pause();
		if (begin(fds[i]))
			return -2;
	}
	ns = at_kworker_ns();
	passed = at_now_ns() - begun;
	printf("# kernel threads: %lu ms of %lu ms\n",
	       (unsigned long)(ns / 1000000),
	       (unsigned long)(passed / 1000000));
	return ns * 100 / (SAVED_NS + passed / SHARE);
}

/*
 * The work of a user in kernel threads gets the user's share of the CPU time.
 * Other work of the same threads can only add to the result, so the test allows
 * half a share for it, and one good run of several is enough.
 */
TEST_F_TIMEOUT(payer, a_user_gets_at_most_one_and_a_half_shares, AT_TIMEOUT)
{
	int pipes[2], percent = -1, tries, pid;

	ASSERT_EQ(0, pipe(pipes));
	for (tries = 0; tries < 5; tries++) {
		pid = at_fork();
		if (!pid) {
			percent = used_percent(variant->prepare, variant->begin,
					       variant->ended);
			_exit(write(pipes[1], &percent, sizeof(percent)) !=
			      sizeof(percent));
		}
		ASSERT_EQ(0, at_reap(pid));
		ASSERT_EQ(sizeof(percent),
			  read(pipes[0], &percent, sizeof(percent)));
		TH_LOG("kernel threads: %d %% of the user's share", percent);
		if (percent <= 150)
			break;
	}
	EXPECT_LE(0, percent);
	EXPECT_GE(150, percent);
}

FIXTURE(idle) { };

FIXTURE_SETUP(idle) { }

FIXTURE_TEARDOWN(idle) { }

#define PAIRS		20
#define WINDOW_MS	2500
#define WORK_EVENT	"events/workqueue/workqueue_execute_start/enable"

/*
 * Make pairs in which the buffer of each direction was emptied once and now
 * holds a byte.
 */
static int fill_pairs(int sv[PAIRS][2])
{
	int i, way;
	char byte;

	for (i = 0; i < PAIRS; i++) {
		byte = i;
		if (at_socketpair(AT_NATIVE, SOCK_STREAM, sv[i]))
			return -1;
		for (way = 0; way < 2; way++)
			if (at_send_all(sv[i][way], &byte, 1) ||
			    at_recv_all(sv[i][!way], &byte, 1) ||
			    at_send_all(sv[i][way], &byte, 1))
				return -1;
	}
	return 0;
}

/* Read the bytes again. Return how many are lost. */
static int count_lost(int sv[PAIRS][2])
{
	int i, way, lost = 0;
	char byte;

	for (i = 0; i < PAIRS; i++)
		for (way = 0; way < 2; way++)
			lost += recv(sv[i][way], &byte, 1, MSG_DONTWAIT) != 1 ||
				byte != (char)i;
	return lost;
}

/* As another user, make pairs and keep them until a byte arrives by @link. */
static int hold_filled_pairs(int link)
{
	int sv[PAIRS][2];
	char byte;

	return at_drop_privileges() || fill_pairs(sv) || at_send_step(link) ||
	       read(link, &byte, 1) != 1 || count_lost(sv);
}

/* Return how often payers begin to work within WINDOW_MS, or -1 on failure. */
static int works_of_payers(void)
{
	uint64_t end = at_now_ms() + WINDOW_MS;
	char line[512];
	int n = 0;
	FILE *f;

	if (at_trace_put("trace", "") || at_trace_put(WORK_EVENT, "1"))
		return -1;
	while (at_now_ms() < end)
		at_pause();
	f = at_trace_put(WORK_EVENT, "0") ? NULL : at_trace_read("trace");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, "function payer_work");
	fclose(f);
	return n;
}

/* The scan for idle buffers does not look repeatedly at buffers with data. */
TEST_F_TIMEOUT(idle, idle_buffers_are_left_alone, AT_TIMEOUT)
{
	int link[2];
	pid_t pid;

	ASSERT_EQ(0, at_trace_open());
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, link));
	pid = at_fork();
	if (!pid)
		_exit(hold_filled_pairs(link[1]));
	ASSERT_EQ(0, at_wait_step(link[0]));
	/* One scan finds the buffers in use, and no further scan follows. */
	EXPECT_LT(0, works_of_payers());
	EXPECT_EQ(0, works_of_payers());
	ASSERT_EQ(0, at_send_step(link[0]));
	EXPECT_EQ(0, at_reap(pid));
	at_close(link, 2);
	EXPECT_EQ(0, at_trace_close());
}

TEST_HARNESS_MAIN
