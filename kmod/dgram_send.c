// SPDX-License-Identifier: GPL-2.0
/*
 * This file implements sendmsg() of datagram sockets. In the inet formats it
 * also implements MSG_MORE and UDP_CORK, which make one datagram of several
 * pieces.
 */

#include <linux/ip.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include "addr.h"
#include "bind_local.h"
#include "binding.h"
#include "dgram_broadcast.h"
#include "dgram_delay.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "dgram_send.h"
#include "node.h"
#include "sock.h"

/* Maximum lengths of UDP datagrams over IPv4 and over IPv6, bytes. */
#define DGRAM_MAX_V4	(65535 - sizeof(struct iphdr) - sizeof(struct udphdr))
#define DGRAM_MAX_V6	(65535 - sizeof(struct udphdr))

/*
 * Bind an unbound sender to an automatic address, so that the receiver can
 * answer. Return 0 or the errno of altconn_bind_local_auto().
 */
static int dgram_autobind(struct sock *sk, const struct altconn_addr *dest)
{
	struct altconn_addr any = { .kind = dest->kind };
	int err;

	if (dest->kind == ALTCONN_KIND_INET) {
		any.len = sizeof(struct in6_addr);
		/* Other formats can send to both IP versions, so use ::. */
		if (altconn_sk(sk)->format == ALTCONN_INET)
			ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
					       altconn_addr_ip(&any));
	}
	altconn_lock(sk);
	err = altconn_bind_local_auto(sk, &any);
	altconn_unlock(sk);
	return err;
}

/*
 * Drop or delay a datagram if the ruling demands it; else broadcast or deliver
 * it, as its destination demands. Return 0, in which case the caller's
 * reference is gone, or a negative errno.
 */
static __always_inline int dgram_dispatch(struct sock *sk,
					  struct altconn_dgram *dg,
					  struct dgram_dest *dest,
					  const struct path *path,
					  bool connected, bool nonblock)
{
	if (unlikely(dest->ruling.drops)) {
		altconn_dgram_put(dg);
		return 0;
	}
	if (unlikely(dest->ruling.delay_ms))
		return altconn_dgram_send_delayed(sk, dg, dest, path,
						  connected);
	if (dest->addr &&
	    altconn_node_is_broadcast(sock_net(sk), dest->addr))
		return altconn_dgram_broadcast(sk, dest->addr, dg);
	return altconn_dgram_send_to(sk, dest, connected, dg, nonblock);
}

/*
 * Check whether the data of a datagram is too long. The limit is the maximum of
 * UDP in the inet formats, and SO_SNDBUF less 32 bytes, as in AF_UNIX, in the
 * other formats.
 */
static bool dgram_is_too_long(const struct sock *sk, size_t len,
			      const struct altconn_addr *dest)
{
	if (!altconn_is_inet(sk))
		return len > READ_ONCE(sk->sk_sndbuf) - 32;
	return len > (dest && altconn_addr_is_v4(dest) ? DGRAM_MAX_V4 :
							 DGRAM_MAX_V6);
}

/*
 * Convert the result of a send() that failed with @err. In the inet formats, as
 * with UDP, a datagram that no socket accepts counts as sent, and the result is
 * 0. If the sender is connected to the destination and @err is -ECONNREFUSED,
 * set sk_err, so that the next call on the sender fails with this errno.
 */
static noinline int dgram_convert_error(struct sock *sk,
					const struct dgram_dest *dest, int err)
{
	const struct altconn_addr *peer;
	bool connected;

	if (!altconn_is_inet(sk) || !dest->addr ||
	    (err != -ECONNREFUSED && err != -EPIPE))
		return err;
	rcu_read_lock();
	peer = rcu_dereference(altconn_dgram_sk(sk)->peer);
	connected = peer && altconn_addr_equal(peer, dest->addr);
	rcu_read_unlock();
	if (connected && err == -ECONNREFUSED) {
		WRITE_ONCE(sk->sk_err, ECONNREFUSED);
		/* Threads in recv() and poll() on the sender find sk_err. */
		sk->sk_state_change(sk);
	}
	return 0;
}

/*
 * Send a complete datagram. The caller's reference is gone in any case. Return
 * 0 or a negative errno. This function and dgram_build() are inlined, because
 * every send() runs both.
 */
static __always_inline int dgram_finish_send(struct sock *sk,
					     struct altconn_dgram *dg,
					     struct dgram_dest *dest,
					     const struct path *path,
					     bool connected, bool nonblock)
{
	int err = dgram_dispatch(sk, dg, dest, path, connected, nonblock);

	if (likely(!err))
		return 0;
	altconn_dgram_put(dg);
	return dgram_convert_error(sk, dest, err);
}

/*
 * Make a datagram of the arguments of sendmsg(). First check the length, and
 * see that the receiver can answer: bind an unbound sender, and make an
 * automatic address reachable if the destination belongs to another node.
 * Return the datagram or an ERR_PTR().
 */
static __always_inline struct altconn_dgram *
dgram_build(struct sock *sk, struct msghdr *msg, size_t len,
	    struct dgram_dest *dest)
{
	int err = 0;

	if (dgram_is_too_long(sk, len, dest->addr))
		return ERR_PTR(-EMSGSIZE);
	if (dest->addr && !rcu_access_pointer(altconn_sk(sk)->addr) &&
	    altconn_sk(sk)->format != ALTCONN_UNIX)
		err = dgram_autobind(sk, dest->addr);
	if (err)
		return ERR_PTR(err);
	if (dest->addr)
		altconn_binding_make_reachable(sk, dest->addr);
	return altconn_dgram_make(sk, msg, len, dest->addr);
}

/*
 * Send the data of one sendmsg() as one datagram. Return @len or a negative
 * errno.
 */
static int dgram_send_one(struct sock *sk, struct msghdr *msg, size_t len,
			  struct dgram_dest *dest, const struct path *path)
{
	struct altconn_dgram *dg = dgram_build(sk, msg, len, dest);
	int err;

	if (IS_ERR(dg))
		return PTR_ERR(dg);
	err = dgram_finish_send(sk, dg, dest, path, !msg->msg_namelen,
				msg->msg_flags & MSG_DONTWAIT);
	return err ? : len;
}

/**
 * struct cork_pieces - the pieces of an incomplete datagram
 * @dg: the pieces so far, as one datagram, a reference; NULL if there is no
 *	piece
 * @dest: the destination of the first piece, with its references
 * @connected: the first piece was sent without an address, so the datagram goes
 *	to the address that the sender is connected to
 */
struct cork_pieces {
	struct altconn_dgram	*dg;
	struct dgram_dest	dest;
	bool			connected;
};

/**
 * struct altconn_cork - pieces that a socket holds back
 * @on: UDP_CORK is set
 * @n_detached: number of datagrams that were sent or discarded; may wrap
 * @pieces: the pieces
 *
 * All members are written under altconn_lock(). @on, @n_detached and the
 * pointer to the pieces are also read without it.
 *
 * Lifetime: The first use allocates the cork, and close() frees it.
 */
struct altconn_cork {
	bool			on;
	u32			n_detached;
	struct cork_pieces	pieces;
};

/*
 * Return the cork of a socket, which the first call allocates. Return NULL if
 * there is no memory.
 */
static struct altconn_cork *cork_get_or_alloc(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_cork *cork = READ_ONCE(ask->cork), *old;

	if (cork)
		return cork;
	cork = kzalloc(sizeof(*cork), GFP_KERNEL_ACCOUNT);
	if (!cork)
		return NULL;
	/*
	 * Another thread may set the pointer at the same time, and only one of
	 * the corks is kept. cmpxchg() orders the initialization of the cork
	 * before the pointer, so a thread that reads the pointer finds an
	 * initialized cork.
	 */
	old = cmpxchg(&ask->cork, NULL, cork);
	if (!old)
		return cork;
	kfree(cork);
	return old;
}

/*
 * Check whether the data of this send() is a piece of a datagram: further
 * pieces may follow, or the cork has earlier pieces.
 */
static noinline bool cork_applies(struct sock *sk, const struct msghdr *msg)
{
	const struct altconn_cork *cork;

	/* UDP has no socketpair, so there is no behaviour to follow. */
	if (!altconn_is_inet(sk) || altconn_dgram_sk(sk)->peer_sk)
		return false;
	if (msg->msg_flags & MSG_MORE)
		return true;
	cork = READ_ONCE(altconn_dgram_sk(sk)->cork);
	return cork && (READ_ONCE(cork->on) || READ_ONCE(cork->pieces.dg));
}

/* Move the pieces from the cork to @whole. altconn_lock() is held. */
static void cork_detach(struct altconn_cork *cork, struct cork_pieces *whole)
{
	*whole = cork->pieces;
	WRITE_ONCE(cork->n_detached, cork->n_detached + 1);
	WRITE_ONCE(cork->pieces.dg, NULL);
	cork->pieces = (struct cork_pieces) {};
}

/* Discard the pieces that the cork holds. altconn_lock() is held. */
static void cork_discard(struct altconn_cork *cork)
{
	struct cork_pieces lost;

	cork_detach(cork, &lost);
	altconn_dgram_put_dest(&lost.dest);
	if (lost.dg)
		altconn_dgram_put(lost.dg);
}

/*
 * Send the datagram that cork_detach() has moved to @whole, if there is one,
 * and drop the references in @whole. Return 0 or a negative errno.
 * altconn_lock() is not held.
 */
static int cork_flush(struct sock *sk, struct cork_pieces *whole, bool nonblock)
{
	const struct path none = {};
	int err = 0;

	if (whole->dg)
		err = dgram_finish_send(sk, whole->dg, &whole->dest, &none,
					whole->connected, nonblock);
	altconn_dgram_put_dest(&whole->dest);
	return err;
}

/**
 * altconn_dgram_free_cork() - free the cork of a datagram socket and its pieces
 * @sk: the endpoint, which is closing
 *
 * Context: process, may sleep; altconn_lock() held.
 */
void altconn_dgram_free_cork(struct sock *sk)
{
	struct altconn_cork *cork = altconn_dgram_sk(sk)->cork;

	if (!cork)
		return;
	cork_discard(cork);
	altconn_dgram_sk(sk)->cork = NULL;
	kfree(cork);
}

/*
 * Make a piece that is not the first one. As with UDP, the address and the
 * control messages of this send() are ignored. Return a datagram that has only
 * data, or an ERR_PTR().
 */
static struct altconn_dgram *cork_make_next(struct msghdr *msg, size_t len)
{
	struct altconn_dgram *dg;

	if (len > DGRAM_MAX_V6)
		return ERR_PTR(-EMSGSIZE);
	dg = altconn_dgram_alloc(len);
	if (!dg)
		return ERR_PTR(-ENOMEM);
	if (_copy_from_iter(dg->data, len, &msg->msg_iter) == len)
		return dg;
	altconn_dgram_put(dg);
	return ERR_PTR(-EFAULT);
}

/*
 * Append the data of @piece to the pieces in the cork, of which there is at
 * least one. Return 0, -EMSGSIZE or -ENOMEM. altconn_lock() is held.
 */
static int cork_append(struct sock *sk, struct altconn_cork *cork,
		       const struct altconn_dgram *piece)
{
	struct altconn_dgram *dg = cork->pieces.dg, *both;

	if (dgram_is_too_long(sk, dg->len + piece->len, cork->pieces.dest.addr))
		return -EMSGSIZE;
	both = altconn_dgram_alloc(dg->len + piece->len);
	if (!both)
		return -ENOMEM;
	memcpy(both->data, dg->data, dg->len);
	memcpy(both->data + dg->len, piece->data, piece->len);
	both->sender = dg->sender;
	swap(both->from, dg->from);
	swap(both->scm, dg->scm);
	WRITE_ONCE(cork->pieces.dg, both);
	altconn_dgram_put(dg);
	return 0;
}

/*
 * Move the first piece and its destination, with their references, to the cork.
 * @dest is empty afterwards. altconn_lock() is held.
 */
static void cork_add_first(struct altconn_cork *cork, struct altconn_dgram *dg,
			   struct dgram_dest *dest, bool connected)
{
	/* A lookup finds the receiver when the datagram is complete. */
	if (dest->receiver)
		sock_put(dest->receiver);
	dest->receiver = NULL;
	cork->pieces.dest = *dest;
	memset(dest, 0, sizeof(*dest));
	cork->pieces.connected = connected;
	WRITE_ONCE(cork->pieces.dg, dg);
}

/*
 * Make a piece from the data of a send(). No lock is held, because a page fault
 * on this data may take long. If @first is set, the cork has no piece, so the
 * piece begins a datagram and @dest gets its destination; otherwise @dest stays
 * empty. Return the piece or an ERR_PTR().
 */
static struct altconn_dgram *cork_make_piece(struct sock *sk,
					     struct msghdr *msg, size_t len,
					     struct dgram_dest *dest,
					     bool first)
{
	struct path none = {};
	int err;

	if (!first)
		return cork_make_next(msg, len);
	err = altconn_dgram_get_dest(sk, msg, dest, &none);
	return err ? ERR_PTR(err) : dgram_build(sk, msg, len, dest);
}

/*
 * Append a piece to the pieces in the cork, or begin a datagram with the piece.
 * The caller's reference to @dg is gone in any case. Only a piece that was made
 * as the first one has a destination in @dest. If another thread has sent or
 * discarded the earlier pieces since a later piece was made, return -ESTALE.
 * Otherwise return 0, -EMSGSIZE or -ENOMEM. altconn_lock() is held.
 */
static int cork_add(struct sock *sk, struct altconn_cork *cork,
		    struct altconn_dgram *dg, struct dgram_dest *dest,
		    bool connected)
{
	int err;

	if (!cork->pieces.dg && dest->addr) {
		cork_add_first(cork, dg, dest, connected);
		return 0;
	}
	err = cork->pieces.dg ? cork_append(sk, cork, dg) : -ESTALE;
	altconn_dgram_put(dg);
	return err;
}

/*
 * Make a piece and add it to the cork. If the datagram is complete with this
 * piece, move it to @whole. Return 0, -ESTALE if the caller must make the piece
 * again, or another errno.
 */
static int cork_try_piece(struct sock *sk, struct altconn_cork *cork,
			  struct msghdr *msg, size_t len,
			  struct cork_pieces *whole)
{
	u32 n_detached = READ_ONCE(cork->n_detached);
	bool first = !READ_ONCE(cork->pieces.dg);
	struct altconn_dgram *dg;
	struct dgram_dest dest = {};
	bool other = false;
	int err;

	dg = cork_make_piece(sk, msg, len, &dest, first);
	err = PTR_ERR_OR_ZERO(dg);
	altconn_lock(sk);
	if (!err)
		err = cork_add(sk, cork, dg, &dest, !msg->msg_namelen);
	/*
	 * As with UDP, an error discards all pieces of the datagram. If the
	 * piece could not be made, another thread may have sent that datagram
	 * meanwhile, or begun the datagram of which this piece would have been
	 * the first. The pieces of that other datagram stay.
	 */
	if (IS_ERR(dg) && (first || n_detached != cork->n_detached))
		other = true;
	if (err && err != -ESTALE && !other)
		cork_discard(cork);
	else if (!err && !(msg->msg_flags & MSG_MORE) && !cork->on)
		cork_detach(cork, whole);
	altconn_unlock(sk);
	altconn_dgram_put_dest(&dest);
	return err;
}

/*
 * Add the data of a send() to the cork, and send the datagram if it is complete
 * then. Return @len or a negative errno.
 */
static noinline int cork_send(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct altconn_cork *cork = cork_get_or_alloc(sk);
	struct iov_iter begin = msg->msg_iter;
	struct cork_pieces whole = {};
	int err;

	if (!cork)
		return -ENOMEM;
	do {
		msg->msg_iter = begin;
		err = cork_try_piece(sk, cork, msg, len, &whole);
	} while (err == -ESTALE);
	if (!err)
		err = cork_flush(sk, &whole, msg->msg_flags & MSG_DONTWAIT);
	return err ? : len;
}

/**
 * altconn_dgram_set_cork() - set or clear UDP_CORK
 * @sk: the endpoint, in an inet format
 * @on: true to hold back the data of later calls of send(); false to send the
 *	pieces that the cork has, as one datagram
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, even if the datagram cannot be sent, as with UDP; -ENOMEM.
 */
int altconn_dgram_set_cork(struct sock *sk, bool on)
{
	struct altconn_cork *cork = cork_get_or_alloc(sk);
	struct cork_pieces whole = {};

	if (!cork)
		return -ENOMEM;
	altconn_lock(sk);
	WRITE_ONCE(cork->on, on);
	if (!on)
		cork_detach(cork, &whole);
	altconn_unlock(sk);
	cork_flush(sk, &whole, true);
	return 0;
}

/**
 * altconn_dgram_is_corked() - return UDP_CORK
 * @sk: the endpoint
 *
 * Context: any.
 * Return: true if UDP_CORK is set, else false.
 */
bool altconn_dgram_is_corked(const struct sock *sk)
{
	const struct altconn_cork *cork = READ_ONCE(altconn_dgram_sk(sk)->cork);

	return cork && READ_ONCE(cork->on);
}

/**
 * altconn_dgram_sendmsg() - send(2) of a datagram
 * @sock: the socket
 * @msg: the data, and an address or none
 * @len: length of the data, bytes
 *
 * In the inet formats a refused datagram counts as sent, as with UDP: if the
 * socket is connected, its next call returns the error. Also in these formats
 * MSG_MORE holds the data back as a piece of a larger datagram.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: @len, or a negative errno:
 *
 * * -ENOTCONN in the sockaddr_un format, else -EDESTADDRREQ, if there is
 *   neither an address nor a peer
 * * -ECONNREFUSED if no socket is bound to the address, or if the receiver is
 *   connected to another peer (clause S-ONLY: the peer is the only address from
 *   which datagrams are received)
 * * -ECONNREFUSED or -ECONNRESET if an error of the socket is pending, because
 *   an earlier datagram was refused or the association was killed
 * * -EMSGSIZE if the data does not fit in SO_SNDBUF, or in the inet formats if
 *   the data does not fit in a UDP datagram
 * * -EAGAIN if the receiver is full, or if no port or name is free for the
 *   sender
 * * -EPIPE if this socket is shut down for writing, or if the receiver is shut
 *   down for reading
 * * -EINVAL or -EAFNOSUPPORT if the address is malformed
 * * -ENETUNREACH or -EHOSTUNREACH if the address cannot be reached
 * * -EACCES if the address is a broadcast address and SO_BROADCAST is not set
 * * -EPROTOTYPE if a socket of another type is bound to the path
 * * -EOPNOTSUPP for MSG_OOB
 * * the errors of altconn_path_resolve(), altconn_rule_check() and
 *   altconn_scm_parse_cmsgs()
 * * -EINTR or -ERESTARTSYS on a signal
 * * -EFAULT, -ENOBUFS or -ENOMEM
 */
int altconn_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct dgram_dest dest = {};
	struct path path = {};
	int err;

	/* UDP over IPv4 checks the length before all else, over IPv6 later. */
	if (unlikely(len > U16_MAX) && altconn_sk(sk)->format == ALTCONN_INET)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	err = sock_error(sk);
	if (err)
		return err;
	if (unlikely(msg->msg_flags & MSG_MORE ||
		     READ_ONCE(altconn_dgram_sk(sk)->cork)) &&
	    cork_applies(sk, msg))
		return cork_send(sk, msg, len);
	err = altconn_dgram_get_dest(sk, msg, &dest, &path);
	if (!err)
		err = dgram_send_one(sk, msg, len, &dest, &path);
	altconn_dgram_put_dest(&dest);
	if (path.dentry)
		path_put(&path);
	return err;
}
