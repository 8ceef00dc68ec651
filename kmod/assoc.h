/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ASSOC_H
#define _ALTCONN_ASSOC_H

#include "altconn.h"
#include "registry.h"
#include "sock.h"
#include "task_info.h"

struct altconn_account;
struct altconn_addr;
struct altconn_xns;
struct altconn_listener;
struct altconn_net;
struct altconn_peer_info;
struct altconn_ring;
struct altconn_wait;
struct cred;

/**
 * enum altconn_side - an end of an association
 * @ALTCONN_CLIENT: the end of the socket that connect() was called on, or of
 *	the first socket of socketpair()
 * @ALTCONN_SERVER: the other end
 */
enum altconn_side { ALTCONN_CLIENT, ALTCONN_SERVER };

/**
 * struct altconn_end - one end of an association
 * @sk: endpoint of this end; set once, and pinned until the association is
 *	freed; NULL at the server's end before accept()
 * @addr: address of this end as the client's namespace sees it, a reference;
 *	NULL if the end is unnamed. Set before @sk, or once later by
 *	altconn_assoc_set_end_addr(). struct altconn_xns has the addresses that
 *	the server's namespace sees
 * @task: process of this end, under assoc->lock. At the client's end it is the
 *	process that called connect(). At the server's end it is the process
 *	that called listen(), and after accept() the process that called
 *	accept(). At both ends of a socketpair it is the process that called
 *	socketpair()
 * @in: ring with the data that this end has not read yet; NULL until data is
 *	sent to this end or the direction is shut
 * @format: address format of this end
 * @shutdown: RCV_SHUTDOWN and SEND_SHUTDOWN, as shutdown() or close() of this
 *	end has set them
 * @shut: RCV_SHUTDOWN and SEND_SHUTDOWN, as they are in effect for this end:
 *	@shutdown, and the directions that @shutdown of the peer shuts here, see
 *	assoc_peer_shut_mask()
 * @want_space: a writer at this end waits for space in @in of the peer
 * @closed: this end is over: after close() or connect() to AF_UNSPEC, because
 *	an administrator ended the association, or because the listener ended it
 *	before accept()
 * @reset: this end gets ECONNRESET: the peer closed with unread data, an
 *	administrator ended the association, or the listener ended it before
 *	accept()
 * @lost: one send at this end has succeeded after the peer closed, as with TCP;
 *	its data is lost
 */
struct altconn_end {
	struct sock		*sk;
	struct altconn_addr	*addr;
	struct altconn_task_info	task;
	struct altconn_ring	*in;
	u8			format;
	u8			shutdown;
	u8			shut;
	bool			want_space;
	bool			closed;
	bool			reset;
	bool			lost;
};

/**
 * struct altconn_assoc - an association; an attempt is a pending association
 * @refs: references; see below
 * @state: ALTCONN_ASSOC_STATE_PENDING, _QUEUED, _ESTABLISHED or _CLOSED; see
 *	below
 * @type: SOCK_STREAM or SOCK_SEQPACKET
 * @entry: entry in the registry of @an; removed when the attempt fails or both
 *	ends have closed, which may be long before the association is freed.
 *	@entry.begun is the time when connect() or socketpair() was called
 * @waits_listener: the attempt waits if no listener serves its address
 *	(ALTCONN_WAIT_LISTENER)
 * @waited: the attempt was not decided at once, because it waits or waited in a
 *	waiting room, or is or was parked. The thread in connect() itself
 *	decides any other attempt
 * @published: the client's endpoint points to the attempt, and has entered
 *	TCP_SYN_SENT; never set for a socketpair
 * @err: positive errno of a failed attempt, else 0
 * @reason: enum altconn_reason of the decision
 * @rule: id of the rule that has delayed or dropped the attempt, or 0
 * @lock: protects the decision, the flags of the ends, and ask->assoc of both
 *	endpoints
 * @an: network namespace of the client; lives as long as end[ALTCONN_CLIENT].sk
 * @account: account that the association is charged to from its registration
 *	until it is freed, or NULL
 * @listener: listener that established the association, a reference; set once;
 *	NULL for an attempt and for a socketpair
 * @node: link in listener->queue
 * @wait: state of an attempt that waits or has waited, else NULL; set once,
 *	before the attempt is published
 * @expires: deadline of the attempt, ns; 0 for none
 * @decided_at: time when the attempt was decided, ns; 0 while it is pending
 * @cred: credentials of the process that called connect(), for SO_PEERCRED of
 *	the server
 * @xns: state of the association in the server's network namespace, if that is
 *	another one than @an, else NULL; set once
 * @end: the ends, by enum altconn_side
 * @rcu: delays the reuse of the memory, on kernels with KASAN
 *
 * Lifetime: These hold a reference each:
 *
 *	ask->assoc of each endpoint
 *	the lane or the accept queue that the attempt or association is in;
 *	accept() moves the reference of the queue to the new endpoint
 *	the armed timer and the queued job of an attempt
 *	the claim of the client's binding (claim.c)
 *	calls under way
 *
 * Each end pins its struct sock until the association is freed, so a writer
 * wakes the peer without a lock. An endpoint drops its reference when it closes
 * or leaves the association, which ends the cycle of references. A walk of the
 * registry takes a reference with refcount_inc_not_zero(). Freed memory can
 * become another association at once, but nothing else before a grace period
 * has passed (SLAB_TYPESAFE_BY_RCU). So altconn_assoc_of(), which takes no
 * lock, takes a reference and then checks that the endpoint still has this
 * association.
 *
 * Changes of the state, with the lock that is held::
 *
 *	PENDING -> QUEUED, CLOSED	assoc->lock; see the top of attempt.c
 *	QUEUED -> ESTABLISHED		listener->lock; accept()
 *	QUEUED -> CLOSED		listener->lock; the listener closes, or
 *					an administrator ends the association
 *
 * The state stays ESTABLISHED when the ends have closed. A socketpair is
 * ESTABLISHED from the beginning.
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
	u64			decided_at;
	const struct cred	*cred;
	struct altconn_xns	*xns;
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
int altconn_assoc_register(struct altconn_assoc *assoc);
void altconn_assoc_unlist(struct altconn_assoc *assoc);
void altconn_assoc_attach(struct altconn_assoc *assoc, enum altconn_side side,
			  struct sock *sk);
void altconn_assoc_set_end_addr(struct sock *sk);
void altconn_assoc_detach(struct sock *sk);
void altconn_assoc_reset_unaccepted(struct altconn_assoc *assoc);
bool altconn_assoc_reset_ends(struct altconn_assoc *assoc);
void altconn_assoc_shutdown(struct altconn_assoc *assoc,
			    enum altconn_side side, u8 how);
int altconn_assoc_pair(struct sock *a, struct sock *b);
int altconn_assoc_peer_info(const struct sock *sk,
			    struct altconn_peer_info *info);
int __init altconn_assoc_init(void);
void altconn_assoc_exit(void);
void altconn_assoc_save_outcome(struct sock *sk,
				const struct altconn_assoc *assoc);

/**
 * altconn_assoc_state() - read the state of an association
 * @assoc: the association
 *
 * A caller that sees that the attempt is decided also sees the err and the
 * reason of the decision.
 *
 * Context: any.
 * Return: the state.
 */
static inline u8 altconn_assoc_state(const struct altconn_assoc *assoc)
{
	/*
	 * Load the state, then err and reason. Pairs with smp_store_release()
	 * in altconn_assoc_set_state().
	 */
	return smp_load_acquire(&assoc->state);
}

/**
 * altconn_assoc_set_state() - change the state of an association
 * @assoc: the association
 * @state: the new state
 *
 * Context: process; assoc->lock held if the state is PENDING, listener->lock if
 * the state is QUEUED.
 */
static inline void altconn_assoc_set_state(struct altconn_assoc *assoc,
					   u8 state)
{
	/*
	 * Store err and reason, then the state. Pairs with smp_load_acquire()
	 * in altconn_assoc_state().
	 */
	smp_store_release(&assoc->state, state);
}

/**
 * altconn_assoc_get() - take a reference to an association
 * @assoc: the association; another reference keeps it alive meanwhile
 *
 * Context: any.
 * Return: @assoc.
 */
static inline struct altconn_assoc *
altconn_assoc_get(struct altconn_assoc *assoc)
{
	refcount_inc(&assoc->refs);
	return assoc;
}

/**
 * altconn_assoc_put() - drop a reference to an association
 * @assoc: the association
 *
 * Context: process; altconn_lock() may be held. Other locks of this module may
 * be held only if another reference exists, so that this one is not the last.
 */
static inline void altconn_assoc_put(struct altconn_assoc *assoc)
{
	if (unlikely(refcount_dec_and_test(&assoc->refs)))
		altconn_assoc_free(assoc);
}

/**
 * altconn_assoc_of() - look up the association of an endpoint
 * @sk: the endpoint
 * @side: set to the endpoint's end, if it has an association
 *
 * Context: any; takes no lock.
 * Return: the association with a reference, or NULL if the endpoint has none.
 */
static __always_inline struct altconn_assoc *
altconn_assoc_of(const struct sock *sk, enum altconn_side *side)
{
	struct altconn_assoc *assoc, *again;

	for (;;) {
		/* Disabled preemption is the cheapest RCU read section. */
		rcu_read_lock_sched();
		assoc = rcu_dereference_sched(altconn_sk(sk)->assoc);
		if (assoc && unlikely(!refcount_inc_not_zero(&assoc->refs))) {
			rcu_read_unlock_sched();
			continue;
		}
		rcu_read_unlock_sched();
		/*
		 * Load refs, then ask->assoc and the other members. Pairs with
		 * smp_wmb() in altconn_assoc_new(): if the memory has become
		 * another association, that one is initialized.
		 */
		smp_acquire__after_ctrl_dep();
		again = rcu_access_pointer(altconn_sk(sk)->assoc);
		/*
		 * Load ask->assoc, then the members. Pairs with
		 * rcu_assign_pointer(): they are as they were when ask->assoc
		 * was set, or newer.
		 */
		smp_rmb();
		if (likely(again == assoc))
			break;
		/* The endpoint has changed its association meanwhile. */
		if (assoc)
			altconn_assoc_put(assoc);
	}
	if (assoc)
		*side = assoc->end[ALTCONN_CLIENT].sk == sk ? ALTCONN_CLIENT :
							      ALTCONN_SERVER;
	return assoc;
}

/**
 * altconn_assoc_shut_mask() - read the directions that are shut for an end
 * @end: end of an association
 *
 * If the result has RCV_SHUTDOWN, all data that the caller reads afterwards was
 * sent before the peer shut its side, and no more data follows.
 *
 * Context: any.
 * Return: a mask of RCV_SHUTDOWN, if no more data arrives, and SEND_SHUTDOWN,
 * if the peer does not read any more.
 */
static inline u8 altconn_assoc_shut_mask(const struct altconn_end *end)
{
	/*
	 * Load shut, then the ring and sk_err. Pairs with smp_store_release()
	 * in assoc_shut_end().
	 */
	return smp_load_acquire(&end->shut);
}

#endif /* _ALTCONN_ASSOC_H */
