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
static struct altconn_addr *assoc_server_addr(const struct altconn_assoc *assoc,
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
static struct altconn_addr *assoc_client_addr(const struct altconn_assoc *assoc,
					      struct net *there)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_CLIENT].addr;

	if (assoc->end[ALTCONN_SERVER].addr->kind == ALTCONN_KIND_PATH)
		return altconn_addr_get(addr);
	return altconn_node_seen(there, assoc->an->net, addr);
}

/*
 * Get the namespace of a listener, or NULL if the listener has closed. RCU
 * keeps the namespace of a listener that is not closed.
 */
static struct net *assoc_listener_net(const struct altconn_listener *ln)
{
	struct net *net = NULL;

	rcu_read_lock();
	if (!READ_ONCE(ln->closed))
		net = maybe_get_net(ln->net);
	rcu_read_unlock();
	return net;
}

static struct altconn_far *assoc_new_far(struct altconn_assoc *assoc,
					 const struct altconn_listener *ln,
					 struct net *there)
{
	struct altconn_far *far = kzalloc(sizeof(*far), GFP_KERNEL_ACCOUNT);
	struct altconn_account *account;
	struct altconn_addr *client;

	if (!far)
		return ERR_PTR(-ENOMEM);
	client = assoc_client_addr(assoc, there);
	if (IS_ERR(client)) {
		kfree(far);
		return ERR_CAST(client);
	}
	account = altconn_account_charge(altconn_pernet(there), assoc->cred,
					 true);
	if (IS_ERR(account)) {
		altconn_addr_put(client);
		kfree(far);
		return PTR_ERR(account) == -EAGAIN ? ERR_PTR(-ECONNREFUSED) :
						     ERR_CAST(account);
	}
	far->account = account;
	altconn_entry_init(&far->entry);
	far->assoc = assoc;
	far->addr[ALTCONN_CLIENT] = client;
	far->addr[ALTCONN_SERVER] = assoc_server_addr(assoc, ln);
	return far;
}

/**
 * __altconn_far_prepare() - slow path of altconn_far_prepare()
 * @assoc: the attempt, about to enter a listener's accept queue or waiting room
 * @ln: the listener, in another network namespace than the attempt
 *
 * Context: process, may sleep.
 * Return: the server's part; NULL if the listener has closed; or an error of
 * altconn_far_prepare().
 */
struct altconn_far *__altconn_far_prepare(struct altconn_assoc *assoc,
					  const struct altconn_listener *ln)
{
	struct net *there = assoc_listener_net(ln);
	struct altconn_far *far;

	if (!there)
		return NULL;
	far = assoc_new_far(assoc, ln, there);
	if (IS_ERR(far))
		put_net(there);
	else
		far->there = there;
	return far;
}

/**
 * __altconn_far_free() - slow path of altconn_far_free()
 * @far: the server's part of an association
 *
 * Context: any but interrupts.
 */
void __altconn_far_free(struct altconn_far *far)
{
	altconn_addr_put(far->addr[ALTCONN_CLIENT]);
	altconn_addr_put(far->addr[ALTCONN_SERVER]);
	altconn_account_release(far->account);
	if (far->there)
		put_net(far->there);
	kfree(far);
}

/**
 * __altconn_far_arrive() - slow path of altconn_far_arrive()
 * @assoc: the attempt
 * @ln: the listener, not closed
 * @far: the server's part of the attempt; moves to @assoc
 *
 * Context: process; the locks of altconn_far_arrive() held.
 */
void __altconn_far_arrive(struct altconn_assoc *assoc,
			  const struct altconn_listener *ln,
			  struct altconn_far *far)
{
	/* From here on the listener keeps the namespace alive. */
	put_net(far->there);
	far->there = NULL;
	WRITE_ONCE(far->an, altconn_pernet(ln->net));
	/* Pairs with readers that find the attempt in the client's registry. */
	smp_store_release(&assoc->far, far);
	altconn_registry_add(&far->an->inbound, &far->entry, assoc->entry.id);
	atomic_long_inc(&far->an->n_inbound);
}

/**
 * __altconn_far_leave() - slow path of altconn_far_leave()
 * @assoc: the association, which has a server's part and may have left already
 *
 * Context: process; the locks of altconn_far_leave() held.
 */
void __altconn_far_leave(struct altconn_assoc *assoc)
{
	struct altconn_far *far = assoc->far;
	struct altconn_net *an = far->an;

	if (!an)
		return;
	altconn_account_release(far->account);
	far->account = NULL;
	atomic_long_dec(&an->n_inbound);
	altconn_registry_remove(&an->inbound, &far->entry);
	WRITE_ONCE(far->an, NULL);
}
