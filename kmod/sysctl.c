// SPDX-License-Identifier: GPL-2.0
/*
 * This file registers the sysctls net.altconn.*. Each network namespace has its
 * own values (struct altconn_net).
 */

#include <linux/slab.h>
#include <linux/sysctl.h>
#include "netns.h"
#include "sysctl.h"

/*
 * The template stores in .data the offset of a value in struct altconn_net.
 * altconn_sysctl_register() replaces it by the address.
 */
#define SYSCTL_FIELD(field)	((void *)offsetof(struct altconn_net, field))

/* The template of each namespace's table. */
static const struct ctl_table sysctl_template[] = {
	{
		.procname	= "connect_timeout_ms",
		.data		= SYSCTL_FIELD(connect_timeout_ms),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "ephemeral_port_min",
		.data		= SYSCTL_FIELD(port_min),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= SYSCTL_ONE,
	},
	{
		.procname	= "ephemeral_port_max",
		.data		= SYSCTL_FIELD(port_max),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= SYSCTL_ONE,
	},
	{
		.procname	= "max_waiting",
		.data		= SYSCTL_FIELD(max_waiting),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "max_associations",
		.data		= SYSCTL_FIELD(max_associations),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "dgram_block_ms",
		.data		= SYSCTL_FIELD(dgram_block_ms),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec,
	},
	{
		.procname	= "busy_poll_us",
		.data		= SYSCTL_FIELD(busy_poll_us),
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra2		= SYSCTL_ONE_THOUSAND,
	},
};

/**
 * altconn_sysctl_register() - set default values and register the sysctls
 * @net: the namespace, with a zeroed struct altconn_net
 *
 * The default value of dgram_block_ms is 0.
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
	 * Ephemeral ports do not collide with the 16-bit numbers of well-known
	 * services, and there are more of them than sockets.
	 */
	an->port_min = 65536;
	an->port_max = INT_MAX;
	an->max_waiting = 65536;
	an->max_associations = 1 << 20;
	an->busy_poll_us = 100;

	/* Older kernels find the end of the table by a zeroed entry. */
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
 * altconn_sysctl_unregister() - unregister the sysctls and free their table
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
