/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_BLOCK_H
#define _ALTCONN_DGRAM_BLOCK_H

#include "altconn.h"

struct altconn_dgram;

/*
 * States of a sender that is blocked at a full receiver:
 *
 *   DGRAM_BLOCKED  The thread waits for space.
 *   DGRAM_TURN     The thread may queue its datagram. The space for the
 *                  datagram is promised to the thread.
 *   DGRAM_RETRY    The receiver has changed. The entry has left the receiver's
 *                  list, and the thread looks its receiver up again.
 *   DGRAM_QUEUED   Another thread, a reader, has queued the datagram and
 *                  removed the entry from the list.
 *
 * Some functions also return DGRAM_BLOCKED or DGRAM_RETRY as their result. Both
 * are positive, so they differ from 0 and from each negative errno.
 */
enum { DGRAM_BLOCKED = 1, DGRAM_TURN, DGRAM_RETRY, DGRAM_QUEUED };

/*
 * These bits stand for the work that a read must do after it has released
 * queue_lock.
 */
enum {
	DGRAM_WAKE_POLLERS = 1,	/* wake pollers, as there is space */
	DGRAM_WAKE_READERS = 2,	/* wake readers, as there is data */
};

/**
 * struct dgram_blocked - a thread that waits for space at a full receiver
 * @node: link in the receiver's list of blocked senders
 * @task: the thread
 * @dg: the thread's datagram, which the receiver owns from DGRAM_QUEUED on
 * @filter: the receiver's socket filter that @dg has passed, or NULL if the
 *	receiver had none; compared, never followed. DGRAM_UNFILTERED while the
 *	thread runs another filter
 * @result: DGRAM_BLOCKED, DGRAM_TURN, DGRAM_RETRY or DGRAM_QUEUED
 *
 * From dgram_block_current() on, all members are written under the receiver's
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
int altconn_dgram_serve_blocked(struct sock *sk);
void altconn_dgram_wake_blocked(struct sock *receiver);
int altconn_dgram_queue_or_block(struct sock *receiver,
				 struct altconn_dgram *dg,
				 struct dgram_blocked *waiter);
int altconn_dgram_wait_for_space(struct sock *receiver,
				 struct dgram_blocked *waiter, u32 len,
				 long *timeo);
int altconn_dgram_watch_or_retry(struct sock *sk, struct sock *receiver,
				 bool connected);
void altconn_dgram_set_overflow(struct sock *sk, u8 policy);

#endif /* _ALTCONN_DGRAM_BLOCK_H */
