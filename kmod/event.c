// SPDX-License-Identifier: GPL-2.0
/*
 * Events: the events of a network namespace, delivered to netlink sockets.
 *
 * A watcher is a generic netlink socket that sent ALTCONN_CMD_MONITOR. With
 * CAP_NET_ADMIN in its network namespace it gets every event of the namespace.
 * Without the capability it gets the events of attempts of its own user, and of
 * changes of rules and nodes. A multicast group would deliver to sockets that
 * the module can neither count nor refuse, so there is none.
 *
 * An event is queued where it happens, also while a spinlock is held. That
 * takes one allocation, and a pointer in the queue of each watcher that may see
 * the event. The cost is bounded by the number of watchers of the user that
 * causes the event, which is at most EVENT_WATCHERS_MAX, and of the namespace's
 * administrators. In a namespace without watchers an event costs a load and a
 * branch.
 *
 * A kernel thread builds the messages and wakes the sockets. The owner of a
 * socket chooses the socket's filter and pollers, so the owner pays for the
 * time (payer.c). When the owner's share of the CPU is used up, the queues of
 * its watchers fill and lose events.
 *
 * Each watcher numbers its events, including the lost ones, so a gap in the
 * numbers is a loss.
 *
 * Locks: an->watch_lock, then watcher->lock. The latter is innermost: it is
 * taken inside every lock that the cause of an event may hold. an->watch_lock
 * is a spinlock too, since a task that is throttled by cpu.max could hold a
 * mutex for long, and each generic netlink socket that closes may need the
 * lock.
 */

#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include "addr.h"
#include "assoc.h"
#include "event.h"
#include "netlink_gen.h"
#include "netns.h"
#include "nl.h"
#include "payer.h"
#include "sock.h"
#include "task_info.h"

/*
 * Set before the netlink family is unregistered: no event is delivered any
 * more.
 */
static bool event_stopped;

/* Maximum number of events in the queue of one watcher. */
#define EVENT_QUEUE_MAX		1024

/*
 * Maximum number of watchers, over all namespaces: of one user, and of all
 * administrators of the machine (CAP_NET_ADMIN in the initial user namespace)
 * together.
 */
#define EVENT_WATCHERS_MAX		32
#define EVENT_WATCHERS_MAX_ADMIN	256

/* Bytes for all attributes of a message, except the bytes of the addresses. */
#define EVENT_ATTRS_SIZE		400

/**
 * struct event_slot - a queued event
 * @ev: the event, a reference
 * @seq: number of the event in the sequence of this watcher
 */
struct event_slot {
	struct altconn_event	*ev;
	u64		seq;
};

/**
 * altconn_event_new() - allocate an event
 * @kind: enum altconn_event_kind
 *
 * Context: any, does not sleep.
 * Return: the event, with the current time and with a reference that the caller
 * owns; NULL on allocation failure.
 */
struct altconn_event *altconn_event_new(u32 kind)
{
	/*
	 * No reserves are used, since an event may be lost. The memory is
	 * charged to the process that causes the event.
	 */
	struct altconn_event *ev =
		kzalloc(sizeof(*ev), GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);

	if (!ev)
		return NULL;
	refcount_set(&ev->refs, 1);
	ev->kind = kind;
	ev->time = ktime_get_real_ns();
	return ev;
}

static void event_put(struct altconn_event *ev)
{
	int i;

	if (!ev || !refcount_dec_and_test(&ev->refs))
		return;
	for (i = 0; i < 2; i++) {
		altconn_addr_put(ev->end[i].addr);
		put_pid(ev->end[i].task.pid);
	}
	kfree(ev);
}

/*
 * Return the key of the audience that sees the events of attempts of @uid. All
 * watchers of an audience see the same events.
 */
static unsigned long event_audience_of_uid(kuid_t uid)
{
	return __kuid_val(uid);
}

/*
 * Return the key of the audience that sees every event: watchers with
 * CAP_NET_ADMIN in the namespace. The key is not the uid of any user.
 */
static unsigned long event_audience_admin(void)
{
	return __kuid_val(INVALID_UID);
}

/*
 * Queue @ev for the watcher, or count it as lost if the queue is full. @ev is
 * NULL if there was no memory for the event, which is then lost too.
 */
static void event_watcher_enqueue(struct event_watcher *w,
				  struct altconn_event *ev)
{
	bool first = false;

	spin_lock(&w->lock);
	if (w->dead)
		goto out;
	w->seq++;
	if (!ev || w->head - w->tail == EVENT_QUEUE_MAX)
		goto out;
	first = w->head == w->tail;
	if (first)
		refcount_inc(&w->refs);
	refcount_inc(&ev->refs);
	w->slots[w->head++ % EVENT_QUEUE_MAX] = (struct event_slot) {
		.ev = ev,
		.seq = w->seq,
	};
out:
	spin_unlock(&w->lock);
	/* The job is queued when the queue becomes non-empty. */
	if (first)
		WARN_ON_ONCE(!altconn_payer_queue(w->payer, &w->job));
}

static void event_audience_enqueue(struct altconn_net *an, unsigned long key,
				   struct altconn_event *ev)
{
	struct event_watcher *w;

	for (w = xa_load(&an->audiences, key); w; w = rcu_dereference(w->next))
		event_watcher_enqueue(w, ev);
}

/**
 * altconn_event_has_audience() - check whether an event has a watcher
 * @an: the namespace
 * @uid: user of the attempt
 *
 * Context: any; RCU read side, which must go on until altconn_event_enqueue():
 * altconn_event_stop() waits for it.
 * Return: true if a watcher would see an event of an attempt of @uid, else
 * false.
 */
bool altconn_event_has_audience(struct altconn_net *an, kuid_t uid)
{
	return !READ_ONCE(event_stopped) &&
	       (xa_load(&an->audiences, event_audience_admin()) ||
		xa_load(&an->audiences, event_audience_of_uid(uid)));
}

/**
 * altconn_event_enqueue() - queue an event of an attempt for its watchers
 * @an: the namespace
 * @uid: user of the attempt
 * @ev: the event, or NULL if there was no memory for the event, which then
 *	counts as lost; the caller's reference is dropped
 *
 * Context: process, does not sleep; RCU read side; spinlocks may be held.
 */
void altconn_event_enqueue(struct altconn_net *an, kuid_t uid,
			   struct altconn_event *ev)
{
	event_audience_enqueue(an, event_audience_admin(), ev);
	if (uid_valid(uid))
		event_audience_enqueue(an, event_audience_of_uid(uid), ev);
	event_put(ev);
}

/**
 * __altconn_notify_sock() - altconn_notify_sock() if there are watchers
 * @sk: the socket that connects
 * @kind: enum altconn_event_kind
 * @addr: the destination, or NULL if the caller of connect() gave no valid
 *	address
 * @err: positive errno of a failed attempt, or 0
 * @reason: enum altconn_reason
 *
 * Context: process, does not sleep; current is the process that connects.
 */
void __altconn_notify_sock(struct sock *sk, u32 kind,
			   const struct altconn_addr *addr, u32 err, u32 reason)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	kuid_t uid = current_uid();
	struct altconn_event *ev;

	rcu_read_lock();
	if (!altconn_event_has_audience(an, uid))
		goto out;
	ev = altconn_event_new(kind);
	if (ev) {
		ev->type = sk->sk_type;
		ev->err = err;
		ev->reason = reason;
		ev->ends = true;
		ev->end[ALTCONN_CLIENT].addr = altconn_addr_of(sk);
		ev->end[ALTCONN_CLIENT].task = altconn_task_info_current();
		ev->end[ALTCONN_CLIENT].format = altconn_sk(sk)->format;
		/* On allocation failure the event has no server address. */
		if (addr)
			ev->end[ALTCONN_SERVER].addr =
				altconn_addr_dup(addr, GFP_NOWAIT | __GFP_NOWARN |
						       __GFP_ACCOUNT);
		ev->end[ALTCONN_SERVER].task = ALTCONN_TASK_INFO_NONE;
		ev->end[ALTCONN_SERVER].format = ALTCONN_END_UNKNOWN;
	}
	altconn_event_enqueue(an, uid, ev);
out:
	rcu_read_unlock();
}

/**
 * __altconn_notify_change() - altconn_notify_change() if there are watchers
 * @an: the namespace
 * @kind: ALTCONN_EVENT_KIND_RULES_CHANGED or ALTCONN_EVENT_KIND_NODES_CHANGED
 *
 * Every watcher of the namespace gets the event, since every user may read the
 * tables.
 *
 * Context: process, does not sleep.
 */
void __altconn_notify_change(struct altconn_net *an, u32 kind)
{
	struct event_watcher *w;
	struct altconn_event *ev;
	unsigned long key;

	if (READ_ONCE(event_stopped))
		return;
	ev = altconn_event_new(kind);
	rcu_read_lock();
	xa_for_each(&an->audiences, key, w)
		event_audience_enqueue(an, key, ev);
	rcu_read_unlock();
	event_put(ev);
}

static int event_put_attempt(struct sk_buff *skb,
			     const struct altconn_event *ev)
{
	u32 err = altconn_nl_error(ev->err);

	if (ev->assoc && nla_put_u64_64bit(skb, ALTCONN_A_EVENT_ASSOC, ev->assoc,
					   ALTCONN_A_EVENT_PAD))
		return -EMSGSIZE;
	if (ev->type && nla_put_u32(skb, ALTCONN_A_EVENT_TYPE,
				    altconn_nl_type(ev->type)))
		return -EMSGSIZE;
	if (ev->position &&
	    nla_put_u32(skb, ALTCONN_A_EVENT_POSITION, ev->position))
		return -EMSGSIZE;
	if (err && nla_put_u32(skb, ALTCONN_A_EVENT_ERROR, err))
		return -EMSGSIZE;
	if (ev->reason && nla_put_u32(skb, ALTCONN_A_EVENT_REASON, ev->reason))
		return -EMSGSIZE;
	if (ev->waited_ns && nla_put_u64_64bit(skb, ALTCONN_A_EVENT_WAITED_NS,
					       ev->waited_ns,
					       ALTCONN_A_EVENT_PAD))
		return -EMSGSIZE;
	if (ev->kind == ALTCONN_EVENT_KIND_CLOSED)
		return nla_put_u32(skb, ALTCONN_A_EVENT_END, ev->side);
	return 0;
}

static int event_put_ends(struct sk_buff *skb, const struct altconn_event *ev,
			  const struct altconn_viewer *viewer)
{
	static const int attrs[] = {
		[ALTCONN_CLIENT] = ALTCONN_A_EVENT_CLIENT,
		[ALTCONN_SERVER] = ALTCONN_A_EVENT_SERVER,
	};
	int i, err = 0;

	for (i = 0; i < 2 && !err; i++) {
		struct altconn_end_info info = {
			.addr = ev->end[i].addr,
			.task = ev->end[i].task,
			.format = ev->end[i].format,
			.recv_queue = ALTCONN_END_UNKNOWN,
		};

		err = altconn_nl_put_end(skb, attrs[i], viewer, &info);
	}
	return err;
}

static int event_put_all(struct sk_buff *skb, const struct altconn_event *ev,
			 u64 seq, const struct altconn_viewer *viewer)
{
	if (nla_put_u32(skb, ALTCONN_A_EVENT_KIND, ev->kind) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_EVENT_SEQ, seq,
			      ALTCONN_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_EVENT_TIME_NS, ev->time,
			      ALTCONN_A_EVENT_PAD) ||
	    event_put_attempt(skb, ev))
		return -EMSGSIZE;
	return ev->ends ? event_put_ends(skb, ev, viewer) : 0;
}

static u32 event_message_size(const struct altconn_event *ev)
{
	u32 size = EVENT_ATTRS_SIZE;
	int i;

	for (i = 0; i < 2; i++)
		if (ev->end[i].addr)
			size += nla_total_size(ev->end[i].addr->len);
	return size;
}

static struct sk_buff *event_make_message(const struct event_slot *slot,
					  const struct altconn_viewer *viewer)
{
	struct sk_buff *skb =
		genlmsg_new(event_message_size(slot->ev), GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &altconn_nl_family, 0, ALTCONN_CMD_EVENT);
	if (WARN_ON_ONCE(!hdr || event_put_all(skb, slot->ev, slot->seq, viewer))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/*
 * Deliver one event. The message is put into the receive queue of the socket
 * itself: a lookup by port id could find another socket, which got the id after
 * this one closed.
 */
static void event_deliver(const struct event_watcher *w,
			  const struct event_slot *slot)
{
	struct sock *sk = w->sk;
	struct sk_buff *skb;

	if (READ_ONCE(event_stopped) || sock_flag(sk, SOCK_DEAD))
		return;
	/* If the receive buffer is full, lose the event without a message. */
	if (atomic_read(&sk->sk_rmem_alloc) >= READ_ONCE(sk->sk_rcvbuf))
		return;
	skb = event_make_message(slot, &w->viewer);
	if (skb && sock_queue_rcv_skb(sk, skb))
		nlmsg_free(skb);
}

/**
 * altconn_event_watcher_put() - drop a reference to a watcher
 * @w: the watcher; its payer may be NULL if it has never been linked
 *
 * Context: process.
 */
void altconn_event_watcher_put(struct event_watcher *w)
{
	if (!refcount_dec_and_test(&w->refs))
		return;
	/*
	 * The watcher counts in its payer's limit until here, so the limit also
	 * bounds the memory that queued jobs pin.
	 */
	if (w->payer)
		atomic_dec(&w->payer->members);
	sock_put(w->sk);
	put_pid_ns(w->viewer.pids);
	put_user_ns(w->viewer.users);
	kvfree(w->slots);
	kfree_rcu(w, rcu);
}

/*
 * The job of a watcher: deliver one event, and queue the job again if there are
 * more. So the watchers of a payer take turns.
 */
static void event_watcher_run_job(struct altconn_job *job)
{
	struct event_watcher *w = container_of(job, struct event_watcher, job);
	struct event_slot slot = {};
	bool more = false;

	spin_lock(&w->lock);
	if (w->head != w->tail) {
		slot = w->slots[w->tail++ % EVENT_QUEUE_MAX];
		more = w->head != w->tail;
	}
	spin_unlock(&w->lock);
	if (slot.ev)
		event_deliver(w, &slot);
	event_put(slot.ev);
	if (more)
		WARN_ON_ONCE(!altconn_payer_queue(w->payer, job));
	else
		altconn_event_watcher_put(w);
}

/**
 * altconn_event_payer_charge() - count a watcher of the sender of a request
 * @skb: the request
 *
 * Context: process, may sleep.
 * Return: the payer, with its member count raised. The caller makes it the
 * payer of a watcher; altconn_event_watcher_put() of the last reference lowers
 * the count. ERR_PTR(-ENOSPC) if the user, or the administrators of the machine
 * together, have the maximum number of watchers; ERR_PTR(-ENOMEM) on allocation
 * failure.
 */
struct altconn_payer *altconn_event_payer_charge(struct sk_buff *skb)
{
	bool admin = netlink_capable(skb, CAP_NET_ADMIN);
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_EVENT,
				  admin ? ALTCONN_PAYER_ADMIN :
					  altconn_payer_key(current_cred()));
	if (!payer)
		return ERR_PTR(-ENOMEM);
	if (atomic_add_unless(&payer->members, 1,
			      admin ? EVENT_WATCHERS_MAX_ADMIN : EVENT_WATCHERS_MAX))
		return payer;
	return ERR_PTR(-ENOSPC);
}

/**
 * altconn_event_watcher_new() - allocate a watcher for the sender of a request
 * @skb: the request
 * @portid: netlink port id of the sender
 *
 * Context: process, may sleep.
 * Return: the watcher, with a reference that the caller owns, without a payer
 * and not linked yet; NULL on allocation failure.
 */
struct event_watcher *altconn_event_watcher_new(struct sk_buff *skb, u32 portid)
{
	struct sock *sk = NETLINK_CB(skb).sk;
	struct event_watcher *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	w->slots = kvcalloc(EVENT_QUEUE_MAX, sizeof(*w->slots),
			    GFP_KERNEL_ACCOUNT);
	if (!w->slots) {
		kfree(w);
		return NULL;
	}
	refcount_set(&w->refs, 1);
	spin_lock_init(&w->lock);
	altconn_job_init(&w->job, event_watcher_run_job);
	sock_hold(sk);
	w->sk = sk;
	w->portid = portid;
	w->viewer.admin = netlink_ns_capable(skb, sock_net(sk)->user_ns,
					     CAP_NET_ADMIN);
	w->viewer.uid = current_uid();
	w->viewer.pids = get_pid_ns(task_active_pid_ns(current));
	w->viewer.users = get_user_ns(current_user_ns());
	w->key = w->viewer.admin ? event_audience_admin() :
				   event_audience_of_uid(w->viewer.uid);
	return w;
}

static struct event_watcher *event_watcher_next(struct altconn_net *an,
						const struct event_watcher *w)
{
	return rcu_dereference_protected(w->next,
					 lockdep_is_held(&an->watch_lock));
}

/*
 * Add a watcher to the namespace and to its audience. The caller has reserved
 * the entries of both arrays. xa_store() allocates memory for an entry only if
 * the entry was erased together with another watcher, or released by another
 * thread, after the reservation.
 */
static int event_watcher_link(struct altconn_net *an, struct event_watcher *w)
{
	const gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT;
	int err;

	lockdep_assert_held(&an->watch_lock);
	RCU_INIT_POINTER(w->next, xa_load(&an->audiences, w->key));
	err = xa_err(xa_store(&an->watchers, w->portid, w, gfp));
	if (err)
		return err;
	err = xa_err(xa_store(&an->audiences, w->key, w, gfp));
	if (err)
		xa_erase(&an->watchers, w->portid);
	else
		WRITE_ONCE(an->n_watchers, an->n_watchers + 1);
	return err;
}

static void event_watcher_unlink(struct altconn_net *an, struct event_watcher *w)
{
	struct event_watcher *prev, *next;

	lockdep_assert_held(&an->watch_lock);
	next = event_watcher_next(an, w);
	prev = xa_load(&an->audiences, w->key);
	if (prev == w) {
		/* This replaces or erases an entry, so no memory is needed. */
		xa_store(&an->audiences, w->key, next, GFP_NOWAIT);
	} else {
		while (rcu_access_pointer(prev->next) != w)
			prev = event_watcher_next(an, prev);
		rcu_assign_pointer(prev->next, next);
	}
	xa_erase(&an->watchers, w->portid);
	WRITE_ONCE(an->n_watchers, an->n_watchers - 1);
}

/**
 * altconn_event_watcher_end() - end a watcher that is not linked
 * @w: the watcher, or NULL; the caller's reference is dropped
 *
 * Empties the queue and accepts no further event. The payer's limit counts the
 * watcher until the last reference is dropped.
 *
 * Context: process.
 */
void altconn_event_watcher_end(struct event_watcher *w)
{
	u32 tail, head;

	if (!w)
		return;
	spin_lock(&w->lock);
	w->dead = true;
	tail = w->tail;
	head = w->head;
	w->tail = head;
	spin_unlock(&w->lock);
	/*
	 * No other thread accesses these slots now. A job that is queued finds
	 * the queue empty.
	 */
	for (; tail != head; tail++)
		event_put(w->slots[tail % EVENT_QUEUE_MAX].ev);
	altconn_event_watcher_put(w);
}

static u64 event_watcher_seq(struct event_watcher *w)
{
	u64 seq;

	spin_lock(&w->lock);
	seq = w->seq;
	spin_unlock(&w->lock);
	return seq;
}

/**
 * altconn_event_is_watcher() - check whether a netlink socket is a watcher
 * @an: the namespace
 * @portid: netlink port id of the socket
 * @sk: the socket
 * @seq: gets the number of the watcher's last event; unchanged if the socket is
 *	not a watcher
 *
 * Context: process, does not sleep.
 * Return: true if the socket is a watcher, else false.
 */
bool altconn_event_is_watcher(struct altconn_net *an, u32 portid,
			      const struct sock *sk, u64 *seq)
{
	struct event_watcher *w;
	bool found;

	spin_lock(&an->watch_lock);
	w = xa_load(&an->watchers, portid);
	found = w && w->sk == sk;
	if (found)
		*seq = event_watcher_seq(w);
	spin_unlock(&an->watch_lock);
	return found;
}

/*
 * Make one attempt to link @new. Return 0, -EALREADY, or -ENOMEM, also in cases
 * in which a second attempt may succeed.
 */
static int event_try_link(struct altconn_net *an, struct event_watcher *new)
{
	struct event_watcher *old, *closed = NULL;
	int err;

	err = xa_reserve(&an->watchers, new->portid, GFP_KERNEL_ACCOUNT) ? :
	      xa_reserve(&an->audiences, new->key, GFP_KERNEL_ACCOUNT);
	spin_lock(&an->watch_lock);
	old = xa_load(&an->watchers, new->portid);
	/*
	 * The port id belongs to new->sk now, so the socket of a watcher with
	 * the same port id has closed.
	 */
	if (old && old->sk != new->sk) {
		event_watcher_unlink(an, old);
		closed = old;
	} else if (old) {
		err = -EALREADY;
	}
	if (!err)
		err = event_watcher_link(an, new);
	xa_release(&an->watchers, new->portid);
	xa_release(&an->audiences, new->key);
	spin_unlock(&an->watch_lock);
	altconn_event_watcher_end(closed);
	return err;
}

/**
 * altconn_event_watcher_add() - link a new watcher, which gets events from now
 * on
 * @an: the namespace
 * @new: the watcher; on success the namespace takes over the caller's reference
 *
 * The first event of the watcher has the number 1.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM; -EALREADY if another thread has made the same socket a
 * watcher. On failure the caller keeps its reference.
 */
int altconn_event_watcher_add(struct altconn_net *an, struct event_watcher *new)
{
	int err = event_try_link(an, new);

	return err == -ENOMEM ? event_try_link(an, new) : err;
}

/**
 * altconn_event_watcher_remove() - end the watcher of a netlink socket
 * @an: the namespace
 * @portid: netlink port id of the socket
 * @sk: the socket; or NULL, then the watcher ends only if its socket is closed
 *
 * Does nothing if there is no such watcher.
 *
 * Context: process.
 */
void altconn_event_watcher_remove(struct altconn_net *an, u32 portid,
				  const struct sock *sk)
{
	struct event_watcher *w;

	spin_lock(&an->watch_lock);
	w = xa_load(&an->watchers, portid);
	if (w && (sk ? w->sk == sk : sock_flag(w->sk, SOCK_DEAD)))
		event_watcher_unlink(an, w);
	else
		w = NULL;
	spin_unlock(&an->watch_lock);
	altconn_event_watcher_end(w);
}

/* Netlink notifier: a netlink socket, of any protocol and namespace, closes. */
static int event_on_release(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct netlink_notify *n = data;
	struct altconn_net *an;

	if (action != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	an = altconn_pernet(n->net);
	/*
	 * Nearly all sockets that close are no watchers: check without the
	 * lock.
	 */
	if (READ_ONCE(an->n_watchers) && xa_load(&an->watchers, n->portid))
		altconn_event_watcher_remove(an, n->portid, NULL);
	return NOTIFY_DONE;
}

static struct notifier_block event_release_notifier = {
	.notifier_call = event_on_release,
};

/**
 * altconn_event_net_init() - initialize a namespace's events, without watchers
 * @an: the namespace
 *
 * Context: any.
 */
void altconn_event_net_init(struct altconn_net *an)
{
	spin_lock_init(&an->watch_lock);
	xa_init_flags(&an->watchers, XA_FLAGS_ACCOUNT);
	xa_init_flags(&an->audiences, XA_FLAGS_ACCOUNT);
}

/**
 * altconn_event_net_exit() - end all watchers of a namespace
 * @an: the namespace, which is being destroyed, or the module is being unloaded
 *
 * Context: process, may sleep.
 */
void altconn_event_net_exit(struct altconn_net *an)
{
	struct event_watcher *w;

	do {
		unsigned long portid = 0;

		spin_lock(&an->watch_lock);
		w = xa_find(&an->watchers, &portid, ULONG_MAX, XA_PRESENT);
		if (w)
			event_watcher_unlink(an, w);
		spin_unlock(&an->watch_lock);
		altconn_event_watcher_end(w);
		cond_resched();
	} while (w);
}

/**
 * altconn_event_init() - start to notice netlink sockets that close
 *
 * Called before the netlink family is registered. altconn_event_exit() undoes
 * this call.
 *
 * Context: process, may sleep.
 * Return: 0, or a negative errno of netlink_register_notifier().
 */
int __init altconn_event_init(void)
{
	return netlink_register_notifier(&event_release_notifier);
}

/**
 * altconn_event_stop() - stop the delivery of events
 *
 * Called before the netlink family is unregistered. No event is delivered after
 * this function returns, and no event of an attempt is queued.
 *
 * Context: process, may sleep.
 */
void altconn_event_stop(void)
{
	WRITE_ONCE(event_stopped, true);
	synchronize_rcu();
	altconn_payer_flush(ALTCONN_PAYER_EVENT);
}

/**
 * altconn_event_exit() - stop to notice netlink sockets that close
 *
 * Context: process, may sleep; the netlink family is not registered any more.
 */
void altconn_event_exit(void)
{
	netlink_unregister_notifier(&event_release_notifier);
}
