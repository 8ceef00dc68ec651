/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_BINDING_H
#define _ALTCONN_BINDING_H

#include "altconn.h"
#include "addr.h"
#include "sock.h"

struct altconn_bind;
struct altconn_listener;

/**
 * enum altconn_bind_how - how the address of a binding was chosen
 * @ALTCONN_BIND_ASKED: it is the argument of bind()
 * @ALTCONN_BIND_CHOSEN: bind() left the choice of the port or name to the
 *	module
 * @ALTCONN_BIND_AUTO: the module chose it without a call of bind()
 */
enum altconn_bind_how {
	ALTCONN_BIND_ASKED,
	ALTCONN_BIND_CHOSEN,
	ALTCONN_BIND_AUTO,
};

struct altconn_bind *altconn_binding_new(struct sock *sk,
					 const struct altconn_addr *addr,
					 enum altconn_bind_how how);
int altconn_binding_publish(struct sock *sk, struct altconn_bind *bind,
			    bool exclusive);
int altconn_binding_add(struct sock *sk, const struct altconn_addr *addr,
			enum altconn_bind_how how);
bool altconn_binding_get_file(struct sock *sk, struct path *path);
void __altconn_binding_cancel(struct sock *sk);
void altconn_binding_remove(struct sock *sk, struct path *path);
void __altconn_binding_make_reachable(struct sock *sk);
int altconn_binding_reserve_listening(struct sock *sk);
void altconn_binding_set_listener(struct sock *sk, struct altconn_listener *ln);
void altconn_binding_release_listening(struct sock *sk);
int __init altconn_binding_init(void);
void altconn_binding_exit(void);

/**
 * altconn_binding_cancel() - cancel a bind() to a path that has not completed
 * @sk: the endpoint
 *
 * bind() to a path looks up the path without altconn_lock(), and the lookup may
 * block for ever. A call that needs the endpoint's address, or that changes the
 * endpoint's state, does not wait for this bind() but cancels it. A cancelled
 * bind() returns -EINVAL.
 *
 * After altconn_binding_cancel(), and as long as the caller holds
 * altconn_lock(), no other thread changes ask->bind.
 *
 * Context: process; altconn_lock() held.
 */
static inline void altconn_binding_cancel(struct sock *sk)
{
	struct altconn_extra *extra = altconn_sk(sk)->extra;

	/*
	 * Pairs with the release in path_complete_bind(). If pending_bind is
	 * NULL because that bind() has completed, the caller sees ask->bind.
	 */
	if (unlikely(extra && smp_load_acquire(&extra->pending_bind)))
		__altconn_binding_cancel(sk);
}

/**
 * altconn_binding_make_reachable() - make an automatic address reachable from
 *	other nodes, if the destination belongs to another node
 * @sk: an endpoint that sends or connects
 * @dest: the destination
 *
 * The peer can then answer. A binding that bind() made does not change.
 *
 * Context: any.
 */
static inline void
altconn_binding_make_reachable(struct sock *sk, const struct altconn_addr *dest)
{
	if (unlikely(dest->xns))
		__altconn_binding_make_reachable(sk);
}

#endif /* _ALTCONN_BINDING_H */
