/* SPDX-License-Identifier: GPL-2.0 */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/altconn.yaml */
/* by tools/ynl-names */

#ifndef ALTCONN_TOOL_NAMES_GEN_H
#define ALTCONN_TOOL_NAMES_GEN_H

#define ALTCONN_REASON_LIST(each)					\
	each(NONE, "none",						\
	     "no attempt has ended")					\
	each(ESTABLISHED, "established",				\
	     "the attempt was established")				\
	each(NOT_BOUND, "not-bound",					\
	     "nothing is bound to the address")				\
	each(NOT_LISTENING, "not-listening",				\
	     "a socket is bound to the address, but it does not "	\
	     "listen")							\
	each(STALE_PATH, "stale-path",					\
	     "no socket of this family has the socket file: its "	\
	     "server is gone, or is an AF_UNIX one")			\
	each(NOT_SOCKET, "not-socket",					\
	     "the file is not a socket")				\
	each(PATH_LOOKUP, "path-lookup",				\
	     "the path could not be looked up")				\
	each(PATH_PERMISSION, "path-permission",			\
	     "there is no write permission on the socket file")		\
	each(WRONG_TYPE, "wrong-type",					\
	     "the path belongs to a socket of another type")		\
	each(LISTENER_CLOSED, "listener-closed",			\
	     "the listener closed while the attempt waited")		\
	each(WAITING_ROOM_FULL, "waiting-room-full",			\
	     "net.altconn.max_waiting attempts waited at the listener "	\
	     "already, or half of that number, rounded up, were "	\
	     "attempts of the user")					\
	each(DEADLINE, "deadline",					\
	     "the deadline passed while the attempt waited")		\
	each(CANCELLED_CLOSE, "cancelled-close",			\
	     "the client closed the socket")				\
	each(CANCELLED_UNSPEC, "cancelled-unspec",			\
	     "the client dissolved the attempt with AF_UNSPEC, or "	\
	     "shut the socket down")					\
	each(NO_NODE, "no-node",					\
	     "there is no such node, and the IP address is not of "	\
	     "this namespace")						\
	each(BAD_ADDRESS, "bad-address",				\
	     "the address is malformed")				\
	each(WRONG_FAMILY, "wrong-family",				\
	     "the address is of a family that the socket cannot use")	\
	each(BROADCAST, "broadcast",					\
	     "the address is a broadcast address, and the socket has "	\
	     "no SO_BROADCAST or is no datagram socket")		\
	each(NULL_ADDRESS, "null-address",				\
	     "the address is the null address")				\
	each(STATE, "state",						\
	     "the socket is connected already, or listens")		\
	each(NO_PORT, "no-port",					\
	     "no ephemeral port or automatic name is free")		\
	each(NO_MEMORY, "no-memory",					\
	     "there was not enough memory")				\
	each(BACKLOG_FULL, "backlog-full",				\
	     "the backlog was full, and the listener fails fast")	\
	each(REFUSED, "refused",					\
	     "the server refused the attempt")				\
	each(TABLE_FULL, "table-full",					\
	     "the user had net.altconn.max_associations already")	\
	each(ASSOCIATED, "associated",					\
	     "another socket has the same local and remote address")	\
	each(RULE, "rule",						\
	     "a rule decided the attempt")				\
	each(KILLED, "killed",						\
	     "an administrator ended the attempt")			\
	each(NODE_DOWN, "node-down",					\
	     "the node is set down, or its network namespace has "	\
	     "ended")

#define ALTCONN_ASSOC_STATE_LIST(each)					\
	each(PENDING, "pending")					\
	each(QUEUED, "queued")						\
	each(ESTABLISHED, "established")				\
	each(CLOSING, "closing")					\
	each(CLOSED, "closed")

#define ALTCONN_SOCKET_TYPE_LIST(each)					\
	each(STREAM, "stream")						\
	each(DGRAM, "dgram")						\
	each(SEQPACKET, "seqpacket")

#define ALTCONN_ERROR_LIST(each)					\
	each(EPERM, "EPERM")						\
	each(EACCES, "EACCES")						\
	each(EADDRINUSE, "EADDRINUSE")					\
	each(EADDRNOTAVAIL, "EADDRNOTAVAIL")				\
	each(EAFNOSUPPORT, "EAFNOSUPPORT")				\
	each(EAGAIN, "EAGAIN")						\
	each(ECONNABORTED, "ECONNABORTED")				\
	each(ECONNREFUSED, "ECONNREFUSED")				\
	each(ECONNRESET, "ECONNRESET")					\
	each(EHOSTUNREACH, "EHOSTUNREACH")				\
	each(EINVAL, "EINVAL")						\
	each(EISCONN, "EISCONN")					\
	each(ELOOP, "ELOOP")						\
	each(ENAMETOOLONG, "ENAMETOOLONG")				\
	each(ENETUNREACH, "ENETUNREACH")				\
	each(ENOBUFS, "ENOBUFS")					\
	each(ENOENT, "ENOENT")						\
	each(ENOMEM, "ENOMEM")						\
	each(ENOTDIR, "ENOTDIR")					\
	each(EOPNOTSUPP, "EOPNOTSUPP")					\
	each(EPROTOTYPE, "EPROTOTYPE")					\
	each(ETIMEDOUT, "ETIMEDOUT")					\
	each(EIO, "EIO")						\
	each(ESTALE, "ESTALE")						\
	each(EALREADY, "EALREADY")					\
	each(EINPROGRESS, "EINPROGRESS")				\
	each(EBADF, "EBADF")

#define ALTCONN_EVENT_KIND_LIST(each)					\
	each(CONNECT_BEGIN, "connect-begin")				\
	each(CONNECT_WAIT, "connect-wait")				\
	each(ESTABLISHED, "established")				\
	each(FAILED, "failed")						\
	each(ACCEPTED, "accepted")					\
	each(CLOSED, "closed")						\
	each(RULES_CHANGED, "rules-changed")				\
	each(NODES_CHANGED, "nodes-changed")

#define ALTCONN_NODE_STATE_LIST(each)					\
	each(DOWN, "down")						\
	each(UP, "up")							\
	each(GONE, "gone")

#endif /* ALTCONN_TOOL_NAMES_GEN_H */
