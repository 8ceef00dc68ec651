// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes: which addresses belong to this network namespace, and how it reaches
 * the addresses of other namespaces.
 *
 * A namespace gives each other namespace that it knows a node id, and may give
 * it one IPv4 and one IPv6 address. These names are valid in the naming
 * namespace only. The named namespace may use another id for the first one, or
 * may not know it at all. In the latter case a socket of the named namespace
 * sees the clients of the naming one without an address.
 *
 * A node holds no reference to its namespace, so namespaces that know each
 * other can still be destroyed.
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
 * Maximum number of nodes in one namespace. Some lookups walk the nodes one by
 * one, so the number bounds their cost.
 */
#define NODES_MAX	1024

/* Maximum number of nodes that are deleted in one nodes_lock section. */
#define NODES_BATCH	16

/**
 * struct altconn_node - an entry of a namespace's node table
 * @id: node id in @owner
 * @up: whether the node may be reached; written under the owner's nodes_lock
 * @netns: inode number of the target namespace
 * @owner: the namespace that has this node in its table
 * @target: the namespace that the node stands for, or NULL once that namespace
 *	no longer exists; cleared under node_target_lock
 * @ip: the node's IP addresses in @owner, IPv4 and IPv6; all zero if there is
 *	none
 * @sibling: link in the owner's node_list; changes under the owner's nodes_lock
 * @naming: link in the target's named_by list, or empty; under node_target_lock
 * @rcu: frees the node
 *
 * Lifetime: the owner's table owns the node and drops it under the owner's
 * nodes_lock; the memory is freed an RCU grace period later. Readers hold
 * rcu_read_lock() only. @target is not a reference: altconn_node_exit() of the
 * target namespace clears it, an RCU grace period before that namespace's
 * memory is freed. A reader that uses @target beyond its RCU read section takes
 * a reference with maybe_get_net(), which fails for a namespace that is being
 * destroyed.
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
 * Protects each namespace's named_by list. The entries of that list are in the
 * node tables of other namespaces, so one lock serves all namespaces. Every
 * critical section takes constant time. The lock nests inside an->nodes_lock.
 * Both are spinlocks rather than mutexes, since a task that is throttled by
 * cpu.max could hold a mutex for long.
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
 * altconn_node_is_local() - check whether this namespace has an IP address
 * @net: the namespace
 * @addr: address of kind INET, not 0.0.0.0 or ::
 *
 * The loopback addresses are always local, even while the loopback device is
 * down.
 *
 * Context: process, does not sleep.
 * Return: true if @addr is local, else false.
 */
bool altconn_node_is_local(struct net *net, const struct altconn_addr *addr)
{
	__be32 ip = altconn_addr_v4(addr);

	if (!altconn_addr_is_v4(addr))
		return node_is_local_v6(net, addr);
	return ipv4_is_loopback(ip) || inet_addr_type(net, ip) == RTN_LOCAL;
}

/*
 * Check whether @ip is an IPv4 broadcast address of @net. A namespace that
 * never had an IPv4 address has no local routing table. inet_addr_type() then
 * returns RTN_BROADCAST for every address, so its result for the loopback
 * address is checked too.
 */
static bool node_is_broadcast(struct net *net, __be32 ip)
{
	return ipv4_is_lbcast(ip) ||
	       (inet_addr_type(net, ip) == RTN_BROADCAST &&
		inet_addr_type(net, htonl(INADDR_LOOPBACK)) != RTN_BROADCAST);
}

/**
 * __altconn_node_is_broadcast() - altconn_node_is_broadcast() of an IP address
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

static bool node_ip_matches(const struct altconn_node *node,
			    const struct in6_addr *ip)
{
	return ipv6_addr_equal(&node->ip[0], ip) ||
	       ipv6_addr_equal(&node->ip[1], ip);
}

/* Find the node that has the IP address @ip. RCU read side. */
static struct altconn_node *node_find_ip(struct altconn_net *an, const struct in6_addr *ip)
{
	struct altconn_node *node;

	list_for_each_entry_rcu(node, &an->node_list, sibling)
		if (node_ip_matches(node, ip))
			return node;
	return NULL;
}

/* Find the node that @addr belongs to. RCU read side. */
static struct altconn_node *node_find(struct altconn_net *an, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return node_find_ip(an, altconn_addr_ip(addr));
	return xa_load(&an->nodes, addr->node);
}

/*
 * Check that @node, which may be NULL, exists and is reachable. @reason gets
 * the reason of a failure. RCU read side.
 */
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
 * altconn_node_get_net() - get the namespace that an xns address belongs to
 * @net: the namespace of the endpoint that connects or sends
 * @addr: an address of another node (@addr->xns)
 * @there: gets a copy of @addr as the other namespace writes it, on failure
 *	too; its xns flag is the one of @addr
 * @reason: gets enum altconn_reason of a failure; undefined on success
 *
 * Context: any.
 * Return: the namespace, with a reference that the caller drops with put_net();
 * ERR_PTR(-ENETUNREACH) if the node no longer exists; ERR_PTR(-EHOSTUNREACH) if
 * the node is down or its namespace no longer exists.
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

/*
 * Find the node by which the namespace @there knows @net, or NULL. RCU read
 * side.
 */
static struct altconn_node *node_find_by_target(struct net *there,
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
 * altconn_node_translate() - translate an address for another namespace
 * @there: the namespace that the result is for; not @net
 * @net: the namespace that @addr belongs to
 * @addr: the address, or NULL
 *
 * A path is the same in every namespace.
 *
 * Context: process, may sleep.
 * Return: the address as @there writes it, with a reference that the caller
 * drops; NULL if @addr is NULL, or if @there has no name for it because it does
 * not know @net, or not by this IP address; ERR_PTR(-ENOMEM).
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
 * Set the IP part of @local to the address by which the node of @dest knows
 * @net, or to 0.0.0.0 or :: if that node has no such address.
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
 * @dest: the destination: an address of this node, of another node, or a
 *	broadcast address
 * @local: the endpoint's address; node, len and the IP address are written
 *
 * The choice is the one that a host's routing table makes for a local
 * destination: 127.0.0.1 for all of 127.0.0.0/8, else the destination address
 * itself. A broadcast stays in this namespace, so its source is 127.0.0.1, to
 * which a receiver can reply. Towards another node the source is the address by
 * which that node knows this one, or 0.0.0.0 or :: if that node has no address
 * for this one.
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

/* As in TCP, the destinations 0.0.0.0 and :: mean the loopback address. */
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
 * Check whether the IP version of @dest is one that the socket speaks: the
 * version of the IP address that the socket is bound to, and no IPv4 with
 * IPV6_V6ONLY. A socket without IPV6_V6ONLY that is bound to ::, or to no IP
 * address, speaks both. RCU read side.
 */
static bool node_speaks_version(const struct altconn_sock *ask,
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

/*
 * Check whether another node has @addr and is reachable; set addr->xns if so.
 */
static noinline int node_route_xns(struct net *net, struct altconn_addr *addr,
				   u32 *reason)
{
	int err;

	rcu_read_lock();
	err = node_check(node_find(altconn_pernet(net), addr), reason);
	rcu_read_unlock();
	addr->xns = !err;
	return err;
}

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
 * __altconn_node_route() - altconn_node_route() of an address that needs a
 *	lookup
 * @sk: the endpoint that connects or sends
 * @addr: the destination: an IP address, or a port or name with a node id other
 *	than ALTCONN_NODE_SELF; updated as by altconn_node_route()
 * @reason: gets enum altconn_reason of a failure; undefined on success
 *
 * Context: process, does not sleep.
 * Return: the codes of altconn_node_route().
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
 * Announce a change of the node table. Connected datagram sockets cache their
 * receiver and must look it up again. Watchers get an event.
 */
static void node_notify_change(struct altconn_net *an)
{
	altconn_dgram_genid_bump();
	altconn_notify_change(an, ALTCONN_EVENT_KIND_NODES_CHANGED);
}

/*
 * Return -EADDRINUSE if another node has an IP address of @new, -EALREADY if a
 * node stands for the same namespace, else 0. an->nodes_lock held.
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
 * Add @node to the table, unless its id, its namespace or one of its IP
 * addresses is taken. The caller has reserved the array entry. xa_store()
 * allocates memory only if that entry was released or erased after the
 * reservation: by a failed request for the same id, or with a deleted node.
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
 * altconn_node_add() - make another namespace reachable
 * @net: the namespace that knows the node
 * @id: node id, neither ALTCONN_NODE_SELF (0) nor ALTCONN_NODE_BROADCAST
 * @ip: IP addresses of the node: [0] IPv4 as v4-mapped, [1] IPv6; an all-zero
 *	entry means that there is none
 * @target: the other namespace; the caller keeps its reference
 *
 * Context: process, may sleep.
 * Return: 0; -EEXIST if a node or @net itself has the id; -EADDRINUSE if a node
 * has one of the IP addresses; -EALREADY if a node stands for @target already,
 * since a namespace has one name only; -ENOSPC if the table has 1024 nodes;
 * -ENOMEM.
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

/*
 * Delete up to NODES_BATCH nodes. Return true if there may be more, else false.
 */
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
 * altconn_node_del() - delete a node, or all nodes
 * @net: the namespace that knows the node
 * @id: node id, or 0 for all nodes
 *
 * Associations with the node are not ended.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOENT if there is no node with this id.
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
 * @net: the namespace that knows the node
 * @id: node id
 * @up: whether the node may be reached from now on
 *
 * Associations with the node are not ended. Attempts that already wait at the
 * node keep waiting.
 *
 * Context: process, does not sleep.
 * Return: 0; -ENOENT if there is no node with this id.
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
 * altconn_node_set_self() - set the id by which a namespace names itself
 * @net: the namespace
 * @id: an id that means the same as ALTCONN_NODE_SELF, or 0 to remove it
 *
 * Context: process, does not sleep.
 * Return: 0; -EEXIST if a node has the id.
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
 * altconn_node_next() - read the next node of a namespace's table
 * @net: the namespace
 * @id: the smallest id to return; gets the id of the node that is returned
 * @info: gets the node, or zeros if there is none
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
 * altconn_node_init() - initialize a namespace's empty node table
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
 * Clear the target of one node that stands for the dying namespace @an, and
 * send an event to the watchers of the node's owner. Return false if there was
 * no such node, else true.
 */
static bool node_clear_target(struct altconn_net *an)
{
	struct altconn_net *owner = NULL;
	struct altconn_node *node;

	/*
	 * The owner's memory stays for this RCU read section: the owner empties
	 * its table a grace period before it is freed.
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
		altconn_notify_change(owner, ALTCONN_EVENT_KIND_NODES_CHANGED);
	rcu_read_unlock();
	return owner;
}

/**
 * altconn_node_exit() - remove a dying namespace from all node tables
 * @an: the namespace; its memory is freed an RCU grace period later
 *
 * Empties the namespace's own table, and clears the target of each node in
 * other tables that stands for it.
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
