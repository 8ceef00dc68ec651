// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets that have nothing to do with each other share no lock and no counter.
 *
 * A test makes one connection after another, or sends datagrams from one new
 * socket after another, and the kernel counts how often the thread takes each
 * class of locks. The thread takes no class that AF_UNIX does not take, except
 * the classes in own_classes. So the test finds a new lock. It does not find
 * out whether two CPUs take the same lock of a class in own_classes.
 *
 * Another test shows by the ids of associations that each CPU counts by itself.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS		100
#define FEW		(ROUNDS / 2)
#define CLASSES_MAX	1024
#define NAME_MAX_LEN	64

#define LOCK_EVENT	"events/lock/lock_acquire/"
/*
 * Count by the name of the class. 24 is TRACE_FLAG_HARDIRQ and
 * TRACE_FLAG_SOFTIRQ: acquisitions in interrupts do not count.
 */
#define LOCK_TRIGGER							\
	"%shist:keys=name:size=2048 if common_pid == %d && !(common_flags & 24)"

/*
 * Each lock of these classes belongs to one object or to one CPU. A stripe of
 * the table of bindings belongs to a part of the ports and names.
 */
static const char *const own_classes[] = {
	"&ask->lock", "&ln->lock",
	"&assoc->lock", "&ring->write_lock", "&ring->read_lock",
	"&ask->queue_lock", "&ask->poll_lock",
	"&reg->tree[i].lock", "&idle->lock", "&place_stripes[i]",
	/* This is sk_callback_lock. AF_ASH is the number of the family. */
	"clock-AF_ASH",
	/* The clock is only read. */
	"tk_core.seq.seqcount",
	/* Each CPU has its own: kfree_rcu(), random numbers, the scheduler. */
	"krc.lock", "batched_entropy_u32.lock", "&rq->__lock",
	/* The allocators take these, on the debug kernel in particular. */
	"&n->list_lock", "&zone->lock", "&pcp->lock",
};

/* The classes that a program has taken, with the numbers of times. */
struct lock_counts {
	struct lock_class {
		char name[NAME_MAX_LEN];
		unsigned long n;
	} class[CLASSES_MAX];
	int n;
};

FIXTURE(locks) {
	struct lock_counts counts, expected;
};

FIXTURE_VARIANT(locks) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(locks, stream_by_name) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(locks, stream_by_port) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(locks, seqpacket_by_name) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};

FIXTURE_VARIANT_ADD(locks, datagram_by_name) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_DGRAM,
};

FIXTURE_VARIANT_ADD(locks, datagram_by_port) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_DGRAM,
};

FIXTURE_SETUP(locks)
{
	ASSERT_EQ(0, at_trace_open());
}

FIXTURE_TEARDOWN(locks)
{
	EXPECT_EQ(0, at_trace_close());
	at_cleanup();
}

/* Exchange a byte over a new connection. Return 0, or -1 on failure. */
static int make_connection(enum at_format format, int type,
			   const struct at_addr *a, int lfd)
{
	int fd, peer, err, ret = -1;

	fd = at_client(format, type, a, &err);
	peer = accept(lfd, NULL, NULL);
	if (fd >= 0 && !err && peer >= 0 && !at_send_byte(fd, NULL, 'a') &&
	    at_recv_byte(peer) == 'a' && !at_send_byte(peer, NULL, 'b') &&
	    at_recv_byte(fd) == 'b')
		ret = 0;
	close(fd);
	close(peer);
	return ret;
}

/* Send a byte from a new datagram socket. Return 0, or -1 on failure. */
static int send_datagram(enum at_format format, const struct at_addr *a,
			 int receiver)
{
	int fd = at_socket(format, SOCK_DGRAM), ret = -1;

	if (fd >= 0 && !at_send_byte(fd, a, 'a') &&
	    at_recv_byte(receiver) == 'a')
		ret = 0;
	close(fd);
	return ret;
}

static int run_rounds(enum at_format format, int type, const struct at_addr *a,
		      int fd, int n)
{
	int i, err = 0;

	for (i = 0; i < n && !err; i++)
		err = type == SOCK_DGRAM ?
		      send_datagram(format, a, fd) :
		      make_connection(format, type, a, fd);
	return err;
}

/* Read the kernel's counts. Return 0, or -1 on failure. */
static int read_counts(struct lock_counts *counts)
{
	FILE *f = at_trace_read(LOCK_EVENT "hist");
	char line[512];

	counts->n = 0;
	while (f && counts->n < CLASSES_MAX && fgets(line, sizeof(line), f)) {
		struct lock_class *c = &counts->class[counts->n];
		char *hits = strstr(line, "} hitcount:");

		if (!hits || sscanf(line, "{ name: %63[^}]", c->name) != 1 ||
		    sscanf(hits, "} hitcount: %lu", &c->n) != 1)
			continue;
		c->name[strcspn(c->name, " ")] = 0;
		counts->n++;
	}
	if (f)
		fclose(f);
	return counts->n ? 0 : -1;
}

/*
 * Count the locks that ROUNDS rounds take. Two rounds run before, so that
 * objects that stay exist already.
 * Return 0, or -1 on failure.
 */
static int count_locks(enum at_format format, enum at_kind kind, int type,
		       struct lock_counts *counts)
{
	struct at_addr a;
	char trigger[128];
	int fd, err;

	fd = type == SOCK_DGRAM ? at_bound(&a, format, kind, type) :
				  at_listener(&a, format, kind, type, 8);
	if (fd < 0 || run_rounds(format, type, &a, fd, 2))
		return -1;
	snprintf(trigger, sizeof(trigger), LOCK_TRIGGER, "", gettid());
	if (at_trace_put(LOCK_EVENT "trigger", trigger))
		return -1;
	err = run_rounds(format, type, &a, fd, ROUNDS);
	if (!err)
		err = read_counts(counts);
	snprintf(trigger, sizeof(trigger), LOCK_TRIGGER, "!", gettid());
	close(fd);
	return at_trace_put(LOCK_EVENT "trigger", trigger) ? -1 : err;
}

static unsigned long times_taken(const struct lock_counts *counts,
				 const char *name)
{
	int i;

	for (i = 0; i < counts->n; i++)
		if (!strcmp(counts->class[i].name, name))
			return counts->class[i].n;
	return 0;
}

static bool is_own(const char *name)
{
	int i;

	for (i = 0; i < sizeof(own_classes) / sizeof(*own_classes); i++)
		if (!strcmp(own_classes[i], name))
			return true;
	return false;
}

/*
 * A class that is taken in fewer than half of the rounds does not count: the
 * thread fills or empties a store that belongs to its CPU.
 */
TEST_F_TIMEOUT(locks, no_lock_is_shared, AT_TIMEOUT)
{
	int i, shared = 0;

	ASSERT_EQ(0, count_locks(AT_ORACLE, AT_NAME, variant->type,
				 &self->expected));
	ASSERT_EQ(0, count_locks(variant->format, variant->kind, variant->type,
				 &self->counts));
	for (i = 0; i < self->counts.n; i++) {
		const struct lock_class *c = &self->counts.class[i];
		unsigned long expected = times_taken(&self->expected, c->name);

		if (is_own(c->name) || c->n < FEW || expected >= FEW)
			continue;
		TH_LOG("%s is taken %lu times in %d rounds", c->name, c->n,
		       ROUNDS);
		shared++;
	}
	EXPECT_EQ(0, shared);
}

/* Return the id of the only association of this namespace, or 0. */
static uint64_t only_id(void)
{
	uint64_t id = 0;
	bool more;
	int fd = at_dump_begin(ALTCONN_CMD_ASSOC_GET);
	int n = at_dump_some_ids(fd, &more, &id, 1);

	close(fd);
	return n == 1 ? id : 0;
}

/* Make a pair of sockets on a CPU, and return its id, or 0 on failure. */
static uint64_t id_of_pair_on(int cpu)
{
	uint64_t id;
	int sv[2];

	if (at_pin(cpu) || at_socketpair(AT_NATIVE, SOCK_STREAM, sv))
		return 0;
	id = only_id();
	at_close(sv, 2);
	return id;
}

/* Pairs that CPU 1 makes take no ids from CPU 0. */
TEST(each_CPU_has_ids_of_its_own)
{
	enum { PAIRS = 50 };
	uint64_t first, last;
	int i;

	ASSERT_EQ(0, at_netns());
	first = id_of_pair_on(0);
	ASSERT_NE(0, first);
	for (i = 0; i < PAIRS; i++)
		ASSERT_NE(0, id_of_pair_on(1));
	last = id_of_pair_on(0);
	EXPECT_LT(first, last);
	EXPECT_GT(first + PAIRS, last);
}

TEST_HARNESS_MAIN
