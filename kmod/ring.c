// SPDX-License-Identifier: GPL-2.0
/*
 * This is the buffer of one direction of an association. Data is copied once
 * when it is written and once when it is read. A message allocates nothing once
 * the buffer has the size that it needs.
 *
 * There is one writer and one reader at a time, each with its own lock. Between
 * the two there are only @head and @tail, stored with release and loaded with
 * acquire. The memory is a chain of segments, and mostly of one segment. Each
 * segment is a circular buffer. A writer that finds its segment too small links
 * a larger one behind it and never returns to the old one. The reader frees the
 * segments that it has left behind. So a buffer grows without a copy, and no
 * writer waits for a reader.
 *
 * A sequenced packet is a record: a length word and the bytes, in one segment.
 * Both become visible together.
 *
 * The locks are mutexes, because memory is allocated while they are held.
 * Threads that share one end wait for each other, but never for a page fault:
 * user memory is copied with page faults disabled. A copy that stops short is
 * undone, the memory is faulted in without a lock, and the copy is done again.
 *
 * A direction that is shut is sealed. A writer moves @head by a compare and
 * exchange, and sealing sets a bit in the same word. So each write comes before
 * the seal, or fails with EPIPE. Sealing waits for no lock. A ring is purged
 * when its reader's endpoint has closed. The closing thread frees what the ring
 * holds, or leaves that to the thread that holds one of the locks.
 *
 * An emptied ring keeps its last segment for the next message. The ring is in a
 * list of its user, which is the client that made the association. A scan of
 * each user's list frees the segments within two seconds, as a job of that user
 * (payer.c). The scan takes a ring that holds data out of the list. So the scan
 * looks at a ring at most twice each time that the ring is emptied, not
 * counting looks at a ring that a thread has locked. The memory that all listed
 * rings of a user keep is bounded too: beyond that bound the reader frees the
 * segment at once. The rings of other users do not count.
 */

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "payer.h"
#include "ring.h"
#include "scm_queue.h"

static void ring_idle_scan(struct altconn_job *job);

#define RING_SCAN_INTERVAL	HZ

/* One run of the scan's job looks at this many rings at most. */
#define RING_SCAN_BATCH	64

/* User memory is faulted in this often at most, then a copy fails. */
#define RING_FAULT_TRIES	64

static struct kmem_cache *ring_cache;

/*
 * This ring stands for each ring that was sealed before anything was written.
 */
static struct altconn_ring ring_never_used = {
	.write_lock = __MUTEX_INITIALIZER(ring_never_used.write_lock),
	.read_lock = __MUTEX_INITIALIZER(ring_never_used.read_lock),
	.head = ATOMIC64_INIT(ALTCONN_RING_SEALED),
};

/**
 * altconn_ring_new() - make an empty ring, for the first data in a direction
 * @place: the pointer to the ring; another thread may store a ring there first
 * @cred: credentials of the client that made the association
 *
 * Context: process, may sleep.
 * Return: the ring at @place, which may be sealed already; the association owns
 * it. NULL: no memory.
 */
struct altconn_ring *altconn_ring_new(struct altconn_ring **place,
				      const struct cred *cred)
{
	struct altconn_ring *old, *ring;
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_IDLE, altconn_payer_key(cred));
	if (!payer)
		return NULL;
	ring = kmem_cache_zalloc(ring_cache, GFP_KERNEL_ACCOUNT);
	if (!ring)
		return NULL;
	mutex_init(&ring->write_lock);
	mutex_init(&ring->read_lock);
	ring->payer = payer;
	/* A full barrier: a thread that sees the ring sees it initialized. */
	old = cmpxchg(place, NULL, ring);
	if (!old)
		return ring;
	kmem_cache_free(ring_cache, ring);
	return old;
}

/**
 * altconn_ring_alloc_segment() - allocate an empty segment
 * @size: bytes, header included; a power of two
 *
 * Context: process, may sleep.
 * Return: the segment, which the caller owns, or NULL: no memory.
 */
struct altconn_segment *altconn_ring_alloc_segment(u32 size)
{
	struct altconn_segment *seg = kvmalloc(size, GFP_KERNEL_ACCOUNT);

	if (!seg)
		return NULL;
	seg->next = NULL;
	seg->base = 0;
	seg->end = 0;
	seg->size = size - RING_SEGMENT_HEAD;
	return seg;
}

/**
 * altconn_ring_free_segments() - free a chain of segments
 * @seg: the first segment, or NULL
 *
 * Context: process, may sleep.
 */
void altconn_ring_free_segments(struct altconn_segment *seg)
{
	while (seg) {
		struct altconn_segment *next = seg->next;

		kvfree(seg);
		seg = next;
	}
}

/**
 * altconn_ring_idle_bytes() - return what a listed ring adds to idle->bytes
 * @size: data bytes of the ring's segment, or 0
 *
 * Context: any.
 * Return: bytes, header included; 0 for a segment of the smallest size.
 */
long altconn_ring_idle_bytes(u32 size)
{
	return RING_SEGMENT_HEAD + size > RING_SEGMENT_MIN ?
	       RING_SEGMENT_HEAD + size : 0;
}

/**
 * altconn_ring_idle_add() - list a ring that keeps a segment
 * @ring: the ring; may be in the list already
 * @size: data bytes of the segment
 *
 * The ring keeps the segment until the scan finds the ring empty and unchanged
 * since the look before. The timer of the scan is armed if it is not.
 *
 * Context: process; the idle.lock of the ring's payer held.
 */
void altconn_ring_idle_add(struct altconn_ring *ring, u32 size)
{
	struct altconn_payer_idle *idle = &ring->payer->idle;

	lockdep_assert_held(&idle->lock);
	idle->bytes += altconn_ring_idle_bytes(size) -
		       altconn_ring_idle_bytes(ring->idle_size);
	if (!ring->idle_size) {
		list_add_tail(&ring->idle_node, &idle->rings);
		idle->n++;
		if (!idle->armed) {
			idle->job.run = ring_idle_scan;
			mod_timer(&idle->timer, jiffies + RING_SCAN_INTERVAL);
		}
		idle->armed = true;
	}
	WRITE_ONCE(ring->idle_size, size);
}

static void ring_idle_remove(struct altconn_ring *ring)
{
	struct altconn_payer_idle *idle = &ring->payer->idle;

	lockdep_assert_held(&idle->lock);
	if (!ring->idle_size)
		return;
	list_del(&ring->idle_node);
	idle->n--;
	idle->bytes -= altconn_ring_idle_bytes(ring->idle_size);
	WRITE_ONCE(ring->idle_size, 0);
}

/**
 * altconn_ring_detach() - take the segments out of a ring
 * @ring: the ring; leaves the list of its user too
 *
 * Context: process; the idle.lock of the ring's payer held. Both locks of the
 * ring are held, or no other thread uses the ring.
 * Return: the chain of segments, which the caller frees, or NULL.
 */
struct altconn_segment *altconn_ring_detach(struct altconn_ring *ring)
{
	struct altconn_segment *first = ring->read_segment;

	ring_idle_remove(ring);
	ring->read_segment = NULL;
	ring->write_segment = NULL;
	return first;
}

/*
 * Look at the first ring of a user's list: one step of the scan. A listed ring
 * is not freed while idle->lock is held. A ring that a thread has locked is
 * left for the next scan.
 */
static void ring_idle_scan_one(struct altconn_payer_idle *idle)
{
	struct altconn_segment *seg = NULL;
	struct altconn_ring *ring;

	spin_lock(&idle->lock);
	ring = list_first_entry_or_null(&idle->rings, struct altconn_ring,
					idle_node);
	if (!ring)
		goto out;
	list_rotate_left(&idle->rings);
	if (!mutex_trylock(&ring->write_lock))
		goto out;
	if (mutex_trylock(&ring->read_lock)) {
		u32 head = altconn_ring_head(ring);

		if (head != ring->tail)
			ring_idle_remove(ring);
		else if (head == ring->scanned)
			seg = altconn_ring_detach(ring);
		ring->scanned = head;
		mutex_unlock(&ring->read_lock);
	}
	mutex_unlock(&ring->write_lock);
out:
	spin_unlock(&idle->lock);
	altconn_ring_free_segments(seg);
}

/*
 * Run the scan's job: look at a part of a user's list. The job is queued again
 * until the scan has looked at the whole list.
 */
static void ring_idle_scan(struct altconn_job *job)
{
	struct altconn_payer *payer = container_of(job, struct altconn_payer,
						   idle.job);
	struct altconn_payer_idle *idle = &payer->idle;
	unsigned int batch, n = READ_ONCE(idle->n);

	/* Rings that left the list meanwhile need no look. */
	idle->left = min(idle->left ? : n, n);
	for (batch = 0; batch < RING_SCAN_BATCH && idle->left; batch++) {
		ring_idle_scan_one(idle);
		idle->left--;
	}
	if (idle->left) {
		altconn_payer_queue(payer, job);
		return;
	}
	spin_lock(&idle->lock);
	idle->armed = idle->n;
	if (idle->armed)
		mod_timer(&idle->timer, jiffies + RING_SCAN_INTERVAL);
	spin_unlock(&idle->lock);
}

/**
 * __altconn_ring_free() - free a ring, out of line
 * @ring: the ring, not NULL; see altconn_ring_free()
 *
 * Context: process, may sleep.
 */
void __altconn_ring_free(struct altconn_ring *ring)
{
	struct altconn_segment *seg;

	if (ring == &ring_never_used)
		return;
	/* The scan does not use a ring that is out of the list. */
	spin_lock(&ring->payer->idle.lock);
	seg = altconn_ring_detach(ring);
	spin_unlock(&ring->payer->idle.lock);
	altconn_ring_free_segments(seg);
	altconn_scm_queue_free(ring->scm_queue);
	kmem_cache_free(ring_cache, ring);
}

/**
 * __altconn_ring_seal() - seal a ring that is not sealed yet
 * @place: the pointer to the ring; see altconn_ring_seal()
 *
 * Context: any. Waits for no lock.
 */
void __altconn_ring_seal(struct altconn_ring **place)
{
	struct altconn_ring *ring = READ_ONCE(*place);

	if (!ring)
		ring = cmpxchg(place, NULL, &ring_never_used);
	/* Both atomic operations are fully ordered. */
	if (ring && !altconn_ring_is_sealed(ring))
		atomic64_fetch_or(ALTCONN_RING_SEALED, &ring->head);
}

/*
 * Detach all segments and all boundaries, as if the data had been read. The
 * idle.lock of the ring's payer and both locks of the ring are held.
 */
static struct altconn_segment *ring_detach_unread(struct altconn_ring *ring,
						  struct list_head *boundaries)
{
	u32 head = altconn_ring_head(ring);

	if (ring->scm_queue)
		altconn_scm_queue_detach(ring->scm_queue, boundaries);
	WRITE_ONCE(ring->extra_read, ring->extra_written);
	/* Pairs with ring_load_tail() and altconn_ring_used(). */
	smp_store_release(&ring->tail, head);
	return altconn_ring_detach(ring);
}

/**
 * altconn_ring_free_unread() - free what a purged ring holds
 * @ring: the ring, purged
 *
 * If a thread holds one of the ring's locks, nothing is freed here. That thread
 * calls this function when it drops the lock.
 *
 * Context: process, may sleep. Waits for no writer and no reader.
 */
void altconn_ring_free_unread(struct altconn_ring *ring)
{
	struct altconn_segment *seg = NULL;
	LIST_HEAD(boundaries);

	spin_lock(&ring->payer->idle.lock);
	if (mutex_trylock(&ring->write_lock)) {
		if (mutex_trylock(&ring->read_lock)) {
			seg = ring_detach_unread(ring, &boundaries);
			mutex_unlock(&ring->read_lock);
		}
		mutex_unlock(&ring->write_lock);
	}
	spin_unlock(&ring->payer->idle.lock);
	altconn_ring_free_segments(seg);
	altconn_scm_queue_free_list(&boundaries);
}

/**
 * altconn_ring_purge() - free what a ring holds when its reader has closed
 * @ring: the ring, sealed
 *
 * Context: process, may sleep. Waits for no writer and no reader.
 */
void altconn_ring_purge(struct altconn_ring *ring)
{
	if (ring == &ring_never_used)
		return;
	WRITE_ONCE(ring->purged, true);
	/* Pairs with altconn_ring_unlock(). */
	smp_mb();
	altconn_ring_free_unread(ring);
}

/**
 * altconn_ring_init() - make the slab cache of rings
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_ring_init(void)
{
	ring_cache = KMEM_CACHE(altconn_ring, SLAB_ACCOUNT);
	return ring_cache ? 0 : -ENOMEM;
}

/**
 * altconn_ring_exit() - undo altconn_ring_init()
 *
 * Context: process, may sleep; no ring is left.
 */
void altconn_ring_exit(void)
{
	kmem_cache_destroy(ring_cache);
}

/**
 * altconn_ring_payload() - return the unread bytes that a program wrote
 * @ring: the ring, or NULL
 *
 * Context: any. Without the ring's locks the result may be outdated, like that
 * of altconn_ring_used().
 * Return: unread bytes without length words and padding of records.
 */
u32 altconn_ring_payload(const struct altconn_ring *ring)
{
	u32 written, used;
	s64 extra;

	if (!ring)
		return 0;
	written = READ_ONCE(ring->extra_written);
	/*
	 * Load @extra_written first and @extra_read last, so that the result
	 * errs on the large side. Only a record that a writer is about to
	 * publish can lower it, by its length word and padding.
	 */
	smp_rmb();
	used = altconn_ring_used(ring);
	/* Keeps the order that the comment above explains. */
	smp_rmb();
	extra = (s32)(written - READ_ONCE(ring->extra_read));
	if (extra < 0)
		return used;
	return used > extra ? used - extra : 0;
}

/**
 * altconn_ring_lock_again() - try once more to take one of the ring's locks
 * @ring: the ring
 * @lock: the lock that mutex_lock_interruptible() failed to take
 *
 * The scan may hold the lock for a moment, inside idle.lock. A call that need
 * not wait must not fail with a signal's error for that reason. So wait until
 * the scan has dropped the ring's locks, then try the lock again.
 *
 * Context: process.
 * Return: 0, and the caller holds @lock; -ERESTARTSYS: another thread has the
 * lock.
 */
int altconn_ring_lock_again(struct altconn_ring *ring,
			    struct mutex *lock)
{
	/* The shared ring ring_never_used has no payer and is in no list. */
	if (ring->payer) {
		spin_lock(&ring->payer->idle.lock);
		spin_unlock(&ring->payer->idle.lock);
	}
	return mutex_trylock(lock) ? 0 : -ERESTARTSYS;
}

/**
 * altconn_ring_fault_in() - fault in user memory for a copy that stopped short
 * @iter: the user memory
 * @len: bytes to fault in
 * @try: number of this attempt at the same copy, from 1
 *
 * Context: process, may sleep; no lock of the ring is held.
 * Return: how many of the @len bytes are present, at least 1; -ERESTARTSYS: a
 * signal is pending; -EFAULT: no byte is accessible, or there were too many
 * tries.
 */
ssize_t altconn_ring_fault_in(const struct iov_iter *iter, size_t len,
			      unsigned int try)
{
	size_t left = 0;

	if (try > 1 && signal_pending(current))
		return -ERESTARTSYS;
	if (try > RING_FAULT_TRIES || (try > 1 && !user_backed_iter(iter)))
		return -EFAULT;
	if (iov_iter_rw(iter) == WRITE)
		left = fault_in_iov_iter_readable(iter, len);
	else
		left = fault_in_iov_iter_writeable(iter, len);
	return left < len ? len - left : -EFAULT;
}
