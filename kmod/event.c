// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what happens, told to the members of a multicast group, and with processes to
 * administrators, one by one: what a member may see was asked when it joined, if at all,
 * and pids are numbers of whoever is told.
 *
 * Nobody joins without a word: whoever wants events says so, by ALTCONN_CMD_MONITOR, and
 * the namespace is watched until all sockets that said so are closed. So a static key
 * keeps all of it out of everybody's way.
 *
 * What happens is noted where it happens, under locks too; a work tells it, in the order
 * in which it was noted, whoever listens and however many they are. What does not fit, or
 * finds no memory, leaves a gap in the numbers.
 */

#include <linux/jump_label_ratelimit.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/pid_namespace.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include "netlink_gen.h"
#include "event.h"
#include "nl.h"

DEFINE_STATIC_KEY_DEFERRED_FALSE(altconn_events_on, HZ);

/* The family goes: nothing is told any more. */
static bool stopped;

/* So many may wait to be told, of a namespace. */
#define QUEUE_MAX	8192

/* And so many sockets may watch it, administrators' not counted. */
#define WATCHERS_MAX	1024

/* Two ends with long paths, processes, and the rest. */
#define EVENT_SIZE	1024

/**
 * struct watcher - a netlink socket that asked for events
 * @node: in the namespace's list; watch_lock
 * @sk: the socket, a reference
 * @portid: its number, which another may have when it is closed
 * @pids: of who asked for processes, a reference; NULL: nobody did
 * @users: likewise
 *
 * Lifetime: from ALTCONN_CMD_MONITOR until the socket closes, or the module goes.
 */
struct watcher {
	struct list_head	node;
	struct sock		*sk;
	u32			portid;
	struct pid_namespace	*pids;
	struct user_namespace	*users;
};

/**
 * struct event - something that has happened
 * @node: in the namespace's list
 * @time: when, nanoseconds since 1970
 * @kind: enum altconn_event_kind
 * @type: socket type, or 0
 * @assoc: id of the association, or 0
 * @err: errno
 * @reason: enum altconn_reason
 * @place: in the queue, or 0
 * @side: which has closed
 * @waited_ns: how long it waited
 * @ends: there are two
 * @end: their addresses and processes, references
 *
 * Lifetime: the list's, and then the work's.
 */
struct event {
	struct llist_node	node;
	u64			time;
	u32			kind;
	u32			type;
	u64			assoc;
	u32			err;
	u32			reason;
	u32			place;
	u32			side;
	u64			waited_ns;
	bool			ends;
	struct {
		struct altconn_addr	*addr;
		struct altconn_who	who;
		u32			dress;
	} end[2];
};

static struct event *event_new(u32 kind)
{
	/* No reserves: it may be lost. */
	struct event *ev = kzalloc(sizeof(*ev), GFP_NOWAIT | __GFP_NOWARN);

	if (!ev)
		return NULL;
	ev->kind = kind;
	ev->time = ktime_get_real_ns();
	return ev;
}

static void event_free(struct event *ev)
{
	int i;

	for (i = 0; i < 2; i++) {
		altconn_addr_put(ev->end[i].addr);
		put_pid(ev->end[i].who.pid);
	}
	kfree(ev);
}

/* RCU read side, since before @an was seen to be watched: so the work may run. */
static void note(struct altconn_net *an, struct event *ev)
{
	if (ev && atomic_inc_return(&an->n_events) > QUEUE_MAX) {
		atomic_dec(&an->n_events);
		event_free(ev);
		ev = NULL;
	}
	if (!ev) {
		atomic_inc(&an->events_lost);
		return;
	}
	llist_add(&ev->node, &an->events);
	queue_work(altconn_wq, &an->event_work);
}

static bool is_watched(const struct altconn_net *an)
{
	return READ_ONCE(an->watched) && !READ_ONCE(stopped);
}

static void note_assoc(struct altconn_net *an, struct altconn_assoc *assoc,
		       enum altconn_side viewer, u32 kind, u32 value)
{
	struct event *ev;
	int side;

	if (!is_watched(an))
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
	ev->ends = true;
	spin_lock(&assoc->lock);
	for (side = ALTCONN_CLIENT; side <= ALTCONN_SERVER; side++) {
		ev->end[side].addr =
			altconn_addr_get(altconn_assoc_addr(assoc, side, viewer));
		ev->end[side].who = altconn_who_get(&assoc->end[side].who);
		ev->end[side].dress = assoc->end[side].dress;
	}
	spin_unlock(&assoc->lock);
out:
	note(an, ev);
}

/**
 * __altconn_event_assoc() - an event of an association, for both namespaces
 * @assoc: the association
 * @kind: enum altconn_event_kind
 * @value: a place, or an end, or nothing
 *
 * Context: process; assoc->lock not held.
 */
void __altconn_event_assoc(struct altconn_assoc *assoc, u32 kind, u32 value)
{
	const struct altconn_far *far;

	rcu_read_lock();
	note_assoc(assoc->an, assoc, ALTCONN_CLIENT, kind, value);
	/* Pairs with the arrival. Out of the registry, a grace period is left. */
	far = smp_load_acquire(&assoc->far);
	if (unlikely(far) && !list_empty_careful(&far->entry.node))
		note_assoc(far->an, assoc, ALTCONN_SERVER, kind, value);
	rcu_read_unlock();
}

/**
 * __altconn_event_sock() - an event of an attempt that has no association
 * @sk: who makes it
 * @kind: enum altconn_event_kind
 * @addr: where to, or NULL where that was no address
 * @err: errno
 * @reason: enum altconn_reason
 *
 * Context: process.
 */
void __altconn_event_sock(struct sock *sk, u32 kind,
			  const struct altconn_addr *addr, u32 err, u32 reason)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct event *ev;

	rcu_read_lock();
	if (!is_watched(an))
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
				altconn_addr_dup(addr, GFP_NOWAIT | __GFP_NOWARN);
		ev->end[ALTCONN_SERVER].who = ALTCONN_NOBODY;
	}
	note(an, ev);
out:
	rcu_read_unlock();
}

/**
 * __altconn_event_changed() - a namespace has other rules, or nodes
 * @an: the namespace
 * @kind: enum altconn_event_kind
 *
 * Context: any but hard interrupts.
 */
void __altconn_event_changed(struct altconn_net *an, u32 kind)
{
	rcu_read_lock();
	if (is_watched(an))
		note(an, event_new(kind));
	rcu_read_unlock();
}

/* ---- telling ---- */

static int put_attempt(struct sk_buff *skb, const struct event *ev)
{
	if (ev->assoc && nla_put_u64_64bit(skb, ALTCONN_A_EVENT_ASSOC, ev->assoc,
					   ALTCONN_A_EVENT_PAD))
		return -EMSGSIZE;
	if (ev->type && nla_put_u32(skb, ALTCONN_A_EVENT_TYPE, ev->type))
		return -EMSGSIZE;
	if (ev->place && nla_put_u32(skb, ALTCONN_A_EVENT_PLACE, ev->place))
		return -EMSGSIZE;
	if (ev->err && nla_put_u32(skb, ALTCONN_A_EVENT_ERRNO, ev->err))
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

static int put_ends(struct sk_buff *skb, const struct event *ev,
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
		};

		/* Nobody else sees a file that somebody tried in vain. */
		if (!viewer->admin && !ev->assoc && info.addr &&
		    info.addr->kind == ALTCONN_KIND_PATH)
			info.addr = NULL;
		err = altconn_nl_put_end(skb, attrs[i], viewer, &info);
	}
	return err;
}

static int put_event(struct sk_buff *skb, const struct event *ev, u64 seq,
		     const struct altconn_viewer *viewer)
{
	if (nla_put_u32(skb, ALTCONN_A_EVENT_KIND, ev->kind) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_EVENT_SEQ, seq,
			      ALTCONN_A_EVENT_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_EVENT_TIME_NS, ev->time,
			      ALTCONN_A_EVENT_PAD) ||
	    put_attempt(skb, ev))
		return -EMSGSIZE;
	return ev->ends ? put_ends(skb, ev, viewer) : 0;
}

static struct sk_buff *message(struct altconn_net *an, const struct event *ev,
			       const struct altconn_viewer *viewer)
{
	struct sk_buff *skb = genlmsg_new(EVENT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &altconn_nl_family, 0, ALTCONN_CMD_EVENT);
	if (!hdr || put_event(skb, ev, an->event_seq, viewer)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

/* One that finds no memory or no room is lost: its number is missing. */
static void tell_all_of_them(struct altconn_net *an, const struct event *ev)
{
	const struct altconn_viewer viewer = {
		.uid = INVALID_UID,
		.users = an->net->user_ns,
	};
	struct sk_buff *skb;

	/* In whatever namespace: it spares the message where nobody is. */
	if (!genl_has_listeners(&altconn_nl_family, an->net,
				ALTCONN_NLGRP_EVENTS))
		return;
	skb = message(an, ev, &viewer);
	if (skb)
		genlmsg_multicast_netns(&altconn_nl_family, an->net, skb, 0,
					ALTCONN_NLGRP_EVENTS, GFP_KERNEL);
}

static void tell_watcher(struct altconn_net *an, const struct event *ev,
			 const struct watcher *w)
{
	const struct altconn_viewer viewer = {
		.admin = true,
		.uid = INVALID_UID,
		.users = w->users,
		.pids = w->pids,
	};
	struct sk_buff *skb;

	if (!w->pids)
		return;
	skb = message(an, ev, &viewer);
	if (!skb)
		return;
	/* Its number may soon be another's; nothing that sleeps is in between. */
	if (sock_flag(w->sk, SOCK_DEAD))
		nlmsg_free(skb);
	else
		genlmsg_unicast(an->net, skb, w->portid);
}

/* The numbers that were lost stand before it, and so do others that were lost meanwhile. */
static void tell(struct altconn_net *an, const struct event *ev)
{
	const struct watcher *w;

	mutex_lock(&an->watch_lock);
	an->event_seq += 1 + atomic_xchg(&an->events_lost, 0);
	tell_all_of_them(an, ev);
	list_for_each_entry(w, &an->watchers, node) {
		tell_watcher(an, ev, w);
		cond_resched();
	}
	mutex_unlock(&an->watch_lock);
}

static void tell_all(struct work_struct *work)
{
	struct altconn_net *an = container_of(work, struct altconn_net,
					      event_work);
	struct event *ev, *next;
	struct llist_node *list = llist_reverse_order(llist_del_all(&an->events));

	llist_for_each_entry_safe(ev, next, list, node) {
		if (!READ_ONCE(stopped))
			tell(an, ev);
		event_free(ev);
		atomic_dec(&an->n_events);
		cond_resched();
	}
}

/* ---- asking ---- */

static int answer(struct genl_info *info, u64 seq)
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

static struct watcher *find_watcher(struct altconn_net *an,
				    const struct sock *sk)
{
	struct watcher *w;

	lockdep_assert_held(&an->watch_lock);
	list_for_each_entry(w, &an->watchers, node)
		if (w->sk == sk)
			return w;
	return NULL;
}

static struct watcher *new_watcher(struct sk_buff *skb, u32 portid,
				   bool processes)
{
	struct watcher *w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	w->sk = NETLINK_CB(skb).sk;
	sock_hold(w->sk);
	w->portid = portid;
	if (processes) {
		w->pids = get_pid_ns(task_active_pid_ns(current));
		w->users = get_user_ns(current_user_ns());
	}
	return w;
}

static void free_watcher(struct watcher *w)
{
	sock_put(w->sk);
	if (w->pids) {
		put_pid_ns(w->pids);
		put_user_ns(w->users);
	}
	kfree(w);
}

static void drop_watcher(struct altconn_net *an, struct watcher *w)
{
	lockdep_assert_held(&an->watch_lock);
	list_del(&w->node);
	an->n_watchers -= !w->pids;
	WRITE_ONCE(an->watched, !list_empty(&an->watchers));
	free_watcher(w);
	static_branch_slow_dec_deferred(&altconn_events_on);
}

/*
 * It has asked before, maybe: then this one takes the place of that. @seq: of the last
 * event that it is not told.
 */
static int add_watcher(struct altconn_net *an, struct watcher *new, u64 *seq)
{
	struct watcher *old;
	int err = 0;

	/* On before the first event is noted. */
	static_branch_deferred_inc(&altconn_events_on);
	mutex_lock(&an->watch_lock);
	old = find_watcher(an, new->sk);
	if (!new->pids && !(old && !old->pids) &&
	    an->n_watchers >= WATCHERS_MAX) {
		err = -ENOSPC;
	} else {
		list_add_tail(&new->node, &an->watchers);
		an->n_watchers += !new->pids;
		*seq = an->event_seq;
		WRITE_ONCE(an->watched, true);
		/* Behind it, so that somebody watches all the time. */
		if (old)
			drop_watcher(an, old);
	}
	mutex_unlock(&an->watch_lock);
	if (err)
		static_branch_slow_dec_deferred(&altconn_events_on);
	return err;
}

static void forget_socket(struct altconn_net *an, const struct sock *sk)
{
	struct watcher *w;

	mutex_lock(&an->watch_lock);
	w = find_watcher(an, sk);
	if (w)
		drop_watcher(an, w);
	mutex_unlock(&an->watch_lock);
}

static const char * const twice[] = {
	[ALTCONN_A_EVENT_PROCESSES] = "'processes' comes twice",
};

/**
 * altconn_nl_monitor_doit() - begin to tell events
 * @skb: the request
 * @info: the request
 *
 * Return: 0; -EPERM: processes need CAP_NET_ADMIN; -ENOMEM; -ENOSPC: too many watch the
 * namespace, and who asked before goes on to be told what it asked for; or what sending
 * the answer says, and nothing is told any more.
 */
int altconn_nl_monitor_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_net *an = altconn_pernet(genl_info_net(info));
	bool processes = info->attrs[ALTCONN_A_EVENT_PROCESSES];
	struct sock *sk = NETLINK_CB(skb).sk;
	struct watcher *w;
	u64 seq;
	int err;

	err = altconn_nl_check_request(info, twice, ARRAY_SIZE(twice));
	if (err)
		return err;
	if (processes &&
	    !netlink_ns_capable(skb, an->net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(info->extack,
			       "processes need CAP_NET_ADMIN in the network namespace");
		return -EPERM;
	}
	w = new_watcher(skb, info->snd_portid, processes);
	if (!w)
		return -ENOMEM;
	err = add_watcher(an, w, &seq);
	if (err) {
		NL_SET_ERR_MSG(info->extack,
			       "too many sockets watch this namespace");
		free_watcher(w);
		return err;
	}
	err = answer(info, seq);
	if (err)
		forget_socket(an, sk);
	return err;
}

/* A netlink socket closes, of any protocol and namespace. */
static int on_release(struct notifier_block *nb, unsigned long action, void *data)
{
	struct netlink_notify *n = data;
	struct altconn_net *an;
	struct watcher *w, *next;

	if (action != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC ||
	    !static_branch_unlikely(&altconn_events_on.key))
		return NOTIFY_DONE;
	an = altconn_pernet(n->net);
	mutex_lock(&an->watch_lock);
	/* A new socket may have its number already, and have asked. */
	list_for_each_entry_safe(w, next, &an->watchers, node)
		if (w->portid == n->portid && sock_flag(w->sk, SOCK_DEAD))
			drop_watcher(an, w);
	mutex_unlock(&an->watch_lock);
	return NOTIFY_DONE;
}

static struct notifier_block release_notifier = {
	.notifier_call = on_release,
};

/**
 * altconn_event_begin() - a namespace that nobody watches
 * @an: the namespace
 */
void altconn_event_begin(struct altconn_net *an)
{
	mutex_init(&an->watch_lock);
	INIT_LIST_HEAD(&an->watchers);
	init_llist_head(&an->events);
	INIT_WORK(&an->event_work, tell_all);
}

/**
 * altconn_event_leave() - a namespace dies, or the module goes
 * @an: the namespace; a grace period passes before altconn_event_end()
 *
 * Context: process, may sleep.
 */
void altconn_event_leave(struct altconn_net *an)
{
	struct watcher *w, *next;

	mutex_lock(&an->watch_lock);
	list_for_each_entry_safe(w, next, &an->watchers, node)
		drop_watcher(an, w);
	mutex_unlock(&an->watch_lock);
}

/**
 * altconn_event_end() - undo altconn_event_begin()
 * @an: the namespace; nothing is noted any more
 *
 * Context: process, may sleep.
 */
void altconn_event_end(struct altconn_net *an)
{
	struct event *ev, *next;

	cancel_work_sync(&an->event_work);
	/* Nobody is left to be told. */
	llist_for_each_entry_safe(ev, next, llist_del_all(&an->events), node)
		event_free(ev);
}

/**
 * altconn_event_init() - before the family is registered
 *
 * Context: process, may sleep.
 * Return: 0 or what registering a notifier says.
 */
int __init altconn_event_init(void)
{
	return netlink_register_notifier(&release_notifier);
}

/**
 * altconn_event_stop() - before the family is unregistered
 *
 * Context: process, may sleep.
 */
void altconn_event_stop(void)
{
	WRITE_ONCE(stopped, true);
	synchronize_rcu();
	flush_workqueue(altconn_wq);
}

/**
 * altconn_event_exit() - undo altconn_event_init()
 *
 * Context: process, may sleep; the family is not registered any more.
 */
void altconn_event_exit(void)
{
	netlink_unregister_notifier(&release_notifier);
}

/**
 * altconn_event_flush() - the key is as it will be
 *
 * Context: process, may sleep; no namespace is left.
 */
void altconn_event_flush(void)
{
	static_key_deferred_flush(&altconn_events_on);
}
