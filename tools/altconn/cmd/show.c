// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn show" prints a row for each listener, each datagram socket and each
 * association, including attempts that wait.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/out.h"
#include "lib/record.h"
#include "lib/row.h"
#include "lib/rule.h"
#include "lib/sort.h"

enum { OPT_SORT = 780 };

const struct opt show_opts[] = {
	FILTER_OPTS,
	{ 'a', "all", NULL, NULL, "as without; taken for those used to ss" },
	{ 'e', "extended", NULL, NULL, "add ids, ages and counters" },
	{ 'H', "no-header", NULL, NULL, "print no header" },
	{ 'n', "numeric", NULL, NULL, "as always; taken for those used to ss" },
	{ OPT_SORT, "sort", "KEY", SORT_KEYS,
	  "order; the oldest, fullest and longest waiting are first" },
	{ 'r', "reverse", NULL, NULL, "turn the order round" },
	{ 'p', "processes", NULL, NULL, "as always; taken for the same" },
	OPT_JSON_ENTRY,
	OPT_COLOR_ENTRY,
	{ }
};

/**
 * struct show - options of the command
 * @filter: selects the rows
 * @style: style of the output
 * @sort: key of the order, one of SORT_KEYS, or NULL for the order of creation
 * @reverse: reverse the order
 * @extended: print ids, ages and counters
 */
struct show {
	struct filter filter;
	struct out_style style;
	const char *sort;
	bool reverse, extended;
};

static int print(const struct show *show, const struct found *found)
{
	struct out *out = row_open(&show->style, show->extended);
	size_t i;

	out_bool(out, "interrupted", NULL, found->interrupted);
	out_list(out, "sockets");
	for (i = 0; i < found->n_socks; i++) {
		if (!filter_sock(&show->filter, &found->socks[i]))
			continue;
		out_row(out);
		row_sock(out, &found->socks[i]);
		out_row_end(out);
	}
	out_list(out, "associations");
	for (i = 0; i < found->n_assocs; i++) {
		if (!filter_assoc(&show->filter, &found->assocs[i]))
			continue;
		out_row(out);
		row_assoc(out, &found->assocs[i]);
		out_row_end(out);
	}
	return out_close(out);
}

static int take_option(struct show *show, int key)
{
	switch (key) {
	case 'e':
		show->extended = true;
		return EXIT_OK;
	case 'r':
		show->reverse = true;
		return EXIT_OK;
	case OPT_SORT:
		show->sort = optarg;
		return EXIT_OK;
	default:
		return out_option(&show->style, key) ? EXIT_OK :
		       filter_option(&show->filter, "show", key);
	}
}

/**
 * show_main - run "altconn show"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int show_main(const struct command *cmd, int argc, char **argv)
{
	struct found found = { };
	struct show show = { };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = take_option(&show, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&show.filter, "show", argc - optind,
				       argv + optind);
	if (ret == EXIT_OK)
		ret = found_ask(&found, &show.filter);
	if (ret == EXIT_OK) {
		if (show.sort || show.reverse)
			sort_found(&found, show.sort ? : "id", show.reverse);
		ret = print(&show, &found);
	}
	/* ip(8) prints a warning in this case too. */
	if (ret == EXIT_OK && found.interrupted)
		complain("show: some ended while the list was read");
	free(show.filter.addrs);
	found_free(&found);
	return ret;
}
