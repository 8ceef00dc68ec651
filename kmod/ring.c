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
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "altconn.h"
#include "payer.h"

/* A segment's bytes, its header included, are a power of two and at least: */
#define SEGMENT_MIN	4096U

/*
 * What a user's listed rings may keep, for each CPU; segments of the smallest size do
 * not count.
 */
#define IDLE_BYTES	(2L << 20)

#define SCAN_INTERVAL	HZ

/* Rings that one job of the scan looks at. */
#define SCAN_BATCH	64

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

/* A copy that page faults interrupt this often fails. */
#define FAULT_TRIES	64

/* In a length: the sender has marked the record with MSG_EOR. */
#define RECORD_EOR	BIT(31)

/* A length is far below: ALTCONN_RING_LIMIT. */
#define RECORD_LENGTH	(RECORD_EOR - 1)

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

static struct altconn_segment *ring_alloc_segment(u32 size)
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

static void ring_free_segments(struct altconn_segment *seg)
{
	while (seg) {
		struct altconn_segment *next = seg->next;

		kvfree(seg);
		seg = next;
	}
}

/* ---- the lists of emptied rings ---- */

static void ring_idle_scan(struct altconn_job *job);

/*
 * Bytes that a listed ring with a segment of @size bytes adds to idle->bytes.
 */
static long ring_idle_bytes(u32 size)
{
	return SEGMENT_HEAD + size > SEGMENT_MIN ? SEGMENT_HEAD + size : 0;
}

/* The ring keeps a segment of @size bytes until the scan has come by twice. */
static void ring_idle_add(struct altconn_ring *ring, u32 size)
{
	struct altconn_payer_idle *idle = &ring->payer->idle;

	lockdep_assert_held(&idle->lock);
	idle->bytes += ring_idle_bytes(size) - ring_idle_bytes(ring->idle_size);
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
	idle->bytes -= ring_idle_bytes(ring->idle_size);
	WRITE_ONCE(ring->idle_size, 0);
}

/*
 * The user's idle->lock and both locks of the ring are held, or nobody uses it. The
 * caller frees what is returned.
 */
static struct altconn_segment *ring_detach(struct altconn_ring *ring)
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
			seg = ring_detach(ring);
		ring->scanned = head;
		mutex_unlock(&ring->read_lock);
	}
	mutex_unlock(&ring->write_lock);
out:
	spin_unlock(&idle->lock);
	ring_free_segments(seg);
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
	seg = ring_detach(ring);
	spin_unlock(&ring->payer->idle.lock);
	ring_free_segments(seg);
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

/* As ring_detach(); both locks are held. */
static struct altconn_segment *ring_detach_unread(struct altconn_ring *ring,
						  struct list_head *marks)
{
	u32 head = altconn_ring_head(ring);

	if (ring->marks)
		altconn_marks_empty(ring->marks, marks);
	WRITE_ONCE(ring->extra_read, ring->extra_written);
	/* As if all were read. */
	smp_store_release(&ring->tail, head);
	return ring_detach(ring);
}

/* If a lock is held, the thread that has it calls this when it drops it. */
static noinline void ring_free_unread(struct altconn_ring *ring)
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
	ring_free_segments(seg);
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
	/* Pairs with ring_unlock(). */
	smp_mb();
	ring_free_unread(ring);
}

/*
 * Drop the write lock or the read lock. Has a full barrier, which wakers use as
 * well.
 */
static __always_inline void ring_unlock(struct altconn_ring *ring,
					struct mutex *lock)
{
	mutex_unlock(lock);
	/* Pairs with altconn_ring_purge(). */
	smp_mb();
	if (unlikely(READ_ONCE(ring->purged)))
		ring_free_unread(ring);
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

/* ---- the writer ---- */

/* Bytes of the segment that may be written at @head. */
static u32 ring_room(const struct altconn_ring *ring, u32 head)
{
	const struct altconn_segment *seg = ring->write_segment;

	if (!seg)
		return 0;
	/* The reader may be in an older one. */
	return seg->size - min(head - ring->tail_seen, head - seg->base);
}

/*
 * Go on in a segment that holds @need bytes; larger than the last, but for the
 * need no larger than @limit bytes want.
 */
static int ring_add_segment(struct altconn_ring *ring, u32 need, u32 limit)
{
	struct altconn_segment *seg, *old = ring->write_segment;
	u32 size = SEGMENT_MIN;

	lockdep_assert_held(&ring->write_lock);
	if (old)
		size = min_t(u32, 2 * (SEGMENT_HEAD + old->size),
			     roundup_pow_of_two(limit));
	size = max_t(u32, size, roundup_pow_of_two(SEGMENT_HEAD + need));
	seg = ring_alloc_segment(size);
	if (!seg)
		return -ENOMEM;
	seg->base = altconn_ring_head(ring);
	ring->write_segment = seg;
	ring->write_at = 0;
	if (old) {
		old->end = altconn_ring_head(ring);
		/* Pairs with ring_settle(): the new one and the old one's end. */
		smp_store_release(&old->next, seg);
	} else {
		/* The reader looks there when it sees the first byte. */
		ring->read_segment = seg;
		ring->read_at = 0;
	}
	return 0;
}

static u32 ring_advance(const struct altconn_segment *seg, u32 at, u32 n)
{
	at += n;
	return at < seg->size ? at : at - seg->size;
}

/*
 * The underscore leaves out the hardened look at which slab the buffer is in:
 * the bounds are the segment's own, and for 64 bytes the look costs more than
 * the copy. With page faults disabled it may stop short.
 */
static __always_inline u32
ring_copy_in_piece(char *to, struct iov_iter *from, u32 n)
{
	u32 done;

	pagefault_disable();
	done = _copy_from_iter(to, n, from);
	pagefault_enable();
	return done;
}

/* The copy goes past the end of the segment and continues at its beginning. */
static noinline u32 ring_copy_in_round(struct altconn_segment *seg, u32 at,
				       struct iov_iter *from, u32 n)
{
	u32 first = seg->size - at, done;

	done = ring_copy_in_piece(seg->data + at, from, first);
	if (done == first)
		done += ring_copy_in_piece(seg->data, from, n - first);
	return done;
}

static __always_inline u32
ring_copy_in(struct altconn_segment *seg, u32 at, struct iov_iter *from, u32 n)
{
	if (likely(n <= seg->size - at))
		return ring_copy_in_piece(seg->data + at, from, n);
	return ring_copy_in_round(seg, at, from, n);
}

/*
 * The scan may have it for a moment, which is no reason to tell a program that
 * does not wait of its signals: after it let go of its own lock it has none.
 */
static noinline int ring_lock_again(struct altconn_ring *ring,
				    struct mutex *lock)
{
	/* The ring that was never used is in no list. */
	if (ring->payer) {
		spin_lock(&ring->payer->idle.lock);
		spin_unlock(&ring->payer->idle.lock);
	}
	return mutex_trylock(lock) ? 0 : -ERESTARTSYS;
}

static __always_inline int ring_lock_unless_signal(struct altconn_ring *ring,
						   struct mutex *lock)
{
	if (likely(!mutex_lock_interruptible(lock)))
		return 0;
	return ring_lock_again(ring, lock);
}

static __always_inline int ring_lock_writer(struct altconn_ring *ring)
{
	return ring_lock_unless_signal(ring, &ring->write_lock);
}

/*
 * What the reader has read since this side last looked is free. The segment's
 * base follows, so that no difference outgrows 32 bits: this is called before a
 * segment or the limit would be exceeded by what was not looked at.
 */
static u32 ring_look_at_reader(struct altconn_ring *ring)
{
	struct altconn_segment *seg = ring->write_segment;

	/* Pairs with ring_commit(). */
	ring->tail_seen = smp_load_acquire(&ring->tail);
	if (seg && (s32)(ring->tail_seen - seg->base) > 0)
		seg->base = ring->tail_seen;
	return altconn_ring_head(ring) - ring->tail_seen;
}

/* How much of @len bytes of a stream can be written now, or an errno. */
static ssize_t ring_make_room(struct altconn_ring *ring, size_t len, u32 limit)
{
	u32 used = ring_look_at_reader(ring), head = altconn_ring_head(ring),
	    has;
	int err = 0;
	size_t n;

	if (altconn_ring_is_sealed(ring))
		return -EPIPE;
	if (used >= limit)
		return -EAGAIN;
	n = min_t(size_t, len, limit - used);
	has = ring_room(ring, head);
	/* A segment that is as large as they come is written in turns. */
	if (n > has && (!has || SEGMENT_HEAD + ring->write_segment->size < limit))
		err = ring_add_segment(ring, n, limit);
	if (!err)
		has = ring_room(ring, head);
	/* What is there serves too. */
	return min_t(size_t, n, has) ? : err;
}

/* Make the next @n bytes visible, or find the ring sealed. A full barrier. */
static __always_inline bool ring_publish(struct altconn_ring *ring, u32 head,
					 u32 n)
{
	s64 old = head;

	return likely(atomic64_try_cmpxchg(&ring->head, &old,
					   (u32)(head + n)));
}

/* The bytes do not become visible, so what goes with them does not either. */
static noinline int ring_unwrite(struct altconn_ring *ring, u32 head)
{
	if (ring->marks)
		altconn_marks_cancel(ring->marks, head);
	/* Pairs with altconn_ring_seal(): the caller sees what was done before. */
	smp_mb();
	return -EPIPE;
}

/*
 * Nothing was written. The ring may be empty and have a segment that it does
 * not need.
 */
static noinline void ring_list_unwritten(struct altconn_ring *ring)
{
	struct altconn_payer_idle *idle = &ring->payer->idle;

	lockdep_assert_held(&ring->write_lock);
	spin_lock(&idle->lock);
	ring_idle_add(ring, ring->write_segment->size);
	spin_unlock(&idle->lock);
}

/*
 * A copy stopped short: fault the memory in, without a lock. Returns how much of
 * @len there is of it.
 */
static noinline ssize_t ring_fault_in(const struct iov_iter *iter, size_t len,
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

/* -EFAULT: nothing is written; unless @partial, not all of it could be. */
static __always_inline ssize_t
ring_try_write(struct altconn_ring *ring, struct iov_iter *from, size_t len,
	       u32 limit, struct altconn_scm *scm, bool partial)
{
	struct altconn_segment *seg;
	ssize_t n = ring_lock_writer(ring);
	u32 head, done;

	if (n)
		return n;
	n = len;
	head = altconn_ring_head(ring);
	if (len > ring_room(ring, head) || head - ring->tail_seen + len > limit)
		n = ring_make_room(ring, len, limit);
	if (n <= 0)
		goto out;
	seg = ring->write_segment;
	done = ring_copy_in(seg, ring->write_at, from, n);
	if (unlikely(done != n) && !(partial && done)) {
		n = -EFAULT;
		goto err_revert;
	}
	n = done;
	if (unlikely(scm || ring->marks)) {
		int err = altconn_marks_write(&ring->marks, head, done, scm,
					      false);

		if (err) {
			n = err;
			goto err_revert;
		}
	}
	if (!ring_publish(ring, head, done)) {
		n = ring_unwrite(ring, head);
		goto err_revert;
	}
	ring->write_at = ring_advance(seg, ring->write_at, done);
out:
	ring_unlock(ring, &ring->write_lock);
	return n;

err_revert:
	iov_iter_revert(from, done);
	ring_list_unwritten(ring);
	goto out;
}

/**
 * altconn_ring_write() - write bytes of a stream
 * @ring: the ring
 * @from: where from, advanced
 * @len: how many at the most
 * @limit: most bytes that the ring may hold
 * @scm: what goes with them, or NULL: nothing; what moved to the ring is gone from
 *	it
 *
 * What is not written is not taken from @from. Has a full barrier behind what it
 * wrote.
 *
 * Context: process, may sleep.
 * Return: how many, at least 1 when @len is not 0; -EAGAIN: it is full;
 * -EPIPE: it is sealed; -EFAULT; -ENOMEM; -ERESTARTSYS.
 */
ssize_t altconn_ring_write(struct altconn_ring *ring, struct iov_iter *from,
			   size_t len, u32 limit, struct altconn_scm *scm)
{
	unsigned int try = 0;
	ssize_t n;

	for (;;) {
		n = ring_try_write(ring, from, len, limit, scm, try);
		if (likely(n != -EFAULT))
			return n;
		n = ring_fault_in(from, len, ++try);
		if (n < 0)
			return n;
		len = n;
	}
}

/* Room for a whole record: altconn_ring_writable() promises it. */
static int ring_make_room_record(struct altconn_ring *ring, u32 total,
				 u32 limit)
{
	u32 used = ring_look_at_reader(ring);

	if (altconn_ring_is_sealed(ring))
		return -EPIPE;
	if (used > limit / 2 && used + total > limit)
		return -EAGAIN;
	return total <= ring_room(ring, altconn_ring_head(ring)) ?
		       0 : ring_add_segment(ring, total, limit);
}

/* The next record begins where a length can be stored at once. */
static u32 ring_record_size(u32 len)
{
	return RECORD_HEAD + ALIGN(len, RECORD_HEAD);
}

/* -EFAULT: nothing is written, since not all of it could be. */
static __always_inline ssize_t
ring_try_put(struct altconn_ring *ring, struct iov_iter *from, size_t len,
	     u32 limit, struct altconn_scm *scm, bool stamp, bool eor)
{
	u32 total = ring_record_size(len), at, done, head;
	struct altconn_segment *seg;
	ssize_t err = ring_lock_writer(ring);

	if (err)
		return err;
	head = altconn_ring_head(ring);
	if (total > ring_room(ring, head) || head - ring->tail_seen + total > limit) {
		err = ring_make_room_record(ring, total, limit);
		if (err)
			goto out;
	}
	seg = ring->write_segment;
	at = ring->write_at;
	*(u32 *)(seg->data + at) = len | eor * RECORD_EOR;
	err = -EFAULT;
	done = ring_copy_in(seg, ring_advance(seg, at, RECORD_HEAD), from, len);
	if (unlikely(done != len))
		goto err_revert;
	if (unlikely(scm || stamp || ring->marks)) {
		err = altconn_marks_write(&ring->marks, head, total, scm,
					  stamp);
		if (err)
			goto err_revert;
	}
	WRITE_ONCE(ring->extra_written, ring->extra_written + total - (u32)len);
	if (!ring_publish(ring, head, total)) {
		WRITE_ONCE(ring->extra_written,
			   ring->extra_written - (total - (u32)len));
		err = ring_unwrite(ring, head);
		goto err_revert;
	}
	ring->write_at = ring_advance(seg, at, total);
	err = len;
out:
	ring_unlock(ring, &ring->write_lock);
	return err;

err_revert:
	iov_iter_revert(from, done);
	ring_list_unwritten(ring);
	goto out;
}

/**
 * altconn_ring_put() - write a record
 * @ring: the ring
 * @from: where from, advanced
 * @len: its length; at most @limit
 * @limit: most bytes that the ring may hold, a last record not counted
 * @scm: as altconn_ring_write()
 * @stamp: and when it is written
 * @eor: the sender marks it with MSG_EOR
 *
 * What is not written is not taken from @from. Has a full barrier behind what it
 * wrote.
 *
 * Context: process, may sleep.
 * Return: @len; -EAGAIN: there is no room; -EPIPE: it is sealed; -EFAULT, -ENOMEM,
 * -ERESTARTSYS: nothing was written.
 */
ssize_t altconn_ring_put(struct altconn_ring *ring, struct iov_iter *from,
			 size_t len, u32 limit, struct altconn_scm *scm,
			 bool stamp, bool eor)
{
	unsigned int try = 0;
	ssize_t n;

	for (;;) {
		n = ring_try_put(ring, from, len, limit, scm, stamp, eor);
		if (likely(n != -EFAULT))
			return n;
		n = ring_fault_in(from, len, ++try);
		if (n != len)
			return n < 0 ? n : -EFAULT;
	}
}

/* ---- the reader ---- */

/* Where somebody reads. */
struct cursor {
	struct altconn_segment	*seg;
	u32			at;
	u32			pos;
};

static struct cursor ring_begin(const struct altconn_ring *ring)
{
	return (struct cursor) {
		.seg = ring->read_segment, .at = ring->read_at,
		.pos = ring->tail,
	};
}

/*
 * At the end of a segment, to the next. There is something to read. Returns
 * whether the writer has left the one that the cursor is in then: its end is
 * known.
 */
static bool ring_settle(struct cursor *c)
{
	struct altconn_segment *next;

	/* Pairs with ring_add_segment(). */
	while ((next = smp_load_acquire(&c->seg->next)) &&
	       c->seg->end == c->pos) {
		c->seg = next;
		c->at = 0;
	}
	return next;
}

static void ring_skip(struct cursor *c, u32 n)
{
	c->at = ring_advance(c->seg, c->at, n);
	c->pos += n;
}

/* As ring_copy_in_piece(). */
static __always_inline u32
ring_copy_out_piece(const char *from, struct iov_iter *to, u32 n)
{
	u32 done;

	pagefault_disable();
	done = _copy_to_iter(from, n, to);
	pagefault_enable();
	return done;
}

static noinline u32 ring_copy_out_round(const struct altconn_segment *seg,
					u32 at, struct iov_iter *to, u32 n)
{
	u32 first = seg->size - at, done;

	done = ring_copy_out_piece(seg->data + at, to, first);
	if (done == first)
		done += ring_copy_out_piece(seg->data, to, n - first);
	return done;
}

static __always_inline u32 ring_copy_out(const struct altconn_segment *seg,
					 u32 at, struct iov_iter *to, u32 n)
{
	if (likely(n <= seg->size - at))
		return ring_copy_out_piece(seg->data + at, to, n);
	return ring_copy_out_round(seg, at, to, n);
}

/*
 * Nothing is left to read. The ring keeps the segment until the scan comes by, unless
 * its user's rings keep much already.
 */
static noinline void ring_emptied(struct altconn_ring *ring)
{
	struct altconn_payer_idle *idle = &ring->payer->idle;
	struct altconn_segment *seg = NULL;
	u32 size = ring->read_segment->size;
	long more;

	lockdep_assert_held(&ring->read_lock);
	/* Inside, so that ring_lock_again() can wait for it. */
	spin_lock(&idle->lock);
	more = ring_idle_bytes(size) - ring_idle_bytes(ring->idle_size);
	if (more > 0 && idle->bytes + more > IDLE_BYTES * num_online_cpus() &&
	    mutex_trylock(&ring->write_lock)) {
		if (altconn_ring_head(ring) == ring->tail)
			seg = ring_detach(ring);
		mutex_unlock(&ring->write_lock);
	} else {
		/* A writer that has the lock may still find that it cannot write. */
		ring_idle_add(ring, size);
	}
	spin_unlock(&idle->lock);
	ring_free_segments(seg);
}

static noinline void ring_free_passed(struct altconn_ring *ring,
				      const struct altconn_segment *until)
{
	lockdep_assert_held(&ring->read_lock);
	while (ring->read_segment != until) {
		struct altconn_segment *old = ring->read_segment;

		ring->read_segment = old->next;
		kvfree(old);
	}
}

/* What the cursor has left behind is read. */
static __always_inline void ring_commit(struct altconn_ring *ring,
					const struct cursor *c)
{
	if (unlikely(ring->read_segment != c->seg))
		ring_free_passed(ring, c->seg);
	ring->read_at = c->at;
	/* Read first, then free: ring_look_at_reader(), altconn_ring_used(). */
	smp_store_release(&ring->tail, c->pos);
	/* Mostly it is listed already. */
	if (c->pos == altconn_ring_head(ring) &&
	    unlikely(READ_ONCE(ring->idle_size) != c->seg->size))
		ring_emptied(ring);
}

static u32 ring_look_at_writer(const struct altconn_ring *ring)
{
	/* Pairs with the writer's release. */
	return (u32)atomic64_read_acquire(&ring->head) - ring->tail;
}

/* What goes with the data that there is; who asks has looked at the writer. */
static struct altconn_marks *ring_marks_of(const struct altconn_ring *ring)
{
	/* Pairs with altconn_marks_write(). */
	return smp_load_acquire(&ring->marks);
}

/* The cursor moves on by @n bytes, which there are. */
static noinline struct cursor ring_skip_bytes(struct cursor c, u32 n)
{
	while (n) {
		u32 part = n;

		if (ring_settle(&c))
			part = min(part, c.seg->end - c.pos);
		ring_skip(&c, part);
		n -= part;
	}
	return c;
}

/* As ring_read_bytes(), piece by piece. */
static noinline struct cursor
ring_read_pieces(struct cursor c, struct iov_iter *to, u32 n)
{
	u32 part, copied;

	do {
		part = n;
		if (ring_settle(&c))
			part = min(part, c.seg->end - c.pos);
		copied = ring_copy_out(c.seg, c.at, to, part);
		ring_skip(&c, copied);
		n -= copied;
	} while (n && copied == part);
	return c;
}

/*
 * Copy @n bytes, which the ring has, or as many as user memory takes, and move the
 * cursor. Mostly they are in one piece. The cursor is a value, so that it stays in
 * registers.
 */
static __always_inline struct cursor
ring_read_bytes(struct cursor c, struct iov_iter *to, u32 n)
{
	/* Pairs with ring_add_segment(): without a next one all bytes are in here. */
	if (unlikely(smp_load_acquire(&c.seg->next) || n > c.seg->size - c.at))
		return ring_read_pieces(c, to, n);
	ring_skip(&c, ring_copy_out_piece(c.seg->data + c.at, to, n));
	return c;
}

/*
 * No data is wanted: only what goes with the next byte, of which descriptors go
 * once, as with AF_UNIX.
 */
static noinline void ring_read_marks(struct altconn_marks *marks, u32 pos,
				     struct altconn_rx *rx, bool peek)
{
	if (!marks || rx->began)
		return;
	altconn_marks_read(marks, pos, 0, rx, peek);
	rx->began = true;
}

/* -EFAULT: nothing is read; unless @partial, not all of it could be. */
static __always_inline ssize_t
ring_try_read(struct altconn_ring *ring, struct iov_iter *to, size_t len,
	      bool peek, struct altconn_rx *rx, bool partial)
{
	struct altconn_marks *marks;
	ssize_t n = -EAGAIN;
	struct cursor c;
	u32 used, pos;

	if (ring_lock_unless_signal(ring, &ring->read_lock))
		return -ERESTARTSYS;
	used = ring_look_at_writer(ring);
	if (used <= rx->skip)
		goto out;
	c = ring_begin(ring);
	if (unlikely(rx->skip))
		c = ring_skip_bytes(c, rx->skip);
	len = min_t(size_t, len, used - rx->skip);
	marks = ring_marks_of(ring);
	if (unlikely(!len))
		ring_read_marks(marks, c.pos, rx, peek);
	else if (unlikely(marks))
		len = altconn_marks_bound(marks, c.pos, len, rx);
	pos = c.pos;
	if (len)
		c = ring_read_bytes(c, to, len);
	n = c.pos - pos;
	if (unlikely(n != len) && !(partial && n)) {
		iov_iter_revert(to, n);
		n = -EFAULT;
		goto out;
	}
	if (!n)
		goto out;
	if (unlikely(marks))
		altconn_marks_read(marks, pos, n, rx, peek);
	if (!peek)
		ring_commit(ring, &c);
	rx->began = true;
out:
	ring_unlock(ring, &ring->read_lock);
	return n;
}

/*
 * The bytes that are unread now: no more of the reader's memory is faulted in than they
 * need. At least 1, since another reader may have emptied the ring.
 */
static u32 ring_unread(const struct altconn_ring *ring,
		       const struct altconn_rx *rx)
{
	u32 used = altconn_ring_used(ring);

	return used > rx->skip ? used - rx->skip : 1;
}

/**
 * altconn_ring_read() - read bytes of a stream
 * @ring: the ring, or NULL
 * @to: where to, advanced
 * @len: how many at the most; 0: only what goes with the next one
 * @peek: leave them
 * @rx: of this recvmsg(); gets what goes with them
 *
 * Has a full barrier behind what it read.
 *
 * Context: process, may sleep.
 * Return: how many; 0: the next do not go with what @rx has; -EAGAIN: it is empty,
 * or has no more than a peek passes over; -EFAULT; -ERESTARTSYS.
 */
ssize_t altconn_ring_read(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, struct altconn_rx *rx)
{
	unsigned int try = 0;
	ssize_t n;

	for (;;) {
		if (!altconn_ring_used(ring))
			return -EAGAIN;
		n = ring_try_read(ring, to, len, peek, rx, try);
		if (likely(n != -EFAULT))
			return n;
		len = min_t(size_t, len, ring_unread(ring, rx));
		n = ring_fault_in(to, len, ++try);
		if (n < 0)
			return n;
		len = n;
	}
}

/* Was an empty record at @pos peeked at? */
static bool ring_was_peeked(const struct altconn_ring *ring, u32 pos)
{
	return ring->peeked && (s32)(ring->peeked_to - pos) > 0;
}

/*
 * To the record in which a peek begins, and in it, as AF_UNIX does: over whole
 * records first. False: there is none.
 */
static bool ring_skip_records(const struct altconn_ring *ring, struct cursor *c,
			      u32 *used, u32 *skipped)
{
	while (*used) {
		u32 head;

		ring_settle(c);
		head = *(u32 *)(c->seg->data + c->at) & RECORD_LENGTH;
		if (*skipped < head ||
		    !(*skipped || ring_was_peeked(ring, c->pos)))
			return true;
		*skipped -= head;
		*used -= ring_record_size(head);
		ring_skip(c, ring_record_size(head));
	}
	return false;
}

/* The record at the cursor was read, or, if it is empty, peeked at. */
static __always_inline void ring_took(struct altconn_ring *ring,
				      struct cursor *c, u32 len, bool peek)
{
	u32 total = ring_record_size(len);

	if (!peek) {
		ring_skip(c, total);
		WRITE_ONCE(ring->extra_read, ring->extra_read + total - len);
		ring_commit(ring, c);
		if (unlikely(ring->peeked) && !ring_was_peeked(ring, c->pos))
			ring->peeked = false;
	} else if (!len && !ring_was_peeked(ring, c->pos)) {
		ring->peeked = true;
		ring->peeked_to = c->pos + total;
	}
}

/* -EFAULT: nothing is read, since not all of it could be. */
static __always_inline ssize_t
ring_try_take(struct altconn_ring *ring, struct iov_iter *to, size_t len,
	      bool peek, struct altconn_rx *rx, size_t *record)
{
	u32 used, head, at, done, skipped = rx->skip;
	struct altconn_marks *marks;
	ssize_t n = -EAGAIN;
	struct cursor c;

	if (ring_lock_unless_signal(ring, &ring->read_lock))
		return -ERESTARTSYS;
	used = ring_look_at_writer(ring);
	if (!used)
		goto out;
	c = ring_begin(ring);
	if (unlikely(rx->seeks) &&
	    !ring_skip_records(ring, &c, &used, &skipped))
		goto out;
	ring_settle(&c);
	head = *(u32 *)(c.seg->data + c.at);
	rx->eor = head & RECORD_EOR;
	head &= RECORD_LENGTH;
	/* A length that no writer stored must not lead out of the segment. */
	n = -EIO;
	if (WARN_ON_ONCE(head > used - RECORD_HEAD))
		goto out;
	*record = head - skipped;
	n = min_t(size_t, len, *record);
	at = ring_advance(c.seg, c.at, RECORD_HEAD + skipped);
	done = ring_copy_out(c.seg, at, to, n);
	if (unlikely(done != n)) {
		iov_iter_revert(to, done);
		n = -EFAULT;
		goto out;
	}
	marks = ring_marks_of(ring);
	if (unlikely(marks))
		altconn_marks_read(marks, c.pos, ring_record_size(head), rx,
				   peek);
	ring_took(ring, &c, head, peek);
	rx->began = true;
out:
	ring_unlock(ring, &ring->read_lock);
	return n;
}

/**
 * altconn_ring_take() - read a record
 * @ring: the ring, or NULL
 * @to: where to, advanced
 * @len: how much of it at the most; the rest is lost
 * @peek: leave it
 * @rx: of this recvmsg(); gets what goes with it
 * @record: its length, from where a peek begins
 *
 * Has a full barrier behind what it read.
 *
 * Context: process, may sleep.
 * Return: how many bytes were read; -EAGAIN: there is none; -EFAULT,
 * -ERESTARTSYS: it is still there; -EIO: never.
 */
ssize_t altconn_ring_take(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, struct altconn_rx *rx,
			  size_t *record)
{
	unsigned int try = 0;
	size_t want;
	ssize_t n;

	for (;;) {
		if (!altconn_ring_used(ring))
			return -EAGAIN;
		n = ring_try_take(ring, to, len, peek, rx, record);
		if (likely(n != -EFAULT))
			return n;
		/* So much was to be copied, and the next record may be longer. */
		want = min(len, *record);
		n = ring_fault_in(to, want, ++try);
		if (n != want)
			return n < 0 ? n : -EFAULT;
	}
}
