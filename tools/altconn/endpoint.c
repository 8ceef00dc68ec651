// SPDX-License-Identifier: GPL-2.0
/*
 * A socket of the tool's own, in the native dress, which has all kinds of addresses.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "reason.h"
#include "record.h"

/**
 * endpoint_init - a stream socket to nowhere
 * @ep: is filled in
 * @cmd: the command's name
 */
void endpoint_init(struct endpoint *ep, const char *cmd)
{
	memset(ep, 0, sizeof(*ep));
	ep->cmd = cmd;
	ep->type = SOCK_STREAM;
	ep->timeout_ms = ALTCONN_TIMEOUT_DEFAULT;
}

static int parse_timeout(struct endpoint *ep)
{
	char *end;
	double seconds = strtod(optarg, &end);

	ep->timeout_ms = seconds * 1000;
	if (end != optarg && !*end && seconds >= 0 &&
	    seconds <= ALTCONN_TIMEOUT_MAX / 1000 &&
	    (ep->timeout_ms || seconds == 0))
		return EXIT_OK;
	complain("%s: '%s' is no time: seconds, from 0.001 to a week, or 0 for no limit",
		 ep->cmd, optarg);
	return EXIT_USAGE;
}

static int parse_address(const struct endpoint *ep, const char *text,
			 struct addr *addr)
{
	const char *wrong = addr_parse(text, addr);

	if (!wrong && addr->kind == ALTCONN_KIND_NONE)
		wrong = "nobody is there";
	if (!wrong)
		return EXIT_OK;
	complain("%s: '%s': %s", ep->cmd, text, wrong);
	return EXIT_USAGE;
}

/**
 * endpoint_option - take an option of ENDPOINT_TYPE, ENDPOINT_OPTS, or OPT_SOURCE
 * @ep: what it says is added
 * @key: what opt_next() returned
 *
 * Return: EXIT_OK, or EXIT_USAGE after a complaint.
 */
int endpoint_option(struct endpoint *ep, int key)
{
	switch (key) {
	case 't':
		ep->type = optarg[0] == 'd' ? SOCK_DGRAM :
			   optarg[1] == 'e' ? SOCK_SEQPACKET : SOCK_STREAM;
		return EXIT_OK;
	case OPT_TIMEOUT:
		return parse_timeout(ep);
	case OPT_WAIT:
		ep->wait = true;
		return EXIT_OK;
	default:
		return parse_address(ep, optarg, &ep->source);
	}
}

/**
 * endpoint_address - the one address behind the options, and the family
 * @ep: they are added
 * @argc: how many words
 * @argv: the words
 *
 * Return: EXIT_OK, or an exit code after a complaint.
 */
int endpoint_address(struct endpoint *ep, int argc, char **argv)
{
	struct family family;
	int ret;

	if (optind == argc) {
		complain("%s: which address? port:4000 is one; altconn(8) tells of others",
			 ep->cmd);
		return EXIT_USAGE;
	}
	ep->text = argv[optind];
	if (optind + 1 < argc) {
		complain("%s: unknown argument '%s'", ep->cmd, argv[optind + 1]);
		return EXIT_USAGE;
	}
	ret = parse_address(ep, ep->text, &ep->addr);
	if (ret == EXIT_OK)
		ret = family_ask(&family);
	if (ret == EXIT_OK)
		ep->family = family.number;
	return ret;
}

/**
 * endpoint_bind - bind a socket
 * @ep: whose it is
 * @fd: the socket
 * @addr: where
 *
 * Return: EXIT_OK, or EXIT_FAILED after a complaint.
 */
int endpoint_bind(const struct endpoint *ep, int fd, const struct addr *addr)
{
	struct sockaddr_altconn sac;
	char text[ADDR_TEXT_MAX];

	addr_to_sockaddr(addr, ep->family, &sac);
	if (!bind(fd, (struct sockaddr *)&sac, sizeof(sac)))
		return EXIT_OK;
	addr_format(addr, text);
	complain("%s: cannot be bound to %s: %s", ep->cmd, text, strerror(errno));
	return EXIT_FAILED;
}

/**
 * endpoint_socket - make a socket with the options that it shall have
 * @ep: what for
 *
 * Return: a descriptor, or -1 after a complaint.
 */
int endpoint_socket(const struct endpoint *ep)
{
	int fd = socket(ep->family, ep->type | SOCK_CLOEXEC, ALTCONN_NATIVE);
	uint32_t on = ep->wait;

	if (fd < 0) {
		complain("%s: socket: %s; 'altconn doctor' may know why", ep->cmd,
			 strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT, &ep->timeout_ms,
		   sizeof(ep->timeout_ms));
	setsockopt(fd, SOL_ALTCONN, ALTCONN_WAIT_LISTENER, &on, sizeof(on));
	if (ep->source.kind == ALTCONN_KIND_NONE ||
	    endpoint_bind(ep, fd, &ep->source) == EXIT_OK)
		return fd;
	close(fd);
	return -1;
}

/**
 * endpoint_connect - connect a socket, and wait for the result
 * @ep: where to
 * @fd: the socket
 * @info: gets what became of it
 *
 * Return: 0 or the errno; EINTR: a signal came, and the attempt goes on.
 */
int endpoint_connect(const struct endpoint *ep, int fd,
		     struct altconn_connect_info *info)
{
	socklen_t len = sizeof(*info);
	struct sockaddr_altconn sac;
	int err;

	addr_to_sockaddr(&ep->addr, ep->family, &sac);
	err = connect(fd, (struct sockaddr *)&sac, sizeof(sac)) ? errno : 0;
	memset(info, 0, sizeof(*info));
	getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, info, &len);
	return err;
}

/**
 * endpoint_complain - say why an attempt failed
 * @ep: where to
 * @err: what endpoint_connect() returned
 * @info: likewise
 */
void endpoint_complain(const struct endpoint *ep, int err,
		       const struct altconn_connect_info *info)
{
	const char *name = strerrorname_np(err);

	if (info->aci_rule)
		complain("%s: %s: %s: rule %u decided so", ep->cmd, ep->text,
			 name ? : strerror(err), info->aci_rule);
	else
		complain("%s: %s: %s: %s", ep->cmd, ep->text,
			 name ? : strerror(err), reason_text(info->aci_reason));
}
