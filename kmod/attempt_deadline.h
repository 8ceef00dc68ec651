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
 * struct altconn_wait - the part of an attempt that only a wait needs
 * @timer: expires at the attempt's deadline, or earlier when a rule's delay
 *	ends; holds a reference to @assoc while it is armed
 * @job: queued by @timer, runs altconn_attempt_run_timer_job(); holds a
 *	reference to
 *	@assoc while it is queued
 * @payer: @deadlines or @delays, the payer of @job when @timer expires
 * @deadlines: the client's payer for deadlines
 * @delays: the client's payer for ends of delays; NULL if no rule has delayed
 *	or dropped the attempt
 * @assoc: the attempt
 * @parked_until: when a rule's delay ends, nanoseconds; 0 if no delay is under
 *	way
 * @path: the socket file of an attempt to a path, which pins the inode while a
 *	rule delays the attempt; else empty
 * @room: the waiting room, a reference; NULL before the attempt has entered
 *	one. Set once, under the room's lock and assoc->lock
 * @lane: the lane of @room where the attempt is queued, NULL while it is not
 *	queued; room->lock
 * @share: counts the attempts of the same user in @room, NULL while the attempt
 *	is not queued; room->lock
 * @user: the attempt's user in @room, a key of altconn_payer_key_in()
 * @node: link in a queue of @lane; room->lock
 * @count: number of attempts in the subtree of @node; room->lock
 * @fifo: enum altconn_fifo, the queue of @lane that the attempt is in
 * @arrived: serial number, which orders the attempts of a room by arrival
 *
 * Lifetime: allocated before the attempt begins to wait, and freed with the
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
	struct rb_node		node;
	u32			count;
	u8			fifo;
	u64			arrived;
};

void altconn_attempt_stop_timer(struct altconn_assoc *assoc);
bool altconn_attempt_start_timer(struct altconn_assoc *assoc);
struct altconn_payer *altconn_attempt_payer(const struct altconn_assoc *assoc,
					    enum altconn_payer_kind kind);
int altconn_attempt_alloc_wait(struct altconn_assoc *assoc);

#endif /* _ALTCONN_ATTEMPT_DEADLINE_H */
