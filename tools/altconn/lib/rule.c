// SPDX-License-Identifier: GPL-2.0
/*
 * A rule has this syntax on the command line, in a file and in the list:
 *
 *	[priority N] [type TYPE] [to DESTINATION] [uid USER] [gid GROUP]
 *	VERDICT [every N] [probability P] [times N]
 *
 * The parts may stand in any order. In a file a rule may also have "id N". A
 * destination is an address with ranges and patterns:
 *
 *	port:4000-4999	port:*	port:7/80	inet:10.0.0.0/8:80	inet:*:*
 *	name:db*	name:7/db	path:/run/app/?.sock
 *
 * A verdict is allow, deny [EPERM|EACCES], refuse, unreachable [net|host],
 * drop, or delay TIME [jitter TIME].
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/array.h"
#include "lib/ip.h"
#include "lib/message.h"
#include "lib/parse.h"
#include "lib/rule.h"

static void rule_set(struct rule *rule, unsigned int attr)
{
	rule->known |= 1U << attr;
}

static bool rule_has(const struct rule *rule, unsigned int attr)
{
	return record_has(rule->known, attr);
}

/* Parse a range of ports: N, N-M, or * for all. */
static const char *rule_parse_range(const char *text, uint32_t max,
				    struct rule *rule)
{
	const char *dash = strchrnul(text, '-');
	uint64_t first, last;

	if (!strcmp(text, "*"))
		return NULL;
	if (!parse_digits(text, dash - text, max, &first))
		return "the port is N, N-M or *";
	last = first;
	if (*dash && !parse_digits(dash + 1, strlen(dash + 1), max, &last))
		return "the port is N, N-M or *";
	if (first > last)
		return "the port is N, N-M or *";
	rule->port_min = first;
	rule->port_max = last;
	rule_set(rule, ALTCONN_A_RULE_PORT_MIN);
	rule_set(rule, ALTCONN_A_RULE_PORT_MAX);
	return NULL;
}

/* Parse a node such as "7/" before a port or a name, and move @text past it. */
static const char *rule_parse_node(const char **text, struct rule *rule)
{
	const char *wrong = NULL;

	if (addr_parse_node(text, rule->kind == ALTCONN_KIND_PORT, &rule->node,
			    &wrong))
		rule_set(rule, ALTCONN_A_RULE_NODE);
	return wrong;
}

/*
 * Parse a pattern. It has the syntax of the module's patterns, and \xNN for a
 * byte that matches itself, although the bare byte has a meaning in a pattern
 * or for this parser. The module gets a backslash and the byte.
 */
static const char *rule_parse_pattern(const char *text, struct rule *rule)
{
	char hex[3] = "", c;

	if (!strcmp(text, "*"))
		return NULL;
	for (; *text; rule->pattern_len++) {
		c = *text++;
		if (c == '\\' && text[0] == 'x' &&
		    isxdigit((unsigned char)text[1]) &&
		    isxdigit((unsigned char)text[2])) {
			memcpy(hex, text + 1, 2);
			text += 3;
			c = strtoul(hex, NULL, 16);
			if (rule->pattern_len == RULE_PATTERN_MAX)
				return "the pattern is too long";
			rule->pattern[rule->pattern_len++] = '\\';
		}
		if (rule->pattern_len == RULE_PATTERN_MAX)
			return "the pattern is too long";
		rule->pattern[rule->pattern_len] = c;
	}
	if (!rule->pattern_len)
		return "the pattern is empty; * matches all";
	rule_set(rule, ALTCONN_A_RULE_PATTERN);
	return NULL;
}

/* Parse an IP prefix: IP, IP/BITS or *. An IPv6 address is in brackets. */
static const char *rule_parse_prefix(char *text, struct rule *rule)
{
	char *slash = strchr(text, '/');
	uint32_t bits, most = 32;

	if (!strcmp(text, "*"))
		return NULL;
	if (slash)
		*slash = '\0';
	if (*text == '[') {
		most = 128;
		if (text[strlen(text) - 1] != ']')
			return "an IPv6 address is [IP] or [IP]/BITS";
		text[strlen(text) - 1] = '\0';
		if (!ip_parse(text + 1, AF_INET6, rule->ip))
			return "this is no IPv6 address";
	} else if (!ip_parse(text, AF_INET, rule->ip)) {
		return "this is no IPv4 address";
	}
	bits = most;
	if (slash && (!parse_u32(slash + 1, &bits) || bits > most))
		return "the prefix is longer than the address";
	rule->prefix_len = 128 - most + bits;
	rule->ip_len = 16;
	rule_set(rule, ALTCONN_A_RULE_IP);
	rule_set(rule, ALTCONN_A_RULE_PREFIX_LEN);
	return NULL;
}

static const char *rule_parse_inet(const char *text, struct rule *rule)
{
	const char *port = strrchr(text, ':'), *wrong;
	char ip[64];

	if (!port || port - text >= (long)sizeof(ip) || port == text)
		return "it is inet:IP:PORT, inet:IP/BITS:PORT or inet:[IPv6]/BITS:PORT";
	snprintf(ip, sizeof(ip), "%.*s", (int)(port - text), text);
	wrong = rule_parse_prefix(ip, rule);
	return wrong ? wrong : rule_parse_range(port + 1, UINT16_MAX, rule);
}

static const char *rule_parse_dest(const char *text, struct rule *rule)
{
	static const struct {
		const char *prefix;
		uint32_t kind;
	} kinds[] = {
		{ "port:", ALTCONN_KIND_PORT },
		{ "name:", ALTCONN_KIND_NAME },
		{ "inet:", ALTCONN_KIND_INET },
		{ "path:", ALTCONN_KIND_PATH },
	};
	const char *wrong = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strncmp(text, kinds[i].prefix, 5))
			rule->kind = kinds[i].kind;
	if (!rule->kind)
		return "a destination is port:N-M, name:PATTERN, inet:IP/BITS:N-M or path:PATTERN";
	rule_set(rule, ALTCONN_A_RULE_KIND);
	text += 5;
	if (rule->kind == ALTCONN_KIND_PORT || rule->kind == ALTCONN_KIND_NAME)
		wrong = rule_parse_node(&text, rule);
	if (wrong)
		return wrong;
	switch (rule->kind) {
	case ALTCONN_KIND_PORT:
		return rule_parse_range(text, UINT32_MAX, rule);
	case ALTCONN_KIND_INET:
		return rule_parse_inet(text, rule);
	default:
		return rule_parse_pattern(text, rule);
	}
}

/* Parse a time such as 50, 50ms, 2s or 1.5s. */
static const char *rule_parse_ms(const char *text, uint32_t *ms)
{
	double value;
	char *end;

	value = strtod(text, &end);
	if (!strcmp(end, "s"))
		value *= 1000;
	else if (*end && strcmp(end, "ms"))
		return "a time is 50, 50ms or 1.5s";
	if (!isdigit((unsigned char)*text) || !(value <= 86400000))
		return "a time is 50, 50ms or 1.5s, a day at the most";
	*ms = value + 0.5;
	return NULL;
}

static const char *rule_parse_delay(const char *text, struct rule *rule)
{
	rule_set(rule, ALTCONN_A_RULE_DELAY_MS);
	return rule_parse_ms(text, &rule->delay_ms);
}

static const char *rule_parse_jitter(const char *text, struct rule *rule)
{
	rule_set(rule, ALTCONN_A_RULE_JITTER_MS);
	return rule_parse_ms(text, &rule->jitter_ms);
}

/* Parse a probability such as 0.25 or 25%. */
static const char *rule_parse_probability(const char *text, struct rule *rule)
{
	double value;
	char *end;

	value = strtod(text, &end);
	if (!strcmp(end, "%"))
		value /= 100;
	else if (*end)
		value = -1;
	if (!isdigit((unsigned char)*text) || !(value >= 0 && value <= 1))
		return "a probability is 0.25 or 25%";
	rule->probability = value * 1000000 + 0.5;
	rule_set(rule, ALTCONN_A_RULE_PROBABILITY);
	return NULL;
}

static const char *rule_parse_number(const char *text, struct rule *rule,
				     unsigned int attr, uint32_t *value,
				     uint32_t least)
{
	rule_set(rule, attr);
	if (parse_u32(text, value) && *value >= least)
		return NULL;
	return least ? "the value is a number from 1 on" :
		       "the value is a number";
}

static const char *rule_parse_id(const char *text, struct rule *rule)
{
	return rule_parse_number(text, rule, ALTCONN_A_RULE_ID, &rule->id, 1);
}

static const char *rule_parse_priority(const char *text, struct rule *rule)
{
	return rule_parse_number(text, rule, ALTCONN_A_RULE_PRIORITY,
				 &rule->priority, 0);
}

static const char *rule_parse_times(const char *text, struct rule *rule)
{
	return rule_parse_number(text, rule, ALTCONN_A_RULE_TIMES,
				 &rule->times, 1);
}

static const char *rule_parse_every(const char *text, struct rule *rule)
{
	return rule_parse_number(text, rule, ALTCONN_A_RULE_EVERY,
				 &rule->every, 1);
}

static const char *rule_parse_uid(const char *text, struct rule *rule)
{
	rule_set(rule, ALTCONN_A_RULE_UID);
	return parse_user(text, &rule->uid) ? NULL : "there is no such user";
}

static const char *rule_parse_gid(const char *text, struct rule *rule)
{
	rule_set(rule, ALTCONN_A_RULE_GID);
	return parse_group(text, &rule->gid) ? NULL : "there is no such group";
}

static const char *rule_parse_type(const char *text, struct rule *rule)
{
	rule->type = record_type_number(text);
	rule_set(rule, ALTCONN_A_RULE_TYPE);
	return rule->type ? NULL : "a type is stream, seqpacket or dgram";
}

/* A value follows each of these words. */
static const struct {
	const char *name;
	const char *(*parse)(const char *text, struct rule *rule);
	unsigned int attr;
} rule_keywords[] = {
	{ "id", rule_parse_id, ALTCONN_A_RULE_ID },
	{ "priority", rule_parse_priority, ALTCONN_A_RULE_PRIORITY },
	{ "type", rule_parse_type, ALTCONN_A_RULE_TYPE },
	{ "to", rule_parse_dest, ALTCONN_A_RULE_KIND },
	{ "uid", rule_parse_uid, ALTCONN_A_RULE_UID },
	{ "gid", rule_parse_gid, ALTCONN_A_RULE_GID },
	{ "delay", rule_parse_delay, ALTCONN_A_RULE_DELAY_MS },
	{ "jitter", rule_parse_jitter, ALTCONN_A_RULE_JITTER_MS },
	{ "every", rule_parse_every, ALTCONN_A_RULE_EVERY },
	{ "probability", rule_parse_probability, ALTCONN_A_RULE_PROBABILITY },
	{ "times", rule_parse_times, ALTCONN_A_RULE_TIMES },
};

/* Verdicts, with the word that may follow each. */
static const struct {
	const char *name, *detail;
	uint32_t verdict;
} rule_verdicts[] = {
	{ "allow", NULL, ALTCONN_VERDICT_ALLOW },
	{ "deny", NULL, ALTCONN_VERDICT_DENY },
	{ "deny", "EPERM", ALTCONN_VERDICT_DENY },
	{ "deny", "EACCES", ALTCONN_VERDICT_DENY_ACCESS },
	{ "refuse", NULL, ALTCONN_VERDICT_REFUSE },
	{ "unreachable", NULL, ALTCONN_VERDICT_UNREACHABLE_HOST },
	{ "unreachable", "net", ALTCONN_VERDICT_UNREACHABLE_NET },
	{ "unreachable", "host", ALTCONN_VERDICT_UNREACHABLE_HOST },
	{ "drop", NULL, ALTCONN_VERDICT_DROP },
	{ "delay", NULL, ALTCONN_VERDICT_DELAY },
};

static const char *rule_set_verdict(struct rule *rule, uint32_t verdict)
{
	if (rule_has(rule, ALTCONN_A_RULE_VERDICT))
		return "a rule has one verdict";
	rule->verdict = verdict;
	rule_set(rule, ALTCONN_A_RULE_VERDICT);
	return NULL;
}

/*
 * Parse a verdict at *@words, and move *@words past it. Return false if there
 * is no verdict. rule_parse_keyword() parses "delay", since a value follows it.
 */
static bool rule_parse_verdict(char ***words, struct rule *rule,
			       const char **wrong)
{
	const char *name = **words, *detail = (*words)[1];
	bool found = false, detailed = false;
	uint32_t verdict = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rule_verdicts); i++) {
		if (strcmp(name, rule_verdicts[i].name))
			continue;
		if (rule_verdicts[i].detail &&
		    (!detail || strcasecmp(detail, rule_verdicts[i].detail)))
			continue;
		found = true;
		detailed = rule_verdicts[i].detail;
		verdict = rule_verdicts[i].verdict;
		if (detailed)
			break;
	}
	if (!found || verdict == ALTCONN_VERDICT_DELAY)
		return false;
	*wrong = rule_set_verdict(rule, verdict);
	*words += detailed ? 2 : 1;
	return true;
}

static const char rule_unknown_word[] =
	"the word is no verdict (allow deny refuse unreachable drop delay) and no keyword";

static const char *rule_parse_keyword(char ***words, struct rule *rule)
{
	const char *name = **words, *value = (*words)[1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rule_keywords); i++)
		if (!strcmp(name, rule_keywords[i].name))
			break;
	if (i == ARRAY_SIZE(rule_keywords))
		return rule_unknown_word;
	if (!value)
		return "a value must follow it";
	if (rule_has(rule, rule_keywords[i].attr))
		return "it is given twice";
	if (rule_keywords[i].attr == ALTCONN_A_RULE_DELAY_MS &&
	    rule_set_verdict(rule, ALTCONN_VERDICT_DELAY))
		return "a rule has one verdict";
	*words += 2;
	return rule_keywords[i].parse(value, rule);
}

/**
 * rule_parse - parse a rule
 * @words: the words of the rule, with a NULL at the end
 * @rule: gets the rule
 * @word: gets the word that is wrong, or NULL if the rule as a whole is wrong
 *
 * Return: NULL, or the reason why the rule is wrong.
 */
const char *rule_parse(char **words, struct rule *rule, const char **word)
{
	const char *wrong = NULL;

	memset(rule, 0, sizeof(*rule));
	while (*words && !wrong) {
		char **at = words;

		*word = *words;
		if (!rule_parse_verdict(&words, rule, &wrong))
			wrong = rule_parse_keyword(&words, rule);
		/* The value is wrong: the parser has moved past the keyword. */
		if (wrong && words > at + 1)
			*word = at[1];
	}
	if (wrong)
		return wrong;
	*word = NULL;
	if (!rule_has(rule, ALTCONN_A_RULE_VERDICT))
		return "no verdict says what to do: allow deny refuse unreachable drop delay";
	if (rule_has(rule, ALTCONN_A_RULE_JITTER_MS) &&
	    !rule_has(rule, ALTCONN_A_RULE_DELAY_MS))
		return "jitter needs delay";
	return NULL;
}

/* ---- rules as text ---- */

__printf(2, 3) static void rule_append(char *text, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, RULE_TEXT_MAX - len, fmt, ap);
	va_end(ap);
}

static void rule_append_range(const struct rule *rule, char *text)
{
	if (!rule_has(rule, ALTCONN_A_RULE_PORT_MIN))
		rule_append(text, "*");
	else if (rule->port_min == rule->port_max)
		rule_append(text, "%u", rule->port_min);
	else
		rule_append(text, "%u-%u", rule->port_min, rule->port_max);
}

static void rule_append_node(const struct rule *rule, char *text)
{
	if (!rule_has(rule, ALTCONN_A_RULE_NODE))
		return;
	if (rule->node == ALTCONN_NODE_BROADCAST)
		rule_append(text, "*/");
	else
		rule_append(text, "%u/", rule->node);
}

/*
 * Return the index after the leading digits of a name. The parser takes a slash
 * at this index for the end of a node. Return SIZE_MAX for other patterns.
 */
static size_t rule_false_node(const struct rule *rule)
{
	size_t i = 0;

	if (rule->kind != ALTCONN_KIND_NAME ||
	    rule_has(rule, ALTCONN_A_RULE_NODE))
		return SIZE_MAX;
	while (i < rule->pattern_len && isdigit(rule->pattern[i]))
		i++;
	return i;
}

/*
 * Write a pattern. These bytes are written as \xNN: a byte that follows a
 * backslash and so means itself, a byte that is not a visible ASCII character,
 * and a slash that the parser would take for the end of a node.
 */
static void rule_append_pattern(const struct rule *rule, char *text)
{
	size_t slash = rule_false_node(rule), i;

	if (!rule_has(rule, ALTCONN_A_RULE_PATTERN))
		rule_append(text, "*");
	for (i = 0; i < rule->pattern_len; i++) {
		unsigned char c = rule->pattern[i];

		if (c == '\\' && i + 1 < rule->pattern_len)
			rule_append(text, "\\x%02x", rule->pattern[++i]);
		else if (c > ' ' && c < 0x7f && c != '\\' &&
			 !(c == '/' && i == slash))
			rule_append(text, "%c", c);
		else
			rule_append(text, "\\x%02x", c);
	}
}

static void rule_append_inet(const struct rule *rule, char *text)
{
	bool v4 = ip_is_v4(rule->ip) && rule->prefix_len >= 96;
	unsigned int most = v4 ? 32 : 128, skip = v4 ? 96 : 0;
	char ip[IP_TEXT_MAX];

	if (!rule_has(rule, ALTCONN_A_RULE_IP)) {
		rule_append(text, "*:");
		return;
	}
	ip_to_text(rule->ip, v4, ip);
	rule_append(text, v4 ? "%s" : "[%s]", ip);
	if (rule_has(rule, ALTCONN_A_RULE_PREFIX_LEN) &&
	    rule->prefix_len - skip != most)
		rule_append(text, "/%u", rule->prefix_len - skip);
	rule_append(text, ":");
}

/**
 * rule_dest_to_text - write the destination of a rule as text
 * @rule: the rule
 * @text: gets the text, which is empty if the rule matches all destinations;
 *	space for RULE_TEXT_MAX characters
 */
void rule_dest_to_text(const struct rule *rule, char *text)
{
	*text = '\0';
	if (!rule_has(rule, ALTCONN_A_RULE_KIND))
		return;
	switch (rule->kind) {
	case ALTCONN_KIND_PORT:
		rule_append(text, "port:");
		rule_append_node(rule, text);
		rule_append_range(rule, text);
		break;
	case ALTCONN_KIND_NAME:
		rule_append(text, "name:");
		rule_append_node(rule, text);
		rule_append_pattern(rule, text);
		break;
	case ALTCONN_KIND_INET:
		rule_append(text, "inet:");
		rule_append_inet(rule, text);
		rule_append_range(rule, text);
		break;
	case ALTCONN_KIND_PATH:
		rule_append(text, "path:");
		rule_append_pattern(rule, text);
		break;
	default:
		rule_append(text, "kind%u:?", rule->kind);
	}
}

/**
 * rule_verdict_name - get the text of a verdict, as the user types it
 * @verdict: enum altconn_verdict
 *
 * Return: one or two words; "unknown" for a verdict of a newer module.
 */
const char *rule_verdict_name(uint32_t verdict)
{
	static const char * const names[] = {
		[ALTCONN_VERDICT_ALLOW] = "allow",
		[ALTCONN_VERDICT_DENY] = "deny",
		[ALTCONN_VERDICT_DENY_ACCESS] = "deny EACCES",
		[ALTCONN_VERDICT_REFUSE] = "refuse",
		[ALTCONN_VERDICT_UNREACHABLE_NET] = "unreachable net",
		[ALTCONN_VERDICT_UNREACHABLE_HOST] = "unreachable host",
		[ALTCONN_VERDICT_DROP] = "drop",
		[ALTCONN_VERDICT_DELAY] = "delay",
	};

	return verdict < ARRAY_SIZE(names) ? names[verdict] : "unknown";
}

static void rule_append_modifiers(const struct rule *rule, char *text)
{
	if (rule_has(rule, ALTCONN_A_RULE_DELAY_MS))
		rule_append(text, " %ums", rule->delay_ms);
	if (rule_has(rule, ALTCONN_A_RULE_JITTER_MS))
		rule_append(text, " jitter %ums", rule->jitter_ms);
	if (rule_has(rule, ALTCONN_A_RULE_EVERY))
		rule_append(text, " every %u", rule->every);
	if (rule_has(rule, ALTCONN_A_RULE_PROBABILITY))
		rule_append(text, " probability %.10g%%", rule->probability / 1e4);
	if (rule_has(rule, ALTCONN_A_RULE_TIMES))
		rule_append(text, " times %u", rule->times);
}

/**
 * rule_to_text - write a rule as text that rule_parse() can read
 * @rule: the rule
 * @text: gets the text; space for RULE_TEXT_MAX characters
 */
void rule_to_text(const struct rule *rule, char *text)
{
	char dest[RULE_TEXT_MAX];

	*text = '\0';
	if (rule_has(rule, ALTCONN_A_RULE_ID))
		rule_append(text, "id %u ", rule->id);
	rule_append(text, "priority %u ", rule->priority);
	if (rule_has(rule, ALTCONN_A_RULE_TYPE))
		rule_append(text, "type %s ", record_type_name(rule->type));
	rule_dest_to_text(rule, dest);
	if (*dest)
		rule_append(text, "to %s ", dest);
	if (rule_has(rule, ALTCONN_A_RULE_UID))
		rule_append(text, "uid %u ", rule->uid);
	if (rule_has(rule, ALTCONN_A_RULE_GID))
		rule_append(text, "gid %u ", rule->gid);
	rule_append(text, "%s", rule_verdict_name(rule->verdict));
	rule_append_modifiers(rule, text);
}
