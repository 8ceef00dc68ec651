// SPDX-License-Identifier: GPL-2.0
/*
 * Read bytes of a stream, or a record, from a ring (ring.c).
 */

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "payer.h"
#include "ring.h"
#include "ring_pages.h"
#include "ring_read.h"
#include "scm.h"
#include "scm_queue.h"

/*
 * The rings of a list may keep this many bytes of segments (idle->bytes). A
 * user has a list for each CPU. Beyond this, a reader frees the segment of a
 * ring that it empties.
 */
#define RING_IDLE_MAX	(2L << 20)

/* Mask of the length in a record's length word; the other bit is the flag. */
#define RING_RECORD_LENGTH	(RING_RECORD_EOR - 1)

/**
 * struct ring_cursor - position of a read that is under way
 * @seg: the segment
 * @at: offset of the next byte to read in the data of @seg
 * @pos: position of that byte in the ring, counted as ring->tail
 */
struct ring_cursor {
	struct altconn_segment	*seg;
	u32			at;
	u32			pos;
};

/* Return a cursor at the first unread byte. The read_lock is held. */
static struct ring_cursor ring_cursor_begin(const struct altconn_ring *ring)
{
	return (struct ring_cursor) {
		.seg = ring->read_segment, .at = ring->read_at,
		.pos = ring->tail,
	};
}

/*
 * If the cursor is at the end of its segment, move it to the segment that holds
 * the next byte. The ring must hold an unread byte at the cursor. Return false
 * if the cursor is then in the newest segment. Return true if it is in an older
 * segment, which holds bytes up to seg->end only.
 */
static bool ring_cursor_next_seg(struct ring_cursor *c)
{
	struct altconn_segment *next;

	/* Pairs with ring_link_segment(): @end and *@next are initialized. */
	while ((next = smp_load_acquire(&c->seg->next)) &&
	       c->seg->end == c->pos) {
		c->seg = next;
		c->at = 0;
	}
	return next;
}

/* Move the cursor within its segment, a circular buffer of bytes. */
static void ring_cursor_advance(struct ring_cursor *c, u32 n)
{
	c->at = altconn_ring_advance(c->seg, c->at, n);
	c->pos += n;
}

/*
 * Move the cursor within its segment, of either kind. In a segment with pages
 * @at stays 0.
 */
static void ring_cursor_move(struct ring_cursor *c, u32 n)
{
	if (c->seg->size)
		ring_cursor_advance(c, n);
	else
		c->pos += n;
}

/*
 * Copy bytes that do not wrap around, and return how many were copied. With
 * page faults disabled the copy stops short at a page that is not present.
 * _copy_to_iter() omits the check of hardened usercopy, since @n is within the
 * segment.
 */
static __always_inline u32
ring_copy_out_piece(const char *from, struct iov_iter *to, u32 n)
{
	u32 done;

	pagefault_disable();
	done = _copy_to_iter(from, n, to);
	pagefault_enable();
	return done;
}

/* Copy bytes that wrap around at the end of the segment. */
static noinline u32 ring_copy_out_wrapped(const struct altconn_segment *seg,
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
	return ring_copy_out_wrapped(seg, at, to, n);
}

/*
 * The ring has just been emptied. List it, so that the scan frees its segment
 * (ring.c). If the listed rings of its user keep too much memory, free the
 * segment now.
 */
static noinline void ring_keep_or_free(struct altconn_ring *ring)
{
	struct altconn_payer_idle *idle = ring->idle;
	struct altconn_segment *seg = NULL;
	long more;
	u32 size;

	lockdep_assert_held(&ring->read_lock);
	/*
	 * altconn_ring_retry_lock() takes idle->lock to wait for this thread,
	 * so write_lock is taken and dropped under idle->lock.
	 */
	spin_lock(&idle->lock);
	/*
	 * A write that failed may have listed the ring with a larger segment,
	 * to which no reader has moved on yet.
	 */
	size = max(ring->read_segment->size, ring->idle_size);
	more = altconn_ring_idle_bytes(size) -
	       altconn_ring_idle_bytes(ring->idle_size);
	if (more > 0 &&
	    idle->bytes + more > RING_IDLE_MAX &&
	    mutex_trylock(&ring->write_lock)) {
		if (altconn_ring_head(ring) == ring->tail)
			seg = altconn_ring_detach(ring);
		mutex_unlock(&ring->write_lock);
	} else {
		/*
		 * The bound is kept, or another thread holds write_lock. That
		 * thread may fail to write, so list the ring.
		 */
		altconn_ring_idle_add(ring, size);
	}
	spin_unlock(&idle->lock);
	altconn_ring_free_segments(seg);
}

/* Count pages that the ring pins no more. A writer loads the sum. */
static void ring_count_freed(struct altconn_ring *ring, u32 n)
{
	lockdep_assert_held(&ring->read_lock);
	if (n)
		WRITE_ONCE(ring->pages_freed, ring->pages_freed + n);
}

/*
 * Slow path of ring_store_tail(): the cursor is in a segment with pages. Drop
 * the references before the cursor. If the ring is empty now and not listed,
 * list it, so that the scan frees the segment. If a failed write has listed it
 * with a larger segment, keep that size.
 */
static noinline void ring_leave_pages(struct altconn_ring *ring,
				      const struct ring_cursor *c)
{
	ring_count_freed(ring, altconn_ring_pages_drop(c->seg, c->pos));
	if (c->pos != altconn_ring_head(ring) || READ_ONCE(ring->idle_size))
		return;
	spin_lock(&ring->idle->lock);
	altconn_ring_idle_add(ring, RING_PAGES_SIZE);
	spin_unlock(&ring->idle->lock);
}

/* Free the segments before @until, which have been read to their ends. */
static noinline void ring_free_passed(struct altconn_ring *ring,
				      const struct altconn_segment *until)
{
	lockdep_assert_held(&ring->read_lock);
	while (ring->read_segment != until) {
		struct altconn_segment *old = ring->read_segment;

		ring->read_segment = old->next;
		ring_count_freed(ring, altconn_ring_free_segment(old));
	}
}

/* Count the bytes before the cursor as read. A writer may overwrite them. */
static __always_inline void ring_store_tail(struct altconn_ring *ring,
					    const struct ring_cursor *c)
{
	if (unlikely(ring->read_segment != c->seg))
		ring_free_passed(ring, c->seg);
	ring->read_at = c->at;
	/*
	 * Pairs with ring_load_tail(): the bytes are copied out before a writer
	 * overwrites them. Also pairs with altconn_ring_unread() and
	 * altconn_ring_unread_payload().
	 */
	smp_store_release(&ring->tail, c->pos);
	if (unlikely(!c->seg->size)) {
		ring_leave_pages(ring, c);
		return;
	}
	/* Usually the ring is listed already, with a segment of this size. */
	if (c->pos == altconn_ring_head(ring) &&
	    unlikely(READ_ONCE(ring->idle_size) != c->seg->size))
		ring_keep_or_free(ring);
}

/* Return the number of unread bytes. The read_lock is held. */
static u32 ring_load_unread(const struct altconn_ring *ring)
{
	/* Pairs with ring_publish(): the bytes before @head are visible. */
	return (u32)atomic64_read_acquire(&ring->head) - ring->tail;
}

/*
 * Return the boundaries of the ring, or NULL if it never had any. The caller
 * has called ring_load_unread(). A writer stores the boundary of bytes before
 * it advances @head, so the boundaries of all bytes that the caller may read
 * are in the result.
 */
static struct altconn_scm_queue *
ring_load_scm_queue(const struct altconn_ring *ring)
{
	/* Pairs with altconn_scm_queue_write(): the queue is initialized. */
	return smp_load_acquire(&ring->scm_queue);
}

/* Move the cursor @n bytes forward. At least @n bytes are unread. */
static noinline struct ring_cursor ring_skip_bytes(struct ring_cursor c, u32 n)
{
	while (n) {
		u32 part = n;

		if (ring_cursor_next_seg(&c))
			part = min(part, c.seg->end - c.pos);
		ring_cursor_move(&c, part);
		n -= part;
	}
	return c;
}

/*
 * Slow path of ring_read_bytes(): the bytes are in several segments, wrap
 * around at the end of one, or are in pages.
 */
static noinline struct ring_cursor
ring_read_pieces(struct ring_cursor c, struct iov_iter *to, u32 n)
{
	struct altconn_page_cursor page = {};
	u32 part, copied;

	do {
		part = n;
		if (ring_cursor_next_seg(&c))
			part = min(part, c.seg->end - c.pos);
		if (c.seg->size)
			copied = ring_copy_out(c.seg, c.at, to, part);
		else
			copied = altconn_ring_pages_copy(&page, c.seg, c.pos,
							 to, &part);
		ring_cursor_move(&c, copied);
		n -= copied;
	} while (n && copied == part);
	return c;
}

/*
 * Copy @n unread bytes to user memory, or fewer if a page of that memory is not
 * present. Return the cursor behind the last byte copied. The cursor is passed
 * by value, so that the compiler can keep it in registers.
 */
static __always_inline struct ring_cursor
ring_read_bytes(struct ring_cursor c, struct iov_iter *to, u32 n)
{
	/*
	 * Pairs with ring_link_segment(). If there is no next segment, this one
	 * holds all unread bytes from the cursor on. In a segment with pages
	 * size and at are 0, so a read of bytes takes the slow path.
	 */
	if (unlikely(smp_load_acquire(&c.seg->next) || n > c.seg->size - c.at))
		return ring_read_pieces(c, to, n);
	ring_cursor_advance(&c, ring_copy_out_piece(c.seg->data + c.at, to, n));
	return c;
}

/*
 * A read of 0 bytes returns the ancillary data of the next byte, once in each
 * recvmsg(). As with AF_UNIX, it takes the descriptors out of the ring, unless
 * it is a peek. @queue has the boundaries, or is NULL.
 */
static noinline void ring_read_scm_only(struct altconn_scm_queue *queue,
					u32 pos, struct altconn_rx *rx,
					bool peek)
{
	if (!queue || rx->began)
		return;
	altconn_scm_queue_read(queue, pos, 0, rx, peek);
	rx->began = true;
}

/*
 * Take read_lock and try to read once. Return what altconn_ring_read() returns,
 * with one exception: -EFAULT means that a page of user memory was not present.
 * Then nothing was read. With @partial, a copy that stops short after at least
 * one byte is a successful, shorter read.
 */
static __always_inline ssize_t
ring_try_read(struct altconn_ring *ring, struct iov_iter *to, size_t len,
	      bool peek, struct altconn_rx *rx, bool partial)
{
	struct altconn_scm_queue *queue;
	ssize_t n = -EAGAIN;
	struct ring_cursor c;
	u32 used, pos;

	if (altconn_ring_lock_unless_signal(ring, &ring->read_lock))
		return -ERESTARTSYS;
	used = ring_load_unread(ring);
	if (used <= rx->skip)
		goto out;
	c = ring_cursor_begin(ring);
	if (unlikely(rx->skip))
		c = ring_skip_bytes(c, rx->skip);
	len = min_t(size_t, len, used - rx->skip);
	queue = ring_load_scm_queue(ring);
	if (unlikely(!len))
		ring_read_scm_only(queue, c.pos, rx, peek);
	else if (unlikely(queue))
		len = altconn_scm_queue_limit_read(queue, c.pos, len, rx);
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
	if (unlikely(queue))
		altconn_scm_queue_read(queue, pos, n, rx, peek);
	if (!peek)
		ring_store_tail(ring, &c);
	rx->began = true;
out:
	altconn_ring_unlock(ring, &ring->read_lock);
	return n;
}

/*
 * Return how many bytes a read can return now, so that not more user memory
 * than these need is faulted in. Return at least 1, even if another thread has
 * emptied the ring.
 */
static u32 ring_unread_bytes(const struct altconn_ring *ring,
			     const struct altconn_rx *rx)
{
	u32 used = altconn_ring_unread(ring);

	return used > rx->skip ? used - rx->skip : 1;
}

/**
 * altconn_ring_read() - read bytes of a stream
 * @ring: the ring, or NULL
 * @to: memory for the bytes; advanced by what is read
 * @len: most bytes to read. With 0, only the ancillary data of the next byte is
 *	read
 * @peek: leave the bytes and their ancillary data in the ring
 * @rx: state of this recvmsg(); gets the ancillary data of the bytes
 *
 * A full barrier follows what the call reads.
 *
 * Context: process, may sleep.
 * Return: bytes read; 0 if @len is 0, or if this recvmsg() must end before the
 * next byte, see altconn_scm_queue_limit_read(); -EAGAIN if the ring is empty,
 * or has no byte behind the offset of a peek; -EFAULT if user memory is not
 * accessible; -ERESTARTSYS if a signal is pending.
 */
ssize_t altconn_ring_read(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, struct altconn_rx *rx)
{
	unsigned int try = 0;
	ssize_t n;

	for (;;) {
		if (!altconn_ring_unread(ring))
			return -EAGAIN;
		n = ring_try_read(ring, to, len, peek, rx, try);
		if (likely(n != -EFAULT))
			return n;
		len = min_t(size_t, len, ring_unread_bytes(ring, rx));
		n = altconn_ring_fault_in(to, len, ++try);
		if (n < 0)
			return n;
		len = n;
	}
}

/*
 * Return how many of @n unread bytes from the cursor on are in circular buffers
 * of bytes, before the first segment with pages.
 */
static u32 ring_bytes_before_pages(struct ring_cursor c, u32 n)
{
	u32 begin = c.pos, left = n;

	while (left) {
		u32 part = left;

		if (ring_cursor_next_seg(&c))
			part = min(part, c.seg->end - c.pos);
		if (!c.seg->size)
			break;
		ring_cursor_advance(&c, part);
		left -= part;
	}
	return c.pos - begin;
}

/*
 * Move up to @len unread bytes into a pipe. The next byte is in a page. Return
 * the number of bytes.
 */
static ssize_t ring_move_pages(struct altconn_ring *ring, struct ring_cursor c,
			       struct pipe_inode_info *pipe, u32 len,
			       struct altconn_rx *rx)
{
	struct altconn_scm_queue *queue = ring_load_scm_queue(ring);
	u32 pos = c.pos;
	ssize_t n;

	if (queue)
		len = altconn_scm_queue_limit_read(queue, pos, len, rx);
	if (ring_cursor_next_seg(&c))
		len = min(len, c.seg->end - pos);
	n = altconn_ring_pages_splice(c.seg, pos, len, pipe);
	if (n <= 0)
		return n;
	if (queue)
		altconn_scm_queue_read(queue, pos, n, rx, false);
	c.pos += n;
	ring_store_tail(ring, &c);
	rx->began = true;
	return n;
}

/**
 * altconn_ring_splice() - move pages from a ring into a pipe
 * @ring: the ring, or NULL
 * @pipe: the pipe, which has space and a reader
 * @len: most bytes to move; not 0
 * @rx: state of this call; gets the ancillary data of the bytes
 * @bytes: if the next byte is not in a page, set to the number of bytes before
 *	the first page, at most @len
 *
 * The memory of the ring itself never goes into a pipe. A full barrier follows
 * what the call reads.
 *
 * Context: process, may sleep; the caller has locked @pipe.
 * Return: bytes moved; 0 if the caller must copy *@bytes bytes; -EAGAIN if the
 * ring is empty; -ERESTARTSYS if a signal is pending.
 */
ssize_t altconn_ring_splice(struct altconn_ring *ring,
			    struct pipe_inode_info *pipe, size_t len,
			    struct altconn_rx *rx, u32 *bytes)
{
	ssize_t n = -EAGAIN;
	struct ring_cursor c;
	u32 used;

	if (!altconn_ring_unread(ring))
		return -EAGAIN;
	if (altconn_ring_lock_unless_signal(ring, &ring->read_lock))
		return -ERESTARTSYS;
	used = ring_load_unread(ring);
	if (used) {
		c = ring_cursor_begin(ring);
		used = min_t(size_t, len, used);
		*bytes = ring_bytes_before_pages(c, used);
		n = *bytes ? 0 : ring_move_pages(ring, c, pipe, used, rx);
	}
	altconn_ring_unlock(ring, &ring->read_lock);
	return n;
}

/*
 * Return whether the last empty record that was peeked at is at or behind @pos.
 * So an empty record at @pos counts as peeked at.
 */
static bool ring_is_before_peeked(const struct altconn_ring *ring, u32 pos)
{
	return ring->peeked && (s32)(ring->peeked_to - pos) > 0;
}

/*
 * Move the cursor to the record in which a peek with SO_PEEK_OFF begins. As
 * with AF_UNIX, the offset counts the bytes of whole records, so records that
 * end at or before the offset are skipped, and so is an empty record that has
 * been peeked at. *@skipped is the offset, and becomes the offset in the record
 * found. *@used becomes the unread bytes from this record on. Return whether
 * there is such a record.
 */
static bool ring_skip_records(const struct altconn_ring *ring,
			      struct ring_cursor *c, u32 *used, u32 *skipped)
{
	while (*used) {
		u32 head;

		ring_cursor_next_seg(c);
		head = *(u32 *)(c->seg->data + c->at) & RING_RECORD_LENGTH;
		if (*skipped < head ||
		    !(*skipped || ring_is_before_peeked(ring, c->pos)))
			return true;
		*skipped -= head;
		*used -= altconn_ring_record_size(head);
		ring_cursor_advance(c, altconn_ring_record_size(head));
	}
	return false;
}

/*
 * Count the record at the cursor, of @len bytes, as read. With @peek, leave it
 * in the ring, but mark an empty record as peeked at.
 */
static __always_inline void ring_commit_record(struct altconn_ring *ring,
					       struct ring_cursor *c, u32 len,
					       bool peek)
{
	u32 total = altconn_ring_record_size(len);

	if (!peek) {
		ring_cursor_advance(c, total);
		WRITE_ONCE(ring->extra_read, ring->extra_read + total - len);
		ring_store_tail(ring, c);
		if (unlikely(ring->peeked) &&
		    !ring_is_before_peeked(ring, c->pos))
			ring->peeked = false;
	} else if (!len && !ring_is_before_peeked(ring, c->pos)) {
		ring->peeked = true;
		ring->peeked_to = c->pos + total;
	}
}

/*
 * Take read_lock and try to read a record once. Return what
 * altconn_ring_read_record() returns, with one exception: -EFAULT means that a
 * page of user memory was not present. Then nothing was read.
 */
static __always_inline ssize_t
ring_try_read_record(struct altconn_ring *ring, struct iov_iter *to, size_t len,
		     bool peek, struct altconn_rx *rx, size_t *record)
{
	u32 used, head, at, done, skipped = rx->skip;
	struct altconn_scm_queue *queue;
	ssize_t n = -EAGAIN;
	struct ring_cursor c;

	if (altconn_ring_lock_unless_signal(ring, &ring->read_lock))
		return -ERESTARTSYS;
	used = ring_load_unread(ring);
	if (!used)
		goto out;
	c = ring_cursor_begin(ring);
	if (unlikely(rx->seeks) &&
	    !ring_skip_records(ring, &c, &used, &skipped))
		goto out;
	ring_cursor_next_seg(&c);
	head = *(u32 *)(c.seg->data + c.at);
	rx->eor = head & RING_RECORD_EOR;
	head &= RING_RECORD_LENGTH;
	/* Even a corrupt length word must not lead beyond the unread bytes. */
	n = -EIO;
	if (WARN_ON_ONCE(head > used - RING_RECORD_HEAD))
		goto out;
	*record = head - skipped;
	n = min_t(size_t, len, *record);
	at = altconn_ring_advance(c.seg, c.at, RING_RECORD_HEAD + skipped);
	done = ring_copy_out(c.seg, at, to, n);
	if (unlikely(done != n)) {
		iov_iter_revert(to, done);
		n = -EFAULT;
		goto out;
	}
	queue = ring_load_scm_queue(ring);
	if (unlikely(queue))
		altconn_scm_queue_read(queue, c.pos,
				       altconn_ring_record_size(head), rx,
				       peek);
	ring_commit_record(ring, &c, head, peek);
	rx->began = true;
out:
	altconn_ring_unlock(ring, &ring->read_lock);
	return n;
}

/**
 * altconn_ring_read_record() - read a record
 * @ring: the ring, or NULL
 * @to: user memory for the record; advanced by what is read
 * @len: most bytes to read; the rest of the record is lost
 * @peek: leave the record and its ancillary data in the ring
 * @rx: state of this recvmsg(); gets the ancillary data of the record
 * @record: gets the length of the record. For a peek with SO_PEEK_OFF, the
 *	bytes before the offset do not count
 *
 * A full barrier follows what the call reads.
 *
 * Context: process, may sleep.
 * Return: bytes read; -EAGAIN if the ring has no record, or none behind the
 * offset of a peek; -EFAULT or -ERESTARTSYS, with the record still in the ring;
 * -EIO if the length word is corrupt, which is a bug of this module.
 */
ssize_t altconn_ring_read_record(struct altconn_ring *ring, struct iov_iter *to,
				 size_t len, bool peek, struct altconn_rx *rx,
				 size_t *record)
{
	unsigned int try = 0;
	size_t want;
	ssize_t n;

	for (;;) {
		if (!altconn_ring_unread(ring))
			return -EAGAIN;
		n = ring_try_read_record(ring, to, len, peek, rx, record);
		if (likely(n != -EFAULT))
			return n;
		/*
		 * The failed copy needs this many bytes. If another thread
		 * takes the record meanwhile, a longer one may follow. Then
		 * this loop goes round again.
		 */
		want = min(len, *record);
		n = altconn_ring_fault_in(to, want, ++try);
		if (n != want)
			return n < 0 ? n : -EFAULT;
	}
}
