// SPDX-License-Identifier: GPL-2.0
/*
 * listen(2), the accept queue, and the end of a listener. Attempts that find no
 * room in the queue wait at the address (attempt.c, room.h).
 */

#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_settle.h"
#include "bind_local.h"
#include "binding.h"
#include "connect_outcome.h"
#include "endpoint.h"
#include "event_assoc.h"
#include "listen.h"
#include "listener.h"
#include "sock.h"
#include "task_info.h"
#include "trace.h"
#include "xns.h"

/* A dress that cannot be unnamed gets an address when it listens, as TCP. */
static int listen_autobind(struct sock *sk)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_INET, .len = 16 };

	switch (altconn_sk(sk)->dress) {
	case ALTCONN_UNIX:
		return -EINVAL;
	case ALTCONN_NATIVE:
		addr = (struct altconn_addr) { .kind = ALTCONN_KIND_PORT };
		break;
	case ALTCONN_INET:
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
				       altconn_addr_ip(&addr));
		break;
	}
	return altconn_autobind(sk, &addr);
}

/* CLOSE -> LISTEN. */
static int listen_start(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln;
	bool unbound;
	int err;

	altconn_bind_cancel(sk);
	unbound = !ask->bind;
	if (unbound) {
		err = listen_autobind(sk);
		if (err)
			return err;
	}
	err = altconn_bind_start_listening(sk);
	if (err)
		goto err_unbind;
	err = -ENOMEM;
	ln = altconn_listener_new(sk, backlog);
	if (!ln)
		goto err_unclaim;
	altconn_sock_register(sk);
	ln->id = ask->entry.id;
	err = altconn_attempt_join(ln);
	if (err)
		goto err_unregister;
	trace_altconn_state(sk, sk->sk_state, TCP_LISTEN);
	rcu_assign_pointer(ask->listener, ln);
	WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	/* Attempts find it from here on. */
	altconn_bind_listen(sk, ln);
	altconn_attempt_refill(ln);
	altconn_attempt_refuse_surplus(ln);
	/* Pollers do not know yet of attempts that came just now. */
	sk->sk_state_change(sk);
	return 0;

err_unregister:
	altconn_sock_unregister(sk);
	altconn_listener_put(ln);
err_unclaim:
	altconn_bind_stop_listening(sk);
err_unbind:
	if (unbound)
		altconn_unbind(sk, NULL);
	return err;
}

/* As AF_UNIX: clients that come later see the process that called last. */
static void listen_set_backlog(struct sock *sk, int backlog)
{
	struct altconn_listener *ln =
		rcu_dereference_protected(altconn_sk(sk)->listener,
					  lockdep_sock_is_held(sk));
	struct altconn_who who = altconn_who_am_i();
	const struct cred *cred = get_current_cred();

	spin_lock(&ln->lock);
	swap(ln->who, who);
	swap(ln->cred, cred);
	spin_unlock(&ln->lock);
	put_pid(who.pid);
	put_cred(cred);
	altconn_attempt_set_policy(ln, backlog, ln->fail_fast, ln->defer);
}

/**
 * altconn_listen() - listen(2)
 * @sock: the socket
 * @backlog: as the core clamped it
 *
 * Called again it changes the backlog at once; upwards that establishes
 * attempts that wait.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: connected, or unbound in the sockaddr_un dress;
 * -EADDRINUSE: another socket shares the address and listens, or no port is
 * left; -ENOMEM.
 */
int altconn_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = 0;

	lock_sock(sk);
	altconn_connect_reap(sk);
	switch (altconn_state(sk)) {
	case TCP_LISTEN:
		listen_set_backlog(sk, backlog);
		break;
	case TCP_CLOSE:
		err = listen_start(sk, backlog);
		/* listen(2) has another errno for this than connect(2). */
		if (err == -EAGAIN)
			err = -EADDRINUSE;
		break;
	default:
		err = -EINVAL;
		break;
	}
	/* As AF_UNIX, whose listeners say by SO_PEERCRED whose they are. */
	if (!err && altconn_sk(sk)->dress == ALTCONN_UNIX)
		altconn_sock_set_peercred(sk, task_tgid(current),
					  current_cred());
	release_sock(sk);
	return err;
}

/* Under the lock: out of the accept queue, in its new state. */
static void listener_unqueue(struct altconn_listener *ln,
			     struct altconn_assoc *assoc, u8 state)
{
	lockdep_assert_held(&ln->lock);
	list_del_init(&assoc->node);
	ln->queued--;
	if (state == ALTCONN_ASSOC_STATE_CLOSED) {
		altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CLOSED,
				    ALTCONN_SERVER);
		altconn_far_leave(assoc);
	}
	altconn_assoc_set_state(assoc, state);
}

/* Likewise: the oldest association. */
struct altconn_assoc *altconn_listener_dequeue(struct altconn_listener *ln,
					       u8 state)
{
	struct altconn_assoc *assoc;

	lockdep_assert_held(&ln->lock);
	assoc = list_first_entry_or_null(&ln->queue, struct altconn_assoc,
					 node);
	if (!assoc)
		return NULL;
	listener_unqueue(ln, assoc, state);
	return assoc;
}

static void listener_reset_queue(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	for (;;) {
		spin_lock(&ln->lock);
		assoc = altconn_listener_dequeue(ln,
						 ALTCONN_ASSOC_STATE_CLOSED);
		spin_unlock(&ln->lock);
		if (!assoc)
			return;
		altconn_assoc_abandon(assoc);
		cond_resched();
	}
}

/**
 * altconn_listener_close() - stop listening
 * @sk: an endpoint in TCP_LISTEN; the caller changes its state
 *
 * Attempts that wait and that no other listener serves are refused, or wait on
 * for one if they want that; associations that were not accepted are reset.
 *
 * Context: process, may sleep; lock_sock() held.
 */
void altconn_listener_close(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln =
		rcu_dereference_protected(ask->listener,
					  lockdep_sock_is_held(sk));

	altconn_bind_listen(sk, NULL);
	RCU_INIT_POINTER(ask->listener, NULL);
	altconn_sock_unregister(sk);

	altconn_attempt_quit(ln);
	altconn_bind_stop_listening(sk);
	listener_reset_queue(ln);
	/* Accepters that sleep see that it has closed. */
	sk->sk_state_change(sk);
	altconn_listener_put(ln);
}

/**
 * altconn_listener_kill() - end an association that is not accepted yet
 * @assoc: the association; the caller has a reference
 *
 * The client gets ECONNRESET. For an attempt that is pending see
 * altconn_attempt_fail().
 *
 * Context: process.
 * Return: false: it is accepted, or over, or in no accept queue.
 */
bool altconn_listener_kill(struct altconn_assoc *assoc)
{
	/* Once it is set it stays, and the association keeps the listener. */
	struct altconn_listener *ln = rcu_access_pointer(assoc->listener);
	bool queued, refill;

	if (!ln)
		return false;
	spin_lock(&ln->lock);
	queued = assoc->state == ALTCONN_ASSOC_STATE_QUEUED;
	if (queued)
		listener_unqueue(ln, assoc, ALTCONN_ASSOC_STATE_CLOSED);
	refill = ln->exhausted;
	spin_unlock(&ln->lock);
	if (!queued)
		return false;
	if (refill)
		altconn_attempt_refill(ln);
	/* The queue's reference goes with it. */
	altconn_assoc_abandon(assoc);
	return true;
}

/**
 * altconn_listener_option() - change what listen() began with
 * @sk: an endpoint
 * @fail_fast: ALTCONN_BACKLOG_POLICY
 * @defer: ALTCONN_DEFER_ACCEPT
 *
 * Without a listener it counts for the next listen().
 *
 * Context: process; lock_sock() held.
 */
void altconn_listener_option(struct sock *sk, bool fail_fast, bool defer)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln =
		rcu_dereference_protected(ask->listener,
					  lockdep_sock_is_held(sk));

	ask->fail_fast = fail_fast;
	ask->defer = defer;
	if (ln)
		altconn_attempt_set_policy(ln, ln->backlog, fail_fast, defer);
}

/**
 * altconn_listener_refuse() - ALTCONN_REFUSE
 * @sk: an endpoint
 * @count: how many of the attempts that wait, the first ones
 *
 * Context: process, may sleep; lock_sock() held.
 * Return: 0; -EINVAL: it does not listen.
 */
int altconn_listener_refuse(struct sock *sk, u32 count)
{
	struct altconn_listener *ln =
		rcu_dereference_protected(altconn_sk(sk)->listener,
					  lockdep_sock_is_held(sk));

	if (!ln)
		return -EINVAL;
	altconn_attempt_refuse(ln, count);
	return 0;
}

/**
 * altconn_listener_acceptable() - would accept() return at once?
 * @ln: the listener; the caller has a reference
 *
 * Context: any; takes room->lock of a listener that defers, else no lock.
 */
bool altconn_listener_acceptable(const struct altconn_listener *ln)
{
	return !list_empty_careful(&ln->queue) ||
	       (READ_ONCE(ln->defer) && altconn_attempt_waits(ln));
}
