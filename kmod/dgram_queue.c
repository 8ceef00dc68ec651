// SPDX-License-Identifier: GPL-2.0
/*
 * The queue of a datagram socket.
 *
 * A datagram is a piece of memory in its receiver's queue, charged to the
 * receiver alone, so a receiver that is stuck holds nothing of a sender's towards
 * others. It becomes an skb only for a socket filter that wants to see one. The
 * queue's lock also covers whom the receiver listens to: from connect()'s return
 * on nothing from anyone else is read (S-ONLY).
 */

#include <linux/filter.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "addr.h"
#include "dgram_queue.h"
#include "scm.h"
#include "sock.h"
#include "wait.h"

/* Of a datagram that is not shared, without its data. */
#define DGRAM_HEAD	offsetof(struct altconn_dgram, room)

/* Counts what could change who receives. */
atomic64_t altconn_dgram_generation;

/**
 * altconn_dgram_changed() - who receives may be somebody else now
 *
 * Called when a datagram socket is bound or not bound any more, and when it is
 * connected to somebody else.
 *
 * Context: any.
 */
void altconn_dgram_changed(void)
{
	/* The change first: pairs with the acquire in altconn_dgram_get_dest(). */
	smp_mb__before_atomic();
	atomic64_inc(&altconn_dgram_generation);
}

static noinline void dgram_free_data(struct altconn_dgram *dg)
{
	if (dg->shared)
		altconn_dgram_put(dg->of);
	else
		kvfree(dg->data);
}

void altconn_dgram_put(struct altconn_dgram *dg)
{
	if (!refcount_dec_and_test(&dg->refs))
		return;
	altconn_addr_put(dg->from);
	if (unlikely(dg->scm.cred.pid || dg->scm.parcel))
		altconn_scm_destroy(&dg->scm);
	if (dg->data != dg->room)
		dgram_free_data(dg);
	/* No need to ask where it is. */
	if (likely(dg->size <= PAGE_SIZE))
		kfree(dg);
	else
		kvfree(dg);
}

bool altconn_dgram_is_peer(const struct altconn_dgram_sock *ask,
			   const struct altconn_dgram *dg)
{
	if (ask->peer_sk)
		return dg->sender == ask->peer_sk;
	if (rcu_access_pointer(ask->peer))
		return altconn_addr_equal(dg->from,
					  altconn_dgram_peer_addr(ask));
	return true;
}

/*
 * Room for a datagram that is sent now. While threads wait there is none until half
 * of the queue is free, and later what they have been promised is not for others. A
 * promise does not keep the queue empty: the thread may be one that does not run. And
 * threads that fill an empty queue one after the other keep no other sender out: see
 * dgram_pass_on().
 */
bool altconn_dgram_has_room(const struct sock *sk)
{
	const struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	u32 queued = READ_ONCE(ask->queued);

	if (READ_ONCE(ask->overflow))
		return true;
	if (unlikely(!list_empty(&ask->blocked))) {
		if (READ_ONCE(ask->extra))
			return true;
		if (!READ_ONCE(ask->open))
			return false;
		if (queued)
			queued += READ_ONCE(ask->promised);
	}
	return queued < (u32)READ_ONCE(sk->sk_rcvbuf);
}

/*
 * Does the receiver listen to the sender? -ECONNREFUSED: it is gone or connected to
 * somebody else; -EPIPE: it has shut its side, which UDP tells nobody.
 */
int altconn_dgram_listens(const struct sock *receiver,
			  const struct altconn_dgram *dg)
{
	lockdep_assert_held(&altconn_dgram_sk(receiver)->queue_lock);
	if (sock_flag(receiver, SOCK_DEAD) ||
	    !altconn_dgram_is_peer(altconn_dgram_sk(receiver), dg))
		return -ECONNREFUSED;
	if (unlikely(READ_ONCE(receiver->sk_shutdown) & RCV_SHUTDOWN) &&
	    !altconn_is_inet(receiver))
		return -EPIPE;
	return 0;
}

static void dgram_charge(struct altconn_dgram_sock *ask, u64 load)
{
	lockdep_assert_held(&ask->queue_lock);
	WRITE_ONCE(ask->load, load);
}

void altconn_dgram_enqueue(struct sock *sk, struct altconn_dgram *dg)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (unlikely(sock_flag(sk, SOCK_RCVTSTAMP)))
		dg->scm.stamp = ktime_get_real();
	dgram_charge(ask, ask->load + dg->load);
	list_add_tail(&dg->node, &ask->queue);
	if (unlikely(!list_empty(&ask->blocked))) {
		WRITE_ONCE(ask->extra, false);
		if (altconn_dgram_is_full(sk))
			WRITE_ONCE(ask->open, false);
	}
}

/* Would the receiver take it? As altconn_dgram_listens(); -EAGAIN: it is full. */
int altconn_dgram_admit(const struct sock *receiver,
			const struct altconn_dgram *dg)
{
	int err = altconn_dgram_listens(receiver, dg);

	return err ? : altconn_dgram_has_room(receiver) ? 0 : -EAGAIN;
}

/* What a socket filter sees, and what it leaves of it. */
int altconn_dgram_run_filter(struct sock *receiver, struct altconn_dgram *dg)
{
	u32 paged = 0;
	struct sk_buff *skb;
	int err;

	/* As AF_UNIX: as much as pages can hold, the rest in one piece. */
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
	/* Whatever the filter's reason, what it does not want is dropped. */
	if (!err && sk_filter(receiver, skb))
		err = -EPERM;
	if (!err)
		dg->len = skb->len;
	kfree_skb(skb);
	return err;
}

static bool dgram_has_filter(const struct sock *receiver)
{
	return rcu_access_pointer(receiver->sk_filter);
}

/*
 * The receiver's socket filter, once it would take the datagram or the sender
 * would wait.
 */
int altconn_dgram_filter(struct sock *receiver, struct altconn_dgram *dg,
			 bool blocks)
{
	int err;

	if (!dgram_has_filter(receiver))
		return 0;
	spin_lock(&altconn_dgram_sk(receiver)->queue_lock);
	err = altconn_dgram_admit(receiver, dg);
	spin_unlock(&altconn_dgram_sk(receiver)->queue_lock);
	if (err && (err != -EAGAIN || !blocks))
		return err;
	return altconn_dgram_run_filter(receiver, dg);
}

void altconn_dgram_unlink(struct altconn_dgram_sock *ask,
			  struct altconn_dgram *dg)
{
	list_del(&dg->node);
	dgram_charge(ask, ask->load - dg->load);
}

void altconn_dgram_free_all(struct list_head *list)
{
	struct altconn_dgram *dg, *next;

	list_for_each_entry_safe(dg, next, list, node)
		altconn_dgram_put(dg);
}

/*
 * ALTCONN_DGRAM_OVERFLOW at a full receiver. True: the new datagram is to be dropped.
 * False: there is room for it, now that the oldest have moved to @dropped.
 */
bool altconn_dgram_drop(struct sock *receiver, struct list_head *dropped)
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

/* There is something in the queue. */
void altconn_dgram_wake_reader(struct sock *receiver)
{
	/* Pairs with who goes to sleep: see altconn_wake_reader(). */
	smp_mb();
	altconn_wake_reader(receiver);
}

/*
 * Would the header alone double what is allocated, and cleared, for @len bytes? Then
 * it is apart.
 */
static bool dgram_is_apart(size_t len)
{
	return len >= 1024 && roundup_pow_of_two(len) !=
	       roundup_pow_of_two(DGRAM_HEAD + len);
}

/* Room for @len bytes. What it is charged is what the allocator rounds up to. */
struct altconn_dgram *altconn_dgram_alloc(size_t len)
{
	bool apart = dgram_is_apart(len);
	size_t size = DGRAM_HEAD + (apart ? 0 : len);
	struct altconn_dgram *dg;

	if (likely(size <= PAGE_SIZE))
		dg = kmalloc(size, GFP_KERNEL_ACCOUNT);
	else
		dg = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!dg)
		return NULL;
	dg->data = apart ? kvmalloc(len, GFP_KERNEL_ACCOUNT) : dg->room;
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

/* As AF_UNIX: also when the sender itself asks for those of others. */
bool altconn_dgram_wants_creds(const struct sock *sk,
			       const struct sock *receiver)
{
	return sock_passcred(sk->sk_socket) || sk_passcred(receiver);
}

/*
 * A copy for one of many receivers, which shares the data. Its receiver is charged as for
 * the original. NULL: no memory.
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
 * altconn_dgram_init() - the datagram part of a new endpoint
 * @sk: the endpoint
 */
void altconn_dgram_init(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	sock_set_flag(sk, SOCK_RCU_FREE);
	/* As UDP there. */
	if (altconn_is_inet(sk))
		ask->overflow = ALTCONN_OVERFLOW_DROP_NEWEST;
	spin_lock_init(&ask->queue_lock);
	INIT_LIST_HEAD(&ask->queue);
	INIT_LIST_HEAD(&ask->blocked);
	spin_lock_init(&ask->poll_lock);
	INIT_LIST_HEAD(&ask->pollers);
	INIT_LIST_HEAD(&ask->poll_node);
}

/* No more comes. */
void altconn_dgram_purge(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	LIST_HEAD(gone);

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->queue, &gone);
	dgram_charge(ask, 0);
	spin_unlock(&ask->queue_lock);
	altconn_dgram_free_all(&gone);
}

/**
 * altconn_dgram_peer() - the address that a datagram socket is connected to
 * @sk: the endpoint; of a pair, the other half's address
 *
 * Context: any.
 * Return: a reference, or NULL.
 */
struct altconn_addr *altconn_dgram_peer(struct sock *sk)
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
 * altconn_dgram_inq() - SIOCINQ: length of the next datagram
 * @sk: the endpoint
 *
 * Context: any.
 */
int altconn_dgram_inq(struct sock *sk)
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
 * altconn_dgram_queued() - bytes that a datagram socket has not read
 * @sk: the endpoint
 *
 * Context: any; nothing is waited for, and the queue is not walked.
 */
u32 altconn_dgram_queued(const struct sock *sk)
{
	return READ_ONCE(altconn_dgram_sk(sk)->unread);
}
