// SPDX-License-Identifier: GPL-2.0
/*
 * connect() of stream and seqpacket sockets: the attempt.
 *
 * An attempt is an association in state PENDING. altconn_connect() begins it
 * by entering the listener; it leaves PENDING in altconn_connect_decide() and
 * nowhere else, under the listener's lock, exactly once:
 *
 *	PENDING -> QUEUED	there was room, or accept() made some
 *	PENDING -> CLOSED	refused: the listener went away
 *				timed out: the deadline's timer ran
 *				cancelled: close(), or connect(AF_UNSPEC)
 *
 * A signal or a wait that ends decides nothing: the attempt keeps its place in
 * the queue, and the next connect() or SO_ERROR tells its result.
 */

#include <linux/sched/signal.h>
#include "altconn.h"
#include "trace.h"

static struct altconn_assoc *own_assoc(struct sock *sk)
{
	return rcu_dereference_protected(altconn_sk(sk)->assoc,
					 lockdep_sock_is_held(sk));
}

/*
 * The client's side of a decision. While the attempt is pending its endpoint
 * cannot leave it, so the fields are this decision's to write.
 */
static void tell_client(struct altconn_assoc *assoc, int err, u32 reason)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;
	u8 state = err ? TCP_CLOSE : TCP_ESTABLISHED;

	trace_altconn_state(sk, TCP_SYN_SENT, state);
	if (err && reason != ALTCONN_REASON_CANCELLED_CLOSE &&
	    reason != ALTCONN_REASON_CANCELLED_UNSPEC)
		WRITE_ONCE(sk->sk_err, err);
	/* Who sees the state sees the error and assoc->err. */
	smp_store_release(&sk->sk_state, state);
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

static void count_failure(struct altconn_listener *ln, u32 reason)
{
	if (reason == ALTCONN_REASON_DEADLINE)
		ln->timed_out++;
	else if (reason == ALTCONN_REASON_LISTENER_CLOSED)
		ln->refused++;
}

/**
 * altconn_connect_decide() - THE decision about an attempt
 * @assoc: a pending attempt, in its listener's FIFO
 * @err: 0: established, moves to the accept queue; else a positive errno
 * @reason: enum altconn_reason
 *
 * Wakes the client, and the accepter when there is something to accept.
 *
 * Context: listener->lock held. Drops the list's reference on failure; it is
 * not the last, the caller or the client has one.
 */
void altconn_connect_decide(struct altconn_assoc *assoc, int err, u32 reason)
{
	struct altconn_listener *ln = assoc->listener;

	lockdep_assert_held(&ln->lock);
	if (WARN_ON_ONCE(assoc->state != ALTCONN_ASSOC_STATE_PENDING))
		return;

	list_del_init(&assoc->node);
	ln->waiting--;
	assoc->err = err;
	assoc->reason = reason;
	WRITE_ONCE(assoc->decided, ktime_get_ns());
	/* A timer that runs already finds the attempt decided. */
	if (timer_delete(&assoc->deadline))
		altconn_assoc_put(assoc);

	trace_altconn_connect_end(assoc->end[ALTCONN_CLIENT].sk, assoc->id,
				  ln->addr, err, reason,
				  assoc->decided - assoc->begun);
	if (err) {
		count_failure(ln, reason);
		altconn_assoc_set_state(assoc, ALTCONN_ASSOC_STATE_CLOSED);
		tell_client(assoc, err, reason);
		altconn_assoc_put(assoc);
		return;
	}
	list_add_tail(&assoc->node, &ln->queue);
	ln->queued++;
	ln->established++;
	altconn_assoc_set_state(assoc, ALTCONN_ASSOC_STATE_QUEUED);
	tell_client(assoc, 0, reason);
	ln->sk->sk_data_ready(ln->sk);
}

/**
 * altconn_connect_arm() - (re)start the timer of an attempt's deadline
 * @assoc: pending, with a deadline; the timer holds a reference
 *
 * Context: listener->lock held.
 */
void altconn_connect_arm(struct altconn_assoc *assoc)
{
	u64 now = ktime_get_ns();
	u64 ms = 0;

	lockdep_assert_held(&assoc->listener->lock);
	if (assoc->expires > now)
		ms = div_u64(assoc->expires - now, NSEC_PER_MSEC);
	mod_timer(&assoc->deadline, jiffies + msecs_to_jiffies(ms) + 1);
}

/**
 * altconn_connect_deadline() - the timer of an attempt's deadline
 * @timer: assoc->deadline, which holds a reference
 *
 * The tick that drives timers may lag behind the clock and then catch up, so
 * a timer can be early. A deadline is not: then the timer starts again.
 *
 * Context: softirq.
 */
void altconn_connect_deadline(struct timer_list *timer)
{
	struct altconn_assoc *assoc =
		timer_container_of(assoc, timer, deadline);
	struct altconn_listener *ln = assoc->listener;

	spin_lock(&ln->lock);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING &&
	    ktime_get_ns() < assoc->expires) {
		altconn_connect_arm(assoc);
		spin_unlock(&ln->lock);
		return;
	}
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
		altconn_connect_decide(assoc, ETIMEDOUT,
				       ALTCONN_REASON_DEADLINE);
	spin_unlock(&ln->lock);
	altconn_assoc_put(assoc);
}

/**
 * altconn_connect_record() - remember what became of an attempt
 * @sk: the endpoint that made it
 * @assoc: decided
 *
 * Context: process; lock_sock() held.
 */
void altconn_connect_record(struct sock *sk, const struct altconn_assoc *assoc)
{
	struct altconn_outcome *last = &altconn_sk(sk)->last;

	last->err = assoc->err;
	last->reason = assoc->reason;
	last->waited_ns = assoc->decided - assoc->begun;
}

/* What an attempt gave its endpoint goes with it. */
static void undo_local(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_sock_set_peercred(sk, NULL, NULL);
	if (ask->bind && ask->bind->auto_bound)
		altconn_unbind(sk, NULL);
}

/* Drop an association that is over, remember what became of the attempt. */
static void forget(struct sock *sk, struct altconn_assoc *assoc)
{
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_connect_record(sk, assoc);
	ask->unreported = false;
	spin_lock_bh(&assoc->lock);
	RCU_INIT_POINTER(ask->assoc, NULL);
	spin_unlock_bh(&assoc->lock);
	altconn_assoc_put(assoc);
	undo_local(sk);
}

/**
 * altconn_connect_reap() - let go of an attempt that failed
 * @sk: the endpoint
 *
 * A failed attempt stays at the endpoint until the next call that wants it
 * unconnected, since the decision cannot take the socket's lock. An error that
 * nobody has been told stays in sk_err.
 *
 * Context: process; lock_sock() held.
 */
void altconn_connect_reap(struct sock *sk)
{
	struct altconn_assoc *assoc = own_assoc(sk);

	if (assoc && altconn_state(sk) == TCP_CLOSE)
		forget(sk, assoc);
}

/**
 * altconn_connect_cancel() - give up the pending attempt, if it still is
 * @sk: the endpoint
 * @reason: ALTCONN_REASON_CANCELLED_CLOSE or _UNSPEC
 *
 * When the decision came first its result stands; the caller looks at
 * sk->sk_state afterwards.
 *
 * Context: process; lock_sock() held.
 */
void altconn_connect_cancel(struct sock *sk, u32 reason)
{
	struct altconn_assoc *assoc = own_assoc(sk);
	struct altconn_listener *ln = assoc->listener;

	spin_lock_bh(&ln->lock);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
		altconn_connect_decide(assoc, ECONNABORTED, reason);
	spin_unlock_bh(&ln->lock);
}

/**
 * altconn_connect_dest() - is there a way to this address' node?
 * @addr: the destination
 * @reason: why not
 *
 * Context: any.
 * Return: 0; -ENETUNREACH: no such node.
 */
int altconn_connect_dest(const struct altconn_addr *addr, u32 *reason)
{
	if (addr->node == ALTCONN_NODE_SELF)
		return 0;
	if (addr->node == ALTCONN_NODE_BROADCAST &&
	    addr->kind == ALTCONN_KIND_PORT)
		return 0;
	*reason = ALTCONN_REASON_NO_NODE;
	return -ENETUNREACH;
}

/* Nobody connects to everybody (E-ACCES-BCAST). */
static int check_broadcast(struct sock *sk, const struct altconn_addr *addr,
			   u32 *reason)
{
	if (addr->node != ALTCONN_NODE_BROADCAST)
		return 0;
	*reason = ALTCONN_REASON_BROADCAST;
	return sock_flag(sk, SOCK_BROADCAST) ? -EOPNOTSUPP : -EACCES;
}

/* When an attempt that begins now times out, ns; 0: never. */
static u64 expiry(struct sock *sk, u64 begun)
{
	struct altconn_net *an = altconn_pernet(sock_net(sk));
	u64 ms = altconn_sk(sk)->timeout_ms;

	if (ms == ALTCONN_TIMEOUT_DEFAULT)
		ms = READ_ONCE(an->connect_timeout_ms);
	/* The header promises this. */
	if (!ms || ms > ALTCONN_TIMEOUT_MAX)
		return 0;
	return begun + ms * NSEC_PER_MSEC;
}

/*
 * Make the association and enter the listener. On success the endpoint is
 * SYN_SENT or, when the listener had room, ESTABLISHED already.
 */
static int enter(struct sock *sk, struct altconn_listener *ln, u32 *reason)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_assoc *assoc;
	const struct cred *cred;
	struct pid *pid;
	int err;

	*reason = ALTCONN_REASON_NO_PORT;
	err = altconn_autobind(sk, ln->addr->kind);
	if (err)
		return err;
	/*
	 * Here and not in the decision: listener->lock is a softirq's too, and
	 * the core takes sk_peer_lock with softirqs on.
	 */
	altconn_listener_owner(ln, &pid, &cred);
	altconn_sock_set_peercred(sk, pid, cred);
	put_pid(pid);
	put_cred(cred);

	*reason = ALTCONN_REASON_NO_MEMORY;
	err = -ENOMEM;
	assoc = altconn_assoc_new(sk, ln);
	if (!assoc)
		goto err_undo;
	err = altconn_assoc_register(assoc);
	if (err)
		goto err_put_assoc;
	assoc->expires = expiry(sk, assoc->begun);
	err = altconn_listener_enter(ln, assoc, reason);
	if (err)
		goto err_put_assoc;
	/* Before this call returns nobody has been told. */
	ask->unreported = true;
	return 0;

err_put_assoc:
	altconn_assoc_put(assoc);
err_undo:
	undo_local(sk);
	return err;
}

/* Checks in the order of the clause table, from the node on. */
static int begin(struct sock *sk, struct altconn_addr *addr, u32 *reason)
{
	struct altconn_listener *ln;
	int err;

	err = check_broadcast(sk, addr, reason);
	if (err)
		return err;
	ln = altconn_listener_find(sock_net(sk), sk->sk_type, addr, reason);
	if (IS_ERR(ln))
		return PTR_ERR(ln);
	err = enter(sk, ln, reason);
	altconn_listener_put(ln);
	return err;
}

/*
 * Wait until the attempt is decided, a signal comes or the time is up.
 *
 * Invariant: the socket is locked on entry and on return, and @assoc is the
 * caller's reference, so whatever other threads do with the socket meanwhile,
 * the result that is read afterwards is this attempt's.
 */
static long wait_for_decision(struct sock *sk, struct altconn_assoc *assoc,
			      long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	/* Pairs with the waker's: in the queue first, then look. */
	smp_mb();
	while (altconn_assoc_state(assoc) == ALTCONN_ASSOC_STATE_PENDING) {
		if (!timeo || signal_pending(current))
			break;
		release_sock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		lock_sock(sk);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return timeo;
}

/* The result of a decided attempt, told to this caller; S-RESUME, S-DONE. */
static int report(struct sock *sk, struct altconn_assoc *assoc)
{
	int err = -assoc->err;

	/* The decision may still be telling the endpoint: let it finish. */
	spin_lock_bh(&assoc->listener->lock);
	spin_unlock_bh(&assoc->listener->lock);

	if (own_assoc(sk) != assoc)
		return err;
	altconn_sk(sk)->unreported = false;
	if (err) {
		sock_error(sk);
		forget(sk, assoc);
	}
	return err;
}

/*
 * The result of the attempt under way, after a wait if the caller may wait.
 * @path: what kept its inode, not needed any more; lock_sock() held, and
 * released in between.
 */
static int wait_and_report(struct sock *sk, int flags, int pending_errno,
			   struct path *path)
{
	long timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	struct altconn_assoc *assoc = own_assoc(sk);
	int err;

	altconn_assoc_get(assoc);
	if (path && path->dentry) {
		release_sock(sk);
		path_put(path);
		*path = (struct path) {};
		lock_sock(sk);
	}
	if (timeo)
		timeo = wait_for_decision(sk, assoc, timeo);
	if (altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_PENDING)
		err = report(sk, assoc);
	else if (timeo && signal_pending(current))
		err = sock_intr_errno(timeo);
	else
		err = pending_errno;
	release_sock(sk);
	altconn_assoc_put(assoc);
	lock_sock(sk);
	return err;
}

/* What connect() may do in this state: 1: begin an attempt; else its result. */
static int check_state(struct sock *sk, int flags, struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	int err;

	switch (altconn_state(sk)) {
	case TCP_LISTEN:
		return -EOPNOTSUPP;
	case TCP_SYN_SENT:
		return wait_and_report(sk, flags, -EALREADY, path);
	case TCP_ESTABLISHED:
		if (!ask->unreported)
			return -EISCONN;
		ask->unreported = false;
		return 0;
	default:
		err = sock_error(sk);
		altconn_connect_reap(sk);
		return err ? : 1;
	}
}

/* connect() to AF_UNSPEC: S-UNSPEC. lock_sock() held. */
static int dissolve(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	u8 old;

	if (altconn_state(sk) == TCP_SYN_SENT)
		altconn_connect_cancel(sk, ALTCONN_REASON_CANCELLED_UNSPEC);
	altconn_connect_reap(sk);
	old = altconn_state(sk);
	if (old == TCP_LISTEN)
		altconn_listener_close(sk);
	if (old == TCP_ESTABLISHED)
		altconn_assoc_detach(sk);
	if (old != TCP_CLOSE) {
		trace_altconn_state(sk, old, TCP_CLOSE);
		WRITE_ONCE(sk->sk_state, TCP_CLOSE);
		altconn_sock_set_peercred(sk, NULL, NULL);
	}
	WRITE_ONCE(sk->sk_err, 0);
	ask->unreported = false;
	if (!ask->bind)
		altconn_sock_set_addr(sk, NULL);
	else if (ask->bind->auto_bound)
		altconn_unbind(sk, NULL);
	sk->sk_state_change(sk);
	return 0;
}

static void fail(struct sock *sk, const struct altconn_addr *addr, int err,
		 u32 reason)
{
	struct altconn_sock *ask = altconn_sk(sk);

	ask->last.err = -err;
	ask->last.reason = reason;
	ask->last.waited_ns = 0;
	trace_altconn_connect_end(sk, 0, addr, -err, reason, 0);
}

/*
 * Begin an attempt, and look paths up on the way: without the socket's lock,
 * so the state is checked again afterwards. lock_sock() held.
 */
static int attempt(struct sock *sk, struct altconn_addr *addr, int flags,
		   struct path *path)
{
	u32 reason = ALTCONN_REASON_NONE;
	int err;

	err = altconn_connect_dest(addr, &reason);
	if (err)
		goto out;
	if (addr->kind == ALTCONN_KIND_PATH) {
		release_sock(sk);
		err = altconn_path_resolve(addr, path, &reason);
		lock_sock(sk);
		if (err)
			goto out;
		err = check_state(sk, flags, path);
		if (err != 1)
			return err;
	}
	err = begin(sk, addr, &reason);
out:
	if (err)
		fail(sk, addr, err, reason);
	else
		err = wait_and_report(sk, flags, -EINPROGRESS, path);
	return err;
}

/**
 * altconn_connect() - connect(2) of a stream or seqpacket socket
 * @sock: the socket
 * @uaddr: address in its dress; not read when @len is 0
 * @len: its length, bytes
 * @flags: O_NONBLOCK or 0
 *
 * Context: process, may sleep.
 * Return: 0, or an errno of Documentation/connect-semantics.rst.
 */
int altconn_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
		    int len, int flags)
{
	struct sock *sk = sock->sk;
	struct altconn_addr addr;
	struct path path = {};
	int err;

	if (altconn_addr_dissolves(sk, uaddr, len)) {
		lock_sock(sk);
		err = dissolve(sk);
		release_sock(sk);
		return err;
	}
	err = altconn_addr_parse(sk, uaddr, len, &addr);
	if (err)
		return err;
	if (addr.kind == ALTCONN_KIND_NONE)
		return -EINVAL;

	lock_sock(sk);
	trace_altconn_connect_begin(sk, &addr, flags & O_NONBLOCK);
	err = check_state(sk, flags, NULL);
	if (err == 1) {
		err = -EADDRNOTAVAIL;
		if (addr.kind == ALTCONN_KIND_PORT && !addr.node && !addr.port)
			fail(sk, &addr, err, ALTCONN_REASON_NULL_ADDRESS);
		else
			err = attempt(sk, &addr, flags, &path);
	}
	release_sock(sk);
	if (path.dentry)
		path_put(&path);
	return err;
}

/**
 * altconn_connect_outcome() - ALTCONN_CONNECT_INFO
 * @sk: the endpoint
 * @info: written whole
 *
 * Context: process; lock_sock() held.
 * Return: 0.
 */
int altconn_connect_outcome(struct sock *sk, struct altconn_connect_info *info)
{
	struct altconn_assoc *assoc = own_assoc(sk);
	u64 decided;

	memset(info, 0, sizeof(*info));
	/* Accepted sockets and pairs made no attempt. */
	if (!assoc || assoc->end[ALTCONN_CLIENT].sk != sk || !assoc->listener) {
		info->aci_errno = altconn_sk(sk)->last.err;
		info->aci_reason = altconn_sk(sk)->last.reason;
		info->aci_waited_ns = altconn_sk(sk)->last.waited_ns;
		return 0;
	}
	if (altconn_assoc_state(assoc) == ALTCONN_ASSOC_STATE_PENDING) {
		info->aci_errno = EINPROGRESS;
		info->aci_place = altconn_listener_place(assoc);
		decided = ktime_get_ns();
	} else {
		info->aci_errno = assoc->err;
		info->aci_reason = assoc->reason;
		decided = assoc->decided;
	}
	info->aci_waited_ns = decided - assoc->begun;
	return 0;
}
