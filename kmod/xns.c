// SPDX-License-Identifier: GPL-2.0
/*
 * Associations between two network namespaces. The server's namespace has its
 * own entry for such an association, with the addresses as they are written
 * there.
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
 * Get the server's address in its own namespace. That is the listener's
 * address, and for a wildcard listener the IP address that the client asked
 * for.
 */
static struct altconn_addr *xns_server_addr(const struct altconn_assoc *assoc,
					    const struct altconn_listener *ln)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;

	if (addr->kind != ALTCONN_KIND_INET || altconn_addr_equal(addr, ln->addr))
		addr = ln->addr;
	return altconn_addr_get(addr);
}

/*
 * Get the client's address in the server's namespace. As in AF_UNIX, a client
 * keeps its name if it connects over a path.
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
 * Get the namespace of a listener, or NULL if the listener has closed. RCU
 * keeps the namespace of a listener that is not closed.
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
	account = altconn_account_charge(altconn_pernet(there), assoc->cred,
					 true);
	if (IS_ERR(account)) {
		altconn_addr_put(client);
		kfree(xns);
		return PTR_ERR(account) == -EAGAIN ? ERR_PTR(-ECONNREFUSED) :
						     ERR_CAST(account);
	}
	xns->account = account;
	altconn_entry_init(&xns->entry);
	xns->assoc = assoc;
	xns->addr[ALTCONN_CLIENT] = client;
	xns->addr[ALTCONN_SERVER] = xns_server_addr(assoc, ln);
	return xns;
}

/**
 * __altconn_xns_alloc() - slow path of altconn_xns_alloc()
 * @assoc: the attempt, about to enter a listener's accept queue or waiting room
 * @ln: the listener, in another network namespace than the attempt
 *
 * Context: process, may sleep.
 * Return: the server's part; NULL if the listener has closed; or an error of
 * altconn_xns_alloc().
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
 * __altconn_xns_free() - slow path of altconn_xns_free()
 * @xns: the server's part of an association
 *
 * Context: any but interrupts.
 */
void __altconn_xns_free(struct altconn_xns *xns)
{
	altconn_addr_put(xns->addr[ALTCONN_CLIENT]);
	altconn_addr_put(xns->addr[ALTCONN_SERVER]);
	altconn_account_release(xns->account);
	if (xns->there)
		put_net(xns->there);
	kfree(xns);
}

/**
 * __altconn_xns_link() - slow path of altconn_xns_link()
 * @assoc: the attempt
 * @ln: the listener, not closed
 * @xns: the server's part of the attempt; moves to @assoc
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
	/* Pairs with readers that find the attempt in the client's registry. */
	smp_store_release(&assoc->xns, xns);
	altconn_registry_add(&xns->an->inbound, &xns->entry, assoc->entry.id);
	atomic_long_inc(&xns->an->n_inbound);
}

/**
 * __altconn_xns_unlink() - slow path of altconn_xns_unlink()
 * @assoc: the association, which has a server's part and may have left already
 *
 * Context: process; the locks of altconn_xns_unlink() held.
 */
void __altconn_xns_unlink(struct altconn_assoc *assoc)
{
	struct altconn_xns *xns = assoc->xns;
	struct altconn_net *an = xns->an;

	if (!an)
		return;
	altconn_account_release(xns->account);
	xns->account = NULL;
	atomic_long_dec(&an->n_inbound);
	altconn_registry_remove(&an->inbound, &xns->entry);
	WRITE_ONCE(xns->an, NULL);
}
