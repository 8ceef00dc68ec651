// SPDX-License-Identifier: GPL-2.0
/*
 * Claims. Several sockets may be bound to one address, with SO_REUSEADDR or
 * ALTCONN_SHARE_ADDRESS. But no two associations of a socket type may have the
 * same local and the same remote address (E-ADDRINUSE). So connect() of such a
 * socket claims the pair of its local and its remote address.
 *
 * The other association may have been made by connect() to the local address of
 * the socket. Its server's end then has the same pair. An end that accept()
 * returns has no claim, because it would slow accept() down. It is found by its
 * client, which has the pair in reverse order: see claim_check_server().
 *
 * Both checks are lookups in hash tables, so the cost of connect() does not
 * depend on the number of associations.
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
 * struct altconn_claim - reserves a local and a remote address for one
 *	association
 * @node: link in claim_table, while @linked is true
 * @linked: the claim is in claim_table; under the stripe lock
 * @type: socket type
 * @hash: hash of the key, which is @net, @type, @local and @remote
 * @net: namespace of the endpoint
 * @local: the local address of the endpoint's association, a reference
 * @remote: the remote address of the endpoint's association, a reference
 * @assoc: the association, a reference; NULL before it is made; under the
 *	stripe lock
 * @rcu: frees the claim
 *
 * Lifetime: A binding owns the claim, as bind->claim, from connect() to the end
 * of the endpoint's association. The claim of a failed attempt stays with the
 * binding until the failed attempt is dropped, but a new claim of the same
 * addresses takes its position in the table. Two claims with the same key have
 * the same local address, so one stripe lock covers both.
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
 * Compare a claim with a key, which is a claim too. Return 0 if they are equal,
 * as rhashtable requires.
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

/* Remove a claim from the table, if it is there. The stripe lock is held. */
static void claim_unlink(struct altconn_claim *claim)
{
	if (claim && claim->linked)
		rhashtable_remove_fast(&claim_table, &claim->node,
				       claim_params);
	if (claim)
		claim->linked = false;
}

/**
 * altconn_claim_drop() - end the claim of a binding, so that another socket's
 *	association may have the same addresses
 * @bind: the binding; it may have no claim
 *
 * Context: process; takes the stripe lock.
 */
void altconn_claim_drop(struct altconn_bind *bind)
{
	struct altconn_claim *claim = NULL;

	spin_lock(altconn_place_stripe_of(bind));
	swap(bind->claim, claim);
	claim_unlink(claim);
	spin_unlock(altconn_place_stripe_of(bind));
	claim_free(claim);
}

/*
 * Return whether a claim excludes other claims with the same key. A claim whose
 * association is closed, as after a failed attempt, does not.
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
	return jhash_2words(altconn_place_hash(net, type, local),
			    altconn_place_hash(net, type, remote), 0);
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
 * Add @new to the table, and remove the old claim of @bind from it. Return 0;
 * -EADDRINUSE if another claim excludes @new; -ENOMEM.
 */
static int claim_link(struct altconn_bind *bind, struct altconn_claim *new)
{
	struct altconn_claim *old;

	lockdep_assert_held(altconn_place_stripe_of(bind));
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
 * Return whether the server's end of @assoc still has its addresses: the
 * association is pending or established, and the end is not closed.
 */
static bool claim_server_is_open(const struct altconn_assoc *assoc)
{
	return altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_CLOSED &&
	       !READ_ONCE(assoc->end[ALTCONN_SERVER].closed);
}

/*
 * Return whether a socket other than that of @bind has a claim with local
 * address @client and remote address @server, whose association is not made yet
 * or has a server's end that still has its addresses.
 */
static bool claim_has_client(const struct altconn_bind *bind,
			     const struct net *net,
			     struct altconn_addr *client,
			     struct altconn_addr *server)
{
	spinlock_t *stripe = altconn_place_stripe(net, bind->type, client);
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
	/* If @client equals @server, this is the claim of @bind itself. */
	if (found && found != bind->claim)
		held = !found->assoc || claim_server_is_open(found->assoc);
	spin_unlock(stripe);
	rcu_read_unlock();
	return held;
}

/*
 * Return whether a client without a claim has an association from @client to
 * @server, whose server's end still has its addresses. A client has no claim if
 * its binding has neither @reuse nor @share. No other binding can overlap such
 * a binding, so the lookup of @client finds this client or none.
 */
static bool claim_has_client_without_claim(const struct net *net, int type,
					   const struct altconn_addr *client,
					   const struct altconn_addr *server)
{
	spinlock_t *stripe = altconn_place_stripe(net, type, client);
	struct altconn_assoc *assoc;
	const struct altconn_bind *bind;
	struct sock *sk = NULL;
	enum altconn_side side;
	bool held;

	rcu_read_lock();
	/*
	 * A stream endpoint that does not listen is freed without a grace
	 * period. The stripe lock keeps its memory: the last reference is
	 * dropped only after the binding has left the table, under that lock.
	 */
	spin_lock(stripe);
	bind = altconn_place_find_bind(net, type, client);
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
	       altconn_addr_equal(altconn_xns_addr(assoc, ALTCONN_CLIENT,
						   ALTCONN_CLIENT), client) &&
	       altconn_addr_equal(altconn_xns_addr(assoc, ALTCONN_SERVER,
						   ALTCONN_CLIENT), server);
	altconn_assoc_put(assoc);
	return held;
}

/*
 * Return -EADDRINUSE if the server's end of an association has the addresses of
 * a new attempt: local address @server, remote address @client. Else return 0.
 * @net is the namespace of that end's client, and both addresses are as seen in
 * @net. The end is found only while its client exists.
 */
static int claim_check_server(const struct altconn_bind *bind,
			      const struct net *net,
			      struct altconn_addr *client,
			      struct altconn_addr *server)
{
	return claim_has_client(bind, net, client, server) ||
	       claim_has_client_without_claim(net, bind->type, client, server) ?
	       -EADDRINUSE : 0;
}

/*
 * Translate the local address @own of the new attempt, and its destination
 * @dest, for the namespace of @dest, and call claim_check_server() with them.
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
	/* A later step of the attempt finds the same error, and returns it. */
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
 * altconn_claim_add() - claim the local and the remote address of an attempt
 * @sk: the endpoint. Its binding has @reuse or @share, and its address is the
 *	local address of the attempt
 * @dest: the destination, not on the stack; the claim takes a reference
 *
 * A claim of an earlier attempt is replaced.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0; -EADDRINUSE if an association of the same socket type has this
 * local and this remote address (E-ADDRINUSE); -ENOMEM. After an error the
 * caller calls altconn_claim_drop(), because the binding may still have a
 * claim.
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
	spin_lock(altconn_place_stripe_of(bind));
	err = claim_link(bind, new);
	if (!err)
		swap(bind->claim, new);
	spin_unlock(altconn_place_stripe_of(bind));
	rcu_read_unlock();
	/* The new claim after an error, else the claim that it has replaced. */
	claim_free(new);
	if (err)
		return err;
	/*
	 * Add the claim to the table before this check. If two sockets connect
	 * to each other's address at the same time, at least one of them then
	 * finds the claim of the other.
	 */
	return likely(!dest->xns) ?
	       claim_check_server(bind, bind->net, dest, own) :
	       claim_check_server_xns(bind, own, dest);
}

/**
 * __altconn_claim_set_assoc() - set the association of a claim
 * @bind: a binding with a claim that has no association yet
 * @assoc: the association; the claim takes a reference
 *
 * Context: process; altconn_lock() held; takes the stripe lock.
 */
void __altconn_claim_set_assoc(struct altconn_bind *bind,
			       struct altconn_assoc *assoc)
{
	spin_lock(altconn_place_stripe_of(bind));
	bind->claim->assoc = altconn_assoc_get(assoc);
	spin_unlock(altconn_place_stripe_of(bind));
}

/**
 * altconn_claim_init() - allocate the table of claims
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_claim_init(void)
{
	return rhashtable_init(&claim_table, &claim_params);
}

/**
 * altconn_claim_exit() - undo altconn_claim_init()
 *
 * Context: process, may sleep; no endpoint is left.
 */
void altconn_claim_exit(void)
{
	rhashtable_destroy(&claim_table);
}
