/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Payers: users for whom kernel threads work, see payer.c.
 */
#ifndef _ALTCONN_PAYER_H
#define _ALTCONN_PAYER_H

#include "altconn.h"

struct cred;
struct user_namespace;

#define _ALTCONN_PAYER_H

/* Kinds of jobs: a user whose jobs of one kind take long delays none of another. */
enum altconn_payer_kind {
	ALTCONN_PAYER_DEADLINE,
	ALTCONN_PAYER_DELAY,
	ALTCONN_PAYER_EVENT,
	ALTCONN_PAYER_IDLE,
	ALTCONN_PAYER_RELEASE,
	ALTCONN_PAYER_KINDS,
};

/* Keys of payers that are no users. */
#define ALTCONN_PAYER_ADMIN	BIT_ULL(33)
#define ALTCONN_PAYER_CONTAINER	BIT_ULL(32)

/**
 * struct altconn_job - what a kernel thread is to do for a user
 * @node: in a payer's queue
 * @queued: bit 0: it is in one
 * @run: does it, in process context; may free the job, or queue it again
 *
 * The object that the job belongs to keeps itself alive while the job is queued.
 */
struct altconn_job {
	struct llist_node	node;
	unsigned long		queued;
	void (*run)(struct altconn_job *job);
};

/**
 * struct altconn_payer_idle - buffers of a user that were emptied, for ring.c
 * @lock: all of it; the locks of a listed ring are tried inside it
 * @rings: by @idle_node, the one that the scan looks at next first
 * @n: how many
 * @bytes: bytes of segments that the listed rings keep; the smallest segments
 *	do not count
 * @left: rings that the scan looks at before it rests; @job alone
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
 * struct altconn_payer - the jobs of one kind of a user
 * @node: in payer_table; payer_lock, readers under RCU
 * @kind: which kind
 * @key: the user
 * @share_shift: the share of one CPU
 * @members: watchers of the user; of ALTCONN_PAYER_EVENT alone
 * @jobs: the newest first
 * @backlog: jobs that @work has taken, the oldest first; @work alone
 * @work: does them; armed for later while the budget is used up
 * @budget: nanoseconds that it may use, negative in debt; @work alone
 * @refilled: when @budget was last raised; @work alone
 * @idle: of ALTCONN_PAYER_IDLE alone
 *
 * Lifetime: from the first use until the module goes.
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
 * @run: does it, in process context; may free the job, or queue it again
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
