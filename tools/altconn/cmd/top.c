// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn top" shows rates and one of four lists, on the whole screen or with
 * --batch one sample after the other.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/sample.h"
#include "lib/sort.h"
#include "lib/top.h"

static const struct opt top_opts[] = {
	FILTER_OPTS,
	{ 'd', "delay", "SECONDS", NULL,
	  "time between two samples; 1 by default" },
	{ 'n', "count", "N", NULL, "end after this many samples" },
	{ 'b', "batch", NULL, NULL,
	  "print the samples one after the other, without a terminal" },
	{ 'j', "json", NULL, NULL,
	  "print a line of JSON for each sample, without a terminal" },
	{ OPT_SORT, "sort", "KEY", TOP_LISTENER_KEYS " " SORT_KEYS,
	  "sort by this key" },
	{ 'r', "reverse", NULL, NULL, "reverse the order" },
	OUT_OPT_COLOR,
	{ }
};

/* Print a sample. @first: it is the first one. */
static int top_print(struct top *top, bool first)
{
	struct out *out = out_open_text(&top->style);
	size_t i;

	if (top->style.json) {
		top_put(top, out);
		return out_close(out);
	}
	top_make_lines(top);
	/* An empty line separates the samples. */
	if (!first)
		out_row(out);
	for (i = 0; i < top->n_lines; i++) {
		out_row(out);
		out_coloured_text(out, top->lines[i].colour,
				  top->lines[i].text);
	}
	return out_close(out);
}

static int top_run_batch(struct top *top)
{
	unsigned long n;
	int ret = top_take(top);

	for (n = 0; ret == EXIT_OK && (!top->count || n < top->count); n++) {
		sample_sleep(top->delay);
		ret = top_take(top);
		if (ret == EXIT_OK)
			ret = top_print(top, !n);
	}
	return ret;
}

/*
 * Set the order of all lists that have the key, and choose the first of these
 * lists.
 */
static void top_set_sort(struct top *top, const char *key)
{
	int view, first = VIEWS;

	for (view = VIEWS - 1; view >= 0; view--) {
		if (!opt_word_in(top_views[view].keys, key))
			continue;
		snprintf(top->sort[view], TOP_KEY_MAX, "%s", key);
		first = view;
	}
	if (first < VIEWS)
		top->view = first;
}

static int top_option(struct top *top, int key)
{
	switch (key) {
	case 'd':
		return sample_parse_interval("top", optarg, &top->delay);
	case 'n':
		if (parse_count(optarg, &top->count))
			return EXIT_OK;
		message_error("top: '%s' is no count of samples", optarg);
		return EXIT_USAGE;
	case 'b':
		top->batch = true;
		return EXIT_OK;
	case 'j':
		top->style.json = true;
		top->batch = true;
		return EXIT_OK;
	case 'r':
		top->reverse = true;
		return EXIT_OK;
	case OPT_SORT:
		top_set_sort(top, optarg);
		return EXIT_OK;
	default:
		return out_option(&top->style, key) ? EXIT_OK :
		       filter_option(&top->filter, "top", key);
	}
}

/*
 * If the user selects one sort of rows, begin with the list of that sort. The
 * filter does not leave out a sort from the other lists.
 */
static void top_first_view(struct top *top)
{
	unsigned int want = top->filter.want;

	if (want == WANT_CONNECTED)
		top->view = VIEW_CONNECTIONS;
	else if (want == WANT_WAITING)
		top->view = VIEW_WAITING;
	else if (want == WANT_LISTENERS)
		top->view = VIEW_LISTENERS;
	top->filter.want = 0;
}

static int top_main(const struct command *cmd, int argc, char **argv)
{
	struct top top = {
		.delay = 1,
		.style.line = true,
		.sort = {
			[VIEW_LISTENERS] = "rate",
			[VIEW_CONNECTIONS] = "queue",
			[VIEW_WAITING] = "wait",
		},
	};
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = top_option(&top, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&top.filter, cmd->name, argc - optind,
				       argv + optind);
	if (ret == EXIT_OK) {
		top_first_view(&top);
		ret = top.batch ? top_run_batch(&top) : top_run_screen(&top);
	}
	top_free(&top);
	free(top.filter.addrs);
	return ret;
}

const struct command command_top = {
	.name = "top",
	.run = top_main,
	.help = "show listeners, connections and outcomes on the whole screen",
	.synopsis = "[OPTION...] [ADDRESS...]",
	.opts = top_opts,
};
