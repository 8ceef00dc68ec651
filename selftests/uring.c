// SPDX-License-Identifier: GPL-2.0
/*
 * These tests use io_uring to connect, bind, accept, poll, send and receive, by
 * system calls alone. Each call submits one request.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct ring {
	int fd;
	struct io_uring_sqe *sqes;
	unsigned int *sq_tail, *sq_array, sq_mask;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct io_uring_cqe *cqes;
};

static int ring_open(struct ring *r)
{
	struct io_uring_params p = {};
	char *sq, *cq;

	r->fd = syscall(__NR_io_uring_setup, 8, &p);
	if (r->fd < 0)
		return -1;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(int),
		  PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		  IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes),
		  PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		  IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof(*r->sqes),
		       PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		       IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || r->sqes == MAP_FAILED)
		return -1;
	r->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	r->sq_array = (unsigned int *)(sq + p.sq_off.array);
	r->sq_mask = *(unsigned int *)(sq + p.sq_off.ring_mask);
	r->cq_head = (unsigned int *)(cq + p.cq_off.head);
	r->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	r->cq_mask = *(unsigned int *)(cq + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return 0;
}

static int submit(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *r->sq_tail, index = tail & r->sq_mask;

	r->sqes[index] = *sqe;
	r->sq_array[index] = index;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	return syscall(__NR_io_uring_enter, r->fd, 1, 0, 0, NULL, 0) == 1 ?
	       0 : -1;
}

/* Return whether a request has completed, and set its @data and @res. */
static bool take_completion(struct ring *r, uint64_t *data, int *res)
{
	unsigned int head = *r->cq_head;
	const struct io_uring_cqe *cqe = &r->cqes[head & r->cq_mask];

	/* This call lets the kernel run work that it has deferred. */
	syscall(__NR_io_uring_enter, r->fd, 0, 0, IORING_ENTER_GETEVENTS, NULL,
		0);
	if (head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*data = cqe->user_data;
	*res = cqe->res;
	__atomic_store_n(r->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

static int submit_connect(struct ring *r, int fd, const struct at_addr *a)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_CONNECT, .fd = fd,
		.addr = (uintptr_t)&a->sa, .off = a->len, .user_data = 1,
	};

	return submit(r, &sqe);
}

static int submit_accept(struct ring *r, int fd)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_ACCEPT, .fd = fd, .user_data = 2,
	};

	return submit(r, &sqe);
}

static int submit_poll(struct ring *r, int fd, short events)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_POLL_ADD, .fd = fd,
		.poll32_events = events, .user_data = 3,
	};

	return submit(r, &sqe);
}

/* Return whether the kernel has io_uring and allows it here. */
static bool has_io_uring(void)
{
	return syscall(__NR_io_uring_setup, 0, NULL) >= 0 ||
	       errno == EINVAL || errno == EFAULT;
}

FIXTURE(uring) {
	struct ring ring;
	struct at_addr a;
	int lfd;
	bool missing;
};

FIXTURE_VARIANT(uring) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(uring, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(uring, unix_path) {
	.format = AT_UNIX, .kind = AT_PATH,
};
FIXTURE_VARIANT_ADD(uring, inet) {
	.format = AT_IN, .kind = AT_INET,
};

FIXTURE_SETUP(uring)
{
	if (ring_open(&self->ring)) {
		self->missing = !has_io_uring();
		ASSERT_TRUE(self->missing);
		SKIP(return, "no io_uring in this kernel");
	}
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				SOCK_STREAM, 0);
	ASSERT_LE(0, self->lfd);
}

FIXTURE_TEARDOWN(uring)
{
	at_cleanup();
}

TEST_F_TIMEOUT(uring, connect_waits_and_completes, AT_TIMEOUT)
{
	int fd, full[1], res = -1;
	uint64_t data = 0;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, at_fill(variant->format, SOCK_STREAM, &self->a, full, 1));
	fd = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, submit_connect(&self->ring, fd, &self->a));
	EXPECT_TRUE(at_until(at_position(fd) == 1));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(1, data);
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, send(fd, "x", 1, 0));
}

TEST_F_TIMEOUT(uring, connect_is_refused, AT_TIMEOUT)
{
	int fd, full[1], res = 0;
	uint64_t data = 0;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, at_fill(variant->format, SOCK_STREAM, &self->a, full, 1));
	fd = at_socket(variant->format, SOCK_STREAM);
	ASSERT_EQ(0, submit_connect(&self->ring, fd, &self->a));
	EXPECT_TRUE(at_until(at_position(fd) == 1));
	close(self->lfd);
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(-ECONNREFUSED, res);
}

TEST_F_TIMEOUT(uring, poll_of_a_pending_attempt, AT_TIMEOUT)
{
	int fd, err, full[1], res = 0;
	uint64_t data = 0;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, at_fill(variant->format, SOCK_STREAM, &self->a, full, 1));
	fd = at_client(variant->format, SOCK_STREAM | SOCK_NONBLOCK, &self->a,
		       &err);
	ASSERT_EQ(EINPROGRESS, err);
	ASSERT_EQ(0, submit_poll(&self->ring, fd, POLLOUT));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(3, data);
	EXPECT_EQ(POLLOUT, res & POLLOUT);
	EXPECT_EQ(0, at_so_error(fd));
}

TEST_F_TIMEOUT(uring, accept_waits_for_a_client, AT_TIMEOUT)
{
	uint64_t data = 0;
	int err, res = -1;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, submit_accept(&self->ring, self->lfd));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	ASSERT_LE(0, at_client(variant->format, SOCK_STREAM, &self->a, &err));
	EXPECT_EQ(0, err);
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(2, data);
	EXPECT_LE(0, res);
}

/* ---- paths given by a descriptor ---- */

#define OP_BIND		56	/* since Linux 6.11; older headers lack it */

FIXTURE(by_fd) {
	struct ring ring;
	char dir[108];
	struct at_addr a;
	int dfd;
	bool missing;
};

FIXTURE_VARIANT(by_fd) {
	int flags;
};

FIXTURE_VARIANT_ADD(by_fd, inline) { .flags = 0 };
FIXTURE_VARIANT_ADD(by_fd, worker) { .flags = IOSQE_ASYNC };

FIXTURE_SETUP(by_fd)
{
	if (ring_open(&self->ring)) {
		self->missing = !has_io_uring();
		ASSERT_TRUE(self->missing);
		SKIP(return, "no io_uring in this kernel");
	}
	at_path(self->dir, sizeof(self->dir));
	ASSERT_EQ(0, mkdir(self->dir, 0755));
	self->dfd = open(self->dir, O_PATH | O_CLOEXEC);
	at_addr_path(&self->a, AT_NATIVE, "s");
	self->a.nat.sac_flags = ALTCONN_PATH_FD;
	self->a.nat.sac_fd = self->dfd;
}

FIXTURE_TEARDOWN(by_fd)
{
	unlinkat(self->dfd, "s", 0);
	rmdir(self->dir);
	at_cleanup();
}

/* Set @a to a descriptor of the socket file itself, not of its directory. */
static void by_file(struct at_addr *a, int dfd)
{
	at_addr_path(a, AT_NATIVE, "");
	a->nat.sac_flags = ALTCONN_PATH_FD;
	a->nat.sac_fd = openat(dfd, "s", O_PATH | O_CLOEXEC);
}

static int submit_addr(struct ring *r, int op, int fd, const struct at_addr *a,
		       int flags)
{
	struct io_uring_sqe sqe = {
		.opcode = op, .fd = fd, .flags = flags,
		.addr = (uintptr_t)&a->sa, .off = a->len, .user_data = 1,
	};

	return submit(r, &sqe);
}

/* Bind by a request, wait for it, and set @res. Return whether it ended. */
static bool bind_result(struct ring *r, int fd, const struct at_addr *a,
			int flags, int *res)
{
	uint64_t data;

	return !submit_addr(r, OP_BIND, fd, a, flags) &&
	       at_until(take_completion(r, &data, res));
}

/* A connect request that waits no longer needs the descriptor. */
TEST_F_TIMEOUT(by_fd, connect, AT_TIMEOUT)
{
	int lfd = at_socket(AT_NATIVE, SOCK_STREAM), fd, first, err, res = -1;
	struct at_addr file;
	uint64_t data = 0;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, at_err(at_bind(lfd, &self->a)));
	ASSERT_EQ(0, listen(lfd, 0));
	by_file(&file, self->dfd);
	first = at_client(AT_NATIVE, SOCK_STREAM, &file, &err);
	ASSERT_EQ(0, err);
	fd = at_socket(AT_NATIVE, SOCK_STREAM);
	ASSERT_EQ(0, submit_addr(&self->ring, IORING_OP_CONNECT, fd, &file,
				 variant->flags));
	EXPECT_TRUE(at_until(at_position(fd) == 1));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	close(file.nat.sac_fd);
	ASSERT_LE(0, accept(lfd, NULL, NULL));
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(0, res);
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	close(first);
}

TEST_F_TIMEOUT(by_fd, E_BADF, AT_TIMEOUT)
{
	int fd = at_socket(AT_NATIVE, SOCK_STREAM), res = 0;
	struct at_addr file;
	uint64_t data = 0;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	by_file(&file, self->dfd);
	ASSERT_EQ(0, submit_addr(&self->ring, IORING_OP_CONNECT, fd, &file,
				 variant->flags));
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(-EBADF, res);
}

/* A bind request makes the same file as bind(2), and replaces a stale file. */
TEST_F_TIMEOUT(by_fd, bind, AT_TIMEOUT)
{
	struct at_addr own, expected;
	int i, fd, res = -1;
	uint64_t data = 0;
	struct stat st;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	/* Binding a port works wherever the kernel has the operation. */
	at_addr(&own, AT_NATIVE, AT_PORT);
	fd = at_socket(AT_NATIVE, SOCK_STREAM);
	ASSERT_EQ(0, submit_addr(&self->ring, OP_BIND, fd, &own,
				 variant->flags));
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	close(fd);
	if (res == -EINVAL)
		SKIP(return, "no IORING_OP_BIND in this kernel");
	ASSERT_EQ(0, res);
	for (i = 0; i < 2; i++) {
		fd = at_socket(AT_NATIVE, SOCK_STREAM);
		ASSERT_EQ(0, at_set_option(fd, ALTCONN_REPLACE_PATH, 1));
		/*
		 * After a request has completed, a worker may still hold its
		 * file for an instant, so the socket that was closed here may
		 * still be bound.
		 */
		EXPECT_TRUE(at_until(bind_result(&self->ring, fd, &self->a,
						 variant->flags, &res) &&
				     res != -EADDRINUSE));
		EXPECT_EQ(0, res);
		EXPECT_EQ(0, fstatat(self->dfd, "s", &st, 0));
		at_addr_path(&expected, AT_NATIVE, "s");
		EXPECT_EQ(0, at_getsockname(fd, &own));
		EXPECT_TRUE(at_addr_eq(&expected, &own));
		close(fd);
	}
	self->a.nat.sac_fd = -1;
	fd = at_socket(AT_NATIVE, SOCK_STREAM);
	ASSERT_EQ(0, submit_addr(&self->ring, OP_BIND, fd, &self->a,
				 variant->flags));
	EXPECT_TRUE(at_until(take_completion(&self->ring, &data, &res)));
	EXPECT_EQ(-EBADF, res);
}

FIXTURE(data) {
	struct ring ring;
	int sv[2];
	bool missing;
};

FIXTURE_VARIANT(data) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(data, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(data, unix_seqpacket) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(data, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(data, oracle_stream) {
	.format = AT_ORACLE, .kind = AT_NAME, .type = SOCK_STREAM,
};

FIXTURE_SETUP(data)
{
	if (ring_open(&self->ring)) {
		self->missing = !has_io_uring();
		ASSERT_TRUE(self->missing);
		SKIP(return, "no io_uring in this kernel");
	}
	ASSERT_EQ(0, at_pair(variant->format, variant->kind, variant->type,
			     self->sv));
}

FIXTURE_TEARDOWN(data)
{
	at_cleanup();
}

static int submit_data(struct ring *r, int opcode, int fd, void *buf,
		       unsigned int len)
{
	struct io_uring_sqe sqe = {
		.opcode = opcode, .fd = fd, .addr = (uintptr_t)buf, .len = len,
		.msg_flags = MSG_NOSIGNAL, .user_data = 4,
	};

	return submit(r, &sqe);
}

static int wait_result(struct ring *r)
{
	uint64_t data;
	int res;

	return at_until(take_completion(r, &data, &res)) ? res : -ETIME;
}

/* A receive request that waits is completed by data and by the peer's end. */
TEST_F_TIMEOUT(data, recv_waits_and_completes, AT_TIMEOUT)
{
	char buf[16] = {};
	uint64_t data;
	int res;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	ASSERT_EQ(0, submit_data(&self->ring, IORING_OP_RECV, self->sv[1], buf,
				 sizeof(buf)));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	ASSERT_EQ(0, submit_data(&self->ring, IORING_OP_SEND, self->sv[0],
				 "abc", 3));
	EXPECT_EQ(3, wait_result(&self->ring));
	EXPECT_EQ(3, wait_result(&self->ring));
	EXPECT_STREQ("abc", buf);
	ASSERT_EQ(0, submit_data(&self->ring, IORING_OP_RECV, self->sv[1], buf,
				 sizeof(buf)));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	close(self->sv[0]);
	EXPECT_EQ(0, wait_result(&self->ring));
}

/* A send request that finds no space in the buffer waits for space. */
TEST_F_TIMEOUT(data, send_waits_for_space, AT_TIMEOUT)
{
	static char buf[4096], big[65536];
	long sent = 0, got = 0, want;
	uint64_t data;
	ssize_t n;
	int res;

	if (self->missing)
		SKIP(return, "no io_uring in this kernel");
	while ((n = send(self->sv[0], buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sent += n;
	ASSERT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, submit_data(&self->ring, IORING_OP_SEND, self->sv[0], buf,
				 sizeof(buf)));
	EXPECT_FALSE(take_completion(&self->ring, &data, &res));
	want = sent + sizeof(buf);
	while (got < want) {
		n = recv(self->sv[1], big, sizeof(big), 0);
		ASSERT_LT(0, n);
		got += n;
	}
	EXPECT_EQ(sizeof(buf), wait_result(&self->ring));
}

TEST_HARNESS_MAIN
