// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that a rule delays: a queue for each sender, in the order of arrival, so
 * equal delays keep the order.
 *
 * As a network, the queue holds so much and loses the rest. It outlives the sender's
 * close(), so it is bounded for the namespace and the machine too.
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
	altconn_dgram_free_all(&late->copies);
	kvfree(late->hearers);
	altconn_dgram_put_dest(&late->dest);
	path_put(&late->path);
	kfree(late);
}

/* To one, or nobody. */
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
 * Deliver one copy to each hearer that is found now. The sender has made the copies;
 * a worker allocates nothing, since it has no cgroup that could be charged.
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

int altconn_dgram_send_late(struct sock *sk, struct altconn_dgram *dg,
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
	altconn_dgram_put(dg);
	return 0;
}

/* Bytes of a namespace, and of all but the initial one. */
#define NET_MAX		(4L << 20)
#define TOTAL_MAX	(64L << 20)

/* The longest that a datagram takes. */
#define DELAY_MAX_MS	60000U

static atomic_long_t late_total;

/**
 * struct altconn_late_queue - what is under way from a socket
 * @timer: armed for the first datagram; holds a reference to @sk while it is
 *	armed
 * @job: what the timer asks for; holds a reference to @sk while it is queued
 * @payer: pays for @job: the user that sent the first datagram
 * @lock: all of it
 * @list: by @due
 * @bytes: of them
 * @sk: the socket
 *
 * Lifetime: made with the first delayed datagram and freed with the socket;
 * each delayed datagram holds a reference to the socket.
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

/* Its reference becomes the job's, as in attempt_timer(). */
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

/* What namespaces of whomsoever fill up is not the initial one's. */
static bool late_charge(struct altconn_net *an, u32 size)
{
	bool fits = atomic_long_add_return(size, &an->late) <= NET_MAX;

	if (an != altconn_init_state)
		fits &= atomic_long_add_return(size, &late_total) <= TOTAL_MAX;
	if (!fits)
		late_uncharge(an, size);
	return fits;
}

/* Timers may be early, a datagram is not. */
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

/* One datagram arrives, and the job is queued again for the next. */
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
		/* The datagram's reference; the job has another one. */
		__sock_put(sk);
		if (altconn_payer_queue(q->payer, job))
			return;
	}
	/* The last takes the queue with it. */
	sock_put(sk);
}

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
	/* A full barrier: who sees it sees it whole. */
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
	/* One always goes. */
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
