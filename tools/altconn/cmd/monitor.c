// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn monitor" prints the events of the network namespace as they happen.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/genetlink.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/command.h"
#include "lib/filter.h"
#include "lib/message.h"
#include "lib/names_gen.h"
#include "lib/nl.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/reason.h"
#include "lib/record.h"
#include "lib/row.h"

#define EVENTS	"begin wait established failed accepted closed rules nodes"

static const struct opt monitor_opts[] = {
	{ 'e', "event", "EVENT", EVENTS,
	  "only this event; the option may be repeated" },
	{ 't', "type", "TYPE", "stream seqpacket dgram",
	  "only this socket type" },
	{ OPT_COUNT, "count", "N", NULL, "end after this many events" },
	{ 'j', "json", NULL, NULL, "print JSON, an object a line" },
	OUT_OPT_COLOR,
	{ }
};

#define KIND(kind, name) \
	[ALTCONN_EVENT_KIND_##kind] = name,

static const char * const monitor_names[] = {
	ALTCONN_EVENT_KIND_LIST(KIND)
};

/*
 * Properties of the kinds of events. @name is the tool's own name for the kind.
 * If it is NULL, the tool uses the name in the netlink specification.
 */
static const struct {
	enum out_colour colour;
	const char *name;
} monitor_kinds[ARRAY_SIZE(monitor_names)] = {
	[ALTCONN_EVENT_KIND_CONNECT_BEGIN] = { OUT_DIM, "begin" },
	[ALTCONN_EVENT_KIND_CONNECT_WAIT] = { OUT_YELLOW, "wait" },
	[ALTCONN_EVENT_KIND_ESTABLISHED] = { OUT_GREEN },
	[ALTCONN_EVENT_KIND_FAILED] = { OUT_RED },
	[ALTCONN_EVENT_KIND_ACCEPTED] = { OUT_GREEN },
	[ALTCONN_EVENT_KIND_CLOSED] = { OUT_DIM },
	[ALTCONN_EVENT_KIND_RULES_CHANGED] = { OUT_CYAN, "rules" },
	[ALTCONN_EVENT_KIND_NODES_CHANGED] = { OUT_CYAN, "nodes" },
};

static const char *monitor_kind_name(uint32_t kind)
{
	if (kind >= ARRAY_SIZE(monitor_kinds))
		return "unknown";
	return monitor_kinds[kind].name ? : monitor_names[kind];
}

/**
 * struct monitor - the events to print, and the progress
 * @filter: selects events by type and address; its other members are not used
 * @style: style of the output
 * @wanted: selected kinds of events, bit n for kind n; 0 selects all
 * @count: number of events that are still to be printed; 0 is no limit
 * @failed: standard output could not be written
 * @done: the last event has been printed, or @failed is set
 * @begun: @seq is valid
 * @seq: number of the last event; before the first event, the number in the
 *	module's answer to ALTCONN_CMD_MONITOR
 */
struct monitor {
	struct filter filter;
	struct out_style style;
	unsigned int wanted;
	unsigned long count;
	bool failed, done, begun;
	uint64_t seq;
};

static bool monitor_takes(const struct monitor *m, const struct event *ev)
{
	if (m->wanted && (ev->kind >= 32 || !(m->wanted & 1U << ev->kind)))
		return false;
	/* An event of the whole namespace has no type and no addresses. */
	if (!ev->type)
		return true;
	if (m->filter.type &&
	    strcmp(m->filter.type, record_type_name(ev->type)))
		return false;
	return filter_has_addr(&m->filter, &ev->client.addr, &ev->server.addr);
}

static void monitor_put_kind(struct out *out, uint32_t kind)
{
	enum out_colour colour = OUT_PLAIN;
	const char *name = monitor_kind_name(kind);
	char text[16];

	if (kind < ARRAY_SIZE(monitor_kinds))
		colour = monitor_kinds[kind].colour;
	snprintf(text, sizeof(text), "%-11s", name);
	out_coloured_text(out, colour, text);
	out_string(out, "event", NULL, name);
}

static void monitor_put_time(struct out *out, uint64_t ns)
{
	time_t seconds = ns / 1000000000;
	char text[16];

	strftime(text, sizeof(text), "%H:%M:%S", localtime(&seconds));
	out_text(out, "%s.%06u ", text, (unsigned int)(ns % 1000000000 / 1000));
}

static void monitor_put_end(struct out *out, const char *key,
			    const struct end *end)
{
	bool has_pid = record_has(end->known, ALTCONN_A_END_PID);
	char text[ADDR_TEXT_MAX], comm[ROW_COMM_MAX];

	addr_to_text(&end->addr, text);
	row_comm(end, comm);
	out_group(out, key);
	out_string(out, "address", "", text);
	if (has_pid) {
		out_text(out, " (%s,%u)", comm, end->pid);
		out_uint(out, "pid", NULL, end->pid);
	}
	if (record_has(end->known, ALTCONN_A_END_COMM))
		out_string(out, "comm", NULL, comm);
	if (record_has(end->known, ALTCONN_A_END_UID))
		out_uint(out, "uid", NULL, end->uid);
	out_group_end(out);
}

static void monitor_put_result(struct out *out, const struct event *ev)
{
	const char *error = reason_error_name(ev->error);

	if (ev->kind == ALTCONN_EVENT_KIND_FAILED)
		out_text(out, " %s: %s", error ? : "error",
			 reason_name(ev->reason));
	if (error)
		out_string(out, "errno", NULL, error);
	if (ev->reason)
		out_string(out, "reason", NULL, reason_name(ev->reason));
	if (ev->waited_ns) {
		out_text(out, " waited:%.3fms", ev->waited_ns / 1e6);
		out_uint(out, "waited_ns", NULL, ev->waited_ns);
	}
	if (record_has(ev->known, ALTCONN_A_EVENT_END))
		out_string(out, "end", " by the ",
			   ev->end ? "server" : "client");
}

static int monitor_print(const struct monitor *m, const struct event *ev)
{
	struct out *out = out_open_text(&m->style);

	out_row(out);
	monitor_put_time(out, ev->time_ns);
	monitor_put_kind(out, ev->kind);
	out_uint(out, "seq", NULL, ev->seq);
	out_uint(out, "time_ns", NULL, ev->time_ns);
	/* In JSON the id precedes the addresses. In text it follows them. */
	if (ev->assoc)
		out_uint(out, "id", NULL, ev->assoc);
	if (ev->type) {
		out_text(out, " %-9s ", record_type_name(ev->type));
		out_string(out, "type", NULL, record_type_name(ev->type));
	}
	if (record_has(ev->known, ALTCONN_A_EVENT_CLIENT)) {
		monitor_put_end(out, "client", &ev->client);
		out_text(out, " -> ");
		monitor_put_end(out, "server", &ev->server);
	}
	if (ev->assoc)
		out_uint(out, NULL, " id:", ev->assoc);
	if (ev->position)
		out_uint(out, "position", " position:", ev->position);
	monitor_put_result(out, ev);
	out_row_end(out);
	return out_close(out);
}

/* Print the number of lost events: in JSON as an object, else to stderr. */
static int monitor_print_lost(const struct monitor *m, uint64_t count)
{
	struct out *out;

	if (!m->style.json) {
		message_error("%llu events were lost",
			      (unsigned long long)count);
		return EXIT_OK;
	}
	out = out_open_text(&m->style);
	out_string(out, "event", NULL, "lost");
	out_uint(out, "count", NULL, count);
	return out_close(out);
}

static int monitor_on_event(const struct nlmsghdr *nlh, void *data)
{
	struct monitor *m = data;
	struct event ev;
	int ret = EXIT_OK;

	if (m->done)
		return MNL_CB_STOP;
	if (record_read_event(nlh, &ev) < 0)
		return MNL_CB_ERROR;
	/* The event is older than the answer to ALTCONN_CMD_MONITOR. */
	if (m->begun && ev.seq <= m->seq)
		return MNL_CB_OK;
	if (m->begun && ev.seq > m->seq + 1)
		ret = monitor_print_lost(m, ev.seq - m->seq - 1);
	m->begun = true;
	m->seq = ev.seq;
	if (ret == EXIT_OK && !monitor_takes(m, &ev))
		return MNL_CB_OK;
	if (ret == EXIT_OK)
		ret = monitor_print(m, &ev);
	m->failed = ret != EXIT_OK;
	m->done = m->failed || (m->count && !--m->count);
	return m->done ? MNL_CB_STOP : MNL_CB_OK;
}

/*
 * Handle the answer to ALTCONN_CMD_MONITOR. Events may arrive before the
 * answer: their netlink sequence number is 0, so libmnl does not refuse them.
 */
static int monitor_on_begin(const struct nlmsghdr *nlh, void *data)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct monitor *m = data;
	struct event ev;

	if (genl->cmd == ALTCONN_CMD_EVENT)
		return monitor_on_event(nlh, data) == MNL_CB_ERROR ?
		       MNL_CB_ERROR : MNL_CB_OK;
	if (record_read_event(nlh, &ev) < 0)
		return MNL_CB_ERROR;
	if (!m->begun)
		m->seq = ev.seq;
	m->begun = true;
	return MNL_CB_OK;
}

static int monitor_run(struct monitor *m)
{
	struct nl nl;
	int ret = nl_open(&nl);

	if (ret == EXIT_OK)
		ret = nl_begin(&nl);
	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_MONITOR, monitor_on_begin, m);
	if (ret == EXIT_OK && !m->done)
		ret = nl_listen(&nl, ALTCONN_CMD_EVENT, monitor_on_event, m);
	nl_close(&nl);
	return m->failed ? EXIT_FAILED : ret;
}

static int monitor_option(struct monitor *m, int key)
{
	size_t i;

	switch (key) {
	case 'e':
		for (i = 0; i < ARRAY_SIZE(monitor_kinds); i++)
			if (!strcmp(optarg, monitor_kind_name(i)))
				m->wanted |= 1U << i;
		return EXIT_OK;
	case OPT_COUNT:
		if (parse_count(optarg, &m->count))
			return EXIT_OK;
		message_error("monitor: '%s' is no count of events", optarg);
		return EXIT_USAGE;
	default:
		return out_option(&m->style, key) ? EXIT_OK :
		       filter_option(&m->filter, "monitor", key);
	}
}

static int monitor_main(const struct command *cmd, int argc, char **argv)
{
	struct monitor m = { .style.line = true };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = monitor_option(&m, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&m.filter, cmd->name, argc - optind,
				       argv + optind);
	if (ret == EXIT_OK)
		ret = monitor_run(&m);
	free(m.filter.addrs);
	return ret;
}

const struct command command_monitor = {
	.name = "monitor",
	.run = monitor_main,
	.help = "print events as they happen",
	.synopsis = "[OPTION...] [ADDRESS...]",
	.opts = monitor_opts,
};
