// SPDX-License-Identifier: GPL-2.0
/* Try the clauses about datagram sockets, and about dissolving associations. */
#include "conformance.h"
#include "clause.h"

void s_dest(struct test *t)
{
	struct addr a, other;
	int rfd = bound(t, &a), ofd = bound(t, &other), fd = new_socket(t);

	expect(t, go_connect(fd, &a), 0, "with a receiver at the address");
	expect(t, give(fd, NULL, 'a'), 0, "from send()");
	expect(t, give(fd, &other, 'b'), 0, "from sendto() to another socket");
	expect(t, give(fd, NULL, 'c'), 0, "from send() after that");
	if (take(rfd) != 'a' || take(rfd) != 'c')
		deviates(t, "send() did not go to the peer");
	if (take(ofd) != 'b')
		deviates(t, "sendto() did not go to its address");
	if (poll_now(rfd, POLLIN) || poll_now(ofd, POLLIN))
		deviates(t, "a further datagram arrived");
}

/*
 * The peer's last datagram is '2'. No datagram of another sender may be read
 * before it.
 */
void s_only(struct test *t)
{
	struct addr a, peer, other;
	int rfd = bound(t, &a), pfd = bound(t, &peer), ofd = bound(t, &other);
	int c, err;

	expect(t, give(ofd, &a, 'x'), 0, "from sendto() before connect()");
	expect(t, give(pfd, &a, '1'), 0, "from the peer's sendto()");
	expect(t, go_connect(rfd, &peer), 0, "with the peer bound");
	err = give(ofd, &a, 'y');
	if (is_altconn(t->f))
		expect(t, err, is_inet(t->f) ? 0 : ECONNREFUSED,
		       "from sendto() to a socket of another peer");
	expect(t, give(pfd, &a, '2'), 0,
	       "from the peer's sendto() after connect()");
	do {
		c = take(rfd);
		if (c == 'x')
			deviates(t,
				 "an old datagram of another sender was read");
		if (c == 'y')
			deviates(t,
				 "a later datagram of another sender was read");
	} while (c == 'x' || c == 'y' || c == '1');
	if (c != '2')
		deviates(t, "the datagram of the peer was not read");
}

/* Make an address that connect() refuses on a datagram socket. */
static void bad_address(struct test *t, struct addr *a)
{
	t->f->fresh(t->f, a);
	if (t->f->unreachable)
		t->f->unreachable(t->f, a);
	else
		t->f->malformed(t->f, a, 1);
}

void s_again(struct test *t)
{
	struct addr a[2], bad;
	int rfd[2], fd, i;

	rfd[0] = bound(t, &a[0]);
	rfd[1] = bound(t, &a[1]);
	fd = new_socket(t);
	for (i = 0; i < 4; i++) {
		expect(t, go_connect(fd, &a[i % 2]), 0,
		       "from a further connect()");
		expect(t, give(fd, NULL, 'a' + i), 0, "from send()");
		if (take(rfd[i % 2]) != 'a' + i)
			stop(t, "send() did not go to the new peer");
	}
	bad_address(t, &bad);
	if (!go_connect(fd, &bad))
		return;
	expect(t, give(fd, NULL, 'z'), 0,
	       "from send() after a failed connect()");
	if (take(rfd[1]) != 'z')
		deviates(t, "a failed connect() changed the association");
}

/* Check that a socket has no destination and receives from any sender again. */
static void is_dissolved(struct test *t, int fd, const struct addr *own)
{
	int other = new_blocking(t), err = give(fd, NULL, 'n');

	if (err != EDESTADDRREQ && err != ENOTCONN)
		deviates(t, "%s from send() after dissolving", err_name(err));
	expect(t, give(other, own, 'o'), 0, "to the dissolved socket");
	if (take(fd) != 'o')
		deviates(t, "other senders are not received after dissolving");
	close(other);
}

static bool same_name(int fd, const struct addr *before)
{
	struct addr a = { .len = sizeof(a.raw) };

	return !getsockname(fd, &a.sa, &a.len) && a.len == before->len &&
	       !memcmp(a.raw, before->raw, a.len);
}

/* Check that an address is released if connect() has chosen it. */
static void releases_name(struct test *t, const struct addr *a)
{
	struct addr before = { .len = sizeof(before.raw) };
	int fd = new_socket(t);

	must(t, !getsockname(fd, &before.sa, &before.len), "getsockname()");
	expect(t, go_connect(fd, a), 0, "with a receiver at the address");
	expect(t, go_unspec(t, fd), 0, "from AF_UNSPEC");
	if (!same_name(fd, &before))
		deviates(t, "an automatic address stays");
	close(fd);
}

static void unspec_dgram(struct test *t)
{
	struct addr a, own;
	int rfd = bound(t, &a), fd = bound(t, &own), i;

	expect(t, go_unspec(t, fd), 0,
	       "from AF_UNSPEC on an unconnected socket");
	for (i = 0; i < 2; i++) {
		expect(t, go_connect(fd, &a), 0,
		       "with a receiver at the address");
		expect(t, give(fd, NULL, 'u'), 0, "from send() to it");
		expect(t, go_unspec(t, fd), 0, "from AF_UNSPEC");
		is_dissolved(t, fd, &own);
	}
	releases_name(t, &a);
	close(rfd);
}

static void unspec_pending(struct test *t)
{
	struct gate g;
	int fd = pending(t, &g);

	expect(t, go_unspec(t, fd), 0, "from AF_UNSPEC on an attempt");
	gate_open(t, &g);
	if (!nobody_waits(g.lfd))
		deviates(t, "a cancelled attempt was established");
	set_nonblock(fd, t->mode == NONBLOCKING);
	expect(t, outcome(t, fd, &g.a), 0, "after a cancelled attempt");
}

static void unspec_listener(struct test *t)
{
	struct addr a;
	int lfd = listener(t, &a, 8), fd = new_socket(t), err;

	expect(t, go_unspec(t, lfd), 0, "from AF_UNSPEC on a listener");
	err = outcome(t, fd, &a);
	if (err != ECONNREFUSED)
		deviates(t, "%s at a dissolved listener", err_name(err));
}

static void unspec_conn(struct test *t)
{
	struct pair p;
	int fd, err;
	char c;

	fd = new_socket(t);
	expect(t, go_unspec(t, fd), 0,
	       "from AF_UNSPEC on an unconnected socket");
	make_pair(t, &p);
	expect(t, go_unspec(t, p.fd), 0, "from AF_UNSPEC");
	if (is_connected(p.fd))
		deviates(t, "the socket is still connected");
	if (!poll_for(p.peer, POLLIN))
		stop(t, "the peer got no event");
	err = err_of(recv(p.peer, &c, 1, 0));
	if (err && err != ECONNRESET)
		deviates(t, "%s at the peer", err_name(err));
	expect(t, outcome_at(t, p.fd, p.lfd, &p.a, &p.peer), 0,
	       "from connect() after dissolving");
	unspec_pending(t);
	unspec_listener(t);
}

void s_unspec(struct test *t)
{
	if (t->type == DGRAM)
		unspec_dgram(t);
	else
		unspec_conn(t);
}

static void null_of(struct test *t, const struct addr *null,
		    const char *where)
{
	struct addr a, own;
	int rfd = bound(t, &a), fd = bound(t, &own), err;

	expect(t, go_connect(fd, &a), 0, "with a receiver at the address");
	err = err_of(connect(fd, null->len ? &null->sa : NULL, null->len));
	expect(t, err, 0, where);
	if (!err)
		is_dissolved(t, fd, &own);
	close(fd);
	close(rfd);
}

/* An address that is invalid in another way changes nothing. */
static void not_null(struct test *t)
{
	struct addr a, bad;
	int rfd = bound(t, &a), fd = new_socket(t);

	expect(t, go_connect(fd, &a), 0, "with a receiver at the address");
	t->f->fresh(t->f, &bad);
	bad.sa.sa_family = 99;
	if (!go_connect(fd, &bad))
		deviates(t, "success with another address family");
	expect(t, give(fd, NULL, 'v'), 0, "from send() after that");
	if (take(rfd) != 'v')
		deviates(t, "an invalid address changed the association");
}

void s_null(struct test *t)
{
	struct addr null;

	t->f->fresh(t->f, &null);
	memset(null.raw, 0, sizeof(null.raw));
	if (null.len < sizeof(null.sa))
		null.len = sizeof(null.sa);
	null_of(t, &null, "with an address of zeroes");
	null.len = 2;
	null_of(t, &null, "with two bytes of zero");
	null.len = 0;
	null_of(t, &null, "with a length of 0");
	if (t->f->null) {
		t->f->null(t->f, &null);
		null_of(t, &null, "with the null address");
	}
	not_null(t);
}
