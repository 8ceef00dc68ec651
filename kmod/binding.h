/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_BINDING_H
#define _ALTCONN_BINDING_H

#include "altconn.h"
#include "addr.h"
#include "sock.h"

struct altconn_bind;
struct altconn_listener;

enum altconn_bind_how {
	ALTCONN_BIND_ASKED,	/* for this address */
	ALTCONN_BIND_CHOSEN,	/* bind() left the port or name to us */
	ALTCONN_BIND_AUTO,	/* nobody called bind() */
};

struct altconn_bind *altconn_bind_new(struct sock *sk,
				      const struct altconn_addr *addr,
				      enum altconn_bind_how how);
int altconn_bind_publish(struct sock *sk, struct altconn_bind *bind,
			 bool exclusive);
int altconn_bind_insert(struct sock *sk, const struct altconn_addr *addr,
			enum altconn_bind_how how);
bool altconn_bind_file(struct sock *sk, struct path *path);
void __altconn_bind_cancel(struct sock *sk);
void altconn_unbind(struct sock *sk, struct path *path);
void __altconn_bind_answerable(struct sock *sk);
int altconn_bind_start_listening(struct sock *sk);
void altconn_bind_listen(struct sock *sk, struct altconn_listener *ln);
void altconn_bind_stop_listening(struct sock *sk);

/**
 * altconn_bind_cancel() - this call comes before a bind() that is under way
 * @sk: the endpoint
 *
 * A bind() looks its path up without lock_sock(), which may take for ever. A call
 * that needs the endpoint's address, or changes its state, does not wait for
 * that: the bind() fails later. Afterwards ask->bind changes under lock_sock()
 * alone.
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_bind_cancel(struct sock *sk)
{
	/* Pairs with altconn_bind_complete(): ask->bind is what it made. */
	if (unlikely(smp_load_acquire(&altconn_sk(sk)->binding)))
		__altconn_bind_cancel(sk);
}

/**
 * altconn_bind_answerable() - another node is to be able to answer
 * @sk: an endpoint that sends or connects
 * @dest: where to; another node's or not
 *
 * An address that it has for no other purpose becomes reachable; one that it was
 * bound to stays as it was wanted.
 *
 * Context: any.
 */
static inline void altconn_bind_answerable(struct sock *sk,
					   const struct altconn_addr *dest)
{
	if (unlikely(dest->far))
		__altconn_bind_answerable(sk);
}

#endif /* _ALTCONN_BINDING_H */
