/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ATTEMPT_DEADLINE_H
#define _ALTCONN_ATTEMPT_DEADLINE_H

#include "altconn.h"
#include "payer.h"

struct altconn_assoc;
struct altconn_lane;
struct altconn_room;
struct altconn_share;

/**
 * struct altconn_wait - the members of an attempt that only a waiting or parked
 * attempt needs
 * @timer: expires at the attempt's deadline, or when a rule's delay ends,
 *	whichever is earlier; holds a reference to @assoc while it is armed
 * @job: runs altconn_attempt_run_timer_job() when @timer has expired, or to
 *	drop @path of a decided attempt; holds a reference to @assoc while it is
 *	queued
 * @payer: @deadlines or @delays: the payer to which @timer charges @job
 * @deadlines: the client's payer for deadlines
 * @delays: the client's payer for ends of delays; NULL if no rule has delayed
 *	or dropped the attempt
 * @assoc: the attempt
 * @parked_until: time at which a rule's delay ends, ns; 0 if no delay is under
 *	way
 * @path: the socket file of an attempt to a path, a reference, while a rule
 *	delays the attempt; else empty. It pins the inode, so that no other file
 *	gets the same one
 * @room: the waiting room, a reference; NULL before the attempt is in a lane.
 *	Set once, under room->lock and assoc->lock
 * @lane: the lane that the attempt is in, or NULL; room->lock
 * @share: the share that counts the attempt, or NULL; room->lock
 * @user: key of @share
 * @lane_node: link in lane->attempts; room->lock
 * @fifo_node: link in lane->fifo[@fifo]; room->lock
 * @next_in_batch: the next attempt of the struct attempt_batch that this one
 *	belongs to, NULL for the last one. It shares memory with @fifo_node,
 *	since an attempt in a batch is in no lane. The thread that owns the
 *	batch reads and writes it
 * @seq: number of the attempt in the order of arrival in @lane; room->lock
 * @gap: number of attempts that were between this attempt and the attempt in
 *	front of it, and that have left @lane. Their numbers are missing. 0 for
 *	the first attempt; room->lock
 * @gap_node: node in lane->gaps while @gap is not 0; room->lock
 * @gaps: sum of @gap in the subtree of @gap_node; room->lock
 * @fifo: enum altconn_fifo: the kind of the attempt
 * @arrived: arrival number, by which the attempts of a room are sorted
 *
 * Lifetime: allocated before the attempt waits or is parked, and freed with the
 * association.
 */
struct altconn_wait {
	struct timer_list	timer;
	struct altconn_job	job;
	struct altconn_payer	*payer;
	struct altconn_payer	*deadlines;
	struct altconn_payer	*delays;
	struct altconn_assoc	*assoc;
	u64			parked_until;
	struct path		path;
	struct altconn_room	*room;
	struct altconn_lane	*lane;
	struct altconn_share	*share;
	u64			user;
	struct list_head	lane_node;
	union {
		struct list_head	fifo_node;
		struct altconn_wait	*next_in_batch;
	};
	u64			seq;
	u64			gap;
	struct rb_node		gap_node;
	u64			gaps;
	u8			fifo;
	u64			arrived;
};

void altconn_attempt_stop_timer(struct altconn_assoc *assoc);
void altconn_attempt_start_timer(struct altconn_assoc *assoc);
struct altconn_payer *altconn_attempt_payer(const struct altconn_assoc *assoc,
					    enum altconn_payer_kind kind);
int altconn_attempt_alloc_wait(struct altconn_assoc *assoc);

#endif /* _ALTCONN_ATTEMPT_DEADLINE_H */
