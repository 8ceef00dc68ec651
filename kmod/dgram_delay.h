/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_DELAY_H
#define _ALTCONN_DGRAM_DELAY_H

#include "altconn.h"

struct altconn_dgram;
struct dgram_dest;

/**
 * struct altconn_delayed - entry of a datagram that a rule delays
 * @node: link in the sender's queue of delayed datagrams
 * @due: when the datagram arrives, ns of ktime_get_ns()
 * @size: memory that the datagram and its delivery use, bytes
 */
struct altconn_delayed {
	struct list_head	node;
	u64			due;
	u32			size;
};

void altconn_delayed_deliver(struct sock *sk, struct altconn_delayed *what);
int altconn_dgram_send_delayed(struct sock *sk, struct altconn_dgram *dg,
			       const struct dgram_dest *dest,
			       const struct path *path, bool connected);
int altconn_delayed_add(struct sock *sk, struct altconn_delayed *d,
			u32 delay_ms);

#endif /* _ALTCONN_DGRAM_DELAY_H */
