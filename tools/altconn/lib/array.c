// SPDX-License-Identifier: GPL-2.0
/*
 * This file allocates arrays.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"

/**
 * array_grow - resize an array; exit if there is no memory
 * @old: the array, or NULL to allocate one
 * @count: new number of members
 * @size: size of a member
 *
 * Return: the array, never NULL.
 */
void *array_grow(void *old, size_t count, size_t size)
{
	void *new = reallocarray(old, count ? count : 1, size);

	if (!new) {
		message_error("out of memory");
		exit(EXIT_FAILED);
	}
	return new;
}

/**
 * array_add - make space for one more member
 * @old: an array that only array_add() has resized, or NULL if @count is 0
 * @count: number of members that the array has
 * @size: size of a member
 *
 * The memory doubles at each power of two.
 *
 * Return: the array, never NULL.
 */
void *array_add(void *old, size_t count, size_t size)
{
	if (count & (count - 1))
		return old;
	return array_grow(old, count ? 2 * count : 1, size);
}

/**
 * array_of_text - copy a text
 * @text: the text
 *
 * Return: the copy, which the caller frees with free().
 */
char *array_of_text(const char *text)
{
	return strcpy(array_grow(NULL, strlen(text) + 1, 1), text);
}
