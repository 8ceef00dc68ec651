// SPDX-License-Identifier: GPL-2.0
/*
 * The associations that a network namespace sees: associations that began in
 * it, and associations that came from other namespaces. Dumps walk them, and
 * requests look up one of them by its id.
 */

#include "assoc.h"
#include "assoc_walk.h"
#include "netns.h"
#include "registry.h"
#include "xns.h"

static bool assoc_get_own(struct altconn_entry *entry)
{
	struct altconn_assoc *assoc =
		container_of(entry, struct altconn_assoc, entry);

	return refcount_inc_not_zero(&assoc->refs);
}

static bool assoc_get_inbound(struct altconn_entry *entry)
{
	struct altconn_xns *xns =
		container_of(entry, struct altconn_xns, entry);

	return refcount_inc_not_zero(&xns->assoc->refs);
}

static struct altconn_assoc *assoc_of_own(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_assoc, entry) : NULL;
}

static struct altconn_assoc *assoc_of_inbound(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_xns, entry)->assoc :
		       NULL;
}

/**
 * altconn_assoc_walk_begin() - begin a walk through a namespace's associations
 * @net: the namespace; the caller keeps it alive as long as it uses @walk
 * @walk: initialized; holds no reference, so it may be copied and dropped
 *
 * The walk visits the associations that began in the namespace, and then the
 * associations that came from other namespaces.
 *
 * Context: process.
 */
void altconn_assoc_walk_begin(struct net *net, struct altconn_walk *walk)
{
	*walk = (struct altconn_walk) {
		.an = altconn_pernet(net),
		.pos.newest = altconn_next_id(),
	};
}

/**
 * altconn_assoc_track_removed() - begin to count the removals that a walk may
 * miss
 * @walk: the walk, begun by altconn_assoc_walk_begin()
 *
 * Context: process.
 * Return: the current result of altconn_assoc_nr_removed().
 */
u32 altconn_assoc_track_removed(const struct altconn_walk *walk)
{
	return altconn_registry_track_removed(&walk->an->assocs,
					      walk->pos.newest) +
	       altconn_registry_track_removed(&walk->an->inbound,
					      walk->pos.newest);
}

/**
 * altconn_assoc_next() - get the next association of a walk
 * @walk: the walk, which moves on
 * @viewer: set to the end that is in the namespace of the walk
 *
 * Context: process, may sleep.
 * Return: the association with a reference, or NULL after the last one.
 */
struct altconn_assoc *altconn_assoc_next(struct altconn_walk *walk,
					 enum altconn_side *viewer)
{
	struct altconn_entry *entry;

	if (!walk->inbound) {
		*viewer = ALTCONN_CLIENT;
		entry = altconn_registry_next(&walk->an->assocs, &walk->pos,
					      assoc_get_own);
		if (entry)
			return assoc_of_own(entry);
		walk->inbound = true;
		walk->pos = (struct altconn_registry_pos) {
			.newest = walk->pos.newest,
		};
	}
	*viewer = ALTCONN_SERVER;
	return assoc_of_inbound(altconn_registry_next(&walk->an->inbound,
						      &walk->pos,
						      assoc_get_inbound));
}

/**
 * altconn_assoc_nr_removed() - count the removed associations that a walk may
 * miss
 * @walk: the walk
 *
 * A walk has missed no association as long as the number equals the result of
 * altconn_assoc_track_removed().
 *
 * Context: any; takes no lock, see altconn_registry_nr_removed().
 * Return: the number, which wraps around.
 */
u32 altconn_assoc_nr_removed(const struct altconn_walk *walk)
{
	return altconn_registry_nr_removed(&walk->an->assocs) +
	       altconn_registry_nr_removed(&walk->an->inbound);
}

/**
 * altconn_assoc_find() - look up an association by its id
 * @net: network namespace of one of its ends
 * @id: the id
 * @viewer: set to the end that is in the namespace; the client's end if both
 *	are
 *
 * Context: process.
 * Return: the association with a reference; NULL if there is none or it has
 * ended.
 */
struct altconn_assoc *altconn_assoc_find(struct net *net, u64 id,
					 enum altconn_side *viewer)
{
	struct altconn_net *an = altconn_pernet(net);
	struct altconn_entry *entry;

	*viewer = ALTCONN_CLIENT;
	entry = altconn_registry_find(&an->assocs, id, assoc_get_own);
	if (entry)
		return assoc_of_own(entry);
	*viewer = ALTCONN_SERVER;
	return assoc_of_inbound(altconn_registry_find(&an->inbound, id,
						      assoc_get_inbound));
}
