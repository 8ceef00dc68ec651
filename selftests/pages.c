// SPDX-License-Identifier: GPL-2.0
/*
 * sendfile() puts pages of a file into a stream by reference, and splice() moves
 * them from the stream into a pipe. Short pieces are copied. Unread bytes pin no
 * more memory than the send buffer and RLIMIT_MEMLOCK allow. fcntl(F_ADD_SEALS)
 * tells whether a page of a file is pinned: it then fails with EBUSY.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define PAGE	4096
#define NOBODY	65534

FIXTURE(pages) {
	int sv[2];
	int pipe[2];
};

FIXTURE_VARIANT(pages) {
	enum at_format format;
	enum at_kind kind;
};

FIXTURE_VARIANT_ADD(pages, native_port) {
	.format = AT_NATIVE, .kind = AT_PORT,
};
FIXTURE_VARIANT_ADD(pages, unix_name) { .format = AT_UNIX, .kind = AT_NAME };
FIXTURE_VARIANT_ADD(pages, inet) { .format = AT_IN, .kind = AT_INET };
FIXTURE_VARIANT_ADD(pages, oracle_name) {
	.format = AT_ORACLE, .kind = AT_NAME,
};

#define ORACLE (variant->format == AT_ORACLE)

FIXTURE_SETUP(pages)
{
	ASSERT_EQ(0, at_pair(variant->format, variant->kind, SOCK_STREAM,
			     self->sv));
	ASSERT_EQ(0, pipe(self->pipe));
}

FIXTURE_TEARDOWN(pages)
{
	at_close(self->sv, 2);
	at_close(self->pipe, 2);
	at_cleanup();
}

/* Make a file of @n pages that consists of @byte. */
static int file_of(char byte, int n)
{
	int fd = memfd_create("altconn", MFD_ALLOW_SEALING);
	char page[PAGE];

	memset(page, byte, sizeof(page));
	while (n--)
		if (write(fd, page, sizeof(page)) != sizeof(page))
			return -1;
	return fd;
}

static ssize_t send_from(int sock, int file, off_t at, size_t n)
{
	return sendfile(sock, file, &at, n);
}

/*
 * Check whether a reference pins a page of the file. A file without such a
 * reference cannot be written to any more.
 */
static bool is_pinned(int file)
{
	return at_err(fcntl(file, F_ADD_SEALS, F_SEAL_WRITE)) == EBUSY;
}

static bool all_are(const char *buf, size_t n, char byte)
{
	while (n--)
		if (buf[n] != byte)
			return false;
	return true;
}

/* A reader gets the bytes that the file has when it reads, as in AF_UNIX. */
TEST_F_TIMEOUT(pages, reader_gets_the_present_bytes, AT_TIMEOUT)
{
	int file = file_of('a', 1);
	char buf[PAGE];

	ASSERT_EQ(PAGE, send_from(self->sv[0], file, 0, PAGE));
	memset(buf, 'b', sizeof(buf));
	ASSERT_EQ(PAGE, pwrite(file, buf, PAGE, 0));
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, 0));
	EXPECT_TRUE(all_are(buf, PAGE, 'b'));
	close(file);
}

TEST_F_TIMEOUT(pages, unread_bytes_pin_the_page, AT_TIMEOUT)
{
	int file = file_of('a', 2);
	char buf[PAGE];

	ASSERT_EQ(2 * PAGE, send_from(self->sv[0], file, 0, 2 * PAGE));
	EXPECT_TRUE(is_pinned(file));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, 0));
	ASSERT_EQ(PAGE - 1, recv(self->sv[1], buf, PAGE - 1, 0));
	EXPECT_TRUE(is_pinned(file));
	ASSERT_EQ(1, recv(self->sv[1], buf, PAGE, 0));
	EXPECT_FALSE(is_pinned(file));
	close(file);
}

/* A peek drops no reference. */
TEST_F_TIMEOUT(pages, peek_leaves_the_page, AT_TIMEOUT)
{
	int file = file_of('a', 1);
	char buf[PAGE];

	ASSERT_EQ(PAGE, send_from(self->sv[0], file, 0, PAGE));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, MSG_PEEK));
	EXPECT_TRUE(is_pinned(file));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, 0));
	EXPECT_TRUE(all_are(buf, PAGE, 'a'));
	EXPECT_FALSE(is_pinned(file));
	close(file);
}

/* Unread pages stay when the sender closes, and go when the receiver closes. */
TEST_F_TIMEOUT(pages, close_of_the_receiver_drops_pages, AT_TIMEOUT)
{
	int file = file_of('a', 2);

	ASSERT_EQ(2 * PAGE, send_from(self->sv[0], file, 0, 2 * PAGE));
	close(self->sv[0]);
	EXPECT_TRUE(is_pinned(file));
	close(self->sv[1]);
	EXPECT_FALSE(is_pinned(file));
	self->sv[0] = -1;
	self->sv[1] = -1;
	close(file);
}

TEST_F_TIMEOUT(pages, close_of_the_receiver_first, AT_TIMEOUT)
{
	int file = file_of('a', 2);

	ASSERT_EQ(2 * PAGE, send_from(self->sv[0], file, 0, 2 * PAGE));
	close(self->sv[1]);
	EXPECT_FALSE(is_pinned(file));
	self->sv[1] = -1;
	close(file);
}

TEST_F_TIMEOUT(pages, short_piece_is_copied, AT_TIMEOUT)
{
	int file = file_of('a', 1);
	char buf[100];

	if (ORACLE)
		SKIP(return, "AF_UNIX pins a page for one byte");
	ASSERT_EQ(100, send_from(self->sv[0], file, 50, 100));
	EXPECT_FALSE(is_pinned(file));
	ASSERT_EQ(100, recv(self->sv[1], buf, 100, 0));
	EXPECT_TRUE(all_are(buf, 100, 'a'));
	close(file);
}

/*
 * Pieces of many pages are sent until the socket is full. The pages that they
 * pin are not more than the send buffer may have.
 */
TEST_F_TIMEOUT(pages, pinned_memory_is_bounded, AT_TIMEOUT)
{
	enum { FILES = 64, PIECE = 1024 };
	int size = 8192, sent, pinned = 0, i, files[FILES];
	socklen_t len = sizeof(size);
	char buf[PIECE];

	if (ORACLE)
		SKIP(return, "AF_UNIX counts the bytes, not the pages");
	ASSERT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_SNDBUF, &size,
				sizeof(size)));
	ASSERT_EQ(0, getsockopt(self->sv[0], SOL_SOCKET, SO_SNDBUF, &size,
				&len));
	ASSERT_EQ(0, at_nonblock(self->sv[0], true));
	for (sent = 0; sent < FILES; sent++) {
		files[sent] = file_of('A' + sent % 26, 1);
		if (send_from(self->sv[0], files[sent], 0, PIECE) != PIECE)
			break;
	}
	EXPECT_EQ(size / PIECE, sent);
	for (i = 0; i < sent; i++)
		pinned += is_pinned(files[i]);
	EXPECT_EQ(size / PAGE, pinned);
	for (i = 0; i < sent; i++) {
		ASSERT_EQ(PIECE, recv(self->sv[1], buf, PIECE, MSG_WAITALL));
		EXPECT_TRUE(all_are(buf, PIECE, 'A' + i % 26));
		EXPECT_FALSE(is_pinned(files[i]));
	}
	at_close(files, sent);
}

/* The bytes that were sent and not read yet */
struct model {
	char bytes[1 << 18];
	size_t n;
};

static void model_add(struct model *m, const char *buf, size_t n)
{
	memcpy(m->bytes + m->n, buf, n);
	m->n += n;
}

/*
 * Bytes are sent with send() and sendfile(), in pieces of any length, and are
 * read and peeked at in other pieces. They arrive in order.
 */
TEST_F_TIMEOUT(pages, pieces_arrive_in_order, AT_TIMEOUT)
{
	enum { FILE_SIZE = 16 * PAGE };
	static char file_bytes[FILE_SIZE], buf[FILE_SIZE];
	static struct model m;
	uint64_t state = 1;
	int file = memfd_create("altconn", 0), step, i;
	int wrong = 0, by_file = 0, reads = 0;

	m.n = 0;
	for (i = 0; i < FILE_SIZE; i++)
		file_bytes[i] = at_random(&state);
	ASSERT_EQ(FILE_SIZE, write(file, file_bytes, FILE_SIZE));
	ASSERT_EQ(0, at_nonblock(self->sv[0], true));
	ASSERT_EQ(0, at_nonblock(self->sv[1], true));
	for (step = 0; step < 6000; step++) {
		size_t n = at_random(&state) % (at_random(&state) % 2 ? 20000 : 700);
		off_t at = at_random(&state) % (FILE_SIZE - 20000);
		unsigned int what = at_random(&state) % 5;
		ssize_t done;

		if (what == 0) {
			done = send(self->sv[0], file_bytes + at, n, 0);
		} else if (what < 3) {
			done = sendfile(self->sv[0], file, &(off_t) { at }, n);
			by_file += done > 0;
		} else {
			done = recv(self->sv[1], buf, n,
				    what == 3 ? MSG_PEEK : 0);
			if (done <= 0)
				continue;
			wrong += memcmp(buf, m.bytes, done) != 0;
			if (what == 3)
				continue;
			reads++;
			m.n -= done;
			memmove(m.bytes, m.bytes + done, m.n);
			continue;
		}
		if (done > 0)
			model_add(&m, file_bytes + at, done);
	}
	EXPECT_EQ(0, wrong);
	EXPECT_LT(100, by_file);
	EXPECT_LT(100, reads);
	close(file);
}

/* A byte send() leaves the next single page to be copied; two pages are not. */
TEST_F_TIMEOUT(pages, single_page_behind_bytes_is_copied, AT_TIMEOUT)
{
	int one = file_of('a', 1), two = file_of('b', 2);
	char buf[PAGE];

	if (ORACLE)
		SKIP(return, "AF_UNIX copies no page of a file");
	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	ASSERT_EQ(PAGE, send_from(self->sv[0], one, 0, PAGE));
	EXPECT_FALSE(is_pinned(one));
	ASSERT_EQ(2 * PAGE, send_from(self->sv[0], two, 0, 2 * PAGE));
	EXPECT_TRUE(is_pinned(two));
	ASSERT_EQ(1, recv(self->sv[1], buf, 1, 0));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, MSG_WAITALL));
	EXPECT_TRUE(all_are(buf, PAGE, 'a'));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, MSG_WAITALL));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, MSG_WAITALL));
	EXPECT_TRUE(all_are(buf, PAGE, 'b'));
	EXPECT_FALSE(is_pinned(two));
	close(one);
	close(two);
}

/*
 * As user nobody with RLIMIT_MEMLOCK of @limit pages, send the first @pages
 * pages of each of @n files. Return how many files are pinned then, or more than
 * 253 on error.
 */
static int send_as_nobody(int sock, const int *files, int n, int pages,
			  int limit)
{
	struct rlimit memlock = { limit * PAGE, limit * PAGE };
	int i, pinned = 0;
	pid_t child;

	child = at_fork();
	if (child)
		return at_reap(child);
	if (setrlimit(RLIMIT_MEMLOCK, &memlock) || setgroups(0, NULL) ||
	    setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(255);
	for (i = 0; i < n; i++)
		if (send_from(sock, files[i], 0, pages * PAGE) != pages * PAGE)
			_exit(254);
	for (i = 0; i < n; i++)
		pinned += is_pinned(files[i]);
	_exit(pinned);
}

/* A user pins no more than RLIMIT_MEMLOCK, and sends the rest by a copy. */
TEST_F_TIMEOUT(pages, user_pins_no_more_than_the_limit, AT_TIMEOUT)
{
	enum { FILES = 8, LIMIT = 3 };
	int files[FILES], i;
	char buf[PAGE];

	if (ORACLE)
		SKIP(return, "AF_UNIX has no limit for a user");
	for (i = 0; i < FILES; i++)
		files[i] = file_of('a' + i, 2);
	EXPECT_EQ(LIMIT, send_as_nobody(self->sv[0], files, FILES, 1, LIMIT));
	for (i = 0; i < FILES; i++) {
		ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, MSG_WAITALL));
		EXPECT_TRUE(all_are(buf, PAGE, 'a' + i));
	}
	/* The pages that were read are charged no more. */
	EXPECT_EQ(1, send_as_nobody(self->sv[0], files, 1, 2, 2));
	at_close(files, FILES);
}

static ssize_t to_pipe(int sock, int to, size_t n, int flags)
{
	return splice(sock, NULL, to, NULL, n, flags);
}

/* splice() moves the page: the reader of the pipe gets the present bytes. */
TEST_F_TIMEOUT(pages, splice_moves_the_page, AT_TIMEOUT)
{
	int file = file_of('a', 2);
	char buf[PAGE];

	ASSERT_EQ(2 * PAGE, send_from(self->sv[0], file, 0, 2 * PAGE));
	ASSERT_EQ(PAGE, to_pipe(self->sv[1], self->pipe[1], PAGE, 0));
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, 0));
	EXPECT_TRUE(is_pinned(file));
	memset(buf, 'b', sizeof(buf));
	ASSERT_EQ(PAGE, pwrite(file, buf, PAGE, 0));
	ASSERT_EQ(PAGE, read(self->pipe[0], buf, PAGE));
	EXPECT_TRUE(all_are(buf, PAGE, 'b'));
	EXPECT_FALSE(is_pinned(file));
	close(file);
}

/* splice() of a part of a page leaves the rest in the socket. */
TEST_F_TIMEOUT(pages, splice_of_a_part, AT_TIMEOUT)
{
	int file = file_of('a', 1);
	char buf[PAGE];

	ASSERT_EQ(PAGE, send_from(self->sv[0], file, 0, PAGE));
	ASSERT_EQ(1000, to_pipe(self->sv[1], self->pipe[1], 1000, 0));
	ASSERT_EQ(PAGE - 1000, recv(self->sv[1], buf, PAGE, 0));
	EXPECT_TRUE(is_pinned(file));
	ASSERT_EQ(1000, read(self->pipe[0], buf, PAGE));
	EXPECT_TRUE(all_are(buf, 1000, 'a'));
	EXPECT_FALSE(is_pinned(file));
	close(file);
}

/* Bytes that send() has copied are copied into the pipe, in their order. */
TEST_F_TIMEOUT(pages, splice_of_bytes_and_pages, AT_TIMEOUT)
{
	enum { HEAD = 100, ALL = HEAD + 2 * PAGE };
	static char buf[ALL], head[HEAD];
	int file = file_of('a', 2);
	size_t got = 0;
	ssize_t n;

	memset(head, 'h', sizeof(head));
	ASSERT_EQ(HEAD, send(self->sv[0], head, HEAD, 0));
	ASSERT_EQ(2 * PAGE, send_from(self->sv[0], file, 0, 2 * PAGE));
	while (got < ALL) {
		n = to_pipe(self->sv[1], self->pipe[1], ALL, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(n, read(self->pipe[0], buf + got, ALL));
		got += n;
	}
	EXPECT_EQ(ALL, got);
	EXPECT_TRUE(all_are(buf, HEAD, 'h'));
	EXPECT_TRUE(all_are(buf + HEAD, 2 * PAGE, 'a'));
	EXPECT_FALSE(is_pinned(file));
	close(file);
}

/* The errors and the end of splice(), as AF_UNIX has them */
TEST_F_TIMEOUT(pages, splice_without_data, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, SOCK_STREAM);
	char byte;

	EXPECT_EQ(variant->format == AT_UNIX || ORACLE ? EINVAL : ENOTCONN,
		  at_err(to_pipe(fd, self->pipe[1], 1, 0)));
	EXPECT_EQ(EAGAIN, at_err(to_pipe(self->sv[1], self->pipe[1], 1,
					 SPLICE_F_NONBLOCK)));
	ASSERT_EQ(0, at_nonblock(self->sv[1], true));
	EXPECT_EQ(EAGAIN, at_err(to_pipe(self->sv[1], self->pipe[1], 1, 0)));
	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	EXPECT_EQ(1, to_pipe(self->sv[1], self->pipe[1], 9, 0));
	EXPECT_EQ(0, to_pipe(self->sv[1], self->pipe[1], 9, 0));
	ASSERT_EQ(1, read(self->pipe[0], &byte, 1));
	EXPECT_EQ('x', byte);
	close(fd);
}

/* A pipe without space, or without a reader, leaves the data in the socket. */
TEST_F_TIMEOUT(pages, splice_into_a_full_pipe, AT_TIMEOUT)
{
	static char buf[1 << 16];
	char two[2];

	ASSERT_EQ(2, send(self->sv[0], "xy", 2, 0));
	ASSERT_EQ(sizeof(buf), write(self->pipe[1], buf, sizeof(buf)));
	EXPECT_EQ(EAGAIN, at_err(to_pipe(self->sv[1], self->pipe[1], 2,
					 SPLICE_F_NONBLOCK)));
	signal(SIGPIPE, SIG_IGN);
	close(self->pipe[0]);
	self->pipe[0] = -1;
	EXPECT_EQ(EPIPE, at_err(to_pipe(self->sv[1], self->pipe[1], 2, 0)));
	ASSERT_EQ(2, recv(self->sv[1], two, 2, 0));
	EXPECT_EQ(0, memcmp(two, "xy", 2));
}

/* splice() wakes a sender that waits for space. */
TEST_F_TIMEOUT(pages, splice_makes_space, AT_TIMEOUT)
{
	static char buf[1 << 16];
	struct pollfd p = { .fd = self->sv[0], .events = POLLOUT };
	int file = file_of('a', 1);

	ASSERT_EQ(0, at_nonblock(self->sv[0], true));
	while (send_from(self->sv[0], file, 0, PAGE) == PAGE)
		continue;
	ASSERT_EQ(0, poll(&p, 1, 0));
	while (!poll(&p, 1, 0)) {
		ASSERT_LT(0, to_pipe(self->sv[1], self->pipe[1], sizeof(buf),
				     0));
		ASSERT_LT(0, read(self->pipe[0], buf, sizeof(buf)));
	}
	EXPECT_EQ(PAGE, send_from(self->sv[0], file, 0, PAGE));
	close(file);
}

/*
 * A reference to a part of a huge page would pin all of it. That is more than
 * the send buffer allows, so the bytes are copied.
 */
TEST_F_TIMEOUT(pages, huge_page_is_copied, AT_TIMEOUT)
{
	enum { HUGE = 2 << 20 };
	struct iovec iov = { .iov_len = PAGE };
	char buf[PAGE], *memory, *huge;

	if (ORACLE)
		SKIP(return, "AF_UNIX pins the huge page");
	memory = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	huge = (char *)(((unsigned long)memory + HUGE - 1) & -(long)HUGE);
	if (madvise(huge, HUGE, MADV_HUGEPAGE))
		SKIP(return, "this kernel has no transparent huge pages");
	memset(huge, 'a', HUGE);
	iov.iov_base = huge;
	ASSERT_EQ(PAGE, vmsplice(self->pipe[1], &iov, 1, 0));
	ASSERT_EQ(PAGE, splice(self->pipe[0], NULL, self->sv[0], NULL, PAGE,
			       0));
	memset(huge, 'b', HUGE);
	ASSERT_EQ(PAGE, recv(self->sv[1], buf, PAGE, 0));
	EXPECT_TRUE(all_are(buf, PAGE, 'a'));
	munmap(memory, 2 * HUGE);
}

/* What the threads of the next test share */
struct arena {
	int		sock, file;
	atomic_bool	stop;
	atomic_ulong	bytes;
};

static void *take_bytes(void *arg)
{
	struct arena *arena = arg;
	char buf[3000];
	ssize_t n;

	while ((n = recv(arena->sock, buf, sizeof(buf), 0)) > 0)
		arena->bytes += n;
	return NULL;
}

static void *peek_at_bytes(void *arg)
{
	struct arena *arena = arg;
	char buf[9000];

	while (recv(arena->sock, buf, sizeof(buf), MSG_PEEK) > 0)
		continue;
	return NULL;
}

static void *splice_bytes(void *arg)
{
	struct arena *arena = arg;
	int to[2], null = open("/dev/null", O_WRONLY);
	ssize_t n;

	if (null < 0 || pipe(to))
		return NULL;
	while ((n = to_pipe(arena->sock, to[1], 20000, 0)) > 0) {
		arena->bytes += n;
		splice(to[0], NULL, null, NULL, n, 0);
	}
	at_close(to, 2);
	close(null);
	return NULL;
}

/*
 * Threads read, peek at and splice the bytes of a stream, while others send
 * pages and single bytes. Each byte is received once. At the end, with @reset,
 * the receiver closes before it has read all. No page stays pinned.
 */
static void race(struct __test_metadata *_metadata, int sv[2], bool reset)
{
	enum { FILE_PAGES = 40, READERS = 3 };
	static void *(*const run[READERS])(void *) = {
		take_bytes, peek_at_bytes, splice_bytes,
	};
	struct arena arena = { .sock = sv[1] };
	int i, rounds = at_scale(600, 60);
	pthread_t threads[READERS];
	unsigned long sent = 0;
	ssize_t n = 0;

	arena.file = file_of('a', FILE_PAGES);
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run[i],
					    &arena));
	for (i = 0; i < rounds && n >= 0; i++) {
		n = send_from(sv[0], arena.file, i % PAGE,
			      (FILE_PAGES - 1) * PAGE);
		sent += n > 0 ? n : 0;
		n = send(sv[0], "x", 1, MSG_NOSIGNAL);
		sent += n > 0 ? n : 0;
		if (reset && i == rounds / 2)
			shutdown(sv[1], SHUT_RDWR);
	}
	shutdown(sv[0], SHUT_WR);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	if (!reset)
		EXPECT_EQ(sent, arena.bytes);
	EXPECT_LT(0, arena.bytes);
	close(sv[1]);
	sv[1] = -1;
	EXPECT_FALSE(is_pinned(arena.file));
	close(arena.file);
}

TEST_F_TIMEOUT(pages, race_of_readers, AT_TIMEOUT)
{
	race(_metadata, self->sv, false);
}

TEST_F_TIMEOUT(pages, race_with_shutdown, AT_TIMEOUT)
{
	signal(SIGPIPE, SIG_IGN);
	race(_metadata, self->sv, true);
}

TEST_HARNESS_MAIN
