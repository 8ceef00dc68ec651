// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about connect() of connection-based sockets. */
#include "conformance.h"
#include "clause.h"

#include <stdlib.h>

/* Data that is sent before accept() can be read after it. */
static void data_before_accept(struct test *t)
{
	struct addr a;
	int lfd = listener(t, &a, 8), fd = new_socket(t), peer;

	expect(t, outcome(t, fd, &a), 0, "with a listener at the address");
	if (send(fd, "early", 5, MSG_NOSIGNAL) != 5)
		deviates(t, "%s from send() before accept()", err_name(errno));
	peer = accept_one(t, lfd);
	if (send(fd, "!", 1, MSG_NOSIGNAL) == 1 && !poll_for(peer, POLLIN))
		deviates(t, "data sent before accept() did not arrive");
}

void s_conn(struct test *t)
{
	struct pair p;

	make_pair(t, &p);
	if (!is_connected(p.fd))
		deviates(t, "the socket has no peer after success");
	exchange(t, p.fd, p.peer, "on the connection");
	if (!nobody_waits(p.lfd))
		deviates(t, "the listener has a second connection");
	if (!(t->f->traits & LATE))
		data_before_accept(t);
}

void s_once(struct test *t)
{
	struct addr other;
	struct pair p;
	int lfd;
	char c;

	make_pair(t, &p);
	lfd = listener(t, &other, 8);
	expect(t, go_connect(p.fd, &other), EISCONN, "while connected");
	exchange(t, p.fd, p.peer, "after the second connect()");
	close(p.peer);
	if (poll_for(p.fd, POLLIN) && recv(p.fd, &c, 1, 0) > 0)
		deviates(t, "data arrived from a peer that sent none");
	expect(t, go_connect(p.fd, &other), EISCONN,
	       "after the peer has closed");
	if (!nobody_waits(lfd))
		deviates(t, "the second listener has a connection");
}

/* Number of threads that race on one socket, and of races */
#define RACERS 4
#define ROUNDS 20

static void race_start(struct test *t, struct job *jobs, int fd,
		       const struct addr *a)
{
	int i;

	for (i = 0; i < RACERS; i++)
		job_start(t, &jobs[i], fd, &a[i]);
}

static bool race_answer_is_true(struct test *t, int err)
{
	switch (err) {
	case 0:
	case EISCONN:
		return true;
	case EALREADY:
	case EINPROGRESS:
		return t->mode == NONBLOCKING;
	}
	return false;
}

/* There is one attempt and one connection, and each call has a true result. */
static void race_conn(struct test *t)
{
	struct addr a[RACERS];
	struct job jobs[RACERS];
	int lfd, fd, i, err, won = 0;

	lfd = listener(t, &a[0], 8);
	for (i = 1; i < RACERS; i++)
		a[i] = a[0];
	fd = new_socket(t);
	race_start(t, jobs, fd, a);
	accept_one(t, lfd);
	for (i = 0; i < RACERS; i++) {
		err = job_end(&jobs[i]);
		won += err == 0 || err == EINPROGRESS;
		if (!race_answer_is_true(t, err))
			stop(t, "%s in one of %d threads", err_name(err),
			     RACERS);
	}
	if (!won)
		stop(t, "no thread got the result of the connection");
	if (result_of_pending(fd) || !is_connected(fd))
		stop(t, "the socket is not connected after the race");
	if (!nobody_waits(lfd))
		stop(t, "there is more than one connection");
	close(fd);
	close(lfd);
}

/* Each call succeeds, and in the end the socket has one of the peers. */
static void race_dgram(struct test *t)
{
	struct addr a[RACERS];
	struct job jobs[RACERS];
	int fds[RACERS], fd, i, err, got = 0;

	for (i = 0; i < RACERS; i++)
		fds[i] = bound(t, &a[i]);
	fd = new_socket(t);
	race_start(t, jobs, fd, a);
	for (i = 0; i < RACERS; i++) {
		err = job_end(&jobs[i]);
		if (err)
			stop(t, "%s in one of %d threads", err_name(err),
			     RACERS);
	}
	expect(t, give(fd, NULL, 'r'), 0, "from send() after the race");
	until(poll_now(fds[0], POLLIN) | poll_now(fds[1], POLLIN) |
	      poll_now(fds[2], POLLIN) | poll_now(fds[3], POLLIN));
	for (i = 0; i < RACERS; i++)
		got += !!poll_now(fds[i], POLLIN);
	if (got != 1)
		stop(t, "%d of the peers got the datagram", got);
	for (i = 0; i < RACERS; i++)
		close(fds[i]);
	close(fd);
}

void s_thread(struct test *t)
{
	int i;

	for (i = 0; i < ROUNDS && t->result == HOLDS; i++) {
		if (t->type == DGRAM)
			race_dgram(t);
		else
			race_conn(t);
	}
}

/*
 * Return whether connect(2) of Linux, POSIX or QNX, or unix(7) for paths, names
 * an errno.
 */
static bool is_documented(int err)
{
	static const int errs[] = {
		0, EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT,
		EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT, EHOSTUNREACH,
		EINPROGRESS, EINTR, EINVAL, EISCONN, ELOOP, ENAMETOOLONG,
		ENETUNREACH, ENOBUFS, ENOENT, ENOMEM, ENOTDIR, ENOTSOCK,
		EOPNOTSUPP, EPROTOTYPE, ETIMEDOUT,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errs); i++) {
		if (errs[i] == err)
			return true;
	}
	return false;
}

/*
 * Check that connect() returns 0, or -1 and a documented errno. Return the
 * result as an errno.
 */
static int ret_of(struct test *t, const struct addr *a, const char *where)
{
	int fd = new_socket(t), ret, err;

	errno = 0;
	ret = connect(fd, &a->sa, a->len);
	err = ret ? errno : 0;
	if (ret && ret != -1)
		deviates(t, "connect() returned %d %s", ret, where);
	if (ret && !err)
		deviates(t, "connect() returned -1 without an errno %s", where);
	if (err == EINPROGRESS)
		err = result_of_pending(fd);
	if (!is_documented(err))
		deviates(t, "%s %s", err_name(err), where);
	close(fd);
	return err;
}

static void ret_of_failure(struct test *t, const struct addr *a,
			   const char *where)
{
	if (!ret_of(t, a, where))
		deviates(t, "connect() returned 0 %s", where);
}

static void ret_of_success(struct test *t)
{
	struct pair p;

	if (t->type != DGRAM) {
		make_pair(t, &p);
		exchange(t, p.fd, p.peer, "after connect() returned 0");
		return;
	}
	p.lfd = bound(t, &p.a);
	p.fd = new_socket(t);
	expect(t, go_connect(p.fd, &p.a), 0, "with a receiver at the address");
	expect(t, give(p.fd, NULL, 'r'), 0, "from send() after that");
}

void s_ret(struct test *t)
{
	const char *what;
	struct addr a;
	int i;

	ret_of_success(t);
	unbound_target(t, &a);
	if (t->type == DGRAM)
		ret_of(t, &a, "where nothing is bound");
	else
		ret_of_failure(t, &a, "where nothing is bound");
	bound(t, &a);
	if (t->type != DGRAM)
		ret_of_failure(t, &a, "where nothing listens");
	for (i = 0;; i++) {
		t->f->fresh(t->f, &a);
		what = t->f->malformed(t->f, &a, i);
		if (!what)
			break;
		ret_of_failure(t, &a, what);
	}
	t->f->fresh(t->f, &a);
	a.sa.sa_family = 99;
	ret_of_failure(t, &a, "with another address family");
}

/* Let an attempt fail in a way that works in every family, for this type. */
static void fail_once(struct test *t, int fd)
{
	struct addr a;
	int err;

	if (t->type == DGRAM) {
		t->f->fresh(t->f, &a);
		a.sa.sa_family = 99;
	} else {
		unbound_target(t, &a);
	}
	err = go_connect(fd, &a);
	if (!err)
		stop(t, "success where nothing is bound");
	if (err != EINPROGRESS) {
		expect(t, so_error(fd), 0,
		       "in SO_ERROR after connect() returned the error");
		return;
	}
	if (!poll_for(fd, POLLOUT))
		stop(t, "poll() reports no event at the end of the attempt");
	if (!so_error(fd))
		deviates(t, "SO_ERROR has no error");
	expect(t, so_error(fd), 0, "in SO_ERROR when it is read again");
}

/*
 * Let an attempt fail without reading SO_ERROR: the next connect() returns the
 * error, once.
 */
static void fail_with_so_error_unread(struct test *t)
{
	struct pair p = { .peer = -1 };
	struct addr a;
	int err;

	unbound_target(t, &a);
	p.fd = new_socket(t);
	if (go_connect(p.fd, &a) != EINPROGRESS)
		return;
	if (!poll_for(p.fd, POLLOUT))
		stop(t, "poll() reports no event at the end of the attempt");
	err = go_connect(p.fd, &a);
	if (!err || err == EINPROGRESS || err == EISCONN)
		deviates(t, "%s from the next connect()", err_name(err));
	expect(t, so_error(p.fd), 0,
	       "in SO_ERROR after connect() returned the error");
	p.lfd = listener(t, &a, 8);
	expect(t, outcome_at(t, p.fd, p.lfd, &a, &p.peer), 0,
	       "from a connect() after that");
}

void s_resume(struct test *t)
{
	int fd = new_socket(t), peer = -1, lfd;
	struct addr a;

	fail_once(t, fd);
	if (t->type == DGRAM) {
		peer = bound(t, &a);
		expect(t, go_connect(fd, &a), 0, "after a failed attempt");
		expect(t, give(fd, NULL, 'r'), 0, "from send() after that");
		if (take(peer) != 'r')
			deviates(t, "no datagram arrived after that");
		return;
	}
	lfd = listener(t, &a, 8);
	expect(t, outcome_at(t, fd, lfd, &a, &peer), 0,
	       "after a failed attempt");
	if (t->result != HOLDS)
		return;
	if (peer < 0)
		peer = accept_one(t, lfd);
	exchange(t, fd, peer, "after a failed attempt");
	if (t->mode == NONBLOCKING)
		fail_with_so_error_unread(t);
}

void s_done(struct test *t)
{
	struct gate g;
	int fd = pending(t, &g);

	gate_open(t, &g);
	expect(t, result_of_pending(fd), 0,
	       "in SO_ERROR at the end of the attempt");
	expect(t, go_connect(fd, &g.a), 0, "from the next connect()");
	expect(t, go_connect(fd, &g.a), EISCONN,
	       "from the connect() after that");
}

void e_isconn(struct test *t)
{
	struct pair p;

	make_pair(t, &p);
	expect(t, go_connect(p.fd, &p.a), EISCONN, "while connected");
	expect(t, go_connect(p.fd, &p.a), EISCONN, "at the second connect()");
	expect(t, go_connect(p.peer, &p.a), EISCONN, "on an accepted socket");
	exchange(t, p.fd, p.peer, "after that");
}

void e_opnotsupp(struct test *t)
{
	struct addr a, other;
	int lfd = listener(t, &a, 8), ofd = listener(t, &other, 8), fd, peer;

	set_nonblock(lfd, t->mode == NONBLOCKING);
	expect(t, go_connect(lfd, &other), EOPNOTSUPP, "on a listener");
	if (!nobody_waits(ofd))
		deviates(t, "the listener has made a connection");
	fd = new_socket(t);
	expect(t, outcome_at(t, fd, lfd, &a, &peer), 0,
	       "at this listener afterwards");
}
