// SPDX-License-Identifier: GPL-2.0
/*
 * Attempts that a rule holds before they may enter, and what happens when a timer
 * of an attempt has expired: the attempt times out, or goes on to its listener.
 */

#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_deadline.h"
#include "attempt_enter.h"
#include "attempt_parked.h"
#include "event_assoc.h"
#include "listener.h"
#include "payer.h"
#include "stat.h"
#include "trace.h"

/* Go on to a listener that listens now, as connect() would. */
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
		err = altconn_attempt_enter(assoc, ln, reason);
		altconn_listener_put(ln);
		/* It closed meanwhile: another one may share its address. */
	} while (err && *reason == ALTCONN_REASON_LISTENER_CLOSED);
	if (!IS_ERR(ln))
		return err;
	if (PTR_ERR(ln) != -ECONNREFUSED || !assoc->waits_listener)
		return PTR_ERR(ln);
	return altconn_attempt_enter(assoc, NULL, reason);
}

/* The client's endpoint of a pending attempt, a reference; NULL: it is decided. */
static struct sock *attempt_hold_client(struct altconn_assoc *assoc)
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

/* The time for which a rule held the attempt may be over. */
static void attempt_end_hold(struct altconn_wait *wait)
{
	struct altconn_assoc *assoc = wait->assoc;
	u64 expires = assoc->expires, now = ktime_get_ns();
	struct mem_cgroup *memcg;
	struct sock *sk;
	u32 reason;
	int err;

	if (!wait->held_until || now < wait->held_until ||
	    (expires && now >= expires))
		return;
	wait->held_until = 0;
	sk = attempt_hold_client(assoc);
	if (!sk)
		return;
	/* What the attempt needs to wait on is charged to its client. */
	memcg = set_active_memcg(mem_cgroup_from_sk(sk));
	/* The queue's, if the attempt enters one. */
	err = attempt_resume(altconn_assoc_get(assoc), &reason);
	set_active_memcg(memcg);
	if (err) {
		altconn_attempt_fail(assoc, -err, reason);
		altconn_assoc_put(assoc);
	}
	sock_put(sk);
}

/* Drop the held path once the hold is over, or the attempt is decided. */
static void attempt_drop_path(struct altconn_wait *wait)
{
	struct path path = { .mnt = wait->path.mnt };

	if (!READ_ONCE(wait->path.dentry) ||
	    (wait->held_until && READ_ONCE(wait->assoc->state) ==
				 ALTCONN_ASSOC_STATE_PENDING))
		return;
	/* The job may run for both payers at a time. */
	path.dentry = xchg(&wait->path.dentry, NULL);
	if (path.dentry)
		path_put(&path);
}

/*
 * An attempt's deadline may have passed, or the time for which a rule holds it.
 *
 * The tick that drives timers may lag behind the clock and then catch up, so
 * a timer can be early. A deadline is not: then the timer starts again.
 */
void altconn_attempt_run(struct altconn_job *job)
{
	struct altconn_wait *wait = container_of(job, struct altconn_wait, job);
	struct altconn_assoc *assoc = wait->assoc;

	attempt_end_hold(wait);
	attempt_drop_path(wait);
	if (assoc->expires && ktime_get_ns() >= assoc->expires) {
		altconn_attempt_fail(assoc, ETIMEDOUT, ALTCONN_REASON_DEADLINE);
	} else {
		spin_lock(&assoc->lock);
		if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
			altconn_attempt_arm(assoc);
		spin_unlock(&assoc->lock);
	}
	altconn_assoc_put(assoc);
}

/**
 * altconn_attempt_hold() - a rule holds an attempt
 * @assoc: the attempt, new; on success the caller's reference is the endpoint's
 * @delay_ms: until the attempt goes on, milliseconds; 0: it does not
 * @path: a path's socket file, looked up, or NULL; a reference is taken
 * @reason: why not
 *
 * Context: process, may sleep; lock_sock() of the client held.
 * Return: 0: the attempt waits; -ENOMEM; -ECONNREFUSED: no attempt may wait in
 * this namespace. On failure the endpoint is as it was.
 */
int altconn_attempt_hold(struct altconn_assoc *assoc, u32 delay_ms,
			 const struct path *path, u32 *reason)
{
	int err = altconn_attempt_make_wait(assoc);

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
		assoc->wait->held_until = ktime_get_ns() +
					  (u64)delay_ms * NSEC_PER_MSEC;
	if (delay_ms && path && path->dentry) {
		assoc->wait->path = *path;
		path_get(&assoc->wait->path);
	}
	assoc->waited = true;
	this_cpu_inc(assoc->an->stat->waited);
	trace_altconn_connect_wait(assoc, 0);
	altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CONNECT_WAIT, 0);
	spin_lock(&assoc->lock);
	altconn_attempt_publish(assoc);
	altconn_attempt_arm(assoc);
	spin_unlock(&assoc->lock);
	altconn_assoc_put(assoc);
	return 0;
}
