// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: what the tool shows. The spec is
 * Documentation/netlink/specs/altconn.yaml; netlink_gen.c comes from it.
 *
 * A dump leaves a cursor in the registry and goes on there, so a dump of any
 * length holds no lock. What was there when it began is seen once, what comes
 * later is not, and what goes before it is seen marks the dump.
 */

#include <linux/dcache.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <net/genetlink.h>
#include "altconn.h"
#include "netlink_gen.h"
#include "nl.h"

static struct altconn_viewer viewer_of(struct sk_buff *skb, struct net *net)
{
	struct altconn_viewer viewer = {
		.admin = netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN),
		.uid = NETLINK_CREDS(skb)->uid,
		.users = current_user_ns(),
		.pids = task_active_pid_ns(current),
	};

	return viewer;
}

/**
 * altconn_nl_check_admin() - may the sender of a request change anything?
 * @skb: the request
 * @info: likewise; gets what is missing
 *
 * Return: 0 or -EPERM.
 */
int altconn_nl_check_admin(struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_ns_capable(skb, genl_info_net(info)->user_ns,
			       CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack,
		       "this needs CAP_NET_ADMIN in the network namespace");
	return -EPERM;
}

/**
 * altconn_nl_check_once() - does an attribute come twice that must not?
 * @head: the first attribute
 * @len: of all, bytes
 * @twice: by type, what is told of one that does; NULL: it may
 * @n: how many there are in @twice, less than there are bits in a long
 * @extack: gets it
 *
 * The core takes the last of them and forgets the others.
 *
 * Return: 0 or -EINVAL.
 */
int altconn_nl_check_once(const struct nlattr *head, int len,
			  const char * const *twice, int n,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	unsigned long seen = 0;
	int rem, type;

	nla_for_each_attr(attr, head, len, rem) {
		type = nla_type(attr);
		if (type >= n || !twice[type])
			continue;
		if (seen & BIT(type)) {
			NL_SET_BAD_ATTR(extack, attr);
			if (extack)
				extack->_msg = twice[type];
			return -EINVAL;
		}
		seen |= BIT(type);
	}
	return 0;
}

/**
 * altconn_nl_check_request() - altconn_nl_check_once() of a request
 * @info: the request
 * @twice: by type
 * @n: how many there are in @twice
 *
 * Return: 0 or -EINVAL.
 */
int altconn_nl_check_request(const struct genl_info *info,
			     const char * const *twice, int n)
{
	return altconn_nl_check_once(nlmsg_attrdata(info->nlhdr, GENL_HDRLEN),
				     nlmsg_attrlen(info->nlhdr, GENL_HDRLEN),
				     twice, n, info->extack);
}

/**
 * altconn_nl_check_empty() - a request that has no attributes
 * @info: the request
 *
 * Of an operation without a policy some kernels let any attribute pass.
 *
 * Return: 0 or -EINVAL.
 */
int altconn_nl_check_empty(const struct genl_info *info)
{
	if (!nlmsg_attrlen(info->nlhdr, GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack,
			    nlmsg_attrdata(info->nlhdr, GENL_HDRLEN),
			    "Unknown attribute type");
	return -EINVAL;
}

static const u16 nl_types[] = {
	[ALTCONN_SOCKET_TYPE_STREAM] = SOCK_STREAM,
	[ALTCONN_SOCKET_TYPE_DGRAM] = SOCK_DGRAM,
	[ALTCONN_SOCKET_TYPE_SEQPACKET] = SOCK_SEQPACKET,
};

static const u16 nl_errors[] = {
	[ALTCONN_ERROR_EPERM] = EPERM,
	[ALTCONN_ERROR_EACCES] = EACCES,
	[ALTCONN_ERROR_EADDRINUSE] = EADDRINUSE,
	[ALTCONN_ERROR_EADDRNOTAVAIL] = EADDRNOTAVAIL,
	[ALTCONN_ERROR_EAFNOSUPPORT] = EAFNOSUPPORT,
	[ALTCONN_ERROR_EAGAIN] = EAGAIN,
	[ALTCONN_ERROR_ECONNABORTED] = ECONNABORTED,
	[ALTCONN_ERROR_ECONNREFUSED] = ECONNREFUSED,
	[ALTCONN_ERROR_ECONNRESET] = ECONNRESET,
	[ALTCONN_ERROR_EHOSTUNREACH] = EHOSTUNREACH,
	[ALTCONN_ERROR_EINVAL] = EINVAL,
	[ALTCONN_ERROR_EISCONN] = EISCONN,
	[ALTCONN_ERROR_ELOOP] = ELOOP,
	[ALTCONN_ERROR_ENAMETOOLONG] = ENAMETOOLONG,
	[ALTCONN_ERROR_ENETUNREACH] = ENETUNREACH,
	[ALTCONN_ERROR_ENOBUFS] = ENOBUFS,
	[ALTCONN_ERROR_ENOENT] = ENOENT,
	[ALTCONN_ERROR_ENOMEM] = ENOMEM,
	[ALTCONN_ERROR_ENOTDIR] = ENOTDIR,
	[ALTCONN_ERROR_EOPNOTSUPP] = EOPNOTSUPP,
	[ALTCONN_ERROR_EPROTOTYPE] = EPROTOTYPE,
	[ALTCONN_ERROR_ETIMEDOUT] = ETIMEDOUT,
	[ALTCONN_ERROR_EIO] = EIO,
	[ALTCONN_ERROR_ESTALE] = ESTALE,
	[ALTCONN_ERROR_EALREADY] = EALREADY,
	[ALTCONN_ERROR_EINPROGRESS] = EINPROGRESS,
	[ALTCONN_ERROR_EBADF] = EBADF,
};

static_assert(ARRAY_SIZE(nl_types) == ALTCONN_SOCKET_TYPE_MAX + 1);
static_assert(ARRAY_SIZE(nl_errors) == ALTCONN_ERROR_MAX + 1);

static u32 nl_index_of(const u16 *table, u32 n, int value)
{
	u32 i;

	for (i = 1; i < n; i++)
		if (table[i] == value)
			return i;
	return 0;
}

/**
 * altconn_nl_type() - a socket type as netlink has it
 * @type: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 *
 * Return: enum altconn_socket_type; 0: it is none of these.
 */
u32 altconn_nl_type(int type)
{
	return nl_index_of(nl_types, ARRAY_SIZE(nl_types), type);
}

/**
 * altconn_nl_sock_type() - a socket type that came by netlink
 * @type: enum altconn_socket_type
 *
 * Return: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET; 0: it is out of range.
 */
int altconn_nl_sock_type(u32 type)
{
	return type < ARRAY_SIZE(nl_types) ? nl_types[type] : 0;
}

/**
 * altconn_nl_error() - an errno as netlink has it
 * @err: a positive errno
 *
 * Return: enum altconn_error; 0: it has no name there.
 */
u32 altconn_nl_error(int err)
{
	return nl_index_of(nl_errors, ARRAY_SIZE(nl_errors), err);
}

static int put_inet(struct sk_buff *skb, const struct altconn_addr *addr)
{
	if (nla_put_u32(skb, ALTCONN_A_ADDR_PORT, addr->port) ||
	    nla_put(skb, ALTCONN_A_ADDR_IP, addr->len, addr->bytes))
		return -EMSGSIZE;
	return addr->node ? nla_put_u32(skb, ALTCONN_A_ADDR_SCOPE, addr->node) :
			    0;
}

static int put_addr(struct sk_buff *skb, int attr,
		    const struct altconn_addr *addr)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = nla_put_u32(skb, ALTCONN_A_ADDR_KIND,
			  addr ? addr->kind : ALTCONN_KIND_NONE);
	if (!err && addr && (addr->kind == ALTCONN_KIND_PORT ||
			     addr->kind == ALTCONN_KIND_NAME))
		err = nla_put_u32(skb, ALTCONN_A_ADDR_NODE, addr->node);
	if (!err && addr && addr->kind == ALTCONN_KIND_INET)
		err = put_inet(skb, addr);
	if (!err && addr && addr->kind == ALTCONN_KIND_PORT)
		err = nla_put_u32(skb, ALTCONN_A_ADDR_PORT, addr->port);
	if (!err && addr && addr->kind == ALTCONN_KIND_NAME)
		err = nla_put(skb, ALTCONN_A_ADDR_NAME, addr->len, addr->bytes);
	if (!err && addr && addr->kind == ALTCONN_KIND_PATH)
		err = nla_put(skb, ALTCONN_A_ADDR_PATH, addr->len, addr->bytes);
	if (err)
		return err;
	nla_nest_end(skb, nest);
	return 0;
}

/* The pid as the reader's pid namespace has it, and the command. */
static int put_process(struct sk_buff *skb, struct pid_namespace *pids,
		       const struct altconn_who *who)
{
	pid_t nr = pids ? pid_nr_ns(who->pid, pids) : 0;

	if (!nr)
		return 0;
	if (nla_put_u32(skb, ALTCONN_A_END_PID, nr))
		return -EMSGSIZE;
	return who->comm[0] ?
		nla_put_string(skb, ALTCONN_A_END_COMM, who->comm) : 0;
}

static int nl_put_known(struct sk_buff *skb, int attr, u32 value)
{
	return value == ALTCONN_END_UNKNOWN ? 0 : nla_put_u32(skb, attr, value);
}

/**
 * altconn_nl_put_end() - put an end, or an owner, into a message
 * @skb: the message
 * @attr: as which attribute
 * @viewer: who is told; the process only if it may see it
 * @end: what there is to tell
 *
 * Context: any.
 * Return: 0 or -EMSGSIZE.
 */
int altconn_nl_put_end(struct sk_buff *skb, int attr,
		       const struct altconn_viewer *viewer,
		       const struct altconn_end_info *end)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest)
		return -EMSGSIZE;
	if (put_addr(skb, ALTCONN_A_END_ADDR, end->addr) ||
	    nl_put_known(skb, ALTCONN_A_END_DRESS, end->dress) ||
	    nl_put_known(skb, ALTCONN_A_END_RECV_QUEUE, end->recv_queue) ||
	    (end->inode && nla_put_u64_64bit(skb, ALTCONN_A_END_INODE,
					     end->inode, ALTCONN_A_END_PAD)))
		return -EMSGSIZE;
	if (uid_valid(end->who.uid) &&
	    nla_put_u32(skb, ALTCONN_A_END_UID,
			from_kuid_munged(viewer->users, end->who.uid)))
		return -EMSGSIZE;
	if (end->who.pid &&
	    (viewer->admin || uid_eq(viewer->uid, end->who.uid)) &&
	    put_process(skb, viewer->pids, &end->who))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_assoc_end(struct sk_buff *skb, int attr,
			 const struct altconn_viewer *viewer,
			 struct altconn_assoc *assoc, enum altconn_side side)
{
	struct altconn_end *end = &assoc->end[side];
	/* Pairs with altconn_assoc_attach(). */
	struct sock *sk = smp_load_acquire(&end->sk);
	struct altconn_end_info info = {
		.addr = altconn_assoc_addr(assoc, side, viewer->side),
		.dress = end->dress,
		.recv_queue = altconn_ring_payload(READ_ONCE(assoc->end[side].in)),
		.inode = sk ? sock_i_ino(sk) : 0,
	};
	int err;

	spin_lock(&assoc->lock);
	info.who = altconn_who_get(&end->who);
	spin_unlock(&assoc->lock);
	err = altconn_nl_put_end(skb, attr, viewer, &info);
	put_pid(info.who.pid);
	return err;
}

static u32 shown_state(const struct altconn_assoc *assoc)
{
	u32 state = altconn_assoc_state(assoc);
	bool client = READ_ONCE(assoc->end[ALTCONN_CLIENT].closed);
	bool server = READ_ONCE(assoc->end[ALTCONN_SERVER].closed);

	if (client && server)
		return ALTCONN_ASSOC_STATE_CLOSED;
	if (client || server)
		return ALTCONN_ASSOC_STATE_CLOSING;
	return state;
}

static int put_wait(struct sk_buff *skb, const struct altconn_assoc *assoc,
		    u32 state)
{
	u64 decided = READ_ONCE(assoc->decided), now = ktime_get_ns();

	if (nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_AGE_MS,
			      div_u64(now - assoc->begun, NSEC_PER_MSEC),
			      ALTCONN_A_ASSOC_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_WAITED_MS,
			      div_u64((decided ? : now) - assoc->begun,
				      NSEC_PER_MSEC), ALTCONN_A_ASSOC_PAD))
		return -EMSGSIZE;
	if (state == ALTCONN_ASSOC_STATE_PENDING)
		return nla_put_u32(skb, ALTCONN_A_ASSOC_PLACE,
				   altconn_attempt_place(assoc));
	return 0;
}

static int put_assoc(struct sk_buff *skb, const struct altconn_viewer *viewer,
		     struct altconn_assoc *assoc, u32 state)
{
	if (nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_ID, assoc->entry.id,
			      ALTCONN_A_ASSOC_PAD) ||
	    nla_put_u32(skb, ALTCONN_A_ASSOC_TYPE,
			altconn_nl_type(assoc->type)) ||
	    nla_put_u32(skb, ALTCONN_A_ASSOC_STATE, state) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_LISTENER,
			      altconn_attempt_listener(assoc),
			      ALTCONN_A_ASSOC_PAD) ||
	    put_assoc_end(skb, ALTCONN_A_ASSOC_CLIENT, viewer, assoc,
			  ALTCONN_CLIENT) ||
	    put_assoc_end(skb, ALTCONN_A_ASSOC_SERVER, viewer, assoc,
			  ALTCONN_SERVER))
		return -EMSGSIZE;
	/* One of the client's namespace. */
	if (assoc->rule && viewer->side == ALTCONN_CLIENT &&
	    nla_put_u32(skb, ALTCONN_A_ASSOC_RULE, assoc->rule))
		return -EMSGSIZE;
	return put_wait(skb, assoc, state);
}

static void *put_header(struct sk_buff *skb, struct netlink_callback *cb,
			u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &altconn_nl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/* What has gone since the last datagram marks this one NLM_F_DUMP_INTR. Never 0. */
static void set_seq(struct netlink_callback *cb, u32 gone)
{
	cb->seq = gone << 1 | 1;
}

static int dump_assoc(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct altconn_viewer *viewer,
		      struct altconn_assoc *assoc)
{
	u32 state = shown_state(assoc);
	void *hdr;

	hdr = put_header(skb, cb, ALTCONN_CMD_ASSOC_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (put_assoc(skb, viewer, assoc, state)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* The core keeps the callback where it is for as long as a dump lasts. */
static struct altconn_walk *walk_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct altconn_walk) > sizeof(cb->ctx));
	return (struct altconn_walk *)cb->ctx;
}

static struct altconn_cursor *cursor_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct altconn_cursor) > sizeof(cb->ctx));
	return (struct altconn_cursor *)cb->ctx;
}

static struct altconn_net *net_of(const struct netlink_callback *cb)
{
	return altconn_pernet(sock_net(cb->skb->sk));
}

/**
 * altconn_nl_assoc_get_start() - begin to dump the namespace's associations
 * @cb: gets a cursor
 *
 * Return: 0.
 */
int altconn_nl_assoc_get_start(struct netlink_callback *cb)
{
	set_seq(cb, altconn_assoc_walk(sock_net(cb->skb->sk), walk_of(cb)));
	cb->prev_seq = cb->seq;
	return 0;
}

/**
 * altconn_nl_assoc_get_done() - a dump of associations ends, or is given up
 * @cb: the dump
 *
 * Return: 0.
 */
int altconn_nl_assoc_get_done(struct netlink_callback *cb)
{
	altconn_assoc_walked(walk_of(cb));
	return 0;
}

/**
 * altconn_nl_assoc_get_dumpit() - dump the namespace's associations
 * @skb: where to
 * @cb: has a cursor
 *
 * Return: length of @skb.
 */
int altconn_nl_assoc_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct altconn_viewer viewer = viewer_of(cb->skb, net);
	struct altconn_assoc *assoc;
	int err = 0;

	set_seq(cb, altconn_assoc_gone(walk_of(cb)));
	while (!err && (assoc = altconn_assoc_next(walk_of(cb)))) {
		viewer.side = altconn_walk_side(walk_of(cb));
		err = dump_assoc(skb, cb, &viewer, assoc);
		if (err)
			altconn_assoc_again(walk_of(cb), assoc);
		altconn_assoc_put(assoc);
	}
	/* For the next message, or the end. */
	set_seq(cb, altconn_assoc_gone(walk_of(cb)));
	return skb->len;
}

/* What a listener counts, read in one go. */
struct listener_info {
	u32	backlog, queued, waiting;
	u64	outcomes[ALTCONN_N_REASONS], waited;
};

static void read_listener(struct altconn_listener *ln,
			  struct listener_info *info)
{
	info->waiting = altconn_attempt_waiting(ln);
	spin_lock(&ln->lock);
	info->backlog = ln->backlog;
	info->queued = ln->queued;
	memcpy(info->outcomes, ln->outcomes, sizeof(info->outcomes));
	info->waited = ln->waited;
	spin_unlock(&ln->lock);
}

static int put_listener(struct sk_buff *skb, struct altconn_listener *ln)
{
	struct listener_info info;

	read_listener(ln, &info);
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

static int put_dgram(struct sk_buff *skb, struct sock *sk)
{
	struct altconn_addr *peer;
	int err = 0;

	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return 0;
	peer = altconn_dgram_peer(sk);
	err = put_addr(skb, ALTCONN_A_SOCKET_PEER, peer);
	altconn_addr_put(peer);
	return err;
}

/* Who has it, as it is now: nothing ended that this would be the record of. */
static struct altconn_who owner_of(const struct sock *sk)
{
	struct altconn_who who = {
		.pid = altconn_sk(sk)->pid,
		.uid = sk_uid(sk),
	};
	struct task_struct *task;

	rcu_read_lock();
	task = pid_task(who.pid, PIDTYPE_TGID);
	if (task)
		get_task_comm(who.comm, task);
	rcu_read_unlock();
	return who;
}

static int put_owner(struct sk_buff *skb, const struct altconn_viewer *viewer,
		     struct sock *sk)
{
	struct altconn_addr *addr = altconn_addr_of(sk);
	struct altconn_end_info info = {
		.addr = addr,
		.who = owner_of(sk),
		.dress = altconn_sk(sk)->dress,
		.inode = sock_i_ino(sk),
	};
	int err;

	if (sk->sk_type == SOCK_DGRAM)
		info.recv_queue = altconn_dgram_queued(sk);
	err = altconn_nl_put_end(skb, ALTCONN_A_SOCKET_OWNER, viewer, &info);
	altconn_addr_put(addr);
	return err;
}

static bool is_reachable(const struct sock *sk)
{
	const struct altconn_bind *bind;
	bool reachable;

	rcu_read_lock();
	/* Pairs with altconn_bind_insert(). */
	bind = smp_load_acquire(&altconn_sk(sk)->bind);
	reachable = bind && READ_ONCE(bind->reachable);
	rcu_read_unlock();
	return reachable;
}

/*
 * The whole path of a socket file, as it is now and from where the reader stands. It
 * leads through directories that others may not read, so only administrators and the
 * socket's user get it.
 */
static int put_file(struct sk_buff *skb, const struct altconn_viewer *viewer,
		    struct sock *sk)
{
	struct path path;
	char *buf, *text;
	int err = 0;

	if ((!viewer->admin && !uid_eq(viewer->uid, sk_uid(sk))) ||
	    !altconn_bind_file(sk, &path))
		return 0;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	text = buf ? d_path(&path, buf, PATH_MAX) : NULL;
	if (!IS_ERR_OR_NULL(text))
		err = nla_put_string(skb, ALTCONN_A_SOCKET_FILE, text);
	kfree(buf);
	path_put(&path);
	return err;
}

static int put_socket(struct sk_buff *skb, const struct altconn_viewer *viewer,
		      struct sock *sk)
{
	u64 id = READ_ONCE(altconn_sk(sk)->entry.id);
	struct altconn_listener *ln;
	int err;

	if (nla_put_u64_64bit(skb, ALTCONN_A_SOCKET_ID, id,
			      ALTCONN_A_SOCKET_PAD) ||
	    nla_put_u32(skb, ALTCONN_A_SOCKET_TYPE,
			altconn_nl_type(sk->sk_type)) ||
	    put_owner(skb, viewer, sk) || put_file(skb, viewer, sk) ||
	    (is_reachable(sk) &&
	     nla_put_flag(skb, ALTCONN_A_SOCKET_REACHABLE)))
		return -EMSGSIZE;
	if (sk->sk_type == SOCK_DGRAM)
		return put_dgram(skb, sk);
	ln = altconn_listener_of(sk);
	if (!ln)
		return 0;
	err = put_listener(skb, ln);
	altconn_listener_put(ln);
	return err;
}

static int dump_socket(struct sk_buff *skb, struct netlink_callback *cb,
		       const struct altconn_viewer *viewer, struct sock *sk)
{
	void *hdr = put_header(skb, cb, ALTCONN_CMD_SOCKET_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (put_socket(skb, viewer, sk)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * altconn_nl_socket_get_start() - begin to dump the namespace's sockets
 * @cb: gets a cursor
 *
 * Return: 0.
 */
int altconn_nl_socket_get_start(struct netlink_callback *cb)
{
	set_seq(cb, altconn_registry_open(&net_of(cb)->sockets, cursor_of(cb)));
	cb->prev_seq = cb->seq;
	/* A socket file's path, and all else that there is to say of one socket. */
	cb->min_dump_alloc = 2 * PATH_MAX;
	return 0;
}

/**
 * altconn_nl_socket_get_done() - a dump of sockets ends, or is given up
 * @cb: the dump
 *
 * Return: 0.
 */
int altconn_nl_socket_get_done(struct netlink_callback *cb)
{
	altconn_registry_close(&net_of(cb)->sockets, cursor_of(cb));
	return 0;
}

/**
 * altconn_nl_socket_get_dumpit() - dump listeners and datagram sockets
 * @skb: where to
 * @cb: has a cursor
 *
 * Return: length of @skb.
 */
int altconn_nl_socket_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct altconn_viewer viewer = viewer_of(cb->skb, net);
	struct sock *sk;
	int err = 0;

	set_seq(cb, altconn_registry_gone(&net_of(cb)->sockets));
	while (!err && (sk = altconn_sock_next(net, cursor_of(cb)))) {
		err = dump_socket(skb, cb, &viewer, sk);
		if (err)
			altconn_registry_again(&net_of(cb)->sockets,
					       cursor_of(cb),
					       &altconn_sk(sk)->entry);
		sock_put(sk);
	}
	/* For the next message, or the end. */
	set_seq(cb, altconn_registry_gone(&net_of(cb)->sockets));
	return skb->len;
}

static int put_family(struct sk_buff *skb, const struct altconn_net *an)
{
	u32 node = READ_ONCE(an->node_id);

	if (nla_put_u32(skb, ALTCONN_A_FAMILY_NUMBER, altconn_family) ||
	    nla_put_string(skb, ALTCONN_A_FAMILY_VERSION, ALTCONN_VERSION) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_FAMILY_ASSOCS,
			      atomic_long_read(&an->n_assocs),
			      ALTCONN_A_FAMILY_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_FAMILY_SOCKETS,
			      atomic_long_read(&an->n_sockets),
			      ALTCONN_A_FAMILY_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_FAMILY_INBOUND,
			      atomic_long_read(&an->n_inbound),
			      ALTCONN_A_FAMILY_PAD))
		return -EMSGSIZE;
	return node ? nla_put_u32(skb, ALTCONN_A_FAMILY_NODE, node) : 0;
}

/**
 * altconn_nl_family_get_doit() - the family's number and totals
 * @skb: the request
 * @info: the request
 *
 * Return: 0; -EINVAL: an attribute; or -ENOMEM.
 */
int altconn_nl_family_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;
	int err = altconn_nl_check_empty(info);

	if (err)
		return err;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				ALTCONN_CMD_FAMILY_GET);
	if (!hdr || put_family(reply, altconn_pernet(genl_info_net(info)))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}
