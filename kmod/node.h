/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NODE_H
#define _ALTCONN_NODE_H

#include "altconn.h"
#include "addr.h"

struct altconn_net;

/**
 * struct altconn_node_info - another node, for those who ask
 * @id: its id here
 * @up: it is not set down
 * @gone: its namespace is gone
 * @netns: inode number of that
 * @ip: its IP addresses here, IPv4 as v4-mapped, and IPv6; all zero: none
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
struct net *altconn_node_get(const struct net *net,
			     const struct altconn_addr *addr,
			     struct altconn_addr *there, u32 *reason);
struct altconn_addr *altconn_node_seen(struct net *there, const struct net *net,
				       struct altconn_addr *addr);
void altconn_node_source(struct net *net, const struct altconn_addr *dest,
			 struct altconn_addr *local);
int __altconn_node_route(const struct sock *sk, struct altconn_addr *addr,
			 u32 *reason);
int altconn_node_add(struct net *net, u32 id, const struct in6_addr ip[2],
		     struct net *target);
int altconn_node_del(struct net *net, u32 id);
int altconn_node_set(struct net *net, u32 id, bool up);
int altconn_node_call(struct net *net, u32 id);
int altconn_node_next(struct net *net, u32 *id, struct altconn_node_info *info);
void altconn_node_init(struct altconn_net *an);
void altconn_node_leave(struct altconn_net *an);

/**
 * altconn_node_route() - is there a way to an address?
 * @sk: who wants to connect or send
 * @addr: the destination; an IP address that means any becomes the loopback one,
 *	this node's own id becomes ALTCONN_NODE_SELF; far when it is another's
 * @reason: why not
 *
 * What is this node's own counts before what it knows of others.
 *
 * Context: process.
 * Return: 0; -ENETUNREACH: no such node, or an IP address that is neither this
 * node's nor another's, or of a version that the socket does not speak
 * (E-NETUNREACH); -EHOSTUNREACH: the node is down, or its namespace is gone
 * (E-HOSTUNREACH).
 */
static inline int altconn_node_route(const struct sock *sk,
				     struct altconn_addr *addr, u32 *reason)
{
	if (addr->kind != ALTCONN_KIND_INET && addr->node == ALTCONN_NODE_SELF)
		return 0;
	return __altconn_node_route(sk, addr, reason);
}

/**
 * altconn_node_is_broadcast() - does this address mean everybody?
 * @net: the namespace
 * @addr: canonical address
 *
 * Context: process.
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
