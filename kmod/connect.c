// SPDX-License-Identifier: GPL-2.0
/*
 * connect(2) of stream and seqpacket sockets: begin an attempt, wait until it
 * is established or has failed (attempt.c), and return the result.
 * kmod/altconn.h explains the words of the module. Codes such as S-DONE name
 * clauses of Documentation/design/connect-semantics.rst.
 *
 * A signal, or the timeout SO_SNDTIMEO, ends the wait of the system call, but
 * not the attempt. A later connect() returns the result, or begins a new
 * attempt if the attempt has failed and SO_ERROR has returned the errno.
 */

#include <linux/sched/signal.h>
#include "addr.h"
#include "assoc.h"
#include "attempt.h"
#include "attempt_enqueue.h"
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
 * altconn_connect_cancel() - cancel the attempt of an endpoint
 * @sk: the endpoint; its attempt was pending when the caller looked
 * @reason: ALTCONN_REASON_CANCELLED_CLOSE, or ALTCONN_REASON_CANCELLED_UNSPEC
 *	for connect() to AF_UNSPEC and for shutdown()
 *
 * If the attempt has been decided in the meantime, its result stands. So the
 * caller has to look at sk->sk_state again.
 *
 * Context: process; altconn_lock() held, no spinlock of this module held.
 */
void altconn_connect_cancel(struct sock *sk, u32 reason)
{
	altconn_attempt_fail(altconn_sock_assoc(sk), ECONNABORTED, reason);
}

/*
 * Refuse a broadcast address (clause E-ACCES-BCAST), because a connection has
 * one peer. The error is -EACCES if SO_BROADCAST is not set, as for datagrams,
 * and -EOPNOTSUPP if it is set. Return 0 for any other address.
 */
static int connect_check_broadcast(struct sock *sk,
				   const struct altconn_addr *addr, u32 *reason)
{
	if (!altconn_node_is_broadcast(sock_net(sk), addr))
		return 0;
	*reason = ALTCONN_REASON_BROADCAST;
	return sock_flag(sk, SOCK_BROADCAST) ? -EOPNOTSUPP : -EACCES;
}

/*
 * Check whether an attempt to @addr may wait although no listener is open there
 * (ALTCONN_WAIT_LISTENER). An attempt to a path may not: a path names a socket
 * by its inode, and a server that binds the path later makes another inode. An
 * attempt to another node may not either: it would wait in the client's network
 * namespace, but a listener of the other node takes no attempts there.
 */
static bool connect_may_wait_listener(const struct sock *sk,
				      const struct altconn_addr *addr)
{
	return altconn_sk(sk)->waits_listener &&
	       addr->kind != ALTCONN_KIND_PATH && !addr->xns;
}

/*
 * Return the deadline of a new attempt, in nanoseconds of ktime_get_ns(), or 0
 * if it has none. ALTCONN_CONNECT_TIMEOUT sets the time until the deadline. The
 * default is the sysctl net.altconn.connect_timeout_ms.
 */
static u64 connect_deadline(const struct sock *sk,
			    const struct altconn_assoc *assoc)
{
	u64 ms = altconn_timeout_ms(sk);

	if (ms == ALTCONN_TIMEOUT_DEFAULT)
		ms = READ_ONCE(assoc->an->connect_timeout_ms);
	/* 0, and more than ALTCONN_TIMEOUT_MAX (a week), mean no deadline. */
	if (!ms || ms > ALTCONN_TIMEOUT_MAX)
		return 0;
	return assoc->entry.begun + ms * NSEC_PER_MSEC;
}

/*
 * Return a reference to the server's address for a new attempt to @addr, or
 * NULL if memory runs out. @ln is the listener, or NULL if the attempt is about
 * to wait for one or to be parked.
 *
 * The result is the address object of the server's binding where possible, else
 * a copy of @addr. For a path, getpeername() then returns the path as the
 * server spelled it; if @ln is NULL, the binding is looked up. For another
 * address the listener's object saves a copy. A copy is made if @ln is NULL, is
 * bound to a wildcard IP address, or is on another node, where the server has a
 * different address.
 */
static struct altconn_addr *
connect_get_server_addr(const struct sock *sk,
			const struct altconn_listener *ln,
			const struct altconn_addr *addr)
{
	struct altconn_addr *bound = NULL;

	/*
	 * An attempt to a path does not wait for a listener, see
	 * connect_may_wait_listener(). So @ln is NULL for a path only if a rule
	 * delays or drops the attempt before a listener is looked up.
	 */
	if (!ln && addr->kind == ALTCONN_KIND_PATH)
		bound = altconn_place_get_bound_addr(sock_net(sk), sk->sk_type,
						     addr);
	if (bound)
		return bound;
	if (ln && likely(!addr->xns) && (addr->kind != ALTCONN_KIND_INET ||
					 altconn_addr_equal(ln->addr, addr)))
		return altconn_addr_get(ln->addr);
	return altconn_addr_dup(addr, GFP_KERNEL_ACCOUNT);
}

/*
 * Map an error of altconn_bind_local(), which explains the errors, to an enum
 * altconn_reason. There is none for -EINTR, since the process is being killed.
 */
static u32 connect_bind_reason(int err)
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

/*
 * Make the association (the connection) of a new attempt: charge it to the
 * user, add it to the registry of the client's network namespace, and attach it
 * to the claim of its addresses, if there is one. Return the association with a
 * reference, or an ERR_PTR() with *@reason set.
 */
static struct altconn_assoc *connect_new_assoc(struct sock *sk,
					       struct altconn_addr *server,
					       u32 *reason)
{
	struct altconn_assoc *assoc;
	int err;

	*reason = ALTCONN_REASON_NO_MEMORY;
	assoc = altconn_assoc_new(sk, server);
	if (!assoc)
		return ERR_PTR(-ENOMEM);
	assoc->expires = connect_deadline(sk, assoc);
	assoc->waits_listener = connect_may_wait_listener(sk, server);
	err = altconn_assoc_register(assoc);
	if (!err) {
		altconn_claim_set_assoc(sk, assoc);
		return assoc;
	}
	if (err == -EAGAIN)
		*reason = ALTCONN_REASON_TABLE_FULL;
	altconn_assoc_put(assoc);
	return ERR_PTR(err);
}

/*
 * Set the local address of the endpoint with altconn_bind_local(), and make and
 * register the association of a new attempt to @addr. Return the association
 * with a reference, for connect_commit_or_undo(), or an ERR_PTR() with *@reason
 * set. An error leaves no automatic binding. A binding that bind() made stays.
 */
static struct altconn_assoc *
connect_bind_and_register(struct sock *sk, const struct altconn_listener *ln,
			  const struct altconn_addr *addr, u32 *reason)
{
	struct altconn_addr *server = connect_get_server_addr(sk, ln, addr);
	struct altconn_assoc *assoc;
	int err;

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (!server)
		return ERR_PTR(-ENOMEM);
	err = altconn_bind_local(sk, server);
	if (err) {
		*reason = connect_bind_reason(err);
		assoc = ERR_PTR(err);
	} else {
		assoc = connect_new_assoc(sk, server, reason);
		if (IS_ERR(assoc))
			altconn_bind_local_undo(sk);
	}
	altconn_addr_put(server);
	return assoc;
}

/*
 * Finish what connect_bind_and_register() began. @err is the result of queueing
 * or parking the attempt. If @err is 0, set result_due, because a connect() has
 * to return the result of the attempt. Otherwise drop the reference to the
 * association, and undo altconn_bind_local(): remove an automatic binding; a
 * binding that bind() made stays, but its claim is removed. When the last
 * reference is dropped, the association leaves the registry. Return @err.
 */
static __always_inline int
connect_commit_or_undo(struct sock *sk, struct altconn_assoc *assoc, int err)
{
	if (err) {
		altconn_assoc_put(assoc);
		altconn_bind_local_undo(sk);
	} else {
		/*
		 * The flag stays set until connect() returns the result, the
		 * failed attempt is dropped, or connect() to AF_UNSPEC ends the
		 * association.
		 */
		altconn_sk(sk)->result_due = true;
	}
	return err;
}

/*
 * Begin an attempt to @addr. The attempt enters the accept queue of @ln if
 * there is space. Otherwise it waits in the waiting room. If @ln is NULL, it
 * waits there until a listener takes it (ALTCONN_WAIT_LISTENER). If @ln has
 * closed since the lookup and the attempt has ALTCONN_WAIT_LISTENER, it waits
 * there too, until any listener of the address takes it. Any other attempt
 * gets -ECONNREFUSED with ALTCONN_REASON_LISTENER_CLOSED, and the caller looks
 * up a listener again. Return 0, or a negative errno with *@reason set. After
 * success another thread may decide the attempt at any time, even before the
 * return.
 */
static int connect_enqueue(struct sock *sk, struct altconn_listener *ln,
			   const struct altconn_addr *addr, u32 *reason)
{
	struct altconn_assoc *assoc =
		connect_bind_and_register(sk, ln, addr, reason);
	int err;

	if (IS_ERR(assoc))
		return PTR_ERR(assoc);
	err = altconn_attempt_enqueue(assoc, ln, reason);
	if (err && *reason == ALTCONN_REASON_LISTENER_CLOSED &&
	    assoc->waits_listener)
		err = altconn_attempt_enqueue(assoc, NULL, reason);
	return connect_commit_or_undo(sk, assoc, err);
}

/*
 * Begin an attempt to @addr and park it, because a firewall rule delays or
 * drops it: it is pending, but no listener sees it. A delayed attempt goes on
 * to a listener after @ruling->delay_ms. A dropped one has the delay 0, and
 * stays parked until its deadline, if it has one. @path is the socket file of a
 * path, else NULL or empty. Return 0, or a negative errno with *@reason set.
 */
static int connect_park(struct sock *sk, const struct altconn_addr *addr,
			const struct altconn_ruling *ruling,
			const struct path *path, u32 *reason)
{
	struct altconn_assoc *assoc =
		connect_bind_and_register(sk, NULL, addr, reason);
	int err;

	if (IS_ERR(assoc))
		return PTR_ERR(assoc);
	assoc->rule = ruling->rule;
	err = altconn_attempt_park(assoc, ruling->delay_ms, path, reason);
	return connect_commit_or_undo(sk, assoc, err);
}

/*
 * Apply the first rule in @match that decides about the attempt. Return false
 * if the attempt goes on: no rule decides, or the rule lets the attempt pass.
 * Return true if connect_begin() has to return *@err: 0 if the rule delays or
 * drops the attempt, which is parked now; a negative errno, with *@reason set,
 * if the rule refuses the attempt or if it cannot be parked.
 */
static noinline bool connect_apply_rules(struct sock *sk,
					 const struct altconn_addr *addr,
					 const struct altconn_match *match,
					 const struct path *path, u32 *reason,
					 int *err)
{
	struct altconn_ruling ruling = ALTCONN_NO_RULE;
	int verdict = altconn_rule_commit(sk, addr, match, &ruling);

	altconn_sk(sk)->last_rule = ruling.rule;
	if (!verdict)
		return false;
	*err = verdict;
	if (verdict < 0)
		*reason = ALTCONN_REASON_RULE;
	else
		*err = connect_park(sk, addr, &ruling, path, reason);
	return true;
}

/*
 * Begin an attempt to @addr: apply the rules, look up a listener, and put the
 * attempt into the accept queue of the listener or into the waiting room. Rules
 * come first: if they refuse the attempt, the client does not learn whether a
 * listener exists. Return 0, or a negative errno with *@reason set.
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
		err = connect_enqueue(sk, ln, addr, reason);
		altconn_listener_put(ln);
		/*
		 * If the listener has closed since the lookup, another one may
		 * serve the address, so look it up. Each turn needs one more
		 * listener that closes, so the loop does not spin.
		 */
		if (err != -ECONNREFUSED ||
		    *reason != ALTCONN_REASON_LISTENER_CLOSED)
			return err;
	}
	if (PTR_ERR(ln) != -ECONNREFUSED ||
	    !connect_may_wait_listener(sk, addr))
		return PTR_ERR(ln);
	return connect_enqueue(sk, NULL, addr, reason);
}

/*
 * Wait until the attempt is decided, a signal is pending or @timeo jiffies have
 * passed. Return the rest of @timeo.
 *
 * altconn_lock() is held on entry and on return, and released while the thread
 * sleeps. The caller has a reference to @assoc. So the result that the caller
 * reads from @assoc afterwards is the one of this attempt, whatever other
 * threads do with the socket meanwhile.
 */
static long connect_wait(struct sock *sk, struct altconn_assoc *assoc,
			 long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	/*
	 * Pairs with the barrier of skwq_has_sleeper() in the waker: enter the
	 * wait queue first, then look at the state.
	 */
	smp_mb();
	while (altconn_assoc_state(assoc) == ALTCONN_ASSOC_STATE_PENDING) {
		if (!timeo || signal_pending(current))
			break;
		altconn_unlock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		altconn_lock(sk);
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return timeo;
}

/*
 * Consume the result of a decided attempt on behalf of connect(2), and return
 * it. Clear result_due: after a success, the next connect() returns EISCONN
 * (S-DONE); after a failure, it begins a new attempt (S-RESUME). If the attempt
 * has failed, also clear sk_err, and drop the attempt from the endpoint. If
 * another call has dropped or replaced the attempt already, change nothing.
 */
static int connect_take_result(struct sock *sk, struct altconn_assoc *assoc)
{
	int err = -assoc->err;

	/*
	 * If the attempt waited, another thread has decided it. That thread
	 * writes assoc->state first, then sk_err and sk_state. Wait until it
	 * has written all of them.
	 */
	if (assoc->waited)
		altconn_attempt_sync_decider(assoc);

	if (altconn_sock_assoc(sk) != assoc)
		return err;
	altconn_sk(sk)->result_due = false;
	if (err) {
		sock_error(sk);
		altconn_connect_drop_failed(sk, assoc);
	}
	return err;
}

/*
 * Return the result of the attempt under way, after a wait if the caller may
 * wait. If the attempt is still pending after the wait, return -EINTR or
 * -ERESTARTSYS if a signal ended the wait, else @pending_errno.
 *
 * @path is NULL, empty, or the socket file that the caller has looked up. If
 * the attempt needs the file later, it has a reference of its own. So drop the
 * caller's reference and clear @path, also if connect() returns at once.
 * Release the endpoint's lock meanwhile, because path_put() may block.
 * altconn_lock() is held on entry and on return.
 */
static int connect_wait_result(struct sock *sk, int flags, int pending_errno,
			       struct path *path)
{
	long timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	struct altconn_assoc *assoc = altconn_sock_assoc(sk);
	int err;

	/*
	 * Most attempts are decided at once. No reference is needed here, since
	 * the endpoint keeps the association while the socket is locked.
	 */
	if (altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_PENDING)
		return connect_take_result(sk, assoc);
	altconn_assoc_get(assoc);
	if (path && path->dentry) {
		altconn_unlock(sk);
		path_put(path);
		*path = (struct path) {};
		altconn_lock(sk);
	}
	if (timeo)
		timeo = connect_wait(sk, assoc, timeo);
	if (altconn_assoc_state(assoc) != ALTCONN_ASSOC_STATE_PENDING)
		err = connect_take_result(sk, assoc);
	else if (timeo && signal_pending(current))
		err = sock_intr_errno(timeo);
	else
		err = pending_errno;
	altconn_unlock(sk);
	altconn_assoc_put(assoc);
	altconn_lock(sk);
	return err;
}

/*
 * Report a connect() that fails without entering TCP_SYN_SENT: count it in the
 * statistics, and emit a trace event and a netlink event.
 */
static void connect_report_failure(struct sock *sk,
				   const struct altconn_addr *addr, int err,
				   u32 reason)
{
	altconn_stat_outcome(altconn_pernet(sock_net(sk)), reason);
	trace_altconn_connect_end(sk, 0, addr, -err, reason, 0);
	altconn_event_notify_sock(sk, ALTCONN_EVENT_KIND_FAILED, addr, -err,
				  reason);
}

/* Report a failed connect(), and store its result for ALTCONN_CONNECT_INFO. */
static void connect_record_failure(struct sock *sk,
				   const struct altconn_addr *addr, int err,
				   u32 reason)
{
	struct altconn_sock *ask = altconn_sk(sk);

	ask->last_err = -err;
	ask->last_reason = reason;
	ask->last_waited_ns = 0;
	connect_report_failure(sk, addr, err, reason);
}

/*
 * Report a connect() that fails because of its address or the endpoint's state,
 * and return @err. On a connected stream or seqpacket endpoint
 * ALTCONN_CONNECT_INFO continues to describe the attempt that connected it, so
 * do not store the failure there. A datagram endpoint makes no attempts, so its
 * failures are always stored. altconn_lock() is held.
 */
static int connect_reject(struct sock *sk, const struct altconn_addr *addr,
			  int err, u32 reason)
{
	if (sk->sk_type != SOCK_DGRAM && altconn_state(sk) == TCP_ESTABLISHED) {
		connect_report_failure(sk, addr, err, reason);
		return err;
	}
	altconn_sk(sk)->last_rule = 0;
	connect_record_failure(sk, addr, err, reason);
	return err;
}

/**
 * altconn_connect_reject_addr() - fail a connect() to an invalid address
 * @sk: the endpoint, of any type
 * @err: negative errno with which the parser has refused the address
 *
 * Report the failure like a failed attempt. The events have no address, because
 * it could not be parsed.
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: @err.
 */
int altconn_connect_reject_addr(struct sock *sk, int err)
{
	altconn_lock(sk);
	/*
	 * Drop an earlier failed attempt, which ALTCONN_CONNECT_INFO would
	 * describe instead of this failure.
	 */
	altconn_connect_drop_if_failed(sk);
	connect_reject(sk, NULL, err, err == -EAFNOSUPPORT ?
				      ALTCONN_REASON_WRONG_FAMILY :
				      ALTCONN_REASON_BAD_ADDRESS);
	altconn_unlock(sk);
	return err;
}

/*
 * Handle the states of the endpoint in which connect() begins no attempt.
 * Return 1 if connect() has to begin an attempt. Otherwise return the result of
 * connect(): the result of the attempt that is under way or has ended, or the
 * error of the state. EALREADY describes the attempt under way and is not a
 * failure, so it is not reported as one. altconn_lock() is held on entry and on
 * return, and released during a wait.
 */
static int connect_handle_state(struct sock *sk,
				const struct altconn_addr *addr, int flags,
				struct path *path)
{
	struct altconn_sock *ask = altconn_sk(sk);
	int err;

	switch (altconn_state(sk)) {
	case TCP_LISTEN:
		return connect_reject(sk, addr, -EOPNOTSUPP,
				      ALTCONN_REASON_STATE);
	case TCP_SYN_SENT:
		return connect_wait_result(sk, flags, -EALREADY, path);
	case TCP_ESTABLISHED:
		if (!ask->result_due)
			return connect_reject(sk, addr, -EISCONN,
					      ALTCONN_REASON_STATE);
		ask->result_due = false;
		return 0;
	default:
		err = sock_error(sk);
		/* This also clears result_due. */
		altconn_connect_drop_if_failed(sk);
		return err ? : 1;
	}
}

/*
 * Disconnect the endpoint, as connect() to AF_UNSPEC demands (S-UNSPEC) and as
 * tcp_disconnect() does for TCP: cancel a pending attempt, close this end of a
 * connection, stop a listener, and return to TCP_CLOSE. An automatic binding is
 * removed, and one that bind() made stays. The association stores which
 * directions shutdown() has shut, so the endpoint is no longer shut down
 * afterwards. Return 0, whatever the state was. altconn_lock() is held.
 */
static int connect_dissolve(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	u8 old;

	if (altconn_state(sk) == TCP_SYN_SENT)
		altconn_connect_cancel(sk, ALTCONN_REASON_CANCELLED_UNSPEC);
	altconn_connect_drop_if_failed(sk);
	old = altconn_state(sk);
	if (old == TCP_LISTEN)
		altconn_listen_close(sk);
	if (old == TCP_ESTABLISHED)
		altconn_assoc_detach(sk);
	if (old != TCP_CLOSE) {
		trace_altconn_state(sk, old, TCP_CLOSE);
		WRITE_ONCE(sk->sk_state, TCP_CLOSE);
		altconn_endpoint_set_peercred(sk, NULL, NULL);
	}
	WRITE_ONCE(sk->sk_err, 0);
	ask->result_due = false;
	altconn_bind_local_undo(sk);
	sk->sk_state_change(sk);
	return 0;
}

/**
 * struct connect_checks - result of the checks that run without the
 *	endpoint's lock
 * @done: the checks have run, and the other fields are valid
 * @err: negative errno if no attempt can begin, else 0
 * @reason: enum altconn_reason of @err
 * @match: the rules that match the attempt, or NULL
 *
 * connect() runs these checks before it locks the socket, because a path lookup
 * may block for ever, and matching rules may take long.
 *
 * Lifetime: on the stack of connect_to_addr().
 */
struct connect_checks {
	bool			done;
	int			err;
	u32			reason;
	struct altconn_match	*match;
};

/* Check for the null address: kind PORT, node id 0 (this node) and port 0. */
static bool connect_addr_is_null(const struct altconn_addr *addr)
{
	return addr->kind == ALTCONN_KIND_PORT && !addr->node && !addr->port;
}

/*
 * Find the rules that match the attempt. Their verdict is taken later, by
 * connect_apply_rules(). Return 0, or a negative errno with checks->reason set.
 */
static int connect_match_rules(struct sock *sk, const struct altconn_addr *addr,
			       const struct path *path,
			       struct connect_checks *checks)
{
	const struct altconn_ruling none = ALTCONN_NO_RULE;
	int err = altconn_rule_find(sk, addr, path, &checks->match);

	if (err)
		checks->reason = altconn_rule_reason(&none, err);
	return err;
}

/*
 * Run the checks that do not need the endpoint's lock, in the order that
 * Documentation/design/connect-semantics.rst gives. Return 0, or a negative
 * errno with the reason in @checks. Prepare @addr for a lookup:
 * altconn_node_route() finds out whether the address belongs to another node,
 * and altconn_path_resolve() sets the inode of a path. @path then pins that
 * inode.
 */
static int connect_run_checks(struct sock *sk, struct altconn_addr *addr,
			      struct path *path, struct connect_checks *checks)
{
	int err;

	checks->reason = ALTCONN_REASON_NULL_ADDRESS;
	if (connect_addr_is_null(addr))
		return -EADDRNOTAVAIL;
	checks->reason = ALTCONN_REASON_NONE;
	err = altconn_node_route(sk, addr, &checks->reason);
	if (!err && addr->kind == ALTCONN_KIND_PATH)
		err = altconn_path_resolve(addr, path, &checks->reason);
	if (!err)
		err = connect_check_broadcast(sk, addr, &checks->reason);
	if (!err)
		err = connect_match_rules(sk, addr, path, checks);
	return err;
}

/*
 * Begin an attempt and wait for its result. If the checks have failed, report
 * that failure and return it. altconn_lock() is held on entry and on return,
 * and released during a wait.
 */
static int connect_begin_and_wait(struct sock *sk, struct altconn_addr *addr,
				  int flags, struct connect_checks *checks,
				  struct path *path)
{
	u32 reason = checks->reason;
	int err = checks->err;

	altconn_sk(sk)->last_rule = 0;
	altconn_event_notify_sock(sk, ALTCONN_EVENT_KIND_CONNECT_BEGIN, addr, 0,
				  0);
	if (!err)
		err = connect_begin(sk, addr, checks->match, path, &reason);
	/* A match keeps the rules in memory, so free it before the wait. */
	altconn_match_free(checks->match);
	checks->match = NULL;
	if (!err)
		return connect_wait_result(sk, flags, -EINPROGRESS, path);
	connect_record_failure(sk, addr, err, reason);
	return err;
}

/*
 * Connect to an address. The checks for a new attempt may block, so they run
 * before the socket is locked. Run them if a look without the lock shows that
 * an attempt will begin: the endpoint is in TCP_CLOSE, and there is no sk_err
 * that connect() has to return first. Then lock the socket and look again. If
 * the checks are necessary only now, unlock the socket and start over.
 */
static int connect_to_addr(struct sock *sk, struct altconn_addr *addr,
			   int flags, struct path *path)
{
	struct connect_checks checks = {};
	int err;

	for (;;) {
		if (!checks.done && altconn_state(sk) == TCP_CLOSE &&
		    !READ_ONCE(sk->sk_err)) {
			checks.err =
				connect_run_checks(sk, addr, path, &checks);
			checks.done = true;
		}
		altconn_lock(sk);
		err = connect_handle_state(sk, addr, flags, path);
		if (err != 1 || checks.done)
			break;
		altconn_unlock(sk);
	}
	if (err == 1)
		err = connect_begin_and_wait(sk, addr, flags, &checks, path);
	altconn_unlock(sk);
	altconn_match_free(checks.match);
	return err;
}

/**
 * altconn_connect() - connect(2) of a stream or seqpacket socket
 * @sock: the socket
 * @uaddr: address in the socket's address format; not read if @len is 0
 * @len: length of @uaddr, bytes; 0 is invalid, and the result is -EINVAL
 * @flags: flags of the file; only O_NONBLOCK counts
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0, or a negative errno of the table in
 * Documentation/design/connect-semantics.rst.
 */
int altconn_connect(struct socket *sock, struct sockaddr_unsized *uaddr,
		    int len, int flags)
{
	struct sock *sk = sock->sk;
	struct altconn_addr addr;
	struct path path = {};
	int err;

	if (altconn_addr_only_disconnects(sk, uaddr, len)) {
		altconn_lock(sk);
		err = connect_dissolve(sk);
		altconn_unlock(sk);
		return err;
	}
	err = altconn_addr_parse_peer(sk, uaddr, len, &addr);
	if (err)
		return altconn_connect_reject_addr(sk, err);

	trace_altconn_connect_begin(sk, &addr, flags & O_NONBLOCK);
	err = connect_to_addr(sk, &addr, flags, &path);
	if (path.dentry)
		path_put(&path);
	return err;
}

/**
 * altconn_connect_get_info() - get the value of ALTCONN_CONNECT_INFO
 * @sk: the endpoint
 * @info: filled in completely
 *
 * Context: process; altconn_lock() held, no spinlock of this module held.
 */
void altconn_connect_get_info(struct sock *sk,
			      struct altconn_connect_info *info)
{
	struct altconn_assoc *assoc = altconn_sock_assoc(sk);
	u64 end;

	memset(info, 0, sizeof(*info));
	/*
	 * The association describes an attempt of this endpoint only if
	 * connect() of this endpoint made it, and not accept() or socketpair().
	 * Otherwise return the saved result: that of the last connect() that
	 * failed, or of the attempt of the association that the endpoint has
	 * dropped last.
	 */
	if (!assoc || assoc->end[ALTCONN_CLIENT].sk != sk ||
	    !assoc->published) {
		info->aci_errno = altconn_sk(sk)->last_err;
		info->aci_reason = altconn_sk(sk)->last_reason;
		info->aci_rule = altconn_sk(sk)->last_rule;
		info->aci_waited_ns = altconn_sk(sk)->last_waited_ns;
		return;
	}
	if (altconn_assoc_state(assoc) == ALTCONN_ASSOC_STATE_PENDING) {
		info->aci_errno = EINPROGRESS;
		info->aci_position = altconn_attempt_position(assoc);
		end = ktime_get_ns();
	} else {
		info->aci_errno = assoc->err;
		info->aci_reason = assoc->reason;
		end = assoc->decided_at;
	}
	info->aci_rule = assoc->rule;
	info->aci_waited_ns = end - assoc->entry.begun;
}
