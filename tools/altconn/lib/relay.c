// SPDX-License-Identifier: GPL-2.0
/*
 * This file copies data between a socket and standard input and output.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/relay.h"

/**
 * struct relay_pipe - data in one direction
 * @from: descriptor to read from, or -1 after the end of file
 * @to: descriptor to write to
 * @len: number of bytes in @data; 0 after all of them have been written
 * @at: number of bytes of @data that have been written
 * @data: data of one read()
 * @records: a write() sends all of @data as one record
 */
struct relay_pipe {
	int from, to;
	size_t len, at;
	bool records;
	char data[RELAY_RECORD_MAX];
};

static int relay_read(struct relay_pipe *p)
{
	ssize_t n = read(p->from, p->data, sizeof(p->data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->len = n;
	p->at = 0;
	return n ? 0 : 1;
}

static int relay_write(struct relay_pipe *p)
{
	ssize_t n = write(p->to, p->data + p->at, p->len - p->at);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->at += p->records ? p->len : (size_t)n;
	if (p->at >= p->len)
		p->len = 0;
	return 0;
}

static bool relay_is_open(const struct relay_pipe *p)
{
	return p->from >= 0 || p->len;
}

static struct pollfd relay_pollfd(const struct relay_pipe *p)
{
	static const struct pollfd none = { .fd = -1 };

	if (p->len)
		return (struct pollfd) { .fd = p->to, .events = POLLOUT };
	if (p->from >= 0)
		return (struct pollfd) { .fd = p->from, .events = POLLIN };
	return none;
}

/*
 * Write or read once, after poll() has reported that this is possible. Return
 * 0, 1 at the end of file, or a negative errno.
 */
static int relay_step(struct relay_pipe *p)
{
	int err = p->len ? relay_write(p) : relay_read(p);

	if (err == 1)
		p->from = -1;
	return err;
}

static void relay_stop(struct relay_pipe *p)
{
	p->from = -1;
	p->len = 0;
}

/**
 * relay_both - copy data in both directions until both directions have ended
 * @fd: a connected socket, which becomes non-blocking
 * @records: the socket keeps record boundaries
 *
 * A direction ends with the end of file. After the peer has closed, nothing
 * more is written to the socket.
 *
 * Return: 0 or a positive errno.
 */
int relay_both(int fd, bool records)
{
	static struct relay_pipe out, in;
	struct pollfd fds[3];
	int err;

	out = (struct relay_pipe) {
		.from = STDIN_FILENO, .to = fd, .records = records
	};
	in = (struct relay_pipe) { .from = fd, .to = STDOUT_FILENO };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (relay_is_open(&in) || relay_is_open(&out)) {
		fds[0] = relay_pollfd(&in);
		fds[1] = relay_pollfd(&out);
		fds[2] = (struct pollfd) { .fd = relay_is_open(&in) ? -1 : fd };
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			return errno;
		err = fds[0].revents ? relay_step(&in) : 0;
		if (err < 0)
			return -err;
		err = fds[1].revents ? relay_step(&out) : 0;
		if (err == 1)
			shutdown(fd, SHUT_WR);
		/* The peer no longer reads, but it may still send data. */
		if (err == -EPIPE || fds[2].revents & (POLLHUP | POLLERR))
			relay_stop(&out);
		else if (err < 0)
			return -err;
	}
	return 0;
}

/**
 * relay_datagrams - send standard input as datagrams
 * @fd: a connected datagram socket
 *
 * A datagram socket has no end of file, so nothing is received.
 *
 * Return: 0 or a positive errno.
 */
int relay_datagrams(int fd)
{
	static char data[RELAY_RECORD_MAX];
	ssize_t n;

	while ((n = read(STDIN_FILENO, data, sizeof(data))) > 0)
		if (send(fd, data, n, 0) < 0)
			return errno;
	return n < 0 ? errno : 0;
}

/**
 * relay_datagrams_back - receive datagrams and write them to standard output
 * @fd: a datagram socket
 * @all: receive datagrams until an error occurs, instead of one datagram
 *
 * Return: 0 or a positive errno.
 */
int relay_datagrams_back(int fd, bool all)
{
	static char data[RELAY_RECORD_MAX];
	ssize_t n;

	do {
		n = recv(fd, data, sizeof(data), 0);
		if (n < 0)
			return errno;
		if (fwrite(data, 1, n, stdout) != (size_t)n || fflush(stdout))
			return errno;
	} while (all);
	return 0;
}
