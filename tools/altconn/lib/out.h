/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The same calls print either text or JSON.
 *
 * The text is a table, or sentences (out_open_text()). The table has all rows
 * under one header. Sentences have one cell in each row and no header, and a
 * cell may have line breaks.
 *
 * The JSON is an object. A list is a member of the object: an array with an
 * object for each row. A call that prints a value has a key, which is the name
 * of the value in JSON, and a lead, which is the text before the value in the
 * current cell. A value without a key is printed as text only, a value without
 * a lead in JSON only. A lead that begins with a comma loses the comma at the
 * beginning of a cell and after a space.
 */
#ifndef ALTCONN_TOOL_OUT_H
#define ALTCONN_TOOL_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/message.h"
#include "lib/opt.h"

enum out_colour {
	OUT_PLAIN,
	OUT_GREEN,
	OUT_YELLOW,
	OUT_CYAN,
	OUT_RED,
	OUT_DIM,
};

/* This escape sequence ends each colour of out_colour_code(). */
#define OUT_COLOUR_END	"\033[0m"

/**
 * struct out_column - a column of the table
 * @title: header of the column
 * @right: align the cells to the right
 * @hidden: do not print the column
 */
struct out_column {
	const char *title;
	bool right;
	bool hidden;
};

/* These entries go into the option table of a command. */
#define OUT_OPT_COLOR							\
	{ OPT_COLOR, "color", "WHEN", "auto always never", "colour the output" }
#define OUT_OPT_JSON							\
	{ 'j', "json", NULL, NULL, "print JSON" }
#define OUT_OPT_NO_HEADER						\
	{ 'H', "no-header", NULL, NULL, "print no header" }

/**
 * struct out_style - style of the output
 * @json: print JSON instead of text
 * @line: print the JSON object as one line, for a sequence of objects
 * @tight: print no space after the colon of a JSON member
 * @no_header: print the table without a header
 * @colour: argument of the option --color, or NULL
 */
struct out_style {
	bool json;
	bool line;
	bool tight;
	bool no_header;
	const char *colour;
};

struct out;
struct command;

bool out_wants_colour(const char *when);
const char *out_colour_code(enum out_colour colour);
bool out_option(struct out_style *style, int key);
void out_options(const struct command *cmd, int argc, char **argv,
		 struct out_style *style);
struct out *out_open(const struct out_style *style,
		     const struct out_column *columns, unsigned int count);
struct out *out_open_text(const struct out_style *style);
int out_close(struct out *out);
void out_discard(struct out *out);
int out_flush(void);

void out_list(struct out *out, const char *key);
void out_row(struct out *out);
void out_row_end(struct out *out);
void out_group(struct out *out, const char *key);
void out_group_end(struct out *out);

void out_cell(struct out *out, unsigned int column);
void out_colour(struct out *out, enum out_colour colour);
bool out_cell_empty(const struct out *out);

void out_uint(struct out *out, const char *key, const char *lead,
	      uint64_t value);
void out_double(struct out *out, const char *key, double value);
void out_bool(struct out *out, const char *key, const char *lead, bool value);
void out_ms(struct out *out, const char *key, const char *lead, uint64_t ms);
void out_string(struct out *out, const char *key, const char *lead,
		const char *value);
void out_word(struct out *out, const char *key, const char *json,
	      const char *text);
__printf(2, 3) void out_text(struct out *out, const char *fmt, ...);
void out_coloured_text(struct out *out, enum out_colour colour,
		       const char *text);

#endif /* ALTCONN_TOOL_OUT_H */
