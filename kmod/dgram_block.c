// SPDX-License-Identifier: GPL-2.0
/*
 * This file delivers datagrams, and lets senders wait for space at a full
 * receiver.
 *
 * A thread that finds the receiver full in send() sleeps in the receiver's list
 * of blocked senders, a FIFO. When half of the queue is free, the first thread
 * in the list gets the turn: the thread is woken, and space for its datagram is
 * promised to the thread, so other senders do not get that space. After the
 * thread has queued its datagram, the next thread gets the turn, until the
 * queue is full again. Any sender may use the remaining space. If the scheduler
 * does not run the thread that has the turn, the next read queues the datagram
 * on behalf of that thread, so no other thread is held up. See
 * dgram_serve_first().
 *
 * A poll() that finds the receiver full adds its endpoint to the receiver's
 * list of pollers. All of them are woken when there is space that has not been
 * promised to a thread. An endpoint is in at most one such list.
 *
 * Lock order: the poll_lock of the sender, then the queue_lock of the receiver.
 */

#include <linux/filter.h>
#include "dgram_block.h"
#include "dgram_queue.h"
#include "sock.h"

/*
 * The member filter of struct dgram_blocked has this value while the thread
 * runs a new filter on its datagram.
 */
#define DGRAM_UNFILTERED	((const struct sk_filter *)ERR_PTR(-EBUSY))

/*
 * A blocked thread wakes up at this interval, jiffies, and looks for space that
 * no wake-up has announced.
 */
#define DGRAM_RECHECK_INTERVAL		max(HZ / 10, 1)

/* This many threads are woken in one hold of queue_lock. */
#define DGRAM_BATCH		16

/*
 * Remove the endpoint from the list of pollers of the receiver that it watches,
 * and drop the reference to that receiver.
 */
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

/**
 * altconn_dgram_unwatch() - stop watching a full receiver on behalf of poll()
 * @sk: the endpoint, which may watch no receiver
 *
 * Context: process; no queue_lock or poll_lock held.
 */
void altconn_dgram_unwatch(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->poll_lock);
	dgram_unwatch_locked(ask);
	spin_unlock(&ask->poll_lock);
}

/*
 * Check whether @receiver is full. If so, add the endpoint to the list of its
 * pollers. A receiver that refuses the datagram at once, because it is closed
 * or shut down for reading, does not count as full.
 */
static bool dgram_watch_if_full(struct altconn_dgram_sock *ask,
				struct sock *receiver)
{
	struct altconn_dgram_sock *to = altconn_dgram_sk(receiver);
	bool full;

	spin_lock(&to->queue_lock);
	full = !altconn_dgram_has_space(receiver) &&
	       !sock_flag(receiver, SOCK_DEAD) &&
	       (altconn_is_inet(receiver) ||
		!(READ_ONCE(receiver->sk_shutdown) & RCV_SHUTDOWN));
	if (full && list_empty(&ask->poll_node))
		list_add_tail(&ask->poll_node, &to->pollers);
	spin_unlock(&to->queue_lock);
	return full;
}

/**
 * altconn_dgram_watch() - watch a full receiver on behalf of poll()
 * @sk: the endpoint that is polled
 * @receiver: the receiver of the datagrams that the endpoint sends
 *
 * An endpoint watches one receiver at a time, and holds a reference to it.
 *
 * Context: process; no queue_lock or poll_lock held.
 * Return: true if @receiver is full, in which case all pollers of @sk are woken
 * when there is space; false if @receiver is not full, and @sk watches no
 * receiver.
 */
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
	full = dgram_watch_if_full(ask, receiver);
	if (!full)
		dgram_unwatch_locked(ask);
	spin_unlock(&ask->poll_lock);
	/*
	 * Another thread may sleep in poll() and rely on the entry that has
	 * just been removed.
	 */
	if (!full && watched)
		sk->sk_write_space(sk);
	return full;
}

/**
 * altconn_dgram_wake_pollers() - wake the endpoints that poll for space
 * @receiver: the receiving endpoint, which has space
 *
 * The pollers of each endpoint that is in the list now are woken once. An
 * endpoint that a poll() adds meanwhile does not prolong the loop. The wake-up
 * runs without queue_lock, because the number of pollers of an endpoint has no
 * bound.
 *
 * Context: process, may sleep; no queue_lock held.
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
		/*
		 * An endpoint leaves the list before it closes, so @sk is
		 * alive.
		 */
		sock_hold(sk);
		spin_unlock(&ask->queue_lock);
		sk->sk_write_space(sk);
		sock_put(sk);
		cond_resched();
		spin_lock(&ask->queue_lock);
	}
	spin_unlock(&ask->queue_lock);
}

/* Change the state of a blocked thread, and the sum of the promised bytes. */
static void dgram_set_result(struct altconn_dgram_sock *receiver,
			     struct dgram_blocked *entry, int result)
{
	u32 promised = receiver->promised;

	lockdep_assert_held(&receiver->queue_lock);
	if (entry->result == DGRAM_TURN)
		promised -= entry->dg->size;
	if (result == DGRAM_TURN)
		promised += entry->dg->size;
	WRITE_ONCE(receiver->promised, promised);
	WRITE_ONCE(entry->result, result);
}

/*
 * Give the first blocked thread the turn, if half of the queue has been free
 * and the queue has not been full since. Return true if there is also space for
 * pollers. The caller wakes them after it has released queue_lock.
 */
static bool dgram_give_turn(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;

	lockdep_assert_held(&ask->queue_lock);
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	if (first && ask->turn_open && first->result == DGRAM_BLOCKED &&
	    !altconn_dgram_is_full(receiver)) {
		/*
		 * The thread takes queue_lock before it returns, so the entry
		 * and the task stay valid here.
		 */
		dgram_set_result(ask, first, DGRAM_TURN);
		wake_up_process(first->task);
	}
	return !list_empty(&ask->pollers) && altconn_dgram_has_space(receiver);
}

/*
 * Check whether a read queues the datagram of the first blocked thread on
 * behalf of that thread. The read does so if the thread has had the turn since
 * an earlier read. The read also does so if the queue is empty and other
 * threads wait behind the first one: perhaps no further read follows that could
 * notice that the thread does not run. No datagram is queued that has not
 * passed the receiver's present filter.
 */
static bool dgram_may_queue_first(struct sock *receiver,
				  const struct dgram_blocked *first)
{
	const struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (first->result != DGRAM_TURN &&
	    (ask->queued || list_is_singular(&ask->blocked)))
		return false;
	return first->filter == rcu_access_pointer(receiver->sk_filter) &&
	       !altconn_dgram_is_full(receiver) &&
	       !altconn_dgram_check_sender(receiver, first->dg);
}

/*
 * Pass the turn on after a read. Return bits DGRAM_WAKE_POLLERS and
 * DGRAM_WAKE_READERS for the work that is left to the caller.
 *
 * A thread that has had the turn since an earlier read may be one that the
 * scheduler does not run. So the read queues the datagram on behalf of that
 * thread, and the other threads depend on the reader alone. This keeps the
 * order of the threads. One read queues one datagram, so that the reader's work
 * is bounded, and other senders find space between two reads.
 *
 * If one datagram fills the queue, the datagram of the next thread fills the
 * queue again as soon as the queue is empty, and a sender that does not block
 * would never find space. So one datagram of another sender may exceed the
 * limit in this case.
 */
static int dgram_serve_first(struct sock *receiver)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;
	int todo = 0;

	lockdep_assert_held(&ask->queue_lock);
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	if (first && dgram_may_queue_first(receiver, first)) {
		bool fills = !ask->queued;

		list_del(&first->node);
		altconn_dgram_enqueue(receiver, first->dg);
		/*
		 * The thread takes queue_lock before it returns, so the entry
		 * and the task stay valid here.
		 */
		dgram_set_result(ask, first, DGRAM_QUEUED);
		wake_up_process(first->task);
		WRITE_ONCE(ask->may_exceed,
			   fills && altconn_dgram_is_full(receiver));
		todo = DGRAM_WAKE_READERS;
	}
	return dgram_give_turn(receiver) ? todo | DGRAM_WAKE_POLLERS : todo;
}

/**
 * altconn_dgram_serve_blocked() - let blocked senders go on after a read
 * @sk: the receiving endpoint
 *
 * If half of the queue is free, the first blocked thread gets the turn, or the
 * read queues that thread's datagram: see dgram_serve_first().
 *
 * Context: any; queue_lock held.
 * Return: bits DGRAM_WAKE_POLLERS and DGRAM_WAKE_READERS for the work that the
 * caller does after it has released queue_lock; 0 if there is none.
 */
int altconn_dgram_serve_blocked(struct sock *sk)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	if (ask->queued > (u32)READ_ONCE(sk->sk_rcvbuf) / 2)
		return 0;
	WRITE_ONCE(ask->turn_open, true);
	return dgram_serve_first(sk);
}

/**
 * altconn_dgram_wake_blocked() - let blocked senders look up the receiver again
 * @receiver: the receiving endpoint, which has changed: it has another peer or
 *	another overflow policy, is shut down for reading or is closing
 *
 * The endpoints that poll for space are woken too. DGRAM_BATCH threads are
 * woken in one hold of queue_lock. A thread that leaves the list by itself
 * meanwhile notices the change in dgram_end_wait().
 *
 * Context: process, may sleep; no queue_lock held.
 */
void altconn_dgram_wake_blocked(struct sock *receiver)
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
		dgram_set_result(ask, entry, DGRAM_RETRY);
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

/*
 * Append the current thread to the receiver's list of blocked senders. @dg has
 * just passed the receiver's filter.
 */
static void dgram_block_current(struct sock *receiver,
				struct dgram_blocked *waiter,
				struct altconn_dgram *dg)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	waiter->task = current;
	waiter->dg = dg;
	waiter->filter = rcu_access_pointer(receiver->sk_filter);
	waiter->result = DGRAM_BLOCKED;
	if (list_empty(&ask->blocked)) {
		WRITE_ONCE(ask->turn_open, false);
		WRITE_ONCE(ask->may_exceed, false);
	}
	list_add_tail(&waiter->node, &ask->blocked);
}

/**
 * altconn_dgram_queue_or_block() - queue a datagram, or register a sender that
 * waits
 * @receiver: the receiving endpoint
 * @dg: the datagram, which has passed the receiver's filter
 * @waiter: entry for the list of blocked senders, uninitialized; NULL if the
 *	sender does not wait
 *
 * Context: process, may sleep; no queue_lock held.
 * Return: 0 if the datagram is queued, or dropped by the receiver's overflow
 * policy, in which cases the caller's reference is gone; DGRAM_BLOCKED if the
 * receiver is full and @waiter is in its list, in which case the caller must
 * call altconn_dgram_wait_for_space(); -EAGAIN if the receiver is full and
 * @waiter is NULL; -ECONNREFUSED or -EPIPE as altconn_dgram_check_sender()
 * returns. Unless the result is 0, the caller keeps its reference.
 */
int altconn_dgram_queue_or_block(struct sock *receiver,
				 struct altconn_dgram *dg,
				 struct dgram_blocked *waiter)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	LIST_HEAD(dropped);
	int err;

	spin_lock(&ask->queue_lock);
	err = altconn_dgram_check_admit(receiver, dg);
	if (!err && unlikely(ask->overflow) &&
	    altconn_dgram_apply_overflow(receiver, &dropped)) {
		list_add_tail(&dg->node, &dropped);
	} else if (!err) {
		altconn_dgram_enqueue(receiver, dg);
	} else if (err == -EAGAIN && waiter) {
		dgram_block_current(receiver, waiter, dg);
		err = DGRAM_BLOCKED;
	}
	spin_unlock(&ask->queue_lock);
	if (err)
		return err;
	if (unlikely(!list_empty(&dropped)))
		altconn_dgram_put_all(&dropped);
	altconn_dgram_wake_reader(receiver);
	return 0;
}

/*
 * Check whether a thread that has slept for a while may take the turn, whatever
 * its position in the list. The thread may if there is space that a new sender
 * would get, and if no read will queue the datagram of the first thread, which
 * the scheduler may not run. No read will do so if the queue is empty, or if
 * the first thread's datagram has not passed the receiver's present filter.
 */
static bool dgram_may_overtake(struct sock *receiver,
			       const struct dgram_blocked *waiter)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	struct dgram_blocked *first;

	lockdep_assert_held(&ask->queue_lock);
	if (waiter->result != DGRAM_BLOCKED ||
	    !altconn_dgram_has_space(receiver) ||
	    altconn_dgram_is_full(receiver))
		return false;
	first = list_first_entry_or_null(&ask->blocked, struct dgram_blocked,
					 node);
	/* altconn_dgram_wake_blocked() has the list, and will wake @waiter. */
	if (!first)
		return false;
	return !ask->queued ||
	       first->filter != rcu_access_pointer(receiver->sk_filter);
}

/* Let a thread that has slept for a while take the turn if it may. */
static void dgram_try_overtake(struct sock *receiver,
			       struct dgram_blocked *waiter)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);

	if (!altconn_dgram_has_space(receiver))
		return;
	spin_lock(&ask->queue_lock);
	if (dgram_may_overtake(receiver, waiter))
		dgram_set_result(ask, waiter, DGRAM_TURN);
	spin_unlock(&ask->queue_lock);
}

/*
 * Sleep until @waiter is no longer DGRAM_BLOCKED. Return 0; -EAGAIN if *@timeo
 * jiffies have elapsed; -EINTR or -ERESTARTSYS on a signal. *@timeo gets the
 * time that is left.
 */
static int dgram_sleep(struct sock *receiver, struct dgram_blocked *waiter,
		       long *timeo)
{
	long slice, left;
	int err = 0;

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(waiter->result) != DGRAM_BLOCKED)
			break;
		err = signal_pending(current) ? sock_intr_errno(*timeo) :
		      *timeo ? 0 : -EAGAIN;
		if (err)
			break;
		slice = min_t(long, *timeo, DGRAM_RECHECK_INTERVAL);
		left = schedule_timeout(slice);
		if (*timeo != MAX_SCHEDULE_TIMEOUT)
			*timeo -= slice - left;
		if (!left)
			dgram_try_overtake(receiver, waiter);
	}
	__set_current_state(TASK_RUNNING);
	return err;
}

/*
 * End the wait of a blocked thread, or find that the thread must wait on. @err
 * is the result of the sleep or of the receiver's filter. A thread with the
 * turn queues its datagram if the queue is not full. So does the first thread
 * in the list when its time has elapsed. Return DGRAM_BLOCKED if the thread
 * must wait on, and stays at its position in the list. Otherwise the entry has
 * left the list: return 0 if the datagram is queued, DGRAM_RETRY if the
 * receiver has changed, or @err.
 */
static int dgram_end_wait(struct sock *receiver, struct dgram_blocked *waiter,
			  int err)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	bool queues;

	lockdep_assert_held(&ask->queue_lock);
	if (waiter->result == DGRAM_QUEUED)
		return 0;
	if (waiter->result == DGRAM_RETRY)
		return DGRAM_RETRY;
	if (altconn_dgram_check_sender(receiver, waiter->dg)) {
		dgram_set_result(ask, waiter, DGRAM_RETRY);
		list_del(&waiter->node);
		return DGRAM_RETRY;
	}
	queues = (!err || err == -EAGAIN) && !altconn_dgram_is_full(receiver) &&
		 (waiter->result == DGRAM_TURN ||
		  list_is_first(&waiter->node, &ask->blocked));
	dgram_set_result(ask, waiter, DGRAM_BLOCKED);
	/* Other senders have used the space, or SO_RCVBUF has shrunk. */
	if (!queues && !err)
		return DGRAM_BLOCKED;
	list_del(&waiter->node);
	if (!queues)
		return err;
	altconn_dgram_enqueue(receiver, waiter->dg);
	return 0;
}

/*
 * Run the receiver's new filter, which has replaced another one while the
 * thread slept. *@passed gets the new filter. The datagram has its original
 * length @len again, bytes, because the old filter may have cut it. No read may
 * queue the datagram meanwhile. Return 0 or the error of the filter; return 0
 * without any of this if the thread is no longer DGRAM_BLOCKED or in the
 * DGRAM_TURN state.
 */
static int dgram_filter_again(struct sock *receiver,
			      struct dgram_blocked *waiter, u32 len,
			      const struct sk_filter **passed)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	bool mine;

	spin_lock(&ask->queue_lock);
	mine = waiter->result == DGRAM_BLOCKED || waiter->result == DGRAM_TURN;
	if (mine)
		waiter->filter = DGRAM_UNFILTERED;
	spin_unlock(&ask->queue_lock);
	if (!mine)
		return 0;
	*passed = rcu_access_pointer(receiver->sk_filter);
	waiter->dg->len = len;
	return *passed ? altconn_dgram_run_filter(receiver, waiter->dg) : 0;
}

/**
 * altconn_dgram_wait_for_space() - wait until a blocked datagram is queued
 * @receiver: the receiving endpoint, to which the caller holds a reference
 * @waiter: the caller's entry, which altconn_dgram_queue_or_block() has put
 *	into the list
 * @len: length of the datagram before a filter may have cut it, bytes
 * @timeo: time limit, jiffies; gets the time that is left
 *
 * Threads are served in the order in which they began to wait.
 * dgram_may_overtake() has the exception.
 *
 * Context: process, may sleep; no queue_lock held.
 * Return: 0 if the datagram is queued, in which case the caller's reference is
 * gone; DGRAM_RETRY if the receiver has changed, and the caller must look up
 * the receiver again; -EAGAIN if the time has elapsed; -EINTR or -ERESTARTSYS
 * on a signal; -EPERM or -ENOBUFS as altconn_dgram_run_filter() returns. Unless
 * the result is 0, the caller keeps its reference. @waiter has left the list.
 */
int altconn_dgram_wait_for_space(struct sock *receiver,
				 struct dgram_blocked *waiter, u32 len,
				 long *timeo)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(receiver);
	const struct sk_filter *passed = waiter->filter;
	bool watched = false;
	int err;

	do {
		err = dgram_sleep(receiver, waiter, timeo);
		if ((!err || err == -EAGAIN) &&
		    passed != rcu_access_pointer(receiver->sk_filter))
			err = dgram_filter_again(receiver, waiter, len,
						 &passed) ? : err;
		/*
		 * The thread takes queue_lock before it returns, so a thread
		 * that has written the result no longer uses @waiter.
		 */
		spin_lock(&ask->queue_lock);
		waiter->filter = passed;
		err = dgram_end_wait(receiver, waiter, err);
		if (err != DGRAM_BLOCKED && err != DGRAM_RETRY)
			watched = dgram_give_turn(receiver);
		spin_unlock(&ask->queue_lock);
	} while (err == DGRAM_BLOCKED);
	if (watched)
		altconn_dgram_wake_pollers(receiver);
	if (!err)
		altconn_dgram_wake_reader(receiver);
	return err;
}

/**
 * altconn_dgram_watch_or_retry() - end a send() that does not wait for space
 * @sk: the sending endpoint, which found @receiver full
 * @receiver: the receiving endpoint
 * @connected: the datagram goes to the address that @sk is connected to
 *
 * A connected socket watches its receiver from now on, so poll() reports
 * POLLOUT when there is space. An unconnected socket is always writable.
 *
 * Context: process; no queue_lock or poll_lock held.
 * Return: -EAGAIN if the sender must give up; DGRAM_RETRY if the receiver has
 * space by now, and the caller must try again.
 */
int altconn_dgram_watch_or_retry(struct sock *sk, struct sock *receiver,
				 bool connected)
{
	if (connected && !altconn_dgram_watch(sk, receiver))
		return DGRAM_RETRY;
	return -EAGAIN;
}

/**
 * altconn_dgram_set_overflow() - set what a full receiver does with a datagram
 * @sk: the receiving endpoint
 * @policy: ALTCONN_OVERFLOW_BLOCK (the sender waits),
 *	ALTCONN_OVERFLOW_DROP_NEWEST (the new datagram is dropped) or
 *	ALTCONN_OVERFLOW_DROP_OLDEST (the oldest datagrams are dropped)
 *
 * Context: process, may sleep; no queue_lock held.
 */
void altconn_dgram_set_overflow(struct sock *sk, u8 policy)
{
	struct altconn_dgram_sock *ask = altconn_dgram_sk(sk);

	spin_lock(&ask->queue_lock);
	WRITE_ONCE(ask->overflow, policy);
	spin_unlock(&ask->queue_lock);
	/* Blocked senders try again under the new policy and may block. */
	altconn_dgram_wake_blocked(sk);
}
