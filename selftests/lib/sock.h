/* SPDX-License-Identifier: GPL-2.0 */
/* These functions make sockets and call system calls on them. */
#ifndef _ALTCONN_TEST_SOCK_H
#define _ALTCONN_TEST_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "addr.h"

int at_socket(enum at_format format, int type);
int at_socketpair(enum at_format format, int type, int sv[2]);
const char *at_type_name(int type);
/* Return 0 if @ret is not negative, else the errno. */
int at_err(long ret);
/* Close @fd and keep errno. Return -1. */
int at_close_failed(int fd);
void at_close(int *fds, int n);

int at_bind(int fd, const struct at_addr *a);
int at_connect(int fd, const struct at_addr *a);
int at_connect_unspec(int fd);
int at_getsockname(int fd, struct at_addr *a);
int at_getpeername(int fd, struct at_addr *a);
/* Bind a new socket to a new address. at_listener() also makes it listen. */
int at_bound(struct at_addr *a, enum at_format format, enum at_kind kind,
	     int type);
int at_listener(struct at_addr *a, enum at_format format, enum at_kind kind,
		int type, int backlog);
/*
 * Make a new socket listen at @a. With @share, other listeners may have the
 * same address. Return the socket, or -1 with errno.
 */
int at_listen_shared(enum at_format format, int type, const struct at_addr *a,
		     bool share, int backlog);
/* Connect a new socket. Return the socket; @err is the errno of connect(). */
int at_client(enum at_format format, int type, const struct at_addr *a,
	      int *err);
/* Connect @n clients, which become established before accept(). */
int at_fill(enum at_format format, int type, const struct at_addr *a, int *fds,
	    int n);
/* Connect and accept: sv[0] is the client, sv[1] the server. */
int at_pair(enum at_format format, enum at_kind kind, int type, int sv[2]);
/*
 * Bind @n datagram sockets to one port in this process's namespace. The
 * broadcast address of the port goes into @to.
 */
int at_bind_receivers(struct at_addr *to, int *fds, int n);

/* Maximum size of the data of a control message, in bytes */
#define AT_CONTROL_MOST	2048
/* Send data with a control message of SOL_SOCKET, or none if @size is 0. */
ssize_t at_send_with(int fd, const void *data, size_t len, int type,
		     const void *control, size_t size, int flags);
/*
 * Send or receive one byte without waiting. @to is NULL if the socket has a
 * peer. at_send_byte() returns 0 or the errno. at_recv_byte() returns the byte,
 * -errno, or 0 for an empty datagram and at the end of file.
 */
int at_send_byte(int fd, const struct at_addr *to, char c);
int at_recv_byte(int fd);
/*
 * Send pieces of @piece bytes, at most 65536, until the next one would block or
 * fails. Return the sum of bytes.
 */
long at_fill_buffer(int fd, size_t piece);
/* Transfer all @len bytes. Return -1 on an error or at the end of file. */
int at_send_all(int fd, const void *buf, size_t len);
int at_recv_all(int fd, void *buf, size_t len);

#endif /* _ALTCONN_TEST_SOCK_H */
