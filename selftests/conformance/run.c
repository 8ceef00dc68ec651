// SPDX-License-Identifier: GPL-2.0
/*
 * Find out which cases there are, and run each case in a child process with a
 * deadline. Cases mostly wait, so the families run side by side, each in a
 * worker with a network namespace of its own.
 */
#include "conformance.h"

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Longest wait for the end of a killed child, in ms */
#define REAP_MS	30000

unsigned int case_number;

static char scratch[64];
static int report_fd;

static struct test *suite_add(struct suite *s, const struct family *f, int type)
{
	struct test *t;

	s->cases = realloc(s->cases, (s->ncases + 1) * sizeof(*s->cases));
	if (!s->cases)
		abort();
	t = &s->cases[s->ncases++];
	*t = (struct test){ .f = f, .type = type };
	return t;
}

/* Add a row without a clause for what the kernel lacks. */
static void suite_skip(struct suite *s, const struct family *f, int type,
		       const char *why)
{
	struct test *t = suite_add(s, f, type);

	t->result = CANNOT;
	snprintf(t->seen, sizeof(t->seen), "%s", why);
}

static void plan_clause(struct suite *s, const struct family *f, int type,
			const struct clause *c)
{
	const char *why = exempt_why(f, c->name, type);
	int modes = type == DGRAM ? 0 : c->modes, mode;
	struct test *t;

	if (!(c->types & type))
		return;
	for (mode = modes ? BLOCKING : 0; mode <= modes; mode++) {
		if (mode == BOTH || (modes & mode) != mode)
			continue;
		t = suite_add(s, f, type);
		t->clause = c;
		t->mode = mode;
		if (!why)
			continue;
		t->result = CANNOT;
		snprintf(t->seen, sizeof(t->seen), "%s", why);
	}
}

static void plan_type(struct suite *s, const struct family *f, int type)
{
	const char *why = type_missing(f, type);
	int i;

	if (why) {
		suite_skip(s, f, type, why);
		return;
	}
	for (i = 0; i < nclauses; i++) {
		if (s->clause[i])
			plan_clause(s, f, type, &clauses[i]);
	}
}

int suite_plan(struct suite *s)
{
	const struct family *f;
	int i, type;

	for (i = 0; i < nfamilies; i++) {
		f = &families[i];
		if (!s->family[i])
			continue;
		s->missing[i] = family_missing(f);
		if (s->missing[i]) {
			suite_skip(s, f, 0, s->missing[i]);
			continue;
		}
		for (type = STREAM; type <= DGRAM; type <<= 1) {
			if (f->types & type)
				plan_type(s, f, type);
		}
	}
	return s->ncases;
}

const char *scratch_path(char *buf, size_t len)
{
	snprintf(buf, len, "%s/%u", scratch, unique());
	return buf;
}

static int make_scratch(void)
{
	const char *dir = getenv("TMPDIR");

	if (!dir || strlen(dir) > 30)
		dir = "/tmp";
	snprintf(scratch, sizeof(scratch), "%s/connect-conformance.XXXXXX",
		 dir);
	return mkdtemp(scratch) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag,
		      struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void remove_scratch(void)
{
	nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* In the child: report to the parent, and end all threads. */
void case_exit(struct test *t)
{
	ssize_t n = write(report_fd, t, sizeof(*t));

	_exit(n == sizeof(*t) ? 0 : 1);
}

static void case_child(struct test *t, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	report_fd = fd;
	t->clause->run(t);
	case_exit(t);
}

static bool readable(int fd, int ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int ret;

	do {
		ret = poll(&pfd, 1, ms);
	} while (ret < 0 && errno == EINTR);
	return ret > 0;
}

/*
 * Wait for a child to end. Return false if it is stuck in the kernel: it is
 * then left behind.
 */
static bool reap(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	bool gone = pidfd < 0 || readable(pidfd, REAP_MS);

	if (gone)
		waitpid(pid, NULL, 0);
	if (pidfd >= 0)
		close(pidfd);
	return gone;
}

/* Read the report of a child, or report what has happened to the child. */
static void case_wait(struct test *t, pid_t pid, int fd)
{
	bool reported = readable(fd, CASE_MS);
	struct test report;

	if (!reported)
		kill(pid, SIGKILL);
	if (reported && read(fd, &report, sizeof(report)) == sizeof(report))
		*t = report;
	else
		deviates(t, reported ? "the process of the case died" :
				   "the case did not end in time");
	if (!reap(pid))
		deviates(t, "the process of the case cannot be killed");
}

static void case_run(struct test *t)
{
	int fds[2];
	pid_t pid;

	if (t->result != HOLDS)
		return;
	if (make_scratch() || pipe(fds)) {
		deviates(t, "%s before the case began", err_name(errno));
		return;
	}
	fflush(NULL);
	pid = fork();
	if (!pid)
		case_child(t, fds[1]);
	close(fds[1]);
	if (pid < 0)
		deviates(t, "%s from fork()", err_name(errno));
	else
		case_wait(t, pid, fds[0]);
	close(fds[0]);
	remove_scratch();
}

/* Move the cases to shared memory, where the workers write their results. */
static void share_cases(struct suite *s)
{
	size_t size = s->ncases * sizeof(*s->cases);
	struct test *shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		abort();
	memcpy(shared, s->cases, size);
	free(s->cases);
	s->cases = shared;
}

/* Return the index behind the last case of the family that begins at @i. */
static int family_end(const struct suite *s, int i)
{
	const struct family *f = s->cases[i].f;

	while (i < s->ncases && s->cases[i].f == f)
		i++;
	return i;
}

static __noreturn void worker(struct suite *s, int i, int end)
{
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	err = netns_enter() ? errno : 0;
	for (; i < end; i++, case_number++) {
		if (err)
			deviates(&s->cases[i],
				 "%s from making a network namespace",
				 err_name(err));
		else
			case_run(&s->cases[i]);
		s->cases[i].ran = true;
	}
	_exit(0);
}

static void collect(struct suite *s, int i, pid_t pid,
		    void (*each)(const struct test *t, int n))
{
	int end = family_end(s, i), status;

	if (pid > 0)
		waitpid(pid, &status, 0);
	for (; i < end; i++) {
		if (!s->cases[i].ran)
			deviates(&s->cases[i], "the case did not run");
		if (each)
			each(&s->cases[i], i + 1);
	}
}

void suite_run(struct suite *s, void (*each)(const struct test *t, int n))
{
	pid_t pids[ARRAY_SIZE(s->family)];
	int i, n = 0;

	share_cases(s);
	fflush(NULL);
	for (i = 0; i < s->ncases; i = family_end(s, i)) {
		pids[n] = fork();
		if (!pids[n++])
			worker(s, i, family_end(s, i));
	}
	for (i = 0, n = 0; i < s->ncases; i = family_end(s, i))
		collect(s, i, pids[n++], each);
}

/*
 * Count the cases with a result, in one family or in all. Rows without a clause
 * do not count.
 */
int suite_count(const struct suite *s, const struct family *f, enum result r)
{
	int i, n = 0;

	for (i = 0; i < s->ncases; i++) {
		if (s->cases[i].clause && (!f || s->cases[i].f == f))
			n += s->cases[i].result == r;
	}
	return n;
}
