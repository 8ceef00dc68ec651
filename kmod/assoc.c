// SPDX-License-Identifier: GPL-2.0
/*
 * Associations: how they are made, attached to endpoints, shut, reset and freed.
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
	put_pid(end->who.pid);
	if (end->sk)
		sock_put(end->sk);
}

static void assoc_set_process(struct altconn_assoc *assoc,
			      enum altconn_side side)
{
	struct altconn_who who = altconn_who_am_i();

	spin_lock(&assoc->lock);
	swap(assoc->end[side].who, who);
	spin_unlock(&assoc->lock);
	put_pid(who.pid);
}

/*
 * The client's end; the server's gets its endpoint in accept(). Nobody else sees
 * the association yet.
 */
static void assoc_set_client(struct altconn_assoc *assoc, struct sock *sk)
{
	struct altconn_end *end = &assoc->end[ALTCONN_CLIENT];

	sock_hold(sk);
	end->sk = sk;
	end->addr = altconn_addr_of(sk);
	end->dress = altconn_sk(sk)->dress;
	end->who = altconn_who_am_i();
}

/**
 * altconn_assoc_set_server() - the server's end has a listener
 * @assoc: an attempt that waits for it, or an association in its queue
 * @ln: the listener
 *
 * Context: process; assoc->lock and @ln's lock held.
 */
void altconn_assoc_set_server(struct altconn_assoc *assoc,
			      const struct altconn_listener *ln)
{
	struct altconn_end *end = &assoc->end[ALTCONN_SERVER];

	lockdep_assert_held(&assoc->lock);
	lockdep_assert_held(&ln->lock);
	put_pid(end->who.pid);
	end->who = altconn_who_get(&ln->who);
	end->dress = ln->dress;
}

/**
 * altconn_assoc_new() - a pending association
 * @sk: the endpoint that connects
 * @dest: where to, a reference is taken; or NULL for a socketpair
 *
 * Context: process, may sleep.
 * Return: the association with one reference, not registered and without a
 * listener, or NULL.
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
	assoc->end[ALTCONN_SERVER].who = ALTCONN_NOBODY;
	assoc_set_client(assoc, sk);
	assoc->end[ALTCONN_SERVER].addr = altconn_addr_get(dest);
	/* Who knew it in its former life may take a reference from here on. */
	smp_wmb();
	refcount_set(&assoc->refs, 1);
	return assoc;
}

#ifdef CONFIG_KASAN
/* No pointer, no state, and a lock that is held for ever. */
#define ASSOC_PATTERN	0x5a

static void assoc_end_quarantine(struct rcu_head *rcu)
{
	kmem_cache_free(assoc_cache,
			container_of(rcu, struct altconn_assoc, rcu));
}

/*
 * KASAN does not watch memory that keeps its type. So every other association is
 * kept back for a grace period, filled with a pattern: a reader that looks at
 * more of it than the number of its references, which is 0, gets caught. The
 * others begin another life at once, as they all do without KASAN.
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
	/* Nearly all have been removed by altconn_assoc_over(). */
	if (altconn_entry_is_listed(&assoc->entry))
		altconn_registry_remove(&assoc->an->assocs, &assoc->entry);
	altconn_assoc_uncount(assoc->an, assoc->account);
}

static void assoc_free_wait_late(struct altconn_job *job)
{
	struct altconn_wait *wait = container_of(job, struct altconn_wait, job);

	path_put(&wait->path);
	kfree(wait);
}

/*
 * A path that a rule held may be the last reference to an inode, which takes locks
 * that bind() holds around lock_sock(): and that one our callers may hold.
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
	/* It may be the very job that runs: it does not look back. */
	altconn_job_init(&wait->job, assoc_free_wait_late);
	altconn_payer_queue(wait->delays, &wait->job);
}

/**
 * altconn_assoc_free() - the last reference is gone
 * @assoc: the association
 *
 * Unpins the endpoints, so the caller must not use one that only the
 * association kept alive.
 *
 * Context: process; no lock of this module held.
 */
void altconn_assoc_free(struct altconn_assoc *assoc)
{
	struct altconn_listener *ln;

	assoc_unregister(assoc);
	altconn_far_leave(assoc);
	altconn_far_free(assoc->far);
	put_cred(assoc->cred);
	ln = rcu_dereference_protected(assoc->listener, true);
	if (ln)
		altconn_listener_put(ln);
	assoc_free_wait(assoc->wait);
	altconn_ring_free(assoc->end[ALTCONN_CLIENT].in);
	altconn_ring_free(assoc->end[ALTCONN_SERVER].in);
	assoc_free_end(&assoc->end[ALTCONN_SERVER]);
	/* Last: it keeps the namespace. */
	assoc_free_end(&assoc->end[ALTCONN_CLIENT]);
	assoc_free_memory(assoc);
}

/**
 * altconn_assoc_count() - one more association in a namespace, of the caller
 * @an: the namespace
 *
 * Connected datagram sockets count too.
 *
 * Context: process, may sleep.
 * Return: the account that is charged, for altconn_assoc_uncount();
 * ERR_PTR(-EAGAIN): the user has net.altconn.max_associations, or the namespace
 * altconn_account_total() (E-AGAIN-TABLE); ERR_PTR(-ENOMEM).
 */
struct altconn_account *altconn_assoc_count(struct altconn_net *an)
{
	struct altconn_account *account = ERR_PTR(-EAGAIN);

	if (atomic_long_inc_return(&an->n_assocs) <= altconn_account_total(an))
		account = altconn_account_charge(an, current_cred(), false);
	if (IS_ERR(account))
		atomic_long_dec(&an->n_assocs);
	return account;
}

/**
 * altconn_assoc_uncount() - undo altconn_assoc_count()
 * @an: the namespace
 * @account: what it returned
 *
 * Context: any but interrupts.
 */
void altconn_assoc_uncount(struct altconn_net *an,
			   struct altconn_account *account)
{
	altconn_account_release(account);
	atomic_long_dec(&an->n_assocs);
}

/**
 * altconn_assoc_register() - put an association in the namespace's registry
 * @assoc: not registered yet; made by the caller, who is charged for it
 *
 * Context: process, may sleep.
 * Return: 0, or the errors of altconn_assoc_count().
 */
int altconn_assoc_register(struct altconn_assoc *assoc)
{
	struct altconn_account *account = altconn_assoc_count(assoc->an);

	if (IS_ERR(account))
		return PTR_ERR(account);
	assoc->account = account;
	altconn_registry_add(&assoc->an->assocs, &assoc->entry,
			     assoc->entry.id);
	return 0;
}

/**
 * altconn_assoc_over() - take an association out of the registries
 * @assoc: its attempt has failed, or both ends have closed; may be out already
 *
 * The association stays charged to its user until it is freed.
 *
 * Context: process; may hold other locks, see Documentation/locking.rst.
 */
void altconn_assoc_over(struct altconn_assoc *assoc)
{
	const struct altconn_far *far;
	struct altconn_net *an;

	altconn_registry_remove(&assoc->an->assocs, &assoc->entry);
	rcu_read_lock();
	/* Pairs with the arrival. */
	far = smp_load_acquire(&assoc->far);
	an = unlikely(far) ? READ_ONCE(far->an) : NULL;
	if (an)
		altconn_registry_remove(&an->inbound,
					&assoc->far->entry);
	rcu_read_unlock();
}

/**
 * altconn_assoc_attach() - give an end its endpoint
 * @assoc: the caller's reference moves to the endpoint
 * @side: which end; has no endpoint yet
 * @sk: a new endpoint that nobody else sees
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
	/* The peer reaches a whole endpoint from here on. */
	smp_store_release(&end->sk, sk);
	/* Pairs with assoc_close_end(): it was reset before it was there. */
	smp_mb();
	if (unlikely(READ_ONCE(end->reset)))
		WRITE_ONCE(sk->sk_err, ECONNRESET);
}

/* An end's address, once. assoc->lock held. */
static void assoc_set_addr(struct altconn_addr **place,
			   struct altconn_addr *addr)
{
	if (*place)
		return;
	/* Pairs with altconn_assoc_addr(), by the address. */
	smp_store_release(place, altconn_addr_get(addr));
}

/**
 * altconn_assoc_bound() - name the end of an endpoint that was bound late
 * @sk: the endpoint
 *
 * As AF_UNIX, whose getpeername() returns what the peer is called now. An end that
 * has an address keeps it. In another namespace only paths mean the same.
 *
 * Context: process.
 */
void altconn_assoc_bound(struct sock *sk)
{
	struct altconn_addr *addr = altconn_addr_of(sk);
	struct altconn_assoc *assoc;
	enum altconn_side side;

	assoc = altconn_assoc_of(sk, &side);
	if (assoc && addr) {
		struct altconn_far *far = READ_ONCE(assoc->far);

		spin_lock(&assoc->lock);
		assoc_set_addr(&assoc->end[side].addr, addr);
		if (far && addr->kind == ALTCONN_KIND_PATH)
			assoc_set_addr(&far->addr[side], addr);
		spin_unlock(&assoc->lock);
	}
	if (assoc)
		altconn_assoc_put(assoc);
	altconn_addr_put(addr);
}

/* Is @sk, pinned by @assoc, still an end of it? assoc->lock held. */
static bool assoc_is_attached(const struct altconn_assoc *assoc,
			      const struct sock *sk)
{
	return sk && rcu_access_pointer(altconn_sk(sk)->assoc) == assoc;
}

/*
 * What an end's shutdown() shuts for the peer. As TCP, a peer in an inet format may
 * send to an end that has shut for reading alone, and learns nothing of it.
 */
static u8 assoc_peer_shut(const struct altconn_end *own,
			  const struct altconn_end *peer)
{
	u8 how = own->shutdown;

	if (how != SHUTDOWN_MASK && altconn_format_is_inet(peer->dress))
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
	/* Both rings are sealed already, as when the peer has closed. */
	if (own->shut == SHUTDOWN_MASK && peer->shut == SHUTDOWN_MASK)
		return;
	/* Before an end can see that it is shut, no data follows. */
	if (how & SEND_SHUTDOWN)
		altconn_ring_seal(&peer->in);
	if (assoc_peer_shut(own, peer) & SEND_SHUTDOWN)
		altconn_ring_seal(&own->in);
	/* Pairs with altconn_assoc_shut(): sealed first, so the data is final. */
	smp_store_release(&own->shut, own->shut | how);
	/* Likewise. */
	smp_store_release(&peer->shut,
			  peer->shut | assoc_peer_shut(own, peer));
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
	/* Last: a peer that sees its end of file sees the error before. */
	assoc_shut_end(assoc, side, SHUTDOWN_MASK);
}

/*
 * Is there data that the end will never read? What the peer writes from here on
 * fails, so this does not change any more but by reading.
 */
static bool assoc_has_unread(struct altconn_assoc *assoc,
			     enum altconn_side side)
{
	struct altconn_end *end = &assoc->end[side];

	lockdep_assert_held(&assoc->lock);
	/* Before the seal: a write that meets it finds that the end closes. */
	WRITE_ONCE(end->shutdown, SHUTDOWN_MASK);
	altconn_ring_seal(&end->in);
	return altconn_ring_used(READ_ONCE(end->in));
}

/* The end has closed: what it has not read is freed, descriptors too. */
static void assoc_purge_end(struct altconn_assoc *assoc, enum altconn_side side)
{
	altconn_ring_purge(READ_ONCE(assoc->end[side].in));
}

static void assoc_wake_peer(struct altconn_assoc *assoc, enum altconn_side side)
{
	struct sock *peer;

	/* Pairs with accept(), which stores the endpoint and looks later. */
	smp_mb();
	peer = READ_ONCE(assoc->end[!side].sk);
	if (!peer)
		return;
	peer->sk_state_change(peer);
	sk_wake_async(peer, SOCK_WAKE_WAITD, POLL_HUP);
}

/**
 * altconn_assoc_detach() - an endpoint leaves its association
 * @sk: the endpoint; it has one that is established
 *
 * The peer reads what is on its way and then EOF; it gets ECONNRESET instead
 * when this end had not read everything. What this end had not read is freed.
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
		altconn_connect_record(sk, assoc);
	spin_lock(&assoc->lock);
	RCU_INIT_POINTER(ask->assoc, NULL);
	/* One that was killed has told its peer. */
	over = assoc->end[side].closed;
	unread = assoc_has_unread(assoc, side);
	assoc_close_end(assoc, side, unread && !over);
	all = assoc->end[!side].closed;
	spin_unlock(&assoc->lock);

	trace_altconn_close(assoc, side);
	if (!over)
		altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CLOSED, side);
	if (!over && all)
		altconn_assoc_over(assoc);
	assoc_wake_peer(assoc, side);
	assoc_purge_end(assoc, side);
	altconn_assoc_put(assoc);
}

/**
 * altconn_assoc_abandon() - nobody will accept this association
 * @assoc: established, out of the listener's queue; the reference is dropped
 *
 * The client gets ECONNRESET, as from a TCP or AF_UNIX listener that closes.
 *
 * Context: process.
 */
void altconn_assoc_abandon(struct altconn_assoc *assoc)
{
	bool all;

	spin_lock(&assoc->lock);
	assoc_close_end(assoc, ALTCONN_SERVER, true);
	all = assoc->end[ALTCONN_CLIENT].closed;
	spin_unlock(&assoc->lock);

	trace_altconn_close(assoc, ALTCONN_SERVER);
	if (all)
		altconn_assoc_over(assoc);
	assoc_wake_peer(assoc, ALTCONN_SERVER);
	assoc_purge_end(assoc, ALTCONN_SERVER);
	altconn_assoc_put(assoc);
}

/* Both ends see a peer that reset the connection. */
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
		altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CLOSED, side);
	}
	altconn_assoc_over(assoc);
	assoc_wake_peer(assoc, ALTCONN_CLIENT);
	assoc_wake_peer(assoc, ALTCONN_SERVER);
	return true;
}

/**
 * altconn_assoc_shutdown() - shutdown(2) of one end
 * @assoc: the association
 * @side: which end
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
 * @a: one, unconnected
 * @b: the other
 *
 * Context: process, may sleep.
 * Return: 0; -EAGAIN: the namespace's limit is reached; -ENOMEM.
 */
int altconn_assoc_pair(struct sock *a, struct sock *b)
{
	struct altconn_assoc *assoc = altconn_assoc_new(a, NULL);
	int err;

	if (!assoc)
		return -ENOMEM;
	assoc->state = ALTCONN_ASSOC_STATE_ESTABLISHED;
	assoc->reason = ALTCONN_REASON_ESTABLISHED;
	assoc->decided = assoc->begun;
	assoc->end[ALTCONN_SERVER].dress = altconn_sk(b)->dress;
	err = altconn_assoc_register(assoc);
	if (err) {
		altconn_assoc_put(assoc);
		return err;
	}
	altconn_assoc_attach(altconn_assoc_get(assoc), ALTCONN_SERVER, b);
	rcu_assign_pointer(altconn_sk(a)->assoc, assoc);
	WRITE_ONCE(a->sk_state, TCP_ESTABLISHED);
	/* As altconn_assoc_attach(): it can be found, and killed, already. */
	smp_mb();
	if (unlikely(READ_ONCE(assoc->end[ALTCONN_CLIENT].reset)))
		WRITE_ONCE(a->sk_err, ECONNRESET);
	altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_ESTABLISHED, 0);
	return 0;
}

/* Paths are the machine's, so the ends may have different namespaces. */
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
 * altconn_assoc_peer_info() - ALTCONN_PEER_INFO
 * @sk: the endpoint
 * @info: gets who is at the other end; zeroed first
 *
 * Context: process.
 * Return: 0; -ENOTCONN.
 */
int altconn_assoc_peer_info(const struct sock *sk,
			    struct altconn_peer_info *info)
{
	struct user_namespace *ns = current_user_ns();
	struct altconn_assoc *assoc;
	struct altconn_who who;
	enum altconn_side side;

	memset(info, 0, sizeof(*info));
	if (altconn_state(sk) != TCP_ESTABLISHED || sk->sk_type == SOCK_DGRAM)
		return -ENOTCONN;
	assoc = altconn_assoc_of(sk, &side);
	if (!assoc)
		return -ENOTCONN;
	spin_lock(&assoc->lock);
	who = altconn_who_get(&assoc->end[!side].who);
	spin_unlock(&assoc->lock);
	info->api_netns = assoc_netns_of(assoc, !side);
	info->api_uid = from_kuid_munged(ns, who.uid);
	info->api_gid = from_kgid_munged(ns, who.gid);
	info->api_pid = pid_vnr(who.pid);
	BUILD_BUG_ON(sizeof(info->api_comm) != sizeof(who.comm));
	/* What a process runs is told to those who see the process. */
	if (info->api_pid)
		strscpy(info->api_comm, who.comm, sizeof(info->api_comm));
	put_pid(who.pid);
	altconn_assoc_put(assoc);
	return 0;
}

/**
 * altconn_assoc_init() - make the slab cache
 *
 * Return: 0 or -ENOMEM.
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
 * Context: process; no association is left, some may wait for RCU.
 */
void altconn_assoc_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(assoc_cache);
}

/**
 * altconn_connect_record() - remember what became of an attempt
 * @sk: the endpoint that made it
 * @assoc: decided
 *
 * Context: process; lock_sock() held.
 */
void altconn_connect_record(struct sock *sk, const struct altconn_assoc *assoc)
{
	struct altconn_sock *ask = altconn_sk(sk);

	ask->last_err = assoc->err;
	ask->last_reason = assoc->reason;
	ask->last_rule = assoc->rule;
	ask->last_waited_ns = assoc->decided - assoc->begun;
}
