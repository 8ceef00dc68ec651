// SPDX-License-Identifier: GPL-2.0
/*
 * Options: getopt_long() driven by a command's own table, with complaints
 * that name what would do.
 */
#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "altconn.h"

/* More than any command has. */
#define OPTS_MAX 32

struct getopt_tables {
	struct option longs[OPTS_MAX + 2];
	char letters[2 * OPTS_MAX + 4];
};

static void tables_fill(struct getopt_tables *t, const struct opt *opts)
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
 * opt_word_in - is it one of them?
 * @words: separated by spaces
 * @word: a word
 *
 * Return: true when it is.
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
	complain("%s: '%s' is no %s; it is one of: %s", cmd->name, optarg,
		 o->arg, o->values);
	exit(EXIT_USAGE);
}

static void opt_refuse(const struct command *cmd, int key, char **argv)
{
	const char *word = argv[optind - 1];
	const struct opt *o = opt_find(cmd->opts, optopt);

	if (key == ':')
		complain("%s: option '--%s' wants %s", cmd->name,
			 o ? o->name : "", o ? o->arg : "an argument");
	else if (o || (optopt == 'h' && !strncmp(word, "--", 2)))
		complain("%s: option '%s' takes no argument", cmd->name, word);
	else if (optopt)
		complain("%s: unknown option '-%c'; try 'altconn %s --help'",
			 cmd->name, optopt, cmd->name);
	else
		complain("%s: unknown option '%s'; try 'altconn %s --help'",
			 cmd->name, word, cmd->name);
	exit(EXIT_USAGE);
}

/**
 * opt_next - the next option of a command line
 * @cmd: whose
 * @argc: how many words, the command's name being the first
 * @argv: the words
 *
 * --help is answered here, and what is wrong is refused here; both exit.
 *
 * Return: the option's key with its argument in optarg, or -1 when optind is
 * the first word that is no option.
 */
int opt_next(const struct command *cmd, int argc, char **argv)
{
	struct getopt_tables t = { };
	int key;

	opterr = 0;
	tables_fill(&t, cmd->opts);
	key = getopt_long(argc, argv, t.letters, t.longs, NULL);
	if (key == 'h') {
		help_command(cmd);
		exit(EXIT_OK);
	}
	if (key == '?' || key == ':')
		opt_refuse(cmd, key, argv);
	if (key != -1)
		opt_check_value(cmd, opt_find(cmd->opts, key));
	return key;
}

/**
 * opt_no_arguments - refuse what follows the options
 * @cmd: whose command line
 * @argc: how many words
 * @argv: the words
 *
 * Return: EXIT_OK, or EXIT_USAGE after a complaint.
 */
int opt_no_arguments(const struct command *cmd, int argc, char **argv)
{
	if (optind >= argc)
		return EXIT_OK;
	complain("%s: unknown argument '%s'; it takes options only, see 'altconn %s --help'",
		 cmd->name, argv[optind], cmd->name);
	return EXIT_USAGE;
}

/**
 * opt_no_more - refuse what follows the words of an action
 * @cmd: name of the command
 * @action: what it is to do
 * @words: what follows, ended by NULL
 * @most: how many there may be
 *
 * Return: EXIT_OK, or EXIT_USAGE after a complaint.
 */
int opt_no_more(const char *cmd, const char *action, char **words, size_t most)
{
	size_t i;

	for (i = 0; i < most && words[i]; i++)
		;
	if (!words[i])
		return EXIT_OK;
	complain("%s %s: unknown argument '%s'", cmd, action, words[i]);
	return EXIT_USAGE;
}
