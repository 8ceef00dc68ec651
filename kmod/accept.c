// SPDX-License-Identifier: GPL-2.0
/*
 * accept(2): take the oldest association from a listener's queue, and make the
 * endpoint of its server's end.
 */

#include <linux/security.h>
#include "accept.h"
#include "assoc.h"
#include "attempt.h"
#include "endpoint.h"
#include "event_assoc.h"
#include "listen.h"
#include "listener.h"
#include "netns.h"
#include "room.h"
#include "sock.h"
#include "stat.h"
#include "trace.h"

/* Check whether accept() returns without a wait. */
static bool accept_is_ready(struct altconn_listener *ln)
{
	return altconn_listen_has_acceptable(ln) || READ_ONCE(ln->closed);
}

/*
 * Take the oldest association from the accept queue, or return NULL. The
 * listener's lock is held.
 */
static struct altconn_assoc *accept_dequeue_first(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc = altconn_listener_first_queued(ln);

	if (!assoc)
		return NULL;
	altconn_listener_unqueue(ln, assoc);
	altconn_assoc_set_state(assoc, ALTCONN_ASSOC_STATE_ESTABLISHED);
	return assoc;
}

/*
 * Take the oldest association from the accept queue of a listener for which
 * attempts may wait, and promote attempts if there is space then. If the accept
 * queue of a deferring listener is empty, take the first attempt that waits.
 * Return NULL if there is neither an association nor such an attempt. Otherwise
 * set *@now to the time, in ns.
 */
static struct altconn_assoc *accept_dequeue_promote(struct altconn_listener *ln,
						    u64 *now)
{
	struct altconn_room *room = ln->room;
	struct altconn_assoc *assoc;
	struct attempt_batch batch;
	bool take_waiting, more;

	altconn_attempt_batch_init(&batch);
	altconn_room_lock(room);
	spin_lock(&ln->lock);
	assoc = accept_dequeue_first(ln);
	if (ln->group) {
		take_waiting = !assoc && ln->defer;
		altconn_attempt_promote_to_space(room, ln, take_waiting,
						 &batch);
		if (take_waiting)
			assoc = accept_dequeue_first(ln);
	}
	spin_unlock(&ln->lock);
	/* The clock was read for the last promotion. Do not read it again. */
	if (batch.n)
		*now = batch.last->assoc->decided_at;
	else if (assoc)
		*now = ktime_get_ns();
	more = altconn_attempt_batch_is_full(&batch);
	altconn_attempt_batch_unlock_and_wake(&batch, room);
	if (unlikely(more))
		altconn_attempt_promote_waiting(ln);
	return assoc;
}

/*
 * Take the oldest association from the accept queue, or return NULL. If the
 * association leaves space to waiting attempts, promote them. If the queue of a
 * deferring listener is empty, take a waiting attempt. If an association is
 * returned, set *@now to the time, in ns.
 */
static struct altconn_assoc *accept_dequeue(struct altconn_listener *ln,
					    u64 *now)
{
	struct altconn_assoc *assoc = NULL;
	bool waiting = READ_ONCE(ln->has_waiting);

	if (likely(!waiting)) {
		spin_lock(&ln->lock);
		waiting = ln->has_waiting ||
			  (ln->defer && list_empty(&ln->queue));
		if (!waiting)
			assoc = accept_dequeue_first(ln);
		spin_unlock(&ln->lock);
	}
	if (unlikely(waiting))
		return accept_dequeue_promote(ln, now);
	if (assoc)
		*now = ktime_get_ns();
	return assoc;
}

/*
 * Sleep until accept() may find an association. The thread is an exclusive
 * waiter, so each association wakes one accepter. If a thread returned an error
 * after it had entered the wait queue, an association that woke this thread
 * would stay in the accept queue, while another accepter continued to sleep. So
 * errors are returned before the thread enters the queue. Return 0 to look
 * again, also after a timeout or a signal; -EAGAIN if *@timeo is 0; -EINTR or
 * -ERESTARTSYS if a signal is pending. *@timeo gets the time that is left.
 */
static int accept_wait(struct sock *sk, struct altconn_listener *ln,
		       long *timeo)
{
	DEFINE_WAIT(wait);

	if (!*timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(*timeo);
	prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
	if (!accept_is_ready(ln))
		*timeo = schedule_timeout(*timeo);
	finish_wait(sk_sleep(sk), &wait);
	return 0;
}

/*
 * Take the oldest association from the accept queue, after a wait of at most
 * @timeo jiffies, and set *@now to the time, in ns. Return an ERR_PTR() if
 * there is no association, or the listener has closed.
 */
static struct altconn_assoc *accept_dequeue_wait(struct sock *sk,
						 struct altconn_listener *ln,
						 long timeo, u64 *now)
{
	struct altconn_assoc *assoc;
	int err;

	for (;;) {
		assoc = accept_dequeue(ln, now);
		if (assoc)
			return assoc;
		if (READ_ONCE(ln->closed))
			return ERR_PTR(-EINVAL);
		err = accept_wait(sk, ln, &timeo);
		if (err)
			return ERR_PTR(err);
	}
}

/* Copy the options that the server's endpoint inherits from its listener. */
static void accept_inherit(struct sock *sk, struct socket *newsock,
			   struct sock *newsk)
{
	sock_sees_core_options(newsock);
	altconn_sk(newsk)->v6only = altconn_sk(sk)->v6only;
	sk_set_passcred(newsk, newsock, sk_passcred(sk));
	altconn_endpoint_inherit(sk, newsk);
}

/*
 * Count an association that is accepted at the time @now, and its time in the
 * accept queue.
 */
static void accept_count(const struct sock *sk,
			 const struct altconn_assoc *assoc, u64 now)
{
	const struct altconn_net *an = assoc->an;

	/* The listener's namespace counts it. altconn_pernet() is slow. */
	if (unlikely(assoc->xns))
		an = altconn_pernet(sock_net(sk));
	this_cpu_inc(an->stat->accepted);
	altconn_stat_time(&an->stat->accept_queue,
			  now - assoc->decided_at);
}

/*
 * Make @newsock the server's end of the oldest association. Return 0 or a
 * negative errno.
 */
static int accept_from_listener(struct sock *sk, struct altconn_listener *ln,
				struct socket *newsock,
				struct proto_accept_arg *arg)
{
	long timeo = sock_rcvtimeo(sk, arg->flags & O_NONBLOCK);
	struct altconn_assoc *assoc;
	struct sock *newsk;
	u64 now;

	/* An event loop calls accept() until EAGAIN: allocate nothing then. */
	if (!timeo && !accept_is_ready(ln))
		return -EAGAIN;
	/* Allocate first, so that a lack of memory loses no association. */
	newsk = altconn_endpoint_alloc(sock_net(sk), newsock,
				       altconn_sk(sk)->format, arg->kern);
	if (!newsk)
		return -ENOMEM;
	assoc = accept_dequeue_wait(sk, ln, timeo, &now);
	if (IS_ERR(assoc)) {
		newsock->sk = NULL;
		sock_put(newsk);
		return PTR_ERR(assoc);
	}
	accept_inherit(sk, newsock, newsk);
	security_sk_clone(sk, newsk);
	/*
	 * altconn_endpoint_alloc() has connected the endpoint and its socket.
	 * Of sock_graft(), only the call of the security module is left.
	 */
	security_sock_graft(newsk, newsock);
	/* No other thread sees the endpoint, so sk_peer_lock is not needed. */
	newsk->sk_peer_pid = get_pid(assoc->end[ALTCONN_CLIENT].task.pid);
	newsk->sk_peer_cred = get_cred(assoc->cred);
	accept_count(sk, assoc, now);
	trace_altconn_accept(assoc, 0);
	altconn_assoc_attach(assoc, ALTCONN_SERVER, newsk);
	altconn_event_assoc_notify(assoc, ALTCONN_EVENT_KIND_ACCEPTED, 0);
	newsock->state = SS_CONNECTED;
	return 0;
}

/**
 * altconn_accept_sock() - accept a connection, accept(2)
 * @sock: the listening socket
 * @newsock: the new socket, which becomes the server's end of the oldest
 *	association
 * @arg: flags of accept(), and whether the new socket belongs to the kernel
 *
 * The endpoint is allocated here, so that the server's cgroup pays for it.
 *
 * Context: process, may sleep; does not take altconn_lock().
 * Return: 0 on success; -EINVAL if the socket does not listen, or stops
 * listening meanwhile; -EAGAIN if there is no association and the call may not
 * wait, or SO_RCVTIMEO is over; -EINTR or a restart code after a signal;
 * -ENOMEM. On failure no association has left the queue.
 */
int altconn_accept_sock(struct socket *sock, struct socket *newsock,
			struct proto_accept_arg *arg)
{
	struct altconn_listener *ln = altconn_listener_of(sock->sk);
	int err;

	if (!ln)
		return -EINVAL;
	err = accept_from_listener(sock->sk, ln, newsock, arg);
	altconn_listener_put(ln);
	return err;
}
