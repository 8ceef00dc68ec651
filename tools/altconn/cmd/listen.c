// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn listen" accepts a connection, sends standard input to the peer, and
 * writes the data of the peer to standard output. It also receives datagrams.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/command.h"
#include "lib/endpoint.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/parse.h"
#include "lib/relay.h"

static const struct opt listen_opts[] = {
	ENDPOINT_TYPE,
	{ 'b', "backlog", "N", NULL,
	  "number of connections that may wait for accept()" },
	{ 'k', "keep", NULL, NULL,
	  "after a connection has ended, accept the next one" },
	{ OPT_REACHABLE, "reachable", NULL, NULL,
	  "other nodes can reach the address too" },
	{ OPT_REPLACE, "replace", NULL, NULL,
	  "replace a socket file that no socket has any more" },
	{ 'v', "verbose", NULL, NULL, "print the addresses to stderr" },
	{ }
};

/**
 * struct listen - options of the command
 * @ep: address to listen at, and options of the socket
 * @backlog: argument of listen()
 * @keep: accept connections, or receive datagrams, one after the other
 * @verbose: print addresses to stderr
 * @reachable: other nodes can reach the address
 */
struct listen {
	struct endpoint ep;
	int backlog;
	bool keep, verbose, reachable;
};

/* Accept connections. Return the exit code. */
static int listen_serve(const struct listen *l, int lfd)
{
	int fd, err;

	do {
		fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return endpoint_end(&l->ep, errno);
		if (l->verbose)
			endpoint_print_names("accepted", fd);
		err = relay_both(fd, l->ep.type == SOCK_SEQPACKET);
		close(fd);
		err = endpoint_end(&l->ep, err);
	} while (l->keep);
	return err;
}

/* Open the socket. Return its descriptor, or -1 after an error message. */
static int listen_open(const struct listen *l)
{
	uint32_t reachable = l->reachable;
	int fd = endpoint_socket(&l->ep);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_ALTCONN, ALTCONN_REACHABLE, &reachable,
		   sizeof(reachable));
	if (endpoint_bind(&l->ep, fd, &l->ep.to) == EXIT_OK) {
		if (l->ep.type == SOCK_DGRAM || !listen(fd, l->backlog))
			return fd;
		message_error("listen: %s: %s", l->ep.text, strerror(errno));
	}
	close(fd);
	return -1;
}

static int listen_option(struct listen *l, int key)
{
	switch (key) {
	case 'k':
		l->keep = true;
		return EXIT_OK;
	case 'v':
		l->verbose = true;
		return EXIT_OK;
	case OPT_REACHABLE:
		l->reachable = true;
		return EXIT_OK;
	case OPT_REPLACE:
		l->ep.replace = true;
		return EXIT_OK;
	case 'b':
		if (parse_int(optarg, &l->backlog))
			return EXIT_OK;
		message_error("listen: '%s' is no backlog", optarg);
		return EXIT_USAGE;
	default:
		return endpoint_option(&l->ep, key);
	}
}

static int listen_main(const struct command *cmd, int argc, char **argv)
{
	struct listen l = { .backlog = 128 };
	int key, fd, ret = EXIT_OK;

	endpoint_init(&l.ep, cmd->name);
	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = listen_option(&l, key);
	if (ret == EXIT_OK)
		ret = endpoint_address(&l.ep, argc, argv);
	if (ret != EXIT_OK)
		return ret;
	signal(SIGPIPE, SIG_IGN);
	fd = listen_open(&l);
	if (fd < 0)
		return EXIT_FAILED;
	if (l.verbose)
		endpoint_print_names("listening", fd);
	if (l.ep.type == SOCK_DGRAM)
		ret = endpoint_end(&l.ep, relay_datagrams_back(fd, l.keep));
	else
		ret = listen_serve(&l, fd);
	/*
	 * Remove the socket file before the socket closes. Once the file is
	 * stale, another server may have replaced it by its own.
	 */
	if (l.ep.to.addr.kind == ALTCONN_KIND_PATH)
		unlink(l.ep.to.path);
	close(fd);
	return ret;
}

const struct command command_listen = {
	.name = "listen",
	.run = listen_main,
	.help = "wait at an address for a connection, or for datagrams",
	.synopsis = "[OPTION...] ADDRESS",
	.opts = listen_opts,
};
