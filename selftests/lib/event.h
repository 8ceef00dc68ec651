/* SPDX-License-Identifier: GPL-2.0 */
/* These functions receive the events of a monitor. */
#ifndef _ALTCONN_TEST_EVENT_H
#define _ALTCONN_TEST_EVENT_H

#include <stdint.h>

/*
 * at_monitor() makes a socket that gets events, and returns 0 or the errno.
 * at_event() returns 1 and the next event, 0 if no event is queued, and -1 for
 * anything else. @port is the server's port, or 0 if its address has another
 * kind than a port.
 */
struct at_event {
	uint64_t seq;
	uint32_t kind;
	uint32_t port;
};

int at_monitor(int *fd);
int at_event(int fd, struct at_event *ev);

#endif /* _ALTCONN_TEST_EVENT_H */
