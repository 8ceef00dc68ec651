/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sockets of the family in other processes.
 */
#ifndef ALTCONN_TOOL_PROCESS_H
#define ALTCONN_TOOL_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "addr.h"

/**
 * struct held - a socket that a process has
 * @pid: the process
 * @fd: its descriptor there
 * @comm: what it runs, escaped
 * @type: SOCK_*
 * @format: the protocol argument of socket()
 * @listens: it listens
 * @connected: it has a peer
 * @own: its address
 * @peer: and that of the other end
 * @info: what became of its last attempt
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
 * @comm: what it runs, escaped
 * @sockets: how many
 */
struct holder {
	pid_t pid;
	char comm[80];
	unsigned int sockets;
};

int held_look(pid_t pid, int fd, int family, struct held *held);
int held_each(pid_t pid, int family,
	      int (*take)(const struct held *held, void *data), void *data);
unsigned int held_by_whom(int family,
			  void (*take)(const struct holder *holder, void *data),
			  void *data, unsigned int *hidden);
long held_references(void);

#endif /* ALTCONN_TOOL_PROCESS_H */
