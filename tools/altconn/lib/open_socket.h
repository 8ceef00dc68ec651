/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An open socket is a socket of the family for which a process has a
 * descriptor.
 */
#ifndef ALTCONN_TOOL_OPEN_SOCKET_H
#define ALTCONN_TOOL_OPEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/addr.h"

/**
 * struct open_socket - a socket that a process has open
 * @pid: the process
 * @fd: descriptor of the socket in the process
 * @comm: command name of the process, escaped
 * @type: socket type, SOCK_*
 * @format: address format: the protocol argument of socket()
 * @listens: the socket listens
 * @connected: the socket has a peer
 * @own: address of the socket
 * @peer: address of the peer
 * @info: result of the socket's last attempt
 */
struct open_socket {
	pid_t pid;
	int fd;
	char comm[80];
	int type, format;
	bool listens, connected;
	struct addr own, peer;
	struct altconn_connect_info info;
};

/**
 * struct holder - a process that has sockets of the family
 * @pid: the process
 * @comm: command name of the process, escaped
 * @sockets: number of its sockets of the family
 */
struct holder {
	pid_t pid;
	char comm[80];
	unsigned int sockets;
};

int open_socket_read(pid_t pid, int fd, int family, struct open_socket *s);
int open_socket_walk(pid_t pid, int family,
		     int (*fn)(const struct open_socket *s, void *data),
		     void *data);
unsigned int open_socket_walk_holders(int family,
				      void (*fn)(const struct holder *holder,
						 void *data),
				      void *data, unsigned int *hidden);
long open_socket_references(void);

#endif /* ALTCONN_TOOL_OPEN_SOCKET_H */
