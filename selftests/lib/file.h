/* SPDX-License-Identifier: GPL-2.0 */
/* These functions read and write files of proc, sysfs and debugfs. */
#ifndef _ALTCONN_TEST_FILE_H
#define _ALTCONN_TEST_FILE_H

#include <sys/types.h>

/* Return the number in a file, or @otherwise if there is none. */
long at_file_number(const char *path, long otherwise);
/* Write @text in one call to write(). Return -1 on failure. */
int at_file_write(const char *path, const char *text);
/* Write @text to a file of the process @pid in proc. Return -1 on failure. */
int at_proc_write(pid_t pid, const char *file, const char *text);

/* Read and write a sysctl below net/. at_sysctl() returns -1 on failure. */
long at_sysctl(const char *name);
int at_sysctl_set(const char *name, long value);

#endif /* _ALTCONN_TEST_FILE_H */
