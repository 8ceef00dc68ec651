// SPDX-License-Identifier: GPL-2.0
/* Make sockets as the cases need them: bound, listening, connected, waiting. */
#include "conformance.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>

int new_typed(struct test *t, int type)
{
	int fd = socket(family_domain(t->f), type, t->f->protocol);

	must(t, fd >= 0, "socket()");
	return fd;
}

int new_blocking(struct test *t)
{
	return new_typed(t, sock_type(t->type));
}

int new_socket(struct test *t)
{
	int flags = t->mode == NONBLOCKING ? SOCK_NONBLOCK : 0;

	return new_typed(t, sock_type(t->type) | flags);
}

void set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int go_connect(int fd, const struct addr *a)
{
	return err_of(connect(fd, &a->sa, a->len));
}

int go_bind(int fd, const struct addr *a)
{
	return err_of(bind(fd, &a->sa, a->len));
}

/* Connect to AF_UNSPEC, in an address of a length that all families take. */
int go_unspec(struct test *t, int fd)
{
	struct addr a;

	t->f->fresh(t->f, &a);
	memset(a.raw, 0, sizeof(a.raw));
	if (a.len < sizeof(a.sa))
		a.len = sizeof(a.sa);
	return go_connect(fd, &a);
}

int so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err;

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? errno : err;
}

short poll_for(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret;

	do {
		ret = poll(&pfd, 1, EVENT_MS);
	} while (ret < 0 && errno == EINTR);
	return ret == 1 ? pfd.revents : 0;
}

short poll_now(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) == 1 ? pfd.revents : 0;
}

int bound(struct test *t, struct addr *a)
{
	int fd = new_blocking(t);

	t->f->fresh(t->f, a);
	must(t, !bind(fd, &a->sa, a->len), "bind()");
	return fd;
}

int listener(struct test *t, struct addr *a, int backlog)
{
	int fd = bound(t, a);

	must(t, !listen(fd, backlog), "listen()");
	return fd;
}

int accept_one(struct test *t, int lfd)
{
	int fd;

	if (!poll_for(lfd, POLLIN))
		stop(t, "nothing arrived at the listener");
	fd = accept(lfd, NULL, NULL);
	must(t, fd >= 0, "accept()");
	return fd;
}

/* Return whether accept() on a listener finds no connection. */
bool nobody_waits(int lfd)
{
	int fd;

	set_nonblock(lfd, true);
	fd = accept(lfd, NULL, NULL);
	set_nonblock(lfd, false);
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

int result_of_pending(int fd)
{
	return poll_for(fd, POLLOUT) ? so_error(fd) : -1;
}

int outcome(struct test *t, int fd, const struct addr *a)
{
	int err = go_connect(fd, a);

	if (t->mode == NONBLOCKING && err == EINPROGRESS)
		return result_of_pending(fd);
	return err;
}

/* A blocking connect() runs in a thread, since it may wait for accept(). */
int outcome_at(struct test *t, int fd, int lfd, const struct addr *a,
	       int *peer)
{
	struct job job;
	int err;

	if (t->mode == NONBLOCKING) {
		err = go_connect(fd, a);
		if (err && err != EINPROGRESS)
			return err;
		*peer = accept_one(t, lfd);
		return err ? result_of_pending(fd) : 0;
	}
	job_start(t, &job, fd, a);
	until(poll_now(lfd, POLLIN) || atomic_load(&job.done));
	if (poll_now(lfd, POLLIN))
		*peer = accept_one(t, lfd);
	return job_end(&job);
}

void make_pair(struct test *t, struct pair *p)
{
	int err;

	p->peer = -1;
	p->lfd = listener(t, &p->a, 8);
	p->fd = new_socket(t);
	err = outcome_at(t, p->fd, p->lfd, &p->a, &p->peer);
	if (err)
		stop(t, "%s with a listener there", err_name(err));
	if (p->peer < 0)
		p->peer = accept_one(t, p->lfd);
	/* S-DONE: after EINPROGRESS, connect() returns 0 once. */
	if (t->mode == NONBLOCKING)
		go_connect(p->fd, &p->a);
}

static void one_way(struct test *t, int from, int to, const char *text,
		    const char *where)
{
	char buf[8] = {};

	if (send(from, text, 4, MSG_NOSIGNAL) != 4)
		deviates(t, "%s from send() %s", err_name(errno), where);
	else if (!poll_for(to, POLLIN))
		deviates(t, "no data arrived %s", where);
	else if (recv(to, buf, sizeof(buf), 0) != 4 || memcmp(buf, text, 4))
		deviates(t, "other data arrived %s", where);
}

void exchange(struct test *t, int fd, int peer, const char *where)
{
	one_way(t, fd, peer, "ping", where);
	one_way(t, peer, fd, "pong", where);
}

bool is_connected(int fd)
{
	struct addr a = { .len = sizeof(a.raw) };

	return !getpeername(fd, &a.sa, &a.len);
}

/*
 * Make a listener with a full backlog: a backlog of 1 holds two associations.
 * If accept() establishes attempts, the backlog need not be full.
 */
void gate_close(struct test *t, struct gate *g)
{
	int i, err;

	g->lfd = listener(t, &g->a, 1);
	g->nfill = t->f->traits & LATE ? 0 : 2;
	for (i = 0; i < g->nfill; i++) {
		g->fill[i] = new_blocking(t);
		err = go_connect(g->fill[i], &g->a);
		if (err)
			stop(t, "%s with space in the backlog", err_name(err));
	}
}

/* Accept what fills the backlog, or the attempt that waits for accept(). */
void gate_open(struct test *t, struct gate *g)
{
	int i;

	for (i = 0; i < (g->nfill ? g->nfill : 1); i++)
		accept_one(t, g->lfd);
}

int pending(struct test *t, struct gate *g)
{
	int fd, err;

	gate_close(t, g);
	fd = new_typed(t, sock_type(t->type) | SOCK_NONBLOCK);
	err = go_connect(fd, &g->a);
	if (err != EINPROGRESS)
		stop(t, "%s at a full backlog", err_name(err));
	return fd;
}

void unbound_target(struct test *t, struct addr *a)
{
	if (t->f->traits & HAS_PATHS)
		close(bound(t, a));
	else
		t->f->fresh(t->f, a);
}

int give(int fd, const struct addr *to, char c)
{
	if (to)
		return err_of(sendto(fd, &c, 1, MSG_DONTWAIT, &to->sa,
				     to->len));
	return err_of(send(fd, &c, 1, MSG_DONTWAIT));
}

/* Return the byte of the next datagram, 0 if none comes, or -1 on an error. */
int take(int fd)
{
	char c;

	if (!poll_for(fd, POLLIN))
		return 0;
	return recv(fd, &c, 1, MSG_DONTWAIT) == 1 ? c : -1;
}

static bool sleeps(pid_t tid)
{
	char file[64], state = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(file, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

static void *job_run(void *arg)
{
	struct job *job = arg;

	atomic_store(&job->tid, (int)syscall(SYS_gettid));
	job->err = go_connect(job->fd, &job->a);
	atomic_store(&job->done, true);
	return NULL;
}

void job_start(struct test *t, struct job *job, int fd, const struct addr *a)
{
	job->fd = fd;
	job->a = *a;
	atomic_init(&job->tid, 0);
	atomic_init(&job->done, false);
	must(t, !pthread_create(&job->thread, NULL, job_run, job),
	     "pthread_create()");
}

/* Wait until the thread sleeps in connect(). Return false if it has ended. */
bool job_waits(struct job *job)
{
	int tid;

	return until((tid = atomic_load(&job->tid)) &&
		     (atomic_load(&job->done) || sleeps(tid))) &&
	       !atomic_load(&job->done);
}

int job_end(struct job *job)
{
	if (!until(atomic_load(&job->done)))
		return -1;
	pthread_join(job->thread, NULL);
	return job->err;
}
