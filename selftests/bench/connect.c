// SPDX-License-Identifier: GPL-2.0
/* Measure the cost of connecting. */
#include "bench.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>
#include <linux/altconn.h>

/* Measure making and closing a socket, a cost that every family has. */
void run_bare_socket(const struct job *job)
{
	uint64_t begin = now();
	long i;

	for (i = 0; i < job->times; i++)
		close(make_socket(job, 0));
	result("", "ns", (double)(now() - begin) / job->times);
}

struct server {
	int	fd;
	long	times;
	int	cpu;
};

static void *accepter(void *arg)
{
	struct server *s = arg;
	long i;

	pin(s->cpu);
	for (i = 0; i < s->times; i++)
		close(accept_from(s->fd));
	return NULL;
}

/* Return how many context switches this process has made. */
static long nr_switches(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		die("getrusage");
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

/* Measure connect(), accept() and close(), with a thread for each end. */
void run_connect_two(const struct job *job)
{
	long switches = nr_switches();
	struct server s = {
		.fd = make_listener(job, 0, 128), .times = job->times, .cpu = 1,
	};
	pthread_t thread = spawn(accepter, &s);
	uint64_t begin = now();
	long i;

	pin(0);
	for (i = 0; i < job->times; i++)
		close(connect_to(job, 0));
	join(thread);
	result("", "ns", (double)(now() - begin) / job->times);
	result("switches", "switches",
	       (double)(nr_switches() - switches) / job->times);
}

static double connect_one(const struct job *job, int lfd, long times)
{
	uint64_t begin = now();
	long i;

	for (i = 0; i < times; i++) {
		int fd = connect_to(job, 0);

		close(accept_from(lfd));
		close(fd);
	}
	return (double)(now() - begin) / times;
}

/* Measure connect(), accept() and close() in one thread. */
void run_connect_one(const struct job *job)
{
	int lfd = make_listener(job, 0, 128);

	if (!job->f->alone)
		return;
	connect_one(job, lfd, job->times / 10 + 1);
	result("", "ns", connect_one(job, lfd, job->times));
}

/* Measure connect(), accept() and close() beside @arg open connections. */
void run_connect_among(const struct job *job)
{
	struct rlimit limit = { 2 * job->arg + 100, 2 * job->arg + 100 };
	int lfd = make_listener(job, 0, 128);
	long i;

	if (!job->f->alone)
		return;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	for (i = 0; i < job->arg; i++) {
		connect_to(job, 0);
		accept_from(lfd);
	}
	connect_one(job, lfd, 100);
	result("", "ns", connect_one(job, lfd, job->times));
}

struct client {
	const struct job	*job;
	unsigned int		n;
	int			cpu;
};

static void *connecter(void *arg)
{
	struct client *c = arg;
	long i;

	pin(c->cpu);
	for (i = 0; i < c->job->times; i++)
		close(connect_to(c->job, c->n));
	return NULL;
}

/* Run @arg clients and as many servers at @listeners listeners. */
static void rate(const struct job *job, int listeners)
{
	struct server *s = zalloc(job->arg * sizeof(*s));
	struct client *c = zalloc(job->arg * sizeof(*c));
	pthread_t *threads = zalloc(2 * job->arg * sizeof(*threads));
	int *fds = zalloc(listeners * sizeof(*fds));
	uint64_t begin;
	long i;

	for (i = 0; i < listeners; i++)
		fds[i] = make_listener(job, i, 128);
	begin = now();
	for (i = 0; i < job->arg; i++) {
		s[i] = (struct server) {
			fds[i % listeners], job->times, i + 1
		};
		c[i] = (struct client) { job, i % listeners, i };
		threads[2 * i] = spawn(accepter, &s[i]);
		threads[2 * i + 1] = spawn(connecter, &c[i]);
	}
	for (i = 0; i < 2 * job->arg; i++)
		join(threads[i]);
	result("", "ns", (double)(now() - begin) / (job->times * job->arg));
}

void run_connect_rate(const struct job *job)
{
	rate(job, 1);
}

void run_connect_many(const struct job *job)
{
	rate(job, job->arg);
}

/*
 * Let @arg attempts wait at a listener with a backlog of 0, and measure
 * accept() of all of them. A family in which no attempt waits has no result.
 */
void run_waiters(const struct job *job)
{
	struct rlimit limit = { 2 * job->arg + 200, 2 * job->arg + 200 };
	int lfd = make_listener(job, 0, 0);
	int *fds = zalloc((job->arg + 1) * sizeof(*fds));
	uint64_t begin, sum = 0;
	long i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	for (i = 0; i <= job->arg; i++) {
		fds[i] = try_connect(job, 0, SOCK_NONBLOCK);
		if (fds[i] < 0)
			return;
	}
	for (i = 0; i <= job->arg; i++) {
		int fd;

		begin = now();
		fd = accept_from(lfd);
		sum += now() - begin;
		close(fd);
		close(fds[i]);
	}
	result("", "ns", (double)sum / (job->arg + 1));
}

static void set_port(const char *which, long port)
{
	char name[80];
	FILE *f;

	snprintf(name, sizeof(name), "/proc/sys/net/altconn/ephemeral_port_%s",
		 which);
	f = fopen(name, "w");
	if (!f || fprintf(f, "%ld", port) < 0 || fclose(f))
		die(name);
}

static int bind_any(const struct job *job)
{
	struct sockaddr_storage any;
	socklen_t len = job->f->make_addr(&any, 0);
	int fd = make_socket(job, 0);

	((struct sockaddr_altconn *)&any)->sac_port = 0;
	if (bind(fd, (struct sockaddr *)&any, len))
		die("bind");
	return fd;
}

/* Measure the search for the one free ephemeral port among @arg taken ports. */
void run_last_port(const struct job *job)
{
	struct rlimit limit = { job->arg + 100, job->arg + 100 };
	uint64_t begin;
	long i;

	if (strcmp(job->f->name, "altconn"))
		return;
	if (unshare(CLONE_NEWNET) || setrlimit(RLIMIT_NOFILE, &limit))
		die("unshare");
	set_port("min", 1024);
	set_port("max", 1024 + job->arg);
	for (i = 0; i < job->arg; i++)
		bind_any(job);
	/*
	 * The first search finds the port behind the taken ports at once. The
	 * second search tries each taken port before it finds the free port.
	 */
	close(bind_any(job));
	close(bind_any(job));
	begin = now();
	for (i = 0; i < job->times; i++)
		close(bind_any(job));
	result("", "ns", (double)(now() - begin) / job->times);
}
