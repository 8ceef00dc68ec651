/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_QUEUE_H
#define _ALTCONN_DGRAM_QUEUE_H

#include "altconn.h"
#include "addr.h"
#include "scm.h"
#include "sock.h"
#include "wait.h"

/**
 * struct altconn_dgram - a datagram
 * @node: link in the receiver's queue, or in a list of datagrams that are to be
 *	freed or delivered later
 * @from: the sender's address, a reference; NULL if the sender is unnamed. In a
 *	queue it is the address as seen in the receiver's namespace
 * @sender: the sending socket; only compared, because the socket may be freed
 *	before the datagram is
 * @refs: references, see Lifetime
 * @size: memory that is charged to the receiver, bytes
 * @len: length of @data, bytes; constant while the datagram is queued
 * @load: @size and @len as one number, so that one addition to @load of struct
 *	altconn_dgram_sock adds both
 * @peeked: a reader has peeked at the datagram; protected by the receiver's
 *	queue_lock
 * @shared: the datagram is a copy that uses the data of @of
 * @scm: ancillary data: credentials, descriptors and time stamp
 * @data: the data: @inline_data, an allocation of its own, or the data of @of
 * @of: if @shared is set, the original datagram, which owns the data; a
 *	reference. An original is never a copy itself
 * @inline_data: if @shared is not set, space for the data, unless the data has
 *	an allocation of its own
 *
 * Lifetime: The queue holds one reference. Each reader that peeks at the
 * datagram holds one while it copies the data, and each copy that shares the
 * data holds one. A reader that removes the datagram from the queue takes over
 * the queue's reference. altconn_dgram_put() frees the datagram when the last
 * reference is dropped.
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
		DECLARE_FLEX_ARRAY(char, inline_data);
	};
};

#define ALTCONN_DGRAM_GENIDS	64

/**
 * struct altconn_dgram_genid - a generation of receivers
 * @n: grows with each change after which a lookup of a receiver may have
 *	another result. A remembered receiver is valid while @n is the same
 *
 * A hash of the address selects the generation, so a bind or a close seldom
 * makes the senders to other addresses repeat their lookups.
 *
 * Lifetime: static.
 */
struct altconn_dgram_genid {
	atomic64_t	n;
} ____cacheline_aligned_in_smp;

extern struct altconn_dgram_genid altconn_dgram_genids[ALTCONN_DGRAM_GENIDS];

u8 altconn_dgram_genid_index(const struct altconn_addr *addr);
void altconn_dgram_genid_bump(const struct altconn_addr *addr);
void altconn_dgram_genid_bump_own(struct sock *sk);
void altconn_dgram_put(struct altconn_dgram *dg);
int altconn_dgram_run_filter(struct sock *receiver, struct altconn_dgram *dg);
void altconn_dgram_put_all(struct list_head *list);
bool altconn_dgram_apply_overflow(struct sock *receiver,
				  struct list_head *dropped);
struct altconn_dgram *altconn_dgram_alloc(size_t len);
struct altconn_dgram *altconn_dgram_copy(struct altconn_dgram *dg);
void altconn_dgram_init(struct sock *sk);
void altconn_dgram_purge(struct sock *sk);
struct altconn_addr *altconn_dgram_get_peer(struct sock *sk);
int altconn_dgram_first_len(struct sock *sk);
u32 altconn_dgram_unread(const struct sock *sk);

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
 * altconn_dgram_peer_permits() - check whether a receiver's peer, if it has
 * one, is the sender of a datagram
 * @ask: the receiving endpoint
 * @dg: the datagram
 *
 * Context: any; the receiver's queue_lock held.
 * Return: true if the receiver is unconnected or connected to the sender of
 * @dg, else false.
 */
static inline bool
altconn_dgram_peer_permits(const struct altconn_dgram_sock *ask,
			   const struct altconn_dgram *dg)
{
	if (ask->peer_sk)
		return dg->sender == ask->peer_sk;
	if (rcu_access_pointer(ask->peer))
		return altconn_addr_equal(dg->from,
					  altconn_dgram_peer_addr(ask));
	return true;
}

/**
 * altconn_dgram_is_full() - check whether a receiver's queue is at its limit
 * @sk: the receiving endpoint
 *
 * The limit is SO_RCVBUF. A queue below the limit takes a datagram of any size,
 * even if the datagram exceeds the limit. So poll() can report POLLOUT without
 * the size of the next datagram.
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
 * altconn_dgram_has_space() - check for space for the datagram of a new sender
 * @sk: the receiving endpoint
 *
 * The first line that applies gives the result::
 *
 *	a full receiver drops (ALTCONN_DGRAM_OVERFLOW)  true
 *	no sender is blocked (dgram_block.c)            queued < SO_RCVBUF
 *	may_exceed is set (dgram_serve_first())         true
 *	turn_open is not set                            false
 *	the queue is empty                              true
 *	otherwise                     queued + promised < SO_RCVBUF
 *
 * Space that is promised to a blocked sender counts as used, but not in an
 * empty queue: if the scheduler does not run the blocked thread, the queue
 * would stay empty.
 *
 * Context: any; without queue_lock the result may be outdated.
 * Return: true if a datagram that is sent now has space, else false.
 */
static inline bool altconn_dgram_has_space(const struct sock *sk)
{
	const struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	u32 queued = READ_ONCE(ask->queued);

	if (READ_ONCE(ask->overflow))
		return true;
	if (unlikely(!list_empty(&ask->blocked))) {
		if (READ_ONCE(ask->may_exceed))
			return true;
		if (!READ_ONCE(ask->turn_open))
			return false;
		if (queued)
			queued += READ_ONCE(ask->promised);
	}
	return queued < (u32)READ_ONCE(sk->sk_rcvbuf);
}

/**
 * altconn_dgram_check_sender() - check whether a receiver accepts a sender
 * @receiver: the receiving endpoint
 * @dg: a datagram of the sender
 *
 * As a UDP socket does, a receiver in an inet format accepts datagrams even
 * after it is shut down for reading.
 *
 * Context: any; the receiver's queue_lock held.
 * Return: 0 if the receiver accepts datagrams of the sender; -ECONNREFUSED if
 * the receiver is closed or connected to another peer; -EPIPE if the receiver
 * is shut down for reading.
 */
static inline int altconn_dgram_check_sender(const struct sock *receiver,
					     const struct altconn_dgram *dg)
{
	lockdep_assert_held(&altconn_dgram_sk(receiver)->queue_lock);
	if (sock_flag(receiver, SOCK_DEAD) ||
	    !altconn_dgram_peer_permits(altconn_dgram_sk(receiver), dg))
		return -ECONNREFUSED;
	if (unlikely(READ_ONCE(receiver->sk_shutdown) & RCV_SHUTDOWN) &&
	    !altconn_is_inet(receiver))
		return -EPIPE;
	return 0;
}

/**
 * altconn_dgram_set_load() - set the counters of a receiver's queue
 * @ask: the receiver
 * @load: the new values of ask->queued and ask->unread, as one number
 *
 * Context: any; @ask->queue_lock held.
 */
static inline void altconn_dgram_set_load(struct altconn_dgram_sock *ask,
					  u64 load)
{
	lockdep_assert_held(&ask->queue_lock);
	WRITE_ONCE(ask->load, load);
}

/**
 * altconn_dgram_enqueue() - append a datagram to the receiver's queue
 * @sk: the receiving endpoint; the caller has checked that it takes @dg
 * @dg: the datagram; the queue takes over the caller's reference
 *
 * While senders are blocked, the call also clears @may_exceed, which permits
 * one datagram to exceed the limit. If the queue is full now, the call clears
 * @turn_open, so blocked senders wait until half of the queue is free.
 *
 * Context: any; the receiver's queue_lock held.
 */
static inline void altconn_dgram_enqueue(struct sock *sk,
					 struct altconn_dgram *dg)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (unlikely(sock_flag(sk, SOCK_RCVTSTAMP)))
		dg->scm.stamp = ktime_get_real();
	altconn_dgram_set_load(ask, ask->load + dg->load);
	list_add_tail(&dg->node, &ask->queue);
	if (unlikely(!list_empty(&ask->blocked))) {
		WRITE_ONCE(ask->may_exceed, false);
		if (altconn_dgram_is_full(sk))
			WRITE_ONCE(ask->turn_open, false);
	}
}

/**
 * altconn_dgram_check_admit() - check whether a receiver takes a new datagram
 * now
 * @receiver: the receiving endpoint
 * @dg: the datagram
 *
 * Context: any; the receiver's queue_lock held.
 * Return: 0 if the receiver takes the datagram; -EAGAIN if the receiver has no
 * space for it; -ECONNREFUSED or -EPIPE as altconn_dgram_check_sender()
 * returns.
 */
static inline int altconn_dgram_check_admit(const struct sock *receiver,
					    const struct altconn_dgram *dg)
{
	int err = altconn_dgram_check_sender(receiver, dg);

	return err ? : altconn_dgram_has_space(receiver) ? 0 : -EAGAIN;
}

/**
 * altconn_dgram_has_filter() - check whether a receiver has a socket filter
 * @receiver: the receiving endpoint
 *
 * Context: any. The result may be outdated: setsockopt() may change the filter
 * at any time.
 * Return: true if the receiver has a filter, else false.
 */
static inline bool altconn_dgram_has_filter(const struct sock *receiver)
{
	return rcu_access_pointer(receiver->sk_filter);
}

/**
 * altconn_dgram_filter() - run the socket filter before a datagram is delivered
 * @receiver: the receiving endpoint
 * @dg: the datagram; not queued
 * @blocks: the sender waits if the receiver is full
 *
 * The filter does not run on a datagram that the receiver refuses, or for which
 * it has no space and the sender does not wait.
 *
 * Context: process, may sleep; the receiver's queue_lock not held.
 * Return: 0 if the receiver has no filter, or if the filter lets the datagram
 * pass; -EAGAIN if the receiver is full and @blocks is false; -ECONNREFUSED or
 * -EPIPE as altconn_dgram_check_sender() returns; -EPERM or -ENOBUFS as
 * altconn_dgram_run_filter() returns. The caller keeps its reference.
 */
static inline int altconn_dgram_filter(struct sock *receiver,
				       struct altconn_dgram *dg, bool blocks)
{
	int err;

	if (!altconn_dgram_has_filter(receiver))
		return 0;
	spin_lock(&altconn_dgram_sk(receiver)->queue_lock);
	err = altconn_dgram_check_admit(receiver, dg);
	spin_unlock(&altconn_dgram_sk(receiver)->queue_lock);
	if (err && (err != -EAGAIN || !blocks))
		return err;
	return altconn_dgram_run_filter(receiver, dg);
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
 * altconn_dgram_unlink() - remove a datagram from the receiver's queue
 * @ask: the receiving endpoint
 * @dg: the datagram; the caller takes over the queue's reference
 *
 * Context: any; the receiver's queue_lock held.
 */
static inline void altconn_dgram_unlink(struct altconn_dgram_sock *ask,
					struct altconn_dgram *dg)
{
	list_del(&dg->node);
	altconn_dgram_set_load(ask, ask->load - dg->load);
}

/**
 * altconn_dgram_wake_reader() - wake threads that wait for data
 * @receiver: the receiving endpoint, which has a new datagram in its queue
 *
 * Context: any.
 */
static inline void altconn_dgram_wake_reader(struct sock *receiver)
{
	/*
	 * Order the store of the datagram to the queue before the loads of
	 * ask->want_data and ask->polled. Pairs with the barriers in
	 * altconn_wait_readable() and altconn_wait_announce(), which order the
	 * stores of these flags before the load of the queue. So either the
	 * reader finds the datagram, or this thread finds the reader's flag.
	 */
	smp_mb();
	altconn_wait_wake_reader(receiver);
}

/**
 * altconn_dgram_carries_creds() - check whether a datagram carries credentials
 * @sk: the sending endpoint
 * @receiver: the receiving endpoint
 *
 * As in AF_UNIX, a datagram carries credentials if SO_PASSCRED is set on the
 * sender or on the receiver.
 *
 * Context: process, in a system call on @sk, so sk->sk_socket is not NULL.
 * Return: true if the datagram carries the sender's credentials, else false.
 */
static inline bool altconn_dgram_carries_creds(const struct sock *sk,
					       const struct sock *receiver)
{
	return sock_passcred(sk->sk_socket) || sk_passcred(receiver);
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
