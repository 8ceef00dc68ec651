// SPDX-License-Identifier: GPL-2.0
/*
 * These tests make every call with arguments that no program should pass. Each
 * call returns its documented errno, and the sockets still work afterwards.
 * Malformed addresses are tested in addr.c.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define BAD ((void *)8)

TEST(socket_arguments)
{
	static const struct {
		const char *what;
		int type, protocol, err;
	} rows[] = {
		{ .what = "stream, native", .type = SOCK_STREAM, .protocol = 0,
		  .err = 0 },
		{ .what = "stream, unix", .type = SOCK_STREAM, .protocol = 1,
		  .err = 0 },
		{ .what = "seqpacket, native", .type = SOCK_SEQPACKET,
		  .protocol = 0, .err = 0 },
		{ .what = "seqpacket, unix", .type = SOCK_SEQPACKET,
		  .protocol = 1, .err = 0 },
		{ .what = "dgram, native", .type = SOCK_DGRAM, .protocol = 0,
		  .err = 0 },
		{ .what = "dgram, unix", .type = SOCK_DGRAM, .protocol = 1,
		  .err = 0 },
		{ .what = "stream, inet", .type = SOCK_STREAM, .protocol = 2,
		  .err = 0 },
		{ .what = "seqpacket, inet6", .type = SOCK_SEQPACKET,
		  .protocol = 3, .err = 0 },
		{ .what = "dgram, inet6", .type = SOCK_DGRAM, .protocol = 3,
		  .err = 0 },
		{ .what = "protocol 4", .type = SOCK_STREAM, .protocol = 4,
		  .err = EPROTONOSUPPORT },
		{ .what = "protocol 255", .type = SOCK_DGRAM, .protocol = 255,
		  .err = EPROTONOSUPPORT },
		{ .what = "protocol -1", .type = SOCK_STREAM, .protocol = -1,
		  .err = EPROTONOSUPPORT },
		{ .what = "protocol INT_MAX", .type = SOCK_STREAM,
		  .protocol = INT_MAX, .err = EPROTONOSUPPORT },
		{ .what = "protocol INT_MIN", .type = SOCK_SEQPACKET,
		  .protocol = INT_MIN, .err = EPROTONOSUPPORT },
		{ .what = "raw", .type = SOCK_RAW, .protocol = 0,
		  .err = ESOCKTNOSUPPORT },
		{ .what = "rdm", .type = SOCK_RDM, .protocol = 0,
		  .err = ESOCKTNOSUPPORT },
		{ .what = "dccp", .type = SOCK_DCCP, .protocol = 1,
		  .err = ESOCKTNOSUPPORT },
		{ .what = "type 0", .type = 0, .protocol = 0,
		  .err = ESOCKTNOSUPPORT },
		{ .what = "type 9", .type = 9, .protocol = 0,
		  .err = ESOCKTNOSUPPORT },
		{ .what = "type 15", .type = 15, .protocol = 0, .err = EINVAL },
		{ .what = "unknown flag", .type = SOCK_STREAM | 0x100,
		  .protocol = 0, .err = EINVAL },
	};
	int i, fd;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fd = socket(at_family(), rows[i].type, rows[i].protocol);
		EXPECT_EQ(rows[i].err, at_err(fd)) {
			TH_LOG("socket: %s", rows[i].what);
		}
		close(fd);
	}
}

TEST(E_BADF_E_NOTSOCK)
{
	socklen_t len = sizeof(struct at_addr);
	struct at_addr a;
	int fds[3], want[3] = { EBADF, ENOTSOCK, EBADF }, i, value = 1;

	at_addr(&a, AT_NATIVE, AT_PORT);
	fds[0] = -1;
	fds[1] = open("/dev/null", O_RDWR);
	fds[2] = open("/dev/null", O_PATH);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(want[i], at_err(at_connect(fds[i], &a)));
		EXPECT_EQ(want[i], at_err(at_bind(fds[i], &a)));
		EXPECT_EQ(want[i], at_err(listen(fds[i], 1)));
		EXPECT_EQ(want[i], at_err(accept(fds[i], NULL, NULL)));
		EXPECT_EQ(want[i], at_err(getsockname(fds[i], &a.sa, &len)));
		EXPECT_EQ(want[i], at_err(send(fds[i], "x", 1, 0)));
		EXPECT_EQ(want[i], at_err(recv(fds[i], &value, 1, 0)));
		EXPECT_EQ(want[i], at_err(shutdown(fds[i], 0)));
		EXPECT_EQ(want[i], at_err(setsockopt(fds[i], SOL_ALTCONN, 1,
						     &value, 8)));
	}
	EXPECT_EQ(EBADF, at_err(at_connect(9999, &a)));
}

FIXTURE(call) {
	struct at_addr a;
	int fd;		/* bound; listens unless datagram */
	int sv[2];
};

FIXTURE_VARIANT(call) {
	enum at_format format;
	int type;
};

#define CALL(d, t)							\
	FIXTURE_VARIANT_ADD(call, d ## _ ## t) {			\
		.format = AT_ ## d, .type = SOCK_ ## t			\
	}
CALL(NATIVE, STREAM);
CALL(NATIVE, SEQPACKET);
CALL(NATIVE, DGRAM);
CALL(UNIX, STREAM);
CALL(UNIX, SEQPACKET);
CALL(UNIX, DGRAM);

FIXTURE_SETUP(call)
{
	self->fd = at_bound(&self->a, variant->format, AT_NAME, variant->type);
	ASSERT_LE(0, self->fd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, listen(self->fd, 4));
	ASSERT_EQ(0, at_socketpair(variant->format, variant->type, self->sv));
}

/* Show that the sockets still work after the calls of the test. */
FIXTURE_TEARDOWN(call)
{
	char buf[8];
	int fd, err;

	EXPECT_EQ(3, send(self->sv[0], "abc", 3, MSG_DONTWAIT));
	EXPECT_EQ(3, recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	fd = at_client(variant->format, variant->type, &self->a, &err);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, err);
	at_cleanup();
}

TEST_F_TIMEOUT(call, E_FAULT, AT_TIMEOUT)
{
	socklen_t len = 110;
	struct iovec iov = { BAD, 4 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct at_addr a;

	EXPECT_EQ(EFAULT, at_err(connect(self->fd, BAD, 110)));
	EXPECT_EQ(EFAULT, at_err(bind(self->fd, BAD, 110)));
	EXPECT_EQ(EFAULT, at_err(getsockname(self->fd, BAD, &len)));
	EXPECT_EQ(EFAULT, at_err(getsockname(self->fd, &a.sa, BAD)));
	EXPECT_EQ(EFAULT, at_err(getpeername(self->sv[0], BAD, &len)));
	EXPECT_EQ(EFAULT, at_err(send(self->sv[0], BAD, 4, 0)));
	EXPECT_EQ(EFAULT, at_err(sendmsg(self->sv[0], &msg, 0)));
	EXPECT_EQ(EFAULT, at_err(sendmsg(self->sv[0], BAD, 0)));
	EXPECT_EQ(EFAULT, at_err(recvmsg(self->sv[0], BAD, MSG_DONTWAIT)));
	EXPECT_EQ(EFAULT, at_err(syscall(SYS_setsockopt, self->fd, SOL_ALTCONN,
					 ALTCONN_CONNECT_TIMEOUT, BAD, 8)));
	EXPECT_EQ(EFAULT, at_err(syscall(SYS_getsockopt, self->fd, SOL_ALTCONN,
					 ALTCONN_CONNECT_INFO, BAD, &len)));
	EXPECT_EQ(EFAULT, at_err(syscall(SYS_getsockopt, self->fd, SOL_ALTCONN,
					 ALTCONN_CONNECT_INFO, &a, BAD)));
	EXPECT_EQ(EFAULT, at_err(ioctl(self->sv[0], FIONREAD, BAD)));
}

TEST_F_TIMEOUT(call, E_FAULT_after_data_arrived, AT_TIMEOUT)
{
	char buf[8];

	ASSERT_EQ(2, send(self->sv[0], "xy", 2, 0));
	EXPECT_EQ(EFAULT, at_err(recv(self->sv[1], BAD, 2, MSG_DONTWAIT)));
	while (recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

TEST_F_TIMEOUT(call, bad_lengths, AT_TIMEOUT)
{
	socklen_t len;
	struct at_addr a;
	char buf[8];

	len = -1;
	EXPECT_EQ(EINVAL, at_err(getsockname(self->fd, &a.sa, &len)));
	len = -1;
	EXPECT_EQ(EINVAL, at_err(getpeername(self->sv[0], &a.sa, &len)));
	EXPECT_EQ(EINVAL, at_err(at_bind(self->fd, &self->a)));
	a = self->a;
	a.len = INT_MAX;
	EXPECT_EQ(EINVAL, at_err(at_connect(self->fd, &a)));
	EXPECT_EQ(EINVAL, at_err(sendto(self->fd, buf, 1, MSG_DONTWAIT, &a.sa,
					a.len)));
	EXPECT_NE(0, at_err(send(self->sv[0], BAD, SIZE_MAX, MSG_DONTWAIT)));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[0], buf, 8, MSG_DONTWAIT)));
}

TEST_F_TIMEOUT(call, bad_vectors, AT_TIMEOUT)
{
	struct iovec iov[2] = { { "ab", 2 }, { "c", (size_t)-1 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	EXPECT_EQ(EINVAL, at_err(sendmsg(self->sv[0], &msg, MSG_DONTWAIT)));
	msg.msg_iovlen = 100000;
	EXPECT_EQ(EMSGSIZE, at_err(sendmsg(self->sv[0], &msg, MSG_DONTWAIT)));
	EXPECT_EQ(EINVAL, at_err(syscall(SYS_writev, self->sv[0], iov, -1L)));
}

TEST_F_TIMEOUT(call, backlogs, AT_TIMEOUT)
{
	static const int backlogs[] = { -1, INT_MIN, INT_MAX, 0, 4 };
	int i;

	for (i = 0; i < ARRAY_SIZE(backlogs); i++) {
		EXPECT_EQ(variant->type == SOCK_DGRAM ? EOPNOTSUPP : 0,
			  at_err(listen(self->fd, backlogs[i])));
	}
	EXPECT_EQ(variant->type == SOCK_DGRAM ? EOPNOTSUPP : EINVAL,
		  at_err(listen(self->sv[0], 1)));
	EXPECT_EQ(variant->type == SOCK_DGRAM ? EOPNOTSUPP : EINVAL,
		  at_err(accept(self->sv[0], NULL, NULL)));
}

TEST_F_TIMEOUT(call, options, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	uint64_t ms = 5;
	socklen_t len;
	int i;

	len = -1;
	EXPECT_EQ(EINVAL, at_err(getsockopt(self->fd, SOL_ALTCONN,
					    ALTCONN_CONNECT_TIMEOUT, &ms,
					    &len)));
	for (i = -1; i < 8; i++) {
		EXPECT_EQ(EINVAL, at_err(setsockopt(self->fd, SOL_ALTCONN,
						    ALTCONN_CONNECT_TIMEOUT,
						    &ms, i)));
	}
	EXPECT_EQ(ENOPROTOOPT, at_err(setsockopt(self->fd, SOL_ALTCONN, 99,
						 &ms, 8)));
	len = 8;
	EXPECT_EQ(ENOPROTOOPT, at_err(getsockopt(self->fd, SOL_ALTCONN, 99,
						 &ms, &len)));
	EXPECT_EQ(ENOPROTOOPT, at_err(setsockopt(self->fd, SOL_ALTCONN,
						 ALTCONN_CONNECT_INFO, &info,
						 sizeof(info))));
	EXPECT_NE(0, at_err(setsockopt(self->fd, 9999, 1, &ms, 8)));
	EXPECT_NE(0, at_err(getsockopt(self->fd, 9999, 1, &ms, &len)));
	len = sizeof(info);
	EXPECT_EQ(0, at_err(getsockopt(self->fd, SOL_ALTCONN,
				       ALTCONN_CONNECT_INFO, &info, &len)));
	EXPECT_EQ(sizeof(info), len);
	EXPECT_EQ(ALTCONN_REASON_NONE, info.aci_reason);
	EXPECT_EQ(0, info.aci_errno);
	EXPECT_EQ(0, info.aci_rule);
}

TEST_F_TIMEOUT(call, unknown_flags, AT_TIMEOUT)
{
	char c;

	EXPECT_EQ(EOPNOTSUPP, at_err(send(self->sv[0], "x", 1, MSG_OOB)));
	EXPECT_EQ(EINVAL, at_err(shutdown(self->sv[0], 7)));
	EXPECT_EQ(EINVAL, at_err(accept4(self->fd, NULL, NULL, 0x7)));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[0], &c, 1, MSG_DONTWAIT)));
}

TEST_F_TIMEOUT(call, not_connected, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	int send_err = ENOTCONN, recv_err = ENOTCONN;
	struct at_addr a;
	char c;

	/* As with UDP, or in the sockaddr_un format as with AF_UNIX. */
	if (variant->type == SOCK_DGRAM) {
		send_err = variant->format == AT_UNIX ? ENOTCONN : EDESTADDRREQ;
		recv_err = EAGAIN;
	} else if (variant->type == SOCK_STREAM && variant->format == AT_UNIX) {
		recv_err = EINVAL;
	}
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(fd, &a)));
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &a)));
	EXPECT_EQ(send_err, at_err(send(fd, "x", 1,
					MSG_NOSIGNAL | MSG_DONTWAIT)));
	EXPECT_EQ(recv_err, at_err(recv(fd, &c, 1, MSG_DONTWAIT)));
	if (variant->type != SOCK_DGRAM) {
		EXPECT_EQ(ENOTCONN, at_err(shutdown(fd, SHUT_WR)));
	}
}

/* Unknown ioctls, lseek() and mmap() fail, and FIONREAD works. */
TEST_F_TIMEOUT(call, unsupported_calls, AT_TIMEOUT)
{
	int value = 0;

	EXPECT_EQ(ENOTTY, at_err(ioctl(self->fd, 0xdeadbeef, &value)));
	EXPECT_EQ(-1, lseek(self->sv[0], 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(0, at_err(ioctl(self->sv[0], FIONREAD, &value)));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED,
				   self->sv[0], 0));
	EXPECT_EQ(ENODEV, errno);
}

/* The core refuses to copy bad control messages, and no data is sent. */
TEST_F_TIMEOUT(call, control_messages, AT_TIMEOUT)
{
	char control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "abc", 3 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	char buf[8];

	msg.msg_control = BAD;
	EXPECT_EQ(EFAULT, at_err(sendmsg(self->sv[0], &msg, MSG_DONTWAIT)));
	msg.msg_control = control;
	msg.msg_controllen = SIZE_MAX;
	EXPECT_EQ(ENOBUFS, at_err(sendmsg(self->sv[0], &msg, MSG_DONTWAIT)));
	EXPECT_EQ(EAGAIN, at_err(recv(self->sv[1], buf, 8, MSG_DONTWAIT)));
}

/*
 * Return whether @err is an errno that connect() or sendto() may return for a
 * malformed or invented address.
 */
static bool is_documented(int err)
{
	static const int errnos[] = {
		0, EINVAL, EAFNOSUPPORT, ENETUNREACH, EACCES, EOPNOTSUPP,
		EADDRNOTAVAIL, ECONNREFUSED, ENOENT, ENOTDIR, ELOOP,
		ENAMETOOLONG, ENOTCONN, EISCONN, EDESTADDRREQ,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++)
		if (err == errnos[i])
			return true;
	return false;
}

/* Random bytes as an address give a documented errno, and do no harm. */
TEST_F_TIMEOUT(call, random_addresses, AT_TIMEOUT)
{
	int n = at_scale(1000, 300), i, fd, len;
	uint64_t seed = 12345 + variant->type;
	struct at_addr a;
	int err;

	fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);
	for (i = 0; i < n; i++) {
		at_random_fill(&seed, a.raw, sizeof(a.raw));
		a.sa.sa_family = variant->format == AT_UNIX ? AF_UNIX :
							     at_family();
		len = at_random(&seed) % 132;
		if (at_random(&seed) % 2) {
			a.nat.sac_kind = at_random(&seed) % 6;
			a.nat.sac_flags = 0;
			a.nat.sac_pad = 0;
			a.nat.sac_len %= 120;
			len = sizeof(a.nat);
		}
		err = at_err(connect(fd, &a.sa, len));
		EXPECT_TRUE(is_documented(err)) {
			TH_LOG("connect %d of %d: errno %d", i, n, err);
		}
		if (!err)
			at_connect_unspec(fd);
		err = at_err(sendto(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
				    &a.sa, len));
		EXPECT_TRUE(is_documented(err)) {
			TH_LOG("sendto %d of %d: errno %d", i, n, err);
		}
	}
	close(fd);
}

TEST_HARNESS_MAIN
