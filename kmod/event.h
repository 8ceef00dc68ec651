/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events, for those that cause them: a load and a branch in a namespace without watchers.
 *
 * There is no static key: it would be the whole machine's, and any user may be root of a
 * namespace of its own and begin to watch, and stop, as often as it likes. Each switch
 * interrupts all CPUs, and the branch costs less than can be measured
 * (Documentation/design.rst, "Events").
 */
#ifndef _ALTCONN_EVENT_H
#define _ALTCONN_EVENT_H

#include "altconn.h"

void __altconn_event_assoc(struct altconn_assoc *assoc, u32 kind, u32 value);
void __altconn_event_sock(struct sock *sk, u32 kind,
			  const struct altconn_addr *addr, u32 err, u32 reason);
void __altconn_event_changed(struct altconn_net *an, u32 kind);
int altconn_event_init(void);
void altconn_event_stop(void);
void altconn_event_exit(void);
void altconn_event_begin(struct altconn_net *an);
void altconn_event_leave(struct altconn_net *an);

static inline void altconn_event_assoc(struct altconn_assoc *assoc, u32 kind,
				       u32 value)
{
	if (unlikely(READ_ONCE(assoc->an->watched) || READ_ONCE(assoc->far)))
		__altconn_event_assoc(assoc, kind, value);
}

static inline void altconn_event_sock(struct sock *sk, u32 kind,
				      const struct altconn_addr *addr, u32 err,
				      u32 reason)
{
	if (unlikely(READ_ONCE(altconn_pernet(sock_net(sk))->watched)))
		__altconn_event_sock(sk, kind, addr, err, reason);
}

static inline void altconn_event_changed(struct altconn_net *an, u32 kind)
{
	if (unlikely(READ_ONCE(an->watched)))
		__altconn_event_changed(an, kind);
}

#endif /* _ALTCONN_EVENT_H */
