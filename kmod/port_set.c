// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of ports that are known to be taken.
 *
 * A set is for one socket type, address and IPV6_V6ONLY, because a port that is
 * taken at one IP address may be free at another.
 *
 * Invariant: A port in a set is taken, or a search has just added it and has
 * not finished with it. A taken port may be missing in the set. The invariant
 * holds because
 *
 *  - a search adds a port to the set first, and then finds out, under the
 *    stripe lock of the port, whether the port is taken, and
 *  - a binding is removed from the table, and its port from all sets of its
 *    socket type and kind of address, in one hold of the same lock.
 */

#include <linux/slab.h>
#include <linux/xarray.h>
#include "addr.h"
#include "netns.h"
#include "port_set.h"
#include "sock.h"

/*
 * Maximum number of sets of a namespace. Without a set, a search tries all
 * ports one by one.
 */
#define PORT_SETS_MAX	16

/* Return whether the set is for a search of @sk for a port at @addr. */
static bool port_set_matches(const struct altconn_port_set *set,
			     const struct sock *sk,
			     const struct altconn_addr *addr)
{
	return set->type == sk->sk_type &&
	       set->v6only == altconn_sk(sk)->v6only &&
	       altconn_addr_equal(set->addr, addr);
}

static struct altconn_port_set *port_new_set(const struct sock *sk,
					     const struct altconn_addr *addr)
{
	struct altconn_port_set *set;

	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	set->type = sk->sk_type;
	set->v6only = altconn_sk(sk)->v6only;
	xa_init_flags(&set->taken, XA_FLAGS_ALLOC | XA_FLAGS_ACCOUNT);
	set->addr = altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
	if (set->addr)
		return set;
	kfree(set);
	return NULL;
}

static struct altconn_port_set *port_find_set(struct altconn_net *an,
					      const struct sock *sk,
					      const struct altconn_addr *addr)
{
	struct altconn_port_set *set, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(set, &an->port_sets, node)
		if (port_set_matches(set, sk, addr))
			found = set;
	rcu_read_unlock();
	return found;
}

/**
 * altconn_port_get_set() - find or make the port set for a search
 * @sk: the endpoint to bind
 * @addr: the address to bind to; its port is set to 0
 *
 * Context: process, may sleep.
 * Return: the set, valid as long as the namespace; NULL if there is no memory,
 * or if the namespace has PORT_SETS_MAX sets already.
 */
struct altconn_port_set *altconn_port_get_set(struct sock *sk,
					      struct altconn_addr *addr)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_port_set *set, *new;

	addr->port = 0;
	set = port_find_set(an, sk, addr);
	if (set || READ_ONCE(an->n_port_sets) >= PORT_SETS_MAX)
		return set;
	new = port_new_set(sk, addr);
	if (!new)
		return NULL;
	spin_lock(&an->port_lock);
	set = port_find_set(an, sk, addr);
	if (!set && an->n_port_sets < PORT_SETS_MAX) {
		list_add_rcu(&new->node, &an->port_sets);
		WRITE_ONCE(an->n_port_sets, an->n_port_sets + 1);
		swap(set, new);
	}
	spin_unlock(&an->port_lock);
	if (new) {
		altconn_addr_put(new->addr);
		kfree(new);
	}
	return set;
}

/**
 * altconn_port_sets_remove() - remove the port of a removed binding from all
 *	sets of its socket type and kind of address
 * @net: the namespace
 * @type: socket type of the binding
 * @addr: address of the binding
 *
 * Context: process; the stripe lock of @addr held since the binding was removed
 * from the table.
 */
void altconn_port_sets_remove(struct net *net, int type,
			      const struct altconn_addr *addr)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_port_set *set;

	/*
	 * A search whose set has this port added the set to the list before it
	 * tried the port under the stripe lock. If it tried the port before
	 * this hold of the lock, the list is not empty here.
	 */
	if (list_empty(&an->port_sets))
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(set, &an->port_sets, node)
		if (set->type == type && set->addr->kind == addr->kind)
			altconn_port_set_remove(set, addr->port);
	rcu_read_unlock();
}
