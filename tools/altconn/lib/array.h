/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arrays grow as members are added. If there is no memory, the tool exits with
 * an error message.
 */
#ifndef ALTCONN_TOOL_ARRAY_H
#define ALTCONN_TOOL_ARRAY_H

#include <stddef.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

void *array_grow(void *old, size_t count, size_t size);
void *array_add(void *old, size_t count, size_t size);
char *array_of_text(const char *text);

#endif /* ALTCONN_TOOL_ARRAY_H */
