/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ASSOC_WALK_H
#define _ALTCONN_ASSOC_WALK_H

#include "altconn.h"
#include "assoc.h"
#include "registry.h"

struct altconn_net;

/**
 * struct altconn_walk - where a reader of a namespace's associations is
 * @an: the namespace
 * @pos: in one of its registries
 * @inbound: in the registry of associations from other namespaces, the second one
 */
struct altconn_walk {
	struct altconn_net	*an;
	struct altconn_position	pos;
	bool			inbound;
};

void altconn_assoc_walk(struct net *net, struct altconn_walk *walk);
u32 altconn_assoc_dump(const struct altconn_walk *walk);
struct altconn_assoc *altconn_assoc_next(struct altconn_walk *walk,
					 enum altconn_side *viewer);
u32 altconn_assoc_removed(const struct altconn_walk *walk);
struct altconn_assoc *altconn_assoc_find(struct net *net, u64 id,
					 enum altconn_side *viewer);

#endif /* _ALTCONN_ASSOC_WALK_H */
