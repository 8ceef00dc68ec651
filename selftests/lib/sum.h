/* SPDX-License-Identifier: GPL-2.0 */
/* These functions sum streams, and make pseudo-random data. */
#ifndef _ALTCONN_TEST_SUM_H
#define _ALTCONN_TEST_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A sum of a stream that depends on the order of the bytes. The stream can be
 * fed in pieces of any size. There are several sums side by side, so that the
 * compiler can use vectors: an emulated CPU sums a gibibyte.
 */
#define AT_SUM_LANES	8
#define AT_SUM_BLOCK	(8 * AT_SUM_LANES)

struct at_sum {
	uint64_t a[AT_SUM_LANES], b[AT_SUM_LANES];
	uint8_t part[AT_SUM_BLOCK];
	size_t fill;
};

void at_sum(struct at_sum *s, const void *buf, size_t len);
bool at_sum_eq(const struct at_sum *x, const struct at_sum *y);
/* Pseudo-random numbers, which are the same in every run */
uint64_t at_random(uint64_t *state);
void at_random_fill(uint64_t *state, void *buf, size_t len);

#endif /* _ALTCONN_TEST_SUM_H */
