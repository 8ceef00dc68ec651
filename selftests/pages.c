// SPDX-License-Identifier: GPL-2.0
/*
 * sendfile() puts pages of a file into a stream by reference. Short pieces are
 * copied. Unread bytes pin no more memory than the send buffer and
 * RLIMIT_MEMLOCK allow. These tests seal the file, which fails with EBUSY while
 * a page of the file is pinned.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

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

/* A reader gets the bytes that the file has when it reads, as in AF_UNIX. */
TEST_F_TIMEOUT(pages, reader_gets_the_present_bytes, AT_TIMEOUT)
{
	int file = at_page_file('a', 1);
	char buf[AT_PAGE];

	ASSERT_EQ(AT_PAGE, at_sendfile(self->sv[0], file, 0, AT_PAGE));
	memset(buf, 'b', sizeof(buf));
	ASSERT_EQ(AT_PAGE, pwrite(file, buf, AT_PAGE, 0));
	memset(buf, 0, sizeof(buf));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'b'));
	close(file);
}

TEST_F_TIMEOUT(pages, unread_bytes_pin_the_page, AT_TIMEOUT)
{
	int file = at_page_file('a', 2);
	char buf[AT_PAGE];

	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, 0));
	ASSERT_EQ(AT_PAGE - 1, recv(self->sv[1], buf, AT_PAGE - 1, 0));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(1, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_EQ(0, at_seal(file));
	close(file);
}

/* A peek drops no reference. */
TEST_F_TIMEOUT(pages, peek_leaves_the_page, AT_TIMEOUT)
{
	int file = at_page_file('a', 1);
	char buf[AT_PAGE];

	ASSERT_EQ(AT_PAGE, at_sendfile(self->sv[0], file, 0, AT_PAGE));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_PEEK));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	EXPECT_EQ(0, at_seal(file));
	close(file);
}

/* Unread pages stay when the sender closes, and go when the receiver closes. */
TEST_F_TIMEOUT(pages, close_of_the_receiver_drops_pages, AT_TIMEOUT)
{
	int file = at_page_file('a', 2);

	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	close(self->sv[0]);
	EXPECT_EQ(EBUSY, at_seal(file));
	close(self->sv[1]);
	EXPECT_EQ(0, at_seal(file));
	self->sv[0] = -1;
	self->sv[1] = -1;
	close(file);
}

TEST_F_TIMEOUT(pages, close_of_the_receiver_first, AT_TIMEOUT)
{
	int file = at_page_file('a', 2);

	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	close(self->sv[1]);
	EXPECT_EQ(0, at_seal(file));
	self->sv[1] = -1;
	close(file);
}

TEST_F_TIMEOUT(pages, short_piece_is_copied, AT_TIMEOUT)
{
	enum { LIMIT = 512 };
	int file = at_page_file('a', 1);
	char buf[LIMIT];

	if (ORACLE)
		SKIP(return, "AF_UNIX pins a page for one byte");
	ASSERT_EQ(LIMIT, at_sendfile(self->sv[0], file, 50, LIMIT));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(LIMIT, recv(self->sv[1], buf, LIMIT, 0));
	ASSERT_EQ(LIMIT - 1, at_sendfile(self->sv[0], file, 50, LIMIT - 1));
	EXPECT_EQ(0, at_seal(file));
	ASSERT_EQ(LIMIT - 1, recv(self->sv[1], buf, LIMIT, 0));
	EXPECT_TRUE(at_all_are(buf, LIMIT - 1, 'a'));
	close(file);
}

/*
 * Pieces of many pages are sent until the socket is full. The pinned pages take
 * at most SO_SNDBUF bytes, and all further pieces are copied. When the bytes
 * are read, pages can be pinned again.
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
		files[sent] = at_page_file('A' + sent % 26, 1);
		if (at_sendfile(self->sv[0], files[sent], 0, PIECE) != PIECE)
			break;
	}
	EXPECT_EQ(size / PIECE, sent);
	for (i = 0; i < sent; i++)
		pinned += at_seal(files[i]) == EBUSY;
	EXPECT_EQ(size / AT_PAGE, pinned);
	for (i = 0; i < sent; i++) {
		ASSERT_EQ(PIECE, recv(self->sv[1], buf, PIECE, MSG_WAITALL));
		EXPECT_TRUE(at_all_are(buf, PIECE, 'A' + i % 26));
		EXPECT_EQ(0, at_seal(files[i]));
	}
	at_close(files, sent + 1);
	files[0] = at_page_file('a', 2);
	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], files[0], 0,
					   2 * AT_PAGE));
	EXPECT_EQ(EBUSY, at_seal(files[0]));
	close(files[0]);
}

/* The bytes of a stream that a test has sent and not received yet */
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
	enum { FILE_SIZE = 16 * AT_PAGE };
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
		size_t most = at_random(&state) % 2 ? 20000 : 700;
		size_t n = at_random(&state) % most;
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
			if (done <= 0) {
				wrong += n && at_err(done) != EAGAIN;
				continue;
			}
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
	ASSERT_EQ(0, shutdown(self->sv[0], SHUT_WR));
	while ((step = recv(self->sv[1], buf, sizeof(buf), 0)) > 0) {
		wrong += memcmp(buf, m.bytes, step) != 0;
		m.n -= step;
		memmove(m.bytes, m.bytes + step, m.n);
	}
	EXPECT_EQ(0, step);
	EXPECT_EQ(0, m.n);
	EXPECT_EQ(0, wrong);
	EXPECT_LT(100, by_file);
	EXPECT_LT(100, reads);
	close(file);
}

/* After send() a single page is copied. Two pages are passed by reference. */
TEST_F_TIMEOUT(pages, single_page_behind_bytes_is_copied, AT_TIMEOUT)
{
	int one = at_page_file('a', 1), two = at_page_file('b', 2);
	char buf[AT_PAGE];

	if (ORACLE)
		SKIP(return, "AF_UNIX copies no page of a file");
	ASSERT_EQ(1, send(self->sv[0], "x", 1, 0));
	ASSERT_EQ(AT_PAGE, at_sendfile(self->sv[0], one, 0, AT_PAGE));
	EXPECT_EQ(0, at_seal(one));
	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], two, 0, 2 * AT_PAGE));
	EXPECT_EQ(EBUSY, at_seal(two));
	ASSERT_EQ(1, recv(self->sv[1], buf, 1, 0));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_WAITALL));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_WAITALL));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_WAITALL));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'b'));
	EXPECT_EQ(0, at_seal(two));
	close(one);
	close(two);
}

/*
 * Let this process be one of user nobody, with RLIMIT_MEMLOCK of @limit pages.
 * Return -1 on failure.
 */
static int become_nobody(int limit)
{
	struct rlimit memlock = { limit * AT_PAGE, limit * AT_PAGE };

	return setrlimit(RLIMIT_MEMLOCK, &memlock) ? : at_drop_privileges();
}

/*
 * A child process of user nobody, with RLIMIT_MEMLOCK of @limit pages, sends
 * @pages pages of each of @n files. Return how many files are pinned then, or
 * more than 253 on error.
 */
static int send_as_nobody(int sock, const int *files, int n, int pages,
			  int limit)
{
	int i, pinned = 0;
	pid_t child;

	child = at_fork();
	if (child)
		return at_reap(child);
	if (become_nobody(limit))
		_exit(255);
	for (i = 0; i < n; i++)
		if (at_sendfile(sock, files[i], 0, pages * AT_PAGE) !=
		    pages * AT_PAGE)
			_exit(254);
	for (i = 0; i < n; i++)
		pinned += at_seal(files[i]) == EBUSY;
	_exit(pinned);
}

/* A user pins no more than RLIMIT_MEMLOCK, and sends the rest by a copy. */
TEST_F_TIMEOUT(pages, user_pins_no_more_than_the_limit, AT_TIMEOUT)
{
	enum { FILES = 8, LIMIT = 3 };
	int files[FILES], i;
	char buf[AT_PAGE];

	if (ORACLE)
		SKIP(return, "AF_UNIX has no limit for a user");
	for (i = 0; i < FILES; i++)
		files[i] = at_page_file('a' + i, 2);
	EXPECT_EQ(LIMIT, send_as_nobody(self->sv[0], files, FILES, 1, LIMIT));
	for (i = 0; i < FILES; i++) {
		ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE,
					MSG_WAITALL));
		EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a' + i));
	}
	/* The pages that were read are charged no more. */
	EXPECT_EQ(1, send_as_nobody(self->sv[0], files, 1, 2, 2));
	at_close(files, FILES);
}

/* Each way to get rid of unread pages takes back the charge of the user. */
TEST_F_TIMEOUT(pages, charge_ends_with_the_page, AT_TIMEOUT)
{
	enum { READ, SPLICE, SHUTDOWN, CLOSE, WAYS };
	static char buf[2 * AT_PAGE];
	int way, file, sv[2];

	if (ORACLE)
		SKIP(return, "AF_UNIX has no limit for a user");
	for (way = 0; way < 2 * WAYS; way++) {
		ASSERT_EQ(0, at_pair(variant->format, variant->kind,
				     SOCK_STREAM, sv));
		file = at_page_file('a', 2);
		EXPECT_EQ(1, send_as_nobody(sv[0], &file, 1, 2, 2));
		if (way % WAYS == READ)
			ASSERT_EQ(2 * AT_PAGE, recv(sv[1], buf, sizeof(buf),
						    0));
		if (way % WAYS == SPLICE) {
			ASSERT_EQ(2 * AT_PAGE, at_to_pipe(sv[1], self->pipe[1],
							  2 * AT_PAGE, 0));
			ASSERT_EQ(2 * AT_PAGE, read(self->pipe[0], buf,
						    sizeof(buf)));
		}
		if (way % WAYS == SHUTDOWN)
			ASSERT_EQ(0, shutdown(sv[1], SHUT_RDWR));
		at_close(sv, 2);
		EXPECT_EQ(0, at_seal(file));
		close(file);
	}
}

/* CAP_IPC_LOCK lifts the limit of the user. */
TEST_F_TIMEOUT(pages, root_pins_beyond_the_limit, AT_TIMEOUT)
{
	struct rlimit old, none = {};
	int file = at_page_file('a', 2);

	ASSERT_EQ(0, getrlimit(RLIMIT_MEMLOCK, &old));
	none.rlim_max = old.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &none));
	EXPECT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &old));
	close(file);
}

/* Pages carry credentials, and splice() of other bytes ends before them. */
TEST_F_TIMEOUT(pages, pages_with_credentials, AT_TIMEOUT)
{
	char buf[AT_PAGE], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int file = at_page_file('a', 2);
	struct cmsghdr *cmsg;

	ASSERT_EQ(0, at_set_flag(self->sv[1], SOL_SOCKET, SO_PASSCRED, 1));
	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0, 2 * AT_PAGE));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(AT_PAGE, recvmsg(self->sv[1], &msg, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	cmsg = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, cmsg);
	EXPECT_EQ(SCM_CREDENTIALS, cmsg->cmsg_type);
	EXPECT_EQ(getpid(), ((struct ucred *)CMSG_DATA(cmsg))->pid);
	ASSERT_EQ(AT_PAGE, at_to_pipe(self->sv[1], self->pipe[1], AT_PAGE, 0));
	EXPECT_EQ(EBUSY, at_seal(file));
	ASSERT_EQ(AT_PAGE, read(self->pipe[0], buf, AT_PAGE));
	EXPECT_EQ(0, at_seal(file));
	close(file);
}

/* SO_PEEK_OFF counts the bytes of pages, and a read moves it back. */
TEST_F_TIMEOUT(pages, peek_with_an_offset, AT_TIMEOUT)
{
	int a = at_page_file('a', 2), b = at_page_file('b', 2), off = 0;
	char buf[AT_PAGE];

	ASSERT_EQ(0, setsockopt(self->sv[1], SOL_SOCKET, SO_PEEK_OFF, &off,
				sizeof(off)));
	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], a, 0, 2 * AT_PAGE));
	ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], b, 0, 2 * AT_PAGE));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_PEEK));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_PEEK));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, MSG_PEEK));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'b'));
	ASSERT_EQ(AT_PAGE, at_to_pipe(self->sv[1], self->pipe[1], AT_PAGE, 0));
	ASSERT_EQ(1000, recv(self->sv[1], buf, 1000, MSG_PEEK));
	EXPECT_TRUE(at_all_are(buf, 1000, 'b'));
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	close(a);
	close(b);
}

/*
 * A program may set the flag with which newer kernels pass pages. The memory of
 * the program is copied nevertheless.
 */
TEST_F_TIMEOUT(pages, flag_of_the_kernel_is_ignored, AT_TIMEOUT)
{
	enum { FLAG = 0x8000000 };
	int file = at_page_file('f', 2), i;
	char buf[AT_PAGE];

	for (i = 0; i < 2; i++) {
		memset(buf, 'a', AT_PAGE);
		ASSERT_EQ(AT_PAGE, send(self->sv[0], buf, AT_PAGE, FLAG));
		memset(buf, 'b', AT_PAGE);
		ASSERT_EQ(2 * AT_PAGE, at_sendfile(self->sv[0], file, 0,
						   2 * AT_PAGE));
	}
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE,
					MSG_WAITALL));
		EXPECT_TRUE(at_all_are(buf, AT_PAGE, i % 3 ? 'f' : 'a'));
	}
	close(file);
}

/* Send memory of this process by way of a pipe. */
static ssize_t send_memory(const int pipe[2], int sock, char *at, size_t n)
{
	struct iovec iov = { at, n };

	if (vmsplice(pipe[1], &iov, 1, 0) != (ssize_t)n)
		return -1;
	return splice(pipe[0], NULL, sock, NULL, n, SPLICE_F_MORE);
}

/*
 * A child process of user nobody may pin nothing, and fills the socket. Then it
 * reads a byte and sends a piece of a page, @rounds times. Return 0, or another
 * number on error.
 */
static int refill_as_nobody(const int sv[2], const int pipe[2], int rounds)
{
	char byte, *page;
	ssize_t n = 1;
	pid_t child;

	child = at_fork();
	if (child)
		return at_reap(child);
	if (become_nobody(0) || at_nonblock(sv[0], true))
		_exit(1);
	page = mmap(NULL, AT_PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		_exit(1);
	memset(page, 'a', AT_PAGE);
	while (n > 0)
		n = send(sv[0], page, AT_PAGE, 0);
	while (rounds--) {
		char rest[AT_PAGE];

		if (recv(sv[1], &byte, 1, 0) != 1)
			_exit(2);
		n = send_memory(pipe, sv[0], page, AT_PAGE / 8);
		if (n <= 0)
			_exit(3);
		if (n < AT_PAGE / 8)
			n = read(pipe[0], rest, sizeof(rest));
	}
	_exit(0);
}

/* Return the memory of the kernel's allocators, KiB. */
static long slab_kib(void)
{
	FILE *info = fopen("/proc/meminfo", "r");
	long kib = -1;
	char line[256];

	while (info && fgets(line, sizeof(line), info))
		if (sscanf(line, "Slab: %ld", &kib) == 1)
			break;
	if (info)
		fclose(info);
	return kib;
}

/*
 * A page that may not be pinned leaves nothing behind but its copied bytes. So
 * the memory of a full socket does not grow with the number of attempts.
 */
TEST_F_TIMEOUT(pages, failed_references_take_no_memory, AT_TIMEOUT)
{
	enum { ROUNDS = 4000, MOST_KIB = ROUNDS };
	long before = slab_kib();

	if (ORACLE)
		SKIP(return, "AF_UNIX frees the space of whole messages");
	ASSERT_LT(0, before);
	ASSERT_EQ(0, refill_as_nobody(self->sv, self->pipe, ROUNDS));
	EXPECT_GT(before + MOST_KIB, slab_kib());
}

enum { HUGE = 2 << 20 };

/* Return whether a huge page is at @at. */
static bool is_huge(const char *at)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	unsigned long begin, end, kib = 0;
	bool here = false;
	char line[256];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
			here = begin <= (unsigned long)at &&
			       (unsigned long)at < end;
		if (here && sscanf(line, "AnonHugePages: %lu", &kib) == 1)
			break;
	}
	if (maps)
		fclose(maps);
	return kib;
}

/* Map memory and let *@huge be a huge page in it, or NULL if there is none. */
static char *map_huge(char **huge)
{
	char *memory = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*huge = (char *)(((unsigned long)memory + HUGE - 1) & -(long)HUGE);
	if (madvise(*huge, HUGE, MADV_HUGEPAGE)) {
		*huge = NULL;
		return memory;
	}
	memset(*huge, 'a', HUGE);
	if (!is_huge(*huge))
		*huge = NULL;
	return memory;
}

/*
 * A reference to a part of a huge page would pin all of it. That is more than
 * the send buffer allows, so the bytes are copied.
 */
TEST_F_TIMEOUT(pages, huge_page_is_copied, AT_TIMEOUT)
{
	char buf[AT_PAGE], *memory, *huge;

	if (ORACLE)
		SKIP(return, "AF_UNIX pins the huge page");
	memory = map_huge(&huge);
	if (!huge)
		SKIP(return, "there is no transparent huge page");
	ASSERT_EQ(AT_PAGE, send_memory(self->pipe, self->sv[0], huge, AT_PAGE));
	memset(huge, 'b', HUGE);
	ASSERT_EQ(AT_PAGE, recv(self->sv[1], buf, AT_PAGE, 0));
	EXPECT_TRUE(at_all_are(buf, AT_PAGE, 'a'));
	munmap(memory, 2 * HUGE);
}

/* If the send buffer is large enough, a part of a huge page has a reference. */
TEST_F_TIMEOUT(pages, huge_page_has_a_reference, AT_TIMEOUT)
{
	enum { PIECES = 5, ALL = 16 * AT_PAGE };
	int size = 8 << 20, i, n = 0;
	static char buf[ALL];
	char *memory, *huge;

	memory = map_huge(&huge);
	if (!huge)
		SKIP(return, "there is no transparent huge page");
	ASSERT_EQ(0, setsockopt(self->sv[0], SOL_SOCKET, SO_SNDBUFFORCE, &size,
				sizeof(size)));
	ASSERT_EQ(ALL, send_memory(self->pipe, self->sv[0], huge + 5 * AT_PAGE,
				   ALL));
	for (i = 0; i < HUGE; i++)
		huge[i] = i / 1000;
	/* Each page is sent separately before Linux 6.5. */
	ASSERT_EQ(1500, recv(self->sv[1], buf, 1500, 0));
	ASSERT_EQ(1500, at_to_pipe(self->sv[1], self->pipe[1], 1500, 0));
	ASSERT_EQ(1500, read(self->pipe[0], buf + 1500, 1500));
	for (i = 0; i < 3000; i++)
		n += buf[i] != (char)((5 * AT_PAGE + i) / 1000);
	EXPECT_EQ(0, n);
	ASSERT_EQ(ALL - 3000, recv(self->sv[1], buf, ALL - 3000, MSG_WAITALL));
	munmap(memory, 2 * HUGE);
}

TEST_HARNESS_MAIN
