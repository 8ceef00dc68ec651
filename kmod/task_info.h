/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct altconn_task_info describes a process that called connect(), listen()
 * or accept(), as it was at that time.
 */
#ifndef _ALTCONN_TASK_INFO_H
#define _ALTCONN_TASK_INFO_H

#include "altconn.h"

/**
 * struct altconn_task_info - a process, as it was when it made a call
 * @pid: the process, a reference, or NULL if there was no process
 * @uid: user of the process, or INVALID_UID
 * @gid: group of the process, or INVALID_GID
 * @comm: command name of the process
 */
struct altconn_task_info {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
	char		comm[TASK_COMM_LEN];
};

#define ALTCONN_TASK_INFO_NONE	\
	((struct altconn_task_info) { .uid = INVALID_UID, .gid = INVALID_GID })

/**
 * altconn_task_info_set_current() - record the calling process in place of
 * another one
 * @to: the record; its reference to the old pid is dropped if the pid changes
 *
 * A server usually accepts in the process that listens. Then the pid is the
 * same, and no reference changes.
 *
 * Context: process; the caller holds the lock that protects @to, or no other
 * thread sees @to.
 */
static inline void altconn_task_info_set_current(struct altconn_task_info *to)
{
	struct pid *pid = task_tgid(current);

	if (to->pid != pid) {
		put_pid(to->pid);
		to->pid = get_pid(pid);
	}
	to->uid = current_uid();
	to->gid = current_gid();
	/*
	 * The name is read without a lock, as tracepoints do. If it changes
	 * meanwhile, the copy may be a mix of the old and the new name.
	 */
	memcpy(to->comm, current->group_leader->comm, sizeof(to->comm));
}

/**
 * altconn_task_info_current() - record the calling process
 *
 * Context: process.
 * Return: the process; the caller puts the reference to its pid.
 */
static inline struct altconn_task_info altconn_task_info_current(void)
{
	struct altconn_task_info task = ALTCONN_TASK_INFO_NONE;

	altconn_task_info_set_current(&task);
	return task;
}

/**
 * altconn_task_info_assign() - copy the record of a process over another one
 * @to: the record to overwrite; its reference to the old pid is dropped if the
 *	pid changes
 * @from: the record to copy, which keeps its reference to the pid
 *
 * If the pid is the same, no reference changes.
 *
 * Context: any but hard interrupts; the caller holds the lock that protects
 * @to.
 */
static inline void
altconn_task_info_assign(struct altconn_task_info *to,
			 const struct altconn_task_info *from)
{
	if (to->pid != from->pid) {
		put_pid(to->pid);
		get_pid(from->pid);
	}
	*to = *from;
}

/**
 * altconn_task_info_get() - take one more reference to the pid of a process
 * @task: the process, or ALTCONN_TASK_INFO_NONE
 *
 * Context: any.
 * Return: a copy of @task; the caller puts the reference to its pid.
 */
static inline struct altconn_task_info
altconn_task_info_get(const struct altconn_task_info *task)
{
	get_pid(task->pid);
	return *task;
}

#endif /* _ALTCONN_TASK_INFO_H */
