// SPDX-License-Identifier: GPL-2.0
/*
 * Attempts: THE decision, and the order in which attempts that wait are let in.
 *
 * An attempt is an association in state PENDING. It leaves PENDING in
 * attempt_decide() and nowhere else, under assoc->lock, exactly once:
 *
 *	PENDING -> QUEUED	there was room, or accept() made some
 *	PENDING -> CLOSED	refused: the listener closed or said no
 *				timed out: the deadline passed
 *				cancelled: close(), or connect(AF_UNSPEC)
 *				killed: an administrator ended it
 *
 * Documentation/states.svg shows it, with the states of the socket.
 *
 * connect() puts the attempt straight into the accept queue of a listener that
 * has room (attempt_enter.c). Else the attempt waits in the room of its address
 * (room.h), and stays there until it is decided, whichever listener comes and
 * goes.
 *
 * Invariant, whenever the lock of a room is free: if an attempt waits, each
 * listener that serves it is exhausted, or defers. An exhausted listener lets no
 * new attempt in past the attempts that wait: the new one queues up behind them.
 * Whatever makes room at an exhausted listener, or joins the listeners of an
 * address, calls altconn_attempt_refill(), which lets waiting attempts in, in
 * order of arrival.
 *
 * Attempts are let in and refused in batches. The locks are dropped between
 * two batches, and clients and accepters are woken then.
 */

#include <linux/wait.h>
#include "assoc.h"
#include "attempt.h"
#include "attempt_deadline.h"
#include "endpoint.h"
#include "event_assoc.h"
#include "listener.h"
#include "room.h"
#include "sock.h"
#include "stat.h"
#include "trace.h"
#include "xns.h"

void altconn_attempt_wake_client(struct sock *sk)
{
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

/*
 * One pass: each poller is woken once, and of the exclusive waiters (threads in
 * accept(), EPOLLEXCLUSIVE) as many as there are attempts to accept. RCU read
 * side.
 */
static void attempt_wake_accepters(struct sock *sk, unsigned int n)
{
	struct socket_wq *wq;

	if (likely(n == 1)) {
		sk->sk_data_ready(sk);
		return;
	}
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		__wake_up(&wq->wait, TASK_INTERRUPTIBLE, n,
			  poll_to_key(EPOLLIN | EPOLLPRI | EPOLLRDNORM |
				      EPOLLRDBAND));
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/*
 * Unlock the room and wake. RCU keeps the listeners' endpoints, which do not
 * close while the room is locked.
 */
void altconn_batch_unlock(struct attempt_batch *batch,
			  struct altconn_room *room)
{
	struct altconn_assoc *assoc;
	unsigned int i;

	rcu_read_lock();
	altconn_room_unlock(room);
	if (batch->sk)
		attempt_wake_accepters(batch->sk, batch->ready);
	if (batch->defers)
		attempt_wake_accepters(batch->defers, batch->n_defers);
	rcu_read_unlock();
	for (i = 0; i < batch->n; i++) {
		assoc = batch->assoc[i];
		altconn_attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
		altconn_assoc_put(assoc);
	}
}

/* The client's endpoint cannot leave the attempt while it is pending. */
static void attempt_tell_client(struct altconn_assoc *assoc,
				const struct altconn_listener *ln, int err,
				u32 reason)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;
	u8 state = err ? TCP_CLOSE : TCP_ESTABLISHED;

	trace_altconn_state(sk, TCP_SYN_SENT, state);
	if (!err)
		altconn_sock_set_peercred(sk, ln->who.pid, ln->cred);
	if (err && reason != ALTCONN_REASON_CANCELLED_CLOSE &&
	    reason != ALTCONN_REASON_CANCELLED_UNSPEC)
		WRITE_ONCE(sk->sk_err, err);
	/* A reader of the state sees the error and assoc->err too. */
	smp_store_release(&sk->sk_state, state);
}

/*
 * Decide an attempt, if it is still pending. @ln: the listener whose queue it
 * enters next, locked; NULL: it fails with the positive errno @err. The caller
 * has a reference, reports the end, and wakes the client when it has unlocked.
 */
static bool attempt_decide(struct altconn_assoc *assoc,
			   struct altconn_listener *ln, int err, u32 reason)
{
	lockdep_assert_held(&assoc->lock);
	if (assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		return false;
	assoc->err = err;
	assoc->reason = reason;
	WRITE_ONCE(assoc->decided, assoc->waited ? ktime_get_ns() :
						   assoc->begun);
	altconn_attempt_disarm(assoc);
	if (err)
		altconn_far_leave(assoc);
	altconn_assoc_set_state(assoc, err ? ALTCONN_ASSOC_STATE_CLOSED :
					     ALTCONN_ASSOC_STATE_QUEUED);
	attempt_tell_client(assoc, ln, err, reason);
	return true;
}

/* Count and report the end of an attempt; assoc->lock is not held. */
static void attempt_report(struct altconn_assoc *assoc)
{
	u64 waited = assoc->decided - assoc->begun;

	altconn_stat_outcome(assoc->an, assoc->reason);
	trace_altconn_connect_end(assoc->end[ALTCONN_CLIENT].sk,
				  assoc->entry.id,
				  assoc->end[ALTCONN_SERVER].addr, assoc->err,
				  assoc->reason, waited);
	altconn_event_assoc(assoc, assoc->err ? ALTCONN_EVENT_KIND_FAILED :
						ALTCONN_EVENT_KIND_ESTABLISHED,
			    0);
	if (assoc->err)
		altconn_assoc_over(assoc);
	else
		altconn_stat_time(&assoc->an->stat->latency, waited);
}

/* The endpoint has the attempt from now on. assoc->lock held. */
void altconn_attempt_publish(struct altconn_assoc *assoc)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;

	lockdep_assert_held(&assoc->lock);
	if (assoc->published)
		return;
	trace_altconn_state(sk, sk->sk_state, TCP_SYN_SENT);
	assoc->published = true;
	rcu_assign_pointer(altconn_sk(sk)->assoc, altconn_assoc_get(assoc));
	WRITE_ONCE(sk->sk_state, TCP_SYN_SENT);
}

/* An attempt enters a listener's queue or its room, if it is pending. */
void altconn_attempt_arrive(struct altconn_assoc *assoc,
			    const struct altconn_listener *ln,
			    struct altconn_far **far)
{
	altconn_attempt_publish(assoc);
	if (!ln || assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		return;
	altconn_far_arrive(assoc, ln, *far);
	*far = NULL;
}

/*
 * Establish an attempt in a listener's accept queue, which gets the caller's
 * reference. @far: of an attempt that arrives now, else NULL. False: it was
 * decided before.
 */
bool altconn_attempt_establish(struct altconn_assoc *assoc,
			       struct altconn_listener *ln,
			       struct altconn_far **far)
{
	bool done;

	lockdep_assert_held(&ln->lock);
	spin_lock(&assoc->lock);
	if (far)
		altconn_attempt_arrive(assoc, ln, far);
	done = attempt_decide(assoc, ln, 0, ALTCONN_REASON_ESTABLISHED);
	if (done) {
		refcount_inc(&ln->refs);
		rcu_assign_pointer(assoc->listener, ln);
		altconn_assoc_set_server(assoc, ln);
	}
	spin_unlock(&assoc->lock);
	if (!done)
		return false;
	attempt_report(assoc);
	ln->outcomes[ALTCONN_REASON_ESTABLISHED]++;
	list_add_tail(&assoc->node, &ln->queue);
	ln->queued++;
	return true;
}

/* The room in which an attempt waits or waited, or NULL. */
static struct altconn_room *attempt_room(const struct altconn_assoc *assoc)
{
	/* Pairs with altconn_attempt_make_wait(). */
	const struct altconn_wait *wait = smp_load_acquire(&assoc->wait);

	/* Pairs with attempt_enter_lane(). */
	return wait ? smp_load_acquire(&wait->room) : NULL;
}

/*
 * Lock an attempt, and its room if it has one: it gets one at most once, when
 * a rule lets it go on.
 */
static struct altconn_room *attempt_lock(struct altconn_assoc *assoc)
	__acquires(&assoc->lock)
{
	struct altconn_room *room = attempt_room(assoc);

	if (!room) {
		spin_lock(&assoc->lock);
		room = attempt_room(assoc);
		if (!room)
			return NULL;
		spin_unlock(&assoc->lock);
	}
	altconn_room_relock(room);
	spin_lock(&assoc->lock);
	return room;
}

/* A listener of the attempt's address, or NULL. */
static struct altconn_listener *attempt_any_listener(struct altconn_room *room,
						     struct altconn_wait *wait)
{
	struct altconn_serving s =
		altconn_room_serving(room, wait->lane,
				     wait->fifo == ALTCONN_FIFO_FAR);
	struct altconn_group *group;

	if (!s.n)
		return NULL;
	group = s.group[0];
	return list_first_entry_or_null(&group->open, struct altconn_listener,
					member) ? :
	       list_first_entry_or_null(&group->full, struct altconn_listener,
					member) ? :
	       list_first_entry_or_null(&group->defer, struct altconn_listener,
					member);
}

/* An attempt ended while it waited: a listener of its address counts it. */
static void attempt_count(struct altconn_room *room, struct altconn_wait *wait,
			  u32 reason)
{
	struct altconn_listener *ln = attempt_any_listener(room, wait);

	if (!ln)
		return;
	spin_lock(&ln->lock);
	ln->outcomes[reason]++;
	spin_unlock(&ln->lock);
}

/**
 * altconn_attempt_fail() - end an attempt, if it is still pending
 * @assoc: an attempt; the caller has a reference
 * @err: positive errno
 * @reason: enum altconn_reason
 *
 * Context: process.
 * Return: false: it was decided before, or connect() has not begun it.
 */
bool altconn_attempt_fail(struct altconn_assoc *assoc, int err, u32 reason)
{
	struct altconn_room *room = attempt_lock(assoc);
	struct altconn_wait *wait = assoc->wait;
	bool done, queued;

	done = assoc->published && attempt_decide(assoc, NULL, err, reason);
	spin_unlock(&assoc->lock);
	if (done)
		attempt_report(assoc);
	queued = done && room && wait->lane;
	if (queued) {
		attempt_count(room, wait, reason);
		altconn_room_remove(room, wait);
	}
	if (room)
		altconn_room_unlock(room);
	if (done)
		altconn_attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
	/* The room's reference. */
	if (queued)
		altconn_assoc_put(assoc);
	return done;
}

/**
 * altconn_attempt_sync() - wait until a decision is reported
 * @assoc: decided; the caller has a reference
 *
 * Context: process.
 */
void altconn_attempt_sync(struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_lock(assoc);

	spin_unlock(&assoc->lock);
	if (room)
		altconn_room_unlock(room);
}

/* On which list of its group a listener belongs; both locks are held. */
void altconn_attempt_sort(struct altconn_room *room,
			  struct altconn_listener *ln)
{
	ln->exhausted = altconn_room_first(room, ln);
	if (ln->defer)
		list_move_tail(&ln->member, &ln->group->defer);
	else if (ln->exhausted && !altconn_listener_has_room(ln))
		list_move_tail(&ln->member, &ln->group->full);
	else
		list_move_tail(&ln->member, &ln->group->open);
}

/* Let in attempts that wait for a listener, while it has room. */
void altconn_attempt_promote(struct altconn_room *room,
			     struct altconn_listener *ln,
			     struct attempt_batch *batch)
{
	bool established;
	struct altconn_wait *wait;

	lockdep_assert_held(&room->lock);
	spin_lock(&ln->lock);
	while (altconn_listener_has_room(ln) && !altconn_batch_is_full(batch)) {
		wait = altconn_room_first(room, ln);
		if (!wait)
			break;
		altconn_room_remove(room, wait);
		altconn_batch_add(batch, altconn_assoc_get(wait->assoc));
		/* Pending, since its decision is made under the room's lock. */
		established = altconn_attempt_establish(wait->assoc, ln, NULL);
		if (WARN_ON_ONCE(!established))
			continue;
		batch->sk = ln->sk;
		batch->ready++;
	}
	altconn_attempt_sort(room, ln);
	spin_unlock(&ln->lock);
}

/**
 * altconn_attempt_refill() - a listener may have room for attempts that wait
 * @ln: the listener; the caller has a reference
 *
 * Context: process; ends when the listener is full or no attempt waits for it.
 */
void altconn_attempt_refill(struct altconn_listener *ln)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	unsigned int ready = 0;
	bool more;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		if (ln->group)
			altconn_attempt_promote(room, ln, &batch);
		more = altconn_batch_is_full(&batch);
		/* Accepters and pollers are woken once, for all of them. */
		ready += batch.ready;
		batch.ready = ready;
		batch.sk = ready && !more && ln->group ? ln->sk : NULL;
		altconn_batch_unlock(&batch, room);
		cond_resched();
	} while (more);
}

/* A listener that may have room for attempts that wait for it, or NULL. */
struct altconn_listener *
altconn_attempt_find_open(struct altconn_room *room,
			  const struct altconn_serving *s)
{
	struct altconn_listener *ln;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		ln = list_first_entry_or_null(&s->group[i]->open,
					      struct altconn_listener, member);
		if (ln && altconn_room_first(room, ln))
			return ln;
	}
	return NULL;
}

/* Refuse an attempt in a lane. The room's reference is the batch's. */
void altconn_attempt_reject(struct altconn_room *room,
			    struct altconn_wait *wait, u32 reason,
			    struct attempt_batch *batch)
{
	struct altconn_assoc *assoc = wait->assoc;
	bool done;

	lockdep_assert_held(&room->lock);
	spin_lock(&assoc->lock);
	done = attempt_decide(assoc, NULL, ECONNREFUSED, reason);
	spin_unlock(&assoc->lock);
	/* Pending, since its decision is made under the room's lock. */
	WARN_ON_ONCE(!done);
	attempt_report(assoc);
	attempt_count(room, wait, reason);
	altconn_room_remove(room, wait);
	altconn_batch_add(batch, assoc);
}

/**
 * altconn_attempt_place() - where an attempt stands
 * @assoc: an attempt; the caller has a reference
 *
 * Context: any; takes room->lock.
 * Return: its place among the attempts that wait at its address, 1 when it is
 * next; 0 when it does not wait there.
 */
u32 altconn_attempt_place(const struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_room(assoc);
	u32 place;

	if (!room)
		return 0;
	altconn_room_relock(room);
	place = altconn_room_place(room, assoc->wait);
	altconn_room_unlock(room);
	return place;
}

/**
 * altconn_attempt_listener() - the listener of an attempt or association
 * @assoc: the association; the caller has a reference
 *
 * Context: any; takes room->lock.
 * Return: the id of the listener that established it, or of one for which it
 * waits; 0: there is none.
 */
u64 altconn_attempt_listener(const struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_room(assoc);
	const struct altconn_listener *ln;
	u64 id = 0;

	/* Once it is set it stays, and the association keeps the listener. */
	ln = rcu_access_pointer(assoc->listener);
	if (ln || !room)
		return ln ? READ_ONCE(ln->id) : 0;
	altconn_room_relock(room);
	if (assoc->wait->lane)
		ln = attempt_any_listener(room, assoc->wait);
	if (ln)
		id = ln->id;
	altconn_room_unlock(room);
	return id;
}
