// SPDX-License-Identifier: GPL-2.0
/* Parse the options and run the suite. */
#include "conformance.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>

#define VERSION "1.0"

/* Exit status of the program */
enum { NOTHING_DEVIATES, SOMETHING_DEVIATES, CANNOT_RUN };

static struct suite suite;
static const char *json_file, *markdown_file;
static bool want_json, want_markdown;

static void __noreturn __printf(1, 2) fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("connect-conformance: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(CANNOT_RUN);
}

static const char usage_text[] =
	"Usage: connect-conformance [OPTION]...\n"
	"Try every sentence of connect(2) on every socket family.\n\n"
	"  -f, --family=NAME[,NAME]  try these families; altconn is each of\n"
	"                            its kinds of addresses\n"
	"  -c, --clause=NAME[,NAME]  try these clauses, such as E-INTR\n"
	"  -l, --list                list the clauses and the families\n"
	"  -e, --explain=CLAUSE      explain how a clause is tried\n"
	"  -t, --tap                 print each result (the default)\n"
	"  -j, --json[=FILE]         print JSON, or write it to FILE\n"
	"  -m, --markdown[=FILE]     print the matrix, or write it to FILE\n"
	"      --color[=WHEN]        print colours: auto, always or never\n"
	"  -h, --help                print this text\n"
	"      --version             print the version\n\n"
	"The exit status is 0 if nothing deviates, 1 if something deviates,\n"
	"and 2 if the clauses cannot be tried.\n"
	"The program makes a network namespace of its own. For this it runs\n"
	"as root, or makes a user namespace.";

/* Select a family, or all families with names that begin with @name. */
static void select_family(const char *name)
{
	size_t len = strlen(name);
	int i, found = 0;

	for (i = 0; i < nfamilies; i++) {
		if (strcmp(families[i].name, name))
			continue;
		suite.family[i] = true;
		return;
	}
	for (i = 0; i < nfamilies; i++) {
		if (len < 3 || strncmp(families[i].name, name, len))
			continue;
		suite.family[i] = true;
		found++;
	}
	if (!found)
		fail("unknown family '%s'; --list shows the families", name);
}

static void select_clause(const char *name)
{
	const struct clause *c = clause_find(name);

	if (!c)
		fail("unknown clause '%s'; --list shows the clauses", name);
	suite.clause[c - clauses] = true;
}

static void each_word(char *list, void (*select)(const char *name))
{
	char *word, *rest = NULL;

	for (word = strtok_r(list, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest))
		select(word);
}

static void set_color(const char *when)
{
	if (!when || !strcmp(when, "auto"))
		use_color = isatty(STDOUT_FILENO);
	else if (!strcmp(when, "always") || !strcmp(when, "never"))
		use_color = when[0] == 'a';
	else
		fail("--color is auto, always or never, and not '%s'", when);
}

enum { OPT_COLOR = 256, OPT_VERSION };

static const struct option options[] = {
	{ .name = "family", .has_arg = required_argument, .val = 'f' },
	{ .name = "clause", .has_arg = required_argument, .val = 'c' },
	{ .name = "list", .has_arg = no_argument, .val = 'l' },
	{ .name = "explain", .has_arg = required_argument, .val = 'e' },
	{ .name = "tap", .has_arg = no_argument, .val = 't' },
	{ .name = "json", .has_arg = optional_argument, .val = 'j' },
	{ .name = "markdown", .has_arg = optional_argument, .val = 'm' },
	{ .name = "color", .has_arg = optional_argument, .val = OPT_COLOR },
	{ .name = "help", .has_arg = no_argument, .val = 'h' },
	{ .name = "version", .has_arg = no_argument, .val = OPT_VERSION },
	{}
};

/* Handle an option that only prints something, and exit. */
static void print_only(int opt, const char *arg)
{
	switch (opt) {
	case 'l':
		list_all();
		break;
	case 'e':
		if (explain(arg))
			fail("unknown clause '%s'; --list shows the clauses",
			     arg);
		break;
	case 'h':
		puts(usage_text);
		break;
	case OPT_VERSION:
		puts("connect-conformance " VERSION);
		break;
	default:
		fail("see --help for the options");
	}
	exit(0);
}

static void parse(int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "f:c:le:tj::m::h", options,
				  NULL)) >= 0) {
		switch (opt) {
		case 'f':
			each_word(optarg, select_family);
			break;
		case 'c':
			each_word(optarg, select_clause);
			break;
		case 't':
			want_json = false;
			want_markdown = false;
			break;
		case 'j':
			want_json = true;
			json_file = optarg;
			break;
		case 'm':
			want_markdown = true;
			markdown_file = optarg;
			break;
		case OPT_COLOR:
			set_color(optarg ?: "always");
			break;
		default:
			print_only(opt, optarg);
		}
	}
	if (optind < argc)
		fail("unknown argument '%s'", argv[optind]);
	if (want_json && !json_file && want_markdown && !markdown_file)
		fail("--json and --markdown cannot both print");
}

static bool none(const bool *chosen, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (chosen[i])
			return false;
	}
	return true;
}

static void default_to_all(bool *chosen, int n)
{
	int i;

	if (!none(chosen, n))
		return;
	for (i = 0; i < n; i++)
		chosen[i] = true;
}

static FILE *output(const char *file)
{
	FILE *out = file ? fopen(file, "w") : stdout;

	if (!out)
		fail("%s: %s", file, strerror(errno));
	return out;
}

static void write_files(FILE *json_out, FILE *markdown_out)
{
	if (json_out && json(json_out, &suite))
		fail("the program was built without json-c");
	if (markdown_out)
		markdown(markdown_out, &suite);
	if ((json_out && fflush(json_out)) ||
	    (markdown_out && fflush(markdown_out)))
		fail("cannot write the results: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	FILE *json_out = NULL, *markdown_out = NULL;
	bool tap;

	set_color(NULL);
	parse(argc, argv);
	default_to_all(suite.family, nfamilies);
	default_to_all(suite.clause, nclauses);
	tap = !(want_json && !json_file) && !(want_markdown && !markdown_file);
	if (want_json)
		json_out = output(json_file);
	if (want_markdown)
		markdown_out = output(markdown_file);
	if (netns_enter())
		fail("cannot make a network namespace: %s; %s",
		     strerror(errno), "run as root or allow user namespaces");
	suite_plan(&suite);
	if (tap)
		tap_begin(&suite);
	suite_run(&suite, tap ? tap_case : NULL);
	if (tap)
		tap_end(&suite);
	write_files(json_out, markdown_out);
	return suite_count(&suite, NULL, DEVIATES) ? SOMETHING_DEVIATES :
						     NOTHING_DEVIATES;
}
