// SPDX-License-Identifier: GPL-2.0
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

long at_file_number(const char *path, long otherwise)
{
	FILE *f = fopen(path, "r");
	long value = otherwise;

	if (!f)
		return otherwise;
	if (fscanf(f, "%ld", &value) != 1)
		value = otherwise;
	fclose(f);
	return value;
}

int at_file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	errno = err;
	return n == (ssize_t)strlen(text) ? 0 : -1;
}

int at_proc_write(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return at_file_write(path, text);
}

static void sysctl_file(char *buf, size_t len, const char *name)
{
	snprintf(buf, len, "/proc/sys/net/%s", name);
}

long at_sysctl(const char *name)
{
	char file[128];

	sysctl_file(file, sizeof(file), name);
	return at_file_number(file, -1);
}

int at_sysctl_set(const char *name, long value)
{
	char file[128], text[32];

	sysctl_file(file, sizeof(file), name);
	snprintf(text, sizeof(text), "%ld\n", value);
	return at_file_write(file, text);
}
