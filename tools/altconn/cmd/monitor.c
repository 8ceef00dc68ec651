// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn monitor" prints the events of the network namespace as they happen.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <linux/genetlink.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/nl.h"
#include "lib/out.h"
#include "lib/reason.h"
#include "lib/rule.h"

enum { OPT_COUNT = 740 };

#define EVENTS	"begin wait established failed accepted closed rules nodes"

const struct opt monitor_opts[] = {
	{ 'e', "event", "EVENT", EVENTS, "these events alone; may come more than once" },
	{ 't', "type", "TYPE", "stream seqpacket dgram", "one type only" },
	{ OPT_COUNT, "count", "N", NULL, "end after so many" },
	{ 'j', "json", NULL, NULL, "print JSON, an object a line" },
	OPT_COLOR_ENTRY,
	{ }
};

static const struct {
	const char *name;
	enum out_colour colour;
} kinds[] = {
	[ALTCONN_EVENT_KIND_CONNECT_BEGIN] = { "begin", OUT_DIM },
	[ALTCONN_EVENT_KIND_CONNECT_WAIT] = { "wait", OUT_YELLOW },
	[ALTCONN_EVENT_KIND_ESTABLISHED] = { "established", OUT_GREEN },
	[ALTCONN_EVENT_KIND_FAILED] = { "failed", OUT_RED },
	[ALTCONN_EVENT_KIND_ACCEPTED] = { "accepted", OUT_GREEN },
	[ALTCONN_EVENT_KIND_CLOSED] = { "closed", OUT_DIM },
	[ALTCONN_EVENT_KIND_RULES_CHANGED] = { "rules", OUT_CYAN },
	[ALTCONN_EVENT_KIND_NODES_CHANGED] = { "nodes", OUT_CYAN },
};

/**
 * struct monitor - the events to print, and the progress
 * @filter: selects events by address; its other members are not used
 * @type: name of the selected socket type, or NULL for all
 * @wanted: selected kinds of events, bit n for kind n; 0 selects all
 * @count: number of events that are still to be printed; 0 is no limit
 * @json: print JSON
 * @coloured: print colours
 * @failed: standard output could not be written
 * @done: the last event has been printed, or @failed is set
 * @begun: @seq is valid
 * @seq: number of the last event; before the first event, the number in the
 *	module's answer to ALTCONN_CMD_MONITOR
 */
struct monitor {
	struct filter filter;
	const char *type;
	unsigned int wanted;
	unsigned long count;
	bool json, coloured, failed, done, begun;
	uint64_t seq;
};

static bool is_wanted(const struct monitor *m, const struct event *ev)
{
	size_t i;

	if (m->wanted && (ev->kind >= 32 || !(m->wanted & 1U << ev->kind)))
		return false;
	/* An event of the whole namespace has no type and no addresses. */
	if (!ev->type)
		return true;
	if (m->type && strcmp(m->type, type_name(ev->type)))
		return false;
	for (i = 0; i < m->filter.n_addrs; i++)
		if (addr_equal(&m->filter.addrs[i], &ev->client.addr) ||
		    addr_equal(&m->filter.addrs[i], &ev->server.addr))
			return true;
	return !m->filter.n_addrs;
}

static const char *kind_name(uint32_t kind)
{
	return kind < ARRAY_SIZE(kinds) ? kinds[kind].name : "unknown";
}

static void print_end(const struct end *end)
{
	char text[ADDR_TEXT_MAX], comm[4 * RECORD_TEXT_MAX + 1];

	addr_format(&end->addr, text);
	fputs(text, stdout);
	if (!record_has(end->known, ALTCONN_A_END_PID))
		return;
	escape_bytes((const unsigned char *)end->comm, strlen(end->comm), comm);
	printf(" (%s,%u)", comm, end->pid);
}

static void print_text(const struct monitor *m, const struct event *ev)
{
	time_t seconds = ev->time_ns / 1000000000;
	const char *colour = m->coloured && ev->kind < ARRAY_SIZE(kinds) ?
			     out_code(kinds[ev->kind].colour) : NULL;
	char when[16];

	strftime(when, sizeof(when), "%H:%M:%S", localtime(&seconds));
	printf("%s.%06u %s%-11s%s", when,
	       (unsigned int)(ev->time_ns % 1000000000 / 1000), colour ? : "",
	       kind_name(ev->kind), colour ? "\033[0m" : "");
	if (ev->type)
		printf(" %-9s ", type_name(ev->type));
	if (record_has(ev->known, ALTCONN_A_EVENT_CLIENT)) {
		print_end(&ev->client);
		fputs(" -> ", stdout);
		print_end(&ev->server);
	}
	if (ev->assoc)
		printf(" id:%llu", (unsigned long long)ev->assoc);
	if (ev->place)
		printf(" place:%u", ev->place);
	if (ev->kind == ALTCONN_EVENT_KIND_FAILED)
		printf(" %s: %s", error_name(ev->error) ? : "error",
		       reason_name(ev->reason));
	if (ev->waited_ns)
		printf(" waited:%.3fms", ev->waited_ns / 1e6);
	if (record_has(ev->known, ALTCONN_A_EVENT_END))
		fputs(ev->end ? " by the server" : " by the client", stdout);
	putchar('\n');
}

static struct json_object *end_json(const struct end *end)
{
	char text[ADDR_TEXT_MAX], comm[4 * RECORD_TEXT_MAX + 1];
	struct json_object *o = json_object_new_object();

	addr_format(&end->addr, text);
	json_object_object_add(o, "address", json_object_new_string(text));
	if (record_has(end->known, ALTCONN_A_END_PID))
		json_object_object_add(o, "pid", json_object_new_int(end->pid));
	if (record_has(end->known, ALTCONN_A_END_COMM)) {
		escape_bytes((const unsigned char *)end->comm,
			     strlen(end->comm), comm);
		json_object_object_add(o, "comm", json_object_new_string(comm));
	}
	if (record_has(end->known, ALTCONN_A_END_UID))
		json_object_object_add(o, "uid", json_object_new_int64(end->uid));
	return o;
}

static void put_line(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

static void add_number(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

static void print_json(const struct event *ev)
{
	struct json_object *o = json_object_new_object();

	add_string(o, "event", kind_name(ev->kind));
	add_number(o, "seq", ev->seq);
	add_number(o, "time_ns", ev->time_ns);
	if (ev->assoc)
		add_number(o, "id", ev->assoc);
	if (ev->type)
		add_string(o, "type", type_name(ev->type));
	if (record_has(ev->known, ALTCONN_A_EVENT_CLIENT)) {
		json_object_object_add(o, "client", end_json(&ev->client));
		json_object_object_add(o, "server", end_json(&ev->server));
	}
	if (ev->place)
		add_number(o, "place", ev->place);
	if (error_name(ev->error))
		add_string(o, "errno", error_name(ev->error));
	if (ev->reason)
		add_string(o, "reason", reason_name(ev->reason));
	if (ev->waited_ns)
		add_number(o, "waited_ns", ev->waited_ns);
	if (record_has(ev->known, ALTCONN_A_EVENT_END))
		add_string(o, "end", ev->end ? "server" : "client");
	put_line(o);
}

static void print_lost(const struct monitor *m, uint64_t count)
{
	struct json_object *o;

	if (!m->json) {
		complain("%llu events were lost", (unsigned long long)count);
		return;
	}
	o = json_object_new_object();
	add_string(o, "event", "lost");
	add_number(o, "count", count);
	put_line(o);
}

static int on_event(const struct nlmsghdr *nlh, void *data)
{
	struct monitor *m = data;
	struct event ev;

	if (m->done)
		return MNL_CB_STOP;
	if (event_read(nlh, &ev) < 0)
		return MNL_CB_ERROR;
	/* The event is older than the answer to ALTCONN_CMD_MONITOR. */
	if (m->begun && ev.seq <= m->seq)
		return MNL_CB_OK;
	if (m->begun && ev.seq > m->seq + 1)
		print_lost(m, ev.seq - m->seq - 1);
	m->begun = true;
	m->seq = ev.seq;
	if (!is_wanted(m, &ev))
		return MNL_CB_OK;
	if (m->json)
		print_json(&ev);
	else
		print_text(m, &ev);
	if (fflush(stdout) || ferror(stdout)) {
		complain("monitor: cannot write: %s", strerror(errno));
		m->failed = true;
		m->done = true;
	} else if (m->count && !--m->count) {
		m->done = true;
	}
	return m->done ? MNL_CB_STOP : MNL_CB_OK;
}

/*
 * Handle the answer to ALTCONN_CMD_MONITOR. Events may arrive before the
 * answer: their netlink sequence number is 0, so libmnl does not refuse them.
 */
static int on_begin(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct monitor *m = data;
	struct event ev;

	if (genl->cmd == ALTCONN_CMD_EVENT)
		return on_event(nlh, data) == MNL_CB_ERROR ? MNL_CB_ERROR :
							     MNL_CB_OK;
	if (event_read(nlh, &ev) < 0)
		return MNL_CB_ERROR;
	if (!m->begun)
		m->seq = ev.seq;
	m->begun = true;
	return MNL_CB_OK;
}

static int run(struct monitor *m)
{
	struct nl nl;
	int ret = nl_open(&nl);

	if (ret == EXIT_OK)
		ret = nl_begin(&nl);
	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_MONITOR, on_begin, m);
	if (ret == EXIT_OK && !m->done)
		ret = nl_listen(&nl, ALTCONN_CMD_EVENT, on_event, m);
	nl_close(&nl);
	return m->failed ? EXIT_FAILED : ret;
}

static int parse_count(struct monitor *m)
{
	char *end;

	errno = 0;
	m->count = strtoul(optarg, &end, 10);
	if (*optarg >= '0' && *optarg <= '9' && !*end && !errno && m->count)
		return EXIT_OK;
	complain("monitor: '%s' is no count of events", optarg);
	return EXIT_USAGE;
}

static int take_option(struct monitor *m, int key)
{
	size_t i;

	switch (key) {
	case 'e':
		for (i = 0; i < ARRAY_SIZE(kinds); i++)
			if (!strcmp(optarg, kinds[i].name))
				m->wanted |= 1U << i;
		return EXIT_OK;
	case 't':
		m->type = optarg;
		return EXIT_OK;
	case 'j':
		m->json = true;
		return EXIT_OK;
	case OPT_COUNT:
		return parse_count(m);
	default:
		m->coloured = out_wants_colour(optarg);
		return EXIT_OK;
	}
}

/**
 * monitor_main - run "altconn monitor"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int monitor_main(const struct command *cmd, int argc, char **argv)
{
	struct monitor m = { .coloured = out_wants_colour(NULL) };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = take_option(&m, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&m.filter, cmd->name, argc - optind,
				       argv + optind);
	if (ret == EXIT_OK)
		ret = run(&m);
	free(m.filter.addrs);
	return ret;
}
