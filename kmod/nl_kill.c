// SPDX-License-Identifier: GPL-2.0
/*
 * This file serves ALTCONN_CMD_KILL, with which an administrator ends
 * associations, stops listeners and disconnects datagram sockets, by their ids.
 */

#include <linux/sched/signal.h>
#include <net/genetlink.h>
#include "assoc.h"
#include "assoc_walk.h"
#include "endpoint.h"
#include "kill.h"
#include "netlink_gen.h"
#include "nl.h"
#include "nl_kill.h"

/* Maximum number of ids in a request. */
#define KILL_IDS_MAX	65536

/*
 * The longest total time that a request waits for sockets on which another call
 * runs. During that time the request holds cb_lock of generic netlink for
 * reading, and a writer that waits for cb_lock blocks all later requests.
 */
#define KILL_WAIT_MAX_MS	500

/* Check the number of ids. All attributes of a request are ids. */
static int nl_kill_check_ids(struct genl_info *info)
{
	const struct nlattr *attr;
	u32 n = 0;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		n++;
	if (!n) {
		NL_SET_ERR_MSG(info->extack, "the 'id' is missing");
		return -EINVAL;
	}
	if (n > KILL_IDS_MAX) {
		NL_SET_ERR_MSG(info->extack, "too many ids: the limit is 65536");
		return -ENOSPC;
	}
	return 0;
}

/*
 * End the association, or stop the socket, with the id @id. @until is the time
 * in jiffies at which to give up a socket on which another call runs. Return
 * true if an object was ended or stopped.
 */
static bool nl_kill_id(struct net *net, u64 id, unsigned long until)
{
	struct altconn_assoc *assoc;
	enum altconn_side viewer;
	bool killed = false;
	struct sock *sk;

	assoc = altconn_assoc_find(net, id, &viewer);
	if (assoc) {
		killed = altconn_kill_assoc(assoc);
		altconn_assoc_put(assoc);
		return killed;
	}
	sk = altconn_endpoint_find(net, id);
	if (sk) {
		killed = altconn_kill_sock(sk, id, until);
		sock_put(sk);
	}
	return killed;
}

/*
 * Apply nl_kill_id() to each id of the request. Return the number of successes.
 */
static u32 nl_kill_ids(struct genl_info *info)
{
	unsigned long until = jiffies + msecs_to_jiffies(KILL_WAIT_MAX_MS);
	const struct nlattr *attr;
	u32 killed = 0;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (fatal_signal_pending(current))
			break;
		killed += nl_kill_id(genl_info_net(info), nla_get_u64(attr),
				     until);
		cond_resched();
	}
	return killed;
}

/**
 * altconn_nl_kill_doit() - end associations and sockets by their ids
 * @skb: the request
 * @info: the request
 *
 * The request skips an id that no object has, and a socket that stays busy. A
 * fatal signal ends the request early. The reply has the number of objects that
 * the request has ended.
 *
 * Context: process, may sleep.
 * Return: 0, also if no object has been ended; -EPERM if the sender has no
 * CAP_NET_ADMIN; -EINVAL if there is no id; -ENOSPC if there are too many ids;
 * -ENOMEM. On failure nothing has been ended.
 */
int altconn_nl_kill_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;
	int err;

	err = altconn_nl_check_admin(skb, info) ? : nl_kill_check_ids(info);
	if (err)
		return err;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				ALTCONN_CMD_KILL);
	if (WARN_ON_ONCE(!hdr || nla_put_u32(reply, ALTCONN_A_KILL_KILLED,
					     nl_kill_ids(info)))) {
		nlmsg_free(reply);
		return 0;
	}
	genlmsg_end(reply, hdr);
	/* The request has been carried out, even if the reply is lost. */
	genlmsg_reply(reply, info);
	return 0;
}
