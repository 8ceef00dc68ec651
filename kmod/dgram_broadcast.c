// SPDX-License-Identifier: GPL-2.0
/*
 * This file sends broadcasts. A datagram to a broadcast address goes to all
 * sockets that are bound to the port in the sender's namespace.
 */

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include "addr.h"
#include "dgram_broadcast.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "place.h"
#include "scm.h"
#include "sock.h"

/*
 * Check whether a broadcast to a port goes to a socket with this binding:
 *
 *   native port                                       yes
 *   inet port, 0.0.0.0 or another IPv4 address        yes
 *   inet port, :: without IPV6_V6ONLY                 yes
 *   inet port, another IPv6 address, or IPV6_V6ONLY   no
 *
 * UDP differs: it delivers no broadcast to a socket that is bound to a unicast
 * address.
 */
static bool dgram_gets_broadcast(const struct altconn_bind *bind)
{
	if (bind->addr->kind == ALTCONN_KIND_PORT ||
	    altconn_addr_is_v4(bind->addr))
		return true;
	return altconn_addr_is_any(bind->addr) && !bind->v6only;
}

/*
 * If a broadcast goes to a socket with this binding, add 1 to *@n. If the array
 * @receivers has space, also store a reference to the endpoint there, and skip
 * an endpoint that is being freed. The caller holds rcu_read_lock().
 */
static void dgram_add_receiver(const struct altconn_bind *bind,
			       struct sock **receivers, size_t size, size_t *n)
{
	if (!dgram_gets_broadcast(bind))
		return;
	if (*n < size) {
		if (!refcount_inc_not_zero(&bind->sk->sk_refcnt))
			return;
		receivers[*n] = bind->sk;
	}
	(*n)++;
}

/**
 * altconn_dgram_get_broadcast_receivers() - get the receivers of a broadcast
 * @net: the namespace
 * @addr: the broadcast address; only its kind and its port are used
 * @receivers: array that gets the first @size endpoints, each a reference that
 *	the caller owns
 * @size: number of entries of @receivers; 0 to count the receivers only
 *
 * Context: any.
 * Return: the number of receivers. If it exceeds @size, only @size receivers
 * are stored.
 */
size_t altconn_dgram_get_broadcast_receivers(struct net *net,
					     const struct altconn_addr *addr,
					     struct sock **receivers,
					     size_t size)
{
	struct altconn_addr key = { .kind = addr->kind, .port = addr->port };
	struct altconn_port_place *port;
	struct altconn_place *place;
	struct altconn_bind *bind;
	size_t n = 0;

	rcu_read_lock();
	if (addr->kind == ALTCONN_KIND_INET) {
		port = altconn_place_find_port(net, SOCK_DGRAM, &key);
		altconn_place_for_each_at_port(bind, port)
			dgram_add_receiver(bind, receivers, size, &n);
	} else {
		place = altconn_place_find(net, SOCK_DGRAM, &key,
					   ALTCONN_CLOSEST);
		altconn_place_for_each_bind(bind, place)
			dgram_add_receiver(bind, receivers, size, &n);
	}
	rcu_read_unlock();
	return n;
}

/*
 * Deliver a copy of a broadcast to one receiver. The copy is lost if the
 * receiver is full or refuses it. Return 0, -ENOMEM, or -EINTR if the sender is
 * being killed.
 */
static int dgram_deliver_copy(const struct sock *sk, struct sock *receiver,
			      struct altconn_dgram *dg)
{
	struct altconn_dgram *copy = altconn_dgram_copy(dg);

	if (!copy)
		return -ENOMEM;
	if (altconn_dgram_carries_creds(sk, receiver))
		altconn_scm_add_own_cred(&copy->scm);
	altconn_dgram_deliver_nowait(receiver, copy);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/**
 * altconn_dgram_broadcast() - send to every socket of a port in the namespace
 * @sk: the sending endpoint
 * @addr: the broadcast address; only its kind and its port are used
 * @dg: the datagram
 *
 * The caller has checked that SO_BROADCAST is set on the sender (clause
 * E-ACCES-BCAST: EACCES without that option). As with UDP, the call succeeds
 * even if no receiver has taken the datagram. The receivers are looked up under
 * RCU before the first copy is made, because an allocation may sleep. After an
 * error, the receivers that have a copy already keep it.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, in which case the caller's reference is gone; -ENOMEM; -EINTR if
 * the sender is being killed. Unless the result is 0, the caller keeps its
 * reference.
 */
int altconn_dgram_broadcast(struct sock *sk,
			    const struct altconn_addr *addr,
			    struct altconn_dgram *dg)
{
	struct net *net = sock_net(sk);
	struct sock **receivers;
	size_t n, i;
	int err = 0;

	n = altconn_dgram_get_broadcast_receivers(net, addr, NULL, 0);
	receivers = kvmalloc_array(n, sizeof(*receivers), GFP_KERNEL_ACCOUNT);
	if (n && !receivers)
		return -ENOMEM;
	n = min(n, altconn_dgram_get_broadcast_receivers(net, addr, receivers,
							 n));
	for (i = 0; i < n; i++) {
		if (!err)
			err = dgram_deliver_copy(sk, receivers[i], dg);
		sock_put(receivers[i]);
	}
	kvfree(receivers);
	if (!err)
		altconn_dgram_put(dg);
	return err;
}
