// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials, descriptors and timestamps go with the data of a ring. A ring
 * keeps no message boundaries in a stream. So boundaries say from which byte on
 * the credentials of a sender hold, and with which bytes descriptors go. A ring
 * without boundaries costs its reader and its writer one load of a pointer.
 */

#include <linux/fdtable.h>
#include <linux/slab.h>
#include <net/scm.h>
#include "scm.h"
#include "scm_queue.h"

/* A ring with this many boundaries is full, since boundaries do not count as bytes. */
#define SCM_QUEUE_MAX	1024U

/**
 * struct scm_boundary - credentials, descriptors or a time that begin at a byte
 * @node: in the list of the ring's boundaries
 * @pos: position of the first byte, as ring->head counts
 * @end: position behind the last byte of the write that made the boundary
 * @scm: credentials, which hold from @pos up to the next boundary; descriptors
 *	and time, which go with the bytes before @end
 *
 * Lifetime: the writer allocates the boundary. The reader frees it when it
 * reads the byte at @pos. If that byte is never read, the boundary is freed
 * when the write is undone or when the ring is purged or freed.
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
 * altconn_scm_queue_free_list() - free boundaries that
 * altconn_scm_queue_detach() has taken
 * @list: the boundaries
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
 * @queue: the ring's boundaries; the structure stays with the ring
 * @list: gets the boundaries; the caller passes it to
 *	altconn_scm_queue_free_list()
 *
 * Context: any; both locks of the ring are held.
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
 * altconn_scm_queue_cancel() - undo altconn_scm_queue_write() for bytes not
 * written
 * @queue: the ring's boundaries
 * @pos: position of the first of the bytes; the ring is sealed, so nothing is
 *	ever written there
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
 * altconn_scm_queue_free() - free a ring's boundaries
 * @queue: the ring's boundaries, which no other thread uses, or NULL
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
 * Append a boundary for the bytes from @pos to @pos + @n. The boundary takes
 * the descriptors out of @scm.
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
 * Return: true if the boundaries leave room for a waiting writer, else false.
 */
bool altconn_scm_queue_has_space(const struct altconn_scm_queue *queue)
{
	return READ_ONCE(queue->n) <= SCM_QUEUE_MAX / 2;
}

/**
 * altconn_scm_queue_write() - record what goes with bytes that become visible
 * next
 * @place: the ring's pointer to its boundaries
 * @pos: position of the first byte, as ring->head counts
 * @n: number of bytes
 * @scm: credentials and descriptors that go with the bytes, or NULL. The
 *	descriptors move to the ring
 * @stamp: record the current time too
 *
 * Context: process, may sleep; the ring's write_lock is held.
 * Return: 0. After an error @scm is unchanged: -ENOMEM; -EAGAIN: the ring has
 * too many boundaries.
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
		 * Pairs with ring_scm_of(): a reader sees the structure
		 * initialized. The bytes become visible later still.
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
 * altconn_scm_queue_bound() - return how many bytes one read may return
 * @queue: the ring's boundaries
 * @pos: position of the first byte
 * @n: number of bytes that are there and wanted
 * @rx: state of this recvmsg()
 *
 * As with AF_UNIX, a read ends behind the bytes that descriptors go with. A
 * read also ends where other credentials begin, if the reader asks for
 * credentials.
 *
 * Context: process; the ring's read_lock is held.
 * Return: how many of the @n bytes may be read; 0: this recvmsg() is complete.
 */
u32 altconn_scm_queue_bound(struct altconn_scm_queue *queue, u32 pos, u32 n,
			    const struct altconn_rx *rx)
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
 * altconn_scm_queue_read() - take what goes with bytes that were read
 * @queue: the ring's boundaries
 * @pos: position of the first byte
 * @n: number of bytes: a record, or what altconn_scm_queue_bound() allowed.
 *	With 0 the boundaries stay, and only credentials and descriptors of the
 *	first byte are taken
 * @rx: state of this recvmsg(); gets the credentials of the first byte if the
 *	call has none yet, and the descriptors and the time of any of the bytes
 * @peek: leave everything in the ring
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
	 * Only the reader removes boundaries of visible bytes, so that the
	 * boundaries found here stay after the lock is dropped.
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
