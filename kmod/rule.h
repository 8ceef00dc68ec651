/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: the table of rules (rule.c), which netlink requests read and change
 * (nl_rule.c).
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
 * Maximum number of rules: in a network namespace that the initial user
 * namespace owns, and in one that another user namespace owns.
 */
#define ALTCONN_RULES_MAX		4096
#define ALTCONN_RULES_MAX_USER		256

/* Maximum number of bytes of all patterns in one network namespace. */
#define ALTCONN_PATTERNS_MAX		65536
#define ALTCONN_RULE_PRIORITY		1000
#define ALTCONN_PROBABILITY_ONE		1000000U

/**
 * struct altconn_rule - a rule: conditions and a verdict
 * @refs: see below
 * @id: unique in the network namespace
 * @priority: rules with a lower priority value are checked first
 * @given: bit n is set if attribute n (ALTCONN_A_RULE_*) was given; the field
 *	of an attribute that was not given has no meaning
 * @type: socket type to match, SOCK_*
 * @kind: address kind of the destination to match
 * @node: node id of the destination to match
 * @port_min: lowest port of the destination to match
 * @port_max: highest port of the destination to match
 * @ip: IP prefix of the destination to match, IPv4 as v4-mapped
 * @prefix_len: length of the prefix in @ip, bits
 * @uid: effective user id of the caller to match
 * @gid: effective group id of the caller to match
 * @verdict: enum altconn_verdict
 * @delay_ms: delay, milliseconds
 * @jitter_ms: upper bound of a random addition to the delay, milliseconds
 * @times: maximum number of decisions
 * @every: the rule decides on every Nth match only
 * @probability: probability that the rule decides on a match, millionths
 * @left: decisions that remain of @times
 * @matched: matches since the rule was added or its counters were zeroed;
 *	counted with @every only
 * @hits: number of decisions
 * @last_hit: time of the last decision, ns (ktime); 0 if there was none
 * @glob: compiled @pattern, or NULL if there is no pattern
 * @pattern_len: length of @pattern, bytes
 * @pattern: pattern for names and paths, in the syntax of kmod/glob.c
 *
 * Lifetime: the creator holds one reference, and each struct altconn_rules that
 * lists the rule holds one. altconn_rule_put() of the last reference frees the
 * rule. Readers reach the rule through a table only, and hold a reference to
 * the table. The fields of a rule in a table do not change, except for its
 * counters (left, matched, hits, last_hit).
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
 * struct altconn_rules - all rules of a network namespace
 * @rcu: frees the table
 * @refs: see below
 * @n: number of rules, at least 1
 * @paths: whether a rule matches paths with a pattern
 * @rule: the rules, sorted by priority and then by id; a reference to each
 *
 * Lifetime: an->rules holds one reference, which is dropped when the table is
 * replaced as a whole, under an->rules_lock. Each thread that matches rules
 * holds one, and each struct altconn_match holds one. A thread takes its
 * reference under RCU, unless the count has dropped to zero. When the last
 * reference is dropped, the references to the rules are dropped too, and the
 * table is freed an RCU grace period later.
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
 * @rules: the table that the rules are in, a reference
 * @set: bit i is set if rule i of @rules matches; rules behind the first match
 *	that decides unconditionally are not checked
 *
 * Lifetime: connect() owns the match and frees it with altconn_match_free().
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
 * altconn_rule_reason() - map an error of the rule check to a reason
 * @ruling: the ruling that __altconn_rule_check() wrote, or ALTCONN_NO_RULE
 *	after __altconn_rule_find()
 * @err: the negative errno that the function returned
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
 * Return: true if there are rules, else false. The result may change at once.
 */
static inline bool altconn_rules_exist(const struct sock *sk)
{
	return rcu_access_pointer(altconn_pernet(sock_net(sk))->rules);
}

/**
 * altconn_rule_check() - match the rules, if any, and take the verdict
 * @sk: the endpoint
 * @addr: the destination, after altconn_node_route()
 * @path: the socket file of a path destination, resolved; read for paths only
 * @ruling: ALTCONN_NO_RULE; gets the decision
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0 if there are no rules; else the codes of __altconn_rule_check().
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
 * altconn_rule_find() - find the rules, if any, that match an attempt
 * @sk: the endpoint
 * @addr: the destination, after altconn_node_route()
 * @path: the socket file of a path destination, resolved; read for paths only
 * @match: points to NULL; gets the matching rules, if there are any; the caller
 *	frees them with altconn_match_free(), on failure too
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0 if there are no rules; else the codes of __altconn_rule_find().
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
 * altconn_match_free() - free the result of altconn_rule_find()
 * @match: the match, or NULL
 *
 * Context: process, may sleep; lock_sock() may be held.
 */
static inline void altconn_match_free(struct altconn_match *match)
{
	if (unlikely(match))
		__altconn_match_free(match);
}

/**
 * altconn_rule_has() - check whether an attribute of a rule was given
 * @rule: the rule
 * @attr: ALTCONN_A_RULE_*
 *
 * Context: any.
 * Return: true if the attribute was given, else false.
 */
static inline bool altconn_rule_has(const struct altconn_rule *rule,
				    unsigned int attr)
{
	return rule->given & BIT(attr);
}

#endif /* _ALTCONN_RULE_H */
