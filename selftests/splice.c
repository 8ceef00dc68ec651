// SPDX-License-Identifier: GPL-2.0
/*
 * splice() from a stream socket moves pages that were sent by reference into a
 * pipe, and copies all other bytes. It waits, and ends, as recv() does.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

FIXTURE(splice) {
	int sv[2];
	int pipe[2];
};

FIXTURE_VARIANT(splice) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(splice, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(splice, unix_name) { .format = AT_UNIX, .kind = AT_NAME };
FIXTURE_VARIANT_ADD(splice, inet) { .format = AT_IN, .kind = AT_INET };
FIXTURE_VARIANT_ADD(splice, oracle_name) {
	.format = AT_ORACLE, .kind = AT_NAME,
};

#define ORACLE (variant->format == AT_ORACLE)

FIXTURE_SETUP(splice)
{
	ASSERT_EQ(0, at_pair(variant->format, variant->kind, SOCK_STREAM,
			     self->sv));
	ASSERT_EQ(0, pipe(self->pipe));
}

FIXTURE_TEARDOWN(splice)
{
	at_close(self->sv, 2);
	at_close(self->pipe, 2);
	at_cleanup();
}

/* splice() moves the page: the reader of the pipe gets the present bytes. */
TEST_F_TIMEOUT(splice, moves_the_page, AT_TIMEOUT)
{
	int file = at_page_file('a', 2);
	char buf[AT_PAGE];

	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	ASSERT_EQ(AT_PAGE, at_to_pipe(self->sv[1], self->pipe[1], AT_PAGE, 0));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_EQ(EBUSY, at_seal(file));
	memset(buf, 'b', sizeof(buf));
	ASSERT_EQ(AT_PAGE, pwrite(file, buf, AT_PAGE, 0));
	ASSERT_EQ(AT_PAGE, read(self->pipe[0], buf, AT_PAGE));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'b'));
	EXPECT_EQ(0, at_seal(file));
	close(file);
}

/* splice() of a part of a page leaves the rest in the socket. */
TEST_F_TIMEOUT(splice, of_a_part, AT_TIMEOUT)
{
	int file = at_page_file('a', 1);
	char buf[AT_PAGE];

	ASSERT_EQ(AT_PAGE, at_sendfile(self->sv[0], file, 0, AT_PAGE));
	ASSERT_EQ(1000, at_to_pipe(self->sv[1], self->pipe[1], 1000, 0));
	ASSERT_EQ(AT_PAGE - 1000, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(1000, read(self->pipe[0], buf, AT_PAGE));
	EXPECT_TRUE(at_all_are(buf, 1000, 'a'));
	EXPECT_EQ(0, at_seal(file));
	close(file);
}

/* Bytes that send() has copied are copied into the pipe, in their order. */
TEST_F_TIMEOUT(splice, of_bytes_and_pages, AT_TIMEOUT)
{
	enum { HEAD = 100, ALL = HEAD + 2 * AT_PAGE };
	static char buf[ALL], head[HEAD];
	int file = at_page_file('a', 2);
	size_t got = 0;
	ssize_t n;

	memset(head, 'h', sizeof(head));
	ASSERT_EQ(HEAD, send(self->sv[0], head, HEAD, 0));
	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	while (got < ALL) {
		n = at_to_pipe(self->sv[1], self->pipe[1], ALL, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(n, read(self->pipe[0], buf + got, ALL));
		got += n;
	}
	EXPECT_EQ(ALL, got);
	EXPECT_TRUE(at_all_are(buf, HEAD, 'h'));
	EXPECT_TRUE(at_all_are(buf + HEAD, 2 * AT_PAGE, 'a'));
	EXPECT_EQ(0, at_seal(file));
	close(file);
}

/*
 * Errors and end of data of splice(). On an unconnected socket only the
 * sockaddr_un format has EINVAL, as AF_UNIX.
 */
TEST_F_TIMEOUT(splice, without_data, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, SOCK_STREAM);
	char byte;

	EXPECT_EQ(variant->format == AT_UNIX || ORACLE ? EINVAL : ENOTCONN,
		  at_err(at_to_pipe(fd, self->pipe[1], 1, 0)));
	EXPECT_EQ(EAGAIN, at_err(at_to_pipe(self->sv[1], self->pipe[1], 1,
					    SPLICE_F_NONBLOCK)));
	ASSERT_EQ(0, at_nonblock(self->sv[1], true));
	EXPECT_EQ(EAGAIN, at_err(at_to_pipe(self->sv[1], self->pipe[1], 1, 0)));
	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	EXPECT_EQ(1, at_to_pipe(self->sv[1], self->pipe[1], 9, 0));
	EXPECT_EQ(0, at_to_pipe(self->sv[1], self->pipe[1], 9, 0));
	ASSERT_EQ(1, read(self->pipe[0], &byte, 1));
	EXPECT_EQ('x', byte);
	close(fd);
}

/*
 * A pipe without space, or without a reader, leaves the data in the socket. The
 * core checks the pipe before it calls the module.
 */
TEST_F_TIMEOUT(splice, into_a_full_pipe, AT_TIMEOUT)
{
	static char buf[1 << 16];
	char two[2];

	ASSERT_EQ(2, send(self->sv[0], "xy", 2, 0));
	ASSERT_EQ(sizeof(buf), write(self->pipe[1], buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, at_err(at_to_pipe(self->sv[1], self->pipe[1], 2,
					    SPLICE_F_NONBLOCK)));
	signal(SIGPIPE, SIG_IGN);
	close(self->pipe[0]);
	self->pipe[0] = -1;
	EXPECT_EQ(EPIPE, at_err(at_to_pipe(self->sv[1], self->pipe[1], 2, 0)));
	ASSERT_EQ(2, recv(self->sv[1], two, 2, 0));
	EXPECT_EQ(0, memcmp(two, "xy", 2));
}

/* A sender of pages that does not end */
struct sender {
	int		sock, file;
	atomic_int	tid;
	atomic_bool	stop;
};

static void *send_pages(void *arg)
{
	struct sender *sender = arg;

	sender->tid = gettid();
	while (!sender->stop)
		if (at_sendfile(sender->sock, sender->file, 0, AT_PAGE) <= 0)
			break;
	return NULL;
}

/* splice() wakes a sender that waits for space. */
TEST_F_TIMEOUT(splice, wakes_the_sender, AT_TIMEOUT)
{
	struct sender sender = {
		.sock = self->sv[0], .file = at_page_file('a', 1),
	};
	static char buf[1 << 16];
	pthread_t thread;
	ssize_t n;

	ASSERT_EQ(0, at_start_asleep(&thread, send_pages, &sender,
				     &sender.tid));
	sender.stop = true;
	ASSERT_EQ(0, at_nonblock(self->sv[1], true));
	while ((n = at_to_pipe(self->sv[1], self->pipe[1], sizeof(buf), 0)) > 0)
		ASSERT_LT(0, read(self->pipe[0], buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, at_err(n));
	pthread_join(thread, NULL);
	close(sender.file);
}

/* Bytes in a pipe do not change when the buffer of the socket is used again. */
TEST_F_TIMEOUT(splice, pipe_has_no_memory_of_the_socket, AT_TIMEOUT)
{
	static char a[3000], b[3000];
	int i;

	memset(a, 'a', sizeof(a));
	ASSERT_EQ(sizeof(a), send(self->sv[0], a, sizeof(a), 0));
	ASSERT_EQ(sizeof(a), at_to_pipe(self->sv[1], self->pipe[1], sizeof(a),
					0));
	memset(b, 'b', sizeof(b));
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(sizeof(b), send(self->sv[0], b, sizeof(b), 0));
		ASSERT_EQ(sizeof(b), recv(self->sv[1], b, sizeof(b), 0));
	}
	memset(a, 0, sizeof(a));
	ASSERT_EQ(sizeof(a), read(self->pipe[0], a, sizeof(a)));
	EXPECT_TRUE(at_all_are(a, sizeof(a), 'a'));
}

/* A write() to the pipe does not change the page in front of it. */
TEST_F_TIMEOUT(splice, write_to_the_pipe_leaves_the_file, AT_TIMEOUT)
{
	int file = at_page_file('a', 1);
	char buf[AT_PAGE];

	ASSERT_EQ(AT_PAGE, at_sendfile(self->sv[0], file, 0, AT_PAGE));
	ASSERT_EQ(1000, at_to_pipe(self->sv[1], self->pipe[1], 1000, 0));
	ASSERT_EQ(3, write(self->pipe[1], "zzz", 3));
	ASSERT_EQ(AT_PAGE, pread(file, buf, AT_PAGE, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	ASSERT_EQ(AT_PAGE - 1000, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE - 1000, 'a'));
	close(file);
}

/* splice() closes the descriptors that arrive with the bytes. */
TEST_F_TIMEOUT(splice, closes_descriptors, AT_TIMEOUT)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int p[2];

	ASSERT_EQ(0, pipe(p));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &p[1], sizeof(int));
	ASSERT_EQ(1, sendmsg(self->sv[0], &msg, 0));
	close(p[1]);
	ASSERT_EQ(1, at_to_pipe(self->sv[1], self->pipe[1], 100, 0));
	/* The end of the file: no process has the other end any more. */
	EXPECT_EQ(0, read(p[0], &byte, 1));
	close(p[0]);
}

/* State that the threads of race() share */
struct arena {
	int		sock, file;
	atomic_bool	half;
	atomic_ulong	bytes, wrong;
};

/* Return how many of @n bytes are neither of the file nor single bytes. */
static unsigned long count_wrong(const char *buf, ssize_t n)
{
	unsigned long wrong = 0;

	while (n-- > 0)
		wrong += buf[n] != 'a' && buf[n] != 'x';
	return wrong;
}

static void *take_bytes(void *arg)
{
	struct arena *arena = arg;
	char buf[3000];
	ssize_t n;

	while ((n = recv(arena->sock, buf, sizeof(buf), 0)) > 0) {
		arena->bytes += n;
		arena->wrong += count_wrong(buf, n);
	}
	return NULL;
}

static void *peek_at_bytes(void *arg)
{
	struct arena *arena = arg;
	char buf[9000];
	ssize_t n;

	while ((n = recv(arena->sock, buf, sizeof(buf), MSG_PEEK)) > 0)
		arena->wrong += count_wrong(buf, n);
	return NULL;
}

static void *splice_bytes(void *arg)
{
	struct arena *arena = arg;
	char buf[20000];
	int to[2];
	ssize_t n;

	if (pipe(to)) {
		arena->wrong++;
		return NULL;
	}
	while ((n = at_to_pipe(arena->sock, to[1], sizeof(buf), 0)) > 0) {
		arena->bytes += n;
		arena->wrong += read(to[0], buf, n) != n;
		arena->wrong += count_wrong(buf, n);
	}
	at_close(to, 2);
	return NULL;
}

/* Shut the receiver down when half of the bytes have been sent. */
static void *shut_receiver(void *arg)
{
	struct arena *arena = arg;

	while (!arena->half)
		sched_yield();
	shutdown(arena->sock, SHUT_RDWR);
	return NULL;
}

/*
 * Threads read, peek at and splice the bytes of a stream while this thread
 * sends pages and single bytes. Without @shut each byte is received once. With
 * @shut another thread shuts the receiver down during a send. No page stays
 * pinned.
 */
static void race(struct __test_metadata *_metadata, int sv[2], bool shut)
{
	enum { FILE_PAGES = 40, THREADS = 4 };
	static void *(*const run[THREADS])(void *) = {
		take_bytes, peek_at_bytes, splice_bytes, shut_receiver,
	};
	struct arena arena = { .sock = sv[1] };
	int i, rounds = at_scale(600, 60), n_threads = THREADS - !shut;
	pthread_t threads[THREADS];
	unsigned long sent = 0;
	ssize_t n = 0;

	arena.file = at_page_file('a', FILE_PAGES);
	for (i = 0; i < n_threads; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run[i],
					    &arena));
	for (i = 0; i < rounds && n >= 0; i++) {
		arena.half = i >= rounds / 2;
		n = at_sendfile(sv[0], arena.file, i % AT_PAGE,
				(FILE_PAGES - 1) * AT_PAGE);
		sent += n > 0 ? n : 0;
		n = send(sv[0], "x", 1, MSG_NOSIGNAL);
		sent += n > 0 ? n : 0;
	}
	arena.half = true;
	shutdown(sv[0], SHUT_WR);
	for (i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	if (!shut)
		EXPECT_EQ(sent, arena.bytes);
	EXPECT_LT(0, arena.bytes);
	EXPECT_EQ(0, arena.wrong);
	close(sv[1]);
	sv[1] = -1;
	EXPECT_EQ(0, at_seal(arena.file));
	close(arena.file);
}

TEST_F_TIMEOUT(splice, race_of_readers, AT_TIMEOUT)
{
	race(_metadata, self->sv, false);
}

/* A shutdown during a send takes back the references that the send added. */
TEST_F_TIMEOUT(splice, race_with_shutdown, AT_TIMEOUT)
{
	int round, sv[2];

	signal(SIGPIPE, SIG_IGN);
	for (round = 0; round < 4; round++) {
		ASSERT_EQ(0, at_pair(variant->format, variant->kind,
				     SOCK_STREAM, sv));
		race(_metadata, sv, true);
		at_close(sv, 2);
	}
}

TEST_HARNESS_MAIN
