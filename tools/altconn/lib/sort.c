// SPDX-License-Identifier: GPL-2.0
/*
 * This file sorts associations and sockets, for every command that lists them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/sort.h"

/**
 * struct key - key to sort rows by
 * @name: name of the key
 * @most_first: the row with the largest value is first
 * @assoc: gets the value of an association, or NULL for a key of texts
 * @sock: gets the value of a socket, or NULL for a key of texts
 * @assoc_text: gets the text of an association, if @assoc is NULL
 * @sock_text: gets the text of a socket, if @sock is NULL
 */
struct key {
	const char *name;
	bool most_first;
	uint64_t (*assoc)(const struct assoc *a);
	uint64_t (*sock)(const struct sock *s);
	void (*assoc_text)(const struct assoc *a, char *text);
	void (*sock_text)(const struct sock *s, char *text);
};

static uint64_t sort_assoc_id(const struct assoc *a)
{
	return a->id;
}

static uint64_t sort_sock_id(const struct sock *s)
{
	return s->id;
}

static uint64_t sort_assoc_age(const struct assoc *a)
{
	return UINT64_MAX - a->begun_ns;
}

static uint64_t sort_sock_age(const struct sock *s)
{
	return UINT64_MAX - s->begun_ns;
}

static uint64_t sort_assoc_wait(const struct assoc *a)
{
	return a->waited_ms;
}

static uint64_t sort_sock_wait(const struct sock *s)
{
	return s->waiting;
}

static uint64_t sort_assoc_queue(const struct assoc *a)
{
	return (uint64_t)a->client.recv_queue + a->server.recv_queue;
}

static uint64_t sort_sock_queue(const struct sock *s)
{
	return s->listening ? s->queued : s->owner.recv_queue;
}

static uint64_t sort_assoc_pid(const struct assoc *a)
{
	return a->client.pid;
}

static uint64_t sort_sock_pid(const struct sock *s)
{
	return s->owner.pid;
}

static void sort_assoc_type(const struct assoc *a, char *text)
{
	strcpy(text, record_type_name(a->type));
}

static void sort_sock_type(const struct sock *s, char *text)
{
	strcpy(text, record_type_name(s->type));
}

static uint64_t sort_assoc_state(const struct assoc *a)
{
	return a->state;
}

static uint64_t sort_sock_state(const struct sock *s)
{
	return s->listening ? 0 : 1 + record_sock_is_connected(s);
}

static void sort_assoc_local(const struct assoc *a, char *text)
{
	addr_to_text(&a->client.addr, text);
}

static void sort_sock_local(const struct sock *s, char *text)
{
	addr_to_text(&s->owner.addr, text);
}

static void sort_assoc_peer(const struct assoc *a, char *text)
{
	addr_to_text(&a->server.addr, text);
}

static void sort_sock_peer(const struct sock *s, char *text)
{
	addr_to_text(&s->peer, text);
}

static const struct key sort_keys[] = {
	{ "id", false, sort_assoc_id, sort_sock_id },
	{ "age", true, sort_assoc_age, sort_sock_age },
	{ "wait", true, sort_assoc_wait, sort_sock_wait },
	{ "queue", true, sort_assoc_queue, sort_sock_queue },
	{ "pid", false, sort_assoc_pid, sort_sock_pid },
	{ "type", false, NULL, NULL, sort_assoc_type, sort_sock_type },
	{ "state", false, sort_assoc_state, sort_sock_state },
	{ "local", false, NULL, NULL, sort_assoc_local, sort_sock_local },
	{ "peer", false, NULL, NULL, sort_assoc_peer, sort_sock_peer },
};

/**
 * struct order - order of rows
 * @key: key to compare rows by
 * @reverse: reverse the order
 */
struct order {
	const struct key *key;
	bool reverse;
};

static int sort_compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/*
 * Turn the result of a comparison into the order of two rows. Rows with the
 * same value are ordered by @tie, which is the result of a comparison of the
 * times at which they began.
 */
static int sort_decide(const struct order *order, int result, int tie)
{
	if (!result)
		return tie;
	return order->key->most_first != order->reverse ? -result : result;
}

static int sort_compare_assocs(const void *left, const void *right, void *data)
{
	const struct assoc *a = left, *b = right;
	const struct order *order = data;
	char a_text[ADDR_TEXT_MAX], b_text[ADDR_TEXT_MAX];
	int result;

	if (order->key->assoc) {
		result = sort_compare_numbers(order->key->assoc(a),
					      order->key->assoc(b));
	} else {
		order->key->assoc_text(a, a_text);
		order->key->assoc_text(b, b_text);
		result = strverscmp(a_text, b_text);
	}
	return sort_decide(order, result,
			   sort_compare_numbers(a->begun_ns, b->begun_ns) ? :
			   sort_compare_numbers(a->id, b->id));
}

static int sort_compare_socks(const void *left, const void *right, void *data)
{
	const struct sock *a = left, *b = right;
	const struct order *order = data;
	char a_text[ADDR_TEXT_MAX], b_text[ADDR_TEXT_MAX];
	int result;

	if (order->key->sock) {
		result = sort_compare_numbers(order->key->sock(a),
					      order->key->sock(b));
	} else {
		order->key->sock_text(a, a_text);
		order->key->sock_text(b, b_text);
		result = strverscmp(a_text, b_text);
	}
	return sort_decide(order, result,
			   sort_compare_numbers(a->begun_ns, b->begun_ns) ? :
			   sort_compare_numbers(a->id, b->id));
}

/**
 * sort_found - sort the associations, and the sockets
 * @found: the associations and the sockets
 * @name: name of the key, one of SORT_KEYS; another name has no effect
 * @reverse: reverse the order; rows with the same value stay ordered by age
 */
void sort_found(struct found *found, const char *name, bool reverse)
{
	struct order order = { .reverse = reverse };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sort_keys); i++)
		if (!strcmp(sort_keys[i].name, name))
			order.key = &sort_keys[i];
	if (!order.key)
		return;
	qsort_r(found->assocs, found->n_assocs, sizeof(*found->assocs),
		sort_compare_assocs, &order);
	qsort_r(found->socks, found->n_socks, sizeof(*found->socks),
		sort_compare_socks, &order);
}
