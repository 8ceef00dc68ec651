// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/altconn.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/altconn_netlink.h>

/* Common nested types */
const struct nla_policy altconn_addr_nl_policy[ALTCONN_A_ADDR_SCOPE + 1] = {
	[ALTCONN_A_ADDR_KIND] = NLA_POLICY_MAX(NLA_U32, 4),
	[ALTCONN_A_ADDR_NODE] = { .type = NLA_U32, },
	[ALTCONN_A_ADDR_PORT] = { .type = NLA_U32, },
	[ALTCONN_A_ADDR_NAME] = { .type = NLA_BINARY, },
	[ALTCONN_A_ADDR_PATH] = { .type = NLA_BINARY, },
	[ALTCONN_A_ADDR_IP] = NLA_POLICY_EXACT_LEN(16),
	[ALTCONN_A_ADDR_SCOPE] = { .type = NLA_U32, },
};

const struct nla_policy altconn_end_nl_policy[ALTCONN_A_END_PAD + 1] = {
	[ALTCONN_A_END_ADDR] = NLA_POLICY_NESTED(altconn_addr_nl_policy),
	[ALTCONN_A_END_FORMAT] = { .type = NLA_U32, },
	[ALTCONN_A_END_PID] = { .type = NLA_U32, },
	[ALTCONN_A_END_UID] = { .type = NLA_U32, },
	[ALTCONN_A_END_RECV_QUEUE] = { .type = NLA_U32, },
	[ALTCONN_A_END_COMM] = { .type = NLA_NUL_STRING, },
	[ALTCONN_A_END_INODE] = { .type = NLA_U64, },
};

const struct nla_policy altconn_rule_nl_policy[ALTCONN_A_RULE_LEFT + 1] = {
	[ALTCONN_A_RULE_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[ALTCONN_A_RULE_PRIORITY] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ALTCONN_A_RULE_KIND] = NLA_POLICY_MAX(NLA_U32, 4),
	[ALTCONN_A_RULE_NODE] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_PORT_MIN] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_PORT_MAX] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_IP] = NLA_POLICY_EXACT_LEN(16),
	[ALTCONN_A_RULE_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U32, 128),
	[ALTCONN_A_RULE_PATTERN] = { .type = NLA_BINARY, },
	[ALTCONN_A_RULE_UID] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_GID] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_VERDICT] = NLA_POLICY_MAX(NLA_U32, 7),
	[ALTCONN_A_RULE_DELAY_MS] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_JITTER_MS] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_TIMES] = NLA_POLICY_MIN(NLA_U32, 1),
	[ALTCONN_A_RULE_EVERY] = NLA_POLICY_MIN(NLA_U32, 1),
	[ALTCONN_A_RULE_PROBABILITY] = { .type = NLA_U32, },
	[ALTCONN_A_RULE_HITS] = { .type = NLA_U64, },
	[ALTCONN_A_RULE_IDLE_MS] = { .type = NLA_U64, },
	[ALTCONN_A_RULE_LEFT] = { .type = NLA_U32, },
};

/* ALTCONN_CMD_ASSOC_GET - do */
static const struct nla_policy altconn_assoc_get_do_nl_policy[ALTCONN_A_ASSOC_END + 1] = {
	[ALTCONN_A_ASSOC_ID] = { .type = NLA_U64, },
	[ALTCONN_A_ASSOC_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ALTCONN_A_ASSOC_STATE] = NLA_POLICY_MAX(NLA_U32, 4),
	[ALTCONN_A_ASSOC_CLIENT] = NLA_POLICY_NESTED(altconn_end_nl_policy),
	[ALTCONN_A_ASSOC_SERVER] = NLA_POLICY_NESTED(altconn_end_nl_policy),
	[ALTCONN_A_ASSOC_LISTENER] = { .type = NLA_U64, },
	[ALTCONN_A_ASSOC_END] = NLA_POLICY_NESTED(altconn_end_nl_policy),
};

/* ALTCONN_CMD_ASSOC_GET - dump */
static const struct nla_policy altconn_assoc_get_dump_nl_policy[ALTCONN_A_ASSOC_END + 1] = {
	[ALTCONN_A_ASSOC_ID] = { .type = NLA_U64, },
	[ALTCONN_A_ASSOC_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ALTCONN_A_ASSOC_STATE] = NLA_POLICY_MAX(NLA_U32, 4),
	[ALTCONN_A_ASSOC_CLIENT] = NLA_POLICY_NESTED(altconn_end_nl_policy),
	[ALTCONN_A_ASSOC_SERVER] = NLA_POLICY_NESTED(altconn_end_nl_policy),
	[ALTCONN_A_ASSOC_LISTENER] = { .type = NLA_U64, },
	[ALTCONN_A_ASSOC_END] = NLA_POLICY_NESTED(altconn_end_nl_policy),
};

/* ALTCONN_CMD_SOCKET_GET - do */
static const struct nla_policy altconn_socket_get_do_nl_policy[ALTCONN_A_SOCKET_PEER + 1] = {
	[ALTCONN_A_SOCKET_ID] = { .type = NLA_U64, },
	[ALTCONN_A_SOCKET_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ALTCONN_A_SOCKET_LISTENING] = { .type = NLA_FLAG, },
	[ALTCONN_A_SOCKET_OWNER] = NLA_POLICY_NESTED(altconn_end_nl_policy),
	[ALTCONN_A_SOCKET_PEER] = NLA_POLICY_NESTED(altconn_addr_nl_policy),
};

/* ALTCONN_CMD_SOCKET_GET - dump */
static const struct nla_policy altconn_socket_get_dump_nl_policy[ALTCONN_A_SOCKET_PEER + 1] = {
	[ALTCONN_A_SOCKET_ID] = { .type = NLA_U64, },
	[ALTCONN_A_SOCKET_TYPE] = NLA_POLICY_RANGE(NLA_U32, 1, 3),
	[ALTCONN_A_SOCKET_LISTENING] = { .type = NLA_FLAG, },
	[ALTCONN_A_SOCKET_OWNER] = NLA_POLICY_NESTED(altconn_end_nl_policy),
	[ALTCONN_A_SOCKET_PEER] = NLA_POLICY_NESTED(altconn_addr_nl_policy),
};

/* ALTCONN_CMD_RULE_ADD - do */
static const struct nla_policy altconn_rule_add_nl_policy[ALTCONN_A_RULESET_RULE + 1] = {
	[ALTCONN_A_RULESET_RULE] = NLA_POLICY_NESTED(altconn_rule_nl_policy),
};

/* ALTCONN_CMD_RULE_DEL - do */
static const struct nla_policy altconn_rule_del_nl_policy[ALTCONN_A_RULESET_ID + 1] = {
	[ALTCONN_A_RULESET_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* ALTCONN_CMD_RULE_ZERO - do */
static const struct nla_policy altconn_rule_zero_nl_policy[ALTCONN_A_RULESET_ID + 1] = {
	[ALTCONN_A_RULESET_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* ALTCONN_CMD_RULE_RESTORE - do */
static const struct nla_policy altconn_rule_restore_nl_policy[ALTCONN_A_RULESET_RULE + 1] = {
	[ALTCONN_A_RULESET_RULE] = NLA_POLICY_NESTED(altconn_rule_nl_policy),
};

/* ALTCONN_CMD_KILL - do */
static const struct nla_policy altconn_kill_nl_policy[ALTCONN_A_KILL_ID + 1] = {
	[ALTCONN_A_KILL_ID] = { .type = NLA_U64, },
};

/* ALTCONN_CMD_NODE_ADD - do */
static const struct nla_policy altconn_node_add_nl_policy[ALTCONN_A_NODE_NETNS_FD + 1] = {
	[ALTCONN_A_NODE_ID] = { .type = NLA_U32, },
	[ALTCONN_A_NODE_IP] = NLA_POLICY_EXACT_LEN(16),
	[ALTCONN_A_NODE_NETNS_FD] = { .type = NLA_U32, },
};

/* ALTCONN_CMD_NODE_DEL - do */
static const struct nla_policy altconn_node_del_nl_policy[ALTCONN_A_NODE_ID + 1] = {
	[ALTCONN_A_NODE_ID] = { .type = NLA_U32, },
};

/* ALTCONN_CMD_NODE_SET - do */
static const struct nla_policy altconn_node_set_nl_policy[ALTCONN_A_NODE_STATE + 1] = {
	[ALTCONN_A_NODE_ID] = { .type = NLA_U32, },
	[ALTCONN_A_NODE_STATE] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* ALTCONN_CMD_NODE_SELF - do */
static const struct nla_policy altconn_node_self_nl_policy[ALTCONN_A_NODE_ID + 1] = {
	[ALTCONN_A_NODE_ID] = { .type = NLA_U32, },
};

/* Ops table for altconn */
static const struct genl_split_ops altconn_nl_ops[] = {
	{
		.cmd	= ALTCONN_CMD_FAMILY_GET,
		.doit	= altconn_nl_family_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_ASSOC_GET,
		.doit		= altconn_nl_assoc_get_doit,
		.policy		= altconn_assoc_get_do_nl_policy,
		.maxattr	= ALTCONN_A_ASSOC_END,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_ASSOC_GET,
		.start		= altconn_nl_assoc_get_start,
		.dumpit		= altconn_nl_assoc_get_dumpit,
		.done		= altconn_nl_assoc_get_done,
		.policy		= altconn_assoc_get_dump_nl_policy,
		.maxattr	= ALTCONN_A_ASSOC_END,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= ALTCONN_CMD_SOCKET_GET,
		.doit		= altconn_nl_socket_get_doit,
		.policy		= altconn_socket_get_do_nl_policy,
		.maxattr	= ALTCONN_A_SOCKET_PEER,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_SOCKET_GET,
		.start		= altconn_nl_socket_get_start,
		.dumpit		= altconn_nl_socket_get_dumpit,
		.done		= altconn_nl_socket_get_done,
		.policy		= altconn_socket_get_dump_nl_policy,
		.maxattr	= ALTCONN_A_SOCKET_PEER,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= ALTCONN_CMD_RULE_GET,
		.start	= altconn_nl_rule_get_start,
		.dumpit	= altconn_nl_rule_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= ALTCONN_CMD_RULE_ADD,
		.doit		= altconn_nl_rule_add_doit,
		.policy		= altconn_rule_add_nl_policy,
		.maxattr	= ALTCONN_A_RULESET_RULE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_RULE_DEL,
		.doit		= altconn_nl_rule_del_doit,
		.policy		= altconn_rule_del_nl_policy,
		.maxattr	= ALTCONN_A_RULESET_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_RULE_ZERO,
		.doit		= altconn_nl_rule_zero_doit,
		.policy		= altconn_rule_zero_nl_policy,
		.maxattr	= ALTCONN_A_RULESET_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_RULE_RESTORE,
		.doit		= altconn_nl_rule_restore_doit,
		.policy		= altconn_rule_restore_nl_policy,
		.maxattr	= ALTCONN_A_RULESET_RULE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_KILL,
		.doit		= altconn_nl_kill_doit,
		.policy		= altconn_kill_nl_policy,
		.maxattr	= ALTCONN_A_KILL_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= ALTCONN_CMD_NODE_GET,
		.dumpit	= altconn_nl_node_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= ALTCONN_CMD_NODE_ADD,
		.doit		= altconn_nl_node_add_doit,
		.policy		= altconn_node_add_nl_policy,
		.maxattr	= ALTCONN_A_NODE_NETNS_FD,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_NODE_DEL,
		.doit		= altconn_nl_node_del_doit,
		.policy		= altconn_node_del_nl_policy,
		.maxattr	= ALTCONN_A_NODE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_NODE_SET,
		.doit		= altconn_nl_node_set_doit,
		.policy		= altconn_node_set_nl_policy,
		.maxattr	= ALTCONN_A_NODE_STATE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= ALTCONN_CMD_NODE_SELF,
		.doit		= altconn_nl_node_self_doit,
		.policy		= altconn_node_self_nl_policy,
		.maxattr	= ALTCONN_A_NODE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= ALTCONN_CMD_STAT_GET,
		.doit	= altconn_nl_stat_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= ALTCONN_CMD_MONITOR,
		.doit	= altconn_nl_monitor_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
};

struct genl_family altconn_nl_family __ro_after_init = {
	.name		= ALTCONN_FAMILY_NAME,
	.version	= ALTCONN_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= altconn_nl_ops,
	.n_split_ops	= ARRAY_SIZE(altconn_nl_ops),
};
