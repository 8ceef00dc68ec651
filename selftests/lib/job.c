// SPDX-License-Identifier: GPL-2.0
#include "job.h"
#include "sock.h"
#include "wait.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

bool at_sleeps(pid_t tid)
{
	char file[64], state = 0;
	FILE *f;

	snprintf(file, sizeof(file), "/proc/self/task/%d/stat", (int)tid);
	f = fopen(file, "r");
	if (!f)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(f);
	return state == 'S';
}

int at_start_asleep(pthread_t *thread, void *(*run)(void *arg), void *arg,
		    atomic_int *tid)
{
	int id;

	atomic_init(tid, 0);
	if (pthread_create(thread, NULL, run, arg))
		return -1;
	return at_until((id = atomic_load(tid)) && at_sleeps(id)) ? 0 : -1;
}

static void *job_run(void *arg)
{
	struct at_job *job = arg;

	atomic_store(&job->tid, (int)syscall(SYS_gettid));
	job->err = at_err(at_connect(job->fd, &job->addr));
	atomic_store(&job->done, true);
	return NULL;
}

int at_job_start(struct at_job *job, int fd, const struct at_addr *a)
{
	job->fd = fd;
	job->addr = *a;
	job->err = -1;
	atomic_init(&job->tid, 0);
	atomic_init(&job->done, false);
	return pthread_create(&job->thread, NULL, job_run, job) ? -1 : 0;
}

bool at_job_blocked(struct at_job *job)
{
	int tid;

	return at_until((tid = atomic_load(&job->tid)) &&
			(atomic_load(&job->done) || at_sleeps(tid))) &&
	       !atomic_load(&job->done);
}

int at_job_end(struct at_job *job)
{
	if (!at_until(atomic_load(&job->done)))
		return -1;
	pthread_join(job->thread, NULL);
	return job->err;
}

void at_job_signal(struct at_job *job, int sig)
{
	pthread_kill(job->thread, sig);
}

int at_pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

atomic_int at_caught;

static void caught(int sig)
{
	(void)sig;
	atomic_fetch_add(&at_caught, 1);
}

int at_catch(int sig, int flags)
{
	struct sigaction act = { .sa_handler = caught, .sa_flags = flags };

	return sigaction(sig, &act, NULL);
}
