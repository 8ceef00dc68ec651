/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module tells, out of netlink and into plain structs.
 */
#ifndef ALTCONN_TOOL_RECORD_H
#define ALTCONN_TOOL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "addr.h"

#define RECORD_TEXT_MAX	64

/**
 * struct end - one end of an association, or the owner of a socket
 * @known: bit n is set when attribute n was there
 * @addr: its address
 * @dress: protocol argument of its socket() call
 * @pid: its process
 * @uid: that process's user
 * @recv_queue: bytes that it has not read yet
 * @inode: of its socket
 * @comm: command of its process
 */
struct end {
	uint32_t known;
	struct addr addr;
	uint32_t dress;
	uint32_t pid;
	uint32_t uid;
	uint32_t recv_queue;
	uint64_t inode;
	char comm[RECORD_TEXT_MAX];
};

/**
 * struct assoc - an association, from the attempt to the last close
 * @known: bit n is set when attribute n was there
 * @id: never reused
 * @listener: id of its listener, 0 for a socketpair
 * @age_ms: since connect()
 * @waited_ms: how long the attempt waited, or has waited so far
 * @type: SOCK_STREAM or SOCK_SEQPACKET
 * @state: enum altconn_assoc_state
 * @place: in the queue of waiting attempts, 1 is next
 * @client: the end that called connect()
 * @server: the end that accept() returns
 */
struct assoc {
	uint32_t known;
	uint64_t id;
	uint64_t listener;
	uint64_t age_ms;
	uint64_t waited_ms;
	uint32_t type;
	uint32_t state;
	uint32_t place;
	struct end client;
	struct end server;
};

/**
 * struct sock - a listener or a datagram socket
 * @known: bit n is set when attribute n was there
 * @id: never reused
 * @type: SOCK_*
 * @listening: a listener
 * @backlog: argument of listen()
 * @queued: associations that accept() has not taken
 * @waiting: attempts that wait for room
 * @established: associations made since listen()
 * @refused: attempts refused since then
 * @timed_out: attempts whose deadline passed since then
 * @waited: attempts that had to wait since then
 * @owner: address and process
 * @peer: what a datagram socket is connected to
 */
struct sock {
	uint32_t known;
	uint64_t id;
	uint32_t type;
	bool listening;
	uint32_t backlog;
	uint32_t queued;
	uint32_t waiting;
	uint64_t established;
	uint64_t refused;
	uint64_t timed_out;
	uint64_t waited;
	struct end owner;
	struct addr peer;
};

/**
 * struct family - the module itself
 * @number: of the family, for socket()
 * @version: of the module
 * @assocs: associations in this namespace
 * @sockets: listeners and datagram sockets in it
 */
struct family {
	uint32_t number;
	char version[RECORD_TEXT_MAX];
	uint64_t assocs;
	uint64_t sockets;
};

static inline bool record_has(uint32_t known, unsigned int attr)
{
	return known & (1U << attr);
}

int assoc_read(const struct nlmsghdr *nlh, struct assoc *assoc);
int sock_read(const struct nlmsghdr *nlh, struct sock *sock);
int family_read(const struct nlmsghdr *nlh, struct family *family);

int family_ask(struct family *family);

#endif /* ALTCONN_TOOL_RECORD_H */
