// SPDX-License-Identifier: GPL-2.0
/*
 * This file finds a command by its name, and prints the help of a command from
 * its table of options.
 */
#include <stdio.h>
#include <string.h>

#include "lib/command.h"
#include "lib/message.h"
#include "lib/opt.h"

/**
 * command_find - find a command by its name
 * @name: the name as the user typed it
 *
 * Return: the command, or NULL after an error message.
 */
const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; command_list[i]; i++)
		if (!strcmp(command_list[i]->name, name))
			return command_list[i];
	message_error("unknown %s '%s'; 'altconn help' lists the commands",
		      name[0] == '-' ? "option" : "command", name);
	return NULL;
}

/**
 * command_print_list - print all commands with their descriptions
 */
void command_print_list(void)
{
	size_t i;

	puts("usage: altconn COMMAND [OPTION...] [ARGUMENT...]\n");
	for (i = 0; command_list[i]; i++)
		printf("  %-8s %s\n", command_list[i]->name,
		       command_list[i]->help);
	puts("\n'altconn COMMAND --help' and altconn(8) have the details.");
}

static void command_print_opt(const struct opt *o)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? "=" : "",
		 o->arg ? o->arg : "");
	if (o->key <= 255)
		printf("  -%c, %-18s %s", o->key, left, o->help);
	else
		printf("      %-18s %s", left, o->help);
	if (o->values)
		printf(": %s", o->values);
	putchar('\n');
}

/**
 * command_print_help - print how a command is used
 * @cmd: the command
 */
void command_print_help(const struct command *cmd)
{
	const struct opt *o;

	printf("usage: altconn %s %s\n\n%s\n\n", cmd->name, cmd->synopsis,
	       cmd->help);
	for (o = cmd->opts; o->name; o++)
		command_print_opt(o);
	printf("  -h, %-18s %s\n", "--help", "print this help");
}
