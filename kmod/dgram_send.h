/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_SEND_H
#define _ALTCONN_DGRAM_SEND_H

#include "altconn.h"

void altconn_dgram_free_cork(struct sock *sk);
int altconn_dgram_set_cork(struct sock *sk, bool on);
bool altconn_dgram_is_corked(const struct sock *sk);
int altconn_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);

#endif /* _ALTCONN_DGRAM_SEND_H */
