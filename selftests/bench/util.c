// SPDX-License-Identifier: GPL-2.0
/*
 * These are helpers for time, threads and results, and sends and receives that
 * must not fail.
 */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A measurement in a child process writes its results to this file. */
FILE *results;

void result(const char *metric, const char *unit, double value)
{
	fprintf(results, "%s %s %.6f\n", *metric ? metric : "-", unit, value);
	fflush(results);
}

void die(const char *what)
{
	perror(what);
	_exit(1);
}

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Pin a thread, to keep sender and receiver on different CPUs if possible. */
void pin(int cpu)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	if (n < 2)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu % n, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("calloc");
	return p;
}

pthread_t spawn(void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	errno = pthread_create(&thread, &attr, run, arg);
	if (errno)
		die("pthread_create");
	pthread_attr_destroy(&attr);
	return thread;
}

void join(pthread_t thread)
{
	pthread_join(thread, NULL);
}

/* Pipes have no send() and recv(). Each thread tries these calls only once. */
static bool is_pipe(void)
{
	return errno == ENOTSOCK;
}

static ssize_t send_once(int fd, const char *buf, size_t len)
{
	static __thread bool writes;
	ssize_t n = -1;

	if (!writes) {
		n = send(fd, buf, len, MSG_NOSIGNAL);
		writes = n < 0 && is_pipe();
	}
	return writes ? write(fd, buf, len) : n;
}

void send_whole(int fd, const char *buf, size_t len)
{
	ssize_t n;

	for (; len; buf += n, len -= n) {
		n = send_once(fd, buf, len);
		if (n < 0)
			die("send");
	}
}

size_t recv_some(int fd, char *buf, size_t len)
{
	static __thread bool reads;
	ssize_t n = -1;

	if (!reads) {
		n = recv(fd, buf, len, 0);
		reads = n < 0 && is_pipe();
	}
	if (reads)
		n = read(fd, buf, len);
	/* TIPC reports the end of a connection by this errno. */
	if (n < 0 && errno == ECONNRESET)
		return 0;
	if (n < 0)
		die("recv");
	return n;
}
