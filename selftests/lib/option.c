// SPDX-License-Identifier: GPL-2.0
#include "option.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int at_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags);
}

int at_so_error(int fd)
{
	socklen_t len = sizeof(int);
	int err;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		return -1;
	return err;
}

int at_set_flag(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

int at_get_flag(int fd, int level, int option)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, level, option, &value, &len) ? -errno : value;
}

int at_set_option(int fd, int option, uint32_t value)
{
	return setsockopt(fd, SOL_ALTCONN, option, &value, sizeof(value));
}

int at_set_timeout(int fd, uint64_t ms)
{
	return setsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_TIMEOUT, &ms,
			  sizeof(ms));
}

int at_set_blocking_receiver(int fd, enum at_format format)
{
	if (format != AT_IN && format != AT_IN6)
		return 0;
	return at_set_option(fd, ALTCONN_DGRAM_OVERFLOW,
			     ALTCONN_OVERFLOW_BLOCK);
}

int at_info(int fd, struct altconn_connect_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0xff, sizeof(*info));
	return getsockopt(fd, SOL_ALTCONN, ALTCONN_CONNECT_INFO, info, &len);
}

struct altconn_connect_info at_info_of(int fd)
{
	struct altconn_connect_info info;

	if (at_info(fd, &info))
		info.aci_waited_ns = 0;
	return info;
}

unsigned int at_reason(int fd)
{
	struct altconn_connect_info info;

	return at_info(fd, &info) ? ~0U : info.aci_reason;
}

unsigned int at_position(int fd)
{
	struct altconn_connect_info info;

	return at_info(fd, &info) ? 0 : info.aci_position;
}
