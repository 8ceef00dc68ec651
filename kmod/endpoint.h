/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ENDPOINT_H
#define _ALTCONN_ENDPOINT_H

#include "altconn.h"
#include "registry.h"
#include "sock.h"

struct altconn_addr;
struct cred;

extern struct proto altconn_proto;

extern struct proto altconn_dgram_proto;

void altconn_sock_set_addr(struct sock *sk, struct altconn_addr *addr);
void altconn_sock_set_peercred(struct sock *sk, struct pid *pid,
			       const struct cred *cred);
void altconn_sock_register(struct sock *sk);
void __altconn_sock_unregister(struct sock *sk);
struct sock *altconn_sock_next(struct net *net,
			       struct altconn_registry_pos *pos);
struct sock *altconn_sock_find(struct net *net, u64 id);
void altconn_sock_inherit(struct sock *sk, struct sock *newsk);
struct sock *altconn_sock_alloc(struct net *net, struct socket *sock, int type,
				int protocol, int kern);

/**
 * altconn_sock_unregister() - remove an endpoint from the namespace's registry,
 * if it is there
 * @sk: the endpoint
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_sock_unregister(struct sock *sk)
{
	if (altconn_entry_is_listed(&altconn_sk(sk)->entry))
		__altconn_sock_unregister(sk);
}

#endif /* _ALTCONN_ENDPOINT_H */
