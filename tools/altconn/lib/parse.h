/* SPDX-License-Identifier: GPL-2.0 */
/*
 * These functions parse values that the user has typed. The whole text must be
 * the value.
 */
#ifndef ALTCONN_TOOL_PARSE_H
#define ALTCONN_TOOL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool parse_digits(const char *text, size_t len, uint64_t most, uint64_t *value);
bool parse_u64(const char *text, uint64_t *value);
bool parse_u32(const char *text, uint32_t *value);
bool parse_int(const char *text, int *value);
bool parse_id(const char *text, uint64_t most, uint64_t *id);
bool parse_count(const char *text, unsigned long *count);
bool parse_number(const char *text, double least, double most, double *value);
bool parse_user(const char *text, uint32_t *uid);
bool parse_group(const char *text, uint32_t *gid);

#endif /* ALTCONN_TOOL_PARSE_H */
