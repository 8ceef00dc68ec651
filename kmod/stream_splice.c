// SPDX-License-Identifier: GPL-2.0
/*
 * splice(2) from a stream socket into a pipe. Pages that the peer has sent by
 * reference move into the pipe. Other bytes are copied into new pages, since
 * the ring's own memory never goes into a pipe.
 */

#include <linux/bvec.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uio.h>
#include "assoc.h"
#include "ring_pages.h"
#include "ring_read.h"
#include "scm.h"
#include "sock.h"
#include "stream.h"
#include "stream_splice.h"

/* Allocate pages for @len bytes. Return the number of pages, at most @max. */
static unsigned int stream_alloc_pages(struct bio_vec *bvec, size_t len,
				       unsigned int max)
{
	unsigned int i;

	for (i = 0; i < max && len; i++) {
		bvec[i].bv_page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);
		if (!bvec[i].bv_page)
			break;
		bvec[i].bv_offset = 0;
		bvec[i].bv_len = min_t(size_t, len, PAGE_SIZE);
		len -= bvec[i].bv_len;
	}
	return i;
}

/*
 * Put the first @len bytes of @n pages into a pipe, which has space for them and
 * a reader. The references to all pages are consumed, and the last piece in use
 * is shortened. Return @len.
 */
static ssize_t stream_fill_pipe(struct pipe_inode_info *pipe,
				struct bio_vec *bvec, unsigned int n, size_t len)
{
	unsigned int i, used = DIV_ROUND_UP(len, PAGE_SIZE);

	for (i = used; i < n; i++)
		put_page(bvec[i].bv_page);
	if (!used)
		return 0;
	bvec[used - 1].bv_len = len - (used - 1) * PAGE_SIZE;
	return altconn_ring_pages_to_pipe(pipe, bvec, used);
}

/*
 * Copy up to @len bytes from a ring into new pages, and put these into a pipe
 * that has space. Return the number of bytes, or an errno, as
 * altconn_ring_read().
 */
static ssize_t stream_splice_copy(struct altconn_ring *ring,
				  struct pipe_inode_info *pipe, size_t len,
				  struct altconn_rx *rx)
{
	unsigned int n, space = pipe->max_usage -
				pipe_occupancy(pipe->head, pipe->tail);
	struct bio_vec bvec[RING_PAGES_PIPE_MAX];
	struct iov_iter iter;
	ssize_t copied;

	n = stream_alloc_pages(bvec, len, min(space, RING_PAGES_PIPE_MAX));
	if (!n)
		return -ENOMEM;
	len = min_t(size_t, len, n * PAGE_SIZE);
	iov_iter_bvec(&iter, ITER_DEST, bvec, n, len);
	copied = altconn_ring_read(ring, &iter, len, false, rx);
	len = stream_fill_pipe(pipe, bvec, n, max_t(ssize_t, copied, 0));
	return copied > 0 ? len : copied;
}

/*
 * Move or copy unread bytes into a pipe that has space, at most @len. Return
 * their number, or -EAGAIN if there are none, or another errno.
 */
static ssize_t stream_splice_some(struct altconn_ring *ring,
				  struct pipe_inode_info *pipe, size_t len,
				  struct altconn_rx *rx)
{
	u32 bytes;
	ssize_t n = altconn_ring_splice(ring, pipe, len, rx, &bytes);

	return n ? : stream_splice_copy(ring, pipe, bytes, rx);
}

/* Move or copy bytes into a pipe that has space. Wait for bytes if needed. */
static ssize_t stream_splice_wait(struct sock *sk, const struct stream_conn *c,
				  struct pipe_inode_info *pipe, size_t len,
				  long timeo, struct altconn_rx *rx)
{
	bool last = false;
	ssize_t n;

	do {
		n = stream_splice_some(altconn_stream_in_ring(c), pipe, len, rx);
		if (n != -EAGAIN)
			break;
		n = altconn_stream_wait_for_data(sk, *c, &last, false, &timeo);
		if (n > 0)
			return 0;
	} while (!n);
	if (n > 0) {
		altconn_stream_wake_writer(c);
		sk_peek_offset_bwd(sk, n);
	}
	return n;
}

/**
 * altconn_stream_splice_read() - splice(2) from a stream socket
 * @sock: the socket
 * @ppos: file position, which must be 0
 * @pipe: the pipe. The core has checked that it has space and a reader
 * @len: most bytes to splice
 * @flags: SPLICE_F_NONBLOCK has an effect, as O_NONBLOCK
 *
 * As with AF_UNIX, descriptors that arrive with the bytes are closed, and other
 * users of the pipe wait while this call waits for data.
 *
 * Context: process, may sleep; the caller has locked @pipe.
 * Return:
 * * the number of bytes, or 0 if no more data will arrive;
 * * -EAGAIN: there was no data in time;
 * * -ESPIPE: *@ppos is not 0;
 * * -ENOMEM, and the errors of altconn_stream_recvmsg().
 */
ssize_t altconn_stream_splice_read(struct socket *sock, loff_t *ppos,
				   struct pipe_inode_info *pipe, size_t len,
				   unsigned int flags)
{
	bool nonblock = sock->file->f_flags & O_NONBLOCK ||
			flags & SPLICE_F_NONBLOCK;
	struct altconn_rx rx = { .passcred = sock_passcred(sock) };
	struct sock *sk = sock->sk;
	long timeo = sock_rcvtimeo(sk, nonblock);
	struct stream_conn c;
	ssize_t n;

	if (*ppos)
		return -ESPIPE;
	n = altconn_stream_get_assoc(sk, &c);
	if (n) {
		n = altconn_stream_wait_connected(sk, timeo, -ENOTCONN);
		if (!n)
			n = altconn_stream_get_assoc(sk, &c);
	}
	if (n)
		return n == -ENOTCONN &&
		       altconn_sk(sk)->format == ALTCONN_UNIX ? -EINVAL : n;
	if (len)
		n = stream_splice_wait(sk, &c, pipe, len, timeo, &rx);
	if (rx.scm.cred.pid || rx.scm.parcel)
		altconn_scm_destroy(&rx.scm);
	altconn_stream_put_assoc(&c);
	return n;
}
