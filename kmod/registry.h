/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_REGISTRY_H
#define _ALTCONN_REGISTRY_H

#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/timekeeping.h>
#include "altconn.h"

/**
 * struct altconn_entry - the entry of an association or a socket in a registry
 * @node: link in a tree of the registry, under the tree's lock; empty while the
 *	entry is in no registry
 * @id: id of the object; set by altconn_registry_identify(), kept when the
 *	entry is removed
 * @begun: time at which the object began, ns of ktime_get_ns(); set with @id.
 *	The inbound entry of an association (struct altconn_xns) has a copy of
 *	both
 */
struct altconn_entry {
	struct rb_node	node;
	u64		id;
	u64		begun;
};

/**
 * struct altconn_registry_tree - a part of a registry, with a lock of its own
 * @lock: protects all members
 * @root: the entries, sorted by id
 * @newest: the greatest id that an entry of this tree has had
 * @dumped: time at which the last dump began, ns of ktime_get_ns()
 * @removed: number of removals of entries that began before @dumped; read
 *	without the lock
 */
struct altconn_registry_tree {
	spinlock_t	lock;		/* all of it */
	struct rb_root	root;
	u64		newest;
	u64		dumped;
	u32		removed;
} ____cacheline_aligned_in_smp;

/**
 * struct altconn_registry - the associations or the sockets of a namespace
 * @tree: the trees, as many as registry_nr_trees() returns; the index of an
 *	entry's tree is the remainder of the division of its id by this number
 */
struct altconn_registry {
	struct altconn_registry_tree	*tree;
};

/**
 * struct altconn_registry_pos - the position of a dump in a registry
 * @until: time at which the dump began, ns of ktime_get_ns(); the dump
 *	skips objects that began later
 * @newest: greatest id that tree @tree had when the dump came to the tree
 * @id: id of the last entry of tree @tree that the dump has visited, or 0
 * @tree: index of the tree that the dump is in
 * @registry: number of the registry that the dump is in, for callers that dump
 *	several registries
 */
struct altconn_registry_pos {
	u64	until;
	u64	newest;
	u64	id;
	u32	tree;
	u32	registry;
};

/* The last id that altconn_registry_identify() has used on a CPU. */
DECLARE_PER_CPU(u64, altconn_registry_last_id);

/* The distance between the ids of one CPU, a power of two. */
extern u32 altconn_registry_id_stride;

int altconn_registry_init(struct altconn_registry *reg);
void altconn_registry_exit(struct altconn_registry *reg);
void altconn_registry_add(struct altconn_registry *reg,
			  struct altconn_entry *entry);
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry);
u32 altconn_registry_track_removed(struct altconn_registry *reg);
u32 altconn_registry_nr_removed(const struct altconn_registry *reg);
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_registry_pos *pos,
		      bool (*get)(struct altconn_entry *entry));
struct altconn_entry *
altconn_registry_find(struct altconn_registry *reg, u64 id,
		      bool (*get)(struct altconn_entry *entry));
void __init altconn_registry_init_ids(void);

/**
 * altconn_registry_identify() - give an object an id, and record when it began
 * @entry: the entry of the object, in no registry
 *
 * Each CPU has ids of its own, so two CPUs share no counter and, up to
 * REGISTRY_TREES_MAX CPUs, no tree. The id is greater than all earlier ones of
 * this CPU. No two objects get the same id while the module is loaded.
 *
 * Context: any.
 */
static inline void altconn_registry_identify(struct altconn_entry *entry)
{
	u64 id = this_cpu_add_return(altconn_registry_last_id,
				     altconn_registry_id_stride);

	WRITE_ONCE(entry->id, id);
	WRITE_ONCE(entry->begun, ktime_get_ns());
}

/**
 * altconn_registry_entry_init() - initialize an entry that is in no registry
 * @entry: the entry
 *
 * Context: any.
 */
static inline void altconn_registry_entry_init(struct altconn_entry *entry)
{
	RB_CLEAR_NODE(&entry->node);
}

/**
 * altconn_registry_entry_is_listed() - check whether an entry is in a registry
 * @entry: the entry
 *
 * Context: any. Without the lock of the entry's tree, the result may be out of
 * date.
 * Return: true if the entry is in a registry, else false.
 */
static inline bool
altconn_registry_entry_is_listed(const struct altconn_entry *entry)
{
	return !RB_EMPTY_NODE(&entry->node);
}

#endif /* _ALTCONN_REGISTRY_H */
