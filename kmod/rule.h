/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header declares the table of rules (rule.c), which netlink requests read
 * and change (nl_rule.c).
 */
#ifndef _ALTCONN_RULE_H
#define _ALTCONN_RULE_H

#include "altconn.h"
#include "netns.h"
#include "ruling.h"

struct altconn_addr;
struct altconn_glob;
struct netlink_ext_ack;

/*
 * Maximum numbers of rules: in a network namespace that the initial user
 * namespace owns, and in any other one.
 */
#define ALTCONN_RULES_MAX		4096
#define ALTCONN_RULES_MAX_USER		256

/* Maximum total length of the patterns in one network namespace, bytes. */
#define ALTCONN_PATTERNS_MAX		65536
/* The default priority of a rule. */
#define ALTCONN_RULE_PRIORITY		1000
/* A probability is a number of millionths. */
#define ALTCONN_PROBABILITY_ONE		1000000U

/**
 * struct altconn_rule - a rule
 * @refs: number of references, see Lifetime
 * @id: unique in the network namespace
 * @priority: the rule precedes all rules that have a greater priority value
 * @given: bit n is set if the rule has attribute n (ALTCONN_A_RULE_*); without
 *	the attribute, a condition always holds
 * @type: condition: type of the socket, SOCK_*
 * @kind: condition: kind of the destination, enum altconn_kind
 * @node: condition: node id of the destination
 * @port_min: condition: lowest port of the destination
 * @port_max: condition: highest port of the destination
 * @ip: condition: IP prefix of the destination; IPv4 is written as v4-mapped
 * @prefix_len: length of the prefix in @ip, bits
 * @uid: condition: effective user id of the caller of connect() or send()
 * @gid: condition: effective group id of that caller
 * @verdict: the decision of the rule, enum altconn_verdict
 * @delay_ms: delay of ALTCONN_VERDICT_DELAY, milliseconds
 * @jitter_ms: upper bound of a random addition to the delay, milliseconds
 * @times: the rule decides this many times at most
 * @every: the rule decides on matches number @every, 2 * @every and so on
 * @probability: probability with which the rule decides on a match, millionths
 * @left: decisions that are left of @times
 * @matched: number of matches since the rule was added or its counters were
 *	reset; only counted if the rule has @every
 * @hits: number of decisions since the rule was added or its counters were
 *	reset
 * @last_hit: time of the last one of @hits, nanoseconds (ktime), or 0
 * @glob: @pattern in compiled form, or NULL if the rule has no pattern
 * @pattern_len: length of @pattern, bytes
 * @pattern: condition: pattern for the name or the path of the destination, in
 *	the syntax of glob.c
 *
 * Lifetime: the thread that creates the rule has a reference until it adds the
 * rule to a table, and each table (struct altconn_rules) has one to each of its
 * rules. altconn_rule_put() of the last reference frees the rule. A reader of a
 * rule has a reference to a table that contains the rule. In a table, only the
 * counters of a rule change: @left, @matched, @hits and @last_hit.
 */
struct altconn_rule {
	refcount_t	refs;
	u32		id;
	u32		priority;
	u32		given;
	u32		type;
	u32		kind;
	u32		node;
	u32		port_min;
	u32		port_max;
	struct in6_addr	ip;
	u32		prefix_len;
	kuid_t		uid;
	kgid_t		gid;
	u32		verdict;
	u32		delay_ms;
	u32		jitter_ms;
	u32		times;
	u32		every;
	u32		probability;
	atomic_t	left;
	atomic_t	matched;
	atomic64_t	hits;
	u64		last_hit;
	struct altconn_glob *glob;
	u32		pattern_len;
	u8		pattern[];
};

/**
 * struct altconn_rules - a table of all rules of a network namespace
 * @rcu: frees the table
 * @refs: number of references, see Lifetime
 * @n: number of rules, at least 1
 * @paths: a rule has a pattern for paths
 * @rule: the rules in the order in which they are matched: by priority, then by
 *	id; a reference to each
 *
 * Lifetime: an->rules has a reference until a new table replaces the table,
 * under an->rules_lock. A thread that matches rules has a reference, which it
 * takes under RCU with refcount_inc_not_zero(). Each struct altconn_match has a
 * reference. When the last reference is dropped, the references to the rules
 * are dropped too, and the table is freed an RCU grace period later.
 */
struct altconn_rules {
	struct rcu_head		rcu;
	refcount_t		refs;
	u32			n;
	bool			paths;
	struct altconn_rule	*rule[];
};

/**
 * struct altconn_match - the rules that match one attempt
 * @rules: the table that the matching rules are in, a reference
 * @set: bit i is set if rule i of @rules matches. The first match that always
 *	decides (rule_is_conditional() is false) is the last one in the set
 *
 * Lifetime: the connect() that has called altconn_rule_find() frees the match
 * with altconn_match_free().
 */
struct altconn_match {
	struct altconn_rules	*rules;
	unsigned long		set[];
};

void altconn_rule_put(struct altconn_rule *rule);
int __altconn_rule_check(const struct sock *sk,
			 const struct altconn_addr *addr,
			 const struct path *path,
			 struct altconn_ruling *ruling);
int __altconn_rule_find(const struct sock *sk, const struct altconn_addr *addr,
			const struct path *path, struct altconn_match **match);
int altconn_rule_commit(const struct sock *sk, const struct altconn_addr *addr,
			const struct altconn_match *match,
			struct altconn_ruling *ruling);
void __altconn_match_free(struct altconn_match *match);
struct altconn_rules *altconn_rules_of(struct altconn_net *an);
int altconn_rules_check_limit(const struct altconn_net *an, u32 n,
			      struct netlink_ext_ack *extack);
int altconn_rules_add(struct altconn_net *an, struct altconn_rule **add,
		      u32 n, bool instead, struct netlink_ext_ack *extack);
int altconn_rules_del(struct altconn_net *an, u32 id);
int altconn_rules_zero(struct altconn_net *an, u32 id);
void altconn_rules_init(struct altconn_net *an);
void altconn_rules_exit(struct altconn_net *an);

/**
 * altconn_rule_reason() - get the reason of an error of the rule check
 * @ruling: the ruling that altconn_rule_check() has written; or ALTCONN_NO_RULE
 *	after altconn_rule_find(), which makes no ruling
 * @err: the negative errno that this function returned
 *
 * Context: any.
 * Return: ALTCONN_REASON_RULE if a rule decided, ALTCONN_REASON_NO_MEMORY for
 * -ENOMEM, else ALTCONN_REASON_PATH_LOOKUP.
 */
static inline u32 altconn_rule_reason(const struct altconn_ruling *ruling,
				      int err)
{
	if (ruling->rule)
		return ALTCONN_REASON_RULE;
	return err == -ENOMEM ? ALTCONN_REASON_NO_MEMORY :
				ALTCONN_REASON_PATH_LOOKUP;
}

/**
 * altconn_rules_exist() - check whether an endpoint's namespace has rules
 * @sk: the endpoint
 *
 * Context: any.
 * Return: true if there are rules, else false. Another thread may change this
 * at any time.
 */
static inline bool altconn_rules_exist(const struct sock *sk)
{
	return rcu_access_pointer(altconn_pernet(sock_net(sk))->rules);
}

/**
 * altconn_rule_check() - match the rules, and apply the first that decides
 * @sk: the endpoint
 * @addr: the destination, as altconn_node_route() has updated it
 * @path: the socket file, if the destination is a path; else not read
 * @ruling: set to ALTCONN_NO_RULE by the caller; gets the ruling
 *
 * Context: process, may sleep; the caller does not hold altconn_lock().
 * Return: see __altconn_rule_check(); 0 if the namespace has no rules.
 */
static inline int altconn_rule_check(const struct sock *sk,
				     const struct altconn_addr *addr,
				     const struct path *path,
				     struct altconn_ruling *ruling)
{
	if (likely(!altconn_rules_exist(sk)))
		return 0;
	return __altconn_rule_check(sk, addr, path, ruling);
}

/**
 * altconn_rule_find() - find the rules that match an attempt
 * @sk: the endpoint
 * @addr: the destination, as altconn_node_route() has updated it
 * @path: the socket file, if the destination is a path; else not read
 * @match: set to NULL by the caller; gets the match if any rule matches. The
 *	caller frees the match with altconn_match_free(), on failure too
 *
 * Context: process, may sleep; the caller does not hold altconn_lock().
 * Return: see __altconn_rule_find(); 0 if the namespace has no rules.
 */
static inline int altconn_rule_find(const struct sock *sk,
				    const struct altconn_addr *addr,
				    const struct path *path,
				    struct altconn_match **match)
{
	if (likely(!altconn_rules_exist(sk)))
		return 0;
	return __altconn_rule_find(sk, addr, path, match);
}

/**
 * altconn_match_free() - free the match of altconn_rule_find()
 * @match: the match, or NULL
 *
 * Context: process, may sleep; the caller may hold altconn_lock().
 */
static inline void altconn_match_free(struct altconn_match *match)
{
	if (unlikely(match))
		__altconn_match_free(match);
}

/**
 * altconn_rule_has() - check whether a rule has an attribute
 * @rule: the rule
 * @attr: ALTCONN_A_RULE_*
 *
 * Context: any.
 * Return: true if the rule has the attribute, else false.
 */
static inline bool altconn_rule_has(const struct altconn_rule *rule,
				    unsigned int attr)
{
	return rule->given & BIT(attr);
}

#endif /* _ALTCONN_RULE_H */
