// SPDX-License-Identifier: GPL-2.0
/*
 * These tests make system calls as a 32-bit program does. This 64-bit program
 * enters the kernel by its 32-bit entry, with structures in the layout of a
 * 32-bit program, and in memory that such a program can address.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifdef __x86_64__

/* These are system call numbers of the 32-bit entry. */
enum {
	NR_IOCTL = 54, NR_SOCKETPAIR = 360, NR_BIND = 361, NR_CONNECT = 362,
	NR_GETSOCKOPT = 365, NR_SETSOCKOPT = 366, NR_SENDMSG = 370,
	NR_RECVMSG = 372,
};

static long call32(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	asm volatile("int $0x80"
		     : "=a" (ret)
		     : "a" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

/* These structures have the layout that a 32-bit program uses. */
struct msghdr32 {
	uint32_t name;
	int32_t namelen;
	uint32_t iov, iovlen, control, controllen, flags;
};

struct iovec32 {
	uint32_t base, len;
};

struct cmsghdr32 {
	uint32_t len;
	int32_t level, type;
};

struct low {
	int sv[2];
	int number;
	uint32_t len;
	uint64_t ms;
	struct altconn_connect_info info;
	struct altconn_peer_info peer;
	struct msghdr32 msg;
	struct iovec32 iov;
	struct {
		struct cmsghdr32 hdr;
		int data[3];
		struct cmsghdr32 more;
		int more_data[3];
	} control;
	char buf[64];
	struct sockaddr_altconn addr;
	uint32_t on;
};

FIXTURE(compat) {
	struct low *low;
	bool missing;
};

FIXTURE_VARIANT(compat) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(compat, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(compat, unix_dgram) {
	.format = AT_UNIX, .type = SOCK_DGRAM,
};
FIXTURE_VARIANT_ADD(compat, unix_seqpacket) {
	.format = AT_UNIX, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(compat, oracle_stream) {
	.format = AT_ORACLE, .type = SOCK_STREAM,
};

#define ORACLE (variant->format == AT_ORACLE)

static uint32_t low32(const void *p)
{
	return (uint32_t)(uintptr_t)p;
}

/*
 * Return whether the kernel has the 32-bit entry. A kernel without the entry
 * kills a process that uses it, so a child process tries it.
 */
static bool has_entry(void)
{
	pid_t pid = at_fork();

	if (!pid)
		_exit(call32(20, 0, 0, 0, 0, 0) == getpid() ? 0 : 1);
	return at_reap(pid) == 0;
}

FIXTURE_SETUP(compat)
{
	int family = ORACLE ? AF_UNIX : at_family();

	if (!has_entry()) {
		self->missing = true;
		SKIP(return, "this kernel runs no 32-bit programs");
	}
	self->low = mmap(NULL, sizeof(*self->low), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->low);
	ASSERT_EQ(0, call32(NR_SOCKETPAIR, family, variant->type,
			    variant->format == AT_UNIX, low32(self->low->sv),
			    0));
}

FIXTURE_TEARDOWN(compat) {}

TEST_F_TIMEOUT(compat, ioctl_and_options, AT_TIMEOUT)
{
	struct low *low = self->low;

	if (self->missing)
		SKIP(return, "this kernel runs no 32-bit programs");
	ASSERT_EQ(3, send(low->sv[0], "abc", 3, 0));
	ASSERT_EQ(0, call32(NR_IOCTL, low->sv[1], SIOCINQ, low32(&low->number),
			    0, 0));
	EXPECT_EQ(3, low->number);
	EXPECT_EQ(-EFAULT, call32(NR_IOCTL, low->sv[1], SIOCINQ, 1, 0, 0));
	if (ORACLE)
		return;
	low->ms = 0x100000001ULL;
	ASSERT_EQ(0, call32(NR_SETSOCKOPT, low->sv[0], SOL_ALTCONN,
			    ALTCONN_CONNECT_TIMEOUT, low32(&low->ms),
			    sizeof(low->ms)));
	low->ms = 0;
	low->len = sizeof(low->ms);
	ASSERT_EQ(0, call32(NR_GETSOCKOPT, low->sv[0], SOL_ALTCONN,
			    ALTCONN_CONNECT_TIMEOUT, low32(&low->ms),
			    low32(&low->len)));
	EXPECT_EQ(0x100000001ULL, low->ms);
	memset(&low->info, 0xff, sizeof(low->info));
	low->len = sizeof(low->info);
	ASSERT_EQ(0, call32(NR_GETSOCKOPT, low->sv[0], SOL_ALTCONN,
			    ALTCONN_CONNECT_INFO, low32(&low->info),
			    low32(&low->len)));
	EXPECT_EQ(24, low->len);
	EXPECT_EQ(0, low->info.aci_rule);
	if (variant->type == SOCK_DGRAM)
		return;
	low->len = sizeof(low->peer);
	ASSERT_EQ(0, call32(NR_GETSOCKOPT, low->sv[0], SOL_ALTCONN,
			    ALTCONN_PEER_INFO, low32(&low->peer),
			    low32(&low->len)));
	EXPECT_EQ(getpid(), low->peer.api_pid);
}

static void prepare_low(struct low *low, size_t len)
{
	low->iov = (struct iovec32) { low32(low->buf), len };
	low->msg = (struct msghdr32) {
		.iov = low32(&low->iov), .iovlen = 1,
		.control = low32(&low->control),
		.controllen = sizeof(low->control),
	};
}

TEST_F_TIMEOUT(compat, control_messages, AT_TIMEOUT)
{
	struct low *low = self->low;
	int fd, on = 1, got = -1;
	struct stat a, b;

	if (self->missing)
		SKIP(return, "this kernel runs no 32-bit programs");
	fd = memfd_create("altconn", 0);
	ASSERT_EQ(0, setsockopt(low->sv[1], SOL_SOCKET, SO_PASSCRED, &on,
				sizeof(on)));
	memcpy(low->buf, "abc", 3);
	prepare_low(low, 3);
	low->msg.controllen = sizeof(struct cmsghdr32) + sizeof(int);
	low->control.hdr = (struct cmsghdr32) {
		.len = low->msg.controllen, .level = SOL_SOCKET,
		.type = SCM_RIGHTS,
	};
	low->control.data[0] = fd;
	ASSERT_EQ(3, call32(NR_SENDMSG, low->sv[0], low32(&low->msg), 0, 0, 0));
	memset(low->buf, 0, sizeof(low->buf));
	memset(&low->control, 0, sizeof(low->control));
	prepare_low(low, sizeof(low->buf));
	ASSERT_EQ(3, call32(NR_RECVMSG, low->sv[1], low32(&low->msg), 0, 0, 0));
	EXPECT_STREQ("abc", low->buf);
	EXPECT_EQ(0, low->msg.flags & MSG_CTRUNC);
	/* The credentials come first, and then the descriptor. */
	EXPECT_EQ(SCM_CREDENTIALS, low->control.hdr.type);
	EXPECT_EQ(getpid(), low->control.data[0]);
	EXPECT_EQ(SCM_RIGHTS, low->control.more.type);
	got = low->control.more_data[0];
	ASSERT_EQ(0, fstat(fd, &a));
	ASSERT_EQ(0, fstat(got, &b));
	EXPECT_EQ(a.st_ino, b.st_ino);
}

/*
 * bind() and connect() take a path relative to a descriptor (ALTCONN_PATH_FD),
 * and bind() replaces a stale socket file (ALTCONN_REPLACE_PATH).
 */
TEST_F_TIMEOUT(compat, path_by_a_descriptor, AT_TIMEOUT)
{
	struct low *low = self->low;
	int i, dfd, fd, client;
	struct at_addr a;
	char dir[108];

	if (self->missing)
		SKIP(return, "this kernel runs no 32-bit programs");
	if (variant->format != AT_NATIVE)
		SKIP(return, "native addresses only");
	at_path(dir, sizeof(dir));
	ASSERT_EQ(0, mkdir(dir, 0755));
	dfd = open(dir, O_PATH);
	at_addr_path(&a, AT_NATIVE, "s");
	a.nat.sac_flags = ALTCONN_PATH_FD;
	a.nat.sac_fd = dfd;
	low->addr = a.nat;
	for (i = 0; i < 2; i++) {
		fd = at_socket(AT_NATIVE, variant->type);
		low->on = i;
		ASSERT_EQ(0, call32(NR_SETSOCKOPT, fd, SOL_ALTCONN,
				    ALTCONN_REPLACE_PATH, low32(&low->on),
				    sizeof(low->on)));
		ASSERT_EQ(0, call32(NR_BIND, fd, low32(&low->addr),
				    sizeof(low->addr), 0, 0));
		if (!i)
			close(fd);
	}
	ASSERT_EQ(0, listen(fd, 1));
	low->addr.sac_len = 0;
	low->addr.sac_path[0] = 0;
	low->addr.sac_fd = -1;
	client = at_socket(AT_NATIVE, variant->type);
	EXPECT_EQ(-EBADF, call32(NR_CONNECT, client, low32(&low->addr),
				 sizeof(low->addr), 0, 0));
	low->addr.sac_fd = openat(dfd, "s", O_PATH);
	EXPECT_EQ(0, call32(NR_CONNECT, client, low32(&low->addr),
			    sizeof(low->addr), 0, 0));
	EXPECT_EQ(1, send(client, "x", 1, 0));
	unlinkat(dfd, "s", 0);
	rmdir(dir);
}

#else

TEST(compat)
{
	SKIP(return, "this test needs x86-64");
}

#endif

TEST_HARNESS_MAIN
