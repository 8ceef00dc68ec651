// SPDX-License-Identifier: GPL-2.0
/*
 * Complaints and memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "altconn.h"

/**
 * complain - say on stderr what is wrong, in one line
 * @fmt: the line, without "altconn: " before it and a newline behind
 */
void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("altconn: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/**
 * grow - realloc() an array, or stop the program
 * @old: what it was, or NULL
 * @count: how many members it is to have
 * @size: size of one
 *
 * Return: the array; never NULL.
 */
void *grow(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count ? count : 1, size);

	if (!new) {
		complain("out of memory");
		exit(EXIT_FAILED);
	}
	return new;
}
