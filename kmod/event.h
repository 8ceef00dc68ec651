/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events, for the code that causes them: in a namespace without watchers an
 * event costs a load and a branch.
 *
 * There is no static key. A static key would be shared by the whole machine,
 * and any user may be root of a namespace of its own, where the user can begin
 * and stop to watch at will. Each switch of the key interrupts all CPUs, while
 * the cost of the branch is too small to be measured
 * (Documentation/design/design.rst, "Events").
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
 * struct altconn_event - an event
 * @refs: references of the watchers' queues, and of the code that causes the
 *	event until it has queued it
 * @kind: enum altconn_event_kind
 * @time: time of the event, nanoseconds since 1970
 * @assoc: id of the association, or 0 if there is none
 * @waited_ns: time from connect() to the decision of the attempt, ns; 0 if the
 *	attempt is not decided
 * @type: socket type, SOCK_*; 0 for an event that is not about a socket
 * @err: positive errno of a failed attempt, or 0
 * @reason: enum altconn_reason
 * @position: position of the attempt in its lane of the waiting room, 1 for the
 *	next one; 0 if it waits in no room
 * @side: the end that has closed, enum altconn_side
 * @ends: whether @end is filled in
 * @end: address, process and address format of both ends, by enum altconn_side;
 *	holds references to the addresses and the pids
 *
 * Lifetime: immutable once it is in a queue; freed with the last reference.
 */
struct altconn_event {
	refcount_t	refs;
	u32		kind;
	u64		time;
	u64		assoc;
	u64		waited_ns;
	u32		type;
	u32		err;
	u32		reason;
	u32		position;
	u32		side;
	bool		ends;
	struct {
		struct altconn_addr	*addr;
		struct altconn_task_info	task;
		u32			format;
	} end[2];
};

/**
 * struct event_watcher - a netlink socket that gets events
 * @refs: see below
 * @next: the next watcher of the same audience; read under RCU, written under
 *	an->watch_lock
 * @key: key of the watcher's audience in an->audiences
 * @portid: netlink port id of @sk; another socket may get the same id once @sk
 *	is closed
 * @sk: the socket, a reference
 * @payer: payer of @job: the socket's owner
 * @job: delivers one event; queued while the queue is not empty, and holds a
 *	reference then
 * @viewer: user, permissions and namespaces of the owner; holds references to
 *	the user namespace and the pid namespace
 * @lock: protects the queue: @dead, @seq, @head, @tail and @slots
 * @dead: the watcher has ended, so no event is queued any more
 * @seq: number of the watcher's last event
 * @head: number of slots filled so far
 * @tail: number of slots emptied so far
 * @slots: the queue, a ring of EVENT_QUEUE_MAX slots
 * @rcu: frees the watcher
 *
 * Lifetime: the namespace holds a reference from ALTCONN_CMD_MONITOR until the
 * socket closes, the namespace is destroyed or the module is unloaded. The job
 * holds a reference while it is queued or runs. A reader that walks an audience
 * under RCU takes no reference and checks @dead. The memory is freed an RCU
 * grace period after the last reference is dropped.
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

struct altconn_event *altconn_event_new(u32 kind);
bool altconn_event_has_audience(struct altconn_net *an, kuid_t uid);
void altconn_event_enqueue(struct altconn_net *an, kuid_t uid,
			   struct altconn_event *ev);
void __altconn_notify_sock(struct sock *sk, u32 kind,
			   const struct altconn_addr *addr, u32 err,
			   u32 reason);
void __altconn_notify_change(struct altconn_net *an, u32 kind);
void altconn_event_watcher_put(struct event_watcher *w);
struct altconn_payer *altconn_event_payer_charge(struct sk_buff *skb);
struct event_watcher *altconn_event_watcher_new(struct sk_buff *skb,
						u32 portid);
void altconn_event_watcher_end(struct event_watcher *w);
bool altconn_event_is_watcher(struct altconn_net *an, u32 portid,
			      const struct sock *sk, u64 *seq);
int altconn_event_watcher_add(struct altconn_net *an,
			      struct event_watcher *new);
void altconn_event_watcher_remove(struct altconn_net *an, u32 portid,
				  const struct sock *sk);
void altconn_event_net_init(struct altconn_net *an);
void altconn_event_net_exit(struct altconn_net *an);
int __init altconn_event_init(void);
void altconn_event_stop(void);
void altconn_event_exit(void);

/**
 * altconn_notify_sock() - send an event of an attempt that has no association
 * @sk: the socket that connects
 * @kind: enum altconn_event_kind
 * @addr: the destination, or NULL if the caller of connect() gave no valid
 *	address
 * @err: positive errno of a failed attempt, or 0
 * @reason: enum altconn_reason
 *
 * Context: process, does not sleep; current is the process that connects.
 */
static inline void altconn_notify_sock(struct sock *sk, u32 kind,
				       const struct altconn_addr *addr, u32 err,
				       u32 reason)
{
	if (unlikely(READ_ONCE(altconn_pernet(sock_net(sk))->n_watchers)))
		__altconn_notify_sock(sk, kind, addr, err, reason);
}

/**
 * altconn_notify_change() - send an event of a changed table of rules or nodes
 * @an: the namespace
 * @kind: ALTCONN_EVENT_KIND_RULES_CHANGED or ALTCONN_EVENT_KIND_NODES_CHANGED
 *
 * Context: process, does not sleep.
 */
static inline void altconn_notify_change(struct altconn_net *an, u32 kind)
{
	if (unlikely(READ_ONCE(an->n_watchers)))
		__altconn_notify_change(an, kind);
}

#endif /* _ALTCONN_EVENT_H */
