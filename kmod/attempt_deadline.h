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
 * struct altconn_wait - what an attempt needs while it waits
 * @timer: its deadline, and the end of a rule's delay; holds a reference to
 *	@assoc while it is armed
 * @job: what the timer asks for; holds a reference to @assoc while it is queued
 * @payer: of @job, for what the timer is armed for
 * @deadlines: the client's payer for deadlines
 * @delays: and for the ends of delays; NULL when no rule ever held the attempt
 * @assoc: the attempt
 * @held_until: when a rule lets the attempt go on, ns; 0: no rule holds it
 * @path: while a rule holds an attempt to a path: pins the inode
 * @room: the waiting room, a reference; NULL while a rule holds the attempt.
 *	Set once, under the room's lock and assoc->lock
 * @lane: the attempt's address in @room while the attempt is queued there;
 *	room->lock
 * @share: of the attempt's user in @room, likewise
 * @user: the attempt's user in @room, altconn_payer_key_in()
 * @node: in the queue of @lane; room->lock
 * @count: attempts in the subtree of @node; room->lock
 * @fifo: which queue of @lane, enum altconn_fifo
 * @arrived: orders the attempts of a room
 *
 * Lifetime: allocated before the attempt begins to wait and freed with the
 * association.
 */
struct altconn_wait {
	struct timer_list	timer;
	struct altconn_job	job;
	struct altconn_payer	*payer;
	struct altconn_payer	*deadlines;
	struct altconn_payer	*delays;
	struct altconn_assoc	*assoc;
	u64			held_until;
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

void altconn_attempt_disarm(struct altconn_assoc *assoc);
bool altconn_attempt_arm(struct altconn_assoc *assoc);
struct altconn_payer *altconn_attempt_payer(const struct altconn_assoc *assoc,
					    enum altconn_payer_kind kind);
int altconn_attempt_make_wait(struct altconn_assoc *assoc);

#endif /* _ALTCONN_ATTEMPT_DEADLINE_H */
