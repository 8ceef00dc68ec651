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
 * struct altconn_xns - the server's part of a cross-namespace association
 * @entry: entry in the registry of inbound associations of @an, with the id of
 *	the association, until the association has ended
 * @assoc: the association
 * @an: network namespace of the server from arrival to departure, else NULL.
 *	Readers are under RCU, and the namespace is freed a grace period later
 * @addr: addresses of the ends as they are written in the server's namespace,
 *	references; NULL if the end is unnamed there
 * @account: account that is charged in the server's namespace, or NULL
 * @there: network namespace of the server, a reference, until arrival: a charge
 *	must not outlive the namespace in which it is made
 *
 * An association has such a part if the client reaches the server's network
 * namespace as another node or over a path.
 *
 * Lifetime: the association owns its part. The association arrives in the
 * server's namespace when the attempt enters a listener's queue or waits in its
 * room. The association departs when the attempt fails, when no server accepts
 * it, or when the association is freed. A listener that closes leaves no such
 * attempt behind, so the listener, and then the accepted endpoint, keep @an
 * alive.
 */
struct altconn_xns {
	struct altconn_entry	entry;
	struct altconn_assoc	*assoc;
	struct altconn_net	*an;
	struct altconn_addr	*addr[2];
	struct altconn_account	*account;
	struct net		*there;
};

struct altconn_xns *__altconn_xns_alloc(struct altconn_assoc *assoc,
					const struct altconn_listener *ln);
void __altconn_xns_free(struct altconn_xns *xns);
void __altconn_xns_link(struct altconn_assoc *assoc,
			const struct altconn_listener *ln,
			struct altconn_xns *xns);
void __altconn_xns_unlink(struct altconn_assoc *assoc);

/**
 * altconn_xns_alloc() - allocate the server's part of an attempt
 * @assoc: the attempt, about to enter a listener's accept queue or waiting room
 * @ln: the listener, mostly in the attempt's own network namespace
 *
 * Context: process, may sleep if the namespaces differ.
 * Return: the server's part, for altconn_xns_link() or altconn_xns_free();
 * NULL if the namespaces are the same or the listener has closed;
 * ERR_PTR(-ENOMEM); ERR_PTR(-ECONNREFUSED) if the user has as many associations
 * in the server's namespace as are allowed. altconn_xns_reason() explains an
 * error.
 */
static inline struct altconn_xns *
altconn_xns_alloc(struct altconn_assoc *assoc,
		  const struct altconn_listener *ln)
{
	if (likely(ln->net == assoc->an->net))
		return NULL;
	return __altconn_xns_alloc(assoc, ln);
}

/**
 * altconn_xns_reason() - get the reason why altconn_xns_alloc() failed
 * @xns: the error that altconn_xns_alloc() returned
 *
 * Context: any.
 * Return: enum altconn_reason.
 */
static inline u32 altconn_xns_reason(const struct altconn_xns *xns)
{
	return PTR_ERR(xns) == -ECONNREFUSED ? ALTCONN_REASON_TABLE_FULL :
					       ALTCONN_REASON_NO_MEMORY;
}

/**
 * altconn_xns_free() - undo altconn_xns_alloc()
 * @xns: result of altconn_xns_alloc(), not an error; may be NULL
 *
 * Context: any but interrupts.
 */
static inline void altconn_xns_free(struct altconn_xns *xns)
{
	if (unlikely(xns))
		__altconn_xns_free(xns);
}

/**
 * altconn_xns_link() - add an attempt to the server's namespace
 * @assoc: the attempt, which enters the listener's accept queue or waiting room
 * @ln: the listener, not closed, so that its namespace lives
 * @xns: result of altconn_xns_alloc() for both; moves to @assoc, may be NULL
 *
 * Context: process; assoc->lock held, and the lock of the listener or of its
 * room, so that the listener cannot close.
 */
static inline void altconn_xns_link(struct altconn_assoc *assoc,
				    const struct altconn_listener *ln,
				    struct altconn_xns *xns)
{
	if (unlikely(xns))
		__altconn_xns_link(assoc, ln, xns);
}

/**
 * altconn_xns_unlink() - remove an association from the server's namespace
 * @assoc: the association, which has left its listener or has ended
 *
 * Context: process; assoc->lock held while the association is an attempt,
 * listener->lock held if it was in an accept queue, or the caller has the last
 * reference.
 */
static inline void altconn_xns_unlink(struct altconn_assoc *assoc)
{
	if (unlikely(assoc->xns))
		__altconn_xns_unlink(assoc);
}

/**
 * altconn_assoc_addr() - get the address of an end
 * @assoc: the association
 * @side: the end
 * @viewer: the end where the address is shown; it is written as in the
 *	namespace of that end
 *
 * Context: any.
 * Return: the address without a reference of its own; NULL if the end is
 * unnamed.
 */
static inline struct altconn_addr *
altconn_assoc_addr(const struct altconn_assoc *assoc, enum altconn_side side,
		   enum altconn_side viewer)
{
	if (viewer == ALTCONN_SERVER && unlikely(assoc->xns))
		return READ_ONCE(assoc->xns->addr[side]);
	return READ_ONCE(assoc->end[side].addr);
}

#endif /* _ALTCONN_XNS_H */
