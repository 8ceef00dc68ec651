// SPDX-License-Identifier: GPL-2.0
/*
 * These tests go through the clauses of connect() for stream and seqpacket
 * sockets. A table of errnos comes first. Then come the life of an attempt that
 * waits because the backlog is full, the sysctls that limit attempts, and
 * connect() to AF_UNSPEC.
 */
#include "lib/harness.h"
#include "lib/altconn_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/stat.h>

/*
 * For a row of the errno table, @fd connects to @a. The row's make() fills in
 * @a, and creates the listener or the file at this address.
 */
struct target {
	struct at_addr a;
	enum at_format format;
	enum at_kind kind;
	int type;
	int fd;			/* the socket that connects */
	int kept;		/* a socket that stays open, or -1 */
};

struct row {
	const char *what;
	enum at_format format;
	enum at_kind kind;
	int (*make)(struct target *t);
	int err;
	unsigned int reason;	/* expected; NONE: not checked */
	bool nobody;		/* connect without privileges */
};

static int other_type(int type)
{
	return type == SOCK_STREAM ? SOCK_SEQPACKET : SOCK_STREAM;
}

static int nothing(struct target *t)
{
	at_addr(&t->a, t->format, t->kind);
	return 0;
}

static int not_listening(struct target *t)
{
	t->kept = at_bound(&t->a, t->format, t->kind, t->type);
	return t->kept;
}

static int listening(struct target *t)
{
	t->kept = at_listener(&t->a, t->format, t->kind, t->type, 8);
	return t->kept;
}

static int closed_listener(struct target *t)
{
	return close(listening(t));
}

static int wrong_type(struct target *t)
{
	t->kept = at_listener(&t->a, t->format, t->kind, other_type(t->type),
			      8);
	return t->kept;
}

static int wrong_type_dgram(struct target *t)
{
	t->kept = at_bound(&t->a, t->format, t->kind, SOCK_DGRAM);
	return t->kept;
}

static int foreign_listener(struct target *t)
{
	struct at_addr a;

	t->kept = at_listener(&a, AT_ORACLE, AT_PATH, t->type, 8);
	at_addr_path(&t->a, t->format, at_path_of(&a));
	return t->kept;
}

static int regular_file(struct target *t)
{
	at_addr(&t->a, t->format, t->kind);
	return close(creat(at_path_of(&t->a), 0777));
}

static int directory(struct target *t)
{
	at_addr_path(&t->a, t->format, "/tmp");
	return 0;
}

static int below_regular(struct target *t)
{
	char path[108], below[108];

	at_path(path, sizeof(path) - 2);
	snprintf(below, sizeof(below), "%.100s/x", path);
	at_addr_path(&t->a, t->format, below);
	return close(creat(path, 0777));
}

static int symlink_to(struct target *t, const char *where)
{
	at_addr(&t->a, t->format, t->kind);
	return symlink(where, at_path_of(&t->a));
}

static int link_loop(struct target *t)
{
	at_addr(&t->a, t->format, t->kind);
	return symlink(at_path_of(&t->a), at_path_of(&t->a));
}

static int link_long(struct target *t)
{
	char name[300];

	memset(name, 'l', sizeof(name));
	name[sizeof(name) - 1] = 0;
	return symlink_to(t, name);
}

static int link_dangling(struct target *t)
{
	return symlink_to(t, "/nowhere/at/all");
}

static int link_to_listener(struct target *t)
{
	struct at_addr a;

	t->kept = at_listener(&a, t->format, AT_PATH, t->type, 8);
	return t->kept < 0 ? -1 : symlink_to(t, at_path_of(&a));
}

static int unwritable(struct target *t)
{
	return listening(t) < 0 ? -1 : chmod(at_path_of(&t->a), 0555);
}

static int writable(struct target *t)
{
	return listening(t) < 0 ? -1 : chmod(at_path_of(&t->a), 0222);
}

static int unsearchable(struct target *t)
{
	struct at_addr a;
	char dir[80], path[108];

	at_path(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	at_addr_path(&a, t->format, path);
	t->a = a;
	if (mkdir(dir, 0755))
		return -1;
	t->kept = at_socket(t->format, t->type);
	if (at_bind(t->kept, &a) || listen(t->kept, 8) ||
	    chmod(path, 0777))
		return -1;
	return chmod(dir, 0644);
}

static int no_node(struct target *t)
{
	at_addr(&t->a, t->format, t->kind);
	t->a.nat.sac_node = 5;
	return 0;
}

static int broadcast(struct target *t)
{
	at_addr(&t->a, t->format, t->kind);
	t->a.nat.sac_node = ALTCONN_NODE_BROADCAST;
	return 0;
}

static int broadcast_allowed(struct target *t)
{
	int on = 1;

	broadcast(t);
	return setsockopt(t->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
}

static int no_host(struct target *t)
{
	bool six = t->format == AT_IN6;

	at_addr_ip(&t->a, t->format, six ? "2001:db8::1" : "203.0.113.1", 4000);
	return 0;
}

static int no_host_v4(struct target *t)
{
	at_addr_ip(&t->a, t->format, "203.0.113.1", 4000);
	return 0;
}

static int multicast(struct target *t)
{
	at_addr_ip(&t->a, t->format, t->format == AT_IN6 ? "ff02::1" :
							 "224.0.0.1", 4000);
	return 0;
}

static int limited_broadcast(struct target *t)
{
	at_addr_ip(&t->a, t->format, "255.255.255.255", 4000);
	return 0;
}

static int everybody_allowed(struct target *t)
{
	int on = 1;

	limited_broadcast(t);
	return setsockopt(t->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
}

static int port_zero(struct target *t)
{
	at_addr_ip(&t->a, t->format, t->format == AT_IN6 ||
		   t->format == AT_ORACLE_IN6 ? "::1" : "127.0.0.1", 0);
	return 0;
}

/*
 * Listen at the wildcard address, and connect to a specific address of the same
 * IP version.
 */
static int listening_any(struct target *t)
{
	bool six = t->format == AT_IN6 || t->format == AT_ORACLE_IN6;
	struct at_addr any;
	int port;

	at_addr(&t->a, t->format, AT_INET);
	port = at_port_of(&t->a);
	at_addr_ip(&any, t->format, six ? "::" : "0.0.0.0", port);
	if (!six)
		at_addr_ip(&t->a, t->format, "127.7.7.7", port);
	t->kept = at_socket(t->format, t->type);
	if (at_bind(t->kept, &any))
		return -1;
	return listen(t->kept, 8);
}

/* Connect to the wildcard address, which means the loopback address. */
static int listening_at_any(struct target *t)
{
	bool six = t->format == AT_IN6 || t->format == AT_ORACLE_IN6;

	if (listening_any(t))
		return -1;
	at_addr_ip(&t->a, t->format, six ? "::" : "0.0.0.0", at_port_of(&t->a));
	return 0;
}

/*
 * Listen at a port of one loopback address, and connect to the same port of
 * another one.
 */
static int listening_elsewhere(struct target *t)
{
	if (listening(t) < 0)
		return -1;
	at_addr_ip(&t->a, t->format, "127.0.0.2", at_port_of(&t->a));
	return 0;
}

/* Listen at the dual-stack address ::, and connect to a v4-mapped address. */
static int listening_dual(struct target *t)
{
	if (listening_any(t))
		return -1;
	at_addr_ip(&t->a, t->format, "::ffff:127.0.0.1", at_port_of(&t->a));
	return 0;
}

static int listening_v6only(struct target *t)
{
	struct at_addr any;
	int on = 1;

	at_addr(&t->a, t->format, AT_INET);
	at_addr_ip(&any, t->format, "::", at_port_of(&t->a));
	at_addr_ip(&t->a, t->format, "::ffff:127.0.0.1", at_port_of(&t->a));
	t->kept = at_socket(t->format, t->type);
	if (setsockopt(t->kept, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
	    at_bind(t->kept, &any))
		return -1;
	return listen(t->kept, 8);
}

static int null_address(struct target *t)
{
	at_addr_port(&t->a, 0);
	return 0;
}

static int from_listener(struct target *t)
{
	struct at_addr own;

	at_addr(&own, t->format, t->kind);
	if (listening(t) < 0 || at_bind(t->fd, &own))
		return -1;
	return listen(t->fd, 1);
}

static int from_connected(struct target *t)
{
	return listening(t) < 0 ? -1 : at_connect(t->fd, &t->a);
}

static int from_orphan(struct target *t)
{
	int fd;

	if (from_connected(t))
		return -1;
	fd = accept(t->kept, NULL, NULL);
	return fd < 0 ? -1 : close(fd);
}

#define N AT_NATIVE
#define U AT_UNIX
#define O AT_ORACLE
#define S AT_IN
#define X AT_IN6
#define T AT_ORACLE_IN
#define V AT_ORACLE_IN6
#define R(reason) ALTCONN_REASON_ ## reason
static const struct row rows[] = {
	{ .what = "S-CONN native port", .format = N, .kind = AT_PORT,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN native name", .format = N, .kind = AT_NAME,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN native path", .format = N, .kind = AT_PATH,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN unix name", .format = U, .kind = AT_NAME,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN unix path", .format = U, .kind = AT_PATH,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN AF_UNIX path", .format = O, .kind = AT_PATH,
	  .make = listening, .err = 0 },
	{ .what = "E-CONNREFUSED native port, nothing bound", .format = N,
	  .kind = AT_PORT, .make = nothing, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED native name, nothing bound", .format = N,
	  .kind = AT_NAME, .make = nothing, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED unix name, nothing bound", .format = U,
	  .kind = AT_NAME, .make = nothing, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED AF_UNIX name, nothing bound", .format = O,
	  .kind = AT_NAME, .make = nothing, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED native port, not listening", .format = N,
	  .kind = AT_PORT, .make = not_listening, .err = ECONNREFUSED,
	  .reason = R(NOT_LISTENING) },
	{ .what = "E-CONNREFUSED unix name, not listening", .format = U,
	  .kind = AT_NAME, .make = not_listening, .err = ECONNREFUSED,
	  .reason = R(NOT_LISTENING) },
	{ .what = "E-CONNREFUSED unix path, not listening", .format = U,
	  .kind = AT_PATH, .make = not_listening, .err = ECONNREFUSED,
	  .reason = R(NOT_LISTENING) },
	{ .what = "E-CONNREFUSED AF_UNIX path, not listening", .format = O,
	  .kind = AT_PATH, .make = not_listening, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED native port, listener closed", .format = N,
	  .kind = AT_PORT, .make = closed_listener, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED native path, stale", .format = N,
	  .kind = AT_PATH, .make = closed_listener, .err = ECONNREFUSED,
	  .reason = R(STALE_PATH) },
	{ .what = "E-CONNREFUSED unix path, stale", .format = U,
	  .kind = AT_PATH, .make = closed_listener, .err = ECONNREFUSED,
	  .reason = R(STALE_PATH) },
	{ .what = "E-CONNREFUSED AF_UNIX path, stale", .format = O,
	  .kind = AT_PATH, .make = closed_listener, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED unix path, file of AF_UNIX", .format = U,
	  .kind = AT_PATH, .make = foreign_listener, .err = ECONNREFUSED,
	  .reason = R(STALE_PATH) },
	{ .what = "E-CONNREFUSED native path, regular file", .format = N,
	  .kind = AT_PATH, .make = regular_file, .err = ECONNREFUSED,
	  .reason = R(NOT_SOCKET) },
	{ .what = "E-CONNREFUSED unix path, regular file", .format = U,
	  .kind = AT_PATH, .make = regular_file, .err = ECONNREFUSED,
	  .reason = R(NOT_SOCKET) },
	{ .what = "E-CONNREFUSED AF_UNIX path, regular file", .format = O,
	  .kind = AT_PATH, .make = regular_file, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED unix path, directory", .format = U,
	  .kind = AT_PATH, .make = directory, .err = ECONNREFUSED,
	  .reason = R(NOT_SOCKET) },
	{ .what = "E-CONNREFUSED native port, other type listens", .format = N,
	  .kind = AT_PORT, .make = wrong_type, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED native name, other type listens", .format = N,
	  .kind = AT_NAME, .make = wrong_type, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-PROTOTYPE native path", .format = N, .kind = AT_PATH,
	  .make = wrong_type, .err = EPROTOTYPE, .reason = R(WRONG_TYPE) },
	{ .what = "E-PROTOTYPE unix path", .format = U, .kind = AT_PATH,
	  .make = wrong_type, .err = EPROTOTYPE, .reason = R(WRONG_TYPE) },
	{ .what = "E-PROTOTYPE unix path, datagram", .format = U,
	  .kind = AT_PATH, .make = wrong_type_dgram, .err = EPROTOTYPE,
	  .reason = R(WRONG_TYPE) },
	{ .what = "E-PROTOTYPE AF_UNIX path", .format = O, .kind = AT_PATH,
	  .make = wrong_type, .err = EPROTOTYPE },
	{ .what = "E-NOENT native path", .format = N, .kind = AT_PATH,
	  .make = nothing, .err = ENOENT, .reason = R(PATH_LOOKUP) },
	{ .what = "E-NOENT unix path", .format = U, .kind = AT_PATH,
	  .make = nothing, .err = ENOENT, .reason = R(PATH_LOOKUP) },
	{ .what = "E-NOENT AF_UNIX path", .format = O, .kind = AT_PATH,
	  .make = nothing, .err = ENOENT },
	{ .what = "E-NOENT unix path, link to nowhere", .format = U,
	  .kind = AT_PATH, .make = link_dangling, .err = ENOENT,
	  .reason = R(PATH_LOOKUP) },
	{ .what = "E-NOTDIR native path", .format = N, .kind = AT_PATH,
	  .make = below_regular, .err = ENOTDIR, .reason = R(PATH_LOOKUP) },
	{ .what = "E-NOTDIR unix path", .format = U, .kind = AT_PATH,
	  .make = below_regular, .err = ENOTDIR, .reason = R(PATH_LOOKUP) },
	{ .what = "E-NOTDIR AF_UNIX path", .format = O, .kind = AT_PATH,
	  .make = below_regular, .err = ENOTDIR },
	{ .what = "E-LOOP unix path", .format = U, .kind = AT_PATH,
	  .make = link_loop, .err = ELOOP, .reason = R(PATH_LOOKUP) },
	{ .what = "E-LOOP native path", .format = N, .kind = AT_PATH,
	  .make = link_loop, .err = ELOOP, .reason = R(PATH_LOOKUP) },
	{ .what = "E-LOOP AF_UNIX path", .format = O, .kind = AT_PATH,
	  .make = link_loop, .err = ELOOP },
	{ .what = "E-NAMETOOLONG unix path", .format = U, .kind = AT_PATH,
	  .make = link_long, .err = ENAMETOOLONG, .reason = R(PATH_LOOKUP) },
	{ .what = "E-NAMETOOLONG AF_UNIX path", .format = O, .kind = AT_PATH,
	  .make = link_long, .err = ENAMETOOLONG },
	{ .what = "S-CONN unix path, through a link", .format = U,
	  .kind = AT_PATH, .make = link_to_listener, .err = 0,
	  .reason = R(ESTABLISHED) },
	{ .what = "E-ACCES-PATH native, no write permission", .format = N,
	  .kind = AT_PATH, .make = unwritable, .err = EACCES,
	  .reason = R(PATH_PERMISSION), .nobody = true },
	{ .what = "E-ACCES-PATH unix, no write permission", .format = U,
	  .kind = AT_PATH, .make = unwritable, .err = EACCES,
	  .reason = R(PATH_PERMISSION), .nobody = true },
	{ .what = "E-ACCES-PATH AF_UNIX, no write permission", .format = O,
	  .kind = AT_PATH, .make = unwritable, .err = EACCES, .reason = R(NONE),
	  .nobody = true },
	{ .what = "E-ACCES-PATH unix, write permission alone", .format = U,
	  .kind = AT_PATH, .make = writable, .err = 0, .reason = R(ESTABLISHED),
	  .nobody = true },
	{ .what = "E-ACCES-PATH unix, no search permission", .format = U,
	  .kind = AT_PATH, .make = unsearchable, .err = EACCES,
	  .reason = R(PATH_LOOKUP), .nobody = true },
	{ .what = "E-ACCES-PATH AF_UNIX, no search permission", .format = O,
	  .kind = AT_PATH, .make = unsearchable, .err = EACCES,
	  .reason = R(NONE), .nobody = true },
	{ .what = "E-NETUNREACH port on node 5", .format = N, .kind = AT_PORT,
	  .make = no_node, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-NETUNREACH name on node 5", .format = N, .kind = AT_NAME,
	  .make = no_node, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-ACCES-BCAST without SO_BROADCAST", .format = N,
	  .kind = AT_PORT, .make = broadcast, .err = EACCES,
	  .reason = R(BROADCAST) },
	{ .what = "E-ACCES-BCAST with SO_BROADCAST", .format = N,
	  .kind = AT_PORT, .make = broadcast_allowed, .err = EOPNOTSUPP,
	  .reason = R(BROADCAST) },
	{ .what = "E-ADDRNOTAVAIL null address", .format = N, .kind = AT_PORT,
	  .make = null_address, .err = EADDRNOTAVAIL,
	  .reason = R(NULL_ADDRESS) },
	{ .what = "S-CONN native inet", .format = N, .kind = AT_INET,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN inet", .format = S, .kind = AT_INET,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN inet6", .format = X, .kind = AT_INET,
	  .make = listening, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN TCP", .format = T, .kind = AT_INET, .make = listening,
	  .err = 0 },
	{ .what = "S-CONN TCP, IPv6", .format = V, .kind = AT_INET,
	  .make = listening, .err = 0 },
	{ .what = "S-CONN inet, listener at any", .format = S, .kind = AT_INET,
	  .make = listening_any, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN inet6, listener at any", .format = X, .kind = AT_INET,
	  .make = listening_any, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN native inet, listener at any", .format = N,
	  .kind = AT_INET, .make = listening_any, .err = 0,
	  .reason = R(ESTABLISHED) },
	{ .what = "S-CONN TCP, listener at any", .format = T, .kind = AT_INET,
	  .make = listening_any, .err = 0 },
	{ .what = "S-CONN inet, to any", .format = S, .kind = AT_INET,
	  .make = listening_at_any, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN inet6, to any", .format = X, .kind = AT_INET,
	  .make = listening_at_any, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN TCP, to any", .format = T, .kind = AT_INET,
	  .make = listening_at_any, .err = 0 },
	{ .what = "S-CONN inet6, dual stack", .format = X, .kind = AT_INET,
	  .make = listening_dual, .err = 0, .reason = R(ESTABLISHED) },
	{ .what = "S-CONN TCP, dual stack", .format = V, .kind = AT_INET,
	  .make = listening_dual, .err = 0 },
	{ .what = "E-CONNREFUSED inet6, IPV6_V6ONLY", .format = X,
	  .kind = AT_INET, .make = listening_v6only, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED TCP, IPV6_V6ONLY", .format = V,
	  .kind = AT_INET, .make = listening_v6only, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED inet, another loopback address", .format = S,
	  .kind = AT_INET, .make = listening_elsewhere, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED TCP, another loopback address", .format = T,
	  .kind = AT_INET, .make = listening_elsewhere, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED inet, nothing bound", .format = S,
	  .kind = AT_INET, .make = nothing, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED inet6, nothing bound", .format = X,
	  .kind = AT_INET, .make = nothing, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED TCP, nothing bound", .format = T,
	  .kind = AT_INET, .make = nothing, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED inet, not listening", .format = S,
	  .kind = AT_INET, .make = not_listening, .err = ECONNREFUSED,
	  .reason = R(NOT_LISTENING) },
	{ .what = "E-CONNREFUSED TCP, not listening", .format = T,
	  .kind = AT_INET, .make = not_listening, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED inet, port 0", .format = S, .kind = AT_INET,
	  .make = port_zero, .err = ECONNREFUSED, .reason = R(NOT_BOUND) },
	{ .what = "E-CONNREFUSED TCP, port 0", .format = T, .kind = AT_INET,
	  .make = port_zero, .err = ECONNREFUSED },
	{ .what = "E-CONNREFUSED inet, other type listens", .format = S,
	  .kind = AT_INET, .make = wrong_type, .err = ECONNREFUSED,
	  .reason = R(NOT_BOUND) },
	{ .what = "E-NETUNREACH inet", .format = S, .kind = AT_INET,
	  .make = no_host, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-NETUNREACH inet6", .format = X, .kind = AT_INET,
	  .make = no_host, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-NETUNREACH native inet", .format = N, .kind = AT_INET,
	  .make = no_host_v4, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-NETUNREACH inet, multicast", .format = S, .kind = AT_INET,
	  .make = multicast, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-NETUNREACH inet6, multicast", .format = X, .kind = AT_INET,
	  .make = multicast, .err = ENETUNREACH, .reason = R(NO_NODE) },
	{ .what = "E-ACCES-BCAST inet without SO_BROADCAST", .format = S,
	  .kind = AT_INET, .make = limited_broadcast, .err = EACCES,
	  .reason = R(BROADCAST) },
	{ .what = "E-ACCES-BCAST inet with SO_BROADCAST", .format = S,
	  .kind = AT_INET, .make = everybody_allowed, .err = EOPNOTSUPP,
	  .reason = R(BROADCAST) },
	{ .what = "E-OPNOTSUPP inet, from a listener", .format = S,
	  .kind = AT_INET, .make = from_listener, .err = EOPNOTSUPP,
	  .reason = R(STATE) },
	{ .what = "E-ISCONN S-ONCE inet", .format = S, .kind = AT_INET,
	  .make = from_connected, .err = EISCONN },
	{ .what = "E-OPNOTSUPP native, from a listener", .format = N,
	  .kind = AT_PORT, .make = from_listener, .err = EOPNOTSUPP,
	  .reason = R(STATE) },
	{ .what = "E-OPNOTSUPP unix, from a listener", .format = U,
	  .kind = AT_PATH, .make = from_listener, .err = EOPNOTSUPP,
	  .reason = R(STATE) },
	{ .what = "E-ISCONN S-ONCE native", .format = N, .kind = AT_PORT,
	  .make = from_connected, .err = EISCONN },
	{ .what = "E-ISCONN S-ONCE unix", .format = U, .kind = AT_PATH,
	  .make = from_connected, .err = EISCONN },
	{ .what = "E-ISCONN S-ONCE AF_UNIX", .format = O, .kind = AT_NAME,
	  .make = from_connected, .err = EISCONN },
	{ .what = "E-ISCONN S-ONCE native, peer gone", .format = N,
	  .kind = AT_NAME, .make = from_orphan, .err = EISCONN },
	{ .what = "E-ISCONN S-ONCE unix, peer gone", .format = U,
	  .kind = AT_NAME, .make = from_orphan, .err = EISCONN },
};
#undef N
#undef U
#undef O
#undef S
#undef X
#undef T
#undef V
#undef R

FIXTURE(table) {};

FIXTURE_VARIANT(table) {
	int type, flags;
};

FIXTURE_VARIANT_ADD(table, stream_blocking) {
	.type = SOCK_STREAM, .flags = 0,
};
FIXTURE_VARIANT_ADD(table, stream_nonblocking) {
	.type = SOCK_STREAM, .flags = SOCK_NONBLOCK,
};
FIXTURE_VARIANT_ADD(table, seqpacket_blocking) {
	.type = SOCK_SEQPACKET, .flags = 0,
};
FIXTURE_VARIANT_ADD(table, seqpacket_nonblocking) {
	.type = SOCK_SEQPACKET, .flags = SOCK_NONBLOCK,
};

FIXTURE_SETUP(table) {}
FIXTURE_TEARDOWN(table) { at_cleanup(); }

static int connect_as_nobody(int fd, const struct at_addr *a)
{
	pid_t pid = at_fork();

	if (pid)
		return at_reap(pid);
	if (at_drop_privileges())
		_exit(120);
	_exit(at_err(at_connect(fd, a)));
}

static void remove_target(struct target *t)
{
	char dir[120];

	close(t->fd);
	if (t->kept >= 0)
		close(t->kept);
	if (t->kind != AT_PATH)
		return;
	/*
	 * Remove the socket file that unsearchable() has made, and its
	 * directory.
	 */
	snprintf(dir, sizeof(dir), "%s", at_path_of(&t->a));
	if (strlen(dir) > 2 && !strcmp(dir + strlen(dir) - 2, "/s")) {
		unlink(dir);
		dir[strlen(dir) - 2] = 0;
		rmdir(dir);
	}
	at_cleanup();
}

TEST_F_TIMEOUT(table, errno_and_reason, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	const struct row *row;
	struct target t;
	int err;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		/* TCP has no seqpacket sockets. */
		if (row->format > AT_ORACLE && variant->type != SOCK_STREAM)
			continue;
		t = (struct target) {
			.format = row->format, .kind = row->kind,
			.type = variant->type, .kept = -1,
		};
		t.fd = at_socket(row->format, variant->type | variant->flags);
		EXPECT_LE(0, row->make(&t)) {
			TH_LOG("cannot make: %s (%s)", row->what,
			       strerror(errno));
		}
		err = row->nobody ? connect_as_nobody(t.fd, &t.a) :
				    at_err(at_connect(t.fd, &t.a));
		/* A non-blocking TCP socket never connects at once. */
		if (row->format > AT_ORACLE && err == EINPROGRESS) {
			at_poll(t.fd, POLLOUT);
			err = at_so_error(t.fd);
		}
		EXPECT_EQ(row->err, err) {
			TH_LOG("connect: %s", row->what);
		}
		EXPECT_EQ(0, at_so_error(t.fd)) {
			TH_LOG("S-RESUME the error was consumed: %s",
			       row->what);
		}
		if (row->reason) {
			EXPECT_EQ(0, at_info(t.fd, &info));
			EXPECT_EQ(row->err, (int)info.aci_errno) {
				TH_LOG("aci_errno: %s", row->what);
			}
			EXPECT_EQ(row->reason, info.aci_reason) {
				TH_LOG("aci_reason: %s", row->what);
			}
		}
		remove_target(&t);
	}
}

/* After each error of connect() the socket can connect again (S-RESUME). */
TEST_F_TIMEOUT(table, S_RESUME_after_each_error, AT_TIMEOUT)
{
	const struct row *row;
	struct target t, good;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		if (row->nobody || !row->err || row->err == EISCONN ||
		    row->err == EOPNOTSUPP || at_is_oracle(row->format))
			continue;
		t = (struct target) {
			.format = row->format, .kind = row->kind,
			.type = variant->type, .kept = -1,
		};
		good = t;
		t.fd = at_socket(row->format, variant->type | variant->flags);
		EXPECT_LE(0, row->make(&t));
		EXPECT_NE(0, at_err(at_connect(t.fd, &t.a)));
		EXPECT_LE(0, listening(&good));
		EXPECT_EQ(0, at_err(at_connect(t.fd, &good.a))) {
			TH_LOG("after: %s", row->what);
		}
		close(good.kept);
		remove_target(&t);
	}
}

/* The backlog of the listener is full, and the attempt of @fd waits. */
FIXTURE(wait) {
	struct at_addr a;
	int lfd;
	int full[2];
	int fd;
	int begun;
};

FIXTURE_VARIANT(wait) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(wait, native_port_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(wait, native_name_seqpacket) {
	.format = AT_NATIVE, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(wait, native_inet_stream) {
	.format = AT_NATIVE, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(wait, inet_seqpacket) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(wait, inet6_stream) {
	.format = AT_IN6, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(wait, unix_path_stream) {
	.format = AT_UNIX, .kind = AT_PATH, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(wait, unix_name_seqpacket) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_SEQPACKET,
};

FIXTURE_SETUP(wait)
{
	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 1);
	ASSERT_LE(0, self->lfd);
	ASSERT_EQ(0, at_fill(variant->format, variant->type, &self->a,
			     self->full, 2));
	self->fd = at_client(variant->format, variant->type | SOCK_NONBLOCK,
			     &self->a, &self->begun);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(EINPROGRESS, self->begun);
}

FIXTURE_TEARDOWN(wait)
{
	at_cleanup();
}

static int begin_waiting(const FIXTURE_VARIANT(wait) *variant,
			 const struct at_addr *a)
{
	int err, fd;

	fd = at_client(variant->format, variant->type | SOCK_NONBLOCK, a, &err);
	if (err == EINPROGRESS)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

/*
 * Connect @fd to a new listener, to show that the socket can connect again.
 * Return 0 or an errno.
 */
static int connects_anew(const FIXTURE_VARIANT(wait) *variant, int fd)
{
	struct at_addr a;
	int lfd, err;

	lfd = at_listener(&a, variant->format, variant->kind, variant->type, 4);
	if (lfd < 0)
		return errno;
	err = at_err(at_connect(fd, &a));
	if (!err && at_getpeername(fd, &a))
		err = errno;
	close(lfd);
	return err;
}

TEST_F_TIMEOUT(wait, E_INPROGRESS_E_ALREADY, AT_TIMEOUT)
{
	struct at_addr peer;

	EXPECT_EQ(0, at_poll_now(self->fd, POLLOUT | POLLIN));
	EXPECT_EQ(0, at_so_error(self->fd));
	EXPECT_EQ(EALREADY, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(EALREADY, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &peer)));
	EXPECT_EQ(0, at_poll_now(self->fd, POLLOUT | POLLIN));
}

TEST_F_TIMEOUT(wait, S_DONE_after_SO_ERROR, AT_TIMEOUT)
{
	struct at_addr peer;

	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(self->fd, POLLOUT));
	EXPECT_EQ(0, at_so_error(self->fd));
	EXPECT_EQ(0, at_getpeername(self->fd, &peer));
	EXPECT_TRUE(at_addr_eq(&self->a, &peer));
	EXPECT_EQ(0, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(EISCONN, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(EISCONN, at_err(at_connect(self->fd, &self->a)));
}

TEST_F_TIMEOUT(wait, E_INPROGRESS_carries_data, AT_TIMEOUT)
{
	char buf[8];
	int fd, i;

	for (i = 0; i < 2; i++)
		ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	ASSERT_EQ(POLLOUT, at_poll(self->fd, POLLOUT));
	ASSERT_EQ(5, send(self->fd, "hello", 5, 0));
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, recv(fd, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
}

TEST_F_TIMEOUT(wait, E_ALREADY_blocking_waits_for_the_same, AT_TIMEOUT)
{
	struct at_job job;

	ASSERT_EQ(0, at_nonblock(self->fd, false));
	ASSERT_EQ(0, at_job_start(&job, self->fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_EQ(1, at_position(self->fd));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_job_end(&job));
	EXPECT_EQ(EISCONN, at_err(at_connect(self->fd, &self->a)));
}

TEST_F_TIMEOUT(wait, blocking_waits_for_accept, AT_TIMEOUT)
{
	struct at_job job;
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_TRUE(at_until(at_position(fd) == 2));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_TRUE(at_until(at_position(fd) == 1));
	EXPECT_FALSE(atomic_load(&job.done));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_job_end(&job));
	EXPECT_EQ(EISCONN, at_err(at_connect(fd, &self->a)));
}

TEST_F_TIMEOUT(wait, E_CONNREFUSED_listener_closed, AT_TIMEOUT)
{
	struct altconn_connect_info info;

	close(self->lfd);
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP,
		  at_poll(self->fd, POLLOUT) & (POLLOUT | POLLERR | POLLHUP));
	EXPECT_EQ(POLLERR, at_poll_now(self->fd, POLLOUT) & POLLERR);
	EXPECT_EQ(0, at_info(self->fd, &info));
	EXPECT_EQ(ECONNREFUSED, (int)info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_LISTENER_CLOSED, info.aci_reason);
	EXPECT_EQ(0, info.aci_position);
	EXPECT_EQ(0, info.aci_rule);
	EXPECT_EQ(ECONNREFUSED, at_so_error(self->fd));
	EXPECT_EQ(0, at_so_error(self->fd));
	EXPECT_EQ(0, at_poll_now(self->fd, POLLOUT) & POLLERR);
	EXPECT_EQ(0, connects_anew(variant, self->fd));
}

TEST_F_TIMEOUT(wait, S_RESUME_error_from_connect_once, AT_TIMEOUT)
{
	close(self->lfd);
	EXPECT_NE(0, at_poll(self->fd, POLLOUT) & POLLERR);
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(0, at_so_error(self->fd));
	EXPECT_EQ(0, connects_anew(variant, self->fd));
}

TEST_F_TIMEOUT(wait, E_CONNREFUSED_blocking_listener_closed, AT_TIMEOUT)
{
	struct at_job job[2];
	int fds[2], i;

	for (i = 0; i < 2; i++) {
		fds[i] = at_socket(variant->format, variant->type);
		ASSERT_EQ(0, at_job_start(&job[i], fds[i], &self->a));
		EXPECT_TRUE(at_job_blocked(&job[i]));
	}
	close(self->lfd);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(ECONNREFUSED, at_job_end(&job[i]));
		EXPECT_EQ(0, at_so_error(fds[i]));
		EXPECT_EQ(0, connects_anew(variant, fds[i]));
	}
	/* Clients that were queued, but not accepted, are reset. */
	EXPECT_NE(0, at_poll(self->full[0], POLLIN) & POLLIN);
	EXPECT_EQ(ECONNRESET, at_err(recv(self->full[0], &i, 1, 0)));
}

TEST_F_TIMEOUT(wait, E_INTR_goes_on, AT_TIMEOUT)
{
	struct at_job job;
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, at_catch(SIGUSR1, 0));
	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_TRUE(at_until(at_position(fd) == 2));
	at_job_signal(&job, SIGUSR1);
	EXPECT_EQ(EINTR, at_job_end(&job));
	EXPECT_EQ(1, atomic_load(&at_caught));
	EXPECT_EQ(2, at_position(fd));
	ASSERT_EQ(0, at_nonblock(fd, true));
	EXPECT_EQ(EALREADY, at_err(at_connect(fd, &self->a)));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(fd, POLLOUT));
	EXPECT_EQ(0, at_so_error(fd));
}

TEST_F_TIMEOUT(wait, E_INTR_SA_RESTART_restarts, AT_TIMEOUT)
{
	struct at_job job;
	int fd = at_socket(variant->format, variant->type);

	/* The deadline is far away, so that it does not end the attempt. */
	ASSERT_EQ(0, at_set_timeout(fd, 10 * 60 * 1000));
	ASSERT_EQ(0, at_catch(SIGUSR1, SA_RESTART));
	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_TRUE(at_until(at_position(fd) == 2));
	at_job_signal(&job, SIGUSR1);
	EXPECT_TRUE(at_until(atomic_load(&at_caught) == 1));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_EQ(2, at_position(fd));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_job_end(&job));
}

TEST_F_TIMEOUT(wait, E_INTR_SO_SNDTIMEO_does_not_restart, AT_TIMEOUT)
{
	struct timeval tv = { .tv_sec = 600 };
	struct at_job job;
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	ASSERT_EQ(0, at_catch(SIGUSR1, SA_RESTART));
	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_TRUE(at_until(at_position(fd) == 2));
	at_job_signal(&job, SIGUSR1);
	EXPECT_EQ(EINTR, at_job_end(&job));
	EXPECT_EQ(2, at_position(fd));
}

TEST_F_TIMEOUT(wait, E_TIMEDOUT_SO_SNDTIMEO_ends_the_wait, AT_TIMEOUT)
{
	struct timeval tv = { .tv_usec = 20000 };
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
				sizeof(tv)));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(2, at_position(fd));
	/*
	 * When SO_SNDTIMEO ends a second wait, the errno is EALREADY, as with
	 * TCP.
	 */
	EXPECT_EQ(EALREADY, at_err(at_connect(fd, &self->a)));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(fd, POLLOUT));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(EISCONN, at_err(at_connect(fd, &self->a)));
}

TEST_F_TIMEOUT(wait, E_TIMEDOUT_nonblocking, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	int fd = at_socket(variant->format, variant->type | SOCK_NONBLOCK);

	ASSERT_EQ(0, at_set_timeout(fd, 300));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP,
		  at_poll(fd, POLLOUT) & (POLLOUT | POLLERR | POLLHUP));
	EXPECT_EQ(0, at_info(fd, &info));
	EXPECT_EQ(ETIMEDOUT, (int)info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_DEADLINE, info.aci_reason);
	EXPECT_LE(300000000ULL, info.aci_waited_ns);
	EXPECT_EQ(ETIMEDOUT, at_so_error(fd));
	EXPECT_EQ(0, at_so_error(fd));
	EXPECT_EQ(1, at_position(self->fd));
	EXPECT_EQ(0, connects_anew(variant, fd));
}

TEST_F_TIMEOUT(wait, E_TIMEDOUT_blocking, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);

	ASSERT_EQ(0, at_set_timeout(fd, 20));
	EXPECT_EQ(ETIMEDOUT, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(0, at_so_error(fd));
	EXPECT_EQ(0, connects_anew(variant, fd));
}

TEST_F_TIMEOUT(wait, E_TIMEDOUT_head_lets_the_next_move_up, AT_TIMEOUT)
{
	int first, second;

	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	first = at_socket(variant->format, variant->type | SOCK_NONBLOCK);
	ASSERT_EQ(0, at_set_timeout(first, 300));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(first, &self->a)));
	second = begin_waiting(variant, &self->a);
	ASSERT_LE(0, second);
	EXPECT_NE(0, at_poll(first, POLLOUT) & POLLERR);
	EXPECT_EQ(1, at_position(second));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(second, POLLOUT));
	EXPECT_EQ(ETIMEDOUT, at_so_error(first));
}

TEST_F_TIMEOUT(wait, FIFO, AT_TIMEOUT)
{
	enum { WAITERS = 6 };
	int fds[WAITERS], i, j;

	fds[0] = self->fd;
	for (i = 1; i < WAITERS; i++) {
		fds[i] = begin_waiting(variant, &self->a);
		ASSERT_LE(0, fds[i]);
		EXPECT_EQ(i + 1, (int)at_position(fds[i]));
	}
	for (i = 0; i < WAITERS; i++) {
		ASSERT_LE(0, accept(self->lfd, NULL, NULL));
		EXPECT_EQ(POLLOUT, at_poll(fds[i], POLLOUT));
		for (j = i + 1; j < WAITERS; j++) {
			EXPECT_EQ(0, at_poll_now(fds[j], POLLOUT));
			EXPECT_EQ(j - i, (int)at_position(fds[j]));
		}
	}
}

TEST_F_TIMEOUT(wait, positions_move_up, AT_TIMEOUT)
{
	enum { WAITERS = 6 };
	int fds[WAITERS], i;

	fds[0] = self->fd;
	for (i = 1; i < WAITERS; i++)
		fds[i] = begin_waiting(variant, &self->a);
	/* Cancel an attempt in the middle of the queue, and the last one. */
	EXPECT_EQ(0, at_err(at_connect_unspec(fds[2])));
	EXPECT_EQ(0, at_err(at_connect_unspec(fds[5])));
	EXPECT_EQ(1, at_position(fds[0]));
	EXPECT_EQ(2, at_position(fds[1]));
	EXPECT_EQ(3, at_position(fds[3]));
	EXPECT_EQ(4, at_position(fds[4]));
	fds[2] = begin_waiting(variant, &self->a);
	ASSERT_LE(0, fds[2]);
	EXPECT_EQ(5, at_position(fds[2]));
	EXPECT_EQ(0, at_err(at_connect_unspec(fds[0])));
	EXPECT_EQ(0, at_err(at_connect_unspec(fds[3])));
	fds[0] = begin_waiting(variant, &self->a);
	ASSERT_LE(0, fds[0]);
	EXPECT_EQ(1, at_position(fds[1]));
	EXPECT_EQ(2, at_position(fds[4]));
	EXPECT_EQ(3, at_position(fds[2]));
	EXPECT_EQ(4, at_position(fds[0]));
}

/* A new attempt does not overtake an attempt that waits. */
TEST_F_TIMEOUT(wait, FIFO_no_overtaking, AT_TIMEOUT)
{
	int fd;

	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll_now(self->fd, POLLOUT));
	fd = begin_waiting(variant, &self->a);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, at_position(fd));
}

TEST_F_TIMEOUT(wait, S_UNSPEC_cancels, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	int next = begin_waiting(variant, &self->a);

	ASSERT_LE(0, next);
	EXPECT_EQ(2, at_position(next));
	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	EXPECT_EQ(1, at_position(next));
	EXPECT_EQ(0, at_info(self->fd, &info));
	EXPECT_EQ(ALTCONN_REASON_CANCELLED_UNSPEC, info.aci_reason);
	EXPECT_EQ(0, info.aci_position);
	EXPECT_EQ(0, at_so_error(self->fd));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(next, POLLOUT));
	EXPECT_EQ(0, connects_anew(variant, self->fd));
}

TEST_F_TIMEOUT(wait, S_UNSPEC_wakes_a_blocked_caller, AT_TIMEOUT)
{
	struct at_job job;
	int fd = at_socket(variant->format, variant->type), err;

	ASSERT_EQ(0, at_job_start(&job, fd, &self->a));
	EXPECT_TRUE(at_job_blocked(&job));
	EXPECT_TRUE(at_until(at_position(fd) == 2));
	EXPECT_EQ(0, at_err(at_connect_unspec(fd)));
	err = at_job_end(&job);
	EXPECT_EQ(ECONNABORTED, err);
	EXPECT_EQ(0, connects_anew(variant, fd));
}

TEST_F_TIMEOUT(wait, close_leaves_the_queue, AT_TIMEOUT)
{
	int next = begin_waiting(variant, &self->a);

	ASSERT_LE(0, next);
	EXPECT_EQ(2, at_position(next));
	close(self->fd);
	EXPECT_EQ(1, at_position(next));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(next, POLLOUT));
}

TEST_F_TIMEOUT(wait, queued_close_makes_space_in_accept, AT_TIMEOUT)
{
	char c;
	int fd;

	/*
	 * A client that has closed before accept() is still accepted, and the
	 * server reads end of file.
	 */
	close(self->full[0]);
	fd = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
	EXPECT_EQ(POLLOUT, at_poll(self->fd, POLLOUT));
}

TEST_F_TIMEOUT(wait, listen_again_establishes, AT_TIMEOUT)
{
	int next = begin_waiting(variant, &self->a);
	int last = begin_waiting(variant, &self->a);

	ASSERT_LE(0, next);
	ASSERT_LE(0, last);
	ASSERT_EQ(0, at_err(listen(self->lfd, 3)));
	EXPECT_EQ(POLLOUT, at_poll(self->fd, POLLOUT));
	EXPECT_EQ(POLLOUT, at_poll(next, POLLOUT));
	EXPECT_EQ(1, at_position(last));
	EXPECT_EQ(0, at_poll_now(last, POLLOUT));
	/* A backlog below the length of the accept queue removes no client. */
	ASSERT_EQ(0, at_err(listen(self->lfd, 0)));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_poll_now(last, POLLOUT));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(0, at_poll_now(last, POLLOUT));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, at_poll(last, POLLOUT));
}

TEST_F_TIMEOUT(wait, S_UNSPEC_on_the_listener, AT_TIMEOUT)
{
	struct at_addr got;
	int err;
	char c;

	EXPECT_EQ(0, at_err(at_connect_unspec(self->lfd)));
	EXPECT_NE(0, at_poll(self->fd, POLLOUT) & POLLERR);
	EXPECT_EQ(ECONNREFUSED, at_so_error(self->fd));
	EXPECT_EQ(ECONNRESET, at_err(recv(self->full[0], &c, 1, 0)));
	EXPECT_EQ(EINVAL, at_err(accept(self->lfd, NULL, NULL)));
	/* The explicit bind() survives, and the socket can listen again. */
	EXPECT_EQ(0, at_getsockname(self->lfd, &got));
	EXPECT_TRUE(at_addr_eq(&self->a, &got));
	close(at_client(variant->format, variant->type, &self->a, &err));
	EXPECT_EQ(ECONNREFUSED, err);
	EXPECT_EQ(0, at_err(listen(self->lfd, 1)));
	at_client(variant->format, variant->type, &self->a, &err);
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(wait, info_has_position_and_time, AT_TIMEOUT)
{
	struct altconn_connect_info info, later;

	ASSERT_EQ(0, at_info(self->fd, &info));
	EXPECT_EQ(EINPROGRESS, (int)info.aci_errno);
	EXPECT_EQ(1, info.aci_position);
	EXPECT_EQ(0, info.aci_rule);
	EXPECT_TRUE(at_until(!at_info(self->fd, &later) &&
			     later.aci_waited_ns > info.aci_waited_ns));
	ASSERT_LE(0, accept(self->lfd, NULL, NULL));
	ASSERT_EQ(0, at_info(self->fd, &info));
	EXPECT_EQ(0, info.aci_errno);
	EXPECT_EQ(ALTCONN_REASON_ESTABLISHED, info.aci_reason);
	EXPECT_EQ(0, info.aci_position);
	EXPECT_LE(later.aci_waited_ns, info.aci_waited_ns);
	ASSERT_EQ(0, at_info(self->fd, &later));
	EXPECT_EQ(later.aci_waited_ns, info.aci_waited_ns);
}

TEST_F_TIMEOUT(wait, timeout_option_round_trip, AT_TIMEOUT)
{
	static const uint64_t values[] = { 0, 1, 86400000, 1ULL << 40, ~0ULL };
	socklen_t len;
	uint64_t ms;
	int i, small = 1;

	len = sizeof(ms);
	EXPECT_EQ(0, getsockopt(self->fd, SOL_ALTCONN,
				ALTCONN_CONNECT_TIMEOUT, &ms, &len));
	EXPECT_EQ(ALTCONN_TIMEOUT_DEFAULT, ms);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		EXPECT_EQ(0, at_set_timeout(self->fd, values[i]));
		len = sizeof(ms);
		EXPECT_EQ(0, getsockopt(self->fd, SOL_ALTCONN,
					ALTCONN_CONNECT_TIMEOUT, &ms, &len));
		EXPECT_EQ(sizeof(ms), len);
		EXPECT_EQ(values[i], ms);
	}
	EXPECT_EQ(EINVAL, at_err(setsockopt(self->fd, SOL_ALTCONN,
					    ALTCONN_CONNECT_TIMEOUT, &small,
					    sizeof(small))));
	EXPECT_EQ(1, at_position(self->fd));
}

/* These tests set limits by the sysctls of a network namespace. */
FIXTURE(limits) {
	struct at_addr a;
	int lfd, full[1];
};

FIXTURE_VARIANT(limits) {
	int type;
};

FIXTURE_VARIANT_ADD(limits, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(limits, seqpacket) { .type = SOCK_SEQPACKET };

FIXTURE_SETUP(limits)
{
	if (at_netns())
		SKIP(return, "no network namespaces in this kernel");
	self->lfd = at_listener(&self->a, AT_NATIVE, AT_PORT, variant->type, 0);
	ASSERT_LE(0, self->lfd);
	ASSERT_EQ(0, at_fill(AT_NATIVE, variant->type, &self->a, self->full,
			     1));
}

FIXTURE_TEARDOWN(limits) {}

TEST_F_TIMEOUT(limits, E_CONNREFUSED_max_waiting, AT_TIMEOUT)
{
	struct altconn_connect_info info;
	int fds[4], err, i;

	EXPECT_EQ(65536, at_sysctl("altconn/max_waiting"));
	/* One user may have half of the max_waiting attempts, rounded up. */
	ASSERT_EQ(0, at_sysctl_set("altconn/max_waiting", 5));
	for (i = 0; i < 3; i++) {
		fds[i] = at_client(AT_NATIVE, variant->type | SOCK_NONBLOCK,
				   &self->a, &err);
		EXPECT_EQ(EINPROGRESS, err);
	}
	fds[3] = at_client(AT_NATIVE, variant->type, &self->a, &err);
	EXPECT_EQ(ECONNREFUSED, err);
	EXPECT_EQ(0, at_info(fds[3], &info));
	EXPECT_EQ(ALTCONN_REASON_WAITING_ROOM_FULL, info.aci_reason);
	close(fds[1]);
	ASSERT_EQ(0, at_nonblock(fds[3], true));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fds[3], &self->a)));
	EXPECT_EQ(3, at_position(fds[3]));
}

TEST_F_TIMEOUT(limits, E_TIMEDOUT_sysctl, AT_TIMEOUT)
{
	int fd, err;

	EXPECT_EQ(30000, at_sysctl("altconn/connect_timeout_ms"));
	ASSERT_EQ(0, at_sysctl_set("altconn/connect_timeout_ms", 20));
	close(at_client(AT_NATIVE, variant->type, &self->a, &err));
	EXPECT_EQ(ETIMEDOUT, err);
	fd = at_client(AT_NATIVE, variant->type | SOCK_NONBLOCK, &self->a,
		       &err);
	EXPECT_EQ(EINPROGRESS, err);
	EXPECT_NE(0, at_poll(fd, POLLOUT) & POLLERR);
	EXPECT_EQ(ETIMEDOUT, at_so_error(fd));
}

/* A timeout of 0 means no deadline. The socket option overrides the sysctl. */
TEST_F_TIMEOUT(limits, E_TIMEDOUT_never, AT_TIMEOUT)
{
	int fds[3], err;

	ASSERT_EQ(0, at_sysctl_set("altconn/connect_timeout_ms", 0));
	fds[0] = at_client(AT_NATIVE, variant->type | SOCK_NONBLOCK, &self->a,
			   &err);
	EXPECT_EQ(EINPROGRESS, err);
	ASSERT_EQ(0, at_sysctl_set("altconn/connect_timeout_ms", 20));
	fds[1] = at_socket(AT_NATIVE, variant->type | SOCK_NONBLOCK);
	ASSERT_EQ(0, at_set_timeout(fds[1], 0));
	EXPECT_EQ(EINPROGRESS, at_err(at_connect(fds[1], &self->a)));
	/* A third attempt serves as the clock: its deadline passes. */
	fds[2] = at_client(AT_NATIVE, variant->type | SOCK_NONBLOCK, &self->a,
			   &err);
	EXPECT_EQ(EINPROGRESS, err);
	EXPECT_NE(0, at_poll(fds[2], POLLOUT) & POLLERR);
	EXPECT_EQ(1, at_position(fds[0]));
	EXPECT_EQ(2, at_position(fds[1]));
}

/* These tests dissolve established connections by connect() to AF_UNSPEC. */
FIXTURE(unspec) {
	struct at_addr a;
	int lfd, fd, peer;
};

FIXTURE_VARIANT(unspec) {
	enum at_format format;
	enum at_kind kind;
	int type;
};

FIXTURE_VARIANT_ADD(unspec, native_stream) {
	.format = AT_NATIVE, .kind = AT_PORT, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(unspec, native_seqpacket) {
	.format = AT_NATIVE, .kind = AT_PATH, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(unspec, inet_stream) {
	.format = AT_IN, .kind = AT_INET, .type = SOCK_STREAM,
};
FIXTURE_VARIANT_ADD(unspec, inet6_seqpacket) {
	.format = AT_IN6, .kind = AT_INET, .type = SOCK_SEQPACKET,
};
FIXTURE_VARIANT_ADD(unspec, unix_stream) {
	.format = AT_UNIX, .kind = AT_NAME, .type = SOCK_STREAM,
};

FIXTURE_SETUP(unspec)
{
	int err;

	self->lfd = at_listener(&self->a, variant->format, variant->kind,
				variant->type, 4);
	ASSERT_LE(0, self->lfd);
	self->fd = at_client(variant->format, variant->type, &self->a, &err);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, err);
	self->peer = accept(self->lfd, NULL, NULL);
	ASSERT_LE(0, self->peer);
}

FIXTURE_TEARDOWN(unspec)
{
	at_cleanup();
}

TEST_F_TIMEOUT(unspec, S_UNSPEC_peer_sees_EOF, AT_TIMEOUT)
{
	struct at_addr a;
	char c;

	EXPECT_EQ(1, send(self->fd, "x", 1, 0));
	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	EXPECT_EQ(ENOTCONN, at_err(at_getpeername(self->fd, &a)));
	EXPECT_EQ(1, recv(self->peer, &c, 1, 0));
	EXPECT_EQ(0, recv(self->peer, &c, 1, 0));
	/* In the inet formats only the second send() fails, as with TCP. */
	EXPECT_TRUE(at_until(at_err(send(self->peer, "x", 1, MSG_NOSIGNAL)) ==
			     EPIPE));
}

TEST_F_TIMEOUT(unspec, S_UNSPEC_unread_data_resets, AT_TIMEOUT)
{
	char c;

	EXPECT_EQ(1, send(self->peer, "x", 1, 0));
	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	EXPECT_EQ(ECONNRESET, at_err(recv(self->peer, &c, 1, 0)));
	EXPECT_EQ(0, recv(self->peer, &c, 1, 0));
}

TEST_F_TIMEOUT(unspec, S_UNSPEC_then_anew, AT_TIMEOUT)
{
	int peer, i;
	char c;

	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, send(self->peer, "old", 1, 0));
		EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
		EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
		EXPECT_EQ(0, at_err(at_connect(self->fd, &self->a)));
		peer = accept(self->lfd, NULL, NULL);
		ASSERT_LE(0, peer);
		EXPECT_EQ(EAGAIN, at_err(recv(self->fd, &c, 1,
					      MSG_DONTWAIT)));
		EXPECT_EQ(1, send(self->fd, "n", 1, 0));
		EXPECT_EQ(1, recv(peer, &c, 1, 0));
		EXPECT_EQ('n', c);
		close(self->peer);
		self->peer = peer;
	}
}

TEST_F_TIMEOUT(unspec, S_UNSPEC_then_listen, AT_TIMEOUT)
{
	struct at_addr a;
	int err;

	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	at_addr(&a, variant->format, variant->kind);
	EXPECT_EQ(0, at_err(at_bind(self->fd, &a)));
	EXPECT_EQ(0, at_err(listen(self->fd, 1)));
	at_client(variant->format, variant->type, &a, &err);
	EXPECT_EQ(0, err);
}

TEST_F_TIMEOUT(unspec, S_UNSPEC_bind_survives, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);
	struct at_addr a, got;

	at_addr(&a, variant->format, variant->kind);
	EXPECT_EQ(0, at_err(at_bind(fd, &a)));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
	EXPECT_EQ(0, at_err(at_connect_unspec(fd)));
	EXPECT_EQ(0, at_getsockname(fd, &got));
	EXPECT_TRUE(at_addr_eq(&a, &got));
	/* An automatic address is released. */
	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	EXPECT_EQ(0, at_getsockname(self->fd, &got));
	EXPECT_TRUE(at_unnamed(&got));
}

TEST_F_TIMEOUT(unspec, S_UNSPEC_on_a_fresh_socket, AT_TIMEOUT)
{
	int fd = at_socket(variant->format, variant->type);

	EXPECT_EQ(0, at_err(at_connect_unspec(fd)));
	EXPECT_EQ(0, at_err(at_connect(fd, &self->a)));
}

TEST_F_TIMEOUT(unspec, S_ONCE_after_the_peer_left, AT_TIMEOUT)
{
	close(self->peer);
	EXPECT_EQ(EISCONN, at_err(at_connect(self->fd, &self->a)));
	close(self->lfd);
	EXPECT_EQ(EISCONN, at_err(at_connect(self->fd, &self->a)));
	EXPECT_EQ(0, at_err(at_connect_unspec(self->fd)));
	EXPECT_EQ(ECONNREFUSED, at_err(at_connect(self->fd, &self->a)));
}

TEST_HARNESS_MAIN
