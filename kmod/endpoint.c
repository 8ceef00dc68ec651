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
 * sk_alloc() clears a new object. With init_on_alloc the slab allocator clears
 * it too, but not in a cache with SLAB_TYPESAFE_BY_RCU. So this flag only saves
 * time: no code here relies on it. KASAN detects fewer errors with the flag, so
 * a kernel with KASAN does not get it.
 */
#define ENDPOINT_SLAB_FLAGS						\
	(IS_ENABLED(CONFIG_KASAN) ? 0 : SLAB_TYPESAFE_BY_RCU)

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
 * altconn_endpoint_set_addr() - change an endpoint's address
 * @sk: the endpoint
 * @addr: the new address, or NULL to make the endpoint unnamed; the endpoint
 *	takes over the caller's reference
 *
 * Context: process; altconn_lock() held, or, in bind() to a path,
 * extra->bind_lock.
 */
void altconn_endpoint_set_addr(struct sock *sk, struct altconn_addr *addr)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_addr *old;

	old = rcu_replace_pointer(ask->addr, addr, true);
	altconn_addr_put(old);
}

/**
 * altconn_endpoint_set_peercred() - set the credentials that SO_PEERCRED
 *	returns
 * @sk: the endpoint
 * @pid: the peer's process, or NULL; a reference is taken
 * @cred: the peer's credentials, or NULL; a reference is taken
 *
 * Context: process, because the core takes sk_peer_lock with softirqs enabled.
 */
void altconn_endpoint_set_peercred(struct sock *sk, struct pid *pid,
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
 * altconn_endpoint_get_extra() - get the altconn_extra of an endpoint
 * @sk: the endpoint
 *
 * The first call for an endpoint allocates its altconn_extra.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: the altconn_extra, which the endpoint owns, or NULL if memory runs
 * out.
 */
struct altconn_extra *altconn_endpoint_get_extra(struct sock *sk)
{
	struct altconn_extra *extra = altconn_sk(sk)->extra;

	if (extra)
		return extra;
	extra = kzalloc(sizeof(*extra), GFP_KERNEL_ACCOUNT);
	if (!extra)
		return NULL;
	altconn_registry_entry_init(&extra->entry);
	spin_lock_init(&extra->bind_lock);
	extra->sk = sk;
	extra->timeout_ms = ALTCONN_TIMEOUT_DEFAULT;
	/* Pairs with altconn_extra_of(): *@extra is initialized. */
	smp_store_release(&altconn_sk(sk)->extra, extra);
	return extra;
}

/**
 * altconn_endpoint_register() - put an endpoint in the namespace's registry
 * @sk: an endpoint that listens, or a datagram endpoint; it may be registered
 *	already
 *
 * From here on lookups under RCU find the endpoint. altconn_listen() or
 * altconn_dgram_init() has set SOCK_RCU_FREE.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0 on success, and @sk has an altconn_extra then; -ENOMEM.
 */
int altconn_endpoint_register(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_extra *extra = altconn_endpoint_get_extra(sk);

	if (!extra)
		return -ENOMEM;
	/*
	 * Netlink requests read the pid without a lock, so set it once and keep
	 * it until the endpoint is freed.
	 */
	if (!extra->pid)
		extra->pid = get_pid(task_tgid(current));
	if (altconn_registry_entry_is_listed(&extra->entry))
		return 0;
	altconn_registry_identify(&extra->entry);
	altconn_registry_add(&an->sockets, &extra->entry);
	percpu_counter_inc(&an->n_sockets);
	return 0;
}

/**
 * __altconn_endpoint_unregister() - remove an endpoint from the registry
 * @sk: the endpoint; it is registered
 *
 * Context: process; altconn_lock() held.
 */
void __altconn_endpoint_unregister(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));

	altconn_registry_remove(&an->sockets, &altconn_sk(sk)->extra->entry);
	percpu_counter_dec(&an->n_sockets);
}

static struct sock *endpoint_of_entry(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_extra, entry)->sk :
		       NULL;
}

/* Take a reference to the endpoint, and return false if it is being freed. */
static bool endpoint_get_entry(struct altconn_entry *entry)
{
	return refcount_inc_not_zero(&endpoint_of_entry(entry)->sk_refcnt);
}

/**
 * altconn_endpoint_next() - get the next registered endpoint of a dump
 * @net: the namespace
 * @pos: position of the dump in the registry; advanced to the result
 *
 * Context: process, may sleep.
 * Return: the endpoint, a reference, which the caller owns; NULL at the end of
 * the dump.
 */
struct sock *altconn_endpoint_next(struct net *net,
				   struct altconn_registry_pos *pos)
{
	struct altconn_registry *reg = &altconn_pernet(net)->sockets;

	return endpoint_of_entry(altconn_registry_next(reg, pos,
						       endpoint_get_entry));
}

/**
 * altconn_endpoint_find() - find a registered endpoint by its id
 * @net: namespace of the endpoint
 * @id: the id
 *
 * Context: process.
 * Return: the endpoint, a reference, which the caller owns; NULL if there is
 * none.
 */
struct sock *altconn_endpoint_find(struct net *net, u64 id)
{
	struct altconn_net *an = altconn_pernet(net);

	return endpoint_of_entry(altconn_registry_find(&an->sockets, id,
						       endpoint_get_entry));
}

/*
 * This is sk->sk_destruct(), which frees the parts of an endpoint that are left
 * after the last reference has been dropped.
 */
static void endpoint_destruct(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_extra *extra = ask->extra;

	if (extra) {
		WARN_ON_ONCE(rcu_access_pointer(extra->listener));
		put_pid(extra->pid);
		kfree(extra);
	}
	kfree(ask->inet_values);
	if (sk->sk_type == SOCK_DGRAM)
		kfree(altconn_dgram_sk(sk)->delay_queue);
	WARN_ON_ONCE(ask->bind || rcu_access_pointer(ask->assoc));
}

/*
 * An accepted endpoint inherits these flags, which are options such as
 * SO_KEEPALIVE and SO_LINGER, from the listener, as a TCP socket does in
 * sk_clone_lock(). In this family, only the flags of time stamps have an effect
 * on an accepted endpoint. getsockopt() returns all of them.
 */
#define ENDPOINT_INHERITED	(BIT(SOCK_KEEPOPEN) | BIT(SOCK_LINGER) | \
				 BIT(SOCK_URGINLINE) | BIT(SOCK_BROADCAST) | \
				 BIT(SOCK_LOCALROUTE) | BIT(SOCK_DBG) | \
				 BIT(SOCK_RCVTSTAMP) | BIT(SOCK_RCVTSTAMPNS) | \
				 BIT(SOCK_TSTAMP_NEW) | BIT(SOCK_RXQ_OVFL) | \
				 BIT(SOCK_SELECT_ERR_QUEUE))

/**
 * altconn_endpoint_inherit() - copy a listener's options to an accepted
 *	endpoint
 * @sk: the listener
 * @newsk: the accepted endpoint; no other thread sees it
 *
 * An accepted TCP socket is a copy of the listener, except for SO_PRIORITY,
 * which becomes 0. An accepted AF_UNIX socket has the options of a new socket,
 * so in the sockaddr_un format no option is copied. An option that another
 * thread sets at the same time may be copied or not.
 *
 * Context: process, may sleep; altconn_lock() of @sk not held.
 */
void altconn_endpoint_inherit(struct sock *sk, struct sock *newsk)
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
	altconn_sockopt_inet_inherit(sk, newsk);
}

/*
 * This is sk->sk_state_change(). It wakes the threads in the socket's wait
 * queue, as in the core, and the reader that sleeps in ask->reader.
 */
static void endpoint_state_change(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	/*
	 * skwq_has_sleeper() has a full barrier. It orders the caller's stores
	 * (sk_state, sk_err or sk_shutdown) before the loads of the wait queue
	 * and of ask->reader.task. Pairs with the barrier of a thread that
	 * stores itself there and then loads the state.
	 */
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	rcu_read_unlock();
	if (rcu_access_pointer(altconn_sk(sk)->reader.task))
		rcuwait_wake_up(&altconn_sk(sk)->reader);
}

/**
 * altconn_endpoint_alloc() - make an endpoint
 * @net: namespace of the endpoint
 * @sock: the socket that gets the endpoint; no other thread sees it
 * @protocol: address format of the endpoint
 * @kern: nonzero for a socket of the kernel itself, which holds no reference to
 *	@net
 *
 * Context: process, may sleep.
 * Return: the endpoint, unbound and unconnected, or NULL if there is no memory.
 */
struct sock *altconn_endpoint_alloc(struct net *net, struct socket *sock,
				    int protocol, int kern)
{
	bool dgram = sock->type == SOCK_DGRAM;
	struct proto *prot = dgram ? &altconn_dgram_proto : &altconn_proto;
	struct altconn_sock *ask;
	struct sock *sk;

	sk = sk_alloc(net, altconn_family, GFP_KERNEL_ACCOUNT, prot, kern);
	if (!sk)
		return NULL;
	sock_init_data(sock, sk);
	sk->sk_protocol = protocol;
	sk->sk_destruct = endpoint_destruct;
	sk->sk_state_change = endpoint_state_change;
	sk->sk_state = TCP_CLOSE;

	ask = altconn_sk(sk);
	mutex_init(&ask->lock);
	ask->format = protocol;
#if IS_ENABLED(CONFIG_IPV6)
	ask->v6only = protocol == ALTCONN_INET6 &&
		      READ_ONCE(net->ipv6.sysctl.bindv6only);
#endif
	rcuwait_init(&ask->reader);
	if (dgram)
		altconn_dgram_init(sk);
	return sk;
}
