/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_EVENT_ASSOC_H
#define _ALTCONN_EVENT_ASSOC_H

#include "altconn.h"
#include "assoc.h"
#include "netns.h"

void __altconn_event_assoc(struct altconn_assoc *assoc, u32 kind, u32 value);

static inline void altconn_event_assoc(struct altconn_assoc *assoc, u32 kind,
				       u32 value)
{
	if (unlikely(READ_ONCE(assoc->an->watched) || READ_ONCE(assoc->far)))
		__altconn_event_assoc(assoc, kind, value);
}

#endif /* _ALTCONN_EVENT_ASSOC_H */
