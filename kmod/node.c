// SPDX-License-Identifier: GPL-2.0
/*
 * This file decides which addresses belong to a network namespace, and reaches
 * the addresses of other namespaces: nodes.
 *
 * A namespace has a table of nodes. A node gives another namespace, its target,
 * an id, and optionally an IPv4 and an IPv6 address. These are valid only in
 * the namespace that has the table. The target may give that namespace a
 * different id, or have no node for it. In the latter case, sockets of the
 * target see clients from that namespace without an address.
 *
 * A node has no reference to its target, so two namespaces that have nodes for
 * each other can still be freed.
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

/*
 * Maximum number of nodes in a table. Some lookups walk all nodes of a table,
 * so this bounds their cost.
 */
#define NODES_MAX	1024

/* Maximum number of nodes that are deleted in one hold of nodes_lock. */
#define NODES_BATCH	16

/**
 * struct altconn_node - a node
 * @id: id of the node in @owner
 * @up: the node may be reached; written under owner->nodes_lock
 * @netns: inode number of @target
 * @owner: the namespace that has the node in its table
 * @target: the namespace that the node reaches; NULL once it no longer exists.
 *	Cleared under node_target_lock, read under RCU
 * @ip: IP addresses of the node in @owner: [0] IPv4 as v4-mapped, [1] IPv6; all
 *	zero: none
 * @sibling: link in owner->node_list; changed under owner->nodes_lock, read
 *	under RCU
 * @naming: link in the target's named_by, or empty if @target is NULL; under
 *	node_target_lock
 * @rcu: frees the node
 *
 * Lifetime: a node is added to and removed from the owner's table under
 * owner->nodes_lock, and freed an RCU grace period after the removal. Readers
 * take no reference; they hold rcu_read_lock().
 *
 * The node has no reference to its target. When the target ends,
 * altconn_node_exit() clears @target, and the namespace is freed an RCU grace
 * period later. To use @target after rcu_read_unlock(), a reader takes a
 * reference with maybe_get_net(), which fails for a namespace that ends.
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
 * Protects node->target, and the named_by lists of all namespaces. It is one
 * lock because the nodes in such a list belong to the tables of several
 * namespaces. It is held for a constant time, and taken inside an->nodes_lock.
 * Both locks are spinlocks and not mutexes: a task that cpu.max throttles could
 * hold a mutex for a long time.
 */
static DEFINE_SPINLOCK(node_target_lock);

/*
 * Check whether @net has an IPv6 address. A link-local address must be on the
 * interface that @addr->node is the index of.
 */
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
 * altconn_node_is_local() - check whether a namespace has an IP address
 * @net: the namespace
 * @addr: address of kind INET, not 0.0.0.0 or ::
 *
 * A namespace has the loopback addresses even while its loopback device is
 * down.
 *
 * Context: process, does not sleep.
 * Return: true if @net has the IP address of @addr, else false.
 */
bool altconn_node_is_local(struct net *net, const struct altconn_addr *addr)
{
	__be32 ip = altconn_addr_v4(addr);

	if (!altconn_addr_is_v4(addr))
		return node_is_local_v6(net, addr);
	return ipv4_is_loopback(ip) || inet_addr_type(net, ip) == RTN_LOCAL;
}

/*
 * Check whether @ip is an IPv4 broadcast address of @net. Before a namespace
 * has its first IPv4 address, it has no local routing table, and
 * inet_addr_type() returns RTN_BROADCAST for every address, even for the
 * loopback address. So the loopback address is looked up too.
 */
static bool node_is_broadcast(struct net *net, __be32 ip)
{
	return ipv4_is_lbcast(ip) ||
	       (inet_addr_type(net, ip) == RTN_BROADCAST &&
		inet_addr_type(net, htonl(INADDR_LOOPBACK)) != RTN_BROADCAST);
}

/**
 * __altconn_node_is_broadcast() - slow path of altconn_node_is_broadcast()
 * @net: the namespace
 * @addr: address of kind INET
 *
 * Context: process, does not sleep.
 * Return: true if @addr is an IPv4 broadcast address of @net, else false.
 */
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

/* Check whether @node has the IP address @ip, which is not all zero. */
static bool node_ip_matches(const struct altconn_node *node,
			    const struct in6_addr *ip)
{
	return ipv6_addr_equal(&node->ip[0], ip) ||
	       ipv6_addr_equal(&node->ip[1], ip);
}

/* Find the node with the IP address @ip. The caller holds rcu_read_lock(). */
static struct altconn_node *node_find_ip(struct altconn_net *an,
					 const struct in6_addr *ip)
{
	struct altconn_node *node;

	list_for_each_entry_rcu(node, &an->node_list, sibling)
		if (node_ip_matches(node, ip))
			return node;
	return NULL;
}

/*
 * Find the node that has the address @addr. The caller holds rcu_read_lock().
 */
static struct altconn_node *node_find(struct altconn_net *an,
				      const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return node_find_ip(an, altconn_addr_ip(addr));
	return xa_load(&an->nodes, addr->node);
}

/*
 * Check whether a node can be reached. @node is NULL if there is none. Return
 * 0, or -ENETUNREACH or -EHOSTUNREACH with the reason in *@reason. The caller
 * holds rcu_read_lock().
 */
static int node_check_reachable(const struct altconn_node *node, u32 *reason)
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
 * altconn_node_get_net() - get the namespace that has an address
 * @net: the namespace of the endpoint that connects or sends
 * @addr: an address that another node has: altconn_node_route() has set
 *	@addr->xns
 * @there: gets @addr as an address of the other namespace, on failure too: the
 *	node id of a port or name becomes ALTCONN_NODE_SELF. The xns flag is
 *	copied
 * @reason: gets enum altconn_reason of a failure; undefined on success
 *
 * Context: any.
 * Return: the namespace, with a reference that the caller drops with put_net();
 * ERR_PTR(-ENETUNREACH) if the node has been deleted; ERR_PTR(-EHOSTUNREACH) if
 * the node is down, or its namespace no longer exists.
 */
struct net *altconn_node_get_net(const struct net *net,
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
	err = node_check_reachable(node, reason);
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

/*
 * Find the node in the table of @there whose target is @net, or NULL. The
 * caller holds rcu_read_lock().
 */
static struct altconn_node *node_find_by_target(struct net *there,
						const struct net *net)
{
	struct altconn_node *node;

	list_for_each_entry_rcu(node, &altconn_pernet(there)->node_list,
				sibling)
		if (READ_ONCE(node->target) == net)
			return node;
	return NULL;
}

/* Check whether @node has the IP address of @addr. */
static bool node_has_ip(const struct altconn_node *node,
			const struct altconn_addr *addr)
{
	const struct in6_addr *ip = &node->ip[!altconn_addr_is_v4(addr)];

	return !ipv6_addr_any(ip) && ipv6_addr_equal(ip, altconn_addr_ip(addr));
}

/**
 * altconn_node_translate() - translate an address for another namespace
 * @there: the namespace that is to use the address; differs from @net
 * @net: the namespace that has the address
 * @addr: the address, or NULL
 *
 * A port or a name gets the id of the node in the table of @there whose target
 * is @net. An IP address does not change, but this node must have it. A path
 * does not change.
 *
 * Context: process, may sleep.
 * Return: the translated address, with a reference that the caller drops; NULL
 * if @addr is NULL, or @there has no such node, or the node does not have the
 * IP address; ERR_PTR(-ENOMEM).
 */
struct altconn_addr *altconn_node_translate(struct net *there,
					    const struct net *net,
					    struct altconn_addr *addr)
{
	struct altconn_addr *seen;
	const struct altconn_node *node;
	u32 id;

	if (!addr || addr->kind == ALTCONN_KIND_PATH)
		return altconn_addr_get(addr);
	rcu_read_lock();
	node = node_find_by_target(there, net);
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
	seen->xns = true;
	return seen;
}

/*
 * Set the IP address of @local to the one that @net has in the table of the
 * namespace that has @dest. If there is none, set it to 0.0.0.0 or ::.
 */
static void node_xns_saddr(struct net *net, const struct altconn_addr *dest,
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
	target = altconn_node_get_net(net, dest, &there, &reason);
	if (IS_ERR(target))
		return;
	rcu_read_lock();
	node = node_find_by_target(target, net);
	if (node && !ipv6_addr_any(&node->ip[!v4]))
		*altconn_addr_ip(local) = node->ip[!v4];
	rcu_read_unlock();
	put_net(target);
}

/**
 * altconn_node_saddr() - choose the source IP address for a destination
 * @net: the namespace of the endpoint
 * @dest: the destination, as altconn_node_route() has updated it
 * @local: gets the source address: its node, len and IP address are set
 *
 * The source depends on the destination::
 *
 *   another node    the IP address that @net has in the table of that node,
 *                   or 0.0.0.0 or :: if there is none
 *   broadcast       127.0.0.1, since a broadcast stays in @net
 *   127.0.0.0/8     127.0.0.1
 *   other           the destination address itself
 *
 * In the last two rows IP routing would select the same source address.
 *
 * Context: process, does not sleep.
 */
void altconn_node_saddr(struct net *net, const struct altconn_addr *dest,
			struct altconn_addr *local)
{
	local->node = dest->node;
	local->len = sizeof(struct in6_addr);
	if (unlikely(dest->xns))
		node_xns_saddr(net, dest, local);
	else if (altconn_addr_is_v4(dest) &&
		 (ipv4_is_loopback(altconn_addr_v4(dest)) ||
		  altconn_node_is_broadcast(net, dest)))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       altconn_addr_ip(local));
	else
		*altconn_addr_ip(local) = *altconn_addr_ip(dest);
}

/*
 * Replace the destination 0.0.0.0 or :: by the loopback address, as TCP does.
 */
static void node_any_to_loopback(struct altconn_addr *addr)
{
	if (!altconn_addr_is_any(addr))
		return;
	if (altconn_addr_is_v4(addr))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       altconn_addr_ip(addr));
	else
		*altconn_addr_ip(addr) = in6addr_loopback;
}

/*
 * Check whether a socket can use the IP version of @dest. With IPV6_V6ONLY it
 * cannot use IPv4. If it is bound to an IPv4 address, it can use IPv4 only. If
 * it is bound to an IPv6 address other than ::, it can use IPv6 only. The
 * caller holds rcu_read_lock().
 */
static bool node_speaks_version(const struct altconn_sock *ask,
				const struct altconn_addr *dest)
{
	/*
	 * Pairs with the release in altconn_binding_publish(): if ask->bind is
	 * set, the binding is complete.
	 */
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

/*
 * Set addr->xns if another node has @addr and can be reached. Return the result
 * of node_check_reachable().
 */
static noinline int node_route_xns(struct net *net, struct altconn_addr *addr,
				   u32 *reason)
{
	int err;

	rcu_read_lock();
	err = node_check_reachable(node_find(altconn_pernet(net), addr),
				   reason);
	rcu_read_unlock();
	addr->xns = !err;
	return err;
}

/* The part of altconn_node_route() for an IP address. */
static int node_route_inet(const struct sock *sk, struct altconn_addr *addr,
			   u32 *reason)
{
	struct net *net = sock_net(sk);
	bool same;

	node_any_to_loopback(addr);
	rcu_read_lock();
	same = node_speaks_version(altconn_sk(sk), addr);
	rcu_read_unlock();
	*reason = ALTCONN_REASON_NO_NODE;
	if (!same)
		return -ENETUNREACH;
	if (altconn_node_is_local(net, addr) ||
	    altconn_node_is_broadcast(net, addr))
		return 0;
	return node_route_xns(net, addr, reason);
}

/**
 * __altconn_node_route() - slow path of altconn_node_route()
 * @sk: the endpoint that connects or sends
 * @addr: the destination: an IP address, or a port or name whose node id is not
 *	ALTCONN_NODE_SELF; updated, see altconn_node_route()
 * @reason: gets enum altconn_reason of a failure; undefined on success
 *
 * Context: process, does not sleep.
 * Return: see altconn_node_route().
 */
int __altconn_node_route(const struct sock *sk, struct altconn_addr *addr,
			 u32 *reason)
{
	struct net *net = sock_net(sk);

	if (addr->kind == ALTCONN_KIND_INET)
		return node_route_inet(sk, addr, reason);
	if (altconn_node_is_broadcast(net, addr))
		return 0;
	if (addr->node != READ_ONCE(altconn_pernet(net)->node_id))
		return node_route_xns(net, addr, reason);
	addr->node = ALTCONN_NODE_SELF;
	return 0;
}

/*
 * To be called after a change of a table: connected datagram sockets look up
 * their receiver again, and the watchers of @an receive an event.
 */
static void node_notify_change(struct altconn_net *an)
{
	altconn_dgram_genid_bump(NULL);
	altconn_event_notify_change(an, ALTCONN_EVENT_KIND_NODES_CHANGED);
}

/*
 * Return -EADDRINUSE if a node has an IP address of @new; -EALREADY if a node
 * has the same target; else 0. an->nodes_lock is held.
 */
static int node_check_conflict(const struct altconn_net *an,
			       const struct altconn_node *new)
{
	const struct altconn_node *node;
	int i, err = 0;

	list_for_each_entry(node, &an->node_list, sibling) {
		for (i = 0; i < 2; i++)
			if (!ipv6_addr_any(&new->ip[i]) &&
			    node_ip_matches(node, &new->ip[i]))
				return -EADDRINUSE;
		if (READ_ONCE(node->target) == new->target)
			err = -EALREADY;
	}
	return err;
}

/*
 * Add @node to the table and to the target's named_by, unless its id, its
 * target or one of its IP addresses is in use. The caller has reserved the
 * entry of the xarray, so xa_store() allocates memory only if another thread
 * has erased or released the entry since. The target cannot end, because the
 * caller has a reference to it.
 */
static int node_insert(struct altconn_net *an, struct altconn_node *node)
{
	int err;

	lockdep_assert_held(&an->nodes_lock);
	if (node->id == an->node_id || xa_load(&an->nodes, node->id))
		return -EEXIST;
	err = node_check_conflict(an, node);
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
 * altconn_node_add() - add a node
 * @net: the namespace that gets the node in its table
 * @id: id of the node, neither ALTCONN_NODE_SELF nor ALTCONN_NODE_BROADCAST
 * @ip: IP addresses of the node: [0] IPv4 as v4-mapped, [1] IPv6; all zero:
 *	none
 * @target: the namespace that the node reaches; the caller keeps its reference
 *
 * Context: process, may sleep.
 * Return: 0; -EEXIST if a node or @net itself has the id; -EADDRINUSE if a node
 * has one of the IP addresses; -EALREADY if a node has the same target; -ENOSPC
 * if the table has NODES_MAX nodes; -ENOMEM.
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
		node_notify_change(an);
	return err;
}

/*
 * Remove a node from the table and from the target's named_by, and free it an
 * RCU grace period later.
 */
static void node_remove(struct altconn_net *an, struct altconn_node *node)
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

/* Remove up to NODES_BATCH nodes. Return true if there may be more. */
static bool node_remove_batch(struct altconn_net *an)
{
	struct altconn_node *node, *next;
	int n = NODES_BATCH;

	spin_lock(&an->nodes_lock);
	list_for_each_entry_safe(node, next, &an->node_list, sibling) {
		node_remove(an, node);
		if (!--n)
			break;
	}
	spin_unlock(&an->nodes_lock);
	return !n;
}

/**
 * altconn_node_del() - delete one node, or all nodes
 * @net: the namespace that has the node in its table
 * @id: node id, or 0 for all nodes
 *
 * Associations with sockets of the target go on.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT if no node has the id.
 */
int altconn_node_del(struct net *net, u32 id)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_node *node;
	int err = id ? -ENOENT : 0;

	spin_lock(&an->nodes_lock);
	node = id ? xa_load(&an->nodes, id) : NULL;
	if (node) {
		node_remove(an, node);
		err = 0;
	}
	spin_unlock(&an->nodes_lock);
	while (!id && node_remove_batch(an))
		cond_resched();
	if (!err)
		node_notify_change(an);
	return err;
}

/**
 * altconn_node_set_up() - set a node up or down
 * @net: the namespace that has the node in its table
 * @id: node id
 * @up: the node may be reached
 *
 * A node that is down refuses later attempts and datagrams only: associations
 * with sockets of the target go on, and attempts that wait there continue to
 * wait.
 *
 * Context: process, does not sleep.
 * Return: 0; -ENOENT if no node has the id.
 */
int altconn_node_set_up(struct net *net, u32 id, bool up)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_node *node;

	spin_lock(&an->nodes_lock);
	node = xa_load(&an->nodes, id);
	if (node)
		WRITE_ONCE(node->up, up);
	spin_unlock(&an->nodes_lock);
	if (node)
		node_notify_change(an);
	return node ? 0 : -ENOENT;
}

/**
 * altconn_node_set_self() - set the id that means the namespace itself
 * @net: the namespace
 * @id: id that means the same as ALTCONN_NODE_SELF in an address, or 0 for none
 *
 * Context: process, does not sleep.
 * Return: 0, or -EEXIST if a node has the id.
 */
int altconn_node_set_self(struct net *net, u32 id)
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
		node_notify_change(an);
	return err;
}

/**
 * altconn_node_next() - copy the next node of a namespace
 * @net: the namespace
 * @id: the smallest id to look for; gets the id of the node that is found
 * @info: gets a copy of the node; zeroed if there is none
 *
 * Context: any.
 * Return: 1 if there is a node with an id of at least @id, else 0.
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
 * altconn_node_init() - initialize a namespace without nodes
 * @an: the namespace
 *
 * Context: any.
 */
void altconn_node_init(struct altconn_net *an)
{
	xa_init_flags(&an->nodes, XA_FLAGS_ACCOUNT);
	spin_lock_init(&an->nodes_lock);
	INIT_LIST_HEAD(&an->node_list);
	INIT_LIST_HEAD(&an->named_by);
}

/*
 * Clear the target of one node whose target is the namespace @an, which ends,
 * and emit an event in the node's owner. Return false if there is no such node.
 */
static bool node_clear_target(struct altconn_net *an)
{
	struct altconn_net *owner = NULL;
	struct altconn_node *node;

	/*
	 * The owner may end too. While the node is in named_by, the owner has
	 * not emptied its table yet, and an RCU grace period follows before the
	 * owner is freed. So @owner is valid until rcu_read_unlock().
	 */
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
		altconn_event_notify_change(owner,
					    ALTCONN_EVENT_KIND_NODES_CHANGED);
	rcu_read_unlock();
	return owner;
}

/**
 * altconn_node_exit() - delete all nodes from and to a namespace that ends
 * @an: the namespace, which is freed an RCU grace period later
 *
 * Removes the nodes in the namespace's own table, and clears the target of the
 * nodes that other namespaces have for it.
 *
 * Context: process, may sleep.
 */
void altconn_node_exit(struct altconn_net *an)
{
	while (node_remove_batch(an))
		cond_resched();
	while (node_clear_target(an))
		cond_resched();
	node_notify_change(an);
}
