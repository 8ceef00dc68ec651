/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of an endpoint: what each file of the module may read of a socket.
 * The functions here call nothing.
 */
#ifndef _ALTCONN_SOCK_H
#define _ALTCONN_SOCK_H

#include <linux/rcuwait.h>
#include "altconn.h"
#include "registry.h"
#include "ruling.h"

struct altconn_account;
struct altconn_addr;
struct altconn_assoc;
struct altconn_bind;
struct altconn_cork;
struct altconn_late_queue;
struct altconn_listener;

/**
 * struct altconn_sock - an endpoint
 * @sk: must be first
 * @entry: in the namespace's registry of sockets, or in none
 * @dress: socket()'s protocol argument
 * @unreported: the attempt succeeded after connect() had returned; the next
 *	connect() says 0 (S-DONE)
 * @v6only: IPV6_V6ONLY, sockaddr_in6 dress
 * @fail_fast: ALTCONN_BACKLOG_POLICY, for listen()
 * @defer: ALTCONN_DEFER_ACCEPT, for listen()
 * @waits_listener: ALTCONN_WAIT_LISTENER
 * @share: ALTCONN_SHARE_ADDRESS, for bind()
 * @reachable: ALTCONN_REACHABLE, for bind()
 * @replaces: ALTCONN_REPLACE_PATH, for bind()
 * @bind: its own binding, or NULL. Written under lock_sock(), or under @bind_lock by
 *	the bind() that made @binding; one of a path is cleared under both
 * @binding: of a bind() whose path is being looked up, without lock_sock(); NULL: no
 *	bind() is under way, or another call on the socket came first
 * @bind_lock: @binding, and what its bind() does then; inside it the stripe
 * @addr: its address: the binding's or, when accepted, the listener's
 * @listener: TCP_LISTEN
 * @assoc: TCP_SYN_SENT, TCP_ESTABLISHED; also a failed attempt until the next
 *	call on the socket. Written under lock_sock() and assoc->lock
 * @timeout_ms: ALTCONN_CONNECT_TIMEOUT
 * @last_waited_ns: of the last attempt, between connect() and the decision
 * @last_err: its positive errno, 0 for success
 * @last_reason: enum altconn_reason
 * @last_rule: id of the rule that decided or held it, or 0
 * @want_data: @reader sleeps until there is something to read
 * @polled: somebody may be in the wait queue for that, now or later: it stays
 * @spin_ns: how long a reader looks before it sleeps; the claimant's of @reader
 * @reader_claimed: 1 while a thread uses @reader and @spin_ns
 * @reader: where it sleeps; see wait.h
 * @inet_values: options of TCP and IP, sockopt_inet.c, or NULL
 * @pid: who bound or connected it (datagrams), or made it listen
 *
 * Lifetime: struct sock's. Datagram and listening endpoints are found under
 * RCU and have SOCK_RCU_FREE.
 */
struct altconn_sock {
	struct sock			sk;
	struct altconn_entry		entry;
	u8				dress;
	bool				unreported;
	bool				v6only;
	bool				fail_fast : 1;
	bool				defer : 1;
	bool				waits_listener : 1;
	bool				share : 1;
	bool				reachable : 1;
	bool				replaces : 1;
	bool				want_data;
	bool				polled;
	struct altconn_bind		*bind;
	struct altconn_bind		*binding;
	spinlock_t			bind_lock;	/* binding */
	struct altconn_addr __rcu	*addr;
	struct altconn_listener __rcu	*listener;
	struct altconn_assoc __rcu	*assoc;
	u64				timeout_ms;
	u64				last_waited_ns;
	u16				last_err;
	u16				last_reason;
	u32				last_rule;
	u32				spin_ns;
	atomic_t			reader_claimed;
	struct rcuwait			reader;
	int				*inet_values;
	struct pid			*pid;
};

/**
 * struct altconn_dgram_sock - a datagram endpoint
 * @base: must be first
 * @account: what its association is charged to, or NULL: it has none
 * @overflow: ALTCONN_DGRAM_OVERFLOW; @queue_lock
 * @peer: the only address to send to and receive from; written under
 *	@queue_lock
 * @peer_sk: the other half of a socketpair, pinned; same lock
 * @queue_lock: @queue, and whom it listens to
 * @queue: what it has not read
 * @queued: what it is charged for that, bytes; written under @queue_lock
 * @unread: bytes of data in it, fewer; likewise
 * @load: @queued and @unread as one number, so that one addition changes both.
 *	Neither overflows into the other: a limit is an int, and one datagram
 *	over it is smaller
 * @ruling: what connect() was told of the datagrams to @peer; @queue_lock
 * @late: what a rule delays, dgram_delay.c; NULL while it never did
 * @known: who was found at @peer; not followed unless nothing changed
 * @known_in: what had changed then
 * @blocked: threads that wait for room here, in order; @queue_lock
 * @promised: bytes of the datagrams of threads that have the turn; @queue_lock
 * @open: half of the queue has been free since the first thread began to wait, and
 *	since the queue was last full; @queue_lock
 * @extra: while threads wait: one datagram may go over the limit; @queue_lock
 * @pollers: the endpoints whose pollers want to hear of room here; @queue_lock
 * @poll_lock: @watches
 * @watches: the full receiver that a poll() of this one wants to hear of, pinned
 * @poll_node: in @pollers of that; its @queue_lock
 * @cork: pieces of a datagram, MSG_MORE; NULL until it is used
 */
struct altconn_dgram_sock {
	struct altconn_sock		base;
	struct altconn_account		*account;
	u8				overflow;
	struct altconn_addr __rcu	*peer;
	struct sock			*peer_sk;
	spinlock_t			queue_lock;	/* queue, peer */
	struct list_head		queue;
	union {
		struct {
			u32		queued;
			u32		unread;
		};
		u64			load;
	};
	struct altconn_ruling		ruling;
	struct altconn_late_queue	*late;
	struct sock			*known;
	u64				known_in;
	struct list_head		blocked;
	u32				promised;
	bool				open;
	bool				extra;
	struct list_head		pollers;
	spinlock_t			poll_lock;	/* watches */
	struct sock			*watches;
	struct list_head		poll_node;
	struct altconn_cork		*cork;
};

static inline struct altconn_sock *altconn_sk(const struct sock *sk)
{
	return (struct altconn_sock *)sk;
}

/* An address format in which programs of TCP and UDP write their addresses. */
static inline bool altconn_format_is_inet(u8 format)
{
	return format == ALTCONN_INET || format == ALTCONN_INET6;
}

static inline bool altconn_is_inet(const struct sock *sk)
{
	return altconn_format_is_inet(altconn_sk(sk)->dress);
}

static inline struct altconn_dgram_sock *altconn_dgram_sk(const struct sock *sk)
{
	return (struct altconn_dgram_sock *)sk;
}

/**
 * altconn_state() - sk->sk_state, and everything that came before it
 * @sk: the endpoint
 */
static inline u8 altconn_state(const struct sock *sk)
{
	/* Pairs with the release in attempt_decide(). */
	return smp_load_acquire(&sk->sk_state);
}

#endif /* _ALTCONN_SOCK_H */
