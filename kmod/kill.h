/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_KILL_H
#define _ALTCONN_KILL_H

#include "altconn.h"

struct altconn_assoc;

bool altconn_kill_assoc(struct altconn_assoc *assoc);
bool altconn_kill_sock(struct sock *sk, u64 id, unsigned long until);

#endif /* _ALTCONN_KILL_H */
