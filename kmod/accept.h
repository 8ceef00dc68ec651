/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ACCEPT_H
#define _ALTCONN_ACCEPT_H

#include "altconn.h"

struct proto_accept_arg;

int altconn_accept_sock(struct socket *sock, struct socket *newsock,
			struct proto_accept_arg *arg);

#endif /* _ALTCONN_ACCEPT_H */
