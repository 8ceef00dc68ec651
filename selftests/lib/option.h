/* SPDX-License-Identifier: GPL-2.0 */
/* These functions set and read options of sockets. */
#ifndef _ALTCONN_TEST_OPTION_H
#define _ALTCONN_TEST_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/altconn.h>
#include "addr.h"

int at_nonblock(int fd, bool on);
int at_so_error(int fd);
int at_set_flag(int fd, int level, int option, int value);
/* Return the value of an option that is an int, or -errno. */
int at_get_flag(int fd, int level, int option);
/* Set an option of level SOL_ALTCONN that is a __u32. */
int at_set_option(int fd, int option, uint32_t value);
int at_set_timeout(int fd, uint64_t ms);
/* Let a full datagram receiver block its senders, also in an inet format. */
int at_set_blocking_receiver(int fd, enum at_format format);
int at_info(int fd, struct altconn_connect_info *info);
/*
 * Return what at_info() stores in @info. After a failure aci_waited_ns is 0 and
 * all bits of the other members are set, so that no test accepts them.
 */
struct altconn_connect_info at_info_of(int fd);
/* Return the reason of the last attempt, or ~0 on failure. */
unsigned int at_reason(int fd);
/* Return the position of the last attempt, 0 if the attempt does not wait. */
unsigned int at_position(int fd);

#endif /* _ALTCONN_TEST_OPTION_H */
