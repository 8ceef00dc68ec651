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
 * altconn_task_info_current() - record the calling process
 *
 * Context: process.
 * Return: the process; the caller puts the reference to its pid.
 */
static inline struct altconn_task_info altconn_task_info_current(void)
{
	struct altconn_task_info task = {
		.pid = get_pid(task_tgid(current)),
		.uid = current_uid(),
		.gid = current_gid(),
	};

	/*
	 * The name is read without a lock, as tracepoints do. If it changes
	 * meanwhile, the copy may be a mix of the old and the new name.
	 */
	memcpy(task.comm, current->group_leader->comm, sizeof(task.comm));
	return task;
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
