// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials, descriptors and timestamps go with the data of a ring. A ring
 * keeps no message boundaries in a stream. So marks say from which byte on the
 * credentials of a sender hold, and with which bytes descriptors go. A ring
 * without marks costs its reader and its writer one load of a pointer.
 */

#include <linux/fdtable.h>
#include <linux/slab.h>
#include <net/scm.h>
#include "scm.h"
#include "scm_queue.h"

/* A ring with this many marks is full, since marks do not count as bytes. */
#define MARKS_MAX	1024U

/**
 * struct mark - credentials, descriptors or a time that begin at a byte
 * @node: in the list of the ring's marks
 * @pos: position of the first byte, as ring->head counts
 * @end: position behind the last byte of the write that made the mark
 * @scm: credentials, which hold from @pos up to the next mark; descriptors and
 *	time, which go with the bytes before @end
 *
 * Lifetime: the writer allocates the mark. The reader frees it when it reads
 * the byte at @pos. If that byte is never read, the mark is freed when the
 * write is undone or when the ring is purged or freed.
 */
struct mark {
	struct list_head	node;
	u32			pos;
	u32			end;
	struct altconn_scm	scm;
};

static void scm_free_mark(struct mark *mark)
{
	altconn_scm_destroy(&mark->scm);
	kfree(mark);
}

/**
 * altconn_marks_discard() - free marks that altconn_marks_empty() has taken
 * @list: the marks
 *
 * Context: process, may sleep.
 */
void altconn_marks_discard(struct list_head *list)
{
	struct mark *mark, *next;

	list_for_each_entry_safe(mark, next, list, node)
		scm_free_mark(mark);
}

/**
 * altconn_marks_empty() - take all marks out of a ring
 * @marks: the ring's marks; the structure stays with the ring
 * @list: gets the marks; the caller passes it to altconn_marks_discard()
 *
 * Context: any; both locks of the ring are held.
 */
void altconn_marks_empty(struct altconn_marks *marks, struct list_head *list)
{
	spin_lock(&marks->lock);
	list_splice_tail_init(&marks->list, list);
	WRITE_ONCE(marks->n, 0);
	spin_unlock(&marks->lock);
}

/**
 * altconn_marks_cancel() - undo altconn_marks_write() for bytes not written
 * @marks: the ring's marks
 * @pos: position of the first of the bytes; the ring is sealed, so nothing is
 *	ever written there
 *
 * Context: process, may sleep; the ring's write_lock is held.
 */
void altconn_marks_cancel(struct altconn_marks *marks, u32 pos)
{
	struct mark *mark = NULL;

	spin_lock(&marks->lock);
	if (!list_empty(&marks->list))
		mark = list_last_entry(&marks->list, struct mark, node);
	if (mark && mark->pos == pos) {
		list_del(&mark->node);
		WRITE_ONCE(marks->n, marks->n - 1);
	} else {
		mark = NULL;
	}
	spin_unlock(&marks->lock);
	if (mark)
		scm_free_mark(mark);
}

/**
 * altconn_marks_free() - free a ring's marks
 * @marks: the ring's marks, which no other thread uses, or NULL
 *
 * Context: process, may sleep.
 */
void altconn_marks_free(struct altconn_marks *marks)
{
	struct mark *mark, *next;

	if (!marks)
		return;
	list_for_each_entry_safe(mark, next, &marks->list, node)
		scm_free_mark(mark);
	altconn_scm_cred_put(&marks->written);
	altconn_scm_cred_put(&marks->read);
	kfree(marks);
}

static struct altconn_marks *scm_new_marks(void)
{
	struct altconn_marks *marks = kzalloc(sizeof(*marks),
					      GFP_KERNEL_ACCOUNT);

	if (!marks)
		return NULL;
	spin_lock_init(&marks->lock);
	INIT_LIST_HEAD(&marks->list);
	return marks;
}

/*
 * Append a mark for the bytes from @pos to @pos + @n. The mark takes the
 * descriptors out of @scm.
 */
static int scm_add_mark(struct altconn_marks *marks, u32 pos, u32 n,
			struct altconn_scm *scm, bool stamp)
{
	struct mark *mark;

	if (READ_ONCE(marks->n) >= MARKS_MAX)
		return -EAGAIN;
	mark = kmalloc(sizeof(*mark), GFP_KERNEL_ACCOUNT);
	if (!mark)
		return -ENOMEM;
	mark->pos = pos;
	mark->end = pos + n;
	mark->scm.cred = altconn_scm_cred_get(&scm->cred);
	mark->scm.parcel = scm->parcel;
	mark->scm.stamp = stamp ? ktime_get_real() : 0;
	scm->parcel = NULL;
	altconn_scm_cred_put(&marks->written);
	marks->written = altconn_scm_cred_get(&scm->cred);
	spin_lock(&marks->lock);
	list_add_tail(&mark->node, &marks->list);
	WRITE_ONCE(marks->n, marks->n + 1);
	spin_unlock(&marks->lock);
	return 0;
}

/**
 * altconn_marks_few() - check whether a ring has few marks
 * @marks: the ring's marks
 *
 * Context: any.
 * Return: true if the marks leave room for a waiting writer, else false.
 */
bool altconn_marks_few(const struct altconn_marks *marks)
{
	return READ_ONCE(marks->n) <= MARKS_MAX / 2;
}

/**
 * altconn_marks_write() - record what goes with bytes that become visible next
 * @place: the ring's pointer to its marks
 * @pos: position of the first byte, as ring->head counts
 * @n: number of bytes
 * @scm: credentials and descriptors that go with the bytes, or NULL. The
 *	descriptors move to the ring
 * @stamp: record the current time too
 *
 * Context: process, may sleep; the ring's write_lock is held.
 * Return: 0. After an error @scm is unchanged: -ENOMEM; -EAGAIN: the ring has
 * too many marks.
 */
int altconn_marks_write(struct altconn_marks **place, u32 pos, u32 n,
			struct altconn_scm *scm, bool stamp)
{
	struct altconn_marks *marks = *place;
	struct altconn_scm none = {};

	if (!scm)
		scm = &none;
	if (!marks) {
		marks = scm_new_marks();
		if (!marks)
			return -ENOMEM;
		/*
		 * Pairs with ring_marks_of(): a reader sees the structure
		 * initialized. The bytes become visible later still.
		 */
		smp_store_release(place, marks);
	}
	if (!scm->parcel && !stamp &&
	    altconn_scm_cred_equal(&scm->cred, &marks->written))
		return 0;
	return scm_add_mark(marks, pos, n, scm, stamp);
}

/* Return whether position @a is before @b. Positions wrap around. */
static bool scm_mark_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/**
 * altconn_marks_bound() - return how many bytes one read may return
 * @marks: the ring's marks
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
u32 altconn_marks_bound(struct altconn_marks *marks, u32 pos, u32 n,
			const struct altconn_rx *rx)
{
	const struct altconn_cred *cred = &marks->read;
	struct mark *mark;

	if (rx->stop)
		return 0;
	spin_lock(&marks->lock);
	list_for_each_entry(mark, &marks->list, node) {
		if (scm_mark_before(pos, mark->pos))
			break;
		cred = &mark->scm.cred;
	}
	if (rx->passcred && rx->began &&
	    !altconn_scm_cred_equal(cred, &rx->scm.cred))
		n = 0;
	list_for_each_entry(mark, &marks->list, node) {
		if (!scm_mark_before(mark->pos, pos + n))
			break;
		if (rx->passcred && scm_mark_before(pos, mark->pos) &&
		    !altconn_scm_cred_equal(cred, &mark->scm.cred)) {
			n = mark->pos - pos;
			break;
		}
		if (mark->scm.parcel && scm_mark_before(pos, mark->end)) {
			n = min(n, mark->end - pos);
			break;
		}
	}
	spin_unlock(&marks->lock);
	return n;
}

/**
 * altconn_marks_read() - take what goes with bytes that were read
 * @marks: the ring's marks
 * @pos: position of the first byte
 * @n: number of bytes: a record, or what altconn_marks_bound() allowed. With 0
 *	the marks stay, and only credentials and descriptors of the first byte
 *	are taken
 * @rx: state of this recvmsg(); gets the credentials of the first byte if the
 *	call has none yet, and the descriptors and the time of any of the bytes
 * @peek: leave everything in the ring
 *
 * Context: process, may sleep; the ring's read_lock is held.
 */
void altconn_marks_read(struct altconn_marks *marks, u32 pos, u32 n,
			struct altconn_rx *rx, bool peek)
{
	const struct altconn_cred *cred = &marks->read;
	struct mark *mark, *next, *fds = NULL;
	struct altconn_cred old = {};
	LIST_HEAD(passed);

	/*
	 * Only the reader removes marks of visible bytes, so that the marks
	 * found here stay after the lock is dropped.
	 */
	spin_lock(&marks->lock);
	list_for_each_entry_safe(mark, next, &marks->list, node) {
		if (!scm_mark_before(mark->pos, pos + (n ? : 1)))
			break;
		if (!scm_mark_before(pos, mark->pos))
			cred = &mark->scm.cred;
		if (mark->scm.parcel && scm_mark_before(pos, mark->end))
			fds = mark;
		if (mark->scm.stamp && scm_mark_before(pos, mark->end))
			rx->scm.stamp = mark->scm.stamp;
		if (peek || !n)
			continue;
		list_move_tail(&mark->node, &passed);
		WRITE_ONCE(marks->n, marks->n - 1);
	}
	spin_unlock(&marks->lock);
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
	swap(old, marks->read);
	mark = list_last_entry(&passed, struct mark, node);
	marks->read = altconn_scm_cred_get(&mark->scm.cred);
	altconn_scm_cred_put(&old);
	list_for_each_entry_safe(mark, next, &passed, node)
		scm_free_mark(mark);
}
