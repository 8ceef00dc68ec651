/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readers that sleep, and who wakes them.
 *
 * Mostly one thread sleeps on a socket until there is something to read. It claims
 * the socket's rcuwait, which costs a third of a wait queue; further threads use the
 * queue. The claimant is woken once, not again and again until it runs. A poller may
 * look at edges and hears of all data, as from any socket; so does an owner that
 * wants signals.
 *
 * To be woken on another CPU takes far longer than a short answer does. So a
 * reader that has nothing looks for a while before it sleeps, if data came as
 * quickly the times before and nobody else wants its CPU. How long adapts itself, as
 * KVM's halt polling does: net.altconn.spin_us at the most.
 */
#ifndef _ALTCONN_WAIT_H
#define _ALTCONN_WAIT_H

#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include "altconn.h"
#include "netns.h"
#include "sock.h"

#define _ALTCONN_WAIT_H

#define ALTCONN_SPIN_FIRST_NS	10000U

/**
 * altconn_wake_reader() - there is something to read
 * @sk: the endpoint, which has it already; pinned
 *
 * Context: any. The caller has a full barrier between the data and this, which
 * pairs with those of altconn_sleep() and altconn_polls().
 */
static inline void altconn_wake_reader(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	if (READ_ONCE(ask->want_data)) {
		WRITE_ONCE(ask->want_data, false);
		rcuwait_wake_up(&ask->reader);
	}
	if (READ_ONCE(ask->polled) || sock_flag(sk, SOCK_FASYNC))
		sk->sk_data_ready(sk);
}

/**
 * altconn_polls() - somebody is in the wait queue and wants to hear of data
 * @sk: the endpoint
 *
 * The caller looks for data afterwards.
 *
 * Context: any.
 */
static inline void altconn_polls(struct sock *sk)
{
	WRITE_ONCE(altconn_sk(sk)->polled, true);
	/* Pairs with altconn_wake_reader(). */
	smp_mb();
}

/**
 * altconn_wait_until() - sleep in the wait queue
 * @sk: the endpoint
 * @timeo: how long at the most, jiffies; what is left of it
 * @ready: is it there? Announces first what the caller waits for
 * @arg: its argument
 *
 * Context: process.
 * Return: 0; -EAGAIN: *@timeo is over; -EINTR or a restart.
 */
static __always_inline int
altconn_wait_until(struct sock *sk, long *timeo,
		   bool (*ready)(struct sock *sk, const void *arg),
		   const void *arg)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err = 0;

	add_wait_queue(sk_sleep(sk), &wait);
	while (!ready(sk, arg)) {
		err = -EAGAIN;
		if (!*timeo)
			break;
		err = sock_intr_errno(*timeo);
		if (signal_pending(current))
			break;
		*timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, *timeo);
		err = 0;
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return err;
}

static inline u32 altconn_spin_max(const struct sock *sk)
{
	return READ_ONCE(altconn_pernet(sock_net(sk))->spin_us) *
	       NSEC_PER_USEC;
}

/* Look for a while; what of it is jiffies is taken from *@timeo. */
static __always_inline bool
altconn_spin(struct sock *sk, u64 begun, long *timeo,
	     bool (*ready)(struct sock *sk, const void *arg), const void *arg)
{
	u32 ns = altconn_sk(sk)->spin_ns;
	unsigned long since = jiffies;
	bool found = false;

	if (!ns || !single_task_running())
		return false;
	ns = min(ns, altconn_spin_max(sk));
	while (!found && single_task_running() && !need_resched() &&
	       !signal_pending(current) && local_clock() - begun < ns) {
		found = ready(sk, arg);
		cpu_relax();
	}
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo -= min_t(unsigned long, *timeo, jiffies - since);
	return found;
}

/* What came after @waited ns: would it have been worth to look for it? */
static inline void altconn_spin_adapt(struct sock *sk, u64 waited)
{
	u32 ns = altconn_sk(sk)->spin_ns, max;

	if (waited <= ns)
		return;
	max = altconn_spin_max(sk);
	if (waited > max)
		ns = 0;
	else
		ns = min(max, max(2 * ns, ALTCONN_SPIN_FIRST_NS));
	altconn_sk(sk)->spin_ns = ns;
}

/**
 * altconn_sleep() - sleep until there is something to read
 * @sk: the endpoint
 * @timeo: how long at the most, jiffies; what is left of it
 * @ready: is there something, or an end of it?
 * @announce: the same for the wait queue, calls altconn_polls() first
 * @arg: their argument
 *
 * Context: process.
 * Return: 0; -EAGAIN: *@timeo is over; -EINTR or a restart.
 */
static __always_inline int
altconn_sleep(struct sock *sk, long *timeo,
	      bool (*ready)(struct sock *sk, const void *arg),
	      bool (*announce)(struct sock *sk, const void *arg),
	      const void *arg)
{
	struct altconn_sock *ask = altconn_sk(sk);
	/* Else who sends is not at work meanwhile. */
	bool spins = num_online_cpus() > 1;
	u64 begun = 0;
	int err = 0;

	if (!*timeo)
		return -EAGAIN;
	if (atomic_cmpxchg_acquire(&ask->reader_claimed, 0, 1))
		return altconn_wait_until(sk, timeo, announce, arg);
	if (spins) {
		begun = local_clock();
		if (altconn_spin(sk, begun, timeo, ready, arg))
			goto out;
	}
	prepare_to_rcuwait(&ask->reader);
	for (;;) {
		/*
		 * Asleep first, then announced: a waker that clears the
		 * announcement, even late and for data that is read by now,
		 * wakes somebody then, who announces himself again.
		 */
		set_current_state(TASK_INTERRUPTIBLE);
		WRITE_ONCE(ask->want_data, true);
		/* Pairs with the barrier before altconn_wake_reader(). */
		smp_mb();
		if (ready(sk, arg))
			break;
		err = signal_pending(current) ? sock_intr_errno(*timeo) :
		      *timeo ? 0 : -EAGAIN;
		if (err)
			break;
		*timeo = schedule_timeout(*timeo);
	}
	finish_rcuwait(&ask->reader);
	if (spins && !err)
		altconn_spin_adapt(sk, local_clock() - begun);
out:
	/* Pairs with the claim: the next claimant sees @spin_ns. */
	atomic_set_release(&ask->reader_claimed, 0);
	return err;
}

#endif /* _ALTCONN_WAIT_H */
