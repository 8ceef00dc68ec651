// SPDX-License-Identifier: GPL-2.0
/*
 * The binding of an endpoint: allocation, publication and removal. bind_table.c
 * has the table of all bindings.
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
 * The slab cache of bindings to inet addresses, which would otherwise get
 * objects of 512 bytes. kfree() frees these bindings too.
 */
static struct kmem_cache *bind_inet_cache;

/*
 * Return whether a binding of @sk to @addr has SO_REUSEADDR. The option applies
 * to ports and IP addresses only, because AF_UNIX ignores it.
 */
static bool bind_reuses(const struct sock *sk,
			const struct altconn_addr *addr)
{
	return sk->sk_reuse && (addr->kind == ALTCONN_KIND_PORT ||
				addr->kind == ALTCONN_KIND_INET);
}

/*
 * Return whether a binding of @sk to @addr may share the address, as
 * ALTCONN_SHARE_ADDRESS and SO_REUSEPORT request. Paths are never shared.
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
 * Return whether other nodes reach a binding of @sk to @addr. Ports and names
 * need ALTCONN_REACHABLE. As with TCP, all IP addresses but loopback addresses
 * are reachable.
 */
static bool bind_is_reachable(const struct sock *sk,
			      const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return !bind_is_loopback(addr);
	return altconn_sk(sk)->reachable;
}

/**
 * altconn_binding_new() - allocate a binding
 * @sk: the endpoint
 * @addr: canonical address; the binding gets a copy
 * @how: how the address was chosen
 *
 * The binding is not in the table yet, so the caller may free it with kfree().
 *
 * Context: process, may sleep.
 * Return: the binding, which the caller owns; NULL if there is no memory.
 */
struct altconn_bind *altconn_binding_new(struct sock *sk,
					 const struct altconn_addr *addr,
					 enum altconn_bind_how how)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_bind *bind;

	if (addr->kind == ALTCONN_KIND_INET)
		bind = kmem_cache_zalloc(bind_inet_cache, GFP_KERNEL_ACCOUNT);
	else
		bind = kzalloc(offsetof(struct altconn_bind, own.bytes) +
			       addr->len,
			       GFP_KERNEL_ACCOUNT);
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
 * altconn_binding_publish() - add a binding to the table and to its endpoint
 * @sk: the endpoint
 * @bind: the binding; on success the endpoint owns it
 * @exclusive: every binding that overlaps @bind conflicts, also one that could
 *	share the address
 *
 * Context: process. For a path, extra->bind_lock is held and the call does not
 * sleep. Else altconn_lock() is held and the call may sleep.
 * Return: 0, -EADDRINUSE or -ENOMEM. After -EADDRINUSE the caller may free
 * @bind with kfree(). After -ENOMEM it drops its reference to @bind->addr,
 * because lookups may find a place in the memory of @bind for a grace period.
 */
int altconn_binding_publish(struct sock *sk, struct altconn_bind *bind,
			    bool exclusive)
{
	int err = altconn_bind_table_insert(bind, exclusive);

	if (err)
		return err;
	altconn_endpoint_set_addr(sk, altconn_addr_get(bind->addr));
	/*
	 * A reader without the lock that sees ask->bind sees the fields of the
	 * binding. Pairs with the acquires in node_speaks_version(),
	 * dgram_saddr_is_xns_only(), altconn_binding_get_file() and
	 * __altconn_binding_make_reachable().
	 */
	smp_store_release(&altconn_sk(sk)->bind, bind);
	if (sk->sk_type == SOCK_DGRAM) {
		altconn_dgram_genid_bump(bind->addr);
		altconn_dgram_genid_bump_own(sk);
	}
	return 0;
}

/**
 * altconn_binding_add() - bind an endpoint to an address other than a path
 * @sk: the endpoint, not bound yet
 * @addr: canonical address; the binding gets a copy
 * @how: how the address was chosen. If the module chose it, every binding that
 *	overlaps it conflicts
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0; -EADDRINUSE; -ENOMEM.
 */
int altconn_binding_add(struct sock *sk, const struct altconn_addr *addr,
			enum altconn_bind_how how)
{
	struct altconn_bind *bind;
	int err = 0;

	if (sk->sk_type == SOCK_DGRAM)
		err = altconn_endpoint_register(sk);
	if (err)
		return err;
	bind = altconn_binding_new(sk, addr, how);
	if (!bind)
		return -ENOMEM;
	err = altconn_binding_publish(sk, bind, how != ALTCONN_BIND_ASKED);
	if (err == -EADDRINUSE)
		kfree(bind);
	else if (err)
		altconn_addr_put(bind->addr);
	return err;
}

/**
 * altconn_binding_get_file() - get the socket file that an endpoint is bound to
 * @sk: the endpoint
 * @path: gets the socket file, with a reference that the caller drops with
 *	path_put(), or is set to an empty path
 *
 * Context: process; altconn_lock() is not needed; takes extra->bind_lock.
 * Return: true if the endpoint is bound to a socket file, else false.
 */
bool altconn_binding_get_file(struct sock *sk, struct path *path)
{
	struct altconn_extra *extra = altconn_extra_of(sk);
	const struct altconn_bind *bind;

	*path = (struct path) {};
	/* An endpoint without an altconn_extra is not bound to a path. */
	if (!extra)
		return false;
	rcu_read_lock();
	spin_lock(&extra->bind_lock);
	/*
	 * bind_lock keeps the binding of a path. A binding to another kind of
	 * address is set and cleared without bind_lock: RCU keeps its memory,
	 * and the release in altconn_binding_publish() orders its fields.
	 */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	if (bind && bind->path.dentry) {
		*path = bind->path;
		path_get(path);
	}
	spin_unlock(&extra->bind_lock);
	rcu_read_unlock();
	return path->dentry;
}

/**
 * __altconn_binding_cancel() - make a bind() to a path fail that has not
 *	completed
 * @sk: the endpoint
 *
 * This is the slow path of altconn_binding_cancel().
 *
 * Context: process; altconn_lock() held; takes extra->bind_lock.
 */
void __altconn_binding_cancel(struct sock *sk)
{
	struct altconn_extra *extra = altconn_sk(sk)->extra;

	spin_lock(&extra->bind_lock);
	extra->pending_bind = NULL;
	spin_unlock(&extra->bind_lock);
}

/*
 * Clear ask->bind, which is the binding of a path. The bind() to the path has
 * allocated ask->extra. altconn_binding_get_file() uses the reference to the
 * socket file under bind_lock alone, so bind_lock is taken here before the
 * caller passes that reference on.
 */
static void bind_hide_file(struct altconn_sock *ask)
{
	spin_lock(&ask->extra->bind_lock);
	WRITE_ONCE(ask->bind, NULL);
	spin_unlock(&ask->extra->bind_lock);
}

/**
 * altconn_binding_remove() - remove the binding and the address of an endpoint
 * @sk: the endpoint, bound or not; it has no listener any more
 * @path: empty; gets the binding's reference to a socket file. The caller drops
 *	the reference without altconn_lock(). NULL if the address is not a path
 *
 * Context: process; altconn_lock() held, and no bind() of @sk is looking up a
 * path any more, or altconn_binding_cancel() has been called.
 */
void altconn_binding_remove(struct sock *sk, struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_bind *bind = ask->bind;

	altconn_endpoint_set_addr(sk, NULL);
	if (!bind)
		return;
	if (bind->path.dentry)
		bind_hide_file(ask);
	else
		WRITE_ONCE(ask->bind, NULL);
	altconn_bind_table_remove(bind);
	if (sk->sk_type == SOCK_DGRAM)
		altconn_dgram_genid_bump(bind->addr);
	if (bind->claim)
		altconn_claim_drop(bind);
	if (path)
		*path = bind->path;
	/* The last reference to the address frees the binding, under RCU. */
	altconn_addr_put(bind->addr);
}

/**
 * __altconn_binding_make_reachable() - make an automatic address reachable from
 *	other nodes
 * @sk: the endpoint; a binding that bind() made does not change
 *
 * Context: any.
 */
void __altconn_binding_make_reachable(struct sock *sk)
{
	struct altconn_bind *bind;

	rcu_read_lock();
	/* The fields of the binding: pairs with altconn_binding_publish(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	if (bind && bind->auto_bound && !READ_ONCE(bind->reachable)) {
		WRITE_ONCE(bind->reachable, true);
		altconn_dgram_genid_bump(bind->addr);
	}
	rcu_read_unlock();
}

/**
 * altconn_binding_reserve_listening() - count an endpoint's binding as
 *	listening
 * @sk: the endpoint, bound
 *
 * altconn_binding_release_listening() undoes the call.
 *
 * Context: process; altconn_lock() held.
 * Return: 0; -EADDRINUSE if a binding that overlaps the endpoint's binding, and
 * may not share the address with it, counts as listening, or too many bindings
 * of the address do.
 */
int altconn_binding_reserve_listening(struct sock *sk)
{
	return altconn_bind_table_reserve_listening(altconn_sk(sk)->bind);
}

/**
 * altconn_binding_set_listener() - set or clear the listener that lookups find
 *	at an endpoint's binding
 * @sk: the endpoint; its binding counts as listening
 * @ln: the endpoint's listener; NULL clears the current one
 *
 * Context: process; altconn_lock() held.
 */
void altconn_binding_set_listener(struct sock *sk, struct altconn_listener *ln)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	spinlock_t *stripe = altconn_place_stripe_of(bind);

	spin_lock(stripe);
	altconn_bind_table_set_listener(bind, ln);
	spin_unlock(stripe);
}

/**
 * altconn_binding_release_listening() - count an endpoint's binding as not
 *	listening
 * @sk: the endpoint; no attempt can get into the accept queue of its listener
 *	any more
 *
 * Afterwards another endpoint may listen at the address. The old listener must
 * take no attempts from the new one, so it is closed before.
 *
 * Context: process; altconn_lock() held.
 */
void altconn_binding_release_listening(struct sock *sk)
{
	altconn_bind_table_release_listening(altconn_sk(sk)->bind);
}

/**
 * altconn_binding_init() - create the slab cache of bindings to inet addresses
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_binding_init(void)
{
	bind_inet_cache = kmem_cache_create("altconn_bind_inet",
					    ALTCONN_BIND_INET_SIZE, 0,
					    SLAB_ACCOUNT, NULL);
	return bind_inet_cache ? 0 : -ENOMEM;
}

/**
 * altconn_binding_exit() - destroy the slab cache of bindings to inet addresses
 *
 * Context: process, may sleep; no binding is left, and no memory of one waits
 * for a grace period.
 */
void altconn_binding_exit(void)
{
	kmem_cache_destroy(bind_inet_cache);
}
