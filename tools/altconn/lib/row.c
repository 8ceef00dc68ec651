// SPDX-License-Identifier: GPL-2.0
/*
 * This file prints listeners, datagram sockets and associations as rows of a
 * table or of JSON.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/altconn.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/out.h"
#include "lib/reason.h"
#include "lib/record.h"
#include "lib/row.h"

enum {
	COL_TYPE, COL_STATE, COL_RECVQ, COL_SENDQ, COL_WAIT, COL_LOCAL,
	COL_PEER, COL_PROCESS, COL_DETAIL, COL_COUNT
};

static struct out_column row_columns[COL_COUNT] = {
	[COL_TYPE] = { "TYPE" },
	[COL_STATE] = { "STATE" },
	[COL_RECVQ] = { "RECV-Q", .right = true },
	[COL_SENDQ] = { "SEND-Q", .right = true },
	[COL_WAIT] = { "WAIT", .right = true },
	[COL_LOCAL] = { "LOCAL" },
	[COL_PEER] = { "PEER" },
	[COL_PROCESS] = { "PROCESS" },
	[COL_DETAIL] = { "DETAIL" },
};

/**
 * row_open - begin output of rows
 * @style: style of the output
 * @extended: print ids, ages and counters in the table too; JSON always has
 *	them
 *
 * Return: the output, which out_close() prints and frees.
 */
struct out *row_open(const struct out_style *style, bool extended)
{
	row_columns[COL_DETAIL].hidden = !extended;
	return out_open(style, row_columns, COL_COUNT);
}

/**
 * row_comm - write the command name of the process of an end as text
 * @end: the end of an association, or the owner of a socket
 * @text: gets the name, escaped; space for ROW_COMM_MAX bytes
 */
void row_comm(const struct end *end, char *text)
{
	addr_escape((const unsigned char *)end->comm, strlen(end->comm), text);
}

/**
 * row_process - write the process of an end as text
 * @end: the end of an association, or the owner of a socket
 * @text: gets "COMM (PID)", or "user UID" if the user may not see the pid, or
 *	"?" if the uid is not known either; space for ROW_PROCESS_MAX bytes
 */
void row_process(const struct end *end, char *text)
{
	char comm[ROW_COMM_MAX];

	if (record_has(end->known, ALTCONN_A_END_PID)) {
		row_comm(end, comm);
		sprintf(text, "%s (%u)", comm, end->pid);
	} else if (record_has(end->known, ALTCONN_A_END_UID)) {
		sprintf(text, "user %u", end->uid);
	} else {
		strcpy(text, "?");
	}
}

static void row_put_type(struct out *out, uint32_t type)
{
	out_cell(out, COL_TYPE);
	out_string(out, "type", "", record_type_name(type));
}

static void row_put_addr(struct out *out, const char *key, unsigned int col,
			 const struct addr *addr)
{
	char text[ADDR_TEXT_MAX];

	addr_to_text(addr, text);
	out_cell(out, col);
	out_string(out, key, "", text);
}

static void row_put_process(struct out *out, const struct end *end)
{
	char comm[ROW_COMM_MAX];

	out_cell(out, COL_PROCESS);
	if (record_has(end->known, ALTCONN_A_END_COMM)) {
		row_comm(end, comm);
		out_string(out, "comm", ",", comm);
	}
	if (record_has(end->known, ALTCONN_A_END_PID))
		out_uint(out, "pid", ",pid=", end->pid);
	if (record_has(end->known, ALTCONN_A_END_UID))
		out_uint(out, "uid", ",uid=", end->uid);
}

static void row_put_format(struct out *out, const char *lead, uint32_t format)
{
	const char *name = addr_format_name(format);

	out_cell(out, COL_DETAIL);
	if (name)
		out_string(out, "format", lead, name);
	else
		out_uint(out, "format", lead, format);
}

/* Print the address in the column @addr, and the unread bytes in @queue. */
static void row_put_end(struct out *out, const char *key, const struct end *end,
			unsigned int addr, unsigned int queue)
{
	out_group(out, key);
	row_put_addr(out, "address", addr, &end->addr);
	if (record_has(end->known, ALTCONN_A_END_FORMAT))
		row_put_format(out, addr == COL_PEER ? "/" : ",", end->format);
	row_put_process(out, end);
	if (record_has(end->known, ALTCONN_A_END_INODE))
		out_uint(out, "inode", NULL, end->inode);
	if (record_has(end->known, ALTCONN_A_END_RECV_QUEUE)) {
		out_cell(out, queue);
		out_uint(out, "recv_queue", "", end->recv_queue);
	}
	out_group_end(out);
}

static void row_put_state(struct out *out, uint32_t state)
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
	out_word(out, "state", record_state_name(state), states[state].text);
	out_colour(out, states[state].colour);
}

static void row_put_wait(struct out *out, const struct assoc *a)
{
	bool pending = a->state == ALTCONN_ASSOC_STATE_PENDING;
	const char *lead = a->waited_ms ? ",waited:" : NULL;

	out_cell(out, pending ? COL_WAIT : COL_DETAIL);
	if (pending && a->position)
		out_uint(out, "position", "#", a->position);
	if (record_has(a->known, ALTCONN_A_ASSOC_RULE))
		out_uint(out, "rule", pending ? "rule:" : ",rule:", a->rule);
	if (record_has(a->known, ALTCONN_A_ASSOC_WAITED_MS))
		out_ms(out, "waited_ms", pending ? " " : lead, a->waited_ms);
}

static bool row_end_has_process(const struct end *end)
{
	return record_has(end->known, ALTCONN_A_END_PID) ||
	       record_has(end->known, ALTCONN_A_END_UID);
}

/**
 * row_assoc - print an association in the current row
 * @out: output of row_open()
 * @a: the association
 */
void row_assoc(struct out *out, const struct assoc *a)
{
	out_cell(out, COL_DETAIL);
	out_uint(out, "id", "id:", a->id);
	row_put_type(out, a->type);
	row_put_state(out, a->state);
	row_put_end(out, "client", &a->client, COL_LOCAL, COL_RECVQ);
	if (row_end_has_process(&a->server)) {
		out_cell(out, COL_PROCESS);
		out_string(out, NULL,
			   out_cell_empty(out) ? "- -> " : " -> ", "");
	}
	row_put_end(out, "server", &a->server, COL_PEER, COL_SENDQ);
	row_put_wait(out, a);
	out_cell(out, COL_DETAIL);
	out_ms(out, "age_ms", ",age:", a->age_ms);
	out_uint(out, "begun_ns", NULL, a->begun_ns);
	out_uint(out, "listener", ",listener:", a->listener);
}

/*
 * Print the outcomes by reason. The table skips two reasons, since it has their
 * numbers already, as "established" and "timed-out".
 */
static void row_put_outcomes(struct out *out, const struct sock *s)
{
	const char *name, *sep = " (";
	char lead[64];
	uint32_t key;
	size_t i;

	out_group(out, "outcomes");
	for (i = 0; i < s->n; i++) {
		key = s->outcome[i].key;
		name = reason_name(key);
		if (key == ALTCONN_REASON_ESTABLISHED ||
		    key == ALTCONN_REASON_DEADLINE) {
			out_uint(out, name, NULL, s->outcome[i].count);
			continue;
		}
		snprintf(lead, sizeof(lead), "%s%s:", sep, name);
		out_uint(out, name, lead, s->outcome[i].count);
		sep = " ";
	}
	out_group_end(out);
	if (*sep && !sep[1])
		out_string(out, NULL, ")", "");
}

static void row_put_listener(struct out *out, const struct sock *s)
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
	row_put_outcomes(out, s);
}

static void row_put_datagram(struct out *out, const struct sock *s)
{
	out_cell(out, COL_STATE);
	if (record_sock_is_connected(s)) {
		out_word(out, "state", "established", "ESTAB");
		out_colour(out, OUT_GREEN);
	} else {
		out_word(out, "state", "unconnected", "UNCONN");
	}
}

/**
 * row_sock - print a listener or a datagram socket in the current row
 * @out: output of row_open()
 * @s: the socket
 */
void row_sock(struct out *out, const struct sock *s)
{
	char file[4 * PATH_MAX];
	struct end owner = s->owner;

	out_cell(out, COL_DETAIL);
	out_uint(out, "id", "id:", s->id);
	out_uint(out, "begun_ns", NULL, s->begun_ns);
	row_put_type(out, s->type);
	if (s->listening) {
		owner.known &= ~(1U << ALTCONN_A_END_RECV_QUEUE);
		row_put_end(out, "owner", &owner, COL_LOCAL, COL_RECVQ);
		row_put_listener(out, s);
	} else {
		row_put_end(out, "owner", &owner, COL_LOCAL, COL_RECVQ);
		row_put_datagram(out, s);
	}
	row_put_addr(out, "peer", COL_PEER, &s->peer);
	out_cell(out, COL_DETAIL);
	out_bool(out, "reachable", ",reachable", s->reachable);
	if (s->file) {
		addr_escape((const unsigned char *)s->file, strlen(s->file),
			    file);
		out_string(out, "file", ",file:", file);
	}
}
