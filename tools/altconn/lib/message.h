/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tool prints each error message as one line.
 */
#ifndef ALTCONN_TOOL_MESSAGE_H
#define ALTCONN_TOOL_MESSAGE_H

#include <stdarg.h>

#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

__printf(1, 2) void message_error(const char *fmt, ...);
__printf(1, 0) char *message_format(const char *fmt, va_list ap);

#endif /* ALTCONN_TOOL_MESSAGE_H */
