/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_POLL_H
#define _ALTCONN_DGRAM_POLL_H

#include "altconn.h"

__poll_t altconn_dgram_poll(struct file *file, struct socket *sock,
			    struct poll_table_struct *wait);

#endif /* _ALTCONN_DGRAM_POLL_H */
