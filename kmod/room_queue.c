// SPDX-License-Identifier: GPL-2.0
/*
 * The attempts of a waiting room: the lane of each address, the pools of the
 * lanes that wildcard listeners serve, and the share of each user. room.h
 * describes them.
 */

#include <linux/rbtree_augmented.h>
#include <linux/slab.h>
#include "addr.h"
#include "attempt_deadline.h"
#include "listener.h"
#include "room.h"
#include "room_queue.h"

/**
 * altconn_group_init() - initialize a group of listeners
 * @group: the group, zeroed
 *
 * Context: any.
 */
void altconn_group_init(struct altconn_group *group)
{
	INIT_LIST_HEAD(&group->avail);
	INIT_LIST_HEAD(&group->full);
	INIT_LIST_HEAD(&group->defer);
}

/**
 * altconn_lane_new() - allocate a spare lane
 *
 * altconn_lane_find_or_add() may need a new lane, but runs under a spinlock. So
 * its caller allocates a lane first.
 *
 * Context: process, may sleep.
 * Return: the lane, or NULL if memory runs out. The caller frees the lane with
 * kfree() if altconn_lane_find_or_add() does not use it.
 */
struct altconn_lane *altconn_lane_new(void)
{
	return kzalloc(sizeof(struct altconn_lane), GFP_KERNEL_ACCOUNT);
}

/*
 * Compare an address with the address of a lane, for the order of room->lanes.
 * Only an inet room has more than one lane.
 */
static int lane_compare(const struct altconn_addr *addr,
			const struct altconn_lane *lane)
{
	int cmp;

	if (!lane->is_inet)
		return 0;
	cmp = memcmp(altconn_addr_ip(addr), &lane->ip, sizeof(lane->ip));
	if (cmp)
		return cmp;
	return addr->node < lane->scope ? -1 : addr->node > lane->scope;
}

/**
 * altconn_lane_find() - look up the lane of an address
 * @room: the room
 * @addr: an address of the room
 *
 * Context: process; the room's lock held.
 * Return: the lane, or NULL if there is none.
 */
struct altconn_lane *altconn_lane_find(const struct altconn_room *room,
				       const struct altconn_addr *addr)
{
	struct rb_node *node = room->lanes.rb_node;
	struct altconn_lane *lane;
	int cmp;

	lockdep_assert_held(&room->lock);
	while (node) {
		lane = rb_entry(node, struct altconn_lane, node);
		cmp = lane_compare(addr, lane);
		if (!cmp)
			return lane;
		node = cmp < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* Initialize a zeroed lane for @addr. */
static void lane_init(struct altconn_lane *lane,
		      const struct altconn_addr *addr)
{
	int i;

	RB_CLEAR_NODE(&lane->pooled);
	INIT_LIST_HEAD(&lane->refusable);
	INIT_LIST_HEAD(&lane->attempts);
	for (i = 0; i < ALTCONN_FIFOS; i++)
		INIT_LIST_HEAD(&lane->fifo[i]);
	lane->gaps = RB_ROOT;
	altconn_group_init(&lane->group[0]);
	altconn_group_init(&lane->group[1]);
	if (addr->kind != ALTCONN_KIND_INET)
		return;
	lane->is_inet = true;
	lane->v6 = !altconn_addr_is_v4(addr);
	lane->ip = *altconn_addr_ip(addr);
	lane->scope = addr->node;
}

/**
 * altconn_lane_find_or_add() - look up the lane of an address, or add a lane
 * @room: the room
 * @addr: an address of the room
 * @spare: result of altconn_lane_new(); added, and set to NULL, if the address
 *	has no lane
 *
 * Context: process; the room's lock held.
 * Return: the lane. The caller adds an attempt or a listener to it before the
 * room is unlocked.
 */
struct altconn_lane *altconn_lane_find_or_add(struct altconn_room *room,
					      const struct altconn_addr *addr,
					      struct altconn_lane **spare)
{
	struct rb_node **link = &room->lanes.rb_node, *parent = NULL;
	struct altconn_lane *lane;
	int cmp;

	lockdep_assert_held(&room->lock);
	while (*link) {
		parent = *link;
		lane = rb_entry(parent, struct altconn_lane, node);
		cmp = lane_compare(addr, lane);
		if (!cmp)
			return lane;
		link = cmp < 0 ? &parent->rb_left : &parent->rb_right;
	}
	lane = *spare;
	*spare = NULL;
	lane_init(lane, addr);
	rb_link_node(&lane->node, parent, link);
	rb_insert_color(&lane->node, &room->lanes);
	return lane;
}

/**
 * altconn_lane_free_if_empty() - free a lane if it has no attempt and no
 * listener
 * @room: the room
 * @lane: the lane, which is not in the pool if it has no attempt
 *
 * Context: process; the room's lock held.
 */
void altconn_lane_free_if_empty(struct altconn_room *room,
				struct altconn_lane *lane)
{
	if (lane->waiting || altconn_lane_has_listener(lane))
		return;
	rb_erase(&lane->node, &room->lanes);
	kfree(lane);
}

/**
 * altconn_share_new() - allocate a spare share
 *
 * altconn_share_find_or_add() may need a new share, but runs under a spinlock.
 * So its caller allocates a share first.
 *
 * Context: process, may sleep.
 * Return: the share, or NULL if memory runs out. The caller frees the share
 * with kfree() if altconn_share_find_or_add() does not use it.
 */
struct altconn_share *altconn_share_new(void)
{
	return kzalloc(sizeof(struct altconn_share), GFP_KERNEL_ACCOUNT);
}

/**
 * altconn_share_nr_waiting() - count the attempts of a user that wait in a room
 * @room: the room
 * @user: key of the user, see struct altconn_share
 *
 * The search takes O(log n), where n is the number of users with attempts in
 * the room.
 *
 * Context: process; the room's lock held.
 * Return: the number of attempts.
 */
u32 altconn_share_nr_waiting(const struct altconn_room *room, u64 user)
{
	struct rb_node *node = room->shares.rb_node;
	const struct altconn_share *share;

	lockdep_assert_held(&room->lock);
	while (node) {
		share = rb_entry(node, struct altconn_share, node);
		if (share->user == user)
			return share->waiting;
		node = user < share->user ? node->rb_left : node->rb_right;
	}
	return 0;
}

/**
 * altconn_share_find_or_add() - look up the share of a user, or add a share
 * @room: the room
 * @user: key of the user, see struct altconn_share
 * @spare: result of altconn_share_new(); added, and set to NULL, if the user
 *	has no share
 *
 * Context: process; the room's lock held.
 * Return: the share. The caller counts an attempt in it before the room is
 * unlocked.
 */
struct altconn_share *altconn_share_find_or_add(struct altconn_room *room,
						u64 user,
						struct altconn_share **spare)
{
	struct rb_node **link = &room->shares.rb_node, *parent = NULL;
	struct altconn_share *share;

	lockdep_assert_held(&room->lock);
	while (*link) {
		parent = *link;
		share = rb_entry(parent, struct altconn_share, node);
		if (share->user == user)
			return share;
		link = user < share->user ? &parent->rb_left :
					    &parent->rb_right;
	}
	share = *spare;
	*spare = NULL;
	share->user = user;
	rb_link_node(&share->node, parent, link);
	rb_insert_color(&share->node, &room->shares);
	return share;
}

/*
 * Uncount one attempt in the share of its user. Free the share if it counts no
 * other attempt.
 */
static void room_uncount_share(struct altconn_room *room,
			       struct altconn_share *share)
{
	if (--share->waiting)
		return;
	rb_erase(&share->node, &room->shares);
	kfree(share);
}

/*
 * The position of an attempt is its rank in the order of arrival at its lane.
 * The attempts of a lane have successive numbers (wait->seq). While attempts
 * leave only from the front, the position is one more than the distance from
 * the number of the first attempt. An attempt that leaves from the end gives
 * its number back. An attempt that leaves from the middle leaves a gap in the
 * numbers. The next attempt then stores how many numbers are missing in front
 * of it (wait->gap), and joins the tree lane->gaps. The tree is augmented:
 * wait->gaps is the sum of wait->gap in the subtree of an attempt. So a
 * position is computed in O(log n), where n is the number of gaps.
 */

/* Return wait->gaps of the attempt at @node, or 0 if @node is NULL. */
static u64 lane_gap_sum(const struct rb_node *node)
{
	return node ? rb_entry(node, struct altconn_wait, gap_node)->gaps : 0;
}

/*
 * Compute wait->gaps again. Return true if the sum is unchanged and @exit is
 * set. The callbacks of the tree then stop on their way to the root, since no
 * sum above changes.
 */
static inline bool lane_update_gaps(struct altconn_wait *wait, bool exit)
{
	u64 sum = wait->gap + lane_gap_sum(wait->gap_node.rb_left) +
		  lane_gap_sum(wait->gap_node.rb_right);

	if (exit && wait->gaps == sum)
		return true;
	wait->gaps = sum;
	return false;
}

RB_DECLARE_CALLBACKS(static, lane_gap_callbacks, struct altconn_wait, gap_node,
		     gaps, lane_update_gaps)

/* Make the gap in front of an attempt larger by @n numbers. */
static void lane_gap_grow(struct altconn_lane *lane, struct altconn_wait *wait,
			  u64 n)
{
	struct rb_node **link = &lane->gaps.rb_node, *parent = NULL;
	struct altconn_wait *other;

	wait->gap += n;
	/* The attempt is in the tree already. */
	if (wait->gap > n) {
		lane_gap_callbacks.propagate(&wait->gap_node, NULL);
		return;
	}
	while (*link) {
		parent = *link;
		other = rb_entry(parent, struct altconn_wait, gap_node);
		other->gaps += n;
		link = wait->seq < other->seq ? &parent->rb_left :
						&parent->rb_right;
	}
	wait->gaps = n;
	rb_link_node(&wait->gap_node, parent, link);
	rb_insert_augmented(&wait->gap_node, &lane->gaps, &lane_gap_callbacks);
}

/* Set wait->gap to 0, and take the attempt out of the tree of gaps. */
static void lane_gap_remove(struct altconn_lane *lane,
			    struct altconn_wait *wait)
{
	if (likely(!wait->gap))
		return;
	rb_erase_augmented(&wait->gap_node, &lane->gaps, &lane_gap_callbacks);
	wait->gap = 0;
}

/* Return the first attempt of a lane, of any kind, or NULL. */
static struct altconn_wait *lane_first_any(const struct altconn_lane *lane)
{
	return list_empty(&lane->attempts) ? NULL :
	       list_first_entry(&lane->attempts, struct altconn_wait,
				lane_node);
}

/*
 * Add an attempt to a lane. It arrived after all attempts of the lane, and
 * @wait->fifo is set.
 */
static void lane_append(struct altconn_lane *lane, struct altconn_wait *wait)
{
	wait->seq = ++lane->seq;
	wait->gap = 0;
	list_add_tail(&wait->lane_node, &lane->attempts);
	list_add_tail(&wait->fifo_node, &lane->fifo[wait->fifo]);
	lane->waiting++;
	lane->xns_waiting += wait->fifo == ALTCONN_FIFO_XNS;
}

/* Remove an attempt from its lane. */
static void lane_remove(struct altconn_lane *lane, struct altconn_wait *wait)
{
	bool first = list_is_first(&wait->lane_node, &lane->attempts);
	bool last = list_is_last(&wait->lane_node, &lane->attempts);
	u64 missing = wait->gap + 1;

	lane_gap_remove(lane, wait);
	if (last)
		/* The attempt in front becomes the last one. */
		lane->seq -= missing;
	else if (first)
		lane_gap_remove(lane, list_next_entry(wait, lane_node));
	else
		lane_gap_grow(lane, list_next_entry(wait, lane_node), missing);
	list_del(&wait->lane_node);
	list_del(&wait->fifo_node);
	lane->waiting--;
	lane->xns_waiting -= wait->fifo == ALTCONN_FIFO_XNS;
}

/* Return the position of an attempt in its lane, beginning with 1. */
static u64 lane_position(const struct altconn_lane *lane,
			 const struct altconn_wait *wait)
{
	const struct rb_node *node = lane->gaps.rb_node;
	u64 position = wait->seq - lane_first_any(lane)->seq + 1;
	const struct altconn_wait *other;

	while (node) {
		other = rb_entry(node, struct altconn_wait, gap_node);
		if (other->seq <= wait->seq) {
			position -= other->gap + lane_gap_sum(node->rb_left);
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return position;
}

/*
 * Return the earlier of two attempts. If one of them is NULL, return the other
 * one, which may be NULL too.
 */
static struct altconn_wait *room_earlier(struct altconn_wait *a,
					 struct altconn_wait *b)
{
	if (!a || !b)
		return a ? : b;
	return a->arrived < b->arrived ? a : b;
}

/*
 * Return the later of two attempts. If one of them is NULL, return the other
 * one, which may be NULL too.
 */
static struct altconn_wait *room_later(struct altconn_wait *a,
				       struct altconn_wait *b)
{
	if (!a || !b)
		return a ? : b;
	return a->arrived > b->arrived ? a : b;
}

static struct altconn_wait *fifo_first(const struct altconn_lane *lane,
				       enum altconn_fifo kind)
{
	const struct list_head *fifo = &lane->fifo[kind];

	return list_empty(fifo) ? NULL :
	       list_first_entry(fifo, struct altconn_wait, fifo_node);
}

static struct altconn_wait *fifo_last(const struct altconn_lane *lane,
				      enum altconn_fifo kind)
{
	const struct list_head *fifo = &lane->fifo[kind];

	return list_empty(fifo) ? NULL :
	       list_last_entry(fifo, struct altconn_wait, fifo_node);
}

/*
 * Return the attempt that has waited longest in a lane, or NULL. @xns includes
 * attempts from other nodes.
 */
static struct altconn_wait *lane_first(const struct altconn_lane *lane,
				       bool xns)
{
	if (likely(xns || !lane->xns_waiting))
		return lane_first_any(lane);
	return room_earlier(fifo_first(lane, ALTCONN_FIFO_LOCAL),
			    fifo_first(lane, ALTCONN_FIFO_KEPT));
}

/*
 * Return the attempt of a lane that arrived last, or NULL. @xns includes
 * attempts from other nodes.
 */
static struct altconn_wait *lane_last(const struct altconn_lane *lane,
				      bool xns)
{
	if (xns || !lane->xns_waiting)
		return list_empty(&lane->attempts) ? NULL :
		       list_last_entry(&lane->attempts, struct altconn_wait,
				       lane_node);
	return room_later(fifo_last(lane, ALTCONN_FIFO_LOCAL),
			  fifo_last(lane, ALTCONN_FIFO_KEPT));
}

/* Count the attempts in a lane. @xns includes attempts from other nodes. */
static u32 lane_nr_waiting(const struct altconn_lane *lane, bool xns)
{
	return xns ? lane->waiting : lane->waiting - lane->xns_waiting;
}

/**
 * altconn_lane_first_refusable() - get the first attempt of a lane that is
 * refused if no listener serves it
 * @lane: the lane
 * @xns_only: true to look at attempts from other nodes only
 *
 * Attempts with ALTCONN_WAIT_LISTENER are not refused for lack of a listener.
 *
 * Context: process; the room's lock held.
 * Return: the first attempt without ALTCONN_WAIT_LISTENER, or NULL.
 */
struct altconn_wait *
altconn_lane_first_refusable(const struct altconn_lane *lane, bool xns_only)
{
	struct altconn_wait *xns = fifo_first(lane, ALTCONN_FIFO_XNS);

	if (xns_only)
		return xns;
	return room_earlier(fifo_first(lane, ALTCONN_FIFO_LOCAL), xns);
}

/* Order the lanes of a pool by the arrival of their first attempts. */
static bool pool_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct altconn_lane, pooled)->first <
	       rb_entry(b, struct altconn_lane, pooled)->first;
}

/* Take a lane out of its pool, if it is there. */
static void pool_erase(struct altconn_room *room, struct altconn_lane *lane)
{
	if (RB_EMPTY_NODE(&lane->pooled))
		return;
	rb_erase_cached(&lane->pooled, &room->pool[lane->v6]);
	RB_CLEAR_NODE(&lane->pooled);
	list_del_init(&lane->refusable);
}

/**
 * altconn_pool_update() - put a lane where it belongs in the pool
 * @room: the room
 * @lane: the lane; the caller has added or removed an attempt or a listener
 *
 * A lane of an inet address is in the pool of its IP version while attempts
 * wait in it and no listener is bound to the address. The first attempt of the
 * lane determines its position. altconn_pool_add_count() keeps the number of
 * attempts in the pool.
 *
 * Context: process; the room's lock held.
 */
void altconn_pool_update(struct altconn_room *room, struct altconn_lane *lane)
{
	struct altconn_wait *first;

	if (!lane->is_inet)
		return;
	first = altconn_lane_has_listener(lane) ?
		NULL : lane_first(lane, true);
	if (!first) {
		pool_erase(room, lane);
		return;
	}
	if (RB_EMPTY_NODE(&lane->pooled) || lane->first != first->arrived) {
		pool_erase(room, lane);
		lane->first = first->arrived;
		rb_add_cached(&lane->pooled, &room->pool[lane->v6], pool_less);
	}
	if (!altconn_lane_first_refusable(lane, false))
		list_del_init(&lane->refusable);
	else if (list_empty(&lane->refusable))
		list_add_tail(&lane->refusable, &room->refusable[lane->v6]);
}

/**
 * altconn_pool_add_count() - change the number of attempts in a pool
 * @room: the room
 * @lane: the lane of the attempts; if a listener is bound to its address, the
 *	lane is in no pool and nothing changes
 * @n: number of attempts to add; negative to subtract
 *
 * Context: process; the room's lock held.
 */
void altconn_pool_add_count(struct altconn_room *room,
			    const struct altconn_lane *lane, s32 n)
{
	if (lane->is_inet && !altconn_lane_has_listener(lane))
		room->pooled[lane->v6] += n;
}

static struct altconn_lane *pool_first_lane(const struct altconn_room *room,
					    bool v6)
{
	return rb_entry_safe(rb_first_cached(&room->pool[v6]),
			     struct altconn_lane, pooled);
}

/* Return the attempt that has waited longest in a pool, or NULL. */
static struct altconn_wait *pool_first(const struct altconn_room *room,
				       bool v6)
{
	const struct altconn_lane *lane = pool_first_lane(room, v6);

	return lane ? lane_first(lane, true) : NULL;
}

/*
 * Return the last attempt of the last lane in a pool, or NULL. The pool is
 * sorted by the first attempts of its lanes, so the last attempt of another
 * lane may have arrived later.
 */
static struct altconn_wait *pool_last(const struct altconn_room *room, bool v6)
{
	struct rb_node *last = rb_last(&room->pool[v6].rb_root);

	if (!last)
		return NULL;
	return lane_last(rb_entry(last, struct altconn_lane, pooled), true);
}

/**
 * altconn_room_enqueue() - add an attempt to the lane of its address
 * @room: the room
 * @lane: lane of the attempt's destination address
 * @share: share of the attempt's user
 * @wait: waiting state of the attempt; @wait->fifo is set
 *
 * Context: process; the room's lock held.
 */
void altconn_room_enqueue(struct altconn_room *room, struct altconn_lane *lane,
			  struct altconn_share *share,
			  struct altconn_wait *wait)
{
	lockdep_assert_held(&room->lock);
	wait->arrived = ++room->arrived;
	wait->lane = lane;
	wait->share = share;
	share->waiting++;
	lane_append(lane, wait);
	altconn_pool_add_count(room, lane, 1);
	altconn_pool_update(room, lane);
}

/**
 * altconn_room_dequeue() - remove an attempt from its lane
 * @room: the room
 * @wait: waiting state of the attempt, which is in a lane
 *
 * Free the lane if it has no other attempt and no listener. Free the user's
 * share if no other attempt of the user waits in the room.
 *
 * Context: process; the room's lock held.
 */
void altconn_room_dequeue(struct altconn_room *room, struct altconn_wait *wait)
{
	struct altconn_lane *lane = wait->lane;

	lockdep_assert_held(&room->lock);
	lane_remove(lane, wait);
	room_uncount_share(room, wait->share);
	wait->share = NULL;
	wait->lane = NULL;
	altconn_pool_add_count(room, lane, -1);
	altconn_pool_update(room, lane);
	altconn_lane_free_if_empty(room, lane);
}

/**
 * altconn_room_position() - get the position of an attempt in its lane
 * @room: the room
 * @wait: waiting state of the attempt
 *
 * The order is the order of arrival, whatever the kinds of the attempts are.
 *
 * Context: process; the room's lock held.
 * Return: the position, beginning with 1; 0 if the attempt is in no lane.
 */
u32 altconn_room_position(const struct altconn_room *room,
			  const struct altconn_wait *wait)
{
	lockdep_assert_held(&room->lock);
	return wait->lane ? lane_position(wait->lane, wait) : 0;
}

/*
 * Check whether listeners bound to :: without IPV6_V6ONLY serve IPv4 attempts:
 * they do unless a listener is bound to 0.0.0.0.
 */
static bool room_dual_stack_serves_v4(const struct altconn_room *room)
{
	return !room->any[ALTCONN_ANY_V4].n;
}

/**
 * altconn_room_first_attempt() - get the attempt that has waited longest for a
 * listener
 * @room: the listener's room
 * @ln: the listener, which has not left the room
 *
 * Context: process; the room's lock held.
 * Return: the attempt, or NULL if no attempt waits for the listener.
 */
struct altconn_wait *
altconn_room_first_attempt(const struct altconn_room *room,
			   const struct altconn_listener *ln)
{
	struct altconn_wait *first;

	lockdep_assert_held(&room->lock);
	if (ln->lane)
		return lane_first(ln->lane, ln->reachable);
	if (ln->group == &room->any[ALTCONN_ANY_V4])
		return pool_first(room, false);
	first = pool_first(room, true);
	if (ln->group == &room->any[ALTCONN_ANY_DUAL] &&
	    room_dual_stack_serves_v4(room))
		first = room_earlier(first, pool_first(room, false));
	return first;
}

/**
 * altconn_room_surplus_attempt() - select an attempt to refuse, if more wait
 *	for a listener than its backlog permits
 * @room: the listener's room
 * @ln: the listener, which has not left the room
 *
 * For a listener bound to one address this is the last attempt in its lane. For
 * a wildcard listener it is the last attempt of the lane with the youngest
 * first attempt. This need not be the youngest attempt of all.
 *
 * Context: process; the room's lock held.
 * Return: the attempt, or NULL if no attempt waits for the listener.
 */
struct altconn_wait *
altconn_room_surplus_attempt(const struct altconn_room *room,
			     const struct altconn_listener *ln)
{
	struct altconn_wait *last;

	lockdep_assert_held(&room->lock);
	if (ln->lane)
		return lane_last(ln->lane, ln->reachable);
	if (ln->group == &room->any[ALTCONN_ANY_V4])
		return pool_last(room, false);
	last = pool_last(room, true);
	if (ln->group == &room->any[ALTCONN_ANY_DUAL] &&
	    room_dual_stack_serves_v4(room))
		last = room_later(last, pool_last(room, false));
	return last;
}

/**
 * altconn_room_nr_waiting() - count the attempts that wait for a listener
 * @room: the listener's room
 * @ln: the listener
 *
 * Context: process; the room's lock held.
 * Return: the number of attempts; 0 if the listener has left the room.
 */
u32 altconn_room_nr_waiting(const struct altconn_room *room,
			    const struct altconn_listener *ln)
{
	u32 n;

	lockdep_assert_held(&room->lock);
	if (!ln->group)
		return 0;
	if (ln->lane)
		return lane_nr_waiting(ln->lane, ln->reachable);
	if (ln->group == &room->any[ALTCONN_ANY_V4])
		return room->pooled[false];
	n = room->pooled[true];
	if (ln->group == &room->any[ALTCONN_ANY_DUAL] &&
	    room_dual_stack_serves_v4(room))
		n += room->pooled[false];
	return n;
}
