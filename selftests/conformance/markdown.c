// SPDX-License-Identifier: GPL-2.0
/* Print the matrix of clauses by families, and below it what the cells mean. */
#include "conformance.h"

#include <sys/utsname.h>

static const char *series(void)
{
	static char text[32];
	struct utsname u;
	int major, minor;

	uname(&u);
	if (sscanf(u.release, "%d.%d", &major, &minor) != 2)
		return u.release[0] ? "unknown" : "";
	snprintf(text, sizeof(text), "%d.%d", major, minor);
	return text;
}

/* A cell of the matrix: the number of cases for each result */
struct cell {
	int cases[3];
	int tried, deviating;	/* sets of socket types */
};

static struct cell cell_of(const struct suite *s, const struct family *f,
			   const struct clause *c)
{
	struct cell cell = {};
	const struct test *t;

	for (t = s->cases; t < s->cases + s->ncases; t++) {
		if (t->f != f || t->clause != c)
			continue;
		cell.cases[t->result]++;
		if (t->result != CANNOT)
			cell.tried |= t->type;
		if (t->result == DEVIATES)
			cell.deviating |= t->type;
	}
	return cell;
}

static void print_cell(FILE *out, const struct cell *cell)
{
	if (!cell->tried) {
		fputs(" - |", out);
		return;
	}
	if (!cell->deviating) {
		fputs(" holds |", out);
		return;
	}
	fputs(" **deviates**", out);
	if (cell->deviating != cell->tried) {
		fputs(": ", out);
		print_types(out, cell->deviating);
	}
	fputs(" |", out);
}

static bool in_table(const struct suite *s, int i, bool altconn)
{
	return s->family[i] && !s->missing[i] &&
	       is_altconn(&families[i]) == altconn;
}

static void print_head(FILE *out, const struct suite *s, bool altconn)
{
	int i;

	fputs("\n| clause |", out);
	for (i = 0; i < nfamilies; i++) {
		if (in_table(s, i, altconn))
			fprintf(out, " %s |", families[i].name);
	}
	fputs("\n| --- |", out);
	for (i = 0; i < nfamilies; i++) {
		if (in_table(s, i, altconn))
			fputs(" --- |", out);
	}
	fputc('\n', out);
}

static void print_sums(FILE *out, const struct suite *s, bool altconn)
{
	int i, holds;

	fputs("| cases that hold |", out);
	for (i = 0; i < nfamilies; i++) {
		if (!in_table(s, i, altconn))
			continue;
		holds = suite_count(s, &families[i], HOLDS);
		fprintf(out, " %d of %d |", holds,
			holds + suite_count(s, &families[i], DEVIATES));
	}
	fputc('\n', out);
}

static bool any_in_table(const struct suite *s, bool altconn)
{
	int i;

	for (i = 0; i < nfamilies; i++) {
		if (in_table(s, i, altconn))
			return true;
	}
	return false;
}

static void print_table(FILE *out, const struct suite *s, bool altconn)
{
	struct cell cell;
	int i, j;

	if (!any_in_table(s, altconn))
		return;
	print_head(out, s, altconn);
	for (i = 0; i < nclauses; i++) {
		if (!s->clause[i])
			continue;
		fprintf(out, "| %s |", clauses[i].name);
		for (j = 0; j < nfamilies; j++) {
			if (!in_table(s, j, altconn))
				continue;
			cell = cell_of(s, &families[j], &clauses[i]);
			print_cell(out, &cell);
		}
		fputc('\n', out);
	}
	print_sums(out, s, altconn);
}

/* Return whether an earlier case of the same cell has the same text. */
static bool is_repeated(const struct suite *s, const struct test *t)
{
	const struct test *e;

	for (e = s->cases; e < t; e++) {
		if (e->f == t->f && e->clause == t->clause &&
		    e->result == t->result && !strcmp(e->seen, t->seen))
			return true;
	}
	return false;
}

/*
 * Print the type and mode of each case of the cell that has this text. Print
 * nothing if all tried cases have it.
 */
static void print_where(FILE *out, const struct suite *s, const struct test *t)
{
	struct cell cell = cell_of(s, t->f, t->clause);
	const struct test *e;
	int n = 0;

	for (e = t; e < s->cases + s->ncases; e++)
		n += e->f == t->f && e->clause == t->clause &&
		     !strcmp(e->seen, t->seen);
	if (n == cell.cases[HOLDS] + cell.cases[DEVIATES])
		return;
	for (e = t; e < s->cases + s->ncases; e++) {
		if (e->f != t->f || e->clause != t->clause ||
		    strcmp(e->seen, t->seen))
			continue;
		fprintf(out, ", %s%s%s", type_name(e->type), e->mode ? " " : "",
			mode_name(e->mode));
	}
}

static void print_deviations(FILE *out, const struct suite *s)
{
	const struct family *last = NULL;
	const struct test *t;

	for (t = s->cases; t < s->cases + s->ncases; t++) {
		if (t->result != DEVIATES || is_repeated(s, t))
			continue;
		if (!last)
			fputs("\n## Deviations\n", out);
		if (t->f != last)
			fprintf(out, "\n### %s\n\n", t->f->name);
		last = t->f;
		fprintf(out, "- %s", t->clause->name);
		print_where(out, s, t);
		fprintf(out, ": %s\n", t->seen);
	}
}

/*
 * Return whether an earlier case of the same clause has the same reason. A
 * reason is printed once for each clause, with all of its families.
 */
static bool reason_before(const struct suite *s, const struct test *t)
{
	const struct test *e;

	for (e = s->cases; e < t; e++) {
		if (e->clause == t->clause && e->result == CANNOT &&
		    !strcmp(e->seen, t->seen))
			return true;
	}
	return false;
}

static void print_reason(FILE *out, const struct suite *s,
			 const struct test *t)
{
	const struct family *last = NULL;
	const struct test *e;

	fprintf(out, "  - %s:", t->seen);
	for (e = t; e < s->cases + s->ncases; e++) {
		if (e->clause != t->clause || e->result != CANNOT ||
		    strcmp(e->seen, t->seen) || e->f == last)
			continue;
		fprintf(out, "%s %s", last ? "," : "", e->f->name);
		last = e->f;
	}
	fputc('\n', out);
}

static void print_reasons(FILE *out, const struct suite *s)
{
	const struct test *t;
	bool named;
	int i;

	fputs("\n## Clauses that cannot apply\n\n", out);
	for (i = 0; i < nclauses; i++) {
		named = false;
		for (t = s->cases; t < s->cases + s->ncases; t++) {
			if (t->clause != &clauses[i] || t->result != CANNOT ||
			    reason_before(s, t))
				continue;
			if (!named)
				fprintf(out, "- %s\n", clauses[i].name);
			named = true;
			print_reason(out, s, t);
		}
	}
	for (t = s->cases; t < s->cases + s->ncases; t++) {
		if (!t->clause)
			fprintf(out, "- %s%s%s: %s\n", t->f->name,
				t->type ? " " : "",
				t->type ? type_name(t->type) : "", t->seen);
	}
}

static void print_clauses(FILE *out, const struct suite *s)
{
	int i;

	fputs("\n## Clauses\n\n", out);
	for (i = 0; i < nclauses; i++) {
		if (s->clause[i])
			fprintf(out, "- **%s**: %s\n", clauses[i].name,
				clauses[i].text);
	}
}

static const char head[] =
	"# Does connect() do what its manual says?\n\n"
	"`make conformance` wrote this page on Linux %s, from the results of\n"
	"`connect-conformance`. Each sentence of the connect(2) manuals is a\n"
	"clause. Each clause is tried on every type of socket that the clause\n"
	"is about, blocking and non-blocking.\n\n"
	"- *holds*: all cases of the family do what the clause says.\n"
	"- *deviates*: some cases do not. If only some types of sockets\n"
	"  deviate, the cell names them. The results are below.\n"
	"- *-*: the clause cannot apply to the family, for a reason that is\n"
	"  below, or the family has no socket of these types.\n";

void markdown(FILE *out, const struct suite *s)
{
	fprintf(out, head, series());
	print_table(out, s, true);
	print_table(out, s, false);
	print_deviations(out, s);
	print_reasons(out, s);
	print_clauses(out, s);
}
