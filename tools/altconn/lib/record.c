// SPDX-License-Identifier: GPL-2.0
/*
 * This file reads the module's netlink messages into plain structs. A table for
 * each set of attributes has the type of each attribute, and the member of the
 * struct that gets the value. Unknown attributes from a newer module are
 * skipped. If an attribute does not have the form in the table, the whole
 * message is an error.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>

#include "lib/array.h"
#include "lib/command.h"
#include "lib/names_gen.h"
#include "lib/nl.h"
#include "lib/record.h"

/**
 * struct attr - form of an attribute, and the struct member for the value
 * @type: MNL_TYPE_*; an attribute of MNL_TYPE_UNSPEC is skipped
 * @offset: offset of the member in the struct
 * @nested: set of the attributes in a nest, for MNL_TYPE_NESTED
 * @len: offset of the member that gets the length of an attribute of
 *	MNL_TYPE_BINARY; for an attribute that may occur more than once, offset
 *	of the member that counts the occurrences
 * @max: largest length, or largest number of occurrences, for which the member
 *	has space
 * @size: size of one occurrence, if the attribute may occur more than once,
 *	else 0; for MNL_TYPE_NUL_STRING, size of the pointer if the member gets
 *	a pointer into the message, or 0 if the member gets a copy
 */
struct attr {
	enum mnl_attr_data_type type;
	size_t offset;
	const struct set *nested;
	size_t len;
	size_t max;
	size_t size;
};

/**
 * struct set - a set of attributes
 * @attrs: the attributes, indexed by their types
 * @count: number of @attrs
 * @known: offset of the member in which bit n is set if the message has
 *	attribute n, or -1 if the struct has no such member
 */
struct set {
	const struct attr *attrs;
	size_t count;
	long known;
};

/*
 * Define a set from the table record_NAME_attrs. @member: offset of the member
 * @known, or -1.
 */
#define RECORD_SET(name, member)					\
	static const struct set record_ ## name ## _set = {		\
		.attrs = record_ ## name ## _attrs,			\
		.count = ARRAY_SIZE(record_ ## name ## _attrs),		\
		.known = member,					\
	}

#define NEST(offset, name)						\
	{ MNL_TYPE_NESTED, offset, &record_ ## name ## _set }

/*
 * A nest that may occur more than once and fills one member of an array of
 * counters.
 */
#define PARTS(offset, counts, most, name)				\
	{ MNL_TYPE_NESTED, offset, &record_ ## name ## _set, counts,	\
	  most, sizeof(struct stat_part) }

#define ADDR_BYTES							\
	{ MNL_TYPE_BINARY, offsetof(struct addr, bytes),		\
	  .len = offsetof(struct addr, len), .max = ALTCONN_PATH_MAX }
static const struct attr record_addr_attrs[] = {
	[ALTCONN_A_ADDR_KIND] = { MNL_TYPE_U32, offsetof(struct addr, kind) },
	[ALTCONN_A_ADDR_NODE] = { MNL_TYPE_U32, offsetof(struct addr, node) },
	[ALTCONN_A_ADDR_PORT] = { MNL_TYPE_U32, offsetof(struct addr, port) },
	[ALTCONN_A_ADDR_NAME] = ADDR_BYTES,
	[ALTCONN_A_ADDR_PATH] = ADDR_BYTES,
	[ALTCONN_A_ADDR_IP] = ADDR_BYTES,
	[ALTCONN_A_ADDR_SCOPE] = { MNL_TYPE_U32, offsetof(struct addr, node) },
};

RECORD_SET(addr, -1);

#define END(member) offsetof(struct end, member)
static const struct attr record_end_attrs[] = {
	[ALTCONN_A_END_ADDR] = NEST(END(addr), addr),
	[ALTCONN_A_END_FORMAT] = { MNL_TYPE_U32, END(format) },
	[ALTCONN_A_END_PID] = { MNL_TYPE_U32, END(pid) },
	[ALTCONN_A_END_UID] = { MNL_TYPE_U32, END(uid) },
	[ALTCONN_A_END_RECV_QUEUE] = { MNL_TYPE_U32, END(recv_queue) },
	[ALTCONN_A_END_COMM] = { MNL_TYPE_NUL_STRING, END(comm) },
	[ALTCONN_A_END_INODE] = { MNL_TYPE_U64, END(inode) },
};

RECORD_SET(end, offsetof(struct end, known));

#define ASSOC(member) offsetof(struct assoc, member)
static const struct attr record_assoc_attrs[] = {
	[ALTCONN_A_ASSOC_ID] = { MNL_TYPE_U64, ASSOC(id) },
	[ALTCONN_A_ASSOC_TYPE] = { MNL_TYPE_U32, ASSOC(type) },
	[ALTCONN_A_ASSOC_STATE] = { MNL_TYPE_U32, ASSOC(state) },
	[ALTCONN_A_ASSOC_CLIENT] = NEST(ASSOC(client), end),
	[ALTCONN_A_ASSOC_SERVER] = NEST(ASSOC(server), end),
	[ALTCONN_A_ASSOC_AGE_MS] = { MNL_TYPE_U64, ASSOC(age_ms) },
	[ALTCONN_A_ASSOC_WAITED_MS] = { MNL_TYPE_U64, ASSOC(waited_ms) },
	[ALTCONN_A_ASSOC_POSITION] = { MNL_TYPE_U32, ASSOC(position) },
	[ALTCONN_A_ASSOC_LISTENER] = { MNL_TYPE_U64, ASSOC(listener) },
	[ALTCONN_A_ASSOC_RULE] = { MNL_TYPE_U32, ASSOC(rule) },
	[ALTCONN_A_ASSOC_BEGUN_NS] = { MNL_TYPE_U64, ASSOC(begun_ns) },
};

RECORD_SET(assoc, offsetof(struct assoc, known));

#define PART(member) offsetof(struct stat_part, member)
static const struct attr record_outcome_attrs[] = {
	[ALTCONN_A_OUTCOME_REASON] = { MNL_TYPE_U32, PART(key) },
	[ALTCONN_A_OUTCOME_COUNT] = { MNL_TYPE_U64, PART(count) },
};

RECORD_SET(outcome, -1);

#define SOCKET(member) offsetof(struct sock, member)
static const struct attr record_socket_attrs[] = {
	[ALTCONN_A_SOCKET_ID] = { MNL_TYPE_U64, SOCKET(id) },
	[ALTCONN_A_SOCKET_TYPE] = { MNL_TYPE_U32, SOCKET(type) },
	[ALTCONN_A_SOCKET_LISTENING] = { MNL_TYPE_FLAG, SOCKET(listening) },
	[ALTCONN_A_SOCKET_OWNER] = NEST(SOCKET(owner), end),
	[ALTCONN_A_SOCKET_PEER] = NEST(SOCKET(peer), addr),
	[ALTCONN_A_SOCKET_BACKLOG] = { MNL_TYPE_U32, SOCKET(backlog) },
	[ALTCONN_A_SOCKET_QUEUED] = { MNL_TYPE_U32, SOCKET(queued) },
	[ALTCONN_A_SOCKET_WAITING] = { MNL_TYPE_U32, SOCKET(waiting) },
	[ALTCONN_A_SOCKET_WAITED] = { MNL_TYPE_U64, SOCKET(waited) },
	[ALTCONN_A_SOCKET_OUTCOME] = PARTS(SOCKET(outcome), SOCKET(n),
					   SOCK_OUTCOMES_MAX, outcome),
	[ALTCONN_A_SOCKET_REACHABLE] = { MNL_TYPE_FLAG, SOCKET(reachable) },
	[ALTCONN_A_SOCKET_FILE] = { MNL_TYPE_NUL_STRING, SOCKET(file),
				    .size = sizeof(char *) },
	[ALTCONN_A_SOCKET_BEGUN_NS] = { MNL_TYPE_U64, SOCKET(begun_ns) },
};

RECORD_SET(socket, offsetof(struct sock, known));

#define RULE(member) offsetof(struct rule, member)
static const struct attr record_rule_attrs[] = {
	[ALTCONN_A_RULE_ID] = { MNL_TYPE_U32, RULE(id) },
	[ALTCONN_A_RULE_PRIORITY] = { MNL_TYPE_U32, RULE(priority) },
	[ALTCONN_A_RULE_TYPE] = { MNL_TYPE_U32, RULE(type) },
	[ALTCONN_A_RULE_KIND] = { MNL_TYPE_U32, RULE(kind) },
	[ALTCONN_A_RULE_NODE] = { MNL_TYPE_U32, RULE(node) },
	[ALTCONN_A_RULE_PORT_MIN] = { MNL_TYPE_U32, RULE(port_min) },
	[ALTCONN_A_RULE_PORT_MAX] = { MNL_TYPE_U32, RULE(port_max) },
	[ALTCONN_A_RULE_IP] = { MNL_TYPE_BINARY, RULE(ip),
				.len = RULE(ip_len), .max = 16 },
	[ALTCONN_A_RULE_PREFIX_LEN] = { MNL_TYPE_U32, RULE(prefix_len) },
	[ALTCONN_A_RULE_PATTERN] = { MNL_TYPE_BINARY, RULE(pattern),
				     .len = RULE(pattern_len),
				     .max = RULE_PATTERN_MAX },
	[ALTCONN_A_RULE_UID] = { MNL_TYPE_U32, RULE(uid) },
	[ALTCONN_A_RULE_GID] = { MNL_TYPE_U32, RULE(gid) },
	[ALTCONN_A_RULE_VERDICT] = { MNL_TYPE_U32, RULE(verdict) },
	[ALTCONN_A_RULE_DELAY_MS] = { MNL_TYPE_U32, RULE(delay_ms) },
	[ALTCONN_A_RULE_JITTER_MS] = { MNL_TYPE_U32, RULE(jitter_ms) },
	[ALTCONN_A_RULE_TIMES] = { MNL_TYPE_U32, RULE(times) },
	[ALTCONN_A_RULE_EVERY] = { MNL_TYPE_U32, RULE(every) },
	[ALTCONN_A_RULE_PROBABILITY] = { MNL_TYPE_U32, RULE(probability) },
	[ALTCONN_A_RULE_HITS] = { MNL_TYPE_U64, RULE(hits) },
	[ALTCONN_A_RULE_IDLE_MS] = { MNL_TYPE_U64, RULE(idle_ms) },
	[ALTCONN_A_RULE_LEFT] = { MNL_TYPE_U32, RULE(left) },
};

RECORD_SET(rule, offsetof(struct rule, known));

static const struct attr record_ruleset_attrs[] = {
	[ALTCONN_A_RULESET_RULE] = NEST(0, rule),
	[ALTCONN_A_RULESET_ID] = { MNL_TYPE_U32, RULE(id) },
};

RECORD_SET(ruleset, -1);

#define NODE(member) offsetof(struct node, member)
static const struct attr record_node_attrs[] = {
	[ALTCONN_A_NODE_ID] = { MNL_TYPE_U32, NODE(id) },
	[ALTCONN_A_NODE_IP] = { MNL_TYPE_BINARY, NODE(ip),
				.len = NODE(n_ips), .max = 2, .size = 16 },
	[ALTCONN_A_NODE_STATE] = { MNL_TYPE_U32, NODE(state) },
	[ALTCONN_A_NODE_NETNS] = { MNL_TYPE_U64, NODE(netns) },
};

RECORD_SET(node, offsetof(struct node, known));

static const struct attr record_bucket_attrs[] = {
	[ALTCONN_A_BUCKET_BITS] = { MNL_TYPE_U32, PART(key) },
	[ALTCONN_A_BUCKET_COUNT] = { MNL_TYPE_U64, PART(count) },
};

RECORD_SET(bucket, -1);

static const struct attr record_histogram_attrs[] = {
	[ALTCONN_A_HISTOGRAM_SUM_NS] = {
		MNL_TYPE_U64, offsetof(struct histogram, sum_ns)
	},
	[ALTCONN_A_HISTOGRAM_BUCKET] = PARTS(offsetof(struct histogram, part),
					 offsetof(struct histogram, n),
					 STAT_PARTS_MAX, bucket),
};

RECORD_SET(histogram, -1);

static const struct attr record_user_attrs[] = {
	[ALTCONN_A_USER_UID] = { MNL_TYPE_U32, PART(key) },
	[ALTCONN_A_USER_COUNT] = { MNL_TYPE_U64, PART(count) },
};

RECORD_SET(user, -1);

#define COUNTER(member) offsetof(struct counters, member)
static const struct attr record_stat_attrs[] = {
	[ALTCONN_A_STAT_OUTCOME] = PARTS(COUNTER(outcome), COUNTER(n),
					 STAT_PARTS_MAX, outcome),
	[ALTCONN_A_STAT_WAITED] = { MNL_TYPE_U64, COUNTER(waited) },
	[ALTCONN_A_STAT_ACCEPTED] = { MNL_TYPE_U64, COUNTER(accepted) },
	[ALTCONN_A_STAT_LATENCY] = NEST(COUNTER(latency), histogram),
	[ALTCONN_A_STAT_ACCEPT_QUEUE] = NEST(COUNTER(accept_queue), histogram),
	[ALTCONN_A_STAT_USER] = PARTS(COUNTER(user[0].part),
				      COUNTER(user[0].n), STAT_PARTS_MAX, user),
	[ALTCONN_A_STAT_USER_INBOUND] = PARTS(COUNTER(user[1].part),
					      COUNTER(user[1].n),
					      STAT_PARTS_MAX, user),
	[ALTCONN_A_STAT_USER_NESTED] = PARTS(COUNTER(user[2].part),
					     COUNTER(user[2].n),
					     STAT_PARTS_MAX, user),
};

RECORD_SET(stat, -1);

#define EVENT(member) offsetof(struct event, member)
static const struct attr record_event_attrs[] = {
	[ALTCONN_A_EVENT_KIND] = { MNL_TYPE_U32, EVENT(kind) },
	[ALTCONN_A_EVENT_SEQ] = { MNL_TYPE_U64, EVENT(seq) },
	[ALTCONN_A_EVENT_TIME_NS] = { MNL_TYPE_U64, EVENT(time_ns) },
	[ALTCONN_A_EVENT_ASSOC] = { MNL_TYPE_U64, EVENT(assoc) },
	[ALTCONN_A_EVENT_TYPE] = { MNL_TYPE_U32, EVENT(type) },
	[ALTCONN_A_EVENT_CLIENT] = NEST(EVENT(client), end),
	[ALTCONN_A_EVENT_SERVER] = NEST(EVENT(server), end),
	[ALTCONN_A_EVENT_ERROR] = { MNL_TYPE_U32, EVENT(error) },
	[ALTCONN_A_EVENT_REASON] = { MNL_TYPE_U32, EVENT(reason) },
	[ALTCONN_A_EVENT_POSITION] = { MNL_TYPE_U32, EVENT(position) },
	[ALTCONN_A_EVENT_WAITED_NS] = { MNL_TYPE_U64, EVENT(waited_ns) },
	[ALTCONN_A_EVENT_END] = { MNL_TYPE_U32, EVENT(end) },
};

RECORD_SET(event, offsetof(struct event, known));

#define FAMILY(member) offsetof(struct family, member)
static const struct attr record_family_attrs[] = {
	[ALTCONN_A_FAMILY_NUMBER] = { MNL_TYPE_U32, FAMILY(number) },
	[ALTCONN_A_FAMILY_VERSION] = { MNL_TYPE_NUL_STRING, FAMILY(version) },
	[ALTCONN_A_FAMILY_ASSOCS] = { MNL_TYPE_U64, FAMILY(assocs) },
	[ALTCONN_A_FAMILY_SOCKETS] = { MNL_TYPE_U64, FAMILY(sockets) },
	[ALTCONN_A_FAMILY_INBOUND] = { MNL_TYPE_U64, FAMILY(inbound) },
	[ALTCONN_A_FAMILY_NODE] = { MNL_TYPE_U32, FAMILY(node) },
};

RECORD_SET(family, -1);

/**
 * struct reader - argument of record_read_attr()
 * @set: set that the attribute belongs to
 * @object: the struct that gets the value
 */
struct reader {
	const struct set *set;
	char *object;
};

static int record_read_attr(const struct nlattr *attr, void *data);

/*
 * Return the memory for one more occurrence of an attribute that may occur more
 * than once, or NULL if the member has no space.
 */
static char *record_next_part(const struct attr *a, char *object)
{
	size_t n;

	memcpy(&n, object + a->len, sizeof(n));
	if (n == a->max)
		return NULL;
	n++;
	memcpy(object + a->len, &n, sizeof(n));
	return object + a->offset + (n - 1) * a->size;
}

static int record_read_bytes(const struct nlattr *attr, const struct attr *a,
			     char *object)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (a->size ? len != a->size : len > a->max) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (a->size) {
		object = record_next_part(a, object);
		if (object)
			memcpy(object, mnl_attr_get_payload(attr), len);
		return MNL_CB_OK;
	}
	memcpy(object + a->len, &len, sizeof(len));
	memcpy(object + a->offset, mnl_attr_get_payload(attr), len);
	return MNL_CB_OK;
}

static int record_read_value(const struct nlattr *attr, const struct attr *a,
			     char *object)
{
	struct reader inner = { a->nested, object + a->offset };
	const char *text;
	uint64_t u64;
	uint32_t u32;

	switch (a->type) {
	case MNL_TYPE_U32:
		u32 = mnl_attr_get_u32(attr);
		memcpy(object + a->offset, &u32, sizeof(u32));
		return MNL_CB_OK;
	case MNL_TYPE_U64:
		u64 = mnl_attr_get_u64(attr);
		memcpy(object + a->offset, &u64, sizeof(u64));
		return MNL_CB_OK;
	case MNL_TYPE_FLAG:
		*(bool *)(object + a->offset) = true;
		return MNL_CB_OK;
	case MNL_TYPE_NUL_STRING:
		if (a->size) {
			text = mnl_attr_get_str(attr);
			memcpy(object + a->offset, &text, a->size);
			return MNL_CB_OK;
		}
		snprintf(object + a->offset, RECORD_TEXT_MAX, "%s",
			 mnl_attr_get_str(attr));
		return MNL_CB_OK;
	case MNL_TYPE_BINARY:
		return record_read_bytes(attr, a, object);
	case MNL_TYPE_NESTED:
		if (a->size)
			inner.object = record_next_part(a, object);
		if (!inner.object)
			return MNL_CB_OK;
		return mnl_attr_parse_nested(attr, record_read_attr, &inner);
	default:
		return MNL_CB_OK;
	}
}

static int record_read_attr(const struct nlattr *attr, void *data)
{
	unsigned int type = mnl_attr_get_type(attr);
	struct reader *r = data;
	const struct attr *a;
	uint32_t known;

	if (type >= r->set->count)
		return MNL_CB_OK;
	a = &r->set->attrs[type];
	if (a->type == MNL_TYPE_UNSPEC)
		return MNL_CB_OK;
	if (mnl_attr_validate(attr, a->type) < 0) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	if (r->set->known >= 0) {
		memcpy(&known, r->object + r->set->known, sizeof(known));
		known |= 1U << type;
		memcpy(r->object + r->set->known, &known, sizeof(known));
	}
	return record_read_value(attr, a, r->object);
}

static int record_read_message(const struct nlmsghdr *nlh,
			       const struct set *set, void *object)
{
	struct reader r = { set, object };

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), record_read_attr,
			      &r);
}

/* The socket types, their numbers in netlink messages, and their names. */
#define TYPE(type, name) \
	{ SOCK_##type, ALTCONN_SOCKET_TYPE_##type, name },

static const struct {
	uint32_t type;
	uint32_t number;
	const char *name;
} record_types[] = {
	ALTCONN_SOCKET_TYPE_LIST(TYPE)
};

/*
 * Convert enum altconn_socket_type to SOCK_*. Return 0 for a type of a newer
 * module.
 */
static uint32_t record_sock_type(uint32_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(record_types); i++)
		if (record_types[i].number == type)
			return record_types[i].type;
	return 0;
}

/**
 * record_type_value - convert a socket type for a request
 * @type: SOCK_*
 *
 * Return: enum altconn_socket_type, or 0, which no type has.
 */
uint32_t record_type_value(uint32_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(record_types); i++)
		if (record_types[i].type == type)
			return record_types[i].number;
	return 0;
}

/**
 * record_read_assoc - read a message of ALTCONN_CMD_ASSOC_GET
 * @nlh: the message
 * @assoc: gets the association
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_assoc(const struct nlmsghdr *nlh, struct assoc *assoc)
{
	int ret;

	memset(assoc, 0, sizeof(*assoc));
	ret = record_read_message(nlh, &record_assoc_set, assoc);
	assoc->type = record_sock_type(assoc->type);
	return ret;
}

static uint64_t record_outcome(const struct sock *sock, uint32_t reason)
{
	size_t i;

	for (i = 0; i < sock->n; i++)
		if (sock->outcome[i].key == reason)
			return sock->outcome[i].count;
	return 0;
}

/* Compute the sums that the commands print from the outcomes. */
static void record_sum_up(struct sock *s)
{
	s->established = record_outcome(s, ALTCONN_REASON_ESTABLISHED);
	s->timed_out = record_outcome(s, ALTCONN_REASON_DEADLINE);
	s->overflow = record_outcome(s, ALTCONN_REASON_BACKLOG_FULL) +
		      record_outcome(s, ALTCONN_REASON_WAITING_ROOM_FULL);
	s->refused = s->overflow +
		     record_outcome(s, ALTCONN_REASON_TABLE_FULL) +
		     record_outcome(s, ALTCONN_REASON_REFUSED) +
		     record_outcome(s, ALTCONN_REASON_LISTENER_CLOSED);
}

/**
 * record_read_sock - read a message of ALTCONN_CMD_SOCKET_GET
 * @nlh: the message
 * @sock: gets the socket
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_sock(const struct nlmsghdr *nlh, struct sock *sock)
{
	int ret;

	memset(sock, 0, sizeof(*sock));
	ret = record_read_message(nlh, &record_socket_set, sock);
	sock->type = record_sock_type(sock->type);
	record_sum_up(sock);
	return ret;
}

/**
 * record_read_rule - read a message of ALTCONN_CMD_RULE_GET or _RULE_ADD
 * @nlh: the message
 * @rule: gets the rule, or from ALTCONN_CMD_RULE_ADD only the id of the rule
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_rule(const struct nlmsghdr *nlh, struct rule *rule)
{
	int ret;

	memset(rule, 0, sizeof(*rule));
	ret = record_read_message(nlh, &record_ruleset_set, rule);
	rule->type = record_sock_type(rule->type);
	return ret;
}

/**
 * record_write_rule - write a rule into a request
 * @nlh: the request, with space for RULE_MESSAGE_MAX more bytes
 * @rule: the rule; the attributes of its @known are written
 */
void record_write_rule(struct nlmsghdr *nlh, const struct rule *rule)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, ALTCONN_A_RULESET_RULE);
	const char *object = (const char *)rule;
	const struct attr *a;
	uint32_t value;
	size_t len, i;

	for (i = 0; i < record_rule_set.count; i++) {
		a = &record_rule_attrs[i];
		if (!record_has(rule->known, i))
			continue;
		if (a->type == MNL_TYPE_U32) {
			memcpy(&value, object + a->offset, sizeof(value));
			if (i == ALTCONN_A_RULE_TYPE)
				value = record_type_value(value);
			mnl_attr_put_u32(nlh, i, value);
		} else if (a->type == MNL_TYPE_BINARY) {
			memcpy(&len, object + a->len, sizeof(len));
			mnl_attr_put(nlh, i, len, object + a->offset);
		}
	}
	mnl_attr_nest_end(nlh, nest);
}

/**
 * record_write_addr - write an address into a request
 * @nlh: the request, with space for the address
 * @attr: type of the attribute that gets the address
 * @addr: the address
 */
void record_write_addr(struct nlmsghdr *nlh, uint16_t attr,
		       const struct addr *addr)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);
	static const uint16_t bytes[] = {
		[ALTCONN_KIND_NAME] = ALTCONN_A_ADDR_NAME,
		[ALTCONN_KIND_INET] = ALTCONN_A_ADDR_IP,
		[ALTCONN_KIND_PATH] = ALTCONN_A_ADDR_PATH,
	};

	mnl_attr_put_u32(nlh, ALTCONN_A_ADDR_KIND, addr->kind);
	if (addr->kind == ALTCONN_KIND_PORT || addr->kind == ALTCONN_KIND_NAME)
		mnl_attr_put_u32(nlh, ALTCONN_A_ADDR_NODE, addr->node);
	if (addr->kind == ALTCONN_KIND_PORT || addr->kind == ALTCONN_KIND_INET)
		mnl_attr_put_u32(nlh, ALTCONN_A_ADDR_PORT, addr->port);
	if (addr->kind == ALTCONN_KIND_INET)
		mnl_attr_put_u32(nlh, ALTCONN_A_ADDR_SCOPE, addr->node);
	if (addr->kind < ARRAY_SIZE(bytes) && bytes[addr->kind])
		mnl_attr_put(nlh, bytes[addr->kind], addr->len, addr->bytes);
	mnl_attr_nest_end(nlh, nest);
}

/**
 * record_read_node - read a message of ALTCONN_CMD_NODE_GET
 * @nlh: the message
 * @node: gets the node
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_node(const struct nlmsghdr *nlh, struct node *node)
{
	memset(node, 0, sizeof(*node));
	return record_read_message(nlh, &record_node_set, node);
}

/**
 * record_read_counters - read a message of ALTCONN_CMD_STAT_GET
 * @nlh: the message
 * @counters: gets the counters
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_counters(const struct nlmsghdr *nlh, struct counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	return record_read_message(nlh, &record_stat_set, counters);
}

/**
 * record_read_event - read a message of ALTCONN_CMD_EVENT
 * @nlh: the message
 * @event: gets the event
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_event(const struct nlmsghdr *nlh, struct event *event)
{
	int ret;

	memset(event, 0, sizeof(*event));
	ret = record_read_message(nlh, &record_event_set, event);
	event->type = record_sock_type(event->type);
	return ret;
}

/**
 * record_read_family - read a message of ALTCONN_CMD_FAMILY_GET
 * @nlh: the message
 * @family: gets the contents of the message
 *
 * Return: MNL_CB_OK, or MNL_CB_ERROR with errno EBADMSG.
 */
int record_read_family(const struct nlmsghdr *nlh, struct family *family)
{
	memset(family, 0, sizeof(*family));
	return record_read_message(nlh, &record_family_set, family);
}

static int record_on_family(const struct nlmsghdr *nlh, void *data)
{
	return record_read_family(nlh, data);
}

/**
 * record_get_family - request the module's number, version and totals
 * @family: gets the answer
 *
 * Return: EXIT_OK, or EXIT_FAILED after an error message.
 */
int record_get_family(struct family *family)
{
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (ret == EXIT_OK)
		ret = nl_get(&nl, ALTCONN_CMD_FAMILY_GET, record_on_family,
			     family);
	nl_close(&nl);
	return ret;
}

/**
 * record_has - check whether a message had an attribute
 * @known: member @known of the struct that the message was read into
 * @attr: the attribute
 *
 * Return: true if the message had the attribute, else false.
 */
bool record_has(uint32_t known, unsigned int attr)
{
	return known & (1U << attr);
}

/**
 * record_sock_is_connected - check whether a datagram socket is connected
 * @s: a listener or a datagram socket
 *
 * Return: true if the socket is a connected datagram socket, else false.
 */
bool record_sock_is_connected(const struct sock *s)
{
	return record_has(s->known, ALTCONN_A_SOCKET_PEER) &&
	       s->peer.kind != ALTCONN_KIND_NONE;
}

#define STATE(state, name) \
	[ALTCONN_ASSOC_STATE_##state] = name,

static const char * const record_states[] = {
	ALTCONN_ASSOC_STATE_LIST(STATE)
};

/**
 * record_state_name - get the name of a state of associations, as in JSON
 * @state: enum altconn_assoc_state
 *
 * Return: the name, or NULL if the tool does not know the state.
 */
const char *record_state_name(uint32_t state)
{
	return state < ARRAY_SIZE(record_states) ? record_states[state] : NULL;
}

/**
 * record_state_number - get a state of associations by its name
 * @name: the name
 * @state: gets enum altconn_assoc_state
 *
 * Return: whether associations have a state with the name.
 */
bool record_state_number(const char *name, uint32_t *state)
{
	uint32_t i;

	for (i = 0; record_state_name(i); i++) {
		if (strcmp(record_state_name(i), name))
			continue;
		*state = i;
		return true;
	}
	return false;
}

/**
 * record_type_name - get the name of a socket type
 * @type: SOCK_*
 *
 * Return: the name, or "unknown".
 */
const char *record_type_name(uint32_t type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(record_types); i++)
		if (record_types[i].type == type)
			return record_types[i].name;
	return "unknown";
}

/**
 * record_type_number - get a socket type by its name
 * @name: the name, as record_type_name() returns it
 *
 * Return: SOCK_*, or 0 if no type has the name.
 */
uint32_t record_type_number(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(record_types); i++)
		if (!strcmp(name, record_types[i].name))
			return record_types[i].type;
	return 0;
}
