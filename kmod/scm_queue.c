// SPDX-License-Identifier: GPL-2.0
/*
 * Ancillary data in a ring: credentials, descriptors and timestamps.
 *
 * A stream in a ring has no message boundaries. So a list of boundaries beside
 * the bytes says from which byte on the credentials of a sender apply, and to
 * which bytes descriptors or a timestamp belong. If a ring has never had
 * ancillary data, a write or a read costs one more load of a pointer.
 */

#include <linux/fdtable.h>
#include <linux/slab.h>
#include <net/scm.h>
#include "scm.h"
#include "scm_queue.h"

/*
 * A ring with this many boundaries counts as full, since the memory of
 * boundaries does not count towards SO_SNDBUF.
 */
#define SCM_QUEUE_MAX	1024U

/**
 * struct scm_boundary - ancillary data that begins at a byte of a ring
 * @node: link in queue->list
 * @pos: position of the first byte, counted as ring->head
 * @end: position behind the last byte of the write that made the boundary
 * @scm: the ancillary data. The credentials apply from @pos up to the next
 *	boundary. The descriptors and the timestamp belong to the bytes from
 *	@pos to @end
 *
 * Lifetime: a writer allocates the boundary, and a reader frees it when it
 * reads the byte at @pos. If the byte is never read, the boundary is freed when
 * the write fails, or when the ring is purged or freed.
 */
struct scm_boundary {
	struct list_head	node;
	u32			pos;
	u32			end;
	struct altconn_scm	scm;
};

static void scm_boundary_free(struct scm_boundary *b)
{
	altconn_scm_destroy(&b->scm);
	kfree(b);
}

/**
 * altconn_scm_queue_free_list() - free detached boundaries
 * @list: the boundaries, from altconn_scm_queue_detach()
 *
 * Context: process, may sleep.
 */
void altconn_scm_queue_free_list(struct list_head *list)
{
	struct scm_boundary *b, *next;

	list_for_each_entry_safe(b, next, list, node)
		scm_boundary_free(b);
}

/**
 * altconn_scm_queue_detach() - take all boundaries out of a ring
 * @queue: the ring's boundaries; stays with the ring, and is empty afterwards
 * @list: gets the boundaries; the caller passes it to
 *	altconn_scm_queue_free_list()
 *
 * Context: process; both locks of the ring are held.
 */
void altconn_scm_queue_detach(struct altconn_scm_queue *queue,
			      struct list_head *list)
{
	spin_lock(&queue->lock);
	list_splice_tail_init(&queue->list, list);
	WRITE_ONCE(queue->n, 0);
	spin_unlock(&queue->lock);
}

/**
 * altconn_scm_queue_cancel() - free the boundary of a write that failed
 * @queue: the ring's boundaries
 * @pos: position at which the write began. The ring is sealed, so no later
 *	write succeeds there
 *
 * Context: process, may sleep; the ring's write_lock is held.
 */
void altconn_scm_queue_cancel(struct altconn_scm_queue *queue, u32 pos)
{
	struct scm_boundary *b = NULL;

	spin_lock(&queue->lock);
	if (!list_empty(&queue->list))
		b = list_last_entry(&queue->list, struct scm_boundary, node);
	if (b && b->pos == pos) {
		list_del(&b->node);
		WRITE_ONCE(queue->n, queue->n - 1);
	} else {
		b = NULL;
	}
	spin_unlock(&queue->lock);
	if (b)
		scm_boundary_free(b);
}

/**
 * altconn_scm_queue_free() - free a ring's boundaries and their queue
 * @queue: the queue, which no other thread uses, or NULL
 *
 * Context: process, may sleep.
 */
void altconn_scm_queue_free(struct altconn_scm_queue *queue)
{
	struct scm_boundary *b, *next;

	if (!queue)
		return;
	list_for_each_entry_safe(b, next, &queue->list, node)
		scm_boundary_free(b);
	altconn_scm_cred_put(&queue->written);
	altconn_scm_cred_put(&queue->read);
	kfree(queue);
}

static struct altconn_scm_queue *scm_queue_new(void)
{
	struct altconn_scm_queue *queue = kzalloc(sizeof(*queue),
						  GFP_KERNEL_ACCOUNT);

	if (!queue)
		return NULL;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->list);
	return queue;
}

/*
 * Append a boundary for the @n bytes from @pos on. The descriptors move from
 * @scm to the boundary. Return 0, -EAGAIN or -ENOMEM.
 */
static int scm_boundary_add(struct altconn_scm_queue *queue, u32 pos, u32 n,
			    struct altconn_scm *scm, bool stamp)
{
	struct scm_boundary *b;

	if (READ_ONCE(queue->n) >= SCM_QUEUE_MAX)
		return -EAGAIN;
	b = kmalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	b->pos = pos;
	b->end = pos + n;
	b->scm.cred = altconn_scm_cred_get(&scm->cred);
	b->scm.parcel = scm->parcel;
	b->scm.stamp = stamp ? ktime_get_real() : 0;
	scm->parcel = NULL;
	altconn_scm_cred_put(&queue->written);
	queue->written = altconn_scm_cred_get(&scm->cred);
	spin_lock(&queue->lock);
	list_add_tail(&b->node, &queue->list);
	WRITE_ONCE(queue->n, queue->n + 1);
	spin_unlock(&queue->lock);
	return 0;
}

/**
 * altconn_scm_queue_has_space() - check whether a ring has few boundaries
 * @queue: the ring's boundaries
 *
 * Context: any.
 * Return: true if at most half of the boundaries that a ring may have are in
 * use, so that a writer that waits can go on; else false.
 */
bool altconn_scm_queue_has_space(const struct altconn_scm_queue *queue)
{
	return READ_ONCE(queue->n) <= SCM_QUEUE_MAX / 2;
}

/**
 * altconn_scm_queue_write() - store the ancillary data of bytes
 * @place: the ring's pointer to its boundaries, or to NULL: then the queue is
 *	allocated
 * @pos: position of the first byte, counted as ring->head. The bytes are not
 *	visible yet: the caller advances ring->head afterwards
 * @n: number of bytes
 * @scm: credentials and descriptors of the bytes, or NULL. The descriptors move
 *	to the ring
 * @stamp: store the current time too
 *
 * Bytes without descriptors and timestamp need no boundary if their credentials
 * are those of the byte before.
 *
 * Context: process, may sleep; the ring's write_lock is held.
 * Return: 0; -ENOMEM; -EAGAIN if the ring has too many boundaries. After an
 * error @scm is unchanged.
 */
int altconn_scm_queue_write(struct altconn_scm_queue **place, u32 pos, u32 n,
			    struct altconn_scm *scm, bool stamp)
{
	struct altconn_scm_queue *queue = *place;
	struct altconn_scm none = {};

	if (!scm)
		scm = &none;
	if (!queue) {
		queue = scm_queue_new();
		if (!queue)
			return -ENOMEM;
		/*
		 * Pairs with ring_load_scm_queue(): a reader that sees the
		 * pointer sees the queue initialized.
		 */
		smp_store_release(place, queue);
	}
	if (!scm->parcel && !stamp &&
	    altconn_scm_cred_equal(&scm->cred, &queue->written))
		return 0;
	return scm_boundary_add(queue, pos, n, scm, stamp);
}

/* Return whether position @a is before @b. Positions wrap around. */
static bool scm_pos_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/**
 * altconn_scm_queue_limit_read() - return how many bytes of a stream a read may
 * take
 * @queue: the ring's boundaries
 * @pos: position of the first byte
 * @n: number of bytes that are unread and wanted
 * @rx: state of this recvmsg()
 *
 * As with AF_UNIX, a recvmsg() ends behind the bytes to which descriptors
 * belong. With SO_PASSCRED, it also ends where other credentials begin.
 *
 * Context: process; the ring's read_lock is held.
 * Return: how many of the @n bytes may be read, or 0 if this recvmsg() must
 * return what it has.
 */
u32 altconn_scm_queue_limit_read(struct altconn_scm_queue *queue, u32 pos,
				 u32 n, const struct altconn_rx *rx)
{
	const struct altconn_cred *cred = &queue->read;
	struct scm_boundary *b;

	if (rx->stop)
		return 0;
	spin_lock(&queue->lock);
	list_for_each_entry(b, &queue->list, node) {
		if (scm_pos_before(pos, b->pos))
			break;
		cred = &b->scm.cred;
	}
	if (rx->passcred && rx->began &&
	    !altconn_scm_cred_equal(cred, &rx->scm.cred))
		n = 0;
	list_for_each_entry(b, &queue->list, node) {
		if (!scm_pos_before(b->pos, pos + n))
			break;
		if (rx->passcred && scm_pos_before(pos, b->pos) &&
		    !altconn_scm_cred_equal(cred, &b->scm.cred)) {
			n = b->pos - pos;
			break;
		}
		if (b->scm.parcel && scm_pos_before(pos, b->end)) {
			n = min(n, b->end - pos);
			break;
		}
	}
	spin_unlock(&queue->lock);
	return n;
}

/**
 * altconn_scm_queue_read() - receive the ancillary data of bytes that were read
 * @queue: the ring's boundaries
 * @pos: position of the first byte
 * @n: number of bytes: a whole record, or at most what
 *	altconn_scm_queue_limit_read() returned. If @n is 0, the credentials and
 *	descriptors of the byte at @pos are received, and the boundaries stay,
 *	without these descriptors
 * @rx: state of this recvmsg(). rx->scm gets the credentials of the first byte,
 *	unless rx->began is set, and the descriptors and the timestamp that
 *	belong to any of the bytes. rx->stop is set if there are descriptors
 * @peek: change nothing in the ring; descriptors are shared with it
 *
 * Context: process, may sleep; the ring's read_lock is held.
 */
void altconn_scm_queue_read(struct altconn_scm_queue *queue, u32 pos, u32 n,
			    struct altconn_rx *rx, bool peek)
{
	const struct altconn_cred *cred = &queue->read;
	struct scm_boundary *b, *next, *fds = NULL;
	struct altconn_cred old = {};
	LIST_HEAD(passed);

	/*
	 * Only the holder of read_lock removes boundaries of visible bytes. So
	 * the boundaries @cred and @fds stay after queue->lock is dropped.
	 */
	spin_lock(&queue->lock);
	list_for_each_entry_safe(b, next, &queue->list, node) {
		if (!scm_pos_before(b->pos, pos + (n ? : 1)))
			break;
		if (!scm_pos_before(pos, b->pos))
			cred = &b->scm.cred;
		if (b->scm.parcel && scm_pos_before(pos, b->end))
			fds = b;
		if (b->scm.stamp && scm_pos_before(pos, b->end))
			rx->scm.stamp = b->scm.stamp;
		if (peek || !n)
			continue;
		list_move_tail(&b->node, &passed);
		WRITE_ONCE(queue->n, queue->n - 1);
	}
	spin_unlock(&queue->lock);
	if (!rx->began)
		rx->scm.cred = altconn_scm_cred_get(cred);
	if (fds) {
		rx->stop = true;
		rx->scm.parcel = fds->scm.parcel;
		if (peek)
			altconn_scm_parcel_get(rx->scm.parcel);
		else
			fds->scm.parcel = NULL;
	}
	if (list_empty(&passed))
		return;
	swap(old, queue->read);
	b = list_last_entry(&passed, struct scm_boundary, node);
	queue->read = altconn_scm_cred_get(&b->scm.cred);
	altconn_scm_cred_put(&old);
	list_for_each_entry_safe(b, next, &passed, node)
		scm_boundary_free(b);
}
