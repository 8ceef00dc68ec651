// SPDX-License-Identifier: GPL-2.0
/*
 * This file checks generic netlink requests, and builds the parts that several
 * messages share.
 */

#include <linux/dcache.h>
#include <linux/pid_namespace.h>
#include <net/genetlink.h>
#include "addr.h"
#include "names_gen.h"
#include "netlink_gen.h"
#include "nl.h"
#include "task_info.h"

/**
 * altconn_nl_viewer_of() - get the permissions and namespaces of a reader
 * @skb: the request that the reader has sent
 * @net: network namespace of the request
 *
 * Context: process; current is the task that has sent the request or that reads
 * the dump.
 * Return: the viewer. Its namespaces are those of current, without references.
 * @side is ALTCONN_CLIENT; the caller sets it when it looks up an association.
 */
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
 * altconn_nl_check_admin() - refuse a sender without CAP_NET_ADMIN
 * @skb: the request
 * @info: the request; gets the error message
 *
 * Context: process.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN in the user namespace
 * that owns the network namespace.
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
 * altconn_nl_check_once() - refuse an attribute that occurs twice
 * @head: the first attribute
 * @len: length of all attributes, bytes
 * @twice: error messages, by attribute type; an attribute whose type has no
 *	message may occur more than once. If @twice is NULL, every attribute
 *	may occur only once
 * @n: length of @twice, at most BITS_PER_LONG
 * @extack: gets the second attribute and its error message; may be NULL
 *
 * The core's parser accepts such a message, and uses the last attribute of each
 * type. Types are below BITS_PER_LONG, so a bit mask suffices; the core refuses
 * unknown types.
 *
 * Context: any.
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
		if (twice && (type >= n || !twice[type]))
			continue;
		if (seen & BIT(type % BITS_PER_LONG)) {
			NL_SET_BAD_ATTR(extack, attr);
			if (extack)
				extack->_msg = twice ? twice[type] :
					"an attribute occurs twice";
			return -EINVAL;
		}
		seen |= BIT(type % BITS_PER_LONG);
	}
	return 0;
}

/**
 * altconn_nl_check_request() - refuse a request in which an attribute occurs
 *	twice
 * @info: the request
 * @twice: error messages, by attribute type, see altconn_nl_check_once()
 * @n: length of @twice
 *
 * The attributes inside nests are not checked.
 *
 * Context: any.
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
 * altconn_nl_check_empty() - refuse a request that has attributes
 * @info: the request
 *
 * Some kernels do not refuse attributes of an operation without a policy.
 *
 * Context: any.
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

/*
 * These tables translate between values of netlink messages (the indexes) and
 * values of the kernel. Index 0 has no value.
 */
#define NL_TYPE(type, name) \
	[ALTCONN_SOCKET_TYPE_##type] = SOCK_##type,

static const u16 nl_types[] = {
	ALTCONN_SOCKET_TYPE_LIST(NL_TYPE, NL_TYPE)
};

#define NL_ERROR(error, name) \
	[ALTCONN_ERROR_##error] = error,

static const u16 nl_errors[] = {
	ALTCONN_ERROR_LIST(NL_ERROR, NL_ERROR)
};

/* Return the index of @value in a table of @n values, or 0 if it is absent. */
static u32 nl_index_of(const u16 *table, u32 n, int value)
{
	u32 i;

	for (i = 1; i < n; i++)
		if (table[i] == value)
			return i;
	return 0;
}

/**
 * altconn_nl_type() - convert a socket type to its netlink value
 * @type: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 *
 * Context: any.
 * Return: enum altconn_socket_type, or 0 if @type is any other type.
 */
u32 altconn_nl_type(int type)
{
	return nl_index_of(nl_types, ARRAY_SIZE(nl_types), type);
}

/**
 * altconn_nl_sock_type() - convert a netlink value to a socket type
 * @type: enum altconn_socket_type
 *
 * Context: any.
 * Return: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET, or 0 if @type is out of
 * range.
 */
int altconn_nl_sock_type(u32 type)
{
	return type < ARRAY_SIZE(nl_types) ? nl_types[type] : 0;
}

/**
 * altconn_nl_error() - convert an errno to its netlink value
 * @err: a positive errno
 *
 * Context: any.
 * Return: enum altconn_error, or 0 if the enum has no value for @err.
 */
u32 altconn_nl_error(int err)
{
	return nl_index_of(nl_errors, ARRAY_SIZE(nl_errors), err);
}

/*
 * Put the port, the IP address and, if it is link-local, the interface index.
 */
static int nl_put_inet(struct sk_buff *skb, const struct altconn_addr *addr)
{
	if (nla_put_u32(skb, ALTCONN_A_ADDR_PORT, addr->port) ||
	    nla_put(skb, ALTCONN_A_ADDR_IP, addr->len, addr->bytes))
		return -EMSGSIZE;
	return addr->node ? nla_put_u32(skb, ALTCONN_A_ADDR_SCOPE, addr->node) :
			    0;
}

/**
 * altconn_nl_put_addr() - put an address into a message
 * @skb: the message
 * @attr: attribute type of the address
 * @addr: the address, or NULL for an unnamed end, which gets kind
 *	ALTCONN_KIND_NONE
 *
 * Context: any.
 * Return: 0, or -EMSGSIZE if the message is full; the caller then cancels it.
 */
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
 * altconn_nl_shown_pid() - get the pid under which a reader sees a process
 * @viewer: the reader
 * @task: the process
 *
 * Context: any.
 * Return: the pid in the reader's pid namespace; 0 if there is no process, if
 * the process has no pid in that namespace, or if the reader may not see the
 * pid: without CAP_NET_ADMIN only the pids of the reader's own user are
 * visible.
 */
pid_t altconn_nl_shown_pid(const struct altconn_viewer *viewer,
			   const struct altconn_task_info *task)
{
	if (!task->pid || !viewer->pids ||
	    (!viewer->admin && !uid_eq(viewer->uid, task->uid)))
		return 0;
	return pid_nr_ns(task->pid, viewer->pids);
}

/*
 * Put the pid and the command name, unless the reader may not see the process.
 */
static int nl_put_process(struct sk_buff *skb,
			  const struct altconn_viewer *viewer,
			  const struct altconn_task_info *task)
{
	pid_t nr = altconn_nl_shown_pid(viewer, task);

	if (!nr)
		return 0;
	if (nla_put_u32(skb, ALTCONN_A_END_PID, nr))
		return -EMSGSIZE;
	return task->comm[0] ?
		nla_put_string(skb, ALTCONN_A_END_COMM, task->comm) : 0;
}

/* Put a u32 unless it is ALTCONN_END_UNKNOWN. */
static int nl_put_if_known(struct sk_buff *skb, int attr, u32 value)
{
	return value == ALTCONN_END_UNKNOWN ? 0 : nla_put_u32(skb, attr, value);
}

/**
 * altconn_nl_put_end() - put an end, or the owner of a socket, as a nest
 * @skb: the message
 * @attr: attribute type of the nest
 * @viewer: the reader of the message; the nest has no process that the reader
 *	may not see
 * @end: the end
 *
 * Context: any.
 * Return: 0; -EMSGSIZE if the message is full; the caller then cancels it.
 */
int altconn_nl_put_end(struct sk_buff *skb, int attr,
		       const struct altconn_viewer *viewer,
		       const struct altconn_end_info *end)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest)
		return -EMSGSIZE;
	if (altconn_nl_put_addr(skb, ALTCONN_A_END_ADDR, end->addr) ||
	    nl_put_if_known(skb, ALTCONN_A_END_FORMAT, end->format) ||
	    nl_put_if_known(skb, ALTCONN_A_END_RECV_QUEUE, end->recv_queue) ||
	    (end->inode && nla_put_u64_64bit(skb, ALTCONN_A_END_INODE,
					     end->inode, ALTCONN_A_END_PAD)))
		return -EMSGSIZE;
	if (uid_valid(end->task.uid) &&
	    nla_put_u32(skb, ALTCONN_A_END_UID,
			from_kuid_munged(viewer->users, end->task.uid)))
		return -EMSGSIZE;
	if (nl_put_process(skb, viewer, &end->task))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * altconn_nl_put_header() - begin a message of a dump
 * @skb: gets the message
 * @cb: the dump
 * @cmd: command of the message
 *
 * Sets NLM_F_DUMP_INTR in the header if altconn_nl_set_seq() has set another
 * number since the previous message of the dump.
 *
 * Context: any.
 * Return: the header, for genlmsg_end() or genlmsg_cancel(); NULL if @skb is
 * full.
 */
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

/**
 * altconn_nl_set_seq() - set the number that shows whether a dump is complete
 * @cb: the dump
 * @removed: result of altconn_assoc_nr_removed() or
 *	altconn_registry_nr_removed(): the number of entries that the dump may
 *	have missed because they were removed
 *
 * The core compares the number with that of the previous message, and sets
 * NLM_F_DUMP_INTR if the two differ. The core does not compare the number 0, so
 * the lowest bit is always set.
 *
 * Context: any.
 */
void altconn_nl_set_seq(struct netlink_callback *cb, u32 removed)
{
	cb->seq = removed << 1 | 1;
}

/**
 * altconn_nl_put_noop() - put a message that readers ignore
 * @skb: an empty part of a dump
 * @cb: the dump
 *
 * The core ends a dump at the first empty part. So a part in which no object
 * matches, although more objects follow, gets one NLMSG_NOOP. libmnl ignores
 * messages of this type. The Python library of the kernel tree (tools/net/ynl)
 * looks only at the command, and ignores an event without attributes, so the
 * command is ALTCONN_CMD_EVENT.
 *
 * Context: any.
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

/**
 * altconn_nl_reply_new() - allocate the reply to a request for one object
 * @info: the request
 * @size: space for the reply's attributes, bytes
 * @cmd: command of the reply
 * @hdr: gets the header of the reply; NULL on failure
 *
 * Context: process, may sleep.
 * Return: the reply, which altconn_nl_reply_send() sends or frees;
 * ERR_PTR(-ENOMEM).
 */
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

/**
 * altconn_nl_reply_send() - send a reply, or free an incomplete one
 * @reply: the reply, from altconn_nl_reply_new(), which this function consumes
 * @hdr: header of the reply
 * @info: the request
 * @err: 0 if the reply is complete; else the negative errno of the request
 *
 * Context: process, may sleep.
 * Return: @err if it is not 0; else 0 or the error of sending the reply.
 */
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
 * altconn_nl_put_outcomes() - put the counters of outcomes, by reason
 * @skb: the message
 * @attr: attribute type of the nests; each counter that is not 0 gets one
 * @outcomes: the counters, by enum altconn_reason
 *
 * Context: any.
 * Return: 0; -EMSGSIZE if the message is full; the caller then cancels it.
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
