/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_CONNECT_H
#define _ALTCONN_CONNECT_H

#include "altconn.h"

struct altconn_connect_info;

void altconn_connect_cancel(struct sock *sk, u32 reason);
int altconn_connect_reject_addr(struct sock *sk, int err);
int altconn_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
		    int len, int flags);
void altconn_connect_get_info(struct sock *sk,
			      struct altconn_connect_info *info);

#endif /* _ALTCONN_CONNECT_H */
