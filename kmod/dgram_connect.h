/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_CONNECT_H
#define _ALTCONN_DGRAM_CONNECT_H

#include "altconn.h"

bool altconn_dgram_reset(struct sock *sk);
int altconn_dgram_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
			  int len, int flags);
int altconn_dgram_pair(struct sock *a, struct sock *b);
int altconn_dgram_shutdown(struct sock *sk, u8 how);
void altconn_dgram_close(struct sock *sk);

#endif /* _ALTCONN_DGRAM_CONNECT_H */
