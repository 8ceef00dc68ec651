// SPDX-License-Identifier: GPL-2.0
/*
 * This file sends a datagram to one receiver. It finds the destination address,
 * looks up the socket that receives there, and queues the datagram at that
 * socket. If the receiver is on another node, which is another network
 * namespace, the source address becomes the one by which that namespace knows
 * the sender. dgram_broadcast.c sends to all sockets of a port. kmod/altconn.h
 * explains the words of the module. Codes such as S-DONE name clauses of
 * Documentation/design/connect-semantics.rst.
 *
 * A connected sender looks up its receiver once, and its endpoint remembers the
 * receiver. The remembered receiver is valid as long as the generation of the
 * address (altconn_dgram_genids) stays the same. altconn_dgram_genid_bump()
 * changes it in four cases:
 *
 *   - A datagram socket is bound to the address or unbound from it, or a socket
 *     that is bound to it is connected, disconnected or closed.
 *   - The sender itself is bound.
 *   - An automatic binding becomes reachable from other nodes.
 *   - The table of nodes of a namespace changes.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include "addr.h"
#include "dgram_block.h"
#include "dgram_queue.h"
#include "dgram_route.h"
#include "netns.h"
#include "node.h"
#include "path.h"
#include "place.h"
#include "rule.h"
#include "scm.h"
#include "sock.h"

/*
 * Compute the score of a binding for a datagram from @from to @addr. The
 * binding with the highest score receives the datagram.
 *
 *   0                   The binding does not serve @addr, or its socket has
 *                       another type.
 *   1                   The socket is connected to another address, or is half
 *                       of a socketpair.
 *   4 * closeness + 1   The socket is unconnected.
 *   4 * closeness + 2   The socket is connected to @from.
 *
 * The closeness (altconn_place_closeness()) is 3 if the socket is bound to
 * @addr itself, and 2 or 1 if it is bound to a wildcard IP address that
 * includes @addr.
 *
 * UDP ranks its sockets in the same way, but ignores a socket that is connected
 * to another address. Here such a socket has the score 1, so it is found if
 * there is no other. Then altconn_dgram_check_admit() refuses the sender with
 * -ECONNREFUSED. In the inet formats (struct sockaddr_in and sockaddr_in6),
 * dgram_convert_error() turns this into the result that a UDP sender gets if no
 * socket receives the datagram. The caller holds rcu_read_lock().
 */
static unsigned int dgram_compute_score(const struct altconn_bind *bind,
					const struct altconn_addr *addr,
					const struct altconn_addr *from)
{
	unsigned int score = 4 * altconn_place_closeness(bind, addr);
	const struct altconn_dgram_sock *ask;
	const struct altconn_addr *peer;

	if (!score || bind->type != SOCK_DGRAM)
		return 0;
	ask = altconn_dgram_sk(bind->sk);
	peer = rcu_dereference(ask->peer);
	if (!peer)
		return READ_ONCE(ask->peer_sk) ? 1 : score + 1;
	return altconn_addr_equal(peer, from) ? score + 2 : 1;
}

/*
 * @place has the bindings of one address. Of those that were bound with
 * SO_REUSEPORT or ALTCONN_SHARE_ADDRESS (bind->share) and have @score, return
 * number @nth, counted from 0. If there are fewer by now, return the last one,
 * or NULL if there is none. The caller holds rcu_read_lock().
 */
static struct altconn_bind *dgram_select_nth(const struct altconn_place *place,
					     const struct altconn_addr *addr,
					     const struct altconn_addr *from,
					     unsigned int score, u32 nth)
{
	struct altconn_bind *bind, *last = NULL;

	altconn_place_for_each_bind(bind, place) {
		if (!bind->share ||
		    dgram_compute_score(bind, addr, from) != score)
			continue;
		last = bind;
		if (!nth--)
			break;
	}
	return last;
}

/*
 * Find the binding with the highest score among those of one address (@place).
 * If this score is higher than *@best, write it to *@best and return the
 * binding. Otherwise return NULL. If several such bindings have bind->share, a
 * hash of the sender's address selects one. So all datagrams of one sender go
 * to the same socket, as with SO_REUSEPORT of UDP. The datagrams of all unnamed
 * senders go to the same socket, too. The caller holds rcu_read_lock().
 */
static struct altconn_bind *dgram_lookup_best(const struct altconn_place *place,
					      const struct altconn_addr *addr,
					      const struct altconn_addr *from,
					      unsigned int *best)
{
	struct altconn_bind *bind, *found = NULL;
	unsigned int score;
	u32 shared = 0;

	altconn_place_for_each_bind(bind, place) {
		score = dgram_compute_score(bind, addr, from);
		if (score > *best) {
			*best = score;
			found = bind;
			shared = 0;
		}
		shared += score == *best && bind->share;
	}
	if (shared < 2 || !found || !found->share)
		return found;
	/* The peers of the sockets may have changed since they were counted. */
	return dgram_select_nth(place, addr, from, *best,
				altconn_place_select_receiver(from, shared)) ? :
	       found;
}

/*
 * Look up the bound endpoint that receives a datagram to @addr, which is an
 * address of @net. Return a reference, or NULL with an errno in *@err.
 *
 * If @connected is set and @addr is a path, @addr is the address object of the
 * binding to which the sender is connected. Only this binding can be found. If
 * @connected is not set, the caller pins the inode of a path.
 */
static struct sock *dgram_lookup_local(struct net *net,
				       const struct altconn_addr *addr,
				       const struct altconn_addr *from,
				       bool connected, int *err)
{
	struct altconn_bind *bind = NULL, *candidate;
	unsigned int closeness, best = 0;
	struct altconn_place *place;
	struct sock *sk = NULL;

	*err = -ECONNREFUSED;
	rcu_read_lock();
	/*
	 * The loop begins with the closest bindings. Scores above 1 grow with
	 * the closeness, so after such a score the remaining bindings, which
	 * are less close, cannot have a higher one.
	 */
	for (closeness = ALTCONN_CLOSEST; closeness && best < 2; closeness--) {
		place = altconn_place_find(net, SOCK_DGRAM, addr, closeness);
		candidate = dgram_lookup_best(place, addr, from, &best);
		bind = candidate ? : bind;
	}
	/*
	 * No datagram socket has the path, but a socket of another type may:
	 * the lookup of a path ignores the socket type.
	 */
	if (!bind && addr->kind == ALTCONN_KIND_PATH &&
	    altconn_place_find_bind(net, SOCK_DGRAM, addr))
		*err = -EPROTOTYPE;
	/*
	 * The socket to which the sender is connected may be closed by now. Its
	 * inode may be freed, and the file of a later socket may have an inode
	 * at the same memory address. The sender must not reach that socket.
	 * Each bind() makes an address object of its own, so compare the
	 * pointers to these objects.
	 */
	if (bind && (!connected || addr->kind != ALTCONN_KIND_PATH ||
		     bind->addr == addr))
		sk = bind->sk;
	/* As in UDP, a socket that is being freed receives nothing. */
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	if (sk)
		*err = 0;
	return sk;
}

/*
 * Look up the endpoint that receives a datagram to @addr, an address of another
 * node, in that node's namespace. @saddr is the sender's address as seen in
 * @net, the sender's namespace. Return a reference, or NULL with an errno in
 * *@err.
 */
static noinline struct sock *dgram_lookup_xns(const struct net *net,
					      const struct altconn_addr *addr,
					      struct altconn_addr *saddr,
					      int *err)
{
	struct altconn_addr taddr, *translated;
	struct sock *sk = NULL;
	struct net *target;
	u32 reason;

	target = altconn_node_get_net(net, addr, &taddr, &reason);
	if (IS_ERR(target)) {
		*err = PTR_ERR(target);
		return NULL;
	}
	translated = altconn_node_translate(target, net, saddr);
	if (IS_ERR(translated)) {
		*err = PTR_ERR(translated);
	} else {
		sk = dgram_lookup_local(target, &taddr, translated, false, err);
		altconn_addr_put(translated);
	}
	put_net(target);
	return sk;
}

/**
 * altconn_dgram_lookup() - look up the endpoint that receives a datagram
 * @net: the sender's namespace
 * @addr: the destination address; if it is a path and @connected is not set,
 *	the caller pins the inode
 * @from: the sender's address as seen in @net, or NULL
 * @connected: the sender is connected to @addr. If @addr is a path, it is the
 *	address object of the binding that connect() found, and only this
 *	binding can be found
 * @err: gets 0 or a negative errno
 *
 * Context: process, may sleep.
 * Return: the receiver, with a reference that the caller drops; or NULL and one
 * of these in *@err:
 *
 * * -ECONNREFUSED: no datagram socket is bound to the address
 * * -EPROTOTYPE: a socket of another type is bound to the path
 * * -ENETUNREACH, -EHOSTUNREACH: the node is unknown or down; or another error
 *   of altconn_node_get_net()
 * * -ENOMEM
 */
struct sock *altconn_dgram_lookup(struct net *net,
				  const struct altconn_addr *addr,
				  struct altconn_addr *from, bool connected,
				  int *err)
{
	if (unlikely(addr->xns))
		return dgram_lookup_xns(net, addr, from, err);
	return dgram_lookup_local(net, addr, from, connected, err);
}

/*
 * Make the source address with which a socket that is bound to a wildcard IP
 * address sends to @dest. Return a reference or ERR_PTR(-ENOMEM).
 */
static struct altconn_addr *dgram_make_saddr(struct sock *sk, u32 port,
					     const struct altconn_addr *dest)
{
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET, .port = port };

	altconn_node_saddr(sock_net(sk), dest, &local);
	return altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT) ? :
	       ERR_PTR(-ENOMEM);
}

/*
 * If a socket that is bound to a wildcard IP address connects to another node,
 * its source address becomes the IP address by which that node knows this
 * namespace. The socket may then send to another destination with sendto(). If
 * that destination is in this namespace, its receiver cannot answer to the
 * source address. Check for this case. A socket that is bound to a specific IP
 * address always keeps that address.
 */
static bool dgram_saddr_is_xns_only(const struct sock *sk,
				    const struct altconn_addr *dest)
{
	const struct altconn_addr *peer;
	const struct altconn_bind *bind;
	bool ret;

	rcu_read_lock();
	/* Pairs with the release in altconn_binding_publish(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	peer = rcu_dereference(altconn_dgram_sk(sk)->peer);
	ret = peer && peer->xns && !dest->xns && bind &&
	      bind->addr->kind == ALTCONN_KIND_INET &&
	      altconn_addr_is_any(bind->addr);
	rcu_read_unlock();
	return ret;
}

/**
 * altconn_dgram_sender_addr() - get the source address of a datagram
 * @sk: the sending endpoint
 * @dest: the destination address, or NULL if the destination is the other half
 *	of a socketpair
 *
 * In the inet formats the endpoint may have an address to which a receiver at
 * @dest cannot answer: a wildcard IP address or, if @dest is in this namespace,
 * the address by which another node knows this namespace. In these two cases
 * choose a source address for @dest, as IP routing does.
 *
 * Context: process, may sleep.
 * Return: the address as seen in the sender's namespace, with a reference that
 * the caller drops; NULL if the sender is unnamed; ERR_PTR(-ENOMEM).
 */
struct altconn_addr *altconn_dgram_sender_addr(struct sock *sk,
					       const struct altconn_addr *dest)
{
	struct altconn_addr *addr = altconn_addr_of(sk), *saddr;

	if (!addr || !dest || addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET ||
	    (!altconn_addr_is_any(addr) && !dgram_saddr_is_xns_only(sk, dest)))
		return addr;
	saddr = dgram_make_saddr(sk, addr->port, dest);
	altconn_addr_put(addr);
	return saddr;
}

/**
 * altconn_dgram_make() - make a datagram from the arguments of sendmsg()
 * @sk: the sending endpoint
 * @msg: the data and control messages
 * @len: length of the data, bytes
 * @dest: the destination address, or NULL if the destination is the other half
 *	of a socketpair
 *
 * Context: process, may sleep.
 * Return: the datagram, with one reference that the caller drops; or ERR_PTR()
 * of -ENOMEM, of -EFAULT if the data is not readable, or of an error of
 * altconn_scm_parse_cmsgs().
 */
struct altconn_dgram *
altconn_dgram_make(struct sock *sk, struct msghdr *msg, size_t len,
		   const struct altconn_addr *dest)
{
	struct altconn_dgram *dg = altconn_dgram_alloc(len);
	struct altconn_addr *from;
	int err = 0;

	if (!dg)
		return ERR_PTR(-ENOMEM);
	dg->sender = sk;
	from = altconn_dgram_sender_addr(sk, dest);
	if (IS_ERR(from))
		err = PTR_ERR(from);
	else
		dg->from = from;
	if (!err && unlikely(msg->msg_controllen))
		err = altconn_scm_parse_cmsgs(sk, msg, &dg->scm);
	/*
	 * altconn_dgram_alloc() has made dg->data @len bytes long. So hardened
	 * usercopy would find no error, and _copy_from_iter() omits its check.
	 */
	if (!err && _copy_from_iter(dg->data, len, &msg->msg_iter) != len)
		err = -EFAULT;
	if (err) {
		altconn_dgram_put(dg);
		return ERR_PTR(err);
	}
	return dg;
}

/* Return the generation of the peer. queue_lock is held. */
static u64 dgram_read_genid(const struct altconn_dgram_sock *ask)
{
	/* Pairs with altconn_dgram_genid_bump(). */
	return atomic64_read_acquire(&altconn_dgram_genids[ask->peer_genid].n);
}

/*
 * Remember the receiver of a connected socket, if @dest is still the address
 * that the socket is connected to. dest->genid was read before the lookup. If
 * the generation has changed since then, dgram_get_cached_receiver() ignores
 * the receiver.
 */
static void dgram_cache_receiver(struct sock *sk, struct sock *receiver,
				 const struct dgram_dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	if (altconn_dgram_peer_addr(ask) == dest->addr) {
		ask->cached_receiver = receiver;
		ask->cached_genid = dest->genid;
	}
	spin_unlock(&ask->queue_lock);
}

/*
 * Return a reference to the remembered receiver, or NULL. The pointer in the
 * sender's endpoint holds no reference. When a socket is unbound, the
 * generation of its address changes before RCU frees the socket. So if it is
 * unchanged within an RCU read section, the memory is valid. A reference can
 * then be taken unless the last one is gone.
 */
static struct sock *
dgram_get_cached_receiver(const struct altconn_dgram_sock *ask)
{
	struct sock *sk;

	lockdep_assert_held(&ask->queue_lock);
	rcu_read_lock();
	sk = ask->cached_receiver;
	if (!sk ||
	    ask->cached_genid != dgram_read_genid(ask) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	return sk;
}

/*
 * Look up the receiver of a datagram that goes to an address. If the sender is
 * connected to this address, remember the receiver. Return a reference, or NULL
 * with an errno in *@err.
 */
static noinline struct sock *
dgram_lookup_and_cache(struct sock *sk, const struct dgram_dest *dest,
		       struct altconn_addr *from, bool connected, int *err)
{
	struct sock *receiver = altconn_dgram_lookup(sock_net(sk), dest->addr,
						     from, connected, err);

	if (receiver && connected)
		dgram_cache_receiver(sk, receiver, dest);
	return receiver;
}

/*
 * Get the receiver of a datagram: the remembered receiver, the other half of
 * the socketpair, or the result of a lookup. Return a reference, or NULL with
 * an errno in *@err. This function is inlined, because every send() runs it.
 */
static __always_inline struct sock *
dgram_get_receiver(struct sock *sk, struct dgram_dest *dest,
		   struct altconn_addr *from, bool connected, int *err)
{
	struct sock *receiver = dest->receiver;

	/*
	 * Use the remembered receiver once. After a wait the receiver is looked
	 * up, because another socket may have the address by then.
	 */
	dest->receiver = NULL;
	if (receiver)
		return receiver;
	if (!dest->pair_sk)
		return dgram_lookup_and_cache(sk, dest, from, connected, err);
	sock_hold(dest->pair_sk);
	return dest->pair_sk;
}

/**
 * altconn_dgram_get_receiver() - get the receiver of a datagram
 * @sk: the sending endpoint
 * @dest: the destination; the reference in its @receiver, if any, moves to the
 *	caller
 * @from: the sender's address as seen in the sender's namespace, or NULL
 * @connected: the datagram goes to the address that @sk is connected to
 * @err: gets an errno if no receiver is found
 *
 * Context: process, may sleep.
 * Return: the receiver, with a reference that the caller drops; NULL with *@err
 * as altconn_dgram_lookup() returns.
 */
struct sock *altconn_dgram_get_receiver(struct sock *sk,
					struct dgram_dest *dest,
					struct altconn_addr *from,
					bool connected, int *err)
{
	return dgram_get_receiver(sk, dest, from, connected, err);
}

/*
 * This value stands for a time limit that has not been computed. A send()
 * computes the limit only when it must wait, so a send() that need not wait
 * does not read the sysctl.
 */
#define DGRAM_TIMEO_UNSET	(-1L)

/*
 * Return the time limit of a blocking send(), jiffies: SO_SNDTIMEO or the
 * sysctl net.altconn.dgram_block_ms, whichever is shorter. If the sysctl is 0,
 * it sets no limit.
 */
static long dgram_send_timeo(const struct sock *sk)
{
	const struct altconn_net *an = altconn_pernet(sock_net(sk));
	unsigned int ms = READ_ONCE(an->dgram_block_ms);
	long timeo = sock_sndtimeo(sk, false);

	return ms ? min_t(long, timeo, msecs_to_jiffies(ms)) : timeo;
}

/*
 * Set the source address of the datagram to @saddr, translated from the
 * sender's namespace into the receiver's. The caller must do so after each
 * lookup of the receiver: the new receiver may be in another namespace, and
 * each namespace gives its own ids to the other ones. Return 0 or -ENOMEM.
 */
static noinline int dgram_translate_from(struct sock *sk,
					 struct altconn_addr *saddr,
					 struct altconn_dgram *dg,
					 const struct sock *receiver)
{
	struct altconn_addr *translated;

	translated =
		altconn_node_translate(sock_net(receiver), sock_net(sk), saddr);
	if (IS_ERR(translated))
		return PTR_ERR(translated);
	altconn_addr_put(dg->from);
	dg->from = translated;
	return 0;
}

/*
 * Get the receiver of a datagram to another node, and set the source address
 * for it. Return a reference, or NULL with an errno in *@err.
 */
static noinline struct sock *dgram_route_xns(struct sock *sk,
					     struct dgram_dest *dest,
					     struct altconn_dgram *dg,
					     bool connected, int *err)
{
	struct sock *receiver;

	if (!dest->saddr)
		dest->saddr = altconn_addr_get(dg->from);
	receiver = dgram_get_receiver(sk, dest, dest->saddr, connected, err);
	if (!receiver)
		return NULL;
	*err = dgram_translate_from(sk, dest->saddr, dg, receiver);
	if (!*err)
		return receiver;
	sock_put(receiver);
	return NULL;
}

/*
 * Get the receiver of a datagram. If the destination belongs to another node,
 * also set the source address as the receiver sees it. Return a reference, or
 * NULL with an errno in *@err. This function is inlined, because every send()
 * runs it.
 */
static __always_inline struct sock *
dgram_route(struct sock *sk, struct dgram_dest *dest,
	    struct altconn_dgram *dg, bool connected, int *err)
{
	if (dest->addr && unlikely(dest->addr->xns))
		return dgram_route_xns(sk, dest, dg, connected, err);
	return dgram_get_receiver(sk, dest, dg->from, connected, err);
}

/**
 * altconn_dgram_route() - get the receiver of a datagram, and set the source
 * address for it
 * @sk: the sending endpoint
 * @dest: the destination; the reference in its @receiver, if any, moves to the
 *	caller; if the destination belongs to another node, its @saddr becomes
 *	the sender's address as seen in the sender's namespace
 * @dg: the datagram; its @from becomes the sender's address as seen in the
 *	receiver's namespace
 * @connected: the datagram goes to the address that @sk is connected to
 * @err: gets an errno if the result is NULL
 *
 * Context: process, may sleep.
 * Return: the receiver, with a reference that the caller drops; NULL with *@err
 * as altconn_dgram_lookup() returns.
 */
struct sock *altconn_dgram_route(struct sock *sk,
				 struct dgram_dest *dest,
				 struct altconn_dgram *dg,
				 bool connected, int *err)
{
	return dgram_route(sk, dest, dg, connected, err);
}

/**
 * altconn_dgram_send_to() - deliver a datagram to one receiver
 * @sk: the sending endpoint
 * @dest: the destination
 * @connected: the datagram goes to the address that @sk is connected to
 * @dg: the datagram
 * @nonblock: do not wait for space at the receiver
 *
 * Each retry looks up the receiver again, because another socket may have the
 * address by then.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0 if the datagram is queued, or dropped by the receiver's socket
 * filter or by ALTCONN_DGRAM_OVERFLOW, in which cases the caller's reference is
 * gone. Otherwise the caller keeps its reference, and the result is one of the
 * following. @dg is then not restored: the filter of the last receiver may have
 * shortened it, and @from may be the address as that receiver sees it.
 *
 * * -EAGAIN: the receiver is full, and @nonblock is set or the time limit has
 *   elapsed
 * * -EINTR or -ERESTARTSYS: a signal is pending
 * * -ECONNREFUSED: no receiver is found, or it is closed or connected to
 *   another peer
 * * -EPIPE: the receiver is shut down for reading
 * * -ENOBUFS: the filter has no memory
 * * another error of altconn_dgram_lookup()
 */
int altconn_dgram_send_to(struct sock *sk, struct dgram_dest *dest,
			  bool connected, struct altconn_dgram *dg,
			  bool nonblock)
{
	long timeo = sock_sndtimeo(sk, nonblock) ? DGRAM_TIMEO_UNSET : 0;
	struct dgram_blocked waiter;
	struct sock *receiver;
	u32 len = dg->len;
	int err;

	do {
		/* An earlier receiver's filter may have cut the datagram. */
		dg->len = len;
		receiver = dgram_route(sk, dest, dg, connected, &err);
		if (!receiver)
			return err;
		/* Credentials that the datagram has already stay unchanged. */
		if (unlikely(altconn_dgram_carries_creds(sk, receiver)))
			altconn_scm_add_own_cred(&dg->scm);
		err = altconn_dgram_filter(receiver, dg, timeo != 0);
		if (!err)
			err = altconn_dgram_queue_or_block(receiver, dg, timeo ?
							   &waiter : NULL);
		if (err == DGRAM_BLOCKED) {
			if (timeo == DGRAM_TIMEO_UNSET)
				timeo = dgram_send_timeo(sk);
			err = altconn_dgram_wait_for_space(receiver, &waiter,
							   len, &timeo);
		}
		/*
		 * Only a filter returns -EPERM. As in other families, a
		 * datagram that a filter drops counts as sent.
		 */
		if (err == -EPERM)
			altconn_dgram_put(dg);
		/*
		 * This registers a connected sender for the wake-up that its
		 * poll() needs. If the receiver has space again, it returns
		 * DGRAM_RETRY instead. Each repetition needs another thread
		 * that has freed space, so the loop does not spin by itself.
		 */
		if (err == -EAGAIN)
			err = altconn_dgram_watch_or_retry(sk, receiver,
							   connected);
		sock_put(receiver);
	} while (err == DGRAM_RETRY);
	return err == -EPERM ? 0 : err;
}

/**
 * altconn_dgram_deliver_nowait() - deliver a datagram if the receiver has space
 * @receiver: the receiving endpoint
 * @dg: the datagram; the caller's reference is gone in any case
 *
 * The datagram is lost if the receiver is full or does not accept the sender.
 *
 * Context: process; no spinlock held. May sleep, but does not wait for space.
 */
void altconn_dgram_deliver_nowait(struct sock *receiver,
				  struct altconn_dgram *dg)
{
	if (altconn_dgram_filter(receiver, dg, false) ||
	    altconn_dgram_queue_or_block(receiver, dg, NULL))
		altconn_dgram_put(dg);
}

/* Return -EINVAL for the destination port 0, as UDP does. */
static int dgram_check_port(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_INET && !addr->port ? -EINVAL : 0;
}

/*
 * Fill @dest for a send() without an address. The destination is the other half
 * of the socketpair, or the address that the socket is connected to. With the
 * address come the remembered receiver, and the ruling: what the firewall rules
 * decided at connect() about datagrams to this address. Return 0 or a negative
 * errno.
 */
static __always_inline int dgram_dest_from_peer(struct sock *sk,
						struct dgram_dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	dest->genid = dgram_read_genid(ask);
	dest->addr = altconn_addr_get(altconn_dgram_peer_addr(ask));
	dest->pair_sk = ask->peer_sk;
	if (dest->pair_sk)
		sock_hold(dest->pair_sk);
	else if (dest->addr)
		dest->receiver = dgram_get_cached_receiver(ask);
	dest->ruling = ask->ruling;
	spin_unlock(&ask->queue_lock);
	if (likely(dest->addr || dest->pair_sk))
		return 0;
	/* AF_UNIX returns the first errno, UDP the second one. */
	return ask->base.format == ALTCONN_UNIX ? -ENOTCONN : -EDESTADDRREQ;
}

/*
 * Fill @dest from the address in @msg, an argument of sendto() or sendmsg().
 * Return 0 or a negative errno. If the address is a path, @path gets a
 * reference, even if a later check fails.
 */
static noinline int dgram_dest_from_msg(struct sock *sk, struct msghdr *msg,
					struct dgram_dest *dest,
					struct path *path)
{
	struct altconn_addr addr;
	u32 reason;
	int err;

	err = altconn_addr_parse_peer(sk, msg->msg_name, msg->msg_namelen,
				      &addr);
	if (err)
		return err;
	err = dgram_check_port(&addr) ? :
	      altconn_node_route(sk, &addr, &reason);
	if (err)
		return err;
	if (addr.kind == ALTCONN_KIND_PATH) {
		err = altconn_path_resolve(&addr, path, &reason);
		if (err)
			return err;
	}
	if (!sock_flag(sk, SOCK_BROADCAST) &&
	    altconn_node_is_broadcast(sock_net(sk), &addr))
		return -EACCES;
	err = altconn_rule_check(sk, &addr, path, &dest->ruling);
	if (err < 0)
		return err;
	dest->addr = altconn_addr_dup(&addr, GFP_KERNEL_ACCOUNT);
	return dest->addr ? 0 : -ENOMEM;
}

/**
 * altconn_dgram_get_dest() - get the destination of a datagram
 * @sk: the sending endpoint
 * @msg: its msg_name is the destination, unless msg_namelen is 0
 * @dest: zeroed; gets the destination, and the caller drops its references with
 *	altconn_dgram_put_dest()
 * @path: empty; gets the socket file if msg_name is a path, and the caller puts
 *	the reference, even on failure; may be NULL if msg_namelen is 0
 *
 * dgram_dest_from_msg() is not inlined, because it has a struct altconn_addr on
 * its stack. With CONFIG_INIT_STACK_ALL_ZERO each call would clear this large
 * object, also in the connected case, which does not need it.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0; -ENOTCONN in the sockaddr_un format, else -EDESTADDRREQ, if there
 * is neither an address nor a peer; -EINVAL or -EAFNOSUPPORT if the address is
 * malformed; the errors of altconn_node_route() and altconn_path_resolve();
 * -EACCES if the address is a broadcast address and SO_BROADCAST is not set;
 * the errors of altconn_rule_check(); -ENOMEM.
 */
int altconn_dgram_get_dest(struct sock *sk, struct msghdr *msg,
			   struct dgram_dest *dest, struct path *path)
{
	return msg->msg_namelen ? dgram_dest_from_msg(sk, msg, dest, path) :
				  dgram_dest_from_peer(sk, dest);
}
