// SPDX-License-Identifier: GPL-2.0
/*
 * This file takes samples of the counters of a network namespace, and computes
 * the rates between two samples.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/command.h"
#include "lib/nl.h"
#include "lib/row.h"
#include "lib/sample.h"

/* Give parts that only a newer module has the key of the last part. */
static void bound(struct histogram *hist)
{
	size_t i;

	for (i = 0; i < hist->n; i++)
		if (hist->part[i].key > SAMPLE_LAST)
			hist->part[i].key = SAMPLE_LAST;
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

/**
 * sample_take - ask the module for its counters and totals
 * @s: gets the sample
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int sample_take(struct sample *s)
{
	struct timespec now;
	bool interrupted = false;
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
		ret = nl_dump_once(&nl, ALTCONN_CMD_SOCKET_GET, on_sock, s,
				   &interrupted);
	nl_close(&nl);
	clock_gettime(CLOCK_MONOTONIC, &now);
	s->ns = now.tv_sec * 1000000000ULL + now.tv_nsec;
	return ret;
}

/**
 * sample_count - get one counter of a list
 * @part: the counters
 * @n: number of counters
 * @key: key of the counter
 *
 * Return: the count, or 0 if the list does not have the counter.
 */
uint64_t sample_count(const struct stat_part *part, size_t n, uint32_t key)
{
	while (n--)
		if (part[n].key == key)
			return part[n].count;
	return 0;
}

static uint64_t outcome(const struct sample *s, uint32_t reason)
{
	return sample_count(s->counters.outcome, s->counters.n, reason);
}

static uint64_t total(const struct stat_part *part, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += part[n].count;
	return sum;
}

/*
 * Return a percentile of the durations between two samples, as the number of
 * bits of the nanoseconds.
 */
static uint32_t percentile(const struct histogram *now,
			   const struct histogram *then, unsigned int percent)
{
	uint64_t all = total(now->part, now->n) - total(then->part, then->n);
	uint64_t sum = 0;
	uint32_t bits;

	for (bits = 0; bits < SAMPLE_LAST; bits++) {
		sum += sample_count(now->part, now->n, bits) -
		       sample_count(then->part, then->n, bits);
		if (sum * 100 >= all * percent)
			break;
	}
	return bits;
}

/**
 * sample_between - compute the rates between two samples
 * @then: the earlier sample
 * @now: the later sample
 *
 * Return: the rates.
 */
struct interval sample_between(const struct sample *then,
			       const struct sample *now)
{
	double s = (now->ns - then->ns) / 1e9;
	struct interval i = {
		.seconds = s,
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

/**
 * sample_json - begin a line of JSON with the rates and the totals
 * @i: the rates
 * @now: the later sample, with the totals
 *
 * Return: the output of row_open(), which out_close() prints and frees.
 */
struct out *sample_json(const struct interval *i, const struct sample *now)
{
	static const struct out_style style = { .json = true, .line = true };
	struct out *out = row_open(&style, true);

	out_double(out, "attempts_per_s", i->attempts);
	out_double(out, "established_per_s", i->established);
	out_double(out, "failed_per_s", i->failed);
	out_double(out, "waited_per_s", i->waited);
	out_double(out, "accepted_per_s", i->accepted);
	/* The last part of a histogram has no upper limit. */
	if (i->p50 != SAMPLE_LAST)
		out_uint(out, "latency_p50_ns", NULL, i->p50 ? 1ULL << i->p50 : 0);
	if (i->p99 != SAMPLE_LAST)
		out_uint(out, "latency_p99_ns", NULL, i->p99 ? 1ULL << i->p99 : 0);
	out_uint(out, "associations", NULL, now->family.assocs);
	out_uint(out, "inbound", NULL, now->family.inbound);
	out_uint(out, "sockets", NULL, now->family.sockets);
	out_uint(out, "queued", NULL, now->queued);
	out_uint(out, "waiting", NULL, now->waiting);
	return out;
}

/**
 * sample_limit - write the upper limit of a part of a histogram as text
 * @bits: the part; its limit is 2^@bits nanoseconds, 0 for part 0, and none for
 *	SAMPLE_LAST
 * @text: gets the limit, as in "1.05ms", or "more" if there is none; room for
 *	SAMPLE_LIMIT_MAX bytes
 */
void sample_limit(uint32_t bits, char *text)
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	double limit = bits ? (double)(1ULL << bits) : 0;
	size_t unit = 0;

	if (bits == SAMPLE_LAST) {
		strcpy(text, "more");
		return;
	}
	for (; limit >= 1000 && unit < ARRAY_SIZE(units) - 1; unit++)
		limit /= 1000;
	snprintf(text, SAMPLE_LIMIT_MAX, "%.3g%s", limit, units[unit]);
}

/**
 * sample_interval - parse the time between two samples
 * @cmd: name of the command
 * @text: the time as the user typed it
 * @seconds: gets the time, seconds
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int sample_interval(const char *cmd, const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (!*end && end != text && *seconds >= 0.01 && *seconds <= 86400)
		return EXIT_OK;
	complain("%s: '%s' is no interval: seconds, from 0.01 to a day", cmd,
		 text);
	return EXIT_USAGE;
}

/**
 * sample_sleep - sleep until it is time for the next sample
 * @seconds: time to sleep, seconds; a signal does not end the sleep
 */
void sample_sleep(double seconds)
{
	struct timespec t = {
		.tv_sec = seconds,
		.tv_nsec = (seconds - (time_t)seconds) * 1e9,
	};

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}
