// SPDX-License-Identifier: GPL-2.0
/*
 * Programs for TCP and UDP set some options as a matter of course, such as
 * TCP_NODELAY. In the inet formats, setsockopt() stores the value of such an
 * option and getsockopt() returns it. The value has no effect, because the
 * module sends neither segments nor packets. Other options of TCP and IP fail,
 * because a program that sets one depends on its effect.
 */

#include <linux/in.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_ecn.h>
#include <net/tcp.h>
#include "sock.h"
#include "sockopt_inet.h"

/* How inet_convert_value() converts a value before setsockopt() stores it. */
enum inet_form {
	INET_VALUE,	/* unchanged */
	INET_FLAG,	/* 1 if the value is not 0 */
	INET_RESET,	/* -1 becomes the initial value */
	INET_TOS,	/* one byte; the ECN bits of a stream do not change */
	INET_TCLASS,	/* a negative value becomes 0, then as INET_TOS */
	INET_LINGER2,	/* at most 120; 0: initial value; negative: -1 */
	INET_DEFER,	/* see inet_defer_time() */
	INET_FASTOPEN,	/* at most net.core.somaxconn */
};

/*
 * The options that setsockopt() stores. A value outside of the bounds @min and
 * @max, which are those of TCP and IP, fails with EINVAL. The value -1 of an
 * option of the form INET_RESET is always valid. If @min equals @max, there are
 * no bounds.
 */
static const struct inet_option {
	u8		level;
	u8		name;
	u8		form;
	int		initial;	/* the default of TCP or IP */
	int		min;
	int		max;
} inet_opts[] = {
	{ IPPROTO_TCP, TCP_NODELAY, INET_FLAG },
	{ IPPROTO_TCP, TCP_CORK, INET_FLAG },
	{ IPPROTO_TCP, TCP_KEEPIDLE, INET_VALUE, 7200, 1, 32767 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, INET_VALUE, 75, 1, 32767 },
	{ IPPROTO_TCP, TCP_KEEPCNT, INET_VALUE, 9, 1, 127 },
	{ IPPROTO_TCP, TCP_SYNCNT, INET_VALUE, 6, 1, 127 },
	{ IPPROTO_TCP, TCP_LINGER2, INET_LINGER2, 60 },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT, INET_DEFER },
	{ IPPROTO_TCP, TCP_QUICKACK, INET_FLAG, 1 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, INET_VALUE, 0, 0, INT_MAX },
	{ IPPROTO_TCP, TCP_FASTOPEN, INET_FASTOPEN, 0, 0, INT_MAX },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ IPPROTO_IP, IP_TOS, INET_TOS },
	{ IPPROTO_IP, IP_TTL, INET_RESET, 64, 1, 255 },
	{ IPPROTO_IP, IP_RECVERR, INET_FLAG },
	{ IPPROTO_IP, IP_MTU_DISCOVER, INET_VALUE, IP_PMTUDISC_WANT,
	  IP_PMTUDISC_DONT, IP_PMTUDISC_OMIT },
	{ IPPROTO_IP, IP_FREEBIND, INET_FLAG },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, INET_FLAG },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, INET_RESET, 64, 0, 255 },
	{ IPPROTO_IPV6, IPV6_TCLASS, INET_TCLASS, 0, -1, 255 },
	{ IPPROTO_IPV6, IPV6_RECVERR, INET_FLAG },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, INET_VALUE, IPV6_PMTUDISC_WANT,
	  IPV6_PMTUDISC_DONT, IPV6_PMTUDISC_OMIT },
};

/*
 * Return the index of an option in inet_opts, or -1 if the socket has no such
 * option.
 */
static int inet_find(const struct sock *sk, int level, int optname)
{
	u8 format = altconn_sk(sk)->format;
	int i;

	if (!altconn_is_inet(sk))
		return -1;
	if ((level == IPPROTO_IPV6 && format != ALTCONN_INET6) ||
	    (level == IPPROTO_TCP && sk->sk_type == SOCK_DGRAM))
		return -1;
	for (i = 0; i < ARRAY_SIZE(inet_opts); i++)
		if (inet_opts[i].level == level && inet_opts[i].name == optname)
			return i;
	return -1;
}

/*
 * Return the errno for an option that the socket does not have. It is
 * -EOPNOTSUPP in the sockaddr_un format, because an AF_UNIX socket has only
 * options of level SOL_SOCKET, and fails so for any other level.
 */
static int inet_unknown(const struct sock *sk)
{
	return altconn_sk(sk)->format == ALTCONN_UNIX ? -EOPNOTSUPP :
						       -ENOPROTOOPT;
}

/*
 * Return the errno of getsockopt() for an option that the socket does not have.
 * As with an IPv4 socket of the core, it is -EOPNOTSUPP in the sockaddr_in
 * format if the socket has no option of this level.
 */
static int inet_unknown_level(const struct sock *sk, int level)
{
	int own = sk->sk_type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;

	if (altconn_sk(sk)->format == ALTCONN_INET && level != own &&
	    level != IPPROTO_IP)
		return -EOPNOTSUPP;
	return inet_unknown(sk);
}

/*
 * Return the array of an endpoint's option values, which the first call
 * allocates. Return NULL if there is no memory. altconn_lock() is held.
 */
static int *inet_values_get_or_alloc(struct altconn_sock *ask)
{
	int i;

	if (ask->inet_values)
		return ask->inet_values;
	ask->inet_values = kmalloc_array(ARRAY_SIZE(inet_opts), sizeof(int),
					 GFP_KERNEL_ACCOUNT);
	for (i = 0; ask->inet_values && i < ARRAY_SIZE(inet_opts); i++)
		ask->inet_values[i] = inet_opts[i].initial;
	return ask->inet_values;
}

/*
 * Copy a value from user space, as TCP and IP do. For an option of IPPROTO_IP,
 * a value that is shorter than an int is a single byte. An empty value of such
 * an option means 0, but is invalid for IP_TTL and IP_FREEBIND.
 */
static int inet_read_value(const struct inet_option *option, sockptr_t optval,
			   unsigned int optlen, int *value)
{
	u8 byte = 0;

	if (optlen >= sizeof(*value))
		return copy_from_sockptr(value, optval, sizeof(*value)) ?
			-EFAULT : 0;
	if (option->level != IPPROTO_IP ||
	    (!optlen &&
	     (option->name == IP_TTL || option->name == IP_FREEBIND)))
		return -EINVAL;
	if (optlen && copy_from_sockptr(&byte, optval, sizeof(byte)))
		return -EFAULT;
	*value = byte;
	return 0;
}

/*
 * Convert a value of TCP_DEFER_ACCEPT, in seconds. TCP rounds it up to the time
 * of a retransmission: to 1, 3, 7, 15 seconds and so on, where the intervals
 * grow up to TCP_RTO_MAX.
 */
static int inet_defer_time(int seconds)
{
	int i, period = 0, step = 1;

	for (i = 0; i < U8_MAX && period < seconds; i++) {
		period += step;
		step = min(2 * step, (int)(TCP_RTO_MAX / HZ));
	}
	return period;
}

/*
 * Convert a value of IP_TOS or IPV6_TCLASS. TCP sets the ECN bits by itself, so
 * a stream socket keeps those of the @old value.
 */
static int inet_tos(const struct sock *sk, int old, int value)
{
	if (sk->sk_type == SOCK_STREAM)
		value = (value & ~INET_ECN_MASK) | (old & INET_ECN_MASK);
	return value & U8_MAX;
}

/*
 * Convert a valid value to the value that setsockopt() stores, and that
 * replaces the value @old. altconn_lock() is held.
 */
static int inet_convert_value(const struct sock *sk,
			      const struct inet_option *option, int old,
			      int value)
{
	switch (option->form) {
	case INET_FLAG:
		return !!value;
	case INET_RESET:
		return value == -1 ? option->initial : value;
	case INET_TCLASS:
		return inet_tos(sk, old, max(value, 0));
	case INET_TOS:
		return inet_tos(sk, old, value);
	case INET_LINGER2:
		value = min_t(int, value, TCP_FIN_TIMEOUT_MAX / HZ);
		return value < 0 ? -1 : value ? : option->initial;
	case INET_DEFER:
		return inet_defer_time(value);
	case INET_FASTOPEN:
		return min(value,
			   READ_ONCE(sock_net(sk)->core.sysctl_somaxconn));
	default:
		return value;
	}
}

/*
 * Check whether setsockopt() accepts a value. As with TCP, TCP_FASTOPEN is
 * accepted only in TCP_CLOSE and TCP_LISTEN.
 */
static bool inet_is_valid(const struct sock *sk,
			  const struct inet_option *option, int value)
{
	u8 state = altconn_state(sk);

	if (option->form == INET_FASTOPEN && state != TCP_CLOSE &&
	    state != TCP_LISTEN)
		return false;
	if (option->form == INET_RESET && value == -1)
		return true;
	return option->min == option->max ||
	       (value >= option->min && value <= option->max);
}

/**
 * altconn_sockopt_inet_set() - set an option of TCP or IP, or of an unknown
 *	level
 * @sk: the endpoint, in any address format
 * @level: any level but SOL_SOCKET and SOL_ALTCONN
 * @optname: the option
 * @optval: the value
 * @optlen: length of the value, bytes
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0; -ENOPROTOOPT if the socket has no such option, or -EOPNOTSUPP in
 * the sockaddr_un format; -EINVAL if the length is wrong, if the value is
 * outside of the bounds that TCP and IP have, or for TCP_FASTOPEN if the state
 * does not allow it; -EFAULT; -ENOMEM.
 */
int altconn_sockopt_inet_set(struct sock *sk, int level, int optname,
			     sockptr_t optval, unsigned int optlen)
{
	int i = inet_find(sk, level, optname), value, *values, err;

	if (i < 0)
		return inet_unknown(sk);
	err = inet_read_value(&inet_opts[i], optval, optlen, &value);
	if (err)
		return err;
	altconn_lock(sk);
	err = -EINVAL;
	if (!inet_is_valid(sk, &inet_opts[i], value))
		goto out;
	err = -ENOMEM;
	values = inet_values_get_or_alloc(altconn_sk(sk));
	if (!values)
		goto out;
	values[i] = inet_convert_value(sk, &inet_opts[i], values[i], value);
	err = 0;
out:
	altconn_unlock(sk);
	return err;
}

/**
 * altconn_sockopt_inet_get() - get an option of TCP or IP, or of an unknown
 *	level
 * @sk: the endpoint, in any address format
 * @level: any level but SOL_SOCKET and SOL_ALTCONN
 * @optname: the option
 * @value: gets the value
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, or the errno for an option that the socket does not have:
 * -EOPNOTSUPP in the sockaddr_un format, and in the sockaddr_in format if the
 * socket has no option of this level; else -ENOPROTOOPT.
 */
int altconn_sockopt_inet_get(struct sock *sk, int level, int optname,
			     int *value)
{
	int i = inet_find(sk, level, optname);

	if (i < 0)
		return inet_unknown_level(sk, level);
	altconn_lock(sk);
	*value = altconn_sk(sk)->inet_values ?
		altconn_sk(sk)->inet_values[i] : inet_opts[i].initial;
	altconn_unlock(sk);
	return 0;
}

/**
 * altconn_sockopt_inet_inherit() - copy a listener's options of TCP and IP to
 *	an accepted endpoint
 * @sk: the listener
 * @newsk: the accepted endpoint; no other thread sees it
 *
 * If there is no memory, the options of the accepted endpoint have their
 * initial values.
 *
 * Context: process, may sleep; altconn_lock() of @sk not held.
 */
void altconn_sockopt_inet_inherit(struct sock *sk, struct sock *newsk)
{
	if (!READ_ONCE(altconn_sk(sk)->inet_values))
		return;
	altconn_lock(sk);
	altconn_sk(newsk)->inet_values =
		kmemdup(altconn_sk(sk)->inet_values,
			sizeof(int) * ARRAY_SIZE(inet_opts),
			GFP_KERNEL_ACCOUNT);
	altconn_unlock(sk);
}
