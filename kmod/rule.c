// SPDX-License-Identifier: GPL-2.0
/*
 * Rules: a firewall for this family, and faults on demand. Each network
 * namespace has its own for what begins in it.
 *
 * The table is an array of pointers, sorted, and replaced as a whole. A thread
 * that matches rules holds a reference to the table, so it may take long, or not
 * run for long: it keeps this one table, and no other thread and no change waits
 * for it. A namespace without rules costs its attempts and datagrams the load of
 * one pointer, whatever rules other namespaces have.
 *
 * No socket lock is held while rules are matched. connect() matches first
 * (altconn_rule_find()) and takes the verdict once the socket's lock is held and
 * its state allows an attempt (altconn_rule_commit()): only then are a rule's
 * counters, and one of its "times", consumed.
 */

#include <linux/bsearch.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include "addr.h"
#include "event.h"
#include "glob.h"
#include "netns.h"
#include "rule.h"
#include "ruling.h"
#include "trace.h"

/* The attempt or datagram that rules are matched with. */
struct rule_query {
	const struct sock		*sk;
	const struct altconn_addr	*addr;
	const u8			*text;	/* for patterns */
	size_t				len;
	char				*buf;
};

static bool rule_matches_dest(const struct altconn_rule *rule,
			      const struct rule_query *query)
{
	const struct altconn_addr *addr = query->addr;

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
	return !rule->glob ||
	       altconn_glob_match(rule->glob, query->text, query->len);
}

static bool rule_matches(const struct altconn_rule *rule,
			 const struct rule_query *query)
{
	if (altconn_rule_has(rule, ALTCONN_A_RULE_TYPE) &&
	    rule->type != query->sk->sk_type)
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_UID) &&
	    !uid_eq(rule->uid, current_euid()))
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_GID) &&
	    !gid_eq(rule->gid, current_egid()))
		return false;
	return rule_matches_dest(rule, query);
}

/* A rule that matches may still leave the decision to the next one. */
static bool rule_is_conditional(const struct altconn_rule *rule)
{
	return rule->given & (BIT(ALTCONN_A_RULE_EVERY) |
			      BIT(ALTCONN_A_RULE_PROBABILITY) |
			      BIT(ALTCONN_A_RULE_TIMES));
}

/*
 * Count a match of a rule; does it decide? In this order, so that "times" counts
 * decisions.
 */
static bool rule_take_turn(struct altconn_rule *rule)
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

static u32 rule_delay_of(const struct altconn_rule *rule)
{
	u64 jitter = (u64)rule->jitter_ms + 1;
	u32 ms = rule->delay_ms + (u32)(jitter * get_random_u32() >> 32);

	/* 0 would be no delay. */
	return ms ? : 1;
}

/* The verdict of a rule, for the caller; 1: the attempt is held. */
static int rule_verdict(const struct altconn_rule *rule,
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
		ruling->delay_ms = rule_delay_of(rule);
		return 1;
	default:
		return 0;
	}
}

/* Act on the rule that decides. */
static int rule_decide(struct altconn_rule *rule, const struct sock *sk,
		       const struct altconn_addr *addr,
		       struct altconn_ruling *ruling)
{
	int ret;

	atomic64_inc(&rule->hits);
	WRITE_ONCE(rule->last_hit, ktime_get_ns());
	ret = rule_verdict(rule, ruling);
	if (ret)
		ruling->rule = rule->id;
	trace_altconn_rule(sk, addr, rule->id, rule->verdict);
	return ret;
}

/* The text that patterns are matched with; a path only if a rule needs it. */
static int rule_query_init(struct rule_query *query,
			   const struct altconn_rules *rules,
			   const struct path *path)
{
	char *text;

	query->text = (const u8 *)query->addr->bytes;
	query->len = query->addr->len;
	if (!rules->paths || query->addr->kind != ALTCONN_KIND_PATH)
		return 0;
	query->buf = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	if (!query->buf)
		return -ENOMEM;
	text = d_path(path, query->buf, PATH_MAX);
	if (IS_ERR(text))
		return PTR_ERR(text);
	query->text = (const u8 *)text;
	query->len = strlen(text);
	return 0;
}

/**
 * altconn_rule_put() - drop a reference
 * @rule: the rule
 *
 * Context: any but hard interrupts.
 */
void altconn_rule_put(struct altconn_rule *rule)
{
	if (!refcount_dec_and_test(&rule->refs))
		return;
	kfree(rule->glob);
	kfree(rule);
}

/* The rules of a namespace, a reference; NULL: there are none. */
static struct altconn_rules *rules_get(const struct altconn_net *an)
{
	struct altconn_rules *rules;

	rcu_read_lock();
	do {
		/* Without references it has been replaced meanwhile. */
		rules = rcu_dereference(an->rules);
	} while (rules && !refcount_inc_not_zero(&rules->refs));
	rcu_read_unlock();
	return rules;
}

static void rules_put(struct altconn_rules *rules)
{
	u32 i;

	if (!refcount_dec_and_test(&rules->refs))
		return;
	for (i = 0; i < rules->n; i++) {
		altconn_rule_put(rules->rule[i]);
		cond_resched();
	}
	/* rules_get() may look at the count still. */
	kvfree_rcu(rules, rcu);
}

/*
 * The index of the first rule from @i on that matches; rules->n: there is none;
 * -EINTR: the caller is being killed.
 */
static int rule_next(const struct altconn_rules *rules, u32 i,
		     const struct rule_query *query)
{
	for (; i < rules->n; i++) {
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (rule_matches(rules->rule[i], query))
			break;
	}
	return i;
}

static int rule_check(const struct altconn_rules *rules,
		      const struct rule_query *query,
		      struct altconn_ruling *ruling)
{
	struct altconn_rule *rule;
	int i = 0;

	for (;;) {
		i = rule_next(rules, i, query);
		if (i < 0 || i == rules->n)
			return min(i, 0);
		rule = rules->rule[i++];
		if (rule_take_turn(rule))
			return rule_decide(rule, query->sk, query->addr,
					   ruling);
	}
}

/**
 * __altconn_rule_check() - match the rules and take the verdict at once
 * @sk: the endpoint
 * @addr: where to, routed
 * @path: the socket file of a path, looked up
 * @ruling: zero; gets what was decided
 *
 * A path is matched as the caller's root and mounts have it, whatever it wrote.
 * Effective user and group are looked at, as the kernel does for permissions.
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0: go on; 1: hold it, as @ruling says; -EPERM, -EACCES (E-PERM-RULE),
 * -ECONNREFUSED, -ENETUNREACH, -EHOSTUNREACH: a rule says so; -EINTR: the caller is
 * being killed; -ENOMEM, -ENAMETOOLONG: the path cannot be written. No rule is in
 * @ruling but in the first two cases.
 */
int __altconn_rule_check(const struct sock *sk,
			 const struct altconn_addr *addr,
			 const struct path *path,
			 struct altconn_ruling *ruling)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct rule_query query = { .sk = sk, .addr = addr };
	struct altconn_rules *rules = rules_get(an);
	int ret;

	if (!rules)
		return 0;
	ret = rule_query_init(&query, rules, path);
	if (!ret)
		ret = rule_check(rules, &query, ruling);
	rules_put(rules);
	kfree(query.buf);
	return ret;
}

static struct altconn_match *rule_match_new(struct altconn_rules *rules)
{
	struct altconn_match *match;

	match = kzalloc(struct_size(match, set, BITS_TO_LONGS(rules->n)),
			GFP_KERNEL_ACCOUNT);
	if (match) {
		refcount_inc(&rules->refs);
		match->rules = rules;
	}
	return match;
}

/* All rules that may decide, up to the first that does in any case. */
static int rule_collect(struct altconn_rules *rules,
			const struct rule_query *query,
			struct altconn_match **match)
{
	int i = 0;

	for (;;) {
		i = rule_next(rules, i, query);
		if (i < 0 || i == rules->n)
			return min(i, 0);
		if (!*match)
			*match = rule_match_new(rules);
		if (!*match)
			return -ENOMEM;
		__set_bit(i, (*match)->set);
		if (!rule_is_conditional(rules->rule[i++]))
			return 0;
	}
}

/**
 * __altconn_rule_find() - match the rules, and decide nothing yet
 * @sk: the endpoint
 * @addr: where to, routed
 * @path: the socket file of a path, looked up
 * @match: NULL; gets the rules that match, if there are any, which the caller
 *	frees with altconn_match_free(), on failure too
 *
 * Consumes nothing of a rule. As __altconn_rule_check() otherwise.
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -EINTR: the caller is being killed; -ENOMEM, -ENAMETOOLONG: the path
 * cannot be written.
 */
int __altconn_rule_find(const struct sock *sk, const struct altconn_addr *addr,
			const struct path *path, struct altconn_match **match)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct rule_query query = { .sk = sk, .addr = addr };
	struct altconn_rules *rules = rules_get(an);
	int err;

	if (!rules)
		return 0;
	err = rule_query_init(&query, rules, path);
	if (!err)
		err = rule_collect(rules, &query, match);
	rules_put(rules);
	kfree(query.buf);
	return err;
}

/**
 * altconn_rule_commit() - take the verdict of the rules that matched
 * @sk: the endpoint
 * @addr: where to, routed
 * @match: of __altconn_rule_find()
 * @ruling: zero; gets what was decided
 *
 * The first rule in order that has its turn decides, and its counters are
 * consumed here, so any number of attempts at once are decided exactly as often
 * as "times" says. Matches no pattern: a few instructions a rule.
 *
 * Context: process; lock_sock() may be held.
 * Return: as __altconn_rule_check(), but for the last three errors.
 */
int altconn_rule_commit(const struct sock *sk, const struct altconn_addr *addr,
			const struct altconn_match *match,
			struct altconn_ruling *ruling)
{
	struct altconn_rules *rules = match->rules;
	unsigned int i;

	for_each_set_bit(i, match->set, rules->n)
		if (rule_take_turn(rules->rule[i]))
			return rule_decide(rules->rule[i], sk, addr, ruling);
	return 0;
}

/**
 * __altconn_match_free() - free what __altconn_rule_find() gave
 * @match: the match
 *
 * Context: process, may sleep; lock_sock() may be held.
 */
void __altconn_match_free(struct altconn_match *match)
{
	rules_put(match->rules);
	kfree(match);
}

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

/* A table for @n rules, whose entries the caller fills, a reference each. */
static struct altconn_rules *rules_alloc(u32 n)
{
	struct altconn_rules *rules;

	rules = kvzalloc(struct_size(rules, rule, n), GFP_KERNEL_ACCOUNT);
	if (rules) {
		refcount_set(&rules->refs, 1);
		rules->n = n;
	}
	return rules;
}

/*
 * Publish @rules, or NULL. The old table goes with the last thread that matches
 * its rules.
 */
static void rules_replace(struct altconn_net *an, struct altconn_rules *rules)
{
	struct altconn_rules *old = altconn_rules_of(an);
	u32 i;

	for (i = 0; rules && i < rules->n; i++)
		rules->paths |= rules->rule[i]->kind == ALTCONN_KIND_PATH &&
				rules->rule[i]->pattern_len;
	rcu_assign_pointer(an->rules, rules);
	an->rules_seq++;
	altconn_event_changed(an, ALTCONN_EVENT_KIND_RULES_CHANGED);
	if (old)
		rules_put(old);
}

static struct altconn_rule *rule_find(const struct altconn_rules *rules, u32 id)
{
	u32 i;

	for (i = 0; rules && i < rules->n; i++)
		if (rules->rule[i]->id == id)
			return rules->rule[i];
	return NULL;
}

static int rule_compare(const void *a, const void *b)
{
	const struct altconn_rule *x = *(const struct altconn_rule **)a;
	const struct altconn_rule *y = *(const struct altconn_rule **)b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int rule_compare_ids(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* An id that is not in @ids, which are sorted. */
static u32 rule_new_id(struct altconn_net *an, const u32 *ids, u32 n)
{
	do {
		/* 0 is none. */
		if (!++an->rules_last_id)
			an->rules_last_id = 1;
	} while (bsearch(&an->rules_last_id, ids, n, sizeof(*ids),
			 rule_compare_ids));
	return an->rules_last_id;
}

/* Each rule its own id; those that were given stay. */
static int rule_number(struct altconn_net *an, struct altconn_rules *rules)
{
	u32 *ids = kvmalloc_array(rules->n, sizeof(*ids), GFP_KERNEL_ACCOUNT);
	u32 n = 0, i;
	int err = 0;

	if (!ids)
		return -ENOMEM;
	for (i = 0; i < rules->n; i++)
		if (rules->rule[i]->id)
			ids[n++] = rules->rule[i]->id;
	sort(ids, n, sizeof(*ids), rule_compare_ids, NULL);
	for (i = 1; i < n && !err; i++)
		if (ids[i] == ids[i - 1])
			err = -EEXIST;
	/* Those that were given do not come again either. */
	if (n && !err)
		an->rules_last_id = max(an->rules_last_id, ids[n - 1]);
	for (i = 0; i < rules->n && !err; i++)
		if (!rules->rule[i]->id)
			rules->rule[i]->id = rule_new_id(an, ids, n);
	kvfree(ids);
	return err;
}

/**
 * altconn_rules_check() - may a namespace have so many rules?
 * @an: the namespace
 * @n: how many
 * @extack: gets what is wrong
 *
 * Fewer in a user's own, so that what they cost is bounded.
 *
 * Context: any.
 * Return: 0; -ENOSPC.
 */
int altconn_rules_check(const struct altconn_net *an, u32 n,
			struct netlink_ext_ack *extack)
{
	if (an->net->user_ns == &init_user_ns) {
		if (n <= ALTCONN_RULES_MAX)
			return 0;
		NL_SET_ERR_MSG(extack, "too many rules: 4096 are the most");
	} else {
		if (n <= ALTCONN_RULES_MAX_USER)
			return 0;
		NL_SET_ERR_MSG(extack, "too many rules: in a user namespace 256 are the most");
	}
	return -ENOSPC;
}

static int rules_check_patterns(const struct altconn_rules *rules,
				struct netlink_ext_ack *extack)
{
	u32 bytes = 0, i;

	for (i = 0; i < rules->n; i++)
		bytes += rules->rule[i]->pattern_len;
	if (bytes <= ALTCONN_PATTERNS_MAX)
		return 0;
	NL_SET_ERR_MSG(extack, "the patterns are too long: 65536 bytes in all are the most");
	return -ENOSPC;
}

/**
 * altconn_rules_add() - add rules
 * @an: the namespace
 * @add: the rules; on success the table has the caller's references
 * @n: how many; 0 with @instead: none from now on
 * @instead: instead of those that there are, all in one step
 * @extack: gets what is wrong
 *
 * Rules without an id get one.
 *
 * Context: process, may sleep; an->rules_lock held.
 * Return: 0; -ENOSPC: too many, or too many bytes in patterns; -EEXIST: an id
 * occurs twice; -ENOMEM. Nothing has changed then.
 */
int altconn_rules_add(struct altconn_net *an, struct altconn_rule **add,
		      u32 n, bool instead, struct netlink_ext_ack *extack)
{
	struct altconn_rules *old = altconn_rules_of(an), *rules;
	u32 kept = old && !instead ? old->n : 0, i;
	int err;

	err = altconn_rules_check(an, n + kept, extack);
	if (err)
		return err;
	if (!n && !kept) {
		rules_replace(an, NULL);
		return 0;
	}
	rules = rules_alloc(n + kept);
	if (!rules)
		return -ENOMEM;
	if (kept)
		memcpy(rules->rule, old->rule, kept * sizeof(*add));
	memcpy(rules->rule + kept, add, n * sizeof(*add));
	err = rules_check_patterns(rules, extack) ? : rule_number(an, rules);
	if (err) {
		if (err == -EEXIST)
			NL_SET_ERR_MSG(extack, "two rules have the same id");
		kvfree(rules);
		return err;
	}
	for (i = 0; i < kept; i++)
		refcount_inc(&rules->rule[i]->refs);
	sort(rules->rule, rules->n, sizeof(*rules->rule), rule_compare, NULL);
	rules_replace(an, rules);
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
	struct altconn_rule *rule = rule_find(old, id);
	u32 i, n = 0;

	if (!rule)
		return -ENOENT;
	if (old->n > 1) {
		rules = rules_alloc(old->n - 1);
		if (!rules)
			return -ENOMEM;
		for (i = 0; i < old->n; i++) {
			if (old->rule[i] == rule)
				continue;
			refcount_inc(&old->rule[i]->refs);
			rules->rule[n++] = old->rule[i];
		}
	}
	rules_replace(an, rules);
	return 0;
}

static void rule_zero_hits(struct altconn_rule *rule)
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

	if (id && !rule_find(rules, id))
		return -ENOENT;
	for (i = 0; rules && i < rules->n; i++)
		if (!id || rules->rule[i]->id == id)
			rule_zero_hits(rules->rule[i]);
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
