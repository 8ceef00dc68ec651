/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules as text: what a user types, what a file holds, what is printed.
 */
#ifndef ALTCONN_TOOL_RULE_H
#define ALTCONN_TOOL_RULE_H

#include "record.h"

/* Longest text of a rule, and of a part of it: each byte of a pattern escaped. */
#define RULE_TEXT_MAX	2048

const char *rule_parse(char **words, struct rule *rule, const char **word);
void rule_format(const struct rule *rule, char *text);
void rule_format_dest(const struct rule *rule, char *text);
const char *rule_verdict(uint32_t verdict);

const char *type_name(uint32_t type);
uint32_t type_number(const char *name);

#endif /* ALTCONN_TOOL_RULE_H */
