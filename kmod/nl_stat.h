/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NL_STAT_H
#define _ALTCONN_NL_STAT_H

#include "altconn.h"

struct genl_info;
struct sk_buff;

int altconn_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _ALTCONN_NL_STAT_H */
