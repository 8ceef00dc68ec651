/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_STREAM_POLL_H
#define _ALTCONN_STREAM_POLL_H

#include "altconn.h"

__poll_t altconn_stream_poll(struct file *file, struct socket *sock,
			     struct poll_table_struct *wait);

#endif /* _ALTCONN_STREAM_POLL_H */
