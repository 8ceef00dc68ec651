// SPDX-License-Identifier: GPL-2.0
/*
 * connect(2) of stream and seqpacket sockets, from top to bottom: it begins an
 * attempt, waits for its decision (attempt.c), and reports it.
 *
 * A signal or a wait that ends decides nothing: the attempt keeps its place in
 * the queue, and the next connect() or SO_ERROR tells its result.
 */

#include <linux/sched/signal.h>
#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_enter.h"
#include "attempt_parked.h"
#include "bind_local.h"
#include "claim.h"
#include "connect.h"
#include "connect_outcome.h"
#include "endpoint.h"
#include "event.h"
#include "listen.h"
#include "listener.h"
#include "netns.h"
#include "node.h"
#include "path.h"
#include "place.h"
#include "rule.h"
#include "ruling.h"
#include "sock.h"
#include "stat.h"
#include "trace.h"

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
	altconn_attempt_fail(altconn_connect_own_assoc(sk), ECONNABORTED,
			     reason);
}

/* Nobody connects to everybody (E-ACCES-BCAST). */
static int connect_check_broadcast(struct sock *sk,
				   const struct altconn_addr *addr, u32 *reason)
{
	if (!altconn_node_is_broadcast(sock_net(sk), addr))
		return 0;
	*reason = ALTCONN_REASON_BROADCAST;
	return sock_flag(sk, SOCK_BROADCAST) ? -EOPNOTSUPP : -EACCES;
}

/*
 * ALTCONN_WAIT_LISTENER: a path without a listener is nobody's, and another node
 * does not know who waits here.
 */
static bool connect_may_wait(const struct sock *sk,
			     const struct altconn_addr *addr)
{
	return altconn_sk(sk)->waits_listener &&
	       addr->kind != ALTCONN_KIND_PATH && !addr->far;
}

/* When an attempt that begins now times out, ns; 0: never. */
static u64 connect_expiry(const struct sock *sk,
			  const struct altconn_assoc *assoc)
{
	u64 ms = altconn_sk(sk)->timeout_ms;

	if (ms == ALTCONN_TIMEOUT_DEFAULT)
		ms = READ_ONCE(assoc->an->connect_timeout_ms);
	/* The header promises this. */
	if (!ms || ms > ALTCONN_TIMEOUT_MAX)
		return 0;
	return assoc->begun + ms * NSEC_PER_MSEC;
}

/*
 * The server's end is what was asked for; the listener's own if it is that, as
 * it always is of a kind that only one serves.
 */
static struct altconn_addr *
connect_server_addr(const struct sock *sk, const struct altconn_listener *ln,
		    const struct altconn_addr *addr)
{
	struct altconn_addr *bound = NULL;

	/* Paths are written in many ways, and one that is held has no listener. */
	if (!ln && addr->kind == ALTCONN_KIND_PATH)
		bound = altconn_bind_addr(sock_net(sk), sk->sk_type, addr);
	if (bound)
		return bound;
	if (ln && likely(!addr->far) && (addr->kind != ALTCONN_KIND_INET ||
					 altconn_addr_equal(ln->addr, addr)))
		return altconn_addr_get(ln->addr);
	return altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
}

static u32 connect_reason(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return ALTCONN_REASON_ASSOCIATED;
	case -EAGAIN:
		return ALTCONN_REASON_NO_PORT;
	case -EINTR:
		return ALTCONN_REASON_NONE;
	default:
		return ALTCONN_REASON_NO_MEMORY;
	}
}

static struct altconn_assoc *connect_associate(struct sock *sk,
					       struct altconn_addr *server,
					       u32 *reason)
{
	struct altconn_assoc *assoc;
	int err = -ENOMEM;

	*reason = ALTCONN_REASON_NO_MEMORY;
	assoc = altconn_assoc_new(sk, server);
	if (!assoc)
		return ERR_PTR(-ENOMEM);
	assoc->expires = connect_expiry(sk, assoc);
	assoc->waits_listener = connect_may_wait(sk, server);
	err = altconn_assoc_register(assoc);
	if (!err) {
		altconn_bind_claimed(sk, assoc);
		return assoc;
	}
	if (err == -EAGAIN)
		*reason = ALTCONN_REASON_TABLE_FULL;
	altconn_assoc_put(assoc);
	return ERR_PTR(err);
}

/* A local address and an association for the attempt. */
static struct altconn_assoc *connect_prepare(struct sock *sk,
					     const struct altconn_listener *ln,
					     const struct altconn_addr *addr,
					     u32 *reason)
{
	struct altconn_addr *server = connect_server_addr(sk, ln, addr);
	struct altconn_assoc *assoc;
	int err;

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (!server)
		return ERR_PTR(-ENOMEM);
	err = altconn_bind_local(sk, server);
	if (err) {
		*reason = connect_reason(err);
		assoc = ERR_PTR(err);
	} else {
		assoc = connect_associate(sk, server, reason);
		if (IS_ERR(assoc))
			altconn_bind_reset(sk);
	}
	altconn_addr_put(server);
	return assoc;
}

/* An attempt has entered somewhere, or not; then it is as if it had not begun. */
static __always_inline int
connect_finish_entry(struct sock *sk, struct altconn_assoc *assoc, int err)
{
	if (err) {
		altconn_assoc_put(assoc);
		altconn_bind_reset(sk);
	} else {
		/* Before this call returns nobody has been told. */
		altconn_sk(sk)->unreported = true;
	}
	return err;
}

/*
 * Make the association, and enter the listener's queue or wait for one. On
 * success the endpoint is SYN_SENT or, when the listener had room, ESTABLISHED
 * already.
 */
static int connect_enter_room(struct sock *sk, struct altconn_listener *ln,
			      const struct altconn_addr *addr, u32 *reason)
{
	struct altconn_assoc *assoc = connect_prepare(sk, ln, addr, reason);
	int err;

	if (IS_ERR(assoc))
		return PTR_ERR(assoc);
	err = altconn_attempt_enter(assoc, ln, reason);
	if (err && *reason == ALTCONN_REASON_LISTENER_CLOSED &&
	    assoc->waits_listener)
		err = altconn_attempt_enter(assoc, NULL, reason);
	return connect_finish_entry(sk, assoc, err);
}

/* Make the association, which a rule holds; likewise. */
static int connect_park(struct sock *sk, const struct altconn_addr *addr,
			const struct altconn_ruling *ruling,
			const struct path *path, u32 *reason)
{
	struct altconn_assoc *assoc = connect_prepare(sk, NULL, addr, reason);
	int err;

	if (IS_ERR(assoc))
		return PTR_ERR(assoc);
	assoc->rule = ruling->rule;
	err = altconn_attempt_hold(assoc, ruling->delay_ms, path, reason);
	return connect_finish_entry(sk, assoc, err);
}

/*
 * Take the verdict of the rules that match. true: *@err is the attempt's result;
 * false: no rule decides, or one that allows it.
 */
static noinline bool connect_apply_rules(struct sock *sk,
					 const struct altconn_addr *addr,
					 const struct altconn_match *match,
					 const struct path *path, u32 *reason,
					 int *err)
{
	struct altconn_ruling ruling = ALTCONN_NO_RULE;

	*err = altconn_rule_commit(sk, addr, match, &ruling);
	altconn_sk(sk)->last_rule = ruling.rule;
	if (*err < 0)
		*reason = ALTCONN_REASON_RULE;
	else if (*err)
		*err = connect_park(sk, addr, &ruling, path, reason);
	return *err || ruling.rule;
}

/*
 * Rules decide before the listener is looked up, so that they hide whether there
 * is one.
 */
static int connect_begin(struct sock *sk, struct altconn_addr *addr,
			 const struct altconn_match *match,
			 const struct path *path, u32 *reason)
{
	struct altconn_listener *ln;
	int err;

	if (unlikely(match) &&
	    connect_apply_rules(sk, addr, match, path, reason, &err))
		return err;
	for (;;) {
		ln = altconn_listener_find(sock_net(sk), sk->sk_type, addr,
					   reason);
		if (IS_ERR(ln))
			break;
		err = connect_enter_room(sk, ln, addr, reason);
		altconn_listener_put(ln);
		/* It closed meanwhile: another one may share its address. */
		if (err != -ECONNREFUSED ||
		    *reason != ALTCONN_REASON_LISTENER_CLOSED)
			return err;
	}
	if (PTR_ERR(ln) != -ECONNREFUSED || !connect_may_wait(sk, addr))
		return PTR_ERR(ln);
	return connect_enter_room(sk, NULL, addr, reason);
}

/*
 * Wait until the attempt is decided, a signal comes or the time is up.
 *
 * Invariant: the socket is locked on entry and on return, and @assoc is the
 * caller's reference, so whatever other threads do with the socket meanwhile,
 * the result that is read afterwards is this attempt's.
 */
static long connect_wait(struct sock *sk, struct altconn_assoc *assoc,
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
static int connect_result(struct sock *sk, struct altconn_assoc *assoc)
{
	int err = -assoc->err;

	if (assoc->waited)
		altconn_attempt_sync(assoc);

	if (altconn_connect_own_assoc(sk) != assoc)
		return err;
	altconn_sk(sk)->unreported = false;
	if (err) {
		sock_error(sk);
		altconn_connect_drop_failed(sk, assoc);
	}
	return err;
}

/*
 * The result of the attempt under way, after a wait if the caller may wait.
 * @path: what kept its inode, not needed any more; lock_sock() held, and
 * released in between.
 */
static int connect_wait_result(struct sock *sk, int flags, int pending_errno,
			       struct path *path)
{
	long timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	struct altconn_assoc *assoc = altconn_connect_own_assoc(sk);
	int err;

	/* Mostly; while the socket is locked it keeps its association. */
	if (altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_PENDING)
		return connect_result(sk, assoc);
	altconn_assoc_get(assoc);
	if (path && path->dentry) {
		release_sock(sk);
		path_put(path);
		*path = (struct path) {};
		lock_sock(sk);
	}
	if (timeo)
		timeo = connect_wait(sk, assoc, timeo);
	if (altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_PENDING)
		err = connect_result(sk, assoc);
	else if (timeo && signal_pending(current))
		err = sock_intr_errno(timeo);
	else
		err = pending_errno;
	release_sock(sk);
	altconn_assoc_put(assoc);
	lock_sock(sk);
	return err;
}

static void connect_report_failure(struct sock *sk,
				   const struct altconn_addr *addr, int err,
				   u32 reason)
{
	altconn_stat_outcome(altconn_pernet(sock_net(sk)), reason);
	trace_altconn_connect_end(sk, 0, addr, -err, reason, 0);
	altconn_event_sock(sk, ALTCONN_EVENT_KIND_FAILED, addr, -err, reason);
}

static void connect_fail(struct sock *sk, const struct altconn_addr *addr,
			 int err, u32 reason)
{
	struct altconn_sock *ask = altconn_sk(sk);

	ask->last_err = -err;
	ask->last_reason = reason;
	ask->last_waited_ns = 0;
	connect_report_failure(sk, addr, err, reason);
}

/*
 * No attempt begins: not to this address, or not in this state. A socket that is
 * connected goes on to tell how it came to be. lock_sock() held.
 */
static int connect_fail_early(struct sock *sk, const struct altconn_addr *addr,
			      int err, u32 reason)
{
	if (sk->sk_type != SOCK_DGRAM && altconn_state(sk) == TCP_ESTABLISHED) {
		connect_report_failure(sk, addr, err, reason);
		return err;
	}
	altconn_sk(sk)->last_rule = 0;
	connect_fail(sk, addr, err, reason);
	return err;
}

/**
 * altconn_connect_bad_addr() - connect() to what is no address of the socket
 * @sk: the endpoint
 * @err: negative errno, what the address lacks
 *
 * It is told as an attempt that failed is, without an address, which it has not.
 *
 * Context: process; lock_sock() not held.
 * Return: @err.
 */
int altconn_connect_bad_addr(struct sock *sk, int err)
{
	lock_sock(sk);
	/* What is told is this call's, no more that of an attempt before. */
	altconn_connect_reap(sk);
	connect_fail_early(sk, NULL, err, err == -EAFNOSUPPORT ?
				  ALTCONN_REASON_WRONG_FAMILY :
				  ALTCONN_REASON_BAD_ADDRESS);
	release_sock(sk);
	return err;
}

/*
 * What connect() may do in this state: 1: begin an attempt; else its result. EALREADY
 * tells of the attempt that is under way, and is none that failed.
 */
static int connect_check_state(struct sock *sk, const struct altconn_addr *addr,
			       int flags, struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	int err;

	switch (altconn_state(sk)) {
	case TCP_LISTEN:
		return connect_fail_early(sk, addr, -EOPNOTSUPP,
					  ALTCONN_REASON_STATE);
	case TCP_SYN_SENT:
		return connect_wait_result(sk, flags, -EALREADY, path);
	case TCP_ESTABLISHED:
		if (!ask->unreported)
			return connect_fail_early(sk, addr, -EISCONN,
						  ALTCONN_REASON_STATE);
		ask->unreported = false;
		return 0;
	default:
		err = sock_error(sk);
		altconn_connect_reap(sk);
		return err ? : 1;
	}
}

/* connect() to AF_UNSPEC: S-UNSPEC. lock_sock() held. */
static int connect_dissolve(struct sock *sk)
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
	altconn_bind_reset(sk);
	sk->sk_state_change(sk);
	return 0;
}

/*
 * What is found out about an attempt before the socket is locked: path lookups may
 * block for ever, and rules may take long.
 *
 * @made: the rest counts
 * @err: negative errno: no attempt can begin; else 0
 * @reason: enum altconn_reason of @err
 * @match: rules that match it, or NULL
 */
struct connect_plan {
	bool			made;
	int			err;
	u32			reason;
	struct altconn_match	*match;
};

static bool connect_is_null(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_PORT && !addr->node && !addr->port;
}

static int connect_match_rules(struct sock *sk, const struct altconn_addr *addr,
			       const struct path *path,
			       struct connect_plan *plan)
{
	const struct altconn_ruling none = ALTCONN_NO_RULE;
	int err = altconn_rule_find(sk, addr, path, &plan->match);

	if (err)
		plan->reason = altconn_rule_reason(&none, err);
	return err;
}

/*
 * The checks that need no lock, in the order of the clause table. @addr: is routed;
 * @path: gets the socket file.
 */
static int connect_check(struct sock *sk, struct altconn_addr *addr,
			 struct path *path, struct connect_plan *plan)
{
	int err;

	plan->reason = ALTCONN_REASON_NULL_ADDRESS;
	if (connect_is_null(addr))
		return -EADDRNOTAVAIL;
	plan->reason = ALTCONN_REASON_NONE;
	err = altconn_node_route(sk, addr, &plan->reason);
	if (!err && addr->kind == ALTCONN_KIND_PATH)
		err = altconn_path_resolve(addr, path, &plan->reason);
	if (!err)
		err = connect_check_broadcast(sk, addr, &plan->reason);
	if (!err)
		err = connect_match_rules(sk, addr, path, plan);
	return err;
}

/* Begin an attempt. lock_sock() held. */
static int connect_attempt(struct sock *sk, struct altconn_addr *addr,
			   int flags, struct connect_plan *plan,
			   struct path *path)
{
	u32 reason = plan->reason;
	int err = plan->err;

	altconn_sk(sk)->last_rule = 0;
	altconn_event_sock(sk, ALTCONN_EVENT_KIND_CONNECT_BEGIN, addr, 0, 0);
	if (!err)
		err = connect_begin(sk, addr, plan->match, path, &reason);
	/* A wait keeps no table of rules. */
	altconn_match_free(plan->match);
	plan->match = NULL;
	if (!err)
		return connect_wait_result(sk, flags, -EINPROGRESS, path);
	connect_fail(sk, addr, err, reason);
	return err;
}

/*
 * connect() to an address. The plan is made without the socket's lock, and only if
 * the socket would begin an attempt then, with no error to report first; the state
 * counts that it has with the lock held.
 */
static int connect_to(struct sock *sk, struct altconn_addr *addr, int flags,
		      struct path *path)
{
	struct connect_plan plan = {};
	int err;

	for (;;) {
		if (!plan.made && altconn_state(sk) == TCP_CLOSE &&
		    !READ_ONCE(sk->sk_err)) {
			plan.err = connect_check(sk, addr, path, &plan);
			plan.made = true;
		}
		lock_sock(sk);
		err = connect_check_state(sk, addr, flags, path);
		if (err != 1 || plan.made)
			break;
		release_sock(sk);
	}
	if (err == 1)
		err = connect_attempt(sk, addr, flags, &plan, path);
	release_sock(sk);
	altconn_match_free(plan.match);
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
		err = connect_dissolve(sk);
		release_sock(sk);
		return err;
	}
	err = altconn_addr_parse_peer(sk, uaddr, len, &addr);
	if (err)
		return altconn_connect_bad_addr(sk, err);

	trace_altconn_connect_begin(sk, &addr, flags & O_NONBLOCK);
	err = connect_to(sk, &addr, flags, &path);
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
	struct altconn_assoc *assoc = altconn_connect_own_assoc(sk);
	u64 decided;

	memset(info, 0, sizeof(*info));
	/* Accepted sockets and pairs made no attempt. */
	if (!assoc || assoc->end[ALTCONN_CLIENT].sk != sk ||
	    !assoc->published) {
		info->aci_errno = altconn_sk(sk)->last_err;
		info->aci_reason = altconn_sk(sk)->last_reason;
		info->aci_rule = altconn_sk(sk)->last_rule;
		info->aci_waited_ns = altconn_sk(sk)->last_waited_ns;
		return 0;
	}
	if (altconn_assoc_state(assoc) == ALTCONN_ASSOC_STATE_PENDING) {
		info->aci_errno = EINPROGRESS;
		info->aci_place = altconn_attempt_place(assoc);
		decided = ktime_get_ns();
	} else {
		info->aci_errno = assoc->err;
		info->aci_reason = assoc->reason;
		decided = assoc->decided;
	}
	info->aci_rule = assoc->rule;
	info->aci_waited_ns = decided - assoc->begun;
	return 0;
}
