/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_BIND_H
#define _ALTCONN_BIND_H

#include "altconn.h"

int altconn_bind(struct socket *sock, struct sockaddr_unsized *uaddr, int len);

#endif /* _ALTCONN_BIND_H */
