/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Declarations of version 1 of QEMU's interface for plugins, as far as count.c
 * needs them. The package of QEMU has no header for plugins.
 */
#ifndef _ALTCONN_QEMU_PLUGIN_H
#define _ALTCONN_QEMU_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;

typedef uint64_t qemu_plugin_id_t;

/* The only operation: add a number to a 64-bit word. */
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void
qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
				      void (*cb)(qemu_plugin_id_t id,
						 struct qemu_plugin_tb *tb));
void
qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
					 enum qemu_plugin_op op, void *word,
					 uint64_t number);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
				    void (*cb)(qemu_plugin_id_t id, void *data),
				    void *data);

#endif /* _ALTCONN_QEMU_PLUGIN_H */
