// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes: which addresses are this network namespace's own, and which way leads
 * to others. This namespace is the only node that it knows.
 */

#include <linux/inetdevice.h>
#include <net/addrconf.h>
#include <net/route.h>
#include "altconn.h"

static bool is_local_v6(struct net *net, const struct altconn_addr *addr)
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
		return is_local_v6(net, addr);
	return ipv4_is_loopback(ip) || inet_addr_type(net, ip) == RTN_LOCAL;
}

/**
 * altconn_node_is_broadcast() - does this address mean everybody?
 * @net: the namespace
 * @addr: canonical address
 *
 * Context: process.
 */
bool altconn_node_is_broadcast(struct net *net,
			       const struct altconn_addr *addr)
{
	__be32 ip;

	if (addr->kind == ALTCONN_KIND_PORT)
		return addr->node == ALTCONN_NODE_BROADCAST;
	if (addr->kind != ALTCONN_KIND_INET || !altconn_addr_is_v4(addr))
		return false;
	ip = altconn_addr_v4(addr);
	return !ipv4_is_loopback(ip) && !ipv4_is_zeronet(ip) &&
	       inet_addr_type(net, ip) == RTN_BROADCAST;
}

/**
 * altconn_node_source() - the IP address that a socket has towards another
 * @net: the namespace
 * @dest: where it connects or sends to, this node's or broadcast
 * @local: its address; the IP part is written
 *
 * As the routing table of a host has it: 127.0.0.1 to all of 127/8, else the
 * address itself. Broadcast stays in this namespace, where 127.0.0.1 can be
 * answered.
 *
 * Context: process.
 */
void altconn_node_source(struct net *net, const struct altconn_addr *dest,
			 struct altconn_addr *local)
{
	local->node = dest->node;
	local->len = sizeof(struct in6_addr);
	if (altconn_addr_is_v4(dest) &&
	    (ipv4_is_loopback(altconn_addr_v4(dest)) ||
	     altconn_node_is_broadcast(net, dest)))
		ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK),
				       altconn_addr_ip(local));
	else
		*altconn_addr_ip(local) = *altconn_addr_ip(dest);
}

/* 0.0.0.0 and :: as a destination are the loopback address, as with TCP. */
static void any_is_loopback(struct altconn_addr *addr)
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
static bool same_version(const struct altconn_sock *ask,
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

static int route_inet(const struct sock *sk, struct altconn_addr *addr,
		      u32 *reason)
{
	struct net *net = sock_net(sk);
	bool same;

	any_is_loopback(addr);
	rcu_read_lock();
	same = same_version(altconn_sk(sk), addr);
	rcu_read_unlock();
	if (same && (altconn_node_is_local(net, addr) ||
		     altconn_node_is_broadcast(net, addr)))
		return 0;
	*reason = ALTCONN_REASON_NO_NODE;
	return -ENETUNREACH;
}

/**
 * altconn_node_route() - is there a way to an address?
 * @sk: who wants to connect or send
 * @addr: the destination; an IP address that means any becomes the loopback one
 * @reason: why not
 *
 * Context: process.
 * Return: 0; -ENETUNREACH: no such node, or an IP address that is not this
 * node's or of a version that the socket does not speak (E-NETUNREACH).
 */
int altconn_node_route(const struct sock *sk, struct altconn_addr *addr,
		       u32 *reason)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return route_inet(sk, addr, reason);
	if (addr->node == ALTCONN_NODE_SELF ||
	    altconn_node_is_broadcast(sock_net(sk), addr))
		return 0;
	*reason = ALTCONN_REASON_NO_NODE;
	return -ENETUNREACH;
}
