// SPDX-License-Identifier: GPL-2.0
/*
 * Events of an association. Each has the addresses and processes of both ends.
 */

#include "addr.h"
#include "assoc.h"
#include "event.h"
#include "event_assoc.h"
#include "netlink_gen.h"
#include "netns.h"
#include "task_info.h"
#include "xns.h"

static void event_fill_ends(struct altconn_event *ev,
			    struct altconn_assoc *assoc,
			    enum altconn_side viewer)
{
	int side;

	ev->ends = true;
	spin_lock(&assoc->lock);
	for (side = ALTCONN_CLIENT; side <= ALTCONN_SERVER; side++) {
		ev->end[side].addr =
			altconn_addr_get(altconn_assoc_addr(assoc, side, viewer));
		ev->end[side].task = altconn_task_info_get(&assoc->end[side].task);
		ev->end[side].format = assoc->end[side].format;
	}
	spin_unlock(&assoc->lock);
}

/*
 * Queue an event for the watchers in @an, which is the namespace of the end
 * @viewer; the addresses are written as that namespace writes them. RCU read
 * side.
 */
static void event_enqueue_assoc(struct altconn_net *an,
				struct altconn_assoc *assoc,
				enum altconn_side viewer, u32 kind, u32 value)
{
	kuid_t uid = assoc->end[ALTCONN_CLIENT].task.uid;
	struct altconn_event *ev;

	if (!READ_ONCE(an->n_watchers) || !altconn_event_has_audience(an, uid))
		return;
	ev = altconn_event_new(kind);
	if (!ev)
		goto out;
	ev->assoc = assoc->entry.id;
	ev->type = assoc->type;
	if (assoc->decided_at)
		ev->waited_ns = assoc->decided_at - assoc->begun;
	if (kind == ALTCONN_EVENT_KIND_CONNECT_WAIT)
		ev->position = value;
	else if (kind == ALTCONN_EVENT_KIND_CLOSED)
		ev->side = value;
	else
		ev->reason = assoc->reason;
	if (kind == ALTCONN_EVENT_KIND_FAILED)
		ev->err = assoc->err;
	event_fill_ends(ev, assoc, viewer);
out:
	altconn_event_enqueue(an, uid, ev);
}

/**
 * __altconn_notify_assoc() - send an event of an association to both namespaces
 * @assoc: the association
 * @kind: enum altconn_event_kind
 * @value: see altconn_notify_assoc()
 *
 * The namespaces are the client's and, if it is another one, the server's.
 *
 * Context: process, does not sleep; locks outside assoc->lock may be held,
 * assoc->lock is not held.
 */
void __altconn_notify_assoc(struct altconn_assoc *assoc, u32 kind, u32 value)
{
	const struct altconn_xns *xns;
	struct altconn_net *an;

	rcu_read_lock();
	event_enqueue_assoc(assoc->an, assoc, ALTCONN_CLIENT, kind, value);
	/* Pairs with smp_store_release() in __altconn_xns_link(). */
	xns = smp_load_acquire(&assoc->xns);
	an = unlikely(xns) ? READ_ONCE(xns->an) : NULL;
	if (an)
		event_enqueue_assoc(an, assoc, ALTCONN_SERVER, kind, value);
	rcu_read_unlock();
}
