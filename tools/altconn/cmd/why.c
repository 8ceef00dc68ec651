// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn why" explains how the last attempt of a socket ended.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/held.h"
#include "lib/reason.h"
#include "lib/record.h"
#include "lib/rule.h"

const struct opt why_opts[] = {
	OPT_JSON_ENTRY,
	{ }
};

static const char *format_name(int format)
{
	static const char * const names[] = { "native", "unix", "inet", "inet6" };

	return format >= 0 && format < (int)ARRAY_SIZE(names) ? names[format] : "?";
}

/* Return a duration as text. The next call overwrites the text. */
static const char *duration(uint64_t ns)
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

static bool waits(const struct held *held)
{
	return held->info.aci_errno == EINPROGRESS;
}

static bool has_tried(const struct held *held)
{
	return held->info.aci_reason != ALTCONN_REASON_NONE ||
	       held->info.aci_errno;
}

static void say_attempt(const struct held *held)
{
	const struct altconn_connect_info *info = &held->info;

	if (waits(held) && info->aci_place)
		printf("  its attempt waits at the listener for %s so far: place %u in the queue\n",
		       duration(info->aci_waited_ns), info->aci_place);
	else if (waits(held))
		printf("  its attempt is under way, for %s so far\n",
		       duration(info->aci_waited_ns));
	else if (!info->aci_errno)
		printf("  its last attempt succeeded%s%s\n",
		       info->aci_waited_ns ? " after " : " at once",
		       info->aci_waited_ns ? duration(info->aci_waited_ns) : "");
	else
		printf("  its last attempt failed with %s: %s\n",
		       strerrorname_np(info->aci_errno) ? : "an error",
		       reason_text(info->aci_reason));
	if (info->aci_errno && !waits(held) && info->aci_waited_ns)
		printf("  it had waited for %s\n", duration(info->aci_waited_ns));
	if (info->aci_rule)
		printf("  rule %u %s it; 'altconn rule' lists the rules of a namespace\n",
		       info->aci_rule, waits(held) ? "holds" : "decided, or held");
}

static void say(const struct held *held)
{
	char own[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];

	addr_format(&held->own, own);
	addr_format(&held->peer, peer);
	printf("%s, process %d, descriptor %d: %s %s socket", held->comm,
	       held->pid, held->fd, format_name(held->format),
	       type_name(held->type));
	if (held->own.kind != ALTCONN_KIND_NONE)
		printf(", bound to %s", own);
	if (held->connected)
		printf(", connected to %s", peer);
	putchar('\n');
	if (held->listens)
		puts("  it listens");
	else if (has_tried(held))
		say_attempt(held);
	else if (held->connected)
		puts("  it was connected by its peer, or made as one of a pair");
	else
		puts("  it has not tried to connect");
}

static struct json_object *as_json(const struct held *held)
{
	struct json_object *o = json_object_new_object();
	const struct altconn_connect_info *info = &held->info;
	char text[ADDR_TEXT_MAX];
	const char *name;

	json_object_object_add(o, "pid", json_object_new_int(held->pid));
	json_object_object_add(o, "fd", json_object_new_int(held->fd));
	json_object_object_add(o, "comm", json_object_new_string(held->comm));
	json_object_object_add(o, "type",
			       json_object_new_string(type_name(held->type)));
	json_object_object_add(o, "format",
			       json_object_new_string(format_name(held->format)));
	addr_format(&held->own, text);
	json_object_object_add(o, "address", json_object_new_string(text));
	addr_format(&held->peer, text);
	if (held->connected)
		json_object_object_add(o, "peer", json_object_new_string(text));
	json_object_object_add(o, "listens",
			       json_object_new_boolean(held->listens));
	if (held->listens || !has_tried(held))
		return o;
	name = info->aci_errno ? strerrorname_np(info->aci_errno) : "OK";
	json_object_object_add(o, "result",
			       json_object_new_string(name ? : "unknown"));
	name = reason_name(info->aci_reason);
	json_object_object_add(o, "reason", json_object_new_string(name));
	json_object_object_add(o, "waited_ns",
			       json_object_new_uint64(info->aci_waited_ns));
	if (info->aci_place)
		json_object_object_add(o, "place",
				       json_object_new_int64(info->aci_place));
	if (info->aci_rule)
		json_object_object_add(o, "rule",
				       json_object_new_int64(info->aci_rule));
	return o;
}

/**
 * struct asked - output
 * @json: array that gets an object for each socket, or NULL to print text
 * @n: number of sockets printed so far
 */
struct asked {
	struct json_object *json;
	unsigned int n;
};

static int take(const struct held *held, void *data)
{
	struct asked *asked = data;

	asked->n++;
	if (asked->json)
		json_object_array_add(asked->json, as_json(held));
	else
		say(held);
	return 0;
}

static int complain_look(int err, int pid, int fd)
{
	switch (-err) {
	case ENOTSOCK:
		complain("why: descriptor %d of process %d is no socket of this family",
			 fd, pid);
		break;
	case EBADF:
		complain("why: process %d has no descriptor %d", pid, fd);
		break;
	case ESRCH:
	case ENOENT:
		complain("why: there is no process %d", pid);
		break;
	case EPERM:
	case EACCES:
		complain("why: no permission for process %d: CAP_SYS_PTRACE would do",
			 pid);
		break;
	default:
		complain("why: process %d: %s", pid, strerror(-err));
	}
	return EXIT_FAILED;
}

static int parse(const char *text, const char *what, int least, int *value)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	*value = v;
	if (*text >= '0' && *text <= '9' && !*end && !errno && v >= least &&
	    v <= INT_MAX)
		return EXIT_OK;
	complain("why: '%s' is no %s", text, what);
	return EXIT_USAGE;
}

static int look(int pid, int fd, int family, struct asked *asked)
{
	struct held held;
	int err;

	if (fd < 0) {
		err = held_each(pid, family, take, asked);
	} else {
		err = held_look(pid, fd, family, &held);
		if (!err)
			take(&held, asked);
	}
	if (err)
		return complain_look(err, pid, fd);
	if (!asked->n && !asked->json)
		complain("why: process %d has no socket of this family", pid);
	return asked->n || asked->json ? EXIT_OK : EXIT_FAILED;
}

static int print_json(struct json_object *list)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "sockets", list);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return fflush(stdout) || ferror(stdout) ? EXIT_FAILED : EXIT_OK;
}

/**
 * why_main - run "altconn why"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int why_main(const struct command *cmd, int argc, char **argv)
{
	struct asked asked = { };
	struct family family;
	bool json = false;
	int pid, fd = -1, ret;

	while (opt_next(cmd, argc, argv) != -1)
		json = true;
	if (optind == argc) {
		complain("why: which process? 'altconn show' tells some");
		return EXIT_USAGE;
	}
	ret = parse(argv[optind], "process id", 1, &pid);
	if (ret == EXIT_OK && argv[optind + 1])
		ret = parse(argv[optind + 1], "descriptor", 0, &fd);
	if (ret == EXIT_OK && argv[optind + 1])
		ret = opt_no_more(cmd->name, argv[optind], argv + optind + 1, 1);
	if (ret == EXIT_OK)
		ret = family_ask(&family);
	if (ret != EXIT_OK)
		return ret;
	if (json)
		asked.json = json_object_new_array();
	ret = look(pid, fd, family.number, &asked);
	if (json && ret == EXIT_OK)
		return print_json(asked.json);
	json_object_put(asked.json);
	return ret;
}
