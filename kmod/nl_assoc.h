/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NL_ASSOC_H
#define _ALTCONN_NL_ASSOC_H

#include "altconn.h"

struct genl_info;
struct sk_buff;

int altconn_nl_assoc_get_start(struct netlink_callback *cb);
int altconn_nl_assoc_get_done(struct netlink_callback *cb);
int altconn_nl_assoc_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int altconn_nl_assoc_get_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* _ALTCONN_NL_ASSOC_H */
