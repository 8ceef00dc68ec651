// SPDX-License-Identifier: GPL-2.0
/*
 * Hold sockets for the shell tests. The helper reads one command a line and
 * answers each command with one line, so a script can build a scene and
 * continue once the scene is complete.
 *
 *	bind FORMAT TYPE ADDRESS		-> ok SLOT
 *	listen FORMAT TYPE ADDRESS BACKLOG	-> ok SLOT
 *	connect FORMAT TYPE ADDRESS		-> ok SLOT
 *	start FORMAT TYPE ADDRESS		-> ok SLOT
 *	wait FORMAT TYPE ADDRESS		-> ok SLOT
 *	again SLOT FORMAT ADDRESS		-> ok SLOT
 *	stray FORMAT TYPE			-> ok SLOT
 *	accept SLOT				-> ok SLOT
 *	send SLOT COUNT				-> ok COUNT
 *	close SLOT				-> ok SLOT
 *	pairs FORMAT TYPE COUNT			-> ok COUNT
 *	name COMM				-> ok 0
 *
 * "connect" blocks. "start" makes a non-blocking socket, and so does "wait",
 * which also sets ALTCONN_WAIT_LISTENER. "again" calls connect() on a slot once
 * more. "stray" connects to an address of another family. "send" sends at most
 * 65536 bytes. "pairs" makes socketpairs, which take no slots. "name" sets the
 * name of the process.
 *
 * FORMAT is native, unix, inet, inet6 or AF_UNIX. TYPE is stream, seqpacket or
 * dgram. ADDRESS is port:NUMBER, port:NODE/NUMBER, name:TEXT, path:TEXT or
 * inet:PORT, which is a port of the loopback address of the format's version. A
 * command that fails is answered with "SLOT ERRNO-NAME", where the slot is -1
 * if there is no socket.
 */
#include "lib/altconn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define SLOTS 256

/* The descriptor plus one, or 0 if the slot is free. */
static int slots[SLOTS];

static int print_answer(int slot, int err)
{
	if (err)
		printf("%d %s\n", slot, strerrorname_np(err));
	else
		printf("ok %d\n", slot);
	return fflush(stdout);
}

/*
 * Put a descriptor into a free slot. Return the slot, or -1 with errno if @fd
 * is negative or no slot is free.
 */
static int keep_fd(int fd)
{
	int slot;

	if (fd < 0)
		return -1;
	for (slot = 0; slot < SLOTS; slot++) {
		if (!slots[slot]) {
			slots[slot] = fd + 1;
			return slot;
		}
	}
	close(fd);
	errno = EMFILE;
	return -1;
}

/*
 * Return the descriptor of a slot, or -1 if @word names no slot: the system
 * call that gets -1 then fails with EBADF.
 */
static int fd_of(const char *word)
{
	unsigned long slot = strtoul(word, NULL, 10);

	return slot < SLOTS ? slots[slot] - 1 : -1;
}

static enum at_format format_of(const char *word)
{
	static const struct {
		const char *word;
		enum at_format format;
	} words[] = {
		{ .word = "native", .format = AT_NATIVE },
		{ .word = "unix", .format = AT_UNIX },
		{ .word = "inet", .format = AT_IN },
		{ .word = "inet6", .format = AT_IN6 },
		{ },
	};
	int i;

	for (i = 0; words[i].word; i++)
		if (!strcmp(word, words[i].word))
			return words[i].format;
	return AT_ORACLE;
}

static int type_of(const char *word)
{
	if (!strcmp(word, "stream"))
		return SOCK_STREAM;
	return strcmp(word, "seqpacket") ? SOCK_DGRAM : SOCK_SEQPACKET;
}

static void address_of(struct at_addr *a, enum at_format format,
		       const char *word)
{
	const char *text = word + 5;

	if (!strncmp(word, "port:", 5) && strchr(text, '/')) {
		at_addr_port(a, strtoul(strchr(text, '/') + 1, NULL, 10));
		a->nat.sac_node = strtoul(text, NULL, 10);
	} else if (!strncmp(word, "port:", 5)) {
		at_addr_port(a, strtoul(text, NULL, 10));
	} else if (!strncmp(word, "name:", 5)) {
		at_addr_name(a, format, text, strlen(text));
	} else if (!strncmp(word, "inet:", 5)) {
		at_addr_ip(a, format, format == AT_IN6 ? "::1" : "127.0.0.1",
			   strtoul(text, NULL, 10));
	} else {
		at_addr_path(a, format, text);
	}
}

static int new_socket(char **words, int flags, struct at_addr *a)
{
	enum at_format format = format_of(words[1]);

	address_of(a, format, words[3]);
	return keep_fd(at_socket(format, type_of(words[2]) | flags));
}

static int do_bind(char **words)
{
	struct at_addr a;
	int slot = new_socket(words, 0, &a), err;

	if (slot < 0)
		return print_answer(-1, errno);
	err = at_err(at_bind(slots[slot] - 1, &a));
	if (!err && words[4])
		err = at_err(listen(slots[slot] - 1, atoi(words[4])));
	return print_answer(slot, err);
}

static int do_connect(char **words, int flags, bool wait)
{
	struct at_addr a;
	int slot = new_socket(words, flags, &a);

	if (slot < 0)
		return print_answer(-1, errno);
	if (wait && at_set_option(slots[slot] - 1, ALTCONN_WAIT_LISTENER, 1))
		return print_answer(slot, errno);
	return print_answer(slot, at_err(at_connect(slots[slot] - 1, &a)));
}

static int do_again(char **words)
{
	struct at_addr a;

	address_of(&a, format_of(words[2]), words[3]);
	return print_answer(atoi(words[1]),
			    at_err(at_connect(fd_of(words[1]), &a)));
}

static int do_stray(char **words)
{
	enum at_format format = format_of(words[1]);
	struct at_addr a;
	int slot = keep_fd(at_socket(format, type_of(words[2])));

	if (slot < 0)
		return print_answer(-1, errno);
	at_addr_port(&a, 1);
	a.sa.sa_family = AF_NETLINK;
	return print_answer(slot, at_err(at_connect(slots[slot] - 1, &a)));
}

static int do_accept(char **words)
{
	int slot = keep_fd(accept(fd_of(words[1]), NULL, NULL));

	return print_answer(slot, slot < 0 ? errno : 0);
}

static int do_send(char **words)
{
	static char buf[65536];
	size_t n = strtoul(words[2], NULL, 10);

	if (n > sizeof(buf))
		n = sizeof(buf);
	if (send(fd_of(words[1]), buf, n, 0) != (ssize_t)n)
		return print_answer(-1, errno);
	return print_answer(n, 0);
}

static int do_close(char **words)
{
	int slot = atoi(words[1]), err = at_err(close(fd_of(words[1])));

	if (!err)
		slots[slot] = 0;
	return print_answer(slot, err);
}

/* Make pairs, which stay open until the helper exits. */
static int do_pairs(char **words)
{
	unsigned long n = strtoul(words[3], NULL, 10), i;
	struct rlimit limit = { 2 * n + 1000, 2 * n + 1000 };
	int sv[2];

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return print_answer(-1, errno);
	for (i = 0; i < n; i++)
		if (at_socketpair(format_of(words[1]), type_of(words[2]), sv))
			return print_answer(-1, errno);
	return print_answer(n, 0);
}

static int run_command(char **words, int n)
{
	if (n >= 4 &&
	    (!strcmp(words[0], "bind") || !strcmp(words[0], "listen")))
		return do_bind(words);
	if (n == 4 && !strcmp(words[0], "connect"))
		return do_connect(words, 0, false);
	if (n == 4 && !strcmp(words[0], "start"))
		return do_connect(words, SOCK_NONBLOCK, false);
	if (n == 4 && !strcmp(words[0], "wait"))
		return do_connect(words, SOCK_NONBLOCK, true);
	if (n == 4 && !strcmp(words[0], "again"))
		return do_again(words);
	if (n == 3 && !strcmp(words[0], "stray"))
		return do_stray(words);
	if (n == 2 && !strcmp(words[0], "accept"))
		return do_accept(words);
	if (n == 3 && !strcmp(words[0], "send"))
		return do_send(words);
	if (n == 2 && !strcmp(words[0], "close"))
		return do_close(words);
	if (n == 4 && !strcmp(words[0], "pairs"))
		return do_pairs(words);
	if (n == 2 && !strcmp(words[0], "name"))
		return print_answer(0, at_err(prctl(PR_SET_NAME, words[1])));
	return print_answer(-1, EINVAL);
}

int main(void)
{
	char line[512], *words[8], *word;
	int n;

	while (fgets(line, sizeof(line), stdin)) {
		memset(words, 0, sizeof(words));
		n = 0;
		for (word = strtok(line, "\n "); word && n < 7;
		     word = strtok(NULL, "\n "))
			words[n++] = word;
		if (run_command(words, n))
			return 1;
	}
	return 0;
}
