/* SPDX-License-Identifier: GPL-2.0 */
/* These functions run the altconn tool as a user does. */
#ifndef _ALTCONN_TEST_TOOL_H
#define _ALTCONN_TEST_TOOL_H

#include <stdbool.h>
#include "addr.h"

#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

/* Return whether the tool is on the PATH. */
bool at_has_tool(void);
/*
 * Run the tool. Return the number that it prints, 0 if it prints none, or -1 if
 * it fails.
 */
__printf(1, 2) int at_tool(const char *fmt, ...);
/* Return an address as the tool writes it, in a static buffer. */
const char *at_text(const struct at_addr *a, enum at_kind kind);

#endif /* _ALTCONN_TEST_TOOL_H */
