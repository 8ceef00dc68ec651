// SPDX-License-Identifier: GPL-2.0
/*
 * An administrator ends associations, stops listeners and disconnects datagram
 * sockets.
 */

#include "af_altconn.h"
#include "assoc.h"
#include "attempt.h"
#include "dgram_connect.h"
#include "kill.h"
#include "listen.h"
#include "sock.h"

/**
 * altconn_kill_assoc() - end an association on behalf of an administrator
 * @assoc: the association; the caller has a reference
 *
 * A pending attempt fails with ECONNABORTED. The client of an association that
 * is not accepted yet gets ECONNRESET. Both ends of an accepted association get
 * ECONNRESET and then end of file, as with a TCP connection that was reset.
 * Both ends can still read the data that was sent to them before.
 *
 * Context: process, may sleep; no lock of this module held.
 * Return: true if the association has been ended; false if it was over already,
 * or if connect() has not published the attempt yet. The caller keeps its
 * reference.
 */
bool altconn_kill_assoc(struct altconn_assoc *assoc)
{
	/*
	 * Each function ends an association in one state: PENDING, QUEUED and
	 * ESTABLISHED. This is the order in which the state changes. So if it
	 * changes between two calls, the next call still finds it.
	 */
	return altconn_attempt_fail(assoc, ECONNABORTED,
				    ALTCONN_REASON_KILLED) ||
	       altconn_listen_reset_assoc(assoc) ||
	       altconn_assoc_reset_ends(assoc);
}

/*
 * Try to lock the endpoint until the time @until, in jiffies, or until a fatal
 * signal is pending. Return true if it is locked, else false. The holder of the
 * lock may get little CPU time, for example because of a CPU cgroup, so an
 * administrator does not wait for it for ever.
 */
static bool kill_lock_until(struct sock *sk, unsigned long until)
{
	bool locked;

	while (!(locked = mutex_trylock(&altconn_sk(sk)->lock)) &&
	       time_before(jiffies, until) && !fatal_signal_pending(current))
		usleep_range(500, 2000);
	return locked;
}

/**
 * altconn_kill_sock() - stop a listener, or disconnect a datagram socket
 * @sk: the endpoint; the caller has a reference
 * @id: id under which the caller found the endpoint in the registry. An
 *	endpoint that stops listening and listens again gets a new id
 * @until: time in jiffies until which to wait for other calls on the socket
 *
 * A listener stops as after shutdown(2) for reading: accept() returns EINVAL,
 * and the attempts that wait for it are refused, unless another listener serves
 * them or they wait until one opens (ALTCONN_WAIT_LISTENER). A datagram socket
 * is disconnected, and a thread in recv(), or the next call on the socket, gets
 * ECONNRESET.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: true if the endpoint has been stopped or disconnected; false if its
 * id is not @id any more, if it is neither a listener nor a connected datagram
 * socket, or if altconn_lock() could not be taken in time. The caller keeps its
 * reference.
 */
bool altconn_kill_sock(struct sock *sk, u64 id, unsigned long until)
{
	bool killed = false;

	if (READ_ONCE(altconn_sk(sk)->extra->entry.id) != id ||
	    !kill_lock_until(sk, until))
		return false;
	if (altconn_sk(sk)->extra->entry.id != id) {
		altconn_unlock(sk);
		return false;
	}
	if (sk->sk_type == SOCK_DGRAM) {
		killed = altconn_dgram_reset(sk);
	} else if (sk->sk_state == TCP_LISTEN) {
		altconn_af_stop_listening(sk);
		killed = true;
	}
	altconn_unlock(sk);
	return killed;
}
