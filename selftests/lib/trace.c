// SPDX-License-Identifier: GPL-2.0
#include "trace.h"

#include <sys/stat.h>
#include <unistd.h>

static void trace_file(char *path, size_t size, const char *file)
{
	snprintf(path, size, "/sys/kernel/tracing/instances/altconn-%d%s%s",
		 getpid(), *file ? "/" : "", file);
}

int at_trace_open(void)
{
	char path[128];

	trace_file(path, sizeof(path), "");
	return mkdir(path, 0700);
}

int at_trace_put(const char *file, const char *text)
{
	char path[128];
	FILE *f;
	int ret;

	trace_file(path, sizeof(path), file);
	f = fopen(path, "w");
	if (!f)
		return -1;
	ret = fputs(text, f);
	return fclose(f) || ret < 0 ? -1 : 0;
}

FILE *at_trace_read(const char *file)
{
	char path[128];

	trace_file(path, sizeof(path), file);
	return fopen(path, "r");
}

int at_trace_close(void)
{
	char path[128];

	trace_file(path, sizeof(path), "");
	return rmdir(path);
}
