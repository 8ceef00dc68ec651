// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses are written as text in this syntax:
 *
 *	port:4000	a port of this node; port:7/4000 is a port of node 7,
 *			and the node * means broadcast
 *	name:db		a name of this node; name:7/db is a name of node 7
 *	inet:127.0.0.1:80	an IPv4 address and a port
 *	inet:[::1]:80	an IPv6 address and a port; the interface follows a
 *			link-local address: inet:[fe80::1%2]:80
 *	path:/run/x	a socket file
 *	*		unnamed; the parser also accepts -
 *
 * In names and paths a backslash, and a byte that is not a visible ASCII
 * character, is written as \xNN. The slash of a local name is written so if the
 * name would otherwise begin with a node, as in name:7\x2fdb.
 */
#include <ctype.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/ip.h"
#include "lib/parse.h"

/**
 * addr_escape - write bytes as visible ASCII characters without spaces
 * @bytes: any bytes
 * @len: number of bytes
 * @text: gets the text; space for 4 * @len + 1 characters
 */
void addr_escape(const unsigned char *bytes, size_t len, char *text)
{
	for (; len; len--, bytes++) {
		if (*bytes > ' ' && *bytes < 0x7f && *bytes != '\\')
			*text++ = *bytes;
		else
			text += sprintf(text, "\\x%02x", *bytes);
	}
	*text = '\0';
}

static const char *addr_unescape(const char *text, unsigned char *bytes,
				 size_t *len, size_t max)
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

/*
 * Return the number of digits before the first slash, or 0 if @text does not
 * begin with a node.
 */
static size_t addr_node_digits(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && isdigit((unsigned char)text[n]))
		n++;
	return n < len && text[n] == '/' ? n : 0;
}

/**
 * addr_parse_node - parse the node before a port or a name, such as "7/"
 * @text: moved past the node
 * @broadcast: the node * is allowed, which means broadcast
 * @node: gets the node if there is one, else unchanged
 * @wrong: set to the reason if the node is malformed, else unchanged
 *
 * Return: whether @text begins with a node.
 */
bool addr_parse_node(const char **text, bool broadcast, uint32_t *node,
		     const char **wrong)
{
	size_t digits = addr_node_digits(*text, strlen(*text));
	uint64_t value;

	if (broadcast && !strncmp(*text, "*/", 2)) {
		*node = ALTCONN_NODE_BROADCAST;
		*text += 2;
		return true;
	}
	if (!digits)
		return false;
	if (parse_digits(*text, digits, UINT32_MAX, &value))
		*node = value;
	else
		*wrong = "the node is a number of 32 bits";
	*text += digits + 1;
	return true;
}

static const char *addr_parse_port(const char *text, struct addr *addr)
{
	const char *wrong = NULL;

	addr_parse_node(&text, true, &addr->node, &wrong);
	if (!wrong && !parse_u32(text, &addr->port))
		wrong = "the port is a number of 32 bits";
	return wrong;
}

static const char *addr_parse_name(const char *text, struct addr *addr)
{
	const char *wrong = NULL;

	addr_parse_node(&text, false, &addr->node, &wrong);
	if (wrong)
		return wrong;
	return addr_unescape(text, addr->bytes, &addr->len, ALTCONN_NAME_MAX);
}

/* Parse an IP address without the port. @text is overwritten. */
static bool addr_parse_ip(char *text, struct addr *addr)
{
	char *scope = strchr(text, '%');

	addr->len = 16;
	if (text[0] != '[')
		return ip_parse(text, AF_INET, addr->bytes);
	if (text[strlen(text) - 1] != ']')
		return false;
	text[strlen(text) - 1] = '\0';
	if (scope) {
		*scope++ = '\0';
		addr->node = if_nametoindex(scope);
		if (!addr->node && !parse_u32(scope, &addr->node))
			return false;
	}
	return ip_parse(text + 1, AF_INET6, addr->bytes);
}

static const char *addr_parse_inet(const char *text, struct addr *addr)
{
	const char *port = strrchr(text, ':');
	char ip[IP_TEXT_MAX + IF_NAMESIZE + 4];

	if (!port || !parse_u32(port + 1, &addr->port) ||
	    addr->port > UINT16_MAX)
		return "an IP address ends with a colon and a port up to 65535";
	if (snprintf(ip, sizeof(ip), "%.*s", (int)(port - text), text) >=
	    (int)sizeof(ip) || !addr_parse_ip(ip, addr))
		return "it is inet:1.2.3.4:PORT or inet:[IPv6]:PORT";
	return NULL;
}

static const char *addr_parse_path_bytes(const char *text, unsigned char *bytes,
					 size_t *len, size_t max)
{
	const char *wrong = addr_unescape(text, bytes, len, max);

	if (!wrong && (!*len || memchr(bytes, 0, *len)))
		return "a path has at least one byte, and no \\x00";
	return wrong;
}

/**
 * addr_parse_path - parse an address of the kind path, of any length
 * @text: the address as the user wrote it
 * @path: gets the path; space for PATH_MAX characters
 * @wrong: set only for an address of the kind path: to what is wrong with
 *	@text, or to NULL
 *
 * Return: whether @text is an address of the kind path.
 */
bool addr_parse_path(const char *text, char *path, const char **wrong)
{
	size_t len;

	if (strncmp(text, "path:", 5))
		return false;
	*wrong = addr_parse_path_bytes(text + 5, (unsigned char *)path, &len,
				       PATH_MAX - 1);
	if (!*wrong)
		path[len] = '\0';
	return true;
}

/**
 * addr_parse - parse an address
 * @text: the address as the user wrote it
 * @addr: gets the address
 *
 * Return: NULL, or the reason why @text is no address.
 */
const char *addr_parse(const char *text, struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (!strcmp(text, "*") || !strcmp(text, "-"))
		return NULL;
	if (!strncmp(text, "port:", 5)) {
		addr->kind = ALTCONN_KIND_PORT;
		return addr_parse_port(text + 5, addr);
	}
	if (!strncmp(text, "name:", 5)) {
		addr->kind = ALTCONN_KIND_NAME;
		return addr_parse_name(text + 5, addr);
	}
	if (!strncmp(text, "inet:", 5)) {
		addr->kind = ALTCONN_KIND_INET;
		return addr_parse_inet(text + 5, addr);
	}
	if (!strncmp(text, "path:", 5)) {
		addr->kind = ALTCONN_KIND_PATH;
		return addr_parse_path_bytes(text + 5, addr->bytes, &addr->len,
					     ALTCONN_PATH_MAX);
	}
	return "an address is port:N, port:NODE/N, name:TEXT, inet:IP:PORT, path:FILE or *";
}

static void addr_name_to_text(const struct addr *addr, char *text)
{
	size_t n = 0;

	if (addr->node == ALTCONN_NODE_SELF) {
		text += sprintf(text, "name:");
		n = addr_node_digits((const char *)addr->bytes, addr->len);
	} else {
		text += sprintf(text, "name:%u/", addr->node);
	}
	if (n) {
		addr_escape(addr->bytes, n, text);
		text += n;
		text += sprintf(text, "\\x2f");
		n++;
	}
	addr_escape(addr->bytes + n, addr->len - n, text);
}

static void addr_inet_to_text(const struct addr *addr, char *text)
{
	bool v4 = ip_is_v4(addr->bytes);
	char ip[IP_TEXT_MAX];

	ip_to_text(addr->bytes, v4, ip);
	if (v4)
		sprintf(text, "inet:%s:%u", ip, addr->port);
	else if (addr->node)
		sprintf(text, "inet:[%s%%%u]:%u", ip, addr->node, addr->port);
	else
		sprintf(text, "inet:[%s]:%u", ip, addr->port);
}

/**
 * addr_to_text - write an address as text
 * @addr: the address
 * @text: gets the text; space for ADDR_TEXT_MAX characters
 */
void addr_to_text(const struct addr *addr, char *text)
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
		addr_name_to_text(addr, text);
		break;
	case ALTCONN_KIND_INET:
		addr_inet_to_text(addr, text);
		break;
	case ALTCONN_KIND_PATH:
		strcpy(text, "path:");
		addr_escape(addr->bytes, addr->len, text + 5);
		break;
	default:
		sprintf(text, "kind%u:?", addr->kind);
	}
}

/**
 * addr_equal - compare two addresses
 * @a: the first address
 * @b: the second address
 *
 * Paths are compared as text. The tool does not look up inodes.
 *
 * Return: whether the addresses are equal.
 */
bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->kind == b->kind && a->node == b->node &&
	       a->port == b->port && a->len == b->len &&
	       !memcmp(a->bytes, b->bytes, a->len);
}

static void addr_of_native(const struct sockaddr_altconn *sac,
			   struct addr *addr)
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

static void addr_of_unix(const struct sockaddr_un *sun, size_t len,
			 struct addr *addr)
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

static void addr_of_in(const struct sockaddr_in *sin, struct addr *addr)
{
	addr->kind = ALTCONN_KIND_INET;
	addr->port = ntohs(sin->sin_port);
	addr->len = 16;
	ip_from_v4(&sin->sin_addr, addr->bytes);
}

static void addr_of_in6(const struct sockaddr_in6 *sin6, struct addr *addr)
{
	addr->kind = ALTCONN_KIND_INET;
	addr->port = ntohs(sin6->sin6_port);
	addr->node = sin6->sin6_scope_id;
	addr->len = 16;
	memcpy(addr->bytes, &sin6->sin6_addr, 16);
}

/**
 * addr_format_name - get the name of an address format
 * @format: address format: the protocol argument of socket()
 *
 * Return: the name, or NULL if the tool does not know the format.
 */
const char *addr_format_name(uint32_t format)
{
	static const char * const names[] = {
		[ALTCONN_NATIVE] = "native",
		[ALTCONN_UNIX] = "unix",
		[ALTCONN_INET] = "inet",
		[ALTCONN_INET6] = "inet6",
	};

	return format < ARRAY_SIZE(names) ? names[format] : NULL;
}

/**
 * addr_of_sockaddr - convert an address from getsockname(2) or getpeername(2)
 * @sockaddr: the address in the address format of the socket
 * @len: length of @sockaddr
 * @format: address format: the protocol argument of socket()
 * @addr: gets the address; unnamed if @sockaddr is unnamed or too short
 */
void addr_of_sockaddr(const void *sockaddr, size_t len, int format,
		      struct addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (format == ALTCONN_NATIVE && len >= sizeof(struct sockaddr_altconn))
		addr_of_native(sockaddr, addr);
	else if (format == ALTCONN_UNIX && len > sizeof(sa_family_t))
		addr_of_unix(sockaddr, len, addr);
	else if (format == ALTCONN_INET && len >= sizeof(struct sockaddr_in))
		addr_of_in(sockaddr, addr);
	else if (format == ALTCONN_INET6 && len >= sizeof(struct sockaddr_in6))
		addr_of_in6(sockaddr, addr);
}

/**
 * addr_to_sockaddr - convert an address to the native address format
 * @addr: an address from addr_parse(), not an unnamed one
 * @family: number of the socket family
 * @sac: gets the address
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
