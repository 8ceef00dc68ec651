/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ALTCONN_TEST_KWORKER_H
#define ALTCONN_TEST_KWORKER_H

#include <stdint.h>

/*
 * Return the CPU time of the workers of unbound workqueues since the last call,
 * in ns. Each worker counts by itself, since an idle worker may exit between
 * two calls.
 */
uint64_t at_kworker_ns(void);

/*
 * Wait until the workers are idle, since they also end the namespaces of
 * earlier tests. Give up after a while: some kernels have workers that are
 * never idle.
 */
void at_kworkers_quiet(void);

#endif
