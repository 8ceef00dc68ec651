// SPDX-License-Identifier: GPL-2.0
/* Make addresses of AF_UNIX, and list the clauses that do not apply to it. */
#include "conformance.h"

#define HEAD offsetof(struct sockaddr_un, sun_path)

void unix_fresh_path(const struct family *f, struct addr *a)
{
	(void)f;
	memset(a, 0, sizeof(*a));
	a->un.sun_family = AF_UNIX;
	scratch_path(a->un.sun_path, sizeof(a->un.sun_path));
	a->len = HEAD + strlen(a->un.sun_path) + 1;
}

void unix_fresh_name(const struct family *f, struct addr *a)
{
	(void)f;
	memset(a, 0, sizeof(*a));
	a->un.sun_family = AF_UNIX;
	a->len = HEAD + 1 + snprintf(a->un.sun_path + 1, 64,
				     "connect-conformance-%d-%u",
				     (int)getpid(), unique());
}

const char *unix_malformed(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len = HEAD - 1;
		return "with half of an address family";
	case 1:
		a->len = HEAD;
		return "with an address family and no path";
	case 2:
		a->len = sizeof(a->un) + 1;
		return "with a byte after sun_path";
	}
	return NULL;
}

const char *unix_unusual(const struct family *f, struct addr *a, int i)
{
	(void)f;
	if (!a->un.sun_path[0])
		return NULL;
	switch (i) {
	case 0:
		a->len = HEAD + strlen(a->un.sun_path);
		return "with a path without its NUL";
	case 1:
		memset(a->raw + a->len, 'x', sizeof(a->un) - a->len);
		a->len = sizeof(a->un);
		return "with bytes after the NUL of sun_path";
	}
	return NULL;
}

#define NO_ROUTES							\
	{ .clause = "E-ACCES-BCAST", .types = ANY,			\
	  .why = "the family has no broadcast address" },		\
	{ .clause = "E-ADDRNOTAVAIL", .types = ANY,			\
	  .why = "all addresses of the family belong to this machine" }, \
	{ .clause = "E-HOSTUNREACH", .types = ANY,			\
	  .why = "all addresses of the family belong to this machine" }, \
	{ .clause = "E-NETUNREACH", .types = ANY,			\
	  .why = "all addresses of the family belong to this machine" }, \
	{ .clause = "E-PERM-RULE", .types = ANY,			\
	  .why = "no firewall filters the family" },			\
	{ .clause = "E-AGAIN-PORT", .types = ANY,			\
	  .why = "connect() binds no local address" },			\
	{ .clause = "E-AGAIN-TABLE", .types = ANY,			\
	  .why = "the family has no table with a limit" }

#define NO_PENDING							\
	{ .clause = "S-DONE", .types = CONN,				\
	  .why = "connect() never returns EINPROGRESS" },		\
	{ .clause = "E-ALREADY", .types = CONN,				\
	  .why = "connect() never returns EINPROGRESS" },		\
	{ .clause = "S-UNSPEC", .types = CONN,				\
	  .why = "the manual says this only of TCP and of datagram sockets" }

const struct exempt unix_exempt[] = {
	NO_ROUTES,
	NO_PENDING,
	{}
};

const struct exempt unix_name_exempt[] = {
	NO_PATHS,
	NO_ROUTES,
	NO_PENDING,
	{}
};
