// SPDX-License-Identifier: GPL-2.0
/*
 * The buffer of one direction of an association: one copy in and one copy out,
 * nothing allocated for a message once the buffer has the size that it needs.
 *
 * One writer and one reader at a time, each with its own lock; between them
 * only @head and @tail, with release and acquire. The memory is a chain of
 * segments, mostly of one: each is a ring of bytes, and a writer that finds its
 * segment too small links a larger one behind it and never looks back. The
 * reader frees what it has left behind. So a buffer grows without a copy, and no
 * writer waits for a reader.
 *
 * A sequenced packet is a record: a length and its bytes, in one segment, which
 * become visible together.
 *
 * The locks are mutexes, because memory is allocated while they are held. Threads
 * that share one end wait for each other, but never for a page fault: user memory
 * is copied with page faults disabled. A copy that stops short is undone, the
 * memory is faulted in without a lock, and the copy begins anew.
 *
 * A direction that is shut is sealed: writing moves @head by a compare and
 * exchange, and sealing sets a bit beside it, so each write comes before the seal
 * or fails with EPIPE. No lock is waited for. A ring whose reader has closed is
 * purged: the closing thread frees what it holds, or leaves that to the thread
 * that has one of the locks.
 *
 * An emptied ring keeps its last segment for the next message and is listed
 * with its user, the client that made the association. A scan of each user's
 * list gives the segments back within two seconds, as a job of that user
 * (payer.c). The scan takes a ring that holds data out of the list, so a ring
 * costs at most two looks each time that it is emptied, but for rings that a
 * thread has locked. What all listed rings of a user keep is bounded too:
 * beyond that the reader frees a segment at once. Other users' rings do not
 * count.
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

#define SCAN_INTERVAL	HZ

/* Rings that one job of the scan looks at. */
#define SCAN_BATCH	64

/* A copy that page faults interrupt this often fails. */
#define FAULT_TRIES	64

static struct kmem_cache *ring_cache;

/* In place of a ring that was shut before anything was written to it. */
static struct altconn_ring ring_never_used = {
	.write_lock = __MUTEX_INITIALIZER(ring_never_used.write_lock),
	.read_lock = __MUTEX_INITIALIZER(ring_never_used.read_lock),
	.head = ATOMIC64_INIT(ALTCONN_RING_SEALED),
};

/**
 * altconn_ring_new() - make an empty ring, when something is to be sent
 * @place: where it belongs; another writer may put one there first
 * @cred: of the client that made the association
 *
 * Context: process, may sleep.
 * Return: the ring that is there now, or NULL.
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
	/* A full barrier: who sees it sees it whole. */
	old = cmpxchg(place, NULL, ring);
	if (!old)
		return ring;
	kmem_cache_free(ring_cache, ring);
	return old;
}

struct altconn_segment *altconn_ring_alloc_segment(u32 size)
{
	struct altconn_segment *seg = kvmalloc(size, GFP_KERNEL_ACCOUNT);

	if (!seg)
		return NULL;
	seg->next = NULL;
	seg->base = 0;
	seg->end = 0;
	seg->size = size - SEGMENT_HEAD;
	return seg;
}

void altconn_ring_free_segments(struct altconn_segment *seg)
{
	while (seg) {
		struct altconn_segment *next = seg->next;

		kvfree(seg);
		seg = next;
	}
}

/*
 * Bytes that a listed ring with a segment of @size bytes adds to idle->bytes.
 */
long altconn_ring_idle_bytes(u32 size)
{
	return SEGMENT_HEAD + size > SEGMENT_MIN ? SEGMENT_HEAD + size : 0;
}

/* The ring keeps a segment of @size bytes until the scan has come by twice. */
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
			mod_timer(&idle->timer, jiffies + SCAN_INTERVAL);
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

/*
 * The user's idle->lock and both locks of the ring are held, or nobody uses it. The
 * caller frees what is returned.
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
 * One step of the scan. A ring that is in the list stays while idle->lock is held.
 * One that a thread has locked is looked at the next time.
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

/* A part of the scan of a user's list, or the last part. */
static void ring_idle_scan(struct altconn_job *job)
{
	struct altconn_payer *payer = container_of(job, struct altconn_payer,
						   idle.job);
	struct altconn_payer_idle *idle = &payer->idle;
	unsigned int batch, n = READ_ONCE(idle->n);

	/* Rings that left the list meanwhile need no look. */
	idle->left = min(idle->left ? : n, n);
	for (batch = 0; batch < SCAN_BATCH && idle->left; batch++) {
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
		mod_timer(&idle->timer, jiffies + SCAN_INTERVAL);
	spin_unlock(&idle->lock);
}

/* altconn_ring_free() of one that is there. */
void __altconn_ring_free(struct altconn_ring *ring)
{
	struct altconn_segment *seg;

	if (ring == &ring_never_used)
		return;
	/* The scan is done with it when it is out of the list. */
	spin_lock(&ring->payer->idle.lock);
	seg = altconn_ring_detach(ring);
	spin_unlock(&ring->payer->idle.lock);
	altconn_ring_free_segments(seg);
	altconn_marks_free(ring->marks);
	kmem_cache_free(ring_cache, ring);
}

/* altconn_ring_seal() of a ring that is not sealed. */
void __altconn_ring_seal(struct altconn_ring **place)
{
	struct altconn_ring *ring = READ_ONCE(*place);

	if (!ring)
		ring = cmpxchg(place, NULL, &ring_never_used);
	/* Fully ordered. */
	if (ring && !altconn_ring_is_sealed(ring))
		atomic64_fetch_or(ALTCONN_RING_SEALED, &ring->head);
}

/* As altconn_ring_detach(); both locks are held. */
static struct altconn_segment *ring_detach_unread(struct altconn_ring *ring,
						  struct list_head *marks)
{
	u32 head = altconn_ring_head(ring);

	if (ring->marks)
		altconn_marks_empty(ring->marks, marks);
	WRITE_ONCE(ring->extra_read, ring->extra_written);
	/* As if all were read. */
	smp_store_release(&ring->tail, head);
	return altconn_ring_detach(ring);
}

/* If a lock is held, the thread that has it calls this when it drops it. */
void altconn_ring_free_unread(struct altconn_ring *ring)
{
	struct altconn_segment *seg = NULL;
	LIST_HEAD(marks);

	spin_lock(&ring->payer->idle.lock);
	if (mutex_trylock(&ring->write_lock)) {
		if (mutex_trylock(&ring->read_lock)) {
			seg = ring_detach_unread(ring, &marks);
			mutex_unlock(&ring->read_lock);
		}
		mutex_unlock(&ring->write_lock);
	}
	spin_unlock(&ring->payer->idle.lock);
	altconn_ring_free_segments(seg);
	altconn_marks_discard(&marks);
}

/**
 * altconn_ring_purge() - free what a ring holds: its reader has closed
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
 * altconn_ring_init() - make the slab cache
 *
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
 * Context: process; no ring is left.
 */
void altconn_ring_exit(void)
{
	kmem_cache_destroy(ring_cache);
}

/**
 * altconn_ring_payload() - bytes in the ring that a program wrote
 * @ring: the ring, or NULL
 *
 * Context: any; as altconn_ring_used().
 */
u32 altconn_ring_payload(const struct altconn_ring *ring)
{
	u32 written, used;
	s64 extra;

	if (!ring)
		return 0;
	written = READ_ONCE(ring->extra_written);
	/* In this order what is there is never told too small. */
	smp_rmb();
	used = altconn_ring_used(ring);
	/* Likewise. */
	smp_rmb();
	extra = (s32)(written - READ_ONCE(ring->extra_read));
	if (extra < 0)
		return used;
	return used > extra ? used - extra : 0;
}

/*
 * The scan may have it for a moment, which is no reason to tell a program that
 * does not wait of its signals: after it let go of its own lock it has none.
 */
int altconn_ring_lock_again(struct altconn_ring *ring,
			    struct mutex *lock)
{
	/* The ring that was never used is in no list. */
	if (ring->payer) {
		spin_lock(&ring->payer->idle.lock);
		spin_unlock(&ring->payer->idle.lock);
	}
	return mutex_trylock(lock) ? 0 : -ERESTARTSYS;
}

/*
 * A copy stopped short: fault the memory in, without a lock. Returns how much of
 * @len there is of it.
 */
ssize_t altconn_ring_fault_in(const struct iov_iter *iter, size_t len,
			      unsigned int try)
{
	size_t left = 0;

	if (try > 1 && signal_pending(current))
		return -ERESTARTSYS;
	if (try > FAULT_TRIES || (try > 1 && !user_backed_iter(iter)))
		return -EFAULT;
	if (iov_iter_rw(iter) == WRITE)
		left = fault_in_iov_iter_readable(iter, len);
	else
		left = fault_in_iov_iter_writeable(iter, len);
	return left < len ? len - left : -EFAULT;
}
