/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PLACE_H
#define _ALTCONN_PLACE_H

#include <linux/list_bl.h>
#include <linux/path.h>
#include "altconn.h"
#include "addr.h"

struct altconn_claim;
struct altconn_listener;

/* What the bindings of a place have in common. */
enum altconn_place_level {
	ALTCONN_PLACE_ADDR,	/* one address */
	ALTCONN_PLACE_ONLY6,	/* the address ::, with IPV6_V6ONLY */
	ALTCONN_PLACE_PORT,	/* one inet port, at all IP addresses */
};

/*
 * Kinds of bindings that a place counts, each with its own counter. A binding
 * may be counted as several kinds.
 */
enum altconn_place_sort {
	ALTCONN_PLACE_ALL,	/* all bindings */
	/* bindings without SO_REUSEADDR, and bindings that listen */
	ALTCONN_PLACE_EXCL,
	ALTCONN_PLACE_LISTENING,/* bindings that listen */
	ALTCONN_PLACE_SORTS,
};

/* Number of values of enum place_class (bind_table.c). */
#define ALTCONN_PLACE_CLASSES	5

/**
 * struct altconn_place - an address, or an inet port, with at least one binding
 * @node: link in a chain of the hash table; written under the chain's bit lock,
 *	because a chain also has places of other stripes
 * @host: the binding whose memory contains this place, and whose namespace,
 *	type and address are the key
 * @hash: hash of the key; not set for @first of a port
 * @n: number of bindings
 * @level: enum altconn_place_level
 * @binds: the bindings, newest first
 * @listeners: the bindings that listen; empty at level ALTCONN_PLACE_PORT
 * @count: number of bindings of each sort; not used at level ALTCONN_PLACE_PORT
 *
 * Lifetime: Lookups find a place as long as it has bindings. The binding with
 * which the place begins becomes @host. The place holds a reference to the
 * address of @host, so the memory of both stays valid after @host has left the
 * table. Lookups read the place under RCU. The stripe lock protects the
 * counters and all changes.
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
 * struct altconn_port_place - a place of level ALTCONN_PLACE_PORT
 * @place: the place
 * @first: the place of one address of the port, which is not in a chain of the
 *	hash table; NULL after that place has ended
 * @n_hashed: number of other addresses of the port, whose places are in the
 *	hash table
 * @count: number of bindings of each class (enum place_class) and sort
 *
 * Most ports have bindings at one address only. A lookup finds the place of
 * that address without a second hash.
 */
struct altconn_port_place {
	struct altconn_place		place;
	struct altconn_place __rcu	*first;
	u32				n_hashed;
	u32				count[ALTCONN_PLACE_CLASSES]
					     [ALTCONN_PLACE_SORTS];
};

/**
 * struct altconn_bind - a binding, an entry of the table of bound addresses
 * @link: link in @place->binds
 * @listener_link: link in @place->listeners
 * @port_link: link in @port->place.binds
 * @place: the place of the address
 * @port: inet addresses: the place of the port; else NULL
 * @net: network namespace; NULL for paths, which all namespaces share
 * @type: socket type; part of the key, except for paths
 * @auto_bound: the module bound the endpoint without a call of bind(), so
 *	altconn_bind_local_undo() removes the binding
 * @reuse: SO_REUSEADDR was set, for a port or an inet address, when bind() was
 *	called
 * @share: ALTCONN_SHARE_ADDRESS or SO_REUSEPORT was set, for anything but a
 *	path, when bind() was called
 * @uid: effective user id of the thread that bound the endpoint
 * @v6only: IPV6_V6ONLY was set when the endpoint was bound: if the address is
 *	::, the binding does not serve IPv4
 * @reachable: endpoints on other nodes can connect and send to the binding
 * @listens: the binding counts as listening, from
 *	altconn_bind_table_reserve_listening() to
 *	altconn_bind_table_release_listening(); under the stripe lock
 * @hash: hash that selects the stripe
 * @addr: always points to @own
 * @sk: the endpoint. While the binding is in the table, the stripe lock keeps
 *	the endpoint's memory valid. For a datagram or listening endpoint,
 *	rcu_read_lock() does so too
 * @claim: with @reuse or @share: the claim of the endpoint's association, or
 *	NULL; under the stripe lock
 * @listener: the endpoint's listener, or NULL; written under the stripe lock
 * @path: paths: the socket file, a reference. It keeps the inode, so that no
 *	other inode gets the same memory address
 * @own_place: storage of @place, used if this binding is the host of @place
 * @own: the address, allocated only as long as its bytes. For inet addresses,
 *	storage of @port follows (ALTCONN_BIND_INET_SIZE), used if this binding
 *	is the host of @port
 *
 * Lifetime: The endpoint owns the binding, as ask->bind, and with it one
 * reference to @own. Other threads find the binding under RCU.
 * altconn_binding_remove() removes the binding from the table and drops that
 * reference. A place in the table holds a reference to @own of its host.
 * Associations, listeners and other users of the address may hold more. The
 * last reference to @own frees the binding and the address together, after a
 * grace period.
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
 * Size in bytes of the memory of a binding to an inet address, with the storage
 * of @port.
 */
#define ALTCONN_BIND_INET_SIZE						\
	(offsetof(struct altconn_bind, own.bytes) + sizeof(struct in6_addr) + \
	 sizeof(struct altconn_port_place))

/*
 * Closeness of a binding to a destination address:
 *
 *	3	bound to this address
 *	2	bound to the wildcard address of the same IP version: 0.0.0.0,
 *		or :: with IPV6_V6ONLY
 *	1	bound to :: without IPV6_V6ONLY
 */
#define ALTCONN_CLOSEST		3

extern const struct hlist_head altconn_place_no_binds;

/*
 * Walk all bindings of @place, which may be NULL. The place is not of level
 * ALTCONN_PLACE_PORT. The caller holds rcu_read_lock().
 */
#define altconn_place_for_each_bind(bind, place)			\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(place), link)

/* Walk the bindings of @place that listen, in the same way. */
#define altconn_place_for_each_listener(bind, place)			\
	hlist_for_each_entry_rcu(bind, altconn_place_listeners(place),	\
				 listener_link)

/*
 * Walk all bindings of @port, a struct altconn_port_place, which may be NULL.
 * The caller holds rcu_read_lock().
 */
#define altconn_place_for_each_at_port(bind, port)			\
	hlist_for_each_entry_rcu(bind, altconn_place_port_binds(port),	\
				 port_link)

#define ALTCONN_PLACE_STRIPES	256

/**
 * struct place_owner - counters of the bindings with @share that one user has
 *	at one place
 * @node: link in owner_table; @place and @uid are the key
 * @place: the place. The pointer is compared and never dereferenced
 * @uid: the user
 * @n: number of these bindings
 * @count: number of these bindings of each class and sort, as in struct
 *	altconn_port_place; for the place of an address, row 0 counts all
 * @rcu: frees the struct
 *
 * Lifetime: The first of these bindings adds the struct to owner_table and the
 * last one removes it, both under the stripe lock. A lookup of another key in
 * the same hash chain may read the struct for a grace period after that.
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

u32 altconn_place_stripe_hash(const struct net *net, u8 type,
			      const struct altconn_addr *addr);
spinlock_t *altconn_place_stripe(const struct net *net, int type,
				 const struct altconn_addr *addr);
u32 altconn_place_hash(const struct net *net, int type,
		       const struct altconn_addr *addr);
spinlock_t *altconn_place_stripe_of(const struct altconn_bind *bind);
void altconn_place_begin(struct altconn_place *place,
			 struct altconn_port_place *port);
void altconn_place_end(struct altconn_place *place,
		       struct altconn_port_place *port);
struct altconn_place *altconn_place_find_for(const struct altconn_bind *bind);
struct altconn_place *
altconn_place_find_at_port(const struct altconn_port_place *port,
			   const struct altconn_addr *addr, u8 level);
struct altconn_place *altconn_place_find(const struct net *net, int type,
					 const struct altconn_addr *addr,
					 unsigned int closeness);
struct altconn_port_place *
altconn_place_find_port(const struct net *net, int type,
			const struct altconn_addr *addr);
unsigned int altconn_place_closeness(const struct altconn_bind *bind,
				     const struct altconn_addr *addr);
struct altconn_bind *altconn_place_find_bind(const struct net *net, int type,
					     const struct altconn_addr *addr);
struct altconn_addr *
altconn_place_get_bound_addr(struct net *net, int type,
			     const struct altconn_addr *addr);
struct place_owner *altconn_place_owner_find(const struct altconn_place *place,
					     kuid_t uid);
void altconn_place_owner_remove_bind(struct altconn_place *place, kuid_t uid);
int altconn_place_owner_add_bind(struct altconn_place *place, kuid_t uid,
				 struct place_owner **spare);
int altconn_place_owner_alloc_spares(struct place_owner **spares);
u32 altconn_place_select_receiver(const struct altconn_addr *from, u32 n);
int __init altconn_place_init(void);
void altconn_place_exit(void);

/**
 * altconn_place_binds() - return the list of all bindings of a place
 * @place: the place; for NULL the list is empty
 *
 * Context: any; rcu_read_lock() held.
 * Return: the list, valid until rcu_read_unlock().
 */
static inline const struct hlist_head *
altconn_place_binds(const struct altconn_place *place)
{
	return place ? &place->binds : &altconn_place_no_binds;
}

/**
 * altconn_place_port_binds() - return the list of all bindings of an inet port
 * @port: the place of the port; for NULL the list is empty
 *
 * Context: any; rcu_read_lock() held.
 * Return: the list, valid until rcu_read_unlock().
 */
static inline const struct hlist_head *
altconn_place_port_binds(const struct altconn_port_place *port)
{
	return altconn_place_binds(port ? &port->place : NULL);
}

/**
 * altconn_place_listeners() - return the list of the bindings of a place that
 *	listen
 * @place: the place; for NULL the list is empty
 *
 * Context: any; rcu_read_lock() held.
 * Return: the list, valid until rcu_read_unlock().
 */
static inline const struct hlist_head *
altconn_place_listeners(const struct altconn_place *place)
{
	return place ? &place->listeners : &altconn_place_no_binds;
}

/**
 * altconn_place_level() - return the level of the place of a binding's address
 * @bind: the binding
 *
 * Context: any.
 * Return: ALTCONN_PLACE_ONLY6 for :: with IPV6_V6ONLY, else ALTCONN_PLACE_ADDR.
 */
static inline u8 altconn_place_level(const struct altconn_bind *bind)
{
	return bind->v6only && altconn_addr_is_wildcard(bind->addr) &&
	       !altconn_addr_is_v4(bind->addr) ? ALTCONN_PLACE_ONLY6 :
						  ALTCONN_PLACE_ADDR;
}

#endif /* _ALTCONN_PLACE_H */
