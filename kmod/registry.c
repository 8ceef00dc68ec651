// SPDX-License-Identifier: GPL-2.0
/*
 * A registry has the associations, or the sockets, of a network namespace, by
 * id. Dumps walk it, and requests look up an object in it.
 *
 * Every association is added and removed, however short its life, and both must
 * be cheap on all CPUs at once. So each CPU has ids of its own, and adds the
 * objects that it makes to a tree of its own, which has its own lock. A lock is
 * contended only while an object is removed on another CPU than the one that
 * made it, or during a step of a dump. On a machine with more CPUs than
 * REGISTRY_TREES_MAX, several CPUs share a tree.
 *
 * A dump walks one tree after the other, each in the order of the ids. Its
 * position is an index of a tree and an id, so between two steps the dump holds
 * no lock and no reference. A dump ends, however fast objects begin: it visits
 * no id above pos->newest, and the ids of each CPU grow. It skips the objects
 * that began after it by the time of their begin, since the ids of two CPUs
 * that share a tree are not in the order of time.
 */

#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include "registry.h"

/* Maximum number of trees of a registry, a power of two. */
#define REGISTRY_TREES_MAX	64U

/*
 * Maximum number of entries that a dump skips in one hold of a tree's lock,
 * because their objects have no references left or began after the dump.
 */
#define REGISTRY_STEPS	64

DEFINE_PER_CPU(u64, altconn_registry_last_id);

u32 altconn_registry_id_stride __ro_after_init;

static u32 registry_nr_trees(void)
{
	return min(altconn_registry_id_stride, REGISTRY_TREES_MAX);
}

static struct altconn_registry_tree *registry_tree(struct altconn_registry *reg,
						   u64 id)
{
	return &reg->tree[id & (registry_nr_trees() - 1)];
}

static struct altconn_entry *registry_entry(struct rb_node *node)
{
	return rb_entry_safe(node, struct altconn_entry, node);
}

/* The order of a tree, for rb_add(). */
static bool registry_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct altconn_entry, node)->id <
	       rb_entry(b, struct altconn_entry, node)->id;
}

/* Compare a u64 with the id of an entry, for rb_find(). */
static int registry_compare(const void *id, const struct rb_node *node)
{
	u64 wanted = *(const u64 *)id;
	u64 found = rb_entry(node, struct altconn_entry, node)->id;

	return wanted < found ? -1 : wanted > found;
}

/* Find the entry of a tree with the smallest id above @id. */
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
 * @reg: the registry
 *
 * Context: process, may sleep.
 * Return: 0 on success; -ENOMEM.
 */
int altconn_registry_init(struct altconn_registry *reg)
{
	u32 i;

	reg->tree = kcalloc(registry_nr_trees(), sizeof(*reg->tree),
			    GFP_KERNEL_ACCOUNT);
	if (!reg->tree)
		return -ENOMEM;
	for (i = 0; i < registry_nr_trees(); i++) {
		spin_lock_init(&reg->tree[i].lock);
		reg->tree[i].root = RB_ROOT;
	}
	return 0;
}

/**
 * altconn_registry_exit() - free the memory of a registry
 * @reg: the registry of a namespace that ends; it has no entries, and no thread
 *	uses it any more
 *
 * Context: process.
 */
void altconn_registry_exit(struct altconn_registry *reg)
{
	u32 i;

	for (i = 0; reg->tree && i < registry_nr_trees(); i++)
		WARN_ON_ONCE(!RB_EMPTY_ROOT(&reg->tree[i].root));
	kfree(reg->tree);
}

/**
 * altconn_registry_add() - add an entry to a registry
 * @reg: the registry
 * @entry: an entry with an id, which is in no registry; no other entry of the
 *	registry has this id
 *
 * Context: process; the caller may hold spinlocks, see
 * Documentation/design/locking.rst.
 */
void altconn_registry_add(struct altconn_registry *reg,
			  struct altconn_entry *entry)
{
	struct altconn_registry_tree *tree = registry_tree(reg, entry->id);

	spin_lock(&tree->lock);
	tree->newest = max(tree->newest, entry->id);
	rb_add(&entry->node, &tree->root, registry_less);
	spin_unlock(&tree->lock);
}

/**
 * altconn_registry_remove() - remove an entry from a registry
 * @reg: the registry
 * @entry: the entry; if it has been removed already, nothing changes
 *
 * After the return no dump and no lookup finds the entry. The removal adds one
 * to altconn_registry_nr_removed() if a dump has begun since the entry was
 * added, because that dump may miss the entry.
 *
 * Context: process; the caller may hold spinlocks, see
 * Documentation/design/locking.rst.
 */
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry)
{
	struct altconn_registry_tree *tree = registry_tree(reg, entry->id);

	spin_lock(&tree->lock);
	if (altconn_registry_entry_is_listed(entry)) {
		rb_erase(&entry->node, &tree->root);
		RB_CLEAR_NODE(&entry->node);
		if (entry->begun <= tree->dumped)
			WRITE_ONCE(tree->removed, tree->removed + 1);
	}
	spin_unlock(&tree->lock);
}

/**
 * altconn_registry_track_removed() - make a registry count removals for a dump
 * @reg: the registry
 *
 * From now on the registry counts at least each removal of an entry that it has
 * now.
 *
 * Context: process.
 * Return: the number of removals so far, see altconn_registry_nr_removed().
 */
u32 altconn_registry_track_removed(struct altconn_registry *reg)
{
	struct altconn_registry_tree *tree;
	u64 now = ktime_get_ns();
	u32 removed = 0;

	for (tree = reg->tree; tree < reg->tree + registry_nr_trees();
	     tree++) {
		spin_lock(&tree->lock);
		tree->dumped = max(tree->dumped, now);
		removed += tree->removed;
		spin_unlock(&tree->lock);
	}
	return removed;
}

/**
 * altconn_registry_nr_removed() - get the number of counted removals
 * @reg: the registry
 *
 * A dump has missed no entry if the number is the one that
 * altconn_registry_track_removed() returned when the dump began.
 *
 * Context: any; takes no lock. A dump that has missed an entry has held the
 * lock of the entry's tree after the removal, so it reads the new number.
 * Return: the number, which wraps around.
 */
u32 altconn_registry_nr_removed(const struct altconn_registry *reg)
{
	u32 removed = 0, i;

	for (i = 0; i < registry_nr_trees(); i++)
		removed += READ_ONCE(reg->tree[i].removed);
	return removed;
}

/*
 * Make up to REGISTRY_STEPS steps of a dump through one tree. Return an entry,
 * with a reference to its object; or NULL, with @pos behind the skipped
 * entries, or at the beginning of the next tree if there are no more entries.
 */
static struct altconn_entry *registry_step(struct altconn_registry_tree *tree,
					   struct altconn_registry_pos *pos,
					   bool (*get)(struct altconn_entry *))
{
	struct altconn_entry *entry = registry_find_after(tree, pos->id);
	int left = REGISTRY_STEPS;

	if (!pos->id)
		pos->newest = tree->newest;
	while (entry && entry->id <= pos->newest && left--) {
		pos->id = entry->id;
		if (entry->begun <= pos->until && get(entry))
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
 * @pos: position of the dump, which the function advances; zero at the
 *	beginning, except for @until. To get the same entry again, a caller
 *	restores a copy of the previous position
 * @get: takes a reference to the object of an entry, or returns false if the
 *	object has no references left; called with a spinlock held
 *
 * Context: process, may sleep.
 * Return: the entry, with a reference to its object; NULL at the end of the
 * dump.
 */
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_registry_pos *pos,
		      bool (*get)(struct altconn_entry *entry))
{
	struct altconn_registry_tree *tree;
	struct altconn_entry *entry;

	while (pos->tree < registry_nr_trees()) {
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
 * @get: takes a reference to the object of an entry, or returns false if the
 *	object has no references left; called with a spinlock held
 *
 * Context: process.
 * Return: the entry, with a reference to its object; NULL if there is none.
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

/**
 * altconn_registry_init_ids() - give each CPU ids of its own
 *
 * Context: process; before any other function of the registry.
 */
void __init altconn_registry_init_ids(void)
{
	int cpu;

	altconn_registry_id_stride = roundup_pow_of_two(nr_cpu_ids);
	for_each_possible_cpu(cpu)
		per_cpu(altconn_registry_last_id, cpu) = cpu;
}
