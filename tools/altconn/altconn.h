/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every file of the tool shares: commands, their options, complaints.
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

/* Exit codes; run also gives 126 and 127, as env(1) does. */
enum {
	EXIT_OK		= 0,	/* it did what was asked */
	EXIT_FAILED	= 1,	/* it could not: module, permission, system */
	EXIT_USAGE	= 2,	/* it was asked wrongly */
};

/**
 * struct opt - an option of a command
 * @key: its letter, and what opt_next() returns
 * @name: its long name
 * @arg: what its argument is called in the help; NULL: it takes none
 * @values: the words that the argument may be, separated by spaces; NULL: any
 * @help: one line
 *
 * A table of these ends with a zero @name. The parser, the help and the
 * completion all read it.
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
 * @name: what it is called
 * @run: does it; returns the exit code
 * @help: one line
 * @synopsis: what follows the name
 * @opts: its options
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
