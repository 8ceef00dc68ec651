/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_RING_WRITE_H
#define _ALTCONN_RING_WRITE_H

#include "altconn.h"

struct altconn_ring;
struct altconn_scm;

ssize_t altconn_ring_write(struct altconn_ring *ring, struct iov_iter *from,
			   size_t len, u32 limit, struct altconn_scm *scm);
ssize_t altconn_ring_write_pages(struct altconn_ring *ring,
				 const struct iov_iter *from, size_t len,
				 u32 limit, struct altconn_scm *scm, bool more);
ssize_t altconn_ring_write_record(struct altconn_ring *ring,
				  struct iov_iter *from, size_t len, u32 limit,
				  struct altconn_scm *scm, bool stamp,
				  bool eor);

#endif /* _ALTCONN_RING_WRITE_H */
