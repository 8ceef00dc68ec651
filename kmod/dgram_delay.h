/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_DELAY_H
#define _ALTCONN_DGRAM_DELAY_H

#include "altconn.h"

struct altconn_dgram;
struct dgram_dest;

int altconn_dgram_send_delayed(struct sock *sk, struct altconn_dgram *dg,
			       const struct dgram_dest *dest,
			       const struct path *path, bool connected);

#endif /* _ALTCONN_DGRAM_DELAY_H */
