// SPDX-License-Identifier: GPL-2.0
/*
 * Make addresses of AF_INET and AF_INET6, and list the clauses that do not
 * apply to them.
 */
#include "conformance.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

/*
 * Return a port below the ephemeral range. The cases of a family share a
 * network namespace and each case has its own slice of ports. So a case never
 * meets a port that another case has left in TIME_WAIT.
 */
unsigned int fresh_port(void)
{
	return 1024 + (case_number * 64 + unique() % 64) % 31000;
}

void inet_fresh(const struct family *f, struct addr *a)
{
	(void)f;
	memset(a, 0, sizeof(*a));
	a->in.sin_family = AF_INET;
	a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a->in.sin_port = htons(fresh_port());
	a->len = sizeof(a->in);
}

void inet6_fresh(const struct family *f, struct addr *a)
{
	(void)f;
	memset(a, 0, sizeof(*a));
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_addr = in6addr_loopback;
	a->in6.sin6_port = htons(fresh_port());
	a->len = sizeof(a->in6);
}

const char *inet_malformed(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len = 1;
		return "with half of an address family";
	case 1:
		a->len = sizeof(a->in) - 1;
		return "with a byte too few";
	}
	return NULL;
}

const char *inet6_malformed(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len = 1;
		return "with half of an address family";
	case 1:
		/* A length without sin6_scope_id, as in RFC 2133, is valid. */
		a->len = offsetof(struct sockaddr_in6, sin6_scope_id) - 1;
		return "with a byte too few";
	}
	return NULL;
}

const char *inet_unusual(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		memset(a->in.sin_zero, 'x', sizeof(a->in.sin_zero));
		return "with garbage in sin_zero";
	case 1:
		a->len = sizeof(a->in) + 12;
		return "with a longer addrlen";
	}
	return NULL;
}

const char *inet6_unusual(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len = offsetof(struct sockaddr_in6, sin6_scope_id);
		return "without sin6_scope_id";
	case 1:
		a->len = sizeof(a->in6) + 12;
		return "with a longer addrlen";
	}
	return NULL;
}

/* With lo alone there is no route to these networks for documentation. */
void inet_unreachable(const struct family *f, struct addr *a)
{
	(void)f;
	inet_pton(AF_INET, "203.0.113.1", &a->in.sin_addr);
}

void inet6_unreachable(const struct family *f, struct addr *a)
{
	(void)f;
	inet_pton(AF_INET6, "2001:db8::1", &a->in6.sin6_addr);
}

void inet_broadcast(const struct family *f, struct addr *a)
{
	(void)f;
	inet_pton(AF_INET, "127.255.255.255", &a->in.sin_addr);
}

int inet_forbid(const struct family *f, struct addr *a, int err)
{
	f->unreachable(f, a);
	return route_add(a, err);
}

int inet_one_port(void)
{
	return sysctl_set("ipv4/ip_local_port_range", "40000 40000");
}

/* Set the shortest deadline that TCP can have: one more SYN. */
int tcp_deadline(int fd)
{
	int one = 1, ms = 100;

	if (setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms)))
		return -1;
	return setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &one, sizeof(one));
}

#define NO_TABLE							\
	{ .clause = "E-AGAIN-TABLE", .types = ANY,			\
	  .why = "Linux has no routing cache" }

const struct exempt tcp4_exempt[] = { NO_PATHS, NO_TABLE, {} };
const struct exempt tcp6_exempt[] = { NO_PATHS, NO_TABLE, NO_BROADCAST, {} };
const struct exempt udp4_exempt[] = { NO_PATHS, NO_TABLE, {} };
const struct exempt udp6_exempt[] = { NO_PATHS, NO_TABLE, NO_BROADCAST, {} };
