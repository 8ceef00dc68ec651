// SPDX-License-Identifier: GPL-2.0
/*
 * Ending associations and listeners of a network namespace by their ids, for an
 * administrator.
 */

#include <linux/bsearch.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <net/genetlink.h>
#include "altconn.h"
#include "netlink_gen.h"
#include "nl.h"

/* Of one message; they are sorted in one go. */
#define IDS_MAX	65536

/*
 * Generic netlink's lock is held for reading here, and a waiting writer would block all
 * further requests. So busy sockets are waited for so long, all of a request together.
 */
#define KILL_PATIENCE_MS	500

struct ids {
	u64	*id;
	u32	n;
};

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static bool has(const struct ids *ids, u64 id)
{
	return bsearch(&id, ids->id, ids->n, sizeof(id), compare);
}

/* Those of a message, sorted; there is one at least. */
static int read_ids(struct genl_info *info, struct ids *ids)
{
	const struct nlattr *attr;
	int rem;

	ids->n = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		ids->n++;
	if (!ids->n) {
		NL_SET_ERR_MSG(info->extack, "the 'id' is missing");
		return -EINVAL;
	}
	if (ids->n > IDS_MAX) {
		NL_SET_ERR_MSG(info->extack, "too many ids: 65536 are the most");
		return -ENOSPC;
	}
	ids->id = kvmalloc_array(ids->n, sizeof(*ids->id), GFP_KERNEL_ACCOUNT);
	if (!ids->id)
		return -ENOMEM;
	ids->n = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		ids->id[ids->n++] = nla_get_u64(attr);
	sort(ids->id, ids->n, sizeof(*ids->id), compare, NULL);
	return 0;
}

static u32 kill_assocs(struct net *net, const struct ids *ids)
{
	struct altconn_assoc *assoc;
	struct altconn_walk walk;
	u32 n = 0;

	altconn_assoc_walk(net, &walk);
	while (!fatal_signal_pending(current) &&
	       (assoc = altconn_assoc_next(&walk))) {
		if (has(ids, assoc->entry.id))
			n += altconn_assoc_kill(assoc);
		altconn_assoc_put(assoc);
		cond_resched();
	}
	altconn_assoc_walked(&walk);
	return n;
}

static u32 kill_sockets(struct net *net, const struct ids *ids)
{
	unsigned long until = jiffies + msecs_to_jiffies(KILL_PATIENCE_MS);
	struct altconn_registry *reg = &altconn_pernet(net)->sockets;
	struct altconn_cursor cursor;
	struct sock *sk;
	u32 n = 0;
	u64 id;

	altconn_registry_open(reg, &cursor);
	while (!fatal_signal_pending(current) &&
	       (sk = altconn_sock_next(net, &cursor))) {
		id = READ_ONCE(altconn_sk(sk)->entry.id);
		if (has(ids, id))
			n += altconn_sock_kill(sk, id, until);
		sock_put(sk);
		cond_resched();
	}
	altconn_registry_close(reg, &cursor);
	return n;
}

/**
 * altconn_nl_kill_doit() - end associations and listeners
 * @skb: the request
 * @info: likewise
 *
 * Return: 0: those that there were; -EPERM; -EINVAL: no id; -ENOSPC: too many;
 * -ENOMEM. Nothing is ended then.
 */
int altconn_nl_kill_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct sk_buff *reply;
	struct ids ids;
	u32 killed;
	void *hdr;
	int err;

	err = altconn_nl_check_admin(skb, info) ? : read_ids(info, &ids);
	if (err)
		return err;
	err = -ENOMEM;
	reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		goto out;
	err = 0;
	hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				ALTCONN_CMD_KILL);
	killed = kill_assocs(net, &ids) + kill_sockets(net, &ids);
	if (WARN_ON_ONCE(!hdr ||
			 nla_put_u32(reply, ALTCONN_A_KILL_KILLED, killed))) {
		nlmsg_free(reply);
		goto out;
	}
	genlmsg_end(reply, hdr);
	/* They are ended, whether the answer gets through or not. */
	genlmsg_reply(reply, info);
out:
	kvfree(ids.id);
	return err;
}
