/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_ROUTE_H
#define _ALTCONN_DGRAM_ROUTE_H

#include "altconn.h"
#include "addr.h"
#include "ruling.h"

struct altconn_dgram;

/**
 * struct dgram_dest - the destination of a datagram
 * @addr: the destination address, a reference; NULL if the sender is half of a
 *	socketpair
 * @saddr: the sender's address as seen in the sender's namespace, a reference;
 *	set only if @addr belongs to another node, else NULL
 * @pair_sk: the other half of the socketpair, a reference, or NULL
 * @receiver: the receiver that the sender's endpoint remembers, a reference;
 *	NULL if a lookup is necessary
 * @genid: the generation of @addr (altconn_dgram_genids) before the lookup of
 *	the receiver; used only if the sender is connected
 * @ruling: what a rule decides about datagrams to @addr
 *
 * Lifetime: The object is on the stack of a send, or part of a delayed or
 * corked datagram. altconn_dgram_put_dest() drops the references.
 */
struct dgram_dest {
	struct altconn_addr	*addr;
	struct altconn_addr	*saddr;
	struct sock		*pair_sk;
	struct sock		*receiver;
	u64			genid;
	struct altconn_ruling	ruling;
};

struct sock *altconn_dgram_lookup(struct net *net,
				  const struct altconn_addr *addr,
				  struct altconn_addr *from, bool connected,
				  int *err);
struct altconn_addr *altconn_dgram_sender_addr(struct sock *sk,
					       const struct altconn_addr *dest);
struct altconn_dgram *
altconn_dgram_make(struct sock *sk, struct msghdr *msg, size_t len,
		   const struct altconn_addr *dest);
struct sock *altconn_dgram_get_receiver(struct sock *sk,
					struct dgram_dest *dest,
					struct altconn_addr *from,
					bool connected, int *err);
struct sock *altconn_dgram_route(struct sock *sk,
				 struct dgram_dest *dest,
				 struct altconn_dgram *dg,
				 bool connected, int *err);
int altconn_dgram_send_to(struct sock *sk, struct dgram_dest *dest,
			  bool connected, struct altconn_dgram *dg,
			  bool nonblock);
void altconn_dgram_deliver_nowait(struct sock *receiver,
				  struct altconn_dgram *dg);
int altconn_dgram_get_dest(struct sock *sk, struct msghdr *msg,
			   struct dgram_dest *dest, struct path *path);

/**
 * altconn_dgram_put_dest() - drop the references of a destination
 * @dest: the destination, which must not be used afterwards
 *
 * Context: process; no spinlock held.
 */
static inline void altconn_dgram_put_dest(struct dgram_dest *dest)
{
	altconn_addr_put(dest->addr);
	altconn_addr_put(dest->saddr);
	if (dest->pair_sk)
		sock_put(dest->pair_sk);
	if (dest->receiver)
		sock_put(dest->receiver);
}

#endif /* _ALTCONN_DGRAM_ROUTE_H */
