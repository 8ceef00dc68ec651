/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_BINDING_H
#define _ALTCONN_BINDING_H

#include "altconn.h"
#include "addr.h"
#include "sock.h"

struct altconn_bind;
struct altconn_listener;

/**
 * enum altconn_bind_how - how an endpoint gets its address
 * @ALTCONN_BIND_ASKED: bind() named this address
 * @ALTCONN_BIND_CHOSEN: bind() left the port or name to the module
 * @ALTCONN_BIND_AUTO: the module binds without a call of bind()
 */
enum altconn_bind_how {
	ALTCONN_BIND_ASKED,
	ALTCONN_BIND_CHOSEN,
	ALTCONN_BIND_AUTO,
};

struct altconn_bind *altconn_bind_new(struct sock *sk,
				      const struct altconn_addr *addr,
				      enum altconn_bind_how how);
int altconn_bind_publish(struct sock *sk, struct altconn_bind *bind,
			 bool exclusive);
int altconn_bind_insert(struct sock *sk, const struct altconn_addr *addr,
			enum altconn_bind_how how);
bool altconn_bind_get_file(struct sock *sk, struct path *path);
void __altconn_bind_cancel(struct sock *sk);
void altconn_unbind(struct sock *sk, struct path *path);
void __altconn_bind_make_reachable(struct sock *sk);
int altconn_binding_reserve_listening(struct sock *sk);
void altconn_binding_set_listener(struct sock *sk, struct altconn_listener *ln);
void altconn_binding_release_listening(struct sock *sk);

/**
 * altconn_bind_cancel() - cancel a bind() of a path that is under way
 * @sk: the endpoint
 *
 * A bind() looks its path up without lock_sock(), and the lookup may block for
 * ever. A call that needs the endpoint's address, or that changes the
 * endpoint's state, does not wait for the lookup. It cancels that bind(), which
 * fails later. After altconn_bind_cancel() ask->bind changes only under
 * lock_sock().
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_bind_cancel(struct sock *sk)
{
	/*
	 * Pairs with path_complete_bind(): if that has cleared
	 * @pending_bind, ask->bind is visible here.
	 */
	if (unlikely(smp_load_acquire(&altconn_sk(sk)->pending_bind)))
		__altconn_bind_cancel(sk);
}

/**
 * altconn_bind_make_reachable() - let another node answer an endpoint
 * @sk: an endpoint that sends or connects
 * @dest: the destination; nothing changes if it belongs to this node
 *
 * An address that the module chose for an unbound endpoint becomes reachable.
 * An address from bind() keeps the reachability that its caller chose.
 *
 * Context: any.
 */
static inline void altconn_bind_make_reachable(struct sock *sk,
					       const struct altconn_addr *dest)
{
	if (unlikely(dest->xns))
		__altconn_bind_make_reachable(sk);
}

#endif /* _ALTCONN_BINDING_H */
