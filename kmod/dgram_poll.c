// SPDX-License-Identifier: GPL-2.0
/*
 * poll() of datagram sockets.
 */

#include "addr.h"
#include "dgram_block.h"
#include "dgram_poll.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "node.h"
#include "sock.h"
#include "wait.h"

/* Is the receiver that this socket is connected to full? Then be woken. */
static bool dgram_peer_full(struct sock *sk)
{
	struct altconn_addr *from;
	struct msghdr none = {};
	struct dest dest = {};
	struct sock *receiver = NULL;
	bool full = false;
	int err;

	if (altconn_dgram_get_dest(sk, &none, &dest, NULL))
		return false;
	/* Nobody waits for room to broadcast, or where a rule takes it. */
	if (dest.ruling.rule ||
	    (dest.addr &&
	     altconn_node_is_broadcast(sock_net(sk), dest.addr))) {
		altconn_dgram_put_dest(&dest);
		return false;
	}
	from = altconn_dgram_sender_addr(sk, dest.addr);
	if (!IS_ERR(from))
		receiver = altconn_dgram_find_receiver(sk, &dest, from, true,
						       &err);
	if (receiver) {
		full = !altconn_dgram_has_room(receiver) &&
		       altconn_dgram_watch(sk, receiver);
		sock_put(receiver);
	}
	if (!IS_ERR(from))
		altconn_addr_put(from);
	altconn_dgram_put_dest(&dest);
	return full;
}

#define DGRAM_POLLOUT	(EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND)

/**
 * altconn_dgram_poll() - poll(2) of datagram sockets
 * @file: of the socket
 * @sock: the socket
 * @wait: where to register
 *
 * A connected socket is not writable while its receiver is full.
 *
 * Context: process.
 */
__poll_t altconn_dgram_poll(struct file *file, struct socket *sock,
			    struct poll_table_struct *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 shut;

	sock_poll_wait(file, sock, wait);
	shut = READ_ONCE(sk->sk_shutdown);
	if (READ_ONCE(sk->sk_err))
		mask |= EPOLLERR;
	if (shut & RCV_SHUTDOWN)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (shut == SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	altconn_polls(sk);
	if (!altconn_dgram_is_empty(altconn_dgram_sk(sk)))
		mask |= EPOLLIN | EPOLLRDNORM;
	/* Who does not ask for room shall not be woken for it. */
	if (poll_requested_events(wait) & DGRAM_POLLOUT && !dgram_peer_full(sk))
		mask |= DGRAM_POLLOUT;
	return mask;
}
