// SPDX-License-Identifier: GPL-2.0
/*
 * send(2) and recv(2) of stream and seqpacket sockets: copy data to and from
 * the rings of the association, and wait for data or space.
 *
 * Neither takes altconn_lock(). A thread announces that it waits (wait.h for
 * data, want_space for space), and then looks again. A thread that has made
 * data or space then looks for such an announcement. Each has a full barrier
 * between its two steps, so that no wake-up is lost.
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
 * Return the ring towards the peer, allocated if necessary, or NULL if there is
 * no memory.
 */
static struct altconn_ring *stream_get_out_ring(const struct stream_conn *c)
{
	return altconn_stream_out_ring(c) ? : altconn_ring_new(&c->peer->in,
					      c->assoc->cred);
}

/* Wake the threads that wait for data at the peer. */
static __always_inline void stream_wake_reader(const struct stream_conn *c)
{
	/*
	 * The data is written, and altconn_ring_unlock() has a full barrier. If
	 * this load returns NULL, a socket that accept() makes later finds the
	 * data: altconn_assoc_attach() stores end->sk, and has a full barrier
	 * before the first recv().
	 */
	struct sock *peer = READ_ONCE(c->peer->sk);

	if (peer)
		altconn_wait_wake_reader(peer);
}

/**
 * altconn_stream_notify_space() - wake the threads that wait for space at the
 *	peer, if the ring is writable
 * @c: the association
 *
 * This is the slow path of altconn_stream_wake_writer().
 *
 * Context: process.
 */
void altconn_stream_notify_space(const struct stream_conn c)
{
	struct sock *peer = READ_ONCE(c.peer->sk);

	if (!peer || !altconn_ring_writable(altconn_stream_in_ring(&c),
					    altconn_stream_send_limit(peer)))
		return;
	WRITE_ONCE(c.peer->want_space, false);
	peer->sk_write_space(peer);
}

/* Return the number of bytes ever written towards the calling socket. */
static u32 stream_bytes_written(const struct stream_conn *c)
{
	const struct altconn_ring *ring = altconn_stream_in_ring(c);

	return ring ? altconn_ring_head(ring) : 0;
}

/*
 * Return whether a read may find data. A peek with SO_PEEK_OFF has found no
 * data behind its offset, so only data that was written after it counts.
 */
static bool stream_has_data(const struct stream_conn *c)
{
	if (unlikely(c->seeks))
		return stream_bytes_written(c) != c->seen;
	return altconn_ring_unread(altconn_stream_in_ring(c));
}

/* Return whether a recv() would not wait. */
static bool stream_can_read(struct sock *sk, const void *arg)
{
	const struct stream_conn *c = arg;

	return stream_has_data(c) ||
	       altconn_assoc_shut_mask(c->own) & RCV_SHUTDOWN ||
	       READ_ONCE(sk->sk_err);
}

/* Like stream_can_read(), but announce the wait in the wait queue first. */
static bool stream_announce_reader(struct sock *sk, const void *arg)
{
	altconn_wait_announce(sk);
	return stream_can_read(sk, arg);
}

/* Wait for space. Return what is left of @timeo, in jiffies, or an errno. */
static noinline long
stream_wait_for_space(struct sock *sk, const struct stream_conn c, long timeo)
{
	return altconn_wait_until(sk, &timeo, altconn_stream_announce_writer,
				  &c) ? : timeo;
}

/*
 * Return the pending error, and clear it. If @done is not 0, the call has
 * transferred bytes and returns their number, so leave the error pending for
 * the next call.
 */
static int stream_get_error(struct sock *sk, size_t done)
{
	return done ? -READ_ONCE(sk->sk_err) : sock_error(sk);
}

/*
 * Return the errno if the socket has a pending error or is shut for sending,
 * else 0. The call has sent @sent bytes so far.
 */
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
 * Return the errno of a write to a sealed ring. The ring was sealed by a
 * shutdown or reset after stream_check_send() had found the socket open.
 */
static noinline int stream_sealed_error(struct sock *sk, size_t sent)
{
	return stream_get_error(sk, sent) ? : -EPIPE;
}

/*
 * Return whether a send() that finds the peer closed succeeds nevertheless. TCP
 * learns of the peer's close only from the answer to the first data that it
 * sends afterwards. So in the inet formats the first such send() succeeds, and
 * the second one gets EPIPE.
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

/* Return the result of a send() that found the ring sealed and sent nothing. */
static noinline ssize_t stream_send_sealed(struct sock *sk,
					   const struct stream_conn c,
					   size_t len)
{
	return stream_count_as_sent(sk, &c) ? len : stream_sealed_error(sk, 0);
}

/*
 * Bytes to copy at once. The other end can read these bytes, or use their
 * space, while the next ones are copied.
 */
#define STREAM_CHUNK	(64U << 10)

/*
 * Write bytes of a stream by reference to the pages that have them. If this is
 * impossible for the first piece, copy this piece.
 */
static noinline ssize_t stream_write_pages(struct altconn_ring *ring,
					   struct msghdr *msg, size_t len,
					   u32 limit, struct altconn_scm *scm)
{
	struct iov_iter *from = &msg->msg_iter;
	bool more = len > PAGE_SIZE || msg->msg_flags & MSG_MORE;
	ssize_t n = altconn_ring_write_pages(ring, from, len, limit, scm, more);

	/* When all is written, the iterator is used no more. */
	if (n > 0 && n < len)
		iov_iter_advance(from, n);
	if (n != -EOPNOTSUPP)
		return n;
	len = min_t(size_t, len, iov_iter_single_seg_count(from));
	return altconn_ring_write(ring, from, len, limit, scm);
}

/* Send @len bytes of a stream. Return the number of bytes sent, or an errno. */
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
		if (unlikely(msg->msg_flags & MSG_SPLICE_PAGES))
			n = stream_write_pages(ring, msg, len - sent,
					       altconn_stream_send_limit(sk),
					       scm);
		else
			n = altconn_ring_write(ring, &msg->msg_iter,
					       min_t(size_t, len - sent,
						     STREAM_CHUNK),
					       altconn_stream_send_limit(sk),
					       scm);
		if (n > 0) {
			sent += n;
			stream_wake_reader(c);
		} else if (n == -EAGAIN) {
			timeo = stream_wait_for_space(sk, *c, timeo);
			n = min(timeo, 0L);
		}
	} while (sent < len && n >= 0);
	if (unlikely(n == -EPIPE) && !sent)
		return stream_send_sealed(sk, *c, len);
	return sent ? : n;
}

/*
 * Try to write a record once. As with AF_UNIX, a record has a timestamp, the
 * time at which it was queued, and the bytes of a stream have none.
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

/* Slow path of stream_send_record(): the ring is full, so wait for space. */
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

/* Send a record of @len bytes. Return @len or an errno. */
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
	/* AF_UNIX reserves 32 bytes of the buffer for overhead, too. */
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
 * Return whether EPIPE raises SIGPIPE. MSG_NOSIGNAL prevents it. As with
 * AF_UNIX, a seqpacket socket in the sockaddr_un format raises none.
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
 * Return whether the data carries the sender's credentials. Before accept() the
 * server's SO_PASSCRED is unknown, so the data carries them.
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

/* Send data with control messages or credentials. */
static noinline ssize_t stream_send_scm(struct socket *sock,
					const struct stream_conn c,
					struct msghdr *msg, size_t len,
					bool record)
{
	struct altconn_scm scm = {};
	struct sock *sk = sock->sk;
	ssize_t n = 0;

	if (msg->msg_controllen)
		n = altconn_scm_parse_cmsgs(sk, msg, &scm);
	if (n)
		return n;
	if (stream_carries_creds(sock, altconn_stream_peer_of(&c)))
		altconn_scm_add_own_cred(&scm);
	n = stream_send_data(sk, &c, msg, len, record, &scm);
	altconn_scm_destroy(&scm);
	return n;
}

/* Return whether the endpoint has no pending attempt. */
static bool stream_is_decided(struct sock *sk, const void *arg)
{
	/*
	 * Pairs with the barrier of skwq_has_sleeper() in the waker: enter the
	 * wait queue first, then look at the state.
	 */
	smp_mb();
	return altconn_state(sk) != TCP_SYN_SENT;
}

/**
 * altconn_stream_wait_connected() - wait for the attempt of an unconnected
 *	socket
 * @sk: the socket
 * @timeo: maximum time to wait, in jiffies
 * @err: in the inet formats, the errno if there is no attempt
 *
 * This is the slow path of a send() or recv(). In the inet formats, as with
 * TCP, the call waits for a pending attempt, and returns the error of a failed
 * one.
 *
 * Context: process, may sleep.
 * Return: 0 if the socket is connected by now. Otherwise -ENOTCONN, except in
 * the inet formats: the error of the wait, else the error of the attempt, else
 * @err.
 */
int altconn_stream_wait_connected(struct sock *sk, long timeo, int err)
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
		n = altconn_stream_wait_connected(sk, stream_sndtimeo(sk, msg),
						  -EPIPE);
		/* Another thread may have dissolved the association again. */
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
 * In the inet formats the call waits for a pending attempt, as with TCP.
 *
 * Context: process, may sleep.
 * Return:
 * * the number of bytes sent;
 * * -ENOTCONN: not connected. In the inet formats this is the error of the
 *   failed attempt, or -EPIPE if there is none;
 * * -EISCONN (connected) or -EOPNOTSUPP (not connected): an address is refused;
 * * -EPIPE, with SIGPIPE: the socket is shut for sending;
 * * -ECONNRESET: the association was reset;
 * * -EAGAIN: there was no space in time;
 * * -EOPNOTSUPP: MSG_OOB;
 * * -EFAULT, -ENOMEM, and the errors of altconn_scm_parse_cmsgs();
 * * -EINTR or -ERESTARTSYS: a signal is pending.
 */
int altconn_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	if (unlikely(msg->msg_namelen) && !altconn_is_inet(sock->sk))
		return sock->sk->sk_state == TCP_ESTABLISHED ? -EISCONN :
							       -EOPNOTSUPP;
	return stream_send_connected(sock, msg, len, false);
}

/**
 * altconn_stream_seqpacket_sendmsg() - send(2) of one record
 * @sock: the socket
 * @msg: the data and control messages; an address is ignored in every format,
 *	as with AF_UNIX
 * @len: bytes of data
 *
 * Context: process, may sleep.
 * Return: @len; -EMSGSIZE if the record is larger than the send buffer allows;
 * the errors of altconn_stream_sendmsg(), except those for an address. In the
 * sockaddr_un format -EPIPE raises no SIGPIPE.
 */
int altconn_stream_seqpacket_sendmsg(struct socket *sock, struct msghdr *msg,
				     size_t len)
{
	return stream_send_connected(sock, msg, len, true);
}

/**
 * altconn_stream_wait_for_data() - wait for data after the ring was found empty
 * @sk: the socket
 * @c: its association
 * @last: false at first. If the direction is shut, it is set, and the caller
 *	looks into the ring once more: data that was sent before the shutdown is
 *	visible after the shutdown is seen
 * @copied: the call has returned bytes already, so an error stays pending
 * @timeo: maximum time to wait, in jiffies; gets the time that is left
 *
 * Context: process, may sleep.
 * Return: 0 if the caller must look into the ring again; 1 if no more data will
 * arrive; the pending error of the socket; -EAGAIN after @timeo; -EINTR or
 * -ERESTARTSYS if a signal is pending.
 */
int altconn_stream_wait_for_data(struct sock *sk, const struct stream_conn c,
				 bool *last, bool copied, long *timeo)
{
	int err = stream_get_error(sk, copied);

	if (err || *last)
		return err ? : 1;
	*last = altconn_assoc_shut_mask(c.own) & RCV_SHUTDOWN;
	return *last ? 0 : altconn_wait_readable(sk, timeo, stream_can_read,
						 stream_announce_reader, &c);
}

/*
 * Move SO_PEEK_OFF after a call that has returned @n bytes: forward after a
 * peek, so that the next peek begins behind these bytes, and backward after a
 * read.
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

/* Receive bytes of a stream. Return their number, 0 at the end, or an errno. */
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
		/* A peek reads only once, so it must take all bytes at once. */
		want = peek ? len : min_t(size_t, len - copied, STREAM_CHUNK);
		n = altconn_ring_read(altconn_stream_in_ring(c), &msg->msg_iter,
				      want, peek, rx);
		/* A peek frees no space, so this is superfluous then. */
		if (n != -EAGAIN)
			altconn_stream_wake_writer(c);
		if (n >= 0) {
			copied += n;
			if (peek || !n || copied == len || rx->stop ||
			    (copied >= target && n < want))
				break;
			continue;
		}
		if (n != -EAGAIN || copied >= target)
			break;
		n = altconn_stream_wait_for_data(sk, *c, &last, copied, &timeo);
		if (n > 0) {
			n = 0;
			break;
		}
	} while (n >= 0);
	stream_move_peek_off(sk, flags, copied);
	return copied ? : n;
}

/* Try to read a record once. */
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

/*
 * Slow path of stream_recv_record(): wait for a record and read it. Return
 * -ENODATA if no more record will arrive.
 */
static noinline ssize_t
stream_read_record_wait(struct sock *sk, struct stream_conn c,
			struct msghdr *msg, size_t len, int flags,
			struct altconn_rx *rx, size_t *record)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	bool last = false;
	ssize_t n;

	do {
		n = altconn_stream_wait_for_data(sk, c, &last, false, &timeo);
		if (n)
			return n > 0 ? -ENODATA : n;
		n = stream_read_record(&c, msg, len, flags, rx, record);
	} while (n == -EAGAIN);
	return n;
}

/*
 * Receive a record. Return the bytes to return from recv(), or an errno. 0 also
 * means that no more record will arrive.
 */
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
	altconn_stream_wake_writer(c);
	if (n < 0)
		return n == -ENODATA ? 0 : n;
	/*
	 * As with AF_UNIX, a read moves SO_PEEK_OFF back by the whole length of
	 * the record, even if the record did not fit into the caller's buffer.
	 */
	stream_move_peek_off(sk, flags, flags & MSG_PEEK ? n : record);
	msg->msg_flags |= (n < record ? MSG_TRUNC : 0) |
			  (rx->eor ? MSG_EOR : 0);
	return flags & MSG_TRUNC ? record : n;
}

/*
 * Store the peer's address in msg_name, except for a stream in an inet format.
 * As with TCP, such a stream has no address in msg_name.
 */
static noinline void stream_name_peer(struct sock *sk,
				      const struct stream_conn c,
				      struct msghdr *msg)
{
	enum altconn_side side = c.own - c.assoc->end;

	if (sk->sk_type != SOCK_STREAM || !altconn_is_inet(sk))
		altconn_addr_to_msg(sk,
				    altconn_xns_addr(c.assoc, !side, side),
				    msg);
}

/*
 * Handle MSG_ERRQUEUE, MSG_OOB, and MSG_TRUNC on a stream. Return 0, or the
 * errno of the call.
 *
 *                           sockaddr_un, as AF_UNIX   other formats
 *   MSG_ERRQUEUE            ignored                   -EAGAIN: always empty
 *   MSG_OOB                 -EOPNOTSUPP               -EOPNOTSUPP
 *   MSG_TRUNC on a stream   ignored                   the bytes are discarded,
 *                                                     as with TCP
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
 * Pass the ancillary data to user space. As with AF_UNIX, a recv() that returns
 * 0 at the end of the data has credentials on a stream, which are those of no
 * process, and has none on a seqpacket socket.
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
		n = altconn_stream_wait_connected(sk, sock_rcvtimeo(sk, flags &
								    MSG_DONTWAIT),
						  -ENOTCONN);
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
 * @msg: user memory for the data; gets the peer's address if the caller wants
 *	it, but not in the inet formats
 * @len: bytes of user memory
 * @flags: MSG_PEEK, MSG_WAITALL and MSG_DONTWAIT have an effect; so has
 *	MSG_TRUNC, except in the sockaddr_un format: the bytes are discarded
 *
 * In the inet formats the call waits for a pending attempt, as with TCP.
 *
 * Context: process, may sleep.
 * Return:
 * * the number of bytes read, or 0 if no more data will arrive;
 * * -ENOTCONN: not connected. In the sockaddr_un format this is -EINVAL, as
 *   with AF_UNIX. In the inet formats it is the error of the failed attempt, if
 *   there is one;
 * * -ECONNRESET: the peer has closed and left data unread, or the association
 *   was reset otherwise;
 * * -EAGAIN: there was no data in time, or MSG_ERRQUEUE, except in the
 *   sockaddr_un format;
 * * -EOPNOTSUPP: MSG_OOB;
 * * -EFAULT;
 * * -EINTR or -ERESTARTSYS: a signal is pending.
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
 * altconn_stream_seqpacket_recvmsg() - recv(2) of one record
 * @sock: the socket
 * @msg: user memory for the record; gets the peer's address if the caller wants
 *	it, MSG_EOR if the sender has set that flag, and MSG_TRUNC if the record
 *	was longer than @len
 * @len: bytes of user memory; the rest of the record is lost
 * @flags: MSG_PEEK, MSG_TRUNC and MSG_DONTWAIT have an effect
 *
 * Context: process, may sleep.
 * Return: bytes read, or with MSG_TRUNC the length of the record; 0 also if no
 * more record will arrive; the errors of altconn_stream_recvmsg(), but
 * -ENOTCONN is not -EINVAL in the sockaddr_un format.
 */
int altconn_stream_seqpacket_recvmsg(struct socket *sock, struct msghdr *msg,
				     size_t len, int flags)
{
	return stream_recv_connected(sock, msg, len, flags, true);
}
