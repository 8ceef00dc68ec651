/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NL_FILTER_H
#define _ALTCONN_NL_FILTER_H

#include "altconn.h"

struct altconn_addr;
struct altconn_end_info;
struct altconn_nl_end_filter;
struct altconn_nl_filter;
struct altconn_viewer;
struct genl_info;
struct netlink_ext_ack;
struct nlattr;

typedef int nl_filter_parse(struct altconn_nl_filter *filter,
			    const struct nlmsghdr *nlh, struct nlattr **attrs,
			    struct netlink_ext_ack *extack);

struct altconn_nl_filter *
altconn_nl_filter_new_dump(struct netlink_callback *cb, nl_filter_parse *parse);
struct altconn_nl_filter *altconn_nl_filter_new_one(struct genl_info *info,
						    nl_filter_parse *parse);
int altconn_nl_filter_parse_assoc(struct altconn_nl_filter *filter,
				  const struct nlmsghdr *nlh,
				  struct nlattr **attrs,
				  struct netlink_ext_ack *extack);
int altconn_nl_filter_parse_socket(struct altconn_nl_filter *filter,
				   const struct nlmsghdr *nlh,
				   struct nlattr **attrs,
				   struct netlink_ext_ack *extack);
bool altconn_nl_selects_u32(const struct nlattr *attr, u32 value);
bool altconn_nl_selects_u64(const struct nlattr *attr, u64 value);
bool altconn_nl_selects_addr(struct nlattr * const *wanted,
			     const struct altconn_addr *addr);
bool altconn_nl_selects_end(const struct altconn_nl_end_filter *wanted,
			    const struct altconn_viewer *viewer,
			    const struct altconn_end_info *end);

#endif /* _ALTCONN_NL_FILTER_H */
