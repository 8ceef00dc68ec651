/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: the table (rule.c), and its face to netlink (rule_netlink.c).
 */
#ifndef _ALTCONN_RULE_H
#define _ALTCONN_RULE_H

#include "altconn.h"

#define ALTCONN_RULES_MAX		4096
#define TOO_MANY			"too many rules: 4096 are the most"
#define ALTCONN_RULE_PRIORITY		1000
#define ALTCONN_PROBABILITY_ONE		1000000U

/**
 * struct altconn_rule - what is done with some attempts and datagrams
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
 * @pattern_len: bytes
 * @pattern: of names and paths, kmod/glob.c
 *
 * Lifetime: owned by the struct altconn_rules that lists it and by its
 * successors; who leaves it out of the next one frees it when nobody reads the old
 * one any more.
 * But for its counters it never changes.
 */
struct altconn_rule {
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
	u32		pattern_len;
	u8		pattern[];
};

/**
 * struct altconn_rules - all rules of a namespace
 * @rcu: frees it
 * @all: and its rules
 * @gone: or this one
 * @n: how many, at least 1
 * @paths: some match paths with a pattern
 * @rule: by priority, then by id
 *
 * Lifetime: an->rules; replaced as a whole under an->rules_lock, and freed when
 * nobody reads it any more (SRCU).
 */
struct altconn_rules {
	struct rcu_head		rcu;
	bool			all;
	struct altconn_rule	*gone;
	u32			n;
	bool			paths;
	struct altconn_rule	*rule[];
};

static inline bool altconn_rule_has(const struct altconn_rule *rule,
				    unsigned int attr)
{
	return rule->given & BIT(attr);
}

struct altconn_rules *altconn_rules_of(struct altconn_net *an);
int altconn_rules_add(struct altconn_net *an, struct altconn_rule **add,
		      u32 n, bool instead, struct netlink_ext_ack *extack);
int altconn_rules_del(struct altconn_net *an, u32 id);
int altconn_rules_zero(struct altconn_net *an, u32 id);

/* glob.c */
bool altconn_glob_is_whole(const u8 *pattern, size_t len);
bool altconn_glob(const u8 *pattern, size_t pattern_len, const u8 *text,
		  size_t text_len);

#endif /* _ALTCONN_RULE_H */
