// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn run" preloads this library into a program. The AF_UNIX sockets of
 * the program become sockets of this family, in the address format sockaddr_un.
 * With --inet, TCP and UDP sockets become sockets of this family too, in the
 * address formats sockaddr_in and sockaddr_in6.
 *
 * The library replaces a socket at socket(), since programs register
 * descriptors with epoll and set options before they connect. socketpair() is
 * not replaced, so it returns AF_UNIX sockets: it does not use connect(), and
 * servers pass descriptors over such a pair.
 *
 * A socket file may belong to a server that uses AF_UNIX (nscd, syslog, D-Bus).
 * This family refuses a connection to such a file. The library then replaces
 * the socket by an AF_UNIX socket under the same descriptor. It sends a
 * datagram to such a file through a temporary AF_UNIX socket, unless the
 * program's socket is bound. If no socket of this family has an IP address and
 * port, or the address belongs to another machine, the library replaces the
 * socket by a TCP or UDP socket.
 *
 * After the look-up of the real functions, the library takes no lock and
 * allocates no memory. So its functions may be called in every context in which
 * the functions that they replace may be called.
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

#define TYPE_MASK 0xf		/* the other bits are SOCK_ flags */

/**
 * struct run_real - functions of the C library, and values from the environment
 * @family: number of the socket family; 0 until run_find_functions() has set
 *	all members
 * @verbose: print a line when a socket falls back to AF_UNIX or IP
 * @inet: replace TCP and UDP sockets too
 * @replace: bind() replaces stale socket files
 */
static struct run_real {
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
} run_real;

/*
 * Print a line to stderr with one write(). stdio is not used, since the caller
 * may hold its lock.
 */
static __printf(1, 2) void run_print(const char *fmt, ...)
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

static void *run_next_function(const char *name)
{
	void *sym = dlsym(RTLD_NEXT, name);

	if (!sym) {
		run_print("altconn run: the C library has no %s()", name);
		_exit(1);
	}
	return sym;
}

static bool run_is_true(const char *value)
{
	return value && *value && strcmp(value, "0");
}

/*
 * Look up the real functions, and read the environment. Normally the
 * constructor of the library causes this. If the constructor of another library
 * runs earlier and calls a replaced function, that call causes it. Two threads
 * may run this function at once, since both store the same values.
 */
static void run_find_functions(void)
{
	const char *number = getenv("ALTCONN_RUN_FAMILY");
	int family = number ? atoi(number) : AF_ALTCONN;

	if (run_real.family)
		return;
	run_real.socket = run_next_function("socket");
	run_real.connect = run_next_function("connect");
	run_real.getsockopt = run_next_function("getsockopt");
	run_real.setsockopt = run_next_function("setsockopt");
	run_real.sendto = run_next_function("sendto");
	run_real.sendmsg = run_next_function("sendmsg");
	run_real.sendmmsg = run_next_function("sendmmsg");
	run_real.verbose = run_is_true(getenv("ALTCONN_RUN_VERBOSE"));
	run_real.inet = run_is_true(getenv("ALTCONN_RUN_INET"));
	run_real.replace = run_is_true(getenv("ALTCONN_RUN_REPLACE"));
	/* Pairs with run_prepare(). */
	__atomic_store_n(&run_real.family, family > 0 ? family : AF_ALTCONN,
			 __ATOMIC_RELEASE);
}

static void run_prepare(void)
{
	/* Pairs with run_find_functions(). */
	if (!__atomic_load_n(&run_real.family, __ATOMIC_ACQUIRE))
		run_find_functions();
}

/*
 * End the program if it cannot open sockets of this family. Otherwise it would
 * silently run over AF_UNIX, which is worse.
 */
__attribute__((constructor))
static void run_check_family(void)
{
	int fd;

	run_prepare();
	fd = run_real.socket(run_real.family, SOCK_STREAM | SOCK_CLOEXEC,
			     ALTCONN_UNIX);
	/* The program itself handles a lack of descriptors or of memory. */
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		       errno == ENOBUFS))
		return;
	if (fd < 0) {
		run_print("altconn run: pid %d cannot open a socket of family %d: %s",
			  getpid(), run_real.family, strerror(errno));
		_exit(1);
	}
	close(fd);
}

static int run_int_option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	if (run_real.getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0)
		return -1;
	return value;
}

/*
 * Return the domain that the program gave to socket() when it opened @fd, or 0
 * if @fd is no socket of this family, or one in the native address format.
 */
static int run_domain(int fd)
{
	if (run_int_option(fd, SO_DOMAIN) != run_real.family)
		return 0;
	switch (run_int_option(fd, SO_PROTOCOL)) {
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

static bool run_is_unix(int fd)
{
	return run_domain(fd) == AF_UNIX;
}

static bool run_is_ip(int fd)
{
	int domain = run_domain(fd);

	return domain == AF_INET || domain == AF_INET6;
}

/* Return the SO_PROTOCOL value of a TCP or UDP socket of the type @type. */
static int run_ip_protocol(int type)
{
	return (type & TYPE_MASK) == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

/*
 * Return the address format for a socket that replaces a TCP or UDP socket, or
 * -1 if the arguments of socket() ask for another socket.
 */
static int run_ip_format(int domain, int type, int protocol)
{
	int kind = type & TYPE_MASK;

	if (!run_real.inet || (domain != AF_INET && domain != AF_INET6) ||
	    (kind != SOCK_STREAM && kind != SOCK_DGRAM) ||
	    (protocol && protocol != run_ip_protocol(type)))
		return -1;
	return domain == AF_INET ? ALTCONN_INET : ALTCONN_INET6;
}

/*
 * Return the length of the path in an AF_UNIX address, or 0 if the address is
 * no path in the file system.
 */
static int run_path_len(const struct sockaddr *addr, socklen_t len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)addr;
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	if (!addr || len <= head || len > sizeof(*un) ||
	    addr->sa_family != AF_UNIX || !un->sun_path[0])
		return 0;
	return strnlen(un->sun_path, len - head);
}

static void run_print_unix(int fd, const struct sockaddr *addr, int len)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)addr;

	if (run_real.verbose)
		run_print("altconn run: pid %d fd %d falls back: %.*s belongs to AF_UNIX",
			  getpid(), fd, len, un->sun_path);
}

static socklen_t run_own_name(int fd, struct sockaddr_un *name)
{
	socklen_t len = sizeof(*name);

	if (getsockname(fd, (struct sockaddr *)name, &len) < 0)
		return 0;
	return len <= sizeof(*name) ? len : sizeof(*name);
}

static bool run_is_unnamed(int fd)
{
	struct sockaddr_un name;

	return run_own_name(fd, &name) <=
	       offsetof(struct sockaddr_un, sun_path);
}

static void run_copy_option(int from, int to, int name)
{
	struct timeval value;	/* no option that is copied is larger */
	socklen_t len = sizeof(value);

	if (run_real.getsockopt(from, SOL_SOCKET, name, &value, &len) == 0)
		run_real.setsockopt(to, SOL_SOCKET, name, &value, len);
}

/*
 * Copy SO_SNDBUF or SO_RCVBUF. The kernel doubles a size at setsockopt(), and
 * getsockopt() returns the doubled size.
 */
static void run_copy_buffer_size(int from, int to, int name)
{
	int value = run_int_option(from, name) / 2;

	if (value > 0)
		run_real.setsockopt(to, SOL_SOCKET, name, &value,
				    sizeof(value));
}

/* Copy the options of TCP and IP that sockets of this family keep. */
static void run_copy_ip_options(int from, int to)
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
		if (!run_real.getsockopt(from, option->level, option->name,
					 &value, &len))
			run_real.setsockopt(to, option->level, option->name,
					    &value, len);
	}
	len = sizeof(value);
	if (!run_real.getsockopt(from, SOL_ALTCONN, ALTCONN_SHARE_ADDRESS,
				 &value, &len))
		run_real.setsockopt(to, SOL_SOCKET, SO_REUSEPORT, &value, len);
	run_copy_option(from, to, SO_LINGER);
}

/*
 * Open a socket of @domain with the type, the file status flags and the options
 * of @fd. Return -1 on failure.
 */
static int run_open_like(int fd, int domain)
{
	int new, flags = fcntl(fd, F_GETFL);
	int type = run_int_option(fd, SO_TYPE);

	if (flags < 0 || type < 0)
		return -1;
	if (flags & O_NONBLOCK)
		type |= SOCK_NONBLOCK;
	new = run_real.socket(domain, type | SOCK_CLOEXEC, 0);
	if (new < 0)
		return -1;
	run_copy_option(fd, new, SO_SNDTIMEO);
	run_copy_option(fd, new, SO_RCVTIMEO);
	run_copy_option(fd, new,
			domain == AF_UNIX ? SO_PASSCRED : SO_BROADCAST);
	run_copy_option(fd, new, SO_REUSEADDR);
	run_copy_option(fd, new, SO_KEEPALIVE);
	run_copy_buffer_size(fd, new, SO_SNDBUF);
	run_copy_buffer_size(fd, new, SO_RCVBUF);
	if (domain != AF_UNIX)
		run_copy_ip_options(fd, new);
	return new;
}

/*
 * Bind the AF_UNIX socket @new to the abstract name of @fd. The two families
 * have separate abstract names, so both sockets can have the same name. If
 * another AF_UNIX socket has the name, bind @new to an automatic name, so that
 * a server can answer. Return -1 if @fd is bound to a path: the socket file
 * belongs to this family, and the library must not take the file away from the
 * program.
 */
static int run_copy_name(int fd, int new)
{
	struct sockaddr_un name;
	socklen_t len = run_own_name(fd, &name);

	if (len <= offsetof(struct sockaddr_un, sun_path))
		return 0;
	if (name.sun_path[0]) {
		if (run_real.verbose)
			run_print("altconn run: pid %d fd %d cannot fall back: it has a path",
				  getpid(), fd);
		return -1;
	}
	if (bind(new, (struct sockaddr *)&name, len) == 0)
		return 0;
	return bind(new, (struct sockaddr *)&name, sizeof(name.sun_family));
}

/* Make @fd refer to the socket @new. @fd keeps its close-on-exec flag. */
static int run_replace(int fd, int new)
{
	int flags = fcntl(fd, F_GETFD);
	int ret;

	do {
		ret = dup3(new, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	} while (ret < 0 && (errno == EBUSY || errno == EINTR));
	return ret < 0 ? -1 : 0;
}

/*
 * Connect over AF_UNIX. Replace @fd by the AF_UNIX socket if the connection is
 * established, is under way (EINPROGRESS) or is to be tried again (EAGAIN,
 * EINTR), since the program has to go on with the AF_UNIX socket then.
 *
 * After any other error @fd stays as it was, and the program gets the error.
 * ECONNREFUSED means that no AF_UNIX socket has the path either, or that @fd
 * cannot be replaced. Other errors come from an AF_UNIX server: EPROTOTYPE, for
 * example, makes a syslog client try another socket type. Return 0 or a
 * negative errno.
 */
static int run_connect_unix(int fd, const struct sockaddr *addr, socklen_t len)
{
	int err = 0, new = run_open_like(fd, AF_UNIX);

	if (new < 0)
		return -ECONNREFUSED;
	if (run_copy_name(fd, new) < 0)
		err = ECONNREFUSED;
	else if (run_real.connect(new, addr, len) < 0)
		err = errno;
	if (!err || err == EINPROGRESS || err == EAGAIN || err == EINTR) {
		run_print_unix(fd, addr, run_path_len(addr, len));
		if (run_replace(fd, new) < 0)
			err = errno;
	}
	close(new);
	return -err;
}

/*
 * Check whether an error means that no socket of this family has the address,
 * or that the address is not on this machine.
 */
static bool run_is_elsewhere(int err)
{
	return err == ECONNREFUSED || err == ENETUNREACH ||
	       err == EHOSTUNREACH || err == EADDRNOTAVAIL;
}

/*
 * Bind @new to the address and port of @fd. If this fails, @new stays unbound,
 * and the kernel chooses its port later.
 */
static void run_copy_ip_name(int fd, int new)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	    len <= sizeof(name))
		(void)!bind(new, (struct sockaddr *)&name, len);
}

static void run_print_ip(int fd)
{
	if (run_real.verbose)
		run_print("altconn run: pid %d fd %d falls back to IP",
			  getpid(), fd);
}

/* Replace @fd by a TCP or UDP socket. Return 0 or a positive errno. */
static int run_become_ip(int fd)
{
	int new = run_open_like(fd, run_domain(fd)), err = 0;

	if (new < 0)
		return errno;
	run_copy_ip_name(fd, new);
	if (run_replace(fd, new) < 0)
		err = errno;
	close(new);
	if (!err)
		run_print_ip(fd);
	return err;
}

/*
 * Return the errno of a non-blocking connect() that has failed already, else
 * EINPROGRESS. An address of this machine refuses a connection before connect()
 * returns.
 */
static int run_early_error(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	int err = 0;

	if (poll(&pfd, 1, 0) == 1 && pfd.revents & POLLERR)
		err = run_int_option(fd, SO_ERROR);
	return err > 0 ? err : EINPROGRESS;
}

/*
 * Connect over TCP or UDP. @why: errno of connect() over this family. Replace
 * @fd by the TCP or UDP socket if the connection is established or under way.
 *
 * If it fails and @why is ECONNREFUSED, @fd stays as it was: the address is on
 * this machine, and a server of this family may be there the next time. With
 * another @why the address is not in reach of this family, so @fd becomes a TCP
 * or UDP socket also after a failure. The program gets the error of the socket
 * that @fd then refers to. Return 0 or a negative errno.
 */
static int run_connect_ip(int fd, const struct sockaddr *addr, socklen_t len,
			  int why)
{
	int err = 0, new = run_open_like(fd, run_domain(fd));
	bool keep;

	if (new < 0)
		return -why;
	run_copy_ip_name(fd, new);
	if (run_real.connect(new, addr, len) < 0)
		err = errno;
	if (err == EINPROGRESS)
		err = run_early_error(new);
	keep = why == ECONNREFUSED && err && err != EINPROGRESS && err != EINTR;
	if (keep || run_replace(fd, new) < 0)
		err = why;
	else
		run_print_ip(fd);
	close(new);
	return -err;
}

/*
 * Replace @fd by a UDP socket if errno says that the destination of a datagram
 * is not on this machine. Return whether @fd was replaced.
 */
static bool run_becomes_udp(int fd, const struct sockaddr *addr)
{
	return addr && errno == ENETUNREACH && run_is_ip(fd) &&
	       !run_become_ip(fd);
}

/*
 * Check whether a datagram that failed with errno can go to an AF_UNIX server
 * through a temporary socket. A bound socket cannot use one, since the server
 * would not get the name to which it can answer.
 */
static bool run_can_send_unix(int fd, const struct sockaddr *addr,
			      socklen_t len)
{
	return errno == ECONNREFUSED && run_path_len(addr, len) &&
	       run_is_unix(fd) &&
	       run_int_option(fd, SO_TYPE) == SOCK_DGRAM && run_is_unnamed(fd);
}

static ssize_t run_send_unix(int fd, const struct msghdr *msg, int flags)
{
	int err, new = run_open_like(fd, AF_UNIX);
	ssize_t ret;

	if (new < 0) {
		errno = ECONNREFUSED;
		return -1;
	}
	ret = run_real.sendmsg(new, msg, flags);
	err = errno;
	close(new);
	if (ret >= 0)
		run_print_unix(fd, msg->msg_name,
			       run_path_len(msg->msg_name, msg->msg_namelen));
	errno = err;
	return ret;
}

static void run_print_refused(int err)
{
	static bool printed;

	if (run_real.verbose && !printed)
		run_print("altconn run: pid %d cannot open a socket of family %d any more: %s",
			  getpid(), run_real.family, strerror(err));
	printed = true;
}

static void run_set_replace(int fd)
{
	int saved = errno;
	uint32_t on = 1;

	run_real.setsockopt(fd, SOL_ALTCONN, ALTCONN_REPLACE_PATH, &on,
			    sizeof(on));
	errno = saved;
}

EXPORT int socket(int domain, int type, int protocol)
{
	int kind = type & TYPE_MASK;
	int err, fd, format;

	run_prepare();
	format = run_ip_format(domain, type, protocol);
	if (domain == AF_UNIX && (!protocol || protocol == PF_UNIX) &&
	    (kind == SOCK_STREAM || kind == SOCK_SEQPACKET ||
	     kind == SOCK_DGRAM))
		format = ALTCONN_UNIX;
	if (format < 0)
		return run_real.socket(domain, type, protocol);
	fd = run_real.socket(run_real.family, type, format);
	if (fd < 0) {
		err = errno;
		if (err == EAFNOSUPPORT || err == EPERM || err == EACCES)
			run_print_refused(err);
		errno = err;
	}
	if (fd >= 0 && run_real.replace && format == ALTCONN_UNIX)
		run_set_replace(fd);
	return fd;
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int err, saved = errno;

	run_prepare();
	if (run_real.connect(fd, addr, len) == 0)
		return 0;
	err = errno;
	if (err == ECONNREFUSED && run_path_len(addr, len) && run_is_unix(fd))
		err = -run_connect_unix(fd, addr, len);
	else if (run_is_elsewhere(err) && run_is_ip(fd))
		err = -run_connect_ip(fd, addr, len, err);
	errno = err ? err : saved;
	return err ? -1 : 0;
}

/*
 * Check for SO_REUSEPORT on a socket that was TCP or UDP. The kernel allows
 * this option for IP sockets only. ALTCONN_SHARE_ADDRESS is this family's
 * equivalent.
 */
static bool run_shares_port(int fd, int level, int name)
{
	return level == SOL_SOCKET && name == SO_REUSEPORT && run_is_ip(fd);
}

EXPORT int setsockopt(int fd, int level, int name, const void *value,
		      socklen_t len)
{
	run_prepare();
	if (run_shares_port(fd, level, name))
		return run_real.setsockopt(fd, SOL_ALTCONN,
					   ALTCONN_SHARE_ADDRESS, value, len);
	return run_real.setsockopt(fd, level, name, value, len);
}

/*
 * Report SO_DOMAIN and SO_PROTOCOL of the socket that the program has requested
 * from socket().
 */
EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int ret, domain, shown, saved = errno;

	run_prepare();
	if (run_shares_port(fd, level, name))
		return run_real.getsockopt(fd, SOL_ALTCONN,
					   ALTCONN_SHARE_ADDRESS, value, len);
	ret = run_real.getsockopt(fd, level, name, value, len);
	if (ret < 0 || level != SOL_SOCKET ||
	    (name != SO_DOMAIN && name != SO_PROTOCOL))
		return ret;
	domain = run_domain(fd);
	shown = domain;
	if (name == SO_PROTOCOL)
		shown = domain == AF_UNIX ? 0 :
			run_ip_protocol(run_int_option(fd, SO_TYPE));
	if (domain)
		memcpy(value, &shown,
		       *len < sizeof(shown) ? *len : sizeof(shown));
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

	run_prepare();
	ret = run_real.sendto(fd, buf, size, flags, addr, len);
	if (ret >= 0)
		return ret;
	err = errno;
	if (run_can_send_unix(fd, addr, len))
		return run_send_unix(fd, &msg, flags);
	if (run_becomes_udp(fd, addr))
		return run_real.sendto(fd, buf, size, flags, addr, len);
	errno = err;
	return -1;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t ret;
	int err;

	run_prepare();
	ret = run_real.sendmsg(fd, msg, flags);
	if (ret >= 0)
		return ret;
	err = errno;
	if (err == ECONNREFUSED &&
	    run_can_send_unix(fd, msg->msg_name, msg->msg_namelen))
		return run_send_unix(fd, msg, flags);
	if (run_becomes_udp(fd, msg->msg_name))
		return run_real.sendmsg(fd, msg, flags);
	errno = err;
	return -1;
}

/*
 * The kernel stops at the first message that fails. It returns an error only if
 * no message was sent before, so an error belongs to the first message.
 */
EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	struct msghdr *msg;
	ssize_t sent;
	int ret, err;

	run_prepare();
	ret = run_real.sendmmsg(fd, msgs, count, flags);
	if (ret >= 0 || !count)
		return ret;
	err = errno;
	msg = &msgs[0].msg_hdr;
	if (err == ECONNREFUSED &&
	    run_can_send_unix(fd, msg->msg_name, msg->msg_namelen)) {
		sent = run_send_unix(fd, msg, flags);
		if (sent < 0)
			return -1;
		msgs[0].msg_len = sent;
		return 1;
	}
	if (run_becomes_udp(fd, msg->msg_name))
		return run_real.sendmmsg(fd, msgs, count, flags);
	errno = err;
	return -1;
}
