// SPDX-License-Identifier: GPL-2.0
/*
 * This file opens sockets for commands of the tool. The sockets have the native
 * address format, which has all kinds of addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/command.h"
#include "lib/endpoint.h"
#include "lib/message.h"
#include "lib/parse.h"
#include "lib/reason.h"
#include "lib/record.h"

/**
 * endpoint_init - fill in the defaults: a stream socket without addresses
 * @ep: gets the defaults
 * @cmd: name of the command
 */
void endpoint_init(struct endpoint *ep, const char *cmd)
{
	memset(ep, 0, sizeof(*ep));
	ep->cmd = cmd;
	ep->type = SOCK_STREAM;
	ep->timeout_ms = ALTCONN_TIMEOUT_DEFAULT;
}

static int endpoint_parse_timeout(struct endpoint *ep)
{
	double seconds;

	if (parse_number(optarg, 0, ALTCONN_TIMEOUT_MAX / 1000, &seconds)) {
		ep->timeout_ms = seconds * 1000;
		if (ep->timeout_ms || seconds == 0)
			return EXIT_OK;
	}
	message_error("%s: '%s' is no time: it is seconds, from 0.001 to a week, or 0 for no limit",
		      ep->cmd, optarg);
	return EXIT_USAGE;
}

static bool endpoint_path_is_long(const struct endpoint_addr *ea)
{
	return strlen(ea->path) > ALTCONN_PATH_MAX;
}

static int endpoint_parse_address(const struct endpoint *ep, const char *text,
				  struct endpoint_addr *ea)
{
	const char *wrong = NULL;

	if (addr_parse_path(text, ea->path, &wrong))
		ea->addr.kind = ALTCONN_KIND_PATH;
	if (!wrong && !endpoint_path_is_long(ea))
		wrong = addr_parse(text, &ea->addr);
	if (!wrong && ea->addr.kind == ALTCONN_KIND_NONE)
		wrong = "no socket can have the unnamed address";
	if (!wrong)
		return EXIT_OK;
	message_error("%s: '%s': %s", ep->cmd, text, wrong);
	return EXIT_USAGE;
}

/**
 * endpoint_option - apply ENDPOINT_TYPE, OPT_SOURCE or one of ENDPOINT_OPTS
 * @ep: gets the value of the option
 * @key: the option, as opt_next() returned it; its argument is in optarg
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int endpoint_option(struct endpoint *ep, int key)
{
	switch (key) {
	case 't':
		ep->type = optarg[0] == 'd' ? SOCK_DGRAM :
			   optarg[1] == 'e' ? SOCK_SEQPACKET : SOCK_STREAM;
		return EXIT_OK;
	case OPT_TIMEOUT:
		return endpoint_parse_timeout(ep);
	case OPT_WAIT:
		ep->wait = true;
		return EXIT_OK;
	default:
		return endpoint_parse_address(ep, optarg, &ep->source);
	}
}

/**
 * endpoint_address - parse the address, and request the family's number
 * @ep: gets the address and the number
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: EXIT_OK, or an exit code after an error message.
 */
int endpoint_address(struct endpoint *ep, int argc, char **argv)
{
	struct family family;
	int ret;

	if (optind == argc) {
		message_error("%s: state which address, as in port:4000; see altconn(8)",
			      ep->cmd);
		return EXIT_USAGE;
	}
	ep->text = argv[optind];
	if (optind + 1 < argc) {
		message_error("%s: unknown argument '%s'", ep->cmd, argv[optind + 1]);
		return EXIT_USAGE;
	}
	ret = endpoint_parse_address(ep, ep->text, &ep->to);
	if (ret == EXIT_OK)
		ret = record_get_family(&family);
	if (ret == EXIT_OK)
		ep->family = family.number;
	return ret;
}

/*
 * Open a descriptor for a path that does not fit into an address. connect()
 * takes a descriptor of the socket file, and @path becomes empty. bind() takes
 * a descriptor of the directory, and @path becomes the last component. Return
 * -1 and set errno on failure.
 */
static int endpoint_open_path(const char **path, bool binds)
{
	const char *slash = strrchr(*path, '/');
	char dir[PATH_MAX] = ".";
	int fd;

	if (!binds) {
		fd = open(*path, O_PATH | O_CLOEXEC);
		*path = "";
		return fd;
	}
	if (slash) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - *path) + 1,
			 *path);
		*path = slash + 1;
	}
	if (strlen(*path) <= ALTCONN_PATH_MAX)
		return open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	errno = ENAMETOOLONG;
	return -1;
}

/*
 * Call bind() if @binds is true, else connect(). @reason gets the reason of a
 * failure for which the module reports no reason: ALTCONN_REASON_PATH_LOOKUP if
 * the path does not fit into an address, else ALTCONN_REASON_NONE. Return 0 or
 * a positive errno.
 */
static int endpoint_call(const struct endpoint *ep,
			 const struct endpoint_addr *ea, int fd, bool binds,
			 uint32_t *reason)
{
	const char *path = ea->path;
	struct sockaddr_altconn sac;
	int file = -1, err = 0;

	*reason = ALTCONN_REASON_NONE;
	addr_to_sockaddr(&ea->addr, ep->family, &sac);
	if (endpoint_path_is_long(ea)) {
		file = endpoint_open_path(&path, binds);
		*reason = ALTCONN_REASON_PATH_LOOKUP;
		if (file < 0)
			return errno;
		sac.sac_flags = ALTCONN_PATH_FD;
		sac.sac_fd = file;
		sac.sac_len = strlen(path);
		memcpy(sac.sac_path, path, sac.sac_len);
	}
	if ((binds ? bind : connect)(fd, (struct sockaddr *)&sac, sizeof(sac)))
		err = errno;
	if (file >= 0)
		close(file);
	return err;
}

/**
 * endpoint_bind - bind a socket
 * @ep: name of the command, number of the family, and whether bind() replaces a
 *	stale socket file
 * @fd: the socket
 * @ea: address to bind to
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int endpoint_bind(const struct endpoint *ep, int fd,
		  const struct endpoint_addr *ea)
{
	uint32_t replace = ep->replace, reason;
	char text[sizeof("path:") + 4 * PATH_MAX] = "path:";
	int err;

	if (replace && setsockopt(fd, SOL_ALTCONN, ALTCONN_REPLACE_PATH,
				  &replace, sizeof(replace))) {
		message_error("%s: --replace: %s", ep->cmd, strerror(errno));
		return EXIT_FAILED;
	}
	err = endpoint_call(ep, ea, fd, true, &reason);
	if (!err)
		return EXIT_OK;
	if (endpoint_path_is_long(ea))
		addr_escape((const unsigned char *)ea->path,
			    strlen(ea->path), text + strlen(text));
	else
		addr_to_text(&ea->addr, text);
	message_error("%s: cannot be bound to %s: %s", ep->cmd, text, strerror(err));
	return EXIT_FAILED;
}

/**
 * endpoint_socket - open a socket, set its options and bind it to @ep->source
 * @ep: type and options of the socket
 *
 * Return: a descriptor, or -1 after an error message.
 */
int endpoint_socket(const struct endpoint *ep)
{
	int fd = socket(ep->family, ep->type | SOCK_CLOEXEC, ALTCONN_NATIVE);
	uint32_t on = ep->wait;

	if (fd < 0) {
		message_error("%s: socket: %s; 'altconn doctor' may find the cause",
			      ep->cmd, strerror(errno));
		return -1;
	}
	setsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT, &ep->timeout_ms,
		   sizeof(ep->timeout_ms));
	setsockopt(fd, SOL_ALTCONN, ALTCONN_WAIT_LISTENER, &on, sizeof(on));
	if (ep->source.addr.kind == ALTCONN_KIND_NONE ||
	    endpoint_bind(ep, fd, &ep->source) == EXIT_OK)
		return fd;
	close(fd);
	return -1;
}

/**
 * endpoint_connect - connect a socket and wait for the result
 * @ep: the address to connect to
 * @fd: the socket
 * @info: gets the result of the attempt, as ALTCONN_CONNECT_INFO gives it
 *
 * Return: 0 or a positive errno. After EINTR, a signal, the attempt goes on.
 */
int endpoint_connect(const struct endpoint *ep, int fd,
		     struct altconn_connect_info *info)
{
	socklen_t len = sizeof(*info);
	uint32_t reason;
	int err;

	err = endpoint_call(ep, &ep->to, fd, false, &reason);
	memset(info, 0, sizeof(*info));
	getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, info, &len);
	if (err && !info->aci_errno)
		info->aci_reason = reason;
	return err;
}

/**
 * endpoint_print_names - print the addresses of a connection to stderr
 * @event: the event for which the addresses are printed
 * @fd: the socket
 */
void endpoint_print_names(const char *event, int fd)
{
	struct sockaddr_altconn own, peer;
	char text[2][ADDR_TEXT_MAX];
	socklen_t len = sizeof(own);
	struct addr addr;

	if (getsockname(fd, (struct sockaddr *)&own, &len))
		return;
	addr_of_sockaddr(&own, len, ALTCONN_NATIVE, &addr);
	addr_to_text(&addr, text[0]);
	len = sizeof(peer);
	if (getpeername(fd, (struct sockaddr *)&peer, &len))
		len = 0;
	addr_of_sockaddr(&peer, len, ALTCONN_NATIVE, &addr);
	addr_to_text(&addr, text[1]);
	fprintf(stderr, "%s: %s, peer %s\n", event, text[0], text[1]);
}

/**
 * endpoint_print_error - print why an attempt failed
 * @ep: the address of the attempt
 * @err: the errno that endpoint_connect() returned
 * @info: the result that endpoint_connect() filled in
 */
void endpoint_print_error(const struct endpoint *ep, int err,
			  const struct altconn_connect_info *info)
{
	const char *name = strerrorname_np(err);

	if (info->aci_rule)
		message_error("%s: %s: %s: rule %u decided it", ep->cmd, ep->text,
			      name ? : strerror(err), info->aci_rule);
	else
		message_error("%s: %s: %s: %s", ep->cmd, ep->text,
			      name ? : strerror(err),
			      reason_text(info->aci_reason));
}

/**
 * endpoint_end - print why the transfer of data has failed, if it has failed
 * @ep: the address for the error message
 * @err: a positive errno, or 0 after a success
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int endpoint_end(const struct endpoint *ep, int err)
{
	if (!err)
		return EXIT_OK;
	message_error("%s: %s: %s", ep->cmd, ep->text, strerror(err));
	return EXIT_FAILED;
}
