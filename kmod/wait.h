/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for data: how a reader of an endpoint sleeps, and how it is woken.
 *
 * Usually one thread sleeps on a socket until there is something to read. The
 * first thread takes the endpoint's rcuwait, which costs a third of a wait
 * queue. Further threads, and pollers, use the wait queue.
 *
 *   waiter                  announcement    is woken
 *   thread in the rcuwait   ask->want_data  once, and not again for further
 *                                           messages before it runs
 *   thread or poller in     ask->polled     for every message, since a poller
 *   the wait queue                          may be edge-triggered
 *   owner with SIGIO        SOCK_FASYNC     for every message
 *
 * A waiter announces itself and then looks for data. A sender stores the data
 * and then looks for an announcement. Each has a full barrier between its two
 * steps, so that no wake-up is lost.
 *
 * Waking a thread on another CPU takes far longer than sending a short answer.
 * So a reader that finds no data busy-polls for a while before it sleeps. It
 * does so only if earlier data came soon enough, and while no other task wants
 * its CPU. The time limit adapts itself, as in KVM's halt polling, and is
 * net.altconn.busy_poll_us at most.
 */
#ifndef _ALTCONN_WAIT_H
#define _ALTCONN_WAIT_H

#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include "altconn.h"
#include "netns.h"
#include "sock.h"

/* The first nonzero busy-poll budget, ns. */
#define ALTCONN_BUSY_POLL_FIRST_NS	10000U

/**
 * altconn_wait_wake_reader() - wake the threads that wait for data of an
 *	endpoint
 * @sk: the endpoint, in whose queue or ring the data is already; pinned
 *
 * Context: any. The caller has a full barrier between storing the data and this
 * call. It pairs with the barriers between announcement and check for data in
 * altconn_wait_readable() and altconn_wait_announce().
 */
static inline void altconn_wait_wake_reader(struct sock *sk)
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
 * altconn_wait_announce() - announce that threads in the wait queue wait for
 * data
 * @sk: the endpoint
 *
 * The announcement stays for the endpoint's lifetime. The caller looks for data
 * after this call.
 *
 * Context: any.
 */
static inline void altconn_wait_announce(struct sock *sk)
{
	WRITE_ONCE(altconn_sk(sk)->polled, true);
	/*
	 * Store @polled, then check for data. A sender stores the data, then
	 * loads @polled in altconn_wait_wake_reader().
	 */
	smp_mb();
}

/**
 * altconn_wait_until() - sleep in the wait queue until a condition holds
 * @sk: the endpoint
 * @timeo: the longest time to sleep, in jiffies; gets the time that is left
 * @ready: returns whether the condition holds. If a waker looks for an
 *	announcement first, @ready announces the wait before it looks
 * @arg: argument of @ready
 *
 * There is no full barrier between entering the wait queue and the first call
 * of @ready. So each @ready has one before it looks, as the announcements do.
 *
 * Context: process, sleeps.
 * Return: 0 if the condition holds; -EAGAIN if the time is over; -EINTR or
 * -ERESTARTSYS if a signal is pending.
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

/* Return the longest time for which a reader may busy-poll, in nanoseconds. */
static inline u32 altconn_wait_busy_poll_max(const struct sock *sk)
{
	return READ_ONCE(altconn_pernet(sock_net(sk))->busy_poll_us) *
	       NSEC_PER_USEC;
}

/*
 * Busy-poll until @ready returns true, but not longer than busy_poll_ns after
 * @begun (local_clock()), and not while another task wants the CPU. Subtract
 * the jiffies that have passed from *@timeo. Return whether @ready returned
 * true.
 */
static __always_inline bool
altconn_wait_busy_loop(struct sock *sk, u64 begun, long *timeo,
		       bool (*ready)(struct sock *sk, const void *arg),
		       const void *arg)
{
	u32 ns = altconn_sk(sk)->busy_poll_ns;
	unsigned long since = jiffies;
	bool found = false;

	if (!ns || !single_task_running())
		return false;
	ns = min(ns, altconn_wait_busy_poll_max(sk));
	while (!found && single_task_running() && !need_resched() &&
	       !signal_pending(current) && local_clock() - begun < ns) {
		found = ready(sk, arg);
		cpu_relax();
	}
	if (*timeo != MAX_SCHEDULE_TIMEOUT)
		*timeo -= min_t(unsigned long, *timeo, jiffies - since);
	return found;
}

/*
 * Adapt the budget after a busy-poll has found no data, and the data came
 * @waited ns after the wait had begun:
 *
 *   @waited <= budget   no change
 *   @waited <= limit    twice the budget, from ALTCONN_BUSY_POLL_FIRST_NS up to
 *                       the limit
 *   @waited > limit     0, which is no busy-polling
 */
static inline void altconn_wait_busy_poll_adapt(struct sock *sk, u64 waited)
{
	u32 ns = altconn_sk(sk)->busy_poll_ns, max;

	if (waited <= ns)
		return;
	max = altconn_wait_busy_poll_max(sk);
	if (waited > max)
		ns = 0;
	else
		ns = min(max, max(2 * ns, ALTCONN_BUSY_POLL_FIRST_NS));
	altconn_sk(sk)->busy_poll_ns = ns;
}

/**
 * altconn_wait_readable() - sleep until there is something to read
 * @sk: the endpoint
 * @timeo: the longest time to sleep, in jiffies; gets the time that is left
 * @ready: returns whether there is data, an error or the end of the data
 * @announce: calls altconn_wait_announce(), then returns what @ready returns
 * @arg: argument of @ready and @announce
 *
 * The first thread sleeps in the rcuwait and uses @ready. Further threads sleep
 * in the wait queue and use @announce.
 *
 * Context: process, sleeps.
 * Return: 0 if there is something to read; -EAGAIN if the time is over; -EINTR
 * or -ERESTARTSYS if a signal is pending.
 */
static __always_inline int
altconn_wait_readable(struct sock *sk, long *timeo,
		      bool (*ready)(struct sock *sk, const void *arg),
		      bool (*announce)(struct sock *sk, const void *arg),
		      const void *arg)
{
	struct altconn_sock *ask = altconn_sk(sk);
	/* On a single CPU no sender can run while the reader busy-polls. */
	bool spins = num_online_cpus() > 1;
	u64 begun = 0;
	int err = 0;

	if (!*timeo)
		return -EAGAIN;
	if (atomic_cmpxchg_acquire(&ask->reader_claimed, 0, 1))
		return altconn_wait_until(sk, timeo, announce, arg);
	if (spins) {
		begun = local_clock();
		if (altconn_wait_busy_loop(sk, begun, timeo, ready, arg))
			goto out;
	}
	prepare_to_rcuwait(&ask->reader);
	for (;;) {
		/*
		 * A waker may clear want_data late, for data that has been read
		 * by now. It then wakes this thread. The task state is set
		 * before want_data, so the wake-up is not lost, and the thread
		 * sets want_data again.
		 */
		set_current_state(TASK_INTERRUPTIBLE);
		WRITE_ONCE(ask->want_data, true);
		/*
		 * Store want_data, then check for data. A sender stores the
		 * data, then loads want_data in altconn_wait_wake_reader().
		 */
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
		altconn_wait_busy_poll_adapt(sk, local_clock() - begun);
out:
	/*
	 * Pairs with the cmpxchg above: the next owner of ask->reader sees
	 * busy_poll_ns.
	 */
	atomic_set_release(&ask->reader_claimed, 0);
	return err;
}

#endif /* _ALTCONN_WAIT_H */
