/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_MOUNT_H
#define _ALTCONN_COMPAT_MOUNT_H
#include_next <linux/mount.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
/* In older kernels a user namespace maps the ids of a mount. */
#define mnt_idmap	mnt_user_ns
#endif

#endif
