// SPDX-License-Identifier: GPL-2.0
/*
 * Associations: how they are made, attached to endpoints, shut, reset and
 * freed.
 */

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

static void assoc_set_process(struct altconn_assoc *assoc,
			      enum altconn_side side)
{
	struct altconn_task_info task = altconn_task_info_current();

	spin_lock(&assoc->lock);
	swap(assoc->end[side].task, task);
	spin_unlock(&assoc->lock);
	put_pid(task.pid);
}

/*
 * Set the client's end. No other thread sees the association yet. The server's
 * end gets its endpoint in accept().
 */
static void assoc_set_client(struct altconn_assoc *assoc, struct sock *sk)
{
	struct altconn_end *end = &assoc->end[ALTCONN_CLIENT];

	sock_hold(sk);
	end->sk = sk;
	end->addr = altconn_addr_of(sk);
	end->format = altconn_sk(sk)->format;
	end->task = altconn_task_info_current();
}

/**
 * altconn_assoc_set_server() - copy the server's process and address format
 * @assoc: an attempt that waits for the listener, or an association for its
 *	queue
 * @ln: the listener
 *
 * Context: process; assoc->lock and the listener's lock held.
 */
void altconn_assoc_set_server(struct altconn_assoc *assoc,
			      const struct altconn_listener *ln)
{
	struct altconn_end *end = &assoc->end[ALTCONN_SERVER];

	lockdep_assert_held(&assoc->lock);
	lockdep_assert_held(&ln->lock);
	put_pid(end->task.pid);
	end->task = altconn_task_info_get(&ln->task);
	end->format = ln->format;
}

/**
 * altconn_assoc_new() - allocate a pending association
 * @sk: the endpoint that connects
 * @dest: destination address, of which a reference is taken; NULL for a
 *	socketpair
 *
 * Context: process, may sleep.
 * Return: the association with one reference, neither registered nor with a
 * listener; NULL if there is no memory.
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
	altconn_entry_init(&assoc->entry);
	assoc->entry.id = altconn_next_id();
	assoc->begun = ktime_get_ns();
	assoc->cred = get_current_cred();
	assoc->end[ALTCONN_SERVER].task = ALTCONN_TASK_INFO_NONE;
	assoc_set_client(assoc, sk);
	assoc->end[ALTCONN_SERVER].addr = altconn_addr_get(dest);
	/*
	 * From here on an RCU reader that found the memory in its former life
	 * can take a reference. Pairs with altconn_assoc_of().
	 */
	smp_wmb();
	refcount_set(&assoc->refs, 1);
	return assoc;
}

#ifdef CONFIG_KASAN
/* The pattern is no valid pointer, no state, and a lock that is never free. */
#define ASSOC_PATTERN	0x5a

static void assoc_end_quarantine(struct rcu_head *rcu)
{
	kmem_cache_free(assoc_cache,
			container_of(rcu, struct altconn_assoc, rcu));
}

/*
 * KASAN does not watch memory that keeps its type. So every second association
 * is filled with a pattern and kept back for a grace period: a reader that uses
 * more of it than its reference count, which is 0, gets caught. The other
 * associations are reused at once, as all are without KASAN.
 */
static void assoc_free_memory(struct altconn_assoc *assoc)
{
	if (assoc->entry.id & 1) {
		kmem_cache_free(assoc_cache, assoc);
		return;
	}
	memset_after(assoc, ASSOC_PATTERN, refs);
	call_rcu(&assoc->rcu, assoc_end_quarantine);
}
#else
static void assoc_free_memory(struct altconn_assoc *assoc)
{
	kmem_cache_free(assoc_cache, assoc);
}
#endif

static void assoc_unregister(struct altconn_assoc *assoc)
{
	if (!assoc->account)
		return;
	/* altconn_assoc_unlist() has removed nearly all entries. */
	if (altconn_entry_is_listed(&assoc->entry))
		altconn_registry_remove(&assoc->an->assocs, &assoc->entry);
	altconn_assoc_uncharge(assoc->an, assoc->account);
}

static void assoc_free_wait_job(struct altconn_job *job)
{
	struct altconn_wait *wait = container_of(job, struct altconn_wait, job);

	path_put(&wait->path);
	kfree(wait);
}

/*
 * The path that a rule held may be the last reference to an inode. To drop it
 * takes locks that bind() holds around lock_sock(), which the caller may hold.
 * So a kernel thread drops the path.
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
	/* The job that runs may be this one: it does not use @wait again. */
	altconn_job_init(&wait->job, assoc_free_wait_job);
	altconn_payer_queue(wait->delays, &wait->job);
}

/**
 * altconn_assoc_free() - free an association without references
 * @assoc: the association
 *
 * This unpins the endpoints, so the caller must not use an endpoint that only
 * the association kept alive.
 *
 * Context: process; no lock of this module held. lock_sock() may be held.
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
	/* The client's end is last because its endpoint keeps the namespace. */
	assoc_free_end(&assoc->end[ALTCONN_CLIENT]);
	assoc_free_memory(assoc);
}

/**
 * altconn_assoc_charge() - charge the caller for one association in a namespace
 * @an: the namespace
 *
 * Connected datagram sockets are charged as associations, too.
 *
 * Context: process, may sleep. Return: the charged account, for
 * altconn_assoc_uncharge(); ERR_PTR(-EAGAIN) if the user has
 * net.altconn.max_associations or the namespace has altconn_account_net_max()
 * associations; ERR_PTR(-ENOMEM).
 */
struct altconn_account *altconn_assoc_charge(struct altconn_net *an)
{
	struct altconn_account *account = ERR_PTR(-EAGAIN);

	if (atomic_long_inc_return(&an->n_assocs) <=
	    altconn_account_net_max(an))
		account = altconn_account_charge(an, current_cred(), false);
	if (IS_ERR(account))
		atomic_long_dec(&an->n_assocs);
	return account;
}

/**
 * altconn_assoc_uncharge() - undo altconn_assoc_charge()
 * @an: the namespace
 * @account: the account that altconn_assoc_charge() returned
 *
 * Context: any but interrupts.
 */
void altconn_assoc_uncharge(struct altconn_net *an,
			    struct altconn_account *account)
{
	altconn_account_release(account);
	atomic_long_dec(&an->n_assocs);
}

/**
 * altconn_assoc_register() - add an association to its namespace's registry
 * @assoc: the association, not registered yet; the caller made it and is
 *	charged
 *
 * Context: process, may sleep.
 * Return: 0 on success, or an error of altconn_assoc_charge().
 */
int altconn_assoc_register(struct altconn_assoc *assoc)
{
	struct altconn_account *account = altconn_assoc_charge(assoc->an);

	if (IS_ERR(account))
		return PTR_ERR(account);
	assoc->account = account;
	altconn_registry_add(&assoc->an->assocs, &assoc->entry,
			     assoc->entry.id);
	return 0;
}

/**
 * altconn_assoc_unlist() - remove an association from the registries
 * @assoc: the association; its attempt has failed, or both ends have closed. It
 *	may be removed already
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
	rcu_read_lock();
	/* Pairs with __altconn_xns_link(). */
	xns = smp_load_acquire(&assoc->xns);
	an = unlikely(xns) ? READ_ONCE(xns->an) : NULL;
	if (an)
		altconn_registry_remove(&an->inbound,
					&assoc->xns->entry);
	rcu_read_unlock();
}

/**
 * altconn_assoc_attach() - give an end its endpoint
 * @assoc: the association; the caller's reference moves to the endpoint
 * @side: the end, which has no endpoint yet
 * @sk: a new endpoint that no other thread sees; the end takes a reference
 *
 * The calling process becomes the process of the end.
 *
 * Context: process.
 */
void altconn_assoc_attach(struct altconn_assoc *assoc, enum altconn_side side,
			  struct sock *sk)
{
	struct altconn_end *end = &assoc->end[side];

	assoc_set_process(assoc, side);
	altconn_sock_set_addr(sk, altconn_addr_get(altconn_assoc_addr(assoc, side,
								      side)));
	rcu_assign_pointer(altconn_sk(sk)->assoc, assoc);
	WRITE_ONCE(sk->sk_state, TCP_ESTABLISHED);
	sock_hold(sk);
	/* From here on the peer reaches the endpoint, which is complete. */
	smp_store_release(&end->sk, sk);
	/* Pairs with assoc_close_end(), which may have reset this end. */
	smp_mb();
	if (unlikely(READ_ONCE(end->reset)))
		WRITE_ONCE(sk->sk_err, ECONNRESET);
}

/* Set the address of an end that has none. assoc->lock is held. */
static void assoc_set_addr(struct altconn_addr **place,
			   struct altconn_addr *addr)
{
	if (*place)
		return;
	/* Pairs with the address dependency of altconn_assoc_addr(). */
	smp_store_release(place, altconn_addr_get(addr));
}

/**
 * altconn_assoc_set_end_addr() - name the end of an endpoint that was bound
 * late
 * @sk: the endpoint
 *
 * As in AF_UNIX, getpeername() returns the current name of the peer. An end
 * that has an address keeps it. In another namespace only a path means the
 * same, so other addresses are not set there.
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
 * Check whether @sk is still an endpoint of @assoc, which pins it. assoc->lock
 * is held.
 */
static bool assoc_is_attached(const struct altconn_assoc *assoc,
			      const struct sock *sk)
{
	return sk && rcu_access_pointer(altconn_sk(sk)->assoc) == assoc;
}

/*
 * Get the directions that are shut for the peer by shutdown() of an end. As
 * with TCP, a peer in an inet address format may send to an end that has shut
 * only reading, and gets no error.
 */
static u8 assoc_peer_shut_mask(const struct altconn_end *own,
			       const struct altconn_end *peer)
{
	u8 how = own->shutdown;

	if (how != SHUTDOWN_MASK && altconn_format_is_inet(peer->format))
		how &= ~RCV_SHUTDOWN;
	return (how & SEND_SHUTDOWN) >> 1 | (how & RCV_SHUTDOWN) << 1;
}

static void assoc_shut_end(struct altconn_assoc *assoc, enum altconn_side side,
			   u8 how)
{
	struct altconn_end *own = &assoc->end[side];
	struct altconn_end *peer = &assoc->end[!side];

	lockdep_assert_held(&assoc->lock);
	BUILD_BUG_ON(RCV_SHUTDOWN != 1 || SEND_SHUTDOWN != 2);
	WRITE_ONCE(own->shutdown, own->shutdown | how);
	/* Both rings are sealed already, for example by a close. */
	if (own->shut == SHUTDOWN_MASK && peer->shut == SHUTDOWN_MASK)
		return;
	/* Seal before an end can see that it is shut: no data follows then. */
	if (how & SEND_SHUTDOWN)
		altconn_ring_seal(&peer->in);
	if (assoc_peer_shut_mask(own, peer) & SEND_SHUTDOWN)
		altconn_ring_seal(&own->in);
	/* Pairs with altconn_assoc_shut_mask(): the sealed data is final. */
	smp_store_release(&own->shut, own->shut | how);
	/* Pairs with altconn_assoc_shut_mask() in the same way. */
	smp_store_release(&peer->shut,
			  peer->shut | assoc_peer_shut_mask(own, peer));
}

static void assoc_close_end(struct altconn_assoc *assoc, enum altconn_side side,
			    bool reset)
{
	struct sock *peer;

	lockdep_assert_held(&assoc->lock);
	WRITE_ONCE(assoc->end[side].closed, true);
	if (reset) {
		WRITE_ONCE(assoc->end[!side].reset, true);
		/* Pairs with altconn_assoc_attach(). */
		smp_mb();
		peer = READ_ONCE(assoc->end[!side].sk);
		if (assoc_is_attached(assoc, peer))
			WRITE_ONCE(peer->sk_err, ECONNRESET);
	}
	/* This is last: a peer that sees end of file also sees the error. */
	assoc_shut_end(assoc, side, SHUTDOWN_MASK);
}

/*
 * Check whether data is left that the end will never read. Later writes of the
 * peer fail, so only a read can change the result.
 */
static bool assoc_seal_unread(struct altconn_assoc *assoc,
			      enum altconn_side side)
{
	struct altconn_end *end = &assoc->end[side];

	lockdep_assert_held(&assoc->lock);
	/* This precedes the seal: a write that fails finds the end closed. */
	WRITE_ONCE(end->shutdown, SHUTDOWN_MASK);
	altconn_ring_seal(&end->in);
	return altconn_ring_used(READ_ONCE(end->in));
}

/* Free the data that a closed end has not read, with the descriptors in it. */
static void assoc_purge_end(struct altconn_assoc *assoc, enum altconn_side side)
{
	altconn_ring_purge(READ_ONCE(assoc->end[side].in));
}

static void assoc_wake_peer(struct altconn_assoc *assoc, enum altconn_side side)
{
	struct sock *peer;

	/*
	 * Pairs with altconn_assoc_attach(): an endpoint that is not seen here
	 * sees the state of the association itself.
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
 * @sk: the endpoint, which has an association that is established
 *
 * The peer reads the data that was sent to it, and then end of file. If this
 * end has unread data, the data is freed and the peer gets ECONNRESET instead.
 *
 * Context: process; lock_sock() held. Drops the endpoint's reference.
 */
void altconn_assoc_detach(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_assoc *assoc =
		rcu_dereference_protected(ask->assoc, lockdep_sock_is_held(sk));
	enum altconn_side side = assoc->end[ALTCONN_CLIENT].sk == sk ?
		ALTCONN_CLIENT : ALTCONN_SERVER;
	bool over, all, unread;

	if (side == ALTCONN_CLIENT && assoc->published)
		altconn_assoc_save_outcome(sk, assoc);
	spin_lock(&assoc->lock);
	RCU_INIT_POINTER(ask->assoc, NULL);
	/* altconn_assoc_reset_ends() has sent the event already. */
	over = assoc->end[side].closed;
	unread = assoc_seal_unread(assoc, side);
	assoc_close_end(assoc, side, unread && !over);
	all = assoc->end[!side].closed;
	spin_unlock(&assoc->lock);

	trace_altconn_close(assoc, side);
	if (!over)
		altconn_notify_assoc(assoc, ALTCONN_EVENT_KIND_CLOSED, side);
	if (!over && all)
		altconn_assoc_unlist(assoc);
	assoc_wake_peer(assoc, side);
	assoc_purge_end(assoc, side);
	altconn_assoc_put(assoc);
}

/**
 * altconn_assoc_reset_unaccepted() - reset an association that no server
 * accepts
 * @assoc: an established association, out of the listener's queue; the caller's
 *	reference is dropped
 *
 * The client gets ECONNRESET, as from a TCP or AF_UNIX listener that closes.
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
 * Each end gets ECONNRESET, as if its peer had reset the connection.
 *
 * Context: process.
 * Return: true if the association is reset; false if it is not established, or
 * if both ends have closed.
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
		altconn_notify_assoc(assoc, ALTCONN_EVENT_KIND_CLOSED, side);
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
	assoc->decided_at = assoc->begun;
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
	 * Pairs with assoc_close_end(), as in altconn_assoc_attach(): an
	 * administrator can end the association as soon as it is registered.
	 */
	smp_mb();
	if (unlikely(READ_ONCE(assoc->end[ALTCONN_CLIENT].reset)))
		WRITE_ONCE(a->sk_err, ECONNRESET);
	altconn_notify_assoc(assoc, ALTCONN_EVENT_KIND_ESTABLISHED, 0);
	return 0;
}

/*
 * Get the network namespace of an end. The ends may be in different namespaces:
 * a path belongs to the machine, and a node is another namespace.
 */
static u32 assoc_netns_of(const struct altconn_assoc *assoc,
			  enum altconn_side side)
{
	/* Pairs with altconn_assoc_attach(). */
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
 * altconn_assoc_peer_info() - get the peer's process, ALTCONN_PEER_INFO
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
	/* The command is shown only to callers that see the process. */
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
 * Context: process, may sleep; no association is left, but the memory of some
 * may wait for RCU.
 */
void altconn_assoc_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(assoc_cache);
}

/**
 * altconn_assoc_save_outcome() - save the outcome of an attempt at its endpoint
 * @sk: the endpoint that made the attempt
 * @assoc: the attempt, decided
 *
 * ALTCONN_CONNECT_INFO returns the outcome when the endpoint has left the
 * attempt.
 *
 * Context: process; lock_sock() held.
 */
void altconn_assoc_save_outcome(struct sock *sk,
				const struct altconn_assoc *assoc)
{
	struct altconn_sock *ask = altconn_sk(sk);

	ask->last_err = assoc->err;
	ask->last_reason = assoc->reason;
	ask->last_rule = assoc->rule;
	ask->last_waited_ns = assoc->decided_at - assoc->begun;
}
