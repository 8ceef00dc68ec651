// SPDX-License-Identifier: GPL-2.0
/*
 * sendmsg() of datagram sockets, and MSG_MORE and UDP_CORK in the inet formats.
 */

#include <linux/ip.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include "addr.h"
#include "bind_local.h"
#include "binding.h"
#include "dgram_delay.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "dgram_send.h"
#include "node.h"
#include "sock.h"

/* The longest datagrams of UDP over IPv4 and over IPv6, bytes. */
#define DGRAM_MAX_V4	(65535 - sizeof(struct iphdr) - sizeof(struct udphdr))
#define DGRAM_MAX_V6	(65535 - sizeof(struct udphdr))

/* An unbound sender gets an address that can be answered. */
static int dgram_autobind(struct sock *sk, const struct altconn_addr *dest)
{
	struct altconn_addr any = { .kind = dest->kind };
	int err;

	if (dest->kind == ALTCONN_KIND_INET) {
		any.len = sizeof(struct in6_addr);
		/* The others speak both versions. */
		if (altconn_sk(sk)->dress == ALTCONN_INET)
			ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
					       altconn_addr_ip(&any));
	}
	lock_sock(sk);
	err = altconn_autobind(sk, &any);
	release_sock(sk);
	return err;
}

/* Drop, delay, broadcast or deliver it. On success the datagram is taken. */
static __always_inline int
dgram_route(struct sock *sk, struct altconn_dgram *dg, struct dest *dest,
	    const struct path *path, bool connected, bool nonblock)
{
	if (unlikely(dest->ruling.drops)) {
		altconn_dgram_put(dg);
		return 0;
	}
	if (unlikely(dest->ruling.delay_ms))
		return altconn_dgram_send_late(sk, dg, dest, path, connected);
	if (dest->addr &&
	    altconn_node_is_broadcast(sock_net(sk), dest->addr))
		return altconn_dgram_broadcast(sk, dest->addr, dg);
	return altconn_dgram_send_to(sk, dest, connected, dg, nonblock);
}

/* As a datagram of IP would have it, or as AF_UNIX: some room for what goes with it. */
static bool dgram_is_too_long(const struct sock *sk, size_t len,
			      const struct altconn_addr *dest)
{
	if (!altconn_is_inet(sk))
		return len > READ_ONCE(sk->sk_sndbuf) - 32;
	return len > (dest && altconn_addr_is_v4(dest) ? DGRAM_MAX_V4 :
							 DGRAM_MAX_V6);
}

/*
 * In the inet formats a datagram that nobody takes was sent, as with UDP. A socket that
 * is connected to where it went learns of it from its next call.
 */
static noinline int dgram_refused(struct sock *sk, const struct dest *dest,
				  int err)
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
		/* Threads in recv() are woken, too. */
		sk->sk_state_change(sk);
	}
	return 0;
}

/*
 * Send a datagram that is made, whose reference is gone on return. Inlined, as
 * dgram_prepare(): every send() goes through both.
 */
static __always_inline int
dgram_finish_send(struct sock *sk, struct altconn_dgram *dg, struct dest *dest,
		  const struct path *path, bool connected, bool nonblock)
{
	int err = dgram_route(sk, dg, dest, path, connected, nonblock);

	if (likely(!err))
		return 0;
	altconn_dgram_put(dg);
	return dgram_refused(sk, dest, err);
}

static __always_inline struct altconn_dgram *
dgram_prepare(struct sock *sk, struct msghdr *msg, size_t len,
	      struct dest *dest)
{
	int err = 0;

	if (dgram_is_too_long(sk, len, dest->addr))
		return ERR_PTR(-EMSGSIZE);
	if (dest->addr && !rcu_access_pointer(altconn_sk(sk)->addr) &&
	    altconn_sk(sk)->dress != ALTCONN_UNIX)
		err = dgram_autobind(sk, dest->addr);
	if (err)
		return ERR_PTR(err);
	if (dest->addr)
		altconn_bind_answerable(sk, dest->addr);
	return altconn_dgram_make(sk, msg, len, dest->addr);
}

static int dgram_send_one(struct sock *sk, struct msghdr *msg, size_t len,
			  struct dest *dest, const struct path *path)
{
	struct altconn_dgram *dg = dgram_prepare(sk, msg, len, dest);
	int err;

	if (IS_ERR(dg))
		return PTR_ERR(dg);
	err = dgram_finish_send(sk, dg, dest, path, !msg->msg_namelen,
				msg->msg_flags & MSG_DONTWAIT);
	return err ? : len;
}

/**
 * struct corked - pieces that one datagram is made of
 * @dg: the pieces so far, as one datagram; NULL: there is none
 * @dest: where the first piece was sent to
 * @connected: the first piece was sent without an address
 */
struct corked {
	struct altconn_dgram	*dg;
	struct dest		dest;
	bool			connected;
};

/**
 * struct altconn_cork - what a socket holds back
 * @on: UDP_CORK
 * @held: the pieces
 *
 * Lifetime: made by the first use, freed by close(). All under lock_sock().
 */
struct altconn_cork {
	bool			on;
	struct corked		held;
};

static struct altconn_cork *cork_of(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_cork *cork = READ_ONCE(ask->cork), *old;

	if (cork)
		return cork;
	cork = kzalloc(sizeof(*cork), GFP_KERNEL_ACCOUNT);
	if (!cork)
		return NULL;
	/* A full barrier: it is whole when another thread sees it. */
	old = cmpxchg(&ask->cork, NULL, cork);
	if (!old)
		return cork;
	kfree(cork);
	return old;
}

/* Does this send() belong to a datagram of several? */
static noinline bool cork_holds(struct sock *sk, const struct msghdr *msg)
{
	const struct altconn_cork *cork;

	/* There are no pairs of UDP's sockets. */
	if (!altconn_is_inet(sk) || altconn_dgram_sk(sk)->peer_sk)
		return false;
	if (msg->msg_flags & MSG_MORE)
		return true;
	cork = READ_ONCE(altconn_dgram_sk(sk)->cork);
	return cork && (READ_ONCE(cork->on) || READ_ONCE(cork->held.dg));
}

/* Move what the cork holds to @whole. lock_sock() held. */
static void cork_take(struct altconn_cork *cork, struct corked *whole)
{
	*whole = cork->held;
	WRITE_ONCE(cork->held.dg, NULL);
	cork->held = (struct corked) {};
}

static void cork_drop(struct altconn_cork *cork)
{
	struct corked lost;

	cork_take(cork, &lost);
	altconn_dgram_put_dest(&lost.dest);
	if (lost.dg)
		altconn_dgram_put(lost.dg);
}

/* Send what was taken, if anything was. */
static int cork_flush(struct sock *sk, struct corked *whole, bool nonblock)
{
	const struct path none = {};
	int err = 0;

	if (whole->dg)
		err = dgram_finish_send(sk, whole->dg, &whole->dest, &none,
					whole->connected, nonblock);
	altconn_dgram_put_dest(&whole->dest);
	return err;
}

void altconn_cork_free(struct sock *sk)
{
	struct altconn_cork *cork = altconn_dgram_sk(sk)->cork;

	if (!cork)
		return;
	cork_drop(cork);
	altconn_dgram_sk(sk)->cork = NULL;
	kfree(cork);
}

/* A piece after the first: bytes alone count, as with UDP. */
static struct altconn_dgram *cork_piece(struct msghdr *msg, size_t len)
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

static int cork_append(struct sock *sk, struct altconn_cork *cork,
		       const struct altconn_dgram *piece)
{
	struct altconn_dgram *dg = cork->held.dg, *both;

	if (dgram_is_too_long(sk, dg->len + piece->len, cork->held.dest.addr))
		return -EMSGSIZE;
	both = altconn_dgram_alloc(dg->len + piece->len);
	if (!both)
		return -ENOMEM;
	memcpy(both->data, dg->data, dg->len);
	memcpy(both->data + dg->len, piece->data, piece->len);
	both->sender = dg->sender;
	swap(both->from, dg->from);
	swap(both->scm, dg->scm);
	WRITE_ONCE(cork->held.dg, both);
	altconn_dgram_put(dg);
	return 0;
}

/* The first piece is the cork's then, with where it goes. */
static void cork_begin(struct altconn_cork *cork, struct altconn_dgram *dg,
		       struct dest *dest, bool connected)
{
	/* It is looked up when the datagram is complete. */
	if (dest->known)
		sock_put(dest->known);
	dest->known = NULL;
	cork->held.dest = *dest;
	memset(dest, 0, sizeof(*dest));
	cork->held.connected = connected;
	WRITE_ONCE(cork->held.dg, dg);
}

/*
 * Make a piece, without a lock, as the memory that it is read from may take long;
 * *@first: of a new datagram, whose destination is looked up.
 */
static struct altconn_dgram *cork_make(struct sock *sk, struct msghdr *msg,
				       size_t len, struct dest *dest,
				       bool first)
{
	struct path none = {};
	int err;

	if (!first)
		return cork_piece(msg, len);
	err = altconn_dgram_get_dest(sk, msg, dest, &none);
	return err ? ERR_PTR(err) : dgram_prepare(sk, msg, len, dest);
}

/*
 * Add a piece to what the cork holds, or begin with it. -ESTALE: another thread has
 * sent what it was to be added to.
 */
static int cork_add(struct sock *sk, struct altconn_cork *cork,
		    struct altconn_dgram *dg, struct dest *dest, bool connected)
{
	int err;

	if (!cork->held.dg && dest->addr) {
		cork_begin(cork, dg, dest, connected);
		return 0;
	}
	err = cork->held.dg ? cork_append(sk, cork, dg) : -ESTALE;
	altconn_dgram_put(dg);
	return err;
}

/* One try of cork_send(). */
static int cork_try(struct sock *sk, struct altconn_cork *cork,
		    struct msghdr *msg, size_t len, struct corked *whole)
{
	bool first = !READ_ONCE(cork->held.dg);
	struct altconn_dgram *dg;
	struct dest dest = {};
	int err;

	dg = cork_make(sk, msg, len, &dest, first);
	err = PTR_ERR_OR_ZERO(dg);
	lock_sock(sk);
	if (!err)
		err = cork_add(sk, cork, dg, &dest, !msg->msg_namelen);
	/* As with UDP, all is lost then. */
	if (err && err != -ESTALE)
		cork_drop(cork);
	else if (!err && !(msg->msg_flags & MSG_MORE) && !cork->on)
		cork_take(cork, whole);
	release_sock(sk);
	altconn_dgram_put_dest(&dest);
	return err;
}

static noinline int cork_send(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct altconn_cork *cork = cork_of(sk);
	struct iov_iter begin = msg->msg_iter;
	struct corked whole = {};
	int err;

	if (!cork)
		return -ENOMEM;
	do {
		msg->msg_iter = begin;
		err = cork_try(sk, cork, msg, len, &whole);
	} while (err == -ESTALE);
	if (!err)
		err = cork_flush(sk, &whole, msg->msg_flags & MSG_DONTWAIT);
	return err ? : len;
}

/**
 * altconn_dgram_cork() - UDP_CORK of a datagram socket
 * @sk: the endpoint, in an inet format
 * @on: hold what is sent from now on; else send what was held, as one datagram
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0, whatever becomes of the datagram, as UDP; -ENOMEM.
 */
int altconn_dgram_cork(struct sock *sk, bool on)
{
	struct altconn_cork *cork = cork_of(sk);
	struct corked whole = {};

	if (!cork)
		return -ENOMEM;
	lock_sock(sk);
	WRITE_ONCE(cork->on, on);
	if (!on)
		cork_take(cork, &whole);
	release_sock(sk);
	cork_flush(sk, &whole, true);
	return 0;
}

/**
 * altconn_dgram_corked() - is UDP_CORK set?
 * @sk: the endpoint
 *
 * Context: any.
 */
bool altconn_dgram_corked(const struct sock *sk)
{
	const struct altconn_cork *cork = READ_ONCE(altconn_dgram_sk(sk)->cork);

	return cork && READ_ONCE(cork->on);
}

/**
 * altconn_dgram_sendmsg() - send(2) of a datagram
 * @sock: the socket
 * @msg: the data, and an address or none
 * @len: bytes
 *
 * In the inet formats the fate of the datagram is reported as UDP does: only by the
 * next call on a connected socket. MSG_MORE holds it for the pieces that follow.
 *
 * Context: process, may sleep.
 * Return: @len; -ENOTCONN in the sockaddr_un dress, else -EDESTADDRREQ: no
 * address; -ECONNREFUSED: nobody is bound there, or it is connected to somebody
 * else (S-ONLY); -EMSGSIZE: larger than the send buffer, in the inet formats than a
 * datagram of IP; -EAGAIN: the receiver is full; -EPIPE: shut down, here or there;
 * -ENETUNREACH, -EACCES, -EOPNOTSUPP, -EPROTOTYPE, -EINVAL, -EAFNOSUPPORT, and what
 * path_resolution(7) gives: the address; what __altconn_rule_check() gives; -ENOBUFS, -ENOMEM;
 * -EFAULT; -EINTR or a restart.
 */
int altconn_dgram_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct dest dest = {};
	struct path path = {};
	int err;

	/* UDP over IPv4 looks at the length before all else, over IPv6 later. */
	if (unlikely(len > U16_MAX) && altconn_sk(sk)->dress == ALTCONN_INET)
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
	    cork_holds(sk, msg))
		return cork_send(sk, msg, len);
	err = altconn_dgram_get_dest(sk, msg, &dest, &path);
	if (!err)
		err = dgram_send_one(sk, msg, len, &dest, &path);
	altconn_dgram_put_dest(&dest);
	if (path.dentry)
		path_put(&path);
	return err;
}
