// SPDX-License-Identifier: GPL-2.0
/*
 * This file delays datagrams if a rule says so. Each sender has a queue of
 * delayed datagrams in the order of their arrival, so datagrams with equal
 * delays keep their order.
 *
 * Like a network, the queue holds a limited amount and loses datagrams beyond.
 * Delayed datagrams outlive the sender's close(), so there are also limits for
 * a namespace and for the machine.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include "addr.h"
#include "dgram_broadcast.h"
#include "dgram_delay.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "netns.h"
#include "node.h"
#include "payer.h"
#include "scm.h"
#include "sock.h"

/**
 * struct dgram_delayed - a delayed datagram and what its delivery needs
 * @node: link in the sender's queue of delayed datagrams
 * @due: when the datagram arrives, ns of ktime_get_ns()
 * @size: memory that the datagram and its delivery use, bytes
 * @dg: the datagram, a reference
 * @dest: the destination, with references of its own
 * @path: the socket file of a destination that is a path; pins the inode
 * @connected: the datagram goes to the address that the sender is connected to
 * @copies: for a broadcast: copies of @dg, one for each receiver but the first
 * @receivers: for a broadcast: array for the receivers that are found on
 *	arrival
 * @n_receivers: for a broadcast: number of entries of @receivers, one more than
 *	there are copies; 0 if the datagram is not a broadcast
 *
 * Lifetime: altconn_dgram_send_delayed() makes the object, and
 * delayed_deliver() frees it.
 */
struct dgram_delayed {
	struct list_head	node;
	u64			due;
	u32			size;
	struct altconn_dgram	*dg;
	struct dgram_dest	dest;
	struct path		path;
	bool			connected;
	struct list_head	copies;
	struct sock		**receivers;
	size_t			n_receivers;
};

static void delayed_free(struct dgram_delayed *d)
{
	altconn_dgram_free_all(&d->copies);
	kvfree(d->receivers);
	altconn_dgram_put_dest(&d->dest);
	path_put(&d->path);
	kfree(d);
}

/* Deliver a datagram to its receiver. The datagram is lost without one. */
static void delayed_deliver_one(struct sock *sk, struct dgram_delayed *d)
{
	struct altconn_dgram *dg = d->dg;
	struct sock *receiver;
	int err;

	receiver = altconn_dgram_route(sk, &d->dest, dg,
				       d->connected, &err);
	if (!receiver) {
		altconn_dgram_put(dg);
		return;
	}
	altconn_dgram_deliver_nowait(receiver, dg);
	sock_put(receiver);
}

/*
 * Deliver one copy to each receiver that is found now. The sender has made the
 * copies: a worker allocates nothing, because it has no memory cgroup that
 * could be charged.
 */
static void delayed_deliver_copies(struct sock *sk, struct dgram_delayed *d)
{
	struct altconn_dgram *dg;
	size_t n, i;

	list_add(&d->dg->node, &d->copies);
	n = altconn_dgram_get_broadcast_receivers(sock_net(sk), d->dest.addr,
						  d->receivers, d->n_receivers);
	n = min(n, d->n_receivers);
	for (i = 0; i < n; i++) {
		dg = list_first_entry(&d->copies, struct altconn_dgram,
				      node);
		list_del(&dg->node);
		altconn_dgram_deliver_nowait(d->receivers[i], dg);
		sock_put(d->receivers[i]);
		cond_resched();
	}
}

/*
 * Deliver a delayed datagram, and free @d. The sending socket may be closed by
 * now. send() has already returned success. So without a receiver, or without
 * space at the receiver, the datagram is lost. No lock is held.
 */
static void delayed_deliver(struct sock *sk, struct dgram_delayed *d)
{
	if (d->n_receivers)
		delayed_deliver_copies(sk, d);
	else
		delayed_deliver_one(sk, d);
	delayed_free(d);
}

/*
 * Limits of the memory for delayed datagrams, bytes: of one namespace, and of
 * all namespaces together, except the initial one.
 */
#define DELAYED_NET_MAX		(4L << 20)
#define DELAYED_TOTAL_MAX	(64L << 20)

/* This is the longest delay of a datagram, milliseconds. */
#define DGRAM_DELAY_MAX_MS	60000U

static atomic_long_t delayed_total;

/**
 * struct altconn_delay_queue - the delayed datagrams of a socket
 * @timer: expires when the first datagram is due; holds a reference to @sk
 *	while it is armed
 * @job: delivers one datagram; queued by @timer or by itself, and holds a
 *	reference to @sk while it is queued
 * @payer: the payer of @job: the user that sent the first delayed datagram
 * @lock: protects @list, @bytes and the arming of @timer
 * @list: delayed datagrams, sorted by @due
 * @bytes: sum of @size of the datagrams in @list
 * @sk: the sending socket
 *
 * Lifetime: The first delayed datagram of a socket makes the queue, and the
 * queue is freed with the socket. Each delayed datagram holds a reference to
 * the socket.
 */
struct altconn_delay_queue {
	struct timer_list	timer;
	struct altconn_job	job;
	struct altconn_payer	*payer;
	spinlock_t		lock;		/* list */
	struct list_head	list;
	u32			bytes;
	struct sock		*sk;
};

static struct dgram_delayed *delayed_first(struct altconn_delay_queue *q)
{
	return list_first_entry_or_null(&q->list, struct dgram_delayed, node);
}

static void delayed_arm_timer(struct altconn_delay_queue *q)
{
	u64 now = ktime_get_ns(), due = delayed_first(q)->due;
	u64 ms = due > now ? div_u64(due - now, NSEC_PER_MSEC) : 0;

	lockdep_assert_held(&q->lock);
	if (!mod_timer(&q->timer, jiffies + msecs_to_jiffies(ms) + 1))
		sock_hold(q->sk);
}

/*
 * Queue the job, which gets the timer's reference to the socket. A job that is
 * already queued has a reference of its own, and the timer drops its reference.
 * If that would be the last one, the job has run meanwhile, and is queued once
 * more to drop the reference.
 */
static void delayed_timer(struct timer_list *timer)
{
	struct altconn_delay_queue *q = timer_container_of(q, timer, timer);

	while (!altconn_payer_queue(q->payer, &q->job))
		if (refcount_dec_not_one(&q->sk->sk_refcnt))
			break;
}

static void delayed_uncharge(struct altconn_net *an, u32 size)
{
	atomic_long_sub(size, &an->delayed_bytes);
	if (an != altconn_initial_net)
		atomic_long_sub(size, &delayed_total);
}

/*
 * Charge @size bytes to a namespace, and to the total if the namespace is not
 * the initial one. So other namespaces cannot use up what the initial one may
 * use. Return whether the limits allow this; if not, nothing is charged.
 */
static bool delayed_charge(struct altconn_net *an, u32 size)
{
	bool fits = atomic_long_add_return(size, &an->delayed_bytes) <=
		    DELAYED_NET_MAX;

	if (an != altconn_initial_net)
		fits &= atomic_long_add_return(size, &delayed_total) <=
			DELAYED_TOTAL_MAX;
	if (!fits)
		delayed_uncharge(an, size);
	return fits;
}

/*
 * Remove the first datagram from the queue if it is due, and return it. Return
 * NULL if the queue is empty or the datagram is not due yet, and arm the timer
 * again in the latter case: a timer may expire early, but no datagram is
 * delivered early.
 */
static struct dgram_delayed *delayed_dequeue(struct altconn_delay_queue *q)
{
	struct dgram_delayed *d;

	spin_lock(&q->lock);
	d = delayed_first(q);
	if (d && d->due > ktime_get_ns()) {
		delayed_arm_timer(q);
		d = NULL;
	}
	if (d) {
		list_del(&d->node);
		q->bytes -= d->size;
	}
	spin_unlock(&q->lock);
	return d;
}

/* Deliver one datagram, and queue the job again for the next one. */
static void delayed_run_job(struct altconn_job *job)
{
	struct altconn_delay_queue *q =
		container_of(job, struct altconn_delay_queue, job);
	struct dgram_delayed *d = delayed_dequeue(q);
	struct sock *sk = q->sk;
	u32 size;

	if (d) {
		size = d->size;
		delayed_deliver(sk, d);
		delayed_uncharge(altconn_pernet(sock_net(sk)), size);
		/* Drop the datagram's reference. The job has another one. */
		__sock_put(sk);
		if (altconn_payer_queue(q->payer, job))
			return;
	}
	/* The last reference frees the socket, and the queue with it. */
	sock_put(sk);
}

/*
 * Return the queue of a socket, and make it first if necessary; NULL if there
 * is no memory.
 */
static struct altconn_delay_queue *delayed_get_queue(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_delay_queue *q, *old = READ_ONCE(ask->delay_queue);

	if (old)
		return old;
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return NULL;
	q->payer = altconn_payer_get(ALTCONN_PAYER_DELAY,
				     altconn_payer_key(current_cred()));
	if (!q->payer) {
		kfree(q);
		return NULL;
	}
	timer_setup(&q->timer, delayed_timer, 0);
	altconn_job_init(&q->job, delayed_run_job);
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->list);
	q->sk = sk;
	/*
	 * cmpxchg() is a full barrier, so other threads see an initialized
	 * queue.
	 */
	old = cmpxchg(&ask->delay_queue, NULL, q);
	if (!old)
		return q;
	kfree(q);
	return old;
}

static bool delayed_insert(struct altconn_delay_queue *q,
			   struct dgram_delayed *d)
{
	struct dgram_delayed *before;

	lockdep_assert_held(&q->lock);
	/* An empty queue takes a datagram of any size. */
	if (q->bytes && q->bytes + d->size > READ_ONCE(q->sk->sk_sndbuf))
		return false;
	q->bytes += d->size;
	sock_hold(q->sk);
	list_for_each_entry_reverse(before, &q->list, node)
		if (before->due <= d->due)
			break;
	list_add(&d->node, &before->node);
	if (delayed_first(q) == d)
		delayed_arm_timer(q);
	return true;
}

/*
 * Put a datagram into the sender's queue of delayed datagrams; a delay of more
 * than a minute counts as a minute. Return 0 if delayed_deliver() will get the
 * datagram, even if the socket is closed before; -ENOBUFS if a limit is
 * exceeded; or -ENOMEM. No lock is held.
 */
static int delayed_add(struct sock *sk, struct dgram_delayed *d, u32 delay_ms)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_delay_queue *q = delayed_get_queue(sk);
	bool fits;

	if (!q)
		return -ENOMEM;
	if (!delayed_charge(an, d->size))
		return -ENOBUFS;
	d->due = ktime_get_ns() +
		    (u64)min(delay_ms, DGRAM_DELAY_MAX_MS) * NSEC_PER_MSEC;
	spin_lock(&q->lock);
	fits = delayed_insert(q, d);
	spin_unlock(&q->lock);
	if (fits)
		return 0;
	delayed_uncharge(an, d->size);
	return -ENOBUFS;
}

/*
 * Make the copies of a delayed broadcast: one for each socket that is bound to
 * the port now. The data and the copies take no more than half of SO_SNDBUF, so
 * that the sender can have other datagrams under way; one receiver gets the
 * datagram in any case. Return 0, -ENOMEM, or -EINTR if the sender is being
 * killed.
 */
static int delayed_make_copies(struct sock *sk, struct dgram_delayed *d)
{
	u32 half = READ_ONCE(sk->sk_sndbuf) / 2, held = d->size;
	size_t each = sizeof(struct altconn_dgram) + sizeof(struct sock *);
	struct altconn_dgram *copy;
	size_t n, limit;

	limit = half > held ? (half - held) / each : 0;
	n = altconn_dgram_get_broadcast_receivers(sock_net(sk), d->dest.addr,
						  NULL, 0);
	n = clamp_t(size_t, n, 1, limit + 1);
	d->receivers = kvmalloc_array(n, sizeof(*d->receivers),
				      GFP_KERNEL_ACCOUNT);
	if (!d->receivers)
		return -ENOMEM;
	for (d->n_receivers = 1; d->n_receivers < n; d->n_receivers++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		copy = altconn_dgram_copy(d->dg);
		if (!copy)
			return -ENOMEM;
		list_add(&copy->node, &d->copies);
		d->size += each;
		cond_resched();
	}
	return 0;
}

/**
 * altconn_dgram_send_delayed() - send a datagram that a rule delays
 * @sk: the sending endpoint
 * @dg: the datagram
 * @dest: the destination; its ruling has the delay
 * @path: the socket file of a destination that is a path, else empty
 * @connected: the datagram goes to the address that @sk is connected to
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0, in which case the caller's reference is gone, even if the datagram
 * is lost because of a limit; -ENOMEM; -EINTR if the sender is being killed.
 * Unless the result is 0, the caller keeps its reference.
 */
int altconn_dgram_send_delayed(struct sock *sk, struct altconn_dgram *dg,
			       const struct dgram_dest *dest,
			       const struct path *path, bool connected)
{
	struct dgram_delayed *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!d)
		return -ENOMEM;
	/*
	 * The receiver may want credentials, which only the sending thread can
	 * supply.
	 */
	altconn_scm_fill(&dg->scm);
	d->dg = dg;
	d->connected = connected;
	d->dest.addr = altconn_addr_get(dest->addr);
	d->dest.genid = dest->genid;
	d->path = *path;
	path_get(&d->path);
	INIT_LIST_HEAD(&d->copies);
	/*
	 * Count the socket too: after close() it may exist for this datagram
	 * alone.
	 */
	d->size = dg->size + sizeof(*d) +
			  sizeof(struct altconn_dgram_sock);
	if (altconn_node_is_broadcast(sock_net(sk), dest->addr))
		err = delayed_make_copies(sk, d);
	if (!err)
		err = delayed_add(sk, d, dest->ruling.delay_ms);
	if (!err)
		return 0;
	delayed_free(d);
	if (err != -ENOBUFS)
		return err;
	/*
	 * The datagram is lost beyond the limit, and SO_MEMINFO of the sender
	 * counts it.
	 */
	atomic_inc(&sk->sk_drops);
	altconn_dgram_put(dg);
	return 0;
}
