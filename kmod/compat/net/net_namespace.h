/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_NET_NAMESPACE_H
#define _ALTCONN_COMPAT_NET_NAMESPACE_H
#include_next <net/net_namespace.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
/* Older kernels find the end of the table by a zeroed entry. */
#define register_net_sysctl_sz(net, path, table, size)	\
	register_net_sysctl(net, path, table)
#endif

#endif
