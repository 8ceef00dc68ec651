// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of the inet address formats set some options of TCP and IP as a
 * matter of course. Each value of such an option is kept and returned, and has
 * no effect, since there is no segment and no packet. All other options are
 * refused, since a program that sets them depends on their effect.
 */

#include <linux/in.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/inet_ecn.h>
#include <net/tcp.h>
#include "sock.h"
#include "sockopt_inet.h"

enum inet_form {
	INET_VALUE,	/* kept unchanged */
	INET_FLAG,	/* 0 or 1 */
	INET_RESET,	/* -1 means the initial value */
	INET_TOS,	/* a byte; the ECN bits of a stream stay */
	INET_TCLASS,	/* as INET_TOS, and -1 means 0 */
	INET_LINGER2,
	INET_DEFER,
	INET_FASTOPEN,
};

/*
 * These options are kept. @min and @max are the bounds that TCP and IP have.
 * setsockopt() fails with EINVAL for a value outside of the bounds, except for
 * the -1 that resets an option of the form INET_RESET. An option takes any int
 * if @min and @max are equal.
 */
static const struct inet_option {
	u8		level;
	u8		name;
	u8		form;
	int		initial;	/* as TCP and IP have it */
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
 * Find an option in the table. Return its index, or -1 if the socket has no
 * such option.
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
 * Return the error for an option that the socket does not have. AF_UNIX fails
 * with EOPNOTSUPP, since it has no options of levels other than SOL_SOCKET.
 */
static int inet_unknown(const struct sock *sk)
{
	return altconn_sk(sk)->format == ALTCONN_UNIX ? -EOPNOTSUPP :
						       -ENOPROTOOPT;
}

/*
 * Return the error of getsockopt() for an option that the socket does not have.
 * An IPv4 socket fails with EOPNOTSUPP if it has no options of the level.
 */
static int inet_unknown_level(const struct sock *sk, int level)
{
	int own = sk->sk_type == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;

	if (altconn_sk(sk)->format == ALTCONN_INET && level != own &&
	    level != IPPROTO_IP)
		return -EOPNOTSUPP;
	return inet_unknown(sk);
}

static int *inet_values_of(struct altconn_sock *ask)
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
 * Read a value as IP does. An option of IPPROTO_IP also takes a single byte,
 * and most of these options take an empty value as 0.
 */
static int inet_read_value(const struct inet_option *option, sockptr_t optval,
			   unsigned int optlen, int *value)
{
	u8 byte = 0;

	if (optlen >= sizeof(*value))
		return copy_from_sockptr(value, optval, sizeof(*value)) ?
			-EFAULT : 0;
	if (option->level != IPPROTO_IP ||
	    (!optlen && (option->name == IP_TTL || option->name == IP_FREEBIND)))
		return -EINVAL;
	if (optlen && copy_from_sockptr(&byte, optval, sizeof(byte)))
		return -EFAULT;
	*value = byte;
	return 0;
}

/*
 * Convert the time of TCP_DEFER_ACCEPT, in seconds. TCP keeps it as a number of
 * retransmissions, and returns the time at which the last retransmission is
 * sent.
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

static int inet_tos(const struct sock *sk, int old, int value)
{
	if (sk->sk_type == SOCK_STREAM)
		value = (value & ~INET_ECN_MASK) | (old & INET_ECN_MASK);
	return value & U8_MAX;
}

/*
 * Convert a valid value to the one that is kept. @old: the value that was kept
 * before. lock_sock() held.
 */
static int inet_canonical(const struct sock *sk,
			  const struct inet_option *option, int old, int value)
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
		return min(value, READ_ONCE(sock_net(sk)->core.sysctl_somaxconn));
	default:
		return value;
	}
}

/* Check whether an option may have a value in the present state. */
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
 * altconn_inet_set() - set an option of TCP or IP
 * @sk: the endpoint
 * @level: IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6 or any other level
 * @optname: the option
 * @optval: the value
 * @optlen: length of the value, bytes
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -ENOPROTOOPT: the address format of the socket has no such option,
 * or the option is not known; -EOPNOTSUPP: the same in the sockaddr_un address
 * format; -EINVAL: the length is wrong, or the value is outside of the bounds
 * that TCP and IP have; -EFAULT; -ENOMEM.
 */
int altconn_inet_set(struct sock *sk, int level, int optname, sockptr_t optval,
		     unsigned int optlen)
{
	int i = inet_find(sk, level, optname), value, *values, err;

	if (i < 0)
		return inet_unknown(sk);
	err = inet_read_value(&inet_opts[i], optval, optlen, &value);
	if (err)
		return err;
	lock_sock(sk);
	err = -EINVAL;
	if (!inet_is_valid(sk, &inet_opts[i], value))
		goto out;
	err = -ENOMEM;
	values = inet_values_of(altconn_sk(sk));
	if (!values)
		goto out;
	values[i] = inet_canonical(sk, &inet_opts[i], values[i], value);
	err = 0;
out:
	release_sock(sk);
	return err;
}

/**
 * altconn_inet_get() - get an option of TCP or IP
 * @sk: the endpoint
 * @level: IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6 or any other level
 * @optname: the option
 * @value: gets the value
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -ENOPROTOOPT: the socket has no such option; -EOPNOTSUPP: the same
 * in the sockaddr_un address format, and in the sockaddr_in address format for
 * a level that the socket does not have.
 */
int altconn_inet_get(struct sock *sk, int level, int optname, int *value)
{
	int i = inet_find(sk, level, optname);

	if (i < 0)
		return inet_unknown_level(sk, level);
	lock_sock(sk);
	*value = altconn_sk(sk)->inet_values ?
		altconn_sk(sk)->inet_values[i] : inet_opts[i].initial;
	release_sock(sk);
	return 0;
}

/**
 * altconn_inet_inherit() - copy a listener's options to an accepted endpoint
 * @sk: the listener
 * @newsk: the accepted endpoint; no other thread sees it
 *
 * If there is no memory, the accepted endpoint has the options of a new socket.
 *
 * Context: process, may sleep; lock_sock() of @sk not held.
 */
void altconn_inet_inherit(struct sock *sk, struct sock *newsk)
{
	if (!READ_ONCE(altconn_sk(sk)->inet_values))
		return;
	lock_sock(sk);
	altconn_sk(newsk)->inet_values = kmemdup(
		altconn_sk(sk)->inet_values,
		sizeof(int) * ARRAY_SIZE(inet_opts), GFP_KERNEL_ACCOUNT);
	release_sock(sk);
}
