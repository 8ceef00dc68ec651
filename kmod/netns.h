/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header declares the state that the module keeps for each network
 * namespace.
 */
#ifndef _ALTCONN_NETNS_H
#define _ALTCONN_NETNS_H

#include <linux/percpu_counter.h>
#include <net/netns/generic.h>
#include "altconn.h"
#include "registry.h"

struct altconn_rules;
struct altconn_stat;

/**
 * struct altconn_net - state of a network namespace
 * @net: the namespace
 * @assocs: registry of the associations that began in this namespace
 * @inbound: registry of the associations that other namespaces have begun with
 *	servers in this one
 * @sockets: registry of the listeners and the datagram sockets
 * @connect_timeout_ms: sysctl, time from connect() to the deadline of an
 *	attempt, if ALTCONN_CONNECT_TIMEOUT is not set, milliseconds; 0 means
 *	no deadline
 * @port_next: port at which the next search for an ephemeral port on a CPU
 *	begins, by enum altconn_kind; written without a lock, since any value is
 *	correct
 * @port_sets: struct altconn_port_set, each a set of ports that a search has
 *	found to be taken; a set stays until the namespace ends
 * @n_port_sets: number of sets in @port_sets
 * @port_lock: protects additions to @port_sets, and @n_port_sets
 * @port_min: sysctl, lowest ephemeral port of kind ALTCONN_KIND_PORT
 * @port_max: sysctl, highest ephemeral port of that kind
 * @max_waiting: sysctl, maximum number of attempts that wait at one listener,
 *	or at an address without a listener; room.h has the part of one user
 * @max_associations: sysctl, maximum number of associations of a user;
 *	account.c
 * @busy_poll_us: sysctl, maximum time that a reader polls before it sleeps,
 *	microseconds; wait.h
 * @dgram_block_ms: sysctl, maximum time that a blocked sender of a datagram
 *	waits for the receiver, milliseconds; 0 means no limit
 * @n_watchers: number of @watchers (event.c); each connect() reads it, so it is
 *	next to other fields that each connect() reads
 * @rules: rules for the attempts and datagrams that begin in this namespace, or
 *	NULL; written under @rules_lock, read under RCU
 * @rules_lock: protects changes of @rules, @rules_seq and @rules_last_id
 * @rules_seq: number of times that @rules has been replaced
 * @rules_last_id: the id that was last chosen for a rule, or a greater one that
 *	a restored rule had
 * @delayed_bytes: memory of the datagrams that rules delay, bytes
 * @stat: statistics, one struct for each CPU
 * @watch_lock: protects changes of @watchers, @audiences and @n_watchers
 * @watchers: struct event_watcher, the sockets that receive events, by netlink
 *	port id
 * @audiences: the first watcher of each audience (event.h), by the audience's
 *	key; read under RCU
 * @nodes: struct altconn_node, the other namespaces that this one can reach, by
 *	node id; read under RCU
 * @node_list: the same nodes as a list; read under RCU
 * @n_nodes: number of nodes in @nodes
 * @nodes_lock: protects changes of @nodes, @node_list, @n_nodes and @node_id
 * @node_id: id that means this namespace itself when a process of this
 *	namespace uses it, or 0
 * @named_by: the nodes that have this namespace as their target, in the tables
 *	of other namespaces; under node_target_lock of node.c
 * @n_assocs: number of associations that began in this namespace and are not
 *	freed yet, plus number of connected datagram sockets, plus number of
 *	charges that CPUs keep in reserve (account.c)
 * @n_inbound: number of entries in @inbound
 * @n_sockets: number of entries in @sockets
 * @accounts: accounts that stay until the namespace ends (account.c); added
 *	under @accounts_lock, read under RCU
 * @accounts_lock: protects additions to @accounts
 * @sysctl_header: handle of the registered @sysctl_table
 * @sysctl_table: this namespace's copy of the sysctl table
 */
struct altconn_net {
	struct net		*net;
	struct altconn_registry	assocs;
	struct altconn_registry	inbound;
	struct altconn_registry	sockets;
	unsigned int		connect_timeout_ms;
	u32 __percpu		*port_next;
	struct list_head	port_sets;
	unsigned int		n_port_sets;
	spinlock_t		port_lock;	/* adding to port_sets */
	unsigned int		port_min;
	unsigned int		port_max;
	unsigned int		max_waiting;
	unsigned int		max_associations;
	unsigned int		busy_poll_us;
	unsigned int		dgram_block_ms;
	unsigned int		n_watchers;
	struct altconn_rules __rcu *rules;
	struct mutex		rules_lock;	/* rules */
	u32			rules_seq;
	u32			rules_last_id;
	atomic_long_t		delayed_bytes;
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
	struct percpu_counter	n_inbound;
	struct percpu_counter	n_sockets;
	struct list_head	accounts;
	spinlock_t		accounts_lock;	/* adding to accounts */
	struct ctl_table_header	*sysctl_header;
	struct ctl_table	*sysctl_table;
};

extern unsigned int altconn_net_id;

/*
 * State of the initial namespace. Its max_waiting and max_associations also
 * limit every other namespace.
 */
extern struct altconn_net *altconn_initial_net;

/**
 * altconn_pernet() - get the state of a network namespace
 * @net: the namespace
 *
 * Context: any.
 * Return: the state, which is freed with the namespace.
 */
static inline struct altconn_net *altconn_pernet(const struct net *net)
{
	return net_generic(net, altconn_net_id);
}

#endif /* _ALTCONN_NETNS_H */
