// SPDX-License-Identifier: GPL-2.0
/*
 * E-NOMEM: fail the first, the second, the third... allocation of a call until
 * it does not reach that many. Each failure is ENOMEM or ENOBUFS (EFAULT for a
 * copy), and the same call succeeds on the same socket afterwards. Needs a
 * kernel with fault injection; on others the tests are skipped.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <dirent.h>
#include <fcntl.h>

#define MOST 200

/*
 * The file stays open: opening it would use up the count. Writing 0 ends it,
 * reading tells what is left, above 0 when a call made fewer allocations.
 */
static int nth_fd = -1;

static int fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n), tries = 2;

	/* The failure that is left over may be the one of this very copy. */
	while (tries--)
		if (pwrite(nth_fd, text, len, 0) == len)
			return 0;
	return -1;
}

static int left(void)
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

FIXTURE_VARIANT_ADD(fault, native_stream) { AT_NATIVE, AT_PORT, SOCK_STREAM };
FIXTURE_VARIANT_ADD(fault, unix_seqpacket) {
	AT_UNIX, AT_PATH, SOCK_SEQPACKET
};
FIXTURE_VARIANT_ADD(fault, native_dgram) { AT_NATIVE, AT_NAME, SOCK_DGRAM };

FIXTURE_SETUP(fault)
{
	/* The debug kernel is there for this, among other things. */
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

/* One call under test: made anew for every count, its result an errno. */
struct trial {
	FIXTURE_DATA(fault) *self;
	const FIXTURE_VARIANT(fault) *variant;
	int fd;
	struct at_addr a;
	bool broken;
};

struct call {
	const char *what;
	int (*prepare)(struct trial *t);
	int (*run)(struct trial *t);
	void (*undo)(struct trial *t);
	int also;	/* what the core makes of it on the way */
	bool spare;	/* it has a second way to get its memory */
};

static int fresh(struct trial *t)
{
	t->fd = at_socket(t->variant->format, t->variant->type);
	return t->fd;
}

static int fresh_and_address(struct trial *t)
{
	at_addr(&t->a, t->variant->format, t->variant->kind);
	return fresh(t);
}

static int fresh_bound(struct trial *t)
{
	return fresh_and_address(t) < 0 ? -1 : at_bind(t->fd, &t->a);
}

/* Its association is the only one between two addresses, which is written down. */
static int fresh_shared(struct trial *t)
{
	enum at_kind kind = t->variant->format == AT_UNIX ? AT_NAME :
							   t->variant->kind;

	if (fresh(t) < 0 ||
	    at_set_option(t->fd, ALTCONN_SHARE_ADDRESS, 1))
		return -1;
	at_addr(&t->a, t->variant->format, kind);
	return at_bind(t->fd, &t->a);
}

/* A socket file that nobody has any more is in the way, and to be replaced. */
static int fresh_over_stale(struct trial *t)
{
	if (fresh_bound(t) < 0)
		return -1;
	close(t->fd);
	return fresh(t) < 0 ? -1 :
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
	return at_err(fresh(t));
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

/* With a descriptor and credentials. */
static int run_sendmsg(struct trial *t)
{
	return at_err(at_send_with(t->self->sv[0], "abcdefgh", 8, SCM_RIGHTS,
				   &t->fd, sizeof(t->fd), MSG_DONTWAIT));
}

/* The marks of a buffer are made anew with it. */
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

/* What came is whole, and nothing else came. */
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

/* No temporary file stays, whatever failed. */
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

/* The counter counts copies from and to user space where they may fail. */
static bool copies_fail(void)
{
	return !access("/sys/kernel/debug/fail_usercopy", F_OK);
}

static bool memory(const struct call *call, int err)
{
	if (err == EFAULT)
		return copies_fail();
	return err == ENOMEM || err == ENOBUFS || err == call->also;
}

/*
 * -1: the call never got through; else how many of its allocations failed.
 * *wrong is an errno that is neither.
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
		rest = left();
		fail_nth(0);
		if (err && !memory(call, err)) {
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
	{ "socket", nothing, run_socket, undo_fd, ENFILE },
	/* tmpfs has no space when it has no memory for an inode. */
	{ "bind", fresh_and_address, run_bind, undo_fd, ENOSPC },
	{ "bind over a stale file", fresh_over_stale, run_bind, undo_replace,
	  ENOSPC },
	{ "listen", fresh_bound, run_listen, undo_fd },
	{ "connect", fresh, run_connect, undo_connect },
	{ "connect of a shared address", fresh_shared, run_connect,
	  undo_connect },
	{ "accept", client_waits, run_accept, undo_fd, ENFILE },
	{ "send", nothing, run_send, undo_data, 0, true },
	{ "sendmsg", fresh_pair_and_file, run_sendmsg, undo_sendmsg },
	{ "sendto", fresh, run_sendto, undo_data },
};

static bool applies(const struct call *call, enum at_kind kind, int type)
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
		if (!applies(&calls[i], variant->kind, variant->type))
			continue;
		wrong = 0;
		failures = each_allocation(&t, &calls[i], &wrong);
		/* None at all: nothing was tested. */
		EXPECT_LE(!calls[i].spare, failures) {
			TH_LOG("%s: %d failures, errno %d (negative: when repeated)",
			       calls[i].what, failures, wrong);
		}
		EXPECT_FALSE(t.broken);
	}
}

TEST_HARNESS_MAIN
