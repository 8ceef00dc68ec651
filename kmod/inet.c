// SPDX-License-Identifier: GPL-2.0
/*
 * Options of TCP and IP that programs set without a thought, in the inet dresses.
 * Each is kept and told, and has no effect, as there is no segment and no packet that it
 * could have one on. Others are refused: who sets them wants something.
 */

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include "altconn.h"

static const struct known {
	u8	level;
	u8	name;
	bool	flag;		/* told as 0 or 1 */
	int	initial;	/* TCP's own */
} known[] = {
	{ IPPROTO_TCP, TCP_NODELAY, true },
	{ IPPROTO_TCP, TCP_CORK, true },
	{ IPPROTO_TCP, TCP_KEEPIDLE, false, 7200 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, false, 75 },
	{ IPPROTO_TCP, TCP_KEEPCNT, false, 9 },
	{ IPPROTO_TCP, TCP_SYNCNT, false, 6 },
	{ IPPROTO_TCP, TCP_LINGER2, false, 60 },
	{ IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ IPPROTO_TCP, TCP_QUICKACK, true, 1 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ IPPROTO_TCP, TCP_FASTOPEN },
	{ IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ IPPROTO_IP, IP_TOS },
	{ IPPROTO_IP, IP_TTL, false, 64 },
	{ IPPROTO_IP, IP_RECVERR, true },
	{ IPPROTO_IP, IP_MTU_DISCOVER, false, IP_PMTUDISC_WANT },
	{ IPPROTO_IP, IP_FREEBIND, true },
	{ IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, true },
	{ IPPROTO_IPV6, IPV6_UNICAST_HOPS, false, 64 },
	{ IPPROTO_IPV6, IPV6_TCLASS },
	{ IPPROTO_IPV6, IPV6_RECVERR, true },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, false, IPV6_PMTUDISC_WANT },
};

/* Its place in the table, or -1: the socket has no such option. */
static int find(const struct sock *sk, int level, int optname)
{
	u8 dress = altconn_sk(sk)->dress;
	int i;

	if (dress != ALTCONN_INET && dress != ALTCONN_INET6)
		return -1;
	if ((level == IPPROTO_IPV6 && dress != ALTCONN_INET6) ||
	    (level == IPPROTO_TCP && sk->sk_type == SOCK_DGRAM))
		return -1;
	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].level == level && known[i].name == optname)
			return i;
	return -1;
}

static int *values_of(struct altconn_sock *ask)
{
	int i;

	if (ask->inet_values)
		return ask->inet_values;
	ask->inet_values = kmalloc_array(ARRAY_SIZE(known), sizeof(int),
					 GFP_KERNEL_ACCOUNT);
	for (i = 0; ask->inet_values && i < ARRAY_SIZE(known); i++)
		ask->inet_values[i] = known[i].initial;
	return ask->inet_values;
}

/* As IP does: a byte is enough for a small number. */
static int read_value(sockptr_t optval, unsigned int optlen, int *value)
{
	u8 byte;

	if (optlen >= sizeof(*value))
		return copy_from_sockptr(value, optval, sizeof(*value)) ?
			-EFAULT : 0;
	if (!optlen)
		return -EINVAL;
	if (copy_from_sockptr(&byte, optval, sizeof(byte)))
		return -EFAULT;
	*value = byte;
	return 0;
}

/**
 * altconn_inet_set() - setsockopt() of an option of TCP or IP
 * @sk: the endpoint
 * @level: IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6 or any other
 * @optname: which
 * @optval: the value
 * @optlen: its length, bytes
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -ENOPROTOOPT: not of this dress, or not known; -EINVAL; -EFAULT;
 * -ENOMEM.
 */
int altconn_inet_set(struct sock *sk, int level, int optname, sockptr_t optval,
		     unsigned int optlen)
{
	int i = find(sk, level, optname), value, *values, err;

	if (i < 0)
		return -ENOPROTOOPT;
	if (level == IPPROTO_TCP && optlen < sizeof(value))
		return -EINVAL;
	err = read_value(optval, optlen, &value);
	if (err)
		return err;
	lock_sock(sk);
	values = values_of(altconn_sk(sk));
	if (values)
		values[i] = known[i].flag ? !!value : value;
	release_sock(sk);
	return values ? 0 : -ENOMEM;
}

/**
 * altconn_inet_get() - what getsockopt() tells of such an option
 * @sk: the endpoint
 * @level: as altconn_inet_set()
 * @optname: which
 * @value: gets it
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0 or -ENOPROTOOPT.
 */
int altconn_inet_get(struct sock *sk, int level, int optname, int *value)
{
	int i = find(sk, level, optname);

	if (i < 0)
		return -ENOPROTOOPT;
	lock_sock(sk);
	*value = altconn_sk(sk)->inet_values ?
		altconn_sk(sk)->inet_values[i] : known[i].initial;
	release_sock(sk);
	return 0;
}

/**
 * altconn_inet_inherit() - an accepted endpoint has its listener's options
 * @sk: the listener
 * @newsk: the endpoint; nobody else sees it
 *
 * Without memory it has those of a new socket.
 *
 * Context: process, may sleep.
 */
void altconn_inet_inherit(struct sock *sk, struct sock *newsk)
{
	if (!READ_ONCE(altconn_sk(sk)->inet_values))
		return;
	lock_sock(sk);
	altconn_sk(newsk)->inet_values =
		kmemdup(altconn_sk(sk)->inet_values,
			sizeof(int) * ARRAY_SIZE(known), GFP_KERNEL_ACCOUNT);
	release_sock(sk);
}
