/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STREAM_H
#define _ALTCONN_STREAM_H

#include "altconn.h"
#include "assoc.h"
#include "ring.h"
#include "sock.h"

/**
 * struct stream_conn - an association, as one system call uses it
 * @assoc: the association, a reference
 * @own: the end of the calling socket
 * @peer: the other end
 * @seeks: the call is a peek, and SO_PEEK_OFF is set
 * @seen: with @seeks, the number of bytes that had ever been written towards
 *	@own when the call last read the ring. New data changes this number
 *
 * The noinline functions of the slow paths take this struct by value, so that
 * the compiler can keep its members in registers on the fast path.
 */
struct stream_conn {
	struct altconn_assoc	*assoc;
	struct altconn_end	*own;
	struct altconn_end	*peer;
	bool			seeks;
	u32			seen;
};

void altconn_stream_notify_space(const struct stream_conn c);
int altconn_stream_wait_for_data(struct sock *sk, const struct stream_conn c,
				 bool *last, bool copied, long *timeo);
int altconn_stream_wait_connected(struct sock *sk, long timeo, int err);
int altconn_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
int altconn_stream_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
				     size_t len);
int altconn_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			   int flags);
int altconn_stream_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
				     size_t len, int flags);

/**
 * altconn_stream_in_ring() - return the ring of data towards the calling socket
 * @c: the association
 *
 * Context: any.
 * Return: the ring, which the association owns, or NULL if nothing was sent
 * yet.
 */
static inline struct altconn_ring *
altconn_stream_in_ring(const struct stream_conn *c)
{
	return READ_ONCE(c->own->in);
}

/**
 * altconn_stream_out_ring() - return the ring of data towards the peer
 * @c: the association
 *
 * Context: any.
 * Return: the ring, which the association owns, or NULL if nothing was sent
 * yet.
 */
static inline struct altconn_ring *
altconn_stream_out_ring(const struct stream_conn *c)
{
	return READ_ONCE(c->peer->in);
}

/**
 * altconn_stream_get_assoc() - get a socket's established association
 * @sk: the socket
 * @c: gets the association and its ends
 *
 * Context: any; takes no lock.
 * Return: 0, and the caller drops the reference with
 * altconn_stream_put_assoc(); -ENOTCONN if the socket has no established
 * association.
 */
static __always_inline int altconn_stream_get_assoc(const struct sock *sk,
						    struct stream_conn *c)
{
	enum altconn_side side;

	if (altconn_state(sk) != TCP_ESTABLISHED)
		return -ENOTCONN;
	c->seeks = false;
	c->assoc = altconn_assoc_of(sk, &side);
	if (!c->assoc)
		return -ENOTCONN;
	c->own = &c->assoc->end[side];
	c->peer = &c->assoc->end[!side];
	/*
	 * Since sk_state was loaded, another thread may have dissolved the
	 * association with connect(AF_UNSPEC) and begun a new attempt. So the
	 * association can be in a state other than QUEUED and ESTABLISHED:
	 *
	 *   association                         state     err
	 *   attempt that is pending             PENDING   0
	 *   attempt that has failed             CLOSED    not 0
	 *   established, then reset because     CLOSED    0
	 *   its listener closed
	 *
	 * The last one counts as established: the endpoint has not left
	 * TCP_ESTABLISHED.
	 */
	if (likely(altconn_assoc_state(c->assoc) !=
		   ALTCONN_ASSOC_STATE_PENDING && !c->assoc->err))
		return 0;
	altconn_assoc_put(c->assoc);
	return -ENOTCONN;
}

/**
 * altconn_stream_put_assoc() - drop the reference of a system call
 * @c: the association, from altconn_stream_get_assoc()
 *
 * Context: process; no lock of this module is held.
 */
static inline void altconn_stream_put_assoc(struct stream_conn *c)
{
	altconn_assoc_put(c->assoc);
}

/**
 * altconn_stream_send_limit() - return how many bytes a socket may have in
 * flight
 * @sk: the sending socket
 *
 * The limit is SO_SNDBUF, but ALTCONN_RING_LIMIT at most, so that the size of a
 * segment, which is a power of two, fits into an int.
 *
 * Context: any.
 * Return: the limit in bytes.
 */
static inline u32 altconn_stream_send_limit(const struct sock *sk)
{
	return min_t(u32, READ_ONCE(sk->sk_sndbuf), ALTCONN_RING_LIMIT);
}

/**
 * altconn_stream_can_write() - check whether a send() would not wait
 * @sk: the socket
 * @c: its association
 *
 * Context: any.
 * Return: true if the ring has space, if the socket is shut for sending, or if
 * an error is pending, else false.
 */
static inline bool altconn_stream_can_write(const struct sock *sk,
					    const struct stream_conn *c)
{
	return altconn_ring_writable(altconn_stream_out_ring(c),
				     altconn_stream_send_limit(sk)) ||
	       altconn_assoc_shut_mask(c->own) & SEND_SHUTDOWN ||
	       READ_ONCE(sk->sk_err);
}

/**
 * altconn_stream_announce_writer() - announce that a thread waits for space,
 * and check for space
 * @sk: the socket
 * @arg: its association, a struct stream_conn
 *
 * poll() and altconn_wait_until() use this function.
 *
 * Context: any.
 * Return: true if a send() would not wait, see altconn_stream_can_write(); else
 * false.
 */
static inline bool altconn_stream_announce_writer(struct sock *sk,
						  const void *arg)
{
	const struct stream_conn *c = arg;

	/* sk_write_space() sends SIGIO if this bit is set, and clears it. */
	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	altconn_ring_set_wake_at(altconn_stream_out_ring(c),
				 altconn_stream_send_limit(sk));
	/* Pairs with altconn_stream_wake_writer(), which then loads wake_at. */
	smp_store_release(&c->own->want_space, true);
	/*
	 * Store want_space, then check for space. A reader makes space, has the
	 * barrier of altconn_ring_unlock(), then loads want_space.
	 */
	smp_mb();
	return altconn_stream_can_write(sk, c);
}

/**
 * altconn_stream_wake_writer() - after a read, wake the threads that wait for
 *	space at the peer
 * @c: the association
 *
 * Context: process.
 */
static __always_inline void
altconn_stream_wake_writer(const struct stream_conn *c)
{
	/*
	 * Bytes are read, then want_space is loaded, with the full barrier of
	 * altconn_ring_unlock() between these. It pairs with the one in
	 * altconn_stream_announce_writer(). The acquire orders the load of
	 * wake_at after that of want_space.
	 */
	if (unlikely(smp_load_acquire(&c->peer->want_space)) &&
	    altconn_ring_reached_wake_at(altconn_stream_in_ring(c)))
		altconn_stream_notify_space(*c);
}

/**
 * altconn_stream_peer_of() - return the endpoint of the peer
 * @c: the association
 *
 * Context: any.
 * Return: the endpoint, which the association pins; NULL before accept().
 */
static inline const struct sock *
altconn_stream_peer_of(const struct stream_conn *c)
{
	return READ_ONCE(c->peer->sk);
}

#endif /* _ALTCONN_STREAM_H */
