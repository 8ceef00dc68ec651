// SPDX-License-Identifier: GPL-2.0
/*
 * Data flows whole and in order with the smallest buffers that a socket can
 * have, in a cgroup with little memory, and while one allocation in ten fails.
 * Empty buffers keep a bounded amount of memory for a bounded time.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

FIXTURE(pressure) {
	int sv[2];
};

FIXTURE_VARIANT(pressure) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(pressure, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pressure, unix_seqpacket) {
	.format = AT_UNIX, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(pressure, native_dgram) {
	.format = AT_NATIVE, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(pressure, oracle_stream) {
	.format = AT_ORACLE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(pressure, oracle_seqpacket) {
	.format = AT_ORACLE, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(pressure, oracle_dgram) {
	.format = AT_ORACLE, .type = SOCK_DGRAM,
};

FIXTURE_SETUP(pressure)
{
	ASSERT_EQ(0, at_socketpair(variant->format, variant->type, self->sv));
}

FIXTURE_TEARDOWN(pressure)
{
	at_close(self->sv, 2);
}

/*
 * A flow of messages of changing size. A byte's value follows from its offset
 * in the flow.
 */
struct flow {
	int fd, type, messages;
	size_t most;
	bool poll;	/* both ends use poll() and make no call that blocks */
	bool scarce;	/* a call may fail for lack of memory and is repeated */
	bool plain;	/* @scarce without fault injection */
	atomic_int hungry;
	int err;
};

static uint8_t byte_at(uint64_t at)
{
	return at * 167 + (at >> 8) * 59 + (at >> 16);
}

static size_t size_of(const struct flow *f, int i)
{
	uint64_t state = i + 1;

	return at_random(&state) % f->most + 1;
}

/* Handle a failed call. Return 0 if the call is to be repeated, else -1. */
static int may_repeat(struct flow *f, short event)
{
	if (errno == EAGAIN && f->poll)
		return at_poll(f->fd, event) & event ? 0 : -1;
	if ((errno == ENOMEM || errno == ENOBUFS) && f->scarce) {
		atomic_fetch_add(&f->hungry, 1);
		sched_yield();
		return 0;
	}
	f->err = errno;
	return -1;
}

static int send_message(struct flow *f, const uint8_t *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(f->fd, buf + done, len - done,
			 f->poll ? MSG_DONTWAIT : 0);
		if (n < 0 && may_repeat(f, POLLOUT))
			return -1;
		if (n > 0)
			done += n;
	}
	return 0;
}

static void *send_flow(void *arg)
{
	static __thread uint8_t buf[65536];
	struct flow *f = arg;
	uint64_t at = 0;
	size_t len, j;
	int i;

	if (f->scarce && !f->plain && at_make_it_fail(true))
		f->err = -1;
	for (i = 0; i < f->messages && !f->err; i++) {
		len = size_of(f, i);
		for (j = 0; j < len; j++)
			buf[j] = byte_at(at++);
		if (send_message(f, buf, len))
			break;
	}
	if (f->scarce && !f->plain)
		at_make_it_fail(false);
	return NULL;
}

static bool is_right(const uint8_t *buf, size_t len, uint64_t at)
{
	size_t j;

	for (j = 0; j < len; j++)
		if (buf[j] != byte_at(at++))
			return false;
	return true;
}

/*
 * Receive all messages and check each byte. Return how many messages arrived
 * whole. A stream has no boundaries, so only its bytes count.
 */
static int receive_flow(struct flow *f)
{
	static uint8_t buf[65536];
	uint64_t at = 0, end = 0;
	ssize_t n;
	int i;

	for (i = 0; i < f->messages; i++) {
		end += size_of(f, i);
		while (at < end) {
			n = recv(f->fd, buf, sizeof(buf),
				 f->poll ? MSG_DONTWAIT : 0);
			if (n < 0 && !may_repeat(f, POLLIN))
				continue;
			if (n <= 0 || !is_right(buf, n, at))
				return i;
			at += n;
		}
		if (f->type != SOCK_STREAM && at != end)
			return i;
	}
	return i;
}

static bool run_flow(struct flow *how, const int sv[2])
{
	struct flow from = *how;
	struct timeval tv = { .tv_sec = 60 };
	pthread_t thread;
	int got;

	/* If the sender fails, the receiver must not wait for ever. */
	if (setsockopt(sv[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return false;
	from.fd = sv[0];
	how->fd = sv[1];
	if (pthread_create(&thread, NULL, send_flow, &from))
		return false;
	got = receive_flow(how);
	if (got != how->messages)
		shutdown(how->fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	how->hungry += from.hungry;
	if (got != how->messages || from.err || how->err)
		printf("# %d of %d messages, errno %d and %d\n", got,
		       how->messages, from.err, how->err);
	return got == how->messages && !from.err && !how->err;
}

static int smallest_buffers(const int sv[2])
{
	int one = 1, i;

	for (i = 0; i < 2; i++)
		if (setsockopt(sv[i], SOL_SOCKET, SO_SNDBUF, &one,
			       sizeof(one)) ||
		    setsockopt(sv[i], SOL_SOCKET, SO_RCVBUF, &one,
			       sizeof(one)))
			return -1;
	return 0;
}

TEST_F_TIMEOUT(pressure, smallest_buffers_blocking, AT_TIMEOUT)
{
	/* The smallest send buffer has 4608 bytes; AF_UNIX reserves 32. */
	struct flow f = {
		.type = variant->type, .messages = at_scale(2000, 1000),
		.most = 4500,
	};

	ASSERT_EQ(0, smallest_buffers(self->sv));
	EXPECT_TRUE(run_flow(&f, self->sv));
}

TEST_F_TIMEOUT(pressure, smallest_buffers_polling, AT_TIMEOUT)
{
	struct flow f = {
		.type = variant->type, .messages = at_scale(2000, 1000),
		.most = 4500, .poll = true,
	};

	ASSERT_EQ(0, smallest_buffers(self->sv));
	EXPECT_TRUE(run_flow(&f, self->sv));
}

/* Messages of one byte pass through the smallest buffers whole and in order. */
TEST_F_TIMEOUT(pressure, smallest_buffers_single_bytes, AT_TIMEOUT)
{
	struct flow f = {
		.type = variant->type, .messages = at_scale(5000, 2500),
		.most = 1,
	};

	ASSERT_EQ(0, smallest_buffers(self->sv));
	EXPECT_TRUE(run_flow(&f, self->sv));
}

static char cgroup[64];

static int cgroup_file(const char *name, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/altconn-test/%s", cgroup, name);
	return open(path, flags);
}

static int cgroup_write(const char *name, const char *text)
{
	int fd = cgroup_file(name, O_WRONLY), n;

	n = write(fd, text, strlen(text));
	close(fd);
	return n == (int)strlen(text) ? 0 : -1;
}

static long cgroup_read(const char *name)
{
	char text[32] = {};
	int fd = cgroup_file(name, O_RDONLY), n;

	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atol(text) : -1;
}

/*
 * Create a cgroup with the memory controller and with @limit as memory.max, and
 * move this process into it.
 */
static int enter_cgroup(const char *limit)
{
	char path[128];
	int fd, err;

	/*
	 * Fault in all of the program's pages first: the old cgroup pays for
	 * them, so they do not count towards the limit.
	 */
	if (mlockall(MCL_CURRENT))
		return -1;
	snprintf(cgroup, sizeof(cgroup), "/tmp/altconn-cgroup-%d", getpid());
	if (mkdir(cgroup, 0755) || mount("none", cgroup, "cgroup2", 0, NULL))
		return -1;
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup);
	fd = open(path, O_WRONLY);
	err = write(fd, "+memory", 7) != 7;
	close(fd);
	snprintf(path, sizeof(path), "%s/altconn-test", cgroup);
	if (err || (mkdir(path, 0755) && errno != EEXIST))
		return -1;
	return cgroup_write("memory.max", limit) ||
	       cgroup_write("cgroup.procs", "0") ? -1 : 0;
}

static void leave_cgroup(void)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	(void)!write(fd, "0", 1);
	close(fd);
	snprintf(path, sizeof(path), "%s/altconn-test", cgroup);
	rmdir(path);
	umount2(cgroup, MNT_DETACH);
	rmdir(cgroup);
}

/* Return how often the cgroup has reached its limit, or -1. */
static long limit_met(void)
{
	char text[256] = {}, *p;
	int fd = cgroup_file("memory.events", O_RDONLY);

	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	p = strstr(text, "\nmax ");
	return p ? atol(p + 5) : -1;
}

/*
 * Exempt this process from the OOM killer, so that an allocation beyond the
 * limit fails with ENOMEM.
 */
static int spare_me(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY), n;

	n = write(fd, "-1000", 5);
	close(fd);
	return n == 5 ? 0 : -1;
}

/*
 * If the buffers may hold more than the cgroup's memory, send() fails with
 * ENOMEM or ENOBUFS, and no data is lost.
 */
TEST_F_TIMEOUT(pressure, small_cgroup, AT_TIMEOUT_LONG)
{
	struct flow f = {
		.type = variant->type, .messages = at_scale(2000, 300),
		.most = 60000, .scarce = true, .plain = true,
	};
	static char buf[30000];
	int size = 16 << 20, i;
	bool scarce;
	long sum = 0, got = 0;
	ssize_t n;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, setsockopt(self->sv[i], SOL_SOCKET, SO_SNDBUFFORCE,
					&size, sizeof(size)));
		ASSERT_EQ(0, setsockopt(self->sv[i], SOL_SOCKET, SO_RCVBUFFORCE,
					&size, sizeof(size)));
	}
	ASSERT_EQ(0, spare_me());
	ASSERT_EQ(0, enter_cgroup("6M"));
	while ((n = send(self->sv[0], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += n;
	/* AF_UNIX queues at most ten datagrams, whatever the buffer size. */
	scarce = variant->format != AT_ORACLE || variant->type != SOCK_DGRAM;
	if (scarce)
		EXPECT_TRUE(errno == ENOMEM || errno == ENOBUFS);
	while ((n = recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		got += n;
	EXPECT_EQ(sum, got);
	/* Reading memory.events takes memory, so drain the queue first. */
	if (scarce)
		EXPECT_LT(0, limit_met());
	EXPECT_TRUE(run_flow(&f, self->sv));
	leave_cgroup();
}

#define CHARGED_PAIRS 40

/* The sender's cgroup is charged for unread data until the sockets close. */
TEST_F_TIMEOUT(pressure, cgroup_is_charged, AT_TIMEOUT)
{
	int sv[CHARGED_PAIRS][2], i;
	long before, full, sum = 0;
	static char buf[4000];
	ssize_t n;

	ASSERT_EQ(0, enter_cgroup("max"));
	before = cgroup_read("memory.current");
	ASSERT_LT(0, before);
	for (i = 0; i < CHARGED_PAIRS; i++) {
		ASSERT_EQ(0,
			  at_socketpair(variant->format, variant->type, sv[i]));
		while ((n = send(sv[i][0], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			sum += n;
		ASSERT_EQ(EAGAIN, errno);
	}
	/* Each CPU charges pages in batches: the value is not exact. */
	full = cgroup_read("memory.current") - before;
	EXPECT_LE(sum / 2, full) {
		TH_LOG("%ld bytes queued, %ld charged", sum, full);
	}
	for (i = 0; i < CHARGED_PAIRS; i++)
		at_close(sv[i], 2);
	EXPECT_TRUE(at_until(cgroup_read("memory.current") - before <
			     full / 4));
	leave_cgroup();
}

#define PARCEL_PAIRS	200
#define PARCELS		8

/*
 * Return the bytes that are charged for unread messages with one descriptor
 * each, or -1 on failure.
 */
static long charged_by_descriptors(enum at_format format, int type)
{
	int sv[PARCEL_PAIRS][2], fd = open("/dev/null", O_RDONLY), i, err = 0;
	long charged;

	/* The first byte allocates the buffer, outside of the cgroup. */
	for (i = 0; i < PARCEL_PAIRS; i++)
		err |= at_socketpair(format, type, sv[i]) ||
		       send(sv[i][0], "x", 1, 0) != 1;
	if (err || enter_cgroup("max"))
		return -1;
	charged = -cgroup_read("memory.current");
	for (i = 0; i < PARCEL_PAIRS * PARCELS; i++)
		err |= at_send_with(sv[i / PARCELS][0], "x", 1, SCM_RIGHTS,
				    &fd, sizeof(fd), 0) != 1;
	charged += cgroup_read("memory.current");
	for (i = 0; i < PARCEL_PAIRS; i++)
		at_close(sv[i], 2);
	close(fd);
	leave_cgroup();
	return err ? -1 : charged;
}

/* A message with a descriptor takes no more memory than it takes in AF_UNIX. */
TEST(descriptors_take_little_memory)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	long charged, peer;
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		charged = charged_by_descriptors(AT_NATIVE, types[i]);
		peer = charged_by_descriptors(AT_ORACLE, types[i]);
		/* Each CPU charges pages in batches: the value is not exact. */
		EXPECT_LE(0, charged);
		EXPECT_LE(charged, peer) {
			TH_LOG("type %d: %ld bytes, AF_UNIX %ld", types[i],
			       charged, peer);
		}
	}
}

FIXTURE(idle) { };

FIXTURE_SETUP(idle) { }

FIXTURE_TEARDOWN(idle) { }

/*
 * The emptied buffers of one user may keep 2 MiB for each CPU. A message of
 * IDLE_MESSAGE bytes allocates a buffer of twice its size.
 */
#define IDLE_BYTES	((2L << 20) * sysconf(_SC_NPROCESSORS_ONLN))
#define IDLE_MESSAGE	65536

#define IDLE_PAIRS	12

static int make_pairs(int sv[][2], int n)
{
	static char byte;
	int i;

	for (i = 0; i < n; i++)
		if (at_socketpair(AT_NATIVE, SOCK_STREAM, sv[i]) ||
		    at_set_flag(sv[i][0], SOL_SOCKET, SO_SNDBUF, 262144) ||
		    at_send_all(sv[i][0], &byte, 1) ||
		    at_recv_all(sv[i][1], &byte, 1))
			return -1;
	return 0;
}

/* Pass one message through each pair, which empties each buffer again. */
static int use_pairs(int sv[][2], int n)
{
	static char buf[IDLE_MESSAGE];
	int i;

	for (i = 0; i < n; i++)
		if (send(sv[i][0], buf, sizeof(buf), 0) != sizeof(buf) ||
		    at_recv_all(sv[i][1], buf, sizeof(buf)))
			return -1;
	return 0;
}

/* Leave more than @most bytes unread in full pairs. */
static int leave_unread(long most)
{
	static char buf[IDLE_MESSAGE];
	long sum = 0;
	ssize_t n;
	int sv[2];

	while (sum <= most) {
		if (at_socketpair(AT_NATIVE, SOCK_STREAM, sv))
			return -1;
		while ((n = send(sv[0], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			sum += n;
		if (errno != EAGAIN)
			return -1;
	}
	return 0;
}

/*
 * Start a process of an unprivileged user that leaves more than @most bytes
 * unread. Return a descriptor, or -1 on failure. The process exits when the
 * descriptor is closed.
 */
static int unread_of_nobody(long most, pid_t *pid)
{
	int link[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, link))
		return -1;
	*pid = at_fork();
	if (!*pid) {
		close(link[0]);
		_exit(at_drop_privileges() || leave_unread(most) ||
		      at_send_step(link[1]) || read(link[1], &byte, 1));
	}
	close(link[1]);
	if (*pid < 0 || at_wait_step(link[0])) {
		close(link[0]);
		return -1;
	}
	return link[0];
}

/*
 * An emptied buffer keeps its memory for the next message for a while, however
 * much data other users leave unread.
 */
TEST_F_TIMEOUT(idle, emptied_buffers_keep_memory, AT_TIMEOUT)
{
	long before, want = 2 * IDLE_MESSAGE * IDLE_PAIRS * 3 / 4;
	int sv[IDLE_PAIRS][2], i, link;
	pid_t pid;

	link = unread_of_nobody(2 * IDLE_BYTES, &pid);
	ASSERT_LE(0, link);
	ASSERT_EQ(0, enter_cgroup("max"));
	ASSERT_EQ(0, make_pairs(sv, IDLE_PAIRS));
	before = cgroup_read("memory.current");
	ASSERT_LT(0, before);
	/*
	 * On a slow machine the first buffers may be freed before the last one
	 * is used, so several rounds may be needed.
	 */
	EXPECT_TRUE(at_until(!use_pairs(sv, IDLE_PAIRS) &&
			     cgroup_read("memory.current") - before >= want)) {
		TH_LOG("%ld of %ld bytes kept",
		       cgroup_read("memory.current") - before, want);
	}
	/* Nothing is sent from here on, so the buffers are freed. */
	EXPECT_TRUE(at_until(cgroup_read("memory.current") - before <
			     want / 2));
	for (i = 0; i < IDLE_PAIRS; i++)
		at_close(sv[i], 2);
	leave_cgroup();
	close(link);
	EXPECT_EQ(0, at_reap(pid));
}

/*
 * The emptied buffers of one user keep a bounded amount of memory, however many
 * buffers there are.
 */
TEST_F_TIMEOUT(idle, emptied_buffers_are_bounded, AT_TIMEOUT)
{
	int n = 3 * IDLE_BYTES / (2 * IDLE_MESSAGE), i;
	int (*sv)[2] = calloc(n, sizeof(*sv));
	long before, kept;

	ASSERT_EQ(0, enter_cgroup("max"));
	ASSERT_EQ(0, make_pairs(sv, n));
	before = cgroup_read("memory.current");
	ASSERT_LT(0, before);
	ASSERT_EQ(0, use_pairs(sv, n));
	/* Each CPU charges pages in batches: the value is not exact. */
	kept = cgroup_read("memory.current") - before;
	EXPECT_GE(IDLE_BYTES * 3 / 2, kept);
	for (i = 0; i < n; i++)
		at_close(sv[i], 2);
	leave_cgroup();
	free(sv);
}

/* A send() that fails does not keep the larger buffer that it needed. */
TEST_F_TIMEOUT(idle, failed_writes_keep_nothing, AT_TIMEOUT)
{
	long before, size = 2 * IDLE_MESSAGE * IDLE_PAIRS;
	int sv[IDLE_PAIRS][2], i;
	char *hole;

	hole = mmap(NULL, IDLE_MESSAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, hole);
	ASSERT_EQ(0, enter_cgroup("max"));
	ASSERT_EQ(0, make_pairs(sv, IDLE_PAIRS));
	before = cgroup_read("memory.current");
	ASSERT_LT(0, before);
	for (i = 0; i < IDLE_PAIRS; i++) {
		EXPECT_EQ(-1, send(sv[i][0], hole, IDLE_MESSAGE, 0));
		EXPECT_EQ(EFAULT, errno);
	}
	EXPECT_TRUE(at_until(cgroup_read("memory.current") - before <
			     size / 2));
	for (i = 0; i < IDLE_PAIRS; i++)
		at_close(sv[i], 2);
	leave_cgroup();
}

#define RECEIVERS	24
#define BROADCASTS	20

/* Broadcast @len bytes of value @c to @to. Return 0 or the errno. */
static int broadcast(int fd, const struct at_addr *to, char c, size_t len)
{
	static char buf[60000];

	memset(buf, c, len);
	return at_err(sendto(fd, buf, len, 0, &to->sa, to->len));
}

/*
 * Bind receivers to one port and add a rule that delays datagrams by 100 ms.
 * Return a socket that may broadcast, or -1. Set its send buffer to @sndbuf
 * bytes unless that is 0.
 */
static int delayed_broadcaster(int *receivers, struct at_addr *to, int sndbuf)
{
	int fd = at_socket(AT_NATIVE, SOCK_DGRAM);

	if (fd < 0 || at_bind_receivers(to, receivers, RECEIVERS) ||
	    at_set_flag(fd, SOL_SOCKET, SO_BROADCAST, 1) ||
	    (sndbuf && at_set_flag(fd, SOL_SOCKET, SO_SNDBUFFORCE, sndbuf)) ||
	    at_tool("rule add type dgram delay 100") <= 0)
		return -1;
	return fd;
}

/*
 * The sender of a delayed broadcast is charged for its data once, and not once
 * for each receiver.
 */
TEST(delayed_broadcast_is_charged)
{
	int receivers[RECEIVERS], fd, i;
	struct at_addr to;
	long before, full;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	fd = delayed_broadcaster(receivers, &to, 8 << 20);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, enter_cgroup("max"));
	before = cgroup_read("memory.current");
	ASSERT_LT(0, before);
	for (i = 0; i < BROADCASTS; i++)
		ASSERT_EQ(0, broadcast(fd, &to, 'x', 60000));
	/* Each CPU charges pages in batches: the value is not exact. */
	full = cgroup_read("memory.current") - before;
	EXPECT_LE(BROADCASTS * 60000 / 3, full);
	EXPECT_GE(BROADCASTS * 60000 * 4, full) {
		TH_LOG("%d bytes for each of %d, %ld charged",
		       BROADCASTS * 60000, RECEIVERS, full);
	}
	for (i = 0; i < RECEIVERS; i++)
		EXPECT_EQ(POLLIN, at_poll(receivers[i], POLLIN));
	at_close(receivers, RECEIVERS);
	leave_cgroup();
	at_cleanup();
}

#define MANY_RECEIVERS	1000

/*
 * Bind many receivers to one port in a new network namespace. Return a socket
 * that may broadcast to them, or -1.
 */
static int make_broadcaster(int *receivers, struct at_addr *to)
{
	int fd;

	if (at_netns() || at_bind_receivers(to, receivers, MANY_RECEIVERS))
		return -1;
	fd = at_socket(AT_NATIVE, SOCK_DGRAM);
	return at_set_flag(fd, SOL_SOCKET, SO_BROADCAST, 1) ? -1 : fd;
}

/* Return how many receivers have got a datagram. */
static int count_received(const int *receivers)
{
	int i, received = 0;
	char c;

	for (i = 0; i < MANY_RECEIVERS; i++)
		received += recv(receivers[i], &c, 1, MSG_DONTWAIT) == 1;
	return received;
}

/*
 * Broadcast from a process and kill the process when the first receiver has the
 * datagram. Return how many receivers have got the datagram, or -1.
 */
static int received_of_killed(int fd, const struct at_addr *to,
			      const int *receivers)
{
	struct pollfd pfd[MANY_RECEIVERS];
	pid_t pid;
	int i;

	for (i = 0; i < MANY_RECEIVERS; i++)
		pfd[i] = (struct pollfd){ receivers[i], POLLIN };
	pid = at_fork();
	if (!pid)
		_exit(broadcast(fd, to, 'x', 60000));
	if (poll(pfd, MANY_RECEIVERS, AT_DEADLINE_MS) <= 0 ||
	    kill(pid, SIGKILL))
		return -1;
	at_reap(pid);
	return count_received(receivers);
}

/*
 * When its sender is killed, a broadcast ends, and the remaining receivers get
 * no copy.
 */
TEST(broadcast_ends_with_its_sender)
{
	int receivers[MANY_RECEIVERS], fd, i, received = MANY_RECEIVERS;
	struct at_addr to;

	fd = make_broadcaster(receivers, &to);
	ASSERT_LE(0, fd);
	/* The sender may have sent all copies, but not in each round. */
	for (i = 0; i < 100 && received == MANY_RECEIVERS; i++)
		received = received_of_killed(fd, &to, receivers);
	EXPECT_LT(0, received);
	EXPECT_GT(MANY_RECEIVERS, received);
	at_close(receivers, MANY_RECEIVERS);
	close(fd);
	at_cleanup();
}

/* A broadcast takes memory for its data once, not once for each receiver. */
TEST(broadcast_takes_memory_once)
{
	int receivers[MANY_RECEIVERS], fd, err;
	struct at_addr to;
	pid_t pid;

	fd = make_broadcaster(receivers, &to);
	ASSERT_LE(0, fd);
	pid = at_fork();
	if (!pid) {
		/* The limit allows for fewer than 70 copies of the data. */
		err = unshare(CLONE_NEWNS) || spare_me() || enter_cgroup("4M") ?
			-1 : broadcast(fd, &to, 'x', 60000);
		leave_cgroup();
		_exit(err);
	}
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_EQ(MANY_RECEIVERS, count_received(receivers));
	at_close(receivers, MANY_RECEIVERS);
	close(fd);
	at_cleanup();
}

/*
 * A broadcast that finds no memory for a copy fails with ENOMEM, and the
 * remaining receivers miss it.
 */
TEST(broadcast_fails_without_memory)
{
	int receivers[MANY_RECEIVERS], fd, err = 0, i, received = 0;
	struct at_addr to;

	fd = make_broadcaster(receivers, &to);
	ASSERT_LE(0, fd);
	if (at_fail_allocations(2)) {
		ASSERT_FALSE(at_debug());
		SKIP(return, "no fault injection in this kernel");
	}
	/* The datagram itself may find no memory, but not in each round. */
	for (i = 0; i < 100 && !(err == ENOMEM && received); i++) {
		ASSERT_EQ(0, at_make_it_fail(true));
		err = broadcast(fd, &to, 'x', 60000);
		at_make_it_fail(false);
		received = count_received(receivers);
	}
	at_fail_allocations(0);
	EXPECT_EQ(ENOMEM, err);
	EXPECT_LT(0, received);
	EXPECT_GT(MANY_RECEIVERS, received);
	at_close(receivers, MANY_RECEIVERS);
	close(fd);
	at_cleanup();
}

/*
 * A delayed broadcast makes no more copies than the sender's buffer has space
 * for. The remaining receivers miss it.
 */
TEST(delayed_broadcast_is_bounded)
{
	int receivers[RECEIVERS], fd, i, received = 0;
	struct pollfd pfd[RECEIVERS];
	struct at_addr to;
	char c;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	ASSERT_EQ(0, at_netns());
	/*
	 * The kernel doubles the value to 66000 bytes, so there is space for
	 * the data and for little more.
	 */
	fd = delayed_broadcaster(receivers, &to, 33000);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, broadcast(fd, &to, 'x', 60000));
	for (i = 0; i < RECEIVERS; i++)
		pfd[i] = (struct pollfd){ receivers[i], POLLIN };
	ASSERT_LT(0, poll(pfd, RECEIVERS, AT_DEADLINE_MS));
	/*
	 * The first broadcast has left the sender's queue, so there is space
	 * for a second one, which arrives after the first.
	 */
	ASSERT_EQ(0, broadcast(fd, &to, 'm', 1));
	for (i = 0; i < RECEIVERS; i++) {
		do {
			ASSERT_EQ(POLLIN, at_poll(receivers[i], POLLIN));
			ASSERT_LT(0, recv(receivers[i], &c, 1, 0));
			received += c == 'x';
		} while (c != 'm');
	}
	EXPECT_LE(1, received);
	EXPECT_GE(8, received);
	at_close(receivers, RECEIVERS);
	at_cleanup();
}

/*
 * Data flows whole and in order while one allocation in ten fails. A call that
 * fails for lack of memory can be repeated.
 */
TEST_F_TIMEOUT(pressure, failing_allocations, AT_TIMEOUT_LONG)
{
	struct flow f = {
		.type = variant->type, .messages = at_scale(3000, 1500),
		.most = 60000, .scarce = true,
	};

	if (at_fail_allocations(10)) {
		/* The debug kernel must have fault injection. */
		ASSERT_FALSE(at_debug());
		SKIP(return, "no fault injection in this kernel");
	}
	EXPECT_TRUE(run_flow(&f, self->sv));
	at_fail_allocations(0);
	/* A call must have failed. A stream mostly needs no allocation. */
	if (variant->type == SOCK_DGRAM)
		EXPECT_LT(0, f.hungry);
}

#define REPLACED	16
#define RULES		255
#define HOGS		4

/* A thread that matches rules, and threads that take all of its CPU time */
struct stalled {
	pthread_t thread, hog[HOGS];
	struct at_addr a;
	cpu_set_t cpus;
	atomic_bool stop;
	atomic_int hogs;
	atomic_uint rounds;
};

static void *stalled_match(void *arg)
{
	struct sched_param idle = {};
	struct stalled *s = arg;

	if (pthread_setaffinity_np(pthread_self(), sizeof(s->cpus), &s->cpus) ||
	    sched_setscheduler(0, SCHED_IDLE, &idle))
		return s;
	while (!atomic_load(&s->stop)) {
		close(at_client(AT_UNIX, SOCK_STREAM, &s->a, &(int){ 0 }));
		atomic_fetch_add(&s->rounds, 1);
	}
	return NULL;
}

static void *stalled_hog(void *arg)
{
	struct stalled *s = arg;

	if (pthread_setaffinity_np(pthread_self(), sizeof(s->cpus), &s->cpus) ||
	    setpriority(PRIO_PROCESS, gettid(), -20))
		return s;
	atomic_fetch_add(&s->hogs, 1);
	while (!atomic_load(&s->stop))
		;
	return NULL;
}

/*
 * Pin the thread and the hogs to one CPU, and the test to the other CPUs if
 * there are any.
 */
static int stalled_begin(struct stalled *s)
{
	cpu_set_t all, rest;
	int cpu, i;

	if (sched_getaffinity(0, sizeof(all), &all))
		return -1;
	for (cpu = CPU_SETSIZE - 1; !CPU_ISSET(cpu, &all); cpu--)
		;
	CPU_ZERO(&s->cpus);
	CPU_SET(cpu, &s->cpus);
	CPU_XOR(&rest, &all, &s->cpus);
	if (CPU_COUNT(&rest) && sched_setaffinity(0, sizeof(rest), &rest))
		return -1;
	if (setpriority(PRIO_PROCESS, 0, -20) ||
	    pthread_create(&s->thread, NULL, stalled_match, s) ||
	    !at_until(atomic_load(&s->rounds)))
		return -1;
	for (i = 0; i < HOGS; i++)
		if (pthread_create(&s->hog[i], NULL, stalled_hog, s))
			return -1;
	return at_until(atomic_load(&s->hogs) == HOGS) ? 0 : -1;
}

static int stalled_end(struct stalled *s)
{
	void *failed;
	int i, n = 0;

	atomic_store(&s->stop, true);
	for (i = 0; i < HOGS; i++)
		n += pthread_join(s->hog[i], &failed) || failed;
	return n + (pthread_join(s->thread, &failed) || failed);
}

/*
 * Create a socket file at the end of a path that takes long to match, and set
 * @a to the file's relative path.
 */
static int long_path(char *top, struct at_addr *a)
{
	char name[201];
	int i;

	memset(name, 'a', 200);
	name[200] = 0;
	if (!mkdtemp(top) || chdir(top))
		return -1;
	for (i = 0; i < 18; i++)
		if (mkdir(name, 0755) || chdir(name))
			return -1;
	at_addr_path(a, AT_UNIX, "s");
	return mknod("s", S_IFSOCK | 0666, 0);
}

/* Replace the rules by rules that scan the whole path and do not match. */
static int replace_rules(void)
{
	int fd = memfd_create("altconn-rules", 0), i, k, ret;
	FILE *f = fdopen(dup(fd), "w");

	if (!f)
		return -1;
	for (i = 0; i < RULES; i++) {
		fprintf(f, "to path:*");
		for (k = 0; k < 48; k++)
			fprintf(f, "[!%c%c]", 'b' + (i + k) % 20, 'A' + k % 26);
		fprintf(f, "*z deny\n");
	}
	ret = fclose(f) ? -1 : at_tool("rule restore /proc/self/fd/%d", fd);
	close(fd);
	return ret;
}

/* Return the bytes of kernel objects that the cgroup is charged for, or -1. */
static long cgroup_objects(void)
{
	char text[8192] = {}, *p;
	int fd = cgroup_file("memory.stat", O_RDONLY);

	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	p = strstr(text, "\nslab_unreclaimable ");
	return p ? atol(p + strlen("\nslab_unreclaimable ")) : -1;
}

FIXTURE(rules) {
	struct stalled stalled;
	char top[64];
};

FIXTURE_SETUP(rules)
{
	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	strcpy(self->top, "/tmp/altconn-pressure-XXXXXX");
	ASSERT_EQ(0, at_netns());
	ASSERT_EQ(0, long_path(self->top, &self->stalled.a));
	ASSERT_EQ(0, enter_cgroup("max"));
}

FIXTURE_TEARDOWN(rules)
{
	char cmd[128];

	leave_cgroup();
	ASSERT_EQ(0, chdir("/"));
	snprintf(cmd, sizeof(cmd), "rm -r %s", self->top);
	EXPECT_EQ(0, system(cmd));
}

/*
 * A thread that matches rules and gets no CPU time pins the table of rules that
 * it reads. It pins none of the tables that replace this table meanwhile.
 */
TEST_F_TIMEOUT(rules, a_thread_that_does_not_run_keeps_one_table,
	       AT_TIMEOUT_LONG)
{
	struct stalled *s = &self->stalled;
	long none, one;
	unsigned int rounds;
	int i;

	ASSERT_EQ(0, at_tool("rule flush"));
	none = cgroup_objects();
	ASSERT_LT(0, none);
	ASSERT_EQ(0, replace_rules());
	one = cgroup_objects() - none;
	/* The patterns alone take this many bytes. */
	ASSERT_LT(RULES * 240, one);
	ASSERT_EQ(0, stalled_begin(s));
	do {
		rounds = atomic_load(&s->rounds);
		for (i = 0; i < REPLACED; i++)
			ASSERT_EQ(0, replace_rules());
		/* Repeat this if the thread has run meanwhile. */
	} while (atomic_load(&s->rounds) != rounds);
	EXPECT_TRUE(at_until(cgroup_objects() - none < REPLACED / 2 * one)) {
		TH_LOG("a table has %ld bytes; %ld are charged", one,
		       cgroup_objects() - none);
	}
	EXPECT_EQ(rounds, atomic_load(&s->rounds));
	EXPECT_EQ(0, stalled_end(s));
}

TEST_HARNESS_MAIN
