/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_RING_H
#define _ALTCONN_RING_H

#include "altconn.h"
#include "scm_queue.h"

struct altconn_payer;
struct cred;

/**
 * struct altconn_ring - buffer of data on its way to one end of an association
 * @write_lock: held by the writer; never held across a page fault
 * @write_segment: the segment that the writer writes to, or NULL if the ring
 *	holds no memory
 * @write_at: offset of the next byte to write in the data of @write_segment
 * @head: bytes ever written, in the lower half; stored by the writer. The upper
 *	half is 0, or ALTCONN_RING_SEALED if no more data may be written. Both
 *	halves change in one atomic operation, so each write comes before the
 *	seal or fails
 * @tail_seen: the value of @tail when the writer last loaded it
 * @extra_written: the part of @head that no program wrote: length words and
 *	padding of records
 * @read_lock: held by the reader; never held across a page fault
 * @read_segment: the segment that the reader reads from: @write_segment or an
 *	older one
 * @read_at: offset of the next byte to read in the data of @read_segment
 * @tail: bytes ever read; stored by the reader
 * @extra_read: the part of @tail that no program wrote
 * @wake_at: value that @tail must reach before a waiting writer needs a wake-up
 * @scanned: the value of @head when the scan of emptied rings (ring.c) last
 *	looked
 * @idle_size: data bytes of the segment with which the ring is in its user's
 *	list of emptied rings, or 0 if the ring is in no list; changes under
 *	@payer's idle.lock
 * @scm_queue: the boundaries: credentials, descriptors and timestamps that go
 *	with the data, see scm_queue.c; NULL until the first of them is written.
 *	The reader loads it after @head
 * @purged: the reader's endpoint has closed. The thread that drops one of the
 *	locks frees what the ring holds. Never cleared
 * @peeked: an empty record that is still unread was peeked at; @read_lock
 * @peeked_to: position behind the last empty record that was peeked at, where a
 *	peek with SO_PEEK_OFF continues; @read_lock
 * @payer: the user that made the association; set once
 * @idle_node: in @payer's idle.rings while @idle_size is not 0
 *
 * On the fast path the writer and the reader each write to their own cache line
 * only.
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

	/* The members below seldom change. */
	struct altconn_scm_queue	*scm_queue ____cacheline_aligned_in_smp;
	bool			purged;
	bool			peeked;
	u32			peeked_to;
	struct altconn_payer	*payer;
	struct list_head	idle_node;
};

#define ALTCONN_RING_LIMIT	(256U << 20)

/* This flag in ring->head says that no more data may be written. */
#define ALTCONN_RING_SEALED	BIT_ULL(32)

/*
 * The smallest segment has this many bytes, header included. The bytes of every
 * segment, header included, are a power of two.
 */
#define RING_SEGMENT_MIN	4096U

/**
 * struct altconn_segment - memory of a ring, used as a circular buffer
 * @next: the segment in which the writer continued, or NULL; stored once, with
 *	release
 * @base: the ring's @head when the segment was linked, or a later @tail: the
 *	segment holds no unread byte before this position. Stored by the writer
 *	only
 * @end: the ring's @head when @next was set: the position of the first byte
 *	that is in @next
 * @size: bytes of @data
 * @data: the bytes
 *
 * Lifetime: the writer allocates a segment and uses it until it sets @next. The
 * reader uses the segment until it has read up to @end. The reader is always
 * the last of the two, and frees the segment. The newest segment has no @next.
 * It is freed when the ring is freed or purged, by the scan, or by the reader
 * when the emptied rings of its user keep too much memory.
 */
struct altconn_segment {
	struct altconn_segment	*next;
	u32			base;
	u32			end;
	u32			size;
	char			data[] __aligned(8);
};

#define RING_SEGMENT_HEAD	((u32)sizeof(struct altconn_segment))

/* A record begins with a length word of this many bytes. */
#define RING_RECORD_HEAD	((u32)sizeof(u32))

/* This flag in a record's length word says that the sender has set MSG_EOR. */
#define RING_RECORD_EOR	BIT(31)

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
 * altconn_ring_head() - return the number of bytes ever written
 * @ring: the ring
 *
 * Context: any.
 * Return: the number of bytes, modulo 2^32.
 */
static inline u32 altconn_ring_head(const struct altconn_ring *ring)
{
	return atomic64_read(&ring->head);
}

/**
 * altconn_ring_is_sealed() - check whether the ring accepts no more data
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
 * altconn_ring_used() - return the number of unread bytes in the ring
 * @ring: the ring, or NULL
 *
 * Context: any. Without the ring's read_lock, the result may exceed what is
 * left by now. Without its write_lock, the result may miss what was written
 * meanwhile.
 * Return: unread bytes, length words and padding of records included; 0 without
 * a ring.
 */
static inline u32 altconn_ring_used(const struct altconn_ring *ring)
{
	u32 tail;

	if (!ring)
		return 0;
	/*
	 * Pairs with ring_commit(): bytes before the tail may be overwritten.
	 */
	tail = smp_load_acquire(&ring->tail);
	/* Pairs with ring_publish(): the bytes before the head may be read. */
	return (u32)atomic64_read_acquire(&ring->head) - tail;
}

/**
 * altconn_ring_writable() - check whether it is worth waking a writer
 * @ring: the ring, or NULL
 * @limit: most bytes that the ring may hold
 *
 * The threshold is half of @limit. Below it the ring takes bytes of a stream,
 * and takes a record of any legal size as a whole. So a send() after POLLOUT
 * finds room, unless another thread takes it.
 *
 * Context: any. Return: true if at most half of @limit is in use and the ring
 * has few boundaries (scm_queue.c), else false.
 */
static inline bool altconn_ring_writable(const struct altconn_ring *ring,
					 u32 limit)
{
	const struct altconn_scm_queue *queue;

	if (altconn_ring_used(ring) > limit / 2)
		return false;
	queue = ring ? READ_ONCE(ring->scm_queue) : NULL;
	return likely(!queue) || altconn_scm_queue_has_space(queue);
}

/**
 * altconn_ring_set_wake_at() - announce that a writer is about to wait
 * @ring: the ring, or NULL
 * @limit: most bytes that the ring may hold
 *
 * Store in @wake_at the position that the reader must reach, at least, before
 * the ring is writable again. Bytes that other threads write meanwhile can only
 * move the true position further on.
 *
 * Context: any.
 */
static inline void altconn_ring_set_wake_at(struct altconn_ring *ring,
					    u32 limit)
{
	if (ring)
		WRITE_ONCE(ring->wake_at, altconn_ring_head(ring) - limit / 2);
}

/**
 * altconn_ring_is_drained() - check whether the reader has reached @wake_at
 * @ring: the ring, or NULL
 *
 * Context: any.
 * Return: true if it has, or if there is no ring, else false.
 */
static inline bool altconn_ring_is_drained(const struct altconn_ring *ring)
{
	return !ring || (s32)(READ_ONCE(ring->tail) -
			      READ_ONCE(ring->wake_at)) >= 0;
}

/**
 * altconn_ring_seal() - refuse all further data
 * @place: the pointer to the ring; there may be no ring yet
 *
 * A write that is under way becomes visible before the seal, or fails with
 * EPIPE. After this call the caller sees all data that was written.
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
 * @ring: the ring, or NULL. No other thread uses the ring, except perhaps the
 *	scan
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
 * The function has a full barrier after the caller's critical section. The
 * caller relies on that barrier when it looks for sleepers afterwards.
 *
 * Context: process, may sleep; @lock held.
 */
static __always_inline void altconn_ring_unlock(struct altconn_ring *ring,
						struct mutex *lock)
{
	mutex_unlock(lock);
	/* Pairs with altconn_ring_purge(). */
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
 * Return: 0, and the caller holds @lock; -ERESTARTSYS: a signal is pending and
 * another thread has the lock.
 */
static __always_inline int
altconn_ring_lock_unless_signal(struct altconn_ring *ring, struct mutex *lock)
{
	if (likely(!mutex_lock_interruptible(lock)))
		return 0;
	return altconn_ring_lock_again(ring, lock);
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
