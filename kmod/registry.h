/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_REGISTRY_H
#define _ALTCONN_REGISTRY_H

#include <linux/rbtree.h>
#include "altconn.h"

/**
 * struct altconn_entry - the entry of an association or a socket in a registry
 * @node: link in a tree of the registry, under the tree's lock; empty while the
 *	entry is in no registry
 * @id: id of the object; set when the entry is added, kept when it is removed
 */
struct altconn_entry {
	struct rb_node	node;
	u64		id;
};

#define ALTCONN_REGISTRY_TREES	16

/**
 * struct altconn_registry_tree - a part of a registry, with a lock of its own
 * @lock: protects all members
 * @root: the entries, sorted by id
 * @dumped: the greatest id that any dump so far covers
 *	(altconn_registry_pos.newest)
 * @removed: number of removals of entries with ids up to @dumped; read without
 *	the lock
 */
struct altconn_registry_tree {
	spinlock_t	lock;		/* all of it */
	struct rb_root	root;
	u64		dumped;
	u32		removed;
} ____cacheline_aligned_in_smp;

/**
 * struct altconn_registry - the associations or the sockets of a namespace
 * @tree: the entries; entry->id % ALTCONN_REGISTRY_TREES is the index of the
 *	tree
 *
 */
struct altconn_registry {
	struct altconn_registry_tree	tree[ALTCONN_REGISTRY_TREES];
};

/**
 * struct altconn_registry_pos - the position of a dump in a registry
 * @newest: greatest id that the dump covers; objects that begin later have
 *	greater ids
 * @id: id of the last entry of tree @tree that the dump has visited, or 0
 * @tree: index of the tree that the dump is in
 */
struct altconn_registry_pos {
	u64	newest;
	u64	id;
	u32	tree;
};

/* The last id that altconn_registry_next_id() has returned. */
extern atomic64_t altconn_last_id;

void altconn_registry_init(struct altconn_registry *reg);
bool altconn_registry_is_empty(const struct altconn_registry *reg);
void altconn_registry_add(struct altconn_registry *reg,
			  struct altconn_entry *entry, u64 id);
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry);
u32 altconn_registry_track_removed(struct altconn_registry *reg, u64 newest);
u32 altconn_registry_nr_removed(const struct altconn_registry *reg);
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_registry_pos *pos,
		      bool (*get)(struct altconn_entry *entry));
struct altconn_entry *
altconn_registry_find(struct altconn_registry *reg, u64 id,
		      bool (*get)(struct altconn_entry *entry));

/**
 * altconn_registry_next_id() - get an unused id
 *
 * Context: any.
 * Return: the id, which is greater than all ids returned before. No id is
 * returned twice while the module is loaded.
 */
static inline u64 altconn_registry_next_id(void)
{
	return atomic64_inc_return(&altconn_last_id);
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
