/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ALTCONN_ADDR_H
#define _ALTCONN_ADDR_H

#include <linux/un.h>
#include <net/ipv6.h>
#include "altconn.h"

/**
 * struct altconn_addr - a canonical address, the same for every dress
 * @refs: see below
 * @kind: enum altconn_kind
 * @len: bytes of @bytes in use
 * @bound: part of a struct altconn_bind
 * @far: another node's (node.c), or somebody of another node looks for it; not
 *	part of what is compared
 * @node: node id, ports and names; inet: the interface of a link-local address
 * @port: ports; inet: in the host's order
 * @inode: paths that have been looked up: the socket file's inode, compared and never
 *	followed
 * @fd: paths, until then: the descriptor of the file or of its directory, -1 if it
 *	cannot be one; AT_FDCWD: none was given
 * @rcu: frees it
 * @bytes: the name, or the path as it was given to bind(); inet: an IPv6
 *	address, IPv4 as v4-mapped
 *
 * Lifetime: immutable once it is shared. Bindings, endpoints, ends of
 * associations and queued datagrams hold references; altconn_addr_put() frees
 * it a grace period after the last one, in any context. An address on the stack has no
 * references and is copied by altconn_addr_dup() before it is kept. Allocated
 * only as long as @len needs, so a shared one is never copied as a struct.
 */
struct altconn_addr {
	refcount_t	refs;
	u8		kind;
	u8		len;
	bool		bound;
	bool		far;
	u32		node;
	u32		port;
	union {
		const void	*inode;
		int		fd;
	};
	struct rcu_head	rcu;
	char		bytes[ALTCONN_PATH_MAX] __aligned(8);
};

/* "path:" and a path whose every byte is escaped as \xNN */
#define ALTCONN_ADDR_STRLEN	(8 + 4 * ALTCONN_PATH_MAX)

int altconn_addr_parse(const struct sock *sk, const void *uaddr, int len,
		       struct altconn_addr *addr);
int altconn_addr_parse_peer(const struct sock *sk, const void *uaddr, int len,
			    struct altconn_addr *addr);
bool altconn_addr_dissolves(const struct sock *sk, const void *uaddr, int len);
int altconn_addr_write(const struct sock *sk, const struct altconn_addr *addr,
		       void *uaddr);
void altconn_addr_tell(const struct sock *sk, const struct altconn_addr *addr,
		       struct msghdr *msg);
struct altconn_addr *altconn_addr_dup(const struct altconn_addr *addr,
				      gfp_t gfp);
void altconn_addr_free(struct altconn_addr *addr);
bool altconn_addr_equal(const struct altconn_addr *a,
			const struct altconn_addr *b);
size_t altconn_addr_print(const struct altconn_addr *addr, char *buf,
			  size_t size);
struct altconn_addr *altconn_addr_of(const struct sock *sk);

static inline struct in6_addr *altconn_addr_ip(const struct altconn_addr *addr)
{
	return (struct in6_addr *)addr->bytes;
}

static inline bool altconn_addr_is_v4(const struct altconn_addr *addr)
{
	return ipv6_addr_v4mapped(altconn_addr_ip(addr));
}

/* The IPv4 address, in network order. */
static inline __be32 altconn_addr_v4(const struct altconn_addr *addr)
{
	return altconn_addr_ip(addr)->s6_addr32[3];
}

/* Any address of its version: 0.0.0.0 or ::. */
static inline bool altconn_addr_is_any(const struct altconn_addr *addr)
{
	return altconn_addr_is_v4(addr) ? !altconn_addr_v4(addr) :
					  ipv6_addr_any(altconn_addr_ip(addr));
}

static inline struct altconn_addr *altconn_addr_get(struct altconn_addr *addr)
{
	if (addr)
		refcount_inc(&addr->refs);
	return addr;
}

/**
 * altconn_addr_put() - drop a reference
 * @addr: the address, or NULL
 *
 * Context: any.
 */
static inline void altconn_addr_put(struct altconn_addr *addr)
{
	if (addr && refcount_dec_and_test(&addr->refs))
		altconn_addr_free(addr);
}

#endif /* _ALTCONN_ADDR_H */
