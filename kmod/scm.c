// SPDX-License-Identifier: GPL-2.0
/*
 * Ancillary data: credentials, descriptors and timestamps.
 *
 * A socket must not be able to carry a descriptor of itself, or of a socket
 * that carries a descriptor of it, because such a cycle would need a garbage
 * collector. So an allow-list says which descriptors may be sent: regular
 * files, directories, pipes, some character devices, and sockets of families
 * that carry no descriptors.
 *
 * Dropping the last reference to a file closes it. The user that opened the
 * file can choose one whose close takes long or sleeps. So when a parcel of
 * descriptors is discarded, each reference to a file is treated as follows:
 *
 *   it is not the last one                it is dropped
 *   it is the last one, and the user of   it is dropped, so the process closes
 *   the current process opened the file   the file
 *   it is the last one, and another user  a job of that user's payer (payer.c)
 *   opened the file                       closes the file
 *
 * For a kernel thread every user is another user.
 */

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/miscdevice.h>
#include <linux/pid_namespace.h>
#include <linux/sched/user.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <net/scm.h>
#include "payer.h"
#include "scm.h"
#include "sock.h"

static void scm_parcel_close(struct altconn_job *job);

/**
 * struct scm_parcel - descriptors in flight
 * @refs: references
 * @count: number of descriptors
 * @uid: the user that sent the descriptors, and that is charged for them
 * @payer: the payer of the process that sent the descriptors
 * @closer: the payer that @job is queued to: that of the user that opened the
 *	first of @files
 * @job: closes the files that the user of @closer opened; while it is queued or
 *	runs, it holds a reference to the module
 * @files: the open files, a reference to each
 *
 * Lifetime: each datagram, boundary in a ring, and recvmsg() that receives the
 * descriptors has a reference. When the last one is dropped, scm_parcel_put()
 * frees the parcel, or queues @job if files are left that other users opened.
 * From then on the job owns the parcel and its files.
 */
struct scm_parcel {
	refcount_t		refs;
	unsigned int		count;
	kuid_t			uid;
	struct altconn_payer	*payer;
	struct altconn_payer	*closer;
	struct altconn_job	job;
	struct file		*files[];
};

/**
 * struct scm_inflight - number of descriptors that a user has in flight
 * @node: link in scm_inflight_table
 * @uid: the user
 * @count: number of descriptors
 *
 * Lifetime: an entry is in the table while @count is not 0. scm_inflight_lock
 * protects all members.
 */
struct scm_inflight {
	struct hlist_node	node;
	kuid_t			uid;
	unsigned long		count;
};

static DEFINE_HASHTABLE(scm_inflight_table, 8);

static DEFINE_SPINLOCK(scm_inflight_lock);

/*
 * The hash has a secret key, so that no user can choose uids of a user
 * namespace that all have the same hash.
 */
static u32 scm_inflight_key(kuid_t uid)
{
	static siphash_key_t secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return siphash_1u32(__kuid_val(uid), &secret);
}

static struct scm_inflight *scm_inflight_find(kuid_t uid)
{
	struct scm_inflight *user;

	lockdep_assert_held(&scm_inflight_lock);
	hash_for_each_possible(scm_inflight_table, user, node,
			       scm_inflight_key(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/*
 * Charge the descriptors of @parcel to its user, unless the user has more than
 * @limit descriptors in flight already. If the user has no entry, *@spare
 * becomes the entry, and is set to NULL. Return whether the descriptors are
 * charged.
 */
static bool scm_inflight_try_add(const struct scm_parcel *parcel,
				 unsigned long limit,
				 struct scm_inflight **spare)
{
	struct scm_inflight *user;
	bool fits;

	spin_lock(&scm_inflight_lock);
	user = scm_inflight_find(parcel->uid);
	if (!user) {
		user = *spare;
		*spare = NULL;
		user->uid = parcel->uid;
		hash_add(scm_inflight_table, &user->node,
			 scm_inflight_key(user->uid));
	}
	fits = user->count <= limit;
	if (fits)
		user->count += parcel->count;
	spin_unlock(&scm_inflight_lock);
	return fits;
}

/*
 * Charge the descriptors of @parcel to its user. As with AF_UNIX, a user with
 * more than RLIMIT_NOFILE descriptors in flight may send no further ones,
 * except with CAP_SYS_RESOURCE or CAP_SYS_ADMIN. Return 0, -ENOMEM or
 * -ETOOMANYREFS.
 */
static int scm_inflight_add(const struct scm_parcel *parcel)
{
	struct scm_inflight *spare =
		kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	bool fits;

	if (!spare)
		return -ENOMEM;
	fits = scm_inflight_try_add(parcel, rlimit(RLIMIT_NOFILE), &spare) ||
	       ((capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN)) &&
		scm_inflight_try_add(parcel, ULONG_MAX, &spare));
	kfree(spare);
	return fits ? 0 : -ETOOMANYREFS;
}

/*
 * Uncharge @n of the parcel's descriptors. Free the user's entry if none are
 * left in flight.
 */
static void scm_inflight_sub(const struct scm_parcel *parcel, unsigned int n)
{
	struct scm_inflight *user;

	if (!n)
		return;
	spin_lock(&scm_inflight_lock);
	user = scm_inflight_find(parcel->uid);
	user->count -= n;
	if (user->count)
		user = NULL;
	else
		hash_del(&user->node);
	spin_unlock(&scm_inflight_lock);
	kfree(user);
}

/*
 * Free the parcel of a sendmsg() that has failed, before it was charged. The
 * current process had the files open, so it drops all references, even the last
 * ones. @parcel may be NULL.
 */
static void scm_parcel_free(struct scm_parcel *parcel)
{
	unsigned int i;

	if (!parcel)
		return;
	for (i = 0; i < parcel->count; i++)
		fput(parcel->files[i]);
	kfree(parcel);
}

/*
 * Turn SO_LINGER off before a close, unless its time is 0. Otherwise the close
 * would sleep for as long as the sender has chosen. With a time of 0 the close
 * resets the connection and does not sleep. The core also ignores SO_LINGER
 * when a process exits.
 */
static void scm_clear_linger(struct file *file)
{
	struct socket *sock = sock_from_file(file);

	if (!sock || !sock->sk)
		return;
	lock_sock(sock->sk);
	if (sock->sk->sk_lingertime)
		sock_reset_flag(sock->sk, SOCK_LINGER);
	release_sock(sock->sk);
}

/*
 * Return the payer of the user that opened the file, which need not be the user
 * that sent it. If there is no memory for that payer, return the sender's.
 */
static struct altconn_payer *scm_file_payer(const struct scm_parcel *parcel,
					    const struct file *file)
{
	u64 key = altconn_payer_key(file->f_cred);

	return altconn_payer_get(ALTCONN_PAYER_RELEASE, key) ? : parcel->payer;
}

/* Allocate an empty parcel with space for @max descriptors. */
static struct scm_parcel *scm_parcel_alloc(unsigned int max, kuid_t uid,
					   struct altconn_payer *payer)
{
	struct scm_parcel *parcel;

	parcel = kzalloc(struct_size(parcel, files, max), GFP_KERNEL_ACCOUNT);
	if (!parcel)
		return NULL;
	refcount_set(&parcel->refs, 1);
	parcel->uid = uid;
	parcel->payer = payer;
	altconn_job_init(&parcel->job, scm_parcel_close);
	return parcel;
}

/*
 * Queue the job of a parcel that has no references. The caller has a reference
 * to the module, which moves to the job.
 */
static void scm_parcel_queue(struct scm_parcel *parcel)
{
	parcel->closer = scm_file_payer(parcel, parcel->files[0]);
	altconn_payer_queue(parcel->closer, &parcel->job);
}

/*
 * Move the files that other users opened to a second parcel, and queue that
 * one, so that these files are closed independently of this payer's budget.
 * Without memory for a second parcel, the files stay, and scm_parcel_close()
 * queues them again afterwards.
 */
static void scm_parcel_split(struct scm_parcel *parcel)
{
	struct scm_parcel *rest;
	unsigned int i = 0, n = 0;

	while (i < parcel->count &&
	       scm_file_payer(parcel, parcel->files[i]) == parcel->closer)
		i++;
	if (i == parcel->count)
		return;
	rest = scm_parcel_alloc(parcel->count, parcel->uid, parcel->payer);
	if (!rest)
		return;
	for (i = 0; i < parcel->count; i++) {
		struct file *file = parcel->files[i];

		if (scm_file_payer(parcel, file) == parcel->closer)
			parcel->files[n++] = file;
		else
			rest->files[rest->count++] = file;
	}
	parcel->count = n;
	if (!rest->count) {
		kfree(rest);
		return;
	}
	__module_get(THIS_MODULE);
	scm_parcel_queue(rest);
}

/*
 * The job of a parcel: close the files that the user of parcel->closer opened.
 * If other files are left, queue the job again, for the user of the first one.
 */
static void scm_parcel_close(struct altconn_job *job)
{
	struct scm_parcel *parcel = container_of(job, struct scm_parcel, job);
	unsigned int i, n = 0;

	scm_parcel_split(parcel);
	for (i = 0; i < parcel->count; i++) {
		struct file *file = parcel->files[i];

		if (scm_file_payer(parcel, file) != parcel->closer) {
			parcel->files[n++] = file;
			continue;
		}
		if (!compat_fput_unless_last(file)) {
			scm_clear_linger(file);
			__fput_sync(file);
		}
		scm_inflight_sub(parcel, 1);
	}
	parcel->count = n;
	if (n) {
		scm_parcel_queue(parcel);
		return;
	}
	kfree(parcel);
	/*
	 * The code of the module stays until this job has returned, because
	 * altconn_payer_exit() waits for the work that runs the job.
	 */
	module_put(THIS_MODULE);
}

/*
 * Return whether the user of the current process opened the file. A kernel
 * thread has no user.
 */
static bool scm_file_is_own(const struct file *file)
{
	return !(current->flags & PF_KTHREAD) &&
	       altconn_payer_key(file->f_cred) ==
	       altconn_payer_key(current_cred());
}

/*
 * Drop and uncharge the references that the current process may drop: those
 * that are not the last ones, and those to files that its user opened. The
 * other files stay in the parcel.
 */
static void scm_parcel_drop(struct scm_parcel *parcel)
{
	unsigned int i, n = 0;

	for (i = 0; i < parcel->count; i++) {
		struct file *file = parcel->files[i];

		if (compat_fput_unless_last(file))
			continue;
		if (scm_file_is_own(file))
			fput(file);
		else
			parcel->files[n++] = file;
	}
	scm_inflight_sub(parcel, parcel->count - n);
	parcel->count = n;
}

/**
 * altconn_scm_parcel_get() - take a reference to a parcel
 * @parcel: the parcel, which another reference keeps alive, or NULL
 *
 * Context: any.
 * Return: @parcel.
 */
struct scm_parcel *altconn_scm_parcel_get(struct scm_parcel *parcel)
{
	if (parcel)
		refcount_inc(&parcel->refs);
	return parcel;
}

/*
 * Drop a reference to a parcel. With the last one, drop the files that the
 * current process may drop, and let a payer close the others. These stay
 * charged until the payer has closed them, so their number is bounded.
 */
static void scm_parcel_put(struct scm_parcel *parcel)
{
	if (!parcel || !refcount_dec_and_test(&parcel->refs))
		return;
	scm_parcel_drop(parcel);
	if (!parcel->count) {
		kfree(parcel);
		return;
	}
	__module_get(THIS_MODULE);
	scm_parcel_queue(parcel);
}

/**
 * altconn_scm_destroy() - drop the references of ancillary data
 * @scm: the ancillary data; zeroed
 *
 * Context: process, may sleep.
 */
void altconn_scm_destroy(struct altconn_scm *scm)
{
	altconn_scm_cred_put(&scm->cred);
	scm_parcel_put(scm->parcel);
	memset(scm, 0, sizeof(*scm));
}

/**
 * altconn_scm_add_own_cred() - store the current process's credentials
 * @scm: gets the credentials; unchanged if it has credentials already
 *
 * Context: process.
 */
void altconn_scm_add_own_cred(struct altconn_scm *scm)
{
	if (scm->cred.pid)
		return;
	scm->cred.pid = get_pid(task_tgid(current));
	scm->cred.uid = current_uid();
	scm->cred.gid = current_gid();
}

/*
 * Return whether the current process may send these credentials, by the rules
 * of unix(7). @uid and @gid are those of @claim.
 */
static bool scm_may_send_cred(const struct ucred *claim, kuid_t uid, kgid_t gid)
{
	const struct cred *cred = current_cred();

	return (claim->pid == task_tgid_vnr(current) ||
		ns_capable(task_active_pid_ns(current)->user_ns,
			   CAP_SYS_ADMIN)) &&
	       (uid_eq(uid, cred->uid) || uid_eq(uid, cred->euid) ||
		uid_eq(uid, cred->suid) ||
		ns_capable(cred->user_ns, CAP_SETUID)) &&
	       (gid_eq(gid, cred->gid) || gid_eq(gid, cred->egid) ||
		gid_eq(gid, cred->sgid) ||
		ns_capable(cred->user_ns, CAP_SETGID));
}

/* Store the credentials of an SCM_CREDENTIALS message. Return 0 or an errno. */
static int scm_parse_cred(const struct cmsghdr *cmsg, struct altconn_scm *scm)
{
	struct ucred claim;
	struct pid *pid;
	kuid_t uid;
	kgid_t gid;

	if (cmsg->cmsg_len != CMSG_LEN(sizeof(claim)))
		return -EINVAL;
	memcpy(&claim, CMSG_DATA(cmsg), sizeof(claim));
	uid = make_kuid(current_user_ns(), claim.uid);
	gid = make_kgid(current_user_ns(), claim.gid);
	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	if (!scm_may_send_cred(&claim, uid, gid))
		return -EPERM;
	pid = find_get_pid(claim.pid);
	if (!pid)
		return -ESRCH;
	altconn_scm_cred_put(&scm->cred);
	scm->cred = (struct altconn_cred) {
		.pid = pid, .uid = uid, .gid = gid,
	};
	return 0;
}

/*
 * Return whether a descriptor of this character device may be sent.
 *
 * Some drivers keep a reference to other files while a file of theirs is open.
 * If such a file kept a socket, and a descriptor of the file travelled over
 * that socket, each would keep the other for ever. Binder keeps files in its
 * transactions, vhost, VFIO and KVM keep sockets and eventfds, and DRM keeps
 * DMA buffers. The drivers below keep no files, except that a terminal may keep
 * another terminal's file (TIOCCONS).
 */
static bool scm_may_send_device(dev_t dev)
{
	switch (MAJOR(dev)) {
	case MEM_MAJOR:
		switch (MINOR(dev)) {
		case 3:		/* null */
		case 5:		/* zero */
		case 7:		/* full */
		case 8:		/* random */
		case 9:		/* urandom */
			return true;
		default:
			return false;
		}
	case TTY_MAJOR:		/* tty1, ttyS0 */
	case TTYAUX_MAJOR:	/* tty, console, ptmx */
	case UNIX98_PTY_MASTER_MAJOR ...
	     UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT - 1:
	case INPUT_MAJOR:	/* input/event0, input/mice */
		return true;
	case MISC_MAJOR:
		return MINOR(dev) == TUN_MINOR;
	default:
		return false;
	}
}

/* Return whether a descriptor of the file is in the allow-list. */
static bool scm_may_send_file(struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct socket *sock;

	/* An O_PATH descriptor keeps a path, and never an open socket. */
	if (file->f_mode & FMODE_PATH)
		return true;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		/*
		 * In newer kernels the files of io_uring and similar interfaces
		 * are regular files of anon_inodefs.
		 */
		return inode->i_sb->s_magic != ANON_INODE_FS_MAGIC;
	case S_IFDIR:
	case S_IFIFO:
		return true;
	case S_IFCHR:
		return scm_may_send_device(inode->i_rdev);
	case S_IFSOCK:
		sock = sock_from_file(file);
		return sock && sock->ops->family != PF_UNIX &&
		       sock->ops->family != PF_ALTCONN;
	default:
		/*
		 * Block devices are among these: nbd keeps sockets, and another
		 * block device may lie above nbd.
		 */
		return false;
	}
}

/*
 * Allocate an empty parcel with space for @max descriptors that the current
 * process sends.
 */
static struct scm_parcel *scm_parcel_new(unsigned int max)
{
	u64 key = altconn_payer_key(current_cred());
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_RELEASE, key);
	return payer ? scm_parcel_alloc(max, current_user()->uid, payer) : NULL;
}

/*
 * Add the files of an SCM_RIGHTS message to *@place, a parcel that is allocated
 * if *@place is NULL. All such messages of the sendmsg() together have at most
 * @most descriptors. After an error, *@place has the files added so far. Return
 * 0 or an errno.
 */
static int scm_parse_fds(const struct cmsghdr *cmsg, size_t most,
			 struct scm_parcel **place)
{
	const int *fds = (const int *)CMSG_DATA(cmsg);
	int n = (cmsg->cmsg_len - sizeof(*cmsg)) / sizeof(int), i;
	struct scm_parcel *parcel = *place;

	if (!n)
		return 0;
	if (n > SCM_MAX_FD)
		return -EINVAL;
	if (!parcel)
		parcel = *place = scm_parcel_new(min_t(size_t, most,
						       SCM_MAX_FD));
	if (!parcel)
		return -ENOMEM;
	if (parcel->count + n > SCM_MAX_FD)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		struct file *file = fds[i] < 0 ? NULL : fget_raw(fds[i]);

		if (!file)
			return -EBADF;
		/* The parcel owns the reference, even if this call fails. */
		parcel->files[parcel->count++] = file;
		if (!scm_may_send_file(file))
			return -EOPNOTSUPP;
	}
	return 0;
}

/*
 * Parse the control messages into scm->cred and *@parcel. The caller drops both
 * after an error. Return 0 or an errno.
 */
static int scm_parse(const struct sock *sk, struct msghdr *msg,
		     struct altconn_scm *scm, struct scm_parcel **parcel)
{
	struct cmsghdr *cmsg;
	int err = 0;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_SOCKET) {
			/*
			 * AF_UNIX ignores control messages of other levels, and
			 * so does the sockaddr_un format.
			 */
			if (altconn_sk(sk)->format == ALTCONN_UNIX)
				continue;
			return -EOPNOTSUPP;
		}
		if (cmsg->cmsg_type == SCM_RIGHTS)
			err = scm_parse_fds(cmsg,
					    msg->msg_controllen / sizeof(int),
					    parcel);
		else if (cmsg->cmsg_type == SCM_CREDENTIALS)
			err = scm_parse_cred(cmsg, scm);
		else
			err = -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

/**
 * altconn_scm_parse_cmsgs() - parse the control messages of a sendmsg()
 * @sk: the endpoint
 * @msg: the message with its control messages
 * @scm: zeroed; gets the credentials and descriptors
 *
 * Context: process, may sleep.
 * Return: 0, and the caller passes @scm to altconn_scm_destroy() later. After
 * an error @scm is zeroed: -EINVAL if a control message is malformed or of an
 * unknown type, a uid or gid is not mapped, or there are more than SCM_MAX_FD
 * descriptors; -EPERM if the process may not send these credentials; -ESRCH if
 * no process has this pid; -EBADF if a descriptor is not open; -EOPNOTSUPP if a
 * descriptor may not be sent, or, except in the sockaddr_un format, a control
 * message has another level than SOL_SOCKET; -ETOOMANYREFS if the user has too
 * many descriptors in flight; -ENOMEM.
 */
int altconn_scm_parse_cmsgs(const struct sock *sk, struct msghdr *msg,
			    struct altconn_scm *scm)
{
	struct scm_parcel *parcel = NULL;
	int err = scm_parse(sk, msg, scm, &parcel);

	if (!err && parcel)
		err = scm_inflight_add(parcel);
	if (!err) {
		scm->parcel = parcel;
		return 0;
	}
	scm_parcel_free(parcel);
	altconn_scm_destroy(scm);
	return err;
}

/**
 * altconn_scm_put_stamp() - add a SO_TIMESTAMP or SO_TIMESTAMPNS message
 * @msg: gets the control message
 * @sk: the endpoint; its options select the form of the message
 * @stamp: when the data was queued, or 0 if this time was not stored: the
 *	current time is used
 *
 * Context: process, may sleep.
 */
void altconn_scm_put_stamp(struct msghdr *msg, const struct sock *sk,
			   ktime_t stamp)
{
	struct timespec64 ts = ktime_to_timespec64(stamp ? : ktime_get_real());
	bool ns = sock_flag(sk, SOCK_RCVTSTAMPNS);

	if (sock_flag(sk, SOCK_TSTAMP_NEW)) {
		s64 pair[2] = { ts.tv_sec,
				ns ? ts.tv_nsec : ts.tv_nsec / NSEC_PER_USEC };

		put_cmsg(msg, SOL_SOCKET,
			 ns ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMP_NEW,
			 sizeof(pair), pair);
	} else {
		long pair[2] = { ts.tv_sec,
				 ns ? ts.tv_nsec : ts.tv_nsec / NSEC_PER_USEC };

		put_cmsg(msg, SOL_SOCKET,
			 ns ? SO_TIMESTAMPNS_OLD : SO_TIMESTAMP_OLD,
			 sizeof(pair), pair);
	}
}

/*
 * Install the descriptors of a parcel in the current process. scm_detach_fds()
 * consumes one reference to each file. So it gets references of its own, and
 * the parcel keeps its references until scm_parcel_put().
 */
static void scm_parcel_install(struct msghdr *msg,
			       const struct scm_parcel *parcel)
{
	size_t size = offsetof(struct scm_fp_list, fp) +
		      parcel->count * sizeof(struct file *);
	struct scm_cookie cookie = {};
	struct scm_fp_list *fp;

	/*
	 * A failed allocation would lose the descriptors. The list has at most
	 * SCM_MAX_FD pointers.
	 */
	fp = kzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	fp->max = parcel->count;
	for (; fp->count < parcel->count; fp->count++)
		fp->fp[fp->count] = get_file(parcel->files[fp->count]);
	cookie.fp = fp;
	scm_detach_fds(msg, &cookie, false);
}

/**
 * altconn_scm_recv() - pass ancillary data to user space in a recvmsg()
 * @msg: gets the control messages
 * @scm: the credentials and descriptors; dropped, and zeroed
 * @passcred: pass the credentials (SO_PASSCRED). On a stream or seqpacket
 *	socket this is rx->passcred, by which the data was read
 *
 * MSG_CTRUNC is set if the buffer for control messages is too small. Without
 * credentials, pid 0 and the overflow ids are passed.
 *
 * Context: process, may sleep.
 */
void altconn_scm_recv(struct msghdr *msg, struct altconn_scm *scm,
		      bool passcred)
{
	if (!msg->msg_control && (passcred || scm->parcel))
		msg->msg_flags |= MSG_CTRUNC;
	if (msg->msg_control && passcred) {
		struct user_namespace *ns = current_user_ns();
		const struct altconn_cred *cred = &scm->cred;
		struct ucred uc = {
			.pid = pid_vnr(cred->pid),
			.uid = from_kuid_munged(ns, cred->pid ? cred->uid :
								INVALID_UID),
			.gid = from_kgid_munged(ns, cred->pid ? cred->gid :
								INVALID_GID),
		};

		put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, sizeof(uc), &uc);
	}
	if (msg->msg_control && scm->parcel)
		scm_parcel_install(msg, scm->parcel);
	altconn_scm_destroy(scm);
}

/**
 * altconn_scm_copy() - copy the ancillary data of a datagram
 * @to: overwritten; gets references of its own, and no timestamp
 * @from: the ancillary data
 *
 * Context: process.
 */
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from)
{
	to->cred = altconn_scm_cred_get(&from->cred);
	to->parcel = altconn_scm_parcel_get(from->parcel);
	to->stamp = 0;
}
