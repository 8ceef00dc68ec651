/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_REGISTRY_H
#define _ALTCONN_REGISTRY_H

#include <linux/rbtree.h>
#include "altconn.h"

/**
 * struct altconn_entry - the entry of an association or a socket in a registry
 * @node: node in a tree of the registry, under the lock of the tree; cleared
 *	while the entry is in no registry
 * @id: id of the object
 */
struct altconn_entry {
	struct rb_node	node;
	u64		id;
};

#define ALTCONN_REGISTRY_TREES	16

/**
 * struct altconn_registry_tree - one of the trees of a registry
 * @lock: protects all members
 * @root: entries, sorted by id
 * @dumped: greatest id that has been part of a dump
 * @removed: number of removed entries with ids up to @dumped; read without the
 *	lock
 */
struct altconn_registry_tree {
	spinlock_t	lock;		/* all of it */
	struct rb_root	root;
	u64		dumped;
	u32		removed;
} ____cacheline_aligned_in_smp;

/**
 * struct altconn_registry - the associations or the sockets of a namespace
 * @tree: trees of entries; the id of an entry selects its tree
 *
 * registry.c describes it.
 */
struct altconn_registry {
	struct altconn_registry_tree	tree[ALTCONN_REGISTRY_TREES];
};

/**
 * struct altconn_registry_pos - the position of a dump in a registry
 * @newest: greatest id that is part of the dump
 * @id: id of the last entry that the dump has visited in the tree; 0 for none
 * @tree: index of the tree
 */
struct altconn_registry_pos {
	u64	newest;
	u64	id;
	u32	tree;
};

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
 * altconn_next_id() - get an id that no other object has or had
 *
 * Context: any.
 * Return: the id, which is greater than all earlier ids.
 */
static inline u64 altconn_next_id(void)
{
	return atomic64_inc_return(&altconn_last_id);
}

/**
 * altconn_entry_init() - initialize an entry that is in no registry yet
 * @entry: the entry
 *
 * Context: any.
 */
static inline void altconn_entry_init(struct altconn_entry *entry)
{
	RB_CLEAR_NODE(&entry->node);
}

/**
 * altconn_entry_is_listed() - check whether an entry is in a registry
 * @entry: the entry
 *
 * Context: any. The result changes under the lock of the entry's tree.
 * Return: true if the entry is in a registry, else false.
 */
static inline bool altconn_entry_is_listed(const struct altconn_entry *entry)
{
	return !RB_EMPTY_NODE(&entry->node);
}

#endif /* _ALTCONN_REGISTRY_H */
