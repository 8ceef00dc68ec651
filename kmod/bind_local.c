// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses that the kernel chooses: automatic ports and names, and the local
 * address of a connection.
 */

#include <linux/sched/signal.h>
#include "addr.h"
#include "bind_local.h"
#include "binding.h"
#include "claim.h"
#include "endpoint.h"
#include "node.h"
#include "place.h"
#include "port.h"
#include "sock.h"

/* As AF_UNIX: a name of five hexadecimal digits, unix(7). */
int altconn_bind_auto_name(struct sock *sk, enum altconn_bind_how how)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_NAME, .len = 5 };
	u32 first = get_random_u32(), i;

	for (i = 0; i <= 0xfffff; i++) {
		char digits[6];
		int err;

		snprintf(digits, sizeof(digits), "%05x", (first + i) & 0xfffff);
		memcpy(addr.bytes, digits, 5);
		err = altconn_bind_insert(sk, &addr, how);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return -EAGAIN;
}

/**
 * altconn_autobind() - bind an unbound endpoint to an address of some kind
 * @sk: the endpoint
 * @addr: a kind, and of kind INET the IP address that it is bound to; gets the
 *	port. Paths cannot be made up, it stays unnamed then
 *
 * A socket in the sockaddr_un dress stays unnamed too, as AF_UNIX clients do.
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0, also when it was bound already; -EAGAIN when no port or name is
 * left (E-AGAIN-PORT); -EINTR: the process is being killed; -ENOMEM.
 */
int altconn_autobind(struct sock *sk, struct altconn_addr *addr)
{
	altconn_bind_cancel(sk);
	if (altconn_sk(sk)->bind ||
	    altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	switch (addr->kind) {
	case ALTCONN_KIND_INET:
	case ALTCONN_KIND_PORT:
		return altconn_port_bind(sk, addr, ALTCONN_BIND_AUTO);
	case ALTCONN_KIND_NAME:
		return altconn_bind_auto_name(sk, ALTCONN_BIND_AUTO);
	default:
		return 0;
	}
}

/*
 * Replace the wildcard IP address of an endpoint by its source address towards
 * @dest.
 */
static noinline int bind_local_ip(struct sock *sk,
				  const struct altconn_addr *dest)
{
	const struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET };
	struct altconn_addr *addr;

	local.port = bind->addr->port;
	altconn_node_source(sock_net(sk), dest, &local);
	addr = altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	altconn_sock_set_addr(sk, addr);
	return 0;
}

/* The address that the endpoint's connection to @dest has on this side. */
static int bind_set_local(struct sock *sk, const struct altconn_addr *dest)
{
	const struct altconn_bind *bind = altconn_sk(sk)->bind;

	if (!bind || bind->addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET || !altconn_addr_is_any(bind->addr))
		return 0;
	return bind_local_ip(sk, dest);
}

/*
 * What another node calls this one need be no address of this one's, so nothing is bound
 * to it: the association has it, for as long as it lasts.
 */
static void bind_any_like(const struct altconn_addr *dest,
			  struct altconn_addr *any)
{
	any->len = sizeof(struct in6_addr);
	if (altconn_addr_is_v4(dest))
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY), altconn_addr_ip(any));
}

/* Give an unbound endpoint an address from which it can connect to @dest. */
static noinline int bind_auto_towards(struct sock *sk,
				      const struct altconn_addr *dest)
{
	struct altconn_addr like = { .kind = dest->kind };

	if (dest->kind == ALTCONN_KIND_INET && dest->far)
		bind_any_like(dest, &like);
	else if (dest->kind == ALTCONN_KIND_INET)
		altconn_node_source(sock_net(sk), dest, &like);
	return altconn_autobind(sk, &like);
}

/**
 * altconn_bind_local() - give an endpoint that connects its local address
 * @sk: the endpoint, bound or not
 * @dest: what it connects to, of a path the binding's own address; shared
 *
 * Undone by altconn_bind_reset().
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0; -EADDRINUSE: another socket with this local address is associated
 * with @dest (E-ADDRINUSE); -EAGAIN: no port or name left; -EINTR; -ENOMEM.
 * The endpoint is as it was on failure.
 */
int altconn_bind_local(struct sock *sk, struct altconn_addr *dest)
{
	bool dgram = sk->sk_type == SOCK_DGRAM, bound;
	struct altconn_bind *bind;
	int err = 0;

	altconn_bind_cancel(sk);
	bound = altconn_sk(sk)->bind;
	if (!bound && altconn_sk(sk)->dress == ALTCONN_UNIX)
		return 0;
	if (!bound)
		err = bind_auto_towards(sk, dest);
	if (!err) {
		altconn_bind_answerable(sk, dest);
		err = bind_set_local(sk, dest);
	}
	bind = altconn_sk(sk)->bind;
	if (!err && bind && (bind->reuse || bind->share) && !dgram)
		err = altconn_claim_add(sk, dest);
	/* A datagram socket may have an association already, which stays. */
	if (err && !(dgram && bound))
		altconn_bind_reset(sk);
	return err;
}

/**
 * altconn_bind_reset() - what an association gave its endpoint goes with it
 * @sk: the endpoint
 *
 * An automatic address is given up; an endpoint that was bound to any address
 * is so again.
 *
 * Context: process; lock_sock() held.
 */
void altconn_bind_reset(struct sock *sk)
{
	struct altconn_bind *bind;

	altconn_bind_cancel(sk);
	bind = altconn_sk(sk)->bind;
	if (!bind) {
		altconn_sock_set_addr(sk, NULL);
	} else if (bind->auto_bound) {
		altconn_unbind(sk, NULL);
	} else {
		if (bind->claim)
			altconn_claim_drop(bind);
		if (altconn_bind_own_addr(sk) != bind->addr)
			altconn_sock_set_addr(sk, altconn_addr_get(bind->addr));
	}
}
