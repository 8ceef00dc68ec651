// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses in the file system: socket files, made by bind() and looked up by
 * connect(), with the caller's credentials as path_resolution(7) says.
 *
 * A lookup may block for ever (FUSE), so none of this is called under
 * lock_sock().
 */

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
 * Return: 0; -EADDRINUSE: the file exists; -EINVAL: the endpoint is bound
 * already, or another call on the socket came first; -ENOMEM; and what
 * path_resolution(7) and mknod(2) give.
 */
int altconn_path_bind(struct sock *sk, struct altconn_addr *addr)
{
	struct altconn_bind *bind = altconn_bind_reserve(sk, addr);
	struct path_string name;
	struct dentry *dentry;
	struct path parent;
	int err;

	if (IS_ERR(bind))
		return PTR_ERR(bind);
	path_string(addr, &name);
	dentry = start_creating_path(AT_FDCWD, name.s, &parent, 0);
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err) {
		err = path_make(sk, bind, &parent, dentry);
		end_creating_path(&parent, dentry);
	}
	if (err)
		altconn_bind_unreserve(sk, bind);
	return err == -EEXIST ? -EADDRINUSE : err;
}

/**
 * altconn_path_resolve() - look a path up for connect() or send()
 * @addr: kind PATH; its inode is filled in
 * @path: on success a reference that the caller puts: it keeps the inode;
 *	else empty
 * @reason: why not
 *
 * Context: process, may sleep; lock_sock() not held.
 * Return: 0; -EACCES: no search or no write permission (E-ACCES-PATH);
 * -ECONNREFUSED: not a socket file; and what path_resolution(7) gives.
 */
int altconn_path_resolve(struct altconn_addr *addr, struct path *path,
			 u32 *reason)
{
	struct path_string name;
	struct inode *inode;
	int err;

	path_string(addr, &name);
	*reason = ALTCONN_REASON_PATH_LOOKUP;
	err = kern_path(name.s, LOOKUP_FOLLOW, path);
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
