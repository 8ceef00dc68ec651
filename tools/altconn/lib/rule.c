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
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/command.h"
#include "lib/rule.h"

static void have(struct rule *rule, unsigned int attr)
{
	rule->known |= 1U << attr;
}

static bool has(const struct rule *rule, unsigned int attr)
{
	return record_has(rule->known, attr);
}

/* Parse a number of 32 bits that is the whole of @text. */
static bool parse_u32(const char *text, uint32_t *value)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(text, &end, 10);
	*value = v;
	return isdigit((unsigned char)*text) && !*end && !errno &&
	       v <= UINT32_MAX;
}

/* Parse a range of ports: N, N-M, or * for all. */
static const char *parse_range(const char *text, uint32_t max,
			       struct rule *rule)
{
	char first[16];
	const char *dash = strchr(text, '-');

	if (!strcmp(text, "*"))
		return NULL;
	if (strcspn(text, "-") >= sizeof(first))
		return "the port is N, N-M or *";
	snprintf(first, sizeof(first), "%.*s",
		 (int)(dash ? dash - text : (long)strlen(text)), text);
	if (!parse_u32(first, &rule->port_min) ||
	    !parse_u32(dash ? dash + 1 : first, &rule->port_max) ||
	    rule->port_min > rule->port_max || rule->port_max > max)
		return "the port is N, N-M or *";
	have(rule, ALTCONN_A_RULE_PORT_MIN);
	have(rule, ALTCONN_A_RULE_PORT_MAX);
	return NULL;
}

/* Parse a node such as "7/" before a port or a name, and move @text past it. */
static const char *parse_node(const char **text, struct rule *rule)
{
	size_t digits = strspn(*text, "0123456789");
	char node[16];

	if (rule->kind == ALTCONN_KIND_PORT && !strncmp(*text, "*/", 2)) {
		rule->node = ALTCONN_NODE_BROADCAST;
		have(rule, ALTCONN_A_RULE_NODE);
		*text += 2;
		return NULL;
	}
	if (!digits || (*text)[digits] != '/')
		return NULL;
	snprintf(node, sizeof(node), "%.*s", (int)digits, *text);
	if (!parse_u32(node, &rule->node))
		return "the node is a number of 32 bits";
	have(rule, ALTCONN_A_RULE_NODE);
	*text += digits + 1;
	return NULL;
}

/*
 * Parse a pattern. It has bytes as the module takes them, and \xNN for a byte
 * that means itself, but would mean something else to this parser or in a
 * pattern. The module gets that byte behind a backslash.
 */
static const char *parse_pattern(const char *text, struct rule *rule)
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
		return "the pattern is empty; * is all";
	have(rule, ALTCONN_A_RULE_PATTERN);
	return NULL;
}

/* Parse an IP prefix: IP, IP/BITS or *. An IPv6 address is in brackets. */
static const char *parse_prefix(char *text, struct rule *rule)
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
		if (inet_pton(AF_INET6, text + 1, rule->ip) != 1)
			return "this is no IPv6 address";
	} else {
		memset(rule->ip + 10, 0xff, 2);
		if (inet_pton(AF_INET, text, rule->ip + 12) != 1)
			return "this is no IPv4 address";
	}
	bits = most;
	if (slash && (!parse_u32(slash + 1, &bits) || bits > most))
		return "the prefix is longer than the address";
	rule->prefix_len = 128 - most + bits;
	rule->ip_len = 16;
	have(rule, ALTCONN_A_RULE_IP);
	have(rule, ALTCONN_A_RULE_PREFIX_LEN);
	return NULL;
}

static const char *parse_inet(const char *text, struct rule *rule)
{
	const char *port = strrchr(text, ':'), *wrong;
	char ip[64];

	if (!port || port - text >= (long)sizeof(ip) || port == text)
		return "it is inet:IP:PORT, inet:IP/BITS:PORT or inet:[IPv6]/BITS:PORT";
	snprintf(ip, sizeof(ip), "%.*s", (int)(port - text), text);
	wrong = parse_prefix(ip, rule);
	return wrong ? wrong : parse_range(port + 1, UINT16_MAX, rule);
}

static const char *parse_dest(const char *text, struct rule *rule)
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
	have(rule, ALTCONN_A_RULE_KIND);
	text += 5;
	if (rule->kind == ALTCONN_KIND_PORT || rule->kind == ALTCONN_KIND_NAME)
		wrong = parse_node(&text, rule);
	if (wrong)
		return wrong;
	switch (rule->kind) {
	case ALTCONN_KIND_PORT:
		return parse_range(text, UINT32_MAX, rule);
	case ALTCONN_KIND_INET:
		return parse_inet(text, rule);
	default:
		return parse_pattern(text, rule);
	}
}

/* Parse a time such as 50, 50ms, 2s or 1.5s. */
static const char *parse_ms(const char *text, uint32_t *ms)
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

static const char *parse_delay(const char *text, struct rule *rule)
{
	have(rule, ALTCONN_A_RULE_DELAY_MS);
	return parse_ms(text, &rule->delay_ms);
}

static const char *parse_jitter(const char *text, struct rule *rule)
{
	have(rule, ALTCONN_A_RULE_JITTER_MS);
	return parse_ms(text, &rule->jitter_ms);
}

/* Parse a probability such as 0.25 or 25%. */
static const char *parse_probability(const char *text, struct rule *rule)
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
	have(rule, ALTCONN_A_RULE_PROBABILITY);
	return NULL;
}

static const char *parse_number(const char *text, struct rule *rule,
				unsigned int attr, uint32_t *value,
				uint32_t least)
{
	have(rule, attr);
	if (parse_u32(text, value) && *value >= least)
		return NULL;
	return least ? "this is a number from 1 on" : "this is a number";
}

static const char *parse_id(const char *text, struct rule *rule)
{
	return parse_number(text, rule, ALTCONN_A_RULE_ID, &rule->id, 1);
}

static const char *parse_priority(const char *text, struct rule *rule)
{
	return parse_number(text, rule, ALTCONN_A_RULE_PRIORITY,
			    &rule->priority, 0);
}

static const char *parse_times(const char *text, struct rule *rule)
{
	return parse_number(text, rule, ALTCONN_A_RULE_TIMES, &rule->times, 1);
}

static const char *parse_every(const char *text, struct rule *rule)
{
	return parse_number(text, rule, ALTCONN_A_RULE_EVERY, &rule->every, 1);
}

static const char *parse_uid(const char *text, struct rule *rule)
{
	const struct passwd *pw;

	have(rule, ALTCONN_A_RULE_UID);
	if (parse_u32(text, &rule->uid))
		return NULL;
	pw = getpwnam(text);
	if (!pw)
		return "no such user";
	rule->uid = pw->pw_uid;
	return NULL;
}

static const char *parse_gid(const char *text, struct rule *rule)
{
	const struct group *gr;

	have(rule, ALTCONN_A_RULE_GID);
	if (parse_u32(text, &rule->gid))
		return NULL;
	gr = getgrnam(text);
	if (!gr)
		return "no such group";
	rule->gid = gr->gr_gid;
	return NULL;
}

static const char *parse_type(const char *text, struct rule *rule)
{
	rule->type = type_number(text);
	have(rule, ALTCONN_A_RULE_TYPE);
	return rule->type ? NULL : "a type is stream, seqpacket or dgram";
}

/* A value follows each of these words. */
static const struct {
	const char *name;
	const char *(*parse)(const char *text, struct rule *rule);
	unsigned int attr;
} keywords[] = {
	{ "id", parse_id, ALTCONN_A_RULE_ID },
	{ "priority", parse_priority, ALTCONN_A_RULE_PRIORITY },
	{ "type", parse_type, ALTCONN_A_RULE_TYPE },
	{ "to", parse_dest, ALTCONN_A_RULE_KIND },
	{ "uid", parse_uid, ALTCONN_A_RULE_UID },
	{ "gid", parse_gid, ALTCONN_A_RULE_GID },
	{ "delay", parse_delay, ALTCONN_A_RULE_DELAY_MS },
	{ "jitter", parse_jitter, ALTCONN_A_RULE_JITTER_MS },
	{ "every", parse_every, ALTCONN_A_RULE_EVERY },
	{ "probability", parse_probability, ALTCONN_A_RULE_PROBABILITY },
	{ "times", parse_times, ALTCONN_A_RULE_TIMES },
};

/* Verdicts, with the word that may follow each. */
static const struct {
	const char *name, *detail;
	uint32_t verdict;
} verdicts[] = {
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

static const char *set_verdict(struct rule *rule, uint32_t verdict)
{
	if (has(rule, ALTCONN_A_RULE_VERDICT))
		return "a rule has one verdict";
	rule->verdict = verdict;
	have(rule, ALTCONN_A_RULE_VERDICT);
	return NULL;
}

/*
 * Parse a verdict at *@words, and move *@words past it. Return false if there
 * is no verdict. "delay" is left to take_keyword(), since a value follows it.
 */
static bool take_verdict(char ***words, struct rule *rule, const char **wrong)
{
	const char *name = **words, *detail = (*words)[1];
	bool found = false, detailed = false;
	uint32_t verdict = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (strcmp(name, verdicts[i].name))
			continue;
		if (verdicts[i].detail &&
		    (!detail || strcasecmp(detail, verdicts[i].detail)))
			continue;
		found = true;
		detailed = verdicts[i].detail;
		verdict = verdicts[i].verdict;
		if (detailed)
			break;
	}
	if (!found || verdict == ALTCONN_VERDICT_DELAY)
		return false;
	*wrong = set_verdict(rule, verdict);
	*words += detailed ? 2 : 1;
	return true;
}

static const char unknown[] =
	"neither a verdict (allow deny refuse unreachable drop delay) nor a word for one";

static const char *take_keyword(char ***words, struct rule *rule)
{
	const char *name = **words, *value = (*words)[1];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keywords); i++)
		if (!strcmp(name, keywords[i].name))
			break;
	if (i == ARRAY_SIZE(keywords))
		return unknown;
	if (!value)
		return "something has to follow it";
	if (has(rule, keywords[i].attr))
		return "it comes twice";
	if (keywords[i].attr == ALTCONN_A_RULE_DELAY_MS &&
	    set_verdict(rule, ALTCONN_VERDICT_DELAY))
		return "a rule has one verdict";
	*words += 2;
	return keywords[i].parse(value, rule);
}

/**
 * rule_parse - parse a rule
 * @words: the words of the rule, with a NULL at the end
 * @rule: gets the rule
 * @word: gets the word that is wrong, or NULL if the rule as a whole is wrong
 *
 * Return: NULL, or a text that says what is wrong.
 */
const char *rule_parse(char **words, struct rule *rule, const char **word)
{
	const char *wrong = NULL;

	memset(rule, 0, sizeof(*rule));
	while (*words && !wrong) {
		char **at = words;

		*word = *words;
		if (!take_verdict(&words, rule, &wrong))
			wrong = take_keyword(&words, rule);
		/* The parser moved on to the value, so the value is wrong. */
		if (wrong && words > at + 1)
			*word = at[1];
	}
	if (wrong)
		return wrong;
	*word = NULL;
	if (!has(rule, ALTCONN_A_RULE_VERDICT))
		return "it says not what to do: allow deny refuse unreachable drop or delay";
	if (has(rule, ALTCONN_A_RULE_JITTER_MS) &&
	    !has(rule, ALTCONN_A_RULE_DELAY_MS))
		return "jitter goes with delay";
	return NULL;
}

/* ---- rules to text ---- */

/**
 * type_name - get the name of a socket type
 * @type: SOCK_*
 *
 * Return: the name, or "unknown".
 */
const char *type_name(uint32_t type)
{
	switch (type) {
	case SOCK_STREAM:
		return "stream";
	case SOCK_DGRAM:
		return "dgram";
	case SOCK_SEQPACKET:
		return "seqpacket";
	default:
		return "unknown";
	}
}

/**
 * type_number - get a socket type by its name
 * @name: the name, as type_name() returns it
 *
 * Return: SOCK_*, or 0 if no type has the name.
 */
uint32_t type_number(const char *name)
{
	static const uint32_t types[] = { SOCK_STREAM, SOCK_SEQPACKET,
					  SOCK_DGRAM };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(name, type_name(types[i])))
			return types[i];
	return 0;
}

__printf(2, 3) static void append(char *text, const char *fmt, ...)
{
	size_t len = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, RULE_TEXT_MAX - len, fmt, ap);
	va_end(ap);
}

static void format_range(const struct rule *rule, char *text)
{
	if (!has(rule, ALTCONN_A_RULE_PORT_MIN))
		append(text, "*");
	else if (rule->port_min == rule->port_max)
		append(text, "%u", rule->port_min);
	else
		append(text, "%u-%u", rule->port_min, rule->port_max);
}

static void format_node(const struct rule *rule, char *text)
{
	if (!has(rule, ALTCONN_A_RULE_NODE))
		return;
	if (rule->node == ALTCONN_NODE_BROADCAST)
		append(text, "*/");
	else
		append(text, "%u/", rule->node);
}

/*
 * Return the index after the leading digits of a name. The parser takes a slash
 * at this index for the end of a node. Return SIZE_MAX for other patterns.
 */
static size_t false_node(const struct rule *rule)
{
	size_t i = 0;

	if (rule->kind != ALTCONN_KIND_NAME || has(rule, ALTCONN_A_RULE_NODE))
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
static void format_pattern(const struct rule *rule, char *text)
{
	size_t slash = false_node(rule), i;

	if (!has(rule, ALTCONN_A_RULE_PATTERN))
		append(text, "*");
	for (i = 0; i < rule->pattern_len; i++) {
		unsigned char c = rule->pattern[i];

		if (c == '\\' && i + 1 < rule->pattern_len)
			append(text, "\\x%02x", rule->pattern[++i]);
		else if (c > ' ' && c < 0x7f && c != '\\' &&
			 !(c == '/' && i == slash))
			append(text, "%c", c);
		else
			append(text, "\\x%02x", c);
	}
}

static void format_inet(const struct rule *rule, char *text)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4 = !memcmp(rule->ip, mapped, sizeof(mapped)) &&
		  rule->prefix_len >= 96;
	unsigned int most = v4 ? 32 : 128, skip = v4 ? 96 : 0;
	char ip[INET6_ADDRSTRLEN] = "";

	if (!has(rule, ALTCONN_A_RULE_IP)) {
		append(text, "*:");
		return;
	}
	inet_ntop(v4 ? AF_INET : AF_INET6, rule->ip + (v4 ? 12 : 0), ip,
		  sizeof(ip));
	append(text, v4 ? "%s" : "[%s]", ip);
	if (has(rule, ALTCONN_A_RULE_PREFIX_LEN) &&
	    rule->prefix_len - skip != most)
		append(text, "/%u", rule->prefix_len - skip);
	append(text, ":");
}

/**
 * rule_format_dest - write the destination of a rule as text
 * @rule: the rule
 * @text: gets the text, which is empty if the rule matches all destinations;
 *	room for RULE_TEXT_MAX characters
 */
void rule_format_dest(const struct rule *rule, char *text)
{
	*text = '\0';
	if (!has(rule, ALTCONN_A_RULE_KIND))
		return;
	switch (rule->kind) {
	case ALTCONN_KIND_PORT:
		append(text, "port:");
		format_node(rule, text);
		format_range(rule, text);
		break;
	case ALTCONN_KIND_NAME:
		append(text, "name:");
		format_node(rule, text);
		format_pattern(rule, text);
		break;
	case ALTCONN_KIND_INET:
		append(text, "inet:");
		format_inet(rule, text);
		format_range(rule, text);
		break;
	case ALTCONN_KIND_PATH:
		append(text, "path:");
		format_pattern(rule, text);
		break;
	default:
		append(text, "kind%u:?", rule->kind);
	}
}

/**
 * rule_verdict - get the text of a verdict, as the user types it
 * @verdict: enum altconn_verdict
 *
 * Return: one or two words; "unknown" for a verdict of a newer module.
 */
const char *rule_verdict(uint32_t verdict)
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

static void format_modifiers(const struct rule *rule, char *text)
{
	if (has(rule, ALTCONN_A_RULE_DELAY_MS))
		append(text, " %ums", rule->delay_ms);
	if (has(rule, ALTCONN_A_RULE_JITTER_MS))
		append(text, " jitter %ums", rule->jitter_ms);
	if (has(rule, ALTCONN_A_RULE_EVERY))
		append(text, " every %u", rule->every);
	if (has(rule, ALTCONN_A_RULE_PROBABILITY))
		append(text, " probability %.10g%%", rule->probability / 1e4);
	if (has(rule, ALTCONN_A_RULE_TIMES))
		append(text, " times %u", rule->times);
}

/**
 * rule_format - write a rule as text that rule_parse() can read
 * @rule: the rule
 * @text: gets the text; room for RULE_TEXT_MAX characters
 */
void rule_format(const struct rule *rule, char *text)
{
	char dest[RULE_TEXT_MAX];

	*text = '\0';
	if (has(rule, ALTCONN_A_RULE_ID))
		append(text, "id %u ", rule->id);
	append(text, "priority %u ", rule->priority);
	if (has(rule, ALTCONN_A_RULE_TYPE))
		append(text, "type %s ", type_name(rule->type));
	rule_format_dest(rule, dest);
	if (*dest)
		append(text, "to %s ", dest);
	if (has(rule, ALTCONN_A_RULE_UID))
		append(text, "uid %u ", rule->uid);
	if (has(rule, ALTCONN_A_RULE_GID))
		append(text, "gid %u ", rule->gid);
	append(text, "%s", rule_verdict(rule->verdict));
	format_modifiers(rule, text);
}
