/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_NET_H
#define _ALTCONN_COMPAT_NET_H
#include_next <linux/net.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define sockaddr_unsized	sockaddr
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
struct proto_accept_arg {
	int	flags;
	int	err;
	int	is_empty;
	bool	kern;
};

/* In older kernels the accept operation has an argument for each field. */
#define DEFINE_PROTO_ACCEPT(accept)					\
static int compat_##accept(struct socket *sock, struct socket *newsock,	\
			   int flags, bool kern)			\
{									\
	struct proto_accept_arg arg = { .flags = flags, .kern = kern };	\
									\
	return accept(sock, newsock, &arg);				\
}

#define PROTO_ACCEPT(accept)	compat_##accept
#else
#define DEFINE_PROTO_ACCEPT(accept)
#define PROTO_ACCEPT(accept)	accept
#endif

#endif
