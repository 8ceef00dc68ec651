// SPDX-License-Identifier: GPL-2.0
/*
 * This file sorts associations and sockets, for every command that lists them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/command.h"
#include "lib/rule.h"
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

static uint64_t assoc_id(const struct assoc *a)
{
	return a->id;
}

static uint64_t sock_id(const struct sock *s)
{
	return s->id;
}

/*
 * Order by age according to the ids, which grow. The ages that the module
 * reports were read at different times, and the module reports no age of a
 * socket.
 */
static uint64_t assoc_age(const struct assoc *a)
{
	return UINT64_MAX - a->id;
}

static uint64_t sock_age(const struct sock *s)
{
	return UINT64_MAX - s->id;
}

static uint64_t assoc_wait(const struct assoc *a)
{
	return a->waited_ms;
}

static uint64_t sock_wait(const struct sock *s)
{
	return s->waiting;
}

static uint64_t assoc_queue(const struct assoc *a)
{
	return (uint64_t)a->client.recv_queue + a->server.recv_queue;
}

static uint64_t sock_queue(const struct sock *s)
{
	return s->listening ? s->queued : s->owner.recv_queue;
}

static uint64_t assoc_pid(const struct assoc *a)
{
	return a->client.pid;
}

static uint64_t sock_pid(const struct sock *s)
{
	return s->owner.pid;
}

static void assoc_type(const struct assoc *a, char *text)
{
	strcpy(text, type_name(a->type));
}

static void sock_type(const struct sock *s, char *text)
{
	strcpy(text, type_name(s->type));
}

static uint64_t assoc_state_number(const struct assoc *a)
{
	return a->state;
}

static uint64_t sock_state_number(const struct sock *s)
{
	return s->listening ? 0 : 1 + sock_connected(s);
}

static void assoc_local(const struct assoc *a, char *text)
{
	addr_format(&a->client.addr, text);
}

static void sock_local(const struct sock *s, char *text)
{
	addr_format(&s->owner.addr, text);
}

static void assoc_peer(const struct assoc *a, char *text)
{
	addr_format(&a->server.addr, text);
}

static void sock_peer(const struct sock *s, char *text)
{
	addr_format(&s->peer, text);
}

static const struct key keys[] = {
	{ "id", false, assoc_id, sock_id },
	{ "age", true, assoc_age, sock_age },
	{ "wait", true, assoc_wait, sock_wait },
	{ "queue", true, assoc_queue, sock_queue },
	{ "pid", false, assoc_pid, sock_pid },
	{ "type", false, NULL, NULL, assoc_type, sock_type },
	{ "state", false, assoc_state_number, sock_state_number },
	{ "local", false, NULL, NULL, assoc_local, sock_local },
	{ "peer", false, NULL, NULL, assoc_peer, sock_peer },
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

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/*
 * Turn the result of a comparison into the order of two rows. Rows with the
 * same value are ordered by their ids, @a and @b.
 */
static int decide(const struct order *order, int result, uint64_t a, uint64_t b)
{
	if (!result)
		return compare_numbers(a, b);
	return order->key->most_first != order->reverse ? -result : result;
}

static int compare_assocs(const void *left, const void *right, void *data)
{
	const struct assoc *a = left, *b = right;
	const struct order *order = data;
	char a_text[ADDR_TEXT_MAX], b_text[ADDR_TEXT_MAX];
	int result;

	if (order->key->assoc) {
		result = compare_numbers(order->key->assoc(a),
					 order->key->assoc(b));
	} else {
		order->key->assoc_text(a, a_text);
		order->key->assoc_text(b, b_text);
		result = strverscmp(a_text, b_text);
	}
	return decide(order, result, a->id, b->id);
}

static int compare_socks(const void *left, const void *right, void *data)
{
	const struct sock *a = left, *b = right;
	const struct order *order = data;
	char a_text[ADDR_TEXT_MAX], b_text[ADDR_TEXT_MAX];
	int result;

	if (order->key->sock) {
		result = compare_numbers(order->key->sock(a),
					 order->key->sock(b));
	} else {
		order->key->sock_text(a, a_text);
		order->key->sock_text(b, b_text);
		result = strverscmp(a_text, b_text);
	}
	return decide(order, result, a->id, b->id);
}

/**
 * sort_found - sort the associations, and the sockets
 * @found: the associations and the sockets
 * @name: name of the key, one of SORT_KEYS; another name has no effect
 * @reverse: reverse the order; rows with the same value stay ordered by id
 */
void sort_found(struct found *found, const char *name, bool reverse)
{
	struct order order = { .reverse = reverse };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			order.key = &keys[i];
	if (!order.key)
		return;
	qsort_r(found->assocs, found->n_assocs, sizeof(*found->assocs),
		compare_assocs, &order);
	qsort_r(found->socks, found->n_socks, sizeof(*found->socks),
		compare_socks, &order);
}
