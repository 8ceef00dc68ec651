/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * altconn: a local socket family whose connect() does what connect(2) says.
 * What a program includes to use it. What connect() does stands in
 * Documentation/connect-semantics.rst.
 */
#ifndef _UAPI_LINUX_ALTCONN_H
#define _UAPI_LINUX_ALTCONN_H

#include <linux/types.h>
#include <linux/socket.h>
#include <linux/altconn_netlink.h>

/*
 * The family borrows a number that Linux never implemented. This is the
 * default; the module's parameter family= changes it, and the generic netlink
 * family "altconn" tells which one is in force.
 */
#define AF_ALTCONN	18
#define PF_ALTCONN	AF_ALTCONN

/* Level of the socket options below; no other level uses this number. */
#define SOL_ALTCONN	16707

/*
 * The protocol argument of socket() is the address format: how this socket
 * writes addresses, in every call that takes or gives one.
 */
#define ALTCONN_NATIVE	0	/* struct sockaddr_altconn */
#define ALTCONN_UNIX	1	/* struct sockaddr_un, AF_UNIX */
#define ALTCONN_INET	2	/* struct sockaddr_in, AF_INET */
#define ALTCONN_INET6	3	/* struct sockaddr_in6, AF_INET6 */

#define ALTCONN_NODE_SELF	0U		/* this network namespace */
#define ALTCONN_NODE_BROADCAST	0xffffffffU	/* ports only */

#define ALTCONN_NAME_MAX	107	/* bytes of a name */
#define ALTCONN_PATH_MAX	108	/* bytes of a path, without a NUL */

/* Flags of an address in the native format. */
#define ALTCONN_PATH_FD	1	/* kind PATH: a descriptor leads to the file */

/**
 * struct altconn_inet - an IP address and port in the native format
 * @port: 0 to 65535, in the host's byte order
 * @scope: interface index of a link-local IPv6 address, else zero
 * @addr: 16 bytes in network order; IPv4 is v4-mapped, ::ffff:a.b.c.d
 */
struct altconn_inet {
	__u32	port;
	__u32	scope;
	__u8	addr[16];
};

/**
 * struct sockaddr_altconn - an address in the native format
 * @sac_family: AF_ALTCONN (the number in force)
 * @sac_kind: enum altconn_kind: PORT, NAME, INET or PATH
 * @sac_flags: zero, or with PATH ALTCONN_PATH_FD
 * @sac_node: ALTCONN_NODE_SELF, or another node's id; zero with INET and PATH
 * @sac_fd: with ALTCONN_PATH_FD, in the place of @sac_node: a descriptor of the
 *	calling process, of any kind of open(2), O_PATH included
 * @sac_len: how many bytes of @sac_name or @sac_path count; zero with PORT and
 *	INET
 * @sac_pad: must be zero
 * @sac_port: with PORT; 0 asks bind() for an ephemeral port
 * @sac_name: with NAME: any bytes, no terminator
 * @sac_path: with PATH: no NUL inside and none needed at the end
 * @sac_inet: with INET
 *
 * The length of an address is always sizeof(struct sockaddr_altconn). Every
 * byte that the kind does not use must be zero. Port kind, node 0, port 0 is
 * the null address. An unnamed socket's address has length 2, the family.
 *
 * ALTCONN_PATH_FD serves paths that are longer than @sac_path. connect(2) and the
 * calls that send take the descriptor of the socket file itself, with an empty
 * path. bind(2) takes the descriptor of a directory, and a path that is looked up
 * from there as openat(2) does: an absolute one does not look at the descriptor.
 * The descriptor is used in the call alone. Addresses that the kernel returns have
 * no flag: they tell the path as it was given to bind(2).
 */
struct sockaddr_altconn {
	__kernel_sa_family_t	sac_family;
	__u8			sac_kind;
	__u8			sac_flags;
	union {
		__u32		sac_node;
		__s32		sac_fd;
	};
	__u16			sac_len;
	__u16			sac_pad;
	union {
		__u32		sac_port;
		char		sac_name[ALTCONN_PATH_MAX];
		char		sac_path[ALTCONN_PATH_MAX];
		struct altconn_inet sac_inet;
	};
};

/*
 * Socket options, level SOL_ALTCONN. Less room than the type needs fails with
 * EINVAL when it sets, and gets as much as fits. More room is taken when it sets,
 * up to a page: what is behind the type must be zero, else E2BIG. Options that are
 * non-zero or not take 0 and 1, else EINVAL.
 *
 * ALTCONN_CONNECT_TIMEOUT, get and set, __u64: how long an attempt may take,
 *	in milliseconds, counted from connect(). 0, and anything longer than
 *	ALTCONN_TIMEOUT_MAX (a week): no limit.
 *	ALTCONN_TIMEOUT_DEFAULT: what net.altconn.connect_timeout_ms says when
 *	connect() is called. Counts for attempts that begin afterwards.
 * ALTCONN_CONNECT_INFO, get, struct altconn_connect_info: what became of
 *	the socket's last attempt, or why connect() began none; of a connection, how
 *	it came to be.
 * ALTCONN_BACKLOG_POLICY, get and set, __u32: what a listener does with an
 *	attempt that meets a full backlog: ALTCONN_POLICY_QUEUE, the default, or
 *	ALTCONN_POLICY_FAIL_FAST. Counts for attempts that come afterwards.
 * ALTCONN_DEFER_ACCEPT, get and set, __u32: non-zero: an attempt is established
 *	when accept() takes it, not before. It waits until then, and the backlog
 *	bounds nothing but what a fail-fast listener lets wait. Set to zero, as
 *	many as the backlog holds are established at once.
 * ALTCONN_REFUSE, set, __u32: refuse that many of the attempts that wait on this
 *	listener, the first ones; they fail with ECONNREFUSED. Those that are
 *	established already stay. Fewer may wait.
 * ALTCONN_WAIT_LISTENER, get and set, __u32: non-zero: connect() to a port, name
 *	or IP address where nothing listens waits, until its deadline, for a
 *	listener to appear. Counts for attempts that begin afterwards.
 * ALTCONN_DGRAM_OVERFLOW, get and set, __u32, datagram sockets: what a receiver that
 *	is full does with a datagram: ALTCONN_OVERFLOW_BLOCK makes the sender
 *	wait; ALTCONN_OVERFLOW_DROP_NEWEST drops it; ALTCONN_OVERFLOW_DROP_OLDEST
 *	drops what it has waited with longest. What was dropped counts in
 *	SO_MEMINFO. The default is ALTCONN_OVERFLOW_BLOCK, and in the inet formats
 *	ALTCONN_OVERFLOW_DROP_NEWEST.
 * ALTCONN_PEER_INFO, get, struct altconn_peer_info: who is at the other end.
 * ALTCONN_SHARE_ADDRESS, get and set, __u32: non-zero before bind(): the port, name
 *	or IP address is shared with other sockets of the same effective user
 *	that have it set too, which may all listen: they get the connections in
 *	turn. A datagram goes to one of them, by its sender's address.
 * ALTCONN_REACHABLE, get and set, __u32: non-zero before bind(): the port or name can
 *	be reached from other nodes too. IP addresses can, but for loopback ones.
 * ALTCONN_REPLACE_PATH, get and set, __u32: non-zero before bind(): a socket file that
 *	is at the path already, and that no socket is bound to, is replaced by the
 *	new one in one step. Anything else there fails with EADDRINUSE as ever.
 */
#define ALTCONN_CONNECT_TIMEOUT	1
#define ALTCONN_CONNECT_INFO	2
#define ALTCONN_BACKLOG_POLICY	3
#define ALTCONN_DEFER_ACCEPT	4
#define ALTCONN_REFUSE		5
#define ALTCONN_WAIT_LISTENER	6
#define ALTCONN_DGRAM_OVERFLOW	7
#define ALTCONN_PEER_INFO	8
#define ALTCONN_SHARE_ADDRESS	9
#define ALTCONN_REACHABLE	10
#define ALTCONN_REPLACE_PATH	11

#define ALTCONN_TIMEOUT_DEFAULT	(~0ULL)
#define ALTCONN_TIMEOUT_MAX	(7ULL * 24 * 3600 * 1000)

#define ALTCONN_POLICY_QUEUE		0
#define ALTCONN_POLICY_FAIL_FAST	1

#define ALTCONN_OVERFLOW_BLOCK		0
#define ALTCONN_OVERFLOW_DROP_NEWEST	1
#define ALTCONN_OVERFLOW_DROP_OLDEST	2

/**
 * struct altconn_connect_info - the last attempt of a socket
 * @aci_errno: 0, or why it failed; EINPROGRESS while it is under way
 * @aci_reason: enum altconn_reason
 * @aci_waited_ns: how long it has waited, or did, for its listener
 * @aci_place: its place in the queue, 1 is next; 0 when it does not wait
 * @aci_rule: the rule that decided, 0 for none
 */
struct altconn_connect_info {
	__u32		aci_errno;
	__u32		aci_reason;
	__aligned_u64	aci_waited_ns;
	__u32		aci_place;
	__u32		aci_rule;
};

#define ALTCONN_COMM_LEN	16

/**
 * struct altconn_peer_info - the process at the other end of a connection
 * @api_netns: inode number of its network namespace
 * @api_pid: of the process that called connect(), accept() or, before that,
 *	listen(); 0: the caller's namespace does not see it
 * @api_uid: its user, then
 * @api_gid: its group, then
 * @api_pad: zero
 * @api_comm: what it ran, then, with a NUL; empty when the caller's namespace does
 *	not see it
 */
struct altconn_peer_info {
	__aligned_u64	api_netns;
	__s32		api_pid;
	__u32		api_uid;
	__u32		api_gid;
	__u32		api_pad;
	char		api_comm[ALTCONN_COMM_LEN];
};

#endif /* _UAPI_LINUX_ALTCONN_H */
