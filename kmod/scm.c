// SPDX-License-Identifier: GPL-2.0
/*
 * What goes with data: credentials, timestamps and descriptors.
 *
 * Descriptors go by an allow-list, so no socket can travel over itself or over
 * another that travels over it, and there is no garbage to collect: files,
 * directories, pipes, some character devices, and sockets of families that carry no
 * descriptors.
 *
 * To close a file, by dropping the last reference to it, may take long or sleep, as the
 * user that opened it likes. A process that discards descriptors closes files that its own
 * user opened. Other files, of which it has the last reference, go to a queue of the user
 * that opened them (payer.c), and so do all that a kernel thread discards.
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
 * struct scm_parcel - descriptors under way
 * @refs: references
 * @count: of descriptors
 * @uid: the user that sent the descriptors and is charged for them
 * @payer: of that user
 * @closer: the payer in whose queue @job is, of the user that opened @files[0]
 * @job: closes those that its user opened; pins the module
 * @files: references to the files
 *
 * Lifetime: a message, or a mark in a buffer, has a reference; so has each copy of a
 * broadcast, and a recvmsg() while it looks at a message or receives it. The last
 * scm_parcel_put() drops the files and frees the parcel, or lets @job do so, which may
 * split it: a parcel that is queued has one reference to each file and none to itself.
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
 * struct inflight - a user's descriptors that nobody has received yet
 * @node: in the table
 * @uid: who
 * @count: how many
 *
 * Lifetime: in the table while @count is not 0; all under inflight_lock.
 */
struct inflight {
	struct hlist_node	node;
	kuid_t			uid;
	unsigned long		count;
};

static DEFINE_HASHTABLE(inflight_table, 8);

static DEFINE_SPINLOCK(inflight_lock);

/* No user chooses a chain by subordinate uids. */
static u32 scm_inflight_key(kuid_t uid)
{
	static siphash_key_t secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return siphash_1u32(__kuid_val(uid), &secret);
}

static struct inflight *scm_find_inflight(kuid_t uid)
{
	struct inflight *user;

	lockdep_assert_held(&inflight_lock);
	hash_for_each_possible(inflight_table, user, node,
			       scm_inflight_key(uid))
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/* Count them unless there are more than @limit. @spare is taken for a new user. */
static bool scm_inflight_count(const struct scm_parcel *parcel,
			       unsigned long limit, struct inflight **spare)
{
	struct inflight *user;
	bool fits;

	spin_lock(&inflight_lock);
	user = scm_find_inflight(parcel->uid);
	if (!user) {
		user = *spare;
		*spare = NULL;
		user->uid = parcel->uid;
		hash_add(inflight_table, &user->node,
			 scm_inflight_key(user->uid));
	}
	fits = user->count <= limit;
	if (fits)
		user->count += parcel->count;
	spin_unlock(&inflight_lock);
	return fits;
}

/* As AF_UNIX: as many may be under way as a process may have open. */
static int scm_inflight_add(const struct scm_parcel *parcel)
{
	struct inflight *spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	bool fits;

	if (!spare)
		return -ENOMEM;
	fits = scm_inflight_count(parcel, rlimit(RLIMIT_NOFILE), &spare) ||
	       ((capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN)) &&
		scm_inflight_count(parcel, ULONG_MAX, &spare));
	kfree(spare);
	return fits ? 0 : -ETOOMANYREFS;
}

/* @n of the descriptors are not under way any more. */
static void scm_inflight_sub(const struct scm_parcel *parcel, unsigned int n)
{
	struct inflight *user;

	if (!n)
		return;
	spin_lock(&inflight_lock);
	user = scm_find_inflight(parcel->uid);
	user->count -= n;
	if (user->count)
		user = NULL;
	else
		hash_del(&user->node);
	spin_unlock(&inflight_lock);
	kfree(user);
}

/* Drop the files, which are not under way; the last references to them, too. */
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
 * Turn SO_LINGER off, so that the close does not sleep for as long as the sender has
 * chosen. The core ignores it likewise in a process that exits. A time of 0 stays: it
 * resets the connection and waits for nothing.
 */
static void scm_stop_lingering(struct file *file)
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
 * The payer of the user that opened the file, since the sender may have passed on files
 * that other users opened. Without memory for that, the sender's payer.
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
 * Files of other users in a parcel of their own, so that they need not wait for those of
 * this payer's; without memory for that they have to.
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

/* The payer's job: close its user's files of a parcel that nobody refers to. */
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
			scm_stop_lingering(file);
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
	/* altconn_payer_exit() flushes this work, so its code stays until it returns. */
	module_put(THIS_MODULE);
}

/* Did the user that runs open the file? */
static bool scm_file_is_own(const struct file *file)
{
	return !(current->flags & PF_KTHREAD) &&
	       altconn_payer_key(file->f_cred) ==
	       altconn_payer_key(current_cred());
}

/*
 * Drop the references that are not left to payers: those that are not the last ones, and
 * those to files of the user that runs.
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

struct scm_parcel *altconn_scm_parcel_get(struct scm_parcel *parcel)
{
	if (parcel)
		refcount_inc(&parcel->refs);
	return parcel;
}

/*
 * Descriptors that are left to the payer count as under way until it has closed them,
 * which bounds their number.
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
 * altconn_scm_destroy() - let go of what goes with a message
 * @scm: the message's; nothing goes with it then
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
 * altconn_scm_fill() - the caller's credentials go with a message
 * @scm: the message's; it stays as it is if others go with it already
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

/* May the caller say that he is this? As unix(7) has it. */
static bool scm_may_claim(const struct ucred *claim, kuid_t uid, kgid_t gid)
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
	if (!scm_may_claim(&claim, uid, gid))
		return -EPERM;
	pid = find_get_pid(claim.pid);
	if (!pid)
		return -ESRCH;
	altconn_scm_cred_put(&scm->cred);
	scm->cred = (struct altconn_cred) { .pid = pid, .uid = uid, .gid = gid };
	return 0;
}

/*
 * A driver that keeps other files at an open one could keep the socket over which
 * its own file travels: both would hold each other for ever. Binder keeps files in
 * its transactions, vhost, VFIO and KVM keep sockets and eventfds, DRM keeps
 * DMA buffers. These drivers keep none, or, as the terminals for TIOCCONS, none but
 * a terminal's.
 */
static bool scm_device_may_travel(dev_t dev)
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

static bool scm_may_travel(struct file *file)
{
	const struct inode *inode = file_inode(file);
	struct socket *sock;

	/* It is a place in the file system, whatever is there. */
	if (file->f_mode & FMODE_PATH)
		return true;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		/* Newer kernels call io_uring's and its like regular too. */
		return inode->i_sb->s_magic != ANON_INODE_FS_MAGIC;
	case S_IFDIR:
	case S_IFIFO:
		return true;
	case S_IFCHR:
		return scm_device_may_travel(inode->i_rdev);
	case S_IFSOCK:
		sock = sock_from_file(file);
		return sock && sock->ops->family != PF_UNIX &&
		       sock->ops->family != PF_ALTCONN;
	default:
		/* Nor block devices: nbd keeps sockets, and others lie above it. */
		return false;
	}
}

/* A parcel of the caller with room for @max descriptors, and none in it yet. */
static struct scm_parcel *scm_parcel_new(unsigned int max)
{
	u64 key = altconn_payer_key(current_cred());
	struct altconn_payer *payer;

	payer = altconn_payer_get(ALTCONN_PAYER_RELEASE, key);
	return payer ? scm_parcel_alloc(max, current_user()->uid, payer) : NULL;
}

/* No more than @most descriptors come with the message. */
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
		/* Whoever gives up the parcel gives up the file. */
		parcel->files[parcel->count++] = file;
		if (!scm_may_travel(file))
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
			/* AF_UNIX passes over it; here nothing is dropped so. */
			if (altconn_sk(sk)->dress == ALTCONN_UNIX)
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
 * altconn_scm_send() - what a caller of sendmsg() wants to go with a message
 * @sk: the endpoint
 * @msg: with its control messages
 * @scm: initialized; gets it
 *
 * Context: process, may sleep.
 * Return: 0, the caller destroys @scm later; or, with nothing in @scm, -EINVAL: not
 * well formed, unknown, more than SCM_MAX_FD descriptors; -EPERM, -ESRCH: the
 * credentials; -EBADF; -EOPNOTSUPP: a descriptor that does not travel;
 * -ETOOMANYREFS: too many of the user's are under way; -ENOMEM.
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
 * altconn_put_stamp() - SO_TIMESTAMP and SO_TIMESTAMPNS
 * @msg: gets the time, in the form that the program asked for
 * @sk: the endpoint
 * @stamp: when the message was sent; 0: nobody wanted to know then, so now
 *
 * Context: process, may sleep.
 */
void altconn_put_stamp(struct msghdr *msg, const struct sock *sk,
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
 * The core drops its list with all references in it, be they the last ones. So it gets
 * its own, and the parcel's are left for scm_parcel_put().
 */
static void scm_parcel_install(struct msghdr *msg,
			       const struct scm_parcel *parcel)
{
	size_t size = offsetof(struct scm_fp_list, fp) +
		      parcel->count * sizeof(struct file *);
	struct scm_cookie cookie = {};
	struct scm_fp_list *fp;

	/* It is small, and descriptors are not lost for lack of memory. */
	fp = kzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	fp->max = parcel->count;
	for (; fp->count < parcel->count; fp->count++)
		fp->fp[fp->count] = get_file(parcel->files[fp->count]);
	cookie.fp = fp;
	scm_detach_fds(msg, &cookie, false);
}

/**
 * altconn_scm_recv() - hand what goes with data to the caller of recvmsg()
 * @msg: gets it
 * @scm: the data's; empty then
 * @passcred: it wants credentials, and did when it looked which data go together
 *
 * Context: process, may sleep. MSG_CTRUNC tells what found no room.
 */
void altconn_scm_recv(struct msghdr *msg, struct altconn_scm *scm,
		      bool passcred)
{
	if (!msg->msg_control && (passcred || scm->parcel))
		msg->msg_flags |= MSG_CTRUNC;
	if (msg->msg_control && passcred) {
		struct user_namespace *ns = current_user_ns();
		const struct altconn_cred *cred = &scm->cred;
		struct ucred told = {
			.pid = pid_vnr(cred->pid),
			.uid = from_kuid_munged(ns, cred->pid ? cred->uid :
								INVALID_UID),
			.gid = from_kgid_munged(ns, cred->pid ? cred->gid :
								INVALID_GID),
		};

		put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, sizeof(told), &told);
	}
	if (msg->msg_control && scm->parcel)
		scm_parcel_install(msg, scm->parcel);
	altconn_scm_destroy(scm);
}

/**
 * altconn_scm_copy() - the same goes with another message, but for the time
 * @to: the other message's
 * @from: a datagram's
 *
 * Context: process.
 */
void altconn_scm_copy(struct altconn_scm *to, const struct altconn_scm *from)
{
	to->cred = altconn_scm_cred_get(&from->cred);
	to->parcel = altconn_scm_parcel_get(from->parcel);
	to->stamp = 0;
}
