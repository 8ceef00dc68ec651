// SPDX-License-Identifier: GPL-2.0
/*
 * What a namespace has of associations, and of sockets, one after the other as
 * they came: for those who want to see all of them.
 *
 * A connection that lasts for one request is added and removed, and nobody
 * looks: so that must cost next to nothing. Who does look puts a cursor into the
 * list and moves it on, one entry at a time: however many there are the lock is
 * held for a moment, and what is there all the time is seen once.
 */

#include "altconn.h"

/**
 * altconn_registry_init() - an empty registry
 * @reg: the registry
 */
void altconn_registry_init(struct altconn_registry *reg)
{
	spin_lock_init(&reg->lock);
	INIT_LIST_HEAD(&reg->entries);
}

/**
 * altconn_registry_add() - add an entry
 * @reg: the registry
 * @entry: in no registry
 * @id: its id, a new one
 *
 * Context: process.
 */
void altconn_registry_add(struct altconn_registry *reg,
			  struct altconn_entry *entry, u64 id)
{
	spin_lock(&reg->lock);
	entry->id = id;
	list_add_tail(&entry->node, &reg->entries);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_remove() - remove an entry
 * @reg: the registry
 * @entry: is there
 *
 * Nobody looks at it any more on return.
 *
 * Context: process.
 */
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry)
{
	spin_lock(&reg->lock);
	list_del_init(&entry->node);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_begin() - put a cursor before the first entry
 * @reg: the registry
 * @cursor: altconn_registry_end() takes it out
 *
 * What comes from now on is not seen, or who looks might never come to an end.
 *
 * Context: process.
 */
void altconn_registry_begin(struct altconn_registry *reg,
			    struct altconn_cursor *cursor)
{
	cursor->entry.id = 0;
	cursor->last = altconn_next_id();
	spin_lock(&reg->lock);
	list_add(&cursor->entry.node, &reg->entries);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_end() - take a cursor out
 * @reg: the registry
 * @cursor: the cursor
 *
 * Context: process.
 */
void altconn_registry_end(struct altconn_registry *reg,
			  struct altconn_cursor *cursor)
{
	altconn_registry_remove(reg, &cursor->entry);
}

/* So many are passed over in one hold of the lock: others' cursors, mostly. */
#define STEPS	64

/* One hold: an entry, or NULL with *@end set behind the last. */
static struct altconn_entry *step(struct altconn_registry *reg,
				  struct altconn_cursor *cursor,
				  bool (*get)(struct altconn_entry *entry),
				  bool *end)
{
	struct altconn_entry *entry = &cursor->entry;
	int left = STEPS;

	lockdep_assert_held(&reg->lock);
	list_for_each_entry_continue(entry, &reg->entries, node) {
		if (entry->id > cursor->last)
			break;
		if (entry->id && get(entry)) {
			list_move(&cursor->entry.node, &entry->node);
			return entry;
		}
		if (!left--) {
			list_move(&cursor->entry.node, &entry->node);
			return NULL;
		}
	}
	*end = true;
	return NULL;
}

/**
 * altconn_registry_next() - move a cursor behind the next entry
 * @reg: the registry
 * @cursor: the cursor
 * @get: takes a reference; false when the entry is about to go
 *
 * Context: process, may sleep.
 * Return: an entry and a reference, or NULL behind the last.
 */
struct altconn_entry *
altconn_registry_next(struct altconn_registry *reg,
		      struct altconn_cursor *cursor,
		      bool (*get)(struct altconn_entry *entry))
{
	struct altconn_entry *entry;
	bool end = false;

	for (;;) {
		spin_lock(&reg->lock);
		entry = step(reg, cursor, get, &end);
		spin_unlock(&reg->lock);
		if (entry || end)
			return entry;
		cond_resched();
	}
}

/**
 * altconn_registry_again() - move a cursor back, before an entry
 * @reg: the registry
 * @cursor: the cursor
 * @entry: what altconn_registry_next() returned; may have been removed since
 *
 * Context: process.
 */
void altconn_registry_again(struct altconn_registry *reg,
			    struct altconn_cursor *cursor,
			    struct altconn_entry *entry)
{
	spin_lock(&reg->lock);
	/* One that was removed and came again stands at the end. */
	if (!list_empty(&entry->node) && entry->id <= cursor->last)
		list_move_tail(&cursor->entry.node, &entry->node);
	spin_unlock(&reg->lock);
}
