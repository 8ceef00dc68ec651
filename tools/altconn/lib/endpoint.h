/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands connect, listen and ping open sockets of the family, and share
 * options, addresses and error messages.
 */
#ifndef ALTCONN_TOOL_ENDPOINT_H
#define ALTCONN_TOOL_ENDPOINT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/opt.h"

/**
 * struct endpoint_addr - an address of a socket
 * @addr: the address; if it is a path of more than ALTCONN_PATH_MAX bytes, only
 *	the kind is set
 * @path: the whole path of an address of the kind path, else empty
 */
struct endpoint_addr {
	struct addr addr;
	char path[PATH_MAX];
};

/**
 * struct endpoint - properties of a socket that a command opens
 * @cmd: name of the command, for error messages
 * @family: number of the socket family
 * @type: socket type, SOCK_*
 * @to: address to connect to or to listen at
 * @text: @to as the user typed it
 * @source: address to bind to before connect(), or unnamed if there is none
 * @timeout_ms: longest time that an attempt may take, ms; 0 is no limit, and
 *	ALTCONN_TIMEOUT_DEFAULT is the value of the sysctl connect_timeout_ms
 * @wait: set ALTCONN_WAIT_LISTENER: an attempt waits if there is no listener
 * @replace: set ALTCONN_REPLACE_PATH: bind() replaces a stale socket file
 */
struct endpoint {
	const char *cmd;
	int family;
	int type;
	struct endpoint_addr to;
	const char *text;
	struct endpoint_addr source;
	uint64_t timeout_ms;
	bool wait;
	bool replace;
};

#define ENDPOINT_TYPE	\
	{ 't', "type", "TYPE", "stream seqpacket dgram",		\
	  "type of socket; stream by default" }
#define ENDPOINT_OPTS	\
	{ OPT_TIMEOUT, "timeout", "SECONDS", NULL,			\
	  "end the attempt after this time; 0 is no limit" },		\
	{ OPT_WAIT, "wait", NULL, NULL,					\
	  "wait if nothing listens at the address" }

void endpoint_init(struct endpoint *ep, const char *cmd);
int endpoint_option(struct endpoint *ep, int key);
int endpoint_address(struct endpoint *ep, int argc, char **argv);
int endpoint_socket(const struct endpoint *ep);
int endpoint_connect(const struct endpoint *ep, int fd,
		     struct altconn_connect_info *info);
void endpoint_print_error(const struct endpoint *ep, int err,
			  const struct altconn_connect_info *info);
void endpoint_print_names(const char *event, int fd);
int endpoint_end(const struct endpoint *ep, int err);
int endpoint_bind(const struct endpoint *ep, int fd,
		  const struct endpoint_addr *ea);

#endif /* ALTCONN_TOOL_ENDPOINT_H */
