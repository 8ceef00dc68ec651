/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SCM_H
#define _ALTCONN_SCM_H

#include "altconn.h"

struct scm_parcel;

/**
 * struct altconn_cred - who sent something
 * @pid: a reference, or NULL: nobody says
 * @uid: 0 then, and without meaning
 * @gid: likewise
 */
struct altconn_cred {
	struct pid	*pid;
	kuid_t		uid;
	kgid_t		gid;
};

/**
 * struct altconn_scm - what goes with data
 * @cred: credentials
 * @parcel: descriptors, or NULL
 * @stamp: when it was queued, or 0: nobody wanted to know
 *
 * All zero: nothing does.
 */
struct altconn_scm {
	struct altconn_cred	cred;
	struct scm_parcel	*parcel;
	ktime_t			stamp;
};

/**
 * struct altconn_rx - one recvmsg() of connected data
 * @scm: what came with it
 * @skip: where a peek begins (SO_PEEK_OFF), bytes
 * @seeks: it has such an offset, be it 0
 * @passcred: it wants credentials: those of another do not go with it
 * @began: it has data, or a record, which may be empty
 * @stop: it gets no more: descriptors came
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
void altconn_put_stamp(struct msghdr *msg, const struct sock *sk,
		       ktime_t stamp);
void altconn_scm_recv(struct msghdr *msg, struct altconn_scm *scm,
		      bool passcred);
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from);

static inline void altconn_scm_cred_put(struct altconn_cred *cred)
{
	put_pid(cred->pid);
	cred->pid = NULL;
}

static inline struct altconn_cred
altconn_scm_cred_get(const struct altconn_cred *cred)
{
	get_pid(cred->pid);
	return *cred;
}

static inline bool altconn_scm_cred_equal(const struct altconn_cred *a,
					  const struct altconn_cred *b)
{
	return a->pid == b->pid && uid_eq(a->uid, b->uid) &&
	       gid_eq(a->gid, b->gid);
}

#endif /* _ALTCONN_SCM_H */
