// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of this file print either text or JSON. Both are built in memory
 * first: a table since the width of a column depends on all rows, and JSON so
 * that it is printed completely or not at all.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/opt.h"
#include "lib/out.h"

#define OUT_DEPTH	4
#define OUT_GAP		2	/* spaces between columns */

struct cell {
	char *text;
	enum out_colour colour;
};

/**
 * struct out - output that is being built
 * @style: style of the output
 * @columns: columns of the table
 * @count: number of columns
 * @last: index of the last column that is not hidden
 * @coloured: print colours
 * @sentences: out_open_text() has begun the output
 * @cells: cells of the table, row by row
 * @rows: number of rows
 * @capacity: number of rows for which @cells has memory
 * @column: index of the column of the current cell
 * @stack: JSON objects that are open, the outermost first
 * @depth: index of the innermost object in @stack
 * @list: JSON array that gets an object for each row; if it is NULL, the values
 *	of a row become members of the outermost object
 */
struct out {
	struct out_style style;
	const struct out_column *columns;
	unsigned int count;
	unsigned int last;
	bool coloured;
	bool sentences;
	struct cell *cells;
	size_t rows;
	size_t capacity;
	unsigned int column;
	struct json_object *stack[OUT_DEPTH];
	unsigned int depth;
	struct json_object *list;
};

/**
 * out_option - apply an option that sets the style of the output
 * @style: gets the value of the option
 * @key: the option, as opt_next() returned it; its argument is in optarg
 *
 * Return: whether the option sets the style.
 */
bool out_option(struct out_style *style, int key)
{
	switch (key) {
	case 'j':
		style->json = true;
		return true;
	case 'H':
		style->no_header = true;
		return true;
	case OPT_COLOR:
		style->colour = optarg;
		return true;
	default:
		return false;
	}
}

/**
 * out_options - read options that all set the style of the output
 * @cmd: entry of the command in command_list
 * @argc: number of words
 * @argv: the words, the name of the command first
 * @style: gets the values of the options
 */
void out_options(const struct command *cmd, int argc, char **argv,
		 struct out_style *style)
{
	int key;

	while ((key = opt_next(cmd, argc, argv)) != -1)
		out_option(style, key);
}

/**
 * out_wants_colour - check whether to print colours on standard output
 * @when: argument of the option --color, or NULL
 *
 * Return: true if colours are to be printed, else false.
 */
bool out_wants_colour(const char *when)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (when && !strcmp(when, "always"))
		return true;
	if (when && !strcmp(when, "never"))
		return false;
	return isatty(STDOUT_FILENO) && !(no && *no) &&
	       !(term && !strcmp(term, "dumb"));
}

/**
 * out_open - begin output
 * @style: style of the output
 * @columns: columns of the table, which must outlive the output
 * @count: number of columns
 *
 * Return: the output, which out_close() prints and frees.
 */
struct out *out_open(const struct out_style *style,
		     const struct out_column *columns, unsigned int count)
{
	struct out *out = array_grow(NULL, 1, sizeof(*out));

	memset(out, 0, sizeof(*out));
	out->style = *style;
	out->columns = columns;
	out->count = count;
	for (out->last = count - 1; columns[out->last].hidden; out->last--)
		;
	out->coloured = out_wants_colour(style->colour);
	if (style->json)
		out->stack[0] = json_object_new_object();
	return out;
}

/**
 * out_open_text - begin output of sentences
 * @style: style of the output
 *
 * Return: the output, which out_close() prints and frees.
 */
struct out *out_open_text(const struct out_style *style)
{
	static const struct out_column column;
	struct out *out = out_open(style, &column, 1);

	out->sentences = true;
	return out;
}

static struct cell *out_cell_at(const struct out *out, size_t row,
				unsigned int col)
{
	return &out->cells[row * out->count + col];
}

static const char *out_cell_text(const struct out *out, size_t row,
				 unsigned int col)
{
	const struct cell *cell = out_cell_at(out, row, col);

	if (cell->text && *cell->text)
		return cell->text;
	return out->sentences ? "" : "-";
}

static void out_append(struct out *out, const char *lead, const char *text)
{
	struct cell *cell;
	size_t old;

	if (out->columns[out->column].hidden)
		return;
	cell = out_cell_at(out, out->rows - 1, out->column);
	old = cell->text ? strlen(cell->text) : 0;
	if (*lead == ',' && (!old || cell->text[old - 1] == ' '))
		lead++;
	cell->text = array_grow(cell->text,
				old + strlen(lead) + strlen(text) + 1, 1);
	strcpy(stpcpy(cell->text + old, lead), text);
}

static void out_json_add(struct out *out, const char *key,
			 struct json_object *o)
{
	json_object_object_add(out->stack[out->depth], key, o);
}

/**
 * out_list - begin a list, which lasts until the next list begins
 * @out: output
 * @key: name of the list in JSON
 */
void out_list(struct out *out, const char *key)
{
	if (!out->style.json)
		return;
	out->list = json_object_new_array();
	out_json_add(out, key, out->list);
}

/**
 * out_row - begin a row
 * @out: output
 */
void out_row(struct out *out)
{
	if (out->style.json) {
		if (!out->list)
			return;
		out->stack[++out->depth] = json_object_new_object();
		json_object_array_add(out->list, out->stack[out->depth]);
		return;
	}
	if (out->rows == out->capacity) {
		out->capacity = out->capacity ? 2 * out->capacity : 64;
		out->cells = array_grow(out->cells, out->capacity,
					out->count * sizeof(*out->cells));
	}
	out->rows++;
	out->column = 0;
	memset(out_cell_at(out, out->rows - 1, 0), 0,
	       out->count * sizeof(*out->cells));
}

/**
 * out_row_end - end a row
 * @out: output
 */
void out_row_end(struct out *out)
{
	if (out->depth)
		out->depth--;
}

/**
 * out_group - begin a JSON object in the current object; no effect on a table
 * @out: output
 * @key: name of the object in JSON
 */
void out_group(struct out *out, const char *key)
{
	struct json_object *o;

	if (!out->style.json)
		return;
	o = json_object_new_object();
	out_json_add(out, key, o);
	out->stack[++out->depth] = o;
}

/**
 * out_group_end - end the JSON object that out_group() has begun
 * @out: output
 */
void out_group_end(struct out *out)
{
	if (out->style.json)
		out->depth--;
}

/**
 * out_cell - choose the cell that the next values go to
 * @out: output
 * @column: index of the column
 */
void out_cell(struct out *out, unsigned int column)
{
	out->column = column;
}

/**
 * out_colour - colour the current cell
 * @out: output
 * @colour: the colour
 */
void out_colour(struct out *out, enum out_colour colour)
{
	if (!out->style.json)
		out_cell_at(out, out->rows - 1, out->column)->colour = colour;
}

/**
 * out_cell_empty - check whether the current cell is empty
 * @out: output
 *
 * Return: true if the cell is empty or the output is JSON, else false.
 */
bool out_cell_empty(const struct out *out)
{
	return out->style.json ||
	       !out_cell_at(out, out->rows - 1, out->column)->text;
}

/**
 * out_uint - print a number
 * @out: output
 * @key: name of the number in JSON, or NULL
 * @lead: text before the number in the table, or NULL
 * @value: the number
 */
void out_uint(struct out *out, const char *key, const char *lead,
	      uint64_t value)
{
	char text[24];

	if (out->style.json) {
		if (key)
			out_json_add(out, key, json_object_new_uint64(value));
		return;
	}
	if (!lead)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	out_append(out, lead, text);
}

/**
 * out_double - print a number in JSON; print nothing in a table
 * @out: output
 * @key: name of the number
 * @value: the number
 */
void out_double(struct out *out, const char *key, double value)
{
	if (out->style.json)
		out_json_add(out, key, json_object_new_double(value));
}

/**
 * out_bool - print a boolean value
 * @out: output
 * @key: name of the value in JSON, or NULL
 * @lead: text that the table has for true, or NULL
 * @value: the value
 */
void out_bool(struct out *out, const char *key, const char *lead, bool value)
{
	if (!out->style.json && lead && value)
		out_append(out, lead, "");
	else if (out->style.json && key)
		out_json_add(out, key, json_object_new_boolean(value));
}

static void out_ms_to_text(uint64_t ms, char *text, size_t size)
{
	unsigned long long s = ms / 1000;

	if (!s)
		snprintf(text, size, "%llums", (unsigned long long)ms);
	else if (s < 60)
		snprintf(text, size, "%llu.%us", s,
			 (unsigned int)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(text, size, "%llumin%02us", s / 60,
			 (unsigned int)(s % 60));
	else
		snprintf(text, size, "%lluh%02umin", s / 3600,
			 (unsigned int)(s % 3600 / 60));
}

/**
 * out_ms - print a duration: in milliseconds in JSON, as in 1.2s in the table
 * @out: output
 * @key: name of the duration in JSON, or NULL
 * @lead: text before the duration in the table, or NULL
 * @ms: the duration, milliseconds
 */
void out_ms(struct out *out, const char *key, const char *lead, uint64_t ms)
{
	char text[32];

	if (out->style.json) {
		out_uint(out, key, NULL, ms);
		return;
	}
	if (!lead)
		return;
	out_ms_to_text(ms, text, sizeof(text));
	out_append(out, lead, text);
}

/**
 * out_string - print a string
 * @out: output
 * @key: name of the string in JSON, or NULL
 * @lead: text before the string in the table, or NULL
 * @value: the string, of printable characters only
 */
void out_string(struct out *out, const char *key, const char *lead,
		const char *value)
{
	if (!out->style.json && lead)
		out_append(out, lead, value);
	else if (out->style.json && key)
		out_json_add(out, key, json_object_new_string(value));
}

/**
 * out_word - print a word that differs between the table and JSON
 * @out: output
 * @key: name of the word in JSON
 * @json: the word in JSON
 * @text: the word in the table
 */
void out_word(struct out *out, const char *key, const char *json,
	      const char *text)
{
	out_string(out, key, "", out->style.json ? json : text);
}

/**
 * out_text - print formatted text; print nothing in JSON
 * @out: output
 * @fmt: format of the text
 */
void out_text(struct out *out, const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (out->style.json)
		return;
	va_start(ap, fmt);
	text = message_format(fmt, ap);
	va_end(ap);
	out_append(out, "", text);
	free(text);
}

/**
 * out_coloured_text - print text in a colour; print nothing in JSON
 * @out: output of out_open_text(), in which a colour has no width
 * @colour: the colour
 * @text: the text
 */
void out_coloured_text(struct out *out, enum out_colour colour,
		       const char *text)
{
	const char *code = out->coloured ? out_colour_code(colour) : NULL;

	out_text(out, "%s%s%s", code ? : "", text, code ? OUT_COLOUR_END : "");
}

/**
 * out_colour_code - get the escape sequence that begins a colour
 * @colour: the colour
 *
 * OUT_COLOUR_END ends each colour.
 *
 * Return: the sequence, or NULL for OUT_PLAIN.
 */
const char *out_colour_code(enum out_colour colour)
{
	static const char * const codes[] = {
		[OUT_GREEN] = "\033[32m",
		[OUT_YELLOW] = "\033[33m",
		[OUT_CYAN] = "\033[36m",
		[OUT_RED] = "\033[31m",
		[OUT_DIM] = "\033[2m",
	};

	return codes[colour];
}

/*
 * Print a cell. Cells of the last column are not padded, so no line ends with
 * spaces.
 */
static void out_print_cell(const struct out *out, unsigned int col, int width,
			   const char *text, enum out_colour colour)
{
	bool coloured = out->coloured && colour != OUT_PLAIN;
	int pad = width - (int)strlen(text);

	if (out->columns[col].right)
		printf("%*s", pad, "");
	if (coloured)
		fputs(out_colour_code(colour), stdout);
	fputs(text, stdout);
	if (coloured)
		fputs(OUT_COLOUR_END, stdout);
	if (col != out->last)
		printf("%*s", (out->columns[col].right ? 0 : pad) + OUT_GAP,
		       "");
}

static int out_column_width(const struct out *out, unsigned int col,
			    bool header)
{
	size_t width = header ? strlen(out->columns[col].title) : 0;
	size_t row, len;

	for (row = 0; row < out->rows; row++) {
		len = strlen(out_cell_text(out, row, col));
		if (len > width)
			width = len;
	}
	return width;
}

static void out_print_row(const struct out *out, size_t row, const int *widths)
{
	unsigned int col;

	for (col = 0; col < out->count; col++)
		if (!out->columns[col].hidden)
			out_print_cell(out, col, widths[col],
				       out_cell_text(out, row, col),
				       out_cell_at(out, row, col)->colour);
	putchar('\n');
}

static void out_print_table(const struct out *out)
{
	int *widths = array_grow(NULL, out->count, sizeof(*widths));
	bool header = !out->style.no_header && !out->sentences;
	unsigned int col;
	size_t row;

	for (col = 0; col < out->count; col++)
		widths[col] = out_column_width(out, col, header);
	for (col = 0; col < out->count && header; col++)
		if (!out->columns[col].hidden)
			out_print_cell(out, col, widths[col],
				       out->columns[col].title, OUT_PLAIN);
	if (header)
		putchar('\n');
	for (row = 0; row < out->rows; row++)
		out_print_row(out, row, widths);
	free(widths);
}

/**
 * out_discard - free the output without printing it
 * @out: output
 */
void out_discard(struct out *out)
{
	size_t i;

	for (i = 0; i < out->rows * out->count; i++)
		free(out->cells[i].text);
	free(out->cells);
	if (out->style.json)
		json_object_put(out->stack[0]);
	free(out);
}

static void out_print_json(const struct out *out)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (!out->style.line)
		flags |= JSON_C_TO_STRING_PRETTY;
	if (!out->style.line && !out->style.tight)
		flags |= JSON_C_TO_STRING_SPACED;
	puts(json_object_to_json_string_ext(out->stack[0], flags));
}

/**
 * out_close - print the output and free it
 * @out: output
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int out_close(struct out *out)
{
	if (out->style.json)
		out_print_json(out);
	else
		out_print_table(out);
	out_discard(out);
	return out_flush();
}

/**
 * out_flush - write the buffered data of standard output
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int out_flush(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	message_error("cannot write to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}
