/* SPDX-License-Identifier: GPL-2.0 */
/*
 * This header declares the parts of messages, and the checks and filters of
 * requests, that the netlink files (nl_*.c) and event.c share.
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
 * In one part of a dump, at most this many objects are visited, whether or not
 * they match. The bound matters for the first part, during which generic
 * netlink holds cb_lock for reading: a genl_register_family() that waits to
 * write blocks all later requests.
 */
#define NL_DUMP_BATCH	256

/**
 * struct altconn_viewer - the reader of a message, and its permissions
 * @admin: the reader has CAP_NET_ADMIN in its network namespace, so the message
 *	shows it the pids of other users' processes
 * @uid: user of the reader
 * @side: end of the association that is in the reader's network namespace; the
 *	message has the addresses that are valid in that namespace
 * @users: user namespace of the reader; uids are translated for it
 * @pids: pid namespace of the reader, for which pids are translated, or NULL if
 *	the message has no pids
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
 * @addr: address of the end, or NULL if the end is unnamed; not a reference
 * @task: process and user of the end, or ALTCONN_TASK_INFO_NONE
 * @format: address format, or ALTCONN_END_UNKNOWN to leave it out
 * @recv_queue: number of bytes that the end has not read, or
 *	ALTCONN_END_UNKNOWN to leave it out
 * @inode: inode number of the end's socket, or 0 to leave it out
 */
struct altconn_end_info {
	const struct altconn_addr	*addr;
	struct altconn_task_info		task;
	u32				format;
	u32				recv_queue;
	u64				inode;
};

/* The value of a field of struct altconn_end_info that a message leaves out. */
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
