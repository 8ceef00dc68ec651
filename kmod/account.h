/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ACCOUNT_H
#define _ALTCONN_ACCOUNT_H

#include "altconn.h"

struct altconn_account;
struct altconn_net;
struct cred;

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
