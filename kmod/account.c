// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts: how many associations a user has.
 *
 * An association is charged at connect() to the account of the caller, and to
 * that of the owner of each user namespace above the caller's, up to the initial
 * one, as ucounts are: so the subordinate uids of a user and the namespaces that
 * a user makes do not multiply its limit. The charge ends when the association
 * is freed, whether its client still lives or not.
 *
 * A network namespace that the initial user namespace owns was made by the
 * administrator, and each user has an account of its own in it. All others of
 * the machine share one set of accounts (@an is NULL). What comes from other
 * namespaces is charged a second time, to accounts of the server's namespace
 * (@inbound).
 *
 * A charge is one atomic operation for each level. Accounts are found by a hash
 * lookup under RCU. Those of the initial user namespace stay until their network
 * namespace ends, since the same few users come back, and each CPU remembers the one
 * that it charged last. Others are freed with their last charge.
 */

#include <linux/cred.h>
#include <linux/jhash.h>
#include <linux/percpu.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include "account.h"
#include "netns.h"

/* Users that may fill their limits before a namespace as a whole is full. */
#define ACCOUNT_USERS	16

static struct rhashtable account_table;

/* The account that this CPU charged last, if it was one that stays; or NULL. */
static DEFINE_PER_CPU(struct altconn_account *, account_last);

struct account_key {
	const struct altconn_net	*an;
	const struct user_namespace	*user_ns;
	u32				uid;
	u32				inbound;
};

/**
 * struct altconn_account - the associations of a user
 * @node: link in account_table
 * @key: what it is found by; all zero but its fields
 * @n: charges; one more of an account that stays
 * @stays: until the network namespace ends
 * @user_ns: @key's, a reference
 * @up: the account of the owner of @user_ns, or NULL; lives while this one does
 * @entry: with @stays: in the namespace's list
 * @rcu: frees it
 *
 * Lifetime: each charge is a reference, held by an association, by its part in
 * the server's namespace or by a connected datagram socket. A charge of this
 * account is one of @up as well. The last reference takes the account out of the
 * table; a lookup that finds it without references does so too.
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
 * Three words, since each connect() computes it. The seed is random, so users cannot
 * choose a chain.
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

/* 0 when the account has the key, as rhashtable wants it. */
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
	/* A lookup may have been faster. */
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

/* The account that another thread has made, if it still has references. */
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

/* Those of the machine's other namespaces are listed in the initial one. */
static void account_list(struct altconn_account *account,
			 struct altconn_net *an)
{
	if (!account->key.an)
		an = altconn_init_state;
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
			account_list(new, an);
		return new;
	}
	put_user_ns(new->user_ns);
	kfree(new);
	return IS_ERR(old) ? NULL : old;
}

/* Find the account and charge it, or NULL: there is none. RCU read side. */
static struct altconn_account *account_find_charge(const struct account_key *key)
{
	struct altconn_account *account;

	account = rhashtable_lookup(&account_table, key, account_params);
	if (!account || !atomic_long_inc_not_zero(&account->n))
		return NULL;
	/* The thread may be on another CPU by now, which does no harm. */
	if (account->stays)
		raw_cpu_write(account_last, account);
	return account;
}

/* An account with one charge more, or NULL: no memory. */
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
	/* A child namespace may lower the limit, not lift it. */
	return min(READ_ONCE(an->max_associations),
		   READ_ONCE(altconn_init_state->max_associations));
}

static long account_charges(const struct altconn_account *account)
{
	return atomic_long_read(&account->n) - account->stays;
}

/* Take back the charges from @first up to @last, or to the top. */
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
 * Charge the account that this CPU charged last. NULL: there is none, it has another
 * key, or it is full.
 */
static struct altconn_account *account_charge_last(const struct account_key *key,
						   unsigned int limit)
{
	struct altconn_account *account;

	rcu_read_lock();
	account = raw_cpu_read(account_last);
	if (account && !account_key_equal(&account->key, key))
		account = NULL;
	/* It stays until its namespace ends, and the caller keeps that. */
	if (account && atomic_long_inc_return(&account->n) - 1 > limit) {
		atomic_long_dec(&account->n);
		account = NULL;
	}
	rcu_read_unlock();
	return account;
}

/*
 * Charge the caller's account and those of the owners of user namespaces above. @key
 * gets the namespace and the user of each in turn.
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
		/* A namespace that root made, for a container, counts for itself. */
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
		if (account_charges(account) > limit) {
			account_uncharge(first, last);
			return ERR_PTR(-EAGAIN);
		}
		if (!key.an)
			limit = account_limit(altconn_init_state);
		below = user_ns;
		uid = user_ns->owner;
		user_ns = user_ns->parent;
	}
	return first;
}

/**
 * altconn_account_charge() - one more association of a user
 * @an: the namespace that it is in
 * @cred: of the user
 * @inbound: it comes from another namespace
 *
 * The real user id counts: a program with the set-user-ID bit does not charge
 * its owner. Two threads at the limit may both be refused.
 *
 * Context: process, may sleep.
 * Return: what altconn_account_release() takes; ERR_PTR(-EAGAIN): the user, or
 * the owner of a user namespace above, has net.altconn.max_associations;
 * ERR_PTR(-ENOMEM).
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

	/* A user of the initial user namespace has no owner above, so one account. */
	if (likely(cred->user_ns == &init_user_ns))
		account = account_charge_last(&key, limit);
	return account ? : account_charge_all(an, cred, key, limit);
}

/**
 * altconn_account_release() - undo altconn_account_charge()
 * @account: what it returned, not an error; or NULL
 *
 * Context: any but interrupts.
 */
void altconn_account_release(struct altconn_account *account)
{
	account_uncharge(account, NULL);
}

/**
 * altconn_account_total() - most associations of a namespace, or into it
 * @an: the namespace
 *
 * Context: any.
 * Return: so many times what one user may have that a user who has them all
 * leaves room for others.
 */
u64 altconn_account_total(const struct altconn_net *an)
{
	return (u64)ACCOUNT_USERS * account_limit(an);
}

static enum altconn_account_kind
account_kind(const struct altconn_account *account)
{
	if (!account->key.an)
		return ALTCONN_ACCOUNT_NESTED;
	return account->key.inbound ? ALTCONN_ACCOUNT_INBOUND :
				      ALTCONN_ACCOUNT_OWN;
}

/* Insert by size; of @n, which are at most @room. Return: how many there are. */
static u32 account_rank(struct altconn_account_usage *top, u32 n, u32 room,
			const struct altconn_account *account)
{
	u64 charges = max(account_charges(account), 0L);
	u32 i = n;

	if (!charges || (n == room && top[n - 1].n >= charges))
		return n;
	if (n == room)
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
 * altconn_account_top() - the users that have most in a namespace
 * @an: the namespace
 * @kind: associations that began there, that came in, or that users of the
 *	machine have in namespaces of their own (listed in the initial one)
 * @top: gets the users, the one with most first
 * @room: most of them
 *
 * Context: process.
 * Return: how many there are in @top.
 */
u32 altconn_account_top(struct altconn_net *an, enum altconn_account_kind kind,
			struct altconn_account_usage *top, u32 room)
{
	const struct altconn_account *account;
	u32 n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(account, &an->accounts, entry)
		if (account_kind(account) == kind)
			n = account_rank(top, n, room, account);
	rcu_read_unlock();
	return n;
}

/**
 * altconn_account_init() - a namespace's list of accounts, empty
 * @an: the namespace
 */
void altconn_account_init(struct altconn_net *an)
{
	INIT_LIST_HEAD(&an->accounts);
	spin_lock_init(&an->accounts_lock);
}

/* Make all CPUs forget @account, which no thread charges any more. */
static void account_forget(const struct altconn_account *account)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(per_cpu(account_last, cpu)) == account)
			WRITE_ONCE(per_cpu(account_last, cpu), NULL);
}

/**
 * altconn_account_exit() - undo altconn_account_init()
 * @an: the namespace; nothing is charged in it any more, nor will be: a charge holds its
 *	namespace
 *
 * Context: process.
 */
void altconn_account_exit(struct altconn_net *an)
{
	struct altconn_account *account, *next;

	list_for_each_entry_safe(account, next, &an->accounts, entry) {
		WARN_ON_ONCE(account_charges(account));
		account_forget(account);
		account_put(account);
	}
	INIT_LIST_HEAD(&an->accounts);
}

/**
 * altconn_account_table_init() - make the table
 *
 * Return: 0 or -ENOMEM.
 */
int __init altconn_account_table_init(void)
{
	return rhashtable_init(&account_table, &account_params);
}

/**
 * altconn_account_table_exit() - undo altconn_account_table_init()
 *
 * Context: process; no namespace is left.
 */
void altconn_account_table_exit(void)
{
	WARN_ON_ONCE(atomic_read(&account_table.nelems));
	rhashtable_destroy(&account_table);
}
