// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: their lifetime, and the lookup of the closest one of an address.
 */

#include <linux/slab.h>
#include "addr.h"
#include "listener.h"
#include "node.h"
#include "place.h"
#include "room.h"
#include "sock.h"
#include "task_info.h"

/**
 * altconn_listener_free() - the last reference is gone
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
void altconn_listener_free(struct altconn_listener *ln)
{
	altconn_room_put(ln->room);
	altconn_addr_put(ln->addr);
	put_pid(ln->who.pid);
	put_cred(ln->cred);
	kfree_rcu(ln, rcu);
}

/**
 * altconn_listener_of() - the listener of an endpoint
 * @sk: the endpoint
 *
 * Context: any; takes no lock.
 * Return: a reference, or NULL.
 */
struct altconn_listener *altconn_listener_of(const struct sock *sk)
{
	struct altconn_listener *ln;

	rcu_read_lock();
	ln = rcu_dereference(altconn_sk(sk)->listener);
	if (ln && !refcount_inc_not_zero(&ln->refs))
		ln = NULL;
	rcu_read_unlock();
	return ln;
}

/* What an address is that has no listener. */
struct found {
	bool	bound, wrong_type;
};

/* Whose turn it is among those who share an address. */
static atomic_t listener_rr_next;

/* The @nth of those that serve an address as closely as @score. */
static struct altconn_listener *
listener_select_nth(const struct altconn_place *place,
		    const struct altconn_addr *addr, unsigned int score,
		    unsigned int nth)
{
	struct altconn_listener *ln, *last = NULL;
	struct altconn_bind *bind;
	bool full, found = false;

	altconn_bind_for_each_listener(bind, place) {
		ln = rcu_dereference(bind->listener);
		if (!ln || altconn_bind_score(bind, addr) != score)
			continue;
		/*
		 * One whose backlog is full is passed over, if there is
		 * another; else it is as good as the others.
		 */
		full = READ_ONCE(ln->queued) > READ_ONCE(ln->backlog);
		if (!full || (!found && (!last || nth == 0)))
			last = ln;
		found |= !full;
		if (nth-- == 0 && !full)
			break;
	}
	return last;
}

/* A listener of a place, in turn. RCU read side. */
static struct altconn_listener *
listener_lookup_place(const struct altconn_place *place, int type,
		      const struct altconn_addr *addr, unsigned int score,
		      bool *changed)
{
	struct altconn_listener *ln, *found = NULL;
	struct altconn_bind *bind;
	unsigned int equals = 0, nth;

	altconn_bind_for_each_listener(bind, place) {
		ln = rcu_dereference(bind->listener);
		if (unlikely(!ln))
			*changed = true;
		if (!ln || bind->type != type ||
		    altconn_bind_score(bind, addr) != score)
			continue;
		found = ln;
		equals++;
	}
	if (unlikely(equals > 1)) {
		nth = (u32)atomic_inc_return(&listener_rr_next) % equals;
		found = listener_select_nth(place, addr, score, nth);
		*changed |= !found;
	}
	return found;
}

/*
 * The closest listener of an address. @changed: one closes just now, and another
 * may have come, so a lookup that finds none has to be repeated. RCU read side.
 */
static struct altconn_listener *
listener_lookup_best(struct net *net, int type, const struct altconn_addr *addr,
		     bool *changed)
{
	unsigned int score = ALTCONN_CLOSEST;
	struct altconn_listener *ln = NULL;
	const struct altconn_place *place;

	for (; score && !ln && !*changed; score--) {
		place = altconn_bind_place(net, type, addr, score);
		ln = listener_lookup_place(place, type, addr, score, changed);
	}
	return ln;
}

/* What an address without a listener is. RCU read side. */
static void listener_lookup_any(struct net *net, int type,
				const struct altconn_addr *addr,
				struct found *found)
{
	const struct altconn_bind *bind = altconn_bind_find(net, type, addr);

	found->bound = bind;
	found->wrong_type = bind && bind->type != type;
}

static int listener_refusal(const struct altconn_addr *addr,
			    const struct found *found, u32 *reason)
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

static struct altconn_listener *
listener_find_here(struct net *net, int type, const struct altconn_addr *addr,
		   u32 *reason)
{
	struct altconn_listener *ln;
	struct found found;
	bool changed;

	rcu_read_lock();
	do {
		changed = false;
		ln = listener_lookup_best(net, type, addr, &changed);
		/* One that goes is not found again, and another one may be. */
	} while (ln ? !refcount_inc_not_zero(&ln->refs) : changed);
	if (!ln)
		listener_lookup_any(net, type, addr, &found);
	rcu_read_unlock();
	return ln ? : ERR_PTR(listener_refusal(addr, &found, reason));
}

static noinline struct altconn_listener *
listener_find_far(const struct net *net, int type,
		  const struct altconn_addr *addr, u32 *reason)
{
	struct altconn_listener *ln;
	struct altconn_addr there;
	struct net *target;

	target = altconn_node_get(net, addr, &there, reason);
	if (IS_ERR(target))
		return ERR_CAST(target);
	ln = listener_find_here(target, type, &there, reason);
	put_net(target);
	return ln;
}

/**
 * altconn_listener_find() - who listens at an address
 * @net: the caller's namespace
 * @type: the caller's socket type
 * @addr: canonical address; of a path, its inode is pinned by the caller
 * @reason: why nobody does
 *
 * Context: any; takes no lock.
 * Return: a reference; ERR_PTR(-ECONNREFUSED): nobody (E-CONNREFUSED);
 * ERR_PTR(-EPROTOTYPE): the path is a socket of another type (E-PROTOTYPE); of
 * another node also what altconn_node_get() says.
 */
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason)
{
	if (unlikely(addr->far))
		return listener_find_far(net, type, addr, reason);
	return listener_find_here(net, type, addr, reason);
}

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
	INIT_LIST_HEAD(&ln->member);
	ln->addr = altconn_addr_get(ask->bind->addr);
	ln->backlog = backlog;
	ln->sk = sk;
	ln->net = sock_net(sk);
	ln->netns = ln->net->ns.inum;
	ln->type = sk->sk_type;
	ln->dress = ask->dress;
	ln->fail_fast = ask->fail_fast;
	ln->defer = ask->defer;
	ln->reachable = ask->bind->reachable;
	ln->who = altconn_who_am_i();
	ln->cred = get_current_cred();
	return ln;
}
