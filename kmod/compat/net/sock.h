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
/*
 * In older kernels SO_PASSCRED is a flag of struct socket, which is freed after
 * a grace period, and the core sets it for every family.
 */
static inline bool sk_passcred(const struct sock *sk)
{
	const struct socket *sock;
	bool on;

	/*
	 * A section with preemption disabled is an RCU reader too, and costs
	 * less than rcu_read_lock().
	 */
	rcu_read_lock_sched();
	sock = READ_ONCE(sk->sk_socket);
	on = sock && test_bit(SOCK_PASSCRED, &sock->flags);
	rcu_read_unlock_sched();
	return on;
}

/* SO_PASSCRED of a socket that the caller holds, which needs no RCU. */
#define sock_passcred(sock)		test_bit(SOCK_PASSCRED, &(sock)->flags)
#define sk_set_passcred(sk, sock, on)	\
	assign_bit(SOCK_PASSCRED, &(sock)->flags, on)
#else
#define sk_passcred(sk)			((sk)->sk_scm_credentials)
#define sock_passcred(sock)		sk_passcred((sock)->sk)
#define sk_set_passcred(sk, sock, on)	((sk)->sk_scm_credentials = (on))
#endif

/*
 * Kernels that have SOCK_CUSTOM_SOCKOPT, first as a macro and then in an enum,
 * refuse SO_REUSEPORT and SO_PASSCRED for families that do not set the flag.
 */
#if defined(SOCK_CUSTOM_SOCKOPT) || \
	LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define sock_sees_core_options(sock)	\
	set_bit(SOCK_CUSTOM_SOCKOPT, &(sock)->flags)
#else
#define sock_sees_core_options(sock)	do { } while (0)
#endif

#endif
