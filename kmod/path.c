// SPDX-License-Identifier: GPL-2.0
/*
 * Paths: socket files, which bind() makes and connect() and send() look up with
 * the credentials of the calling thread, as path_resolution(7) describes.
 *
 * A lookup may block for ever (FUSE), so no lookup is made under
 * altconn_lock(). altconn_path_bind() has three steps, and only the first and
 * the last access the endpoint:
 *
 *	path_begin_bind()	sets extra->pending_bind, under altconn_lock()
 *	file system		looks up the directory, locks it, makes the file
 *	path_complete_bind()	moves extra->pending_bind to ask->bind, under
 *				extra->bind_lock and the directory's lock
 *
 * Another call on the socket may clear extra->pending_bind in the meantime
 * (altconn_binding_cancel()). The last step then fails.
 *
 * With ALTCONN_REPLACE_PATH, bind() replaces a stale socket file, which is one
 * to which no socket is bound. A stale file stays stale, because AF_UNIX and
 * this family make a file and bind the socket to it in one hold of the
 * directory's lock. So bind() looks at the file under this lock, checks without
 * the lock that no socket is bound to it, and locks the directory again. If the
 * path still has the same file, bind() replaces the file.
 */

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/security.h>
#include <linux/slab.h>
#include "addr.h"
#include "binding.h"
#include "connect_outcome.h"
#include "endpoint.h"
#include "path.h"
#include "place.h"
#include "sock.h"

/* Set extra->pending_bind. Return 0 or -ENOMEM. altconn_lock() is held. */
static int path_set_pending(struct sock *sk, struct altconn_bind *bind)
{
	struct altconn_extra *extra = altconn_endpoint_get_extra(sk);

	if (!extra)
		return -ENOMEM;
	spin_lock(&extra->bind_lock);
	extra->pending_bind = bind;
	spin_unlock(&extra->bind_lock);
	return 0;
}

/*
 * Set extra->pending_bind to a new binding, and return the binding. The caller
 * owns the binding until path_complete_bind() succeeds or path_abort_bind() is
 * called. Return ERR_PTR(-EINVAL) if the endpoint is bound, or if its state
 * does not allow bind(); ERR_PTR(-ENOMEM). altconn_lock() is not held.
 */
static struct altconn_bind *path_begin_bind(struct sock *sk,
					    const struct altconn_addr *addr)
{
	struct altconn_bind *bind =
		altconn_binding_new(sk, addr, ALTCONN_BIND_ASKED);
	int err;

	if (!bind)
		return ERR_PTR(-ENOMEM);
	altconn_lock(sk);
	err = altconn_path_cancel_and_check(sk);
	if (!err && sk->sk_type == SOCK_DGRAM)
		err = altconn_endpoint_register(sk);
	if (!err)
		err = path_set_pending(sk, bind);
	altconn_unlock(sk);
	if (!err)
		return bind;
	kfree(bind);
	return ERR_PTR(err);
}

/*
 * Bind the endpoint to its socket file. On success the endpoint owns @bind, and
 * the binding has a reference to @path. Return 0, or -EINVAL if another call on
 * the socket has cancelled the bind(). altconn_binding_publish() does not fail
 * for a new file: no binding has the file, and a path allocates nothing. After
 * an error the caller calls path_abort_bind(). The directory's lock is held,
 * and altconn_lock() is not.
 */
static int path_complete_bind(struct sock *sk, struct altconn_bind *bind,
			      const struct path *path)
{
	struct altconn_extra *extra = altconn_sk(sk)->extra;
	int err = -EINVAL;

	bind->own.inode = d_backing_inode(path->dentry);
	bind->path = *path;
	path_get(path);
	spin_lock(&extra->bind_lock);
	if (extra->pending_bind == bind) {
		err = altconn_binding_publish(sk, bind, false);
		/*
		 * Set ask->bind before pending_bind is cleared. Pairs with the
		 * acquire in altconn_binding_cancel().
		 */
		smp_store_release(&extra->pending_bind, NULL);
	}
	spin_unlock(&extra->bind_lock);
	if (err)
		path_put(path);
	return err;
}

/* Undo path_begin_bind(), and drop the caller's reference to @bind. */
static void path_abort_bind(struct sock *sk, struct altconn_bind *bind)
{
	struct altconn_extra *extra = altconn_sk(sk)->extra;

	spin_lock(&extra->bind_lock);
	if (extra->pending_bind == bind)
		extra->pending_bind = NULL;
	spin_unlock(&extra->bind_lock);
	/* This frees the binding. */
	altconn_addr_put(bind->addr);
}

/**
 * altconn_path_cancel_and_check() - check whether bind() may bind an endpoint
 * @sk: the endpoint
 *
 * First, a failed attempt of the endpoint is dropped, and a bind() to a path
 * that has not completed is cancelled. As with AF_UNIX, a connected stream or
 * seqpacket socket in the sockaddr_un format may be bound if it is unnamed.
 *
 * Context: process; altconn_lock() held.
 * Return: 0; -EINVAL if the endpoint is bound already, or its state does not
 * allow bind().
 */
int altconn_path_cancel_and_check(struct sock *sk)
{
	struct altconn_sock *ask = altconn_sk(sk);

	altconn_connect_drop_if_failed(sk);
	altconn_binding_cancel(sk);
	if (ask->bind)
		return -EINVAL;
	if (sk->sk_type == SOCK_DGRAM || altconn_state(sk) == TCP_CLOSE)
		return 0;
	return ask->format == ALTCONN_UNIX &&
	       altconn_state(sk) == TCP_ESTABLISHED &&
	       !rcu_access_pointer(ask->addr) ? 0 : -EINVAL;
}

/* A path with a NUL, for the functions of the file system. */
struct path_string {
	char s[ALTCONN_PATH_MAX + 1];
};

/* Copy the path of an address, and append a NUL. */
static void path_to_string(const struct altconn_addr *addr,
			   struct path_string *p)
{
	memcpy(p->s, addr->bytes, addr->len);
	p->s[addr->len] = 0;
}

/*
 * Make a socket file. vfs_mknod() leaves the call of security_path_mknod() to
 * its caller. Without that call, LSMs that check paths, such as Landlock, could
 * not refuse the file.
 */
static int path_make_node(const struct path *parent, struct dentry *dentry,
			  umode_t mode)
{
	int err = security_path_mknod(parent, dentry, mode, 0);

	if (err)
		return err;
	return vfs_mknod(mnt_idmap(parent->mnt), d_inode(parent->dentry),
			 dentry, mode, 0, NULL);
}

/*
 * Rename a file within one directory, with the checks of rename(2). The
 * directory's lock is held.
 */
static int path_rename(const struct path *parent, struct dentry *from,
		       struct dentry *to)
{
	struct renamedata rd = {
		.mnt_idmap = mnt_idmap(parent->mnt),
		.old_parent = parent->dentry,
		.old_dentry = from,
		.new_parent = parent->dentry,
		.new_dentry = to,
	};
	int err = security_path_rename(parent, from, parent, to, 0);

	return err ? : vfs_rename(&rd);
}

/*
 * Make the socket file at @dentry, rename it to @last unless @last is NULL, and
 * bind the endpoint to it. After an error the new file is removed, but the file
 * that the rename has replaced does not return. The directory's lock is held.
 */
static int path_make_and_bind(struct sock *sk, struct altconn_bind *bind,
			      const struct path *parent, struct dentry *dentry,
			      struct dentry *last)
{
	umode_t mode = S_IFSOCK |
		       (SOCK_INODE(sk->sk_socket)->i_mode & ~current_umask());
	struct path path = { .mnt = parent->mnt, .dentry = dentry };
	int err;

	/*
	 * An append-only directory allows neither the rename of the new file
	 * nor its removal. So do not make the file.
	 */
	if (last && IS_APPEND(d_inode(parent->dentry)))
		return -EPERM;
	err = path_make_node(parent, dentry, mode);
	if (err)
		return err;
	if (last)
		err = path_rename(parent, dentry, last);
	if (!err)
		err = path_complete_bind(sk, bind, &path);
	if (err)
		vfs_unlink(mnt_idmap(parent->mnt), d_inode(parent->dentry),
			   dentry, NULL);
	return err;
}

/* Bind the endpoint to a new file. Return -EEXIST if the path exists. */
static int path_bind_new(struct sock *sk, struct altconn_bind *bind,
			 const struct altconn_addr *addr,
			 const struct path_string *name)
{
	struct dentry *dentry;
	struct path parent;
	int err;

	dentry = start_creating_path(addr->fd, name->s, &parent, 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = path_make_and_bind(sk, bind, &parent, dentry, NULL);
	end_creating_path(&parent, dentry);
	return err;
}

#define PATH_TEMPORARY	".altconn-"	/* and sixteen hexadecimal digits */

/**
 * struct path_swap - names for the replacement of the file at a path
 * @fd: descriptor of the directory where the lookup of @temporary begins, or
 *	AT_FDCWD, as with openat(2)
 * @last: the last component of the path
 * @temporary: path of the new file, in the directory of the old one, before the
 *	rename
 */
struct path_swap {
	int		fd;
	const char	*last;
	char		temporary[ALTCONN_PATH_MAX + sizeof(PATH_TEMPORARY) +
				  16];
};

/* Return whether the last component of a path is empty, "." or "..". */
static bool path_is_dot_name(const char *last)
{
	return strspn(last, ".") == strlen(last) && strlen(last) <= 2;
}

/*
 * Fill in @swap, which points into @name. Return 0, or -EADDRINUSE if the last
 * component of the path cannot be a file.
 */
static int path_swap_init(struct path_swap *swap,
			  const struct altconn_addr *addr,
			  const struct path_string *name)
{
	const char *slash = strrchr(name->s, '/');

	swap->fd = addr->fd;
	swap->last = slash ? slash + 1 : name->s;
	snprintf(swap->temporary, sizeof(swap->temporary),
		 "%.*s" PATH_TEMPORARY "%016llx", (int)(swap->last - name->s),
		 name->s, get_random_u64());
	return path_is_dot_name(swap->last) ? -EADDRINUSE : 0;
}

/*
 * Lock the directory. *@dentry gets the negative dentry of the temporary path,
 * and *@last gets the dentry of the file at the path, negative if there is no
 * file. On success the caller ends with path_swap_end().
 */
static int path_swap_begin(const struct path_swap *swap, struct path *parent,
			   struct dentry **dentry, struct dentry **last)
{
	struct qstr name = QSTR_INIT(swap->last, strlen(swap->last));

	*dentry = start_creating_path(swap->fd, swap->temporary, parent, 0);
	if (IS_ERR(*dentry))
		return PTR_ERR(*dentry);
	*last = lookup_one(mnt_idmap(parent->mnt), &name, parent->dentry);
	if (!IS_ERR(*last))
		return 0;
	end_creating_path(parent, *dentry);
	return PTR_ERR(*last);
}

/* Unlock the directory, and drop the references to both dentries. */
static void path_swap_end(struct path *parent, struct dentry *dentry,
			  struct dentry *last)
{
	dput(last);
	end_creating_path(parent, dentry);
}

/*
 * Return whether a socket of this family, of any type and in any network
 * namespace, is bound to the file.
 */
static bool path_is_bound(const struct inode *inode)
{
	const struct altconn_addr key = {
		.kind = ALTCONN_KIND_PATH, .inode = inode,
	};
	bool bound;

	rcu_read_lock();
	bound = altconn_place_find_bind(NULL, 0, &key);
	rcu_read_unlock();
	return bound;
}

/*
 * Find the file to replace, under the directory's lock. On success *@stale is
 * the file, with a reference, or is unchanged if the path has no file. Return
 * 0; -EADDRINUSE if the file is not a socket file, or if a socket of this
 * family is bound to it; the errors of the lookup.
 */
static int path_find_replaceable(const struct path_swap *swap,
				 struct path *stale)
{
	struct dentry *dentry, *last;
	struct inode *inode;
	struct path parent;
	int err;

	err = path_swap_begin(swap, &parent, &dentry, &last);
	if (err)
		return err;
	inode = d_backing_inode(last);
	if (inode && (!S_ISSOCK(inode->i_mode) || path_is_bound(inode))) {
		err = -EADDRINUSE;
	} else if (inode) {
		*stale = (struct path) { .mnt = parent.mnt, .dentry = last };
		path_get(stale);
	}
	path_swap_end(&parent, dentry, last);
	return err;
}

/*
 * Set @text to a path by which AF_UNIX finds the file @stale. A path that
 * begins at a descriptor becomes one through /proc. Return 0, -ENOMEM, or
 * -EADDRINUSE if the path is longer than sun_path or does not lead to @stale.
 */
static int path_write_unix(const struct altconn_addr *addr,
			   const struct path_string *name,
			   const struct path *stale, struct path_string *text)
{
	struct path found;
	int n, err;
	bool same;

	if (addr->fd == AT_FDCWD || name->s[0] == '/')
		n = snprintf(text->s, sizeof(text->s), "%s", name->s);
	else
		n = snprintf(text->s, sizeof(text->s),
			     "/proc/thread-self/fd/%d/%s", addr->fd, name->s);
	if (n >= sizeof(text->s))
		return -EADDRINUSE;
	err = kern_path(text->s, 0, &found);
	if (err)
		return err == -ENOMEM ? err : -EADDRINUSE;
	same = path_equal(&found, stale);
	path_put(&found);
	return same ? 0 : -EADDRINUSE;
}

/*
 * Check that no socket of AF_UNIX is bound to the file, with a connect() of a
 * datagram socket:
 *
 *	ECONNREFUSED	no socket is bound to the file
 *	0		a datagram socket is bound to the file
 *	EPROTOTYPE	a socket of another type is, and sees no connection
 *
 * Return 0 if no socket is bound to the file, else -EADDRINUSE; -EACCES or
 * another errno if the check is not possible.
 */
static int path_check_unix(const struct path_string *text)
{
	union {
		struct sockaddr_un	un;
		struct sockaddr_storage	room;
	} to = { .un.sun_family = AF_UNIX };
	size_t len = strlen(text->s);
	struct socket *sock;
	int err;

	BUILD_BUG_ON(sizeof(to.un.sun_path) != ALTCONN_PATH_MAX);
	memcpy(to.un.sun_path, text->s, len);
	err = sock_create(AF_UNIX, SOCK_DGRAM, 0, &sock);
	if (err == -EAFNOSUPPORT)
		return 0;
	/* ENFILE means that there is no memory for the socket's inode. */
	if (err)
		return err == -ENFILE ? -ENOMEM : err;
	err = kernel_connect(sock, (struct sockaddr_unsized *)&to,
			     offsetof(struct sockaddr_un, sun_path) + len,
			     O_NONBLOCK);
	sock_release(sock);
	if (err == -ECONNREFUSED)
		return 0;
	/* With EACCES or ENOMEM it is unknown whether the file is stale. */
	return err == -EACCES || err == -ENOMEM ? err : -EADDRINUSE;
}

/*
 * Make the new file and rename it to the path, if the path has no file or still
 * has the file @stale. If the path has another file, return -EADDRINUSE.
 */
static int path_replace(struct sock *sk, struct altconn_bind *bind,
			const struct path_swap *swap, const struct path *stale)
{
	struct dentry *dentry, *last;
	struct path parent;
	int err;

	err = path_swap_begin(swap, &parent, &dentry, &last);
	if (err)
		return err;
	if (d_is_negative(last) ||
	    (stale->dentry &&
	     d_backing_inode(last) == d_backing_inode(stale->dentry)))
		err = path_make_and_bind(sk, bind, &parent, dentry, last);
	else
		err = -EADDRINUSE;
	path_swap_end(&parent, dentry, last);
	return err;
}

/* Bind the endpoint to a new file that replaces the stale file at the path. */
static int path_bind_replacing(struct sock *sk, struct altconn_bind *bind,
			       const struct altconn_addr *addr,
			       const struct path_string *name)
{
	struct path_string text;
	struct path_swap swap;
	struct path stale = {};
	int err;

	err = path_swap_init(&swap, addr, name);
	if (!err)
		err = path_find_replaceable(&swap, &stale);
	if (err)
		return err;
	if (stale.dentry) {
		err = path_write_unix(addr, name, &stale, &text) ? :
		      path_check_unix(&text);
	}
	if (!err)
		err = path_replace(sk, bind, &swap, &stale);
	if (stale.dentry)
		path_put(&stale);
	return err;
}

/**
 * altconn_path_bind() - make a socket file and bind an endpoint to it
 * @sk: the endpoint
 * @addr: an address of kind PATH
 *
 * The permissions of the file are those of the socket's inode, which fchmod()
 * on the socket changes, less the umask. After a failure the new file does not
 * exist.
 *
 * With ALTCONN_REPLACE_PATH the call replaces a stale socket file. If another
 * call on the socket cancels the bind(), the path may have neither the old file
 * nor the new one afterwards.
 *
 * While the file is made, the directory's lock is held, for which other users
 * of the directory wait. So the thread that holds it waits for nothing that a
 * user can delay, and in particular does not take altconn_lock().
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0; -EADDRINUSE if the file exists and may not be replaced; -EBADF if
 * the descriptor in @addr is not open; -EINVAL if the endpoint is bound
 * already, its state does not allow bind(), or another call on the socket
 * cancelled the bind(); -ENOMEM; and the errors of path_resolution(7) and
 * mknod(2) and, where a file is replaced, of rename(2) and of a connect(2) to
 * the file.
 */
int altconn_path_bind(struct sock *sk, struct altconn_addr *addr)
{
	struct altconn_bind *bind = path_begin_bind(sk, addr);
	struct path_string name;
	int err;

	if (IS_ERR(bind))
		return PTR_ERR(bind);
	path_to_string(addr, &name);
	err = path_bind_new(sk, bind, addr, &name);
	if (err == -EEXIST && altconn_sk(sk)->replaces)
		err = path_bind_replacing(sk, bind, addr, &name);
	if (err)
		path_abort_bind(sk, bind);
	return err == -EEXIST ? -EADDRINUSE : err;
}

/*
 * Get the file of the descriptor in @addr, with a reference in @path. The path
 * in @addr becomes the file's name, cut to ALTCONN_PATH_MAX bytes. Return 0 or
 * -EBADF.
 */
static int path_of_fd(struct altconn_addr *addr, struct path *path)
{
	struct file *file = fget_raw(addr->fd);
	struct name_snapshot name;

	if (!file)
		return -EBADF;
	*path = file->f_path;
	path_get(path);
	fput(file);
	take_dentry_name_snapshot(&name, path->dentry);
	addr->len = min_t(u32, name.name.len, sizeof(addr->bytes));
	memcpy(addr->bytes, name.name.name, addr->len);
	release_dentry_name_snapshot(&name);
	return 0;
}

/* Get the file at the path, or of the descriptor, with a reference in @path. */
static int path_lookup_file(struct altconn_addr *addr, struct path *path)
{
	struct path_string name;

	if (addr->fd != AT_FDCWD)
		return path_of_fd(addr, path);
	path_to_string(addr, &name);
	return kern_path(name.s, LOOKUP_FOLLOW, path);
}

/**
 * altconn_path_resolve() - look up the socket file for connect() or send()
 * @addr: an address of kind PATH before its lookup. Its @inode is set. If it
 *	has a descriptor, its path becomes the file's name
 * @path: on success the socket file, with a reference that keeps the inode and
 *	that the caller drops with path_put(); on failure empty
 * @reason: gets enum altconn_reason of a failure; undefined on success
 *
 * Context: process, may sleep; altconn_lock() not held.
 * Return: 0; -EACCES if there is no search permission on the way, or no write
 * permission on the file (E-ACCES-PATH); -EBADF if the descriptor in @addr is
 * not open; -ECONNREFUSED if the file is no socket; and the errors of
 * path_resolution(7).
 */
int altconn_path_resolve(struct altconn_addr *addr, struct path *path,
			 u32 *reason)
{
	struct inode *inode;
	int err;

	*reason = ALTCONN_REASON_PATH_LOOKUP;
	err = path_lookup_file(addr, path);
	addr->inode = NULL;
	if (err)
		goto err_no_path;

	inode = d_backing_inode(path->dentry);
	*reason = ALTCONN_REASON_PATH_PERMISSION;
	err = inode_permission(mnt_idmap(path->mnt), inode, MAY_WRITE);
	if (err)
		goto err_put_path;
	*reason = ALTCONN_REASON_NOT_SOCKET;
	err = -ECONNREFUSED;
	if (!S_ISSOCK(inode->i_mode))
		goto err_put_path;
	addr->inode = inode;
	return 0;

err_put_path:
	path_put(path);
err_no_path:
	*path = (struct path) {};
	return err;
}
