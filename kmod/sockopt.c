// SPDX-License-Identifier: GPL-2.0
/* This file implements setsockopt() and getsockopt(). */

#include <linux/udp.h>
#include "assoc.h"
#include "connect.h"
#include "connect_outcome.h"
#include "dgram_block.h"
#include "dgram_send.h"
#include "endpoint.h"
#include "listen.h"
#include "sock.h"
#include "sockopt.h"
#include "sockopt_inet.h"

/*
 * Check whether an option takes the values 0 and 1 only. Other values fail, so
 * that a later version can give them a meaning.
 */
static bool sockopt_is_switch(int optname)
{
	return optname == ALTCONN_DEFER_ACCEPT ||
	       optname == ALTCONN_WAIT_LISTENER ||
	       optname == ALTCONN_REACHABLE ||
	       optname == ALTCONN_REPLACE_PATH ||
	       optname == ALTCONN_SHARE_ADDRESS;
}

/*
 * Set an option of level SOL_ALTCONN that has a value of type u32.
 * altconn_lock() is held.
 */
static int sockopt_set_u32(struct sock *sk, int optname, u32 value)
{
	struct altconn_sock *ask = altconn_sk(sk);

	if (sockopt_is_switch(optname) && value > 1)
		return -EINVAL;
	switch (optname) {
	case ALTCONN_BACKLOG_POLICY:
		if (value > ALTCONN_POLICY_FAIL_FAST)
			return -EINVAL;
		altconn_listen_set_policy(sk, value, ask->defer);
		return 0;
	case ALTCONN_DEFER_ACCEPT:
		altconn_listen_set_policy(sk, ask->fail_fast, value);
		return 0;
	case ALTCONN_REFUSE:
		return altconn_listen_refuse_waiting(sk, value);
	case ALTCONN_WAIT_LISTENER:
		ask->waits_listener = value;
		return 0;
	case ALTCONN_DGRAM_OVERFLOW:
		if (sk->sk_type != SOCK_DGRAM)
			return -ENOPROTOOPT;
		if (value > ALTCONN_OVERFLOW_DROP_OLDEST)
			return -EINVAL;
		altconn_dgram_set_overflow(sk, value);
		return 0;
	case ALTCONN_REACHABLE:
		/* The value is fixed once bind() has used it. */
		if (ask->bind)
			return -EINVAL;
		ask->reachable = value;
		return 0;
	case ALTCONN_SHARE_ADDRESS:
		/* The value is fixed once bind() has used it. */
		if (ask->bind)
			return -EINVAL;
		ask->share = value;
		return 0;
	case ALTCONN_REPLACE_PATH:
		/* The value is fixed once bind() has used it. */
		if (ask->bind)
			return -EINVAL;
		ask->replaces = value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/*
 * Set IPV6_V6ONLY. As with TCP, the option cannot change while the socket is
 * bound. altconn_lock() is held.
 */
static int sockopt_set_v6only(struct sock *sk, u32 value)
{
	/*
	 * The local address of a failed attempt stays until the attempt is
	 * dropped. Drop it here if a call has returned its error already.
	 */
	if (!READ_ONCE(sk->sk_err))
		altconn_connect_drop_if_failed(sk);
	if (altconn_sk(sk)->bind || sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	altconn_sk(sk)->v6only = value;
	return 0;
}

static bool sockopt_is_v6only(const struct sock *sk, int level, int optname)
{
	return level == IPPROTO_IPV6 && optname == IPV6_V6ONLY &&
	       altconn_sk(sk)->format == ALTCONN_INET6;
}

static bool sockopt_is_settable(int optname)
{
	return optname >= ALTCONN_CONNECT_TIMEOUT &&
	       optname <= ALTCONN_REPLACE_PATH &&
	       optname != ALTCONN_CONNECT_INFO &&
	       optname != ALTCONN_PEER_INFO;
}

/*
 * Set SO_REUSEPORT, which takes effect in the inet formats, as with TCP and
 * UDP. The other formats have ALTCONN_SHARE_ADDRESS instead. A core without
 * SOCK_CUSTOM_SOCKOPT, as in Linux 6.1, does not call this function and may
 * refuse the option itself.
 */
static int sockopt_set_reuseport(struct sock *sk, bool value)
{
	u8 format = altconn_sk(sk)->format;

	if (value && format != ALTCONN_INET && format != ALTCONN_INET6)
		return -EOPNOTSUPP;
	lock_sock(sk);
	sk->sk_reuseport = value;
	release_sock(sk);
	return 0;
}

/*
 * Set an option of level SOL_SOCKET. The core calls the module for this level
 * if the socket has SOCK_CUSTOM_SOCKOPT. The core's sock_setsockopt() handles
 * all options but two: newer kernels refuse SO_PASSCRED and SO_REUSEPORT for a
 * family that they do not know. So ignore the result for these two options, and
 * set them here.
 */
static int sockopt_set_core(struct socket *sock, int optname, sockptr_t optval,
			    unsigned int optlen)
{
	int err = sock_setsockopt(sock, SOL_SOCKET, optname, optval, optlen);
	int value;

	if (optname != SO_PASSCRED && optname != SO_REUSEPORT)
		return err;
	if (optlen < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	if (optname == SO_REUSEPORT)
		return sockopt_set_reuseport(sock->sk, value);
	lock_sock(sock->sk);
	sk_set_passcred(sock->sk, sock, !!value);
	release_sock(sock->sk);
	return 0;
}

/**
 * altconn_sockopt_set_peek_off() - set SO_PEEK_OFF
 * @sk: the endpoint
 * @value: the offset, bytes; negative if the option is off
 *
 * The core refuses the option for a family without this operation.
 *
 * Context: process; some kernels hold lock_sock(), others do not.
 * Return: 0.
 */
int altconn_sockopt_set_peek_off(struct sock *sk, int value)
{
	WRITE_ONCE(sk->sk_peek_off, value);
	return 0;
}

/*
 * Copy @size bytes, the value of an option, from user space. A later version of
 * the option may have a longer value, of which the further bytes must be zero
 * here. Return 0, -EINVAL, -E2BIG or -EFAULT.
 */
static int sockopt_read(void *value, size_t size, sockptr_t optval,
			unsigned int optlen)
{
	int zero;

	if (optlen < size)
		return -EINVAL;
	if (optlen > PAGE_SIZE)
		return -E2BIG;
	zero = check_zeroed_sockptr(optval, size, optlen - size);
	if (zero <= 0)
		return zero ? : -E2BIG;
	return copy_from_sockptr(value, optval, size) ? -EFAULT : 0;
}

static bool sockopt_is_cork(const struct sock *sk, int level, int optname)
{
	return level == IPPROTO_UDP && optname == UDP_CORK &&
	       sk->sk_type == SOCK_DGRAM && altconn_is_inet(sk);
}

static int sockopt_set_cork(struct sock *sk, sockptr_t optval,
			    unsigned int optlen)
{
	int value;

	if (optlen < sizeof(value))
		return -EINVAL;
	if (copy_from_sockptr(&value, optval, sizeof(value)))
		return -EFAULT;
	return altconn_dgram_set_cork(sk, value);
}

/* Set ALTCONN_CONNECT_TIMEOUT. altconn_lock() is held. */
static int sockopt_set_timeout(struct sock *sk, u64 ms)
{
	struct altconn_extra *extra = altconn_endpoint_get_extra(sk);

	if (!extra)
		return -ENOMEM;
	extra->timeout_ms = ms;
	return 0;
}

/**
 * altconn_sockopt_set() - setsockopt(2)
 * @sock: the socket
 * @level: SOL_SOCKET, SOL_ALTCONN, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP,
 *	IPPROTO_UDP or any other level
 * @optname: the option
 * @optval: the value
 * @optlen: length of the value, bytes
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, or a negative errno:
 *
 * * -ENOPROTOOPT if the socket has no such option
 * * -EOPNOTSUPP for an option of IP, IPv6, TCP, UDP or an unknown level in the
 *   sockaddr_un format, and for SO_REUSEPORT outside of the inet formats
 * * -EINVAL if the value or its length is wrong, or if the option cannot change
 *   in the present state of the socket
 * * -E2BIG if the value is longer than a page, or if it is longer than this
 *   version of the option and the further bytes are not zero
 * * -EFAULT or -ENOMEM
 * * an error of the core for an option of level SOL_SOCKET
 */
int altconn_sockopt_set(struct socket *sock, int level, int optname,
			sockptr_t optval, unsigned int optlen)
{
	bool v6only = sockopt_is_v6only(sock->sk, level, optname);
	struct sock *sk = sock->sk;
	union { u64 ms; u32 u; } value;
	size_t size = sizeof(value.u);
	int err;

	if (level == SOL_SOCKET)
		return sockopt_set_core(sock, optname, optval, optlen);
	if (sockopt_is_cork(sk, level, optname))
		return sockopt_set_cork(sk, optval, optlen);
	if (!v6only && level != SOL_ALTCONN)
		return altconn_sockopt_inet_set(sk, level, optname, optval,
						optlen);
	if (!v6only && !sockopt_is_settable(optname))
		return -ENOPROTOOPT;
	if (!v6only && optname == ALTCONN_CONNECT_TIMEOUT)
		size = sizeof(value.ms);
	/* IPV6_V6ONLY is an int, and any bytes after it are ignored. */
	err = sockopt_read(&value, size, optval,
			   v6only ? min_t(u32, optlen, size) : optlen);
	if (err)
		return err;
	altconn_lock(sk);
	if (v6only)
		err = sockopt_set_v6only(sk, value.u);
	else if (size == sizeof(value.ms))
		err = sockopt_set_timeout(sk, value.ms);
	else
		err = sockopt_set_u32(sk, optname, value.u);
	altconn_unlock(sk);
	return err;
}

/*
 * Copy the value of an option to user space, cut to the length *@optlen of the
 * buffer, and store the copied length there. Return 0, -EINVAL or -EFAULT.
 */
static int sockopt_put(const void *value, size_t size, char __user *optval,
		       int __user *optlen)
{
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(size_t, len, size);
	if (copy_to_user(optval, value, len) || put_user(len, optlen))
		return -EFAULT;
	return 0;
}

/*
 * Copy the value of an option of TCP, UDP, IP or IPv6 to user space. As with
 * IP, if the buffer for an option of IPPROTO_IP is shorter than an int and the
 * value fits in a byte, copy one byte.
 */
static int sockopt_put_inet(int level, int value, char __user *optval,
			    int __user *optlen)
{
	u8 byte = value;
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (level == IPPROTO_IP && len > 0 && len < sizeof(value) &&
	    value == byte)
		return sockopt_put(&byte, sizeof(byte), optval, optlen);
	return sockopt_put(&value, sizeof(value), optval, optlen);
}

/*
 * Get an option of level SOL_ALTCONN that has a value of type u32.
 * altconn_lock() is held.
 */
static int sockopt_get_u32(const struct sock *sk, int optname, u32 *value)
{
	const struct altconn_sock *ask = altconn_sk(sk);

	switch (optname) {
	case ALTCONN_BACKLOG_POLICY:
		*value = ask->fail_fast;
		return 0;
	case ALTCONN_DEFER_ACCEPT:
		*value = ask->defer;
		return 0;
	case ALTCONN_WAIT_LISTENER:
		*value = ask->waits_listener;
		return 0;
	case ALTCONN_DGRAM_OVERFLOW:
		if (sk->sk_type != SOCK_DGRAM)
			return -ENOPROTOOPT;
		*value = altconn_dgram_sk(sk)->overflow;
		return 0;
	case ALTCONN_REACHABLE:
		*value = ask->reachable;
		return 0;
	case ALTCONN_SHARE_ADDRESS:
		*value = ask->share;
		return 0;
	case ALTCONN_REPLACE_PATH:
		*value = ask->replaces;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int sockopt_get_peer_info(const struct sock *sk, char __user *optval,
				 int __user *optlen)
{
	struct altconn_peer_info info;
	int err;

	BUILD_BUG_ON(sizeof(info) != 40);
	err = altconn_assoc_peer_info(sk, &info);
	return err ? : sockopt_put(&info, sizeof(info), optval, optlen);
}

static int sockopt_get_altconn(struct sock *sk, int optname,
			       char __user *optval, int __user *optlen)
{
	struct altconn_connect_info info;
	u64 ms;
	u32 value;
	int err;

	BUILD_BUG_ON(sizeof(info) != 24);
	if (optname == ALTCONN_PEER_INFO)
		return sockopt_get_peer_info(sk, optval, optlen);
	altconn_lock(sk);
	ms = altconn_timeout_ms(sk);
	if (optname == ALTCONN_CONNECT_INFO)
		altconn_connect_get_info(sk, &info);
	err = sockopt_get_u32(sk, optname, &value);
	altconn_unlock(sk);
	if (optname == ALTCONN_CONNECT_INFO)
		return sockopt_put(&info, sizeof(info), optval, optlen);
	if (optname == ALTCONN_CONNECT_TIMEOUT)
		return sockopt_put(&ms, sizeof(ms), optval, optlen);
	return err ? : sockopt_put(&value, sizeof(value), optval, optlen);
}

/**
 * altconn_sockopt_get() - getsockopt(2)
 * @sock: the socket
 * @level: any level but SOL_SOCKET, which the core handles
 * @optname: the option
 * @optval: gets the value, cut to the length of the buffer
 * @optlen: length of the buffer, bytes; gets the length of the copied value
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, or a negative errno:
 *
 * * -ENOPROTOOPT if the socket has no such option
 * * -EOPNOTSUPP, in the sockaddr_un and the sockaddr_in format, if the socket
 *   has no options of this level
 * * -ENOTCONN for ALTCONN_PEER_INFO without an association
 * * -EINVAL if the length of the buffer is negative
 * * -EFAULT
 */
int altconn_sockopt_get(struct socket *sock, int level, int optname,
			char __user *optval, int __user *optlen)
{
	u32 v6only = altconn_sk(sock->sk)->v6only;
	int value, err;

	if (sockopt_is_v6only(sock->sk, level, optname))
		return sockopt_put(&v6only, sizeof(v6only), optval, optlen);
	if (sockopt_is_cork(sock->sk, level, optname)) {
		value = altconn_dgram_is_corked(sock->sk);
		return sockopt_put(&value, sizeof(value), optval, optlen);
	}
	if (level != SOL_ALTCONN) {
		err = altconn_sockopt_inet_get(sock->sk, level, optname,
					       &value);
		return err ? : sockopt_put_inet(level, value, optval, optlen);
	}
	return sockopt_get_altconn(sock->sk, optname, optval, optlen);
}
