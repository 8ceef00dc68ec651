// SPDX-License-Identifier: GPL-2.0
/*
 * This file puts an attempt into an accept queue that has space, or into the
 * waiting room of its address. An attempt beyond a limit of the listener, of
 * the namespace or of the user is refused.
 */

#include <linux/slab.h>
#include "account.h"
#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_deadline.h"
#include "attempt_enqueue.h"
#include "attempt_listener.h"
#include "event_assoc.h"
#include "listener.h"
#include "netns.h"
#include "payer.h"
#include "room.h"
#include "room_queue.h"
#include "stat.h"
#include "trace.h"
#include "xns.h"

/**
 * altconn_attempt_max_waiting() - get a namespace's limit of waiting attempts
 * @an: the namespace
 *
 * Context: any.
 * Return: the number of attempts that may wait at one address or for one
 * listener.
 */
u32 altconn_attempt_max_waiting(const struct altconn_net *an)
{
	/* The limit of the initial namespace is an upper bound for all. */
	return min(READ_ONCE(an->max_waiting),
		   READ_ONCE(altconn_initial_net->max_waiting));
}

/*
 * Check whether the listener's namespace admits one more association from
 * another namespace. Return the enum altconn_reason of a refusal, or 0. The
 * client's namespace counts the associations that begin there, and the
 * listener's namespace counts its inbound ones.
 */
static u32 attempt_check_inbound(const struct altconn_assoc *assoc,
				 const struct altconn_listener *ln)
{
	struct altconn_net *an;

	if (likely(ln->net == assoc->an->net))
		return 0;
	an = altconn_pernet(ln->net);
	if (percpu_counter_compare(&an->n_inbound,
				   altconn_account_net_max(an)) >= 0)
		return ALTCONN_REASON_TABLE_FULL;
	return 0;
}

/*
 * Check whether @ln admits the attempt to its accept queue or to its waiting
 * room. Return 0, or -ECONNREFUSED with *@reason set. @ln's lock is held.
 */
static int attempt_check_listener(const struct altconn_assoc *assoc,
				  struct altconn_listener *ln, u32 *reason)
{
	lockdep_assert_held(&ln->lock);
	*reason = ALTCONN_REASON_LISTENER_CLOSED;
	if (ln->closed)
		return -ECONNREFUSED;
	*reason = attempt_check_inbound(assoc, ln);
	if (ln->fail_fast && !ln->defer && !altconn_listener_has_space(ln))
		*reason = ALTCONN_REASON_BACKLOG_FULL;
	if (!*reason)
		return 0;
	ln->outcomes[*reason]++;
	return -ECONNREFUSED;
}

/*
 * Establish the attempt at once if the accept queue has space and no other
 * attempt waits for the listener. Return 0 on success, in which case the
 * caller's reference has moved to the queue; -EAGAIN if the attempt has to
 * wait; or -ECONNREFUSED with *@reason set.
 */
static int attempt_try_establish(struct altconn_assoc *assoc,
				 struct altconn_listener *ln,
				 struct altconn_xns **xns, u32 *reason)
{
	struct sock *sk;
	bool done;
	int err;

	spin_lock(&ln->lock);
	err = attempt_check_listener(assoc, ln, reason);
	if (!err && (ln->has_waiting || !altconn_listener_has_space(ln)))
		err = -EAGAIN;
	if (err) {
		spin_unlock(&ln->lock);
		return err;
	}
	done = altconn_attempt_establish(assoc, ln, xns);
	sk = ln->sk;
	/*
	 * The listener cannot close while it is locked. The RCU read section
	 * begins before the unlock, so the endpoint is not freed before its
	 * accepters are woken.
	 */
	rcu_read_lock();
	spin_unlock(&ln->lock);
	if (likely(done))
		altconn_attempt_wake_accepters(sk, 1);
	rcu_read_unlock();
	altconn_attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
	/* Only a parked attempt can be decided before it gets here. */
	if (unlikely(!done))
		altconn_assoc_put(assoc);
	return 0;
}

/*
 * Check whether the attempt exceeds net.altconn.max_waiting if @waiting
 * attempts wait at its address or for its listener. One user may use half of
 * the limit, rounded up, so that attempts of other users find space. Store the
 * user's key in assoc->wait. The room's lock is held. If @ln is not NULL, it
 * has not closed, and its lock is held.
 */
static bool attempt_waiting_is_full(struct altconn_assoc *assoc,
				    const struct altconn_room *room,
				    const struct altconn_listener *ln,
				    u32 waiting)
{
	const struct net *net = ln ? ln->net : assoc->an->net;
	u32 most = altconn_attempt_max_waiting(assoc->an);

	if (unlikely(net != assoc->an->net))
		most = min(most,
			   altconn_attempt_max_waiting(altconn_pernet(net)));
	assoc->wait->user = altconn_payer_key_in(assoc->cred, net->user_ns);
	return waiting >= most ||
	       altconn_share_nr_waiting(room, assoc->wait->user) >=
		       most - most / 2;
}

/*
 * Check whether the attempt may wait in the room. Return 0, or -ECONNREFUSED
 * with *@reason set. The room's lock is held.
 */
static int attempt_check_waiting(struct altconn_assoc *assoc,
				 struct altconn_room *room,
				 struct altconn_listener *ln, u32 *reason)
{
	const struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	const struct altconn_lane *lane = altconn_lane_find(room, addr);
	u32 waiting = lane ? lane->waiting : 0;
	int err = 0;

	*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (!ln)
		return attempt_waiting_is_full(assoc, room, NULL, waiting) ?
		       -ECONNREFUSED : 0;
	spin_lock(&ln->lock);
	err = attempt_check_listener(assoc, ln, reason);
	if (err)
		goto out;
	waiting = max(waiting, altconn_room_nr_waiting(room, ln));
	if (ln->fail_fast && ln->defer && waiting > ln->backlog)
		*reason = ALTCONN_REASON_BACKLOG_FULL;
	else if (attempt_waiting_is_full(assoc, room, ln, waiting))
		*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (*reason) {
		ln->outcomes[*reason]++;
		err = -ECONNREFUSED;
	}
out:
	spin_unlock(&ln->lock);
	return err;
}

/*
 * Count the waiting attempt at the listener, and show the listener as the
 * server's end of the association.
 */
static void attempt_set_server(struct altconn_assoc *assoc,
			       struct altconn_listener *ln)
{
	spin_lock(&ln->lock);
	ln->waited++;
	spin_lock(&assoc->lock);
	altconn_assoc_set_server(assoc, ln);
	spin_unlock(&assoc->lock);
	spin_unlock(&ln->lock);
}

/*
 * Begin the wait of an attempt that is in its lane: count and report the wait,
 * and arm the deadline. The room's lock is held.
 */
static void attempt_begin_wait(struct altconn_assoc *assoc,
			       struct altconn_room *room,
			       struct altconn_listener *ln)
{
	u32 position = altconn_room_position(room, assoc->wait);

	if (ln)
		attempt_set_server(assoc, ln);
	/* An attempt that was parked before has been counted already. */
	if (!assoc->waited)
		this_cpu_inc(assoc->an->stat->waited);
	assoc->waited = true;
	trace_altconn_connect_wait(assoc, position);
	altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_CONNECT_WAIT,
				   position);
	spin_lock(&assoc->lock);
	altconn_attempt_start_timer(assoc);
	spin_unlock(&assoc->lock);
}

/*
 * Memory for a lane and a share, in case the room has none for the address and
 * the user of an attempt. The memory is allocated before the room is locked.
 */
struct attempt_spare {
	struct altconn_lane	*lane;
	struct altconn_share	*share;
};

/* Return false if memory runs out. The caller frees @spare in any case. */
static bool attempt_spare_init(struct attempt_spare *spare)
{
	spare->lane = altconn_lane_new();
	spare->share = altconn_share_new();
	return spare->lane && spare->share;
}

static void attempt_spare_free(struct attempt_spare *spare)
{
	kfree(spare->lane);
	kfree(spare->share);
}

/*
 * Put the attempt into the lane of its address, and return true. Return false
 * if the attempt was decided before, as a parked attempt may be. On success the
 * caller's reference moves to the room. The room's lock is held.
 */
static bool attempt_enqueue_lane(struct altconn_assoc *assoc,
				 struct altconn_room *room,
				 struct altconn_listener *ln,
				 struct altconn_xns **xns,
				 struct attempt_spare *spare)
{
	const struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	struct altconn_wait *wait = assoc->wait;
	bool pending;

	spin_lock(&assoc->lock);
	altconn_attempt_publish_and_link(assoc, ln, xns);
	pending = assoc->state == ALTCONN_ASSOC_STATE_PENDING;
	if (pending) {
		refcount_inc(&room->refs);
		/* Pairs with attempt_room(): the attempt has a reference. */
		smp_store_release(&wait->room, room);
	}
	spin_unlock(&assoc->lock);
	if (pending)
		altconn_room_enqueue(room,
				     altconn_lane_find_or_add(room, addr,
							      &spare->lane),
				     altconn_share_find_or_add(room, wait->user,
							       &spare->share),
				     wait);
	return pending;
}

/*
 * A listener may have got space before the attempt got into its lane, so
 * promote waiting attempts first. If the attempt is not promoted itself, begin
 * its wait. Return true if the attempt waits and a listener may still have
 * space. In that case the caller promotes further attempts. The room's lock is
 * held.
 */
static bool attempt_promote_or_wait(struct altconn_assoc *assoc,
				    struct altconn_room *room,
				    struct altconn_listener *ln,
				    struct attempt_batch *batch)
{
	struct altconn_wait *wait = assoc->wait;
	/*
	 * The list @avail of a group can begin with listeners that have no
	 * space. Do not try more of them than this for one attempt.
	 */
	unsigned int tries = ATTEMPT_BATCH;
	struct altconn_listener *avail;
	struct altconn_serving s;

	/* A batch wakes the accepters of one listener, so stop after one. */
	do {
		s = altconn_room_serving(room, wait->lane,
					 wait->fifo == ALTCONN_FIFO_XNS);
		avail = altconn_attempt_find_avail(room, &s);
		if (avail)
			altconn_attempt_promote_batch(room, avail, batch);
	} while (avail && wait->lane && !batch->accept_sk && --tries);
	if (!wait->lane)
		return false;
	attempt_begin_wait(assoc, room, ln);
	altconn_attempt_find_deferring(room, &s, false, batch);
	return avail;
}

/*
 * Lock the waiting room of the attempt's address. Return the room with a
 * reference, or ERR_PTR(-ENOMEM).
 */
static struct altconn_room *attempt_lock_room(struct altconn_assoc *assoc,
					      struct altconn_listener *ln)
{
	if (!ln)
		return altconn_room_get_locked(assoc->an->net, assoc->type,
					       assoc->end[ALTCONN_SERVER].addr);
	refcount_inc(&ln->room->refs);
	altconn_room_lock(ln->room);
	return ln->room;
}

/*
 * Let the attempt wait in the room of its address. @ln is a listener that
 * serves the attempt. If @ln is NULL, the attempt waits until a listener opens.
 * Return 0 on success, in which case the caller's reference has moved, or
 * -ECONNREFUSED or -ENOMEM with *@reason set.
 */
static int attempt_enqueue_waiting(struct altconn_assoc *assoc,
				   struct altconn_listener *ln,
				   struct altconn_xns **xns, u32 *reason)
{
	const struct altconn_addr *server = assoc->end[ALTCONN_SERVER].addr;
	struct attempt_batch batch;
	struct attempt_spare spare;
	struct altconn_room *room;
	bool more = false;
	int err = -ENOMEM;

	altconn_attempt_batch_init(&batch);
	*reason = ALTCONN_REASON_NO_MEMORY;
	if (!attempt_spare_init(&spare) || altconn_attempt_alloc_wait(assoc))
		goto out;
	room = attempt_lock_room(assoc, ln);
	if (IS_ERR(room))
		goto out;
	err = attempt_check_waiting(assoc, room, ln, reason);
	if (err)
		goto out_unlock;
	if (attempt_enqueue_lane(assoc, room, ln, xns, &spare))
		more = attempt_promote_or_wait(assoc, room, ln, &batch);
	else
		altconn_attempt_batch_add(&batch, assoc->wait);
out_unlock:
	altconn_attempt_batch_unlock_and_wake(&batch, room);
	/*
	 * The locked endpoint, or the job that ends a delay, also has a
	 * reference to the attempt, so the attempt and @server stay valid.
	 */
	if (more)
		altconn_attempt_promote_or_refuse(room, server);
	altconn_room_put(room);
out:
	attempt_spare_free(&spare);
	return err;
}

/**
 * altconn_attempt_enqueue() - put an attempt into an accept queue or waiting
 * room
 * @assoc: the attempt, which is new or was parked until now
 * @ln: a listener that serves the attempt, or NULL to wait until a listener
 *	opens (ALTCONN_WAIT_LISTENER)
 * @reason: set to the enum altconn_reason of a failure
 *
 * An accept queue with space takes the attempt at once, which establishes it.
 * Otherwise the attempt waits.
 *
 * Context: process, may sleep; altconn_lock() of the client held if the attempt
 * is new.
 * Return: 0 if the attempt waits or is decided, and the caller's reference has
 * moved to the queue or room. -ECONNREFUSED if the listener has closed, its
 * backlog is full and it fails fast, too many attempts wait, or the listener's
 * namespace admits no more associations of the user or of other namespaces.
 * -ENOMEM if memory ran out. On failure the endpoint is as before, and the
 * caller keeps its reference.
 */
int altconn_attempt_enqueue(struct altconn_assoc *assoc,
			    struct altconn_listener *ln, u32 *reason)
{
	struct altconn_xns *xns = ln ? altconn_xns_alloc(assoc, ln) : NULL;
	int err = -EAGAIN;

	if (IS_ERR(xns)) {
		*reason = altconn_xns_reason(xns);
		return PTR_ERR(xns);
	}
	if (ln)
		err = attempt_try_establish(assoc, ln, &xns, reason);
	if (err == -EAGAIN)
		err = attempt_enqueue_waiting(assoc, ln, &xns, reason);
	altconn_xns_free(xns);
	return err;
}
