// SPDX-License-Identifier: GPL-2.0
/* What connections occupy. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

/* A line of /proc/meminfo, bytes. */
static double kernel_says(const char *name)
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

/* Freed by RCU, and caches that drop what they need not keep. */
static void settle(void)
{
	FILE *f;
	int i;

	for (i = 0; i < 3; i++) {
		usleep(300000);
		sync();
		f = fopen("/proc/sys/vm/drop_caches", "w");
		if (!f || fputs("3", f) < 0)
			die("drop_caches");
		fclose(f);
	}
	usleep(1500000);
}

struct usage {
	double slab;
	double used;
};

static struct usage usage(void)
{
	settle();
	/* Not MemAvailable, which takes sockets' inodes for a cache. */
	return (struct usage) {
		.slab = kernel_says("Slab:"), .used = -kernel_says("MemFree:"),
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

static int (*make_pairs(const struct job *job))[2]
{
	int (*fds)[2] = zalloc(job->arg * sizeof(*fds));
	long i;

	for (i = 0; i < job->arg; i++)
		make_pair(job, fds[i]);
	return fds;
}

static void raise_limit(const struct job *job)
{
	struct rlimit limit = { 2 * job->arg + 100, 2 * job->arg + 100 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
}

/* A pair of sockets that do nothing. */
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

/* All buffers full, and emptied again. */
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
