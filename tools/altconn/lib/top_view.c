// SPDX-License-Identifier: GPL-2.0
/*
 * This file takes samples for "altconn top", and makes lines of text or JSON
 * from them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/reason.h"
#include "lib/row.h"
#include "lib/sort.h"
#include "lib/top.h"

const struct top_view_info top_views[VIEWS] = {
	[VIEW_LISTENERS] = {
		"listeners", "listeners", TOP_LISTENER_KEYS " queue wait local pid type id",
		"TYPE         QUEUE   WAIT   ESTAB/s  WAITED/s  FAILED/s OVERFLOW/s  ADDRESS                  PROCESS",
	},
	[VIEW_CONNECTIONS] = {
		"connections", "connections", SORT_KEYS,
		"TYPE      STATE        RECV-Q   SEND-Q       AGE  LOCAL -> PEER                            PROCESSES",
	},
	[VIEW_WAITING] = {
		"waiting", "attempts", "wait age pid type local peer id",
		"TYPE      POSITION       WAITED   RULE  LOCAL -> PEER                            PROCESS",
	},
	[VIEW_REASONS] = {
		"outcomes", "outcomes", "",
		"REASON                        PER SECOND            TOTAL",
	},
};

static void top_free_snapshot(struct top_snapshot *snapshot)
{
	found_free(&snapshot->found);
	memset(snapshot, 0, sizeof(*snapshot));
}

/**
 * top_take - take a snapshot, and compute the rates since the one before
 * @top: gets the snapshot
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int top_take(struct top *top)
{
	struct top_snapshot next = { };
	int ret = sample_take(&next.sample);

	if (ret == EXIT_OK)
		ret = found_get(&next.found, NULL);
	if (ret != EXIT_OK) {
		top_free_snapshot(&next);
		return ret;
	}
	top_free_snapshot(&top->then);
	top->then = top->now;
	top->now = next;
	/* top_busy() searches sockets by their ids. */
	sort_found(&top->then.found, "id", false);
	/* The first snapshot has none before it, so all rates are zero. */
	if (!top->then.sample.ns) {
		top->rates = (struct interval) { .seconds = 1 };
		return EXIT_OK;
	}
	top->rates = sample_between(&top->then.sample, &top->now.sample);
	return EXIT_OK;
}

/* ---- lines ---- */

__printf(3, 4)
static struct top_line *top_add_line(struct top *top, enum out_colour colour,
				     const char *fmt, ...)
{
	struct top_line *line;
	va_list args;

	top->lines = array_add(top->lines, top->n_lines, sizeof(*top->lines));
	line = &top->lines[top->n_lines++];
	line->colour = colour;
	line->header = false;
	va_start(args, fmt);
	line->text = message_format(fmt, args);
	va_end(args);
	return line;
}

static void top_free_lines(struct top *top)
{
	while (top->n_lines)
		free(top->lines[--top->n_lines].text);
}

static void top_age_to_text(uint64_t ms, char *text, size_t size)
{
	unsigned long long s = ms / 1000;

	if (s < 60)
		snprintf(text, size, "%llu.%us", s, (unsigned int)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(text, size, "%llum%02llus", s / 60, s % 60);
	else
		snprintf(text, size, "%lluh%02llum", s / 3600, s / 60 % 60);
}

static void top_add_head(struct top *top)
{
	const struct interval *r = &top->rates;
	char when[16], p50[SAMPLE_LIMIT_MAX], p99[SAMPLE_LIMIT_MAX];
	char latency[2 * SAMPLE_LIMIT_MAX + 64] = "";
	time_t now = time(NULL);

	strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
	top_add_line(top, OUT_PLAIN,
		     "altconn top  %s  every %gs%s   associations %llu  inbound %llu  sockets %llu  queued %llu  waiting %llu",
		     when, top->delay, top->paused ? "  PAUSED" : "",
		     (unsigned long long)top->now.sample.family.assocs,
		     (unsigned long long)top->now.sample.family.inbound,
		     (unsigned long long)top->now.sample.family.sockets,
		     (unsigned long long)top->now.sample.queued,
		     (unsigned long long)top->now.sample.waiting);
	sample_limit_to_text(r->p50, p50);
	sample_limit_to_text(r->p99, p99);
	if (r->established)
		snprintf(latency, sizeof(latency),
			 "   half of them in < %s, 99%% in < %s", p50, p99);
	top_add_line(top, OUT_PLAIN,
		     "per second: attempts %.0f  established %.0f  failed %.0f  waited %.0f  accepted %.0f%s",
		     r->attempts, r->established, r->failed, r->waited,
		     r->accepted, latency);
	top_add_line(top, OUT_PLAIN, "%s", "");
	top_add_line(top, OUT_PLAIN, "%s", top_views[top->view].header)->header = true;
}

/* ---- listeners ---- */

/**
 * struct busy - a listener and its rates
 * @sock: the listener
 * @established: attempts that were established, per second
 * @waited: attempts that had to wait, per second
 * @failed: attempts that failed, per second
 * @overflow: attempts that failed because the backlog or the waiting room was
 *	full, per second
 */
struct busy {
	const struct sock *sock;
	double established, waited, failed, overflow;
};

static int top_compare_ids(const void *key, const void *member)
{
	const uint64_t *id = key;
	const struct sock *s = member;

	return (*id > s->id) - (*id < s->id);
}

/* Return the number of attempts that have failed for any reason. */
static uint64_t top_failures(const struct sock *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->outcome[i].key != ALTCONN_REASON_ESTABLISHED)
			sum += s->outcome[i].count;
	return sum;
}

/*
 * Compute the rates of a listener. The counters of a listener that is new since
 * the sample before began at zero. At the first sample all rates are zero.
 */
static struct busy top_busy(const struct top *top, const struct sock *now)
{
	static const struct sock nothing;
	const struct found *before = &top->then.found;
	const struct sock *then = before->n_socks ?
		bsearch(&now->id, before->socks, before->n_socks,
			sizeof(*before->socks), top_compare_ids) : NULL;
	double s = top->rates.seconds;

	if (!then)
		then = top->then.sample.ns ? &nothing : now;
	return (struct busy) {
		.sock = now,
		.established = (now->established - then->established) / s,
		.waited = (now->waited - then->waited) / s,
		.failed = (top_failures(now) - top_failures(then)) / s,
		.overflow = (now->overflow - then->overflow) / s,
	};
}

static double top_busy_value(const struct busy *b, const char *key)
{
	if (!strcmp(key, "rate"))
		return b->established;
	return strcmp(key, "failed") ? b->overflow : b->failed;
}

static int top_compare_busy(const void *left, const void *right, void *data)
{
	const struct busy *a = left, *b = right;
	const struct top *top = data;
	const char *key = top->sort[VIEW_LISTENERS];
	double x = top_busy_value(a, key), y = top_busy_value(b, key);

	if (x == y)
		return (a->sock->id > b->sock->id) -
		       (a->sock->id < b->sock->id);
	return (x < y) != top->reverse ? 1 : -1;
}

static void top_add_listener(struct top *top, const struct busy *b)
{
	const struct sock *s = b->sock;
	enum out_colour colour = OUT_PLAIN;
	char addr[ADDR_TEXT_MAX], process[ROW_PROCESS_MAX], queue[32];

	addr_to_text(&s->owner.addr, addr);
	row_process(&s->owner, process);
	snprintf(queue, sizeof(queue), "%u/%u", s->queued, s->backlog);
	if (b->failed)
		colour = OUT_RED;
	else if (s->waiting)
		colour = OUT_YELLOW;
	else if (b->established)
		colour = OUT_GREEN;
	top_add_line(top, colour, "%-9s %8s %6u %9.0f %9.0f %9.0f %10.0f  %-24s %s",
		     record_type_name(s->type), queue, s->waiting,
		     b->established, b->waited, b->failed, b->overflow, addr,
		     process);
}

/*
 * Return the listeners that the filter selects, in the order of the view, as an
 * array that the caller frees. @n: gets their number.
 */
static struct busy *top_busy_listeners(struct top *top, size_t *n)
{
	const struct found *found = &top->now.found;
	struct busy *all = array_grow(NULL, found->n_socks + 1, sizeof(*all));
	size_t i;

	*n = 0;
	for (i = 0; i < found->n_socks; i++)
		if (found->socks[i].listening &&
		    filter_sock(&top->filter, &found->socks[i]))
			all[(*n)++] = top_busy(top, &found->socks[i]);
	if (opt_word_in(TOP_LISTENER_KEYS, top->sort[VIEW_LISTENERS]))
		qsort_r(all, *n, sizeof(*all), top_compare_busy, top);
	return all;
}

static void top_add_listeners(struct top *top)
{
	size_t n, i;
	struct busy *all = top_busy_listeners(top, &n);

	for (i = 0; i < n; i++)
		top_add_listener(top, &all[i]);
	free(all);
}

static void top_put_listeners(struct top *top, struct out *out)
{
	size_t n, i;
	struct busy *all = top_busy_listeners(top, &n);

	for (i = 0; i < n; i++) {
		out_row(out);
		row_sock(out, all[i].sock);
		out_double(out, "established_per_s", all[i].established);
		out_double(out, "waited_per_s", all[i].waited);
		out_double(out, "failed_per_s", all[i].failed);
		out_double(out, "overflow_per_s", all[i].overflow);
		out_row_end(out);
	}
	free(all);
}

/* ---- associations ---- */

static void top_ends_to_text(const struct assoc *a, char *text)
{
	char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX];

	addr_to_text(&a->client.addr, client);
	addr_to_text(&a->server.addr, server);
	sprintf(text, "%s -> %s", client, server);
}

static void top_add_connection(struct top *top, const struct assoc *a)
{
	char ends[2 * ADDR_TEXT_MAX + 8], age[24];
	char client[ROW_PROCESS_MAX], server[ROW_PROCESS_MAX];
	bool is_open = a->state == ALTCONN_ASSOC_STATE_ESTABLISHED;

	top_ends_to_text(a, ends);
	top_age_to_text(a->age_ms, age, sizeof(age));
	row_process(&a->client, client);
	row_process(&a->server, server);
	top_add_line(top, is_open ? OUT_PLAIN : OUT_DIM,
		     "%-9s %-11s %8u %8u %9s  %-40s %s -> %s", record_type_name(a->type),
		     record_state_name(a->state) ? : "?", a->client.recv_queue,
		     a->server.recv_queue, age, ends, client, server);
}

static void top_add_waiter(struct top *top, const struct assoc *a)
{
	char ends[2 * ADDR_TEXT_MAX + 8], waited[24], client[ROW_PROCESS_MAX];
	char position[16] = "-", rule[16] = "-";

	top_ends_to_text(a, ends);
	top_age_to_text(a->waited_ms, waited, sizeof(waited));
	row_process(&a->client, client);
	if (a->position)
		snprintf(position, sizeof(position), "%u", a->position);
	if (record_has(a->known, ALTCONN_A_ASSOC_RULE))
		snprintf(rule, sizeof(rule), "%u", a->rule);
	top_add_line(top, OUT_YELLOW, "%-9s %8s %12s %6s  %-40s %s",
		     record_type_name(a->type), position, waited, rule, ends,
		     client);
}

/* Check whether an association belongs to the list that is shown. */
static bool top_view_has(const struct top *top, const struct assoc *a)
{
	return (a->state == ALTCONN_ASSOC_STATE_PENDING) ==
	       (top->view == VIEW_WAITING) && filter_assoc(&top->filter, a);
}

static void top_add_assocs(struct top *top)
{
	const struct found *found = &top->now.found;
	size_t i;

	for (i = 0; i < found->n_assocs; i++) {
		if (!top_view_has(top, &found->assocs[i]))
			continue;
		if (top->view == VIEW_WAITING)
			top_add_waiter(top, &found->assocs[i]);
		else
			top_add_connection(top, &found->assocs[i]);
	}
}

static void top_put_assocs(struct top *top, struct out *out)
{
	const struct found *found = &top->now.found;
	size_t i;

	for (i = 0; i < found->n_assocs; i++) {
		if (!top_view_has(top, &found->assocs[i]))
			continue;
		out_row(out);
		row_assoc(out, &found->assocs[i]);
		out_row_end(out);
	}
}

/* Return the number of attempts per second that ended for one reason. */
static double top_reason_rate(const struct top *top,
			      const struct stat_part *now)
{
	const struct counters *then = &top->then.sample.counters;

	if (!top->then.sample.ns)
		return 0;
	return (now->count - sample_count(then->outcome, then->n, now->key)) /
	       top->rates.seconds;
}

static void top_add_reasons(struct top *top)
{
	const struct counters *now = &top->now.sample.counters;
	const struct stat_part *part;
	enum out_colour colour;
	size_t i;

	for (i = 0; i < now->n; i++) {
		part = &now->outcome[i];
		colour = part->key == ALTCONN_REASON_ESTABLISHED ?
			 OUT_GREEN : OUT_RED;
		top_add_line(top, colour, "%-28s %11.0f %16llu",
			     reason_name(part->key), top_reason_rate(top, part),
			     (unsigned long long)part->count);
	}
}

static void top_put_reasons(struct top *top, struct out *out)
{
	const struct counters *now = &top->now.sample.counters;
	size_t i;

	for (i = 0; i < now->n; i++) {
		out_row(out);
		out_string(out, "reason", NULL, reason_name(now->outcome[i].key));
		out_double(out, "per_s", top_reason_rate(top, &now->outcome[i]));
		out_uint(out, "count", NULL, now->outcome[i].count);
		out_row_end(out);
	}
}

static void top_sort(struct top *top)
{
	const char *sort = top->sort[top->view];

	if (opt_word_in(SORT_KEYS, sort))
		sort_found(&top->now.found, sort, top->reverse);
}

/**
 * top_make_lines - make the lines of the head, and of the list that is shown
 * @top: gets the lines
 */
void top_make_lines(struct top *top)
{
	top_free_lines(top);
	top_sort(top);
	top_add_head(top);
	if (top->view == VIEW_LISTENERS)
		top_add_listeners(top);
	else if (top->view == VIEW_REASONS)
		top_add_reasons(top);
	else
		top_add_assocs(top);
}

/**
 * top_free - free the snapshots and the lines
 * @top: the samples and the lines
 */
void top_free(struct top *top)
{
	top_free_snapshot(&top->then);
	top_free_snapshot(&top->now);
	top_free_lines(top);
	free(top->lines);
}

/**
 * top_put - print the rates, and the list that is shown, in JSON
 * @top: the options and two samples
 * @out: output
 */
void top_put(struct top *top, struct out *out)
{
	sample_put(out, &top->rates, &top->now.sample);
	top_sort(top);
	out_list(out, top_views[top->view].list);
	if (top->view == VIEW_LISTENERS)
		top_put_listeners(top, out);
	else if (top->view == VIEW_REASONS)
		top_put_reasons(top, out);
	else
		top_put_assocs(top, out);
}
