// SPDX-License-Identifier: GPL-2.0
/*
 * Claims. Two sockets may share a local address, but no two associations of a type
 * have both addresses alike (E-ADDRINUSE). The binding of a shared address claims
 * the pair of addresses. A claim is found by its addresses, so connect() costs the
 * same however many associations there are.
 */

#include <linux/jhash.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "addr.h"
#include "assoc.h"
#include "claim.h"
#include "node.h"
#include "place.h"
#include "sock.h"
#include "xns.h"

static struct rhashtable claim_table;

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
void altconn_claim_drop(struct altconn_bind *bind)
{
	struct altconn_claim *claim = NULL;

	spin_lock(altconn_bind_lock(bind));
	swap(bind->claim, claim);
	claim_unlink(claim);
	spin_unlock(altconn_bind_lock(bind));
	claim_free(claim);
}

struct altconn_addr *altconn_bind_own_addr(const struct sock *sk)
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
int altconn_claim_add(struct sock *sk, struct altconn_addr *dest)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr *own = altconn_bind_own_addr(sk);
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
