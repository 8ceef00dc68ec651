// SPDX-License-Identifier: GPL-2.0
/*
 * What a change of a listener does to the attempts that wait: a listener joins or
 * leaves an address, gets another backlog or policy, refuses attempts, or takes
 * one itself because it defers.
 */

#include <linux/slab.h>
#include <linux/wait.h>
#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_deadline.h"
#include "attempt_settle.h"
#include "listener.h"
#include "room.h"
#include "room_queue.h"

/* An attempt at an address that no listener serves, nor may it wait for one. */
static struct altconn_wait *attempt_unserved(struct altconn_room *room,
					     const struct altconn_addr *addr,
					     struct altconn_listener **open)
{
	struct altconn_lane *lane = altconn_lane_find(room, addr);
	struct altconn_serving near, far;

	if (!lane || !lane->waiting)
		return NULL;
	near = altconn_room_serving(room, lane, false);
	far = altconn_room_serving(room, lane, true);
	*open = altconn_attempt_find_open(room, &near);
	return far.n ? NULL : altconn_lane_refusable(lane, near.n);
}

/* Likewise of the addresses without a listener of their own, of a version. */
static struct altconn_wait *
attempt_unserved_pool(struct altconn_room *room, bool v6,
		      struct altconn_listener **open)
{
	struct altconn_serving s = altconn_room_serving_pool(room, v6);
	struct altconn_lane *lane;

	if (!*open)
		*open = altconn_attempt_find_open(room, &s);
	if (s.n)
		return NULL;
	lane = list_first_entry_or_null(&room->refusable[v6],
					struct altconn_lane, refusable);
	return lane ? altconn_lane_refusable(lane, false) : NULL;
}

static struct altconn_wait *attempt_unsettled(struct altconn_room *room,
					      const struct altconn_addr *addr,
					      struct altconn_listener **open)
{
	*open = NULL;
	if (addr->kind == ALTCONN_KIND_INET && altconn_addr_is_any(addr))
		return attempt_unserved_pool(room, false, open) ? :
		       attempt_unserved_pool(room, true, open);
	return attempt_unserved(room, addr, open);
}

/*
 * A listener at which a thread sleeps or polls. Its server is idle, or will look;
 * another listener is chosen when none has such a thread.
 */
static struct altconn_listener *
attempt_choose_deferring(struct altconn_group *group)
{
	struct altconn_listener *ln;

	list_for_each_entry(ln, &group->defer, member)
		if (skwq_has_sleeper(rcu_dereference(ln->sk->sk_wq)))
			return ln;
	return list_first_entry_or_null(&group->defer, struct altconn_listener,
					member);
}

/*
 * A deferring listener of an address is woken: for one more attempt, or with
 * @all for each attempt that waits for it.
 */
void altconn_attempt_find_deferring(struct altconn_room *room,
				    const struct altconn_serving *s, bool all,
				    struct attempt_batch *batch)
{
	struct altconn_listener *ln;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < s->n && !batch->defers; i++) {
		ln = attempt_choose_deferring(s->group[i]);
		if (!ln || !altconn_room_first(room, ln))
			continue;
		/* The next attempt wakes the next of them. */
		list_move_tail(&ln->member, &s->group[i]->defer);
		batch->defers = ln->sk;
		batch->n_defers = all ? altconn_room_waiting(room, ln) : 1;
	}
	rcu_read_unlock();
}

/* Attempts may be left to listeners that defer, which do not know of them. */
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

/*
 * The listeners of an address have changed: those that are left let attempts
 * in, and attempts that none serves are refused unless they wait for one.
 */
void altconn_attempt_settle(struct altconn_room *room,
			    const struct altconn_addr *addr)
{
	struct altconn_listener *open;
	struct attempt_batch batch;
	struct altconn_wait *wait;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		while (!altconn_batch_is_full(&batch) &&
		       (wait = attempt_unsettled(room, addr, &open)))
			altconn_attempt_reject(room, wait,
					       ALTCONN_REASON_LISTENER_CLOSED,
					       &batch);
		if (open)
			refcount_inc(&open->refs);
		else if (!altconn_batch_is_full(&batch))
			attempt_wake_deferring(room, addr, &batch);
		altconn_batch_unlock(&batch, room);
		if (open) {
			altconn_attempt_refill(open);
			altconn_listener_put(open);
		}
		cond_resched();
	} while (open || altconn_batch_is_full(&batch));
}

/**
 * altconn_attempt_join() - a listener begins to serve its address
 * @ln: the listener, new; bound, and its reachability is set
 *
 * Attempts that wait at the address are let in by altconn_attempt_refill().
 * Until then a new attempt queues up behind them.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int altconn_attempt_join(struct altconn_listener *ln)
{
	struct altconn_lane *spare = altconn_lane_new();
	struct altconn_room *room;

	if (!spare)
		return -ENOMEM;
	room = altconn_room_lock(ln->net, ln->type, ln->addr);
	if (IS_ERR(room)) {
		kfree(spare);
		return PTR_ERR(room);
	}
	/* The caller's reference is the listener's. */
	altconn_room_join(room, ln, &spare);
	spin_lock(&ln->lock);
	ln->waited = altconn_room_waiting(room, ln);
	altconn_attempt_sort(room, ln);
	spin_unlock(&ln->lock);
	altconn_room_unlock(room);
	kfree(spare);
	return 0;
}

/**
 * altconn_attempt_quit() - a listener closes
 * @ln: the listener; no lookup finds it any more
 *
 * Attempts that no other listener serves are refused, unless they wait for
 * one; no attempt enters its queue any more.
 *
 * Context: process; ends when the address is settled.
 */
void altconn_attempt_quit(struct altconn_listener *ln)
{
	altconn_room_relock(ln->room);
	spin_lock(&ln->lock);
	ln->closed = true;
	spin_unlock(&ln->lock);
	altconn_room_quit(ln->room, ln);
	altconn_room_unlock(ln->room);
	altconn_attempt_settle(ln->room, ln->addr);
}

/* If listeners share the address, each of them has to fail fast. */
static bool attempt_has_surplus(const struct altconn_room *room,
				const struct altconn_listener *ln)
{
	return ln->group && ln->fail_fast &&
	       altconn_room_fails_fast(room, ln) &&
	       altconn_room_waiting(room, ln) >
	       (ln->defer ? ln->backlog + 1 : 0);
}

/**
 * altconn_attempt_refuse_surplus() - attempts that have waited find a policy
 * @ln: a new listener; the caller has a reference
 *
 * A listener that fails fast refuses those that wait beyond its backlog, the
 * last ones first.
 *
 * Context: process.
 */
void altconn_attempt_refuse_surplus(struct altconn_listener *ln)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		while (!altconn_batch_is_full(&batch) &&
		       attempt_has_surplus(room, ln))
			altconn_attempt_reject(room,
					       altconn_room_last(room, ln),
					       ALTCONN_REASON_BACKLOG_FULL,
					       &batch);
		altconn_batch_unlock(&batch, room);
		cond_resched();
	} while (altconn_batch_is_full(&batch));
}

/**
 * altconn_attempt_set_policy() - how a listener lets attempts in
 * @ln: a listener that serves its address; the caller has a reference
 * @backlog: listen()'s
 * @fail_fast: ALTCONN_BACKLOG_POLICY
 * @defer: ALTCONN_DEFER_ACCEPT
 *
 * Attempts that the listener has room for now are let in; others wait on.
 *
 * Context: process; ends when the listener is full or no attempt waits for it.
 */
void altconn_attempt_set_policy(struct altconn_listener *ln, u32 backlog,
				bool fail_fast, bool defer)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch = {};

	altconn_room_relock(room);
	spin_lock(&ln->lock);
	/* As many accepters may take an attempt as wait for one. */
	if (defer && !ln->defer) {
		batch.sk = ln->sk;
		batch.ready = altconn_room_waiting(room, ln);
	}
	if (!batch.ready)
		batch.sk = NULL;
	ln->backlog = backlog;
	ln->defer = defer;
	altconn_room_set_fail_fast(room, ln, fail_fast);
	altconn_attempt_sort(room, ln);
	spin_unlock(&ln->lock);
	altconn_batch_unlock(&batch, room);
	altconn_attempt_refill(ln);
}

/**
 * altconn_attempt_refuse() - refuse the first attempts that wait
 * @ln: the listener for which they wait; the caller has a reference
 * @count: how many
 *
 * Attempts that begin to wait later are not refused: others may come as fast.
 *
 * Context: process.
 */
void altconn_attempt_refuse(struct altconn_listener *ln, u32 count)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	struct altconn_wait *wait;
	u32 left = count;
	u64 last = 0;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		if (!last)
			last = room->arrived;
		while (left && !altconn_batch_is_full(&batch) && ln->group &&
		       (wait = altconn_room_first(room, ln)) &&
		       wait->arrived <= last) {
			altconn_attempt_reject(room, wait,
					       ALTCONN_REASON_REFUSED, &batch);
			left--;
		}
		altconn_batch_unlock(&batch, room);
		cond_resched();
	} while (altconn_batch_is_full(&batch));
}

/**
 * altconn_attempt_take() - establish the first attempt that waits
 * @ln: a listener that defers; the caller has a reference
 *
 * Context: process.
 * Return: true: there was one, and it is in the accept queue now.
 */
bool altconn_attempt_take(struct altconn_listener *ln)
{
	struct attempt_batch batch = {};
	struct altconn_wait *wait = NULL;

	altconn_room_relock(ln->room);
	spin_lock(&ln->lock);
	if (ln->group && ln->defer)
		wait = altconn_room_first(ln->room, ln);
	if (wait) {
		altconn_room_remove(ln->room, wait);
		altconn_batch_add(&batch, altconn_assoc_get(wait->assoc));
		altconn_attempt_establish(wait->assoc, ln, NULL);
	}
	spin_unlock(&ln->lock);
	altconn_batch_unlock(&batch, ln->room);
	return wait;
}

/**
 * altconn_attempt_waits() - does an attempt wait for a listener?
 * @ln: the listener; the caller has a reference
 *
 * Context: any; takes room->lock.
 */
bool altconn_attempt_waits(const struct altconn_listener *ln)
{
	bool waits;

	altconn_room_relock(ln->room);
	waits = ln->group && altconn_room_first(ln->room, ln);
	altconn_room_unlock(ln->room);
	return waits;
}

/**
 * altconn_attempt_waiting() - how many attempts wait for a listener
 * @ln: the listener; the caller has a reference
 *
 * Context: any; takes room->lock.
 */
u32 altconn_attempt_waiting(const struct altconn_listener *ln)
{
	u32 n;

	altconn_room_relock(ln->room);
	n = altconn_room_waiting(ln->room, ln);
	altconn_room_unlock(ln->room);
	return n;
}
