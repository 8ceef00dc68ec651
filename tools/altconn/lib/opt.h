/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A command has a table of options. The parser, the help and the completion of
 * the shell read the table.
 */
#ifndef ALTCONN_TOOL_OPT_H
#define ALTCONN_TOOL_OPT_H

#include <stdbool.h>
#include <stddef.h>

struct command;

/* Keys of all options without a letter. */
enum opt_key {
	OPT_ALL = 256,
	OPT_COLOR,
	OPT_COMMANDS,
	OPT_COMPLETE,
	OPT_COUNT,
	OPT_ID,
	OPT_OLDER,
	OPT_PID,
	OPT_QUEUE,
	OPT_REACHABLE,
	OPT_REPLACE,
	OPT_SORT,
	OPT_SOURCE,
	OPT_STATE,
	OPT_SVG,
	OPT_TIMEOUT,
	OPT_UID,
	OPT_WAIT,
};

/**
 * struct opt - an option of a command
 * @key: the letter of the option, or enum opt_key for an option without a
 *	letter; opt_next() returns it
 * @name: long name
 * @arg: name of the argument in the help, or NULL if the option takes none
 * @values: the allowed arguments, separated by spaces, or NULL if any argument
 *	is allowed
 * @help: description, one line
 *
 * A table of options ends with a NULL @name.
 */
struct opt {
	int key;
	const char *name;
	const char *arg;
	const char *values;
	const char *help;
};

int opt_next(const struct command *cmd, int argc, char **argv);
int opt_no_arguments(const struct command *cmd, int argc, char **argv);
int opt_no_more(const char *cmd, const char *action, char **words, size_t most);
bool opt_word_in(const char *words, const char *word);

#endif /* ALTCONN_TOOL_OPT_H */
