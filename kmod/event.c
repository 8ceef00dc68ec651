// SPDX-License-Identifier: GPL-2.0
/*
 * This file delivers the events of a network namespace to netlink sockets.
 *
 * A watcher is a generic netlink socket that has sent ALTCONN_CMD_MONITOR. A
 * watcher with CAP_NET_ADMIN in its network namespace receives every event of
 * the namespace. Any other watcher receives the events of the attempts and
 * associations that its own user has begun, and of changes of the rules and
 * nodes. The events are not sent to a multicast group, because the module could
 * neither count nor refuse its members.
 *
 * A thread that causes an event may hold spinlocks. So it only allocates the
 * event and adds a pointer to the queue of each watcher that may see the event.
 * These are the watchers of one user, at most EVENT_WATCHERS_MAX, and of the
 * administrators of the namespace.
 *
 * A job of the watcher (payer.h) builds a message of each event, and puts it
 * into the receive queue of the socket, which runs the socket's filter and
 * wakes its pollers. How long this takes depends on the owner of the socket, so
 * the owner is the payer. If the owner's share of the CPU is used up, the
 * queues of the owner's watchers become full, and events are lost.
 *
 * Lost events have numbers too, so a reader detects a loss by a gap.
 *
 * Locks: watcher->lock is taken inside an->watch_lock, and is innermost, since
 * the cause of an event may hold any lock. an->watch_lock is a spinlock and not
 * a mutex: every generic netlink socket that closes may take it, and a task
 * that cpu.max throttles could hold a mutex for a long time.
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
 * The module is being unloaded, and no event is delivered any more. Set before
 * the netlink family is unregistered.
 */
static bool event_stopped;

/* Maximum number of events in the queue of one watcher. */
#define EVENT_QUEUE_MAX		1024

/*
 * Maximum numbers of watchers in all namespaces together: of one user, and of
 * all administrators of the machine (CAP_NET_ADMIN in the initial user
 * namespace).
 */
#define EVENT_WATCHERS_MAX		32
#define EVENT_WATCHERS_MAX_ADMIN	256

/* Space for all attributes of a message except the bytes of the addresses. */
#define EVENT_ATTRS_SIZE		400

/**
 * struct event_slot - an entry of a watcher's queue
 * @ev: the event, a reference
 * @seq: number that the watcher has given the event
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
 * Return: the event, with the current time and one reference; NULL on
 * allocation failure.
 */
struct altconn_event *altconn_event_new(u32 kind)
{
	/*
	 * An event may be lost, so the allocation does not use reserves. The
	 * memory is charged to current.
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

/* Return the key of the watchers that receive the events of the user @uid. */
static unsigned long event_audience_key_of_uid(kuid_t uid)
{
	return __kuid_val(uid);
}

/* Return the key of the watchers with CAP_NET_ADMIN. No user has this uid. */
static unsigned long event_audience_key_admin(void)
{
	return __kuid_val(INVALID_UID);
}

/*
 * Queue @ev for the watcher. The event is lost if the queue is full, or if @ev
 * is NULL because there was no memory. The caller holds rcu_read_lock().
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
	/* Until the queue is empty again, the job queues itself. */
	if (first)
		WARN_ON_ONCE(!altconn_payer_queue(w->payer, &w->job));
}

/*
 * Queue @ev, or a lost event if @ev is NULL, for all watchers of an audience.
 * The caller holds rcu_read_lock().
 */
static void event_audience_enqueue(struct altconn_net *an, unsigned long key,
				   struct altconn_event *ev)
{
	struct event_watcher *w;

	for (w = xa_load(&an->audiences, key); w; w = rcu_dereference(w->next))
		event_watcher_enqueue(w, ev);
}

/**
 * altconn_event_has_audience() - check whether any watcher may see an event
 * @an: the namespace
 * @uid: user that has begun the association or calls connect()
 *
 * Context: any; the caller holds rcu_read_lock() until after the call of
 * altconn_event_enqueue(), so that altconn_event_stop() can wait for it.
 * Return: true if there is a watcher of @uid or of an administrator, and events
 * are not stopped; else false.
 */
bool altconn_event_has_audience(struct altconn_net *an, kuid_t uid)
{
	return !READ_ONCE(event_stopped) &&
	       (xa_load(&an->audiences, event_audience_key_admin()) ||
		xa_load(&an->audiences, event_audience_key_of_uid(uid)));
}

/**
 * altconn_event_enqueue() - queue an event for its watchers
 * @an: the namespace
 * @uid: user that has begun the association or calls connect()
 * @ev: the event; this function drops the reference. NULL if there was no
 *	memory, and then the watchers count a lost event
 *
 * Context: process, does not sleep; the caller holds rcu_read_lock(), and may
 * hold spinlocks.
 */
void altconn_event_enqueue(struct altconn_net *an, kuid_t uid,
			   struct altconn_event *ev)
{
	event_audience_enqueue(an, event_audience_key_admin(), ev);
	if (uid_valid(uid))
		event_audience_enqueue(an, event_audience_key_of_uid(uid), ev);
	event_put(ev);
}

/**
 * __altconn_event_notify_sock() - slow path of altconn_event_notify_sock()
 * @sk: the socket that connects
 * @kind: enum altconn_event_kind
 * @addr: the destination, or NULL if connect() got an invalid address
 * @err: positive errno if connect() failed, or 0
 * @reason: enum altconn_reason
 *
 * Context: process, does not sleep; current is the process that connects.
 */
void __altconn_event_notify_sock(struct sock *sk, u32 kind,
				 const struct altconn_addr *addr, u32 err,
				 u32 reason)
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
		/* If there is no memory, the event lacks this address. */
		if (addr)
			ev->end[ALTCONN_SERVER].addr =
				altconn_addr_dup(addr, GFP_NOWAIT |
						 __GFP_NOWARN | __GFP_ACCOUNT);
		ev->end[ALTCONN_SERVER].task = ALTCONN_TASK_INFO_NONE;
		ev->end[ALTCONN_SERVER].format = ALTCONN_END_UNKNOWN;
	}
	altconn_event_enqueue(an, uid, ev);
out:
	rcu_read_unlock();
}

/**
 * __altconn_event_notify_change() - slow path of altconn_event_notify_change()
 * @an: the namespace
 * @kind: ALTCONN_EVENT_KIND_RULES_CHANGED or ALTCONN_EVENT_KIND_NODES_CHANGED
 *
 * All watchers of the namespace receive the event, because every user may read
 * the rules and the nodes.
 *
 * Context: process, does not sleep.
 */
void __altconn_event_notify_change(struct altconn_net *an, u32 kind)
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

/*
 * Put the attributes of an event of an attempt or association, except its ends.
 */
static int event_put_attempt(struct sk_buff *skb,
			     const struct altconn_event *ev)
{
	u32 err = altconn_nl_error(ev->err);

	if (ev->assoc && nla_put_u64_64bit(skb, ALTCONN_A_EVENT_ASSOC,
					   ev->assoc, ALTCONN_A_EVENT_PAD))
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

/* Return the space that a message of the event needs. */
static u32 event_message_size(const struct altconn_event *ev)
{
	u32 size = EVENT_ATTRS_SIZE;
	int i;

	for (i = 0; i < 2; i++)
		if (ev->end[i].addr)
			size += nla_total_size(ev->end[i].addr->len);
	return size;
}

/* Build the message of a queued event. Return NULL on allocation failure. */
static struct sk_buff *event_make_message(const struct event_slot *slot,
					  const struct altconn_viewer *viewer)
{
	const struct altconn_event *ev = slot->ev;
	struct sk_buff *skb = genlmsg_new(event_message_size(ev), GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &altconn_nl_family, 0, ALTCONN_CMD_EVENT);
	if (WARN_ON_ONCE(!hdr || event_put_all(skb, ev, slot->seq, viewer))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/*
 * Put the message of an event into the receive queue of the watcher's socket.
 * nlmsg_unicast() is of no use: it looks a socket up by port id, and after @sk
 * has closed another socket may have the id.
 */
static void event_deliver(const struct event_watcher *w,
			  const struct event_slot *slot)
{
	struct sock *sk = w->sk;
	struct sk_buff *skb;

	if (READ_ONCE(event_stopped) || sock_flag(sk, SOCK_DEAD))
		return;
	/* If the receive buffer is full, the event is lost. */
	if (atomic_read(&sk->sk_rmem_alloc) >= READ_ONCE(sk->sk_rcvbuf))
		return;
	skb = event_make_message(slot, &w->viewer);
	if (skb && sock_queue_rcv_skb(sk, skb))
		nlmsg_free(skb);
}

/**
 * altconn_event_watcher_put() - drop a reference to a watcher
 * @w: the watcher; its payer is NULL if altconn_event_payer_charge() failed
 *
 * Context: process.
 */
void altconn_event_watcher_put(struct event_watcher *w)
{
	if (!refcount_dec_and_test(&w->refs))
		return;
	/*
	 * The limit of the payer counts ended watchers whose job is still
	 * queued, so it also limits the memory of these.
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
 * The job of a watcher: deliver one event. If there are more, queue the job
 * again, behind the jobs of the payer's other watchers; else drop the job's
 * reference.
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
 * altconn_event_payer_charge() - count a new watcher in the limit of its user
 * @skb: the request ALTCONN_CMD_MONITOR
 *
 * Context: process, may sleep.
 * Return: the payer of the new watcher, which counts in the limit until its
 * last reference is dropped; ERR_PTR(-ENOSPC) if the user, or all
 * administrators of the machine together, have the maximum number of watchers;
 * ERR_PTR(-ENOMEM).
 */
struct altconn_payer *altconn_event_payer_charge(struct sk_buff *skb)
{
	bool admin = netlink_capable(skb, CAP_NET_ADMIN);
	int max = admin ? EVENT_WATCHERS_MAX_ADMIN : EVENT_WATCHERS_MAX;
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_EVENT,
				  admin ? ALTCONN_PAYER_ADMIN :
					  altconn_payer_key(current_cred()));
	if (!payer)
		return ERR_PTR(-ENOMEM);
	if (atomic_add_unless(&payer->members, 1, max))
		return payer;
	return ERR_PTR(-ENOSPC);
}

/**
 * altconn_event_watcher_new() - allocate a watcher for the socket of a request
 * @skb: the request ALTCONN_CMD_MONITOR; current has sent it
 * @portid: netlink port id of the socket
 *
 * Context: process, may sleep.
 * Return: the watcher with one reference, without a payer and in no namespace;
 * NULL on allocation failure.
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
	w->key = w->viewer.admin ? event_audience_key_admin() :
				   event_audience_key_of_uid(w->viewer.uid);
	return w;
}

/* Return w->next. an->watch_lock is held. */
static struct event_watcher *event_watcher_next(struct altconn_net *an,
						const struct event_watcher *w)
{
	return rcu_dereference_protected(w->next,
					 lockdep_is_held(&an->watch_lock));
}

/*
 * Add a watcher to an->watchers, and to the front of its audience. The caller
 * has reserved both entries of the xarrays, so xa_store() allocates memory only
 * if another thread has erased or released a reservation since. Return 0 or
 * -ENOMEM.
 */
static int event_watcher_add(struct altconn_net *an, struct event_watcher *w)
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

/*
 * Remove a watcher from an->watchers and from its audience. The caller has the
 * namespace's reference from now on, and must call altconn_event_watcher_end().
 */
static void event_watcher_del(struct altconn_net *an, struct event_watcher *w)
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
 * altconn_event_watcher_end() - end a watcher that is in no namespace
 * @w: the watcher, or NULL; this function drops the reference
 *
 * Drops all queued events; later ones are not queued.
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
	 * No other thread accesses these slots: the queue is empty for the job,
	 * and @dead stops writers.
	 */
	for (; tail != head; tail++)
		event_put(w->slots[tail % EVENT_QUEUE_MAX].ev);
	altconn_event_watcher_put(w);
}

/* Return the number of the watcher's last event, lost or not. */
static u64 event_watcher_seq(struct event_watcher *w)
{
	u64 seq;

	spin_lock(&w->lock);
	seq = w->seq;
	spin_unlock(&w->lock);
	return seq;
}

/**
 * altconn_event_watcher_get_seq() - check whether a netlink socket is a watcher
 * @an: the namespace
 * @portid: netlink port id of the socket
 * @sk: the socket
 * @seq: gets the number of the watcher's last event, lost or not; unchanged if
 *	the socket is not a watcher
 *
 * Context: process, does not sleep.
 * Return: true if the socket is a watcher, else false.
 */
bool altconn_event_watcher_get_seq(struct altconn_net *an, u32 portid,
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
 * Try to add @new to the namespace. Return 0; -EALREADY; or -ENOMEM, also if a
 * reservation was lost (event_watcher_add()), so that a second try may
 * succeed.
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
	 * An open socket, new->sk, has the port id. So if @old has the same
	 * port id and another socket, that socket has closed.
	 */
	if (old && old->sk != new->sk) {
		event_watcher_del(an, old);
		closed = old;
	} else if (old) {
		err = -EALREADY;
	}
	if (!err)
		err = event_watcher_add(an, new);
	xa_release(&an->watchers, new->portid);
	xa_release(&an->audiences, new->key);
	spin_unlock(&an->watch_lock);
	altconn_event_watcher_end(closed);
	return err;
}

/**
 * altconn_event_watcher_add() - add a new watcher to a namespace
 * @an: the namespace
 * @new: the watcher; on success the namespace takes over the reference of the
 *	caller
 *
 * The watcher receives all events from now on, beginning with number 1.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM; -EALREADY if another thread has just made the same socket
 * a watcher. On failure the caller keeps its reference.
 */
int altconn_event_watcher_add(struct altconn_net *an, struct event_watcher *new)
{
	int err = event_try_link(an, new);

	return err == -ENOMEM ? event_try_link(an, new) : err;
}

/**
 * altconn_event_watcher_remove() - remove a watcher from a namespace and end it
 * @an: the namespace
 * @portid: netlink port id of the socket
 * @sk: the socket of the watcher, or NULL to remove the watcher only if its
 *	socket has closed
 *
 * Does nothing if the namespace has no such watcher.
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
		event_watcher_del(an, w);
	else
		w = NULL;
	spin_unlock(&an->watch_lock);
	altconn_event_watcher_end(w);
}

/*
 * Remove a watcher whose netlink socket closes. This notifier is called for
 * every netlink socket of the machine.
 */
static int event_on_release(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct netlink_notify *n = data;
	struct altconn_net *an;

	if (action != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	an = altconn_pernet(n->net);
	/* Most sockets are not watchers, so look without the lock first. */
	if (READ_ONCE(an->n_watchers) && xa_load(&an->watchers, n->portid))
		altconn_event_watcher_remove(an, n->portid, NULL);
	return NOTIFY_DONE;
}

static struct notifier_block event_release_notifier = {
	.notifier_call = event_on_release,
};

/**
 * altconn_event_net_init() - initialize a namespace without watchers
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
 * @an: the namespace; it ends, or the module is being unloaded
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
			event_watcher_del(an, w);
		spin_unlock(&an->watch_lock);
		altconn_event_watcher_end(w);
		cond_resched();
	} while (w);
}

/**
 * altconn_event_init() - register the notifier of closing netlink sockets
 *
 * This must precede the registration of the netlink family.
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
 * This must precede the unregistration of the netlink family. After the return
 * no event is delivered, and no event of an attempt or association is queued.
 * An event of a change of rules or nodes may still be queued.
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
 * altconn_event_exit() - unregister the notifier of closing netlink sockets
 *
 * Context: process, may sleep; the netlink family is not registered.
 */
void altconn_event_exit(void)
{
	netlink_unregister_notifier(&event_release_notifier);
}
