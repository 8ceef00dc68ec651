// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn help" reads all texts from the table of commands.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/command.h"

const struct opt help_opts[] = {
	{ OPT_COMMANDS, "commands", NULL, NULL,
	  "print the commands' names, one a line" },
	{ OPT_COMPLETE, "complete", "COMMAND", NULL,
	  "print the command's options; with an option, its values" },
	{ }
};

/**
 * help_overview - print the list of commands
 */
void help_overview(void)
{
	const struct command *cmd;

	puts("usage: altconn COMMAND [OPTION...] [ARGUMENT...]\n");
	for (cmd = commands; cmd->name; cmd++)
		printf("  %-8s %s\n", cmd->name, cmd->help);
	puts("\n'altconn COMMAND --help' tells more, as does altconn(8).");
}

static void help_option(const struct opt *o)
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
 * help_command - print how a command is used
 * @cmd: the command
 */
void help_command(const struct command *cmd)
{
	const struct opt *o;

	printf("usage: altconn %s %s\n\n%s\n\n", cmd->name, cmd->synopsis,
	       cmd->help);
	for (o = cmd->opts; o->name; o++)
		help_option(o);
	printf("  -h, %-18s %s\n", "--help", "print this");
}

static void list_commands(void)
{
	const struct command *cmd;

	for (cmd = commands; cmd->name; cmd++)
		puts(cmd->name);
}

static void print_words(const char *words)
{
	for (; *words; words++)
		putchar(*words == ' ' ? '\n' : *words);
	putchar('\n');
}

static int is_opt(const struct opt *o, const char *word)
{
	if (!strncmp(word, "--", 2))
		return !strcmp(o->name, word + 2);
	return word[0] == '-' && word[1] == o->key && !word[2];
}

/*
 * Print the options of a command for the shell completion. An option that takes
 * an argument ends with "=". If @option is not NULL, print the values of this
 * option instead.
 */
static int list_options(const char *name, const char *option)
{
	const struct command *cmd = command_find(name);
	const struct opt *o;

	if (!cmd)
		return EXIT_USAGE;
	for (o = cmd->opts; o->name; o++) {
		if (!option)
			printf("--%s%s\n", o->name, o->arg ? "=" : "");
		else if (is_opt(o, option) && o->values)
			print_words(o->values);
	}
	if (!option)
		puts("--help");
	return EXIT_OK;
}

/**
 * help_main - run "altconn help"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int help_main(const struct command *cmd, int argc, char **argv)
{
	const char *complete = NULL;
	int key;

	while ((key = opt_next(cmd, argc, argv)) != -1) {
		if (key == OPT_COMPLETE) {
			complete = optarg;
			continue;
		}
		list_commands();
		return EXIT_OK;
	}
	if (complete)
		return list_options(complete, argv[optind]);
	if (optind == argc) {
		help_overview();
		return EXIT_OK;
	}
	cmd = command_find(argv[optind]);
	if (!cmd)
		return EXIT_USAGE;
	help_command(cmd);
	return EXIT_OK;
}
