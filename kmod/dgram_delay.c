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
#include "dgram_delay.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "netns.h"
#include "node.h"
#include "payer.h"
#include "scm.h"
#include "sock.h"

/**
 * struct late - a delayed datagram and what its delivery needs
 * @late: entry in the sender's queue
 * @dg: the datagram, a reference
 * @dest: the destination, with references of its own
 * @path: the socket file of a destination that is a path; pins the inode
 * @connected: the datagram goes to the address that the sender is connected to
 * @copies: for a broadcast: copies of @dg, one for each receiver but the first
 * @hearers: for a broadcast: array for the receivers that are found on arrival
 * @room: for a broadcast: number of entries of @hearers, one more than there
 *	are copies; 0 if the datagram is not a broadcast
 *
 * Lifetime: altconn_dgram_send_late() makes the object, and
 * altconn_dgram_arrive() frees it.
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
	altconn_dgram_free_all(&late->copies);
	kvfree(late->hearers);
	altconn_dgram_put_dest(&late->dest);
	path_put(&late->path);
	kfree(late);
}

/* Deliver a datagram to its receiver. The datagram is lost without one. */
static void dgram_arrive(struct sock *sk, struct late *late)
{
	struct altconn_dgram *dg = late->dg;
	struct sock *receiver;
	int err;

	receiver = altconn_dgram_find_named(sk, &late->dest, dg,
					    late->connected, &err);
	if (!receiver) {
		altconn_dgram_put(dg);
		return;
	}
	altconn_dgram_offer(receiver, dg);
	sock_put(receiver);
}

/*
 * Deliver one copy to each receiver that is found now. The sender has made the
 * copies: a worker allocates nothing, because it has no memory cgroup that
 * could be charged.
 */
static void late_arrive_all(struct sock *sk, struct late *late)
{
	struct altconn_dgram *dg;
	size_t n, i;

	list_add(&late->dg->node, &late->copies);
	n = altconn_dgram_find_listening(sock_net(sk), late->dest.addr,
					 late->hearers, late->room);
	n = min(n, late->room);
	for (i = 0; i < n; i++) {
		dg = list_first_entry(&late->copies, struct altconn_dgram,
				      node);
		list_del(&dg->node);
		altconn_dgram_offer(late->hearers[i], dg);
		sock_put(late->hearers[i]);
		cond_resched();
	}
}

/**
 * altconn_dgram_arrive() - deliver a delayed datagram
 * @sk: the sending endpoint, which may be closed by now
 * @what: entry of the datagram, which altconn_late_add() has queued; this
 *	function frees the entry
 *
 * send() has already returned success. So without a receiver, or without space
 * at the receiver, the datagram is lost.
 *
 * Context: process, may sleep; no locks held.
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
 * Make the copies of a delayed broadcast: one for each socket that is bound to
 * the port now. The data and the copies take no more than half of SO_SNDBUF, so
 * that the sender can have other datagrams under way; one receiver gets the
 * datagram in any case. Return 0, -ENOMEM, or -EINTR if the sender is being
 * killed.
 */
static int late_copy(struct sock *sk, struct late *late)
{
	u32 half = READ_ONCE(sk->sk_sndbuf) / 2, held = late->late.size;
	size_t each = sizeof(struct altconn_dgram) + sizeof(struct sock *);
	struct altconn_dgram *copy;
	size_t n, room;

	room = half > held ? (half - held) / each : 0;
	n = altconn_dgram_find_listening(sock_net(sk), late->dest.addr, NULL,
					 0);
	n = clamp_t(size_t, n, 1, room + 1);
	late->hearers = kvmalloc_array(n, sizeof(*late->hearers),
				       GFP_KERNEL_ACCOUNT);
	if (!late->hearers)
		return -ENOMEM;
	for (late->room = 1; late->room < n; late->room++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		copy = altconn_dgram_copy(late->dg);
		if (!copy)
			return -ENOMEM;
		list_add(&copy->node, &late->copies);
		late->late.size += each;
		cond_resched();
	}
	return 0;
}

/**
 * altconn_dgram_send_late() - send a datagram that a rule delays
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
int altconn_dgram_send_late(struct sock *sk, struct altconn_dgram *dg,
			    const struct dest *dest,
			    const struct path *path, bool connected)
{
	struct late *late = kzalloc(sizeof(*late), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!late)
		return -ENOMEM;
	/*
	 * The receiver may want credentials, which only the sending thread can
	 * supply.
	 */
	altconn_scm_fill(&dg->scm);
	late->dg = dg;
	late->connected = connected;
	late->dest.addr = altconn_addr_get(dest->addr);
	late->dest.generation = dest->generation;
	late->path = *path;
	path_get(&late->path);
	INIT_LIST_HEAD(&late->copies);
	/*
	 * Count the socket too: after close() it may exist for this datagram
	 * alone.
	 */
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
	/*
	 * The datagram is lost beyond the limit, and SO_MEMINFO of the sender
	 * counts it.
	 */
	atomic_inc(&sk->sk_drops);
	altconn_dgram_put(dg);
	return 0;
}

/*
 * Limits of the memory for delayed datagrams, bytes: of one namespace, and of
 * all namespaces together, except the initial one.
 */
#define NET_MAX		(4L << 20)
#define TOTAL_MAX	(64L << 20)

/* This is the longest delay of a datagram, milliseconds. */
#define DELAY_MAX_MS	60000U

static atomic_long_t late_total;

/**
 * struct altconn_late_queue - the delayed datagrams of a socket
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
struct altconn_late_queue {
	struct timer_list	timer;
	struct altconn_job	job;
	struct altconn_payer	*payer;
	spinlock_t		lock;		/* list */
	struct list_head	list;
	u32			bytes;
	struct sock		*sk;
};

static struct altconn_late *late_first(struct altconn_late_queue *q)
{
	return list_first_entry_or_null(&q->list, struct altconn_late, node);
}

static void late_arm(struct altconn_late_queue *q)
{
	u64 now = ktime_get_ns(), due = late_first(q)->due;
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
static void late_timer(struct timer_list *timer)
{
	struct altconn_late_queue *q = timer_container_of(q, timer, timer);

	while (!altconn_payer_queue(q->payer, &q->job))
		if (refcount_dec_not_one(&q->sk->sk_refcnt))
			break;
}

static void late_uncharge(struct altconn_net *an, u32 size)
{
	atomic_long_sub(size, &an->late);
	if (an != altconn_init_state)
		atomic_long_sub(size, &late_total);
}

/*
 * Charge @size bytes to a namespace, and to the total if the namespace is not
 * the initial one. So other namespaces cannot use up what the initial one may
 * use. Return whether the limits allow this; if not, nothing is charged.
 */
static bool late_charge(struct altconn_net *an, u32 size)
{
	bool fits = atomic_long_add_return(size, &an->late) <= NET_MAX;

	if (an != altconn_init_state)
		fits &= atomic_long_add_return(size, &late_total) <= TOTAL_MAX;
	if (!fits)
		late_uncharge(an, size);
	return fits;
}

/*
 * Remove the first datagram from the queue if it is due, and return it. Return
 * NULL if the queue is empty or the datagram is not due yet, and arm the timer
 * again in the latter case: a timer may expire early, but no datagram is
 * delivered early.
 */
static struct altconn_late *late_take(struct altconn_late_queue *q)
{
	struct altconn_late *late;

	spin_lock(&q->lock);
	late = late_first(q);
	if (late && late->due > ktime_get_ns()) {
		late_arm(q);
		late = NULL;
	}
	if (late) {
		list_del(&late->node);
		q->bytes -= late->size;
	}
	spin_unlock(&q->lock);
	return late;
}

/* Deliver one datagram, and queue the job again for the next one. */
static void late_run(struct altconn_job *job)
{
	struct altconn_late_queue *q =
		container_of(job, struct altconn_late_queue, job);
	struct altconn_late *late = late_take(q);
	struct sock *sk = q->sk;
	u32 size;

	if (late) {
		size = late->size;
		altconn_dgram_arrive(sk, late);
		late_uncharge(altconn_pernet(sock_net(sk)), size);
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
static struct altconn_late_queue *late_queue_of(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_late_queue *q, *old = READ_ONCE(ask->late);

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
	timer_setup(&q->timer, late_timer, 0);
	altconn_job_init(&q->job, late_run);
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->list);
	q->sk = sk;
	/*
	 * cmpxchg() is a full barrier, so other threads see an initialized
	 * queue.
	 */
	old = cmpxchg(&ask->late, NULL, q);
	if (!old)
		return q;
	kfree(q);
	return old;
}

static bool late_insert(struct altconn_late_queue *q, struct altconn_late *late)
{
	struct altconn_late *before;

	lockdep_assert_held(&q->lock);
	/* An empty queue takes a datagram of any size. */
	if (q->bytes && q->bytes + late->size > READ_ONCE(q->sk->sk_sndbuf))
		return false;
	q->bytes += late->size;
	sock_hold(q->sk);
	list_for_each_entry_reverse(before, &q->list, node)
		if (before->due <= late->due)
			break;
	list_add(&late->node, &before->node);
	if (late_first(q) == late)
		late_arm(q);
	return true;
}

/**
 * altconn_late_add() - put a datagram into the queue of delayed datagrams
 * @sk: the sending endpoint
 * @late: entry of the datagram, with @size set
 * @delay_ms: delay, milliseconds; at most one minute counts
 *
 * Context: process, may sleep; no locks held.
 * Return: 0 if altconn_dgram_arrive() will get the datagram, even if the socket
 * is closed before; -ENOBUFS if a limit is exceeded; -ENOMEM. Unless the result
 * is 0, the caller keeps @late.
 */
int altconn_late_add(struct sock *sk, struct altconn_late *late, u32 delay_ms)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_late_queue *q = late_queue_of(sk);
	bool fits;

	if (!q)
		return -ENOMEM;
	if (!late_charge(an, late->size))
		return -ENOBUFS;
	late->due = ktime_get_ns() +
		    (u64)min(delay_ms, DELAY_MAX_MS) * NSEC_PER_MSEC;
	spin_lock(&q->lock);
	fits = late_insert(q, late);
	spin_unlock(&q->lock);
	if (fits)
		return 0;
	late_uncharge(an, late->size);
	return -ENOBUFS;
}
