/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_NL_FILTER_H
#define _ALTCONN_NL_FILTER_H

#include "altconn.h"

struct altconn_addr;
struct altconn_end_info;
struct altconn_viewer;
struct genl_info;
struct netlink_ext_ack;
struct nlattr;

/**
 * struct altconn_nl_filter_end - the values that a request demands of an end
 * @given: the request has the nest of this end; if not, every end matches
 * @attr: the demanded values, by ALTCONN_A_END_*; NULL matches any value
 * @addr: the demanded parts of the address, by ALTCONN_A_ADDR_*; NULL matches
 *	any value
 */
struct altconn_nl_filter_end {
	bool		given;
	struct nlattr	*attr[ALTCONN_A_END_MAX + 1];
	struct nlattr	*addr[ALTCONN_A_ADDR_MAX + 1];
};

/**
 * struct altconn_nl_filter - the values that a request demands of an object
 * @id: id of the association or of the socket
 * @type: type of the association or of the socket, enum altconn_socket_type
 * @state: state of the association
 * @listener: id of the association's listener
 * @listening: if it is not NULL, only listeners match
 * @client: client's end of the association
 * @server: server's end of the association
 * @either: an end of the association, the client's or the server's
 * @owner: owner of the socket
 * @peer: parts of the address that the socket is connected to, by
 *	ALTCONN_A_ADDR_*
 * @peer_given: the request has the nest @peer, so only connected datagram
 *	sockets match, even if the nest is empty
 *
 * The pointers are to attributes of the request, which outlives the filter.
 * NULL matches any value.
 */
struct altconn_nl_filter {
	struct nlattr			*id;
	struct nlattr			*type;
	struct nlattr			*state;
	struct nlattr			*listener;
	struct nlattr			*listening;
	struct altconn_nl_filter_end	client;
	struct altconn_nl_filter_end	server;
	struct altconn_nl_filter_end	either;
	struct altconn_nl_filter_end	owner;
	struct nlattr			*peer[ALTCONN_A_ADDR_MAX + 1];
	bool				peer_given;
};

/**
 * typedef altconn_nl_filter_parse - read the attributes of a request
 * @filter: the filter, zeroed; gets pointers to attributes of the request
 * @nlh: the request
 * @attrs: attributes of the request, by type
 * @extack: gets the error message
 *
 * Context: process.
 * Return: 0; -EINVAL if an attribute is wrong or occurs twice.
 */
typedef int altconn_nl_filter_parse(struct altconn_nl_filter *filter,
				    const struct nlmsghdr *nlh,
				    struct nlattr **attrs,
				    struct netlink_ext_ack *extack);

struct altconn_nl_filter *
altconn_nl_filter_new_dump(struct netlink_callback *cb,
			   altconn_nl_filter_parse *parse);
struct altconn_nl_filter *
altconn_nl_filter_new_one(struct genl_info *info,
			  altconn_nl_filter_parse *parse);
int altconn_nl_filter_parse_assoc(struct altconn_nl_filter *filter,
				  const struct nlmsghdr *nlh,
				  struct nlattr **attrs,
				  struct netlink_ext_ack *extack);
int altconn_nl_filter_parse_socket(struct altconn_nl_filter *filter,
				   const struct nlmsghdr *nlh,
				   struct nlattr **attrs,
				   struct netlink_ext_ack *extack);
bool altconn_nl_filter_selects_u32(const struct nlattr *attr, u32 value);
bool altconn_nl_filter_selects_u64(const struct nlattr *attr, u64 value);
bool altconn_nl_filter_selects_addr(struct nlattr * const *wanted,
				    const struct altconn_addr *addr);
bool altconn_nl_filter_selects_end(const struct altconn_nl_filter_end *wanted,
				   const struct altconn_viewer *viewer,
				   const struct altconn_end_info *end);

#endif /* _ALTCONN_NL_FILTER_H */
