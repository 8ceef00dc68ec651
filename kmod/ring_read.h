/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_RING_READ_H
#define _ALTCONN_RING_READ_H

#include "altconn.h"

struct altconn_ring;
struct altconn_rx;
struct pipe_inode_info;

ssize_t altconn_ring_read(struct altconn_ring *ring, struct iov_iter *to,
			  size_t len, bool peek, struct altconn_rx *rx);
ssize_t altconn_ring_splice(struct altconn_ring *ring,
			    struct pipe_inode_info *pipe, size_t len,
			    struct altconn_rx *rx, u32 *bytes);
ssize_t altconn_ring_read_record(struct altconn_ring *ring, struct iov_iter *to,
				 size_t len, bool peek, struct altconn_rx *rx,
				 size_t *record);

#endif /* _ALTCONN_RING_READ_H */
