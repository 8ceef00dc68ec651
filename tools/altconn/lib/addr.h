/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Addresses have one syntax as text, in all commands.
 */
#ifndef ALTCONN_TOOL_ADDR_H
#define ALTCONN_TOOL_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/altconn.h>

/**
 * struct addr - a canonical address
 * @kind: enum altconn_kind, or a larger number from a newer module
 * @node: node of a port or a name, ALTCONN_NODE_SELF for this network
 *	namespace; interface index of a link-local IP address
 * @port: port of an address of the kind port or inet
 * @len: number of valid bytes in @bytes
 * @bytes: the name, the path or the IPv6 address; an IPv4 address is v4-mapped
 */
struct addr {
	uint32_t kind;
	uint32_t node;
	uint32_t port;
	size_t len;
	unsigned char bytes[ALTCONN_PATH_MAX];
};

/* The longest text has a kind, a node, and an escape sequence for each byte. */
#define ADDR_TEXT_MAX	(32 + 4 * ALTCONN_PATH_MAX)

const char *addr_parse(const char *text, struct addr *addr);
bool addr_parse_node(const char **text, bool broadcast, uint32_t *node,
		     const char **wrong);
bool addr_parse_path(const char *text, char *path, const char **wrong);
void addr_to_text(const struct addr *addr, char *text);
void addr_of_sockaddr(const void *sockaddr, size_t len, int format,
		      struct addr *addr);
void addr_to_sockaddr(const struct addr *addr, int family,
		      struct sockaddr_altconn *sac);
const char *addr_format_name(uint32_t format);
bool addr_equal(const struct addr *a, const struct addr *b);

void addr_escape(const unsigned char *bytes, size_t len, char *text);

#endif /* ALTCONN_TOOL_ADDR_H */
