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
#include "netlink_gen.h"
#include "event.h"
#include "nl.h"

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
 * struct event - something that has happened
 * @refs: of queues, and of the cause until it is queued
 * @kind: enum altconn_event_kind
 * @time: when, nanoseconds since 1970
 * @assoc: id of the association, or 0
 * @waited_ns: how long the attempt waited
 * @type: socket type, or 0
 * @err: errno
 * @reason: enum altconn_reason
 * @place: of the attempt in its queue, or 0
 * @side: the end that has closed
 * @ends: @end is filled in
 * @end: addresses and processes of both ends, references
 *
 * Lifetime: immutable once it is in a queue; freed with the last reference.
 */
struct event {
	refcount_t	refs;
	u32		kind;
	u64		time;
	u64		assoc;
	u64		waited_ns;
	u32		type;
	u32		err;
	u32		reason;
	u32		place;
	u32		side;
	bool		ends;
	struct {
		struct altconn_addr	*addr;
		struct altconn_who	who;
		u32			dress;
	} end[2];
};

/**
 * struct event_slot - a queued event
 * @ev: a reference
 * @seq: its number for this watcher
 */
struct event_slot {
	struct event	*ev;
	u64		seq;
};

/**
 * struct event_watcher - a netlink socket that gets events
 * @refs: see below
 * @next: the next watcher of the same audience; RCU, written under watch_lock
 * @key: of its audience
 * @portid: of @sk; another socket may have it once @sk is closed
 * @sk: the socket, a reference
 * @payer: of @job, the socket's owner
 * @job: delivers one event; queued while the queue has one, and holds a reference then
 * @viewer: what it may see; references to both namespaces
 * @lock: the queue: all that follows
 * @dead: nothing is queued any more
 * @seq: number of its last event
 * @head: slots ever filled
 * @tail: slots ever emptied
 * @slots: the queue
 * @rcu: frees it
 *
 * Lifetime: the namespace holds a reference from ALTCONN_CMD_MONITOR until the socket
 * closes, the namespace dies or the module goes, and its job while that is queued or
 * runs. A reader of an audience, under RCU, takes none and looks at @dead.
 */
struct event_watcher {
	refcount_t			refs;
	struct event_watcher __rcu	*next;
	unsigned long			key;
	u32				portid;
	struct sock			*sk;
	struct altconn_payer		*payer;
	struct altconn_job		job;
	struct altconn_viewer		viewer;
	spinlock_t			lock;		/* the queue */
	bool				dead;
	u64				seq;
	u32				head;
	u32				tail;
	struct event_slot		*slots;
	struct rcu_head			rcu;
};

/* ---- events ---- */

static struct event *event_new(u32 kind)
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

static bool event_has_audience(struct altconn_net *an, kuid_t uid)
{
	return !READ_ONCE(event_stopped) &&
	       (xa_load(&an->audiences, event_audience_admin()) ||
		xa_load(&an->audiences, event_audience_of_uid(uid)));
}

/* Queue an event of an attempt of @uid, and drop the caller's reference. */
static void event_note(struct altconn_net *an, kuid_t uid, struct event *ev)
{
	event_queue_audience(an, event_audience_admin(), ev);
	if (uid_valid(uid))
		event_queue_audience(an, event_audience_of_uid(uid), ev);
	event_put(ev);
}

static void event_fill_ends(struct event *ev, struct altconn_assoc *assoc,
			    enum altconn_side viewer)
{
	int side;

	ev->ends = true;
	spin_lock(&assoc->lock);
	for (side = ALTCONN_CLIENT; side <= ALTCONN_SERVER; side++) {
		ev->end[side].addr =
			altconn_addr_get(altconn_assoc_addr(assoc, side, viewer));
		ev->end[side].who = altconn_who_get(&assoc->end[side].who);
		ev->end[side].dress = assoc->end[side].dress;
	}
	spin_unlock(&assoc->lock);
}

static void event_note_assoc(struct altconn_net *an, struct altconn_assoc *assoc,
			     enum altconn_side viewer, u32 kind, u32 value)
{
	kuid_t uid = assoc->end[ALTCONN_CLIENT].who.uid;
	struct event *ev;

	if (!READ_ONCE(an->watched) || !event_has_audience(an, uid))
		return;
	ev = event_new(kind);
	if (!ev)
		goto out;
	ev->assoc = assoc->entry.id;
	ev->type = assoc->type;
	ev->waited_ns = assoc->decided ? assoc->decided - assoc->begun : 0;
	if (kind == ALTCONN_EVENT_KIND_CONNECT_WAIT)
		ev->place = value;
	else if (kind == ALTCONN_EVENT_KIND_CLOSED)
		ev->side = value;
	else
		ev->reason = assoc->reason;
	if (kind == ALTCONN_EVENT_KIND_FAILED)
		ev->err = assoc->err;
	event_fill_ends(ev, assoc, viewer);
out:
	event_note(an, uid, ev);
}

/**
 * __altconn_event_assoc() - an event of an association, for both namespaces
 * @assoc: the association
 * @kind: enum altconn_event_kind
 * @value: a place, or an end, or nothing
 *
 * Context: process; may hold locks, but not assoc->lock.
 */
void __altconn_event_assoc(struct altconn_assoc *assoc, u32 kind, u32 value)
{
	const struct altconn_far *far;
	struct altconn_net *an;

	rcu_read_lock();
	event_note_assoc(assoc->an, assoc, ALTCONN_CLIENT, kind, value);
	/* Pairs with the arrival. */
	far = smp_load_acquire(&assoc->far);
	an = unlikely(far) ? READ_ONCE(far->an) : NULL;
	if (an)
		event_note_assoc(an, assoc, ALTCONN_SERVER, kind, value);
	rcu_read_unlock();
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
	if (!event_has_audience(an, uid))
		goto out;
	ev = event_new(kind);
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
	event_note(an, uid, ev);
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
	ev = event_new(kind);
	rcu_read_lock();
	xa_for_each(&an->audiences, key, w)
		event_queue_audience(an, key, ev);
	rcu_read_unlock();
	event_put(ev);
}

/* ---- delivery ---- */

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

static void event_watcher_put(struct event_watcher *w)
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
		event_watcher_put(w);
}

/* ---- watchers ---- */

/* The sender's payer, with one watcher more; ERR_PTR(-ENOSPC), ERR_PTR(-ENOMEM). */
static struct altconn_payer *event_payer_enter(struct sk_buff *skb)
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

static struct event_watcher *event_watcher_new(struct sk_buff *skb, u32 portid)
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
static void event_watcher_end(struct event_watcher *w)
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
	event_watcher_put(w);
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
static bool event_is_watcher(struct altconn_net *an, u32 portid,
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
	event_watcher_end(closed);
	return err;
}

/* Its first event has number 1. -ENOMEM; -EALREADY: another thread was faster. */
static int event_watch(struct altconn_net *an, struct event_watcher *new)
{
	int err = event_try_watch(an, new);

	return err == -ENOMEM ? event_try_watch(an, new) : err;
}

static void event_unwatch(struct altconn_net *an, u32 portid,
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
	event_watcher_end(w);
}

static int event_reply(struct genl_info *info, u64 seq)
{
	struct sk_buff *reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				ALTCONN_CMD_MONITOR);
	if (!hdr || nla_put_u64_64bit(reply, ALTCONN_A_EVENT_SEQ, seq,
				      ALTCONN_A_EVENT_PAD)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static int event_begin_watch(struct sk_buff *skb, struct genl_info *info)
{
	struct event_watcher *w = event_watcher_new(skb, info->snd_portid);
	struct altconn_payer *payer;
	int err;

	if (!w)
		return -ENOMEM;
	payer = event_payer_enter(skb);
	if (IS_ERR(payer)) {
		if (PTR_ERR(payer) == -ENOSPC)
			NL_SET_ERR_MSG(info->extack,
				       "too many sockets of this user get events");
		event_watcher_put(w);
		return PTR_ERR(payer);
	}
	w->payer = payer;
	err = event_watch(altconn_pernet(genl_info_net(info)), w);
	if (err)
		event_watcher_end(w);
	return err;
}

/**
 * altconn_nl_monitor_doit() - deliver events to the socket of the request
 * @skb: the request
 * @info: the request
 *
 * A socket that gets events already goes on as before.
 *
 * Return: 0; -EINVAL: an attribute; -ENOMEM; -ENOSPC: the user has too many such
 * sockets; -EALREADY: another thread asks for the same socket; or an error of sending
 * the answer.
 */
int altconn_nl_monitor_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_net *an = altconn_pernet(genl_info_net(info));
	struct sock *sk = NETLINK_CB(skb).sk;
	int err = altconn_nl_check_empty(info);
	u64 seq = 0;

	if (err)
		return err;
	if (event_is_watcher(an, info->snd_portid, sk, &seq))
		return event_reply(info, seq);
	err = event_begin_watch(skb, info);
	if (err)
		return err;
	err = event_reply(info, seq);
	if (err)
		event_unwatch(an, info->snd_portid, sk);
	return err;
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
		event_unwatch(an, n->portid, NULL);
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
		event_watcher_end(w);
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
