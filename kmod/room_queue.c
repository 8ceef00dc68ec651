// SPDX-License-Identifier: GPL-2.0
/*
 * The queues of a waiting room: lanes of attempts to one address, the pools of
 * lanes that wildcard listeners serve, and the share of each user.
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
 * Context: process, may sleep.
 * Return: memory for altconn_lane_get(), which runs under a spinlock; NULL if
 * there is none. The caller frees the memory with kfree() if altconn_lane_get()
 * does not use it.
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
 * altconn_lane_get() - look up the lane of an address, or make it
 * @room: the room
 * @addr: an address of the room
 * @spare: memory from altconn_lane_new(); set to NULL if the room uses it
 *
 * Context: process; the room's lock held.
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

/**
 * altconn_lane_release() - free a lane that has no attempt and no listener
 * @room: the room
 * @lane: the lane; stays if it is in use
 *
 * Context: process; the room's lock held.
 */
void altconn_lane_release(struct altconn_room *room, struct altconn_lane *lane)
{
	if (lane->waiting || altconn_lane_has_listener(lane))
		return;
	rb_erase(&lane->node, &room->lanes);
	kfree(lane);
}

/**
 * altconn_share_new() - allocate a spare share
 *
 * Context: process, may sleep.
 * Return: memory for altconn_share_get(), which runs under a spinlock; NULL if
 * there is none. The caller frees the memory with kfree() if
 * altconn_share_get() does not use it.
 */
struct altconn_share *altconn_share_new(void)
{
	return kzalloc(sizeof(struct altconn_share), GFP_KERNEL_ACCOUNT);
}

/**
 * altconn_share_nr_waiting() - count the attempts of a user that wait in a room
 * @room: the room
 * @user: altconn_payer_key_in() of the user
 *
 * This takes O(log n) of the users with waiting attempts, however many attempts
 * wait.
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
 * altconn_share_get() - look up the share of a user, or make it
 * @room: the room
 * @user: altconn_payer_key_in() of the user
 * @spare: memory from altconn_share_new(); set to NULL if the room uses it
 *
 * Context: process; the room's lock held.
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

/**
 * altconn_share_put() - take one attempt out of the share of its user
 * @room: the room
 * @share: the share, which is freed with its last attempt
 *
 * Context: process; the room's lock held.
 */
void altconn_share_put(struct altconn_room *room,
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

/**
 * altconn_fifo_update_count() - recompute the number of attempts in a subtree
 * @wait: waiting state of the attempt at the root of the subtree
 * @exit: the rbtree code stops at a subtree with an unchanged number
 *
 * This is the callback of the augmented rbtree of a queue.
 *
 * Context: process; the room's lock held.
 * Return: true if @exit is set and the number is unchanged, else false.
 */
bool altconn_fifo_update_count(struct altconn_wait *wait, bool exit)
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

/**
 * altconn_fifo_count_before() - count the attempts of a queue that arrived
 * earlier
 * @fifo: the queue
 * @arrived: arrival number
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
 * Return: the earlier attempt; the only one if one is NULL; NULL if both are
 * NULL.
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
 * Return: the later attempt; the only one if one is NULL; NULL if both are
 * NULL.
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
 * @xns: attempts of other nodes count too
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
 * @xns: attempts of other nodes count too
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
 * @xns: attempts of other nodes count too
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
 * altconn_lane_first_refusable() - get the first attempt that needs a listener
 * @lane: the lane
 * @xns_only: only attempts of other nodes count
 *
 * Such an attempt is refused if no listener serves it.
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

/**
 * altconn_pool_update() - put a lane into its pool, or take it out
 * @room: the room
 * @lane: the lane, in which an attempt or a listener has changed
 *
 * A lane of an inet address is in the pool of its IP version while attempts
 * wait in it and no listener is bound to the address.
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
 * altconn_pool_add_count() - add attempts of a lane to the count of its pool
 * @room: the room
 * @lane: the lane; not counted if a listener is bound to its address
 * @n: number of attempts; negative to subtract
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
 * @v6: the pool is the pool of IPv6
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
 * @v6: the pool is the pool of IPv6
 *
 * The first attempt of that lane arrived later than the first attempts of the
 * other lanes.
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
