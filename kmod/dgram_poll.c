// SPDX-License-Identifier: GPL-2.0
/* This file implements poll() of datagram sockets. */

#include "addr.h"
#include "dgram_block.h"
#include "dgram_poll.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "node.h"
#include "sock.h"
#include "wait.h"

/*
 * Check whether a socket is connected to a receiver that is full. If so, watch
 * the receiver: the socket's pollers are woken when the receiver has space.
 */
static bool dgram_watch_peer(struct sock *sk)
{
	struct altconn_addr *from;
	struct msghdr none = {};
	struct dgram_dest dest = {};
	struct sock *receiver = NULL;
	bool full = false;
	int err;

	if (altconn_dgram_get_dest(sk, &none, &dest, NULL))
		return false;
	/*
	 * A send() does not wait for space if it broadcasts, or if a rule drops
	 * or delays its datagram.
	 */
	if (dest.ruling.rule ||
	    (dest.addr &&
	     altconn_node_is_broadcast(sock_net(sk), dest.addr))) {
		altconn_dgram_put_dest(&dest);
		return false;
	}
	from = altconn_dgram_sender_addr(sk, dest.addr);
	if (!IS_ERR(from))
		receiver = altconn_dgram_get_receiver(sk, &dest, from, true,
						      &err);
	if (receiver) {
		full = !altconn_dgram_has_space(receiver) &&
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
 * @file: file of the socket
 * @sock: the socket
 * @wait: poll table in which to register
 *
 * A connected socket is not writable while its receiver is full.
 *
 * Context: process, may sleep.
 * Return: the events that hold now.
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
	altconn_wait_announce(sk);
	if (!altconn_dgram_is_empty(altconn_dgram_sk(sk)))
		mask |= EPOLLIN | EPOLLRDNORM;
	/*
	 * Watch the receiver only on behalf of a caller that polls for writing.
	 * Otherwise space at the receiver would wake a caller in vain.
	 */
	if (poll_requested_events(wait) & DGRAM_POLLOUT &&
	    !dgram_watch_peer(sk))
		mask |= DGRAM_POLLOUT;
	return mask;
}
