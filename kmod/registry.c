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

/* Somebody may look for it, and does not find it any more. */
static void count_gone(struct altconn_registry *reg,
		       const struct altconn_entry *entry)
{
	lockdep_assert_held(&reg->lock);
	if (reg->looked_at && (reg->drawing || entry->id <= reg->last))
		reg->gone++;
}

/**
 * altconn_registry_remove() - remove an entry
 * @reg: the registry
 * @entry: is there
 * @over: altconn_registry_over() has said so
 *
 * Nobody looks at it any more on return.
 *
 * Context: process.
 */
void altconn_registry_remove(struct altconn_registry *reg,
			     struct altconn_entry *entry, bool over)
{
	spin_lock(&reg->lock);
	list_del_init(&entry->node);
	if (!over)
		count_gone(reg, entry);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_over() - an entry stays, and is not to be seen any more
 * @reg: the registry
 * @entry: is there
 * @over: becomes true; who looks passes over the entry then
 *
 * Context: process.
 */
void altconn_registry_over(struct altconn_registry *reg,
			   const struct altconn_entry *entry, bool *over)
{
	if (likely(!READ_ONCE(reg->looked_at))) {
		WRITE_ONCE(*over, true);
		/* Who begins to look now finds it so, or is found here. */
		smp_mb();
		if (likely(!READ_ONCE(reg->looked_at)))
			return;
	}
	spin_lock(&reg->lock);
	WRITE_ONCE(*over, true);
	count_gone(reg, entry);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_gone() - has something gone meanwhile?
 * @reg: the registry
 *
 * Who looks, and finds the number that altconn_registry_expect() returned, has seen all
 * that there was when it began, and nothing else.
 *
 * Context: process.
 * Return: another number when something has.
 */
u32 altconn_registry_gone(struct altconn_registry *reg)
{
	u32 gone;

	/* With the lock: what is not found any more has been counted. */
	spin_lock(&reg->lock);
	gone = reg->gone;
	spin_unlock(&reg->lock);
	return gone;
}

/**
 * altconn_registry_expect() - somebody will look at a registry
 * @reg: the registry
 *
 * Whatever goes is counted, until altconn_registry_narrow() says what is of interest.
 *
 * Context: process. altconn_registry_expected() undoes it.
 * Return: what altconn_registry_gone() returns while nothing goes.
 */
u32 altconn_registry_expect(struct altconn_registry *reg)
{
	u32 gone;

	spin_lock(&reg->lock);
	WRITE_ONCE(reg->looked_at, reg->looked_at + 1);
	reg->drawing++;
	gone = reg->gone;
	spin_unlock(&reg->lock);
	return gone;
}

/**
 * altconn_registry_narrow() - what comes later is not looked at
 * @reg: the registry, expected
 * @last: later than this, an id drawn since
 *
 * Context: process.
 */
void altconn_registry_narrow(struct altconn_registry *reg, u64 last)
{
	spin_lock(&reg->lock);
	reg->drawing--;
	reg->last = max(reg->last, last);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_expected() - undo altconn_registry_expect()
 * @reg: the registry, narrowed
 *
 * Context: process.
 */
void altconn_registry_expected(struct altconn_registry *reg)
{
	spin_lock(&reg->lock);
	WARN_ON_ONCE(!reg->looked_at);
	WRITE_ONCE(reg->looked_at, reg->looked_at - 1);
	if (!reg->looked_at)
		reg->last = 0;
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_begin() - put a cursor before the first entry
 * @reg: the registry, expected and narrowed
 * @cursor: altconn_registry_end() takes it out
 * @last: what comes later is not seen, or who looks might never come to an end
 *
 * Context: process.
 */
void altconn_registry_begin(struct altconn_registry *reg,
			    struct altconn_cursor *cursor, u64 last)
{
	cursor->entry.id = 0;
	cursor->last = last;
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
	spin_lock(&reg->lock);
	list_del_init(&cursor->entry.node);
	spin_unlock(&reg->lock);
}

/**
 * altconn_registry_open() - begin to look at a registry, and at no other
 * @reg: the registry
 * @cursor: altconn_registry_close() takes it out
 *
 * Context: process.
 * Return: what altconn_registry_gone() returns while nothing goes.
 */
u32 altconn_registry_open(struct altconn_registry *reg,
			  struct altconn_cursor *cursor)
{
	u32 gone = altconn_registry_expect(reg);
	u64 last = altconn_next_id();

	altconn_registry_narrow(reg, last);
	altconn_registry_begin(reg, cursor, last);
	return gone;
}

/**
 * altconn_registry_close() - undo altconn_registry_open()
 * @reg: the registry
 * @cursor: the cursor
 *
 * Context: process.
 */
void altconn_registry_close(struct altconn_registry *reg,
			    struct altconn_cursor *cursor)
{
	altconn_registry_end(reg, cursor);
	altconn_registry_expected(reg);
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
