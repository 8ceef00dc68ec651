/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SCM_H
#define _ALTCONN_SCM_H

#include "altconn.h"

struct scm_parcel;

/**
 * struct altconn_cred - credentials of a sender
 * @pid: the sender's process, a reference; NULL if there are no credentials
 * @uid: the sender's uid; 0 and without meaning if @pid is NULL
 * @gid: the sender's gid; 0 and without meaning if @pid is NULL
 */
struct altconn_cred {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
};

/**
 * struct altconn_scm - credentials, descriptors and time that go with data
 * @cred: credentials of the sender
 * @parcel: descriptors, a reference, or NULL
 * @stamp: when the data was queued, or 0 if the receiver did not ask for
 *	timestamps then
 *
 * If all members are zero, nothing goes with the data.
 */
struct altconn_scm {
	struct altconn_cred	cred;
	struct scm_parcel	*parcel;
	ktime_t			stamp;
};

/**
 * struct altconn_rx - state of one recvmsg() of connected data
 * @scm: credentials, descriptors and time of the data
 * @skip: the offset in bytes at which a peek begins (SO_PEEK_OFF)
 * @seeks: the call peeks with SO_PEEK_OFF set, be it to 0
 * @passcred: the receiver asks for credentials (SO_PASSCRED), so data with
 *	other credentials must not be returned by the same call
 * @began: the call has read bytes, or a record, which may be empty
 * @stop: the call has read descriptors and must read no more data
 * @eor: the sender has marked the record with MSG_EOR
 */
struct altconn_rx {
	struct altconn_scm	scm;
	u32			skip;
	bool			seeks;
	bool			passcred;
	bool			began;
	bool			stop;
	bool			eor;
};

struct scm_parcel *altconn_scm_parcel_get(struct scm_parcel *parcel);
void altconn_scm_destroy(struct altconn_scm *scm);
void altconn_scm_fill(struct altconn_scm *scm);
int altconn_scm_send(const struct sock *sk, struct msghdr *msg,
		     struct altconn_scm *scm);
void altconn_scm_put_stamp(struct msghdr *msg, const struct sock *sk,
			   ktime_t stamp);
void altconn_scm_recv(struct msghdr *msg, struct altconn_scm *scm,
		      bool passcred);
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from);

/**
 * altconn_scm_cred_put() - drop credentials
 * @cred: the credentials; empty afterwards
 *
 * Context: any.
 */
static inline void altconn_scm_cred_put(struct altconn_cred *cred)
{
	put_pid(cred->pid);
	cred->pid = NULL;
}

/**
 * altconn_scm_cred_get() - copy credentials
 * @cred: the credentials, which may be empty
 *
 * Context: any.
 * Return: the copy, with a reference of its own, which the caller drops with
 * altconn_scm_cred_put().
 */
static inline struct altconn_cred
altconn_scm_cred_get(const struct altconn_cred *cred)
{
	get_pid(cred->pid);
	return *cred;
}

/**
 * altconn_scm_cred_equal() - compare credentials
 * @a: credentials
 * @b: other credentials
 *
 * Context: any.
 * Return: true if process, uid and gid are the same, else false.
 */
static inline bool altconn_scm_cred_equal(const struct altconn_cred *a,
					  const struct altconn_cred *b)
{
	return a->pid == b->pid && uid_eq(a->uid, b->uid) &&
	       gid_eq(a->gid, b->gid);
}

#endif /* _ALTCONN_SCM_H */
