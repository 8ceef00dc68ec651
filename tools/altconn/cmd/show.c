// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn show" prints a row for each listener, each datagram socket and each
 * association, including attempts that wait.
 */
#include <getopt.h>
#include <stdlib.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/found.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/row.h"
#include "lib/sort.h"

static const struct opt show_opts[] = {
	FILTER_OPTS,
	{ 'a', "all", NULL, NULL, "no effect; accepted for users of ss(8)" },
	{ 'e', "extended", NULL, NULL, "add ids, ages and counters" },
	OUT_OPT_NO_HEADER,
	{ 'n', "numeric", NULL, NULL, "no effect; accepted for users of ss(8)" },
	{ OPT_SORT, "sort", "KEY", SORT_KEYS,
	  "sort by this key; the largest age, wait or queue is first" },
	{ 'r', "reverse", NULL, NULL, "reverse the order" },
	{ 'p', "processes", NULL, NULL, "no effect; accepted for users of ss(8)" },
	OUT_OPT_JSON,
	OUT_OPT_COLOR,
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

static int show_print(const struct show *show, const struct found *found)
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

static int show_option(struct show *show, int key)
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

static int show_main(const struct command *cmd, int argc, char **argv)
{
	struct found found = { };
	struct show show = { };
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = show_option(&show, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&show.filter, "show", argc - optind,
				       argv + optind);
	if (ret == EXIT_OK)
		ret = found_get(&found, &show.filter);
	if (ret == EXIT_OK) {
		if (show.sort || show.reverse)
			sort_found(&found, show.sort ? : "age", show.reverse);
		ret = show_print(&show, &found);
	}
	/* ip(8) also warns in this case. */
	if (ret == EXIT_OK && found.interrupted)
		message_error("show: the list may be incomplete: it changed while it was read");
	free(show.filter.addrs);
	found_free(&found);
	return ret;
}

const struct command command_show = {
	.name = "show",
	.run = show_main,
	.help = "list connections, waiting attempts and listeners",
	.synopsis = "[OPTION...] [ADDRESS...]",
	.opts = show_opts,
};
