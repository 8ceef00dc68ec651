/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PORT_SET_H
#define _ALTCONN_PORT_SET_H

#include "altconn.h"

struct altconn_addr;

/**
 * struct altconn_port_set - ports that are known to be taken
 * @node: link in the namespace's list; added under its port_lock, read under
 *	RCU
 * @type: socket type of the searching endpoints
 * @v6only: IPV6_V6ONLY of the searching endpoints
 * @addr: the address that a search binds to, with port 0; a reference
 * @taken: the ports, by number
 * @freed: number of ports that have left @taken
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
 * @port: the port; may be absent from the set
 *
 * Running searches see that a port was freed, and search again.
 *
 * Context: process; does not sleep; the stripe lock of the port may be held.
 */
static inline void altconn_port_set_remove(struct altconn_port_set *set,
					   u32 port)
{
	if (!xa_erase(&set->taken, port))
		return;
	/*
	 * Erase the port before the count changes. Pairs with the acquire in
	 * port_search().
	 */
	smp_mb__before_atomic();
	atomic_inc(&set->freed);
}

#endif /* _ALTCONN_PORT_SET_H */
