// SPDX-License-Identifier: GPL-2.0
#include "sum.h"

#include <string.h>

static void sum_blocks(struct at_sum *s, const uint8_t *p, size_t blocks)
{
	uint64_t word[AT_SUM_LANES];
	int i;

	for (; blocks; blocks--, p += AT_SUM_BLOCK) {
		memcpy(word, p, AT_SUM_BLOCK);
		for (i = 0; i < AT_SUM_LANES; i++) {
			s->a[i] += word[i];
			s->b[i] += s->a[i];
		}
	}
}

void at_sum(struct at_sum *s, const void *buf, size_t len)
{
	size_t n = AT_SUM_BLOCK - s->fill;
	const uint8_t *p = buf;

	if (s->fill) {
		n = len < n ? len : n;
		memcpy(s->part + s->fill, p, n);
		s->fill += n;
		p += n;
		len -= n;
		if (s->fill < AT_SUM_BLOCK)
			return;
		sum_blocks(s, s->part, 1);
		s->fill = 0;
	}
	sum_blocks(s, p, len / AT_SUM_BLOCK);
	s->fill = len % AT_SUM_BLOCK;
	memcpy(s->part, p + len - s->fill, s->fill);
}

bool at_sum_eq(const struct at_sum *x, const struct at_sum *y)
{
	return !memcmp(x->a, y->a, sizeof(x->a)) &&
	       !memcmp(x->b, y->b, sizeof(x->b)) && x->fill == y->fill &&
	       !memcmp(x->part, y->part, x->fill);
}

uint64_t at_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void at_random_fill(uint64_t *state, void *buf, size_t len)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = at_random(state) >> 32;
}
