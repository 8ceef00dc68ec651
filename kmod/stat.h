/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STAT_H
#define _ALTCONN_STAT_H

#include "altconn.h"
#include "netns.h"

#define ALTCONN_BUCKETS	ALTCONN_HISTOGRAM_BUCKETS

/**
 * struct altconn_histogram - distribution of durations, which are in
 *	nanoseconds
 * @sum: sum of all durations
 * @bucket: bucket[i] counts the durations d with fls64(d) = i, that is, 2^(i-1)
 *	<= d < 2^i; the last bucket counts all longer ones too
 */
struct altconn_histogram {
	u64	sum;
	u64	bucket[ALTCONN_BUCKETS];
};

/**
 * struct altconn_stat - counters of a network namespace on one CPU
 * @outcomes: numbers of decided attempts, of connect() calls that failed
 *	without an attempt, and of connect() calls on datagram sockets, by enum
 *	altconn_reason
 * @waited: number of attempts that have waited in a waiting room or have been
 *	parked
 * @accepted: number of associations that accept() has returned
 * @latency: times from connect() to the establishment of the attempt
 * @accept_queue: times from the establishment to the return of accept()
 *
 * nl_stat.c adds up the counters of all CPUs as arrays of u64, so all members
 * must be u64.
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
 * altconn_stat_outcome() - count an outcome of connect()
 * @an: namespace of the socket that connects
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
