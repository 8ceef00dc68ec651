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
#include "lib/array.h"
#include "lib/message.h"
#include "lib/nl.h"
#include "lib/parse.h"
#include "lib/sample.h"

/* Buckets that only a newer module has get the key of the last bucket. */
static void sample_bound(struct histogram *hist)
{
	size_t i;

	for (i = 0; i < hist->n; i++)
		if (hist->part[i].key > SAMPLE_LAST)
			hist->part[i].key = SAMPLE_LAST;
}

static int sample_on_counters(const struct nlmsghdr *nlh, void *data)
{
	struct counters *counters = data;

	if (record_read_counters(nlh, counters) < 0)
		return MNL_CB_ERROR;
	sample_bound(&counters->latency);
	sample_bound(&counters->accept_queue);
	return MNL_CB_OK;
}

static int sample_on_sock(const struct nlmsghdr *nlh, void *data)
{
	struct sample *s = data;
	struct sock sock;

	if (record_read_sock(nlh, &sock) < 0)
		return MNL_CB_ERROR;
	s->waiting += sock.waiting;
	s->queued += sock.queued;
	return MNL_CB_OK;
}

/**
 * sample_take - request the counters and totals from the module
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
	ret = record_get_family(&s->family);
	if (ret != EXIT_OK)
		return ret;
	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_STAT_GET, sample_on_counters,
			     &s->counters);
	if (ret == EXIT_OK)
		ret = nl_dump_once(&nl, ALTCONN_CMD_SOCKET_GET, sample_on_sock,
				   s, &interrupted);
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

static uint64_t sample_total(const struct stat_part *part, size_t n)
{
	uint64_t sum = 0;

	while (n--)
		sum += part[n].count;
	return sum;
}

/**
 * sample_rank - get the rank of a percentile
 * @count: number of values
 * @percent: the percentile
 *
 * The percentile is the smallest value that @percent per cent of the values do
 * not exceed.
 *
 * Return: the number of values, in ascending order, up to the percentile; at
 * least 1 if there are values.
 */
uint64_t sample_rank(uint64_t count, unsigned int percent)
{
	uint64_t rank = (count * percent + 99) / 100;

	return rank || !count ? rank : 1;
}

/*
 * Return a percentile of the durations between two samples, as the number of
 * bits of the nanoseconds.
 */
static uint32_t sample_percentile(const struct histogram *now,
				  const struct histogram *then,
				  unsigned int percent)
{
	uint64_t count = sample_total(now->part, now->n) -
			 sample_total(then->part, then->n);
	uint64_t rank = sample_rank(count, percent), sum = 0;
	uint32_t bits;

	for (bits = 0; bits < SAMPLE_LAST; bits++) {
		sum += sample_count(now->part, now->n, bits) -
		       sample_count(then->part, then->n, bits);
		if (sum >= rank)
			break;
	}
	return bits;
}

static uint64_t sample_attempts(const struct sample *s)
{
	return sample_total(s->counters.outcome, s->counters.n);
}

static uint64_t sample_established(const struct sample *s)
{
	return sample_count(s->counters.outcome, s->counters.n,
			    ALTCONN_REASON_ESTABLISHED);
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
		.attempts = (sample_attempts(now) - sample_attempts(then)) / s,
		.established = (sample_established(now) -
				sample_established(then)) / s,
		.waited = (now->counters.waited - then->counters.waited) / s,
		.accepted = (now->counters.accepted -
			     then->counters.accepted) / s,
		.p50 = sample_percentile(&now->counters.latency,
					 &then->counters.latency, 50),
		.p99 = sample_percentile(&now->counters.latency,
					 &then->counters.latency, 99),
	};

	i.failed = i.attempts - i.established;
	return i;
}

/**
 * sample_put - print the rates and the totals in JSON; print nothing as text
 * @out: output
 * @i: the rates
 * @now: the later sample, with the totals
 */
void sample_put(struct out *out, const struct interval *i,
		const struct sample *now)
{
	out_double(out, "attempts_per_s", i->attempts);
	out_double(out, "established_per_s", i->established);
	out_double(out, "failed_per_s", i->failed);
	out_double(out, "waited_per_s", i->waited);
	out_double(out, "accepted_per_s", i->accepted);
	/* The last bucket of a histogram has no upper limit. */
	if (i->p50 != SAMPLE_LAST)
		out_uint(out, "latency_p50_ns", NULL, sample_limit_ns(i->p50));
	if (i->p99 != SAMPLE_LAST)
		out_uint(out, "latency_p99_ns", NULL, sample_limit_ns(i->p99));
	out_uint(out, "associations", NULL, now->family.assocs);
	out_uint(out, "inbound", NULL, now->family.inbound);
	out_uint(out, "sockets", NULL, now->family.sockets);
	out_uint(out, "queued", NULL, now->queued);
	out_uint(out, "waiting", NULL, now->waiting);
}

/**
 * sample_limit_ns - get the upper limit of a bucket of a histogram
 * @bits: the bucket, which is not SAMPLE_LAST
 *
 * Return: the limit, ns.
 */
uint64_t sample_limit_ns(uint32_t bits)
{
	return bits ? 1ULL << bits : 0;
}

/**
 * sample_limit_to_text - write the upper limit of a bucket of a histogram
 * @bits: the bucket
 * @text: gets the limit, as in "1.05ms", or "more" for SAMPLE_LAST; space for
 *	SAMPLE_LIMIT_MAX bytes
 */
void sample_limit_to_text(uint32_t bits, char *text)
{
	static const char * const units[] = { "ns", "us", "ms", "s" };
	double limit = sample_limit_ns(bits);
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
 * sample_parse_interval - parse the time between two samples
 * @cmd: name of the command
 * @text: the time as the user typed it
 * @seconds: gets the time, seconds
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int sample_parse_interval(const char *cmd, const char *text, double *seconds)
{
	if (parse_number(text, 0.01, 86400, seconds))
		return EXIT_OK;
	message_error("%s: '%s' is no interval: it is seconds, from 0.01 to a day",
		      cmd, text);
	return EXIT_USAGE;
}

/**
 * sample_sleep - sleep until the next sample is due
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
