// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn doctor" checks the kernel, the module and this process. It prints
 * each problem with a remedy, and lists the processes that keep the module
 * loaded.
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

#include "lib/addr.h"
#include "lib/command.h"
#include "lib/found.h"
#include "lib/message.h"
#include "lib/open_socket.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/record.h"

#define MODULE	"/sys/module/altconn/"

static const struct opt doctor_opts[] = {
	OUT_OPT_JSON,
	OUT_OPT_COLOR,
	OUT_OPT_NO_HEADER,
	{ }
};

enum { COL_WHAT, COL_STATE, COL_TEXT, COL_COUNT };

static const struct out_column doctor_columns[COL_COUNT] = {
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
static void doctor_report(struct report *r, const char *what, enum state state,
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
static const char *doctor_first_line(const char *file)
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

static void doctor_check_kernel(struct report *r)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) != 2 ||
	    major * 1000 + minor < 6001)
		doctor_report(r, "kernel", BAD,
			      "%s is older than 6.1, the first version that is supported",
			      u.release);
	else
		doctor_report(r, "kernel", GOOD, "%s", u.release);
}

/* Report a kernel that loads only signed modules. */
static void doctor_check_signature(struct report *r)
{
	const char *line = doctor_first_line("/sys/module/module/parameters/sig_enforce");
	bool enforced = line && *line == 'Y';

	line = doctor_first_line("/sys/kernel/security/lockdown");
	if (enforced || (line && !strstr(line, "[none]")))
		doctor_report(r, "signature", BAD,
			      "this kernel loads only modules that are signed with a key it knows (%s)",
			      enforced ? "module.sig_enforce" : "it is locked down");
}

static bool doctor_check_module(struct report *r)
{
	const char *taint;

	if (access(MODULE, F_OK)) {
		doctor_report(r, "module", BAD,
			      "the module is not loaded; 'insmod kmod/altconn.ko' or 'modprobe altconn' loads it");
		doctor_check_signature(r);
		return false;
	}
	taint = doctor_first_line(MODULE "taint");
	if (taint && strchr(taint, 'E'))
		doctor_report(r, "module", NOTE,
			      "the module is loaded without a signature: a kernel that is locked down (secure boot) loads only signed modules");
	else
		doctor_report(r, "module", GOOD, "the module is loaded");
	return true;
}

static bool doctor_check_family(struct report *r, struct family *family)
{
	if (record_get_family(family) != EXIT_OK) {
		doctor_report(r, "netlink", BAD,
			      "the module does not answer over generic netlink");
		return false;
	}
	if (strcmp(family->version, TOOL_VERSION))
		doctor_report(r, "version", NOTE,
			      "the version of the module is %s, and that of the tool is %s",
			      family->version, TOOL_VERSION);
	else
		doctor_report(r, "version", GOOD,
			      "the version of the module and of the tool is %s",
			      TOOL_VERSION);
	if (family->number != AF_ALTCONN)
		doctor_report(r, "number", NOTE,
			      "the number of the family is %u, not %u: programs must find the number, as 'altconn run' does",
			      family->number, AF_ALTCONN);
	else
		doctor_report(r, "number", GOOD, "the number of the family is %u",
			      family->number);
	return true;
}

/* Check whether this process, and so its children, can open a socket. */
static void doctor_check_socket(struct report *r, const struct family *family)
{
	int fd = socket(family->number, SOCK_STREAM, 0);

	if (fd >= 0) {
		close(fd);
		doctor_report(r, "socket", GOOD, "socket() succeeds");
	} else if (errno == EACCES || errno == EPERM) {
		doctor_report(r, "socket", BAD,
			      "socket() fails with %s: a security module or a seccomp filter forbids family %u; an AppArmor profile needs 'network ash'",
			      strerrorname_np(errno), family->number);
	} else {
		doctor_report(r, "socket", BAD,
			      "socket() fails with %s; a seccomp filter may be the cause",
			      strerrorname_np(errno));
	}
}

static void doctor_check_seccomp(struct report *r)
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
		doctor_report(r, "seccomp", NOTE,
			      "%d filters apply to this process; the default filters of containers forbid families that they do not know",
			      filters);
	else
		doctor_report(r, "seccomp", GOOD, "no filter applies to this process");
}

static void doctor_check_lsm(struct report *r)
{
	const char *list = doctor_first_line("/sys/kernel/security/lsm");
	char lsms[256];
	const char *label;

	if (!list) {
		doctor_report(r, "lsm", NOTE, "the list of security modules is not readable");
		return;
	}
	snprintf(lsms, sizeof(lsms), "%s", list);
	label = doctor_first_line("/proc/self/attr/current");
	if (label && *label && strcmp(label, "unconfined"))
		doctor_report(r, "lsm", NOTE,
			      "%s; this process is confined as %s, and the policy applies to the number of the family",
			      lsms, label);
	else
		doctor_report(r, "lsm", GOOD, "%s; this process is unconfined", lsms);
}

static long doctor_sysctl(const char *name)
{
	char file[128];
	const char *line;

	snprintf(file, sizeof(file), "/proc/sys/net/altconn/%s", name);
	line = doctor_first_line(file);
	return line ? atol(line) : -1;
}

/*
 * A network namespace as a whole has at most this many times the limit of one
 * user, net.altconn.max_associations (altconn(7)).
 */
#define LIMIT_USERS	16

static void doctor_check_limits(struct report *r, const struct family *family)
{
	long most = doctor_sysctl("max_associations") * LIMIT_USERS;
	unsigned long long n = family->assocs;

	if (most >= 0 && n * 10 >= (unsigned long long)most * 9)
		doctor_report(r, "limits", BAD,
			      "the namespace has %llu of %ld associations; a larger net.altconn.max_associations raises the limit",
			      n, most);
	else
		doctor_report(r, "limits", GOOD,
			      "the namespace has %llu of %ld associations; the deadline is %ld ms; %ld attempts may wait at a listener, and one user may have half of them",
			      n, most, doctor_sysctl("connect_timeout_ms"),
			      doctor_sysctl("max_waiting"));
}

static void doctor_check_listeners(struct report *r)
{
	struct found found = { };
	char text[ADDR_TEXT_MAX];
	unsigned int full = 0;
	size_t i;

	if (found_get(&found, NULL) != EXIT_OK)
		return;
	for (i = 0; i < found.n_socks; i++) {
		const struct sock *s = &found.socks[i];

		if (!s->listening || (!s->waiting && !s->overflow))
			continue;
		full++;
		addr_to_text(&s->owner.addr, text);
		doctor_report(r, "listener", NOTE,
			      "%s: %u attempts wait, and %llu were refused for lack of space; perhaps the server does not call accept()",
			      text, s->waiting,
			      (unsigned long long)s->overflow);
	}
	if (!full)
		doctor_report(r, "listener", GOOD,
			      "no attempt waits at a listener of this namespace");
	found_free(&found);
}

static void doctor_on_holder(const struct holder *holder, void *data)
{
	doctor_report(data, "holder", NOTE,
		      "%s, process %d, has %u sockets of the family; 'altconn why %d' lists them",
		      holder->comm, holder->pid, holder->sockets, holder->pid);
}

static void doctor_check_holders(struct report *r, const struct family *family)
{
	unsigned int hidden, all;
	long refs;

	all = open_socket_walk_holders(family->number, doctor_on_holder, r,
				       &hidden);
	refs = open_socket_references();
	if (refs < 1)
		doctor_report(r, "unload", GOOD, "nothing holds the module: rmmod works");
	else if (hidden)
		doctor_report(r, "unload", NOTE,
			      "%ld references hold the module: %u sockets are visible, and the sockets of %u processes are visible to root only",
			      refs, all, hidden);
	else
		doctor_report(r, "unload", NOTE,
			      "%ld references hold the module: %u sockets of processes, and sockets in queues",
			      refs, all);
}

static int doctor_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	struct family family = { };
	struct report r = { };
	int ret;

	out_options(cmd, argc, argv, &style);
	ret = opt_no_arguments(cmd, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	r.out = out_open(&style, doctor_columns, COL_COUNT);
	out_list(r.out, "checks");
	doctor_check_kernel(&r);
	if (doctor_check_module(&r) && doctor_check_family(&r, &family)) {
		doctor_check_socket(&r, &family);
		doctor_check_limits(&r, &family);
		doctor_check_listeners(&r);
		doctor_check_holders(&r, &family);
	}
	doctor_check_seccomp(&r);
	doctor_check_lsm(&r);
	ret = out_close(r.out);
	return ret == EXIT_OK && r.bad ? EXIT_FAILED : ret;
}

const struct command command_doctor = {
	.name = "doctor",
	.run = doctor_main,
	.help = "check the module, and list the processes that keep it loaded",
	.synopsis = "[OPTION...]",
	.opts = doctor_opts,
};
