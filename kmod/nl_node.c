// SPDX-License-Identifier: GPL-2.0
/*
 * This file serves the generic netlink requests about nodes, the other network
 * namespaces that this one can reach.
 */

#include <net/genetlink.h>
#include "netlink_gen.h"
#include "nl.h"
#include "nl_node.h"
#include "node.h"

/*
 * Error messages for altconn_nl_check_request(). ALTCONN_A_NODE_IP has none,
 * because a request may have an IPv4 and an IPv6 address.
 */
static const char * const nl_node_twice[] = {
	[ALTCONN_A_NODE_ID] = "'id' occurs twice",
	[ALTCONN_A_NODE_STATE] = "'state' occurs twice",
	[ALTCONN_A_NODE_NETNS_FD] = "'netns-fd' occurs twice",
};

/*
 * Check that the sender has CAP_NET_ADMIN, and that no attribute occurs twice.
 */
static int nl_node_check_request(struct sk_buff *skb, struct genl_info *info)
{
	return altconn_nl_check_admin(skb, info) ? :
	       altconn_nl_check_request(info, nl_node_twice,
					ARRAY_SIZE(nl_node_twice));
}

/* Read the id of a node. Return -EINVAL if it is missing or reserved. */
static int nl_node_read_id(struct genl_info *info, u32 *id)
{
	const struct nlattr *attr = info->attrs[ALTCONN_A_NODE_ID];

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the 'id' is missing");
		return -EINVAL;
	}
	*id = nla_get_u32(attr);
	if (*id != ALTCONN_NODE_SELF && *id != ALTCONN_NODE_BROADCAST)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "'id' must be from 1 to 4294967294");
	return -EINVAL;
}

/* Read the id of a node, or set @id to 0 if the request has none. */
static int nl_node_read_optional_id(struct genl_info *info, u32 *id)
{
	*id = 0;
	return info->attrs[ALTCONN_A_NODE_ID] ? nl_node_read_id(info, id) : 0;
}

/*
 * Check whether @ip can be an address of a node: unicast, and valid outside of
 * one host and one link.
 */
static bool nl_node_is_host_ip(const struct in6_addr *ip)
{
	__be32 v4 = ip->s6_addr32[3];
	int type = ipv6_addr_type(ip);

	if (ipv6_addr_v4mapped(ip))
		return !ipv4_is_zeronet(v4) && !ipv4_is_loopback(v4) &&
		       !ipv4_is_multicast(v4) && !ipv4_is_lbcast(v4);
	return type & IPV6_ADDR_UNICAST &&
	       !(type & (IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL));
}

/*
 * Read one IP address into ips[0] (IPv4, as v4-mapped) or ips[1] (IPv6), unless
 * a previous attribute has set that entry.
 */
static int nl_node_read_one_ip(struct genl_info *info,
			       const struct nlattr *attr,
			       struct in6_addr ips[2])
{
	struct in6_addr ip, *place;

	nla_memcpy(&ip, attr, sizeof(ip));
	if (!nl_node_is_host_ip(&ip)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "'ip' must be the address of a host, not any, loopback, link-local, multicast or broadcast");
		return -EINVAL;
	}
	place = &ips[!ipv6_addr_v4mapped(&ip)];
	if (!ipv6_addr_any(place)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "'ip' may occur once for IPv4 and once for IPv6");
		return -EINVAL;
	}
	*place = ip;
	return 0;
}

/*
 * Read all IP addresses of a request. An entry without an address is all zero.
 */
static int nl_node_read_ips(struct genl_info *info, struct in6_addr ips[2])
{
	const struct nlattr *attr;
	int rem, err = 0;

	memset(ips, 0, 2 * sizeof(*ips));
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (!err && nla_type(attr) == ALTCONN_A_NODE_IP)
			err = nl_node_read_one_ip(info, attr, ips);
	}
	return err;
}

/*
 * Get the namespace that a new node is to reach. The sender needs CAP_NET_ADMIN
 * there too. Return the namespace with a reference, or an ERR_PTR.
 */
static struct net *nl_node_read_netns(struct sk_buff *skb,
				      struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[ALTCONN_A_NODE_NETNS_FD];
	struct net *target;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "the 'netns-fd' is missing");
		return ERR_PTR(-EINVAL);
	}
	target = get_net_ns_by_fd(nla_get_u32(attr));
	if (IS_ERR(target)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "'netns-fd' is not a network namespace");
		return target;
	}
	if (!netlink_ns_capable(skb, target->user_ns, CAP_NET_ADMIN)) {
		put_net(target);
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "this needs CAP_NET_ADMIN in that network namespace too");
		return ERR_PTR(-EPERM);
	}
	if (net_eq(target, genl_info_net(info))) {
		put_net(target);
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "'netns-fd' is this namespace itself");
		return ERR_PTR(-EINVAL);
	}
	return target;
}

/*
 * Set the error message for an error of altconn_node_*(), and return the error.
 * @err may be 0.
 */
static int nl_node_explain(struct genl_info *info, int err)
{
	static const struct {
		int		err;
		u8		attr;
		const char	*wrong;
	} rows[] = {
		{ -EEXIST, ALTCONN_A_NODE_ID, "a node has this id" },
		{ -ENOENT, ALTCONN_A_NODE_ID, "no node has this id" },
		{ -EADDRINUSE, ALTCONN_A_NODE_IP, "a node has this IP address" },
		{ -EALREADY, ALTCONN_A_NODE_NETNS_FD,
		  "this namespace is already a node with another id" },
		{ -ENOSPC, 0, "too many nodes: the limit is 1024" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (err != rows[i].err || !info->extack)
			continue;
		info->extack->_msg = rows[i].wrong;
		if (rows[i].attr && info->attrs[rows[i].attr])
			NL_SET_BAD_ATTR(info->extack,
					info->attrs[rows[i].attr]);
	}
	return err;
}

/**
 * altconn_nl_node_add_doit() - add a node to the namespace's table
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN in one of the two
 * namespaces; -EINVAL if an attribute is missing, wrong or occurs twice; -EBADF
 * if 'netns-fd' is not an open descriptor; -EEXIST, -EADDRINUSE, -EALREADY,
 * -ENOSPC or -ENOMEM, see altconn_node_add().
 */
int altconn_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct in6_addr ips[2];
	struct net *target;
	u32 id;
	int err;

	err = nl_node_check_request(skb, info) ? :
	      nl_node_read_id(info, &id) ? :
	      nl_node_read_ips(info, ips);
	if (err)
		return err;
	target = nl_node_read_netns(skb, info);
	if (IS_ERR(target))
		return PTR_ERR(target);
	err = altconn_node_add(genl_info_net(info), id, ips, target);
	put_net(target);
	return nl_node_explain(info, err);
}

/**
 * altconn_nl_node_del_doit() - delete one node, or all nodes
 * @skb: the request; without an id, all nodes are deleted
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if the id is
 * wrong or occurs twice; -ENOENT if no node has the id.
 */
int altconn_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	u32 id;
	int err = nl_node_check_request(skb, info) ? :
		  nl_node_read_optional_id(info, &id);

	if (err)
		return err;
	return nl_node_explain(info, altconn_node_del(genl_info_net(info), id));
}

/**
 * altconn_nl_node_set_doit() - set a node up or down
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if the id or
 * the state is missing, wrong or occurs twice; -ENOENT if no node has the id.
 */
int altconn_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *state = info->attrs[ALTCONN_A_NODE_STATE];
	u32 id;
	int err = nl_node_check_request(skb, info) ? :
		  nl_node_read_id(info, &id);

	if (err)
		return err;
	if (!state) {
		NL_SET_ERR_MSG(info->extack, "the 'state' is missing");
		return -EINVAL;
	}
	if (nla_get_u32(state) == ALTCONN_NODE_STATE_GONE) {
		NL_SET_ERR_MSG_ATTR(info->extack, state,
				    "'state' must be up or down");
		return -EINVAL;
	}
	return nl_node_explain(info,
			       altconn_node_set_up(genl_info_net(info), id,
						   nla_get_u32(state)));
}

/**
 * altconn_nl_node_self_doit() - set the id by which the namespace's own
 *	addresses can be written
 * @skb: the request; without an id, the id is removed
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if the id is
 * wrong or occurs twice; -EEXIST if a node has the id.
 */
int altconn_nl_node_self_doit(struct sk_buff *skb, struct genl_info *info)
{
	u32 id;
	int err = nl_node_check_request(skb, info) ? :
		  nl_node_read_optional_id(info, &id);

	if (err)
		return err;
	return nl_node_explain(info,
			       altconn_node_set_self(genl_info_net(info), id));
}

static int nl_node_put(struct sk_buff *skb,
		       const struct altconn_node_info *node)
{
	u32 state = node->gone ? ALTCONN_NODE_STATE_GONE :
		    node->up ? ALTCONN_NODE_STATE_UP : ALTCONN_NODE_STATE_DOWN;

	unsigned int i;

	if (nla_put_u32(skb, ALTCONN_A_NODE_ID, node->id) ||
	    nla_put_u32(skb, ALTCONN_A_NODE_STATE, state))
		return -EMSGSIZE;
	/*
	 * If the namespace no longer exists, its inode number may belong to a
	 * new one.
	 */
	if (!node->gone && nla_put_u64_64bit(skb, ALTCONN_A_NODE_NETNS,
					     node->netns, ALTCONN_A_NODE_PAD))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(node->ip); i++)
		if (!ipv6_addr_any(&node->ip[i]) &&
		    nla_put(skb, ALTCONN_A_NODE_IP, sizeof(node->ip[i]),
			    &node->ip[i]))
			return -EMSGSIZE;
	return 0;
}

/*
 * Add one message to a part of a dump, or return -EMSGSIZE if the part is full.
 */
static int nl_node_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			    const struct altconn_node_info *node)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &altconn_nl_family,
				NLM_F_MULTI, ALTCONN_CMD_NODE_GET);

	if (!hdr)
		return -EMSGSIZE;
	if (nl_node_put(skb, node)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * altconn_nl_node_get_dumpit() - make the next part of a dump of nodes
 * @skb: the part, empty
 * @cb: the dump; the first u32 of its context is the smallest id that has not
 *	been dumped
 *
 * The dump is in the order of the ids, so it has each node that exists from its
 * beginning to its end exactly once.
 *
 * Context: process.
 * Return: length of @skb, or 0 if the dump is complete.
 */
int altconn_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	u32 *id = (u32 *)cb->ctx;
	struct altconn_node_info node;

	while (altconn_node_next(sock_net(cb->skb->sk), id, &node)) {
		if (nl_node_dump_one(skb, cb, &node))
			break;
		++*id;
	}
	return skb->len;
}
