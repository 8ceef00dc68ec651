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
 * @ALTCONN_CLIENT: the end of the caller of connect(), or the first socket of
 *	socketpair()
 * @ALTCONN_SERVER: the other end
 */
enum altconn_side { ALTCONN_CLIENT, ALTCONN_SERVER };

/**
 * struct altconn_end - one end of an association
 * @sk: endpoint of this end, set once and pinned until the association is
 *	freed; NULL at the server's end before accept()
 * @addr: address of this end, a reference, NULL if it is unnamed; set not later
 *	than @sk, or once later by altconn_assoc_set_end_addr()
 * @task: process of this end, under assoc->lock: the caller of connect() at the
 *	client's end, the caller of accept() at the server's end, or before that
 *	the caller of listen()
 * @in: data that this end has not read yet; NULL until data is sent to this end
 *	or the direction is shut
 * @format: address format of this end
 * @shutdown: RCV_SHUTDOWN and SEND_SHUTDOWN by shutdown() or close of this end
 * @shut: RCV_SHUTDOWN and SEND_SHUTDOWN as they hold for this end: an end that
 *	shuts sending shuts its peer for reading, and the other way round
 * @want_space: a writer at this end waits for room in the peer's ring
 * @closed: this end has ended: by close(), by connect(AF_UNSPEC), by an
 *	administrator, or because no server accepted the association
 * @reset: the peer closed with unread data, no server accepted the association,
 *	or an administrator ended it
 * @lost: one send at this end has succeeded after the peer closed, as with TCP
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
 * @entry: entry in the registry of @an until the association has ended, which
 *	may be long before it is freed; the id is never reused while the module
 *	is loaded
 * @waits_listener: the attempt waits if no listener serves its address
 *	(ALTCONN_WAIT_LISTENER)
 * @waited: the attempt was not decided at once, because it waits or waited in a
 *	waiting room, or is or was parked. Only such an attempt can be decided by
 *	another thread than the caller of connect()
 * @published: connect() made the association, the client's endpoint points to
 *	it, and has entered TCP_SYN_SENT
 * @err: positive errno of a failed attempt, else 0
 * @reason: enum altconn_reason of the decision
 * @rule: id of the rule that has delayed or dropped the attempt, or 0
 * @lock: protects the decision, the flags of the ends, and ask->assoc of both
 *	endpoints
 * @an: network namespace of the client; lives as long as end[ALTCONN_CLIENT].sk
 * @account: account that the association is charged to from its registration
 *	until it is freed, or NULL
 * @listener: listener that established the association in its accept queue, a
 *	reference; NULL for an attempt and for a socketpair
 * @node: link in listener->queue
 * @wait: state of an attempt that waits or has waited, else NULL; set before
 *	the attempt is published
 * @expires: deadline of the attempt, ns; 0 for none
 * @begun: time when connect() was called, ns
 * @decided_at: time when the attempt was decided, ns; 0 while it is pending
 * @cred: credentials of the caller of connect(), for SO_PEERCRED of the server
 * @xns: the server's part if the server is in another network namespace, else
 *	NULL
 * @end: the ends, by enum altconn_side
 * @rcu: delays the reuse of the memory, on kernels with KASAN
 *
 * Lifetime: references are held by ask->assoc of each endpoint, by the queue of
 * the waiting room or of the listener (accept() hands that reference to the new
 * endpoint), by the armed timer and the queued job of an attempt, by the claim
 * that reserves the pair of addresses for the client's binding, and by system
 * calls under way. Each end pins its struct sock until the association is
 * freed, so data and wake-ups need no lock to reach the peer. An endpoint drops
 * its reference when it closes or dissolves, which breaks the cycle. No
 * reference can appear after the last: a walk of the registry takes one with
 * refcount_inc_not_zero(). The memory keeps its type for a grace period
 * (SLAB_TYPESAFE_BY_RCU), so a lookup by endpoint without a lock checks again
 * whether the association belongs to that endpoint: altconn_assoc_of().
 *
 * attempt_decide() of attempt.c changes the state from PENDING to QUEUED or
 * CLOSED, exactly once, under assoc->lock. The state leaves QUEUED under
 * listener->lock: for ESTABLISHED in accept(), for CLOSED when the listener
 * closes or an administrator ends the association. An association stays
 * ESTABLISHED when its ends have closed. A socketpair is ESTABLISHED from the
 * beginning.
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
struct altconn_account *altconn_assoc_charge(struct altconn_net *an);
void altconn_assoc_uncharge(struct altconn_net *an,
			    struct altconn_account *account);
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
 * The caller also sees everything that was written before the state, such as
 * err and reason.
 *
 * Context: any.
 * Return: the state.
 */
static inline u8 altconn_assoc_state(const struct altconn_assoc *assoc)
{
	/* Pairs with altconn_assoc_set_state(). */
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
	/* Pairs with altconn_assoc_state(): err and reason are set. */
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
 * Context: process; no lock of this module held, unless the caller knows that
 * the reference is not the last. lock_sock() may be held.
 */
static inline void altconn_assoc_put(struct altconn_assoc *assoc)
{
	if (unlikely(refcount_dec_and_test(&assoc->refs)))
		altconn_assoc_free(assoc);
}

/**
 * altconn_assoc_of() - look up the association of an endpoint
 * @sk: the endpoint
 * @side: set to the end that the endpoint is
 *
 * Context: any; takes no lock.
 * Return: the association with a reference, or NULL if the endpoint has none.
 */
static __always_inline struct altconn_assoc *
altconn_assoc_of(const struct sock *sk, enum altconn_side *side)
{
	struct altconn_assoc *assoc, *again;

	for (;;) {
		/* A read section without preemption is enough, and cheaper. */
		rcu_read_lock_sched();
		assoc = rcu_dereference_sched(altconn_sk(sk)->assoc);
		if (assoc && unlikely(!refcount_inc_not_zero(&assoc->refs))) {
			rcu_read_unlock_sched();
			continue;
		}
		rcu_read_unlock_sched();
		/*
		 * Take the reference, then read the pointer again. Pairs with
		 * altconn_assoc_new().
		 */
		smp_acquire__after_ctrl_dep();
		again = rcu_access_pointer(altconn_sk(sk)->assoc);
		/*
		 * Pairs with rcu_assign_pointer() of ask->assoc: the
		 * association is complete.
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
	/* Pairs with assoc_shut_end(), which seals the ring first. */
	return smp_load_acquire(&end->shut);
}

#endif /* _ALTCONN_ASSOC_H */
