// SPDX-License-Identifier: GPL-2.0
/*
 * This file shows associations over generic netlink. The specification is
 * Documentation/netlink/specs/altconn.yaml; netlink_gen.c is generated from it.
 *
 * Between two messages a dump keeps its position, which consists of numbers,
 * and pointers into its request. The dump holds no lock and no reference to an
 * association. It shows each association that existed when the dump began once,
 * and no association that was added later. If an association is removed before
 * the dump has reached it, the dump is marked NLM_F_DUMP_INTR.
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

/* Describe an end. The caller puts the reference to the process's pid. */
static struct altconn_end_info nl_assoc_end(struct altconn_assoc *assoc,
					    enum altconn_side side,
					    const struct altconn_viewer *viewer)
{
	struct altconn_end *end = &assoc->end[side];
	/* Pairs with altconn_assoc_attach(). */
	struct sock *sk = smp_load_acquire(&end->sk);
	struct altconn_end_info info = {
		.addr = altconn_assoc_addr(assoc, side, viewer->side),
		.format = end->format,
		.recv_queue = altconn_ring_payload(READ_ONCE(assoc->end[side].in)),
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
	wanted = altconn_nl_selects_end(&filter->client, viewer, &client) &&
		 altconn_nl_selects_end(&filter->server, viewer, &server) &&
		 (altconn_nl_selects_end(&filter->either, viewer, &client) ||
		  altconn_nl_selects_end(&filter->either, viewer, &server));
	put_pid(client.task.pid);
	put_pid(server.task.pid);
	return wanted;
}

/*
 * Check whether a request selects @assoc. A NULL @filter selects every
 * association.
 */
static bool nl_selects_assoc(const struct altconn_nl_filter *filter,
			     const struct altconn_viewer *viewer,
			     struct altconn_assoc *assoc, u32 state)
{
	return !filter ||
	       (altconn_nl_selects_u64(filter->id, assoc->entry.id) &&
		altconn_nl_selects_u32(filter->type,
				       altconn_nl_type(assoc->type)) &&
		altconn_nl_selects_u32(filter->state, state) &&
		(!filter->listener ||
		 altconn_nl_selects_u64(filter->listener,
					altconn_attempt_listener_id(assoc))) &&
		nl_selects_assoc_ends(filter, viewer, assoc));
}

static u32 nl_shown_state(const struct altconn_assoc *assoc)
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

static int nl_put_wait(struct sk_buff *skb, const struct altconn_assoc *assoc,
		       u32 state)
{
	u64 decided = READ_ONCE(assoc->decided_at), now = ktime_get_ns();

	if (nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_AGE_MS,
			      div_u64(now - assoc->begun, NSEC_PER_MSEC),
			      ALTCONN_A_ASSOC_PAD) ||
	    nla_put_u64_64bit(skb, ALTCONN_A_ASSOC_WAITED_MS,
			      div_u64((decided ? : now) - assoc->begun,
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
	 * The rule is one of the client's network namespace. Its id means
	 * nothing to a reader in the server's namespace.
	 */
	if (assoc->rule && viewer->side == ALTCONN_CLIENT &&
	    nla_put_u32(skb, ALTCONN_A_ASSOC_RULE, assoc->rule))
		return -EMSGSIZE;
	return nl_put_wait(skb, assoc, state);
}

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

/* This is the state of a dump of associations, in cb->ctx. */
struct nl_assoc_dump {
	struct altconn_walk		walk;
	struct altconn_nl_filter	*filter;	/* NULL: select all */
};

static struct nl_assoc_dump *nl_assoc_dump_of(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nl_assoc_dump) > sizeof(cb->ctx));
	return (struct nl_assoc_dump *)cb->ctx;
}

/**
 * altconn_nl_assoc_get_start() - begin a dump of the namespace's associations
 * @cb: the dump; gets the position and the filter
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: an attribute is wrong or occurs twice; -ENOMEM.
 */
int altconn_nl_assoc_get_start(struct netlink_callback *cb)
{
	struct nl_assoc_dump *dump = nl_assoc_dump_of(cb);
	struct altconn_nl_filter *filter;

	filter = altconn_nl_dump_filter(cb, altconn_nl_filter_assoc);
	if (IS_ERR(filter))
		return PTR_ERR(filter);
	dump->filter = filter;
	altconn_assoc_walk_begin(sock_net(cb->skb->sk), &dump->walk);
	altconn_nl_set_seq(cb, altconn_assoc_track_removed(&dump->walk));
	cb->prev_seq = cb->seq;
	return 0;
}

/**
 * altconn_nl_assoc_get_done() - free the state of a dump of associations
 * @cb: the dump, which is complete or was given up
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
 * altconn_nl_assoc_get_dumpit() - dump the namespace's associations
 * @skb: gets the next part of the dump
 * @cb: the dump; its position moves on
 *
 * Context: process, may sleep.
 * Return: length of @skb; 0: the dump is complete, or the caller is being
 * killed.
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
		state = nl_shown_state(assoc);
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
	 * The core compares this number when it makes the next message of the
	 * dump, or its NLMSG_DONE.
	 */
	altconn_nl_set_seq(cb, altconn_assoc_nr_removed(&dump->walk));
	return skb->len;
}

/**
 * altconn_nl_assoc_get_doit() - send one association of the namespace
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: the id is missing, or an attribute is wrong or occurs
 * twice; -ENOENT: no association has the id, or the association does not match
 * the other attributes; -ENOMEM; or an error of sending the reply.
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

	filter = altconn_nl_one_filter(info, altconn_nl_filter_assoc);
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
		state = nl_shown_state(assoc);
		if (nl_selects_assoc(filter, &viewer, assoc, state))
			err = nl_put_assoc(reply, &viewer, assoc, state);
		altconn_assoc_put(assoc);
	}
	kfree(filter);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "there is no such association");
	return altconn_nl_reply_send(reply, hdr, info, err);
}
