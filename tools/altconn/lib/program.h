/* SPDX-License-Identifier: GPL-2.0 */
/*
 * "altconn run" finds a program and checks it before it runs the program.
 */
#ifndef ALTCONN_TOOL_PROGRAM_H
#define ALTCONN_TOOL_PROGRAM_H

enum {
	EXIT_NOT_EXECUTABLE	= 126,
	EXIT_NOT_FOUND		= 127,
};

int program_find(const char *name, char **path);
const char *program_not_preloadable(const char *path);

#endif /* ALTCONN_TOOL_PROGRAM_H */
