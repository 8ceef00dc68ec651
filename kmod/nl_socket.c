// SPDX-License-Identifier: GPL-2.0
/*
 * This file lists listeners and datagram sockets over generic netlink, and
 * reports the number of the socket family and the totals of a network
 * namespace.
 */

#include <linux/dcache.h>
#include <linux/path.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>
#include "account.h"
#include "addr.h"
#include "attempt_listener.h"
#include "binding.h"
#include "dgram_queue.h"
#include "endpoint.h"
#include "listener.h"
#include "netlink_gen.h"
#include "netns.h"
#include "nl.h"
#include "nl_filter.h"
#include "nl_socket.h"
#include "place.h"
#include "registry.h"
#include "sock.h"
#include "task_info.h"

/*
 * A copy of the counters of a listener. All except @waiting are read in one
 * hold of the listener's lock.
 */
struct nl_listener_info {
	u32	backlog, queued, waiting;
	u64	outcomes[ALTCONN_N_REASONS], waited;
};

static void nl_socket_read_listener(struct altconn_listener *ln,
				    struct nl_listener_info *info)
{
	info->waiting = altconn_attempt_nr_waiting(ln);
	spin_lock(&ln->lock);
	info->backlog = ln->backlog;
	info->queued = ln->queued;
	memcpy(info->outcomes, ln->outcomes, sizeof(info->outcomes));
	info->waited = ln->waited;
	spin_unlock(&ln->lock);
}

static int nl_put_listener(struct sk_buff *skb, struct altconn_listener *ln)
{
	struct nl_listener_info info;

	nl_socket_read_listener(ln, &info);
	if (nla_put_flag(skb, ALTCONN_A_SOCKET_LISTENING) ||
	    nla_put_u32(skb, ALTCONN_A_SOCKET_BACKLOG, info.backlog) ||
	    nla_put_u32(skb, ALTCONN_A_SOCKET_QUEUED, info.queued) ||
	    nla_put_u32(skb, ALTCONN_A_SOCKET_WAITING, info.waiting) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_SOCKET_WAITED, info.waited,
			      ALTCONN_A_SOCKET_PAD))
		return -EMSGSIZE;
	return altconn_nl_put_outcomes(skb, ALTCONN_A_SOCKET_OUTCOME,
				       info.outcomes);
}

/* Put the peer's address if the datagram socket is connected. */
static int nl_put_dgram(struct sk_buff *skb, struct sock *sk)
{
	struct altconn_addr *peer;
	int err = 0;

	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return 0;
	peer = altconn_dgram_get_peer(sk);
	err = altconn_nl_put_addr(skb, ALTCONN_A_SOCKET_PEER, peer);
	altconn_addr_put(peer);
	return err;
}

/*
 * Describe the process that owns a socket. The result holds no reference, since
 * @sk pins the pid. The command name is the current one; an association has the
 * one from the time of connect(), listen() or accept().
 */
static struct altconn_task_info nl_owner_of(const struct sock *sk)
{
	struct altconn_task_info info = {
		.pid = altconn_sk(sk)->extra->pid,
		.uid = sk_uid(sk),
	};
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(info.pid, PIDTYPE_TGID);
	if (task)
		get_task_comm(info.comm, task);
	rcu_read_unlock();
	return info;
}

/*
 * Describe the owner of a socket. The result holds no references; it is valid
 * as long as @sk and @addr are.
 */
static struct altconn_end_info
nl_socket_owner_info(struct sock *sk, const struct altconn_addr *addr)
{
	return (struct altconn_end_info) {
		.addr = addr,
		.task = nl_owner_of(sk),
		.format = altconn_sk(sk)->format,
		.inode = sock_i_ino(sk),
	};
}

static int nl_put_owner(struct sk_buff *skb,
			const struct altconn_viewer *viewer, struct sock *sk)
{
	struct altconn_addr *addr = altconn_addr_of(sk);
	struct altconn_end_info info = nl_socket_owner_info(sk, addr);
	int err;

	if (sk->sk_type == SOCK_DGRAM)
		info.recv_queue = altconn_dgram_unread(sk);
	err = altconn_nl_put_end(skb, ALTCONN_A_SOCKET_OWNER, viewer, &info);
	altconn_addr_put(addr);
	return err;
}

/* Check whether the owner and the address of @sk match the request. */
static bool nl_selects_owner(const struct altconn_nl_filter *filter,
			     const struct altconn_viewer *viewer,
			     struct sock *sk)
{
	struct altconn_end_info info;
	struct altconn_addr *addr;
	bool wanted;

	if (!filter->owner.given)
		return true;
	addr = altconn_addr_of(sk);
	info = nl_socket_owner_info(sk, addr);
	wanted = altconn_nl_filter_selects_end(&filter->owner, viewer, &info);
	altconn_addr_put(addr);
	return wanted;
}

/* Check whether the address that @sk is connected to matches the request. */
static bool nl_selects_peer(const struct altconn_nl_filter *filter,
			    struct sock *sk)
{
	struct altconn_addr *peer;
	bool wanted;

	if (!filter->peer_given)
		return true;
	/* Replies show a peer in this case only, too, see nl_put_dgram(). */
	if (sk->sk_type != SOCK_DGRAM ||
	    READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return false;
	peer = altconn_dgram_get_peer(sk);
	wanted = altconn_nl_filter_selects_addr(filter->peer, peer);
	altconn_addr_put(peer);
	return wanted;
}

static bool nl_is_listener(struct sock *sk)
{
	struct altconn_listener *ln = altconn_listener_of(sk);

	if (!ln)
		return false;
	altconn_listener_put(ln);
	return true;
}

/*
 * Check whether @sk matches the request. @filter is NULL if the request has no
 * attributes.
 */
static bool nl_selects_socket(const struct altconn_nl_filter *filter,
			      const struct altconn_viewer *viewer,
			      struct sock *sk)
{
	u64 id = READ_ONCE(altconn_sk(sk)->extra->entry.id);

	return !filter ||
	       (altconn_nl_filter_selects_u64(filter->id, id) &&
		altconn_nl_filter_selects_u32(filter->type,
					      altconn_nl_type(sk->sk_type)) &&
		(!filter->listening || nl_is_listener(sk)) &&
		nl_selects_owner(filter, viewer, sk) &&
		nl_selects_peer(filter, sk));
}

/* Check whether other nodes can reach the binding of @sk, if it has one. */
static bool nl_is_reachable(const struct sock *sk)
{
	const struct altconn_bind *bind;
	bool reachable;

	rcu_read_lock();
	/*
	 * Pairs with the release in altconn_binding_publish(): if ask->bind is
	 * set, the binding is complete.
	 */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	reachable = bind && READ_ONCE(bind->reachable);
	rcu_read_unlock();
	return reachable;
}

/*
 * Put the current path of the socket file of @sk, relative to the root
 * directory of the reader. Other users may not be able to read all directories
 * of the path, so only administrators and the user of the socket get it.
 */
static int nl_put_file(struct sk_buff *skb, const struct altconn_viewer *viewer,
		       struct sock *sk)
{
	struct path path;
	char *buf, *text;
	int err = 0;

	if ((!viewer->admin && !uid_eq(viewer->uid, sk_uid(sk))) ||
	    !altconn_binding_get_file(sk, &path))
		return 0;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	text = buf ? d_path(&path, buf, PATH_MAX) : NULL;
	if (!IS_ERR_OR_NULL(text))
		err = nla_put_string(skb, ALTCONN_A_SOCKET_FILE, text);
	kfree(buf);
	path_put(&path);
	return err;
}

static int nl_put_socket(struct sk_buff *skb,
			 const struct altconn_viewer *viewer, struct sock *sk)
{
	u64 id = READ_ONCE(altconn_sk(sk)->extra->entry.id);
	struct altconn_listener *ln;
	int err;

	if (nla_put_u64_64bit(skb, ALTCONN_A_SOCKET_ID, id,
			      ALTCONN_A_SOCKET_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_SOCKET_BEGUN_NS,
			      READ_ONCE(altconn_sk(sk)->extra->entry.begun),
			      ALTCONN_A_SOCKET_PAD) ||
	    nla_put_u32(skb, ALTCONN_A_SOCKET_TYPE,
			altconn_nl_type(sk->sk_type)) ||
	    nl_put_owner(skb, viewer, sk) || nl_put_file(skb, viewer, sk) ||
	    (nl_is_reachable(sk) &&
	     nla_put_flag(skb, ALTCONN_A_SOCKET_REACHABLE)))
		return -EMSGSIZE;
	if (sk->sk_type == SOCK_DGRAM)
		return nl_put_dgram(skb, sk);
	ln = altconn_listener_of(sk);
	if (!ln)
		return 0;
	err = nl_put_listener(skb, ln);
	altconn_listener_put(ln);
	return err;
}

/*
 * Add one message to a part of a dump, or return -EMSGSIZE if the part is full.
 */
static int nl_dump_socket(struct sk_buff *skb, struct netlink_callback *cb,
			  const struct altconn_viewer *viewer, struct sock *sk)
{
	void *hdr = altconn_nl_put_header(skb, cb, ALTCONN_CMD_SOCKET_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nl_put_socket(skb, viewer, sk)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* The state of a dump between two of its parts. It is kept in cb->ctx. */
struct nl_socket_dump {
	struct altconn_registry_pos		pos;
	struct altconn_nl_filter	*filter;	/* NULL: all match */
};

static struct nl_socket_dump *nl_socket_dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nl_socket_dump) > sizeof(cb->ctx));
	return (struct nl_socket_dump *)cb->ctx;
}

/*
 * Space for a message about one socket: PATH_MAX for the path of its file, and
 * as much again for all other attributes.
 */
#define NL_SOCKET_SIZE	(2 * PATH_MAX)

/**
 * altconn_nl_socket_get_start() - begin a dump of a namespace's sockets
 * @cb: the dump; its context gets the position and the filter
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if an attribute is wrong or occurs twice; -ENOMEM.
 */
int altconn_nl_socket_get_start(struct netlink_callback *cb)
{
	u32 seq;
	struct altconn_net *an = altconn_pernet(sock_net(cb->skb->sk));
	struct nl_socket_dump *dump = nl_socket_dump_of(cb);
	struct altconn_nl_filter *filter;

	filter = altconn_nl_filter_new_dump(cb, altconn_nl_filter_parse_socket);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	dump->filter = filter;
	dump->pos.until = ktime_get_ns();
	seq = altconn_registry_track_removed(&an->sockets);
	altconn_nl_set_seq(cb, seq);
	cb->prev_seq = cb->seq;
	cb->min_dump_alloc = NL_SOCKET_SIZE;
	return 0;
}

/**
 * altconn_nl_socket_get_done() - free the filter of a dump of sockets
 * @cb: the dump, which is complete or cancelled
 *
 * Context: process.
 * Return: 0.
 */
int altconn_nl_socket_get_done(struct netlink_callback *cb)
{
	kfree(nl_socket_dump_of(cb)->filter);
	return 0;
}

/**
 * altconn_nl_socket_get_dumpit() - make the next part of a dump of sockets
 * @skb: the part, empty
 * @cb: the dump; the function advances the position in its context
 *
 * The dump has the entries of the namespace's registry of sockets: the
 * listeners and the datagram sockets. What nl_assoc.c says about a dump of
 * associations is true of this dump too.
 *
 * Context: process, may sleep.
 * Return: length of @skb, or 0 if the dump is complete or a fatal signal is
 * pending.
 */
int altconn_nl_socket_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct altconn_registry *reg = &altconn_pernet(net)->sockets;
	struct altconn_viewer viewer = altconn_nl_viewer_of(cb->skb, net);
	struct nl_socket_dump *dump = nl_socket_dump_of(cb);
	struct altconn_registry_pos before = dump->pos;
	int err = 0, looks = NL_DUMP_BATCH;
	struct sock *sk;

	altconn_nl_set_seq(cb, altconn_registry_nr_removed(reg));
	while (!err && looks && !fatal_signal_pending(current) &&
	       (sk = altconn_endpoint_next(net, &dump->pos))) {
		looks--;
		if (nl_selects_socket(dump->filter, &viewer, sk))
			err = nl_dump_socket(skb, cb, &viewer, sk);
		sock_put(sk);
		if (err)
			dump->pos = before;
		before = dump->pos;
		cond_resched();
	}
	if (!looks && !skb->len)
		altconn_nl_put_noop(skb, cb);
	/*
	 * A removal during this part shows in the next message, which may be
	 * the NLMSG_DONE that the core makes.
	 */
	altconn_nl_set_seq(cb, altconn_registry_nr_removed(reg));
	return skb->len;
}

/**
 * altconn_nl_socket_get_doit() - reply with one socket of the namespace
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if the id is missing, or an attribute is wrong or occurs
 * twice; -ENOENT if no listener or datagram socket has the id, or the socket
 * does not match the other attributes; -ENOMEM; or an error of sending the
 * reply.
 */
int altconn_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_viewer viewer =
		altconn_nl_viewer_of(skb, genl_info_net(info));
	struct altconn_nl_filter *filter;
	struct sk_buff *reply;
	int err = -ENOENT;
	struct sock *sk;
	void *hdr;

	filter =
		altconn_nl_filter_new_one(info, altconn_nl_filter_parse_socket);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	reply = altconn_nl_reply_new(info, NL_SOCKET_SIZE,
				     ALTCONN_CMD_SOCKET_GET, &hdr);
	if (IS_ERR(reply)) {
		kfree(filter);
		return PTR_ERR(reply);
	}
	sk = altconn_endpoint_find(genl_info_net(info),
				   nla_get_u64(filter->id));
	if (sk) {
		if (nl_selects_socket(filter, &viewer, sk))
			err = nl_put_socket(reply, &viewer, sk);
		sock_put(sk);
	}
	kfree(filter);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no such socket");
	return altconn_nl_reply_send(reply, hdr, info, err);
}

static int nl_put_family(struct sk_buff *skb, struct altconn_net *an)
{
	u32 node = READ_ONCE(an->node_id);

	if (nla_put_u32(skb, ALTCONN_A_FAMILY_NUMBER, altconn_family) ||
	    nla_put_string(skb, ALTCONN_A_FAMILY_VERSION, ALTCONN_VERSION) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_FAMILY_ASSOCS,
			      altconn_account_nr_assocs(an),
			      ALTCONN_A_FAMILY_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_FAMILY_SOCKETS,
			      percpu_counter_sum_positive(&an->n_sockets),
			      ALTCONN_A_FAMILY_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_FAMILY_INBOUND,
			      percpu_counter_sum_positive(&an->n_inbound),
			      ALTCONN_A_FAMILY_PAD))
		return -EMSGSIZE;
	return node ? nla_put_u32(skb, ALTCONN_A_FAMILY_NODE, node) : 0;
}

/**
 * altconn_nl_family_get_doit() - reply with the family's number and the totals
 * @skb: the request
 * @info: the request
 *
 * The totals are the numbers of associations and of sockets in the network
 * namespace of the request.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if the request has an attribute; -ENOMEM; or an error of
 * sending the reply.
 */
int altconn_nl_family_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;
	int err = altconn_nl_check_empty(info);

	if (err)
		return err;
	reply = altconn_nl_reply_new(info, NLMSG_DEFAULT_SIZE,
				     ALTCONN_CMD_FAMILY_GET, &hdr);
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	err = nl_put_family(reply, altconn_pernet(genl_info_net(info)));
	return altconn_nl_reply_send(reply, hdr, info, err);
}
