// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses as text:
 *
 *	port:4000	a port of this node; port:7/4000 is node 7's,
 *			and the node * is broadcast
 *	name:db		a name of this node; name:7/db is node 7's
 *	inet:127.0.0.1:80	an IPv4 address and a port
 *	inet:[::1]:80	an IPv6 address and a port; of a link-local one the
 *			interface follows: inet:[fe80::1%2]:80
 *	path:/run/x	a socket file
 *	*		unnamed; - is read as the same
 *
 * In names and paths a byte that is no visible ASCII character, and the
 * backslash, is \xNN. So is the slash of a local name that would otherwise
 * read as a node, as in name:7\x2fdb.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "addr.h"

/**
 * escape_bytes - write bytes so that a terminal and a script can take them
 * @bytes: any bytes
 * @len: how many
 * @text: room for 4 * @len + 1 characters
 */
void escape_bytes(const unsigned char *bytes, size_t len, char *text)
{
	for (; len; len--, bytes++) {
		if (*bytes > ' ' && *bytes < 0x7f && *bytes != '\\')
			*text++ = *bytes;
		else
			text += sprintf(text, "\\x%02x", *bytes);
	}
	*text = '\0';
}

static const char *unescape(const char *text, unsigned char *bytes, size_t *len,
			    size_t max)
{
	char hex[3] = "";

	for (*len = 0; *text; ++*len) {
		if (*len == max)
			return "it is too long";
		if (*text != '\\') {
			bytes[*len] = *text++;
			continue;
		}
		if (text[1] != 'x' || !isxdigit((unsigned char)text[2]) ||
		    !isxdigit((unsigned char)text[3]))
			return "a backslash begins \\xNN";
		memcpy(hex, text + 2, 2);
		bytes[*len] = strtoul(hex, NULL, 16);
		text += 4;
	}
	return NULL;
}

/* How many digits stand before a slash; 0: this is no node. */
static size_t node_digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)text[n]))
		n++;
	return n < len && text[n] == '/' ? n : 0;
}

static bool parse_u32(const char *text, size_t len, uint32_t *value)
{
	uint64_t v = 0;

	if (!len || len > 10)
		return false;
	for (; len; len--, text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		v = v * 10 + (*text - '0');
	}
	*value = v;
	return v <= UINT32_MAX;
}

static const char *parse_port(const char *text, struct addr *addr)
{
	size_t n = node_digits(text, strlen(text));

	if (!strncmp(text, "*/", 2)) {
		addr->node = ALTCONN_NODE_BROADCAST;
		text += 2;
	} else if (n) {
		if (!parse_u32(text, n, &addr->node))
			return "the node is a number of 32 bits";
		text += n + 1;
	}
	if (!parse_u32(text, strlen(text), &addr->port))
		return "the port is a number of 32 bits";
	return NULL;
}

static const char *parse_name(const char *text, struct addr *addr)
{
	size_t n = node_digits(text, strlen(text));

	if (n) {
		if (!parse_u32(text, n, &addr->node))
			return "the node is a number of 32 bits";
		text += n + 1;
	}
	return unescape(text, addr->bytes, &addr->len, ALTCONN_NAME_MAX);
}

/* An IP address without its port. */
static bool parse_ip(char *text, struct addr *addr)
{
	char *scope = strchr(text, '%');

	addr->len = 16;
	if (text[0] != '[') {
		memset(addr->bytes + 10, 0xff, 2);
		return inet_pton(AF_INET, text, addr->bytes + 12) == 1;
	}
	if (text[strlen(text) - 1] != ']')
		return false;
	text[strlen(text) - 1] = '\0';
	if (scope) {
		*scope++ = '\0';
		addr->node = if_nametoindex(scope);
		if (!addr->node && !parse_u32(scope, strlen(scope), &addr->node))
			return false;
	}
	return inet_pton(AF_INET6, text + 1, addr->bytes) == 1;
}

static const char *parse_inet(const char *text, struct addr *addr)
{
	const char *port = strrchr(text, ':');
	char ip[INET6_ADDRSTRLEN + IF_NAMESIZE + 4];

	if (!port || !parse_u32(port + 1, strlen(port + 1), &addr->port) ||
	    addr->port > UINT16_MAX)
		return "an IP address ends with a colon and a port up to 65535";
	if (snprintf(ip, sizeof(ip), "%.*s", (int)(port - text), text) >=
	    (int)sizeof(ip) || !parse_ip(ip, addr))
		return "it is inet:1.2.3.4:PORT or inet:[IPv6]:PORT";
	return NULL;
}

static const char *parse_path(const char *text, unsigned char *bytes,
			      size_t *len, size_t max)
{
	const char *wrong = unescape(text, bytes, len, max);

	if (!wrong && (!*len || memchr(bytes, 0, *len)))
		return "a path has at least one byte, and no \\x00";
	return wrong;
}

/**
 * addr_parse_path - read an address that is a path, however long
 * @text: what the user wrote
 * @path: room for PATH_MAX characters
 * @wrong: what is wrong with @text, or NULL
 *
 * Return: whether @text is a path at all.
 */
bool addr_parse_path(const char *text, char *path, const char **wrong)
{
	size_t len;

	if (strncmp(text, "path:", 5))
		return false;
	*wrong = parse_path(text + 5, (unsigned char *)path, &len,
			    PATH_MAX - 1);
	if (!*wrong)
		path[len] = '\0';
	return true;
}

/**
 * addr_parse - read an address
 * @text: what the user wrote
 * @addr: is filled in
 *
 * Return: NULL, or what is wrong with @text.
 */
const char *addr_parse(const char *text, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (!strcmp(text, "*") || !strcmp(text, "-"))
		return NULL;
	if (!strncmp(text, "port:", 5)) {
		addr->kind = ALTCONN_KIND_PORT;
		return parse_port(text + 5, addr);
	}
	if (!strncmp(text, "name:", 5)) {
		addr->kind = ALTCONN_KIND_NAME;
		return parse_name(text + 5, addr);
	}
	if (!strncmp(text, "inet:", 5)) {
		addr->kind = ALTCONN_KIND_INET;
		return parse_inet(text + 5, addr);
	}
	if (!strncmp(text, "path:", 5)) {
		addr->kind = ALTCONN_KIND_PATH;
		return parse_path(text + 5, addr->bytes, &addr->len,
				  ALTCONN_PATH_MAX);
	}
	return "an address is port:N, port:NODE/N, name:TEXT, inet:IP:PORT, path:FILE or *";
}

static void format_name(const struct addr *addr, char *text)
{
	size_t n = 0;

	if (addr->node == ALTCONN_NODE_SELF) {
		text += sprintf(text, "name:");
		n = node_digits((const char *)addr->bytes, addr->len);
	} else {
		text += sprintf(text, "name:%u/", addr->node);
	}
	if (n) {
		escape_bytes(addr->bytes, n, text);
		text += n;
		text += sprintf(text, "\\x2f");
		n++;
	}
	escape_bytes(addr->bytes + n, addr->len - n, text);
}

static void format_inet(const struct addr *addr, char *text)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char ip[INET6_ADDRSTRLEN] = "";

	if (!memcmp(addr->bytes, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, addr->bytes + 12, ip, sizeof(ip));
		sprintf(text, "inet:%s:%u", ip, addr->port);
		return;
	}
	inet_ntop(AF_INET6, addr->bytes, ip, sizeof(ip));
	if (addr->node)
		sprintf(text, "inet:[%s%%%u]:%u", ip, addr->node, addr->port);
	else
		sprintf(text, "inet:[%s]:%u", ip, addr->port);
}

/**
 * addr_format - write an address
 * @addr: which
 * @text: room for ADDR_TEXT_MAX characters
 */
void addr_format(const struct addr *addr, char *text)
{
	switch (addr->kind) {
	case ALTCONN_KIND_NONE:
		strcpy(text, "*");
		break;
	case ALTCONN_KIND_PORT:
		if (addr->node == ALTCONN_NODE_BROADCAST)
			sprintf(text, "port:*/%u", addr->port);
		else if (addr->node != ALTCONN_NODE_SELF)
			sprintf(text, "port:%u/%u", addr->node, addr->port);
		else
			sprintf(text, "port:%u", addr->port);
		break;
	case ALTCONN_KIND_NAME:
		format_name(addr, text);
		break;
	case ALTCONN_KIND_INET:
		format_inet(addr, text);
		break;
	case ALTCONN_KIND_PATH:
		strcpy(text, "path:");
		escape_bytes(addr->bytes, addr->len, text + 5);
		break;
	default:
		sprintf(text, "kind%u:?", addr->kind);
	}
}

/**
 * addr_equal - whether two addresses are one
 * @a: one
 * @b: the other
 *
 * Paths are compared as they are written; the tool does not look up inodes.
 *
 * Return: true when they are.
 */
bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->kind == b->kind && a->node == b->node &&
	       a->port == b->port && a->len == b->len &&
	       !memcmp(a->bytes, b->bytes, a->len);
}

static void of_native(const struct sockaddr_altconn *sac, struct addr *addr)
{
	addr->kind = sac->sac_kind;
	addr->node = sac->sac_node;
	switch (sac->sac_kind) {
	case ALTCONN_KIND_PORT:
		addr->port = sac->sac_port;
		break;
	case ALTCONN_KIND_INET:
		addr->port = sac->sac_inet.port;
		addr->node = sac->sac_inet.scope;
		addr->len = sizeof(sac->sac_inet.addr);
		memcpy(addr->bytes, sac->sac_inet.addr, addr->len);
		break;
	default:
		addr->len = sac->sac_len < ALTCONN_PATH_MAX ?
			    sac->sac_len : ALTCONN_PATH_MAX;
		memcpy(addr->bytes, sac->sac_path, addr->len);
		break;
	}
}

static void of_unix(const struct sockaddr_un *sun, size_t len, struct addr *addr)
{
	len -= offsetof(struct sockaddr_un, sun_path);
	if (len > ALTCONN_PATH_MAX)
		len = ALTCONN_PATH_MAX;
	if (sun->sun_path[0]) {
		addr->kind = ALTCONN_KIND_PATH;
		addr->len = strnlen(sun->sun_path, len);
		memcpy(addr->bytes, sun->sun_path, addr->len);
	} else {
		addr->kind = ALTCONN_KIND_NAME;
		addr->len = len - 1;
		memcpy(addr->bytes, sun->sun_path + 1, addr->len);
	}
}

static void of_in(const struct sockaddr_in *sin, struct addr *addr)
{
	addr->kind = ALTCONN_KIND_INET;
	addr->port = ntohs(sin->sin_port);
	addr->len = 16;
	memset(addr->bytes, 0, 10);
	memset(addr->bytes + 10, 0xff, 2);
	memcpy(addr->bytes + 12, &sin->sin_addr, 4);
}

static void of_in6(const struct sockaddr_in6 *sin6, struct addr *addr)
{
	addr->kind = ALTCONN_KIND_INET;
	addr->port = ntohs(sin6->sin6_port);
	addr->node = sin6->sin6_scope_id;
	addr->len = 16;
	memcpy(addr->bytes, &sin6->sin6_addr, 16);
}

/**
 * addr_of_sockaddr - what getsockname(2) or getpeername(2) gave
 * @sockaddr: the address in the socket's format
 * @len: its length
 * @format: the protocol argument of socket()
 * @addr: is filled in; unnamed where the address is
 */
void addr_of_sockaddr(const void *sockaddr, size_t len, int format,
		      struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (format == ALTCONN_NATIVE && len >= sizeof(struct sockaddr_altconn))
		of_native(sockaddr, addr);
	else if (format == ALTCONN_UNIX && len > sizeof(sa_family_t))
		of_unix(sockaddr, len, addr);
	else if (format == ALTCONN_INET && len >= sizeof(struct sockaddr_in))
		of_in(sockaddr, addr);
	else if (format == ALTCONN_INET6 && len >= sizeof(struct sockaddr_in6))
		of_in6(sockaddr, addr);
}

/**
 * addr_to_sockaddr - an address in the native format
 * @addr: an address that addr_parse() read, not unnamed
 * @family: number of the family
 * @sac: is filled in
 */
void addr_to_sockaddr(const struct addr *addr, int family,
		      struct sockaddr_altconn *sac)
{
	memset(sac, 0, sizeof(*sac));
	sac->sac_family = family;
	sac->sac_kind = addr->kind;
	switch (addr->kind) {
	case ALTCONN_KIND_PORT:
		sac->sac_node = addr->node;
		sac->sac_port = addr->port;
		break;
	case ALTCONN_KIND_INET:
		sac->sac_inet.port = addr->port;
		sac->sac_inet.scope = addr->node;
		memcpy(sac->sac_inet.addr, addr->bytes, 16);
		break;
	default:
		if (addr->kind == ALTCONN_KIND_NAME)
			sac->sac_node = addr->node;
		sac->sac_len = addr->len;
		memcpy(sac->sac_path, addr->bytes, addr->len);
		break;
	}
}
