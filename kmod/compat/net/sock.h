/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_SOCK_H
#define _ALTCONN_COMPAT_SOCK_H
#include_next <net/sock.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define sk_uid(sk)	sock_i_uid((struct sock *)(sk))
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define mem_cgroup_from_sk(sk)	((sk)->sk_memcg)
#endif

#include <linux/net.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
/* SO_PASSCRED is the socket's, whose memory RCU keeps, and every family's. */
static inline bool sk_passcred(const struct sock *sk)
{
	const struct socket *sock;
	bool on;

	/* Who does not sleep is a reader too, and that costs less. */
	rcu_read_lock_sched();
	sock = READ_ONCE(sk->sk_socket);
	on = sock && test_bit(SOCK_PASSCRED, &sock->flags);
	rcu_read_unlock_sched();
	return on;
}

/* The same for one's own. */
#define sock_passcred(sock)		test_bit(SOCK_PASSCRED, &(sock)->flags)
#define sk_set_passcred(sk, sock, on)	\
	assign_bit(SOCK_PASSCRED, &(sock)->flags, on)
#else
#define sk_passcred(sk)			((sk)->sk_scm_credentials)
#define sock_passcred(sock)		sk_passcred((sock)->sk)
#define sk_set_passcred(sk, sock, on)	((sk)->sk_scm_credentials = (on))
#endif

/*
 * Where it is there, first as a macro and then in an enum, SO_REUSEPORT and
 * SO_PASSCRED are not every family's.
 */
#if defined(SOCK_CUSTOM_SOCKOPT) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define sock_sees_core_options(sock)	\
	set_bit(SOCK_CUSTOM_SOCKOPT, &(sock)->flags)
#else
#define sock_sees_core_options(sock)	do { } while (0)
#endif

#endif
