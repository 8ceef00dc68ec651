/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STREAM_H
#define _ALTCONN_STREAM_H

#include "altconn.h"
#include "assoc.h"
#include "ring.h"

/**
 * struct conn - the association, as one system call uses it
 * @assoc: the association, a reference
 * @own: the caller's end
 * @peer: the other end
 * @seeks: the call peeks with SO_PEEK_OFF set
 * @seen: bytes ever written towards the caller, when a call with @seeks last
 *	looked
 *
 * The noinline functions of the slow paths get it by value, so that the fast
 * path can keep its members in registers.
 */
struct conn {
	struct altconn_assoc	*assoc;
	struct altconn_end	*own;
	struct altconn_end	*peer;
	bool			seeks;
	u32			seen;
};

int altconn_stream_get_assoc(const struct sock *sk,
			     struct conn *c);
u32 altconn_stream_send_limit(const struct sock *sk);
bool altconn_stream_can_write(const struct sock *sk, const struct conn *c);
bool altconn_stream_wants_room(struct sock *sk, const void *arg);
int altconn_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int altconn_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
			      size_t len);
int altconn_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			   int flags);
int altconn_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
			      size_t len, int flags);

/**
 * altconn_stream_in_ring() - return the ring of data towards the caller
 * @c: the association
 *
 * Context: any.
 * Return: the ring, which the association keeps, or NULL if nothing was sent
 * yet.
 */
static inline struct altconn_ring *altconn_stream_in_ring(const struct conn *c)
{
	return READ_ONCE(c->own->in);
}

/**
 * altconn_stream_put_assoc() - drop the reference of a system call
 * @c: the association, from altconn_stream_get_assoc()
 *
 * Context: process; no lock of this module is held.
 */
static inline void altconn_stream_put_assoc(struct conn *c)
{
	altconn_assoc_put(c->assoc);
}

#endif /* _ALTCONN_STREAM_H */
