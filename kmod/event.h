/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events, as those see them who make them: nothing but a jump that is patched out while
 * nobody listens.
 */
#ifndef _ALTCONN_EVENT_H
#define _ALTCONN_EVENT_H

#include "altconn.h"

extern struct static_key_false_deferred altconn_events_on;

void __altconn_event_assoc(struct altconn_assoc *assoc, u32 kind, u32 value);
void __altconn_event_sock(struct sock *sk, u32 kind,
			  const struct altconn_addr *addr, u32 err, u32 reason);
void __altconn_event_changed(struct altconn_net *an, u32 kind);
int altconn_event_init(void);
void altconn_event_stop(void);
void altconn_event_exit(void);
void altconn_event_flush(void);
void altconn_event_begin(struct altconn_net *an);
void altconn_event_leave(struct altconn_net *an);
void altconn_event_end(struct altconn_net *an);

static inline void altconn_event_assoc(struct altconn_assoc *assoc, u32 kind,
				       u32 value)
{
	if (static_branch_unlikely(&altconn_events_on.key))
		__altconn_event_assoc(assoc, kind, value);
}

static inline void altconn_event_sock(struct sock *sk, u32 kind,
				      const struct altconn_addr *addr, u32 err,
				      u32 reason)
{
	if (static_branch_unlikely(&altconn_events_on.key))
		__altconn_event_sock(sk, kind, addr, err, reason);
}

static inline void altconn_event_changed(struct altconn_net *an, u32 kind)
{
	if (static_branch_unlikely(&altconn_events_on.key))
		__altconn_event_changed(an, kind);
}

#endif /* _ALTCONN_EVENT_H */
