// SPDX-License-Identifier: GPL-2.0
/*
 * These tests read dumps over generic netlink to the end, give them up
 * half-way, and add and remove the objects of a dump meanwhile.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <linux/altconn_netlink.h>
#include <sched.h>

/*
 * These are more associations than fit into one message to user space, and more
 * than one part of a dump looks at.
 */
#define PAIRS	300

FIXTURE(dump) {
	int sv[PAIRS][2];
};

FIXTURE_SETUP(dump)
{
	int i;

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	for (i = 0; i < PAIRS; i++)
		ASSERT_EQ(0, at_socketpair(AT_NATIVE, SOCK_STREAM,
					   self->sv[i]));
}

FIXTURE_TEARDOWN(dump)
{
	int i;

	for (i = 0; i < PAIRS; i++)
		at_close(self->sv[i], 2);
}

/* Close both ends of an association. */
static void end_pair(int sv[2])
{
	at_close(sv, 2);
	sv[0] = -1;
	sv[1] = -1;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Return how many different ids there are, and sort @ids. */
static int distinct(uint64_t *ids, int n)
{
	int i, found = n > 0;

	qsort(ids, n, sizeof(*ids), compare_ids);
	for (i = 1; i < n; i++)
		found += ids[i] != ids[i - 1];
	return found;
}

/*
 * Read the rest of a dump that has @n of at most PAIRS ids already. Return the
 * number of ids then, or -1.
 */
static int rest_of_ids(int fd, uint64_t *ids, int n)
{
	bool more = true;
	int some;

	while (more) {
		some = at_dump_some_ids(fd, &more, ids + n, PAIRS - n);
		if (some < 0)
			return -1;
		n += some;
	}
	return n;
}

TEST_F_TIMEOUT(dump, each_association_once_beside_a_paused_dump, AT_TIMEOUT)
{
	int paused = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	int fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET), some;
	uint64_t ids[PAIRS], whole[PAIRS];
	bool more;

	ASSERT_LE(0, paused);
	ASSERT_LE(0, fd);
	some = at_dump_some_ids(paused, &more, ids, PAIRS);
	ASSERT_LT(0, some);
	EXPECT_TRUE(more);
	ASSERT_EQ(PAIRS, rest_of_ids(fd, whole, 0));
	EXPECT_EQ(PAIRS, distinct(whole, PAIRS));
	close(fd);
	/* The first dump continues where it has stopped. */
	ASSERT_EQ(PAIRS, rest_of_ids(paused, ids, some));
	EXPECT_EQ(PAIRS, distinct(ids, PAIRS));
	EXPECT_EQ(0, memcmp(ids, whole, sizeof(ids)));
	close(paused);
}

TEST_F_TIMEOUT(dump, closed_half_way, AT_TIMEOUT)
{
	int fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	bool more;

	ASSERT_LE(0, fd);
	EXPECT_LT(0, at_dump_some(fd, &more));
	EXPECT_TRUE(more);
	close(fd);
	fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	EXPECT_EQ(PAIRS, at_dump_rest(fd));
	close(fd);
}

TEST_F_TIMEOUT(dump, all_associations_close_meanwhile, AT_TIMEOUT)
{
	int fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET), some, rest, i;
	bool more;

	some = at_dump_some(fd, &more);
	EXPECT_LT(0, some);
	for (i = 0; i < PAIRS; i++)
		end_pair(self->sv[i]);
	/*
	 * The kernel may have put some associations into its next message
	 * already.
	 */
	rest = at_dump_rest(fd);
	EXPECT_LE(0, rest);
	EXPECT_GT(PAIRS, some + rest);
	close(fd);
}

TEST_F_TIMEOUT(dump, new_associations_do_not_prolong_a_dump, AT_TIMEOUT)
{
	int fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET), sum, n, i;
	bool more = true;

	sum = at_dump_some(fd, &more);
	EXPECT_TRUE(more);
	for (i = 0; i < PAIRS; i++) {
		end_pair(self->sv[i]);
		ASSERT_EQ(0, at_socketpair(AT_NATIVE, SOCK_STREAM,
					   self->sv[i]));
	}
	while (more) {
		n = at_dump_some(fd, &more);
		ASSERT_LE(0, n);
		sum += n;
	}
	EXPECT_GE(PAIRS, sum);
	close(fd);
}

TEST_F_TIMEOUT(dump, closed_association_marks_a_dump, AT_TIMEOUT)
{
	int fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET), sv[2];
	bool more;

	/*
	 * An association that begins later than a dump does not mark the dump
	 * NLM_F_DUMP_INTR, not even if the association ends meanwhile.
	 */
	EXPECT_LT(0, at_dump_some(fd, &more));
	ASSERT_EQ(0, at_socketpair(AT_NATIVE, SOCK_STREAM, sv));
	end_pair(sv);
	EXPECT_EQ(0, at_dump_marked(fd));
	close(fd);

	fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	EXPECT_LT(0, at_dump_some(fd, &more));
	end_pair(self->sv[PAIRS - 1]);
	EXPECT_EQ(1, at_dump_marked(fd));
	close(fd);

	/* A removal before the dump does not mark the dump. */
	fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	EXPECT_EQ(0, at_dump_marked(fd));
	close(fd);
}

static int bind_datagrams(int fds[PAIRS])
{
	struct at_addr a;
	int i, err = 0;

	for (i = 0; i < PAIRS; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_DGRAM);
		at_addr_port(&a, 1000 + i);
		err = err ? : at_bind(fds[i], &a);
	}
	return err;
}

TEST_F_TIMEOUT(dump, closed_socket_marks_a_dump, AT_TIMEOUT)
{
	int fds[PAIRS], fd;
	bool more;

	ASSERT_EQ(0, bind_datagrams(fds));
	fd = at_dump_begin(ALTCONN_CMD_SOCKET_GET);
	EXPECT_LT(0, at_dump_some(fd, &more));
	EXPECT_TRUE(more);
	EXPECT_EQ(0, at_dump_marked(fd));
	close(fd);
	fd = at_dump_begin(ALTCONN_CMD_SOCKET_GET);
	EXPECT_LT(0, at_dump_some(fd, &more));
	close(fds[0]);
	EXPECT_EQ(1, at_dump_marked(fd));
	close(fd);
	at_close(fds + 1, PAIRS - 1);
}

TEST_F_TIMEOUT(dump, each_socket_once, AT_TIMEOUT)
{
	int fds[PAIRS], fd, some;
	uint64_t ids[PAIRS];
	bool more;

	ASSERT_EQ(0, bind_datagrams(fds));
	fd = at_dump_begin(ALTCONN_CMD_SOCKET_GET);
	some = at_dump_some_ids(fd, &more, ids, PAIRS);
	ASSERT_LT(0, some);
	EXPECT_TRUE(more);
	ASSERT_EQ(PAIRS, rest_of_ids(fd, ids, some));
	EXPECT_EQ(PAIRS, distinct(ids, PAIRS));
	EXPECT_NE(0, ids[0]);
	close(fd);
	at_close(fds, PAIRS);
}

/*
 * An attempt that has failed is no longer listed, although its socket keeps it.
 * The attempt marks a dump when it ends, and not again when its socket closes.
 */
TEST_F_TIMEOUT(dump, failed_attempt_marks_a_dump_once, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd = at_listener(&a, AT_NATIVE, AT_PORT, SOCK_STREAM, 0);
	int queued, waits, fd, err;
	bool more;

	ASSERT_LE(0, lfd);
	queued = at_client(AT_NATIVE, SOCK_STREAM, &a, &err);
	ASSERT_EQ(0, err);
	waits = at_socket(AT_NATIVE, SOCK_STREAM | SOCK_NONBLOCK);
	ASSERT_EQ(EINPROGRESS, at_err(at_connect(waits, &a)));
	EXPECT_EQ(PAIRS + 2, at_dump(ALTCONN_CMD_ASSOC_GET));

	fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	EXPECT_LT(0, at_dump_some(fd, &more));
	close(lfd);
	EXPECT_EQ(1, at_dump_marked(fd));
	close(fd);
	/* The queued association is still listed, since its client is open. */
	EXPECT_EQ(PAIRS + 1, at_dump(ALTCONN_CMD_ASSOC_GET));
	close(queued);

	fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	EXPECT_LT(0, at_dump_some(fd, &more));
	close(waits);
	EXPECT_EQ(0, at_dump_marked(fd));
	close(fd);
}

/*
 * A part of a dump in which no object matches does not end the dump. One part
 * does not look at all objects.
 */
TEST_F_TIMEOUT(dump, no_match_among_many, AT_TIMEOUT)
{
	static const int cmds[] = {
		ALTCONN_CMD_ASSOC_GET, ALTCONN_CMD_SOCKET_GET,
	};
	int fds[PAIRS], fd, i;
	bool more;

	ASSERT_EQ(0, bind_datagrams(fds));
	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		fd = at_dump_begin_one(cmds[i], 1ULL << 60);
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, at_dump_some(fd, &more));
		EXPECT_TRUE(more);
		EXPECT_EQ(0, at_dump_rest(fd));
		close(fd);
	}
	at_close(fds, PAIRS);
}

/* The namespace ends while a dump of it is stopped half-way. */
TEST_F_TIMEOUT(dump, namespace_ends, AT_TIMEOUT)
{
	pid_t pid = fork();
	int sv[2], fd;
	bool more;

	ASSERT_LE(0, pid);
	if (!pid) {
		if (unshare(CLONE_NEWNET))
			_exit(2);
		for (fd = 0; fd < PAIRS; fd++) {
			if (at_socketpair(AT_NATIVE, SOCK_STREAM, sv))
				_exit(3);
		}
		fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
		_exit(fd < 0 || at_dump_some(fd, &more) <= 0 || !more);
	}
	EXPECT_EQ(0, at_reap(pid));
}

/*
 * Return the time of ten dumps of two sockets, ns, or 0 on failure. One of the
 * sockets has @n unread datagrams.
 */
static uint64_t dump_beside(int n)
{
	int size = 1 << 28, i, fds[2];
	uint64_t began, took;
	struct at_addr a;

	fds[0] = at_bound(&a, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	fds[1] = at_socket(AT_NATIVE, SOCK_DGRAM);
	if (at_connect(fds[1], &a) ||
	    setsockopt(fds[0], SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		return 0;
	for (i = 0; i < n && send(fds[1], "x", 1, MSG_DONTWAIT) == 1; i++)
		;
	began = at_now_ns();
	for (size = 0; i == n && size < 10; size++) {
		int fd = at_dump_begin(ALTCONN_CMD_SOCKET_GET);

		if (at_dump_rest(fd) != 2)
			i = -1;
		close(fd);
	}
	took = i == n ? at_now_ns() - began : 0;
	at_close(fds, 2);
	return took;
}

/*
 * Any user may ask for a dump, so a dump does not walk the unread datagrams of
 * a socket.
 */
TEST(unread_datagrams_cost_a_dump_nothing)
{
	int n = at_scale(40000, 4000);

	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	EXPECT_TRUE(at_grows(2, dump_beside(n / 40), dump_beside(n)));
}

TEST_HARNESS_MAIN
