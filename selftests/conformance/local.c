// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about the local address, about limits and about memory. */
#include "conformance.h"
#include "clause.h"

#include <fcntl.h>
#include <stdlib.h>

static int shares(struct test *t)
{
	int fd = new_socket(t), on = 1;

	must(t, !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)),
	     "SO_REUSEADDR");
	return fd;
}

/* Connect from and to the same two addresses as an existing connection. */
static void same_ends(struct test *t)
{
	struct addr a, own;
	int lfd, peer, fd[2], i, err;

	lfd = listener(t, &a, 8);
	t->f->fresh(t->f, &own);
	for (i = 0; i < 2; i++) {
		fd[i] = shares(t);
		err = go_bind(fd[i], &own);
		/* Without shared addresses, bind() refuses this. */
		if (i && err == EADDRINUSE && !(t->f->traits & SHARES))
			return;
		if (err)
			stop(t, "%s from bind() with SO_REUSEADDR",
			     err_name(err));
	}
	expect(t, outcome_at(t, fd[0], lfd, &a, &peer), 0,
	       "from a shared local address");
	expect(t, outcome(t, fd[1], &a), EADDRINUSE,
	       "from an address that is connected to this peer already");
}

void e_addrinuse(struct test *t)
{
	struct addr a;
	int fd;

	bound(t, &a);
	fd = new_socket(t);
	expect(t, go_bind(fd, &a), EADDRINUSE,
	       "from bind() to a taken address");
	if (t->type != DGRAM && !(t->f->traits & HAS_PATHS))
		same_ends(t);
}

void e_addrnotavail(struct test *t)
{
	int fd = new_socket(t);
	struct addr a;

	t->f->fresh(t->f, &a);
	if (t->f->unreachable) {
		t->f->unreachable(t->f, &a);
		expect(t, go_bind(fd, &a), EADDRNOTAVAIL,
		       "from bind() to an address of another machine");
	}
	if (!t->f->null || t->type == DGRAM)
		return;
	t->f->null(t->f, &a);
	expect(t, go_connect(fd, &a), EADDRNOTAVAIL, "at the null address");
}

void e_again_port(struct test *t)
{
	int lfd, first, second, peer;
	struct addr a;

	must(t, !netns_enter(), "unshare()");
	must(t, !t->f->one_port(), "the sysctl of the ephemeral range");
	first = new_socket(t);
	second = new_socket(t);
	if (t->type == DGRAM) {
		bound(t, &a);
		expect(t, go_connect(first, &a), 0, "with a port left");
	} else {
		lfd = listener(t, &a, 8);
		expect(t, outcome_at(t, first, lfd, &a, &peer), 0,
		       "with a port left");
	}
	expect(t, outcome(t, second, &a), EAGAIN, "with no port left");
}

void e_again_table(struct test *t)
{
	int lfd, first, second, peer = -1;
	struct addr a;

	must(t, !netns_enter(), "unshare()");
	must(t, !sysctl_set("altconn/max_associations", "1"),
	     "net.altconn.max_associations");
	lfd = listener(t, &a, 8);
	first = new_socket(t);
	second = new_socket(t);
	expect(t, outcome_at(t, first, lfd, &a, &peer), 0,
	       "with an entry left");
	expect(t, outcome(t, second, &a), EAGAIN, "with no entry left");
	close(first);
	close(peer);
	expect(t, outcome_at(t, second, lfd, &a, &peer), 0,
	       "when the entry is free again");
}

/*
 * Descriptor of fail-nth, the kernel's fault injection: the nth allocation of
 * this thread fails. The file stays open, since opening it allocates memory.
 * The count that is left in the file shows whether an allocation has failed.
 */
static int nth_fd;

/* A failure that is left over may hit the write itself, so try twice. */
static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n), tries = 2;

	while (tries--)
		if (pwrite(nth_fd, text, len, 0) == len)
			return;
	nth_fd = -1;
}

static bool came(void)
{
	char text[16] = {};

	return pread(nth_fd, text, sizeof(text) - 1, 0) > 0 && !atoi(text);
}

static void also_sleeping_allocations(void)
{
	static const char * const knobs[] = {
		"/sys/kernel/debug/failslab/ignore-gfp-wait",
		"/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
	};
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(knobs); i++) {
		fd = open(knobs[i], O_WRONLY);
		if (fd >= 0 && write(fd, "N", 1) != 1)
			nth_fd = -1;
		close(fd);
	}
}

/*
 * Let the nth allocation of a connect() fail. Return true if an allocation
 * failed, so the next one can be tried too.
 */
static bool starve(struct test *t, int n)
{
	int lfd, fd = new_blocking(t), err;
	struct addr a;
	bool failed;

	lfd = t->type == DGRAM ? bound(t, &a) : listener(t, &a, 8);
	set_nonblock(fd, true);
	fail_nth(n);
	err = go_connect(fd, &a);
	failed = came();
	fail_nth(0);
	if (failed && err && err != EINPROGRESS) {
		/* EFAULT is right if copying the address has failed. */
		if (err != ENOMEM && err != ENOBUFS && err != EFAULT)
			deviates(t, "%s without memory", err_name(err));
		err = go_connect(fd, &a);
		if (err && err != EINPROGRESS)
			deviates(t, "%s with memory again", err_name(err));
	}
	close(fd);
	close(lfd);
	return failed;
}

void e_nomem(struct test *t)
{
	int n;

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	if (nth_fd < 0)
		cannot(t, "this kernel has no fault injection");
	also_sleeping_allocations();
	for (n = 1; n < 100 && starve(t, n) && t->result == HOLDS; n++)
		;
	must(t, nth_fd >= 0, "writing to fail-nth");
}
