/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_EVENT_ASSOC_H
#define _ALTCONN_EVENT_ASSOC_H

#include "altconn.h"
#include "assoc.h"
#include "netns.h"

void __altconn_event_assoc_notify(struct altconn_assoc *assoc, u32 kind,
				  u32 value);

/**
 * altconn_event_assoc_notify() - emit an event of an association
 * @assoc: the association
 * @kind: enum altconn_event_kind
 * @value: ALTCONN_EVENT_KIND_CONNECT_WAIT: the attempt's position in its lane,
 *	or 0 if it is parked; ALTCONN_EVENT_KIND_CLOSED: the end that has
 *	closed, enum altconn_side; other kinds: ignored
 *
 * The watchers of the client's namespace and of the server's receive the event.
 *
 * Context: process, does not sleep; the caller may hold spinlocks, but not
 * assoc->lock or a lock inside it.
 */
static inline void altconn_event_assoc_notify(struct altconn_assoc *assoc,
					      u32 kind, u32 value)
{
	if (unlikely(READ_ONCE(assoc->an->n_watchers) || READ_ONCE(assoc->xns)))
		__altconn_event_assoc_notify(assoc, kind, value);
}

#endif /* _ALTCONN_EVENT_ASSOC_H */
