/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_LISTENER_H
#define _ALTCONN_LISTENER_H

#include "altconn.h"
#include "assoc.h"
#include "task_info.h"

struct altconn_addr;
struct altconn_group;
struct altconn_lane;
struct altconn_room;
struct cred;

/**
 * struct altconn_listener - the listening part of an endpoint
 * @refs: references; see below
 * @lock: protects the fields from @closed to @waited except @id, and the fields
 *	that name this lock. @fail_fast changes under room->lock too
 * @closed: the listener has closed, and establishes no more attempts
 * @has_waiting: attempts wait that the listener serves. A new attempt waits
 *	behind them, and any change that makes space promotes them (attempt.c)
 * @fail_fast: an attempt that finds the backlog full is refused
 *	(ALTCONN_BACKLOG_POLICY)
 * @defer: a deferring listener: only accept() establishes attempts
 *	(ALTCONN_DEFER_ACCEPT)
 * @id: id of the endpoint in its namespace's registry of sockets
 * @queue: accept queue: associations that are established and not accepted
 * @queued: length of @queue
 * @backlog: argument of listen(); @queue may have @backlog + 1 entries
 * @outcomes: number of attempts that were established, refused or failed at
 *	this listener, by enum altconn_reason
 * @waited: number of attempts that have waited for this listener, or waited at
 *	its address when it opened
 * @sk: the endpoint; valid while the listener is not @closed
 * @format: address format of the endpoint
 * @netns: inode number of @net
 * @type: socket type of the endpoint
 * @net: network namespace of the endpoint, which @sk keeps alive
 * @addr: address of the endpoint, a reference
 * @task: process that called listen() last; under @lock
 * @cred: credentials of that process, for SO_PEERCRED of clients; under @lock
 * @room: waiting room of @addr, a reference; NULL before the listener joins the
 *	room, and never changed afterwards
 * @lane: lane of @addr in @room, NULL for a wildcard address; under room->lock
 * @group: listeners of the same address, NULL while the listener is not in
 *	@room; under room->lock
 * @group_node: link in a list of @group; under room->lock
 * @reachable: other nodes can reach the listener
 * @rcu: frees the listener after a grace period
 *
 * Lifetime: The endpoint holds a reference (extra->listener), and so do each
 * association that was established in @queue and each call under way.
 * bind->listener and the lists of the room hold none.
 * altconn_listen_close() clears these pointers before it drops the reference
 * of the endpoint. A lookup under RCU takes a reference with
 * refcount_inc_not_zero().
 */
struct altconn_listener {
	refcount_t		refs;
	spinlock_t		lock;		/* accept queue */
	bool			closed;
	bool			has_waiting;
	bool			fail_fast;
	bool			defer;
	u64			id;
	struct list_head	queue;
	u32			queued;
	u32			backlog;
	u64			outcomes[ALTCONN_N_REASONS];
	u64			waited;
	struct sock		*sk;
	u8			format;
	u8			type;
	u32			netns;
	struct net		*net;
	struct altconn_addr	*addr;
	struct altconn_task_info	task;
	const struct cred	*cred;
	struct altconn_room	*room;
	struct altconn_lane	*lane;
	struct altconn_group	*group;
	struct list_head	group_node;
	bool			reachable;
	struct rcu_head		rcu;
};

void altconn_listener_free(struct altconn_listener *ln);
struct altconn_listener *altconn_listener_of(const struct sock *sk);
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason);
struct altconn_listener *altconn_listener_new(struct sock *sk, int backlog);

/**
 * altconn_listener_has_space() - check whether an attempt can be established
 * now
 * @ln: the listener
 *
 * With a backlog of n the accept queue has up to n + 1 entries, as with TCP and
 * AF_UNIX. A deferring listener never has space, since only accept()
 * establishes attempts there.
 *
 * Context: process; the listener's lock held.
 * Return: true if the accept queue has space for one more association, else
 * false.
 */
static inline bool altconn_listener_has_space(const struct altconn_listener *ln)
{
	return !ln->closed && !ln->defer && ln->queued <= ln->backlog;
}

/**
 * altconn_listener_first_queued() - get the oldest association in the accept
 * queue
 * @ln: the listener
 *
 * Context: process; the listener's lock held.
 * Return: the association, or NULL if the queue is empty. The reference to it
 * stays with the queue.
 */
static inline struct altconn_assoc *
altconn_listener_first_queued(struct altconn_listener *ln)
{
	lockdep_assert_held(&ln->lock);
	return list_first_entry_or_null(&ln->queue, struct altconn_assoc,
					node);
}

/**
 * altconn_listener_unqueue() - take an association out of the accept queue
 * @ln: the listener
 * @assoc: the association, in the queue; the reference of the queue moves to
 *	the caller, which sets the new state of the association
 *
 * Context: process; the listener's lock held.
 */
static inline void altconn_listener_unqueue(struct altconn_listener *ln,
					    struct altconn_assoc *assoc)
{
	lockdep_assert_held(&ln->lock);
	list_del_init(&assoc->node);
	WRITE_ONCE(ln->queued, ln->queued - 1);
}

/**
 * altconn_listener_put() - drop a reference to a listener
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
