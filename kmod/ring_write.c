// SPDX-License-Identifier: GPL-2.0
/*
 * Write bytes of a stream, or a record, into a ring (ring.c).
 */

#include <linux/cpumask.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "payer.h"
#include "ring.h"
#include "ring_pages.h"
#include "ring_write.h"
#include "scm.h"
#include "scm_queue.h"

/*
 * Return how many bytes can be written to the newest segment, given the
 * position @head. The segment is a circular buffer, and its unread bytes lie
 * between max(tail_seen, base) and @head.
 */
static u32 ring_space(const struct altconn_ring *ring, u32 head)
{
	const struct altconn_segment *seg = ring->write_segment;

	if (!seg)
		return 0;
	return seg->size - min(head - ring->tail_seen, head - seg->base);
}

/* Make an empty segment the newest one of a ring. */
static void ring_link_segment(struct altconn_ring *ring,
			      struct altconn_segment *seg)
{
	struct altconn_segment *old = ring->write_segment ? :
				      ring->page_segment;

	lockdep_assert_held(&ring->write_lock);
	seg->base = altconn_ring_head(ring);
	ring->write_segment = seg->size ? seg : NULL;
	ring->page_segment = seg->size ? NULL : seg;
	ring->write_at = 0;
	if (old) {
		old->end = altconn_ring_head(ring);
		/*
		 * Pairs with ring_cursor_next_seg(): a reader that loads @next
		 * sees @end and the initialized segment.
		 */
		smp_store_release(&old->next, seg);
	} else {
		/*
		 * A reader loads these after a @head that counts their first
		 * byte, which ring_publish() stores.
		 */
		ring->read_segment = seg;
		ring->read_at = 0;
	}
}

/*
 * Link a segment that holds at least @need bytes, as the newest one. Its size
 * is the larger one of
 *   - twice the size of the previous segment, but not more than @limit rounded
 *     up to a power of two (RING_SEGMENT_MIN for the first segment, and behind
 *     a segment with pages), and
 *   - what @need requires.
 */
static int ring_add_segment(struct altconn_ring *ring, u32 need, u32 limit)
{
	const struct altconn_segment *old = ring->write_segment;
	struct altconn_segment *seg;
	u32 size = RING_SEGMENT_MIN;

	lockdep_assert_held(&ring->write_lock);
	if (old)
		size = min_t(u32, 2 * (RING_SEGMENT_HEAD + old->size),
			     roundup_pow_of_two(limit));
	size = max_t(u32, size, roundup_pow_of_two(RING_SEGMENT_HEAD + need));
	seg = altconn_ring_alloc_segment(size);
	if (!seg)
		return -ENOMEM;
	ring_link_segment(ring, seg);
	return 0;
}

/*
 * Copy bytes that do not wrap around, and return how many were copied. With
 * page faults disabled the copy stops short at a page that is not present.
 * _copy_from_iter() omits the check of hardened usercopy, since @n is within
 * the segment. For 64 bytes that check costs more than the copy.
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

/* Copy bytes that wrap around at the end of the segment. */
static noinline u32 ring_copy_in_wrapped(struct altconn_segment *seg, u32 at,
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
	return ring_copy_in_wrapped(seg, at, from, n);
}

static __always_inline int ring_lock_writer(struct altconn_ring *ring)
{
	return altconn_ring_lock_unless_signal(ring, &ring->write_lock);
}

/*
 * Load @tail into tail_seen, and return the number of unread bytes. Move the
 * base along, so that differences of positions stay below 2^32.
 *
 * A writer of bytes calls this only when the bytes after the old tail_seen, and
 * those that it is about to write, exceed the segment or the limit. A writer of
 * pages calls it each time.
 */
static u32 ring_load_tail(struct altconn_ring *ring)
{
	struct altconn_segment *seg = ring->write_segment;

	/* Pairs with ring_store_tail(): bytes before @tail are copied out. */
	ring->tail_seen = smp_load_acquire(&ring->tail);
	if (seg && (s32)(ring->tail_seen - seg->base) > 0)
		seg->base = ring->tail_seen;
	return altconn_ring_head(ring) - ring->tail_seen;
}

/* Return how many of @len bytes of a stream can be written now, or an errno. */
static ssize_t ring_make_space(struct altconn_ring *ring, size_t len, u32 limit)
{
	u32 used = ring_load_tail(ring), head = altconn_ring_head(ring),
	    has;
	int err = 0;
	size_t n;

	if (altconn_ring_is_sealed(ring))
		return -EPIPE;
	if (used >= limit)
		return -EAGAIN;
	n = min_t(size_t, len, limit - used);
	has = ring_space(ring, head);
		/*
		 * Link a larger segment, unless this one has the largest size
		 * and some space. Then write what fits, and the rest when a
		 * reader has made space.
		 */
	if (n > has &&
	    (!has || RING_SEGMENT_HEAD + ring->write_segment->size < limit))
		err = ring_add_segment(ring, n, limit);
	if (!err)
		has = ring_space(ring, head);
	/* Without memory for a segment, use the space in the current one. */
	return min_t(size_t, n, has) ? : err;
}

/*
 * Advance @head by @n, which makes the bytes and their boundary visible. Return
 * true; the operation is a full barrier then. Return false if the ring is
 * sealed.
 */
static __always_inline bool ring_publish(struct altconn_ring *ring, u32 head,
					 u32 n)
{
	s64 old = head;

	return likely(atomic64_try_cmpxchg(&ring->head, &old,
					   (u32)(head + n)));
}

/*
 * Remove the boundary of a write at @head that failed because the ring is
 * sealed. Return -EPIPE.
 */
static noinline int ring_cancel_write(struct altconn_ring *ring, u32 head)
{
	if (ring->scm_queue)
		altconn_scm_queue_cancel(ring->scm_queue, head);
	/*
	 * Pairs with altconn_ring_seal(): the caller sees what the sealing
	 * thread stored before, such as sk_err and the shutdown masks.
	 */
	smp_mb();
	return -EPIPE;
}

/*
 * List the ring after a write that failed. The write may have linked a segment
 * to a ring that is empty, and no reader would list such a ring.
 */
static noinline void ring_list_after_failure(struct altconn_ring *ring)
{
	u32 size = ring->write_segment ? ring->write_segment->size :
					 RING_PAGES_SIZE;
	struct altconn_payer_idle *idle = ring->idle;

	lockdep_assert_held(&ring->write_lock);
	spin_lock(&idle->lock);
	/* An older segment, which is larger, may have listed the ring. */
	altconn_ring_idle_add(ring, max(size, ring->idle_size));
	spin_unlock(&idle->lock);
}

/*
 * Take write_lock and try to write once. Return what altconn_ring_write()
 * returns, with one exception: -EFAULT means that a page of user memory was not
 * present. Then nothing was written. With @partial, a copy that stops short
 * after at least one byte is a successful, shorter write.
 */
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
	if (len > ring_space(ring, head) ||
	    head - ring->tail_seen + len > limit)
		n = ring_make_space(ring, len, limit);
	if (n <= 0)
		goto out;
	seg = ring->write_segment;
	done = ring_copy_in(seg, ring->write_at, from, n);
	if (unlikely(done != n) && !(partial && done)) {
		n = -EFAULT;
		goto err_revert;
	}
	n = done;
	if (unlikely(scm || ring->scm_queue)) {
		int err = altconn_scm_queue_write(&ring->scm_queue, head, done,
						  scm, false);

		if (err) {
			n = err;
			goto err_revert;
		}
	}
	if (!ring_publish(ring, head, done)) {
		n = ring_cancel_write(ring, head);
		goto err_revert;
	}
	ring->write_at = altconn_ring_advance(seg, ring->write_at, done);
out:
	altconn_ring_unlock(ring, &ring->write_lock);
	return n;

err_revert:
	iov_iter_revert(from, done);
	ring_list_after_failure(ring);
	goto out;
}

/**
 * altconn_ring_write() - write bytes of a stream
 * @ring: the ring
 * @from: user memory with the bytes; advanced by what is written
 * @len: most bytes to write; not 0
 * @limit: most bytes that the ring may hold
 * @scm: ancillary data of the bytes, or NULL. The descriptors move to the ring
 *	with the first byte written
 *
 * A full barrier follows what the call writes.
 *
 * Context: process, may sleep.
 * Return: bytes written, at least 1; -EAGAIN if the ring is full of bytes, or
 * of boundaries (scm_queue.c); -EPIPE if the ring is sealed; -EFAULT if user
 * memory is not accessible; -ENOMEM; -ERESTARTSYS if a signal is pending. After
 * an error @from is as before, and @scm keeps its descriptors. After -EPIPE the
 * descriptors may be gone.
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
		n = altconn_ring_fault_in(from, len, ++try);
		if (n < 0)
			return n;
		len = n;
	}
}

/* Allocate a segment with pages. Return NULL if memory runs out. */
static struct altconn_segment *ring_new_page_segment(struct altconn_ring *ring)
{
	struct altconn_segment *seg;

	seg = altconn_ring_alloc_segment(RING_PAGES_SIZE);
	if (seg && altconn_ring_pages_init(seg, altconn_ring_head(ring))) {
		kvfree(seg);
		return NULL;
	}
	return seg;
}

/*
 * Add references to @seg for up to @len bytes, that pin up to @space pages.
 * Charge the user for them. If the user may not pin so many, try with a single
 * page. Return the number of bytes; 0 if there is no reference. *@charge is set
 * to the number of pages.
 */
static u32 ring_add_refs(struct altconn_segment *seg,
			 const struct iov_iter *from, size_t len, u32 space,
			 u32 *charge)
{
	struct altconn_page_queue *queue = altconn_ring_page_queue(seg);
	u16 mark = queue->next;
	u32 n;

	for (;;) {
		n = altconn_ring_pages_add(seg, from, len, space, charge);
		if (!n || altconn_payer_pin(queue->payer, *charge))
			return n;
		altconn_ring_pages_cancel(seg, mark);
		if (len <= PAGE_SIZE)
			return 0;
		len = PAGE_SIZE;
	}
}

/*
 * Write up to @len bytes by references in @seg that pin up to @space pages.
 * @seg is the newest segment, or a new one, which is linked only if it gets a
 * reference. Otherwise empty segments that no limit bounds would follow each
 * other. Return the number of bytes, or an errno of altconn_ring_write_pages().
 */
static ssize_t ring_write_refs(struct altconn_ring *ring,
			       struct altconn_segment *seg,
			       const struct iov_iter *from, size_t len,
			       u32 space, struct altconn_scm *scm)
{
	u32 head = altconn_ring_head(ring), n, charge;
	u16 mark = altconn_ring_page_queue(seg)->next;
	int err = -EOPNOTSUPP;

	n = ring_add_refs(seg, from, len, space, &charge);
	if (!n)
		goto err_free;
	if (unlikely(scm || ring->scm_queue)) {
		err = altconn_scm_queue_write(&ring->scm_queue, head, n, scm,
					      false);
		if (err)
			goto err_cancel;
	}
	if (seg != ring->page_segment)
		ring_link_segment(ring, seg);
	if (ring_publish(ring, head, n)) {
		ring->pages_charged += charge;
		return n;
	}
	err = ring_cancel_write(ring, head);
	ring_list_after_failure(ring);
err_cancel:
	altconn_payer_unpin(altconn_ring_page_queue(seg)->payer, charge);
	altconn_ring_pages_cancel(seg, mark);
err_free:
	if (seg != ring->page_segment)
		altconn_ring_free_segment(seg);
	return err;
}

/**
 * altconn_ring_write_pages() - write bytes of a stream by reference to pages
 * @ring: the ring
 * @from: a bvec with pages that the caller has references to. An iterator of
 *	another kind must be copied. Not advanced
 * @len: most bytes to write; not 0
 * @limit: most bytes that the ring may hold, and most bytes of memory that its
 *	references may pin
 * @scm: ancillary data of the bytes, or NULL, as in altconn_ring_write()
 * @more: more than a page is in this call, or MSG_MORE is set, so a new segment
 *	is worthwhile
 *
 * A reader gets the bytes that the pages have when it reads. If the ring has
 * less space than a page, up to a page is written all the same, so the ring may
 * exceed @limit by less than a page. A full barrier follows what the call
 * writes.
 *
 * Context: process, may sleep.
 * Return: bytes written, at least 1; -EOPNOTSUPP if the bytes of the first page
 * must be copied; -EAGAIN if the ring is full of bytes, or of boundaries
 * (scm_queue.c); -EPIPE if the ring is sealed; -ENOMEM; -ERESTARTSYS if a
 * signal is pending. After an error @scm is as after altconn_ring_write().
 */
ssize_t altconn_ring_write_pages(struct altconn_ring *ring,
				 const struct iov_iter *from, size_t len,
				 u32 limit, struct altconn_scm *scm, bool more)
{
	struct altconn_segment *seg;
	u32 used, pinned, space;
	ssize_t n;

	n = ring_lock_writer(ring);
	if (n)
		return n;
	used = ring_load_tail(ring);
	n = -EPIPE;
	if (altconn_ring_is_sealed(ring))
		goto out;
	n = -EAGAIN;
	if (used >= limit)
		goto out;
	n = -EOPNOTSUPP;
	len = min_t(size_t, len, max_t(u32, limit - used, PAGE_SIZE));
	pinned = ring->pages_charged - READ_ONCE(ring->pages_freed);
	space = limit >> PAGE_SHIFT;
	space -= min(space, pinned);
	seg = ring->page_segment;
	if (!seg || !altconn_ring_pages_fit(seg)) {
		if ((ring->write_segment && !more) ||
		    !altconn_ring_pages_possible(from, len, space))
			goto out;
		seg = ring_new_page_segment(ring);
		if (!seg)
			goto out;
	}
	n = ring_write_refs(ring, seg, from, len, space, scm);
out:
	altconn_ring_unlock(ring, &ring->write_lock);
	return n;
}

/*
 * Make space for a record of @total bytes in one segment. Return 0 or an errno.
 * While at most half of @limit is in use, a record of any valid size is
 * accepted, even if the ring then exceeds @limit: altconn_ring_writable() has
 * announced the space.
 */
static int ring_make_space_record(struct altconn_ring *ring, u32 total,
				  u32 limit)
{
	u32 used = ring_load_tail(ring);

	if (altconn_ring_is_sealed(ring))
		return -EPIPE;
	if (used > limit / 2 && used + total > limit)
		return -EAGAIN;
	return total <= ring_space(ring, altconn_ring_head(ring)) ?
		       0 : ring_add_segment(ring, total, limit);
}

/*
 * Take write_lock and try to write a record once. Return what
 * altconn_ring_write_record() returns, with one exception: -EFAULT means that a
 * page of user memory was not present. Then nothing was written.
 */
static __always_inline ssize_t ring_try_write_record(struct altconn_ring *ring,
						     struct iov_iter *from,
						     size_t len, u32 limit,
						     struct altconn_scm *scm,
						     bool stamp, bool eor)
{
	u32 total = altconn_ring_record_size(len), at, done, head;
	struct altconn_segment *seg;
	ssize_t err = ring_lock_writer(ring);

	if (err)
		return err;
	head = altconn_ring_head(ring);
	if (total > ring_space(ring, head) ||
	    head - ring->tail_seen + total > limit) {
		err = ring_make_space_record(ring, total, limit);
		if (err)
			goto out;
	}
	seg = ring->write_segment;
	at = ring->write_at;
	*(u32 *)(seg->data + at) = len | eor * RING_RECORD_EOR;
	err = -EFAULT;
	done = ring_copy_in(seg,
			    altconn_ring_advance(seg, at, RING_RECORD_HEAD),
			    from, len);
	if (unlikely(done != len))
		goto err_revert;
	if (unlikely(scm || stamp || ring->scm_queue)) {
		err = altconn_scm_queue_write(&ring->scm_queue, head, total,
					      scm, stamp);
		if (err)
			goto err_revert;
	}
	WRITE_ONCE(ring->extra_written, ring->extra_written + total - (u32)len);
	if (!ring_publish(ring, head, total)) {
		WRITE_ONCE(ring->extra_written,
			   ring->extra_written - (total - (u32)len));
		err = ring_cancel_write(ring, head);
		goto err_revert;
	}
	ring->write_at = altconn_ring_advance(seg, at, total);
	err = len;
out:
	altconn_ring_unlock(ring, &ring->write_lock);
	return err;

err_revert:
	iov_iter_revert(from, done);
	ring_list_after_failure(ring);
	goto out;
}

/**
 * altconn_ring_write_record() - write a record
 * @ring: the ring
 * @from: user memory with the record; advanced by what is written
 * @len: bytes of the record; at most @limit
 * @limit: most bytes that the ring may hold; one record may exceed it when at
 *	most half of it is in use
 * @scm: ancillary data of the record, or NULL. The descriptors move to the ring
 * @stamp: store the current time with the record
 * @eor: the sender has set MSG_EOR
 *
 * A full barrier follows what the call writes.
 *
 * Context: process, may sleep.
 * Return: @len; -EAGAIN if the ring is full of bytes, or of boundaries
 * (scm_queue.c); -EPIPE if the ring is sealed; -EFAULT if user memory is not
 * accessible; -ENOMEM; -ERESTARTSYS if a signal is pending. After an error
 * nothing is written, @from is as before, and @scm keeps its descriptors. After
 * -EPIPE the descriptors may be gone.
 */
ssize_t altconn_ring_write_record(struct altconn_ring *ring,
				  struct iov_iter *from, size_t len, u32 limit,
				  struct altconn_scm *scm, bool stamp, bool eor)
{
	unsigned int try = 0;
	ssize_t n;

	for (;;) {
		n = ring_try_write_record(ring, from, len, limit, scm, stamp,
					  eor);
		if (likely(n != -EFAULT))
			return n;
		n = altconn_ring_fault_in(from, len, ++try);
		if (n != len)
			return n < 0 ? n : -EFAULT;
	}
}
