/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_QUEUE_H
#define _ALTCONN_DGRAM_QUEUE_H

#include "altconn.h"
#include "addr.h"
#include "scm.h"
#include "sock.h"

/**
 * struct altconn_dgram - a datagram
 * @node: in the receiver's queue
 * @from: the sender's address, a reference, or NULL
 * @sender: compared, never followed
 * @refs: see below
 * @size: what the receiver is charged
 * @len: of @data; not changed while it is queued
 * @load: the two of them, as in struct altconn_dgram_sock
 * @peeked: a reader looked at it; the receiver's queue_lock
 * @shared: it is a copy, with the data of another datagram
 * @scm: what goes with it
 * @data: the bytes: @room, memory of their own, or the data of @of
 * @of: if it is @shared: the other datagram, a reference, which is not shared itself
 * @room: allocated with it
 *
 * Lifetime: references are held by the queue, by readers that look at it, and by copies
 * that share its data; a reader that takes it out of the queue gets the queue's.
 */
struct altconn_dgram {
	struct list_head	node;
	struct altconn_addr	*from;
	const struct sock	*sender;
	refcount_t		refs;
	union {
		struct {
			u32	size;
			u32	len;
		};
		u64		load;
	};
	bool			peeked;
	bool			shared;
	struct altconn_scm	scm;
	char			*data;
	union {
		struct altconn_dgram	*of;
		DECLARE_FLEX_ARRAY(char, room);
	};
};

extern atomic64_t altconn_dgram_generation;

void altconn_dgram_changed(void);
void altconn_dgram_put(struct altconn_dgram *dg);
bool altconn_dgram_is_peer(const struct altconn_dgram_sock *ask,
			   const struct altconn_dgram *dg);
bool altconn_dgram_has_room(const struct sock *sk);
int altconn_dgram_listens(const struct sock *receiver,
			  const struct altconn_dgram *dg);
void altconn_dgram_enqueue(struct sock *sk, struct altconn_dgram *dg);
int altconn_dgram_admit(const struct sock *receiver,
			const struct altconn_dgram *dg);
int altconn_dgram_run_filter(struct sock *receiver, struct altconn_dgram *dg);
int altconn_dgram_filter(struct sock *receiver, struct altconn_dgram *dg,
			 bool blocks);
void altconn_dgram_unlink(struct altconn_dgram_sock *ask,
			  struct altconn_dgram *dg);
void altconn_dgram_free_all(struct list_head *list);
bool altconn_dgram_drop(struct sock *receiver, struct list_head *dropped);
void altconn_dgram_wake_reader(struct sock *receiver);
struct altconn_dgram *altconn_dgram_alloc(size_t len);
bool altconn_dgram_wants_creds(const struct sock *sk,
			       const struct sock *receiver);
struct altconn_dgram *altconn_dgram_copy(struct altconn_dgram *dg);
void altconn_dgram_init(struct sock *sk);
void altconn_dgram_purge(struct sock *sk);
struct altconn_addr *altconn_dgram_peer(struct sock *sk);
int altconn_dgram_inq(struct sock *sk);
u32 altconn_dgram_queued(const struct sock *sk);

static inline struct altconn_addr *
altconn_dgram_peer_addr(const struct altconn_dgram_sock *ask)
{
	return rcu_dereference_protected(ask->peer,
					 lockdep_is_held(&ask->queue_lock));
}

/* The last datagram may go over the limit, so that room means room for any. */
static inline bool altconn_dgram_is_full(const struct sock *sk)
{
	return READ_ONCE(altconn_dgram_sk(sk)->queued) >=
	       (u32)READ_ONCE(sk->sk_rcvbuf);
}

static inline struct altconn_dgram *
altconn_dgram_first(struct altconn_dgram_sock *ask)
{
	lockdep_assert_held(&ask->queue_lock);
	return list_first_entry_or_null(&ask->queue, struct altconn_dgram,
					node);
}

static inline bool altconn_dgram_is_empty(const struct altconn_dgram_sock *ask)
{
	return list_empty(&ask->queue);
}

#endif /* _ALTCONN_DGRAM_QUEUE_H */
