/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_REGISTRY_H
#define _ALTCONN_REGISTRY_H

#include <linux/rbtree.h>
#include "altconn.h"

/**
 * struct altconn_entry - an association or a socket in a registry
 * @node: in the tree of @id, under the tree's lock; cleared when the entry is
 *	in none
 * @id: of the object
 */
struct altconn_entry {
	struct rb_node	node;
	u64		id;
};

#define ALTCONN_REGISTRY_TREES	16

/**
 * struct altconn_registry_tree - a part of a registry
 * @lock: all of it
 * @root: entries by id
 * @dumped: the greatest id that a dump has wanted to see
 * @removed: removed entries with ids up to @dumped; read without the lock
 */
struct altconn_registry_tree {
	spinlock_t	lock;		/* all of it */
	struct rb_root	root;
	u64		dumped;
	u32		removed;
} ____cacheline_aligned_in_smp;

/**
 * struct altconn_registry - associations, or sockets, of a namespace: registry.c
 * @tree: an entry is in the tree of its id
 */
struct altconn_registry {
	struct altconn_registry_tree	tree[ALTCONN_REGISTRY_TREES];
};

/**
 * struct altconn_position - where in a registry a dump is
 * @newest: entries with greater ids are not part of the dump
 * @id: of the last entry that was seen in the tree
 * @tree: index of the tree
 */
struct altconn_position {
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
u32 altconn_registry_dump(struct altconn_registry *reg, u64 newest);
u32 altconn_registry_removed(const struct altconn_registry *reg);
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_position *pos,
		      bool (*get)(struct altconn_entry *entry));
struct altconn_entry *
altconn_registry_find(struct altconn_registry *reg, u64 id,
		      bool (*get)(struct altconn_entry *entry));

/**
 * altconn_next_id() - an id that nothing else has or had
 *
 * Context: any.
 */
static inline u64 altconn_next_id(void)
{
	return atomic64_inc_return(&altconn_last_id);
}

/**
 * altconn_entry_init() - prepare an entry, which is in no registry yet
 * @entry: the entry
 *
 * Context: any.
 */
static inline void altconn_entry_init(struct altconn_entry *entry)
{
	RB_CLEAR_NODE(&entry->node);
}

/**
 * altconn_entry_is_listed() - is an entry in a registry?
 * @entry: the entry
 *
 * Context: any. The answer changes under the lock of the entry's tree.
 * Return: true if it is.
 */
static inline bool altconn_entry_is_listed(const struct altconn_entry *entry)
{
	return !RB_EMPTY_NODE(&entry->node);
}

#endif /* _ALTCONN_REGISTRY_H */
