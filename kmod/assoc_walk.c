// SPDX-License-Identifier: GPL-2.0
/*
 * Walks and lookups in the two registries of a network namespace: an->assocs
 * has the associations that began in it, and an->inbound has the associations
 * whose server is in it and whose client is in another namespace. A netlink
 * dump walks both. A netlink request looks up one association by its id.
 */

#include "assoc.h"
#include "assoc_walk.h"
#include "netns.h"
#include "registry.h"
#include "xns.h"

/*
 * Take a reference to the association of an entry of an->assocs. Return false
 * if the last reference is gone.
 */
static bool assoc_get_own(struct altconn_entry *entry)
{
	struct altconn_assoc *assoc =
		container_of(entry, struct altconn_assoc, entry);

	return refcount_inc_not_zero(&assoc->refs);
}

/*
 * Take a reference to the association of an entry of an->inbound. Return false
 * if the last reference is gone.
 */
static bool assoc_get_inbound(struct altconn_entry *entry)
{
	struct altconn_xns *xns =
		container_of(entry, struct altconn_xns, entry);

	return refcount_inc_not_zero(&xns->assoc->refs);
}

/* Return the association of an entry of an->assocs. @entry may be NULL. */
static struct altconn_assoc *assoc_of_own(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_assoc, entry) : NULL;
}

/* Return the association of an entry of an->inbound. @entry may be NULL. */
static struct altconn_assoc *assoc_of_inbound(struct altconn_entry *entry)
{
	return entry ? container_of(entry, struct altconn_xns, entry)->assoc :
		       NULL;
}

/**
 * altconn_assoc_walk_begin() - begin a walk through a namespace's associations
 * @net: the namespace; the caller keeps it alive as long as it uses @walk
 * @walk: set to the beginning. It holds no reference, so the caller may copy
 *	it, and need not end the walk
 *
 * The walk visits the associations that began in the namespace, and then the
 * inbound ones. An association that begins after this call is not visited.
 *
 * Context: process.
 */
void altconn_assoc_walk_begin(struct net *net, struct altconn_walk *walk)
{
	*walk = (struct altconn_walk) {
		.an = altconn_pernet(net),
		.pos.until = ktime_get_ns(),
	};
}

/**
 * altconn_assoc_track_removed() - begin to count the associations that a walk
 * may miss
 * @walk: the walk, at its beginning
 *
 * Context: process.
 * Return: the current result of altconn_assoc_nr_removed().
 */
u32 altconn_assoc_track_removed(const struct altconn_walk *walk)
{
	return altconn_registry_track_removed(&walk->an->assocs) +
	       altconn_registry_track_removed(&walk->an->inbound);
}

/**
 * altconn_assoc_next() - get the next association of a walk
 * @walk: the walk; moved behind the association
 * @viewer: set to the end that is in the namespace of the walk
 *
 * Context: process, may sleep.
 * Return: the association with a reference, or NULL after the last one.
 */
struct altconn_assoc *altconn_assoc_next(struct altconn_walk *walk,
					 enum altconn_side *viewer)
{
	struct altconn_entry *entry;

	if (!walk->pos.registry) {
		*viewer = ALTCONN_CLIENT;
		entry = altconn_registry_next(&walk->an->assocs, &walk->pos,
					      assoc_get_own);
		if (entry)
			return assoc_of_own(entry);
		walk->pos = (struct altconn_registry_pos) {
			.until = walk->pos.until, .registry = 1,
		};
	}
	*viewer = ALTCONN_SERVER;
	return assoc_of_inbound(altconn_registry_next(&walk->an->inbound,
						      &walk->pos,
						      assoc_get_inbound));
}

/**
 * altconn_assoc_nr_removed() - read the counter of associations that a walk may
 * have missed
 * @walk: the walk
 *
 * The counter counts each association that leaves the registries after the
 * beginning of a walk that could visit it. If the counter still equals the
 * result of altconn_assoc_track_removed(), the walk has missed none.
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
 * @viewer: set to the end that is in @net; the client's end if both ends are
 *
 * Context: process.
 * Return: the association with a reference; NULL if the registries of @net have
 * none with this id.
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
