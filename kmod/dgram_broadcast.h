/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_BROADCAST_H
#define _ALTCONN_DGRAM_BROADCAST_H

#include "altconn.h"

struct altconn_addr;
struct altconn_dgram;

size_t altconn_dgram_get_broadcast_receivers(struct net *net,
					     const struct altconn_addr *addr,
					     struct sock **receivers,
					     size_t size);
int altconn_dgram_broadcast(struct sock *sk,
			    const struct altconn_addr *addr,
			    struct altconn_dgram *dg);

#endif /* _ALTCONN_DGRAM_BROADCAST_H */
