/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PLACE_H
#define _ALTCONN_PLACE_H

#include <linux/list_bl.h>
#include <linux/path.h>
#include "altconn.h"
#include "addr.h"

struct altconn_claim;
struct altconn_listener;

/* The key of a place. */
enum altconn_place_level {
	ALTCONN_PLACE_ADDR,	/* the whole address */
	ALTCONN_PLACE_ONLY6,	/* the address ::, of bindings with IPV6_V6ONLY */
	ALTCONN_PLACE_PORT,	/* an inet port, for all IP addresses */
};

/* The sorts of bindings that a place counts. */
enum altconn_place_sort {
	ALTCONN_PLACE_ALL,
	ALTCONN_PLACE_EXCL,	/* exclude even bindings with SO_REUSEADDR */
	ALTCONN_PLACE_LISTENING,
	ALTCONN_PLACE_SORTS,
};

/*
 * The classes of inet bindings at a port: bound to an IPv4 address, to 0.0.0.0,
 * to an IPv6 address, to ::, and to :: with IPV6_V6ONLY.
 */
#define ALTCONN_PLACE_CLASSES	5

/**
 * struct altconn_place - an address, or an inet port, with at least one binding
 * @node: link in a chain of the table; written under the chain's bit lock,
 *	because a chain also holds places of other stripes
 * @host: the binding that contains this place; its address is the key
 * @hash: hash of the key
 * @n: number of bindings
 * @level: enum altconn_place_level
 * @binds: the bindings, newest first
 * @listeners: the bindings that listen; empty at level ALTCONN_PLACE_PORT
 * @count: number of bindings of each sort; not used at level ALTCONN_PLACE_PORT
 *
 * Lifetime: A place is in the table from its first binding to its last one.
 * @host is the first binding. The place holds a reference to the address of
 * @host, which keeps the memory of the binding and of the place. Lookups run
 * under RCU; all other access is under the stripe lock.
 */
struct altconn_place {
	struct hlist_bl_node	node;
	struct altconn_bind	*host;
	u32			hash;
	u32			n;
	struct hlist_head	binds;
	struct hlist_head	listeners;
	u32			count[ALTCONN_PLACE_SORTS];
	u8			level;
};

/**
 * struct altconn_port_place - an inet port with at least one binding
 * @place: the place
 * @count: number of bindings of each sort, by the class of the binding
 */
struct altconn_port_place {
	struct altconn_place	place;
	u32			count[ALTCONN_PLACE_CLASSES]
				     [ALTCONN_PLACE_SORTS];
};

/**
 * struct altconn_bind - a binding, an entry of the table of bound addresses
 * @link: link in @place->binds
 * @listener_link: link in @place->listeners
 * @port_link: link in the list of bindings of @port
 * @place: the place of the address
 * @port: inet addresses: the place of the port; else NULL
 * @net: network namespace; NULL for paths, which all namespaces share
 * @type: socket type; part of the key, except for paths
 * @auto_bound: the module bound the endpoint without a call of bind(); the
 *	binding is given up with the association
 * @reuse: SO_REUSEADDR was set when the endpoint was bound
 * @share: ALTCONN_SHARE_ADDRESS or SO_REUSEPORT was set when the endpoint was
 *	bound
 * @uid: effective user id of the caller that bound the endpoint
 * @v6only: a binding to :: does not serve IPv4
 * @reachable: other nodes reach the binding too
 * @listens: the endpoint has a listener or is about to get one; under the
 *	stripe lock
 * @hash: hash that selects the stripe
 * @addr: points to @own
 * @sk: the endpoint; while the binding is in the table, valid under the stripe
 *	lock and, if the endpoint is a datagram or listening socket, under RCU
 * @claim: with @reuse or @share: the claim of the endpoint's association, or
 *	NULL; under the stripe lock
 * @listener: the endpoint's listener, or NULL; written under the stripe lock
 * @path: paths: pins the inode, so that no other file gets an inode at the same
 *	memory address
 * @own_place: storage of @place, if this binding is the first one of its
 *	address
 * @own: the address; allocated only as long as the address needs. For inet
 *	addresses, storage of @port follows, which is used if this binding is
 *	the first one of its port
 *
 * Lifetime: One endpoint owns the binding, as ask->bind. Other code finds the
 * binding only under RCU. altconn_unbind() removes the binding from the table
 * when the endpoint closes or dissolves, so no reader finds it after a grace
 * period. That drops one reference to @own. Its places hold references to @own
 * too while they are in the table. The last reference to @own frees the binding
 * and the address together.
 */
struct altconn_bind {
	struct hlist_node		link;
	struct hlist_node		listener_link;
	struct hlist_node		port_link;
	struct altconn_place		*place;
	struct altconn_port_place	*port;
	struct net			*net;
	u8				type;
	bool				auto_bound;
	bool				reuse;
	bool				share;
	kuid_t				uid;
	bool				v6only;
	bool				reachable;
	bool				listens;
	u32				hash;
	struct altconn_addr		*addr;
	struct altconn_claim		*claim;
	struct sock			*sk;
	struct altconn_listener __rcu	*listener;
	struct path			path;
	struct altconn_place		own_place;
	struct altconn_addr		own;
};

/*
 * Closeness of the exact address. The wildcard address of the same IP version
 * has 2, and the dual-stack :: has 1.
 */
#define ALTCONN_CLOSEST		3

extern const struct hlist_head altconn_bind_none;

/* Walk all bindings of a place, which may be NULL. Under RCU. */
#define altconn_bind_for_each(bind, place)				\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(place), link)

/* Walk the bindings of a place that listen. Under RCU. */
#define altconn_bind_for_each_listener(bind, place)			\
	hlist_for_each_entry_rcu(bind, altconn_place_listeners(place),	\
				 listener_link)

/* Walk all bindings of a place that altconn_bind_find_port() returned. Under RCU. */
#define altconn_bind_for_each_port(bind, port)				\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(port),	\
				 port_link)

#define ALTCONN_BIND_STRIPES	256

/**
 * struct place_owner - one user's bindings that share one place
 * @node: link in owner_table
 * @place: the place; compared, never followed
 * @uid: the user
 * @n: number of bindings
 * @count: number of bindings of each sort, by class, as in struct
 *	altconn_port_place; for the place of an address only the first row is
 *	used
 * @rcu: frees the struct
 *
 * Lifetime: The first such binding makes the struct and the last one frees it,
 * both under the stripe lock. Readers of the hash chain may see it for a grace
 * period.
 */
struct place_owner {
	struct rhash_head		node;
	const struct altconn_place	*place;
	kuid_t				uid;
	u32				n;
	u32				count[ALTCONN_PLACE_CLASSES]
					     [ALTCONN_PLACE_SORTS];
	struct rcu_head			rcu;
};

struct altconn_place *altconn_place_find_hashed(const struct net *net, u8 type,
						const struct altconn_addr *addr,
						u8 level, u32 hash);
bool altconn_bind_addr_is_any(const struct altconn_addr *addr);
u32 altconn_place_hash(const struct net *net, u8 type,
		       const struct altconn_addr *addr, u8 level);
u32 altconn_bind_stripe_hash(const struct net *net, u8 type,
			     const struct altconn_addr *addr);
spinlock_t *altconn_bind_stripe(const struct net *net, int type,
				const struct altconn_addr *addr);
u32 altconn_bind_hash(const struct net *net, int type,
		      const struct altconn_addr *addr);
spinlock_t *altconn_bind_stripe_of(const struct altconn_bind *bind);
void altconn_place_link(struct altconn_place *place);
void altconn_place_unlink(struct altconn_place *place);
struct altconn_place *altconn_bind_find_place(const struct net *net, int type,
					      const struct altconn_addr *addr,
					      unsigned int closeness);
struct altconn_place *altconn_bind_find_port(const struct net *net, int type,
					     const struct altconn_addr *addr);
unsigned int altconn_bind_compute_score(const struct altconn_bind *bind,
					const struct altconn_addr *addr);
struct altconn_bind *altconn_bind_find(const struct net *net, int type,
				       const struct altconn_addr *addr);
struct altconn_addr *altconn_bind_find_addr(struct net *net, int type,
					    const struct altconn_addr *addr);
struct place_owner *altconn_owner_find(const struct altconn_place *place,
				       kuid_t uid);
void altconn_owner_remove_bind(struct altconn_place *place, kuid_t uid);
int altconn_owner_add_bind(struct altconn_place *place, kuid_t uid,
			   struct place_owner **spare);
int altconn_owner_alloc_spares(struct place_owner **spares);
u32 altconn_bind_select_receiver(const struct altconn_addr *from, u32 n);
int __init altconn_bind_table_init(void);
void altconn_bind_table_exit(void);

/**
 * altconn_bind_size() - compute the size of a binding
 * @addr: the address of the binding
 *
 * Context: any.
 * Return: the size in bytes.
 */
static inline size_t altconn_bind_size(const struct altconn_addr *addr)
{
	size_t size = offsetof(struct altconn_bind, own.bytes) + addr->len;

	if (addr->kind == ALTCONN_KIND_INET)
		size += sizeof(struct altconn_port_place);
	return size;
}

/**
 * altconn_place_binds() - return the list of all bindings of a place
 * @place: the place, or NULL, which has an empty list
 *
 * Context: RCU read side.
 * Return: the list, valid within the RCU read side.
 */
static inline const struct hlist_head *
altconn_place_binds(const struct altconn_place *place)
{
	return place ? &place->binds : &altconn_bind_none;
}

/**
 * altconn_place_listeners() - return the listening bindings of a place
 * @place: the place, or NULL, which has an empty list
 *
 * Context: RCU read side.
 * Return: the list, valid within the RCU read side.
 */
static inline const struct hlist_head *
altconn_place_listeners(const struct altconn_place *place)
{
	return place ? &place->listeners : &altconn_bind_none;
}

/**
 * altconn_place_find_for() - find the place that a new binding would join
 * @bind: the new binding, not in the table yet
 * @own: a place inside @bind; its level and hash say which place to find
 *
 * Context: any; the stripe lock of @bind held.
 * Return: the place, valid while the stripe lock is held; NULL if there is
 * none.
 */
static inline struct altconn_place *
altconn_place_find_for(const struct altconn_bind *bind,
		       const struct altconn_place *own)
{
	struct altconn_place *place;

	/* The place stays in the table as long as the stripe lock is held. */
	rcu_read_lock();
	place = altconn_place_find_hashed(bind->net, bind->type, bind->addr, own->level,
					  own->hash);
	rcu_read_unlock();
	return place;
}

/**
 * altconn_place_level() - return the level of the place of a binding's address
 * @bind: the binding
 *
 * A binding to :: has one of two places, depending on IPV6_V6ONLY.
 *
 * Context: any.
 * Return: ALTCONN_PLACE_ONLY6 for :: with IPV6_V6ONLY, else ALTCONN_PLACE_ADDR.
 */
static inline u8 altconn_place_level(const struct altconn_bind *bind)
{
	return bind->v6only && altconn_bind_addr_is_any(bind->addr) &&
	       !altconn_addr_is_v4(bind->addr) ? ALTCONN_PLACE_ONLY6 :
						  ALTCONN_PLACE_ADDR;
}

#endif /* _ALTCONN_PLACE_H */
