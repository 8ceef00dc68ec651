// SPDX-License-Identifier: GPL-2.0
/*
 * This file makes and destroys endpoints. It also sets their addresses and
 * credentials, and keeps them in the registry.
 */

#include <linux/cred.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include "addr.h"
#include "dgram_queue.h"
#include "endpoint.h"
#include "netns.h"
#include "registry.h"
#include "sock.h"
#include "sockopt_inet.h"

/*
 * sk_alloc() clears the object itself. With init_on_alloc the slab allocator
 * would clear it once more before that, unless the cache has
 * SLAB_TYPESAFE_BY_RCU. KASAN detects fewer errors in a cache with this flag,
 * so the flag is left out then.
 */
#define ENDPOINT_SLAB_FLAGS	(IS_ENABLED(CONFIG_KASAN) ? 0 : SLAB_TYPESAFE_BY_RCU)

struct proto altconn_proto = {
	.name		= "ALTCONN",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct altconn_sock),
	.slab_flags	= ENDPOINT_SLAB_FLAGS,
};

struct proto altconn_dgram_proto = {
	.name		= "ALTCONN-DGRAM",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct altconn_dgram_sock),
	.slab_flags	= ENDPOINT_SLAB_FLAGS,
};

/**
 * altconn_sock_set_addr() - change an endpoint's address
 * @sk: the endpoint
 * @addr: the new address; the caller's reference moves to the endpoint; NULL
 *	makes the endpoint unnamed
 *
 * Context: process; lock_sock() held, or no other thread sees the endpoint.
 */
void altconn_sock_set_addr(struct sock *sk, struct altconn_addr *addr)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_addr *old;

	old = rcu_replace_pointer(ask->addr, addr, true);
	altconn_addr_put(old);
}

/**
 * altconn_sock_set_peercred() - set the credentials that SO_PEERCRED returns
 * @sk: the endpoint
 * @pid: the peer's process, or NULL; a reference is taken
 * @cred: the peer's credentials, or NULL; a reference is taken
 *
 * Context: any but hard interrupts.
 */
void altconn_sock_set_peercred(struct sock *sk, struct pid *pid,
			       const struct cred *cred)
{
	const struct cred *old_cred;
	struct pid *old_pid;

	if (cred)
		get_cred(cred);
	get_pid(pid);
	spin_lock(&sk->sk_peer_lock);
	old_pid = sk->sk_peer_pid;
	old_cred = sk->sk_peer_cred;
	sk->sk_peer_pid = pid;
	sk->sk_peer_cred = cred;
	spin_unlock(&sk->sk_peer_lock);
	put_pid(old_pid);
	put_cred(old_cred);
}

/**
 * altconn_sock_register() - put an endpoint in the namespace's registry
 * @sk: a listener or datagram endpoint; it may be registered already
 *
 * From here on lookups under RCU find the endpoint.
 *
 * Context: process; lock_sock() held.
 */
void altconn_sock_register(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_sock *ask = altconn_sk(sk);

	if (altconn_entry_is_listed(&ask->entry))
		return;
	sock_set_flag(sk, SOCK_RCU_FREE);
	/*
	 * Readers may look at the pid without a lock, so it is set once and
	 * stays for the life of the endpoint.
	 */
	if (!ask->pid)
		ask->pid = get_pid(task_tgid(current));
	altconn_registry_add(&an->sockets, &ask->entry, altconn_next_id());
	atomic_long_inc(&an->n_sockets);
}

/**
 * __altconn_sock_unregister() - remove an endpoint from the registry
 * @sk: the endpoint; it is registered
 *
 * Context: process; lock_sock() held.
 */
void __altconn_sock_unregister(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_registry_remove(&an->sockets, &ask->entry);
	atomic_long_dec(&an->n_sockets);
}

static struct sock *endpoint_of_entry(struct altconn_entry *entry)
{
	return entry ? &container_of(entry, struct altconn_sock, entry)->sk :
		       NULL;
}

static bool endpoint_get_entry(struct altconn_entry *entry)
{
	return refcount_inc_not_zero(&endpoint_of_entry(entry)->sk_refcnt);
}

/**
 * altconn_sock_next() - get the next listener or datagram endpoint of a dump
 * @net: the namespace
 * @pos: position of the dump in the registry; moves on
 *
 * Context: process, may sleep.
 * Return: the endpoint with a reference, or NULL behind the last one.
 */
struct sock *altconn_sock_next(struct net *net,
			       struct altconn_registry_pos *pos)
{
	struct altconn_registry *reg = &altconn_pernet(net)->sockets;

	return endpoint_of_entry(altconn_registry_next(reg, pos,
						       endpoint_get_entry));
}

/**
 * altconn_sock_find() - find a listener or datagram endpoint by its id
 * @net: namespace of the endpoint
 * @id: the id
 *
 * Context: process.
 * Return: the endpoint with a reference, or NULL if there is none.
 */
struct sock *altconn_sock_find(struct net *net, u64 id)
{
	return endpoint_of_entry(altconn_registry_find(&altconn_pernet(net)->sockets,
						       id, endpoint_get_entry));
}

static void endpoint_destruct(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	put_pid(ask->pid);
	kfree(ask->inet_values);
	if (sk->sk_type == SOCK_DGRAM)
		kfree(altconn_dgram_sk(sk)->delay_queue);
	WARN_ON_ONCE(ask->bind || rcu_access_pointer(ask->assoc) ||
		     rcu_access_pointer(ask->listener));
}

/*
 * An accepted endpoint inherits these flags of SO_KEEPALIVE, SO_LINGER and
 * other options, as from sk_clone_lock(). Only the flags of timestamps have an
 * effect on connected data.
 */
#define ENDPOINT_INHERITED	(BIT(SOCK_KEEPOPEN) | BIT(SOCK_LINGER) | \
				 BIT(SOCK_URGINLINE) | BIT(SOCK_BROADCAST) | \
				 BIT(SOCK_LOCALROUTE) | BIT(SOCK_DBG) | \
				 BIT(SOCK_RCVTSTAMP) | BIT(SOCK_RCVTSTAMPNS) | \
				 BIT(SOCK_TSTAMP_NEW) | BIT(SOCK_RXQ_OVFL) | \
				 BIT(SOCK_SELECT_ERR_QUEUE))

/**
 * altconn_sock_inherit() - copy a listener's options to an accepted endpoint
 * @sk: the listener
 * @newsk: the accepted endpoint; no other thread sees it
 *
 * TCP does the same: its accepted sockets are copies of the listener. AF_UNIX
 * makes new sockets instead, so in the sockaddr_un address format no option is
 * copied. SO_PRIORITY stays 0, as with TCP. An option that another thread sets
 * at the same time may be inherited or not.
 *
 * Context: process, may sleep; lock_sock() of @sk not held.
 */
void altconn_sock_inherit(struct sock *sk, struct sock *newsk)
{
	u8 locks = sk->sk_userlocks & SOCK_BUF_LOCK_MASK;

	if (altconn_sk(sk)->format == ALTCONN_UNIX)
		return;
	newsk->sk_flags |= READ_ONCE(sk->sk_flags) & ENDPOINT_INHERITED;
	newsk->sk_userlocks |= locks;
	newsk->sk_sndbuf = READ_ONCE(sk->sk_sndbuf);
	newsk->sk_rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	newsk->sk_rcvlowat = READ_ONCE(sk->sk_rcvlowat);
	newsk->sk_rcvtimeo = READ_ONCE(sk->sk_rcvtimeo);
	newsk->sk_sndtimeo = READ_ONCE(sk->sk_sndtimeo);
	newsk->sk_lingertime = READ_ONCE(sk->sk_lingertime);
	newsk->sk_peek_off = READ_ONCE(sk->sk_peek_off);
	newsk->sk_mark = READ_ONCE(sk->sk_mark);
	newsk->sk_bound_dev_if = READ_ONCE(sk->sk_bound_dev_if);
	newsk->sk_max_pacing_rate = READ_ONCE(sk->sk_max_pacing_rate);
	newsk->sk_reuse = sk->sk_reuse;
	altconn_inet_inherit(sk, newsk);
}

/*
 * This is sk->sk_state_change(). It also wakes a reader that sleeps at
 * ask->reader instead of in the wait queue.
 */
static void endpoint_state_change(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	/*
	 * The full barrier of skwq_has_sleeper() also orders the change of the
	 * state before the look at ask->reader.
	 */
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	rcu_read_unlock();
	if (rcu_access_pointer(altconn_sk(sk)->reader.task))
		rcuwait_wake_up(&altconn_sk(sk)->reader);
}

/**
 * altconn_sock_alloc() - make an endpoint
 * @net: namespace of the endpoint
 * @sock: the socket that gets the endpoint; NULL: the caller grafts the
 *	endpoint to a socket
 * @type: SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM
 * @protocol: address format of the endpoint
 * @kern: nonzero: the socket is the kernel's, and takes no reference to @net
 *
 * Context: process, may sleep.
 * Return: the endpoint, unbound and unconnected, or NULL if there is no memory.
 */
struct sock *altconn_sock_alloc(struct net *net, struct socket *sock, int type,
				int protocol, int kern)
{
	struct proto *prot = type == SOCK_DGRAM ? &altconn_dgram_proto :
						  &altconn_proto;
	struct altconn_sock *ask;
	struct sock *sk;

	sk = sk_alloc(net, altconn_family, GFP_KERNEL_ACCOUNT, prot, kern);
	if (!sk)
		return NULL;
	sock_init_data(sock, sk);
	sk->sk_type = type;
	sk->sk_protocol = protocol;
	sk->sk_destruct = endpoint_destruct;
	sk->sk_state_change = endpoint_state_change;
	sk->sk_state = TCP_CLOSE;

	ask = altconn_sk(sk);
	ask->format = protocol;
	ask->timeout_ms = ALTCONN_TIMEOUT_DEFAULT;
#if IS_ENABLED(CONFIG_IPV6)
	ask->v6only = protocol == ALTCONN_INET6 &&
		      READ_ONCE(net->ipv6.sysctl.bindv6only);
#endif
	spin_lock_init(&ask->bind_lock);
	altconn_entry_init(&ask->entry);
	rcuwait_init(&ask->reader);
	if (type == SOCK_DGRAM)
		altconn_dgram_init(sk);
	return sk;
}
