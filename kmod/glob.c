// SPDX-License-Identifier: GPL-2.0
/*
 * Patterns as in glob(7), over bytes, as names have any: the kernel's own
 * glob_match() ends at a NUL.
 *
 *	*	any bytes, also none, also slashes
 *	?	one byte
 *	[a-z]	one of a set; [!a-z] one that is not
 *	\x	x itself
 *
 * A pattern is whole when its sets end, and when no backslash stands at its end.
 *
 * A pattern is compiled to an automaton that is in a set of states at once: it is
 * in state i when the text so far matches the first i elements of the pattern
 * (all but the stars). The set is a few words, so a byte of text costs the same
 * few instructions whatever the pattern, and a match takes time linear in the
 * text.
 */

#include <linux/slab.h>
#include "glob.h"

/* A pattern has at most U8_MAX elements, one state more. */
#define GLOB_WORDS	4
#define GLOB_BYTES	256

struct glob_set {
	u64	word[GLOB_WORDS];
};

/**
 * struct altconn_glob - a compiled pattern
 * @n: elements; state @n: all of them matched
 * @star: states that keep themselves whatever the byte: a star stands there
 * @class: by byte: index in @step
 * @step: state i is in it: element i takes the bytes of that class
 */
struct altconn_glob {
	u32		n;
	struct glob_set	star;
	u8		class[GLOB_BYTES];
	struct glob_set	step[];
};

/*
 * The set at @pat, which begins with a bracket, and a byte. Returns the set's
 * length, 0 when it does not end.
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

/* The length of the element at @pat, of a whole pattern; does it take @c? */
static size_t glob_element(const u8 *pat, size_t len, u8 c, bool *in)
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
 * altconn_glob_is_whole() - may this be matched with?
 * @pattern: the pattern
 * @len: bytes
 *
 * Context: any.
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

static bool glob_has(const struct glob_set *set, u32 state)
{
	return set->word[state / 64] >> state % 64 & 1;
}

static void glob_add(struct glob_set *set, u32 state)
{
	set->word[state / 64] |= 1ULL << state % 64;
}

/* The elements that take @c, and the states at stars; how many elements. */
static u32 glob_scan(const u8 *pattern, size_t len, u8 c, struct glob_set *step,
		     struct glob_set *star)
{
	size_t at = 0;
	u32 n = 0;
	bool in;

	*step = (struct glob_set) {};
	while (at < len) {
		if (pattern[at] == '*') {
			glob_add(star, n);
			at++;
			continue;
		}
		at += glob_element(pattern + at, len - at, c, &in);
		if (in)
			glob_add(step, n);
		n++;
	}
	return n;
}

/* The class of bytes that have this step; a new one at the end of @step. */
static u32 glob_class(struct glob_set *step, u32 *classes,
		      const struct glob_set *new)
{
	u32 i;

	for (i = 0; i < *classes; i++)
		if (!memcmp(&step[i], new, sizeof(*new)))
			return i;
	step[(*classes)++] = *new;
	return i;
}

/**
 * altconn_glob_compile() - prepare a pattern for altconn_glob_match()
 * @pattern: the pattern, which is whole
 * @len: bytes, at most 255
 *
 * Context: process, may sleep.
 * Return: what the caller frees with kfree(); NULL: no memory.
 */
struct altconn_glob *altconn_glob_compile(const u8 *pattern, size_t len)
{
	struct altconn_glob *glob = NULL, *full;
	struct glob_set step;
	u32 classes = 0, c;

	full = kzalloc(struct_size(full, step, GLOB_BYTES), GFP_KERNEL);
	if (!full)
		return NULL;
	for (c = 0; c < GLOB_BYTES; c++) {
		full->n = glob_scan(pattern, len, c, &step, &full->star);
		full->class[c] = glob_class(full->step, &classes, &step);
	}
	/* Few bytes differ mostly, so most of the classes were not needed. */
	glob = kmemdup(full, struct_size(full, step, classes),
		       GFP_KERNEL_ACCOUNT);
	kfree(full);
	return glob;
}

/* One byte of text; false: no state is left. */
static bool glob_step(const struct altconn_glob *glob, struct glob_set *at, u8 c)
{
	const struct glob_set *step = &glob->step[glob->class[c]];
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
 * altconn_glob_match() - does a pattern match?
 * @glob: the pattern
 * @text: the whole of which it has to match
 * @len: bytes
 *
 * Context: any. The time is linear in @len, and the same for every pattern.
 */
bool altconn_glob_match(const struct altconn_glob *glob, const u8 *text,
			size_t len)
{
	bool ends_in_star = glob_has(&glob->star, glob->n);
	struct glob_set at = { .word = { 1 } };
	size_t i;

	for (i = 0; i < len; i++) {
		if (ends_in_star && glob_has(&at, glob->n))
			return true;
		if (!glob_step(glob, &at, text[i]))
			return false;
	}
	return glob_has(&at, glob->n);
}
