// SPDX-License-Identifier: GPL-2.0
/*
 * This file matches rules and keeps the tables of rules. Rules are a firewall,
 * and inject faults. Each network namespace has its own rules, for the attempts
 * and datagrams that begin in it.
 *
 * A table is a sorted array of pointers to rules. It does not change: a new
 * table replaces it. A thread that matches rules has a reference to the table.
 * If the thread takes long, or is preempted for long, neither a change of the
 * rules nor another thread waits for it. In a namespace without rules, an
 * attempt or a datagram costs the load of one pointer, whatever rules other
 * namespaces have.
 *
 * No endpoint's lock is held while rules are matched, so a connect() that
 * begins an attempt applies the rules in two steps. The first step finds the
 * rules that match (altconn_rule_find()). Then connect() takes altconn_lock(),
 * and if the state of the socket allows an attempt, altconn_rule_commit()
 * applies the first of these rules that decides. Only the second step changes
 * the counters of rules. For datagram sockets, altconn_rule_check() does both
 * steps.
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

/**
 * struct rule_query - the attempt or datagram that rules are matched with
 * @sk: the endpoint
 * @addr: the destination
 * @text: the bytes that patterns are matched with: the name, or the path
 * @len: length of @text, bytes, without the suffix that d_path() adds to the
 *	path of an unlinked file
 * @full_len: length of @text with this suffix
 * @buf: buffer that contains @text if it is a path, or NULL; the caller of
 *	rule_query_init() frees it
 */
struct rule_query {
	const struct sock		*sk;
	const struct altconn_addr	*addr;
	const u8			*text;
	size_t				len;
	size_t				full_len;
	char				*buf;
};

/* Check whether all conditions of a rule on the destination hold. */
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
	       altconn_glob_match(rule->glob, query->text,
				  rule->verdict == ALTCONN_VERDICT_ALLOW ?
					  query->full_len : query->len);
}

/* Check whether all conditions of a rule hold. */
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

/*
 * Check whether a rule that matches may not decide, so that a later rule does.
 */
static bool rule_is_conditional(const struct altconn_rule *rule)
{
	return rule->given & (BIT(ALTCONN_A_RULE_EVERY) |
			      BIT(ALTCONN_A_RULE_PROBABILITY) |
			      BIT(ALTCONN_A_RULE_TIMES));
}

/*
 * Count a match of @rule, and return whether the rule decides. @times is
 * checked last, because it counts decisions only.
 */
static bool rule_match_decides(struct altconn_rule *rule)
{
	if (altconn_rule_has(rule, ALTCONN_A_RULE_EVERY) &&
	    (u32)atomic_inc_return(&rule->matched) % rule->every)
		return false;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_PROBABILITY) &&
	    (u64)get_random_u32() * ALTCONN_PROBABILITY_ONE >> 32 >=
	    rule->probability)
		return false;
	/* @left is a u32 in an atomic_t: values above INT_MAX look negative. */
	return !altconn_rule_has(rule, ALTCONN_A_RULE_TIMES) ||
	       atomic_add_unless(&rule->left, -1, 0);
}

/* Return the delay of a rule plus a random part of its jitter, milliseconds. */
static u32 rule_delay_of(const struct altconn_rule *rule)
{
	u64 jitter = (u64)rule->jitter_ms + 1;
	u32 ms = rule->delay_ms + (u32)(jitter * get_random_u32() >> 32);

	/* In a ruling, 0 means no delay. */
	return ms ? : 1;
}

/*
 * Write the verdict of @rule to @ruling, without @ruling->rule. Return 0 if the
 * attempt or datagram passes, 1 if it is dropped or delayed, or the negative
 * errno with which it is refused.
 */
static int rule_write_verdict(const struct altconn_rule *rule,
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

/*
 * Apply @rule, which decides: count and trace the decision and write @ruling.
 * Return the result of rule_write_verdict().
 */
static int rule_decide(struct altconn_rule *rule, const struct sock *sk,
		       const struct altconn_addr *addr,
		       struct altconn_ruling *ruling)
{
	int ret;

	atomic64_inc(&rule->hits);
	WRITE_ONCE(rule->last_hit, ktime_get_ns());
	ret = rule_write_verdict(rule, ruling);
	if (ret)
		ruling->rule = rule->id;
	trace_altconn_rule(sk, addr, rule->id, rule->verdict);
	return ret;
}

/*
 * Return the length of the path that d_path() has written, without the suffix
 * that it adds to the path of a file that is unlinked. A client may reach such
 * a file by a descriptor (ALTCONN_PATH_FD). A rule that refuses or delays
 * attempts to the path refuses or delays this client too. But a rule that
 * allows the path does not allow this client, because another user may have
 * bound the file at the path before the server did.
 */
static size_t rule_path_len(const struct path *path, const char *text)
{
	static const char suffix[] = " (deleted)";
	size_t len = strlen(text), n = sizeof(suffix) - 1;

	if (d_unlinked(path->dentry) && len > n &&
	    !memcmp(text + len - n, suffix, n))
		len -= n;
	return len;
}

/*
 * Set @text and @len of a query. The text of a path costs a memory allocation,
 * so it is only made if a rule has a pattern for paths. Return 0, -ENOMEM or
 * -ENAMETOOLONG.
 */
static int rule_query_init(struct rule_query *query,
			   const struct altconn_rules *rules,
			   const struct path *path)
{
	char *text;

	query->text = (const u8 *)query->addr->bytes;
	query->len = query->addr->len;
	query->full_len = query->len;
	if (!rules->paths || query->addr->kind != ALTCONN_KIND_PATH)
		return 0;
	query->buf = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	if (!query->buf)
		return -ENOMEM;
	text = d_path(path, query->buf, PATH_MAX);
	if (IS_ERR(text))
		return PTR_ERR(text);
	query->text = (const u8 *)text;
	query->len = rule_path_len(path, text);
	query->full_len = strlen(text);
	return 0;
}

/**
 * altconn_rule_put() - drop a reference to a rule
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

/* Return the current table with a reference, or NULL if there are no rules. */
static struct altconn_rules *rules_get(const struct altconn_net *an)
{
	struct altconn_rules *rules;

	rcu_read_lock();
	do {
		/*
		 * A table loses its last reference after its replacement, so
		 * the next try finds the new table.
		 */
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
	/* A thread in rules_get() may still read the reference count. */
	kvfree_rcu(rules, rcu);
}

/*
 * Return the smallest index, from @i on, of a rule that matches; rules->n if
 * there is none; or -EINTR if a fatal signal is pending.
 */
static int rule_next_match(const struct altconn_rules *rules, u32 i,
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

/*
 * Apply the first rule that matches and decides. Return the result of
 * rule_decide(), 0 if there is no such rule, or -EINTR.
 */
static int rule_apply(const struct altconn_rules *rules,
		      const struct rule_query *query,
		      struct altconn_ruling *ruling)
{
	struct altconn_rule *rule;
	int i = 0;

	for (;;) {
		i = rule_next_match(rules, i, query);
		if (i < 0 || i == rules->n)
			return min(i, 0);
		rule = rules->rule[i++];
		if (rule_match_decides(rule))
			return rule_decide(rule, query->sk, query->addr,
					   ruling);
	}
}

/**
 * __altconn_rule_check() - slow path of altconn_rule_check()
 * @sk: the endpoint
 * @addr: the destination, as altconn_node_route() has updated it
 * @path: the socket file, if the destination is a path; else not read
 * @ruling: set to ALTCONN_NO_RULE by the caller; gets the ruling
 *
 * Patterns are matched with the path of the socket file from the root directory
 * of the caller, not with the path that the caller has passed. As for file
 * permissions, the effective user and group ids count.
 *
 * Context: process, may sleep; the caller does not hold altconn_lock().
 * Return: 0 if the attempt or datagram passes; 1 if @ruling drops or delays it;
 * -EPERM or -EACCES if a rule denies it (clause E-PERM-RULE); -ECONNREFUSED,
 * -ENETUNREACH or -EHOSTUNREACH if a rule refuses it; -EINTR if a fatal signal
 * is pending; -ENOMEM; -ENAMETOOLONG if the path is longer than PATH_MAX.
 * @ruling->rule is the id of the rule that drops, delays or refuses, and 0 in
 * all other cases.
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
		ret = rule_apply(rules, &query, ruling);
	rules_put(rules);
	kfree(query.buf);
	return ret;
}

/* Allocate an empty match, with a reference to the table. */
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

/*
 * Add the rules that match to *@match, which is allocated for the first one.
 * The first rule that always decides ends the search. Return 0, -EINTR or
 * -ENOMEM.
 */
static int rule_collect_matches(struct altconn_rules *rules,
				const struct rule_query *query,
				struct altconn_match **match)
{
	int i = 0;

	for (;;) {
		i = rule_next_match(rules, i, query);
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
 * __altconn_rule_find() - slow path of altconn_rule_find()
 * @sk: the endpoint
 * @addr: the destination, as altconn_node_route() has updated it
 * @path: the socket file, if the destination is a path; else not read
 * @match: set to NULL by the caller; gets the match if any rule matches. The
 *	caller frees the match with altconn_match_free(), on failure too
 *
 * No rule decides here, and no counter changes. Paths and ids are matched as in
 * __altconn_rule_check().
 *
 * Context: process, may sleep; the caller does not hold altconn_lock().
 * Return: 0; -EINTR if a fatal signal is pending; -ENOMEM; -ENAMETOOLONG if the
 * path is longer than PATH_MAX.
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
		err = rule_collect_matches(rules, &query, match);
	rules_put(rules);
	kfree(query.buf);
	return err;
}

/**
 * altconn_rule_commit() - apply the first rule of a match that decides
 * @sk: the endpoint
 * @addr: the destination that was passed to altconn_rule_find()
 * @match: the match of altconn_rule_find(), not NULL
 * @ruling: set to ALTCONN_NO_RULE by the caller; gets the ruling
 *
 * Goes through the matching rules in the order of the table, and counts a match
 * of each, until "every", "probability" and "times" of one let it decide. The
 * counters are atomic, so concurrent attempts together get exactly as many
 * decisions as "times" allows. A rule costs a few instructions, because its
 * conditions are not checked again.
 *
 * Context: process; the caller may hold altconn_lock().
 * Return: 0, 1, -EPERM, -EACCES, -ECONNREFUSED, -ENETUNREACH or -EHOSTUNREACH,
 * with the meanings that they have for __altconn_rule_check().
 */
int altconn_rule_commit(const struct sock *sk, const struct altconn_addr *addr,
			const struct altconn_match *match,
			struct altconn_ruling *ruling)
{
	struct altconn_rules *rules = match->rules;
	unsigned int i;

	for_each_set_bit(i, match->set, rules->n)
		if (rule_match_decides(rules->rule[i]))
			return rule_decide(rules->rule[i], sk, addr, ruling);
	return 0;
}

/**
 * __altconn_match_free() - slow path of altconn_match_free()
 * @match: the match, not NULL
 *
 * Context: process, may sleep; the caller may hold altconn_lock().
 */
void __altconn_match_free(struct altconn_match *match)
{
	rules_put(match->rules);
	kfree(match);
}

/**
 * altconn_rules_of() - get the current table, to change or dump it
 * @an: the namespace
 *
 * Context: process; the caller holds an->rules_lock.
 * Return: the table, without a reference; it is valid until the caller releases
 * an->rules_lock. NULL if there are no rules.
 */
struct altconn_rules *altconn_rules_of(struct altconn_net *an)
{
	return rcu_dereference_protected(an->rules,
					 lockdep_is_held(&an->rules_lock));
}

/*
 * Allocate a table for @n rules, with one reference. The caller sets
 * rules->rule[], with a reference to each rule.
 */
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
 * Replace the table by @rules, or by none if @rules is NULL, drop the reference
 * to the old table, and emit an event. an->rules_lock is held.
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
	altconn_event_notify_change(an, ALTCONN_EVENT_KIND_RULES_CHANGED);
	if (old)
		rules_put(old);
}

/* Find a rule by its id. @rules may be NULL. */
static struct altconn_rule *rule_find_id(const struct altconn_rules *rules,
					 u32 id)
{
	u32 i;

	for (i = 0; rules && i < rules->n; i++)
		if (rules->rule[i]->id == id)
			return rules->rule[i];
	return NULL;
}

/* Compare two rules by their order in a table, for sort(). */
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

/*
 * Return the first id after an->rules_last_id that is not in @ids. @ids is
 * sorted and has @n elements.
 */
static u32 rule_new_id(struct altconn_net *an, const u32 *ids, u32 n)
{
	do {
		/* No rule has the id 0. */
		if (!++an->rules_last_id)
			an->rules_last_id = 1;
	} while (bsearch(&an->rules_last_id, ids, n, sizeof(*ids),
			 rule_compare_ids));
	return an->rules_last_id;
}

/*
 * Choose an id for each rule without one. Return 0; -EEXIST if two rules have
 * the same id; or -ENOMEM.
 */
static int rule_assign_ids(struct altconn_net *an, struct altconn_rules *rules)
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
	/*
	 * Continue after the greatest id, so that no rule gets the id of a
	 * deleted one before the ids wrap around.
	 */
	if (n && !err)
		an->rules_last_id = max(an->rules_last_id, ids[n - 1]);
	for (i = 0; i < rules->n && !err; i++)
		if (!rules->rule[i]->id)
			rules->rule[i]->id = rule_new_id(an, ids, n);
	kvfree(ids);
	return err;
}

/**
 * altconn_rules_check_limit() - check a number of rules against the limit
 * @an: the namespace
 * @n: number of rules
 * @extack: gets the error message
 *
 * The limit is lower if the initial user namespace does not own the network
 * namespace: any user can own such a namespace, and rules cost memory and time.
 *
 * Context: any.
 * Return: 0; -ENOSPC if @n is above the limit.
 */
int altconn_rules_check_limit(const struct altconn_net *an, u32 n,
			      struct netlink_ext_ack *extack)
{
	if (an->net->user_ns == &init_user_ns) {
		if (n <= ALTCONN_RULES_MAX)
			return 0;
		NL_SET_ERR_MSG(extack, "too many rules: the limit is 4096");
	} else {
		if (n <= ALTCONN_RULES_MAX_USER)
			return 0;
		NL_SET_ERR_MSG(extack, "too many rules: the limit in a user namespace is 256");
	}
	return -ENOSPC;
}

/* Check the total length of the patterns. Return 0 or -ENOSPC. */
static int rules_check_patterns(const struct altconn_rules *rules,
				struct netlink_ext_ack *extack)
{
	u32 bytes = 0, i;

	for (i = 0; i < rules->n; i++)
		bytes += rules->rule[i]->pattern_len;
	if (bytes <= ALTCONN_PATTERNS_MAX)
		return 0;
	NL_SET_ERR_MSG(extack,
		       "the patterns are too long: the limit of all is 65536 bytes");
	return -ENOSPC;
}

/**
 * altconn_rules_add() - add rules, or replace all rules
 * @an: the namespace
 * @add: the new rules; on success the table takes over the references of the
 *	caller
 * @n: number of rules in @add; if it is 0 and @instead is set, the table
 *	becomes empty
 * @instead: the new rules replace all existing ones, in one step
 * @extack: gets the error message
 *
 * A new rule without an id gets one.
 *
 * Context: process, may sleep; the caller holds an->rules_lock.
 * Return: 0; -ENOSPC if there would be too many rules, or too many bytes of
 * patterns; -EEXIST if two rules would have the same id; -ENOMEM. On failure
 * the table is unchanged and the caller keeps its references.
 */
int altconn_rules_add(struct altconn_net *an, struct altconn_rule **add,
		      u32 n, bool instead, struct netlink_ext_ack *extack)
{
	struct altconn_rules *old = altconn_rules_of(an), *rules;
	u32 kept = old && !instead ? old->n : 0, i;
	int err;

	err = altconn_rules_check_limit(an, n + kept, extack);
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
	err = rules_check_patterns(rules, extack) ? :
	      rule_assign_ids(an, rules);
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
 * @id: id of the rule
 *
 * Context: process, may sleep; the caller holds an->rules_lock.
 * Return: 0; -ENOENT if no rule has the id; -ENOMEM.
 */
int altconn_rules_del(struct altconn_net *an, u32 id)
{
	struct altconn_rules *old = altconn_rules_of(an), *rules = NULL;
	struct altconn_rule *rule = rule_find_id(old, id);
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

static void rule_zero_counters(struct altconn_rule *rule)
{
	atomic_set(&rule->left, rule->times);
	atomic_set(&rule->matched, 0);
	atomic64_set(&rule->hits, 0);
	WRITE_ONCE(rule->last_hit, 0);
}

/**
 * altconn_rules_zero() - reset the counters of one rule or of all rules
 * @an: the namespace
 * @id: id of the rule, or 0 for all rules
 *
 * A rule with "times" may then decide that many times again.
 *
 * Context: process; the caller holds an->rules_lock.
 * Return: 0; -ENOENT if no rule has the id.
 */
int altconn_rules_zero(struct altconn_net *an, u32 id)
{
	struct altconn_rules *rules = altconn_rules_of(an);
	u32 i;

	if (id && !rule_find_id(rules, id))
		return -ENOENT;
	for (i = 0; rules && i < rules->n; i++)
		if (!id || rules->rule[i]->id == id)
			rule_zero_counters(rules->rule[i]);
	return 0;
}

/**
 * altconn_rules_init() - initialize a namespace without rules
 * @an: the namespace, zeroed
 *
 * Context: process.
 */
void altconn_rules_init(struct altconn_net *an)
{
	mutex_init(&an->rules_lock);
}

/**
 * altconn_rules_exit() - free the rules of a namespace
 * @an: the namespace, which ends and has no sockets
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
