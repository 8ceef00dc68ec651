/* SPDX-License-Identifier: GPL-2.0 */
/* A ruling: the decision of the rules about one attempt or datagram. */
#ifndef _ALTCONN_RULING_H
#define _ALTCONN_RULING_H

#include "altconn.h"

/**
 * struct altconn_ruling - the decision of the rules
 * @rule: id of the rule that decided; 0 if no rule decided, or if the rule that
 *	decided lets the attempt or datagram pass
 * @drops: the attempt, or datagram, never arrives
 * @delay_ms: the attempt, or datagram, arrives this much later, milliseconds; 0
 *	for no delay
 */
struct altconn_ruling {
	u32	rule;
	bool	drops;
	u32	delay_ms;
};

#define ALTCONN_NO_RULE	((struct altconn_ruling) {})

#endif /* _ALTCONN_RULING_H */
