// SPDX-License-Identifier: GPL-2.0
/*
 * altconn show: a row for each listener, datagram socket and association,
 * the attempts that wait included.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "altconn.h"
#include "filter.h"
#include "out.h"
#include "record.h"
#include "rule.h"
#include "sort.h"

enum { OPT_SORT = 780 };

const struct opt show_opts[] = {
	FILTER_OPTS,
	{ 'a', "all", NULL, NULL, "as without; taken for those used to ss" },
	{ 'e', "extended", NULL, NULL, "add ids, ages and counters" },
	{ 'H', "no-header", NULL, NULL, "print no header" },
	{ 'n', "numeric", NULL, NULL, "as always; taken for those used to ss" },
	{ OPT_SORT, "sort", "KEY", SORT_KEYS,
	  "order; the oldest, fullest and longest waiting are first" },
	{ 'r', "reverse", NULL, NULL, "turn the order round" },
	{ 'p', "processes", NULL, NULL, "as always; taken for the same" },
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ }
};

enum {
	COL_TYPE, COL_STATE, COL_RECVQ, COL_SENDQ, COL_WAIT, COL_LOCAL,
	COL_PEER, COL_PROCESS, COL_DETAIL, COL_COUNT
};

static struct out_column columns[COL_COUNT] = {
	[COL_TYPE] = { "TYPE" },
	[COL_STATE] = { "STATE" },
	[COL_RECVQ] = { "RECV-Q", .right = true },
	[COL_SENDQ] = { "SEND-Q", .right = true },
	[COL_WAIT] = { "WAIT", .right = true },
	[COL_LOCAL] = { "LOCAL" },
	[COL_PEER] = { "PEER" },
	[COL_PROCESS] = { "PROCESS" },
	[COL_DETAIL] = { "DETAIL", .hidden = true },
};

/**
 * struct show - what was asked for
 * @filter: which rows
 * @style: how to print
 * @sort: by what, or NULL: as they came
 * @reverse: the other way round
 */
struct show {
	struct filter filter;
	struct out_style style;
	const char *sort;
	bool reverse;
};

static void put_type(struct out *out, uint32_t type)
{
	out_cell(out, COL_TYPE);
	out_string(out, "type", "", type_name(type));
}

static void put_addr(struct out *out, const char *key, unsigned int col,
		     const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];

	addr_format(addr, text);
	out_cell(out, col);
	out_string(out, key, "", text);
}

static void put_process(struct out *out, const struct end *end)
{
	char comm[4 * RECORD_TEXT_MAX + 1];

	out_cell(out, COL_PROCESS);
	if (record_has(end->known, ALTCONN_A_END_COMM)) {
		escape_bytes((const unsigned char *)end->comm,
			     strlen(end->comm), comm);
		out_string(out, "comm", ",", comm);
	}
	if (record_has(end->known, ALTCONN_A_END_PID))
		out_uint(out, "pid", ",pid=", end->pid);
	if (record_has(end->known, ALTCONN_A_END_UID))
		out_uint(out, "uid", ",uid=", end->uid);
}

static void put_dress(struct out *out, const char *lead, uint32_t dress)
{
	static const char * const names[] = {
		[ALTCONN_NATIVE] = "native",
		[ALTCONN_UNIX] = "unix",
		[ALTCONN_INET] = "inet",
		[ALTCONN_INET6] = "inet6",
	};

	out_cell(out, COL_DETAIL);
	if (dress < ARRAY_SIZE(names))
		out_string(out, "dress", lead, names[dress]);
	else
		out_uint(out, "dress", lead, dress);
}

/* Its address goes to the column @addr, its unread bytes to @queue. */
static void put_end(struct out *out, const char *key, const struct end *end,
		    unsigned int addr, unsigned int queue)
{
	out_group(out, key);
	put_addr(out, "address", addr, &end->addr);
	if (record_has(end->known, ALTCONN_A_END_DRESS))
		put_dress(out, addr == COL_PEER ? "/" : ",", end->dress);
	put_process(out, end);
	if (record_has(end->known, ALTCONN_A_END_INODE))
		out_uint(out, "inode", NULL, end->inode);
	if (record_has(end->known, ALTCONN_A_END_RECV_QUEUE)) {
		out_cell(out, queue);
		out_uint(out, "recv_queue", "", end->recv_queue);
	}
	out_group_end(out);
}

static void put_state(struct out *out, uint32_t state)
{
	static const struct {
		const char *text;
		enum out_colour colour;
	} states[] = {
		[ALTCONN_ASSOC_STATE_PENDING] = { "WAIT", OUT_YELLOW },
		[ALTCONN_ASSOC_STATE_QUEUED] = { "QUEUED", OUT_YELLOW },
		[ALTCONN_ASSOC_STATE_ESTABLISHED] = { "ESTAB", OUT_GREEN },
		[ALTCONN_ASSOC_STATE_CLOSING] = { "CLOSING", OUT_DIM },
		[ALTCONN_ASSOC_STATE_CLOSED] = { "CLOSED", OUT_DIM },
	};

	out_cell(out, COL_STATE);
	if (state >= ARRAY_SIZE(states)) {
		out_word(out, "state", "unknown", "?");
		return;
	}
	out_word(out, "state", assoc_state(state), states[state].text);
	out_colour(out, states[state].colour);
}

static void put_wait(struct out *out, const struct assoc *a)
{
	bool pending = a->state == ALTCONN_ASSOC_STATE_PENDING;
	const char *lead = a->waited_ms ? ",waited:" : NULL;

	out_cell(out, pending ? COL_WAIT : COL_DETAIL);
	if (pending && a->place)
		out_uint(out, "place", "#", a->place);
	if (record_has(a->known, ALTCONN_A_ASSOC_RULE))
		out_uint(out, "rule", pending ? "rule:" : ",rule:", a->rule);
	if (record_has(a->known, ALTCONN_A_ASSOC_WAITED_MS))
		out_ms(out, "waited_ms", pending ? " " : lead, a->waited_ms);
}

static bool end_has_process(const struct end *end)
{
	return record_has(end->known, ALTCONN_A_END_PID) ||
	       record_has(end->known, ALTCONN_A_END_UID);
}

static void put_assoc(struct out *out, const struct assoc *a)
{
	out_row(out);
	out_cell(out, COL_DETAIL);
	out_uint(out, "id", "id:", a->id);
	put_type(out, a->type);
	put_state(out, a->state);
	put_end(out, "client", &a->client, COL_LOCAL, COL_RECVQ);
	if (end_has_process(&a->server)) {
		out_cell(out, COL_PROCESS);
		out_string(out, NULL,
			   out_cell_empty(out) ? "- -> " : " -> ", "");
	}
	put_end(out, "server", &a->server, COL_PEER, COL_SENDQ);
	put_wait(out, a);
	out_cell(out, COL_DETAIL);
	out_ms(out, "age_ms", ",age:", a->age_ms);
	out_uint(out, "listener", ",listener:", a->listener);
	out_row_end(out);
}

static void put_listener(struct out *out, const struct sock *s)
{
	out_cell(out, COL_STATE);
	out_word(out, "state", "listening", "LISTEN");
	out_colour(out, OUT_CYAN);
	out_cell(out, COL_RECVQ);
	out_uint(out, "queued", "", s->queued);
	out_uint(out, "backlog", "/", s->backlog);
	out_cell(out, COL_WAIT);
	out_uint(out, "waiting", "", s->waiting);
	if (s->waiting)
		out_colour(out, OUT_YELLOW);
	out_cell(out, COL_DETAIL);
	out_uint(out, "established", ",established:", s->established);
	out_uint(out, "waited", ",waited:", s->waited);
	out_uint(out, "refused", ",refused:", s->refused);
	out_uint(out, "overflow", ",overflow:", s->overflow);
	out_uint(out, "timed_out", ",timed-out:", s->timed_out);
}

static void put_datagram(struct out *out, const struct sock *s)
{
	out_cell(out, COL_STATE);
	if (sock_connected(s)) {
		out_word(out, "state", "established", "ESTAB");
		out_colour(out, OUT_GREEN);
	} else {
		out_word(out, "state", "unconnected", "UNCONN");
	}
}

static void put_sock(struct out *out, const struct sock *s)
{
	struct end owner = s->owner;

	out_row(out);
	out_cell(out, COL_DETAIL);
	out_uint(out, "id", "id:", s->id);
	put_type(out, s->type);
	if (s->listening) {
		owner.known &= ~(1U << ALTCONN_A_END_RECV_QUEUE);
		put_end(out, "owner", &owner, COL_LOCAL, COL_RECVQ);
		put_listener(out, s);
	} else {
		put_end(out, "owner", &owner, COL_LOCAL, COL_RECVQ);
		put_datagram(out, s);
	}
	put_addr(out, "peer", COL_PEER, &s->peer);
	out_cell(out, COL_DETAIL);
	out_bool(out, "reachable", ",reachable", s->reachable);
	out_row_end(out);
}

static int print(const struct show *show, const struct found *found)
{
	struct out *out = out_open(&show->style, columns, COL_COUNT);
	size_t i;

	out_bool(out, "interrupted", NULL, found->interrupted);
	out_list(out, "sockets");
	for (i = 0; i < found->n_socks; i++)
		if (filter_sock(&show->filter, &found->socks[i]))
			put_sock(out, &found->socks[i]);
	out_list(out, "associations");
	for (i = 0; i < found->n_assocs; i++)
		if (filter_assoc(&show->filter, &found->assocs[i]))
			put_assoc(out, &found->assocs[i]);
	return out_close(out);
}

static int take_option(struct show *show, int key)
{
	switch (key) {
	case 'e':
		columns[COL_DETAIL].hidden = false;
		return EXIT_OK;
	case 'r':
		show->reverse = true;
		return EXIT_OK;
	case OPT_SORT:
		show->sort = optarg;
		return EXIT_OK;
	default:
		return out_option(&show->style, key) ? EXIT_OK :
		       filter_option(&show->filter, "show", key);
	}
}

/**
 * show_main - altconn show
 * @cmd: the command
 * @argc: how many words
 * @argv: the words
 *
 * Return: the exit code.
 */
int show_main(const struct command *cmd, int argc, char **argv)
{
	struct found found = { };
	struct show show = { };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = take_option(&show, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&show.filter, "show", argc - optind,
				       argv + optind);
	if (ret == EXIT_OK)
		ret = found_ask(&found);
	if (ret == EXIT_OK) {
		if (show.sort || show.reverse)
			sort_found(&found, show.sort ? : "id", show.reverse);
		ret = print(&show, &found);
	}
	/* As ip(8) says it. */
	if (ret == EXIT_OK && found.interrupted)
		complain("show: some ended while the list was read");
	free(show.filter.addrs);
	found_free(&found);
	return ret;
}
