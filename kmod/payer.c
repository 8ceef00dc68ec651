// SPDX-License-Identifier: GPL-2.0
/*
 * Payers: users for whom kernel threads work, and the time that this takes.
 *
 * Deadlines pass, delays end, events are delivered, idle buffers are given back and
 * unreceived descriptors are closed when no system call of the user runs.
 * Such a job takes as long as the user likes, for it wakes every poller of a socket,
 * looks at as many buffers as the user has or closes what the user made, and no CPU
 * cgroup of the user bounds a kworker. So a user has a queue for each kind of job. One
 * thread at a time works through a queue, which no other user shares, and the time is
 * charged to the queue: it gets a fixed share of one CPU after a burst, and waits when
 * that is used up. The jobs of other users do not wait.
 *
 * Jobs are queued without a lock, so a timer and a holder of any lock may queue one.
 */

#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/workqueue.h>
#include "payer.h"

/* The budget of a queue that has been idle for long. */
#define PAYER_BURST_NS		(100 * (s64)NSEC_PER_MSEC)

/* A queue's share of one CPU is 1/2^shift; root's and the administrators'. */
#define PAYER_SHARE_SHIFT	2
#define PAYER_SHARE_SHIFT_ROOT	1

static DEFINE_SPINLOCK(payer_lock);

static DEFINE_HASHTABLE(payer_table, 6);

static struct workqueue_struct *payer_wq[ALTCONN_PAYER_KINDS];

/*
 * The module is being unloaded: queued jobs run at once, whatever their payer's
 * debt.
 */
static bool payer_draining;

static struct altconn_job *payer_next(struct altconn_payer *payer)
{
	struct altconn_job *job;

	if (!payer->backlog)
		payer->backlog =
			llist_reverse_order(llist_del_all(&payer->jobs));
	if (!payer->backlog)
		return NULL;
	job = llist_entry(payer->backlog, struct altconn_job, node);
	payer->backlog = payer->backlog->next;
	/* It may be queued again, for a reason that comes up from here on. */
	clear_bit_unlock(0, &job->queued);
	/* Pairs with test_and_set_bit() in altconn_payer_queue(). */
	smp_mb__after_atomic();
	return job;
}

/* Two clocks of a kernel thread, ns: of the wall, and of the CPU time that it has used. */
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
 * How long a job took. The time for which the thread does not run is not charged; the
 * scheduler adds to the CPU time at ticks and switches, so it may lag by a tick.
 */
static u64 payer_time_between(const struct payer_clock *begin,
			      const struct payer_clock *end)
{
	return min(end->wall - begin->wall, end->cpu - begin->cpu + TICK_NSEC);
}

/* Charge @used nanoseconds. False: the budget is used up. */
static bool payer_charge(struct altconn_payer *payer, u64 now, u64 used)
{
	s64 gained = (now - payer->refilled) >> payer->share_shift;

	payer->budget = min(payer->budget + gained, PAYER_BURST_NS);
	payer->budget -= used;
	payer->refilled = now;
	return payer->budget > 0 || READ_ONCE(payer_draining);
}

static void payer_work(struct work_struct *work)
{
	struct altconn_payer *payer = container_of(to_delayed_work(work),
						   struct altconn_payer, work);
	struct payer_clock begin = payer_clock_read(), end;
	struct altconn_job *job;
	bool solvent;
	u64 debt;

	do {
		job = payer_next(payer);
		if (!job)
			return;
		job->run(job);
		cond_resched();
		end = payer_clock_read();
		solvent = payer_charge(payer, end.wall,
				       payer_time_between(&begin, &end));
		begin = end;
	} while (solvent);
	/* Go on when the debt is paid. A new job may have queued the work at once. */
	debt = (u64)(1 - payer->budget) << payer->share_shift;
	mod_delayed_work(payer_wq[payer->kind], &payer->work,
			 nsecs_to_jiffies(debt) + 1);
}

/**
 * altconn_payer_queue() - have a job done by a kernel thread
 * @payer: pays for it
 * @job: altconn_job_init() has prepared it; stays until it runs
 *
 * The jobs of a payer run one after the other, in the order in which they were queued.
 *
 * Context: any.
 * Return: true; false: the job was queued already, and runs once, after this
 * call.
 */
bool altconn_payer_queue(struct altconn_payer *payer, struct altconn_job *job)
{
	if (test_and_set_bit(0, &job->queued))
		return false;
	if (llist_add(&job->node, &payer->jobs))
		queue_delayed_work(payer_wq[payer->kind], &payer->work, 0);
	return true;
}

/* Does the root user of a user namespace own one below it? */
static bool payer_is_roots(const struct user_namespace *below,
			   struct user_namespace *in)
{
	return uid_eq(below->owner, make_kuid(in, 0));
}

/**
 * altconn_payer_key_in() - the user that a process is in a user namespace
 * @cred: of the process
 * @in: the user namespace
 *
 * Processes in a user namespace below @in are the owner of the outermost one that is
 * below @in, whatever their uids; if root of @in owns that, for a container, they are
 * a user by themselves. A process that is neither in @in nor below it is the user that
 * it is in the initial user namespace.
 *
 * Context: any; constant work, for the kernel nests at most 33 user namespaces.
 * Return: the key, which is below 1 << 33.
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
	if (payer_is_roots(outer, in))
		return ALTCONN_PAYER_CONTAINER | outer->ns.inum;
	return __kuid_val(outer->owner);
}

/**
 * altconn_payer_key() - the user that pays for what a process has done
 * @cred: of the process
 *
 * In a user namespace that is the owner of the outermost one, whatever its subordinate
 * uids, and for a namespace that root made, for a container, the namespace itself.
 *
 * Context: any.
 * Return: the key, which is below 1 << 33.
 */
u64 altconn_payer_key(const struct cred *cred)
{
	return altconn_payer_key_in(cred, &init_user_ns);
}

static struct altconn_payer *payer_find(enum altconn_payer_kind kind, u64 key)
{
	struct altconn_payer *payer;

	hash_for_each_possible_rcu(payer_table, payer, node, key,
				   lockdep_is_held(&payer_lock))
		if (payer->key == key && payer->kind == kind)
			return payer;
	return NULL;
}

static void payer_idle_timer(struct timer_list *timer)
{
	struct altconn_payer *payer = timer_container_of(payer, timer,
							 idle.timer);

	altconn_payer_queue(payer, &payer->idle.job);
}

static struct altconn_payer *payer_alloc(enum altconn_payer_kind kind, u64 key)
{
	struct altconn_payer *payer = kzalloc(sizeof(*payer), GFP_KERNEL);
	bool root = key == ALTCONN_PAYER_ADMIN ||
		    key == __kuid_val(GLOBAL_ROOT_UID);

	if (!payer)
		return NULL;
	payer->kind = kind;
	payer->key = key;
	payer->share_shift = root ? PAYER_SHARE_SHIFT_ROOT : PAYER_SHARE_SHIFT;
	init_llist_head(&payer->jobs);
	INIT_DELAYED_WORK(&payer->work, payer_work);
	payer->budget = PAYER_BURST_NS;
	payer->refilled = ktime_get_ns();
	spin_lock_init(&payer->idle.lock);
	INIT_LIST_HEAD(&payer->idle.rings);
	timer_setup(&payer->idle.timer, payer_idle_timer, 0);
	return payer;
}

/**
 * altconn_payer_get() - the queue of a user for a kind of job
 * @kind: which kind
 * @key: the user, altconn_payer_key(), or ALTCONN_PAYER_ADMIN
 *
 * Context: process, may sleep.
 * Return: the queue, which stays until altconn_payer_exit(), so that a user cancels no
 * debt; NULL: no memory. There are no more than users and containers.
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
 * altconn_payer_flush() - wait for the jobs that run or are due now
 * @kind: of which kind
 *
 * Returns when they have ended. A queue in debt is not waited for.
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
 * altconn_payer_init() - prepare for payers
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
		/* A job that sleeps keeps its thread: others need threads of their own. */
		payer_wq[kind] = alloc_workqueue("%s", WQ_UNBOUND, WQ_MAX_ACTIVE,
						 names[kind]);
		if (!payer_wq[kind]) {
			payer_destroy_workqueues();
			return -ENOMEM;
		}
	}
	return 0;
}

/* Work off what is queued. True: something was, and may have queued other jobs. */
static bool payer_drain(struct altconn_payer *payer)
{
	/* Waits for a running one, which alone changes the backlog. */
	bool busy = flush_delayed_work(&payer->work);

	if (llist_empty(&payer->jobs) && !payer->backlog)
		return busy;
	mod_delayed_work(payer_wq[payer->kind], &payer->work, 0);
	flush_delayed_work(&payer->work);
	return true;
}

/**
 * altconn_payer_exit() - do all jobs that are left, and free the payers
 *
 * Context: process, may sleep; no socket is left, no timer is armed that would queue a
 * job, and what jobs do without a socket pins the module.
 */
void altconn_payer_exit(void)
{
	struct altconn_payer *payer;
	struct hlist_node *next;
	bool busy;
	int bucket;

	WRITE_ONCE(payer_draining, true);
	hash_for_each(payer_table, bucket, payer, node)
		timer_delete_sync(&payer->idle.timer);
	/* For timers that run at this moment. */
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
