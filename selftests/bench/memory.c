// SPDX-License-Identifier: GPL-2.0
/* Measure how much memory connections take. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

/* Return a value of /proc/meminfo, in bytes. */
static double meminfo_bytes(const char *name)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	double kib = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, name, strlen(name)))
			kib = atof(line + strlen(name));
	}
	if (kib < 0)
		die("/proc/meminfo");
	fclose(f);
	return kib * 1024;
}

/* Return the bytes of free pages in per-CPU lists, which MemFree leaves out. */
static double percpu_list_bytes(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	double sum = 0, pages;
	char line[128];

	if (!f)
		die("/proc/zoneinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " count: %lf", &pages) == 1)
			sum += pages * sysconf(_SC_PAGESIZE);
	}
	fclose(f);
	return sum;
}

static double free_memory(void)
{
	return meminfo_bytes("MemFree:") + percpu_list_bytes();
}

static void drop_clean(void)
{
	FILE *f;

	sync();
	f = fopen("/proc/sys/vm/drop_caches", "w");
	if (!f || fputs("3", f) < 0 || fclose(f))
		die("drop_caches");
}

/*
 * Wait until the amount of free memory stays the same: RCU frees memory late,
 * and caches drop clean entries.
 */
static void settle(void)
{
	double was, is = free_memory();
	int i, quiet = 0;

	for (i = 0; i < 40 && quiet < 3; i++) {
		drop_clean();
		usleep(700000);
		was = is;
		is = free_memory();
		quiet = is - was < 65536 && was - is < 65536 ? quiet + 1 : 0;
	}
	if (quiet < 3)
		die("the amount of free memory keeps changing");
}

struct usage {
	double slab;
	double used;
};

static struct usage usage(void)
{
	settle();
	/* MemAvailable counts the inodes of sockets as a cache. */
	return (struct usage) {
		.slab = meminfo_bytes("Slab:"), .used = -free_memory(),
	};
}

static void report(const char *when, const struct job *job,
		   const struct usage *before)
{
	struct usage after = usage();
	char metric[32];

	snprintf(metric, sizeof(metric), "%s-slab", when);
	result(metric, "bytes", (after.slab - before->slab) / job->arg);
	snprintf(metric, sizeof(metric), "%s-all", when);
	result(metric, "bytes", (after.used - before->used) / job->arg);
}

/* Make all pairs at one listener, as a server does. */
static int (*make_pairs(const struct job *job))[2]
{
	static unsigned int unique = 6000;
	unsigned int n = unique++;
	int (*fds)[2] = zalloc(job->arg * sizeof(*fds)), lfd;
	long i;

	lfd = make_listener(job, n, 16);
	for (i = 0; i < job->arg; i++)
		make_pair_at(job, lfd, n, fds[i]);
	close(lfd);
	return fds;
}

static void raise_limit(const struct job *job)
{
	struct rlimit limit = { 2 * job->arg + 100, 2 * job->arg + 100 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

/* Measure pairs of sockets that do nothing. */
void run_idle(const struct job *job)
{
	struct job warm = *job;
	struct usage before;

	raise_limit(job);
	warm.arg = 10;
	make_pairs(&warm);
	before = usage();
	make_pairs(job);
	report("idle", job, &before);
}

static size_t fill(int fd, char *buf, size_t size)
{
	size_t sum = 0;
	ssize_t n;

	while ((n = send(fd, buf, size, MSG_DONTWAIT)) > 0)
		sum += n;
	if (errno != EAGAIN)
		die("send");
	return sum;
}

/* Measure pairs with full buffers, and pairs with emptied buffers. */
void run_burst(const struct job *job)
{
	size_t size = 4096;
	char *buf = zalloc(size);
	struct usage before;
	int (*fds)[2];
	double sum = 0;
	long i;

	if (!job->f->make_addr)
		return;
	raise_limit(job);
	fds = make_pairs(job);
	before = usage();
	for (i = 0; i < job->arg; i++)
		sum += fill(fds[i][0], buf, size);
	report("full", job, &before);
	result("held", "bytes", sum / job->arg);
	for (i = 0; i < job->arg; i++)
		while (recv(fds[i][1], buf, size, MSG_DONTWAIT) > 0)
			;
	report("drained", job, &before);
}
