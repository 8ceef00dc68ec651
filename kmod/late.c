// SPDX-License-Identifier: GPL-2.0
/*
 * What a rule delays on its way from a datagram socket: a queue for each sender, in
 * the order in which it will arrive, so equal delays keep the order.
 *
 * As a network, it holds so much and loses the rest. It outlives the sender's
 * close(), so it is bounded for namespace and machine too.
 */

#include <linux/slab.h>
#include "altconn.h"

/* Bytes of a namespace, and of all but the initial one. */
#define NET_MAX		(4L << 20)
#define TOTAL_MAX	(64L << 20)

/* The longest that a datagram takes. */
#define DELAY_MAX_MS	60000U

static atomic_long_t total;

/**
 * struct altconn_late_queue - what is under way from a socket
 * @work: armed for the first, while there is one
 * @lock: all of it
 * @list: by @due
 * @bytes: of them
 * @sk: the socket
 *
 * Lifetime: made with the first, freed with the socket, which each that is under way
 * holds a reference to. @work is not armed while there is none.
 */
struct altconn_late_queue {
	struct delayed_work	work;
	spinlock_t		lock;		/* list */
	struct list_head	list;
	u32			bytes;
	struct sock		*sk;
};

static struct altconn_late *first(struct altconn_late_queue *q)
{
	return list_first_entry_or_null(&q->list, struct altconn_late, node);
}

static void arm(struct altconn_late_queue *q)
{
	u64 now = ktime_get_ns(), due = first(q)->due;
	u64 ms = due > now ? div_u64(due - now, NSEC_PER_MSEC) : 0;

	lockdep_assert_held(&q->lock);
	mod_delayed_work(altconn_wq, &q->work, msecs_to_jiffies(ms) + 1);
}

static void uncharge(struct altconn_net *an, u32 size)
{
	atomic_long_sub(size, &an->late);
	if (an != altconn_init_state)
		atomic_long_sub(size, &total);
}

/* What namespaces of whomsoever fill up is not the initial one's. */
static bool charge(struct altconn_net *an, u32 size)
{
	bool fits = atomic_long_add_return(size, &an->late) <= NET_MAX;

	if (an != altconn_init_state)
		fits &= atomic_long_add_return(size, &total) <= TOTAL_MAX;
	if (!fits)
		uncharge(an, size);
	return fits;
}

/* Timers may be early, a datagram is not. */
static void run(struct work_struct *work)
{
	struct altconn_late_queue *q =
		container_of(work, struct altconn_late_queue, work.work);
	struct sock *sk = q->sk;
	struct altconn_late *late;
	unsigned int n = 0;

	spin_lock(&q->lock);
	while ((late = first(q)) && late->due <= ktime_get_ns()) {
		u32 size = late->size;

		list_del(&late->node);
		q->bytes -= size;
		spin_unlock(&q->lock);
		altconn_dgram_arrive(sk, late);
		uncharge(altconn_pernet(sock_net(sk)), size);
		n++;
		cond_resched();
		spin_lock(&q->lock);
	}
	/* It may have been armed meanwhile for one that came and went. */
	if (late)
		arm(q);
	else
		cancel_delayed_work(&q->work);
	spin_unlock(&q->lock);
	/* The last takes the queue with it. */
	while (n--)
		sock_put(sk);
}

static struct altconn_late_queue *queue_of(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_late_queue *q, *old = READ_ONCE(ask->late);

	if (old)
		return old;
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return NULL;
	INIT_DELAYED_WORK(&q->work, run);
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->list);
	q->sk = sk;
	/* A full barrier: who sees it sees it whole. */
	old = cmpxchg(&ask->late, NULL, q);
	if (!old)
		return q;
	kfree(q);
	return old;
}

static bool insert(struct altconn_late_queue *q, struct altconn_late *late)
{
	struct altconn_late *before;

	lockdep_assert_held(&q->lock);
	/* One always goes. */
	if (q->bytes && q->bytes + late->size > READ_ONCE(q->sk->sk_sndbuf))
		return false;
	q->bytes += late->size;
	sock_hold(q->sk);
	list_for_each_entry_reverse(before, &q->list, node)
		if (before->due <= late->due)
			break;
	list_add(&late->node, &before->node);
	if (first(q) == late)
		arm(q);
	return true;
}

/**
 * altconn_late_add() - let something arrive later
 * @sk: a datagram socket
 * @late: what; @size says how much memory it holds
 * @delay_ms: milliseconds; a minute at the most
 *
 * Context: process, may sleep.
 * Return: 0: altconn_dgram_arrive() will get it, whatever becomes of the socket;
 * -ENOBUFS: too much is under way, it is lost; -ENOMEM.
 */
int altconn_late_add(struct sock *sk, struct altconn_late *late, u32 delay_ms)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_late_queue *q = queue_of(sk);
	bool fits;

	if (!q)
		return -ENOMEM;
	if (!charge(an, late->size))
		return -ENOBUFS;
	late->due = ktime_get_ns() +
		    (u64)min(delay_ms, DELAY_MAX_MS) * NSEC_PER_MSEC;
	spin_lock(&q->lock);
	fits = insert(q, late);
	spin_unlock(&q->lock);
	if (fits)
		return 0;
	uncharge(an, late->size);
	return -ENOBUFS;
}
