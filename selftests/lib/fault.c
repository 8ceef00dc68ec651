// SPDX-License-Identifier: GPL-2.0
#include "fault.h"
#include "file.h"

#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail_of(const char *which, int percent)
{
	static const struct knob { const char *name, *value; } knobs[] = {
		{ .name = "ignore-gfp-wait", .value = "N" },
		{ .name = "task-filter", .value = "Y" },
		{ .name = "verbose", .value = "0" },
		{ .name = "times", .value = "-1" },
		{ }
	};
	const struct knob *knob;
	char path[96], text[16];

	for (knob = knobs; knob->name; knob++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", which,
			 knob->name);
		if (at_file_write(path, knob->value))
			return -1;
	}
	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/probability", which);
	snprintf(text, sizeof(text), "%d", percent);
	return at_file_write(path, text);
}

int at_fail_allocations(int percent)
{
	if (fail_of("failslab", percent))
		return -1;
	/* By default a single page, which is of order 0, does not fail. */
	if (at_file_write("/sys/kernel/debug/fail_page_alloc/min-order", "0"))
		return -1;
	return fail_of("fail_page_alloc", percent);
}

int at_make_it_fail(bool on)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/make-it-fail",
		 (int)syscall(SYS_gettid));
	return at_file_write(path, on ? "1" : "0");
}
