// SPDX-License-Identifier: GPL-2.0
/*
 * The attempt that an endpoint has, and the end of one that has failed. The
 * decision of an attempt cannot take the socket's lock, so a failed attempt
 * stays at its endpoint until the next call on the socket drops it.
 */

#include "assoc.h"
#include "bind_local.h"
#include "connect_outcome.h"
#include "sock.h"

/**
 * altconn_connect_drop_failed() - drop a failed attempt from its endpoint
 * @sk: the endpoint
 * @assoc: its attempt, which has failed; the endpoint's reference is dropped
 *
 * The result stays at the endpoint for ALTCONN_CONNECT_INFO. A local address
 * that connect() chose is released.
 *
 * Context: process; lock_sock() held, no spinlock of this module held.
 */
void altconn_connect_drop_failed(struct sock *sk, struct altconn_assoc *assoc)
{
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_assoc_save_outcome(sk, assoc);
	ask->result_due = false;
	spin_lock(&assoc->lock);
	RCU_INIT_POINTER(ask->assoc, NULL);
	spin_unlock(&assoc->lock);
	altconn_assoc_put(assoc);
	altconn_bind_reset(sk);
}

/**
 * __altconn_connect_reap() - drop the failed attempt of an endpoint
 * @sk: the endpoint, in TCP_CLOSE and with a failed attempt
 *
 * The slow path of altconn_connect_reap().
 *
 * Context: process; lock_sock() held, no spinlock of this module held.
 */
void __altconn_connect_reap(struct sock *sk)
{
	altconn_connect_drop_failed(sk, altconn_connect_own_assoc(sk));
}
