/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ASSOC_WALK_H
#define _ALTCONN_ASSOC_WALK_H

#include "altconn.h"
#include "assoc.h"
#include "registry.h"

struct altconn_net;

/**
 * struct altconn_walk - position of a walk through a namespace's associations
 * @an: the namespace
 * @pos: position in the current registry. @pos.registry is 0 for @an->assocs,
 *	and 1 for @an->inbound, which the walk visits second
 *
 * Lifetime: the caller's; holds no reference.
 */
struct altconn_walk {
	struct altconn_net	*an;
	struct altconn_registry_pos	pos;
};

void altconn_assoc_walk_begin(struct net *net, struct altconn_walk *walk);
u32 altconn_assoc_track_removed(const struct altconn_walk *walk);
struct altconn_assoc *altconn_assoc_next(struct altconn_walk *walk,
					 enum altconn_side *viewer);
u32 altconn_assoc_nr_removed(const struct altconn_walk *walk);
struct altconn_assoc *altconn_assoc_find(struct net *net, u64 id,
					 enum altconn_side *viewer);

#endif /* _ALTCONN_ASSOC_WALK_H */
