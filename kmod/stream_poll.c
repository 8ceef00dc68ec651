// SPDX-License-Identifier: GPL-2.0
/*
 * Implement poll() of stream and seqpacket sockets.
 */

#include "assoc.h"
#include "listen.h"
#include "listener.h"
#include "ring.h"
#include "sock.h"
#include "stream.h"
#include "stream_poll.h"
#include "wait.h"

/*
 * Return whether POLLHUP is due:
 *   - in the sockaddr_un format, as with AF_UNIX, if both directions are shut;
 *   - in the other formats, as with TCP, if this end has called
 *     shutdown(SHUT_WR) and no more data can arrive, or if the peer has reset
 *     the connection.
 * @shut is the result of altconn_assoc_shut_mask() for this end.
 */
static bool stream_is_hung_up(const struct sock *sk,
			      const struct stream_conn *c, u8 shut)
{
	const struct altconn_end *end = c->own;

	if (altconn_sk(sk)->format == ALTCONN_UNIX)
		return shut == SHUTDOWN_MASK;
	return READ_ONCE(end->reset) ||
	       (shut & RCV_SHUTDOWN &&
		READ_ONCE(end->shutdown) & SEND_SHUTDOWN);
}

/*
 * Return whether there is enough data for POLLIN. As with TCP, a stream needs
 * SO_RCVLOWAT bytes. Fewer bytes are enough if the peer's poll() reports no
 * space until some are read, or if the peer has no endpoint yet. A single
 * record is always enough.
 */
static bool stream_is_readable(const struct sock *sk,
			       const struct stream_conn *c)
{
	struct altconn_ring *ring = altconn_stream_in_ring(c);
	const struct sock *peer;

	if (!altconn_ring_unread(ring))
		return false;
	if (likely(READ_ONCE(sk->sk_rcvlowat) <= 1) ||
	    sk->sk_type != SOCK_STREAM ||
	    altconn_ring_unread_payload(ring) >= READ_ONCE(sk->sk_rcvlowat))
		return true;
	peer = READ_ONCE(c->peer->sk);
	return !peer ||
	       !altconn_ring_writable(ring, altconn_stream_send_limit(peer));
}

/* Return the events of a connected endpoint. */
static __poll_t stream_poll_connected(struct sock *sk)
{
	__poll_t mask = 0;
	struct stream_conn c;
	u8 shut;

	if (altconn_stream_get_assoc(sk, &c))
		return EPOLLOUT | EPOLLWRNORM | EPOLLHUP;
	shut = altconn_assoc_shut_mask(c.own);
	if (shut & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (stream_is_hung_up(sk, &c, shut))
		mask |= EPOLLHUP;
	altconn_wait_announce(sk);
	if (stream_is_readable(sk, &c))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (altconn_stream_can_write(sk, &c) ||
	    altconn_stream_announce_writer(sk, &c))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	altconn_stream_put_assoc(&c);
	return mask;
}

/* Return the events of a listening endpoint. */
static __poll_t stream_poll_listener(const struct sock *sk)
{
	struct altconn_listener *ln = altconn_listener_of(sk);
	__poll_t mask = 0;

	if (!ln)
		return 0;
	if (altconn_listen_has_acceptable(ln))
		mask = EPOLLIN | EPOLLRDNORM;
	altconn_listener_put(ln);
	return mask;
}

/**
 * altconn_stream_poll() - poll(2) of stream and seqpacket sockets
 * @file: file of the socket
 * @sock: the socket
 * @wait: where to register
 *
 * The events, apart from those of a connected socket::
 *
 *   pending attempt       none
 *   failed attempt        POLLOUT, POLLHUP, POLLIN and POLLRDHUP, and POLLERR
 *                         until the error is read
 *   listening socket      POLLIN if accept() would return at once
 *   unconnected socket    POLLOUT and POLLHUP
 *
 * So after a non-blocking connect(), POLLOUT says that the attempt is decided
 * (clause E-INPROGRESS).
 *
 * Context: process, may sleep.
 * Return: the events.
 */
__poll_t altconn_stream_poll(struct file *file, struct socket *sock,
			     struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask;

	sock_poll_wait(file, sock, wait);
	switch (altconn_state(sk)) {
	case TCP_SYN_SENT:
		return 0;
	case TCP_LISTEN:
		mask = stream_poll_listener(sk);
		break;
	case TCP_ESTABLISHED:
		mask = stream_poll_connected(sk);
		break;
	default:
		mask = EPOLLOUT | EPOLLWRNORM | EPOLLHUP;
		/* A failed attempt: recv() returns at once, as with TCP. */
		if (rcu_access_pointer(altconn_sk(sk)->assoc))
			mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
		break;
	}
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	return mask;
}
