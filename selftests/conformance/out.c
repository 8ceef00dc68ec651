// SPDX-License-Identifier: GPL-2.0
/* Print TAP, and the lists of --list and --explain. */
#include "conformance.h"

#include <stdlib.h>

bool use_color;

static const char *color(const char *code)
{
	return use_color ? code : "";
}

#define GREEN	color("\033[32m")
#define RED	color("\033[31m")
#define BOLD	color("\033[1m")
#define DIM	color("\033[2m")
#define OFF	color("\033[0m")

void tap_begin(const struct suite *s)
{
	if (!getenv("KSFT_TAP_LEVEL"))
		puts("TAP version 13");
	printf("1..%d\n", s->ncases);
}

static void tap_name(const struct test *t)
{
	printf(" %s", t->f->name);
	if (t->type)
		printf(" %s", type_name(t->type));
	if (t->mode)
		printf(" %s", mode_name(t->mode));
	if (t->clause)
		printf(" %s", t->clause->name);
}

void tap_case(const struct test *t, int n)
{
	bool bad = t->result == DEVIATES;

	printf("%s%s%s %d", bad ? RED : GREEN, bad ? "not ok" : "ok", OFF, n);
	tap_name(t);
	if (bad)
		printf(" # seen %s", t->seen);
	else if (t->result == CANNOT)
		printf(" %s# SKIP %s%s", DIM, t->seen, OFF);
	putchar('\n');
	fflush(stdout);
}

void tap_end(const struct suite *s)
{
	const struct family *f;
	int i, skipped = 0;

	for (i = 0; i < nfamilies; i++) {
		f = &families[i];
		if (s->family[i] && !s->missing[i])
			printf("# %s: %d hold, %d deviate, %d cannot apply\n",
			       f->name, suite_count(s, f, HOLDS),
			       suite_count(s, f, DEVIATES),
			       suite_count(s, f, CANNOT));
	}
	for (i = 0; i < s->ncases; i++)
		skipped += s->cases[i].result == CANNOT;
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n",
	       suite_count(s, NULL, HOLDS), suite_count(s, NULL, DEVIATES),
	       skipped);
}

/* Print text for a terminal, and indent all lines but the first. */
static void fold(const char *text, int indent)
{
	int width = 78 - indent, len;

	while ((int)strlen(text) > width) {
		for (len = width; len && text[len] != ' '; len--)
			;
		printf("%.*s\n%*s", len ?: width, text, indent, "");
		text += len ? len + 1 : width;
	}
	puts(text);
}

void list_all(void)
{
	int i;

	for (i = 0; i < nclauses; i++) {
		printf("%s%-15s%s ", BOLD, clauses[i].name, OFF);
		fold(clauses[i].text, 16);
	}
	putchar('\n');
	for (i = 0; i < nfamilies; i++)
		printf("%s%-21s%s %s\n", BOLD, families[i].name, OFF,
		       families[i].text);
}

void print_types(FILE *out, int types)
{
	const char *comma = "";
	int type;

	for (type = STREAM; type <= DGRAM; type <<= 1) {
		if (!(types & type))
			continue;
		fprintf(out, "%s%s", comma, type_name(type));
		comma = ", ";
	}
}

/*
 * Print the first reason why a clause cannot be tried on a family, and the
 * types if the reason is not for all types.
 */
static void explain_family(const struct clause *c, const struct family *f)
{
	int types = f->types & c->types, type, exempt = 0;
	const char *why = "the family has no such sockets", *one;

	for (type = STREAM; type <= DGRAM; type <<= 1) {
		one = exempt_why(f, c->name, type);
		if (!(types & type) || !one)
			continue;
		why = one;
		exempt |= type;
	}
	if (types && !exempt)
		return;
	printf("  %-21s %s", f->name, why);
	if (exempt != types) {
		printf(" (");
		print_types(stdout, exempt);
		putchar(')');
	}
	putchar('\n');
}

static const char *modes_text(int modes)
{
	if (!modes)
		return "";
	return modes == BOTH ? ", blocking and non-blocking" :
	       modes == BLOCKING ? ", blocking" : ", non-blocking";
}

int explain(const char *name)
{
	const struct clause *c = clause_find(name);
	int i;

	if (!c)
		return -1;
	printf("%s%s%s\n  ", BOLD, c->name, OFF);
	fold(c->text, 2);
	fputs("Socket types\n  ", stdout);
	print_types(stdout, c->types);
	printf("%s\nHow it is tried\n  ", modes_text(c->modes));
	fold(c->how, 2);
	puts("Families to which it cannot apply");
	for (i = 0; i < nfamilies; i++)
		explain_family(c, &families[i]);
	return 0;
}
