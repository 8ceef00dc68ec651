// SPDX-License-Identifier: GPL-2.0
/*
 * Send rules in the syntax of "altconn rule" over netlink. A process of the
 * tool for each rule would take longer than the rest of a test.
 */
#include "rule.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <linux/altconn_netlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Attributes of one rule, which are nested in the attribute of the rule */
struct rule_attrs {
	char bytes[NL_ATTRS_MAX - NLA_HDRLEN];
	size_t len;
};

static void rule_put(struct rule_attrs *rule, int type, const void *value,
		     size_t len)
{
	const struct nl_attr attrs[] = {
		{ .type = type, .value = value, .len = len },
		{ }
	};

	rule->len += nl_put(rule->bytes + rule->len, attrs);
}

/* Parse a number. A time is in milliseconds, a probability in millionths. */
static bool rule_number(const char *text, uint32_t *number)
{
	static const struct {
		const char *unit;
		uint32_t times;
	} units[] = {
		{ .unit = "", .times = 1 },
		{ .unit = "ms", .times = 1 },
		{ .unit = "s", .times = 1000 },
		{ .unit = "%", .times = 10000 },
	};
	char *end;
	size_t i;

	*number = strtoul(text, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (end == text || strcmp(end, units[i].unit))
			continue;
		*number *= units[i].times;
		return true;
	}
	return false;
}

static bool rule_put_number(struct rule_attrs *rule, int type, const char *text)
{
	uint32_t number;

	if (!rule_number(text, &number))
		return false;
	rule_put(rule, type, &number, sizeof(number));
	return true;
}

static bool rule_put_type(struct rule_attrs *rule, int type, const char *text)
{
	static const char * const names[] = {
		[ALTCONN_SOCKET_TYPE_STREAM] = "stream",
		[ALTCONN_SOCKET_TYPE_DGRAM] = "dgram",
		[ALTCONN_SOCKET_TYPE_SEQPACKET] = "seqpacket",
	};
	uint32_t i;

	for (i = ALTCONN_SOCKET_TYPE_STREAM;
	     i <= ALTCONN_SOCKET_TYPE_SEQPACKET; i++) {
		if (strcmp(text, names[i]))
			continue;
		rule_put(rule, type, &i, sizeof(i));
		return true;
	}
	return false;
}

static bool rule_put_port(struct rule_attrs *rule, const char *text)
{
	return !strcmp(text, "*") ||
	       (rule_put_number(rule, ALTCONN_A_RULE_PORT_MIN, text) &&
		rule_put_number(rule, ALTCONN_A_RULE_PORT_MAX, text));
}

/* Parse IP:PORT. An IPv6 address is in brackets. */
static bool rule_put_inet(struct rule_attrs *rule, char *text)
{
	unsigned char ip[16] = { [10] = 0xff, [11] = 0xff };
	char *port = strrchr(text, ':');
	uint32_t whole = 128;
	bool good;

	if (!port)
		return false;
	*port++ = 0;
	if (*text == '[') {
		text[strcspn(text, "]")] = 0;
		good = inet_pton(AF_INET6, text + 1, ip) == 1;
	} else {
		good = inet_pton(AF_INET, text, ip + 12) == 1;
	}
	rule_put(rule, ALTCONN_A_RULE_IP, ip, sizeof(ip));
	rule_put(rule, ALTCONN_A_RULE_PREFIX_LEN, &whole, sizeof(whole));
	return good && rule_put_port(rule, port);
}

static bool rule_put_dest(struct rule_attrs *rule, int type, char *text)
{
	static const char * const names[] = {
		[ALTCONN_KIND_PORT] = "port", [ALTCONN_KIND_NAME] = "name",
		[ALTCONN_KIND_INET] = "inet", [ALTCONN_KIND_PATH] = "path",
	};
	uint32_t kind = ALTCONN_KIND_PORT;
	char *rest = strchr(text, ':');

	if (!rest)
		return false;
	*rest++ = 0;
	while (kind <= ALTCONN_KIND_PATH && strcmp(text, names[kind]))
		kind++;
	if (kind > ALTCONN_KIND_PATH)
		return false;
	rule_put(rule, type, &kind, sizeof(kind));
	if (kind == ALTCONN_KIND_PORT)
		return rule_put_port(rule, rest);
	if (kind == ALTCONN_KIND_INET)
		return rule_put_inet(rule, rest);
	if (strcmp(rest, "*"))
		rule_put(rule, ALTCONN_A_RULE_PATTERN, rest, strlen(rest));
	return strlen(rest) < 256;
}

static const struct {
	const char *name;
	int attr;
} rule_keywords[] = {
	{ .name = "priority", .attr = ALTCONN_A_RULE_PRIORITY },
	{ .name = "type", .attr = ALTCONN_A_RULE_TYPE },
	{ .name = "to", .attr = ALTCONN_A_RULE_KIND },
	{ .name = "uid", .attr = ALTCONN_A_RULE_UID },
	{ .name = "gid", .attr = ALTCONN_A_RULE_GID },
	{ .name = "delay", .attr = ALTCONN_A_RULE_DELAY_MS },
	{ .name = "jitter", .attr = ALTCONN_A_RULE_JITTER_MS },
	{ .name = "every", .attr = ALTCONN_A_RULE_EVERY },
	{ .name = "probability", .attr = ALTCONN_A_RULE_PROBABILITY },
	{ .name = "times", .attr = ALTCONN_A_RULE_TIMES },
};

/* A verdict with a second word precedes the same verdict without one. */
static const struct {
	const char *name, *detail;
	uint32_t verdict;
} rule_verdicts[] = {
	{ .name = "allow", .verdict = ALTCONN_VERDICT_ALLOW },
	{ .name = "deny", .detail = "EPERM", .verdict = ALTCONN_VERDICT_DENY },
	{ .name = "deny", .detail = "EACCES",
	  .verdict = ALTCONN_VERDICT_DENY_ACCESS },
	{ .name = "deny", .verdict = ALTCONN_VERDICT_DENY },
	{ .name = "refuse", .verdict = ALTCONN_VERDICT_REFUSE },
	{ .name = "unreachable", .detail = "net",
	  .verdict = ALTCONN_VERDICT_UNREACHABLE_NET },
	{ .name = "unreachable", .detail = "host",
	  .verdict = ALTCONN_VERDICT_UNREACHABLE_HOST },
	{ .name = "unreachable", .verdict = ALTCONN_VERDICT_UNREACHABLE_HOST },
	{ .name = "drop", .verdict = ALTCONN_VERDICT_DROP },
	{ .name = "delay", .verdict = ALTCONN_VERDICT_DELAY },
};

#define RULE_KEYWORDS	(sizeof(rule_keywords) / sizeof(*rule_keywords))
#define RULE_VERDICTS	(sizeof(rule_verdicts) / sizeof(*rule_verdicts))

/*
 * Add the verdict at @words, without a time. Return the number of its words, or
 * 0 if there is no verdict.
 */
static int rule_take_verdict(struct rule_attrs *rule, char **words)
{
	size_t i;

	for (i = 0; i < RULE_VERDICTS; i++) {
		const char *detail = rule_verdicts[i].detail;

		if (strcmp(words[0], rule_verdicts[i].name) ||
		    (detail && (!words[1] || strcmp(words[1], detail))))
			continue;
		rule_put(rule, ALTCONN_A_RULE_VERDICT,
			 &rule_verdicts[i].verdict, sizeof(uint32_t));
		return detail ? 2 : 1;
	}
	return 0;
}

static bool rule_take_keyword(struct rule_attrs *rule, const char *word,
			      char *value)
{
	size_t i;

	for (i = 0; i < RULE_KEYWORDS && strcmp(word, rule_keywords[i].name);)
		i++;
	if (i == RULE_KEYWORDS || !value)
		return false;
	switch (rule_keywords[i].attr) {
	case ALTCONN_A_RULE_KIND:
		return rule_put_dest(rule, ALTCONN_A_RULE_KIND, value);
	case ALTCONN_A_RULE_TYPE:
		return rule_put_type(rule, ALTCONN_A_RULE_TYPE, value);
	default:
		return rule_put_number(rule, rule_keywords[i].attr, value);
	}
}

/* Add a rule. Return its number, or -1. */
static int rule_add(char **words)
{
	struct rule_attrs rule = {};
	struct nl_attr attrs[] = {
		{ .type = ALTCONN_A_RULESET_RULE | NLA_F_NESTED,
		  .value = rule.bytes },
		{ }
	};
	uint32_t number = 0;
	int n;

	while (*words) {
		n = rule_take_verdict(&rule, words);
		/* "delay" is both a verdict and a keyword. */
		if (!n || !strcmp(*words, "delay")) {
			if (!rule_take_keyword(&rule, words[0], words[1]))
				return -1;
			n = 2;
		}
		words += n;
	}
	attrs[0].len = rule.len;
	return nl_ask(ALTCONN_CMD_RULE_ADD, attrs, &number) ? -1 : number;
}

static int rule_del(char **words)
{
	uint32_t number;
	const struct nl_attr attrs[] = {
		{ .type = ALTCONN_A_RULESET_ID, .value = &number,
		  .len = sizeof(number) },
		{ }
	};

	for (; *words; words++)
		if (!rule_number(*words, &number) ||
		    nl_ask(ALTCONN_CMD_RULE_DEL, attrs, NULL))
			return -1;
	return 0;
}

int at_rule(const char *fmt, ...)
{
	char *words[32] = {}, *save = NULL, text[480];
	va_list ap;
	int n = 0;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	/* No word contains a blank: quotes are for the shell only. */
	words[n] = strtok_r(text, " '", &save);
	while (words[n] && n < 30)
		words[++n] = strtok_r(NULL, " '", &save);
	if (n && !strcmp(words[0], "add"))
		return rule_add(words + 1);
	if (n && !strcmp(words[0], "del"))
		return rule_del(words + 1);
	if (n == 1 && !strcmp(words[0], "flush"))
		return nl_ask(ALTCONN_CMD_RULE_RESTORE, NULL, NULL) ? -1 : 0;
	if (n == 1 && !strcmp(words[0], "zero"))
		return nl_ask(ALTCONN_CMD_RULE_ZERO, NULL, NULL) ? -1 : 0;
	return -1;
}
