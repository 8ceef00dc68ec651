// SPDX-License-Identifier: GPL-2.0
/*
 * This file reports the counters of a network namespace over generic netlink.
 */

#include <linux/slab.h>
#include <net/genetlink.h>
#include "account.h"
#include "netlink_gen.h"
#include "netns.h"
#include "nl.h"
#include "nl_stat.h"
#include "stat.h"

/*
 * Sum up the counters of all CPUs. struct altconn_stat has members of type u64
 * only, so it can be summed up as an array of them.
 */
static void nl_stat_sum(const struct altconn_net *an,
			struct altconn_stat *sum)
{
	unsigned int cpu, i;
	const u64 *from;
	u64 *to = (u64 *)sum;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		from = (const u64 *)per_cpu_ptr(an->stat, cpu);
		for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
			to[i] += READ_ONCE(from[i]);
	}
}

/* Put the number of durations that have @bits bits (stat.h), if it is not 0. */
static int nl_stat_put_bucket(struct sk_buff *skb, u32 bits, u64 count)
{
	struct nlattr *nest;

	if (!count)
		return 0;
	nest = nla_nest_start(skb, ALTCONN_A_HISTOGRAM_BUCKET);
	if (!nest || nla_put_u32(skb, ALTCONN_A_BUCKET_BITS, bits) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_BUCKET_COUNT, count,
			      ALTCONN_A_BUCKET_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int nl_stat_put_histogram(struct sk_buff *skb, int attr,
				 const struct altconn_histogram *hist)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	u32 i;

	if (!nest || nla_put_u64_64bit(skb, ALTCONN_A_HISTOGRAM_SUM_NS,
				       hist->sum, ALTCONN_A_HISTOGRAM_PAD))
		return -EMSGSIZE;
	for (i = 0; i < ALTCONN_BUCKETS; i++)
		if (nl_stat_put_bucket(skb, i, hist->bucket[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Put the number of associations of one user. */
static int nl_stat_put_user(struct sk_buff *skb, int attr,
			    const struct altconn_account_usage *usage)
{
	u32 uid = from_kuid_munged(current_user_ns(), usage->uid);
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || nla_put_u32(skb, ALTCONN_A_USER_UID, uid) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_USER_COUNT, usage->n,
			      ALTCONN_A_USER_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * For each kind of account, the reply has at most this many users, starting
 * with those that have the most associations. All of them must fit into one
 * message.
 */
#define NL_STAT_USERS	16

/* Put the users with the most associations, for each kind of account. */
static int nl_stat_put_users(struct sk_buff *skb, struct altconn_net *an)
{
	static const int attr[ALTCONN_ACCOUNT_KINDS] = {
		[ALTCONN_ACCOUNT_OWN]		= ALTCONN_A_STAT_USER,
		[ALTCONN_ACCOUNT_INBOUND]	= ALTCONN_A_STAT_USER_INBOUND,
		[ALTCONN_ACCOUNT_NESTED]	= ALTCONN_A_STAT_USER_NESTED,
	};
	struct altconn_account_usage top[NL_STAT_USERS];
	u32 kind, i, n;

	for (kind = 0; kind < ALTCONN_ACCOUNT_KINDS; kind++) {
		n = altconn_account_list_top(an, kind, top, NL_STAT_USERS);
		for (i = 0; i < n; i++)
			if (nl_stat_put_user(skb, attr[kind], &top[i]))
				return -EMSGSIZE;
	}
	return 0;
}

static int nl_stat_put(struct sk_buff *skb, const struct altconn_stat *stat)
{
	if (altconn_nl_put_outcomes(skb, ALTCONN_A_STAT_OUTCOME,
				    stat->outcomes) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_STAT_WAITED, stat->waited,
			      ALTCONN_A_STAT_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_STAT_ACCEPTED, stat->accepted,
			      ALTCONN_A_STAT_PAD) ||
	    nl_stat_put_histogram(skb, ALTCONN_A_STAT_LATENCY,
				  &stat->latency) ||
	    nl_stat_put_histogram(skb, ALTCONN_A_STAT_ACCEPT_QUEUE,
				  &stat->accept_queue))
		return -EMSGSIZE;
	return 0;
}

/*
 * Space for a reply. Each nest with one counter takes 40 bytes with its
 * padding; all other attributes fit into the first term.
 */
#define NL_STAT_SIZE	(64 * 8 + 40 * (ALTCONN_N_REASONS + \
					2 * ALTCONN_BUCKETS + \
					ALTCONN_ACCOUNT_KINDS * NL_STAT_USERS))

static int nl_stat_reply(struct genl_info *info,
			 const struct altconn_stat *stat)
{
	struct sk_buff *reply = genlmsg_new(NL_STAT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				ALTCONN_CMD_STAT_GET);
	if (!hdr || nl_stat_put(reply, stat) ||
	    nl_stat_put_users(reply, altconn_pernet(genl_info_net(info)))) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/**
 * altconn_nl_stat_get_doit() - reply with the counters of the namespace
 * @skb: the request
 * @info: the request
 *
 * The counters change while they are read, so the values in the reply are not
 * all of the same moment.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if the request has an attribute; -ENOMEM; or an error of
 * sending the reply.
 */
int altconn_nl_stat_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = altconn_nl_check_empty(info);
	struct altconn_stat *stat;

	if (err)
		return err;
	stat = kmalloc(sizeof(*stat), GFP_KERNEL);
	if (!stat)
		return -ENOMEM;
	nl_stat_sum(altconn_pernet(genl_info_net(info)), stat);
	err = nl_stat_reply(info, stat);
	kfree(stat);
	return err;
}
