/* SPDX-License-Identifier: GPL-2.0 */
/* These functions inject faults into the debug kernel. */
#ifndef _ALTCONN_TEST_FAULT_H
#define _ALTCONN_TEST_FAULT_H

#include <stdbool.h>

/*
 * Let @percent of the allocations fail, also allocations that may sleep, in
 * threads that have called at_make_it_fail(true). Return -1 if the kernel has
 * no fault injection.
 */
int at_fail_allocations(int percent);
int at_make_it_fail(bool on);

#endif /* _ALTCONN_TEST_FAULT_H */
