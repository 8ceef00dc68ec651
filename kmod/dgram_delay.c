// SPDX-License-Identifier: GPL-2.0
/*
 * This file holds the datagrams that a rule delays. Each sender has a queue of
 * its delayed datagrams, sorted by the time at which they are due. Datagrams of
 * a sender with equal delays keep their order.
 *
 * SO_SNDBUF limits the queue. As on a network, send() returns success for a
 * datagram that is lost because of the limit. Delayed datagrams outlive the
 * close() of their sender, so each namespace and the machine have limits too.
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
 * struct dgram_delayed - a delayed datagram, with the objects for its delivery
 * @node: link in the sender's queue of delayed datagrams
 * @due: time of the delivery, ns of ktime_get_ns()
 * @size: memory that the datagram and its delivery use, bytes
 * @dg: the datagram, a reference
 * @dest: the destination, with references of its own
 * @path: the socket file if send() named a path, which pins the inode; else
 *	empty
 * @connected: the datagram goes to the address that the sender is connected to
 * @copies: of a broadcast: copies of @dg, one for each receiver but the first
 * @receivers: of a broadcast: uninitialized array for the receivers, which are
 *	looked up at the time @due
 * @n_receivers: of a broadcast: number of entries of @receivers, which is the
 *	number of @copies and 1 for @dg itself; 0 if the datagram is not a
 *	broadcast
 *
 * Lifetime: altconn_dgram_send_delayed() makes the object, and frees it if the
 * sender's queue does not take it. Otherwise delayed_deliver() frees it.
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

/* Free @d with all its references except that to @dg. */
static void delayed_free(struct dgram_delayed *d)
{
	altconn_dgram_put_all(&d->copies);
	kvfree(d->receivers);
	altconn_dgram_put_dest(&d->dest);
	path_put(&d->path);
	kfree(d);
}

/*
 * Deliver a datagram to the receiver that is found now. Without a receiver the
 * datagram is lost.
 */
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
 * Deliver a broadcast to the receivers that are found now: the original to the
 * first receiver, and a copy to each further one. Receivers for which there is
 * no copy miss the broadcast. send() has made the copies, because the memory
 * cgroup of its caller is charged for them. A kernel thread has no such memory
 * cgroup.
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
 * now. send() has already returned success, so a datagram without a receiver,
 * or without space at the receiver, is lost. No lock is held.
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
 * Limits of the memory for delayed datagrams, bytes: for each namespace, and
 * for the sum of all namespaces but the initial one.
 */
#define DELAYED_NET_MAX		(4L << 20)
#define DELAYED_TOTAL_MAX	(64L << 20)

/* This is the longest delay of a datagram, milliseconds. */
#define DGRAM_DELAY_MAX_MS	60000U

/* This sum is limited by DELAYED_TOTAL_MAX. */
static atomic_long_t delayed_total;

/**
 * struct altconn_delay_queue - the delayed datagrams of a socket
 * @timer: expires when the first datagram is due; holds a reference to @sk
 *	while it is armed
 * @job: delivers one datagram; queued by @timer or by itself, and holds a
 *	reference to @sk while it is queued or runs
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

/*
 * Arm the timer for the first datagram. A timer that was not armed takes a
 * reference to the socket. The queue is not empty.
 */
static void delayed_arm_timer(struct altconn_delay_queue *q)
{
	u64 now = ktime_get_ns(), due = delayed_first(q)->due;
	u64 ms = due > now ? div_u64(due - now, NSEC_PER_MSEC) : 0;

	lockdep_assert_held(&q->lock);
	if (!mod_timer(&q->timer, jiffies + msecs_to_jiffies(ms) + 1))
		sock_hold(q->sk);
}

/*
 * Queue the job, and pass the timer's reference to the socket on to it. If the
 * job is queued already, it has a reference of its own, so drop the timer's
 * reference. If the timer's reference is the last one, the job has run and has
 * dropped its own reference meanwhile. So try again to queue the job, which
 * then drops the last reference.
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
 * Charge @size bytes to a namespace, and to the total of all namespaces but the
 * initial one. The total does not limit the initial namespace, so other
 * namespaces cannot use up its memory. Return false, and charge nothing, if a
 * limit would be exceeded.
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
 * Remove the first datagram from the queue if it is due, and return it. If it
 * is not due, arm the timer for it and return NULL. This happens after the
 * delivery of the datagram before it, and after a timer that has expired early.
 * Return NULL also if the queue is empty.
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

/*
 * Deliver one datagram if it is due, and queue the job again for the next one.
 * The job passes its reference to the socket on to its next run.
 */
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
	/*
	 * There is no datagram to deliver now, or the timer has queued the job
	 * again with another reference. The last reference frees the socket,
	 * and the queue with it.
	 */
	sock_put(sk);
}

/*
 * Return the socket's queue of delayed datagrams, which the first call makes.
 * Return NULL if there is no memory.
 */
static struct altconn_delay_queue *delayed_get_or_alloc_queue(struct sock *sk)
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
	 * Another thread may set the pointer at the same time, and only one of
	 * the queues is kept. cmpxchg() orders the initialization of the queue
	 * before the pointer, so a thread that reads the pointer finds an
	 * initialized queue.
	 */
	old = cmpxchg(&ask->delay_queue, NULL, q);
	if (!old)
		return q;
	kfree(q);
	return old;
}

/*
 * Insert a datagram behind all datagrams that are due before it or at the same
 * time, and take a reference to the socket for it. Return false, and do
 * nothing, if the queue would exceed SO_SNDBUF.
 */
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
 * Put a datagram into the sender's queue of delayed datagrams. A delay of more
 * than DGRAM_DELAY_MAX_MS is cut to that value. Return 0 if the queue has taken
 * over @d, which is then delivered even if the socket is closed before;
 * -ENOBUFS if a limit would be exceeded; or -ENOMEM. No lock is held.
 */
static int delayed_add(struct sock *sk, struct dgram_delayed *d, u32 delay_ms)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_delay_queue *q = delayed_get_or_alloc_queue(sk);
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
 * Make the copies of a delayed broadcast, and the array for its receivers. With
 * the original there is a datagram for each socket that is bound to the port
 * now, as far as the data and all copies take no more than half of SO_SNDBUF.
 * The other half is left to further datagrams. One receiver gets the original
 * in any case. Return 0, -ENOMEM, or -EINTR if the sender is being killed.
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
 * @path: the socket file if send() named a path, else empty
 * @connected: the datagram goes to the address that @sk is connected to
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0 if the datagram is queued, or lost because of a limit, in which
 * cases the caller's reference is gone; -ENOMEM; -EINTR if the sender is being
 * killed. Unless the result is 0, the caller keeps its reference.
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
	 * The receiver may have SO_PASSCRED at the time of the delivery, when
	 * the credentials of the sending thread are no longer available.
	 */
	altconn_scm_add_own_cred(&dg->scm);
	d->dg = dg;
	d->connected = connected;
	d->dest.addr = altconn_addr_get(dest->addr);
	d->dest.genid = dest->genid;
	d->path = *path;
	path_get(&d->path);
	INIT_LIST_HEAD(&d->copies);
	/*
	 * Charge the socket too: after close() this datagram may have the only
	 * references to it.
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
	/* SO_MEMINFO of the sender counts a datagram that exceeds a limit. */
	atomic_inc(&sk->sk_drops);
	altconn_dgram_put(dg);
	return 0;
}
