// SPDX-License-Identifier: GPL-2.0
/*
 * The bind(2) system call.
 */

#include <net/ip.h>
#include "addr.h"
#include "assoc.h"
#include "bind.h"
#include "bind_local.h"
#include "binding.h"
#include "netns.h"
#include "node.h"
#include "path.h"
#include "port.h"
#include "sock.h"

/* Return whether bind() to the address requires CAP_NET_BIND_SERVICE. */
static bool bind_is_privileged(struct net *net, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_PORT)
		return addr->port < PROT_SOCK;
	return addr->kind == ALTCONN_KIND_INET &&
	       inet_port_requires_bind_service(net, addr->port);
}

/*
 * Check that the address belongs to this network namespace. The node id of a
 * name or port must be 0 or the id of this namespace, and becomes 0. Return 0;
 * -EADDRNOTAVAIL: the address belongs to another namespace or to none; -EINVAL:
 * the address is IPv4, and the endpoint has IPV6_V6ONLY.
 */
static int bind_check_local(const struct sock *sk, struct altconn_addr *addr)
{
	u32 own = READ_ONCE(altconn_pernet(sock_net(sk))->node_id);

	if (addr->kind != ALTCONN_KIND_INET) {
		if (addr->node && addr->node != own)
			return -EADDRNOTAVAIL;
		addr->node = ALTCONN_NODE_SELF;
		return 0;
	}
	if (altconn_sk(sk)->v6only && altconn_addr_is_v4(addr))
		return -EINVAL;
	return altconn_addr_is_any(addr) ||
	       altconn_node_is_local(sock_net(sk), addr) ? 0 : -EADDRNOTAVAIL;
}

/* Bind the endpoint to an address other than a path. altconn_lock() is held. */
static int bind_locked(struct sock *sk, struct altconn_addr *addr)
{
	int err;

	/*
	 * As with AF_UNIX, a request for an automatic name succeeds if the
	 * socket has an address already.
	 */
	if (addr->kind == ALTCONN_KIND_NONE &&
	    rcu_access_pointer(altconn_sk(sk)->addr))
		return 0;
	err = altconn_path_cancel_and_check(sk);
	if (!err)
		err = bind_check_local(sk, addr);
	if (err)
		return err;
	if (addr->kind == ALTCONN_KIND_NONE) {
		err = altconn_bind_local_auto_name(sk, ALTCONN_BIND_CHOSEN);
		return err == -EAGAIN ? -ENOSPC : err;
	}
	/* If no port is free, bind() fails with EADDRINUSE, not EAGAIN. */
	if (addr->kind != ALTCONN_KIND_NAME && !addr->port) {
		err = altconn_port_bind(sk, addr, ALTCONN_BIND_CHOSEN);
		return err == -EAGAIN ? -EADDRINUSE : err;
	}
	if (bind_is_privileged(sock_net(sk), addr) &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE))
		return -EACCES;
	return altconn_binding_add(sk, addr, ALTCONN_BIND_ASKED);
}

/**
 * altconn_bind() - implement bind(2)
 * @sock: the socket
 * @uaddr: address in the address format of the socket, copied to kernel memory
 * @len: length of @uaddr in bytes
 *
 * The endpoint keeps the address when its association ends, even if user space
 * left the choice of the address to bind().
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, or
 *
 * * -EINVAL: the address is malformed; the socket is bound or connected
 *   already; another call on the socket cancelled the bind() to a path; or the
 *   address is IPv4, and the socket has IPV6_V6ONLY
 * * -EAFNOSUPPORT: the address format does not accept the family
 * * -EADDRINUSE: the address is taken, or no port is left
 * * -ENOSPC: no automatic name is left, as with AF_UNIX
 * * -EADDRNOTAVAIL: the address does not belong to this network namespace
 * * -EACCES: the port is privileged, and CAP_NET_BIND_SERVICE is missing
 * * -EINTR: the process is being killed
 * * -ENOMEM
 * * the errors of altconn_path_bind()
 */
int altconn_bind(struct socket *sock, struct sockaddr_unsized *uaddr, int len)
{
	struct sock *sk = sock->sk;
	struct altconn_addr addr;
	int err;

	err = altconn_addr_parse(sk, uaddr, len, &addr);
	if (err)
		return err;
	if (addr.kind == ALTCONN_KIND_PATH && !addr.len)
		return -EINVAL;
	if (addr.kind == ALTCONN_KIND_PATH) {
		err = altconn_path_bind(sk, &addr);
	} else {
		altconn_lock(sk);
		err = bind_locked(sk, &addr);
		altconn_unlock(sk);
	}
	/* getpeername() of a connected peer returns the new address. */
	if (!err && altconn_state(sk) == TCP_ESTABLISHED &&
	    sk->sk_type != SOCK_DGRAM)
		altconn_assoc_set_end_addr(sk);
	return err;
}
