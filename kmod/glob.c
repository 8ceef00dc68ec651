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
 * A pattern is whole when its sets end, and when no backslash stands at its end. The
 * time is bounded by the product of both lengths then.
 */

#include "rule.h"

/*
 * The set at @pat, which begins with a bracket, and a byte. Returns the set's
 * length, 0 when it does not end.
 */
static size_t match_set(const u8 *pat, size_t len, u8 c, bool *in)
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

/* How much of the pattern @c uses up; 0: it does not match. */
static size_t match_one(const u8 *pat, size_t len, u8 c)
{
	size_t used;
	bool in;

	switch (pat[0]) {
	case '?':
		return 1;
	case '[':
		used = match_set(pat, len, c, &in);
		return in ? used : 0;
	case '\\':
		return len > 1 && pat[1] == c ? 2 : 0;
	default:
		return pat[0] == c;
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
			used = match_set(pattern + at, len - at, 0, &in);
		else if (pattern[at] == '\\')
			used = len - at > 1 ? 2 : 0;
		if (!used)
			return false;
		at += used;
	}
	return true;
}

/**
 * altconn_glob() - does a pattern match?
 * @pattern: the pattern, which is whole
 * @pattern_len: bytes
 * @text: the whole of which it has to match
 * @text_len: bytes
 *
 * Context: any.
 */
bool altconn_glob(const u8 *pattern, size_t pattern_len, const u8 *text,
		  size_t text_len)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0, used;

	while (t < text_len) {
		if (p < pattern_len && pattern[p] == '*') {
			star = ++p;
			mark = t;
			continue;
		}
		used = p < pattern_len ? match_one(pattern + p, pattern_len - p,
						   text[t]) : 0;
		if (used) {
			p += used;
			t++;
			continue;
		}
		/* The last star takes one more. */
		if (star == SIZE_MAX)
			return false;
		p = star;
		t = ++mark;
	}
	while (p < pattern_len && pattern[p] == '*')
		p++;
	return p == pattern_len;
}
