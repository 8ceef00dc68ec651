// SPDX-License-Identifier: GPL-2.0
/*
 * Test IP addresses: which addresses can be bound beside each other, which
 * addresses a socket reports, and sockets that share an address. TCP and UDP
 * are the oracles: the same tests run on their sockets.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>

FIXTURE(inet) {};

FIXTURE_VARIANT(inet) {
	enum at_format four, six;	/* the formats for IPv4 and for IPv6 */
	int type;
};

FIXTURE_VARIANT_ADD(inet, stream) {
	.four = AT_IN, .six = AT_IN6, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(inet, seqpacket) {
	.four = AT_IN, .six = AT_IN6, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(inet, dgram) {
	.four = AT_IN, .six = AT_IN6, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(inet, native_stream) {
	.four = AT_NATIVE, .six = AT_IN6, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(inet, oracle_stream) {
	.four = AT_ORACLE_IN, .six = AT_ORACLE_IN6, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(inet, oracle_dgram) {
	.four = AT_ORACLE_IN, .six = AT_ORACLE_IN6, .type = SOCK_DGRAM,
};

#define ORACLE at_is_oracle(variant->four)
#define DGRAM (variant->type == SOCK_DGRAM)

/* In a new network namespace every port is free, and no packet leaves it. */
FIXTURE_SETUP(inet)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd;

	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, ioctl(fd, SIOCGIFFLAGS, &ifr));
	ifr.ifr_flags |= IFF_UP;
	ASSERT_EQ(0, ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
}

FIXTURE_TEARDOWN(inet) {}

/* Make a socket in the format for the IP version of @ip. */
static int make_socket(const FIXTURE_VARIANT(inet) *variant, const char *ip)
{
	return at_socket(strchr(ip, ':') ? variant->six : variant->four,
			 variant->type);
}

static void make_address(const FIXTURE_VARIANT(inet) *variant,
			 struct at_addr *a, const char *ip, unsigned int port)
{
	at_addr_ip(a, strchr(ip, ':') ? variant->six : variant->four, ip, port);
}

static int bind_ip(const FIXTURE_VARIANT(inet) *variant, const char *ip,
		   unsigned int port, int *fd)
{
	struct at_addr a;

	*fd = make_socket(variant, ip);
	make_address(variant, &a, ip, port);
	return at_err(at_bind(*fd, &a));
}

static int listen_ip(const FIXTURE_VARIANT(inet) *variant, const char *ip,
		     unsigned int port)
{
	int fd, err = bind_ip(variant, ip, port, &fd);

	if (!err && !DGRAM)
		err = at_err(listen(fd, 8));
	errno = err;
	return err ? -1 : fd;
}

/*
 * Return whether the socket's address, or with @peer the address of its peer,
 * is @ip and @port. A negative @port stands for any port.
 */
static bool is_called(const FIXTURE_VARIANT(inet) *variant, int fd, bool peer,
		      const char *ip, int port)
{
	struct at_addr a, want;

	if (peer ? at_getpeername(fd, &a) : at_getsockname(fd, &a))
		return false;
	make_address(variant, &want, ip, port < 0 ? at_port_of(&a) : port);
	return at_addr_eq(&a, &want);
}

static const struct {
	const char *one, *two;
	bool v6only, clash;
} pairs[] = {
	{ .one = "127.0.0.1", .two = "127.0.0.1", .clash = true },
	{ .one = "127.0.0.1", .two = "127.0.0.2" },
	{ .one = "127.0.0.1", .two = "0.0.0.0", .clash = true },
	{ .one = "0.0.0.0", .two = "127.0.0.1", .clash = true },
	{ .one = "0.0.0.0", .two = "0.0.0.0", .clash = true },
	{ .one = "::1", .two = "::1", .clash = true },
	{ .one = "::", .two = "::1", .clash = true },
	{ .one = "::", .two = "::", .clash = true },
	{ .one = "::1", .two = "127.0.0.1" },
	{ .one = "::1", .two = "0.0.0.0" },
	{ .one = "::", .two = "127.0.0.1", .clash = true },
	{ .one = "::", .two = "0.0.0.0", .clash = true },
	{ .one = "127.0.0.1", .two = "::", .clash = true },
	{ .one = "::ffff:127.0.0.1", .two = "127.0.0.1", .clash = true },
	{ .one = "::ffff:127.0.0.1", .two = "::1" },
	{ .one = "::", .two = "127.0.0.1", .v6only = true },
	{ .one = "::", .two = "0.0.0.0", .v6only = true },
	{ .one = "::", .two = "::1", .v6only = true, .clash = true },
};

TEST_F_TIMEOUT(inet, E_ADDRINUSE_any_and_exact, AT_TIMEOUT)
{
	int i, one, fd, err;
	struct at_addr a;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		one = make_socket(variant, pairs[i].one);
		if (pairs[i].v6only)
			ASSERT_EQ(0, at_set_flag(one, IPPROTO_IPV6,
						 IPV6_V6ONLY, 1));
		make_address(variant, &a, pairs[i].one, 4000);
		EXPECT_EQ(0, at_err(at_bind(one, &a)));
		err = bind_ip(variant, pairs[i].two, 4000, &fd);
		EXPECT_EQ(pairs[i].clash ? EADDRINUSE : 0, err) {
			TH_LOG("%s beside %s", pairs[i].two, pairs[i].one);
		}
		close(fd);
		close(one);
	}
}

TEST_F_TIMEOUT(inet, E_ADDRNOTAVAIL, AT_TIMEOUT)
{
	int fd;

	EXPECT_EQ(EADDRNOTAVAIL, bind_ip(variant, "203.0.113.1", 4000, &fd));
	EXPECT_EQ(EADDRNOTAVAIL, bind_ip(variant, "2001:db8::1", 4000, &fd));
	EXPECT_EQ(EADDRNOTAVAIL,
		  bind_ip(variant, "::ffff:203.0.113.1", 4000, &fd));
	EXPECT_EQ(0, bind_ip(variant, "127.1.2.3", 4000, &fd));
	EXPECT_EQ(0, bind_ip(variant, "::1", 4000, &fd));
}

TEST_F_TIMEOUT(inet, IPV6_V6ONLY_binds_no_v4, AT_TIMEOUT)
{
	int fd = at_socket(variant->six, variant->type), other, value = -1;
	socklen_t len = sizeof(value);
	struct at_addr a;

	EXPECT_EQ(0, getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len));
	EXPECT_EQ(0, value);
	ASSERT_EQ(0, at_set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	EXPECT_EQ(0, getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len));
	EXPECT_EQ(1, value);
	at_addr_ip(&a, variant->six, "::ffff:127.0.0.1", 4000);
	EXPECT_EQ(EINVAL, at_err(at_bind(fd, &a)));
	other = at_socket(variant->six, variant->type);
	ASSERT_EQ(0, at_set_flag(other, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	EXPECT_EQ(ENETUNREACH, at_err(at_connect(other, &a)));
	at_addr_ip(&a, variant->six, "::1", 4000);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	/* After bind() the option cannot change any more. */
	EXPECT_EQ(EINVAL, at_err(at_set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					     0)));
}

TEST_F_TIMEOUT(inet, EACCES_privileged_port, AT_TIMEOUT)
{
	pid_t pid = at_fork();
	int fd;

	if (!pid) {
		if (at_drop_privileges())
			_exit(120);
		_exit(bind_ip(variant, "127.0.0.1", 80, &fd) != EACCES ||
		      bind_ip(variant, "127.0.0.1", 1024, &fd));
	}
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_EQ(0, bind_ip(variant, "127.0.0.1", 80, &fd));
}

/* ---- ephemeral ports ---- */

enum ports { RANGE, RESERVED };

static int set_ports(enum ports what, const char *text)
{
	int fd = open(what == RANGE ? "/proc/sys/net/ipv4/ip_local_port_range" :
			      "/proc/sys/net/ipv4/ip_local_reserved_ports",
		      O_WRONLY), n;

	n = write(fd, text, strlen(text));
	close(fd);
	return n == (int)strlen(text) ? 0 : -1;
}

TEST_F_TIMEOUT(inet, ephemeral_from_the_range_of_TCP, AT_TIMEOUT)
{
	struct at_addr a;
	int err, fd, n;

	ASSERT_EQ(0, set_ports(RANGE, "40000 40002"));
	for (n = 0; !(err = bind_ip(variant, "127.0.0.1", 0, &fd)); n++) {
		at_getsockname(fd, &a);
		EXPECT_LE(40000, at_port_of(&a));
		EXPECT_GE(40002, at_port_of(&a));
	}
	EXPECT_EQ(EADDRINUSE, err);
	/* bind() of TCP may leave some ports to connect(). */
	EXPECT_LE(ORACLE ? 1 : 3, n);
	EXPECT_GE(3, n);
}

/*
 * An unbound socket gets EAGAIN from connect(), as connect(2) says, when no
 * ephemeral port is left (E-AGAIN-PORT). TCP returns EADDRNOTAVAIL.
 */
TEST_F_TIMEOUT(inet, E_AGAIN_PORT, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	int lfd, fds[3], i;
	struct at_addr a;

	lfd = listen_ip(variant, "127.0.0.1", 4000);
	ASSERT_LE(0, lfd);
	make_address(variant, &a, "127.0.0.1", 4000);
	ASSERT_EQ(0, set_ports(RANGE, "40000 40001"));
	for (i = 0; i < 3; i++)
		fds[i] = make_socket(variant, "127.0.0.1");
	EXPECT_EQ(0, at_err(at_connect(fds[0], &a)));
	EXPECT_EQ(0, at_err(at_connect(fds[1], &a)));
	if (ORACLE) {
		EXPECT_EQ(DGRAM ? EAGAIN : EADDRNOTAVAIL,
			  at_err(at_connect(fds[2], &a)));
		return;
	}
	EXPECT_EQ(EAGAIN, at_err(at_connect(fds[2], &a)));
	EXPECT_EQ(0, at_info(fds[2], &info));
	EXPECT_EQ(ALTCONN_REASON_NO_PORT, info.aci_reason);
	EXPECT_EQ(0, at_err(at_connect_unspec(fds[1])));
	EXPECT_EQ(0, at_err(at_connect(fds[2], &a)));
}

/*
 * A port that is taken at one IP address is free at another one, even if the
 * whole range is taken.
 */
TEST_F_TIMEOUT(inet, full_range_is_one_of_each_address, AT_TIMEOUT)
{
	int fds[100], i, fd, err, n[2] = {};
	struct at_addr a, freed;

	ASSERT_EQ(0, set_ports(RANGE, "40000 40031"));
	for (i = 0; i < 100 &&
	     !(err = bind_ip(variant, "127.0.0.1", 0, &fds[i]));
	     i++)
		n[0]++;
	EXPECT_EQ(EADDRINUSE, err);
	/* bind() of TCP may leave some ports to connect(). */
	EXPECT_LE(ORACLE ? 16 : 32, n[0]);
	EXPECT_GE(32, n[0]);
	while (!bind_ip(variant, "127.0.0.2", 0, &fd))
		n[1]++;
	EXPECT_EQ(n[0], n[1]);
	EXPECT_EQ(EADDRINUSE, bind_ip(variant, "127.0.0.1", 0, &fd));
	at_getsockname(fds[9], &freed);
	close(fds[9]);
	/*
	 * The port is still taken at 127.0.0.2, so 0.0.0.0 cannot have it. The
	 * failed search must leave the port free at 127.0.0.1.
	 */
	EXPECT_EQ(EADDRINUSE, bind_ip(variant, "0.0.0.0", 0, &fd));
	ASSERT_EQ(0, bind_ip(variant, "127.0.0.1", 0, &fd));
	at_getsockname(fd, &a);
	if (!ORACLE)
		EXPECT_TRUE(at_addr_eq(&freed, &a));
}

/*
 * bind() to port 0 chooses no reserved port, and chooses the port once it is no
 * longer reserved.
 */
TEST_F_TIMEOUT(inet, full_range_without_reserved_ports, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, n, port;

	ASSERT_EQ(0, set_ports(RANGE, "40000 40031"));
	ASSERT_EQ(0, set_ports(RESERVED, "40003-40010,40031"));
	for (n = 0; !bind_ip(variant, "127.0.0.1", 0, &fd); n++) {
		ASSERT_EQ(0, at_getsockname(fd, &a));
		port = at_port_of(&a);
		EXPECT_TRUE(port < 40003 || (port > 40010 && port != 40031));
	}
	EXPECT_LE(ORACLE ? 8 : 23, n);
	EXPECT_GE(23, n);
	ASSERT_EQ(0, set_ports(RESERVED, "\n"));
	for (n = 0; !bind_ip(variant, "127.0.0.1", 0, &fd); n++)
		;
	EXPECT_LE(ORACLE ? 1 : 9, n);
}

static const char * const neighbours[] = { "127.0.0.1", "127.0.0.2", "::1" };

/*
 * Check that the neighbours at port 4000 are bound whose descriptors in @fds
 * are not -1, and no others: bind() of another socket fails for these alone
 * and, except with TCP, where closed connections keep an address, connect()
 * succeeds for these alone. Return the number of wrong results.
 */
static int count_wrong_neighbours(const FIXTURE_VARIANT(inet) *variant,
				  const int fds[3])
{
	int i, fd, wrong = 0;
	struct at_addr a;

	for (i = 0; i < 3; i++) {
		wrong += bind_ip(variant, neighbours[i], 4000, &fd) !=
			 (fds[i] < 0 ? 0 : EADDRINUSE);
		close(fd);
		if (DGRAM || ORACLE)
			continue;
		fd = make_socket(variant, neighbours[i]);
		make_address(variant, &a, neighbours[i], 4000);
		wrong += at_err(at_connect(fd, &a)) !=
			 (fds[i] < 0 ? ECONNREFUSED : 0);
		close(fd);
		if (fds[i] >= 0)
			close(accept(fds[i], NULL, NULL));
	}
	return wrong;
}

/*
 * Sockets at three IP addresses of one port are closed, and opened again, in
 * each order. Each other socket keeps its address.
 */
TEST_F_TIMEOUT(inet, addresses_of_a_port_come_and_go, AT_TIMEOUT)
{
	static const int orders[][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};
	int fds[3] = { -1, -1, -1 }, i, j, k;

	for (i = 0; i < 6; i++) {
		for (j = 0; j < 6; j++) {
			k = orders[i][j % 3];
			if (j < 3) {
				fds[k] = listen_ip(variant, neighbours[k],
						   4000);
				ASSERT_LE(0, fds[k]);
			} else {
				close(fds[k]);
				fds[k] = -1;
			}
			EXPECT_EQ(0, count_wrong_neighbours(variant, fds)) {
				TH_LOG("order %d, step %d", i, j);
			}
		}
	}
	for (i = 0; i < 6; i++) {
		for (j = 0; j < 3; j++)
			fds[j] = listen_ip(variant, neighbours[j], 4000);
		for (j = 0; j < 3; j++) {
			close(fds[orders[i][j]]);
			fds[orders[i][j]] = -1;
			EXPECT_EQ(0, count_wrong_neighbours(variant, fds)) {
				TH_LOG("order %d, step %d", i, j);
			}
		}
	}
}

/*
 * Sockets that were bound to 0.0.0.0 report the IP address that the kernel
 * chose while they are connected.
 */
TEST_F_TIMEOUT(inet, addresses_of_a_wildcard_binding, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd, fd, sfd;

	lfd = listen_ip(variant, "0.0.0.0", 4000);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, bind_ip(variant, "0.0.0.0", 5000, &fd));
	EXPECT_TRUE(is_called(variant, fd, false, "0.0.0.0", 5000));
	make_address(variant, &a, "127.7.7.7", 4000);
	ASSERT_EQ(0, at_err(at_connect(fd, &a)));
	EXPECT_TRUE(is_called(variant, fd, false, "127.0.0.1", 5000));
	EXPECT_TRUE(is_called(variant, fd, true, "127.7.7.7", 4000));
	EXPECT_TRUE(is_called(variant, lfd, false, "0.0.0.0", 4000));
	if (!DGRAM) {
		sfd = accept(lfd, NULL, NULL);
		ASSERT_LE(0, sfd);
		EXPECT_TRUE(is_called(variant, sfd, false, "127.7.7.7", 4000));
		EXPECT_TRUE(is_called(variant, sfd, true, "127.0.0.1", 5000));
		/* TCP would keep the address until both ends have closed. */
		close(sfd);
	}
	ASSERT_EQ(0, at_err(at_connect_unspec(fd)));
	EXPECT_TRUE(is_called(variant, fd, false, "0.0.0.0", 5000));
}

TEST_F_TIMEOUT(inet, addresses_of_an_unbound_client, AT_TIMEOUT)
{
	struct at_addr a;
	int lfd, fd;

	lfd = listen_ip(variant, "::1", 4000);
	ASSERT_LE(0, lfd);
	fd = make_socket(variant, "::1");
	EXPECT_TRUE(is_called(variant, fd, false, "::", 0));
	make_address(variant, &a, "::", 4000);
	ASSERT_EQ(0, at_err(at_connect(fd, &a)));
	EXPECT_TRUE(is_called(variant, fd, true, "::1", 4000));
	EXPECT_TRUE(is_called(variant, fd, false, "::1", -1));
	ASSERT_EQ(0, at_err(at_connect_unspec(fd)));
	/* TCP releases the port, but getsockname() still returns it. */
	EXPECT_TRUE(is_called(variant, fd, false, "::", ORACLE ? -1 : 0));
}

/*
 * When an IPv4 client connects to a dual-stack IPv6 listener, each end reports
 * the addresses in its own format.
 */
TEST_F_TIMEOUT(inet, dual_stack_addresses, AT_TIMEOUT)
{
	int lfd, fd, sfd;
	struct at_addr a;

	if (DGRAM)
		SKIP(return, "connections only");
	lfd = listen_ip(variant, "::", 4000);
	ASSERT_LE(0, lfd);
	ASSERT_EQ(0, bind_ip(variant, "127.0.0.1", 5000, &fd));
	make_address(variant, &a, "127.0.0.1", 4000);
	ASSERT_EQ(0, at_err(at_connect(fd, &a)));
	sfd = accept(lfd, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_TRUE(is_called(variant, sfd, true, "::ffff:127.0.0.1", 5000));
	EXPECT_TRUE(is_called(variant, sfd, false, "::ffff:127.0.0.1", 4000));
	EXPECT_TRUE(is_called(variant, fd, true, "127.0.0.1", 4000));
}

/* ---- sockets that share an address ---- */

/*
 * Bind a new socket, with SO_REUSEADDR if @reuse. Return 0 or an errno, or -1
 * if the option cannot be set.
 */
static int bind_shared(const FIXTURE_VARIANT(inet) *variant, const char *ip,
		       unsigned int port, bool reuse, int *fd)
{
	struct at_addr a;

	*fd = make_socket(variant, ip);
	if (reuse && at_set_flag(*fd, SOL_SOCKET, SO_REUSEADDR, 1))
		return -1;
	make_address(variant, &a, ip, port);
	return at_err(at_bind(*fd, &a));
}

/*
 * Of the sockets that share a port, connect() finds the one that listens, even
 * if another one is bound to a closer address.
 */
TEST_F_TIMEOUT(inet, listener_among_sharing_sockets, AT_TIMEOUT)
{
	int exact, dual, fd;
	struct at_addr a;

	if (DGRAM || ORACLE)
		SKIP(return, "listeners of altconn only");
	ASSERT_EQ(0, bind_shared(variant, "::", 4000, true, &dual));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &exact));
	ASSERT_EQ(0, at_err(listen(dual, 8)));
	EXPECT_EQ(EADDRINUSE, at_err(listen(exact, 8)));
	fd = make_socket(variant, "127.0.0.1");
	make_address(variant, &a, "127.0.0.1", 4000);
	EXPECT_EQ(0, at_err(at_connect(fd, &a)));
	EXPECT_LE(0, accept(dual, NULL, NULL));
}

TEST_F_TIMEOUT(inet, SO_REUSEADDR_both_or_none, AT_TIMEOUT)
{
	int one, fd;

	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &one));
	EXPECT_EQ(EADDRINUSE,
		  bind_shared(variant, "127.0.0.1", 4000, false, &fd));
	EXPECT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &fd));
	EXPECT_EQ(0, bind_shared(variant, "0.0.0.0", 4000, true, &fd));
	if (DGRAM)
		return;
	ASSERT_EQ(0, listen(one, 8));
	EXPECT_EQ(EADDRINUSE, at_err(listen(fd, 8)));
	EXPECT_EQ(EADDRINUSE,
		  bind_shared(variant, "127.0.0.1", 4000, true, &fd));
}

/*
 * connect() fails with EADDRINUSE if there is an association of the same type
 * with the same local and remote address (E-ADDRINUSE).
 */
TEST_F_TIMEOUT(inet, E_ADDRINUSE_associated_already, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	struct at_addr a, b;
	int lfd, other, one, two;

	if (DGRAM || ORACLE)
		SKIP(return, "TCP returns EADDRNOTAVAIL");
	lfd = listen_ip(variant, "127.0.0.1", 4000);
	other = listen_ip(variant, "127.0.0.1", 4001);
	ASSERT_LE(0, lfd);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &one));
	ASSERT_EQ(0, bind_shared(variant, "0.0.0.0", 5000, true, &two));
	make_address(variant, &a, "127.0.0.1", 4000);
	make_address(variant, &b, "127.0.0.1", 4001);
	ASSERT_EQ(0, at_err(at_connect(one, &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(two, &a)));
	EXPECT_EQ(0, at_info(two, &info));
	EXPECT_EQ(ALTCONN_REASON_ASSOCIATED, info.aci_reason);
	EXPECT_EQ(0, at_err(at_connect(two, &b)));
	/*
	 * The pair of addresses is free once the association is dissolved or
	 * the socket is closed.
	 */
	ASSERT_EQ(0, at_err(at_connect_unspec(two)));
	ASSERT_EQ(0, at_err(at_connect_unspec(one)));
	EXPECT_EQ(0, at_err(at_connect(two, &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(one, &a)));
	close(two);
	EXPECT_EQ(0, at_err(at_connect(one, &a)));
}

/*
 * A failed attempt frees its pair of addresses for another socket, even before
 * its error has been read.
 */
TEST_F_TIMEOUT(inet, E_ADDRINUSE_not_of_a_failed_attempt, AT_TIMEOUT)
{
	int lfd, full[2], one, two;
	struct at_addr a;

	if (DGRAM || ORACLE)
		SKIP(return, "TCP returns EADDRNOTAVAIL");
	ASSERT_EQ(0, bind_ip(variant, "127.0.0.1", 4000, &lfd));
	ASSERT_EQ(0, listen(lfd, 1));
	make_address(variant, &a, "127.0.0.1", 4000);
	ASSERT_EQ(0, at_fill(variant->four, variant->type, &a, full, 2));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &one));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &two));
	ASSERT_EQ(0, at_nonblock(one, true));
	ASSERT_EQ(0, at_set_timeout(one, 300));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(one, &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(two, &a)));
	EXPECT_NE(0, at_poll(one, POLLOUT) & POLLERR);
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_EQ(0, at_err(at_connect(two, &a)));
	EXPECT_EQ(ETIMEDOUT, at_so_error(one));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(one, &a)));
}

/*
 * A connection that was accepted at a shared address occupies its pair of
 * addresses too: another socket there cannot connect to the client's address.
 */
TEST_F_TIMEOUT(inet, E_ADDRINUSE_accepted_already, AT_TIMEOUT)
{
	int server, other, client, fd, sfd;
	struct at_addr a, b;

	if (DGRAM || ORACLE)
		SKIP(return, "TCP returns EADDRNOTAVAIL");
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &server));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &other));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &client));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &fd));
	make_address(variant, &a, "127.0.0.1", 4000);
	make_address(variant, &b, "127.0.0.1", 5000);
	ASSERT_EQ(0, listen(server, 8));
	ASSERT_EQ(0, at_err(at_connect(client, &a)));
	sfd = accept(server, NULL, NULL);
	ASSERT_LE(0, sfd);
	ASSERT_EQ(0, listen(fd, 8));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(other, &b)));
	close(sfd);
	EXPECT_EQ(0, at_err(at_connect(other, &b)));
}

/*
 * An accepted connection occupies its pair of addresses even after its listener
 * has closed and another socket has been bound to the address.
 */
TEST_F_TIMEOUT(inet, E_ADDRINUSE_accepted_by_a_closed_listener, AT_TIMEOUT)
{
	int server, other, client, fd, sfd;
	struct at_addr a, b;

	if (DGRAM || ORACLE)
		SKIP(return, "TCP returns EADDRNOTAVAIL");
	server = listen_ip(variant, "127.0.0.1", 4000);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &client));
	make_address(variant, &a, "127.0.0.1", 4000);
	make_address(variant, &b, "127.0.0.1", 5000);
	ASSERT_EQ(0, at_err(at_connect(client, &a)));
	sfd = accept(server, NULL, NULL);
	ASSERT_LE(0, sfd);
	close(server);
	ASSERT_EQ(0, bind_shared(variant, "0.0.0.0", 4000, true, &other));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 5000, true, &fd));
	ASSERT_EQ(0, listen(fd, 8));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(other, &b)));
	close(client);
	EXPECT_EQ(0, at_err(at_connect(other, &b)));
}

/*
 * An accepted connection occupies its pair of addresses even if the client does
 * not share its address. Once the pair is free, an attempt can wait for a
 * listener at the client's address (ALTCONN_WAIT_LISTENER).
 */
TEST_F_TIMEOUT(inet, E_ADDRINUSE_accepted_from_a_lone_client, AT_TIMEOUT)
{
	int server, other, client, sfd;
	struct at_addr a, b;

	if (DGRAM || ORACLE)
		SKIP(return, "streams of altconn only");
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &server));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &other));
	ASSERT_EQ(0, bind_shared(variant, "0.0.0.0", 5000, false, &client));
	make_address(variant, &a, "127.0.0.1", 4000);
	make_address(variant, &b, "127.0.0.1", 5000);
	ASSERT_EQ(0, listen(server, 8));
	ASSERT_EQ(0, at_nonblock(other, true));
	ASSERT_EQ(0, at_set_option(other, ALTCONN_WAIT_LISTENER, 1));
	ASSERT_EQ(0, at_err(at_connect(client, &a)));
	sfd = accept(server, NULL, NULL);
	ASSERT_LE(0, sfd);
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(other, &b)));
	close(sfd);
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(other, &b)));
}

/*
 * A socket can connect to its own address if another socket listens there. A
 * second association of that address with itself is refused.
 */
TEST_F_TIMEOUT(inet, a_socket_connects_to_its_own_address, AT_TIMEOUT)
{
	int server, client, fd;
	struct at_addr a;

	if (DGRAM || ORACLE)
		SKIP(return, "TCP connects a socket to itself");
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &server));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &client));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &fd));
	make_address(variant, &a, "127.0.0.1", 4000);
	ASSERT_EQ(0, listen(server, 8));
	EXPECT_EQ(0, at_err(at_connect(client, &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(fd, &a)));
}

TEST_F_TIMEOUT(inet, SO_REUSEADDR_of_an_ephemeral_port, AT_TIMEOUT)
{
	int one, two, port;
	struct at_addr a;

	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 0, true, &one));
	ASSERT_EQ(0, at_getsockname(one, &a));
	port = at_port_of(&a);
	EXPECT_EQ(EADDRINUSE,
		  bind_shared(variant, "127.0.0.1", port, false, &two));
	EXPECT_EQ(0, bind_shared(variant, "127.0.0.1", port, true, &two));
}

TEST_F_TIMEOUT(inet, IPV6_V6ONLY_of_an_accepted_socket, AT_TIMEOUT)
{
	int lfd, fd, sfd, value = -1;
	socklen_t len = sizeof(value);
	struct at_addr a;

	if (DGRAM)
		SKIP(return, "connections only");
	lfd = make_socket(variant, "::1");
	ASSERT_EQ(0, at_set_flag(lfd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	make_address(variant, &a, "::1", 4000);
	ASSERT_EQ(0, at_err(at_bind(lfd, &a)));
	ASSERT_EQ(0, at_err(listen(lfd, 1)));
	fd = make_socket(variant, "::1");
	ASSERT_EQ(0, at_err(at_connect(fd, &a)));
	sfd = accept(lfd, NULL, NULL);
	EXPECT_EQ(0, getsockopt(sfd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len));
	EXPECT_EQ(1, value);
}

/*
 * connect() checks for EADDRINUSE at shared native ports too, towards a port
 * and towards a path.
 */
TEST(E_ADDRINUSE_native_port)
{
	struct at_addr a, own;
	int lfd, one, two;

	lfd = at_listener(&a, AT_NATIVE, AT_PORT, SOCK_STREAM, 8);
	ASSERT_LE(0, lfd);
	at_addr(&own, AT_NATIVE, AT_PORT);
	one = at_socket(AT_NATIVE, SOCK_STREAM);
	two = at_socket(AT_NATIVE, SOCK_STREAM);
	ASSERT_EQ(0, at_set_flag(one, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, at_set_flag(two, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, at_err(at_bind(one, &own)));
	ASSERT_EQ(0, at_err(at_bind(two, &own)));
	EXPECT_EQ(0, at_err(at_connect(one, &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(two, &a)));
	ASSERT_EQ(0, at_err(at_connect_unspec(one)));
	ASSERT_LE(0, at_listener(&a, AT_NATIVE, AT_PATH, SOCK_STREAM, 8));
	EXPECT_EQ(0, at_err(at_connect(one, &a)));
	EXPECT_EQ(EADDRINUSE, at_err(at_connect(two, &a)));
	at_cleanup();
	/* As in AF_UNIX, SO_REUSEADDR has no effect in this format. */
	close(one);
	at_addr(&own, AT_UNIX, AT_NAME);
	one = at_socket(AT_UNIX, SOCK_DGRAM);
	two = at_socket(AT_UNIX, SOCK_DGRAM);
	ASSERT_EQ(0, at_set_flag(one, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, at_set_flag(two, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, at_err(at_bind(one, &own)));
	EXPECT_EQ(EADDRINUSE, at_err(at_bind(two, &own)));
}

/* ---- datagrams ---- */

TEST_F_TIMEOUT(inet, dgram_sender_can_be_answered, AT_TIMEOUT)
{
	struct at_addr a, from;
	int rfd, fd;
	char c;

	if (!DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(0, bind_ip(variant, "0.0.0.0", 4000, &rfd));
	fd = make_socket(variant, "127.0.0.1");
	make_address(variant, &a, "127.0.0.9", 4000);
	ASSERT_EQ(0, at_send_byte(fd, &a, 'q'));
	EXPECT_TRUE(is_called(variant, fd, false, "0.0.0.0", -1));
	from.len = sizeof(from.raw);
	ASSERT_EQ(1, recvfrom(rfd, &c, 1, 0, &from.sa, &from.len));
	EXPECT_EQ(htonl(INADDR_LOOPBACK), from.in.sin_addr.s_addr);
	EXPECT_EQ(0, at_send_byte(rfd, &from, 'a'));
	EXPECT_EQ('a', at_recv_byte(fd));
	make_address(variant, &a, "127.0.0.1", 0);
	EXPECT_EQ(EINVAL, at_send_byte(fd, &a, 'x'));
}

/*
 * Of the sockets that share a port, the one that is connected to the sender
 * gets the datagram.
 */
TEST_F_TIMEOUT(inet, dgram_connected_receiver_first, AT_TIMEOUT)
{
	struct at_addr a, own;
	int one, two, fd;

	if (!DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(0, bind_ip(variant, "127.0.0.1", 5000, &fd));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &one));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &two));
	make_address(variant, &own, "127.0.0.1", 5000);
	make_address(variant, &a, "127.0.0.1", 4000);
	ASSERT_EQ(0, at_err(at_connect(one, &own)));
	EXPECT_EQ(0, at_send_byte(fd, &a, 'c'));
	EXPECT_EQ('c', at_recv_byte(one));
	EXPECT_EQ(-EAGAIN, at_recv_byte(two));
	/* A socket connected to another peer gets nothing of this sender. */
	make_address(variant, &own, "127.0.0.1", 5001);
	ASSERT_EQ(0, at_err(at_connect(one, &own)));
	EXPECT_EQ(0, at_send_byte(fd, &a, 'd'));
	EXPECT_EQ('d', at_recv_byte(two));
	EXPECT_EQ(-EAGAIN, at_recv_byte(one));
}

/*
 * The socket that is bound to the exact IP address gets the datagram. Without
 * such a socket, a socket at 0.0.0.0 gets it, and without that a dual-stack
 * socket at ::.
 */
TEST_F_TIMEOUT(inet, dgram_closest_receiver, AT_TIMEOUT)
{
	static const char * const ips[] = { "127.0.0.1", "0.0.0.0", "::" };
	int fds[3], i, fd, err = 0;
	struct at_addr a;

	if (!DGRAM)
		SKIP(return, "datagrams only");
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, bind_shared(variant, ips[i], 4000, true, &fds[i]));
	fd = make_socket(variant, "127.0.0.1");
	make_address(variant, &a, "127.0.0.1", 4000);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, at_send_byte(fd, &a, 'a' + i));
		EXPECT_EQ('a' + i, at_recv_byte(fds[i])) {
			TH_LOG("%s", ips[i]);
		}
		close(fds[i]);
	}
	/*
	 * No receiver is left. Only a connected socket learns this, from a call
	 * after send().
	 */
	EXPECT_EQ(0, at_send_byte(fd, &a, 'x'));
	EXPECT_EQ(0, at_so_error(fd));
	ASSERT_EQ(0, at_err(at_connect(fd, &a)));
	EXPECT_EQ(0, at_send_byte(fd, NULL, 'x'));
	EXPECT_TRUE(at_until((err = at_so_error(fd)) != 0));
	EXPECT_EQ(ECONNREFUSED, err);
}

/*
 * A dual-stack socket can send to both IP versions, whichever version it sends
 * to first.
 */
TEST_F_TIMEOUT(inet, dgram_dual_stack_after_v4, AT_TIMEOUT)
{
	struct at_addr four, six;
	int r4, r6, fd;

	if (!DGRAM)
		SKIP(return, "datagrams only");
	ASSERT_EQ(0, bind_ip(variant, "127.0.0.1", 4000, &r4));
	ASSERT_EQ(0, bind_ip(variant, "::1", 4000, &r6));
	fd = at_socket(variant->six, SOCK_DGRAM);
	at_addr_ip(&four, variant->six, "::ffff:127.0.0.1", 4000);
	at_addr_ip(&six, variant->six, "::1", 4000);
	EXPECT_EQ(0, at_send_byte(fd, &four, '4'));
	EXPECT_TRUE(is_called(variant, fd, false, "::", -1));
	EXPECT_EQ(0, at_send_byte(fd, &six, '6'));
	EXPECT_EQ('4', at_recv_byte(r4));
	EXPECT_EQ('6', at_recv_byte(r6));
}

/*
 * With SO_BROADCAST a datagram to the broadcast address reaches every IPv4
 * socket of the port. Without the option, calls with this address fail with
 * EACCES (E-ACCES-BCAST).
 */
TEST_F_TIMEOUT(inet, E_ACCES_BCAST_dgram, AT_TIMEOUT)
{
	int one, two, six, elsewhere, fd;
	int sent;
	struct at_addr a, from;
	char c;

	if (!DGRAM || ORACLE)
		SKIP(return, "datagrams of altconn only");
	ASSERT_EQ(0, bind_shared(variant, "0.0.0.0", 4000, true, &one));
	ASSERT_EQ(0, bind_shared(variant, "127.0.0.1", 4000, true, &two));
	ASSERT_EQ(0, bind_shared(variant, "::1", 4000, true, &six));
	ASSERT_EQ(0, bind_ip(variant, "0.0.0.0", 4001, &elsewhere));
	make_address(variant, &a, "255.255.255.255", 4000);
	fd = make_socket(variant, "127.0.0.1");
	EXPECT_EQ(EACCES, at_send_byte(fd, &a, 'b'));
	EXPECT_EQ(EACCES, at_err(at_connect(fd, &a)));
	ASSERT_EQ(0, at_set_flag(fd, SOL_SOCKET, SO_BROADCAST, 1));
	EXPECT_EQ(0, at_send_byte(fd, &a, 'b'));
	EXPECT_EQ('b', at_recv_byte(one));
	from.len = sizeof(from.raw);
	EXPECT_EQ(1, recvfrom(two, &c, 1, MSG_DONTWAIT, &from.sa, &from.len));
	EXPECT_EQ('b', c);
	EXPECT_EQ(htonl(INADDR_LOOPBACK), from.in.sin_addr.s_addr);
	EXPECT_EQ(0, at_send_byte(two, &from, 'r'));
	EXPECT_EQ('r', at_recv_byte(fd));
	EXPECT_EQ(0, at_err(at_connect(fd, &a)));
	EXPECT_EQ(1, send(fd, "c", 1, 0));
	EXPECT_EQ('c', at_recv_byte(one));
	EXPECT_EQ('c', at_recv_byte(two));
	EXPECT_EQ(-EAGAIN, at_recv_byte(elsewhere));
	EXPECT_EQ(-EAGAIN, at_recv_byte(six));
	/*
	 * A receiver that is full or that is connected to another peer misses
	 * the datagram and does not block the sender.
	 */
	make_address(variant, &a, "127.0.0.1", 5999);
	ASSERT_EQ(0, at_err(at_connect(two, &a)));
	for (sent = 0; sent < 3000; sent++)
		ASSERT_EQ(sizeof(a), send(fd, &a, sizeof(a), MSG_DONTWAIT));
	EXPECT_EQ(POLLOUT, at_poll_now(fd, POLLOUT));
	EXPECT_EQ(-EAGAIN, at_recv_byte(two));
}

/*
 * An IP address belongs to one network namespace: a socket of another namespace
 * does not find the listener and can bind to the same address.
 */
TEST_F_TIMEOUT(inet, each_namespace_has_its_own_addresses, AT_TIMEOUT)
{
	struct at_addr a;
	int fd, other;

	ASSERT_LE(0, listen_ip(variant, "127.0.0.1", 4000));
	ASSERT_EQ(0, at_netns());
	fd = make_socket(variant, "127.0.0.1");
	make_address(variant, &a, "127.0.0.1", 4000);
	if (ORACLE) {
		/* The loopback device of the new namespace is down. */
		EXPECT_EQ(ENETUNREACH, at_err(at_connect(fd, &a)));
		return;
	}
	/* In this family the loopback addresses exist nevertheless. */
	if (DGRAM)
		EXPECT_EQ(0, at_send_byte(fd, &a, 'x'));
	EXPECT_EQ(DGRAM ? 0 : ECONNREFUSED, at_err(at_connect(fd, &a)));
	if (DGRAM)
		EXPECT_EQ(0, at_err(send(fd, "x", 1, 0)));
	EXPECT_EQ(DGRAM ? ECONNREFUSED : 0, at_so_error(fd));
	EXPECT_EQ(0, bind_ip(variant, "127.0.0.1", 4000, &other));
}

TEST_HARNESS_MAIN
