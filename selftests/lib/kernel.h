/* SPDX-License-Identifier: GPL-2.0 */
/* These functions describe the kernel that the tests run on. */
#ifndef _ALTCONN_TEST_KERNEL_H
#define _ALTCONN_TEST_KERNEL_H

#include <stdbool.h>

/* Return the address family number of the loaded module. */
int at_family(void);
/* Return whether the guest runs the debug kernel, which makes many checks. */
bool at_debug(void);
/* Return the amount of work: @stock on the stock kernel, else @others. */
unsigned long at_scale(unsigned long stock, unsigned long others);

#endif /* _ALTCONN_TEST_KERNEL_H */
