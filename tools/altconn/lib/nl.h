/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tool sends requests to the module over generic netlink.
 */
#ifndef ALTCONN_TOOL_NL_H
#define ALTCONN_TOOL_NL_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/altconn.h>

/**
 * struct nl - a netlink socket for the generic netlink family of the module
 * @sock: the socket
 * @buf: buffer for one datagram, for requests and for answers
 * @seq: sequence number of the last request
 * @type: message type of the family "altconn"
 * @bad_offset: offset in the last request of the attribute that the module has
 *	refused, or 0
 */
struct nl {
	struct mnl_socket *sock;
	void *buf;
	uint32_t seq;
	uint16_t type;
	uint32_t bad_offset;
};

int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, size_t len);
int nl_talk(struct nl *nl, mnl_cb_t cb, void *data);
int nl_get(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void *data);
int nl_begin(struct nl *nl);
int nl_listen(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void *data);
struct nlmsghdr *nl_dump_request(struct nl *nl, uint8_t cmd);
int nl_dump_talk(struct nl *nl, mnl_cb_t cb, void *data, bool *interrupted);
int nl_dump_once(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void *data,
		 bool *interrupted);
int nl_dump(struct nl *nl, uint8_t cmd, mnl_cb_t cb, void (*reset)(void *data),
	    void *data);

#endif /* ALTCONN_TOOL_NL_H */
