/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SOCKOPT_INET_H
#define _ALTCONN_SOCKOPT_INET_H

#include "altconn.h"

int altconn_sockopt_inet_set(struct sock *sk, int level, int optname,
			     sockptr_t optval, unsigned int optlen);
int altconn_sockopt_inet_get(struct sock *sk, int level, int optname,
			     int *value);
void altconn_sockopt_inet_inherit(struct sock *sk, struct sock *newsk);

#endif /* _ALTCONN_SOCKOPT_INET_H */
