/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All commands that list associations and sockets sort them in the same way.
 */
#ifndef ALTCONN_TOOL_SORT_H
#define ALTCONN_TOOL_SORT_H

#include "lib/found.h"

#define SORT_KEYS	"id age wait queue pid type state local peer"

void sort_found(struct found *found, const char *key, bool reverse);

#endif /* ALTCONN_TOOL_SORT_H */
