/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A filter says which associations and sockets the user selects. All commands
 * that select any have the same options and address arguments for it.
 */
#ifndef ALTCONN_TOOL_FILTER_H
#define ALTCONN_TOOL_FILTER_H

#include "lib/record.h"

enum {
	WANT_LISTENERS	= 1,
	WANT_CONNECTED	= 2,
	WANT_WAITING	= 4,
};

/* Keys of options without a letter. */
enum {
	OPT_STATE = 512,
	OPT_PID,
	OPT_UID,
	OPT_OLDER,
	OPT_QUEUE,
	OPT_ID,
};

/* These entries go into the option table of a command. */
#define FILTER_OPTS							\
	{ 'l', "listening", NULL, NULL, "listeners only" },		\
	{ 'c', "connected", NULL, NULL,					\
	  "associations and connected datagram sockets only" },		\
	{ 'w', "waiting", NULL, NULL, "attempts that wait only" },	\
	{ 't', "type", "TYPE", "stream seqpacket dgram", "one type only" }, \
	{ OPT_STATE, "state", "STATE",					\
	  "pending queued established closing listening unconnected",	\
	  "one state only" },						\
	{ OPT_PID, "pid", "PID", NULL, "of this process, at either end" }, \
	{ OPT_UID, "uid", "USER", NULL, "of this user, at either end" }, \
	{ OPT_OLDER, "older", "TIME", NULL,				\
	  "associations that began longer ago, as in 90s, 5m or 2h" },	\
	{ OPT_QUEUE, "queue", "N", NULL,				\
	  "with more bytes unread, or connections to accept" },		\
	{ OPT_ID, "id", "ID", NULL,					\
	  "this association or socket alone, see 'altconn show -e'" }

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

/**
 * struct found - the associations and sockets that the module has listed
 * @assocs: associations, sorted by id, which is the order of creation
 * @n_assocs: number of @assocs
 * @socks: listeners and datagram sockets, sorted by id
 * @n_socks: number of @socks
 * @interrupted: objects that ended during the dump may be missing
 */
struct found {
	struct assoc *assocs;
	size_t n_assocs;
	struct sock *socks;
	size_t n_socks;
	bool interrupted;
};

int filter_option(struct filter *filter, const char *cmd, int key);
int filter_addresses(struct filter *filter, const char *cmd, int argc,
		     char **argv);
bool filter_any(const struct filter *filter);
bool filter_assoc(const struct filter *filter, const struct assoc *a);
bool filter_sock(const struct filter *filter, const struct sock *s);

bool sock_connected(const struct sock *s);
const char *assoc_state(uint32_t state);

int found_ask(struct found *found, const struct filter *filter);
void found_free(struct found *found);

#endif /* ALTCONN_TOOL_FILTER_H */
