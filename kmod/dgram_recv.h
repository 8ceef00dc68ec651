/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_DGRAM_RECV_H
#define _ALTCONN_DGRAM_RECV_H

#include "altconn.h"

int altconn_dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			  int flags);

#endif /* _ALTCONN_DGRAM_RECV_H */
