/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_CLAIM_H
#define _ALTCONN_CLAIM_H

#include "altconn.h"
#include "assoc.h"
#include "place.h"
#include "sock.h"

struct altconn_addr;

void altconn_claim_drop(struct altconn_bind *bind);
int altconn_claim_add(struct sock *sk, struct altconn_addr *dest);
void __altconn_claim_set_assoc(struct altconn_bind *bind,
			       struct altconn_assoc *assoc);
int __init altconn_claim_init(void);
void altconn_claim_exit(void);

/**
 * altconn_claim_set_assoc() - set the association of an endpoint's claim
 * @sk: the endpoint, with a claim or without one
 * @assoc: the endpoint's association; the claim takes a reference
 *
 * A claim whose association is closed does not exclude other claims.
 *
 * Context: process; altconn_lock() held.
 */
static inline void altconn_claim_set_assoc(struct sock *sk,
					   struct altconn_assoc *assoc)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;

	if (unlikely(bind && bind->claim))
		__altconn_claim_set_assoc(bind, assoc);
}

#endif /* _ALTCONN_CLAIM_H */
