/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which associations and sockets a user means: the same options and addresses for
 * every command that has such.
 */
#ifndef ALTCONN_TOOL_FILTER_H
#define ALTCONN_TOOL_FILTER_H

#include "record.h"

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

/* For the table of a command's options. */
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
 * struct filter - what is wanted
 * @want: WANT_*; 0: all
 * @type: name of the one wanted type, or NULL
 * @state: likewise the state
 * @has_pid: of @pid alone
 * @has_uid: of @uid alone
 * @pid: a process
 * @uid: a user
 * @has_older: older than @older_ms alone
 * @older_ms: milliseconds
 * @has_queue: with more than @queue alone
 * @queue: bytes, or connections
 * @id: this association or socket alone; 0: any
 * @addrs: one of these at either end
 * @n_addrs: how many; 0: any
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
 * struct found - what the module told
 * @assocs: associations, by id, which is the order of their arrival
 * @n_assocs: how many
 * @socks: listeners and datagram sockets, likewise
 * @n_socks: how many
 * @interrupted: some that there were at the beginning may be missing, for they ended
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
