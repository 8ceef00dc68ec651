/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header has plain structs for the objects that the module reports over
 * netlink, and functions that read messages into the structs.
 */
#ifndef ALTCONN_TOOL_RECORD_H
#define ALTCONN_TOOL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#include "lib/addr.h"

#define RECORD_TEXT_MAX	64

/**
 * struct end - one end of an association, or the owner of a socket
 * @known: bit n is set if the message had attribute n of the end
 * @addr: address of the end
 * @format: address format of the socket: the protocol argument of socket()
 * @pid: process of the end
 * @uid: user of the process
 * @recv_queue: bytes that the end has not read yet
 * @inode: inode number of the socket
 * @comm: command name of the process
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
 * @known: bit n is set if the message had attribute n of the association
 * @id: id of the association, never used twice while the module is loaded
 * @listener: id of the listener, 0 for a socketpair
 * @age_ms: time since connect(), ms
 * @begun_ns: time of connect() or socketpair(), ns of CLOCK_MONOTONIC
 * @waited_ms: time that the attempt has waited, until now or its decision, ms
 * @type: SOCK_STREAM or SOCK_SEQPACKET
 * @state: enum altconn_assoc_state
 * @position: position of the attempt in the queue of attempts that wait at the
 *	address, 1 for the next one; 0 if the attempt does not wait there
 * @rule: id of the rule that parked the attempt
 * @client: the end that called connect()
 * @server: the end that accept() returns
 */
struct assoc {
	uint32_t known;
	uint64_t id;
	uint64_t listener;
	uint64_t age_ms;
	uint64_t begun_ns;
	uint64_t waited_ms;
	uint32_t type;
	uint32_t state;
	uint32_t position;
	uint32_t rule;
	struct end client;
	struct end server;
};

/*
 * More counters of a list than the module sends today. Further counters of a
 * newer module are skipped.
 */
#define STAT_PARTS_MAX	64
/*
 * A struct sock has space for fewer outcomes, since few of them occur at a
 * listener and there may be a hundred thousand sockets.
 */
#define SOCK_OUTCOMES_MAX	16

/**
 * struct stat_part - one counter of a list
 * @key: what is counted: an enum altconn_reason; in a histogram, durations by
 *	the number of bits of their nanoseconds; or a uid
 * @count: the count
 */
struct stat_part {
	uint32_t key;
	uint64_t count;
};

/**
 * struct sock - a listener or a datagram socket
 * @known: bit n is set if the message had attribute n of the socket
 * @id: id of the socket, never used twice while the module is loaded
 * @begun_ns: time at which a listener began to listen, or at which a datagram
 *	socket was first bound or connected, ns of CLOCK_MONOTONIC
 * @type: socket type, SOCK_*
 * @listening: the socket is a listener
 * @backlog: argument of listen()
 * @queued: number of established associations that accept() has not returned
 * @waiting: number of attempts that wait for space in the accept queue
 * @established: number of associations established since listen()
 * @refused: number of attempts refused since listen()
 * @overflow: number of attempts refused since listen() because the backlog or
 *	the waiting room was full
 * @timed_out: number of attempts that have failed at their deadline since
 *	listen()
 * @waited: number of attempts that had to wait since listen()
 * @n: number of members of @outcome
 * @outcome: number of attempts that have ended since listen(), by reason
 * @reachable: other nodes can reach the address of the socket
 * @file: path of the socket file, or NULL; record_read_sock() sets a pointer
 *	into the message
 * @owner: address and process of the socket
 * @peer: address that a datagram socket is connected to
 */
struct sock {
	uint32_t known;
	uint64_t id;
	uint64_t begun_ns;
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
/* The attributes of a rule never take more bytes in a message. */
#define RULE_MESSAGE_MAX	1024

/**
 * struct rule - a rule that decides on attempts and datagrams
 * @known: bit n is set if the message had attribute n of the rule, or is to get
 *	it
 * @id: id of the rule, in its network namespace
 * @priority: rules with a lower priority are evaluated first
 * @type: socket type that the rule matches, SOCK_*
 * @kind: kind of the destination, enum altconn_kind
 * @node: node of the destination
 * @port_min: first port of the destination
 * @port_max: last port of the destination
 * @ip_len: length of @ip, 16
 * @ip: IP address of the destination; an IPv4 address is v4-mapped
 * @prefix_len: number of bits of @ip that are compared
 * @pattern_len: number of bytes of @pattern
 * @pattern: pattern for the name or path of the destination
 * @uid: effective uid of the caller
 * @gid: effective gid of the caller
 * @verdict: enum altconn_verdict
 * @delay_ms: time of the verdict delay, ms
 * @jitter_ms: largest random time that is added to @delay_ms, ms
 * @times: the rule decides this many times, then never again
 * @every: the rule decides on every Nth match
 * @probability: probability that the rule decides on a match, in millionths
 * @left: remaining number of @times
 * @hits: number of times that the rule has decided
 * @idle_ms: time since the rule decided last, ms
 * @line: number of the line in the file that the rule was read from
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
 * @known: bit n is set if the message had attribute n of the node
 * @id: id of the node in addresses
 * @n_ips: number of IP addresses
 * @ip: IP addresses of the node; an IPv4 address is v4-mapped
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
 * struct histogram - durations of one sort
 * @sum_ns: sum of all durations, ns
 * @n: number of members of @part
 * @part: number of durations, by the number of bits of their nanoseconds; parts
 *	that are empty are left out
 */
struct histogram {
	uint64_t sum_ns;
	size_t n;
	struct stat_part part[STAT_PARTS_MAX];
};

/**
 * struct counters - counters of a network namespace
 * @n: number of members of @outcome
 * @outcome: number of attempts that have ended, and of connect() calls that
 *	began none, by reason
 * @waited: number of attempts that were not decided at once
 * @accepted: number of associations that accept() has returned
 * @latency: time from connect() until the attempt was established
 * @accept_queue: time from the establishment until accept()
 * @user: number of associations by uid: in the first list, associations that
 *	began in this namespace; in the second, associations from other
 *	namespaces; in the third, associations in all namespaces that users
 *	have created
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
 * struct event - an event
 * @known: bit n is set if the message had attribute n of the event
 * @kind: enum altconn_event_kind
 * @seq: number of the event, one more than the number of the event before
 * @time_ns: time of the event, nanoseconds since 1970
 * @assoc: id of the association, or 0
 * @type: socket type, SOCK_*; 0 for an event of the whole namespace
 * @client: the end that connects
 * @server: the other end
 * @error: enum altconn_error, the error of an attempt that has failed
 * @reason: enum altconn_reason
 * @position: position of the attempt in the queue of attempts that wait at the
 *	address, 1 for the next one; 0 if the attempt does not wait there
 * @waited_ns: time from connect() to the decision of the attempt, ns
 * @end: the end that has closed, 0 for the client, 1 for the server
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
	uint32_t position;
	uint64_t waited_ns;
	uint32_t end;
};

/**
 * struct family - the module and the totals of the network namespace
 * @number: number of the socket family, for socket()
 * @version: version of the module
 * @assocs: number of associations that began in this namespace
 * @inbound: number of associations from other namespaces
 * @sockets: number of listeners and datagram sockets in this namespace
 * @node: id that this namespace has given itself as a node, or 0
 */
struct family {
	uint32_t number;
	char version[RECORD_TEXT_MAX];
	uint64_t assocs;
	uint64_t inbound;
	uint64_t sockets;
	uint32_t node;
};

bool record_has(uint32_t known, unsigned int attr);
int record_read_assoc(const struct nlmsghdr *nlh, struct assoc *assoc);
int record_read_sock(const struct nlmsghdr *nlh, struct sock *sock);
int record_read_rule(const struct nlmsghdr *nlh, struct rule *rule);
int record_read_node(const struct nlmsghdr *nlh, struct node *node);
int record_read_counters(const struct nlmsghdr *nlh, struct counters *counters);
int record_read_event(const struct nlmsghdr *nlh, struct event *event);
int record_read_family(const struct nlmsghdr *nlh, struct family *family);
int record_get_family(struct family *family);

uint32_t record_type_value(uint32_t type);
void record_write_rule(struct nlmsghdr *nlh, const struct rule *rule);
void record_write_addr(struct nlmsghdr *nlh, uint16_t attr,
		       const struct addr *addr);

bool record_sock_is_connected(const struct sock *s);
const char *record_state_name(uint32_t state);
bool record_state_number(const char *name, uint32_t *state);
const char *record_type_name(uint32_t type);
uint32_t record_type_number(const char *name);

#endif /* ALTCONN_TOOL_RECORD_H */
