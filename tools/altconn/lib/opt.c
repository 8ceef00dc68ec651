// SPDX-License-Identifier: GPL-2.0
/*
 * This file calls getopt_long() with the options of a table. The error
 * messages name the values that are allowed.
 */
#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/command.h"
#include "lib/message.h"
#include "lib/opt.h"

/* Largest number of options of a command; an assertion checks the limit. */
#define OPTS_MAX 32

struct getopt_tables {
	struct option longs[OPTS_MAX + 2];
	char letters[2 * OPTS_MAX + 4];
};

static void opt_fill_tables(struct getopt_tables *t, const struct opt *opts)
{
	struct option *l = t->longs;
	char *c = t->letters;

	*c++ = '+';
	*c++ = ':';
	*c++ = 'h';
	for (; opts->name; opts++, l++) {
		assert(l < t->longs + OPTS_MAX);
		l->name = opts->name;
		l->has_arg = opts->arg ? required_argument : no_argument;
		l->val = opts->key;
		if (opts->key > 255)
			continue;
		*c++ = opts->key;
		if (opts->arg)
			*c++ = ':';
	}
	l->name = "help";
	l->val = 'h';
}

static const struct opt *opt_find(const struct opt *opts, int key)
{
	for (; opts->name; opts++)
		if (opts->key == key)
			return opts;
	return NULL;
}

/**
 * opt_word_in - check whether a list of words has a word
 * @words: the list, separated by single spaces
 * @word: the word
 *
 * Return: true if the list has the word, else false.
 */
bool opt_word_in(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *end;

	for (; *words; words = *end ? end + 1 : end) {
		end = strchrnul(words, ' ');
		if ((size_t)(end - words) == len && !memcmp(words, word, len))
			return true;
	}
	return false;
}

static void opt_check_value(const struct command *cmd, const struct opt *o)
{
	if (!o || !o->values || opt_word_in(o->values, optarg))
		return;
	message_error("%s: '%s' is no %s; it is one of: %s", cmd->name, optarg,
		      o->arg, o->values);
	exit(EXIT_USAGE);
}

static void opt_refuse(const struct command *cmd, int key, char **argv)
{
	const char *word = argv[optind - 1];
	const struct opt *o = opt_find(cmd->opts, optopt);

	if (key == ':')
		message_error("%s: option '--%s' needs %s", cmd->name,
			      o ? o->name : "", o ? o->arg : "an argument");
	else if (o || (optopt == 'h' && !strncmp(word, "--", 2)))
		message_error("%s: option '%s' takes no argument", cmd->name, word);
	else if (optopt)
		message_error("%s: unknown option '-%c'; try 'altconn %s --help'",
			      cmd->name, optopt, cmd->name);
	else
		message_error("%s: unknown option '%s'; try 'altconn %s --help'",
			      cmd->name, word, cmd->name);
	exit(EXIT_USAGE);
}

/**
 * opt_next - get the next option of a command line
 * @cmd: the command
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * For --help, print the help and exit. For a wrong option or value, print an
 * error message and exit.
 *
 * Return: the key of the option, with its argument in optarg; -1 after the last
 * option, when optind is the index of the first other word.
 */
int opt_next(const struct command *cmd, int argc, char **argv)
{
	struct getopt_tables t = { };
	int key;

	opterr = 0;
	opt_fill_tables(&t, cmd->opts);
	key = getopt_long(argc, argv, t.letters, t.longs, NULL);
	if (key == 'h') {
		command_print_help(cmd);
		exit(EXIT_OK);
	}
	if (key == '?' || key == ':')
		opt_refuse(cmd, key, argv);
	if (key != -1)
		opt_check_value(cmd, opt_find(cmd->opts, key));
	return key;
}

/**
 * opt_no_arguments - refuse arguments after the options
 * @cmd: the command
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int opt_no_arguments(const struct command *cmd, int argc, char **argv)
{
	if (optind >= argc)
		return EXIT_OK;
	message_error("%s: unknown argument '%s'; only options are allowed: 'altconn %s --help'",
		      cmd->name, argv[optind], cmd->name);
	return EXIT_USAGE;
}

/**
 * opt_no_more - refuse too many words after an action
 * @cmd: name of the command
 * @action: name of the action, for the error message
 * @words: the words that follow the action, with a NULL at the end
 * @most: number of words that are allowed
 *
 * Return: EXIT_OK, or EXIT_USAGE after an error message.
 */
int opt_no_more(const char *cmd, const char *action, char **words, size_t most)
{
	size_t i;

	for (i = 0; i < most && words[i]; i++)
		;
	if (!words[i])
		return EXIT_OK;
	message_error("%s %s: unknown argument '%s'", cmd, action, words[i]);
	return EXIT_USAGE;
}
