/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_TIMER_H
#define _ALTCONN_COMPAT_TIMER_H
#include_next <linux/timer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
#define timer_container_of	from_timer
#endif

#endif
