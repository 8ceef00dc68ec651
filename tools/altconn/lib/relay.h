/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A relay copies standard input to a socket, and the data of the socket to
 * standard output.
 */
#ifndef ALTCONN_TOOL_RELAY_H
#define ALTCONN_TOOL_RELAY_H

#include <stdbool.h>

/* Size of the largest record, and of one read from standard input. */
#define RELAY_RECORD_MAX	65536

int relay_both(int fd, bool records);
int relay_datagrams(int fd);
int relay_datagrams_back(int fd, bool all);

#endif /* ALTCONN_TOOL_RELAY_H */
