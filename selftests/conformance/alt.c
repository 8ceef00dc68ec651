// SPDX-License-Identifier: GPL-2.0
/*
 * Make addresses in altconn's native format, and list the clauses that do not
 * apply to a kind of address.
 */
#include "conformance.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/stat.h>

static void native_inet(struct altconn_inet *inet)
{
	inet->port = fresh_port();
	inet_pton(AF_INET6, "::ffff:127.0.0.1", inet->addr);
}

void native_fresh(const struct family *f, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->nat.sac_family = family_domain(f);
	a->nat.sac_kind = f->kind;
	a->len = sizeof(a->nat);
	switch (f->kind) {
	case ALTCONN_KIND_PORT:
		a->nat.sac_port = 0x100000 + getpid() * 256 + unique() % 256;
		break;
	case ALTCONN_KIND_NAME:
		a->nat.sac_len = snprintf(a->nat.sac_name, 64,
					  "connect-conformance-%d-%u",
					  (int)getpid(), unique());
		break;
	case ALTCONN_KIND_PATH:
		a->nat.sac_len = strlen(scratch_path(a->nat.sac_path, 100));
		break;
	case ALTCONN_KIND_INET:
		native_inet(&a->nat.sac_inet);
		break;
	}
}

static const char *malformed_by_kind(struct addr *a)
{
	struct sockaddr_altconn *nat = &a->nat;

	switch (nat->sac_kind) {
	case ALTCONN_KIND_PORT:
		nat->sac_path[sizeof(nat->sac_port)] = 1;
		return "with a byte after the port";
	case ALTCONN_KIND_INET:
		nat->sac_inet.port = 65536;
		return "with a port above 65535";
	case ALTCONN_KIND_NAME:
		nat->sac_len = ALTCONN_NAME_MAX + 1;
		return "with a name that is too long";
	}
	nat->sac_path[2] = 0;
	return "with a NUL inside the path";
}

const char *native_malformed(const struct family *f, struct addr *a, int i)
{
	(void)f;
	switch (i) {
	case 0:
		a->len--;
		return "with a byte too few";
	case 1:
		a->len++;
		return "with a byte too many";
	case 2:
		a->nat.sac_kind = 99;
		return "with an unknown kind";
	case 3:
		a->nat.sac_flags = 1;
		return "with a flag";
	case 4:
		a->nat.sac_pad = 1;
		return "with sac_pad not zero";
	case 5:
		a->nat.sac_path[ALTCONN_PATH_MAX - 1] = 1;
		return "with a byte that the kind does not use";
	case 6:
		return malformed_by_kind(a);
	}
	return NULL;
}

void native_unreachable(const struct family *f, struct addr *a)
{
	if (f->kind == ALTCONN_KIND_INET)
		inet_pton(AF_INET6, "::ffff:203.0.113.1", a->nat.sac_inet.addr);
	else
		a->nat.sac_node = 5;
}

void native_broadcast(const struct family *f, struct addr *a)
{
	if (f->kind == ALTCONN_KIND_INET)
		inet_pton(AF_INET6, "::ffff:255.255.255.255",
			  a->nat.sac_inet.addr);
	else
		a->nat.sac_node = ALTCONN_NODE_BROADCAST;
}

void alt_broadcast(const struct family *f, struct addr *a)
{
	(void)f;
	a->in.sin_addr.s_addr = htonl(INADDR_BROADCAST);
}

void native_null(const struct family *f, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->nat.sac_family = family_domain(f);
	a->nat.sac_kind = ALTCONN_KIND_PORT;
	a->len = sizeof(a->nat);
}

/* Add a rule to the network namespace, which belongs to this case alone. */
int alt_forbid(const struct family *f, struct addr *a, int err)
{
	const char *file = f->protocol == ALTCONN_UNIX ? a->un.sun_path :
							 a->nat.sac_path;

	/*
	 * The path is looked up before the rules are matched, and the rules are
	 * matched before the listener is looked up. So the file must exist, but
	 * a listener need not.
	 */
	if (f->traits & HAS_PATHS && mknod(file, S_IFSOCK | 0700, 0))
		return -1;
	return system(err == EHOSTUNREACH ?
		      "altconn rule add unreachable host >/dev/null" :
		      "altconn rule add deny >/dev/null") ? -1 : 0;
}

/*
 * Make the runner's network namespace a node that is down, with the id and the
 * IP addresses that unreachable() uses.
 */
int alt_down(const struct family *f, struct addr *a)
{
	char file[32], command[160];

	f->unreachable(f, a);
	snprintf(file, sizeof(file), "/proc/%d/ns/net", getppid());
	if (access(file, R_OK))
		return errno == EACCES ? 1 : -1;
	snprintf(command, sizeof(command),
		 "altconn node add 5 inet 203.0.113.1 inet 2001:db8::1 "
		 "netns %s && altconn node down 5",
		 file);
	return system(command) ? -1 : 0;
}

int altconn_one_port(void)
{
	if (sysctl_set("altconn/ephemeral_port_max", "40000"))
		return -1;
	return sysctl_set("altconn/ephemeral_port_min", "40000");
}

int altconn_deadline(int fd)
{
	uint64_t ms = 50;

	return setsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT, &ms,
			  sizeof(ms));
}

#define NO_PORTS							\
	{ .clause = "E-AGAIN-PORT", .types = ANY,			\
	  .why = "a client of the family has no port" }

#define NO_REMOTE							\
	{ .clause = "E-NETUNREACH", .types = ANY,			\
	  .why = "all addresses of the family belong to this machine" }

#define ALL_LOCAL							\
	{ .clause = "E-ADDRNOTAVAIL", .types = ANY,			\
	  .why = "all addresses of the family belong to this machine" }, \
	NO_REMOTE

#define NOBODY_TO_ALL							\
	{ .clause = "E-ACCES-BCAST", .types = ANY,			\
	  .why = "the family has no broadcast address" }

const struct exempt alt_port_exempt[] = { NO_PATHS, {} };

const struct exempt alt_name_exempt[] = {
	NO_PATHS, NO_PORTS, NOBODY_TO_ALL, {}
};

const struct exempt alt_unix_name_exempt[] = {
	NO_PATHS, NO_PORTS, NOBODY_TO_ALL, ALL_LOCAL, {}
};

const struct exempt alt_path_exempt[] = {
	NO_PORTS, NOBODY_TO_ALL, NO_REMOTE,
	{ .clause = "E-ADDRNOTAVAIL", .types = DGRAM,
	  .why = "the null address dissolves the association" },
	{}
};

const struct exempt alt_unix_exempt[] = {
	NO_PORTS, NOBODY_TO_ALL, ALL_LOCAL, {}
};

const struct exempt alt_inet_exempt[] = { NO_PATHS, {} };

const struct exempt alt_inet6_exempt[] = {
	NO_PATHS, NO_BROADCAST, {}
};
