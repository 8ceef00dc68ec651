// SPDX-License-Identifier: GPL-2.0
/*
 * Credentials, timestamps and descriptors go with data.
 *
 * An allow-list says which descriptors may be sent, so that no socket can
 * travel over itself, or over another socket that travels over it. So there are
 * no cycles and no garbage to collect. The list has regular files, directories,
 * pipes, some character devices, and sockets of families that carry no
 * descriptors.
 *
 * Closing a file by dropping the last reference to it may take long or sleep,
 * as the user that opened the file likes. A process that discards descriptors
 * closes the files that its own user opened. Other files, of which it drops the
 * last reference, go to a queue of the user that opened them (payer.c).
 * Everything that a kernel thread discards goes there too.
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
 * @uid: the user that sent the descriptors and is charged for them
 * @payer: the payer of that user
 * @closer: the payer that has @job in its queue: that of the user that opened
 *	the first of @files
 * @job: closes the files that the user of @closer opened; pins the module
 * @files: a reference to each file
 *
 * Lifetime: a message, or a boundary in a ring, has a reference. Each copy of a
 * broadcast has one too, and so has a recvmsg() while it peeks at a message or
 * receives it. The last scm_parcel_put() drops the files and frees the parcel,
 * or lets @job do so, which may split the parcel. A queued parcel has one
 * reference to each file, and no references to itself.
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
 * struct scm_inflight - count of a user's descriptors that are not received yet
 * @node: in scm_inflight_table
 * @uid: the user
 * @count: number of descriptors
 *
 * Lifetime: in the table while @count is not 0. All is protected by
 * scm_inflight_lock.
 */
struct scm_inflight {
	struct hlist_node	node;
	kuid_t			uid;
	unsigned long		count;
};

static DEFINE_HASHTABLE(scm_inflight_table, 8);

static DEFINE_SPINLOCK(scm_inflight_lock);

/*
 * The hash has a secret key, so that no user can choose subordinate uids that
 * all fall into one chain.
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
 * Count the descriptors of @parcel, unless its user has more than @limit in
 * flight. A user without an entry gets @spare. Return whether they were
 * counted.
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
 * Charge the descriptors to the sender, as AF_UNIX does: a user may have as
 * many in flight as a process may have open files. CAP_SYS_RESOURCE and
 * CAP_SYS_ADMIN lift the limit.
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

/* Uncharge @n of the parcel's descriptors. */
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
 * Free a parcel that is not charged. The current process drops the files, even
 * when it has the last references to them.
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
 * Turn SO_LINGER off, so that the close does not sleep for as long as the
 * sender has chosen. The core ignores SO_LINGER too when a process exits. A
 * time of 0 stays: the close then resets the connection and waits for nothing.
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
 * Return the payer of the user that opened the file, since the sender may have
 * passed on files that other users opened. Without memory for that payer,
 * return the sender's.
 */
static struct altconn_payer *scm_file_payer(const struct scm_parcel *parcel,
					    const struct file *file)
{
	u64 key = altconn_payer_key(file->f_cred);

	return altconn_payer_get(ALTCONN_PAYER_RELEASE, key) ? : parcel->payer;
}

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

static void scm_parcel_queue(struct scm_parcel *parcel)
{
	parcel->closer = scm_file_payer(parcel, parcel->files[0]);
	altconn_payer_queue(parcel->closer, &parcel->job);
}

/*
 * Move files of other users to a parcel of their own, so that they need not
 * wait for files of this payer's user. Without memory for that parcel they
 * wait.
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
 * Close the files of a parcel that the payer's user opened. This is the payer's
 * job, and the parcel has no references any more.
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
	 * altconn_payer_exit() flushes the work that runs this job, so the code
	 * stays until the job returns.
	 */
	module_put(THIS_MODULE);
}

/*
 * Return whether the user of the current process opened the file. A kernel
 * thread has no files of its own.
 */
static bool scm_file_is_own(const struct file *file)
{
	return !(current->flags & PF_KTHREAD) &&
	       altconn_payer_key(file->f_cred) ==
	       altconn_payer_key(current_cred());
}

/*
 * Drop the references that need no payer: references that are not the last
 * ones, and references to files that the user of the current process opened.
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
 * @parcel: the parcel, or NULL
 *
 * Context: any; the caller makes sure that another reference stays.
 * Return: @parcel.
 */
struct scm_parcel *altconn_scm_parcel_get(struct scm_parcel *parcel)
{
	if (parcel)
		refcount_inc(&parcel->refs);
	return parcel;
}

/*
 * Drop a reference to a parcel. Descriptors that are left to a payer count as
 * in flight until the payer has closed them, which bounds their number.
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
 * altconn_scm_destroy() - drop what goes with a message
 * @scm: credentials and descriptors of the message; zeroed
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
 * altconn_scm_fill() - attach the caller's credentials to a message
 * @scm: credentials and descriptors of the message; unchanged if it has
 *	credentials already
 *
 * Context: process.
 */
void altconn_scm_fill(struct altconn_scm *scm)
{
	if (scm->cred.pid)
		return;
	scm->cred.pid = get_pid(task_tgid(current));
	scm->cred.uid = current_uid();
	scm->cred.gid = current_gid();
}

/*
 * Return whether the caller may send these credentials, by the rules of
 * unix(7).
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
	scm->cred = (struct altconn_cred) { .pid = pid, .uid = uid, .gid = gid };
	return 0;
}

/*
 * Return whether a descriptor of the character device may be sent. A driver
 * that keeps other files at an open one could keep the socket over which its
 * own file travels. Each would then hold the other for ever. Binder keeps files
 * in its transactions, vhost, VFIO and KVM keep sockets and eventfds, and DRM
 * keeps DMA buffers. The drivers below keep no files, except that a terminal
 * may keep another terminal's (TIOCCONS).
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

static bool scm_may_send_file(struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct socket *sock;

	/* An O_PATH descriptor is only a place in the file system. */
	if (file->f_mode & FMODE_PATH)
		return true;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		/*
		 * Newer kernels give the files of io_uring and similar
		 * interfaces this type, too.
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
		 * This includes block devices: nbd keeps sockets, and other
		 * block devices may lie above nbd.
		 */
		return false;
	}
}

/* Allocate an empty parcel of the caller with room for @max descriptors. */
static struct scm_parcel *scm_parcel_new(unsigned int max)
{
	u64 key = altconn_payer_key(current_cred());
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_RELEASE, key);
	return payer ? scm_parcel_alloc(max, current_user()->uid, payer) : NULL;
}

/*
 * Take references to the files of an SCM_RIGHTS message. The message has at
 * most @most descriptors in all its control messages.
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
		/* The parcel owns the file from here on. */
		parcel->files[parcel->count++] = file;
		if (!scm_may_send_file(file))
			return -EOPNOTSUPP;
	}
	return 0;
}

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
			 * AF_UNIX ignores messages of other levels. The other
			 * address formats drop nothing silently.
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
 * altconn_scm_send() - parse the control messages of a sendmsg()
 * @sk: the endpoint
 * @msg: the message with its control messages
 * @scm: zeroed; gets credentials and descriptors
 *
 * Context: process, may sleep.
 * Return: 0, and the caller destroys @scm later. After an error @scm is zeroed:
 * -EINVAL: a control message is not well-formed or unknown, an id is not
 * mapped, or there are more than SCM_MAX_FD descriptors; -EPERM: the caller may
 * not send these credentials; -ESRCH: no such process; -EBADF: no such
 * descriptor; -EOPNOTSUPP: a descriptor that may not be sent, or, except in the
 * sockaddr_un format, a control message of another level than SOL_SOCKET;
 * -ETOOMANYREFS: the user has too many descriptors in flight; -ENOMEM.
 */
int altconn_scm_send(const struct sock *sk, struct msghdr *msg,
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
 * @msg: gets the time, in the form that the program asked for
 * @sk: the endpoint
 * @stamp: when the message was queued; 0 if it was not recorded: use the
 *	current time
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
 * Install the descriptors of a parcel in the current process. The core drops
 * all references in its list, even if they are the last ones. So it gets
 * references of its own, and scm_parcel_put() drops the parcel's.
 */
static void scm_parcel_install(struct msghdr *msg,
			       const struct scm_parcel *parcel)
{
	size_t size = offsetof(struct scm_fp_list, fp) +
		      parcel->count * sizeof(struct file *);
	struct scm_cookie cookie = {};
	struct scm_fp_list *fp;

	/*
	 * The list is small, and descriptors must not get lost for lack of
	 * memory.
	 */
	fp = kzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	fp->max = parcel->count;
	for (; fp->count < parcel->count; fp->count++)
		fp->fp[fp->count] = get_file(parcel->files[fp->count]);
	cookie.fp = fp;
	scm_detach_fds(msg, &cookie, false);
}

/**
 * altconn_scm_recv() - hand what goes with data to the caller of recvmsg()
 * @msg: gets the control messages
 * @scm: credentials and descriptors of the data; zeroed
 * @passcred: the caller asks for credentials; for connected data, the same
 *	value has decided which data is returned together
 *
 * MSG_CTRUNC reports what does not fit into the caller's buffer.
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
 * altconn_scm_copy() - attach what goes with a datagram to another one
 * @to: overwritten; gets references of its own, and no time
 * @from: credentials and descriptors of the first datagram
 *
 * Context: process.
 */
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from)
{
	to->cred = altconn_scm_cred_get(&from->cred);
	to->parcel = altconn_scm_parcel_get(from->parcel);
	to->stamp = 0;
}
