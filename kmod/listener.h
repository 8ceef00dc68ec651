/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_LISTENER_H
#define _ALTCONN_LISTENER_H

#include "altconn.h"
#include "task_info.h"

struct altconn_addr;
struct altconn_group;
struct altconn_lane;
struct altconn_room;
struct cred;

/**
 * struct altconn_listener - the listening part of an endpoint
 * @refs: see below
 * @lock: everything below up to the counters
 * @closed: no attempt may enter any more
 * @exhausted: attempts wait that it had no room for; a new one queues up behind
 *	them, and whatever makes room lets them in: attempt.c
 * @fail_fast: a full backlog refuses (ALTCONN_BACKLOG_POLICY)
 * @defer: accept() establishes, nothing else does (ALTCONN_DEFER_ACCEPT)
 * @id: the endpoint's in the namespace's table
 * @queue: established, waiting for accept()
 * @queued: length of @queue
 * @backlog: listen()'s argument; @queue holds one more
 * @outcomes: attempts that ended, by reason
 * @waited: attempts that were not decided at once
 * @sk: the endpoint; while not @closed
 * @dress: the endpoint's
 * @netns: inode number of its namespace
 * @type: its socket type
 * @net: the namespace, which @sk keeps
 * @addr: its address, a reference
 * @who: the process that called listen() last; @lock
 * @cred: likewise, for the client's SO_PEERCRED
 * @room: the waiting room of its address, a reference; NULL before it listens
 * @lane: the address in @room, NULL of a wildcard; room->lock
 * @group: the listeners of the same address, NULL while it serves none;
 *	room->lock
 * @member: in @group; room->lock
 * @reachable: it serves attempts of other nodes
 * @rcu: frees it
 *
 * Lifetime: references are held by the endpoint (ask->listener), by every
 * association that was established in its queue, and by system calls.
 * bind->listener and the room's lists are weak: altconn_listener_close() clears
 * them first; a lookup takes a reference with refcount_inc_not_zero().
 */
struct altconn_listener {
	refcount_t		refs;
	spinlock_t		lock;		/* accept queue */
	bool			closed;
	bool			exhausted;
	bool			fail_fast;
	bool			defer;
	u64			id;
	struct list_head	queue;
	u32			queued;
	u32			backlog;
	u64			outcomes[ALTCONN_N_REASONS];
	u64			waited;
	struct sock		*sk;
	u8			dress;
	u8			type;
	u32			netns;
	struct net		*net;
	struct altconn_addr	*addr;
	struct altconn_who	who;
	const struct cred	*cred;
	struct altconn_room	*room;
	struct altconn_lane	*lane;
	struct altconn_group	*group;
	struct list_head	member;
	bool			reachable;
	struct rcu_head		rcu;
};

void altconn_listener_free(struct altconn_listener *ln);
struct altconn_listener *altconn_listener_of(const struct sock *sk);
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason);
struct altconn_listener *altconn_listener_new(struct sock *sk, int backlog);

/* A backlog of n holds n + 1, as elsewhere in Linux. */
static inline bool altconn_listener_has_room(const struct altconn_listener *ln)
{
	return !ln->closed && !ln->defer && ln->queued <= ln->backlog;
}

/**
 * altconn_listener_put() - drop a reference
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
static inline void altconn_listener_put(struct altconn_listener *ln)
{
	if (refcount_dec_and_test(&ln->refs))
		altconn_listener_free(ln);
}

#endif /* _ALTCONN_LISTENER_H */
