// SPDX-License-Identifier: GPL-2.0
/*
 * Attempts: their decision, and the promotion of waiting attempts into the
 * accept queue of a listener. attempt_listener.c calls functions of this file
 * when a listener changes. kmod/altconn.h explains the words of the module.
 * Codes such as S-DONE name clauses of
 * Documentation/design/connect-semantics.rst.
 *
 * An attempt is an association (a connection) in the state PENDING.
 * attempt_decide() alone ends this state, under assoc->lock, exactly once. From
 * then on the attempt is decided: established or failed.
 *
 *	PENDING -> QUEUED	An accept queue had space at once, or got some
 *				later, for example by accept(), by a larger
 *				backlog, or because a listener opened. Or
 *				accept() took the attempt itself
 *				(ALTCONN_DEFER_ACCEPT).
 *	PENDING -> CLOSED	The last listener that served the attempt closed
 *				(unless ALTCONN_WAIT_LISTENER is set). A
 *				listener refused the attempt, because of
 *				ALTCONN_REFUSE or of a fail-fast backlog policy.
 *				The deadline passed. An administrator killed the
 *				attempt. The client cancelled the attempt by
 *				close(), shutdown() or connect() to AF_UNSPEC.
 *				The delay of a rule ended, and then the attempt
 *				could not go on: for example it was refused, or
 *				memory ran out.
 *
 * Documentation/design/states.svg shows these states, with the states of the
 * socket.
 *
 * connect() puts an attempt straight into the accept queue of a listener if the
 * queue has space (attempt_enqueue.c). Otherwise the attempt waits in the
 * waiting room of its port, name or path (room.h) until it is decided. A lane
 * of the room has the attempts that wait at one address. The attempt belongs to
 * no listener there: one listener may close and another one may open while it
 * waits. Only an attempt that a rule delays or drops is parked instead, and no
 * listener sees it (attempt_parked.c).
 *
 * New attempts must not overtake attempts that wait. So ln->has_waiting is set
 * for each listener that serves a waiting attempt, and a listener with this
 * flag puts no new attempt straight into its accept queue. A listener with
 * ALTCONN_DEFER_ACCEPT never does so, whatever its flag says. The flag changes
 * under the room's lock. But one event can concern many listeners. In these two
 * cases the lock is released before all flags are set:
 *
 *   - An attempt begins to wait. attempt_promote_or_wait() sets the flags of at
 *     most ATTEMPT_BATCH listeners.
 *   - A listener closes, and wildcard listeners serve its attempts from now on.
 *
 * altconn_attempt_promote_or_refuse() then sets the other flags. Until then, a
 * listener without the flag may take a new attempt before those that wait.
 *
 * If a listener with the flag gets space, or if the listeners of an address
 * change, waiting attempts are promoted in order of arrival: by accept() itself
 * (altconn_attempt_promote_to_space()), and otherwise by
 * altconn_attempt_promote_waiting().
 *
 * Attempts are promoted and refused in batches. After each batch the locks are
 * dropped, and then the clients of the batch are woken. The accepters are woken
 * at the same time, except that altconn_attempt_promote_waiting() wakes them
 * once, after its last batch.
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

/**
 * altconn_attempt_wake_client() - wake a client after its attempt is decided
 * @sk: the client's endpoint; the caller has a reference to @sk or to the
 *	association, which has a reference to @sk
 *
 * Context: process; no spinlock of this module held.
 */
void altconn_attempt_wake_client(struct sock *sk)
{
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

/**
 * altconn_attempt_wake_accepters() - wake accepters and pollers of a listener
 * @sk: endpoint of the listener; rcu_read_lock() keeps it
 * @n: number of exclusive waiters to wake, which are threads in accept(), and
 *	pollers with EPOLLEXCLUSIVE
 *
 * Each other poller is woken once, in the same pass through the wait queue. For
 * one waiter this function does what sock_def_readable() does, without the
 * indirect call of sk->sk_data_ready().
 *
 * Context: process; rcu_read_lock() held, no spinlock of this module held.
 */
void altconn_attempt_wake_accepters(struct sock *sk, unsigned int n)
{
	const __poll_t mask = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND;
	struct socket_wq *wq = rcu_dereference(sk->sk_wq);

	if (skwq_has_sleeper(wq)) {
		if (n == 1)
			wake_up_interruptible_sync_poll(&wq->wait, mask);
		else
			__wake_up(&wq->wait, TASK_INTERRUPTIBLE, n,
				  poll_to_key(mask));
	}
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/**
 * altconn_attempt_batch_unlock_and_wake() - unlock a waiting room, and wake the
 *	threads of a batch
 * @batch: the batch; its references are dropped
 * @room: the waiting room; the caller has a reference
 *
 * The listeners of the batch cannot close while the room is locked. The RCU
 * read section begins before the room is unlocked. So if a listener closes
 * right after that, its endpoint is not freed before its accepters are woken.
 *
 * Context: process; @room's lock held, and released by this function; no other
 * spinlock of this module held.
 */
void altconn_attempt_batch_unlock_and_wake(struct attempt_batch *batch,
					   struct altconn_room *room)
{
	struct altconn_wait *wait, *next;
	struct altconn_assoc *assoc;

	rcu_read_lock();
	altconn_room_unlock(room);
	if (batch->accept_sk)
		altconn_attempt_wake_accepters(batch->accept_sk,
					       batch->n_accept);
	if (batch->defer_sk)
		altconn_attempt_wake_accepters(batch->defer_sk,
					       batch->n_defer);
	rcu_read_unlock();
	for (wait = batch->first; wait; wait = next) {
		next = wait->next_in_batch;
		assoc = wait->assoc;
		altconn_attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
		altconn_assoc_put(assoc);
	}
}

/*
 * Write the result of an attempt to the client's endpoint, as the last step of
 * attempt_decide(). assoc->lock is held, but altconn_lock() need not be. So
 * another thread may hold altconn_lock() of the endpoint, and may be about to
 * change sk_state itself, for example in connect() to AF_UNSPEC. That thread
 * first reads the state that is stored here, or first takes assoc->lock. So it
 * changes sk_state after this function is done.
 */
static void attempt_complete_client(struct altconn_assoc *assoc,
				    const struct altconn_listener *ln, int err,
				    u32 reason)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;
	u8 state = err ? TCP_CLOSE : TCP_ESTABLISHED;

	trace_altconn_state(sk, TCP_SYN_SENT, state);
	if (!err)
		altconn_endpoint_set_peercred(sk, ln->task.pid, ln->cred);
	if (err && reason != ALTCONN_REASON_CANCELLED_CLOSE &&
	    reason != ALTCONN_REASON_CANCELLED_UNSPEC)
		WRITE_ONCE(sk->sk_err, err);
	/* sk_err and assoc->err come first. Pairs with altconn_state(). */
	smp_store_release(&sk->sk_state, state);
}

/*
 * Decide a pending attempt, and return true. Return false if the attempt was
 * decided before. If @err is 0, @ln establishes the attempt. Otherwise @ln is
 * NULL, and the attempt fails with the positive errno @err.
 *
 * The caller has a reference, and holds assoc->lock. If @ln is not NULL, the
 * caller holds its lock. If the attempt is in a waiting room, the caller holds
 * the lock of the room. After the decision the caller takes these steps in
 * order:
 *
 * 1. Set assoc->listener and the server's end, if the attempt is established.
 * 2. Release assoc->lock.
 * 3. Call attempt_report_and_unlist().
 * 4. Put the attempt into the queue of @ln, if it is established.
 * 5. Release all other spinlocks.
 * 6. Wake the client.
 *
 * sk_state changes before step 1. So a thread that has seen TCP_ESTABLISHED and
 * needs the server's end or assoc->listener takes assoc->lock before it reads
 * them.
 */
static bool attempt_decide(struct altconn_assoc *assoc,
			   struct altconn_listener *ln, int err, u32 reason)
{
	lockdep_assert_held(&assoc->lock);
	if (assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		return false;
	assoc->err = err;
	assoc->reason = reason;
	/* An attempt that did not wait took no time: do not read the clock. */
	WRITE_ONCE(assoc->decided_at, assoc->waited ? ktime_get_ns() :
						      assoc->entry.begun);
	if (err)
		altconn_xns_unlink(assoc);
	altconn_assoc_set_state(assoc, err ? ALTCONN_ASSOC_STATE_CLOSED :
					     ALTCONN_ASSOC_STATE_QUEUED);
	/*
	 * A delayed attempt to a path has a reference to the socket file. This
	 * call queues a job that drops it, because path_put() may sleep. The
	 * job drops it only after it has seen the new state or the end of the
	 * delay.
	 */
	altconn_attempt_stop_timer(assoc);
	attempt_complete_client(assoc, ln, err, reason);
	return true;
}

/*
 * Report the result of a decided attempt: count it in the statistics, and emit
 * a trace event and a netlink event. Remove a failed attempt from the registry
 * of the client's namespace; attempt_decide() has removed it from the registry
 * of the server's namespace, if that is another one. assoc->lock is not held,
 * but the locks of a listener and of a room may be.
 */
static void attempt_report_and_unlist(struct altconn_assoc *assoc)
{
	u64 waited = assoc->decided_at - assoc->entry.begun;

	altconn_stat_outcome(assoc->an, assoc->reason);
	trace_altconn_connect_end(assoc->end[ALTCONN_CLIENT].sk,
				  assoc->entry.id,
				  assoc->end[ALTCONN_SERVER].addr, assoc->err,
				  assoc->reason, waited);
	altconn_event_assoc_notify(assoc,
				   assoc->err ? ALTCONN_EVENT_KIND_FAILED :
						ALTCONN_EVENT_KIND_ESTABLISHED,
				   0);
	if (assoc->err)
		altconn_assoc_unlist(assoc);
	else
		altconn_stat_time(&assoc->an->stat->latency, waited);
}

/**
 * altconn_attempt_publish() - make an attempt visible at its endpoint
 * @assoc: the attempt; published already if it was parked
 *
 * The endpoint enters TCP_SYN_SENT and gets a reference of its own to the
 * attempt.
 *
 * Context: process; assoc->lock held, and altconn_lock() of the client unless
 * the attempt is published already.
 */
void altconn_attempt_publish(struct altconn_assoc *assoc)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;

	lockdep_assert_held(&assoc->lock);
	if (assoc->published)
		return;
	trace_altconn_state(sk, sk->sk_state, TCP_SYN_SENT);
	assoc->published = true;
	rcu_assign_pointer(altconn_sk(sk)->assoc, altconn_assoc_get(assoc));
	/* ask->assoc comes first. Pairs with altconn_state(). */
	smp_store_release(&sk->sk_state, TCP_SYN_SENT);
}

/**
 * altconn_attempt_publish_and_link() - publish an attempt, and link it to the
 * listener's namespace
 * @assoc: the attempt; the caller has a reference
 * @ln: the listener: its accept queue or waiting room gets the attempt; NULL if
 *	the attempt waits until a listener opens (ALTCONN_WAIT_LISTENER)
 * @xns: *@xns comes from altconn_xns_alloc(): the charge, the translated
 *	addresses and the registry entry of the association in the network
 *	namespace of @ln; NULL if that is the client's. *@xns becomes NULL if
 *	the attempt takes the object over
 *
 * Publish the attempt at the client's endpoint. If @ln is in another namespace,
 * also add the attempt to the registry of that namespace. An attempt that was
 * parked may be decided before this call. Such an attempt is not added.
 *
 * Context: process; assoc->lock held, and the lock of @ln or of its waiting
 * room, so that @ln cannot close.
 */
void altconn_attempt_publish_and_link(struct altconn_assoc *assoc,
				      const struct altconn_listener *ln,
				      struct altconn_xns **xns)
{
	altconn_attempt_publish(assoc);
	if (!ln || assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		return;
	altconn_xns_link(assoc, ln, *xns);
	*xns = NULL;
}

/**
 * altconn_attempt_establish() - put an attempt into an accept queue
 * @assoc: the attempt; on success the caller's reference moves to the queue
 * @ln: the listener, not closed
 * @xns: NULL if the attempt comes from a waiting room, because it is published
 *	and linked already; otherwise as in altconn_attempt_publish_and_link()
 *
 * The caller wakes the accepter and the client after it has unlocked @ln.
 *
 * Context: process; @ln's lock held, and the room's lock if the attempt comes
 * from a waiting room.
 * Return: true if the attempt is established now; false if it was decided
 * before, in which case the caller keeps its reference.
 */
bool altconn_attempt_establish(struct altconn_assoc *assoc,
			       struct altconn_listener *ln,
			       struct altconn_xns **xns)
{
	bool done;

	lockdep_assert_held(&ln->lock);
	spin_lock(&assoc->lock);
	if (xns)
		altconn_attempt_publish_and_link(assoc, ln, xns);
	done = attempt_decide(assoc, ln, 0, ALTCONN_REASON_ESTABLISHED);
	if (done) {
		refcount_inc(&ln->refs);
		rcu_assign_pointer(assoc->listener, ln);
		altconn_assoc_set_server(assoc, ln);
	}
	spin_unlock(&assoc->lock);
	if (!done)
		return false;
	attempt_report_and_unlist(assoc);
	ln->outcomes[ALTCONN_REASON_ESTABLISHED]++;
	list_add_tail(&assoc->node, &ln->queue);
	/* listener_select_nth() looks without the lock. */
	WRITE_ONCE(ln->queued, ln->queued + 1);
	return true;
}

/* Return the waiting room that an attempt is or was in, or NULL. */
static struct altconn_room *attempt_room(const struct altconn_assoc *assoc)
{
	/* Pairs with altconn_attempt_alloc_wait(), which initializes *wait. */
	const struct altconn_wait *wait = smp_load_acquire(&assoc->wait);

	/*
	 * Pairs with attempt_enqueue_lane(), which takes a reference to the
	 * room for the attempt before it stores wait->room.
	 */
	return wait ? smp_load_acquire(&wait->room) : NULL;
}

/*
 * Lock the waiting room of an attempt, if it has one, and then the attempt.
 * Return the locked room, or NULL. A parked attempt gets a room when its delay
 * ends. The room is set once, under assoc->lock. So if it appears between the
 * first look and the lock, one retry is enough. The annotation for sparse names
 * assoc->lock only, because altconn_room_lock() hides the room's lock from
 * sparse.
 */
static struct altconn_room *attempt_lock_with_room(struct altconn_assoc *assoc)
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
	altconn_room_lock(room);
	spin_lock(&assoc->lock);
	return room;
}

/*
 * Return one of the listeners that serve a waiting attempt, which means that
 * they may establish it, or NULL if there is none. altconn_room_serving()
 * returns these listeners in groups, each of the listeners of one address. No
 * group is empty, so the first group is enough. The room's lock is held. A
 * listener leaves the room under this lock, so the result is valid until the
 * lock is released.
 */
static struct altconn_listener *
attempt_find_any_listener(struct altconn_room *room, struct altconn_wait *wait)
{
	struct altconn_serving s =
		altconn_room_serving(room, wait->lane,
				     wait->fifo == ALTCONN_FIFO_XNS);
	struct altconn_group *group;

	if (!s.n)
		return NULL;
	group = s.group[0];
	return list_first_entry_or_null(&group->avail, struct altconn_listener,
					group_node) ? :
	       list_first_entry_or_null(&group->full, struct altconn_listener,
					group_node) ? :
	       list_first_entry_or_null(&group->defer, struct altconn_listener,
					group_node);
}

/*
 * Count the failure of a waiting attempt in the outcomes of one listener that
 * serves it, if there is one. The room's lock is held.
 */
static void attempt_count_failure(struct altconn_room *room,
				  struct altconn_wait *wait, u32 reason)
{
	struct altconn_listener *ln = attempt_find_any_listener(room, wait);

	if (!ln)
		return;
	spin_lock(&ln->lock);
	ln->outcomes[reason]++;
	spin_unlock(&ln->lock);
}

/**
 * altconn_attempt_fail() - fail an attempt, if it is still pending
 * @assoc: an association; left alone if it is not pending; the caller has a
 *	reference
 * @err: positive errno
 * @reason: enum altconn_reason
 *
 * Context: process; altconn_lock() of the client may be held, but no spinlock
 * of this module.
 * Return: true if the attempt has failed with @err, false if it was decided
 * before or connect() has not published it yet. The caller keeps its reference.
 */
bool altconn_attempt_fail(struct altconn_assoc *assoc, int err, u32 reason)
{
	struct altconn_room *room = attempt_lock_with_room(assoc);
	struct altconn_wait *wait = assoc->wait;
	bool done, in_lane;

	done = assoc->published && attempt_decide(assoc, NULL, err, reason);
	spin_unlock(&assoc->lock);
	if (done)
		attempt_report_and_unlist(assoc);
	in_lane = done && room && wait->lane;
	if (in_lane) {
		attempt_count_failure(room, wait, reason);
		altconn_room_dequeue(room, wait);
	}
	if (room)
		altconn_room_unlock(room);
	if (done)
		altconn_attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
	/* The waiting room held a reference while the attempt was in a lane. */
	if (in_lane)
		altconn_assoc_put(assoc);
	return done;
}

/**
 * altconn_attempt_sync_decider() - wait for the thread that decides an attempt
 * @assoc: the attempt, decided; the caller has a reference
 *
 * The deciding thread holds assoc->lock until it has written the result to the
 * client's endpoint. If the attempt was in a waiting room, the thread also
 * holds the room's lock until it has reported the result. This function takes
 * these locks and releases them. Afterwards the endpoint has the result, and
 * the thread has reported it. There is one exception: an attempt that was
 * parked and never in a room may be reported later.
 *
 * Context: process; no spinlock of this module held.
 */
void altconn_attempt_sync_decider(struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_lock_with_room(assoc);

	spin_unlock(&assoc->lock);
	if (room)
		altconn_room_unlock(room);
}

/**
 * altconn_attempt_relist_listener() - update has_waiting and the list of a
 * listener
 * @room: the waiting room of the port, name or path that @ln is bound to
 * @ln: the listener; it has not closed, so @ln->group is set
 *
 * Set @ln->has_waiting if an attempt that @ln serves waits, and clear it
 * otherwise. @ln->group has the listeners that serve the same attempts as @ln.
 * Move @ln to the tail of one of the lists of the group::
 *
 *   defer  @ln is a deferring listener
 *   full   attempts wait for @ln, and it has no space
 *   avail  all other cases: @ln has space, or no attempt waits for it
 *
 * The move to the tail makes promotions choose the listeners in turn. A
 * listener that is at the tail already stays there.
 *
 * Context: process; the locks of @room and @ln held.
 */
void altconn_attempt_relist_listener(struct altconn_room *room,
				     struct altconn_listener *ln)
{
	struct list_head *list = &ln->group->avail;

	/* accept() looks without the lock first. */
	WRITE_ONCE(ln->has_waiting, altconn_room_nr_waiting(room, ln) != 0);
	if (ln->defer)
		list = &ln->group->defer;
	else if (ln->has_waiting && !altconn_listener_has_space(ln))
		list = &ln->group->full;
	if (!list_is_last(&ln->group_node, list))
		list_move_tail(&ln->group_node, list);
}

/*
 * Move the first attempt that waits for a listener to the accept queue, even if
 * the queue has no space, and add the attempt to @batch, which is not full. The
 * room's reference moves to the queue, and the batch gets a reference of its
 * own. Return false if no attempt waits. The locks of @room and @ln are held.
 * The caller calls altconn_attempt_relist_listener() afterwards.
 */
static bool attempt_promote_first(struct altconn_room *room,
				  struct altconn_listener *ln,
				  struct attempt_batch *batch)
{
	struct altconn_wait *wait = altconn_room_first_attempt(room, ln);
	bool established;

	if (!wait)
		return false;
	altconn_room_dequeue(room, wait);
	altconn_assoc_get(wait->assoc);
	altconn_attempt_batch_add(batch, wait);
	established = altconn_attempt_establish(wait->assoc, ln, NULL);
	/*
	 * The attempt was in a lane, and the room is still locked, so the
	 * attempt was pending.
	 */
	WARN_ON_ONCE(!established);
	return true;
}

/**
 * altconn_attempt_promote_to_space() - promote attempts while the accept queue
 * of a listener has space
 * @room: the waiting room of the port, name or path that @ln is bound to
 * @ln: the listener; it has not closed, so @ln->group is set
 * @for_accept: first promote one attempt without space, for accept() of a
 *	deferring listener. The caller takes this attempt at once, so no
 *	accepter is woken for it
 * @batch: gets the attempts and the wake-ups; may have attempts already, but no
 *	wake-ups of another listener
 *
 * Promote attempts in order of arrival, until @batch is full, the accept queue
 * is full, or no attempt waits for @ln. A deferring listener never has space,
 * so only the attempt of @for_accept is promoted to it here. Then update
 * has_waiting and the list of @ln.
 *
 * Context: process; the locks of @room and @ln held.
 */
void altconn_attempt_promote_to_space(struct altconn_room *room,
				      struct altconn_listener *ln,
				      bool for_accept,
				      struct attempt_batch *batch)
{
	bool space;

	while (!altconn_attempt_batch_is_full(batch)) {
		space = altconn_listener_has_space(ln);
		if (!space && !for_accept)
			break;
		if (!attempt_promote_first(room, ln, batch))
			break;
		for_accept = false;
		if (space) {
			batch->accept_sk = ln->sk;
			batch->n_accept++;
		}
	}
	altconn_attempt_relist_listener(room, ln);
}

/**
 * altconn_attempt_promote_batch() - lock a listener, and promote a batch of
 * attempts to it
 * @room: the waiting room of the port, name or path that @ln is bound to
 * @ln: the listener; it has not closed, so @ln->group is set
 * @batch: gets the attempts and the wake-ups; has no wake-ups of another
 *	listener
 *
 * altconn_attempt_promote_to_space() describes which attempts are promoted.
 *
 * Context: process; @room's lock held, @ln's lock not held.
 */
void altconn_attempt_promote_batch(struct altconn_room *room,
				   struct altconn_listener *ln,
				   struct attempt_batch *batch)
{
	lockdep_assert_held(&room->lock);
	spin_lock(&ln->lock);
	altconn_attempt_promote_to_space(room, ln, false, batch);
	spin_unlock(&ln->lock);
}

/**
 * altconn_attempt_promote_waiting() - promote all attempts for which there is
 * space
 * @ln: a listener that may have space now; the caller has a reference
 *
 * Promote attempts, batch by batch, until the accept queue is full or no
 * attempt waits for @ln. Wake clients after each batch. Wake accepters after
 * the last batch, unless @ln has closed by then.
 *
 * Context: process, may sleep; no spinlock of this module held.
 */
void altconn_attempt_promote_waiting(struct altconn_listener *ln)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	bool more;

	altconn_attempt_batch_init(&batch);
	do {
		altconn_attempt_batch_forget(&batch);
		altconn_room_lock(room);
		if (ln->group)
			altconn_attempt_promote_batch(room, ln, &batch);
		more = altconn_attempt_batch_is_full(&batch);
		/* Wake accepters and pollers once, after the last batch. */
		if (more || !ln->group)
			batch.accept_sk = NULL;
		else if (batch.n_accept)
			batch.accept_sk = ln->sk;
		altconn_attempt_batch_unlock_and_wake(&batch, room);
		cond_resched();
	} while (more);
}

/**
 * altconn_attempt_find_avail() - find a listener to which waiting attempts can
 * be promoted
 * @room: the waiting room
 * @s: the groups of listeners to look at
 *
 * The listeners of a group serve the same attempts, so the function looks only
 * at the first listener in the list avail of each group. That listener may be
 * full. So callers loop: altconn_attempt_promote_batch() moves a full listener
 * to the list full, and this function then returns another one.
 *
 * Context: process; @room's lock held.
 * Return: a listener for which attempts wait, or NULL. The room's lock keeps
 * it; the caller gets no reference.
 */
struct altconn_listener *
altconn_attempt_find_avail(struct altconn_room *room,
			   const struct altconn_serving *s)
{
	struct altconn_listener *ln;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		ln = list_first_entry_or_null(&s->group[i]->avail,
					      struct altconn_listener,
					      group_node);
		if (ln && altconn_room_first_attempt(room, ln))
			return ln;
	}
	return NULL;
}

/**
 * altconn_attempt_refuse_one() - refuse a waiting attempt with ECONNREFUSED
 * @room: the waiting room
 * @wait: the attempt, in a lane of @room
 * @reason: enum altconn_reason
 * @batch: the batch, not full; gets the attempt and the room's reference to it
 *
 * Context: process; @room's lock held, no lock of a listener or an association.
 */
void altconn_attempt_refuse_one(struct altconn_room *room,
				struct altconn_wait *wait, u32 reason,
				struct attempt_batch *batch)
{
	struct altconn_assoc *assoc = wait->assoc;
	bool done;

	lockdep_assert_held(&room->lock);
	spin_lock(&assoc->lock);
	done = attempt_decide(assoc, NULL, ECONNREFUSED, reason);
	spin_unlock(&assoc->lock);
	/* The room is locked, so an attempt in a lane is pending. */
	WARN_ON_ONCE(!done);
	attempt_report_and_unlist(assoc);
	attempt_count_failure(room, wait, reason);
	altconn_room_dequeue(room, wait);
	altconn_attempt_batch_add(batch, wait);
}

/**
 * altconn_attempt_position() - get the position of an attempt in its lane,
 * among the attempts that wait at the same address
 * @assoc: the attempt; the caller has a reference
 *
 * Context: process; takes room->lock.
 * Return: the position, beginning with 1; 0 if the attempt is in no lane.
 */
u32 altconn_attempt_position(const struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_room(assoc);
	u32 position;

	if (!room)
		return 0;
	altconn_room_lock(room);
	position = altconn_room_position(room, assoc->wait);
	altconn_room_unlock(room);
	return position;
}

/**
 * altconn_attempt_listener_id() - get the id of an association's listener
 * @assoc: the association or attempt; the caller has a reference
 *
 * Context: process; takes room->lock.
 * Return: the id of the listener that established the association, or of one
 * listener for which the attempt waits; 0 if there is none. The result is 0,
 * too, if a waiting attempt is established during this call.
 */
u64 altconn_attempt_listener_id(const struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_room(assoc);
	const struct altconn_listener *ln;
	u64 id = 0;

	/* The pointer is set once, and the association holds a reference. */
	ln = rcu_access_pointer(assoc->listener);
	if (ln || !room)
		return ln ? READ_ONCE(ln->id) : 0;
	altconn_room_lock(room);
	if (assoc->wait->lane)
		ln = attempt_find_any_listener(room, assoc->wait);
	if (ln)
		id = ln->id;
	altconn_room_unlock(room);
	return id;
}
