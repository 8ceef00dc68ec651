/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Each reason for which an attempt ends has a name and a sentence.
 */
#ifndef ALTCONN_TOOL_REASON_H
#define ALTCONN_TOOL_REASON_H

#include <stdint.h>

const char *reason_name(uint32_t reason);
const char *reason_text(uint32_t reason);
const char *reason_error_name(uint32_t error);

#endif /* ALTCONN_TOOL_REASON_H */
