// SPDX-License-Identifier: GPL-2.0
/*
 * Senders that find the receiver of a datagram full, and delivery.
 *
 * A thread whose send() finds the receiver full sleeps in the receiver's list of
 * blocked senders, a FIFO. When half of the queue is free the first thread gets the
 * turn: it is woken, and until it has queued its own datagram the room for that is not
 * for others. Then the next thread has the turn, until the queue is full again. Room
 * that is left is for any sender. A thread that does not run holds no other up: the
 * next read queues its datagram for it. See dgram_pass_on().
 *
 * A poll() that finds the receiver full adds its endpoint to the receiver's list of
 * pollers. All of them are woken when there is room that no thread has been promised.
 * An endpoint is in one such list at a time.
 *
 * Lock order: poll_lock of the sender, then queue_lock of the receiver.
 */

#include <linux/filter.h>
#include "dgram_block.h"
#include "dgram_queue.h"
#include "sock.h"

#define DGRAM_UNFILTERED	((const struct sk_filter *)ERR_PTR(-EBUSY))

/* A thread that waits looks every so often, jiffies, for room that it was not told of. */
#define DGRAM_PATIENCE		max(HZ / 10, 1)

/* Threads that are woken in one hold of the lock. */
#define DGRAM_BATCH		16

/* The endpoint is out of the list of its receiver's pollers. */
static void dgram_unwatch_locked(struct altconn_dgram_sock *ask)
{
	struct sock *receiver = ask->watches;

	lockdep_assert_held(&ask->poll_lock);
	if (!receiver)
		return;
	spin_lock(&altconn_dgram_sk(receiver)->queue_lock);
	list_del_init(&ask->poll_node);
	spin_unlock(&altconn_dgram_sk(receiver)->queue_lock);
	ask->watches = NULL;
	sock_put(receiver);
}

void altconn_dgram_unwatch(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->poll_lock);
	dgram_unwatch_locked(ask);
	spin_unlock(&ask->poll_lock);
}

/* Is @receiver full? Then the endpoint is in the list of its pollers. */
static bool dgram_enlist(struct altconn_dgram_sock *ask, struct sock *receiver)
{
	struct altconn_dgram_sock *to = altconn_dgram_sk(receiver);
	bool full;

	spin_lock(&to->queue_lock);
	full = !altconn_dgram_has_room(receiver) &&
	       !sock_flag(receiver, SOCK_DEAD) &&
	       (altconn_is_inet(receiver) ||
		!(READ_ONCE(receiver->sk_shutdown) & RCV_SHUTDOWN));
	if (full && list_empty(&ask->poll_node))
		list_add_tail(&ask->poll_node, &to->pollers);
	spin_unlock(&to->queue_lock);
	return full;
}

/* Is @receiver full? Then the endpoint's pollers will hear of room. */
bool altconn_dgram_watch(struct sock *sk, struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);
	bool full, watched;

	spin_lock(&ask->poll_lock);
	watched = ask->watches;
	if (ask->watches != receiver) {
		dgram_unwatch_locked(ask);
		sock_hold(receiver);
		ask->watches = receiver;
	}
	full = dgram_enlist(ask, receiver);
	if (!full)
		dgram_unwatch_locked(ask);
	spin_unlock(&ask->poll_lock);
	/* Another thread may sleep in poll(), whose entry that was. */
	if (!full && watched)
		sk->sk_write_space(sk);
	return full;
}

/*
 * Each endpoint that is in the list now has its pollers woken once: a poll() that
 * looks again meanwhile, or is new, does not make this longer. Without a lock, as
 * nobody knows how many pollers an endpoint has.
 */
void altconn_dgram_wake_pollers(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver), *poller;
	LIST_HEAD(pollers);
	struct sock *sk;

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->pollers, &pollers);
	while (!list_empty(&pollers)) {
		poller = list_first_entry(&pollers, struct altconn_dgram_sock,
					  poll_node);
		sk = &poller->base.sk;
		list_del_init(&poller->poll_node);
		/* It leaves the list before it closes. */
		sock_hold(sk);
		spin_unlock(&ask->queue_lock);
		sk->sk_write_space(sk);
		sock_put(sk);
		cond_resched();
		spin_lock(&ask->queue_lock);
	}
	spin_unlock(&ask->queue_lock);
}

static void dgram_set_result(struct altconn_dgram_sock *receiver,
			     struct dgram_blocked *entry, int result)
{
	u32 promised = receiver->promised;

	lockdep_assert_held(&receiver->queue_lock);
	if (entry->result == TURN)
		promised -= entry->dg->size;
	if (result == TURN)
		promised += entry->dg->size;
	WRITE_ONCE(receiver->promised, promised);
	WRITE_ONCE(entry->result, result);
}

/*
 * Once half of the queue is free, and until it is full again, threads that wait have
 * the turn one after the other. True: there is room for pollers, too, and the caller
 * wakes them, without the lock.
 */
static bool dgram_pass_turn(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;

	lockdep_assert_held(&ask->queue_lock);
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	if (first && ask->open && first->result == BLOCKED &&
	    !altconn_dgram_is_full(receiver)) {
		/* The thread takes the lock before it goes. */
		dgram_set_result(ask, first, TURN);
		wake_up_process(first->task);
	}
	return !list_empty(&ask->pollers) && altconn_dgram_has_room(receiver);
}

/*
 * Does the read queue the first thread's datagram? If the thread has had the turn since
 * an earlier read; and in an empty queue if others wait behind it, since no read may
 * come that sees whether the thread runs. Not past a filter that it has not passed.
 */
static bool dgram_queues_first(struct sock *receiver,
			       const struct dgram_blocked *first)
{
	const struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (first->result != TURN &&
	    (ask->queued || list_is_singular(&ask->blocked)))
		return false;
	return first->filter == rcu_access_pointer(receiver->sk_filter) &&
	       !altconn_dgram_is_full(receiver) &&
	       !altconn_dgram_listens(receiver, first->dg);
}

/*
 * A read passes the turn on. A thread that has had it since an earlier read may
 * be one that does not run, so the read queues that thread's datagram, and the
 * other threads depend on the reader alone. That keeps the order. One datagram
 * for a read, so that the work is bounded, and other senders find room between.
 *
 * If one datagram fills the queue, the datagram of the next thread fills it
 * again as soon as it is empty, and a sender that does not block never finds
 * room. So one datagram of another sender may go over the limit then.
 */
static int dgram_pass_on(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;
	int todo = 0;

	lockdep_assert_held(&ask->queue_lock);
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	if (first && dgram_queues_first(receiver, first)) {
		bool fills = !ask->queued;

		list_del(&first->node);
		altconn_dgram_enqueue(receiver, first->dg);
		/* The thread takes the lock before it goes. */
		dgram_set_result(ask, first, QUEUED);
		wake_up_process(first->task);
		WRITE_ONCE(ask->extra,
			   fills && altconn_dgram_is_full(receiver));
		todo = DGRAM_DATA;
	}
	return dgram_pass_turn(receiver) ? todo | DGRAM_ROOM : todo;
}

/* After a read: once half of the queue is free, pass the turn on; see there. */
int altconn_dgram_make_room(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (ask->queued > (u32)READ_ONCE(sk->sk_rcvbuf) / 2)
		return 0;
	WRITE_ONCE(ask->open, true);
	return dgram_pass_on(sk);
}

/*
 * All threads that wait now look for their receiver again, which has changed, and
 * pollers are woken. Sixteen threads in one hold of the lock; a thread that leaves
 * the list by itself meanwhile finds the change, too: dgram_end_wait().
 */
void altconn_dgram_release_all(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *entry;
	LIST_HEAD(blocked);
	int n = 0;

	spin_lock(&ask->queue_lock);
	list_splice_init(&ask->blocked, &blocked);
	while (!list_empty(&blocked)) {
		entry = list_first_entry(&blocked, struct dgram_blocked, node);
		list_del_init(&entry->node);
		dgram_set_result(ask, entry, LOOK_AGAIN);
		wake_up_process(entry->task);
		if (++n % DGRAM_BATCH)
			continue;
		spin_unlock(&ask->queue_lock);
		cond_resched();
		spin_lock(&ask->queue_lock);
	}
	spin_unlock(&ask->queue_lock);
	altconn_dgram_wake_pollers(receiver);
}

/* Its datagram has passed the receiver's filter just now. */
static void dgram_block_thread(struct sock *receiver, struct dgram_blocked *me,
			       struct altconn_dgram *dg)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	me->task = current;
	me->dg = dg;
	me->filter = rcu_access_pointer(receiver->sk_filter);
	me->result = BLOCKED;
	if (list_empty(&ask->blocked)) {
		WRITE_ONCE(ask->open, false);
		WRITE_ONCE(ask->extra, false);
	}
	list_add_tail(&me->node, &ask->blocked);
}

/*
 * Queue a datagram, or say why not, as altconn_dgram_admit(). BLOCKED instead of -EAGAIN: @me
 * waits for room, unless it is NULL.
 */
int altconn_dgram_deliver(struct sock *receiver, struct altconn_dgram *dg,
			  struct dgram_blocked *me)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	LIST_HEAD(dropped);
	int err;

	spin_lock(&ask->queue_lock);
	err = altconn_dgram_admit(receiver, dg);
	if (!err && unlikely(ask->overflow) &&
	    altconn_dgram_drop(receiver, &dropped)) {
		list_add_tail(&dg->node, &dropped);
	} else if (!err) {
		altconn_dgram_enqueue(receiver, dg);
	} else if (err == -EAGAIN && me) {
		dgram_block_thread(receiver, me, dg);
		err = BLOCKED;
	}
	spin_unlock(&ask->queue_lock);
	if (err)
		return err;
	if (unlikely(!list_empty(&dropped)))
		altconn_dgram_free_all(&dropped);
	altconn_dgram_wake_reader(receiver);
	return 0;
}

/*
 * A while of sleep has passed. Is there room that a new sender would get, and does no
 * read queue the datagram of the first thread, which may not run? Then this thread takes
 * it, whatever its place. That is so past a filter that is new.
 */
static bool dgram_may_overtake(struct sock *receiver,
			       const struct dgram_blocked *me)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;

	lockdep_assert_held(&ask->queue_lock);
	if (me->result != BLOCKED || !altconn_dgram_has_room(receiver) ||
	    altconn_dgram_is_full(receiver))
		return false;
	first = list_first_entry(&ask->blocked, struct dgram_blocked, node);
	return !ask->queued ||
	       first->filter != rcu_access_pointer(receiver->sk_filter);
}

static void dgram_look_for_room(struct sock *receiver, struct dgram_blocked *me)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (!altconn_dgram_has_room(receiver))
		return;
	spin_lock(&ask->queue_lock);
	if (dgram_may_overtake(receiver, me))
		dgram_set_result(ask, me, TURN);
	spin_unlock(&ask->queue_lock);
}

/* Sleep until the result says that the waiting is over. */
static int dgram_sleep(struct sock *receiver, struct dgram_blocked *me,
		       long *timeo)
{
	long slice, left;
	int err = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(me->result) != BLOCKED)
			break;
		err = signal_pending(current) ? sock_intr_errno(*timeo) :
		      *timeo ? 0 : -EAGAIN;
		if (err)
			break;
		slice = min_t(long, *timeo, DGRAM_PATIENCE);
		left = schedule_timeout(slice);
		if (*timeo != MAX_SCHEDULE_TIMEOUT)
			*timeo -= slice - left;
		if (!left)
			dgram_look_for_room(receiver, me);
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/*
 * The waiting is over, with @err of the sleep or of the receiver's filter. A thread
 * that has the turn queues its datagram if there is room, and so does one whose time is
 * over, if it is the first. BLOCKED: there is none; it stays where it is.
 */
static int dgram_end_wait(struct sock *receiver, struct dgram_blocked *me,
			  int err)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	bool queues;

	lockdep_assert_held(&ask->queue_lock);
	if (me->result == QUEUED)
		return 0;
	if (me->result == LOOK_AGAIN)
		return LOOK_AGAIN;
	if (altconn_dgram_listens(receiver, me->dg)) {
		dgram_set_result(ask, me, LOOK_AGAIN);
		list_del(&me->node);
		return LOOK_AGAIN;
	}
	queues = (!err || err == -EAGAIN) && !altconn_dgram_is_full(receiver) &&
		 (me->result == TURN || list_is_first(&me->node, &ask->blocked));
	dgram_set_result(ask, me, BLOCKED);
	/* Others were faster, or SO_RCVBUF has become smaller. */
	if (!queues && !err)
		return BLOCKED;
	list_del(&me->node);
	if (!queues)
		return err;
	altconn_dgram_enqueue(receiver, me->dg);
	return 0;
}

/*
 * The receiver's filter has been replaced while the thread slept: the datagram, of @len
 * bytes before it was cut, has to pass the new one, @passed. No read may queue it
 * meanwhile.
 */
static int dgram_filter_again(struct sock *receiver, struct dgram_blocked *me,
			      u32 len, const struct sk_filter **passed)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	bool mine;

	spin_lock(&ask->queue_lock);
	mine = me->result == BLOCKED || me->result == TURN;
	if (mine)
		me->filter = DGRAM_UNFILTERED;
	spin_unlock(&ask->queue_lock);
	if (!mine)
		return 0;
	*passed = rcu_access_pointer(receiver->sk_filter);
	me->dg->len = len;
	return *passed ? altconn_dgram_run_filter(receiver, me->dg) : 0;
}

/*
 * Sleep, in the order of arrival, until what @me sends is queued; LOOK_AGAIN: somebody
 * else may be the receiver by now. @len: of the datagram, which a filter may cut.
 */
int altconn_dgram_wait_for_room(struct sock *receiver,
				struct dgram_blocked *me, u32 len,
				long *timeo)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	const struct sk_filter *passed = me->filter;
	bool watched = false;
	int err;

	do {
		err = dgram_sleep(receiver, me, timeo);
		if ((!err || err == -EAGAIN) &&
		    passed != rcu_access_pointer(receiver->sk_filter))
			err = dgram_filter_again(receiver, me, len, &passed) ? :
			      err;
		/*
		 * The thread takes the lock before it goes, so the writer of
		 * the result is done with @me.
		 */
		spin_lock(&ask->queue_lock);
		me->filter = passed;
		err = dgram_end_wait(receiver, me, err);
		if (err != BLOCKED && err != LOOK_AGAIN)
			watched = dgram_pass_turn(receiver);
		spin_unlock(&ask->queue_lock);
	} while (err == BLOCKED);
	if (watched)
		altconn_dgram_wake_pollers(receiver);
	if (!err)
		altconn_dgram_wake_reader(receiver);
	return err;
}

/*
 * The caller does not wait. poll() will tell of room, if the socket is connected:
 * an unconnected one is always writable.
 */
int altconn_dgram_announce_room(struct sock *sk, struct sock *receiver,
				bool connected)
{
	if (connected && !altconn_dgram_watch(sk, receiver))
		return LOOK_AGAIN;
	return -EAGAIN;
}

/**
 * altconn_dgram_overflow() - what is dropped when the queue is full
 * @sk: the endpoint
 * @policy: ALTCONN_OVERFLOW_BLOCK: nothing, senders wait; ...
 *
 * Context: process.
 */
void altconn_dgram_overflow(struct sock *sk, u8 policy)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	WRITE_ONCE(ask->overflow, policy);
	spin_unlock(&ask->queue_lock);
	/* No sender needs to wait any more, or it waits again. */
	altconn_dgram_release_all(sk);
}
