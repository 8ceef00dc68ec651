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
 * struct altconn_xns - the state of an association in the server's namespace,
 * if the client is in another one
 * @entry: entry in the registry @an->inbound, with the id of the association;
 *	removed when the attempt fails or both ends have closed, or earlier by
 *	altconn_xns_unlink()
 * @assoc: the association
 * @an: network namespace of the server while the association is linked, else
 *	NULL. Readers hold rcu_read_lock(): the namespace is freed a grace
 *	period after it ends
 * @addr: addresses of the ends as the server's namespace sees them, by enum
 *	altconn_side, references; NULL if the end is unnamed there
 * @account: account that is charged in the server's namespace, or NULL
 * @there: network namespace of the server, a reference, before the association
 *	is linked, else NULL: a charge must not outlive its namespace
 *
 * The client reaches the server over an address of another node, or over a
 * path.
 *
 * Lifetime: The association owns the struct. altconn_xns_link() links the
 * association to the server's namespace when the attempt gets into an accept
 * queue or a lane. altconn_xns_unlink() undoes this when the attempt fails,
 * when the association is reset before accept(), or when it is freed. While the
 * association is linked, the listener keeps the namespace alive, and after
 * accept() the server's endpoint does: a listener that closes leaves no linked
 * attempt behind.
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
 * altconn_xns_alloc() - allocate and charge the struct altconn_xns of an
 * attempt
 * @assoc: the attempt
 * @ln: the listener whose accept queue or waiting room the attempt is for
 *
 * Context: process, may sleep if the namespaces differ.
 * Return: the struct, for altconn_xns_link() or altconn_xns_free(); NULL if the
 * client and @ln are in the same namespace, or if @ln has closed;
 * ERR_PTR(-ENOMEM); ERR_PTR(-ECONNREFUSED) if the client's user has
 * net.altconn.max_associations inbound associations in the server's namespace.
 * altconn_xns_reason() returns the reason of an error.
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
 * altconn_xns_free() - free a struct altconn_xns, with its charge and its
 * reference to the namespace
 * @xns: the struct, not linked, or NULL
 *
 * Context: any but interrupts.
 */
static inline void altconn_xns_free(struct altconn_xns *xns)
{
	if (unlikely(xns))
		__altconn_xns_free(xns);
}

/**
 * altconn_xns_link() - add an attempt to the registry of the server's namespace
 * @assoc: the attempt, which gets into the accept queue or waiting room of @ln
 * @ln: the listener, not closed, so that its namespace lives
 * @xns: result of altconn_xns_alloc() for @assoc and @ln; @assoc takes it over.
 *	If it is NULL, nothing is done
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
 * altconn_xns_unlink() - undo altconn_xns_link()
 * @assoc: the association; its attempt fails, it leaves the accept queue
 *	without accept(), or it is freed. It may be unlinked already, or have no
 *	struct altconn_xns
 *
 * The charge in the server's namespace is released.
 *
 * Context: process; assoc->lock held if the attempt is pending, listener->lock
 * if the association is in the state QUEUED, none if no reference is left.
 */
static inline void altconn_xns_unlink(struct altconn_assoc *assoc)
{
	if (unlikely(assoc->xns))
		__altconn_xns_unlink(assoc);
}

/**
 * altconn_xns_addr() - get the address of an end
 * @assoc: the association
 * @side: the end
 * @viewer: the end in whose namespace the address is used
 *
 * Context: any.
 * Return: the address of @side as the namespace of @viewer sees it, valid as
 * long as the association; NULL if the end is unnamed there.
 */
static inline struct altconn_addr *
altconn_xns_addr(const struct altconn_assoc *assoc, enum altconn_side side,
		 enum altconn_side viewer)
{
	if (viewer == ALTCONN_SERVER && unlikely(assoc->xns))
		return READ_ONCE(assoc->xns->addr[side]);
	return READ_ONCE(assoc->end[side].addr);
}

#endif /* _ALTCONN_XNS_H */
