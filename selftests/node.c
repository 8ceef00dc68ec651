// SPDX-License-Identifier: GPL-2.0
/*
 * Test nodes: network namespaces that reach each other's sockets. A test runs
 * in one of two or three namespaces that it makes: the namespace "here" knows
 * the other namespace, "there", as node 7, and is known there as node 3.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <arpa/inet.h>
#include <linux/altconn_netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THERE	7
#define HERE	3

static const char * const ips[][2] = {
	[THERE] = { "10.7.0.1", "fd07::1" },
	[HERE] = { "10.7.0.3", "fd07::3" },
};

/* Return an IP address of a node as the 16 bytes that netlink expects. */
static const void *ip_of(int node, bool v6)
{
	static unsigned char ip[16];

	memset(ip, 0, 10);
	memset(ip + 10, 0xff, 2);
	inet_pton(v6 ? AF_INET6 : AF_INET, ips[node][v6], ip + (v6 ? 0 : 12));
	return ip;
}

FIXTURE(node) {
	int here, there;	/* namespaces; the test runs in @here */
	int lfd;		/* bound in @there, with ALTCONN_REACHABLE */
	struct at_addr to;	/* the address of @lfd, as @here writes it */
	struct at_addr own;	/* the address of @lfd, as @there writes it */
};

FIXTURE_VARIANT(node) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

#define NODE(d, k, t)							\
	FIXTURE_VARIANT_ADD(node, d ## _ ## k ## _ ## t) {		\
		.format = AT_ ## d, .kind = AT_ ## k,			\
		.type = SOCK_ ## t					\
	}
/*
 * In the inet formats, as in UDP, send() succeeds whatever becomes of the
 * datagram, and the next call of a connected socket returns the error.
 */
#define AS_UDP	(variant->type == SOCK_DGRAM && variant->format == AT_IN)

NODE(NATIVE, PORT, STREAM);
NODE(NATIVE, NAME, SEQPACKET);
NODE(IN, INET, STREAM);
NODE(IN6, INET, SEQPACKET);
NODE(NATIVE, PORT, DGRAM);
NODE(IN, INET, DGRAM);

/*
 * Translate the address @own for a namespace that knows the namespace of @own
 * as node @node.
 */
static void translate_addr(struct at_addr *a, const struct at_addr *own,
			   int node)
{
	*a = *own;
	if (a->sa.sa_family == AF_INET)
		inet_pton(AF_INET, ips[node][0], &a->in.sin_addr);
	else if (a->sa.sa_family == AF_INET6)
		inet_pton(AF_INET6, ips[node][1], &a->in6.sin6_addr);
	else
		a->nat.sac_node = node;
}

/*
 * Make a socket and bind it in the current namespace. With kind AT_INET the
 * address is 0.0.0.0 or ::. A socket that is not a datagram socket listens with
 * backlog 0.
 */
static int bind_here(enum at_format format, enum at_kind kind, int type,
		     bool reachable, struct at_addr *a)
{
	int fd = at_socket(format, type);

	if (kind == AT_INET)
		at_addr_ip(a, format, format == AT_IN6 ? "::" : "0.0.0.0", 0);
	else
		at_addr(a, format, kind);
	if (fd < 0 || (reachable && at_set_option(fd, ALTCONN_REACHABLE, 1)) ||
	    at_bind(fd, a) || at_getsockname(fd, a) ||
	    (type != SOCK_DGRAM && listen(fd, 0)))
		return -1;
	return fd;
}

FIXTURE_SETUP(node)
{
	bool v6 = variant->format == AT_IN6;

	ASSERT_EQ(0, at_netns());
	self->there = at_netns_fd();
	self->lfd = bind_here(variant->format, variant->kind, variant->type,
			      true, &self->own);
	ASSERT_LE(0, self->lfd);
	translate_addr(&self->to, &self->own, THERE);
	ASSERT_EQ(0, at_netns());
	self->here = at_netns_fd();
	ASSERT_EQ(0, at_node_add(THERE, ip_of(THERE, v6), self->there));
	ASSERT_EQ(0, at_netns_enter(self->there));
	ASSERT_EQ(0, at_node_add(HERE, ip_of(HERE, v6), self->here));
	ASSERT_EQ(0, at_netns_enter(self->here));
}

FIXTURE_TEARDOWN(node)
{
	close(self->lfd);
	at_cleanup();
}

#define CONNECT(fd) ({							\
	int __err;							\
									\
	fd = at_client(variant->format, variant->type, &self->to, &__err); \
	__err;								\
})

/* Bind two sockets to one shared address. */
static int bind_sharers(const FIXTURE_VARIANT(node) *variant, int fds[2],
			struct at_addr *a)
{
	int i;

	if (variant->kind == AT_INET)
		at_addr_ip(a, variant->format,
			   variant->format == AT_IN6 ? "::" : "0.0.0.0", 0);
	else
		at_addr(a, variant->format, variant->kind);
	for (i = 0; i < 2; i++) {
		fds[i] = at_socket(variant->format, variant->type);
		if (at_set_option(fds[i], ALTCONN_REACHABLE, 1) ||
		    at_set_option(fds[i], ALTCONN_SHARE_ADDRESS, 1) ||
		    at_bind(fds[i], a) || at_getsockname(fds[i], a))
			return -1;
	}
	return 0;
}

/* Expect @a to be the address of @fd as the other namespace writes it. */
#define expect_client(fd, a) do {					\
	struct at_addr __own, __want;					\
									\
	ASSERT_EQ(0, at_getsockname(fd, &__own));			\
	translate_addr(&__want, &__own, HERE);				\
	EXPECT_TRUE(at_addr_eq(&__want, a));				\
} while (0)

TEST_F_TIMEOUT(node, both_ends_have_addresses, AT_TIMEOUT)
{
	struct at_addr a, own;
	int fd, sfd;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, CONNECT(fd));
	EXPECT_EQ(0, at_getpeername(fd, &a));
	EXPECT_TRUE(at_addr_eq(&self->to, &a));
	a.len = sizeof(a.raw);
	sfd = accept(self->lfd, &a.sa, &a.len);
	ASSERT_LE(0, sfd);
	expect_client(fd, &a);
	EXPECT_EQ(0, at_getpeername(sfd, &a));
	expect_client(fd, &a);
	/* The accepted socket has the IP address that the client asked for. */
	EXPECT_EQ(0, at_getsockname(sfd, &own));
	EXPECT_TRUE(at_addr_eq(variant->kind == AT_INET ? &self->to :
							  &self->own, &own));
	EXPECT_EQ(0, at_send_all(fd, "there", 5));
	EXPECT_EQ(0, at_recv_all(sfd, a.raw, 5));
	EXPECT_EQ(0, at_send_all(sfd, "back", 4));
	EXPECT_EQ(0, at_recv_all(fd, a.raw, 4));
	close(fd);
	EXPECT_EQ(0, recv(sfd, a.raw, 1, 0));
	close(sfd);
}

/*
 * connect() fails with EADDRINUSE if an accepted socket of the same namespace
 * has the same local and remote address (E-ADDRINUSE).
 */
TEST_F_TIMEOUT(node, E_ADDRINUSE_accepted_already, AT_TIMEOUT)
{
	int server[2], client[2], sfd;
	struct at_addr a, b;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, bind_sharers(variant, client, &b));
	ASSERT_EQ(0, at_netns_enter(self->there));
	ASSERT_EQ(0, bind_sharers(variant, server, &a));
	ASSERT_EQ(0, listen(server[0], 8));
	translate_addr(&a, &a, THERE);
	translate_addr(&b, &b, HERE);
	ASSERT_EQ(0, at_err(at_connect(client[0], &a)));
	sfd = accept(server[0], NULL, NULL);
	ASSERT_LE(0, sfd);
	ASSERT_EQ(0, listen(client[1], 8));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(server[1], &b)));
	close(sfd);
	EXPECT_EQ(0, at_err(at_connect(server[1], &b)));
	ASSERT_EQ(0, at_netns_enter(self->here));
	at_close(server, 2);
	at_close(client, 2);
}

/* A client is unnamed where no node stands for the client's namespace. */
TEST_F_TIMEOUT(node, client_without_a_node_is_unnamed, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, sfd;
	char c;

	ASSERT_EQ(0, at_netns_enter(self->there));
	ASSERT_EQ(0, at_node_del(HERE));
	ASSERT_EQ(0, at_netns_enter(self->here));
	ASSERT_EQ(0, CONNECT(fd));
	a.len = sizeof(a.raw);
	if (variant->type == SOCK_DGRAM) {
		ASSERT_EQ(1, send(fd, "x", 1, 0));
		ASSERT_EQ(1, recvfrom(self->lfd, &c, 1, 0, &a.sa, &a.len));
	} else {
		sfd = accept(self->lfd, &a.sa, &a.len);
		ASSERT_LE(0, sfd);
		EXPECT_EQ(0, at_getpeername(sfd, &a));
		close(sfd);
	}
	EXPECT_TRUE(variant->kind == AT_INET ? !at_port_of(&a) :
					       at_unnamed(&a));
	close(fd);
}

/* Send a datagram, or connect a socket of another type. Return 0 or errno. */
static int send_or_connect(int fd, const struct at_addr *to, int type)
{
	if (type == SOCK_DGRAM)
		return at_err(sendto(fd, "x", 1, 0, &to->sa, to->len));
	return at_err(at_connect(fd, to));
}

TEST_F_TIMEOUT(node, only_reachable_sockets, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), hidden, err;
	struct at_addr own, to;

	ASSERT_EQ(0, at_netns_enter(self->there));
	if (variant->kind == AT_INET) {
		hidden = at_socket(variant->format, variant->type);
		at_addr_ip(&own, variant->format,
			   variant->format == AT_IN6 ? "::1" : "127.0.0.1", 0);
		ASSERT_EQ(0, at_bind(hidden, &own));
		ASSERT_EQ(0, at_getsockname(hidden, &own));
		if (variant->type != SOCK_DGRAM)
			ASSERT_EQ(0, listen(hidden, 1));
	} else {
		hidden = bind_here(variant->format, variant->kind,
				   variant->type, false, &own);
	}
	ASSERT_LE(0, hidden);
	/* After bind() the option cannot change any more. */
	EXPECT_EQ(EINVAL, at_err(at_set_option(hidden, ALTCONN_REACHABLE, 1)));
	close(at_client(variant->format, variant->type, &own, &err));
	EXPECT_EQ(0, err);
	ASSERT_EQ(0, at_netns_enter(self->here));
	translate_addr(&to, &own, THERE);
	EXPECT_EQ(AS_UDP ? 0 : ECONNREFUSED,
		  send_or_connect(fd, &to, variant->type));
	if (variant->type == SOCK_DGRAM) {
		EXPECT_EQ(0, at_poll_now(hidden, POLLIN));
	} else {
		EXPECT_EQ(ALTCONN_REASON_NOT_BOUND, at_reason(fd));
	}
	EXPECT_EQ(0, send_or_connect(fd, &self->to, variant->type));
	close(fd);
	close(hidden);
}

TEST_F_TIMEOUT(node, E_NETUNREACH, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, at_node_del(THERE));
	EXPECT_EQ(ENETUNREACH, send_or_connect(fd, &self->to, variant->type));
	if (variant->type != SOCK_DGRAM)
		EXPECT_EQ(ALTCONN_REASON_NO_NODE, at_reason(fd));
	EXPECT_EQ(ENETUNREACH, at_err(at_connect(fd, &self->to)));
	EXPECT_EQ(ENOENT, at_node_del(THERE));
	close(fd);
}

TEST_F_TIMEOUT(node, E_HOSTUNREACH_down, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), old, sfd;
	char c;

	ASSERT_EQ(0, CONNECT(old));
	ASSERT_EQ(0, at_node_set(THERE, ALTCONN_NODE_STATE_DOWN));
	EXPECT_EQ(EHOSTUNREACH, send_or_connect(fd, &self->to, variant->type));
	EXPECT_EQ(EHOSTUNREACH, at_err(at_connect(fd, &self->to)));
	EXPECT_EQ(ALTCONN_REASON_NODE_DOWN, at_reason(fd));
	/* An established connection stays. Each datagram is routed anew. */
	if (variant->type == SOCK_DGRAM) {
		EXPECT_EQ(EHOSTUNREACH, at_err(send(old, "x", 1, 0)));
	} else {
		sfd = accept(self->lfd, NULL, NULL);
		ASSERT_LE(0, sfd);
		EXPECT_EQ(1, send(old, "x", 1, 0));
		EXPECT_EQ(1, recv(sfd, &c, 1, 0));
		close(sfd);
	}
	ASSERT_EQ(0, at_node_set(THERE, ALTCONN_NODE_STATE_UP));
	EXPECT_EQ(0, send_or_connect(fd, &self->to, variant->type));
	if (variant->type == SOCK_DGRAM)
		EXPECT_EQ(1, send(old, "x", 1, 0));
	close(old);
	close(fd);
}

TEST_F_TIMEOUT(node, E_HOSTUNREACH_namespace_has_ended, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);

	close(self->lfd);
	close(self->there);
	/* The other namespace ends, though each has a node for the other. */
	EXPECT_TRUE(at_until(send_or_connect(fd, &self->to, variant->type) ==
			     EHOSTUNREACH));
	EXPECT_EQ(EHOSTUNREACH, at_err(at_connect(fd, &self->to)));
	EXPECT_EQ(ALTCONN_REASON_NODE_DOWN, at_reason(fd));
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_NODE_GET));
	EXPECT_EQ(0, at_node_del(THERE));
	EXPECT_EQ(ENETUNREACH, at_err(at_connect(fd, &self->to)));
	close(fd);
}

/*
 * Return how many associations a dump in namespace @there lists, or -1. The
 * process is in namespace @here afterwards.
 */
static int count_assocs(int there, int here)
{
	int n;

	if (at_netns_enter(there))
		return -1;
	n = at_dump(ALTCONN_CMD_ASSOC_GET);
	return at_netns_enter(here) ? -1 : n;
}

#define COUNT_THERE()	count_assocs(self->there, self->here)

TEST_F_TIMEOUT(node, both_namespaces_dump_the_association, AT_TIMEOUT)
{
	int fd, sfd;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, CONNECT(fd));
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_ASSOC_GET));
	EXPECT_EQ(1, COUNT_THERE());
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_ASSOC_GET));
	EXPECT_EQ(1, COUNT_THERE());
	close(fd);
	EXPECT_EQ(1, COUNT_THERE());
	close(sfd);
	EXPECT_EQ(0, COUNT_THERE());
	EXPECT_EQ(0, at_dump(ALTCONN_CMD_ASSOC_GET));
}

/*
 * An attempt waits at a listener of the other namespace (E-INPROGRESS). The
 * attempt ends by its deadline, by close() or by accept().
 */
TEST_F_TIMEOUT(node, E_INPROGRESS, AT_TIMEOUT)
{
	int fd[4], i, sfd;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, CONNECT(fd[0]));
	for (i = 3; i; i--) {
		fd[i] = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_nonblock(fd[i], true));
		ASSERT_EQ(0, at_set_timeout(fd[i], i == 1 ? 300 : 0));
		EXPECT_EQ(4 - i, COUNT_THERE());
		EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd[i], &self->to)));
	}
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, at_poll(fd[1], POLLOUT));
	EXPECT_EQ(ETIMEDOUT, at_so_error(fd[1]));
	EXPECT_EQ(ALTCONN_REASON_DEADLINE, at_reason(fd[1]));
	EXPECT_EQ(3, COUNT_THERE());
	close(fd[2]);
	EXPECT_EQ(2, COUNT_THERE());
	sfd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_NE(0, at_poll(fd[3], POLLOUT) & POLLOUT);
	EXPECT_EQ(0, at_so_error(fd[3]));
	close(sfd);
	close(fd[0]);
	EXPECT_EQ(1, COUNT_THERE());
	close(fd[1]);
	close(fd[3]);
}

/*
 * When a listener closes, its client in another namespace is reset and an
 * attempt that waits is refused. Neither of the two keeps the namespace of the
 * listener alive.
 */
TEST_F_TIMEOUT(node, listener_closes, AT_TIMEOUT)
{
	int fd, waits = at_socket(variant->format, variant->type);
	char c;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, at_set_option(waits, ALTCONN_WAIT_LISTENER, 1));
	ASSERT_EQ(0, CONNECT(fd));
	ASSERT_EQ(0, at_nonblock(waits, true));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(waits, &self->to)));
	EXPECT_EQ(2, COUNT_THERE());
	close(self->lfd);
	EXPECT_EQ(ECONNRESET, at_err(recv(fd, &c, 1, 0)));
	/* ALTCONN_WAIT_LISTENER has no effect towards another node. */
	EXPECT_EQ(ECONNREFUSED, at_so_error(waits));
	EXPECT_EQ(0, COUNT_THERE());
	close(self->there);
	EXPECT_TRUE(at_until(at_err(at_connect(waits, &self->to)) ==
			     EHOSTUNREACH));
	/* The association stays until the client's end is closed. */
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_ASSOC_GET));
	close(fd);
	close(waits);
}

/* The listener's namespace limits attempts from another namespace too. */
TEST_F_TIMEOUT(node, limits_of_the_other_namespace_hold, AT_TIMEOUT)
{
	int fd, waits = at_socket(variant->format, variant->type);

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, at_nonblock(waits, true));
	ASSERT_EQ(0, at_netns_enter(self->there));
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 0));
	/* max_waiting does not limit an attempt that does not wait. */
	ASSERT_EQ(0, at_netns_enter(self->here));
	ASSERT_EQ(0, CONNECT(fd));
	ASSERT_EQ(0, at_netns_enter(self->there));
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(waits, &self->to)));
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 1));
	ASSERT_EQ(0, at_sysctl_set("altconn/max_associations", 1));
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(waits, &self->to)));
	EXPECT_EQ(ALTCONN_REASON_TABLE_FULL, at_reason(waits));
	ASSERT_EQ(0, at_sysctl_set("altconn/max_associations", 2));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(waits, &self->to)));
	close(waits);
	close(fd);
}

/*
 * One user of this namespace can have half of max_waiting of the other
 * namespace, rounded up.
 */
TEST_F_TIMEOUT(node, a_user_gets_half_of_the_waiting_room, AT_TIMEOUT)
{
	static const struct { int uid, err; } tries[] = {
		{ .uid = 65534, .err = EINPROGRESS },
		{ .uid = 65534, .err = EINPROGRESS },
		{ .uid = 65534, .err = ECONNREFUSED },
		{ .uid = 0, .err = EINPROGRESS },
		{ .uid = 0, .err = ECONNREFUSED },
		{ .uid = 65533, .err = ECONNREFUSED },
	};
	int fd, fds[ARRAY_SIZE(tries)], err, i;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, CONNECT(fd));
	ASSERT_EQ(0, at_netns_enter(self->there));
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 3));
	ASSERT_EQ(0, at_netns_enter(self->here));
	for (i = 0; i < ARRAY_SIZE(tries); i++) {
		ASSERT_EQ(0, setresuid(tries[i].uid, 0, 0));
		fds[i] = at_client(variant->format,
				   variant->type | SOCK_NONBLOCK, &self->to,
				   &err);
		EXPECT_EQ(tries[i].err, err);
		ASSERT_EQ(0, setresuid(0, 0, 0));
	}
	EXPECT_EQ(ALTCONN_REASON_WAITING_ROOM_FULL,
		  at_reason(fds[2]));
	at_close(fds, ARRAY_SIZE(tries));
	close(fd);
}

TEST_F_TIMEOUT(node, rules_match_a_node, AT_TIMEOUT)
{
	char to[64];
	int fd;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	if (variant->kind == AT_INET)
		snprintf(to, sizeof(to), "inet:%s%s%s:*",
			 variant->format == AT_IN6 ? "[" : "",
			 ips[THERE][variant->format == AT_IN6],
			 variant->format == AT_IN6 ? "]" : "");
	else
		snprintf(to, sizeof(to), "%s:7/*",
			 variant->kind == AT_PORT ? "port" : "name");
	ASSERT_LT(0, at_tool("rule add to %s deny", to));
	EXPECT_EQ(EPERM, CONNECT(fd));
	close(fd);
	ASSERT_EQ(0, at_tool("rule flush"));
	/* The rule delays the attempt here, then the attempt goes on. */
	ASSERT_LT(0, at_tool("rule add to %s delay 20ms", to));
	EXPECT_EQ(0, CONNECT(fd));
	EXPECT_EQ(1, COUNT_THERE());
	EXPECT_LE(20000000, at_info_of(fd).aci_waited_ns);
	ASSERT_EQ(0, at_node_set(THERE, ALTCONN_NODE_STATE_DOWN));
	close(fd);
	EXPECT_EQ(EHOSTUNREACH, CONNECT(fd));
	close(fd);
	/* The node is set down while a rule delays an attempt. */
	ASSERT_EQ(0, at_node_set(THERE, ALTCONN_NODE_STATE_UP));
	fd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_nonblock(fd, true));
	ASSERT_EQ(0, at_tool("rule flush"));
	ASSERT_LT(0, at_tool("rule add to %s delay 500ms", to));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->to)));
	ASSERT_EQ(0, at_node_set(THERE, ALTCONN_NODE_STATE_DOWN));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, at_poll(fd, POLLOUT));
	EXPECT_EQ(EHOSTUNREACH, at_so_error(fd));
	close(fd);
}

TEST_F_TIMEOUT(node, kill_from_the_other_end, AT_TIMEOUT)
{
	int fd;

	if (!at_has_tool())
		SKIP(return, "no altconn tool on the PATH");
	if (variant->type == SOCK_DGRAM)
		SKIP(return, "connections only");
	ASSERT_EQ(0, CONNECT(fd));
	ASSERT_EQ(0, at_netns_enter(self->there));
	EXPECT_EQ(1, at_tool("kill -c"));
	EXPECT_EQ(0, at_dump(ALTCONN_CMD_ASSOC_GET));
	EXPECT_EQ(ECONNRESET, at_so_error(fd));
	close(fd);
}

TEST_F_TIMEOUT(node, datagrams_are_answered, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type), other;
	struct at_addr from;
	char c = 0;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, &self->to.sa, self->to.len));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(self->lfd, &c, 1, 0, &from.sa, &from.len));
	if (variant->kind == AT_PORT) {
		expect_client(fd, &from);
	} else {
		/* @fd is bound to 0.0.0.0 and has its node's IP address. */
		EXPECT_EQ(inet_addr(ips[HERE][0]), from.in.sin_addr.s_addr);
	}
	ASSERT_EQ(1, sendto(self->lfd, "y", 1, 0, &from.sa, from.len));
	from.len = sizeof(from.raw);
	EXPECT_EQ(1, recvfrom(fd, &c, 1, 0, &from.sa, &from.len));
	EXPECT_EQ('y', c);
	EXPECT_TRUE(at_addr_eq(&self->to, &from));
	/* A connected receiver takes datagrams of its peer only (S-ONLY). */
	ASSERT_EQ(0, at_connect(fd, &self->to));
	other = at_socket(variant->format, variant->type);
	ASSERT_EQ(1, sendto(other, "z", 1, 0, &self->to.sa, self->to.len));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(self->lfd, &c, 1, 0, &from.sa, &from.len));
	ASSERT_EQ(0, at_connect(self->lfd, &from));
	if (AS_UDP)
		EXPECT_EQ(0, at_err(send(fd, "x", 1, 0)));
	EXPECT_EQ(ECONNREFUSED, at_err(send(fd, "x", 1, 0)));
	EXPECT_EQ(1, sendto(other, "z", 1, 0, &self->to.sa, self->to.len));
	EXPECT_EQ(1, recv(self->lfd, &c, 1, 0));
	EXPECT_EQ(1, send(self->lfd, "z", 1, 0));
	EXPECT_EQ(1, recv(other, &c, 1, 0));
	close(other);
	close(fd);
}

struct sender {
	int here, fd, err;
	atomic_int tid;
	struct at_addr to;
};

static void *send_one(void *arg)
{
	struct sender *sender = arg;
	ssize_t n;

	if (at_netns_enter(sender->here))
		return NULL;
	atomic_store(&sender->tid, (int)syscall(SYS_gettid));
	n = sendto(sender->fd, "x", 1, 0, &sender->to.sa, sender->to.len);
	sender->err = at_err(n);
	return NULL;
}

/*
 * A node id comes to stand for another namespace while a sender is blocked. The
 * sender then looks up its receiver again. In the second namespace the sender
 * is unnamed, and does not keep the name that it had in the first one.
 */
TEST_F_TIMEOUT(node, id_of_another_node_meanwhile, AT_TIMEOUT)
{
	struct sender sender = { .here = self->here, .to = self->to };
	struct at_addr own = self->own, from;
	int other, lfd, fd, tid;
	char c[512] = { };
	pthread_t thread;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(0, CONNECT(fd));
	ASSERT_EQ(0, at_set_flag(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	ASSERT_EQ(0, at_set_blocking_receiver(self->lfd, variant->format));
	while (send(fd, c, sizeof(c), MSG_DONTWAIT) > 0)
		;
	ASSERT_EQ(0, at_netns());
	other = at_netns_fd();
	lfd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, at_set_option(lfd, ALTCONN_REACHABLE, 1));
	ASSERT_EQ(0, at_bind(lfd, &own));
	ASSERT_EQ(0, at_netns_enter(self->here));
	sender.fd = at_socket(variant->format, variant->type);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_one, &sender));
	/* The sender waits for space at the receiver. */
	EXPECT_TRUE(at_until((tid = atomic_load(&sender.tid)) &&
			     at_sleeps(tid)));
	ASSERT_EQ(0, at_node_del(THERE));
	ASSERT_EQ(0, at_node_add(THERE, ip_of(THERE, false), other));
	close(self->lfd);
	self->lfd = -1;
	from.len = sizeof(from.raw);
	ASSERT_NE(0, at_poll(lfd, POLLIN) & POLLIN);
	EXPECT_EQ(1, recvfrom(lfd, c, 1, 0, &from.sa, &from.len));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, sender.err);
	EXPECT_TRUE(variant->kind == AT_INET ? !at_port_of(&from) :
					       at_unnamed(&from));
	close(lfd);
	close(sender.fd);
	close(fd);
}

/*
 * A socket that is connected to another node sends to its own namespace from an
 * address of its own namespace.
 */
TEST_F_TIMEOUT(node, source_address_for_each_destination, AT_TIMEOUT)
{
	int fd, lfd;
	struct at_addr here, from;
	char c;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	if (variant->kind != AT_INET)
		SKIP(return, "IP addresses only");
	ASSERT_EQ(0, CONNECT(fd));
	EXPECT_EQ(0, at_getsockname(fd, &from));
	EXPECT_EQ(inet_addr(ips[HERE][0]), from.in.sin_addr.s_addr);
	lfd = bind_here(variant->format, variant->kind, variant->type, false,
			&here);
	ASSERT_LE(0, lfd);
	here.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, &here.sa, here.len));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(lfd, &c, 1, 0, &from.sa, &from.len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), from.in.sin_addr.s_addr);
	close(fd);
	/* A socket that bind() gave an IP address sends from that address. */
	fd = at_socket(variant->format, variant->type);
	at_addr_ip(&from, variant->format, "127.0.0.2", 0);
	ASSERT_EQ(0, at_bind(fd, &from));
	ASSERT_EQ(0, at_connect(fd, &self->to));
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, &here.sa, here.len));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(lfd, &c, 1, 0, &from.sa, &from.len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK + 1), from.in.sin_addr.s_addr);
	close(lfd);
	close(fd);
}

TEST_F_TIMEOUT(node, full_receiver, AT_TIMEOUT)
{
	int fd, n = 0, err;
	char c[512] = { };

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(0, CONNECT(fd));
	ASSERT_EQ(0, at_set_flag(self->lfd, SOL_SOCKET, SO_RCVBUF, 4096));
	ASSERT_EQ(0, at_set_blocking_receiver(self->lfd, variant->format));
	while (!(err = at_err(send(fd, c, sizeof(c), MSG_DONTWAIT))))
		n++;
	EXPECT_EQ(EAGAIN, err);
	EXPECT_LT(0, n);
	EXPECT_EQ(0, at_poll_now(fd, POLLOUT) & POLLOUT);
	while (n--)
		EXPECT_EQ(sizeof(c), recv(self->lfd, c, sizeof(c), 0));
	EXPECT_NE(0, at_poll(fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(1, send(fd, c, 1, MSG_DONTWAIT));
	close(fd);
}

FIXTURE(own) {
	int here;
};

FIXTURE_SETUP(own)
{
	ASSERT_EQ(0, at_netns());
	self->here = at_netns_fd();
}

FIXTURE_TEARDOWN(own)
{
	at_cleanup();
}

TEST_F_TIMEOUT(own, id, AT_TIMEOUT)
{
	int lfd = at_socket(AT_NATIVE, SOCK_STREAM), fd, err, there;
	struct at_addr a, b;

	at_addr(&a, AT_NATIVE, AT_PORT);
	a.nat.sac_node = 5;
	EXPECT_EQ(EADDRNOTAVAIL, at_err(at_bind(lfd, &a)));
	ASSERT_EQ(0, at_node_self(5));
	ASSERT_EQ(0, at_bind(lfd, &a));
	ASSERT_EQ(0, listen(lfd, 5));
	EXPECT_EQ(0, at_getsockname(lfd, &b));
	EXPECT_EQ(0, b.nat.sac_node);
	fd = at_client(AT_NATIVE, SOCK_STREAM, &a, &err);
	EXPECT_EQ(0, err);
	close(fd);
	fd = at_client(AT_NATIVE, SOCK_STREAM, &b, &err);
	EXPECT_EQ(0, err);
	close(fd);
	/* A node and this namespace itself cannot have the same id. */
	ASSERT_EQ(0, at_netns());
	there = at_netns_fd();
	ASSERT_EQ(0, at_netns_enter(self->here));
	EXPECT_EQ(EEXIST, at_node_add(5, NULL, there));
	EXPECT_EQ(0, at_node_add(6, NULL, there));
	EXPECT_EQ(EALREADY, at_node_add(7, NULL, there));
	EXPECT_EQ(EEXIST, at_node_self(6));
	ASSERT_EQ(0, at_node_self(0));
	fd = at_client(AT_NATIVE, SOCK_STREAM, &a, &err);
	EXPECT_EQ(ENETUNREACH, err);
	close(fd);
	close(lfd);
}

/*
 * Nodes are not transitive: a namespace does not reach the nodes of its nodes.
 * All three namespaces use the same port.
 */
TEST_F_TIMEOUT(own, three_namespaces, AT_TIMEOUT)
{
	struct at_addr own, to;
	int ns[3], lfd[3], fd, sfd, err, i;

	at_addr(&own, AT_NATIVE, AT_PORT);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, at_netns());
		ns[i] = at_netns_fd();
		lfd[i] = at_socket(AT_NATIVE, SOCK_STREAM);
		ASSERT_EQ(0, at_set_option(lfd[i], ALTCONN_REACHABLE, 1));
		ASSERT_EQ(0, at_bind(lfd[i], &own));
		ASSERT_EQ(0, listen(lfd[i], 5));
	}
	/* The first namespace knows the second, and the second the third. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, at_netns_enter(ns[i]));
		ASSERT_EQ(0, at_node_add(i + 2, NULL, ns[i + 1]));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, at_netns_enter(ns[i]));
		to = own;
		to.nat.sac_node = i + 2;
		fd = at_client(AT_NATIVE, SOCK_STREAM, &to, &err);
		EXPECT_EQ(0, err);
		sfd = accept(lfd[i + 1], NULL, NULL);
		EXPECT_LE(0, sfd);
		close(sfd);
		close(fd);
	}
	ASSERT_EQ(0, at_netns_enter(ns[0]));
	fd = at_client(AT_NATIVE, SOCK_STREAM, &to, &err);
	EXPECT_EQ(ENETUNREACH, err);
	close(fd);
	for (i = 0; i < 3; i++)
		close(lfd[i]);
}

/* A broadcast reaches no socket of another namespace. */
TEST_F_TIMEOUT(own, broadcast_stays_in_its_namespace, AT_TIMEOUT)
{
	int fd, hears, there;
	struct at_addr a;

	ASSERT_EQ(0, at_netns());
	there = at_netns_fd();
	hears = bind_here(AT_NATIVE, AT_PORT, SOCK_DGRAM, true, &a);
	ASSERT_LE(0, hears);
	ASSERT_EQ(0, at_set_flag(hears, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, at_netns_enter(self->here));
	ASSERT_EQ(0, at_node_add(2, NULL, there));
	fd = at_socket(AT_NATIVE, SOCK_DGRAM);
	ASSERT_EQ(0, at_set_flag(fd, SOL_SOCKET, SO_BROADCAST, 1));
	a.nat.sac_node = ALTCONN_NODE_BROADCAST;
	EXPECT_EQ(1, sendto(fd, "x", 1, 0, &a.sa, a.len));
	EXPECT_EQ(0, at_poll_now(hears, POLLIN) & POLLIN);
	a.nat.sac_node = 2;
	EXPECT_EQ(1, sendto(fd, "x", 1, 0, &a.sa, a.len));
	EXPECT_NE(0, at_poll(hears, POLLIN) & POLLIN);
	close(hears);
	close(fd);
}

/*
 * Namespaces can end although they have nodes for each other and this namespace
 * has nodes for all of them.
 */
TEST_F_TIMEOUT(own, namespaces_end_in_pairs, 10 * AT_TIMEOUT)
{
	int pairs = at_scale(512, 50), fd = at_socket(AT_NATIVE, SOCK_STREAM);
	struct at_addr a;
	int i, one, two;

	at_addr(&a, AT_NATIVE, AT_PORT);
	for (i = 1; i <= pairs; i++) {
		ASSERT_EQ(0, at_netns());
		one = at_netns_fd();
		ASSERT_EQ(0, at_netns());
		two = at_netns_fd();
		ASSERT_EQ(0, at_node_add(1, NULL, one));
		ASSERT_EQ(0, at_netns_enter(one));
		ASSERT_EQ(0, at_node_add(1, NULL, two));
		ASSERT_EQ(0, at_node_add(2, NULL, self->here));
		ASSERT_EQ(0, at_netns_enter(self->here));
		ASSERT_EQ(0, at_node_add(2 * i, NULL, one));
		ASSERT_EQ(0, at_node_add(2 * i + 1, NULL, two));
		close(one);
		close(two);
	}
	EXPECT_EQ(2 * pairs, at_dump(ALTCONN_CMD_NODE_GET));
	/* 512 pairs are as many nodes as a namespace can have. */
	ASSERT_EQ(0, at_netns());
	one = at_netns_fd();
	ASSERT_EQ(0, at_netns_enter(self->here));
	EXPECT_EQ(pairs == 512 ? ENOSPC : 0, at_node_add(5000, NULL, one));
	close(one);
	for (i = 2; i < 2 * pairs + 2; i++) {
		a.nat.sac_node = i;
		EXPECT_TRUE(at_until(at_err(at_connect(fd, &a)) ==
				     EHOSTUNREACH));
	}
	close(fd);
}

/* A caller needs CAP_NET_ADMIN in both namespaces to add a node. */
TEST_F_TIMEOUT(own, needs_CAP_NET_ADMIN_in_both_namespaces, AT_TIMEOUT)
{
	int there, child;

	ASSERT_EQ(0, at_netns());
	there = at_netns_fd();
	ASSERT_EQ(0, at_netns_enter(self->here));
	ASSERT_EQ(0, at_node_add(2, NULL, there));
	child = at_fork();
	if (!child) {
		if (at_drop_privileges())
			_exit(1);
		if (at_node_add(3, NULL, there) != EPERM ||
		    at_node_del(2) != EPERM || at_node_self(9) != EPERM ||
		    at_node_set(2, ALTCONN_NODE_STATE_DOWN) != EPERM)
			_exit(2);
		/* The child becomes root of new namespaces only. */
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(3);
		if (at_node_self(9) || at_node_add(3, NULL, there) != EPERM ||
		    at_dump(ALTCONN_CMD_NODE_GET))
			_exit(4);
		_exit(0);
	}
	EXPECT_EQ(0, at_reap(child));
	EXPECT_EQ(1, at_dump(ALTCONN_CMD_NODE_GET));
}

/* ---- races ---- */

struct race {
	int here, there, type;
	struct at_addr own, to;
	atomic_bool stop;
	atomic_int reached, strange;
};

static bool may_happen(int err)
{
	return !err || err == ECONNREFUSED || err == ENETUNREACH ||
	       err == EHOSTUNREACH || err == ECONNRESET || err == ETIMEDOUT ||
	       err == EPIPE || err == EAGAIN;
}

static void *race_connect(void *arg)
{
	struct race *race = arg;
	int fd, err;
	char c;

	if (at_netns_enter(race->here))
		atomic_fetch_add(&race->strange, 1);
	while (!atomic_load(&race->stop)) {
		fd = at_socket(AT_NATIVE, race->type);
		at_set_timeout(fd, 20);
		err = at_err(at_connect(fd, &race->to));
		if (!err)
			err = at_err(send(fd, "x", 1,
					  MSG_NOSIGNAL | MSG_DONTWAIT));
		if (!err)
			atomic_fetch_add(&race->reached, 1);
		if (!err && race->type != SOCK_DGRAM)
			recv(fd, &c, 1, 0);
		if (!may_happen(err))
			atomic_store(&race->strange, err);
		close(fd);
	}
	return NULL;
}

static void *race_listen(void *arg)
{
	struct race *race = arg;
	int lfd, fd, i;
	char c;

	if (at_netns_enter(race->there))
		atomic_fetch_add(&race->strange, 1);
	while (!atomic_load(&race->stop)) {
		lfd = at_socket(AT_NATIVE, race->type);
		at_set_option(lfd, ALTCONN_REACHABLE, 1);
		if (at_bind(lfd, &race->own))
			atomic_fetch_add(&race->strange, 1);
		at_nonblock(lfd, true);
		if (race->type != SOCK_DGRAM)
			listen(lfd, 1);
		for (i = 0; i < 20; i++) {
			if (race->type == SOCK_DGRAM) {
				recv(lfd, &c, 1, 0);
				continue;
			}
			fd = accept(lfd, NULL, NULL);
			if (fd >= 0)
				close(fd);
		}
		close(lfd);
	}
	return NULL;
}

static void *race_change(void *arg)
{
	struct race *race = arg;

	if (at_netns_enter(race->here))
		atomic_fetch_add(&race->strange, 1);
	while (!atomic_load(&race->stop)) {
		at_node_set(THERE, ALTCONN_NODE_STATE_DOWN);
		at_node_set(THERE, ALTCONN_NODE_STATE_UP);
		at_node_del(THERE);
		if (at_node_add(THERE, NULL, race->there))
			atomic_fetch_add(&race->strange, 1);
		at_dump(ALTCONN_CMD_ASSOC_GET);
	}
	return NULL;
}

static void *race_look(void *arg)
{
	struct race *race = arg;

	if (at_netns_enter(race->there))
		atomic_fetch_add(&race->strange, 1);
	while (!atomic_load(&race->stop)) {
		if (at_dump(ALTCONN_CMD_ASSOC_GET) < 0 ||
		    at_dump(ALTCONN_CMD_SOCKET_GET) < 0 ||
		    at_dump(ALTCONN_CMD_NODE_GET) < 0)
			atomic_fetch_add(&race->strange, 1);
		at_node_del(HERE);
		at_node_add(HERE, NULL, race->here);
	}
	return NULL;
}

FIXTURE(races) {
	struct race race;
};

FIXTURE_VARIANT(races) {
	int type;
};

FIXTURE_VARIANT_ADD(races, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(races, seqpacket) { .type = SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(races, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(races)
{
	struct race *race = &self->race;

	race->type = variant->type;
	at_addr(&race->own, AT_NATIVE, AT_PORT);
	race->to = race->own;
	race->to.nat.sac_node = THERE;
	ASSERT_EQ(0, at_netns());
	race->there = at_netns_fd();
	ASSERT_EQ(0, at_netns());
	race->here = at_netns_fd();
}

FIXTURE_TEARDOWN(races) {}

TEST_F_TIMEOUT(races, nodes_change_meanwhile, 2 * AT_TIMEOUT)
{
	static void * (*const jobs[])(void *) = {
		race_connect, race_connect, race_listen, race_change, race_look,
	};
	pthread_t threads[ARRAY_SIZE(jobs)];
	int want = at_scale(500, 100), i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, jobs[i],
					    &self->race));
	EXPECT_TRUE(at_until(atomic_load(&self->race.reached) >= want ||
			     atomic_load(&self->race.strange)));
	atomic_store(&self->race.stop, true);
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, atomic_load(&self->race.strange));
}

/* Threads connect to a namespace while the namespace ends. */
TEST_F_TIMEOUT(races, namespace_ends_meanwhile, 2 * AT_TIMEOUT)
{
	int rounds = at_scale(100, 20), there, lfd, i, old;
	struct race *race = &self->race;
	pthread_t threads[2];
	struct at_addr to;

	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(0, at_netns());
		there = at_netns_fd();
		lfd = at_socket(AT_NATIVE, race->type);
		ASSERT_EQ(0, at_set_option(lfd, ALTCONN_REACHABLE, 1));
		ASSERT_EQ(0, at_bind(lfd, &race->own));
		if (race->type != SOCK_DGRAM)
			ASSERT_EQ(0, listen(lfd, 0));
		ASSERT_EQ(0, at_node_add(HERE, NULL, race->here));
		ASSERT_EQ(0, at_netns_enter(race->here));
		ASSERT_EQ(0, at_node_add(THERE, NULL, there));
		atomic_store(&race->stop, false);
		old = atomic_load(&race->reached);
		ASSERT_EQ(0, pthread_create(&threads[0], NULL, race_connect,
					    race));
		ASSERT_EQ(0, pthread_create(&threads[1], NULL, race_connect,
					    race));
		/* A thread gets through before the namespace ends. */
		EXPECT_TRUE(at_until(atomic_load(&race->reached) > old));
		close(there);
		close(lfd);
		to = race->to;
		lfd = at_socket(AT_NATIVE, race->type);
		EXPECT_TRUE(at_until(send_or_connect(lfd, &to, race->type) ==
				     EHOSTUNREACH));
		close(lfd);
		atomic_store(&race->stop, true);
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		ASSERT_EQ(0, at_node_del(THERE));
	}
	EXPECT_EQ(0, atomic_load(&race->strange));
}

TEST_HARNESS_MAIN
