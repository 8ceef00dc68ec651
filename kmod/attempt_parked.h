/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ATTEMPT_PARKED_H
#define _ALTCONN_ATTEMPT_PARKED_H

#include "altconn.h"

struct altconn_assoc;
struct altconn_job;

void altconn_attempt_run_timer_job(struct altconn_job *job);
int altconn_attempt_park(struct altconn_assoc *assoc, u32 delay_ms,
			 const struct path *path, u32 *reason);

#endif /* _ALTCONN_ATTEMPT_PARKED_H */
