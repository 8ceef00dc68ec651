// SPDX-License-Identifier: GPL-2.0
/*
 * Accounts: the number of associations of each user, for the limit
 * net.altconn.max_associations.
 *
 * connect() charges an association to one account for each level of user
 * namespaces, as the core does with ucounts: to the client's user in the
 * client's user namespace, to the owner of that namespace in the parent
 * namespace, and so on up to the initial user namespace. So neither subordinate
 * uids nor new user namespaces give a user a higher limit. The charges end when
 * the association is freed, even if the client has closed long before.
 *
 * The network namespace of the client selects the set of these accounts. If the
 * initial user namespace owns it, it has a set of its own: only an
 * administrator can make such a network namespace. All other network namespaces
 * share one set (key.an is NULL). If the server is in another network namespace
 * than the client, the association is charged a second time, to a set of the
 * server's network namespace (key.inbound is 1).
 *
 * A charge is one atomic operation for each level. Accounts are found by a hash
 * lookup under RCU. An account of the initial user namespace stays until its
 * network namespace ends, since its user is likely to connect again. Any other
 * account is freed with its last charge.
 *
 * Most associations begin in a network namespace of the initial user namespace,
 * and one account is charged. Two CPUs on which one user connects should not
 * write to the same cache line each time. So each CPU keeps charges in reserve,
 * for the account that it charged last. A connect takes its charge from the
 * reserve, and the end of an association puts the charge back. An empty reserve
 * gets ACCOUNT_BATCH charges from the account, and a reserve of more than
 * ACCOUNT_RESERVE_MAX charges returns ACCOUNT_BATCH. The reserves are counted
 * in account->n and in an->n_assocs. While these two are within the limits, no
 * charge from a reserve exceeds a limit. Beyond that, a connect charges the
 * account itself, and the reserves are subtracted before the number is compared
 * with the limit. Each CPU that takes a charge from its reserve at this very
 * moment exceeds the limit by one.
 */

#include <linux/cred.h>
#include <linux/jhash.h>
#include <linux/percpu.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include "account.h"
#include "netns.h"

/* The limit of a whole namespace is this many times the limit of one user. */
#define ACCOUNT_NET_USERS	16

/* A reserve gets and returns this many charges at once. */
#define ACCOUNT_BATCH		32

/* The largest number of charges in a reserve. */
#define ACCOUNT_RESERVE_MAX	(2 * ACCOUNT_BATCH)

/* An account is found beyond its limit after this many looks. */
#define ACCOUNT_LOOKS		4

/* All accounts that have a charge, and the ones with @stays. */
static struct rhashtable account_table;

/**
 * struct account_reserve - the charges that a CPU keeps in reserve
 * @account: the account of the charges, which is one with @stays and of the
 *	kind ALTCONN_ACCOUNT_OWN; or NULL
 * @n: number of charges; each is counted in @account->n and in the n_assocs of
 *	the account's network namespace
 *
 * The CPU changes its reserve with preemption disabled. The end of a network
 * namespace takes @account away from any CPU, see altconn_account_pre_exit().
 */
struct account_reserve {
	struct altconn_account	*account;
	long			n;
};

static DEFINE_PER_CPU(struct account_reserve, account_reserves);

/*
 * Hash a key, as three words for speed. The seed is random, so a user cannot
 * choose a hash chain.
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

/* Drop one charge of one account. The last one frees the account. */
static void account_put(struct altconn_account *account)
{
	if (!atomic_long_dec_and_test(&account->n))
		return;
	/* If account_insert() has removed the account already, this fails. */
	rhashtable_remove_fast(&account_table, &account->node, account_params);
	put_user_ns(account->user_ns);
	kfree_rcu(account, rcu);
}

/* Allocate an account with one charge. Return NULL if memory runs out. */
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
 * Insert @new into the table, and return NULL. If another thread has inserted
 * an account with the same key, charge that account and return it. Return an
 * ERR_PTR() on failure.
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
 * Add an account with @stays to the list of its network namespace. The end of
 * the namespace frees the account. Accounts without a network namespace (key.an
 * is NULL) are in the list of the initial one.
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

/*
 * Make an account and charge it. If another thread has made it meanwhile,
 * charge that one. Return NULL on failure.
 */
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
 * Find an account and charge it. Return NULL if there is none. The caller holds
 * rcu_read_lock().
 */
static struct altconn_account *
account_find_charge(const struct account_key *key)
{
	struct altconn_account *account;

	account = rhashtable_lookup(&account_table, key, account_params);
	return account && atomic_long_inc_not_zero(&account->n) ? account :
								  NULL;
}

/*
 * Charge one account, which is made if there is none. Return NULL if memory
 * runs out.
 */
static struct altconn_account *
account_charge_key(const struct account_key *key,
		   struct user_namespace *user_ns, struct altconn_net *an)
{
	struct altconn_account *account;

	rcu_read_lock();
	account = account_find_charge(key);
	rcu_read_unlock();
	return account ? : account_new(key, user_ns, an);
}

/* Return the limit of one user in a network namespace. */
static unsigned int account_limit(const struct altconn_net *an)
{
	/* The limit of the initial namespace is an upper bound for all. */
	return min(READ_ONCE(an->max_associations),
		   READ_ONCE(altconn_initial_net->max_associations));
}

/**
 * altconn_account_net_max() - return the limit on all associations of a
 * namespace
 * @an: the network namespace
 *
 * The limit applies to the associations that begin in the namespace, and once
 * more to its inbound associations. It is a multiple of the limit of one user,
 * so one user alone cannot reach it.
 *
 * Context: any.
 * Return: the limit, a number of associations.
 */
u64 altconn_account_net_max(const struct altconn_net *an)
{
	return (u64)ACCOUNT_NET_USERS * account_limit(an);
}

/* Return the kind of the associations that an account counts. */
static enum altconn_account_kind
account_kind(const struct altconn_account *account)
{
	if (!account->key.an)
		return ALTCONN_ACCOUNT_NESTED;
	return account->key.inbound ? ALTCONN_ACCOUNT_INBOUND :
				      ALTCONN_ACCOUNT_OWN;
}

/*
 * Return the number of charges that all CPUs have in reserve for an account.
 * Only an account of the kind ALTCONN_ACCOUNT_OWN that stays has any.
 */
static long account_nr_reserved(const struct altconn_account *account)
{
	const struct account_reserve *reserve;
	long n = 0;
	int cpu;

	if (!account->stays || account_kind(account) != ALTCONN_ACCOUNT_OWN)
		return 0;
	for_each_possible_cpu(cpu) {
		reserve = per_cpu_ptr(&account_reserves, cpu);
		if (READ_ONCE(reserve->account) == account)
			n += READ_ONCE(reserve->n);
	}
	return n;
}

/*
 * Return the number of associations that an account is charged for. The result
 * is too large, and not too small, while a CPU moves charges between the
 * account and its reserve: the reserve grows after account->n, and shrinks
 * before it.
 */
static long account_nr_charges(const struct altconn_account *account)
{
	long before, after, reserved;

	before = atomic_long_read(&account->n);
	/* Pairs with the barriers in account_fill() and account_empty(). */
	smp_rmb();
	reserved = account_nr_reserved(account);
	/* Likewise. */
	smp_rmb();
	after = atomic_long_read(&account->n);
	return max(before, after) - account->stays - reserved;
}

/*
 * Check whether an account is beyond a limit. A CPU that moves charges at this
 * moment makes the number look too large, so look several times.
 */
static bool account_is_beyond(const struct altconn_account *account,
			      unsigned int limit)
{
	int looks;

	if (atomic_long_read(&account->n) - account->stays <= limit)
		return false;
	for (looks = 0; looks < ACCOUNT_LOOKS; looks++) {
		if (account_nr_charges(account) <= limit)
			return false;
		cpu_relax();
	}
	return true;
}

/*
 * Drop one charge of each account from @first up to @last. If @last is NULL, go
 * up to the account that has none above it.
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

/* Add @n charges, which may be negative, to an account and its namespace. */
static void account_add_charges(struct altconn_account *account, long n)
{
	atomic_long_add(n, &account->n);
	atomic_long_add(n, &account->key.an->n_assocs);
}

/*
 * Check whether an account and its namespace are within their limits with @more
 * further charges, even if all charges in reserve count as associations.
 */
static bool account_has_space(const struct altconn_account *account, long more)
{
	const struct altconn_net *an = account->key.an;
	u64 most = account_limit(an);

	/* The account stays, so n is one more than the number of charges. */
	return atomic_long_read(&account->n) - 1 + more <= most &&
	       atomic_long_read(&an->n_assocs) + more <=
		       most * ACCOUNT_NET_USERS;
}

/* Move ACCOUNT_BATCH charges from the account to the reserve of this CPU. */
static void account_fill(struct account_reserve *reserve,
			 struct altconn_account *account)
{
	account_add_charges(account, ACCOUNT_BATCH);
	/* Pairs with the barriers in account_nr_charges(). */
	smp_mb__after_atomic();
	WRITE_ONCE(reserve->n, reserve->n + ACCOUNT_BATCH);
}

/* Move ACCOUNT_BATCH charges back from the reserve of this CPU. */
static void account_empty(struct account_reserve *reserve,
			  struct altconn_account *account)
{
	WRITE_ONCE(reserve->n, reserve->n - ACCOUNT_BATCH);
	/* Pairs with the barriers in account_nr_charges(). */
	smp_mb__before_atomic();
	account_add_charges(account, -ACCOUNT_BATCH);
}

/*
 * Take a charge from the reserve of this CPU, and return its account. Return
 * NULL if the reserve has another key, or the account is close to a limit.
 */
static struct altconn_account *
account_charge_reserved(const struct account_key *key)
{
	struct account_reserve *reserve = get_cpu_ptr(&account_reserves);
	struct altconn_account *account = READ_ONCE(reserve->account);

	/*
	 * Preemption is disabled, so the account is not freed. If it has this
	 * key, it stays, because the caller keeps the namespace alive.
	 */
	if (account && (!account_key_equal(&account->key, key) ||
			!account_has_space(account, 0)))
		account = NULL;
	if (account && unlikely(!reserve->n) &&
	    account_has_space(account, ACCOUNT_BATCH))
		account_fill(reserve, account);
	if (account && likely(reserve->n))
		WRITE_ONCE(reserve->n, reserve->n - 1);
	else
		account = NULL;
	put_cpu_ptr(&account_reserves);
	return account;
}

/*
 * Put a charge into the reserve of this CPU. Return false if the reserve is the
 * one of another account.
 */
static bool account_uncharge_reserved(struct altconn_account *account)
{
	struct account_reserve *reserve = get_cpu_ptr(&account_reserves);
	bool same = READ_ONCE(reserve->account) == account;

	if (same) {
		WRITE_ONCE(reserve->n, reserve->n + 1);
		if (unlikely(reserve->n > ACCOUNT_RESERVE_MAX))
			account_empty(reserve, account);
	}
	put_cpu_ptr(&account_reserves);
	return same;
}

/*
 * Make the reserve of this CPU the one of @account, which has a charge. The
 * account that had the reserve gets its charges back.
 */
static void account_assign_reserve(struct altconn_account *account)
{
	struct account_reserve *reserve = get_cpu_ptr(&account_reserves);
	struct altconn_account *old = xchg(&reserve->account, NULL);

	/*
	 * The namespace of @old may have begun to end. But it and @old are not
	 * freed before a grace period, see altconn_account_pre_exit().
	 */
	if (old)
		account_add_charges(old, -reserve->n);
	WRITE_ONCE(reserve->n, 0);
	/* Empty the reserve, then let altconn_account_pre_exit() find it. */
	smp_store_release(&reserve->account, account);
	put_cpu_ptr(&account_reserves);
}

/*
 * Charge the accounts of all levels: the user of @cred, and the owner of each
 * user namespace from cred->user_ns up to the initial one. @key has the network
 * namespace; its other members are set for each level. @limit is the limit of
 * the first level. Return the account of the first level; ERR_PTR(-ENOMEM); or
 * ERR_PTR(-EAGAIN) if a level has reached its limit.
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
		 * A user namespace that root owns is a container. Charge an
		 * account of the container instead of the one of root.
		 */
		if (below && user_ns == &init_user_ns &&
		    uid_eq(uid, GLOBAL_ROOT_UID)) {
			of = below;
			uid = INVALID_UID;
		}
		key.user_ns = of;
		key.uid = __kuid_val(uid);
		account = account_charge_key(&key, of, an);
		if (!account) {
			account_uncharge(first, last);
			return ERR_PTR(-ENOMEM);
		}
		if (last)
			WRITE_ONCE(last->up, account);
		else
			first = account;
		last = account;
		if (account_is_beyond(account, limit)) {
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
 * altconn_account_nr_assocs() - return the number of associations that began in
 * a namespace
 * @an: the network namespace
 *
 * Context: process.
 * Return: the number of associations that are not freed yet, plus the number of
 * connected datagram sockets. While other threads connect and close, the number
 * may be wrong by ACCOUNT_RESERVE_MAX for each CPU.
 */
u64 altconn_account_nr_assocs(const struct altconn_net *an)
{
	const struct account_reserve *reserve;
	const struct altconn_account *account;
	long n = atomic_long_read(&an->n_assocs);
	int cpu;

	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		reserve = per_cpu_ptr(&account_reserves, cpu);
		account = READ_ONCE(reserve->account);
		if (account && account->key.an == an)
			n -= READ_ONCE(reserve->n);
	}
	rcu_read_unlock();
	return max(n, 0L);
}

/* Count an association of a namespace. Return false at the limit. */
static bool account_count_assoc(struct altconn_net *an)
{
	u64 most = altconn_account_net_max(an);

	if (atomic_long_inc_return(&an->n_assocs) <= most ||
	    altconn_account_nr_assocs(an) <= most)
		return true;
	atomic_long_dec(&an->n_assocs);
	return false;
}

/**
 * altconn_account_charge() - charge the calling process for one association
 * @an: network namespace in which the association begins
 *
 * A connected datagram socket is charged for one association too. The real user
 * id is charged, so a set-user-ID program does not charge the owner of the
 * program. If two threads charge the last free association at the same time,
 * both may fail.
 *
 * Context: process, may sleep.
 * Return: the account of the user, for altconn_account_uncharge();
 * ERR_PTR(-EAGAIN) if the user, or an owner of the process's user namespaces,
 * has net.altconn.max_associations associations, or @an has
 * altconn_account_net_max() associations; ERR_PTR(-ENOMEM).
 */
struct altconn_account *altconn_account_charge(struct altconn_net *an)
{
	bool own = an->net->user_ns == &init_user_ns;
	const struct cred *cred = current_cred();
	struct account_key key = {
		.an = own ? an : NULL, .user_ns = &init_user_ns,
		.uid = __kuid_val(cred->uid),
	};
	/* In the initial user namespace there is only one level. */
	bool single = own && cred->user_ns == &init_user_ns;
	struct altconn_account *account;

	account = likely(single) ? account_charge_reserved(&key) : NULL;
	if (likely(account))
		return account;
	if (!account_count_assoc(an))
		return ERR_PTR(-EAGAIN);
	account = account_charge_all(an, cred, key, account_limit(an));
	if (IS_ERR(account))
		atomic_long_dec(&an->n_assocs);
	else if (single)
		account_assign_reserve(account);
	return account;
}

/**
 * altconn_account_uncharge() - undo altconn_account_charge()
 * @an: the network namespace
 * @account: the account that altconn_account_charge() returned
 *
 * Context: any but interrupts.
 */
void altconn_account_uncharge(struct altconn_net *an,
			      struct altconn_account *account)
{
	if (likely(account_uncharge_reserved(account)))
		return;
	account_uncharge(account, NULL);
	atomic_long_dec(&an->n_assocs);
}

/**
 * altconn_account_charge_inbound() - charge an association to a user in the
 * network namespace of the server
 * @an: the network namespace
 * @cred: credentials of the client, which is in another network namespace
 *
 * Context: process, may sleep.
 * Return: the account of the user, for altconn_account_uncharge_inbound();
 * ERR_PTR(-EAGAIN) if the user, or an owner of the client's user namespaces,
 * has net.altconn.max_associations inbound associations; ERR_PTR(-ENOMEM).
 */
struct altconn_account *
altconn_account_charge_inbound(struct altconn_net *an, const struct cred *cred)
{
	struct account_key key = { .an = an, .inbound = 1 };

	return account_charge_all(an, cred, key, account_limit(an));
}

/**
 * altconn_account_uncharge_inbound() - undo altconn_account_charge_inbound()
 * @account: the account that altconn_account_charge_inbound() returned, or NULL
 *
 * Context: any but interrupts.
 */
void altconn_account_uncharge_inbound(struct altconn_account *account)
{
	account_uncharge(account, NULL);
}

/*
 * Insert an account into @top, unless it has no charge, or @top is full of
 * accounts with as many charges or more. @top has @n entries, and space for
 * @size entries. The entry with most associations is the first. Return the new
 * number of entries.
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
 * altconn_account_list_top() - list the users with most associations in a
 * namespace
 * @an: the network namespace; the initial one for ALTCONN_ACCOUNT_NESTED
 * @kind: the associations that are counted
 * @top: filled with users, the one with most associations first
 * @size: number of entries that @top has space for
 *
 * Context: process.
 * Return: the number of entries written to @top.
 */
u32 altconn_account_list_top(struct altconn_net *an,
			     enum altconn_account_kind kind,
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

/*
 * Take an account out of the reserve of a CPU, in which it was found. No thread
 * charges or uncharges the account any more, so the number of charges stays the
 * same until the CPU changes its reserve to another account. If the CPU does so
 * meanwhile, it takes the account out itself.
 */
static void account_unreserve(struct account_reserve *reserve,
			      struct altconn_account *account)
{
	long n = READ_ONCE(reserve->n);

	if (cmpxchg(&reserve->account, account, NULL) == account)
		account_add_charges(account, -n);
}

/**
 * altconn_account_pre_exit() - take the accounts of a namespace out of the
 * reserves
 * @an: the network namespace, which ends. No charge is left, because each
 *	object that holds a charge keeps the namespace alive
 *
 * A CPU that takes an account out of its reserve at the same time uses it with
 * preemption disabled, so a grace period passes before altconn_account_exit().
 *
 * Context: process.
 */
void altconn_account_pre_exit(struct altconn_net *an)
{
	struct account_reserve *reserve;
	struct altconn_account *account;
	int cpu;

	rcu_read_lock();
	for_each_possible_cpu(cpu) {
		reserve = per_cpu_ptr(&account_reserves, cpu);
		/* Pairs with the release in account_assign_reserve(). */
		account = smp_load_acquire(&reserve->account);
		if (account && account->key.an == an)
			account_unreserve(reserve, account);
	}
	rcu_read_unlock();
}

/**
 * altconn_account_exit() - free the accounts of a namespace
 * @an: the network namespace, which ends. A grace period has passed since
 *	altconn_account_pre_exit()
 *
 * Context: process.
 */
void altconn_account_exit(struct altconn_net *an)
{
	struct altconn_account *account, *next;

	list_for_each_entry_safe(account, next, &an->accounts, entry) {
		WARN_ON_ONCE(account_nr_charges(account));
		account_put(account);
	}
	INIT_LIST_HEAD(&an->accounts);
}

/**
 * altconn_account_table_init() - allocate the table of accounts
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_account_table_init(void)
{
	return rhashtable_init(&account_table, &account_params);
}

/**
 * altconn_account_table_exit() - undo altconn_account_table_init()
 *
 * Context: process, may sleep; altconn_account_exit() has run for each network
 * namespace.
 */
void altconn_account_table_exit(void)
{
	WARN_ON_ONCE(atomic_read(&account_table.nelems));
	rhashtable_destroy(&account_table);
}
