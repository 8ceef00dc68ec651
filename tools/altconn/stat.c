// SPDX-License-Identifier: GPL-2.0
/*
 * altconn stat: what the namespace has counted; rates; OpenMetrics.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>

#include "altconn.h"
#include "filter.h"
#include "nl.h"
#include "out.h"
#include "reason.h"
#include "record.h"

const struct opt stat_opts[] = {
	{ 'g', "histogram", NULL, NULL,
	  "how long connections waited to be established, and to be accepted" },
	{ 'm', "openmetrics", NULL, NULL, "print OpenMetrics text" },
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ 'H', "no-header", NULL, NULL, "print no header" },
	{ }
};

/**
 * struct sample - all that there is to know at one time
 * @counters: since the namespace began
 * @family: how many there are
 * @waiting: attempts that wait, at listeners
 * @queued: connections that nobody has accepted
 * @ns: when
 */
struct sample {
	struct counters counters;
	struct family family;
	uint64_t waiting, queued;
	uint64_t ns;
};

/* The part that has no end, or what a newer module has behind it. */
#define LAST	(ALTCONN_HISTOGRAM_BUCKETS - 1)

static void bound(struct histogram *hist)
{
	size_t i;

	for (i = 0; i < hist->n; i++)
		if (hist->part[i].key > LAST)
			hist->part[i].key = LAST;
}

static int on_counters(const struct nlmsghdr *nlh, void *data)
{
	struct counters *counters = data;

	if (counters_read(nlh, counters) < 0)
		return MNL_CB_ERROR;
	bound(&counters->latency);
	bound(&counters->accept_queue);
	return MNL_CB_OK;
}

static int on_sock(const struct nlmsghdr *nlh, void *data)
{
	struct sample *s = data;
	struct sock sock;

	if (sock_read(nlh, &sock) < 0)
		return MNL_CB_ERROR;
	s->waiting += sock.waiting;
	s->queued += sock.queued;
	return MNL_CB_OK;
}

static void forget_socks(void *data)
{
	struct sample *s = data;

	s->waiting = 0;
	s->queued = 0;
}

static int take(struct sample *s)
{
	struct timespec now;
	struct nl nl;
	int ret;

	memset(s, 0, sizeof(*s));
	ret = family_ask(&s->family);
	if (ret != EXIT_OK)
		return ret;
	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_STAT_GET, on_counters,
			     &s->counters);
	if (ret == EXIT_OK)
		ret = nl_dump(&nl, ALTCONN_CMD_SOCKET_GET, on_sock,
			      forget_socks, s);
	nl_close(&nl);
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return ret;
}

static uint64_t count_of(const struct stat_part *part, size_t n, uint32_t key)
{
	while (n--)
		if (part[n].key == key)
			return part[n].count;
	return 0;
}

static uint64_t outcome(const struct sample *s, uint32_t reason)
{
	return count_of(s->counters.outcome, s->counters.n, reason);
}

static uint64_t total(const struct stat_part *part, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += part[n].count;
	return sum;
}

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

/* 2 to the power of @bits nanoseconds, for people. */
static void format_limit(uint32_t bits, char *text, size_t size)
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	double limit = bits ? (double)(1ULL << bits) : 0;
	size_t unit = 0;

	if (bits == LAST) {
		snprintf(text, size, "more");
		return;
	}

	for (; limit >= 1000 && unit < ARRAY_SIZE(units) - 1; unit++)
		limit /= 1000;
	snprintf(text, size, "%.3g%s", limit, units[unit]);
}

#define BAR	40

static void put_bucket(struct out *out, const char *title,
		       const struct stat_part *part, uint64_t most)
{
	char bar[BAR + 1] = "", limit[32];
	uint64_t length = part->count * BAR / most;

	memset(bar, '#', length ? : 1);
	format_limit(part->key, limit, sizeof(limit));
	out_row(out);
	out_cell(out, COL_WHAT);
	out_string(out, NULL, title, part->key ? " < " : " = ");
	out_string(out, NULL, "", limit);
	out_cell(out, COL_COUNT);
	if (part->key != LAST)
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
	for (bits = 0; bits <= last && bits < LAST; bits++) {
		sum += count_of(hist->part, hist->n, bits);
		printf("altconn_%s_bucket{le=\"%.12g\"} %llu\n", name,
		       bits ? (double)(1ULL << bits) / 1e9 : 0, sum);
	}
	sum += count_of(hist->part, hist->n, LAST);
	printf("altconn_%s_bucket{le=\"+Inf\"} %llu\naltconn_%s_count %llu\naltconn_%s_sum %.12g\n",
	       name, sum, name, sum, name, hist->sum_ns / 1e9);
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
	puts("# EOF");
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	complain("stat: cannot write: %s", strerror(errno));
	return EXIT_FAILED;
}

/* ---- at intervals ---- */

/* What so many of a hundred did not exceed, meanwhile; in bits. */
static uint32_t percentile(const struct histogram *now,
			   const struct histogram *then, unsigned int percent)
{
	uint64_t all = total(now->part, now->n) - total(then->part, then->n);
	uint64_t sum = 0;
	uint32_t bits;

	for (bits = 0; bits < LAST; bits++) {
		sum += count_of(now->part, now->n, bits) -
		       count_of(then->part, then->n, bits);
		if (sum * 100 >= all * percent)
			break;
	}
	return bits;
}

/**
 * struct interval - what happened between two samples, each second
 * @attempts: that ended
 * @established: of these
 * @failed: likewise
 * @waited: attempts that began to wait
 * @accepted: connections
 * @p50: what half of the connections took at most to be established, in bits
 * @p99: and 99 of a hundred
 */
struct interval {
	double attempts, established, failed, waited, accepted;
	uint32_t p50, p99;
};

static struct interval between(const struct sample *then,
			       const struct sample *now)
{
	double s = (now->ns - then->ns) / 1e9;
	struct interval i = {
		.attempts = (total(now->counters.outcome, now->counters.n) -
			     total(then->counters.outcome,
				   then->counters.n)) / s,
		.established = (outcome(now, ALTCONN_REASON_ESTABLISHED) -
				outcome(then, ALTCONN_REASON_ESTABLISHED)) / s,
		.waited = (now->counters.waited - then->counters.waited) / s,
		.accepted = (now->counters.accepted -
			     then->counters.accepted) / s,
		.p50 = percentile(&now->counters.latency,
				  &then->counters.latency, 50),
		.p99 = percentile(&now->counters.latency,
				  &then->counters.latency, 99),
	};

	i.failed = i.attempts - i.established;
	return i;
}

static void print_json(const struct interval *i, const struct sample *s)
{
	const struct {
		const char *key;
		double value;
	} rates[] = {
		{ "attempts_per_s", i->attempts },
		{ "established_per_s", i->established },
		{ "failed_per_s", i->failed },
		{ "waited_per_s", i->waited },
		{ "accepted_per_s", i->accepted },
		{ "latency_p50_ns", i->p50 ? (double)(1ULL << i->p50) : 0 },
		{ "latency_p99_ns", i->p99 ? (double)(1ULL << i->p99) : 0 },
		{ "associations", s->family.assocs },
		{ "inbound", s->family.inbound },
		{ "queued", s->queued },
		{ "waiting", s->waiting },
	};
	struct json_object *line = json_object_new_object();
	size_t k;

	for (k = 0; k < ARRAY_SIZE(rates); k++)
		json_object_object_add(line, rates[k].key,
				       json_object_new_double(rates[k].value));
	puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_PLAIN));
	json_object_put(line);
}

static void print_line(const struct interval *i, const struct sample *s)
{
	char p50[32], p99[32];

	format_limit(i->p50, p50, sizeof(p50));
	format_limit(i->p99, p99, sizeof(p99));
	printf("%11.0f %11.0f %9.0f %9.0f %11.0f %9s %9s %9llu %9llu %9llu\n",
	       i->attempts, i->established, i->failed, i->waited, i->accepted,
	       p50, p99, (unsigned long long)s->family.assocs,
	       (unsigned long long)s->queued, (unsigned long long)s->waiting);
}

static void sleep_for(double seconds)
{
	struct timespec t = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* So many lines stand under one header. */
#define LINES	20

static int repeat(const struct out_style *style, double seconds,
		  unsigned long count)
{
	struct sample then, now;
	struct interval i;
	unsigned long n;
	int ret = take(&then);

	for (n = 0; ret == EXIT_OK && (!count || n < count); n++) {
		if (!style->json && !style->no_header && n % LINES == 0)
			printf("%11s %11s %9s %9s %11s %9s %9s %9s %9s %9s\n",
			       "ATTEMPTS/s", "ESTAB/s", "FAILED/s", "WAITED/s",
			       "ACCEPTED/s", "P50<", "P99<", "ASSOCS",
			       "QUEUED", "WAITING");
		fflush(stdout);
		sleep_for(seconds);
		ret = take(&now);
		if (ret != EXIT_OK)
			break;
		i = between(&then, &now);
		if (style->json)
			print_json(&i, &now);
		else
			print_line(&i, &now);
		if (fflush(stdout) || ferror(stdout))
			return EXIT_FAILED;
		then = now;
	}
	return ret;
}

/* ---- the command ---- */

static int parse_interval(int argc, char **argv, double *seconds,
			  unsigned long *count)
{
	char *end;

	*seconds = 0;
	*count = 0;
	if (argc > 2) {
		complain("stat: unknown argument '%s'", argv[2]);
		return EXIT_USAGE;
	}
	if (argc > 0) {
		*seconds = strtod(argv[0], &end);
		if (*end || end == argv[0] || !(*seconds >= 0.01) ||
		    *seconds > 86400) {
			complain("stat: '%s' is no interval: seconds, from 0.01 to a day",
				 argv[0]);
			return EXIT_USAGE;
		}
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
 * stat_main - altconn stat
 * @cmd: the command
 * @argc: how many words
 * @argv: the words
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
	ret = take(&sample);
	if (ret != EXIT_OK)
		return ret;
	return metrics ? print_metrics(&sample) :
			 print(&sample, &style, histograms);
}
