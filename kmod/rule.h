/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: the table (rule.c), and its face to netlink (nl_rule.c).
 */
#ifndef _ALTCONN_RULE_H
#define _ALTCONN_RULE_H

#include "altconn.h"
#include "netns.h"
#include "ruling.h"

struct altconn_addr;
struct altconn_glob;
struct netlink_ext_ack;

#define _ALTCONN_RULE_H

/* Rules of one namespace: of the initial user namespace, and of any other. */
#define ALTCONN_RULES_MAX		4096
#define ALTCONN_RULES_MAX_USER		256

/* Bytes of all patterns of one namespace. */
#define ALTCONN_PATTERNS_MAX		65536
#define ALTCONN_RULE_PRIORITY		1000
#define ALTCONN_PROBABILITY_ONE		1000000U

/**
 * struct altconn_rule - what is done with some attempts and datagrams
 * @refs: see below
 * @id: in its namespace
 * @priority: lower ones are asked first
 * @given: bit n: attribute n of the rule set was given, and its field counts
 * @type: SOCK_*
 * @kind: of the destination
 * @node: its node
 * @port_min: its port
 * @port_max: likewise
 * @ip: its IP address, IPv4 as v4-mapped
 * @prefix_len: so many bits of that
 * @uid: effective, of the caller
 * @gid: likewise
 * @verdict: enum altconn_verdict
 * @delay_ms: milliseconds
 * @jitter_ms: likewise
 * @times: decides so often
 * @every: at every so manieth match
 * @probability: in millionths
 * @left: of @times
 * @matched: since it counts
 * @hits: how often it decided
 * @last_hit: when, ns; 0: never
 * @glob: @pattern, compiled, or NULL without a pattern
 * @pattern_len: bytes
 * @pattern: of names and paths, kmod/glob.c
 *
 * Lifetime: the creator holds one reference, and each struct altconn_rules that
 * lists the rule holds one. The last one frees it: altconn_rule_put(). Readers
 * reach it through a table only, and keep the table.
 * But for its counters it never changes.
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
 * struct altconn_rules - all rules of a namespace
 * @rcu: frees it
 * @refs: see below
 * @n: how many, at least 1
 * @paths: some match paths with a pattern
 * @rule: by priority, then by id; a reference each
 *
 * Lifetime: an->rules holds one reference, which is dropped when the table is
 * replaced as a whole, under an->rules_lock. A thread that matches rules and a
 * struct altconn_match hold one each; a thread takes its own under RCU, unless the
 * last has gone. That drops the rules, and frees the table a grace period later.
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
 * @rules: the table that they are in, a reference
 * @set: bit i: rule i of @rules matches, up to the first that always decides
 *
 * Lifetime: the connect() that made it, altconn_match_free().
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
int altconn_rules_check(const struct altconn_net *an, u32 n,
			struct netlink_ext_ack *extack);
int altconn_rules_add(struct altconn_net *an, struct altconn_rule **add,
		      u32 n, bool instead, struct netlink_ext_ack *extack);
int altconn_rules_del(struct altconn_net *an, u32 id);
int altconn_rules_zero(struct altconn_net *an, u32 id);
void altconn_rules_init(struct altconn_net *an);
void altconn_rules_exit(struct altconn_net *an);

/* Why __altconn_rule_check() said @err. */
static inline u32 altconn_rule_reason(const struct altconn_ruling *ruling,
				      int err)
{
	if (ruling->rule)
		return ALTCONN_REASON_RULE;
	return err == -ENOMEM ? ALTCONN_REASON_NO_MEMORY :
				ALTCONN_REASON_PATH_LOOKUP;
}

/* Does the namespace of an endpoint have rules? */
static inline bool altconn_rules_exist(const struct sock *sk)
{
	return rcu_access_pointer(altconn_pernet(sock_net(sk))->rules);
}

/* As __altconn_rule_check(). */
static inline int altconn_rule_check(const struct sock *sk,
				     const struct altconn_addr *addr,
				     const struct path *path,
				     struct altconn_ruling *ruling)
{
	if (likely(!altconn_rules_exist(sk)))
		return 0;
	return __altconn_rule_check(sk, addr, path, ruling);
}

/* As __altconn_rule_find(). */
static inline int altconn_rule_find(const struct sock *sk,
				    const struct altconn_addr *addr,
				    const struct path *path,
				    struct altconn_match **match)
{
	if (likely(!altconn_rules_exist(sk)))
		return 0;
	return __altconn_rule_find(sk, addr, path, match);
}

/* As __altconn_match_free(), of a match or NULL. */
static inline void altconn_match_free(struct altconn_match *match)
{
	if (unlikely(match))
		__altconn_match_free(match);
}

static inline bool altconn_rule_has(const struct altconn_rule *rule,
				    unsigned int attr)
{
	return rule->given & BIT(attr);
}

#endif /* _ALTCONN_RULE_H */
