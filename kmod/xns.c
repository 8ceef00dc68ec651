// SPDX-License-Identifier: GPL-2.0
/*
 * Associations between two network namespaces. Such an association has a struct
 * altconn_xns, which is its entry in a registry of the server's namespace, with
 * the addresses as that namespace sees them.
 */

#include <linux/cred.h>
#include <linux/slab.h>
#include "account.h"
#include "addr.h"
#include "assoc.h"
#include "listener.h"
#include "netns.h"
#include "node.h"
#include "registry.h"
#include "xns.h"

/*
 * Return the server's address as its own namespace sees it, a reference: the
 * destination of the client if it is an IP address and the listener is bound to
 * a wildcard address, else the listener's address. A port or name in the
 * destination is no use there: its node id is the one that the client's
 * namespace gives to the server's.
 */
static struct altconn_addr *xns_server_addr(const struct altconn_assoc *assoc,
					    const struct altconn_listener *ln)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;

	if (addr->kind != ALTCONN_KIND_INET ||
	    altconn_addr_equal(addr, ln->addr))
		addr = ln->addr;
	return altconn_addr_get(addr);
}

/*
 * Return the client's address as the server's namespace sees it, a reference;
 * NULL if the client is unnamed there; or ERR_PTR(-ENOMEM). As in AF_UNIX, the
 * address of a client that connects over a path is not translated.
 */
static struct altconn_addr *xns_client_addr(const struct altconn_assoc *assoc,
					    struct net *there)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_CLIENT].addr;

	if (assoc->end[ALTCONN_SERVER].addr->kind == ALTCONN_KIND_PATH)
		return altconn_addr_get(addr);
	return altconn_node_translate(there, assoc->an->net, addr);
}

/*
 * Return the namespace of a listener with a reference, or NULL if the listener
 * has closed. Until then the namespace is alive. If the listener closes at the
 * same time, RCU keeps the memory of the namespace.
 */
static struct net *xns_listener_net(const struct altconn_listener *ln)
{
	struct net *net = NULL;

	rcu_read_lock();
	if (!READ_ONCE(ln->closed))
		net = maybe_get_net(ln->net);
	rcu_read_unlock();
	return net;
}

/*
 * Allocate and charge a struct altconn_xns without a reference to @there.
 * Return an error as altconn_xns_alloc() does.
 */
static struct altconn_xns *xns_new(struct altconn_assoc *assoc,
				   const struct altconn_listener *ln,
				   struct net *there)
{
	struct altconn_xns *xns = kzalloc(sizeof(*xns), GFP_KERNEL_ACCOUNT);
	struct altconn_account *account;
	struct altconn_addr *client;

	if (!xns)
		return ERR_PTR(-ENOMEM);
	client = xns_client_addr(assoc, there);
	if (IS_ERR(client)) {
		kfree(xns);
		return ERR_CAST(client);
	}
	account = altconn_account_charge_inbound(altconn_pernet(there),
						 assoc->cred);
	if (IS_ERR(account)) {
		altconn_addr_put(client);
		kfree(xns);
		return PTR_ERR(account) == -EAGAIN ? ERR_PTR(-ECONNREFUSED) :
						     ERR_CAST(account);
	}
	xns->account = account;
	altconn_registry_entry_init(&xns->entry);
	xns->entry.id = assoc->entry.id;
	xns->entry.begun = assoc->entry.begun;
	xns->assoc = assoc;
	xns->addr[ALTCONN_CLIENT] = client;
	xns->addr[ALTCONN_SERVER] = xns_server_addr(assoc, ln);
	return xns;
}

/**
 * __altconn_xns_alloc() - allocate a struct altconn_xns, out of line
 * @assoc: the attempt
 * @ln: the listener, in another network namespace than the client
 *
 * Context: process, may sleep.
 * Return: as altconn_xns_alloc(); NULL means that the listener has closed.
 */
struct altconn_xns *__altconn_xns_alloc(struct altconn_assoc *assoc,
					const struct altconn_listener *ln)
{
	struct net *there = xns_listener_net(ln);
	struct altconn_xns *xns;

	if (!there)
		return NULL;
	xns = xns_new(assoc, ln, there);
	if (IS_ERR(xns))
		put_net(there);
	else
		xns->there = there;
	return xns;
}

/**
 * __altconn_xns_free() - free a struct altconn_xns, out of line
 * @xns: the struct, not linked and not NULL
 *
 * Context: any but interrupts.
 */
void __altconn_xns_free(struct altconn_xns *xns)
{
	altconn_addr_put(xns->addr[ALTCONN_CLIENT]);
	altconn_addr_put(xns->addr[ALTCONN_SERVER]);
	altconn_account_uncharge_inbound(xns->account);
	if (xns->there)
		put_net(xns->there);
	kfree(xns);
}

/**
 * __altconn_xns_link() - add an attempt to the registry of the server's
 * namespace, out of line
 * @assoc: the attempt
 * @ln: the listener, not closed
 * @xns: the struct, not NULL; @assoc takes it over
 *
 * Context: process; the locks of altconn_xns_link() held.
 */
void __altconn_xns_link(struct altconn_assoc *assoc,
			const struct altconn_listener *ln,
			struct altconn_xns *xns)
{
	/* From here on the listener keeps the namespace alive. */
	put_net(xns->there);
	xns->there = NULL;
	WRITE_ONCE(xns->an, altconn_pernet(ln->net));
	/*
	 * Store the members, then assoc->xns. Pairs with smp_load_acquire() in
	 * altconn_assoc_unlist() and __altconn_event_assoc_notify(), and with
	 * the address dependency in altconn_xns_addr(): these readers may find
	 * the attempt in the registry of the client's namespace.
	 */
	smp_store_release(&assoc->xns, xns);
	altconn_registry_add(&xns->an->inbound, &xns->entry);
	percpu_counter_inc(&xns->an->n_inbound);
}

/**
 * __altconn_xns_unlink() - undo altconn_xns_link(), out of line
 * @assoc: the association, with @assoc->xns; it may be unlinked already
 *
 * Context: process; the locks of altconn_xns_unlink() held.
 */
void __altconn_xns_unlink(struct altconn_assoc *assoc)
{
	struct altconn_xns *xns = assoc->xns;
	struct altconn_net *an = xns->an;

	if (!an)
		return;
	altconn_account_uncharge_inbound(xns->account);
	xns->account = NULL;
	percpu_counter_dec(&an->n_inbound);
	altconn_registry_remove(&an->inbound, &xns->entry);
	WRITE_ONCE(xns->an, NULL);
}
