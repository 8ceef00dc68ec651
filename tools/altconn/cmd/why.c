// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn why" explains how the last attempt of a socket ended.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/open_socket.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/reason.h"
#include "lib/record.h"

static const struct opt why_opts[] = {
	OUT_OPT_JSON,
	{ }
};

/* Return a duration as text. The next call overwrites the text. */
static const char *why_duration(uint64_t ns)
{
	static char text[32];

	if (ns < 1000000)
		snprintf(text, sizeof(text), "%.3g us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(text, sizeof(text), "%.3g ms", ns / 1e6);
	else
		snprintf(text, sizeof(text), "%.1f s", ns / 1e9);
	return text;
}

static bool why_waits(const struct open_socket *s)
{
	return s->info.aci_errno == EINPROGRESS;
}

static bool why_has_tried(const struct open_socket *s)
{
	return s->info.aci_reason != ALTCONN_REASON_NONE || s->info.aci_errno;
}

/* Explain in sentences how the attempt ended, or for how long it goes on. */
static void why_put_sentences(struct out *out,
			      const struct altconn_connect_info *info,
			      bool waits)
{
	const char *act = "decided or parked";

	if (waits && info->aci_position)
		out_text(out,
			 "\n  its attempt waits at its address for %s so far: position %u in the queue",
			 why_duration(info->aci_waited_ns), info->aci_position);
	else if (waits)
		out_text(out, "\n  its attempt is under way, for %s so far",
			 why_duration(info->aci_waited_ns));
	else if (info->aci_errno)
		out_text(out, "\n  its last attempt failed with %s: %s",
			 strerrorname_np(info->aci_errno) ? : "an error",
			 reason_text(info->aci_reason));
	else if (info->aci_waited_ns)
		out_text(out, "\n  its last attempt succeeded after %s",
			 why_duration(info->aci_waited_ns));
	else
		out_text(out, "\n  its last attempt succeeded at once");
	if (info->aci_errno && !waits && info->aci_waited_ns)
		out_text(out, "\n  it had waited for %s",
			 why_duration(info->aci_waited_ns));
	/* An attempt that has a position is no longer parked. */
	if (waits)
		act = info->aci_position ? "delayed" : "has parked";
	if (info->aci_rule)
		out_text(out, "\n  rule %u %s it; 'altconn rule' lists the rules of a namespace",
			 info->aci_rule, act);
}

static void why_put_attempt(struct out *out, const struct open_socket *s)
{
	const struct altconn_connect_info *info = &s->info;
	const char *result = "OK";

	if (info->aci_errno)
		result = strerrorname_np(info->aci_errno) ? : "unknown";
	why_put_sentences(out, info, why_waits(s));
	out_string(out, "result", NULL, result);
	out_string(out, "reason", NULL, reason_name(info->aci_reason));
	out_uint(out, "waited_ns", NULL, info->aci_waited_ns);
	if (info->aci_position)
		out_uint(out, "position", NULL, info->aci_position);
	if (info->aci_rule)
		out_uint(out, "rule", NULL, info->aci_rule);
}

static void why_put_socket(struct out *out, const struct open_socket *s)
{
	char own[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
	const char *format = addr_format_name(s->format) ? : "?";
	bool bound = s->own.kind != ALTCONN_KIND_NONE;

	addr_to_text(&s->own, own);
	addr_to_text(&s->peer, peer);
	out_text(out, "%s, process %d, descriptor %d: %s %s socket",
		 s->comm, s->pid, s->fd, format, record_type_name(s->type));
	out_uint(out, "pid", NULL, s->pid);
	out_uint(out, "fd", NULL, s->fd);
	out_string(out, "comm", NULL, s->comm);
	out_string(out, "type", NULL, record_type_name(s->type));
	out_string(out, "format", NULL, format);
	out_string(out, "address", bound ? ", bound to " : NULL, own);
	if (s->connected)
		out_string(out, "peer", ", connected to ", peer);
	out_bool(out, "listens", "\n  it listens", s->listens);
	if (s->listens)
		return;
	if (why_has_tried(s))
		why_put_attempt(out, s);
	else if (s->connected)
		out_text(out, "\n  it was connected by its peer, or made as one of a pair");
	else
		out_text(out, "\n  it has not tried to connect");
}

/**
 * struct why - output
 * @out: output that gets the sockets
 * @n: number of sockets printed so far
 */
struct why {
	struct out *out;
	unsigned int n;
};

static int why_on_socket(const struct open_socket *s, void *data)
{
	struct why *why = data;

	why->n++;
	out_row(why->out);
	why_put_socket(why->out, s);
	out_row_end(why->out);
	return 0;
}

static int why_print_error(int err, int pid, int fd)
{
	switch (-err) {
	case ENOTSOCK:
		message_error("why: descriptor %d of process %d is no socket of this family",
			      fd, pid);
		break;
	case EBADF:
		message_error("why: process %d has no descriptor %d", pid, fd);
		break;
	case ESRCH:
	case ENOENT:
		message_error("why: there is no process %d", pid);
		break;
	case EPERM:
	case EACCES:
		message_error("why: no permission for process %d: CAP_SYS_PTRACE is needed",
			      pid);
		break;
	default:
		message_error("why: process %d: %s", pid, strerror(-err));
	}
	return EXIT_FAILED;
}

/* Print the socket @fd of a process, or all its sockets if @fd is negative. */
static int why_put_process(struct why *why, int pid, int fd, int family,
			   bool json)
{
	struct open_socket s;
	int err;

	if (fd < 0) {
		err = open_socket_walk(pid, family, why_on_socket, why);
	} else {
		err = open_socket_read(pid, fd, family, &s);
		if (!err)
			why_on_socket(&s, why);
	}
	if (err)
		return why_print_error(err, pid, fd);
	if (why->n || json)
		return EXIT_OK;
	message_error("why: process %d has no socket of this family", pid);
	return EXIT_FAILED;
}

static int why_parse(char **words, int *pid, int *fd)
{
	*fd = -1;
	if (!words[0]) {
		message_error("why: state which process; 'altconn show' lists processes");
		return EXIT_USAGE;
	}
	if (!parse_int(words[0], pid) || !*pid) {
		message_error("why: '%s' is no process id", words[0]);
		return EXIT_USAGE;
	}
	if (words[1] && !parse_int(words[1], fd)) {
		message_error("why: '%s' is no descriptor", words[1]);
		return EXIT_USAGE;
	}
	return words[1] ? opt_no_more("why", words[0], words + 1, 1) : EXIT_OK;
}

static int why_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { .tight = true };
	struct why why = { };
	struct family family;
	int pid, fd, ret, err;

	out_options(cmd, argc, argv, &style);
	ret = why_parse(argv + optind, &pid, &fd);
	if (ret == EXIT_OK)
		ret = record_get_family(&family);
	if (ret != EXIT_OK)
		return ret;
	why.out = out_open_text(&style);
	out_list(why.out, "sockets");
	ret = why_put_process(&why, pid, fd, family.number, style.json);
	/* After an error, JSON would be incomplete. */
	if (ret != EXIT_OK && style.json) {
		out_discard(why.out);
		return ret;
	}
	err = out_close(why.out);
	return ret == EXIT_OK ? err : ret;
}

const struct command command_why = {
	.name = "why",
	.run = why_main,
	.help = "explain how the last attempt of a socket ended",
	.synopsis = "[OPTION...] PID [FD]",
	.opts = why_opts,
};
