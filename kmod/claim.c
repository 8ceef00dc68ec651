// SPDX-License-Identifier: GPL-2.0
/*
 * Claims. Two sockets may share a local address, but no two associations of a
 * socket type may have the same local and the same remote address
 * (E-ADDRINUSE). So the binding of a shared address claims the pair of
 * addresses. A claim is found by its addresses, so the cost of connect() does
 * not depend on the number of associations.
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
 * @linked: the claim is in claim_table; under the stripe lock of the binding
 * @type: socket type
 * @hash: hash of the key
 * @net: namespace; the key is @net, @type, @local and @remote
 * @local: the local address of the endpoint's association, a reference
 * @remote: the remote address of the endpoint's association, a reference
 * @assoc: the association, a reference; NULL before it is made
 * @rcu: frees the claim
 *
 * Lifetime: A binding owns the claim, as bind->claim, from connect() to the end
 * of the endpoint's association. The claim of a failed attempt stays with the
 * binding until the next call on the socket, but another claim of the same
 * addresses removes it from the table. While the server's end of the
 * association is open, the claim also stands for the addresses of that end, in
 * reverse order: see claim_check_server(). Claims that may be equal have the
 * same local address, so they change under one stripe lock.
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

/*
 * Compare a claim with a key, which is a claim too. As rhashtable requires,
 * return 0 if they are equal.
 */
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

/**
 * altconn_claim_drop() - free the claim of a binding
 * @bind: the binding; it may have no claim
 *
 * Another socket's association may have the same addresses from now on.
 *
 * Context: process; takes the stripe lock.
 */
void altconn_claim_drop(struct altconn_bind *bind)
{
	struct altconn_claim *claim = NULL;

	spin_lock(altconn_bind_stripe_of(bind));
	swap(bind->claim, claim);
	claim_unlink(claim);
	spin_unlock(altconn_bind_stripe_of(bind));
	claim_free(claim);
}

/**
 * altconn_sock_own_addr() - return the address of an endpoint
 * @sk: the endpoint
 *
 * Context: process; lock_sock() held.
 * Return: the address, without a reference, valid while the socket is locked;
 * NULL if the endpoint is unnamed.
 */
struct altconn_addr *altconn_sock_own_addr(const struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->addr,
					 lockdep_sock_is_held(sk));
}

/*
 * Return whether a claim excludes other claims. The claim of a failed attempt
 * does not, though its socket keeps the attempt.
 */
static bool claim_is_exclusive(const struct altconn_claim *claim)
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

/*
 * Add @new to the table, unless the same addresses are claimed already. Return
 * 0, -EADDRINUSE or -ENOMEM.
 */
static int claim_link(struct altconn_bind *bind, struct altconn_claim *new)
{
	struct altconn_claim *old;

	lockdep_assert_held(altconn_bind_stripe_of(bind));
	old = rhashtable_lookup(&claim_table, new, claim_params);
	if (old && claim_is_exclusive(old))
		return -EADDRINUSE;
	claim_unlink(old);
	claim_unlink(bind->claim);
	if (rhashtable_insert_fast(&claim_table, &new->node, claim_params))
		return -ENOMEM;
	new->linked = true;
	return 0;
}

/*
 * Return whether the server's end of @assoc has its addresses still: the
 * attempt has not failed, and the end is not closed.
 */
static bool claim_server_is_open(const struct altconn_assoc *assoc)
{
	return altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_CLOSED &&
	       !READ_ONCE(assoc->end[ALTCONN_SERVER].closed);
}

/*
 * Return whether another socket claims the pair @client, @server, and either
 * its association is not made yet or the server's end has its addresses still.
 */
static bool claim_has_client(const struct altconn_bind *bind,
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
		held = !found->assoc || claim_server_is_open(found->assoc);
	spin_unlock(stripe);
	rcu_read_unlock();
	return held;
}

/*
 * Return whether a client that is bound to @client, and does not share it, has
 * an association with @server, and the server's end has its addresses still.
 * Such a client has no claim, because no other socket can be bound to its
 * address.
 */
static bool claim_has_lone_client(const struct net *net, int type,
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
	/*
	 * The struct sock of a stream is not freed by RCU. The stripe lock
	 * keeps it, because the binding leaves the table, under that lock,
	 * before the last reference is dropped.
	 */
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
	       claim_server_is_open(assoc) &&
	       altconn_addr_equal(altconn_assoc_addr(assoc, ALTCONN_CLIENT,
						     ALTCONN_CLIENT), client) &&
	       altconn_addr_equal(altconn_assoc_addr(assoc, ALTCONN_SERVER,
						     ALTCONN_CLIENT), server);
	altconn_assoc_put(assoc);
	return held;
}

/*
 * Return -EADDRINUSE if the server's end of an association has the addresses of
 * a new attempt: local address @server, remote address @client. Else return 0.
 *
 * The server's end has no claim, so that accept() need not pay for one. It is
 * found by its client instead, which has the same two addresses in reverse
 * order. Both addresses are as the client's namespace, @net, writes them.
 */
static int claim_check_server(const struct altconn_bind *bind,
			      const struct net *net,
			      struct altconn_addr *client,
			      struct altconn_addr *server)
{
	return claim_has_client(bind, net, client, server) ||
	       claim_has_lone_client(net, bind->type, client, server) ?
	       -EADDRINUSE : 0;
}

/*
 * Check as claim_check_server(), for a client on another node. @own is the
 * local address of the new attempt, and @dest is its destination.
 */
static noinline int claim_check_server_xns(const struct altconn_bind *bind,
					   struct altconn_addr *own,
					   const struct altconn_addr *dest)
{
	struct altconn_addr client, *server;
	struct net *net;
	u32 reason;
	int err = 0;

	net = altconn_node_get_net(bind->net, dest, &client, &reason);
	/* The attempt fails later, when it finds that the node is not there. */
	if (IS_ERR(net))
		return 0;
	client.xns = false;
	server = altconn_node_translate(net, bind->net, own);
	if (IS_ERR(server)) {
		err = PTR_ERR(server);
	} else if (server) {
		err = claim_check_server(bind, net, &client, server);
		altconn_addr_put(server);
	}
	put_net(net);
	return err;
}

/**
 * altconn_claim_add() - claim the addresses of an attempt
 * @sk: the endpoint, bound to a shared address; it has its local address
 *	already
 * @dest: the destination, not on the stack; the claim takes a reference
 *
 * No two associations of a socket type may have the same local and the same
 * remote address. The claim replaces the claim of an attempt before.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0; -EADDRINUSE: another socket has such an association (E-ADDRINUSE);
 * -ENOMEM. After an error the binding may have the new claim, which the caller
 * drops.
 */
int altconn_claim_add(struct sock *sk, struct altconn_addr *dest)
{
	struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr *own = altconn_sock_own_addr(sk);
	struct altconn_claim *new = claim_new(bind, own, dest);
	int err;

	if (!new)
		return -ENOMEM;
	rcu_read_lock();
	spin_lock(altconn_bind_stripe_of(bind));
	err = claim_link(bind, new);
	if (!err)
		swap(bind->claim, new);
	spin_unlock(altconn_bind_stripe_of(bind));
	rcu_read_unlock();
	/*
	 * This is the new claim after an error, else the claim of the attempt
	 * before.
	 */
	claim_free(new);
	if (err)
		return err;
	/*
	 * Check the server's end after the claim is in the table. If two
	 * attempts go from one address to the other and back at the same time,
	 * at least one of them then finds the claim of the other attempt.
	 */
	return likely(!dest->xns) ?
	       claim_check_server(bind, bind->net, dest, own) :
	       claim_check_server_xns(bind, own, dest);
}

/**
 * __altconn_claim_set_assoc() - record the association of a claim
 * @bind: a binding with a claim that has no association yet
 * @assoc: the association; the claim takes a reference
 *
 * Context: process; lock_sock() held; takes the stripe lock.
 */
void __altconn_claim_set_assoc(struct altconn_bind *bind,
			       struct altconn_assoc *assoc)
{
	spin_lock(altconn_bind_stripe_of(bind));
	bind->claim->assoc = altconn_assoc_get(assoc);
	spin_unlock(altconn_bind_stripe_of(bind));
}

/**
 * altconn_claim_init() - allocate the tables of bindings and of claims
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_claim_init(void)
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
 * altconn_claim_exit() - undo altconn_claim_init()
 *
 * Context: process, may sleep; no endpoint is left.
 */
void altconn_claim_exit(void)
{
	rhashtable_destroy(&claim_table);
	altconn_bind_table_exit();
}
