// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a waiting room: the lane of each address, the pools of the
 * lanes that wildcard listeners serve, and the share of each user. room.h
 * describes them.
 */

#include <linux/rbtree_augmented.h>
#include <linux/slab.h>
#include "addr.h"
#include "attempt_deadline.h"
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
	for (i = 0; i < ALTCONN_FIFOS; i++)
		lane->fifo[i] = RB_ROOT_CACHED;
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

/**
 * altconn_share_uncount() - uncount one attempt in the share of its user
 * @room: the room
 * @share: the share; freed if it counts no other attempt
 *
 * Context: process; the room's lock held.
 */
void altconn_share_uncount(struct altconn_room *room,
			   struct altconn_share *share)
{
	if (--share->waiting)
		return;
	rb_erase(&share->node, &room->shares);
	kfree(share);
}

/*
 * A queue of attempts is an augmented tree: wait->count is the number of
 * attempts in the subtree of wait->node. So a position is computed in O(log n).
 * This function returns the number for @node, which may be NULL.
 */
static u32 fifo_count(const struct rb_node *node)
{
	return node ? rb_entry(node, struct altconn_wait, node)->count : 0;
}

static u32 fifo_compute_count(struct altconn_wait *wait)
{
	return 1 + fifo_count(wait->node.rb_left) +
	       fifo_count(wait->node.rb_right);
}

/*
 * The callbacks of the tree call this function for one node after the other on
 * the way to the root. They stop when the result is true. The result is true if
 * @exit is set and the number is unchanged, since then no number further up
 * changes.
 */
static inline bool fifo_update_count(struct altconn_wait *wait, bool exit)
{
	u32 count = fifo_compute_count(wait);

	if (exit && wait->count == count)
		return true;
	wait->count = count;
	return false;
}

RB_DECLARE_CALLBACKS(static, fifo_callbacks, struct altconn_wait, node, count,
		     fifo_update_count)

/**
 * altconn_fifo_append() - add an attempt to a queue
 * @fifo: the queue
 * @wait: waiting state of the attempt, which arrived after all attempts of the
 *	queue
 *
 * The attempt becomes the rightmost node of the tree, so the subtree of each
 * node on the right edge grows by one attempt.
 *
 * Context: process; the room's lock held.
 */
void altconn_fifo_append(struct rb_root_cached *fifo, struct altconn_wait *wait)
{
	struct rb_node **link = &fifo->rb_root.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		rb_entry(parent, struct altconn_wait, node)->count++;
		link = &parent->rb_right;
	}
	wait->count = 1;
	rb_link_node(&wait->node, parent, link);
	rb_insert_augmented_cached(&wait->node, fifo, !parent, &fifo_callbacks);
}

/**
 * altconn_fifo_erase() - remove an attempt from its queue
 * @fifo: the queue
 * @wait: waiting state of the attempt
 *
 * The subtree of the attempt and all subtrees that contain it lose one attempt.
 * They are counted down first, because that takes fewer instructions per node
 * than the callbacks. The callbacks then find the right numbers and stop,
 * unless another attempt takes the attempt's place in the tree.
 *
 * Context: process; the room's lock held.
 */
void altconn_fifo_erase(struct rb_root_cached *fifo, struct altconn_wait *wait)
{
	struct rb_node *node;

	for (node = &wait->node; node; node = rb_parent(node))
		rb_entry(node, struct altconn_wait, node)->count--;
	rb_erase_augmented_cached(&wait->node, fifo, &fifo_callbacks);
}

static struct altconn_wait *fifo_first(const struct rb_root_cached *fifo)
{
	return rb_entry_safe(rb_first_cached(fifo), struct altconn_wait, node);
}

static struct altconn_wait *fifo_last(const struct rb_root_cached *fifo)
{
	return rb_entry_safe(rb_last(&fifo->rb_root), struct altconn_wait,
			     node);
}

/**
 * altconn_fifo_count_before() - count the attempts of a queue that arrived
 * before a given number
 * @fifo: the queue
 * @arrived: an arrival number
 *
 * Context: process; the room's lock held.
 * Return: the number of attempts with a lower arrival number than @arrived.
 */
u32 altconn_fifo_count_before(const struct rb_root_cached *fifo, u64 arrived)
{
	const struct rb_node *node = fifo->rb_root.rb_node;
	u32 n = 0;

	while (node) {
		if (rb_entry(node, struct altconn_wait, node)->arrived <
		    arrived) {
			n += 1 + fifo_count(node->rb_left);
			node = node->rb_right;
		} else {
			node = node->rb_left;
		}
	}
	return n;
}

/**
 * altconn_room_earlier() - get the attempt of two that arrived first
 * @a: an attempt of the room, or NULL
 * @b: another attempt of the room, or NULL
 *
 * Context: process; the room's lock held.
 * Return: the attempt with the lower arrival number; if one attempt is NULL,
 * the other one, which may be NULL too.
 */
struct altconn_wait *altconn_room_earlier(struct altconn_wait *a,
					  struct altconn_wait *b)
{
	if (!a || !b)
		return a ? : b;
	return a->arrived < b->arrived ? a : b;
}

/**
 * altconn_room_later() - get the attempt of two that arrived last
 * @a: an attempt of the room, or NULL
 * @b: another attempt of the room, or NULL
 *
 * Context: process; the room's lock held.
 * Return: the attempt with the higher arrival number; if one attempt is NULL,
 * the other one, which may be NULL too.
 */
struct altconn_wait *altconn_room_later(struct altconn_wait *a,
					struct altconn_wait *b)
{
	if (!a || !b)
		return a ? : b;
	return a->arrived > b->arrived ? a : b;
}

/**
 * altconn_lane_first() - get the attempt that has waited longest in a lane
 * @lane: the lane
 * @xns: true to include attempts from other nodes
 *
 * Context: process; the room's lock held.
 * Return: the attempt, or NULL if there is none.
 */
struct altconn_wait *altconn_lane_first(const struct altconn_lane *lane,
					bool xns)
{
	const struct rb_root_cached *local = &lane->fifo[ALTCONN_FIFO_LOCAL];
	const struct rb_root_cached *others = &lane->fifo[ALTCONN_FIFO_XNS];
	const struct rb_root_cached *kept = &lane->fifo[ALTCONN_FIFO_KEPT];
	struct altconn_wait *first;

	first = altconn_room_earlier(fifo_first(local), fifo_first(kept));
	if (xns)
		first = altconn_room_earlier(first, fifo_first(others));
	return first;
}

/**
 * altconn_lane_last() - get the attempt of a lane that arrived last
 * @lane: the lane
 * @xns: true to include attempts from other nodes
 *
 * Context: process; the room's lock held.
 * Return: the attempt, or NULL if there is none.
 */
struct altconn_wait *altconn_lane_last(const struct altconn_lane *lane,
				       bool xns)
{
	struct altconn_wait *last;

	last = altconn_room_later(fifo_last(&lane->fifo[ALTCONN_FIFO_LOCAL]),
				  fifo_last(&lane->fifo[ALTCONN_FIFO_KEPT]));
	if (!xns)
		return last;
	return altconn_room_later(last,
				  fifo_last(&lane->fifo[ALTCONN_FIFO_XNS]));
}

/**
 * altconn_lane_nr_waiting() - count the attempts in a lane
 * @lane: the lane
 * @xns: true to include attempts from other nodes
 *
 * Context: process; the room's lock held.
 * Return: the number of attempts.
 */
u32 altconn_lane_nr_waiting(const struct altconn_lane *lane, bool xns)
{
	return xns ? lane->waiting : lane->waiting -
	       fifo_count(lane->fifo[ALTCONN_FIFO_XNS].rb_root.rb_node);
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
	struct altconn_wait *xns = fifo_first(&lane->fifo[ALTCONN_FIFO_XNS]);

	if (xns_only)
		return xns;
	return altconn_room_earlier(fifo_first(&lane->fifo[ALTCONN_FIFO_LOCAL]),
				    xns);
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
		NULL : altconn_lane_first(lane, true);
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

/**
 * altconn_pool_first() - get the attempt that has waited longest in a pool
 * @room: the room
 * @v6: true for the pool of IPv6, false for the pool of IPv4
 *
 * Context: process; the room's lock held.
 * Return: the attempt, or NULL if the pool is empty.
 */
struct altconn_wait *altconn_pool_first(const struct altconn_room *room,
					bool v6)
{
	const struct altconn_lane *lane = pool_first_lane(room, v6);

	return lane ? altconn_lane_first(lane, true) : NULL;
}

/**
 * altconn_pool_last() - get the last attempt of the last lane in a pool
 * @room: the room
 * @v6: true for the pool of IPv6, false for the pool of IPv4
 *
 * The pool is sorted by the first attempts of its lanes, so the last attempt of
 * another lane may have arrived later.
 *
 * Context: process; the room's lock held.
 * Return: the attempt, or NULL if the pool is empty.
 */
struct altconn_wait *altconn_pool_last(const struct altconn_room *room, bool v6)
{
	struct rb_node *last = rb_last(&room->pool[v6].rb_root);

	if (!last)
		return NULL;
	return altconn_lane_last(rb_entry(last, struct altconn_lane, pooled),
				 true);
}
