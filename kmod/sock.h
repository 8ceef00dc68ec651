/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Endpoints. Any file of the module may include this header: its functions call
 * no .c file.
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
struct altconn_delay_queue;
struct altconn_listener;

/**
 * struct altconn_extra - the part of an endpoint that a connected stream seldom
 * needs
 * @entry: entry in the namespace's registry of sockets. The registry has the
 *	endpoints in TCP_LISTEN, and the datagram endpoints that have been bound
 *	or connected since socket()
 * @sk: the endpoint, without a reference
 * @pid: the process that first bound or connected a datagram endpoint, or first
 *	made the endpoint listen; a reference, or NULL
 * @listener: the accept queue, in TCP_LISTEN only
 * @pending_bind: the new binding of a bind() to a path that is under way, and
 *	that makes its socket file without altconn_lock(). NULL if there is no
 *	such bind(), or if another call on the socket has cancelled it
 * @bind_lock: protects @pending_bind, and ask->bind as described there; a
 *	stripe of the table of bindings may be taken inside it
 * @timeout_ms: ALTCONN_CONNECT_TIMEOUT, milliseconds
 *
 * These endpoints have it: listeners, datagram endpoints that have been bound
 * or connected, endpoints on which bind() to a path has been called, and
 * endpoints with an ALTCONN_CONNECT_TIMEOUT. Most endpoints are connected
 * streams without it, so they are small.
 *
 * Lifetime: allocated by the first call that needs it, and freed with the
 * endpoint. For a registered endpoint this is after a grace period, since
 * lookups under RCU read @entry and @sk.
 */
struct altconn_extra {
	struct altconn_entry		entry;
	struct sock			*sk;
	struct pid			*pid;
	struct altconn_listener __rcu	*listener;
	struct altconn_bind		*pending_bind;
	spinlock_t			bind_lock;	/* binding */
	u64				timeout_ms;
};

/**
 * struct altconn_sock - an endpoint
 * @sk: the core's part of the endpoint; must be first
 * @lock: the endpoint's lock, see altconn_lock()
 * @extra: the members that not every endpoint has, or NULL before they are
 *	needed; see altconn_extra_of()
 * @format: address format, the protocol argument of socket()
 * @result_due: an attempt has begun, and no connect() has returned its result
 *	yet. If the attempt succeeds, the next connect() returns 0 once (clause
 *	S-DONE)
 * @v6only: IPV6_V6ONLY, of an endpoint in the sockaddr_in6 format
 * @fail_fast: ALTCONN_BACKLOG_POLICY is ALTCONN_POLICY_FAIL_FAST; listen()
 *	copies it to the listener
 * @defer: ALTCONN_DEFER_ACCEPT; listen() copies it to the listener
 * @waits_listener: ALTCONN_WAIT_LISTENER; the next connect() uses it
 * @share: ALTCONN_SHARE_ADDRESS; bind() copies it to the binding
 * @reachable: ALTCONN_REACHABLE; bind() copies it to the binding
 * @replaces: ALTCONN_REPLACE_PATH; bind() to a path uses it
 * @want_data: the task in @reader needs a wake-up when there is something to
 *	read; cleared by the thread that wakes it
 * @polled: tasks may sleep in the wait queue until there is something to read;
 *	once set, it stays set
 * @last_err: positive errno of the last attempt, 0 for success
 * @bind: the binding, or NULL while the endpoint is unbound. A bind() to a path
 *	sets it under extra->bind_lock, without altconn_lock(), if
 *	extra->pending_bind is still its binding. The binding of a path is
 *	cleared under both locks. All other changes are made under
 *	altconn_lock()
 * @addr: the local address, a reference, or NULL while the endpoint is unnamed.
 *	It is the address of @bind, with two exceptions. While an endpoint that
 *	is bound to a wildcard IP address connects or is connected, @addr is its
 *	source address for the peer. An accepted endpoint has no @bind, and
 *	@addr is the address of the server's end of the association
 * @assoc: the association, in TCP_SYN_SENT and TCP_ESTABLISHED. A failed
 *	attempt stays here, too, until the next call that needs the endpoint
 *	unconnected. Written under altconn_lock() and assoc->lock
 * @last_waited_ns: the time between connect() and the decision of the last
 *	attempt, nanoseconds
 * @last_reason: enum altconn_reason of the last attempt
 * @last_rule: id of the rule that decided, delayed or dropped the last attempt,
 *	or 0
 * @busy_poll_ns: how long a reader busy-polls before it sleeps, nanoseconds;
 *	adapts itself, and is owned by the task that has set @reader_claimed
 * @reader_claimed: 1 while a task owns @reader and @busy_poll_ns
 * @reader: one task that sleeps until there is something to read; see wait.h
 * @inet_values: values of TCP and IP options (sockopt_inet.c); NULL if all have
 *	their initial values
 *
 * Lifetime: sk_refcnt counts the references. Lookups under RCU find datagram
 * endpoints and endpoints in TCP_LISTEN, so SOCK_RCU_FREE is set on these.
 */
struct altconn_sock {
	struct sock			sk;
	struct mutex			lock;		/* altconn_lock() */
	struct altconn_extra		*extra;
	u8				format;
	bool				result_due;
	bool				v6only;
	bool				fail_fast : 1;
	bool				defer : 1;
	bool				waits_listener : 1;
	bool				share : 1;
	bool				reachable : 1;
	bool				replaces : 1;
	bool				want_data;
	bool				polled;
	u16				last_err;
	struct altconn_bind		*bind;
	struct altconn_addr __rcu	*addr;
	struct altconn_assoc __rcu	*assoc;
	u64				last_waited_ns;
	u8				last_reason;
	u32				last_rule;
	u32				busy_poll_ns;
	atomic_t			reader_claimed;
	struct rcuwait			reader;
	int				*inet_values;
};

/**
 * struct altconn_dgram_sock - a datagram endpoint
 * @base: the part that all endpoints have; must be first
 * @account: the account that is charged for a connected endpoint, or NULL while
 *	the endpoint is unconnected; under altconn_lock()
 * @overflow: ALTCONN_DGRAM_OVERFLOW; written under @queue_lock
 * @peer: the address that the endpoint is connected to, a reference: the
 *	default destination of send(), and the only address from which datagrams
 *	are received. NULL if the endpoint is unconnected or half of a
 *	socketpair. Written under @queue_lock
 * @peer_genid: index of the generation of @peer in altconn_dgram_genids; under
 *	@queue_lock
 * @peer_sk: the other half of a socketpair, a reference; under @queue_lock
 * @queue_lock: protects the members that name it
 * @queue: datagrams that have not been read; under @queue_lock
 * @queued: bytes that the endpoint is charged for @queue; written under
 *	@queue_lock
 * @unread: bytes of data in @queue, at most @queued; written under @queue_lock
 * @load: @queued and @unread as one number, so that one addition changes both.
 *	Neither half overflows into the other: the limit is an int, and the one
 *	datagram that may exceed the limit is smaller than INT_MAX bytes
 * @ruling: the ruling that connect() got for datagrams to @peer; under
 *	@queue_lock
 * @delay_queue: the queue of datagrams that a rule delays (dgram_delay.c); NULL
 *	until a rule first delays one, then set once, by cmpxchg()
 * @cached_receiver: the receiver that a lookup of @peer found last, without a
 *	reference. It is valid only while @cached_genid equals the generation
 *	of @peer; under @queue_lock
 * @cached_genid: the generation of @peer before the lookup of
 *	@cached_receiver; under @queue_lock
 * @blocked: threads that wait for space in @queue, in order of arrival; under
 *	@queue_lock. dgram_block.c describes this member and the next three
 * @promised: bytes of the datagrams of blocked threads that have the turn to
 *	use free space; written under @queue_lock
 * @turn_open: the first thread of @blocked may get the turn. Set when half of
 *	the queue is free. Cleared when a thread blocks first, and when the
 *	queue gets full; written under @queue_lock
 * @may_exceed: while threads are blocked, one datagram of another sender may
 *	exceed the limit; written under @queue_lock
 * @pollers: endpoints that are woken for poll() when @queue has space; under
 *	@queue_lock
 * @poll_lock: protects @watches
 * @watches: the full receiver that a poll() of this endpoint waits for, a
 *	reference
 * @poll_node: link in @pollers of the endpoint @watches, under the @queue_lock
 *	of that endpoint
 * @cork: pieces of a datagram that MSG_MORE or UDP_CORK holds back
 *	(dgram_send.c); NULL until the first use, then set once, by cmpxchg()
 *
 * Lifetime: that of @base.
 */
struct altconn_dgram_sock {
	struct altconn_sock		base;
	struct altconn_account		*account;
	u8				overflow;
	u8				peer_genid;
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
	struct altconn_delay_queue	*delay_queue;
	struct sock			*cached_receiver;
	u64				cached_genid;
	struct list_head		blocked;
	u32				promised;
	bool				turn_open;
	bool				may_exceed;
	struct list_head		pollers;
	spinlock_t			poll_lock;	/* watches */
	struct sock			*watches;
	struct list_head		poll_node;
	struct altconn_cork		*cork;
};

/**
 * altconn_sk() - get the endpoint of a struct sock
 * @sk: the struct sock
 *
 * Context: any.
 * Return: the endpoint, without a reference of its own.
 */
static inline struct altconn_sock *altconn_sk(const struct sock *sk)
{
	return (struct altconn_sock *)sk;
}

/**
 * altconn_extra_of() - get the altconn_extra of an endpoint
 * @sk: the endpoint
 *
 * Context: any; takes no lock.
 * Return: the altconn_extra, initialized, or NULL if the endpoint has none yet.
 */
static inline struct altconn_extra *altconn_extra_of(const struct sock *sk)
{
	/* Pairs with altconn_endpoint_get_extra(). */
	return smp_load_acquire(&altconn_sk(sk)->extra);
}

/**
 * altconn_timeout_ms() - get the value of ALTCONN_CONNECT_TIMEOUT
 * @sk: the endpoint
 *
 * Context: process; altconn_lock() held.
 * Return: milliseconds, or ALTCONN_TIMEOUT_DEFAULT if the option is not set.
 */
static inline u64 altconn_timeout_ms(const struct sock *sk)
{
	const struct altconn_extra *extra = altconn_sk(sk)->extra;

	return extra ? extra->timeout_ms : ALTCONN_TIMEOUT_DEFAULT;
}

/**
 * altconn_format_is_inet() - check whether an address format is an inet format
 * @format: address format
 *
 * Context: any.
 * Return: true for sockaddr_in and sockaddr_in6, else false.
 */
static inline bool altconn_format_is_inet(u8 format)
{
	return format == ALTCONN_INET || format == ALTCONN_INET6;
}

/**
 * altconn_is_inet() - check whether an endpoint uses an inet format
 * @sk: the endpoint
 *
 * Context: any.
 * Return: true for sockaddr_in and sockaddr_in6, else false.
 */
static inline bool altconn_is_inet(const struct sock *sk)
{
	return altconn_format_is_inet(altconn_sk(sk)->format);
}

/**
 * altconn_dgram_sk() - get the datagram endpoint of a struct sock
 * @sk: the struct sock, of type SOCK_DGRAM
 *
 * Context: any.
 * Return: the endpoint, without a reference of its own.
 */
static inline struct altconn_dgram_sock *altconn_dgram_sk(const struct sock *sk)
{
	return (struct altconn_dgram_sock *)sk;
}

/**
 * altconn_state() - read the state of an endpoint
 * @sk: the endpoint
 *
 * If the result is the state after the decision of an attempt, the caller also
 * reads the values of sk->sk_err and of the association after the decision.
 *
 * Context: any.
 * Return: sk->sk_state, read with acquire semantics.
 */
static inline u8 altconn_state(const struct sock *sk)
{
	/*
	 * Pairs with smp_store_release() in attempt_complete_client(), which
	 * stores sk_state last.
	 */
	return smp_load_acquire(&sk->sk_state);
}

/**
 * altconn_lock() - lock an endpoint
 * @sk: the endpoint
 *
 * A system call that changes the endpoint holds this lock. The core's
 * lock_sock() does not serve this purpose: the core copies the values of some
 * options from user memory under it, and a user can make such a copy last for
 * ever. It also costs more, since it disables softirqs twice. No user memory is
 * accessed under this lock.
 *
 * Context: process, may sleep; no lock of another endpoint held.
 */
static inline void altconn_lock(struct sock *sk)
{
	mutex_lock(&altconn_sk(sk)->lock);
}

/**
 * altconn_unlock() - unlock an endpoint
 * @sk: the endpoint, locked by the caller
 *
 * Context: process.
 */
static inline void altconn_unlock(struct sock *sk)
{
	mutex_unlock(&altconn_sk(sk)->lock);
}

/**
 * altconn_is_locked() - check whether an endpoint is locked, for lockdep
 * @sk: the endpoint
 *
 * Context: any.
 * Return: true if the caller has locked the endpoint, or if the kernel has no
 * lockdep.
 */
static inline bool altconn_is_locked(const struct sock *sk)
{
#ifdef CONFIG_LOCKDEP
	return lockdep_is_held(&altconn_sk(sk)->lock);
#else
	return true;
#endif
}

/**
 * altconn_sock_assoc() - get the association of a locked endpoint
 * @sk: the endpoint
 *
 * Context: process; altconn_lock() held.
 * Return: the association or attempt, valid while altconn_lock() is held,
 * without a reference; NULL if the endpoint has none.
 */
static inline struct altconn_assoc *altconn_sock_assoc(const struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->assoc,
					 altconn_is_locked(sk));
}

/**
 * altconn_sock_own_addr() - get the address of a locked endpoint
 * @sk: the endpoint
 *
 * Context: process; altconn_lock() held.
 * Return: the address, without a reference, valid until altconn_unlock(); NULL
 * if the endpoint is unnamed.
 */
static inline struct altconn_addr *altconn_sock_own_addr(const struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->addr,
					 altconn_is_locked(sk));
}

#endif /* _ALTCONN_SOCK_H */
