// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: their lifetime, and the lookup of the closest listener that serves
 * an address. altconn_place_find() of place.c defines the closeness.
 */

#include <linux/percpu.h>
#include <linux/slab.h>
#include "addr.h"
#include "listener.h"
#include "node.h"
#include "place.h"
#include "room.h"
#include "sock.h"
#include "task_info.h"

/**
 * altconn_listener_free() - free a listener without references
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
void altconn_listener_free(struct altconn_listener *ln)
{
	altconn_room_put(ln->room);
	altconn_addr_put(ln->addr);
	put_pid(ln->task.pid);
	put_cred(ln->cred);
	kfree_rcu(ln, rcu);
}

/**
 * altconn_listener_of() - look up the listener of an endpoint
 * @sk: the endpoint
 *
 * Context: any; takes no lock.
 * Return: the listener with a reference, or NULL if the endpoint does not
 * listen.
 */
struct altconn_listener *altconn_listener_of(const struct sock *sk)
{
	const struct altconn_extra *extra = altconn_extra_of(sk);
	struct altconn_listener *ln;

	if (!extra)
		return NULL;
	rcu_read_lock();
	ln = rcu_dereference(extra->listener);
	if (ln && !refcount_inc_not_zero(&ln->refs))
		ln = NULL;
	rcu_read_unlock();
	return ln;
}

/*
 * The binding of an address that has no listener: whether there is one, and
 * whether its socket has another type than the caller's.
 */
struct listener_found {
	bool	bound, wrong_type;
};

/*
 * Number of lookups on a CPU that had a choice of listeners. It selects the
 * listener, so that listeners that share an address take turns.
 */
static DEFINE_PER_CPU(u32, listener_nr_choices);

/*
 * Select one of the listeners of a place that serve @addr with @score: listener
 * number @nth, from 0, if its accept queue has space. If it has none, select
 * another listener that has space. If all of them are full, select number @nth.
 * Return NULL if all of them have just closed. The caller holds
 * rcu_read_lock().
 *
 * The socket type needs no check: only the place of a path may have listeners
 * of another type than the client's, and it has at most one listener.
 */
static struct altconn_listener *
listener_select_nth(const struct altconn_place *place,
		    const struct altconn_addr *addr, unsigned int score,
		    unsigned int nth)
{
	struct altconn_listener *ln, *last = NULL;
	struct altconn_bind *bind;
	bool full, found = false;

	altconn_place_for_each_listener(bind, place) {
		ln = rcu_dereference(bind->listener);
		if (!ln || altconn_place_closeness(bind, addr) != score)
			continue;
		full = READ_ONCE(ln->queued) > READ_ONCE(ln->backlog);
		/*
		 * As long as all listeners are full, keep the first one and
		 * then number @nth.
		 */
		if (!full || (!found && (!last || nth == 0)))
			last = ln;
		found |= !full;
		if (nth-- == 0 && !full)
			break;
	}
	return last;
}

/*
 * Return a listener of @type in a place that serves @addr with @score, or NULL.
 * If the place has several such listeners, they take turns. Set *@changed if a
 * listener of the place is closing. The caller holds rcu_read_lock().
 */
static struct altconn_listener *
listener_lookup_place(const struct altconn_place *place, int type,
		      const struct altconn_addr *addr, unsigned int score,
		      bool *changed)
{
	struct altconn_listener *ln, *found = NULL;
	struct altconn_bind *bind;
	unsigned int equals = 0, nth;

	altconn_place_for_each_listener(bind, place) {
		ln = rcu_dereference(bind->listener);
		if (unlikely(!ln))
			*changed = true;
		if (!ln || bind->type != type ||
		    altconn_place_closeness(bind, addr) != score)
			continue;
		found = ln;
		equals++;
	}
	if (unlikely(equals > 1)) {
		/* CPUs begin with different listeners. */
		nth = (this_cpu_inc_return(listener_nr_choices) +
		       raw_smp_processor_id()) % equals;
		found = listener_select_nth(place, addr, score, nth);
		*changed |= !found;
	}
	return found;
}

/*
 * Return the closest listener that serves @addr, without a reference, or NULL.
 * Set *@changed if the lookup met a listener that is closing. Another listener
 * may have taken its place, so in that case NULL means that the caller repeats
 * the lookup. The caller holds rcu_read_lock().
 */
static struct altconn_listener *
listener_lookup_best(struct net *net, int type, const struct altconn_addr *addr,
		     bool *changed)
{
	unsigned int score = ALTCONN_CLOSEST;
	struct altconn_listener *ln = NULL;
	const struct altconn_place *place;

	for (; score && !ln && !*changed; score--) {
		place = altconn_place_find(net, type, addr, score);
		ln = listener_lookup_place(place, type, addr, score, changed);
	}
	return ln;
}

/*
 * Find the closest binding of an address that has no listener, and describe it
 * in @found. The caller holds rcu_read_lock().
 */
static void listener_lookup_bound(struct net *net, int type,
				  const struct altconn_addr *addr,
				  struct listener_found *found)
{
	const struct altconn_bind *bind =
		altconn_place_find_bind(net, type, addr);

	found->bound = bind;
	found->wrong_type = bind && bind->type != type;
}

/*
 * Return the errno of a lookup that has found no listener, with *@reason set. A
 * path without a binding is a socket file whose socket has closed.
 */
static int listener_refusal(const struct altconn_addr *addr,
			    const struct listener_found *found, u32 *reason)
{
	if (found->wrong_type) {
		*reason = ALTCONN_REASON_WRONG_TYPE;
		return -EPROTOTYPE;
	}
	if (found->bound)
		*reason = ALTCONN_REASON_NOT_LISTENING;
	else if (addr->kind == ALTCONN_KIND_PATH)
		*reason = ALTCONN_REASON_STALE_PATH;
	else
		*reason = ALTCONN_REASON_NOT_BOUND;
	return -ECONNREFUSED;
}

/*
 * Look up the listener of an address in @net. Return it with a reference, or an
 * ERR_PTR() with *@reason set.
 */
static struct altconn_listener *
listener_find_local(struct net *net, int type, const struct altconn_addr *addr,
		    u32 *reason)
{
	struct altconn_listener *ln;
	struct listener_found found;
	bool changed;

	rcu_read_lock();
	do {
		changed = false;
		ln = listener_lookup_best(net, type, addr, &changed);
		/*
		 * A listener without references has left its place, so the
		 * repeated lookup does not find it again.
		 */
	} while (ln ? !refcount_inc_not_zero(&ln->refs) : changed);
	if (!ln)
		listener_lookup_bound(net, type, addr, &found);
	rcu_read_unlock();
	return ln ? : ERR_PTR(listener_refusal(addr, &found, reason));
}

/* Look up the listener of an address of another node, in that namespace. */
static noinline struct altconn_listener *
listener_find_xns(const struct net *net, int type,
		  const struct altconn_addr *addr, u32 *reason)
{
	struct altconn_listener *ln;
	struct altconn_addr there;
	struct net *target;

	target = altconn_node_get_net(net, addr, &there, reason);
	if (IS_ERR(target))
		return ERR_CAST(target);
	ln = listener_find_local(target, type, &there, reason);
	put_net(target);
	return ln;
}

/**
 * altconn_listener_find() - look up the closest listener that serves an address
 * @net: network namespace of the client
 * @type: socket type of the client
 * @addr: canonical address; the caller pins the inode of a path
 * @reason: set to an enum altconn_reason if no listener is found
 *
 * Context: any; takes no lock.
 * Return: the listener with a reference; ERR_PTR(-ECONNREFUSED) if no socket
 * listens at the address; ERR_PTR(-EPROTOTYPE) if a socket of another type is
 * bound to the path; for an address of another node also the errors of
 * altconn_node_get_net().
 */
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason)
{
	if (unlikely(addr->xns))
		return listener_find_xns(net, type, addr, reason);
	return listener_find_local(net, type, addr, reason);
}

/**
 * altconn_listener_new() - allocate a listener
 * @sk: an endpoint that is bound
 * @backlog: argument of listen()
 *
 * The caller sets the listener's id, and adds the listener to its waiting room
 * with altconn_attempt_add_listener().
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: the listener with one reference, or NULL if memory runs out.
 */
struct altconn_listener *altconn_listener_new(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln;

	ln = kzalloc(sizeof(*ln), GFP_KERNEL_ACCOUNT);
	if (!ln)
		return NULL;
	refcount_set(&ln->refs, 1);
	spin_lock_init(&ln->lock);
	INIT_LIST_HEAD(&ln->queue);
	INIT_LIST_HEAD(&ln->group_node);
	ln->addr = altconn_addr_get(ask->bind->addr);
	ln->backlog = backlog;
	ln->sk = sk;
	ln->net = sock_net(sk);
	ln->netns = ln->net->ns.inum;
	ln->type = sk->sk_type;
	ln->format = ask->format;
	ln->fail_fast = ask->fail_fast;
	ln->defer = ask->defer;
	ln->reachable = ask->bind->reachable;
	ln->task = altconn_task_info_current();
	ln->cred = get_current_cred();
	return ln;
}
