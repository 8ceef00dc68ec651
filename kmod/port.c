// SPDX-License-Identifier: GPL-2.0
/*
 * Ephemeral ports.
 *
 * The search begins where the last one ended and mostly finds a free port at
 * once. Where some in a row are taken it goes on in a set of those that are
 * known to be, which tells the next free one in O(log n). A port enters the set when a
 * search comes upon it, so each is come upon once, and leaves it when a socket
 * gives it up.
 *
 * A set belongs to a socket type and an IP address: a port that is taken at one
 * address may be free at another. It may know too few of those that are taken,
 * never too many: a search finds a port taken under the stripe of the port, after
 * it put the port into its set; and a binding leaves the table, and its port the
 * sets, in one hold of the stripe.
 */

#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include "altconn.h"

/* So many are tried one by one. */
#define TRIES		8

/* A namespace's; where there are more, ports are tried one by one. */
#define SETS_MAX	16

/**
 * struct altconn_port_set - ports that are taken
 * @node: in the namespace's list; added under its port_lock, read under RCU
 * @type: socket type
 * @v6only: of the sockets that search
 * @addr: what they are bound to, without a port
 * @taken: by port
 * @freed: counts those that left @taken
 *
 * Lifetime: the namespace's.
 */
struct altconn_port_set {
	struct list_head	node;
	u8			type;
	bool			v6only;
	struct altconn_addr	*addr;
	struct xarray		taken;
	atomic_t		freed;
};

/* Where a search is, and where it ends. */
struct port_range {
	u32	min;
	u32	max;
	u32	next;
};

/**
 * altconn_port_init() - a namespace's sets, none
 * @an: the namespace
 */
void altconn_port_init(struct altconn_net *an)
{
	INIT_LIST_HEAD(&an->port_sets);
	spin_lock_init(&an->port_lock);
}

/**
 * altconn_port_exit() - undo altconn_port_init()
 * @an: the namespace; nobody is bound in it
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

static bool port_may_use(struct net *net, const struct altconn_addr *addr)
{
	return addr->kind != ALTCONN_KIND_INET ||
	       !inet_is_local_reserved_port(net, addr->port);
}

/* -EAGAIN: there is none. */
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
 * No signal but one that kills ends the search: connect() has no attempt to go on
 * with yet.
 */
static int port_next_step(void)
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
		return port_next_step();
	if (!err)
		WRITE_ONCE(*hint, addr->port + 1);
	return err;
}

/* -EADDRINUSE: @n ports are taken; -EAGAIN: they were all. */
static int port_try_some(struct sock *sk, struct altconn_addr *addr,
			 enum altconn_bind_how how, struct port_range *r, u32 n)
{
	u32 size = r->max - r->min, i;
	int err;

	for (i = 0; i < n; i++) {
		addr->port = r->next;
		r->next = r->next == r->max ? r->min : r->next + 1;
		err = port_may_use(sock_net(sk), addr) ?
		      port_try_port(sk, addr, how) : port_next_step();
		if (err != -EADDRINUSE)
			return err;
		if (i == size)
			return -EAGAIN;
	}
	return -EADDRINUSE;
}

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
static struct altconn_port_set *port_get_set(struct sock *sk,
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

static void port_free_port(struct altconn_port_set *set, u32 port)
{
	if (!xa_erase(&set->taken, port))
		return;
	/* Free first, then counted: pairs with port_search(). */
	smp_mb__before_atomic();
	atomic_inc(&set->freed);
}

/* As port_try_some(), of the ports from @min to @max that are not known as taken. */
static int port_try_set(struct sock *sk, struct altconn_addr *addr,
			enum altconn_bind_how how, struct altconn_port_set *set,
			u32 min, u32 max)
{
	int err = -EADDRINUSE;
	u32 port = min;

	while (err == -EADDRINUSE) {
		/* It is marked before it is tried, so that it stays if it is taken. */
		err = xa_alloc(&set->taken, &port, xa_mk_value(0),
			       XA_LIMIT(port, max), GFP_KERNEL_ACCOUNT);
		if (err)
			return err == -EBUSY ? -EADDRINUSE : -ENOMEM;
		addr->port = port;
		if (port_may_use(sock_net(sk), addr)) {
			err = port_try_port(sk, addr, how);
			if (err && err != -EADDRINUSE)
				port_free_port(set, port);
			continue;
		}
		/* Whoever frees ports does not free this one. */
		xa_erase(&set->taken, port);
		err = port_next_step();
		if (port++ == max)
			break;
	}
	return err;
}

/* All of the range; again when a port was freed behind our back meanwhile. */
static int port_search(struct sock *sk, struct altconn_addr *addr,
		       enum altconn_bind_how how, struct altconn_port_set *set,
		       const struct port_range *r)
{
	int err, freed;

	do {
		/* Pairs with port_free_port(). */
		freed = atomic_read_acquire(&set->freed);
		err = port_try_set(sk, addr, how, set, r->next, r->max);
		if (err == -EADDRINUSE && r->next > r->min)
			err = port_try_set(sk, addr, how, set, r->min,
					   r->next - 1);
		if (err == -EADDRINUSE)
			err = port_next_step();
	} while (err == -EADDRINUSE && freed != atomic_read(&set->freed));
	return err == -EADDRINUSE ? -EAGAIN : err;
}

/**
 * altconn_port_bind() - bind an endpoint to an ephemeral port
 * @sk: the endpoint, not bound yet
 * @addr: of kind PORT or INET; gets the port
 * @how: who wants it
 *
 * The next one that is free: one that was given up is not taken again at once.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0; -EAGAIN: none is left (E-AGAIN-PORT); -EINTR: the process is being
 * killed; -ENOMEM.
 */
int altconn_port_bind(struct sock *sk, struct altconn_addr *addr,
		      enum altconn_bind_how how)
{
	struct altconn_port_set *set;
	struct port_range r;
	int err;

	err = port_get_range(sock_net(sk), addr->kind, &r) ? :
	      port_try_some(sk, addr, how, &r, TRIES);
	if (err != -EADDRINUSE)
		return err;
	set = port_get_set(sk, addr);
	if (!set)
		return port_try_some(sk, addr, how, &r, U32_MAX);
	return port_search(sk, addr, how, set, &r);
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
			port_free_port(set, addr->port);
	rcu_read_unlock();
}
