/* SPDX-License-Identifier: GPL-2.0 */
/* These functions start threads that block in connect(), and signal them. */
#ifndef _ALTCONN_TEST_JOB_H
#define _ALTCONN_TEST_JOB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include "addr.h"

/* A thread that calls connect(), and its result */
struct at_job {
	pthread_t thread;
	int fd;
	struct at_addr addr;
	atomic_int tid;
	atomic_bool done;
	int err;
};

int at_job_start(struct at_job *job, int fd, const struct at_addr *a);
/* Wait until the thread sleeps in connect(). Return false if it has ended. */
bool at_job_blocked(struct at_job *job);
/* Return the thread's errno, 0 for success, -1 if it does not end. */
int at_job_end(struct at_job *job);
void at_job_signal(struct at_job *job, int sig);
/* Return whether a thread of this process sleeps, interruptibly. */
bool at_sleeps(pid_t tid);
/*
 * Start a thread that calls @run with @arg, and wait until it sleeps. @run must
 * store the ID of the thread in *@tid. Return -1 on failure.
 */
int at_start_asleep(pthread_t *thread, void *(*run)(void *arg), void *arg,
		    atomic_int *tid);

/* Keep this thread on one CPU. Return -1 on failure. */
int at_pin(int cpu);

/* Count the signals @sig in at_caught. @flags are those of sigaction(2). */
int at_catch(int sig, int flags);
extern atomic_int at_caught;

#endif /* _ALTCONN_TEST_JOB_H */
