// SPDX-License-Identifier: GPL-2.0
/*
 * The search for an ephemeral port.
 *
 * The search begins where the last one ended, and mostly finds a free port at
 * once. If several ports in a row are taken, it goes on with a set of ports
 * that are known to be taken (port_set.c), and finds the next port that is not
 * in the set in O(log n). A port enters the set when a search with that set
 * tries it, so each taken port is tried only once. The port leaves the set when
 * a socket gives it up.
 */

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include "addr.h"
#include "binding.h"
#include "netns.h"
#include "port.h"
#include "port_set.h"

/* Number of ports that are tried one by one before a set is used. */
#define PORT_TRIES		8

/* The bounds of a search, inclusive, and the port to try next. */
struct port_range {
	u32	min;
	u32	max;
	u32	next;
};

/**
 * altconn_port_init() - initialise a namespace without port sets
 * @an: the namespace
 *
 * Context: process; no other code uses the namespace yet.
 */
void altconn_port_init(struct altconn_net *an)
{
	INIT_LIST_HEAD(&an->port_sets);
	spin_lock_init(&an->port_lock);
}

/**
 * altconn_port_exit() - free the port sets of a namespace
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
}

static bool port_is_usable(struct net *net, const struct altconn_addr *addr)
{
	return addr->kind != ALTCONN_KIND_INET ||
	       !inet_is_local_reserved_port(net, addr->port);
}

/* Get the range of a search. Return 0, or -EAGAIN if the range is empty. */
static int port_get_range(struct net *net, enum altconn_kind kind, struct port_range *r)
{
	struct altconn_net *an = altconn_pernet(net);
	int low, high;

	r->min = READ_ONCE(an->port_min);
	r->max = READ_ONCE(an->port_max);
	if (kind == ALTCONN_KIND_INET) {
		inet_get_local_port_range(net, &low, &high);
		r->min = low;
		r->max = high;
	}
	if (r->max < r->min)
		return -EAGAIN;
	r->next = READ_ONCE(an->port_next[kind]);
	if (r->next < r->min || r->next > r->max)
		r->next = r->min;
	return 0;
}

/*
 * Return -EADDRINUSE if the search is to go on, or -EINTR. Only a fatal signal
 * ends the search. When another signal ends connect(), its attempt goes on, but
 * no attempt exists yet.
 */
static int port_check_signal(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : -EADDRINUSE;
}

static __always_inline int port_try_port(struct sock *sk,
					 struct altconn_addr *addr,
					 enum altconn_bind_how how)
{
	u32 *hint = &altconn_pernet(sock_net(sk))->port_next[addr->kind];
	int err = altconn_bind_insert(sk, addr, how);

	if (err == -EADDRINUSE)
		return port_check_signal();
	if (!err)
		WRITE_ONCE(*hint, addr->port + 1);
	return err;
}

/*
 * Try the next @n ports of the range. Return 0; -EADDRINUSE: all @n ports are
 * taken; -EAGAIN: all ports of the range are; -EINTR; -ENOMEM.
 */
static int port_try_next(struct sock *sk, struct altconn_addr *addr,
			 enum altconn_bind_how how, struct port_range *r, u32 n)
{
	u32 size = r->max - r->min, i;
	int err;

	for (i = 0; i < n; i++) {
		addr->port = r->next;
		r->next = r->next == r->max ? r->min : r->next + 1;
		err = port_is_usable(sock_net(sk), addr) ?
		      port_try_port(sk, addr, how) : port_check_signal();
		if (err != -EADDRINUSE)
			return err;
		if (i == size)
			return -EAGAIN;
	}
	return -EADDRINUSE;
}

/*
 * Try the ports from @min to @max that are not known to be taken. Return 0;
 * -EADDRINUSE: all these ports are taken; -EINTR; -ENOMEM.
 */
static int port_try_set(struct sock *sk, struct altconn_addr *addr,
			enum altconn_bind_how how, struct altconn_port_set *set,
			u32 min, u32 max)
{
	int err = -EADDRINUSE;
	u32 port = min;

	while (err == -EADDRINUSE) {
		/*
		 * The port enters the set before it is tried, so that it is in
		 * the set already if it is taken.
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
		 * No socket holds this reserved port, so none would remove it
		 * from the set later.
		 */
		xa_erase(&set->taken, port);
		err = port_check_signal();
		if (port++ == max)
			break;
	}
	return err;
}

/*
 * Search the whole range. Search again if a port that this search has passed
 * was freed meanwhile. Return 0, -EAGAIN, -EINTR or -ENOMEM.
 */
static int port_search(struct sock *sk, struct altconn_addr *addr,
		       enum altconn_bind_how how, struct altconn_port_set *set,
		       const struct port_range *r)
{
	int err, freed;

	do {
		/* Pairs with altconn_port_set_remove(). */
		freed = atomic_read_acquire(&set->freed);
		err = port_try_set(sk, addr, how, set, r->next, r->max);
		if (err == -EADDRINUSE && r->next > r->min)
			err = port_try_set(sk, addr, how, set, r->min,
					   r->next - 1);
		if (err == -EADDRINUSE)
			err = port_check_signal();
	} while (err == -EADDRINUSE && freed != atomic_read(&set->freed));
	return err == -EADDRINUSE ? -EAGAIN : err;
}

/**
 * altconn_port_bind() - bind an endpoint to an ephemeral port
 * @sk: the endpoint, not bound yet
 * @addr: an address of kind PORT or INET; the port is filled in
 * @how: ALTCONN_BIND_CHOSEN or ALTCONN_BIND_AUTO
 *
 * The endpoint gets the next free port after the one that was assigned last, so
 * a port that was given up is not reused at once.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0; -EAGAIN: no port is left (E-AGAIN-PORT); -EINTR: the process is
 * being killed; -ENOMEM.
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
