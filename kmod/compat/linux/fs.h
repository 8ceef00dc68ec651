/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_FS_H
#define _ALTCONN_COMPAT_FS_H
#include_next <linux/fs.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
/* Older kernels do not return the inode whose delegation is to be broken. */
#define vfs_mknod(idmap, dir, dentry, mode, dev, delegated)	\
	vfs_mknod(idmap, dir, dentry, mode, dev)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
/*
 * Before 6.18 struct renamedata has the inodes of the directories, and an id
 * map for each of them.
 */
struct compat_renamedata {
	void		*mnt_idmap;
	struct dentry	*old_parent;
	struct dentry	*old_dentry;
	struct dentry	*new_parent;
	struct dentry	*new_dentry;
};

static inline int compat_vfs_rename(const struct compat_renamedata *rd)
{
	struct renamedata real = {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
		.old_mnt_userns = rd->mnt_idmap,
		.new_mnt_userns = rd->mnt_idmap,
#else
		.old_mnt_idmap = rd->mnt_idmap,
		.new_mnt_idmap = rd->mnt_idmap,
#endif
		.old_dir = d_inode(rd->old_parent),
		.old_dentry = rd->old_dentry,
		.new_dir = d_inode(rd->new_parent),
		.new_dentry = rd->new_dentry,
	};

	return vfs_rename(&real);
}

#define renamedata	compat_renamedata
#define vfs_rename	compat_vfs_rename
#endif

#endif
