/* SPDX-License-Identifier: GPL-2.0 */
/* These functions send pages of files through sockets and pipes. */
#ifndef _ALTCONN_TEST_PAGE_H
#define _ALTCONN_TEST_PAGE_H

#include <stdbool.h>
#include <sys/types.h>

#define AT_PAGE	4096

/* Make a file of @n pages that consists of @byte. Return -1 on failure. */
int at_page_file(char byte, int n);
/* Send @n bytes of @file from the offset @at on with sendfile(). */
ssize_t at_sendfile(int sock, int file, off_t at, size_t n);
/*
 * Seal a file against writes. Return 0, or EBUSY if a reference pins a page of
 * the file, or another errno. Later writes to a sealed file fail.
 */
int at_seal(int file);
/* Move @n bytes from @sock to the pipe @to with splice(). */
ssize_t at_to_pipe(int sock, int to, size_t n, int flags);
/* Return whether each of @n bytes is @byte. */
bool at_all_are(const char *buf, size_t n, char byte);

#endif /* _ALTCONN_TEST_PAGE_H */
