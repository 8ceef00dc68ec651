// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: what the tool shows. The spec is
 * Documentation/netlink/specs/altconn.yaml; netlink_gen.c comes from it.
 *
 * A dump keeps its position, which is numbers, and pointers into its request.
 * It holds no lock and no reference to an entry between two messages. It shows
 * each entry that there was when it began once, and no entry that was added
 * later; an entry that is removed before the dump has reached it marks the
 * dump.
 */

#include <linux/dcache.h>
#include <linux/path.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>
#include "altconn.h"
#include "netlink_gen.h"
#include "nl.h"

static struct altconn_viewer nl_viewer_of(struct sk_buff *skb, struct net *net)
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

static int nl_put_inet(struct sk_buff *skb, const struct altconn_addr *addr)
{
	if (nla_put_u32(skb, ALTCONN_A_ADDR_PORT, addr->port) ||
	    nla_put(skb, ALTCONN_A_ADDR_IP, addr->len, addr->bytes))
		return -EMSGSIZE;
	return addr->node ? nla_put_u32(skb, ALTCONN_A_ADDR_SCOPE, addr->node) :
			    0;
}

static int nl_put_addr(struct sk_buff *skb, int attr,
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
		err = nl_put_inet(skb, addr);
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

/**
 * altconn_nl_shown_pid() - the pid of a process as a reader is shown it
 * @viewer: the reader
 * @who: the process
 *
 * Context: any.
 * Return: the pid in the reader's pid namespace; 0: it has none there, or the
 * reader may not see it, or there is no process.
 */
pid_t altconn_nl_shown_pid(const struct altconn_viewer *viewer,
			   const struct altconn_who *who)
{
	if (!who->pid || !viewer->pids ||
	    (!viewer->admin && !uid_eq(viewer->uid, who->uid)))
		return 0;
	return pid_nr_ns(who->pid, viewer->pids);
}

static int nl_put_process(struct sk_buff *skb,
			  const struct altconn_viewer *viewer,
			  const struct altconn_who *who)
{
	pid_t nr = altconn_nl_shown_pid(viewer, who);

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
	if (nl_put_addr(skb, ALTCONN_A_END_ADDR, end->addr) ||
	    nl_put_known(skb, ALTCONN_A_END_DRESS, end->dress) ||
	    nl_put_known(skb, ALTCONN_A_END_RECV_QUEUE, end->recv_queue) ||
	    (end->inode && nla_put_u64_64bit(skb, ALTCONN_A_END_INODE,
					     end->inode, ALTCONN_A_END_PAD)))
		return -EMSGSIZE;
	if (uid_valid(end->who.uid) &&
	    nla_put_u32(skb, ALTCONN_A_END_UID,
			from_kuid_munged(viewer->users, end->who.uid)))
		return -EMSGSIZE;
	if (nl_put_process(skb, viewer, &end->who))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* The caller puts the reference in @who.pid. */
static struct altconn_end_info nl_assoc_end(struct altconn_assoc *assoc,
					    enum altconn_side side,
					    const struct altconn_viewer *viewer)
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

	spin_lock(&assoc->lock);
	info.who = altconn_who_get(&end->who);
	spin_unlock(&assoc->lock);
	return info;
}

static int nl_put_assoc_end(struct sk_buff *skb, int attr,
			    const struct altconn_viewer *viewer,
			    struct altconn_assoc *assoc, enum altconn_side side)
{
	struct altconn_end_info info = nl_assoc_end(assoc, side, viewer);
	int err = altconn_nl_put_end(skb, attr, viewer, &info);

	put_pid(info.who.pid);
	return err;
}

static bool nl_wants_assoc_ends(const struct altconn_nl_filter *filter,
				const struct altconn_viewer *viewer,
				struct altconn_assoc *assoc)
{
	struct altconn_end_info client, server;
	bool wanted;

	if (!filter->client.given && !filter->server.given &&
	    !filter->either.given)
		return true;
	client = nl_assoc_end(assoc, ALTCONN_CLIENT, viewer);
	server = nl_assoc_end(assoc, ALTCONN_SERVER, viewer);
	wanted = altconn_nl_wants_end(&filter->client, viewer, &client) &&
		 altconn_nl_wants_end(&filter->server, viewer, &server) &&
		 (altconn_nl_wants_end(&filter->either, viewer, &client) ||
		  altconn_nl_wants_end(&filter->either, viewer, &server));
	put_pid(client.who.pid);
	put_pid(server.who.pid);
	return wanted;
}

/* @filter: NULL: any association is wanted. */
static bool nl_wants_assoc(const struct altconn_nl_filter *filter,
			   const struct altconn_viewer *viewer,
			   struct altconn_assoc *assoc, u32 state)
{
	return !filter ||
	       (altconn_nl_wants_u64(filter->id, assoc->entry.id) &&
		altconn_nl_wants_u32(filter->type,
				     altconn_nl_type(assoc->type)) &&
		altconn_nl_wants_u32(filter->state, state) &&
		(!filter->listener ||
		 altconn_nl_wants_u64(filter->listener,
				      altconn_attempt_listener(assoc))) &&
		nl_wants_assoc_ends(filter, viewer, assoc));
}

static u32 nl_shown_state(const struct altconn_assoc *assoc)
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

static int nl_put_wait(struct sk_buff *skb, const struct altconn_assoc *assoc,
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

static int nl_put_assoc(struct sk_buff *skb,
			const struct altconn_viewer *viewer,
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
	    nl_put_assoc_end(skb, ALTCONN_A_ASSOC_CLIENT, viewer, assoc,
			     ALTCONN_CLIENT) ||
	    nl_put_assoc_end(skb, ALTCONN_A_ASSOC_SERVER, viewer, assoc,
			     ALTCONN_SERVER))
		return -EMSGSIZE;
	/* One of the client's namespace. */
	if (assoc->rule && viewer->side == ALTCONN_CLIENT &&
	    nla_put_u32(skb, ALTCONN_A_ASSOC_RULE, assoc->rule))
		return -EMSGSIZE;
	return nl_put_wait(skb, assoc, state);
}

static void *nl_put_header(struct sk_buff *skb, struct netlink_callback *cb,
			   u8 cmd)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &altconn_nl_family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

/*
 * The core marks a datagram of a dump NLM_F_DUMP_INTR when the number differs from the
 * last one's. Never 0.
 */
static void nl_set_seq(struct netlink_callback *cb, u32 removed)
{
	cb->seq = removed << 1 | 1;
}

/*
 * The most objects that one part of a dump looks at. The core makes the first part under
 * cb_lock: genl_register_family() waits for that, and each later request waits behind it.
 */
#define NL_DUMP_BATCH	256

/*
 * A part without any message would end the dump, so one in which nothing matched gets a
 * NLMSG_NOOP. libmnl passes over that by its type. The kernel's library for Python
 * dispatches by the command alone, so this is that of an event, which it passes over when
 * the event has no attributes.
 */
static void nl_put_noop(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct genlmsghdr *hdr;
	struct nlmsghdr *nlh;

	nlh = nlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			NLMSG_NOOP, GENL_HDRLEN, NLM_F_MULTI);
	if (WARN_ON_ONCE(!nlh))
		return;
	hdr = nlmsg_data(nlh);
	memset(hdr, 0, GENL_HDRLEN);
	hdr->cmd = ALTCONN_CMD_EVENT;
	hdr->version = ALTCONN_FAMILY_VERSION;
}

/* The reply to a request for one object, with its header; ERR_PTR(-ENOMEM). */
static struct sk_buff *nl_reply_new(struct genl_info *info, size_t size, u8 cmd,
				    void **hdr)
{
	struct sk_buff *reply = genlmsg_new(size, GFP_KERNEL);

	*hdr = reply ? genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
					 cmd) : NULL;
	if (*hdr)
		return reply;
	nlmsg_free(reply);
	return ERR_PTR(-ENOMEM);
}

/* @err: why there is nothing to say. */
static int nl_reply_send(struct sk_buff *reply, void *hdr,
			 struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* ---- associations ---- */

static int nl_dump_assoc(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct altconn_viewer *viewer,
			 struct altconn_assoc *assoc, u32 state)
{
	void *hdr;

	hdr = nl_put_header(skb, cb, ALTCONN_CMD_ASSOC_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nl_put_assoc(skb, viewer, assoc, state)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* What the core keeps of a dump of associations. */
struct nl_assoc_dump {
	struct altconn_walk		walk;
	struct altconn_nl_filter	*filter;	/* NULL: all are wanted */
};

static struct nl_assoc_dump *nl_assoc_dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nl_assoc_dump) > sizeof(cb->ctx));
	return (struct nl_assoc_dump *)cb->ctx;
}

typedef int nl_filter_parse(struct altconn_nl_filter *filter,
			    const struct nlmsghdr *nlh, struct nlattr **attrs,
			    struct netlink_ext_ack *extack);

/* NULL: the request wants all; ERR_PTR(-EINVAL), ERR_PTR(-ENOMEM). */
static struct altconn_nl_filter *nl_filter_new(const struct nlmsghdr *nlh,
					       struct nlattr **attrs,
					       struct netlink_ext_ack *extack,
					       nl_filter_parse *parse)
{
	struct altconn_nl_filter *filter;
	int err;

	if (!nlmsg_attrlen(nlh, GENL_HDRLEN))
		return NULL;
	filter = kzalloc(sizeof(*filter), GFP_KERNEL_ACCOUNT);
	if (!filter)
		return ERR_PTR(-ENOMEM);
	err = parse(filter, nlh, attrs, extack);
	if (!err)
		return filter;
	kfree(filter);
	return ERR_PTR(err);
}

static struct altconn_nl_filter *nl_dump_filter(struct netlink_callback *cb,
						nl_filter_parse *parse)
{
	const struct genl_info *info = genl_info_dump(cb);

	return nl_filter_new(cb->nlh, info->attrs, info->extack, parse);
}

/* The filter of a request for one object, which has to have an id. */
static struct altconn_nl_filter *nl_one_filter(struct genl_info *info,
					       nl_filter_parse *parse)
{
	struct altconn_nl_filter *filter =
		nl_filter_new(info->nlhdr, info->attrs, info->extack, parse);

	if (IS_ERR(filter) || (filter && filter->id))
		return filter;
	kfree(filter);
	NL_SET_ERR_MSG(info->extack, "the 'id' is missing");
	return ERR_PTR(-EINVAL);
}

/**
 * altconn_nl_assoc_get_start() - begin to dump the namespace's associations
 * @cb: gets the position and the filter
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: an attribute is wrong or comes twice; -ENOMEM.
 */
int altconn_nl_assoc_get_start(struct netlink_callback *cb)
{
	struct nl_assoc_dump *dump = nl_assoc_dump_of(cb);
	struct altconn_nl_filter *filter;

	filter = nl_dump_filter(cb, altconn_nl_filter_assoc);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	dump->filter = filter;
	altconn_assoc_walk(sock_net(cb->skb->sk), &dump->walk);
	nl_set_seq(cb, altconn_assoc_dump(&dump->walk));
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
	kfree(nl_assoc_dump_of(cb)->filter);
	return 0;
}

/**
 * altconn_nl_assoc_get_dumpit() - dump the namespace's associations
 * @skb: where to
 * @cb: has the position
 *
 * Return: length of @skb.
 */
int altconn_nl_assoc_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct altconn_viewer viewer = nl_viewer_of(cb->skb, sock_net(cb->skb->sk));
	struct nl_assoc_dump *dump = nl_assoc_dump_of(cb);
	struct altconn_walk before = dump->walk;
	int err = 0, looks = NL_DUMP_BATCH;
	struct altconn_assoc *assoc;
	u32 state;

	nl_set_seq(cb, altconn_assoc_removed(&dump->walk));
	while (!err && looks && !fatal_signal_pending(current) &&
	       (assoc = altconn_assoc_next(&dump->walk, &viewer.side))) {
		looks--;
		state = nl_shown_state(assoc);
		if (nl_wants_assoc(dump->filter, &viewer, assoc, state))
			err = nl_dump_assoc(skb, cb, &viewer, assoc, state);
		altconn_assoc_put(assoc);
		if (err)
			dump->walk = before;
		before = dump->walk;
		cond_resched();
	}
	if (!looks && !skb->len)
		nl_put_noop(skb, cb);
	/* For the next message, or the end. */
	nl_set_seq(cb, altconn_assoc_removed(&dump->walk));
	return skb->len;
}

/**
 * altconn_nl_assoc_get_doit() - one association of the namespace
 * @skb: the request
 * @info: likewise
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: no id, or another attribute; -ENOENT: no association has
 * the id, or it is not what the other attributes say; -ENOMEM; or an error of
 * sending the reply.
 */
int altconn_nl_assoc_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_viewer viewer = nl_viewer_of(skb, genl_info_net(info));
	struct altconn_nl_filter *filter;
	struct altconn_assoc *assoc;
	struct sk_buff *reply;
	int err = -ENOENT;
	void *hdr;
	u32 state;

	filter = nl_one_filter(info, altconn_nl_filter_assoc);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	reply = nl_reply_new(info, NLMSG_DEFAULT_SIZE, ALTCONN_CMD_ASSOC_GET,
			     &hdr);
	if (IS_ERR(reply)) {
		kfree(filter);
		return PTR_ERR(reply);
	}
	assoc = altconn_assoc_find(genl_info_net(info),
				   nla_get_u64(filter->id), &viewer.side);
	if (assoc) {
		state = nl_shown_state(assoc);
		if (nl_wants_assoc(filter, &viewer, assoc, state))
			err = nl_put_assoc(reply, &viewer, assoc, state);
		altconn_assoc_put(assoc);
	}
	kfree(filter);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no such association");
	return nl_reply_send(reply, hdr, info, err);
}

/* ---- listeners and datagram sockets ---- */

/* What a listener counts, read in one go. */
struct listener_info {
	u32	backlog, queued, waiting;
	u64	outcomes[ALTCONN_N_REASONS], waited;
};

static void nl_read_listener(struct altconn_listener *ln,
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

static int nl_put_listener(struct sk_buff *skb, struct altconn_listener *ln)
{
	struct listener_info info;

	nl_read_listener(ln, &info);
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

static int nl_put_dgram(struct sk_buff *skb, struct sock *sk)
{
	struct altconn_addr *peer;
	int err = 0;

	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return 0;
	peer = altconn_dgram_peer(sk);
	err = nl_put_addr(skb, ALTCONN_A_SOCKET_PEER, peer);
	altconn_addr_put(peer);
	return err;
}

/* Who has it, as it is now: nothing ended that this would be the record of. */
static struct altconn_who nl_owner_of(const struct sock *sk)
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

/* @addr: the socket's. */
static struct altconn_end_info nl_owner_end(struct sock *sk,
					    const struct altconn_addr *addr)
{
	return (struct altconn_end_info) {
		.addr = addr,
		.who = nl_owner_of(sk),
		.dress = altconn_sk(sk)->dress,
		.inode = sock_i_ino(sk),
	};
}

static int nl_put_owner(struct sk_buff *skb,
			const struct altconn_viewer *viewer, struct sock *sk)
{
	struct altconn_addr *addr = altconn_addr_of(sk);
	struct altconn_end_info info = nl_owner_end(sk, addr);
	int err;

	if (sk->sk_type == SOCK_DGRAM)
		info.recv_queue = altconn_dgram_queued(sk);
	err = altconn_nl_put_end(skb, ALTCONN_A_SOCKET_OWNER, viewer, &info);
	altconn_addr_put(addr);
	return err;
}

static bool nl_wants_owner(const struct altconn_nl_filter *filter,
			   const struct altconn_viewer *viewer, struct sock *sk)
{
	struct altconn_end_info info;
	struct altconn_addr *addr;
	bool wanted;

	if (!filter->owner.given)
		return true;
	addr = altconn_addr_of(sk);
	info = nl_owner_end(sk, addr);
	wanted = altconn_nl_wants_end(&filter->owner, viewer, &info);
	altconn_addr_put(addr);
	return wanted;
}

static bool nl_wants_peer(const struct altconn_nl_filter *filter,
			  struct sock *sk)
{
	struct altconn_addr *peer;
	bool wanted;

	if (!filter->peer_given)
		return true;
	/* As nl_put_dgram(): of another socket there is no peer to show. */
	if (sk->sk_type != SOCK_DGRAM ||
	    READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return false;
	peer = altconn_dgram_peer(sk);
	wanted = altconn_nl_wants_addr(filter->peer, peer);
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

/* @filter: NULL: any socket is wanted. */
static bool nl_wants_socket(const struct altconn_nl_filter *filter,
			    const struct altconn_viewer *viewer,
			    struct sock *sk)
{
	return !filter ||
	       (altconn_nl_wants_u64(filter->id,
				     READ_ONCE(altconn_sk(sk)->entry.id)) &&
		altconn_nl_wants_u32(filter->type,
				     altconn_nl_type(sk->sk_type)) &&
		(!filter->listening || nl_is_listener(sk)) &&
		nl_wants_owner(filter, viewer, sk) &&
		nl_wants_peer(filter, sk));
}

static bool nl_is_reachable(const struct sock *sk)
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
static int nl_put_file(struct sk_buff *skb, const struct altconn_viewer *viewer,
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

static int nl_put_socket(struct sk_buff *skb,
			 const struct altconn_viewer *viewer, struct sock *sk)
{
	u64 id = READ_ONCE(altconn_sk(sk)->entry.id);
	struct altconn_listener *ln;
	int err;

	if (nla_put_u64_64bit(skb, ALTCONN_A_SOCKET_ID, id,
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

static int nl_dump_socket(struct sk_buff *skb, struct netlink_callback *cb,
			  const struct altconn_viewer *viewer, struct sock *sk)
{
	void *hdr = nl_put_header(skb, cb, ALTCONN_CMD_SOCKET_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nl_put_socket(skb, viewer, sk)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* What the core keeps of a dump of sockets. */
struct nl_socket_dump {
	struct altconn_position		pos;
	struct altconn_nl_filter	*filter;	/* NULL: all are wanted */
};

static struct nl_socket_dump *nl_socket_dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nl_socket_dump) > sizeof(cb->ctx));
	return (struct nl_socket_dump *)cb->ctx;
}

/* Holds a socket file's path, and all else that there is to say of one socket. */
#define NL_SOCKET_SIZE	(2 * PATH_MAX)

/**
 * altconn_nl_socket_get_start() - begin to dump the namespace's sockets
 * @cb: gets the position and the filter
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: an attribute is wrong or comes twice; -ENOMEM.
 */
int altconn_nl_socket_get_start(struct netlink_callback *cb)
{
	struct altconn_net *an = altconn_pernet(sock_net(cb->skb->sk));
	struct nl_socket_dump *dump = nl_socket_dump_of(cb);
	struct altconn_nl_filter *filter;

	filter = nl_dump_filter(cb, altconn_nl_filter_socket);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	dump->filter = filter;
	dump->pos.newest = altconn_next_id();
	nl_set_seq(cb, altconn_registry_dump(&an->sockets, dump->pos.newest));
	cb->prev_seq = cb->seq;
	cb->min_dump_alloc = NL_SOCKET_SIZE;
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
	kfree(nl_socket_dump_of(cb)->filter);
	return 0;
}

/**
 * altconn_nl_socket_get_dumpit() - dump listeners and datagram sockets
 * @skb: where to
 * @cb: has the position
 *
 * Return: length of @skb.
 */
int altconn_nl_socket_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct altconn_registry *reg = &altconn_pernet(net)->sockets;
	struct altconn_viewer viewer = nl_viewer_of(cb->skb, net);
	struct nl_socket_dump *dump = nl_socket_dump_of(cb);
	struct altconn_position before = dump->pos;
	int err = 0, looks = NL_DUMP_BATCH;
	struct sock *sk;

	nl_set_seq(cb, altconn_registry_removed(reg));
	while (!err && looks && !fatal_signal_pending(current) &&
	       (sk = altconn_sock_next(net, &dump->pos))) {
		looks--;
		if (nl_wants_socket(dump->filter, &viewer, sk))
			err = nl_dump_socket(skb, cb, &viewer, sk);
		sock_put(sk);
		if (err)
			dump->pos = before;
		before = dump->pos;
		cond_resched();
	}
	if (!looks && !skb->len)
		nl_put_noop(skb, cb);
	/* For the next message, or the end. */
	nl_set_seq(cb, altconn_registry_removed(reg));
	return skb->len;
}

/**
 * altconn_nl_socket_get_doit() - one listener or datagram socket of the namespace
 * @skb: the request
 * @info: likewise
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: no id, or another attribute; -ENOENT: no socket has the
 * id, or it is not what the other attributes say; -ENOMEM; or an error of
 * sending the reply.
 */
int altconn_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_viewer viewer = nl_viewer_of(skb, genl_info_net(info));
	struct altconn_nl_filter *filter;
	struct sk_buff *reply;
	int err = -ENOENT;
	struct sock *sk;
	void *hdr;

	filter = nl_one_filter(info, altconn_nl_filter_socket);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	reply = nl_reply_new(info, NL_SOCKET_SIZE, ALTCONN_CMD_SOCKET_GET, &hdr);
	if (IS_ERR(reply)) {
		kfree(filter);
		return PTR_ERR(reply);
	}
	sk = altconn_sock_find(genl_info_net(info), nla_get_u64(filter->id));
	if (sk) {
		if (nl_wants_socket(filter, &viewer, sk))
			err = nl_put_socket(reply, &viewer, sk);
		sock_put(sk);
	}
	kfree(filter);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no such socket");
	return nl_reply_send(reply, hdr, info, err);
}

static int nl_put_family(struct sk_buff *skb, const struct altconn_net *an)
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
	reply = nl_reply_new(info, NLMSG_DEFAULT_SIZE, ALTCONN_CMD_FAMILY_GET,
			     &hdr);
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	err = nl_put_family(reply, altconn_pernet(genl_info_net(info)));
	return nl_reply_send(reply, hdr, info, err);
}
