/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_XNS_H
#define _ALTCONN_XNS_H

#include "altconn.h"
#include "addr.h"
#include "assoc.h"
#include "listener.h"
#include "netns.h"
#include "registry.h"

struct altconn_account;

/**
 * struct altconn_far - what the server's namespace has of an association that comes
 *	from another one: from another node, or over a path
 * @entry: in its registry, with the association's id, until the association has ended
 * @assoc: which it goes with
 * @an: the server's namespace, from arrival to departure, else NULL. Readers
 *	are under RCU, and the namespace is freed a grace period later
 * @addr: the ends' addresses as they are written there, references; NULL: unnamed
 * @account: what it is charged to in the server's namespace, or NULL
 * @there: the server's namespace, a reference, until arrival: a charge does not outlive
 *	the namespace in which it is
 *
 * Lifetime: the association's. It arrives in the server's namespace when the
 * attempt enters a listener's queue or waits in its room, and leaves it when the
 * attempt fails, is not accepted, or ends. A listener that closes leaves no
 * such attempt behind, so the listener, and then the accepted endpoint, keep
 * @an.
 */
struct altconn_far {
	struct altconn_entry	entry;
	struct altconn_assoc	*assoc;
	struct altconn_net	*an;
	struct altconn_addr	*addr[2];
	struct altconn_account	*account;
	struct net		*there;
};

struct altconn_far *__altconn_far_prepare(struct altconn_assoc *assoc,
					  const struct altconn_listener *ln);
void __altconn_far_free(struct altconn_far *far);
void __altconn_far_arrive(struct altconn_assoc *assoc,
			  const struct altconn_listener *ln,
			  struct altconn_far *far);
void __altconn_far_leave(struct altconn_assoc *assoc);

/**
 * altconn_far_prepare() - an attempt is about to enter a listener
 * @assoc: the attempt
 * @ln: the listener; mostly of its own namespace
 *
 * Context: process, may sleep, unless it is of the same namespace.
 * Return: what altconn_far_arrive() takes, NULL if there is no need of it or the
 * listener has closed; ERR_PTR(-ENOMEM); ERR_PTR(-ECONNREFUSED): the user has
 * as many associations there as one may: altconn_far_reason().
 */
static inline struct altconn_far *
altconn_far_prepare(struct altconn_assoc *assoc,
		    const struct altconn_listener *ln)
{
	if (likely(ln->net == assoc->an->net))
		return NULL;
	return __altconn_far_prepare(assoc, ln);
}

/**
 * altconn_far_reason() - why altconn_far_prepare() failed
 * @far: the error that it returned
 */
static inline u32 altconn_far_reason(const struct altconn_far *far)
{
	return PTR_ERR(far) == -ECONNREFUSED ? ALTCONN_REASON_TABLE_FULL :
					       ALTCONN_REASON_NO_MEMORY;
}

/**
 * altconn_far_free() - undo altconn_far_prepare()
 * @far: what it returned, not an error
 *
 * Context: any.
 */
static inline void altconn_far_free(struct altconn_far *far)
{
	if (unlikely(far))
		__altconn_far_free(far);
}

/**
 * altconn_far_arrive() - an attempt enters a listener
 * @assoc: the attempt
 * @ln: the listener, not closed, so that its namespace lives
 * @far: of altconn_far_prepare() for both; moves to @assoc
 *
 * Context: process; @ln's lock held, or that of its room, so that it cannot
 * close.
 */
static inline void altconn_far_arrive(struct altconn_assoc *assoc,
				      const struct altconn_listener *ln,
				      struct altconn_far *far)
{
	if (unlikely(far))
		__altconn_far_arrive(assoc, ln, far);
}

/**
 * altconn_far_leave() - the server's namespace has no part in it any more
 * @assoc: the association, out of its listener, or at its end
 *
 * Context: process; assoc->lock held while it is an attempt, listener->lock in
 * an accept queue, or the caller has the last reference.
 */
static inline void altconn_far_leave(struct altconn_assoc *assoc)
{
	if (unlikely(assoc->far))
		__altconn_far_leave(assoc);
}

/**
 * altconn_assoc_addr() - the address of an end
 * @assoc: the association
 * @side: whose
 * @viewer: at which end it is written so
 *
 * Return: no reference of its own; NULL: unnamed.
 */
static inline struct altconn_addr *
altconn_assoc_addr(const struct altconn_assoc *assoc, enum altconn_side side,
		   enum altconn_side viewer)
{
	if (viewer == ALTCONN_SERVER && unlikely(assoc->far))
		return READ_ONCE(assoc->far->addr[side]);
	return READ_ONCE(assoc->end[side].addr);
}

#endif /* _ALTCONN_XNS_H */
