// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about attempts that wait, as at a full backlog. */
#include "conformance.h"
#include "clause.h"

#include <signal.h>
#include <sys/time.h>

/* poll() reports that an attempt has failed, and SO_ERROR returns why, once. */
static void fails_in_the_end(struct test *t)
{
	short revents;
	struct gate g;
	int fd = pending(t, &g);

	close(g.lfd);
	revents = poll_for(fd, POLLOUT);
	if (!(revents & POLLOUT))
		deviates(t,
			 "poll() reports no POLLOUT after a failed attempt");
	if (!(revents & POLLERR))
		deviates(t,
			 "poll() reports no POLLERR after a failed attempt");
	expect(t, so_error(fd), ECONNREFUSED, "after the listener closed");
	expect(t, so_error(fd), 0, "in SO_ERROR when it is read again");
}

/* In a family in which no attempt waits, try a backlog with space. */
static void async_without_gate(struct test *t)
{
	struct addr a;
	int lfd = listener(t, &a, 8), fd = new_socket(t), err;

	err = go_connect(fd, &a);
	if (err && err != EINPROGRESS)
		stop(t, "%s with space in the backlog", err_name(err));
	expect(t, result_of_pending(fd), 0,
	       "in SO_ERROR at the end of the attempt");
	close(accept_one(t, lfd));
}

/* In altconn, attempts are established in order of arrival. */
static void in_order(struct test *t)
{
	int first, second;
	struct gate g;

	first = pending(t, &g);
	second = new_socket(t);
	expect(t, go_connect(second, &g.a), EINPROGRESS,
	       "behind another attempt");
	accept_one(t, g.lfd);
	if (poll_for(first, POLLOUT) != POLLOUT || poll_now(second, POLLOUT))
		deviates(t, "attempts are not established in order");
}

/* In altconn, a deferred accept() decides, whatever the backlog is. */
static void waits_for_accept(struct test *t)
{
	unsigned int on = 1;
	struct addr a;
	int lfd = listener(t, &a, 8), fd = new_socket(t);

	must(t, !setsockopt(lfd, SOL_ALTCONN, ALTCONN_DEFER_ACCEPT, &on,
			    sizeof(on)), "ALTCONN_DEFER_ACCEPT");
	expect(t, go_connect(fd, &a), EINPROGRESS,
	       "at a listener that defers accept()");
	if (poll_now(fd, POLLOUT))
		deviates(t,
			 "poll() reports an event before a deferred accept()");
	accept_one(t, lfd);
	expect(t, result_of_pending(fd), 0, "after a deferred accept()");
}

void e_inprogress(struct test *t)
{
	struct gate g;
	int fd;

	gate_close(t, &g);
	fd = new_socket(t);
	expect(t, go_connect(fd, &g.a), EINPROGRESS, "at a full backlog");
	if (t->result != HOLDS)
		return;
	if (!(t->f->traits & (WAITS | LATE))) {
		expect(t, result_of_pending(fd), 0, "at a full backlog");
		async_without_gate(t);
		return;
	}
	if (poll_now(fd, POLLOUT))
		deviates(t, "poll() reports an event before the decision");
	expect(t, so_error(fd), 0, "in SO_ERROR while the attempt waits");
	gate_open(t, &g);
	if (poll_for(fd, POLLOUT) != POLLOUT)
		deviates(t,
			 "poll() does not report POLLOUT alone after success");
	expect(t, so_error(fd), 0, "in SO_ERROR after success");
	if (!is_connected(fd))
		deviates(t, "the socket is not connected after success");
	fails_in_the_end(t);
	if (is_altconn(t->f)) {
		in_order(t);
		waits_for_accept(t);
	}
}

/* A blocking connect() on a socket with an attempt waits for this attempt. */
static void joins_the_attempt(struct test *t)
{
	struct job job;
	struct gate g;
	int fd = pending(t, &g);

	set_nonblock(fd, false);
	job_start(t, &job, fd, &g.a);
	if (!job_waits(&job))
		stop(t, "%s from a blocking connect() on an attempt",
		     err_name(job_end(&job)));
	gate_open(t, &g);
	expect(t, job_end(&job), 0, "from a blocking connect() on an attempt");
	if (!is_connected(fd))
		deviates(t, "the socket is not connected after that");
}

void e_already(struct test *t)
{
	struct gate g;
	int fd, i;

	if (t->mode == BLOCKING) {
		joins_the_attempt(t);
		return;
	}
	fd = pending(t, &g);
	for (i = 0; i < 2; i++)
		expect(t, go_connect(fd, &g.a), EALREADY,
		       "while an attempt waits");
	gate_open(t, &g);
	expect(t, result_of_pending(fd), 0,
	       "in SO_ERROR at the end of the attempt");
}

static atomic_int caught;

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&caught, 1);
}

/* Interrupt a thread that sleeps in connect(). Return its socket. */
static int interrupt(struct test *t, struct gate *g, struct job *job,
		     int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };
	int fd;

	sigaction(SIGUSR1, &sa, NULL);
	atomic_store(&caught, 0);
	gate_close(t, g);
	fd = new_socket(t);
	job_start(t, job, fd, &g->a);
	if (!job_waits(job))
		stop(t, "%s without waiting at a full backlog",
		     err_name(job_end(job)));
	pthread_kill(job->thread, SIGUSR1);
	if (!until(atomic_load(&caught)))
		stop(t, "the signal was not caught");
	return fd;
}

static void interrupted(struct test *t)
{
	struct gate g;
	struct job job;
	int fd = interrupt(t, &g, &job, 0), err;

	expect(t, job_end(&job), EINTR, "on a signal");
	gate_open(t, &g);
	err = result_of_pending(fd);
	if (err || !is_connected(fd))
		deviates(t, "the signal ended the attempt");
	else
		close(fd);
}

static void restarted(struct test *t)
{
	struct gate g;
	struct job job;
	int fd = interrupt(t, &g, &job, SA_RESTART);

	if (job_waits(&job))
		gate_open(t, &g);
	expect(t, job_end(&job), 0, "on a signal with SA_RESTART");
	close(fd);
}

void e_intr(struct test *t)
{
	interrupted(t);
	restarted(t);
}

static void set_sndtimeo(struct test *t, int fd)
{
	struct timeval tv = { .tv_usec = 50000 };

	must(t, !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)),
	     "SO_SNDTIMEO");
}

/* SO_SNDTIMEO bounds the wait of the call, not the attempt. */
static void sndtimeo_ends_the_wait(struct test *t)
{
	struct gate g;
	int fd;

	gate_close(t, &g);
	fd = new_socket(t);
	set_sndtimeo(t, fd);
	expect(t, go_connect(fd, &g.a), EINPROGRESS,
	       "at the end of SO_SNDTIMEO");
	gate_open(t, &g);
	expect(t, result_of_pending(fd), 0, "from the attempt after that");
}

static void not_connected(struct test *t, struct gate *g, int fd)
{
	if (is_connected(fd))
		deviates(t, "the socket is connected after the timeout");
	if (!g->nfill)
		return;
	gate_open(t, g);
	if (!nobody_waits(g->lfd))
		deviates(t,
			 "the listener has a connection after the timeout");
}

/* In altconn, a sysctl is the deadline of sockets that set no deadline. */
static void sysctl_deadline(struct test *t)
{
	struct gate g;

	must(t, !netns_enter(), "unshare()");
	must(t, !sysctl_set("altconn/connect_timeout_ms", "50"),
	     "net.altconn.connect_timeout_ms");
	gate_close(t, &g);
	expect(t, outcome(t, new_socket(t), &g.a), ETIMEDOUT,
	       "after the deadline of the sysctl");
}

void e_timedout(struct test *t)
{
	struct gate g;
	int fd;

	if (t->mode == NONBLOCKING && !(t->f->traits & (WAITS | LATE)))
		cannot(t, "a non-blocking attempt of the family never waits");
	gate_close(t, &g);
	fd = new_socket(t);
	if (t->f->deadline)
		must(t, !t->f->deadline(fd), "the option for the deadline");
	else
		set_sndtimeo(t, fd);
	expect(t, outcome(t, fd, &g.a), ETIMEDOUT,
	       t->f->deadline ? "after the deadline" :
				"when SO_SNDTIMEO has passed");
	if (t->result != HOLDS)
		return;
	expect(t, so_error(fd), 0, "in SO_ERROR when it is read again");
	not_connected(t, &g, fd);
	if (t->mode == BLOCKING && t->f->traits & WAITS)
		sndtimeo_ends_the_wait(t);
	if (is_altconn(t->f))
		sysctl_deadline(t);
}
