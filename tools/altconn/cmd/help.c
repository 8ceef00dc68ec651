// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn help" prints the commands, or the help of one command. Completion of
 * the shell uses its options.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/command.h"
#include "lib/opt.h"

static const struct opt help_opts[] = {
	{ OPT_COMMANDS, "commands", NULL, NULL,
	  "print the names of the commands, one a line" },
	{ OPT_COMPLETE, "complete", "COMMAND", NULL,
	  "print the options of a command; with an option, its values" },
	{ }
};

static void help_print_commands(void)
{
	size_t i;

	for (i = 0; command_list[i]; i++)
		puts(command_list[i]->name);
}

static void help_print_words(const char *words)
{
	for (; *words; words++)
		putchar(*words == ' ' ? '\n' : *words);
	putchar('\n');
}

static bool help_is_opt(const struct opt *o, const char *word)
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
static int help_print_options(const char *name, const char *option)
{
	const struct command *cmd = command_find(name);
	const struct opt *o;

	if (!cmd)
		return EXIT_USAGE;
	for (o = cmd->opts; o->name; o++) {
		if (!option)
			printf("--%s%s\n", o->name, o->arg ? "=" : "");
		else if (help_is_opt(o, option) && o->values)
			help_print_words(o->values);
	}
	if (!option)
		puts("--help");
	return EXIT_OK;
}

static int help_main(const struct command *cmd, int argc, char **argv)
{
	const char *complete = NULL;
	int key;

	while ((key = opt_next(cmd, argc, argv)) != -1) {
		if (key == OPT_COMPLETE) {
			complete = optarg;
			continue;
		}
		help_print_commands();
		return EXIT_OK;
	}
	if (complete)
		return help_print_options(complete, argv[optind]);
	if (optind == argc) {
		command_print_list();
		return EXIT_OK;
	}
	cmd = command_find(argv[optind]);
	if (!cmd)
		return EXIT_USAGE;
	command_print_help(cmd);
	return EXIT_OK;
}

const struct command command_help = {
	.name = "help",
	.run = help_main,
	.help = "print how a command is used",
	.synopsis = "[COMMAND]",
	.opts = help_opts,
};
