// SPDX-License-Identifier: GPL-2.0
/*
 * The buffer of one direction of an association: a ring of bytes, one copy in
 * and one copy out, nothing allocated for a message once it has grown.
 *
 * One writer and one reader at a time, each with its own lock; between them
 * only @head and @tail, with release and acquire. The ring starts with nothing
 * and doubles when a writer needs more than it has and the limit (SO_SNDBUF of
 * the writer) allows more. A sequenced packet is a record in it: a length and
 * its bytes, which become visible together.
 *
 * The locks are mutexes, because user memory may fault while they are held. A
 * reader that is stuck in such a fault must not be able to hold the peer's
 * writer: see grow(). Threads that share one end do wait for each other.
 */

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "altconn.h"

#define RING_MIN	4096U
#define RECORD_HEAD	sizeof(u32)

/**
 * altconn_ring_init() - an empty ring
 * @ring: zeroed memory
 */
void altconn_ring_init(struct altconn_ring *ring)
{
	mutex_init(&ring->write_lock);
	mutex_init(&ring->read_lock);
}

/**
 * altconn_ring_free() - free what a ring holds
 * @ring: nobody uses it any more
 *
 * Context: any but hard interrupts.
 */
void altconn_ring_free(struct altconn_ring *ring)
{
	kvfree(ring->data);
}

/**
 * altconn_ring_used() - bytes in the ring, records' lengths included
 * @ring: the ring
 *
 * Context: any. Without a lock it may be more than there is by now, if the
 * caller is not the reader, and less, if it is not the writer.
 */
u32 altconn_ring_used(const struct altconn_ring *ring)
{
	/* Pairs with the reader: what it has read may be overwritten. */
	u32 tail = smp_load_acquire(&ring->tail);

	/* Pairs with the writer: what it has written may be read. */
	return smp_load_acquire(&ring->head) - tail;
}

/**
 * altconn_ring_payload() - bytes in the ring that a program wrote
 * @ring: the ring
 *
 * Context: any; as altconn_ring_used().
 */
u32 altconn_ring_payload(const struct altconn_ring *ring)
{
	u32 taken = READ_ONCE(ring->taken);
	u32 used = altconn_ring_used(ring);
	u32 heads = (READ_ONCE(ring->put) - taken) * RECORD_HEAD;

	return used > heads ? used - heads : 0;
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
bool altconn_ring_writable(const struct altconn_ring *ring, u32 limit)
{
	return altconn_ring_used(ring) <= limit / 2;
}

static void copy_out(const struct altconn_ring *ring, u32 pos, void *to, u32 n)
{
	u32 at = pos & (ring->size - 1), first = min(n, ring->size - at);

	memcpy(to, ring->data + at, first);
	memcpy(to + first, ring->data, n - first);
}

static void copy_in(struct altconn_ring *ring, u32 pos, const void *from, u32 n)
{
	u32 at = pos & (ring->size - 1), first = min(n, ring->size - at);

	memcpy(ring->data + at, from, first);
	memcpy(ring->data, from + first, n - first);
}

static u32 copy_from(struct altconn_ring *ring, u32 pos, struct iov_iter *from,
		     u32 n)
{
	u32 at = pos & (ring->size - 1), first = min(n, ring->size - at);
	u32 done = copy_from_iter(ring->data + at, first, from);

	if (done == first && n > first)
		done += copy_from_iter(ring->data, n - first, from);
	return done;
}

static u32 copy_to(const struct altconn_ring *ring, u32 pos,
		   struct iov_iter *to, u32 n)
{
	u32 at = pos & (ring->size - 1), first = min(n, ring->size - at);
	u32 done = copy_to_iter(ring->data + at, first, to);

	if (done == first && n > first)
		done += copy_to_iter(ring->data, n - first, to);
	return done;
}

/*
 * Make the ring hold @need bytes. Both locks are wanted for that; a writer
 * that may not wait, or need not, does without more room when a reader is
 * inside. Who has to wait can be interrupted.
 */
static int grow(struct altconn_ring *ring, u32 need, bool nonblock)
{
	u32 size = max_t(u32, RING_MIN, roundup_pow_of_two(need));
	char *data, *old = ring->data;

	lockdep_assert_held(&ring->write_lock);
	data = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!data)
		return -ENOMEM;
	if (!mutex_trylock(&ring->read_lock)) {
		int err = nonblock ? -EAGAIN :
			  mutex_lock_interruptible(&ring->read_lock);

		if (err) {
			kvfree(data);
			return err == -EINTR ? -ERESTARTSYS : err;
		}
	}
	if (old) {
		u32 at = ring->tail & (size - 1), used = ring->head - ring->tail;
		u32 first = min(used, size - at);

		copy_out(ring, ring->tail, data + at, first);
		copy_out(ring, ring->tail + first, data, used - first);
	}
	ring->data = data;
	ring->size = size;
	mutex_unlock(&ring->read_lock);
	kvfree(old);
	return 0;
}

static int lock_writer(struct altconn_ring *ring)
{
	return mutex_lock_interruptible(&ring->write_lock) ? -ERESTARTSYS : 0;
}

/* How much of @len bytes of a stream can be written now, or an errno. */
static ssize_t make_room(struct altconn_ring *ring, size_t len, u32 limit,
			 bool nonblock)
{
	u32 used = altconn_ring_used(ring);
	int err = 0;
	size_t n;

	if (used >= limit)
		return -EAGAIN;
	n = min_t(size_t, len, limit - used);
	if (used + n > ring->size)
		err = grow(ring, used + n, nonblock || used < ring->size);
	if (!err)
		return n;
	/* What is there serves too. */
	n = min_t(size_t, n, ring->size - used);
	return n ? : err;
}

/**
 * altconn_ring_write() - write bytes of a stream
 * @ring: the ring
 * @from: where from, advanced
 * @len: how many at the most
 * @limit: most bytes that the ring may hold
 * @nonblock: do not wait for a reader that is inside
 *
 * Context: process, may sleep.
 * Return: how many, at least 1 when @len is not 0; -EAGAIN: it is full;
 * -EFAULT; -ENOMEM; -ERESTARTSYS.
 */
ssize_t altconn_ring_write(struct altconn_ring *ring, struct iov_iter *from,
			   size_t len, u32 limit, bool nonblock)
{
	ssize_t n = lock_writer(ring);

	if (n)
		return n;
	n = make_room(ring, len, limit, nonblock);
	if (n > 0) {
		n = copy_from(ring, ring->head, from, n);
		/* The bytes first; pairs with altconn_ring_used(). */
		smp_store_release(&ring->head, ring->head + (u32)n);
		if (!n)
			n = -EFAULT;
	}
	mutex_unlock(&ring->write_lock);
	return n;
}

/**
 * altconn_ring_read() - read bytes of a stream
 * @ring: the ring
 * @to: where to, advanced
 * @len: how many at the most
 * @peek: leave them
 *
 * Context: process, may sleep.
 * Return: how many; -EAGAIN: it is empty; -EFAULT; -ERESTARTSYS.
 */
ssize_t altconn_ring_read(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek)
{
	ssize_t n = -EAGAIN;
	u32 used;

	if (!altconn_ring_used(ring))
		return -EAGAIN;
	if (mutex_lock_interruptible(&ring->read_lock))
		return -ERESTARTSYS;
	used = altconn_ring_used(ring);
	if (used) {
		n = copy_to(ring, ring->tail, to, min_t(size_t, len, used));
		if (!peek) {
			/* Read first, then free: altconn_ring_used(). */
			smp_store_release(&ring->tail, ring->tail + (u32)n);
		}
		if (!n && len)
			n = -EFAULT;
	}
	mutex_unlock(&ring->read_lock);
	return n;
}

/* Room for a whole record: altconn_ring_writable() promises it. */
static int make_room_record(struct altconn_ring *ring, u32 total, u32 limit,
			    bool nonblock)
{
	u32 used = altconn_ring_used(ring);

	if (used > limit / 2 && used + total > limit)
		return -EAGAIN;
	if (used + total > ring->size)
		return grow(ring, used + total, nonblock);
	return 0;
}

/**
 * altconn_ring_put() - write a record
 * @ring: the ring
 * @from: where from, advanced
 * @len: its length; at most @limit
 * @limit: most bytes that the ring may hold, a last record not counted
 * @nonblock: do not wait for a reader that is inside
 *
 * Context: process, may sleep.
 * Return: @len; -EAGAIN: there is no room; -EFAULT, -ENOMEM, -ERESTARTSYS:
 * nothing was written.
 */
ssize_t altconn_ring_put(struct altconn_ring *ring, struct iov_iter *from,
			 size_t len, u32 limit, bool nonblock)
{
	u32 head = len;
	ssize_t err = lock_writer(ring);

	if (err)
		return err;
	err = make_room_record(ring, RECORD_HEAD + head, limit, nonblock);
	if (err)
		goto out;
	copy_in(ring, ring->head, &head, RECORD_HEAD);
	err = -EFAULT;
	if (copy_from(ring, ring->head + RECORD_HEAD, from, head) != head)
		goto out;
	WRITE_ONCE(ring->put, ring->put + 1);
	/* The record first; pairs with altconn_ring_used(). */
	smp_store_release(&ring->head, ring->head + RECORD_HEAD + head);
	err = len;
out:
	mutex_unlock(&ring->write_lock);
	return err;
}

/**
 * altconn_ring_take() - read a record
 * @ring: the ring
 * @to: where to, advanced
 * @len: how much of it at the most; the rest is lost
 * @peek: leave it
 * @record: its whole length
 *
 * Context: process, may sleep.
 * Return: how many bytes were read; -EAGAIN: there is none; -EFAULT,
 * -ERESTARTSYS: it is still there.
 */
ssize_t altconn_ring_take(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, size_t *record)
{
	ssize_t n = -EAGAIN;
	u32 head;

	if (!altconn_ring_used(ring))
		return -EAGAIN;
	if (mutex_lock_interruptible(&ring->read_lock))
		return -ERESTARTSYS;
	if (!altconn_ring_used(ring))
		goto out;
	copy_out(ring, ring->tail, &head, RECORD_HEAD);
	*record = head;
	n = min_t(size_t, len, head);
	if (copy_to(ring, ring->tail + RECORD_HEAD, to, n) != n) {
		n = -EFAULT;
		goto out;
	}
	if (!peek) {
		WRITE_ONCE(ring->taken, ring->taken + 1);
		/* Read first, then free; pairs with altconn_ring_used(). */
		smp_store_release(&ring->tail,
				  ring->tail + RECORD_HEAD + head);
	}
out:
	mutex_unlock(&ring->read_lock);
	return n;
}
