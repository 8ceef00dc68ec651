// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes: which addresses are this network namespace's own, and which way leads
 * to others.
 *
 * A namespace knows others by ids that it gave them, and may give them an IP
 * address each. What it knows is its own business: another one may call it by
 * another id, or not know it at all, and then sees unnamed clients.
 *
 * That keeps nobody alive: namespaces that know each other still die.
 */

#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/route.h>
#include "addr.h"
#include "dgram_queue.h"
#include "event.h"
#include "netns.h"
#include "node.h"
#include "place.h"
#include "sock.h"

/* So many nodes may a namespace know; they are looked at one after the other. */
#define NODES_MAX	1024

/* Nodes that are forgotten in one hold of a namespace's nodes_lock. */
#define NODES_BATCH	16

/**
 * struct altconn_node - a namespace, as another one knows it
 * @id: its id there
 * @up: it is to be reached
 * @netns: inode number of it
 * @owner: the namespace that knows it so
 * @target: it, or NULL: it is gone; changes under node_target_lock
 * @ip: its IP addresses there, IPv4 and IPv6, or all zero
 * @sibling: in the owner's list; changes under the owner's nodes_lock
 * @naming: in the target's list, or in none; under node_target_lock
 * @rcu: frees it
 *
 * Lifetime: the table's of the owner, under its nodes_lock. Readers
 * have RCU alone. @target is no reference: altconn_node_leave() of the target
 * clears it, a grace period before that namespace's memory goes, and who follows it
 * takes a reference that a dying one does not give.
 */
struct altconn_node {
	u32			id;
	bool			up;
	u32			netns;
	struct altconn_net	*owner;
	struct net		*target;
	struct in6_addr		ip[2];
	struct list_head	sibling;
	struct list_head	naming;
	struct rcu_head		rcu;
};

/*
 * For the lists of nodes that mean a namespace: those are of other namespaces' tables, so
 * one lock serves all. What is done under it takes constant time. It is taken inside
 * an->nodes_lock. Both are spinlocks and no mutexes, which a task could hold while cpu.max
 * throttles it.
 */
static DEFINE_SPINLOCK(node_target_lock);

static bool node_is_local_v6(struct net *net, const struct altconn_addr *addr)
{
	const struct in6_addr *ip = altconn_addr_ip(addr);
	struct net_device *dev = NULL;
	bool local = false;

	if (ipv6_addr_loopback(ip))
		return true;
	if (!IS_ENABLED(CONFIG_IPV6) || ipv6_addr_is_multicast(ip))
		return false;
	rcu_read_lock();
	if (addr->node)
		dev = dev_get_by_index_rcu(net, addr->node);
	if (dev || !addr->node)
		local = ipv6_chk_addr(net, ip, dev, 1);
	rcu_read_unlock();
	return local;
}

/**
 * altconn_node_is_local() - is this IP address one of this node's?
 * @net: the namespace
 * @addr: kind INET, not any
 *
 * The loopback addresses always are, with the loopback device down too.
 *
 * Context: process.
 */
bool altconn_node_is_local(struct net *net, const struct altconn_addr *addr)
{
	__be32 ip = altconn_addr_v4(addr);

	if (!altconn_addr_is_v4(addr))
		return node_is_local_v6(net, addr);
	return ipv4_is_loopback(ip) || inet_addr_type(net, ip) == RTN_LOCAL;
}

/*
 * A namespace that never had an IP address has no table of them, and then all are
 * said to be broadcast.
 */
static bool node_is_broadcast(struct net *net, __be32 ip)
{
	return ipv4_is_lbcast(ip) ||
	       (inet_addr_type(net, ip) == RTN_BROADCAST &&
		inet_addr_type(net, htonl(INADDR_LOOPBACK)) != RTN_BROADCAST);
}

/* altconn_node_is_broadcast() of an IP address. */
bool __altconn_node_is_broadcast(struct net *net,
				 const struct altconn_addr *addr)
{
	__be32 ip;

	if (!altconn_addr_is_v4(addr))
		return false;
	ip = altconn_addr_v4(addr);
	return !ipv4_is_loopback(ip) && !ipv4_is_zeronet(ip) &&
	       node_is_broadcast(net, ip);
}

static bool node_is_called(const struct altconn_node *node, const struct in6_addr *ip)
{
	return ipv6_addr_equal(&node->ip[0], ip) ||
	       ipv6_addr_equal(&node->ip[1], ip);
}

/* The node that has an IP address. RCU read side. */
static struct altconn_node *node_find_ip(struct altconn_net *an, const struct in6_addr *ip)
{
	struct altconn_node *node;

	list_for_each_entry_rcu(node, &an->node_list, sibling)
		if (node_is_called(node, ip))
			return node;
	return NULL;
}

/* The node that an address is of. RCU read side. */
static struct altconn_node *node_find(struct altconn_net *an, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return node_find_ip(an, altconn_addr_ip(addr));
	return xa_load(&an->nodes, addr->node);
}

/* May somebody go there? RCU read side. */
static int node_check(const struct altconn_node *node, u32 *reason)
{
	const struct net *target;

	*reason = ALTCONN_REASON_NO_NODE;
	if (!node)
		return -ENETUNREACH;
	*reason = ALTCONN_REASON_NODE_DOWN;
	target = READ_ONCE(node->target);
	return READ_ONCE(node->up) && target && check_net(target) ?
		       0 : -EHOSTUNREACH;
}

/**
 * altconn_node_get() - the namespace of another node
 * @net: who wants to go there
 * @addr: an address that is far
 * @there: that address as it is written there
 * @reason: why not
 *
 * Context: any.
 * Return: a reference; ERR_PTR(-ENETUNREACH): no such node any more;
 * ERR_PTR(-EHOSTUNREACH): it is down, or gone.
 */
struct net *altconn_node_get(const struct net *net,
			     const struct altconn_addr *addr,
			     struct altconn_addr *there, u32 *reason)
{
	struct net *target;
	struct altconn_node *node;
	int err;

	memcpy(there, addr, offsetof(struct altconn_addr, bytes) + addr->len);
	refcount_set(&there->refs, 1);
	there->bound = false;
	if (addr->kind != ALTCONN_KIND_INET)
		there->node = ALTCONN_NODE_SELF;
	rcu_read_lock();
	node = node_find(altconn_pernet(net), addr);
	err = node_check(node, reason);
	if (!err) {
		target = READ_ONCE(node->target);
		if (target)
			target = maybe_get_net(target);
		if (!target)
			err = -EHOSTUNREACH;
	}
	rcu_read_unlock();
	return err ? ERR_PTR(err) : target;
}

/* How @there knows @net, or NULL. RCU read side. */
static struct altconn_node *node_known_as(struct net *there,
					  const struct net *net)
{
	struct altconn_node *node;

	list_for_each_entry_rcu(node, &altconn_pernet(there)->node_list, sibling)
		if (READ_ONCE(node->target) == net)
			return node;
	return NULL;
}

static bool node_has_ip(const struct altconn_node *node, const struct altconn_addr *addr)
{
	const struct in6_addr *ip = &node->ip[!altconn_addr_is_v4(addr)];

	return !ipv6_addr_any(ip) && ipv6_addr_equal(ip, altconn_addr_ip(addr));
}

/**
 * altconn_node_seen() - an address as it is written in another namespace
 * @there: that namespace; not the same
 * @net: the address' own
 * @addr: the address, or NULL
 *
 * Context: process, may sleep.
 * Return: a reference; NULL: it cannot be named there, since @net is not known, or
 * not by this IP address; ERR_PTR(-ENOMEM).
 */
struct altconn_addr *altconn_node_seen(struct net *there, const struct net *net,
				       struct altconn_addr *addr)
{
	struct altconn_addr *seen;
	const struct altconn_node *node;
	u32 id;

	if (!addr || addr->kind == ALTCONN_KIND_PATH)
		return altconn_addr_get(addr);
	rcu_read_lock();
	node = node_known_as(there, net);
	id = node ? node->id : 0;
	if (id && addr->kind == ALTCONN_KIND_INET && !node_has_ip(node, addr))
		id = 0;
	rcu_read_unlock();
	if (!id)
		return NULL;
	if (addr->kind == ALTCONN_KIND_INET)
		return altconn_addr_get(addr);
	seen = altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
	if (!seen)
		return ERR_PTR(-ENOMEM);
	seen->node = id;
	seen->far = true;
	return seen;
}

/* The IP address by which the other node knows this one, or any. */
static void node_far_source(struct net *net, const struct altconn_addr *dest,
			    struct altconn_addr *local)
{
	bool v4 = altconn_addr_is_v4(dest);
	struct altconn_addr there;
	const struct altconn_node *node;
	struct net *target;
	u32 reason;

	if (v4)
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
				       altconn_addr_ip(local));
	else
		*altconn_addr_ip(local) = in6addr_any;
	target = altconn_node_get(net, dest, &there, &reason);
	if (IS_ERR(target))
		return;
	rcu_read_lock();
	node = node_known_as(target, net);
	if (node && !ipv6_addr_any(&node->ip[!v4]))
		*altconn_addr_ip(local) = node->ip[!v4];
	rcu_read_unlock();
	put_net(target);
}

/**
 * altconn_node_source() - the IP address that a socket has towards another
 * @net: the namespace
 * @dest: where it connects or sends to, this node's or another's or broadcast
 * @local: its address; the IP part is written
 *
 * As the routing table of a host has it: 127.0.0.1 to all of 127/8, else the
 * address itself. Broadcast stays in this namespace, where 127.0.0.1 can be
 * answered. To another node it is the address by which that one knows this one,
 * and any address if it knows none.
 *
 * Context: process.
 */
void altconn_node_source(struct net *net, const struct altconn_addr *dest,
			 struct altconn_addr *local)
{
	local->node = dest->node;
	local->len = sizeof(struct in6_addr);
	if (unlikely(dest->far))
		node_far_source(net, dest, local);
	else if (altconn_addr_is_v4(dest) &&
		 (ipv4_is_loopback(altconn_addr_v4(dest)) ||
		  altconn_node_is_broadcast(net, dest)))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       altconn_addr_ip(local));
	else
		*altconn_addr_ip(local) = *altconn_addr_ip(dest);
}

/* 0.0.0.0 and :: as a destination are the loopback address, as with TCP. */
static void node_any_is_loopback(struct altconn_addr *addr)
{
	if (!altconn_addr_is_any(addr))
		return;
	if (altconn_addr_is_v4(addr))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       altconn_addr_ip(addr));
	else
		*altconn_addr_ip(addr) = in6addr_loopback;
}

/* May a socket that is bound to @own reach @dest at all? */
static bool node_same_version(const struct altconn_sock *ask,
			      const struct altconn_addr *dest)
{
	/* Pairs with altconn_bind_insert(). */
	const struct altconn_bind *bind = smp_load_acquire(&ask->bind);
	bool v4 = altconn_addr_is_v4(dest);

	if (v4 && ask->v6only)
		return false;
	if (!bind || bind->addr->kind != ALTCONN_KIND_INET)
		return true;
	if (altconn_addr_is_v4(bind->addr))
		return v4;
	return !v4 || (altconn_addr_is_any(bind->addr) && !bind->v6only);
}

/* To another node, if there is one. */
static noinline int node_route_far(struct net *net, struct altconn_addr *addr,
				   u32 *reason)
{
	int err;

	rcu_read_lock();
	err = node_check(node_find(altconn_pernet(net), addr), reason);
	rcu_read_unlock();
	addr->far = !err;
	return err;
}

static int node_route_inet(const struct sock *sk, struct altconn_addr *addr,
			   u32 *reason)
{
	struct net *net = sock_net(sk);
	bool same;

	node_any_is_loopback(addr);
	rcu_read_lock();
	same = node_same_version(altconn_sk(sk), addr);
	rcu_read_unlock();
	*reason = ALTCONN_REASON_NO_NODE;
	if (!same)
		return -ENETUNREACH;
	if (altconn_node_is_local(net, addr) ||
	    altconn_node_is_broadcast(net, addr))
		return 0;
	return node_route_far(net, addr, reason);
}

/* altconn_node_route() of what is not plainly of this node. */
int __altconn_node_route(const struct sock *sk, struct altconn_addr *addr,
			 u32 *reason)
{
	struct net *net = sock_net(sk);

	if (addr->kind == ALTCONN_KIND_INET)
		return node_route_inet(sk, addr, reason);
	if (altconn_node_is_broadcast(net, addr))
		return 0;
	if (addr->node != READ_ONCE(altconn_pernet(net)->node_id))
		return node_route_far(net, addr, reason);
	addr->node = ALTCONN_NODE_SELF;
	return 0;
}

/* Who sends datagrams remembers where to, and others want to hear of it. */
static void node_changed(struct altconn_net *an)
{
	altconn_dgram_changed();
	altconn_event_changed(an, ALTCONN_EVENT_KIND_NODES_CHANGED);
}

/*
 * Return -EADDRINUSE if another node has an IP address of @new, -EALREADY if one means the
 * same namespace, else 0.
 */
static int node_check_new(const struct altconn_net *an, const struct altconn_node *new)
{
	const struct altconn_node *node;
	int i, err = 0;

	list_for_each_entry(node, &an->node_list, sibling) {
		for (i = 0; i < 2; i++)
			if (!ipv6_addr_any(&new->ip[i]) &&
			    node_is_called(node, &new->ip[i]))
				return -EADDRINUSE;
		if (READ_ONCE(node->target) == new->target)
			err = -EALREADY;
	}
	return err;
}

/*
 * The caller has reserved the entry. xa_store() needs memory for it only if a request for
 * the same id has failed, or the node with that id was deleted, meanwhile.
 */
static int node_insert(struct altconn_net *an, struct altconn_node *node)
{
	int err;

	lockdep_assert_held(&an->nodes_lock);
	if (node->id == an->node_id || xa_load(&an->nodes, node->id))
		return -EEXIST;
	err = node_check_new(an, node);
	if (err)
		return err;
	if (an->n_nodes >= NODES_MAX)
		return -ENOSPC;
	err = xa_err(xa_store(&an->nodes, node->id, node,
			      GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT));
	if (err)
		return err;
	an->n_nodes++;
	list_add_tail_rcu(&node->sibling, &an->node_list);
	spin_lock(&node_target_lock);
	list_add(&node->naming, &altconn_pernet(node->target)->named_by);
	spin_unlock(&node_target_lock);
	return 0;
}

/**
 * altconn_node_add() - make another namespace reachable
 * @net: from this one
 * @id: the id that it has here, not 0 and not broadcast
 * @ip: and the IP addresses, IPv4 as v4-mapped, and IPv6; all zero: none
 * @target: the other one, a reference, which stays the caller's
 *
 * Context: process, may sleep.
 * Return: 0; -EEXIST: the id is taken; -EADDRINUSE: an address is; -EALREADY: the
 * namespace is a node already, and has one name; -ENOSPC: 1024 are there; -ENOMEM.
 */
int altconn_node_add(struct net *net, u32 id, const struct in6_addr ip[2],
		     struct net *target)
{
	struct altconn_node *node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);
	struct altconn_net *an = altconn_pernet(net);
	int err;

	if (!node)
		return -ENOMEM;
	node->id = id;
	node->up = true;
	node->netns = target->ns.inum;
	node->owner = an;
	node->target = target;
	memcpy(node->ip, ip, sizeof(node->ip));
	err = xa_reserve(&an->nodes, id, GFP_KERNEL_ACCOUNT);
	if (!err) {
		spin_lock(&an->nodes_lock);
		err = node_insert(an, node);
		if (err)
			xa_release(&an->nodes, id);
		spin_unlock(&an->nodes_lock);
	}
	if (err)
		kfree(node);
	else
		node_changed(an);
	return err;
}

static void node_drop(struct altconn_net *an, struct altconn_node *node)
{
	lockdep_assert_held(&an->nodes_lock);
	xa_erase(&an->nodes, node->id);
	an->n_nodes--;
	list_del_rcu(&node->sibling);
	spin_lock(&node_target_lock);
	list_del_init(&node->naming);
	spin_unlock(&node_target_lock);
	kfree_rcu(node, rcu);
}

/* Forget a few nodes. Return true if there may be more. */
static bool node_drop_some(struct altconn_net *an)
{
	struct altconn_node *node, *next;
	int n = NODES_BATCH;

	spin_lock(&an->nodes_lock);
	list_for_each_entry_safe(node, next, &an->node_list, sibling) {
		node_drop(an, node);
		if (!--n)
			break;
	}
	spin_unlock(&an->nodes_lock);
	return !n;
}

/**
 * altconn_node_del() - forget a node
 * @net: the namespace
 * @id: which; 0: all
 *
 * Associations stay.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT: no such node.
 */
int altconn_node_del(struct net *net, u32 id)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_node *node;
	int err = id ? -ENOENT : 0;

	spin_lock(&an->nodes_lock);
	node = id ? xa_load(&an->nodes, id) : NULL;
	if (node) {
		node_drop(an, node);
		err = 0;
	}
	spin_unlock(&an->nodes_lock);
	while (!id && node_drop_some(an))
		cond_resched();
	if (!err)
		node_changed(an);
	return err;
}

/**
 * altconn_node_set() - set a node up or down
 * @net: the namespace
 * @id: which
 * @up: whether it is to be reached from now on
 *
 * Associations stay, and attempts that wait there.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT: no such node.
 */
int altconn_node_set(struct net *net, u32 id, bool up)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_node *node;

	spin_lock(&an->nodes_lock);
	node = xa_load(&an->nodes, id);
	if (node)
		WRITE_ONCE(node->up, up);
	spin_unlock(&an->nodes_lock);
	if (node)
		node_changed(an);
	return node ? 0 : -ENOENT;
}

/**
 * altconn_node_call() - give a namespace an id of its own
 * @net: the namespace
 * @id: what it calls itself, like ALTCONN_NODE_SELF; 0: nothing
 *
 * Context: process, may sleep.
 * Return: 0; -EEXIST: another node has it.
 */
int altconn_node_call(struct net *net, u32 id)
{
	struct altconn_net *an = altconn_pernet(net);
	int err = 0;

	spin_lock(&an->nodes_lock);
	if (id && xa_load(&an->nodes, id))
		err = -EEXIST;
	else
		WRITE_ONCE(an->node_id, id);
	spin_unlock(&an->nodes_lock);
	if (!err)
		node_changed(an);
	return err;
}

/**
 * altconn_node_next() - what a namespace knows, one by one
 * @net: the namespace
 * @id: at least so; gets that of the node which is told
 * @info: written whole
 *
 * Context: any.
 * Return: 1, or 0 behind the last.
 */
int altconn_node_next(struct net *net, u32 *id, struct altconn_node_info *info)
{
	unsigned long at = *id;
	struct altconn_node *node;

	memset(info, 0, sizeof(*info));
	rcu_read_lock();
	node = xa_find(&altconn_pernet(net)->nodes, &at, U32_MAX, XA_PRESENT);
	if (node) {
		*id = node->id;
		info->id = node->id;
		info->up = READ_ONCE(node->up);
		info->gone = !READ_ONCE(node->target);
		info->netns = node->netns;
		memcpy(info->ip, node->ip, sizeof(info->ip));
	}
	rcu_read_unlock();
	return !!node;
}

/**
 * altconn_node_init() - a namespace that knows no other
 * @an: the namespace
 */
void altconn_node_init(struct altconn_net *an)
{
	xa_init_flags(&an->nodes, XA_FLAGS_ACCOUNT);
	spin_lock_init(&an->nodes_lock);
	INIT_LIST_HEAD(&an->node_list);
	INIT_LIST_HEAD(&an->named_by);
}

/*
 * Clear the target of one of the nodes that mean a dying namespace, and send its owner an
 * event. Return false if there was none.
 */
static bool node_clear_target(struct altconn_net *an)
{
	struct altconn_net *owner = NULL;
	struct altconn_node *node;

	/* The owner clears its table a grace period before its memory goes. */
	rcu_read_lock();
	spin_lock(&node_target_lock);
	node = list_first_entry_or_null(&an->named_by, struct altconn_node,
					naming);
	if (node) {
		WRITE_ONCE(node->target, NULL);
		list_del_init(&node->naming);
		owner = node->owner;
	}
	spin_unlock(&node_target_lock);
	if (owner)
		altconn_event_changed(owner, ALTCONN_EVENT_KIND_NODES_CHANGED);
	rcu_read_unlock();
	return owner;
}

/**
 * altconn_node_leave() - a namespace dies
 * @an: the namespace; a grace period passes before its memory goes
 *
 * It forgets the others, and they find it gone.
 *
 * Context: process, may sleep.
 */
void altconn_node_leave(struct altconn_net *an)
{
	while (node_drop_some(an))
		cond_resched();
	while (node_clear_target(an))
		cond_resched();
	node_changed(an);
}
