// SPDX-License-Identifier: GPL-2.0
/*
 * This file lists associations over generic netlink. The specification is
 * Documentation/netlink/specs/altconn.yaml, from which netlink_gen.c is
 * generated.
 *
 * Between two parts of a dump, only the position and the filter are kept
 * (struct nl_assoc_dump): no lock and no reference. The dump shows every
 * association that exists from the beginning of the dump to its end, exactly
 * once. It shows no association that began later. If an association is removed
 * before the dump reaches it, a later message has NLM_F_DUMP_INTR.
 */

#include <linux/dcache.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>
#include "assoc.h"
#include "assoc_walk.h"
#include "attempt.h"
#include "netlink_gen.h"
#include "nl.h"
#include "nl_assoc.h"
#include "nl_filter.h"
#include "ring.h"
#include "task_info.h"
#include "xns.h"

/* Describe an end. The caller drops the reference to info.task.pid. */
static struct altconn_end_info nl_assoc_end(struct altconn_assoc *assoc,
					    enum altconn_side side,
					    const struct altconn_viewer *viewer)
{
	struct altconn_end *end = &assoc->end[side];
	/*
	 * Pairs with the release in altconn_assoc_attach(): if end->sk is set,
	 * the endpoint is complete.
	 */
	struct sock *sk = smp_load_acquire(&end->sk);
	struct altconn_end_info info = {
		.addr = altconn_xns_addr(assoc, side, viewer->side),
		.format = end->format,
		.recv_queue = altconn_ring_unread_payload(READ_ONCE(end->in)),
		.inode = sk ? sock_i_ino(sk) : 0,
	};

	spin_lock(&assoc->lock);
	info.task = altconn_task_info_get(&end->task);
	spin_unlock(&assoc->lock);
	return info;
}

static int nl_put_assoc_end(struct sk_buff *skb, int attr,
			    const struct altconn_viewer *viewer,
			    struct altconn_assoc *assoc, enum altconn_side side)
{
	struct altconn_end_info info = nl_assoc_end(assoc, side, viewer);
	int err = altconn_nl_put_end(skb, attr, viewer, &info);

	put_pid(info.task.pid);
	return err;
}

/* Check whether both ends of @assoc match the request. */
static bool nl_selects_assoc_ends(const struct altconn_nl_filter *filter,
				  const struct altconn_viewer *viewer,
				  struct altconn_assoc *assoc)
{
	struct altconn_end_info client, server;
	bool wanted;

	if (!filter->client.given && !filter->server.given &&
	    !filter->either.given)
		return true;
	client = nl_assoc_end(assoc, ALTCONN_CLIENT, viewer);
	server = nl_assoc_end(assoc, ALTCONN_SERVER, viewer);
	wanted = altconn_nl_filter_selects_end(&filter->client, viewer,
					       &client) &&
		 altconn_nl_filter_selects_end(&filter->server, viewer,
					       &server) &&
		 (altconn_nl_filter_selects_end(&filter->either, viewer,
						&client) ||
		  altconn_nl_filter_selects_end(&filter->either, viewer,
						&server));
	put_pid(client.task.pid);
	put_pid(server.task.pid);
	return wanted;
}

static bool nl_selects_assoc_listener(const struct altconn_nl_filter *filter,
				      const struct altconn_assoc *assoc)
{
	u64 id;

	if (!filter->listener)
		return true;
	id = altconn_attempt_listener_id(assoc);
	return altconn_nl_filter_selects_u64(filter->listener, id);
}

/*
 * Check whether @assoc, in state @state, matches the request. @filter is NULL
 * if the request has no attributes.
 */
static bool nl_selects_assoc(const struct altconn_nl_filter *filter,
			     const struct altconn_viewer *viewer,
			     struct altconn_assoc *assoc, u32 state)
{
	return !filter ||
	       (altconn_nl_filter_selects_u64(filter->id, assoc->entry.id) &&
		altconn_nl_filter_selects_u32(filter->type,
					      altconn_nl_type(assoc->type)) &&
		altconn_nl_filter_selects_u32(filter->state, state) &&
		nl_selects_assoc_listener(filter, assoc) &&
		nl_selects_assoc_ends(filter, viewer, assoc));
}

/*
 * Get the state to show: like assoc->state, but an association that has closed
 * ends is CLOSING (one end) or CLOSED (both ends).
 */
static u32 nl_assoc_shown_state(const struct altconn_assoc *assoc)
{
	u32 state = altconn_assoc_state(assoc);
	bool client = READ_ONCE(assoc->end[ALTCONN_CLIENT].closed);
	bool server = READ_ONCE(assoc->end[ALTCONN_SERVER].closed);

	if (client && server)
		return ALTCONN_ASSOC_STATE_CLOSED;
	if (client || server)
		return ALTCONN_ASSOC_STATE_CLOSING;
	return state;
}

/*
 * Put the time of connect(), the age, the time until the decision, and the
 * position of an attempt in its lane.
 */
static int nl_assoc_put_times(struct sk_buff *skb,
			      const struct altconn_assoc *assoc, u32 state)
{
	u64 decided = READ_ONCE(assoc->decided_at), now = ktime_get_ns();

	if (nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_BEGUN_NS, assoc->entry.begun,
			      ALTCONN_A_ASSOC_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_AGE_MS,
			      div_u64(now - assoc->entry.begun, NSEC_PER_MSEC),
			      ALTCONN_A_ASSOC_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_WAITED_MS,
			      div_u64((decided ? : now) - assoc->entry.begun,
				      NSEC_PER_MSEC), ALTCONN_A_ASSOC_PAD))
		return -EMSGSIZE;
	if (state == ALTCONN_ASSOC_STATE_PENDING)
		return nla_put_u32(skb, ALTCONN_A_ASSOC_POSITION,
				   altconn_attempt_position(assoc));
	return 0;
}

static int nl_put_assoc(struct sk_buff *skb,
			const struct altconn_viewer *viewer,
			struct altconn_assoc *assoc, u32 state)
{
	if (nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_ID, assoc->entry.id,
			      ALTCONN_A_ASSOC_PAD) ||
	    nla_put_u32(skb, ALTCONN_A_ASSOC_TYPE,
			altconn_nl_type(assoc->type)) ||
	    nla_put_u32(skb, ALTCONN_A_ASSOC_STATE, state) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_LISTENER,
			      altconn_attempt_listener_id(assoc),
			      ALTCONN_A_ASSOC_PAD) ||
	    nl_put_assoc_end(skb, ALTCONN_A_ASSOC_CLIENT, viewer, assoc,
			     ALTCONN_CLIENT) ||
	    nl_put_assoc_end(skb, ALTCONN_A_ASSOC_SERVER, viewer, assoc,
			     ALTCONN_SERVER))
		return -EMSGSIZE;
	/*
	 * Rule ids are local to a network namespace, and the rules of the
	 * client's namespace apply.
	 */
	if (assoc->rule && viewer->side == ALTCONN_CLIENT &&
	    nla_put_u32(skb, ALTCONN_A_ASSOC_RULE, assoc->rule))
		return -EMSGSIZE;
	return nl_assoc_put_times(skb, assoc, state);
}

/*
 * Add one message to a part of a dump, or return -EMSGSIZE if the part is full.
 */
static int nl_dump_assoc(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct altconn_viewer *viewer,
			 struct altconn_assoc *assoc, u32 state)
{
	void *hdr;

	hdr = altconn_nl_put_header(skb, cb, ALTCONN_CMD_ASSOC_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nl_put_assoc(skb, viewer, assoc, state)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* The state of a dump between two of its parts. It is kept in cb->ctx. */
struct nl_assoc_dump {
	struct altconn_walk		walk;
	struct altconn_nl_filter	*filter;	/* NULL: all match */
};

static struct nl_assoc_dump *nl_assoc_dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nl_assoc_dump) > sizeof(cb->ctx));
	return (struct nl_assoc_dump *)cb->ctx;
}

/**
 * altconn_nl_assoc_get_start() - begin a dump of a namespace's associations
 * @cb: the dump; its context gets the position and the filter
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if an attribute is wrong or occurs twice; -ENOMEM.
 */
int altconn_nl_assoc_get_start(struct netlink_callback *cb)
{
	struct nl_assoc_dump *dump = nl_assoc_dump_of(cb);
	struct altconn_nl_filter *filter;

	filter = altconn_nl_filter_new_dump(cb, altconn_nl_filter_parse_assoc);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	dump->filter = filter;
	altconn_assoc_walk_begin(sock_net(cb->skb->sk), &dump->walk);
	altconn_nl_set_seq(cb, altconn_assoc_track_removed(&dump->walk));
	cb->prev_seq = cb->seq;
	return 0;
}

/**
 * altconn_nl_assoc_get_done() - free the filter of a dump of associations
 * @cb: the dump, which is complete or cancelled
 *
 * Context: process.
 * Return: 0.
 */
int altconn_nl_assoc_get_done(struct netlink_callback *cb)
{
	kfree(nl_assoc_dump_of(cb)->filter);
	return 0;
}

/**
 * altconn_nl_assoc_get_dumpit() - make the next part of a dump of associations
 * @skb: the part, empty
 * @cb: the dump; the function advances the position in its context
 *
 * Context: process, may sleep.
 * Return: length of @skb, or 0 if the dump is complete or a fatal signal is
 * pending.
 */
int altconn_nl_assoc_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct altconn_viewer viewer =
		altconn_nl_viewer_of(cb->skb, sock_net(cb->skb->sk));
	struct nl_assoc_dump *dump = nl_assoc_dump_of(cb);
	struct altconn_walk before = dump->walk;
	int err = 0, looks = NL_DUMP_BATCH;
	struct altconn_assoc *assoc;
	u32 state;

	altconn_nl_set_seq(cb, altconn_assoc_nr_removed(&dump->walk));
	while (!err && looks && !fatal_signal_pending(current) &&
	       (assoc = altconn_assoc_next(&dump->walk, &viewer.side))) {
		looks--;
		state = nl_assoc_shown_state(assoc);
		if (nl_selects_assoc(dump->filter, &viewer, assoc, state))
			err = nl_dump_assoc(skb, cb, &viewer, assoc, state);
		altconn_assoc_put(assoc);
		if (err)
			dump->walk = before;
		before = dump->walk;
		cond_resched();
	}
	if (!looks && !skb->len)
		altconn_nl_put_noop(skb, cb);
	/*
	 * A removal during this part shows in the next message, which may be
	 * the NLMSG_DONE that the core makes.
	 */
	altconn_nl_set_seq(cb, altconn_assoc_nr_removed(&dump->walk));
	return skb->len;
}

/**
 * altconn_nl_assoc_get_doit() - reply with one association of the namespace
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if the id is missing, or an attribute is wrong or occurs
 * twice; -ENOENT if no association has the id, or the association does not
 * match the other attributes; -ENOMEM; or an error of sending the reply.
 */
int altconn_nl_assoc_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_viewer viewer =
		altconn_nl_viewer_of(skb, genl_info_net(info));
	struct altconn_nl_filter *filter;
	struct altconn_assoc *assoc;
	struct sk_buff *reply;
	int err = -ENOENT;
	void *hdr;
	u32 state;

	filter = altconn_nl_filter_new_one(info, altconn_nl_filter_parse_assoc);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	reply = altconn_nl_reply_new(info, NLMSG_DEFAULT_SIZE,
				     ALTCONN_CMD_ASSOC_GET, &hdr);
	if (IS_ERR(reply)) {
		kfree(filter);
		return PTR_ERR(reply);
	}
	assoc = altconn_assoc_find(genl_info_net(info),
				   nla_get_u64(filter->id), &viewer.side);
	if (assoc) {
		state = nl_assoc_shown_state(assoc);
		if (nl_selects_assoc(filter, &viewer, assoc, state))
			err = nl_put_assoc(reply, &viewer, assoc, state);
		altconn_assoc_put(assoc);
	}
	kfree(filter);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no such association");
	return altconn_nl_reply_send(reply, hdr, info, err);
}
