/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions make and read addresses in every format and of every kind.
 * at_addr() makes an address that no other test uses. A format without ports
 * gets a name instead. at_cleanup() removes the paths that at_addr() and
 * at_path() made, and every fixture calls it when it ends.
 */
#ifndef _ALTCONN_TEST_ADDR_H
#define _ALTCONN_TEST_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/altconn.h>

/*
 * These are the address formats. The oracles are other families: AF_UNIX
 * itself, and TCP and UDP over IPv4 and over IPv6.
 */
enum at_format {
	AT_NATIVE, AT_UNIX, AT_IN, AT_IN6,
	AT_ORACLE, AT_ORACLE_IN, AT_ORACLE_IN6,
};
enum at_kind { AT_PORT, AT_NAME, AT_PATH, AT_INET };

static inline bool at_is_oracle(enum at_format format)
{
	return format >= AT_ORACLE;
}

struct at_addr {
	union {
		struct sockaddr		sa;
		struct sockaddr_altconn	nat;
		struct sockaddr_un	un;
		struct sockaddr_in	in;
		struct sockaddr_in6	in6;
		char			raw[160];
	};
	socklen_t len;
};

void at_addr(struct at_addr *a, enum at_format format, enum at_kind kind);
void at_addr_port(struct at_addr *a, uint32_t port);
void at_addr_name(struct at_addr *a, enum at_format format, const void *name,
		  size_t len);
void at_addr_path(struct at_addr *a, enum at_format format, const char *path);
/* Make an IP address of the format's IP version; the native format has both. */
void at_addr_ip(struct at_addr *a, enum at_format format, const char *ip,
		unsigned int port);
/* Return the port, or -1. */
int at_port_of(const struct at_addr *a);
/* Write the name or path @a in another format. */
void at_addr_in(struct at_addr *to, enum at_format format,
		const struct at_addr *a);
const char *at_path_of(const struct at_addr *a);
bool at_addr_eq(const struct at_addr *a, const struct at_addr *b);
/* Return whether @a is the address of a socket that is not bound. */
bool at_unnamed(const struct at_addr *a);

/* Make a path that no other test uses. */
char *at_path(char *buf, size_t len);
void at_cleanup(void);
/* After fork(), leave the removal of the paths to the parent process. */
void at_forget_paths(void);

#endif /* _ALTCONN_TEST_ADDR_H */
