// SPDX-License-Identifier: GPL-2.0
/*
 * This file prints error messages and allocates memory.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/command.h"

/**
 * complain - print an error message to stderr, as one line
 * @fmt: format of the message, without "altconn: " and without the newline
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
 * grow - resize an array; exit if there is no memory
 * @old: the array, or NULL to allocate one
 * @count: new number of members
 * @size: size of a member
 *
 * Return: the array, never NULL.
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
