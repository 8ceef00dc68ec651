// SPDX-License-Identifier: GPL-2.0
/*
 * What a namespace has counted at one time, and between two.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "altconn.h"
#include "nl.h"
#include "row.h"
#include "sample.h"

/* What a newer module has behind the last part belongs to it. */
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
 * sample_take - ask for all that there is to know
 * @s: is filled in
 *
 * Return: EXIT_OK, or EXIT_FAILED after a complaint.
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
 * sample_count - one part of many
 * @part: the parts
 * @n: how many
 * @key: of the one
 *
 * Return: its count; 0 when it is not there.
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

/* What so many of a hundred did not exceed, meanwhile; in bits. */
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
 * sample_between - what happened meanwhile
 * @then: at first
 * @now: later
 *
 * Return: rates, by the second.
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
 * sample_json - begin a line of JSON with what happened meanwhile
 * @i: that
 * @now: what there is
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
	/* What took longer than all limits has none. */
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
 * sample_limit - 2 to the power of so many nanoseconds, for people
 * @bits: so many; SAMPLE_LAST: there is no limit
 * @text: SAMPLE_LIMIT_MAX bytes
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
 * sample_interval - how long from one sample to the next
 * @cmd: name of the command
 * @text: a word of the user's
 * @seconds: is set
 *
 * Return: EXIT_OK, or EXIT_USAGE after a complaint.
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
 * sample_sleep - until it is time for the next sample
 * @seconds: so long, signals or not
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
