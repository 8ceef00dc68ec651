// SPDX-License-Identifier: GPL-2.0
/*
 * What goes with the data of a ring. A ring knows no messages, so marks say from
 * which byte on whose credentials hold, and with which bytes descriptors go. A ring
 * without marks costs its reader and writer one look at a pointer.
 */

#include <linux/fdtable.h>
#include <linux/slab.h>
#include <net/scm.h>
#include "scm.h"
#include "scm_queue.h"

/* So many, then the buffer is full: they are not counted by the byte. */
#define MARKS_MAX	1024U

/**
 * struct mark - something begins at a byte
 * @node: in the buffer's list
 * @pos: which byte, as ring->head counts
 * @end: behind the last that came with it
 * @scm: credentials that hold from @pos on; descriptors and time of what is
 *	before @end
 *
 * Lifetime: made by the writer, freed by the reader that passes @pos.
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
 * altconn_marks_discard() - free marks that altconn_marks_empty() took
 * @list: of them
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
 * altconn_marks_empty() - take all marks out of a buffer
 * @marks: the ring's, which stay there without any
 * @list: gets them; the caller gives it to altconn_marks_discard()
 *
 * Context: any; both locks of the ring held.
 */
void altconn_marks_empty(struct altconn_marks *marks, struct list_head *list)
{
	spin_lock(&marks->lock);
	list_splice_tail_init(&marks->list, list);
	WRITE_ONCE(marks->n, 0);
	spin_unlock(&marks->lock);
}

/**
 * altconn_marks_cancel() - undo altconn_marks_write(): the bytes were not written
 * @marks: the ring's
 * @pos: of the first byte; nothing is ever written there
 *
 * Context: process, may sleep; the ring's write_lock held.
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
 * altconn_marks_free() - free a buffer's marks
 * @marks: nobody uses them; or NULL
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
 * altconn_marks_few() - may a writer go on?
 * @marks: the ring's
 *
 * Context: any.
 */
bool altconn_marks_few(const struct altconn_marks *marks)
{
	return READ_ONCE(marks->n) <= MARKS_MAX / 2;
}

/**
 * altconn_marks_write() - bytes with this are about to be visible
 * @place: the ring's pointer to its marks
 * @pos: the first byte, as ring->head counts
 * @n: how many
 * @scm: what goes with them, or NULL: nothing does. Descriptors move to the ring
 * @stamp: and the time
 *
 * Context: process, may sleep; the ring's write_lock held.
 * Return: 0; -ENOMEM; -EAGAIN: there are too many: @scm is as it was.
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
		/* Whole before a reader sees it; the bytes come later still. */
		smp_store_release(place, marks);
	}
	if (!scm->parcel && !stamp &&
	    altconn_scm_cred_equal(&scm->cred, &marks->written))
		return 0;
	return scm_add_mark(marks, pos, n, scm, stamp);
}

/* Does @a come before @b? */
static bool scm_mark_before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

/**
 * altconn_marks_bound() - how many bytes may be read in one go
 * @marks: the ring's
 * @pos: the first one
 * @n: how many there are and are wanted
 * @rx: of this recvmsg()
 *
 * A read ends behind the bytes that descriptors came with, and where other
 * credentials begin if the reader asks for them, as AF_UNIX's does.
 *
 * Context: process; the ring's read_lock held.
 * Return: how many of @n; 0: none, this recvmsg() has got what it can have.
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
 * altconn_marks_read() - bytes were read
 * @marks: the ring's
 * @pos: the first one
 * @n: how many; altconn_marks_bound() allowed them, or a record. 0: the marks stay,
 *	and only descriptors that came with the first byte are taken
 * @rx: of this recvmsg(); gets the first byte's credentials if they are the
 *	first, and the descriptors and the time that came with any
 * @peek: leave it all
 *
 * Context: process, may sleep; the ring's read_lock held.
 */
void altconn_marks_read(struct altconn_marks *marks, u32 pos, u32 n,
			struct altconn_rx *rx, bool peek)
{
	const struct altconn_cred *cred = &marks->read;
	struct mark *mark, *next, *fds = NULL;
	struct altconn_cred old = {};
	LIST_HEAD(passed);

	/* The reader alone takes marks out: they stay while it looks. */
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
