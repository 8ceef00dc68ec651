/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions wait with a deadline, and measure time. No function sleeps to
 * let something happen: at_until() evaluates a condition again and again until
 * it holds or the deadline passes.
 */
#ifndef _ALTCONN_TEST_WAIT_H
#define _ALTCONN_TEST_WAIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Deadline of each wait; four times as long on the debug kernel */
#define AT_DEADLINE_MS	30000
int at_deadline_ms(void);
uint64_t at_now_ms(void);
uint64_t at_now_ns(void);
/* Wait for @events or an error. Return revents, or 0 after the deadline. */
short at_poll(int fd, short events);
/* Return the events that poll() reports now. */
short at_poll_now(int fd, short events);
void at_pause(void);
#define at_until(cond) ({						\
	uint64_t __end = at_now_ms() + at_deadline_ms();		\
	bool __held;							\
									\
	while (!(__held = (cond)) && at_now_ms() < __end)		\
		at_pause();						\
	__held;								\
})

/*
 * Check a law of growth: return whether @many takes at most @times as long as
 * @few. Both are expressions that measure something and return ns, or 0 on
 * failure. The machine may be busy during any measurement, so the median of
 * five measurements of @few is compared with the least of several of @many.
 */
#define AT_FEW	5
uint64_t at_median(uint64_t *values, int n);
#define at_grows(times, few, many) ({					\
	uint64_t __few[AT_FEW], __many = UINT64_MAX, __most, __took;	\
	int __tries;							\
									\
	for (__tries = 0; __tries < AT_FEW; __tries++)			\
		__few[__tries] = (few);					\
	__most = (times) * at_median(__few, AT_FEW);			\
	for (__tries = 0; __tries < 12 && __most && __many &&		\
	     __many > __most; __tries++) {				\
		__took = (many);					\
		__many = __took < __many ? __took : __many;		\
	}								\
	fprintf(stderr, "# %llu ns of at most %llu\n",			\
		(unsigned long long)__many, (unsigned long long)__most);\
	__most && __many && __many <= __most;				\
})

#endif /* _ALTCONN_TEST_WAIT_H */
