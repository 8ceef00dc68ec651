// SPDX-License-Identifier: GPL-2.0
/*
 * Sets of ports that are known to be taken.
 *
 * A set belongs to a socket type and an IP address: a port that is taken at one
 * address may be free at another. It may know too few of the taken ports, never too
 * many: a search finds a port taken under the stripe of the port, after it put the
 * port into its set; and a binding leaves the table, and its port the sets, in one
 * hold of the stripe.
 */

#include <linux/slab.h>
#include <linux/xarray.h>
#include "addr.h"
#include "netns.h"
#include "port_set.h"
#include "sock.h"

/* A namespace's; where there are more, ports are tried one by one. */
#define SETS_MAX	16

static bool port_same_set(const struct altconn_port_set *set,
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
	struct altconn_port_set *set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);

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
		if (port_same_set(set, sk, addr))
			found = set;
	rcu_read_unlock();
	return found;
}

/* The set of who searches; @addr has no port. NULL: no memory, or too many. */
struct altconn_port_set *altconn_port_get_set(struct sock *sk,
					      struct altconn_addr *addr)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_port_set *set, *new;

	addr->port = 0;
	set = port_find_set(an, sk, addr);
	if (set || READ_ONCE(an->n_port_sets) >= SETS_MAX)
		return set;
	new = port_new_set(sk, addr);
	if (!new)
		return NULL;
	spin_lock(&an->port_lock);
	set = port_find_set(an, sk, addr);
	if (!set && an->n_port_sets < SETS_MAX) {
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

void altconn_port_free_port(struct altconn_port_set *set, u32 port)
{
	if (!xa_erase(&set->taken, port))
		return;
	/* Free first, then counted: pairs with port_search(). */
	smp_mb__before_atomic();
	atomic_inc(&set->freed);
}

/**
 * altconn_port_free() - a port is given up
 * @net: the namespace
 * @type: socket type
 * @addr: the address, out of the table of bindings already
 *
 * Context: process; the stripe of the address held since it left the table.
 */
void altconn_port_free(struct net *net, int type,
		       const struct altconn_addr *addr)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_port_set *set;

	/*
	 * A search that found this port taken had added its set before, since the caller
	 * holds the stripe.
	 */
	if (list_empty(&an->port_sets))
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(set, &an->port_sets, node)
		if (set->type == type && set->addr->kind == addr->kind)
			altconn_port_free_port(set, addr->port);
	rcu_read_unlock();
}
