/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_RING_PAGES_H
#define _ALTCONN_RING_PAGES_H

#include "ring.h"

struct altconn_payer;
struct bio_vec;
struct pipe_inode_info;

/**
 * struct altconn_page_ref - a reference to bytes of a folio
 * @page: the page with the first byte; the reference pins its folio
 * @len: number of bytes, which may reach into further pages of the folio
 * @offset: offset of the first byte in @page
 * @charge: size of the folio, in pages
 */
struct altconn_page_ref {
	struct page	*page;
	u32		len;
	u16		offset;
	u16		charge;
};

/**
 * struct altconn_page_queue - the references of a segment with pages
 * @cred: credentials of the sender of the pages, a reference
 * @payer: the user with these credentials, which is charged for the pages
 * @first_pos: position in the ring of the first byte of refs[first]; the ring's
 *	read_lock
 * @first: index of the oldest reference; stored under the ring's read_lock,
 *	with release
 * @next: index of the next reference to add; the ring's write_lock
 * @refs: the references, a circular buffer. It is empty if @first is @next, so
 *	one entry is never used
 *
 * Lifetime: the structure is the data of a segment with pages, and is freed
 * with this segment.
 */
struct altconn_page_queue {
	const struct cred	*cred;
	struct altconn_payer	*payer;
	u32			first_pos;
	u16			first;
	u16			next;
	struct altconn_page_ref	refs[];
};

/* Bytes of a segment with pages, header included. */
#define RING_PAGES_SIZE	1024U

/* Number of entries in the references of a segment. */
#define RING_PAGES_REFS							\
	((RING_PAGES_SIZE - RING_SEGMENT_HEAD -				\
	  sizeof(struct altconn_page_queue)) /				\
	 sizeof(struct altconn_page_ref))

/* Maximum number of pieces, each within one page, in one call. */
#define RING_PAGES_PIPE_MAX	16U

/**
 * struct altconn_page_cursor - the reference in which a read continues
 * @seg: the segment that @at belongs to, or NULL at the beginning of a read
 * @at: index of the reference
 * @pos: position in the ring of the first byte of the reference
 */
struct altconn_page_cursor {
	const struct altconn_segment	*seg;
	u32				at;
	u32				pos;
};

int altconn_ring_pages_init(struct altconn_segment *seg, u32 pos);
bool altconn_ring_pages_fit(const struct altconn_segment *seg);
bool altconn_ring_pages_possible(const struct iov_iter *from, size_t len,
				 u32 space);
u32 altconn_ring_pages_add(struct altconn_segment *seg,
			   const struct iov_iter *from, size_t len, u32 space,
			   u32 *charge);
void altconn_ring_pages_cancel(struct altconn_segment *seg, u16 mark);
u32 altconn_ring_pages_drop(struct altconn_segment *seg, u32 pos);
u32 altconn_ring_pages_destroy(struct altconn_segment *seg);
u32 altconn_ring_pages_copy(struct altconn_page_cursor *c,
			    const struct altconn_segment *seg, u32 pos,
			    struct iov_iter *to, u32 *n);
ssize_t altconn_ring_pages_to_pipe(struct pipe_inode_info *pipe,
				   const struct bio_vec *bvec, unsigned int n);
ssize_t altconn_ring_pages_splice(const struct altconn_segment *seg, u32 pos,
				  size_t len, struct pipe_inode_info *pipe);

/**
 * altconn_ring_page_queue() - return the references of a segment with pages
 * @seg: the segment; its size is 0
 *
 * Context: any.
 * Return: the references, which belong to the segment.
 */
static inline struct altconn_page_queue *
altconn_ring_page_queue(const struct altconn_segment *seg)
{
	return (struct altconn_page_queue *)seg->data;
}

#endif /* _ALTCONN_RING_PAGES_H */
