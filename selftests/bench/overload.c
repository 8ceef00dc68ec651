// SPDX-License-Identifier: GPL-2.0
/*
 * Record what becomes of attempts to connect while a listener has more of them
 * than its server accepts.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>

/* The backlog of the listener. AF_UNIX and altconn then queue five. */
#define BACKLOG	4
/* One step lasts a millisecond of the guest's clock. */
#define STEP	1000000ULL
/* The client begins two attempts in each step, and the server accepts one. */
#define BEGUN	2

static void sleep_until(uint64_t time)
{
	struct timespec ts = { time / 1000000000, time % 1000000000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}

struct pace {
	int		fd;
	uint64_t	begin;
	long		steps;
};

/* Accept at most one connection in the middle of each step, and keep it. */
static void *server(void *arg)
{
	struct pace *p = arg;
	long i;

	pin(1);
	for (i = 0; i < p->steps; i++) {
		sleep_until(p->begin + i * STEP + STEP / 2);
		if (accept4(p->fd, NULL, NULL, SOCK_NONBLOCK) < 0 &&
		    errno != EAGAIN)
			die("accept4");
	}
	return NULL;
}

/* The attempts of the client, and how many of them have ended in which way. */
struct client {
	struct pollfd	*pending;
	long		begun;
	long		established;
	long		failed;
};

static void begin_attempt(const struct job *job, struct client *c)
{
	/* poll() passes over an entry without a descriptor. */
	c->pending[c->begun] = (struct pollfd) {
		.fd = try_connect(job, 0, SOCK_NONBLOCK), .events = POLLOUT,
	};
	if (c->pending[c->begun].fd < 0)
		c->failed++;
	c->begun++;
}

static void collect_decided(struct client *c)
{
	long i;

	if (poll(c->pending, c->begun, 0) < 0)
		die("poll");
	for (i = 0; i < c->begun; i++) {
		struct pollfd *p = &c->pending[i];
		socklen_t len = sizeof(int);
		int err;

		if (p->fd < 0 || !p->revents)
			continue;
		if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len))
			die("getsockopt");
		if (err)
			c->failed++;
		else
			c->established++;
		/* The socket stays open until this process ends. */
		p->fd = -1;
	}
}

/*
 * Begin @arg attempts without blocking, and count for @times steps how many
 * have begun, were established and have failed until then.
 */
void run_overload(const struct job *job)
{
	struct rlimit limit = { 2 * job->arg + 100, 2 * job->arg + 100 };
	struct client c = {
		.pending = zalloc(job->arg * sizeof(*c.pending)),
	};
	struct pace p = {
		.fd = make_listener(job, 0, BACKLOG), .steps = job->times,
	};
	pthread_t thread;
	long i, n;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	if (fcntl(p.fd, F_SETFL, O_NONBLOCK))
		die("fcntl");
	pin(0);
	p.begin = now() + STEP;
	thread = spawn(server, &p);
	for (i = 0; i < job->times; i++) {
		sleep_until(p.begin + i * STEP);
		for (n = 0; n < BEGUN && c.begun < job->arg; n++)
			begin_attempt(job, &c);
		collect_decided(&c);
		result("begun", "attempts", c.begun);
		result("established", "attempts", c.established);
		result("failed", "attempts", c.failed);
	}
	join(thread);
}
