// SPDX-License-Identifier: GPL-2.0
/* List the families, and find out which of them the running kernel has. */
#include "conformance.h"

#include <stdlib.h>

#define ALTCONN_COMMON							\
	.forbid = alt_forbid,						\
	.down = alt_down,						\
	.types = ANY,							\
	.deadline = altconn_deadline

#define NATIVE								\
	ALTCONN_COMMON,							\
	.protocol = ALTCONN_NATIVE,					\
	.fresh = native_fresh,						\
	.malformed = native_malformed

#define PATHS								\
	.fresh = unix_fresh_path,					\
	.malformed = unix_malformed,					\
	.unusual = unix_unusual

#define NAMES								\
	.fresh = unix_fresh_name,					\
	.malformed = unix_malformed,					\
	.unusual = unix_unusual

#define INET								\
	.fresh = inet_fresh,						\
	.malformed = inet_malformed,					\
	.unusual = inet_unusual,					\
	.unreachable = inet_unreachable,				\
	.one_port = inet_one_port

#define INET6								\
	.fresh = inet6_fresh,						\
	.malformed = inet6_malformed,					\
	.unusual = inet6_unusual,					\
	.unreachable = inet6_unreachable,				\
	.one_port = inet_one_port

const struct family families[] = {
	{
		.name = "altconn-port",
		.text = "altconn, native format, node and port",
		NATIVE,
		.kind = ALTCONN_KIND_PORT,
		.traits = WAITS | OWN_TYPES | SHARES,
		.unreachable = native_unreachable,
		.broadcast = native_broadcast,
		.null = native_null,
		.one_port = altconn_one_port,
		.exempt = alt_port_exempt,
	}, {
		.name = "altconn-name",
		.text = "altconn, native format, node and name",
		NATIVE,
		.kind = ALTCONN_KIND_NAME,
		.traits = WAITS | OWN_TYPES,
		.unreachable = native_unreachable,
		.null = native_null,
		.exempt = alt_name_exempt,
	}, {
		.name = "altconn-path",
		.text = "altconn, native format, socket files",
		NATIVE,
		.kind = ALTCONN_KIND_PATH,
		.traits = WAITS | HAS_PATHS,
		.null = native_null,
		.exempt = alt_path_exempt,
	}, {
		.name = "altconn-native-inet",
		.text = "altconn, native format, IP address and port",
		NATIVE,
		.kind = ALTCONN_KIND_INET,
		.traits = WAITS | OWN_TYPES | SHARES,
		.unreachable = native_unreachable,
		.broadcast = native_broadcast,
		.null = native_null,
		.one_port = inet_one_port,
		.exempt = alt_inet_exempt,
	}, {
		.name = "altconn-unix",
		.text = "altconn, sockaddr_un format, socket files",
		ALTCONN_COMMON,
		PATHS,
		.protocol = ALTCONN_UNIX,
		.traits = WAITS | HAS_PATHS,
		.exempt = alt_unix_exempt,
	}, {
		.name = "altconn-unix-abstract",
		.text = "altconn, sockaddr_un format, abstract names",
		ALTCONN_COMMON,
		NAMES,
		.protocol = ALTCONN_UNIX,
		.traits = WAITS | OWN_TYPES,
		.exempt = alt_unix_name_exempt,
	}, {
		.name = "altconn-inet",
		.text = "altconn, sockaddr_in format",
		ALTCONN_COMMON,
		INET,
		.protocol = ALTCONN_INET,
		.traits = WAITS | OWN_TYPES | SHARES,
		.broadcast = alt_broadcast,
		.exempt = alt_inet_exempt,
	}, {
		.name = "altconn-inet6",
		.text = "altconn, sockaddr_in6 format",
		ALTCONN_COMMON,
		INET6,
		.protocol = ALTCONN_INET6,
		.traits = WAITS | OWN_TYPES | SHARES,
		.exempt = alt_inet6_exempt,
	}, {
		.name = "unix",
		.text = "AF_UNIX, socket files",
		.domain = AF_UNIX,
		.types = ANY,
		PATHS,
		.traits = HAS_PATHS,
		.exempt = unix_exempt,
	}, {
		.name = "unix-abstract",
		.text = "AF_UNIX, abstract names",
		.domain = AF_UNIX,
		.types = ANY,
		NAMES,
		.traits = OWN_TYPES,
		.exempt = unix_name_exempt,
	}, {
		.name = "tcp4",
		.text = "TCP over IPv4",
		.domain = AF_INET,
		.types = STREAM,
		INET,
		.traits = WAITS | SHARES,
		.broadcast = inet_broadcast,
		.forbid = inet_forbid,
		.deadline = tcp_deadline,
		.exempt = tcp4_exempt,
	}, {
		.name = "tcp6",
		.text = "TCP over IPv6",
		.domain = AF_INET6,
		.types = STREAM,
		INET6,
		.traits = WAITS | SHARES,
		.forbid = inet_forbid,
		.deadline = tcp_deadline,
		.exempt = tcp6_exempt,
	}, {
		.name = "udp4",
		.text = "UDP over IPv4",
		.domain = AF_INET,
		.types = DGRAM,
		INET,
		.broadcast = inet_broadcast,
		.forbid = inet_forbid,
		.exempt = udp4_exempt,
	}, {
		.name = "udp6",
		.text = "UDP over IPv6",
		.domain = AF_INET6,
		.types = DGRAM,
		INET6,
		.forbid = inet_forbid,
		.exempt = udp6_exempt,
	}, {
		.name = "vsock",
		.text = "AF_VSOCK, loopback",
		.domain = AF_VSOCK,
		.types = CONN,
		.traits = OWN_TYPES,
		.fresh = vsock_fresh,
		.malformed = vsock_malformed,
		.unreachable = vsock_elsewhere,
		.exempt = vsock_exempt,
	}, {
		.name = "tipc",
		.text = "AF_TIPC, one node",
		.domain = AF_TIPC,
		.types = ANY,
		.traits = LATE,
		.fresh = tipc_fresh,
		.malformed = tipc_malformed,
		.unreachable = tipc_unreachable,
		.deadline = tipc_deadline,
		.exempt = tipc_exempt,
	},
};

const int nfamilies = ARRAY_SIZE(families);

bool is_altconn(const struct family *f)
{
	return !f->domain;
}

/* Return whether this is an altconn format that behaves like TCP and UDP. */
bool is_inet(const struct family *f)
{
	return is_altconn(f) && (f->protocol == ALTCONN_INET ||
				 f->protocol == ALTCONN_INET6);
}

int family_domain(const struct family *f)
{
	static int number;
	FILE *file;

	if (f->domain || number)
		return f->domain ?: number;
	number = AF_ALTCONN;
	file = fopen("/sys/module/altconn/parameters/family", "r");
	if (!file)
		return number;
	if (fscanf(file, "%d", &number) != 1)
		number = AF_ALTCONN;
	fclose(file);
	return number;
}

int sock_type(int type)
{
	if (type == SEQPACKET)
		return SOCK_SEQPACKET;
	return type == STREAM ? SOCK_STREAM : SOCK_DGRAM;
}

const char *type_name(int type)
{
	if (type == SEQPACKET)
		return "seqpacket";
	return type == STREAM ? "stream" : "dgram";
}

const char *mode_name(int mode)
{
	if (!mode)
		return "";
	return mode == BLOCKING ? "blocking" : "non-blocking";
}

static int try_socket(const struct family *f, int type)
{
	int fd = socket(family_domain(f), sock_type(type), f->protocol);
	int err = err_of(fd);

	if (fd >= 0)
		close(fd);
	return err;
}

const char *family_missing(const struct family *f)
{
	if (f->domain == AF_VSOCK)
		return vsock_missing();
	switch (try_socket(f, f->types & STREAM ? STREAM : DGRAM)) {
	case 0:
		return NULL;
	case EPROTONOSUPPORT:
		return "altconn on this kernel does not have this format";
	}
	if (is_altconn(f))
		return "the module altconn is not loaded";
	return "this kernel does not have this family";
}

const char *type_missing(const struct family *f, int type)
{
	if (!try_socket(f, type))
		return NULL;
	return "this kernel does not have this type of the family";
}

const char *exempt_why(const struct family *f, const char *clause, int type)
{
	const struct exempt *e;

	for (e = f->exempt; e->clause; e++) {
		if (!strcmp(e->clause, clause) && e->types & type)
			return e->why;
	}
	return NULL;
}
