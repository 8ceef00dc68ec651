/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SCM_QUEUE_H
#define _ALTCONN_SCM_QUEUE_H

#include "altconn.h"
#include "scm.h"

/**
 * struct altconn_marks - what goes with the data of a ring, see scm_queue.c
 * @lock: protects @list and @n; taken inside the ring's locks
 * @list: marks, in the order of the bytes
 * @n: number of marks
 * @written: credentials of the last byte written; the ring's write_lock
 * @read: credentials of the next byte to read, unless a mark begins there; the
 *	ring's read_lock
 *
 * Lifetime: the first writer that needs marks allocates the structure. It
 * belongs to the ring from then on and is freed with the ring.
 */
struct altconn_marks {
	spinlock_t		lock;		/* list, n */
	struct list_head	list;
	unsigned int		n;
	struct altconn_cred	written;
	struct altconn_cred	read;
};

void altconn_marks_discard(struct list_head *list);
void altconn_marks_empty(struct altconn_marks *marks, struct list_head *list);
void altconn_marks_cancel(struct altconn_marks *marks, u32 pos);
void altconn_marks_free(struct altconn_marks *marks);
bool altconn_marks_few(const struct altconn_marks *marks);
int altconn_marks_write(struct altconn_marks **place, u32 pos, u32 n,
			struct altconn_scm *scm, bool stamp);
u32 altconn_marks_bound(struct altconn_marks *marks, u32 pos, u32 n,
			const struct altconn_rx *rx);
void altconn_marks_read(struct altconn_marks *marks, u32 pos, u32 n,
			struct altconn_rx *rx, bool peek);

#endif /* _ALTCONN_SCM_QUEUE_H */
