// SPDX-License-Identifier: GPL-2.0
/*
 * Places: the table of bound addresses, and lookups in it.
 *
 * A place is an address, or an inet port, with at least one binding. One hash
 * table has the places of all network namespaces, with these keys:
 *
 *	port, name, inet address	namespace, socket type, address
 *	inet port			namespace, socket type, port
 *	path				inode of the socket file
 *
 * The place of an inet port has a pointer to the place of one address of the
 * port, which is not in the hash table. So a port with one address, as most
 * are, needs one hash only. The table has the places of all further addresses.
 *
 * A lookup tries the place of the destination address first, then the places of
 * the wildcard addresses, in the order of ALTCONN_CLOSEST. So bindings of the
 * port at other IP addresses do not slow a lookup down.
 *
 * A short connection adds places and removes them again, so both must be cheap.
 * The number of chains is fixed when the module is loaded, and depends on the
 * memory of the machine, as with the tables of TCP.
 *
 * Lookups run under RCU. Changes are made under a stripe, which is one of an
 * array of spinlocks. All places, bindings and counters of one port, name or
 * path have the same stripe, which is held for a bounded time only. The hash is
 * a hsiphash with a random key, so a user can choose neither a chain nor a
 * stripe.
 */

#include <linux/mm.h>
#include <linux/rculist_bl.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/netns/hash.h>
#include "addr.h"
#include "place.h"

/* Bounds of the number of chains of the table of places. */
#define PLACE_CHAINS_MIN	4096UL
#define PLACE_CHAINS_MAX	1048576UL

/* The empty list that a walk of the place NULL uses. */
const struct hlist_head altconn_place_no_binds;

/* The chains of the hash table of places. */
static struct hlist_bl_head *place_chains __read_mostly;

/* Number of chains, a power of two, less 1. */
static u32 place_mask __read_mostly;

/* The struct place_owner of all places, by place and user. */
static struct rhashtable owner_table;

static spinlock_t place_stripes[ALTCONN_PLACE_STRIPES];

/* The random key of all hashes in this file. */
static hsiphash_key_t place_secret __read_mostly;

struct owner_key {
	const struct altconn_place	*place;
	kuid_t				uid;
};

struct place_key {
	const struct net		*net;
	const struct altconn_addr	*addr;
	u32				hash;
	u8				type;
	u8				level;
};

/*
 * Hash an inet address. The function is not inlined, so that
 * place_hash() needs no stack for @words for the other kinds.
 */
static noinline u32 place_hash_inet(const struct altconn_addr *addr,
				    const hsiphash_key_t *secret)
{
	u32 words[6] = { addr->port, addr->node };

	memcpy(words + 2, addr->bytes, sizeof(struct in6_addr));
	return hsiphash(words, sizeof(words), secret);
}

/*
 * Hash the key of a place. At level ALTCONN_PLACE_PORT only the port of @addr
 * is used. For a path, @net, @type and @level are ignored.
 *
 * The members of the key that bind() does not choose freely go into the secret,
 * which saves a second hash of a name. With another secret it is another hash.
 */
static u32 place_hash(const struct net *net, u8 type,
		      const struct altconn_addr *addr, u8 level)
{
	hsiphash_key_t secret = place_secret;

	if (addr->kind == ALTCONN_KIND_PATH)
		return hsiphash_2u32((unsigned long)addr->inode,
				     (u64)(unsigned long)addr->inode >> 32,
				     &secret);
	secret.key[0] ^= net_hash_mix(net) ^
			 (type << 24 | addr->kind << 20 | level << 16);
	/* An inet port has 16 bits. */
	if (level == ALTCONN_PLACE_PORT)
		return hsiphash_1u32(addr->port, &secret);
	if (addr->kind == ALTCONN_KIND_INET)
		return place_hash_inet(addr, &secret);
	secret.key[1] ^= addr->node;
	if (addr->kind == ALTCONN_KIND_NAME)
		return hsiphash(addr->bytes, addr->len, &secret);
	return hsiphash_1u32(addr->port, &secret);
}

/**
 * altconn_place_stripe_hash() - compute the hash that selects a stripe
 * @net: the namespace
 * @type: socket type
 * @addr: canonical address; of an inet address, only the port is used, because
 *	all IP addresses of a port have the same stripe
 *
 * Context: any.
 * Return: the hash.
 */
u32 altconn_place_stripe_hash(const struct net *net, u8 type,
			      const struct altconn_addr *addr)
{
	return place_hash(net, type, addr,
			  addr->kind == ALTCONN_KIND_INET ?
				  ALTCONN_PLACE_PORT : ALTCONN_PLACE_ADDR);
}

/**
 * altconn_place_stripe() - return the stripe lock of a port, name or path
 * @net: the namespace
 * @type: socket type
 * @addr: canonical address
 *
 * Context: any.
 * Return: the lock.
 */
spinlock_t *altconn_place_stripe(const struct net *net, int type,
				 const struct altconn_addr *addr)
{
	return &place_stripes[altconn_place_stripe_hash(net, type, addr) %
			     ALTCONN_PLACE_STRIPES];
}

/**
 * altconn_place_hash() - hash a whole address
 * @net: the namespace; ignored for paths
 * @type: socket type; ignored for paths
 * @addr: canonical address
 *
 * Context: any.
 * Return: the hash, which users cannot predict.
 */
u32 altconn_place_hash(const struct net *net, int type,
		       const struct altconn_addr *addr)
{
	return place_hash(net, type, addr, ALTCONN_PLACE_ADDR);
}

/**
 * altconn_place_stripe_of() - return the stripe lock of a binding
 * @bind: the binding
 *
 * Context: any.
 * Return: the lock.
 */
spinlock_t *altconn_place_stripe_of(const struct altconn_bind *bind)
{
	return &place_stripes[bind->hash % ALTCONN_PLACE_STRIPES];
}

static bool place_has_key(const struct altconn_place *place,
			  const struct place_key *key)
{
	const struct altconn_bind *host = place->host;

	if (place->hash != key->hash || place->level != key->level)
		return false;
	if (key->addr->kind != ALTCONN_KIND_PATH &&
	    (host->net != key->net || host->type != key->type))
		return false;
	if (place->level == ALTCONN_PLACE_PORT ||
	    key->addr->kind == ALTCONN_KIND_PATH)
		return altconn_addr_same_port(host->addr, key->addr);
	return altconn_addr_equal(host->addr, key->addr);
}

static struct hlist_bl_head *place_chain(u32 hash)
{
	return &place_chains[hash & place_mask];
}

static void place_add_to_chain(struct altconn_place *place)
{
	struct hlist_bl_head *chain = place_chain(place->hash);

	hlist_bl_lock(chain);
	hlist_bl_add_head_rcu(&place->node, chain);
	hlist_bl_unlock(chain);
}

static void place_remove_from_chain(struct altconn_place *place)
{
	struct hlist_bl_head *chain = place_chain(place->hash);

	hlist_bl_lock(chain);
	hlist_bl_del_rcu(&place->node);
	hlist_bl_unlock(chain);
}

/**
 * altconn_place_begin() - add a place, so that lookups find it
 * @place: the place; @host and @level are set
 * @port: the place of the port, if @place is that of an inet address; else NULL
 *
 * Context: any; the stripe lock of the place held.
 */
void altconn_place_begin(struct altconn_place *place,
			 struct altconn_port_place *port)
{
	const struct altconn_bind *host = place->host;

	if (port && !rcu_access_pointer(port->first)) {
		rcu_assign_pointer(port->first, place);
		return;
	}
	place->hash = port ? place_hash(host->net, host->type, host->addr,
					place->level) : host->hash;
	place_add_to_chain(place);
	if (port)
		WRITE_ONCE(port->n_hashed, port->n_hashed + 1);
}

/**
 * altconn_place_end() - undo altconn_place_begin()
 * @place: the place; readers may see it for a grace period
 * @port: as for altconn_place_begin()
 *
 * Context: any; the stripe lock of the place held.
 */
void altconn_place_end(struct altconn_place *place,
		       struct altconn_port_place *port)
{
	if (port && rcu_access_pointer(port->first) == place) {
		RCU_INIT_POINTER(port->first, NULL);
		return;
	}
	place_remove_from_chain(place);
	if (port)
		WRITE_ONCE(port->n_hashed, port->n_hashed - 1);
}

static u32 owner_hash(const struct altconn_place *place, kuid_t uid)
{
	return hsiphash_3u32((unsigned long)place,
			     (u64)(unsigned long)place >> 32, __kuid_val(uid),
			     &place_secret);
}

static u32 owner_hash_key(const void *data, u32 len, u32 seed)
{
	const struct owner_key *key = data;

	return owner_hash(key->place, key->uid) ^ seed;
}

static u32 owner_hash_obj(const void *data, u32 len, u32 seed)
{
	const struct place_owner *owner = data;

	return owner_hash(owner->place, owner->uid) ^ seed;
}

static int owner_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct place_owner *owner = obj;
	const struct owner_key *key = arg->key;

	return owner->place != key->place || !uid_eq(owner->uid, key->uid);
}

static const struct rhashtable_params owner_params = {
	.head_offset		= offsetof(struct place_owner, node),
	.hashfn			= owner_hash_key,
	.obj_hashfn		= owner_hash_obj,
	.obj_cmpfn		= owner_compare,
	.automatic_shrinking	= true,
};

/* Return the namespace in the key of a place: NULL for a path. */
static const struct net *place_net(const struct net *net,
				   const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_PATH ? NULL : net;
}

/*
 * Find the place with a key in the hash table. The caller holds
 * rcu_read_lock(), even under the stripe lock, because the chain also has
 * places of other stripes.
 */
static struct altconn_place *place_find_key(const struct place_key *key)
{
	struct altconn_place *place;
	struct hlist_bl_node *node;

	hlist_bl_for_each_entry_rcu(place, node, place_chain(key->hash), node)
		if (place_has_key(place, key))
			return place;
	return NULL;
}

static struct altconn_place *place_find(const struct net *net, u8 type,
					const struct altconn_addr *addr,
					u8 level)
{
	const struct place_key key = {
		.net = place_net(net, addr), .addr = addr, .type = type,
		.level = level, .hash = place_hash(net, type, addr, level),
	};

	return place_find_key(&key);
}

/**
 * altconn_place_find_for() - find the existing place of the port, name or path
 *	of a new binding
 * @bind: the new binding, not in the table yet; @hash is set
 *
 * Context: any; the stripe lock of @bind held.
 * Return: the place, for an inet address that of its port, valid while the
 * stripe lock is held; NULL if there is none.
 */
struct altconn_place *altconn_place_find_for(const struct altconn_bind *bind)
{
	const struct place_key key = {
		.net = bind->net, .addr = bind->addr, .type = bind->type,
		.level = bind->addr->kind == ALTCONN_KIND_INET ?
				 ALTCONN_PLACE_PORT : ALTCONN_PLACE_ADDR,
		.hash = bind->hash,
	};
	struct altconn_place *place;

	/*
	 * The stripe lock keeps the place in the table. RCU is for the other
	 * places in the chain.
	 */
	rcu_read_lock();
	place = place_find_key(&key);
	rcu_read_unlock();
	return place;
}

/**
 * altconn_place_find_at_port() - find the place of an inet address
 * @port: the place of its port
 * @addr: the address
 * @level: ALTCONN_PLACE_ADDR or ALTCONN_PLACE_ONLY6
 *
 * Context: any; rcu_read_lock() held.
 * Return: the place, valid until rcu_read_unlock(), or until the caller
 * releases the stripe lock; NULL if there is none.
 */
struct altconn_place *
altconn_place_find_at_port(const struct altconn_port_place *port,
			   const struct altconn_addr *addr, u8 level)
{
	const struct altconn_bind *host = port->place.host;
	struct altconn_place *first = rcu_dereference(port->first);

	if (first && first->level == level &&
	    altconn_addr_equal(first->host->addr, addr))
		return first;
	if (!READ_ONCE(port->n_hashed))
		return NULL;
	return place_find(host->net, host->type, addr, level);
}

/**
 * altconn_place_find_port() - find the place of an inet port
 * @net: the namespace
 * @type: socket type
 * @addr: an inet address; only its port is used
 *
 * Context: any; rcu_read_lock() held.
 * Return: the place, valid until rcu_read_unlock(); NULL if there is none.
 */
struct altconn_port_place *
altconn_place_find_port(const struct net *net, int type,
			const struct altconn_addr *addr)
{
	struct altconn_place *place = place_find(net, type, addr,
						 ALTCONN_PLACE_PORT);

	return place ? container_of(place, struct altconn_port_place, place) :
		       NULL;
}

/*
 * Find the place of the wildcard address that has @closeness to @addr (see
 * ALTCONN_CLOSEST), at the port of @addr. @closeness is 1 or 2.
 */
static struct altconn_place *
place_find_any(const struct altconn_port_place *port,
	       const struct altconn_addr *addr, unsigned int closeness)
{
	struct altconn_addr any = {
		.kind = ALTCONN_KIND_INET, .len = sizeof(struct in6_addr),
		.port = addr->port,
	};
	u8 level = ALTCONN_PLACE_ADDR;

	if (closeness == 2 && altconn_addr_is_v4(addr))
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
				       altconn_addr_ip(&any));
	else if (closeness == 2)
		level = ALTCONN_PLACE_ONLY6;
	return altconn_place_find_at_port(port, &any, level);
}

/**
 * altconn_place_find() - find the place of the bindings that have a given
 *	closeness to a destination
 * @net: the namespace
 * @type: socket type; ignored for paths, whose bindings may have another type
 * @addr: canonical address of the destination
 * @closeness: 1 to ALTCONN_CLOSEST
 *
 * Context: any; rcu_read_lock() held.
 * Return: the place, valid until rcu_read_unlock(); NULL if there is none. A
 * reader may find the list of the place empty, while another thread adds the
 * first binding or removes the last one.
 */
struct altconn_place *altconn_place_find(const struct net *net, int type,
					 const struct altconn_addr *addr,
					 unsigned int closeness)
{
	const struct altconn_port_place *port;

	if (addr->kind != ALTCONN_KIND_INET)
		return closeness == ALTCONN_CLOSEST ?
		       place_find(net, type, addr, ALTCONN_PLACE_ADDR) : NULL;
	port = altconn_place_find_port(net, type, addr);
	if (!port)
		return NULL;
	if (likely(closeness == ALTCONN_CLOSEST))
		return altconn_place_find_at_port(port, addr,
						  ALTCONN_PLACE_ADDR);
	return place_find_any(port, addr, closeness);
}

/**
 * altconn_place_closeness() - compute the closeness of a binding to a
 *	destination
 * @bind: a binding of the port, name or path of @addr
 * @addr: canonical address of the destination
 *
 * Context: any.
 * Return: the closeness (see ALTCONN_CLOSEST); 0 if the binding does not serve
 * @addr, or if the lookup is for another node (@addr->xns) and the binding is
 * not reachable from other nodes.
 */
unsigned int altconn_place_closeness(const struct altconn_bind *bind,
				     const struct altconn_addr *addr)
{
	bool v4;

	if (unlikely(addr->xns) && !READ_ONCE(bind->reachable))
		return 0;
	if (addr->kind != ALTCONN_KIND_INET)
		return ALTCONN_CLOSEST;
	if (altconn_addr_equal(bind->addr, addr))
		return ALTCONN_CLOSEST;
	if (!altconn_addr_is_any(bind->addr))
		return 0;
	v4 = altconn_addr_is_v4(addr);
	if (altconn_addr_is_v4(bind->addr))
		return v4 ? 2 : 0;
	if (bind->v6only)
		return v4 ? 0 : 2;
	return 1;
}

/**
 * altconn_place_find_bind() - find the closest binding that serves a
 *	destination
 * @net: the namespace; ignored for paths
 * @type: socket type; ignored for paths, whose bindings may have another type
 * @addr: canonical address of the destination; for a path, the caller keeps the
 *	inode from being freed
 *
 * Context: any; rcu_read_lock() held.
 * Return: the closest binding that serves @addr, and of several the newest,
 * valid until rcu_read_unlock(); NULL if there is none.
 */
struct altconn_bind *altconn_place_find_bind(const struct net *net, int type,
					     const struct altconn_addr *addr)
{
	unsigned int closeness = ALTCONN_CLOSEST;
	struct altconn_place *place;
	struct altconn_bind *bind;

	for (; closeness; closeness--) {
		place = altconn_place_find(net, type, addr, closeness);
		altconn_place_for_each_bind(bind, place)
			if (altconn_place_closeness(bind, addr))
				return bind;
	}
	return NULL;
}

/**
 * altconn_place_get_bound_addr() - get the address to which the closest binding
 *	that serves a destination is bound
 * @net: the namespace; ignored for paths
 * @type: socket type
 * @addr: canonical address of the destination; for a path, the caller keeps the
 *	inode from being freed
 *
 * Context: any.
 * Return: the address, with a reference that the caller owns; NULL if no
 * binding serves @addr, or if the closest one has another socket type.
 */
struct altconn_addr *
altconn_place_get_bound_addr(struct net *net, int type,
			     const struct altconn_addr *addr)
{
	struct altconn_addr *found = NULL;
	struct altconn_bind *bind;

	rcu_read_lock();
	bind = altconn_place_find_bind(net, type, addr);
	if (bind && bind->type == type &&
	    refcount_inc_not_zero(&bind->addr->refs))
		found = bind->addr;
	rcu_read_unlock();
	return found;
}

/**
 * altconn_place_owner_find() - find the struct place_owner of a user at a place
 * @place: the place
 * @uid: the user
 *
 * Context: any; the stripe lock of the place held.
 * Return: the struct, valid while the stripe lock is held; NULL if the user has
 * no binding with @share at @place.
 */
struct place_owner *altconn_place_owner_find(const struct altconn_place *place,
					     kuid_t uid)
{
	const struct owner_key key = { .place = place, .uid = uid };

	return rhashtable_lookup_fast(&owner_table, &key, owner_params);
}

/**
 * altconn_place_owner_remove_bind() - undo altconn_place_owner_add_bind()
 * @place: the place
 * @uid: the user
 *
 * Together with the last such binding, the struct place_owner is removed.
 *
 * Context: any; the stripe lock of the place held.
 */
void altconn_place_owner_remove_bind(struct altconn_place *place, kuid_t uid)
{
	struct place_owner *owner = altconn_place_owner_find(place, uid);

	if (WARN_ON_ONCE(!owner) || --owner->n)
		return;
	rhashtable_remove_fast(&owner_table, &owner->node, owner_params);
	kfree_rcu(owner, rcu);
}

/**
 * altconn_place_owner_add_bind() - add one to the number of bindings with
 *	@share that a user has at a place
 * @place: the place
 * @uid: the user
 * @spare: an allocated struct place_owner; used, and *@spare set to NULL, if
 *	this is the first such binding
 *
 * The caller updates the counters in @count of the struct place_owner.
 *
 * Context: any; the stripe lock of the place held.
 * Return: 0, and altconn_place_owner_remove_bind() undoes the call; -ENOMEM:
 * nothing has changed.
 */
int altconn_place_owner_add_bind(struct altconn_place *place, kuid_t uid,
				 struct place_owner **spare)
{
	struct place_owner *owner = altconn_place_owner_find(place, uid);

	if (!owner) {
		owner = *spare;
		owner->place = place;
		owner->uid = uid;
		if (rhashtable_insert_fast(&owner_table, &owner->node,
					   owner_params))
			return -ENOMEM;
		*spare = NULL;
	}
	owner->n++;
	return 0;
}

/**
 * altconn_place_owner_alloc_spares() - allocate the structs that a binding may
 *	need for altconn_place_owner_add_bind()
 * @spares: array of two pointers, both NULL; gets the two structs
 *
 * An inet binding has two places, and may need a struct for each. They are
 * allocated in advance, because the stripe lock is a spinlock.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM. In both cases the caller frees what is left in @spares.
 */
int altconn_place_owner_alloc_spares(struct place_owner **spares)
{
	int i;

	for (i = 0; i < 2; i++) {
		spares[i] = kzalloc(sizeof(**spares), GFP_KERNEL_ACCOUNT);
		if (!spares[i])
			return -ENOMEM;
	}
	return 0;
}

/**
 * altconn_place_select_receiver() - select one of several receivers by a hash
 *	of the sender's address
 * @from: the sender's address, or NULL
 * @n: number of receivers
 *
 * Context: any.
 * Return: a number from 0 to @n - 1, the same for each datagram of one sender.
 */
u32 altconn_place_select_receiver(const struct altconn_addr *from, u32 n)
{
	u32 hash = from ? hsiphash_2u32(from->port,
					hsiphash(from->bytes, from->len,
						 &place_secret),
					&place_secret) : 0;

	return reciprocal_scale(hash, n);
}

/**
 * altconn_place_init() - allocate the tables of places and of their owners
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_place_init(void)
{
	int i, err;

	get_random_bytes(&place_secret, sizeof(place_secret));
	for (i = 0; i < ALTCONN_PLACE_STRIPES; i++)
		spin_lock_init(&place_stripes[i]);
	place_mask = roundup_pow_of_two(clamp(totalram_pages() / 16,
					      PLACE_CHAINS_MIN,
					      PLACE_CHAINS_MAX)) - 1;
	place_chains = kvcalloc(place_mask + 1, sizeof(*place_chains),
				GFP_KERNEL);
	if (!place_chains)
		return -ENOMEM;
	err = rhashtable_init(&owner_table, &owner_params);
	if (err)
		kvfree(place_chains);
	return err;
}

/**
 * altconn_place_exit() - undo altconn_place_init()
 *
 * Context: process, may sleep; the tables are empty.
 */
void altconn_place_exit(void)
{
	rhashtable_destroy(&owner_table);
	kvfree(place_chains);
}
