// SPDX-License-Identifier: GPL-2.0
/* Measure the CPU time of kernel workers, which no CPU cgroup bounds. */
#include "kworker.h"
#include "wait.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Return the CPU time of a process in ns, from a file that counts in ticks, for
 * kernels without schedstat.
 */
static uint64_t read_stat(const char *pid)
{
	unsigned long long user = 0, sys = 0;
	char path[300], line[512], *end = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fgets(line, sizeof(line), f))
		end = strrchr(line, ')');
	fclose(f);
	if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u"
			   " %*u %llu %llu", &user, &sys) != 2)
		return 0;
	return (user + sys) * (1000000000ULL / sysconf(_SC_CLK_TCK));
}

static uint64_t read_schedstat(const char *pid)
{
	unsigned long long ns = 0;
	char path[300], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%31s", comm) != 1 || strncmp(comm, "kworker/u", 9)) {
		fclose(f);
		return 0;
	}
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%s/schedstat", pid);
	f = fopen(path, "r");
	if (!f)
		return read_stat(pid);
	if (fscanf(f, "%llu", &ns) != 1)
		ns = 0;
	fclose(f);
	return ns;
}

#define WORKERS	256

/* Workers of unbound workqueues, with their CPU time at the last look */
static struct {
	int pid;
	uint64_t ns;
} workers[WORKERS];

/* Return the CPU time of a worker since the last look, or since its start. */
static uint64_t worker_ns(const char *pid)
{
	uint64_t ns = read_schedstat(pid), before = 0;
	int id = atoi(pid), i;

	if (!ns)
		return 0;
	for (i = 0; i < WORKERS && workers[i].pid && workers[i].pid != id; i++)
		;
	if (i == WORKERS)
		abort();
	before = workers[i].pid ? workers[i].ns : 0;
	workers[i].pid = id;
	workers[i].ns = ns;
	return ns > before ? ns - before : 0;
}

uint64_t at_kworker_ns(void)
{
	struct dirent *entry;
	uint64_t ns = 0;
	DIR *dir = opendir("/proc");

	while (dir && (entry = readdir(dir)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			ns += worker_ns(entry->d_name);
	closedir(dir);
	return ns;
}

static bool kworkers_rest(void)
{
	int i;

	at_kworker_ns();
	for (i = 0; i < 100; i++)
		at_pause();
	return !at_kworker_ns();
}

void at_kworkers_quiet(void)
{
	int tries = 20;

	while (tries-- && !kworkers_rest())
		;
}
