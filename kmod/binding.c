// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings: what an endpoint is bound to. bind_table.c has the table that they
 * are in.
 */

#include <linux/slab.h>
#include <net/ip.h>
#include "addr.h"
#include "bind_table.h"
#include "binding.h"
#include "claim.h"
#include "dgram_queue.h"
#include "endpoint.h"
#include "listener.h"
#include "place.h"
#include "sock.h"

/* Sharing is for ports and IP addresses: AF_UNIX knows none. */
static bool bind_may_reuse(const struct sock *sk,
			   const struct altconn_addr *addr)
{
	return sk->sk_reuse && (addr->kind == ALTCONN_KIND_PORT ||
				addr->kind == ALTCONN_KIND_INET);
}

/* ALTCONN_SHARE_ADDRESS, or SO_REUSEPORT in the inet formats. */
static bool bind_may_share(const struct sock *sk,
			   const struct altconn_addr *addr)
{
	return (altconn_sk(sk)->share || sk->sk_reuseport) &&
	       addr->kind != ALTCONN_KIND_PATH;
}

static bool bind_is_loopback(const struct altconn_addr *addr)
{
	return altconn_addr_is_v4(addr) ?
		       ipv4_is_loopback(altconn_addr_v4(addr)) :
		       ipv6_addr_loopback(altconn_addr_ip(addr));
}

/* Ports and names are for who says so; IP addresses as they are with TCP. */
static bool bind_is_reachable(const struct sock *sk,
			      const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return !bind_is_loopback(addr);
	return altconn_sk(sk)->reachable;
}

/* A binding that is in no table yet; NULL: no memory. */
struct altconn_bind *altconn_bind_new(struct sock *sk,
				      const struct altconn_addr *addr,
				      enum altconn_bind_how how)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_bind *bind;

	bind = kzalloc(altconn_bind_size(addr), GFP_KERNEL_ACCOUNT);
	if (!bind)
		return NULL;
	memcpy(&bind->own, addr,
	       offsetof(struct altconn_addr, bytes) + addr->len);
	refcount_set(&bind->own.refs, 1);
	bind->own.bound = true;
	bind->addr = &bind->own;
	bind->net = addr->kind == ALTCONN_KIND_PATH ? NULL : sock_net(sk);
	bind->type = sk->sk_type;
	bind->sk = sk;
	bind->auto_bound = how == ALTCONN_BIND_AUTO;
	bind->reuse = how != ALTCONN_BIND_AUTO && bind_may_reuse(sk, addr);
	bind->share = how != ALTCONN_BIND_AUTO && bind_may_share(sk, addr);
	bind->uid = current_euid();
	bind->v6only = ask->v6only;
	bind->reachable = bind_is_reachable(sk, addr);
	return bind;
}

/* Add @bind to the table and make it the endpoint's. */
int altconn_bind_publish(struct sock *sk, struct altconn_bind *bind,
			 bool exclusive)
{
	int err = altconn_bind_table_insert(bind, exclusive);

	if (err)
		return err;
	altconn_sock_set_addr(sk, altconn_addr_get(bind->addr));
	/* Pairs with node.c, which looks without the lock. */
	smp_store_release(&altconn_sk(sk)->bind, bind);
	if (sk->sk_type == SOCK_DGRAM)
		altconn_dgram_changed();
	return 0;
}

/**
 * altconn_bind_insert() - bind an endpoint
 * @sk: the endpoint, not bound yet
 * @addr: canonical address, no path, copied
 * @how: who chose the address; one that was not asked for is nobody else's
 *
 * Context: process, lock_sock() held.
 * Return: 0; -EADDRINUSE; -ENOMEM.
 */
int altconn_bind_insert(struct sock *sk, const struct altconn_addr *addr,
			enum altconn_bind_how how)
{
	struct altconn_bind *bind;
	int err;

	if (sk->sk_type == SOCK_DGRAM)
		altconn_sock_register(sk);
	bind = altconn_bind_new(sk, addr, how);
	if (!bind)
		return -ENOMEM;
	err = altconn_bind_publish(sk, bind, how != ALTCONN_BIND_ASKED);
	if (err == -EADDRINUSE)
		kfree(bind);
	else if (err)
		altconn_addr_put(bind->addr);
	return err;
}

/**
 * altconn_bind_file() - the socket file that an endpoint is bound to
 * @sk: the endpoint
 * @path: gets it, with a reference that the caller puts
 *
 * Context: process; lock_sock() is not needed.
 * Return: whether it is bound to one.
 */
bool altconn_bind_file(struct sock *sk, struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	const struct altconn_bind *bind;

	*path = (struct path) {};
	rcu_read_lock();
	spin_lock(&ask->bind_lock);
	/* Pairs with altconn_bind_publish(), for those of other kinds. */
	bind = smp_load_acquire(&ask->bind);
	if (bind && bind->path.dentry) {
		*path = bind->path;
		path_get(path);
	}
	spin_unlock(&ask->bind_lock);
	rcu_read_unlock();
	return path->dentry;
}

/* altconn_bind_cancel() of a bind() that is under way. */
void __altconn_bind_cancel(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	spin_lock(&ask->bind_lock);
	ask->binding = NULL;
	spin_unlock(&ask->bind_lock);
}

/* Under bind_lock, the only lock that altconn_bind_file() takes. */
static void bind_hide_file(struct altconn_sock *ask)
{
	spin_lock(&ask->bind_lock);
	WRITE_ONCE(ask->bind, NULL);
	spin_unlock(&ask->bind_lock);
}

/**
 * altconn_unbind() - give up an endpoint's address
 * @sk: the endpoint; may be unbound. Its listener, if any, has gone already
 * @path: gets the reference of a path that was bound, which the caller puts
 *	without the socket's lock; may be NULL for addresses of other kinds
 *
 * Context: process; lock_sock() held.
 */
void altconn_unbind(struct sock *sk, struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_bind *bind = ask->bind;

	altconn_sock_set_addr(sk, NULL);
	if (!bind)
		return;
	if (bind->path.dentry)
		bind_hide_file(ask);
	else
		WRITE_ONCE(ask->bind, NULL);
	altconn_bind_table_remove(bind);
	if (sk->sk_type == SOCK_DGRAM)
		altconn_dgram_changed();
	if (bind->claim)
		altconn_claim_drop(bind);
	if (path)
		*path = bind->path;
	/* Of the binding's own address: frees it after a grace period. */
	altconn_addr_put(bind->addr);
}

/* altconn_bind_answerable() where it is. */
void __altconn_bind_answerable(struct sock *sk)
{
	struct altconn_bind *bind;

	rcu_read_lock();
	/* Pairs with altconn_bind_insert(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	if (bind && bind->auto_bound && !READ_ONCE(bind->reachable)) {
		WRITE_ONCE(bind->reachable, true);
		altconn_dgram_changed();
	}
	rcu_read_unlock();
}

/**
 * altconn_bind_start_listening() - an endpoint is about to listen
 * @sk: the endpoint, bound
 *
 * Undone by altconn_bind_stop_listening().
 *
 * Context: process; lock_sock() held.
 * Return: 0; -EADDRINUSE: another socket shares the address and listens.
 */
int altconn_bind_start_listening(struct sock *sk)
{
	return altconn_bind_claim_listening(altconn_sk(sk)->bind);
}

/**
 * altconn_bind_listen() - let attempts find a listener, or none any more
 * @sk: the endpoint; altconn_bind_start_listening() has succeeded
 * @ln: its listener, or NULL
 *
 * Context: process; lock_sock() held.
 */
void altconn_bind_listen(struct sock *sk, struct altconn_listener *ln)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	spinlock_t *stripe = altconn_bind_lock(bind);

	spin_lock(stripe);
	altconn_bind_set_listener(bind, ln);
	spin_unlock(stripe);
}

/**
 * altconn_bind_stop_listening() - undo altconn_bind_start_listening()
 * @sk: the endpoint; no attempt can enter its listener any more, so that none
 *	does which belongs to a listener that claims the address next
 *
 * Context: process; lock_sock() held.
 */
void altconn_bind_stop_listening(struct sock *sk)
{
	altconn_bind_unclaim_listening(altconn_sk(sk)->bind);
}
