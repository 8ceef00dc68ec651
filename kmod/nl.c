// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink: the checks of a request, and what several messages have in
 * common.
 */

#include <linux/dcache.h>
#include <linux/pid_namespace.h>
#include <net/genetlink.h>
#include "addr.h"
#include "netlink_gen.h"
#include "nl.h"
#include "task_info.h"

struct altconn_viewer altconn_nl_viewer_of(struct sk_buff *skb, struct net *net)
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

int altconn_nl_put_addr(struct sk_buff *skb, int attr,
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
	if (altconn_nl_put_addr(skb, ALTCONN_A_END_ADDR, end->addr) ||
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

void *altconn_nl_put_header(struct sk_buff *skb, struct netlink_callback *cb,
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
void altconn_nl_set_seq(struct netlink_callback *cb, u32 removed)
{
	cb->seq = removed << 1 | 1;
}

/*
 * A part without any message would end the dump, so one in which nothing matched gets a
 * NLMSG_NOOP. libmnl passes over that by its type. The kernel's library for Python
 * dispatches by the command alone, so this is that of an event, which it passes over when
 * the event has no attributes.
 */
void altconn_nl_put_noop(struct sk_buff *skb, struct netlink_callback *cb)
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
struct sk_buff *altconn_nl_reply_new(struct genl_info *info, size_t size,
				     u8 cmd, void **hdr)
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
int altconn_nl_reply_send(struct sk_buff *reply, void *hdr,
			  struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/**
 * altconn_nl_put_outcomes() - how many attempts ended for which reason
 * @skb: where to
 * @attr: of each nest, those that are not zero
 * @outcomes: by reason
 *
 * Return: 0 or -EMSGSIZE.
 */
int altconn_nl_put_outcomes(struct sk_buff *skb, int attr, const u64 *outcomes)
{
	struct nlattr *nest;
	u32 i;

	for (i = 0; i < ALTCONN_N_REASONS; i++) {
		if (!outcomes[i])
			continue;
		nest = nla_nest_start(skb, attr);
		if (!nest || nla_put_u32(skb, ALTCONN_A_OUTCOME_REASON, i) ||
		    nla_put_u64_64bit(skb, ALTCONN_A_OUTCOME_COUNT, outcomes[i],
				      ALTCONN_A_OUTCOME_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}
