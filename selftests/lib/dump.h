/* SPDX-License-Identifier: GPL-2.0 */
/* These functions dump associations, sockets and rules over netlink. */
#ifndef _ALTCONN_TEST_DUMP_H
#define _ALTCONN_TEST_DUMP_H

#include <stdbool.h>
#include <stdint.h>

/* Return the number of entries of a dump (ALTCONN_CMD_*_GET), or -1. */
int at_dump(int cmd);

/*
 * Dump in steps. at_dump_begin() returns a netlink socket. at_dump_some()
 * returns the number of entries in the next message, and @more is false after
 * the last message. at_dump_rest() returns the number of entries in all
 * messages that are left. All return -1 on failure.
 */
int at_dump_begin(int cmd);
/* Begin a dump of the object with this id alone. */
int at_dump_begin_one(int cmd, uint64_t id);
int at_dump_some(int fd, bool *more);
int at_dump_rest(int fd);
/*
 * Do the same as at_dump_some() in a dump of associations or sockets, and store
 * the ids of the entries in @ids. Return -1 if there are more than @most.
 */
int at_dump_some_ids(int fd, bool *more, uint64_t *ids, int most);

/*
 * Read the rest of a dump. Return whether the kernel has marked the dump as
 * interrupted, or -1 on failure.
 */
int at_dump_marked(int fd);

#endif /* _ALTCONN_TEST_DUMP_H */
