/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_ROUTE_H
#define _ALTCONN_DGRAM_ROUTE_H

#include "altconn.h"
#include "ruling.h"

struct altconn_addr;
struct altconn_dgram;

/*
 * Where a datagram goes: an address, or the other half of a pair. And who was
 * found there the last time, what the generation was before the search, and what a
 * rule says. And the sender's address in its own namespace, if that is another node's.
 */
struct dest {
	struct altconn_addr	*addr;
	struct altconn_addr	*own;
	struct sock		*sk;
	struct sock		*known;
	u64			generation;
	struct altconn_ruling	ruling;
};

void altconn_dgram_put_dest(struct dest *dest);
struct sock *altconn_dgram_find(struct net *net,
				const struct altconn_addr *addr,
				struct altconn_addr *from, bool connected,
				int *err);
struct altconn_addr *altconn_dgram_sender_addr(struct sock *sk,
					       const struct altconn_addr *dest);
struct altconn_dgram *
altconn_dgram_make(struct sock *sk, struct msghdr *msg, size_t len,
		   const struct altconn_addr *dest);
struct sock *altconn_dgram_find_receiver(struct sock *sk, struct dest *dest,
					 struct altconn_addr *from,
					 bool connected, int *err);
struct sock *altconn_dgram_find_named(struct sock *sk, struct dest *dest,
				      struct altconn_dgram *dg, bool connected,
				      int *err);
int altconn_dgram_send_to(struct sock *sk, struct dest *dest, bool connected,
			  struct altconn_dgram *dg, bool nonblock);
void altconn_dgram_offer(struct sock *receiver, struct altconn_dgram *dg);
size_t altconn_dgram_find_listening(struct net *net,
				    const struct altconn_addr *addr,
				    struct sock **hearers, size_t room);
int altconn_dgram_broadcast(struct sock *sk,
			    const struct altconn_addr *addr,
			    struct altconn_dgram *dg);
int altconn_dgram_get_dest(struct sock *sk, struct msghdr *msg,
			   struct dest *dest, struct path *path);

#endif /* _ALTCONN_DGRAM_ROUTE_H */
