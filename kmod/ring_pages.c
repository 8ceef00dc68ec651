// SPDX-License-Identifier: GPL-2.0
/*
 * References to pages: bytes of a stream that sendfile() and splice() put into
 * a ring without a copy (ring.c). A reader copies the bytes, or moves the
 * references into a pipe. stream_splice.c also puts the copies of other bytes
 * into a pipe by a function of this file.
 *
 * A reference pins the whole folio that the page belongs to, however few of its
 * bytes are unread. So each reference is charged the size of its folio: to the
 * ring, which may pin no more than SO_SNDBUF, and to the user that has sent the
 * page (payer.c), which may pin no more than RLIMIT_MEMLOCK. If a limit does
 * not allow a reference, the bytes are copied.
 */

#include <linux/bvec.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "payer.h"
#include "ring.h"
#include "ring_pages.h"

/*
 * Shorter pieces of a page are copied: the copy costs less than the reference,
 * and pins nothing.
 */
#define PAGES_PIECE_MIN	512U

/* Return the next index, which wraps around. */
static u32 pages_index_after(u32 at)
{
	return at + 1 < RING_PAGES_REFS ? at + 1 : 0;
}

/**
 * altconn_ring_pages_init() - turn an empty segment into one for pages
 * @seg: result of altconn_ring_alloc_segment(RING_PAGES_SIZE)
 * @pos: position in the ring of the first byte
 *
 * Pages that are added are charged to the user of the calling process.
 *
 * Context: process, may sleep.
 * Return: 0; altconn_ring_pages_destroy() undoes the call. -ENOMEM.
 */
int altconn_ring_pages_init(struct altconn_segment *seg, u32 pos)
{
	struct altconn_page_queue *queue = altconn_ring_page_queue(seg);

	queue->payer = altconn_payer_get(ALTCONN_PAYER_IDLE,
					 altconn_payer_key(current_cred()));
	if (!queue->payer)
		return -ENOMEM;
	queue->cred = get_current_cred();
	queue->first_pos = pos;
	queue->first = 0;
	queue->next = 0;
	seg->size = 0;
	return 0;
}

/**
 * altconn_ring_pages_fit() - check whether the calling process can add
 *	references to a segment
 * @seg: the newest segment, with pages
 *
 * All references of a segment are charged to one user. The segment has a
 * reference to the credentials of its sender, so an equal pointer means the
 * same user.
 *
 * Context: process; the ring's write_lock held.
 * Return: true if there is an unused entry, and the credentials of the process
 * are those of the segment; else false.
 */
bool altconn_ring_pages_fit(const struct altconn_segment *seg)
{
	const struct altconn_page_queue *queue = altconn_ring_page_queue(seg);
	u32 first;

	if (queue->cred != current_cred())
		return false;
	/* Pairs with pages_drop_first(): the reader uses the entry no more. */
	first = smp_load_acquire(&queue->first);
	return pages_index_after(queue->next) != first;
}

/*
 * Describe the bytes of @bvec from the offset @skip on, at most @len, as bytes
 * of one page. Return their number. Return 0 if the bytes must be copied: there
 * are fewer than PAGES_PIECE_MIN, sendpage_ok() forbids a reference (slab
 * memory), or the folio is too large for ref->charge.
 */
static __always_inline u32 pages_describe(const struct bio_vec *bvec,
					  size_t skip, size_t len,
					  struct altconn_page_ref *ref)
{
	size_t at = bvec->bv_offset + skip;
	struct page *page = bvec->bv_page + (at >> PAGE_SHIFT);
	unsigned long charge = folio_nr_pages(page_folio(page));
	size_t n = min3(len, (size_t)(bvec->bv_len - skip),
			(size_t)(PAGE_SIZE - offset_in_page(at)));

	if (n < PAGES_PIECE_MIN || charge > U16_MAX || !sendpage_ok(page))
		return 0;
	*ref = (struct altconn_page_ref) {
		.page = page, .len = n, .offset = offset_in_page(at),
		.charge = charge,
	};
	return n;
}

/* Check whether the bytes of @b follow those of @a in the same folio. */
static bool pages_adjoin(const struct altconn_page_ref *a,
			 const struct altconn_page_ref *b)
{
	size_t end = a->offset + a->len;

	return compound_head(a->page) == compound_head(b->page) &&
	       a->page + (end >> PAGE_SHIFT) == b->page &&
	       offset_in_page(end) == b->offset;
}

/**
 * altconn_ring_pages_possible() - check whether the next bytes can be written
 *	by reference
 * @from: the bytes
 * @len: most bytes to write; not 0
 * @space: number of pages that the references may pin
 *
 * Context: any.
 * Return: true if altconn_ring_pages_add() adds a reference to a segment with
 * an unused entry, else false.
 */
bool altconn_ring_pages_possible(const struct iov_iter *from, size_t len,
				 u32 space)
{
	struct altconn_page_ref ref;

	return iov_iter_is_bvec(from) &&
	       pages_describe(from->bvec, from->iov_offset, len, &ref) &&
	       ref.charge <= space;
}

/**
 * altconn_ring_pages_add() - add references to a segment
 * @seg: the segment, which has an unused entry
 * @from: a bvec with pages that the caller has references to. An iterator of
 *	another kind gets no reference. Not advanced
 * @len: most bytes to add; not 0
 * @space: number of pages that the references may pin
 * @charge: set to the number of pages that they pin
 *
 * Bytes of one folio that follow each other get one reference.
 *
 * Context: process; the ring's write_lock held.
 * Return: number of bytes that got a reference, which may be 0. They are not
 * visible to readers until the caller advances the ring's head.
 */
u32 altconn_ring_pages_add(struct altconn_segment *seg,
			   const struct iov_iter *from, size_t len, u32 space,
			   u32 *charge)
{
	struct altconn_page_queue *queue = altconn_ring_page_queue(seg);
	/* Pairs with pages_drop_first(), as in altconn_ring_pages_fit(). */
	u32 first = smp_load_acquire(&queue->first), done = 0, n;
	struct altconn_page_ref ref, *last = NULL;
	const struct bio_vec *bvec = from->bvec;
	size_t skip = from->iov_offset;

	*charge = 0;
	/*
	 * A send() with MSG_SPLICE_PAGES has user memory here: a kernel before
	 * 6.5 may pass this flag on.
	 */
	if (!iov_iter_is_bvec(from))
		return 0;
	while (done < len) {
		n = pages_describe(bvec, skip, len - done, &ref);
		if (!n)
			break;
		if (last && pages_adjoin(last, &ref)) {
			last->len += n;
		} else {
			if (ref.charge > space - *charge ||
			    pages_index_after(queue->next) == first)
				break;
			folio_get(page_folio(ref.page));
			last = &queue->refs[queue->next];
			*last = ref;
			*charge += ref.charge;
			queue->next = pages_index_after(queue->next);
		}
		done += n;
		skip += n;
		if (skip == bvec->bv_len) {
			bvec++;
			skip = 0;
		}
	}
	return done;
}

/**
 * altconn_ring_pages_cancel() - take back altconn_ring_pages_add()
 * @seg: the segment
 * @mark: index of the first reference that altconn_ring_pages_add() has added
 *
 * Context: process; the ring's write_lock held since altconn_ring_pages_add(),
 * and the references are not visible to readers.
 */
void altconn_ring_pages_cancel(struct altconn_segment *seg, u16 mark)
{
	struct altconn_page_queue *queue = altconn_ring_page_queue(seg);
	u32 at;

	for (at = mark; at != queue->next; at = pages_index_after(at))
		put_page(queue->refs[at].page);
	queue->next = mark;
}

/* Drop the oldest reference, and return the number of pages that it pinned. */
static u32 pages_drop_first(struct altconn_page_queue *queue)
{
	const struct altconn_page_ref *ref = &queue->refs[queue->first];
	u32 charge = ref->charge;

	put_page(ref->page);
	queue->first_pos += ref->len;
	/* Pairs with altconn_ring_pages_add(), which may reuse the entry. */
	smp_store_release(&queue->first, pages_index_after(queue->first));
	return charge;
}

/**
 * altconn_ring_pages_drop() - drop the references to bytes that have been read
 * @seg: the segment
 * @pos: position of the next byte to read, which is in @seg or at its end
 *
 * Context: process; the ring's read_lock held.
 * Return: number of pages that are pinned no more.
 */
u32 altconn_ring_pages_drop(struct altconn_segment *seg, u32 pos)
{
	struct altconn_page_queue *queue = altconn_ring_page_queue(seg);
	u32 charge = 0;

	while (queue->first_pos != pos &&
	       pos - queue->first_pos >= queue->refs[queue->first].len)
		charge += pages_drop_first(queue);
	altconn_payer_unpin(queue->payer, charge);
	return charge;
}

/**
 * altconn_ring_pages_destroy() - drop the references of a segment
 * @seg: the segment, which the caller frees
 *
 * Context: process; no other thread uses the segment.
 * Return: number of pages that are pinned no more.
 */
u32 altconn_ring_pages_destroy(struct altconn_segment *seg)
{
	struct altconn_page_queue *queue = altconn_ring_page_queue(seg);
	u32 charge = 0;

	while (queue->first != queue->next)
		charge += pages_drop_first(queue);
	altconn_payer_unpin(queue->payer, charge);
	put_cred(queue->cred);
	return charge;
}

/*
 * Return the reference to the unread byte at @pos. The search begins at the
 * reference that the last call has returned.
 */
static const struct altconn_page_ref *
pages_find(struct altconn_page_cursor *c, const struct altconn_segment *seg,
	   u32 pos)
{
	const struct altconn_page_queue *queue = altconn_ring_page_queue(seg);

	if (c->seg != seg) {
		c->seg = seg;
		c->at = queue->first;
		c->pos = queue->first_pos;
	}
	while (pos - c->pos >= queue->refs[c->at].len) {
		c->pos += queue->refs[c->at].len;
		c->at = pages_index_after(c->at);
	}
	return &queue->refs[c->at];
}

/**
 * altconn_ring_pages_copy() - copy unread bytes of one reference
 * @c: the reference in which this read continues; all zero at first
 * @seg: the segment
 * @pos: position of the first byte
 * @to: memory for the bytes; advanced by what is copied
 * @n: most bytes to copy, which are unread; set to the number that can be
 *	copied at once, if that is less
 *
 * Context: process; the ring's read_lock held. Page faults are not handled.
 * Return: bytes copied; less than *@n if a page of user memory is not present.
 */
u32 altconn_ring_pages_copy(struct altconn_page_cursor *c,
			    const struct altconn_segment *seg, u32 pos,
			    struct iov_iter *to, u32 *n)
{
	const struct altconn_page_ref *ref = pages_find(c, seg, pos);
	size_t at = ref->offset + (pos - c->pos);
	char *bytes;
	u32 done;

	*n = min(*n, ref->len - (pos - c->pos));
	/* The pages of a folio may be mapped one by one. */
	if (IS_ENABLED(CONFIG_HIGHMEM) ||
	    IS_ENABLED(CONFIG_DEBUG_KMAP_LOCAL_FORCE_MAP))
		*n = min_t(u32, *n, PAGE_SIZE - offset_in_page(at));
	bytes = kmap_local_page(ref->page + (at >> PAGE_SHIFT));
	pagefault_disable();
	/* As in ring_copy_out_piece(), no check of hardened usercopy. */
	done = _copy_to_iter(bytes + offset_in_page(at), *n, to);
	pagefault_enable();
	kunmap_local(bytes);
	return done;
}

static void pages_spd_release(struct splice_pipe_desc *spd, unsigned int i)
{
	put_page(spd->pages[i]);
}

/**
 * altconn_ring_pages_to_pipe() - put pieces of pages into a pipe
 * @pipe: the pipe
 * @bvec: the pieces, each within one page. The caller has a reference to the
 *	page for each piece. It moves to the pipe, or is dropped if the pipe has
 *	no space for the piece
 * @n: number of pieces, at most RING_PAGES_PIPE_MAX and not 0
 *
 * A page that was sent by reference may still belong to its sender or to a
 * file, so the pipe must not steal it (nosteal_pipe_buf_ops). splice_to_pipe()
 * clears the flags of the pipe's buffers, so no write() to the pipe changes a
 * page.
 *
 * Context: process; the ring's read_lock may be held. The caller has locked
 * @pipe.
 * Return: number of bytes, which may be fewer than @bvec has; -EAGAIN if the
 * pipe is full; -EPIPE, with SIGPIPE, if the pipe has no reader.
 */
ssize_t altconn_ring_pages_to_pipe(struct pipe_inode_info *pipe,
				   const struct bio_vec *bvec, unsigned int n)
{
	struct page *pages[RING_PAGES_PIPE_MAX];
	struct partial_page partial[RING_PAGES_PIPE_MAX] = {};
	struct splice_pipe_desc spd = {
		.pages = pages,
		.partial = partial,
		.nr_pages = n,
		.nr_pages_max = RING_PAGES_PIPE_MAX,
		.ops = &nosteal_pipe_buf_ops,
		.spd_release = pages_spd_release,
	};
	unsigned int i;

	for (i = 0; i < n; i++) {
		pages[i] = bvec[i].bv_page;
		partial[i].offset = bvec[i].bv_offset;
		partial[i].len = bvec[i].bv_len;
	}
	return splice_to_pipe(pipe, &spd);
}

/**
 * altconn_ring_pages_splice() - put references to unread bytes into a pipe
 * @seg: the segment
 * @pos: position of the first byte
 * @len: most bytes, which are unread and in @seg; not 0
 * @pipe: the pipe, which gets references of its own
 *
 * Context: process; the ring's read_lock held. The caller has locked @pipe.
 * Return: see altconn_ring_pages_to_pipe().
 */
ssize_t altconn_ring_pages_splice(const struct altconn_segment *seg, u32 pos,
				  size_t len, struct pipe_inode_info *pipe)
{
	struct bio_vec bvec[RING_PAGES_PIPE_MAX];
	struct altconn_page_cursor c = {};
	unsigned int i;

	for (i = 0; i < RING_PAGES_PIPE_MAX && len; i++) {
		const struct altconn_page_ref *ref = pages_find(&c, seg, pos);
		size_t at = ref->offset + (pos - c.pos);
		size_t n = min3(len, (size_t)(ref->len - (pos - c.pos)),
				(size_t)(PAGE_SIZE - offset_in_page(at)));

		bvec[i].bv_page = ref->page + (at >> PAGE_SHIFT);
		bvec[i].bv_offset = offset_in_page(at);
		bvec[i].bv_len = n;
		get_page(bvec[i].bv_page);
		pos += n;
		len -= n;
	}
	return altconn_ring_pages_to_pipe(pipe, bvec, i);
}
