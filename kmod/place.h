/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PLACE_H
#define _ALTCONN_PLACE_H

#include <linux/list_bl.h>
#include <linux/path.h>
#include "altconn.h"
#include "addr.h"

struct altconn_claim;
struct altconn_listener;

/* What the key of a place is made of. */
enum altconn_place_level {
	ALTCONN_PLACE_ADDR,	/* the whole address */
	ALTCONN_PLACE_ONLY6,	/* likewise, of :: with IPV6_V6ONLY */
	ALTCONN_PLACE_PORT,	/* an inet port, whatever the IP address */
};

/* Sorts of bindings that a place counts. */
enum altconn_place_what {
	ALTCONN_PLACE_ALL,
	ALTCONN_PLACE_HARD,	/* exclude others that have SO_REUSEADDR too */
	ALTCONN_PLACE_LISTENING,
	ALTCONN_PLACE_SORTS,
};

/* An IPv4 address, 0.0.0.0, an IPv6 address, ::, :: with IPV6_V6ONLY. */
#define ALTCONN_PLACE_CLASSES	5

/**
 * struct altconn_place - an address, or an inet port, that bindings have
 * @node: link in a chain of the table; under the chain's bit lock, since a chain has
 *	places of other stripes too
 * @host: the binding that this is a part of; its address is the key
 * @hash: of the key
 * @n: bindings
 * @level: enum altconn_place_level
 * @binds: the bindings, the last one first
 * @listeners: those of them that listen; none at the level of a port
 * @count: how many bindings of each sort; not used at the level of a port
 *
 * Lifetime: in the table from the first binding to the last one. @host is the
 * first one; the place holds a reference to the address of @host, and so to the
 * memory of both. All but lookups are under the stripe.
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
 * struct altconn_port_place - an inet port that bindings have
 * @place: the place
 * @count: how many bindings of each sort, by what they are bound to
 */
struct altconn_port_place {
	struct altconn_place	place;
	u32			count[ALTCONN_PLACE_CLASSES]
				     [ALTCONN_PLACE_SORTS];
};

/**
 * struct altconn_bind - an entry of the table of bound addresses
 * @link: in @place's list
 * @listener_link: in @place's list of listeners
 * @port_link: in @port's list
 * @place: the place of its address
 * @port: the place of its port, inet addresses, or NULL
 * @net: namespace, NULL for paths: they are the machine's
 * @type: socket type; part of the key but for paths
 * @auto_bound: made by the family, dissolved with the association
 * @reuse: SO_REUSEADDR was set when it was bound
 * @share: ALTCONN_SHARE_ADDRESS or SO_REUSEPORT was
 * @uid: the effective user id of the caller then
 * @v6only: of ::, serves no IPv4
 * @reachable: from other nodes too
 * @listens: it has, or is about to have, a listener; its stripe
 * @hash: of what its stripe covers
 * @addr: @own
 * @sk: the endpoint; valid under RCU while the entry can be found
 * @claim: with @reuse or @share: of the endpoint's association, or NULL; its
 *	stripe
 * @listener: its listener, or NULL; written under its stripe
 * @path: paths: pins the inode, so that its address stays this socket's
 * @own_place: @place, of the binding that is there first
 * @own: its address; allocated only as long as that is, and behind it @port of
 *	the binding that is there first, inet addresses
 *
 * Lifetime: owned by one endpoint, ask->bind. Found only under RCU; taken out
 * of the table by altconn_unbind() when the endpoint closes or dissolves, so no
 * reader can find it after a grace period. That drops one reference to @own; the
 * memory of both goes with the last. Its places hold references too while they
 * are in the table.
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

/* The exact address; less close are any address of its version, then :: */
#define ALTCONN_CLOSEST		3

extern const struct hlist_head altconn_bind_none;

/* All bindings of a place; under RCU. */
#define altconn_bind_for_each(bind, place)				\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(place), link)

/* Those that listen. */
#define altconn_bind_for_each_listener(bind, place)			\
	hlist_for_each_entry_rcu(bind, altconn_place_listeners(place),	\
				 listener_link)

/* Those of altconn_bind_port(). */
#define altconn_bind_for_each_port(bind, port)				\
	hlist_for_each_entry_rcu(bind, altconn_place_binds(port),	\
				 port_link)

#define BIND_STRIPES	256

/**
 * struct place_owner - the bindings of one user that share addresses
 * @node: link in owner_table
 * @place: the place that they are bound to; compared, and not followed
 * @uid: the user
 * @n: bindings
 * @count: as of struct altconn_port_place; of an address, in the first row
 * @rcu: frees it
 *
 * Lifetime: made with the first such binding and freed with the last one, under
 * the stripe; readers of the hash chain may see it for a grace period.
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

u32 altconn_place_hash(const struct net *net, u8 type,
		       const struct altconn_addr *addr, u8 level);
u32 altconn_bind_stripe_hash(const struct net *net, u8 type,
			     const struct altconn_addr *addr);
spinlock_t *altconn_bind_stripe(const struct net *net, int type,
				const struct altconn_addr *addr);
u32 altconn_bind_hash(const struct net *net, int type,
		      const struct altconn_addr *addr);
spinlock_t *altconn_bind_lock(const struct altconn_bind *bind);
void altconn_place_link(struct altconn_place *place);
void altconn_place_unlink(struct altconn_place *place);
struct altconn_place *altconn_place_find_like(const struct altconn_bind *bind,
					      const struct altconn_place *own);
u8 altconn_place_level(const struct altconn_bind *bind);
struct altconn_place *altconn_bind_place(const struct net *net, int type,
					 const struct altconn_addr *addr,
					 unsigned int closeness);
struct altconn_place *altconn_bind_port(const struct net *net, int type,
					const struct altconn_addr *addr);
unsigned int altconn_bind_score(const struct altconn_bind *bind,
				const struct altconn_addr *addr);
struct altconn_bind *altconn_bind_find(const struct net *net, int type,
				       const struct altconn_addr *addr);
struct altconn_addr *altconn_bind_addr(struct net *net, int type,
				       const struct altconn_addr *addr);
struct place_owner *altconn_owner_find(const struct altconn_place *place,
				       kuid_t uid);
void altconn_owner_leave(struct altconn_place *place, kuid_t uid);
int altconn_owner_join(struct altconn_place *place, kuid_t uid,
		       struct place_owner **spare);
int altconn_owner_table_alloc(struct place_owner **spares);
u32 altconn_bind_spread(const struct altconn_addr *from, u32 n);
int __init altconn_bind_table_init(void);
void altconn_bind_table_exit(void);

/**
 * altconn_bind_size() - the bytes of a binding
 * @addr: its address
 */
static inline size_t altconn_bind_size(const struct altconn_addr *addr)
{
	size_t size = offsetof(struct altconn_bind, own.bytes) + addr->len;

	if (addr->kind == ALTCONN_KIND_INET)
		size += sizeof(struct altconn_port_place);
	return size;
}

/* The bindings of a place, which may be NULL. */
static inline const struct hlist_head *
altconn_place_binds(const struct altconn_place *place)
{
	return place ? &place->binds : &altconn_bind_none;
}

static inline const struct hlist_head *
altconn_place_listeners(const struct altconn_place *place)
{
	return place ? &place->listeners : &altconn_bind_none;
}

#endif /* _ALTCONN_PLACE_H */
