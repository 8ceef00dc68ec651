/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sample has the counters of a network namespace at one time. An interval has
 * the rates between two samples.
 */
#ifndef ALTCONN_TOOL_SAMPLE_H
#define ALTCONN_TOOL_SAMPLE_H

#include <linux/altconn_netlink.h>

#include "lib/out.h"
#include "lib/record.h"

/**
 * struct sample - counters and totals of the network namespace at one time
 * @counters: counters since the namespace began or the module was loaded
 * @family: totals of the namespace
 * @waiting: number of attempts that wait at listeners
 * @queued: number of established connections that accept() has not returned
 * @ns: time of the sample, CLOCK_MONOTONIC, ns
 */
struct sample {
	struct counters counters;
	struct family family;
	uint64_t waiting, queued;
	uint64_t ns;
};

/**
 * struct interval - rates between two samples
 * @seconds: time between the samples, seconds
 * @attempts: attempts that ended, per second
 * @established: attempts that were established, per second
 * @failed: attempts that failed, per second
 * @waited: attempts that were not decided at once, per second
 * @accepted: connections that were accepted, per second
 * @p50: median of the time from connect() to the establishment, as the number
 *	of bits of the nanoseconds
 * @p99: 99th percentile of that time, as the number of bits of the nanoseconds
 */
struct interval {
	double seconds, attempts, established, failed, waited, accepted;
	uint32_t p50, p99;
};

/* Key of the last bucket of a histogram, which has no upper limit. */
#define SAMPLE_LAST	(ALTCONN_HISTOGRAM_BUCKETS - 1)

#define SAMPLE_LIMIT_MAX	32

int sample_take(struct sample *s);
uint64_t sample_count(const struct stat_part *part, size_t n, uint32_t key);
struct interval sample_between(const struct sample *then,
			       const struct sample *now);
uint64_t sample_rank(uint64_t count, unsigned int percent);
uint64_t sample_limit_ns(uint32_t bits);
void sample_limit_to_text(uint32_t bits, char *text);
void sample_put(struct out *out, const struct interval *i,
		const struct sample *now);
int sample_parse_interval(const char *cmd, const char *text, double *seconds);
void sample_sleep(double seconds);

#endif /* ALTCONN_TOOL_SAMPLE_H */
