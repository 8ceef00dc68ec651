// SPDX-License-Identifier: GPL-2.0
/*
 * Attempts that a rule holds. Each waits at a vacancy of its own, which is in no
 * table: only its deadline, its caller and the end of the delay get at it there.
 */

#include "altconn.h"

/**
 * altconn_hold_enter() - an attempt is held
 * @assoc: the attempt, new
 * @reason: why not
 *
 * Context: process, may sleep; lock_sock() of the client held.
 * Return: 0: as altconn_listener_enter(), and it waits; -ENOMEM; -ECONNREFUSED:
 * nothing may wait in this namespace.
 */
int altconn_hold_enter(struct altconn_assoc *assoc, u32 *reason)
{
	struct altconn_listener *ln;
	int err;

	*reason = ALTCONN_REASON_NO_MEMORY;
	ln = altconn_listener_new(assoc->end[ALTCONN_SERVER].addr);
	if (!ln)
		return -ENOMEM;
	ln->net = assoc->an->net;
	ln->netns = ln->net->ns.inum;
	ln->type = assoc->type;
	ln->vacant = true;
	ln->held = true;
	/* That of the table; altconn_vacancy_remove() drops it. */
	refcount_inc(&ln->refs);
	err = altconn_listener_enter(ln, assoc, reason);
	altconn_listener_put(ln);
	return err;
}

/* On to whoever listens now, as connect() would. */
static int arrive(struct altconn_assoc *assoc, struct altconn_listener *from,
		  u32 *reason)
{
	const struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	struct altconn_listener *ln;
	int err;

	do {
		ln = altconn_listener_find(assoc->an->net, assoc->type, addr,
					   reason);
		if (IS_ERR(ln))
			break;
		err = altconn_listener_reenter(from, ln, assoc, reason);
		altconn_listener_put(ln);
		/* It closed meanwhile: another one may share its address. */
	} while (err && *reason == ALTCONN_REASON_LISTENER_CLOSED);
	if (!IS_ERR(ln))
		return err;
	if (PTR_ERR(ln) != -ECONNREFUSED || !assoc->waits_listener)
		return PTR_ERR(ln);
	return altconn_vacancy_enter(assoc, from, reason);
}

/**
 * altconn_hold_release() - the delay of a held attempt is over
 * @assoc: the attempt, held until now or decided meanwhile; a path's inode is
 *	pinned
 *
 * It is established, waits in the listener's queue, or fails.
 *
 * Context: process, may sleep.
 */
void altconn_hold_release(struct altconn_assoc *assoc)
{
	struct altconn_listener *from = altconn_listener_lock(assoc), *ln;
	u32 reason;
	int err;

	refcount_inc(&from->refs);
	altconn_listener_unlock(from);

	err = arrive(assoc, from, &reason);
	if (err) {
		ln = altconn_listener_lock(assoc);
		if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
			altconn_connect_decide(ln, assoc, -err, reason);
		altconn_listener_unlock(ln);
	}
	altconn_listener_put(from);
}
