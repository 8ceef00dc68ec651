/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_BLOCK_H
#define _ALTCONN_DGRAM_BLOCK_H

#include "altconn.h"

struct altconn_dgram;

/*
 * States of a sender that is blocked at a full receiver:
 *
 *   BLOCKED     The thread waits for space.
 *   TURN        The thread may queue its datagram. The space for the
 *               datagram is promised to the thread.
 *   LOOK_AGAIN  The receiver has changed. The entry has left the receiver's
 *               list, and the thread looks its receiver up again.
 *   QUEUED      Another thread, a reader, has queued the datagram and removed
 *               the entry from the list.
 */
enum { BLOCKED = 1, TURN, LOOK_AGAIN, QUEUED };

/*
 * These bits stand for the work that a read must do after it has released
 * queue_lock.
 */
enum {
	DGRAM_ROOM = 1,	/* wake pollers, as there is space */
	DGRAM_DATA = 2,	/* wake readers, as there is data */
};

/**
 * struct dgram_blocked - a thread that waits for space at a full receiver
 * @node: link in the receiver's list of blocked senders
 * @task: the thread
 * @dg: the thread's datagram, which the receiver owns from QUEUED on
 * @filter: the receiver's socket filter that @dg has passed, or NULL if the
 *	receiver had none; compared, never followed. DGRAM_UNFILTERED while the
 *	thread runs another filter
 * @result: BLOCKED, TURN, LOOK_AGAIN or QUEUED
 *
 * From dgram_block_thread() on, all members are written under the receiver's
 * queue_lock.
 *
 * Lifetime: The entry is on the stack of the thread. The entry leaves the list
 * before the thread returns.
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
