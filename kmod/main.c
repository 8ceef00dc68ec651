// SPDX-License-Identifier: GPL-2.0
/*
 * This file initializes the module and each network namespace, and undoes this
 * in the reverse order.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "account.h"
#include "af_altconn.h"
#include "assoc.h"
#include "claim.h"
#include "endpoint.h"
#include "event.h"
#include "netlink_gen.h"
#include "netns.h"
#include "node.h"
#include "payer.h"
#include "place.h"
#include "port.h"
#include "registry.h"
#include "ring.h"
#include "room.h"
#include "rule.h"
#include "stat.h"
#include "sysctl.h"

unsigned int altconn_net_id __read_mostly;

unsigned int altconn_family __ro_after_init = AF_ALTCONN;

struct altconn_net *altconn_initial_net __read_mostly;

module_param_named(family, altconn_family, uint, 0444);

MODULE_PARM_DESC(family, "number of the socket family: 13, 14, 18 (default), 19, 22 or 25");

/* Free the memory that main_net_alloc() has allocated. */
static void main_net_free(struct altconn_net *an)
{
	altconn_port_exit(an);
	altconn_registry_exit(&an->assocs);
	altconn_registry_exit(&an->inbound);
	altconn_registry_exit(&an->sockets);
	percpu_counter_destroy(&an->n_inbound);
	percpu_counter_destroy(&an->n_sockets);
	altconn_stat_exit(an);
}

/*
 * Allocate the memory of a namespace's state. Return 0 or -ENOMEM. On failure
 * the caller calls main_net_free().
 */
static int main_net_alloc(struct altconn_net *an)
{
	if (altconn_port_init(an) ||
	    altconn_registry_init(&an->assocs) ||
	    altconn_registry_init(&an->inbound) ||
	    altconn_registry_init(&an->sockets) ||
	    percpu_counter_init(&an->n_inbound, 0, GFP_KERNEL_ACCOUNT) ||
	    percpu_counter_init(&an->n_sockets, 0, GFP_KERNEL_ACCOUNT))
		return -ENOMEM;
	return altconn_stat_init(an);
}

static int __net_init main_net_init(struct net *net)
{
	struct altconn_net *an = altconn_pernet(net);
	int err;

	an->net = net;
	if (net_eq(net, &init_net))
		altconn_initial_net = an;
	altconn_account_init(an);
	altconn_rules_init(an);
	altconn_node_init(an);
	altconn_event_net_init(an);
	err = main_net_alloc(an);
	if (!err)
		err = altconn_sysctl_register(net);
	if (err)
		main_net_free(an);
	return err;
}

/*
 * An RCU grace period passes between this function and main_net_exit(), so the
 * latter frees nothing that is still read under RCU through another namespace.
 */
static void __net_exit main_net_pre_exit(struct net *net)
{
	altconn_node_exit(altconn_pernet(net));
	altconn_event_net_exit(altconn_pernet(net));
	altconn_account_pre_exit(altconn_pernet(net));
}

static void __net_exit main_net_exit(struct net *net)
{
	struct altconn_net *an = altconn_pernet(net);

	altconn_sysctl_unregister(net);
	altconn_account_exit(an);
	altconn_rules_exit(an);
	main_net_free(an);
}

static struct pernet_operations main_net_ops = {
	.init		= main_net_init,
	.pre_exit	= main_net_pre_exit,
	.exit		= main_net_exit,
	.id		= &altconn_net_id,
	.size		= sizeof(struct altconn_net),
};

/*
 * Check whether a family number is unused: in Linux 6.1 to 7.3, the families
 * below have a number and no code. With any other number, the core, BPF or a
 * security module would cast the sockets of this module to the structures of
 * the family that has the number, even if that family is not loaded.
 */
static bool __init main_family_is_free(unsigned int family)
{
	switch (family) {
	case AF_NETBEUI:
	case AF_SECURITY:
	case AF_ASH:
	case AF_ECONET:
	case AF_SNA:
	case AF_WANPIPE:
		return true;
	default:
		return false;
	}
}

/* Register the socket family, and log the reason of a failure. */
static int __init main_register_family(void)
{
	int err;

	if (!main_family_is_free(altconn_family)) {
		pr_err("family %u cannot be borrowed: family= is one of 13, 14, 18, 19, 22, 25\n",
		       altconn_family);
		return -EINVAL;
	}
	altconn_family_ops.family = altconn_family;
	err = sock_register(&altconn_family_ops);
	if (err == -EEXIST)
		pr_err("family %u is taken, choose another with family=\n",
		       altconn_family);
	else if (err)
		pr_err("family %u cannot be registered: %d\n", altconn_family,
		       err);
	return err;
}

/* Initialize the tables that all namespaces share. */
static int __init main_init_tables(void)
{
	int err;

	altconn_registry_init_ids();
	err = altconn_assoc_init();
	if (err)
		return err;
	err = altconn_account_table_init();
	if (err)
		goto err_assoc;
	err = altconn_place_init();
	if (err)
		goto err_account;
	err = altconn_claim_init();
	if (err)
		goto err_place;
	err = altconn_room_init();
	if (err)
		goto err_claim;
	err = altconn_binding_init();
	if (err)
		goto err_room;
	return 0;

err_room:
	altconn_room_exit();
err_claim:
	altconn_claim_exit();
err_place:
	altconn_place_exit();
err_account:
	altconn_account_table_exit();
err_assoc:
	altconn_assoc_exit();
	return err;
}

static void main_exit_tables(void)
{
	/* Memory of associations and bindings may wait for a grace period. */
	rcu_barrier();
	altconn_binding_exit();
	altconn_room_exit();
	altconn_claim_exit();
	altconn_place_exit();
	altconn_account_table_exit();
	altconn_assoc_exit();
}

static int __init main_register_protos(void)
{
	int err = proto_register(&altconn_proto, 1);

	if (err)
		return err;
	err = proto_register(&altconn_dgram_proto, 1);
	if (err)
		proto_unregister(&altconn_proto);
	return err;
}

static void main_unregister_protos(void)
{
	proto_unregister(&altconn_dgram_proto);
	proto_unregister(&altconn_proto);
}

static int __init altconn_init(void)
{
	int err;

	err = main_init_tables();
	if (err)
		return err;
	err = main_register_protos();
	if (err)
		goto err_tables;
	err = altconn_payer_init();
	if (err)
		goto err_protos;
	err = altconn_ring_init();
	if (err)
		goto err_payer;
	err = register_pernet_subsys(&main_net_ops);
	if (err)
		goto err_ring;
	err = altconn_event_init();
	if (err)
		goto err_pernet;
	err = genl_register_family(&altconn_nl_family);
	if (err)
		goto err_event;
	/* This is last: once the family is registered, sockets can exist. */
	err = main_register_family();
	if (err)
		goto err_genl;
	return 0;

err_genl:
	altconn_event_stop();
	genl_unregister_family(&altconn_nl_family);
err_event:
	altconn_event_exit();
err_pernet:
	unregister_pernet_subsys(&main_net_ops);
err_ring:
	altconn_ring_exit();
err_payer:
	altconn_payer_exit();
err_protos:
	main_unregister_protos();
err_tables:
	main_exit_tables();
	return err;
}

static void __exit altconn_exit(void)
{
	sock_unregister(altconn_family);
	altconn_event_stop();
	genl_unregister_family(&altconn_nl_family);
	altconn_event_exit();
	unregister_pernet_subsys(&main_net_ops);
	altconn_ring_exit();
	altconn_payer_exit();
	main_unregister_protos();
	main_exit_tables();
}

module_init(altconn_init);

module_exit(altconn_exit);

MODULE_DESCRIPTION("Local sockets with a connect() that does what connect(2) says");

MODULE_VERSION(ALTCONN_VERSION);

MODULE_LICENSE("GPL");
