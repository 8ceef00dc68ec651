/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STREAM_H
#define _ALTCONN_STREAM_H

#include "altconn.h"
#include "assoc.h"
#include "ring.h"

/*
 * The association in a system call. Whoever is not inlined gets it by value: so
 * its parts stay in registers where nothing waits.
 *
 * @own: the caller's end
 * @peer: the other
 * @seeks: the reader peeks behind an offset, SO_PEEK_OFF
 * @seen: how much had been written when it looked there
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

/* What has been sent one way; NULL: nothing yet. */
static inline struct altconn_ring *altconn_stream_in_ring(const struct conn *c)
{
	return READ_ONCE(c->own->in);
}

static inline void altconn_stream_put_assoc(struct conn *c)
{
	altconn_assoc_put(c->assoc);
}

#endif /* _ALTCONN_STREAM_H */
