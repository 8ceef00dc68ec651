/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_LISTEN_H
#define _ALTCONN_LISTEN_H

#include "altconn.h"

struct altconn_assoc;
struct altconn_listener;

int altconn_listen(struct socket *sock, int backlog);
void altconn_listen_close(struct sock *sk);
bool altconn_listen_reset_assoc(struct altconn_assoc *assoc);
void altconn_listen_set_policy(struct sock *sk, bool fail_fast, bool defer);
int altconn_listen_refuse_waiting(struct sock *sk, u32 count);
bool altconn_listen_has_acceptable(const struct altconn_listener *ln);

#endif /* _ALTCONN_LISTEN_H */
