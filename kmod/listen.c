// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: the accept queue, the attempts that wait behind it, accept().
 *
 * Invariant, whenever listener->lock is free: attempts wait only while the
 * accept queue is full, or the listener defers (ALTCONN_DEFER_ACCEPT). Who makes
 * room promotes, in order of arrival. A vacancy never has room.
 */

#include <linux/security.h>
#include <linux/slab.h>
#include "altconn.h"
#include "event.h"
#include "trace.h"

/* A backlog of n holds n + 1, as elsewhere in Linux. */
static bool has_room(const struct altconn_listener *ln)
{
	return !ln->vacant && !ln->closed && !ln->defer &&
	       ln->queued <= ln->backlog;
}

/* Would a fail-fast listener refuse one more? */
static bool is_full(const struct altconn_listener *ln)
{
	if (!ln->fail_fast)
		return false;
	return ln->defer ? ln->waiting > ln->backlog : !has_room(ln);
}

/*
 * Wakes an accepter for each that there is to accept, behind the lock, which they
 * want. RCU keeps the endpoint that the listener had while it was locked.
 */
static void unlock(struct altconn_listener *ln)
	__releases(&ln->lock)
{
	struct sock *sk = ln->sk;
	u32 n = ln->ready;

	ln->ready = 0;
	rcu_read_lock();
	spin_unlock(&ln->lock);
	while (n--)
		sk->sk_data_ready(sk);
	rcu_read_unlock();
}

static struct altconn_assoc *first_waiter(struct altconn_listener *ln)
{
	lockdep_assert_held(&ln->lock);
	return list_first_entry_or_null(&ln->waiters, struct altconn_assoc,
					node);
}

static void promote(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	while (has_room(ln) && (assoc = first_waiter(ln)))
		altconn_connect_decide(ln, assoc, 0,
				       ALTCONN_REASON_ESTABLISHED);
}

/**
 * altconn_listener_lock() - lock what an attempt waits at
 * @assoc: an attempt that has entered one, as every attempt has that its
 *	endpoint knows; the caller has a reference
 *
 * It moves between vacancies and listeners while it is pending.
 *
 * Context: process.
 * Return: the listener or vacancy, locked; @assoc keeps it alive until it is
 * unlocked.
 */
struct altconn_listener *
altconn_listener_lock(const struct altconn_assoc *assoc)
{
	struct altconn_listener *ln;

	rcu_read_lock();
	for (;;) {
		ln = rcu_dereference(assoc->listener);
		spin_lock(&ln->lock);
		if (ln == rcu_access_pointer(assoc->listener))
			break;
		spin_unlock(&ln->lock);
	}
	rcu_read_unlock();
	/* For sparse, which follows no lock that is returned. */
	__release(&ln->lock);
	return ln;
}

/**
 * altconn_listener_unlock() - undo altconn_listener_lock()
 * @ln: what it returned
 *
 * Context: process.
 */
void altconn_listener_unlock(struct altconn_listener *ln)
{
	__acquire(&ln->lock);
	unlock(ln);
}

/**
 * altconn_listener_free() - the last reference is gone
 * @ln: the listener
 *
 * Context: any but hard interrupts.
 */
void altconn_listener_free(struct altconn_listener *ln)
{
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

/* What an address is to someone who wants to connect. */
struct found {
	struct altconn_listener	*ln;
	unsigned int		score, equals;
	bool			bound, wrong_type;
};

/* Whose turn it is among those who share an address. */
static atomic_t turn;

/* The @nth of those that serve an address as closely as @score. */
static struct altconn_listener *choose(struct net *net, int type,
				       const struct altconn_addr *addr,
				       unsigned int score, unsigned int nth)
{
	struct altconn_listener *ln, *last = NULL;
	struct rhlist_head *list, *pos;
	struct altconn_bind *bind;
	bool full, found = false;

	list = altconn_bind_lookup(net, type, addr);
	altconn_bind_for_each(bind, pos, list) {
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

/* The closest listener of a key's bindings. RCU read side. */
static void look(struct net *net, int type, const struct altconn_addr *addr,
		 struct found *found)
{
	struct altconn_listener *ln;
	struct rhlist_head *list, *pos;
	struct altconn_bind *bind;
	unsigned int score;

	list = altconn_bind_lookup(net, type, addr);
	altconn_bind_for_each(bind, pos, list) {
		score = altconn_bind_score(bind, addr);
		if (!score)
			continue;
		found->bound = true;
		found->wrong_type = bind->type != type;
		ln = rcu_dereference(bind->listener);
		if (!ln || found->wrong_type || score < found->score)
			continue;
		if (score > found->score) {
			found->ln = ln;
			found->score = score;
			found->equals = 0;
		}
		found->equals++;
	}
	if (unlikely(found->equals > 1))
		found->ln = choose(net, type, addr, found->score,
				   (u32)atomic_inc_return(&turn) %
				   found->equals);
}

static int refusal(const struct altconn_addr *addr, const struct found *found,
		   u32 *reason)
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

static struct altconn_listener *find(struct net *net, int type,
				     const struct altconn_addr *addr,
				     u32 *reason)
{
	struct found found;

	rcu_read_lock();
	do {
		found = (struct found){};
		look(net, type, addr, &found);
		/* One that goes is not found again, and another one may be. */
	} while (found.ln && !refcount_inc_not_zero(&found.ln->refs));
	rcu_read_unlock();
	return found.ln ? : ERR_PTR(refusal(addr, &found, reason));
}

static noinline struct altconn_listener *
find_far(const struct net *net, int type, const struct altconn_addr *addr,
	 u32 *reason)
{
	struct altconn_listener *ln;
	struct altconn_addr there;
	struct net *target;

	target = altconn_node_get(net, addr, &there, reason);
	if (IS_ERR(target))
		return ERR_CAST(target);
	ln = find(target, type, &there, reason);
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
		return find_far(net, type, addr, reason);
	return find(net, type, addr, reason);
}

static u32 max_waiting(const struct altconn_net *an)
{
	/* A child namespace may lower the limit, not lift it. */
	return min(READ_ONCE(an->max_waiting),
		   READ_ONCE(altconn_init_state->max_waiting));
}

/*
 * Why the namespace of a listener lets in nobody from another one, or 0. That one counts
 * what begins there; here it is what comes in, give or take those of other listeners.
 */
static u32 shut_out(const struct altconn_listener *ln)
{
	const struct altconn_net *an = altconn_pernet(ln->net);

	lockdep_assert_held(&ln->lock);
	if (!has_room(ln) && ln->waiting >= max_waiting(an))
		return ALTCONN_REASON_WAITING_ROOM_FULL;
	if (atomic_long_read(&an->n_inbound) >=
	    min(READ_ONCE(an->max_associations),
		READ_ONCE(altconn_init_state->max_associations)))
		return ALTCONN_REASON_TABLE_FULL;
	return 0;
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

/*
 * May one more enter? Else why not. One that waits already, elsewhere, has been
 * let into a waiting room once, and is counted as refused where it waited.
 */
static int admit(struct altconn_listener *ln, const struct altconn_assoc *assoc,
		 bool again, u32 *reason)
{
	lockdep_assert_held(&ln->lock);
	*reason = ALTCONN_REASON_LISTENER_CLOSED;
	if (ln->closed)
		return ln->vacant ? -EAGAIN : -ECONNREFUSED;
	*reason = ALTCONN_REASON_BACKLOG_FULL;
	if (is_full(ln))
		goto refused;
	*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (!again && !has_room(ln) && ln->waiting >= max_waiting(assoc->an))
		goto refused;
	if (unlikely(ln->net != assoc->an->net)) {
		*reason = shut_out(ln);
		if (*reason)
			goto refused;
	}
	return 0;

refused:
	if (!again)
		ln->outcomes[*reason]++;
	/* One that was made for this attempt. */
	if (ln->vacant && !ln->waiting)
		altconn_vacancy_remove(ln);
	return -ECONNREFUSED;
}

/* It has entered and is not established: it waits. */
static void wait_here(struct altconn_listener *ln, struct altconn_assoc *assoc)
{
	ln->waited++;
	assoc->waited = true;
	this_cpu_inc(assoc->an->stat->waited);
	trace_altconn_connect_wait(assoc, ln->held ? 0 : ln->waiting);
	altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CONNECT_WAIT,
			    ln->held ? 0 : ln->waiting);
	if (ln->defer)
		ln->ready++;
}

/**
 * altconn_listener_enter() - an attempt arrives
 * @ln: the listener or vacancy
 * @assoc: the attempt; on success the listener and the client's endpoint take
 *	references and the caller's is theirs too, so the caller gives it up
 * @reason: why it was refused
 *
 * With room in the accept queue it is established at once, else it waits.
 *
 * Context: process; lock_sock() of the client held.
 * Return: 0; -ECONNREFUSED: the listener has closed, its backlog is full and it
 * fails fast, or too many wait; -EAGAIN: the vacancy has gone; -ENOMEM: of
 * another namespace. On failure the endpoint is as it was, and the caller keeps its
 * reference.
 */
int altconn_listener_enter(struct altconn_listener *ln,
			   struct altconn_assoc *assoc, u32 *reason)
{
	struct altconn_far *far = altconn_far_prepare(assoc, ln);
	int err;

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (IS_ERR(far))
		return PTR_ERR(far);
	spin_lock(&ln->lock);
	err = admit(ln, assoc, false, reason);
	if (err)
		goto out;
	altconn_far_arrive(assoc, ln, far);
	far = NULL;
	assoc->arrived = altconn_next_id();
	altconn_assoc_set_listener(assoc, ln);
	publish(assoc);
	list_add_tail(&assoc->node, &ln->waiters);
	assoc->number = ++ln->number;
	ln->waiting++;
	promote(ln);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
		wait_here(ln, assoc);
out:
	unlock(ln);
	altconn_far_free(far);
	return err;
}

/**
 * altconn_listener_move() - an attempt goes to wait elsewhere
 * @from: the listener or vacancy that it is in
 * @to: the one that it joins, before all that arrived later
 * @assoc: the attempt
 *
 * Its deadline goes on.
 *
 * Context: process; both locks held, @from's first, and the stripe of the key:
 * no other way leads from one listener's lock to another's. Nothing leads to one
 * that a rule made.
 */
void altconn_listener_move(struct altconn_listener *from,
			   struct altconn_listener *to,
			   struct altconn_assoc *assoc)
{
	struct altconn_assoc *before;

	lockdep_assert_held(&from->lock);
	lockdep_assert_held(&to->lock);
	/* Mostly the last: others come meanwhile while a listener closes. */
	list_for_each_entry_reverse(before, &to->waiters, node)
		if (before->arrived < assoc->arrived)
			break;
	if (assoc->node.prev != &from->waiters)
		from->uneven = true;
	list_move(&assoc->node, &before->node);
	if (assoc->node.next != &to->waiters) {
		/* For now that of the next: numbers never fall. */
		assoc->number = list_next_entry(assoc, node)->number;
		to->uneven = true;
	} else {
		assoc->number = ++to->number;
	}
	to->waiting++;
	from->waiting--;
	if (from->vacant && !from->waiting)
		altconn_vacancy_remove(from);
	altconn_assoc_set_listener(assoc, to);
}

/* One that was held has not waited before; the others have. */
static void arrived(const struct altconn_listener *from,
		    struct altconn_listener *to, struct altconn_assoc *assoc)
{
	if (!from->held) {
		to->waited++;
		if (to->defer)
			to->ready++;
	} else if (assoc->state == ALTCONN_ASSOC_STATE_PENDING) {
		wait_here(to, assoc);
	}
}

/**
 * altconn_listener_reenter() - an attempt goes on, or waits on, elsewhere
 * @from: the listener that closes, or where a rule held it
 * @to: a vacancy, or another listener that has come
 * @assoc: the attempt, in @from unless it has been decided meanwhile
 * @reason: why not
 *
 * Context: process; the stripe of the key held, if @from is not one that a rule made.
 * Return: as altconn_listener_enter(); 0 also for one that was decided.
 */
int altconn_listener_reenter(struct altconn_listener *from,
			     struct altconn_listener *to,
			     struct altconn_assoc *assoc, u32 *reason)
{
	struct altconn_far *far = altconn_far_prepare(assoc, to);
	int err = 0;

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (IS_ERR(far))
		return PTR_ERR(far);
	spin_lock(&from->lock);
	spin_lock_nested(&to->lock, SINGLE_DEPTH_NESTING);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
		err = admit(to, assoc, !from->held, reason);
	/* One that was held arrives now. */
	if (from->held)
		assoc->arrived = altconn_next_id();
	if (!err && assoc->state == ALTCONN_ASSOC_STATE_PENDING) {
		altconn_far_arrive(assoc, to, far);
		far = NULL;
		altconn_listener_move(from, to, assoc);
		promote(to);
		arrived(from, to, assoc);
	}
	/* One that was made for this attempt, which was decided meanwhile. */
	if (to->vacant && !to->waiting)
		altconn_vacancy_remove(to);
	unlock(to);
	spin_unlock(&from->lock);
	altconn_far_free(far);
	return err;
}

/* Up to so many are counted whenever somebody asks. */
#define FEW		1024

/*
 * Who left from the middle, or came there, made the numbers uneven. A list of all that
 * wait asks for each of them: of many, they are counted ten times a second at most.
 */
static void number_waiters(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	if (!ln->uneven || (ln->waiting > FEW &&
			    time_before(jiffies, ln->numbered + HZ / 10)))
		return;
	list_for_each_entry(assoc, &ln->waiters, node)
		assoc->number = ++ln->number;
	ln->uneven = false;
	ln->numbered = jiffies;
}

/**
 * altconn_listener_place() - where an attempt stands in the queue
 * @assoc: an attempt
 *
 * With more than a thousand in the queue, those who left from the middle or came there in
 * the last tenth of a second may not be counted yet.
 *
 * Context: any; takes listener->lock.
 * Return: 1 when it is next; 0 when it does not wait in a queue.
 */
u32 altconn_listener_place(const struct altconn_assoc *assoc)
{
	struct altconn_listener *ln;
	u32 place = 0;

	/* On its way there; the pointer is never NULL again. */
	if (!rcu_access_pointer(assoc->listener))
		return 0;
	ln = altconn_listener_lock(assoc);

	/* Not in the queue: refused at the door. */
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING && !ln->held &&
	    !list_empty(&assoc->node)) {
		number_waiters(ln);
		place = assoc->number - first_waiter(ln)->number + 1;
	}
	altconn_listener_unlock(ln);
	return place;
}

/**
 * altconn_listener_new() - a listener or vacancy that nobody can find yet
 * @addr: its address, a reference is taken
 *
 * Context: process, may sleep.
 * Return: the listener with one reference, or NULL.
 */
struct altconn_listener *altconn_listener_new(struct altconn_addr *addr)
{
	struct altconn_listener *ln;

	ln = kzalloc(sizeof(*ln), GFP_KERNEL_ACCOUNT);
	if (!ln)
		return NULL;
	refcount_set(&ln->refs, 1);
	spin_lock_init(&ln->lock);
	INIT_LIST_HEAD(&ln->queue);
	INIT_LIST_HEAD(&ln->waiters);
	ln->addr = altconn_addr_get(addr);
	ln->who = ALTCONN_NOBODY;
	ln->numbered = jiffies - HZ;
	return ln;
}

static struct altconn_listener *make(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln = altconn_listener_new(ask->bind->addr);

	if (!ln)
		return NULL;
	ln->backlog = backlog;
	ln->sk = sk;
	ln->net = sock_net(sk);
	ln->netns = ln->net->ns.inum;
	ln->type = sk->sk_type;
	ln->dress = ask->dress;
	ln->fail_fast = ask->fail_fast;
	ln->defer = ask->defer;
	ln->who = altconn_who_am_i();
	ln->cred = get_current_cred();
	return ln;
}

/* A dress that cannot be unnamed gets an address when it listens, as TCP. */
static int bind_listener(struct sock *sk)
{
	struct altconn_addr addr = { .kind = ALTCONN_KIND_INET, .len = 16 };

	switch (altconn_sk(sk)->dress) {
	case ALTCONN_UNIX:
		return -EINVAL;
	case ALTCONN_NATIVE:
		addr.kind = ALTCONN_KIND_PORT;
		break;
	case ALTCONN_INET:
		ipv6_addr_set_v4mapped(htonl(INADDR_ANY),
				       altconn_addr_ip(&addr));
		break;
	}
	return altconn_autobind(sk, &addr);
}

/* One that waits at a listener which closes: it may wait for the next. */
static void turn_away(struct altconn_listener *ln, struct altconn_assoc *assoc)
{
	u32 reason = ALTCONN_REASON_LISTENER_CLOSED;

	if (assoc->waits_listener && !altconn_vacancy_enter(assoc, ln, &reason))
		return;
	spin_lock(&ln->lock);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
		altconn_connect_decide(ln, assoc, ECONNREFUSED, reason);
	spin_unlock(&ln->lock);
}

static struct altconn_assoc *get_first_waiter(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	spin_lock(&ln->lock);
	assoc = first_waiter(ln);
	/* The client may let go of it as soon as it sees the result. */
	if (assoc)
		altconn_assoc_get(assoc);
	spin_unlock(&ln->lock);
	return assoc;
}

static void turn_all_away(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	while ((assoc = get_first_waiter(ln))) {
		turn_away(ln, assoc);
		altconn_assoc_put(assoc);
		cond_resched();
	}
}

/* Whom a listener that fails fast has no room for. */
static bool has_surplus(const struct altconn_listener *ln)
{
	return ln->fail_fast &&
	       ln->waiting > (ln->defer ? ln->backlog + 1 : 0);
}

/* Refuse the first that waits, or the last of a surplus; false: there is none. */
static bool refuse_one(struct altconn_listener *ln, bool surplus, u32 reason)
{
	struct altconn_assoc *assoc;

	spin_lock(&ln->lock);
	assoc = first_waiter(ln);
	if (assoc && surplus)
		assoc = has_surplus(ln) ? list_last_entry(&ln->waiters,
							  struct altconn_assoc,
							  node) : NULL;
	if (assoc) {
		/* The client may let go of it as soon as it sees the result. */
		altconn_assoc_get(assoc);
		altconn_connect_decide(ln, assoc, ECONNREFUSED, reason);
	}
	spin_unlock(&ln->lock);
	if (assoc)
		altconn_assoc_put(assoc);
	return assoc;
}

/* Those who have waited for this listener find its backlog and its policy. */
static void settle(struct altconn_listener *ln)
{
	spin_lock(&ln->lock);
	promote(ln);
	unlock(ln);
	while (refuse_one(ln, true, ALTCONN_REASON_BACKLOG_FULL))
		cond_resched();
}

/* CLOSE -> LISTEN. */
static int start(struct sock *sk, int backlog)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln;
	bool unbound;
	int err;

	altconn_bind_cancel(sk);
	unbound = !ask->bind;
	if (unbound) {
		err = bind_listener(sk);
		if (err)
			return err;
	}
	err = -ENOMEM;
	ln = make(sk, backlog);
	if (!ln)
		goto err_unbind;
	altconn_sock_register(sk);
	ln->id = ask->entry.id;
	/* Attempts may come from here on. */
	err = altconn_bind_listen(sk, ln);
	if (err)
		goto err_unregister;
	trace_altconn_state(sk, sk->sk_state, TCP_LISTEN);
	rcu_assign_pointer(ask->listener, ln);
	WRITE_ONCE(sk->sk_state, TCP_LISTEN);
	settle(ln);
	/* Whoever polls has not been told of those that came just now. */
	sk->sk_state_change(sk);
	return 0;

err_unregister:
	altconn_sock_unregister(sk);
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
	struct altconn_who who = altconn_who_am_i();
	const struct cred *cred = get_current_cred();

	spin_lock(&ln->lock);
	ln->backlog = backlog;
	swap(ln->who, who);
	swap(ln->cred, cred);
	promote(ln);
	unlock(ln);
	put_pid(who.pid);
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
		set_backlog(sk, backlog);
		break;
	case TCP_CLOSE:
		err = start(sk, backlog);
		/* listen(2) has another errno for this than connect(2). */
		if (err == -EAGAIN)
			err = -EADDRINUSE;
		break;
	default:
		err = -EINVAL;
		break;
	}
	release_sock(sk);
	return err;
}

/* Under the lock: out of the accept queue, in its new state. */
static void unqueue(struct altconn_listener *ln, struct altconn_assoc *assoc,
		    u8 state)
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
static struct altconn_assoc *dequeue(struct altconn_listener *ln, u8 state)
{
	struct altconn_assoc *assoc;

	lockdep_assert_held(&ln->lock);
	assoc = list_first_entry_or_null(&ln->queue, struct altconn_assoc,
					 node);
	if (!assoc)
		return NULL;
	unqueue(ln, assoc, state);
	return assoc;
}

static void reset_queue(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	for (;;) {
		spin_lock(&ln->lock);
		assoc = dequeue(ln, ALTCONN_ASSOC_STATE_CLOSED);
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
 * Attempts that wait are refused, or go on to wait for another listener if they
 * want that; associations that nobody accepted are reset.
 *
 * Context: process, may sleep; lock_sock() held.
 */
void altconn_listener_close(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);
	struct altconn_listener *ln =
		rcu_dereference_protected(ask->listener,
					  lockdep_sock_is_held(sk));

	altconn_bind_unlisten(sk);
	RCU_INIT_POINTER(ask->listener, NULL);
	altconn_sock_unregister(sk);

	spin_lock(&ln->lock);
	ln->closed = true;
	WARN_ON_ONCE(ln->ready);
	spin_unlock(&ln->lock);
	turn_all_away(ln);
	reset_queue(ln);
	/* Accepters that sleep see that it has closed. */
	sk->sk_state_change(sk);
	altconn_listener_put(ln);
}

/**
 * altconn_listener_kill() - end an association that is not accepted yet
 * @assoc: one that has been at a listener or vacancy; the caller has a reference
 *
 * An attempt that waits fails with ECONNABORTED; who is established gets ECONNRESET.
 *
 * Context: process.
 * Return: false: it is accepted, or over.
 */
bool altconn_listener_kill(struct altconn_assoc *assoc)
{
	struct altconn_listener *ln = altconn_listener_lock(assoc);
	u8 state = assoc->state;

	if (state == ALTCONN_ASSOC_STATE_PENDING) {
		altconn_connect_decide(ln, assoc, ECONNABORTED,
				       ALTCONN_REASON_KILLED);
	} else if (state == ALTCONN_ASSOC_STATE_QUEUED) {
		unqueue(ln, assoc, ALTCONN_ASSOC_STATE_CLOSED);
		promote(ln);
	}
	altconn_listener_unlock(ln);
	/* The queue's reference goes with it. */
	if (state == ALTCONN_ASSOC_STATE_QUEUED)
		altconn_assoc_abandon(assoc);
	return state == ALTCONN_ASSOC_STATE_PENDING ||
	       state == ALTCONN_ASSOC_STATE_QUEUED;
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
	if (!ln)
		return;
	spin_lock(&ln->lock);
	ln->fail_fast = fail_fast;
	ln->defer = defer;
	promote(ln);
	if (defer)
		ln->ready += ln->waiting;
	unlock(ln);
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
	/* Those who wait now: others may come as fast as they are refused. */
	count = min(count, READ_ONCE(ln->waiting));
	while (count-- && refuse_one(ln, false, ALTCONN_REASON_REFUSED))
		cond_resched();
	return 0;
}

/**
 * altconn_listener_acceptable() - would accept() return at once?
 * @ln: the listener
 *
 * Context: any; takes no lock.
 */
bool altconn_listener_acceptable(const struct altconn_listener *ln)
{
	return !list_empty_careful(&ln->queue) ||
	       (READ_ONCE(ln->defer) && !list_empty_careful(&ln->waiters));
}

static bool acceptable(struct altconn_listener *ln)
{
	return altconn_listener_acceptable(ln) || READ_ONCE(ln->closed);
}

static struct altconn_assoc *take(struct altconn_listener *ln)
{
	struct altconn_assoc *assoc;

	spin_lock(&ln->lock);
	if (ln->defer && !ln->queued && !ln->closed) {
		assoc = first_waiter(ln);
		if (assoc)
			altconn_connect_decide(ln, assoc, 0,
					       ALTCONN_REASON_ESTABLISHED);
	}
	assoc = dequeue(ln, ALTCONN_ASSOC_STATE_ESTABLISHED);
	if (assoc)
		promote(ln);
	unlock(ln);
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

/* What the server's end has of its listener. */
static void inherit(struct sock *sk, struct socket *newsock,
		    struct sock *newsk)
{
	sock_sees_core_options(newsock);
	altconn_sk(newsk)->v6only = altconn_sk(sk)->v6only;
	sk_set_passcred(newsk, newsock, sk_passcred(sk));
	altconn_inet_inherit(sk, newsk);
}

static void count_accepted(const struct sock *sk,
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
	inherit(sk, newsock, newsk);
	security_sk_clone(sk, newsk);
	sock_graft(newsk, newsock);
	altconn_sock_set_peercred(newsk, assoc->end[ALTCONN_CLIENT].who.pid,
				  assoc->cred);
	count_accepted(sk, assoc);
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
