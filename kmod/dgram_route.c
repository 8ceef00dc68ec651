// SPDX-License-Identifier: GPL-2.0
/*
 * This file finds the destination of a send, its receiver or the receivers of a
 * broadcast, and the sender's address as the receiver's namespace writes it.
 *
 * The receiver of a connected sender is looked up once. The endpoint remembers
 * the receiver until altconn_dgram_genid_bump() invalidates it: when any
 * datagram socket of the machine is bound, unbound, connected or closed, when a
 * binding becomes reachable from other nodes, and when the nodes of a namespace
 * change.
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
 * Compute the score of a binding for a datagram from @from to @addr, as UDP's
 * compute_score() does. The closest address wins. Among bindings of that
 * address a socket that is connected to the sender wins over an unconnected
 * socket. A socket that is connected to another address scores lowest, above 0.
 * If only such sockets are found, the sender is refused:
 * altconn_dgram_check_admit() returns -ECONNREFUSED, which dgram_send_error()
 * handles as UDP does in the inet formats. Return 0 if the binding does not
 * serve @addr or is not of a datagram socket. Half of a socketpair counts as
 * connected to another address. RCU read side.
 */
static unsigned int dgram_compute_score(const struct altconn_bind *bind,
					const struct altconn_addr *addr,
					const struct altconn_addr *from)
{
	unsigned int score = 4 * altconn_bind_compute_score(bind, addr);
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
 * Return binding number @nth, from 0, among the bindings that share the address
 * of a place and have @score. If there are fewer by now, return the last one of
 * them. RCU read side.
 */
static struct altconn_bind *dgram_select_nth(const struct altconn_place *place,
					     const struct altconn_addr *addr,
					     const struct altconn_addr *from,
					     unsigned int score, u32 nth)
{
	struct altconn_bind *bind, *last = NULL;

	altconn_bind_for_each(bind, place) {
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
 * Return the binding of a place with the highest score above *@best, and write
 * its score to *@best; return NULL if no score is higher. Among bindings that
 * share the address, a hash of the sender's address selects one, as UDP does
 * with SO_REUSEPORT. RCU read side.
 */
static struct altconn_bind *dgram_lookup_best(const struct altconn_place *place,
					      const struct altconn_addr *addr,
					      const struct altconn_addr *from,
					      unsigned int *best)
{
	struct altconn_bind *bind, *found = NULL;
	unsigned int score;
	u32 shared = 0;

	altconn_bind_for_each(bind, place) {
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
				altconn_bind_select_receiver(from, shared)) ? :
	       found;
}

/*
 * Find the bound endpoint that receives a datagram to @addr, which is an
 * address of @net. Return a reference, or NULL with an errno in *@err. An
 * address of a path must be the address object of a binding, or come from a
 * lookup that pins the inode.
 */
static struct sock *dgram_lookup_local(struct net *net,
				       const struct altconn_addr *addr,
				       const struct altconn_addr *from,
				       bool connected, int *err)
{
	struct altconn_bind *bind = NULL, *candidate;
	unsigned int closeness, best = 0;
	struct sock *sk = NULL;

	*err = -ECONNREFUSED;
	rcu_read_lock();
	/* A score above 1 exceeds every score at a less close place. */
	for (closeness = ALTCONN_CLOSEST; closeness && best < 2; closeness--) {
		candidate = dgram_lookup_best(
			altconn_bind_find_place(net, SOCK_DGRAM, addr,
						closeness),
			addr, from, &best);
		bind = candidate ? : bind;
	}
	if (!bind && addr->kind == ALTCONN_KIND_PATH &&
	    altconn_bind_find(net, SOCK_DGRAM, addr))
		*err = -EPROTOTYPE;
	/*
	 * The path that the sender is connected to may belong to another socket
	 * by now.
	 */
	if (bind && (!connected || addr->kind != ALTCONN_KIND_PATH ||
		     bind->addr == addr))
		sk = bind->sk;
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	if (sk)
		*err = 0;
	return sk;
}

/*
 * Find the endpoint in another node's namespace that receives a datagram to
 * @addr. @saddr is the sender's address as @net writes it. Return a reference,
 *	or
 * NULL with an errno in *@err.
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
 * @addr: the destination address; of a path, its inode is pinned
 * @from: the sender's address as @net writes it, or NULL
 * @connected: the sender is connected to @addr, so the binding of a path must
 *	be the same one as at connect()
 * @err: gets 0 or a negative errno
 *
 * Context: process, may sleep.
 * Return: the endpoint, a reference, which the caller owns; NULL with *@err:
 * -ECONNREFUSED if no datagram socket is bound to the address; -EPROTOTYPE if a
 * socket of another type is bound to the path; -ENETUNREACH or -EHOSTUNREACH if
 * the node is unknown or down; -ENOMEM.
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
	return altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT) ? : ERR_PTR(-ENOMEM);
}

/*
 * Check whether the address of an endpoint is valid for other nodes only, while
 * @dest is not an address of another node. A socket that is bound to a wildcard
 * IP address and connected to another node has the address by which that node
 * knows this one. A socket that is bound to a specific IP address keeps it,
 * whatever the socket is connected to.
 */
static bool dgram_saddr_is_xns_only(const struct sock *sk,
				    const struct altconn_addr *dest)
{
	const struct altconn_addr *peer;
	const struct altconn_bind *bind;
	bool ret;

	rcu_read_lock();
	/* Pairs with the release in altconn_bind_publish(). */
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
 * A receiver cannot answer to a wildcard IP address, nor in this namespace to
 * an address that is valid for other nodes only. A source address towards @dest
 * replaces these.
 *
 * Context: process, may sleep.
 * Return: the address as the sender's namespace writes it, a reference, which
 * the caller owns; NULL if the sender is unnamed; ERR_PTR(-ENOMEM).
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
 * Return: the datagram, one reference, which the caller owns; ERR_PTR(-ENOMEM);
 * ERR_PTR(-EFAULT) if the data is not readable; the errors of
 * altconn_scm_send().
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
		err = altconn_scm_send(sk, msg, &dg->scm);
	/*
	 * The length is that of the allocation, so copy_from_iter()'s check of
	 * the slab object (hardened usercopy) is superfluous.
	 */
	if (!err && _copy_from_iter(dg->data, len, &msg->msg_iter) != len)
		err = -EFAULT;
	if (err) {
		altconn_dgram_put(dg);
		return ERR_PTR(err);
	}
	return dg;
}

/*
 * Remember the receiver of a connected socket, if @dest is still the address
 * that the socket is connected to. If anything has changed since the lookup,
 * the generation differs, and dgram_get_cached_receiver() ignores the receiver.
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
 * Return the remembered receiver and a reference to it, or NULL. The endpoint
 * itself holds no reference. While the generation is unchanged the receiver is
 * bound, so its memory stays for at least a grace period.
 */
static struct sock *
dgram_get_cached_receiver(const struct altconn_dgram_sock *ask)
{
	struct sock *sk;

	lockdep_assert_held(&ask->queue_lock);
	rcu_read_lock();
	sk = ask->cached_receiver;
	if (!sk ||
	    ask->cached_genid != (u64)atomic64_read(&altconn_dgram_genid) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	return sk;
}

/*
 * Look up the receiver of a datagram that goes to an address. Return a
 * reference, or NULL with an errno in *@err.
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
 * Do what altconn_dgram_get_receiver() does. This function is inlined, because
 * every send() runs it.
 */
static __always_inline struct sock *
dgram_get_receiver(struct sock *sk, struct dgram_dest *dest,
		   struct altconn_addr *from, bool connected, int *err)
{
	struct sock *receiver = dest->receiver;

	/*
	 * A known receiver is used once, because it may change during a wait.
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
 * altconn_dgram_get_receiver() - find the receiver of a datagram
 * @sk: the sending endpoint
 * @dest: the destination; its @receiver moves to the caller
 * @from: the sender's address as the sender's namespace writes it, or NULL
 * @connected: the datagram goes to the address that @sk is connected to
 * @err: gets an errno if no receiver is found
 *
 * Context: process, may sleep.
 * Return: the receiver, a reference, which the caller owns; NULL with *@err as
 * altconn_dgram_lookup() returns.
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
 * Return the time limit of a blocking send(), jiffies: the shorter one of
 * SO_SNDTIMEO and the sysctl net.altconn.dgram_block_ms.
 */
static long dgram_send_timeo(const struct sock *sk)
{
	unsigned int ms = READ_ONCE(altconn_pernet(sock_net(sk))->dgram_block_ms);
	long timeo = sock_sndtimeo(sk, false);

	return ms ? min_t(long, timeo, msecs_to_jiffies(ms)) : timeo;
}

/*
 * Write the sender's address to the datagram as the receiver's namespace writes
 * it. The caller must do so after each lookup of the receiver: the new receiver
 * may be in another namespace, where a node id has another meaning. Return 0 or
 * -ENOMEM.
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
 * Find the receiver of a datagram to another node, and name the sender as
 * altconn_dgram_route() does. Return a reference, or NULL with an errno
 * in
 * *@err.
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

/* Do what altconn_dgram_route() does, inlined for every send(). */
static __always_inline struct sock *
dgram_route(struct sock *sk, struct dgram_dest *dest,
	    struct altconn_dgram *dg, bool connected, int *err)
{
	if (dest->addr && unlikely(dest->addr->xns))
		return dgram_route_xns(sk, dest, dg, connected, err);
	return dgram_get_receiver(sk, dest, dg->from, connected, err);
}

/**
 * altconn_dgram_route() - find the receiver and name the sender to it
 * @sk: the sending endpoint
 * @dest: the destination; its @receiver moves to the caller, and its @saddr may
 *	be set
 * @dg: the datagram; its @from becomes the sender's address as the receiver's
 *	namespace writes it
 * @connected: the datagram goes to the address that @sk is connected to
 * @err: gets an errno if the result is NULL
 *
 * Context: process, may sleep.
 * Return: the receiver, a reference, which the caller owns; NULL with *@err as
 * altconn_dgram_lookup() returns.
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
 * If the receiver changes during a wait, the receiver is looked up again,
 * because another socket may have the address by then.
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0 if the datagram is queued, or dropped by the receiver's filter or
 * overflow policy, in which cases the caller's reference is gone; -EAGAIN if
 * the receiver is full and @nonblock is set or the time limit has elapsed;
 * -EINTR or -ERESTARTSYS on a signal; -ECONNREFUSED, also if the receiver is
 * connected to another peer; -EPIPE if the receiver is shut down for reading;
 * -ENOBUFS if the filter has no memory; other errors of altconn_dgram_lookup().
 * Unless the result is 0, the caller keeps its reference.
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
		if (unlikely(altconn_dgram_carries_creds(sk, receiver)))
			altconn_scm_fill(&dg->scm);
		err = altconn_dgram_filter(receiver, dg, timeo);
		if (!err)
			err = altconn_dgram_queue_or_block(
				receiver, dg, timeo ? &waiter : NULL);
		if (err == DGRAM_BLOCKED) {
			if (timeo == DGRAM_TIMEO_UNSET)
				timeo = dgram_send_timeo(sk);
			err = altconn_dgram_wait_for_space(receiver, &waiter,
							   len, &timeo);
		}
		/*
		 * As in other families, a datagram that a filter drops counts
		 * as sent.
		 */
		if (err == -EPERM)
			altconn_dgram_put(dg);
		if (err == -EAGAIN)
			err = altconn_dgram_watch_or_retry(sk, receiver,
							   connected);
		sock_put(receiver);
	} while (err == DGRAM_RETRY);
	return err == -EPERM ? 0 : err;
}

/**
 * altconn_dgram_deliver_nowait() - deliver a datagram without waiting
 * @receiver: the receiving endpoint
 * @dg: the datagram; the caller's reference is gone in any case
 *
 * The datagram is lost if the receiver is full or does not accept the sender.
 *
 * Context: process, may sleep; no spinlock held.
 */
void altconn_dgram_deliver_nowait(struct sock *receiver,
				  struct altconn_dgram *dg)
{
	if (altconn_dgram_filter(receiver, dg, false) ||
	    altconn_dgram_queue_or_block(receiver, dg, NULL))
		altconn_dgram_put(dg);
}

/* Return -EINVAL for port 0, as UDP does: RFC 768 has no destination port 0. */
static int dgram_check_port(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_INET && !addr->port ? -EINVAL : 0;
}

/*
 * Make @dest the address that the socket is connected to, or the other half of
 * its socketpair. Return 0 or a negative errno.
 */
static __always_inline int dgram_dest_from_peer(struct sock *sk,
						struct dgram_dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	dest->genid = atomic64_read_acquire(&altconn_dgram_genid);
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
 * Make @dest the address that the caller of sendto() names. Return 0 or a
 * negative errno. @path gets a reference if the address is a path, even if a
 * later check fails.
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
 * altconn_dgram_get_dest() - find out where a datagram goes
 * @sk: the sending endpoint
 * @msg: its msg_name, if any, is the destination
 * @dest: zeroed; gets the destination, and the caller drops its references with
 *	altconn_dgram_put_dest()
 * @path: empty; gets the socket file if msg_name is a path, and the caller puts
 *	the reference, even on failure; may be NULL without msg_name
 *
 * A compiler option may clear all that a function has on its stack, and a
 * struct altconn_addr is large. So the connected case, which needs none, has
 * its own function.
 *
 * Context: process, may sleep; lock_sock() not held.
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
