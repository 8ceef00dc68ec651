// SPDX-License-Identifier: GPL-2.0
/*
 * This file finds the program that "altconn run" is to run, and checks whether
 * LD_PRELOAD has an effect on the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/elf.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/program.h"

/*
 * The interpreter of a script may itself be a script. This is the number of
 * nested scripts that the kernel follows.
 */
#define SCRIPT_DEPTH	5

static int program_check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == EACCES ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return EXIT_NOT_EXECUTABLE;
	return EXIT_OK;
}

static int program_search(const char *name, char **path)
{
	const char *dir = getenv("PATH");
	int found, ret = EXIT_NOT_FOUND;
	size_t len;

	if (!dir)
		dir = "/usr/local/bin:/usr/bin:/bin";
	for (;; dir += len + 1) {
		len = strcspn(dir, ":");
		*path = array_grow(NULL, len + strlen(name) + 3, 1);
		sprintf(*path, "%.*s/%s", len ? (int)len : 1, len ? dir : ".",
			name);
		found = program_check_file(*path);
		if (found == EXIT_OK)
			return EXIT_OK;
		if (found == EXIT_NOT_EXECUTABLE)
			ret = found;
		free(*path);
		*path = NULL;
		if (!dir[len])
			return ret;
	}
}

/**
 * program_find - find a program as execvp() does
 * @name: name of the program as the user typed it
 * @path: gets the path of the program, which the caller frees with free(); NULL
 *	on failure
 *
 * Return: EXIT_OK, or EXIT_NOT_FOUND or EXIT_NOT_EXECUTABLE after an error
 * message.
 */
int program_find(const char *name, char **path)
{
	int ret;

	*path = NULL;
	if (strchr(name, '/')) {
		ret = program_check_file(name);
		if (ret == EXIT_OK)
			*path = array_of_text(name);
	} else {
		ret = *name ? program_search(name, path) : EXIT_NOT_FOUND;
	}
	if (ret == EXIT_NOT_FOUND)
		message_error("run: program '%s' is not found", name);
	else if (ret == EXIT_NOT_EXECUTABLE)
		message_error("run: '%s' is not executable", name);
	return ret;
}

/*
 * Check whether a program gains privileges by exec. The dynamic linker ignores
 * LD_PRELOAD in such a program.
 */
static bool program_gains_privileges(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		return true;
	if ((st.st_mode & S_ISGID) && (st.st_mode & 0010) &&
	    st.st_gid != getgid())
		return true;
	return getuid() && getxattr(path, "security.capability", NULL, 0) > 0;
}

static bool program_has_interpreter(int fd, const struct elf64_hdr *eh)
{
	struct elf64_phdr ph;
	int i;

	for (i = 0; i < eh->e_phnum; i++) {
		if (pread(fd, &ph, sizeof(ph),
			  eh->e_phoff + (off_t)i * eh->e_phentsize) !=
		    sizeof(ph))
			break;
		if (ph.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static const char *program_check_elf(int fd, const struct elf64_hdr *eh)
{
	if (eh->e_ident[EI_CLASS] != ELFCLASS64)
		return "it is not a 64-bit program";
	if (!program_has_interpreter(fd, eh))
		return "it is statically linked, and preloading has no effect on it";
	return NULL;
}

/*
 * Copy the interpreter of a script to @path. Return false if the script has no
 * interpreter, or one that does not fit.
 */
static bool program_script_interpreter(const char *head, char *path,
				       size_t size)
{
	const char *p = head + 2;
	size_t len;

	while (*p == ' ' || *p == '\t')
		p++;
	len = strcspn(p, " \t\n");
	if (!len || len >= size)
		return false;
	snprintf(path, size, "%.*s", (int)len, p);
	return true;
}

static ssize_t program_read_head(int fd, void *head, size_t size)
{
	memset(head, 0, size);
	return pread(fd, head, size - 1, 0);
}

static const char *program_check_contents(const char *path, int depth)
{
	union {
		struct elf64_hdr eh;
		char text[256];
	} head;
	const char *why = NULL;
	char interpreter[256];
	int fd;

	/*
	 * A user may be allowed to run a program but not to read it. Assume
	 * that LD_PRELOAD works then.
	 */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (program_read_head(fd, &head, sizeof(head)) < 0)
		why = NULL;
	else if (!memcmp(head.eh.e_ident, ELFMAG, SELFMAG))
		why = program_check_elf(fd, &head.eh);
	else if (!strncmp(head.text, "#!", 2) && depth &&
		 program_script_interpreter(head.text, interpreter,
					    sizeof(interpreter)))
		why = program_check_contents(interpreter, depth - 1);
	close(fd);
	return why;
}

/**
 * program_not_preloadable - check whether LD_PRELOAD has no effect on a program
 * @path: path of the program; for a script, its interpreter is checked
 *
 * Return: the reason why LD_PRELOAD has no effect, or NULL if no reason is
 * found.
 */
const char *program_not_preloadable(const char *path)
{
	if (program_gains_privileges(path))
		return "the dynamic linker ignores LD_PRELOAD in a program that gains privileges";
	return program_check_contents(path, SCRIPT_DEPTH);
}
