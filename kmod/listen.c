// SPDX-License-Identifier: GPL-2.0
/*
 * listen(2), the accept queue, and the end of a listener. An attempt that finds
 * no space in the accept queue waits in the waiting room of its address
 * (attempt.c, room.h).
 */

#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_listener.h"
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

/*
 * Bind an unbound socket to an ephemeral port before it listens, as TCP does.
 * In the sockaddr_un address format listen() fails instead, as AF_UNIX does.
 */
static int listen_autobind(struct sock *sk)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_INET, .len = 16 };

	switch (altconn_sk(sk)->format) {
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
	return altconn_bind_local_auto(sk, &addr);
}

/* Move an endpoint from TCP_CLOSE to TCP_LISTEN. altconn_lock() is held. */
static int listen_start(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln;
	bool unbound;
	int err;

	altconn_binding_cancel(sk);
	unbound = !ask->bind;
	if (unbound) {
		err = listen_autobind(sk);
		if (err)
			return err;
	}
	err = altconn_binding_reserve_listening(sk);
	if (err)
		goto err_unbind;
	err = -ENOMEM;
	ln = altconn_listener_new(sk, backlog);
	if (!ln)
		goto err_unclaim;
	err = altconn_endpoint_register(sk);
	if (err)
		goto err_put;
	ln->id = ask->extra->entry.id;
	err = altconn_attempt_add_listener(ln);
	if (err)
		goto err_unregister;
	trace_altconn_state(sk, sk->sk_state, TCP_LISTEN);
	rcu_assign_pointer(ask->extra->listener, ln);
	WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	/* From here on connect() finds the listener. */
	altconn_binding_set_listener(sk, ln);
	altconn_attempt_promote_waiting(ln);
	altconn_attempt_refuse_surplus(ln);
	/* Wake pollers: attempts may have waited before listen(). */
	sk->sk_state_change(sk);
	return 0;

err_unregister:
	altconn_endpoint_unregister(sk);
err_put:
	altconn_listener_put(ln);
err_unclaim:
	altconn_binding_release_listening(sk);
err_unbind:
	if (unbound)
		altconn_binding_remove(sk, NULL);
	return err;
}

/*
 * Return the listener of an endpoint, or NULL if it does not listen.
 * altconn_lock() is held.
 */
static struct altconn_listener *listen_listener_of(const struct sock *sk)
{
	const struct altconn_extra *extra = altconn_sk(sk)->extra;

	return extra ? rcu_dereference_protected(extra->listener,
						  altconn_is_locked(sk)) : NULL;
}

/*
 * Change the backlog. As in AF_UNIX, SO_PEERCRED of later clients returns the
 * process that called listen() last.
 */
static void listen_set_backlog(struct sock *sk, int backlog)
{
	struct altconn_listener *ln = listen_listener_of(sk);
	struct altconn_task_info task = altconn_task_info_current();
	const struct cred *cred = get_current_cred();

	spin_lock(&ln->lock);
	swap(ln->task, task);
	swap(ln->cred, cred);
	spin_unlock(&ln->lock);
	put_pid(task.pid);
	put_cred(cred);
	altconn_attempt_set_policy(ln, backlog, ln->fail_fast, ln->defer);
}

/*
 * SOCK_RCU_FREE makes the core free the endpoint after a grace period, because
 * lookups under RCU find a listener. The flag shares a word with options that
 * the core changes under lock_sock(). It stays set if listen() fails.
 */
static void listen_set_rcu_free(struct sock *sk)
{
	lock_sock(sk);
	sock_set_flag(sk, SOCK_RCU_FREE);
	release_sock(sk);
}

/**
 * altconn_listen() - make a socket listen, listen(2)
 * @sock: the socket
 * @backlog: argument of listen(), clamped by the core
 *
 * A second call changes the backlog at once. If the backlog is larger now,
 * waiting attempts are promoted.
 *
 * Context: process, may sleep; takes lock_sock() and then altconn_lock(), one
 * after the other.
 * Return: 0 on success; -EINVAL if the socket is connecting or connected, or is
 * unbound in the sockaddr_un address format; -EADDRINUSE if another socket
 * shares the address and listens, or if no port is left; -EINTR if the process
 * is being killed; -ENOMEM.
 */
int altconn_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = 0;

	listen_set_rcu_free(sk);
	altconn_lock(sk);
	altconn_connect_drop_if_failed(sk);
	switch (altconn_state(sk)) {
	case TCP_LISTEN:
		listen_set_backlog(sk, backlog);
		break;
	case TCP_CLOSE:
		err = listen_start(sk, backlog);
		/* connect(2) has another errno for a lack of ports. */
		if (err == -EAGAIN)
			err = -EADDRINUSE;
		break;
	default:
		err = -EINVAL;
		break;
	}
	/* As in AF_UNIX, SO_PEERCRED of a listener returns its own process. */
	if (!err && altconn_sk(sk)->format == ALTCONN_UNIX)
		altconn_endpoint_set_peercred(sk, task_tgid(current),
					      current_cred());
	altconn_unlock(sk);
	return err;
}

/*
 * Take an association out of the accept queue, because it is about to be reset.
 * Emit a netlink event, and remove the association from the server's namespace.
 * The listener's lock is held.
 */
static void listener_unqueue_closed(struct altconn_listener *ln,
				    struct altconn_assoc *assoc)
{
	altconn_listener_unqueue(ln, assoc);
	altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_CLOSED,
				   ALTCONN_SERVER);
	altconn_xns_unlink(assoc);
	altconn_assoc_set_state(assoc, ALTCONN_ASSOC_STATE_CLOSED);
}

/* Reset all associations in the accept queue of a listener that has closed. */
static void listener_reset_queue(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	for (;;) {
		spin_lock(&ln->lock);
		assoc = altconn_listener_first_queued(ln);
		if (assoc)
			listener_unqueue_closed(ln, assoc);
		spin_unlock(&ln->lock);
		if (!assoc)
			return;
		altconn_assoc_reset_unaccepted(assoc);
		cond_resched();
	}
}

/**
 * altconn_listen_close() - stop listening
 * @sk: an endpoint in TCP_LISTEN; the caller changes its state
 *
 * Refuse the waiting attempts that no other listener serves, unless they wait
 * until one opens (ALTCONN_WAIT_LISTENER). Reset the associations that are not
 * accepted yet.
 *
 * Context: process, may sleep; altconn_lock() held.
 */
void altconn_listen_close(struct sock *sk)
{
	struct altconn_listener *ln = listen_listener_of(sk);

	altconn_binding_set_listener(sk, NULL);
	RCU_INIT_POINTER(altconn_sk(sk)->extra->listener, NULL);
	altconn_endpoint_unregister(sk);

	altconn_attempt_remove_listener(ln);
	altconn_binding_release_listening(sk);
	listener_reset_queue(ln);
	/* Accepters that sleep wake up and find the listener closed. */
	sk->sk_state_change(sk);
	altconn_listener_put(ln);
}

/**
 * altconn_listen_reset_assoc() - end an association that is not accepted yet
 * @assoc: the association; the caller has a reference
 *
 * The client gets ECONNRESET. altconn_attempt_fail() ends an attempt that is
 * still pending.
 *
 * Context: process; takes the listener's lock, and room->lock if attempts wait.
 * Return: true if the association was in an accept queue and is reset; false if
 * it is pending, accepted or ended, or if it is a socketpair.
 */
bool altconn_listen_reset_assoc(struct altconn_assoc *assoc)
{
	/* The pointer is set once, and the association holds a reference. */
	struct altconn_listener *ln = rcu_access_pointer(assoc->listener);
	bool queued, refill;

	if (!ln)
		return false;
	spin_lock(&ln->lock);
	queued = assoc->state == ALTCONN_ASSOC_STATE_QUEUED;
	if (queued)
		listener_unqueue_closed(ln, assoc);
	refill = ln->has_waiting;
	spin_unlock(&ln->lock);
	if (!queued)
		return false;
	if (refill)
		altconn_attempt_promote_waiting(ln);
	/* This drops the reference of the accept queue. */
	altconn_assoc_reset_unaccepted(assoc);
	return true;
}

/**
 * altconn_listen_set_policy() - set when a listener refuses or establishes
 * attempts
 * @sk: an endpoint, which may listen
 * @fail_fast: attempts that find the backlog full are refused
 *	(ALTCONN_BACKLOG_POLICY)
 * @defer: only accept() establishes attempts (ALTCONN_DEFER_ACCEPT)
 *
 * The values hold for the current listener and for later calls of listen().
 *
 * Context: process; altconn_lock() held.
 */
void altconn_listen_set_policy(struct sock *sk, bool fail_fast, bool defer)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln = listen_listener_of(sk);

	ask->fail_fast = fail_fast;
	ask->defer = defer;
	if (ln)
		altconn_attempt_set_policy(ln, ln->backlog, fail_fast, defer);
}

/**
 * altconn_listen_refuse_waiting() - refuse waiting attempts, ALTCONN_REFUSE
 * @sk: an endpoint
 * @count: number of attempts to refuse, in order of arrival
 *
 * Context: process, may sleep; altconn_lock() held.
 * Return: 0 on success; -EINVAL if the endpoint does not listen.
 */
int altconn_listen_refuse_waiting(struct sock *sk, u32 count)
{
	struct altconn_listener *ln = listen_listener_of(sk);

	if (!ln)
		return -EINVAL;
	altconn_attempt_refuse_first(ln, count);
	return 0;
}

/**
 * altconn_listen_has_acceptable() - check whether accept() finds an
 * association
 * @ln: the listener; the caller has a reference
 *
 * Context: process, does not sleep; takes room->lock if @ln is a deferring
 * listener with an empty queue, else no lock.
 * Return: true if the accept queue has an association or, with
 * ALTCONN_DEFER_ACCEPT, if an attempt waits for the listener; else false.
 */
bool altconn_listen_has_acceptable(const struct altconn_listener *ln)
{
	return !list_empty(&ln->queue) ||
	       (READ_ONCE(ln->defer) && altconn_attempt_has_waiting(ln));
}
