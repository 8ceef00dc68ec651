/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each file of cmd/ defines one command of the tool. main.c has the list of the
 * commands.
 */
#ifndef ALTCONN_TOOL_COMMAND_H
#define ALTCONN_TOOL_COMMAND_H

struct opt;

#define TOOL_VERSION	"0.1"

/* Exit codes. "altconn run" also returns 126 and 127, as env(1) does. */
enum {
	EXIT_OK		= 0,	/* the command succeeded */
	EXIT_FAILED	= 1,	/* the module or the system refused */
	EXIT_USAGE	= 2,	/* the command line is wrong */
};

/**
 * struct command - a command of the tool
 * @name: name of the command
 * @run: runs the command and returns the exit code. @argv has @argc words, and
 *	the first one is the name of the command.
 * @help: description, one line
 * @synopsis: options and arguments, as the help shows them after the name
 * @opts: table of the options
 */
struct command {
	const char *name;
	int (*run)(const struct command *cmd, int argc, char **argv);
	const char *help;
	const char *synopsis;
	const struct opt *opts;
};

extern const struct command command_connect;
extern const struct command command_doctor;
extern const struct command command_graph;
extern const struct command command_help;
extern const struct command command_info;
extern const struct command command_kill;
extern const struct command command_listen;
extern const struct command command_monitor;
extern const struct command command_node;
extern const struct command command_ping;
extern const struct command command_rule;
extern const struct command command_run;
extern const struct command command_show;
extern const struct command command_stat;
extern const struct command command_top;
extern const struct command command_why;

/* All commands in the order of the help, with a NULL at the end. */
extern const struct command * const command_list[];

const struct command *command_find(const char *name);
void command_print_list(void);
void command_print_help(const struct command *cmd);

#endif /* ALTCONN_TOOL_COMMAND_H */
