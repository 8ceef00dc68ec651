/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PORT_H
#define _ALTCONN_PORT_H

#include "altconn.h"
#include "binding.h"

struct altconn_addr;
struct altconn_net;

int altconn_port_init(struct altconn_net *an);
void altconn_port_exit(struct altconn_net *an);
int altconn_port_bind(struct sock *sk, struct altconn_addr *addr,
		      enum altconn_bind_how how);

#endif /* _ALTCONN_PORT_H */
