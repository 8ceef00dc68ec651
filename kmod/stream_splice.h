/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STREAM_SPLICE_H
#define _ALTCONN_STREAM_SPLICE_H

#include "altconn.h"

struct pipe_inode_info;

ssize_t altconn_stream_splice_read(struct socket *sock, loff_t *ppos,
				   struct pipe_inode_info *pipe, size_t len,
				   unsigned int flags);

#endif /* _ALTCONN_STREAM_SPLICE_H */
