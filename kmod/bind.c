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

static bool bind_is_privileged(struct net *net, const struct altconn_addr *addr)
{
	if (addr->kind == ALTCONN_KIND_PORT)
		return addr->port < PROT_SOCK;
	return addr->kind == ALTCONN_KIND_INET &&
	       inet_port_requires_bind_service(net, addr->port);
}

/*
 * Check that this node has the address. A name or port must have node id 0 or
 * this node's own id, which is replaced by 0. Return 0; -EADDRNOTAVAIL: this
 * node does not have the address; -EINVAL: IPv4 with IPV6_V6ONLY.
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
	err = altconn_bind_cancel_and_check(sk);
	if (!err)
		err = bind_check_local(sk, addr);
	if (err)
		return err;
	if (addr->kind == ALTCONN_KIND_NONE) {
		err = altconn_bind_auto_name(sk, ALTCONN_BIND_CHOSEN);
		return err == -EAGAIN ? -ENOSPC : err;
	}
	/* bind(2) and connect(2) report exhausted ports by different errnos. */
	if (addr->kind != ALTCONN_KIND_NAME && !addr->port) {
		err = altconn_port_bind(sk, addr, ALTCONN_BIND_CHOSEN);
		return err == -EAGAIN ? -EADDRINUSE : err;
	}
	if (bind_is_privileged(sock_net(sk), addr) &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE))
		return -EACCES;
	return altconn_bind_insert(sk, addr, ALTCONN_BIND_ASKED);
}

/**
 * altconn_bind() - implement bind(2)
 * @sock: the socket
 * @uaddr: address in the address format of the socket
 * @len: length of @uaddr in bytes
 *
 * If the caller left the choice of the address to bind(), the endpoint keeps
 * that address when its association is dissolved.
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -EINVAL: the address is malformed, the socket is bound or
 * connected already, another call on the socket cancelled the bind() of a path,
 * or the address is IPv4 with IPV6_V6ONLY; -EAFNOSUPPORT: the family does not
 * fit the format; -EADDRINUSE: the address is taken, or no port is left;
 * -ENOSPC: no automatic name is left, as with AF_UNIX; -EADDRNOTAVAIL: this
 * node does not have the address; -EACCES: the port is privileged and the
 * caller lacks CAP_NET_BIND_SERVICE; -EINTR: the process is being killed;
 * -ENOMEM; and the errors of altconn_path_bind().
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
		lock_sock(sk);
		err = bind_locked(sk, &addr);
		release_sock(sk);
	}
	if (!err && altconn_state(sk) == TCP_ESTABLISHED &&
	    sk->sk_type != SOCK_DGRAM)
		altconn_assoc_set_end_addr(sk);
	return err;
}
