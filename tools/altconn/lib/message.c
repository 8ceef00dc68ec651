// SPDX-License-Identifier: GPL-2.0
/*
 * This file formats text, and prints error messages.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/command.h"
#include "lib/message.h"

/**
 * message_error - print an error message to stderr, as one line
 * @fmt: format of the message, without "altconn: " and without the newline
 */
void message_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("altconn: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/**
 * message_format - write formatted text into memory; exit if there is none
 * @fmt: format of the text
 * @ap: arguments of the format
 *
 * Return: the text, which the caller frees with free().
 */
char *message_format(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		message_error("out of memory");
		exit(EXIT_FAILED);
	}
	return text;
}
