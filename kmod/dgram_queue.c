// SPDX-License-Identifier: GPL-2.0
/*
 * This file implements the receive queue of datagram sockets.
 *
 * A queued datagram is a struct altconn_dgram. Its memory is charged to the
 * receiver's SO_RCVBUF, and not to the sender's SO_SNDBUF. So a sender can send
 * to other receivers, however many of its datagrams one receiver leaves unread.
 * The module makes an skb of a datagram only to run the receiver's socket
 * filter.
 *
 * The queue_lock of an endpoint protects both its queue and its peer. So
 * connect() changes the peer and drops the queued datagrams of other senders in
 * one step. After connect() has returned, recv() returns datagrams of the peer
 * only (clause S-ONLY: the peer is the only address from which datagrams are
 * received).
 */

#include <linux/filter.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stringhash.h>
#include "addr.h"
#include "dgram_queue.h"
#include "scm.h"
#include "sock.h"

/* Binary logarithm of ALTCONN_DGRAM_GENIDS. */
#define DGRAM_GENID_BITS	6

/* Size of a datagram that is not a copy, without its data, bytes. */
#define DGRAM_HEADER_SIZE	offsetof(struct altconn_dgram, inline_data)

struct altconn_dgram_genid altconn_dgram_genids[ALTCONN_DGRAM_GENIDS];

/**
 * altconn_dgram_genid_index() - select the generation of an address
 * @addr: canonical address, of this node or of another one
 *
 * All addresses of a port share a generation, because a wildcard binding
 * receives for all of them. A name or a port has the same generation on all
 * nodes.
 *
 * Context: any.
 * Return: index of the generation in altconn_dgram_genids.
 */
u8 altconn_dgram_genid_index(const struct altconn_addr *addr)
{
	u32 hash;

	BUILD_BUG_ON(ALTCONN_DGRAM_GENIDS != 1 << DGRAM_GENID_BITS);
	if (addr->kind == ALTCONN_KIND_PATH)
		return hash_ptr(addr->inode, DGRAM_GENID_BITS);
	hash = addr->kind == ALTCONN_KIND_NAME ?
	       full_name_hash(NULL, addr->bytes, addr->len) : addr->port;
	return hash_32(hash, DGRAM_GENID_BITS);
}

/**
 * altconn_dgram_genid_bump() - invalidate the remembered receivers of an
 *	address
 * @addr: canonical address, or NULL for all addresses
 *
 * A connected sender remembers the socket that receives its datagrams
 * (ask->cached_receiver). The caller has made a change after which another
 * socket may receive datagrams to @addr: the caller has bound or unbound a
 * datagram socket, has connected a socket that is bound, has made a binding
 * reachable from other nodes, or, with NULL, has changed the node table of a
 * namespace.
 *
 * Context: any.
 */
void altconn_dgram_genid_bump(const struct altconn_addr *addr)
{
	int i;

	/*
	 * Order the caller's change before the new generation. Pairs with the
	 * acquire in dgram_read_genid(): a sender that has read the new
	 * generation finds the change in its lookup.
	 */
	smp_mb__before_atomic();
	if (addr) {
		i = altconn_dgram_genid_index(addr);
		atomic64_inc(&altconn_dgram_genids[i].n);
		return;
	}
	for (i = 0; i < ALTCONN_DGRAM_GENIDS; i++)
		atomic64_inc(&altconn_dgram_genids[i].n);
}

/**
 * altconn_dgram_genid_bump_own() - invalidate the receiver that a socket
 *	remembers
 * @sk: a datagram endpoint; its own address has changed
 *
 * The sender's address selects among receivers that share an address, and a
 * receiver may be connected to the sender's new address. The result of a lookup
 * that is under way with the old address must not be remembered either, so the
 * generation of the peer grows.
 *
 * Context: any.
 */
void altconn_dgram_genid_bump_own(struct sock *sk)
{
	const struct altconn_addr *peer;

	rcu_read_lock();
	peer = rcu_dereference(altconn_dgram_sk(sk)->peer);
	if (peer)
		altconn_dgram_genid_bump(peer);
	rcu_read_unlock();
}

/* Free data that is not in @inline_data. */
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
 * If it is the last reference, the datagram is freed with its data and its
 * ancillary data.
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
	/*
	 * @size is not less than the allocation, and an allocation of at most
	 * a page is from kmalloc(). So use kfree() here, which is faster.
	 */
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
 * The filter runs on an skb that has a copy of the data. A filter may shorten
 * the skb, and the datagram then gets the same length.
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
	 * at most MAX_SKB_FRAGS pages. All other data is linear.
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
	/* Any error of sk_filter() means that the filter drops the datagram. */
	if (!err && sk_filter(receiver, skb))
		err = -EPERM;
	if (!err)
		dg->len = skb->len;
	kfree_skb(skb);
	return err;
}

/**
 * altconn_dgram_put_all() - drop a reference to each datagram of a list
 * @list: the datagrams, linked by @node; the list must not be used afterwards
 *
 * Context: process, may sleep; no spinlock held.
 */
void altconn_dgram_put_all(struct list_head *list)
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
 * If the receiver is full, its policy drops either the new datagram or as many
 * of the oldest queued datagrams as necessary. SO_MEMINFO of the receiver
 * counts the dropped datagrams.
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
 * Check whether @len bytes of data get an allocation of their own. kmalloc()
 * rounds a size up to a power of two. If the data with DGRAM_HEADER_SIZE
 * exceeds the power of two that is enough for the data alone, a common
 * allocation would take twice the memory, and init_on_alloc would clear all of
 * it.
 */
static bool dgram_needs_own_data(size_t len)
{
	return len >= 1024 && roundup_pow_of_two(len) !=
	       roundup_pow_of_two(DGRAM_HEADER_SIZE + len);
}

/**
 * altconn_dgram_alloc() - allocate a datagram
 * @len: length of the data, bytes
 *
 * The receiver is charged the allocated sizes, each rounded up to a power of
 * two, as kmalloc() does.
 *
 * Context: process, may sleep.
 * Return: the datagram, one reference, which the caller owns; its @sender and
 * its data are uninitialized. NULL if there is no memory.
 */
struct altconn_dgram *altconn_dgram_alloc(size_t len)
{
	bool apart = dgram_needs_own_data(len);
	size_t size = DGRAM_HEADER_SIZE + (apart ? 0 : len);
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
 * The copy uses the data of @dg, and so holds a reference to @dg. The receiver
 * of the copy is charged the size of @dg, although the data exists once.
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
	/* As with UDP, a full receiver in an inet format drops datagrams. */
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
	altconn_dgram_put_all(&gone);
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
