// SPDX-License-Identifier: GPL-2.0
/*
 * The associations that a network namespace sees: those that began in it, and
 * those that came from other namespaces. Dumps walk them, and requests find one
 * by its id.
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
	struct altconn_far *far = container_of(entry, struct altconn_far, entry);

	return refcount_inc_not_zero(&far->assoc->refs);
}

static struct altconn_assoc *assoc_of_own(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_assoc, entry) : NULL;
}

static struct altconn_assoc *assoc_of_inbound(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_far, entry)->assoc :
		       NULL;
}

/**
 * altconn_assoc_walk() - begin to go through a namespace's associations
 * @net: the namespace; the caller keeps it as long as it uses @walk
 * @walk: is filled in and takes no reference, so it may be copied and dropped
 *
 * First are the associations that began here, then the associations that came from
 * other namespaces.
 *
 * Context: process.
 */
void altconn_assoc_walk(struct net *net, struct altconn_walk *walk)
{
	*walk = (struct altconn_walk) {
		.an = altconn_pernet(net),
		.pos.newest = altconn_next_id(),
	};
}

/**
 * altconn_assoc_dump() - count, from now on, the removals that a walk may miss
 * @walk: altconn_assoc_walk() has begun it
 *
 * Context: process.
 * Return: altconn_assoc_removed() of this moment.
 */
u32 altconn_assoc_dump(const struct altconn_walk *walk)
{
	return altconn_registry_dump(&walk->an->assocs, walk->pos.newest) +
	       altconn_registry_dump(&walk->an->inbound, walk->pos.newest);
}

/**
 * altconn_assoc_next() - the next association of a walk
 * @walk: where the walk is; moves on
 * @viewer: gets the end whose namespace this is
 *
 * Context: process, may sleep.
 * Return: a reference, or NULL behind the last.
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
		walk->pos = (struct altconn_position) {
			.newest = walk->pos.newest,
		};
	}
	*viewer = ALTCONN_SERVER;
	return assoc_of_inbound(altconn_registry_next(&walk->an->inbound,
						      &walk->pos,
						      assoc_get_inbound));
}

/**
 * altconn_assoc_removed() - how many associations ended that a dump may miss
 * @walk: the dump
 *
 * Context: any.
 * Return: as altconn_registry_removed().
 */
u32 altconn_assoc_removed(const struct altconn_walk *walk)
{
	return altconn_registry_removed(&walk->an->assocs) +
	       altconn_registry_removed(&walk->an->inbound);
}

/**
 * altconn_assoc_find() - the association with an id
 * @net: the namespace of one of its ends
 * @id: its id
 * @viewer: gets the end whose namespace this is; of both, the client's
 *
 * Context: process.
 * Return: a reference, or NULL: there is none, or it has ended.
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
