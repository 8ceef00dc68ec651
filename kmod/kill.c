// SPDX-License-Identifier: GPL-2.0
/*
 * How an administrator ends an association or a listening socket.
 */

#include "af_altconn.h"
#include "assoc.h"
#include "attempt.h"
#include "dgram_connect.h"
#include "kill.h"
#include "listen.h"
#include "sock.h"

/**
 * altconn_assoc_kill() - end an association, whatever its ends want
 * @assoc: the association; the caller has a reference
 *
 * Both ends get ECONNRESET and then end of file, as from a TCP connection that was
 * reset, and keep their sockets until they close them. What they had been sent they
 * can still read. Attempts fail with ECONNABORTED.
 *
 * Context: process.
 * Return: false: it was over, or has not begun.
 */
bool altconn_assoc_kill(struct altconn_assoc *assoc)
{
	/* In the order in which it goes from the one state to the next. */
	return altconn_attempt_fail(assoc, ECONNABORTED,
				    ALTCONN_REASON_KILLED) ||
	       altconn_listener_kill(assoc) || altconn_assoc_reset_ends(assoc);
}

/* lock_sock(), unless another call holds the lock. release_sock() undoes it. */
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
 * lock_sock() with a deadline, jiffies. False: the socket is busy still, or the caller
 * is to end. The core reads some options of altconn_sockopt_set() under the lock, and a user can
 * make the page fault that it meets there last for ever.
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
	    !kill_lock_until(sk, until))
		return false;
	if (altconn_sk(sk)->entry.id != id) {
		release_sock(sk);
		return false;
	}
	if (sk->sk_type == SOCK_DGRAM) {
		killed = altconn_dgram_kill(sk);
	} else if (sk->sk_state == TCP_LISTEN) {
		altconn_endpoint_stop_listening(sk);
		killed = true;
	}
	release_sock(sk);
	return killed;
}
