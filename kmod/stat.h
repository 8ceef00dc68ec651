/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STAT_H
#define _ALTCONN_STAT_H

#include "altconn.h"
#include "netns.h"

#define ALTCONN_BUCKETS	ALTCONN_HISTOGRAM_BUCKETS

/**
 * struct altconn_histogram - durations in nanoseconds
 * @sum: sum of all durations
 * @bucket: counts of durations, by their length in bits; the last bucket also
 *	counts all longer ones
 */
struct altconn_histogram {
	u64	sum;
	u64	bucket[ALTCONN_BUCKETS];
};

/**
 * struct altconn_stat - counters of a network namespace on one CPU
 * @outcomes: attempts that have ended, and connect() calls that began none, by
 *	enum altconn_reason
 * @waited: attempts that were not decided at once
 * @accepted: associations that accept() has returned
 * @latency: time from connect() until the attempt was established
 * @accept_queue: time from the establishment until accept() returned the
 *	association
 *
 * nl_stat.c sums the struct up as an array, so it consists of u64 alone.
 */
struct altconn_stat {
	u64				outcomes[ALTCONN_N_REASONS];
	u64				waited;
	u64				accepted;
	struct altconn_histogram	latency;
	struct altconn_histogram	accept_queue;
};

int altconn_stat_init(struct altconn_net *an);
void altconn_stat_exit(struct altconn_net *an);

/**
 * altconn_stat_outcome() - count the end of an attempt
 * @an: namespace in which the attempt began
 * @reason: enum altconn_reason
 *
 * Context: any.
 */
static inline void altconn_stat_outcome(struct altconn_net *an, u32 reason)
{
	if (!WARN_ON_ONCE(reason >= ALTCONN_N_REASONS))
		this_cpu_inc(an->stat->outcomes[reason]);
}

/**
 * altconn_stat_time() - add a duration to a histogram
 * @hist: the histogram
 * @ns: the duration, nanoseconds
 *
 * Context: any.
 */
static inline void altconn_stat_time(struct altconn_histogram __percpu *hist,
				     u64 ns)
{
	this_cpu_inc(hist->bucket[min(fls64(ns), ALTCONN_BUCKETS - 1)]);
	this_cpu_add(hist->sum, ns);
}

#endif /* _ALTCONN_STAT_H */
