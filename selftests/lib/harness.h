/* SPDX-License-Identifier: GPL-2.0 */
/* Include the harness from the include path or from the kernel tree. */
#ifndef _ALTCONN_HARNESS_H
#define _ALTCONN_HARNESS_H

#if __has_include("kselftest_harness.h")
#include "kselftest_harness.h"
#else
#include "../../kselftest_harness.h"
#endif

/*
 * Seconds after which the harness kills a test. They are far more than a test
 * needs: under emulation the debug kernel is some thirty times slower than a
 * stock kernel.
 */
#define AT_TIMEOUT	180
#define AT_TIMEOUT_LONG	1200

#endif /* _ALTCONN_HARNESS_H */
