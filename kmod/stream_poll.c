// SPDX-License-Identifier: GPL-2.0
/*
 * poll() of stream and seqpacket sockets.
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
 * As AF_UNIX: nothing can go either way. As TCP: this end has sent its last,
 * and the peer has; or the peer reset the connection.
 */
static bool stream_is_hung_up(const struct sock *sk, const struct conn *c,
			      u8 shut)
{
	const struct altconn_end *end = c->own;

	if (altconn_sk(sk)->dress == ALTCONN_UNIX)
		return shut == SHUTDOWN_MASK;
	return READ_ONCE(end->reset) ||
	       (shut & RCV_SHUTDOWN && READ_ONCE(end->shutdown) & SEND_SHUTDOWN);
}

/*
 * As TCP: SO_RCVLOWAT bytes, or as many as the writer may have under way; a
 * record always.
 */
static bool stream_is_readable(const struct sock *sk, const struct conn *c)
{
	struct altconn_ring *ring = altconn_stream_in_ring(c);
	const struct sock *peer;

	if (!altconn_ring_used(ring))
		return false;
	if (likely(READ_ONCE(sk->sk_rcvlowat) <= 1) ||
	    sk->sk_type != SOCK_STREAM ||
	    altconn_ring_payload(ring) >= READ_ONCE(sk->sk_rcvlowat))
		return true;
	peer = READ_ONCE(c->peer->sk);
	return !peer ||
	       !altconn_ring_writable(ring, altconn_stream_send_limit(peer));
}

static __poll_t stream_poll_connected(struct sock *sk)
{
	__poll_t mask = 0;
	struct conn c;
	u8 shut;

	if (altconn_stream_get_assoc(sk, &c))
		return EPOLLOUT | EPOLLWRNORM | EPOLLHUP;
	shut = altconn_assoc_shut(c.own);
	if (shut & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (stream_is_hung_up(sk, &c, shut))
		mask |= EPOLLHUP;
	altconn_polls(sk);
	if (stream_is_readable(sk, &c))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (altconn_stream_can_write(sk, &c) ||
	    altconn_stream_wants_room(sk, &c))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	altconn_stream_put_assoc(&c);
	return mask;
}

static __poll_t stream_poll_listener(const struct sock *sk)
{
	struct altconn_listener *ln = altconn_listener_of(sk);
	__poll_t mask = 0;

	if (!ln)
		return 0;
	if (altconn_listener_acceptable(ln))
		mask = EPOLLIN | EPOLLRDNORM;
	altconn_listener_put(ln);
	return mask;
}

/**
 * altconn_stream_poll() - poll(2) of stream and seqpacket sockets
 * @file: of the socket
 * @sock: the socket
 * @wait: where to register
 *
 * No POLLOUT while an attempt is pending; once it is decided POLLOUT, and on
 * failure POLLERR until the error is read, and POLLHUP (E-INPROGRESS).
 *
 * Context: process.
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
		/* An attempt that failed and has not been let go of. */
		if (rcu_access_pointer(altconn_sk(sk)->assoc))
			mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
		break;
	}
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	return mask;
}
