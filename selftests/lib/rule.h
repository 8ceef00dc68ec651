/* SPDX-License-Identifier: GPL-2.0 */
/* This function adds and deletes rules over netlink. */
#ifndef _ALTCONN_TEST_RULE_H
#define _ALTCONN_TEST_RULE_H

#ifndef __printf
#define __printf(a, b)	__attribute((format(printf, a, b)))
#endif

/*
 * Do the "add", "del", "flush" or "zero" of "altconn rule" without the tool.
 * Return the number of the new rule, 0, or -1 on failure.
 */
__printf(1, 2) int at_rule(const char *fmt, ...);

#endif /* _ALTCONN_TEST_RULE_H */
