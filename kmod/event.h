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
#include "addr.h"
#include "netns.h"
#include "nl.h"
#include "payer.h"
#include "task_info.h"

struct sk_buff;

/**
 * struct event - something that has happened
 * @refs: of queues, and of the cause until it is queued
 * @kind: enum altconn_event_kind
 * @time: when, nanoseconds since 1970
 * @assoc: id of the association, or 0
 * @waited_ns: how long the attempt waited
 * @type: socket type, or 0
 * @err: errno
 * @reason: enum altconn_reason
 * @place: of the attempt in its queue, or 0
 * @side: the end that has closed
 * @ends: @end is filled in
 * @end: addresses and processes of both ends, references
 *
 * Lifetime: immutable once it is in a queue; freed with the last reference.
 */
struct event {
	refcount_t	refs;
	u32		kind;
	u64		time;
	u64		assoc;
	u64		waited_ns;
	u32		type;
	u32		err;
	u32		reason;
	u32		place;
	u32		side;
	bool		ends;
	struct {
		struct altconn_addr	*addr;
		struct altconn_who	who;
		u32			dress;
	} end[2];
};

/**
 * struct event_watcher - a netlink socket that gets events
 * @refs: see below
 * @next: the next watcher of the same audience; RCU, written under watch_lock
 * @key: of its audience
 * @portid: of @sk; another socket may have it once @sk is closed
 * @sk: the socket, a reference
 * @payer: of @job, the socket's owner
 * @job: delivers one event; queued while the queue has one, and holds a reference then
 * @viewer: what it may see; references to both namespaces
 * @lock: the queue: all that follows
 * @dead: nothing is queued any more
 * @seq: number of its last event
 * @head: slots ever filled
 * @tail: slots ever emptied
 * @slots: the queue
 * @rcu: frees it
 *
 * Lifetime: the namespace holds a reference from ALTCONN_CMD_MONITOR until the socket
 * closes, the namespace dies or the module goes, and its job while that is queued or
 * runs. A reader of an audience, under RCU, takes none and looks at @dead.
 */
struct event_watcher {
	refcount_t			refs;
	struct event_watcher __rcu	*next;
	unsigned long			key;
	u32				portid;
	struct sock			*sk;
	struct altconn_payer		*payer;
	struct altconn_job		job;
	struct altconn_viewer		viewer;
	spinlock_t			lock;		/* the queue */
	bool				dead;
	u64				seq;
	u32				head;
	u32				tail;
	struct event_slot		*slots;
	struct rcu_head			rcu;
};

#define _ALTCONN_EVENT_H

struct event *altconn_event_new(u32 kind);
bool altconn_event_has_audience(struct altconn_net *an, kuid_t uid);
void altconn_event_note(struct altconn_net *an, kuid_t uid, struct event *ev);
void __altconn_event_sock(struct sock *sk, u32 kind,
			  const struct altconn_addr *addr, u32 err, u32 reason);
void __altconn_event_changed(struct altconn_net *an, u32 kind);
void altconn_event_watcher_put(struct event_watcher *w);
struct altconn_payer *altconn_event_payer_enter(struct sk_buff *skb);
struct event_watcher *altconn_event_watcher_new(struct sk_buff *skb,
						u32 portid);
void altconn_event_watcher_end(struct event_watcher *w);
bool altconn_event_is_watcher(struct altconn_net *an, u32 portid,
			      const struct sock *sk, u64 *seq);
int altconn_event_watch(struct altconn_net *an, struct event_watcher *new);
void altconn_event_unwatch(struct altconn_net *an, u32 portid,
			   const struct sock *sk);
void altconn_event_begin(struct altconn_net *an);
void altconn_event_leave(struct altconn_net *an);
int __init altconn_event_init(void);
void altconn_event_stop(void);
void altconn_event_exit(void);

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
