// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: the accept queue, the attempts that wait behind it, accept().
 *
 * Invariant, whenever listener->lock is free: attempts wait only while the
 * accept queue is full. Who makes room promotes, in order of arrival.
 */

#include <linux/security.h>
#include <linux/slab.h>
#include "altconn.h"
#include "trace.h"

/* A backlog of n holds n + 1, as elsewhere in Linux. */
static bool has_room(const struct altconn_listener *ln)
{
	return ln->queued <= ln->backlog;
}

static void promote(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	lockdep_assert_held(&ln->lock);
	while (has_room(ln)) {
		assoc = list_first_entry_or_null(&ln->waiters,
						 struct altconn_assoc, node);
		if (!assoc)
			return;
		altconn_connect_decide(assoc, 0, ALTCONN_REASON_ESTABLISHED);
	}
}

/**
 * altconn_listener_put() - drop a reference
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
void altconn_listener_put(struct altconn_listener *ln)
{
	if (!refcount_dec_and_test(&ln->refs))
		return;
	altconn_addr_put(ln->addr);
	put_pid(ln->pid);
	put_cred(ln->cred);
	kfree_rcu(ln, rcu);
}

/**
 * altconn_listener_of() - the listener of an endpoint
 * @sk: the endpoint
 *
 * Context: any; takes no lock.
 * Return: a reference, or NULL.
 */
struct altconn_listener *altconn_listener_of(const struct sock *sk)
{
	struct altconn_listener *ln;

	rcu_read_lock();
	ln = rcu_dereference(altconn_sk(sk)->listener);
	if (ln && !refcount_inc_not_zero(&ln->refs))
		ln = NULL;
	rcu_read_unlock();
	return ln;
}

static u32 refusal(const struct altconn_addr *addr,
		   const struct altconn_bind *bind)
{
	if (bind)
		return ALTCONN_REASON_NOT_LISTENING;
	if (addr->kind == ALTCONN_KIND_PATH)
		return ALTCONN_REASON_STALE_PATH;
	return ALTCONN_REASON_NOT_BOUND;
}

/**
 * altconn_listener_find() - who listens at an address
 * @net: the caller's namespace
 * @type: the caller's socket type
 * @addr: canonical address; of a path, its inode is pinned by the caller
 * @reason: why nobody does
 *
 * Context: any; takes no lock.
 * Return: a reference; ERR_PTR(-ECONNREFUSED): nobody (E-CONNREFUSED);
 * ERR_PTR(-EPROTOTYPE): the path is a socket of another type (E-PROTOTYPE).
 */
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason)
{
	struct altconn_listener *ln = NULL;
	struct altconn_bind *bind;
	int err = -ECONNREFUSED;

	rcu_read_lock();
	bind = altconn_bind_find(net, type, addr);
	*reason = refusal(addr, bind);
	if (bind && bind->type != type) {
		*reason = ALTCONN_REASON_WRONG_TYPE;
		err = -EPROTOTYPE;
	} else if (bind) {
		ln = rcu_dereference(bind->listener);
		if (ln && !refcount_inc_not_zero(&ln->refs))
			ln = NULL;
	}
	rcu_read_unlock();
	return ln ? : ERR_PTR(err);
}

static u32 max_waiting(const struct net *net)
{
	/* A child namespace may lower the limit, not lift it. */
	return min(READ_ONCE(altconn_pernet(net)->max_waiting),
		   READ_ONCE(altconn_pernet(&init_net)->max_waiting));
}

static void publish(struct altconn_assoc *assoc)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;

	trace_altconn_state(sk, sk->sk_state, TCP_SYN_SENT);
	spin_lock(&assoc->lock);
	rcu_assign_pointer(altconn_sk(sk)->assoc, altconn_assoc_get(assoc));
	spin_unlock(&assoc->lock);
	WRITE_ONCE(sk->sk_state, TCP_SYN_SENT);
}

/**
 * altconn_listener_enter() - an attempt arrives
 * @ln: the listener
 * @assoc: the attempt; on success the listener and the client's endpoint take
 *	references and the caller's is theirs too, so the caller gives it up
 * @reason: why it was refused
 *
 * With room in the accept queue it is established at once, else it waits.
 *
 * Context: process; lock_sock() of the client held.
 * Return: 0; -ECONNREFUSED: the listener has closed, or too many wait. The
 * endpoint is as it was then, and the caller keeps its reference.
 */
int altconn_listener_enter(struct altconn_listener *ln,
			   struct altconn_assoc *assoc, u32 *reason)
{
	int err = -ECONNREFUSED;

	spin_lock_bh(&ln->lock);
	*reason = ALTCONN_REASON_LISTENER_CLOSED;
	if (ln->closed)
		goto out;
	*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (!has_room(ln) && ln->waiting >= max_waiting(sock_net(ln->sk))) {
		ln->refused++;
		goto out;
	}
	publish(assoc);
	list_add_tail(&assoc->node, &ln->waiters);
	ln->waiting++;
	promote(ln);
	err = 0;
	if (assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		goto out;
	ln->waited++;
	trace_altconn_connect_wait(assoc, ln->waiting);
	if (assoc->expires) {
		altconn_assoc_get(assoc);
		altconn_connect_arm(assoc);
	}
out:
	spin_unlock_bh(&ln->lock);
	return err;
}

/**
 * altconn_listener_place() - where an attempt stands in the queue
 * @assoc: an attempt
 *
 * Walks the queue, so it is for those who ask.
 *
 * Context: any; takes listener->lock.
 * Return: 1 when it is next; 0 when it does not wait.
 */
u32 altconn_listener_place(const struct altconn_assoc *assoc)
{
	struct altconn_listener *ln = assoc->listener;
	const struct list_head *at;
	u32 place = 0;

	spin_lock_bh(&ln->lock);
	/* Not in the queue: on its way there, or refused at the door. */
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING &&
	    !list_empty(&assoc->node))
		for (at = &assoc->node; at != &ln->waiters; at = at->prev)
			place++;
	spin_unlock_bh(&ln->lock);
	return place;
}

/**
 * altconn_listener_owner() - who called listen() last
 * @ln: the listener
 * @pid: set to a reference
 * @cred: set to a reference
 *
 * Context: process.
 */
void altconn_listener_owner(struct altconn_listener *ln, struct pid **pid,
			    const struct cred **cred)
{
	spin_lock_bh(&ln->lock);
	*pid = get_pid(ln->pid);
	*cred = get_cred(ln->cred);
	spin_unlock_bh(&ln->lock);
}

static struct altconn_listener *listener_new(struct sock *sk, int backlog)
{
	struct altconn_listener *ln;

	ln = kzalloc(sizeof(*ln), GFP_KERNEL_ACCOUNT);
	if (!ln)
		return NULL;
	refcount_set(&ln->refs, 1);
	spin_lock_init(&ln->lock);
	INIT_LIST_HEAD(&ln->queue);
	INIT_LIST_HEAD(&ln->waiters);
	ln->backlog = backlog;
	ln->sk = sk;
	ln->dress = altconn_sk(sk)->dress;
	ln->addr = altconn_addr_of(sk);
	ln->pid = get_pid(task_tgid(current));
	ln->cred = get_current_cred();
	return ln;
}

/* CLOSE -> LISTEN. A dress that cannot be unnamed gets an address, as TCP. */
static int start(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	bool unbound = !ask->bind;
	struct altconn_listener *ln;
	int err;

	if (unbound) {
		if (ask->dress == ALTCONN_UNIX)
			return -EINVAL;
		err = altconn_autobind(sk, ALTCONN_KIND_PORT);
		if (err)
			return err;
	}
	err = -ENOMEM;
	ln = listener_new(sk, backlog);
	if (!ln)
		goto err_unbind;
	err = altconn_sock_register(sk);
	if (err)
		goto err_put_listener;
	ln->id = ask->id;
	trace_altconn_state(sk, sk->sk_state, TCP_LISTEN);
	rcu_assign_pointer(ask->listener, ln);
	WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	/* Attempts come from here on. */
	rcu_assign_pointer(ask->bind->listener, ln);
	return 0;

err_put_listener:
	altconn_listener_put(ln);
err_unbind:
	if (unbound)
		altconn_unbind(sk, NULL);
	return err;
}

/* As AF_UNIX: clients that come later see the process that called last. */
static void set_backlog(struct sock *sk, int backlog)
{
	struct altconn_listener *ln =
		rcu_dereference_protected(altconn_sk(sk)->listener,
					  lockdep_sock_is_held(sk));
	struct pid *pid = get_pid(task_tgid(current));
	const struct cred *cred = get_current_cred();

	spin_lock_bh(&ln->lock);
	ln->backlog = backlog;
	swap(ln->pid, pid);
	swap(ln->cred, cred);
	promote(ln);
	spin_unlock_bh(&ln->lock);
	put_pid(pid);
	put_cred(cred);
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
 * -EAGAIN: no port left; -ENOMEM.
 */
int altconn_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = 0;

	lock_sock(sk);
	altconn_connect_reap(sk);
	switch (altconn_state(sk)) {
	case TCP_LISTEN:
		set_backlog(sk, backlog);
		break;
	case TCP_CLOSE:
		err = start(sk, backlog);
		break;
	default:
		err = -EINVAL;
		break;
	}
	release_sock(sk);
	return err;
}

static void refuse_waiters(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	spin_lock_bh(&ln->lock);
	while ((assoc = list_first_entry_or_null(&ln->waiters,
						 struct altconn_assoc, node))) {
		/* The client may let go of it as soon as it sees the result. */
		altconn_assoc_get(assoc);
		altconn_connect_decide(assoc, ECONNREFUSED,
				       ALTCONN_REASON_LISTENER_CLOSED);
		spin_unlock_bh(&ln->lock);
		altconn_assoc_put(assoc);
		cond_resched();
		spin_lock_bh(&ln->lock);
	}
	spin_unlock_bh(&ln->lock);
}

/* Under the lock: take the oldest association, in its new state. */
static struct altconn_assoc *dequeue(struct altconn_listener *ln, u8 state)
{
	struct altconn_assoc *assoc;

	lockdep_assert_held(&ln->lock);
	assoc = list_first_entry_or_null(&ln->queue, struct altconn_assoc,
					 node);
	if (!assoc)
		return NULL;
	list_del_init(&assoc->node);
	ln->queued--;
	altconn_assoc_set_state(assoc, state);
	return assoc;
}

static void reset_queue(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	for (;;) {
		spin_lock_bh(&ln->lock);
		assoc = dequeue(ln, ALTCONN_ASSOC_STATE_CLOSED);
		spin_unlock_bh(&ln->lock);
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
 * Attempts that wait are refused; associations that nobody accepted are reset.
 *
 * Context: process, may sleep; lock_sock() held.
 */
void altconn_listener_close(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln =
		rcu_dereference_protected(ask->listener,
					  lockdep_sock_is_held(sk));

	RCU_INIT_POINTER(ask->bind->listener, NULL);
	RCU_INIT_POINTER(ask->listener, NULL);
	altconn_sock_unregister(sk);

	spin_lock_bh(&ln->lock);
	ln->closed = true;
	spin_unlock_bh(&ln->lock);
	refuse_waiters(ln);
	reset_queue(ln);
	/* Accepters that sleep see that it has closed. */
	sk->sk_state_change(sk);
	altconn_listener_put(ln);
}

static bool acceptable(struct altconn_listener *ln)
{
	return !list_empty_careful(&ln->queue) || READ_ONCE(ln->closed);
}

static struct altconn_assoc *take(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	spin_lock_bh(&ln->lock);
	assoc = dequeue(ln, ALTCONN_ASSOC_STATE_ESTABLISHED);
	if (assoc)
		promote(ln);
	spin_unlock_bh(&ln->lock);
	return assoc;
}

/* Wakes one accepter for each association. */
static int wait_for_assoc(struct sock *sk, struct altconn_listener *ln,
			  long *timeo)
{
	DEFINE_WAIT(wait);
	int err = 0;

	prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
	if (!acceptable(ln)) {
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

static struct altconn_assoc *dequeue_wait(struct sock *sk,
					  struct altconn_listener *ln,
					  long timeo)
{
	struct altconn_assoc *assoc;
	int err;

	for (;;) {
		assoc = take(ln);
		if (assoc)
			return assoc;
		if (READ_ONCE(ln->closed))
			return ERR_PTR(-EINVAL);
		err = wait_for_assoc(sk, ln, &timeo);
		if (err)
			return ERR_PTR(err);
	}
}

static int accept_from(struct sock *sk, struct altconn_listener *ln,
		       struct socket *newsock, struct proto_accept_arg *arg)
{
	long timeo = sock_rcvtimeo(sk, arg->flags & O_NONBLOCK);
	struct altconn_assoc *assoc;
	struct sock *newsk;

	/* An event loop asks until it gets EAGAIN: make nothing for that. */
	if (!timeo && !acceptable(ln))
		return -EAGAIN;
	/* First the endpoint, so that want of memory loses no association. */
	newsk = altconn_sock_alloc(sock_net(sk), NULL, sk->sk_type,
				   altconn_sk(sk)->dress, arg->kern);
	if (!newsk)
		return -ENOMEM;
	assoc = dequeue_wait(sk, ln, timeo);
	if (IS_ERR(assoc)) {
		sock_put(newsk);
		return PTR_ERR(assoc);
	}
	security_sk_clone(sk, newsk);
	sock_graft(newsk, newsock);
	altconn_sock_set_peercred(newsk, assoc->end[ALTCONN_CLIENT].pid,
				  assoc->cred);
	trace_altconn_accept(assoc, 0);
	altconn_assoc_attach(assoc, ALTCONN_SERVER, newsk);
	newsock->state = SS_CONNECTED;
	return 0;
}

/**
 * altconn_listen_accept() - accept(2)
 * @sock: the listening socket
 * @newsock: gets the server's end of the oldest association
 * @arg: flags; whether for the kernel
 *
 * The endpoint is made here, so that the server's cgroup pays for it.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL: does not listen, or stopped meanwhile; -EAGAIN; -EINTR
 * or a restart; -ENOMEM: nothing was taken from the queue.
 */
int altconn_listen_accept(struct socket *sock, struct socket *newsock,
			  struct proto_accept_arg *arg)
{
	struct altconn_listener *ln = altconn_listener_of(sock->sk);
	int err;

	if (!ln)
		return -EINVAL;
	err = accept_from(sock->sk, ln, newsock, arg);
	altconn_listener_put(ln);
	return err;
}
