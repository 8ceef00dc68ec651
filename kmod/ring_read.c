// SPDX-License-Identifier: GPL-2.0
/*
 * Read bytes of a stream, or a record, from a ring.
 */

#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "payer.h"
#include "ring.h"
#include "ring_read.h"
#include "scm.h"
#include "scm_queue.h"

/*
 * A user's listed rings may keep this many bytes of segments for each online
 * CPU. Segments of the smallest size do not count.
 */
#define RING_IDLE_MAX	(2L << 20)

/*
 * This mask selects the length in a record's length word. Every length is far
 * below it, since ALTCONN_RING_LIMIT is.
 */
#define RING_RECORD_LENGTH	(RING_RECORD_EOR - 1)

/*
 * A cursor is the position of a read. @at is an offset in the data of @seg, and
 * @pos counts as ring->tail does.
 */
struct ring_cursor {
	struct altconn_segment	*seg;
	u32			at;
	u32			pos;
};

static struct ring_cursor ring_cursor_begin(const struct altconn_ring *ring)
{
	return (struct ring_cursor) {
		.seg = ring->read_segment, .at = ring->read_at,
		.pos = ring->tail,
	};
}

/*
 * Move a cursor that is at the end of a segment to the next segment. There must
 * be data at the cursor. Return whether the writer has left the segment in
 * which the cursor then is; if so, that segment's @end is valid.
 */
static bool ring_cursor_next_seg(struct ring_cursor *c)
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

static void ring_cursor_advance(struct ring_cursor *c, u32 n)
{
	c->at = altconn_ring_advance(c->seg, c->at, n);
	c->pos += n;
}

/*
 * Like ring_copy_in_piece(), leave out the check of hardened user copies, since
 * the segment gives the bounds. With page faults disabled the copy may stop
 * short.
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
 * Handle a ring that has just been emptied. The ring keeps its segment until
 * the scan frees it, unless the rings of its user keep too much memory already.
 */
static noinline void ring_keep_or_free(struct altconn_ring *ring)
{
	struct altconn_payer_idle *idle = &ring->payer->idle;
	struct altconn_segment *seg = NULL;
	long more;
	u32 size;

	lockdep_assert_held(&ring->read_lock);
	/*
	 * The ring's write_lock is tried inside idle->lock, so that
	 * altconn_ring_lock_again() can wait until this thread has dropped it.
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
	    idle->bytes + more > RING_IDLE_MAX * num_online_cpus() &&
	    mutex_trylock(&ring->write_lock)) {
		if (altconn_ring_head(ring) == ring->tail)
			seg = altconn_ring_detach(ring);
		mutex_unlock(&ring->write_lock);
	} else {
		/*
		 * A writer that holds the lock may still fail to write, so the
		 * ring is listed.
		 */
		altconn_ring_idle_add(ring, size);
	}
	spin_unlock(&idle->lock);
	altconn_ring_free_segments(seg);
}

/* Free the segments before @until, which the reader has left. */
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

/* Give the bytes before the cursor back to the writer. */
static __always_inline void ring_commit(struct altconn_ring *ring,
					const struct ring_cursor *c)
{
	if (unlikely(ring->read_segment != c->seg))
		ring_free_passed(ring, c->seg);
	ring->read_at = c->at;
	/*
	 * Pairs with ring_load_tail() and altconn_ring_used(): the bytes
	 * are copied out before the writer may overwrite them.
	 */
	smp_store_release(&ring->tail, c->pos);
	/* Mostly the ring is listed with this segment already. */
	if (c->pos == altconn_ring_head(ring) &&
	    unlikely(READ_ONCE(ring->idle_size) != c->seg->size))
		ring_keep_or_free(ring);
}

/* Return the unread bytes; the bytes themselves are visible. */
static u32 ring_load_unread(const struct altconn_ring *ring)
{
	/* Pairs with ring_publish(). */
	return (u32)atomic64_read_acquire(&ring->head) - ring->tail;
}

/*
 * Return the boundaries of the ring, or NULL. The caller has called
 * ring_load_unread() before, so it sees all boundaries of the bytes that it
 * sees.
 */
static struct altconn_scm_queue *ring_scm_of(const struct altconn_ring *ring)
{
	/* Pairs with altconn_scm_queue_write(). */
	return smp_load_acquire(&ring->scm_queue);
}

/* Move the cursor on by @n bytes, which the ring has. */
static noinline struct ring_cursor ring_skip_bytes(struct ring_cursor c, u32 n)
{
	while (n) {
		u32 part = n;

		if (ring_cursor_next_seg(&c))
			part = min(part, c.seg->end - c.pos);
		ring_cursor_advance(&c, part);
		n -= part;
	}
	return c;
}

/*
 * Do the work of ring_read_bytes() for bytes that are in several segments, or
 * that wrap around at the end of one.
 */
static noinline struct ring_cursor
ring_read_pieces(struct ring_cursor c, struct iov_iter *to, u32 n)
{
	u32 part, copied;

	do {
		part = n;
		if (ring_cursor_next_seg(&c))
			part = min(part, c.seg->end - c.pos);
		copied = ring_copy_out(c.seg, c.at, to, part);
		ring_cursor_advance(&c, copied);
		n -= copied;
	} while (n && copied == part);
	return c;
}

/*
 * Copy @n bytes, which the ring has, or as many as user memory takes. Return
 * the cursor behind them. Mostly the bytes are in one piece. The cursor is
 * passed by value so that it stays in registers.
 */
static __always_inline struct ring_cursor
ring_read_bytes(struct ring_cursor c, struct iov_iter *to, u32 n)
{
	/*
	 * Pairs with ring_add_segment(): without a next segment, all bytes are
	 * in this one.
	 */
	if (unlikely(smp_load_acquire(&c.seg->next) || n > c.seg->size - c.at))
		return ring_read_pieces(c, to, n);
	ring_cursor_advance(&c, ring_copy_out_piece(c.seg->data + c.at, to, n));
	return c;
}

/*
 * Serve a read of no bytes: take only what goes with the next byte. Descriptors
 * are handed out once, as with AF_UNIX.
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
 * Take the read lock and read once. -EFAULT means that nothing was read,
 * because not all user memory was present. With @partial a copy that stops
 * short counts as a shorter read.
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
	queue = ring_scm_of(ring);
	if (unlikely(!len))
		ring_read_scm_only(queue, c.pos, rx, peek);
	else if (unlikely(queue))
		len = altconn_scm_queue_bound(queue, c.pos, len, rx);
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
		ring_commit(ring, &c);
	rx->began = true;
out:
	altconn_ring_unlock(ring, &ring->read_lock);
	return n;
}

/*
 * Return the bytes that are unread now, so that no more of the reader's memory
 * is faulted in than they need. Return at least 1, since another reader may
 * have emptied the ring.
 */
static u32 ring_unread_bytes(const struct altconn_ring *ring,
			     const struct altconn_rx *rx)
{
	u32 used = altconn_ring_used(ring);

	return used > rx->skip ? used - rx->skip : 1;
}

/**
 * altconn_ring_read() - read bytes of a stream
 * @ring: the ring, or NULL
 * @to: user memory for the bytes; advanced by what is read
 * @len: most bytes to read; with 0, take only what goes with the next byte
 * @peek: leave the bytes, and what goes with them, in the ring
 * @rx: state of this recvmsg(); gets the credentials and descriptors that go
 *	with the bytes
 *
 * A full barrier follows what the call reads.
 *
 * Context: process, may sleep.
 * Return: bytes read; 0 if @len is 0, or if the next bytes may not be returned
 * together with what @rx has; -EAGAIN: the ring is empty, or has no more than
 * the offset of a peek skips; -EFAULT: user memory is not accessible;
 * -ERESTARTSYS: a signal is pending.
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
		len = min_t(size_t, len, ring_unread_bytes(ring, rx));
		n = altconn_ring_fault_in(to, len, ++try);
		if (n < 0)
			return n;
		len = n;
	}
}

/* Return whether an empty record at @pos was peeked at. */
static bool ring_was_peeked(const struct altconn_ring *ring, u32 pos)
{
	return ring->peeked && (s32)(ring->peeked_to - pos) > 0;
}

/*
 * Move the cursor to the record in which a peek with SO_PEEK_OFF begins. Like
 * AF_UNIX, skip whole records first. @skipped then is the offset in that
 * record. Return whether there is such a record.
 */
static bool ring_skip_records(const struct altconn_ring *ring,
			      struct ring_cursor *c, u32 *used, u32 *skipped)
{
	while (*used) {
		u32 head;

		ring_cursor_next_seg(c);
		head = *(u32 *)(c->seg->data + c->at) & RING_RECORD_LENGTH;
		if (*skipped < head ||
		    !(*skipped || ring_was_peeked(ring, c->pos)))
			return true;
		*skipped -= head;
		*used -= altconn_ring_record_size(head);
		ring_cursor_advance(c, altconn_ring_record_size(head));
	}
	return false;
}

/*
 * Move the cursor past the record that was read. With @peek, only remember that
 * an empty record was peeked at.
 */
static __always_inline void ring_commit_record(struct altconn_ring *ring,
					       struct ring_cursor *c, u32 len,
					       bool peek)
{
	u32 total = altconn_ring_record_size(len);

	if (!peek) {
		ring_cursor_advance(c, total);
		WRITE_ONCE(ring->extra_read, ring->extra_read + total - len);
		ring_commit(ring, c);
		if (unlikely(ring->peeked) && !ring_was_peeked(ring, c->pos))
			ring->peeked = false;
	} else if (!len && !ring_was_peeked(ring, c->pos)) {
		ring->peeked = true;
		ring->peeked_to = c->pos + total;
	}
}

/*
 * Take the read lock and read a record once. -EFAULT means that nothing was
 * read, because not all user memory was present.
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
	/* A corrupt length word must not lead out of the segment. */
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
	queue = ring_scm_of(ring);
	if (unlikely(queue))
		altconn_scm_queue_read(
			queue, c.pos, altconn_ring_record_size(head), rx, peek);
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
 * @peek: leave the record, and what goes with it, in the ring
 * @rx: state of this recvmsg(); gets the credentials, descriptors and timestamp
 *	of the record
 * @record: gets the length of the record, counted from where a peek begins
 *
 * A full barrier follows what the call reads.
 *
 * Context: process, may sleep.
 * Return: bytes read; -EAGAIN: the ring has no record; -EFAULT or -ERESTARTSYS:
 * the record is still in the ring; -EIO: the ring is corrupt, which never
 * happens.
 */
ssize_t altconn_ring_read_record(struct altconn_ring *ring, struct iov_iter *to,
				 size_t len, bool peek, struct altconn_rx *rx,
				 size_t *record)
{
	unsigned int try = 0;
	size_t want;
	ssize_t n;

	for (;;) {
		if (!altconn_ring_used(ring))
			return -EAGAIN;
		n = ring_try_read_record(ring, to, len, peek, rx, record);
		if (likely(n != -EFAULT))
			return n;
		/*
		 * The failed copy wanted this many bytes. Another reader may
		 * take the record meanwhile, and the next record may be longer.
		 */
		want = min(len, *record);
		n = altconn_ring_fault_in(to, want, ++try);
		if (n != want)
			return n < 0 ? n : -EFAULT;
	}
}
