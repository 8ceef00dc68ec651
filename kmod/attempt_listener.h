/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ATTEMPT_LISTENER_H
#define _ALTCONN_ATTEMPT_LISTENER_H

#include "altconn.h"

struct altconn_addr;
struct altconn_listener;
struct altconn_room;
struct altconn_serving;
struct attempt_batch;

void altconn_attempt_find_deferring(struct altconn_room *room,
				    const struct altconn_serving *s, bool all,
				    struct attempt_batch *batch);
void altconn_attempt_promote_or_refuse(struct altconn_room *room,
				       const struct altconn_addr *addr);
int altconn_attempt_add_listener(struct altconn_listener *ln);
void altconn_attempt_remove_listener(struct altconn_listener *ln);
void altconn_attempt_refuse_surplus(struct altconn_listener *ln);
void altconn_attempt_set_policy(struct altconn_listener *ln, u32 backlog,
				bool fail_fast, bool defer);
void altconn_attempt_refuse_first(struct altconn_listener *ln, u32 count);
bool altconn_attempt_has_waiting(const struct altconn_listener *ln);
u32 altconn_attempt_nr_waiting(const struct altconn_listener *ln);

#endif /* _ALTCONN_ATTEMPT_LISTENER_H */
