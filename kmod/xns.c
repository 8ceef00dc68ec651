// SPDX-License-Identifier: GPL-2.0
/*
 * Associations across network namespaces. The server's namespace has an entry of
 * its own for such an association, with the addresses as they are written there.
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

/* The server's own address, of IP the one that was asked for. */
static struct altconn_addr *assoc_server_addr(const struct altconn_assoc *assoc,
					      const struct altconn_listener *ln)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;

	if (addr->kind != ALTCONN_KIND_INET || altconn_addr_equal(addr, ln->addr))
		addr = ln->addr;
	return altconn_addr_get(addr);
}

/* As AF_UNIX: over a path the client keeps its name. */
static struct altconn_addr *assoc_client_addr(const struct altconn_assoc *assoc,
					      struct net *there)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_CLIENT].addr;

	if (assoc->end[ALTCONN_SERVER].addr->kind == ALTCONN_KIND_PATH)
		return altconn_addr_get(addr);
	return altconn_node_seen(there, assoc->an->net, addr);
}

/* The namespace of a listener, unless it has closed: RCU keeps that so long. */
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

/* altconn_far_prepare() where there is anything to do. */
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

/* altconn_far_free() where there is anything to do. */
void __altconn_far_free(struct altconn_far *far)
{
	altconn_addr_put(far->addr[ALTCONN_CLIENT]);
	altconn_addr_put(far->addr[ALTCONN_SERVER]);
	altconn_account_release(far->account);
	if (far->there)
		put_net(far->there);
	kfree(far);
}

/* altconn_far_arrive() where there is anything to do. */
void __altconn_far_arrive(struct altconn_assoc *assoc,
			  const struct altconn_listener *ln,
			  struct altconn_far *far)
{
	/* From here on the listener keeps it. */
	put_net(far->there);
	far->there = NULL;
	WRITE_ONCE(far->an, altconn_pernet(ln->net));
	/* Pairs with dumps of the client's registry, which the attempt is in. */
	smp_store_release(&assoc->far, far);
	altconn_registry_add(&far->an->inbound, &far->entry, assoc->entry.id);
	atomic_long_inc(&far->an->n_inbound);
}

/* altconn_far_leave() where there is anything to do. */
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
