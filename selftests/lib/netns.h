/* SPDX-License-Identifier: GPL-2.0 */
/* These functions change network namespaces and their nodes. */
#ifndef _ALTCONN_TEST_NETNS_H
#define _ALTCONN_TEST_NETNS_H

#include <stdint.h>

/* Move this thread to a new network namespace. */
int at_netns(void);
/*
 * Become an unprivileged user that is root of new user and network namespaces,
 * where the tool can change the rules.
 */
int at_user_netns(void);
/* Return a descriptor of this thread's network namespace, or enter another. */
int at_netns_fd(void);
int at_netns_enter(int fd);

/*
 * Change the nodes of the namespace. Return 0 or the errno. @ip has 16 bytes or
 * is NULL, and @state is an enum altconn_node_state. at_node_self(0) removes
 * the id by which the namespace calls itself.
 */
int at_node_add(uint32_t id, const void *ip, int netns);
int at_node_del(uint32_t id);
int at_node_set(uint32_t id, uint32_t state);
int at_node_self(uint32_t id);

#endif /* _ALTCONN_TEST_NETNS_H */
