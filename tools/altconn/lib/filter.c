// SPDX-License-Identifier: GPL-2.0
/*
 * This file parses the options that select associations and sockets, and asks
 * the module for the associations and sockets.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/nl.h"
#include "lib/rule.h"
#include "lib/sort.h"

/* Parse a number that is the whole of @text. */
static bool parse_u64(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return isdigit((unsigned char)*text) && !*end && !errno;
}

static bool parse_u32(const char *text, uint32_t *value)
{
	uint64_t v;

	if (!parse_u64(text, &v) || v > UINT32_MAX)
		return false;
	*value = v;
	return true;
}

static bool parse_user(const char *text, uint32_t *uid)
{
	const struct passwd *pw;

	if (parse_u32(text, uid))
		return true;
	pw = getpwnam(text);
	if (pw)
		*uid = pw->pw_uid;
	return pw;
}

/* Parse a time such as 90, 90s, 5m, 2h, 1d or 250ms. */
static bool parse_age(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {
		{ "", 1e3 }, { "ms", 1 }, { "s", 1e3 }, { "m", 6e4 },
		{ "min", 6e4 }, { "h", 36e5 }, { "d", 864e5 },
	};
	double value;
	char *end;
	size_t i;

	value = strtod(text, &end);
	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].unit))
			break;
	if (i == ARRAY_SIZE(units) || !isdigit((unsigned char)*text) ||
	    !(value < 1e12))
		return false;
	*ms = value * units[i].ms + 0.5;
	return true;
}

static int wrong(const char *cmd, const char *what)
{
	complain("%s: '%s' is no %s", cmd, optarg, what);
	return EXIT_USAGE;
}

/**
 * filter_option - apply an option of FILTER_OPTS
 * @filter: gets the value of the option
 * @cmd: name of the command
 * @key: the option; its argument is in optarg. An option that is not in
 *	FILTER_OPTS is ignored.
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int filter_option(struct filter *filter, const char *cmd, int key)
{
	switch (key) {
	case 'l':
		filter->want |= WANT_LISTENERS;
		break;
	case 'c':
		filter->want |= WANT_CONNECTED;
		break;
	case 'w':
		filter->want |= WANT_WAITING;
		break;
	case 't':
		filter->type = optarg;
		break;
	case OPT_STATE:
		filter->state = optarg;
		break;
	case OPT_PID:
		filter->has_pid = true;
		if (!parse_u32(optarg, &filter->pid))
			return wrong(cmd, "process id");
		break;
	case OPT_UID:
		filter->has_uid = true;
		if (!parse_user(optarg, &filter->uid))
			return wrong(cmd, "user");
		break;
	case OPT_OLDER:
		filter->has_older = true;
		if (!parse_age(optarg, &filter->older_ms))
			return wrong(cmd, "time; it is as in 250ms, 90s, 5m or 2h");
		break;
	case OPT_QUEUE:
		filter->has_queue = true;
		if (!parse_u64(optarg, &filter->queue))
			return wrong(cmd, "number");
		break;
	case OPT_ID:
		if (!parse_u64(optarg, &filter->id) || !filter->id)
			return wrong(cmd, "id; 'altconn show -e' lists them");
		break;
	}
	return EXIT_OK;
}

/**
 * filter_addresses - parse the address arguments
 * @filter: gets the addresses; the caller frees @filter->addrs
 * @cmd: name of the command
 * @argc: number of addresses
 * @argv: the addresses as text
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int filter_addresses(struct filter *filter, const char *cmd, int argc,
		     char **argv)
{
	const char *problem;

	filter->addrs = grow(NULL, argc, sizeof(*filter->addrs));
	for (; argc; argc--, argv++) {
		problem = addr_parse(*argv, &filter->addrs[filter->n_addrs++]);
		if (!problem)
			continue;
		complain("%s: '%s' is no address: %s", cmd, *argv, problem);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

/**
 * filter_any - check whether a filter selects less than everything
 * @filter: the filter
 *
 * Return: true if the filter has any condition, else false.
 */
bool filter_any(const struct filter *filter)
{
	return filter->want || filter->type || filter->state ||
	       filter->has_pid || filter->has_uid || filter->has_older ||
	       filter->has_queue || filter->id || filter->n_addrs;
}

/**
 * assoc_state - get the name of a state of associations, as in JSON
 * @state: enum altconn_assoc_state
 *
 * Return: the name, or NULL if the tool does not know the state.
 */
const char *assoc_state(uint32_t state)
{
	static const char * const names[] = {
		[ALTCONN_ASSOC_STATE_PENDING] = "pending",
		[ALTCONN_ASSOC_STATE_QUEUED] = "queued",
		[ALTCONN_ASSOC_STATE_ESTABLISHED] = "established",
		[ALTCONN_ASSOC_STATE_CLOSING] = "closing",
		[ALTCONN_ASSOC_STATE_CLOSED] = "closed",
	};

	return state < ARRAY_SIZE(names) ? names[state] : NULL;
}

/**
 * sock_connected - check whether a socket is a connected datagram socket
 * @s: a listener or a datagram socket
 *
 * Return: true if the socket is a connected datagram socket, else false.
 */
bool sock_connected(const struct sock *s)
{
	return record_has(s->known, ALTCONN_A_SOCKET_PEER) &&
	       s->peer.kind != ALTCONN_KIND_NONE;
}

static const char *sock_state(const struct sock *s)
{
	if (s->listening)
		return "listening";
	return sock_connected(s) ? "established" : "unconnected";
}

static bool addr_wanted(const struct filter *filter, const struct addr *a,
			const struct addr *b)
{
	size_t i;

	for (i = 0; i < filter->n_addrs; i++)
		if (addr_equal(&filter->addrs[i], a) ||
		    addr_equal(&filter->addrs[i], b))
			return true;
	return !filter->n_addrs;
}

static bool row_wanted(const struct filter *filter, unsigned int is,
		       uint32_t type, const char *state)
{
	if (filter->want && !(filter->want & is))
		return false;
	if (filter->type && strcmp(filter->type, type_name(type)))
		return false;
	return !filter->state || (state && !strcmp(filter->state, state));
}

static bool is_pid(const struct filter *filter, const struct end *end)
{
	return record_has(end->known, ALTCONN_A_END_PID) &&
	       end->pid == filter->pid;
}

static bool is_uid(const struct filter *filter, const struct end *end)
{
	return record_has(end->known, ALTCONN_A_END_UID) &&
	       end->uid == filter->uid;
}

static bool process_wanted(const struct filter *filter, const struct end *a,
			   const struct end *b)
{
	if (filter->has_pid && !is_pid(filter, a) && !is_pid(filter, b))
		return false;
	return !filter->has_uid || is_uid(filter, a) || is_uid(filter, b);
}

/**
 * filter_assoc - check whether a filter selects an association
 * @filter: the filter
 * @a: the association
 *
 * Return: true if the filter selects the association, else false.
 */
bool filter_assoc(const struct filter *filter, const struct assoc *a)
{
	unsigned int is = WANT_CONNECTED;

	if (a->state == ALTCONN_ASSOC_STATE_PENDING)
		is |= WANT_WAITING;
	if (filter->id && a->id != filter->id)
		return false;
	if (filter->has_older && a->age_ms <= filter->older_ms)
		return false;
	if (filter->has_queue && a->client.recv_queue <= filter->queue &&
	    a->server.recv_queue <= filter->queue)
		return false;
	return row_wanted(filter, is, a->type, assoc_state(a->state)) &&
	       process_wanted(filter, &a->client, &a->server) &&
	       addr_wanted(filter, &a->client.addr, &a->server.addr);
}

/**
 * filter_sock - check whether a filter selects a socket
 * @filter: the filter; a filter by age selects no socket, since the module does
 *	not report the age of sockets
 * @s: a listener or a datagram socket
 *
 * Return: true if the filter selects the socket, else false.
 */
bool filter_sock(const struct filter *filter, const struct sock *s)
{
	unsigned int is = 0;

	if (s->listening)
		is = WANT_LISTENERS;
	else if (sock_connected(s))
		is = WANT_CONNECTED;
	if (filter->has_older || (filter->id && s->id != filter->id))
		return false;
	if (filter->has_queue && filter->queue >=
	    (s->listening ? s->queued : s->owner.recv_queue))
		return false;
	return row_wanted(filter, is, s->type, sock_state(s)) &&
	       process_wanted(filter, &s->owner, &s->owner) &&
	       addr_wanted(filter, &s->owner.addr, &s->peer);
}

/* ---- lists from the module ---- */

/* Make room for one more member. The room doubles at each power of two. */
static void *room_for_one(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return grow(array, count ? 2 * count : 1, size);
}

static int on_assoc(const struct nlmsghdr *nlh, void *data)
{
	struct found *found = data;

	found->assocs = room_for_one(found->assocs, found->n_assocs,
				     sizeof(*found->assocs));
	return assoc_read(nlh, &found->assocs[found->n_assocs++]);
}

static int on_sock(const struct nlmsghdr *nlh, void *data)
{
	struct found *found = data;
	struct sock *sock;
	int ret;

	found->socks = room_for_one(found->socks, found->n_socks,
				    sizeof(*found->socks));
	sock = &found->socks[found->n_socks++];
	ret = sock_read(nlh, sock);
	/* The string is in the message, which the next message overwrites. */
	if (sock->file)
		sock->file = strcpy(grow(NULL, strlen(sock->file) + 1, 1),
				    sock->file);
	return ret;
}

/*
 * Get the number of the state of associations with the name @state. Return
 * false if associations have no such state.
 */
static bool state_of_assocs(const char *state, uint32_t *number)
{
	uint32_t i;

	for (i = 0; assoc_state(i); i++) {
		if (strcmp(assoc_state(i), state))
			continue;
		*number = i;
		return true;
	}
	return false;
}

/*
 * Ask the module to list only what the filter may select. The tool applies the
 * whole filter to the list later. The module requires all properties in a nest
 * of one and the same end, while the filter accepts each property at either
 * end. So the request has only one property of an end.
 */
static void put_end(struct nlmsghdr *nlh, uint16_t attr,
		    const struct filter *filter, bool addr)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	if (addr && filter->n_addrs == 1)
		addr_write(nlh, ALTCONN_A_END_ADDR, &filter->addrs[0]);
	else if (filter->has_pid)
		mnl_attr_put_u32(nlh, ALTCONN_A_END_PID, filter->pid);
	else if (filter->has_uid)
		mnl_attr_put_u32(nlh, ALTCONN_A_END_UID, filter->uid);
	mnl_attr_nest_end(nlh, nest);
}

static int ask_assocs(struct nl *nl, struct found *found,
		      const struct filter *filter)
{
	struct nlmsghdr *nlh = nl_dump_request(nl, ALTCONN_CMD_ASSOC_GET);
	uint32_t state = ALTCONN_ASSOC_STATE_PENDING;

	if (filter->want == WANT_LISTENERS ||
	    (filter->type && !strcmp(filter->type, type_name(SOCK_DGRAM))) ||
	    (filter->state && !state_of_assocs(filter->state, &state)))
		return EXIT_OK;
	if (filter->id)
		mnl_attr_put_u64(nlh, ALTCONN_A_ASSOC_ID, filter->id);
	if (filter->type)
		mnl_attr_put_u32(nlh, ALTCONN_A_ASSOC_TYPE,
				 record_type(type_number(filter->type)));
	if (filter->state || filter->want == WANT_WAITING)
		mnl_attr_put_u32(nlh, ALTCONN_A_ASSOC_STATE, state);
	put_end(nlh, ALTCONN_A_ASSOC_END, filter, true);
	return nl_dump_talk(nl, on_assoc, found, &found->interrupted);
}

static int ask_socks(struct nl *nl, struct found *found,
		     const struct filter *filter)
{
	struct nlmsghdr *nlh = nl_dump_request(nl, ALTCONN_CMD_SOCKET_GET);
	bool listeners = filter->want == WANT_LISTENERS;
	uint32_t state;

	/* Associations and sockets can both be "established". */
	if (filter->want == WANT_WAITING || filter->has_older ||
	    (filter->state && state_of_assocs(filter->state, &state) &&
	     state != ALTCONN_ASSOC_STATE_ESTABLISHED))
		return EXIT_OK;
	if (filter->id)
		mnl_attr_put_u64(nlh, ALTCONN_A_SOCKET_ID, filter->id);
	if (filter->type)
		mnl_attr_put_u32(nlh, ALTCONN_A_SOCKET_TYPE,
				 record_type(type_number(filter->type)));
	if (listeners)
		mnl_attr_put(nlh, ALTCONN_A_SOCKET_LISTENING, 0, NULL);
	/*
	 * The filter may mean the peer address of a datagram socket, so an
	 * address is sent only if listeners alone are wanted.
	 */
	put_end(nlh, ALTCONN_A_SOCKET_OWNER, filter, listeners);
	return nl_dump_talk(nl, on_sock, found, &found->interrupted);
}

/**
 * found_ask - ask the module for associations and sockets
 * @found: zeroed; gets the lists, which the caller frees with found_free() also
 *	after a failure
 * @filter: selects the objects, or NULL for all; the lists may have more
 *	objects, so the caller has to apply the filter again
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int found_ask(struct found *found, const struct filter *filter)
{
	static const struct filter all;
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = ask_socks(&nl, found, filter ? : &all);
	if (ret == EXIT_OK)
		ret = ask_assocs(&nl, found, filter ? : &all);
	nl_close(&nl);
	if (ret == EXIT_OK)
		sort_found(found, "id", false);
	return ret;
}

/**
 * found_free - free the lists of found_ask()
 * @found: the lists
 */
void found_free(struct found *found)
{
	size_t i;

	free(found->assocs);
	for (i = 0; i < found->n_socks; i++)
		free((char *)found->socks[i].file);
	free(found->socks);
}
