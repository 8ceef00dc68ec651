// SPDX-License-Identifier: GPL-2.0
/*
 * This file shows the lines of "altconn top" on a terminal, and handles keys.
 */
#include <locale.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curses.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/top.h"

static const char * const top_help[] = {
	"Tab, Left, Right   another list: listeners, connections, waiting, outcomes",
	"l c w o            that list",
	"s S                sort by the next key, or by the one before",
	"r                  reverse the order",
	"Up Down PgUp PgDn Home End   move in the list",
	"Space p            pause, or go on",
	"+ -                take samples less often, more often",
	"q Esc              end",
	"",
	"Green: connections are made.  Yellow: attempts wait.  Red: attempts fail.",
	"",
	"Any key shows the list again.",
};

static int top_attribute(enum out_colour colour)
{
	switch (colour) {
	case OUT_GREEN:
	case OUT_YELLOW:
	case OUT_CYAN:
	case OUT_RED:
		return COLOR_PAIR(colour);
	case OUT_DIM:
		return A_DIM;
	default:
		return A_NORMAL;
	}
}

static size_t top_page(void)
{
	int rows = getmaxy(stdscr) - TOP_HEAD - 1;

	return rows > 0 ? rows : 1;
}

static void top_draw_line(int row, const char *text, int attributes)
{
	attrset(attributes);
	mvaddnstr(row, 0, text, getmaxx(stdscr));
	clrtoeol();
	attrset(A_NORMAL);
}

static void top_draw_bottom(const struct top *top, size_t rows)
{
	size_t last = top->first + top_page();
	char text[512];

	snprintf(text, sizeof(text),
		 " %s %zu-%zu of %zu   sort: %s%s   q end  Tab lists  s sort  r reverse  p pause  h help ",
		 top_views[top->view].name, rows ? top->first + 1 : 0,
		 last < rows ? last : rows, rows,
		 *top->sort[top->view] ? top->sort[top->view] : "-",
		 top->reverse ? " (reversed)" : "");
	top_draw_line(getmaxy(stdscr) - 1, text, A_REVERSE);
}

static void top_draw_help(void)
{
	size_t i;

	erase();
	for (i = 0; i < ARRAY_SIZE(top_help); i++)
		top_draw_line(i + 1, top_help[i], A_NORMAL);
	refresh();
}

static void top_draw(struct top *top)
{
	const struct top_line *line;
	size_t rows, i;

	if (top->help) {
		top_draw_help();
		return;
	}
	top_make_lines(top);
	rows = top->n_lines - TOP_HEAD;
	if (top->first + top_page() > rows)
		top->first = rows > top_page() ? rows - top_page() : 0;
	erase();
	for (i = 0; i < TOP_HEAD; i++) {
		line = &top->lines[i];
		top_draw_line(i, line->text, line->header ? A_REVERSE :
					     i ? A_NORMAL : A_BOLD);
	}
	for (i = 0; i < top_page() && top->first + i < rows; i++) {
		line = &top->lines[TOP_HEAD + top->first + i];
		top_draw_line(TOP_HEAD + i, line->text,
			      top_attribute(line->colour));
	}
	top_draw_bottom(top, rows);
	refresh();
}

/*
 * Replace @now by the word that is @step words after it in @words. The first
 * word follows the last one.
 */
static void top_step_word(const char *words, char *now, int step)
{
	char all[128], list[32][TOP_KEY_MAX], *word, *save;
	int n = 0, at = 0;

	snprintf(all, sizeof(all), "%s", words);
	for (word = strtok_r(all, " ", &save); word && n < 32;
	     word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, now))
			at = n;
		snprintf(list[n++], TOP_KEY_MAX, "%s", word);
	}
	if (n)
		strcpy(now, list[(at + n + step) % n]);
}

static void top_choose(struct top *top, enum top_view view)
{
	top->view = view;
	top->first = 0;
}

static void top_scroll(struct top *top, long rows)
{
	top->first = rows < 0 && top->first < (size_t)-rows ? 0 :
		     top->first + rows;
}

static void top_scale_delay(struct top *top, double factor)
{
	double delay = top->delay * factor;

	if (delay >= 0.1 && delay <= 60)
		top->delay = delay;
}

/* Handle a key that chooses a list. Return false for another key. */
static bool top_view_key(struct top *top, int key)
{
	switch (key) {
	case '\t':
	case KEY_RIGHT:
		top_choose(top, (top->view + 1) % VIEWS);
		break;
	case KEY_LEFT:
	case KEY_BTAB:
		top_choose(top, (top->view + VIEWS - 1) % VIEWS);
		break;
	case 'l':
		top_choose(top, VIEW_LISTENERS);
		break;
	case 'c':
		top_choose(top, VIEW_CONNECTIONS);
		break;
	case 'w':
		top_choose(top, VIEW_WAITING);
		break;
	case 'o':
		top_choose(top, VIEW_REASONS);
		break;
	default:
		return false;
	}
	return true;
}

/* Handle a key that moves in the list. Return false for another key. */
static bool top_scroll_key(struct top *top, int key)
{
	switch (key) {
	case KEY_UP:
		top_scroll(top, -1);
		break;
	case KEY_DOWN:
		top_scroll(top, 1);
		break;
	case KEY_PPAGE:
		top_scroll(top, -(long)top_page());
		break;
	case KEY_NPAGE:
		top_scroll(top, top_page());
		break;
	case KEY_HOME:
		top->first = 0;
		break;
	case KEY_END:
		top->first = top->n_lines;
		break;
	default:
		return false;
	}
	return true;
}

/* Handle a key. Return false if the key ends the program, else true. */
static bool top_key(struct top *top, int key)
{
	if (top->help) {
		top->help = false;
		return true;
	}
	if (top_view_key(top, key) || top_scroll_key(top, key))
		return true;
	switch (key) {
	case 's':
	case 'S':
		top_step_word(top_views[top->view].keys, top->sort[top->view],
			      key == 's' ? 1 : -1);
		break;
	case 'r':
		top->reverse = !top->reverse;
		break;
	case 'p':
	case ' ':
		top->paused = !top->paused;
		break;
	case '+':
		top_scale_delay(top, 2);
		break;
	case '-':
		top_scale_delay(top, 0.5);
		break;
	case 'h':
	case '?':
		top->help = true;
		break;
	case 'q':
	case 27:
		return false;
	}
	return true;
}

static double top_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static bool top_terminal_is_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/*
 * Handle keys until @until, in seconds of CLOCK_MONOTONIC. Return true at that
 * time, or false if a key or the terminal ends the program.
 */
static bool top_wait_for_keys(struct top *top, double until)
{
	double left;
	int key;

	while ((left = until - top_clock()) > 0) {
		timeout(left * 1000 + 1);
		key = getch();
		/* getch() fails before its timeout if the terminal is gone. */
		if (key == ERR && top_clock() < until && top_terminal_is_gone())
			return false;
		if (key != ERR && !top_key(top, key))
			return false;
		if (key != ERR)
			top_draw(top);
	}
	return true;
}

static int top_loop(struct top *top)
{
	unsigned long n;
	int ret = top_take(top);

	for (n = 0; ret == EXIT_OK && (!top->count || n < top->count);) {
		top_draw(top);
		if (!top_wait_for_keys(top, top_clock() + top->delay))
			return EXIT_OK;
		if (top->paused)
			continue;
		ret = top_take(top);
		n++;
	}
	return ret;
}

static void top_begin_colours(const struct top *top)
{
	if (!out_wants_colour(top->style.colour) || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(OUT_GREEN, COLOR_GREEN, -1);
	init_pair(OUT_YELLOW, COLOR_YELLOW, -1);
	init_pair(OUT_CYAN, COLOR_CYAN, -1);
	init_pair(OUT_RED, COLOR_RED, -1);
}

/* Restore the terminal, also when the program ends by exit(). */
static void top_leave_screen(void)
{
	if (!isendwin())
		endwin();
}

/**
 * top_run_screen - show the lists on the terminal until a key ends the program
 * @top: the options
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int top_run_screen(struct top *top)
{
	SCREEN *screen;
	int ret;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		message_error("top: standard input or output is no terminal; --batch needs none");
		return EXIT_FAILED;
	}
	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		message_error("top: the terminal '%s' (TERM) is unknown; --batch needs none",
			      getenv("TERM") ? : "");
		return EXIT_FAILED;
	}
	atexit(top_leave_screen);
	cbreak();
	noecho();
	keypad(stdscr, true);
	set_escdelay(50);
	curs_set(0);
	top_begin_colours(top);
	ret = top_loop(top);
	endwin();
	delscreen(screen);
	/*
	 * The error message was erased with the screen. Another sample fails
	 * with the same message.
	 */
	if (ret != EXIT_OK && top_take(top) == EXIT_OK)
		message_error("top: the module did not answer for a short time");
	return ret;
}
