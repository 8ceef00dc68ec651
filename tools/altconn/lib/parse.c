// SPDX-License-Identifier: GPL-2.0
/*
 * This file parses numbers, users and groups.
 */
#include <ctype.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "lib/parse.h"

/**
 * parse_digits - parse a number in a longer text
 * @text: the digits
 * @len: number of digits
 * @most: largest number that is allowed
 * @value: gets the number
 *
 * Return: whether @text is a number up to @most.
 */
bool parse_digits(const char *text, size_t len, uint64_t most, uint64_t *value)
{
	unsigned int digit;

	if (!len)
		return false;
	for (*value = 0; len; len--, text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		digit = *text - '0';
		if (digit > most || *value > (most - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return true;
}

/**
 * parse_u64 - parse a number of 64 bits
 * @text: the number as the user typed it
 * @value: gets the number
 *
 * Return: whether @text is such a number.
 */
bool parse_u64(const char *text, uint64_t *value)
{
	return parse_digits(text, strlen(text), UINT64_MAX, value);
}

/**
 * parse_u32 - parse a number of 32 bits
 * @text: the number as the user typed it
 * @value: gets the number
 *
 * Return: whether @text is such a number.
 */
bool parse_u32(const char *text, uint32_t *value)
{
	uint64_t v;

	if (!parse_digits(text, strlen(text), UINT32_MAX, &v))
		return false;
	*value = v;
	return true;
}

/**
 * parse_int - parse an int that is not negative, such as a descriptor
 * @text: the number as the user typed it
 * @value: gets the number
 *
 * Return: whether @text is such a number.
 */
bool parse_int(const char *text, int *value)
{
	uint64_t v;

	if (!parse_digits(text, strlen(text), INT_MAX, &v))
		return false;
	*value = v;
	return true;
}

/**
 * parse_id - parse an id, which is never 0
 * @text: the id as the user typed it
 * @most: largest id
 * @id: gets the id
 *
 * Return: whether @text is such an id.
 */
bool parse_id(const char *text, uint64_t most, uint64_t *id)
{
	return parse_digits(text, strlen(text), most, id) && *id;
}

/**
 * parse_count - parse a number of repetitions, which is never 0
 * @text: the number as the user typed it
 * @count: gets the number
 *
 * Return: whether @text is such a number.
 */
bool parse_count(const char *text, unsigned long *count)
{
	uint64_t v;

	if (!parse_id(text, ULONG_MAX, &v))
		return false;
	*count = v;
	return true;
}

/**
 * parse_number - parse a number that may have a fraction
 * @text: the number as the user typed it
 * @least: smallest number that is allowed
 * @most: largest number that is allowed
 * @value: gets the number
 *
 * Return: whether @text is such a number.
 */
bool parse_number(const char *text, double least, double most, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end && *value >= least && *value <= most;
}

/**
 * parse_user - parse a uid, or the name of a user
 * @text: the user as the user of the tool typed it
 * @uid: gets the uid
 *
 * Return: whether there is such a user. A number is always one.
 */
bool parse_user(const char *text, uint32_t *uid)
{
	const struct passwd *pw;

	if (parse_u32(text, uid))
		return true;
	pw = getpwnam(text);
	if (pw)
		*uid = pw->pw_uid;
	return pw;
}

/**
 * parse_group - parse a gid, or the name of a group
 * @text: the group as the user of the tool typed it
 * @gid: gets the gid
 *
 * Return: whether there is such a group. A number is always one.
 */
bool parse_group(const char *text, uint32_t *gid)
{
	const struct group *gr;

	if (parse_u32(text, gid))
		return true;
	gr = getgrnam(text);
	if (gr)
		*gid = gr->gr_gid;
	return gr;
}
