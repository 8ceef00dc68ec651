// SPDX-License-Identifier: GPL-2.0
/*
 * The tool altconn shows the altconn socket family and uses it. Each command
 * has a file in cmd/, and the files of lib/ have what commands share. This file
 * lists the commands and runs one of them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/command.h"
#include "lib/message.h"

const struct command * const command_list[] = {
	&command_show,
	&command_top,
	&command_graph,
	&command_monitor,
	&command_stat,
	&command_why,
	&command_doctor,
	&command_kill,
	&command_rule,
	&command_node,
	&command_connect,
	&command_listen,
	&command_ping,
	&command_info,
	&command_run,
	&command_help,
	NULL
};

static bool main_is_option(const char *word, const char *letter,
			   const char *name)
{
	return !strcmp(word, letter) || !strcmp(word, name);
}

int main(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		message_error("no command; 'altconn help' lists the commands");
		return EXIT_USAGE;
	}
	if (main_is_option(argv[1], "-V", "--version")) {
		printf("altconn %s\n", TOOL_VERSION);
		return EXIT_OK;
	}
	if (main_is_option(argv[1], "-h", "--help")) {
		command_print_list();
		return EXIT_OK;
	}
	cmd = command_find(argv[1]);
	if (!cmd)
		return EXIT_USAGE;
	return cmd->run(cmd, argc - 1, argv + 1);
}
