// SPDX-License-Identifier: GPL-2.0
/*
 * This file requests the lists of associations and sockets from the module.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/altconn_netlink.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/found.h"
#include "lib/nl.h"
#include "lib/sort.h"

static int found_on_assoc(const struct nlmsghdr *nlh, void *data)
{
	struct found *found = data;

	found->assocs = array_add(found->assocs, found->n_assocs,
				  sizeof(*found->assocs));
	return record_read_assoc(nlh, &found->assocs[found->n_assocs++]);
}

static int found_on_sock(const struct nlmsghdr *nlh, void *data)
{
	struct found *found = data;
	struct sock *sock;
	int ret;

	found->socks = array_add(found->socks, found->n_socks,
				 sizeof(*found->socks));
	sock = &found->socks[found->n_socks++];
	ret = record_read_sock(nlh, sock);
	/* The string is in the message, which the next message overwrites. */
	if (sock->file)
		sock->file = array_of_text(sock->file);
	return ret;
}

/*
 * Put a property of an end into a request. The module then lists only objects
 * that the filter may select, and the tool applies the whole filter to the list
 * later. The module requires all properties in a nest of one and the same end,
 * while the filter accepts each property at either end. So the request has only
 * one property of an end.
 */
static void found_put_end(struct nlmsghdr *nlh, uint16_t attr,
			  const struct filter *filter, bool addr)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	if (addr && filter->n_addrs == 1)
		record_write_addr(nlh, ALTCONN_A_END_ADDR, &filter->addrs[0]);
	else if (filter->has_pid)
		mnl_attr_put_u32(nlh, ALTCONN_A_END_PID, filter->pid);
	else if (filter->has_uid)
		mnl_attr_put_u32(nlh, ALTCONN_A_END_UID, filter->uid);
	mnl_attr_nest_end(nlh, nest);
}

static int found_get_assocs(struct nl *nl, struct found *found,
			    const struct filter *filter)
{
	struct nlmsghdr *nlh = nl_dump_request(nl, ALTCONN_CMD_ASSOC_GET);
	uint32_t type = filter->type ? record_type_number(filter->type) : 0;
	uint32_t state = ALTCONN_ASSOC_STATE_PENDING;

	if (filter->want == WANT_LISTENERS || type == SOCK_DGRAM ||
	    (filter->state && !record_state_number(filter->state, &state)))
		return EXIT_OK;
	if (filter->id)
		mnl_attr_put_u64(nlh, ALTCONN_A_ASSOC_ID, filter->id);
	if (type)
		mnl_attr_put_u32(nlh, ALTCONN_A_ASSOC_TYPE,
				 record_type_value(type));
	if (filter->state || filter->want == WANT_WAITING)
		mnl_attr_put_u32(nlh, ALTCONN_A_ASSOC_STATE, state);
	found_put_end(nlh, ALTCONN_A_ASSOC_END, filter, true);
	return nl_dump_talk(nl, found_on_assoc, found, &found->interrupted);
}

static int found_get_socks(struct nl *nl, struct found *found,
			   const struct filter *filter)
{
	struct nlmsghdr *nlh = nl_dump_request(nl, ALTCONN_CMD_SOCKET_GET);
	uint32_t type = filter->type ? record_type_number(filter->type) : 0;
	bool listeners = filter->want == WANT_LISTENERS;
	uint32_t state;

	/* Associations and sockets can both be "established". */
	if (filter->want == WANT_WAITING || filter->has_older ||
	    (filter->state && record_state_number(filter->state, &state) &&
	     state != ALTCONN_ASSOC_STATE_ESTABLISHED))
		return EXIT_OK;
	if (filter->id)
		mnl_attr_put_u64(nlh, ALTCONN_A_SOCKET_ID, filter->id);
	if (type)
		mnl_attr_put_u32(nlh, ALTCONN_A_SOCKET_TYPE,
				 record_type_value(type));
	if (listeners)
		mnl_attr_put(nlh, ALTCONN_A_SOCKET_LISTENING, 0, NULL);
	/*
	 * The address of the filter may be the peer address of a datagram
	 * socket. So the request has the address only if the filter selects
	 * listeners alone.
	 */
	found_put_end(nlh, ALTCONN_A_SOCKET_OWNER, filter, listeners);
	return nl_dump_talk(nl, found_on_sock, found, &found->interrupted);
}

/**
 * found_get - request associations and sockets from the module
 * @found: zeroed; gets the lists, which the caller frees with found_free() also
 *	after a failure
 * @filter: selects the objects, or NULL for all; the lists may have more
 *	objects, so the caller has to apply the filter again
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int found_get(struct found *found, const struct filter *filter)
{
	static const struct filter all;
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = found_get_socks(&nl, found, filter ? : &all);
	if (ret == EXIT_OK)
		ret = found_get_assocs(&nl, found, filter ? : &all);
	nl_close(&nl);
	if (ret == EXIT_OK)
		sort_found(found, "age", false);
	return ret;
}

/**
 * found_free - free the lists of found_get()
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
