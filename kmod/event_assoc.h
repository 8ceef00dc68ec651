/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_EVENT_ASSOC_H
#define _ALTCONN_EVENT_ASSOC_H

#include "altconn.h"
#include "assoc.h"
#include "netns.h"

void __altconn_notify_assoc(struct altconn_assoc *assoc, u32 kind, u32 value);

/**
 * altconn_notify_assoc() - send an event of an association
 * @assoc: the association
 * @kind: enum altconn_event_kind
 * @value: for ALTCONN_EVENT_KIND_CONNECT_WAIT the attempt's position in its
 *	lane of the waiting room, or 0 if it waits in no room; for
 *	ALTCONN_EVENT_KIND_CLOSED the end that closed, enum altconn_side; else
 *	ignored
 *
 * Context: process, does not sleep; locks outside assoc->lock may be held,
 * assoc->lock is not held.
 */
static inline void altconn_notify_assoc(struct altconn_assoc *assoc, u32 kind,
					u32 value)
{
	if (unlikely(READ_ONCE(assoc->an->n_watchers) || READ_ONCE(assoc->xns)))
		__altconn_notify_assoc(assoc, kind, value);
}

#endif /* _ALTCONN_EVENT_ASSOC_H */
