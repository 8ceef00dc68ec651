// SPDX-License-Identifier: GPL-2.0
/*
 * Failed attempts stay with their endpoint until the next call on the socket,
 * since the decision cannot take the socket's lock. Here they are dropped.
 */

#include "assoc.h"
#include "bind_local.h"
#include "connect_outcome.h"
#include "sock.h"

struct altconn_assoc *altconn_connect_own_assoc(struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->assoc,
					 lockdep_sock_is_held(sk));
}

/* Drop an association that is over, remember what became of the attempt. */
void altconn_connect_drop_failed(struct sock *sk, struct altconn_assoc *assoc)
{
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_connect_record(sk, assoc);
	ask->unreported = false;
	spin_lock(&assoc->lock);
	RCU_INIT_POINTER(ask->assoc, NULL);
	spin_unlock(&assoc->lock);
	altconn_assoc_put(assoc);
	altconn_bind_reset(sk);
}

/* altconn_connect_reap() of one that has failed. */
void __altconn_connect_reap(struct sock *sk)
{
	altconn_connect_drop_failed(sk, altconn_connect_own_assoc(sk));
}
