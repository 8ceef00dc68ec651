/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_FILE_H
#define _ALTCONN_COMPAT_FILE_H
#include_next <linux/file.h>
#include <linux/fs.h>
#include <linux/version.h>

/* Drop a reference to a file, unless it is the last one. */
static inline bool compat_fput_unless_last(struct file *file)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	return atomic_long_add_unless(&file->f_count, -1, 1);
#else
	/* The counter is as wide as a long, whatever its type is. */
	return atomic_long_add_unless((atomic_long_t *)&file->f_ref.refcnt, -1,
				      FILE_REF_ONEREF);
#endif
}

#endif
