/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting rooms: the attempts that wait at an address, and the listeners that
 * serve the address.
 *
 * There is a room for each port, name and path at which an attempt waits or an
 * endpoint listens. A room has a lane for each of its addresses: a port, a name
 * or a path is one address, and an inet port has one address for each IP
 * address. An attempt stands in the lane of the address that it asked for until
 * it is decided: a listener that opens or closes moves no attempt.
 *
 *	room ---- lane 127.0.0.1 ---- attempts, listeners bound to 127.0.0.1
 *	    \---- lane 10.0.0.1 ----- attempts (pooled: no listener of its own)
 *	    \---- listeners bound to 0.0.0.0, to :: with IPV6_V6ONLY, to ::
 *
 * As with TCP, the closest listener serves an address. That is a listener bound
 * to exactly this address, else a listener bound to any address of its IP
 * version, else, for IPv4, a listener bound to :: without IPV6_V6ONLY. The
 * lanes without a listener of their own are the pool, sorted by the arrival of
 * their first attempts. Each IP version has its own pool. So a wildcard
 * listener finds the attempt that has waited longest in O(log n) of the lanes
 * that it serves, however many attempts wait for other listeners of its port.
 *
 * The attempts of one user in a room are at most half of
 * net.altconn.max_waiting, rounded up, so that the attempts of other users find
 * places. A room counts the attempts of each user in a tree of shares.
 *
 * The room's lock protects everything in a room except its references. This
 * file, room.c and room_queue.c only keep order; attempt.c and the other
 * attempt_*.c files decide.
 */
#ifndef _ALTCONN_ROOM_H
#define _ALTCONN_ROOM_H

#include "altconn.h"

struct altconn_addr;
struct altconn_listener;
struct altconn_wait;

/* Queues of a lane, by the kind of attempts that stand in them. */
enum altconn_fifo {
	ALTCONN_FIFO_LOCAL,	/* of this node, refused without a listener */
	ALTCONN_FIFO_KEPT,	/* of this node, with ALTCONN_WAIT_LISTENER */
	ALTCONN_FIFO_XNS,	/* of other nodes */
	ALTCONN_FIFOS
};

/**
 * struct altconn_group - listeners that share an address and serve the same
 * attempts
 * @avail: list of the listeners that may have space, or for which no attempt
 *	waits
 * @full: list of the listeners that have no space and for which attempts wait
 * @defer: list of the deferring listeners
 * @n: number of listeners in the group
 * @n_queueing: number of listeners in the group that do not fail fast
 */
struct altconn_group {
	struct list_head	avail;
	struct list_head	full;
	struct list_head	defer;
	u32			n;
	u32			n_queueing;
};

/**
 * struct altconn_lane - the attempts and the listeners of one address of a room
 * @node: node in room->lanes
 * @pooled: node in room->pool while attempts wait in the lane and no listener
 *	is bound to the address
 * @refusable: link in room->refusable while the lane is in the pool and @fifo
 *	has attempts that are refused if no listener serves them
 * @first: key of @pooled: the lowest arrival number of the waiting attempts
 * @waiting: number of attempts in @fifo
 * @is_inet: the address is an inet address, so the next three members are valid
 * @v6: @ip is an IPv6 address
 * @scope: interface index of a link-local @ip
 * @ip: IP address; an IPv4 address is v4-mapped
 * @fifo: waiting attempts, by enum altconn_fifo, each queue in order of arrival
 * @group: listeners that are bound to the address: first the listeners that
 *	other nodes cannot reach, then the listeners that they can reach
 *
 * Lifetime: the room owns the lane as long as the lane has an attempt or a
 * listener.
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
 * struct altconn_share - the attempts of one user in a room
 * @node: node in room->shares
 * @user: altconn_payer_key_in() of the user, in the user namespace of the
 *	network namespace where the attempts wait
 * @waiting: number of the user's attempts that wait in the room, at any address
 *
 * Lifetime: the room owns the share as long as an attempt of the user waits in
 * it.
 */
struct altconn_share {
	struct rb_node	node;
	u64		user;
	u32		waiting;
};

/*
 * Groups of wildcard listeners: 0.0.0.0, :: with IPV6_V6ONLY, and ::. Other
 * nodes can reach all listeners of these addresses, so one group is enough.
 */
enum altconn_any { ALTCONN_ANY_V4, ALTCONN_ANY_V6ONLY, ALTCONN_ANY_BOTH,
		   ALTCONN_ANYS };

/**
 * struct altconn_room - a waiting room
 * @refs: references; see below
 * @lock: protects all members below except @rcu, and the lists of the room's
 *	listeners
 * @dead: the room is empty and has left the table
 * @type: socket type, part of the key
 * @hash: hash of the key
 * @net: network namespace, part of the key, NULL for a path; compared and never
 *	followed
 * @addr: address, part of the key, a reference; of an inet address only the
 *	port is part of the key
 * @node: link in the table of rooms
 * @arrived: arrival number of the last attempt
 * @lanes: lanes of the room, sorted by address
 * @shares: shares of the users with waiting attempts, sorted by user
 * @pool: lanes without a listener of their own, by IP version
 * @refusable: lanes of @pool with attempts that are refused if no listener
 *	serves them, by IP version
 * @pooled: number of attempts in @pool, by IP version
 * @any: wildcard listeners
 * @rcu: frees the room after a grace period
 *
 * Lifetime: references are held by the table, by the listeners that serve or
 * have served the room, by the attempts that wait or have waited in it, and by
 * calls under way. When the last listener or attempt leaves the room, the room
 * is marked dead and leaves the table, under its lock. A later lookup makes a
 * new room.
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
 * struct altconn_serving - the groups of listeners that serve an attempt
 * @group: the groups; none of them is empty
 * @n: number of groups
 */
struct altconn_serving {
	struct altconn_group	*group[2];
	unsigned int		n;
};

void altconn_room_free(struct altconn_room *room);
struct altconn_room *altconn_room_get_locked(const struct net *net, int type,
					     struct altconn_addr *addr);
void altconn_room_unlock(struct altconn_room *room);
void altconn_room_enqueue(struct altconn_room *room, struct altconn_lane *lane,
			  struct altconn_share *share,
			  struct altconn_wait *wait);
void altconn_room_dequeue(struct altconn_room *room, struct altconn_wait *wait);
u32 altconn_room_position(const struct altconn_room *room,
			  const struct altconn_wait *wait);
void altconn_room_add_listener(struct altconn_room *room,
			       struct altconn_listener *ln,
			       struct altconn_lane **spare);
void altconn_room_remove_listener(struct altconn_room *room,
				  struct altconn_listener *ln);
void altconn_room_set_fail_fast(struct altconn_room *room,
				struct altconn_listener *ln, bool fail_fast);
struct altconn_serving altconn_room_serving_pool(struct altconn_room *room,
						 bool v6);
struct altconn_serving altconn_room_serving(struct altconn_room *room,
					    struct altconn_lane *lane,
					    bool xns);
struct altconn_wait *altconn_room_first(const struct altconn_room *room,
					const struct altconn_listener *ln);
struct altconn_wait *altconn_room_last(const struct altconn_room *room,
				       const struct altconn_listener *ln);
u32 altconn_room_nr_waiting(const struct altconn_room *room,
			    const struct altconn_listener *ln);
bool altconn_room_fails_fast(const struct altconn_room *room,
			     const struct altconn_listener *ln);
int __init altconn_room_init(void);
void altconn_room_exit(void);

/**
 * altconn_room_lock() - lock a waiting room
 * @room: the room; the caller has a reference
 *
 * altconn_room_unlock() undoes this.
 *
 * Context: process, does not sleep.
 */
static inline void altconn_room_lock(struct altconn_room *room)
{
	spin_lock(&room->lock);
	/* For sparse, which does not see altconn_room_unlock() from here. */
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
