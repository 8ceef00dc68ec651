/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This is the state of a network namespace.
 */
#ifndef _ALTCONN_NETNS_H
#define _ALTCONN_NETNS_H

#include <net/netns/generic.h>
#include "altconn.h"
#include "registry.h"

struct altconn_rules;
struct altconn_stat;

/**
 * struct altconn_net - state of a network namespace
 * @net: the namespace
 * @assocs: registry of the associations that began in this namespace
 * @inbound: registry of the associations that came from other namespaces
 * @sockets: registry of listeners and datagram sockets
 * @connect_timeout_ms: sysctl, default timeout of an attempt, milliseconds; 0:
 *	no timeout
 * @port_next: port at which the next search for an ephemeral port begins, by
 *	enum altconn_kind; a hint
 * @port_sets: list of the sets of ports that are known to be taken, port_set.c;
 *	sets are added and stay until the namespace ends
 * @n_port_sets: number of sets in @port_sets
 * @port_lock: additions to @port_sets
 * @port_min: sysctl, first ephemeral port of kind ALTCONN_KIND_PORT
 * @port_max: sysctl, last ephemeral port of that kind
 * @max_waiting: sysctl, most attempts that wait at one listener, or at an
 *	address without one; at most half of them, rounded up, are attempts of
 *	one user at a port
 * @max_associations: sysctl, most associations of a user; account.c
 * @busy_poll_us: sysctl, longest busy-poll of a reader before it sleeps,
 *	microseconds; wait.h
 * @dgram_block_ms: sysctl, longest time that a blocking send of a datagram
 *	waits at a full receiver, milliseconds; 0: no limit
 * @n_watchers: number of watchers in @watchers, event.c; beside the fields that
 *	each connect() reads, as connect() reads this one too
 * @rules: rules for the attempts and datagrams that begin in this namespace, or
 *	NULL
 * @rules_lock: changes of @rules, @rules_seq and @rules_last_id
 * @rules_seq: how many times @rules was replaced
 * @rules_last_id: last id that a rule was given
 * @delayed_bytes: bytes of the datagrams that rules delay
 * @stat: counters, one set for each CPU
 * @watch_lock: changes of @watchers, @audiences and @n_watchers
 * @watchers: sockets that receive events, by netlink port id; event.c
 * @audiences: lists of watchers that receive the same events, by the user that
 *	causes the events; administrators have one list
 * @nodes: other namespaces that this one knows, by node id; node.c
 * @node_list: the nodes of @nodes as a list; read under RCU
 * @n_nodes: number of nodes in @nodes
 * @nodes_lock: changes of @nodes, @node_list, @n_nodes and @node_id
 * @node_id: id by which this namespace calls itself, or 0
 * @named_by: nodes in the tables of other namespaces that stand for this
 *	namespace; under node_target_lock of node.c
 * @n_assocs: associations that began in this namespace and are not freed yet,
 *	and connected datagram sockets
 * @n_inbound: associations in @inbound
 * @n_sockets: sockets in @sockets
 * @accounts: accounts that stay until the namespace ends, account.c; entries
 *	are added under @accounts_lock and read under RCU
 * @accounts_lock: additions to @accounts
 * @sysctl_header: registration of @sysctl_table
 * @sysctl_table: this namespace's copy of the sysctl table
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
	atomic_long_t		n_inbound;
	atomic_long_t		n_sockets;
	struct list_head	accounts;
	spinlock_t		accounts_lock;	/* adding to accounts */
	struct ctl_table_header	*sysctl_header;
	struct ctl_table	*sysctl_table;
};

extern unsigned int altconn_net_id;

/*
 * State of the initial namespace. Its limits bound those of every other
 * namespace.
 */
extern struct altconn_net *altconn_initial_net;

/**
 * altconn_pernet() - get the state of a network namespace
 * @net: the namespace
 *
 * Context: any.
 * Return: the state; it lives as long as the namespace.
 */
static inline struct altconn_net *altconn_pernet(const struct net *net)
{
	return net_generic(net, altconn_net_id);
}

#endif /* _ALTCONN_NETNS_H */
