// SPDX-License-Identifier: GPL-2.0
/*
 * This file has the protocol family with socket(), and the struct proto_ops of
 * each socket type. It implements close(), shutdown(), getsockname(),
 * getpeername() and ioctl(). The other operations have files of their own.
 */

#include <asm/ioctls.h>
#include <linux/compat.h>
#include <linux/cred.h>
#include <linux/sockios.h>
#include "accept.h"
#include "addr.h"
#include "af_altconn.h"
#include "assoc.h"
#include "bind.h"
#include "bind_local.h"
#include "binding.h"
#include "connect.h"
#include "connect_outcome.h"
#include "dgram_connect.h"
#include "dgram_poll.h"
#include "dgram_queue.h"
#include "dgram_recv.h"
#include "dgram_send.h"
#include "endpoint.h"
#include "listen.h"
#include "ring.h"
#include "sock.h"
#include "sockopt.h"
#include "stream.h"
#include "stream_poll.h"
#include "stream_splice.h"
#include "trace.h"
#include "xns.h"

/*
 * End the activity of an endpoint that is being closed: cancel its attempt,
 * leave its association, close its listener, drop its failed attempt, or give
 * up its datagram peer and queue. altconn_lock() is held.
 */
static void endpoint_disconnect(struct sock *sk)
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
		altconn_listen_close(sk);
		break;
	default:
		altconn_connect_drop_if_failed(sk);
	}
}

static int endpoint_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct path path = {};

	if (!sk)
		return 0;
	altconn_lock(sk);
	endpoint_disconnect(sk);
	altconn_endpoint_unregister(sk);
	altconn_binding_remove(sk, &path);
	if (sk->sk_state != TCP_CLOSE)
		trace_altconn_state(sk, sk->sk_state, TCP_CLOSE);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	sock_orphan(sk);
	sock->sk = NULL;
	altconn_unlock(sk);
	/*
	 * path_put() may free the inode, and so take locks of the file system.
	 * These precede altconn_lock() in the order of locks. So path_put()
	 * follows altconn_unlock().
	 */
	if (path.dentry)
		path_put(&path);
	sock_put(sk);
	return 0;
}

/*
 * Get the peer's address of a connected datagram socket. Return a reference;
 * NULL with 0 in *@err if the peer is unnamed, or with a negative errno. As
 * with UDP, a socket in an inet format can be connected to port 0, and
 * getpeername() then fails with ENOTCONN.
 */
static struct altconn_addr *endpoint_dgram_peer(struct sock *sk, int *err)
{
	struct altconn_addr *addr = altconn_dgram_get_peer(sk);

	if (!addr || addr->kind != ALTCONN_KIND_INET || addr->port ||
	    !altconn_is_inet(sk))
		return addr;
	altconn_addr_put(addr);
	*err = -ENOTCONN;
	return NULL;
}

/*
 * Get the peer's address for getpeername(). Return a reference; NULL with 0 in
 * *@err if the peer is unnamed; NULL with -ENOTCONN in *@err if the endpoint is
 * not connected.
 */
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
		addr = altconn_addr_get(altconn_xns_addr(assoc, !side, side));
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
	/* @uaddr has the size of a struct sockaddr_storage. */
	len = altconn_addr_write(sk, addr, uaddr);
	altconn_addr_put(addr);
	return len;
}

/**
 * altconn_af_stop_listening() - make a listener an unconnected endpoint
 * @sk: the endpoint, in TCP_LISTEN
 *
 * If listen() has bound the endpoint to an automatic address, the endpoint is
 * unbound.
 *
 * Context: process, may sleep; altconn_lock() held.
 */
void altconn_af_stop_listening(struct sock *sk)
{
	altconn_listen_close(sk);
	trace_altconn_state(sk, TCP_LISTEN, TCP_CLOSE);
	WRITE_ONCE(sk->sk_state, TCP_CLOSE);
	altconn_bind_local_undo(sk);
	/*
	 * altconn_listen_close() has woken threads in poll(), but these may
	 * have read sk_state before it changed. So wake them again.
	 */
	sk->sk_state_change(sk);
}

/*
 * Shut down a listener. As with TCP, SHUT_RD and SHUT_RDWR end the listening,
 * and SHUT_WR has no effect. @how is a mask of RCV_SHUTDOWN and SEND_SHUTDOWN.
 */
static int endpoint_shutdown_listener(struct sock *sk, int how)
{
	altconn_lock(sk);
	if (sk->sk_state == TCP_LISTEN && how & RCV_SHUTDOWN)
		altconn_af_stop_listening(sk);
	altconn_unlock(sk);
	return 0;
}

/*
 * Cancel the attempt of an endpoint for shutdown(2). As with TCP, shutdown() of
 * either direction cancels the attempt, and SO_ERROR then returns ECONNRESET.
 * Return true if the attempt has failed, by this call or by another decision
 * since the caller looked. Return false if the attempt is established, or if
 * the state was no longer TCP_SYN_SENT when this call took altconn_lock().
 */
static bool endpoint_cancel_attempt(struct sock *sk)
{
	bool cancelled = false;

	altconn_lock(sk);
	if (sk->sk_state == TCP_SYN_SENT) {
		altconn_connect_cancel(sk, ALTCONN_REASON_CANCELLED_UNSPEC);
		cancelled = sk->sk_state == TCP_CLOSE;
	}
	if (cancelled) {
		altconn_connect_drop_if_failed(sk);
		/* sk_err is set if another decision came first. Keep it. */
		if (!sk->sk_err)
			WRITE_ONCE(sk->sk_err, ECONNRESET);
	}
	altconn_unlock(sk);
	return cancelled;
}

static int endpoint_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	struct altconn_assoc *assoc;
	enum altconn_side side;
	u8 state;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	/*
	 * Convert SHUT_RD, SHUT_WR or SHUT_RDWR to RCV_SHUTDOWN, SEND_SHUTDOWN
	 * or both.
	 */
	how++;
	state = altconn_state(sk);
	if (state == TCP_LISTEN)
		return endpoint_shutdown_listener(sk, how);
	if (sk->sk_type == SOCK_DGRAM)
		return altconn_dgram_shutdown(sk, how);
	if (state == TCP_SYN_SENT && endpoint_cancel_attempt(sk))
		return 0;
	/* Read the state again: the attempt may be established by now. */
	if (altconn_state(sk) != TCP_ESTABLISHED)
		return -ENOTCONN;
	assoc = altconn_assoc_of(sk, &side);
	if (!assoc)
		return -ENOTCONN;
	altconn_assoc_shutdown(assoc, side, how);
	altconn_assoc_put(assoc);
	return 0;
}

/*
 * Get the values of SIOCINQ and SIOCOUTQ: the unread bytes of this endpoint and
 * of its peer. Of a datagram endpoint, SIOCINQ returns the length of the next
 * datagram, and SIOCOUTQ returns 0. Return 0, or -EINVAL for a listener.
 */
static int endpoint_get_queued(struct sock *sk, int *inq, int *outq)
{
	struct altconn_assoc *assoc;
	enum altconn_side side;

	if (sk->sk_type == SOCK_DGRAM) {
		*inq = altconn_dgram_first_len(sk);
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
	*inq = altconn_ring_unread_payload(READ_ONCE(assoc->end[side].in));
	*outq = altconn_ring_unread_payload(READ_ONCE(assoc->end[!side].in));
	altconn_assoc_put(assoc);
	return 0;
}

/*
 * Handle SIOCATMARK. There is no urgent data, so the result is 0. The request
 * fails as in other families for sockets that are no streams: in the
 * sockaddr_un format as with AF_UNIX, and for datagram sockets in the other
 * formats as with UDP.
 */
static int endpoint_ioctl_atmark(const struct sock *sk, int __user *arg)
{
	if (sk->sk_type != SOCK_STREAM &&
	    altconn_sk(sk)->format == ALTCONN_UNIX)
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
		return endpoint_ioctl_atmark(sock->sk, (int __user *)arg);
	if (cmd != SIOCINQ && cmd != SIOCOUTQ)
		return -ENOIOCTLCMD;
	err = endpoint_get_queued(sock->sk, &inq, &outq);
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
 * Handle SIOCGSTAMP and its variants, which AF_UNIX does not have. As with TCP
 * and UDP, a request returns the stamp of the datagram that was received last,
 * and fails with ENOENT if there is none. The first request turns stamps on. It
 * gives a datagram that was received before it the present time as its stamp.
 */
static int endpoint_get_stamp(struct socket *sock, void __user *arg,
			      bool timeval, bool time32)
{
	if (altconn_sk(sock->sk)->format == ALTCONN_UNIX)
		return -ENOIOCTLCMD;
	return sock_gettstamp(sock, arg, timeval, time32);
}

static int endpoint_socketpair(struct socket *a, struct socket *b)
{
	int err;

	if (a->sk->sk_type == SOCK_DGRAM)
		err = altconn_dgram_pair(a->sk, b->sk);
	else
		err = altconn_assoc_pair(a->sk, b->sk);
	/*
	 * -EAGAIN means that the user or the namespace has too many
	 * associations. socketpair(2) then fails with ENFILE.
	 */
	if (err)
		return err == -EAGAIN ? -ENFILE : err;
	altconn_endpoint_set_peercred(a->sk, task_tgid(current),
				      current_cred());
	altconn_endpoint_set_peercred(b->sk, task_tgid(current),
				      current_cred());
	return 0;
}

DEFINE_PROTO_ACCEPT(altconn_accept_sock);
DEFINE_PROTO_SENDPAGE(altconn_stream_sendmsg);

/*
 * .family does not follow the module parameter family=, which may give the
 * family another number. This is harmless: the core only compares .family with
 * PF_UNIX.
 */
static const struct proto_ops endpoint_stream_ops = {
	.family		= PF_ALTCONN,
	.owner		= THIS_MODULE,
	.release	= endpoint_release,
	.bind		= altconn_bind,
	.connect	= altconn_connect,
	.socketpair	= endpoint_socketpair,
	.accept		= PROTO_ACCEPT(altconn_accept_sock),
	.getname	= endpoint_get_name,
	.poll		= altconn_stream_poll,
	.ioctl		= endpoint_ioctl,
	.gettstamp	= endpoint_get_stamp,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= endpoint_compat_ioctl,
#endif
	.listen		= altconn_listen,
	.shutdown	= endpoint_shutdown,
	.setsockopt	= altconn_sockopt_set,
	.getsockopt	= altconn_sockopt_get,
	.sendmsg	= altconn_stream_sendmsg,
	.recvmsg	= altconn_stream_recvmsg,
	PROTO_SENDPAGE(altconn_stream_sendmsg)
	.splice_read	= altconn_stream_splice_read,
	.mmap		= sock_no_mmap,
	.set_peek_off	= altconn_sockopt_set_peek_off,
};

static const struct proto_ops endpoint_seqpacket_ops = {
	.family		= PF_ALTCONN,
	.owner		= THIS_MODULE,
	.release	= endpoint_release,
	.bind		= altconn_bind,
	.connect	= altconn_connect,
	.socketpair	= endpoint_socketpair,
	.accept		= PROTO_ACCEPT(altconn_accept_sock),
	.getname	= endpoint_get_name,
	.poll		= altconn_stream_poll,
	.ioctl		= endpoint_ioctl,
	.gettstamp	= endpoint_get_stamp,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= endpoint_compat_ioctl,
#endif
	.listen		= altconn_listen,
	.shutdown	= endpoint_shutdown,
	.setsockopt	= altconn_sockopt_set,
	.getsockopt	= altconn_sockopt_get,
	.sendmsg	= altconn_stream_seqpacket_sendmsg,
	.recvmsg	= altconn_stream_seqpacket_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= altconn_sockopt_set_peek_off,
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
	.gettstamp	= endpoint_get_stamp,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= endpoint_compat_ioctl,
#endif
	.listen		= sock_no_listen,
	.shutdown	= endpoint_shutdown,
	.setsockopt	= altconn_sockopt_set,
	.getsockopt	= altconn_sockopt_get,
	.sendmsg	= altconn_dgram_sendmsg,
	.recvmsg	= altconn_dgram_recvmsg,
	.mmap		= sock_no_mmap,
	.set_peek_off	= altconn_sockopt_set_peek_off,
};

/* Return the operations of a socket type, or NULL for an unknown type. */
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
	return altconn_endpoint_alloc(net, sock, protocol, kern) ? 0 : -ENOMEM;
}

struct net_proto_family altconn_family_ops __ro_after_init = {
	.create	= endpoint_create,
	.owner	= THIS_MODULE,
};
