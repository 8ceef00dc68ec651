// SPDX-License-Identifier: GPL-2.0
/*
 * Test that a lack of memory leaks nothing and leaves a socket as it was
 * (E-NOMEM). The tests fail the first, the second, the third and each further
 * allocation of a call in turn, until the call makes no more allocations. Each
 * failure must be ENOMEM or ENOBUFS (EFAULT for a copy from or to user space),
 * and the same call must then succeed on the same socket. The tests need a
 * kernel with fault injection and are skipped on others.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <dirent.h>
#include <fcntl.h>

#define MOST 200

/*
 * A descriptor of fail-nth in /proc. Writing N makes the Nth allocation of the
 * thread fail, and writing 0 stops the count. A read returns what is left of
 * the count, which is above 0 if fewer than N allocations were made. The file
 * stays open, since opening it would use up the count.
 */
static int nth_fd = -1;

static int fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n), tries = 2;

	/*
	 * If some of the count is left, the copy of @text into the kernel may
	 * be the step that fails. The second write then succeeds.
	 */
	while (tries--)
		if (pwrite(nth_fd, text, len, 0) == len)
			return 0;
	return -1;
}

static int nth_left(void)
{
	char text[16] = {};

	return pread(nth_fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : -1;
}

FIXTURE(fault) {
	struct at_addr a;
	int lfd;
	int sv[2];
};

FIXTURE_VARIANT(fault) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(fault, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(fault, unix_seqpacket) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(fault, native_dgram) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_DGRAM,
};

FIXTURE_SETUP(fault)
{
	/* The debug kernel has fault injection, so it must have the file. */
	if (access("/proc/self/fail-nth", W_OK)) {
		ASSERT_FALSE(at_debug());
		SKIP(return, "no fault injection in this kernel");
	}
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	ASSERT_LE(0, nth_fd);
	ASSERT_EQ(0, at_fail_allocations(0));
	self->lfd = at_bound(&self->a, variant->format, variant->kind,
			     variant->type);
	ASSERT_LE(0, self->lfd);
	if (variant->type != SOCK_DGRAM)
		ASSERT_EQ(0, listen(self->lfd, 4));
	ASSERT_EQ(0, at_socketpair(variant->format, variant->type, self->sv));
}

FIXTURE_TEARDOWN(fault)
{
	at_cleanup();
}

/*
 * This is the state of a call under test. prepare() sets @fd and @a before each
 * count, and undo() sets @broken if the call lost something or left something
 * behind.
 */
struct trial {
	FIXTURE_DATA(fault) *self;
	const FIXTURE_VARIANT(fault) *variant;
	int fd;
	struct at_addr a;
	bool broken;
};

/* run() returns 0 or an errno, and prepare() a negative value on failure. */
struct call {
	const char *what;
	int (*prepare)(struct trial *t);
	int (*run)(struct trial *t);
	void (*undo)(struct trial *t);
	int also;	/* an errno into which the core turns ENOMEM */
	bool spare;	/* a fallback may supply the memory */
};

static int make_socket(struct trial *t)
{
	t->fd = at_socket(t->variant->format, t->variant->type);
	return t->fd;
}

static int fresh_and_address(struct trial *t)
{
	at_addr(&t->a, t->variant->format, t->variant->kind);
	return make_socket(t);
}

static int fresh_bound(struct trial *t)
{
	return fresh_and_address(t) < 0 ? -1 : at_bind(t->fd, &t->a);
}

/*
 * Prepare a socket with a shared address. Its connect() also allocates a claim,
 * which reserves the pair of local and remote address for one association.
 */
static int fresh_shared(struct trial *t)
{
	enum at_kind kind = t->variant->format == AT_UNIX ? AT_NAME :
							   t->variant->kind;

	if (make_socket(t) < 0 ||
	    at_set_option(t->fd, ALTCONN_SHARE_ADDRESS, 1))
		return -1;
	at_addr(&t->a, t->variant->format, kind);
	return at_bind(t->fd, &t->a);
}

/*
 * Leave a stale socket file at the path, and prepare a socket with
 * ALTCONN_REPLACE_PATH: its bind() replaces that file.
 */
static int fresh_over_stale(struct trial *t)
{
	if (fresh_bound(t) < 0)
		return -1;
	close(t->fd);
	return make_socket(t) < 0 ? -1 :
	       at_set_option(t->fd, ALTCONN_REPLACE_PATH, 1);
}

static int nothing(struct trial *t)
{
	t->fd = -1;
	return 0;
}

static int client_waits(struct trial *t)
{
	int err;

	close(at_client(t->variant->format, t->variant->type, &t->self->a,
			&err));
	t->fd = -1;
	return err ? -1 : 0;
}

static int run_socket(struct trial *t)
{
	return at_err(make_socket(t));
}

static int run_bind(struct trial *t)
{
	return at_err(at_bind(t->fd, &t->a));
}

static int run_listen(struct trial *t)
{
	return at_err(listen(t->fd, 3));
}

static int run_connect(struct trial *t)
{
	return at_err(at_connect(t->fd, &t->self->a));
}

static int run_accept(struct trial *t)
{
	t->fd = accept4(t->self->lfd, NULL, NULL, SOCK_NONBLOCK);
	return at_err(t->fd);
}

static int run_send(struct trial *t)
{
	static char buf[20000];

	return at_err(send(t->self->sv[0], buf, sizeof(buf), MSG_DONTWAIT));
}

/*
 * Send a message with a descriptor to a receiver that has SO_PASSCRED, so
 * credentials go with the message too.
 */
static int run_sendmsg(struct trial *t)
{
	return at_err(at_send_with(t->self->sv[0], "abcdefgh", 8, SCM_RIGHTS,
				   &t->fd, sizeof(t->fd), MSG_DONTWAIT));
}

/*
 * Prepare a new pair for each count. A buffer allocates the queue of its
 * descriptors and credentials once, for the first of them, so only a new buffer
 * makes that allocation again.
 */
static int fresh_pair_and_file(struct trial *t)
{
	int on = 1;

	at_close(t->self->sv, 2);
	t->fd = open("/dev/null", O_RDONLY);
	if (t->fd < 0 ||
	    at_socketpair(t->variant->format, t->variant->type, t->self->sv))
		return -1;
	return setsockopt(t->self->sv[1], SOL_SOCKET, SO_PASSCRED, &on,
			  sizeof(on));
}

/* Check that the receiver gets the whole message and nothing else. */
static void undo_sendmsg(struct trial *t)
{
	char buf[16] = {};

	if (recv(t->self->sv[1], buf, sizeof(buf), MSG_DONTWAIT) != 8 ||
	    memcmp(buf, "abcdefgh", 8) ||
	    recv(t->self->sv[1], buf, sizeof(buf), MSG_DONTWAIT) != -1)
		t->broken = true;
	close(t->fd);
}

static int run_sendto(struct trial *t)
{
	return at_err(sendto(t->fd, "x", 1, MSG_DONTWAIT, &t->self->a.sa,
			     t->self->a.len));
}

static void undo_fd(struct trial *t)
{
	if (t->fd >= 0)
		close(t->fd);
	if (t->a.len)
		unlink(at_path_of(&t->a));
}

/* Check that no temporary file is left, whatever has failed. */
static void undo_replace(struct trial *t)
{
	char path[120], *slash;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s", at_path_of(&t->a));
	slash = strrchr(path, '/');
	*slash = '\0';
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, ".altconn-", 9))
			t->broken = true;
	closedir(dir);
	undo_fd(t);
}

static void undo_connect(struct trial *t)
{
	int fd;

	close(t->fd);
	if (t->variant->type == SOCK_DGRAM)
		return;
	fd = accept4(t->self->lfd, NULL, NULL, SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
}

static void undo_data(struct trial *t)
{
	static char buf[20000];

	while (recv(t->self->sv[1], buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	while (recv(t->self->lfd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	if (t->fd >= 0)
		close(t->fd);
}

/* Return whether copies from and to user space are counted and fail too. */
static bool copies_fail(void)
{
	return !access("/sys/kernel/debug/fail_usercopy", F_OK);
}

static bool is_memory_error(const struct call *call, int err)
{
	if (err == EFAULT)
		return copies_fail();
	return err == ENOMEM || err == ENOBUFS || err == call->also;
}

/*
 * Fail each allocation of @call in turn, and repeat the call after each
 * failure. Return how many allocations made the call fail. Return -1 if a step
 * failed, or if the call still made more allocations after MOST counts. If the
 * call returned an errno that does not mean a lack of memory, @wrong gets that
 * errno; if the repeated call failed, @wrong gets its negated errno.
 */
static int each_allocation(struct trial *t, const struct call *call,
			   int *wrong)
{
	int n, err, rest, failures = 0;

	for (n = 1; n < MOST; n++) {
		t->a.len = 0;
		if (call->prepare(t) < 0)
			return -1;
		if (fail_nth(n))
			return -1;
		err = call->run(t);
		rest = nth_left();
		fail_nth(0);
		if (err && !is_memory_error(call, err)) {
			*wrong = err;
			return -1;
		}
		if (err) {
			failures++;
			err = call->run(t);
			if (err) {
				*wrong = -err;
				return -1;
			}
		}
		call->undo(t);
		if (rest > 0)
			return failures;
	}
	return -1;
}

static const struct call calls[] = {
	{ .what = "socket", .prepare = nothing, .run = run_socket,
	  .undo = undo_fd, .also = ENFILE },
	/* tmpfs returns ENOSPC if it has no memory for an inode. */
	{ .what = "bind", .prepare = fresh_and_address, .run = run_bind,
	  .undo = undo_fd, .also = ENOSPC },
	{ .what = "bind over a stale file", .prepare = fresh_over_stale,
	  .run = run_bind, .undo = undo_replace, .also = ENOSPC },
	{ .what = "listen", .prepare = fresh_bound, .run = run_listen,
	  .undo = undo_fd },
	{ .what = "connect", .prepare = make_socket, .run = run_connect,
	  .undo = undo_connect },
	{ .what = "connect of a shared address", .prepare = fresh_shared,
	  .run = run_connect, .undo = undo_connect },
	{ .what = "accept", .prepare = client_waits, .run = run_accept,
	  .undo = undo_fd, .also = ENFILE },
	{ .what = "send", .prepare = nothing, .run = run_send,
	  .undo = undo_data, .also = 0, .spare = true },
	{ .what = "sendmsg", .prepare = fresh_pair_and_file, .run = run_sendmsg,
	  .undo = undo_sendmsg },
	{ .what = "sendto", .prepare = make_socket, .run = run_sendto,
	  .undo = undo_data },
};

static bool call_applies(const struct call *call, enum at_kind kind, int type)
{
	if (call->run == run_listen || call->run == run_accept ||
	    call->prepare == fresh_shared)
		return type != SOCK_DGRAM;
	if (call->prepare == fresh_over_stale)
		return kind == AT_PATH;
	return call->run != run_sendto || type == SOCK_DGRAM;
}

TEST_F_TIMEOUT(fault, E_NOMEM, AT_TIMEOUT_LONG)
{
	struct trial t = { .self = self, .variant = variant };
	int i, failures, wrong;

	if (access("/proc/self/fail-nth", W_OK))
		SKIP(return, "no fault injection in this kernel");
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (!call_applies(&calls[i], variant->kind, variant->type))
			continue;
		wrong = 0;
		failures = each_allocation(&t, &calls[i], &wrong);
		/*
		 * If no allocation failed, nothing was tested, unless the call
		 * has a fallback.
		 */
		EXPECT_LE(!calls[i].spare, failures) {
			TH_LOG("%s: %d failures, errno %d (< 0: when repeated)",
			       calls[i].what, failures, wrong);
		}
		EXPECT_FALSE(t.broken);
	}
}

TEST_HARNESS_MAIN
