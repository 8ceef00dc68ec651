/* SPDX-License-Identifier: GPL-2.0 */
#ifndef ALTCONN_TEST_KWORKER_H
#define ALTCONN_TEST_KWORKER_H

#include <stdint.h>

/*
 * CPU time of the workers of unbound work queues since the last call, ns. An idle
 * one may exit in between, so the sum over all of them may fall.
 */
uint64_t at_kworker_ns(void);

/*
 * Wait until they have little to do: the end of other tests' namespaces is theirs too.
 * What some kernels always give them to do is measured with the rest.
 */
void at_kworkers_quiet(void);

#endif
