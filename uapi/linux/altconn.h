/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * altconn: a family of local sockets. A program that uses the family includes
 * this header. Documentation/design/connect-semantics.rst describes connect().
 */
#ifndef _UAPI_LINUX_ALTCONN_H
#define _UAPI_LINUX_ALTCONN_H

#include <linux/types.h>
#include <linux/socket.h>
#include <linux/altconn_netlink.h>

/*
 * The family borrows a number that Linux has never implemented. This is the
 * default. The module parameter family= selects another number, and the generic
 * netlink family "altconn" reports the number in force.
 */
#define AF_ALTCONN	18
#define PF_ALTCONN	AF_ALTCONN

/* Level of the socket options below; no other level uses this number. */
#define SOL_ALTCONN	16707

/*
 * The protocol argument of socket() is the address format: the address
 * structure that the socket uses in each call that takes or returns an address.
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
#define ALTCONN_PATH_FD	1	/* kind PATH: see sac_fd */

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
 * @sac_flags: zero; for kind PATH zero or ALTCONN_PATH_FD
 * @sac_node: ALTCONN_NODE_SELF, or the id of another node; for kinds INET and
 *	PATH zero
 * @sac_fd: with ALTCONN_PATH_FD, in place of @sac_node: a descriptor of the
 *	calling process; O_PATH is sufficient
 * @sac_len: number of bytes in @sac_name or @sac_path; for kinds PORT and INET
 *	zero
 * @sac_pad: zero
 * @sac_port: for kind PORT; bind() chooses an ephemeral port if it is 0
 * @sac_name: for kind NAME: any bytes, without a terminator
 * @sac_path: for kind PATH: bytes without a NUL, not even at the end
 * @sac_inet: for kind INET
 *
 * The length of an address is always sizeof(struct sockaddr_altconn). Each byte
 * that the kind does not use is zero. An address of kind PORT with node 0 and
 * port 0 is the null address. The address of an unnamed socket has the length 2
 * and consists of the family.
 *
 * ALTCONN_PATH_FD is for paths that are longer than @sac_path. For connect(2)
 * and the calls that send, @sac_fd is a descriptor of the socket file, and the
 * path is empty. For bind(2), @sac_fd is a descriptor of a directory. The path
 * is looked up from that directory, as by openat(2), and an absolute path
 * ignores the descriptor. Only the call itself uses the descriptor. Addresses
 * that the kernel returns have no flag, and have the path that bind(2) was
 * given.
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
 * Socket options of level SOL_ALTCONN. setsockopt() fails with EINVAL if the
 * value is shorter than the type of the option. A value may be longer, up to a
 * page, if all further bytes are zero. Otherwise setsockopt() fails with E2BIG.
 * getsockopt() returns as much of a value as fits in the buffer. A switch is
 * an option with the values 0 (off) and 1 (on). Other values fail with EINVAL.
 *
 * ALTCONN_CONNECT_TIMEOUT, get and set, __u64: the deadline of an attempt, in
 *	milliseconds, counted from connect(). 0, and any value above
 *	ALTCONN_TIMEOUT_MAX (a week), means that there is no deadline.
 *	ALTCONN_TIMEOUT_DEFAULT selects net.altconn.connect_timeout_ms at the
 *	time of connect(). The option holds for attempts that begin later.
 * ALTCONN_CONNECT_INFO, get, struct altconn_connect_info: the result of the
 *	last attempt of the socket, or the reason why connect() began no
 *	attempt. On a connected socket it describes the attempt that connected
 *	the socket.
 * ALTCONN_BACKLOG_POLICY, get and set, __u32: with ALTCONN_POLICY_QUEUE, the
 *	default, attempts wait at a listener with a full backlog. With
 *	ALTCONN_POLICY_FAIL_FAST the listener refuses them. The option holds for
 *	attempts that come later.
 * ALTCONN_DEFER_ACCEPT, get and set, switch: the listener establishes an
 *	attempt only when accept() takes it. Until then the attempt waits. The
 *	backlog then limits only how many attempts wait at a listener that fails
 *	fast. When the option is switched off, as many attempts as the backlog
 *	holds are established at once.
 * ALTCONN_REFUSE, set, __u32: the listener refuses this number of waiting
 *	attempts, beginning with the first one. They fail with ECONNREFUSED.
 *	Established associations stay. It is no error if fewer attempts wait.
 * ALTCONN_WAIT_LISTENER, get and set, switch: if nothing listens at a port, a
 *	name or an IP address, connect() waits there for a listener until the
 *	deadline. The option holds for attempts that begin later.
 * ALTCONN_DGRAM_OVERFLOW, get and set, __u32, datagram sockets: what a full
 *	receiver does with a datagram. ALTCONN_OVERFLOW_BLOCK makes the sender
 *	wait. ALTCONN_OVERFLOW_DROP_NEWEST drops this datagram.
 *	ALTCONN_OVERFLOW_DROP_OLDEST drops the datagram that has waited longest.
 *	SO_MEMINFO counts dropped datagrams. The default is
 *	ALTCONN_OVERFLOW_BLOCK, and in the inet formats
 *	ALTCONN_OVERFLOW_DROP_NEWEST.
 * ALTCONN_PEER_INFO, get, struct altconn_peer_info: the process at the other
 *	end of a connection.
 * ALTCONN_SHARE_ADDRESS, get and set, switch, before bind(): the socket shares
 *	its port, name or IP address with sockets of the same effective user
 *	that have this option too. All of them may listen, and they get the
 *	connections from each CPU in turn. A datagram goes to one of them, which the address
 *	of the sender chooses.
 * ALTCONN_REACHABLE, get and set, switch, before bind(): other nodes reach the
 *	port or name of the socket. They reach IP addresses without the option,
 *	except loopback addresses.
 * ALTCONN_REPLACE_PATH, get and set, switch, before bind(): bind() replaces a
 *	socket file to which no socket is bound by the new file, in one step. If
 *	the path has any other file, bind() fails with EADDRINUSE.
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
 * @aci_errno: 0, or the error of the attempt; EINPROGRESS while the attempt is
 *	under way
 * @aci_reason: reason of the result, enum altconn_reason
 * @aci_waited_ns: time that the attempt has waited, in nanoseconds
 * @aci_position: position among the attempts that wait at the address; 1 is
 *	next, and 0 means that the attempt does not wait there
 * @aci_rule: id of the rule that decided or parked the attempt, or 0
 */
struct altconn_connect_info {
	__u32		aci_errno;
	__u32		aci_reason;
	__aligned_u64	aci_waited_ns;
	__u32		aci_position;
	__u32		aci_rule;
};

#define ALTCONN_COMM_LEN	16

/**
 * struct altconn_peer_info - the process at the other end of a connection
 * @api_netns: inode number of its network namespace
 * @api_pid: the process, or 0 if the pid namespace of the caller does not have
 *	it
 * @api_uid: its user
 * @api_gid: its group
 * @api_pad: zero
 * @api_comm: its command, with a NUL; empty if the pid namespace of the caller
 *	does not have the process
 *
 * The process is the one that called connect() or accept(), as it was at that
 * call. Before accept() it is the process that called listen().
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
