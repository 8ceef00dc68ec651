/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A filter selects associations and sockets. All commands that have a filter
 * take the same options and address arguments for it.
 */
#ifndef ALTCONN_TOOL_FILTER_H
#define ALTCONN_TOOL_FILTER_H

#include "lib/opt.h"
#include "lib/record.h"

/* Sorts of rows. */
enum {
	WANT_LISTENERS	= 1,
	WANT_CONNECTED	= 2,
	WANT_WAITING	= 4,
};

/* These entries go into the option table of a command. */
#define FILTER_OPTS							\
	{ 'l', "listening", NULL, NULL, "only listeners" },		\
	{ 'c', "connected", NULL, NULL,					\
	  "only associations and connected datagram sockets" },		\
	{ 'w', "waiting", NULL, NULL, "only attempts that wait" },	\
	{ 't', "type", "TYPE", "stream seqpacket dgram",		\
	  "only this socket type" },					\
	{ OPT_STATE, "state", "STATE",					\
	  "pending queued established closing listening unconnected",	\
	  "only this state" },						\
	{ OPT_PID, "pid", "PID", NULL,					\
	  "only with this process at either end" },			\
	{ OPT_UID, "uid", "USER", NULL,					\
	  "only with this user at either end" },			\
	{ OPT_OLDER, "older", "TIME", NULL,				\
	  "only associations older than this, as in 90s, 5m or 2h" },	\
	{ OPT_QUEUE, "queue", "N", NULL,				\
	  "only with more unread bytes, or connections to accept" },	\
	{ OPT_ID, "id", "ID", NULL,					\
	  "only this association or socket; 'altconn show -e' lists ids" }

/**
 * struct filter - the associations and sockets that the user selects
 * @want: the selected sorts of rows, WANT_*; 0 selects all
 * @type: name of the selected socket type, or NULL for all
 * @state: name of the selected state, or NULL for all
 * @has_pid: select only rows with @pid at either end
 * @has_uid: select only rows with @uid at either end
 * @pid: a process
 * @uid: a user
 * @has_older: select only associations older than @older_ms
 * @older_ms: time since connect(), ms
 * @has_queue: select only rows with more in a queue than @queue
 * @queue: unread bytes, or the connections that a listener has not accepted
 * @id: id of the selected association or socket; 0 selects all
 * @addrs: select only rows with one of these addresses at either end
 * @n_addrs: number of @addrs; 0 selects all addresses
 */
struct filter {
	unsigned int want;
	const char *type;
	const char *state;
	bool has_pid, has_uid, has_older, has_queue;
	uint32_t pid, uid;
	uint64_t older_ms, queue, id;
	struct addr *addrs;
	size_t n_addrs;
};

int filter_option(struct filter *filter, const char *cmd, int key);
int filter_addresses(struct filter *filter, const char *cmd, int argc,
		     char **argv);
bool filter_has_addr(const struct filter *filter, const struct addr *a,
		     const struct addr *b);
bool filter_any(const struct filter *filter);
bool filter_assoc(const struct filter *filter, const struct assoc *a);
bool filter_sock(const struct filter *filter, const struct sock *s);

#endif /* ALTCONN_TOOL_FILTER_H */
