// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting rooms: their table, and the listeners that serve them. room.h
 * describes waiting rooms. room_queue.c has the attempts in a room.
 */

#include <linux/rhashtable.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include "addr.h"
#include "listener.h"
#include "place.h"
#include "room.h"
#include "room_queue.h"
#include "sock.h"

/* The rooms of the machine that have an attempt or a listener. */
static struct rhashtable room_table;

/* A random key, so that a user cannot choose a hash chain of the table. */
static siphash_key_t room_secret __read_mostly;

/* The key of a room. @hash is the hash of the other members. */
struct room_key {
	const struct net		*net;
	int				type;
	const struct altconn_addr	*addr;
	u32				hash;
};

/*
 * Hash a key. Keys that room_compare() takes for equal have the same hash, so
 * the IP address of an inet address does not count.
 */
static u32 room_compute_hash(const struct net *net, int type,
			     const struct altconn_addr *addr)
{
	u64 where, what = (u64)addr->port << 32 | (u32)type << 8 | addr->kind;

	if (addr->kind == ALTCONN_KIND_PATH)
		return siphash_1u64((unsigned long)addr->inode, &room_secret);
	if (addr->kind == ALTCONN_KIND_INET)
		return siphash_2u64((unsigned long)net, what, &room_secret);
	where = siphash(addr->bytes, addr->len, &room_secret);
	return siphash_3u64((unsigned long)net ^ addr->node, what, where,
			    &room_secret);
}

static u32 room_hash_key(const void *data, u32 len, u32 seed)
{
	return ((const struct room_key *)data)->hash;
}

static u32 room_hash_entry(const void *data, u32 len, u32 seed)
{
	return ((const struct altconn_room *)data)->hash;
}

/* Return 0 if the room has the key, as rhashtable expects. */
static int room_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct room_key *key = arg->key;
	const struct altconn_room *room = obj;

	return room->net != key->net || room->type != key->type ||
	       !altconn_addr_same_port(room->addr, key->addr);
}

static const struct rhashtable_params room_params = {
	.head_offset		= offsetof(struct altconn_room, node),
	.hashfn			= room_hash_key,
	.obj_hashfn		= room_hash_entry,
	.obj_cmpfn		= room_compare,
	.automatic_shrinking	= true,
};

static struct altconn_room *room_new(const struct room_key *key,
				     struct altconn_addr *addr)
{
	struct altconn_room *room = kzalloc(sizeof(*room), GFP_KERNEL_ACCOUNT);
	int i;

	if (!room)
		return NULL;
	/* One reference for the table, and one for the caller. */
	refcount_set(&room->refs, 2);
	spin_lock_init(&room->lock);
	room->type = key->type;
	room->hash = key->hash;
	room->net = key->net;
	room->addr = altconn_addr_get(addr);
	room->lanes = RB_ROOT;
	room->shares = RB_ROOT;
	for (i = 0; i < 2; i++) {
		room->pool[i] = RB_ROOT_CACHED;
		INIT_LIST_HEAD(&room->refusable[i]);
	}
	for (i = 0; i < ALTCONN_ANYS; i++)
		altconn_group_init(&room->any[i]);
	return room;
}

/**
 * altconn_room_free() - free a waiting room without references
 * @room: the room
 *
 * Context: any.
 */
void altconn_room_free(struct altconn_room *room)
{
	altconn_addr_put(room->addr);
	kfree_rcu(room, rcu);
}

static struct altconn_room *room_find(const struct room_key *key)
{
	struct altconn_room *room;

	rcu_read_lock();
	room = rhashtable_lookup(&room_table, key, room_params);
	if (room && !refcount_inc_not_zero(&room->refs))
		room = NULL;
	rcu_read_unlock();
	return room;
}

/*
 * Look up the room of a key, or make the room. Return the room with a
 * reference, or NULL if memory runs out. Return ERR_PTR(-EAGAIN) if the last
 * reference to the room that was found is gone. In that case the caller tries
 * again. Other ERR_PTR() values are errors of the insertion into the table.
 */
static struct altconn_room *room_get(const struct room_key *key,
				     struct altconn_addr *addr)
{
	struct altconn_room *room, *old;

	room = room_find(key);
	if (room)
		return room;
	room = room_new(key, addr);
	if (!room)
		return NULL;
	rcu_read_lock();
	old = rhashtable_lookup_get_insert_key(&room_table, key, &room->node,
					       room_params);
	if (old && !IS_ERR(old) && !refcount_inc_not_zero(&old->refs))
		old = ERR_PTR(-EAGAIN);
	rcu_read_unlock();
	if (!old)
		return room;
	altconn_addr_put(room->addr);
	kfree(room);
	return old;
}

/**
 * altconn_room_get_locked() - lock the waiting room of an address
 * @net: network namespace of the address; ignored for a path
 * @type: socket type
 * @addr: canonical address; a new room takes a reference
 *
 * If the address has no room yet, make one. The caller unlocks the room with
 * altconn_room_unlock() and drops the reference.
 *
 * Context: process, may sleep.
 * Return: the room, locked and with a reference for the caller;
 * ERR_PTR(-ENOMEM) if memory runs out.
 */
struct altconn_room *altconn_room_get_locked(const struct net *net, int type,
					     struct altconn_addr *addr)
{
	struct room_key key = {
		.net = addr->kind == ALTCONN_KIND_PATH ? NULL : net,
		.type = type, .addr = addr,
	};
	struct altconn_room *room;

	key.hash = room_compute_hash(key.net, type, addr);
	for (;;) {
		room = room_get(&key, addr);
		/* The room that was found is dead and has no reference. */
		if (room == ERR_PTR(-EAGAIN))
			continue;
		if (IS_ERR_OR_NULL(room))
			return ERR_PTR(-ENOMEM);
		spin_lock(&room->lock);
		if (!room->dead)
			break;
		spin_unlock(&room->lock);
		altconn_room_put(room);
	}
	/* sparse expects that a function releases each lock that it takes. */
	__release(&room->lock);
	return room;
}

static bool room_is_empty(const struct altconn_room *room)
{
	int i;

	for (i = 0; i < ALTCONN_ANYS; i++)
		if (room->any[i].n)
			return false;
	return RB_EMPTY_ROOT(&room->lanes);
}

/**
 * __altconn_room_unlock() - slow path of altconn_room_unlock()
 * @room: the room, which has no lane; the caller has a reference
 *
 * If the room has no wildcard listener either, mark the room dead, take it out
 * of the table, and drop the reference of the table.
 *
 * Context: process; the room's lock held, and released by this function.
 */
void __altconn_room_unlock(struct altconn_room *room)
{
	bool gone = !room->dead && room_is_empty(room);

	if (gone) {
		room->dead = true;
		rhashtable_remove_fast(&room_table, &room->node, room_params);
	}
	__acquire(&room->lock);
	spin_unlock(&room->lock);
	if (gone)
		altconn_room_put(room);
}

/* Select the group of a wildcard listener. @v6only is IPV6_V6ONLY. */
static enum altconn_any room_any_group(const struct altconn_listener *ln,
				       bool v6only)
{
	if (altconn_addr_is_v4(ln->addr))
		return ALTCONN_ANY_V4;
	return v6only ? ALTCONN_ANY_V6ONLY : ALTCONN_ANY_DUAL;
}

static bool room_is_wildcard(const struct altconn_listener *ln)
{
	return ln->addr->kind == ALTCONN_KIND_INET &&
	       altconn_addr_is_any(ln->addr);
}

/* Count a listener in a group. The caller adds it to a list of the group. */
static void group_add(struct altconn_group *group, struct altconn_listener *ln)
{
	ln->group = group;
	group->n++;
	group->n_queueing += !ln->fail_fast;
}

/**
 * altconn_room_add_listener() - add a listener to the room of its address
 * @room: the room; the caller's reference moves to the listener
 * @ln: the listener
 * @spare: memory from altconn_lane_new(); set to NULL if it becomes the lane of
 *	the listener's address
 *
 * The listener is in the list @avail of its group afterwards. The caller moves
 * it to the right list with altconn_attempt_relist_listener().
 *
 * Context: process; the room's lock held.
 */
void altconn_room_add_listener(struct altconn_room *room,
			       struct altconn_listener *ln,
			       struct altconn_lane **spare)
{
	struct altconn_lane *lane;
	enum altconn_any any;

	lockdep_assert_held(&room->lock);
	ln->room = room;
	if (room_is_wildcard(ln)) {
		any = room_any_group(ln, altconn_sk(ln->sk)->bind->v6only);
		group_add(&room->any[any], ln);
	} else {
		lane = altconn_lane_find_or_add(room, ln->addr, spare);
		/* The lane leaves the pool, if it is there. */
		altconn_pool_add_count(room, lane, -lane->waiting);
		group_add(&lane->group[ln->reachable], ln);
		altconn_pool_update(room, lane);
		ln->lane = lane;
	}
	list_add_tail(&ln->group_node, &ln->group->avail);
}

/**
 * altconn_room_remove_listener() - remove a listener from the room of its
 * address
 * @room: the room
 * @ln: the listener, which keeps its reference to the room
 *
 * If no other listener is bound to the address and attempts wait there, the
 * lane joins the pool. If no attempt waits there either, free the lane.
 *
 * Context: process; the room's lock held.
 */
void altconn_room_remove_listener(struct altconn_room *room,
				  struct altconn_listener *ln)
{
	struct altconn_lane *lane = ln->lane;

	lockdep_assert_held(&room->lock);
	list_del_init(&ln->group_node);
	ln->group->n--;
	ln->group->n_queueing -= !ln->fail_fast;
	ln->group = NULL;
	ln->lane = NULL;
	if (!lane)
		return;
	altconn_pool_add_count(room, lane, lane->waiting);
	altconn_pool_update(room, lane);
	altconn_lane_free_if_empty(room, lane);
}

/**
 * altconn_room_set_fail_fast() - set the backlog policy of a listener
 * @room: the room
 * @ln: the listener
 * @fail_fast: a listener with a full backlog refuses attempts
 *	(ALTCONN_BACKLOG_POLICY)
 *
 * Keep group->n_queueing consistent.
 *
 * Context: process; the room's lock and the listener's lock held.
 */
void altconn_room_set_fail_fast(struct altconn_room *room,
				struct altconn_listener *ln, bool fail_fast)
{
	lockdep_assert_held(&room->lock);
	if (ln->group)
		ln->group->n_queueing += ln->fail_fast - fail_fast;
	ln->fail_fast = fail_fast;
}

/* Add a group to @s, unless the group is empty. */
static void serving_add(struct altconn_serving *s, struct altconn_group *group)
{
	if (group->n)
		s->group[s->n++] = group;
}

/**
 * altconn_room_serving_pool() - get the listeners that serve a pool
 * @room: the room
 * @v6: true for the pool of IPv6, false for the pool of IPv4
 *
 * Context: process; the room's lock held.
 * Return: the groups of wildcard listeners; no group if no listener serves the
 * pool.
 */
struct altconn_serving altconn_room_serving_pool(struct altconn_room *room,
						 bool v6)
{
	struct altconn_serving s = {};

	lockdep_assert_held(&room->lock);
	if (v6)
		serving_add(&s, &room->any[ALTCONN_ANY_V6ONLY]);
	else
		serving_add(&s, &room->any[ALTCONN_ANY_V4]);
	if (v6 || !s.n)
		serving_add(&s, &room->any[ALTCONN_ANY_DUAL]);
	return s;
}

/**
 * altconn_room_serving() - get the listeners that serve an attempt
 * @room: the room
 * @lane: lane of the attempt
 * @xns: the attempt comes from another node, so only listeners that other nodes
 *	can reach serve it
 *
 * Context: process; the room's lock held.
 * Return: the groups of listeners; no group if no listener serves the attempt.
 */
struct altconn_serving altconn_room_serving(struct altconn_room *room,
					    struct altconn_lane *lane, bool xns)
{
	struct altconn_serving s = {};

	lockdep_assert_held(&room->lock);
	if (lane->is_inet && !altconn_lane_has_listener(lane))
		return altconn_room_serving_pool(room, lane->v6);
	serving_add(&s, &lane->group[1]);
	if (!xns)
		serving_add(&s, &lane->group[0]);
	return s;
}

/**
 * altconn_room_all_fail_fast() - check whether a listener and all listeners
 * that serve the same attempts fail fast
 * @room: the listener's room
 * @ln: the listener, which has not left the room
 *
 * The other listeners are the ones of the same group, and these:
 *
 *	@ln is bound to			other group
 *	0.0.0.0				none
 *	:: with IPV6_V6ONLY		:: without IPV6_V6ONLY
 *	:: without IPV6_V6ONLY		:: with IPV6_V6ONLY
 *	any other address		the other group of the lane
 *
 * Context: process; the room's lock held.
 * Return: true if each of these listeners refuses attempts when its backlog is
 * full (ALTCONN_BACKLOG_POLICY), else false.
 */
bool altconn_room_all_fail_fast(const struct altconn_room *room,
				const struct altconn_listener *ln)
{
	const struct altconn_group *both = &room->any[ALTCONN_ANY_DUAL];

	lockdep_assert_held(&room->lock);
	if (ln->lane)
		return !ln->lane->group[0].n_queueing &&
		       !ln->lane->group[1].n_queueing;
	return !ln->group->n_queueing &&
	       (ln->group == both ||
		ln->group == &room->any[ALTCONN_ANY_V4] ||
		!both->n_queueing) &&
	       (ln->group != both ||
		!room->any[ALTCONN_ANY_V6ONLY].n_queueing);
}

/**
 * altconn_room_init() - make the table of rooms
 *
 * Context: process, may sleep.
 * Return: 0 on success; -ENOMEM.
 */
int __init altconn_room_init(void)
{
	get_random_bytes(&room_secret, sizeof(room_secret));
	return rhashtable_init(&room_table, &room_params);
}

/**
 * altconn_room_exit() - undo altconn_room_init()
 *
 * Context: process, may sleep; no endpoint is left.
 */
void altconn_room_exit(void)
{
	/* Without endpoints no room has an attempt or a listener. */
	WARN_ON_ONCE(atomic_read(&room_table.nelems));
	rhashtable_destroy(&room_table);
}
