// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn stat" prints the counters of the network namespace, as a table, as
 * JSON or as OpenMetrics text, or their rates at intervals.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/command.h"
#include "lib/found.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/reason.h"
#include "lib/sample.h"

static const struct opt stat_opts[] = {
	{ 'g', "histogram", NULL, NULL,
	  "print how long connections waited to be established, and accepted" },
	{ 'm', "openmetrics", NULL, NULL, "print OpenMetrics text" },
	OUT_OPT_JSON,
	OUT_OPT_COLOR,
	OUT_OPT_NO_HEADER,
	{ }
};

/* ---- totals ---- */

enum { COL_WHAT, COL_COUNT, COL_BAR, COLUMNS };

static struct out_column stat_columns[COLUMNS] = {
	[COL_WHAT] = { "WHAT" },
	[COL_COUNT] = { "COUNT", .right = true },
	[COL_BAR] = { "" },
};

static void stat_put_number(struct out *out, const char *key, uint64_t value)
{
	char text[32];
	char *c;

	snprintf(text, sizeof(text), "%s", key);
	for (c = text; *c; c++)
		if (*c == '_')
			*c = ' ';
	out_row(out);
	out_cell(out, COL_WHAT);
	out_string(out, NULL, "", text);
	out_cell(out, COL_COUNT);
	out_uint(out, key, "", value);
	out_row_end(out);
}

static void stat_put_outcomes(struct out *out, const struct counters *c)
{
	const struct stat_part *part;
	size_t i;

	out_list(out, "outcomes");
	for (i = 0; i < c->n; i++) {
		part = &c->outcome[i];
		out_row(out);
		out_cell(out, COL_WHAT);
		out_string(out, "reason", "connect: ", reason_name(part->key));
		out_colour(out, part->key == ALTCONN_REASON_ESTABLISHED ?
			   OUT_GREEN : OUT_RED);
		out_cell(out, COL_COUNT);
		out_uint(out, "count", "", part->count);
		out_row_end(out);
	}
}

/*
 * List the users with the most associations. The limit
 * net.altconn.max_associations is a limit for each user.
 */
static void stat_put_users(struct out *out, const struct counters *c)
{
	static const char *const list[] = {
		"users", "users_inbound", "users_nested",
	};
	static const char *const title[] = {
		"user ", "inbound of user ", "in own namespaces of user ",
	};
	size_t i, k;

	for (k = 0; k < 3; k++) {
		out_list(out, list[k]);
		for (i = 0; i < c->user[k].n; i++) {
			out_row(out);
			out_cell(out, COL_WHAT);
			out_uint(out, "uid", title[k], c->user[k].part[i].key);
			out_cell(out, COL_COUNT);
			out_uint(out, "count", "", c->user[k].part[i].count);
			out_row_end(out);
		}
	}
}

/* Length of the longest bar, characters. */
#define BAR	40

static void stat_put_bucket(struct out *out, const char *title,
			    const struct stat_part *part, uint64_t most)
{
	char bar[BAR + 1] = "", limit[SAMPLE_LIMIT_MAX];
	uint64_t length = part->count * BAR / most;

	memset(bar, '#', length ? : 1);
	sample_limit_to_text(part->key, limit);
	out_row(out);
	out_cell(out, COL_WHAT);
	out_string(out, NULL, title, part->key ? " < " : " = ");
	out_string(out, NULL, "", limit);
	out_cell(out, COL_COUNT);
	if (part->key != SAMPLE_LAST)
		out_uint(out, "below_ns", NULL, sample_limit_ns(part->key));
	out_uint(out, "count", "", part->count);
	out_cell(out, COL_BAR);
	out_string(out, NULL, "", bar);
	out_row_end(out);
}

static void stat_put_histogram(struct out *out, const char *key,
			       const char *title,
			       const struct histogram *hist)
{
	uint64_t most = 1;
	size_t i;

	out_list(out, key);
	for (i = 0; i < hist->n; i++)
		if (hist->part[i].count > most)
			most = hist->part[i].count;
	for (i = 0; i < hist->n; i++)
		stat_put_bucket(out, title, &hist->part[i], most);
}

static int stat_print_totals(const struct sample *s,
			     const struct out_style *style,
			     bool histograms)
{
	struct out *out;

	stat_columns[COL_BAR].hidden = !histograms;
	out = out_open(style, stat_columns, COLUMNS);
	stat_put_number(out, "associations", s->family.assocs);
	stat_put_number(out, "inbound", s->family.inbound);
	stat_put_number(out, "sockets", s->family.sockets);
	stat_put_number(out, "queued", s->queued);
	stat_put_number(out, "waiting", s->waiting);
	stat_put_number(out, "have_waited", s->counters.waited);
	stat_put_number(out, "accepted", s->counters.accepted);
	stat_put_outcomes(out, &s->counters);
	stat_put_users(out, &s->counters);
	if (histograms || style->json) {
		stat_put_histogram(out, "latency", "established in",
				   &s->counters.latency);
		stat_put_histogram(out, "accept_queue", "accepted after",
				   &s->counters.accept_queue);
	}
	return out_close(out);
}

/* ---- OpenMetrics ---- */

static void stat_print_metric(const char *name, const char *type,
			      const char *help, uint64_t value)
{
	printf("# TYPE altconn_%s %s\n# HELP altconn_%s %s\naltconn_%s%s %llu\n",
	       name, type, name, help, name,
	       strcmp(type, "counter") ? "" : "_total",
	       (unsigned long long)value);
}

static void stat_print_histogram(const char *name, const char *help,
				 const struct histogram *hist)
{
	unsigned long long sum = 0;
	uint32_t bits, last = 0;
	size_t i;

	for (i = 0; i < hist->n; i++)
		if (hist->part[i].key > last)
			last = hist->part[i].key;
	printf("# TYPE altconn_%s histogram\n# UNIT altconn_%s seconds\n# HELP altconn_%s %s\n",
	       name, name, name, help);
	for (bits = 0; bits <= last && bits < SAMPLE_LAST; bits++) {
		sum += sample_count(hist->part, hist->n, bits);
		printf("altconn_%s_bucket{le=\"%.12g\"} %llu\n", name,
		       sample_limit_ns(bits) / 1e9, sum);
	}
	sum += sample_count(hist->part, hist->n, SAMPLE_LAST);
	printf("altconn_%s_bucket{le=\"+Inf\"} %llu\naltconn_%s_count %llu\naltconn_%s_sum %.12g\n",
	       name, sum, name, sum, name, hist->sum_ns / 1e9);
}

/* Print the value of a label, with escapes. */
static void stat_print_label(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

/*
 * Print a metric of a listener. @reason: value of the label "reason", or NULL
 * for a metric without this label.
 */
static void stat_print_listener(const char *name, const char *suffix,
				const struct sock *s, const char *reason,
				uint64_t value)
{
	char addr[ADDR_TEXT_MAX];

	addr_to_text(&s->owner.addr, addr);
	printf("altconn_listener_%s%s{id=\"%llu\",type=\"%s\",address=\"", name,
	       suffix, (unsigned long long)s->id, record_type_name(s->type));
	stat_print_label(addr);
	if (reason)
		printf("\",reason=\"%s", reason);
	printf("\"} %llu\n", (unsigned long long)value);
}

static uint64_t stat_queued(const struct sock *s)
{
	return s->queued;
}

static uint64_t stat_backlog(const struct sock *s)
{
	return s->backlog;
}

static uint64_t stat_waiting(const struct sock *s)
{
	return s->waiting;
}

static uint64_t stat_established(const struct sock *s)
{
	return s->established;
}

static uint64_t stat_refused(const struct sock *s)
{
	return s->refused;
}

static uint64_t stat_overflow(const struct sock *s)
{
	return s->overflow;
}

static uint64_t stat_timed_out(const struct sock *s)
{
	return s->timed_out;
}

static uint64_t stat_waited(const struct sock *s)
{
	return s->waited;
}

static const struct {
	const char *name;
	const char *help;
	bool counter;
	uint64_t (*of)(const struct sock *s);
} stat_listener_metrics[] = {
	{ "queued", "Connections to accept.", false, stat_queued },
	{ "backlog", "The argument of listen().", false, stat_backlog },
	{ "waiting", "Attempts that wait.", false, stat_waiting },
	{ "established", "Connections since listen().", true, stat_established },
	{ "waited", "Attempts that had to wait.", true, stat_waited },
	{ "refused", "Attempts refused.", true, stat_refused },
	{ "overflow", "Attempts refused for lack of space.", true, stat_overflow },
	{ "timed_out", "Attempts whose deadline passed.", true, stat_timed_out },
};

static void stat_print_listener_outcomes(const struct sock *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		stat_print_listener("connects", "_total", s,
				    reason_name(s->outcome[i].key),
				    s->outcome[i].count);
}

static int stat_print_listeners(void)
{
	struct found found = { };
	int ret = found_get(&found, NULL);
	uint64_t (*value)(const struct sock *s);
	const char *name;
	bool counter;
	size_t i, j;

	for (i = 0; ret == EXIT_OK && i < ARRAY_SIZE(stat_listener_metrics);
	     i++) {
		name = stat_listener_metrics[i].name;
		counter = stat_listener_metrics[i].counter;
		value = stat_listener_metrics[i].of;
		printf("# TYPE altconn_listener_%s %s\n# HELP altconn_listener_%s %s\n",
		       name, counter ? "counter" : "gauge", name,
		       stat_listener_metrics[i].help);
		for (j = 0; j < found.n_socks; j++)
			if (found.socks[j].listening)
				stat_print_listener(name,
						    counter ? "_total" : "",
						    &found.socks[j], NULL,
						    value(&found.socks[j]));
	}
	if (ret == EXIT_OK)
		puts("# TYPE altconn_listener_connects counter\n"
		     "# HELP altconn_listener_connects Attempts that ended, by reason.");
	for (j = 0; ret == EXIT_OK && j < found.n_socks; j++)
		stat_print_listener_outcomes(&found.socks[j]);
	found_free(&found);
	return ret;
}

static int stat_print_metrics(const struct sample *s)
{
	const struct counters *c = &s->counters;
	size_t i;

	stat_print_metric("associations", "gauge", "Associations that began in this namespace.",
			  s->family.assocs);
	stat_print_metric("inbound", "gauge", "Associations that came from other namespaces.",
			  s->family.inbound);
	stat_print_metric("sockets", "gauge", "Listeners and datagram sockets.",
			  s->family.sockets);
	stat_print_metric("queued", "gauge", "Connections that accept() has not returned.",
			  s->queued);
	stat_print_metric("waiting", "gauge", "Attempts that wait at a listener.",
			  s->waiting);
	stat_print_metric("waited", "counter", "Attempts that were not decided at once.",
			  c->waited);
	stat_print_metric("accepted", "counter", "Connections that were accepted.",
			  c->accepted);
	puts("# TYPE altconn_connects counter");
	puts("# HELP altconn_connects Attempts that ended, by reason.");
	for (i = 0; i < c->n; i++)
		printf("altconn_connects_total{reason=\"%s\"} %llu\n",
		       reason_name(c->outcome[i].key),
		       (unsigned long long)c->outcome[i].count);
	stat_print_histogram("connect_latency_seconds",
			     "From connect() to the establishment.", &c->latency);
	stat_print_histogram("accept_queue_seconds",
			     "From the establishment to accept().",
			     &c->accept_queue);
	if (stat_print_listeners() != EXIT_OK)
		return EXIT_FAILED;
	puts("# EOF");
	return out_flush();
}

/* ---- at intervals ---- */

/* Number of lines under one header. */
#define LINES	20

static int stat_print_interval(const struct interval *i, const struct sample *s,
			       const struct out_style *style)
{
	char p50[SAMPLE_LIMIT_MAX], p99[SAMPLE_LIMIT_MAX];
	struct out *out = out_open_text(style);

	sample_limit_to_text(i->p50, p50);
	sample_limit_to_text(i->p99, p99);
	sample_put(out, i, s);
	out_row(out);
	out_text(out, "%11.0f %11.0f %9.0f %9.0f %11.0f %9s %9s %9llu %9llu %9llu",
		 i->attempts, i->established, i->failed, i->waited,
		 i->accepted, p50, p99, (unsigned long long)s->family.assocs,
		 (unsigned long long)s->queued, (unsigned long long)s->waiting);
	out_row_end(out);
	return out_close(out);
}

/* Print the header before the first line, and then every LINES lines. */
static int stat_print_header(const struct out_style *style, unsigned long line)
{
	struct out *out;

	if (style->json || style->no_header || line % LINES)
		return EXIT_OK;
	out = out_open_text(style);
	out_row(out);
	out_text(out, "%11s %11s %9s %9s %11s %9s %9s %9s %9s %9s",
		 "ATTEMPTS/s", "ESTAB/s", "FAILED/s", "WAITED/s", "ACCEPTED/s",
		 "P50<", "P99<", "ASSOCS", "QUEUED", "WAITING");
	out_row_end(out);
	return out_close(out);
}

static int stat_repeat(struct out_style *style, double seconds,
		       unsigned long count)
{
	struct sample then, now;
	struct interval i;
	unsigned long n;
	int ret = sample_take(&then);

	style->line = true;
	for (n = 0; ret == EXIT_OK && (!count || n < count); n++) {
		ret = stat_print_header(style, n);
		if (ret != EXIT_OK)
			break;
		sample_sleep(seconds);
		ret = sample_take(&now);
		if (ret != EXIT_OK)
			break;
		i = sample_between(&then, &now);
		ret = stat_print_interval(&i, &now, style);
		then = now;
	}
	return ret;
}

/* ---- the command ---- */

/* Parse [INTERVAL [COUNT]]. Without them @seconds and @count become 0. */
static int stat_parse_interval(char **words, double *seconds,
			       unsigned long *count)
{
	int ret;

	*seconds = 0;
	*count = 0;
	if (!words[0])
		return EXIT_OK;
	if (words[1] && words[2]) {
		message_error("stat: unknown argument '%s'", words[2]);
		return EXIT_USAGE;
	}
	ret = sample_parse_interval("stat", words[0], seconds);
	if (ret != EXIT_OK || !words[1] || parse_count(words[1], count))
		return ret;
	message_error("stat: '%s' is no count of lines", words[1]);
	return EXIT_USAGE;
}

static int stat_main(const struct command *cmd, int argc, char **argv)
{
	bool metrics = false, histograms = false;
	struct out_style style = { };
	struct sample sample;
	unsigned long count;
	double seconds;
	int key, ret;

	while ((key = opt_next(cmd, argc, argv)) != -1) {
		if (key == 'm')
			metrics = true;
		else if (key == 'g')
			histograms = true;
		else
			out_option(&style, key);
	}
	ret = stat_parse_interval(argv + optind, &seconds, &count);
	if (ret == EXIT_OK && seconds && (metrics || histograms)) {
		message_error("stat: --%s prints totals, and takes no interval",
			      metrics ? "openmetrics" : "histogram");
		ret = EXIT_USAGE;
	}
	if (ret != EXIT_OK)
		return ret;
	if (seconds)
		return stat_repeat(&style, seconds, count);
	ret = sample_take(&sample);
	if (ret != EXIT_OK)
		return ret;
	return metrics ? stat_print_metrics(&sample) :
			 stat_print_totals(&sample, &style, histograms);
}

const struct command command_stat = {
	.name = "stat",
	.run = stat_main,
	.help = "count attempts by outcome, and show how long they took",
	.synopsis = "[OPTION...] [INTERVAL [COUNT]]",
	.opts = stat_opts,
};
