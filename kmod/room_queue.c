// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a waiting room: lanes of attempts to one address, the pools of lanes
 * that a wildcard listener serves, and the share of each user.
 */

#include <linux/rbtree_augmented.h>
#include <linux/slab.h>
#include "addr.h"
#include "attempt_deadline.h"
#include "room.h"
#include "room_queue.h"

void altconn_group_init(struct altconn_group *group)
{
	INIT_LIST_HEAD(&group->open);
	INIT_LIST_HEAD(&group->full);
	INIT_LIST_HEAD(&group->defer);
}

/**
 * altconn_lane_new() - a lane in reserve
 *
 * Context: process, may sleep.
 * Return: memory that altconn_lane_get() may use, else the caller frees it by
 * kfree(); NULL.
 */
struct altconn_lane *altconn_lane_new(void)
{
	return kzalloc(sizeof(struct altconn_lane), GFP_KERNEL_ACCOUNT);
}

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
 * altconn_lane_find() - the lane of an address
 * @room: the room; its lock is held
 * @addr: an address of the room
 *
 * Return: the lane, or NULL.
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
 * altconn_lane_get() - the lane of an address, made where there is none
 * @room: the room; its lock is held
 * @addr: an address of the room
 * @spare: of altconn_lane_new(); NULL on return if it was used
 *
 * Return: the lane. The caller adds an attempt or a listener to it.
 */
struct altconn_lane *altconn_lane_get(struct altconn_room *room,
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

void altconn_lane_release(struct altconn_room *room, struct altconn_lane *lane)
{
	if (lane->waiting || altconn_lane_has_listener(lane))
		return;
	rb_erase(&lane->node, &room->lanes);
	kfree(lane);
}

/**
 * altconn_share_new() - a share in reserve
 *
 * Context: process, may sleep.
 * Return: memory that altconn_share_get() may use, else the caller frees it by
 * kfree(); NULL.
 */
struct altconn_share *altconn_share_new(void)
{
	return kzalloc(sizeof(struct altconn_share), GFP_KERNEL_ACCOUNT);
}

/**
 * altconn_share_waiting() - how many attempts of a user wait in a room
 * @room: the room; its lock is held
 * @user: key of the user
 *
 * Takes O(log n) of the users whose attempts wait, however many attempts.
 *
 * Context: any.
 */
u32 altconn_share_waiting(const struct altconn_room *room, u64 user)
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
 * altconn_share_get() - the share of a user, made where there is none
 * @room: the room; its lock is held
 * @user: key of the user
 * @spare: of altconn_share_new(); NULL on return if it was used
 *
 * Context: any.
 * Return: the share. The caller adds an attempt to it.
 */
struct altconn_share *altconn_share_get(struct altconn_room *room, u64 user,
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

void altconn_share_release(struct altconn_room *room,
			   struct altconn_share *share)
{
	if (--share->waiting)
		return;
	rb_erase(&share->node, &room->shares);
	kfree(share);
}

static u32 fifo_count(const struct rb_node *node)
{
	return node ? rb_entry(node, struct altconn_wait, node)->count : 0;
}

static u32 fifo_compute_count(struct altconn_wait *wait)
{
	return 1 + fifo_count(wait->node.rb_left) +
	       fifo_count(wait->node.rb_right);
}

bool altconn_fifo_update(struct altconn_wait *wait, bool exit)
{
	u32 count = fifo_compute_count(wait);

	if (exit && wait->count == count)
		return true;
	wait->count = count;
	return false;
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

/* How many arrived before @arrived. */
u32 altconn_fifo_before(const struct rb_root_cached *fifo, u64 arrived)
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

struct altconn_wait *altconn_room_earlier(struct altconn_wait *a,
					  struct altconn_wait *b)
{
	if (!a || !b)
		return a ? : b;
	return a->arrived < b->arrived ? a : b;
}

struct altconn_wait *altconn_room_later(struct altconn_wait *a,
					struct altconn_wait *b)
{
	if (!a || !b)
		return a ? : b;
	return a->arrived > b->arrived ? a : b;
}

/* The first attempt that a listener of the address takes. */
struct altconn_wait *altconn_lane_first(const struct altconn_lane *lane,
					bool far)
{
	const struct rb_root_cached *near = &lane->fifo[ALTCONN_FIFO_NEAR];
	const struct rb_root_cached *others = &lane->fifo[ALTCONN_FIFO_FAR];
	const struct rb_root_cached *patient = &lane->fifo[ALTCONN_FIFO_PATIENT];
	struct altconn_wait *first;

	first = altconn_room_earlier(fifo_first(near), fifo_first(patient));
	if (far)
		first = altconn_room_earlier(first, fifo_first(others));
	return first;
}

struct altconn_wait *altconn_lane_last(const struct altconn_lane *lane,
				       bool far)
{
	struct altconn_wait *last;

	last = altconn_room_later(fifo_last(&lane->fifo[ALTCONN_FIFO_NEAR]),
				  fifo_last(&lane->fifo[ALTCONN_FIFO_PATIENT]));
	if (!far)
		return last;
	return altconn_room_later(last,
				  fifo_last(&lane->fifo[ALTCONN_FIFO_FAR]));
}

u32 altconn_lane_waiting(const struct altconn_lane *lane, bool far)
{
	return far ? lane->waiting : lane->waiting -
	       fifo_count(lane->fifo[ALTCONN_FIFO_FAR].rb_root.rb_node);
}

/**
 * altconn_lane_refusable() - the first attempt that is refused without a listener
 * @lane: the lane; its room's lock is held
 * @far_only: of other nodes
 *
 * Return: an attempt without ALTCONN_WAIT_LISTENER, or NULL.
 */
struct altconn_wait *altconn_lane_refusable(const struct altconn_lane *lane,
					    bool far_only)
{
	struct altconn_wait *far = fifo_first(&lane->fifo[ALTCONN_FIFO_FAR]);

	if (far_only)
		return far;
	return altconn_room_earlier(fifo_first(&lane->fifo[ALTCONN_FIFO_NEAR]),
				    far);
}

static bool pool_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct altconn_lane, pooled)->first <
	       rb_entry(b, struct altconn_lane, pooled)->first;
}

static void pool_erase(struct altconn_room *room, struct altconn_lane *lane)
{
	if (RB_EMPTY_NODE(&lane->pooled))
		return;
	rb_erase_cached(&lane->pooled, &room->pool[lane->v6]);
	RB_CLEAR_NODE(&lane->pooled);
	list_del_init(&lane->refusable);
}

/* Put the lane where it belongs now. */
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
	if (!altconn_lane_refusable(lane, false))
		list_del_init(&lane->refusable);
	else if (list_empty(&lane->refusable))
		list_add_tail(&lane->refusable, &room->refusable[lane->v6]);
}

void altconn_pool_count(struct altconn_room *room,
			const struct altconn_lane *lane, s32 n)
{
	if (lane->is_inet && !altconn_lane_has_listener(lane))
		room->pooled[lane->v6] += n;
}

static struct altconn_lane *pool_lane(const struct altconn_room *room, bool v6)
{
	return rb_entry_safe(rb_first_cached(&room->pool[v6]),
			     struct altconn_lane, pooled);
}

struct altconn_wait *altconn_pool_first(const struct altconn_room *room,
					bool v6)
{
	const struct altconn_lane *lane = pool_lane(room, v6);

	return lane ? altconn_lane_first(lane, true) : NULL;
}

/* Of the address whose first attempt came last. */
struct altconn_wait *altconn_pool_last(const struct altconn_room *room, bool v6)
{
	struct rb_node *last = rb_last(&room->pool[v6].rb_root);

	if (!last)
		return NULL;
	return altconn_lane_last(rb_entry(last, struct altconn_lane, pooled),
				 true);
}
