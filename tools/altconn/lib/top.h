/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "altconn top" shows rates and one of four lists. The output is made as lines
 * of text first. A terminal shows as many lines as it has space for, and
 * --batch prints all lines.
 */
#ifndef ALTCONN_TOOL_TOP_H
#define ALTCONN_TOOL_TOP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/filter.h"
#include "lib/found.h"
#include "lib/out.h"
#include "lib/sample.h"

/* Keys that only listeners are sorted by. */
#define TOP_LISTENER_KEYS	"rate failed overflow"

/* Longest name of a key, with the NUL byte. */
#define TOP_KEY_MAX	24

/* Number of lines that are always shown above the list. */
#define TOP_HEAD	4

enum top_view {
	VIEW_LISTENERS,
	VIEW_CONNECTIONS,
	VIEW_WAITING,
	VIEW_REASONS,
	VIEWS
};

/**
 * struct top_view_info - properties of a list
 * @name: name of the list on a terminal
 * @list: name of the list in JSON
 * @keys: keys that sort the list
 * @header: header above the lines
 */
struct top_view_info {
	const char *name;
	const char *list;
	const char *keys;
	const char *header;
};

extern const struct top_view_info top_views[VIEWS];

/**
 * struct top_snapshot - a sample of the counters, with the objects that the
 * lists show
 * @sample: counters and totals
 * @found: associations and sockets
 */
struct top_snapshot {
	struct sample sample;
	struct found found;
};

/**
 * struct top_line - a line of the screen
 * @text: text without control characters
 * @colour: colour of the whole line
 * @header: the line is the header of the list
 */
struct top_line {
	char *text;
	enum out_colour colour;
	bool header;
};

/**
 * struct top - options and state
 * @filter: selects the rows
 * @delay: time between two samples, seconds
 * @count: number of samples to print; 0 is no limit
 * @batch: print to standard output, without a terminal
 * @style: style of the output
 * @view: list that is shown
 * @sort: key of the order of each list, or empty if the list is not sorted
 * @reverse: reverse the order
 * @paused: take no new samples
 * @help: show the help instead of the list
 * @first: index of the first row that is shown
 * @then: the sample before @now
 * @now: the newest sample
 * @rates: rates between @then and @now
 * @lines: lines of the output
 * @n_lines: number of lines
 */
struct top {
	struct filter filter;
	double delay;
	unsigned long count;
	bool batch;
	struct out_style style;
	enum top_view view;
	char sort[VIEWS][TOP_KEY_MAX];
	bool reverse, paused, help;
	size_t first;
	struct top_snapshot then, now;
	struct interval rates;
	struct top_line *lines;
	size_t n_lines;
};

int top_take(struct top *top);
void top_free(struct top *top);
void top_make_lines(struct top *top);
void top_put(struct top *top, struct out *out);
int top_run_screen(struct top *top);

#endif /* ALTCONN_TOOL_TOP_H */
