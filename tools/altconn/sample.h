/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a namespace has counted at one time, and between two.
 */
#ifndef ALTCONN_TOOL_SAMPLE_H
#define ALTCONN_TOOL_SAMPLE_H

#include <linux/altconn_netlink.h>

#include "out.h"
#include "record.h"

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

/**
 * struct interval - what happened between two samples, each second
 * @seconds: how long it was
 * @attempts: that ended
 * @established: of these
 * @failed: likewise
 * @waited: attempts that began to wait
 * @accepted: connections
 * @p50: what half of the connections took at most to be established, in bits
 * @p99: and 99 of a hundred
 */
struct interval {
	double seconds, attempts, established, failed, waited, accepted;
	uint32_t p50, p99;
};

/* The part of a histogram that has no end. */
#define SAMPLE_LAST	(ALTCONN_HISTOGRAM_BUCKETS - 1)

#define SAMPLE_LIMIT_MAX	32

int sample_take(struct sample *s);
uint64_t sample_count(const struct stat_part *part, size_t n, uint32_t key);
struct interval sample_between(const struct sample *then,
			       const struct sample *now);
struct out *sample_json(const struct interval *i, const struct sample *now);
void sample_limit(uint32_t bits, char *text);
void sample_sleep(double seconds);
int sample_interval(const char *cmd, const char *text, double *seconds);

#endif /* ALTCONN_TOOL_SAMPLE_H */
