/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The netlink files (nl_*.c) and event.c share this: parts of messages, and
 * checks and filters of requests.
 */
#ifndef _ALTCONN_NL_H
#define _ALTCONN_NL_H

#include "altconn.h"
#include "assoc.h"
#include "task_info.h"

struct altconn_addr;
struct genl_info;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;
struct user_namespace;

/*
 * One part of a dump visits this many objects at most. The core makes the first
 * part of a dump under cb_lock. genl_register_family() waits for that lock, and
 * each later request waits behind genl_register_family().
 */
#define NL_DUMP_BATCH	256

/**
 * struct altconn_viewer - the reader of a message, and what it may see
 * @admin: the reader has CAP_NET_ADMIN, so pids of other users' processes are
 *	shown to it
 * @uid: user of the reader
 * @side: end of the association that is in the reader's network namespace;
 *	addresses are written as that namespace knows them
 * @users: user namespace in which uids are shown
 * @pids: pid namespace in which pids are shown; NULL: no pid is shown
 */
struct altconn_viewer {
	bool			admin;
	kuid_t			uid;
	enum altconn_side	side;
	struct user_namespace	*users;
	struct pid_namespace	*pids;
};

/**
 * struct altconn_end_info - an end of an association, or the owner of a socket
 * @addr: address of the end, or NULL if the end is unnamed
 * @task: process and user of the end, or ALTCONN_TASK_INFO_NONE
 * @format: address format, or ALTCONN_END_UNKNOWN
 * @recv_queue: bytes that the end has not read, or ALTCONN_END_UNKNOWN
 * @inode: inode number of the end's socket; 0: the end has no socket, or the
 *	socket is not known
 */
struct altconn_end_info {
	const struct altconn_addr	*addr;
	struct altconn_task_info		task;
	u32				format;
	u32				recv_queue;
	u64				inode;
};

/**
 * struct altconn_nl_end_filter - attributes of an end that a request selects by
 * @given: the request has attributes of this end
 * @attr: attributes of the end, by type; NULL matches any value
 * @addr: attributes of the end's address, by type; NULL matches any value
 */
struct altconn_nl_end_filter {
	bool		given;
	struct nlattr	*attr[ALTCONN_A_END_MAX + 1];
	struct nlattr	*addr[ALTCONN_A_ADDR_MAX + 1];
};

/**
 * struct altconn_nl_filter - the associations or sockets that a request selects
 * @id: id of the association or socket
 * @type: type of the association or socket, enum altconn_socket_type
 * @state: state of the association
 * @listener: id of the association's listener
 * @listening: flag: the socket is a listener
 * @client: client's end of the association
 * @server: server's end of the association
 * @either: client's or server's end of the association
 * @owner: owner of the socket
 * @peer: attributes, by type, of the address that the socket is connected to
 * @peer_given: the request has @peer, so it selects connected datagram sockets
 *	only
 *
 * All pointers are to attributes in the request. NULL matches any value.
 */
struct altconn_nl_filter {
	struct nlattr			*id;
	struct nlattr			*type;
	struct nlattr			*state;
	struct nlattr			*listener;
	struct nlattr			*listening;
	struct altconn_nl_end_filter	client;
	struct altconn_nl_end_filter	server;
	struct altconn_nl_end_filter	either;
	struct altconn_nl_end_filter	owner;
	struct nlattr			*peer[ALTCONN_A_ADDR_MAX + 1];
	bool				peer_given;
};

#define ALTCONN_END_UNKNOWN	U32_MAX

struct altconn_viewer altconn_nl_viewer_of(struct sk_buff *skb,
					   struct net *net);
int altconn_nl_check_admin(struct sk_buff *skb, struct genl_info *info);
int altconn_nl_check_once(const struct nlattr *head, int len,
			  const char * const *twice, int n,
			  struct netlink_ext_ack *extack);
int altconn_nl_check_request(const struct genl_info *info,
			     const char * const *twice, int n);
int altconn_nl_check_empty(const struct genl_info *info);
u32 altconn_nl_type(int type);
int altconn_nl_sock_type(u32 type);
u32 altconn_nl_error(int err);
int altconn_nl_put_addr(struct sk_buff *skb, int attr,
			const struct altconn_addr *addr);
pid_t altconn_nl_shown_pid(const struct altconn_viewer *viewer,
			   const struct altconn_task_info *task);
int altconn_nl_put_end(struct sk_buff *skb, int attr,
		       const struct altconn_viewer *viewer,
		       const struct altconn_end_info *end);
void *altconn_nl_put_header(struct sk_buff *skb, struct netlink_callback *cb,
			    u8 cmd);
void altconn_nl_set_seq(struct netlink_callback *cb, u32 removed);
void altconn_nl_put_noop(struct sk_buff *skb, struct netlink_callback *cb);
struct sk_buff *altconn_nl_reply_new(struct genl_info *info, size_t size,
				     u8 cmd, void **hdr);
int altconn_nl_reply_send(struct sk_buff *reply, void *hdr,
			  struct genl_info *info, int err);
int altconn_nl_put_outcomes(struct sk_buff *skb, int attr, const u64 *outcomes);

#endif /* _ALTCONN_NL_H */
