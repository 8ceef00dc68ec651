/* SPDX-License-Identifier: GPL-2.0 */
/* Requests of generic netlink to the family, for the files of this folder. */
#ifndef _ALTCONN_TEST_NETLINK_H
#define _ALTCONN_TEST_NETLINK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of attributes in a request. */
#define NL_ATTRS_MAX	512

struct nl_attr {
	int type;
	const void *value;
	size_t len;
};

/* Attributes in a row; one of length 0 ends @attrs. Returns how many bytes. */
size_t nl_put(char *to, const struct nl_attr *attrs);

/*
 * A request, and the errno of its answer, or -1 when there was none. @number, if
 * it is not NULL, gets the number that a message before the answer has.
 */
int nl_ask(int cmd, const struct nl_attr *attrs, uint32_t *number);

#endif /* _ALTCONN_TEST_NETLINK_H */
