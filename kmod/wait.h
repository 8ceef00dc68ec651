/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Readers sleep and are woken with the functions of this file.
 *
 * Mostly one thread sleeps on a socket until there is something to read. The
 * first thread takes the socket's rcuwait, which costs a third of a wait queue.
 * Further threads use the wait queue. The thread in the rcuwait is woken once,
 * and not again for each message until it runs. A poller may be edge-triggered,
 * so it is woken for all data, as on any socket. An owner that wants signals
 * gets them for all data, too.
 *
 * To wake a thread on another CPU takes far longer than a short answer does. So
 * a reader that finds nothing busy-polls for a while before it sleeps. The
 * reader does so only if earlier data came quickly enough, and if no other task
 * wants its CPU. The time adapts itself, as in KVM's halt polling, and is
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

#define ALTCONN_BUSY_POLL_FIRST_NS	10000U

/**
 * altconn_wake_reader() - wake the readers and pollers of an endpoint
 * @sk: the endpoint, which has the data already; pinned
 *
 * Context: any. The caller has a full barrier between storing the data and this
 * call. That barrier pairs with those of altconn_wait_readable() and
 * altconn_wait_announce().
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
 * altconn_wait_announce() - announce that the wait queue has waiters for data
 * @sk: the endpoint
 *
 * The announcement is never withdrawn. The caller looks for data afterwards.
 *
 * Context: any.
 */
static inline void altconn_wait_announce(struct sock *sk)
{
	WRITE_ONCE(altconn_sk(sk)->polled, true);
	/* Pairs with altconn_wake_reader(). */
	smp_mb();
}

/**
 * altconn_wait_until() - sleep in the wait queue until a condition holds
 * @sk: the endpoint
 * @timeo: the longest time to sleep, in jiffies; gets the time that is left
 * @ready: returns whether the condition holds; first announces what the caller
 *	waits for
 * @arg: argument of @ready
 *
 * Context: process, sleeps.
 * Return: 0: the condition holds; -EAGAIN: the time is over; -EINTR or
 * -ERESTARTSYS: a signal is pending.
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
static inline u32 altconn_busy_poll_max(const struct sock *sk)
{
	return READ_ONCE(altconn_pernet(sock_net(sk))->busy_poll_us) *
	       NSEC_PER_USEC;
}

/*
 * Busy-poll for as long as the budget in @busy_poll_ns allows, counted from @begun
 * in nanoseconds. Take the jiffies that pass from *@timeo. Return whether
 * @ready returned true.
 */
static __always_inline bool
altconn_busy_loop(struct sock *sk, u64 begun, long *timeo,
		  bool (*ready)(struct sock *sk, const void *arg), const void *arg)
{
	u32 ns = altconn_sk(sk)->busy_poll_ns;
	unsigned long since = jiffies;
	bool found = false;

	if (!ns || !single_task_running())
		return false;
	ns = min(ns, altconn_busy_poll_max(sk));
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
 * Adapt the busy-poll budget to data that came after @waited nanoseconds. The
 * budget grows if a longer busy-poll, within the limit, would have found the
 * data. The budget becomes 0 if the data took longer than the limit.
 */
static inline void altconn_busy_poll_adapt(struct sock *sk, u64 waited)
{
	u32 ns = altconn_sk(sk)->busy_poll_ns, max;

	if (waited <= ns)
		return;
	max = altconn_busy_poll_max(sk);
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
 * @announce: like @ready, for the wait queue; calls altconn_wait_announce()
 *	first
 * @arg: argument of @ready and @announce
 *
 * Context: process, sleeps.
 * Return: 0: there is something to read; -EAGAIN: the time is over; -EINTR or
 * -ERESTARTSYS: a signal is pending.
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
		if (altconn_busy_loop(sk, begun, timeo, ready, arg))
			goto out;
	}
	prepare_to_rcuwait(&ask->reader);
	for (;;) {
		/*
		 * The task state is set before the announcement. A waker may
		 * clear the announcement late, for data that is read by now. It
		 * then wakes the thread that sleeps here, which announces
		 * itself again.
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
		altconn_busy_poll_adapt(sk, local_clock() - begun);
out:
	/* Pairs with the cmpxchg above: the next thread sees @busy_poll_ns. */
	atomic_set_release(&ask->reader_claimed, 0);
	return err;
}

#endif /* _ALTCONN_WAIT_H */
