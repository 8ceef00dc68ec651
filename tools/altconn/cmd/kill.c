// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn kill" ends associations and stops listeners.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/filter.h"
#include "lib/found.h"
#include "lib/message.h"
#include "lib/nl.h"
#include "lib/open_socket.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/record.h"

static const struct opt kill_opts[] = {
	{ OPT_ALL, "all", NULL, NULL,
	  "all associations, listeners and connected datagram sockets" },
	FILTER_OPTS,
	{ 'n', "dry-run", NULL, NULL,
	  "print how many would be ended, and end nothing" },
	OUT_OPT_JSON,
	{ }
};

/*
 * Number of ids in one request. An id takes 12 bytes, so a request fits into
 * the 32 KiB of the netlink buffer.
 */
#define KILL_BATCH	2000

/**
 * struct kill - the objects to end
 * @filter: selects the objects, unless the user gave ids
 * @style: style of the output
 * @all: end all objects
 * @dry: only count the objects
 * @ids: ids from the user, or of the objects that @filter selects
 * @n: number of @ids
 */
struct kill {
	struct filter filter;
	struct out_style style;
	bool all, dry;
	uint64_t *ids;
	size_t n;
};

static int kill_read_count(const struct nlattr *attr, void *data)
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

static int kill_on_reply(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), kill_read_count,
			      data);
}

static int kill_send_ids(const struct kill *kill, uint32_t *killed)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	size_t at, i;
	int ret;

	ret = nl_open(&nl);
	for (at = 0; at < kill->n && ret == EXIT_OK; at += KILL_BATCH) {
		nlh = nl_request(&nl, ALTCONN_CMD_KILL, 0);
		for (i = at; i < kill->n && i < at + KILL_BATCH; i++)
			mnl_attr_put_u64(nlh, ALTCONN_A_KILL_ID, kill->ids[i]);
		ret = nl_talk(&nl, kill_on_reply, killed);
	}
	nl_close(&nl);
	return ret;
}

static void kill_add_id(struct kill *kill, uint64_t id)
{
	kill->ids = array_add(kill->ids, kill->n, sizeof(*kill->ids));
	kill->ids[kill->n++] = id;
}

/* Check whether @ids is NULL or has an id. */
static bool kill_has_id(const uint64_t *ids, size_t n, uint64_t id)
{
	while (n--)
		if (ids[n] == id)
			return true;
	return !ids;
}

/*
 * Request the module's objects, and add the ids of the objects that the filter
 * selects to @kill. If @ids is not NULL, add only ids that it has. Skip
 * datagram sockets without a peer, which have nothing to end.
 */
static int kill_select(struct kill *kill, const uint64_t *ids, size_t n)
{
	struct found found = { };
	int ret = found_get(&found, &kill->filter);
	const struct assoc *a;
	const struct sock *s;
	size_t i;

	for (i = 0; i < found.n_assocs && ret == EXIT_OK; i++) {
		a = &found.assocs[i];
		if (filter_assoc(&kill->filter, a) &&
		    kill_has_id(ids, n, a->id))
			kill_add_id(kill, a->id);
	}
	for (i = 0; i < found.n_socks && ret == EXIT_OK; i++) {
		s = &found.socks[i];
		if (filter_sock(&kill->filter, s) &&
		    kill_has_id(ids, n, s->id) &&
		    (s->listening || record_sock_is_connected(s)))
			kill_add_id(kill, s->id);
	}
	found_free(&found);
	return ret;
}

/* For a dry run, drop the ids that have no object to end. */
static int kill_drop_ids(struct kill *kill)
{
	uint64_t *ids = kill->ids;
	size_t n = kill->n;
	int ret;

	kill->ids = NULL;
	kill->n = 0;
	ret = kill_select(kill, ids, n);
	free(ids);
	return ret;
}

static bool kill_parse_id(struct kill *kill, const char *text)
{
	uint64_t id;

	if (!parse_id(text, UINT64_MAX, &id))
		return false;
	if (!kill->n || !kill_has_id(kill->ids, kill->n, id))
		kill_add_id(kill, id);
	return true;
}

/* Parse the arguments: addresses if the first one is no id, else ids. */
static int kill_parse_words(struct kill *kill, int argc, char **argv)
{
	int i;

	if (!argc || !kill_parse_id(kill, argv[0]))
		return filter_addresses(&kill->filter, "kill", argc, argv);
	for (i = 1; i < argc; i++) {
		if (kill_parse_id(kill, argv[i]))
			continue;
		message_error("kill: '%s' is no id; 'altconn show -e' lists ids",
			      argv[i]);
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int kill_check_words(const struct kill *kill)
{
	bool filters = filter_any(&kill->filter);

	if (!kill->n && !kill->all && !filters) {
		message_error("kill: nothing is selected; give ids, addresses, options, or --all");
		return EXIT_USAGE;
	}
	if ((kill->n && kill->all) || ((kill->n || kill->all) && filters)) {
		message_error("kill: %s and another selection do not go together",
			      kill->n ? "ids" : "--all");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static void kill_on_holder(const struct holder *holder, void *data)
{
	struct out *out = data;

	out_row(out);
	out_string(out, "comm", "", holder->comm);
	out_uint(out, "pid", ", process ", holder->pid);
	out_uint(out, "sockets", ", has ", holder->sockets);
	out_text(out, " sockets still");
	out_row_end(out);
}

/*
 * Print the processes that still have sockets. The usual purpose of --all is to
 * unload the module, and the sockets stay open until the processes close them.
 */
static int kill_put_holders(const struct kill *kill, struct out *out)
{
	struct family family = { };
	unsigned int hidden;
	long refs;
	int ret = record_get_family(&family);

	if (ret != EXIT_OK)
		return ret;
	out_list(out, "holders");
	open_socket_walk_holders(family.number, kill_on_holder, out, &hidden);
	if (kill->style.json)
		return EXIT_OK;
	refs = open_socket_references();
	out_row(out);
	if (refs < 1)
		out_text(out, "nothing holds the module: rmmod works");
	else
		out_text(out,
			 "%ld references hold the module: sockets, and descriptors being closed%s",
			 refs, hidden ? "; some processes are not visible" : "");
	out_row_end(out);
	return EXIT_OK;
}

static int kill_print(const struct kill *kill, uint32_t killed)
{
	struct out *out = out_open_text(&kill->style);
	int ret = EXIT_OK, err;

	out_row(out);
	out_uint(out, "killed", "", killed);
	out_text(out, " %s", kill->dry ? "would be ended" : "ended");
	out_row_end(out);
	if (kill->all && !kill->dry)
		ret = kill_put_holders(kill, out);
	err = out_close(out);
	return ret == EXIT_OK ? err : ret;
}

/* End the objects, or count them. @by_id: the user gave ids. */
static int kill_run(struct kill *kill, bool by_id)
{
	uint32_t killed = 0;
	int ret = EXIT_OK;

	if (!by_id)
		ret = kill_select(kill, NULL, 0);
	else if (kill->dry)
		ret = kill_drop_ids(kill);

	if (ret == EXIT_OK && kill->dry)
		return kill_print(kill, kill->n);
	if (ret == EXIT_OK)
		ret = kill_send_ids(kill, &killed);
	if (ret == EXIT_OK)
		ret = kill_print(kill, killed);
	if (ret != EXIT_OK || !by_id || killed == kill->n)
		return ret;
	message_error("kill: %zu ids name nothing to end, or busy sockets: try again",
		      kill->n - killed);
	return EXIT_FAILED;
}

static int kill_main(const struct command *cmd, int argc, char **argv)
{
	struct kill kill = { .style.line = true };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1) {
		if (key == OPT_ALL)
			kill.all = true;
		else if (key == 'n')
			kill.dry = true;
		else if (!out_option(&kill.style, key))
			ret = filter_option(&kill.filter, "kill", key);
	}
	if (ret == EXIT_OK)
		ret = kill_parse_words(&kill, argc - optind, argv + optind);
	if (ret == EXIT_OK)
		ret = kill_check_words(&kill);
	if (ret == EXIT_OK)
		ret = kill_run(&kill, kill.n);
	free(kill.filter.addrs);
	free(kill.ids);
	return ret;
}

const struct command command_kill = {
	.name = "kill",
	.run = kill_main,
	.help = "end connections, and stop listeners",
	.synopsis = "ID... | [OPTION...] [ADDRESS...] | --all",
	.opts = kill_opts,
};
