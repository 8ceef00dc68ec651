/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ALTCONN_TEST_KWORKER_H
#define ALTCONN_TEST_KWORKER_H

#include <stdint.h>

/*
 * CPU time of the workers of unbound work queues since the last call, ns. Each
 * worker counts by itself, since an idle worker may exit between two calls.
 */
uint64_t at_kworker_ns(void);

/*
 * Wait until the workers are idle: they also end the namespaces of earlier
 * tests. Gives up after a while on kernels whose workers are never idle.
 */
void at_kworkers_quiet(void);

#endif
