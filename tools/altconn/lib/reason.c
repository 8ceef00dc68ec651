// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the name and the sentence of each enum altconn_reason, and the
 * name of each enum altconn_error. They come from the netlink specification, by
 * names_gen.h.
 */
#include <stdio.h>

#include <linux/altconn.h>

#include "lib/array.h"
#include "lib/names_gen.h"
#include "lib/reason.h"

#define REASON(reason, name, text) \
	[ALTCONN_REASON_##reason] = { name, text },

static const struct {
	const char *name;
	const char *text;
} reason_table[] = {
	ALTCONN_REASON_LIST(REASON)
};

#define ERROR(error, name) \
	[ALTCONN_ERROR_##error] = name,

static const char * const reason_error_names[] = {
	ALTCONN_ERROR_LIST(ERROR)
};

/**
 * reason_name - get the name of a reason, as the trace events have it
 * @reason: enum altconn_reason, or a larger number from a newer module
 *
 * Return: the name. For a larger number it is the number as text, which the
 * next call may overwrite.
 */
const char *reason_name(uint32_t reason)
{
	static char number[16];

	if (reason < ARRAY_SIZE(reason_table))
		return reason_table[reason].name;
	snprintf(number, sizeof(number), "%u", reason);
	return number;
}

/**
 * reason_text - get a sentence that explains a reason
 * @reason: enum altconn_reason, or a larger number from a newer module
 *
 * Return: the sentence.
 */
const char *reason_text(uint32_t reason)
{
	return reason < ARRAY_SIZE(reason_table) ? reason_table[reason].text :
	       "the module gives a reason that this tool does not know";
}

/**
 * reason_error_name - get the name of an error, such as "EPERM"
 * @error: enum altconn_error, or a larger number from a newer module
 *
 * Return: the name, or NULL if the tool does not know the error.
 */
const char *reason_error_name(uint32_t error)
{
	return error < ARRAY_SIZE(reason_error_names) ?
	       reason_error_names[error] : NULL;
}
