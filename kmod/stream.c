// SPDX-License-Identifier: GPL-2.0
/*
 * Stream and seqpacket sockets send and receive data over the association's
 * rings.
 *
 * Neither side takes the socket's lock. A thread that is about to sleep
 * announces that first (wait.h, want_space), and then looks again for data or
 * space. A thread that has made data or space then looks for sleepers. Each
 * side has a full barrier between its two steps.
 */

#include "addr.h"
#include "assoc.h"
#include "ring.h"
#include "ring_read.h"
#include "ring_write.h"
#include "scm.h"
#include "sock.h"
#include "stream.h"
#include "wait.h"
#include "xns.h"

/*
 * Return the ring of data towards the peer, made if needed, or NULL if there is
 * no memory.
 */
static struct altconn_ring *stream_get_out_ring(const struct stream_conn *c)
{
	return altconn_stream_out_ring(c) ? : altconn_ring_new(&c->peer->in,
					      c->assoc->cred);
}

/*
 * Wake the peer's readers. Before accept() the server's end has no endpoint,
 * and the accepted socket finds the data when it looks.
 */
static __always_inline void stream_wake_reader(const struct stream_conn *c)
{
	/*
	 * The ring's full barrier after the data is written pairs with the
	 * barrier of altconn_assoc_attach(), and with that of a reader that is
	 * about to sleep.
	 */
	struct sock *peer = READ_ONCE(c->peer->sk);

	if (peer)
		altconn_wake_reader(peer);
}

/* Wake the peer's writers if the ring is writable again. */
static noinline void stream_notify_space(const struct stream_conn c)
{
	struct sock *peer = READ_ONCE(c.peer->sk);

	if (!peer || !altconn_ring_writable(altconn_stream_in_ring(&c),
					    altconn_stream_send_limit(peer)))
		return;
	WRITE_ONCE(c.peer->want_space, false);
	peer->sk_write_space(peer);
}

static __always_inline void stream_wake_writer(const struct stream_conn *c)
{
	/*
	 * The ring's full barrier after the data is read pairs with the one
	 * after want_space is stored in altconn_stream_announce_writer().
	 * Acquire, so that wake_at is visible when want_space is.
	 */
	if (unlikely(smp_load_acquire(&c->peer->want_space)) &&
	    altconn_ring_is_drained(altconn_stream_in_ring(c)))
		stream_notify_space(*c);
}

/* Return the bytes ever written towards the caller. */
static u32 stream_bytes_written(const struct stream_conn *c)
{
	const struct altconn_ring *ring = altconn_stream_in_ring(c);

	return ring ? altconn_ring_head(ring) : 0;
}

/*
 * Return whether there is data. With SO_PEEK_OFF there is data behind the
 * offset if something was written since the reader last looked.
 */
static bool stream_has_data(const struct stream_conn *c)
{
	if (unlikely(c->seeks))
		return stream_bytes_written(c) != c->seen;
	return altconn_ring_used(altconn_stream_in_ring(c));
}

static bool stream_can_read(struct sock *sk, const void *arg)
{
	const struct stream_conn *c = arg;

	return stream_has_data(c) ||
	       altconn_assoc_shut_mask(c->own) & RCV_SHUTDOWN ||
	       READ_ONCE(sk->sk_err);
}

/* Announce a reader in the wait queue, then look again. */
static bool stream_announce_reader(struct sock *sk, const void *arg)
{
	altconn_wait_announce(sk);
	return stream_can_read(sk, arg);
}

/* Wait for space. Return what is left of @timeo, or an errno. */
static noinline long
stream_wait_for_space(struct sock *sk, const struct stream_conn c, long timeo)
{
	return altconn_wait_until(sk, &timeo, altconn_stream_announce_writer, &c) ? :
	       timeo;
}

/*
 * Return the pending error. If the call has transferred bytes, it returns their
 * number, so leave the error pending for the next call.
 */
static int stream_get_error(struct sock *sk, size_t done)
{
	return done ? -READ_ONCE(sk->sk_err) : sock_error(sk);
}

/* Return the errno if nothing may be sent any more, else 0. */
static int stream_check_send(struct sock *sk, const struct stream_conn *c,
			     size_t sent)
{
	int err = stream_get_error(sk, sent);

	if (err)
		return err;
	if (altconn_assoc_shut_mask(c->own) & SEND_SHUTDOWN)
		return -EPIPE;
	return 0;
}

/*
 * Return the errno of a write that found the ring sealed. A shutdown, or a
 * reset, came after stream_check_send().
 */
static noinline int stream_sealed_error(struct sock *sk, size_t sent)
{
	return stream_get_error(sk, sent) ? : -EPIPE;
}

/*
 * Return whether the bytes count as sent, though the peer has closed. With TCP
 * the first bytes after the peer's close are sent before the peer's answer to
 * them can arrive. So programs that use the inet formats expect EPIPE for the
 * second send only.
 */
static bool stream_count_as_sent(const struct sock *sk,
				 const struct stream_conn *c)
{
	struct altconn_end *end = c->own;

	if (!altconn_is_inet(sk) ||
	    READ_ONCE(end->shutdown) & SEND_SHUTDOWN || READ_ONCE(end->lost) ||
	    READ_ONCE(end->reset) ||
	    READ_ONCE(c->peer->shutdown) != SHUTDOWN_MASK)
		return false;
	WRITE_ONCE(end->lost, true);
	return true;
}

/*
 * Return the result of a call that has sent nothing on a stream shut for
 * sending.
 */
static noinline ssize_t stream_send_shut(struct sock *sk,
					 const struct stream_conn c, size_t len)
{
	return stream_count_as_sent(sk, &c) ? len : stream_sealed_error(sk, 0);
}

/*
 * At most this many bytes are copied at once. Meanwhile the other side works on
 * the bytes before them.
 */
#define STREAM_CHUNK	(64U << 10)

static __always_inline ssize_t stream_send_bytes(struct sock *sk,
						 const struct stream_conn *c,
						 struct msghdr *msg, size_t len,
						 struct altconn_scm *scm)
{
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	struct altconn_ring *ring = stream_get_out_ring(c);
	size_t sent = 0;
	ssize_t n;

	if (!ring)
		return -ENOMEM;
	do {
		n = stream_check_send(sk, c, sent);
		if (n || !len)
			break;
		n = altconn_ring_write(ring, &msg->msg_iter,
				       min_t(size_t, len - sent, STREAM_CHUNK),
				       altconn_stream_send_limit(sk), scm);
		if (n > 0) {
			sent += n;
			stream_wake_reader(c);
		} else if (n == -EAGAIN) {
			timeo = stream_wait_for_space(sk, *c, timeo);
			n = min(timeo, 0L);
		}
	} while (sent < len && n >= 0);
	if (unlikely(n == -EPIPE) && !sent)
		return stream_send_shut(sk, *c, len);
	return sent ? : n;
}

/*
 * Write a record once. As with AF_UNIX, a timestamp goes with a record and not
 * with bytes of a stream, and says when the record was queued.
 */
static __always_inline ssize_t stream_write_record(struct sock *sk,
						   const struct stream_conn *c,
						   struct msghdr *msg,
						   size_t len, u32 limit,
						   struct altconn_scm *scm)
{
	const struct sock *peer = altconn_stream_peer_of(c);
	ssize_t n = stream_check_send(sk, c, 0);

	if (n)
		return n;
	n = altconn_ring_write_record(altconn_stream_out_ring(c),
				      &msg->msg_iter, len, limit, scm,
				      peer && sock_flag(peer, SOCK_RCVTSTAMP),
				      msg->msg_flags & MSG_EOR);
	return likely(n != -EPIPE) ? n : stream_sealed_error(sk, 0);
}

/* The ring is full. Wait for space and try again. */
static noinline ssize_t stream_write_record_wait(struct sock *sk,
						 const struct stream_conn c,
						 struct msghdr *msg, size_t len,
						 struct altconn_scm *scm)
{
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	ssize_t n;

	do {
		timeo = stream_wait_for_space(sk, c, timeo);
		if (timeo < 0)
			return timeo;
		n = stream_write_record(sk, &c, msg, len,
					altconn_stream_send_limit(sk), scm);
	} while (n == -EAGAIN);
	return n;
}

static __always_inline ssize_t stream_send_record(struct sock *sk,
						  const struct stream_conn *c,
						  struct msghdr *msg,
						  size_t len,
						  struct altconn_scm *scm)
{
	u32 limit = altconn_stream_send_limit(sk);
	ssize_t n;

	if (!stream_get_out_ring(c))
		return -ENOMEM;
	/*
	 * As with AF_UNIX, 32 bytes of the buffer stay reserved for overhead.
	 */
	if (len > limit - 32)
		return -EMSGSIZE;
	n = stream_write_record(sk, c, msg, len, limit, scm);
	if (n == -EAGAIN)
		n = stream_write_record_wait(sk, *c, msg, len, scm);
	if (n >= 0)
		stream_wake_reader(c);
	return n;
}

/*
 * Return whether EPIPE raises SIGPIPE. AF_UNIX raises none on seqpacket
 * sockets.
 */
static bool stream_raises_sigpipe(const struct sock *sk,
				  const struct msghdr *msg)
{
	if (msg->msg_flags & MSG_NOSIGNAL)
		return false;
	return sk->sk_type == SOCK_STREAM ||
	       altconn_sk(sk)->format != ALTCONN_UNIX;
}

/*
 * Return whether credentials go with the data. Before accept() it is not known
 * whether the server will ask for them, so they do.
 */
static __always_inline bool stream_carries_creds(const struct socket *sock,
						 const struct sock *peer)
{
	return !peer || sk_passcred(peer) || sock_passcred(sock);
}

static __always_inline ssize_t stream_send_data(struct sock *sk,
						const struct stream_conn *c,
						struct msghdr *msg, size_t len,
						bool record,
						struct altconn_scm *scm)
{
	return record ? stream_send_record(sk, c, msg, len, scm) :
			stream_send_bytes(sk, c, msg, len, scm);
}

/* Send data together with credentials or descriptors. */
static noinline ssize_t stream_send_scm(struct socket *sock,
					const struct stream_conn c,
					struct msghdr *msg, size_t len,
					bool record)
{
	struct altconn_scm scm = {};
	struct sock *sk = sock->sk;
	ssize_t n = 0;

	if (msg->msg_controllen)
		n = altconn_scm_send(sk, msg, &scm);
	if (n)
		return n;
	if (stream_carries_creds(sock, altconn_stream_peer_of(&c)))
		altconn_scm_fill(&scm);
	n = stream_send_data(sk, &c, msg, len, record, &scm);
	altconn_scm_destroy(&scm);
	return n;
}

static bool stream_is_decided(struct sock *sk, const void *arg)
{
	/*
	 * Pairs with the barrier of skwq_has_sleeper() in the waker: enter the
	 * wait queue first, then look at the state.
	 */
	smp_mb();
	return altconn_state(sk) != TCP_SYN_SENT;
}

/*
 * Handle a call on a socket that is not connected. In the inet formats the call
 * waits for a pending attempt, as with TCP, and returns the error of an attempt
 * that has failed.
 *
 * Return: 0 if the socket is connected by now, else the errno of the call. That
 * is -ENOTCONN outside the inet formats. In the inet formats it is the error of
 * the wait or of the attempt, or @err if there is none.
 */
static noinline int stream_wait_connected(struct sock *sk, long timeo, int err)
{
	int waited = 0;

	if (!altconn_is_inet(sk))
		return -ENOTCONN;
	if (altconn_state(sk) == TCP_SYN_SENT)
		waited = altconn_wait_until(sk, &timeo, stream_is_decided,
					    NULL);
	if (waited || altconn_state(sk) == TCP_ESTABLISHED)
		return waited;
	return sock_error(sk) ? : err;
}

static long stream_sndtimeo(const struct sock *sk,
			    const struct msghdr *msg)
{
	return sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
}

static __always_inline int stream_send_connected(struct socket *sock,
						 struct msghdr *msg, size_t len,
						 bool record)
{
	struct sock *sk = sock->sk;
	struct stream_conn c;
	ssize_t n;

	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	n = altconn_stream_get_assoc(sk, &c);
	if (unlikely(n)) {
		n = stream_wait_connected(sk, stream_sndtimeo(sk, msg), -EPIPE);
		/*
		 * Another thread may dissolve the association, so check again.
		 */
		if (!n)
			n = altconn_stream_get_assoc(sk, &c);
		if (n)
			goto out;
	}
	if (unlikely(msg->msg_controllen ||
		     stream_carries_creds(sock, altconn_stream_peer_of(&c))))
		n = stream_send_scm(sock, c, msg, len, record);
	else
		n = stream_send_data(sk, &c, msg, len, record, NULL);
	altconn_stream_put_assoc(&c);
out:
	if (n == -EPIPE && stream_raises_sigpipe(sk, msg))
		send_sig(SIGPIPE, current, 0);
	return n;
}

/**
 * altconn_stream_sendmsg() - send(2) on a stream socket
 * @sock: the socket
 * @msg: the data and control messages. An address is ignored in the inet
 *	formats, as with TCP, and refused in the other formats, as with AF_UNIX
 * @len: bytes of data
 *
 * In the inet formats a call during a pending attempt waits for the attempt, as
 * with TCP.
 *
 * Context: process, may sleep.
 * Return: bytes sent; -ENOTCONN: not connected; in the inet formats this is
 * -EPIPE, or the error of the attempt that failed; -EISCONN or -EOPNOTSUPP: an
 * address is refused; -EPIPE, with SIGPIPE: the socket is shut for sending;
 * -ECONNRESET: the association was reset; -EAGAIN: no space in time;
 * -EOPNOTSUPP: MSG_OOB; -EFAULT; -ENOMEM; -EINTR or -ERESTARTSYS: a signal is
 * pending; and the errors of altconn_scm_send().
 */
int altconn_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	if (unlikely(msg->msg_namelen) && !altconn_is_inet(sock->sk))
		return sock->sk->sk_state == TCP_ESTABLISHED ? -EISCONN :
							       -EOPNOTSUPP;
	return stream_send_connected(sock, msg, len, false);
}

/**
 * altconn_seqpacket_sendmsg() - send(2) of one record
 * @sock: the socket
 * @msg: the data and control messages; an address is ignored in every format,
 *	as with AF_UNIX
 * @len: bytes of data
 *
 * Context: process, may sleep.
 * Return: @len; -EMSGSIZE: the record is larger than the send buffer allows;
 * else as altconn_stream_sendmsg(), but in the sockaddr_un format -EPIPE raises
 * no SIGPIPE.
 */
int altconn_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
			      size_t len)
{
	return stream_send_connected(sock, msg, len, true);
}

/*
 * Wait for data after the ring was found empty. Return 0 if the caller is to
 * look again, 1 if no more data will come, or an errno. A caller that first
 * sees that the peer has shut its side (@last) looks into the ring once more,
 * because it then sees all that was sent before.
 */
static noinline int stream_wait_for_data(struct sock *sk,
					 const struct stream_conn c, bool *last,
					 bool copied, long *timeo)
{
	int err = stream_get_error(sk, copied);

	if (err || *last)
		return err ? : 1;
	*last = altconn_assoc_shut_mask(c.own) & RCV_SHUTDOWN;
	return *last ? 0 : altconn_wait_readable(sk, timeo, stream_can_read,
						 stream_announce_reader, &c);
}

/*
 * Move SO_PEEK_OFF forward after a peek, so that the next peek begins behind
 * this one, and backward after a read, by the bytes that are gone.
 */
static void stream_move_peek_off(struct sock *sk, int flags, size_t n)
{
	if (likely(READ_ONCE(sk->sk_peek_off) < 0))
		return;
	if (flags & MSG_PEEK)
		sk_peek_offset_fwd(sk, n);
	else
		sk_peek_offset_bwd(sk, n);
}

static ssize_t stream_recv_bytes(struct sock *sk, struct stream_conn *c,
				 struct msghdr *msg, size_t len, int flags,
				 struct altconn_rx *rx)
{
	size_t target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	bool peek = flags & MSG_PEEK, last = false;
	size_t copied = 0, want;
	ssize_t n;

	do {
		if (unlikely(c->seeks))
			c->seen = stream_bytes_written(c);
		/* A peek reads only once, so it takes all at once. */
		want = peek ? len : min_t(size_t, len - copied, STREAM_CHUNK);
		n = altconn_ring_read(altconn_stream_in_ring(c), &msg->msg_iter,
				      want, peek, rx);
		/* After a peek too, in case an earlier wake-up was missed. */
		if (n != -EAGAIN)
			stream_wake_writer(c);
		if (n >= 0) {
			copied += n;
			if (peek || !n || copied == len || rx->stop ||
			    (copied >= target && n < want))
				break;
			continue;
		}
		if (n != -EAGAIN || copied >= target)
			break;
		n = stream_wait_for_data(sk, *c, &last, copied, &timeo);
		if (n > 0) {
			n = 0;
			break;
		}
	} while (n >= 0);
	stream_move_peek_off(sk, flags, copied);
	return copied ? : n;
}

static __always_inline ssize_t stream_read_record(struct stream_conn *c,
						  struct msghdr *msg,
						  size_t len, int flags,
						  struct altconn_rx *rx,
						  size_t *record)
{
	if (unlikely(c->seeks))
		c->seen = stream_bytes_written(c);
	return altconn_ring_read_record(altconn_stream_in_ring(c),
					&msg->msg_iter, len, flags & MSG_PEEK,
					rx, record);
}

/* Wait for a record and read it. Return -ENODATA if no record will come. */
static noinline ssize_t stream_read_record_wait(
	struct sock *sk, struct stream_conn c, struct msghdr *msg, size_t len,
	int flags, struct altconn_rx *rx, size_t *record)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	bool last = false;
	ssize_t n;

	do {
		n = stream_wait_for_data(sk, c, &last, false, &timeo);
		if (n)
			return n > 0 ? -ENODATA : n;
		n = stream_read_record(&c, msg, len, flags, rx, record);
	} while (n == -EAGAIN);
	return n;
}

static ssize_t stream_recv_record(struct sock *sk, struct stream_conn *c,
				  struct msghdr *msg, size_t len, int flags,
				  struct altconn_rx *rx)
{
	size_t record;
	ssize_t n;

	n = stream_read_record(c, msg, len, flags, rx, &record);
	if (n == -EAGAIN)
		n = stream_read_record_wait(sk, *c, msg, len, flags, rx,
					    &record);
	stream_wake_writer(c);
	if (n < 0)
		return n == -ENODATA ? 0 : n;
	/*
	 * As with AF_UNIX, a record that is read moves the offset back by its
	 * whole length, even if it was cut.
	 */
	stream_move_peek_off(sk, flags, flags & MSG_PEEK ? n : record);
	msg->msg_flags |= (n < record ? MSG_TRUNC : 0) |
			  (rx->eor ? MSG_EOR : 0);
	return flags & MSG_TRUNC ? record : n;
}

/*
 * Store the peer's address in msg_name. A stream in an inet format has none, as
 * with TCP: there only getpeername() returns the peer's address.
 */
static noinline void stream_name_peer(struct sock *sk,
				      const struct stream_conn c,
				      struct msghdr *msg)
{
	enum altconn_side side = c.own - c.assoc->end;

	if (sk->sk_type != SOCK_STREAM || !altconn_is_inet(sk))
		altconn_addr_to_msg(
			sk, altconn_assoc_addr(c.assoc, !side, side), msg);
}

/*
 * Handle rare flags of recvmsg(). The error queue is always empty. MSG_TRUNC on
 * a stream discards the bytes, as with TCP. In the sockaddr_un format
 * MSG_ERRQUEUE is ignored, and so is MSG_TRUNC on a stream, as with AF_UNIX.
 */
static noinline int stream_rare_flags(const struct sock *sk,
				      struct msghdr *msg, size_t len,
				      int flags)
{
	bool as_unix = altconn_sk(sk)->format == ALTCONN_UNIX;

	if (flags & MSG_ERRQUEUE && !as_unix)
		return -EAGAIN;
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_TRUNC && sk->sk_type == SOCK_STREAM && !as_unix)
		iov_iter_discard(&msg->msg_iter, ITER_DEST, len);
	return 0;
}

/*
 * Pass the control messages of the data to the caller. As with AF_UNIX, the end
 * of a stream has credentials, those of no process, and the end of a sequence
 * of records has none.
 */
static noinline void stream_recv_scm(struct sock *sk, struct msghdr *msg,
				     struct altconn_rx *rx, bool record)
{
	if (record && !rx->began)
		return;
	if (record && sock_flag(sk, SOCK_RCVTSTAMP))
		altconn_scm_put_stamp(msg, sk, rx->scm.stamp);
	altconn_scm_recv(msg, &rx->scm, rx->passcred);
}

static __always_inline int stream_recv_connected(struct socket *sock,
						 struct msghdr *msg, size_t len,
						 int flags, bool record)
{
	struct sock *sk = sock->sk;
	struct altconn_rx rx = {
		.passcred = sock_passcred(sock),
		.seeks = flags & MSG_PEEK && READ_ONCE(sk->sk_peek_off) >= 0,
	};
	struct stream_conn c;
	ssize_t n;

	if (unlikely(flags & (MSG_OOB | MSG_ERRQUEUE | MSG_TRUNC))) {
		n = stream_rare_flags(sk, msg, len, flags);
		if (n)
			return n;
	}
	n = altconn_stream_get_assoc(sk, &c);
	if (unlikely(n)) {
		n = stream_wait_connected(
			sk, sock_rcvtimeo(sk, flags & MSG_DONTWAIT), -ENOTCONN);
		if (!n)
			n = altconn_stream_get_assoc(sk, &c);
		if (n)
			return n;
	}
	c.seeks = rx.seeks;
	if (unlikely(rx.seeks))
		rx.skip = max(READ_ONCE(sk->sk_peek_off), 0);
	if (record)
		n = stream_recv_record(sk, &c, msg, len, flags, &rx);
	else
		n = stream_recv_bytes(sk, &c, msg, len, flags, &rx);
	if (msg->msg_name && rx.began)
		stream_name_peer(sk, c, msg);
	if (unlikely(rx.passcred || rx.stop ||
		     (record && sock_flag(sk, SOCK_RCVTSTAMP))) && n >= 0)
		stream_recv_scm(sk, msg, &rx, record);
	if (unlikely(rx.scm.cred.pid || rx.scm.parcel))
		altconn_scm_destroy(&rx.scm);
	altconn_stream_put_assoc(&c);
	return n;
}

/**
 * altconn_stream_recvmsg() - recv(2) on a stream socket
 * @sock: the socket
 * @msg: user memory for the data; gets the peer's address if there is room for
 *	it, but not in the inet formats
 * @len: bytes of user memory
 * @flags: MSG_PEEK, MSG_WAITALL and MSG_DONTWAIT have an effect; so has
 *	MSG_TRUNC, except in the sockaddr_un format: the bytes are discarded
 *
 * Context: process, may sleep.
 * Return: bytes read; 0: the peer shut its side or is gone; -ENOTCONN: not
 * connected; in the sockaddr_un format this is -EINVAL, as with AF_UNIX; in the
 * inet formats, the error of an attempt that failed; -ECONNRESET: the peer
 * closed with data of this end unread, or the association was reset otherwise;
 * -EAGAIN: no data in time, or, except in the sockaddr_un format, MSG_ERRQUEUE;
 * -EOPNOTSUPP: MSG_OOB; -EFAULT; -EINTR or -ERESTARTSYS: a signal is pending.
 */
int altconn_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			   int flags)
{
	int n = stream_recv_connected(sock, msg, len, flags, false);

	if (n == -ENOTCONN && altconn_sk(sock->sk)->format == ALTCONN_UNIX)
		return -EINVAL;
	return n;
}

/**
 * altconn_seqpacket_recvmsg() - recv(2) of one record
 * @sock: the socket
 * @msg: user memory for the record; gets the peer's address if there is room
 *	for it; gets MSG_EOR if the sender set that flag, and MSG_TRUNC if the
 *	record was cut
 * @len: bytes of user memory; the rest of the record is lost
 * @flags: MSG_PEEK, MSG_TRUNC and MSG_DONTWAIT have an effect
 *
 * Context: process, may sleep.
 * Return: bytes read, or with MSG_TRUNC the length of the record; -ENOTCONN:
 * not connected, in every address format; else as altconn_stream_recvmsg().
 */
int altconn_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
			      size_t len, int flags)
{
	return stream_recv_connected(sock, msg, len, flags, true);
}
