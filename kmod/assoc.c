// SPDX-License-Identifier: GPL-2.0
/* The life of associations, from the allocation to the release. */

#include <linux/cred.h>
#include <linux/slab.h>
#include "account.h"
#include "addr.h"
#include "assoc.h"
#include "attempt_deadline.h"
#include "endpoint.h"
#include "event_assoc.h"
#include "listener.h"
#include "netns.h"
#include "payer.h"
#include "registry.h"
#include "ring.h"
#include "room.h"
#include "sock.h"
#include "task_info.h"
#include "trace.h"
#include "xns.h"

static struct kmem_cache *assoc_cache;

static void assoc_free_end(struct altconn_end *end)
{
	altconn_addr_put(end->addr);
	put_pid(end->task.pid);
	if (end->sk)
		sock_put(end->sk);
}

/* Make the calling process the process of an end. */
static void assoc_set_process(struct altconn_assoc *assoc,
			      struct altconn_end *end)
{
	spin_lock(&assoc->lock);
	altconn_task_info_set_current(&end->task);
	spin_unlock(&assoc->lock);
}

/*
 * Set the client's end of a new association, which no other thread sees yet.
 * The endpoint is locked, or no other thread sees it either.
 * altconn_assoc_attach() sets the endpoint of the server's end.
 */
static void assoc_set_client(struct altconn_assoc *assoc, struct sock *sk)
{
	struct altconn_addr *addr =
		rcu_dereference_protected(altconn_sk(sk)->addr, true);
	struct altconn_end *end = &assoc->end[ALTCONN_CLIENT];

	sock_hold(sk);
	end->sk = sk;
	end->addr = altconn_addr_get(addr);
	end->format = altconn_sk(sk)->format;
	end->task = altconn_task_info_current();
}

/**
 * altconn_assoc_set_server() - set the process and address format of the
 * server's end
 * @assoc: an attempt that waits for @ln, or that @ln has just established
 * @ln: the listener; its process is the last one that called listen()
 *
 * Context: process; assoc->lock and the listener's lock held.
 */
void altconn_assoc_set_server(struct altconn_assoc *assoc,
			      const struct altconn_listener *ln)
{
	struct altconn_end *end = &assoc->end[ALTCONN_SERVER];

	lockdep_assert_held(&assoc->lock);
	lockdep_assert_held(&ln->lock);
	altconn_task_info_assign(&end->task, &ln->task);
	end->format = ln->format;
}

/**
 * altconn_assoc_new() - allocate a pending association
 * @sk: the endpoint that connects; becomes the client's end
 * @dest: destination address; becomes the address of the server's end, which
 *	takes a reference; NULL for a socketpair
 *
 * Context: process, may sleep.
 * Return: the association with one reference, not registered yet; NULL if
 * memory runs out.
 */
struct altconn_assoc *altconn_assoc_new(struct sock *sk,
					struct altconn_addr *dest)
{
	struct altconn_assoc *assoc;

	assoc = kmem_cache_zalloc(assoc_cache, GFP_KERNEL_ACCOUNT);
	if (!assoc)
		return NULL;
	spin_lock_init(&assoc->lock);
	INIT_LIST_HEAD(&assoc->node);
	assoc->state = ALTCONN_ASSOC_STATE_PENDING;
	assoc->type = sk->sk_type;
	assoc->an = altconn_pernet(sock_net(sk));
	altconn_registry_entry_init(&assoc->entry);
	altconn_registry_identify(&assoc->entry);
	assoc->cred = get_current_cred();
	assoc->end[ALTCONN_SERVER].task = ALTCONN_TASK_INFO_NONE;
	assoc_set_client(assoc, sk);
	assoc->end[ALTCONN_SERVER].addr = altconn_addr_get(dest);
	/*
	 * Store the other members, then refs. Pairs with
	 * smp_acquire__after_ctrl_dep() in altconn_assoc_of(): a reader that
	 * found this memory when it was another association can take a
	 * reference as soon as refs is not 0.
	 */
	smp_wmb();
	refcount_set(&assoc->refs, 1);
	return assoc;
}

#ifdef CONFIG_KASAN
/* This byte makes stale pointers and states invalid, and locks look taken. */
#define ASSOC_PATTERN	0x5a

static void assoc_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(assoc_cache,
			container_of(rcu, struct altconn_assoc, rcu));
}

/*
 * Free the memory of an association. KASAN does not detect a use after free in
 * a cache with SLAB_TYPESAFE_BY_RCU. So fill every second association with a
 * pattern, and free it after a grace period. Its reference count stays 0, and a
 * reader that uses another member finds the pattern. Free the others at once,
 * as all are without KASAN.
 */
static void assoc_free_memory(struct altconn_assoc *assoc)
{
	/* The ids of a CPU are multiples of the stride, plus a constant. */
	if (assoc->entry.id & altconn_registry_id_stride) {
		kmem_cache_free(assoc_cache, assoc);
		return;
	}
	memset_after(assoc, ASSOC_PATTERN, refs);
	call_rcu(&assoc->rcu, assoc_free_rcu);
}
#else
static void assoc_free_memory(struct altconn_assoc *assoc)
{
	kmem_cache_free(assoc_cache, assoc);
}
#endif

/* Undo altconn_assoc_register(), if it has succeeded. */
static void assoc_unregister(struct altconn_assoc *assoc)
{
	if (!assoc->account)
		return;
	/* connect() may have failed before it published the attempt. */
	if (altconn_registry_entry_is_listed(&assoc->entry))
		altconn_registry_remove(&assoc->an->assocs, &assoc->entry);
	altconn_account_uncharge(assoc->an, assoc->account);
}

static void assoc_free_wait_job(struct altconn_job *job)
{
	struct altconn_wait *wait = container_of(job, struct altconn_wait, job);

	path_put(&wait->path);
	kfree(wait);
}

/*
 * Free assoc->wait, which may be NULL. path_put() of the last reference to an
 * inode takes locks of the file system, which come before altconn_lock() in the
 * order of locks. The caller may hold altconn_lock(), so a kernel thread puts
 * the path.
 */
static void assoc_free_wait(struct altconn_wait *wait)
{
	if (!wait)
		return;
	altconn_room_put(wait->room);
	if (!wait->path.dentry) {
		kfree(wait);
		return;
	}
	/*
	 * No reference is left, so the job is in no queue. If the job itself
	 * has dropped the last reference, it does not use @wait any more.
	 */
	altconn_job_init(&wait->job, assoc_free_wait_job);
	altconn_payer_queue(wait->delays, &wait->job);
}

/**
 * altconn_assoc_free() - free an association without references
 * @assoc: the association
 *
 * The association drops its references to the endpoints. So the caller must not
 * use an endpoint to which it has no reference of its own.
 *
 * Context: process; no lock of this module held. altconn_lock() may be held.
 */
void altconn_assoc_free(struct altconn_assoc *assoc)
{
	struct altconn_listener *ln;

	assoc_unregister(assoc);
	altconn_xns_unlink(assoc);
	altconn_xns_free(assoc->xns);
	put_cred(assoc->cred);
	ln = rcu_dereference_protected(assoc->listener, true);
	if (ln)
		altconn_listener_put(ln);
	assoc_free_wait(assoc->wait);
	altconn_ring_free(assoc->end[ALTCONN_CLIENT].in);
	altconn_ring_free(assoc->end[ALTCONN_SERVER].in);
	assoc_free_end(&assoc->end[ALTCONN_SERVER]);
	/* Free this end last: its endpoint keeps the namespace alive. */
	assoc_free_end(&assoc->end[ALTCONN_CLIENT]);
	assoc_free_memory(assoc);
}

/**
 * altconn_assoc_register() - charge an association, and add it to the registry
 * of the client's namespace
 * @assoc: the association, not registered yet; the calling process is charged
 *
 * Context: process, may sleep.
 * Return: 0 on success, or an error of altconn_account_charge().
 */
int altconn_assoc_register(struct altconn_assoc *assoc)
{
	struct altconn_account *account = altconn_account_charge(assoc->an);

	if (IS_ERR(account))
		return PTR_ERR(account);
	assoc->account = account;
	altconn_registry_add(&assoc->an->assocs, &assoc->entry);
	return 0;
}

/**
 * altconn_assoc_unlist() - remove an association from the registries
 * @assoc: the association; its attempt has failed, or both ends have closed. It
 *	may have left the registries already
 *
 * The association stays charged to its user until it is freed.
 *
 * Context: process; may hold other locks, see Documentation/design/locking.rst.
 */
void altconn_assoc_unlist(struct altconn_assoc *assoc)
{
	const struct altconn_xns *xns;
	struct altconn_net *an;

	altconn_registry_remove(&assoc->an->assocs, &assoc->entry);
	/*
	 * Load assoc->xns, then its members. Pairs with smp_store_release() in
	 * __altconn_xns_link().
	 */
	xns = smp_load_acquire(&assoc->xns);
	if (likely(!xns))
		return;
	/* The server's namespace is freed a grace period after it ends. */
	rcu_read_lock();
	an = READ_ONCE(xns->an);
	if (an)
		altconn_registry_remove(&an->inbound, &assoc->xns->entry);
	rcu_read_unlock();
}

/**
 * altconn_assoc_attach() - give an end its endpoint
 * @assoc: the association; the caller's reference moves to the endpoint
 * @side: the end, which has no endpoint yet
 * @sk: a new endpoint that no other thread sees yet; the end takes a reference
 *
 * Set the address and the association of the endpoint, and its state to
 * TCP_ESTABLISHED. The calling process becomes the process of the end.
 *
 * Context: process.
 */
void altconn_assoc_attach(struct altconn_assoc *assoc, enum altconn_side side,
			  struct sock *sk)
{
	struct altconn_end *end = &assoc->end[side];
	struct altconn_addr *addr;

	assoc_set_process(assoc, end);
	addr = altconn_addr_get(altconn_xns_addr(assoc, side, side));
	rcu_assign_pointer(altconn_sk(sk)->addr, addr);
	rcu_assign_pointer(altconn_sk(sk)->assoc, assoc);
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	sock_hold(sk);
	/* Complete the endpoint, then let other threads find it. */
	smp_store_release(&end->sk, sk);
	/*
	 * Store ask->assoc and end->sk, then load reset. Pairs with smp_mb() in
	 * assoc_close_end(), which stores reset first. So at least one of the
	 * two threads sets sk_err.
	 */
	smp_mb();
	if (unlikely(READ_ONCE(end->reset)))
		WRITE_ONCE(sk->sk_err, ECONNRESET);
}

/* Set an address of an end, unless it is set. assoc->lock is held. */
static void assoc_set_addr(struct altconn_addr **place,
			   struct altconn_addr *addr)
{
	if (*place)
		return;
	/*
	 * Store the bytes of the address, then the pointer. Readers without a
	 * lock load the pointer in altconn_xns_addr(), and follow it.
	 */
	smp_store_release(place, altconn_addr_get(addr));
}

/**
 * altconn_assoc_set_end_addr() - set the address of an end after bind() of its
 * connected endpoint
 * @sk: the endpoint, in TCP_ESTABLISHED
 *
 * As in AF_UNIX, getpeername() at the other end then returns the new address.
 * An end that has an address keeps it. If the ends are in different namespaces,
 * the server's namespace sees the new address only if it is a path, since other
 * addresses mean something else there.
 *
 * Context: process.
 */
void altconn_assoc_set_end_addr(struct sock *sk)
{
	struct altconn_addr *addr = altconn_addr_of(sk);
	struct altconn_assoc *assoc;
	enum altconn_side side;

	assoc = altconn_assoc_of(sk, &side);
	if (assoc && addr) {
		struct altconn_xns *xns = READ_ONCE(assoc->xns);

		spin_lock(&assoc->lock);
		assoc_set_addr(&assoc->end[side].addr, addr);
		if (xns && addr->kind == ALTCONN_KIND_PATH)
			assoc_set_addr(&xns->addr[side], addr);
		spin_unlock(&assoc->lock);
	}
	if (assoc)
		altconn_assoc_put(assoc);
	altconn_addr_put(addr);
}

/*
 * Check whether the endpoint of an end still has the association. @sk is
 * end->sk, which may be NULL. assoc->lock is held.
 */
static bool assoc_is_attached(const struct altconn_assoc *assoc,
			      const struct sock *sk)
{
	return sk && rcu_access_pointer(altconn_sk(sk)->assoc) == assoc;
}

/*
 * Return the directions that own->shutdown shuts for the peer:
 *
 *	own->shutdown	shut for the peer
 *	SEND_SHUTDOWN	RCV_SHUTDOWN
 *	RCV_SHUTDOWN	SEND_SHUTDOWN; nothing if the peer has an inet format
 *	both		both
 *
 * As with TCP, a peer in an inet address format may send to an end that has
 * shut only reading, and gets no error.
 */
static u8 assoc_peer_shut_mask(const struct altconn_end *own,
			       const struct altconn_end *peer)
{
	u8 how = own->shutdown;

	if (how != SHUTDOWN_MASK && altconn_format_is_inet(peer->format))
		how &= ~RCV_SHUTDOWN;
	return (how & SEND_SHUTDOWN) >> 1 | (how & RCV_SHUTDOWN) << 1;
}

/*
 * Shut the directions @how for an end, and for the peer the directions that
 * assoc_peer_shut_mask() returns.
 */
static void assoc_shut_end(struct altconn_assoc *assoc, enum altconn_side side,
			   u8 how)
{
	struct altconn_end *own = &assoc->end[side];
	struct altconn_end *peer = &assoc->end[!side];

	lockdep_assert_held(&assoc->lock);
	BUILD_BUG_ON(RCV_SHUTDOWN != 1 || SEND_SHUTDOWN != 2);
	WRITE_ONCE(own->shutdown, own->shutdown | how);
	/* Both rings are sealed, for example by an earlier close. */
	if (own->shut == SHUTDOWN_MASK && peer->shut == SHUTDOWN_MASK)
		return;
	if (how & SEND_SHUTDOWN)
		altconn_ring_seal(&peer->in);
	if (assoc_peer_shut_mask(own, peer) & SEND_SHUTDOWN)
		altconn_ring_seal(&own->in);
	/*
	 * Seal the rings and store sk_err, then store shut of both ends. Pairs
	 * with smp_load_acquire() in altconn_assoc_shut_mask(): when a reader
	 * sees that its end is shut, no more data is written to its ring.
	 */
	smp_store_release(&own->shut, own->shut | how);
	/* A reader at the peer sees the sealed rings before it sees this. */
	smp_store_release(&peer->shut,
			  peer->shut | assoc_peer_shut_mask(own, peer));
}

/*
 * Mark an end closed, and shut both of its directions. If @reset is true, the
 * peer gets ECONNRESET.
 */
static void assoc_close_end(struct altconn_assoc *assoc, enum altconn_side side,
			    bool reset)
{
	struct sock *peer;

	lockdep_assert_held(&assoc->lock);
	WRITE_ONCE(assoc->end[side].closed, true);
	if (reset) {
		WRITE_ONCE(assoc->end[!side].reset, true);
		/*
		 * Store reset, then load the peer's sk and its ask->assoc.
		 * Pairs with smp_mb() in altconn_assoc_attach() and
		 * altconn_assoc_pair(), which store these first.
		 */
		smp_mb();
		peer = READ_ONCE(assoc->end[!side].sk);
		if (assoc_is_attached(assoc, peer))
			WRITE_ONCE(peer->sk_err, ECONNRESET);
	}
	/* The peer that sees end of file must also see the error. */
	assoc_shut_end(assoc, side, SHUTDOWN_MASK);
}

/*
 * Seal the ring of an end that closes, so that later writes of the peer fail.
 * Return true if the end has unread data, which makes the close a reset.
 */
static bool assoc_seal_unread(struct altconn_assoc *assoc,
			      enum altconn_side side)
{
	struct altconn_end *end = &assoc->end[side];

	lockdep_assert_held(&assoc->lock);
	/*
	 * Store shutdown, then seal the ring. A writer that finds the ring
	 * sealed reads shutdown in stream_count_as_sent().
	 */
	WRITE_ONCE(end->shutdown, SHUTDOWN_MASK);
	altconn_ring_seal(&end->in);
	return altconn_ring_unread(READ_ONCE(end->in));
}

/* Free the data that a closed end has not read, with the descriptors in it. */
static void assoc_purge_end(struct altconn_assoc *assoc, enum altconn_side side)
{
	altconn_ring_purge(READ_ONCE(assoc->end[side].in));
}

/* Wake the threads of the peer after a change of the end @side. */
static void assoc_wake_peer(struct altconn_assoc *assoc, enum altconn_side side)
{
	struct sock *peer;

	/*
	 * Store the flags of the ends, then load the peer's sk. Pairs with
	 * smp_mb() in altconn_assoc_attach(): an endpoint that is attached too
	 * late to be woken here reads the new flags.
	 */
	smp_mb();
	peer = READ_ONCE(assoc->end[!side].sk);
	if (!peer)
		return;
	peer->sk_state_change(peer);
	sk_wake_async(peer, SOCK_WAKE_WAITD, POLL_HUP);
}

/**
 * altconn_assoc_detach() - remove an endpoint from its association
 * @sk: the endpoint, which has an association that is not pending; its
 *	reference to the association is dropped
 *
 * The peer reads the data that was sent to it, and then end of file. If this
 * end has unread data, the data is freed, and the peer gets ECONNRESET.
 *
 * Context: process; altconn_lock() held.
 */
void altconn_assoc_detach(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_assoc *assoc = altconn_sock_assoc(sk);
	enum altconn_side side = assoc->end[ALTCONN_CLIENT].sk == sk ?
		ALTCONN_CLIENT : ALTCONN_SERVER;
	bool closed, all, unread;

	if (side == ALTCONN_CLIENT && assoc->published)
		altconn_assoc_save_outcome(sk, assoc);
	spin_lock(&assoc->lock);
	RCU_INIT_POINTER(ask->assoc, NULL);
	/* altconn_assoc_reset_ends() may have closed the end already. */
	closed = assoc->end[side].closed;
	unread = assoc_seal_unread(assoc, side);
	assoc_close_end(assoc, side, unread && !closed);
	all = assoc->end[!side].closed;
	spin_unlock(&assoc->lock);

	trace_altconn_close(assoc, side);
	if (!closed)
		altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_CLOSED,
					   side);
	if (!closed && all)
		altconn_assoc_unlist(assoc);
	assoc_wake_peer(assoc, side);
	assoc_purge_end(assoc, side);
	altconn_assoc_put(assoc);
}

/**
 * altconn_assoc_reset_unaccepted() - reset an association before accept()
 * @assoc: an association that has left the accept queue for the state CLOSED;
 *	the caller's reference is dropped
 *
 * The client gets ECONNRESET, as with TCP and AF_UNIX when a listener closes.
 *
 * Context: process.
 */
void altconn_assoc_reset_unaccepted(struct altconn_assoc *assoc)
{
	bool all;

	spin_lock(&assoc->lock);
	assoc_close_end(assoc, ALTCONN_SERVER, true);
	all = assoc->end[ALTCONN_CLIENT].closed;
	spin_unlock(&assoc->lock);

	trace_altconn_close(assoc, ALTCONN_SERVER);
	if (all)
		altconn_assoc_unlist(assoc);
	assoc_wake_peer(assoc, ALTCONN_SERVER);
	assoc_purge_end(assoc, ALTCONN_SERVER);
	altconn_assoc_put(assoc);
}

/**
 * altconn_assoc_reset_ends() - reset an established association at both ends
 * @assoc: the association; the caller has a reference
 *
 * Each end that has not closed gets ECONNRESET, as if its peer had reset the
 * connection.
 *
 * Context: process.
 * Return: true if the association is reset; false if it is not in the state
 * ESTABLISHED, or if both ends have closed.
 */
bool altconn_assoc_reset_ends(struct altconn_assoc *assoc)
{
	bool over, closed[2];
	int side;

	spin_lock(&assoc->lock);
	for (side = ALTCONN_CLIENT; side <= ALTCONN_SERVER; side++)
		closed[side] = assoc->end[side].closed;
	over = altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_ESTABLISHED ||
	       (closed[ALTCONN_CLIENT] && closed[ALTCONN_SERVER]);
	if (!over) {
		assoc_close_end(assoc, ALTCONN_CLIENT, true);
		assoc_close_end(assoc, ALTCONN_SERVER, true);
	}
	spin_unlock(&assoc->lock);
	if (over)
		return false;
	for (side = ALTCONN_CLIENT; side <= ALTCONN_SERVER; side++) {
		if (closed[side])
			continue;
		trace_altconn_close(assoc, side);
		altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_CLOSED,
					   side);
	}
	altconn_assoc_unlist(assoc);
	assoc_wake_peer(assoc, ALTCONN_CLIENT);
	assoc_wake_peer(assoc, ALTCONN_SERVER);
	return true;
}

/**
 * altconn_assoc_shutdown() - shut directions of an end, shutdown(2)
 * @assoc: the association; the caller has a reference
 * @side: the end
 * @how: RCV_SHUTDOWN, SEND_SHUTDOWN or both
 *
 * Wake the threads of both ends.
 *
 * Context: process.
 */
void altconn_assoc_shutdown(struct altconn_assoc *assoc,
			    enum altconn_side side, u8 how)
{
	struct sock *sk = READ_ONCE(assoc->end[side].sk);

	spin_lock(&assoc->lock);
	assoc_shut_end(assoc, side, how);
	spin_unlock(&assoc->lock);

	if (sk)
		sk->sk_state_change(sk);
	assoc_wake_peer(assoc, side);
}

/**
 * altconn_assoc_pair() - associate two new endpoints, socketpair(2)
 * @a: endpoint of the client's end, unconnected
 * @b: endpoint of the server's end, unconnected
 *
 * Context: process, may sleep.
 * Return: 0 on success; -EAGAIN if the user or the namespace has reached its
 * limit of associations; -ENOMEM.
 */
int altconn_assoc_pair(struct sock *a, struct sock *b)
{
	struct altconn_assoc *assoc = altconn_assoc_new(a, NULL);
	int err;

	if (!assoc)
		return -ENOMEM;
	assoc->state = ALTCONN_ASSOC_STATE_ESTABLISHED;
	assoc->reason = ALTCONN_REASON_ESTABLISHED;
	assoc->decided_at = assoc->entry.begun;
	assoc->end[ALTCONN_SERVER].format = altconn_sk(b)->format;
	err = altconn_assoc_register(assoc);
	if (err) {
		altconn_assoc_put(assoc);
		return err;
	}
	altconn_assoc_attach(altconn_assoc_get(assoc), ALTCONN_SERVER, b);
	rcu_assign_pointer(altconn_sk(a)->assoc, assoc);
	WRITE_ONCE(a->sk_state, TCP_ESTABLISHED);
	/*
	 * Store ask->assoc, then load reset. Pairs with smp_mb() in
	 * assoc_close_end(), which stores reset first: an administrator can
	 * end the association as soon as it is registered. So at least one of
	 * the two threads sets sk_err.
	 */
	smp_mb();
	if (unlikely(READ_ONCE(assoc->end[ALTCONN_CLIENT].reset)))
		WRITE_ONCE(a->sk_err, ECONNRESET);
	altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_ESTABLISHED, 0);
	return 0;
}

/*
 * Return the inode number of an end's network namespace, or 0 if the end has no
 * endpoint and the association has no listener. The ends may be in different
 * namespaces: all namespaces share paths, and a node is another namespace.
 */
static u32 assoc_netns_of(const struct altconn_assoc *assoc,
			  enum altconn_side side)
{
	/* Load sk, then its members; see altconn_assoc_attach(). */
	const struct sock *sk = smp_load_acquire(&assoc->end[side].sk);
	const struct altconn_listener *ln;
	u32 netns = 0;

	if (sk)
		return sock_net(sk)->ns.inum;
	rcu_read_lock();
	ln = rcu_dereference(assoc->listener);
	if (ln)
		netns = ln->netns;
	rcu_read_unlock();
	return netns;
}

/**
 * altconn_assoc_peer_info() - get the process of the peer, ALTCONN_PEER_INFO
 * @sk: the endpoint
 * @info: filled with the peer's process and namespace
 *
 * Context: process.
 * Return: 0 on success; -ENOTCONN if the endpoint is not connected or is a
 * datagram socket.
 */
int altconn_assoc_peer_info(const struct sock *sk,
			    struct altconn_peer_info *info)
{
	struct user_namespace *ns = current_user_ns();
	struct altconn_assoc *assoc;
	struct altconn_task_info task;
	enum altconn_side side;

	memset(info, 0, sizeof(*info));
	if (altconn_state(sk) != TCP_ESTABLISHED || sk->sk_type == SOCK_DGRAM)
		return -ENOTCONN;
	assoc = altconn_assoc_of(sk, &side);
	if (!assoc)
		return -ENOTCONN;
	spin_lock(&assoc->lock);
	task = altconn_task_info_get(&assoc->end[!side].task);
	spin_unlock(&assoc->lock);
	info->api_netns = assoc_netns_of(assoc, !side);
	info->api_uid = from_kuid_munged(ns, task.uid);
	info->api_gid = from_kgid_munged(ns, task.gid);
	info->api_pid = pid_vnr(task.pid);
	BUILD_BUG_ON(sizeof(info->api_comm) != sizeof(task.comm));
	/* A caller that cannot see the process does not get its command. */
	if (info->api_pid)
		strscpy(info->api_comm, task.comm, sizeof(info->api_comm));
	put_pid(task.pid);
	altconn_assoc_put(assoc);
	return 0;
}

/**
 * altconn_assoc_init() - make the slab cache of associations
 *
 * Context: process, may sleep.
 * Return: 0 on success; -ENOMEM.
 */
int __init altconn_assoc_init(void)
{
	assoc_cache = KMEM_CACHE(altconn_assoc,
				 SLAB_ACCOUNT | SLAB_TYPESAFE_BY_RCU);
	return assoc_cache ? 0 : -ENOMEM;
}

/**
 * altconn_assoc_exit() - undo altconn_assoc_init()
 *
 * Context: process, may sleep; no association is left, and no memory of one
 * waits for a grace period.
 */
void altconn_assoc_exit(void)
{
	kmem_cache_destroy(assoc_cache);
}

/**
 * altconn_assoc_save_outcome() - save the outcome of an attempt at its endpoint
 * @sk: the endpoint that made the attempt
 * @assoc: the attempt, decided
 *
 * The endpoint is about to leave the attempt. ALTCONN_CONNECT_INFO returns the
 * saved outcome afterwards.
 *
 * Context: process; altconn_lock() held.
 */
void altconn_assoc_save_outcome(struct sock *sk,
				const struct altconn_assoc *assoc)
{
	struct altconn_sock *ask = altconn_sk(sk);

	ask->last_err = assoc->err;
	ask->last_reason = assoc->reason;
	ask->last_rule = assoc->rule;
	ask->last_waited_ns = assoc->decided_at - assoc->entry.begun;
}
