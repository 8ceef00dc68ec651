/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket of the tool's own: what connect, listen and ping share.
 */
#ifndef ALTCONN_TOOL_ENDPOINT_H
#define ALTCONN_TOOL_ENDPOINT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "altconn.h"

/**
 * struct place - an address of a socket
 * @addr: the address; of a path that is too long for it the kind alone
 * @path: of a path, all of it
 */
struct place {
	struct addr addr;
	char path[PATH_MAX];
};

/**
 * struct endpoint - where, and how
 * @cmd: the command's name, for complaints
 * @family: number of the family
 * @type: SOCK_*
 * @to: where to connect, or to listen
 * @text: as it was typed
 * @source: what it is bound to before it connects; unnamed: nothing
 * @timeout_ms: how long an attempt may wait; ALTCONN_TIMEOUT_DEFAULT: what the
 *	namespace says
 * @wait: for a listener, too
 * @replace: a stale socket file
 */
struct endpoint {
	const char *cmd;
	int family;
	int type;
	struct place to;
	const char *text;
	struct place source;
	uint64_t timeout_ms;
	bool wait;
	bool replace;
};

enum { OPT_TIMEOUT = 700, OPT_WAIT, OPT_SOURCE };

#define ENDPOINT_TYPE	\
	{ 't', "type", "TYPE", "stream seqpacket dgram",		\
	  "type of socket; stream if left out" }
#define ENDPOINT_OPTS	\
	{ OPT_TIMEOUT, "timeout", "SECONDS", NULL,			\
	  "give up the attempt after so long; 0: never" },		\
	{ OPT_WAIT, "wait", NULL, NULL,					\
	  "where nothing listens, wait until something does" }

void endpoint_init(struct endpoint *ep, const char *cmd);
int endpoint_option(struct endpoint *ep, int key);
int endpoint_address(struct endpoint *ep, int argc, char **argv);
int endpoint_socket(const struct endpoint *ep);
int endpoint_connect(const struct endpoint *ep, int fd,
		     struct altconn_connect_info *info);
void endpoint_complain(const struct endpoint *ep, int err,
		       const struct altconn_connect_info *info);
int endpoint_bind(const struct endpoint *ep, int fd, const struct place *place);

#endif /* ALTCONN_TOOL_ENDPOINT_H */
