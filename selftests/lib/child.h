/* SPDX-License-Identifier: GPL-2.0 */
/* Children end with their parent, and proceed in steps by a byte on a pipe. */
#ifndef _ALTCONN_TEST_CHILD_H
#define _ALTCONN_TEST_CHILD_H

#include <sys/types.h>

pid_t at_fork(void);
int at_reap(pid_t pid);
int at_become_nobody(void);
int at_tell(int fd);
int at_hear(int fd);

#endif /* _ALTCONN_TEST_CHILD_H */
