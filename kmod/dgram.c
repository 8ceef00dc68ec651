// SPDX-License-Identifier: GPL-2.0
/*
 * Datagram sockets.
 *
 * A datagram is a piece of memory in its receiver's queue, charged to the
 * receiver alone, so a receiver that is stuck holds nothing of a sender's towards
 * others. It becomes an skb only for a socket filter that wants to see one. The
 * queue's lock also covers whom the receiver listens to: from connect()'s return
 * on nothing from anyone else is read (S-ONLY).
 *
 * The receiver of a connected sender is looked up once: the endpoint remembers it until
 * any datagram socket of the machine is bound, connected or closed.
 *
 * A thread whose send() finds the receiver full sleeps in the receiver's list of
 * blocked senders, a FIFO. When half of the queue is free the first thread gets the
 * turn: it is woken, and until it has queued its own datagram the room for that is not
 * for others. Then the next thread has the turn, until the queue is full again. Room
 * that is left is for any sender. A thread that does not run holds no other up: the
 * next read queues its datagram for it. See dgram_pass_on().
 *
 * A poll() that finds the receiver full adds its endpoint to the receiver's list of
 * pollers. All of them are woken when there is room that no thread has been promised.
 * An endpoint is in one such list at a time.
 *
 * Lock order: poll_lock of the sender, then queue_lock of the receiver.
 */

#include <linux/filter.h>
#include <linux/ip.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include "event.h"
#include "trace.h"
#include "wait.h"

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

/* Of a datagram that is not shared, without its data. */
#define DGRAM_HEAD	offsetof(struct altconn_dgram, room)

/*
 * Where a datagram goes: an address, or the other half of a pair. And who was
 * found there the last time, what the generation was before the search, and what a
 * rule says. And the sender's address in its own namespace, if that is another node's.
 */
struct dest {
	struct altconn_addr	*addr;
	struct altconn_addr	*own;
	struct sock		*sk;
	struct sock		*known;
	u64			generation;
	struct altconn_ruling	ruling;
};

/*
 * States of a blocked sender: it waits; it has the turn; it has left the list and looks
 * for its receiver again, or its datagram has been queued.
 */
enum { BLOCKED = 1, TURN, LOOK_AGAIN, QUEUED };

/* What a read has to do without the lock. */
enum {
	DGRAM_ROOM = 1,	/* wake pollers for room */
	DGRAM_DATA = 2,	/* wake readers */
};

/**
 * struct dgram_blocked - a thread that waits for room at a full receiver
 * @node: in the receiver's list; its queue_lock
 * @task: the thread
 * @dg: its datagram, which the receiver owns from QUEUED on
 * @filter: the receiver's socket filter that @dg has passed, compared, or NULL;
 *	DGRAM_UNFILTERED while the thread runs another one
 * @result: BLOCKED, TURN, LOOK_AGAIN or QUEUED; written under the receiver's queue_lock,
 *	as the others are from dgram_block_thread() on
 *
 * Lifetime: on the thread's stack, out of the list before the thread goes on.
 */
struct dgram_blocked {
	struct list_head	node;
	struct task_struct	*task;
	struct altconn_dgram	*dg;
	const struct sk_filter	*filter;
	int			result;
};

#define DGRAM_UNFILTERED	((const struct sk_filter *)ERR_PTR(-EBUSY))

/* A thread that waits looks every so often, jiffies, for room that it was not told of. */
#define DGRAM_PATIENCE		max(HZ / 10, 1)

/* Threads that are woken in one hold of the lock. */
#define DGRAM_BATCH		16

/* The longest datagrams of UDP over IPv4 and over IPv6, bytes. */
#define DGRAM_MAX_V4	(65535 - sizeof(struct iphdr) - sizeof(struct udphdr))
#define DGRAM_MAX_V6	(65535 - sizeof(struct udphdr))

/* Counts what could change who receives. */
static atomic64_t dgram_generation;

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
	/* The change first: pairs with the acquire in dgram_get_dest(). */
	smp_mb__before_atomic();
	atomic64_inc(&dgram_generation);
}

static void dgram_put_dest(struct dest *dest)
{
	altconn_addr_put(dest->addr);
	altconn_addr_put(dest->own);
	if (dest->sk)
		sock_put(dest->sk);
	if (dest->known)
		sock_put(dest->known);
}

static void dgram_put(struct altconn_dgram *dg);

static noinline void dgram_free_data(struct altconn_dgram *dg)
{
	if (dg->shared)
		dgram_put(dg->of);
	else
		kvfree(dg->data);
}

static void dgram_put(struct altconn_dgram *dg)
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

static struct altconn_addr *
dgram_peer_addr(const struct altconn_dgram_sock *ask)
{
	return rcu_dereference_protected(ask->peer,
					 lockdep_is_held(&ask->queue_lock));
}

static bool dgram_is_peer(const struct altconn_dgram_sock *ask,
			  const struct altconn_dgram *dg)
{
	if (ask->peer_sk)
		return dg->sender == ask->peer_sk;
	if (rcu_access_pointer(ask->peer))
		return altconn_addr_equal(dg->from, dgram_peer_addr(ask));
	return true;
}

/* The last datagram may go over the limit, so that room means room for any. */
static bool dgram_is_full(const struct sock *sk)
{
	return READ_ONCE(altconn_dgram_sk(sk)->queued) >=
	       (u32)READ_ONCE(sk->sk_rcvbuf);
}

/*
 * Room for a datagram that is sent now. While threads wait there is none until half
 * of the queue is free, and later what they have been promised is not for others. A
 * promise does not keep the queue empty: the thread may be one that does not run. And
 * threads that fill an empty queue one after the other keep no other sender out: see
 * dgram_pass_on().
 */
static bool dgram_has_room(const struct sock *sk)
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
 * How well a binding suits a datagram from @from: the closest address, of these
 * a socket that is connected to the sender, then one that is to nobody. One
 * that is connected to somebody else suits no better than none. As with UDP. A
 * sender that finds only sockets that are connected to others is refused: by
 * dgram_admit(), and in the inet formats by dgram_refused().
 */
static unsigned int dgram_suits(const struct altconn_bind *bind,
				const struct altconn_addr *addr,
				const struct altconn_addr *from)
{
	unsigned int score = 4 * altconn_bind_score(bind, addr);
	const struct altconn_addr *peer;

	if (!score || bind->type != SOCK_DGRAM)
		return 0;
	peer = rcu_dereference(altconn_dgram_sk(bind->sk)->peer);
	if (!peer)
		return score + 1;
	return altconn_addr_equal(peer, from) ? score + 2 : 1;
}

/* The @nth binding of a place that shares it and suits as well as @score. */
static struct altconn_bind *dgram_nth(const struct altconn_place *place,
				      const struct altconn_addr *addr,
				      const struct altconn_addr *from,
				      unsigned int score, u32 nth)
{
	struct altconn_bind *bind, *last = NULL;

	altconn_bind_for_each(bind, place) {
		if (!bind->share || dgram_suits(bind, addr, from) != score)
			continue;
		last = bind;
		if (!nth--)
			break;
	}
	return last;
}

/*
 * The binding of a place that suits better than @best, which is written. Of
 * those that share the address the sender's address chooses one, as UDP does
 * with SO_REUSEPORT.
 */
static struct altconn_bind *dgram_best(const struct altconn_place *place,
				       const struct altconn_addr *addr,
				       const struct altconn_addr *from,
				       unsigned int *best)
{
	struct altconn_bind *bind, *found = NULL;
	unsigned int score;
	u32 shared = 0;

	altconn_bind_for_each(bind, place) {
		score = dgram_suits(bind, addr, from);
		if (score > *best) {
			*best = score;
			found = bind;
			shared = 0;
		}
		shared += score == *best && bind->share;
	}
	if (shared < 2 || !found || !found->share)
		return found;
	return dgram_nth(place, addr, from, *best,
			 altconn_bind_spread(from, shared));
}

/*
 * The bound endpoint that takes a datagram to an address. An address of a path
 * must be the binding's own object or come from a lookup that pins the inode.
 */
static struct sock *dgram_find_here(struct net *net,
				    const struct altconn_addr *addr,
				    const struct altconn_addr *from,
				    bool connected, int *err)
{
	struct altconn_bind *bind = NULL, *better;
	unsigned int closeness, best = 0;
	struct sock *sk = NULL;

	*err = -ECONNREFUSED;
	rcu_read_lock();
	/* What suits at a place suits better than anything less close. */
	for (closeness = ALTCONN_CLOSEST; closeness && best < 2; closeness--) {
		better = dgram_best(altconn_bind_place(net, SOCK_DGRAM, addr,
						       closeness),
				    addr, from, &best);
		bind = better ? : bind;
	}
	if (!bind && addr->kind == ALTCONN_KIND_PATH &&
	    altconn_bind_find(net, SOCK_DGRAM, addr))
		*err = -EPROTOTYPE;
	/* The path that the sender is connected to may be another's by now. */
	if (bind && (!connected || addr->kind != ALTCONN_KIND_PATH ||
		     bind->addr == addr))
		sk = bind->sk;
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	if (sk)
		*err = 0;
	return sk;
}

static noinline struct sock *dgram_find_far(const struct net *net,
					    const struct altconn_addr *addr,
					    struct altconn_addr *own, int *err)
{
	struct altconn_addr there, *seen;
	struct sock *sk = NULL;
	struct net *target;
	u32 reason;

	target = altconn_node_get(net, addr, &there, &reason);
	if (IS_ERR(target)) {
		*err = PTR_ERR(target);
		return NULL;
	}
	seen = altconn_node_seen(target, net, own);
	if (IS_ERR(seen)) {
		*err = PTR_ERR(seen);
	} else {
		sk = dgram_find_here(target, &there, seen, false, err);
		altconn_addr_put(seen);
	}
	put_net(target);
	return sk;
}

/* @from: the sender's address, or NULL, as it is written here. */
static struct sock *dgram_find(struct net *net, const struct altconn_addr *addr,
			       struct altconn_addr *from, bool connected,
			       int *err)
{
	if (unlikely(addr->far))
		return dgram_find_far(net, addr, from, err);
	return dgram_find_here(net, addr, from, connected, err);
}

/* The endpoint is out of the list of its receiver's pollers. */
static void dgram_unwatch_locked(struct altconn_dgram_sock *ask)
{
	struct sock *receiver = ask->watches;

	lockdep_assert_held(&ask->poll_lock);
	if (!receiver)
		return;
	spin_lock(&altconn_dgram_sk(receiver)->queue_lock);
	list_del_init(&ask->poll_node);
	spin_unlock(&altconn_dgram_sk(receiver)->queue_lock);
	ask->watches = NULL;
	sock_put(receiver);
}

static void dgram_unwatch(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->poll_lock);
	dgram_unwatch_locked(ask);
	spin_unlock(&ask->poll_lock);
}

/* Is @receiver full? Then the endpoint is in the list of its pollers. */
static bool dgram_enlist(struct altconn_dgram_sock *ask, struct sock *receiver)
{
	struct altconn_dgram_sock *to = altconn_dgram_sk(receiver);
	bool full;

	spin_lock(&to->queue_lock);
	full = !dgram_has_room(receiver) && !sock_flag(receiver, SOCK_DEAD) &&
	       (altconn_is_inet(receiver) ||
		!(READ_ONCE(receiver->sk_shutdown) & RCV_SHUTDOWN));
	if (full && list_empty(&ask->poll_node))
		list_add_tail(&ask->poll_node, &to->pollers);
	spin_unlock(&to->queue_lock);
	return full;
}

/* Is @receiver full? Then the endpoint's pollers will hear of room. */
static bool dgram_watch(struct sock *sk, struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	bool full, watched;

	spin_lock(&ask->poll_lock);
	watched = ask->watches;
	if (ask->watches != receiver) {
		dgram_unwatch_locked(ask);
		sock_hold(receiver);
		ask->watches = receiver;
	}
	full = dgram_enlist(ask, receiver);
	if (!full)
		dgram_unwatch_locked(ask);
	spin_unlock(&ask->poll_lock);
	/* Another thread may sleep in poll(), whose entry that was. */
	if (!full && watched)
		sk->sk_write_space(sk);
	return full;
}

/*
 * Each endpoint that is in the list now has its pollers woken once: a poll() that
 * looks again meanwhile, or is new, does not make this longer. Without a lock, as
 * nobody knows how many pollers an endpoint has.
 */
static void dgram_wake_pollers(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver), *poller;
	LIST_HEAD(pollers);
	struct sock *sk;

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->pollers, &pollers);
	while (!list_empty(&pollers)) {
		poller = list_first_entry(&pollers, struct altconn_dgram_sock,
					  poll_node);
		sk = &poller->base.sk;
		list_del_init(&poller->poll_node);
		/* It leaves the list before it closes. */
		sock_hold(sk);
		spin_unlock(&ask->queue_lock);
		sk->sk_write_space(sk);
		sock_put(sk);
		cond_resched();
		spin_lock(&ask->queue_lock);
	}
	spin_unlock(&ask->queue_lock);
}

static void dgram_set_result(struct altconn_dgram_sock *receiver,
			     struct dgram_blocked *entry, int result)
{
	u32 promised = receiver->promised;

	lockdep_assert_held(&receiver->queue_lock);
	if (entry->result == TURN)
		promised -= entry->dg->size;
	if (result == TURN)
		promised += entry->dg->size;
	WRITE_ONCE(receiver->promised, promised);
	WRITE_ONCE(entry->result, result);
}

/*
 * Does the receiver listen to the sender? -ECONNREFUSED: it is gone or connected to
 * somebody else; -EPIPE: it has shut its side, which UDP tells nobody.
 */
static int dgram_listens(const struct sock *receiver,
			 const struct altconn_dgram *dg)
{
	lockdep_assert_held(&altconn_dgram_sk(receiver)->queue_lock);
	if (sock_flag(receiver, SOCK_DEAD) ||
	    !dgram_is_peer(altconn_dgram_sk(receiver), dg))
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

static void dgram_enqueue(struct sock *sk, struct altconn_dgram *dg)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (unlikely(sock_flag(sk, SOCK_RCVTSTAMP)))
		dg->scm.stamp = ktime_get_real();
	dgram_charge(ask, ask->load + dg->load);
	list_add_tail(&dg->node, &ask->queue);
	if (unlikely(!list_empty(&ask->blocked))) {
		WRITE_ONCE(ask->extra, false);
		if (dgram_is_full(sk))
			WRITE_ONCE(ask->open, false);
	}
}

/*
 * Once half of the queue is free, and until it is full again, threads that wait have
 * the turn one after the other. True: there is room for pollers, too, and the caller
 * wakes them, without the lock.
 */
static bool dgram_pass_turn(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;

	lockdep_assert_held(&ask->queue_lock);
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	if (first && ask->open && first->result == BLOCKED &&
	    !dgram_is_full(receiver)) {
		/* The thread takes the lock before it goes. */
		dgram_set_result(ask, first, TURN);
		wake_up_process(first->task);
	}
	return !list_empty(&ask->pollers) && dgram_has_room(receiver);
}

/*
 * Does the read queue the first thread's datagram? If the thread has had the turn since
 * an earlier read; and in an empty queue if others wait behind it, since no read may
 * come that sees whether the thread runs. Not past a filter that it has not passed.
 */
static bool dgram_queues_first(struct sock *receiver,
			       const struct dgram_blocked *first)
{
	const struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (first->result != TURN &&
	    (ask->queued || list_is_singular(&ask->blocked)))
		return false;
	return first->filter == rcu_access_pointer(receiver->sk_filter) &&
	       !dgram_is_full(receiver) && !dgram_listens(receiver, first->dg);
}

/*
 * A read passes the turn on. A thread that has had it since an earlier read may
 * be one that does not run, so the read queues that thread's datagram, and the
 * other threads depend on the reader alone. That keeps the order. One datagram
 * for a read, so that the work is bounded, and other senders find room between.
 *
 * If one datagram fills the queue, the datagram of the next thread fills it
 * again as soon as it is empty, and a sender that does not block never finds
 * room. So one datagram of another sender may go over the limit then.
 */
static int dgram_pass_on(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;
	int todo = 0;

	lockdep_assert_held(&ask->queue_lock);
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	if (first && dgram_queues_first(receiver, first)) {
		bool fills = !ask->queued;

		list_del(&first->node);
		dgram_enqueue(receiver, first->dg);
		/* The thread takes the lock before it goes. */
		dgram_set_result(ask, first, QUEUED);
		wake_up_process(first->task);
		WRITE_ONCE(ask->extra, fills && dgram_is_full(receiver));
		todo = DGRAM_DATA;
	}
	return dgram_pass_turn(receiver) ? todo | DGRAM_ROOM : todo;
}

/* After a read: once half of the queue is free, pass the turn on; see there. */
static noinline int dgram_make_room(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (ask->queued > (u32)READ_ONCE(sk->sk_rcvbuf) / 2)
		return 0;
	WRITE_ONCE(ask->open, true);
	return dgram_pass_on(sk);
}

/*
 * All threads that wait now look for their receiver again, which has changed, and
 * pollers are woken. Sixteen threads in one hold of the lock; a thread that leaves
 * the list by itself meanwhile finds the change, too: dgram_end_wait().
 */
static void dgram_release_all(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *entry;
	LIST_HEAD(blocked);
	int n = 0;

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->blocked, &blocked);
	while (!list_empty(&blocked)) {
		entry = list_first_entry(&blocked, struct dgram_blocked, node);
		list_del_init(&entry->node);
		dgram_set_result(ask, entry, LOOK_AGAIN);
		wake_up_process(entry->task);
		if (++n % DGRAM_BATCH)
			continue;
		spin_unlock(&ask->queue_lock);
		cond_resched();
		spin_lock(&ask->queue_lock);
	}
	spin_unlock(&ask->queue_lock);
	dgram_wake_pollers(receiver);
}

/* Would the receiver take it? As dgram_listens(); -EAGAIN: it is full. */
static int dgram_admit(const struct sock *receiver,
		       const struct altconn_dgram *dg)
{
	int err = dgram_listens(receiver, dg);

	return err ? : dgram_has_room(receiver) ? 0 : -EAGAIN;
}

/* What a socket filter sees, and what it leaves of it. */
static int dgram_run_filter(struct sock *receiver, struct altconn_dgram *dg)
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
static int dgram_filter(struct sock *receiver, struct altconn_dgram *dg,
			bool blocks)
{
	int err;

	if (!dgram_has_filter(receiver))
		return 0;
	spin_lock(&altconn_dgram_sk(receiver)->queue_lock);
	err = dgram_admit(receiver, dg);
	spin_unlock(&altconn_dgram_sk(receiver)->queue_lock);
	if (err && (err != -EAGAIN || !blocks))
		return err;
	return dgram_run_filter(receiver, dg);
}

static struct altconn_dgram *dgram_first(struct altconn_dgram_sock *ask)
{
	lockdep_assert_held(&ask->queue_lock);
	return list_first_entry_or_null(&ask->queue, struct altconn_dgram,
					node);
}

static void dgram_unlink(struct altconn_dgram_sock *ask,
			 struct altconn_dgram *dg)
{
	list_del(&dg->node);
	dgram_charge(ask, ask->load - dg->load);
}

static void dgram_free_all(struct list_head *list)
{
	struct altconn_dgram *dg, *next;

	list_for_each_entry_safe(dg, next, list, node)
		dgram_put(dg);
}

/*
 * ALTCONN_DGRAM_OVERFLOW at a full receiver. True: the new datagram is to be dropped.
 * False: there is room for it, now that the oldest have moved to @dropped.
 */
static bool dgram_drop(struct sock *receiver, struct list_head *dropped)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (!dgram_is_full(receiver))
		return false;
	if (ask->overflow == ALTCONN_OVERFLOW_DROP_NEWEST) {
		atomic_inc(&receiver->sk_drops);
		return true;
	}
	while (dgram_is_full(receiver) && !list_empty(&ask->queue)) {
		struct altconn_dgram *oldest = dgram_first(ask);

		dgram_unlink(ask, oldest);
		list_add_tail(&oldest->node, dropped);
		atomic_inc(&receiver->sk_drops);
	}
	return false;
}

/* Its datagram has passed the receiver's filter just now. */
static void dgram_block_thread(struct sock *receiver, struct dgram_blocked *me,
			       struct altconn_dgram *dg)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	me->task = current;
	me->dg = dg;
	me->filter = rcu_access_pointer(receiver->sk_filter);
	me->result = BLOCKED;
	if (list_empty(&ask->blocked)) {
		WRITE_ONCE(ask->open, false);
		WRITE_ONCE(ask->extra, false);
	}
	list_add_tail(&me->node, &ask->blocked);
}

/* There is something in the queue. */
static void dgram_wake_reader(struct sock *receiver)
{
	/* Pairs with who goes to sleep: see altconn_wake_reader(). */
	smp_mb();
	altconn_wake_reader(receiver);
}

/*
 * Queue a datagram, or say why not, as dgram_admit(). BLOCKED instead of -EAGAIN: @me
 * waits for room, unless it is NULL.
 */
static int dgram_deliver(struct sock *receiver, struct altconn_dgram *dg,
			 struct dgram_blocked *me)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	LIST_HEAD(dropped);
	int err;

	spin_lock(&ask->queue_lock);
	err = dgram_admit(receiver, dg);
	if (!err && unlikely(ask->overflow) && dgram_drop(receiver, &dropped)) {
		list_add_tail(&dg->node, &dropped);
	} else if (!err) {
		dgram_enqueue(receiver, dg);
	} else if (err == -EAGAIN && me) {
		dgram_block_thread(receiver, me, dg);
		err = BLOCKED;
	}
	spin_unlock(&ask->queue_lock);
	if (err)
		return err;
	if (unlikely(!list_empty(&dropped)))
		dgram_free_all(&dropped);
	dgram_wake_reader(receiver);
	return 0;
}

/* The IP address that a socket of any address has towards @dest. */
static struct altconn_addr *dgram_source(struct sock *sk, u32 port,
					 const struct altconn_addr *dest)
{
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET, .port = port };

	altconn_node_source(sock_net(sk), dest, &local);
	return altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT) ? : ERR_PTR(-ENOMEM);
}

/*
 * Is the address that it has one that its connection gave it, for other nodes? One that
 * it was bound to is its own, whoever it is connected to.
 */
static bool dgram_is_for_others(const struct sock *sk, const struct altconn_addr *dest)
{
	const struct altconn_addr *peer;
	const struct altconn_bind *bind;
	bool others;

	rcu_read_lock();
	/* Pairs with altconn_bind_insert(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	peer = rcu_dereference(altconn_dgram_sk(sk)->peer);
	others = peer && peer->far && !dest->far && bind &&
		 bind->addr->kind == ALTCONN_KIND_INET &&
		 altconn_addr_is_any(bind->addr);
	rcu_read_unlock();
	return others;
}

/*
 * The sender's address towards @dest, or the other half of a pair: one that can be
 * answered. As it is written here. A reference, NULL or an error.
 */
static struct altconn_addr *dgram_sender_addr(struct sock *sk,
					      const struct altconn_addr *dest)
{
	struct altconn_addr *addr = altconn_addr_of(sk), *seen;

	if (!addr || !dest || addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET ||
	    (!altconn_addr_is_any(addr) && !dgram_is_for_others(sk, dest)))
		return addr;
	seen = dgram_source(sk, addr->port, dest);
	altconn_addr_put(addr);
	return seen;
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
static struct altconn_dgram *dgram_alloc(size_t len)
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

static __always_inline struct altconn_dgram *
dgram_make(struct sock *sk, struct msghdr *msg, size_t len,
	   const struct altconn_addr *dest)
{
	struct altconn_dgram *dg = dgram_alloc(len);
	struct altconn_addr *from;
	int err = 0;

	if (!dg)
		return ERR_PTR(-ENOMEM);
	dg->sender = sk;
	from = dgram_sender_addr(sk, dest);
	if (IS_ERR(from))
		err = PTR_ERR(from);
	else
		dg->from = from;
	if (!err && unlikely(msg->msg_controllen))
		err = altconn_scm_send(sk, msg, &dg->scm);
	/* The bounds are the allocation's: no hardened look at the slab. */
	if (!err && _copy_from_iter(dg->data, len, &msg->msg_iter) != len)
		err = -EFAULT;
	if (err) {
		dgram_put(dg);
		return ERR_PTR(err);
	}
	return dg;
}

/*
 * Remember who was found, if that is still where this socket sends to. What
 * changed since is seen: it has another number.
 */
static void dgram_remember(struct sock *sk, struct sock *receiver,
			   const struct dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	if (dgram_peer_addr(ask) == dest->addr) {
		ask->known = receiver;
		ask->known_in = dest->generation;
	}
	spin_unlock(&ask->queue_lock);
}

/*
 * The receiver that is remembered, and a reference: while nothing has changed
 * it is bound, so a grace period keeps it.
 */
static struct sock *dgram_get_known(const struct altconn_dgram_sock *ask)
{
	struct sock *sk;

	lockdep_assert_held(&ask->queue_lock);
	rcu_read_lock();
	sk = ask->known;
	if (!sk || ask->known_in != (u64)atomic64_read(&dgram_generation) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	return sk;
}

static struct sock *dgram_find_receiver(struct sock *sk, struct dest *dest,
					struct altconn_addr *from,
					bool connected, int *err)
{
	struct sock *receiver = dest->known;

	/* Once: after a wait it is looked up again. */
	dest->known = NULL;
	if (receiver)
		return receiver;
	if (dest->sk) {
		sock_hold(dest->sk);
		return dest->sk;
	}
	receiver = dgram_find(sock_net(sk), dest->addr, from, connected, err);
	if (receiver && connected)
		dgram_remember(sk, receiver, dest);
	return receiver;
}

/*
 * A while of sleep has passed. Is there room that a new sender would get, and does no
 * read queue the datagram of the first thread, which may not run? Then this thread takes
 * it, whatever its place. That is so past a filter that is new.
 */
static bool dgram_may_overtake(struct sock *receiver,
			       const struct dgram_blocked *me)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;

	lockdep_assert_held(&ask->queue_lock);
	if (me->result != BLOCKED || !dgram_has_room(receiver) ||
	    dgram_is_full(receiver))
		return false;
	first = list_first_entry(&ask->blocked, struct dgram_blocked, node);
	return !ask->queued ||
	       first->filter != rcu_access_pointer(receiver->sk_filter);
}

static void dgram_look_for_room(struct sock *receiver, struct dgram_blocked *me)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (!dgram_has_room(receiver))
		return;
	spin_lock(&ask->queue_lock);
	if (dgram_may_overtake(receiver, me))
		dgram_set_result(ask, me, TURN);
	spin_unlock(&ask->queue_lock);
}

/* Sleep until the result says that the waiting is over. */
static int dgram_sleep(struct sock *receiver, struct dgram_blocked *me,
		       long *timeo)
{
	long slice, left;
	int err = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(me->result) != BLOCKED)
			break;
		err = signal_pending(current) ? sock_intr_errno(*timeo) :
		      *timeo ? 0 : -EAGAIN;
		if (err)
			break;
		slice = min_t(long, *timeo, DGRAM_PATIENCE);
		left = schedule_timeout(slice);
		if (*timeo != MAX_SCHEDULE_TIMEOUT)
			*timeo -= slice - left;
		if (!left)
			dgram_look_for_room(receiver, me);
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/*
 * The waiting is over, with @err of the sleep or of the receiver's filter. A thread
 * that has the turn queues its datagram if there is room, and so does one whose time is
 * over, if it is the first. BLOCKED: there is none; it stays where it is.
 */
static int dgram_end_wait(struct sock *receiver, struct dgram_blocked *me,
			  int err)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	bool queues;

	lockdep_assert_held(&ask->queue_lock);
	if (me->result == QUEUED)
		return 0;
	if (me->result == LOOK_AGAIN)
		return LOOK_AGAIN;
	if (dgram_listens(receiver, me->dg)) {
		dgram_set_result(ask, me, LOOK_AGAIN);
		list_del(&me->node);
		return LOOK_AGAIN;
	}
	queues = (!err || err == -EAGAIN) && !dgram_is_full(receiver) &&
		 (me->result == TURN || list_is_first(&me->node, &ask->blocked));
	dgram_set_result(ask, me, BLOCKED);
	/* Others were faster, or SO_RCVBUF has become smaller. */
	if (!queues && !err)
		return BLOCKED;
	list_del(&me->node);
	if (!queues)
		return err;
	dgram_enqueue(receiver, me->dg);
	return 0;
}

/*
 * The receiver's filter has been replaced while the thread slept: the datagram, of @len
 * bytes before it was cut, has to pass the new one, @passed. No read may queue it
 * meanwhile.
 */
static int dgram_filter_again(struct sock *receiver, struct dgram_blocked *me,
			      u32 len, const struct sk_filter **passed)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	bool mine;

	spin_lock(&ask->queue_lock);
	mine = me->result == BLOCKED || me->result == TURN;
	if (mine)
		me->filter = DGRAM_UNFILTERED;
	spin_unlock(&ask->queue_lock);
	if (!mine)
		return 0;
	*passed = rcu_access_pointer(receiver->sk_filter);
	me->dg->len = len;
	return *passed ? dgram_run_filter(receiver, me->dg) : 0;
}

/*
 * Sleep, in the order of arrival, until what @me sends is queued; LOOK_AGAIN: somebody
 * else may be the receiver by now. @len: of the datagram, which a filter may cut.
 */
static noinline int dgram_wait_for_room(struct sock *receiver,
					struct dgram_blocked *me, u32 len,
					long *timeo)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	const struct sk_filter *passed = me->filter;
	bool watched = false;
	int err;

	do {
		err = dgram_sleep(receiver, me, timeo);
		if ((!err || err == -EAGAIN) &&
		    passed != rcu_access_pointer(receiver->sk_filter))
			err = dgram_filter_again(receiver, me, len, &passed) ? :
			      err;
		/*
		 * The thread takes the lock before it goes, so the writer of
		 * the result is done with @me.
		 */
		spin_lock(&ask->queue_lock);
		me->filter = passed;
		err = dgram_end_wait(receiver, me, err);
		if (err != BLOCKED && err != LOOK_AGAIN)
			watched = dgram_pass_turn(receiver);
		spin_unlock(&ask->queue_lock);
	} while (err == BLOCKED);
	if (watched)
		dgram_wake_pollers(receiver);
	if (!err)
		dgram_wake_reader(receiver);
	return err;
}

/*
 * The caller does not wait. poll() will tell of room, if the socket is connected:
 * an unconnected one is always writable.
 */
static int dgram_announce_room(struct sock *sk, struct sock *receiver,
			       bool connected)
{
	return !connected || dgram_watch(sk, receiver) ? -EAGAIN : LOOK_AGAIN;
}

/* As AF_UNIX: also when the sender itself asks for those of others. */
static bool dgram_wants_creds(const struct sock *sk,
			      const struct sock *receiver)
{
	return sock_passcred(sk->sk_socket) || sk_passcred(receiver);
}

/*
 * The time limit of a blocking send(), jiffies: UNASKED until it waits, so that a
 * send() that need not wait does not look at the sysctl.
 */
#define UNASKED	(-1L)

static long dgram_send_timeo(const struct sock *sk)
{
	unsigned int ms = READ_ONCE(altconn_pernet(sock_net(sk))->dgram_block_ms);
	long timeo = sock_sndtimeo(sk, false);

	return ms ? min_t(long, timeo, msecs_to_jiffies(ms)) : timeo;
}

/*
 * What the sender is called where the receiver is, and nowhere else: an id may mean
 * another namespace by the time that somebody is looked up again.
 */
static noinline int dgram_name_far(struct sock *sk, struct altconn_addr *own,
				   struct altconn_dgram *dg,
				   const struct sock *receiver)
{
	struct altconn_addr *seen;

	seen = altconn_node_seen(sock_net(receiver), sock_net(sk), own);
	if (IS_ERR(seen))
		return PTR_ERR(seen);
	altconn_addr_put(dg->from);
	dg->from = seen;
	return 0;
}

/* Somebody to deliver to, or NULL; the datagram's sender has a name there then. */
static struct sock *dgram_find_named(struct sock *sk, struct dest *dest,
				     struct altconn_dgram *dg, bool connected,
				     int *err)
{
	struct sock *receiver;

	if (!dest->addr || likely(!dest->addr->far))
		return dgram_find_receiver(sk, dest, dg->from, connected, err);
	if (!dest->own)
		dest->own = altconn_addr_get(dg->from);
	receiver = dgram_find_receiver(sk, dest, dest->own, connected, err);
	if (!receiver)
		return NULL;
	*err = dgram_name_far(sk, dest->own, dg, receiver);
	if (!*err)
		return receiver;
	sock_put(receiver);
	return NULL;
}

/*
 * Find the receiver and deliver. It is looked up again when it has changed during
 * a wait: the address may have a new owner.
 */
static int dgram_send_to(struct sock *sk, struct dest *dest, bool connected,
			 struct altconn_dgram *dg, bool nonblock)
{
	long timeo = sock_sndtimeo(sk, nonblock) ? UNASKED : 0;
	struct dgram_blocked me;
	struct sock *receiver;
	u32 len = dg->len;
	int err;

	do {
		/* Another receiver's filter may have cut it. */
		dg->len = len;
		receiver = dgram_find_named(sk, dest, dg, connected, &err);
		if (!receiver)
			return err;
		if (unlikely(dgram_wants_creds(sk, receiver)))
			altconn_scm_fill(&dg->scm);
		err = dgram_filter(receiver, dg, timeo);
		if (!err)
			err = dgram_deliver(receiver, dg, timeo ? &me : NULL);
		if (err == BLOCKED) {
			if (timeo == UNASKED)
				timeo = dgram_send_timeo(sk);
			err = dgram_wait_for_room(receiver, &me, len, &timeo);
		}
		/* What a filter drops was sent, as elsewhere. */
		if (err == -EPERM)
			dgram_put(dg);
		if (err == -EAGAIN)
			err = dgram_announce_room(sk, receiver, connected);
		sock_put(receiver);
	} while (err == LOOK_AGAIN);
	return err == -EPERM ? 0 : err;
}

/*
 * A copy for one of many receivers, which shares the data. Its receiver is charged as for
 * the original. NULL: no memory.
 */
static struct altconn_dgram *dgram_copy(struct altconn_dgram *dg)
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

/* A receiver that is full, or listens to somebody else, misses it. */
static void dgram_offer(struct sock *receiver, struct altconn_dgram *dg)
{
	if (dgram_filter(receiver, dg, false) ||
	    dgram_deliver(receiver, dg, NULL))
		dgram_put(dg);
}

static bool dgram_wants_broadcast(const struct altconn_bind *bind)
{
	if (bind->addr->kind == ALTCONN_KIND_PORT ||
	    altconn_addr_is_v4(bind->addr))
		return true;
	return altconn_addr_is_any(bind->addr) && !bind->v6only;
}

/* Store a reference to a hearer of a broadcast; or count it, beyond @room. */
static void dgram_add_listening(const struct altconn_bind *bind,
				struct sock **hearers, size_t room, size_t *n)
{
	if (!dgram_wants_broadcast(bind))
		return;
	if (*n < room) {
		if (!refcount_inc_not_zero(&bind->sk->sk_refcnt))
			return;
		hearers[*n] = bind->sk;
	}
	(*n)++;
}

/* Those who hear a broadcast, at most @room of them, with references. */
static size_t dgram_find_listening(struct net *net,
				   const struct altconn_addr *addr,
				   struct sock **hearers, size_t room)
{
	struct altconn_addr key = { .kind = addr->kind, .port = addr->port };
	struct altconn_place *place;
	struct altconn_bind *bind;
	size_t n = 0;

	rcu_read_lock();
	if (addr->kind == ALTCONN_KIND_INET) {
		place = altconn_bind_port(net, SOCK_DGRAM, &key);
		altconn_bind_for_each_port(bind, place)
			dgram_add_listening(bind, hearers, room, &n);
	} else {
		place = altconn_bind_place(net, SOCK_DGRAM, &key,
					   ALTCONN_CLOSEST);
		altconn_bind_for_each(bind, place)
			dgram_add_listening(bind, hearers, room, &n);
	}
	rcu_read_unlock();
	return n;
}

/* Return 0; -ENOMEM; -EINTR: the sender is being killed. */
static int dgram_offer_copy(struct sock *receiver, struct altconn_dgram *dg)
{
	struct altconn_dgram *copy = dgram_copy(dg);

	if (!copy)
		return -ENOMEM;
	if (sk_passcred(receiver))
		altconn_scm_fill(&copy->scm);
	dgram_offer(receiver, copy);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * To every socket that is bound to the port in this namespace: E-ACCES-BCAST.
 * As with UDP, no result says which of them missed it. The receivers are collected
 * first, since copying may sleep. Copying ends when the sender is killed or has no
 * memory for a copy; the receivers before keep theirs.
 */
static noinline int dgram_broadcast(struct sock *sk,
				    const struct altconn_addr *addr,
				    struct altconn_dgram *dg)
{
	size_t n = dgram_find_listening(sock_net(sk), addr, NULL, 0), i;
	struct sock **hearers;
	int err = 0;

	hearers = kvmalloc_array(n, sizeof(*hearers), GFP_KERNEL_ACCOUNT);
	if (n && !hearers)
		return -ENOMEM;
	n = min(n, dgram_find_listening(sock_net(sk), addr, hearers, n));
	for (i = 0; i < n; i++) {
		if (!err)
			err = dgram_offer_copy(hearers[i], dg);
		sock_put(hearers[i]);
	}
	kvfree(hearers);
	if (!err)
		dgram_put(dg);
	return err;
}

/* An unbound sender gets an address that can be answered. */
static int dgram_autobind(struct sock *sk, const struct altconn_addr *dest)
{
	struct altconn_addr any = { .kind = dest->kind };
	int err;

	if (dest->kind == ALTCONN_KIND_INET) {
		any.len = sizeof(struct in6_addr);
		/* The others speak both versions. */
		if (altconn_sk(sk)->dress == ALTCONN_INET)
			ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
					       altconn_addr_ip(&any));
	}
	lock_sock(sk);
	err = altconn_autobind(sk, &any);
	release_sock(sk);
	return err;
}

/* RFC 768: port 0 is no destination; UDP calls it invalid. */
static int dgram_check_port(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_INET && !addr->port ? -EINVAL : 0;
}

/* The address that the socket is connected to, or the other half of its pair. */
static __always_inline int dgram_dest_peer(struct sock *sk, struct dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	dest->generation = atomic64_read_acquire(&dgram_generation);
	dest->addr = altconn_addr_get(dgram_peer_addr(ask));
	dest->sk = ask->peer_sk;
	if (dest->sk)
		sock_hold(dest->sk);
	else if (dest->addr)
		dest->known = dgram_get_known(ask);
	dest->ruling = ask->ruling;
	spin_unlock(&ask->queue_lock);
	if (likely(dest->addr || dest->sk))
		return 0;
	/* As AF_UNIX and as UDP say it. */
	return ask->base.dress == ALTCONN_UNIX ? -ENOTCONN : -EDESTADDRREQ;
}

/* The address in a sendto(). */
static noinline int dgram_dest_named(struct sock *sk, struct msghdr *msg,
				     struct dest *dest, struct path *path)
{
	struct altconn_addr addr;
	u32 reason;
	int err;

	err = altconn_addr_parse_peer(sk, msg->msg_name, msg->msg_namelen,
				      &addr);
	if (err)
		return err;
	err = dgram_check_port(&addr) ? :
	      altconn_node_route(sk, &addr, &reason);
	if (err)
		return err;
	if (addr.kind == ALTCONN_KIND_PATH) {
		err = altconn_path_resolve(&addr, path, &reason);
		if (err)
			return err;
	}
	if (!sock_flag(sk, SOCK_BROADCAST) &&
	    altconn_node_is_broadcast(sock_net(sk), &addr))
		return -EACCES;
	err = altconn_rule_check(sk, &addr, path, &dest->ruling);
	if (err < 0)
		return err;
	dest->addr = altconn_addr_dup(&addr, GFP_KERNEL_ACCOUNT);
	return dest->addr ? 0 : -ENOMEM;
}

/*
 * Where a datagram goes. The compiler clears what a function has on its stack, and
 * an address is large, so a connected socket, which needs none, has its own function.
 */
static __always_inline int dgram_get_dest(struct sock *sk, struct msghdr *msg,
					  struct dest *dest, struct path *path)
{
	return msg->msg_namelen ? dgram_dest_named(sk, msg, dest, path) :
				  dgram_dest_peer(sk, dest);
}

/*
 * A datagram that a rule delays.
 *
 * @path: of a path that was sent to: pins the inode
 * @copies: of a broadcast, one for each hearer but the first
 * @hearers: of a broadcast: room for those that are found when it arrives
 * @room: so many of them, copies and the datagram itself
 */
struct late {
	struct altconn_late	late;
	struct altconn_dgram	*dg;
	struct dest		dest;
	struct path		path;
	bool			connected;
	struct list_head	copies;
	struct sock		**hearers;
	size_t			room;
};

static void late_free(struct late *late)
{
	dgram_free_all(&late->copies);
	kvfree(late->hearers);
	dgram_put_dest(&late->dest);
	path_put(&late->path);
	kfree(late);
}

/* To one, or nobody. */
static void dgram_arrive(struct sock *sk, struct late *late)
{
	struct altconn_dgram *dg = late->dg;
	struct sock *receiver;
	int err;

	receiver = dgram_find_named(sk, &late->dest, dg, late->connected, &err);
	if (!receiver) {
		dgram_put(dg);
		return;
	}
	dgram_offer(receiver, dg);
	sock_put(receiver);
}

/*
 * Deliver one copy to each hearer that is found now. The sender has made the copies;
 * a worker allocates nothing, since it has no cgroup that could be charged.
 */
static void late_arrive_all(struct sock *sk, struct late *late)
{
	struct altconn_dgram *dg;
	size_t n, i;

	list_add(&late->dg->node, &late->copies);
	n = dgram_find_listening(sock_net(sk), late->dest.addr, late->hearers,
				 late->room);
	n = min(n, late->room);
	for (i = 0; i < n; i++) {
		dg = list_first_entry(&late->copies, struct altconn_dgram,
				      node);
		list_del(&dg->node);
		dgram_offer(late->hearers[i], dg);
		sock_put(late->hearers[i]);
		cond_resched();
	}
}

/**
 * altconn_dgram_arrive() - a delayed datagram arrives
 * @sk: its sender, which may be closed by now
 * @what: what altconn_late_add() took; freed
 *
 * send() has returned success already: without a receiver, or without room, the
 * datagram is lost.
 *
 * Context: process, may sleep.
 */
void altconn_dgram_arrive(struct sock *sk, struct altconn_late *what)
{
	struct late *late = container_of(what, struct late, late);

	if (late->room)
		late_arrive_all(sk, late);
	else
		dgram_arrive(sk, late);
	late_free(late);
}

/*
 * The copies of a delayed broadcast, made by its sender: one for each socket that is
 * bound to the port now, but no more than half of SO_SNDBUF holds beside the data, so
 * that others can be under way too. Return 0; -ENOMEM; -EINTR: the sender is being killed.
 */
static int late_copy(struct sock *sk, struct late *late)
{
	u32 half = READ_ONCE(sk->sk_sndbuf) / 2, held = late->late.size;
	size_t each = sizeof(struct altconn_dgram) + sizeof(struct sock *);
	struct altconn_dgram *copy;
	size_t n, room;

	room = half > held ? (half - held) / each : 0;
	n = dgram_find_listening(sock_net(sk), late->dest.addr, NULL, 0);
	n = clamp_t(size_t, n, 1, room + 1);
	late->hearers = kvmalloc_array(n, sizeof(*late->hearers),
				       GFP_KERNEL_ACCOUNT);
	if (!late->hearers)
		return -ENOMEM;
	for (late->room = 1; late->room < n; late->room++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		copy = dgram_copy(late->dg);
		if (!copy)
			return -ENOMEM;
		list_add(&copy->node, &late->copies);
		late->late.size += each;
		cond_resched();
	}
	return 0;
}

static noinline int dgram_send_late(struct sock *sk, struct altconn_dgram *dg,
				    const struct dest *dest,
				    const struct path *path, bool connected)
{
	struct late *late = kzalloc(sizeof(*late), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!late)
		return -ENOMEM;
	/* Whoever receives it may want them, and this is the last chance. */
	altconn_scm_fill(&dg->scm);
	late->dg = dg;
	late->connected = connected;
	late->dest.addr = altconn_addr_get(dest->addr);
	late->dest.generation = dest->generation;
	late->path = *path;
	path_get(&late->path);
	INIT_LIST_HEAD(&late->copies);
	/* The socket may be there for it alone. */
	late->late.size = dg->size + sizeof(*late) +
			  sizeof(struct altconn_dgram_sock);
	if (altconn_node_is_broadcast(sock_net(sk), dest->addr))
		err = late_copy(sk, late);
	if (!err)
		err = altconn_late_add(sk, &late->late, dest->ruling.delay_ms);
	if (!err)
		return 0;
	late_free(late);
	if (err != -ENOBUFS)
		return err;
	/* A network that holds no more loses it; the sender may see how many. */
	atomic_inc(&sk->sk_drops);
	dgram_put(dg);
	return 0;
}

/* Drop, delay, broadcast or deliver it. On success the datagram is taken. */
static __always_inline int
dgram_route(struct sock *sk, struct altconn_dgram *dg, struct dest *dest,
	    const struct path *path, bool connected, bool nonblock)
{
	if (unlikely(dest->ruling.drops)) {
		dgram_put(dg);
		return 0;
	}
	if (unlikely(dest->ruling.delay_ms))
		return dgram_send_late(sk, dg, dest, path, connected);
	if (dest->addr &&
	    altconn_node_is_broadcast(sock_net(sk), dest->addr))
		return dgram_broadcast(sk, dest->addr, dg);
	return dgram_send_to(sk, dest, connected, dg, nonblock);
}

/* As a datagram of IP would have it, or as AF_UNIX: some room for what goes with it. */
static bool dgram_is_too_long(const struct sock *sk, size_t len,
			      const struct altconn_addr *dest)
{
	if (!altconn_is_inet(sk))
		return len > READ_ONCE(sk->sk_sndbuf) - 32;
	return len > (dest && altconn_addr_is_v4(dest) ? DGRAM_MAX_V4 :
							 DGRAM_MAX_V6);
}

/*
 * In the inet formats a datagram that nobody takes was sent, as with UDP. A socket that
 * is connected to where it went learns of it from its next call.
 */
static noinline int dgram_refused(struct sock *sk, const struct dest *dest,
				  int err)
{
	const struct altconn_addr *peer;
	bool connected;

	if (!altconn_is_inet(sk) || !dest->addr ||
	    (err != -ECONNREFUSED && err != -EPIPE))
		return err;
	rcu_read_lock();
	peer = rcu_dereference(altconn_dgram_sk(sk)->peer);
	connected = peer && altconn_addr_equal(peer, dest->addr);
	rcu_read_unlock();
	if (connected && err == -ECONNREFUSED) {
		WRITE_ONCE(sk->sk_err, ECONNREFUSED);
		/* Threads in recv() are woken, too. */
		sk->sk_state_change(sk);
	}
	return 0;
}

/*
 * Send a datagram that is made, whose reference is gone on return. Inlined, as
 * dgram_prepare(): every send() goes through both.
 */
static __always_inline int
dgram_finish_send(struct sock *sk, struct altconn_dgram *dg, struct dest *dest,
		  const struct path *path, bool connected, bool nonblock)
{
	int err = dgram_route(sk, dg, dest, path, connected, nonblock);

	if (likely(!err))
		return 0;
	dgram_put(dg);
	return dgram_refused(sk, dest, err);
}

static __always_inline struct altconn_dgram *
dgram_prepare(struct sock *sk, struct msghdr *msg, size_t len,
	      struct dest *dest)
{
	int err = 0;

	if (dgram_is_too_long(sk, len, dest->addr))
		return ERR_PTR(-EMSGSIZE);
	if (dest->addr && !rcu_access_pointer(altconn_sk(sk)->addr) &&
	    altconn_sk(sk)->dress != ALTCONN_UNIX)
		err = dgram_autobind(sk, dest->addr);
	if (err)
		return ERR_PTR(err);
	if (dest->addr)
		altconn_bind_answerable(sk, dest->addr);
	return dgram_make(sk, msg, len, dest->addr);
}

static int dgram_send_one(struct sock *sk, struct msghdr *msg, size_t len,
			  struct dest *dest, const struct path *path)
{
	struct altconn_dgram *dg = dgram_prepare(sk, msg, len, dest);
	int err;

	if (IS_ERR(dg))
		return PTR_ERR(dg);
	err = dgram_finish_send(sk, dg, dest, path, !msg->msg_namelen,
				msg->msg_flags & MSG_DONTWAIT);
	return err ? : len;
}

/* ---- MSG_MORE and UDP_CORK in the inet formats ---- */

/**
 * struct corked - pieces that one datagram is made of
 * @dg: the pieces so far, as one datagram; NULL: there is none
 * @dest: where the first piece was sent to
 * @connected: the first piece was sent without an address
 */
struct corked {
	struct altconn_dgram	*dg;
	struct dest		dest;
	bool			connected;
};

/**
 * struct altconn_cork - what a socket holds back
 * @on: UDP_CORK
 * @held: the pieces
 *
 * Lifetime: made by the first use, freed by close(). All under lock_sock().
 */
struct altconn_cork {
	bool			on;
	struct corked		held;
};

static struct altconn_cork *cork_of(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_cork *cork = READ_ONCE(ask->cork), *old;

	if (cork)
		return cork;
	cork = kzalloc(sizeof(*cork), GFP_KERNEL_ACCOUNT);
	if (!cork)
		return NULL;
	/* A full barrier: it is whole when another thread sees it. */
	old = cmpxchg(&ask->cork, NULL, cork);
	if (!old)
		return cork;
	kfree(cork);
	return old;
}

/* Does this send() belong to a datagram of several? */
static noinline bool cork_holds(struct sock *sk, const struct msghdr *msg)
{
	const struct altconn_cork *cork;

	/* There are no pairs of UDP's sockets. */
	if (!altconn_is_inet(sk) || altconn_dgram_sk(sk)->peer_sk)
		return false;
	if (msg->msg_flags & MSG_MORE)
		return true;
	cork = READ_ONCE(altconn_dgram_sk(sk)->cork);
	return cork && (READ_ONCE(cork->on) || READ_ONCE(cork->held.dg));
}

/* Move what the cork holds to @whole. lock_sock() held. */
static void cork_take(struct altconn_cork *cork, struct corked *whole)
{
	*whole = cork->held;
	WRITE_ONCE(cork->held.dg, NULL);
	cork->held = (struct corked) {};
}

static void cork_drop(struct altconn_cork *cork)
{
	struct corked lost;

	cork_take(cork, &lost);
	dgram_put_dest(&lost.dest);
	if (lost.dg)
		dgram_put(lost.dg);
}

/* Send what was taken, if anything was. */
static int cork_flush(struct sock *sk, struct corked *whole, bool nonblock)
{
	const struct path none = {};
	int err = 0;

	if (whole->dg)
		err = dgram_finish_send(sk, whole->dg, &whole->dest, &none,
					whole->connected, nonblock);
	dgram_put_dest(&whole->dest);
	return err;
}

static void cork_free(struct sock *sk)
{
	struct altconn_cork *cork = altconn_dgram_sk(sk)->cork;

	if (!cork)
		return;
	cork_drop(cork);
	altconn_dgram_sk(sk)->cork = NULL;
	kfree(cork);
}

/* A piece after the first: bytes alone count, as with UDP. */
static struct altconn_dgram *cork_piece(struct msghdr *msg, size_t len)
{
	struct altconn_dgram *dg;

	if (len > DGRAM_MAX_V6)
		return ERR_PTR(-EMSGSIZE);
	dg = dgram_alloc(len);
	if (!dg)
		return ERR_PTR(-ENOMEM);
	if (_copy_from_iter(dg->data, len, &msg->msg_iter) == len)
		return dg;
	dgram_put(dg);
	return ERR_PTR(-EFAULT);
}

static int cork_append(struct sock *sk, struct altconn_cork *cork,
		       const struct altconn_dgram *piece)
{
	struct altconn_dgram *dg = cork->held.dg, *both;

	if (dgram_is_too_long(sk, dg->len + piece->len, cork->held.dest.addr))
		return -EMSGSIZE;
	both = dgram_alloc(dg->len + piece->len);
	if (!both)
		return -ENOMEM;
	memcpy(both->data, dg->data, dg->len);
	memcpy(both->data + dg->len, piece->data, piece->len);
	both->sender = dg->sender;
	swap(both->from, dg->from);
	swap(both->scm, dg->scm);
	WRITE_ONCE(cork->held.dg, both);
	dgram_put(dg);
	return 0;
}

/* The first piece is the cork's then, with where it goes. */
static void cork_begin(struct altconn_cork *cork, struct altconn_dgram *dg,
		       struct dest *dest, bool connected)
{
	/* It is looked up when the datagram is complete. */
	if (dest->known)
		sock_put(dest->known);
	dest->known = NULL;
	cork->held.dest = *dest;
	memset(dest, 0, sizeof(*dest));
	cork->held.connected = connected;
	WRITE_ONCE(cork->held.dg, dg);
}

/*
 * Make a piece, without a lock, as the memory that it is read from may take long;
 * *@first: of a new datagram, whose destination is looked up.
 */
static struct altconn_dgram *cork_make(struct sock *sk, struct msghdr *msg,
				       size_t len, struct dest *dest,
				       bool first)
{
	struct path none = {};
	int err;

	if (!first)
		return cork_piece(msg, len);
	err = dgram_get_dest(sk, msg, dest, &none);
	return err ? ERR_PTR(err) : dgram_prepare(sk, msg, len, dest);
}

/*
 * Add a piece to what the cork holds, or begin with it. -ESTALE: another thread has
 * sent what it was to be added to.
 */
static int cork_add(struct sock *sk, struct altconn_cork *cork,
		    struct altconn_dgram *dg, struct dest *dest, bool connected)
{
	int err;

	if (!cork->held.dg && dest->addr) {
		cork_begin(cork, dg, dest, connected);
		return 0;
	}
	err = cork->held.dg ? cork_append(sk, cork, dg) : -ESTALE;
	dgram_put(dg);
	return err;
}

/* One try of cork_send(). */
static int cork_try(struct sock *sk, struct altconn_cork *cork,
		    struct msghdr *msg, size_t len, struct corked *whole)
{
	bool first = !READ_ONCE(cork->held.dg);
	struct altconn_dgram *dg;
	struct dest dest = {};
	int err;

	dg = cork_make(sk, msg, len, &dest, first);
	err = PTR_ERR_OR_ZERO(dg);
	lock_sock(sk);
	if (!err)
		err = cork_add(sk, cork, dg, &dest, !msg->msg_namelen);
	/* As with UDP, all is lost then. */
	if (err && err != -ESTALE)
		cork_drop(cork);
	else if (!err && !(msg->msg_flags & MSG_MORE) && !cork->on)
		cork_take(cork, whole);
	release_sock(sk);
	dgram_put_dest(&dest);
	return err;
}

static noinline int cork_send(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct altconn_cork *cork = cork_of(sk);
	struct iov_iter begin = msg->msg_iter;
	struct corked whole = {};
	int err;

	if (!cork)
		return -ENOMEM;
	do {
		msg->msg_iter = begin;
		err = cork_try(sk, cork, msg, len, &whole);
	} while (err == -ESTALE);
	if (!err)
		err = cork_flush(sk, &whole, msg->msg_flags & MSG_DONTWAIT);
	return err ? : len;
}

/**
 * altconn_dgram_cork() - UDP_CORK of a datagram socket
 * @sk: the endpoint, in an inet format
 * @on: hold what is sent from now on; else send what was held, as one datagram
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0, whatever becomes of the datagram, as UDP; -ENOMEM.
 */
int altconn_dgram_cork(struct sock *sk, bool on)
{
	struct altconn_cork *cork = cork_of(sk);
	struct corked whole = {};

	if (!cork)
		return -ENOMEM;
	lock_sock(sk);
	WRITE_ONCE(cork->on, on);
	if (!on)
		cork_take(cork, &whole);
	release_sock(sk);
	cork_flush(sk, &whole, true);
	return 0;
}

/**
 * altconn_dgram_corked() - is UDP_CORK set?
 * @sk: the endpoint
 *
 * Context: any.
 */
bool altconn_dgram_corked(const struct sock *sk)
{
	const struct altconn_cork *cork = READ_ONCE(altconn_dgram_sk(sk)->cork);

	return cork && READ_ONCE(cork->on);
}

/**
 * altconn_dgram_sendmsg() - send(2) of a datagram
 * @sock: the socket
 * @msg: the data, and an address or none
 * @len: bytes
 *
 * In the inet formats the fate of the datagram is reported as UDP does: only by the
 * next call on a connected socket. MSG_MORE holds it for the pieces that follow.
 *
 * Context: process, may sleep.
 * Return: @len; -ENOTCONN in the sockaddr_un dress, else -EDESTADDRREQ: no
 * address; -ECONNREFUSED: nobody is bound there, or it is connected to somebody
 * else (S-ONLY); -EMSGSIZE: larger than the send buffer, in the inet formats than a
 * datagram of IP; -EAGAIN: the receiver is full; -EPIPE: shut down, here or there;
 * -ENETUNREACH, -EACCES, -EOPNOTSUPP, -EPROTOTYPE, -EINVAL, -EAFNOSUPPORT, and what
 * path_resolution(7) gives: the address; what __altconn_rule_check() gives; -ENOBUFS, -ENOMEM;
 * -EFAULT; -EINTR or a restart.
 */
int altconn_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct dest dest = {};
	struct path path = {};
	int err;

	/* UDP over IPv4 looks at the length before all else, over IPv6 later. */
	if (unlikely(len > U16_MAX) && altconn_sk(sk)->dress == ALTCONN_INET)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	err = sock_error(sk);
	if (err)
		return err;
	if (unlikely(msg->msg_flags & MSG_MORE ||
		     READ_ONCE(altconn_dgram_sk(sk)->cork)) &&
	    cork_holds(sk, msg))
		return cork_send(sk, msg, len);
	err = dgram_get_dest(sk, msg, &dest, &path);
	if (!err)
		err = dgram_send_one(sk, msg, len, &dest, &path);
	dgram_put_dest(&dest);
	if (path.dentry)
		path_put(&path);
	return err;
}

static bool dgram_is_empty(const struct altconn_dgram_sock *ask)
{
	return list_empty(&ask->queue);
}

/*
 * Where a peek begins: in which datagram, and at which byte of it. SO_PEEK_OFF
 * passes over whole ones first, as with AF_UNIX.
 */
static struct altconn_dgram *dgram_peek_at(struct sock *sk, u32 *skip)
{
	int offset = READ_ONCE(sk->sk_peek_off);
	struct altconn_dgram *dg;

	*skip = max(offset, 0);
	list_for_each_entry(dg, &altconn_dgram_sk(sk)->queue, node) {
		/* An empty one is looked at once. */
		if (*skip < dg->len ||
		    !(*skip || (dg->peeked && offset >= 0)))
			return dg;
		*skip -= dg->len;
	}
	return NULL;
}

static noinline void dgram_wake_after_read(struct sock *sk, int todo)
{
	if (todo & DGRAM_DATA)
		dgram_wake_reader(sk);
	if (todo & DGRAM_ROOM)
		dgram_wake_pollers(sk);
}

/* The next datagram; with @peek another reference to it. */
static __always_inline struct altconn_dgram *
dgram_dequeue(struct sock *sk, bool peek, u32 *skip)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_dgram *dg;
	int todo = 0;

	*skip = 0;
	if (dgram_is_empty(ask))
		return NULL;
	spin_lock(&ask->queue_lock);
	dg = unlikely(peek) ? dgram_peek_at(sk, skip) : dgram_first(ask);
	if (dg && peek) {
		dg->peeked = true;
		refcount_inc(&dg->refs);
	} else if (dg) {
		dgram_unlink(ask, dg);
		if (!list_empty(&ask->blocked) || !list_empty(&ask->pollers))
			todo = dgram_make_room(sk);
	}
	spin_unlock(&ask->queue_lock);
	if (unlikely(todo))
		dgram_wake_after_read(sk, todo);
	return dg;
}

/* Something to read for recvmsg()'s flags @arg. */
static bool dgram_has_data(struct sock *sk, const int *arg)
{
	bool found;
	u32 skip;

	if (dgram_is_empty(altconn_dgram_sk(sk)))
		return false;
	if (likely(!(*arg & MSG_PEEK) || READ_ONCE(sk->sk_peek_off) < 0))
		return true;
	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	found = dgram_peek_at(sk, &skip);
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	return found;
}

static bool dgram_can_read(struct sock *sk, const void *arg)
{
	return dgram_has_data(sk, arg) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

static bool dgram_want_data(struct sock *sk, const void *arg)
{
	altconn_polls(sk);
	return dgram_can_read(sk, arg);
}

/* The queue is empty: wait. NULL: with @err, or the socket is shut for reading. */
static noinline struct altconn_dgram *
dgram_receive_wait(struct sock *sk, int flags, u32 *skip, int *err)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct altconn_dgram *dg;

	do {
		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) {
			/* UDP, which goes on receiving, does not look at it then. */
			if (!timeo && altconn_is_inet(sk))
				*err = -EAGAIN;
			return NULL;
		}
		*err = altconn_sleep(sk, &timeo, dgram_can_read, dgram_want_data, &flags) ? :
		       sock_error(sk);
		if (*err)
			return NULL;
		dg = dgram_dequeue(sk, flags & MSG_PEEK, skip);
	} while (!dg);
	return dg;
}

static __always_inline struct altconn_dgram *
dgram_receive(struct sock *sk, int flags, u32 *skip, int *err)
{
	struct altconn_dgram *dg;

	/* Before the data, as with AF_UNIX and UDP. */
	*err = sock_error(sk);
	if (unlikely(*err))
		return NULL;
	dg = dgram_dequeue(sk, flags & MSG_PEEK, skip);
	return likely(dg) ? dg : dgram_receive_wait(sk, flags, skip, err);
}

static void dgram_receive_scm(struct msghdr *msg, struct altconn_dgram *dg,
			      bool passcred, bool peek)
{
	struct altconn_scm copy;

	/* Out of the queue nobody new can look at it, but somebody still may. */
	if (!peek && refcount_read(&dg->refs) == 1) {
		altconn_scm_recv(msg, &dg->scm, passcred);
		return;
	}
	altconn_scm_copy(&copy, &dg->scm);
	altconn_scm_recv(msg, &copy, passcred);
}

/* SO_PEEK_OFF moves on, or back by what is not there any more. */
static void dgram_peeked(struct sock *sk, int flags, size_t n)
{
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, n);
	else
		sk_peek_offset_bwd(sk, n);
}

/**
 * altconn_dgram_recvmsg() - recv(2) of a datagram
 * @sock: the socket
 * @msg: where to; gets the sender's address
 * @len: bytes; the rest of the datagram is lost
 * @flags: MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT count
 *
 * Context: process, may sleep.
 * Return: bytes, with MSG_TRUNC the datagram's length; 0 also after a shutdown
 * for reading; -EAGAIN, also MSG_ERRQUEUE; -EOPNOTSUPP: MSG_OOB; -EFAULT;
 * -EINTR or a restart.
 */
int altconn_dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			  int flags)
{
	struct sock *sk = sock->sk;
	struct altconn_dgram *dg;
	bool passcred;
	u32 skip;
	size_t n;
	int err;

	if (unlikely(flags & (MSG_OOB | MSG_ERRQUEUE))) {
		/* Nothing is ever in it; AF_UNIX does not look for it. */
		if (flags & MSG_ERRQUEUE &&
		    altconn_sk(sk)->dress != ALTCONN_UNIX)
			return -EAGAIN;
		if (flags & MSG_OOB)
			return -EOPNOTSUPP;
	}
	dg = dgram_receive(sk, flags, &skip, &err);
	if (!dg)
		return err;
	n = min_t(size_t, len, dg->len - skip);
	if (n < dg->len - skip)
		msg->msg_flags |= MSG_TRUNC;
	err = -EFAULT;
	if (_copy_to_iter(dg->data + skip, n, &msg->msg_iter) == n) {
		if (msg->msg_name)
			altconn_addr_tell(sk, dg->from, msg);
		if (unlikely(sock_flag(sk, SOCK_RCVTSTAMP)))
			altconn_put_stamp(msg, sk, dg->scm.stamp);
		else if (unlikely(sock_flag(sk, SOCK_TIMESTAMP)))
			sock_write_timestamp(sk, dg->scm.stamp ? :
						 ktime_get_real());
		else if (unlikely(sock_read_timestamp(sk) == SK_DEFAULT_STAMP))
			sock_write_timestamp(sk, 0);
		passcred = sock_passcred(sock);
		if (unlikely(passcred || dg->scm.parcel))
			dgram_receive_scm(msg, dg, passcred, flags & MSG_PEEK);
		if (unlikely(READ_ONCE(sk->sk_peek_off) >= 0))
			dgram_peeked(sk, flags, flags & MSG_PEEK ? n : dg->len);
		err = flags & MSG_TRUNC ? dg->len - skip : n;
	}
	dgram_put(dg);
	return err;
}

/*
 * From now on @addr alone (NULL: everybody). What others have queued is
 * dropped; lock_sock() held.
 */
static void dgram_set_peer(struct sock *sk, struct altconn_addr *addr,
			   struct altconn_ruling ruling)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_addr *old_addr;
	struct sock *old_sk = ask->peer_sk;
	struct altconn_dgram *dg, *next;
	LIST_HEAD(gone);

	spin_lock(&ask->queue_lock);
	old_addr = dgram_peer_addr(ask);
	rcu_assign_pointer(ask->peer, addr);
	ask->ruling = ruling;
	ask->peer_sk = NULL;
	ask->known = NULL;
	list_for_each_entry_safe(dg, next, &ask->queue, node) {
		if (dgram_is_peer(ask, dg))
			continue;
		dgram_unlink(ask, dg);
		list_add_tail(&dg->node, &gone);
		atomic_inc(&sk->sk_drops);
	}
	altconn_dgram_changed();
	spin_unlock(&ask->queue_lock);

	dgram_release_all(sk);
	dgram_free_all(&gone);
	dgram_unwatch(sk);
	altconn_addr_put(old_addr);
	if (old_sk)
		sock_put(old_sk);
}

static void dgram_set_state(struct sock *sk, u8 state)
{
	if (sk->sk_state != state)
		trace_altconn_state(sk, sk->sk_state, state);
	WRITE_ONCE(sk->sk_state, state);
	sk->sk_state_change(sk);
}

/* One association, however often its peer changes. */
static int dgram_count(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_account *account;

	if (ask->account)
		return 0;
	account = altconn_assoc_count(altconn_pernet(sock_net(sk)));
	if (IS_ERR(account))
		return PTR_ERR(account);
	ask->account = account;
	return 0;
}

static void dgram_uncount(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (ask->account)
		altconn_assoc_uncount(altconn_pernet(sock_net(sk)),
				      ask->account);
	ask->account = NULL;
}

/* @err is for the next call. */
static void dgram_dissolve_locked(struct sock *sk, int err)
{
	/* First, so that a sender that is woken does not find it again. */
	altconn_bind_reset(sk);
	dgram_set_peer(sk, NULL, ALTCONN_NO_RULE);
	dgram_uncount(sk);
	/* Before who reads, or waits for room, is woken. */
	WRITE_ONCE(sk->sk_err, err);
	altconn_sock_set_peercred(sk, NULL, NULL);
	dgram_set_state(sk, TCP_CLOSE);
}

static int dgram_dissolve(struct sock *sk)
{
	lock_sock(sk);
	dgram_dissolve_locked(sk, 0);
	release_sock(sk);
	return 0;
}

/**
 * altconn_dgram_kill() - dissolve a datagram socket's association
 * @sk: the socket
 *
 * Who reads, or its next call, gets ECONNRESET.
 *
 * Context: process; lock_sock() held.
 * Return: false: it has none.
 */
bool altconn_dgram_kill(struct sock *sk)
{
	if (sk->sk_state != TCP_ESTABLISHED)
		return false;
	dgram_dissolve_locked(sk, ECONNRESET);
	return true;
}

/* A path must be there; ports and names are looked up by each send. */
static struct altconn_addr *dgram_peer_of(struct sock *sk,
					  const struct altconn_addr *addr,
					  u32 *reason, int *err)
{
	struct altconn_addr *peer = NULL;
	struct sock *receiver;

	*reason = ALTCONN_REASON_NO_MEMORY;
	*err = -ENOMEM;
	if (addr->kind != ALTCONN_KIND_PATH)
		return altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
	*reason = ALTCONN_REASON_STALE_PATH;
	receiver = dgram_find(sock_net(sk), addr, NULL, false, err);
	if (receiver) {
		peer = altconn_addr_of(receiver);
		sock_put(receiver);
		/* It went while we looked. */
		if (!peer)
			*err = -ECONNREFUSED;
	} else if (*err == -EPROTOTYPE) {
		*reason = ALTCONN_REASON_WRONG_TYPE;
	}
	return peer;
}

/* What an association needs; on failure the old one is as it was. */
static int dgram_prepare_send(struct sock *sk, struct altconn_addr *addr,
			      u32 *reason)
{
	bool counted = altconn_dgram_sk(sk)->account;
	int err;

	err = dgram_count(sk);
	*reason = err == -ENOMEM ? ALTCONN_REASON_NO_MEMORY :
				   ALTCONN_REASON_TABLE_FULL;
	if (err)
		return err;
	altconn_sock_register(sk);
	*reason = ALTCONN_REASON_NO_MEMORY;
	err = altconn_bind_local(sk, addr);
	if (!err)
		return 0;
	if (err == -EAGAIN)
		*reason = ALTCONN_REASON_NO_PORT;
	else if (err == -EINTR)
		*reason = ALTCONN_REASON_NONE;
	if (!counted)
		dgram_uncount(sk);
	return err;
}

static int dgram_associate(struct sock *sk, const struct altconn_addr *addr,
			   const struct path *path,
			   struct altconn_ruling *ruling, u32 *reason)
{
	struct altconn_addr *peer;
	int err;

	if (!sock_flag(sk, SOCK_BROADCAST) &&
	    altconn_node_is_broadcast(sock_net(sk), addr)) {
		*reason = ALTCONN_REASON_BROADCAST;
		return -EACCES;
	}
	/* This never waits: what is held is what will be sent. */
	err = altconn_rule_check(sk, addr, path, ruling);
	if (err < 0) {
		*reason = altconn_rule_reason(ruling, err);
		return err;
	}
	peer = dgram_peer_of(sk, addr, reason, &err);
	if (!peer)
		return err;
	lock_sock(sk);
	err = dgram_prepare_send(sk, peer, reason);
	if (err) {
		altconn_addr_put(peer);
	} else {
		dgram_set_peer(sk, peer, *ruling);
		dgram_set_state(sk, TCP_ESTABLISHED);
		*reason = ALTCONN_REASON_ESTABLISHED;
	}
	release_sock(sk);
	return err;
}

/**
 * altconn_dgram_connect() - connect(2) of a datagram socket
 * @sock: the socket
 * @uaddr: address in its dress; not read when @len is 0
 * @len: its length, bytes
 * @flags: ignored, it never waits
 *
 * Clauses S-DEST, S-ONLY, S-AGAIN, S-UNSPEC, S-NULL: on failure the old
 * association stays.
 *
 * Context: process, may sleep.
 * Return: 0, or an errno of Documentation/connect-semantics.rst.
 */
int altconn_dgram_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
			  int len, int flags)
{
	struct sock *sk = sock->sk;
	struct altconn_ruling ruling = ALTCONN_NO_RULE;
	struct altconn_addr addr;
	u32 reason = ALTCONN_REASON_NONE;
	struct path path = {};
	int err;

	if (altconn_addr_dissolves(sk, uaddr, len))
		return dgram_dissolve(sk);
	err = altconn_addr_parse_peer(sk, uaddr, len, &addr);
	if (err)
		return altconn_connect_bad_addr(sk, err);

	trace_altconn_connect_begin(sk, &addr, flags & O_NONBLOCK);
	altconn_event_sock(sk, ALTCONN_EVENT_KIND_CONNECT_BEGIN, &addr, 0, 0);
	err = altconn_node_route(sk, &addr, &reason);
	if (!err && addr.kind == ALTCONN_KIND_PATH)
		err = altconn_path_resolve(&addr, &path, &reason);
	if (!err)
		err = dgram_associate(sk, &addr, &path, &ruling, &reason);
	if (path.dentry)
		path_put(&path);

	lock_sock(sk);
	altconn_sk(sk)->last_err = -err;
	altconn_sk(sk)->last_reason = reason;
	altconn_sk(sk)->last_rule = ruling.rule;
	release_sock(sk);
	altconn_stat_outcome(altconn_pernet(sock_net(sk)), reason);
	trace_altconn_connect_end(sk, 0, &addr, -err, reason, 0);
	altconn_event_sock(sk, err ? ALTCONN_EVENT_KIND_FAILED :
				     ALTCONN_EVENT_KIND_ESTABLISHED, &addr,
			   -err, reason);
	return err;
}

/* Is the receiver that this socket is connected to full? Then be woken. */
static bool dgram_peer_full(struct sock *sk)
{
	struct altconn_addr *from;
	struct msghdr none = {};
	struct dest dest = {};
	struct sock *receiver;
	bool full = false;
	int err;

	if (dgram_get_dest(sk, &none, &dest, NULL))
		return false;
	/* Nobody waits for room to broadcast, or where a rule takes it. */
	if (dest.ruling.rule ||
	    (dest.addr &&
	     altconn_node_is_broadcast(sock_net(sk), dest.addr))) {
		dgram_put_dest(&dest);
		return false;
	}
	from = dgram_sender_addr(sk, dest.addr);
	receiver = IS_ERR(from) ? NULL :
				  dgram_find_receiver(sk, &dest, from, true,
						      &err);
	if (receiver) {
		full = !dgram_has_room(receiver) && dgram_watch(sk, receiver);
		sock_put(receiver);
	}
	if (!IS_ERR(from))
		altconn_addr_put(from);
	dgram_put_dest(&dest);
	return full;
}

#define DGRAM_POLLOUT	(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)

/**
 * altconn_dgram_poll() - poll(2) of datagram sockets
 * @file: of the socket
 * @sock: the socket
 * @wait: where to register
 *
 * A connected socket is not writable while its receiver is full.
 *
 * Context: process.
 */
__poll_t altconn_dgram_poll(struct file *file, struct socket *sock,
			    poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 shut;

	sock_poll_wait(file, sock, wait);
	shut = READ_ONCE(sk->sk_shutdown);
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	if (shut & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (shut == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	altconn_polls(sk);
	if (!dgram_is_empty(altconn_dgram_sk(sk)))
		mask |= EPOLLIN | EPOLLRDNORM;
	/* Who does not ask for room shall not be woken for it. */
	if (poll_requested_events(wait) & DGRAM_POLLOUT && !dgram_peer_full(sk))
		mask |= DGRAM_POLLOUT;
	return mask;
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

/**
 * altconn_dgram_pair() - make two new endpoints each other's peer
 * @a: one
 * @b: the other
 *
 * Context: process; nobody else sees them yet.
 * Return: 0; -EAGAIN: the user's limit or the namespace's is reached; -ENOMEM.
 */
int altconn_dgram_pair(struct sock *a, struct sock *b)
{
	int err = dgram_count(a);

	if (err)
		return err;
	err = dgram_count(b);
	if (err) {
		dgram_uncount(a);
		return err;
	}
	sock_hold(a);
	sock_hold(b);
	altconn_dgram_sk(a)->peer_sk = b;
	altconn_dgram_sk(b)->peer_sk = a;
	WRITE_ONCE(a->sk_state, TCP_ESTABLISHED);
	WRITE_ONCE(b->sk_state, TCP_ESTABLISHED);
	return 0;
}

/**
 * altconn_dgram_shutdown() - shutdown(2) of a datagram socket
 * @sk: the endpoint
 * @how: RCV_SHUTDOWN, SEND_SHUTDOWN or both
 *
 * It takes effect on an unconnected socket too, as with AF_UNIX and UDP.
 *
 * Context: process.
 * Return: 0; -ENOTCONN: unconnected, and not in the sockaddr_un dress, as UDP
 * says it.
 */
int altconn_dgram_shutdown(struct sock *sk, u8 how)
{
	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	/* Blocked senders get EPIPE. In the inet formats it goes on receiving. */
	if (how & RCV_SHUTDOWN && !altconn_is_inet(sk))
		dgram_release_all(sk);
	sk->sk_state_change(sk);
	if (altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	return altconn_state(sk) == TCP_ESTABLISHED ? 0 : -ENOTCONN;
}

/* No more comes. */
static void dgram_purge(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	LIST_HEAD(gone);

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->queue, &gone);
	dgram_charge(ask, 0);
	spin_unlock(&ask->queue_lock);
	dgram_free_all(&gone);
}

/**
 * altconn_dgram_close() - the datagram part of close
 * @sk: the endpoint; bound still
 *
 * Context: process; lock_sock() held.
 */
void altconn_dgram_close(struct sock *sk)
{
	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	/* From here on senders are refused; dgram_set_peer() lets them know. */
	sock_set_flag(sk, SOCK_DEAD);
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	dgram_set_peer(sk, NULL, ALTCONN_NO_RULE);
	dgram_uncount(sk);
	cork_free(sk);
	dgram_purge(sk);
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
	struct altconn_addr *addr;

	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	if (altconn_dgram_sk(sk)->peer_sk)
		addr = altconn_addr_of(altconn_dgram_sk(sk)->peer_sk);
	else
		addr = altconn_addr_get(dgram_peer_addr(altconn_dgram_sk(sk)));
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
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
	dg = dgram_first(altconn_dgram_sk(sk));
	if (dg)
		n = dg->len;
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	return n;
}

/**
 * altconn_dgram_overflow() - what is dropped when the queue is full
 * @sk: the endpoint
 * @policy: ALTCONN_OVERFLOW_BLOCK: nothing, senders wait; ...
 *
 * Context: process.
 */
void altconn_dgram_overflow(struct sock *sk, u8 policy)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	WRITE_ONCE(ask->overflow, policy);
	spin_unlock(&ask->queue_lock);
	/* No sender needs to wait any more, or it waits again. */
	dgram_release_all(sk);
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
