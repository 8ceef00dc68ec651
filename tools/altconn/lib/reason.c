// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the name and the sentence of each enum altconn_reason, and the
 * name of each enum altconn_error.
 */
#include <assert.h>
#include <stdio.h>

#include <linux/altconn.h>

#include "lib/array.h"
#include "lib/reason.h"

static const struct {
	const char *name;
	const char *text;
} reason_table[] = {
	[ALTCONN_REASON_NONE] = {
		"none",
		"no attempt has ended yet"
	},
	[ALTCONN_REASON_ESTABLISHED] = {
		"established",
		"the connection was established"
	},
	[ALTCONN_REASON_NOT_BOUND] = {
		"not-bound",
		"nothing is bound to the address"
	},
	[ALTCONN_REASON_NOT_LISTENING] = {
		"not-listening",
		"a socket is bound to the address, but it does not listen"
	},
	[ALTCONN_REASON_STALE_PATH] = {
		"stale-path",
		"no socket of this family has the socket file: its server is gone, or is an AF_UNIX one"
	},
	[ALTCONN_REASON_NOT_SOCKET] = {
		"not-socket",
		"the file is not a socket"
	},
	[ALTCONN_REASON_PATH_LOOKUP] = {
		"path-lookup",
		"the path could not be looked up"
	},
	[ALTCONN_REASON_PATH_PERMISSION] = {
		"path-permission",
		"there is no write permission on the socket file"
	},
	[ALTCONN_REASON_WRONG_TYPE] = {
		"wrong-type",
		"the path belongs to a socket of another type"
	},
	[ALTCONN_REASON_LISTENER_CLOSED] = {
		"listener-closed",
		"the listener closed while the attempt waited"
	},
	[ALTCONN_REASON_WAITING_ROOM_FULL] = {
		"waiting-room-full",
		"net.altconn.max_waiting attempts waited at the listener already, or the user had half of these places"
	},
	[ALTCONN_REASON_DEADLINE] = {
		"deadline",
		"the deadline passed while the attempt waited"
	},
	[ALTCONN_REASON_CANCELLED_CLOSE] = {
		"cancelled-close",
		"the caller closed the socket"
	},
	[ALTCONN_REASON_CANCELLED_UNSPEC] = {
		"cancelled-unspec",
		"the caller dissolved the socket with AF_UNSPEC or shut it down"
	},
	[ALTCONN_REASON_NO_NODE] = {
		"no-node",
		"there is no such node, and the IP address is not of this namespace"
	},
	[ALTCONN_REASON_BAD_ADDRESS] = {
		"bad-address",
		"the address is malformed"
	},
	[ALTCONN_REASON_WRONG_FAMILY] = {
		"wrong-family",
		"the address is of a family that the socket does not speak"
	},
	[ALTCONN_REASON_BROADCAST] = {
		"broadcast",
		"the address is a broadcast address"
	},
	[ALTCONN_REASON_NULL_ADDRESS] = {
		"null-address",
		"the address is the null address"
	},
	[ALTCONN_REASON_STATE] = {
		"state",
		"the socket is connected already, or listens"
	},
	[ALTCONN_REASON_NO_PORT] = {
		"no-port",
		"the range of ephemeral ports is exhausted"
	},
	[ALTCONN_REASON_NO_MEMORY] = {
		"no-memory",
		"memory ran out"
	},
	[ALTCONN_REASON_BACKLOG_FULL] = {
		"backlog-full",
		"the backlog was full, and the listener fails fast"
	},
	[ALTCONN_REASON_REFUSED] = {
		"refused",
		"the server refused it"
	},
	[ALTCONN_REASON_TABLE_FULL] = {
		"table-full",
		"the user had net.altconn.max_associations already"
	},
	[ALTCONN_REASON_ASSOCIATED] = {
		"associated",
		"another socket has the same local and remote address"
	},
	[ALTCONN_REASON_RULE] = {
		"rule",
		"a rule decided so"
	},
	[ALTCONN_REASON_KILLED] = {
		"killed",
		"an administrator ended the attempt"
	},
	[ALTCONN_REASON_NODE_DOWN] = {
		"node-down",
		"the node is set down, or its namespace is gone"
	},
};

static_assert(ARRAY_SIZE(reason_table) == ALTCONN_REASON_MAX + 1,
	      "a reason without a text");

/**
 * reason_name - get the name of a reason, as the trace events have it
 * @reason: enum altconn_reason, or a larger number from a newer module
 *
 * Return: the name. For a larger number it is the number as text, which the
 * next call may overwrite.
 */
const char *reason_name(uint32_t reason)
{
	static char number[16];

	if (reason < ARRAY_SIZE(reason_table))
		return reason_table[reason].name;
	snprintf(number, sizeof(number), "%u", reason);
	return number;
}

/**
 * reason_text - get a sentence that explains a reason
 * @reason: enum altconn_reason, or a larger number from a newer module
 *
 * Return: the sentence.
 */
const char *reason_text(uint32_t reason)
{
	return reason < ARRAY_SIZE(reason_table) ? reason_table[reason].text :
	       "the module gives a reason that this tool does not know";
}

/**
 * reason_error_name - get the name of an error, such as "EPERM"
 * @error: enum altconn_error, or a larger number from a newer module
 *
 * Return: the name, or NULL if the tool does not know the error.
 */
const char *reason_error_name(uint32_t error)
{
	static const char * const names[] = {
		[ALTCONN_ERROR_EPERM] = "EPERM",
		[ALTCONN_ERROR_EACCES] = "EACCES",
		[ALTCONN_ERROR_EADDRINUSE] = "EADDRINUSE",
		[ALTCONN_ERROR_EADDRNOTAVAIL] = "EADDRNOTAVAIL",
		[ALTCONN_ERROR_EAFNOSUPPORT] = "EAFNOSUPPORT",
		[ALTCONN_ERROR_EAGAIN] = "EAGAIN",
		[ALTCONN_ERROR_ECONNABORTED] = "ECONNABORTED",
		[ALTCONN_ERROR_ECONNREFUSED] = "ECONNREFUSED",
		[ALTCONN_ERROR_ECONNRESET] = "ECONNRESET",
		[ALTCONN_ERROR_EHOSTUNREACH] = "EHOSTUNREACH",
		[ALTCONN_ERROR_EINVAL] = "EINVAL",
		[ALTCONN_ERROR_EISCONN] = "EISCONN",
		[ALTCONN_ERROR_ELOOP] = "ELOOP",
		[ALTCONN_ERROR_ENAMETOOLONG] = "ENAMETOOLONG",
		[ALTCONN_ERROR_ENETUNREACH] = "ENETUNREACH",
		[ALTCONN_ERROR_ENOBUFS] = "ENOBUFS",
		[ALTCONN_ERROR_ENOENT] = "ENOENT",
		[ALTCONN_ERROR_ENOMEM] = "ENOMEM",
		[ALTCONN_ERROR_ENOTDIR] = "ENOTDIR",
		[ALTCONN_ERROR_EOPNOTSUPP] = "EOPNOTSUPP",
		[ALTCONN_ERROR_EPROTOTYPE] = "EPROTOTYPE",
		[ALTCONN_ERROR_ETIMEDOUT] = "ETIMEDOUT",
		[ALTCONN_ERROR_EIO] = "EIO",
		[ALTCONN_ERROR_ESTALE] = "ESTALE",
		[ALTCONN_ERROR_EALREADY] = "EALREADY",
		[ALTCONN_ERROR_EINPROGRESS] = "EINPROGRESS",
		[ALTCONN_ERROR_EBADF] = "EBADF",
	};

	static_assert(ARRAY_SIZE(names) == ALTCONN_ERROR_MAX + 1,
		      "an error without a name");
	return error < ARRAY_SIZE(names) ? names[error] : NULL;
}
