/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions start child processes. Children end with their parent, and
 * proceed in steps by a byte on a pipe.
 */
#ifndef _ALTCONN_TEST_CHILD_H
#define _ALTCONN_TEST_CHILD_H

#include <sys/types.h>

pid_t at_fork(void);
/* Return the exit status, or 128 if a signal has ended the child. */
int at_reap(pid_t pid);
/* Become the user and the group 65534, without other groups. */
int at_drop_privileges(void);
/* Write a byte, or wait until the other process has written one. */
int at_send_step(int fd);
int at_wait_step(int fd);

#endif /* _ALTCONN_TEST_CHILD_H */
