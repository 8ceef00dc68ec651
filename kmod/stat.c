// SPDX-License-Identifier: GPL-2.0
/* This file allocates and frees the counters of a network namespace. */

#include "netlink_gen.h"
#include "netns.h"
#include "stat.h"

/**
 * altconn_stat_init() - allocate the counters of a namespace
 * @an: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int altconn_stat_init(struct altconn_net *an)
{
	an->stat = alloc_percpu(struct altconn_stat);
	return an->stat ? 0 : -ENOMEM;
}

/**
 * altconn_stat_exit() - free the counters of a namespace
 * @an: the namespace
 *
 * Context: process, may sleep.
 */
void altconn_stat_exit(struct altconn_net *an)
{
	free_percpu(an->stat);
}
