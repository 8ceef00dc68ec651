/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_SCM_H
#define _ALTCONN_COMPAT_SCM_H
#include_next <net/scm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
/*
 * From Linux 7.0, scm_detach_fds() can fail if the reader has no space for the
 * descriptors. In older kernels, it leaves these descriptors out.
 */
#define scm_detach_fds(msg, scm, notrunc)	scm_detach_fds(msg, scm)
#endif

#endif
