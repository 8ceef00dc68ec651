// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about the address that connect() is called with. */
#include "conformance.h"

#include <stdlib.h>
#include "clause.h"

static int other_type(const struct test *t)
{
	int i;

	for (i = STREAM; i <= DGRAM; i <<= 1) {
		if (t->f->types & i && i != t->type && !type_missing(t->f, i))
			return i;
	}
	return 0;
}

/* Bind a socket of another type, and listen if the socket can. */
static int bound_otherwise(struct test *t, struct addr *a, int type)
{
	int fd = new_typed(t, sock_type(type));

	t->f->fresh(t->f, a);
	must(t, !bind(fd, &a->sa, a->len), "bind()");
	if (type != DGRAM)
		must(t, !listen(fd, 8), "listen()");
	return fd;
}

static void refused(struct test *t, const struct addr *a, const char *where)
{
	int fd = new_socket(t);

	expect(t, outcome(t, fd, a), ECONNREFUSED, where);
	close(fd);
}

/* The listener closes while an attempt waits for it. */
static void refused_while_waiting(struct test *t)
{
	struct job job;
	struct gate g;
	int fd;

	if (t->mode == NONBLOCKING) {
		fd = pending(t, &g);
		close(g.lfd);
		expect(t, result_of_pending(fd), ECONNREFUSED,
		       "when the listener closed");
		return;
	}
	gate_close(t, &g);
	job_start(t, &job, new_socket(t), &g.a);
	if (!job_waits(&job))
		stop(t, "%s without waiting at a full backlog",
		     err_name(job_end(&job)));
	close(g.lfd);
	expect(t, job_end(&job), ECONNREFUSED, "when the listener closed");
}

/* In altconn, a listener that fails fast refuses at a full backlog. */
static void refused_fast(struct test *t)
{
	unsigned int policy = ALTCONN_POLICY_FAIL_FAST;
	struct gate g;

	gate_close(t, &g);
	must(t, !setsockopt(g.lfd, SOL_ALTCONN, ALTCONN_BACKLOG_POLICY,
			    &policy, sizeof(policy)), "ALTCONN_BACKLOG_POLICY");
	refused(t, &g.a, "at a full backlog of a listener that fails fast");
}

/* In altconn, an attempt is refused if the waiting room is full. */
static void refused_waiting_room(struct test *t)
{
	struct gate g;

	must(t, !netns_enter(), "unshare()");
	must(t, !sysctl_set("altconn/max_waiting", "1"),
	     "net.altconn.max_waiting");
	pending(t, &g);
	refused(t, &g.a, "at a full waiting room");
}

/* connect() or a send refuses, or an error comes back later. */
static void refused_dgram(struct test *t)
{
	int fd = new_socket(t), err;
	struct addr a;

	unbound_target(t, &a);
	err = go_connect(fd, &a);
	if (!err)
		err = give(fd, NULL, 'a');
	if (!err && poll_for(fd, POLLIN))
		err = so_error(fd);
	expect(t, err, ECONNREFUSED, "where nothing is bound");
}

void e_connrefused(struct test *t)
{
	struct addr a;
	int fd, type = other_type(t);

	if (t->type == DGRAM) {
		refused_dgram(t);
		return;
	}
	unbound_target(t, &a);
	refused(t, &a, "where nothing is bound");
	fd = bound(t, &a);
	refused(t, &a, "where a socket is bound and does not listen");
	close(fd);
	if (t->f->traits & HAS_PATHS) {
		plain_file(t, &a);
		refused(t, &a, "at a file that is not a socket");
	}
	if (t->f->traits & OWN_TYPES && type) {
		fd = bound_otherwise(t, &a, type);
		refused(t, &a, "where a socket of another type is bound");
		close(fd);
	}
	close(listener(t, &a, 8));
	refused(t, &a, "where a listener has closed");
	if (t->f->traits & WAITS)
		refused_while_waiting(t);
	if (is_altconn(t->f)) {
		refused_waiting_room(t);
		refused_fast(t);
	}
}

void e_prototype(struct test *t)
{
	struct addr a;
	int i, fd;

	for (i = STREAM; i <= DGRAM; i <<= 1) {
		if (i == t->type || !(t->f->types & i))
			continue;
		bound_otherwise(t, &a, i);
		fd = new_socket(t);
		expect(t, go_connect(fd, &a), EPROTOTYPE,
		       i == DGRAM ? "at a dgram socket" :
		       i == STREAM ? "at a stream listener" :
		       "at a seqpacket listener");
		close(fd);
	}
}

void e_acces_bcast(struct test *t)
{
	int fd = new_socket(t), rfd, on = 1, err;
	struct addr a;

	rfd = bound(t, &a);
	t->f->broadcast(t->f, &a);
	expect(t, go_connect(fd, &a), EACCES, "without SO_BROADCAST");
	must(t, !setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)),
	     "SO_BROADCAST");
	err = go_connect(fd, &a);
	if (t->type != DGRAM) {
		if (is_altconn(t->f))
			expect(t, err, EOPNOTSUPP, "with SO_BROADCAST");
		else if (!err || err == EACCES)
			deviates(t, "%s with SO_BROADCAST", err_name(err));
		return;
	}
	expect(t, err, 0, "with SO_BROADCAST");
	if (err || !is_altconn(t->f))
		return;
	expect(t, give(fd, NULL, 'b'), 0,
	       "from send() to the broadcast address");
	if (take(rfd) != 'b')
		deviates(t, "a broadcast did not arrive");
}

/*
 * In other families a route that prohibits the address stands for a rule, since
 * it can be added without a tool.
 */
void e_perm_rule(struct test *t)
{
	struct addr a;
	int fd, err;

	must(t, !netns_enter(), "unshare()");
	t->f->fresh(t->f, &a);
	must(t, !t->f->forbid(t->f, &a, EACCES), "adding a rule that denies");
	fd = new_socket(t);
	err = outcome(t, fd, &a);
	if (err != EPERM && err != EACCES)
		deviates(t, "%s where a rule denies it", err_name(err));
}

static void host_is_down(struct test *t)
{
	struct addr a;
	int fd, err;

	must(t, !netns_enter(), "unshare()");
	t->f->fresh(t->f, &a);
	err = t->f->down(t->f, &a);
	if (err == 1)
		return;
	must(t, !err, "making a node that is down");
	fd = new_socket(t);
	expect(t, outcome(t, fd, &a), EHOSTUNREACH, "where the node is down");
	must(t, !system("altconn node up 5"), "setting the node up");
	if (outcome(t, fd, &a) == EHOSTUNREACH)
		deviates(t, "EHOSTUNREACH where the node is up");
}

void e_hostunreach(struct test *t)
{
	struct addr a;
	int fd;

	if (t->f->down && t->f->unreachable)
		host_is_down(t);
	must(t, !netns_enter(), "unshare()");
	t->f->fresh(t->f, &a);
	must(t, !t->f->forbid(t->f, &a, EHOSTUNREACH),
	     "making the address unreachable");
	fd = new_socket(t);
	expect(t, outcome(t, fd, &a), EHOSTUNREACH,
	       "where a route or a rule makes the host unreachable");
}

void e_netunreach(struct test *t)
{
	int fd = new_socket(t);
	struct addr a;

	t->f->fresh(t->f, &a);
	t->f->unreachable(t->f, &a);
	expect(t, outcome(t, fd, &a), ENETUNREACH,
	       "at an address without a route");
}
