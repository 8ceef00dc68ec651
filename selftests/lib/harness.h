/* SPDX-License-Identifier: GPL-2.0 */
/* The harness, from the include path or from the kernel tree around us. */
#ifndef _ALTCONN_HARNESS_H
#define _ALTCONN_HARNESS_H

#if __has_include("kselftest_harness.h")
#include "kselftest_harness.h"
#else
#include "../../kselftest_harness.h"
#endif

/*
 * Seconds until the harness kills a test. Far beyond what any test needs: the
 * debug kernel is some thirty times slower than a stock one under emulation.
 */
#define AT_TIMEOUT	180
#define AT_TIMEOUT_LONG	1200

#endif /* _ALTCONN_HARNESS_H */
