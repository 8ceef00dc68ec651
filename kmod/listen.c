// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: the accept queue, listen() and accept(). Attempts that find no room
 * in the queue wait at the address (attempt.c, room.h).
 */

#include <linux/security.h>
#include <linux/slab.h>
#include "altconn.h"
#include "event.h"
#include "room.h"
#include "trace.h"

/**
 * altconn_listener_free() - the last reference is gone
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
void altconn_listener_free(struct altconn_listener *ln)
{
	altconn_room_put(ln->room);
	altconn_addr_put(ln->addr);
	put_pid(ln->who.pid);
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

/* What an address is that has no listener. */
struct found {
	bool	bound, wrong_type;
};

/* Whose turn it is among those who share an address. */
static atomic_t listener_rr_next;

/* The @nth of those that serve an address as closely as @score. */
static struct altconn_listener *
listener_select_nth(const struct altconn_place *place,
		    const struct altconn_addr *addr, unsigned int score,
		    unsigned int nth)
{
	struct altconn_listener *ln, *last = NULL;
	struct altconn_bind *bind;
	bool full, found = false;

	altconn_bind_for_each_listener(bind, place) {
		ln = rcu_dereference(bind->listener);
		if (!ln || altconn_bind_score(bind, addr) != score)
			continue;
		/*
		 * One whose backlog is full is passed over, if there is
		 * another; else it is as good as the others.
		 */
		full = READ_ONCE(ln->queued) > READ_ONCE(ln->backlog);
		if (!full || (!found && (!last || nth == 0)))
			last = ln;
		found |= !full;
		if (nth-- == 0 && !full)
			break;
	}
	return last;
}

/* A listener of a place, in turn. RCU read side. */
static struct altconn_listener *
listener_lookup_place(const struct altconn_place *place, int type,
		      const struct altconn_addr *addr, unsigned int score,
		      bool *changed)
{
	struct altconn_listener *ln, *found = NULL;
	struct altconn_bind *bind;
	unsigned int equals = 0, nth;

	altconn_bind_for_each_listener(bind, place) {
		ln = rcu_dereference(bind->listener);
		if (unlikely(!ln))
			*changed = true;
		if (!ln || bind->type != type ||
		    altconn_bind_score(bind, addr) != score)
			continue;
		found = ln;
		equals++;
	}
	if (unlikely(equals > 1)) {
		nth = (u32)atomic_inc_return(&listener_rr_next) % equals;
		found = listener_select_nth(place, addr, score, nth);
		*changed |= !found;
	}
	return found;
}

/*
 * The closest listener of an address. @changed: one closes just now, and another
 * may have come, so a lookup that finds none has to be repeated. RCU read side.
 */
static struct altconn_listener *
listener_lookup_best(struct net *net, int type, const struct altconn_addr *addr,
		     bool *changed)
{
	unsigned int score = ALTCONN_CLOSEST;
	struct altconn_listener *ln = NULL;
	const struct altconn_place *place;

	for (; score && !ln && !*changed; score--) {
		place = altconn_bind_place(net, type, addr, score);
		ln = listener_lookup_place(place, type, addr, score, changed);
	}
	return ln;
}

/* What an address without a listener is. RCU read side. */
static void listener_lookup_any(struct net *net, int type,
				const struct altconn_addr *addr,
				struct found *found)
{
	const struct altconn_bind *bind = altconn_bind_find(net, type, addr);

	found->bound = bind;
	found->wrong_type = bind && bind->type != type;
}

static int listener_refusal(const struct altconn_addr *addr,
			    const struct found *found, u32 *reason)
{
	if (found->wrong_type) {
		*reason = ALTCONN_REASON_WRONG_TYPE;
		return -EPROTOTYPE;
	}
	if (found->bound)
		*reason = ALTCONN_REASON_NOT_LISTENING;
	else if (addr->kind == ALTCONN_KIND_PATH)
		*reason = ALTCONN_REASON_STALE_PATH;
	else
		*reason = ALTCONN_REASON_NOT_BOUND;
	return -ECONNREFUSED;
}

static struct altconn_listener *
listener_find_here(struct net *net, int type, const struct altconn_addr *addr,
		   u32 *reason)
{
	struct altconn_listener *ln;
	struct found found;
	bool changed;

	rcu_read_lock();
	do {
		changed = false;
		ln = listener_lookup_best(net, type, addr, &changed);
		/* One that goes is not found again, and another one may be. */
	} while (ln ? !refcount_inc_not_zero(&ln->refs) : changed);
	if (!ln)
		listener_lookup_any(net, type, addr, &found);
	rcu_read_unlock();
	return ln ? : ERR_PTR(listener_refusal(addr, &found, reason));
}

static noinline struct altconn_listener *
listener_find_far(const struct net *net, int type,
		  const struct altconn_addr *addr, u32 *reason)
{
	struct altconn_listener *ln;
	struct altconn_addr there;
	struct net *target;

	target = altconn_node_get(net, addr, &there, reason);
	if (IS_ERR(target))
		return ERR_CAST(target);
	ln = listener_find_here(target, type, &there, reason);
	put_net(target);
	return ln;
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
 * ERR_PTR(-EPROTOTYPE): the path is a socket of another type (E-PROTOTYPE); of
 * another node also what altconn_node_get() says.
 */
struct altconn_listener *altconn_listener_find(struct net *net, int type,
					       const struct altconn_addr *addr,
					       u32 *reason)
{
	if (unlikely(addr->far))
		return listener_find_far(net, type, addr, reason);
	return listener_find_here(net, type, addr, reason);
}

static struct altconn_listener *listener_new(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln;

	ln = kzalloc(sizeof(*ln), GFP_KERNEL_ACCOUNT);
	if (!ln)
		return NULL;
	refcount_set(&ln->refs, 1);
	spin_lock_init(&ln->lock);
	INIT_LIST_HEAD(&ln->queue);
	INIT_LIST_HEAD(&ln->member);
	ln->addr = altconn_addr_get(ask->bind->addr);
	ln->backlog = backlog;
	ln->sk = sk;
	ln->net = sock_net(sk);
	ln->netns = ln->net->ns.inum;
	ln->type = sk->sk_type;
	ln->dress = ask->dress;
	ln->fail_fast = ask->fail_fast;
	ln->defer = ask->defer;
	ln->reachable = ask->bind->reachable;
	ln->who = altconn_who_am_i();
	ln->cred = get_current_cred();
	return ln;
}

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
	ln = listener_new(sk, backlog);
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
static struct altconn_assoc *listener_dequeue(struct altconn_listener *ln,
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
		assoc = listener_dequeue(ln, ALTCONN_ASSOC_STATE_CLOSED);
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

static bool listener_is_acceptable(struct altconn_listener *ln)
{
	return altconn_listener_acceptable(ln) || READ_ONCE(ln->closed);
}

static struct altconn_assoc *accept_dequeue(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;
	bool refill, defer;

	do {
		spin_lock(&ln->lock);
		assoc = listener_dequeue(ln, ALTCONN_ASSOC_STATE_ESTABLISHED);
		defer = ln->defer && !ln->closed;
		refill = ln->exhausted;
		spin_unlock(&ln->lock);
	} while (!assoc && defer && altconn_attempt_take(ln));
	if (unlikely(refill && assoc))
		altconn_attempt_refill(ln);
	return assoc;
}

/* Wakes one accepter for each association. */
static int accept_wait(struct sock *sk, struct altconn_listener *ln,
		       long *timeo)
{
	DEFINE_WAIT(wait);
	int err = 0;

	prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
	if (!listener_is_acceptable(ln)) {
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

/* What the server's end has of its listener. */
static void accept_inherit(struct sock *sk, struct socket *newsock,
			   struct sock *newsk)
{
	sock_sees_core_options(newsock);
	altconn_sk(newsk)->v6only = altconn_sk(sk)->v6only;
	sk_set_passcred(newsk, newsock, sk_passcred(sk));
	altconn_sock_inherit(sk, newsk);
}

static void accept_count(const struct sock *sk,
			 const struct altconn_assoc *assoc)
{
	const struct altconn_net *an = altconn_pernet(sock_net(sk));

	this_cpu_inc(an->stat->accepted);
	altconn_stat_time(&an->stat->accept_queue,
			  ktime_get_ns() - assoc->decided);
}

static int accept_from(struct sock *sk, struct altconn_listener *ln,
		       struct socket *newsock, struct proto_accept_arg *arg)
{
	long timeo = sock_rcvtimeo(sk, arg->flags & O_NONBLOCK);
	struct altconn_assoc *assoc;
	struct sock *newsk;

	/* An event loop asks until it gets EAGAIN: make nothing for that. */
	if (!timeo && !listener_is_acceptable(ln))
		return -EAGAIN;
	/* First the endpoint, so that want of memory loses no association. */
	newsk = altconn_sock_alloc(sock_net(sk), NULL, sk->sk_type,
				   altconn_sk(sk)->dress, arg->kern);
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
	altconn_sock_set_peercred(newsk, assoc->end[ALTCONN_CLIENT].who.pid,
				  assoc->cred);
	accept_count(sk, assoc);
	trace_altconn_accept(assoc, 0);
	altconn_assoc_attach(assoc, ALTCONN_SERVER, newsk);
	altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_ACCEPTED, 0);
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
