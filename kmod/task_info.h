/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct altconn_who describes a process that called connect(), listen() or
 * accept(), as it was at that time.
 */
#ifndef _ALTCONN_TASK_INFO_H
#define _ALTCONN_TASK_INFO_H

#include "altconn.h"

/**
 * struct altconn_who - a process, as it was when it made a call
 * @pid: the process, a reference; NULL: there was no process
 * @uid: user of the process, or INVALID_UID
 * @gid: group of the process, or INVALID_GID
 * @comm: command name of the process
 */
struct altconn_who {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
	char		comm[TASK_COMM_LEN];
};

#define ALTCONN_NOBODY	\
	((struct altconn_who) { .uid = INVALID_UID, .gid = INVALID_GID })

/**
 * altconn_who_am_i() - record the calling process
 *
 * Context: process.
 * Return: the process; the caller puts the reference to its pid.
 */
static inline struct altconn_who altconn_who_am_i(void)
{
	struct altconn_who who = {
		.pid = get_pid(task_tgid(current)),
		.uid = current_uid(),
		.gid = current_gid(),
	};

	/*
	 * The name is read without a lock, as tracepoints do. If it changes
	 * meanwhile, the copy may be a mix of the old and the new name.
	 */
	memcpy(who.comm, current->group_leader->comm, sizeof(who.comm));
	return who;
}

/**
 * altconn_who_get() - take one more reference to the pid of a process
 * @who: the process, or ALTCONN_NOBODY
 *
 * Context: any.
 * Return: a copy of @who; the caller puts the reference to its pid.
 */
static inline struct altconn_who altconn_who_get(const struct altconn_who *who)
{
	get_pid(who->pid);
	return *who;
}

#endif /* _ALTCONN_TASK_INFO_H */
