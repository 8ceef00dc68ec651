/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module lists associations and sockets, and a struct found has the lists.
 */
#ifndef ALTCONN_TOOL_FOUND_H
#define ALTCONN_TOOL_FOUND_H

#include "lib/filter.h"
#include "lib/record.h"

/**
 * struct found - the associations and sockets that the module has listed
 * @assocs: associations, the oldest one first
 * @n_assocs: number of @assocs
 * @socks: listeners and datagram sockets, the oldest one first
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

int found_get(struct found *found, const struct filter *filter);
void found_free(struct found *found);

#endif /* ALTCONN_TOOL_FOUND_H */
