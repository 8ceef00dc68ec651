/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_CONNECT_OUTCOME_H
#define _ALTCONN_CONNECT_OUTCOME_H

#include "altconn.h"
#include "sock.h"

struct altconn_assoc;

struct altconn_assoc *altconn_connect_own_assoc(struct sock *sk);
void altconn_connect_drop_failed(struct sock *sk, struct altconn_assoc *assoc);
void __altconn_connect_reap(struct sock *sk);

/**
 * altconn_connect_reap() - let go of an attempt that failed
 * @sk: the endpoint
 *
 * A failed attempt stays at the endpoint until the next call that wants it
 * unconnected, since the decision cannot take the socket's lock. An error that
 * nobody has been told stays in sk_err.
 *
 * Context: process; lock_sock() held.
 */
static inline void altconn_connect_reap(struct sock *sk)
{
	if (altconn_state(sk) == TCP_CLOSE &&
	    rcu_access_pointer(altconn_sk(sk)->assoc))
		__altconn_connect_reap(sk);
}

#endif /* _ALTCONN_CONNECT_OUTCOME_H */
