// SPDX-License-Identifier: GPL-2.0
/*
 * This file implements connect(), socketpair(), shutdown() and close() of
 * datagram sockets. The first two give a datagram socket its peer, which is an
 * address (ask->peer) or the other half of a socketpair (ask->peer_sk).
 */

#include "account.h"
#include "addr.h"
#include "assoc.h"
#include "bind_local.h"
#include "connect.h"
#include "dgram_block.h"
#include "dgram_connect.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "dgram_send.h"
#include "endpoint.h"
#include "event.h"
#include "netns.h"
#include "node.h"
#include "path.h"
#include "place.h"
#include "rule.h"
#include "ruling.h"
#include "sock.h"
#include "stat.h"
#include "trace.h"

/*
 * Replace the peer of a socket by @addr, or by none if @addr is NULL. The
 * socket takes over the reference to @addr. @ruling is that of the datagrams to
 * @addr. With a new peer, drop the queued datagrams of all other senders.
 * The senders that are blocked at this socket look up their receiver again,
 * because the socket may refuse them now. altconn_lock() is held.
 */
static void dgram_set_peer(struct sock *sk, struct altconn_addr *addr,
			   struct altconn_ruling ruling)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_addr *old_addr;
	struct sock *old_sk = ask->peer_sk;
	struct altconn_dgram *dg, *next;
	struct altconn_bind *bind;
	LIST_HEAD(gone);

	spin_lock(&ask->queue_lock);
	old_addr = altconn_dgram_peer_addr(ask);
	rcu_assign_pointer(ask->peer, addr);
	if (addr)
		ask->peer_genid = altconn_dgram_genid_index(addr);
	ask->ruling = ruling;
	WRITE_ONCE(ask->peer_sk, NULL);
	ask->cached_receiver = NULL;
	list_for_each_entry_safe(dg, next, &ask->queue, node) {
		if (altconn_dgram_peer_permits(ask, dg))
			continue;
		altconn_dgram_unlink(ask, dg);
		list_add_tail(&dg->node, &gone);
		atomic_inc(&sk->sk_drops);
	}
	/*
	 * Store the peer, then load the binding. Pairs with the barrier in
	 * altconn_dgram_genid_bump(): if a bind() to a path sets the binding
	 * later, senders find the peer in the lookup after that bind().
	 */
	smp_mb();
	bind = READ_ONCE(ask->base.bind);
	if (bind)
		altconn_dgram_genid_bump(bind->addr);
	spin_unlock(&ask->queue_lock);

	altconn_dgram_wake_blocked(sk);
	altconn_dgram_put_all(&gone);
	altconn_dgram_unwatch(sk);
	altconn_addr_put(old_addr);
	if (old_sk)
		sock_put(old_sk);
}

/* Set the state of a socket, and wake threads in recv() and poll() on it. */
static void dgram_set_state(struct sock *sk, u8 state)
{
	if (sk->sk_state != state)
		trace_altconn_state(sk, sk->sk_state, state);
	WRITE_ONCE(sk->sk_state, state);
	sk->sk_state_change(sk);
}

/*
 * Charge the caller for one association, unless the socket is charged already:
 * a connected socket counts as one association, whichever peers it has had.
 * Return 0 or the errno of altconn_account_charge(). altconn_lock() is held, or
 * no other thread sees the socket.
 */
static int dgram_charge_assoc(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_account *account;

	if (ask->account)
		return 0;
	account = altconn_account_charge(altconn_pernet(sock_net(sk)));
	if (IS_ERR(account))
		return PTR_ERR(account);
	ask->account = account;
	return 0;
}

/* Undo dgram_charge_assoc() if the socket is charged. */
static void dgram_uncharge_assoc(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (ask->account)
		altconn_account_uncharge(altconn_pernet(sock_net(sk)),
					 ask->account);
	ask->account = NULL;
}

/*
 * Make a socket unconnected, and set its pending error to @err, a positive
 * errno or 0. altconn_lock() is held.
 */
static void dgram_dissolve_locked(struct sock *sk, int err)
{
	/*
	 * Give up an automatic address first, so that a sender that is woken
	 * below does not find the socket again.
	 */
	altconn_bind_local_undo(sk);
	dgram_set_peer(sk, NULL, ALTCONN_NO_RULE);
	dgram_uncharge_assoc(sk);
	/* dgram_set_state() wakes threads that look for this error. */
	WRITE_ONCE(sk->sk_err, err);
	altconn_endpoint_set_peercred(sk, NULL, NULL);
	dgram_set_state(sk, TCP_CLOSE);
}

/* Handle a connect() that dissolves the association, if there is one. */
static int dgram_dissolve(struct sock *sk)
{
	altconn_lock(sk);
	dgram_dissolve_locked(sk, 0);
	altconn_unlock(sk);
	return 0;
}

/**
 * altconn_dgram_reset() - dissolve a datagram socket's association with an
 * error
 * @sk: the socket
 *
 * One thread in recv() on the socket fails with ECONNRESET. If there is no such
 * thread, the next call on the socket does.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: true if the association is dissolved; false if the socket has none.
 */
bool altconn_dgram_reset(struct sock *sk)
{
	if (sk->sk_state != TCP_ESTABLISHED)
		return false;
	dgram_dissolve_locked(sk, ECONNRESET);
	return true;
}

/*
 * Return the peer address for a connect() to @addr, a reference. If @addr is a
 * path, it is the address object of the binding that a lookup finds now, and
 * connect() fails if there is none. Otherwise it is a copy of @addr: only
 * send() looks up a port, a name or an IP address. On failure return NULL with
 * enum altconn_reason in *@reason and a negative errno in *@err.
 */
static struct altconn_addr *dgram_resolve_peer(struct sock *sk,
					       const struct altconn_addr *addr,
					       u32 *reason, int *err)
{
	struct altconn_addr *peer = NULL;
	struct sock *receiver;

	*reason = ALTCONN_REASON_NO_MEMORY;
	*err = -ENOMEM;
	if (addr->kind != ALTCONN_KIND_PATH)
		return altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
	*reason = ALTCONN_REASON_STALE_PATH;
	receiver = altconn_dgram_lookup(sock_net(sk), addr, NULL, false, err);
	if (receiver) {
		peer = altconn_addr_of(receiver);
		sock_put(receiver);
		/* The receiver has been unbound since the lookup. */
		if (!peer)
			*err = -ECONNREFUSED;
	} else if (*err == -EPROTOTYPE) {
		*reason = ALTCONN_REASON_WRONG_TYPE;
	}
	return peer;
}

/*
 * Take the steps of a connect() to @addr that can fail: charge the association,
 * and give the socket its local address. Also put the socket in the registry.
 * Return 0, or a negative errno with enum altconn_reason in *@reason, in which
 * case an old association is unchanged. altconn_lock() is held.
 */
static int dgram_prepare_connect(struct sock *sk, struct altconn_addr *addr,
				 u32 *reason)
{
	bool counted = altconn_dgram_sk(sk)->account;
	int err;

	err = dgram_charge_assoc(sk);
	*reason = err == -ENOMEM ? ALTCONN_REASON_NO_MEMORY :
				   ALTCONN_REASON_TABLE_FULL;
	if (err)
		return err;
	*reason = ALTCONN_REASON_NO_MEMORY;
	err = altconn_endpoint_register(sk);
	if (!err)
		err = altconn_bind_local(sk, addr);
	if (!err)
		return 0;
	if (err == -EAGAIN)
		*reason = ALTCONN_REASON_NO_PORT;
	else if (err == -EINTR)
		*reason = ALTCONN_REASON_NONE;
	if (!counted)
		dgram_uncharge_assoc(sk);
	return err;
}

/*
 * Connect a socket to @addr, which altconn_node_route() has processed. @path is
 * the socket file if the address is a path. Return 0 or a negative errno, with
 * enum altconn_reason in *@reason and the ruling in *@ruling.
 */
static int dgram_associate(struct sock *sk, const struct altconn_addr *addr,
			   const struct path *path,
			   struct altconn_ruling *ruling, u32 *reason)
{
	struct altconn_addr *peer;
	int err;

	if (!sock_flag(sk, SOCK_BROADCAST) &&
	    altconn_node_is_broadcast(sock_net(sk), addr)) {
		*reason = ALTCONN_REASON_BROADCAST;
		return -EACCES;
	}
	/*
	 * A rule that drops or delays does not concern connect() itself. Its
	 * ruling applies to the datagrams that the socket sends to its peer.
	 */
	err = altconn_rule_check(sk, addr, path, ruling);
	if (err < 0) {
		*reason = altconn_rule_reason(ruling, err);
		return err;
	}
	peer = dgram_resolve_peer(sk, addr, reason, &err);
	if (!peer)
		return err;
	altconn_lock(sk);
	err = dgram_prepare_connect(sk, peer, reason);
	if (err) {
		altconn_addr_put(peer);
	} else {
		dgram_set_peer(sk, peer, *ruling);
		dgram_set_state(sk, TCP_ESTABLISHED);
		*reason = ALTCONN_REASON_ESTABLISHED;
	}
	altconn_unlock(sk);
	return err;
}

/**
 * altconn_dgram_connect() - connect(2) of a datagram socket
 * @sock: the socket
 * @uaddr: address in the socket's address format; not read if @len is 0
 * @len: length of @uaddr, bytes
 * @flags: file flags; O_NONBLOCK is traced, and has no other effect, because
 *	the call never waits for the peer
 *
 * The peer is the default destination of datagrams (clause S-DEST), and the
 * only address from which datagrams are received (clause S-ONLY). A further
 * call replaces the peer (clause S-AGAIN). An address of family AF_UNSPEC
 * (clause S-UNSPEC), an address of length 0 or the null address (clause S-NULL)
 * makes the socket unconnected. After a failure the socket has its old peer.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, or a negative errno of Documentation/design/connect-semantics.rst.
 */
int altconn_dgram_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
			  int len, int flags)
{
	struct sock *sk = sock->sk;
	struct altconn_ruling ruling = ALTCONN_NO_RULE;
	struct altconn_addr addr;
	u32 reason = ALTCONN_REASON_NONE;
	struct path path = {};
	int err;

	if (altconn_addr_only_disconnects(sk, uaddr, len))
		return dgram_dissolve(sk);
	err = altconn_addr_parse_peer(sk, uaddr, len, &addr);
	if (err)
		return altconn_connect_reject_addr(sk, err);

	trace_altconn_connect_begin(sk, &addr, flags & O_NONBLOCK);
	altconn_event_notify_sock(sk, ALTCONN_EVENT_KIND_CONNECT_BEGIN, &addr,
				  0, 0);
	err = altconn_node_route(sk, &addr, &reason);
	if (!err && addr.kind == ALTCONN_KIND_PATH)
		err = altconn_path_resolve(&addr, &path, &reason);
	if (!err)
		err = dgram_associate(sk, &addr, &path, &ruling, &reason);
	if (path.dentry)
		path_put(&path);

	altconn_lock(sk);
	altconn_sk(sk)->last_err = -err;
	altconn_sk(sk)->last_reason = reason;
	altconn_sk(sk)->last_rule = ruling.rule;
	altconn_unlock(sk);
	altconn_stat_outcome(altconn_pernet(sock_net(sk)), reason);
	trace_altconn_connect_end(sk, 0, &addr, -err, reason, 0);
	altconn_event_notify_sock(sk, err ? ALTCONN_EVENT_KIND_FAILED :
				     ALTCONN_EVENT_KIND_ESTABLISHED, &addr,
				  -err, reason);
	return err;
}

/**
 * altconn_dgram_pair() - make two new endpoints each other's peer
 * @a: an endpoint
 * @b: the other endpoint
 *
 * Context: process, may sleep; no other thread sees the endpoints.
 * Return: 0; -EAGAIN if the user or the namespace has as many associations as
 * its limit allows; -ENOMEM.
 */
int altconn_dgram_pair(struct sock *a, struct sock *b)
{
	int err = dgram_charge_assoc(a);

	if (err)
		return err;
	err = dgram_charge_assoc(b);
	if (err) {
		dgram_uncharge_assoc(a);
		return err;
	}
	sock_hold(a);
	sock_hold(b);
	altconn_dgram_sk(a)->peer_sk = b;
	altconn_dgram_sk(b)->peer_sk = a;
	WRITE_ONCE(a->sk_state, TCP_ESTABLISHED);
	WRITE_ONCE(b->sk_state, TCP_ESTABLISHED);
	return 0;
}

/**
 * altconn_dgram_shutdown() - shutdown(2) of a datagram socket
 * @sk: the endpoint
 * @how: RCV_SHUTDOWN, SEND_SHUTDOWN or both
 *
 * As with AF_UNIX and UDP, the call shuts an unconnected socket down too.
 *
 * Context: process, may sleep; no spinlock held.
 * Return: 0; -ENOTCONN if the socket is unconnected and not in the sockaddr_un
 * format, as with UDP, although the call has taken effect.
 */
int altconn_dgram_shutdown(struct sock *sk, u8 how)
{
	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	/*
	 * Blocked senders try again and fail with EPIPE. In the inet formats
	 * the socket still receives, so its blocked senders wait on.
	 */
	if (how & RCV_SHUTDOWN && !altconn_is_inet(sk))
		altconn_dgram_wake_blocked(sk);
	sk->sk_state_change(sk);
	if (altconn_sk(sk)->format == ALTCONN_UNIX)
		return 0;
	return altconn_state(sk) == TCP_ESTABLISHED ? 0 : -ENOTCONN;
}

/**
 * altconn_dgram_close() - close the datagram part of an endpoint
 * @sk: the endpoint, which is still bound
 *
 * Context: process, may sleep; altconn_lock() held.
 */
void altconn_dgram_close(struct sock *sk)
{
	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	/*
	 * altconn_dgram_check_sender() refuses all senders from here on, so the
	 * queue gets no datagram after altconn_dgram_purge(). dgram_set_peer()
	 * wakes the blocked senders.
	 */
	sock_set_flag(sk, SOCK_DEAD);
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	dgram_set_peer(sk, NULL, ALTCONN_NO_RULE);
	dgram_uncharge_assoc(sk);
	altconn_dgram_free_cork(sk);
	altconn_dgram_purge(sk);
}
