/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PATH_H
#define _ALTCONN_PATH_H

#include "altconn.h"

struct altconn_addr;
struct altconn_bind;

struct altconn_bind *altconn_path_begin_bind(struct sock *sk,
					     const struct altconn_addr *addr);
int altconn_path_complete_bind(struct sock *sk, struct altconn_bind *bind,
			       const struct path *path);
void altconn_path_abort_bind(struct sock *sk, struct altconn_bind *bind);
int altconn_bind_cancel_and_check(struct sock *sk);
int altconn_path_bind(struct sock *sk, struct altconn_addr *addr);
int altconn_path_resolve(struct altconn_addr *addr, struct path *path,
			 u32 *reason);

#endif /* _ALTCONN_PATH_H */
