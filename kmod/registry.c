// SPDX-License-Identifier: GPL-2.0
/*
 * The associations of a network namespace, and its sockets, by id: for dumps, and for
 * requests that name one of them.
 *
 * A connection that lasts for one request is added and removed, and no dump sees it,
 * so both have to be cheap, on all CPUs at once. A registry therefore has several
 * trees, and the id says which one an entry is in: each tree has a lock of its own,
 * which is held for one insertion, one removal or a few steps of a dump.
 *
 * A dump goes through one tree after the other. Its position is two numbers, the tree
 * and the last id, so a dump that stands still holds nothing. Ids grow, so the id that
 * was the newest when a dump began bounds it.
 */

#include "registry.h"

/* Entries that one hold of a lock passes over: they are about to be freed. */
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

/* The first entry of a tree whose id is greater than @id. */
static struct altconn_entry *registry_after(struct altconn_registry_tree *tree,
					    u64 id)
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
 * altconn_registry_init() - an empty registry
 * @reg: the registry
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
 * altconn_registry_is_empty() - does a registry have no entries?
 * @reg: the registry, whose namespace ends
 *
 * Context: process.
 * Return: true if it has none.
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
 * altconn_registry_add() - add an entry
 * @reg: the registry
 * @entry: altconn_entry_init() or altconn_registry_remove() was its last call
 * @id: its id, which no other entry of the registry has
 *
 * Context: process; may hold other locks, see Documentation/locking.rst.
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
 * altconn_registry_remove() - remove an entry, if it is in the registry
 * @reg: the registry
 * @entry: the entry; keeps its id
 *
 * No dump and no lookup finds the entry any more on return. A dump that might have
 * found it is marked: altconn_registry_removed().
 *
 * Context: process; may hold other locks, see Documentation/locking.rst.
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
 * altconn_registry_dump() - begin a dump
 * @reg: the registry
 * @newest: entries with a greater id are not part of the dump: altconn_next_id()
 *
 * Context: process.
 * Return: altconn_registry_removed() of this moment.
 */
u32 altconn_registry_dump(struct altconn_registry *reg, u64 newest)
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
 * altconn_registry_removed() - how many entries were removed that a dump may miss
 * @reg: the registry
 *
 * A removal counts when a dump has begun since the entry was added. While a dump
 * finds the number that altconn_registry_dump() returned, it has missed no entry.
 *
 * Context: any, without a lock: a dump that misses an entry has taken the lock
 * of its tree after the removal, so it sees the new number.
 * Return: the number, which wraps round.
 */
u32 altconn_registry_removed(const struct altconn_registry *reg)
{
	u32 removed = 0;
	int i;

	for (i = 0; i < ALTCONN_REGISTRY_TREES; i++)
		removed += READ_ONCE(reg->tree[i].removed);
	return removed;
}

/*
 * One hold of a lock. Returns an entry with a reference; or NULL, with @pos behind
 * the last entry of the tree or behind entries that were passed over.
 */
static struct altconn_entry *registry_step(struct altconn_registry_tree *tree,
					   struct altconn_position *pos,
					   bool (*get)(struct altconn_entry *))
{
	struct altconn_entry *entry = registry_after(tree, pos->id);
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
 * altconn_registry_next() - the next entry of a dump
 * @reg: the registry
 * @pos: where the dump is; zero with @newest set at the beginning. Moves on. A caller
 *	that wants to see the entry again restores a copy
 * @get: takes a reference, under a spinlock; false: the entry is about to be freed
 *
 * Context: process, may sleep.
 * Return: an entry with a reference, or NULL behind the last.
 */
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_position *pos,
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
 * altconn_registry_find() - the entry with an id
 * @reg: the registry
 * @id: the id
 * @get: takes a reference, under a spinlock; false: the entry is about to be freed
 *
 * Context: process.
 * Return: the entry with a reference, or NULL.
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
