/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NL_NODE_H
#define _ALTCONN_NL_NODE_H

#include "altconn.h"

struct genl_info;
struct sk_buff;

int altconn_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_self_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

#endif /* _ALTCONN_NL_NODE_H */
