// SPDX-License-Identifier: GPL-2.0
/*
 * This file implements the receive queue of datagram sockets.
 *
 * A datagram is a piece of memory in its receiver's queue. The datagram counts
 * against the receiver's SO_RCVBUF alone, so a receiver that does not read uses
 * up nothing that a sender needs for datagrams to other receivers. A datagram
 * becomes an skb only if the receiver has a socket filter, which expects one.
 *
 * The receiver's queue_lock also protects its peer address. So connect()
 * changes the peer and drops the datagrams of other senders in one step, and
 * after connect() has returned, recv() returns datagrams of the peer only
 * (clause S-ONLY: the peer is the only address from which datagrams are
 * received).
 */

#include <linux/filter.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "addr.h"
#include "dgram_queue.h"
#include "scm.h"
#include "sock.h"

/* A datagram that is not a copy takes this many bytes beside its data. */
#define DGRAM_HEAD	offsetof(struct altconn_dgram, inline_data)

/* Number of changes so far that may alter which socket receives a datagram. */
atomic64_t altconn_dgram_genid;

/**
 * altconn_dgram_genid_bump() - invalidate all remembered receivers
 *
 * A connected sender remembers the socket that receives its datagrams. The
 * caller has made a change after which another socket may receive them: it has
 * bound, unbound or connected a datagram socket, has made a binding reachable
 * from other nodes, or has changed the node table of a namespace.
 *
 * Context: any.
 */
void altconn_dgram_genid_bump(void)
{
	/*
	 * Order the change before the new generation. Pairs with the acquire in
	 * dgram_dest_from_peer().
	 */
	smp_mb__before_atomic();
	atomic64_inc(&altconn_dgram_genid);
}

static noinline void dgram_free_data(struct altconn_dgram *dg)
{
	if (dg->shared)
		altconn_dgram_put(dg->of);
	else
		kvfree(dg->data);
}

/**
 * altconn_dgram_put() - drop a reference to a datagram
 * @dg: the datagram
 *
 * The last reference frees the datagram, its data and all that goes with the
 * data.
 *
 * Context: process, may sleep; no spinlock held.
 */
void altconn_dgram_put(struct altconn_dgram *dg)
{
	if (!refcount_dec_and_test(&dg->refs))
		return;
	altconn_addr_put(dg->from);
	if (unlikely(dg->scm.cred.pid || dg->scm.parcel))
		altconn_scm_destroy(&dg->scm);
	if (dg->data != dg->inline_data)
		dgram_free_data(dg);
	/* A datagram of at most a page is always from kmalloc(). */
	if (likely(dg->size <= PAGE_SIZE))
		kfree(dg);
	else
		kvfree(dg);
}

/**
 * altconn_dgram_run_filter() - run the receiver's socket filter on a datagram
 * @receiver: the receiving endpoint
 * @dg: the datagram; not queued
 *
 * The filter sees an skb with a copy of the data. If the filter cuts the skb,
 * the datagram becomes as short.
 *
 * Context: process, may sleep.
 * Return: 0 if the filter lets the datagram pass; -EPERM if the filter drops
 * it; -ENOBUFS if there is no memory for the skb. The caller keeps its
 * reference.
 */
int altconn_dgram_run_filter(struct sock *receiver, struct altconn_dgram *dg)
{
	u32 paged = 0;
	struct sk_buff *skb;
	int err;

	/*
	 * As in AF_UNIX, data beyond SKB_MAX_ALLOC bytes is in page fragments,
	 * as far as an skb can have these. The rest is linear.
	 */
	if (dg->len > SKB_MAX_ALLOC)
		paged = PAGE_ALIGN(min_t(size_t, dg->len - SKB_MAX_ALLOC,
					 MAX_SKB_FRAGS * PAGE_SIZE));
	paged = min(paged, dg->len);
	skb = alloc_skb_with_frags(dg->len - paged, paged,
				   PAGE_ALLOC_COSTLY_ORDER, &err,
				   GFP_KERNEL_ACCOUNT);
	if (!skb)
		return err;
	skb_put(skb, dg->len - paged);
	skb->data_len = paged;
	skb->len = dg->len;
	err = skb_store_bits(skb, 0, dg->data, dg->len);
	/* Any error means that the filter drops the datagram. */
	if (!err && sk_filter(receiver, skb))
		err = -EPERM;
	if (!err)
		dg->len = skb->len;
	kfree_skb(skb);
	return err;
}

/**
 * altconn_dgram_free_all() - drop a reference to each datagram of a list
 * @list: the datagrams, linked by @node; the list must not be used afterwards
 *
 * Context: process, may sleep; no spinlock held.
 */
void altconn_dgram_free_all(struct list_head *list)
{
	struct altconn_dgram *dg, *next;

	list_for_each_entry_safe(dg, next, list, node)
		altconn_dgram_put(dg);
}

/**
 * altconn_dgram_apply_overflow() - apply the drop policy of a receiver to a new
 * datagram
 * @receiver: the receiving endpoint; its ALTCONN_DGRAM_OVERFLOW is not
 *	ALTCONN_OVERFLOW_BLOCK
 * @dropped: gets the datagrams that are dropped from the queue; the caller
 *	takes over their references
 *
 * If the receiver is full, the policy drops either the new datagram or as many
 * of the oldest ones as necessary. SO_MEMINFO counts them.
 *
 * Context: any; the receiver's queue_lock held.
 * Return: true if the caller must drop the new datagram; false if the queue has
 * space for it.
 */
bool altconn_dgram_apply_overflow(struct sock *receiver,
				  struct list_head *dropped)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (!altconn_dgram_is_full(receiver))
		return false;
	if (ask->overflow == ALTCONN_OVERFLOW_DROP_NEWEST) {
		atomic_inc(&receiver->sk_drops);
		return true;
	}
	while (altconn_dgram_is_full(receiver) && !list_empty(&ask->queue)) {
		struct altconn_dgram *oldest = altconn_dgram_first(ask);

		altconn_dgram_unlink(ask, oldest);
		list_add_tail(&oldest->node, dropped);
		atomic_inc(&receiver->sk_drops);
	}
	return false;
}

/*
 * Check whether @len bytes of data need an allocation of their own. They do if
 * the header would double the memory that the allocator hands out, and clears
 * if the allocator is configured to.
 */
static bool dgram_needs_own_data(size_t len)
{
	return len >= 1024 && roundup_pow_of_two(len) !=
	       roundup_pow_of_two(DGRAM_HEAD + len);
}

/**
 * altconn_dgram_alloc() - allocate a datagram
 * @len: length of the data, bytes
 *
 * The size that the receiver is charged is the size to which the allocator
 * rounds up.
 *
 * Context: process, may sleep.
 * Return: the datagram, one reference, which the caller owns; @sender and the
 * data are uninitialized. NULL if there is no memory.
 */
struct altconn_dgram *altconn_dgram_alloc(size_t len)
{
	bool apart = dgram_needs_own_data(len);
	size_t size = DGRAM_HEAD + (apart ? 0 : len);
	struct altconn_dgram *dg;

	if (likely(size <= PAGE_SIZE))
		dg = kmalloc(size, GFP_KERNEL_ACCOUNT);
	else
		dg = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!dg)
		return NULL;
	dg->data = apart ? kvmalloc(len, GFP_KERNEL_ACCOUNT) : dg->inline_data;
	if (!dg->data) {
		kvfree(dg);
		return NULL;
	}
	refcount_set(&dg->refs, 1);
	dg->from = NULL;
	dg->len = len;
	dg->peeked = false;
	dg->shared = false;
	dg->size = roundup_pow_of_two(size) +
		   (apart ? roundup_pow_of_two(len) : 0);
	memset(&dg->scm, 0, sizeof(dg->scm));
	return dg;
}

/**
 * altconn_dgram_copy() - copy a datagram for one of several receivers
 * @dg: the datagram, which is not a copy itself
 *
 * The copy shares the data of @dg, and holds a reference to @dg for that. The
 * receiver of the copy is charged as much as for @dg.
 *
 * Context: process, may sleep.
 * Return: the copy, one reference, which the caller owns; NULL if there is no
 * memory.
 */
struct altconn_dgram *altconn_dgram_copy(struct altconn_dgram *dg)
{
	struct altconn_dgram *copy = kmalloc(sizeof(*copy), GFP_KERNEL_ACCOUNT);

	if (!copy)
		return NULL;
	refcount_set(&copy->refs, 1);
	refcount_inc(&dg->refs);
	copy->of = dg;
	copy->shared = true;
	copy->data = dg->data;
	copy->load = dg->load;
	copy->peeked = false;
	copy->from = altconn_addr_get(dg->from);
	copy->sender = dg->sender;
	altconn_scm_copy(&copy->scm, &dg->scm);
	return copy;
}

/**
 * altconn_dgram_init() - initialize the datagram part of a new endpoint
 * @sk: the endpoint
 *
 * Context: process; no other thread sees the endpoint.
 */
void altconn_dgram_init(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	sock_set_flag(sk, SOCK_RCU_FREE);
	/* A UDP socket that is full drops new datagrams. */
	if (altconn_is_inet(sk))
		ask->overflow = ALTCONN_OVERFLOW_DROP_NEWEST;
	spin_lock_init(&ask->queue_lock);
	INIT_LIST_HEAD(&ask->queue);
	INIT_LIST_HEAD(&ask->blocked);
	spin_lock_init(&ask->poll_lock);
	INIT_LIST_HEAD(&ask->pollers);
	INIT_LIST_HEAD(&ask->poll_node);
}

/**
 * altconn_dgram_purge() - free all datagrams of a queue
 * @sk: the receiving endpoint, which is closing and accepts no new datagram
 *
 * Context: process, may sleep; queue_lock not held.
 */
void altconn_dgram_purge(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	LIST_HEAD(gone);

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->queue, &gone);
	altconn_dgram_set_load(ask, 0);
	spin_unlock(&ask->queue_lock);
	altconn_dgram_free_all(&gone);
}

/**
 * altconn_dgram_get_peer() - get the address of the peer of a datagram socket
 * @sk: the endpoint
 *
 * The peer of one half of a socketpair is the other half.
 *
 * Context: any.
 * Return: the address, a reference, which the caller owns; NULL if the socket
 * is unconnected or the peer is unnamed.
 */
struct altconn_addr *altconn_dgram_get_peer(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_addr *addr;

	spin_lock(&ask->queue_lock);
	if (ask->peer_sk)
		addr = altconn_addr_of(ask->peer_sk);
	else
		addr = altconn_addr_get(altconn_dgram_peer_addr(ask));
	spin_unlock(&ask->queue_lock);
	return addr;
}

/**
 * altconn_dgram_first_len() - return the length of the next datagram, for
 * SIOCINQ
 * @sk: the endpoint
 *
 * Context: any.
 * Return: the length of the oldest datagram in the queue, bytes; 0 if the queue
 * is empty.
 */
int altconn_dgram_first_len(struct sock *sk)
{
	const struct altconn_dgram *dg;
	int n = 0;

	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	dg = altconn_dgram_first(altconn_dgram_sk(sk));
	if (dg)
		n = dg->len;
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	return n;
}

/**
 * altconn_dgram_unread() - return the amount of data in a queue
 * @sk: the endpoint
 *
 * Context: any; takes no lock and does not walk the queue.
 * Return: the sum of the lengths of all queued datagrams, bytes.
 */
u32 altconn_dgram_unread(const struct sock *sk)
{
	return READ_ONCE(altconn_dgram_sk(sk)->unread);
}
