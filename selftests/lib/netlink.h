/* SPDX-License-Identifier: GPL-2.0 */
/* This header is for generic netlink requests to altconn. */
#ifndef _ALTCONN_TEST_NETLINK_H
#define _ALTCONN_TEST_NETLINK_H

#include <stddef.h>
#include <stdint.h>

/* Maximum size of the attributes of a request, in bytes */
#define NL_ATTRS_MAX	512

struct nl_attr {
	int type;
	const void *value;
	size_t len;
};

/* Write attributes. An attribute of length 0 ends @attrs. Return the size. */
size_t nl_put(char *to, const struct nl_attr *attrs);

/*
 * Send a request. Return the errno in its answer, or -1 if there is none. If
 * @number is not NULL, set it to the number in a message before the answer.
 */
int nl_ask(int cmd, const struct nl_attr *attrs, uint32_t *number);

#endif /* _ALTCONN_TEST_NETLINK_H */
