/* SPDX-License-Identifier: GPL-2.0 */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/altconn.yaml */
/* by tools/ynl-names */

#ifndef _ALTCONN_NAMES_GEN_H
#define _ALTCONN_NAMES_GEN_H

#define ALTCONN_REASON_LIST(each, last)					\
	each(NONE, "none")						\
	each(ESTABLISHED, "established")				\
	each(NOT_BOUND, "not-bound")					\
	each(NOT_LISTENING, "not-listening")				\
	each(STALE_PATH, "stale-path")					\
	each(NOT_SOCKET, "not-socket")					\
	each(PATH_LOOKUP, "path-lookup")				\
	each(PATH_PERMISSION, "path-permission")			\
	each(WRONG_TYPE, "wrong-type")					\
	each(LISTENER_CLOSED, "listener-closed")			\
	each(WAITING_ROOM_FULL, "waiting-room-full")			\
	each(DEADLINE, "deadline")					\
	each(CANCELLED_CLOSE, "cancelled-close")			\
	each(CANCELLED_UNSPEC, "cancelled-unspec")			\
	each(NO_NODE, "no-node")					\
	each(BAD_ADDRESS, "bad-address")				\
	each(WRONG_FAMILY, "wrong-family")				\
	each(BROADCAST, "broadcast")					\
	each(NULL_ADDRESS, "null-address")				\
	each(STATE, "state")						\
	each(NO_PORT, "no-port")					\
	each(NO_MEMORY, "no-memory")					\
	each(BACKLOG_FULL, "backlog-full")				\
	each(REFUSED, "refused")					\
	each(TABLE_FULL, "table-full")					\
	each(ASSOCIATED, "associated")					\
	each(RULE, "rule")						\
	each(KILLED, "killed")						\
	last(NODE_DOWN, "node-down")

#define ALTCONN_SOCKET_TYPE_LIST(each, last)				\
	each(STREAM, "stream")						\
	each(DGRAM, "dgram")						\
	last(SEQPACKET, "seqpacket")

#define ALTCONN_ERROR_LIST(each, last)					\
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
	last(EBADF, "EBADF")

#define ALTCONN_VERDICT_LIST(each, last)				\
	each(ALLOW, "allow")						\
	each(DENY, "deny")						\
	each(DENY_ACCESS, "deny-access")				\
	each(REFUSE, "refuse")						\
	each(UNREACHABLE_NET, "unreachable-net")			\
	each(UNREACHABLE_HOST, "unreachable-host")			\
	each(DROP, "drop")						\
	last(DELAY, "delay")

#endif /* _ALTCONN_NAMES_GEN_H */
