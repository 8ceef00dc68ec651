// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn kill" ends associations and stops listeners.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/held.h"
#include "lib/nl.h"
#include "lib/out.h"
#include "lib/row.h"

enum { OPT_ALL = 600, OPT_DRY };

const struct opt kill_opts[] = {
	{ OPT_ALL, "all", NULL, NULL,
	  "all associations, listeners and connected datagram sockets" },
	FILTER_OPTS,
	{ 'n', "dry-run", NULL, NULL, "tell what would be ended, and end nothing" },
	OPT_JSON_ENTRY,
	{ }
};

/*
 * Number of ids in one request. An id takes 12 bytes, so a request fits into
 * the 32 KiB of the netlink buffer.
 */
#define BATCH	2000

/**
 * struct kill - the objects to end
 * @filter: selects the objects, unless the user gave ids
 * @all: end all objects
 * @dry: only count the objects
 * @json: print JSON
 * @ids: ids from the user, or of the objects that @filter selects
 * @n: number of @ids
 */
struct kill {
	struct filter filter;
	bool all, dry, json;
	uint64_t *ids;
	size_t n;
};

static int read_count(const struct nlattr *attr, void *data)
{
	uint32_t *count = data;

	if (mnl_attr_get_type(attr) != ALTCONN_A_KILL_KILLED)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	*count += mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int on_reply(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, 4, read_count, data);
}

static int send_ids(const struct kill *kill, uint32_t *killed)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	size_t at, i;
	int ret;

	ret = nl_open(&nl);
	for (at = 0; at < kill->n && ret == EXIT_OK; at += BATCH) {
		nlh = nl_request(&nl, ALTCONN_CMD_KILL, 0);
		for (i = at; i < kill->n && i < at + BATCH; i++)
			mnl_attr_put_u64(nlh, ALTCONN_A_KILL_ID, kill->ids[i]);
		ret = nl_talk(&nl, on_reply, killed);
	}
	nl_close(&nl);
	return ret;
}

static void add_id(struct kill *kill, uint64_t id)
{
	if (!(kill->n & (kill->n - 1)))
		kill->ids = grow(kill->ids, kill->n ? 2 * kill->n : 1,
				 sizeof(*kill->ids));
	kill->ids[kill->n++] = id;
}

static bool is_among(const uint64_t *ids, size_t n, uint64_t id)
{
	while (n--)
		if (ids[n] == id)
			return true;
	return !ids;
}

/*
 * Ask the module for its objects, and add the ids of those that the filter
 * selects to @kill. If @ids is not NULL, add only ids that it has. Skip
 * datagram sockets without a peer, which have nothing to end.
 */
static int choose(struct kill *kill, const uint64_t *ids, size_t n)
{
	struct found found = { };
	int ret = found_ask(&found, &kill->filter);
	size_t i;

	for (i = 0; i < found.n_assocs && ret == EXIT_OK; i++)
		if (filter_assoc(&kill->filter, &found.assocs[i]) &&
		    is_among(ids, n, found.assocs[i].id))
			add_id(kill, found.assocs[i].id);
	for (i = 0; i < found.n_socks && ret == EXIT_OK; i++)
		if (filter_sock(&kill->filter, &found.socks[i]) &&
		    is_among(ids, n, found.socks[i].id) &&
		    (found.socks[i].listening ||
		     sock_connected(&found.socks[i])))
			add_id(kill, found.socks[i].id);
	found_free(&found);
	return ret;
}

/* For a dry run, drop the ids that have no object to end. */
static int look(struct kill *kill)
{
	uint64_t *ids = kill->ids;
	size_t n = kill->n;
	int ret;

	kill->ids = NULL;
	kill->n = 0;
	ret = choose(kill, ids, n);
	free(ids);
	return ret;
}

static int parse_id(struct kill *kill, const char *text)
{
	unsigned long long id;
	char *end;

	errno = 0;
	id = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || !id)
		return EXIT_USAGE;
	if (!kill->n || !is_among(kill->ids, kill->n, id))
		add_id(kill, id);
	return EXIT_OK;
}

/* Parse the arguments: addresses if the first one is no id, else ids. */
static int take_words(struct kill *kill, int argc, char **argv)
{
	int i;

	if (!argc || parse_id(kill, argv[0]))
		return filter_addresses(&kill->filter, "kill", argc, argv);
	for (i = 1; i < argc; i++) {
		if (!parse_id(kill, argv[i]))
			continue;
		complain("kill: '%s' is no id; 'altconn show -e' lists them",
			 argv[i]);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int check(const struct kill *kill)
{
	bool filters = filter_any(&kill->filter);

	if (!kill->n && !kill->all && !filters) {
		complain("kill: which? give ids, addresses or options that choose, or --all");
		return EXIT_USAGE;
	}
	if ((kill->n && kill->all) || ((kill->n || kill->all) && filters)) {
		complain("kill: %s and a choice do not go together",
			 kill->n ? "ids" : "--all");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static void on_holder(const struct holder *holder, void *data)
{
	struct out *out = data;

	if (!out) {
		printf("%s, process %d, has %u sockets still\n", holder->comm,
		       holder->pid, holder->sockets);
		return;
	}
	out_row(out);
	out_string(out, "comm", NULL, holder->comm);
	out_uint(out, "pid", NULL, holder->pid);
	out_uint(out, "sockets", NULL, holder->sockets);
	out_row_end(out);
}

/*
 * Print the processes that still have sockets. A user that ends all objects
 * mostly wants to unload the module, and the sockets stay open until the
 * processes close them. @out: output for JSON, or NULL for text.
 */
static int tell_holders(struct out *out)
{
	struct family family = { };
	unsigned int hidden;
	long refs;
	int ret = family_ask(&family);

	if (ret != EXIT_OK)
		return ret;
	if (out)
		out_list(out, "holders");
	held_by_whom(family.number, on_holder, out, &hidden);
	if (out)
		return EXIT_OK;
	refs = held_references();
	if (refs < 1)
		puts("nobody holds the module: rmmod works");
	else
		printf("%ld references hold the module: sockets, and descriptors being closed%s\n",
		       refs,
		       hidden ? "; not all processes are to be seen" : "");
	return EXIT_OK;
}

static int tell(const struct kill *kill, uint32_t killed)
{
	static const struct out_style style = { .json = true, .line = true };
	bool holders = kill->all && !kill->dry;
	struct out *out = NULL;
	int ret = EXIT_OK, err;

	if (kill->json) {
		out = row_open(&style, true);
		out_uint(out, "killed", NULL, killed);
	} else {
		printf("%u %s\n", killed, kill->dry ? "would be ended" : "ended");
	}
	if (holders)
		ret = tell_holders(out);
	if (!out)
		return ret;
	err = out_close(out);
	return ret == EXIT_OK ? err : ret;
}

static int act(struct kill *kill, bool by_id)
{
	uint32_t killed = 0;
	int ret = EXIT_OK;

	if (!by_id)
		ret = choose(kill, NULL, 0);
	else if (kill->dry)
		ret = look(kill);

	if (ret == EXIT_OK && kill->dry)
		return tell(kill, kill->n);
	if (ret == EXIT_OK)
		ret = send_ids(kill, &killed);
	if (ret == EXIT_OK)
		ret = tell(kill, killed);
	if (ret != EXIT_OK || !by_id || killed == kill->n)
		return ret;
	complain("kill: %zu of these ids had nothing to end, or were busy: try again",
		 kill->n - killed);
	return EXIT_FAILED;
}

/**
 * kill_main - run "altconn kill"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int kill_main(const struct command *cmd, int argc, char **argv)
{
	struct kill kill = { };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1) {
		if (key == OPT_ALL)
			kill.all = true;
		else if (key == 'n')
			kill.dry = true;
		else if (key == 'j')
			kill.json = true;
		else
			ret = filter_option(&kill.filter, "kill", key);
	}
	if (ret == EXIT_OK)
		ret = take_words(&kill, argc - optind, argv + optind);
	if (ret == EXIT_OK)
		ret = check(&kill);
	if (ret == EXIT_OK)
		ret = act(&kill, kill.n);
	free(kill.filter.addrs);
	free(kill.ids);
	return ret;
}
