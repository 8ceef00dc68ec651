// SPDX-License-Identifier: GPL-2.0
/* This file implements recvmsg() of datagram sockets. */

#include "addr.h"
#include "dgram_block.h"
#include "dgram_queue.h"
#include "dgram_recv.h"
#include "scm.h"
#include "sock.h"
#include "wait.h"

/*
 * Return the datagram that a peek reads, and set *@skip to the offset in this
 * datagram at which the peek begins. Return NULL if there is none. As with
 * AF_UNIX, SO_PEEK_OFF counts the bytes of all datagrams from the beginning of
 * the queue. queue_lock is held.
 */
static struct altconn_dgram *dgram_find_peek(struct sock *sk, u32 *skip)
{
	int offset = READ_ONCE(sk->sk_peek_off);
	struct altconn_dgram *dg;

	*skip = max(offset, 0);
	list_for_each_entry(dg, &altconn_dgram_sk(sk)->queue, node) {
		/* With SO_PEEK_OFF an empty datagram is peeked at only once. */
		if (*skip < dg->len ||
		    !(*skip || (dg->peeked && offset >= 0)))
			return dg;
		*skip -= dg->len;
	}
	return NULL;
}

/*
 * Do the work that altconn_dgram_serve_blocked() has returned in @todo.
 * queue_lock is not held.
 */
static noinline void dgram_wake_after_read(struct sock *sk, int todo)
{
	if (todo & DGRAM_WAKE_READERS)
		altconn_dgram_wake_reader(sk);
	if (todo & DGRAM_WAKE_POLLERS)
		altconn_dgram_wake_pollers(sk);
}

/*
 * Return the next datagram, a reference, and set *@skip to the offset of the
 * first byte to read. Remove the datagram from the queue unless @peek is set.
 * Return NULL if there is no datagram.
 */
static __always_inline struct altconn_dgram *
dgram_dequeue(struct sock *sk, bool peek, u32 *skip)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	struct altconn_dgram *dg;
	int todo = 0;

	*skip = 0;
	if (altconn_dgram_is_empty(ask))
		return NULL;
	spin_lock(&ask->queue_lock);
	dg = unlikely(peek) ? dgram_find_peek(sk, skip) :
			      altconn_dgram_first(ask);
	if (dg && peek) {
		dg->peeked = true;
		refcount_inc(&dg->refs);
	} else if (dg) {
		altconn_dgram_unlink(ask, dg);
		if (!list_empty(&ask->blocked) || !list_empty(&ask->pollers))
			todo = altconn_dgram_serve_blocked(sk);
	}
	spin_unlock(&ask->queue_lock);
	if (unlikely(todo))
		dgram_wake_after_read(sk, todo);
	return dg;
}

/*
 * Check whether a recvmsg() with the flags *@arg finds a datagram. A peek finds
 * none if SO_PEEK_OFF is beyond the queued data.
 */
static bool dgram_has_data(struct sock *sk, const int *arg)
{
	bool found;
	u32 skip;

	if (altconn_dgram_is_empty(altconn_dgram_sk(sk)))
		return false;
	if (likely(!(*arg & MSG_PEEK) || READ_ONCE(sk->sk_peek_off) < 0))
		return true;
	spin_lock(&altconn_dgram_sk(sk)->queue_lock);
	found = dgram_find_peek(sk, &skip);
	spin_unlock(&altconn_dgram_sk(sk)->queue_lock);
	return found;
}

/* Check whether a recvmsg() with the flags *@arg need not wait any longer. */
static bool dgram_can_read(struct sock *sk, const void *arg)
{
	return dgram_has_data(sk, arg) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN;
}

/*
 * Announce a reader in the wait queue, and then do the check. The order ensures
 * that the reader finds a new datagram, or that the sender wakes the reader.
 */
static bool dgram_announce_reader(struct sock *sk, const void *arg)
{
	altconn_wait_announce(sk);
	return dgram_can_read(sk, arg);
}

/*
 * Wait for a datagram, on behalf of dgram_receive(), which describes the result
 * and the arguments. *@err is 0 on entry.
 */
static noinline struct altconn_dgram *
dgram_receive_wait(struct sock *sk, int flags, u32 *skip, int *err)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct altconn_dgram *dg;

	do {
		if (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) {
			/*
			 * A nonblocking recv() of UDP does not return 0 after a
			 * shutdown for reading, but fails with EAGAIN.
			 */
			if (!timeo && altconn_is_inet(sk))
				*err = -EAGAIN;
			return NULL;
		}
		*err = altconn_wait_readable(sk, &timeo, dgram_can_read,
					     dgram_announce_reader, &flags) ? :
		       sock_error(sk);
		if (*err)
			return NULL;
		dg = dgram_dequeue(sk, flags & MSG_PEEK, skip);
	} while (!dg);
	return dg;
}

/*
 * Get the next datagram, after a wait if there is none now. Return a reference,
 * and set *@skip to the offset of the first byte to read. On failure return
 * NULL with a negative errno in *@err, or with 0 there if the socket is shut
 * down for reading.
 */
static __always_inline struct altconn_dgram *
dgram_receive(struct sock *sk, int flags, u32 *skip, int *err)
{
	struct altconn_dgram *dg;

	/* As with AF_UNIX and UDP, return a pending error before the data. */
	*err = sock_error(sk);
	if (unlikely(*err))
		return NULL;
	dg = dgram_dequeue(sk, flags & MSG_PEEK, skip);
	return likely(dg) ? dg : dgram_receive_wait(sk, flags, skip, err);
}

/* Write the ancillary data of a datagram to the control messages. */
static void dgram_receive_scm(struct msghdr *msg, struct altconn_dgram *dg,
			      bool passcred, bool peek)
{
	struct altconn_scm copy;

	/*
	 * altconn_scm_recv() empties its argument. It may empty dg->scm only if
	 * no other reader uses it. A reader that peeks at the datagram holds a
	 * reference, and once the datagram has left the queue, no further
	 * reader finds it.
	 */
	if (!peek && refcount_read(&dg->refs) == 1) {
		altconn_scm_recv(msg, &dg->scm, passcred);
		return;
	}
	altconn_scm_copy(&copy, &dg->scm);
	altconn_scm_recv(msg, &copy, passcred);
}

/*
 * Move SO_PEEK_OFF forward after a peek at @n bytes, or back after a read has
 * removed @n bytes.
 */
static void dgram_move_peek_off(struct sock *sk, int flags, size_t n)
{
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, n);
	else
		sk_peek_offset_bwd(sk, n);
}

/**
 * altconn_dgram_recvmsg() - recv(2) of a datagram
 * @sock: the socket
 * @msg: gets the data, the sender's address and control messages
 * @len: size of the buffer, bytes; the rest of the datagram is lost
 * @flags: MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_OOB and MSG_ERRQUEUE have an
 *	effect
 *
 * A datagram is lost if its data cannot be copied to the buffer (-EFAULT).
 *
 * Context: process, may sleep.
 * Return: the number of bytes copied, or with MSG_TRUNC the length of the
 * datagram; 0 if the socket is shut down for reading; -EAGAIN if no datagram
 * has arrived in time, and for MSG_ERRQUEUE except in the sockaddr_un format;
 * -EOPNOTSUPP for MSG_OOB; a pending error of the socket (-ECONNREFUSED or
 * -ECONNRESET); -EFAULT; -EINTR or -ERESTARTSYS on a signal.
 */
int altconn_dgram_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			  int flags)
{
	struct sock *sk = sock->sk;
	struct altconn_dgram *dg;
	bool passcred;
	u32 skip;
	size_t n;
	int err;

	if (unlikely(flags & (MSG_OOB | MSG_ERRQUEUE))) {
		/*
		 * The error queue is always empty. In the sockaddr_un format
		 * MSG_ERRQUEUE has no effect, as with AF_UNIX.
		 */
		if (flags & MSG_ERRQUEUE &&
		    altconn_sk(sk)->format != ALTCONN_UNIX)
			return -EAGAIN;
		if (flags & MSG_OOB)
			return -EOPNOTSUPP;
	}
	dg = dgram_receive(sk, flags, &skip, &err);
	if (!dg)
		return err;
	n = min_t(size_t, len, dg->len - skip);
	if (n < dg->len - skip)
		msg->msg_flags |= MSG_TRUNC;
	err = -EFAULT;
	if (_copy_to_iter(dg->data + skip, n, &msg->msg_iter) == n) {
		if (msg->msg_name)
			altconn_addr_to_msg(sk, dg->from, msg);
		/*
		 * Return the time stamp, or store it for SIOCGSTAMP, as
		 * sock_recv_cmsgs() does. The stored value 0 means that data
		 * was received while no option asked for time stamps.
		 */
		if (unlikely(sock_flag(sk, SOCK_RCVTSTAMP)))
			altconn_scm_put_stamp(msg, sk, dg->scm.stamp);
		else if (unlikely(sock_flag(sk, SOCK_TIMESTAMP)))
			sock_write_timestamp(sk, dg->scm.stamp ? :
						 ktime_get_real());
		else if (unlikely(sock_read_timestamp(sk) == SK_DEFAULT_STAMP))
			sock_write_timestamp(sk, 0);
		passcred = sock_passcred(sock);
		if (unlikely(passcred || dg->scm.parcel))
			dgram_receive_scm(msg, dg, passcred, flags & MSG_PEEK);
		if (unlikely(READ_ONCE(sk->sk_peek_off) >= 0))
			dgram_move_peek_off(sk, flags,
					    flags & MSG_PEEK ? n : dg->len);
		err = flags & MSG_TRUNC ? dg->len - skip : n;
	}
	altconn_dgram_put(dg);
	return err;
}
