// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bound addresses, and automatic names.
 *
 * One hash table for the machine; the namespace is part of the key, but for
 * paths, which network namespaces share as AF_UNIX shares them. Ports, names
 * and IP addresses are each socket type's own; a path is one socket's, whatever
 * its type. Of an inet address only the port is in the key: who serves which IP
 * address is told by a score, as with TCP.
 *
 * Lookups run under RCU. Who adds to a key, or makes one of its bindings a
 * listener's, holds the key's stripe, one of an array of locks: so no two
 * bindings that exclude each other come to be.
 */

#include <linux/jhash.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stringhash.h>
#include <net/ip.h>
#include "altconn.h"

#define STRIPES	256

static struct rhltable bind_table;
static spinlock_t stripes[STRIPES];
static u32 table_seed __read_mostly;

static u32 digest(const struct net *net, int type,
		  const struct altconn_addr *addr)
{
	u32 seed = table_seed;

	if (addr->kind == ALTCONN_KIND_PATH)
		return jhash(&addr->inode, sizeof(addr->inode), seed);
	seed ^= (u32)((unsigned long)net >> 6);
	if (addr->kind == ALTCONN_KIND_INET)
		return jhash_2words(addr->port, type << 8 | addr->kind, seed);
	seed = jhash_3words(addr->node, addr->port, type << 8 | addr->kind,
			    seed);
	return addr->len ? full_name_hash((void *)(unsigned long)seed,
					  addr->bytes, addr->len) : seed;
}

/**
 * altconn_key() - make a key
 * @net: the namespace
 * @type: socket type
 * @addr: canonical address; of a path only the inode counts, of an inet address
 *	only the port
 *
 * Context: any.
 */
struct altconn_key altconn_key(const struct net *net, int type,
			       const struct altconn_addr *addr)
{
	return (struct altconn_key) {
		.net = net, .type = type, .addr = addr,
		.hash = digest(net, type, addr),
	};
}

/**
 * altconn_key_hash() - hash of a key in a table
 * @data: struct altconn_key
 * @len: not used
 * @seed: of the table
 *
 * Context: any.
 */
u32 altconn_key_hash(const void *data, u32 len, u32 seed)
{
	return ((const struct altconn_key *)data)->hash ^ seed;
}

static bool same_addr(const struct altconn_addr *a,
		      const struct altconn_addr *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ALTCONN_KIND_PATH)
		return a->inode == b->inode;
	if (a->kind == ALTCONN_KIND_INET)
		return a->port == b->port;
	return altconn_addr_equal(a, b);
}

/**
 * altconn_key_equal() - is this the key of an entry?
 * @key: the key
 * @net: the entry's namespace
 * @type: its socket type
 * @addr: its address
 *
 * Context: any.
 */
bool altconn_key_equal(const struct altconn_key *key, const struct net *net,
		       int type, const struct altconn_addr *addr)
{
	if (!same_addr(key->addr, addr))
		return false;
	if (addr->kind == ALTCONN_KIND_PATH)
		return true;
	return key->net == net && key->type == type;
}

static struct altconn_key key_of(const struct altconn_bind *bind)
{
	return (struct altconn_key) {
		.net = bind->net, .type = bind->type, .addr = bind->addr,
		.hash = bind->hash,
	};
}

static u32 hash_bind(const void *data, u32 len, u32 seed)
{
	return ((const struct altconn_bind *)data)->hash ^ seed;
}

/* As a table's comparison function: 0 when equal. */
static int compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct altconn_bind *bind = obj;

	return !altconn_key_equal(arg->key, bind->net, bind->type, bind->addr);
}

static const struct rhashtable_params bind_params = {
	.head_offset		= offsetof(struct altconn_bind, node),
	.hashfn			= altconn_key_hash,
	.obj_hashfn		= hash_bind,
	.obj_cmpfn		= compare,
	.automatic_shrinking	= true,
};

static struct net *key_net(struct net *net, const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_PATH ? NULL : net;
}

/**
 * altconn_bind_stripe() - the lock of a key
 * @net: the namespace
 * @type: socket type
 * @addr: canonical address
 *
 * Context: any.
 */
spinlock_t *altconn_bind_stripe(const struct net *net, int type,
				const struct altconn_addr *addr)
{
	return &stripes[digest(net, type, addr) % STRIPES];
}

static spinlock_t *stripe_of(const struct altconn_bind *bind)
{
	return &stripes[bind->hash % STRIPES];
}

/**
 * altconn_bind_lookup() - who is bound to an address' key
 * @net: the caller's namespace
 * @type: socket type; paths are found whatever their type
 * @addr: canonical address
 *
 * Context: RCU read side; the result is valid within it.
 * Return: the list of them, for altconn_bind_for_each(); may be NULL. Not all
 * need serve the address: altconn_bind_score().
 */
struct rhlist_head *altconn_bind_lookup(struct net *net, int type,
					const struct altconn_addr *addr)
{
	const struct altconn_key key = altconn_key(key_net(net, addr), type,
						   addr);

	return rhltable_lookup(&bind_table, &key, bind_params);
}

/**
 * altconn_bind_score() - does a binding serve an address, and how closely?
 * @bind: a binding of the address' key
 * @addr: where somebody connects or sends to
 *
 * Context: any.
 * Return: 0: it does not, or not who comes from another node; higher is closer:
 * the exact IP address, then any of its version, then an IPv6 socket that takes
 * IPv4 too.
 */
unsigned int altconn_bind_score(const struct altconn_bind *bind,
				const struct altconn_addr *addr)
{
	bool v4;

	if (unlikely(addr->far) && !READ_ONCE(bind->reachable))
		return 0;
	if (addr->kind != ALTCONN_KIND_INET)
		return 3;
	if (altconn_addr_equal(bind->addr, addr))
		return 3;
	if (!altconn_addr_is_any(bind->addr))
		return 0;
	v4 = altconn_addr_is_v4(addr);
	if (altconn_addr_is_v4(bind->addr) == v4)
		return 2;
	return v4 && !bind->v6only ? 1 : 0;
}

/**
 * altconn_bind_addr() - the address that a socket of this type is bound to
 * @net: the caller's namespace
 * @type: socket type
 * @addr: canonical address; of a path, its inode is pinned by the caller
 *
 * Context: any.
 * Return: the bound address, a reference; NULL: nobody is bound there.
 */
struct altconn_addr *altconn_bind_addr(struct net *net, int type,
				       const struct altconn_addr *addr)
{
	struct rhlist_head *list, *pos;
	struct altconn_addr *found = NULL;
	struct altconn_bind *bind;

	rcu_read_lock();
	list = altconn_bind_lookup(net, type, addr);
	altconn_bind_for_each(bind, pos, list) {
		if (bind->type != type || !altconn_bind_score(bind, addr) ||
		    !refcount_inc_not_zero(&bind->addr->refs))
			continue;
		found = bind->addr;
		break;
	}
	rcu_read_unlock();
	return found;
}

/* Is there an address that both would serve? Of one key. */
static bool overlap(const struct altconn_bind *a, const struct altconn_bind *b)
{
	return altconn_bind_score(a, b->addr) || altconn_bind_score(b, a->addr);
}

/* ALTCONN_SHARE_ADDRESS: nobody gets at another user's connections. */
static bool shared(const struct altconn_bind *a, const struct altconn_bind *b)
{
	return a->share && b->share && uid_eq(a->uid, b->uid);
}

/*
 * As with TCP: two may share an address when both have SO_REUSEADDR, as long
 * as neither of them listens.
 */
static bool excludes(const struct altconn_bind *old,
		     const struct altconn_bind *new)
{
	return overlap(old, new) && !shared(old, new) &&
	       (!old->reuse || !new->reuse || old->listens);
}

/* Add to the table, unless the address is taken; @exclusive: by anybody. */
static int insert(struct altconn_bind *new, bool exclusive)
{
	const struct altconn_key key = key_of(new);
	spinlock_t *stripe = stripe_of(new);
	struct rhlist_head *list, *pos;
	struct altconn_bind *old;
	int err = -EADDRINUSE;

	rcu_read_lock();
	spin_lock(stripe);
	list = rhltable_lookup(&bind_table, &key, bind_params);
	altconn_bind_for_each(old, pos, list)
		if (excludes(old, new) || (exclusive && overlap(old, new)))
			goto out;
	err = rhltable_insert_key(&bind_table, &key, &new->node, bind_params);
	/* The table's own -EBUSY and -E2BIG are want of memory too. */
	if (err)
		err = -ENOMEM;
out:
	spin_unlock(stripe);
	rcu_read_unlock();
	return err;
}

/* Sharing is for ports and IP addresses: AF_UNIX knows none. */
static bool may_reuse(const struct sock *sk, const struct altconn_addr *addr)
{
	return sk->sk_reuse && (addr->kind == ALTCONN_KIND_PORT ||
				addr->kind == ALTCONN_KIND_INET);
}

static bool is_loopback(const struct altconn_addr *addr)
{
	return altconn_addr_is_v4(addr) ?
		       ipv4_is_loopback(altconn_addr_v4(addr)) :
		       ipv6_addr_loopback(altconn_addr_ip(addr));
}

/* Ports and names are for who says so; IP addresses as they are with TCP. */
static bool is_reachable(const struct sock *sk, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_INET)
		return !is_loopback(addr);
	return altconn_sk(sk)->reachable;
}

/* A binding that is in no table yet; NULL: no memory. */
static struct altconn_bind *bind_new(struct sock *sk,
				     const struct altconn_addr *addr,
				     enum altconn_bind_how how)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_bind *bind;

	bind = kzalloc(offsetof(struct altconn_bind, own.bytes) + addr->len,
		       GFP_KERNEL_ACCOUNT);
	if (!bind)
		return NULL;
	memcpy(&bind->own, addr,
	       offsetof(struct altconn_addr, bytes) + addr->len);
	refcount_set(&bind->own.refs, 1);
	bind->own.bound = true;
	bind->addr = &bind->own;
	bind->net = key_net(sock_net(sk), addr);
	bind->type = sk->sk_type;
	bind->sk = sk;
	bind->auto_bound = how == ALTCONN_BIND_AUTO;
	bind->reuse = how != ALTCONN_BIND_AUTO && may_reuse(sk, addr);
	bind->share = how == ALTCONN_BIND_ASKED && ask->share &&
		      addr->kind != ALTCONN_KIND_PATH;
	bind->uid = current_uid();
	bind->v6only = ask->v6only;
	bind->reachable = is_reachable(sk, addr);
	return bind;
}

/* Add @bind to the table and make it the endpoint's. */
static int bind_publish(struct sock *sk, struct altconn_bind *bind,
			bool exclusive)
{
	int err;

	bind->hash = digest(bind->net, bind->type, bind->addr);
	err = insert(bind, exclusive);
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
	bind = bind_new(sk, addr, how);
	if (!bind)
		return -ENOMEM;
	err = bind_publish(sk, bind, how != ALTCONN_BIND_ASKED);
	if (err)
		kfree(bind);
	return err;
}

/**
 * altconn_bind_reserve() - begin to bind an endpoint to a path
 * @sk: the endpoint
 * @addr: the path as it was given to bind(), copied
 *
 * Until altconn_bind_complete() any other call on the socket that needs its
 * address or its state may come first.
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: a binding for altconn_bind_complete(); -EINVAL: the endpoint is bound,
 * or past that; -ENOMEM.
 */
struct altconn_bind *altconn_bind_reserve(struct sock *sk,
					  const struct altconn_addr *addr)
{
	struct altconn_bind *bind = bind_new(sk, addr, ALTCONN_BIND_ASKED);
	int err;

	if (!bind)
		return ERR_PTR(-ENOMEM);
	lock_sock(sk);
	err = altconn_bind_allowed(sk);
	if (!err) {
		if (sk->sk_type == SOCK_DGRAM)
			altconn_sock_register(sk);
		spin_lock(&altconn_sk(sk)->bind_lock);
		altconn_sk(sk)->binding = bind;
		spin_unlock(&altconn_sk(sk)->bind_lock);
	}
	release_sock(sk);
	if (!err)
		return bind;
	kfree(bind);
	return ERR_PTR(err);
}

/**
 * altconn_bind_complete() - bind the endpoint to its socket file
 * @sk: the endpoint
 * @bind: of altconn_bind_reserve(); on success the endpoint's
 * @path: the socket file; a reference is taken on success
 *
 * Context: process; a directory's lock may be held, lock_sock() is not needed.
 * Return: 0; -EINVAL: another call on the socket came first; -EADDRINUSE;
 * -ENOMEM.
 */
int altconn_bind_complete(struct sock *sk, struct altconn_bind *bind,
			  const struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	int err = -EINVAL;

	bind->own.inode = d_backing_inode(path->dentry);
	bind->path = *path;
	path_get(path);
	spin_lock(&ask->bind_lock);
	if (ask->binding == bind) {
		err = bind_publish(sk, bind, false);
		/* Pairs with altconn_bind_cancel(): ask->bind comes first. */
		smp_store_release(&ask->binding, NULL);
	}
	spin_unlock(&ask->bind_lock);
	if (err)
		path_put(path);
	return err;
}

/**
 * altconn_bind_unreserve() - give up what altconn_bind_reserve() gave
 * @sk: the endpoint
 * @bind: the binding, not completed
 *
 * Context: process.
 */
void altconn_bind_unreserve(struct sock *sk, struct altconn_bind *bind)
{
	struct altconn_sock *ask = altconn_sk(sk);

	spin_lock(&ask->bind_lock);
	if (ask->binding == bind)
		ask->binding = NULL;
	spin_unlock(&ask->bind_lock);
	kfree(bind);
}

/* altconn_bind_cancel() of a bind() that is under way. */
void __altconn_bind_cancel(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	spin_lock(&ask->bind_lock);
	ask->binding = NULL;
	spin_unlock(&ask->bind_lock);
}

static void free_claim(struct altconn_claim *claim)
{
	if (!claim)
		return;
	altconn_addr_put(claim->local);
	altconn_addr_put(claim->remote);
	if (claim->assoc)
		altconn_assoc_put(claim->assoc);
	kfree(claim);
}

/* No association any more that another socket's could equal. */
static void unclaim(struct altconn_bind *bind)
{
	struct altconn_claim *claim = NULL;

	spin_lock(stripe_of(bind));
	swap(bind->claim, claim);
	spin_unlock(stripe_of(bind));
	free_claim(claim);
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
	WRITE_ONCE(ask->bind, NULL);
	rhltable_remove(&bind_table, &bind->node, bind_params);
	if (bind->addr->port)
		altconn_port_free(bind->net, bind->type, bind->addr);
	if (sk->sk_type == SOCK_DGRAM)
		altconn_dgram_changed();
	if (bind->claim)
		unclaim(bind);
	if (path)
		*path = bind->path;
	/* Of the binding's own address: frees it after a grace period. */
	altconn_addr_put(bind->addr);
}

/* As AF_UNIX: a name of five hexadecimal digits, unix(7). */
static int bind_auto_name(struct sock *sk, enum altconn_bind_how how)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_NAME, .len = 5 };
	u32 first = get_random_u32(), i;

	for (i = 0; i <= 0xfffff; i++) {
		char digits[6];
		int err;

		snprintf(digits, sizeof(digits), "%05x", (first + i) & 0xfffff);
		memcpy(addr.bytes, digits, 5);
		err = altconn_bind_insert(sk, &addr, how);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return -EAGAIN;
}

/**
 * altconn_autobind() - bind an unbound endpoint to an address of some kind
 * @sk: the endpoint
 * @dest: what it connects to, or an address that is only a kind; of kind INET
 *	the IP address that it is bound to. Paths cannot be made up, it stays
 *	unnamed then
 *
 * A socket in the sockaddr_un dress stays unnamed too, as AF_UNIX clients do.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0, also when it was bound already; -EAGAIN when no port or name is
 * left (E-AGAIN-PORT); -EINTR: the process is being killed; -ENOMEM.
 */
int altconn_autobind(struct sock *sk, const struct altconn_addr *dest)
{
	struct altconn_addr addr = { .kind = dest->kind };

	altconn_bind_cancel(sk);
	if (altconn_sk(sk)->bind ||
	    altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	switch (dest->kind) {
	case ALTCONN_KIND_INET:
		addr.len = dest->len;
		addr.node = dest->node;
		*altconn_addr_ip(&addr) = *altconn_addr_ip(dest);
		fallthrough;
	case ALTCONN_KIND_PORT:
		return altconn_port_bind(sk, &addr, ALTCONN_BIND_AUTO);
	case ALTCONN_KIND_NAME:
		return bind_auto_name(sk, ALTCONN_BIND_AUTO);
	default:
		return 0;
	}
}

/* The address that the endpoint's connection to @dest has on this side. */
static int set_local(struct sock *sk, const struct altconn_addr *dest)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET };
	struct altconn_addr *addr;

	if (!bind || bind->addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET || !altconn_addr_is_any(bind->addr))
		return 0;
	local.port = bind->addr->port;
	altconn_node_source(sock_net(sk), dest, &local);
	addr = altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	altconn_sock_set_addr(sk, addr);
	return 0;
}

static struct altconn_addr *own_addr(const struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->addr,
					 lockdep_sock_is_held(sk));
}

/* An attempt that has failed claims nothing, though its socket keeps it. */
static bool claims(const struct altconn_bind *bind,
		   const struct altconn_addr *own,
		   const struct altconn_addr *dest)
{
	const struct altconn_claim *claim = bind->claim;

	return claim && altconn_addr_equal(claim->local, own) &&
	       altconn_addr_equal(claim->remote, dest) &&
	       (!claim->assoc || altconn_assoc_state(claim->assoc) !=
				 ALTCONN_ASSOC_STATE_CLOSED);
}

static struct rhlist_head *siblings(const struct altconn_bind *bind)
{
	const struct altconn_key key = key_of(bind);

	return rhltable_lookup(&bind_table, &key, bind_params);
}

/* -EADDRINUSE: it was accepted, at another socket with this local address. */
static int check_accepted(const struct altconn_bind *bind,
			  const struct altconn_addr *own,
			  const struct altconn_addr *dest)
{
	struct altconn_bind *other;
	struct rhlist_head *pos;
	bool shared = false;

	rcu_read_lock();
	altconn_bind_for_each(other, pos, siblings(bind))
		shared |= other != bind;
	rcu_read_unlock();
	return shared ? altconn_assoc_accepted(bind->net, bind->type, own,
					       dest) : 0;
}

/* E-ADDRINUSE: no two associations have type, local and remote address alike. */
static int claim(struct sock *sk, struct altconn_addr *dest)
{
	struct altconn_bind *other, *bind = altconn_sk(sk)->bind;
	struct altconn_addr *own = own_addr(sk);
	spinlock_t *stripe = stripe_of(bind);
	struct altconn_claim *new;
	struct rhlist_head *pos;
	int err = check_accepted(bind, own, dest);

	if (err)
		return err;
	new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	new->local = altconn_addr_get(own);
	new->remote = altconn_addr_get(dest);
	err = -EADDRINUSE;
	rcu_read_lock();
	spin_lock(stripe);
	altconn_bind_for_each(other, pos, siblings(bind))
		if (claims(other, own, dest))
			goto out;
	swap(bind->claim, new);
	err = 0;
out:
	spin_unlock(stripe);
	rcu_read_unlock();
	/* Its own, or that of the attempt before. */
	free_claim(new);
	return err;
}

/* altconn_bind_claimed() where there is a claim. */
void __altconn_bind_claimed(struct altconn_bind *bind,
			    struct altconn_assoc *assoc)
{
	spin_lock(stripe_of(bind));
	bind->claim->assoc = altconn_assoc_get(assoc);
	spin_unlock(stripe_of(bind));
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

/*
 * What another node calls this one need be no address of this one's, so nothing is bound
 * to it: the association has it, for as long as it lasts.
 */
static void any_like(const struct altconn_addr *dest, struct altconn_addr *any)
{
	any->len = sizeof(struct in6_addr);
	if (altconn_addr_is_v4(dest))
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY), altconn_addr_ip(any));
}

/**
 * altconn_bind_local() - give an endpoint that connects its local address
 * @sk: the endpoint, bound or not
 * @dest: what it connects to, of a path the binding's own address; shared
 *
 * Undone by altconn_bind_reset().
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0; -EADDRINUSE: another socket with this local address is associated
 * with @dest (E-ADDRINUSE); -EAGAIN: no port or name left; -EINTR; -ENOMEM.
 * The endpoint is as it was on failure.
 */
int altconn_bind_local(struct sock *sk, struct altconn_addr *dest)
{
	struct altconn_addr like = { .kind = dest->kind };
	bool dgram = sk->sk_type == SOCK_DGRAM, bound;
	struct altconn_bind *bind;
	int err;

	altconn_bind_cancel(sk);
	bound = altconn_sk(sk)->bind;
	if (!bound && altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	if (dest->kind == ALTCONN_KIND_INET && dest->far)
		any_like(dest, &like);
	else if (dest->kind == ALTCONN_KIND_INET)
		altconn_node_source(sock_net(sk), dest, &like);
	err = altconn_autobind(sk, &like);
	if (!err) {
		altconn_bind_answerable(sk, dest);
		err = set_local(sk, dest);
	}
	bind = altconn_sk(sk)->bind;
	if (!err && bind && (bind->reuse || bind->share) && !dgram)
		err = claim(sk, dest);
	/* A datagram socket may have an association already, which stays. */
	if (err && !(dgram && bound))
		altconn_bind_reset(sk);
	return err;
}

/**
 * altconn_bind_reset() - what an association gave its endpoint goes with it
 * @sk: the endpoint
 *
 * An automatic address is given up; an endpoint that was bound to any address
 * is so again.
 *
 * Context: process; lock_sock() held.
 */
void altconn_bind_reset(struct sock *sk)
{
	struct altconn_bind *bind;

	altconn_bind_cancel(sk);
	bind = altconn_sk(sk)->bind;
	if (!bind) {
		altconn_sock_set_addr(sk, NULL);
	} else if (bind->auto_bound) {
		altconn_unbind(sk, NULL);
	} else {
		if (bind->claim)
			unclaim(bind);
		if (own_addr(sk) != bind->addr)
			altconn_sock_set_addr(sk, altconn_addr_get(bind->addr));
	}
}

/* Does another socket that shares the address listen? The stripe is held. */
static bool is_listened_at(const struct altconn_bind *bind)
{
	struct altconn_bind *other;
	struct rhlist_head *pos;

	altconn_bind_for_each(other, pos, siblings(bind))
		if (other != bind && other->listens && overlap(bind, other) &&
		    !shared(bind, other))
			return true;
	return false;
}

/**
 * altconn_bind_claim_listening() - an endpoint is about to listen
 * @sk: the endpoint, bound
 *
 * Undone by altconn_bind_unlisten().
 *
 * Context: process; lock_sock() held.
 * Return: 0; -EADDRINUSE: another socket shares the address and listens.
 */
int altconn_bind_claim_listening(struct sock *sk)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	spinlock_t *stripe = stripe_of(bind);
	int err = -EADDRINUSE;

	rcu_read_lock();
	spin_lock(stripe);
	if (!is_listened_at(bind)) {
		bind->listens = true;
		err = 0;
	}
	spin_unlock(stripe);
	rcu_read_unlock();
	return err;
}

/**
 * altconn_bind_listen() - attempts to an endpoint's address find a listener
 * @sk: the endpoint; altconn_bind_claim_listening() has succeeded
 * @ln: its listener
 *
 * Context: process; lock_sock() held.
 */
void altconn_bind_listen(struct sock *sk, struct altconn_listener *ln)
{
	rcu_assign_pointer(altconn_sk(sk)->bind->listener, ln);
}

/**
 * altconn_bind_unlisten() - undo altconn_bind_claim_listening() and altconn_bind_listen()
 * @sk: the endpoint
 *
 * Context: process; lock_sock() held.
 */
void altconn_bind_unlisten(struct sock *sk)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	spinlock_t *stripe = stripe_of(bind);

	spin_lock(stripe);
	RCU_INIT_POINTER(bind->listener, NULL);
	bind->listens = false;
	spin_unlock(stripe);
}

/**
 * altconn_bind_allowed() - may this endpoint be bound now?
 * @sk: the endpoint
 *
 * Cancels a bind() that is under way.
 *
 * Context: process; lock_sock() held.
 * Return: 0; -EINVAL: it is bound, or it is past that.
 */
int altconn_bind_allowed(struct sock *sk)
{
	altconn_connect_reap(sk);
	altconn_bind_cancel(sk);
	if (altconn_sk(sk)->bind)
		return -EINVAL;
	if (sk->sk_type != SOCK_DGRAM && altconn_state(sk) != TCP_CLOSE)
		return -EINVAL;
	return 0;
}

static bool privileged(struct net *net, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_PORT)
		return addr->port < PROT_SOCK;
	return addr->kind == ALTCONN_KIND_INET &&
	       inet_port_requires_bind_service(net, addr->port);
}

/* Is it this node's? Of the names and ports only node 0 is, by its id too. */
static int check_own(const struct sock *sk, struct altconn_addr *addr)
{
	u32 own = READ_ONCE(altconn_pernet(sock_net(sk))->node_id);

	if (addr->kind != ALTCONN_KIND_INET) {
		if (addr->node && addr->node != own)
			return -EADDRNOTAVAIL;
		addr->node = ALTCONN_NODE_SELF;
		return 0;
	}
	if (altconn_sk(sk)->v6only && altconn_addr_is_v4(addr))
		return -EINVAL;
	return altconn_addr_is_any(addr) ||
	       altconn_node_is_local(sock_net(sk), addr) ? 0 : -EADDRNOTAVAIL;
}

static int bind_locked(struct sock *sk, struct altconn_addr *addr)
{
	int err = altconn_bind_allowed(sk);

	if (!err)
		err = check_own(sk, addr);
	if (err)
		return err;
	if (addr->kind == ALTCONN_KIND_NONE) {
		err = bind_auto_name(sk, ALTCONN_BIND_CHOSEN);
		return err == -EAGAIN ? -ENOSPC : err;
	}
	/* bind(2) has another errno than connect(2) for this. */
	if (addr->kind != ALTCONN_KIND_NAME && !addr->port) {
		err = altconn_port_bind(sk, addr, ALTCONN_BIND_CHOSEN);
		return err == -EAGAIN ? -EADDRINUSE : err;
	}
	if (privileged(sock_net(sk), addr) &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE))
		return -EACCES;
	return altconn_bind_insert(sk, addr, ALTCONN_BIND_ASKED);
}

/**
 * altconn_bind() - bind(2)
 * @sock: the socket
 * @uaddr: address in its dress
 * @len: its length, bytes
 *
 * An address that bind() was asked to choose survives a dissolved association.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: format, bound or connected already, or IPv4 with
 * IPV6_V6ONLY; -EAFNOSUPPORT; -EADDRINUSE: taken, or no port left; -ENOSPC: no
 * automatic name left, as AF_UNIX; -EADDRNOTAVAIL: not this node's; -EACCES;
 * -ENOMEM; and what path_resolution(7) gives.
 */
int altconn_bind(struct socket *sock, struct sockaddr_unsized *uaddr, int len)
{
	struct sock *sk = sock->sk;
	struct altconn_addr addr;
	int err;

	err = altconn_addr_parse(sk, uaddr, len, &addr);
	if (err)
		return err;
	if (addr.kind == ALTCONN_KIND_PATH)
		return altconn_path_bind(sk, &addr);

	lock_sock(sk);
	err = bind_locked(sk, &addr);
	release_sock(sk);
	return err;
}

/**
 * altconn_bind_init() - make the table
 *
 * Return: 0 or -ENOMEM.
 */
int __init altconn_bind_init(void)
{
	int i;

	table_seed = get_random_u32();
	for (i = 0; i < STRIPES; i++)
		spin_lock_init(&stripes[i]);
	return rhltable_init(&bind_table, &bind_params);
}

/**
 * altconn_bind_exit() - undo altconn_bind_init()
 *
 * Context: process; no endpoint is left.
 */
void altconn_bind_exit(void)
{
	rhltable_destroy(&bind_table);
}
