// SPDX-License-Identifier: GPL-2.0
/* A case uses these functions to report what it sees. */
#include "conformance.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

static void add(struct test *t, const char *fmt, va_list ap)
{
	size_t len = strlen(t->seen);

	if (len && len < sizeof(t->seen) - 3) {
		strcpy(t->seen + len, "; ");
		len += 2;
	}
	vsnprintf(t->seen + len, sizeof(t->seen) - len, fmt, ap);
	t->result = DEVIATES;
}

void deviates(struct test *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(t, fmt, ap);
	va_end(ap);
}

void stop(struct test *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(t, fmt, ap);
	va_end(ap);
	case_exit(t);
}

void cannot(struct test *t, const char *why)
{
	t->result = CANNOT;
	snprintf(t->seen, sizeof(t->seen), "%s", why);
	case_exit(t);
}

void must(struct test *t, bool good, const char *what)
{
	if (!good)
		stop(t, "%s from %s", err_name(errno), what);
}

void expect(struct test *t, int err, int want, const char *where)
{
	if (err != want)
		deviates(t, "%s %s", err_name(err), where);
}

const char *err_name(int err)
{
	const char *name;

	if (err < 0)
		return "no result";
	if (!err)
		return "success";
	name = strerrorname_np(err);
	return name ? name : "an errno without a name";
}

int err_of(long ret)
{
	return ret < 0 ? errno : 0;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void pause_shortly(void)
{
	struct timespec ts = { .tv_nsec = 500000 };

	nanosleep(&ts, NULL);
}

unsigned int unique(void)
{
	static unsigned int count;

	return count++;
}
