// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of a listener, and what they do to the attempts that wait: a listener
 * begins or ceases to serve an address, gets another backlog or policy, or
 * refuses attempts.
 */

#include <linux/slab.h>
#include <linux/wait.h>
#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_deadline.h"
#include "attempt_listener.h"
#include "listener.h"
#include "room.h"
#include "room_queue.h"

/*
 * Find an attempt at @addr that must be refused: no listener serves it, and it
 * does not wait until one opens (ALTCONN_WAIT_LISTENER). Return the attempt or
 * NULL. If a listener serves @addr and may have space, store it in *@avail,
 * which is NULL.
 */
static struct altconn_wait *
attempt_find_unserved(struct altconn_room *room,
		      const struct altconn_addr *addr,
		      struct altconn_listener **avail)
{
	struct altconn_lane *lane = altconn_lane_find(room, addr);
	struct altconn_serving local, xns;

	if (!lane || !lane->waiting)
		return NULL;
	local = altconn_room_serving(room, lane, false);
	xns = altconn_room_serving(room, lane, true);
	*avail = altconn_attempt_find_avail(room, &local);
	return xns.n ? NULL : altconn_lane_first_refusable(lane, local.n);
}

/*
 * Find an attempt that must be refused at the addresses of one IP version that
 * have no listener of their own, and that only wildcard listeners can serve.
 * Return the attempt or NULL. If *@avail is NULL, set it to a wildcard listener
 * that may have space.
 */
static struct altconn_wait *
attempt_find_unserved_pool(struct altconn_room *room, bool v6,
			   struct altconn_listener **avail)
{
	struct altconn_serving s = altconn_room_serving_pool(room, v6);
	struct altconn_lane *lane;

	if (!*avail)
		*avail = altconn_attempt_find_avail(room, &s);
	if (s.n)
		return NULL;
	lane = list_first_entry_or_null(&room->refusable[v6],
					struct altconn_lane, refusable);
	return lane ? altconn_lane_first_refusable(lane, false) : NULL;
}

/*
 * Find an attempt that must be refused after the listeners of @addr have
 * changed. Set *@avail to a listener of @addr that may have space, or to NULL.
 * The room's lock is held.
 */
static struct altconn_wait *
attempt_find_refusable(struct altconn_room *room,
		       const struct altconn_addr *addr,
		       struct altconn_listener **avail)
{
	*avail = NULL;
	if (addr->kind == ALTCONN_KIND_INET && altconn_addr_is_any(addr))
		return attempt_find_unserved_pool(room, false, avail) ? :
		       attempt_find_unserved_pool(room, true, avail);
	return attempt_find_unserved(room, addr, avail);
}

/*
 * Choose one of the deferring listeners in a group, to wake it. Prefer a
 * listener with a thread that sleeps in accept() or polls, since that server is
 * ready for an attempt. The caller holds the room's lock and rcu_read_lock().
 */
static struct altconn_listener *
attempt_choose_deferring(struct altconn_group *group)
{
	struct altconn_listener *ln;

	list_for_each_entry(ln, &group->defer, group_node)
		if (skwq_has_sleeper(rcu_dereference(ln->sk->sk_wq)))
			return ln;
	return list_first_entry_or_null(&group->defer, struct altconn_listener,
					group_node);
}

/**
 * altconn_attempt_find_deferring() - choose a deferring listener, to wake it
 * @room: the waiting room
 * @s: the groups of listeners that serve the address
 * @all: true to wake an accepter for each attempt that waits for the listener,
 *	false to wake one accepter
 * @batch: gets the wake-ups, unless it has some for a deferring listener
 *	already
 *
 * A deferring listener (ALTCONN_DEFER_ACCEPT) establishes attempts only in
 * accept(), so its accepters have to be woken when attempts wait. Successive
 * calls choose the listeners in turn.
 *
 * Context: process; @room's lock held.
 */
void altconn_attempt_find_deferring(struct altconn_room *room,
				    const struct altconn_serving *s, bool all,
				    struct attempt_batch *batch)
{
	struct altconn_listener *ln;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < s->n && !batch->defer_sk; i++) {
		ln = attempt_choose_deferring(s->group[i]);
		if (!ln || !altconn_room_first_attempt(room, ln))
			continue;
		/* The next call chooses the next listener. */
		list_move_tail(&ln->group_node, &s->group[i]->defer);
		batch->defer_sk = ln->sk;
		batch->n_defer = all ? altconn_room_nr_waiting(room, ln) : 1;
	}
	rcu_read_unlock();
}

/*
 * Add wake-ups to @batch after the listeners of @addr have changed: attempts
 * may wait for a deferring listener that has not been woken for them. The
 * room's lock is held.
 */
static void attempt_wake_deferring(struct altconn_room *room,
				   const struct altconn_addr *addr,
				   struct attempt_batch *batch)
{
	struct altconn_serving s = {};
	struct altconn_lane *lane;

	if (addr->kind == ALTCONN_KIND_INET && altconn_addr_is_any(addr)) {
		s = altconn_room_serving_pool(room, !altconn_addr_is_v4(addr));
		altconn_attempt_find_deferring(room, &s, true, batch);
		return;
	}
	lane = altconn_lane_find(room, addr);
	if (!lane || !lane->waiting)
		return;
	s = altconn_room_serving(room, lane, false);
	altconn_attempt_find_deferring(room, &s, true, batch);
}

/**
 * altconn_attempt_promote_or_refuse() - act on a change of the listeners of an
 * address
 * @room: the waiting room; the caller has a reference
 * @addr: the address
 *
 * Promote attempts to listeners that have space. Refuse the attempts that no
 * listener serves any more, unless they wait for one (ALTCONN_WAIT_LISTENER).
 *
 * Context: process, may sleep; no spinlock of this module held.
 */
void altconn_attempt_promote_or_refuse(struct altconn_room *room,
				       const struct altconn_addr *addr)
{
	const u32 reason = ALTCONN_REASON_LISTENER_CLOSED;
	struct altconn_listener *avail;
	struct attempt_batch batch;
	struct altconn_wait *wait;

	do {
		altconn_attempt_batch_init(&batch);
		altconn_room_lock(room);
		while (!altconn_attempt_batch_is_full(&batch) &&
		       (wait = attempt_find_refusable(room, addr, &avail)))
			altconn_attempt_refuse_one(room, wait, reason, &batch);
		if (avail)
			refcount_inc(&avail->refs);
		else if (!altconn_attempt_batch_is_full(&batch))
			attempt_wake_deferring(room, addr, &batch);
		altconn_attempt_batch_unlock_and_wake(&batch, room);
		if (avail) {
			altconn_attempt_promote_waiting(avail);
			altconn_listener_put(avail);
		}
		cond_resched();
	} while (avail || altconn_attempt_batch_is_full(&batch));
}

/**
 * altconn_attempt_add_listener() - let a listener begin to serve its address
 * @ln: the listener, new; its address and reachability are set
 *
 * The caller calls altconn_attempt_promote_waiting() later, which promotes the
 * attempts that wait at the address. Until then a new attempt waits behind
 * them.
 *
 * Context: process, may sleep; no spinlock of this module held.
 * Return: 0 if @ln has got a reference to its waiting room, or -ENOMEM.
 */
int altconn_attempt_add_listener(struct altconn_listener *ln)
{
	struct altconn_lane *spare = altconn_lane_new();
	struct altconn_room *room;

	if (!spare)
		return -ENOMEM;
	room = altconn_room_get_locked(ln->net, ln->type, ln->addr);
	if (IS_ERR(room)) {
		kfree(spare);
		return PTR_ERR(room);
	}
	/* The reference of altconn_room_get_locked() moves to the listener. */
	altconn_room_add_listener(room, ln, &spare);
	spin_lock(&ln->lock);
	ln->waited = altconn_room_nr_waiting(room, ln);
	altconn_attempt_relist_listener(room, ln);
	spin_unlock(&ln->lock);
	altconn_room_unlock(room);
	kfree(spare);
	return 0;
}

/**
 * altconn_attempt_remove_listener() - let a listener cease to serve its address
 * @ln: the listener, which no lookup finds any more; the caller has a reference
 *
 * @ln establishes no attempt any more. Waiting attempts that no other listener
 * serves are refused, unless they wait until one opens (ALTCONN_WAIT_LISTENER).
 *
 * Context: process, may sleep; no spinlock of this module held.
 */
void altconn_attempt_remove_listener(struct altconn_listener *ln)
{
	altconn_room_lock(ln->room);
	spin_lock(&ln->lock);
	WRITE_ONCE(ln->closed, true);
	spin_unlock(&ln->lock);
	altconn_room_remove_listener(ln->room, ln);
	altconn_room_unlock(ln->room);
	altconn_attempt_promote_or_refuse(ln->room, ln->addr);
}

/*
 * Check whether more attempts wait for a listener than its fail-fast policy
 * permits. An attempt waits for all listeners that serve it, so it is surplus
 * only if each of them fails fast. The room's lock is held.
 */
static bool attempt_has_surplus(const struct altconn_room *room,
				const struct altconn_listener *ln)
{
	return ln->group && ln->fail_fast &&
	       altconn_room_all_fail_fast(room, ln) &&
	       altconn_room_nr_waiting(room, ln) >
	       (ln->defer ? ln->backlog + 1 : 0);
}

/**
 * altconn_attempt_refuse_surplus() - refuse attempts beyond a fail-fast backlog
 * @ln: a new listener, after altconn_attempt_promote_waiting(); the caller has
 *	a reference
 *
 * Attempts may have waited at the address before @ln began to listen. If @ln
 * fails fast (ALTCONN_BACKLOG_POLICY), refuse the youngest attempts, for which
 * the backlog has no space. For a wildcard listener these are only
 * approximately the youngest ones, see altconn_room_surplus_attempt().
 *
 * Context: process, may sleep; no spinlock of this module held.
 */
void altconn_attempt_refuse_surplus(struct altconn_listener *ln)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	struct altconn_wait *wait;

	do {
		altconn_attempt_batch_init(&batch);
		altconn_room_lock(room);
		while (!altconn_attempt_batch_is_full(&batch) &&
		       attempt_has_surplus(room, ln)) {
			wait = altconn_room_surplus_attempt(room, ln);
			altconn_attempt_refuse_one(room, wait,
						   ALTCONN_REASON_BACKLOG_FULL,
						   &batch);
		}
		altconn_attempt_batch_unlock_and_wake(&batch, room);
		cond_resched();
	} while (altconn_attempt_batch_is_full(&batch));
}

/**
 * altconn_attempt_set_policy() - change the backlog and policies of a listener
 * @ln: a listener that serves its address; the caller has a reference
 * @backlog: argument of listen()
 * @fail_fast: ALTCONN_BACKLOG_POLICY is ALTCONN_POLICY_FAIL_FAST
 * @defer: ALTCONN_DEFER_ACCEPT
 *
 * Promote the waiting attempts for which the accept queue has space now. The
 * other attempts continue to wait, even if @ln fails fast from now on.
 *
 * Context: process, may sleep; altconn_lock() of the listening endpoint held,
 * but no spinlock of this module.
 */
void altconn_attempt_set_policy(struct altconn_listener *ln, u32 backlog,
				bool fail_fast, bool defer)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;

	altconn_attempt_batch_init(&batch);
	altconn_room_lock(room);
	spin_lock(&ln->lock);
	/*
	 * A listener that becomes a deferring one offers the waiting attempts
	 * to accept(), so wake one accepter for each.
	 */
	if (defer && !ln->defer) {
		batch.accept_sk = ln->sk;
		batch.n_accept = altconn_room_nr_waiting(room, ln);
	}
	if (!batch.n_accept)
		batch.accept_sk = NULL;
	WRITE_ONCE(ln->backlog, backlog);
	WRITE_ONCE(ln->defer, defer);
	altconn_room_set_fail_fast(room, ln, fail_fast);
	altconn_attempt_relist_listener(room, ln);
	spin_unlock(&ln->lock);
	altconn_attempt_batch_unlock_and_wake(&batch, room);
	altconn_attempt_promote_waiting(ln);
}

/**
 * altconn_attempt_refuse_first() - refuse the first attempts that wait for a
 * listener
 * @ln: the listener; the caller has a reference
 * @count: number of attempts to refuse; fewer may wait
 *
 * Refuse only attempts that wait already when this call begins. Otherwise new
 * attempts, if they arrive fast enough, could keep the call busy.
 *
 * Context: process, may sleep; no spinlock of this module held.
 */
void altconn_attempt_refuse_first(struct altconn_listener *ln, u32 count)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	struct altconn_wait *wait;
	u32 left = count;
	u64 last = 0;

	do {
		altconn_attempt_batch_init(&batch);
		altconn_room_lock(room);
		if (!last)
			last = room->arrived;
		while (left && !altconn_attempt_batch_is_full(&batch) &&
		       ln->group &&
		       (wait = altconn_room_first_attempt(room, ln)) &&
		       wait->arrived <= last) {
			altconn_attempt_refuse_one(room, wait,
						   ALTCONN_REASON_REFUSED,
						   &batch);
			left--;
		}
		altconn_attempt_batch_unlock_and_wake(&batch, room);
		cond_resched();
	} while (altconn_attempt_batch_is_full(&batch));
}

/**
 * altconn_attempt_has_waiting() - check whether an attempt waits for a listener
 * @ln: the listener; the caller has a reference
 *
 * Context: process; takes room->lock.
 * Return: true if at least one attempt waits, false if none does or the
 * listener has closed.
 */
bool altconn_attempt_has_waiting(const struct altconn_listener *ln)
{
	bool waits;

	altconn_room_lock(ln->room);
	waits = ln->group && altconn_room_first_attempt(ln->room, ln);
	altconn_room_unlock(ln->room);
	return waits;
}

/**
 * altconn_attempt_nr_waiting() - count the attempts that wait for a listener
 * @ln: the listener; the caller has a reference
 *
 * Context: process; takes room->lock.
 * Return: the number of attempts, 0 if the listener has closed.
 */
u32 altconn_attempt_nr_waiting(const struct altconn_listener *ln)
{
	u32 n;

	altconn_room_lock(ln->room);
	n = altconn_room_nr_waiting(ln->room, ln);
	altconn_room_unlock(ln->room);
	return n;
}
