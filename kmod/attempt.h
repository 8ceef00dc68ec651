/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ATTEMPT_H
#define _ALTCONN_ATTEMPT_H

#include "altconn.h"
#include "assoc.h"

struct altconn_far;
struct altconn_listener;
struct altconn_room;
struct altconn_serving;
struct altconn_wait;

/* Attempts that are decided in one hold of a room's lock. */
#define ATTEMPT_BATCH	16

/**
 * struct attempt_batch - decided attempts, whose clients are to be woken
 * @assoc: the attempts, references
 * @n: how many
 * @sk: a listener that has something to accept, or NULL
 * @ready: how many attempts
 * @defers: a listener that defers and for which attempts wait, or NULL
 * @n_defers: how many of its accepters are to be woken
 */
struct attempt_batch {
	struct altconn_assoc	*assoc[ATTEMPT_BATCH];
	unsigned int		n;
	struct sock		*sk;
	unsigned int		ready;
	struct sock		*defers;
	unsigned int		n_defers;
};

void altconn_attempt_wake_client(struct sock *sk);
void altconn_batch_unlock(struct attempt_batch *batch,
			  struct altconn_room *room);
void altconn_attempt_publish(struct altconn_assoc *assoc);
void altconn_attempt_arrive(struct altconn_assoc *assoc,
			    const struct altconn_listener *ln,
			    struct altconn_far **far);
bool altconn_attempt_establish(struct altconn_assoc *assoc,
			       struct altconn_listener *ln,
			       struct altconn_far **far);
bool altconn_attempt_fail(struct altconn_assoc *assoc, int err, u32 reason);
void altconn_attempt_sync(struct altconn_assoc *assoc);
void altconn_attempt_sort(struct altconn_room *room,
			  struct altconn_listener *ln);
void altconn_attempt_promote(struct altconn_room *room,
			     struct altconn_listener *ln,
			     struct attempt_batch *batch);
void altconn_attempt_refill(struct altconn_listener *ln);
struct altconn_listener *
altconn_attempt_find_open(struct altconn_room *room,
			  const struct altconn_serving *s);
void altconn_attempt_reject(struct altconn_room *room,
			    struct altconn_wait *wait, u32 reason,
			    struct attempt_batch *batch);
u32 altconn_attempt_place(const struct altconn_assoc *assoc);
u64 altconn_attempt_listener(const struct altconn_assoc *assoc);

static inline bool altconn_batch_is_full(const struct attempt_batch *batch)
{
	return batch->n == ATTEMPT_BATCH;
}

static inline void altconn_batch_add(struct attempt_batch *batch,
				     struct altconn_assoc *assoc)
{
	batch->assoc[batch->n++] = assoc;
}

#endif /* _ALTCONN_ATTEMPT_H */
