/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_AF_ALTCONN_H
#define _ALTCONN_AF_ALTCONN_H

#include "altconn.h"

extern struct net_proto_family altconn_family_ops;

void altconn_af_stop_listening(struct sock *sk);

#endif /* _ALTCONN_AF_ALTCONN_H */
