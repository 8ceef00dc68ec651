/* SPDX-License-Identifier: GPL-2.0 */
/* Payers: users that kernel threads work for, see payer.c. */
#ifndef _ALTCONN_PAYER_H
#define _ALTCONN_PAYER_H

#include "altconn.h"

struct cred;
struct user_namespace;

/**
 * enum altconn_payer_kind - kinds of jobs
 * @ALTCONN_PAYER_DEADLINE: a deadline passes
 * @ALTCONN_PAYER_DELAY: the delay of a rule ends
 * @ALTCONN_PAYER_EVENT: events are delivered
 * @ALTCONN_PAYER_IDLE: idle buffers are given back
 * @ALTCONN_PAYER_RELEASE: descriptors that no process received are closed
 * @ALTCONN_PAYER_KINDS: the number of kinds
 *
 * A user has a queue for each kind, so jobs of one kind that take long do not
 * delay the user's jobs of another kind.
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
 * Keys of payers that are not a user: the administrators of the machine
 * together, and a container, as a flag beside the inode number of its user
 * namespace.
 */
#define ALTCONN_PAYER_ADMIN	BIT_ULL(33)
#define ALTCONN_PAYER_CONTAINER	BIT_ULL(32)

/**
 * struct altconn_job - work that a kernel thread does for a user
 * @node: link in a payer's queue
 * @queued: bit 0 is set while the job is in a queue
 * @run: does the work, in process context; may free the job, or queue it again
 *
 * Lifetime: the object that embeds the job keeps itself alive while the job is
 * queued.
 */
struct altconn_job {
	struct llist_node	node;
	unsigned long		queued;
	void (*run)(struct altconn_job *job);
};

/**
 * struct altconn_payer_idle - a user's emptied buffers (rings), for ring.c
 * @lock: protects all fields; the locks of a listed ring are taken inside it,
 *	with trylock only
 * @rings: the listed rings, linked by their idle_node; the scan looks at the
 *	first one next
 * @n: number of listed rings
 * @bytes: bytes of the segments that the listed rings keep; segments of the
 *	smallest size do not count
 * @left: rings that the scan still has to look at before it pauses; accessed by
 *	@job only
 * @armed: @timer is armed, or @job is queued or runs
 * @timer: queues @job
 * @job: the scan; ring.c sets its function before @timer is armed
 */
struct altconn_payer_idle {
	spinlock_t		lock;		/* all of it */
	struct list_head	rings;
	unsigned int		n;
	long			bytes;
	unsigned int		left;
	bool			armed;
	struct timer_list	timer;
	struct altconn_job	job;
};

/**
 * struct altconn_payer - a user's queue of jobs of one kind
 * @node: link in payer_table; changes under payer_lock, read under RCU
 * @kind: kind of the jobs
 * @key: the user, see altconn_payer_key()
 * @share_shift: the queue's share of one CPU is 1/2^share_shift
 * @members: number of the user's event watchers; for ALTCONN_PAYER_EVENT only
 * @jobs: queued jobs, the newest first; accessed without a lock
 * @backlog: jobs that @work has taken from @jobs, the oldest first; accessed by
 *	@work only
 * @work: runs the jobs; delayed while the budget is used up
 * @budget: CPU time that @work may use, ns; negative while the queue is in
 *	debt; accessed by @work only
 * @refilled: time at which @budget was last raised, ns (ktime); accessed by
 *	@work only
 * @idle: the user's emptied buffers; for ALTCONN_PAYER_IDLE only
 *
 * Lifetime: from the first use until the module is unloaded.
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
	struct altconn_payer_idle	idle;
};

bool altconn_payer_queue(struct altconn_payer *payer, struct altconn_job *job);
u64 altconn_payer_key_in(const struct cred *cred, struct user_namespace *in);
u64 altconn_payer_key(const struct cred *cred);
struct altconn_payer *altconn_payer_get(enum altconn_payer_kind kind, u64 key);
void altconn_payer_flush(enum altconn_payer_kind kind);
int __init altconn_payer_init(void);
void altconn_payer_exit(void);

/**
 * altconn_job_init() - prepare a job, which is in no queue yet
 * @job: the job
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

#endif /* _ALTCONN_PAYER_H */
