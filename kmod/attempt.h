/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ATTEMPT_H
#define _ALTCONN_ATTEMPT_H

#include "altconn.h"
#include "assoc.h"
#include "attempt_deadline.h"

struct altconn_xns;
struct altconn_listener;
struct altconn_room;
struct altconn_serving;

/*
 * Maximum number of attempts decided in one hold of a waiting room's lock. It
 * bounds the time for which other threads wait for the lock.
 */
#define ATTEMPT_BATCH	16

/**
 * struct attempt_batch - the attempts that are decided in one hold of a waiting
 *	room's lock, and the threads to wake when the room is unlocked
 * @first: the first attempt, or NULL. wait->next_in_batch links the attempts in
 *	the order in which they were decided. The batch has a reference to each
 *	association. altconn_attempt_batch_unlock_and_wake() wakes the clients
 *	and drops the references
 * @last: the last attempt in this list; valid if @n is not 0
 * @n: number of attempts
 * @accept_sk: endpoint of a listener with new associations in its accept queue,
 *	or NULL
 * @n_accept: number of accepters of @accept_sk to wake, one for each new
 *	association
 * @defer_sk: endpoint of a deferring listener for which attempts wait, or NULL
 * @n_defer: number of accepters of @defer_sk to wake
 *
 * The batch holds no reference to the endpoints.
 * altconn_attempt_batch_unlock_and_wake() says why they stay valid.
 */
struct attempt_batch {
	struct altconn_wait	*first;
	struct altconn_wait	*last;
	unsigned int		n;
	struct sock		*accept_sk;
	unsigned int		n_accept;
	struct sock		*defer_sk;
	unsigned int		n_defer;
};

void altconn_attempt_wake_accepters(struct sock *sk, unsigned int n);
void altconn_attempt_wake_client(struct sock *sk);
void altconn_attempt_batch_unlock_and_wake(struct attempt_batch *batch,
					   struct altconn_room *room);
void altconn_attempt_publish(struct altconn_assoc *assoc);
void altconn_attempt_publish_and_link(struct altconn_assoc *assoc,
				      const struct altconn_listener *ln,
				      struct altconn_xns **xns);
bool altconn_attempt_establish(struct altconn_assoc *assoc,
			       struct altconn_listener *ln,
			       struct altconn_xns **xns);
bool altconn_attempt_fail(struct altconn_assoc *assoc, int err, u32 reason);
void altconn_attempt_sync_decider(struct altconn_assoc *assoc);
void altconn_attempt_relist_listener(struct altconn_room *room,
				     struct altconn_listener *ln);
void altconn_attempt_promote_to_space(struct altconn_room *room,
				      struct altconn_listener *ln,
				      bool for_accept,
				      struct attempt_batch *batch);
void altconn_attempt_promote_batch(struct altconn_room *room,
				   struct altconn_listener *ln,
				   struct attempt_batch *batch);
void altconn_attempt_promote_waiting(struct altconn_listener *ln);
struct altconn_listener *
altconn_attempt_find_avail(struct altconn_room *room,
			   const struct altconn_serving *s);
void altconn_attempt_refuse_one(struct altconn_room *room,
				struct altconn_wait *wait, u32 reason,
				struct attempt_batch *batch);
u32 altconn_attempt_position(const struct altconn_assoc *assoc);
u64 altconn_attempt_listener_id(const struct altconn_assoc *assoc);

/**
 * altconn_attempt_batch_forget() - forget the attempts of a batch, and keep its
 *	wake-ups of accepters
 * @batch: the batch; its references have been dropped
 *
 * Context: any.
 */
static inline void altconn_attempt_batch_forget(struct attempt_batch *batch)
{
	batch->first = NULL;
	batch->n = 0;
}

/**
 * altconn_attempt_batch_init() - make a batch without attempts and wake-ups
 * @batch: the batch
 *
 * Context: any.
 */
static inline void altconn_attempt_batch_init(struct attempt_batch *batch)
{
	altconn_attempt_batch_forget(batch);
	batch->accept_sk = NULL;
	batch->n_accept = 0;
	batch->defer_sk = NULL;
	batch->n_defer = 0;
}

/**
 * altconn_attempt_batch_is_full() - check whether a batch has ATTEMPT_BATCH
 *	attempts
 * @batch: the batch
 *
 * Context: any.
 * Return: true if it has none, else false.
 */
static inline bool
altconn_attempt_batch_is_full(const struct attempt_batch *batch)
{
	return batch->n == ATTEMPT_BATCH;
}

/**
 * altconn_attempt_batch_add() - add an attempt to a batch
 * @batch: the batch, not full
 * @wait: waiting state of the attempt, which is in no lane and in no batch; the
 *	caller's reference to @wait->assoc moves to the batch
 *
 * Context: process; the room's lock held, so that no thread adds the attempt to
 * a lane.
 */
static inline void altconn_attempt_batch_add(struct attempt_batch *batch,
					     struct altconn_wait *wait)
{
	wait->next_in_batch = NULL;
	if (batch->n++)
		batch->last->next_in_batch = wait;
	else
		batch->first = wait;
	batch->last = wait;
}

#endif /* _ALTCONN_ATTEMPT_H */
