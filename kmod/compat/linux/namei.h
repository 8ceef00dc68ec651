/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_NAMEI_H
#define _ALTCONN_COMPAT_NAMEI_H
#include_next <linux/namei.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define start_creating_path	kern_path_create
#define end_creating_path	done_path_create
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
static inline struct dentry *compat_lookup_one(void *idmap,
					       const struct qstr *name,
					       struct dentry *base)
{
	return lookup_one(idmap, name->name, base, name->len);
}

#define lookup_one	compat_lookup_one
#endif

#endif
