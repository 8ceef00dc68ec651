// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn stat" prints the counters of the network namespace, as a table, as
 * JSON or as OpenMetrics text, or their rates at intervals.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/out.h"
#include "lib/reason.h"
#include "lib/rule.h"
#include "lib/sample.h"

const struct opt stat_opts[] = {
	{ 'g', "histogram", NULL, NULL,
	  "how long connections waited to be established, and to be accepted" },
	{ 'm', "openmetrics", NULL, NULL, "print OpenMetrics text" },
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ 'H', "no-header", NULL, NULL, "print no header" },
	{ }
};

/* ---- once ---- */

enum { COL_WHAT, COL_COUNT, COL_BAR, COLUMNS };

static struct out_column columns[COLUMNS] = {
	[COL_WHAT] = { "WHAT" },
	[COL_COUNT] = { "COUNT", .right = true },
	[COL_BAR] = { "" },
};

static void put_number(struct out *out, const char *key, uint64_t value)
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

static void put_outcomes(struct out *out, const struct counters *c)
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
static void put_users(struct out *out, const struct counters *c)
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

#define BAR	40

static void put_bucket(struct out *out, const char *title,
		       const struct stat_part *part, uint64_t most)
{
	char bar[BAR + 1] = "", limit[SAMPLE_LIMIT_MAX];
	uint64_t length = part->count * BAR / most;

	memset(bar, '#', length ? : 1);
	sample_limit(part->key, limit);
	out_row(out);
	out_cell(out, COL_WHAT);
	out_string(out, NULL, title, part->key ? " < " : " = ");
	out_string(out, NULL, "", limit);
	out_cell(out, COL_COUNT);
	if (part->key != SAMPLE_LAST)
		out_uint(out, "below_ns", NULL, part->key ? 1ULL << part->key : 0);
	out_uint(out, "count", "", part->count);
	out_cell(out, COL_BAR);
	out_string(out, NULL, "", bar);
	out_row_end(out);
}

static void put_histogram(struct out *out, const char *key, const char *title,
			  const struct histogram *hist)
{
	uint64_t most = 1;
	size_t i;

	out_list(out, key);
	for (i = 0; i < hist->n; i++)
		if (hist->part[i].count > most)
			most = hist->part[i].count;
	for (i = 0; i < hist->n; i++)
		put_bucket(out, title, &hist->part[i], most);
}

static int print(const struct sample *s, const struct out_style *style,
		 bool histograms)
{
	struct out *out;

	columns[COL_BAR].hidden = !histograms;
	out = out_open(style, columns, COLUMNS);
	put_number(out, "associations", s->family.assocs);
	put_number(out, "inbound", s->family.inbound);
	put_number(out, "sockets", s->family.sockets);
	put_number(out, "queued", s->queued);
	put_number(out, "waiting", s->waiting);
	put_number(out, "have_waited", s->counters.waited);
	put_number(out, "accepted", s->counters.accepted);
	put_outcomes(out, &s->counters);
	put_users(out, &s->counters);
	if (histograms || style->json) {
		put_histogram(out, "latency", "established in",
			      &s->counters.latency);
		put_histogram(out, "accept_queue", "accepted after",
			      &s->counters.accept_queue);
	}
	return out_close(out);
}

/* ---- OpenMetrics ---- */

static void metric(const char *name, const char *type, const char *help,
		   uint64_t value)
{
	printf("# TYPE altconn_%s %s\n# HELP altconn_%s %s\naltconn_%s%s %llu\n",
	       name, type, name, help, name,
	       strcmp(type, "counter") ? "" : "_total",
	       (unsigned long long)value);
}

static void metric_histogram(const char *name, const char *help,
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
		       bits ? (double)(1ULL << bits) / 1e9 : 0, sum);
	}
	sum += sample_count(hist->part, hist->n, SAMPLE_LAST);
	printf("altconn_%s_bucket{le=\"+Inf\"} %llu\naltconn_%s_count %llu\naltconn_%s_sum %.12g\n",
	       name, sum, name, sum, name, hist->sum_ns / 1e9);
}

/* Print the value of a label, with escapes. */
static void put_label(const char *text)
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
static void put_listener(const char *name, const char *suffix,
			 const struct sock *s, const char *reason,
			 uint64_t value)
{
	char addr[ADDR_TEXT_MAX];

	addr_format(&s->owner.addr, addr);
	printf("altconn_listener_%s%s{id=\"%llu\",type=\"%s\",address=\"", name,
	       suffix, (unsigned long long)s->id, type_name(s->type));
	put_label(addr);
	if (reason)
		printf("\",reason=\"%s", reason);
	printf("\"} %llu\n", (unsigned long long)value);
}

static uint64_t queued(const struct sock *s)
{
	return s->queued;
}

static uint64_t backlog(const struct sock *s)
{
	return s->backlog;
}

static uint64_t waiting(const struct sock *s)
{
	return s->waiting;
}

static uint64_t established(const struct sock *s)
{
	return s->established;
}

static uint64_t refused(const struct sock *s)
{
	return s->refused;
}

static uint64_t overflow(const struct sock *s)
{
	return s->overflow;
}

static uint64_t timed_out(const struct sock *s)
{
	return s->timed_out;
}

static uint64_t waited(const struct sock *s)
{
	return s->waited;
}

static const struct {
	const char *name;
	const char *help;
	bool counter;
	uint64_t (*of)(const struct sock *s);
} listener_metrics[] = {
	{ "queued", "Connections to accept.", false, queued },
	{ "backlog", "The argument of listen().", false, backlog },
	{ "waiting", "Attempts that wait.", false, waiting },
	{ "established", "Connections since listen().", true, established },
	{ "waited", "Attempts that had to wait.", true, waited },
	{ "refused", "Attempts refused.", true, refused },
	{ "overflow", "Of these, for want of room.", true, overflow },
	{ "timed_out", "Attempts whose deadline passed.", true, timed_out },
};

static void put_listener_outcomes(const struct sock *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		put_listener("connects", "_total", s,
			     reason_name(s->outcome[i].key),
			     s->outcome[i].count);
}

static int print_listeners(void)
{
	struct found found = { };
	int ret = found_ask(&found, NULL);
	size_t i, j;

	for (i = 0; ret == EXIT_OK && i < ARRAY_SIZE(listener_metrics); i++) {
		printf("# TYPE altconn_listener_%s %s\n# HELP altconn_listener_%s %s\n",
		       listener_metrics[i].name,
		       listener_metrics[i].counter ? "counter" : "gauge",
		       listener_metrics[i].name, listener_metrics[i].help);
		for (j = 0; j < found.n_socks; j++)
			if (found.socks[j].listening)
				put_listener(listener_metrics[i].name,
					     listener_metrics[i].counter ?
					     "_total" : "", &found.socks[j], NULL,
					     listener_metrics[i].of(&found.socks[j]));
	}
	if (ret == EXIT_OK)
		puts("# TYPE altconn_listener_connects counter\n"
		     "# HELP altconn_listener_connects Attempts that ended, by reason.");
	for (j = 0; ret == EXIT_OK && j < found.n_socks; j++)
		put_listener_outcomes(&found.socks[j]);
	found_free(&found);
	return ret;
}

static int print_metrics(const struct sample *s)
{
	const struct counters *c = &s->counters;
	size_t i;

	metric("associations", "gauge", "Associations that began in this namespace.",
	       s->family.assocs);
	metric("inbound", "gauge", "Associations that came from other namespaces.",
	       s->family.inbound);
	metric("sockets", "gauge", "Listeners and datagram sockets.",
	       s->family.sockets);
	metric("queued", "gauge", "Connections that nobody has accepted.",
	       s->queued);
	metric("waiting", "gauge", "Attempts that wait at a listener.",
	       s->waiting);
	metric("waited", "counter", "Attempts that were not decided at once.",
	       c->waited);
	metric("accepted", "counter", "Connections that were accepted.",
	       c->accepted);
	puts("# TYPE altconn_connects counter");
	puts("# HELP altconn_connects Attempts that ended, by reason.");
	for (i = 0; i < c->n; i++)
		printf("altconn_connects_total{reason=\"%s\"} %llu\n",
		       reason_name(c->outcome[i].key),
		       (unsigned long long)c->outcome[i].count);
	metric_histogram("connect_latency_seconds",
			 "From connect() to the establishment.", &c->latency);
	metric_histogram("accept_queue_seconds",
			 "From the establishment to accept().",
			 &c->accept_queue);
	if (print_listeners() != EXIT_OK)
		return EXIT_FAILED;
	puts("# EOF");
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	complain("stat: cannot write: %s", strerror(errno));
	return EXIT_FAILED;
}

/* ---- at intervals ---- */

static int print_line(const struct interval *i, const struct sample *s)
{
	char p50[SAMPLE_LIMIT_MAX], p99[SAMPLE_LIMIT_MAX];

	sample_limit(i->p50, p50);
	sample_limit(i->p99, p99);
	printf("%11.0f %11.0f %9.0f %9.0f %11.0f %9s %9s %9llu %9llu %9llu\n",
	       i->attempts, i->established, i->failed, i->waited, i->accepted,
	       p50, p99, (unsigned long long)s->family.assocs,
	       (unsigned long long)s->queued, (unsigned long long)s->waiting);
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	complain("stat: cannot write: %s", strerror(errno));
	return EXIT_FAILED;
}

/* Number of lines under one header. */
#define LINES	20

static int repeat(const struct out_style *style, double seconds,
		  unsigned long count)
{
	struct sample then, now;
	struct interval i;
	unsigned long n;
	int ret = sample_take(&then);

	for (n = 0; ret == EXIT_OK && (!count || n < count); n++) {
		if (!style->json && !style->no_header && n % LINES == 0)
			printf("%11s %11s %9s %9s %11s %9s %9s %9s %9s %9s\n",
			       "ATTEMPTS/s", "ESTAB/s", "FAILED/s", "WAITED/s",
			       "ACCEPTED/s", "P50<", "P99<", "ASSOCS",
			       "QUEUED", "WAITING");
		fflush(stdout);
		sample_sleep(seconds);
		ret = sample_take(&now);
		if (ret != EXIT_OK)
			break;
		i = sample_between(&then, &now);
		if (style->json)
			ret = out_close(sample_json(&i, &now));
		else
			ret = print_line(&i, &now);
		then = now;
	}
	return ret;
}

/* ---- the command ---- */

static int parse_interval(int argc, char **argv, double *seconds,
			  unsigned long *count)
{
	char *end;
	int ret;

	*seconds = 0;
	*count = 0;
	if (argc > 2) {
		complain("stat: unknown argument '%s'", argv[2]);
		return EXIT_USAGE;
	}
	if (argc > 0) {
		ret = sample_interval("stat", argv[0], seconds);
		if (ret != EXIT_OK)
			return ret;
	}
	if (argc > 1) {
		*count = strtoul(argv[1], &end, 10);
		if (argv[1][0] < '0' || argv[1][0] > '9' || *end || !*count) {
			complain("stat: '%s' is no count of lines", argv[1]);
			return EXIT_USAGE;
		}
	}
	return EXIT_OK;
}

/**
 * stat_main - run "altconn stat"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int stat_main(const struct command *cmd, int argc, char **argv)
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
	ret = parse_interval(argc - optind, argv + optind, &seconds, &count);
	if (ret == EXIT_OK && seconds && (metrics || histograms)) {
		complain("stat: --%s tells of all that has happened, and takes no interval",
			 metrics ? "openmetrics" : "histogram");
		ret = EXIT_USAGE;
	}
	if (ret != EXIT_OK)
		return ret;
	if (seconds)
		return repeat(&style, seconds, count);
	ret = sample_take(&sample);
	if (ret != EXIT_OK)
		return ret;
	return metrics ? print_metrics(&sample) :
			 print(&sample, &style, histograms);
}
