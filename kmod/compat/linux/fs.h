/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_FS_H
#define _ALTCONN_COMPAT_FS_H
#include_next <linux/fs.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
/* The inode whose delegation has to be broken: not told yet. */
#define vfs_mknod(idmap, dir, dentry, mode, dev, delegated)	\
	vfs_mknod(idmap, dir, dentry, mode, dev)
#endif

#endif
