// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses in the file system: socket files, made by bind() and looked up by
 * connect(), with the caller's credentials as path_resolution(7) says.
 *
 * A lookup may block for ever (FUSE), so none of this is called under
 * lock_sock().
 */

#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/security.h>
#include "altconn.h"

struct path_string {
	char s[ALTCONN_PATH_MAX + 1];
};

static void path_string(const struct altconn_addr *addr, struct path_string *p)
{
	memcpy(p->s, addr->bytes, addr->len);
	p->s[addr->len] = 0;
}

/* An LSM's file rules (Landlock's too) see the new socket file here. */
static int make_node(const struct path *parent, struct dentry *dentry,
		     umode_t mode)
{
	int err = security_path_mknod(parent, dentry, mode, 0);

	if (err)
		return err;
	return vfs_mknod(mnt_idmap(parent->mnt), d_inode(parent->dentry),
			 dentry, mode, 0, NULL);
}

/* Make the socket file at @dentry and bind the endpoint to it. */
static int path_make(struct sock *sk, struct altconn_bind *bind,
		     const struct path *parent, struct dentry *dentry)
{
	umode_t mode = S_IFSOCK |
		       (SOCK_INODE(sk->sk_socket)->i_mode & ~current_umask());
	struct path path = { .mnt = parent->mnt, .dentry = dentry };
	int err;

	err = make_node(parent, dentry, mode);
	if (err)
		return err;
	err = altconn_bind_complete(sk, bind, &path);
	if (err)
		vfs_unlink(mnt_idmap(parent->mnt), d_inode(parent->dentry),
			   dentry, NULL);
	return err;
}

/* Bind the endpoint to a file that is not there yet. */
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
	err = path_make(sk, bind, &parent, dentry);
	end_creating_path(&parent, dentry);
	return err;
}

/**
 * altconn_path_bind() - make a socket file and bind an endpoint to it
 * @sk: the endpoint
 * @addr: kind PATH
 *
 * The file's mode is what the socket's inode has (fchmod() before bind()),
 * less the umask. On failure no file is left behind.
 *
 * The directory's lock is held while the file is made, and blocks its other
 * users, so nothing is waited for there that a user can make long: above all not
 * lock_sock().
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -EADDRINUSE: the file exists; -EBADF: the address' descriptor; -EINVAL:
 * the endpoint is bound already, or another call on the socket came first; -ENOMEM; and
 * what path_resolution(7) and mknod(2) give.
 */
int altconn_path_bind(struct sock *sk, struct altconn_addr *addr)
{
	struct altconn_bind *bind = altconn_bind_reserve(sk, addr);
	struct path_string name;
	int err;

	if (IS_ERR(bind))
		return PTR_ERR(bind);
	path_string(addr, &name);
	err = path_bind_new(sk, bind, addr, &name);
	if (err)
		altconn_bind_unreserve(sk, bind);
	return err == -EEXIST ? -EADDRINUSE : err;
}

/* The very file of a descriptor; what fits of its name stands for a path. */
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

static int path_look_up(struct altconn_addr *addr, struct path *path)
{
	struct path_string name;

	if (addr->fd != AT_FDCWD)
		return path_of_fd(addr, path);
	path_string(addr, &name);
	return kern_path(name.s, LOOKUP_FOLLOW, path);
}

/**
 * altconn_path_resolve() - look a path up for connect() or send()
 * @addr: kind PATH; its inode is filled in, and a name for one of a descriptor
 * @path: on success a reference that the caller puts: it keeps the inode;
 *	else empty
 * @reason: why not
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -EACCES: no search or no write permission (E-ACCES-PATH);
 * -EBADF: the address' descriptor; -ECONNREFUSED: not a socket file; and what
 * path_resolution(7) gives.
 */
int altconn_path_resolve(struct altconn_addr *addr, struct path *path,
			 u32 *reason)
{
	struct inode *inode;
	int err;

	*reason = ALTCONN_REASON_PATH_LOOKUP;
	err = path_look_up(addr, path);
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
