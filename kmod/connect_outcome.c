// SPDX-License-Identifier: GPL-2.0
/*
 * Failed attempts. A thread that decides an attempt cannot take altconn_lock().
 * So ask->assoc of the client points to a failed attempt until the next call on
 * the socket drops it.
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
 * Save the outcome of the attempt for ALTCONN_CONNECT_INFO, and release a local
 * address that connect() chose.
 *
 * Context: process; altconn_lock() held, no spinlock of this module held.
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
	altconn_bind_local_undo(sk);
}

/**
 * __altconn_connect_drop_if_failed() - slow path of
 *	altconn_connect_drop_if_failed()
 * @sk: the endpoint, in TCP_CLOSE and with a failed attempt
 *
 * Context: process; altconn_lock() held, no spinlock of this module held.
 */
void __altconn_connect_drop_if_failed(struct sock *sk)
{
	altconn_connect_drop_failed(sk, altconn_sock_assoc(sk));
}
