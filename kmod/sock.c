// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints: making them, closing them, names, options, and the tables of
 * operations.
 */

#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <asm/ioctls.h>
#include "altconn.h"
#include "trace.h"

/*
 * The core clears what it allocates here, and the allocator would do so before
 * it; it does not for memory that keeps its type. KASAN is to see more than that.
 */
#define KEEPS_TYPE	(IS_ENABLED(CONFIG_KASAN) ? 0 : SLAB_TYPESAFE_BY_RCU)

struct proto altconn_proto = {
	.name		= "ALTCONN",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct altconn_sock),
	.slab_flags	= KEEPS_TYPE,
};

struct proto altconn_dgram_proto = {
	.name		= "ALTCONN-DGRAM",
	.owner		= THIS_MODULE,
	.obj_size	= sizeof(struct altconn_dgram_sock),
	.slab_flags	= KEEPS_TYPE,
};

/**
 * altconn_sock_set_addr() - change an endpoint's address
 * @sk: the endpoint
 * @addr: the reference moves to the endpoint; NULL makes it unnamed
 *
 * Context: process; lock_sock() held, or nobody else sees the endpoint.
 */
void altconn_sock_set_addr(struct sock *sk, struct altconn_addr *addr)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_addr *old;

	old = rcu_replace_pointer(ask->addr, addr, true);
	altconn_addr_put(old);
}

/**
 * altconn_sock_set_peercred() - what SO_PEERCRED tells
 * @sk: the endpoint
 * @pid: the peer's process, or NULL; a reference is taken
 * @cred: its credentials, or NULL; a reference is taken
 *
 * Context: any but hard interrupts.
 */
void altconn_sock_set_peercred(struct sock *sk, struct pid *pid,
			       const struct cred *cred)
{
	const struct cred *old_cred;
	struct pid *old_pid;

	if (cred)
		get_cred(cred);
	get_pid(pid);
	spin_lock(&sk->sk_peer_lock);
	old_pid = sk->sk_peer_pid;
	old_cred = sk->sk_peer_cred;
	sk->sk_peer_pid = pid;
	sk->sk_peer_cred = cred;
	spin_unlock(&sk->sk_peer_lock);
	put_pid(old_pid);
	put_cred(old_cred);
}

/**
 * altconn_sock_register() - put an endpoint in the namespace's registry
 * @sk: a listener or datagram endpoint; may be there already
 *
 * It is found under RCU from here on.
 *
 * Context: process; lock_sock() held.
 */
void altconn_sock_register(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_sock *ask = altconn_sk(sk);

	if (altconn_entry_is_listed(&ask->entry))
		return;
	sock_set_flag(sk, SOCK_RCU_FREE);
	/* Readers may look at it: it stays for the endpoint's life. */
	if (!ask->pid)
		ask->pid = get_pid(task_tgid(current));
	altconn_registry_add(&an->sockets, &ask->entry, altconn_next_id());
	atomic_long_inc(&an->n_sockets);
}

/* altconn_sock_unregister() of one that is there. */
void __altconn_sock_unregister(struct sock *sk)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_registry_remove(&an->sockets, &ask->entry);
	atomic_long_dec(&an->n_sockets);
}

static struct sock *endpoint_of_entry(struct altconn_entry *entry)
{
	return entry ? &container_of(entry, struct altconn_sock, entry)->sk :
		       NULL;
}

static bool endpoint_get_entry(struct altconn_entry *entry)
{
	return refcount_inc_not_zero(&endpoint_of_entry(entry)->sk_refcnt);
}

/**
 * altconn_sock_next() - the next listener or datagram endpoint of a dump
 * @net: the namespace
 * @pos: where in its registry the dump is; moves on
 *
 * Context: process, may sleep.
 * Return: a reference, or NULL behind the last.
 */
struct sock *altconn_sock_next(struct net *net, struct altconn_position *pos)
{
	struct altconn_registry *reg = &altconn_pernet(net)->sockets;

	return endpoint_of_entry(altconn_registry_next(reg, pos,
						       endpoint_get_entry));
}

/**
 * altconn_sock_find() - the listener or datagram endpoint with an id
 * @net: its namespace
 * @id: the id
 *
 * Context: process.
 * Return: a reference, or NULL.
 */
struct sock *altconn_sock_find(struct net *net, u64 id)
{
	return endpoint_of_entry(altconn_registry_find(&altconn_pernet(net)->sockets,
						       id, endpoint_get_entry));
}

static void endpoint_destruct(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	put_pid(ask->pid);
	kfree(ask->inet_values);
	if (sk->sk_type == SOCK_DGRAM)
		kfree(altconn_dgram_sk(sk)->late);
	WARN_ON_ONCE(ask->bind || rcu_access_pointer(ask->assoc) ||
		     rcu_access_pointer(ask->listener));
}

/* Leave whatever the endpoint is part of. lock_sock() held. */
static void endpoint_leave(struct sock *sk)
{
	if (sk->sk_type == SOCK_DGRAM) {
		altconn_dgram_close(sk);
		return;
	}
	if (altconn_state(sk) == TCP_SYN_SENT)
		altconn_connect_cancel(sk, ALTCONN_REASON_CANCELLED_CLOSE);
	switch (altconn_state(sk)) {
	case TCP_ESTABLISHED:
		altconn_assoc_detach(sk);
		break;
	case TCP_LISTEN:
		altconn_listener_close(sk);
		break;
	default:
		altconn_connect_reap(sk);
	}
}

static int endpoint_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct path path = {};

	if (!sk)
		return 0;
	lock_sock(sk);
	endpoint_leave(sk);
	altconn_sock_unregister(sk);
	altconn_unbind(sk, &path);
	if (sk->sk_state != TCP_CLOSE)
		trace_altconn_state(sk, sk->sk_state, TCP_CLOSE);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	sock_orphan(sk);
	sock->sk = NULL;
	release_sock(sk);
	/* May free the inode, which takes locks that bind() holds around ours. */
	if (path.dentry)
		path_put(&path);
	sock_put(sk);
	return 0;
}

/* A peer at port 0, to which UDP connects, is none for getpeername(). */
static struct altconn_addr *endpoint_dgram_peer(struct sock *sk, int *err)
{
	struct altconn_addr *addr = altconn_dgram_peer(sk);

	if (!addr || addr->kind != ALTCONN_KIND_INET || addr->port ||
	    !altconn_is_inet(sk))
		return addr;
	altconn_addr_put(addr);
	*err = -ENOTCONN;
	return NULL;
}

static struct altconn_addr *endpoint_peer_addr(struct sock *sk, int *err)
{
	struct altconn_addr *addr = NULL;
	struct altconn_assoc *assoc;
	enum altconn_side side;

	*err = -ENOTCONN;
	if (altconn_state(sk) != TCP_ESTABLISHED)
		return NULL;
	*err = 0;
	if (sk->sk_type == SOCK_DGRAM)
		return endpoint_dgram_peer(sk, err);
	assoc = altconn_assoc_of(sk, &side);
	if (assoc) {
		addr = altconn_addr_get(altconn_assoc_addr(assoc, !side, side));
		altconn_assoc_put(assoc);
	} else {
		*err = -ENOTCONN;
	}
	return addr;
}

static int endpoint_get_name(struct socket *sock, struct sockaddr *uaddr,
			     int peer)
{
	struct sock *sk = sock->sk;
	struct altconn_addr *addr;
	int err = 0, len;

	addr = peer ? endpoint_peer_addr(sk, &err) : altconn_addr_of(sk);
	if (err)
		return err;
	/* The core gives room for a sockaddr_storage. */
	len = altconn_addr_write(sk, addr, uaddr);
	altconn_addr_put(addr);
	return len;
}

static void endpoint_stop_listening(struct sock *sk)
{
	altconn_listener_close(sk);
	trace_altconn_state(sk, TCP_LISTEN, TCP_CLOSE);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	altconn_bind_reset(sk);
	/* A poller may have looked while it was TCP_LISTEN still. */
	sk->sk_state_change(sk);
}

/*
 * A listener that is shut for reading listens no more, as TCP's, and gives up an
 * address that listen() chose for it.
 */
static int endpoint_shutdown_listener(struct sock *sk, int how)
{
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN && how & RCV_SHUTDOWN)
		endpoint_stop_listening(sk);
	release_sock(sk);
	return 0;
}

/*
 * As TCP: endpoint_shutdown() of a pending attempt cancels it, whichever direction it names,
 * and leaves ECONNRESET for SO_ERROR. False: the attempt was decided before.
 */
static bool endpoint_shutdown_attempt(struct sock *sk)
{
	bool cancelled = false;

	lock_sock(sk);
	if (sk->sk_state == TCP_SYN_SENT) {
		altconn_connect_cancel(sk, ALTCONN_REASON_CANCELLED_UNSPEC);
		cancelled = sk->sk_state == TCP_CLOSE;
	}
	if (cancelled) {
		altconn_connect_reap(sk);
		/* The error of an attempt that has failed by itself stays. */
		if (!sk->sk_err)
			WRITE_ONCE(sk->sk_err, ECONNRESET);
	}
	release_sock(sk);
	return cancelled;
}

/* lock_sock(), unless another call holds the lock. release_sock() undoes it. */
static bool endpoint_trylock(struct sock *sk)
{
	bool locked;

	spin_lock_bh(&sk->sk_lock.slock);
	locked = !sk->sk_lock.owned;
	if (locked)
		sk->sk_lock.owned = 1;
	spin_unlock_bh(&sk->sk_lock.slock);
	if (locked)
		mutex_acquire(&sk->sk_lock.dep_map, 0, 1, _RET_IP_);
	return locked;
}

/*
 * lock_sock() with a deadline, jiffies. False: the socket is busy still, or the caller
 * is to end. The core reads some options of sockopt_set() under the lock, and a user can
 * make the page fault that it meets there last for ever.
 */
static bool endpoint_lock_until(struct sock *sk, unsigned long until)
{
	bool locked;

	while (!(locked = endpoint_trylock(sk)) &&
	       time_before(jiffies, until) && !fatal_signal_pending(current))
		usleep_range(500, 2000);
	return locked;
}

/**
 * altconn_sock_kill() - stop a listener, or dissolve a datagram socket's association
 * @sk: the endpoint
 * @id: that it had in the registry: one that listens again has another
 * @until: jiffies; until then it waits for another call on the socket
 *
 * A listener is as after endpoint_shutdown(): accept() gives EINVAL, and attempts that wait
 * are refused.
 *
 * Context: process, may sleep.
 * Return: false: it is neither, any more, or the socket is busy.
 */
bool altconn_sock_kill(struct sock *sk, u64 id, unsigned long until)
{
	bool killed = false;

	if (READ_ONCE(altconn_sk(sk)->entry.id) != id ||
	    !endpoint_lock_until(sk, until))
		return false;
	if (altconn_sk(sk)->entry.id != id) {
		release_sock(sk);
		return false;
	}
	if (sk->sk_type == SOCK_DGRAM) {
		killed = altconn_dgram_kill(sk);
	} else if (sk->sk_state == TCP_LISTEN) {
		endpoint_stop_listening(sk);
		killed = true;
	}
	release_sock(sk);
	return killed;
}

static int endpoint_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct altconn_assoc *assoc;
	enum altconn_side side;
	u8 state;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	/* SHUT_RD, SHUT_WR, SHUT_RDWR -> RCV_SHUTDOWN, SEND_SHUTDOWN, both */
	how++;
	state = altconn_state(sk);
	if (state == TCP_LISTEN)
		return endpoint_shutdown_listener(sk, how);
	if (sk->sk_type == SOCK_DGRAM)
		return altconn_dgram_shutdown(sk, how);
	if (state == TCP_SYN_SENT && endpoint_shutdown_attempt(sk))
		return 0;
	/* The attempt may be established by now. */
	if (altconn_state(sk) != TCP_ESTABLISHED)
		return -ENOTCONN;
	assoc = altconn_assoc_of(sk, &side);
	if (!assoc)
		return -ENOTCONN;
	altconn_assoc_shutdown(assoc, side, how);
	altconn_assoc_put(assoc);
	return 0;
}

static int endpoint_queues(struct sock *sk, int *inq, int *outq)
{
	struct altconn_assoc *assoc;
	enum altconn_side side;

	if (sk->sk_type == SOCK_DGRAM) {
		*inq = altconn_dgram_inq(sk);
		*outq = 0;
		return 0;
	}
	if (sk->sk_state == TCP_LISTEN)
		return -EINVAL;
	*inq = 0;
	*outq = 0;
	assoc = altconn_assoc_of(sk, &side);
	if (!assoc)
		return 0;
	*inq = altconn_ring_payload(READ_ONCE(assoc->end[side].in));
	*outq = altconn_ring_payload(READ_ONCE(assoc->end[!side].in));
	altconn_assoc_put(assoc);
	return 0;
}

/* There is no urgent data, so nothing is at its mark. Datagrams have none. */
static int endpoint_at_mark(const struct sock *sk, int __user *arg)
{
	if (sk->sk_type != SOCK_STREAM &&
	    altconn_sk(sk)->dress == ALTCONN_UNIX)
		return -EOPNOTSUPP;
	if (sk->sk_type == SOCK_DGRAM)
		return -ENOIOCTLCMD;
	return put_user(0, arg);
}

static int endpoint_ioctl(struct socket *sock, unsigned int cmd,
			  unsigned long arg)
{
	int inq, outq, err;

	if (cmd == SIOCATMARK)
		return endpoint_at_mark(sock->sk, (int __user *)arg);
	if (cmd != SIOCINQ && cmd != SIOCOUTQ)
		return -ENOIOCTLCMD;
	err = endpoint_queues(sock->sk, &inq, &outq);
	if (err)
		return err;
	return put_user(cmd == SIOCINQ ? inq : outq, (int __user *)arg);
}

#ifdef CONFIG_COMPAT
static int endpoint_compat_ioctl(struct socket *sock, unsigned int cmd,
				 unsigned long arg)
{
	return endpoint_ioctl(sock, cmd, (unsigned long)compat_ptr(arg));
}
#endif

/*
 * SIOCGSTAMP and its variants, which AF_UNIX does not have. The first request returns
 * the time of the request, later ones the stamp of the last datagram received. -ENOENT
 * when nothing has been received, as TCP and UDP.
 */
static int endpoint_stamp(struct socket *sock, void __user *arg, bool timeval,
			  bool time32)
{
	if (altconn_sk(sock->sk)->dress == ALTCONN_UNIX)
		return -ENOIOCTLCMD;
	return sock_gettstamp(sock, arg, timeval, time32);
}

/* Options that are switches know 0 and 1: other bits are free to get a meaning. */
static bool sockopt_is_switch(int optname)
{
	return optname == ALTCONN_DEFER_ACCEPT ||
	       optname == ALTCONN_WAIT_LISTENER ||
	       optname == ALTCONN_REACHABLE ||
	       optname == ALTCONN_REPLACE_PATH ||
	       optname == ALTCONN_SHARE_ADDRESS;
}

static int sockopt_set_u32(struct sock *sk, int optname, u32 value)
{
	struct altconn_sock *ask = altconn_sk(sk);

	if (sockopt_is_switch(optname) && value > 1)
		return -EINVAL;
	switch (optname) {
	case ALTCONN_BACKLOG_POLICY:
		if (value > ALTCONN_POLICY_FAIL_FAST)
			return -EINVAL;
		altconn_listener_option(sk, value, ask->defer);
		return 0;
	case ALTCONN_DEFER_ACCEPT:
		altconn_listener_option(sk, ask->fail_fast, value);
		return 0;
	case ALTCONN_REFUSE:
		return altconn_listener_refuse(sk, value);
	case ALTCONN_WAIT_LISTENER:
		ask->waits_listener = value;
		return 0;
	case ALTCONN_DGRAM_OVERFLOW:
		if (sk->sk_type != SOCK_DGRAM)
			return -ENOPROTOOPT;
		if (value > ALTCONN_OVERFLOW_DROP_OLDEST)
			return -EINVAL;
		altconn_dgram_overflow(sk, value);
		return 0;
	case ALTCONN_REACHABLE:
		/* Likewise. */
		if (ask->bind)
			return -EINVAL;
		ask->reachable = value;
		return 0;
	case ALTCONN_SHARE_ADDRESS:
		/* It is told when it is bound. */
		if (ask->bind)
			return -EINVAL;
		ask->share = value;
		return 0;
	case ALTCONN_REPLACE_PATH:
		/* Likewise. */
		if (ask->bind)
			return -EINVAL;
		ask->replaces = value;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* As with TCP: no change once the socket has an address. */
static int sockopt_set_v6only(struct sock *sk, u32 value)
{
	/* An attempt that failed, and has told so, keeps no address. */
	if (!READ_ONCE(sk->sk_err))
		altconn_connect_reap(sk);
	if (altconn_sk(sk)->bind || sk->sk_state != TCP_CLOSE)
		return -EINVAL;
	altconn_sk(sk)->v6only = value;
	return 0;
}

static bool sockopt_is_v6only(const struct sock *sk, int level, int optname)
{
	return level == IPPROTO_IPV6 && optname == IPV6_V6ONLY &&
	       altconn_sk(sk)->dress == ALTCONN_INET6;
}

static bool sockopt_is_settable(int optname)
{
	return optname >= ALTCONN_CONNECT_TIMEOUT &&
	       optname <= ALTCONN_REPLACE_PATH &&
	       optname != ALTCONN_CONNECT_INFO &&
	       optname != ALTCONN_PEER_INFO;
}

/*
 * SO_REUSEPORT in the inet formats, as of TCP and UDP; the core refuses it to
 * families other than theirs, and before Linux 6.6 does not ask. The sockets of
 * the other formats have ALTCONN_SHARE_ADDRESS.
 */
static int sockopt_set_reuseport(struct sock *sk, bool value)
{
	u8 dress = altconn_sk(sk)->dress;

	if (value && dress != ALTCONN_INET && dress != ALTCONN_INET6)
		return -EOPNOTSUPP;
	lock_sock(sk);
	sk->sk_reuseport = value;
	release_sock(sk);
	return 0;
}

/*
 * The core's options. It sees them here first: newer kernels keep SO_PASSCRED for
 * the families that they know.
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

/* SO_PEEK_OFF; the core wants to be told that it is possible. */
static int sockopt_set_peek_off(struct sock *sk, int value)
{
	WRITE_ONCE(sk->sk_peek_off, value);
	return 0;
}

/*
 * A value of a program that knows a later version of an option may be longer; what
 * this version does not know must be zero.
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
	return altconn_dgram_cork(sk, value);
}

static int sockopt_set(struct socket *sock, int level, int optname,
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
		return altconn_inet_set(sk, level, optname, optval, optlen);
	if (!v6only && !sockopt_is_settable(optname))
		return -ENOPROTOOPT;
	if (!v6only && optname == ALTCONN_CONNECT_TIMEOUT)
		size = sizeof(value.ms);
	/* That of IPv6 takes any length, and reads an int. */
	err = sockopt_read(&value, size, optval,
			   v6only ? min_t(u32, optlen, size) : optlen);
	if (err)
		return err;
	lock_sock(sk);
	if (v6only)
		err = sockopt_set_v6only(sk, value.u);
	else if (size == sizeof(value.ms))
		altconn_sk(sk)->timeout_ms = value.ms;
	else
		err = sockopt_set_u32(sk, optname, value.u);
	release_sock(sk);
	return err;
}

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

/* As IP: a small number fits in a buffer that is shorter than an int. */
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
	lock_sock(sk);
	ms = altconn_sk(sk)->timeout_ms;
	if (optname == ALTCONN_CONNECT_INFO)
		altconn_connect_outcome(sk, &info);
	err = sockopt_get_u32(sk, optname, &value);
	release_sock(sk);
	if (optname == ALTCONN_CONNECT_INFO)
		return sockopt_put(&info, sizeof(info), optval, optlen);
	if (optname == ALTCONN_CONNECT_TIMEOUT)
		return sockopt_put(&ms, sizeof(ms), optval, optlen);
	return err ? : sockopt_put(&value, sizeof(value), optval, optlen);
}

static int sockopt_get(struct socket *sock, int level, int optname,
		       char __user *optval, int __user *optlen)
{
	u32 v6only = altconn_sk(sock->sk)->v6only;
	int value, err;

	if (sockopt_is_v6only(sock->sk, level, optname))
		return sockopt_put(&v6only, sizeof(v6only), optval, optlen);
	if (sockopt_is_cork(sock->sk, level, optname)) {
		value = altconn_dgram_corked(sock->sk);
		return sockopt_put(&value, sizeof(value), optval, optlen);
	}
	if (level != SOL_ALTCONN) {
		err = altconn_inet_get(sock->sk, level, optname, &value);
		return err ? : sockopt_put_inet(level, value, optval, optlen);
	}
	return sockopt_get_altconn(sock->sk, optname, optval, optlen);
}

/*
 * SO_KEEPALIVE, SO_LINGER, ...: what accept() hands on, as sk_clone_lock(). None of
 * them but the stamps has an effect on connected data.
 */
#define SOCK_INHERITED	(BIT(SOCK_KEEPOPEN) | BIT(SOCK_LINGER) | \
			 BIT(SOCK_URGINLINE) | BIT(SOCK_BROADCAST) | \
			 BIT(SOCK_LOCALROUTE) | BIT(SOCK_DBG) | \
			 BIT(SOCK_RCVTSTAMP) | BIT(SOCK_RCVTSTAMPNS) | \
			 BIT(SOCK_TSTAMP_NEW) | BIT(SOCK_RXQ_OVFL) | \
			 BIT(SOCK_SELECT_ERR_QUEUE))

/**
 * altconn_sock_inherit() - an accepted endpoint has its listener's options
 * @sk: the listener
 * @newsk: the endpoint; nobody else sees it
 *
 * As TCP, whose accepted sockets are copies of the listener; AF_UNIX makes new ones,
 * and so does the sockaddr_un format. SO_PRIORITY stays 0, as TCP's does. Options
 * that another thread sets meanwhile are inherited or not.
 *
 * Context: process, may sleep.
 */
void altconn_sock_inherit(struct sock *sk, struct sock *newsk)
{
	u8 locks = sk->sk_userlocks & SOCK_BUF_LOCK_MASK;

	if (altconn_sk(sk)->dress == ALTCONN_UNIX)
		return;
	newsk->sk_flags |= READ_ONCE(sk->sk_flags) & SOCK_INHERITED;
	newsk->sk_userlocks |= locks;
	newsk->sk_sndbuf = READ_ONCE(sk->sk_sndbuf);
	newsk->sk_rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	newsk->sk_rcvlowat = READ_ONCE(sk->sk_rcvlowat);
	newsk->sk_rcvtimeo = READ_ONCE(sk->sk_rcvtimeo);
	newsk->sk_sndtimeo = READ_ONCE(sk->sk_sndtimeo);
	newsk->sk_lingertime = READ_ONCE(sk->sk_lingertime);
	newsk->sk_peek_off = READ_ONCE(sk->sk_peek_off);
	newsk->sk_mark = READ_ONCE(sk->sk_mark);
	newsk->sk_bound_dev_if = READ_ONCE(sk->sk_bound_dev_if);
	newsk->sk_max_pacing_rate = READ_ONCE(sk->sk_max_pacing_rate);
	newsk->sk_reuse = sk->sk_reuse;
	altconn_inet_inherit(sk, newsk);
}

static int endpoint_socketpair(struct socket *a, struct socket *b)
{
	int err;

	if (a->sk->sk_type == SOCK_DGRAM)
		err = altconn_dgram_pair(a->sk, b->sk);
	else
		err = altconn_assoc_pair(a->sk, b->sk);
	/* socketpair(2) has another errno than connect(2) for this. */
	if (err)
		return err == -EAGAIN ? -ENFILE : err;
	altconn_sock_set_peercred(a->sk, task_tgid(current), current_cred());
	altconn_sock_set_peercred(b->sk, task_tgid(current), current_cred());
	return 0;
}

DEFINE_PROTO_ACCEPT(altconn_listen_accept);

/* .family: the core only asks whether it is PF_UNIX. */
static const struct proto_ops endpoint_stream_ops = {
	.family		= PF_ALTCONN,
	.owner		= THIS_MODULE,
	.release	= endpoint_release,
	.bind		= altconn_bind,
	.connect	= altconn_connect,
	.socketpair	= endpoint_socketpair,
	.accept		= PROTO_ACCEPT(altconn_listen_accept),
	.getname	= endpoint_get_name,
	.poll		= altconn_stream_poll,
	.ioctl		= endpoint_ioctl,
	.gettstamp	= endpoint_stamp,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= endpoint_compat_ioctl,
#endif
	.listen		= altconn_listen,
	.shutdown	= endpoint_shutdown,
	.setsockopt	= sockopt_set,
	.getsockopt	= sockopt_get,
	.sendmsg	= altconn_stream_sendmsg,
	.recvmsg	= altconn_stream_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= sockopt_set_peek_off,
};

static const struct proto_ops endpoint_seqpacket_ops = {
	.family		= PF_ALTCONN,
	.owner		= THIS_MODULE,
	.release	= endpoint_release,
	.bind		= altconn_bind,
	.connect	= altconn_connect,
	.socketpair	= endpoint_socketpair,
	.accept		= PROTO_ACCEPT(altconn_listen_accept),
	.getname	= endpoint_get_name,
	.poll		= altconn_stream_poll,
	.ioctl		= endpoint_ioctl,
	.gettstamp	= endpoint_stamp,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= endpoint_compat_ioctl,
#endif
	.listen		= altconn_listen,
	.shutdown	= endpoint_shutdown,
	.setsockopt	= sockopt_set,
	.getsockopt	= sockopt_get,
	.sendmsg	= altconn_seqpacket_sendmsg,
	.recvmsg	= altconn_seqpacket_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= sockopt_set_peek_off,
};

static const struct proto_ops endpoint_dgram_ops = {
	.family		= PF_ALTCONN,
	.owner		= THIS_MODULE,
	.release	= endpoint_release,
	.bind		= altconn_bind,
	.connect	= altconn_dgram_connect,
	.socketpair	= endpoint_socketpair,
	.accept		= sock_no_accept,
	.getname	= endpoint_get_name,
	.poll		= altconn_dgram_poll,
	.ioctl		= endpoint_ioctl,
	.gettstamp	= endpoint_stamp,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= endpoint_compat_ioctl,
#endif
	.listen		= sock_no_listen,
	.shutdown	= endpoint_shutdown,
	.setsockopt	= sockopt_set,
	.getsockopt	= sockopt_get,
	.sendmsg	= altconn_dgram_sendmsg,
	.recvmsg	= altconn_dgram_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= sockopt_set_peek_off,
};

static const struct proto_ops *endpoint_ops_of(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return &endpoint_stream_ops;
	case SOCK_SEQPACKET:
		return &endpoint_seqpacket_ops;
	case SOCK_DGRAM:
		return &endpoint_dgram_ops;
	default:
		return NULL;
	}
}

/* sk->sk_state_change: also for a reader that is not in the wait queue. */
static void endpoint_state_change(struct sock *sk)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	/* Has a full barrier. */
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	rcu_read_unlock();
	if (rcu_access_pointer(altconn_sk(sk)->reader.task))
		rcuwait_wake_up(&altconn_sk(sk)->reader);
}

/**
 * altconn_sock_alloc() - make an endpoint
 * @net: its namespace
 * @sock: the socket that it becomes part of, or NULL: the caller grafts it
 * @type: SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM
 * @protocol: its dress
 * @kern: for the kernel, does not hold the namespace
 *
 * Context: process, may sleep.
 * Return: the endpoint, unbound and unconnected, or NULL.
 */
struct sock *altconn_sock_alloc(struct net *net, struct socket *sock, int type,
				int protocol, int kern)
{
	struct proto *prot = type == SOCK_DGRAM ? &altconn_dgram_proto :
						  &altconn_proto;
	struct altconn_sock *ask;
	struct sock *sk;

	sk = sk_alloc(net, altconn_family, GFP_KERNEL_ACCOUNT, prot, kern);
	if (!sk)
		return NULL;
	sock_init_data(sock, sk);
	sk->sk_type = type;
	sk->sk_protocol = protocol;
	sk->sk_destruct = endpoint_destruct;
	sk->sk_state_change = endpoint_state_change;
	sk->sk_state = TCP_CLOSE;

	ask = altconn_sk(sk);
	ask->dress = protocol;
	ask->timeout_ms = ALTCONN_TIMEOUT_DEFAULT;
#if IS_ENABLED(CONFIG_IPV6)
	ask->v6only = protocol == ALTCONN_INET6 &&
		      READ_ONCE(net->ipv6.sysctl.bindv6only);
#endif
	spin_lock_init(&ask->bind_lock);
	altconn_entry_init(&ask->entry);
	rcuwait_init(&ask->reader);
	if (type == SOCK_DGRAM)
		altconn_dgram_init(sk);
	return sk;
}

static int endpoint_create(struct net *net, struct socket *sock, int protocol,
			   int kern)
{
	if (!endpoint_ops_of(sock->type))
		return -ESOCKTNOSUPPORT;
	if (protocol < ALTCONN_NATIVE || protocol > ALTCONN_INET6)
		return -EPROTONOSUPPORT;
	sock->state = SS_UNCONNECTED;
	sock->ops = endpoint_ops_of(sock->type);
	sock_sees_core_options(sock);
	return altconn_sock_alloc(net, sock, sock->type, protocol, kern) ?
		0 : -ENOMEM;
}

struct net_proto_family altconn_family_ops __ro_after_init = {
	.create	= endpoint_create,
	.owner	= THIS_MODULE,
};
