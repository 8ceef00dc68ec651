/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_PATH_H
#define _ALTCONN_PATH_H

#include "altconn.h"

struct altconn_addr;

int altconn_path_cancel_and_check(struct sock *sk);
int altconn_path_bind(struct sock *sk, struct altconn_addr *addr);
int altconn_path_resolve(struct altconn_addr *addr, struct path *path,
			 u32 *reason);

#endif /* _ALTCONN_PATH_H */
