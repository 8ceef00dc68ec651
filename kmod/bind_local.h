/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_BIND_LOCAL_H
#define _ALTCONN_BIND_LOCAL_H

#include "altconn.h"
#include "binding.h"

struct altconn_addr;

int altconn_bind_local_auto_name(struct sock *sk, enum altconn_bind_how how);
int altconn_bind_local_auto(struct sock *sk, struct altconn_addr *addr);
int altconn_bind_local(struct sock *sk, struct altconn_addr *dest);
void altconn_bind_local_undo(struct sock *sk);

#endif /* _ALTCONN_BIND_LOCAL_H */
