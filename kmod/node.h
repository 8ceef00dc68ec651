/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header declares nodes (node.c): which addresses a network namespace has
 * itself, and how it reaches the addresses of other namespaces.
 */
#ifndef _ALTCONN_NODE_H
#define _ALTCONN_NODE_H

#include "altconn.h"
#include "addr.h"

struct altconn_net;

/**
 * struct altconn_node_info - a copy of a node
 * @id: node id, in the namespace that has the node in its table
 * @up: false if altconn_node_set_up() has set the node down
 * @gone: the target namespace no longer exists
 * @netns: inode number of the target namespace
 * @ip: IP addresses of the node, in the namespace that has the node in its
 *	table: [0] IPv4 as v4-mapped, [1] IPv6; all zero: none
 */
struct altconn_node_info {
	u32		id;
	bool		up;
	bool		gone;
	u32		netns;
	struct in6_addr	ip[2];
};

bool altconn_node_is_local(struct net *net, const struct altconn_addr *addr);
bool __altconn_node_is_broadcast(struct net *net,
				 const struct altconn_addr *addr);
struct net *altconn_node_get_net(const struct net *net,
				 const struct altconn_addr *addr,
				 struct altconn_addr *there, u32 *reason);
struct altconn_addr *altconn_node_translate(struct net *there,
					    const struct net *net,
					    struct altconn_addr *addr);
void altconn_node_saddr(struct net *net, const struct altconn_addr *dest,
			struct altconn_addr *local);
int __altconn_node_route(const struct sock *sk, struct altconn_addr *addr,
			 u32 *reason);
int altconn_node_add(struct net *net, u32 id, const struct in6_addr ip[2],
		     struct net *target);
int altconn_node_del(struct net *net, u32 id);
int altconn_node_set_up(struct net *net, u32 id, bool up);
int altconn_node_set_self(struct net *net, u32 id);
int altconn_node_next(struct net *net, u32 *id, struct altconn_node_info *info);
void altconn_node_init(struct altconn_net *an);
void altconn_node_exit(struct altconn_net *an);

/**
 * altconn_node_route() - find out which namespace has a destination
 * @sk: the endpoint that connects or sends
 * @addr: the destination, which the function updates: 0.0.0.0 and :: become the
 *	loopback address; the id that this namespace has for itself becomes
 *	ALTCONN_NODE_SELF; and addr->xns is set if another node has the address
 * @reason: gets enum altconn_reason of a failure; undefined on success
 *
 * If this namespace and another node have the same IP address, this namespace
 * has precedence.
 *
 * Context: process, does not sleep.
 * Return: 0 if this namespace or a reachable node has the destination;
 * -ENETUNREACH if no node has the destination, or the socket cannot use its IP
 * version (clause E-NETUNREACH: no route); -EHOSTUNREACH if the node is down,
 * or its namespace no longer exists (clause E-HOSTUNREACH: a known node that
 * cannot be reached).
 */
static inline int altconn_node_route(const struct sock *sk,
				     struct altconn_addr *addr, u32 *reason)
{
	if (addr->kind != ALTCONN_KIND_INET && addr->node == ALTCONN_NODE_SELF)
		return 0;
	return __altconn_node_route(sk, addr, reason);
}

/**
 * altconn_node_is_broadcast() - check whether an address is a broadcast address
 * @net: the namespace of the endpoint
 * @addr: canonical address
 *
 * A broadcast address is an IPv4 broadcast address of @net, or a port with the
 * node id ALTCONN_NODE_BROADCAST.
 *
 * Context: process, does not sleep.
 * Return: true if @addr is a broadcast address, else false.
 */
static inline bool altconn_node_is_broadcast(struct net *net,
					     const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return __altconn_node_is_broadcast(net, addr);
	return addr->kind == ALTCONN_KIND_PORT &&
	       addr->node == ALTCONN_NODE_BROADCAST;
}

#endif /* _ALTCONN_NODE_H */
