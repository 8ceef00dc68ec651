// SPDX-License-Identifier: GPL-2.0
/*
 * Patterns as in glob(7), for the names and paths in rules. A name may contain
 * any byte, and the kernel's glob_match() ends at a NUL.
 *
 *	*	any number of any bytes, including none and including slashes
 *	?	one byte
 *	[a-z]	one byte of a set
 *	[!a-z]	one byte that is not in the set; also [^a-z]
 *	\x	the byte x itself
 *
 * A pattern is whole if each of its sets has a closing bracket, and the pattern
 * does not end in a backslash that escapes nothing. The parts of a pattern that
 * match one byte are its elements: all parts but the stars.
 *
 * A pattern is compiled to a nondeterministic automaton. The automaton is in
 * state i if the text so far matches the first i elements and the stars among
 * them, and can be in several states. The states are a bit mask of a few words,
 * so each byte of text takes the same few instructions, whatever the pattern
 * is.
 */

#include <linux/slab.h>
#include "glob.h"

/*
 * Number of 64-bit words in a bit mask of states. A pattern has at most U8_MAX
 * elements, and so at most U8_MAX + 1 states.
 */
#define GLOB_WORDS	4
#define GLOB_BYTES	256

/* A bit mask. Bit i belongs to state i, or to element i, counted from 0. */
struct glob_mask {
	u64	word[GLOB_WORDS];
};

/**
 * struct altconn_glob - a compiled pattern
 * @n: number of elements; the text matches if it ends in state @n
 * @star: the states i for which a star stands before element i; a byte does not
 *	end such a state
 * @class: class of each byte, an index in @step. Two bytes have the same class
 *	if the same elements match them
 * @step: for each class, the elements that match the bytes of the class. If
 *	element i does, state i becomes state i + 1
 */
struct altconn_glob {
	u32		n;
	struct glob_mask	star;
	u8		class[GLOB_BYTES];
	struct glob_mask	step[];
};

/*
 * Set *@in to whether the set at @pat, which begins with a bracket, matches the
 * byte @c. Return the length of the set in the pattern, or 0 if the set has no
 * closing bracket.
 */
static size_t glob_match_set(const u8 *pat, size_t len, u8 c, bool *in)
{
	size_t at = 1, first;
	bool not = false;

	*in = false;
	if (at < len && (pat[at] == '!' || pat[at] == '^')) {
		not = true;
		at++;
	}
	for (first = at; at < len; at++) {
		u8 from, to;

		if (pat[at] == ']' && at > first) {
			*in ^= not;
			return at + 1;
		}
		if (pat[at] == '\\' && at + 1 < len)
			at++;
		from = pat[at];
		to = from;
		if (at + 2 < len && pat[at + 1] == '-' && pat[at + 2] != ']') {
			at += 2;
			if (pat[at] == '\\' && at + 1 < len)
				at++;
			to = pat[at];
		}
		*in |= from <= c && c <= to;
	}
	return 0;
}

/*
 * Set *@in to whether the element at @pat matches the byte @c. The pattern is
 * whole. Return the length of the element in the pattern.
 */
static size_t glob_match_element(const u8 *pat, size_t len, u8 c, bool *in)
{
	switch (pat[0]) {
	case '?':
		*in = true;
		return 1;
	case '[':
		return glob_match_set(pat, len, c, in);
	case '\\':
		*in = pat[1] == c;
		return 2;
	default:
		*in = pat[0] == c;
		return 1;
	}
}

/**
 * altconn_glob_is_whole() - check whether a pattern can be compiled
 * @pattern: the pattern
 * @len: its length, bytes
 *
 * Context: any.
 * Return: true if each set of the pattern is closed and the pattern does not
 * end in a single backslash, else false.
 */
bool altconn_glob_is_whole(const u8 *pattern, size_t len)
{
	size_t at = 0, used;
	bool in;

	while (at < len) {
		used = 1;
		if (pattern[at] == '[')
			used = glob_match_set(pattern + at, len - at, 0, &in);
		else if (pattern[at] == '\\')
			used = len - at > 1 ? 2 : 0;
		if (!used)
			return false;
		at += used;
	}
	return true;
}

static bool glob_has(const struct glob_mask *set, u32 state)
{
	return set->word[state / 64] >> state % 64 & 1;
}

static void glob_add(struct glob_mask *set, u32 state)
{
	set->word[state / 64] |= 1ULL << state % 64;
}

/*
 * Set @step to the elements that match the byte @c. Add the states i for which
 * a star stands before element i to @star. Return the number of elements.
 */
static u32 glob_scan(const u8 *pattern, size_t len, u8 c,
		     struct glob_mask *step, struct glob_mask *star)
{
	size_t at = 0;
	u32 n = 0;
	bool in;

	*step = (struct glob_mask) {};
	while (at < len) {
		if (pattern[at] == '*') {
			glob_add(star, n);
			at++;
			continue;
		}
		at += glob_match_element(pattern + at, len - at, c, &in);
		if (in)
			glob_add(step, n);
		n++;
	}
	return n;
}

/*
 * Return the class whose elements are @new. If no class has them yet, append
 * one to @step.
 */
static u32 glob_class(struct glob_mask *step, u32 *classes,
		      const struct glob_mask *new)
{
	u32 i;

	for (i = 0; i < *classes; i++)
		if (!memcmp(&step[i], new, sizeof(*new)))
			return i;
	step[(*classes)++] = *new;
	return i;
}

/**
 * altconn_glob_compile() - compile a pattern for altconn_glob_match()
 * @pattern: the pattern; altconn_glob_is_whole() returns true for it
 * @len: its length, at most 255 bytes
 *
 * Context: process, may sleep.
 * Return: the compiled pattern, which the caller frees with kfree(); NULL on
 * allocation failure.
 */
struct altconn_glob *altconn_glob_compile(const u8 *pattern, size_t len)
{
	struct altconn_glob *glob = NULL, *full;
	struct glob_mask step;
	u32 classes = 0, c;

	full = kzalloc(struct_size(full, step, GLOB_BYTES), GFP_KERNEL);
	if (!full)
		return NULL;
	for (c = 0; c < GLOB_BYTES; c++) {
		full->n = glob_scan(pattern, len, c, &step, &full->star);
		full->class[c] = glob_class(full->step, &classes, &step);
	}
	/* Most patterns have few classes. Keep only the memory for these. */
	glob = kmemdup(full, struct_size(full, step, classes),
		       GFP_KERNEL_ACCOUNT);
	kfree(full);
	return glob;
}

/*
 * Replace the states @at by the states after the byte @c:
 *
 *	at = (at & star) | (at & step of the class of @c) << 1
 *
 * Return false if no state is left, else true.
 */
static bool glob_step(const struct altconn_glob *glob, struct glob_mask *at,
		      u8 c)
{
	const struct glob_mask *step = &glob->step[glob->class[c]];
	u64 carry = 0, any = 0, next;
	int i;

	for (i = 0; i < GLOB_WORDS; i++) {
		next = at->word[i] & step->word[i];
		at->word[i] = (at->word[i] & glob->star.word[i]) | next << 1 |
			      carry;
		carry = next >> 63;
		any |= at->word[i];
	}
	return any;
}

/**
 * altconn_glob_match() - check whether a pattern matches a text
 * @glob: the compiled pattern
 * @text: the text
 * @len: its length, bytes
 *
 * The time is at most linear in @len, whatever the pattern is.
 *
 * Context: any.
 * Return: true if the pattern matches the whole text, else false.
 */
bool altconn_glob_match(const struct altconn_glob *glob, const u8 *text,
			size_t len)
{
	bool ends_in_star = glob_has(&glob->star, glob->n);
	struct glob_mask at = { .word = { 1 } };
	size_t i;

	for (i = 0; i < len; i++) {
		/* The star at the end matches the rest of the text. */
		if (ends_in_star && glob_has(&at, glob->n))
			return true;
		if (!glob_step(glob, &at, text[i]))
			return false;
	}
	return glob_has(&at, glob->n);
}
