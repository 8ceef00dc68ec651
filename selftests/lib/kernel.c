// SPDX-License-Identifier: GPL-2.0
#include "kernel.h"
#include "file.h"

#include <linux/altconn.h>
#include <stdlib.h>
#include <string.h>

int at_family(void)
{
	static int family;

	if (!family)
		family = at_file_number("/sys/module/altconn/parameters/family",
					AF_ALTCONN);
	return family;
}

bool at_debug(void)
{
	const char *value = getenv("ALTCONN_DEBUG_KERNEL");

	return value && *value && strcmp(value, "0");
}

static bool at_other_kernel(void)
{
	const char *name = getenv("ALTCONN_KERNEL");

	return name && strcmp(name, "stock") && !at_debug();
}

unsigned long at_scale(unsigned long stock, unsigned long others)
{
	return at_debug() || at_other_kernel() ? others : stock;
}
