/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_CONNECT_OUTCOME_H
#define _ALTCONN_CONNECT_OUTCOME_H

#include "altconn.h"
#include "assoc.h"
#include "sock.h"

void altconn_connect_drop_failed(struct sock *sk, struct altconn_assoc *assoc);
void __altconn_connect_drop_if_failed(struct sock *sk);

/**
 * altconn_connect_drop_if_failed() - drop a failed attempt, if the endpoint has
 *	one
 * @sk: the endpoint
 *
 * A call that needs the endpoint unconnected begins with this function, see
 * connect_outcome.c. If no call has returned the error of the attempt yet, the
 * error stays in sk->sk_err.
 *
 * Context: process; altconn_lock() held, no spinlock of this module held.
 */
static inline void altconn_connect_drop_if_failed(struct sock *sk)
{
	if (altconn_state(sk) == TCP_CLOSE &&
	    rcu_access_pointer(altconn_sk(sk)->assoc))
		__altconn_connect_drop_if_failed(sk);
}

#endif /* _ALTCONN_CONNECT_OUTCOME_H */
