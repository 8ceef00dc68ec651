// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn doctor" checks the kernel, the module and this process. It prints
 * what is wrong and what would help, and lists the processes that keep the
 * module loaded.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/held.h"
#include "lib/out.h"
#include "lib/record.h"
#include "lib/rule.h"

#define MODULE	"/sys/module/altconn/"

const struct opt doctor_opts[] = {
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ 'H', "no-header", NULL, NULL, "print no header" },
	{ }
};

enum { COL_WHAT, COL_STATE, COL_TEXT, COL_COUNT };

static const struct out_column columns[COL_COUNT] = {
	[COL_WHAT] = { "WHAT" },
	[COL_STATE] = { "STATE" },
	[COL_TEXT] = { "TEXT" },
};

enum state { GOOD, NOTE, BAD };

/**
 * struct report - results of the checks
 * @out: output that the results go to
 * @bad: number of checks that have found something wrong
 */
struct report {
	struct out *out;
	unsigned int bad;
};

__printf(4, 5)
static void tell(struct report *r, const char *what, enum state state,
		 const char *fmt, ...)
{
	static const struct {
		const char *word;
		enum out_colour colour;
	} states[] = {
		[GOOD] = { "ok", OUT_GREEN },
		[NOTE] = { "note", OUT_YELLOW },
		[BAD] = { "wrong", OUT_RED },
	};
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->bad += state == BAD;
	out_row(r->out);
	out_cell(r->out, COL_WHAT);
	out_string(r->out, "what", "", what);
	out_cell(r->out, COL_STATE);
	out_string(r->out, "state", "", states[state].word);
	out_colour(r->out, states[state].colour);
	out_cell(r->out, COL_TEXT);
	out_string(r->out, "text", "", text);
	out_row_end(r->out);
}

/*
 * Return the first line of @file, or NULL if @file cannot be opened. The next
 * call overwrites the line.
 */
static const char *line_of(const char *file)
{
	static char line[512];
	FILE *f = fopen(file, "r");

	if (!f)
		return NULL;
	if (!fgets(line, sizeof(line), f))
		*line = 0;
	line[strcspn(line, "\n")] = 0;
	fclose(f);
	return line;
}

static void check_kernel(struct report *r)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) != 2 ||
	    major * 1000 + minor < 6001)
		tell(r, "kernel", BAD, "%s is older than 6.1, the first that is supported",
		     u.release);
	else
		tell(r, "kernel", GOOD, "%s", u.release);
}

/* Report a kernel that loads only signed modules. */
static void check_signature(struct report *r)
{
	const char *line = line_of("/sys/module/module/parameters/sig_enforce");
	bool enforced = line && *line == 'Y';

	line = line_of("/sys/kernel/security/lockdown");
	if (enforced || (line && !strstr(line, "[none]")))
		tell(r, "signature", BAD,
		     "this kernel takes modules alone that are signed with a key it knows (%s)",
		     enforced ? "module.sig_enforce" : "it is locked down");
}

static bool check_module(struct report *r)
{
	const char *taint;

	if (access(MODULE, F_OK)) {
		tell(r, "module", BAD,
		     "it is not loaded; 'insmod kmod/altconn.ko' or 'modprobe altconn' loads it");
		check_signature(r);
		return false;
	}
	taint = line_of(MODULE "taint");
	if (taint && strchr(taint, 'E'))
		tell(r, "module", NOTE,
		     "it is loaded without a signature: a kernel that is locked down (secure boot) takes signed ones alone");
	else
		tell(r, "module", GOOD, "it is loaded");
	return true;
}

static bool check_family(struct report *r, struct family *family)
{
	if (family_ask(family) != EXIT_OK) {
		tell(r, "netlink", BAD, "the module does not answer over generic netlink");
		return false;
	}
	if (strcmp(family->version, TOOL_VERSION))
		tell(r, "version", NOTE, "the module is %s, this tool %s",
		     family->version, TOOL_VERSION);
	else
		tell(r, "version", GOOD, "module and tool are %s", TOOL_VERSION);
	if (family->number != AF_ALTCONN)
		tell(r, "number", NOTE,
		     "the family is %u, not %u: programs must ask for it, as 'altconn run' does",
		     family->number, AF_ALTCONN);
	else
		tell(r, "number", GOOD, "the family is %u", family->number);
	return true;
}

/* Check whether this process, and so its children, can open a socket. */
static void check_socket(struct report *r, const struct family *family)
{
	int fd = socket(family->number, SOCK_STREAM, 0);

	if (fd >= 0) {
		close(fd);
		tell(r, "socket", GOOD, "socket() makes one");
	} else if (errno == EACCES || errno == EPERM) {
		tell(r, "socket", BAD,
		     "socket() says %s: a security module or a seccomp filter forbids family %u; an AppArmor profile would need 'network ash'",
		     strerrorname_np(errno), family->number);
	} else {
		tell(r, "socket", BAD, "socket() says %s; a seccomp filter may be in the way",
		     strerrorname_np(errno));
	}
}

static void check_seccomp(struct report *r)
{
	FILE *f = fopen("/proc/self/status", "r");
	int mode = 0, filters = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Seccomp: %d", &mode) == 1)
			continue;
		if (sscanf(line, "Seccomp_filters: %d", &filters) == 1)
			break;
	}
	if (f)
		fclose(f);
	if (mode)
		tell(r, "seccomp", NOTE,
		     "%d filters hold for this process: containers' default ones forbid families that they do not know",
		     filters);
	else
		tell(r, "seccomp", GOOD, "no filter holds for this process");
}

static void check_lsm(struct report *r)
{
	const char *list = line_of("/sys/kernel/security/lsm");
	char lsms[256];
	const char *label;

	if (!list) {
		tell(r, "lsm", NOTE, "which security modules there are is not to be seen");
		return;
	}
	snprintf(lsms, sizeof(lsms), "%s", list);
	label = line_of("/proc/self/attr/current");
	if (label && *label && strcmp(label, "unconfined"))
		tell(r, "lsm", NOTE,
		     "%s; this process is confined as %s, and its policy sees the family by its number",
		     lsms, label);
	else
		tell(r, "lsm", GOOD, "%s; this process is unconfined", lsms);
}

static long sysctl(const char *name)
{
	char file[128];
	const char *line;

	snprintf(file, sizeof(file), "/proc/sys/net/altconn/%s", name);
	line = line_of(file);
	return line ? atol(line) : -1;
}

/*
 * A network namespace as a whole has at most this many times the limit of one
 * user, net.altconn.max_associations (altconn(7)).
 */
#define LIMIT_USERS	16

static void check_limits(struct report *r, const struct family *family)
{
	long most = sysctl("max_associations") * LIMIT_USERS;
	unsigned long long n = family->assocs;

	if (most >= 0 && n * 10 >= (unsigned long long)most * 9)
		tell(r, "limits", BAD,
		     "%llu of %ld associations are there; net.altconn.max_associations can be raised",
		     n, most);
	else
		tell(r, "limits", GOOD,
		     "%llu of %ld associations; deadline %ld ms, %ld attempts may wait at a listener, half of them one user's",
		     n, most, sysctl("connect_timeout_ms"),
		     sysctl("max_waiting"));
}

static void check_listeners(struct report *r)
{
	struct found found = { };
	char text[ADDR_TEXT_MAX];
	unsigned int full = 0;
	size_t i;

	if (found_ask(&found, NULL) != EXIT_OK)
		return;
	for (i = 0; i < found.n_socks; i++) {
		const struct sock *s = &found.socks[i];

		if (!s->listening || (!s->waiting && !s->overflow))
			continue;
		full++;
		addr_format(&s->owner.addr, text);
		tell(r, "listener", NOTE, "%s: %u wait, %llu found no room so far; does it accept?",
		     text, s->waiting, (unsigned long long)s->overflow);
	}
	if (!full)
		tell(r, "listener", GOOD, "nobody waits at any listener of this namespace");
	found_free(&found);
}

static void on_holder(const struct holder *holder, void *data)
{
	tell(data, "holder", NOTE,
	     "%s, process %d, has %u of its sockets; 'altconn why %d' lists them",
	     holder->comm, holder->pid, holder->sockets, holder->pid);
}

static void check_holders(struct report *r, const struct family *family)
{
	unsigned int hidden, all;
	long refs;

	all = held_by_whom(family->number, on_holder, r, &hidden);
	refs = held_references();
	if (refs < 1)
		tell(r, "unload", GOOD, "nobody holds the module: rmmod works");
	else if (hidden)
		tell(r, "unload", NOTE,
		     "%ld references hold the module, %u sockets are to be seen and %u processes are not: root would see them",
		     refs, all, hidden);
	else
		tell(r, "unload", NOTE,
		     "%ld references hold the module: %u sockets of processes, and what is in queues",
		     refs, all);
}

/**
 * doctor_main - run "altconn doctor"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code, which is EXIT_FAILED if a check finds something wrong.
 */
int doctor_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	struct family family = { };
	struct report r = { };
	int ret;

	out_options(cmd, argc, argv, &style);
	ret = opt_no_arguments(cmd, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	r.out = out_open(&style, columns, COL_COUNT);
	out_list(r.out, "checks");
	check_kernel(&r);
	if (check_module(&r) && check_family(&r, &family)) {
		check_socket(&r, &family);
		check_limits(&r, &family);
		check_listeners(&r);
		check_holders(&r, &family);
	}
	check_seccomp(&r);
	check_lsm(&r);
	ret = out_close(r.out);
	return ret == EXIT_OK && r.bad ? EXIT_FAILED : ret;
}
