// SPDX-License-Identifier: GPL-2.0
/*
 * End associations and listening sockets on behalf of an administrator.
 */

#include "af_altconn.h"
#include "assoc.h"
#include "attempt.h"
#include "dgram_connect.h"
#include "kill.h"
#include "listen.h"
#include "sock.h"

/**
 * altconn_assoc_kill() - end an association without asking its ends
 * @assoc: the association; the caller has a reference
 *
 * A pending attempt fails with ECONNABORTED. The client of an association that
 * is not accepted yet gets ECONNRESET. Both ends of an accepted one get
 * ECONNRESET and then end of file, as from a TCP connection that was reset.
 * Both can still read the data that was sent to them before, and keep their
 * sockets until they close them.
 *
 * Context: process, may sleep; no lock of this module held.
 * Return: true if the association has been ended, false if it was over already
 * or its attempt has not begun. The caller keeps its reference.
 */
bool altconn_assoc_kill(struct altconn_assoc *assoc)
{
	/*
	 * Try PENDING, QUEUED and ESTABLISHED in the order in which an
	 * association passes through these states. So a change of the state
	 * in the meantime is not missed.
	 */
	return altconn_attempt_fail(assoc, ECONNABORTED,
				    ALTCONN_REASON_KILLED) ||
	       altconn_listener_reset_assoc(assoc) ||
	       altconn_assoc_reset_ends(assoc);
}

/*
 * Take lock_sock() unless another call on the socket holds it. Return whether
 * it was taken. release_sock() undoes it.
 */
static bool kill_trylock(struct sock *sk)
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
 * Take lock_sock() before the deadline @until, in jiffies. Return true if it
 * was taken, false if the socket is still busy or a fatal signal is pending.
 *
 * The wait needs a limit: the core copies some options of setsockopt(2) from
 * user memory under this lock, and a user can make the page fault there last
 * for ever.
 */
static bool kill_lock_until(struct sock *sk, unsigned long until)
{
	bool locked;

	while (!(locked = kill_trylock(sk)) &&
	       time_before(jiffies, until) && !fatal_signal_pending(current))
		usleep_range(500, 2000);
	return locked;
}

/**
 * altconn_sock_kill() - stop a listener, or disconnect a datagram socket
 * @sk: the endpoint; the caller has a reference
 * @id: id under which the caller found the endpoint in the registry. An
 *	endpoint that stops listening and listens again gets a new id
 * @until: jiffies; how long to wait for another call on the socket to end
 *
 * A listener ends up as after shutdown(2) for reading: accept() returns EINVAL,
 * and the attempts that wait for it are refused, unless another listener serves
 * them or they wait for one (ALTCONN_WAIT_LISTENER). A reader of the datagram
 * socket, or its next call, gets ECONNRESET.
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: true if the endpoint has been stopped or disconnected, false if it no
 * longer has @id, is no listener and no connected datagram socket, or is still
 * busy. The caller keeps its reference.
 */
bool altconn_sock_kill(struct sock *sk, u64 id, unsigned long until)
{
	bool killed = false;

	if (READ_ONCE(altconn_sk(sk)->entry.id) != id ||
	    !kill_lock_until(sk, until))
		return false;
	if (altconn_sk(sk)->entry.id != id) {
		release_sock(sk);
		return false;
	}
	if (sk->sk_type == SOCK_DGRAM) {
		killed = altconn_dgram_reset(sk);
	} else if (sk->sk_state == TCP_LISTEN) {
		altconn_endpoint_stop_listening(sk);
		killed = true;
	}
	release_sock(sk);
	return killed;
}
