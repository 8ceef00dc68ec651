/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ACCOUNT_H
#define _ALTCONN_ACCOUNT_H

#include <linux/rhashtable-types.h>
#include "altconn.h"

struct altconn_net;
struct cred;
struct user_namespace;

/**
 * struct account_key - key of an account in the table of accounts
 * @an: the network namespace; NULL stands for all network namespaces that other
 *	user namespaces than the initial one own
 * @user_ns: the user namespace
 * @uid: the user, as a kuid value; INVALID_UID for @user_ns as a whole, if it
 *	is a container
 * @inbound: 1 for associations with the server in @an and the client in another
 *	network namespace, else 0
 *
 * Lifetime: embedded in the account, or on the stack.
 */
struct account_key {
	struct altconn_net		*an;
	const struct user_namespace	*user_ns;
	u32				uid;
	u32				inbound;
};

/**
 * struct altconn_account - the number of associations of a user
 * @node: link in the table of accounts
 * @key: the account's key in this table
 * @n: number of charges, those in reserve included; with @stays, one more
 * @stays: the account stays until its network namespace ends
 * @user_ns: the user namespace of @key, a reference
 * @up: the account of the owner of @user_ns, one level up, or NULL; valid while
 *	this account has a charge
 * @entry: with @stays, link in a namespace's list of accounts
 * @rcu: frees the account after a grace period
 *
 * Lifetime: Each charge is a reference. An association, a struct altconn_xns or
 * a connected datagram socket holds it. Each charge of this account comes with
 * a charge of @up, which keeps @up alive. When the last reference is dropped,
 * the account is removed from the table. An insertion that finds an account
 * without references in the table removes it first.
 */
struct altconn_account {
	struct rhash_head	node;
	struct account_key	key;
	atomic_long_t		n;
	bool			stays;
	struct user_namespace	*user_ns;
	struct altconn_account	*up;
	struct list_head	entry;
	struct rcu_head		rcu;
};

/**
 * enum altconn_account_kind - the associations that an account counts
 * @ALTCONN_ACCOUNT_OWN: associations that began in one network namespace, which
 *	the initial user namespace owns
 * @ALTCONN_ACCOUNT_INBOUND: associations with a server in one network namespace
 *	and a client in another one
 * @ALTCONN_ACCOUNT_NESTED: associations that began in any of the network
 *	namespaces that other user namespaces own
 * @ALTCONN_ACCOUNT_KINDS: number of kinds
 */
enum altconn_account_kind {
	ALTCONN_ACCOUNT_OWN,
	ALTCONN_ACCOUNT_INBOUND,
	ALTCONN_ACCOUNT_NESTED,
	ALTCONN_ACCOUNT_KINDS,
};

/**
 * struct altconn_account_usage - the associations of a user
 * @uid: the user, in the initial user namespace
 * @n: number of the user's associations; associations of processes in user
 *	namespaces that the user owns are included
 *
 * Lifetime: a copy, owned by the caller.
 */
struct altconn_account_usage {
	kuid_t	uid;
	u64	n;
};

u64 altconn_account_net_max(const struct altconn_net *an);
u64 altconn_account_nr_assocs(const struct altconn_net *an);
struct altconn_account *altconn_account_charge(struct altconn_net *an);
void altconn_account_uncharge(struct altconn_net *an,
			      struct altconn_account *account);
struct altconn_account *
altconn_account_charge_inbound(struct altconn_net *an, const struct cred *cred);
void altconn_account_uncharge_inbound(struct altconn_account *account);
u32 altconn_account_list_top(struct altconn_net *an,
			     enum altconn_account_kind kind,
			     struct altconn_account_usage *top, u32 size);
void altconn_account_init(struct altconn_net *an);
void altconn_account_pre_exit(struct altconn_net *an);
void altconn_account_exit(struct altconn_net *an);
int __init altconn_account_table_init(void);
void altconn_account_table_exit(void);

#endif /* _ALTCONN_ACCOUNT_H */
