// SPDX-License-Identifier: GPL-2.0
/*
 * Payers: users that kernel threads work for, and the CPU time that this takes.
 *
 * Some work for a user is done while no system call of the user runs: deadlines
 * pass, delays end, events are delivered, the memory of emptied rings is freed,
 * and descriptors that no process has received are closed. Each piece of such
 * work is a job, which a kworker runs. A user can make a job last very long: a
 * job wakes every poller of a socket, looks at all rings of the user, or closes
 * files that the user opened. No CPU cgroup of the user limits a kworker.
 *
 * So there is a queue for each user and each kind of job. One thread at a time
 * works through a queue. A queue has a budget of CPU time, which is at most
 * PAYER_BURST_NS, and changes after each job:
 *
 *	budget += elapsed time >> share_shift
 *	budget -= time that the job has taken
 *
 * If the budget is not greater than 0, the queue is in debt and pauses until
 * the debt is paid. Other queues do not wait for it.
 *
 * altconn_payer_queue() takes no lock, so a timer function or the holder of any
 * lock may call it.
 */

#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include "payer.h"

/* Maximum of the budget of a queue, ns. A new queue begins with it. */
#define PAYER_BURST_NS		(100 * (s64)NSEC_PER_MSEC)

/*
 * A queue's share of one CPU is 1/2^shift. Root, and the administrators of the
 * machine (ALTCONN_PAYER_ADMIN), have the larger share.
 */
#define PAYER_SHARE_SHIFT	2
#define PAYER_SHARE_SHIFT_ROOT	1

/* Maximum number of a payer's lists of emptied rings, a power of two. */
#define PAYER_IDLE_LISTS_MAX		64

/* Protects the additions to payer_table. */
static DEFINE_SPINLOCK(payer_lock);

/* All payers, by key. */
static DEFINE_HASHTABLE(payer_table, 6);

static struct workqueue_struct *payer_wq[ALTCONN_PAYER_KINDS];

/*
 * Set while the module is being unloaded: queued jobs run at once, even if
 * their payer is in debt.
 */
static bool payer_draining;

/* Take the oldest job from the queue. Return NULL if the queue is empty. */
static struct altconn_job *payer_dequeue(struct altconn_payer *payer)
{
	struct altconn_job *job;

	if (!payer->backlog)
		payer->backlog =
			llist_reverse_order(llist_del_all(&payer->jobs));
	if (!payer->backlog)
		return NULL;
	job = llist_entry(payer->backlog, struct altconn_job, node);
	payer->backlog = payer->backlog->next;
	/* From here on the job can be queued again. */
	clear_bit_unlock(0, &job->queued);
	/*
	 * Clear the bit, then load what job->run() looks at. Pairs with
	 * test_and_set_bit() in altconn_payer_queue(): its caller stores the
	 * cause of the job before that. So if the bit is still set there,
	 * job->run() sees the cause.
	 */
	smp_mb__after_atomic();
	return job;
}

/**
 * struct payer_clock - two clocks of a kernel thread
 * @wall: CLOCK_MONOTONIC, ns
 * @cpu: CPU time that the thread has used, ns
 *
 * Lifetime: on the stack of payer_work().
 */
struct payer_clock {
	u64	wall;
	u64	cpu;
};

static struct payer_clock payer_clock_read(void)
{
	return (struct payer_clock) {
		.wall = ktime_get_ns(),
		.cpu = current->se.sum_exec_runtime,
	};
}

/*
 * Return the time to charge for a job, ns: the CPU time plus one tick, or the
 * elapsed time if that is less. The scheduler updates the CPU time at ticks and
 * context switches only, so it may be up to one tick too low.
 */
static u64 payer_time_between(const struct payer_clock *begin,
			      const struct payer_clock *end)
{
	return min(end->wall - begin->wall, end->cpu - begin->cpu + TICK_NSEC);
}

/*
 * Add the queue's share of the time since the last call to the budget, and
 * subtract @used nanoseconds. Return true if the queue continues, false if it
 * is in debt.
 */
static bool payer_charge(struct altconn_payer *payer, u64 now, u64 used)
{
	s64 gained = (now - payer->refilled) >> payer->share_shift;

	payer->budget = min(payer->budget + gained, PAYER_BURST_NS);
	payer->budget -= used;
	payer->refilled = now;
	return payer->budget > 0 || READ_ONCE(payer_draining);
}

/* Run queued jobs until the queue is empty or in debt. */
static void payer_work(struct work_struct *work)
{
	struct altconn_payer *payer = container_of(to_delayed_work(work),
						   struct altconn_payer, work);
	struct payer_clock begin = payer_clock_read(), end;
	struct altconn_job *job;
	bool solvent;
	u64 debt;

	do {
		job = payer_dequeue(payer);
		if (!job)
			return;
		job->run(job);
		cond_resched();
		end = payer_clock_read();
		solvent = payer_charge(payer, end.wall,
				       payer_time_between(&begin, &end));
		begin = end;
	} while (solvent);
	/*
	 * Continue when the debt is paid. altconn_payer_queue() may have queued
	 * this work without a delay meanwhile. mod_delayed_work() sets the
	 * delay in that case too.
	 */
	debt = (u64)(1 - payer->budget) << payer->share_shift;
	mod_delayed_work(payer_wq[payer->kind], &payer->work,
			 nsecs_to_jiffies(debt) + 1);
}

/**
 * altconn_payer_queue() - queue a job for a kernel thread
 * @payer: the payer that is charged for the job
 * @job: an initialized job; the caller keeps it alive until it runs
 *
 * The jobs of a payer run one after another, in the order in which they were
 * queued.
 *
 * Context: any.
 * Return: true if the job has been queued; false if it was in a queue of any
 * payer already. In both cases the job runs after this call, and sees what the
 * caller has stored before the call.
 */
bool altconn_payer_queue(struct altconn_payer *payer, struct altconn_job *job)
{
	if (test_and_set_bit(0, &job->queued))
		return false;
	if (llist_add(&job->node, &payer->jobs))
		queue_delayed_work(payer_wq[payer->kind], &payer->work, 0);
	return true;
}

/* Check whether the root user of @in owns the user namespace @below. */
static bool payer_root_owns(const struct user_namespace *below,
			    struct user_namespace *in)
{
	return uid_eq(below->owner, make_kuid(in, 0));
}

/**
 * altconn_payer_key_in() - identify a process's user within a user namespace
 * @cred: credentials of the process
 * @in: the user namespace
 *
 * The user depends on the user namespace of the process::
 *
 *	@in			the process's own uid
 *	below @in		the owner of the outermost user namespace below
 *				@in that the process is in. If the root user of
 *				@in owns it, it is a container, which counts as
 *				a user of its own
 *	any other		as altconn_payer_key()
 *
 * Context: any. The time is bounded, since the kernel nests at most 33 user
 * namespaces.
 * Return: the key of the user, which is less than 1 << 33.
 */
u64 altconn_payer_key_in(const struct cred *cred, struct user_namespace *in)
{
	const struct user_namespace *ns, *outer = NULL;

	for (ns = cred->user_ns; ns && ns != in; ns = ns->parent)
		outer = ns;
	if (!ns)
		return altconn_payer_key(cred);
	if (!outer)
		return __kuid_val(cred->uid);
	if (payer_root_owns(outer, in))
		return ALTCONN_PAYER_CONTAINER | outer->ns.inum;
	return __kuid_val(outer->owner);
}

/**
 * altconn_payer_key() - identify the user that pays for the work of a process
 * @cred: credentials of the process
 *
 * This is altconn_payer_key_in() for the initial user namespace. So a user
 * namespace does not give a user further payers.
 *
 * Context: any.
 * Return: the key of the user, which is less than 1 << 33.
 */
u64 altconn_payer_key(const struct cred *cred)
{
	return altconn_payer_key_in(cred, &init_user_ns);
}

/*
 * Find a payer. Return NULL if there is none. The caller holds rcu_read_lock()
 * or payer_lock.
 */
static struct altconn_payer *payer_find(enum altconn_payer_kind kind, u64 key)
{
	struct altconn_payer *payer;

	hash_for_each_possible_rcu(payer_table, payer, node, key,
				   lockdep_is_held(&payer_lock))
		if (payer->key == key && payer->kind == kind)
			return payer;
	return NULL;
}

/* Queue the job that scans a list of emptied rings. */
static void payer_idle_timer(struct timer_list *timer)
{
	struct altconn_payer_idle *idle = timer_container_of(idle, timer,
							     timer);

	altconn_payer_queue(idle->payer, &idle->job);
}

static void payer_init_idle(struct altconn_payer *payer)
{
	struct altconn_payer_idle *idle;

	for (idle = payer->idle; idle < payer->idle + payer->n_idle; idle++) {
		idle->payer = payer;
		spin_lock_init(&idle->lock);
		INIT_LIST_HEAD(&idle->rings);
		timer_setup(&idle->timer, payer_idle_timer, 0);
	}
}

static struct altconn_payer *payer_alloc(enum altconn_payer_kind kind, u64 key)
{
	bool root = key == ALTCONN_PAYER_ADMIN ||
		    key == __kuid_val(GLOBAL_ROOT_UID);
	struct altconn_payer *payer;
	u32 n_idle = 0;

	if (kind == ALTCONN_PAYER_IDLE)
		n_idle = min_t(u32, roundup_pow_of_two(nr_cpu_ids),
			       PAYER_IDLE_LISTS_MAX);
	payer = kzalloc(struct_size(payer, idle, n_idle), GFP_KERNEL);
	if (!payer)
		return NULL;
	payer->kind = kind;
	payer->key = key;
	payer->share_shift = root ? PAYER_SHARE_SHIFT_ROOT : PAYER_SHARE_SHIFT;
	init_llist_head(&payer->jobs);
	INIT_DELAYED_WORK(&payer->work, payer_work);
	payer->budget = PAYER_BURST_NS;
	payer->refilled = ktime_get_ns();
	payer->n_idle = n_idle;
	payer_init_idle(payer);
	return payer;
}

/**
 * altconn_payer_get() - find or make a user's queue for a kind of job
 * @kind: kind of the jobs
 * @key: key of the user: altconn_payer_key(), or ALTCONN_PAYER_ADMIN
 *
 * A payer stays until altconn_payer_exit(), so that a user cannot get rid of a
 * debt. For each kind there are at most as many payers as users and containers.
 *
 * Context: process, may sleep.
 * Return: the payer, which needs no reference; NULL if memory runs out.
 */
struct altconn_payer *altconn_payer_get(enum altconn_payer_kind kind, u64 key)
{
	struct altconn_payer *payer, *new;

	rcu_read_lock();
	payer = payer_find(kind, key);
	rcu_read_unlock();
	if (payer)
		return payer;
	new = payer_alloc(kind, key);
	if (!new)
		return NULL;
	spin_lock(&payer_lock);
	payer = payer_find(kind, key);
	if (!payer) {
		hash_add_rcu(payer_table, &new->node, key);
		swap(payer, new);
	}
	spin_unlock(&payer_lock);
	kfree(new);
	return payer;
}

/**
 * altconn_payer_pin() - charge a user for pages that unread data pins
 * @payer: the user, a payer for ALTCONN_PAYER_IDLE
 * @n: number of pages
 *
 * All unread data that a user has sent may pin as much memory as RLIMIT_MEMLOCK
 * of the calling process says. With CAP_IPC_LOCK in the initial user namespace
 * there is no limit.
 *
 * Context: process.
 * Return: true if the pages are charged; false if the user would exceed the
 * limit.
 */
bool altconn_payer_pin(struct altconn_payer *payer, u32 n)
{
	if (likely(atomic_long_add_return(n, &payer->pinned) <=
		   rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT) ||
	    ns_capable_noaudit(&init_user_ns, CAP_IPC_LOCK))
		return true;
	atomic_long_sub(n, &payer->pinned);
	return false;
}

/**
 * altconn_payer_flush() - wait until the queued jobs of a kind have run
 * @kind: kind of the jobs
 *
 * The function does not wait for the jobs of a queue that is in debt.
 *
 * Context: process, may sleep.
 */
void altconn_payer_flush(enum altconn_payer_kind kind)
{
	if (payer_wq[kind])
		flush_workqueue(payer_wq[kind]);
}

static void payer_destroy_workqueues(void)
{
	int kind;

	for (kind = 0; kind < ALTCONN_PAYER_KINDS; kind++)
		if (payer_wq[kind])
			destroy_workqueue(payer_wq[kind]);
}

/**
 * altconn_payer_init() - allocate the workqueues of the payers
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int __init altconn_payer_init(void)
{
	static const char * const names[ALTCONN_PAYER_KINDS] = {
		[ALTCONN_PAYER_DEADLINE]	= "altconn_deadline",
		[ALTCONN_PAYER_DELAY]		= "altconn_delay",
		[ALTCONN_PAYER_EVENT]		= "altconn_event",
		[ALTCONN_PAYER_IDLE]		= "altconn_idle",
		[ALTCONN_PAYER_RELEASE]		= "altconn_release",
	};
	int kind;

	for (kind = 0; kind < ALTCONN_PAYER_KINDS; kind++) {
		/*
		 * A job may sleep, and occupies its thread then. So let as many
		 * payers as possible have threads of their own.
		 */
		payer_wq[kind] = alloc_workqueue("%s", WQ_UNBOUND, WQ_MAX_ACTIVE,
						 names[kind]);
		if (!payer_wq[kind]) {
			payer_destroy_workqueues();
			return -ENOMEM;
		}
	}
	return 0;
}

/*
 * Run the queued jobs of a payer, without regard to its debt. Return true if
 * there were any, else false. Jobs that have run may have queued others, of any
 * payer.
 */
static bool payer_drain(struct altconn_payer *payer)
{
	/*
	 * Wait for the work, if it runs or is queued. Only the work changes the
	 * backlog, so the backlog can be read after that.
	 */
	bool busy = flush_delayed_work(&payer->work);

	if (llist_empty(&payer->jobs) && !payer->backlog)
		return busy;
	mod_delayed_work(payer_wq[payer->kind], &payer->work, 0);
	flush_delayed_work(&payer->work);
	return true;
}

/**
 * altconn_payer_exit() - run the remaining jobs, and free the payers
 *
 * Context: process, may sleep. No socket is left, and only the timers of the
 * payers may be armed. Jobs of freed sockets may be queued or run. An object
 * with a job that belongs to no socket holds a reference to the module until
 * its job runs.
 */
void altconn_payer_exit(void)
{
	struct altconn_payer *payer;
	struct hlist_node *next;
	bool busy;
	int bucket;
	u32 i;

	WRITE_ONCE(payer_draining, true);
	hash_for_each(payer_table, bucket, payer, node)
		for (i = 0; i < payer->n_idle; i++)
			timer_delete_sync(&payer->idle[i].timer);
	/*
	 * The timer function of an attempt or a socket may still run and queue
	 * a job. It runs in softirq context, which is an RCU read section, so
	 * wait for a grace period.
	 */
	synchronize_rcu();
	do {
		busy = false;
		hash_for_each(payer_table, bucket, payer, node)
			busy |= payer_drain(payer);
	} while (busy);
	hash_for_each_safe(payer_table, bucket, next, payer, node) {
		cancel_delayed_work_sync(&payer->work);
		hash_del(&payer->node);
		kfree(payer);
	}
	payer_destroy_workqueues();
}
