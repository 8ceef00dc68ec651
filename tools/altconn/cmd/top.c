// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn top" shows rates and one of four lists on the whole screen.
 *
 * The output is made as lines of text first. A terminal shows as many lines as
 * there is room for, and --batch prints all lines.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <curses.h>

#include "lib/command.h"
#include "lib/filter.h"
#include "lib/out.h"
#include "lib/reason.h"
#include "lib/row.h"
#include "lib/rule.h"
#include "lib/sample.h"
#include "lib/sort.h"

enum { OPT_SORT = 800 };

#define LISTENER_KEYS	"rate failed overflow"

const struct opt top_opts[] = {
	FILTER_OPTS,
	{ 'd', "delay", "SECONDS", NULL, "time between two looks; 1 if not given" },
	{ 'n', "count", "N", NULL, "end after so many" },
	{ 'b', "batch", NULL, NULL, "print one after the other; no terminal is needed" },
	{ 'j', "json", NULL, NULL, "print JSON, a line for each; likewise" },
	{ OPT_SORT, "sort", "KEY", LISTENER_KEYS " " SORT_KEYS, "order" },
	{ 'r', "reverse", NULL, NULL, "turn the order round" },
	OPT_COLOR_ENTRY,
	{ }
};

enum view { VIEW_LISTENERS, VIEW_CONNECTIONS, VIEW_WAITING, VIEW_REASONS, VIEWS };

static const struct {
	const char *name;
	const char *list;
	const char *sorts;
	const char *header;
} views[VIEWS] = {
	[VIEW_LISTENERS] = {
		"listeners", "listeners", LISTENER_KEYS " queue wait local pid type id",
		"TYPE         QUEUE   WAIT   ESTAB/s  WAITED/s  FAILED/s OVERFLOW/s  ADDRESS                  PROCESS",
	},
	[VIEW_CONNECTIONS] = {
		"connections", "connections", SORT_KEYS,
		"TYPE      STATE        RECV-Q   SEND-Q       AGE  LOCAL -> PEER                            PROCESSES",
	},
	[VIEW_WAITING] = {
		"waiting", "attempts", "wait age pid type local peer id",
		"TYPE      PLACE          WAITED   RULE  LOCAL -> PEER                            PROCESS",
	},
	[VIEW_REASONS] = {
		"outcomes", "outcomes", "",
		"REASON                        PER SECOND            TOTAL",
	},
};

#define WORD_MAX	24

/**
 * struct look - state of the network namespace at one time
 * @sample: counters and totals
 * @found: associations and sockets
 */
struct look {
	struct sample sample;
	struct found found;
};

/**
 * struct line - a line of the screen
 * @text: text without control characters
 * @colour: colour of the whole line
 * @header: the line is the header of the list
 */
struct line {
	char *text;
	enum out_colour colour;
	bool header;
};

/**
 * struct top - options and state
 * @filter: selects the rows
 * @delay: time between two looks, seconds
 * @count: number of looks to print; 0 is no limit
 * @batch: print to standard output, without a terminal
 * @json: print JSON instead of text
 * @coloured: print colours
 * @view: list that is shown
 * @sort: key of the order of each list, or empty if the list is not sorted
 * @reverse: reverse the order
 * @paused: show no new looks
 * @help: show the help instead of the list
 * @first: index of the first row that is shown
 * @then: the look before @now
 * @now: the newest look
 * @rates: rates between @then and @now
 * @lines: lines of the output
 * @n_lines: number of lines
 * @room: number of lines for which @lines has memory
 */
struct top {
	struct filter filter;
	double delay;
	unsigned long count;
	bool batch, json, coloured;
	enum view view;
	char sort[VIEWS][WORD_MAX];
	bool reverse, paused, help;
	size_t first;
	struct look then, now;
	struct interval rates;
	struct line *lines;
	size_t n_lines, room;
};

/* ---- lines ---- */

__printf(3, 4)
static struct line *add_line(struct top *top, enum out_colour colour,
			     const char *fmt, ...)
{
	struct line *line;
	va_list args;

	if (top->n_lines == top->room) {
		top->room = top->room ? 2 * top->room : 64;
		top->lines = grow(top->lines, top->room, sizeof(*top->lines));
	}
	line = &top->lines[top->n_lines++];
	line->colour = colour;
	line->header = false;
	va_start(args, fmt);
	if (vasprintf(&line->text, fmt, args) < 0) {
		complain("top: no memory");
		exit(EXIT_FAILED);
	}
	va_end(args);
	return line;
}

static void forget_lines(struct top *top)
{
	while (top->n_lines)
		free(top->lines[--top->n_lines].text);
}

static void format_age(uint64_t ms, char *text, size_t size)
{
	unsigned long long s = ms / 1000;

	if (s < 60)
		snprintf(text, size, "%llu.%us", s, (unsigned int)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(text, size, "%llum%02llus", s / 60, s % 60);
	else
		snprintf(text, size, "%lluh%02llum", s / 3600, s / 60 % 60);
}

static void add_head(struct top *top)
{
	const struct interval *r = &top->rates;
	char when[16], p50[SAMPLE_LIMIT_MAX], p99[SAMPLE_LIMIT_MAX];
	char latency[2 * SAMPLE_LIMIT_MAX + 64] = "";
	time_t now = time(NULL);

	strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
	add_line(top, OUT_PLAIN,
		 "altconn top  %s  every %gs%s   associations %llu  inbound %llu  sockets %llu  queued %llu  waiting %llu",
		 when, top->delay, top->paused ? "  PAUSED" : "",
		 (unsigned long long)top->now.sample.family.assocs,
		 (unsigned long long)top->now.sample.family.inbound,
		 (unsigned long long)top->now.sample.family.sockets,
		 (unsigned long long)top->now.sample.queued,
		 (unsigned long long)top->now.sample.waiting);
	sample_limit(r->p50, p50);
	sample_limit(r->p99, p99);
	if (r->established)
		snprintf(latency, sizeof(latency),
			 "   half of them in < %s, 99%% in < %s", p50, p99);
	add_line(top, OUT_PLAIN,
		 "per second: attempts %.0f  established %.0f  failed %.0f  waited %.0f  accepted %.0f%s",
		 r->attempts, r->established, r->failed, r->waited, r->accepted,
		 latency);
	add_line(top, OUT_PLAIN, "%s", "");
	add_line(top, OUT_PLAIN, "%s", views[top->view].header)->header = true;
}

/* ---- listeners ---- */

/**
 * struct busy - a listener and its rates
 * @sock: the listener
 * @established: attempts that were established, per second
 * @waited: attempts that had to wait, per second
 * @failed: attempts that failed, per second
 * @overflow: attempts that failed because the backlog or the waiting room was
 *	full, per second
 */
struct busy {
	const struct sock *sock;
	double established, waited, failed, overflow;
};

static int compare_ids(const void *key, const void *member)
{
	const uint64_t *id = key;
	const struct sock *s = member;

	return (*id > s->id) - (*id < s->id);
}

/* Return the number of attempts that have failed for any reason. */
static uint64_t failures(const struct sock *s)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->outcome[i].key != ALTCONN_REASON_ESTABLISHED)
			sum += s->outcome[i].count;
	return sum;
}

/*
 * Compute the rates of a listener. The counters of a listener that is new since
 * the look before began at zero. At the first look all rates are zero.
 */
static struct busy busy_of(const struct top *top, const struct sock *now)
{
	static const struct sock nothing;
	const struct found *before = &top->then.found;
	const struct sock *then = before->n_socks ?
		bsearch(&now->id, before->socks, before->n_socks,
			sizeof(*before->socks), compare_ids) : NULL;
	double s = top->rates.seconds;

	if (!then)
		then = top->then.sample.ns ? &nothing : now;
	return (struct busy) {
		.sock = now,
		.established = (now->established - then->established) / s,
		.waited = (now->waited - then->waited) / s,
		.failed = (failures(now) - failures(then)) / s,
		.overflow = (now->overflow - then->overflow) / s,
	};
}

static double busy_value(const struct busy *b, const char *key)
{
	if (!strcmp(key, "rate"))
		return b->established;
	return strcmp(key, "failed") ? b->overflow : b->failed;
}

static int compare_busy(const void *left, const void *right, void *data)
{
	const struct busy *a = left, *b = right;
	const struct top *top = data;
	const char *key = top->sort[VIEW_LISTENERS];
	double x = busy_value(a, key), y = busy_value(b, key);

	if (x == y)
		return (a->sock->id > b->sock->id) - (a->sock->id < b->sock->id);
	return (x < y) != top->reverse ? 1 : -1;
}

static void add_listener(struct top *top, const struct busy *b)
{
	const struct sock *s = b->sock;
	enum out_colour colour = OUT_PLAIN;
	char addr[ADDR_TEXT_MAX], process[ROW_PROCESS_MAX], queue[32];

	addr_format(&s->owner.addr, addr);
	row_process(&s->owner, process);
	snprintf(queue, sizeof(queue), "%u/%u", s->queued, s->backlog);
	if (b->failed)
		colour = OUT_RED;
	else if (s->waiting)
		colour = OUT_YELLOW;
	else if (b->established)
		colour = OUT_GREEN;
	add_line(top, colour, "%-9s %8s %6u %9.0f %9.0f %9.0f %10.0f  %-24s %s",
		 type_name(s->type), queue, s->waiting, b->established,
		 b->waited, b->failed, b->overflow, addr, process);
}

/*
 * Return the listeners that the filter selects, in the order of the view, as an
 * array that the caller frees. @n: gets their number.
 */
static struct busy *busy_listeners(struct top *top, size_t *n)
{
	const struct found *found = &top->now.found;
	struct busy *all = grow(NULL, found->n_socks + 1, sizeof(*all));
	size_t i;

	*n = 0;
	for (i = 0; i < found->n_socks; i++)
		if (found->socks[i].listening &&
		    filter_sock(&top->filter, &found->socks[i]))
			all[(*n)++] = busy_of(top, &found->socks[i]);
	if (opt_word_in(LISTENER_KEYS, top->sort[VIEW_LISTENERS]))
		qsort_r(all, *n, sizeof(*all), compare_busy, top);
	return all;
}

static void add_listeners(struct top *top)
{
	size_t n, i;
	struct busy *all = busy_listeners(top, &n);

	for (i = 0; i < n; i++)
		add_listener(top, &all[i]);
	free(all);
}

static void put_listeners(struct top *top, struct out *out)
{
	size_t n, i;
	struct busy *all = busy_listeners(top, &n);

	for (i = 0; i < n; i++) {
		out_row(out);
		row_sock(out, all[i].sock);
		out_double(out, "established_per_s", all[i].established);
		out_double(out, "waited_per_s", all[i].waited);
		out_double(out, "failed_per_s", all[i].failed);
		out_double(out, "overflow_per_s", all[i].overflow);
		out_row_end(out);
	}
	free(all);
}

/* ---- associations ---- */

static void format_ends(const struct assoc *a, char *text)
{
	char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX];

	addr_format(&a->client.addr, client);
	addr_format(&a->server.addr, server);
	sprintf(text, "%s -> %s", client, server);
}

static void add_connection(struct top *top, const struct assoc *a)
{
	char ends[2 * ADDR_TEXT_MAX + 8], age[24];
	char client[ROW_PROCESS_MAX], server[ROW_PROCESS_MAX];
	bool is_open = a->state == ALTCONN_ASSOC_STATE_ESTABLISHED;

	format_ends(a, ends);
	format_age(a->age_ms, age, sizeof(age));
	row_process(&a->client, client);
	row_process(&a->server, server);
	add_line(top, is_open ? OUT_PLAIN : OUT_DIM,
		 "%-9s %-11s %8u %8u %9s  %-40s %s -> %s", type_name(a->type),
		 assoc_state(a->state) ? : "?", a->client.recv_queue,
		 a->server.recv_queue, age, ends, client, server);
}

static void add_waiter(struct top *top, const struct assoc *a)
{
	char ends[2 * ADDR_TEXT_MAX + 8], waited[24], client[ROW_PROCESS_MAX];
	char place[16] = "-", rule[16] = "-";

	format_ends(a, ends);
	format_age(a->waited_ms, waited, sizeof(waited));
	row_process(&a->client, client);
	if (a->place)
		snprintf(place, sizeof(place), "%u", a->place);
	if (record_has(a->known, ALTCONN_A_ASSOC_RULE))
		snprintf(rule, sizeof(rule), "%u", a->rule);
	add_line(top, OUT_YELLOW, "%-9s %5s %15s %6s  %-40s %s",
		 type_name(a->type), place, waited, rule, ends, client);
}

/* Check whether an association belongs to the list that is shown. */
static bool in_view(const struct top *top, const struct assoc *a)
{
	return (a->state == ALTCONN_ASSOC_STATE_PENDING) ==
	       (top->view == VIEW_WAITING) && filter_assoc(&top->filter, a);
}

static void add_assocs(struct top *top)
{
	const struct found *found = &top->now.found;
	size_t i;

	for (i = 0; i < found->n_assocs; i++) {
		if (!in_view(top, &found->assocs[i]))
			continue;
		if (top->view == VIEW_WAITING)
			add_waiter(top, &found->assocs[i]);
		else
			add_connection(top, &found->assocs[i]);
	}
}

static void put_assocs(struct top *top, struct out *out)
{
	const struct found *found = &top->now.found;
	size_t i;

	for (i = 0; i < found->n_assocs; i++) {
		if (!in_view(top, &found->assocs[i]))
			continue;
		out_row(out);
		row_assoc(out, &found->assocs[i]);
		out_row_end(out);
	}
}

/* Return the number of attempts per second that ended for one reason. */
static double reason_rate(const struct top *top, const struct stat_part *now)
{
	const struct counters *then = &top->then.sample.counters;

	if (!top->then.sample.ns)
		return 0;
	return (now->count - sample_count(then->outcome, then->n, now->key)) /
	       top->rates.seconds;
}

static void add_reasons(struct top *top)
{
	const struct counters *now = &top->now.sample.counters;
	size_t i;

	for (i = 0; i < now->n; i++)
		add_line(top, now->outcome[i].key == ALTCONN_REASON_ESTABLISHED ?
			 OUT_GREEN : OUT_RED, "%-28s %11.0f %16llu",
			 reason_name(now->outcome[i].key),
			 reason_rate(top, &now->outcome[i]),
			 (unsigned long long)now->outcome[i].count);
}

static void put_reasons(struct top *top, struct out *out)
{
	const struct counters *now = &top->now.sample.counters;
	size_t i;

	for (i = 0; i < now->n; i++) {
		out_row(out);
		out_string(out, "reason", NULL, reason_name(now->outcome[i].key));
		out_double(out, "per_s", reason_rate(top, &now->outcome[i]));
		out_uint(out, "count", NULL, now->outcome[i].count);
		out_row_end(out);
	}
}

static void sort_view(struct top *top)
{
	const char *sort = top->sort[top->view];

	if (opt_word_in(SORT_KEYS, sort))
		sort_found(&top->now.found, sort, top->reverse);
}

static void make_lines(struct top *top)
{
	forget_lines(top);
	sort_view(top);
	add_head(top);
	if (top->view == VIEW_LISTENERS)
		add_listeners(top);
	else if (top->view == VIEW_REASONS)
		add_reasons(top);
	else
		add_assocs(top);
}

/* ---- looking ---- */

static void forget(struct look *look)
{
	found_free(&look->found);
	memset(look, 0, sizeof(*look));
}

static int look(struct top *top)
{
	struct look next = { };
	int ret = sample_take(&next.sample);

	if (ret == EXIT_OK)
		ret = found_ask(&next.found, NULL);
	if (ret != EXIT_OK) {
		forget(&next);
		return ret;
	}
	forget(&top->then);
	top->then = top->now;
	top->now = next;
	/* busy_of() finds sockets by their ids. */
	sort_found(&top->then.found, "id", false);
	/* There is no look before the first one, so all rates are zero. */
	if (!top->then.sample.ns) {
		top->rates = (struct interval) { .seconds = 1 };
		return EXIT_OK;
	}
	top->rates = sample_between(&top->then.sample, &top->now.sample);
	return EXIT_OK;
}

/* ---- batch mode ---- */

static int print_lines(const struct top *top)
{
	const char *code;
	size_t i;

	for (i = 0; i < top->n_lines; i++) {
		code = top->coloured ? out_code(top->lines[i].colour) : NULL;
		printf("%s%s%s\n", code ? : "", top->lines[i].text,
		       code ? "\033[0m" : "");
	}
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_OK;
	complain("top: cannot write: %s", strerror(errno));
	return EXIT_FAILED;
}

static int print_json(struct top *top)
{
	struct out *out = sample_json(&top->rates, &top->now.sample);

	sort_view(top);
	out_list(out, views[top->view].list);
	if (top->view == VIEW_LISTENERS)
		put_listeners(top, out);
	else if (top->view == VIEW_REASONS)
		put_reasons(top, out);
	else
		put_assocs(top, out);
	return out_close(out);
}

static int run_batch(struct top *top)
{
	unsigned long n;
	int ret = look(top);

	for (n = 0; ret == EXIT_OK && (!top->count || n < top->count); n++) {
		sample_sleep(top->delay);
		ret = look(top);
		if (ret != EXIT_OK)
			break;
		if (top->json) {
			ret = print_json(top);
			continue;
		}
		if (n)
			putchar('\n');
		make_lines(top);
		ret = print_lines(top);
	}
	return ret;
}

/* ---- on a terminal ---- */

static const char * const help_lines[] = {
	"Tab, Left, Right   another list: listeners, connections, waiting, outcomes",
	"l c w o            that list",
	"s S                order by the next key, or the one before",
	"r                  turn the order round",
	"Up Down PgUp PgDn Home End   move",
	"Space p            pause, go on",
	"+ -                look less, more often",
	"q Esc              end",
	"",
	"Green: connections are made.  Yellow: somebody waits.  Red: attempts fail.",
	"",
	"Any key goes back.",
};

static int attribute(enum out_colour colour)
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

/* Number of lines that are always shown at the top. */
#define HEAD	4

static size_t page(void)
{
	int rows = getmaxy(stdscr) - HEAD - 1;

	return rows > 0 ? rows : 1;
}

static void put(int row, const char *text, int attributes)
{
	attrset(attributes);
	mvaddnstr(row, 0, text, getmaxx(stdscr));
	clrtoeol();
	attrset(A_NORMAL);
}

static void draw_bottom(const struct top *top, size_t rows)
{
	char text[512];

	snprintf(text, sizeof(text),
		 " %s %zu-%zu of %zu   sort: %s%s   q end  Tab lists  s sort  r reverse  p pause  h help ",
		 views[top->view].name, rows ? top->first + 1 : 0,
		 top->first + page() < rows ? top->first + page() : rows, rows,
		 *top->sort[top->view] ? top->sort[top->view] : "-",
		 top->reverse ? " (reversed)" : "");
	put(getmaxy(stdscr) - 1, text, A_REVERSE);
}

static void draw_help(void)
{
	size_t i;

	erase();
	for (i = 0; i < ARRAY_SIZE(help_lines); i++)
		put(i + 1, help_lines[i], A_NORMAL);
	refresh();
}

static void draw(struct top *top)
{
	size_t rows, i;

	if (top->help) {
		draw_help();
		return;
	}
	make_lines(top);
	rows = top->n_lines - HEAD;
	if (top->first + page() > rows)
		top->first = rows > page() ? rows - page() : 0;
	erase();
	for (i = 0; i < HEAD; i++)
		put(i, top->lines[i].text, top->lines[i].header ? A_REVERSE :
		    i ? A_NORMAL : A_BOLD);
	for (i = 0; i < page() && top->first + i < rows; i++)
		put(HEAD + i, top->lines[HEAD + top->first + i].text,
		    attribute(top->lines[HEAD + top->first + i].colour));
	draw_bottom(top, rows);
	refresh();
}

/*
 * Replace @now by the word that is @step words after it in @words. The first
 * word follows the last one.
 */
static void step_word(const char *words, char *now, int step)
{
	char all[128], list[32][WORD_MAX], *word, *save;
	int n = 0, at = 0;

	snprintf(all, sizeof(all), "%s", words);
	for (word = strtok_r(all, " ", &save); word && n < 32;
	     word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, now))
			at = n;
		snprintf(list[n++], WORD_MAX, "%s", word);
	}
	if (n)
		strcpy(now, list[(at + n + step) % n]);
}

static void show_view(struct top *top, enum view view)
{
	top->view = view;
	top->first = 0;
}

static void move_by(struct top *top, long rows)
{
	top->first = rows < 0 && top->first < (size_t)-rows ? 0 :
		     top->first + rows;
}

static void set_delay(struct top *top, double factor)
{
	double delay = top->delay * factor;

	if (delay >= 0.1 && delay <= 60)
		top->delay = delay;
}

/* Choose the list. Return whether the key is one that chooses a list. */
static bool take_view_key(struct top *top, int key)
{
	switch (key) {
	case '\t':
	case KEY_RIGHT:
		show_view(top, (top->view + 1) % VIEWS);
		break;
	case KEY_LEFT:
	case KEY_BTAB:
		show_view(top, (top->view + VIEWS - 1) % VIEWS);
		break;
	case 'l':
		show_view(top, VIEW_LISTENERS);
		break;
	case 'c':
		show_view(top, VIEW_CONNECTIONS);
		break;
	case 'w':
		show_view(top, VIEW_WAITING);
		break;
	case 'o':
		show_view(top, VIEW_REASONS);
		break;
	default:
		return false;
	}
	return true;
}

static bool take_move_key(struct top *top, int key)
{
	switch (key) {
	case KEY_UP:
		move_by(top, -1);
		break;
	case KEY_DOWN:
		move_by(top, 1);
		break;
	case KEY_PPAGE:
		move_by(top, -(long)page());
		break;
	case KEY_NPAGE:
		move_by(top, page());
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
static bool take_key(struct top *top, int key)
{
	if (top->help) {
		top->help = false;
		return true;
	}
	if (take_view_key(top, key) || take_move_key(top, key))
		return true;
	switch (key) {
	case 's':
	case 'S':
		step_word(views[top->view].sorts, top->sort[top->view],
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
		set_delay(top, 2);
		break;
	case '-':
		set_delay(top, 0.5);
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

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static bool terminal_is_gone(void)
{
	struct pollfd p = { .fd = STDIN_FILENO };

	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL);
}

/*
 * Handle keys until @until, in seconds of CLOCK_MONOTONIC. Return true when the
 * time has come, or false if the program is to end.
 */
static bool wait_for_keys(struct top *top, double until)
{
	double left;
	int key;

	while ((left = until - seconds_now()) > 0) {
		timeout(left * 1000 + 1);
		key = getch();
		/* getch() fails before its timeout if the terminal is gone. */
		if (key == ERR && seconds_now() < until && terminal_is_gone())
			return false;
		if (key != ERR && !take_key(top, key))
			return false;
		if (key != ERR)
			draw(top);
	}
	return true;
}

static int loop(struct top *top)
{
	unsigned long n;
	int ret = look(top);

	for (n = 0; ret == EXIT_OK && (!top->count || n < top->count);) {
		draw(top);
		if (!wait_for_keys(top, seconds_now() + top->delay))
			return EXIT_OK;
		if (top->paused)
			continue;
		ret = look(top);
		n++;
	}
	return ret;
}

static void begin_colours(const struct top *top)
{
	if (!top->coloured || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(OUT_GREEN, COLOR_GREEN, -1);
	init_pair(OUT_YELLOW, COLOR_YELLOW, -1);
	init_pair(OUT_CYAN, COLOR_CYAN, -1);
	init_pair(OUT_RED, COLOR_RED, -1);
}

/* Restore the terminal, also when the program ends by exit(). */
static void leave_screen(void)
{
	if (!isendwin())
		endwin();
}

static int run_screen(struct top *top)
{
	SCREEN *screen;
	int ret;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("top: this is no terminal; --batch does without");
		return EXIT_FAILED;
	}
	setlocale(LC_CTYPE, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		complain("top: nobody knows a terminal '%s' (TERM); --batch does without",
			 getenv("TERM") ? : "");
		return EXIT_FAILED;
	}
	atexit(leave_screen);
	cbreak();
	noecho();
	keypad(stdscr, true);
	set_escdelay(50);
	curs_set(0);
	begin_colours(top);
	ret = loop(top);
	endwin();
	delscreen(screen);
	/* The error message went with the screen, so look once more. */
	if (ret != EXIT_OK && look(top) == EXIT_OK)
		complain("top: the module did not answer for a moment");
	return ret;
}

/* ---- the command ---- */

static int parse_count(struct top *top)
{
	char *end;

	errno = 0;
	top->count = strtoul(optarg, &end, 10);
	if (*optarg >= '0' && *optarg <= '9' && !*end && !errno && top->count)
		return EXIT_OK;
	complain("top: '%s' is no count", optarg);
	return EXIT_USAGE;
}

/*
 * Set the order of all lists that have the key, and choose the first of these
 * lists.
 */
static void set_sort(struct top *top, const char *key)
{
	int view, first = VIEWS;

	for (view = VIEWS - 1; view >= 0; view--) {
		if (!opt_word_in(views[view].sorts, key))
			continue;
		snprintf(top->sort[view], WORD_MAX, "%s", key);
		first = view;
	}
	if (first < VIEWS)
		top->view = first;
}

static int take_option(struct top *top, int key)
{
	switch (key) {
	case 'd':
		return sample_interval("top", optarg, &top->delay);
	case 'n':
		return parse_count(top);
	case 'b':
		top->batch = true;
		return EXIT_OK;
	case 'j':
		top->json = true;
		top->batch = true;
		return EXIT_OK;
	case 'r':
		top->reverse = true;
		return EXIT_OK;
	case OPT_SORT:
		set_sort(top, optarg);
		return EXIT_OK;
	case OPT_COLOR:
		top->coloured = out_wants_colour(optarg);
		return EXIT_OK;
	default:
		return filter_option(&top->filter, "top", key);
	}
}

/*
 * If the user selects one sort of rows, begin with the list of that sort. The
 * filter does not restrict the lists by sort.
 */
static void choose_view(struct top *top)
{
	unsigned int want = top->filter.want;

	if (want == WANT_CONNECTED)
		top->view = VIEW_CONNECTIONS;
	else if (want == WANT_WAITING)
		top->view = VIEW_WAITING;
	else if (want == WANT_LISTENERS)
		top->view = VIEW_LISTENERS;
	top->filter.want = 0;
}

/**
 * top_main - run "altconn top"
 * @cmd: entry of the command in commands[]
 * @argc: number of words
 * @argv: the words, the name of the command first
 *
 * Return: the exit code.
 */
int top_main(const struct command *cmd, int argc, char **argv)
{
	struct top top = {
		.delay = 1,
		.coloured = out_wants_colour(NULL),
		.sort = {
			[VIEW_LISTENERS] = "rate",
			[VIEW_CONNECTIONS] = "queue",
			[VIEW_WAITING] = "wait",
		},
	};
	int key, ret = EXIT_OK;

	while (ret == EXIT_OK && (key = opt_next(cmd, argc, argv)) != -1)
		ret = take_option(&top, key);
	if (ret == EXIT_OK)
		ret = filter_addresses(&top.filter, cmd->name, argc - optind,
				       argv + optind);
	if (ret == EXIT_OK) {
		choose_view(&top);
		ret = top.batch ? run_batch(&top) : run_screen(&top);
	}
	forget(&top.then);
	forget(&top.now);
	forget_lines(&top);
	free(top.lines);
	free(top.filter.addrs);
	return ret;
}
