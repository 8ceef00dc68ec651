/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_SYSCTL_H
#define _ALTCONN_SYSCTL_H

#include "altconn.h"

int altconn_sysctl_register(struct net *net);
void altconn_sysctl_unregister(struct net *net);

#endif /* _ALTCONN_SYSCTL_H */
