/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_BLOCK_H
#define _ALTCONN_DGRAM_BLOCK_H

#include "altconn.h"

struct altconn_dgram;

/*
 * States of a blocked sender: it waits; it has the turn; it has left the list and looks
 * for its receiver again, or its datagram has been queued.
 */
enum { BLOCKED = 1, TURN, LOOK_AGAIN, QUEUED };

/* What a read has to do without the lock. */
enum {
	DGRAM_ROOM = 1,	/* wake pollers for room */
	DGRAM_DATA = 2,	/* wake readers */
};

/**
 * struct dgram_blocked - a thread that waits for room at a full receiver
 * @node: in the receiver's list; its queue_lock
 * @task: the thread
 * @dg: its datagram, which the receiver owns from QUEUED on
 * @filter: the receiver's socket filter that @dg has passed, compared, or NULL;
 *	DGRAM_UNFILTERED while the thread runs another one
 * @result: BLOCKED, TURN, LOOK_AGAIN or QUEUED; written under the receiver's queue_lock,
 *	as the others are from dgram_block_thread() on
 *
 * Lifetime: on the thread's stack, out of the list before the thread goes on.
 */
struct dgram_blocked {
	struct list_head	node;
	struct task_struct	*task;
	struct altconn_dgram	*dg;
	const struct sk_filter	*filter;
	int			result;
};

void altconn_dgram_unwatch(struct sock *sk);
bool altconn_dgram_watch(struct sock *sk, struct sock *receiver);
void altconn_dgram_wake_pollers(struct sock *receiver);
int altconn_dgram_make_room(struct sock *sk);
void altconn_dgram_release_all(struct sock *receiver);
int altconn_dgram_deliver(struct sock *receiver, struct altconn_dgram *dg,
			  struct dgram_blocked *me);
int altconn_dgram_wait_for_room(struct sock *receiver,
				struct dgram_blocked *me, u32 len,
				long *timeo);
int altconn_dgram_announce_room(struct sock *sk, struct sock *receiver,
				bool connected);
void altconn_dgram_overflow(struct sock *sk, u8 policy);

#endif /* _ALTCONN_DGRAM_BLOCK_H */
