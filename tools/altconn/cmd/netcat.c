// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn connect" and "altconn listen" send standard input to the peer, and
 * write the data of the peer to standard output.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/endpoint.h"

enum { OPT_REACHABLE = 720, OPT_REPLACE };

const struct opt connect_opts[] = {
	ENDPOINT_TYPE,
	ENDPOINT_OPTS,
	{ OPT_SOURCE, "source", "ADDRESS", NULL, "be bound to this address" },
	{ 'z', "zero", NULL, NULL, "send nothing: only see whether it connects" },
	{ 'v', "verbose", NULL, NULL, "tell what happens" },
	{ }
};

const struct opt listen_opts[] = {
	ENDPOINT_TYPE,
	{ 'b', "backlog", "N", NULL, "so many may be established before they are accepted" },
	{ 'k', "keep", NULL, NULL, "go on with the next one when somebody has closed" },
	{ OPT_REACHABLE, "reachable", NULL, NULL, "from other nodes too" },
	{ OPT_REPLACE, "replace", NULL, NULL,
	  "take the place of a socket file that no socket has any more" },
	{ 'v', "verbose", NULL, NULL, "tell what happens" },
	{ }
};

/* Size of the largest record, and of one read from standard input. */
#define RECORD_MAX	65536

/**
 * struct pipe - data in one direction
 * @from: descriptor to read from, or -1 after the end of file
 * @to: descriptor to write to
 * @len: number of bytes in @data; 0 after all of them have been written
 * @at: number of bytes of @data that have been written
 * @data: data of one read()
 * @records: a write() sends all of @data as one record
 */
struct pipe {
	int from, to;
	size_t len, at;
	bool records;
	char data[RECORD_MAX];
};

static int take_some(struct pipe *p)
{
	ssize_t n = read(p->from, p->data, sizeof(p->data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->len = n;
	p->at = 0;
	return n ? 0 : 1;
}

static int give_some(struct pipe *p)
{
	ssize_t n = write(p->to, p->data + p->at, p->len - p->at);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	p->at += p->records ? p->len : (size_t)n;
	if (p->at >= p->len)
		p->len = 0;
	return 0;
}

static bool is_open(const struct pipe *p)
{
	return p->from >= 0 || p->len;
}

static struct pollfd wants(const struct pipe *p)
{
	struct pollfd none = { .fd = -1 };

	if (p->len)
		return (struct pollfd) { .fd = p->to, .events = POLLOUT };
	return p->from >= 0 ? (struct pollfd) { .fd = p->from, .events = POLLIN } :
			      none;
}

/*
 * Write or read once, as poll() has said that it is possible. Return 0, 1 at
 * the end of file, or a negative errno.
 */
static int step(struct pipe *p)
{
	int err = p->len ? give_some(p) : take_some(p);

	if (err == 1)
		p->from = -1;
	return err;
}

static void stop(struct pipe *p)
{
	p->from = -1;
	p->len = 0;
}

/*
 * Copy data in both directions until both have ended or the peer has closed.
 * Return 0 or a positive errno.
 */
static int relay(int fd, bool records)
{
	static struct pipe out, in;
	struct pollfd fds[3];
	int err;

	out = (struct pipe) { .from = STDIN_FILENO, .to = fd, .records = records };
	in = (struct pipe) { .from = fd, .to = STDOUT_FILENO };
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	while (is_open(&in) || is_open(&out)) {
		fds[0] = wants(&in);
		fds[1] = wants(&out);
		fds[2] = (struct pollfd) { .fd = is_open(&in) ? -1 : fd };
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			return errno;
		err = fds[0].revents ? step(&in) : 0;
		if (err < 0)
			return -err;
		err = fds[1].revents ? step(&out) : 0;
		if (err == 1)
			shutdown(fd, SHUT_WR);
		/* The peer no longer reads, but it may still send data. */
		if (err == -EPIPE || fds[2].revents & (POLLHUP | POLLERR))
			stop(&out);
		else if (err < 0)
			return -err;
	}
	return 0;
}

static int end(const struct endpoint *ep, int err)
{
	if (!err)
		return EXIT_OK;
	complain("%s: %s: %s", ep->cmd, ep->text, strerror(err));
	return EXIT_FAILED;
}

static void tell_names(const char *what, int fd)
{
	struct sockaddr_altconn own, peer;
	char text[2][ADDR_TEXT_MAX];
	socklen_t len = sizeof(own);
	struct addr addr;

	if (getsockname(fd, (struct sockaddr *)&own, &len))
		return;
	addr_of_sockaddr(&own, len, ALTCONN_NATIVE, &addr);
	addr_format(&addr, text[0]);
	len = sizeof(peer);
	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		len = 0;
	addr_of_sockaddr(&peer, len, ALTCONN_NATIVE, &addr);
	addr_format(&addr, text[1]);
	fprintf(stderr, "%s: %s, peer %s\n", what, text[0], text[1]);
}

/*
 * Send standard input as datagrams. A datagram socket has no end of file, so
 * nothing is received. Return 0 or a positive errno.
 */
static int send_all(int fd)
{
	static char data[RECORD_MAX];
	ssize_t n;

	while ((n = read(STDIN_FILENO, data, sizeof(data))) > 0)
		if (send(fd, data, n, 0) < 0)
			return errno;
	return n < 0 ? errno : 0;
}

static int talk(const struct endpoint *ep, int fd, bool zero)
{
	if (zero)
		return EXIT_OK;
	if (ep->type == SOCK_DGRAM)
		return end(ep, send_all(fd));
	return end(ep, relay(fd, ep->type == SOCK_SEQPACKET));
}

/**
 * connect_main - run "altconn connect"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int connect_main(const struct command *cmd, int argc, char **argv)
{
	struct altconn_connect_info info;
	bool zero = false, verbose = false;
	struct endpoint ep;
	int key, fd, err, ret = EXIT_OK;

	endpoint_init(&ep, cmd->name);
	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1) {
		if (key == 'z')
			zero = true;
		else if (key == 'v')
			verbose = true;
		else
			ret = endpoint_option(&ep, key);
	}
	if (ret == EXIT_OK)
		ret = endpoint_address(&ep, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	signal(SIGPIPE, SIG_IGN);
	fd = endpoint_socket(&ep);
	if (fd < 0)
		return EXIT_FAILED;
	err = endpoint_connect(&ep, fd, &info);
	if (err)
		endpoint_complain(&ep, err, &info);
	else if (verbose)
		tell_names("connected", fd);
	ret = err ? EXIT_FAILED : talk(&ep, fd, zero);
	close(fd);
	return ret;
}

/* ---- listen ---- */

static int serve(const struct endpoint *ep, int lfd, bool keep, bool verbose)
{
	int fd, ret;

	do {
		fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return end(ep, errno);
		if (verbose)
			tell_names("accepted", fd);
		ret = end(ep, relay(fd, ep->type == SOCK_SEQPACKET));
		close(fd);
	} while (keep);
	return ret;
}

/* Print one datagram, or with @keep all datagrams. Return the exit code. */
static int receive(const struct endpoint *ep, int fd, bool keep)
{
	static char data[RECORD_MAX];
	ssize_t n;

	do {
		n = recv(fd, data, sizeof(data), 0);
		if (n < 0)
			return end(ep, errno);
		if (fwrite(data, 1, n, stdout) != (size_t)n || fflush(stdout))
			return end(ep, errno);
	} while (keep);
	return EXIT_OK;
}

static int parse_backlog(const char *text, int *backlog)
{
	char *e;
	long v = strtol(text, &e, 10);

	*backlog = v;
	if (*text >= '0' && *text <= '9' && !*e && v <= INT_MAX)
		return EXIT_OK;
	complain("listen: '%s' is no backlog", text);
	return EXIT_USAGE;
}

static int start(const struct endpoint *ep, int backlog, uint32_t reachable)
{
	int fd = endpoint_socket(ep);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_ALTCONN, ALTCONN_REACHABLE, &reachable,
		   sizeof(reachable));
	if (endpoint_bind(ep, fd, &ep->to) == EXIT_OK) {
		if (ep->type == SOCK_DGRAM || !listen(fd, backlog))
			return fd;
		complain("listen: %s: %s", ep->text, strerror(errno));
	}
	close(fd);
	return -1;
}

/**
 * listen_main - run "altconn listen"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int listen_main(const struct command *cmd, int argc, char **argv)
{
	bool keep = false, verbose = false, reachable = false;
	int key, fd, backlog = 128, ret = EXIT_OK;
	struct endpoint ep;

	endpoint_init(&ep, cmd->name);
	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1) {
		if (key == 'k')
			keep = true;
		else if (key == 'v')
			verbose = true;
		else if (key == OPT_REACHABLE)
			reachable = true;
		else if (key == OPT_REPLACE)
			ep.replace = true;
		else if (key == 'b')
			ret = parse_backlog(optarg, &backlog);
		else
			ret = endpoint_option(&ep, key);
	}
	if (ret == EXIT_OK)
		ret = endpoint_address(&ep, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	signal(SIGPIPE, SIG_IGN);
	fd = start(&ep, backlog, reachable);
	if (fd < 0)
		return EXIT_FAILED;
	if (verbose)
		tell_names("listening", fd);
	ret = ep.type == SOCK_DGRAM ? receive(&ep, fd, keep) :
				      serve(&ep, fd, keep, verbose);
	/*
	 * Remove the socket file before the socket closes. Once the file is
	 * stale, another server may have replaced it by its own.
	 */
	if (ep.to.addr.kind == ALTCONN_KIND_PATH)
		unlink(ep.to.path);
	close(fd);
	return ret;
}
