// SPDX-License-Identifier: GPL-2.0
/*
 * Rules: a firewall for this family, and faults on demand. Each network
 * namespace has its own for what begins in it.
 *
 * The table is an array of pointers, sorted, read under SRCU and replaced as a
 * whole. Without any rule on the machine a static key leaves out the look, from
 * a second after the last has gone.
 */

#include <linux/bsearch.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/jump_label_ratelimit.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/srcu.h>
#include "event.h"
#include "rule.h"
#include "trace.h"

DEFINE_STATIC_KEY_DEFERRED_FALSE(altconn_rules_on, HZ);
/* Who asks them may take long, with patterns that were made for that. */
DEFINE_STATIC_SRCU(rules_srcu);

static bool matches_dest(const struct altconn_rule *rule,
			 const struct altconn_addr *addr, const char *path)
{
	const u8 *text = (const u8 *)addr->bytes;
	size_t len = addr->len;

	if (!altconn_rule_has(rule, ALTCONN_A_RULE_KIND))
		return true;
	if (rule->kind != addr->kind)
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_NODE) &&
	    rule->node != addr->node)
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_PORT_MIN) &&
	    (addr->port < rule->port_min || addr->port > rule->port_max))
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_IP) &&
	    !ipv6_prefix_equal(altconn_addr_ip(addr), &rule->ip,
			       rule->prefix_len))
		return false;
	if (!altconn_rule_has(rule, ALTCONN_A_RULE_PATTERN))
		return true;
	if (addr->kind == ALTCONN_KIND_PATH) {
		text = (const u8 *)path;
		len = strlen(path);
	}
	return altconn_glob(rule->pattern, rule->pattern_len, text, len);
}

static bool matches(const struct altconn_rule *rule, const struct sock *sk,
		    const struct altconn_addr *addr, const char *path)
{
	if (altconn_rule_has(rule, ALTCONN_A_RULE_TYPE) &&
	    rule->type != sk->sk_type)
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_UID) &&
	    !uid_eq(rule->uid, current_euid()))
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_GID) &&
	    !gid_eq(rule->gid, current_egid()))
		return false;
	return matches_dest(rule, addr, path);
}

/* It matches: is it its turn? In this order, so that "times" counts decisions. */
static bool has_turn(struct altconn_rule *rule)
{
	if (altconn_rule_has(rule, ALTCONN_A_RULE_EVERY) &&
	    (u32)atomic_inc_return(&rule->matched) % rule->every)
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_PROBABILITY) &&
	    (u64)get_random_u32() * ALTCONN_PROBABILITY_ONE >> 32 >=
	    rule->probability)
		return false;
	/* Down from as many as an unsigned int counts. */
	return !altconn_rule_has(rule, ALTCONN_A_RULE_TIMES) ||
	       atomic_add_unless(&rule->left, -1, 0);
}

static u32 delay_of(const struct altconn_rule *rule)
{
	u64 jitter = (u64)rule->jitter_ms + 1;
	u32 ms = rule->delay_ms + (u32)(jitter * get_random_u32() >> 32);

	/* 0 would be no delay. */
	return ms ? : 1;
}

/* What its verdict is for the caller; 1: the attempt is held. */
static int decide(const struct altconn_rule *rule,
		  struct altconn_ruling *ruling)
{
	switch (rule->verdict) {
	case ALTCONN_VERDICT_DENY:
		return -EPERM;
	case ALTCONN_VERDICT_DENY_ACCESS:
		return -EACCES;
	case ALTCONN_VERDICT_REFUSE:
		return -ECONNREFUSED;
	case ALTCONN_VERDICT_UNREACHABLE_NET:
		return -ENETUNREACH;
	case ALTCONN_VERDICT_UNREACHABLE_HOST:
		return -EHOSTUNREACH;
	case ALTCONN_VERDICT_DROP:
		ruling->drops = true;
		return 1;
	case ALTCONN_VERDICT_DELAY:
		ruling->delay_ms = delay_of(rule);
		return 1;
	default:
		return 0;
	}
}

/* What the rules of a path are matched with; without such a rule nothing. */
static char *path_text(const struct altconn_rules *rules,
		       const struct altconn_addr *addr,
		       const struct path *path, char **buf)
{
	if (!rules->paths || addr->kind != ALTCONN_KIND_PATH)
		return NULL;
	*buf = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	return *buf ? d_path(path, *buf, PATH_MAX) : ERR_PTR(-ENOMEM);
}

/* The first rule that decides. Many patterns take their time. */
static int ask(const struct altconn_rules *rules, const struct sock *sk,
	       const struct altconn_addr *addr, const char *path,
	       struct altconn_ruling *ruling)
{
	struct altconn_rule *rule;
	u32 i;
	int ret;

	for (i = 0; i < rules->n; i++) {
		rule = rules->rule[i];
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!matches(rule, sk, addr, path) || !has_turn(rule))
			continue;
		atomic64_inc(&rule->hits);
		WRITE_ONCE(rule->last_hit, ktime_get_ns());
		ret = decide(rule, ruling);
		if (ret)
			ruling->rule = rule->id;
		trace_altconn_rule(sk, addr, rule->id, rule->verdict);
		return ret;
	}
	return 0;
}

/**
 * __altconn_rule_check() - what rules say to an attempt or a datagram
 * @sk: whose it is
 * @addr: where to, routed
 * @path: the socket file of a path, looked up
 * @ruling: zero; gets what was decided
 *
 * A path is matched as the caller's root and mounts have it, whatever it wrote.
 * Effective user and group are looked at, as the kernel does for permissions.
 *
 * Context: process, may sleep.
 * Return: 0: go on; 1: hold it, as @ruling says; -EPERM, -EACCES (E-PERM-RULE),
 * -ECONNREFUSED, -ENETUNREACH, -EHOSTUNREACH: a rule says so; -EINTR: the caller is
 * being killed; -ENOMEM, -ENAMETOOLONG: the path cannot be told. No rule is in
 * @ruling but in the first two cases.
 */
int __altconn_rule_check(const struct sock *sk,
			 const struct altconn_addr *addr,
			 const struct path *path,
			 struct altconn_ruling *ruling)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	const struct altconn_rules *rules;
	char *buf = NULL, *text;
	int idx, ret = 0;

	idx = srcu_read_lock(&rules_srcu);
	rules = srcu_dereference(an->rules, &rules_srcu);
	if (rules) {
		text = path_text(rules, addr, path, &buf);
		ret = IS_ERR(text) ? PTR_ERR(text) :
				     ask(rules, sk, addr, text, ruling);
	}
	srcu_read_unlock(&rules_srcu, idx);
	kfree(buf);
	return ret;
}

/* ---- changing the table ---- */

/**
 * altconn_rules_of() - the rules of a namespace, for who changes or lists them
 * @an: the namespace
 *
 * Context: process; an->rules_lock held.
 * Return: the rules, or NULL: there are none.
 */
struct altconn_rules *altconn_rules_of(struct altconn_net *an)
{
	return rcu_dereference_protected(an->rules,
					 lockdep_is_held(&an->rules_lock));
}

static struct altconn_rules *alloc_rules(u32 n)
{
	struct altconn_rules *rules;

	rules = kvzalloc(struct_size(rules, rule, n), GFP_KERNEL_ACCOUNT);
	if (rules)
		rules->n = n;
	return rules;
}

static void free_old(struct rcu_head *rcu)
{
	struct altconn_rules *old = container_of(rcu, struct altconn_rules,
						 rcu);
	u32 i;

	for (i = 0; old->all && i < old->n; i++)
		kfree(old->rule[i]);
	kfree(old->gone);
	kvfree(old);
}

/*
 * @rules, or NULL, from now on. The old table is freed when nobody looks at it any
 * more, and with it @gone, or @all the rules in it. Not waited for: another
 * namespace's patterns may take long.
 */
static void replace(struct altconn_net *an, struct altconn_rules *rules,
		    bool all, struct altconn_rule *gone)
{
	struct altconn_rules *old = altconn_rules_of(an);
	u32 i;

	for (i = 0; rules && i < rules->n; i++)
		rules->paths |= rules->rule[i]->kind == ALTCONN_KIND_PATH &&
				rules->rule[i]->pattern_len;
	/*
	 * On before the first can be found, off some time after the last cannot: who
	 * adds and deletes by turns has the code patched once.
	 */
	if (rules && !old)
		static_branch_deferred_inc(&altconn_rules_on);
	rcu_assign_pointer(an->rules, rules);
	if (old && !rules)
		static_branch_slow_dec_deferred(&altconn_rules_on);
	an->rules_seq++;
	altconn_event_changed(an, ALTCONN_EVENT_KIND_RULES_CHANGED);
	if (!old)
		return;
	old->all = all;
	old->gone = gone;
	call_srcu(&rules_srcu, &old->rcu, free_old);
}

static struct altconn_rule *find(const struct altconn_rules *rules, u32 id)
{
	u32 i;

	for (i = 0; rules && i < rules->n; i++)
		if (rules->rule[i]->id == id)
			return rules->rule[i];
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct altconn_rule *x = *(const struct altconn_rule **)a;
	const struct altconn_rule *y = *(const struct altconn_rule **)b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int compare_ids(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* An id that is not in @ids, which are sorted. */
static u32 new_id(struct altconn_net *an, const u32 *ids, u32 n)
{
	do {
		/* 0 is none. */
		if (!++an->rules_last_id)
			an->rules_last_id = 1;
	} while (bsearch(&an->rules_last_id, ids, n, sizeof(*ids),
			 compare_ids));
	return an->rules_last_id;
}

/* Each rule its own id; those that were given stay. */
static int number(struct altconn_net *an, struct altconn_rules *rules)
{
	u32 *ids = kvmalloc_array(rules->n, sizeof(*ids), GFP_KERNEL_ACCOUNT);
	u32 n = 0, i;
	int err = 0;

	if (!ids)
		return -ENOMEM;
	for (i = 0; i < rules->n; i++)
		if (rules->rule[i]->id)
			ids[n++] = rules->rule[i]->id;
	sort(ids, n, sizeof(*ids), compare_ids, NULL);
	for (i = 1; i < n && !err; i++)
		if (ids[i] == ids[i - 1])
			err = -EEXIST;
	/* Those that were given do not come again either. */
	if (n && !err)
		an->rules_last_id = max(an->rules_last_id, ids[n - 1]);
	for (i = 0; i < rules->n && !err; i++)
		if (!rules->rule[i]->id)
			rules->rule[i]->id = new_id(an, ids, n);
	kvfree(ids);
	return err;
}

/**
 * altconn_rules_add() - add rules
 * @an: the namespace
 * @add: the rules; on success they are the table's
 * @n: how many; 0 with @instead: none from now on
 * @instead: instead of those that there are, all in one step
 * @extack: gets what is wrong
 *
 * Rules without an id get one.
 *
 * Context: process, may sleep; an->rules_lock held.
 * Return: 0; -ENOSPC: too many; -EEXIST: an id occurs twice; -ENOMEM. Nothing
 * has changed then.
 */
int altconn_rules_add(struct altconn_net *an, struct altconn_rule **add,
		      u32 n, bool instead, struct netlink_ext_ack *extack)
{
	struct altconn_rules *old = altconn_rules_of(an), *rules;
	u32 kept = old && !instead ? old->n : 0;
	int err;

	if (n + kept > ALTCONN_RULES_MAX) {
		NL_SET_ERR_MSG(extack, TOO_MANY);
		return -ENOSPC;
	}
	if (!n && !kept) {
		replace(an, NULL, true, NULL);
		return 0;
	}
	rules = alloc_rules(n + kept);
	if (!rules)
		return -ENOMEM;
	if (kept)
		memcpy(rules->rule, old->rule, kept * sizeof(*add));
	memcpy(rules->rule + kept, add, n * sizeof(*add));
	err = number(an, rules);
	if (err) {
		if (err == -EEXIST)
			NL_SET_ERR_MSG(extack, "two rules have the same id");
		kvfree(rules);
		return err;
	}
	sort(rules->rule, rules->n, sizeof(*rules->rule), compare, NULL);
	replace(an, rules, instead, NULL);
	return 0;
}

/**
 * altconn_rules_del() - delete a rule
 * @an: the namespace
 * @id: of the rule
 *
 * Context: process, may sleep; an->rules_lock held.
 * Return: 0; -ENOENT; -ENOMEM.
 */
int altconn_rules_del(struct altconn_net *an, u32 id)
{
	struct altconn_rules *old = altconn_rules_of(an), *rules = NULL;
	struct altconn_rule *rule = find(old, id);
	u32 i, n = 0;

	if (!rule)
		return -ENOENT;
	if (old->n > 1) {
		rules = alloc_rules(old->n - 1);
		if (!rules)
			return -ENOMEM;
		for (i = 0; i < old->n; i++)
			if (old->rule[i] != rule)
				rules->rule[n++] = old->rule[i];
	}
	replace(an, rules, false, rule);
	return 0;
}

static void zero(struct altconn_rule *rule)
{
	atomic_set(&rule->left, rule->times);
	atomic_set(&rule->matched, 0);
	atomic64_set(&rule->hits, 0);
	WRITE_ONCE(rule->last_hit, 0);
}

/**
 * altconn_rules_zero() - begin to count anew
 * @an: the namespace
 * @id: of the rule, or 0 for all
 *
 * Context: process; an->rules_lock held.
 * Return: 0; -ENOENT.
 */
int altconn_rules_zero(struct altconn_net *an, u32 id)
{
	struct altconn_rules *rules = altconn_rules_of(an);
	u32 i;

	if (id && !find(rules, id))
		return -ENOENT;
	for (i = 0; rules && i < rules->n; i++)
		if (!id || rules->rule[i]->id == id)
			zero(rules->rule[i]);
	return 0;
}

/**
 * altconn_rules_init() - a namespace without rules
 * @an: the namespace, zeroed
 */
void altconn_rules_init(struct altconn_net *an)
{
	mutex_init(&an->rules_lock);
}

/**
 * altconn_rules_exit() - free a namespace's rules
 * @an: the namespace, which nobody uses any more
 *
 * Context: process, may sleep.
 */
void altconn_rules_exit(struct altconn_net *an)
{
	mutex_lock(&an->rules_lock);
	altconn_rules_add(an, NULL, 0, true, NULL);
	mutex_unlock(&an->rules_lock);
	mutex_destroy(&an->rules_lock);
}

/**
 * altconn_rules_flush() - the key is as it will be, and what was freed is gone
 *
 * Context: process, may sleep; no namespace is left.
 */
void altconn_rules_flush(void)
{
	static_key_deferred_flush(&altconn_rules_on);
	srcu_barrier(&rules_srcu);
}
