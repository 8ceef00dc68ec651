/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes hold sockets of the family, and a struct held describes one socket.
 */
#ifndef ALTCONN_TOOL_HELD_H
#define ALTCONN_TOOL_HELD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/addr.h"

/**
 * struct held - a socket that a process has
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
struct held {
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

int held_read(pid_t pid, int fd, int family, struct held *held);
int held_walk(pid_t pid, int family,
	      int (*take)(const struct held *held, void *data), void *data);
unsigned int held_holders(int family,
			  void (*take)(const struct holder *holder, void *data),
			  void *data, unsigned int *hidden);
long held_references(void);

#endif /* ALTCONN_TOOL_HELD_H */
