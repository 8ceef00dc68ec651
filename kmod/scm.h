/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SCM_H
#define _ALTCONN_SCM_H

#include "altconn.h"

struct scm_parcel;

/**
 * struct altconn_cred - credentials of a sender
 * @pid: the sender's process, a reference; NULL if there are no credentials
 * @uid: the sender's uid; 0 if @pid is NULL
 * @gid: the sender's gid; 0 if @pid is NULL
 */
struct altconn_cred {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
};

/**
 * struct altconn_scm - ancillary data: credentials, descriptors and timestamp
 * @cred: credentials of the sender; owns a reference
 * @parcel: the descriptors, a reference, or NULL
 * @stamp: when the data was queued, or 0 if the receiver had not asked for
 *	timestamps (SO_TIMESTAMP) by that time
 *
 * All members are zero if there is no ancillary data.
 */
struct altconn_scm {
	struct altconn_cred	cred;
	struct scm_parcel	*parcel;
	ktime_t			stamp;
};

/**
 * struct altconn_rx - state of one recvmsg() on a stream or seqpacket socket
 * @scm: ancillary data that has been received and not yet passed to user space
 * @skip: the offset at which a peek begins (SO_PEEK_OFF), else 0
 * @seeks: the call is a peek, and SO_PEEK_OFF is set, be it to 0
 * @passcred: the receiver has set SO_PASSCRED, so all data that the call
 *	returns must have the same credentials
 * @began: the call has read bytes, or a record, which may be empty, or with a
 *	buffer of 0 bytes the ancillary data of the next byte
 * @stop: the call has received descriptors and must read no more data
 * @eor: the sender of the record has set MSG_EOR
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
void altconn_scm_add_own_cred(struct altconn_scm *scm);
int altconn_scm_parse_cmsgs(const struct sock *sk, struct msghdr *msg,
			    struct altconn_scm *scm);
void altconn_scm_put_stamp(struct msghdr *msg, const struct sock *sk,
			   ktime_t stamp);
void altconn_scm_recv(struct msghdr *msg, struct altconn_scm *scm,
		      bool passcred);
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from);

/**
 * altconn_scm_cred_put() - drop the reference of credentials
 * @cred: the credentials, which may be empty; @pid is NULL afterwards
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
