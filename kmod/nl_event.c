// SPDX-License-Identifier: GPL-2.0
/*
 * This file serves ALTCONN_CMD_MONITOR, the generic netlink request that makes
 * its socket a watcher: from then on the socket receives events (event.c).
 */

#include <linux/netlink.h>
#include <net/genetlink.h>
#include "event.h"
#include "netlink_gen.h"
#include "netns.h"
#include "nl.h"
#include "nl_event.h"
#include "payer.h"

/* Reply with @seq, the number of the last event of the watcher. */
static int nl_event_reply(struct genl_info *info, u64 seq)
{
	struct sk_buff *reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				ALTCONN_CMD_MONITOR);
	if (!hdr || nla_put_u64_64bit(reply, ALTCONN_A_EVENT_SEQ, seq,
				      ALTCONN_A_EVENT_PAD)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* Make the socket of the request a watcher, which is charged to its user. */
static int nl_event_add_watcher(struct sk_buff *skb, struct genl_info *info)
{
	struct event_watcher *w =
		altconn_event_watcher_new(skb, info->snd_portid);
	struct altconn_payer *payer;
	int err;

	if (!w)
		return -ENOMEM;
	payer = altconn_event_payer_charge(skb);
	if (IS_ERR(payer)) {
		if (PTR_ERR(payer) == -ENOSPC)
			NL_SET_ERR_MSG(info->extack,
				       "too many sockets of this user get events");
		altconn_event_watcher_put(w);
		return PTR_ERR(payer);
	}
	w->payer = payer;
	err = altconn_event_watcher_add(altconn_pernet(genl_info_net(info)), w);
	if (err)
		altconn_event_watcher_end(w);
	return err;
}

/**
 * altconn_nl_monitor_doit() - make the socket of a request a watcher
 * @skb: the request
 * @info: the request
 *
 * For a socket that is a watcher already, nothing changes. The reply has the
 * number of the last event of the watcher, lost or not; 0 for a new watcher.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if the request has an attribute; -ENOMEM; -ENOSPC if the
 * user has the maximum number of watchers; -EALREADY if another thread has just
 * made the socket a watcher; or an error of sending the reply.
 */
int altconn_nl_monitor_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_net *an = altconn_pernet(genl_info_net(info));
	struct sock *sk = NETLINK_CB(skb).sk;
	int err = altconn_nl_check_empty(info);
	u64 seq = 0;

	if (err)
		return err;
	if (altconn_event_watcher_get_seq(an, info->snd_portid, sk, &seq))
		return nl_event_reply(info, seq);
	err = nl_event_add_watcher(skb, info);
	if (err)
		return err;
	err = nl_event_reply(info, seq);
	if (err)
		altconn_event_watcher_remove(an, info->snd_portid, sk);
	return err;
}
