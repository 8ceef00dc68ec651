/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ASSOC_H
#define _ALTCONN_ASSOC_H

#include "altconn.h"
#include "registry.h"
#include "sock.h"
#include "task_info.h"

struct altconn_account;
struct altconn_addr;
struct altconn_far;
struct altconn_listener;
struct altconn_net;
struct altconn_peer_info;
struct altconn_ring;
struct altconn_wait;
struct cred;

enum altconn_side { ALTCONN_CLIENT, ALTCONN_SERVER };

/**
 * struct altconn_end - one end of an association
 * @sk: its endpoint, set once and pinned until the association is freed; NULL
 *	on the server's side before accept()
 * @addr: its address, a reference, NULL when unnamed; set with @sk or before, or
 *	once later: altconn_assoc_bound()
 * @who: at connect(), at accept() or, before that, at listen(); assoc->lock
 * @in: what it has not read yet; NULL until something is sent to it
 * @dress: how it writes addresses
 * @shutdown: RCV_SHUTDOWN, SEND_SHUTDOWN by its own shutdown() or close
 * @shut: and by the peer's: what the one shuts for sending the other does for
 *	reading
 * @want_space: it waits for room towards the peer
 * @closed: closed or dissolved
 * @reset: the peer closed with data unread, or nobody accepted
 * @lost: it sent something after the peer had closed, and was not told
 */
struct altconn_end {
	struct sock		*sk;
	struct altconn_addr	*addr;
	struct altconn_who	who;
	struct altconn_ring	*in;
	u8			dress;
	u8			shutdown;
	u8			shut;
	bool			want_space;
	bool			closed;
	bool			reset;
	bool			lost;
};

/**
 * struct altconn_assoc - an association, pending ones (attempts) included
 * @refs: see below
 * @state: PENDING, QUEUED, ESTABLISHED or CLOSED; see below
 * @type: SOCK_STREAM or SOCK_SEQPACKET
 * @entry: in the namespace's registry until the association has ended, which may be
 *	long before it is freed; the id is never reused while the module is loaded
 * @waits_listener: without a listener it waits for one (ALTCONN_WAIT_LISTENER)
 * @waited: it was not decided at once
 * @published: connect() made it, and its endpoint has it
 * @err: positive errno of a failed attempt
 * @reason: enum altconn_reason of the decision
 * @rule: id of the rule that held it, or 0
 * @lock: the decision, the ends' flags, and ask->assoc of both endpoints
 * @an: namespace; lives as long as end[CLIENT].sk does
 * @account: what it is charged to from its registration until it is freed, or NULL
 * @listener: in whose accept queue it was established, a reference; NULL of a
 *	socketpair and of an attempt
 * @node: in listener->queue
 * @wait: of an attempt that waits or has waited, else NULL; set before the
 *	attempt is published
 * @expires: the deadline, ns; 0 for none
 * @begun: when connect() was called, ns
 * @decided: when the attempt was decided, ns; 0 while it is pending
 * @cred: of the caller of connect(), for the server's SO_PEERCRED
 * @far: when the server is in another namespace, else NULL
 * @end: by enum altconn_side
 * @rcu: frees it, on kernels that watch for late users
 *
 * Lifetime: references are held by ask->assoc of each endpoint, by the queue
 * of the room or of the listener that it is in (accept() hands that one to the
 * new endpoint), by the armed deadline, by a claim of the client's binding
 * (E-ADDRINUSE) and by system calls under way. Each end pins its struct sock
 * until the association is freed, so data and wake-ups need no lock to reach
 * the peer; an endpoint drops its reference when it closes or dissolves, which
 * ends the circle. No reference can appear after the last: a walk of the
 * registry takes one with refcount_inc_not_zero(). The memory keeps its type for
 * a grace period (SLAB_TYPESAFE_BY_RCU), so a lookup by endpoint without a
 * lock checks again whether it is that endpoint's: altconn_assoc_of().
 *
 * The state changes under assoc->lock: PENDING -> QUEUED or CLOSED in
 * attempt_decide() of attempt.c, exactly once. It leaves QUEUED under
 * listener->lock: for ESTABLISHED in accept(), for CLOSED when the listener
 * goes.
 */
struct altconn_assoc {
	refcount_t		refs;
	u8			state;
	u8			type;
	bool			waits_listener;
	bool			waited;
	bool			published;
	u8			err;
	u8			reason;
	u32			rule;
	spinlock_t		lock;		/* decision, ends, ask->assoc */
	struct altconn_entry	entry;
	struct altconn_net	*an;
	struct altconn_account	*account;
	struct altconn_listener	__rcu *listener;
	struct list_head	node;
	struct altconn_wait	*wait;
	u64			expires;
	u64			begun;
	u64			decided;
	const struct cred	*cred;
	struct altconn_far	*far;
	struct altconn_end	end[2];
#ifdef CONFIG_KASAN
	struct rcu_head		rcu;
#endif
};

void altconn_assoc_set_server(struct altconn_assoc *assoc,
			      const struct altconn_listener *ln);
struct altconn_assoc *altconn_assoc_new(struct sock *sk,
					struct altconn_addr *dest);
void altconn_assoc_free(struct altconn_assoc *assoc);
struct altconn_account *altconn_assoc_count(struct altconn_net *an);
void altconn_assoc_uncount(struct altconn_net *an,
			   struct altconn_account *account);
int altconn_assoc_register(struct altconn_assoc *assoc);
void altconn_assoc_over(struct altconn_assoc *assoc);
void altconn_assoc_attach(struct altconn_assoc *assoc, enum altconn_side side,
			  struct sock *sk);
void altconn_assoc_bound(struct sock *sk);
void altconn_assoc_detach(struct sock *sk);
void altconn_assoc_abandon(struct altconn_assoc *assoc);
bool altconn_assoc_reset_ends(struct altconn_assoc *assoc);
void altconn_assoc_shutdown(struct altconn_assoc *assoc,
			    enum altconn_side side, u8 how);
int altconn_assoc_pair(struct sock *a, struct sock *b);
int altconn_assoc_peer_info(const struct sock *sk,
			    struct altconn_peer_info *info);
int __init altconn_assoc_init(void);
void altconn_assoc_exit(void);
void altconn_connect_record(struct sock *sk, const struct altconn_assoc *assoc);

/**
 * altconn_assoc_state() - assoc->state, and everything that came before it
 * @assoc: the association
 */
static inline u8 altconn_assoc_state(const struct altconn_assoc *assoc)
{
	/* Pairs with altconn_assoc_set_state(). */
	return smp_load_acquire(&assoc->state);
}

static inline void altconn_assoc_set_state(struct altconn_assoc *assoc,
					   u8 state)
{
	/* Pairs with altconn_assoc_state(): err and reason are set. */
	smp_store_release(&assoc->state, state);
}

static inline struct altconn_assoc *
altconn_assoc_get(struct altconn_assoc *assoc)
{
	refcount_inc(&assoc->refs);
	return assoc;
}

/**
 * altconn_assoc_put() - drop a reference
 * @assoc: the association
 *
 * Context: process; no lock of this module held.
 */
static inline void altconn_assoc_put(struct altconn_assoc *assoc)
{
	if (unlikely(refcount_dec_and_test(&assoc->refs)))
		altconn_assoc_free(assoc);
}

/**
 * altconn_assoc_of() - the association of an endpoint
 * @sk: the endpoint
 * @side: which end it is
 *
 * Context: any; takes no lock.
 * Return: a reference, or NULL.
 */
static __always_inline struct altconn_assoc *
altconn_assoc_of(const struct sock *sk, enum altconn_side *side)
{
	struct altconn_assoc *assoc, *again;

	for (;;) {
		/* Who does not sleep is a reader too, and that costs less. */
		rcu_read_lock_sched();
		assoc = rcu_dereference_sched(altconn_sk(sk)->assoc);
		if (assoc && unlikely(!refcount_inc_not_zero(&assoc->refs))) {
			rcu_read_unlock_sched();
			continue;
		}
		rcu_read_unlock_sched();
		/* The reference first, then the second look. */
		smp_acquire__after_ctrl_dep();
		again = rcu_access_pointer(altconn_sk(sk)->assoc);
		/* And then what it shows: it is whole. */
		smp_rmb();
		if (likely(again == assoc))
			break;
		/* Another one by now, in the same memory or not. */
		if (assoc)
			altconn_assoc_put(assoc);
	}
	if (assoc)
		*side = assoc->end[ALTCONN_CLIENT].sk == sk ? ALTCONN_CLIENT :
							      ALTCONN_SERVER;
	return assoc;
}

/**
 * altconn_assoc_shut() - which directions are shut for an end
 * @end: of an association
 *
 * Context: any. Data that is read after this call was sent before the peer
 * shut its side, when RCV_SHUTDOWN is set.
 *
 * Return: RCV_SHUTDOWN: nothing will come any more; SEND_SHUTDOWN: nobody
 * would read it.
 */
static inline u8 altconn_assoc_shut(const struct altconn_end *end)
{
	/* Pairs with shut(): behind the last byte that was written. */
	return smp_load_acquire(&end->shut);
}

#endif /* _ALTCONN_ASSOC_H */
