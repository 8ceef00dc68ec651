// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what happens in a network namespace, delivered to netlink sockets.
 *
 * A watcher is a generic netlink socket that sent ALTCONN_CMD_MONITOR. With CAP_NET_ADMIN
 * in its network namespace it gets every event of the namespace, without it the events
 * of attempts of its own user, and changes of rules and nodes. A multicast group would
 * deliver to sockets that the module can neither count nor refuse, so there is none.
 *
 * An event is noted where it happens, also under a lock: one allocation, and a pointer
 * in the queue of each watcher that may see it. Its cost is bounded by the watchers of
 * the causing user (EVENT_PLACES) and those of administrators. A namespace without
 * watchers pays for a load and a branch.
 *
 * Messages are built and sockets are woken by a kernel thread. A socket's filter and
 * pollers are its owner's choice, so the owner pays for the time (payer.c): when its
 * share is used up its queues fill, and lose events.
 *
 * Each watcher numbers its events, the lost ones too: a gap in the numbers is a loss.
 *
 * Locks: an->watch_lock, then watcher->lock, which is innermost, inside every lock that a
 * cause of events holds. The first is a spinlock too: a thread could hold a mutex while
 * cpu.max throttles it, and each generic netlink socket that closes may want it.
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

/* The family is about to be unregistered: no event is queued or delivered. */
static bool event_stopped;

/* Events that one watcher's queue holds. */
#define EVENT_QUEUE_MAX		1024

/* Watchers of one user, in all namespaces together; of the administrators. */
#define EVENT_PLACES		32
#define EVENT_PLACES_ADMIN	256

/* Every attribute of a message but for the bytes of two addresses. */
#define EVENT_SIZE		400

/**
 * struct event_slot - a queued event
 * @ev: a reference
 * @seq: its number for this watcher
 */
struct event_slot {
	struct event	*ev;
	u64		seq;
};

struct event *altconn_event_new(u32 kind)
{
	/* No reserves: an event may be lost. The memory is the causing process's. */
	struct event *ev = kzalloc(sizeof(*ev), GFP_NOWAIT | __GFP_NOWARN |
						__GFP_ACCOUNT);

	if (!ev)
		return NULL;
	refcount_set(&ev->refs, 1);
	ev->kind = kind;
	ev->time = ktime_get_real_ns();
	return ev;
}

static void event_put(struct event *ev)
{
	int i;

	if (!ev || !refcount_dec_and_test(&ev->refs))
		return;
	for (i = 0; i < 2; i++) {
		altconn_addr_put(ev->end[i].addr);
		put_pid(ev->end[i].who.pid);
	}
	kfree(ev);
}

/* Watchers of one audience see the same events. */
static unsigned long event_audience_of_uid(kuid_t uid)
{
	return __kuid_val(uid);
}

/* No user has this number. */
static unsigned long event_audience_admin(void)
{
	return __kuid_val(INVALID_UID);
}

/* @ev: NULL if there was no memory for the event. */
static void event_queue(struct event_watcher *w, struct event *ev)
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
	/* The job is queued once for a queue that is not empty. */
	if (first)
		WARN_ON_ONCE(!altconn_payer_queue(w->payer, &w->job));
}

static void event_queue_audience(struct altconn_net *an, unsigned long key,
				 struct event *ev)
{
	struct event_watcher *w;

	for (w = xa_load(&an->audiences, key); w; w = rcu_dereference(w->next))
		event_queue(w, ev);
}

bool altconn_event_has_audience(struct altconn_net *an, kuid_t uid)
{
	return !READ_ONCE(event_stopped) &&
	       (xa_load(&an->audiences, event_audience_admin()) ||
		xa_load(&an->audiences, event_audience_of_uid(uid)));
}

/* Queue an event of an attempt of @uid, and drop the caller's reference. */
void altconn_event_note(struct altconn_net *an, kuid_t uid, struct event *ev)
{
	event_queue_audience(an, event_audience_admin(), ev);
	if (uid_valid(uid))
		event_queue_audience(an, event_audience_of_uid(uid), ev);
	event_put(ev);
}

/**
 * __altconn_event_sock() - an event of an attempt that has no association
 * @sk: the socket that connects
 * @kind: enum altconn_event_kind
 * @addr: the destination, or NULL where that was no address
 * @err: errno
 * @reason: enum altconn_reason
 *
 * Context: process; @current is the process that connects.
 */
void __altconn_event_sock(struct sock *sk, u32 kind,
			  const struct altconn_addr *addr, u32 err, u32 reason)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	kuid_t uid = current_uid();
	struct event *ev;

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
		ev->end[ALTCONN_CLIENT].who = altconn_who_am_i();
		ev->end[ALTCONN_CLIENT].dress = altconn_sk(sk)->dress;
		/* Without memory it has no address. */
		if (addr)
			ev->end[ALTCONN_SERVER].addr =
				altconn_addr_dup(addr, GFP_NOWAIT | __GFP_NOWARN |
						       __GFP_ACCOUNT);
		ev->end[ALTCONN_SERVER].who = ALTCONN_NOBODY;
		ev->end[ALTCONN_SERVER].dress = ALTCONN_END_UNKNOWN;
	}
	altconn_event_note(an, uid, ev);
out:
	rcu_read_unlock();
}

/**
 * __altconn_event_changed() - a namespace has other rules, or nodes
 * @an: the namespace
 * @kind: enum altconn_event_kind
 *
 * Every watcher of the namespace gets it: the tables are for everybody to read.
 *
 * Context: process.
 */
void __altconn_event_changed(struct altconn_net *an, u32 kind)
{
	struct event_watcher *w;
	struct event *ev;
	unsigned long key;

	if (READ_ONCE(event_stopped))
		return;
	ev = altconn_event_new(kind);
	rcu_read_lock();
	xa_for_each(&an->audiences, key, w)
		event_queue_audience(an, key, ev);
	rcu_read_unlock();
	event_put(ev);
}

static int event_put_attempt(struct sk_buff *skb, const struct event *ev)
{
	u32 err = altconn_nl_error(ev->err);

	if (ev->assoc && nla_put_u64_64bit(skb, ALTCONN_A_EVENT_ASSOC, ev->assoc,
					   ALTCONN_A_EVENT_PAD))
		return -EMSGSIZE;
	if (ev->type && nla_put_u32(skb, ALTCONN_A_EVENT_TYPE,
				    altconn_nl_type(ev->type)))
		return -EMSGSIZE;
	if (ev->place && nla_put_u32(skb, ALTCONN_A_EVENT_PLACE, ev->place))
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

static int event_put_ends(struct sk_buff *skb, const struct event *ev,
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
			.who = ev->end[i].who,
			.dress = ev->end[i].dress,
			.recv_queue = ALTCONN_END_UNKNOWN,
		};

		err = altconn_nl_put_end(skb, attrs[i], viewer, &info);
	}
	return err;
}

static int event_put_all(struct sk_buff *skb, const struct event *ev, u64 seq,
			 const struct altconn_viewer *viewer)
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

static u32 event_size(const struct event *ev)
{
	u32 size = EVENT_SIZE;
	int i;

	for (i = 0; i < 2; i++)
		if (ev->end[i].addr)
			size += nla_total_size(ev->end[i].addr->len);
	return size;
}

static struct sk_buff *event_message(const struct event_slot *slot,
				     const struct altconn_viewer *viewer)
{
	struct sk_buff *skb = genlmsg_new(event_size(slot->ev), GFP_KERNEL);
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
 * The message goes into the receive queue of the socket itself: by its number another
 * socket might be found, which took the number when this one closed.
 */
static void event_deliver(const struct event_watcher *w,
			  const struct event_slot *slot)
{
	struct sock *sk = w->sk;
	struct sk_buff *skb;

	if (READ_ONCE(event_stopped) || sock_flag(sk, SOCK_DEAD))
		return;
	/* A reader that is behind has a gap, and costs no message. */
	if (atomic_read(&sk->sk_rmem_alloc) >= READ_ONCE(sk->sk_rcvbuf))
		return;
	skb = event_message(slot, &w->viewer);
	if (skb && sock_queue_rcv_skb(sk, skb))
		nlmsg_free(skb);
}

void altconn_event_watcher_put(struct event_watcher *w)
{
	if (!refcount_dec_and_test(&w->refs))
		return;
	/* Not before: what a queued job keeps is bounded by the places too. */
	if (w->payer)
		atomic_dec(&w->payer->members);
	sock_put(w->sk);
	put_pid_ns(w->viewer.pids);
	put_user_ns(w->viewer.users);
	kvfree(w->slots);
	kfree_rcu(w, rcu);
}

/* Deliver one event; the watchers of a payer take turns. */
static void event_run(struct altconn_job *job)
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

/* The sender's payer, with one watcher more; ERR_PTR(-ENOSPC), ERR_PTR(-ENOMEM). */
struct altconn_payer *altconn_event_payer_enter(struct sk_buff *skb)
{
	bool admin = netlink_capable(skb, CAP_NET_ADMIN);
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_EVENT,
				  admin ? ALTCONN_PAYER_ADMIN :
					  altconn_payer_key(current_cred()));
	if (!payer)
		return ERR_PTR(-ENOMEM);
	if (atomic_add_unless(&payer->members, 1,
			      admin ? EVENT_PLACES_ADMIN : EVENT_PLACES))
		return payer;
	return ERR_PTR(-ENOSPC);
}

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
	altconn_job_init(&w->job, event_run);
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

static struct event_watcher *event_next(struct altconn_net *an,
					const struct event_watcher *w)
{
	return rcu_dereference_protected(w->next,
					 lockdep_is_held(&an->watch_lock));
}

/*
 * The caller has reserved both entries. xa_store() needs memory for one only if it was
 * erased meanwhile, with another watcher, or released by another thread.
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
		WRITE_ONCE(an->watched, an->watched + 1);
	return err;
}

static void event_watcher_unlink(struct altconn_net *an, struct event_watcher *w)
{
	struct event_watcher *prev, *next;

	lockdep_assert_held(&an->watch_lock);
	next = event_next(an, w);
	prev = xa_load(&an->audiences, w->key);
	if (prev == w) {
		/* It replaces or erases, and needs no memory. */
		xa_store(&an->audiences, w->key, next, GFP_NOWAIT);
	} else {
		while (rcu_access_pointer(prev->next) != w)
			prev = event_next(an, prev);
		rcu_assign_pointer(prev->next, next);
	}
	xa_erase(&an->watchers, w->portid);
	WRITE_ONCE(an->watched, an->watched - 1);
}

/*
 * A watcher that is not linked, or NULL: empty its queue. The last reference gives its
 * place back.
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
	 * No other thread touches these slots now, and a queued job finds the
	 * queue empty.
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

/* Is the socket a watcher? Then @seq is the number of its last event. */
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

/* -ENOMEM, also where a second try may succeed. */
static int event_try_watch(struct altconn_net *an, struct event_watcher *new)
{
	struct event_watcher *old, *closed = NULL;
	int err;

	err = xa_reserve(&an->watchers, new->portid, GFP_KERNEL_ACCOUNT) ? :
	      xa_reserve(&an->audiences, new->key, GFP_KERNEL_ACCOUNT);
	spin_lock(&an->watch_lock);
	old = xa_load(&an->watchers, new->portid);
	/* A socket that is closed, whose number is new->sk's by now. */
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

/* Its first event has number 1. -ENOMEM; -EALREADY: another thread was faster. */
int altconn_event_watch(struct altconn_net *an, struct event_watcher *new)
{
	int err = event_try_watch(an, new);

	return err == -ENOMEM ? event_try_watch(an, new) : err;
}

void altconn_event_unwatch(struct altconn_net *an, u32 portid,
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

/* A netlink socket closes, of any protocol and namespace. */
static int event_on_release(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct netlink_notify *n = data;
	struct altconn_net *an;

	if (action != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	an = altconn_pernet(n->net);
	/* Without the lock, as nearly all sockets that close are no watchers. */
	if (READ_ONCE(an->watched) && xa_load(&an->watchers, n->portid))
		altconn_event_unwatch(an, n->portid, NULL);
	return NOTIFY_DONE;
}

static struct notifier_block event_release_notifier = {
	.notifier_call = event_on_release,
};

/**
 * altconn_event_begin() - a namespace without watchers
 * @an: the namespace
 */
void altconn_event_begin(struct altconn_net *an)
{
	spin_lock_init(&an->watch_lock);
	xa_init_flags(&an->watchers, XA_FLAGS_ACCOUNT);
	xa_init_flags(&an->audiences, XA_FLAGS_ACCOUNT);
}

/**
 * altconn_event_leave() - a namespace dies, or the module goes
 * @an: the namespace
 *
 * Context: process, may sleep.
 */
void altconn_event_leave(struct altconn_net *an)
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
 * altconn_event_init() - before the family is registered
 *
 * Context: process, may sleep.
 * Return: 0, or an error of registering a notifier. altconn_event_exit() undoes it.
 */
int __init altconn_event_init(void)
{
	return netlink_register_notifier(&event_release_notifier);
}

/**
 * altconn_event_stop() - before the family is unregistered
 *
 * Context: process, may sleep. No event is queued or delivered afterwards.
 */
void altconn_event_stop(void)
{
	WRITE_ONCE(event_stopped, true);
	synchronize_rcu();
	altconn_payer_flush(ALTCONN_PAYER_EVENT);
}

/**
 * altconn_event_exit() - no socket that closes is noticed any more
 *
 * Context: process, may sleep; the family is not registered any more.
 */
void altconn_event_exit(void)
{
	netlink_unregister_notifier(&event_release_notifier);
}
