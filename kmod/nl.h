/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What several files put into netlink messages.
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
 * The most objects that one part of a dump looks at. The core makes the first part under
 * cb_lock: genl_register_family() waits for that, and each later request waits behind it.
 */
#define NL_DUMP_BATCH	256

#define _ALTCONN_NL_H

/**
 * struct altconn_viewer - who is told
 * @admin: may see pids of sockets that are not its user's
 * @uid: its user
 * @side: where it looks from
 * @users: uids are told as they are here
 * @pids: and pids; NULL: none is
 */
struct altconn_viewer {
	bool			admin;
	kuid_t			uid;
	enum altconn_side	side;
	struct user_namespace	*users;
	struct pid_namespace	*pids;
};

/**
 * struct altconn_end_info - an end, or the owner of a socket
 * @addr: its address, or NULL
 * @who: its process, or nobody
 * @dress: how it writes addresses, or ALTCONN_END_UNKNOWN
 * @recv_queue: bytes that it has not read, or ALTCONN_END_UNKNOWN
 * @inode: of its socket; 0: it has none, or it is not known
 */
struct altconn_end_info {
	const struct altconn_addr	*addr;
	struct altconn_who		who;
	u32				dress;
	u32				recv_queue;
	u64				inode;
};

/**
 * struct altconn_nl_end_filter - an end that a request asks for
 * @given: the request has it
 * @attr: attributes of the request, by type
 * @addr: attributes of the end's address, by type
 */
struct altconn_nl_end_filter {
	bool		given;
	struct nlattr	*attr[ALTCONN_A_END_MAX + 1];
	struct nlattr	*addr[ALTCONN_A_ADDR_MAX + 1];
};

/**
 * struct altconn_nl_filter - the associations, or sockets, that a request asks for
 * @id: attribute of the request, as are the next four; NULL matches any value
 * @type: of both
 * @state: of an association
 * @listener: of an association
 * @listening: of a socket
 * @client: end of an association
 * @server: end of an association
 * @either: client's or server's end of an association
 * @owner: of a socket
 * @peer: address that a socket is connected to, attributes by type
 * @peer_given: the request has @peer, so only datagram sockets will do
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
			   const struct altconn_who *who);
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
