// SPDX-License-Identifier: GPL-2.0
/* List the families that the benchmark compares, and make their sockets. */
#include "bench.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <linux/altconn.h>
#include <linux/tipc.h>
#include <linux/vm_sockets.h>

#define ALTCONN	(-2)
#define PIPE	(-1)

const char *const type_names[] = {
	[STREAM] = "stream", [SEQPACKET] = "seqpacket", [DGRAM] = "dgram",
};

static int altconn_number(void)
{
	static int n;
	FILE *f;

	if (n)
		return n;
	f = fopen("/sys/module/altconn/parameters/family", "r");
	if (!f || fscanf(f, "%d", &n) != 1)
		n = AF_ALTCONN;
	if (f)
		fclose(f);
	return n;
}

static socklen_t addr_port(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_altconn *a = (void *)addr;

	*a = (struct sockaddr_altconn) {
		.sac_family = altconn_number(), .sac_kind = ALTCONN_KIND_PORT,
		.sac_port = 5000 + n,
	};
	return sizeof(*a);
}

static socklen_t addr_path(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_un *a = (void *)addr;

	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof(a->sun_path), "/tmp/bench.%d.%u",
		 (int)getpid(), n);
	return sizeof(*a);
}

static socklen_t addr_abstract(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_un *a = (void *)addr;
	int len;

	a->sun_family = AF_UNIX;
	len = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "bench.%d.%u",
		       (int)getpid(), n);
	return offsetof(struct sockaddr_un, sun_path) + 1 + len;
}

static socklen_t addr_in(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_in *a = (void *)addr;

	a->sin_family = AF_INET;
	a->sin_port = htons(5000 + n);
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*a);
}

static socklen_t addr_in6(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_in6 *a = (void *)addr;

	a->sin6_family = AF_INET6;
	a->sin6_port = htons(5000 + n);
	a->sin6_addr = in6addr_loopback;
	return sizeof(*a);
}

static socklen_t addr_vsock(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_vm *a = (void *)addr;

	a->svm_family = AF_VSOCK;
	a->svm_port = 5000 + n;
	a->svm_cid = VMADDR_CID_LOCAL;
	return sizeof(*a);
}

static socklen_t addr_tipc(struct sockaddr_storage *addr, unsigned int n)
{
	struct sockaddr_tipc *a = (void *)addr;

	a->family = AF_TIPC;
	a->addrtype = TIPC_SERVICE_ADDR;
	a->scope = TIPC_NODE_SCOPE;
	a->addr.name.name.type = 5000;
	a->addr.name.name.instance = n;
	return sizeof(*a);
}

#define ALL	(STREAM | SEQPACKET | DGRAM)

const struct family families[] = {
	{ .name = "altconn", .domain = ALTCONN, .protocol = ALTCONN_NATIVE,
	  .types = ALL, .make_addr = addr_port, .alone = true },
	{ .name = "altconn-name", .domain = ALTCONN, .protocol = ALTCONN_UNIX,
	  .types = ALL, .make_addr = addr_abstract, .alone = true,
	  .detail = true },
	{ .name = "altconn-path", .domain = ALTCONN, .protocol = ALTCONN_UNIX,
	  .types = ALL, .make_addr = addr_path, .alone = true, .detail = true },
	{ .name = "altconn-inet", .domain = ALTCONN, .protocol = ALTCONN_INET,
	  .types = ALL, .make_addr = addr_in, .alone = true, .detail = true },
	{ .name = "altconn-inet6", .domain = ALTCONN, .protocol = ALTCONN_INET6,
	  .types = ALL, .make_addr = addr_in6, .alone = true, .detail = true },
	{ .name = "unix", .domain = AF_UNIX, .types = ALL,
	  .make_addr = addr_abstract, .alone = true },
	{ .name = "unix-path", .domain = AF_UNIX, .types = ALL,
	  .make_addr = addr_path, .alone = true, .detail = true },
	{ .name = "tcp", .domain = AF_INET, .types = STREAM,
	  .make_addr = addr_in, .alone = true },
	{ .name = "vsock", .domain = AF_VSOCK, .types = STREAM | SEQPACKET,
	  .make_addr = addr_vsock, .alone = true },
	{ .name = "tipc", .domain = AF_TIPC, .types = STREAM | SEQPACKET,
	  .make_addr = addr_tipc },
	{ .name = "pipe", .domain = PIPE, .types = STREAM },
};

const int nfamilies = ARRAY_SIZE(families);

static int sock_type(enum type type)
{
	return type == STREAM ? SOCK_STREAM :
	       type == SEQPACKET ? SOCK_SEQPACKET : SOCK_DGRAM;
}

static int domain_of(const struct family *f)
{
	return f->domain == ALTCONN ? altconn_number() : f->domain;
}

bool family_present(const struct family *f)
{
	int fd;

	if (f->domain == PIPE)
		return true;
	fd = socket(domain_of(f), SOCK_STREAM, f->protocol);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int make_socket(const struct job *job, int flags)
{
	int fd = socket(domain_of(job->f), sock_type(job->type) | flags,
			job->f->protocol);

	if (fd < 0)
		die("socket");
	return fd;
}

static void bind_to(const struct job *job, int fd, unsigned int n)
{
	struct sockaddr_storage addr = {};
	socklen_t len = job->f->make_addr(&addr, n);
	int on = 1;

	if (job->f->domain == AF_INET)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr.ss_family == AF_UNIX)
		unlink(((struct sockaddr_un *)&addr)->sun_path);
	if (bind(fd, (struct sockaddr *)&addr, len))
		die("bind");
}

int make_listener(const struct job *job, unsigned int n, int backlog)
{
	int fd = make_socket(job, 0);

	bind_to(job, fd, n);
	if (listen(fd, backlog))
		die("listen");
	return fd;
}

/* Return a socket that is connected or has begun to connect, or -1. */
int try_connect(const struct job *job, unsigned int n, int flags)
{
	/* The address is kept between calls, so making it is not measured. */
	static __thread struct sockaddr_storage addr;
	static __thread socklen_t len;
	static __thread unsigned int last;
	int fd = make_socket(job, flags);

	if (!len || n != last) {
		memset(&addr, 0, sizeof(addr));
		len = job->f->make_addr(&addr, n);
		last = n;
	}

	if (connect(fd, (struct sockaddr *)&addr, len)) {
		if (errno == EINPROGRESS && flags & SOCK_NONBLOCK)
			return fd;
		close(fd);
		return -1;
	}
	return fd;
}

int connect_to(const struct job *job, unsigned int n)
{
	int on = 1, fd;

	/* vsock resets a client at a full backlog. */
	while ((fd = try_connect(job, n, 0)) < 0 && errno == ECONNRESET)
		sched_yield();
	if (fd < 0)
		die("connect");
	/* TCP must not hold data back to send more at once. */
	if (job->f->domain == AF_INET)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int accept_from(int fd)
{
	int new = accept(fd, NULL, NULL);

	if (new < 0)
		die("accept");
	return new;
}

struct client {
	const struct job	*job;
	unsigned int		n;
	int			fd;
};

static void *connecter(void *arg)
{
	struct client *c = arg;

	c->fd = connect_to(c->job, c->n);
	return NULL;
}

/* Connect in a thread, since a TIPC connect() waits for accept(). */
void make_pair_at(const struct job *job, int lfd, unsigned int n, int fds[2])
{
	struct client c = { .job = job, .n = n };
	pthread_t thread = spawn(connecter, &c);
	int on = 1;

	fds[1] = accept_from(lfd);
	join(thread);
	fds[0] = c.fd;
	if (job->f->domain == AF_INET)
		setsockopt(fds[1], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void make_connected(const struct job *job, int fds[2])
{
	static unsigned int unique = 1000;
	unsigned int n = unique++;
	int lfd = make_listener(job, n, 16);

	make_pair_at(job, lfd, n, fds);
	close(lfd);
}

static void make_datagram_pair(const struct job *job, int fds[2])
{
	static unsigned int unique = 3000;
	struct sockaddr_storage addr = {};
	unsigned int n = unique++;

	fds[1] = make_receiver(job, n);
	fds[0] = make_socket(job, 0);
	if (connect(fds[0], (struct sockaddr *)&addr,
		    job->f->make_addr(&addr, n)))
		die("connect");
}

/*
 * Make a pair: fds[0] sends to fds[1]. Except in a pipe and between datagram
 * sockets, fds[1] also sends to fds[0].
 */
void make_pair(const struct job *job, int fds[2])
{
	int ends[2];

	if (job->f->domain == PIPE) {
		if (pipe(ends))
			die("pipe");
		fds[0] = ends[1];
		fds[1] = ends[0];
	} else if (job->type == DGRAM) {
		make_datagram_pair(job, fds);
	} else {
		make_connected(job, fds);
	}
}

/* Make a datagram socket for other sockets to send to. */
int make_receiver(const struct job *job, unsigned int n)
{
	int fd = make_socket(job, 0);
	__u32 wait = ALTCONN_OVERFLOW_BLOCK;

	/* A full receiver of the inet formats would drop datagrams. */
	if (job->f->domain == ALTCONN &&
	    setsockopt(fd, SOL_ALTCONN, ALTCONN_DGRAM_OVERFLOW, &wait,
		       sizeof(wait)))
		die("ALTCONN_DGRAM_OVERFLOW");
	bind_to(job, fd, n);
	return fd;
}
