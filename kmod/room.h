/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting rooms: the attempts that wait at an address, and the listeners that
 * serve the address.
 *
 * A room belongs to one port, name or path, and exists while an attempt waits
 * or a socket listens there. A room has a lane for each of its addresses that
 * has an attempt or a listener. An inet port has as many addresses as there are
 * IP addresses. Any other port, a name and a path are one address each. A
 * waiting attempt stays in the lane of its destination address until it is
 * decided: if a listener opens or closes, no attempt moves to another lane.
 *
 *	room ---- lane 127.0.0.1 ---- attempts, listeners bound to 127.0.0.1
 *	    \---- lane 10.0.0.1 ----- attempts; the lane is in the pool
 *	    \---- listeners bound to 0.0.0.0, to :: with IPV6_V6ONLY, to ::
 *
 * The listeners that serve an attempt are the ones bound to its destination
 * address. If there are none, wildcard listeners serve it:
 *
 *	destination	listeners
 *	IPv4		bound to 0.0.0.0; if there are none, bound to :: without
 *			IPV6_V6ONLY
 *	IPv6		bound to ::, with and without IPV6_V6ONLY
 *
 * The pool of an IP version has the lanes with attempts and without a listener
 * of their own. The pool is a tree, sorted by the arrival of the first attempt
 * of each lane. So a wildcard listener finds the attempt that has waited
 * longest at the beginning of the pool, however many attempts wait for other
 * listeners of its port.
 *
 * At most half of net.altconn.max_waiting attempts, rounded up, may be attempts
 * of one user in a room, so that attempts of other users find space. A room
 * counts the attempts of each user in a tree of shares.
 *
 * room.c and room_queue.c have the data structures. attempt.c and the other
 * attempt_*.c files decide attempts.
 */
#ifndef _ALTCONN_ROOM_H
#define _ALTCONN_ROOM_H

#include "altconn.h"

struct altconn_addr;
struct altconn_listener;
struct altconn_wait;

/*
 * The kinds of attempts. A lane has a list for each kind. If no listener serves
 * an attempt any more, the attempt is refused, unless it is of the kind KEPT.
 * All namespaces share paths, so an attempt to a path is always LOCAL.
 */
enum altconn_fifo {
	ALTCONN_FIFO_LOCAL,	/* from this node */
	ALTCONN_FIFO_KEPT,	/* from this node, ALTCONN_WAIT_LISTENER */
	ALTCONN_FIFO_XNS,	/* from another node */
	ALTCONN_FIFOS
};

/**
 * struct altconn_group - listeners that share an address and serve the same
 * attempts
 * @avail: list of all listeners that are in no other list: they may have space,
 *	or no attempt waits for them
 * @full: list of the listeners that have no space and for which attempts wait
 * @defer: list of the deferring listeners
 * @n: number of listeners in the group
 * @n_queueing: number of listeners in the group that let attempts wait when the
 *	backlog is full (ALTCONN_BACKLOG_POLICY is not fail-fast)
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
 * @pooled: node in room->pool; the lane is there while attempts wait in it and
 *	no listener is bound to its address
 * @refusable: link in room->refusable; the lane is there while it is in the
 *	pool and has attempts of another kind than ALTCONN_FIFO_KEPT
 * @first: arrival number of the first attempt in the lane; the pool is sorted
 *	by it
 * @waiting: number of attempts in @attempts
 * @xns_waiting: number of these attempts that come from other nodes
 * @seq: the next attempt in @attempts gets the number @seq + 1, see wait->seq
 * @is_inet: the address is an inet address, so the next three members are valid
 * @v6: @ip is an IPv6 address
 * @scope: interface index of a link-local @ip
 * @ip: IP address; an IPv4 address is v4-mapped
 * @attempts: the waiting attempts, in order of arrival
 * @fifo: the same attempts, one list for each kind (enum altconn_fifo)
 * @gaps: tree of the attempts with a gap in front of them, see wait->gap
 * @group: the listeners that are bound to the address: other nodes cannot reach
 *	the listeners in [0], and can reach the listeners in [1]
 *
 * Lifetime: A lane exists while it has an attempt or a listener. The last of
 * them frees the lane when it leaves, under the room's lock.
 */
struct altconn_lane {
	struct rb_node		node;
	struct rb_node		pooled;
	struct list_head	refusable;
	u64			first;
	u32			waiting;
	u32			xns_waiting;
	u64			seq;
	bool			is_inet;
	bool			v6;
	u32			scope;
	struct in6_addr		ip;
	struct list_head	attempts;
	struct list_head	fifo[ALTCONN_FIFOS];
	struct rb_root		gaps;
	struct altconn_group	group[2];
};

/**
 * struct altconn_share - the attempts of one user in a room
 * @node: node in room->shares
 * @user: the user's key, from altconn_payer_key_in(). The user namespace of the
 *	key is the one that owns the network namespace of the listener, or of
 *	the client if the attempt waits without a listener
 * @waiting: number of the user's attempts that wait in the room, at any address
 *
 * Lifetime: A share exists while an attempt of the user waits in the room. The
 * last attempt frees the share when it leaves, under the room's lock.
 */
struct altconn_share {
	struct rb_node	node;
	u64		user;
	u32		waiting;
};

/*
 * The groups of wildcard listeners: bound to 0.0.0.0, to :: with IPV6_V6ONLY,
 * and to :: without it. Other nodes can reach all of these listeners, so each
 * address has one group, and not two as in a lane.
 */
enum altconn_any { ALTCONN_ANY_V4, ALTCONN_ANY_V6ONLY, ALTCONN_ANY_DUAL,
		   ALTCONN_ANYS };

/**
 * struct altconn_room - a waiting room
 * @refs: references; see below
 * @lock: protects all members from @arrived to @any, @dead, and the members of
 *	the room's listeners that name this lock. The members from @type to
 *	@addr never change
 * @dead: the room is empty and has left the table
 * @type: socket type, part of the key
 * @hash: hash of the key
 * @net: network namespace, part of the key; NULL for a path, because all
 *	namespaces share paths. It is compared and never followed
 * @addr: address, part of the key, a reference; of an inet address only the
 *	port is part of the key
 * @node: link in the table of rooms
 * @arrived: arrival number of the last attempt
 * @lanes: lanes of the room, sorted by address
 * @shares: shares of the users with waiting attempts, sorted by user
 * @pool: lanes with attempts and without a listener of their own; [0] IPv4, [1]
 *	IPv6
 * @refusable: lanes of @pool with attempts of another kind than
 *	ALTCONN_FIFO_KEPT; index as in @pool
 * @pooled: number of attempts in the lanes of @pool; index as in @pool
 * @any: groups of wildcard listeners, by enum altconn_any
 * @rcu: frees the room after a grace period
 *
 * Lifetime: The table holds a reference while the room is in it. Each listener
 * that serves or has served the room holds one until the listener is freed.
 * Each attempt that waits or has waited in the room holds one until the
 * association is freed. Calls under way hold one. A room is empty if it has no
 * lane and no wildcard listener. altconn_room_unlock() marks an empty room dead
 * and takes it out of the table. A later lookup of the address makes a new
 * room.
 */
struct altconn_room {
	refcount_t		refs;
	spinlock_t		lock;		/* lanes, listeners */
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
void __altconn_room_unlock(struct altconn_room *room);
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
struct altconn_wait *
altconn_room_first_attempt(const struct altconn_room *room,
			   const struct altconn_listener *ln);
struct altconn_wait *
altconn_room_surplus_attempt(const struct altconn_room *room,
			     const struct altconn_listener *ln);
u32 altconn_room_nr_waiting(const struct altconn_room *room,
			    const struct altconn_listener *ln);
bool altconn_room_all_fail_fast(const struct altconn_room *room,
				const struct altconn_listener *ln);
int __init altconn_room_init(void);
void altconn_room_exit(void);

/**
 * altconn_room_lock() - lock a waiting room
 * @room: the room; the caller has a reference
 *
 * The caller unlocks the room with altconn_room_unlock().
 *
 * Context: process, does not sleep.
 */
static inline void altconn_room_lock(struct altconn_room *room)
{
	spin_lock(&room->lock);
	/* sparse expects that a function releases each lock that it takes. */
	__release(&room->lock);
}

/**
 * altconn_room_unlock() - unlock a waiting room
 * @room: the room; the caller has a reference
 *
 * If the room is empty, mark it dead, take it out of the table, and drop the
 * reference of the table.
 *
 * Context: process; the room's lock held, and released by this function.
 */
static inline void altconn_room_unlock(struct altconn_room *room)
{
	if (RB_EMPTY_ROOT(&room->lanes)) {
		__altconn_room_unlock(room);
		return;
	}
	__acquire(&room->lock);
	spin_unlock(&room->lock);
}

/**
 * altconn_room_put() - drop a reference to a waiting room
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
