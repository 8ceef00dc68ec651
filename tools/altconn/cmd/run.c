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

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/opt.h"
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

static const struct opt run_opts[] = {
	{ 'i', "inet", NULL, NULL, "replace TCP and UDP sockets too" },
	{ 'r', "replace", NULL, NULL,
	  "let bind() replace socket files that no socket has any more" },
	{ 'v', "verbose", NULL, NULL,
	  "print a line to stderr if a socket falls back to AF_UNIX or IP" },
	{ }
};

/*
 * Return the path of the library in the build tree, where its directory ../run
 * is beside the directory of the tool. Return NULL if the library is not there.
 */
static char *run_library_in_tree(void)
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

static char *run_find_library(void)
{
	char *path = run_library_in_tree();

	if (!path)
		path = realpath(LIBDIR "/altconn/" LIBRARY, NULL);
	if (!path) {
		message_error("run: %s is neither in the build tree nor in %s",
			      LIBRARY, LIBDIR "/altconn");
		return NULL;
	}
	if (path[strcspn(path, ": ")]) {
		message_error("run: the dynamic linker accepts no space or colon in '%s'",
			      path);
		free(path);
		return NULL;
	}
	return path;
}

static int run_set_env(const char *name, const char *value)
{
	if (setenv(name, value, 1) == 0)
		return EXIT_OK;
	message_error("run: cannot set %s: %s", name, strerror(errno));
	return EXIT_FAILED;
}

static int run_set_preload(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	char *value;
	int ret;

	if (!old || !*old)
		return run_set_env("LD_PRELOAD", library);
	value = array_grow(NULL, strlen(old) + strlen(library) + 2, 1);
	sprintf(value, "%s:%s", old, library);
	ret = run_set_env("LD_PRELOAD", value);
	free(value);
	return ret;
}

static int run_set_environment(uint32_t family, const struct run *run)
{
	char *library = run_find_library();
	char number[16];
	int ret;

	if (!library)
		return EXIT_FAILED;
	snprintf(number, sizeof(number), "%u", family);
	ret = run_set_preload(library);
	if (ret == EXIT_OK)
		ret = run_set_env("ALTCONN_RUN_FAMILY", number);
	if (ret == EXIT_OK && run->verbose)
		ret = run_set_env("ALTCONN_RUN_VERBOSE", "1");
	if (ret == EXIT_OK && run->inet)
		ret = run_set_env("ALTCONN_RUN_INET", "1");
	if (ret == EXIT_OK && run->replace)
		ret = run_set_env("ALTCONN_RUN_REPLACE", "1");
	free(library);
	return ret;
}

/* Run the program in the place of the tool. Return only after an error. */
static int run_exec(const char *path, char **argv, const struct run *run)
{
	const char *why = program_not_preloadable(path);
	struct family family;
	int ret;

	if (why) {
		message_error("run: '%s' cannot be run over altconn: %s", argv[0],
			      why);
		return EXIT_FAILED;
	}
	ret = record_get_family(&family);
	if (ret == EXIT_OK)
		ret = run_set_environment(family.number, run);
	if (ret != EXIT_OK)
		return ret;
	fflush(NULL);
	execv(path, argv);
	message_error("run: cannot run '%s': %s", argv[0], strerror(errno));
	return EXIT_NOT_EXECUTABLE;
}

/* On success the function does not return: the program replaces the tool. */
static int run_main(const struct command *cmd, int argc, char **argv)
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
		message_error("run: no program is given; try 'altconn run -- PROGRAM'");
		return EXIT_USAGE;
	}
	ret = program_find(argv[optind], &path);
	if (ret == EXIT_OK)
		ret = run_exec(path, argv + optind, &run);
	free(path);
	return ret;
}

const struct command command_run = {
	.name = "run",
	.run = run_main,
	.help = "run an unmodified AF_UNIX program over altconn",
	.synopsis = "[OPTION...] [--] PROGRAM [ARGUMENT...]",
	.opts = run_opts,
};
