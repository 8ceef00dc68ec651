/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_BIND_TABLE_H
#define _ALTCONN_BIND_TABLE_H

#include "altconn.h"

struct altconn_bind;
struct altconn_listener;

int altconn_bind_table_insert(struct altconn_bind *bind, bool exclusive);
void altconn_bind_table_remove(struct altconn_bind *bind);
int altconn_bind_table_reserve_listening(struct altconn_bind *bind);
void altconn_bind_table_set_listener(struct altconn_bind *bind,
				     struct altconn_listener *ln);
void altconn_bind_table_release_listening(struct altconn_bind *bind);

#endif /* _ALTCONN_BIND_TABLE_H */
