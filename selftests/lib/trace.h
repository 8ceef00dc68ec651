/* SPDX-License-Identifier: GPL-2.0 */
/* These functions use a tracing instance that belongs to this process. */
#ifndef _ALTCONN_TEST_TRACE_H
#define _ALTCONN_TEST_TRACE_H

#include <stdio.h>

/* Make, write, read and remove the instance. @file is a file in it. */
int at_trace_open(void);
int at_trace_put(const char *file, const char *text);
FILE *at_trace_read(const char *file);
int at_trace_close(void);

#endif /* _ALTCONN_TEST_TRACE_H */
