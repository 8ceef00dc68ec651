/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ATTEMPT_ENQUEUE_H
#define _ALTCONN_ATTEMPT_ENQUEUE_H

#include "altconn.h"

struct altconn_assoc;
struct altconn_listener;
struct altconn_net;

u32 altconn_attempt_max_waiting(const struct altconn_net *an);
int altconn_attempt_enqueue(struct altconn_assoc *assoc,
			    struct altconn_listener *ln, u32 *reason);

#endif /* _ALTCONN_ATTEMPT_ENQUEUE_H */
