// SPDX-License-Identifier: GPL-2.0
/*
 * Try AF_TIPC within one node, with service addresses, which any number of
 * sockets may bind. accept() establishes a connection.
 */
#include "conformance.h"

void tipc_fresh(const struct family *f, struct addr *a)
{
	(void)f;
	memset(a, 0, sizeof(*a));
	a->tipc.family = AF_TIPC;
	a->tipc.addrtype = TIPC_ADDR_NAME;
	a->tipc.scope = TIPC_NODE_SCOPE;
	a->tipc.addr.name.name.type = 18888;
	a->tipc.addr.name.name.instance = getpid() * 256 + unique() % 256;
	a->len = sizeof(a->tipc);
}

const char *tipc_malformed(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len = sizeof(a->tipc) - 1;
		return "with a byte too few";
	case 1:
		a->tipc.addrtype = 99;
		return "with an unknown type of address";
	}
	return NULL;
}

/* Make the address of a port of node 1.1.5, to which no bearer leads. */
void tipc_unreachable(const struct family *f, struct addr *a)
{
	(void)f;
	a->tipc.addrtype = TIPC_ADDR_ID;
	a->tipc.addr.id.ref = 12345;
	a->tipc.addr.id.node = 0x01001005;
}

int tipc_deadline(int fd)
{
	int ms = 100;

	return setsockopt(fd, SOL_TIPC, TIPC_CONN_TIMEOUT, &ms, sizeof(ms));
}

const struct exempt tipc_exempt[] = {
	NO_PATHS,
	{ .clause = "S-DONE", .types = CONN,
	  .why = "this is what TCP does, and no manual demands it" },
	{ .clause = "S-UNSPEC", .types = CONN,
	  .why = "the manual says this only of TCP and of datagram sockets" },
	{ .clause = "E-ACCES-BCAST", .types = ANY,
	  .why = "the family has no broadcast address" },
	{ .clause = "E-ADDRINUSE", .types = ANY,
	  .why = "many sockets may be bound to one address" },
	{ .clause = "E-ADDRNOTAVAIL", .types = ANY,
	  .why = "bind() accepts any service" },
	{ .clause = "E-PERM-RULE", .types = ANY,
	  .why = "no firewall filters the family" },
	{ .clause = "E-HOSTUNREACH", .types = ANY,
	  .why = "the family does not distinguish hosts from networks" },
	{ .clause = "E-AGAIN-PORT", .types = ANY,
	  .why = "the range of ephemeral ports cannot be made smaller" },
	{ .clause = "E-AGAIN-TABLE", .types = ANY,
	  .why = "the family has no table with a limit" },
	{}
};
