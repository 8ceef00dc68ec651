/* SPDX-License-Identifier: GPL-2.0 */
/* Payers: users that kernel threads work for. payer.c describes them. */
#ifndef _ALTCONN_PAYER_H
#define _ALTCONN_PAYER_H

#include "altconn.h"

struct cred;
struct user_namespace;

/**
 * enum altconn_payer_kind - kinds of jobs
 * @ALTCONN_PAYER_DEADLINE: let attempts fail whose deadlines have passed
 * @ALTCONN_PAYER_DELAY: act on the end of a rule's delay
 * @ALTCONN_PAYER_EVENT: deliver events
 * @ALTCONN_PAYER_IDLE: free the memory of emptied rings. The payer of this kind
 *	also counts the pages that the user's data pins
 * @ALTCONN_PAYER_RELEASE: close descriptors that no process has received
 * @ALTCONN_PAYER_KINDS: number of kinds
 *
 * A user has a queue for each kind. So a job that takes long does not delay the
 * user's jobs of another kind.
 */
enum altconn_payer_kind {
	ALTCONN_PAYER_DEADLINE,
	ALTCONN_PAYER_DELAY,
	ALTCONN_PAYER_EVENT,
	ALTCONN_PAYER_IDLE,
	ALTCONN_PAYER_RELEASE,
	ALTCONN_PAYER_KINDS,
};

/*
 * The key of a payer is a kuid value, or one of the following: ADMIN for all
 * administrators of the machine, or CONTAINER together with the inode number of
 * a container's user namespace.
 */
#define ALTCONN_PAYER_ADMIN	BIT_ULL(33)
#define ALTCONN_PAYER_CONTAINER	BIT_ULL(32)

/**
 * struct altconn_job - work that a kernel thread does for a user
 * @node: link in a payer's queue
 * @queued: bit 0 is set while the job is in a queue
 * @run: does the work, in process context; may free the job, or queue it again
 *
 * Lifetime: as the object that embeds the job. The code that queues the job
 * keeps this object alive until @run is called.
 */
struct altconn_job {
	struct llist_node	node;
	unsigned long		queued;
	void (*run)(struct altconn_job *job);
};

/**
 * struct altconn_payer_idle - a list of a user's emptied rings, for the scan of
 *	ring.c
 * @payer: the payer that has this list
 * @lock: protects all members but @payer and @left; the locks of a listed ring
 *	are taken inside it, with trylock only
 * @rings: the listed rings, linked by their idle_node; the scan looks at the
 *	first one next
 * @n: number of listed rings
 * @bytes: bytes of the segments that the listed rings keep; segments of the
 *	smallest size do not count
 * @left: number of rings that the scan still has to look at in this round;
 *	accessed by @job only
 * @armed: @timer is armed, or @job is queued or runs
 * @timer: queues @job
 * @job: the scan; ring.c sets its function before it arms @timer
 *
 * Lifetime: embedded in struct altconn_payer.
 */
struct altconn_payer_idle {
	struct altconn_payer	*payer;
	spinlock_t		lock;		/* all but payer, left */
	struct list_head	rings;
	unsigned int		n;
	long			bytes;
	unsigned int		left;
	bool			armed;
	struct timer_list	timer;
	struct altconn_job	job;
} ____cacheline_aligned_in_smp;

/**
 * struct altconn_payer - a user's queue of jobs of one kind
 * @node: link in payer_table; changes under payer_lock, read under RCU
 * @kind: kind of the jobs
 * @key: key of the user: altconn_payer_key(), or ALTCONN_PAYER_ADMIN
 * @share_shift: the queue's share of one CPU is 1/2^share_shift
 * @members: number of the user's event watchers; for ALTCONN_PAYER_EVENT only
 * @jobs: queued jobs, the newest first; accessed without a lock
 * @backlog: queued jobs that @work has taken from @jobs, the oldest first;
 *	accessed by @work only
 * @work: runs the jobs; delayed while the queue is in debt
 * @budget: CPU time that @work may use, ns; the queue is in debt if it is not
 *	greater than 0; accessed by @work only
 * @refilled: time at which @budget was last raised, ns (ktime); accessed by
 *	@work only
 * @n_idle: number of lists in @idle, a power of two; 0 unless @kind is
 *	ALTCONN_PAYER_IDLE
 * @pinned: number of pages that unread data pins which the user has sent
 *	(ring_pages.c); for ALTCONN_PAYER_IDLE only
 * @idle: the user's emptied rings. A ring belongs to the list of the CPU that
 *	made it, so that CPUs share no lock. Up to PAYER_IDLE_LISTS_MAX CPUs
 *	have lists of their own
 *
 * Lifetime: from altconn_payer_get() until the module is unloaded.
 */
struct altconn_payer {
	struct hlist_node	node;
	enum altconn_payer_kind	kind;
	u64			key;
	u32			share_shift;
	atomic_t		members;
	struct llist_head	jobs;
	struct llist_node	*backlog;
	struct delayed_work	work;
	s64			budget;
	u64			refilled;
	u32			n_idle;
	atomic_long_t		pinned ____cacheline_aligned_in_smp;
	struct altconn_payer_idle	idle[];
};

bool altconn_payer_queue(struct altconn_payer *payer, struct altconn_job *job);
u64 altconn_payer_key_in(const struct cred *cred, struct user_namespace *in);
u64 altconn_payer_key(const struct cred *cred);
struct altconn_payer *altconn_payer_get(enum altconn_payer_kind kind, u64 key);
bool altconn_payer_pin(struct altconn_payer *payer, u32 n);
void altconn_payer_flush(enum altconn_payer_kind kind);
int __init altconn_payer_init(void);
void altconn_payer_exit(void);

/**
 * altconn_job_init() - initialize a job
 * @job: the job, which is in no queue
 * @run: does the work, in process context; may free the job, or queue it again
 *
 * Context: any.
 */
static inline void altconn_job_init(struct altconn_job *job,
				    void (*run)(struct altconn_job *job))
{
	job->queued = 0;
	job->run = run;
}

/**
 * altconn_payer_unpin() - take back altconn_payer_pin()
 * @payer: the payer
 * @n: number of pages
 *
 * Context: any.
 */
static inline void altconn_payer_unpin(struct altconn_payer *payer, u32 n)
{
	if (n)
		atomic_long_sub(n, &payer->pinned);
}

#endif /* _ALTCONN_PAYER_H */
