/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state of a network namespace.
 */
#ifndef _ALTCONN_NETNS_H
#define _ALTCONN_NETNS_H

#include <net/netns/generic.h>
#include "altconn.h"
#include "registry.h"

struct altconn_rules;
struct altconn_stat;

/**
 * struct altconn_net - what a network namespace has
 * @net: the namespace
 * @assocs: associations that began here
 * @inbound: and those that came from other namespaces
 * @sockets: listeners and datagram sockets
 * @connect_timeout_ms: sysctl
 * @port_next: where the search for an ephemeral port begins, by kind: a hint
 * @port_sets: what port_set.c knows of ports that are taken; grows only
 * @n_port_sets: how many
 * @port_lock: adding to @port_sets
 * @port_min: sysctl, first ephemeral port
 * @port_max: sysctl, last ephemeral port
 * @max_waiting: sysctl, attempts that may wait at one listener, or for one;
 *	half of them, rounded up, of one user at a port
 * @max_associations: sysctl, of a user; account.c
 * @spin_us: sysctl, see wait.h
 * @dgram_block_ms: sysctl, how long a datagram may wait for room; 0: for ever
 * @watched: number of watchers, event.c; beside what every connect() reads
 * @rules: what is done with what begins here, or NULL
 * @rules_lock: changes of @rules, and all below
 * @rules_seq: how often they changed
 * @rules_last_id: that a rule was given
 * @late: bytes of datagrams that rules delay
 * @stat: what it counts; a CPU each
 * @watch_lock: changes of the next two, and of @watched
 * @watchers: sockets that get events, by their port ids; event.c
 * @audiences: lists of them, by the user whose attempts they see
 * @nodes: other namespaces, by their ids; node.c
 * @node_list: the same, to walk; RCU
 * @n_nodes: how many
 * @nodes_lock: changes of these three
 * @node_id: what others are told to call this one, or 0
 * @named_by: entries of other namespaces that mean this one
 * @n_assocs: how many
 * @n_inbound: how many
 * @n_sockets: how many
 * @accounts: of users of the initial user namespace; added under its lock, read
 *	under RCU
 * @accounts_lock: adding to @accounts
 * @sysctl_header: registration
 * @sysctl_table: this namespace's copy
 */
struct altconn_net {
	struct net		*net;
	struct altconn_registry	assocs;
	struct altconn_registry	inbound;
	struct altconn_registry	sockets;
	unsigned int		connect_timeout_ms;
	u32			port_next[ALTCONN_KIND_INET + 1];
	struct list_head	port_sets;
	unsigned int		n_port_sets;
	spinlock_t		port_lock;	/* adding to port_sets */
	unsigned int		port_min;
	unsigned int		port_max;
	unsigned int		max_waiting;
	unsigned int		max_associations;
	unsigned int		spin_us;
	unsigned int		dgram_block_ms;
	unsigned int		watched;
	struct altconn_rules __rcu *rules;
	struct mutex		rules_lock;	/* rules */
	u32			rules_seq;
	u32			rules_last_id;
	atomic_long_t		late;
	struct altconn_stat __percpu *stat;
	spinlock_t		watch_lock;	/* watchers */
	struct xarray		watchers;
	struct xarray		audiences;
	struct xarray		nodes;
	struct list_head	node_list;
	unsigned int		n_nodes;
	spinlock_t		nodes_lock;	/* nodes */
	u32			node_id;
	struct list_head	named_by;
	atomic_long_t		n_assocs;
	atomic_long_t		n_inbound;
	atomic_long_t		n_sockets;
	struct list_head	accounts;
	spinlock_t		accounts_lock;	/* adding to accounts */
	struct ctl_table_header	*sysctl_header;
	struct ctl_table	*sysctl_table;
};

extern unsigned int altconn_net_id;

/* The initial namespace's: its limits are every namespace's. */
extern struct altconn_net *altconn_init_state;

static inline struct altconn_net *altconn_pernet(const struct net *net)
{
	return net_generic(net, altconn_net_id);
}

#endif /* _ALTCONN_NETNS_H */
