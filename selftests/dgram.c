// SPDX-License-Identifier: GPL-2.0
/*
 * These tests send datagrams. They cover the clauses S-DEST (the default
 * destination), S-ONLY (a connected socket receives from its peer only),
 * S-AGAIN (connect() to another peer), S-UNSPEC (connect() to AF_UNSPEC) and
 * S-NULL (connect() to a null address), and also sizes, full receivers and
 * broadcasts.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>

FIXTURE(dgram) {
	struct at_addr a;	/* address of @rfd */
	int rfd;
	int fd;			/* an unbound sender */
};

FIXTURE_VARIANT(dgram) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(dgram, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(dgram, native_name) {
	.format = AT_NATIVE, .kind = AT_NAME,
};
FIXTURE_VARIANT_ADD(dgram, native_path) {
	.format = AT_NATIVE, .kind = AT_PATH,
};
FIXTURE_VARIANT_ADD(dgram, native_inet) {
	.format = AT_NATIVE, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(dgram, inet) {
	.format = AT_IN, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(dgram, inet6) {
	.format = AT_IN6, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(dgram, unix_name) {
	.format = AT_UNIX, .kind = AT_NAME,
};
FIXTURE_VARIANT_ADD(dgram, unix_path) {
	.format = AT_UNIX, .kind = AT_PATH,
};
FIXTURE_VARIANT_ADD(dgram, oracle_name) {
	.format = AT_ORACLE, .kind = AT_NAME,
};
FIXTURE_VARIANT_ADD(dgram, oracle_path) {
	.format = AT_ORACLE, .kind = AT_PATH,
};

#define ORACLE (variant->format == AT_ORACLE)
/* A socket in the sockaddr_un format acts as AF_UNIX, any other as UDP. */
#define AS_UDP (variant->format != AT_ORACLE && variant->format != AT_UNIX)
/* In the inet formats the fate of a datagram is reported as by UDP, too. */
#define INET (variant->format == AT_IN || variant->format == AT_IN6)
#define NONBLOCK_DGRAM (SOCK_DGRAM | SOCK_NONBLOCK)

FIXTURE_SETUP(dgram)
{
	self->rfd = at_bound(&self->a, variant->format, variant->kind,
			     SOCK_DGRAM);
	ASSERT_LE(0, self->rfd);
	ASSERT_EQ(0, at_set_blocking_receiver(self->rfd, variant->format));
	self->fd = at_socket(variant->format, SOCK_DGRAM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(dgram)
{
	at_cleanup();
}

static int bind_receiver(const FIXTURE_VARIANT(dgram) *variant,
			 struct at_addr *a)
{
	return at_bound(a, variant->format, variant->kind, SOCK_DGRAM);
}

TEST_F_TIMEOUT(dgram, S_DEST, AT_TIMEOUT)
{
	struct at_addr other;
	int ofd = bind_receiver(variant, &other);

	ASSERT_LE(0, ofd);
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'a'));
	EXPECT_EQ(0, at_send_byte(self->fd, &other, 'b'));
	EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'c'));
	EXPECT_EQ('a', at_recv_byte(self->rfd));
	EXPECT_EQ('c', at_recv_byte(self->rfd));
	EXPECT_EQ('b', at_recv_byte(ofd));
	EXPECT_EQ(-EAGAIN, at_recv_byte(ofd));
}

TEST_F_TIMEOUT(dgram, send_unconnected, AT_TIMEOUT)
{
	EXPECT_EQ(AS_UDP ? EDESTADDRREQ : ENOTCONN,
		  at_send_byte(self->fd, NULL, 'a'));
}

TEST_F_TIMEOUT(dgram, recvfrom_returns_the_sender, AT_TIMEOUT)
{
	struct at_addr own, from;
	int fd = bind_receiver(variant, &own);
	char c;

	ASSERT_EQ(0, at_send_byte(fd, &self->a, 'a'));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(self->rfd, &c, 1, 0, &from.sa, &from.len));
	EXPECT_TRUE(at_addr_eq(&own, &from));
	EXPECT_EQ(0, at_send_byte(self->rfd, &from, 'b'));
	EXPECT_EQ('b', at_recv_byte(fd));
}

/*
 * An unbound sender is unnamed, as with AF_UNIX, or has an address to which the
 * receiver can answer.
 */
TEST_F_TIMEOUT(dgram, recvfrom_unbound_sender, AT_TIMEOUT)
{
	struct at_addr from;
	char c;

	ASSERT_EQ(0, at_send_byte(self->fd, &self->a, 'a'));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(self->rfd, &c, 1, 0, &from.sa, &from.len));
	if (AS_UDP && variant->kind != AT_PATH) {
		EXPECT_EQ(self->a.len, from.len);
		EXPECT_EQ(0, at_send_byte(self->rfd, &from, 'b'));
		EXPECT_EQ('b', at_recv_byte(self->fd));
	} else {
		EXPECT_GE(2, from.len);
	}
}

TEST_F_TIMEOUT(dgram, datagrams_of_each_size_arrive_whole, AT_TIMEOUT)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 65536, 100000 };
	static char out[100000], in[100001];
	uint64_t seed = 7;
	size_t i, n;

	at_random_fill(&seed, out, sizeof(out));
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		n = sizes[i];
		if (INET && n > 65507)
			continue;
		EXPECT_EQ(n, send(self->fd, out, n, 0));
		EXPECT_EQ(POLLIN, at_poll(self->rfd, POLLIN));
		EXPECT_EQ(n, recv(self->rfd, in, sizeof(in), MSG_DONTWAIT));
		EXPECT_EQ(0, memcmp(in, out, n));
	}
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(dgram, EMSGSIZE_at_the_limit, AT_TIMEOUT)
{
	static char buf[1 << 20];
	socklen_t len = sizeof(int);
	int size = 32768, limit;
	ssize_t n, most = 0;

	if (INET)
		SKIP(return,
		     "datagrams of UDP have another limit, see oracle");
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_SNDBUF, &size, len));
	ASSERT_EQ(0, getsockopt(self->fd, SOL_SOCKET, SO_SNDBUF, &limit,
				&len));
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(EMSGSIZE, at_err(send(self->fd, buf, limit + 1, 0)));
	EXPECT_EQ(EMSGSIZE, at_err(send(self->fd, buf, sizeof(buf), 0)));
	/* The largest datagram has between half of the limit and the limit. */
	for (n = limit; n > limit / 2 && !most; n -= 32) {
		if (send(self->fd, buf, n, MSG_DONTWAIT) == n)
			most = n;
	}
	EXPECT_LT(limit / 2, most);
	EXPECT_EQ(most, recv(self->rfd, buf, sizeof(buf), MSG_DONTWAIT));
}

TEST_F_TIMEOUT(dgram, MSG_TRUNC_flag, AT_TIMEOUT)
{
	char buf[8] = {};
	struct iovec iov = { buf, 2 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	ASSERT_EQ(5, send(self->fd, "abcde", 5, 0));
	ASSERT_EQ(5, send(self->fd, "fghij", 5, 0));
	EXPECT_EQ(2, recvmsg(self->rfd, &msg, 0));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags & MSG_TRUNC);
	EXPECT_EQ(5, recv(self->rfd, buf, 2, MSG_TRUNC | MSG_PEEK));
	EXPECT_EQ(5, recv(self->rfd, buf, 2, MSG_TRUNC));
	EXPECT_EQ(0, memcmp(buf, "fg", 2));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(dgram, SIOCINQ_is_the_next_length, AT_TIMEOUT)
{
	int in = -1;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	ASSERT_EQ(0, ioctl(self->rfd, SIOCINQ, &in));
	EXPECT_EQ(0, in);
	ASSERT_EQ(5, send(self->fd, "abcde", 5, 0));
	ASSERT_EQ(2, send(self->fd, "fg", 2, 0));
	ASSERT_EQ(0, ioctl(self->rfd, SIOCINQ, &in));
	EXPECT_EQ(5, in);
}

TEST_F_TIMEOUT(dgram, MSG_OOB_EOPNOTSUPP, AT_TIMEOUT)
{
	char c;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(EOPNOTSUPP, at_err(send(self->fd, "x", 1, MSG_OOB)));
	EXPECT_EQ(EOPNOTSUPP, at_err(recv(self->rfd, &c, 1,
					  MSG_OOB | MSG_DONTWAIT)));
}

/* A connected socket receives from its peer only (S-ONLY). */
TEST_F_TIMEOUT(dgram, S_ONLY_filters_others, AT_TIMEOUT)
{
	struct at_addr peer, other;
	int pfd = bind_receiver(variant, &peer);
	int ofd = bind_receiver(variant, &other);
	int err;

	ASSERT_LE(0, pfd);
	ASSERT_LE(0, ofd);
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &peer)));
	/* AF_UNIX returns EPERM if the receiver has another peer. */
	err = ORACLE ? EPERM : INET ? 0 : ECONNREFUSED;
	EXPECT_EQ(err, at_send_byte(ofd, &self->a, 'o'));
	EXPECT_EQ(err, at_send_byte(self->fd, &self->a, 'u'));
	EXPECT_EQ(0, at_send_byte(pfd, &self->a, 'p'));
	EXPECT_EQ('p', at_recv_byte(self->rfd));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(dgram, S_ONLY_drops_queued_datagrams, AT_TIMEOUT)
{
	struct at_addr peer, other;
	int pfd = bind_receiver(variant, &peer);
	int ofd = bind_receiver(variant, &other);

	if (ORACLE)
		SKIP(return,
		     "AF_UNIX drops datagrams only when the peer changes");
	ASSERT_LE(0, pfd);
	ASSERT_LE(0, ofd);
	EXPECT_EQ(0, at_send_byte(pfd, &self->a, '1'));
	EXPECT_EQ(0, at_send_byte(ofd, &self->a, 'x'));
	EXPECT_EQ(0, at_send_byte(pfd, &self->a, '2'));
	EXPECT_EQ(0, at_send_byte(self->fd, &self->a, 'y'));
	EXPECT_EQ(0, at_send_byte(pfd, &self->a, '3'));
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &peer)));
	EXPECT_EQ('1', at_recv_byte(self->rfd));
	EXPECT_EQ('2', at_recv_byte(self->rfd));
	EXPECT_EQ('3', at_recv_byte(self->rfd));
	EXPECT_EQ(-EAGAIN, at_recv_byte(self->rfd));
}

TEST_F_TIMEOUT(dgram, S_ONLY_ends_with_the_association, AT_TIMEOUT)
{
	struct at_addr peer, other;
	int pfd = bind_receiver(variant, &peer);
	int ofd = bind_receiver(variant, &other);

	ASSERT_LE(0, pfd);
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &peer)));
	ASSERT_EQ(0, at_err(at_connect_unspec(self->rfd)));
	EXPECT_EQ(0, at_send_byte(ofd, &self->a, 'o'));
	EXPECT_EQ('o', at_recv_byte(self->rfd));
}

/* A connected socket may connect to another peer (S-AGAIN). */
TEST_F_TIMEOUT(dgram, S_AGAIN, AT_TIMEOUT)
{
	struct at_addr peer, other, got;
	int pfd = bind_receiver(variant, &peer);
	int ofd = bind_receiver(variant, &other);
	int i;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, at_err(at_connect(self->fd, &peer)));
		EXPECT_EQ(0, at_getpeername(self->fd, &got));
		EXPECT_TRUE(at_addr_eq(&peer, &got));
		EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'p'));
		EXPECT_EQ('p', at_recv_byte(pfd));
		EXPECT_EQ(0, at_err(at_connect(self->fd, &other)));
		EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'o'));
		EXPECT_EQ('o', at_recv_byte(ofd));
		EXPECT_EQ(-EAGAIN, at_recv_byte(pfd));
	}
}

TEST_F_TIMEOUT(dgram, S_AGAIN_failure_changes_nothing, AT_TIMEOUT)
{
	struct at_addr bad, got;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	if (variant->kind == AT_INET) {
		at_addr_ip(&bad, variant->format, variant->format == AT_IN6 ?
			   "2001:db8::1" : "203.0.113.1", 4000);
		EXPECT_EQ(ENETUNREACH, at_err(at_connect(self->fd, &bad)));
	} else {
		at_addr(&bad, variant->format, AT_PATH);
		EXPECT_EQ(ENOENT, at_err(at_connect(self->fd, &bad)));
	}
	if (variant->format == AT_NATIVE) {
		at_addr(&bad, AT_NATIVE, AT_PORT);
		bad.nat.sac_node = 5;
		EXPECT_EQ(ENETUNREACH, at_err(at_connect(self->fd, &bad)));
		bad.nat.sac_flags = 1;
		EXPECT_EQ(EINVAL, at_err(at_connect(self->fd, &bad)));
	}
	EXPECT_EQ(0, at_getpeername(self->fd, &got));
	EXPECT_TRUE(at_addr_eq(&self->a, &got));
	EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'a'));
	EXPECT_EQ('a', at_recv_byte(self->rfd));
}

/*
 * connect() to AF_UNSPEC (S-UNSPEC) or to a null address (S-NULL) dissolves the
 * association.
 */
TEST_F_TIMEOUT(dgram, S_UNSPEC, AT_TIMEOUT)
{
	struct at_addr got;
	int i;

	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
		EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
		EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &got)));
		EXPECT_EQ(AS_UDP ? EDESTADDRREQ : ENOTCONN,
			  at_send_byte(self->fd, NULL, 'a'));
	}
}

TEST_F_TIMEOUT(dgram, S_UNSPEC_bindings, AT_TIMEOUT)
{
	struct at_addr own, got;
	int fd = bind_receiver(variant, &own);

	if (ORACLE)
		SKIP(return, "AF_UNIX does not bind by itself");
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	ASSERT_EQ(0, at_err(at_connect_unspec(fd)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&own, &got));
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	ASSERT_EQ(0, at_err(at_connect_unspec(self->fd)));
	EXPECT_EQ(0, at_getsockname(self->fd, &got));
	EXPECT_TRUE(at_unnamed(&got));
}

TEST_F_TIMEOUT(dgram, S_NULL_forms, AT_TIMEOUT)
{
	static const char zeroes[128];
	static const socklen_t lens[] = { 0, 2, 3, 16, 110, 128 };
	struct at_addr got, null;
	int i;

	if (ORACLE)
		SKIP(return, "AF_UNIX accepts AF_UNSPEC only");
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
		EXPECT_EQ(0, at_err(connect(self->fd, (void *)zeroes,
					    lens[i]))) {
			TH_LOG("S-NULL, %u zero bytes", lens[i]);
		}
		EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &got)));
	}
	/* With length 0 the pointer to the address is never followed. */
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(0, at_err(connect(self->fd, NULL, 0)));
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &got)));
	if (variant->format != AT_NATIVE)
		return;
	at_addr_port(&null, 0);
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(0, at_err(at_connect(self->fd, &null)));
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &got)));
}

TEST_F_TIMEOUT(dgram, S_NULL_others_change_nothing, AT_TIMEOUT)
{
	struct at_addr got, bad = {};

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(EINVAL, at_err(connect(self->fd, &bad.sa, -1)));
	EXPECT_EQ(EFAULT, at_err(connect(self->fd, NULL, 110)));
	bad.sa.sa_family = 99;
	EXPECT_NE(0, at_err(connect(self->fd, &bad.sa, 110)));
	EXPECT_EQ(0, at_getpeername(self->fd, &got));
	EXPECT_TRUE(at_addr_eq(&self->a, &got));
}

/*
 * Except to a path, connect() succeeds where no socket is bound, and send()
 * returns ECONNREFUSED (E-CONNREFUSED). In the inet formats the next call
 * returns it, as with UDP.
 */
TEST_F_TIMEOUT(dgram, E_CONNREFUSED_nothing_bound, AT_TIMEOUT)
{
	struct at_addr none;

	if (variant->kind == AT_PATH) {
		close(self->rfd);
		EXPECT_EQ(ECONNREFUSED, at_err(at_connect(self->fd,
							  &self->a)));
		EXPECT_EQ(ECONNREFUSED, at_send_byte(self->fd, &self->a, 'a'));
		return;
	}
	at_addr(&none, variant->format, variant->kind);
	EXPECT_EQ(ORACLE ? ECONNREFUSED : 0,
		  at_err(at_connect(self->fd, &none)));
	EXPECT_EQ(INET ? 0 : ECONNREFUSED, at_send_byte(self->fd, &none, 'a'));
	if (ORACLE)
		return;
	EXPECT_EQ(ECONNREFUSED, at_send_byte(self->fd, NULL, 'a'));
	EXPECT_EQ(INET ? 0 : ECONNREFUSED, at_send_byte(self->fd, NULL, 'a'));
	EXPECT_EQ(INET ? ECONNREFUSED : 0, at_so_error(self->fd));
	/* The call before has returned the error, which is reported once. */
	EXPECT_EQ(0, at_so_error(self->fd));
	EXPECT_EQ(0, at_send_byte(self->fd, &self->a, 'a'));
}

TEST_F_TIMEOUT(dgram, association_survives_a_restart, AT_TIMEOUT)
{
	int again;

	if (ORACLE || variant->kind == AT_PATH)
		SKIP(return, "ports and names only");
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'a'));
	close(self->rfd);
	if (INET)
		EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'b'));
	EXPECT_EQ(ECONNREFUSED, at_send_byte(self->fd, NULL, 'b'));
	again = at_socket(variant->format, SOCK_DGRAM);
	ASSERT_EQ(0, at_err(at_bind(again, &self->a)));
	EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'c'));
	EXPECT_EQ('c', at_recv_byte(again));
}

TEST_F_TIMEOUT(dgram, path_peer_gone, AT_TIMEOUT)
{
	if (variant->kind != AT_PATH)
		SKIP(return, "paths only");
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	close(self->rfd);
	EXPECT_EQ(ECONNREFUSED, at_send_byte(self->fd, NULL, 'b'));
}

TEST_F_TIMEOUT(dgram, connect_to_oneself, AT_TIMEOUT)
{
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &self->a)));
	EXPECT_EQ(0, at_send_byte(self->rfd, NULL, 's'));
	EXPECT_EQ('s', at_recv_byte(self->rfd));
}

/* Send datagrams until the receiver is full. Return how many were sent. */
static int fill_queue(int fd)
{
	static char buf[2048];
	int n = 0;

	while (send(fd, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		n++;
	return n;
}

static int drain_queue(int fd)
{
	static char buf[2048];
	int n = 0;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == sizeof(buf))
		n++;
	return n;
}

TEST_F_TIMEOUT(dgram, full_EAGAIN_and_POLLOUT, AT_TIMEOUT)
{
	int n;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(POLLOUT, at_poll_now(self->fd, POLLOUT));
	n = fill_queue(self->fd);
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_LT(0, n);
	EXPECT_EQ(0, at_poll_now(self->fd, POLLOUT));
	EXPECT_EQ(n, drain_queue(self->rfd));
	EXPECT_EQ(POLLOUT, at_poll(self->fd, POLLOUT));
	EXPECT_EQ(0, at_send_byte(self->fd, NULL, 'a'));
}

struct blocked {
	pthread_t thread;
	int fd;
	atomic_int tid;
	ssize_t ret;
	int err;
};

static void *send_blocked(void *arg)
{
	static char buf[2048];
	struct blocked *b = arg;

	atomic_store(&b->tid, gettid());
	b->ret = send(b->fd, buf, sizeof(buf), MSG_NOSIGNAL);
	b->err = at_err(b->ret);
	return NULL;
}

static int start_blocked(struct blocked *b, int fd)
{
	b->fd = fd;
	return at_start_asleep(&b->thread, send_blocked, b, &b->tid);
}

TEST_F_TIMEOUT(dgram, full_blocks_until_space, AT_TIMEOUT)
{
	struct blocked b;
	int n;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	n = fill_queue(self->fd);
	ASSERT_EQ(0, start_blocked(&b, self->fd));
	while (n >= 0) {
		if (at_poll(self->rfd, POLLIN) != POLLIN)
			break;
		n -= drain_queue(self->rfd);
	}
	EXPECT_EQ(-1, n);
	pthread_join(b.thread, NULL);
	EXPECT_EQ(2048, b.ret);
}

TEST_F_TIMEOUT(dgram, full_receiver_closes, AT_TIMEOUT)
{
	struct blocked b;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	fill_queue(self->fd);
	ASSERT_EQ(0, start_blocked(&b, self->fd));
	close(self->rfd);
	pthread_join(b.thread, NULL);
	EXPECT_EQ(INET ? 2048 : -1, b.ret);
	EXPECT_EQ(ECONNREFUSED, INET ? at_so_error(self->fd) : b.err);
}

TEST_F_TIMEOUT(dgram, full_receiver_shuts_down, AT_TIMEOUT)
{
	struct at_addr own;
	struct blocked b;
	int fd = bind_receiver(variant, &own);

	if (ORACLE)
		SKIP(return, "AF_UNIX leaves blocked senders asleep");
	if (INET)
		SKIP(return, "UDP receives after shutdown(), see oracle");
	ASSERT_EQ(0, at_err(at_connect(fd, &self->a)));
	ASSERT_EQ(0, at_err(at_connect(self->rfd, &own)));
	fill_queue(fd);
	ASSERT_EQ(0, start_blocked(&b, fd));
	ASSERT_EQ(0, at_err(shutdown(self->rfd, SHUT_RD)));
	pthread_join(b.thread, NULL);
	EXPECT_EQ(-1, b.ret);
	EXPECT_EQ(EPIPE, b.err);
}

TEST_F_TIMEOUT(dgram, full_SO_SNDTIMEO, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 20000 };
	static char buf[2048];

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	fill_queue(self->fd);
	EXPECT_EQ(EAGAIN, at_err(send(self->fd, buf, sizeof(buf), 0)));
}

TEST_F_TIMEOUT(dgram, SO_RCVBUF_bounds, AT_TIMEOUT)
{
	static const int sizes[] = { 8192, 65536 };
	int i, n, before = 0, big = 1 << 20;

	if (ORACLE)
		SKIP(return, "AF_UNIX counts datagrams");
	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_SNDBUFFORCE, &big,
				sizeof(big)));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ASSERT_EQ(0, setsockopt(self->rfd, SOL_SOCKET, SO_RCVBUFFORCE,
					&sizes[i], sizeof(int)));
		n = fill_queue(self->fd);
		EXPECT_LT(before, n);
		EXPECT_GE(2 * sizes[i] / 2048 + 1, n);
		EXPECT_EQ(n, drain_queue(self->rfd));
		before = n;
	}
}

TEST_F_TIMEOUT(dgram, order_and_bulk, AT_TIMEOUT)
{
	int n = at_scale(4000, 400), i, got;
	pid_t pid = at_fork();

	if (!pid) {
		if (at_connect(self->fd, &self->a))
			_exit(1);
		for (i = 0; i < n; i++)
			if (send(self->fd, &i, sizeof(i), 0) != sizeof(i))
				_exit(2);
		_exit(0);
	}
	for (i = 0; i < n; i++) {
		ASSERT_EQ(sizeof(got), recv(self->rfd, &got, sizeof(got), 0));
		ASSERT_EQ(i, got);
	}
	EXPECT_EQ(0, at_reap(pid));
}

/*
 * shutdown() of an unconnected socket returns 0 in the sockaddr_un format, and
 * ENOTCONN in other formats, as with UDP. The call takes effect all the same,
 * but a socket in an inet format goes on receiving.
 */
TEST_F_TIMEOUT(dgram, shutdown_unconnected, AT_TIMEOUT)
{
	EXPECT_EQ(AS_UDP ? ENOTCONN : 0,
		  at_err(shutdown(self->rfd, SHUT_RD)));
	EXPECT_EQ(INET ? 0 : EPIPE,
		  at_err(sendto(self->fd, "x", 1, MSG_NOSIGNAL, &self->a.sa,
				self->a.len)));
}

TEST_F_TIMEOUT(dgram, shutdown, AT_TIMEOUT)
{
	char c;

	ASSERT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	ASSERT_EQ(0, at_err(shutdown(self->fd, SHUT_WR)));
	EXPECT_EQ(EPIPE, at_err(send(self->fd, "x", 1, MSG_NOSIGNAL)));
	ASSERT_EQ(0, at_err(shutdown(self->fd, SHUT_RD)));
	EXPECT_EQ(0, recv(self->fd, &c, 1, 0));
}

/*
 * A broadcast needs SO_BROADCAST, or else fails with EACCES (E-ACCES-BCAST). It
 * reaches the sockets of its port only.
 */
TEST(E_ACCES_BCAST_datagrams)
{
	struct at_addr a, to;
	int fds[2], fd, on = 1, other;

	fd = at_socket(AT_NATIVE, SOCK_DGRAM);
	fds[0] = at_bound(&a, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	ASSERT_LE(0, fds[0]);
	other = at_bound(&to, AT_NATIVE, AT_PORT, SOCK_DGRAM);
	ASSERT_LE(0, other);
	to = a;
	to.nat.sac_node = ALTCONN_NODE_BROADCAST;
	EXPECT_EQ(EACCES, at_send_byte(fd, &to, 'b'));
	EXPECT_EQ(EACCES, at_err(at_connect(fd, &to)));
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on,
				sizeof(on)));
	EXPECT_EQ(0, at_send_byte(fd, &to, 'b'));
	EXPECT_EQ('b', at_recv_byte(fds[0]));
	EXPECT_EQ(0, at_err(at_connect(fd, &to)));
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'c'));
	EXPECT_EQ('c', at_recv_byte(fds[0]));
	EXPECT_EQ(-EAGAIN, at_recv_byte(other));
}

/* At most this many datagram sockets may share an address. */
#define MOST_RECEIVERS	1024

FIXTURE(shared) {
	int fds[MOST_RECEIVERS];
};

FIXTURE_VARIANT(shared) {
	enum at_format format;
	enum at_kind kind;
	bool reuses;	/* share by SO_REUSEADDR */
};

FIXTURE_VARIANT_ADD(shared, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(shared, unix_name) {
	.format = AT_UNIX, .kind = AT_NAME,
};
FIXTURE_VARIANT_ADD(shared, inet) {
	.format = AT_IN, .kind = AT_INET,
};
FIXTURE_VARIANT_ADD(shared, inet_reused) {
	.format = AT_IN, .kind = AT_INET, .reuses = true,
};

FIXTURE_SETUP(shared)
{
	struct rlimit most;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &most));
	most.rlim_cur = most.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &most));
}

FIXTURE_TEARDOWN(shared)
{
	at_cleanup();
}

/*
 * Bind @fd to an address that other sockets may have too. Return @fd, or close
 * @fd and return -1 on failure.
 */
static int share_as(const FIXTURE_VARIANT(shared) *variant,
		    const struct at_addr *a, int fd)
{
	int err;

	err = variant->reuses ? at_set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1) :
				at_set_option(fd, ALTCONN_SHARE_ADDRESS, 1);
	err = err ? : at_err(at_bind(fd, a));
	if (!err)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

static int bind_sharing(const FIXTURE_VARIANT(shared) *variant,
			const struct at_addr *a)
{
	return share_as(variant, a, at_socket(variant->format, SOCK_DGRAM));
}

/*
 * A connected sender that binds has another address. So another of the sockets
 * that share the destination may receive its datagrams: here the one that is
 * connected to the sender's new address.
 */
TEST(shared_by_a_receiver_of_the_sender)
{
	struct at_addr a, s;
	int fds[2], fd, i;
	char byte;

	at_addr(&a, AT_UNIX, AT_NAME);
	at_addr(&s, AT_UNIX, AT_NAME);
	for (i = 0; i < 2; i++) {
		fds[i] = at_socket(AT_UNIX, SOCK_DGRAM);
		ASSERT_EQ(0, at_set_option(fds[i], ALTCONN_SHARE_ADDRESS, 1));
		ASSERT_EQ(0, at_bind(fds[i], &a));
	}
	ASSERT_EQ(0, at_connect(fds[0], &s));
	fd = at_socket(AT_UNIX, SOCK_DGRAM);
	ASSERT_EQ(0, at_connect(fd, &a));
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'a'));
	EXPECT_EQ(1, recv(fds[1], &byte, 1, MSG_DONTWAIT));
	ASSERT_EQ(0, at_bind(fd, &s));
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'b'));
	EXPECT_EQ(1, recv(fds[0], &byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(-1, recv(fds[1], &byte, 1, MSG_DONTWAIT));
	close(fd);
	at_close(fds, 2);
}

/* Half of a socketpair has a peer, so it gets no datagram of another sender. */
TEST_F(shared, half_of_a_pair_refuses_other_senders)
{
	int sv[2], rfd, fd, i;
	struct at_addr a;
	char byte;

	at_addr(&a, variant->format, variant->kind);
	ASSERT_EQ(0, at_socketpair(variant->format, SOCK_DGRAM, sv));
	ASSERT_LE(0, share_as(variant, &a, sv[0]));
	rfd = bind_sharing(variant, &a);
	ASSERT_LE(0, rfd);
	/* The sender's address selects a receiver among the sockets. */
	for (i = 0; i < 32; i++) {
		fd = at_socket(variant->format, SOCK_DGRAM);
		EXPECT_EQ(0, at_send_byte(fd, &a, 'a'));
		EXPECT_EQ(1, recv(rfd, &byte, 1, MSG_DONTWAIT));
		close(fd);
	}
	EXPECT_EQ(1, send(sv[1], "b", 1, 0));
	EXPECT_EQ(1, recv(sv[0], &byte, 1, MSG_DONTWAIT));
	close(rfd);
	at_close(sv, 2);
}

/*
 * The number of sockets at one address is limited, since send() walks all of
 * them. The number of listeners at one address is limited in the same way.
 */
TEST_F_TIMEOUT(shared, receivers_are_bounded, AT_TIMEOUT)
{
	struct at_addr a;
	int i, n, fd;

	at_addr(&a, variant->format, variant->kind);
	for (n = 0; n < MOST_RECEIVERS; n++) {
		self->fds[n] = bind_sharing(variant, &a);
		ASSERT_LE(0, self->fds[n]);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-1, bind_sharing(variant, &a));
		EXPECT_EQ(EADDRINUSE, errno);
	}
	fd = at_socket(variant->format, SOCK_DGRAM);
	EXPECT_EQ(0, at_send_byte(fd, &a, 'a'));
	close(self->fds[--n]);
	self->fds[n] = bind_sharing(variant, &a);
	EXPECT_LE(0, self->fds[n]);
	at_close(self->fds, n + 1);
}

/*
 * At most this many datagram sockets may be bound to one inet port, over all IP
 * addresses, since a broadcast walks all of them.
 */
#define MOST_OF_A_PORT	16384

TEST_F_TIMEOUT(shared, receivers_of_a_port_are_bounded, AT_TIMEOUT_LONG)
{
	struct at_addr a = {
		.in = { .sin_family = AF_INET, .sin_port = htons(5000) },
		.len = sizeof(a.in),
	};
	struct rlimit most;
	int *fds, fd, n;

	if (variant->kind != AT_INET || variant->reuses)
		SKIP(return, "one variant is enough");
	if (at_scale(0, 1))
		SKIP(return,
		     "the stock kernel does it: so many sockets take long");
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &most));
	if (most.rlim_max < MOST_OF_A_PORT + 100)
		SKIP(return, "RLIMIT_NOFILE allows fewer sockets");
	fds = calloc(MOST_OF_A_PORT, sizeof(*fds));
	ASSERT_NE(NULL, fds);
	for (n = 0; n < MOST_OF_A_PORT; n++) {
		a.in.sin_addr.s_addr = htonl(0x7f010000 + n);
		fds[n] = at_socket(variant->format, SOCK_DGRAM);
		ASSERT_EQ(0, at_err(at_bind(fds[n], &a)));
	}
	a.in.sin_addr.s_addr = htonl(0x7f020000);
	fd = at_socket(variant->format, SOCK_DGRAM);
	EXPECT_EQ(EADDRINUSE, at_err(at_bind(fd, &a)));
	/* Each port has a limit of its own, and stream sockets do not count. */
	a.in.sin_port = htons(5001);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	close(fd);
	a.in.sin_port = htons(5000);
	fd = at_socket(variant->format, SOCK_STREAM);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	close(fd);
	close(fds[--n]);
	fd = at_socket(variant->format, SOCK_DGRAM);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	close(fd);
	at_close(fds, n);
	free(fds);
}

TEST_HARNESS_MAIN
