// SPDX-License-Identifier: GPL-2.0
/*
 * Where a datagram goes: the destination of a send, its receivers, broadcasts, and
 * the sender's address as the receiver writes it.
 *
 * The receiver of a connected sender is looked up once: the endpoint remembers it until
 * any datagram socket of the machine is bound, connected or closed.
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

void altconn_dgram_put_dest(struct dest *dest)
{
	altconn_addr_put(dest->addr);
	altconn_addr_put(dest->own);
	if (dest->sk)
		sock_put(dest->sk);
	if (dest->known)
		sock_put(dest->known);
}

/*
 * How well a binding suits a datagram from @from: the closest address, of these
 * a socket that is connected to the sender, then one that is to nobody. One
 * that is connected to somebody else suits no better than none. As with UDP. A
 * sender that finds only sockets that are connected to others is refused: by
 * altconn_dgram_admit(), and in the inet formats by dgram_refused().
 */
static unsigned int dgram_suits(const struct altconn_bind *bind,
				const struct altconn_addr *addr,
				const struct altconn_addr *from)
{
	unsigned int score = 4 * altconn_bind_score(bind, addr);
	const struct altconn_addr *peer;

	if (!score || bind->type != SOCK_DGRAM)
		return 0;
	peer = rcu_dereference(altconn_dgram_sk(bind->sk)->peer);
	if (!peer)
		return score + 1;
	return altconn_addr_equal(peer, from) ? score + 2 : 1;
}

/* The @nth binding of a place that shares it and suits as well as @score. */
static struct altconn_bind *dgram_nth(const struct altconn_place *place,
				      const struct altconn_addr *addr,
				      const struct altconn_addr *from,
				      unsigned int score, u32 nth)
{
	struct altconn_bind *bind, *last = NULL;

	altconn_bind_for_each(bind, place) {
		if (!bind->share || dgram_suits(bind, addr, from) != score)
			continue;
		last = bind;
		if (!nth--)
			break;
	}
	return last;
}

/*
 * The binding of a place that suits better than @best, which is written. Of
 * those that share the address the sender's address chooses one, as UDP does
 * with SO_REUSEPORT.
 */
static struct altconn_bind *dgram_best(const struct altconn_place *place,
				       const struct altconn_addr *addr,
				       const struct altconn_addr *from,
				       unsigned int *best)
{
	struct altconn_bind *bind, *found = NULL;
	unsigned int score;
	u32 shared = 0;

	altconn_bind_for_each(bind, place) {
		score = dgram_suits(bind, addr, from);
		if (score > *best) {
			*best = score;
			found = bind;
			shared = 0;
		}
		shared += score == *best && bind->share;
	}
	if (shared < 2 || !found || !found->share)
		return found;
	return dgram_nth(place, addr, from, *best,
			 altconn_bind_spread(from, shared));
}

/*
 * The bound endpoint that takes a datagram to an address. An address of a path
 * must be the binding's own object or come from a lookup that pins the inode.
 */
static struct sock *dgram_find_here(struct net *net,
				    const struct altconn_addr *addr,
				    const struct altconn_addr *from,
				    bool connected, int *err)
{
	struct altconn_bind *bind = NULL, *better;
	unsigned int closeness, best = 0;
	struct sock *sk = NULL;

	*err = -ECONNREFUSED;
	rcu_read_lock();
	/* What suits at a place suits better than anything less close. */
	for (closeness = ALTCONN_CLOSEST; closeness && best < 2; closeness--) {
		better = dgram_best(altconn_bind_place(net, SOCK_DGRAM, addr,
						       closeness),
				    addr, from, &best);
		bind = better ? : bind;
	}
	if (!bind && addr->kind == ALTCONN_KIND_PATH &&
	    altconn_bind_find(net, SOCK_DGRAM, addr))
		*err = -EPROTOTYPE;
	/* The path that the sender is connected to may be another's by now. */
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

static noinline struct sock *dgram_find_far(const struct net *net,
					    const struct altconn_addr *addr,
					    struct altconn_addr *own, int *err)
{
	struct altconn_addr there, *seen;
	struct sock *sk = NULL;
	struct net *target;
	u32 reason;

	target = altconn_node_get(net, addr, &there, &reason);
	if (IS_ERR(target)) {
		*err = PTR_ERR(target);
		return NULL;
	}
	seen = altconn_node_seen(target, net, own);
	if (IS_ERR(seen)) {
		*err = PTR_ERR(seen);
	} else {
		sk = dgram_find_here(target, &there, seen, false, err);
		altconn_addr_put(seen);
	}
	put_net(target);
	return sk;
}

/* @from: the sender's address, or NULL, as it is written here. */
struct sock *altconn_dgram_find(struct net *net,
				const struct altconn_addr *addr,
				struct altconn_addr *from, bool connected,
				int *err)
{
	if (unlikely(addr->far))
		return dgram_find_far(net, addr, from, err);
	return dgram_find_here(net, addr, from, connected, err);
}

/* The IP address that a socket of any address has towards @dest. */
static struct altconn_addr *dgram_source(struct sock *sk, u32 port,
					 const struct altconn_addr *dest)
{
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET, .port = port };

	altconn_node_source(sock_net(sk), dest, &local);
	return altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT) ? : ERR_PTR(-ENOMEM);
}

/*
 * Is the address that it has one that its connection gave it, for other nodes? One that
 * it was bound to is its own, whoever it is connected to.
 */
static bool dgram_is_for_others(const struct sock *sk, const struct altconn_addr *dest)
{
	const struct altconn_addr *peer;
	const struct altconn_bind *bind;
	bool others;

	rcu_read_lock();
	/* Pairs with altconn_bind_insert(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	peer = rcu_dereference(altconn_dgram_sk(sk)->peer);
	others = peer && peer->far && !dest->far && bind &&
		 bind->addr->kind == ALTCONN_KIND_INET &&
		 altconn_addr_is_any(bind->addr);
	rcu_read_unlock();
	return others;
}

/*
 * The sender's address towards @dest, or the other half of a pair: one that can be
 * answered. As it is written here. A reference, NULL or an error.
 */
struct altconn_addr *altconn_dgram_sender_addr(struct sock *sk,
					       const struct altconn_addr *dest)
{
	struct altconn_addr *addr = altconn_addr_of(sk), *seen;

	if (!addr || !dest || addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET ||
	    (!altconn_addr_is_any(addr) && !dgram_is_for_others(sk, dest)))
		return addr;
	seen = dgram_source(sk, addr->port, dest);
	altconn_addr_put(addr);
	return seen;
}

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
	/* The bounds are the allocation's: no hardened look at the slab. */
	if (!err && _copy_from_iter(dg->data, len, &msg->msg_iter) != len)
		err = -EFAULT;
	if (err) {
		altconn_dgram_put(dg);
		return ERR_PTR(err);
	}
	return dg;
}

/*
 * Remember who was found, if that is still where this socket sends to. What
 * changed since is seen: it has another number.
 */
static void dgram_remember(struct sock *sk, struct sock *receiver,
			   const struct dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	if (altconn_dgram_peer_addr(ask) == dest->addr) {
		ask->known = receiver;
		ask->known_in = dest->generation;
	}
	spin_unlock(&ask->queue_lock);
}

/*
 * The receiver that is remembered, and a reference: while nothing has changed
 * it is bound, so a grace period keeps it.
 */
static struct sock *dgram_get_known(const struct altconn_dgram_sock *ask)
{
	struct sock *sk;

	lockdep_assert_held(&ask->queue_lock);
	rcu_read_lock();
	sk = ask->known;
	if (!sk ||
	    ask->known_in != (u64)atomic64_read(&altconn_dgram_generation) ||
	    !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	rcu_read_unlock();
	return sk;
}

struct sock *altconn_dgram_find_receiver(struct sock *sk, struct dest *dest,
					 struct altconn_addr *from,
					 bool connected, int *err)
{
	struct sock *receiver = dest->known;

	/* Once: after a wait it is looked up again. */
	dest->known = NULL;
	if (receiver)
		return receiver;
	if (dest->sk) {
		sock_hold(dest->sk);
		return dest->sk;
	}
	receiver = altconn_dgram_find(sock_net(sk), dest->addr, from, connected,
				      err);
	if (receiver && connected)
		dgram_remember(sk, receiver, dest);
	return receiver;
}

/*
 * The time limit of a blocking send(), jiffies: UNASKED until it waits, so that a
 * send() that need not wait does not look at the sysctl.
 */
#define UNASKED	(-1L)

static long dgram_send_timeo(const struct sock *sk)
{
	unsigned int ms = READ_ONCE(altconn_pernet(sock_net(sk))->dgram_block_ms);
	long timeo = sock_sndtimeo(sk, false);

	return ms ? min_t(long, timeo, msecs_to_jiffies(ms)) : timeo;
}

/*
 * What the sender is called where the receiver is, and nowhere else: an id may mean
 * another namespace by the time that somebody is looked up again.
 */
static noinline int dgram_name_far(struct sock *sk, struct altconn_addr *own,
				   struct altconn_dgram *dg,
				   const struct sock *receiver)
{
	struct altconn_addr *seen;

	seen = altconn_node_seen(sock_net(receiver), sock_net(sk), own);
	if (IS_ERR(seen))
		return PTR_ERR(seen);
	altconn_addr_put(dg->from);
	dg->from = seen;
	return 0;
}

/* Somebody to deliver to, or NULL; the datagram's sender has a name there then. */
struct sock *altconn_dgram_find_named(struct sock *sk, struct dest *dest,
				      struct altconn_dgram *dg, bool connected,
				      int *err)
{
	struct sock *receiver;

	if (!dest->addr || likely(!dest->addr->far))
		return altconn_dgram_find_receiver(sk, dest, dg->from,
						   connected, err);
	if (!dest->own)
		dest->own = altconn_addr_get(dg->from);
	receiver = altconn_dgram_find_receiver(sk, dest, dest->own, connected,
					       err);
	if (!receiver)
		return NULL;
	*err = dgram_name_far(sk, dest->own, dg, receiver);
	if (!*err)
		return receiver;
	sock_put(receiver);
	return NULL;
}

/*
 * Find the receiver and deliver. It is looked up again when it has changed during
 * a wait: the address may have a new owner.
 */
int altconn_dgram_send_to(struct sock *sk, struct dest *dest, bool connected,
			  struct altconn_dgram *dg, bool nonblock)
{
	long timeo = sock_sndtimeo(sk, nonblock) ? UNASKED : 0;
	struct dgram_blocked me;
	struct sock *receiver;
	u32 len = dg->len;
	int err;

	do {
		/* Another receiver's filter may have cut it. */
		dg->len = len;
		receiver =
			altconn_dgram_find_named(sk, dest, dg, connected, &err);
		if (!receiver)
			return err;
		if (unlikely(altconn_dgram_wants_creds(sk, receiver)))
			altconn_scm_fill(&dg->scm);
		err = altconn_dgram_filter(receiver, dg, timeo);
		if (!err)
			err = altconn_dgram_deliver(receiver, dg, timeo ? &me : NULL);
		if (err == BLOCKED) {
			if (timeo == UNASKED)
				timeo = dgram_send_timeo(sk);
			err = altconn_dgram_wait_for_room(receiver, &me, len,
							  &timeo);
		}
		/* What a filter drops was sent, as elsewhere. */
		if (err == -EPERM)
			altconn_dgram_put(dg);
		if (err == -EAGAIN)
			err = altconn_dgram_announce_room(sk, receiver,
							  connected);
		sock_put(receiver);
	} while (err == LOOK_AGAIN);
	return err == -EPERM ? 0 : err;
}

/* A receiver that is full, or listens to somebody else, misses it. */
void altconn_dgram_offer(struct sock *receiver, struct altconn_dgram *dg)
{
	if (altconn_dgram_filter(receiver, dg, false) ||
	    altconn_dgram_deliver(receiver, dg, NULL))
		altconn_dgram_put(dg);
}

static bool dgram_wants_broadcast(const struct altconn_bind *bind)
{
	if (bind->addr->kind == ALTCONN_KIND_PORT ||
	    altconn_addr_is_v4(bind->addr))
		return true;
	return altconn_addr_is_any(bind->addr) && !bind->v6only;
}

/* Store a reference to a hearer of a broadcast; or count it, beyond @room. */
static void dgram_add_listening(const struct altconn_bind *bind,
				struct sock **hearers, size_t room, size_t *n)
{
	if (!dgram_wants_broadcast(bind))
		return;
	if (*n < room) {
		if (!refcount_inc_not_zero(&bind->sk->sk_refcnt))
			return;
		hearers[*n] = bind->sk;
	}
	(*n)++;
}

/* Those who hear a broadcast, at most @room of them, with references. */
size_t altconn_dgram_find_listening(struct net *net,
				    const struct altconn_addr *addr,
				    struct sock **hearers, size_t room)
{
	struct altconn_addr key = { .kind = addr->kind, .port = addr->port };
	struct altconn_place *place;
	struct altconn_bind *bind;
	size_t n = 0;

	rcu_read_lock();
	if (addr->kind == ALTCONN_KIND_INET) {
		place = altconn_bind_port(net, SOCK_DGRAM, &key);
		altconn_bind_for_each_port(bind, place)
			dgram_add_listening(bind, hearers, room, &n);
	} else {
		place = altconn_bind_place(net, SOCK_DGRAM, &key,
					   ALTCONN_CLOSEST);
		altconn_bind_for_each(bind, place)
			dgram_add_listening(bind, hearers, room, &n);
	}
	rcu_read_unlock();
	return n;
}

/* Return 0; -ENOMEM; -EINTR: the sender is being killed. */
static int dgram_offer_copy(struct sock *receiver, struct altconn_dgram *dg)
{
	struct altconn_dgram *copy = altconn_dgram_copy(dg);

	if (!copy)
		return -ENOMEM;
	if (sk_passcred(receiver))
		altconn_scm_fill(&copy->scm);
	altconn_dgram_offer(receiver, copy);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/*
 * To every socket that is bound to the port in this namespace: E-ACCES-BCAST.
 * As with UDP, no result says which of them missed it. The receivers are collected
 * first, since copying may sleep. Copying ends when the sender is killed or has no
 * memory for a copy; the receivers before keep theirs.
 */
int altconn_dgram_broadcast(struct sock *sk,
			    const struct altconn_addr *addr,
			    struct altconn_dgram *dg)
{
	size_t n = altconn_dgram_find_listening(sock_net(sk), addr, NULL, 0), i;
	struct sock **hearers;
	int err = 0;

	hearers = kvmalloc_array(n, sizeof(*hearers), GFP_KERNEL_ACCOUNT);
	if (n && !hearers)
		return -ENOMEM;
	n = min(n,
		altconn_dgram_find_listening(sock_net(sk), addr, hearers, n));
	for (i = 0; i < n; i++) {
		if (!err)
			err = dgram_offer_copy(hearers[i], dg);
		sock_put(hearers[i]);
	}
	kvfree(hearers);
	if (!err)
		altconn_dgram_put(dg);
	return err;
}

/* RFC 768: port 0 is no destination; UDP calls it invalid. */
static int dgram_check_port(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_INET && !addr->port ? -EINVAL : 0;
}

/* The address that the socket is connected to, or the other half of its pair. */
static __always_inline int dgram_dest_peer(struct sock *sk, struct dest *dest)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	dest->generation = atomic64_read_acquire(&altconn_dgram_generation);
	dest->addr = altconn_addr_get(altconn_dgram_peer_addr(ask));
	dest->sk = ask->peer_sk;
	if (dest->sk)
		sock_hold(dest->sk);
	else if (dest->addr)
		dest->known = dgram_get_known(ask);
	dest->ruling = ask->ruling;
	spin_unlock(&ask->queue_lock);
	if (likely(dest->addr || dest->sk))
		return 0;
	/* As AF_UNIX and as UDP say it. */
	return ask->base.dress == ALTCONN_UNIX ? -ENOTCONN : -EDESTADDRREQ;
}

/* The address in a sendto(). */
static noinline int dgram_dest_named(struct sock *sk, struct msghdr *msg,
				     struct dest *dest, struct path *path)
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

/*
 * Where a datagram goes. The compiler clears what a function has on its stack, and
 * an address is large, so a connected socket, which needs none, has its own function.
 */
int altconn_dgram_get_dest(struct sock *sk, struct msghdr *msg,
			   struct dest *dest, struct path *path)
{
	return msg->msg_namelen ? dgram_dest_named(sk, msg, dest, path) :
				  dgram_dest_peer(sk, dest);
}
