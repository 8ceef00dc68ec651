/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All commands print listeners, datagram sockets and associations as the same
 * rows.
 */
#ifndef ALTCONN_TOOL_ROW_H
#define ALTCONN_TOOL_ROW_H

#include "lib/out.h"
#include "lib/record.h"

#define ROW_COMM_MAX	(4 * RECORD_TEXT_MAX + 1)
#define ROW_PROCESS_MAX	(ROW_COMM_MAX + 32)

struct out *row_open(const struct out_style *style, bool extended);
void row_assoc(struct out *out, const struct assoc *a);
void row_sock(struct out *out, const struct sock *s);
void row_comm(const struct end *end, char *text);
void row_process(const struct end *end, char *text);

#endif /* ALTCONN_TOOL_ROW_H */
