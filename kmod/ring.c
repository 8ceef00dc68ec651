// SPDX-License-Identifier: GPL-2.0
/*
 * Ring: the buffer of one direction of an association.
 *
 * Each byte is copied once when it is written and once when it is read. A
 * message allocates no memory once the ring has a segment that is large enough.
 * Most pages that sendfile() and splice() write are passed by reference, and
 * are copied once, by the reader (ring_pages.c). A segment has either bytes or
 * such references.
 *
 * One thread writes at a time, and one thread reads, each under a lock of its
 * own. The two share only the positions @head and @tail, which they store with
 * release and load with acquire. The memory is a chain of segments, and mostly
 * a single one. A segment is a circular buffer. A writer that finds the newest
 * segment too small links a larger one behind it, and never writes to the old
 * one again. A reader frees a segment that it has read to its end. So a ring
 * grows without a copy, and no writer waits for a reader to do so.
 *
 * A seqpacket message is a record in the ring: a length word, the bytes, and
 * padding, all in one segment. A record becomes visible as a whole.
 *
 * The locks are mutexes, because memory is allocated under them. No page fault
 * is handled under them, so a user that delays a page fault delays no other
 * thread: user memory is copied with page faults disabled. If the copy stops
 * short, it is undone, the lock is dropped, the memory is faulted in, and the
 * copy is tried again.
 *
 * shutdown() and close() seal a ring. A writer advances @head with a cmpxchg,
 * and sealing sets a bit in the same word, without a lock. So each write
 * becomes visible before the seal, or fails with EPIPE. When the endpoint that
 * reads the ring closes, the ring is purged: its contents are freed by the
 * closing thread, or, if another thread holds one of the locks, by that thread.
 *
 * An emptied ring keeps its newest segment for the next message, and is listed:
 * it is in one of the lists of emptied rings of the user that made the
 * association (payer->idle), which is the list of the CPU that made the ring.
 * The scan is a job of that user's payer (payer.c), which runs about once a
 * second while the list is not empty:
 *
 *   listed ring                                    the scan
 *   holds unread data                              takes it out of the list
 *   is empty, and was written to since last scan   leaves it
 *   is empty, and was not written to since then    frees its segments
 *   is locked                                      leaves it
 *
 * So an unused segment is freed after about two seconds. The memory that the
 * listed rings of one user keep is bounded, whatever other users do. Beyond
 * this bound a reader frees the segment of an emptied ring at once
 * (ring_keep_or_free()).
 */

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "payer.h"
#include "ring.h"
#include "ring_pages.h"
#include "scm_queue.h"

/* The scan runs this often, in jiffies. */
#define RING_SCAN_INTERVAL	HZ

/* A run of the scan's job looks at this many rings at most. */
#define RING_SCAN_BATCH	64

/* A copy fails after user memory was faulted in for it this many times. */
#define RING_FAULT_TRIES	64

static struct kmem_cache *ring_cache;

/*
 * Every direction that is sealed before data is sent shares this sealed, empty
 * ring. It belongs to no list, and is never listed, purged or freed.
 */
static struct altconn_ring ring_sealed_empty = {
	.write_lock = __MUTEX_INITIALIZER(ring_sealed_empty.write_lock),
	.read_lock = __MUTEX_INITIALIZER(ring_sealed_empty.read_lock),
	.head = ATOMIC64_INIT(ALTCONN_RING_SEALED),
};

/**
 * altconn_ring_new() - make an empty ring, for the first data in a direction
 * @place: the pointer to the ring; another thread may store a ring there first
 * @cred: credentials of the client that made the association
 *
 * Context: process, may sleep.
 * Return: the ring that @place points to, which may be sealed; the association
 * owns it. NULL if there is no memory.
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
	/* It does not matter if the thread runs on another CPU by now. */
	ring->idle = &payer->idle[raw_smp_processor_id() &
				  (payer->n_idle - 1)];
	/* The full barrier orders the initialization before the pointer. */
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
 * Return: the segment, which the caller owns, or NULL if there is no memory.
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
 * altconn_ring_free_segment() - free a segment, and drop its pages
 * @seg: the segment; no other thread uses it
 *
 * Context: process, may sleep.
 * Return: number of pages that are pinned no more.
 */
u32 altconn_ring_free_segment(struct altconn_segment *seg)
{
	u32 charge = seg->size ? 0 : altconn_ring_pages_destroy(seg);

	kvfree(seg);
	return charge;
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

		altconn_ring_free_segment(seg);
		seg = next;
	}
}

/**
 * altconn_ring_idle_bytes() - return what a listed ring adds to idle->bytes
 * @size: bytes of data in the segment that the ring keeps, or 0 if it is not
 *	listed
 *
 * Context: any.
 * Return: bytes of the segment, header included; 0 for a segment of the
 * smallest size, which does not count.
 */
long altconn_ring_idle_bytes(u32 size)
{
	return RING_SEGMENT_HEAD + size > RING_SEGMENT_MIN ?
	       RING_SEGMENT_HEAD + size : 0;
}

/* Take a ring out of the list of emptied rings, if it is listed. */
static void ring_idle_remove(struct altconn_ring *ring)
{
	struct altconn_payer_idle *idle = ring->idle;

	lockdep_assert_held(&idle->lock);
	if (!ring->idle_size)
		return;
	list_del(&ring->idle_node);
	idle->n--;
	idle->bytes -= altconn_ring_idle_bytes(ring->idle_size);
	WRITE_ONCE(ring->idle_size, 0);
}

/**
 * altconn_ring_detach() - take all segments out of a ring, and unlist it
 * @ring: the ring, which has no unread data or is about to be freed
 *
 * Context: process; ring->idle->lock held. Both locks of the ring are held, or
 * no other thread uses the ring.
 * Return: the chain of segments, which the caller frees, or NULL.
 */
struct altconn_segment *altconn_ring_detach(struct altconn_ring *ring)
{
	struct altconn_segment *first = ring->read_segment;

	ring_idle_remove(ring);
	ring->read_segment = NULL;
	ring->write_segment = NULL;
	ring->page_segment = NULL;
	return first;
}

/*
 * Scan the first ring of a list, and move it to the end of the list. A ring is
 * unlisted under idle->lock before it is freed, so a listed ring stays while
 * idle->lock is held. A ring that a thread has locked is left for the next
 * scan.
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
 * The scan's job: scan up to RING_SCAN_BATCH rings of a list. Queue the job
 * again until the scan has looked at the whole list, then arm the timer for the
 * next scan, unless the list is empty.
 */
static void ring_idle_scan(struct altconn_job *job)
{
	struct altconn_payer_idle *idle =
		container_of(job, struct altconn_payer_idle, job);
	unsigned int batch, n = READ_ONCE(idle->n);

	/* Rings may have left the list since the last run of the job. */
	idle->left = min(idle->left ? : n, n);
	for (batch = 0; batch < RING_SCAN_BATCH && idle->left; batch++) {
		ring_idle_scan_one(idle);
		idle->left--;
	}
	if (idle->left) {
		altconn_payer_queue(idle->payer, job);
		return;
	}
	spin_lock(&idle->lock);
	idle->armed = idle->n;
	if (idle->armed)
		mod_timer(&idle->timer, jiffies + RING_SCAN_INTERVAL);
	spin_unlock(&idle->lock);
}

/**
 * altconn_ring_idle_add() - list a ring, so that the scan frees its segment
 * @ring: the ring; may be listed already, with a segment of another size
 * @size: bytes of data in the segment that the ring keeps, or RING_PAGES_SIZE
 *	for a segment with pages
 *
 * The first ring in the list arms the timer of the scan.
 *
 * Context: process; ring->idle->lock held.
 */
void altconn_ring_idle_add(struct altconn_ring *ring, u32 size)
{
	struct altconn_payer_idle *idle = ring->idle;

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

/**
 * __altconn_ring_free() - slow path of altconn_ring_free()
 * @ring: the ring, not NULL
 *
 * Context: process, may sleep.
 */
void __altconn_ring_free(struct altconn_ring *ring)
{
	struct altconn_segment *seg;

	if (ring == &ring_sealed_empty)
		return;
	/* The scan uses a ring only under idle->lock and while it is listed. */
	spin_lock(&ring->idle->lock);
	seg = altconn_ring_detach(ring);
	spin_unlock(&ring->idle->lock);
	altconn_ring_free_segments(seg);
	altconn_scm_queue_free(ring->scm_queue);
	kmem_cache_free(ring_cache, ring);
}

/**
 * __altconn_ring_seal() - slow path of altconn_ring_seal()
 * @place: the pointer to the ring, or to NULL: then the shared sealed ring is
 *	stored
 *
 * Context: any. Waits for no lock.
 */
void __altconn_ring_seal(struct altconn_ring **place)
{
	struct altconn_ring *ring = READ_ONCE(*place);

	if (!ring)
		ring = cmpxchg(place, NULL, &ring_sealed_empty);
	/*
	 * The atomic operation that seals is a full barrier: a writer that
	 * finds the ring sealed sees what this thread stored before
	 * (ring_cancel_write()).
	 */
	if (ring && !altconn_ring_is_sealed(ring))
		atomic64_fetch_or(ALTCONN_RING_SEALED, &ring->head);
}

/*
 * Detach all segments and boundaries, and count all data as read. The
 * idle->lock of the ring and both locks of the ring are held.
 */
static struct altconn_segment *ring_detach_unread(struct altconn_ring *ring,
						  struct list_head *boundaries)
{
	u32 head = altconn_ring_head(ring);

	if (ring->scm_queue)
		altconn_scm_queue_detach(ring->scm_queue, boundaries);
	WRITE_ONCE(ring->extra_read, ring->extra_written);
	/*
	 * Pairs with altconn_ring_unread() and altconn_ring_unread_payload():
	 * extra_read is stored before @tail.
	 */
	smp_store_release(&ring->tail, head);
	return altconn_ring_detach(ring);
}

/**
 * altconn_ring_free_unread() - free the contents of a purged ring
 * @ring: the ring, purged
 *
 * If another thread holds one of the ring's locks, this call frees nothing.
 * That thread calls altconn_ring_unlock(), which calls this function again.
 *
 * Context: process, may sleep. Waits for no writer and no reader.
 */
void altconn_ring_free_unread(struct altconn_ring *ring)
{
	struct altconn_segment *seg = NULL;
	LIST_HEAD(boundaries);

	spin_lock(&ring->idle->lock);
	if (mutex_trylock(&ring->write_lock)) {
		if (mutex_trylock(&ring->read_lock)) {
			seg = ring_detach_unread(ring, &boundaries);
			mutex_unlock(&ring->read_lock);
		}
		mutex_unlock(&ring->write_lock);
	}
	spin_unlock(&ring->idle->lock);
	altconn_ring_free_segments(seg);
	altconn_scm_queue_free_list(&boundaries);
}

/**
 * altconn_ring_purge() - free the contents of a ring after its reader's close
 * @ring: the ring, sealed
 *
 * Context: process, may sleep. Waits for no writer and no reader. The contents
 * are freed now, or when the thread that uses the ring drops its lock.
 */
void altconn_ring_purge(struct altconn_ring *ring)
{
	if (ring == &ring_sealed_empty)
		return;
	WRITE_ONCE(ring->purged, true);
	/*
	 * Store @purged, then try the locks. altconn_ring_unlock() drops a
	 * lock, then loads @purged.
	 */
	smp_mb();
	altconn_ring_free_unread(ring);
}

/**
 * altconn_ring_init() - create the slab cache of rings
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
 * altconn_ring_exit() - destroy the slab cache of rings
 *
 * Context: process, may sleep; no ring is left.
 */
void altconn_ring_exit(void)
{
	kmem_cache_destroy(ring_cache);
}

/**
 * altconn_ring_unread_payload() - return the unread bytes that send() has
 * passed
 * @ring: the ring, or NULL
 *
 * Context: any. The result is exact only under both of the ring's locks.
 * Return: unread bytes, without length words and padding of records.
 */
u32 altconn_ring_unread_payload(const struct altconn_ring *ring)
{
	u32 written, used;
	s64 extra;

	if (!ring)
		return 0;
	written = READ_ONCE(ring->extra_written);
	/*
	 * payload = used - (extra_written - extra_read). Loading @extra_written
	 * first and @extra_read last makes the result too large rather than too
	 * small. It can be too small only by the length word and padding of a
	 * record that is not visible yet: its writer stores @extra_written
	 * before @head.
	 */
	smp_rmb();
	used = altconn_ring_unread(ring);
	/* Load @tail before @extra_read, see above. */
	smp_rmb();
	extra = (s32)(written - READ_ONCE(ring->extra_read));
	if (extra < 0)
		return used;
	return used > extra ? used - extra : 0;
}

/**
 * altconn_ring_retry_lock() - try once more to take one of the ring's locks
 * @ring: the ring
 * @lock: the lock that mutex_lock_interruptible() failed to take
 *
 * A call that does not wait must not fail because a signal is pending. Some
 * functions take the lock for a moment under idle->lock, with trylock: the
 * scan, for example. So take idle->lock once, which waits until such a function
 * has dropped the ring's lock, and try the lock again.
 *
 * Context: process.
 * Return: 0, and the caller holds @lock; -ERESTARTSYS if a thread that writes
 * or reads holds the lock.
 */
int altconn_ring_retry_lock(struct altconn_ring *ring,
			    struct mutex *lock)
{
	/* Only ring_sealed_empty belongs to no list. */
	if (ring->idle) {
		spin_lock(&ring->idle->lock);
		spin_unlock(&ring->idle->lock);
	}
	return mutex_trylock(lock) ? 0 : -ERESTARTSYS;
}

/**
 * altconn_ring_fault_in() - fault in user memory for a copy that stopped short
 * @iter: the user memory
 * @len: bytes to fault in
 * @try: 1 after the first copy has stopped short, 2 after the second, and so on
 *
 * Context: process, may sleep; no lock of the ring is held.
 * Return: how many of the @len bytes are present, at least 1; -ERESTARTSYS if a
 * signal is pending, and this is not the first try; -EFAULT if no byte is
 * accessible, or there were too many tries.
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
