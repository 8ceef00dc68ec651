// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts: the number of associations of each user, for the limit
 * net.altconn.max_associations.
 *
 * An association is charged at connect() to the account of the caller, and to
 * the accounts of the owners of the caller's user namespace and of its
 * ancestors, as ucounts are charged. So the subordinate uids of a user, and the
 * namespaces that a user creates, do not multiply the user's limit. The charge
 * ends when the association is freed, whether or not its client still exists.
 *
 * A network namespace that the initial user namespace owns was created by the
 * administrator, and each user has an account of its own in it. All other
 * network namespaces of the machine share one set of accounts (key.an is NULL).
 * An association that comes from another network namespace is charged a second
 * time, to accounts of the server's namespace (key.inbound).
 *
 * A charge is one atomic operation for each level of user namespaces. Accounts
 * are found by a hash lookup under RCU. An account of the initial user
 * namespace stays until its network namespace ends, since the same few users
 * come back. Each CPU remembers the account of this sort that it charged last.
 * Any other account is freed with its last charge.
 */

#include <linux/cred.h>
#include <linux/jhash.h>
#include <linux/percpu.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include "account.h"
#include "netns.h"

/*
 * Number of users that may reach their limits before the namespace as a whole
 * is full.
 */
#define ACCOUNT_NET_USERS	16

static struct rhashtable account_table;

/* The last account with @stays that this CPU has charged, or NULL. */
static DEFINE_PER_CPU(struct altconn_account *, account_last);

/**
 * struct account_key - key of an account in account_table
 * @an: the network namespace; NULL for all those that a user namespace other
 *	than the initial one owns
 * @user_ns: the user namespace
 * @uid: the user, as a kuid value; INVALID_UID if the account is of @user_ns as
 *	a whole, for a container
 * @inbound: 1 for associations that come in from another network namespace,
 *	else 0
 */
struct account_key {
	const struct altconn_net	*an;
	const struct user_namespace	*user_ns;
	u32				uid;
	u32				inbound;
};

/**
 * struct altconn_account - the number of associations of a user
 * @node: link in account_table
 * @key: the account's key in account_table
 * @n: number of charges; with @stays, one more
 * @stays: the account stays until its network namespace ends
 * @user_ns: the user namespace of @key, a reference
 * @up: the account of the owner of @user_ns, or NULL; lives at least as long as
 *	this account has a charge
 * @entry: with @stays, link in the namespace's list of accounts
 * @rcu: frees the account
 *
 * Lifetime: each charge is a reference. An association holds it, or the
 * association's record in the server's namespace, or a connected datagram
 * socket. Each charge of this account comes with a charge of @up. When the last
 * reference is dropped, the account is removed from the table and freed an RCU
 * grace period later. A lookup that finds an account without references removes
 * it from the table too.
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

/*
 * The key is hashed as three words, since each lookup computes the hash. The
 * seed is random, so users cannot aim at a hash chain.
 */
static u32 account_hash(const void *data, u32 len, u32 seed)
{
	const struct account_key *key = data;

	return jhash_3words((unsigned long)key->an >> L1_CACHE_SHIFT,
			    (unsigned long)key->user_ns >> L1_CACHE_SHIFT,
			    key->uid ^ key->inbound << 31, seed);
}

static bool account_key_equal(const struct account_key *a,
			      const struct account_key *b)
{
	return a->an == b->an && a->user_ns == b->user_ns && a->uid == b->uid &&
	       a->inbound == b->inbound;
}

/* Return 0 if the account has the key, as rhashtable expects. */
static int account_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct altconn_account *account = obj;

	return !account_key_equal(&account->key, arg->key);
}

static const struct rhashtable_params account_params = {
	.key_len		= sizeof(struct account_key),
	.key_offset		= offsetof(struct altconn_account, key),
	.head_offset		= offsetof(struct altconn_account, node),
	.hashfn			= account_hash,
	.obj_cmpfn		= account_compare,
	.automatic_shrinking	= true,
};

static void account_put(struct altconn_account *account)
{
	if (!atomic_long_dec_and_test(&account->n))
		return;
	/* account_insert() may have removed the account already. */
	rhashtable_remove_fast(&account_table, &account->node, account_params);
	put_user_ns(account->user_ns);
	kfree_rcu(account, rcu);
}

static struct altconn_account *account_alloc(const struct account_key *key,
					     struct user_namespace *user_ns)
{
	struct altconn_account *account;

	account = kzalloc(sizeof(*account), GFP_KERNEL_ACCOUNT);
	if (!account)
		return NULL;
	account->key = *key;
	account->user_ns = get_user_ns(user_ns);
	account->stays = user_ns == &init_user_ns;
	atomic_long_set(&account->n, 1 + account->stays);
	INIT_LIST_HEAD(&account->entry);
	return account;
}

/*
 * Insert @new into the table, unless another thread has inserted an account
 * with the same key that still has references. Return NULL if @new was
 * inserted, the other account with one charge more if there is one, or an
 * ERR_PTR.
 */
static struct altconn_account *account_insert(struct altconn_account *new)
{
	struct altconn_account *old;

	rcu_read_lock();
	for (;;) {
		old = rhashtable_lookup_get_insert_fast(&account_table,
							&new->node,
							account_params);
		if (IS_ERR_OR_NULL(old) || atomic_long_inc_not_zero(&old->n))
			break;
		rhashtable_remove_fast(&account_table, &old->node,
				       account_params);
	}
	rcu_read_unlock();
	return old;
}

/*
 * Add an account to the list of its network namespace. The accounts that the
 * network namespaces of other user namespaces share are in the initial network
 * namespace's list.
 */
static void account_link(struct altconn_account *account,
			 struct altconn_net *an)
{
	if (!account->key.an)
		an = altconn_initial_net;
	spin_lock(&an->accounts_lock);
	list_add_tail_rcu(&account->entry, &an->accounts);
	spin_unlock(&an->accounts_lock);
}

static struct altconn_account *account_new(const struct account_key *key,
					   struct user_namespace *user_ns,
					   struct altconn_net *an)
{
	struct altconn_account *new = account_alloc(key, user_ns), *old;

	if (!new)
		return NULL;
	old = account_insert(new);
	if (!old) {
		if (new->stays)
			account_link(new, an);
		return new;
	}
	put_user_ns(new->user_ns);
	kfree(new);
	return IS_ERR(old) ? NULL : old;
}

/*
 * Find an account and charge it. Return NULL if there is none. RCU read side.
 */
static struct altconn_account *account_find_charge(const struct account_key *key)
{
	struct altconn_account *account;

	account = rhashtable_lookup(&account_table, key, account_params);
	if (!account || !atomic_long_inc_not_zero(&account->n))
		return NULL;
	/* The thread may have moved to another CPU, which is harmless. */
	if (account->stays)
		raw_cpu_write(account_last, account);
	return account;
}

/*
 * Find or create an account and charge it. Return NULL on allocation failure.
 */
static struct altconn_account *account_get(const struct account_key *key,
					   struct user_namespace *user_ns,
					   struct altconn_net *an)
{
	struct altconn_account *account;

	rcu_read_lock();
	account = account_find_charge(key);
	rcu_read_unlock();
	return account ? : account_new(key, user_ns, an);
}

static unsigned int account_limit(const struct altconn_net *an)
{
	/* A namespace may lower the limit of the initial one, not raise it. */
	return min(READ_ONCE(an->max_associations),
		   READ_ONCE(altconn_initial_net->max_associations));
}

static long account_nr_charges(const struct altconn_account *account)
{
	return atomic_long_read(&account->n) - account->stays;
}

/*
 * Drop one charge of each account from @first up to @last, or to the top if
 * @last is not reached.
 */
static void account_uncharge(struct altconn_account *first,
			     const struct altconn_account *last)
{
	struct altconn_account *account = first, *up;

	while (account) {
		up = account == last ? NULL : READ_ONCE(account->up);
		account_put(account);
		account = up;
	}
}

/*
 * Charge the account that this CPU charged last. Return NULL if there is none,
 * or if it has another key or is full.
 */
static struct altconn_account *account_charge_last(const struct account_key *key,
						   unsigned int limit)
{
	struct altconn_account *account;

	rcu_read_lock();
	account = raw_cpu_read(account_last);
	if (account && !account_key_equal(&account->key, key))
		account = NULL;
	/*
	 * The account stays until its network namespace ends, which the
	 * caller's socket prevents.
	 */
	if (account && atomic_long_inc_return(&account->n) - 1 > limit) {
		atomic_long_dec(&account->n);
		account = NULL;
	}
	rcu_read_unlock();
	return account;
}

/*
 * Charge the account of the caller, and those of the owners of the user
 * namespaces that the caller is in. @key provides the network namespace; its
 * user namespace and uid are set for each account in turn. Return the caller's
 * account, ERR_PTR(-ENOMEM), or ERR_PTR(-EAGAIN) if an account is full.
 */
static noinline struct altconn_account *
account_charge_all(struct altconn_net *an, const struct cred *cred,
		   struct account_key key, unsigned int limit)
{
	struct altconn_account *first = NULL, *last = NULL, *account;
	struct user_namespace *user_ns = cred->user_ns, *below = NULL, *of;
	kuid_t uid = cred->uid;

	while (user_ns) {
		of = user_ns;
		/*
		 * A user namespace that root owns, for a container, is charged
		 * itself.
		 */
		if (below && user_ns == &init_user_ns &&
		    uid_eq(uid, GLOBAL_ROOT_UID)) {
			of = below;
			uid = INVALID_UID;
		}
		key.user_ns = of;
		key.uid = __kuid_val(uid);
		account = account_get(&key, of, an);
		if (!account) {
			account_uncharge(first, last);
			return ERR_PTR(-ENOMEM);
		}
		if (last)
			WRITE_ONCE(last->up, account);
		else
			first = account;
		last = account;
		if (account_nr_charges(account) > limit) {
			account_uncharge(first, last);
			return ERR_PTR(-EAGAIN);
		}
		if (!key.an)
			limit = account_limit(altconn_initial_net);
		below = user_ns;
		uid = user_ns->owner;
		user_ns = user_ns->parent;
	}
	return first;
}

/**
 * altconn_account_charge() - charge an association to a user
 * @an: the network namespace that the association is counted in
 * @cred: credentials of the user
 * @inbound: the association comes in from another network namespace
 *
 * The real user id is charged, so a program with the set-user-ID bit does not
 * charge the owner of the program. Of two threads that meet at the limit, both
 * may be refused.
 *
 * Context: process, may sleep.
 * Return: the account, with a charge that the caller drops with
 * altconn_account_release(); ERR_PTR(-EAGAIN) if the user, or the owner of a
 * user namespace that the user is in, has net.altconn.max_associations
 * associations; ERR_PTR(-ENOMEM).
 */
struct altconn_account *altconn_account_charge(struct altconn_net *an,
					       const struct cred *cred,
					       bool inbound)
{
	bool own = inbound || an->net->user_ns == &init_user_ns;
	struct account_key key = {
		.an = own ? an : NULL, .inbound = inbound,
		.user_ns = &init_user_ns, .uid = __kuid_val(cred->uid),
	};
	struct altconn_account *account = NULL;
	unsigned int limit = account_limit(an);

	/*
	 * In the initial user namespace only the user's own account is charged.
	 */
	if (likely(cred->user_ns == &init_user_ns))
		account = account_charge_last(&key, limit);
	return account ? : account_charge_all(an, cred, key, limit);
}

/**
 * altconn_account_release() - undo altconn_account_charge()
 * @account: the account that altconn_account_charge() returned, or NULL
 *
 * Context: any but interrupts.
 */
void altconn_account_release(struct altconn_account *account)
{
	account_uncharge(account, NULL);
}

/**
 * altconn_account_net_max() - return the limit on all associations of a
 * namespace
 * @an: the network namespace
 *
 * The limit holds for the associations that begin in the namespace, and
 * separately for those that come in. It is a multiple of a user's limit, so a
 * user that has reached its own limit leaves room for other users.
 *
 * Context: any.
 * Return: the limit, a number of associations.
 */
u64 altconn_account_net_max(const struct altconn_net *an)
{
	return (u64)ACCOUNT_NET_USERS * account_limit(an);
}

static enum altconn_account_kind
account_kind(const struct altconn_account *account)
{
	if (!account->key.an)
		return ALTCONN_ACCOUNT_NESTED;
	return account->key.inbound ? ALTCONN_ACCOUNT_INBOUND :
				      ALTCONN_ACCOUNT_OWN;
}

/*
 * Insert an account into @top, which has @n of at most @size entries, sorted by
 * the number of associations. Return the new number of entries.
 */
static u32 account_rank(struct altconn_account_usage *top, u32 n, u32 size,
			const struct altconn_account *account)
{
	u64 charges = max(account_nr_charges(account), 0L);
	u32 i = n;

	if (!charges || (n == size && top[n - 1].n >= charges))
		return n;
	if (n == size)
		i = n - 1;
	else
		n++;
	for (; i && top[i - 1].n < charges; i--)
		top[i] = top[i - 1];
	top[i].uid = KUIDT_INIT(account->key.uid);
	top[i].n = charges;
	return n;
}

/**
 * altconn_account_top() - list the users with most associations in a namespace
 * @an: the network namespace; the initial one for ALTCONN_ACCOUNT_NESTED
 * @kind: the associations that are counted
 * @top: gets the users, the one with most associations first
 * @size: number of entries that @top has room for
 *
 * Context: process.
 * Return: the number of entries written to @top.
 */
u32 altconn_account_top(struct altconn_net *an, enum altconn_account_kind kind,
			struct altconn_account_usage *top, u32 size)
{
	const struct altconn_account *account;
	u32 n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(account, &an->accounts, entry)
		if (account_kind(account) == kind)
			n = account_rank(top, n, size, account);
	rcu_read_unlock();
	return n;
}

/**
 * altconn_account_init() - initialize a namespace's empty list of accounts
 * @an: the network namespace
 *
 * Context: any.
 */
void altconn_account_init(struct altconn_net *an)
{
	INIT_LIST_HEAD(&an->accounts);
	spin_lock_init(&an->accounts_lock);
}

/* Make all CPUs forget @account, which no thread charges any more. */
static void account_uncache(const struct altconn_account *account)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu(account_last, cpu)) == account)
			WRITE_ONCE(per_cpu(account_last, cpu), NULL);
}

/**
 * altconn_account_exit() - free the accounts of a namespace
 * @an: the network namespace, in which nothing is charged now or later: a
 *	charge holds its namespace
 *
 * Context: process.
 */
void altconn_account_exit(struct altconn_net *an)
{
	struct altconn_account *account, *next;

	list_for_each_entry_safe(account, next, &an->accounts, entry) {
		WARN_ON_ONCE(account_nr_charges(account));
		account_uncache(account);
		account_put(account);
	}
	INIT_LIST_HEAD(&an->accounts);
}

/**
 * altconn_account_table_init() - create the table of accounts
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_account_table_init(void)
{
	return rhashtable_init(&account_table, &account_params);
}

/**
 * altconn_account_table_exit() - destroy the table of accounts
 *
 * Context: process, may sleep; no network namespace of the module is left.
 */
void altconn_account_table_exit(void)
{
	WARN_ON_ONCE(atomic_read(&account_table.nelems));
	rhashtable_destroy(&account_table);
}
