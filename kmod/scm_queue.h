/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SCM_QUEUE_H
#define _ALTCONN_SCM_QUEUE_H

#include "altconn.h"
#include "scm.h"

/**
 * struct altconn_scm_queue - the boundaries of a ring, see scm_queue.c
 * @lock: protects @list and @n; taken inside the ring's locks
 * @list: the boundaries, in the order of their positions
 * @n: number of boundaries
 * @written: credentials of the last byte written; the ring's write_lock
 * @read: credentials of the next byte to read, unless a boundary begins there;
 *	the ring's read_lock
 *
 * Lifetime: the ring owns the structure. A writer allocates it when ancillary
 * data is first written, and it is freed with the ring.
 */
struct altconn_scm_queue {
	spinlock_t		lock;		/* list, n */
	struct list_head	list;
	unsigned int		n;
	struct altconn_cred	written;
	struct altconn_cred	read;
};

void altconn_scm_queue_free_list(struct list_head *list);
void altconn_scm_queue_detach(struct altconn_scm_queue *queue,
			      struct list_head *list);
void altconn_scm_queue_cancel(struct altconn_scm_queue *queue, u32 pos);
void altconn_scm_queue_free(struct altconn_scm_queue *queue);
bool altconn_scm_queue_has_space(const struct altconn_scm_queue *queue);
int altconn_scm_queue_write(struct altconn_scm_queue **place, u32 pos, u32 n,
			    struct altconn_scm *scm, bool stamp);
u32 altconn_scm_queue_limit_read(struct altconn_scm_queue *queue, u32 pos,
				 u32 n, const struct altconn_rx *rx);
void altconn_scm_queue_read(struct altconn_scm_queue *queue, u32 pos, u32 n,
			    struct altconn_rx *rx, bool peek);

#endif /* _ALTCONN_SCM_QUEUE_H */
