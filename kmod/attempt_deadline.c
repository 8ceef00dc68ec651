// SPDX-License-Identifier: GPL-2.0
/*
 * The timer of an attempt that waits. It expires at the attempt's deadline, or
 * at the end of the delay that a rule has set.
 */

#include <linux/slab.h>
#include "addr.h"
#include "assoc.h"
#include "attempt_deadline.h"
#include "attempt_parked.h"
#include "payer.h"
#include "room.h"

/* Queue the job. It holds a reference to the attempt while it is queued. */
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
 * The timer or its job may run at the same time. The job leaves the result of a
 * decided attempt alone.
 *
 * Context: process; assoc->lock held.
 */
void altconn_attempt_stop_timer(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;

	if (!wait)
		return;
	/* Dropping the path may sleep, so the job drops it. */
	if (unlikely(READ_ONCE(wait->path.dentry)))
		attempt_queue_job(wait, wait->delays);
	/* The caller has a reference, so the timer's is not the last one. */
	if (timer_delete(&wait->timer))
		altconn_assoc_put(assoc);
}

/**
 * altconn_attempt_start_timer() - start the timer, or set it anew
 * @assoc: the attempt, pending, with assoc->wait; the caller has a reference
 *
 * The timer expires at the deadline or at the end of a rule's delay, whichever
 * is earlier. It holds a reference to @assoc while it is armed.
 *
 * Context: process; assoc->lock held.
 * Return: true if the timer is armed, false if the attempt has neither a
 * deadline nor a delay.
 */
bool altconn_attempt_start_timer(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;
	u64 now = ktime_get_ns(), when = assoc->expires, ms = 0;

	lockdep_assert_held(&assoc->lock);
	if (wait->parked_until && (!when || wait->parked_until < when))
		when = wait->parked_until;
	if (!when)
		return false;
	if (when > now)
		ms = div_u64(when - now, NSEC_PER_MSEC);
	/*
	 * The end of a delay may take long, and must not hold up the deadlines
	 * of the same user. So the job is charged to another payer then.
	 */
	WRITE_ONCE(wait->payer, when == wait->parked_until ? wait->delays :
							   wait->deadlines);
	altconn_assoc_get(assoc);
	if (mod_timer(&wait->timer, jiffies + msecs_to_jiffies(ms) + 1))
		altconn_assoc_put(assoc);
	return true;
}

/*
 * Queue the job. The timer itself runs in softirq context and cannot decide an
 * attempt: the decision takes sk_peer_lock, which the core takes with softirqs
 * enabled, so no lock of the decision may be taken in a softirq.
 *
 * The timer's reference moves to the job. A job that is queued already has a
 * reference, so the timer drops its own. If that turns out to be the last one,
 * the job has run in the meantime. The last reference must be dropped in
 * process context, so the job is queued once more to do that.
 */
static void attempt_timer(struct timer_list *timer)
{
	struct altconn_wait *wait = timer_container_of(wait, timer, timer);

	while (!altconn_payer_queue(READ_ONCE(wait->payer), &wait->job))
		if (refcount_dec_not_one(&wait->assoc->refs))
			break;
}

/**
 * altconn_attempt_payer() - get the payer for jobs of an attempt
 * @assoc: the attempt
 * @kind: kind of job
 *
 * Context: process, may sleep.
 * Return: the payer of the caller of connect(), which stays until the module is
 * unloaded; NULL if memory ran out.
 */
struct altconn_payer *altconn_attempt_payer(const struct altconn_assoc *assoc,
					    enum altconn_payer_kind kind)
{
	return altconn_payer_get(kind, altconn_payer_key(assoc->cred));
}

/**
 * altconn_attempt_alloc_wait() - allocate what an attempt needs to wait
 * @assoc: the attempt; may have it already
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM. The association owns assoc->wait.
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
	 * Pairs with attempt_room(): walks of the registry find the attempt,
	 * and look at its wait.
	 */
	smp_store_release(&assoc->wait, wait);
	return 0;
}
