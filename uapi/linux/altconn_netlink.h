/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/altconn.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_ALTCONN_NETLINK_H
#define _UAPI_LINUX_ALTCONN_NETLINK_H

#define ALTCONN_FAMILY_NAME	"altconn"
#define ALTCONN_FAMILY_VERSION	1

/**
 * enum altconn_kind - Kinds of canonical addresses.
 * @ALTCONN_KIND_NONE: unnamed
 * @ALTCONN_KIND_PORT: a node and a 32-bit port, per network namespace
 * @ALTCONN_KIND_NAME: a node and up to 107 bytes, per network namespace
 * @ALTCONN_KIND_INET: an IP address and a port, per network namespace
 * @ALTCONN_KIND_PATH: the inode of a socket file
 */
enum altconn_kind {
	ALTCONN_KIND_NONE,
	ALTCONN_KIND_PORT,
	ALTCONN_KIND_NAME,
	ALTCONN_KIND_INET,
	ALTCONN_KIND_PATH,
};

/**
 * enum altconn_assoc_state - Life of an association; each transition happens
 *   once.
 * @ALTCONN_ASSOC_STATE_PENDING: an attempt that waits for its listener
 * @ALTCONN_ASSOC_STATE_QUEUED: established, not accepted yet
 * @ALTCONN_ASSOC_STATE_ESTABLISHED: both ends have a socket
 * @ALTCONN_ASSOC_STATE_CLOSING: one end has closed or dissolved
 * @ALTCONN_ASSOC_STATE_CLOSED: refused, timed out, cancelled or closed by both
 *   ends
 */
enum altconn_assoc_state {
	ALTCONN_ASSOC_STATE_PENDING,
	ALTCONN_ASSOC_STATE_QUEUED,
	ALTCONN_ASSOC_STATE_ESTABLISHED,
	ALTCONN_ASSOC_STATE_CLOSING,
	ALTCONN_ASSOC_STATE_CLOSED,
};

/**
 * enum altconn_reason - Why an attempt ended as it did; finer than its errno.
 * @ALTCONN_REASON_NONE: no attempt has ended yet
 * @ALTCONN_REASON_ESTABLISHED: the listener queued the association
 * @ALTCONN_REASON_NOT_BOUND: nothing is bound to the address
 * @ALTCONN_REASON_NOT_LISTENING: a socket is bound there, and it does not
 *   listen
 * @ALTCONN_REASON_STALE_PATH: no socket of this family has that socket file
 * @ALTCONN_REASON_NOT_SOCKET: the file is not a socket
 * @ALTCONN_REASON_PATH_LOOKUP: the path lookup failed
 * @ALTCONN_REASON_PATH_PERMISSION: no write permission on the socket file
 * @ALTCONN_REASON_WRONG_TYPE: the path belongs to a socket of another type
 * @ALTCONN_REASON_LISTENER_CLOSED: the listener closed while the attempt
 *   waited
 * @ALTCONN_REASON_WAITING_ROOM_FULL: max_waiting attempts wait on this
 *   listener already
 * @ALTCONN_REASON_DEADLINE: the attempt's deadline passed
 * @ALTCONN_REASON_CANCELLED_CLOSE: the caller closed the socket
 * @ALTCONN_REASON_CANCELLED_UNSPEC: the caller dissolved the socket with
 *   AF_UNSPEC
 * @ALTCONN_REASON_NO_NODE: no such node
 * @ALTCONN_REASON_BAD_ADDRESS: the address is malformed
 * @ALTCONN_REASON_WRONG_FAMILY: the address is of a family that the socket
 *   does not speak
 * @ALTCONN_REASON_BROADCAST: a broadcast address without SO_BROADCAST or on a
 *   connection
 * @ALTCONN_REASON_NULL_ADDRESS: a connection to the null address
 * @ALTCONN_REASON_STATE: the socket's own state does not allow the call
 * @ALTCONN_REASON_NO_PORT: the ephemeral range is exhausted
 * @ALTCONN_REASON_NO_MEMORY: memory ran out
 * @ALTCONN_REASON_PEER_GONE: the datagram peer does not exist any more
 * @ALTCONN_REASON_FILTERED: the datagram peer is connected to somebody else
 * @ALTCONN_REASON_BACKLOG_FULL: the backlog is full and the listener fails
 *   fast
 * @ALTCONN_REASON_REFUSED: the server refused it
 * @ALTCONN_REASON_TABLE_FULL: the namespace has max_associations already
 * @ALTCONN_REASON_ASSOCIATED: another socket has the same local and remote
 *   address
 */
enum altconn_reason {
	ALTCONN_REASON_NONE,
	ALTCONN_REASON_ESTABLISHED,
	ALTCONN_REASON_NOT_BOUND,
	ALTCONN_REASON_NOT_LISTENING,
	ALTCONN_REASON_STALE_PATH,
	ALTCONN_REASON_NOT_SOCKET,
	ALTCONN_REASON_PATH_LOOKUP,
	ALTCONN_REASON_PATH_PERMISSION,
	ALTCONN_REASON_WRONG_TYPE,
	ALTCONN_REASON_LISTENER_CLOSED,
	ALTCONN_REASON_WAITING_ROOM_FULL,
	ALTCONN_REASON_DEADLINE,
	ALTCONN_REASON_CANCELLED_CLOSE,
	ALTCONN_REASON_CANCELLED_UNSPEC,
	ALTCONN_REASON_NO_NODE,
	ALTCONN_REASON_BAD_ADDRESS,
	ALTCONN_REASON_WRONG_FAMILY,
	ALTCONN_REASON_BROADCAST,
	ALTCONN_REASON_NULL_ADDRESS,
	ALTCONN_REASON_STATE,
	ALTCONN_REASON_NO_PORT,
	ALTCONN_REASON_NO_MEMORY,
	ALTCONN_REASON_PEER_GONE,
	ALTCONN_REASON_FILTERED,
	ALTCONN_REASON_BACKLOG_FULL,
	ALTCONN_REASON_REFUSED,
	ALTCONN_REASON_TABLE_FULL,
	ALTCONN_REASON_ASSOCIATED,
};

enum {
	ALTCONN_A_ADDR_KIND = 1,
	ALTCONN_A_ADDR_NODE,
	ALTCONN_A_ADDR_PORT,
	ALTCONN_A_ADDR_NAME,
	ALTCONN_A_ADDR_PATH,
	ALTCONN_A_ADDR_IP,
	ALTCONN_A_ADDR_SCOPE,

	__ALTCONN_A_ADDR_MAX,
	ALTCONN_A_ADDR_MAX = (__ALTCONN_A_ADDR_MAX - 1)
};

enum {
	ALTCONN_A_END_ADDR = 1,
	ALTCONN_A_END_DRESS,
	ALTCONN_A_END_PID,
	ALTCONN_A_END_UID,
	ALTCONN_A_END_RECV_QUEUE,
	ALTCONN_A_END_COMM,
	ALTCONN_A_END_INODE,
	ALTCONN_A_END_PAD,

	__ALTCONN_A_END_MAX,
	ALTCONN_A_END_MAX = (__ALTCONN_A_END_MAX - 1)
};

enum {
	ALTCONN_A_ASSOC_ID = 1,
	ALTCONN_A_ASSOC_PAD,
	ALTCONN_A_ASSOC_TYPE,
	ALTCONN_A_ASSOC_STATE,
	ALTCONN_A_ASSOC_CLIENT,
	ALTCONN_A_ASSOC_SERVER,
	ALTCONN_A_ASSOC_AGE_MS,
	ALTCONN_A_ASSOC_WAITED_MS,
	ALTCONN_A_ASSOC_PLACE,
	ALTCONN_A_ASSOC_LISTENER,

	__ALTCONN_A_ASSOC_MAX,
	ALTCONN_A_ASSOC_MAX = (__ALTCONN_A_ASSOC_MAX - 1)
};

enum {
	ALTCONN_A_SOCKET_ID = 1,
	ALTCONN_A_SOCKET_PAD,
	ALTCONN_A_SOCKET_TYPE,
	ALTCONN_A_SOCKET_LISTENING,
	ALTCONN_A_SOCKET_OWNER,
	ALTCONN_A_SOCKET_PEER,
	ALTCONN_A_SOCKET_BACKLOG,
	ALTCONN_A_SOCKET_QUEUED,
	ALTCONN_A_SOCKET_WAITING,
	ALTCONN_A_SOCKET_ESTABLISHED,
	ALTCONN_A_SOCKET_REFUSED,
	ALTCONN_A_SOCKET_TIMED_OUT,
	ALTCONN_A_SOCKET_WAITED,

	__ALTCONN_A_SOCKET_MAX,
	ALTCONN_A_SOCKET_MAX = (__ALTCONN_A_SOCKET_MAX - 1)
};

enum {
	ALTCONN_A_FAMILY_NUMBER = 1,
	ALTCONN_A_FAMILY_VERSION,
	ALTCONN_A_FAMILY_ASSOCS,
	ALTCONN_A_FAMILY_SOCKETS,
	ALTCONN_A_FAMILY_PAD,

	__ALTCONN_A_FAMILY_MAX,
	ALTCONN_A_FAMILY_MAX = (__ALTCONN_A_FAMILY_MAX - 1)
};

enum {
	ALTCONN_CMD_FAMILY_GET = 1,
	ALTCONN_CMD_ASSOC_GET,
	ALTCONN_CMD_SOCKET_GET,

	__ALTCONN_CMD_MAX,
	ALTCONN_CMD_MAX = (__ALTCONN_CMD_MAX - 1)
};

#endif /* _UAPI_LINUX_ALTCONN_NETLINK_H */
