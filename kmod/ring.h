/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_RING_H
#define _ALTCONN_RING_H

#include "altconn.h"
#include "scm_queue.h"

struct altconn_payer;
struct cred;

/**
 * struct altconn_ring - data on its way to one end of an association
 * @write_lock: writers; never held across a page fault
 * @write_segment: where the writer is, or NULL: nothing is held
 * @write_at: at which of its bytes
 * @head: bytes ever written, in the lower half; stored by the writer. The upper
 *	half is 0, or ALTCONN_RING_SEALED: then nothing is written any more.
 *	Both change in one atomic operation, so writing and shutting have one
 *	order
 * @tail_seen: @tail as the writer last looked at it
 * @extra_written: of @head, what no program wrote: records' lengths, padding
 * @read_lock: readers; never held across a page fault
 * @read_segment: where the reader is; @write_segment or an older one
 * @read_at: at which of its bytes
 * @tail: bytes ever read; stored by the reader
 * @extra_read: of @tail, what no program wrote
 * @wake_at: before @tail is there no writer that waits need be woken
 * @scanned: @head when the scan came by
 * @idle_size: bytes of the segment with which it is in the list of its user's emptied
 *	rings, or 0: it is in none; changes under @payer's idle.lock
 * @marks: what goes with the data, scm_queue.c; NULL while nothing ever did. The reader
 *	loads it behind @head
 * @purged: the reader has closed: the thread that drops one of the locks frees
 *	what the ring holds; never cleared
 * @peeked: an empty record that has not been read was peeked at; the reader's
 * @peeked_to: behind the last one; SO_PEEK_OFF goes on there
 * @payer: the user of its association; set once
 * @idle_node: in @payer's idle.rings, if @idle_size is not 0
 *
 * Each side writes to its own cache line.
 */
struct altconn_ring {
	struct mutex		write_lock	/* writers */
				____cacheline_aligned_in_smp;
	struct altconn_segment	*write_segment;
	u32			write_at;
	u32			tail_seen;
	atomic64_t		head;
	u32			extra_written;

	struct mutex		read_lock	/* readers; inside write_lock */
				____cacheline_aligned_in_smp;
	struct altconn_segment	*read_segment;
	u32			read_at;
	u32			tail;
	u32			extra_read;
	u32			wake_at;
	u32			scanned;
	u32			idle_size;

	/* What seldom changes. */
	struct altconn_marks	*marks ____cacheline_aligned_in_smp;
	bool			purged;
	bool			peeked;
	u32			peeked_to;
	struct altconn_payer	*payer;
	struct list_head	idle_node;
};

#define ALTCONN_RING_LIMIT	(256U << 20)

/* Of ring->head. */
#define ALTCONN_RING_SEALED	BIT_ULL(32)

/* A segment's bytes, its header included, are a power of two and at least: */
#define SEGMENT_MIN	4096U

/**
 * struct altconn_segment - a ring of bytes
 * @next: where the writer went on, or NULL; stored once, with release
 * @base: how much had been written when it was linked, or has been read since;
 *	the writer's
 * @end: how much when @next was
 * @size: of @data
 * @data: the bytes
 *
 * Lifetime: made by the writer. It belongs to the writer until @next is set,
 * and to the reader until it has read as far as @end; who of the two comes last
 * is always the reader.
 */
struct altconn_segment {
	struct altconn_segment	*next;
	u32			base;
	u32			end;
	u32			size;
	char			data[] __aligned(8);
};

#define SEGMENT_HEAD	((u32)sizeof(struct altconn_segment))

#define RECORD_HEAD	((u32)sizeof(u32))

/* In a length: the sender has marked the record with MSG_EOR. */
#define RECORD_EOR	BIT(31)

struct altconn_ring *altconn_ring_new(struct altconn_ring **place,
				      const struct cred *cred);
struct altconn_segment *altconn_ring_alloc_segment(u32 size);
void altconn_ring_free_segments(struct altconn_segment *seg);
long altconn_ring_idle_bytes(u32 size);
void altconn_ring_idle_add(struct altconn_ring *ring, u32 size);
struct altconn_segment *altconn_ring_detach(struct altconn_ring *ring);
void __altconn_ring_free(struct altconn_ring *ring);
void __altconn_ring_seal(struct altconn_ring **place);
void altconn_ring_free_unread(struct altconn_ring *ring);
void altconn_ring_purge(struct altconn_ring *ring);
int __init altconn_ring_init(void);
void altconn_ring_exit(void);
u32 altconn_ring_payload(const struct altconn_ring *ring);
int altconn_ring_lock_again(struct altconn_ring *ring, struct mutex *lock);
ssize_t altconn_ring_fault_in(const struct iov_iter *iter, size_t len,
			      unsigned int try);

/**
 * altconn_ring_head() - bytes ever written
 * @ring: the ring
 *
 * Context: any.
 */
static inline u32 altconn_ring_head(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head);
}

/**
 * altconn_ring_is_sealed() - may nothing be written any more?
 * @ring: the ring
 *
 * Context: any.
 * Return: true if it is sealed.
 */
static inline bool altconn_ring_is_sealed(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head) & ALTCONN_RING_SEALED;
}

/**
 * altconn_ring_used() - bytes in the ring, records' lengths included
 * @ring: the ring, or NULL
 *
 * Context: any. Without a lock it may be more than there is by now, if the
 * caller is not the reader, and less, if it is not the writer.
 */
static inline u32 altconn_ring_used(const struct altconn_ring *ring)
{
	u32 tail;

	if (!ring)
		return 0;
	/* Pairs with the reader: what it has read may be overwritten. */
	tail = smp_load_acquire(&ring->tail);
	/* Pairs with the writer: what it has written may be read. */
	return (u32)atomic64_read_acquire(&ring->head) - tail;
}

/**
 * altconn_ring_writable() - is it worth waking a writer?
 * @ring: the ring
 * @limit: most bytes it may hold
 *
 * Half full is the mark: below it a stream takes bytes and a record of any
 * legal size is taken whole, so POLLOUT never lies.
 *
 * Context: any.
 */
static inline bool altconn_ring_writable(const struct altconn_ring *ring,
					 u32 limit)
{
	const struct altconn_marks *marks;

	if (altconn_ring_used(ring) > limit / 2)
		return false;
	marks = ring ? READ_ONCE(ring->marks) : NULL;
	return likely(!marks) || altconn_marks_few(marks);
}

/**
 * altconn_ring_wants_room() - a writer is about to wait
 * @ring: the ring, or NULL
 * @limit: most bytes it may hold
 *
 * Stores how far the reader must get to make it writable again, whatever is
 * written meanwhile by others.
 *
 * Context: any.
 */
static inline void altconn_ring_wants_room(struct altconn_ring *ring, u32 limit)
{
	if (ring)
		WRITE_ONCE(ring->wake_at, altconn_ring_head(ring) - limit / 2);
}

/**
 * altconn_ring_drained() - has the reader got as far as a writer said?
 * @ring: the ring, or NULL
 *
 * Context: any.
 */
static inline bool altconn_ring_drained(const struct altconn_ring *ring)
{
	return !ring || (s32)(READ_ONCE(ring->tail) -
			      READ_ONCE(ring->wake_at)) >= 0;
}

/**
 * altconn_ring_seal() - let nothing be written any more
 * @place: where the ring belongs; there may be none yet
 *
 * A write that is under way has become visible before, or fails with EPIPE. The
 * caller sees what was written.
 *
 * Context: any. Waits for no lock.
 */
static inline void altconn_ring_seal(struct altconn_ring **place)
{
	const struct altconn_ring *ring = READ_ONCE(*place);

	if (!ring || !altconn_ring_is_sealed(ring))
		__altconn_ring_seal(place);
}

/**
 * altconn_ring_free() - free a ring and what it holds
 * @ring: nobody uses it any more, but perhaps the scan; or NULL
 *
 * Context: process.
 */
static inline void altconn_ring_free(struct altconn_ring *ring)
{
	if (ring)
		__altconn_ring_free(ring);
}

/*
 * Drop the write lock or the read lock. Has a full barrier, which wakers use as
 * well.
 */
static inline void altconn_ring_unlock(struct altconn_ring *ring,
				       struct mutex *lock)
{
	mutex_unlock(lock);
	/* Pairs with altconn_ring_purge(). */
	smp_mb();
	if (unlikely(READ_ONCE(ring->purged)))
		altconn_ring_free_unread(ring);
}

static inline u32 altconn_ring_advance(const struct altconn_segment *seg,
				       u32 at, u32 n)
{
	at += n;
	return at < seg->size ? at : at - seg->size;
}

static inline int altconn_ring_lock_unless_signal(struct altconn_ring *ring,
						  struct mutex *lock)
{
	if (likely(!mutex_lock_interruptible(lock)))
		return 0;
	return altconn_ring_lock_again(ring, lock);
}

/* The next record begins where a length can be stored at once. */
static inline u32 altconn_ring_record_size(u32 len)
{
	return RECORD_HEAD + ALIGN(len, RECORD_HEAD);
}

#endif /* _ALTCONN_RING_H */
