/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the rules decided about one attempt or datagram.
 */
#ifndef _ALTCONN_RULING_H
#define _ALTCONN_RULING_H

#include "altconn.h"

/**
 * struct altconn_ruling - what a rule decided
 * @rule: its id, or 0: none did, or one that allows
 * @drops: the attempt, or datagram, never arrives
 * @delay_ms: or it arrives later
 */
struct altconn_ruling {
	u32	rule;
	bool	drops;
	u32	delay_ms;
};

#define ALTCONN_NO_RULE	((struct altconn_ruling) {})

#endif /* _ALTCONN_RULING_H */
