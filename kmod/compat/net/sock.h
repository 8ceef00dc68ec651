/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_SOCK_H
#define _ALTCONN_COMPAT_SOCK_H
#include_next <net/sock.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define sk_uid(sk)	sock_i_uid((struct sock *)(sk))
#endif

#endif
