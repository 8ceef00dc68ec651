// SPDX-License-Identifier: GPL-2.0
#include "addr.h"
#include "kernel.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PATHS 64

static char paths[MAX_PATHS][108];
static int npaths;

static unsigned int unique(void)
{
	static unsigned int count;

	return count++;
}

char *at_path(char *buf, size_t len)
{
	const char *dir = getenv("TMPDIR");

	snprintf(buf, len, "%s/altconn.%d.%u", dir ? dir : "/tmp",
		 (int)getpid(), unique());
	if (npaths < MAX_PATHS)
		snprintf(paths[npaths++], sizeof(paths[0]), "%s", buf);
	return buf;
}

void at_cleanup(void)
{
	while (npaths)
		unlink(paths[--npaths]);
}

void at_forget_paths(void)
{
	npaths = 0;
}

void at_addr_port(struct at_addr *a, uint32_t port)
{
	memset(a, 0, sizeof(*a));
	a->nat.sac_family = at_family();
	a->nat.sac_kind = ALTCONN_KIND_PORT;
	a->nat.sac_port = port;
	a->len = sizeof(a->nat);
}

void at_addr_name(struct at_addr *a, enum at_format format, const void *name,
		  size_t len)
{
	memset(a, 0, sizeof(*a));
	if (format == AT_NATIVE) {
		a->nat.sac_family = at_family();
		a->nat.sac_kind = ALTCONN_KIND_NAME;
		a->nat.sac_len = len;
		memcpy(a->nat.sac_name, name, len);
		a->len = sizeof(a->nat);
		return;
	}
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path + 1, name, len);
	a->len = offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

void at_addr_path(struct at_addr *a, enum at_format format, const char *path)
{
	size_t len = strlen(path);

	memset(a, 0, sizeof(*a));
	if (format == AT_NATIVE) {
		a->nat.sac_family = at_family();
		a->nat.sac_kind = ALTCONN_KIND_PATH;
		a->nat.sac_len = len;
		memcpy(a->nat.sac_path, path, len);
		a->len = sizeof(a->nat);
		return;
	}
	a->un.sun_family = AF_UNIX;
	memcpy(a->un.sun_path, path, len);
	a->len = offsetof(struct sockaddr_un, sun_path) + len + 1;
}

static void native_ip(struct at_addr *a, const char *ip, unsigned int port)
{
	struct altconn_inet *inet = &a->nat.sac_inet;

	a->nat.sac_family = at_family();
	a->nat.sac_kind = ALTCONN_KIND_INET;
	inet->port = port;
	if (strchr(ip, ':')) {
		inet_pton(AF_INET6, ip, inet->addr);
	} else {
		memset(inet->addr + 10, 0xff, 2);
		inet_pton(AF_INET, ip, inet->addr + 12);
	}
	a->len = sizeof(a->nat);
}

void at_addr_ip(struct at_addr *a, enum at_format format, const char *ip,
		unsigned int port)
{
	memset(a, 0, sizeof(*a));
	switch (format) {
	case AT_IN:
	case AT_ORACLE_IN:
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons(port);
		inet_pton(AF_INET, ip, &a->in.sin_addr);
		a->len = sizeof(a->in);
		break;
	case AT_IN6:
	case AT_ORACLE_IN6:
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons(port);
		inet_pton(AF_INET6, ip, &a->in6.sin6_addr);
		a->len = sizeof(a->in6);
		break;
	default:
		native_ip(a, ip, port);
		break;
	}
}

int at_port_of(const struct at_addr *a)
{
	switch (a->sa.sa_family) {
	case AF_INET:
		return ntohs(a->in.sin_port);
	case AF_INET6:
		return ntohs(a->in6.sin6_port);
	default:
		if (a->nat.sac_kind == ALTCONN_KIND_INET)
			return a->nat.sac_inet.port;
		return a->nat.sac_kind == ALTCONN_KIND_PORT ?
		       (int)a->nat.sac_port : -1;
	}
}

/* Return a port below the ephemeral range. Each process has its own slice. */
static unsigned int ip_port(void)
{
	return 2000 + (getpid() * 16 + unique() % 16) % 30000;
}

void at_addr(struct at_addr *a, enum at_format format, enum at_kind kind)
{
	bool six = format == AT_IN6 || format == AT_ORACLE_IN6;
	char buf[108];

	if (kind == AT_INET) {
		at_addr_ip(a, format, six ? "::1" : "127.0.0.1", ip_port());
		return;
	}
	if (kind == AT_PORT && format == AT_NATIVE) {
		/* A slice for each process, far above the ephemeral range */
		at_addr_port(a, 0x100000 + getpid() * 256 + unique() % 256);
		return;
	}
	if (kind == AT_PATH) {
		at_addr_path(a, format, at_path(buf, sizeof(buf)));
		return;
	}
	snprintf(buf, sizeof(buf), "altconn-test-%d-%u", (int)getpid(),
		 unique());
	at_addr_name(a, format, buf, strlen(buf));
}

static bool is_native(const struct at_addr *a)
{
	return a->sa.sa_family == at_family();
}

static bool is_name(const struct at_addr *a)
{
	if (is_native(a))
		return a->nat.sac_kind == ALTCONN_KIND_NAME;
	return !a->un.sun_path[0];
}

void at_addr_in(struct at_addr *to, enum at_format format,
		const struct at_addr *a)
{
	size_t head = offsetof(struct sockaddr_un, sun_path) + 1;

	if (!is_name(a))
		at_addr_path(to, format, at_path_of(a));
	else if (is_native(a))
		at_addr_name(to, format, a->nat.sac_name, a->nat.sac_len);
	else
		at_addr_name(to, format, a->un.sun_path + 1, a->len - head);
}

const char *at_path_of(const struct at_addr *a)
{
	return is_native(a) ? a->nat.sac_path : a->un.sun_path;
}

bool at_addr_eq(const struct at_addr *a, const struct at_addr *b)
{
	return a->len == b->len && !memcmp(a->raw, b->raw, a->len);
}

bool at_unnamed(const struct at_addr *a)
{
	struct at_addr none;

	if (a->sa.sa_family == AF_INET)
		at_addr_ip(&none, AT_IN, "0.0.0.0", 0);
	else if (a->sa.sa_family == AF_INET6)
		at_addr_ip(&none, AT_IN6, "::", 0);
	else
		return a->len == sizeof(sa_family_t);
	return at_addr_eq(a, &none);
}
