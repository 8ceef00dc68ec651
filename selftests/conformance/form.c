// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about the three arguments of connect(). */
#include "conformance.h"
#include "clause.h"

#include <fcntl.h>
#include <sys/mman.h>

/* Check that a socket can still connect. */
static void still_connects(struct test *t, int fd)
{
	struct addr a;
	int lfd, peer;

	if (t->type == DGRAM) {
		bound(t, &a);
		expect(t, go_connect(fd, &a), 0, "after a refused address");
		return;
	}
	lfd = listener(t, &a, 8);
	expect(t, outcome_at(t, fd, lfd, &a, &peer), 0,
	       "after a refused address");
}

static void refuses_malformed(struct test *t)
{
	int fd = new_socket(t), i;
	const char *what;
	struct addr a;

	for (i = 0;; i++) {
		t->f->fresh(t->f, &a);
		what = t->f->malformed(t->f, &a, i);
		if (!what)
			break;
		expect(t, go_connect(fd, &a), EINVAL, what);
	}
	still_connects(t, fd);
}

static void takes_unusual(struct test *t)
{
	int fd, lfd, peer, i;
	const char *what;
	struct addr a;

	for (i = 0; t->f->unusual; i++) {
		lfd = t->type == DGRAM ? bound(t, &a) : listener(t, &a, 8);
		what = t->f->unusual(t->f, &a, i);
		if (!what)
			return;
		fd = new_socket(t);
		if (t->type == DGRAM)
			expect(t, go_connect(fd, &a), 0, what);
		else
			expect(t, outcome_at(t, fd, lfd, &a, &peer), 0, what);
		close(fd);
		close(lfd);
	}
}

void s_form(struct test *t)
{
	refuses_malformed(t);
	takes_unusual(t);
}

void s_int(struct test *t)
{
	static const int lens[] = { -1, -2147483647 - 1, 129, 2147483647 };
	int fd = new_socket(t);
	char where[32];
	struct addr a;
	size_t i;

	t->f->fresh(t->f, &a);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		snprintf(where, sizeof(where), "with a length of %d", lens[i]);
		expect(t, err_of(connect(fd, &a.sa, lens[i])), EINVAL, where);
	}
	still_connects(t, fd);
}

void e_afnosupport(struct test *t)
{
	/* An unknown family, the largest number, and a family not in use */
	static const int others[] = { 99, 65535, AF_APPLETALK };
	int fd = new_socket(t);
	char where[48];
	struct addr a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		t->f->fresh(t->f, &a);
		a.sa.sa_family = others[i];
		snprintf(where, sizeof(where), "with address family %d",
			 others[i]);
		expect(t, go_connect(fd, &a), EAFNOSUPPORT, where);
		if (t->result != HOLDS)
			return;
	}
	still_connects(t, fd);
}

void e_badf(struct test *t)
{
	int fd = new_socket(t);
	struct addr a;

	t->f->fresh(t->f, &a);
	close(fd);
	expect(t, go_connect(fd, &a), EBADF, "on a closed descriptor");
	expect(t, go_connect(-1, &a), EBADF, "on descriptor -1");
	expect(t, go_connect(1 << 30, &a), EBADF, "on a large descriptor");
}

void e_notsock(struct test *t)
{
	int fds[2], file = open("/proc/self/stat", O_RDONLY);
	struct addr a;

	t->f->fresh(t->f, &a);
	must(t, !pipe(fds) && file >= 0, "pipe() and open()");
	expect(t, go_connect(fds[0], &a), ENOTSOCK, "on a pipe");
	expect(t, go_connect(file, &a), ENOTSOCK, "on a file");
}

void e_fault(struct test *t)
{
	long size = sysconf(_SC_PAGESIZE);
	int fd = new_socket(t);
	struct addr a;
	char *page;

	/* Map a page, and behind it a page that cannot be read. */
	page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(t, page != MAP_FAILED && !mprotect(page + size, size, PROT_NONE),
	     "mmap()");
	t->f->fresh(t->f, &a);
	memcpy(page + size - 4, a.raw, 4);
	expect(t, err_of(connect(fd, (void *)(page + size), a.len)), EFAULT,
	       "with a pointer to a page that cannot be read");
	expect(t, err_of(connect(fd, (void *)(page + size - 4), a.len)),
	       EFAULT, "with an address that runs into such a page");
	expect(t, err_of(connect(fd, NULL, a.len)), EFAULT,
	       "with a NULL pointer");
	still_connects(t, fd);
}
