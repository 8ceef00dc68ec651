// SPDX-License-Identifier: GPL-2.0
/*
 * The timer of an attempt that waits: its deadline, or the end of the delay that
 * a rule gave it.
 */

#include <linux/slab.h>
#include "addr.h"
#include "assoc.h"
#include "attempt_deadline.h"
#include "attempt_parked.h"
#include "payer.h"
#include "room.h"

static void attempt_queue_job(struct altconn_wait *wait,
			      struct altconn_payer *payer)
{
	altconn_assoc_get(wait->assoc);
	if (!altconn_payer_queue(payer, &wait->job))
		altconn_assoc_put(wait->assoc);
}

void altconn_attempt_disarm(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;

	if (!wait)
		return;
	/* The job lets go of the path now: that may sleep. */
	if (unlikely(READ_ONCE(wait->path.dentry)))
		attempt_queue_job(wait, wait->delays);
	/* A job that is queued finds the attempt decided. */
	if (timer_delete(&wait->timer))
		altconn_assoc_put(assoc);
}

/*
 * (Re)start the timer, which holds a reference, for what comes first. False:
 * nothing does. assoc->lock held.
 */
bool altconn_attempt_arm(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;
	u64 now = ktime_get_ns(), when = assoc->expires, ms = 0;

	lockdep_assert_held(&assoc->lock);
	if (wait->held_until && (!when || wait->held_until < when))
		when = wait->held_until;
	if (!when)
		return false;
	if (when > now)
		ms = div_u64(when - now, NSEC_PER_MSEC);
	/* The end of a delay may take long, a deadline does not. */
	WRITE_ONCE(wait->payer, when == wait->held_until ? wait->delays :
							   wait->deadlines);
	altconn_assoc_get(assoc);
	if (mod_timer(&wait->timer, jiffies + msecs_to_jiffies(ms) + 1))
		altconn_assoc_put(assoc);
	return true;
}

/*
 * The timer only asks for the job, which runs in process context: no lock of the
 * decision is a softirq's, since it takes sk_peer_lock, which the core takes with
 * softirqs on. The timer's reference becomes the job's. A job that is queued has one
 * already; if the timer's is the last the job has run meanwhile, and runs once more to
 * drop it.
 */
static void attempt_timer(struct timer_list *timer)
{
	struct altconn_wait *wait = timer_container_of(wait, timer, timer);

	while (!altconn_payer_queue(READ_ONCE(wait->payer), &wait->job))
		if (refcount_dec_not_one(&wait->assoc->refs))
			break;
}

struct altconn_payer *altconn_attempt_payer(const struct altconn_assoc *assoc,
					    enum altconn_payer_kind kind)
{
	return altconn_payer_get(kind, altconn_payer_key(assoc->cred));
}

int altconn_attempt_make_wait(struct altconn_assoc *assoc)
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
	altconn_job_init(&wait->job, altconn_attempt_run);
	wait->assoc = assoc;
	if (assoc->end[ALTCONN_SERVER].addr->far)
		wait->fifo = ALTCONN_FIFO_FAR;
	else if (assoc->waits_listener)
		wait->fifo = ALTCONN_FIFO_PATIENT;
	/* Pairs with walks of the registry, which the attempt is in. */
	smp_store_release(&assoc->wait, wait);
	return 0;
}
