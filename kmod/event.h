/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header declares events, which report to user space what happens to the
 * associations, rules and nodes of a network namespace.
 *
 *   watcher    struct event_watcher: a netlink socket that receives events
 *   audience   the watchers of a namespace that receive the same events
 *
 * If a namespace has no watchers, an event costs a load and a branch, see
 * altconn_event_notify_*() and altconn_event_assoc_notify(). A static key could
 * save the branch, but each switch of the key interrupts all CPUs of the
 * machine. Any user can create a namespace and switch the key there at will, by
 * the first and the last watcher. The cost of the branch cannot be measured
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
 * @refs: each queue entry of a watcher has a reference; the thread that causes
 *	the event has one until it has queued the event
 * @kind: enum altconn_event_kind
 * @time: time of the event, nanoseconds since 1970 (UTC)
 * @assoc: id of the association, or 0 if the event has none
 * @waited_ns: time from connect() to the decision of the attempt, nanoseconds;
 *	0 before the decision, and for an event without an association
 * @type: SOCK_*; 0 if the event is about rules or nodes
 * @err: positive errno of a failed attempt, or 0
 * @reason: enum altconn_reason
 * @position: position of an attempt in its lane, 1 for the attempt that is
 *	promoted first; 0 if the attempt is in no lane
 * @side: the end that has closed, enum altconn_side; for
 *	ALTCONN_EVENT_KIND_CLOSED only
 * @ends: @end is set; false if the event is about rules or nodes
 * @end: address, process and address format of each end, by enum altconn_side;
 *	the addresses and the pids are references
 *
 * Lifetime: an event in a queue is immutable. Dropping the last reference frees
 * the event.
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
 * struct event_watcher - a netlink socket that receives events
 * @refs: number of references, see Lifetime
 * @next: next watcher of the audience; written under an->watch_lock, read under
 *	RCU
 * @key: key of the audience in an->audiences
 * @portid: netlink port id of @sk. After @sk has closed, another socket may
 *	have the same id
 * @sk: the netlink socket, a reference
 * @payer: payer of @job: the user that has sent ALTCONN_CMD_MONITOR, or all
 *	administrators of the machine together
 * @job: delivers one event. From the time at which the queue is no longer empty
 *	until a run of the job finds no further event, the job is queued or
 *	runs, and has a reference to the watcher
 * @viewer: user, permissions and namespaces of the sender of
 *	ALTCONN_CMD_MONITOR; the namespaces are references
 * @lock: protects @dead, @seq, @head, @tail and @slots; innermost
 * @dead: the watcher has ended and accepts no event
 * @seq: number of events so far, including lost ones
 * @head: number of events that have been put into the queue so far; wraps
 *	around
 * @tail: number of events that have been taken out so far; wraps around
 * @slots: the queue, a ring of EVENT_QUEUE_MAX entries; the next event is put
 *	into slot @head % EVENT_QUEUE_MAX
 * @rcu: frees the watcher
 *
 * Lifetime: the namespace has a reference from ALTCONN_CMD_MONITOR until the
 * socket closes, the namespace ends or the module is unloaded. The job has a
 * reference while it is queued or runs. A thread that walks an audience under
 * RCU has none; it checks @dead. The memory is freed an RCU grace period after
 * the last reference is dropped.
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
void __altconn_event_notify_sock(struct sock *sk, u32 kind,
				 const struct altconn_addr *addr, u32 err,
				 u32 reason);
void __altconn_event_notify_change(struct altconn_net *an, u32 kind);
void altconn_event_watcher_put(struct event_watcher *w);
struct altconn_payer *altconn_event_payer_charge(struct sk_buff *skb);
struct event_watcher *altconn_event_watcher_new(struct sk_buff *skb,
						u32 portid);
void altconn_event_watcher_end(struct event_watcher *w);
bool altconn_event_watcher_get_seq(struct altconn_net *an, u32 portid,
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
 * altconn_event_notify_sock() - emit an event of a connect() without an
 *	association
 * @sk: the socket that connects
 * @kind: enum altconn_event_kind
 * @addr: the destination, or NULL if connect() got an invalid address
 * @err: positive errno if connect() failed, or 0
 * @reason: enum altconn_reason
 *
 * Context: process, does not sleep; current is the process that connects.
 */
static inline void altconn_event_notify_sock(struct sock *sk, u32 kind,
					     const struct altconn_addr *addr,
					     u32 err, u32 reason)
{
	if (unlikely(READ_ONCE(altconn_pernet(sock_net(sk))->n_watchers)))
		__altconn_event_notify_sock(sk, kind, addr, err, reason);
}

/**
 * altconn_event_notify_change() - emit an event of a change of the rules or the
 *	nodes
 * @an: the namespace
 * @kind: ALTCONN_EVENT_KIND_RULES_CHANGED or ALTCONN_EVENT_KIND_NODES_CHANGED
 *
 * Context: process, does not sleep.
 */
static inline void altconn_event_notify_change(struct altconn_net *an, u32 kind)
{
	if (unlikely(READ_ONCE(an->n_watchers)))
		__altconn_event_notify_change(an, kind);
}

#endif /* _ALTCONN_EVENT_H */
