// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn connect" sends standard input to a peer, and writes the data of the
 * peer to standard output.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/command.h"
#include "lib/endpoint.h"
#include "lib/opt.h"
#include "lib/relay.h"

static const struct opt connect_opts[] = {
	ENDPOINT_TYPE,
	ENDPOINT_OPTS,
	{ OPT_SOURCE, "source", "ADDRESS", NULL,
	  "bind the socket to this address" },
	{ 'z', "zero", NULL, NULL, "only connect, and send nothing" },
	{ 'v', "verbose", NULL, NULL, "print the addresses to stderr" },
	{ }
};

/* Send standard input, and print the answer. Return the exit code. */
static int connect_relay(const struct endpoint *ep, int fd)
{
	if (ep->type == SOCK_DGRAM)
		return endpoint_end(ep, relay_datagrams(fd));
	return endpoint_end(ep, relay_both(fd, ep->type == SOCK_SEQPACKET));
}

static int connect_main(const struct command *cmd, int argc, char **argv)
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
	if (err) {
		endpoint_print_error(&ep, err, &info);
		ret = EXIT_FAILED;
	} else {
		if (verbose)
			endpoint_print_names("connected", fd);
		if (!zero)
			ret = connect_relay(&ep, fd);
	}
	close(fd);
	return ret;
}

const struct command command_connect = {
	.name = "connect",
	.run = connect_main,
	.help = "connect standard input and output to an address",
	.synopsis = "[OPTION...] ADDRESS",
	.opts = connect_opts,
};
