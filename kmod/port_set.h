/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PORT_SET_H
#define _ALTCONN_PORT_SET_H

#include "altconn.h"

struct altconn_addr;

/**
 * struct altconn_port_set - ports that are known to be taken, for searches with
 *	one socket type, address and IPV6_V6ONLY
 * @node: link in the namespace's list; added under port_lock of the namespace,
 *	read under RCU
 * @type: socket type of the endpoints that search
 * @v6only: IPV6_V6ONLY of the endpoints that search
 * @addr: the address that these endpoints bind to, with port 0; a reference
 * @taken: the ports, by number
 * @freed: how many times altconn_port_set_remove() has removed a port; may wrap
 *
 * Lifetime: A set is freed with its namespace.
 */
struct altconn_port_set {
	struct list_head	node;
	u8			type;
	bool			v6only;
	struct altconn_addr	*addr;
	struct xarray		taken;
	atomic_t		freed;
};

struct altconn_port_set *altconn_port_get_set(struct sock *sk,
					      struct altconn_addr *addr);
void altconn_port_sets_remove(struct net *net, int type,
			      const struct altconn_addr *addr);

/**
 * altconn_port_set_remove() - remove a port from one set
 * @set: the set
 * @port: the port, in the set or not
 *
 * If the port was in the set, a search that runs and finds no free port is
 * repeated (port_search()).
 *
 * Context: process; does not sleep; the stripe lock of the port may be held.
 */
static inline void altconn_port_set_remove(struct altconn_port_set *set,
					   u32 port)
{
	if (!xa_erase(&set->taken, port))
		return;
	/*
	 * Erase the port from @taken before @freed changes. Pairs with the
	 * acquire in port_search().
	 */
	smp_mb__before_atomic();
	atomic_inc(&set->freed);
}

#endif /* _ALTCONN_PORT_SET_H */
