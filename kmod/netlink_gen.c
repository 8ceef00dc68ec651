// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/altconn.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/altconn_netlink.h>

/* Ops table for altconn */
static const struct genl_split_ops altconn_nl_ops[] = {
	{
		.cmd	= ALTCONN_CMD_FAMILY_GET,
		.doit	= altconn_nl_family_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= ALTCONN_CMD_ASSOC_GET,
		.start	= altconn_nl_assoc_get_start,
		.dumpit	= altconn_nl_assoc_get_dumpit,
		.done	= altconn_nl_assoc_get_done,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= ALTCONN_CMD_SOCKET_GET,
		.start	= altconn_nl_socket_get_start,
		.dumpit	= altconn_nl_socket_get_dumpit,
		.done	= altconn_nl_socket_get_done,
		.flags	= GENL_CMD_CAP_DUMP,
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
