/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SOCKOPT_H
#define _ALTCONN_SOCKOPT_H

#include "altconn.h"

int altconn_sockopt_set_peek_off(struct sock *sk, int value);
int altconn_sockopt_set(struct socket *sock, int level, int optname,
			sockptr_t optval, unsigned int optlen);
int altconn_sockopt_get(struct socket *sock, int level, int optname,
			char __user *optval, int __user *optlen);

#endif /* _ALTCONN_SOCKOPT_H */
