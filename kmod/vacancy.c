// SPDX-License-Identifier: GPL-2.0
/*
 * Vacancies: where attempts wait for a listener to appear
 * (ALTCONN_WAIT_LISTENER).
 *
 * A vacancy is a listener without an endpoint, one for each key of the table of
 * bindings that somebody waits for; of inet addresses that is a port, so those
 * who wait for different IP addresses stand in one queue. It appears with the
 * first attempt and goes with the last. All of it happens under the key's
 * stripe: who finds no listener there is in the vacancy before listen() looks
 * into it.
 */

#include <linux/slab.h>
#include "altconn.h"

static struct rhashtable vacancies;

/* So many move in one hold of the locks. */
#define FILL_BATCH	1024

static u32 hash_vacancy(const void *data, u32 len, u32 seed)
{
	const struct altconn_listener *ln = data;
	const struct altconn_key key = altconn_key(ln->net, ln->type, ln->addr);

	return altconn_key_hash(&key, 0, seed);
}

static int compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct altconn_listener *ln = obj;

	return !altconn_key_equal(arg->key, ln->net, ln->type, ln->addr);
}

static const struct rhashtable_params params = {
	.head_offset		= offsetof(struct altconn_listener, vacancy),
	.hashfn			= altconn_key_hash,
	.obj_hashfn		= hash_vacancy,
	.obj_cmpfn		= compare,
	.automatic_shrinking	= true,
};

static struct altconn_listener *vacancy_new(const struct altconn_assoc *assoc)
{
	struct altconn_listener *ln;

	ln = altconn_listener_new(assoc->end[ALTCONN_SERVER].addr);
	if (!ln)
		return NULL;
	ln->netns = assoc->an->net->ns.inum;
	ln->vacant = true;
	ln->type = assoc->type;
	ln->net = assoc->an->net;
	return ln;
}

static struct altconn_listener *find(const struct net *net, int type,
				     const struct altconn_addr *addr)
{
	const struct altconn_key key = altconn_key(net, type, addr);
	struct altconn_listener *ln;

	rcu_read_lock();
	ln = rhashtable_lookup(&vacancies, &key, params);
	if (ln && !refcount_inc_not_zero(&ln->refs))
		ln = NULL;
	rcu_read_unlock();
	return ln;
}

/* The vacancy of the attempt's key, made of *@spare when there is none. */
static struct altconn_listener *get(const struct altconn_assoc *assoc,
				    struct altconn_listener **spare)
{
	struct altconn_listener *ln;

	ln = find(assoc->an->net, assoc->type, assoc->end[ALTCONN_SERVER].addr);
	if (ln)
		return ln;
	ln = *spare;
	if (rhashtable_insert_fast(&vacancies, &ln->vacancy, params))
		return NULL;
	/* The first reference is the table's now. */
	*spare = NULL;
	refcount_inc(&ln->refs);
	return ln;
}

static int enter(struct altconn_assoc *assoc, struct altconn_listener *from,
		 struct altconn_listener **spare, u32 *reason)
{
	struct altconn_listener *ln;
	int err;

	ln = altconn_listener_find(assoc->an->net, assoc->type,
				   assoc->end[ALTCONN_SERVER].addr, reason);
	if (IS_ERR(ln))
		ln = get(assoc, spare);
	*reason = ALTCONN_REASON_NO_MEMORY;
	if (!ln)
		return -ENOMEM;
	err = from ? altconn_listener_reenter(from, ln, assoc, reason) :
		     altconn_listener_enter(ln, assoc, reason);
	altconn_listener_put(ln);
	return err;
}

/**
 * altconn_vacancy_enter() - let an attempt wait for a listener
 * @assoc: the attempt
 * @from: the listener that it waited at and that closes; NULL for a new one
 * @reason: why not
 *
 * When a listener has come meanwhile the attempt enters that.
 *
 * Context: process, may sleep; lock_sock() of the client held if it is new.
 * Return: 0; -ECONNREFUSED: too many wait; -ENOMEM. On failure the attempt is
 * where it was.
 */
int altconn_vacancy_enter(struct altconn_assoc *assoc,
			  struct altconn_listener *from, u32 *reason)
{
	spinlock_t *stripe =
		altconn_bind_stripe(assoc->an->net, assoc->type,
				    assoc->end[ALTCONN_SERVER].addr);
	struct altconn_listener *spare = vacancy_new(assoc);
	int err;

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (!spare)
		return -ENOMEM;
	spin_lock(stripe);
	/* Again when the vacancy went just then: it is out of the table. */
	do {
		err = enter(assoc, from, &spare, reason);
	} while (err == -EAGAIN);
	spin_unlock(stripe);
	if (spare)
		altconn_listener_put(spare);
	return err;
}

/**
 * altconn_vacancy_fill() - a listener appears
 * @ln: the listener; those who waited for it enter it in their order
 * @bind: its binding
 *
 * Not all at once: who comes meanwhile queues up in the vacancy still.
 *
 * Context: process; the key's stripe held.
 * Return: whether more of them are there.
 */
bool altconn_vacancy_fill(struct altconn_listener *ln,
			  const struct altconn_bind *bind)
{
	struct altconn_listener *from = find(bind->net, bind->type, bind->addr);
	struct altconn_assoc *assoc, *next;
	int left = FILL_BATCH;

	if (!from)
		return false;
	spin_lock(&from->lock);
	spin_lock_nested(&ln->lock, SINGLE_DEPTH_NESTING);
	list_for_each_entry_safe(assoc, next, &from->waiters, node) {
		if (!altconn_bind_score(bind, assoc->end[ALTCONN_SERVER].addr))
			continue;
		if (!left--)
			break;
		altconn_listener_move(from, ln, assoc);
		ln->waited++;
	}
	spin_unlock(&ln->lock);
	spin_unlock(&from->lock);
	altconn_listener_put(from);
	return left < 0;
}

/**
 * altconn_vacancy_remove() - the last attempt has left
 * @ln: a vacancy, in the table or with an attempt that a rule holds; the caller has a
 *	reference
 *
 * Context: process; @ln's lock held.
 */
void altconn_vacancy_remove(struct altconn_listener *ln)
{
	lockdep_assert_held(&ln->lock);
	if (ln->closed)
		return;
	ln->closed = true;
	if (!ln->held)
		rhashtable_remove_fast(&vacancies, &ln->vacancy, params);
	altconn_listener_put(ln);
}

/**
 * altconn_vacancy_init() - make the table
 *
 * Return: 0 or -ENOMEM.
 */
int __init altconn_vacancy_init(void)
{
	return rhashtable_init(&vacancies, &params);
}

/**
 * altconn_vacancy_exit() - undo altconn_vacancy_init()
 *
 * Context: process; no attempt is left.
 */
void altconn_vacancy_exit(void)
{
	/* A vacancy goes with the last attempt that waits there. */
	WARN_ON_ONCE(atomic_read(&vacancies.nelems));
	rhashtable_destroy(&vacancies);
}
