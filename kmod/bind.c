// SPDX-License-Identifier: GPL-2.0
/*
 * bind(2), automatic addresses, and the local address of a connection.
 *
 * bind_table.c has the table that the addresses are in. Here stands what an
 * endpoint is bound to, and by which of bind(), connect() and listen(); and the
 * claims: two sockets may share a local address, but no two associations of a
 * type have both addresses alike (E-ADDRINUSE). A claim is found by its addresses,
 * so connect() costs the same however many associations there are.
 */

#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/ip.h>
#include "altconn.h"

static struct rhashtable claim_table;

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
static struct altconn_bind *bind_new(struct sock *sk,
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
static int bind_publish(struct sock *sk, struct altconn_bind *bind,
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
	bind = bind_new(sk, addr, how);
	if (!bind)
		return -ENOMEM;
	err = bind_publish(sk, bind, how != ALTCONN_BIND_ASKED);
	if (err == -EADDRINUSE)
		kfree(bind);
	else if (err)
		altconn_addr_put(bind->addr);
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
	/* Readers may have seen it, when memory ran out. */
	altconn_addr_put(bind->addr);
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
	/* Pairs with bind_publish(), for those of other kinds. */
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

/* ---- claims ---- */

/**
 * struct altconn_claim - the one association of its type between two addresses
 * @node: link in claim_table, while @linked
 * @linked: it is there; the stripe of the binding
 * @type: socket type
 * @hash: of the key
 * @net: namespace; part of the key, as are @type, @local and @remote
 * @local: the local address of the endpoint's association, a reference
 * @remote: the address at the other end, a reference
 * @assoc: the association, a reference, or NULL: it is not made yet
 * @rcu: frees it
 *
 * Lifetime: owned by a binding, bind->claim, from connect() to the end of its
 * association. A claim whose attempt has failed stays there until the next call
 * on the socket; another claim of the same addresses takes it out of the table.
 * While the server's end is open, the claim stands for the addresses of that end
 * too, in the reverse order: claim_check_server().
 * Claims that could be equal are changed under one stripe, since their local
 * addresses are equal.
 */
struct altconn_claim {
	struct rhash_head	node;
	bool			linked;
	u8			type;
	u32			hash;
	const struct net	*net;
	struct altconn_addr	*local;
	struct altconn_addr	*remote;
	struct altconn_assoc	*assoc;
	struct rcu_head		rcu;
};

static u32 claim_hash_obj(const void *data, u32 len, u32 seed)
{
	return ((const struct altconn_claim *)data)->hash ^ seed;
}

/* The key is a claim too. 0 when equal, as rhashtable wants it. */
static int claim_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct altconn_claim *claim = obj, *key = arg->key;

	return claim->net != key->net || claim->type != key->type ||
	       !altconn_addr_equal(claim->local, key->local) ||
	       !altconn_addr_equal(claim->remote, key->remote);
}

static const struct rhashtable_params claim_params = {
	.head_offset		= offsetof(struct altconn_claim, node),
	.hashfn			= claim_hash_obj,
	.obj_hashfn		= claim_hash_obj,
	.obj_cmpfn		= claim_compare,
	.automatic_shrinking	= true,
};

static void claim_free(struct altconn_claim *claim)
{
	if (!claim)
		return;
	altconn_addr_put(claim->local);
	altconn_addr_put(claim->remote);
	if (claim->assoc)
		altconn_assoc_put(claim->assoc);
	kfree_rcu(claim, rcu);
}

static void claim_unlink(struct altconn_claim *claim)
{
	if (claim && claim->linked)
		rhashtable_remove_fast(&claim_table, &claim->node,
				       claim_params);
	if (claim)
		claim->linked = false;
}

/* Another socket's association may have the same addresses from here on. */
static void claim_drop(struct altconn_bind *bind)
{
	struct altconn_claim *claim = NULL;

	spin_lock(altconn_bind_lock(bind));
	swap(bind->claim, claim);
	claim_unlink(claim);
	spin_unlock(altconn_bind_lock(bind));
	claim_free(claim);
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
		claim_drop(bind);
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
 * @addr: a kind, and of kind INET the IP address that it is bound to; gets the
 *	port. Paths cannot be made up, it stays unnamed then
 *
 * A socket in the sockaddr_un dress stays unnamed too, as AF_UNIX clients do.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0, also when it was bound already; -EAGAIN when no port or name is
 * left (E-AGAIN-PORT); -EINTR: the process is being killed; -ENOMEM.
 */
int altconn_autobind(struct sock *sk, struct altconn_addr *addr)
{
	altconn_bind_cancel(sk);
	if (altconn_sk(sk)->bind ||
	    altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	switch (addr->kind) {
	case ALTCONN_KIND_INET:
	case ALTCONN_KIND_PORT:
		return altconn_port_bind(sk, addr, ALTCONN_BIND_AUTO);
	case ALTCONN_KIND_NAME:
		return bind_auto_name(sk, ALTCONN_BIND_AUTO);
	default:
		return 0;
	}
}

/*
 * Replace the wildcard IP address of an endpoint by its source address towards
 * @dest.
 */
static noinline int bind_local_ip(struct sock *sk,
				  const struct altconn_addr *dest)
{
	const struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET };
	struct altconn_addr *addr;

	local.port = bind->addr->port;
	altconn_node_source(sock_net(sk), dest, &local);
	addr = altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	altconn_sock_set_addr(sk, addr);
	return 0;
}

/* The address that the endpoint's connection to @dest has on this side. */
static int bind_set_local(struct sock *sk, const struct altconn_addr *dest)
{
	const struct altconn_bind *bind = altconn_sk(sk)->bind;

	if (!bind || bind->addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET || !altconn_addr_is_any(bind->addr))
		return 0;
	return bind_local_ip(sk, dest);
}

static struct altconn_addr *bind_own_addr(const struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->addr,
					 lockdep_sock_is_held(sk));
}

/* An attempt that has failed claims nothing, though its socket keeps it. */
static bool claim_holds(const struct altconn_claim *claim)
{
	return !claim->assoc || altconn_assoc_state(claim->assoc) !=
				ALTCONN_ASSOC_STATE_CLOSED;
}

static u32 claim_hash(const struct net *net, u8 type,
		      const struct altconn_addr *local,
		      const struct altconn_addr *remote)
{
	return jhash_2words(altconn_bind_hash(net, type, local),
			    altconn_bind_hash(net, type, remote), 0);
}

static struct altconn_claim *claim_new(const struct altconn_bind *bind,
				       struct altconn_addr *local,
				       struct altconn_addr *remote)
{
	struct altconn_claim *claim;

	claim = kzalloc(sizeof(*claim), GFP_KERNEL_ACCOUNT);
	if (!claim)
		return NULL;
	claim->net = bind->net;
	claim->type = bind->type;
	claim->local = altconn_addr_get(local);
	claim->remote = altconn_addr_get(remote);
	claim->hash = claim_hash(bind->net, bind->type, local, remote);
	return claim;
}

/* Enter @new in the table, unless the same addresses are claimed already. */
static int claim_link(struct altconn_bind *bind, struct altconn_claim *new)
{
	struct altconn_claim *old;

	lockdep_assert_held(altconn_bind_lock(bind));
	old = rhashtable_lookup(&claim_table, new, claim_params);
	if (old && claim_holds(old))
		return -EADDRINUSE;
	claim_unlink(old);
	claim_unlink(bind->claim);
	if (rhashtable_insert_fast(&claim_table, &new->node, claim_params))
		return -ENOMEM;
	new->linked = true;
	return 0;
}

/* Does the server's end of this association have its addresses still? */
static bool claim_has_server(const struct altconn_assoc *assoc)
{
	return altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_CLOSED &&
	       !READ_ONCE(assoc->end[ALTCONN_SERVER].closed);
}

/*
 * Does another socket claim @client to @server, and is its server's end open?
 */
static bool claim_find_client(const struct altconn_bind *bind,
			      const struct net *net,
			      struct altconn_addr *client,
			      struct altconn_addr *server)
{
	spinlock_t *stripe = altconn_bind_stripe(net, bind->type, client);
	struct altconn_claim key = {
		.net = net, .type = bind->type, .local = client,
		.remote = server,
		.hash = claim_hash(net, bind->type, client, server),
	};
	const struct altconn_claim *found;
	bool held = false;

	rcu_read_lock();
	spin_lock(stripe);
	found = rhashtable_lookup(&claim_table, &key, claim_params);
	/* A socket may connect to its own address. */
	if (found && found != bind->claim)
		held = !found->assoc || claim_has_server(found->assoc);
	spin_unlock(stripe);
	rcu_read_unlock();
	return held;
}

/*
 * Has the client that is bound to @client alone an association with @server? It
 * claims nothing, since no other socket can be bound to its address.
 */
static bool claim_find_lone_client(const struct net *net, int type,
				   const struct altconn_addr *client,
				   const struct altconn_addr *server)
{
	spinlock_t *stripe = altconn_bind_stripe(net, type, client);
	struct altconn_assoc *assoc;
	const struct altconn_bind *bind;
	struct sock *sk = NULL;
	enum altconn_side side;
	bool held;

	rcu_read_lock();
	/* The endpoint of a stream leaves the table before its last reference goes. */
	spin_lock(stripe);
	bind = altconn_bind_find(net, type, client);
	if (bind && bind->type == type && !bind->reuse && !bind->share &&
	    refcount_inc_not_zero(&bind->sk->sk_refcnt))
		sk = bind->sk;
	spin_unlock(stripe);
	rcu_read_unlock();
	if (!sk)
		return false;
	assoc = altconn_assoc_of(sk, &side);
	sock_put(sk);
	if (!assoc)
		return false;
	held = side == ALTCONN_CLIENT && assoc->an->net == net &&
	       claim_has_server(assoc) &&
	       altconn_addr_equal(altconn_assoc_addr(assoc, ALTCONN_CLIENT,
						     ALTCONN_CLIENT), client) &&
	       altconn_addr_equal(altconn_assoc_addr(assoc, ALTCONN_SERVER,
						     ALTCONN_CLIENT), server);
	altconn_assoc_put(assoc);
	return held;
}

/*
 * The server's end of an association claims nothing, so that accept() does not
 * pay for it: it is found by its client, whose local address is the remote one
 * here. Both addresses are written as in the client's namespace, @net.
 */
static int claim_check_server(const struct altconn_bind *bind,
			      const struct net *net,
			      struct altconn_addr *client,
			      struct altconn_addr *server)
{
	return claim_find_client(bind, net, client, server) ||
	       claim_find_lone_client(net, bind->type, client, server) ?
	       -EADDRINUSE : 0;
}

/* claim_check_server() of a client of another node. */
static noinline int claim_check_server_far(const struct altconn_bind *bind,
					   struct altconn_addr *own,
					   const struct altconn_addr *dest)
{
	struct altconn_addr client, *server;
	struct net *net;
	u32 reason;
	int err = 0;

	net = altconn_node_get(bind->net, dest, &client, &reason);
	/* The attempt finds that there is no such node. */
	if (IS_ERR(net))
		return 0;
	client.far = false;
	server = altconn_node_seen(net, bind->net, own);
	if (IS_ERR(server)) {
		err = PTR_ERR(server);
	} else if (server) {
		err = claim_check_server(bind, net, &client, server);
		altconn_addr_put(server);
	}
	put_net(net);
	return err;
}

/* E-ADDRINUSE: no two associations have type, local and remote address alike. */
static int claim_add(struct sock *sk, struct altconn_addr *dest)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr *own = bind_own_addr(sk);
	struct altconn_claim *new = claim_new(bind, own, dest);
	int err;

	if (!new)
		return -ENOMEM;
	rcu_read_lock();
	spin_lock(altconn_bind_lock(bind));
	err = claim_link(bind, new);
	if (!err)
		swap(bind->claim, new);
	spin_unlock(altconn_bind_lock(bind));
	rcu_read_unlock();
	/* The new claim on failure, else the one of the attempt before. */
	claim_free(new);
	if (err)
		return err;
	/*
	 * Behind the claim: of two attempts that go from one address to the
	 * other and back, one at least finds the claim of the other.
	 */
	return likely(!dest->far) ?
	       claim_check_server(bind, bind->net, dest, own) :
	       claim_check_server_far(bind, own, dest);
}

/* altconn_bind_claimed() where there is a claim. */
void __altconn_bind_claimed(struct altconn_bind *bind,
			    struct altconn_assoc *assoc)
{
	spin_lock(altconn_bind_lock(bind));
	bind->claim->assoc = altconn_assoc_get(assoc);
	spin_unlock(altconn_bind_lock(bind));
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
static void bind_any_like(const struct altconn_addr *dest,
			  struct altconn_addr *any)
{
	any->len = sizeof(struct in6_addr);
	if (altconn_addr_is_v4(dest))
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY), altconn_addr_ip(any));
}

/* Give an unbound endpoint an address from which it can connect to @dest. */
static noinline int bind_auto_towards(struct sock *sk,
				      const struct altconn_addr *dest)
{
	struct altconn_addr like = { .kind = dest->kind };

	if (dest->kind == ALTCONN_KIND_INET && dest->far)
		bind_any_like(dest, &like);
	else if (dest->kind == ALTCONN_KIND_INET)
		altconn_node_source(sock_net(sk), dest, &like);
	return altconn_autobind(sk, &like);
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
	bool dgram = sk->sk_type == SOCK_DGRAM, bound;
	struct altconn_bind *bind;
	int err = 0;

	altconn_bind_cancel(sk);
	bound = altconn_sk(sk)->bind;
	if (!bound && altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	if (!bound)
		err = bind_auto_towards(sk, dest);
	if (!err) {
		altconn_bind_answerable(sk, dest);
		err = bind_set_local(sk, dest);
	}
	bind = altconn_sk(sk)->bind;
	if (!err && bind && (bind->reuse || bind->share) && !dgram)
		err = claim_add(sk, dest);
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
			claim_drop(bind);
		if (bind_own_addr(sk) != bind->addr)
			altconn_sock_set_addr(sk, altconn_addr_get(bind->addr));
	}
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

/**
 * altconn_bind_allowed() - may this endpoint be bound now?
 * @sk: the endpoint
 *
 * Cancels a bind() that is under way. As AF_UNIX, an end in the sockaddr_un format
 * that is connected and unnamed may still be bound.
 *
 * Context: process; lock_sock() held.
 * Return: 0; -EINVAL: it is bound, or it is past that.
 */
int altconn_bind_allowed(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_connect_reap(sk);
	altconn_bind_cancel(sk);
	if (ask->bind)
		return -EINVAL;
	if (sk->sk_type == SOCK_DGRAM || altconn_state(sk) == TCP_CLOSE)
		return 0;
	return ask->dress == ALTCONN_UNIX &&
	       altconn_state(sk) == TCP_ESTABLISHED &&
	       !rcu_access_pointer(ask->addr) ? 0 : -EINVAL;
}

static bool bind_is_privileged(struct net *net, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_PORT)
		return addr->port < PROT_SOCK;
	return addr->kind == ALTCONN_KIND_INET &&
	       inet_port_requires_bind_service(net, addr->port);
}

/* Is it this node's? Of the names and ports only node 0 is, by its id too. */
static int bind_check_own(const struct sock *sk, struct altconn_addr *addr)
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
	int err;

	/* As AF_UNIX: any name serves a socket that asks for an automatic one. */
	if (addr->kind == ALTCONN_KIND_NONE &&
	    rcu_access_pointer(altconn_sk(sk)->addr))
		return 0;
	err = altconn_bind_allowed(sk);
	if (!err)
		err = bind_check_own(sk, addr);
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
	if (bind_is_privileged(sock_net(sk), addr) &&
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
	if (addr.kind == ALTCONN_KIND_PATH && !addr.len)
		return -EINVAL;
	if (addr.kind == ALTCONN_KIND_PATH) {
		err = altconn_path_bind(sk, &addr);
	} else {
		lock_sock(sk);
		err = bind_locked(sk, &addr);
		release_sock(sk);
	}
	if (!err && altconn_state(sk) == TCP_ESTABLISHED &&
	    sk->sk_type != SOCK_DGRAM)
		altconn_assoc_bound(sk);
	return err;
}

/**
 * altconn_bind_init() - make the tables of bindings and of claims
 *
 * Return: 0 or -ENOMEM.
 */
int __init altconn_bind_init(void)
{
	int err = altconn_bind_table_init();

	if (err)
		return err;
	err = rhashtable_init(&claim_table, &claim_params);
	if (err)
		altconn_bind_table_exit();
	return err;
}

/**
 * altconn_bind_exit() - undo altconn_bind_init()
 *
 * Context: process; no endpoint is left.
 */
void altconn_bind_exit(void)
{
	rhashtable_destroy(&claim_table);
	altconn_bind_table_exit();
}
