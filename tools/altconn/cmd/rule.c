// SPDX-License-Identifier: GPL-2.0
/*
 * "altconn rule" lists and changes the rules, which decide on attempts and on
 * datagrams.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/message.h"
#include "lib/nl.h"
#include "lib/opt.h"
#include "lib/out.h"
#include "lib/parse.h"
#include "lib/record.h"
#include "lib/rule.h"

static const struct opt rule_opts[] = {
	OUT_OPT_NO_HEADER,
	OUT_OPT_JSON,
	OUT_OPT_COLOR,
	{ }
};

/* Largest number of words in a line of a file, and of rules in a request. */
#define WORDS_MAX	64
#define RULES_MAX	4096

/**
 * struct rules - a list of rules
 * @rule: the rules
 * @n: number of rules
 */
struct rules {
	struct rule *rule;
	size_t n;
};

static struct rule *rule_one_more(struct rules *rules)
{
	rules->rule = array_add(rules->rule, rules->n, sizeof(*rules->rule));
	return &rules->rule[rules->n++];
}

/* ---- list and save ---- */

static int rule_on_rule(const struct nlmsghdr *nlh, void *data)
{
	return record_read_rule(nlh, rule_one_more(data));
}

static void rule_reset(void *data)
{
	struct rules *rules = data;

	rules->n = 0;
}

static int rule_get(struct rules *rules)
{
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_dump(&nl, ALTCONN_CMD_RULE_GET, rule_on_rule,
			      rule_reset, rules);
	nl_close(&nl);
	return ret;
}

enum {
	COL_ID, COL_PRIORITY, COL_HITS, COL_LAST, COL_TYPE, COL_TO, COL_CALLER,
	COL_VERDICT, COL_WHEN, COL_COUNT
};

static const struct out_column rule_columns[COL_COUNT] = {
	[COL_ID] = { "ID", .right = true },
	[COL_PRIORITY] = { "PRIO", .right = true },
	[COL_HITS] = { "HITS", .right = true },
	[COL_LAST] = { "LAST", .right = true },
	[COL_TYPE] = { "TYPE" },
	[COL_TO] = { "TO" },
	[COL_CALLER] = { "CALLER" },
	[COL_VERDICT] = { "VERDICT" },
	[COL_WHEN] = { "WHEN" },
};

static enum out_colour rule_colour(const struct rule *rule)
{
	if (record_has(rule->known, ALTCONN_A_RULE_TIMES) && !rule->left)
		return OUT_DIM;
	switch (rule->verdict) {
	case ALTCONN_VERDICT_ALLOW:
		return OUT_GREEN;
	case ALTCONN_VERDICT_DROP:
	case ALTCONN_VERDICT_DELAY:
		return OUT_YELLOW;
	default:
		return OUT_RED;
	}
}

/* Print a number if the rule has the attribute @attr. */
static void rule_put_uint(struct out *out, const struct rule *rule,
			  unsigned int attr, const char *key, const char *lead,
			  uint32_t value)
{
	if (record_has(rule->known, attr))
		out_uint(out, key, lead, value);
}

static void rule_put_match(struct out *out, const struct rule *rule)
{
	char dest[RULE_TEXT_MAX];

	out_cell(out, COL_TYPE);
	if (record_has(rule->known, ALTCONN_A_RULE_TYPE))
		out_string(out, "type", "", record_type_name(rule->type));
	out_cell(out, COL_TO);
	rule_dest_to_text(rule, dest);
	if (*dest)
		out_string(out, "to", "", dest);
	out_cell(out, COL_CALLER);
	rule_put_uint(out, rule, ALTCONN_A_RULE_UID, "uid", ",uid=", rule->uid);
	rule_put_uint(out, rule, ALTCONN_A_RULE_GID, "gid", ",gid=", rule->gid);
}

static void rule_put_verdict(struct out *out, const struct rule *rule)
{
	out_cell(out, COL_VERDICT);
	out_string(out, "verdict", "", rule_verdict_name(rule->verdict));
	out_colour(out, rule_colour(rule));
	if (record_has(rule->known, ALTCONN_A_RULE_DELAY_MS))
		out_ms(out, "delay_ms", " ", rule->delay_ms);
	if (record_has(rule->known, ALTCONN_A_RULE_JITTER_MS))
		out_ms(out, "jitter_ms", " jitter ", rule->jitter_ms);
}

static void rule_put_when(struct out *out, const struct rule *rule)
{
	char percent[32];

	out_cell(out, COL_WHEN);
	rule_put_uint(out, rule, ALTCONN_A_RULE_EVERY, "every", ",every=",
		      rule->every);
	if (record_has(rule->known, ALTCONN_A_RULE_PROBABILITY)) {
		snprintf(percent, sizeof(percent), "%.10g%%",
			 rule->probability / 1e4);
		out_string(out, NULL, ",probability=", percent);
		out_uint(out, "probability_ppm", NULL, rule->probability);
	}
	rule_put_uint(out, rule, ALTCONN_A_RULE_LEFT, "left", ",left=", rule->left);
	rule_put_uint(out, rule, ALTCONN_A_RULE_TIMES, "times", "/", rule->times);
}

static int rule_print(const struct rules *rules, const struct out_style *style)
{
	struct out *out = out_open(style, rule_columns, COL_COUNT);
	const struct rule *rule;
	size_t i;

	out_list(out, "rules");
	for (i = 0; i < rules->n; i++) {
		rule = &rules->rule[i];
		out_row(out);
		out_cell(out, COL_ID);
		out_uint(out, "id", "", rule->id);
		out_cell(out, COL_PRIORITY);
		out_uint(out, "priority", "", rule->priority);
		out_cell(out, COL_HITS);
		out_uint(out, "hits", "", rule->hits);
		out_cell(out, COL_LAST);
		if (record_has(rule->known, ALTCONN_A_RULE_IDLE_MS))
			out_ms(out, "idle_ms", "", rule->idle_ms);
		rule_put_match(out, rule);
		rule_put_verdict(out, rule);
		rule_put_when(out, rule);
		out_row_end(out);
	}
	return out_close(out);
}

static int rule_list(const struct out_style *style)
{
	struct rules rules = { };
	int ret = rule_get(&rules);

	if (ret == EXIT_OK)
		ret = rule_print(&rules, style);
	free(rules.rule);
	return ret;
}

static int rule_save(void)
{
	struct rules rules = { };
	char text[RULE_TEXT_MAX];
	int ret = rule_get(&rules);
	size_t i;

	if (ret == EXIT_OK)
		puts("# altconn rules; 'altconn rule restore FILE' reads them");
	for (i = 0; i < rules.n && ret == EXIT_OK; i++) {
		rule_to_text(&rules.rule[i], text);
		puts(text);
	}
	free(rules.rule);
	return ret == EXIT_OK ? out_flush() : ret;
}

/* ---- changes ---- */

static int rule_print_id(uint32_t id, const struct out_style *style)
{
	struct out_style line = *style;
	struct out *out;

	line.line = true;
	out = out_open_text(&line);
	out_row(out);
	out_uint(out, "id", "", id);
	out_row_end(out);
	return out_close(out);
}

static int rule_on_id(const struct nlmsghdr *nlh, void *data)
{
	return record_read_rule(nlh, data);
}

static int rule_add(char **words, const struct out_style *style)
{
	const char *word, *wrong;
	struct nlmsghdr *nlh;
	struct rule rule;
	struct nl nl;
	int ret;

	wrong = rule_parse(words, &rule, &word);
	if (!wrong && record_has(rule.known, ALTCONN_A_RULE_ID)) {
		word = "id";
		wrong = "the module chooses the id";
	}
	if (wrong) {
		if (word)
			message_error("rule add: '%s': %s", word, wrong);
		else
			message_error("rule add: %s", wrong);
		return EXIT_USAGE;
	}
	ret = nl_open(&nl);
	if (ret == EXIT_OK) {
		nlh = nl_request(&nl, ALTCONN_CMD_RULE_ADD, 0);
		record_write_rule(nlh, &rule);
		ret = nl_talk(&nl, rule_on_id, &rule);
	}
	nl_close(&nl);
	return ret == EXIT_OK ? rule_print_id(rule.id, style) : ret;
}

static int rule_parse_one_id(const char *action, const char *text, uint32_t *id)
{
	uint64_t value;

	if (parse_id(text, UINT32_MAX, &value)) {
		*id = value;
		return EXIT_OK;
	}
	message_error("rule %s: '%s' is no id of a rule; 'altconn rule' lists the ids",
		      action, text);
	return EXIT_USAGE;
}

/* Send a request for each id, after all ids have been checked. */
static int rule_send_each(const char *name, uint8_t cmd, char **ids)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	uint32_t id = 0;
	int ret, i;

	for (i = 0; ids[i]; i++)
		if (rule_parse_one_id(name, ids[i], &id))
			return EXIT_USAGE;
	ret = nl_open(&nl);
	for (i = 0; ids[i] && ret == EXIT_OK; i++) {
		rule_parse_one_id(name, ids[i], &id);
		nlh = nl_request(&nl, cmd, 0);
		mnl_attr_put_u32(nlh, ALTCONN_A_RULESET_ID, id);
		ret = nl_talk(&nl, NULL, NULL);
		if (ret != EXIT_OK)
			message_error("rule %s: rule %u is unchanged%s", name, id,
				      ids[i + 1] ? ", and so are the rules after it" : "");
	}
	nl_close(&nl);
	return ret;
}

static int rule_zero_all(void)
{
	struct nl nl;
	int ret = nl_open(&nl);

	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_RULE_ZERO, NULL, NULL);
	nl_close(&nl);
	return ret;
}

/*
 * Write a request with all rules. Return the offset of each rule in the
 * request, as an array that the caller frees.
 */
static uint32_t *rule_write_all(struct nl *nl, const struct rules *rules)
{
	struct nlmsghdr *nlh = nl_request(nl, ALTCONN_CMD_RULE_RESTORE,
					  rules->n * RULE_MESSAGE_MAX);
	uint32_t *begins = array_grow(NULL, rules->n + 1, sizeof(*begins));
	size_t i;

	for (i = 0; i < rules->n; i++) {
		begins[i] = nlh->nlmsg_len;
		record_write_rule(nlh, &rules->rule[i]);
	}
	return begins;
}

/*
 * Print the line of the rule that the module has refused. @offset: offset in
 * the request that the module has reported, or 0.
 */
static void rule_print_line(const struct rules *rules, const uint32_t *begins,
			    uint32_t offset, const char *name)
{
	size_t i = rules->n;

	while (i && begins[i - 1] > offset)
		i--;
	if (i && offset)
		message_error("rule restore: %s:%u: the module refuses this rule", name,
			      rules->rule[i - 1].line);
}

static int rule_replace(const struct rules *rules, const char *name)
{
	uint32_t *begins;
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK) {
		begins = rule_write_all(&nl, rules);
		ret = nl_talk(&nl, NULL, NULL);
		if (ret != EXIT_OK)
			rule_print_line(rules, begins, nl.bad_offset, name);
		free(begins);
	}
	nl_close(&nl);
	return ret;
}

/* Read one line of a file. A rule and a remark are both optional. */
static int rule_read_line(char *line, const char *name, unsigned int number,
			  struct rules *rules)
{
	char *words[WORDS_MAX + 1], *save = NULL;
	const char *word = NULL, *wrong = "the line has too many words";
	size_t n = 0;

	words[0] = strtok_r(line, " \t\r\n", &save);
	/* A remark is a word that begins with "#", and all words after it. */
	while (words[n] && words[n][0] != '#' && n < WORDS_MAX)
		words[++n] = strtok_r(NULL, " \t\r\n", &save);
	if (!n)
		return EXIT_OK;
	if (!words[n] || words[n][0] == '#') {
		words[n] = NULL;
		wrong = rule_parse(words, rule_one_more(rules), &word);
	}
	if (!wrong && rules->n > RULES_MAX)
		wrong = "a file has at most 4096 rules";
	if (!wrong) {
		rules->rule[rules->n - 1].line = number;
		return EXIT_OK;
	}
	if (word)
		message_error("rule restore: %s:%u: '%s': %s", name, number, word,
			      wrong);
	else
		message_error("rule restore: %s:%u: %s", name, number, wrong);
	return EXIT_USAGE;
}

/* Refuse a file in which two rules have the same id. */
static int rule_check_ids(const struct rules *rules, const char *name)
{
	size_t i, j;

	for (i = 0; i < rules->n; i++)
		for (j = 0; j < i; j++)
			if (rules->rule[i].id &&
			    rules->rule[i].id == rules->rule[j].id) {
				message_error("rule restore: %s:%u: 'id %u': line %u has it",
					      name, rules->rule[i].line,
					      rules->rule[i].id,
					      rules->rule[j].line);
				return EXIT_USAGE;
			}
	return EXIT_OK;
}

static int rule_read_file(FILE *f, const char *name, struct rules *rules)
{
	unsigned int number = 0;
	int ret = EXIT_OK;
	char *line = NULL;
	size_t size = 0;

	while (ret == EXIT_OK && getline(&line, &size, f) >= 0)
		ret = rule_read_line(line, name, ++number, rules);
	free(line);
	if (ret == EXIT_OK && ferror(f)) {
		message_error("rule restore: %s: %s", name, strerror(errno));
		ret = EXIT_FAILED;
	}
	return ret == EXIT_OK ? rule_check_ids(rules, name) : ret;
}

static int rule_restore(const char *name)
{
	bool from_stdin = !name || !strcmp(name, "-");
	FILE *f = from_stdin ? stdin : fopen(name, "r");
	struct rules rules = { };
	int ret;

	if (!f) {
		message_error("rule restore: %s: %s", name, strerror(errno));
		return EXIT_FAILED;
	}
	if (from_stdin)
		name = "stdin";
	ret = rule_read_file(f, name, &rules);
	if (!from_stdin)
		fclose(f);
	if (ret == EXIT_OK)
		ret = rule_replace(&rules, name);
	if (ret != EXIT_OK)
		message_error("rule restore: nothing was changed");
	free(rules.rule);
	return ret;
}

/* ---- the command ---- */

static int rule_run(const char *name, char **words,
		    const struct out_style *style)
{
	static const struct rules none;

	if (!strcmp(name, "list") || !strcmp(name, "show"))
		return opt_no_more("rule", name, words, 0) ? : rule_list(style);
	if (!strcmp(name, "add"))
		return rule_add(words, style);
	if (!strcmp(name, "del") || !strcmp(name, "delete")) {
		if (words[0])
			return rule_send_each(name, ALTCONN_CMD_RULE_DEL,
					      words);
		message_error("rule del: no id is given; 'altconn rule' lists the ids");
		return EXIT_USAGE;
	}
	if (!strcmp(name, "flush"))
		return opt_no_more("rule", name, words, 0) ? : rule_replace(&none, "");
	if (!strcmp(name, "zero"))
		return words[0] ? rule_send_each(name, ALTCONN_CMD_RULE_ZERO,
						 words) :
				  rule_zero_all();
	if (!strcmp(name, "save"))
		return opt_no_more("rule", name, words, 0) ? : rule_save();
	if (!strcmp(name, "restore"))
		return opt_no_more("rule", name, words, 1) ? : rule_restore(words[0]);
	message_error("rule: unknown action '%s'; it is one of: %s", name,
		      "list add del flush zero save restore");
	return EXIT_USAGE;
}

static int rule_main(const struct command *cmd, int argc, char **argv)
{
	struct out_style style = { };
	const char *action;

	/* Options may stand before the action or after it. */
	out_options(cmd, argc, argv, &style);
	if (optind == argc)
		return rule_list(&style);
	action = argv[optind++];
	out_options(cmd, argc, argv, &style);
	return rule_run(action, argv + optind, &style);
}

const struct command command_rule = {
	.name = "rule",
	.run = rule_main,
	.help = "deny, refuse, drop or delay attempts to connect",
	.synopsis = "[list] | add RULE | del ID... | flush | zero [ID...] | save | restore [FILE]",
	.opts = rule_opts,
};
