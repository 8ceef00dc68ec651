/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_QUEUE_H
#define _ALTCONN_DGRAM_QUEUE_H

#include "altconn.h"
#include "addr.h"
#include "scm.h"
#include "sock.h"

/**
 * struct altconn_dgram - a datagram
 * @node: link in the receiver's queue, or in a list of datagrams that are to be
 *	freed or delivered later
 * @from: the sender's address, a reference; NULL if the receiver sees an
 *	unnamed sender
 * @sender: the sending socket; compared, never followed
 * @refs: references, see Lifetime
 * @size: memory that is charged to the receiver, bytes
 * @len: length of @data, bytes; constant while the datagram is queued
 * @load: @size and @len as one number, for @load of struct altconn_dgram_sock
 * @peeked: a reader has peeked at the datagram; protected by the receiver's
 *	queue_lock
 * @shared: the datagram is a copy that uses the data of @of
 * @scm: credentials, descriptors and time stamp that go with the data
 * @data: the data: @room, an allocation of its own, or the data of @of
 * @of: if @shared is set, the datagram that has the data, a reference; that
 *	datagram is not a copy itself
 * @room: if @shared is not set, memory for the data that is part of this
 *	allocation
 *
 * Lifetime: The queue holds one reference. Each reader that peeks at the
 * datagram holds one while it copies the data, and each copy that shares the
 * data holds one. A reader that removes the datagram from the queue takes over
 * the queue's reference. altconn_dgram_put() frees the datagram with the last
 * one.
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

/**
 * altconn_dgram_peer_addr() - return the peer address of an endpoint
 * @ask: the endpoint
 *
 * Context: any; queue_lock held.
 * Return: the address, valid while the lock is held; NULL if the endpoint is
 * unconnected or half of a socketpair.
 */
static inline struct altconn_addr *
altconn_dgram_peer_addr(const struct altconn_dgram_sock *ask)
{
	return rcu_dereference_protected(ask->peer,
					 lockdep_is_held(&ask->queue_lock));
}

/**
 * altconn_dgram_is_full() - check whether a receiver's queue is at its limit
 * @sk: the receiving endpoint
 *
 * The last datagram may exceed the limit, SO_RCVBUF. So a queue that is not
 * full takes a datagram of any size, and POLLOUT holds for a datagram of any
 * size.
 *
 * Context: any; without queue_lock the result may be outdated.
 * Return: true if the queue is full, else false.
 */
static inline bool altconn_dgram_is_full(const struct sock *sk)
{
	return READ_ONCE(altconn_dgram_sk(sk)->queued) >=
	       (u32)READ_ONCE(sk->sk_rcvbuf);
}

/**
 * altconn_dgram_first() - return the oldest datagram of a queue
 * @ask: the receiving endpoint
 *
 * Context: any; queue_lock held.
 * Return: the datagram, still in the queue; NULL if the queue is empty.
 */
static inline struct altconn_dgram *
altconn_dgram_first(struct altconn_dgram_sock *ask)
{
	lockdep_assert_held(&ask->queue_lock);
	return list_first_entry_or_null(&ask->queue, struct altconn_dgram,
					node);
}

/**
 * altconn_dgram_is_empty() - check whether a queue is empty
 * @ask: the receiving endpoint
 *
 * Context: any; without queue_lock the result may be outdated.
 * Return: true if the queue has no datagram, else false.
 */
static inline bool altconn_dgram_is_empty(const struct altconn_dgram_sock *ask)
{
	return list_empty(&ask->queue);
}

#endif /* _ALTCONN_DGRAM_QUEUE_H */
