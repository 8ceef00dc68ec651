// SPDX-License-Identifier: GPL-2.0
/*
 * The search for an ephemeral port.
 *
 * A search begins after the port that the last search on the same CPU found,
 * and mostly finds a free port at once. The first searches of the CPUs begin at
 * different parts of the range, so that two CPUs seldom try the same port.
 * After PORT_TRIES taken ports in a row, the search uses a set of ports that
 * are known to be taken (port_set.c), and tries only ports that are not in the
 * set. The next such port is found in O(log n).
 *
 * A search adds each port that it tries to the set. So later searches do not
 * try the port until a binding with the port is removed, which removes the port
 * from the set.
 */

#include <linux/math64.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include "addr.h"
#include "binding.h"
#include "netns.h"
#include "place.h"
#include "port.h"
#include "port_set.h"

/* Number of ports that are tried before a set is used. */
#define PORT_TRIES		8

/* The first and the last port of a search, and the port to try next. */
struct port_range {
	u32	min;
	u32	max;
	u32	next;
};

/**
 * altconn_port_init() - initialize the searches for ports of a new namespace
 * @an: the namespace, zeroed; no other thread uses it yet
 *
 * Context: process, may sleep.
 * Return: 0 on success; -ENOMEM, and the caller calls altconn_port_exit().
 */
int altconn_port_init(struct altconn_net *an)
{
	INIT_LIST_HEAD(&an->port_sets);
	spin_lock_init(&an->port_lock);
	an->port_next = __alloc_percpu(sizeof(u32) * (ALTCONN_KIND_INET + 1),
				       sizeof(u32));
	return an->port_next ? 0 : -ENOMEM;
}

/**
 * altconn_port_exit() - undo altconn_port_init()
 * @an: the namespace; no endpoint is bound in it
 *
 * Context: process.
 */
void altconn_port_exit(struct altconn_net *an)
{
	struct altconn_port_set *set, *next;

	list_for_each_entry_safe(set, next, &an->port_sets, node) {
		xa_destroy(&set->taken);
		altconn_addr_put(set->addr);
		kfree(set);
	}
	free_percpu(an->port_next);
}

/* Return false for a port in net.ipv4.ip_local_reserved_ports. */
static bool port_is_usable(struct net *net, const struct altconn_addr *addr)
{
	return addr->kind != ALTCONN_KIND_INET ||
	       !inet_is_local_reserved_port(net, addr->port);
}

/*
 * Get the range of a search: the ports of net.altconn.ephemeral_port_min and
 * _max or, for inet addresses, of net.ipv4.ip_local_port_range. Return 0, or
 * -EAGAIN if the range is empty.
 */
static int port_get_range(struct net *net, enum altconn_kind kind,
			  struct port_range *r)
{
	struct altconn_net *an = altconn_pernet(net);
	int low, high, cpu;

	r->min = READ_ONCE(an->port_min);
	r->max = READ_ONCE(an->port_max);
	if (kind == ALTCONN_KIND_INET) {
		inet_get_local_port_range(net, &low, &high);
		r->min = low;
		r->max = high;
	}
	if (r->max < r->min)
		return -EAGAIN;
	/* It does not matter if the thread runs on another CPU by now. */
	cpu = raw_smp_processor_id();
	r->next = READ_ONCE(per_cpu_ptr(an->port_next, cpu)[kind]);
	if (r->next < r->min || r->next > r->max)
		r->next = r->min +
			  div_u64((u64)(r->max - r->min) * cpu, nr_cpu_ids);
	return 0;
}

/*
 * Return -EADDRINUSE if the search is to go on, or -EINTR after a fatal signal.
 * No other signal ends the search: after a signal, connect() leaves a pending
 * attempt behind, and the attempt does not exist before the port is found.
 */
static int port_check_signal(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : -EADDRINUSE;
}

/*
 * Bind the endpoint to the port in @addr. Return 0, -EINTR, -ENOMEM, or
 * -EADDRINUSE if the port is taken.
 */
static __always_inline int port_try_port(struct sock *sk,
					 struct altconn_addr *addr,
					 enum altconn_bind_how how)
{
	u32 __percpu *next = altconn_pernet(sock_net(sk))->port_next;
	int err = altconn_binding_add(sk, addr, how);

	if (err == -EADDRINUSE)
		return port_check_signal();
	if (!err)
		WRITE_ONCE(raw_cpu_ptr(next)[addr->kind], addr->port + 1);
	return err;
}

/*
 * Return whether a socket is bound to the address and port in @addr, without
 * the cost of an attempt to bind. Conflicts with bindings to other addresses of
 * the port, or to :: with IPV6_V6ONLY, are not noticed.
 */
static bool port_is_bound(const struct sock *sk,
			  const struct altconn_addr *addr)
{
	bool bound;

	rcu_read_lock();
	bound = altconn_place_find(sock_net(sk), sk->sk_type, addr,
				   ALTCONN_CLOSEST);
	rcu_read_unlock();
	return bound;
}

/*
 * Try the next @n ports of the range, without a set. Return 0, -EINTR, -ENOMEM,
 * -EADDRINUSE if all @n ports are taken, or -EAGAIN if all ports of the range
 * are taken.
 */
static int port_try_next(struct sock *sk, struct altconn_addr *addr,
			 enum altconn_bind_how how, struct port_range *r, u32 n)
{
	u32 size = r->max - r->min, i;
	int err;

	for (i = 0; i < n; i++) {
		addr->port = r->next;
		r->next = r->next == r->max ? r->min : r->next + 1;
		/*
		 * The first port is mostly free. For the others a lookup costs
		 * less than an attempt to bind that fails.
		 */
		if (!port_is_usable(sock_net(sk), addr) ||
		    (i && port_is_bound(sk, addr)))
			err = port_check_signal();
		else
			err = port_try_port(sk, addr, how);
		if (err != -EADDRINUSE)
			return err;
		if (i == size)
			return -EAGAIN;
	}
	return -EADDRINUSE;
}

/*
 * Try the ports from @min to @max that are not in @set. Return 0, -EINTR,
 * -ENOMEM, or -EADDRINUSE if no port from @min to @max is free.
 */
static int port_try_outside_set(struct sock *sk, struct altconn_addr *addr,
				enum altconn_bind_how how,
				struct altconn_port_set *set, u32 min, u32 max)
{
	int err = -EADDRINUSE;
	u32 port = min;

	while (err == -EADDRINUSE) {
		/*
		 * Add the port to the set, then try it. In the other order, a
		 * binding could be removed between the two, and the port would
		 * stay in the set though it is free.
		 */
		err = xa_alloc(&set->taken, &port, xa_mk_value(0),
			       XA_LIMIT(port, max), GFP_KERNEL_ACCOUNT);
		if (err)
			return err == -EBUSY ? -EADDRINUSE : -ENOMEM;
		addr->port = port;
		if (port_is_usable(sock_net(sk), addr)) {
			err = port_try_port(sk, addr, how);
			if (err && err != -EADDRINUSE)
				altconn_port_set_remove(set, port);
			continue;
		}
		/*
		 * This port is reserved and is not tried, so it may be free. A
		 * free port must not stay in the set, because only the removal
		 * of a binding removes a port from the set.
		 */
		xa_erase(&set->taken, port);
		err = port_check_signal();
		if (port++ == max)
			break;
	}
	return err;
}

/*
 * Search the whole range, from @r->next on. If no port is free, but a port has
 * left the set since the search began, search again. Return 0, -EINTR, -ENOMEM,
 * or -EAGAIN if all ports of the range are taken.
 */
static int port_search(struct sock *sk, struct altconn_addr *addr,
		       enum altconn_bind_how how, struct altconn_port_set *set,
		       const struct port_range *r)
{
	int err, freed;

	do {
		/*
		 * Ports that left the set before this read are not in the set
		 * that the search sees. Pairs with altconn_port_set_remove().
		 */
		freed = atomic_read_acquire(&set->freed);
		err = port_try_outside_set(sk, addr, how, set, r->next, r->max);
		if (err == -EADDRINUSE && r->next > r->min)
			err = port_try_outside_set(sk, addr, how, set, r->min,
						   r->next - 1);
		if (err == -EADDRINUSE)
			err = port_check_signal();
	} while (err == -EADDRINUSE && freed != atomic_read(&set->freed));
	return err == -EADDRINUSE ? -EAGAIN : err;
}

/**
 * altconn_port_bind() - bind an endpoint to an ephemeral port
 * @sk: the endpoint, not bound yet
 * @addr: an address of kind PORT or INET; its port is overwritten
 * @how: ALTCONN_BIND_CHOSEN or ALTCONN_BIND_AUTO
 *
 * The endpoint gets the next free port after the one that the last search in
 * the namespace found. So a port is not reused at once.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0; -EAGAIN if no port is left (E-AGAIN-PORT); -EINTR if the process
 * is being killed; -ENOMEM.
 */
int altconn_port_bind(struct sock *sk, struct altconn_addr *addr,
		      enum altconn_bind_how how)
{
	struct altconn_port_set *set;
	struct port_range r;
	int err;

	err = port_get_range(sock_net(sk), addr->kind, &r) ? :
	      port_try_next(sk, addr, how, &r, PORT_TRIES);
	if (err != -EADDRINUSE)
		return err;
	set = altconn_port_get_set(sk, addr);
	if (!set)
		return port_try_next(sk, addr, how, &r, U32_MAX);
	return port_search(sk, addr, how, set, &r);
}
