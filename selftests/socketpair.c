// SPDX-License-Identifier: GPL-2.0
/* Test socketpair() in every socket type and address format. */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <sys/syscall.h>

FIXTURE(pair) {
	int sv[2];
};

FIXTURE_VARIANT(pair) {
	enum at_format format;
	int type;
};

#define PAIR(d, t)							\
	FIXTURE_VARIANT_ADD(pair, d ## _ ## t) {			\
		.format = AT_ ## d, .type = SOCK_ ## t			\
	}
PAIR(NATIVE, STREAM);
PAIR(NATIVE, SEQPACKET);
PAIR(NATIVE, DGRAM);
PAIR(UNIX, STREAM);
PAIR(UNIX, SEQPACKET);
PAIR(UNIX, DGRAM);
PAIR(ORACLE, STREAM);
PAIR(ORACLE, SEQPACKET);
PAIR(ORACLE, DGRAM);

FIXTURE_SETUP(pair)
{
	ASSERT_EQ(0, at_err(at_socketpair(variant->format, variant->type,
					  self->sv)));
}

FIXTURE_TEARDOWN(pair) {}

TEST_F_TIMEOUT(pair, both_ways, AT_TIMEOUT)
{
	char buf[8];
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(5, send(self->sv[i], "hello", 5, 0));
		EXPECT_EQ(5, recv(self->sv[!i], buf, sizeof(buf), 0));
		EXPECT_EQ(0, memcmp(buf, "hello", 5));
	}
}

TEST_F_TIMEOUT(pair, boundaries, AT_TIMEOUT)
{
	bool stream = variant->type == SOCK_STREAM;
	char buf[8];

	EXPECT_EQ(1, send(self->sv[0], "a", 1, 0));
	EXPECT_EQ(2, send(self->sv[0], "bc", 2, 0));
	EXPECT_EQ(stream ? 3 : 1, recv(self->sv[1], buf, sizeof(buf), 0));
	if (!stream)
		EXPECT_EQ(2, recv(self->sv[1], buf, sizeof(buf), 0));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, sizeof(buf),
				      MSG_DONTWAIT)));
}

TEST_F_TIMEOUT(pair, unnamed, AT_TIMEOUT)
{
	struct at_addr a;
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, at_getsockname(self->sv[i], &a));
		EXPECT_TRUE(at_unnamed(&a));
		EXPECT_EQ(0, at_getpeername(self->sv[i], &a));
		EXPECT_TRUE(at_unnamed(&a));
	}
}

TEST_F_TIMEOUT(pair, E_ISCONN, AT_TIMEOUT)
{
	struct at_addr a;

	if (variant->type == SOCK_DGRAM)
		SKIP(return, "S-AGAIN: a datagram socket may connect again");
	if (variant->format == AT_ORACLE)
		SKIP(return, "AF_UNIX looks the address up first");
	at_addr(&a, variant->format, AT_NAME);
	EXPECT_EQ(EISCONN, at_err(at_connect(self->sv[0], &a)));
}

TEST_F_TIMEOUT(pair, peer_closed, AT_TIMEOUT)
{
	bool dgram = variant->type == SOCK_DGRAM;
	char c;

	close(self->sv[1]);
	EXPECT_EQ(dgram ? ECONNREFUSED : EPIPE,
		  at_err(send(self->sv[0], "x", 1, MSG_NOSIGNAL)));
	if (!dgram)
		EXPECT_EQ(0, recv(self->sv[0], &c, 1, 0));
}

/*
 * A half of a pair of datagram sockets takes datagrams from the other half only
 * (clause S-ONLY).
 */
TEST_F_TIMEOUT(pair, S_ONLY, AT_TIMEOUT)
{
	struct at_addr a;
	char buf[2];
	int fd;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "datagrams only");
	at_addr(&a, variant->format, AT_NAME);
	ASSERT_EQ(0, at_err(at_bind(self->sv[0], &a)));
	fd = at_socket(variant->format, SOCK_DGRAM);
	/* AF_UNIX returns EPERM; clause S-ONLY says ECONNREFUSED. */
	EXPECT_EQ(variant->format == AT_ORACLE ? EPERM : ECONNREFUSED,
		  at_err(sendto(fd, "x", 1, 0, &a.sa, a.len)));
	EXPECT_EQ(1, send(self->sv[1], "y", 1, 0));
	EXPECT_EQ(1, recv(self->sv[0], buf, sizeof(buf), 0));
	EXPECT_EQ('y', buf[0]);
	EXPECT_EQ(EAGAIN,
		  at_err(recv(self->sv[0], buf, sizeof(buf), MSG_DONTWAIT)));
}

TEST_F_TIMEOUT(pair, flags_and_refusals, AT_TIMEOUT)
{
	int family = variant->format == AT_ORACLE ? AF_UNIX : at_family();
	int sv[2], format = variant->format == AT_UNIX;

	EXPECT_EQ(0, at_err(socketpair(family, variant->type | SOCK_NONBLOCK |
				       SOCK_CLOEXEC, format, sv)));
	EXPECT_EQ(EAGAIN, at_err(recv(sv[0], sv, 1, 0)));
	EXPECT_EQ(EPROTONOSUPPORT,
		  at_err(socketpair(family, variant->type, 77, sv)));
	EXPECT_EQ(ESOCKTNOSUPPORT,
		  at_err(socketpair(family, SOCK_RDM, format, sv)));
	EXPECT_EQ(EFAULT, at_err(syscall(SYS_socketpair, family,
					 variant->type, format, 1)));
}

TEST_HARNESS_MAIN
