/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/altconn.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_ALTCONN_GEN_H
#define _LINUX_ALTCONN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/altconn_netlink.h>

/* Common nested types */
extern const struct nla_policy altconn_addr_nl_policy[ALTCONN_A_ADDR_SCOPE + 1];
extern const struct nla_policy altconn_end_nl_policy[ALTCONN_A_END_PAD + 1];
extern const struct nla_policy altconn_rule_nl_policy[ALTCONN_A_RULE_LEFT + 1];

int altconn_nl_assoc_get_start(struct netlink_callback *cb);
int altconn_nl_socket_get_start(struct netlink_callback *cb);
int altconn_nl_rule_get_start(struct netlink_callback *cb);
int altconn_nl_assoc_get_done(struct netlink_callback *cb);
int altconn_nl_socket_get_done(struct netlink_callback *cb);

int altconn_nl_family_get_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_assoc_get_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_assoc_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int altconn_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_socket_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int altconn_nl_rule_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int altconn_nl_rule_add_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_zero_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_rule_restore_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_kill_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int altconn_nl_node_add_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_del_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_node_self_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_monitor_doit(struct sk_buff *skb, struct genl_info *info);

extern struct genl_family altconn_nl_family;

#endif /* _LINUX_ALTCONN_GEN_H */
