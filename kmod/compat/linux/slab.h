/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_COMPAT_SLAB_H
#define _ALTCONN_COMPAT_SLAB_H
#include_next <linux/slab.h>

/*
 * The module frees objects of slab caches with kfree(). The allocator SLOB,
 * which kernels before 6.4 may have, does not permit this.
 */
#ifdef CONFIG_SLOB
#error "altconn does not work with the allocator SLOB (CONFIG_SLOB)"
#endif

#endif
