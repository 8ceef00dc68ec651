// SPDX-License-Identifier: GPL-2.0
/*
 * accept(2): take the oldest association from a listener's queue, and make the
 * endpoint of its server's end.
 */

#include <linux/security.h>
#include "accept.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_listener.h"
#include "endpoint.h"
#include "event_assoc.h"
#include "listen.h"
#include "listener.h"
#include "netns.h"
#include "sock.h"
#include "stat.h"
#include "trace.h"

/* Check whether accept() returns without a wait. */
static bool accept_is_ready(struct altconn_listener *ln)
{
	return altconn_listen_has_acceptable(ln) || READ_ONCE(ln->closed);
}

/*
 * Take the oldest association from the accept queue, or return NULL. A
 * deferring listener with an empty queue establishes a waiting attempt first.
 * If the association leaves space to waiting attempts, promote them.
 */
static struct altconn_assoc *accept_dequeue(struct altconn_listener *ln)
{
	const u8 established = ALTCONN_ASSOC_STATE_ESTABLISHED;
	struct altconn_assoc *assoc;
	bool refill, defer;

	do {
		spin_lock(&ln->lock);
		assoc = altconn_listen_dequeue(ln, established);
		defer = ln->defer && !ln->closed;
		refill = ln->has_waiting;
		spin_unlock(&ln->lock);
	} while (!assoc && defer && altconn_attempt_promote_first(ln));
	if (unlikely(refill && assoc))
		altconn_attempt_promote_waiting(ln);
	return assoc;
}

/*
 * Sleep until accept() may find an association. The thread is an exclusive
 * waiter, so that each association wakes one accepter. Return 0 to look again;
 * -EAGAIN if *@timeo jiffies have passed; -EINTR or -ERESTARTSYS on a signal.
 * *@timeo gets the time that is left.
 */
static int accept_wait(struct sock *sk, struct altconn_listener *ln,
		       long *timeo)
{
	DEFINE_WAIT(wait);
	int err = 0;

	prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
	if (!accept_is_ready(ln)) {
		if (signal_pending(current))
			err = sock_intr_errno(*timeo);
		else if (!*timeo)
			err = -EAGAIN;
		else
			*timeo = schedule_timeout(*timeo);
	}
	finish_wait(sk_sleep(sk), &wait);
	return err;
}

/*
 * Take the oldest association from the accept queue, after a wait of at most
 * @timeo jiffies. Return an ERR_PTR() if there is none, or the listener has
 * closed.
 */
static struct altconn_assoc *accept_dequeue_wait(struct sock *sk,
						 struct altconn_listener *ln,
						 long timeo)
{
	struct altconn_assoc *assoc;
	int err;

	for (;;) {
		assoc = accept_dequeue(ln);
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

/* Count an accepted association, and the time in the accept queue. */
static void accept_count(const struct sock *sk,
			 const struct altconn_assoc *assoc)
{
	const struct altconn_net *an = altconn_pernet(sock_net(sk));

	this_cpu_inc(an->stat->accepted);
	altconn_stat_time(&an->stat->accept_queue,
			  ktime_get_ns() - assoc->decided_at);
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

	/* An event loop calls accept() until EAGAIN: allocate nothing then. */
	if (!timeo && !accept_is_ready(ln))
		return -EAGAIN;
	/* Allocate first, so that a lack of memory loses no association. */
	newsk = altconn_endpoint_alloc(sock_net(sk), NULL, sk->sk_type,
				       altconn_sk(sk)->format, arg->kern);
	if (!newsk)
		return -ENOMEM;
	assoc = accept_dequeue_wait(sk, ln, timeo);
	if (IS_ERR(assoc)) {
		sock_put(newsk);
		return PTR_ERR(assoc);
	}
	accept_inherit(sk, newsock, newsk);
	security_sk_clone(sk, newsk);
	sock_graft(newsk, newsock);
	altconn_endpoint_set_peercred(newsk,
				      assoc->end[ALTCONN_CLIENT].task.pid,
				      assoc->cred);
	accept_count(sk, assoc);
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
