/* SPDX-License-Identifier: GPL-2.0 */
/* These functions send requests of generic netlink to altconn. */
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

struct nlattr;

/* Write attributes. An attribute of length 0 ends @attrs. Return the size. */
size_t nl_put(char *to, const struct nl_attr *attrs);

/*
 * Send a request. Return the errno in its answer, or -1 if there is none. If
 * @number is not NULL, set it to the number in a message before the answer.
 */
int nl_ask(int cmd, const struct nl_attr *attrs, uint32_t *number);

/*
 * Send a request without waiting for an answer. Return a socket that gets the
 * answer, or -1. @flags are flags of the request in addition to NLM_F_REQUEST.
 */
int nl_request(int flags, int cmd, const struct nl_attr *attrs);

/* Return an attribute of @len bytes of attributes, or NULL. */
const struct nlattr *nl_find(const void *from, int len, int type);
/* Return an attribute of the attribute @in, or NULL. */
const struct nlattr *nl_nested(const struct nlattr *in, int type);
/* Copy a value. It is 0 if @attr is NULL. */
void nl_value(const struct nlattr *attr, void *value, size_t len);

#endif /* _ALTCONN_TEST_NETLINK_H */
