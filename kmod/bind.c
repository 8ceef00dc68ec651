// SPDX-License-Identifier: GPL-2.0
/*
 * The table of bound addresses, ephemeral ports and automatic names.
 *
 * One hash table for the machine; the namespace is part of the key, but for
 * paths, which network namespaces share as AF_UNIX shares them. Ports and
 * names are each socket type's own; a path is one socket's, whatever its type.
 */

#include <linux/jhash.h>
#include <linux/slab.h>
#include "altconn.h"

struct bind_key {
	const struct net		*net;
	int				type;
	const struct altconn_addr	*addr;
};

static struct rhashtable bind_table;

static u32 hash_key(const struct net *net, int type,
		    const struct altconn_addr *addr, u32 seed)
{
	if (addr->kind == ALTCONN_KIND_PATH)
		return jhash(&addr->inode, sizeof(addr->inode), seed);
	seed = jhash_3words(addr->node, addr->port, type << 8 | addr->kind,
			    seed ^ (u32)((unsigned long)net >> 6));
	return addr->len ? jhash(addr->bytes, addr->len, seed) : seed;
}

static u32 bind_hash_key(const void *data, u32 len, u32 seed)
{
	const struct bind_key *key = data;

	return hash_key(key->net, key->type, key->addr, seed);
}

static u32 bind_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct altconn_bind *bind = data;

	return hash_key(bind->net, bind->type, bind->addr, seed);
}

/* As a table's comparison function: 0 when equal. */
static int bind_cmp(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct bind_key *key = arg->key;
	const struct altconn_bind *bind = obj;

	if (bind->addr->kind != key->addr->kind)
		return 1;
	if (key->addr->kind == ALTCONN_KIND_PATH)
		return bind->addr->inode != key->addr->inode;
	return bind->net != key->net || bind->type != key->type ||
	       !altconn_addr_equal(bind->addr, key->addr);
}

static const struct rhashtable_params bind_params = {
	.head_offset		= offsetof(struct altconn_bind, node),
	.hashfn			= bind_hash_key,
	.obj_hashfn		= bind_hash_obj,
	.obj_cmpfn		= bind_cmp,
	.automatic_shrinking	= true,
};

static struct net *key_net(struct net *net, const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_PATH ? NULL : net;
}

/**
 * altconn_bind_find() - who is bound to an address
 * @net: the caller's namespace
 * @type: socket type; paths are found whatever their type
 * @addr: canonical address
 *
 * Context: RCU read side; the result is valid within it.
 * Return: the binding, or NULL.
 */
struct altconn_bind *altconn_bind_find(struct net *net, int type,
				       const struct altconn_addr *addr)
{
	struct bind_key key = {
		.net = key_net(net, addr), .type = type, .addr = addr,
	};

	return rhashtable_lookup(&bind_table, &key, bind_params);
}

/**
 * altconn_bind_insert() - bind an endpoint
 * @sk: the endpoint, not bound yet
 * @addr: canonical address, copied
 * @path: for paths: reference that moves to the binding on success
 * @auto_bound: the family chose the address
 *
 * Context: process, lock_sock() held.
 * Return: 0; -EADDRINUSE; -ENOMEM.
 */
int altconn_bind_insert(struct sock *sk, const struct altconn_addr *addr,
			const struct path *path, bool auto_bound)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct bind_key key = {
		.net = key_net(sock_net(sk), addr),
		.type = sk->sk_type,
	};
	struct altconn_bind *bind;
	int err;

	if (sk->sk_type == SOCK_DGRAM) {
		err = altconn_sock_register(sk);
		if (err)
			return err;
	}
	err = -ENOMEM;
	bind = kzalloc(sizeof(*bind), GFP_KERNEL_ACCOUNT);
	if (!bind)
		return -ENOMEM;
	bind->addr = altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
	if (!bind->addr)
		goto err_free_bind;
	bind->net = (struct net *)key.net;
	bind->type = sk->sk_type;
	bind->sk = sk;
	bind->auto_bound = auto_bound;
	if (path)
		bind->path = *path;

	key.addr = bind->addr;
	err = rhashtable_lookup_insert_key(&bind_table, &key, &bind->node,
					   bind_params);
	if (err)
		goto err_put_addr;
	ask->bind = bind;
	altconn_sock_set_addr(sk, altconn_addr_get(bind->addr));
	return 0;

err_put_addr:
	altconn_addr_put(bind->addr);
err_free_bind:
	kfree(bind);
	/* The table's own -EBUSY and -E2BIG are want of memory too. */
	return err == -EEXIST ? -EADDRINUSE : -ENOMEM;
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
	ask->bind = NULL;
	rhashtable_remove_fast(&bind_table, &bind->node, bind_params);
	if (path)
		*path = bind->path;
	altconn_addr_put(bind->addr);
	kfree_rcu(bind, rcu);
}

static int bind_ephemeral(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	u32 min = READ_ONCE(an->port_min), max = READ_ONCE(an->port_max);
	struct altconn_addr addr = { .kind = ALTCONN_KIND_PORT };
	u32 range, first, i;

	if (max < min)
		return -EAGAIN;
	range = max - min + 1;
	first = get_random_u32() % range;
	for (i = 0; i < range; i++) {
		int err;

		addr.port = min + (first + i) % range;
		err = altconn_bind_insert(sk, &addr, NULL, true);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	return -EAGAIN;
}

/* As AF_UNIX: a name of five hexadecimal digits, unix(7). */
static int bind_auto_name(struct sock *sk)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_NAME, .len = 5 };
	u32 first = get_random_u32(), i;

	for (i = 0; i <= 0xfffff; i++) {
		char digits[6];
		int err;

		snprintf(digits, sizeof(digits), "%05x", (first + i) & 0xfffff);
		memcpy(addr.bytes, digits, 5);
		err = altconn_bind_insert(sk, &addr, NULL, true);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	return -EAGAIN;
}

/**
 * altconn_autobind() - bind an unbound endpoint to an address of a kind
 * @sk: the endpoint
 * @kind: what it connects to; paths cannot be made up, it stays unnamed then
 *
 * A socket in the sockaddr_un dress stays unnamed too, as AF_UNIX clients do.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0, also when it was bound already; -EAGAIN when no port or name is
 * left (E-AGAIN-PORT); -EINTR; -ENOMEM.
 */
int altconn_autobind(struct sock *sk, enum altconn_kind kind)
{
	if (altconn_sk(sk)->bind ||
	    altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	if (kind == ALTCONN_KIND_PORT)
		return bind_ephemeral(sk);
	if (kind == ALTCONN_KIND_NAME)
		return bind_auto_name(sk);
	return 0;
}

/**
 * altconn_bind_allowed() - may this endpoint be bound now?
 * @sk: the endpoint
 *
 * Context: process; lock_sock() held.
 * Return: 0; -EINVAL: it is bound, or it is past that.
 */
int altconn_bind_allowed(struct sock *sk)
{
	altconn_connect_reap(sk);
	if (altconn_sk(sk)->bind)
		return -EINVAL;
	if (sk->sk_type != SOCK_DGRAM && altconn_state(sk) != TCP_CLOSE)
		return -EINVAL;
	return 0;
}

static int bind_locked(struct sock *sk, const struct altconn_addr *addr)
{
	int err = altconn_bind_allowed(sk);

	if (err)
		return err;
	if (addr->node != ALTCONN_NODE_SELF)
		return -EADDRNOTAVAIL;
	if (addr->kind == ALTCONN_KIND_NONE) {
		err = bind_auto_name(sk);
		return err == -EAGAIN ? -ENOSPC : err;
	}
	/* bind(2) has another errno than connect(2) for this. */
	if (addr->kind == ALTCONN_KIND_PORT && !addr->port) {
		err = bind_ephemeral(sk);
		return err == -EAGAIN ? -EADDRINUSE : err;
	}
	if (addr->kind == ALTCONN_KIND_PORT && addr->port < PROT_SOCK &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE))
		return -EACCES;
	return altconn_bind_insert(sk, addr, NULL, false);
}

/**
 * altconn_bind() - bind(2)
 * @sock: the socket
 * @uaddr: address in its dress
 * @len: its length, bytes
 *
 * An address that bind() was asked to choose is an explicit one: it survives
 * a dissolved association.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: format, or bound or connected already; -EAFNOSUPPORT;
 * -EADDRINUSE: taken, or no port left; -ENOSPC: no automatic name left, as
 * AF_UNIX; -EADDRNOTAVAIL; -EACCES; -ENOMEM; and what path_resolution(7) gives.
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
	if (!err)
		altconn_sk(sk)->bind->auto_bound = false;
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
	return rhashtable_init(&bind_table, &bind_params);
}

/**
 * altconn_bind_exit() - undo altconn_bind_init()
 *
 * Context: process; no endpoint is left.
 */
void altconn_bind_exit(void)
{
	rhashtable_destroy(&bind_table);
}
