/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process that called connect(), listen() or accept(), as it was then.
 */
#ifndef _ALTCONN_TASK_INFO_H
#define _ALTCONN_TASK_INFO_H

#include "altconn.h"

/**
 * struct altconn_who - a process that did something, as it was then
 * @pid: a reference, or NULL: nobody did
 * @uid: its user, else INVALID_UID
 * @gid: its group, else INVALID_GID
 * @comm: what it ran
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
 * altconn_who_am_i() - the calling process
 *
 * Context: process.
 * Return: with a reference to its pid, which the caller puts.
 */
static inline struct altconn_who altconn_who_am_i(void)
{
	struct altconn_who who = {
		.pid = get_pid(task_tgid(current)),
		.uid = current_uid(),
		.gid = current_gid(),
	};

	/* As tracepoints take it: a name that changes meanwhile may be mixed. */
	memcpy(who.comm, current->group_leader->comm, sizeof(who.comm));
	return who;
}

/**
 * altconn_who_get() - one more reference
 * @who: a process, or nobody
 *
 * Return: the same.
 */
static inline struct altconn_who altconn_who_get(const struct altconn_who *who)
{
	get_pid(who->pid);
	return *who;
}

#endif /* _ALTCONN_TASK_INFO_H */
