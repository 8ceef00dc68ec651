// SPDX-License-Identifier: GPL-2.0
/*
 * This file serves the generic netlink requests about rules. A request is
 * carried out as a whole or not at all.
 */

#include <linux/slab.h>
#include <net/genetlink.h>
#include "glob.h"
#include "netlink_gen.h"
#include "netns.h"
#include "nl.h"
#include "nl_rule.h"
#include "rule.h"

static struct altconn_net *nl_rule_net_of(struct genl_info *info)
{
	return altconn_pernet(genl_info_net(info));
}

/*
 * The longest delay, and the longest jitter, of a rule: one day, in
 * milliseconds.
 */
#define NL_RULE_DELAY_MAX	86400000

#define NL_RULE_KIND_BIT(kind)	BIT(ALTCONN_KIND_##kind)

/*
 * A rule with attribute @attr must have attribute @needs too, and a destination
 * kind in @kinds (a set of NL_RULE_KIND_BIT(); 0 means any kind). @wrong is the
 * error message.
 */
static const struct {
	u8		attr;
	u8		needs;
	u8		kinds;
	const char	*wrong;
} nl_rule_deps[] = {
	{ ALTCONN_A_RULE_NODE, ALTCONN_A_RULE_KIND,
	  NL_RULE_KIND_BIT(PORT) | NL_RULE_KIND_BIT(NAME), "'node' is for ports and names only" },
	{ ALTCONN_A_RULE_PORT_MIN, ALTCONN_A_RULE_PORT_MAX,
	  NL_RULE_KIND_BIT(PORT) | NL_RULE_KIND_BIT(INET),
	  "'port-min' needs 'port-max', and is for ports and inet addresses only" },
	{ ALTCONN_A_RULE_PORT_MAX, ALTCONN_A_RULE_PORT_MIN,
	  NL_RULE_KIND_BIT(PORT) | NL_RULE_KIND_BIT(INET),
	  "'port-max' needs 'port-min', and is for ports and inet addresses only" },
	{ ALTCONN_A_RULE_IP, ALTCONN_A_RULE_KIND, NL_RULE_KIND_BIT(INET),
	  "'ip' is for inet addresses only" },
	{ ALTCONN_A_RULE_PREFIX_LEN, ALTCONN_A_RULE_IP, NL_RULE_KIND_BIT(INET),
	  "'prefix-len' needs 'ip', and is for inet addresses only" },
	{ ALTCONN_A_RULE_PATTERN, ALTCONN_A_RULE_KIND,
	  NL_RULE_KIND_BIT(NAME) | NL_RULE_KIND_BIT(PATH),
	  "'pattern' is for names and paths only" },
	{ ALTCONN_A_RULE_JITTER_MS, ALTCONN_A_RULE_DELAY_MS, 0,
	  "'jitter-ms' needs 'delay-ms'" },
};

/* Set the wrong attribute and the error message. Return -EINVAL. */
static int nl_rule_refuse(struct netlink_ext_ack *extack,
			  const struct nlattr *attr, const char *wrong)
{
	NL_SET_BAD_ATTR(extack, attr);
	if (extack)
		extack->_msg = wrong;
	return -EINVAL;
}

/* Error messages for altconn_nl_check_once(). */
static const char * const nl_rule_twice[] = {
	[ALTCONN_A_RULE_ID] = "'id' occurs twice",
	[ALTCONN_A_RULE_PRIORITY] = "'priority' occurs twice",
	[ALTCONN_A_RULE_TYPE] = "'type' occurs twice",
	[ALTCONN_A_RULE_KIND] = "'kind' occurs twice",
	[ALTCONN_A_RULE_NODE] = "'node' occurs twice",
	[ALTCONN_A_RULE_PORT_MIN] = "'port-min' occurs twice",
	[ALTCONN_A_RULE_PORT_MAX] = "'port-max' occurs twice",
	[ALTCONN_A_RULE_IP] = "'ip' occurs twice",
	[ALTCONN_A_RULE_PREFIX_LEN] = "'prefix-len' occurs twice",
	[ALTCONN_A_RULE_PATTERN] = "'pattern' occurs twice",
	[ALTCONN_A_RULE_UID] = "'uid' occurs twice",
	[ALTCONN_A_RULE_GID] = "'gid' occurs twice",
	[ALTCONN_A_RULE_VERDICT] = "'verdict' occurs twice",
	[ALTCONN_A_RULE_DELAY_MS] = "'delay-ms' occurs twice",
	[ALTCONN_A_RULE_JITTER_MS] = "'jitter-ms' occurs twice",
	[ALTCONN_A_RULE_TIMES] = "'times' occurs twice",
	[ALTCONN_A_RULE_EVERY] = "'every' occurs twice",
	[ALTCONN_A_RULE_PROBABILITY] = "'probability' occurs twice",
	[ALTCONN_A_RULE_HITS] = "'hits' occurs twice",
	[ALTCONN_A_RULE_IDLE_MS] = "'idle-ms' occurs twice",
	[ALTCONN_A_RULE_LEFT] = "'left' occurs twice",
};

static const char * const nl_rule_ruleset_twice[] = {
	[ALTCONN_A_RULESET_ID] = "'id' occurs twice",
};

/* Check nl_rule_deps[]. @tb has the attributes of the rule, by type. */
static int nl_rule_check_needs(struct nlattr **tb, u32 kind,
			       struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nl_rule_deps); i++) {
		const struct nlattr *attr = tb[nl_rule_deps[i].attr];

		if (attr && (!tb[nl_rule_deps[i].needs] ||
			     (nl_rule_deps[i].kinds &&
			      !(nl_rule_deps[i].kinds & BIT(kind)))))
			return nl_rule_refuse(extack, attr,
					      nl_rule_deps[i].wrong);
	}
	return 0;
}

/*
 * Refuse the attributes that only replies have. A rule that is restored may
 * have an id.
 */
static int nl_rule_check_readonly(struct nlattr **tb, bool restores,
				  struct netlink_ext_ack *extack)
{
	if (tb[ALTCONN_A_RULE_HITS] || tb[ALTCONN_A_RULE_IDLE_MS] ||
	    tb[ALTCONN_A_RULE_LEFT])
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_HITS] ? :
				      tb[ALTCONN_A_RULE_IDLE_MS] ? :
				      tb[ALTCONN_A_RULE_LEFT],
				      "'hits', 'idle-ms' and 'left' are read-only");
	if (tb[ALTCONN_A_RULE_ID] && !restores)
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_ID],
				      "'id' is chosen by the module");
	return 0;
}

/* Return the value of an attribute, or 0 if the rule does not have it. */
static u32 nl_rule_get(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_u32(tb[attr]) : 0;
}

/* Check the limits that netlink policies cannot express, and the verdict. */
static int nl_rule_check_values(struct nlattr **tb, u32 kind,
				struct netlink_ext_ack *extack)
{
	u32 max = kind == ALTCONN_KIND_INET ? U16_MAX : U32_MAX;
	const struct nlattr *pattern = tb[ALTCONN_A_RULE_PATTERN];

	if (tb[ALTCONN_A_RULE_KIND] && kind == ALTCONN_KIND_NONE)
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_KIND],
				      "'kind' is not a kind of destination");
	if (nl_rule_get(tb, ALTCONN_A_RULE_PORT_MAX) > max ||
	    nl_rule_get(tb, ALTCONN_A_RULE_PORT_MAX) <
		    nl_rule_get(tb, ALTCONN_A_RULE_PORT_MIN))
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_PORT_MAX],
				      "'port-max' is below 'port-min' or out of range");
	if (nl_rule_get(tb, ALTCONN_A_RULE_DELAY_MS) > NL_RULE_DELAY_MAX)
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_DELAY_MS],
				      "'delay-ms' is over a day");
	if (nl_rule_get(tb, ALTCONN_A_RULE_JITTER_MS) > NL_RULE_DELAY_MAX)
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_JITTER_MS],
				      "'jitter-ms' is over a day");
	if (nl_rule_get(tb, ALTCONN_A_RULE_PROBABILITY) >
	    ALTCONN_PROBABILITY_ONE)
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_PROBABILITY],
				      "'probability' is over a million");
	if (pattern && (!nla_len(pattern) || nla_len(pattern) > U8_MAX))
		return nl_rule_refuse(extack, pattern,
				      "'pattern' must have 1 to 255 bytes");
	if (pattern && !altconn_glob_is_whole(nla_data(pattern),
					      nla_len(pattern)))
		return nl_rule_refuse(extack, pattern,
				      "'pattern' has an incomplete set or backslash");
	if (!tb[ALTCONN_A_RULE_VERDICT]) {
		NL_SET_ERR_MSG(extack, "the 'verdict' is missing");
		return -EINVAL;
	}
	if ((nl_rule_get(tb, ALTCONN_A_RULE_VERDICT) ==
	     ALTCONN_VERDICT_DELAY) != !!tb[ALTCONN_A_RULE_DELAY_MS])
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_VERDICT],
				      "'verdict' delay needs 'delay-ms', and no other verdict has it");
	return 0;
}

/*
 * Set the user id and the group id, which the sender has given as ids of its
 * own user namespace.
 */
static int nl_rule_set_ids(struct altconn_rule *rule, struct nlattr **tb,
			   struct netlink_ext_ack *extack)
{
	rule->uid = make_kuid(current_user_ns(),
			      nl_rule_get(tb, ALTCONN_A_RULE_UID));
	rule->gid = make_kgid(current_user_ns(),
			      nl_rule_get(tb, ALTCONN_A_RULE_GID));
	if (tb[ALTCONN_A_RULE_UID] && !uid_valid(rule->uid))
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_UID],
				      "'uid' is not in this user namespace");
	if (tb[ALTCONN_A_RULE_GID] && !gid_valid(rule->gid))
		return nl_rule_refuse(extack, tb[ALTCONN_A_RULE_GID],
				      "'gid' is not in this user namespace");
	return 0;
}

/* Set the fields of a rule that need no check and no memory. */
static void nl_rule_set_fields(struct altconn_rule *rule, struct nlattr **tb)
{
	unsigned int i;

	for (i = 1; i <= ALTCONN_A_RULE_MAX; i++)
		if (tb[i])
			rule->given |= BIT(i);
	rule->id = nl_rule_get(tb, ALTCONN_A_RULE_ID);
	rule->priority = tb[ALTCONN_A_RULE_PRIORITY] ?
				 nl_rule_get(tb, ALTCONN_A_RULE_PRIORITY) :
				 ALTCONN_RULE_PRIORITY;
	rule->type = altconn_nl_sock_type(nl_rule_get(tb, ALTCONN_A_RULE_TYPE));
	rule->kind = nl_rule_get(tb, ALTCONN_A_RULE_KIND);
	rule->node = nl_rule_get(tb, ALTCONN_A_RULE_NODE);
	rule->port_min = nl_rule_get(tb, ALTCONN_A_RULE_PORT_MIN);
	rule->port_max = nl_rule_get(tb, ALTCONN_A_RULE_PORT_MAX);
	if (tb[ALTCONN_A_RULE_IP])
		nla_memcpy(&rule->ip, tb[ALTCONN_A_RULE_IP], sizeof(rule->ip));
	rule->prefix_len = tb[ALTCONN_A_RULE_PREFIX_LEN] ?
		nl_rule_get(tb, ALTCONN_A_RULE_PREFIX_LEN) : 128;
	rule->verdict = nl_rule_get(tb, ALTCONN_A_RULE_VERDICT);
	rule->delay_ms = nl_rule_get(tb, ALTCONN_A_RULE_DELAY_MS);
	rule->jitter_ms = nl_rule_get(tb, ALTCONN_A_RULE_JITTER_MS);
	rule->times = nl_rule_get(tb, ALTCONN_A_RULE_TIMES);
	rule->every = nl_rule_get(tb, ALTCONN_A_RULE_EVERY);
	rule->probability = nl_rule_get(tb, ALTCONN_A_RULE_PROBABILITY);
	atomic_set(&rule->left, rule->times);
}

static int nl_rule_set_pattern(struct altconn_rule *rule,
			       const struct nlattr *pattern)
{
	if (!pattern)
		return 0;
	rule->pattern_len = nla_len(pattern);
	nla_memcpy(rule->pattern, pattern, rule->pattern_len);
	rule->glob = altconn_glob_compile(rule->pattern, rule->pattern_len);
	return rule->glob ? 0 : -ENOMEM;
}

/*
 * Make a rule from its nest. The rule may have an id if @restores is set.
 * Return the rule with a reference, or an ERR_PTR.
 */
static struct altconn_rule *nl_rule_read(const struct nlattr *nest,
					 bool restores,
					 struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ALTCONN_A_RULE_MAX + 1], *pattern;
	struct altconn_rule *rule;
	u32 len, kind;
	int err;

	err = nla_parse_nested(tb, ALTCONN_A_RULE_MAX, nest,
			       altconn_rule_nl_policy, extack);
	if (err)
		return ERR_PTR(err);
	kind = nl_rule_get(tb, ALTCONN_A_RULE_KIND);
	err = altconn_nl_check_once(nla_data(nest), nla_len(nest),
				    nl_rule_twice, ARRAY_SIZE(nl_rule_twice),
				    extack) ? :
	      nl_rule_check_readonly(tb, restores, extack) ? :
	      nl_rule_check_needs(tb, kind, extack) ? :
	      nl_rule_check_values(tb, kind, extack);
	if (err)
		return ERR_PTR(err);

	pattern = tb[ALTCONN_A_RULE_PATTERN];
	len = pattern ? nla_len(pattern) : 0;
	rule = kzalloc(struct_size(rule, pattern, len), GFP_KERNEL_ACCOUNT);
	if (!rule)
		return ERR_PTR(-ENOMEM);
	refcount_set(&rule->refs, 1);
	nl_rule_set_fields(rule, tb);
	err = nl_rule_set_ids(rule, tb, extack) ? :
	      nl_rule_set_pattern(rule, pattern);
	if (!err)
		return rule;
	altconn_rule_put(rule);
	return ERR_PTR(err);
}

/* The rules of a request, with a reference to each of the first @n. */
struct nl_rule_list {
	struct altconn_rule	**rule;
	u32			n;
};

static void nl_rule_free_list(struct nl_rule_list *list)
{
	while (list->n)
		altconn_rule_put(list->rule[--list->n]);
	kvfree(list->rule);
}

/*
 * Read all rules of a request into @list. On success the caller frees @list
 * with nl_rule_free_list(); on failure nothing is left to free.
 */
static int nl_rule_read_list(struct genl_info *info, bool restores,
			     struct nl_rule_list *list)
{
	struct altconn_rule *rule;
	const struct nlattr *attr;
	u32 n = 0;
	int rem, err;

	list->n = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		n++;
	err = altconn_rules_check_limit(nl_rule_net_of(info), n, info->extack);
	if (err)
		return err;
	list->rule = kvmalloc_array(n, sizeof(*list->rule), GFP_KERNEL_ACCOUNT);
	if (n && !list->rule)
		return -ENOMEM;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		cond_resched();
		rule = nl_rule_read(attr, restores, info->extack);
		if (IS_ERR(rule)) {
			nl_rule_free_list(list);
			return PTR_ERR(rule);
		}
		list->rule[list->n++] = rule;
	}
	return 0;
}

/*
 * Add the rules of @list to the table, or replace the table by them if @instead
 * is set. On success the table takes over the references, @list is empty, and
 * *@id is the id of the first rule of the request. @id may be NULL.
 */
static int nl_rule_apply_list(struct genl_info *info, struct nl_rule_list *list,
			      bool instead, u32 *id)
{
	struct altconn_net *an = nl_rule_net_of(info);
	int err;

	mutex_lock(&an->rules_lock);
	err = altconn_rules_add(an, list->rule, list->n, instead,
				info->extack);
	if (!err && id)
		*id = list->rule[0]->id;
	mutex_unlock(&an->rules_lock);
	if (!err)
		list->n = 0;
	return err;
}

/*
 * Allocate the reply. This is done before the rules are added, so that a failed
 * allocation leaves the table unchanged.
 */
static struct sk_buff *nl_rule_reply_new(struct genl_info *info, void **hdr)
{
	struct sk_buff *reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!reply)
		return NULL;
	*hdr = genlmsg_put_reply(reply, info, &altconn_nl_family, 0,
				 ALTCONN_CMD_RULE_ADD);
	return reply;
}

/*
 * Reply with the id of the first new rule. The rules have been added, so an
 * error of the reply is ignored.
 */
static void nl_rule_reply_id(struct sk_buff *reply, struct genl_info *info,
			     void *hdr, u32 id)
{
	if (WARN_ON_ONCE(!hdr ||
			 nla_put_u32(reply, ALTCONN_A_RULESET_ID, id))) {
		nlmsg_free(reply);
		return;
	}
	genlmsg_end(reply, hdr);
	genlmsg_reply(reply, info);
}

/**
 * altconn_nl_rule_add_doit() - add rules to the namespace's table
 * @skb: the request
 * @info: the request
 *
 * The reply has the id of the first rule of the request.
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if there is no
 * rule, or a rule is wrong; -ENOSPC if there would be too many rules, or too
 * many bytes of patterns; -ENOMEM. On failure the table is unchanged.
 */
int altconn_nl_rule_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nl_rule_list list;
	struct sk_buff *reply;
	void *hdr;
	u32 id;
	int err;

	err = altconn_nl_check_admin(skb, info) ? :
	      nl_rule_read_list(info, false, &list);
	if (err)
		return err;
	err = -EINVAL;
	if (!list.n) {
		NL_SET_ERR_MSG(info->extack, "the 'rule' is missing");
		goto out;
	}
	err = -ENOMEM;
	reply = nl_rule_reply_new(info, &hdr);
	if (!reply)
		goto out;
	err = nl_rule_apply_list(info, &list, false, &id);
	if (err)
		nlmsg_free(reply);
	else
		nl_rule_reply_id(reply, info, hdr, id);
out:
	nl_rule_free_list(&list);
	return err;
}

/**
 * altconn_nl_rule_restore_doit() - replace all rules of the namespace
 * @skb: the request; its rules may have ids; without rules, the table becomes
 *	empty
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if a rule is
 * wrong; -EEXIST if two rules have the same id; -ENOSPC if there are too many
 * rules, or too many bytes of patterns; -ENOMEM. On failure the table is
 * unchanged.
 */
int altconn_nl_rule_restore_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nl_rule_list list;
	int err;

	err = altconn_nl_check_admin(skb, info) ? :
	      nl_rule_read_list(info, true, &list);
	if (err)
		return err;
	err = nl_rule_apply_list(info, &list, true, NULL);
	nl_rule_free_list(&list);
	return err;
}

/*
 * Read the id of a rule, or set @id to 0 if the request has none. Return
 * -EINVAL if the request has two.
 */
static int nl_rule_read_id(struct genl_info *info, u32 *id)
{
	const struct nlattr *attr = info->attrs[ALTCONN_A_RULESET_ID];

	*id = attr ? nla_get_u32(attr) : 0;
	return altconn_nl_check_request(info, nl_rule_ruleset_twice,
					ARRAY_SIZE(nl_rule_ruleset_twice));
}

/* Set the error message for -ENOENT, and return @err. */
static int nl_rule_explain(struct genl_info *info, int err)
{
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "no rule has this 'id'");
	return err;
}

/**
 * altconn_nl_rule_del_doit() - delete a rule
 * @skb: the request
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if the id is
 * missing or occurs twice; -ENOENT if no rule has the id; -ENOMEM.
 */
int altconn_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_net *an = nl_rule_net_of(info);
	u32 id;
	int err = altconn_nl_check_admin(skb, info) ? :
		  nl_rule_read_id(info, &id);

	if (err)
		return err;
	if (!id) {
		NL_SET_ERR_MSG(info->extack, "the 'id' is missing");
		return -EINVAL;
	}
	mutex_lock(&an->rules_lock);
	err = altconn_rules_del(an, id);
	mutex_unlock(&an->rules_lock);
	return nl_rule_explain(info, err);
}

/**
 * altconn_nl_rule_zero_doit() - reset the counters of a rule, or of all rules
 * @skb: the request; without an id all rules are reset
 * @info: the request
 *
 * Context: process, may sleep.
 * Return: 0; -EPERM if the sender has no CAP_NET_ADMIN; -EINVAL if the id
 * occurs twice; -ENOENT if no rule has the id.
 */
int altconn_nl_rule_zero_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct altconn_net *an = nl_rule_net_of(info);
	u32 id;
	int err = altconn_nl_check_admin(skb, info) ? :
		  nl_rule_read_id(info, &id);

	if (err)
		return err;
	mutex_lock(&an->rules_lock);
	err = altconn_rules_zero(an, id);
	mutex_unlock(&an->rules_lock);
	return nl_rule_explain(info, err);
}

/* Put an attribute if the rule has it. */
static int nl_rule_put_if(struct sk_buff *skb, const struct altconn_rule *rule,
			  int attr, u32 value)
{
	return altconn_rule_has(rule, attr) ? nla_put_u32(skb, attr, value) : 0;
}

/* Put the socket type and the destination that the rule matches. */
static int nl_rule_put_dest(struct sk_buff *skb,
			    const struct altconn_rule *rule)
{
	if (nl_rule_put_if(skb, rule, ALTCONN_A_RULE_TYPE,
			   altconn_nl_type(rule->type)) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_KIND, rule->kind) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_NODE, rule->node) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_PORT_MIN,
			   rule->port_min) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_PORT_MAX,
			   rule->port_max) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_PREFIX_LEN,
			   rule->prefix_len))
		return -EMSGSIZE;
	if (altconn_rule_has(rule, ALTCONN_A_RULE_IP) &&
	    nla_put(skb, ALTCONN_A_RULE_IP, sizeof(rule->ip), &rule->ip))
		return -EMSGSIZE;
	return rule->pattern_len ?
		nla_put(skb, ALTCONN_A_RULE_PATTERN, rule->pattern_len,
			rule->pattern) : 0;
}

/* Put the user and the group that the rule matches, and the verdict. */
static int nl_rule_put_verdict(struct sk_buff *skb,
			       const struct altconn_rule *rule)
{
	struct user_namespace *ns = current_user_ns();

	/*
	 * An id without a mapping in the reader's user namespace becomes
	 * 4294967295, which no user and no group has.
	 */
	if (nl_rule_put_if(skb, rule, ALTCONN_A_RULE_UID,
			   from_kuid(ns, rule->uid)) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_GID,
			   from_kgid(ns, rule->gid)) ||
	    nla_put_u32(skb, ALTCONN_A_RULE_VERDICT, rule->verdict) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_DELAY_MS,
			   rule->delay_ms) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_JITTER_MS,
			   rule->jitter_ms) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_TIMES, rule->times) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_EVERY, rule->every) ||
	    nl_rule_put_if(skb, rule, ALTCONN_A_RULE_PROBABILITY,
			   rule->probability))
		return -EMSGSIZE;
	return 0;
}

/*
 * Put the number of decisions, the time since the last one, and the number that
 * is left of "times".
 */
static int nl_rule_put_counters(struct sk_buff *skb,
				const struct altconn_rule *rule)
{
	u64 last = READ_ONCE(rule->last_hit), now = ktime_get_ns();

	if (nla_put_u64_64bit(skb, ALTCONN_A_RULE_HITS,
			      atomic64_read(&rule->hits), ALTCONN_A_RULE_PAD))
		return -EMSGSIZE;
	if (last && nla_put_u64_64bit(skb, ALTCONN_A_RULE_IDLE_MS,
				      now > last ? div_u64(now - last,
							   NSEC_PER_MSEC) : 0,
				      ALTCONN_A_RULE_PAD))
		return -EMSGSIZE;
	return altconn_rule_has(rule, ALTCONN_A_RULE_TIMES) ?
		nla_put_u32(skb, ALTCONN_A_RULE_LEFT,
			    atomic_read(&rule->left)) : 0;
}

static int nl_rule_put(struct sk_buff *skb, const struct altconn_rule *rule)
{
	struct nlattr *nest = nla_nest_start(skb, ALTCONN_A_RULESET_RULE);

	if (!nest || nla_put_u32(skb, ALTCONN_A_RULE_ID, rule->id) ||
	    nla_put_u32(skb, ALTCONN_A_RULE_PRIORITY, rule->priority) ||
	    nl_rule_put_dest(skb, rule) || nl_rule_put_verdict(skb, rule) ||
	    nl_rule_put_counters(skb, rule))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * The position of a dump, in cb->ctx: priority and id of the last rule that is
 * in the dump so far. @any is false before the first rule.
 */
struct nl_rule_dump {
	u32	priority;
	u32	id;
	bool	any;
};

/*
 * Check whether @rule is at or before the position, in the order of the table:
 * by priority, then by id.
 */
static bool nl_rule_is_listed(const struct nl_rule_dump *ctx,
			      const struct altconn_rule *rule)
{
	if (!ctx->any || rule->priority != ctx->priority)
		return ctx->any && rule->priority < ctx->priority;
	return rule->id <= ctx->id;
}

/*
 * Add one message to a part of a dump, or return -EMSGSIZE if the part is full.
 */
static int nl_rule_dump_one(struct sk_buff *skb, struct netlink_callback *cb,
			    const struct altconn_rule *rule)
{
	void *hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &altconn_nl_family,
				NLM_F_MULTI, ALTCONN_CMD_RULE_GET);

	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (nl_rule_put(skb, rule)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/**
 * altconn_nl_rule_get_start() - begin a dump of the namespace's rules
 * @cb: the dump; its context is zeroed, which is the first position
 *
 * Context: process.
 * Return: 0.
 */
int altconn_nl_rule_get_start(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct nl_rule_dump) > sizeof(cb->ctx));
	return 0;
}

/**
 * altconn_nl_rule_get_dumpit() - make the next part of a dump of rules
 * @skb: the part, empty
 * @cb: the dump; the function advances the position in its context
 *
 * If the table changes between two parts, a later message of the dump has
 * NLM_F_DUMP_INTR.
 *
 * Context: process, may sleep.
 * Return: length of @skb, or 0 if the dump is complete.
 */
int altconn_nl_rule_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct altconn_net *an = altconn_pernet(sock_net(cb->skb->sk));
	struct nl_rule_dump *ctx = (struct nl_rule_dump *)cb->ctx;
	struct altconn_rules *rules;
	u32 i;

	mutex_lock(&an->rules_lock);
	/* The core does not compare the number 0. */
	cb->seq = an->rules_seq + 1;
	rules = altconn_rules_of(an);
	for (i = 0; rules && i < rules->n; i++) {
		const struct altconn_rule *rule = rules->rule[i];

		if (nl_rule_is_listed(ctx, rule))
			continue;
		if (nl_rule_dump_one(skb, cb, rule))
			break;
		*ctx = (struct nl_rule_dump) {
			.priority = rule->priority, .id = rule->id, .any = true,
		};
	}
	mutex_unlock(&an->rules_lock);
	return skb->len;
}
