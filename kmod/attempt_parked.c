// SPDX-License-Identifier: GPL-2.0
/*
 * Parked attempts, and expired timers. A rule that delays or drops an attempt
 * parks it: the attempt is pending, but neither in an accept queue nor in a
 * waiting room. When the timer of an attempt expires, the attempt fails if its
 * deadline has passed. If only the delay of a parked attempt has ended, the
 * attempt goes on to a listener.
 */

#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_deadline.h"
#include "attempt_enqueue.h"
#include "attempt_parked.h"
#include "event_assoc.h"
#include "listener.h"
#include "payer.h"
#include "stat.h"
#include "trace.h"

/*
 * Put the attempt into an accept queue or a waiting room, as connect() does
 * without a rule. Return 0, in which case the caller's reference has moved, or
 * a negative errno with *@reason set.
 */
static int attempt_resume(struct altconn_assoc *assoc, u32 *reason)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	struct altconn_listener *ln;
	int err;

	do {
		ln = altconn_listener_find(assoc->an->net, assoc->type, addr,
					   reason);
		if (IS_ERR(ln))
			break;
		err = altconn_attempt_enqueue(assoc, ln, reason);
		altconn_listener_put(ln);
		/*
		 * If the listener has closed since the lookup, another one may
		 * serve the address.
		 */
	} while (err && *reason == ALTCONN_REASON_LISTENER_CLOSED);
	if (!IS_ERR(ln))
		return err;
	if (PTR_ERR(ln) != -ECONNREFUSED || !assoc->waits_listener)
		return PTR_ERR(ln);
	return altconn_attempt_enqueue(assoc, NULL, reason);
}

/*
 * Get a reference to the client's endpoint of a pending attempt. Return NULL if
 * the attempt is decided.
 */
static struct sock *attempt_get_client(struct altconn_assoc *assoc)
{
	struct sock *sk = NULL;

	spin_lock(&assoc->lock);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING) {
		sk = assoc->end[ALTCONN_CLIENT].sk;
		sock_hold(sk);
	}
	spin_unlock(&assoc->lock);
	return sk;
}

/* Let a parked attempt go on if its delay has ended. */
static void attempt_resume_delayed(struct altconn_wait *wait)
{
	struct altconn_assoc *assoc = wait->assoc;
	u64 expires = assoc->expires, now = ktime_get_ns();
	struct mem_cgroup *memcg;
	struct sock *sk;
	u32 reason;
	int err;

	if (!wait->parked_until || now < wait->parked_until ||
	    (expires && now >= expires))
		return;
	wait->parked_until = 0;
	sk = attempt_get_client(assoc);
	if (!sk)
		return;
	/* The client pays for the memory that the attempt needs to wait. */
	memcg = set_active_memcg(mem_cgroup_from_sk(sk));
	/* The new reference is for the accept queue or the waiting room. */
	err = attempt_resume(altconn_assoc_get(assoc), &reason);
	set_active_memcg(memcg);
	if (err) {
		altconn_attempt_fail(assoc, -err, reason);
		altconn_assoc_put(assoc);
	}
	sock_put(sk);
}

/* Drop the path if the delay has ended or the attempt is decided. */
static void attempt_drop_path(struct altconn_wait *wait)
{
	struct path path = { .mnt = wait->path.mnt };

	if (!READ_ONCE(wait->path.dentry) ||
	    (wait->parked_until && READ_ONCE(wait->assoc->state) ==
				 ALTCONN_ASSOC_STATE_PENDING))
		return;
	/*
	 * The job may be queued by the deadline and by the end of the delay,
	 * and two threads may run it at once. xchg() lets only one of them drop
	 * the path.
	 */
	path.dentry = xchg(&wait->path.dentry, NULL);
	if (path.dentry)
		path_put(&path);
}

/**
 * altconn_attempt_run_timer_job() - act on the expired timer of an attempt
 * @job: the job of the attempt's struct altconn_wait; its reference to the
 *	association is dropped
 *
 * Let the attempt go on if its delay is over, and fail it if its deadline has
 * passed. If the attempt is pending after that, arm the timer again. The tick
 * that drives timers may lag behind the clock and then catch up, so a timer can
 * expire early. A deadline must not, so the clock decides.
 *
 * Context: process, a kernel thread of the payer; may sleep.
 */
void altconn_attempt_run_timer_job(struct altconn_job *job)
{
	struct altconn_wait *wait = container_of(job, struct altconn_wait, job);
	struct altconn_assoc *assoc = wait->assoc;

	attempt_resume_delayed(wait);
	attempt_drop_path(wait);
	if (assoc->expires && ktime_get_ns() >= assoc->expires) {
		altconn_attempt_fail(assoc, ETIMEDOUT, ALTCONN_REASON_DEADLINE);
	} else {
		spin_lock(&assoc->lock);
		if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
			altconn_attempt_start_timer(assoc);
		spin_unlock(&assoc->lock);
	}
	altconn_assoc_put(assoc);
}

/**
 * altconn_attempt_park() - park an attempt, as a rule demands
 * @assoc: the attempt, new
 * @delay_ms: how long to park it, milliseconds; 0 means until its deadline, or
 *	for ever if it has none
 * @path: the socket file of an attempt to a path, looked up, or NULL; a
 *	reference is taken
 * @reason: set to the enum altconn_reason of a failure
 *
 * Context: process, may sleep; altconn_lock() of the client held.
 * Return: 0 if the attempt waits, and then its endpoint is in TCP_SYN_SENT, and
 * the caller's reference has moved to the endpoint. -ENOMEM if memory ran out.
 * -ECONNREFUSED if net.altconn.max_waiting is 0, so no attempt may wait in this
 * namespace. On failure the endpoint is as before, and the caller keeps its
 * reference.
 */
int altconn_attempt_park(struct altconn_assoc *assoc, u32 delay_ms,
			 const struct path *path, u32 *reason)
{
	int err = altconn_attempt_alloc_wait(assoc);

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (err)
		return err;
	assoc->wait->delays = altconn_attempt_payer(assoc, ALTCONN_PAYER_DELAY);
	if (!assoc->wait->delays)
		return -ENOMEM;
	*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (!altconn_attempt_max_waiting(assoc->an))
		return -ECONNREFUSED;
	if (delay_ms)
		assoc->wait->parked_until = ktime_get_ns() +
					  (u64)delay_ms * NSEC_PER_MSEC;
	if (delay_ms && path && path->dentry) {
		assoc->wait->path = *path;
		path_get(&assoc->wait->path);
	}
	assoc->waited = true;
	this_cpu_inc(assoc->an->stat->waited);
	trace_altconn_connect_wait(assoc, 0);
	altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_CONNECT_WAIT, 0);
	spin_lock(&assoc->lock);
	altconn_attempt_publish(assoc);
	altconn_attempt_start_timer(assoc);
	spin_unlock(&assoc->lock);
	altconn_assoc_put(assoc);
	return 0;
}
