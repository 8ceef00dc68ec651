// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings: the address that an endpoint is bound to. bind_table.c has the
 * table of all bindings.
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

/*
 * Return whether @sk has SO_REUSEADDR set and it takes effect for @addr. It
 * takes effect for ports and IP addresses only, because AF_UNIX ignores it for
 * names and paths.
 */
static bool bind_reuses(const struct sock *sk,
			const struct altconn_addr *addr)
{
	return sk->sk_reuse && (addr->kind == ALTCONN_KIND_PORT ||
				addr->kind == ALTCONN_KIND_INET);
}

/*
 * Return whether the binding shares its address: with ALTCONN_SHARE_ADDRESS, or
 * SO_REUSEPORT in the inet formats. A path is never shared.
 */
static bool bind_shares(const struct sock *sk,
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

/*
 * Return whether other nodes reach the binding. Ports and names need
 * ALTCONN_REACHABLE. IP addresses are reachable unless they are loopback
 * addresses, as with TCP.
 */
static bool bind_is_reachable(const struct sock *sk,
			      const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return !bind_is_loopback(addr);
	return altconn_sk(sk)->reachable;
}

/**
 * altconn_bind_new() - allocate a binding
 * @sk: the endpoint
 * @addr: canonical address, copied
 * @how: how the address was chosen
 *
 * The binding is in no table yet, so kfree() frees it.
 *
 * Context: process, may sleep.
 * Return: the binding, which the caller owns; NULL if there is no memory.
 */
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
	bind->reuse = how != ALTCONN_BIND_AUTO && bind_reuses(sk, addr);
	bind->share = how != ALTCONN_BIND_AUTO && bind_shares(sk, addr);
	bind->uid = current_euid();
	bind->v6only = ask->v6only;
	bind->reachable = bind_is_reachable(sk, addr);
	return bind;
}

/**
 * altconn_bind_publish() - add a binding to the table and to its endpoint
 * @sk: the endpoint
 * @bind: the binding; on success the endpoint owns it
 * @exclusive: fail if any binding overlaps @bind, even one that shares
 *
 * Context: process. For a path, bind_lock is held and the call does not sleep.
 * Else lock_sock() is held and the call may sleep.
 * Return: 0; -EADDRINUSE: the caller frees @bind; -ENOMEM: the caller drops its
 * reference to @bind->addr, because readers may have seen @bind.
 */
int altconn_bind_publish(struct sock *sk, struct altconn_bind *bind,
			 bool exclusive)
{
	int err = altconn_bind_table_insert(bind, exclusive);

	if (err)
		return err;
	altconn_sock_set_addr(sk, altconn_addr_get(bind->addr));
	/*
	 * Pairs with the readers that do not lock: node_speaks_version(),
	 * dgram_saddr_is_xns_only(), altconn_bind_get_file() and
	 * __altconn_bind_make_reachable().
	 */
	smp_store_release(&altconn_sk(sk)->bind, bind);
	if (sk->sk_type == SOCK_DGRAM)
		altconn_dgram_genid_bump();
	return 0;
}

/**
 * altconn_bind_insert() - bind an endpoint
 * @sk: the endpoint, not bound yet
 * @addr: canonical address, no path, copied
 * @how: how the address was chosen; an address that the module chose is never
 *	shared with another binding
 *
 * Context: process, may sleep; lock_sock() held.
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
 * altconn_bind_get_file() - return the socket file that an endpoint is bound to
 * @sk: the endpoint
 * @path: the socket file, with a reference that the caller puts; empty if there
 *	is none
 *
 * Context: process; lock_sock() is not needed; takes bind_lock.
 * Return: true if the endpoint is bound to a socket file, else false.
 */
bool altconn_bind_get_file(struct sock *sk, struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	const struct altconn_bind *bind;

	*path = (struct path) {};
	rcu_read_lock();
	spin_lock(&ask->bind_lock);
	/*
	 * Pairs with altconn_bind_publish(): a binding of another kind is
	 * published without bind_lock.
	 */
	bind = smp_load_acquire(&ask->bind);
	if (bind && bind->path.dentry) {
		*path = bind->path;
		path_get(path);
	}
	spin_unlock(&ask->bind_lock);
	rcu_read_unlock();
	return path->dentry;
}

/**
 * __altconn_bind_cancel() - slow path of altconn_bind_cancel()
 * @sk: the endpoint; a bind() of a path is under way
 *
 * Context: process; lock_sock() held; takes bind_lock.
 */
void __altconn_bind_cancel(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	spin_lock(&ask->bind_lock);
	ask->pending_bind = NULL;
	spin_unlock(&ask->bind_lock);
}

/*
 * Hide the binding of a path from altconn_bind_get_file(), which takes
 * bind_lock and no other lock.
 */
static void bind_hide_file(struct altconn_sock *ask)
{
	spin_lock(&ask->bind_lock);
	WRITE_ONCE(ask->bind, NULL);
	spin_unlock(&ask->bind_lock);
}

/**
 * altconn_unbind() - give up an endpoint's address
 * @sk: the endpoint, bound or not; it has no listener any more
 * @path: receives the reference to a socket file that was bound, which the
 *	caller puts without the socket's lock; may be NULL if the address is no
 *	path
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
		altconn_dgram_genid_bump();
	if (bind->claim)
		altconn_claim_drop(bind);
	if (path)
		*path = bind->path;
	/*
	 * The address is part of the binding. The last reference frees both
	 * after a grace period.
	 */
	altconn_addr_put(bind->addr);
}

/**
 * __altconn_bind_make_reachable() - make an automatic address reachable
 * @sk: the endpoint; an address that came from bind() does not change
 *
 * Context: any.
 */
void __altconn_bind_make_reachable(struct sock *sk)
{
	struct altconn_bind *bind;

	rcu_read_lock();
	/* Pairs with altconn_bind_publish(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	if (bind && bind->auto_bound && !READ_ONCE(bind->reachable)) {
		WRITE_ONCE(bind->reachable, true);
		altconn_dgram_genid_bump();
	}
	rcu_read_unlock();
}

/**
 * altconn_binding_reserve_listening() - reserve an endpoint's address for
 * listening
 * @sk: the endpoint, bound
 *
 * altconn_binding_release_listening() undoes the call.
 *
 * Context: process; lock_sock() held.
 * Return: 0; -EADDRINUSE: another socket listens at an overlapping address and
 * may not share it, or too many sockets listen at the address.
 */
int altconn_binding_reserve_listening(struct sock *sk)
{
	return altconn_bind_reserve_listening(altconn_sk(sk)->bind);
}

/**
 * altconn_binding_set_listener() - add or remove the listener that attempts
 * find
 * @sk: the endpoint; altconn_binding_reserve_listening() has succeeded
 * @ln: the endpoint's listener; NULL removes the current one
 *
 * Context: process; lock_sock() held.
 */
void altconn_binding_set_listener(struct sock *sk, struct altconn_listener *ln)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	spinlock_t *stripe = altconn_bind_stripe_of(bind);

	spin_lock(stripe);
	altconn_bind_set_listener(bind, ln);
	spin_unlock(stripe);
}

/**
 * altconn_binding_release_listening() - undo
 * altconn_binding_reserve_listening()
 * @sk: the endpoint; no attempt can enter its listener any more
 *
 * Another listener may reserve the address after this call. So an attempt must
 * not be able to enter the old listener by then.
 *
 * Context: process; lock_sock() held.
 */
void altconn_binding_release_listening(struct sock *sk)
{
	altconn_bind_release_listening(altconn_sk(sk)->bind);
}
