// SPDX-License-Identifier: GPL-2.0
#include "sock.h"
#include "kernel.h"
#include "option.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const int protocols[] = {
	[AT_NATIVE] = ALTCONN_NATIVE, [AT_UNIX] = ALTCONN_UNIX,
	[AT_IN] = ALTCONN_INET, [AT_IN6] = ALTCONN_INET6,
};

int at_socketpair(enum at_format format, int type, int sv[2])
{
	if (format == AT_ORACLE)
		return socketpair(AF_UNIX, type, 0, sv);
	return socketpair(at_family(), type, protocols[format], sv);
}

int at_socket(enum at_format format, int type)
{
	switch (format) {
	case AT_ORACLE:
		return socket(AF_UNIX, type, 0);
	case AT_ORACLE_IN:
		return socket(AF_INET, type, 0);
	case AT_ORACLE_IN6:
		return socket(AF_INET6, type, 0);
	default:
		return socket(at_family(), type, protocols[format]);
	}
}

const char *at_type_name(int type)
{
	switch (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "dgram";
	}
}

int at_err(long ret)
{
	return ret < 0 ? errno : 0;
}

int at_close_failed(int fd)
{
	int err = errno;

	close(fd);
	errno = err;
	return -1;
}

void at_close(int *fds, int n)
{
	int i;

	for (i = 0; i < n; i++)
		close(fds[i]);
}

int at_bind(int fd, const struct at_addr *a)
{
	return bind(fd, &a->sa, a->len);
}

int at_connect(int fd, const struct at_addr *a)
{
	return connect(fd, &a->sa, a->len);
}

int at_connect_unspec(int fd)
{
	struct sockaddr sa = { .sa_family = AF_UNSPEC };

	return connect(fd, &sa, sizeof(sa));
}

int at_getsockname(int fd, struct at_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->raw);
	return getsockname(fd, &a->sa, &a->len);
}

int at_getpeername(int fd, struct at_addr *a)
{
	memset(a, 0, sizeof(*a));
	a->len = sizeof(a->raw);
	return getpeername(fd, &a->sa, &a->len);
}

int at_bound(struct at_addr *a, enum at_format format, enum at_kind kind,
	     int type)
{
	int fd = at_socket(format, type);

	if (fd < 0)
		return -1;
	at_addr(a, format, kind);
	return at_bind(fd, a) ? at_close_failed(fd) : fd;
}

int at_listener(struct at_addr *a, enum at_format format, enum at_kind kind,
		int type, int backlog)
{
	int fd = at_bound(a, format, kind, type);

	if (fd < 0)
		return -1;
	return listen(fd, backlog) ? at_close_failed(fd) : fd;
}

int at_listen_shared(enum at_format format, int type, const struct at_addr *a,
		     bool share, int backlog)
{
	int fd = at_socket(format, type);

	if (fd < 0)
		return -1;
	if (at_set_option(fd, ALTCONN_SHARE_ADDRESS, share) || at_bind(fd, a) ||
	    listen(fd, backlog))
		return at_close_failed(fd);
	return fd;
}

int at_client(enum at_format format, int type, const struct at_addr *a,
	      int *err)
{
	int fd = at_socket(format, type);

	if (fd < 0)
		return -1;
	*err = at_err(at_connect(fd, a));
	return fd;
}

int at_fill(enum at_format format, int type, const struct at_addr *a, int *fds,
	    int n)
{
	int i, err;

	for (i = 0; i < n; i++) {
		fds[i] = at_client(format, type, a, &err);
		if (fds[i] < 0)
			return -1;
		if (err) {
			errno = err;
			return -1;
		}
	}
	return 0;
}

int at_pair(enum at_format format, enum at_kind kind, int type, int sv[2])
{
	struct at_addr a;
	int lfd, err = 0;

	lfd = at_listener(&a, format, kind, type, 1);
	if (lfd < 0)
		return -1;
	sv[0] = at_client(format, type, &a, &err);
	sv[1] = accept(lfd, NULL, NULL);
	close(lfd);
	if (sv[0] < 0 || sv[1] < 0 || err)
		return -1;
	return 0;
}

int at_bind_receivers(struct at_addr *to, int *fds, int n)
{
	int i;

	at_addr(to, AT_NATIVE, AT_PORT);
	for (i = 0; i < n; i++) {
		fds[i] = at_socket(AT_NATIVE, SOCK_DGRAM);
		if (fds[i] < 0 ||
		    at_set_flag(fds[i], SOL_SOCKET, SO_REUSEADDR, 1) ||
		    at_bind(fds[i], to))
			return -1;
	}
	to->nat.sac_node = ALTCONN_NODE_BROADCAST;
	return 0;
}

ssize_t at_send_with(int fd, const void *data, size_t len, int type,
		     const void *control, size_t size, int flags)
{
	union {
		char buf[CMSG_SPACE(AT_CONTROL_MOST)];
		struct cmsghdr align;
	} buffer = {};
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (size > AT_CONTROL_MOST) {
		errno = E2BIG;
		return -1;
	}
	if (size) {
		msg.msg_control = buffer.buf;
		msg.msg_controllen = CMSG_SPACE(size);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = type;
		cmsg->cmsg_len = CMSG_LEN(size);
		memcpy(CMSG_DATA(cmsg), control, size);
	}
	return sendmsg(fd, &msg, flags | MSG_NOSIGNAL);
}

int at_send_byte(int fd, const struct at_addr *to, char c)
{
	return at_err(sendto(fd, &c, 1, MSG_DONTWAIT | MSG_NOSIGNAL,
			     to ? &to->sa : NULL, to ? to->len : 0));
}

int at_recv_byte(int fd)
{
	unsigned char c;
	ssize_t n;

	n = recv(fd, &c, 1, MSG_DONTWAIT);
	return n == 1 ? c : n < 0 ? -errno : 0;
}

long at_fill_buffer(int fd, size_t piece)
{
	static char buf[65536];
	long sum = 0;
	ssize_t n;

	while ((n = send(fd, buf, piece, MSG_DONTWAIT | MSG_NOSIGNAL)) > 0)
		sum += n;
	return sum;
}

int at_send_all(int fd, const void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = send(fd, buf + done, len - done, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}

int at_recv_all(int fd, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = recv(fd, buf + done, len - done, 0);
		if (n <= 0)
			return -1;
		done += n;
	}
	return 0;
}
