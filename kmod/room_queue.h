/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ROOM_QUEUE_H
#define _ALTCONN_ROOM_QUEUE_H

#include "altconn.h"
#include "room.h"

struct altconn_addr;
struct altconn_wait;

void altconn_group_init(struct altconn_group *group);
struct altconn_lane *altconn_lane_new(void);
struct altconn_lane *altconn_lane_find(const struct altconn_room *room,
				       const struct altconn_addr *addr);
struct altconn_lane *altconn_lane_find_or_add(struct altconn_room *room,
					      const struct altconn_addr *addr,
					      struct altconn_lane **spare);
void altconn_lane_free_if_empty(struct altconn_room *room,
				struct altconn_lane *lane);
struct altconn_share *altconn_share_new(void);
u32 altconn_share_nr_waiting(const struct altconn_room *room, u64 user);
struct altconn_share *altconn_share_find_or_add(struct altconn_room *room,
						u64 user,
						struct altconn_share **spare);
struct altconn_wait *
altconn_lane_first_refusable(const struct altconn_lane *lane, bool xns_only);
void altconn_pool_update(struct altconn_room *room, struct altconn_lane *lane);
void altconn_pool_add_count(struct altconn_room *room,
			    const struct altconn_lane *lane, s32 n);

/**
 * altconn_lane_has_listener() - check whether a listener is bound to the
 * address of a lane
 * @lane: the lane
 *
 * Context: process; the room's lock held.
 * Return: true if a listener is bound to exactly this address, else false.
 */
static inline bool altconn_lane_has_listener(const struct altconn_lane *lane)
{
	return lane->group[0].n || lane->group[1].n;
}

#endif /* _ALTCONN_ROOM_QUEUE_H */
