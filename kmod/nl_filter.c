// SPDX-License-Identifier: GPL-2.0
/*
 * A filter holds the attributes of a generic netlink request for associations
 * or sockets. An object matches if it has the value of every attribute. The
 * filter points into the request, which lives at least as long as a dump that
 * it begins.
 */

#include <linux/dcache.h>
#include <net/genetlink.h>
#include "addr.h"
#include "netlink_gen.h"
#include "nl.h"
#include "nl_filter.h"

/*
 * Make the filter of a request with @parse. Return NULL if the request has no
 * attributes, so that all objects match; ERR_PTR(-EINVAL) if an attribute is
 * wrong; ERR_PTR(-ENOMEM).
 */
static struct altconn_nl_filter *nl_filter_new(const struct nlmsghdr *nlh,
					       struct nlattr **attrs,
					       struct netlink_ext_ack *extack,
					       altconn_nl_filter_parse *parse)
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

/**
 * altconn_nl_filter_new_dump() - make the filter of a dump request
 * @cb: the dump
 * @parse: altconn_nl_filter_parse_assoc() or altconn_nl_filter_parse_socket(),
 *	which fills the filter
 *
 * Context: process, may sleep.
 * Return: the filter, which the caller frees with kfree(); NULL if the request
 * has no attributes, so all objects match; ERR_PTR(-EINVAL) if an attribute is
 * wrong or occurs twice; ERR_PTR(-ENOMEM).
 */
struct altconn_nl_filter *
altconn_nl_filter_new_dump(struct netlink_callback *cb,
			   altconn_nl_filter_parse *parse)
{
	const struct genl_info *info = genl_info_dump(cb);

	return nl_filter_new(cb->nlh, info->attrs, info->extack, parse);
}

/**
 * altconn_nl_filter_new_one() - make the filter of a request for one object
 * @info: the request
 * @parse: altconn_nl_filter_parse_assoc() or altconn_nl_filter_parse_socket(),
 *	which fills the filter
 *
 * Context: process, may sleep.
 * Return: the filter, with an id, which the caller frees with kfree();
 * ERR_PTR(-EINVAL) if the id is missing, or an attribute is wrong or occurs
 * twice; ERR_PTR(-ENOMEM).
 */
struct altconn_nl_filter *
altconn_nl_filter_new_one(struct genl_info *info,
			  altconn_nl_filter_parse *parse)
{
	struct altconn_nl_filter *filter =
		nl_filter_new(info->nlhdr, info->attrs, info->extack, parse);

	if (IS_ERR(filter) || (filter && filter->id))
		return filter;
	kfree(filter);
	NL_SET_ERR_MSG(info->extack, "the 'id' is missing");
	return ERR_PTR(-EINVAL);
}

/* Read the nest of an address into @addr. @nest is NULL if there is none. */
static int nl_filter_parse_addr(struct nlattr **addr, const struct nlattr *nest,
				struct netlink_ext_ack *extack)
{
	if (!nest)
		return 0;
	return altconn_nl_check_once(nla_data(nest), nla_len(nest), NULL, 0,
				     extack) ? :
	       nla_parse_nested(addr, ALTCONN_A_ADDR_MAX, nest,
				altconn_addr_nl_policy, extack);
}

/*
 * Refuse the two attributes of an end that change at any time, which only
 * replies may have.
 */
static int nl_filter_check_end(struct nlattr **attr,
			       struct netlink_ext_ack *extack)
{
	static const u8 refused[] = {
		ALTCONN_A_END_RECV_QUEUE, ALTCONN_A_END_COMM,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		if (!attr[refused[i]])
			continue;
		NL_SET_ERR_MSG_ATTR(extack, attr[refused[i]],
				    "an end cannot be selected by this attribute");
		return -EINVAL;
	}
	return 0;
}

/* Read the nest of an end into @end. @nest is NULL if there is none. */
static int nl_filter_parse_end(struct altconn_nl_filter_end *end,
			       const struct nlattr *nest,
			       struct netlink_ext_ack *extack)
{
	if (!nest)
		return 0;
	end->given = true;
	return altconn_nl_check_once(nla_data(nest), nla_len(nest), NULL, 0,
				     extack) ? :
	       nla_parse_nested(end->attr, ALTCONN_A_END_MAX, nest,
				altconn_end_nl_policy, extack) ? :
	       nl_filter_check_end(end->attr, extack) ? :
	       nl_filter_parse_addr(end->addr, end->attr[ALTCONN_A_END_ADDR],
				    extack);
}

/**
 * altconn_nl_filter_parse_assoc() - fill the filter of a request for
 * associations
 * @filter: the filter, zeroed; gets pointers to attributes of the request
 * @nlh: the request
 * @attrs: attributes of the request, by type
 * @extack: gets the error message
 *
 * Context: process.
 * Return: 0; -EINVAL if an attribute is wrong or occurs twice.
 */
int altconn_nl_filter_parse_assoc(struct altconn_nl_filter *filter,
				  const struct nlmsghdr *nlh,
				  struct nlattr **attrs,
				  struct netlink_ext_ack *extack)
{
	filter->id = attrs[ALTCONN_A_ASSOC_ID];
	filter->type = attrs[ALTCONN_A_ASSOC_TYPE];
	filter->state = attrs[ALTCONN_A_ASSOC_STATE];
	filter->listener = attrs[ALTCONN_A_ASSOC_LISTENER];
	return altconn_nl_check_once(nlmsg_attrdata(nlh, GENL_HDRLEN),
				     nlmsg_attrlen(nlh, GENL_HDRLEN), NULL, 0,
				     extack) ? :
	       nl_filter_parse_end(&filter->client,
				   attrs[ALTCONN_A_ASSOC_CLIENT], extack) ? :
	       nl_filter_parse_end(&filter->server,
				   attrs[ALTCONN_A_ASSOC_SERVER], extack) ? :
	       nl_filter_parse_end(&filter->either, attrs[ALTCONN_A_ASSOC_END],
				   extack);
}

/**
 * altconn_nl_filter_parse_socket() - fill the filter of a request for sockets
 * @filter: the filter, zeroed; gets pointers to attributes of the request
 * @nlh: the request
 * @attrs: attributes of the request, by type
 * @extack: gets the error message
 *
 * Context: process.
 * Return: 0; -EINVAL if an attribute is wrong or occurs twice.
 */
int altconn_nl_filter_parse_socket(struct altconn_nl_filter *filter,
				   const struct nlmsghdr *nlh,
				   struct nlattr **attrs,
				   struct netlink_ext_ack *extack)
{
	filter->id = attrs[ALTCONN_A_SOCKET_ID];
	filter->type = attrs[ALTCONN_A_SOCKET_TYPE];
	filter->listening = attrs[ALTCONN_A_SOCKET_LISTENING];
	filter->peer_given = attrs[ALTCONN_A_SOCKET_PEER];
	return altconn_nl_check_once(nlmsg_attrdata(nlh, GENL_HDRLEN),
				     nlmsg_attrlen(nlh, GENL_HDRLEN), NULL, 0,
				     extack) ? :
	       nl_filter_parse_end(&filter->owner,
				   attrs[ALTCONN_A_SOCKET_OWNER], extack) ? :
	       nl_filter_parse_addr(filter->peer, attrs[ALTCONN_A_SOCKET_PEER],
				    extack);
}

/**
 * altconn_nl_filter_selects_u32() - check whether a u32 matches a request
 * @attr: attribute of the request; NULL matches any value
 * @value: the value
 *
 * Context: any.
 * Return: true if @value matches, else false.
 */
bool altconn_nl_filter_selects_u32(const struct nlattr *attr, u32 value)
{
	return !attr || nla_get_u32(attr) == value;
}

/**
 * altconn_nl_filter_selects_u64() - check whether a u64 matches a request
 * @attr: attribute of the request; NULL matches any value
 * @value: the value
 *
 * Context: any.
 * Return: true if @value matches, else false.
 */
bool altconn_nl_filter_selects_u64(const struct nlattr *attr, u64 value)
{
	return !attr || nla_get_u64(attr) == value;
}

/*
 * Check whether @addr is of kind @kind and has the bytes of @attr. NULL matches
 * any address.
 */
static bool nl_filter_selects_bytes(const struct nlattr *attr,
				    const struct altconn_addr *addr, u32 kind)
{
	return !attr || (addr && addr->kind == kind &&
			 nla_len(attr) == addr->len &&
			 !memcmp(nla_data(attr), addr->bytes, addr->len));
}

/*
 * Check whether a number matches @attr. @has is false if the object has no such
 * number, in which case only a NULL @attr matches.
 */
static bool nl_filter_selects_number(const struct nlattr *attr, bool has,
				     u32 value)
{
	return !attr || (has && nla_get_u32(attr) == value);
}

/**
 * altconn_nl_filter_selects_addr() - check whether an address matches a request
 * @wanted: the demanded parts, by ALTCONN_A_ADDR_*; NULL matches any value
 * @addr: the address, or NULL for an unnamed end, of kind ALTCONN_KIND_NONE
 *
 * Context: any.
 * Return: true if @addr matches, else false.
 */
bool altconn_nl_filter_selects_addr(struct nlattr * const *wanted,
				    const struct altconn_addr *addr)
{
	u32 kind = addr ? addr->kind : ALTCONN_KIND_NONE;
	bool port = kind == ALTCONN_KIND_PORT, name = kind == ALTCONN_KIND_NAME;
	bool inet = kind == ALTCONN_KIND_INET;

	return altconn_nl_filter_selects_u32(wanted[ALTCONN_A_ADDR_KIND],
					     kind) &&
	       nl_filter_selects_number(wanted[ALTCONN_A_ADDR_NODE],
					port || name, addr ? addr->node : 0) &&
	       nl_filter_selects_number(wanted[ALTCONN_A_ADDR_PORT],
					port || inet, addr ? addr->port : 0) &&
	       nl_filter_selects_number(wanted[ALTCONN_A_ADDR_SCOPE], inet,
					addr ? addr->node : 0) &&
	       nl_filter_selects_bytes(wanted[ALTCONN_A_ADDR_NAME], addr,
				       ALTCONN_KIND_NAME) &&
	       nl_filter_selects_bytes(wanted[ALTCONN_A_ADDR_PATH], addr,
				       ALTCONN_KIND_PATH) &&
	       nl_filter_selects_bytes(wanted[ALTCONN_A_ADDR_IP], addr,
				       ALTCONN_KIND_INET);
}

/**
 * altconn_nl_filter_selects_end() - check whether an end matches a request
 * @wanted: the demanded values; if none are given, every end matches
 * @viewer: the sender of the request; a pid that the sender may not see matches
 *	no demanded pid
 * @end: the end
 *
 * Context: any.
 * Return: true if @end matches, else false.
 */
bool altconn_nl_filter_selects_end(const struct altconn_nl_filter_end *wanted,
				   const struct altconn_viewer *viewer,
				   const struct altconn_end_info *end)
{
	struct nlattr * const *attr = wanted->attr;
	bool has_uid = uid_valid(end->task.uid);
	u32 uid, pid = 0;

	if (!wanted->given)
		return true;
	if (attr[ALTCONN_A_END_PID])
		pid = altconn_nl_shown_pid(viewer, &end->task);
	uid = has_uid ? from_kuid_munged(viewer->users, end->task.uid) : 0;
	return altconn_nl_filter_selects_addr(wanted->addr, end->addr) &&
	       nl_filter_selects_number(attr[ALTCONN_A_END_FORMAT],
					end->format != ALTCONN_END_UNKNOWN,
					end->format) &&
	       nl_filter_selects_number(attr[ALTCONN_A_END_UID], has_uid,
					uid) &&
	       (!attr[ALTCONN_A_END_INODE] ||
		(end->inode &&
		 altconn_nl_filter_selects_u64(attr[ALTCONN_A_END_INODE],
					       end->inode))) &&
	       nl_filter_selects_number(attr[ALTCONN_A_END_PID], pid, pid);
}
