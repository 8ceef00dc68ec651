/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NL_RULE_H
#define _ALTCONN_NL_RULE_H

#include "altconn.h"

struct genl_info;
struct sk_buff;

int altconn_nl_rule_add_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_restore_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_zero_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_get_start(struct netlink_callback *cb);
int altconn_nl_rule_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

#endif /* _ALTCONN_NL_RULE_H */
