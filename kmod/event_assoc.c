// SPDX-License-Identifier: GPL-2.0
/*
 * This file emits the events of associations. Such an event has the addresses
 * and the processes of both ends.
 */

#include "addr.h"
#include "assoc.h"
#include "event.h"
#include "event_assoc.h"
#include "netlink_gen.h"
#include "netns.h"
#include "task_info.h"
#include "xns.h"

/*
 * Copy both ends to the event, with the addresses that are valid in the
 * namespace of the end @viewer.
 */
static void event_fill_ends(struct altconn_event *ev,
			    struct altconn_assoc *assoc,
			    enum altconn_side viewer)
{
	int side;

	ev->ends = true;
	spin_lock(&assoc->lock);
	for (side = ALTCONN_CLIENT; side <= ALTCONN_SERVER; side++) {
		ev->end[side].addr =
			altconn_addr_get(altconn_xns_addr(assoc, side, viewer));
		ev->end[side].task =
			altconn_task_info_get(&assoc->end[side].task);
		ev->end[side].format = assoc->end[side].format;
	}
	spin_unlock(&assoc->lock);
}

/*
 * Queue an event for the watchers of @an, the namespace of the end @viewer. The
 * caller holds rcu_read_lock(). If there is no memory for the event, the
 * watchers count a lost event.
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
		ev->waited_ns = assoc->decided_at - assoc->entry.begun;
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
 * __altconn_event_assoc_notify() - slow path of altconn_event_assoc_notify()
 * @assoc: the association
 * @kind: enum altconn_event_kind
 * @value: see altconn_event_assoc_notify()
 *
 * Emits the event in the client's namespace, and, if it is another one, in the
 * server's.
 *
 * Context: process, does not sleep; the caller may hold spinlocks, but not
 * assoc->lock or a lock inside it.
 */
void __altconn_event_assoc_notify(struct altconn_assoc *assoc, u32 kind,
				  u32 value)
{
	const struct altconn_xns *xns;
	struct altconn_net *an;

	rcu_read_lock();
	event_enqueue_assoc(assoc->an, assoc, ALTCONN_CLIENT, kind, value);
	/*
	 * Pairs with the release in __altconn_xns_link(): if assoc->xns is set,
	 * xns->an and xns->addr are set too.
	 */
	xns = smp_load_acquire(&assoc->xns);
	an = unlikely(xns) ? READ_ONCE(xns->an) : NULL;
	if (an)
		event_enqueue_assoc(an, assoc, ALTCONN_SERVER, kind, value);
	rcu_read_unlock();
}
