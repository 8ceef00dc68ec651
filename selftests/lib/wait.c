// SPDX-License-Identifier: GPL-2.0
#include "wait.h"
#include "kernel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

int at_deadline_ms(void)
{
	return at_debug() ? 4 * AT_DEADLINE_MS : AT_DEADLINE_MS;
}

uint64_t at_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t at_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

short at_poll(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ret;

	do {
		ret = poll(&pfd, 1, at_deadline_ms());
	} while (ret < 0 && errno == EINTR);
	return ret == 1 ? pfd.revents : 0;
}

short at_poll_now(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return poll(&pfd, 1, 0) == 1 ? pfd.revents : 0;
}

void at_pause(void)
{
	struct timespec ts = { .tv_nsec = 500000 };

	nanosleep(&ts, NULL);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Return 0 if a value is 0, which stands for a measurement that failed. */
uint64_t at_median(uint64_t *values, int n)
{
	qsort(values, n, sizeof(*values), compare_u64);
	return values[0] ? values[n / 2] : 0;
}
