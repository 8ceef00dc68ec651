// SPDX-License-Identifier: GPL-2.0
/*
 * This file parses the options and addresses that select associations and
 * sockets, and applies a filter to each of them.
 */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/filter.h"
#include "lib/message.h"
#include "lib/parse.h"

/* Parse a time such as 90, 90s, 5m, 2h, 1d or 250ms. */
static bool filter_parse_age(const char *text, uint64_t *ms)
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

static int filter_refuse(const char *cmd, const char *what)
{
	message_error("%s: '%s' is no %s", cmd, optarg, what);
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
			return filter_refuse(cmd, "process id");
		break;
	case OPT_UID:
		filter->has_uid = true;
		if (!parse_user(optarg, &filter->uid))
			return filter_refuse(cmd, "user");
		break;
	case OPT_OLDER:
		filter->has_older = true;
		if (!filter_parse_age(optarg, &filter->older_ms))
			return filter_refuse(cmd, "time; examples are 250ms, 90s, 5m and 2h");
		break;
	case OPT_QUEUE:
		filter->has_queue = true;
		if (!parse_u64(optarg, &filter->queue))
			return filter_refuse(cmd, "number");
		break;
	case OPT_ID:
		if (!parse_id(optarg, UINT64_MAX, &filter->id))
			return filter_refuse(cmd, "id; 'altconn show -e' lists them");
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

	filter->addrs = array_grow(NULL, argc, sizeof(*filter->addrs));
	for (; argc; argc--, argv++) {
		problem = addr_parse(*argv, &filter->addrs[filter->n_addrs++]);
		if (!problem)
			continue;
		message_error("%s: '%s' is no address: %s", cmd, *argv, problem);
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

static const char *filter_sock_state(const struct sock *s)
{
	if (s->listening)
		return "listening";
	return record_sock_is_connected(s) ? "established" : "unconnected";
}

/**
 * filter_has_addr - check whether a filter selects one of two addresses
 * @filter: the filter
 * @a: address of one end
 * @b: address of the other end
 *
 * Return: true if the filter has one of the addresses, or no address at all.
 */
bool filter_has_addr(const struct filter *filter, const struct addr *a,
		     const struct addr *b)
{
	size_t i;

	for (i = 0; i < filter->n_addrs; i++)
		if (addr_equal(&filter->addrs[i], a) ||
		    addr_equal(&filter->addrs[i], b))
			return true;
	return !filter->n_addrs;
}

static bool filter_takes_row(const struct filter *filter, unsigned int is,
			     uint32_t type, const char *state)
{
	if (filter->want && !(filter->want & is))
		return false;
	if (filter->type && strcmp(filter->type, record_type_name(type)))
		return false;
	return !filter->state || (state && !strcmp(filter->state, state));
}

static bool filter_is_pid(const struct filter *filter, const struct end *end)
{
	return record_has(end->known, ALTCONN_A_END_PID) &&
	       end->pid == filter->pid;
}

static bool filter_is_uid(const struct filter *filter, const struct end *end)
{
	return record_has(end->known, ALTCONN_A_END_UID) &&
	       end->uid == filter->uid;
}

static bool filter_takes_process(const struct filter *filter,
				 const struct end *a, const struct end *b)
{
	if (filter->has_pid && !filter_is_pid(filter, a) &&
	    !filter_is_pid(filter, b))
		return false;
	return !filter->has_uid || filter_is_uid(filter, a) ||
	       filter_is_uid(filter, b);
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
	return filter_takes_row(filter, is, a->type,
				record_state_name(a->state)) &&
	       filter_takes_process(filter, &a->client, &a->server) &&
	       filter_has_addr(filter, &a->client.addr, &a->server.addr);
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
	else if (record_sock_is_connected(s))
		is = WANT_CONNECTED;
	if (filter->has_older || (filter->id && s->id != filter->id))
		return false;
	if (filter->has_queue && filter->queue >=
	    (s->listening ? s->queued : s->owner.recv_queue))
		return false;
	return filter_takes_row(filter, is, s->type, filter_sock_state(s)) &&
	       filter_takes_process(filter, &s->owner, &s->owner) &&
	       filter_has_addr(filter, &s->owner.addr, &s->peer);
}
