/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_RING_H
#define _ALTCONN_RING_H

#include "altconn.h"
#include "scm_queue.h"

struct altconn_payer_idle;
struct cred;

/**
 * struct altconn_ring - unread data of one direction of an association
 * @write_lock: held by the thread that writes. No page fault is handled under
 *	this lock
 * @write_segment: the newest segment, which the next byte is written to; NULL
 *	if the ring has no segment, or if the newest one has pages; @write_lock
 * @write_at: offset of the next byte to write in the data of @write_segment;
 *	@write_lock
 * @tail_seen: the value of @tail when a writer last loaded it; @write_lock
 * @head: lower half: the number of bytes ever written, modulo 2^32. Upper half:
 *	0, or ALTCONN_RING_SEALED if no more data may be written. A cmpxchg of
 *	both halves adds to the number, and fails once the ring is sealed
 * @extra_written: how many of the written bytes are length words and padding of
 *	records; @write_lock
 * @read_lock: held by the thread that reads. No page fault is handled under
 *	this lock
 * @read_segment: the oldest segment, in which the next read begins, or NULL if
 *	the ring has no segment. Changes under @read_lock, except that a writer
 *	stores the first segment of a ring that has none
 * @read_at: offset at which the next read begins in the data of @read_segment
 * @tail: the number of bytes ever read, modulo 2^32; stored under @read_lock
 * @extra_read: how many of the read bytes are length words and padding of
 *	records; stored under @read_lock
 * @wake_at: while @tail is before this position, no reader need wake a writer
 * @scanned: the value of @head when the scan of emptied rings (ring.c) last
 *	looked at the ring; both locks
 * @idle_size: bytes of data in the segment that the ring keeps while it is in
 *	the list @idle; 0 if the ring is not in that list. Stored under
 *	@idle->lock
 * @scm_queue: the boundaries, with the ancillary data of the unread bytes
 *	(scm_queue.c); NULL until ancillary data is first written. A reader
 *	loads this pointer after @head
 * @purged: the reading endpoint has closed, so the contents are freed: by the
 *	closing thread, or by a thread that drops one of the locks. Never
 *	cleared
 * @peeked: @peeked_to is valid, and the record that ends there is unread;
 *	@read_lock
 * @peeked_to: end of the last empty record that has been peeked at. A peek with
 *	SO_PEEK_OFF does not return the empty records before this position
 *	again; @read_lock
 * @page_segment: the newest segment if it has pages, else NULL; @write_lock
 * @pages_charged: number of pages that all references ever written pinned,
 *	modulo 2^32; @write_lock
 * @pages_freed: how many of the pages in @pages_charged are pinned no more,
 *	modulo 2^32; stored under @read_lock
 * @idle: the list of emptied rings that the ring belongs to, one of the user
 *	that made the association; never changes
 * @idle_node: link in @idle->rings while @idle_size is not 0
 *
 * Positions in the ring count as @head does, and wrap around.
 *
 * On the fast path a writer stores to the first cache line of the ring only,
 * and a reader to the second only.
 */
struct altconn_ring {
	struct mutex		write_lock	/* writer */
				____cacheline_aligned_in_smp;
	struct altconn_segment	*write_segment;
	u32			write_at;
	u32			tail_seen;
	atomic64_t		head;
	u32			extra_written;

	struct mutex		read_lock	/* reader; inside write_lock */
				____cacheline_aligned_in_smp;
	struct altconn_segment	*read_segment;
	u32			read_at;
	u32			tail;
	u32			extra_read;
	u32			wake_at;
	u32			scanned;
	u32			idle_size;

	/* For streams of bytes, the members below seldom change. */
	struct altconn_scm_queue	*scm_queue ____cacheline_aligned_in_smp;
	bool			purged;
	bool			peeked;
	u32			peeked_to;
	u32			pages_charged;
	u32			pages_freed;
	struct altconn_segment	*page_segment;
	struct altconn_payer_idle	*idle;
	struct list_head	idle_node;
};

/* Upper limit of what a ring may hold, even if SO_SNDBUF is larger. */
#define ALTCONN_RING_LIMIT	(256U << 20)

/* A flag in ring->head: no more data may be written. */
#define ALTCONN_RING_SEALED	BIT_ULL(32)

/*
 * Bytes of the smallest segment of bytes. The size of a segment, header
 * included, is a power of two.
 */
#define RING_SEGMENT_MIN	4096U

/**
 * struct altconn_segment - memory of a ring: a circular buffer of bytes, or of
 *	references to pages (ring_pages.c)
 * @next: the next newer segment, or NULL if this is the newest one; stored
 *	once, with release
 * @base: a position before which the segment holds no unread byte: the ring's
 *	@head when the segment was linked, or a later @tail. Used under the
 *	ring's write_lock only
 * @end: position of the first byte in @next; valid if @next is not NULL
 * @size: bytes of @data in a circular buffer of bytes; 0 in a segment with
 *	pages
 * @data: the bytes, or a struct altconn_page_queue
 *
 * Lifetime: only the newest segment is written to. A reader frees an older
 * segment when it has read up to @end. The newest segment is freed when the
 * ring is freed or purged, by the scan of emptied rings (ring.c), or by a
 * reader when the emptied rings of the user keep too much memory.
 */
struct altconn_segment {
	struct altconn_segment	*next;
	u32			base;
	u32			end;
	u32			size;
	char			data[] __aligned(8);
};

#define RING_SEGMENT_HEAD	((u32)sizeof(struct altconn_segment))

/* Bytes of the length word with which a record begins. */
#define RING_RECORD_HEAD	((u32)sizeof(u32))

/* A flag in a record's length word: the sender has set MSG_EOR. */
#define RING_RECORD_EOR	BIT(31)

struct altconn_ring *altconn_ring_new(struct altconn_ring **place,
				      const struct cred *cred);
struct altconn_segment *altconn_ring_alloc_segment(u32 size);
u32 altconn_ring_free_segment(struct altconn_segment *seg);
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
u32 altconn_ring_unread_payload(const struct altconn_ring *ring);
int altconn_ring_retry_lock(struct altconn_ring *ring, struct mutex *lock);
ssize_t altconn_ring_fault_in(const struct iov_iter *iter, size_t len,
			      unsigned int try);

/**
 * altconn_ring_head() - return the position of the next byte to write
 * @ring: the ring
 *
 * Context: any.
 * Return: the number of bytes ever written, modulo 2^32.
 */
static inline u32 altconn_ring_head(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head);
}

/**
 * altconn_ring_is_sealed() - check whether no more data may be written
 * @ring: the ring
 *
 * Context: any.
 * Return: true if the ring is sealed, else false.
 */
static inline bool altconn_ring_is_sealed(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head) & ALTCONN_RING_SEALED;
}

/**
 * altconn_ring_unread() - return the number of unread bytes in the ring
 * @ring: the ring, or NULL
 *
 * Context: any. The result is exact only under both of the ring's locks.
 * Otherwise some of the bytes may have been read, and further bytes may have
 * been written.
 * Return: unread bytes, length words and padding of records included; 0 without
 * a ring.
 */
static inline u32 altconn_ring_unread(const struct altconn_ring *ring)
{
	u32 tail;

	if (!ring)
		return 0;
	/*
	 * Pairs with ring_store_tail(): @head is not older than @tail, so the
	 * difference is not negative.
	 */
	tail = smp_load_acquire(&ring->tail);
	/* Pairs with ring_publish(): the bytes before @head are visible. */
	return (u32)atomic64_read_acquire(&ring->head) - tail;
}

/**
 * altconn_ring_writable() - check whether a writer that waits can go on
 * @ring: the ring, or NULL
 * @limit: most bytes that the ring may hold
 *
 * While at most half of @limit is in use, the ring takes bytes of a stream, and
 * takes a record of any valid size as a whole. So a send() after POLLOUT finds
 * space, unless another thread takes that space first.
 *
 * Context: any.
 * Return: true if at most half of @limit is in use and the ring has few
 * boundaries (scm_queue.c), else false.
 */
static inline bool altconn_ring_writable(const struct altconn_ring *ring,
					 u32 limit)
{
	const struct altconn_scm_queue *queue;

	if (altconn_ring_unread(ring) > limit / 2)
		return false;
	queue = ring ? READ_ONCE(ring->scm_queue) : NULL;
	return likely(!queue) || altconn_scm_queue_has_space(queue);
}

/**
 * altconn_ring_set_wake_at() - store the position that ends a writer's wait
 * @ring: the ring, or NULL
 * @limit: most bytes that the ring may hold
 *
 * The ring is not writable before @tail has reached this position. Further
 * writes move the true position on, so the stored position is never too late.
 *
 * Context: any. The caller then announces that it waits (want_space), and looks
 * for space again.
 */
static inline void altconn_ring_set_wake_at(struct altconn_ring *ring,
					    u32 limit)
{
	if (ring)
		WRITE_ONCE(ring->wake_at, altconn_ring_head(ring) - limit / 2);
}

/**
 * altconn_ring_reached_wake_at() - check whether @tail has reached @wake_at
 * @ring: the ring, or NULL
 *
 * Context: any.
 * Return: true if the ring may be writable again, or if there is no ring; false
 * if no writer need be woken.
 */
static inline bool altconn_ring_reached_wake_at(const struct altconn_ring *ring)
{
	return !ring || (s32)(READ_ONCE(ring->tail) -
			      READ_ONCE(ring->wake_at)) >= 0;
}

/**
 * altconn_ring_seal() - let all further writes to a ring fail with EPIPE
 * @place: the pointer to the ring, which is NULL if nothing was sent yet
 *
 * A write that is under way becomes visible before the seal, or fails with
 * EPIPE. So after this call the ring's @head is final.
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
 * altconn_ring_free() - free a ring and its contents
 * @ring: the ring, or NULL. The caller is its only user, apart from the scan of
 *	emptied rings
 *
 * Context: process, may sleep.
 */
static inline void altconn_ring_free(struct altconn_ring *ring)
{
	if (ring)
		__altconn_ring_free(ring);
}

/**
 * altconn_ring_unlock() - drop one of the ring's locks
 * @ring: the ring
 * @lock: the ring's write_lock or read_lock
 *
 * A full barrier separates the caller's stores to the ring from its later check
 * for threads that wait (want_data, polled, want_space).
 *
 * Context: process, may sleep; @lock held.
 */
static __always_inline void altconn_ring_unlock(struct altconn_ring *ring,
						struct mutex *lock)
{
	mutex_unlock(lock);
	/*
	 * Drop the lock, then load @purged. altconn_ring_purge() stores
	 * @purged, then tries the lock. So one of the two frees the contents.
	 */
	smp_mb();
	if (unlikely(READ_ONCE(ring->purged)))
		altconn_ring_free_unread(ring);
}

/**
 * altconn_ring_advance() - move an offset in a segment forward
 * @seg: the segment
 * @at: offset of a byte in the segment's data
 * @n: bytes to move by; at most the segment's size
 *
 * Context: any.
 * Return: the new offset, which wraps around at the end of the segment.
 */
static inline u32 altconn_ring_advance(const struct altconn_segment *seg,
				       u32 at, u32 n)
{
	at += n;
	return at < seg->size ? at : at - seg->size;
}

/**
 * altconn_ring_lock_unless_signal() - take one of the ring's locks
 * @ring: the ring
 * @lock: the ring's write_lock or read_lock
 *
 * Context: process, may sleep.
 * Return: 0, and the caller holds @lock; -ERESTARTSYS if another thread holds
 * @lock, and a signal is pending.
 */
static __always_inline int
altconn_ring_lock_unless_signal(struct altconn_ring *ring, struct mutex *lock)
{
	if (likely(!mutex_lock_interruptible(lock)))
		return 0;
	return altconn_ring_retry_lock(ring, lock);
}

/**
 * altconn_ring_record_size() - return the bytes that a record takes in the ring
 * @len: bytes of the record
 *
 * The size is a multiple of the length word's size, so that the length word of
 * the next record is aligned and in one piece.
 *
 * Context: any.
 * Return: bytes of the record, its length word and its padding.
 */
static inline u32 altconn_ring_record_size(u32 len)
{
	return RING_RECORD_HEAD + ALIGN(len, RING_RECORD_HEAD);
}

#endif /* _ALTCONN_RING_H */
