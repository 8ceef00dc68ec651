// SPDX-License-Identifier: GPL-2.0
/*
 * Attempts: how they enter a listener's queue or wait for it, and THE decision.
 *
 * An attempt is an association in state PENDING. It leaves PENDING in
 * attempt_decide() and nowhere else, under assoc->lock, exactly once:
 *
 *	PENDING -> QUEUED	there was room, or accept() made some
 *	PENDING -> CLOSED	refused: the listener closed or said no
 *				timed out: the deadline passed
 *				cancelled: close(), or connect(AF_UNSPEC)
 *				killed: an administrator ended it
 *
 * Documentation/states.svg shows it, with the states of the socket.
 *
 * connect() puts the attempt straight into the accept queue of a listener that
 * has room. Else the attempt waits in the room of its address (room.h), and
 * stays there until it is decided, whichever listener comes and goes.
 *
 * Invariant, whenever the lock of a room is free: if an attempt waits, each
 * listener that serves it is exhausted, or defers. An exhausted listener lets no
 * new attempt in past those that wait: it queues up behind them. Whatever makes
 * room at an exhausted listener, or joins the listeners of an address, calls
 * altconn_attempt_refill(), which lets waiting attempts in, in order of
 * arrival.
 *
 * Attempts are let in and refused in batches. The locks are dropped between
 * two batches, and clients and accepters are woken then.
 */

#include <linux/slab.h>
#include <linux/wait.h>
#include "event.h"
#include "room.h"
#include "trace.h"

/* Attempts that are decided in one hold of a room's lock. */
#define ATTEMPT_BATCH	16

/**
 * struct attempt_batch - decided attempts, whose clients are to be woken
 * @assoc: the attempts, references
 * @n: how many
 * @sk: a listener that has something to accept, or NULL
 * @ready: how many attempts
 * @defers: a listener that defers and for which attempts wait, or NULL
 * @n_defers: how many of its accepters are to be woken
 */
struct attempt_batch {
	struct altconn_assoc	*assoc[ATTEMPT_BATCH];
	unsigned int		n;
	struct sock		*sk;
	unsigned int		ready;
	struct sock		*defers;
	unsigned int		n_defers;
};

static bool batch_is_full(const struct attempt_batch *batch)
{
	return batch->n == ATTEMPT_BATCH;
}

static void batch_add(struct attempt_batch *batch, struct altconn_assoc *assoc)
{
	batch->assoc[batch->n++] = assoc;
}

/* ---- waking ---- */

static void attempt_wake_client(struct sock *sk)
{
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

/*
 * One pass: each poller is woken once, and of the exclusive waiters (threads in
 * accept(), EPOLLEXCLUSIVE) as many as there are attempts to accept. RCU read
 * side.
 */
static void attempt_wake_accepters(struct sock *sk, unsigned int n)
{
	struct socket_wq *wq;

	if (likely(n == 1)) {
		sk->sk_data_ready(sk);
		return;
	}
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		__wake_up(&wq->wait, TASK_INTERRUPTIBLE, n,
			  poll_to_key(EPOLLIN | EPOLLPRI | EPOLLRDNORM |
				      EPOLLRDBAND));
	sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/*
 * Unlock the room and wake. RCU keeps the listeners' endpoints, which do not
 * close while the room is locked.
 */
static void batch_unlock(struct attempt_batch *batch, struct altconn_room *room)
{
	unsigned int i;

	rcu_read_lock();
	altconn_room_unlock(room);
	if (batch->sk)
		attempt_wake_accepters(batch->sk, batch->ready);
	if (batch->defers)
		attempt_wake_accepters(batch->defers, batch->n_defers);
	rcu_read_unlock();
	for (i = 0; i < batch->n; i++) {
		attempt_wake_client(batch->assoc[i]->end[ALTCONN_CLIENT].sk);
		altconn_assoc_put(batch->assoc[i]);
	}
}

/* ---- THE decision ---- */

static void attempt_queue_job(struct altconn_wait *wait,
			      struct altconn_payer *payer)
{
	altconn_assoc_get(wait->assoc);
	if (!altconn_payer_queue(payer, &wait->job))
		altconn_assoc_put(wait->assoc);
}

static void attempt_disarm(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;

	if (!wait)
		return;
	/* The job lets go of the path now: that may sleep. */
	if (unlikely(READ_ONCE(wait->path.dentry)))
		attempt_queue_job(wait, wait->delays);
	/* A job that is queued finds the attempt decided. */
	if (timer_delete(&wait->timer))
		altconn_assoc_put(assoc);
}

/* The client's endpoint cannot leave the attempt while it is pending. */
static void attempt_tell_client(struct altconn_assoc *assoc,
				const struct altconn_listener *ln, int err,
				u32 reason)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;
	u8 state = err ? TCP_CLOSE : TCP_ESTABLISHED;

	trace_altconn_state(sk, TCP_SYN_SENT, state);
	if (!err)
		altconn_sock_set_peercred(sk, ln->who.pid, ln->cred);
	if (err && reason != ALTCONN_REASON_CANCELLED_CLOSE &&
	    reason != ALTCONN_REASON_CANCELLED_UNSPEC)
		WRITE_ONCE(sk->sk_err, err);
	/* A reader of the state sees the error and assoc->err too. */
	smp_store_release(&sk->sk_state, state);
}

/*
 * Decide an attempt, if it is still pending. @ln: the listener whose queue it
 * enters next, locked; NULL: it fails with the positive errno @err. The caller
 * has a reference, reports the end, and wakes the client when it has unlocked.
 */
static bool attempt_decide(struct altconn_assoc *assoc,
			   struct altconn_listener *ln, int err, u32 reason)
{
	lockdep_assert_held(&assoc->lock);
	if (assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		return false;
	assoc->err = err;
	assoc->reason = reason;
	WRITE_ONCE(assoc->decided, assoc->waited ? ktime_get_ns() :
						   assoc->begun);
	attempt_disarm(assoc);
	if (err)
		altconn_far_leave(assoc);
	altconn_assoc_set_state(assoc, err ? ALTCONN_ASSOC_STATE_CLOSED :
					     ALTCONN_ASSOC_STATE_QUEUED);
	attempt_tell_client(assoc, ln, err, reason);
	return true;
}

/* Count and report the end of an attempt; assoc->lock is not held. */
static void attempt_report(struct altconn_assoc *assoc)
{
	u64 waited = assoc->decided - assoc->begun;

	altconn_stat_outcome(assoc->an, assoc->reason);
	trace_altconn_connect_end(assoc->end[ALTCONN_CLIENT].sk,
				  assoc->entry.id,
				  assoc->end[ALTCONN_SERVER].addr, assoc->err,
				  assoc->reason, waited);
	altconn_event_assoc(assoc, assoc->err ? ALTCONN_EVENT_KIND_FAILED :
						ALTCONN_EVENT_KIND_ESTABLISHED,
			    0);
	if (assoc->err)
		altconn_assoc_over(assoc);
	else
		altconn_stat_time(&assoc->an->stat->latency, waited);
}

/* The endpoint has the attempt from now on. assoc->lock held. */
static void attempt_publish(struct altconn_assoc *assoc)
{
	struct sock *sk = assoc->end[ALTCONN_CLIENT].sk;

	lockdep_assert_held(&assoc->lock);
	if (assoc->published)
		return;
	trace_altconn_state(sk, sk->sk_state, TCP_SYN_SENT);
	assoc->published = true;
	rcu_assign_pointer(altconn_sk(sk)->assoc, altconn_assoc_get(assoc));
	WRITE_ONCE(sk->sk_state, TCP_SYN_SENT);
}

/* An attempt enters a listener's queue or its room, if it is pending. */
static void attempt_arrive(struct altconn_assoc *assoc,
			   const struct altconn_listener *ln,
			   struct altconn_far **far)
{
	attempt_publish(assoc);
	if (!ln || assoc->state != ALTCONN_ASSOC_STATE_PENDING)
		return;
	altconn_far_arrive(assoc, ln, *far);
	*far = NULL;
}

/*
 * Establish an attempt in a listener's accept queue, which gets the caller's
 * reference. @far: of an attempt that arrives now, else NULL. False: it was
 * decided before.
 */
static bool attempt_establish(struct altconn_assoc *assoc,
			      struct altconn_listener *ln,
			      struct altconn_far **far)
{
	bool done;

	lockdep_assert_held(&ln->lock);
	spin_lock(&assoc->lock);
	if (far)
		attempt_arrive(assoc, ln, far);
	done = attempt_decide(assoc, ln, 0, ALTCONN_REASON_ESTABLISHED);
	if (done) {
		refcount_inc(&ln->refs);
		rcu_assign_pointer(assoc->listener, ln);
		altconn_assoc_set_server(assoc, ln);
	}
	spin_unlock(&assoc->lock);
	if (!done)
		return false;
	attempt_report(assoc);
	ln->outcomes[ALTCONN_REASON_ESTABLISHED]++;
	list_add_tail(&assoc->node, &ln->queue);
	ln->queued++;
	return true;
}

/* The room in which an attempt waits or waited, or NULL. */
static struct altconn_room *attempt_room(const struct altconn_assoc *assoc)
{
	/* Pairs with attempt_make_wait(). */
	const struct altconn_wait *wait = smp_load_acquire(&assoc->wait);

	/* Pairs with attempt_enter_lane(). */
	return wait ? smp_load_acquire(&wait->room) : NULL;
}

/*
 * Lock an attempt, and its room if it has one: it gets one at most once, when
 * a rule lets it go on.
 */
static struct altconn_room *attempt_lock(struct altconn_assoc *assoc)
	__acquires(&assoc->lock)
{
	struct altconn_room *room = attempt_room(assoc);

	if (!room) {
		spin_lock(&assoc->lock);
		room = attempt_room(assoc);
		if (!room)
			return NULL;
		spin_unlock(&assoc->lock);
	}
	altconn_room_relock(room);
	spin_lock(&assoc->lock);
	return room;
}

/* A listener of the attempt's address, or NULL. */
static struct altconn_listener *attempt_any_listener(struct altconn_room *room,
						     struct altconn_wait *wait)
{
	struct altconn_serving s =
		altconn_room_serving(room, wait->lane,
				     wait->fifo == ALTCONN_FIFO_FAR);
	struct altconn_group *group;

	if (!s.n)
		return NULL;
	group = s.group[0];
	return list_first_entry_or_null(&group->open, struct altconn_listener,
					member) ? :
	       list_first_entry_or_null(&group->full, struct altconn_listener,
					member) ? :
	       list_first_entry_or_null(&group->defer, struct altconn_listener,
					member);
}

/* An attempt ended while it waited: a listener of its address counts it. */
static void attempt_count(struct altconn_room *room, struct altconn_wait *wait,
			  u32 reason)
{
	struct altconn_listener *ln = attempt_any_listener(room, wait);

	if (!ln)
		return;
	spin_lock(&ln->lock);
	ln->outcomes[reason]++;
	spin_unlock(&ln->lock);
}

/**
 * altconn_attempt_fail() - end an attempt, if it is still pending
 * @assoc: an attempt; the caller has a reference
 * @err: positive errno
 * @reason: enum altconn_reason
 *
 * Context: process.
 * Return: false: it was decided before, or connect() has not begun it.
 */
bool altconn_attempt_fail(struct altconn_assoc *assoc, int err, u32 reason)
{
	struct altconn_room *room = attempt_lock(assoc);
	struct altconn_wait *wait = assoc->wait;
	bool done, queued;

	done = assoc->published && attempt_decide(assoc, NULL, err, reason);
	spin_unlock(&assoc->lock);
	if (done)
		attempt_report(assoc);
	queued = done && room && wait->lane;
	if (queued) {
		attempt_count(room, wait, reason);
		altconn_room_remove(room, wait);
	}
	if (room)
		altconn_room_unlock(room);
	if (done)
		attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
	/* The room's reference. */
	if (queued)
		altconn_assoc_put(assoc);
	return done;
}

/**
 * altconn_attempt_sync() - wait until a decision is reported
 * @assoc: decided; the caller has a reference
 *
 * Context: process.
 */
void altconn_attempt_sync(struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_lock(assoc);

	spin_unlock(&assoc->lock);
	if (room)
		altconn_room_unlock(room);
}

/* ---- the deadline, and the end of a rule's delay ---- */

/*
 * (Re)start the timer, which holds a reference, for what comes first. False:
 * nothing does. assoc->lock held.
 */
static bool attempt_arm(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait = assoc->wait;
	u64 now = ktime_get_ns(), when = assoc->expires, ms = 0;

	lockdep_assert_held(&assoc->lock);
	if (wait->held_until && (!when || wait->held_until < when))
		when = wait->held_until;
	if (!when)
		return false;
	if (when > now)
		ms = div_u64(when - now, NSEC_PER_MSEC);
	/* The end of a delay may take long, a deadline does not. */
	WRITE_ONCE(wait->payer, when == wait->held_until ? wait->delays :
							   wait->deadlines);
	altconn_assoc_get(assoc);
	if (mod_timer(&wait->timer, jiffies + msecs_to_jiffies(ms) + 1))
		altconn_assoc_put(assoc);
	return true;
}

/* Go on to a listener that listens now, as connect() would. */
static int attempt_resume(struct altconn_assoc *assoc, u32 *reason)
{
	struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	struct altconn_listener *ln;
	int err;

	do {
		ln = altconn_listener_find(assoc->an->net, assoc->type, addr,
					   reason);
		if (IS_ERR(ln))
			break;
		err = altconn_attempt_enter(assoc, ln, reason);
		altconn_listener_put(ln);
		/* It closed meanwhile: another one may share its address. */
	} while (err && *reason == ALTCONN_REASON_LISTENER_CLOSED);
	if (!IS_ERR(ln))
		return err;
	if (PTR_ERR(ln) != -ECONNREFUSED || !assoc->waits_listener)
		return PTR_ERR(ln);
	return altconn_attempt_enter(assoc, NULL, reason);
}

/* The client's endpoint of a pending attempt, a reference; NULL: it is decided. */
static struct sock *attempt_hold_client(struct altconn_assoc *assoc)
{
	struct sock *sk = NULL;

	spin_lock(&assoc->lock);
	if (assoc->state == ALTCONN_ASSOC_STATE_PENDING) {
		sk = assoc->end[ALTCONN_CLIENT].sk;
		sock_hold(sk);
	}
	spin_unlock(&assoc->lock);
	return sk;
}

/* The time for which a rule held the attempt may be over. */
static void attempt_end_hold(struct altconn_wait *wait)
{
	struct altconn_assoc *assoc = wait->assoc;
	u64 expires = assoc->expires, now = ktime_get_ns();
	struct mem_cgroup *memcg;
	struct sock *sk;
	u32 reason;
	int err;

	if (!wait->held_until || now < wait->held_until ||
	    (expires && now >= expires))
		return;
	wait->held_until = 0;
	sk = attempt_hold_client(assoc);
	if (!sk)
		return;
	/* What the attempt needs to wait on is charged to its client. */
	memcg = set_active_memcg(mem_cgroup_from_sk(sk));
	/* The queue's, if the attempt enters one. */
	err = attempt_resume(altconn_assoc_get(assoc), &reason);
	set_active_memcg(memcg);
	if (err) {
		altconn_attempt_fail(assoc, -err, reason);
		altconn_assoc_put(assoc);
	}
	sock_put(sk);
}

/* Drop the held path once the hold is over, or the attempt is decided. */
static void attempt_drop_path(struct altconn_wait *wait)
{
	struct path path = { .mnt = wait->path.mnt };

	if (!READ_ONCE(wait->path.dentry) ||
	    (wait->held_until && READ_ONCE(wait->assoc->state) ==
				 ALTCONN_ASSOC_STATE_PENDING))
		return;
	/* The job may run for both payers at a time. */
	path.dentry = xchg(&wait->path.dentry, NULL);
	if (path.dentry)
		path_put(&path);
}

/*
 * The timer only asks for the job, which runs in process context: no lock of the
 * decision is a softirq's, since it takes sk_peer_lock, which the core takes with
 * softirqs on. The timer's reference becomes the job's. A job that is queued has one
 * already; if the timer's is the last the job has run meanwhile, and runs once more to
 * drop it.
 */
static void attempt_timer(struct timer_list *timer)
{
	struct altconn_wait *wait = timer_container_of(wait, timer, timer);

	while (!altconn_payer_queue(READ_ONCE(wait->payer), &wait->job))
		if (refcount_dec_not_one(&wait->assoc->refs))
			break;
}

/*
 * An attempt's deadline may have passed, or the time for which a rule holds it.
 *
 * The tick that drives timers may lag behind the clock and then catch up, so
 * a timer can be early. A deadline is not: then the timer starts again.
 */
static void attempt_run(struct altconn_job *job)
{
	struct altconn_wait *wait = container_of(job, struct altconn_wait, job);
	struct altconn_assoc *assoc = wait->assoc;

	attempt_end_hold(wait);
	attempt_drop_path(wait);
	if (assoc->expires && ktime_get_ns() >= assoc->expires) {
		altconn_attempt_fail(assoc, ETIMEDOUT, ALTCONN_REASON_DEADLINE);
	} else {
		spin_lock(&assoc->lock);
		if (assoc->state == ALTCONN_ASSOC_STATE_PENDING)
			attempt_arm(assoc);
		spin_unlock(&assoc->lock);
	}
	altconn_assoc_put(assoc);
}

/* ---- waiting ---- */

static struct altconn_payer *attempt_payer(const struct altconn_assoc *assoc,
					   enum altconn_payer_kind kind)
{
	return altconn_payer_get(kind, altconn_payer_key(assoc->cred));
}

static int attempt_make_wait(struct altconn_assoc *assoc)
{
	struct altconn_wait *wait;

	if (assoc->wait)
		return 0;
	wait = kzalloc(sizeof(*wait), GFP_KERNEL_ACCOUNT);
	if (!wait)
		return -ENOMEM;
	wait->deadlines = attempt_payer(assoc, ALTCONN_PAYER_DEADLINE);
	if (!wait->deadlines) {
		kfree(wait);
		return -ENOMEM;
	}
	timer_setup(&wait->timer, attempt_timer, 0);
	altconn_job_init(&wait->job, attempt_run);
	wait->assoc = assoc;
	if (assoc->end[ALTCONN_SERVER].addr->far)
		wait->fifo = ALTCONN_FIFO_FAR;
	else if (assoc->waits_listener)
		wait->fifo = ALTCONN_FIFO_PATIENT;
	/* Pairs with walks of the registry, which the attempt is in. */
	smp_store_release(&assoc->wait, wait);
	return 0;
}

static u32 attempt_max_waiting(const struct altconn_net *an)
{
	/* A child namespace may lower the limit, not lift it. */
	return min(READ_ONCE(an->max_waiting),
		   READ_ONCE(altconn_init_state->max_waiting));
}

/**
 * altconn_attempt_hold() - a rule holds an attempt
 * @assoc: the attempt, new; on success the caller's reference is the endpoint's
 * @delay_ms: until the attempt goes on, milliseconds; 0: it does not
 * @path: a path's socket file, looked up, or NULL; a reference is taken
 * @reason: why not
 *
 * Context: process, may sleep; lock_sock() of the client held.
 * Return: 0: the attempt waits; -ENOMEM; -ECONNREFUSED: no attempt may wait in
 * this namespace. On failure the endpoint is as it was.
 */
int altconn_attempt_hold(struct altconn_assoc *assoc, u32 delay_ms,
			 const struct path *path, u32 *reason)
{
	int err = attempt_make_wait(assoc);

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (err)
		return err;
	assoc->wait->delays = attempt_payer(assoc, ALTCONN_PAYER_DELAY);
	if (!assoc->wait->delays)
		return -ENOMEM;
	*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (!attempt_max_waiting(assoc->an))
		return -ECONNREFUSED;
	if (delay_ms)
		assoc->wait->held_until = ktime_get_ns() +
					  (u64)delay_ms * NSEC_PER_MSEC;
	if (delay_ms && path && path->dentry) {
		assoc->wait->path = *path;
		path_get(&assoc->wait->path);
	}
	assoc->waited = true;
	this_cpu_inc(assoc->an->stat->waited);
	trace_altconn_connect_wait(assoc, 0);
	altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CONNECT_WAIT, 0);
	spin_lock(&assoc->lock);
	attempt_publish(assoc);
	attempt_arm(assoc);
	spin_unlock(&assoc->lock);
	altconn_assoc_put(assoc);
	return 0;
}

/*
 * Why a listener's namespace lets in no attempt of another one, or 0. The other
 * namespace counts the attempts that begin there; this one those that come in.
 */
static u32 attempt_inbound_limit(const struct altconn_assoc *assoc,
				 const struct altconn_listener *ln)
{
	const struct altconn_net *an;

	if (likely(ln->net == assoc->an->net))
		return 0;
	an = altconn_pernet(ln->net);
	if (atomic_long_read(&an->n_inbound) >= altconn_account_total(an))
		return ALTCONN_REASON_TABLE_FULL;
	return 0;
}

/* May the attempt enter the listener, or wait for it? @ln's lock held. */
static int attempt_admit(const struct altconn_assoc *assoc,
			 struct altconn_listener *ln, u32 *reason)
{
	lockdep_assert_held(&ln->lock);
	*reason = ALTCONN_REASON_LISTENER_CLOSED;
	if (ln->closed)
		return -ECONNREFUSED;
	*reason = attempt_inbound_limit(assoc, ln);
	if (ln->fail_fast && !ln->defer && !altconn_listener_has_room(ln))
		*reason = ALTCONN_REASON_BACKLOG_FULL;
	if (!*reason)
		return 0;
	ln->outcomes[*reason]++;
	return -ECONNREFUSED;
}

/*
 * connect() meets a listener with room. -EAGAIN: it has none, or other attempts
 * wait for it.
 */
static int attempt_enter_queue(struct altconn_assoc *assoc,
			       struct altconn_listener *ln,
			       struct altconn_far **far, u32 *reason)
{
	struct sock *sk;
	bool done;
	int err;

	spin_lock(&ln->lock);
	err = attempt_admit(assoc, ln, reason);
	if (!err && (ln->exhausted || !altconn_listener_has_room(ln)))
		err = -EAGAIN;
	if (err) {
		spin_unlock(&ln->lock);
		return err;
	}
	done = attempt_establish(assoc, ln, far);
	sk = ln->sk;
	/* RCU keeps the endpoint that the listener has while it is locked. */
	rcu_read_lock();
	spin_unlock(&ln->lock);
	if (likely(done))
		sk->sk_data_ready(sk);
	rcu_read_unlock();
	attempt_wake_client(assoc->end[ALTCONN_CLIENT].sk);
	/* A rule's delay ended too late: the attempt was over. */
	if (unlikely(!done))
		altconn_assoc_put(assoc);
	return 0;
}

/* On which list of its group a listener belongs; both locks are held. */
static void attempt_sort(struct altconn_room *room, struct altconn_listener *ln)
{
	ln->exhausted = altconn_room_first(room, ln);
	if (ln->defer)
		list_move_tail(&ln->member, &ln->group->defer);
	else if (ln->exhausted && !altconn_listener_has_room(ln))
		list_move_tail(&ln->member, &ln->group->full);
	else
		list_move_tail(&ln->member, &ln->group->open);
}

/* Let in attempts that wait for a listener, while it has room. */
static void attempt_refill(struct altconn_room *room,
			   struct altconn_listener *ln,
			   struct attempt_batch *batch)
{
	struct altconn_wait *wait;

	lockdep_assert_held(&room->lock);
	spin_lock(&ln->lock);
	while (altconn_listener_has_room(ln) && !batch_is_full(batch)) {
		wait = altconn_room_first(room, ln);
		if (!wait)
			break;
		altconn_room_remove(room, wait);
		batch_add(batch, altconn_assoc_get(wait->assoc));
		/* Pending, since its decision is made under the room's lock. */
		if (WARN_ON_ONCE(!attempt_establish(wait->assoc, ln, NULL)))
			continue;
		batch->sk = ln->sk;
		batch->ready++;
	}
	attempt_sort(room, ln);
	spin_unlock(&ln->lock);
}

/**
 * altconn_attempt_refill() - a listener may have room for attempts that wait
 * @ln: the listener; the caller has a reference
 *
 * Context: process; ends when the listener is full or no attempt waits for it.
 */
void altconn_attempt_refill(struct altconn_listener *ln)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	unsigned int ready = 0;
	bool more;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		if (ln->group)
			attempt_refill(room, ln, &batch);
		more = batch_is_full(&batch);
		/* Accepters and pollers are woken once, for all of them. */
		ready += batch.ready;
		batch.ready = ready;
		batch.sk = ready && !more && ln->group ? ln->sk : NULL;
		batch_unlock(&batch, room);
		cond_resched();
	} while (more);
}

/* A listener that may have room for attempts that wait for it, or NULL. */
static struct altconn_listener *
attempt_find_open(struct altconn_room *room, const struct altconn_serving *s)
{
	struct altconn_listener *ln;
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		ln = list_first_entry_or_null(&s->group[i]->open,
					      struct altconn_listener, member);
		if (ln && altconn_room_first(room, ln))
			return ln;
	}
	return NULL;
}

/* Refuse an attempt in a lane. The room's reference is the batch's. */
static void attempt_refuse(struct altconn_room *room, struct altconn_wait *wait,
			   u32 reason, struct attempt_batch *batch)
{
	struct altconn_assoc *assoc = wait->assoc;
	bool done;

	lockdep_assert_held(&room->lock);
	spin_lock(&assoc->lock);
	done = attempt_decide(assoc, NULL, ECONNREFUSED, reason);
	spin_unlock(&assoc->lock);
	/* Pending, since its decision is made under the room's lock. */
	WARN_ON_ONCE(!done);
	attempt_report(assoc);
	attempt_count(room, wait, reason);
	altconn_room_remove(room, wait);
	batch_add(batch, assoc);
}

/* An attempt at an address that no listener serves, nor may it wait for one. */
static struct altconn_wait *attempt_unserved(struct altconn_room *room,
					     const struct altconn_addr *addr,
					     struct altconn_listener **open)
{
	struct altconn_lane *lane = altconn_lane_find(room, addr);
	struct altconn_serving near, far;

	if (!lane || !lane->waiting)
		return NULL;
	near = altconn_room_serving(room, lane, false);
	far = altconn_room_serving(room, lane, true);
	*open = attempt_find_open(room, &near);
	return far.n ? NULL : altconn_lane_refusable(lane, near.n);
}

/* Likewise of the addresses without a listener of their own, of a version. */
static struct altconn_wait *
attempt_unserved_pool(struct altconn_room *room, bool v6,
		      struct altconn_listener **open)
{
	struct altconn_serving s = altconn_room_serving_pool(room, v6);
	struct altconn_lane *lane;

	if (!*open)
		*open = attempt_find_open(room, &s);
	if (s.n)
		return NULL;
	lane = list_first_entry_or_null(&room->refusable[v6],
					struct altconn_lane, refusable);
	return lane ? altconn_lane_refusable(lane, false) : NULL;
}

static struct altconn_wait *attempt_unsettled(struct altconn_room *room,
					      const struct altconn_addr *addr,
					      struct altconn_listener **open)
{
	*open = NULL;
	if (addr->kind == ALTCONN_KIND_INET && altconn_addr_is_any(addr))
		return attempt_unserved_pool(room, false, open) ? :
		       attempt_unserved_pool(room, true, open);
	return attempt_unserved(room, addr, open);
}

/*
 * A listener at which a thread sleeps or polls. Its server is idle, or will look;
 * another listener is chosen when none has such a thread.
 */
static struct altconn_listener *
attempt_choose_deferring(struct altconn_group *group)
{
	struct altconn_listener *ln;

	list_for_each_entry(ln, &group->defer, member)
		if (skwq_has_sleeper(rcu_dereference(ln->sk->sk_wq)))
			return ln;
	return list_first_entry_or_null(&group->defer, struct altconn_listener,
					member);
}

/*
 * A deferring listener of an address is woken: for one more attempt, or with
 * @all for each attempt that waits for it.
 */
static void attempt_find_deferring(struct altconn_room *room,
				   const struct altconn_serving *s, bool all,
				   struct attempt_batch *batch)
{
	struct altconn_listener *ln;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < s->n && !batch->defers; i++) {
		ln = attempt_choose_deferring(s->group[i]);
		if (!ln || !altconn_room_first(room, ln))
			continue;
		/* The next attempt wakes the next of them. */
		list_move_tail(&ln->member, &s->group[i]->defer);
		batch->defers = ln->sk;
		batch->n_defers = all ? altconn_room_waiting(room, ln) : 1;
	}
	rcu_read_unlock();
}

/* Attempts may be left to listeners that defer, which do not know of them. */
static void attempt_wake_deferring(struct altconn_room *room,
				   const struct altconn_addr *addr,
				   struct attempt_batch *batch)
{
	struct altconn_serving s = {};
	struct altconn_lane *lane;

	if (addr->kind == ALTCONN_KIND_INET && altconn_addr_is_any(addr)) {
		s = altconn_room_serving_pool(room, !altconn_addr_is_v4(addr));
		attempt_find_deferring(room, &s, true, batch);
		return;
	}
	lane = altconn_lane_find(room, addr);
	if (!lane || !lane->waiting)
		return;
	s = altconn_room_serving(room, lane, false);
	attempt_find_deferring(room, &s, true, batch);
}

/*
 * The listeners of an address have changed: those that are left let attempts
 * in, and attempts that none serves are refused unless they wait for one.
 */
static void attempt_settle(struct altconn_room *room,
			   const struct altconn_addr *addr)
{
	struct altconn_listener *open;
	struct attempt_batch batch;
	struct altconn_wait *wait;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		while (!batch_is_full(&batch) &&
		       (wait = attempt_unsettled(room, addr, &open)))
			attempt_refuse(room, wait,
				       ALTCONN_REASON_LISTENER_CLOSED, &batch);
		if (open)
			refcount_inc(&open->refs);
		else if (!batch_is_full(&batch))
			attempt_wake_deferring(room, addr, &batch);
		batch_unlock(&batch, room);
		if (open) {
			altconn_attempt_refill(open);
			altconn_listener_put(open);
		}
		cond_resched();
	} while (open || batch_is_full(&batch));
}

/*
 * Is there no place for the attempt where @waiting attempts wait at its address
 * or for its listener? One user has half of the places at most, the larger half
 * of an odd number, so that others find one. Stores the user's key in
 * assoc->wait. The lock of the room is held, and that of @ln, which is open, if
 * there is one.
 */
static bool attempt_finds_full(struct altconn_assoc *assoc,
			       const struct altconn_room *room,
			       const struct altconn_listener *ln, u32 waiting)
{
	const struct net *net = ln ? ln->net : assoc->an->net;
	u32 most = attempt_max_waiting(assoc->an);

	if (unlikely(net != assoc->an->net))
		most = min(most, attempt_max_waiting(altconn_pernet(net)));
	assoc->wait->user = altconn_payer_key_in(assoc->cred, net->user_ns);
	return waiting >= most ||
	       altconn_share_waiting(room, assoc->wait->user) >= most - most / 2;
}

/* May the attempt wait in the room? Its lock is held. */
static int attempt_admit_waiting(struct altconn_assoc *assoc,
				 struct altconn_room *room,
				 struct altconn_listener *ln, u32 *reason)
{
	const struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	const struct altconn_lane *lane = altconn_lane_find(room, addr);
	u32 waiting = lane ? lane->waiting : 0;
	int err = 0;

	*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (!ln)
		return attempt_finds_full(assoc, room, NULL, waiting) ?
		       -ECONNREFUSED : 0;
	spin_lock(&ln->lock);
	err = attempt_admit(assoc, ln, reason);
	if (err)
		goto out;
	waiting = max(waiting, altconn_room_waiting(room, ln));
	if (ln->fail_fast && ln->defer && waiting > ln->backlog)
		*reason = ALTCONN_REASON_BACKLOG_FULL;
	else if (attempt_finds_full(assoc, room, ln, waiting))
		*reason = ALTCONN_REASON_WAITING_ROOM_FULL;
	if (*reason) {
		ln->outcomes[*reason]++;
		err = -ECONNREFUSED;
	}
out:
	spin_unlock(&ln->lock);
	return err;
}

static void attempt_set_server(struct altconn_assoc *assoc,
			       struct altconn_listener *ln)
{
	spin_lock(&ln->lock);
	ln->waited++;
	spin_lock(&assoc->lock);
	altconn_assoc_set_server(assoc, ln);
	spin_unlock(&assoc->lock);
	spin_unlock(&ln->lock);
}

/* The attempt is in its lane and stays there. */
static void attempt_begin_wait(struct altconn_assoc *assoc,
			       struct altconn_room *room,
			       struct altconn_listener *ln)
{
	u32 place = altconn_room_place(room, assoc->wait);

	if (ln)
		attempt_set_server(assoc, ln);
	/* An attempt that a rule held has been counted. */
	if (!assoc->waited)
		this_cpu_inc(assoc->an->stat->waited);
	assoc->waited = true;
	trace_altconn_connect_wait(assoc, place);
	altconn_event_assoc(assoc, ALTCONN_EVENT_KIND_CONNECT_WAIT, place);
	spin_lock(&assoc->lock);
	attempt_arm(assoc);
	spin_unlock(&assoc->lock);
}

/* Memory that an attempt may need to enter a room. */
struct attempt_spare {
	struct altconn_lane	*lane;
	struct altconn_share	*share;
};

static bool attempt_spare_init(struct attempt_spare *spare)
{
	spare->lane = altconn_lane_new();
	spare->share = altconn_share_new();
	return spare->lane && spare->share;
}

static void attempt_spare_free(struct attempt_spare *spare)
{
	kfree(spare->lane);
	kfree(spare->share);
}

/* Stand in the lane of its address; false: it was decided before. */
static bool attempt_enter_lane(struct altconn_assoc *assoc,
			       struct altconn_room *room,
			       struct altconn_listener *ln,
			       struct altconn_far **far,
			       struct attempt_spare *spare)
{
	const struct altconn_addr *addr = assoc->end[ALTCONN_SERVER].addr;
	struct altconn_wait *wait = assoc->wait;
	bool pending;

	spin_lock(&assoc->lock);
	attempt_arrive(assoc, ln, far);
	pending = assoc->state == ALTCONN_ASSOC_STATE_PENDING;
	if (pending) {
		refcount_inc(&room->refs);
		/* Pairs with attempt_room(). */
		smp_store_release(&wait->room, room);
	}
	spin_unlock(&assoc->lock);
	if (pending)
		altconn_room_push(room,
				  altconn_lane_get(room, addr, &spare->lane),
				  altconn_share_get(room, wait->user,
						    &spare->share), wait);
	return pending;
}

/*
 * The attempt stands in its lane. A listener that has come to have room lets it
 * in, unless another attempt was first: then the attempt waits on, and true says
 * that others may have room.
 */
static bool attempt_wait(struct altconn_assoc *assoc, struct altconn_room *room,
			 struct altconn_listener *ln,
			 struct attempt_batch *batch)
{
	struct altconn_wait *wait = assoc->wait;
	/* Others' listeners that are full and do not know it cost no more. */
	unsigned int tries = ATTEMPT_BATCH;
	struct altconn_listener *open;
	struct altconn_serving s;

	do {
		s = altconn_room_serving(room, wait->lane,
					 wait->fifo == ALTCONN_FIFO_FAR);
		open = attempt_find_open(room, &s);
		if (open)
			attempt_refill(room, open, batch);
	} while (open && wait->lane && !batch->sk && --tries);
	if (!wait->lane)
		return false;
	attempt_begin_wait(assoc, room, ln);
	attempt_find_deferring(room, &s, false, batch);
	return open;
}

/* The room of the attempt's address, locked and with a reference. */
static struct altconn_room *attempt_lock_room(struct altconn_assoc *assoc,
					      struct altconn_listener *ln)
{
	if (!ln)
		return altconn_room_lock(assoc->an->net, assoc->type,
					 assoc->end[ALTCONN_SERVER].addr);
	refcount_inc(&ln->room->refs);
	altconn_room_relock(ln->room);
	return ln->room;
}

static int attempt_enter_room(struct altconn_assoc *assoc,
			      struct altconn_listener *ln,
			      struct altconn_far **far, u32 *reason)
{
	struct attempt_batch batch = {};
	struct attempt_spare spare;
	struct altconn_room *room;
	bool more = false;
	int err = -ENOMEM;

	*reason = ALTCONN_REASON_NO_MEMORY;
	if (!attempt_spare_init(&spare) || attempt_make_wait(assoc))
		goto out;
	room = attempt_lock_room(assoc, ln);
	if (IS_ERR(room))
		goto out;
	err = attempt_admit_waiting(assoc, room, ln, reason);
	if (err)
		goto out_unlock;
	if (attempt_enter_lane(assoc, room, ln, far, &spare))
		more = attempt_wait(assoc, room, ln, &batch);
	else
		batch_add(&batch, assoc);
out_unlock:
	batch_unlock(&batch, room);
	if (more)
		attempt_settle(room, assoc->end[ALTCONN_SERVER].addr);
	altconn_room_put(room);
out:
	attempt_spare_free(&spare);
	return err;
}

/**
 * altconn_attempt_enter() - an attempt arrives at its address
 * @assoc: the attempt, new or held until now by a rule; on success the caller's
 *	reference goes with it
 * @ln: a listener of the address, or NULL: it waits for one
 *	(ALTCONN_WAIT_LISTENER)
 * @reason: why it was refused
 *
 * With room in the accept queue it is established at once, else it waits.
 *
 * Context: process, may sleep; lock_sock() of the client held if it is new.
 * Return: 0; -ECONNREFUSED: the listener has closed, its backlog is full and it
 * fails fast, or too many wait; -ENOMEM. On failure the endpoint is as it was,
 * and the caller keeps its reference.
 */
int altconn_attempt_enter(struct altconn_assoc *assoc,
			  struct altconn_listener *ln, u32 *reason)
{
	struct altconn_far *far = ln ? altconn_far_prepare(assoc, ln) : NULL;
	int err = -EAGAIN;

	if (IS_ERR(far)) {
		*reason = altconn_far_reason(far);
		return PTR_ERR(far);
	}
	if (ln)
		err = attempt_enter_queue(assoc, ln, &far, reason);
	if (err == -EAGAIN)
		err = attempt_enter_room(assoc, ln, &far, reason);
	altconn_far_free(far);
	return err;
}

/* ---- listeners ---- */

/**
 * altconn_attempt_join() - a listener begins to serve its address
 * @ln: the listener, new; bound, and its reachability is set
 *
 * Attempts that wait at the address are let in by altconn_attempt_refill().
 * Until then a new attempt queues up behind them.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int altconn_attempt_join(struct altconn_listener *ln)
{
	struct altconn_lane *spare = altconn_lane_new();
	struct altconn_room *room;

	if (!spare)
		return -ENOMEM;
	room = altconn_room_lock(ln->net, ln->type, ln->addr);
	if (IS_ERR(room)) {
		kfree(spare);
		return PTR_ERR(room);
	}
	/* The caller's reference is the listener's. */
	altconn_room_join(room, ln, &spare);
	spin_lock(&ln->lock);
	ln->waited = altconn_room_waiting(room, ln);
	attempt_sort(room, ln);
	spin_unlock(&ln->lock);
	altconn_room_unlock(room);
	kfree(spare);
	return 0;
}

/**
 * altconn_attempt_quit() - a listener closes
 * @ln: the listener; no lookup finds it any more
 *
 * Attempts that no other listener serves are refused, unless they wait for
 * one; no attempt enters its queue any more.
 *
 * Context: process; ends when the address is settled.
 */
void altconn_attempt_quit(struct altconn_listener *ln)
{
	altconn_room_relock(ln->room);
	spin_lock(&ln->lock);
	ln->closed = true;
	spin_unlock(&ln->lock);
	altconn_room_quit(ln->room, ln);
	altconn_room_unlock(ln->room);
	attempt_settle(ln->room, ln->addr);
}

/* If listeners share the address, each of them has to fail fast. */
static bool attempt_has_surplus(const struct altconn_room *room,
				const struct altconn_listener *ln)
{
	return ln->group && ln->fail_fast &&
	       altconn_room_fails_fast(room, ln) &&
	       altconn_room_waiting(room, ln) >
	       (ln->defer ? ln->backlog + 1 : 0);
}

/**
 * altconn_attempt_refuse_surplus() - attempts that have waited find a policy
 * @ln: a new listener; the caller has a reference
 *
 * A listener that fails fast refuses those that wait beyond its backlog, the
 * last ones first.
 *
 * Context: process.
 */
void altconn_attempt_refuse_surplus(struct altconn_listener *ln)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		while (!batch_is_full(&batch) && attempt_has_surplus(room, ln))
			attempt_refuse(room, altconn_room_last(room, ln),
				       ALTCONN_REASON_BACKLOG_FULL, &batch);
		batch_unlock(&batch, room);
		cond_resched();
	} while (batch_is_full(&batch));
}

/**
 * altconn_attempt_set_policy() - how a listener lets attempts in
 * @ln: a listener that serves its address; the caller has a reference
 * @backlog: listen()'s
 * @fail_fast: ALTCONN_BACKLOG_POLICY
 * @defer: ALTCONN_DEFER_ACCEPT
 *
 * Attempts that the listener has room for now are let in; others wait on.
 *
 * Context: process; ends when the listener is full or no attempt waits for it.
 */
void altconn_attempt_set_policy(struct altconn_listener *ln, u32 backlog,
				bool fail_fast, bool defer)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch = {};

	altconn_room_relock(room);
	spin_lock(&ln->lock);
	/* As many accepters may take an attempt as wait for one. */
	if (defer && !ln->defer) {
		batch.sk = ln->sk;
		batch.ready = altconn_room_waiting(room, ln);
	}
	if (!batch.ready)
		batch.sk = NULL;
	ln->backlog = backlog;
	ln->defer = defer;
	altconn_room_set_fail_fast(room, ln, fail_fast);
	attempt_sort(room, ln);
	spin_unlock(&ln->lock);
	batch_unlock(&batch, room);
	altconn_attempt_refill(ln);
}

/**
 * altconn_attempt_refuse() - refuse the first attempts that wait
 * @ln: the listener for which they wait; the caller has a reference
 * @count: how many
 *
 * Attempts that begin to wait later are not refused: others may come as fast.
 *
 * Context: process.
 */
void altconn_attempt_refuse(struct altconn_listener *ln, u32 count)
{
	struct altconn_room *room = ln->room;
	struct attempt_batch batch;
	struct altconn_wait *wait;
	u32 left = count;
	u64 last = 0;

	do {
		batch = (struct attempt_batch) {};
		altconn_room_relock(room);
		if (!last)
			last = room->arrived;
		while (left && !batch_is_full(&batch) && ln->group &&
		       (wait = altconn_room_first(room, ln)) &&
		       wait->arrived <= last) {
			attempt_refuse(room, wait, ALTCONN_REASON_REFUSED,
				       &batch);
			left--;
		}
		batch_unlock(&batch, room);
		cond_resched();
	} while (batch_is_full(&batch));
}

/**
 * altconn_attempt_take() - establish the first attempt that waits
 * @ln: a listener that defers; the caller has a reference
 *
 * Context: process.
 * Return: true: there was one, and it is in the accept queue now.
 */
bool altconn_attempt_take(struct altconn_listener *ln)
{
	struct attempt_batch batch = {};
	struct altconn_wait *wait = NULL;

	altconn_room_relock(ln->room);
	spin_lock(&ln->lock);
	if (ln->group && ln->defer)
		wait = altconn_room_first(ln->room, ln);
	if (wait) {
		altconn_room_remove(ln->room, wait);
		batch_add(&batch, altconn_assoc_get(wait->assoc));
		attempt_establish(wait->assoc, ln, NULL);
	}
	spin_unlock(&ln->lock);
	batch_unlock(&batch, ln->room);
	return wait;
}

/**
 * altconn_attempt_waits() - does an attempt wait for a listener?
 * @ln: the listener; the caller has a reference
 *
 * Context: any; takes room->lock.
 */
bool altconn_attempt_waits(const struct altconn_listener *ln)
{
	bool waits;

	altconn_room_relock(ln->room);
	waits = ln->group && altconn_room_first(ln->room, ln);
	altconn_room_unlock(ln->room);
	return waits;
}

/**
 * altconn_attempt_waiting() - how many attempts wait for a listener
 * @ln: the listener; the caller has a reference
 *
 * Context: any; takes room->lock.
 */
u32 altconn_attempt_waiting(const struct altconn_listener *ln)
{
	u32 n;

	altconn_room_relock(ln->room);
	n = altconn_room_waiting(ln->room, ln);
	altconn_room_unlock(ln->room);
	return n;
}

/**
 * altconn_attempt_place() - where an attempt stands
 * @assoc: an attempt; the caller has a reference
 *
 * Context: any; takes room->lock.
 * Return: its place among the attempts that wait at its address, 1 when it is
 * next; 0 when it does not wait there.
 */
u32 altconn_attempt_place(const struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_room(assoc);
	u32 place;

	if (!room)
		return 0;
	altconn_room_relock(room);
	place = altconn_room_place(room, assoc->wait);
	altconn_room_unlock(room);
	return place;
}

/**
 * altconn_attempt_listener() - the listener of an attempt or association
 * @assoc: the association; the caller has a reference
 *
 * Context: any; takes room->lock.
 * Return: the id of the listener that established it, or of one for which it
 * waits; 0: there is none.
 */
u64 altconn_attempt_listener(const struct altconn_assoc *assoc)
{
	struct altconn_room *room = attempt_room(assoc);
	const struct altconn_listener *ln;
	u64 id = 0;

	/* Once it is set it stays, and the association keeps the listener. */
	ln = rcu_access_pointer(assoc->listener);
	if (ln || !room)
		return ln ? READ_ONCE(ln->id) : 0;
	altconn_room_relock(room);
	if (assoc->wait->lane)
		ln = attempt_any_listener(room, assoc->wait);
	if (ln)
		id = ln->id;
	altconn_room_unlock(room);
	return id;
}
