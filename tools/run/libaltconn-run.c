// SPDX-License-Identifier: GPL-2.0
/*
 * What "altconn run" loads before a program: the program's AF_UNIX sockets
 * become sockets of this family, in the sockaddr_un format; with --inet those of TCP
 * and UDP too, in the formats of IP.
 *
 * It has to happen at socket(), for programs register descriptors with epoll
 * and set options before they connect. socketpair() stays AF_UNIX: it has no
 * connect path, and servers pass descriptors over it.
 *
 * A socket file may belong to a server that stayed on AF_UNIX (nscd, syslog,
 * D-Bus). This family refuses a connection there, and then the socket becomes
 * an AF_UNIX one under the same descriptor. A datagram sent to such a file
 * goes out by an AF_UNIX socket of its own. Likewise an address where nobody of this
 * family is, or another machine's: the socket becomes one of TCP or UDP.
 *
 * Nothing here takes a lock or memory, so all of it may be called wherever
 * the calls that it replaces may.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/altconn.h>

#define EXPORT __attribute__((visibility("default")))

#ifndef __printf
#define __printf(a, b) __attribute((format(printf, a, b)))
#endif

#define TYPE_MASK 0xf		/* the rest of a type are SOCK_ flags */

/**
 * struct real - the functions behind ours, and what the environment says
 * @family: the family's number; 0: not known yet
 * @verbose: say when a socket falls back
 * @inet: turn sockets of TCP and UDP too
 * @replace: stale socket files are replaced
 */
static struct real {
	int (*socket)(int domain, int type, int protocol);
	int (*connect)(int fd, const struct sockaddr *addr, socklen_t len);
	int (*getsockopt)(int fd, int level, int name, void *value,
			  socklen_t *len);
	int (*setsockopt)(int fd, int level, int name, const void *value,
			  socklen_t len);
	ssize_t (*sendto)(int fd, const void *buf, size_t size, int flags,
			  const struct sockaddr *addr, socklen_t len);
	ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
	int (*sendmmsg)(int fd, struct mmsghdr *msgs, unsigned int count,
			int flags);
	int family;
	bool verbose;
	bool inet;
	bool replace;
} real;

/* One write() for one line; stdio may be locked by the caller. */
static __printf(1, 2) void say(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	size_t len;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	len = (size_t)n < sizeof(line) - 2 ? (size_t)n : sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

static void *next(const char *name)
{
	void *sym = dlsym(RTLD_NEXT, name);

	if (!sym) {
		say("altconn run: the C library has no %s()", name);
		_exit(1);
	}
	return sym;
}

static bool is_true(const char *value)
{
	return value && *value && strcmp(value, "0");
}

/*
 * Normally the constructor's work; a constructor that runs earlier and opens
 * a socket does it here. Twice does no harm: both find the same.
 */
static void find_real(void)
{
	const char *number = getenv("ALTCONN_RUN_FAMILY");
	int family = number ? atoi(number) : AF_ALTCONN;

	if (real.family)
		return;
	real.socket = next("socket");
	real.connect = next("connect");
	real.getsockopt = next("getsockopt");
	real.setsockopt = next("setsockopt");
	real.sendto = next("sendto");
	real.sendmsg = next("sendmsg");
	real.sendmmsg = next("sendmmsg");
	real.verbose = is_true(getenv("ALTCONN_RUN_VERBOSE"));
	real.inet = is_true(getenv("ALTCONN_RUN_INET"));
	real.replace = is_true(getenv("ALTCONN_RUN_REPLACE"));
	__atomic_store_n(&real.family, family > 0 ? family : AF_ALTCONN,
			 __ATOMIC_RELEASE);
}

static void ready(void)
{
	if (!__atomic_load_n(&real.family, __ATOMIC_ACQUIRE))
		find_real();
}

/* A program that would silently run over AF_UNIX is worse than none. */
__attribute__((constructor))
static void check_family(void)
{
	int fd;

	ready();
	fd = real.socket(real.family, SOCK_STREAM | SOCK_CLOEXEC,
			 ALTCONN_UNIX);
	/* Want of descriptors or memory is the program's own to handle. */
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		       errno == ENOBUFS))
		return;
	if (fd < 0) {
		say("altconn run: pid %d cannot open a socket of family %d: %s",
		    getpid(), real.family, strerror(errno));
		_exit(1);
	}
	close(fd);
}

static int int_option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (real.getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0)
		return -1;
	return value;
}

/* What a program opened that has a socket of this family now; 0: it has not. */
static int domain_of(int fd)
{
	if (int_option(fd, SO_DOMAIN) != real.family)
		return 0;
	switch (int_option(fd, SO_PROTOCOL)) {
	case ALTCONN_UNIX:
		return AF_UNIX;
	case ALTCONN_INET:
		return AF_INET;
	case ALTCONN_INET6:
		return AF_INET6;
	default:
		return 0;
	}
}

static bool is_ours(int fd)
{
	return domain_of(fd) == AF_UNIX;
}

static bool is_ip(int fd)
{
	int domain = domain_of(fd);

	return domain == AF_INET || domain == AF_INET6;
}

/* The protocol that a socket of TCP or UDP tells. */
static int ip_protocol(int type)
{
	return (type & TYPE_MASK) == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

/* Is it TCP or UDP that a program asks for? The format, or -1. */
static int ip_format(int domain, int type, int protocol)
{
	int kind = type & TYPE_MASK;

	if (!real.inet || (domain != AF_INET && domain != AF_INET6) ||
	    (kind != SOCK_STREAM && kind != SOCK_DGRAM) ||
	    (protocol && protocol != ip_protocol(type)))
		return -1;
	return domain == AF_INET ? ALTCONN_INET : ALTCONN_INET6;
}

/* Bytes of the path in an address; 0: it is none, or not in the file system. */
static int path_len(const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)addr;
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	if (!addr || len <= head || len > sizeof(*un) ||
	    addr->sa_family != AF_UNIX || !un->sun_path[0])
		return 0;
	return strnlen(un->sun_path, len - head);
}

static void say_fallback(int fd, const struct sockaddr *addr, int len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)addr;

	if (real.verbose)
		say("altconn run: pid %d fd %d: %.*s belongs to AF_UNIX, falling back",
		    getpid(), fd, len, un->sun_path);
}

static socklen_t own_name(int fd, struct sockaddr_un *name)
{
	socklen_t len = sizeof(*name);

	if (getsockname(fd, (struct sockaddr *)name, &len) < 0)
		return 0;
	return len <= sizeof(*name) ? len : sizeof(*name);
}

static bool is_unnamed(int fd)
{
	struct sockaddr_un name;

	return own_name(fd, &name) <= offsetof(struct sockaddr_un, sun_path);
}

static void copy_option(int from, int to, int name)
{
	struct timeval room;	/* the largest of the options copied */
	socklen_t len = sizeof(room);

	if (real.getsockopt(from, SOL_SOCKET, name, &room, &len) == 0)
		real.setsockopt(to, SOL_SOCKET, name, &room, len);
}

/* The kernel doubles what it is given, and tells the double. */
static void copy_buffer_size(int from, int to, int name)
{
	int value = int_option(from, name) / 2;

	if (value > 0)
		real.setsockopt(to, SOL_SOCKET, name, &value, sizeof(value));
}

/* What a program has set, as far as this family keeps it. */
static void copy_ip_options(int from, int to)
{
	static const struct option { int level, name; } options[] = {
		{ IPPROTO_IPV6, IPV6_V6ONLY }, { IPPROTO_TCP, TCP_NODELAY },
		{ IPPROTO_TCP, TCP_CORK }, { IPPROTO_TCP, TCP_KEEPIDLE },
		{ IPPROTO_TCP, TCP_KEEPINTVL }, { IPPROTO_TCP, TCP_KEEPCNT },
		{ IPPROTO_TCP, TCP_SYNCNT }, { IPPROTO_TCP, TCP_USER_TIMEOUT },
		{ IPPROTO_IP, IP_TOS }, { IPPROTO_IP, IP_TTL },
		{ IPPROTO_IP, IP_RECVERR }, { IPPROTO_IPV6, IPV6_TCLASS },
		{ IPPROTO_IPV6, IPV6_UNICAST_HOPS },
		{ IPPROTO_IPV6, IPV6_RECVERR }, { }
	};
	const struct option *option;
	socklen_t len;
	int value;

	for (option = options; option->name; option++) {
		len = sizeof(value);
		if (!real.getsockopt(from, option->level, option->name, &value,
				     &len))
			real.setsockopt(to, option->level, option->name, &value,
					len);
	}
	len = sizeof(value);
	if (!real.getsockopt(from, SOL_ALTCONN, ALTCONN_SHARE_ADDRESS, &value,
			     &len))
		real.setsockopt(to, SOL_SOCKET, SO_REUSEPORT, &value, len);
	copy_option(from, to, SO_LINGER);
}

/* A socket of @domain, another family, that is as @fd is; -1: there can be none. */
static int other_like(int fd, int domain)
{
	int new, flags = fcntl(fd, F_GETFL);
	int type = int_option(fd, SO_TYPE);

	if (flags < 0 || type < 0)
		return -1;
	if (flags & O_NONBLOCK)
		type |= SOCK_NONBLOCK;
	new = real.socket(domain, type | SOCK_CLOEXEC, 0);
	if (new < 0)
		return -1;
	copy_option(fd, new, SO_SNDTIMEO);
	copy_option(fd, new, SO_RCVTIMEO);
	copy_option(fd, new, domain == AF_UNIX ? SO_PASSCRED : SO_BROADCAST);
	copy_option(fd, new, SO_REUSEADDR);
	copy_option(fd, new, SO_KEEPALIVE);
	copy_buffer_size(fd, new, SO_SNDBUF);
	copy_buffer_size(fd, new, SO_RCVBUF);
	if (domain != AF_UNIX)
		copy_ip_options(fd, new);
	return new;
}

/*
 * Give @new the name of @fd. Abstract names of the two families do not meet,
 * so it can have the same; if somebody has it there, an autobound one, for a
 * server to answer to. A socket file is this family's, and to take it away
 * from under the program is not ours to do.
 */
static int copy_name(int fd, int new)
{
	struct sockaddr_un name;
	socklen_t len = own_name(fd, &name);

	if (len <= offsetof(struct sockaddr_un, sun_path))
		return 0;
	if (name.sun_path[0]) {
		if (real.verbose)
			say("altconn run: pid %d fd %d: bound to a path, no fall-back to AF_UNIX",
			    getpid(), fd);
		return -1;
	}
	if (bind(new, (struct sockaddr *)&name, len) == 0)
		return 0;
	return bind(new, (struct sockaddr *)&name, sizeof(name.sun_family));
}

/* Put @new in the place of @fd; both keep what they say of exec. */
static int replace(int fd, int new)
{
	int flags = fcntl(fd, F_GETFD);
	int ret;

	do {
		ret = dup3(new, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	} while (ret < 0 && (errno == EBUSY || errno == EINTR));
	return ret < 0 ? -1 : 0;
}

/*
 * connect() over AF_UNIX in the place of @fd. ECONNREFUSED means that the
 * path belongs to nobody, and @fd stays what it was. Any other answer comes
 * from a server on AF_UNIX, and is the program's answer too: EPROTOTYPE, say,
 * makes a syslog client try another type. Where an attempt is under way, or
 * the program is to try again, it has to do so on the AF_UNIX socket.
 */
static int connect_unix(int fd, const struct sockaddr *addr, socklen_t len)
{
	int err = 0, new = other_like(fd, AF_UNIX);

	if (new < 0)
		return -ECONNREFUSED;
	if (copy_name(fd, new) < 0)
		err = ECONNREFUSED;
	else if (real.connect(new, addr, len) < 0)
		err = errno;
	if (!err || err == EINPROGRESS || err == EAGAIN || err == EINTR) {
		say_fallback(fd, addr, path_len(addr, len));
		if (replace(fd, new) < 0)
			err = errno;
	}
	close(new);
	return -err;
}

/* Nobody of this family is there, or it is not on this machine. */
static bool is_elsewhere(int err)
{
	return err == ECONNREFUSED || err == ENETUNREACH ||
	       err == EHOSTUNREACH || err == EADDRNOTAVAIL;
}

/* The port that @fd is bound to, if @new can have it; else any other. */
static void copy_ip_name(int fd, int new)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	    len <= sizeof(name))
		(void)!bind(new, (struct sockaddr *)&name, len);
}

static void say_ip(int fd)
{
	if (real.verbose)
		say("altconn run: pid %d fd %d: falling back to IP", getpid(),
		    fd);
}

/* TCP or UDP in the place of @fd; 0 or an errno. */
static int become_ip(int fd)
{
	int new = other_like(fd, domain_of(fd)), err = 0;

	if (new < 0)
		return errno;
	copy_ip_name(fd, new);
	if (replace(fd, new) < 0)
		err = errno;
	close(new);
	if (!err)
		say_ip(fd);
	return err;
}

/* This machine's own answer is there before connect() returns: its errno. */
static int early_answer(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int err = 0;

	if (poll(&pfd, 1, 0) == 1 && pfd.revents & POLLERR)
		err = int_option(fd, SO_ERROR);
	return err > 0 ? err : EINPROGRESS;
}

/*
 * connect() by TCP or UDP, and its answer. Where nobody is there either @fd stays what
 * it was: somebody of this family may be there the next time.
 */
static int connect_ip(int fd, const struct sockaddr *addr, socklen_t len,
		      int why)
{
	int err = 0, new = other_like(fd, domain_of(fd));

	if (new < 0)
		return -why;
	copy_ip_name(fd, new);
	if (real.connect(new, addr, len) < 0)
		err = errno;
	if (err == EINPROGRESS)
		err = early_answer(new);
	if (err != ECONNREFUSED) {
		say_ip(fd);
		if (replace(fd, new) < 0)
			err = errno;
	}
	close(new);
	return -err;
}

/* A datagram that is not for this machine makes the socket one of UDP. */
static bool becomes_udp(int fd, const struct sockaddr *addr)
{
	return addr && errno == ENETUNREACH && is_ip(fd) && !become_ip(fd);
}

/* A datagram to an AF_UNIX server; a name to answer to would be lost. */
static bool can_send_unix(int fd, const struct sockaddr *addr, socklen_t len)
{
	return errno == ECONNREFUSED && path_len(addr, len) && is_ours(fd) &&
	       int_option(fd, SO_TYPE) == SOCK_DGRAM && is_unnamed(fd);
}

static ssize_t send_unix(int fd, const struct msghdr *msg, int flags)
{
	int err, new = other_like(fd, AF_UNIX);
	ssize_t ret;

	if (new < 0) {
		errno = ECONNREFUSED;
		return -1;
	}
	ret = real.sendmsg(new, msg, flags);
	err = errno;
	close(new);
	if (ret >= 0)
		say_fallback(fd, msg->msg_name,
			     path_len(msg->msg_name, msg->msg_namelen));
	errno = err;
	return ret;
}

static void say_refused(int err)
{
	static bool said;

	if (real.verbose && !said)
		say("altconn run: pid %d cannot open a socket of family %d any more: %s",
		    getpid(), real.family, strerror(err));
	said = true;
}

static void replace_stale(int fd)
{
	int saved = errno;
	uint32_t on = 1;

	real.setsockopt(fd, SOL_ALTCONN, ALTCONN_REPLACE_PATH, &on, sizeof(on));
	errno = saved;
}

EXPORT int socket(int domain, int type, int protocol)
{
	int kind = type & TYPE_MASK;
	int err, fd, format;

	ready();
	format = ip_format(domain, type, protocol);
	if (domain == AF_UNIX && (!protocol || protocol == PF_UNIX) &&
	    (kind == SOCK_STREAM || kind == SOCK_SEQPACKET ||
	     kind == SOCK_DGRAM))
		format = ALTCONN_UNIX;
	if (format < 0)
		return real.socket(domain, type, protocol);
	fd = real.socket(real.family, type, format);
	if (fd < 0) {
		err = errno;
		if (err == EAFNOSUPPORT || err == EPERM || err == EACCES)
			say_refused(err);
		errno = err;
	}
	if (fd >= 0 && real.replace && format == ALTCONN_UNIX)
		replace_stale(fd);
	return fd;
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int err, saved = errno;

	ready();
	if (real.connect(fd, addr, len) == 0)
		return 0;
	err = errno;
	if (err == ECONNREFUSED && path_len(addr, len) && is_ours(fd))
		err = -connect_unix(fd, addr, len);
	else if (is_elsewhere(err) && is_ip(fd))
		err = -connect_ip(fd, addr, len, err);
	errno = err ? err : saved;
	return err ? -1 : 0;
}

/* The kernel keeps SO_REUSEPORT for IP itself; this family has its like. */
static bool shares_port(int fd, int level, int name)
{
	return level == SOL_SOCKET && name == SO_REUSEPORT && is_ip(fd);
}

EXPORT int setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	ready();
	if (shares_port(fd, level, name))
		return real.setsockopt(fd, SOL_ALTCONN, ALTCONN_SHARE_ADDRESS,
				       value, len);
	return real.setsockopt(fd, level, name, value, len);
}

/* A program that asks what its socket is hears what it opened. */
EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int ret, told, saved = errno;

	ready();
	if (shares_port(fd, level, name))
		return real.getsockopt(fd, SOL_ALTCONN, ALTCONN_SHARE_ADDRESS,
				       value, len);
	ret = real.getsockopt(fd, level, name, value, len);
	if (ret < 0 || level != SOL_SOCKET ||
	    (name != SO_DOMAIN && name != SO_PROTOCOL))
		return ret;
	told = domain_of(fd);
	if (told && name == SO_PROTOCOL)
		told = told == AF_UNIX ? 0 : ip_protocol(int_option(fd, SO_TYPE));
	if (is_ours(fd) || told)
		memcpy(value, &told, *len < sizeof(told) ? *len : sizeof(told));
	errno = saved;
	return ret;
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t size, int flags,
		      const struct sockaddr *addr, socklen_t len)
{
	struct iovec iov = { (void *)buf, size };
	struct msghdr msg = {
		.msg_name = (void *)addr,
		.msg_namelen = len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	int err;
	ssize_t ret;

	ready();
	ret = real.sendto(fd, buf, size, flags, addr, len);
	if (ret >= 0)
		return ret;
	err = errno;
	if (can_send_unix(fd, addr, len))
		return send_unix(fd, &msg, flags);
	if (becomes_udp(fd, addr))
		return real.sendto(fd, buf, size, flags, addr, len);
	errno = err;
	return -1;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t ret;
	int err;

	ready();
	ret = real.sendmsg(fd, msg, flags);
	if (ret >= 0)
		return ret;
	err = errno;
	if (err == ECONNREFUSED &&
	    can_send_unix(fd, msg->msg_name, msg->msg_namelen))
		return send_unix(fd, msg, flags);
	if (becomes_udp(fd, msg->msg_name))
		return real.sendmsg(fd, msg, flags);
	errno = err;
	return -1;
}

/* The kernel stops at the message that fails; only a first one is told. */
EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	struct msghdr *msg;
	ssize_t sent;
	int ret, err;

	ready();
	ret = real.sendmmsg(fd, msgs, count, flags);
	if (ret >= 0 || !count)
		return ret;
	err = errno;
	msg = &msgs[0].msg_hdr;
	if (err == ECONNREFUSED &&
	    can_send_unix(fd, msg->msg_name, msg->msg_namelen)) {
		sent = send_unix(fd, msg, flags);
		if (sent < 0)
			return -1;
		msgs[0].msg_len = sent;
		return 1;
	}
	if (becomes_udp(fd, msg->msg_name))
		return real.sendmmsg(fd, msgs, count, flags);
	errno = err;
	return -1;
}
