/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STAT_H
#define _ALTCONN_STAT_H

#include "altconn.h"
#include "netns.h"

#define ALTCONN_BUCKETS	ALTCONN_HISTOGRAM_BUCKETS

/**
 * struct altconn_histogram - how long something took, nanoseconds
 * @sum: all together
 * @bucket: so many had n bits
 */
struct altconn_histogram {
	u64	sum;
	u64	bucket[ALTCONN_BUCKETS];
};

/**
 * struct altconn_stat - what a namespace counts, on one CPU
 * @outcomes: attempts that ended, by reason
 * @waited: those that were not decided at once
 * @accepted: by accept()
 * @latency: of connections, until they were established
 * @accept_queue: and then until they were accepted
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

/* An attempt of this namespace has ended. */
static inline void altconn_stat_outcome(struct altconn_net *an, u32 reason)
{
	if (!WARN_ON_ONCE(reason >= ALTCONN_N_REASONS))
		this_cpu_inc(an->stat->outcomes[reason]);
}

static inline void altconn_stat_time(struct altconn_histogram __percpu *hist,
				     u64 ns)
{
	this_cpu_inc(hist->bucket[min(fls64(ns), ALTCONN_BUCKETS - 1)]);
	this_cpu_add(hist->sum, ns);
}

#endif /* _ALTCONN_STAT_H */
