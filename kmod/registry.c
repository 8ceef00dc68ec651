// SPDX-License-Identifier: GPL-2.0
/*
 * The associations and the sockets of a network namespace by id: for dumps, and
 * for requests that name one of them.
 *
 * A connection that lasts for one request is added and removed, and no dump
 * sees it. So both operations must be cheap, on all CPUs at once. A registry
 * therefore has several trees, and the id of an entry selects its tree. Each
 * tree has its own lock, which is held for one insertion, one removal or a few
 * steps of a dump.
 *
 * A dump walks one tree after the other. Its position is two numbers, the tree
 * and the last id, so a dump that pauses holds no lock and no reference. Ids
 * grow, so the id that was the newest when a dump began bounds the dump.
 */

#include "registry.h"

/*
 * In one hold of a lock a dump passes over at most this many entries that are
 * about to be freed.
 */
#define REGISTRY_STEPS	64

static struct altconn_registry_tree *registry_tree(struct altconn_registry *reg,
						   u64 id)
{
	return &reg->tree[id % ALTCONN_REGISTRY_TREES];
}

static struct altconn_entry *registry_entry(struct rb_node *node)
{
	return rb_entry_safe(node, struct altconn_entry, node);
}

static bool registry_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct altconn_entry, node)->id <
	       rb_entry(b, struct altconn_entry, node)->id;
}

static int registry_compare(const void *id, const struct rb_node *node)
{
	u64 wanted = *(const u64 *)id;
	u64 found = rb_entry(node, struct altconn_entry, node)->id;

	return wanted < found ? -1 : wanted > found;
}

/* Find the first entry of a tree with a greater id than @id. */
static struct altconn_entry *
registry_find_after(struct altconn_registry_tree *tree, u64 id)
{
	struct altconn_entry *found = NULL, *entry;
	struct rb_node *node = tree->root.rb_node;

	lockdep_assert_held(&tree->lock);
	while (node) {
		entry = registry_entry(node);
		if (entry->id > id) {
			found = entry;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return found;
}

/**
 * altconn_registry_init() - initialize an empty registry
 * @reg: the registry, zeroed
 *
 * Context: process.
 */
void altconn_registry_init(struct altconn_registry *reg)
{
	int i;

	for (i = 0; i < ALTCONN_REGISTRY_TREES; i++) {
		spin_lock_init(&reg->tree[i].lock);
		reg->tree[i].root = RB_ROOT;
	}
}

/**
 * altconn_registry_is_empty() - check whether a registry has no entries
 * @reg: the registry of a namespace that ends, so that no entry is added
 *
 * Context: process; takes no lock.
 * Return: true if the registry has no entries, else false.
 */
bool altconn_registry_is_empty(const struct altconn_registry *reg)
{
	int i;

	for (i = 0; i < ALTCONN_REGISTRY_TREES; i++)
		if (!RB_EMPTY_ROOT(&reg->tree[i].root))
			return false;
	return true;
}

/**
 * altconn_registry_add() - add an entry to a registry
 * @reg: the registry
 * @entry: an entry that altconn_entry_init() or altconn_registry_remove() has
 *	prepared, so that it is in no registry
 * @id: id of the object, which no other entry of the registry has
 *
 * Context: process; may hold other locks, see Documentation/design/locking.rst.
 */
void altconn_registry_add(struct altconn_registry *reg,
			  struct altconn_entry *entry, u64 id)
{
	struct altconn_registry_tree *tree = registry_tree(reg, id);

	spin_lock(&tree->lock);
	WRITE_ONCE(entry->id, id);
	rb_add(&entry->node, &tree->root, registry_less);
	spin_unlock(&tree->lock);
}

/**
 * altconn_registry_remove() - remove an entry from a registry
 * @reg: the registry
 * @entry: the entry, which may be removed already; keeps its id
 *
 * On return no dump and no lookup finds the entry any more.
 * altconn_registry_nr_removed() counts the removal if a dump may miss it.
 *
 * Context: process; may hold other locks, see Documentation/design/locking.rst.
 */
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry)
{
	struct altconn_registry_tree *tree = registry_tree(reg, entry->id);

	spin_lock(&tree->lock);
	if (altconn_entry_is_listed(entry)) {
		rb_erase(&entry->node, &tree->root);
		RB_CLEAR_NODE(&entry->node);
		if (entry->id <= tree->dumped)
			WRITE_ONCE(tree->removed, tree->removed + 1);
	}
	spin_unlock(&tree->lock);
}

/**
 * altconn_registry_track_removed() - begin to count the removals that a dump
 * may miss
 * @reg: the registry
 * @newest: greatest id that is part of the dump, from altconn_next_id()
 *
 * Context: process.
 * Return: the current result of altconn_registry_nr_removed().
 */
u32 altconn_registry_track_removed(struct altconn_registry *reg, u64 newest)
{
	struct altconn_registry_tree *tree;
	u32 removed = 0;

	for (tree = reg->tree; tree < reg->tree + ALTCONN_REGISTRY_TREES; tree++) {
		spin_lock(&tree->lock);
		tree->dumped = max(tree->dumped, newest);
		removed += tree->removed;
		spin_unlock(&tree->lock);
	}
	return removed;
}

/**
 * altconn_registry_nr_removed() - count the removed entries that a dump may
 * miss
 * @reg: the registry
 *
 * A removal counts if a dump has begun since the entry was added. A dump has
 * missed no entry as long as the number equals the result of
 * altconn_registry_track_removed().
 *
 * Context: any. No lock is needed: a dump that misses an entry has taken the
 * lock of its tree after the removal, so it sees the new number.
 * Return: the number, which wraps around.
 */
u32 altconn_registry_nr_removed(const struct altconn_registry *reg)
{
	u32 removed = 0;
	int i;

	for (i = 0; i < ALTCONN_REGISTRY_TREES; i++)
		removed += READ_ONCE(reg->tree[i].removed);
	return removed;
}

/*
 * Make a few steps of a dump in one hold of the tree's lock. Return an entry
 * with a reference; or NULL, with @pos behind the last entry of the tree, or
 * behind entries that are about to be freed.
 */
static struct altconn_entry *registry_step(struct altconn_registry_tree *tree,
					   struct altconn_registry_pos *pos,
					   bool (*get)(struct altconn_entry *))
{
	struct altconn_entry *entry = registry_find_after(tree, pos->id);
	int left = REGISTRY_STEPS;

	while (entry && entry->id <= pos->newest && left--) {
		pos->id = entry->id;
		if (get(entry))
			return entry;
		entry = registry_entry(rb_next(&entry->node));
	}
	if (!entry || entry->id > pos->newest) {
		pos->id = 0;
		pos->tree++;
	}
	return NULL;
}

/**
 * altconn_registry_next() - get the next entry of a dump
 * @reg: the registry
 * @pos: position of the dump, zero except for @newest at the beginning. The
 *	position moves on, and a caller that wants to see the entry again
 *	restores a copy
 * @get: takes a reference to the object of an entry, under a spinlock; returns
 *	false if the object is about to be freed
 *
 * Context: process, may sleep.
 * Return: an entry with a reference, or NULL after the last one.
 */
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_registry_pos *pos,
		      bool (*get)(struct altconn_entry *entry))
{
	struct altconn_registry_tree *tree;
	struct altconn_entry *entry;

	while (pos->tree < ALTCONN_REGISTRY_TREES) {
		tree = &reg->tree[pos->tree];
		spin_lock(&tree->lock);
		entry = registry_step(tree, pos, get);
		spin_unlock(&tree->lock);
		if (entry)
			return entry;
		cond_resched();
	}
	return NULL;
}

/**
 * altconn_registry_find() - look up an entry by its id
 * @reg: the registry
 * @id: the id
 * @get: takes a reference to the object of an entry, under a spinlock; returns
 *	false if the object is about to be freed
 *
 * Context: process.
 * Return: the entry with a reference, or NULL if there is none.
 */
struct altconn_entry *
altconn_registry_find(struct altconn_registry *reg, u64 id,
		      bool (*get)(struct altconn_entry *entry))
{
	struct altconn_registry_tree *tree = registry_tree(reg, id);
	struct altconn_entry *entry;

	spin_lock(&tree->lock);
	entry = registry_entry(rb_find(&id, &tree->root, registry_compare));
	if (entry && !get(entry))
		entry = NULL;
	spin_unlock(&tree->lock);
	return entry;
}
