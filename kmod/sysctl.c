// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the sysctls net.altconn.*. Each network namespace has its own
 * values.
 */

#include <linux/slab.h>
#include <linux/sysctl.h>
#include "netns.h"
#include "sysctl.h"

/*
 * Here .data is an offset into struct altconn_net. The copy of a namespace has
 * an address there.
 */
static const struct ctl_table sysctl_template[] = {
	{
		.procname	= "connect_timeout_ms",
		.data		= (void *)offsetof(struct altconn_net, connect_timeout_ms),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "ephemeral_port_min",
		.data		= (void *)offsetof(struct altconn_net, port_min),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= SYSCTL_ONE,
	},
	{
		.procname	= "ephemeral_port_max",
		.data		= (void *)offsetof(struct altconn_net, port_max),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= SYSCTL_ONE,
	},
	{
		.procname	= "max_waiting",
		.data		= (void *)offsetof(struct altconn_net, max_waiting),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "max_associations",
		.data		= (void *)offsetof(struct altconn_net, max_associations),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "dgram_block_ms",
		.data		= (void *)offsetof(struct altconn_net, dgram_block_ms),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "busy_poll_us",
		.data		= (void *)offsetof(struct altconn_net, busy_poll_us),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra2		= SYSCTL_ONE_THOUSAND,
	},
};

/**
 * altconn_sysctl_register() - set and register the sysctls of a namespace
 * @net: the namespace; its struct altconn_net is zeroed
 *
 * Each sysctl gets its default value.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int altconn_sysctl_register(struct net *net)
{
	struct altconn_net *an = altconn_pernet(net);
	struct ctl_table *table;
	size_t i;

	an->connect_timeout_ms = 30000;
	/*
	 * The range of ephemeral ports lies above the ports of services, and is
	 * too large to be used up.
	 */
	an->port_min = 65536;
	an->port_max = INT_MAX;
	an->max_waiting = 65536;
	an->max_associations = 1 << 20;
	an->busy_poll_us = 100;

	/* Older kernels need a zeroed entry at the end of the table. */
	table = kcalloc(ARRAY_SIZE(sysctl_template) + 1, sizeof(*table),
			GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	memcpy(table, sysctl_template, sizeof(sysctl_template));
	for (i = 0; i < ARRAY_SIZE(sysctl_template); i++)
		table[i].data = (char *)an + (unsigned long)table[i].data;

	an->sysctl_header = register_net_sysctl_sz(net, "net/altconn", table,
						   ARRAY_SIZE(sysctl_template));
	if (!an->sysctl_header) {
		kfree(table);
		return -ENOMEM;
	}
	an->sysctl_table = table;
	return 0;
}

/**
 * altconn_sysctl_unregister() - undo altconn_sysctl_register()
 * @net: the namespace
 *
 * Context: process, may sleep.
 */
void altconn_sysctl_unregister(struct net *net)
{
	struct altconn_net *an = altconn_pernet(net);

	unregister_net_sysctl_table(an->sysctl_header);
	kfree(an->sysctl_table);
}
