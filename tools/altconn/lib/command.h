/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header has what all files of the tool share: the commands, their options
 * and the error messages.
 */
#ifndef ALTCONN_TOOL_H
#define ALTCONN_TOOL_H

#include <stdbool.h>
#include <stddef.h>

#define TOOL_VERSION	"0.1"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

/* Exit codes. "altconn run" also returns 126 and 127, as env(1) does. */
enum {
	EXIT_OK		= 0,	/* the command succeeded */
	EXIT_FAILED	= 1,	/* the module or the system refused */
	EXIT_USAGE	= 2,	/* the command line is wrong */
};

/**
 * struct opt - an option of a command
 * @key: the letter of the option, or a number above 255 for an option without a
 *	letter; opt_next() returns it
 * @name: long name
 * @arg: name of the argument in the help, or NULL if the option takes none
 * @values: the allowed arguments, separated by spaces, or NULL if any argument
 *	is allowed
 * @help: description, one line
 *
 * A table of options ends with a NULL @name. The parser, the help and the
 * completion all read the table.
 */
struct opt {
	int key;
	const char *name;
	const char *arg;
	const char *values;
	const char *help;
};

/* Keys of options without a letter. */
enum {
	OPT_COLOR = 256,
	OPT_COMMANDS,
	OPT_COMPLETE,
};

#define OPT_COLOR_ENTRY \
	{ OPT_COLOR, "color", "WHEN", "auto always never", "colour the output" }
#define OPT_JSON_ENTRY \
	{ 'j', "json", NULL, NULL, "print JSON" }

/**
 * struct command - a command of the tool
 * @name: name of the command
 * @run: runs the command and returns the exit code
 * @help: description, one line
 * @synopsis: options and arguments, as the help shows them behind the name
 * @opts: table of the options
 */
struct command {
	const char *name;
	int (*run)(const struct command *cmd, int argc, char **argv);
	const char *help;
	const char *synopsis;
	const struct opt *opts;
};

extern const struct command commands[];

extern const struct opt connect_opts[];
extern const struct opt doctor_opts[];
extern const struct opt graph_opts[];
extern const struct opt help_opts[];
extern const struct opt info_opts[];
extern const struct opt kill_opts[];
extern const struct opt listen_opts[];
extern const struct opt monitor_opts[];
extern const struct opt node_opts[];
extern const struct opt ping_opts[];
extern const struct opt rule_opts[];
extern const struct opt run_opts[];
extern const struct opt show_opts[];
extern const struct opt stat_opts[];
extern const struct opt top_opts[];
extern const struct opt why_opts[];

int connect_main(const struct command *cmd, int argc, char **argv);
int doctor_main(const struct command *cmd, int argc, char **argv);
int graph_main(const struct command *cmd, int argc, char **argv);
int help_main(const struct command *cmd, int argc, char **argv);
int info_main(const struct command *cmd, int argc, char **argv);
int kill_main(const struct command *cmd, int argc, char **argv);
int listen_main(const struct command *cmd, int argc, char **argv);
int monitor_main(const struct command *cmd, int argc, char **argv);
int node_main(const struct command *cmd, int argc, char **argv);
int ping_main(const struct command *cmd, int argc, char **argv);
int rule_main(const struct command *cmd, int argc, char **argv);
int run_main(const struct command *cmd, int argc, char **argv);
int show_main(const struct command *cmd, int argc, char **argv);
int stat_main(const struct command *cmd, int argc, char **argv);
int top_main(const struct command *cmd, int argc, char **argv);
int why_main(const struct command *cmd, int argc, char **argv);

const struct command *command_find(const char *name);
void help_overview(void);
void help_command(const struct command *cmd);

bool opt_word_in(const char *words, const char *word);
int opt_next(const struct command *cmd, int argc, char **argv);
int opt_no_arguments(const struct command *cmd, int argc, char **argv);
int opt_no_more(const char *cmd, const char *action, char **words, size_t most);

__printf(1, 2) void complain(const char *fmt, ...);
void *grow(void *old, size_t count, size_t size);

#endif /* ALTCONN_TOOL_H */
