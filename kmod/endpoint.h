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

void altconn_endpoint_set_addr(struct sock *sk, struct altconn_addr *addr);
void altconn_endpoint_set_peercred(struct sock *sk, struct pid *pid,
				   const struct cred *cred);
struct altconn_extra *altconn_endpoint_get_extra(struct sock *sk);
int altconn_endpoint_register(struct sock *sk);
void __altconn_endpoint_unregister(struct sock *sk);
struct sock *altconn_endpoint_next(struct net *net,
				   struct altconn_registry_pos *pos);
struct sock *altconn_endpoint_find(struct net *net, u64 id);
void altconn_endpoint_inherit(struct sock *sk, struct sock *newsk);
struct sock *altconn_endpoint_alloc(struct net *net, struct socket *sock,
				    int protocol, int kern);

/**
 * altconn_endpoint_unregister() - remove an endpoint from the namespace's
 *	registry, if it is there
 * @sk: the endpoint
 *
 * Context: process; altconn_lock() held.
 */
static inline void altconn_endpoint_unregister(struct sock *sk)
{
	const struct altconn_extra *extra = altconn_sk(sk)->extra;

	if (extra && altconn_registry_entry_is_listed(&extra->entry))
		__altconn_endpoint_unregister(sk);
}

#endif /* _ALTCONN_ENDPOINT_H */
