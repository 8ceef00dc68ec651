/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting rooms: attempts that wait at an address, and the listeners that serve
 * it.
 *
 * There is a room for each port, name and path at which an attempt waits or an
 * endpoint listens. A room has a lane for each of its addresses: one for a
 * port, a name or a path, and of inet addresses one for each IP address. An
 * attempt stands in the lane of the address that it asked for until it is
 * decided: a listener that opens or closes moves no attempt.
 *
 *	room ---- lane 127.0.0.1 ---- attempts, listeners bound to 127.0.0.1
 *	    \---- lane 10.0.0.1 ----- attempts (pooled: no listener of its own)
 *	    \---- listeners bound to 0.0.0.0, to :: with IPV6_V6ONLY, to ::
 *
 * As with TCP the closest listener serves an address: one that is bound to it,
 * else one of any address of its version, else of IPv4 one bound to :: without
 * IPV6_V6ONLY. The lanes without a listener of their own are the pool, sorted
 * by the arrival of their first attempts, one pool for each version. So a
 * wildcard listener finds the attempt that has waited longest in O(log n) of
 * the lanes that it serves, however many attempts wait for other listeners of
 * its port.
 *
 * The attempts of one user in a room are at most half of max_waiting, rounded
 * up, so that the attempts of other users find places. A room counts the
 * attempts of each user that has one in it, in a tree of shares.
 *
 * Everything in a room is under its lock, but for its references. This file
 * and room.c only keep order; attempt.c decides.
 */
#ifndef _ALTCONN_ROOM_H
#define _ALTCONN_ROOM_H

#include "altconn.h"

struct altconn_addr;
struct altconn_listener;
struct altconn_wait;

#define _ALTCONN_ROOM_H

/* The queues of a lane. */
enum altconn_fifo {
	ALTCONN_FIFO_NEAR,	/* attempts of this node that want a listener now */
	ALTCONN_FIFO_PATIENT,	/* that wait for one (ALTCONN_WAIT_LISTENER) */
	ALTCONN_FIFO_FAR,	/* of other nodes */
	ALTCONN_FIFOS
};

/**
 * struct altconn_group - listeners that share an address
 * @open: listeners that may have room
 * @full: listeners that are exhausted
 * @defer: listeners that establish in accept() alone
 * @n: all of them
 * @n_queueing: those that do not fail fast
 */
struct altconn_group {
	struct list_head	open;
	struct list_head	full;
	struct list_head	defer;
	u32			n;
	u32			n_queueing;
};

/**
 * struct altconn_lane - an address of a room
 * @node: in room->lanes
 * @pooled: in room->pool, while attempts wait and no listener is bound to it
 * @refusable: in room->refusable, likewise, while @fifo has attempts that are
 *	refused when no listener serves them
 * @first: sorts @pooled: the lowest of its attempts' numbers
 * @waiting: attempts in @fifo
 * @is_inet: the next three count
 * @v6: version of @ip
 * @scope: interface of a link-local @ip
 * @ip: IPv4 as v4-mapped
 * @fifo: attempts that wait, in order of arrival
 * @group: the listeners that are bound to it: not reachable, and reachable,
 *	from other nodes
 *
 * Lifetime: the room's, while it has an attempt or a listener.
 */
struct altconn_lane {
	struct rb_node		node;
	struct rb_node		pooled;
	struct list_head	refusable;
	u64			first;
	u32			waiting;
	bool			is_inet;
	bool			v6;
	u32			scope;
	struct in6_addr		ip;
	struct rb_root_cached	fifo[ALTCONN_FIFOS];
	struct altconn_group	group[2];
};

/**
 * struct altconn_share - a user's part of a room
 * @node: in room->shares
 * @user: altconn_payer_key_in() of the namespace where the attempts wait
 * @waiting: attempts of the user that wait in the room, at whichever address
 *
 * Lifetime: the room's, while an attempt of the user waits in it.
 */
struct altconn_share {
	struct rb_node	node;
	u64		user;
	u32		waiting;
};

/* Groups of wildcard listeners. */
enum altconn_any { ALTCONN_ANY_V4, ALTCONN_ANY_V6ONLY, ALTCONN_ANY_BOTH,
		   ALTCONN_ANYS };

/**
 * struct altconn_room - a waiting room
 * @refs: see below
 * @lock: everything below but @rcu, and the lists of its listeners
 * @dead: it is out of the table and empty
 * @type: socket type; part of the key
 * @hash: of the key
 * @net: namespace, NULL of a path; compared, never followed
 * @addr: the key: of inet addresses the port alone counts; a reference
 * @node: in the table
 * @arrived: number of the last attempt
 * @lanes: its addresses
 * @shares: the users whose attempts wait, sorted by key
 * @pool: lanes without a listener of their own, by version
 * @refusable: those of them with attempts that no listener may leave waiting
 * @pooled: attempts in @pool
 * @any: wildcard listeners
 * @rcu: frees it
 *
 * Lifetime: references are held by the table, by the listeners that serve it
 * and have served it, by the attempts that wait and have waited in it, and by
 * calls under way. It leaves the table, dead, when the last listener or attempt
 * leaves it, under its lock: a lookup that comes later makes a new one.
 */
struct altconn_room {
	refcount_t		refs;
	spinlock_t		lock;		/* queues, listeners */
	bool			dead;
	u8			type;
	u32			hash;
	const struct net	*net;
	struct altconn_addr	*addr;
	struct rhash_head	node;
	u64			arrived;
	struct rb_root		lanes;
	struct rb_root		shares;
	struct rb_root_cached	pool[2];
	struct list_head	refusable[2];
	u32			pooled[2];
	struct altconn_group	any[ALTCONN_ANYS];
	struct rcu_head		rcu;
};

/**
 * struct altconn_serving - the groups of listeners that serve an address
 * @group: the groups
 * @n: how many
 */
struct altconn_serving {
	struct altconn_group	*group[2];
	unsigned int		n;
};

void altconn_room_free(struct altconn_room *room);
struct altconn_room *altconn_room_lock(const struct net *net, int type,
				       struct altconn_addr *addr);
void altconn_room_unlock(struct altconn_room *room);
void altconn_room_push(struct altconn_room *room, struct altconn_lane *lane,
		       struct altconn_share *share, struct altconn_wait *wait);
void altconn_room_remove(struct altconn_room *room, struct altconn_wait *wait);
u32 altconn_room_place(const struct altconn_room *room,
		       const struct altconn_wait *wait);
void altconn_room_join(struct altconn_room *room, struct altconn_listener *ln,
		       struct altconn_lane **spare);
void altconn_room_quit(struct altconn_room *room, struct altconn_listener *ln);
void altconn_room_set_fail_fast(struct altconn_room *room,
				struct altconn_listener *ln, bool fail_fast);
struct altconn_serving altconn_room_serving_pool(struct altconn_room *room,
						 bool v6);
struct altconn_serving altconn_room_serving(struct altconn_room *room,
					    struct altconn_lane *lane,
					    bool far);
struct altconn_wait *altconn_room_first(const struct altconn_room *room,
					const struct altconn_listener *ln);
struct altconn_wait *altconn_room_last(const struct altconn_room *room,
				       const struct altconn_listener *ln);
u32 altconn_room_waiting(const struct altconn_room *room,
			 const struct altconn_listener *ln);
bool altconn_room_fails_fast(const struct altconn_room *room,
			     const struct altconn_listener *ln);
int __init altconn_room_init(void);
void altconn_room_exit(void);

/**
 * altconn_room_relock() - lock a waiting room
 * @room: the room; the caller has a reference
 *
 * Undone by altconn_room_unlock().
 *
 * Context: process.
 */
static inline void altconn_room_relock(struct altconn_room *room)
{
	spin_lock(&room->lock);
	/* For sparse, which does not follow it to altconn_room_unlock(). */
	__release(&room->lock);
}

/**
 * altconn_room_put() - drop a reference
 * @room: the room, or NULL
 *
 * Context: any.
 */
static inline void altconn_room_put(struct altconn_room *room)
{
	if (room && refcount_dec_and_test(&room->refs))
		altconn_room_free(room);
}

#endif /* _ALTCONN_ROOM_H */
