// SPDX-License-Identifier: GPL-2.0
/*
 * The timer of an attempt that waits or is parked. The timer expires at the
 * attempt's deadline, or at the end of a rule's delay. It queues a job, which
 * runs altconn_attempt_run_timer_job() of attempt_parked.c.
 */

#include <linux/slab.h>
#include "addr.h"
#include "assoc.h"
#include "attempt_deadline.h"
#include "attempt_parked.h"
#include "payer.h"
#include "room.h"

/*
 * Queue the job of an attempt, with a reference to the attempt, unless it is
 * queued already. The caller has a reference of its own.
 */
static void attempt_queue_job(struct altconn_wait *wait,
			      struct altconn_payer *payer)
{
	altconn_assoc_get(wait->assoc);
	if (!altconn_payer_queue(payer, &wait->job))
		altconn_assoc_put(wait->assoc);
}

/**
 * altconn_attempt_stop_timer() - stop the timer of a decided attempt
 * @assoc: the attempt; the caller has a reference
 *
 * The timer function or the job may run at the same time. The job does not
 * change the result of a decided attempt.
 *
 * Context: process; assoc->lock held.
 */
void altconn_attempt_stop_timer(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;

	if (!wait)
		return;
	/* path_put() may sleep, so the job calls it. */
	if (unlikely(READ_ONCE(wait->path.dentry)))
		attempt_queue_job(wait, wait->delays);
	/*
	 * Drop the reference of the timer. It is not the last one, since the
	 * caller has another.
	 */
	if (timer_delete(&wait->timer))
		altconn_assoc_put(assoc);
}

/**
 * altconn_attempt_start_timer() - arm the timer, or change the time at which it
 *	expires
 * @assoc: the attempt, pending, with @assoc->wait; the caller has a reference
 *
 * The timer expires at the deadline or at the end of a rule's delay, whichever
 * is earlier. It holds a reference to @assoc while it is armed. If the attempt
 * has neither a deadline nor a delay, the timer is not armed.
 *
 * Context: process; assoc->lock held.
 */
void altconn_attempt_start_timer(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;
	u64 now = ktime_get_ns(), when = assoc->expires, ms = 0;

	lockdep_assert_held(&assoc->lock);
	if (wait->parked_until && (!when || wait->parked_until < when))
		when = wait->parked_until;
	if (!when)
		return;
	if (when > now)
		ms = div_u64(when - now, NSEC_PER_MSEC);
	/*
	 * A job that ends a delay may take long, and must not hold up the
	 * deadlines of the same user. So the two have different payers.
	 */
	WRITE_ONCE(wait->payer, when == wait->parked_until ? wait->delays :
							   wait->deadlines);
	altconn_assoc_get(assoc);
	if (mod_timer(&wait->timer, jiffies + msecs_to_jiffies(ms) + 1))
		altconn_assoc_put(assoc);
}

/*
 * The timer function. It runs in softirq context and cannot decide an attempt:
 * the decision takes sk_peer_lock, which the core takes with softirqs enabled.
 * So it queues the job.
 *
 * The timer's reference to the attempt moves to the job. If the job is queued
 * already, it has a reference, so drop the timer's. Only process context may
 * drop the last reference. If the timer's is the last one, the queued job has
 * run since the first try, so try again to queue it.
 */
static void attempt_timer(struct timer_list *timer)
{
	struct altconn_wait *wait = timer_container_of(wait, timer, timer);

	while (!altconn_payer_queue(READ_ONCE(wait->payer), &wait->job))
		if (refcount_dec_not_one(&wait->assoc->refs))
			break;
}

/**
 * altconn_attempt_payer() - get the payer for the jobs of an attempt
 * @assoc: the attempt
 * @kind: kind of the jobs
 *
 * Context: process, may sleep.
 * Return: the payer of the client's user, which stays until the module is
 * unloaded; NULL if memory runs out.
 */
struct altconn_payer *altconn_attempt_payer(const struct altconn_assoc *assoc,
					    enum altconn_payer_kind kind)
{
	return altconn_payer_get(kind, altconn_payer_key(assoc->cred));
}

/**
 * altconn_attempt_alloc_wait() - allocate the struct altconn_wait of an attempt
 * @assoc: the attempt; nothing is done if it has the struct already
 *
 * Context: process, may sleep.
 * Return: 0 if @assoc->wait is set, which the association owns, or -ENOMEM.
 */
int altconn_attempt_alloc_wait(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait;

	if (assoc->wait)
		return 0;
	wait = kzalloc(sizeof(*wait), GFP_KERNEL_ACCOUNT);
	if (!wait)
		return -ENOMEM;
	wait->deadlines = altconn_attempt_payer(assoc, ALTCONN_PAYER_DEADLINE);
	if (!wait->deadlines) {
		kfree(wait);
		return -ENOMEM;
	}
	timer_setup(&wait->timer, attempt_timer, 0);
	altconn_job_init(&wait->job, altconn_attempt_run_timer_job);
	wait->assoc = assoc;
	if (assoc->end[ALTCONN_SERVER].addr->xns)
		wait->fifo = ALTCONN_FIFO_XNS;
	else if (assoc->waits_listener)
		wait->fifo = ALTCONN_FIFO_KEPT;
	/*
	 * Store the members of *wait, then assoc->wait. Pairs with
	 * smp_load_acquire() in attempt_room(), which runs for attempts that a
	 * walk of the registry finds.
	 */
	smp_store_release(&assoc->wait, wait);
	return 0;
}
