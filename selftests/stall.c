// SPDX-License-Identifier: GPL-2.0
/*
 * A thread that is stuck in a page fault in send() or recv() stalls no other
 * thread. Data that the thread has not sent when its direction is shut down
 * never appears behind the end of file. userfaultfd(2) keeps the thread in the
 * fault as long as the test wants. So the steps have the same order in each run
 * of the test.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Memory at which a thread waits, at the first use, until the test fills it */
struct stall {
	int uffd;
	char *page;
	size_t size;
};

FIXTURE(stall) {
	int sv[2];
	struct stall mem;
};

FIXTURE_VARIANT(stall) {
	enum at_format format;
	int type;
};

FIXTURE_VARIANT_ADD(stall, native_stream) {
	.format = AT_NATIVE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(stall, native_seqpacket) {
	.format = AT_NATIVE, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(stall, unix_stream) {
	.format = AT_UNIX, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(stall, oracle_stream) {
	.format = AT_ORACLE, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(stall, oracle_seqpacket) {
	.format = AT_ORACLE, .type = SOCK_SEQPACKET,
};

#define ORACLE (variant->format == AT_ORACLE)

static int stall_open(struct stall *mem)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	mem->size = sysconf(_SC_PAGESIZE);
	mem->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (mem->uffd < 0)
		return -1;
	mem->page = mmap(NULL, mem->size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem->page == MAP_FAILED)
		return -1;
	reg.range.start = (unsigned long)mem->page;
	reg.range.len = mem->size;
	if (ioctl(mem->uffd, UFFDIO_API, &api))
		return -1;
	return ioctl(mem->uffd, UFFDIO_REGISTER, &reg);
}

/* Wait until a thread is in the page fault. Return whether this happens. */
static bool stall_wait(const struct stall *mem)
{
	struct uffd_msg msg;

	return at_poll(mem->uffd, POLLIN) & POLLIN &&
	       read(mem->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	       msg.event == UFFD_EVENT_PAGEFAULT;
}

/* Fill the memory with zeroes, so that the thread goes on. */
static void stall_end(const struct stall *mem)
{
	struct uffdio_zeropage zero = {
		.range = { (unsigned long)mem->page, mem->size },
	};

	ioctl(mem->uffd, UFFDIO_ZEROPAGE, &zero);
}

/* Make the memory inaccessible, so that the thread gets EFAULT. */
static void stall_fail(const struct stall *mem)
{
	struct uffdio_range range = { (unsigned long)mem->page, mem->size };

	mprotect(mem->page, mem->size, PROT_NONE);
	ioctl(mem->uffd, UFFDIO_WAKE, &range);
}

FIXTURE_SETUP(stall)
{
	ASSERT_EQ(0, at_socketpair(variant->format, variant->type, self->sv));
	if (stall_open(&self->mem)) {
		ASSERT_LT(self->mem.uffd, 0);
		SKIP(return, "no userfaultfd() in this kernel");
	}
}

FIXTURE_TEARDOWN(stall)
{
	close(self->mem.uffd);
	munmap(self->mem.page, self->mem.size);
	at_close(self->sv, 2);
}

/* A thread that sends or receives with the memory in @mem */
struct call {
	pthread_t thread;
	const struct stall *mem;
	int fd, rights;
	bool sends;
	ssize_t n;
	int err;
};

static void *call_run(void *arg)
{
	struct call *call = arg;

	if (!call->sends)
		call->n = recv(call->fd, call->mem->page, 64, 0);
	else
		call->n = at_send_with(call->fd, call->mem->page, 64,
				       SCM_RIGHTS, &call->rights,
				       call->rights < 0 ? 0 : sizeof(int), 0);
	call->err = at_err(call->n);
	return NULL;
}

/*
 * Start a thread that sends or receives with @mem. The thread is in the page
 * fault when this function returns 0.
 */
static int call_begin(struct call *call, const struct stall *mem, int fd,
		      bool sends, int rights)
{
	*call = (struct call) {
		.mem = mem, .fd = fd, .sends = sends, .rights = rights,
	};
	if (pthread_create(&call->thread, NULL, call_run, call))
		return -1;
	return stall_wait(mem) ? 0 : -1;
}

static ssize_t call_end(struct call *call)
{
	stall_end(call->mem);
	pthread_join(call->thread, NULL);
	return call->n;
}

TEST_F_TIMEOUT(stall, MSG_DONTWAIT_sends_beside_a_stalled_sender, 30)
{
	struct call call;
	char buf[128];

	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[0], true, -1));
	EXPECT_EQ(1, send(self->sv[0], "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(POLLOUT, at_poll_now(self->sv[0], POLLOUT));
	EXPECT_EQ(1, recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ('x', buf[0]);
	EXPECT_EQ(64, call_end(&call));
	EXPECT_EQ(64, recv(self->sv[1], buf, sizeof(buf), 0));
}

/* Peek at a byte and at the descriptors that were sent with the byte. */
static void *call_peek(void *arg)
{
	struct call *call = arg;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = call->mem->page, .msg_controllen = 1024,
	};

	call->n = recvmsg(call->fd, &msg, MSG_PEEK);
	call->err = at_err(call->n);
	return NULL;
}

/*
 * Become a user that may have 64 descriptors in flight. Send 50 descriptors,
 * and send 10 more once a byte has arrived on @link.
 */
static int send_rights_twice(int fd, int link)
{
	struct rlimit limit = { 64, 64 };
	int fds[50], file = open("/dev/null", O_RDONLY), i;
	char byte;

	for (i = 0; i < 50; i++)
		fds[i] = file;
	if (at_drop_privileges() || setrlimit(RLIMIT_NOFILE, &limit) ||
	    at_send_with(fd, "x", 1, SCM_RIGHTS, fds, sizeof(fds), 0) != 1 ||
	    at_send_step(link) || read(link, &byte, 1) != 1)
		return -1;
	return at_send_with(fd, "x", 1, SCM_RIGHTS, fds, 10 * sizeof(int),
			    0) != 1;
}

/*
 * Descriptors at which a reader peeks for long do not count twice towards the
 * limit of the sender.
 */
TEST_F_TIMEOUT(stall, peeked_descriptors_count_once, 30)
{
	int link[2];
	struct call call = { .mem = &self->mem, .fd = self->sv[1] };
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, link));
	/*
	 * The kernel writes the credentials first, so the fault happens before
	 * it installs the descriptors.
	 */
	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_PASSCRED, 1));
	pid = at_fork();
	if (!pid)
		_exit(send_rights_twice(self->sv[0], link[1]));
	ASSERT_EQ(0, at_wait_step(link[0]));
	ASSERT_EQ(0, pthread_create(&call.thread, NULL, call_peek, &call));
	ASSERT_TRUE(stall_wait(&self->mem));
	ASSERT_EQ(0, at_send_step(link[0]));
	EXPECT_EQ(0, at_reap(pid));
	EXPECT_EQ(1, call_end(&call));
	at_close(link, 2);
}

static int wait_edge(int epfd, int ms)
{
	struct epoll_event ev;

	return epoll_wait(epfd, &ev, 1, ms);
}

/*
 * While one recv() is in the fault, another recv() can take the data. An
 * edge-triggered poller gets an edge for each new byte, so its recv() never
 * gets EAGAIN while there is data.
 */
TEST_F_TIMEOUT(stall, MSG_DONTWAIT_receives_beside_a_stalled_reader, 30)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int epfd = epoll_create1(0), i;
	struct call call;
	char buf[128];

	if (ORACLE)
		SKIP(return, "AF_UNIX holds its lock across the fault");
	ASSERT_EQ(0, epoll_ctl(epfd, EPOLL_CTL_ADD, self->sv[1], &ev));
	ASSERT_EQ(1, send(self->sv[0], "a", 1, 0));
	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[1], false, -1));
	EXPECT_EQ(1, wait_edge(epfd, at_deadline_ms()));
	EXPECT_EQ(1, recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ('a', buf[0]);
	EXPECT_EQ(-1, recv(self->sv[1], buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, send(self->sv[0], "b", 1, 0));
		EXPECT_EQ(1, wait_edge(epfd, at_deadline_ms()));
		EXPECT_EQ(1, recv(self->sv[1], buf, 1, MSG_DONTWAIT));
		EXPECT_EQ('b', buf[0]);
	}
	ASSERT_EQ(1, send(self->sv[0], "c", 1, 0));
	EXPECT_EQ(1, call_end(&call));
	EXPECT_EQ('c', self->mem.page[0]);
	close(epfd);
}

/*
 * A send() that is in the fault when the peer closes fails with EPIPE and sends
 * no descriptor.
 */
TEST_F_TIMEOUT(stall, close_decides_what_is_sent, 30)
{
	struct call call;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[0], true, p[1]));
	close(self->sv[1]);
	self->sv[1] = -1;
	EXPECT_EQ(-1, call_end(&call));
	EXPECT_EQ(EPIPE, call.err);
	EXPECT_EQ(0, recv(self->sv[0], &c, 1, MSG_DONTWAIT));
	close(p[1]);
	EXPECT_TRUE(at_poll(p[0], POLLIN) & POLLHUP);
	close(p[0]);
}

/*
 * Unread data of a peer that closes resets the connection, also while a send()
 * is in the fault.
 */
TEST_F_TIMEOUT(stall, close_with_data_beside_a_stalled_sender, 30)
{
	struct call call;
	char c;

	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[0], true, -1));
	ASSERT_EQ(1, send(self->sv[0], "x", 1, MSG_DONTWAIT));
	close(self->sv[1]);
	self->sv[1] = -1;
	EXPECT_EQ(-1, call_end(&call));
	EXPECT_TRUE(call.err == EPIPE || call.err == ECONNRESET);
	/* The error is reported once: by that send() or by this recv(). */
	if (call.err == EPIPE) {
		EXPECT_EQ(-1, recv(self->sv[0], &c, 1, MSG_DONTWAIT));
		EXPECT_EQ(ECONNRESET, errno);
	}
	EXPECT_EQ(0, recv(self->sv[0], &c, 1, MSG_DONTWAIT));
}

TEST_F_TIMEOUT(stall, no_data_after_end_of_file, 30)
{
	struct call call;
	int p[2];
	char c;

	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[0], true, p[1]));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	EXPECT_EQ(0, recv(self->sv[1], &c, 1, 0));
	EXPECT_EQ(-1, call_end(&call));
	EXPECT_EQ(EPIPE, call.err);
	EXPECT_EQ(0, recv(self->sv[1], &c, 1, 0));
	/* The other direction is open, and the descriptor was not sent. */
	EXPECT_EQ(1, send(self->sv[1], "y", 1, 0));
	EXPECT_EQ(1, recv(self->sv[0], &c, 1, 0));
	close(p[1]);
	EXPECT_TRUE(at_poll(p[0], POLLIN) & POLLHUP);
	close(p[0]);
}

/*
 * When the reader shuts its direction, the send() in the fault fails with
 * EPIPE, and no data appears behind the end of file.
 */
TEST_F_TIMEOUT(stall, shut_by_the_reader, 30)
{
	struct call call;
	char c;

	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[0], true, -1));
	ASSERT_EQ(0, shutdown(self->sv[1], SHUT_RD));
	EXPECT_EQ(0, recv(self->sv[1], &c, 1, 0));
	EXPECT_EQ(-1, call_end(&call));
	EXPECT_EQ(EPIPE, call.err);
	EXPECT_EQ(0, recv(self->sv[1], &c, 1, 0));
}

/*
 * A socket that is dissolved while a recv() is in the fault drops the data that
 * the recv() has not got, with its descriptors.
 */
TEST_F_TIMEOUT(stall, dissolved_beside_a_reader, 30)
{
	struct call call;
	int p[2];

	if (ORACLE)
		SKIP(return, "AF_UNIX cannot dissolve");
	ASSERT_EQ(0, pipe(p));
	ASSERT_EQ(1, at_send_with(self->sv[0], "x", 1, SCM_RIGHTS, &p[1],
				  sizeof(int), 0));
	close(p[1]);
	ASSERT_EQ(0, call_begin(&call, &self->mem, self->sv[1], false, -1));
	ASSERT_EQ(0, at_connect_unspec(self->sv[1]));
	EXPECT_TRUE(at_poll(p[0], POLLIN) & POLLHUP);
	EXPECT_EQ(0, call_end(&call));
	close(p[0]);
}

struct linger_call {
	int fd;
	const void *value;
	int ret;
};

static void *set_linger(void *arg)
{
	struct linger_call *call = arg;

	call->ret = setsockopt(call->fd, SOL_SOCKET, SO_LINGER, call->value,
			       sizeof(struct linger));
	return NULL;
}

/*
 * The core reads the first int of SO_LINGER before it takes lock_sock(), and
 * the rest under that lock. "altconn kill" does not need lock_sock(), so it ends
 * the listener while a thread is stuck there.
 */
TEST_F_TIMEOUT(stall, a_stuck_option_delays_no_administrator, 60)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct stall mem = self->mem;
	struct linger_call call;
	pthread_t thread;
	struct at_addr a;
	char *pages;

	if (ORACLE)
		SKIP(return, "AF_UNIX has no administrator");
	ASSERT_EQ(0, at_netns());
	call.fd = at_listener(&a, AT_NATIVE, AT_PORT, variant->type, 5);
	ASSERT_LE(0, call.fd);
	pages = mmap(NULL, 2 * mem.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, pages);
	mem.page = pages + mem.size;
	reg.range.start = (unsigned long)mem.page;
	reg.range.len = mem.size;
	ASSERT_EQ(0, ioctl(mem.uffd, UFFDIO_REGISTER, &reg));
	memset(pages, 0, mem.size);
	call.value = mem.page - sizeof(int);
	ASSERT_EQ(0, pthread_create(&thread, NULL, set_linger, &call));
	ASSERT_TRUE(stall_wait(&mem));
	EXPECT_EQ(1, at_tool("kill -l %s", at_text(&a, AT_PORT)));
	stall_end(&mem);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(0, call.ret);
	munmap(pages, 2 * mem.size);
	close(call.fd);
}

static void *call_send_more(void *arg)
{
	struct call *call = arg;

	call->n = send(call->fd, call->mem->page, 64, MSG_MORE);
	call->err = at_err(call->n);
	return NULL;
}

/*
 * Threads send the pieces of datagrams from one socket (MSG_MORE). A thread
 * waits for its piece in a page fault, which fails later. Another thread begins
 * a datagram meanwhile, and this one keeps its first piece. The first thread
 * waits with the first piece of a datagram (@second is false), or with the
 * second piece of a datagram that the other thread sends meanwhile.
 */
static void check_failed_piece(struct __test_metadata *_metadata, bool second)
{
	struct stall mem;
	struct call call = { .mem = &mem };
	struct at_addr a;
	char buf[16];
	int rfd;

	if (stall_open(&mem)) {
		ASSERT_LT(mem.uffd, 0);
		SKIP(return, "no userfaultfd() in this kernel");
	}
	rfd = at_bound(&a, AT_IN, AT_INET, SOCK_DGRAM);
	call.fd = at_socket(AT_IN, SOCK_DGRAM);
	ASSERT_LE(0, rfd);
	ASSERT_EQ(0, at_err(at_connect(call.fd, &a)));
	if (second)
		EXPECT_EQ(1, send(call.fd, "x", 1, MSG_MORE));
	ASSERT_EQ(0, pthread_create(&call.thread, NULL, call_send_more, &call));
	ASSERT_TRUE(stall_wait(&mem));
	if (second) {
		EXPECT_EQ(1, send(call.fd, "y", 1, 0));
		EXPECT_EQ(2, recv(rfd, buf, sizeof(buf), 0));
	}
	EXPECT_EQ(1, send(call.fd, "a", 1, MSG_MORE));
	stall_fail(&mem);
	pthread_join(call.thread, NULL);
	EXPECT_EQ(EFAULT, call.err);
	EXPECT_EQ(1, send(call.fd, "b", 1, 0));
	EXPECT_EQ(2, recv(rfd, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	close(mem.uffd);
	munmap(mem.page, mem.size);
	close(call.fd);
	close(rfd);
	at_cleanup();
}

TEST(a_failed_first_piece_leaves_the_pieces_of_others)
{
	check_failed_piece(_metadata, false);
}

TEST(a_failed_second_piece_leaves_the_pieces_of_others)
{
	check_failed_piece(_metadata, true);
}

TEST_HARNESS_MAIN
