// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn run" starts a program with a preloaded library that replaces the
 * program's sockets by sockets of this family. The library is in tools/run.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/command.h"
#include "lib/program.h"
#include "lib/record.h"
#include "libdir.h"

#define LIBRARY "libaltconn-run.so"

/**
 * struct run - options for the library
 * @inet: replace TCP and UDP sockets too
 * @replace: bind() replaces stale socket files
 * @verbose: print a line to stderr when a socket falls back to AF_UNIX or IP
 */
struct run {
	bool inet;
	bool replace;
	bool verbose;
};

const struct opt run_opts[] = {
	{ 'i', "inet", NULL, NULL, "turn sockets of TCP and UDP too" },
	{ 'r', "replace", NULL, NULL,
	  "take the place of socket files that no socket has any more" },
	{ 'v', "verbose", NULL, NULL,
	  "say on stderr when a connection falls back to AF_UNIX or IP" },
	{ }
};

/*
 * Return the path of the library in the build tree, where its directory ../run
 * is beside the directory of the tool. Return NULL if the library is not there.
 */
static char *library_in_tree(void)
{
	char self[PATH_MAX], path[PATH_MAX + sizeof("/../run/" LIBRARY)];
	ssize_t len;
	char *slash;

	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len <= 0)
		return NULL;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	snprintf(path, sizeof(path), "%s/../run/" LIBRARY, self);
	return realpath(path, NULL);
}

static char *find_library(void)
{
	char *path = library_in_tree();

	if (!path)
		path = realpath(LIBDIR "/altconn/" LIBRARY, NULL);
	if (!path) {
		complain("run: " LIBRARY " is neither in the build tree nor in " LIBDIR "/altconn");
		return NULL;
	}
	if (path[strcspn(path, ": ")]) {
		complain("run: the linker takes no space or colon in '%s'",
			 path);
		free(path);
		return NULL;
	}
	return path;
}

static int set_env(const char *name, const char *value)
{
	if (setenv(name, value, 1) == 0)
		return EXIT_OK;
	complain("run: cannot set %s: %s", name, strerror(errno));
	return EXIT_FAILED;
}

static int set_preload(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	char *value;
	int ret;

	if (!old || !*old)
		return set_env("LD_PRELOAD", library);
	value = grow(NULL, strlen(old) + strlen(library) + 2, 1);
	sprintf(value, "%s:%s", old, library);
	ret = set_env("LD_PRELOAD", value);
	free(value);
	return ret;
}

static int set_environment(uint32_t family, const struct run *run)
{
	char *library = find_library();
	char number[16];
	int ret;

	if (!library)
		return EXIT_FAILED;
	snprintf(number, sizeof(number), "%u", family);
	ret = set_preload(library);
	if (ret == EXIT_OK)
		ret = set_env("ALTCONN_RUN_FAMILY", number);
	if (ret == EXIT_OK && run->verbose)
		ret = set_env("ALTCONN_RUN_VERBOSE", "1");
	if (ret == EXIT_OK && run->inet)
		ret = set_env("ALTCONN_RUN_INET", "1");
	if (ret == EXIT_OK && run->replace)
		ret = set_env("ALTCONN_RUN_REPLACE", "1");
	free(library);
	return ret;
}

static int start(const char *path, char **argv, const struct run *run)
{
	const char *why = program_not_preloadable(path);
	struct family family;
	int ret;

	if (why) {
		complain("run: '%s' cannot be run over altconn: %s", argv[0],
			 why);
		return EXIT_FAILED;
	}
	ret = family_ask(&family);
	if (ret == EXIT_OK)
		ret = set_environment(family.number, run);
	if (ret != EXIT_OK)
		return ret;
	fflush(NULL);
	execv(path, argv);
	complain("run: cannot run '%s': %s", argv[0], strerror(errno));
	return EXIT_NOT_EXECUTABLE;
}

/**
 * run_main - run "altconn run"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code, after an error message. On success the function does
 * not return, since the program replaces the tool.
 */
int run_main(const struct command *cmd, int argc, char **argv)
{
	struct run run = { };
	char *path;
	int key, ret;

	while ((key = opt_next(cmd, argc, argv)) != -1)
		if (key == 'v')
			run.verbose = true;
		else if (key == 'i')
			run.inet = true;
		else if (key == 'r')
			run.replace = true;
	if (optind == argc) {
		complain("run: no program; try 'altconn run -- PROGRAM'");
		return EXIT_USAGE;
	}
	ret = program_find(argv[optind], &path);
	if (ret == EXIT_OK)
		ret = start(path, argv + optind, &run);
	free(path);
	return ret;
}
