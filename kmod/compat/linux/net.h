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

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#include <linux/bvec.h>
#include <linux/socket.h>
#include <linux/uio.h>

#ifndef MSG_SPLICE_PAGES
#define MSG_SPLICE_PAGES	0x8000000
#endif

/*
 * Before Linux 6.5 sendfile() and splice() call an operation of their own, with
 * one page in each call. MSG_SENDPAGE_NOTLAST means that further pages follow.
 */
#define DEFINE_PROTO_SENDPAGE(sendmsg)					\
static ssize_t compat_##sendmsg##_page(struct socket *sock,		\
				       struct page *page, int offset,	\
				       size_t size, int flags)		\
{									\
	struct bio_vec bvec = {						\
		.bv_page = page, .bv_offset = offset, .bv_len = size,	\
	};								\
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };	\
									\
	if (flags & MSG_SENDPAGE_NOTLAST)				\
		msg.msg_flags |= MSG_MORE;				\
	iov_iter_bvec(&msg.msg_iter, WRITE, &bvec, 1, size);		\
	return sendmsg(sock, &msg, size);				\
}

#define PROTO_SENDPAGE(sendmsg)	.sendpage = compat_##sendmsg##_page,
#else
#define DEFINE_PROTO_SENDPAGE(sendmsg)
#define PROTO_SENDPAGE(sendmsg)
#endif

#endif
