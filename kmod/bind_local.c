// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses that the module chooses: automatic names, automatic bindings, and
 * the local address of an association.
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

/**
 * altconn_bind_local_auto_name() - bind an endpoint to an automatic name
 * @sk: the endpoint, not bound yet
 * @how: ALTCONN_BIND_CHOSEN or ALTCONN_BIND_AUTO
 *
 * As with AF_UNIX, the name has five hexadecimal digits (unix(7)). The search
 * begins at a random name.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0; -EAGAIN if no name is left; -EINTR if the process is being killed;
 * -ENOMEM.
 */
int altconn_bind_local_auto_name(struct sock *sk, enum altconn_bind_how how)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_NAME, .len = 5 };
	u32 first = get_random_u32(), i;

	for (i = 0; i <= 0xfffff; i++) {
		char digits[6];
		int err;

		snprintf(digits, sizeof(digits), "%05x", (first + i) & 0xfffff);
		memcpy(addr.bytes, digits, 5);
		err = altconn_binding_add(sk, &addr, how);
		if (err != -EADDRINUSE)
			return err;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return -EAGAIN;
}

/**
 * altconn_bind_local_auto() - bind an endpoint to an automatic address, unless
 *	it is bound already
 * @sk: the endpoint
 * @addr: the kind of the address and, for kind INET, the IP address; its port
 *	is overwritten
 *
 * An endpoint stays unbound if @addr is of kind PATH, and in the sockaddr_un
 * format, as clients of AF_UNIX do.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0, also if the endpoint was bound already or stays unbound; -EAGAIN
 * if no port or name is left (E-AGAIN-PORT); -EINTR if the process is being
 * killed; -ENOMEM.
 */
int altconn_bind_local_auto(struct sock *sk, struct altconn_addr *addr)
{
	altconn_binding_cancel(sk);
	if (altconn_sk(sk)->bind ||
	    altconn_sk(sk)->format == ALTCONN_UNIX)
		return 0;
	switch (addr->kind) {
	case ALTCONN_KIND_INET:
	case ALTCONN_KIND_PORT:
		return altconn_port_bind(sk, addr, ALTCONN_BIND_AUTO);
	case ALTCONN_KIND_NAME:
		return altconn_bind_local_auto_name(sk, ALTCONN_BIND_AUTO);
	default:
		return 0;
	}
}

/*
 * Set the local address of an endpoint that is bound to a wildcard IP address
 * to the source address for @dest (altconn_node_saddr()). The binding does not
 * change. Return 0 or -ENOMEM.
 */
static noinline int bind_set_local_ip(struct sock *sk,
				      const struct altconn_addr *dest)
{
	const struct altconn_bind *bind = altconn_sk(sk)->bind;
	struct altconn_addr local = { .kind = ALTCONN_KIND_INET };
	struct altconn_addr *addr;

	local.port = bind->addr->port;
	altconn_node_saddr(sock_net(sk), dest, &local);
	addr = altconn_addr_dup(&local, GFP_KERNEL_ACCOUNT);
	if (!addr)
		return -ENOMEM;
	altconn_endpoint_set_addr(sk, addr);
	return 0;
}

/*
 * Set the local address of the endpoint's association with @dest. It is the
 * bound address, unless that is a wildcard IP address. Return 0 or -ENOMEM.
 */
static int bind_set_local(struct sock *sk, const struct altconn_addr *dest)
{
	const struct altconn_bind *bind = altconn_sk(sk)->bind;

	if (!bind || bind->addr->kind != ALTCONN_KIND_INET ||
	    dest->kind != ALTCONN_KIND_INET || !altconn_addr_is_any(bind->addr))
		return 0;
	return bind_set_local_ip(sk, dest);
}

/*
 * Set @any, which is zero but for its kind, to the wildcard address of the IP
 * version of @dest. An endpoint that connects to another node is bound to this
 * address. The other node may know this one by an IP address that this one does
 * not have, and so cannot bind to. That IP address becomes the local address of
 * the association only (see bind_set_local()).
 */
static void bind_set_any(const struct altconn_addr *dest,
			 struct altconn_addr *any)
{
	any->len = sizeof(struct in6_addr);
	if (altconn_addr_is_v4(dest))
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY), altconn_addr_ip(any));
}

/*
 * Bind an unbound endpoint to an automatic address of the kind of @dest. An
 * inet address has the source IP address for @dest or, if @dest belongs to
 * another node, the wildcard address. Return 0, -EAGAIN, -EINTR or -ENOMEM, as
 * altconn_bind_local_auto() does.
 */
static noinline int bind_auto_for_dest(struct sock *sk,
				       const struct altconn_addr *dest)
{
	struct altconn_addr like = { .kind = dest->kind };

	if (dest->kind == ALTCONN_KIND_INET && dest->xns)
		bind_set_any(dest, &like);
	else if (dest->kind == ALTCONN_KIND_INET)
		altconn_node_saddr(sock_net(sk), dest, &like);
	return altconn_bind_local_auto(sk, &like);
}

/**
 * altconn_bind_local() - set the local address of an endpoint for connect()
 * @sk: the endpoint, bound or not
 * @dest: the destination, not on the stack; for a path, the address object of
 *	the binding
 *
 * An unbound endpoint is bound to an automatic address. The local address of an
 * endpoint that is bound to a wildcard IP address becomes the source address
 * for @dest. If a stream or seqpacket endpoint may share its address, the pair
 * of addresses is claimed. altconn_bind_local_undo() undoes all this.
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0; -EADDRINUSE if another socket with the same local address has an
 * association with @dest (E-ADDRINUSE); -EAGAIN if no port or name is left;
 * -EINTR if the process is being killed; -ENOMEM. After an error the address of
 * the endpoint is as it was before.
 */
int altconn_bind_local(struct sock *sk, struct altconn_addr *dest)
{
	bool dgram = sk->sk_type == SOCK_DGRAM, bound;
	struct altconn_bind *bind;
	int err = 0;

	altconn_binding_cancel(sk);
	bound = altconn_sk(sk)->bind;
	if (!bound && altconn_sk(sk)->format == ALTCONN_UNIX)
		return 0;
	if (!bound)
		err = bind_auto_for_dest(sk, dest);
	if (!err) {
		altconn_binding_make_reachable(sk, dest);
		err = bind_set_local(sk, dest);
	}
	bind = altconn_sk(sk)->bind;
	if (!err && bind && (bind->reuse || bind->share) && !dgram)
		err = altconn_claim_add(sk, dest);
	/*
	 * A bound datagram endpoint may be connected already. connect() has
	 * failed, so the old association keeps its local address.
	 */
	if (err && !(dgram && bound))
		altconn_bind_local_undo(sk);
	return err;
}

/**
 * altconn_bind_local_undo() - undo altconn_bind_local() and
 *	altconn_bind_local_auto()
 * @sk: the endpoint
 *
 * An automatic binding is removed. The local address of an endpoint that bind()
 * has bound becomes the bound address again, and its claim is dropped. An
 * endpoint without a binding becomes unnamed.
 *
 * Context: process; altconn_lock() held.
 */
void altconn_bind_local_undo(struct sock *sk)
{
	struct altconn_bind *bind;

	altconn_binding_cancel(sk);
	bind = altconn_sk(sk)->bind;
	if (!bind) {
		altconn_endpoint_set_addr(sk, NULL);
	} else if (bind->auto_bound) {
		altconn_binding_remove(sk, NULL);
	} else {
		if (bind->claim)
			altconn_claim_drop(bind);
		if (altconn_sock_own_addr(sk) != bind->addr)
			altconn_endpoint_set_addr(sk,
						  altconn_addr_get(bind->addr));
	}
}
