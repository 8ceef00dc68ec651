/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules have one syntax as text: on the command line, in files and in lists.
 */
#ifndef ALTCONN_TOOL_RULE_H
#define ALTCONN_TOOL_RULE_H

#include "lib/record.h"

/* Longest text of a rule, if each byte of the pattern is an escape sequence. */
#define RULE_TEXT_MAX	2048

const char *rule_parse(char **words, struct rule *rule, const char **word);
void rule_to_text(const struct rule *rule, char *text);
void rule_dest_to_text(const struct rule *rule, char *text);
const char *rule_verdict_name(uint32_t verdict);

#endif /* ALTCONN_TOOL_RULE_H */
