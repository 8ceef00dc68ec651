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
 * @format: protocol argument of its socket() call
 * @pid: its process
 * @uid: that process's user
 * @recv_queue: bytes that it has not read yet
 * @inode: of its socket
 * @comm: command of its process
 */
struct end {
	uint32_t known;
	struct addr addr;
	uint32_t format;
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
 * @place: in the queue of waiting attempts, 1 is next; 0: in none
 * @rule: id of the rule that holds it or held it
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
	uint32_t rule;
	struct end client;
	struct end server;
};

/* More than there are; what a newer module has beyond is passed over. */
#define STAT_PARTS_MAX	64
/* Of these a listener can have few, and there may be a hundred thousand sockets. */
#define SOCK_OUTCOMES_MAX	16

/**
 * struct stat_part - attempts of one reason, or what took so long
 * @key: enum altconn_reason, or how many bits the nanoseconds have
 * @count: how many
 */
struct stat_part {
	uint32_t key;
	uint64_t count;
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
 * @overflow: of these, for want of room
 * @timed_out: attempts whose deadline passed since then
 * @waited: attempts that had to wait since then
 * @n: how many outcomes
 * @outcome: attempts by reason, since then
 * @reachable: from other nodes
 * @file: the path of the socket file, or NULL; sock_read() leaves it in the message
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
	uint64_t overflow;
	uint64_t timed_out;
	uint64_t waited;
	size_t n;
	struct stat_part outcome[SOCK_OUTCOMES_MAX];
	bool reachable;
	const char *file;
	struct end owner;
	struct addr peer;
};

#define RULE_PATTERN_MAX	255
/* All of its attributes take no more. */
#define RULE_MESSAGE_MAX	1024

/**
 * struct rule - what is done with attempts and datagrams
 * @known: bit n is set when attribute n was there, or is to be written
 * @id: in its namespace
 * @priority: lower ones are asked first
 * @type: SOCK_*
 * @kind: of the destination
 * @node: its node
 * @port_min: its first port
 * @port_max: its last
 * @ip_len: 16
 * @ip: its IP address, IPv4 as v4-mapped
 * @prefix_len: how many bits of @ip count
 * @pattern_len: bytes
 * @pattern: of names and paths
 * @uid: of the caller
 * @gid: likewise
 * @verdict: enum altconn_verdict
 * @delay_ms: of a delay
 * @jitter_ms: up to so many more
 * @times: decides so often
 * @every: at every so manieth match
 * @probability: in millionths
 * @left: of @times
 * @hits: how often it decided
 * @idle_ms: since it last did
 * @line: of a file that it was read from
 */
struct rule {
	uint32_t known;
	uint32_t id;
	uint32_t priority;
	uint32_t type;
	uint32_t kind;
	uint32_t node;
	uint32_t port_min;
	uint32_t port_max;
	size_t ip_len;
	unsigned char ip[16];
	uint32_t prefix_len;
	size_t pattern_len;
	unsigned char pattern[RULE_PATTERN_MAX];
	uint32_t uid;
	uint32_t gid;
	uint32_t verdict;
	uint32_t delay_ms;
	uint32_t jitter_ms;
	uint32_t times;
	uint32_t every;
	uint32_t probability;
	uint32_t left;
	uint64_t hits;
	uint64_t idle_ms;
	unsigned int line;
};

/**
 * struct node - another network namespace
 * @known: bit n is set when attribute n was there
 * @id: in addresses
 * @n_ips: how many
 * @ip: its IP addresses, IPv4 as v4-mapped
 * @state: enum altconn_node_state
 * @netns: inode number of the namespace
 */
struct node {
	uint32_t known;
	uint32_t id;
	size_t n_ips;
	unsigned char ip[2][16];
	uint32_t state;
	uint64_t netns;
};

/**
 * struct histogram - how long something took
 * @sum_ns: all together
 * @n: how many parts
 * @part: by bits
 */
struct histogram {
	uint64_t sum_ns;
	size_t n;
	struct stat_part part[STAT_PARTS_MAX];
};

/**
 * struct counters - what a namespace has counted
 * @n: how many outcomes
 * @outcome: attempts by reason
 * @waited: attempts that were not decided at once
 * @accepted: by accept()
 * @latency: of connections, until they were established
 * @accept_queue: and then until they were accepted
 * @user: associations by user: of this namespace, from other ones, and in
 *	namespaces that users made
 */
struct counters {
	size_t n;
	struct stat_part outcome[STAT_PARTS_MAX];
	uint64_t waited;
	uint64_t accepted;
	struct histogram latency;
	struct histogram accept_queue;
	struct {
		size_t n;
		struct stat_part part[STAT_PARTS_MAX];
	} user[3];
};

/**
 * struct event - something that has happened
 * @known: bit n is set when attribute n was there
 * @kind: enum altconn_event_kind
 * @seq: one more than that of the event before
 * @time_ns: since 1970
 * @assoc: id of the association, or 0
 * @type: SOCK_*
 * @client: the end that connects
 * @server: the other end
 * @error: enum altconn_error
 * @reason: enum altconn_reason
 * @place: in the queue
 * @waited_ns: how long it waited
 * @end: which has closed
 */
struct event {
	uint32_t known;
	uint32_t kind;
	uint64_t seq;
	uint64_t time_ns;
	uint64_t assoc;
	uint32_t type;
	struct end client;
	struct end server;
	uint32_t error;
	uint32_t reason;
	uint32_t place;
	uint64_t waited_ns;
	uint32_t end;
};

/**
 * struct family - the module itself
 * @number: of the family, for socket()
 * @version: of the module
 * @assocs: associations that began in this namespace
 * @inbound: those that came from others
 * @sockets: listeners and datagram sockets in it
 * @node: what the namespace calls itself, 0: nothing
 */
struct family {
	uint32_t number;
	char version[RECORD_TEXT_MAX];
	uint64_t assocs;
	uint64_t inbound;
	uint64_t sockets;
	uint32_t node;
};

static inline bool record_has(uint32_t known, unsigned int attr)
{
	return known & (1U << attr);
}

uint32_t record_type(uint32_t type);
int assoc_read(const struct nlmsghdr *nlh, struct assoc *assoc);
int sock_read(const struct nlmsghdr *nlh, struct sock *sock);
int rule_read(const struct nlmsghdr *nlh, struct rule *rule);
void rule_write(struct nlmsghdr *nlh, const struct rule *rule);
void addr_write(struct nlmsghdr *nlh, uint16_t attr, const struct addr *addr);
int node_read(const struct nlmsghdr *nlh, struct node *node);
int counters_read(const struct nlmsghdr *nlh, struct counters *counters);
int event_read(const struct nlmsghdr *nlh, struct event *event);
int family_read(const struct nlmsghdr *nlh, struct family *family);

int family_ask(struct family *family);

#endif /* ALTCONN_TOOL_RECORD_H */
